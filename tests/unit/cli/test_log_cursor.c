/* cli/log_cursor: what is printed is read again; what is of another log is refused; the file is replaced as a whole. */
#include "cli/log_cursor.h"

#include "core/buf.h"
#include "core/scope.h"
#include "tests/conformance/temp_dir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static enum rc parse(const char *text, rlog_off *ret)
{
    struct err e = ERR_INIT;
    enum rc rc = log_cursor_parse(slice_str(text), SLICE("default/prod"), 100, ret, &e);
    assert_true(rc == RC_OK || e.msg[0]);
    return rc;
}

static void a_cursor_is_read_as_it_was_printed(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(LOG_CURSOR_MAX);
    rlog_off at = 0;
    log_cursor_print(SLICE("default/prod"), 42, &out);
    assert_string_equal(out.p, "default/prod@42");
    assert_int_equal(parse(out.p, &at), RC_OK);
    assert_int_equal(at, 42);
    assert_int_equal(parse("default/prod@99", &at), RC_OK);
}

static void what_is_no_cursor_of_this_log_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "42",
                                        "default/prod@",
                                        "default/prod@x",
                                        "default/prod@-1",
                                        "default/prod@99999999999999999999",
                                        "default/other@42",
                                        "@42",
                                        "default/prod@100"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rlog_off at = 7;
        assert_int_equal(parse(texts[i], &at), RC_INVALID);
        assert_int_equal(at, 7);
    }
}

static void the_file_is_replaced_and_a_missing_one_is_empty(void **state)
{
    (void)state;
    char *dir = temp_dir_new(), path[512];
    AUTO(buf_done) struct buf text = BUF_INIT(LOG_CURSOR_MAX);
    struct err e = ERR_INIT;
    snprintf(path, sizeof path, "%s/cursor", dir);
    assert_int_equal(log_cursor_load(path, &text, &e), RC_OK);
    assert_int_equal(text.n, 0);
    assert_int_equal(log_cursor_save(path, SLICE("a@1"), &e), RC_OK);
    assert_int_equal(log_cursor_save(path, SLICE("b@22"), &e), RC_OK);
    assert_int_equal(log_cursor_load(path, &text, &e), RC_OK);
    assert_string_equal(text.p, "b@22");
    temp_dir_free(dir);
    assert_true(log_cursor_save(path, SLICE("a@1"), &e) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_is_read_as_it_was_printed),
        cmocka_unit_test(what_is_no_cursor_of_this_log_is_refused),
        cmocka_unit_test(the_file_is_replaced_and_a_missing_one_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

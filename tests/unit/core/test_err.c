/* core/err: filling, wrapping, cutting, the class of each errno. */
#include "core/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void setting_an_error_fills_it_and_gives_its_code_back(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, RC_CONFLICT, ERR_RESYNC, "epoch %d", 7), RC_CONFLICT);
    assert_int_equal(e.rc, RC_CONFLICT);
    assert_int_equal(e.retry, ERR_RESYNC);
    assert_int_equal(e.sys, 0);
    assert_string_equal(e.msg, "epoch 7");
}

static void setting_replaces_the_errno_of_an_earlier_failure(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    err_sys(&e, EIO, "read");
    err_set(&e, RC_INVALID, ERR_FINAL, "other");
    assert_int_equal(e.sys, 0);
}

static void no_error_object_is_needed(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, RC_IO, ERR_FATAL, "x"), RC_IO);
    assert_int_equal(err_sys(NULL, ENOENT, "x"), RC_NOTFOUND);
    assert_int_equal(err_nomem(NULL), RC_NOMEM);
}

static void an_error_can_be_built_from_its_own_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    err_set(&e, RC_IO, ERR_FATAL, "inner");
    err_set(&e, RC_CORRUPT, ERR_FATAL, "outer of %s", e.msg);
    assert_string_equal(e.msg, "outer of inner");
}

static void wrapping_puts_context_before_the_text_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    err_sys(&e, ENOENT, "open %s", "a");
    assert_int_equal(err_wrap(&e, "segment %d", 3), RC_NOTFOUND);
    assert_string_equal(e.msg, "segment 3: open a: No such file or directory");
    assert_int_equal(e.sys, ENOENT);
    assert_int_equal(e.retry, ERR_FINAL);
}

static void a_long_text_loses_its_end_and_never_its_beginning(void **state)
{
    (void)state;
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct err e = ERR_INIT;
    err_set(&e, RC_IO, ERR_FATAL, "%s", longer);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    err_wrap(&e, "head");
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_memory_equal(e.msg, "head: xxx", 9);
    err_wrap(&e, "%s", longer);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_memory_equal(e.msg, "xxxx", 4);
}

static void a_long_path_does_not_push_the_reason_out(void **state)
{
    (void)state;
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct err e = ERR_INIT;
    err_sys(&e, ENOSPC, "%s", longer);
    const char *tail = ": No space left on device";
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_string_equal(e.msg + strlen(e.msg) - strlen(tail), tail);
}

static void each_errno_has_the_class_that_the_header_says(void **state)
{
    (void)state;
    static const struct {
        int sys;
        enum rc rc;
        enum err_retry retry;
    } want[] = {
        {ENOENT, RC_NOTFOUND, ERR_FINAL},
        {EACCES, RC_DENIED, ERR_FINAL},
        {EPERM, RC_DENIED, ERR_FINAL},
        {ENOSPC, RC_LIMIT, ERR_RETRY},
        {EDQUOT, RC_LIMIT, ERR_RETRY},
        {EFBIG, RC_LIMIT, ERR_RETRY},
        {EMFILE, RC_LIMIT, ERR_RETRY},
        {ENFILE, RC_LIMIT, ERR_RETRY},
        {ENOMEM, RC_NOMEM, ERR_RETRY},
        {EAGAIN, RC_UNAVAILABLE, ERR_RETRY},
        {EINTR, RC_UNAVAILABLE, ERR_RETRY},
        {ETIMEDOUT, RC_UNAVAILABLE, ERR_RETRY},
        {ECONNREFUSED, RC_UNAVAILABLE, ERR_RETRY},
        {ECONNRESET, RC_UNAVAILABLE, ERR_RETRY},
        {ECONNABORTED, RC_UNAVAILABLE, ERR_RETRY},
        {EIO, RC_IO, ERR_FATAL},
        {EROFS, RC_IO, ERR_FATAL},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(err_sys(&e, want[i].sys, "x"), want[i].rc);
        assert_int_equal(e.retry, want[i].retry);
        assert_int_equal(e.sys, want[i].sys);
    }
}

static void an_unknown_errno_is_named_by_its_number(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_sys(&e, 98765, "x"), RC_IO);
    assert_string_equal(e.msg, "x: error number 98765");
}

static void lack_of_memory_is_worth_a_retry(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(err_nomem(&e), RC_NOMEM);
    assert_int_equal(e.retry, ERR_RETRY);
    assert_string_equal(e.msg, "out of memory");
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(rc_name(RC_CONFLICT), "conflict");
    for (int a = RC_UNSUPPORTED; a <= RC_AGAIN; a++) {
        assert_string_not_equal(rc_name((enum rc)a), "unknown");
        for (int b = RC_UNSUPPORTED; b < a; b++)
            assert_string_not_equal(rc_name((enum rc)a), rc_name((enum rc)b));
    }
    assert_string_equal(rc_name((enum rc)(RC_UNSUPPORTED - 1)), "unknown");
    assert_string_equal(rc_name((enum rc)(RC_AGAIN + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_fills_it_and_gives_its_code_back),
        cmocka_unit_test(setting_replaces_the_errno_of_an_earlier_failure),
        cmocka_unit_test(no_error_object_is_needed),
        cmocka_unit_test(an_error_can_be_built_from_its_own_text),
        cmocka_unit_test(wrapping_puts_context_before_the_text_and_keeps_the_rest),
        cmocka_unit_test(a_long_text_loses_its_end_and_never_its_beginning),
        cmocka_unit_test(a_long_path_does_not_push_the_reason_out),
        cmocka_unit_test(each_errno_has_the_class_that_the_header_says),
        cmocka_unit_test(an_unknown_errno_is_named_by_its_number),
        cmocka_unit_test(lack_of_memory_is_worth_a_retry),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

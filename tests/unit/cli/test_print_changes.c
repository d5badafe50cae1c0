/* cli/print_changes: the patch leads from one state to the other, the text says it to a person, no Secret gets out. */
#include "cli/print_changes.h"

#include "core/buf.h"
#include "core/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { TEXT_MAX = 1 << 20 };

typedef enum rc print_fn(struct json_doc *before, struct json_doc *after, bool mask,
                         struct buf *out, struct err *e);

static void assert_prints(print_fn *print, bool mask, const char *before, const char *after,
                          const char *want)
{
    AUTO(json_freep) struct json_doc *b = NULL;
    AUTO(json_freep) struct json_doc *a = NULL;
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(json_parse(slice_str(before), &b, &e), RC_OK);
    assert_int_equal(json_parse(slice_str(after), &a, &e), RC_OK);
    assert_int_equal(print(b, a, mask, &out, &e), RC_OK);
    assert_string_equal(out.n ? out.p : "", want);
}

static void a_patch_has_an_operation_for_each_change(void **state)
{
    (void)state;
    assert_prints(print_changes_patch, false, "{\"a\":1,\"b\":{\"c\":2,\"d\":3},\"e\":4}",
                  "{\"b\":{\"c\":5,\"d\":3},\"e\":4,\"f/~\":[1]}",
                  "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"replace\",\"path\":\"/b/c\","
                  "\"value\":5},{\"op\":\"add\",\"path\":\"/f~1~0\",\"value\":[1]}]");
    assert_prints(print_changes_patch, false, "{\"a\":{}}", "{\"a\":[]}",
                  "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]");
}

static void elements_go_from_the_end(void **state)
{
    (void)state;
    assert_prints(print_changes_patch, false, "{\"l\":[1,2,3,4]}", "{\"l\":[1,5]}",
                  "[{\"op\":\"replace\",\"path\":\"/l/1\",\"value\":5},{\"op\":\"remove\","
                  "\"path\":\"/l/3\"},{\"op\":\"remove\",\"path\":\"/l/2\"}]");
    assert_prints(print_changes_patch, false, "{\"l\":[]}", "{\"l\":[1,2]}",
                  "[{\"op\":\"add\",\"path\":\"/l/0\",\"value\":1},{\"op\":\"add\","
                  "\"path\":\"/l/1\",\"value\":2}]");
}

static void what_is_equal_or_changes_with_every_write_is_left_out(void **state)
{
    (void)state;
    assert_prints(print_changes_patch, false,
                  "{\"metadata\":{\"managedFields\":[1],\"resourceVersion\":\"1\",\"x\":1.0}}",
                  "{\"metadata\":{\"x\":1,\"managedFields\":[2],\"resourceVersion\":\"2\"}}", "[]");
}

static void text_shows_both_values(void **state)
{
    (void)state;
    assert_prints(print_changes_text, false, "{\"a\":1,\"b\":\"x\"}", "{\"a\":2,\"c\":[3]}",
                  "    /a: 1 -> 2\n  - /b: \"x\"\n  + /c: [3]\n");
}

static void text_holds_nothing_that_a_terminal_acts_on(void **state)
{
    (void)state;
    assert_prints(print_changes_text, false, "{}",
                  "{\"\\u001b[2J\\n\\\"\":{},\"a\":\"\\u001b[31m\"}",
                  "  + /\\u001b[2J\\n\\\": {}\n  + /a: \"\\u001b[31m\"\n");
}

static void long_values_are_cut_in_text_at_a_character(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf after = BUF_INIT(TEXT_MAX), want = BUF_INIT(TEXT_MAX);
    buf_add_str(&after, "{\"a\":\"");
    buf_add_str(&want, "  + /a: \"");
    for (int i = 0; i < 200; i++) {
        buf_add_str(&after, "\xc3\xa4");
        if (i < 59)
            buf_add_str(&want, "\xc3\xa4");
    }
    buf_add_str(&after, "\"}");
    buf_add_str(&want, "...\n");
    assert_prints(print_changes_text, false, "{}", after.p, want.p);
}

static void values_of_a_secret_are_masked_and_that_they_changed_is_not(void **state)
{
    (void)state;
    const char *before =
        "{\"data\":{\"a\":\"MARK1\",\"b\":\"MARK2\"},\"metadata\":{\"annotations\":"
        "{\"kubectl.kubernetes.io/last-applied-configuration\":\"MARK3\"}},"
        "\"type\":\"x\"}";
    const char *after = "{\"data\":{\"a\":\"MARK4\"},\"stringData\":{\"c\":\"MARK5\"},"
                        "\"metadata\":{\"annotations\":{"
                        "\"kubectl.kubernetes.io/last-applied-configuration\":\"MARK6\"}},"
                        "\"type\":\"y\"}";
    assert_prints(print_changes_text, true, before, after,
                  "    /data/a: \"***\" -> \"***\"\n  - /data/b: \"***\"\n"
                  "    /type: \"x\" -> \"y\"\n  + /stringData: \"***\"\n");
    assert_prints(print_changes_patch, true, before, "{\"data\":\"MARK7\",\"type\":\"x\"}",
                  "[{\"op\":\"replace\",\"path\":\"/data\",\"value\":\"***\"},{\"op\":\"remove\","
                  "\"path\":\"/metadata\"}]");
    assert_prints(print_changes_patch, false, "{\"data\":{\"a\":\"1\"}}",
                  "{\"data\":{\"a\":\"2\"}}",
                  "[{\"op\":\"replace\",\"path\":\"/data/a\",\"value\":\"2\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_has_an_operation_for_each_change),
        cmocka_unit_test(elements_go_from_the_end),
        cmocka_unit_test(what_is_equal_or_changes_with_every_write_is_left_out),
        cmocka_unit_test(text_shows_both_values),
        cmocka_unit_test(text_holds_nothing_that_a_terminal_acts_on),
        cmocka_unit_test(long_values_are_cut_in_text_at_a_character),
        cmocka_unit_test(values_of_a_secret_are_masked_and_that_they_changed_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

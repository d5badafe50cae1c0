/* sinks/kube_differ: which members differ, without a value. */
#include "sinks/kube_differ.h"

#include "core/buf.h"
#include "core/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void members_are_named_and_no_value_is(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        {"{\"a\":1}", "{\"a\":1.0}", ""},
        {"{\"data\":{\"k\":\"VALUE\"}}", "{\"data\":{\"k\":\"OTHER\"}}", "/data/k"},
        {"{\"a\":1,\"b\":{\"c\":2}}", "{\"b\":{\"d\":2}}", "/a, /b/c, /b/d"},
        {"{\"l\":[1,{\"x\":2}]}", "{\"l\":[1,{\"x\":3}]}", "/l"},
        {"{\"m\":{\"a.b/c~\":1}}", "{\"m\":{}}", "/m/a.b~1c~0"},
        {"{\"\\u001b[2J\":1}", "{}", "/\\u001b[2J"},
        {"{\"s\":{}}", "{\"s\":[]}", "/s"},
        {"{\"r\":1,\"r\":2}", "{\"r\":3}", "/r"},
        {"{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0}", "{}",
         "/1, /2, /3, /4, /5 and 2 more"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(json_freep) struct json_doc *a = NULL;
        AUTO(json_freep) struct json_doc *b = NULL;
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct err e = ERR_INIT;
        assert_int_equal(json_parse(slice_str(rows[i].a), &a, &e), RC_OK);
        assert_int_equal(json_parse(slice_str(rows[i].b), &b, &e), RC_OK);
        kube_differ(a, b, &out);
        assert_string_equal(out.n ? out.p : "", rows[i].want);
    }
}

static void what_lies_too_deep_is_named_by_what_it_lies_in(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf a = BUF_INIT(4096), b = BUF_INIT(4096), out = BUF_INIT(4096);
    AUTO(json_freep) struct json_doc *first = NULL;
    AUTO(json_freep) struct json_doc *second = NULL;
    struct err e = ERR_INIT;
    for (int i = 0; i < 40; i++)
        buf_add_str(&a, "{\"a\":");
    buf_add_slice(&b, buf_slice(&a));
    buf_add_char(&a, '1');
    buf_add_char(&b, '2');
    for (int i = 0; i < 40; i++) {
        buf_add_char(&a, '}');
        buf_add_char(&b, '}');
    }
    assert_int_equal(json_parse(buf_slice(&a), &first, &e), RC_OK);
    assert_int_equal(json_parse(buf_slice(&b), &second, &e), RC_OK);
    kube_differ(first, second, &out);
    assert_string_equal(out.p, "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a");
}

/* n members of equal values, and another one. */
static void print_wide(int n, int other, struct buf *out)
{
    buf_add_str(out, "{\"data\":{");
    for (int i = 0; i < n; i++)
        buf_addf(out, "\"k%d\":\"x\",", i);
    buf_addf(out, "\"other\":%d}}", other);
}

static void what_has_too_many_members_is_named_as_a_whole(void **state)
{
    (void)state;
    for (int n = 255; n <= 256; n++) {
        AUTO(buf_done) struct buf a = BUF_INIT(16384), b = BUF_INIT(16384), out = BUF_INIT(4096);
        AUTO(json_freep) struct json_doc *first = NULL;
        AUTO(json_freep) struct json_doc *second = NULL;
        struct err e = ERR_INIT;
        print_wide(n, 1, &a);
        print_wide(n, 2, &b);
        assert_int_equal(json_parse(buf_slice(&a), &first, &e), RC_OK);
        assert_int_equal(json_parse(buf_slice(&b), &second, &e), RC_OK);
        kube_differ(first, second, &out);
        assert_string_equal(out.p, n == 255 ? "/data/other" : "/data");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_named_and_no_value_is),
        cmocka_unit_test(what_lies_too_deep_is_named_by_what_it_lies_in),
        cmocka_unit_test(what_has_too_many_members_is_named_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

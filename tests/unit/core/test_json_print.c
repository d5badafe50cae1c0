/* core/json_print: strings, the canonical form, subtrees, limits. (Printing after edits:
 * test_json.c, test_json_edit.c) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"

static void text_is_printed_with_the_fewest_escapes(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *json;
    } cases[] = {
        {SLICE_NULL, "\"\""},
        {SLICE("a/<>&'\x7f"), "\"a/<>&'\x7f\""},
        {SLICE("\"\\"), "\"\\\"\\\\\""},
        {SLICE("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
        {SLICE("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\""},
        {SLICE("\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {SLICE("a\xffz"), "\"a\xef\xbf\xbdz\""},
        {SLICE("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {SLICE("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(256);
        json_print_text(cases[i].text, &out);
        assert_string_equal(out.p, cases[i].json);
        struct json_doc *d = NULL;
        assert_int_equal(json_parse(buf_slice(&out), &d, NULL), RC_OK);
        json_free(d);
    }
}

static void the_canonical_form_does_not_depend_on_order_spacing_or_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *json, *canonical;
    } cases[] = {
        {"1.0", "1.0"},
        {" [ ] ", "[]"},
        {"{ }", "{}"},
        {"[ 1 , [ ] , { } , \"\\u0061\\/\" ]", "[1,[],{},\"a/\"]"},
        {"{\"b\":1 , \"a\": {\"d\":[ ],\"c\":null}}", "{\"a\":{\"c\":null,\"d\":[]},\"b\":1}"},
        {"{\"\\u0062\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":1,\"\\u0061\":{\"x\":[1]}}", "{\"a\":{\"x\":[1]}}"},
        {"{\"\xc3\xa9\":1,\"z\":2,\"\":3}", "{\"\":3,\"z\":2,\"\xc3\xa9\":1}"},
        {"\"\\u0000\\u001F\\n\\u000a\\\"\"", "\"\\u0000\\u001f\\n\\n\\\"\""},
        {"\"\\uD83D\\uDE00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\\uD800 \\uDFFF\"", "\"\\ud800 \\udfff\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(json_freep) struct json_doc *d = NULL;
        assert_int_equal(json_parse(slice_str(cases[i].json), &d, NULL), RC_OK);
        AUTO(buf_done) struct buf out = BUF_INIT(256);
        json_print_canonical(d, json_root(d), &out);
        assert_string_equal(out.p, cases[i].canonical);
    }
}

static void the_canonical_form_shows_edits(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(SLICE("{\"b\":[1],\"a\":2}"), &d, NULL), RC_OK);
    json_remove(json_at(json_get(json_root(d), "b"), 0));
    AUTO(buf_done) struct buf out = BUF_INIT(256);
    json_print_canonical(d, json_root(d), &out);
    assert_string_equal(out.p, "{\"a\":2,\"b\":[]}");
}

static void a_node_inside_is_printed_alone(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(SLICE("{\"a\":[1, {\"b\" : [ 2 ]}],\"c\":3}"), &d, NULL), RC_OK);
    struct json *b = json_at(json_get(json_root(d), "a"), 1);
    AUTO(buf_done) struct buf out = BUF_INIT(256);
    json_print(b, &out);
    assert_string_equal(out.p, "{\"b\" : [ 2 ]}");
    json_remove(json_at(json_get(b, "b"), 0));
    buf_reset(&out);
    json_print(b, &out);
    assert_string_equal(out.p, "{\"b\" : [ ]}");
    buf_reset(&out);
    json_print_canonical(d, b, &out);
    assert_string_equal(out.p, "{\"b\":[]}");
}

static void a_full_buffer_keeps_its_failure(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(SLICE("{\"a\":[1,2,3]}"), &d, NULL), RC_OK);
    AUTO(buf_done) struct buf out = BUF_INIT(5);
    json_print(json_root(d), &out);
    assert_int_equal(out.bad, RC_LIMIT);
    AUTO(buf_done) struct buf canonical = BUF_INIT(5);
    json_print_canonical(d, json_root(d), &canonical);
    assert_int_equal(canonical.bad, RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_printed_with_the_fewest_escapes),
        cmocka_unit_test(the_canonical_form_does_not_depend_on_order_spacing_or_escapes),
        cmocka_unit_test(the_canonical_form_shows_edits),
        cmocka_unit_test(a_node_inside_is_printed_alone),
        cmocka_unit_test(a_full_buffer_keeps_its_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

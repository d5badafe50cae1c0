/* core/json_read: names, strings, numbers, equality, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"

#include <stdio.h>

static struct json_doc *parse_ok(struct slice text)
{
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(text, &d, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return d;
}

static void a_member_is_found_by_its_decoded_name(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse_ok(SLICE("{\"a\":1,\"\\u0062\\n\":2,\"\":3,\"a\\u0000b\":4}"));
    struct json *root = json_root(d);
    assert_ptr_equal(json_get(root, "a"), root->first);
    assert_ptr_equal(json_get(root, "b\n"), root->first->next);
    assert_ptr_equal(json_get(root, ""), root->first->next->next);
    assert_ptr_equal(json_get_slice(root, SLICE("a\0b")), root->last);
    assert_null(json_get(root, "b"));
    assert_null(json_get(root->first, "a"));
    assert_null(json_get(NULL, "a"));
}

static void of_a_repeated_member_the_last_is_found(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse_ok(SLICE("{\"a\":1,\"b\":0,\"\\u0061\":2,\"c\":3}"));
    int64_t v = 0;
    assert_true(json_int(json_get(json_root(d), "a"), &v));
    assert_int_equal(v, 2);
    assert_ptr_equal(json_repeated(json_root(d)), json_get(json_root(d), "a"));
    json_remove(json_root(d)->first);
    assert_null(json_repeated(json_root(d)));
    assert_null(json_repeated(NULL));
}

static void digging_follows_names_and_stops_where_one_is_absent(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse_ok(SLICE("{\"metadata\":{\"labels\":{\"x\":\"y\"},\"n\":1}}"));
    struct json *root = json_root(d);
    assert_true(
        slice_eq(json_text(d, json_dig(root, "metadata", "labels", "x", NULL)), SLICE("y")));
    assert_null(json_dig(root, "metadata", "n", "x", NULL));
    assert_null(json_dig(root, "spec", "labels", NULL));
    assert_null(json_dig(NULL, "a", NULL));
}

static void elements_are_found_by_index(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("[10,20]"));
    assert_ptr_equal(json_at(json_root(d), 0), json_root(d)->first);
    assert_ptr_equal(json_at(json_root(d), 1), json_root(d)->last);
    assert_null(json_at(json_root(d), 2));
    assert_null(json_at(json_root(d)->first, 0));
    assert_null(json_at(NULL, 0));
}

static void strings_are_decoded(void **state)
{
    (void)state;
    static const struct {
        struct slice raw, text;
    } cases[] = {
        {SLICE("\"\""), SLICE("")},
        {SLICE("\"plain\""), SLICE("plain")},
        {SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SLICE("\"\\/\b\f\n\r\t")},
        {SLICE("\"a\\u0000b\""), SLICE("a\0b")},
        {SLICE("\"\\u00e9\\u00E9\\u20ac\""), SLICE("\xc3\xa9\xc3\xa9\xe2\x82\xac")},
        {SLICE("\"\\ud83d\\ude00\""), SLICE("\xf0\x9f\x98\x80")},
        {SLICE("\"\\udbff\\udfff\""), SLICE("\xf4\x8f\xbf\xbf")},
        {SLICE("\"\\ud800\""), SLICE("\xef\xbf\xbd")},
        {SLICE("\"\\udc00\\ud800x\""), SLICE("\xef\xbf\xbd\xef\xbf\xbdx")},
        {SLICE("\"\\ud800\\u0041\""), SLICE("\xef\xbf\xbd"
                                            "A")},
        {SLICE("\"\\ud800\\n\""), SLICE("\xef\xbf\xbd\n")},
        {SLICE("\"\\ud83d\\ud83d\\ude00\""), SLICE("\xef\xbf\xbd\xf0\x9f\x98\x80")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(json_freep) struct json_doc *d = parse_ok(cases[i].raw);
        struct slice first = json_text(d, json_root(d));
        if (!slice_eq(first, cases[i].text))
            fail_msg("%s", cases[i].raw.p);
        assert_ptr_equal(json_text(d, json_root(d)).p, first.p);
    }
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"n\\u0061me\":\"v\",\"o\":1}"));
    assert_true(slice_eq(json_name(d, json_root(d)->first), SLICE("name")));
    assert_true(slice_eq(json_get_text(d, json_root(d), "name"), SLICE("v")));
    assert_int_equal(json_get_text(d, json_root(d), "o").n, 0);
    assert_int_equal(json_get_text(d, json_root(d), "none").n, 0);
    assert_int_equal(json_text(d, NULL).n, 0);
    assert_int_equal(json_name(d, json_root(d)).n, 0);
    assert_int_equal(json_name(d, NULL).n, 0);
}

static void integers_are_read_if_they_are_spelled_so_and_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"42", true, 42},
        {"-42", true, -42},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"99999999999999999999999", false, 0},
        {"\"1\"", false, 0},
        {"null", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(json_freep) struct json_doc *d = parse_ok(slice_str(cases[i].text));
        int64_t v = 77;
        assert_int_equal(json_int(json_root(d), &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].v : 77));
    }
    int64_t v = 0;
    assert_false(json_int(NULL, &v));
}

static void equality_is_of_values_not_of_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1e2", "100", true},
        {"100", "1E+2", true},
        {"0.001", "1e-3", true},
        {"12.50", "125e-1", true},
        {"0", "-0", true},
        {"0.0", "0e99999999999999999999", true},
        {"1e400", "10e399", true},
        {"1e99999999999999999999", "1e99999999999999999999", true},
        {"1e99999999999999999999", "1e99999999999999999998", false},
        {"1e00000000000000000000002", "100", true},
        {"0.5", "5", false},
        {"0.05", "0.5", false},
        {"10.01", "1001e-2", true},
        {"9007199254740993", "9007199254740992", false},
        {"1", "-1", false},
        {"1", "10", false},
        {"101", "11", false},
        {"1.01", "1.10", false},
        {"1", "true", false},
        {"true", "false", false},
        {"null", "null", true},
        {"null", "0", false},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"/\"", "\"\\/\"", true},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"", true},
        {"\"a\"", "\"b\"", false},
        {"\"\\n\"", "\"\\n\\n\"", false},
        {"\"1\"", "1", false},
        {"\"\\ud800\"", "\"\\ud801\"", false},
        {"\"\\uD800\"", "\"\\ud800\"", true},
        {"\"\\ud800\"", "\"\xef\xbf\xbd\"", false},
        {"[]", "[ ]", true},
        {"[]", "{}", false},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"[1,2]", "[1]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2.0 , \"a\":1}", true},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{\"a\":9,\"a\":1}", "{\"a\":1}", true},
        {"{\"a\":1,\"a\":9}", "{\"a\":1}", false},
        {"{\"\\u0061\":1}", "{\"a\":1}", true},
        {"{\"a\":[{\"x\":[]},2]}", "{\"a\":[{\"x\":[]},2]}", true},
        {"{\"a\":[{\"x\":[]},2]}", "{\"a\":[{\"x\":[0]},2]}", false},
        {"[[1],[2]]", "[[1],[3]]", false},
        {"{\"c\":1,\"a\":{\"z\":1,\"y\":2},\"b\":3}", "{\"b\":3,\"c\":1,\"a\":{\"y\":2,\"z\":1}}",
         true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(json_freep) struct json_doc *a = parse_ok(slice_str(cases[i].a));
        AUTO(json_freep) struct json_doc *b = parse_ok(slice_str(cases[i].b));
        if (json_equal(json_root(a), json_root(b)) != cases[i].equal ||
            json_equal(json_root(b), json_root(a)) != cases[i].equal)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        assert_true(json_equal(json_root(a), json_root(a)));
    }
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("1"));
    assert_true(json_equal(NULL, NULL));
    assert_false(json_equal(NULL, json_root(d)));
    assert_false(json_equal(json_root(d), NULL));
}

static void a_subtree_is_compared_without_its_surroundings(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d =
        parse_ok(SLICE("{\"a\":{\"x\":[1]},\"b\":{\"x\":[1]},\"c\":[{\"x\":[1]},2]}"));
    struct json *root = json_root(d);
    assert_true(json_equal(json_get(root, "a"), json_get(root, "b")));
    assert_true(json_equal(json_get(root, "a"), json_at(json_get(root, "c"), 0)));
    assert_false(json_equal(root, json_get(root, "a")));
}

static void many_members_in_any_order_are_compared_quickly_enough(void **state)
{
    (void)state;
    enum { N = 20000 };
    AUTO(buf_done) struct buf up = BUF_INIT(JSON_TEXT_MAX);
    AUTO(buf_done) struct buf down = BUF_INIT(JSON_TEXT_MAX);
    for (unsigned i = 0; i < N; i++) {
        buf_addf(&up, "%c\"k%u\":%u", i ? ',' : '{', i, i);
        buf_addf(&down, "%c\"k%u\":%u", i ? ',' : '{', N - 1 - i, N - 1 - i);
    }
    buf_add_char(&up, '}');
    buf_add_char(&down, '}');
    AUTO(json_freep) struct json_doc *a = parse_ok(buf_slice(&up));
    AUTO(json_freep) struct json_doc *b = parse_ok(buf_slice(&down));
    assert_true(json_equal(json_root(a), json_root(b)));
    json_remove(json_root(a)->last);
    assert_false(json_equal(json_root(a), json_root(b)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_by_its_decoded_name),
        cmocka_unit_test(of_a_repeated_member_the_last_is_found),
        cmocka_unit_test(digging_follows_names_and_stops_where_one_is_absent),
        cmocka_unit_test(elements_are_found_by_index),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(integers_are_read_if_they_are_spelled_so_and_fit),
        cmocka_unit_test(equality_is_of_values_not_of_spelling),
        cmocka_unit_test(a_subtree_is_compared_without_its_surroundings),
        cmocka_unit_test(many_members_in_any_order_are_compared_quickly_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/json_edit: each edit changes what it names and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"

static struct json_doc *parse_ok(struct slice text)
{
    struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(text, &d, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return d;
}

static struct json *value_ok(struct json_doc *d, const char *text)
{
    struct json *v = NULL;
    assert_int_equal(json_value(d, slice_str(text), &v, NULL), RC_OK);
    return v;
}

static void set_ok(struct json_doc *d, struct json *obj, const char *name, struct json *v)
{
    assert_int_equal(json_set(d, obj, slice_str(name), v, NULL), RC_OK);
}

static void assert_text(const struct json_doc *d, const char *expected)
{
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    json_print(json_root(d), &out);
    assert_string_equal(out.p, expected);
}

static void a_new_member_stands_at_the_end(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{ \"a\": 1 }"));
    set_ok(d, json_root(d), "b", value_ok(d, " [ 2 ] "));
    assert_text(d, "{ \"a\": 1,\"b\":[ 2 ] }");
    set_ok(d, json_root(d), "c\n\"", value_ok(d, "null"));
    assert_text(d, "{ \"a\": 1,\"b\":[ 2 ],\"c\\n\\\"\":null }");
    assert_true(json_is(json_get(json_root(d), "c\n\""), JSON_NULL));
    AUTO(json_freep) struct json_doc *empty = parse_ok(SLICE("{\n}"));
    set_ok(empty, json_root(empty), "", value_ok(empty, "0"));
    assert_text(empty, "{\"\":0\n}");
}

static void a_set_member_keeps_the_first_place_and_the_spelling_of_its_name(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse_ok(SLICE("{\"x\":0, \"\\u0061\" : 1 ,\"b\":2,\"a\":3 , \"c\":4}"));
    set_ok(d, json_root(d), "a", value_ok(d, "9"));
    assert_text(d, "{\"x\":0, \"\\u0061\" : 9 ,\"b\":2 , \"c\":4}");
    assert_int_equal(json_root(d)->count, 4);
}

static void cutting_removes_every_member_of_the_name(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\":1, \"b\":2, \"\\u0061\":3}"));
    assert_true(json_cut(json_root(d), "a"));
    assert_text(d, "{ \"b\":2}");
    assert_false(json_cut(json_root(d), "a"));
    assert_true(json_cut(json_root(d), "b"));
    assert_text(d, "{}");
    assert_false(json_cut(NULL, "a"));
    AUTO(json_freep) struct json_doc *array = parse_ok(SLICE("[1]"));
    assert_false(json_cut(json_root(array), "a"));
}

static void cutting_nothing_leaves_the_bytes_alone(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\" :1 }"));
    assert_false(json_cut(json_root(d), "zz"));
    assert_false(json_root(d)->edited);
    assert_text(d, "{\"a\" :1 }");
}

static void elements_are_inserted_where_told(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("[ 1 , 2 ]"));
    json_insert(json_root(d), 0, value_ok(d, "0"));
    assert_text(d, "[0, 1 , 2 ]");
    json_insert(json_root(d), 3, value_ok(d, "3"));
    json_insert(json_root(d), 2, value_ok(d, "1.5"));
    assert_text(d, "[0, 1,1.5 , 2,3 ]");
    assert_int_equal(json_root(d)->count, 5);
}

static void replacing_keeps_place_and_name(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\" : [1, 2 ,3] , \"b\":{}}"));
    json_replace(json_at(json_get(json_root(d), "a"), 1), value_ok(d, "{\"n\":1}"));
    assert_text(d, "{\"a\" : [1, {\"n\":1} ,3] , \"b\":{}}");
    json_replace(json_get(json_root(d), "a"), value_ok(d, "true"));
    assert_text(d, "{\"a\" : true , \"b\":{}}");
    json_replace(json_get(json_root(d), "b"), value_ok(d, "1.0"));
    assert_text(d, "{\"a\" : true , \"b\":1.0}");
}

static void a_removed_node_can_be_put_in_elsewhere(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse_ok(SLICE("{\"a\":[ 1.0 , 2 ],\"b\":{\"\\u0078\":1e400}}"));
    struct json *one = json_at(json_get(json_root(d), "a"), 0);
    struct json *x = json_dig(json_root(d), "b", "x", NULL);
    json_remove(one);
    json_remove(x);
    json_remove(x);
    json_remove(NULL);
    set_ok(d, json_get(json_root(d), "b"), "one", one);
    json_insert(json_get(json_root(d), "a"), 1, x);
    assert_text(d, "{\"a\":[ 2,1e400 ],\"b\":{\"one\":1.0}}");
}

static void edits_inside_a_new_value_are_printed(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"z\": [ ]}"));
    struct json *v = value_ok(d, "{\"a\":[]}");
    json_insert(json_get(v, "a"), 0, value_ok(d, "7"));
    set_ok(d, json_root(d), "v", v);
    json_insert(json_get(v, "a"), 1, value_ok(d, "8"));
    assert_text(d, "{\"z\": [ ],\"v\":{\"a\":[7,8]}}");
}

static void an_edit_does_not_touch_the_other_branches(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d =
        parse_ok(SLICE("{\"a\":{ \"x\":1 },\"b\":{ \"y\":{\"q\" :1}, \"z\" : 2}}"));
    json_replace(json_dig(json_root(d), "b", "y", "q", NULL), value_ok(d, "2"));
    assert_true(json_root(d)->edited);
    assert_false(json_get(json_root(d), "a")->edited);
    assert_false(json_dig(json_root(d), "b", "z", NULL)->edited);
    assert_text(d, "{\"a\":{ \"x\":1 },\"b\":{ \"y\":{\"q\" :2}, \"z\" : 2}}");
}

static void text_becomes_a_string_value(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("[]"));
    struct json *v = NULL;
    assert_int_equal(json_value_text(d, SLICE("a\"\\\n\x01\xff\xc3\xa9"), &v, NULL), RC_OK);
    json_insert(json_root(d), 0, v);
    assert_text(d, "[\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"]");
    assert_true(slice_eq(json_text(d, v), SLICE("a\"\\\n\x01\xef\xbf\xbd\xc3\xa9")));
    assert_int_equal(json_value_text(d, SLICE_NULL, &v, NULL), RC_OK);
    assert_int_equal(json_text(d, v).n, 0);
}

static void a_copy_is_independent_of_what_it_was_made_of(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{}"));
    struct json_doc *other = parse_ok(SLICE("{\"a\":{ \"b\":1.0 },\"c\":[1]}"));
    struct json *plain = NULL, *edited = NULL;
    assert_int_equal(json_value_copy(d, json_get(json_root(other), "a"), &plain, NULL), RC_OK);
    json_insert(json_get(json_root(other), "c"), 0, value_ok(other, "0"));
    assert_int_equal(json_value_copy(d, json_root(other), &edited, NULL), RC_OK);
    json_free(other);
    set_ok(d, json_root(d), "p", plain);
    set_ok(d, json_root(d), "e", edited);
    assert_text(d, "{\"p\":{ \"b\":1.0 },\"e\":{\"a\":{ \"b\":1.0 },\"c\":[0,1]}}");
}

static void the_root_can_be_replaced(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\":1}"));
    struct json *old = json_root(d);
    struct json *v = value_ok(d, "[ ]");
    json_set_root(d, v);
    json_insert(v, 0, old);
    assert_text(d, "[{\"a\":1} ]");
}

static void a_bad_value_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("{\"a\":1}"));
    struct json *v = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_value(d, SLICE("[1"), &v, &e), RC_INVALID);
    assert_int_equal(json_value(d, SLICE_NULL, &v, &e), RC_INVALID);
    assert_null(v);
    assert_text(d, "{\"a\":1}");
}

static void a_value_that_has_grown_too_deep_is_printed_but_not_copied(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = parse_ok(SLICE("[]"));
    enum { HALF = JSON_DEPTH_MAX / 2 + 8 };
    AUTO(buf_done) struct buf deep = BUF_INIT(1 << 16);
    for (int i = 0; i < HALF; i++)
        buf_add_char(&deep, '[');
    for (int i = 0; i < HALF; i++)
        buf_add_char(&deep, ']');
    struct json *inner = json_root(d);
    for (int i = 0; i < 2; i++) {
        struct json *v = value_ok(d, deep.p);
        json_insert(inner, 0, v);
        for (inner = v; inner->first; inner = inner->first)
            continue;
    }
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    json_print(json_root(d), &out);
    assert_int_equal(out.n, 4 * HALF + 2);
    struct json *copy = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_value_copy(d, json_root(d), &copy, &e), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_member_stands_at_the_end),
        cmocka_unit_test(a_set_member_keeps_the_first_place_and_the_spelling_of_its_name),
        cmocka_unit_test(cutting_removes_every_member_of_the_name),
        cmocka_unit_test(cutting_nothing_leaves_the_bytes_alone),
        cmocka_unit_test(elements_are_inserted_where_told),
        cmocka_unit_test(replacing_keeps_place_and_name),
        cmocka_unit_test(a_removed_node_can_be_put_in_elsewhere),
        cmocka_unit_test(edits_inside_a_new_value_are_printed),
        cmocka_unit_test(an_edit_does_not_touch_the_other_branches),
        cmocka_unit_test(text_becomes_a_string_value),
        cmocka_unit_test(a_copy_is_independent_of_what_it_was_made_of),
        cmocka_unit_test(the_root_can_be_replaced),
        cmocka_unit_test(a_bad_value_is_refused_and_changes_nothing),
        cmocka_unit_test(a_value_that_has_grown_too_deep_is_printed_but_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

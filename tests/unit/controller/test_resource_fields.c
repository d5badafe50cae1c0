/* controller/resource_fields: the walk over a table, with tables of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/problem_list.h"
#include "controller/resource_fields.h"
#include "core/buf.h"
#include "core/json.h"

static const char *const colours[] = {"red", "green", NULL};
static const struct field text = {.name = "", .type = FIELD_STRING};
static const struct field hidden = {.name = "", .type = FIELD_STRING, .flags = FIELD_SECRET};
static const struct field inner[] = {
    {.name = "need", .type = FIELD_STRING, .flags = FIELD_REQUIRED},
    {.name = NULL},
};
static const struct field table[] = {
    {.name = "any", .type = FIELD_ANY},
    {.name = "text", .type = FIELD_STRING},
    {.name = "colour", .type = FIELD_STRING, .choices = colours},
    {.name = "flag", .type = FIELD_BOOL},
    {.name = "count", .type = FIELD_INT, .least = -1, .most = 9},
    {.name = "wait", .type = FIELD_DURATION},
    {.name = "object", .type = FIELD_OBJECT, .of = inner},
    {.name = "map", .type = FIELD_MAP, .of = &text},
    {.name = "hidden", .type = FIELD_MAP, .of = &hidden},
    {.name = "list", .type = FIELD_LIST, .of = &text},
    {.name = "full", .type = FIELD_LIST, .flags = FIELD_REQUIRED},
    {.name = "later", .type = FIELD_ANY, .flags = FIELD_LATER},
    {.name = "old", .type = FIELD_MOVED, .instead = "it in object"},
    {.name = NULL},
};

static const struct field variants[] = {
    {.name = "red", .type = FIELD_OBJECT, .of = inner},
    {.name = "green", .type = FIELD_OBJECT, .of = table},
    {.name = NULL},
};
static const struct field varied[] = {
    {.name = "colour", .type = FIELD_STRING, .choices = colours},
    {.name = "config",
     .type = FIELD_VARIANT,
     .flags = FIELD_REQUIRED,
     .of = variants,
     .instead = "colour"},
    {.name = NULL},
};

static void expect_by(const struct field *fields, const char *json, const char *expected)
{
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    struct err e = ERR_INIT;
    assert_int_equal(json_parse(slice_str(json), &d, &e), RC_OK);
    struct origin o = {.problems = l, .file = "f", .doc = d};
    bool ok = fields_check(&o, json_root(d), fields);
    assert_int_equal(ok, problem_list_errors(l) == 0);
    assert_int_equal(problem_list_finish(l, &e), RC_OK);
    const struct problem *p;
    for (size_t i = 0; (p = problem_list_get(l, i)) != NULL; i++)
        buf_addf(&out, "%s: %s\n", p->path, p->text);
    assert_string_equal(out.p ? out.p : "", expected);
}

static void expect(const char *json, const char *expected)
{
    expect_by(table, json, expected);
}

static void what_the_table_allows_is_accepted_and_null_is_absent(void **state)
{
    (void)state;
    expect("{\"any\":[{}],\"text\":\"\",\"colour\":\"red\",\"flag\":false,\"count\":9,\"wait\":"
           "\"1h\",\"object\":{\"need\":\"x\"},\"map\":{\"a\":\"b\"},\"list\":[],\"full\":[1]}",
           "");
    expect("{\"any\":null,\"text\":null,\"colour\":null,\"flag\":null,\"count\":null,\"wait\":null,"
           "\"object\":null,\"map\":null,\"list\":null,\"full\":[null],\"later\":null}",
           "");
}

static void what_is_required_must_be_there_and_hold_something(void **state)
{
    (void)state;
    expect("{}", ": the field \"full\" is missing: a list is needed\n");
    expect("{\"full\":null}", ": the field \"full\" is missing: a list is needed\n");
    expect("{\"full\":[],\"object\":{}}",
           "full: must not be empty\n"
           "object: the field \"need\" is missing: a string is needed\n");
    expect("{\"full\":[1],\"object\":{\"need\":\"\"}}", "object.need: must not be empty\n");
}

static void a_wrong_type_says_what_was_found(void **state)
{
    (void)state;
    expect("{\"full\":{},\"text\":true,\"flag\":\"true\",\"count\":1.0,\"wait\":5,\"object\":[],"
           "\"map\":{\"a\":null},\"list\":[\"a\",{}],\"colour\":1}",
           "full: must be a list, found a mapping: begin every item with \"- \"\n"
           "text: must be a string, found the boolean true: put it in quotes\n"
           "flag: must be true or false, found the string \"true\": write it without quotes\n"
           "count: must be an integer of -1 to 9, found the number 1.0\n"
           "wait: must be a duration like 1h0m0s, 90m or 30s, found the number 5\n"
           "object: must be a mapping, found a list\n"
           "map.a: must be a string, found nothing\n"
           "list[1]: must be a string, found a mapping\n"
           "colour: must be one of red, green, found the number 1\n");
}

static void integers_are_held_to_their_range(void **state)
{
    (void)state;
    expect("{\"full\":[1],\"count\":-1}", "");
    expect("{\"full\":[1],\"count\":10}",
           "count: must be an integer of -1 to 9, found the number 10\n");
    expect("{\"full\":[1],\"count\":-2}",
           "count: must be an integer of -1 to 9, found the number -2\n");
    expect("{\"full\":[1],\"count\":99999999999999999999}",
           "count: must be an integer of -1 to 9, found the number 99999999999999999999\n");
}

static void the_value_of_a_secret_is_never_shown(void **state)
{
    (void)state;
    expect("{\"full\":[1],\"hidden\":{\"a\":12345,\"b\":true}}",
           "hidden.a: must be a string, found a number: put it in quotes\n"
           "hidden.b: must be a string, found a boolean: put it in quotes\n");
}

static void long_texts_are_shown_in_part(void **state)
{
    (void)state;
    expect(
        "{\"full\":[1],\"flag\":\"0123456789012345678901234567890123456789012345678901234567890123"
        "456789\"}",
        "flag: must be true or false, found the string "
        "\"0123456789012345678901234567890123456789012345678901234567890123\": write it without "
        "quotes\n");
}

static void unknown_fields_and_choices_name_the_nearest_and_the_allowed(void **state)
{
    (void)state;
    expect(
        "{\"full\":[1],\"colours\":1,\"x\":1,\"colour\":\"Red\"}",
        "colours: unknown field \"colours\"; did you mean \"colour\"? allowed: any, text, colour, "
        "flag, count, wait, object, map, hidden, list, full, later\n"
        "x: unknown field \"x\"; allowed: any, text, colour, flag, count, wait, object, map, "
        "hidden, list, full, later\n"
        "colour: \"Red\" is not allowed; did you mean \"red\"? allowed: red, green\n");
    expect("{\"full\":[1],\"old\":1}", "old: does not belong here; write it in object\n");
}

static void what_comes_later_is_told_where_it_asks_for_something(void **state)
{
    (void)state;
    static const char *const asks[] = {"true", "0", "\"\"", "{\"a\":[true]}", "[1]"};
    static const char *const nothing[] = {"false", "null", "{}", "[]", "{\"a\":{\"b\":[false]}}"};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        AUTO(buf_done) struct buf json = BUF_INIT(1024);
        buf_addf(&json, "{\"full\":[1],\"later\":%s}", asks[i]);
        expect(json.p, "later: accepted, not acted on yet\n");
    }
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        AUTO(buf_done) struct buf json = BUF_INIT(1024);
        buf_addf(&json, "{\"full\":[1],\"later\":%s}", nothing[i]);
        expect(json.p, "");
    }
}

static void durations_are_numbers_with_units(void **state)
{
    (void)state;
    static const char *const good[] = {"1h0m0s", "3h25m12s", "90m", "1.5h", "30s",
                                       "0h1s",   "999999h",  "0s",  "10ms"};
    static const char *const bad[] = {"",  "1",  "1d",          "-1h",   "1h 5m", "1H",
                                      "h", ".h", "9999999999h", "1..5h", "1h5",   "\xef\xbc\x91h"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!fields_is_duration(slice_str(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (fields_is_duration(slice_str(bad[i])))
            fail_msg("%s", bad[i]);
}

static void a_variant_is_checked_by_the_table_that_the_member_beside_it_names(void **state)
{
    (void)state;
    static const struct {
        const char *json, *expected;
    } cases[] = {
        {"{\"colour\":\"red\",\"config\":{\"need\":\"x\"}}", ""},
        {"{\"colour\":\"red\",\"config\":{\"full\":[1]}}",
         "config.full: unknown field \"full\"; allowed: need\n"
         "config: the field \"need\" is missing: a string is needed\n"},
        {"{\"config\":{\"full\":[1]},\"colour\":\"green\"}", ""},
        {"{\"colour\":\"blue\",\"config\":{\"x\":1}}",
         "colour: \"blue\" is not allowed; allowed: red, green\n"},
        {"{\"config\":{\"x\":1}}", ""},
        {"{\"colour\":\"red\",\"config\":[]}", "config: must be a mapping, found a list\n"},
        {"{\"colour\":\"red\"}", ": the field \"config\" is missing: a mapping is needed\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_by(varied, cases[i].json, cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_table_allows_is_accepted_and_null_is_absent),
        cmocka_unit_test(what_is_required_must_be_there_and_hold_something),
        cmocka_unit_test(a_wrong_type_says_what_was_found),
        cmocka_unit_test(integers_are_held_to_their_range),
        cmocka_unit_test(the_value_of_a_secret_is_never_shown),
        cmocka_unit_test(long_texts_are_shown_in_part),
        cmocka_unit_test(unknown_fields_and_choices_name_the_nearest_and_the_allowed),
        cmocka_unit_test(what_comes_later_is_told_where_it_asks_for_something),
        cmocka_unit_test(a_variant_is_checked_by_the_table_that_the_member_beside_it_names),
        cmocka_unit_test(durations_are_numbers_with_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

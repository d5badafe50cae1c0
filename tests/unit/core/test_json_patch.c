/* core/json_patch: each rule of RFC 6901 and RFC 6902 as rows of a table, one that works and one
 * that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"

#include <stdlib.h>

static const char pointers_of[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
    "\"k\\\"l\":6,\" \":7,\"m~n\":8,\"~1\":9,\"d\":{\"\":{\"\":10}},\"2\":{\"-\":11}}";

static void E75_pointers_name_what_rfc_6901_says(void **state)
{
    (void)state;
    static const struct {
        const char *pointer, *json; /* NULL: nothing there */
    } cases[] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/~01", "9"},
        {"/d//", "10"},
        {"/2/-", "11"},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/00", NULL},
        {"/foo/01", NULL},
        {"/foo/+1", NULL},
        {"/foo/1e0", NULL},
        {"/foo/", NULL},
        {"/foo/0/x", NULL},
        {"/fo", NULL},
        {"/fooo", NULL},
        {"/a/b", NULL},
        {"/m~n", NULL},
        {"/~1", NULL},
        {"foo", NULL},
        {"/x/y", NULL},
        {"/foo/18446744073709551616", NULL},
        {"/foo/0~", NULL},
    };
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(slice_str(pointers_of), &d, NULL), RC_OK);
    assert_ptr_equal(json_pointer_get(d, SLICE("")), json_root(d));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json *n = json_pointer_get(d, slice_str(cases[i].pointer));
        if (!n != !cases[i].json)
            fail_msg("%s", cases[i].pointer);
        if (n && !slice_eq(n->raw, slice_str(cases[i].json)))
            fail_msg("%s", cases[i].pointer);
    }
}

static void a_segment_is_escaped_so_that_it_is_found_again(void **state)
{
    (void)state;
    static const char *const names[] = {"plain", "", "a/b", "m~n", "~1", "~0/~"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO(buf_done) struct buf text = BUF_INIT(200), pointer = BUF_INIT(200);
        AUTO(json_freep) struct json_doc *d = NULL;
        buf_addf(&text, "{\"x\":{\"%s\":1}}", names[i]);
        json_pointer_add(&pointer, SLICE("x"));
        json_pointer_add(&pointer, slice_str(names[i]));
        assert_int_equal(json_parse(buf_slice(&text), &d, NULL), RC_OK);
        struct json *n = json_pointer_get(d, buf_slice(&pointer));
        assert_true(n && slice_eq(n->raw, SLICE("1")));
    }
}

static void E70_a_pointers_syntax_is_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"", "/", "/a", "//", "/~0~1", "/a/~01", "/\xc3\xa9"};
    static const char *const bad[] = {"a", "a/b", "/~", "/~2", "/a~/b", "~0", "#/a", " /a"};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(json_pointer_check(slice_str(good[i]), &e), RC_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(json_pointer_check(slice_str(bad[i]), &e), RC_INVALID);
}

#define ADD(path_, value_)                                                                         \
    {                                                                                              \
        JSON_PATCH_ADD, SLICE_(path_), SLICE_(""), SLICE_(value_)                                  \
    }
#define REPLACE(path_, value_)                                                                     \
    {                                                                                              \
        JSON_PATCH_REPLACE, SLICE_(path_), SLICE_(""), SLICE_(value_)                              \
    }
#define TEST(path_, value_)                                                                        \
    {                                                                                              \
        JSON_PATCH_TEST, SLICE_(path_), SLICE_(""), SLICE_(value_)                                 \
    }
#define REMOVE(path_)                                                                              \
    {                                                                                              \
        JSON_PATCH_REMOVE, SLICE_(path_), SLICE_(""), SLICE_("")                                   \
    }
#define MOVE(from_, path_)                                                                         \
    {                                                                                              \
        JSON_PATCH_MOVE, SLICE_(path_), SLICE_(from_), SLICE_("")                                  \
    }
#define COPY(from_, path_)                                                                         \
    {                                                                                              \
        JSON_PATCH_COPY, SLICE_(path_), SLICE_(from_), SLICE_("")                                  \
    }
#define SLICE_(literal)                                                                            \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct patch_case {
    const char *rule, *before;
    struct json_patch_op ops[3];
    size_t n;
    const char *after;   /* NULL: it fails */
    const char *message; /* a part of the error's text */
} patches[] = {
    {"add: a new member",
     "{\"a\":1}",
     {ADD("/b", "{\"c\":1.0}")},
     1,
     "{\"a\":1,\"b\":{\"c\":1.0}}",
     NULL},
    {"add: an existing member is replaced",
     "{\"a\":1,\"b\":2}",
     {ADD("/a", "[]")},
     1,
     "{\"a\":[],\"b\":2}",
     NULL},
    {"add: every member of a repeated name is replaced",
     "{\"a\":1,\"b\":2,\"a\":3}",
     {ADD("/a", "0")},
     1,
     "{\"a\":0,\"b\":2}",
     NULL},
    {"add: before an element",
     "[\"a\",\"c\"]",
     {ADD("/1", "\"b\"")},
     1,
     "[\"a\",\"b\",\"c\"]",
     NULL},
    {"add: at the index that is the length", "[1]", {ADD("/1", "2")}, 1, "[1,2]", NULL},
    {"add: \"-\" is the end", "{\"a\":[1]}", {ADD("/a/-", "[2]")}, 1, "{\"a\":[1,[2]]}", NULL},
    {"add: beyond the end", "[1]", {ADD("/2", "2")}, 1, NULL, "beyond the array's end"},
    {"add: index with a leading zero", "[1,2]", {ADD("/01", "2")}, 1, NULL, "leading zero"},
    {"add: negative index", "[1,2]", {ADD("/-1", "2")}, 1, NULL, "array index"},
    {"add: index that is a word", "[1,2]", {ADD("/x", "2")}, 1, NULL, "array index"},
    {"add: the whole document", "{\"a\":1}", {ADD("", "[1]")}, 1, "[1]", NULL},
    {"add: the parent must be there", "{\"a\":1}", {ADD("/b/c", "1")}, 1, NULL, "is not there"},
    {"add: the parent must hold values",
     "{\"a\":1}",
     {ADD("/a/c", "1")},
     1,
     NULL,
     "neither object nor array"},
    {"add: the last segment is unescaped", "{}", {ADD("/a~1b~0", "1")}, 1, "{\"a/b~\":1}", NULL},
    {"add: an empty name", "{}", {ADD("/", "1")}, 1, "{\"\":1}", NULL},
    {"add: null is a value", "{}", {ADD("/a", "null")}, 1, "{\"a\":null}", NULL},
    {"add: the value must be JSON",
     "{}",
     {ADD("/a", "{x}")},
     1,
     NULL,
     "operation 1 (add \"/a\"): value: byte 1"},
    {"add: the path must be a pointer", "{}", {ADD("a", "1")}, 1, NULL, "does not begin with '/'"},
    {"remove: a member", "{\"a\":1, \"b\":2}", {REMOVE("/a")}, 1, "{ \"b\":2}", NULL},
    {"remove: every member of a repeated name",
     "{\"a\":1,\"b\":2,\"a\":3}",
     {REMOVE("/a")},
     1,
     "{\"b\":2}",
     NULL},
    {"remove: an element", "[1,2,3]", {REMOVE("/1")}, 1, "[1,3]", NULL},
    {"remove: what is absent",
     "{\"a\":1}",
     {REMOVE("/b")},
     1,
     NULL,
     "operation 1 (remove \"/b\"): there is nothing"},
    {"remove: \"-\" is never there", "[1]", {REMOVE("/-")}, 1, NULL, "array index"},
    {"remove: the root", "{\"a\":1}", {REMOVE("")}, 1, NULL, "whole document"},
    {"replace: a member",
     "{\"a\" : 1 ,\"b\":2}",
     {REPLACE("/a", "true")},
     1,
     "{\"a\" : true ,\"b\":2}",
     NULL},
    {"replace: an element", "[1, 2, 3]", {REPLACE("/1", "{}")}, 1, "[1, {}, 3]", NULL},
    {"replace: the root", "[1]", {REPLACE("", "{}")}, 1, "{}", NULL},
    {"replace: every member of a repeated name",
     "{\"a\":1,\"a\":2}",
     {REPLACE("/a", "3")},
     1,
     "{\"a\":3}",
     NULL},
    {"replace: what is absent",
     "{}",
     {REPLACE("/a", "1")},
     1,
     NULL,
     "there is nothing at the path"},
    {"replace: an element that is absent",
     "[]",
     {REPLACE("/0", "1")},
     1,
     NULL,
     "there is nothing at the path"},
    {"replace: the value must be JSON", "[1]", {REPLACE("/0", "")}, 1, NULL, "value: byte 0"},
    {"move: a member",
     "{\"a\":{\"x\":1.0},\"b\":{}}",
     {MOVE("/a/x", "/b/y")},
     1,
     "{\"a\":{},\"b\":{\"y\":1.0}}",
     NULL},
    {"move: an element, the index counts after the removal",
     "[1,2,3]",
     {MOVE("/0", "/2")},
     1,
     "[2,3,1]",
     NULL},
    {"move: to the end", "[1,2,3]", {MOVE("/0", "/-")}, 1, "[2,3,1]", NULL},
    {"move: beyond the end after the removal",
     "[1,2]",
     {MOVE("/0", "/2")},
     1,
     NULL,
     "beyond the array's end"},
    {"move: through an index that shifts",
     "[0,1,{}]",
     {MOVE("/0", "/1/a")},
     1,
     "[1,{\"a\":0}]",
     NULL},
    {"move: onto itself", "{\"a\":1}", {MOVE("/a", "/a")}, 1, "{\"a\":1}", NULL},
    {"move: over another member", "{\"a\":1,\"b\":2}", {MOVE("/a", "/b")}, 1, "{\"b\":1}", NULL},
    {"move: to a name that begins alike", "{\"a\":1}", {MOVE("/a", "/ab")}, 1, "{\"ab\":1}", NULL},
    {"move: to the root", "{\"a\":[1]}", {MOVE("/a", "")}, 1, "[1]", NULL},
    {"move: into itself", "{\"a\":{}}", {MOVE("/a", "/a/b")}, 1, NULL, "into itself"},
    {"move: the root into itself", "{\"a\":{}}", {MOVE("", "/a")}, 1, NULL, "into itself"},
    {"move: from what is absent", "{}", {MOVE("/a", "/b")}, 1, NULL, "from: there is nothing"},
    {"copy: a member",
     "{\"a\":{\"x\" :1}}",
     {COPY("/a", "/b")},
     1,
     "{\"a\":{\"x\" :1},\"b\":{\"x\" :1}}",
     NULL},
    {"copy: into itself", "{\"a\":{}}", {COPY("/a", "/a/b")}, 1, "{\"a\":{\"b\":{}}}", NULL},
    {"copy: the copy is independent",
     "{\"a\":[]}",
     {COPY("/a", "/b"), ADD("/b/-", "1")},
     2,
     "{\"a\":[],\"b\":[1]}",
     NULL},
    {"copy: from what is absent", "[]", {COPY("/0", "/-")}, 1, NULL, "from: there is nothing"},
    {"copy: to a parent that is absent", "[1]", {COPY("/0", "/7/x")}, 1, NULL, "is not there"},
    {"test: strings by characters",
     "{\"a\":\"\\u0061\"}",
     {TEST("/a", "\"a\"")},
     1,
     "{\"a\":\"\\u0061\"}",
     NULL},
    {"test: numbers by value", "[1.0]", {TEST("/0", "1")}, 1, "[1.0]", NULL},
    {"test: objects in any order",
     "{\"a\":1,\"b\":[null]}",
     {TEST("", "{\"b\":[null],\"a\":1}")},
     1,
     "{\"a\":1,\"b\":[null]}",
     NULL},
    {"test: a literal", "[true]", {TEST("/0", "true")}, 1, "[true]", NULL},
    {"test: arrays in order", "[[1,2]]", {TEST("/0", "[2,1]")}, 1, NULL, "another one"},
    {"test: another type", "[\"1\"]", {TEST("/0", "1")}, 1, NULL, "another one"},
    {"test: what is absent", "{}", {TEST("/a", "null")}, 1, NULL, "there is nothing"},
    {"test: escapes of the pointer",
     "{\"/\":9,\"~1\":10}",
     {TEST("/~01", "10")},
     1,
     "{\"/\":9,\"~1\":10}",
     NULL},
    {"test: the value must be JSON", "[1]", {TEST("/0", "x")}, 1, NULL, "value: byte 0"},
    {"operations run in order",
     "{}",
     {ADD("/a", "[]"), ADD("/a/0", "1"), REMOVE("/a/0")},
     3,
     "{\"a\":[]}",
     NULL},
    {"the first that fails ends it",
     "{}",
     {ADD("/a", "1"), TEST("/a", "2"), ADD("/b", "1")},
     3,
     NULL,
     "operation 2 (test \"/a\")"},
    {"no operations", "{\"a\" : 1}", {REMOVE("/a")}, 0, "{\"a\" : 1}", NULL},
    {"a path through a scalar",
     "{\"a\":{\"b\":1}}",
     {REMOVE("/a/b/c")},
     1,
     NULL,
     "neither object nor array"},
};

static void run_patch(const struct patch_case *c)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(slice_str(c->before), &d, NULL), RC_OK);
    struct err e = ERR_INIT;
    enum rc rc = json_patch_apply(d, c->ops, c->n, /* skip_missing= */ false, &e);
    if ((rc == RC_OK) != (c->after != NULL))
        fail_msg("%s: %s", c->rule, rc == RC_OK ? "it worked" : e.msg);
    if (rc != RC_OK) {
        assert_int_equal(rc, RC_INVALID);
        assert_int_equal(e.retry, ERR_FINAL);
        if (!strstr(e.msg, c->message))
            fail_msg("%s: %s", c->rule, e.msg);
        return;
    }
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    json_print(json_root(d), &out);
    if (!slice_eq(buf_slice(&out), slice_str(c->after)))
        fail_msg("%s: %s", c->rule, out.p);
}

static void E71_every_operation_does_what_rfc_6902_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++)
        run_patch(&patches[i]);
}

static void E72_removing_what_is_absent_can_be_skipped(void **state)
{
    (void)state;
    static const struct json_patch_op ops[] = {REMOVE("/a"), REMOVE("/x/y/z"), REMOVE("/l/7"),
                                               REMOVE("/l/-"), REMOVE("/l/0")};
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(SLICE("{\"b\":1,\"l\":[1,2]}"), &d, NULL), RC_OK);
    struct err e = ERR_INIT;
    assert_int_equal(json_patch_apply(d, ops, 5, /* skip_missing= */ true, &e), RC_OK);
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    json_print(json_root(d), &out);
    assert_string_equal(out.p, "{\"b\":1,\"l\":[2]}");
}

static void skipping_excuses_neither_other_operations_nor_bad_paths(void **state)
{
    (void)state;
    static const struct json_patch_op ops[] = {REPLACE("/a", "1"), TEST("/a", "1"),
                                               MOVE("/a", "/b"),   REMOVE("a"),
                                               REMOVE("/~2"),      REMOVE("")};
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        AUTO(json_freep) struct json_doc *d = NULL;
        assert_int_equal(json_parse(SLICE("{\"b\":1}"), &d, NULL), RC_OK);
        struct err e = ERR_INIT;
        assert_int_equal(json_patch_apply(d, &ops[i], 1, /* skip_missing= */ true, &e), RC_INVALID);
    }
}

static void E79_copies_of_copies_end_at_a_limit(void **state)
{
    (void)state;
    static const struct json_patch_op op = COPY("", "/-");
    AUTO(json_freep) struct json_doc *d = NULL;
    assert_int_equal(json_parse(SLICE("[\"0123456789abcdef\"]"), &d, NULL), RC_OK);
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    int rounds = 0;
    for (; rc == RC_OK && rounds < 64; rounds++)
        rc = json_patch_apply(d, &op, 1, false, &e);
    assert_int_equal(rc, RC_LIMIT);
    assert_in_range(rounds, 10, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(E75_pointers_name_what_rfc_6901_says),
        cmocka_unit_test(a_segment_is_escaped_so_that_it_is_found_again),
        cmocka_unit_test(E70_a_pointers_syntax_is_checked),
        cmocka_unit_test(E71_every_operation_does_what_rfc_6902_says),
        cmocka_unit_test(E72_removing_what_is_absent_can_be_skipped),
        cmocka_unit_test(skipping_excuses_neither_other_operations_nor_bad_paths),
        cmocka_unit_test(E79_copies_of_copies_end_at_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/yaml: documents, places, what is refused and in which words, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/yaml.h"

static void assert_documents(struct slice text, const char *const *expected, size_t n)
{
    AUTO(yaml_file_done) struct yaml_file f = {NULL, 0};
    struct err e = ERR_INIT;
    if (yaml_parse(text, "f.yaml", &f, &e) != RC_OK)
        fail_msg("%s for\n%.*s", e.msg, SLICE_ARG(text));
    assert_int_equal(f.n, n);
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
        json_print(json_root(f.docs[i]), &out);
        assert_string_equal(out.p, expected[i]);
    }
}

static void yaml_becomes_the_json_that_kubectl_makes_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"a: 1\nb:\n- x\n- k: z\n", "{\"a\":1,\"b\":[\"x\",{\"k\":\"z\"}]}"},
        {"- yes\n- 'yes'\n- \"yes\"\n- ~\n-\n- 0x1f\n- \"0x1f\"\n",
         "[true,\"yes\",\"yes\",null,null,31,\"0x1f\"]"},
        {"a: |\n  1\n  2\nb: >-\n  3\n  4\n", "{\"a\":\"1\\n2\\n\",\"b\":\"3 4\"}"},
        {"a: {b: [1, 2.50], \"c\": {}}", "{\"a\":{\"b\":[1,2.50],\"c\":{}}}"},
        {"a: []\nb: {}\nc: ''\n", "{\"a\":[],\"b\":{},\"c\":\"\"}"},
        {"1: a\ny: b\n0x10: c\n'null': d\noff: e\n\"1.0\": f\n",
         "{\"1\":\"a\",\"true\":\"b\",\"16\":\"c\",\"null\":\"d\",\"false\":\"e\",\"1.0\":\"f\"}"},
        {"a: \"\\x41\\u00e9\\0\\n\"", "{\"a\":\"A\xc3\xa9\\u0000\\n\"}"},
        {"a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !!bool 'no'\ne: !!null ''\nf: !!map {}\ng: "
         "!!seq []\nh: !!str\n",
         "{\"a\":\"1\",\"b\":2,\"c\":3,\"d\":false,\"e\":null,\"f\":{},\"g\":[],\"h\":\"\"}"},
        {"a: 2001-12-14\nb: 10.0.0.1\nc: 1h\n",
         "{\"a\":\"2001-12-14\",\"b\":\"10.0.0.1\",\"c\":\"1h\"}"},
        {"a: x # not y\n# c\n", "{\"a\":\"x\"}"},
        {"\"<<\": 1\n'a b': 2\n? c\n: 3\n", "{\"<<\":1,\"a b\":2,\"c\":3}"},
        {"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
        {"\xef\xbb\xbf"
         "a: 1\r\nb: 2\r\n",
         "{\"a\":1,\"b\":2}"},
        {"text", "\"text\""},
        {"a: b\tc\n", "{\"a\":\"b\\tc\"}"},
        {"{a: 1, b: [x]}", "{\"a\":1,\"b\":[\"x\"]}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_documents(slice_str(cases[i].yaml), &cases[i].json, 1);
}

static void a_file_holds_several_documents_and_empty_ones_are_left_out(void **state)
{
    (void)state;
    static const char *const two[] = {"{\"a\":1}", "[2]"};
    assert_documents(SLICE("---\na: 1\n---\n---\n# nothing\n---\nnull\n---\n- 2\n...\n---\n"), two,
                     2);
    assert_documents(SLICE("{\"a\":1}\n---\n[2]"), two, 2);
    assert_documents(SLICE(""), NULL, 0);
    assert_documents(SLICE_NULL, NULL, 0);
    assert_documents(SLICE(" \n\n# only a comment\n"), NULL, 0);
    assert_documents(SLICE("~"), NULL, 0);
}

static void json_is_accepted_and_keeps_its_bytes(void **state)
{
    (void)state;
    static const char *const docs[] = {"{ \"a\" : 1e400,\t\"b\":\"\\ud83d\\ude00\\/\" }",
                                       "{\"yes\":9007199254740993}"};
    assert_documents(
        SLICE("\n{ \"a\" : 1e400,\t\"b\":\"\\ud83d\\ude00\\/\" }\n {\"yes\":9007199254740993}\n"),
        docs, 2);
}

static void assert_place(const struct json *n, unsigned line, unsigned col)
{
    assert_non_null(n);
    assert_int_equal(n->line, line);
    assert_int_equal(n->col, col);
}

static void every_node_knows_its_line_and_column(void **state)
{
    (void)state;
    AUTO(yaml_file_done) struct yaml_file f = {NULL, 0};
    struct err e = ERR_INIT;
    struct slice text =
        SLICE("# c\na: 1\nspec:\n  list:\n  - x\n  - \xc3\xa9: {k: v}\n---\n\nb: ~\n");
    assert_int_equal(yaml_parse(text, "f", &f, &e), RC_OK);
    struct json *root = json_root(f.docs[0]);
    assert_place(root, 2, 1);
    assert_place(json_get(root, "a"), 2, 1);
    assert_place(json_get(root, "spec"), 3, 1);
    struct json *list = json_dig(root, "spec", "list", NULL);
    assert_place(list, 4, 3);
    assert_place(json_at(list, 0), 5, 5);
    assert_place(json_at(list, 1), 6, 5);
    assert_place(json_dig(json_at(list, 1), "\xc3\xa9", "k", NULL), 6, 9);
    assert_place(json_get(json_root(f.docs[1]), "b"), 9, 1);
}

static void nodes_of_a_json_file_know_their_place_too(void **state)
{
    (void)state;
    AUTO(yaml_file_done) struct yaml_file f = {NULL, 0};
    struct err e = ERR_INIT;
    struct slice text = SLICE("\n {\"\xc3\xa9\":1, \"b\":\n  [\n10, {\"c\":2}]}\n{\"d\":3}");
    assert_int_equal(yaml_parse(text, "f", &f, &e), RC_OK);
    struct json *root = json_root(f.docs[0]);
    assert_place(root, 2, 2);
    assert_place(json_get(root, "\xc3\xa9"), 2, 3);
    assert_place(json_get(root, "b"), 2, 10);
    assert_place(json_at(json_get(root, "b"), 0), 4, 1);
    assert_place(json_get(json_at(json_get(root, "b"), 1), "c"), 4, 6);
    assert_place(json_root(f.docs[1]), 5, 1);
    assert_place(json_get(json_root(f.docs[1]), "d"), 5, 2);
}

static void what_is_wrong_is_said_with_its_place_and_a_remedy(void **state)
{
    (void)state;
    static const struct {
        struct slice yaml;
        const char *message; /* its beginning */
    } cases[] = {
        {SLICE("a: &x 1\n"), "f.yaml:1:4: anchors (&name) are not supported"},
        {SLICE("&x a: 1\n"), "f.yaml:1:1: anchors"},
        {SLICE("a: &x {}\n"), "f.yaml:1:4: anchors"},
        {SLICE("a: &x []\n"), "f.yaml:1:4: anchors"},
        {SLICE("a: 1\nb: *x\n"), "f.yaml:2:4: aliases (*name) are not supported"},
        {SLICE("a:\n  <<: {b: 1}\n"), "f.yaml:2:3: merge keys"},
        {SLICE("a: !custom 1\n"), "f.yaml:1:4: this tag is not supported"},
        {SLICE("a: !!binary YQ==\n"), "f.yaml:1:4: this tag"},
        {SLICE("a: !!timestamp 2001-12-14\n"), "f.yaml:1:4: this tag"},
        {SLICE("a: !!set {}\n"), "f.yaml:1:4: this tag"},
        {SLICE("a: !!map []\n"), "f.yaml:1:4: this tag"},
        {SLICE("!!str a: !!int x\n"), "f.yaml:1:10: the value is not of the kind"},
        {SLICE("a: !!bool 1\n"), "f.yaml:1:4: the value is not of the kind"},
        {SLICE("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: the key \"a\" stands twice"},
        {SLICE("x: {a: 1, \"a\": 2}\n"), "f.yaml:1:11: the key \"a\" stands twice"},
        {SLICE("1: a\n0x1: b\n"), "f.yaml:2:1: the key \"1\" stands twice"},
        {SLICE("{\"a\":1,\n\"\\u0061\":2}\n"), "f.yaml:2:1: the key \"a\" stands twice"},
        {SLICE("[a]: 1\n"), "f.yaml:1:1: a key must be a scalar"},
        {SLICE("? {a: 1}\n: 1\n"), "f.yaml:1:3: a key must be a scalar"},
        {SLICE("~: 1\n"), "f.yaml:1:1: a key must not be null"},
        {SLICE("a: 1\n1.10: 1\n"), "f.yaml:2:1: this key would be read as a number"},
        {SLICE("a: .inf\n"), "f.yaml:1:4: JSON has no infinity"},
        {SLICE("a: 0x10000000000000000\n"), "f.yaml:1:4: this number does not fit 64 bits"},
        {SLICE("a:\n\tb: 1\n"), "f.yaml:2:1: a tab in the indentation"},
        {SLICE("a:\n  b: 1\n\tc: 2\n"), "f.yaml:3:1: a tab in the indentation"},
        {SLICE("a: 1\n  b: 2\n"), "f.yaml:2:4: a ':' is not allowed here: indent this line"},
        {SLICE("a: b: c\n"), "f.yaml:1:5: a ':' is not allowed here"},
        {SLICE("a:\n    b: 1\n  c: 2\n"),
         "f.yaml:3:3: a key was expected: indent this line like the keys it belongs to (it belongs "
         "to what begins in line 1)"},
        {SLICE("- a\nb: 1\n"), "f.yaml:2:1: an item \"- ...\" was expected"},
        {SLICE("a: 1\nb\n"), "f.yaml:3:1: this key has no ':'"},
        {SLICE("a: @x\n"), "f.yaml:1:4: a value cannot begin with this character"},
        {SLICE("a: {b: 1\n"), "f.yaml:2:1: ',' or '}' was expected"},
        {SLICE("a: [b\n"), "f.yaml:2:1: ',' or ']' was expected"},
        {SLICE("a: \"b\n"), "f.yaml:2:1: the file ends inside a quoted text"},
        {SLICE("a: 1\nb: \xff\n"), "f.yaml:2:4: not YAML text"},
        {SLICE("a: \0\n"), "f.yaml:1:4: not YAML text"},
        {SLICE("\xff\xfe"
               "a\0:\0 \0b\0"),
         "f.yaml:1:1: not UTF-8 but UTF-16"},
        {SLICE("\xfe\xff\0a\0:\0 \0b"), "f.yaml:1:1: not UTF-8 but UTF-16"},
        {SLICE("a\0:\0 \0b\0"), "f.yaml:1:2: not UTF-8 but UTF-16"},
        {SLICE("\0\0\0a"), "f.yaml:1:1: not YAML text"},
        {SLICE("a: 1\n--- \nb: *c"), "f.yaml:3:4: aliases"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct yaml_file f = {NULL, 0};
        struct err e = ERR_INIT;
        if (yaml_parse(cases[i].yaml, "f.yaml", &f, &e) != RC_INVALID)
            fail_msg("accepted:\n%.*s", SLICE_ARG(cases[i].yaml));
        assert_null(f.docs);
        assert_int_equal(e.retry, ERR_FINAL);
        if (!slice_starts(slice_str(e.msg), slice_str(cases[i].message)))
            fail_msg("%s\nfor:\n%.*s", e.msg, SLICE_ARG(cases[i].yaml));
    }
}

static void nested(struct buf *b, int depth, char open, char close)
{
    buf_reset(b);
    buf_add_str(b, open == '{' ? "" : "- ");
    for (int i = 0; i < depth; i++)
        buf_add_str(b, open == '{' ? "{\"a\":" : "[");
    buf_add_str(b, "1");
    for (int i = 0; i < depth; i++)
        buf_add_char(b, close);
}

static void depth_is_limited_in_yaml_and_json(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct yaml_file f = {NULL, 0};
    nested(&b, YAML_DEPTH_MAX - 1, '[', ']');
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_OK);
    yaml_file_done(&f);
    nested(&b, YAML_DEPTH_MAX, '[', ']');
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_LIMIT);
    nested(&b, YAML_DEPTH_MAX, '{', '}');
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_OK);
    yaml_file_done(&f);
    nested(&b, YAML_DEPTH_MAX + 1, '{', '}');
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_LIMIT);
    assert_string_equal(e.msg, "f:1:317: nested too deep, the most allowed is 64");
}

static void size_and_number_of_documents_are_limited(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct yaml_file f = {NULL, 0};
    assert_int_equal(yaml_parse(slice_of("a", (size_t)YAML_TEXT_MAX + 1), "f", &f, &e), RC_LIMIT);
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < YAML_DOCS_MAX; i++)
        buf_add_str(&b, "---\n1\n");
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_OK);
    assert_int_equal(f.n, YAML_DOCS_MAX);
    yaml_file_done(&f);
    buf_add_str(&b, "---\n1\n");
    assert_int_equal(yaml_parse(buf_slice(&b), "f", &f, &e), RC_LIMIT);
    assert_null(f.docs);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    yaml_file_done(NULL);
    struct yaml_file f = {NULL, 0};
    yaml_file_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_becomes_the_json_that_kubectl_makes_of_it),
        cmocka_unit_test(a_file_holds_several_documents_and_empty_ones_are_left_out),
        cmocka_unit_test(json_is_accepted_and_keeps_its_bytes),
        cmocka_unit_test(every_node_knows_its_line_and_column),
        cmocka_unit_test(nodes_of_a_json_file_know_their_place_too),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place_and_a_remedy),
        cmocka_unit_test(depth_is_limited_in_yaml_and_json),
        cmocka_unit_test(size_and_number_of_documents_are_limited),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* cli/print_yaml: the exact text, and that a YAML reader gets the same value back. */
#include "cli/print_yaml.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/yaml.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { TEXT_MAX = 1 << 16 };

static void print(const char *json, struct buf *out)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (json_parse(slice_str(json), &d, &e) != RC_OK)
        fail_msg("%s: %s", json, e.msg);
    print_yaml(d, json_root(d), out);
    assert_int_equal(out->bad, RC_OK);
}

static void values_are_printed_as_block_yaml(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"{\"a\":1,\"b\":{\"c\":[1,2]}}", "a: 1\nb:\n  c:\n  - 1\n  - 2\n"},
        {"{\"a\":[{\"b\":1,\"c\":2},{\"d\":[3]}]}", "a:\n- b: 1\n  c: 2\n- d:\n  - 3\n"},
        {"[[1,2],[[3]],[]]", "- - 1\n  - 2\n- - - 3\n- []\n"},
        {"[{\"a\":{\"b\":1}}]", "- a:\n    b: 1\n"},
        {"[{\"a\":[1]},2]", "- a:\n  - 1\n- 2\n"},
        {"{\"a\":{},\"b\":[],\"c\":null,\"d\":true,\"e\":\"\"}",
         "a: {}\nb: []\nc: null\nd: true\ne: \"\"\n"},
        {"{ }", " {}\n"},
        {"\"x\"", " x\n"},
        {"1.50e3", " 1.50e3\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
        print(rows[i][0], &out);
        assert_string_equal(out.p, rows[i][1]);
    }
}

static void only_text_that_nothing_can_mistake_is_plain(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"web-1.2_x/y\"", " web-1.2_x/y\n"},
        {"\"true\"", " \"true\"\n"},
        {"\"No\"", " \"No\"\n"},
        {"\"y\"", " \"y\"\n"},
        {"\"OFF\"", " \"OFF\"\n"},
        {"\"null\"", " \"null\"\n"},
        {"\"1\"", " \"1\"\n"},
        {"\"1e3\"", " \"1e3\"\n"},
        {"\"~\"", " \"~\"\n"},
        {"\"-\"", " \"-\"\n"},
        {"\".inf\"", " \".inf\"\n"},
        {"\"a: b\"", " \"a: b\"\n"},
        {"\"a #b\"", " \"a #b\"\n"},
        {"\"a b\"", " \"a b\"\n"},
        {"\"a\\nb\"", " \"a\\nb\"\n"},
        {"\"a\\u0000\"", " \"a\\u0000\"\n"},
        {"\"\\u00e4\"", " \"\xc3\xa4\"\n"},
        {"{\"on\":1}", "\"on\": 1\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
        print(rows[i][0], &out);
        if (!slice_eq(buf_slice(&out), slice_str(rows[i][1])))
            fail_msg("%s gives %s", rows[i][0], out.p);
    }
}

static void expect_same_back(const char *json)
{
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    AUTO(yaml_file_done) struct yaml_file y = {0};
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    print(json, &out);
    if (yaml_parse(buf_slice(&out), "printed", &y, &e) != RC_OK)
        fail_msg("%s gives %s: %s", json, out.p, e.msg);
    assert_int_equal(y.n, 1);
    assert_int_equal(json_parse(slice_str(json), &d, &e), RC_OK);
    if (!json_equal(json_root(d), json_root(y.docs[0])))
        fail_msg("%s gives %s", json, out.p);
}

static void what_is_printed_is_read_back_as_the_same_value(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"labels\":{"
        "\"app.kubernetes.io/name\":\"x\",\"on\":\"off\"}},\"data\":{\"script\":\"#!/bin/"
        "sh\\necho \\\"hi\\\"\\n\\ttab\\n\",\"empty\":\"\",\"1\":\"2\"}}",
        "[[[]],[[1,[2]],{\"a\":[[3],{\"b\":[]}]}]]",
        "{\"a\":[{\"b\":[{\"c\":[{\"d\":1},2]}]},{}],\"e\":-1.5e-7,\"f\":[true,false,null]}",
        "{\"\":\"\",\" \":\" \",\"a:\":\":\",\"- x\":\"- x\",\"#\":\"#\",\"&a\":\"*a\",\"!\":\"!\","
        "\"{\":\"[\",\"'\":\"'\",\"%\":\"%\",\"@\":\"`\",\"?\":\"? x\",\"|\":\">\",\"<<\":\"=\"}",
        "[\"0x10\",\"010\",\"0o7\",\"1_000\",\"+1\",\"1:30\",\"2026-01-02\",\".5\",\"e5\","
        "\"Infinity\","
        "\"NaN\",\"nan\",\"True\",\"NULL\",\"---\",\"...\"]",
        "[\"\\u00e4\\u20ac\\ud83d\\ude00\",\"\\u0085\\u2028\\u2029\",\"\\u007f\",\"\\u009f\","
        "\"\\ufeff\",\"\\u0001\\u001f\",\"\\\\ \\/ \\b\\f\\r\"]",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_same_back(rows[i]);
}

static void a_full_buffer_is_told_by_the_buffer(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_parse(SLICE("{\"long\":[1,2,3]}"), &d, &e), RC_OK);
    print_yaml(d, json_root(d), &out);
    assert_int_equal(buf_check(&out, "value", &e), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_printed_as_block_yaml),
        cmocka_unit_test(only_text_that_nothing_can_mistake_is_plain),
        cmocka_unit_test(what_is_printed_is_read_back_as_the_same_value),
        cmocka_unit_test(a_full_buffer_is_told_by_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

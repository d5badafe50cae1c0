/* Paths of the rule table: what they name. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_walk.h"

static void add(void *arg, struct json *node)
{
    struct buf *out = arg;
    json_print(node, out);
    buf_add_char(out, ' ');
}

static void cut(void *arg, struct json *node)
{
    (void)arg;
    json_remove(node);
}

static void assert_walk(const char *json, const char *path, const char *want)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    kube_walk(d, json_root(d), path, add, &out);
    kt_assert_text(buf_slice(&out), want);
}

static void a_path_names_members_elements_and_prefixes(void **state)
{
    (void)state;
    assert_walk("{'a':{'b':1}}", "/a/b", "1 ");
    assert_walk("{'a':[{'b':1},{'c':2},{'b':3}]}", "/a/*/b", "1 3 ");
    assert_walk("{'a':{'x.io/p':1,'x.io/q':2,'y':3}}", "/a/x.io~1*", "1 2 ");
    assert_walk("{'a':{'x':1,'y':2}}", "/a/*", "1 2 ");
    assert_walk("{'a~b':1}", "/a~0b", "1 ");
}

static void a_path_that_leads_nowhere_names_nothing(void **state)
{
    (void)state;
    assert_walk("{'a':1}", "/a/b", "");
    assert_walk("{'a':null}", "/a/*/b", "");
    assert_walk("{}", "/a", "");
    assert_walk("{'a':[1,2]}", "/a/0", "");
    assert_walk("{'a':['x.io/p']}", "/a/x.io~1*", "");
}

static void every_member_of_a_repeated_name_is_named(void **state)
{
    (void)state;
    assert_walk("{'a':1,'b':2,'a':3}", "/a", "1 3 ");
}

static void what_is_named_may_be_removed_on_the_way(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = kt_parse("{'a':[1, 2, 3], 'b':4}");
    kube_walk(d, json_root(d), "/a/*", cut, NULL);
    kt_assert_doc(d, "{'a':[], 'b':4}");
}

static void a_segment_is_unescaped(void **state)
{
    (void)state;
    char text[KUBE_SEGMENT_MAX];
    const char *rest;
    kt_assert_text(kube_walk_segment("/a~1b~0c/d", text, &rest), "a/b~c");
    assert_string_equal(rest, "/d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_names_members_elements_and_prefixes),
        cmocka_unit_test(a_path_that_leads_nowhere_names_nothing),
        cmocka_unit_test(every_member_of_a_repeated_name_is_named),
        cmocka_unit_test(what_is_named_may_be_removed_on_the_way),
        cmocka_unit_test(a_segment_is_unescaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

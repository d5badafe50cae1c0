#include "tests/unit/flow/flow_test.h"

#include "core/map.h"
#include "flow/scope.h"

static struct scope tree(const char *root)
{
    return (struct scope){slice_str(root), true};
}

static struct scope kind(const char *text)
{
    return (struct scope){slice_str(text), false};
}

static void assert_has(const struct scope s, const char *key, bool want)
{
    if (scope_has(&s, slice_str(key)) != want)
        fail_msg("%.*s %s %s", SLICE_ARG(s.text), want ? "lacks" : "has", key);
}

static void a_tree_has_its_root_and_all_below_and_not_what_only_begins_so(void **state)
{
    (void)state;
    assert_has(tree("/a"), "/a", true);
    assert_has(tree("/a"), "/a/b", true);
    assert_has(tree("/a"), "/a/b/c", true);
    assert_has(tree("/a"), "/ab", false);
    assert_has(tree("/a"), "/a-b/c", false);
    assert_has(tree("/a"), "/b", false);
    assert_has(tree("/a/b"), "/a", false);
}

static void the_whole_tree_lacks_what_the_servers_keep_there(void **state)
{
    (void)state;
    assert_has(tree("/"), "/", true);
    assert_has(tree("/"), "/a/b", true);
    assert_has(tree("/"), "/zookeeper", false);
    assert_has(tree("/"), "/zookeeper/quota", false);
    assert_has(tree("/"), "/zookeepers", true);
    assert_has(tree("/"), "/a/zookeeper", true);
    assert_has(tree("/a"), "/a/zookeeper", true);
    assert_has(tree("/zookeeper"), "/zookeeper/quota", true);
    assert_has(tree("/"), "@sync//", false);
}

static void a_resource_has_its_objects_and_a_namespace_those_in_it(void **state)
{
    (void)state;
    assert_has(kind("/configmaps"), "/configmaps/n/a", true);
    assert_has(kind("/configmaps"), "/configmaps//a", true);
    assert_has(kind("/configmaps/n"), "/configmaps/n/a", true);
    assert_has(kind("/configmaps/n"), "/configmaps/nn/a", false);
    assert_has(kind("/configmap"), "/configmaps/n/a", false);
    assert_has(kind("apps/deployments"), "apps/deployments/n/a", true);
    assert_has(kind("apps/deployments"), "/deployments/n/a", false);
}

static void assert_prefix(const struct scope s, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    assert_ok(scope_print_prefix(&s, &out, NULL));
    assert_string_equal(out.p, want);
}

static void all_keys_of_a_scope_begin_with_its_prefix(void **state)
{
    (void)state;
    assert_prefix(tree("/a"), "/a");
    assert_prefix(tree("/"), "/");
    assert_prefix(kind("/configmaps"), "/configmaps/");
    assert_prefix(kind("apps/deployments/n"), "apps/deployments/n/");
}

static const char *found(const struct map *m, const char *key, bool is_tree)
{
    return scope_find(m, slice_str(key), is_tree);
}

static void add(struct map *m, char *scope)
{
    struct err e = ERR_INIT;
    assert_ok(map_put(m, slice_str(scope), scope, &e));
}

static void the_scope_of_a_path_is_found_upwards(void **state)
{
    (void)state;
    char a[] = "/a", b[] = "/b/c";
    AUTO(map_freep) struct map *m = map_new(NULL);
    add(m, a);
    add(m, b);
    assert_string_equal(found(m, "/a", true), "/a");
    assert_string_equal(found(m, "/a/b/c", true), "/a");
    assert_string_equal(found(m, "/b/c/d", true), "/b/c");
    assert_null(found(m, "/b", true));
    assert_null(found(m, "/ab", true));
    assert_null(found(m, "/", true));
}

static void the_whole_tree_is_found_for_all_but_the_servers_own(void **state)
{
    (void)state;
    char root[] = "/";
    AUTO(map_freep) struct map *m = map_new(NULL);
    add(m, root);
    assert_string_equal(found(m, "/", true), "/");
    assert_string_equal(found(m, "/a/b", true), "/");
    assert_null(found(m, "/zookeeper/quota", true));
}

static void the_scope_of_an_object_is_its_resource_or_that_in_its_namespace(void **state)
{
    (void)state;
    char whole[] = "/configmaps", space[] = "/secrets/n";
    AUTO(map_freep) struct map *m = map_new(NULL);
    add(m, whole);
    add(m, space);
    assert_string_equal(found(m, "/configmaps/n/a", false), "/configmaps");
    assert_string_equal(found(m, "/secrets/n/a", false), "/secrets/n");
    assert_null(found(m, "/secrets/o/a", false));
    assert_null(found(m, "no key", false));
}

static void an_entry_stands_for_its_resource_or_for_its_root(void **state)
{
    (void)state;
    const struct replication_entry object = {
        .group = SLICE("apps"), .version = SLICE("v1"), .resource = SLICE("deployments")};
    const struct replication_entry node = {.root = SLICE("/a/b")};
    AUTO(buf_done) struct buf memory = BUF_INIT(100);
    struct err e = ERR_INIT;
    struct scope s;
    assert_ok(scope_of_entry(&object, &memory, &s, &e));
    assert_true(slice_eq(s.text, SLICE("apps/deployments")) && !s.tree);
    assert_ok(scope_of_entry(&node, &memory, &s, &e));
    assert_true(slice_eq(s.text, SLICE("/a/b")) && s.tree);
    assert_true(scope_is_tree(&(struct replication){.entries = &node, .n_entries = 1}));
    assert_false(scope_is_tree(&(struct replication){.entries = &object, .n_entries = 1}));
}

static void a_scope_meets_the_entries_with_which_it_may_share_a_key(void **state)
{
    (void)state;
    const struct replication_entry object = {.resource = SLICE("a")};
    const struct replication_entry node = {.root = SLICE("/a/b")};
    const struct scope all = kind("/a"), in_n = kind("/a/b"), other = kind("g/a");
    const struct replication_entry top = {.root = SLICE("/")};
    const struct scope above = tree("/a"), below = tree("/a/b/c"), beside = tree("/a/bc");
    const struct scope same = tree("/a/b"), servers = tree("/zookeeper/config");
    assert_true(scope_meets_entry(&all, &object) && scope_meets_entry(&in_n, &object));
    assert_false(scope_meets_entry(&other, &object));
    assert_true(scope_meets_entry(&above, &node) && scope_meets_entry(&below, &node));
    assert_false(scope_meets_entry(&beside, &node));
    assert_true(scope_meets_entry(&same, &node) && scope_meets_entry(&same, &top));
    assert_false(scope_meets_entry(&servers, &top));
    assert_false(scope_meets_entry(&above, &object) || scope_meets_entry(&in_n, &node));
}

static void what_is_counted_together_is_a_resource_or_a_tree(void **state)
{
    (void)state;
    assert_true(slice_eq(scope_of_kind(SLICE("apps/deployments/n/a"), false).text,
                         SLICE("apps/deployments")));
    assert_true(slice_eq(scope_of_kind(SLICE("/configmaps//a"), false).text, SLICE("/configmaps")));
    assert_true(slice_eq(scope_of_kind(SLICE("/a/b/c/d"), true).text, SLICE("/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_has_its_root_and_all_below_and_not_what_only_begins_so),
        cmocka_unit_test(the_whole_tree_lacks_what_the_servers_keep_there),
        cmocka_unit_test(a_resource_has_its_objects_and_a_namespace_those_in_it),
        cmocka_unit_test(all_keys_of_a_scope_begin_with_its_prefix),
        cmocka_unit_test(the_scope_of_a_path_is_found_upwards),
        cmocka_unit_test(the_whole_tree_is_found_for_all_but_the_servers_own),
        cmocka_unit_test(the_scope_of_an_object_is_its_resource_or_that_in_its_namespace),
        cmocka_unit_test(an_entry_stands_for_its_resource_or_for_its_root),
        cmocka_unit_test(a_scope_meets_the_entries_with_which_it_may_share_a_key),
        cmocka_unit_test(what_is_counted_together_is_a_resource_or_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

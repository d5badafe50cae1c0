/* controller/resource_tree: the config that copies znodes, and the record made of it. */
#define RIG_ASSETS CLUSTERS DATABASES
#include "tests/unit/controller/resource_rig.h"

#include "core/clock.h"
#include "core/regex.h"

#define CONFIG(source, destination, rest)                                                          \
    SYNC "  plugin: zookeeper-to-zookeeper-nodes\n  config:\n    sourceName: " source              \
         "\n    destinationName: " destination "\n" rest
#define ROOT(path) CONFIG("za", "zb", "    rootPath: " path "\n")
#define LIVE(rest) CONFIG("za", "zb", "    rootPath: /a\n" rest)
#define AT         "error f.yaml:9:5 spec.config.rootPath: "

static void I107_a_root_is_a_path_of_a_znode_and_not_reserved(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {ROOT("/a/zookeeper"), ""},
        {ROOT("/zookeepers"), ""},
        {ROOT("/\xc3\xa4/b c"), ""},
        {ROOT("a"), AT "\"a\" is no path of a znode: it does not begin with /\n"},
        {ROOT("/a/"), AT "\"/a/\" is no path of a znode: it ends in /\n"},
        {ROOT("/a/../b"), AT "\"/a/../b\" is no path of a znode: it has a segment . or ..\n"},
        {ROOT("/a//b"), AT "\"/a//b\" is no path of a znode: it has an empty segment\n"},
        {ROOT("\"/a\\0b\""), AT "\"/a\" is no path of a znode: it holds a NUL character\n"},
        {ROOT("\"/\\u0001\""), AT "\"/?\" is no path of a znode: it holds a control character\n"},
        {ROOT("/zookeeper"), AT "\"/zookeeper\" is reserved: what is in /zookeeper belongs to each "
                                "ensemble itself and is not copied\n"},
        {ROOT("/zookeeper/quota"), AT "\"/zookeeper/quota\" is reserved: what is in /zookeeper "
                                      "belongs to each ensemble itself and is not copied\n"},
        {ROOT("\"\""), AT "must not be empty\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void both_ends_are_databases_that_differ(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {CONFIG("a", "zc", "    rootPath: /\n"),
         "error f.yaml:7:5 spec.config.sourceName: default/a is a KubernetesCluster, and this "
         "plugin copies between Databases; known: za, zb\n"
         "error f.yaml:8:5 spec.config.destinationName: there is no Database default/zc in the "
         "files; known: za, zb\n"},
        {CONFIG("za", "default/za", "    rootPath: /\n"),
         "error f.yaml:8:5 spec.config.destinationName: source and destination are the same "
         "Database, default/za\n"},
        {CONFIG("Za", "x/zb", "    rootPath: /\n"),
         "error f.yaml:7:5 spec.config.sourceName: \"Za\" names no Database: allowed are \"name\", "
         "in the same namespace, and \"namespace/name\"\n"
         "error f.yaml:8:5 spec.config.destinationName: there is no Database x/zb in the files; "
         "did you mean \"default/zb\"?\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config: {sourceName: za, destinationName: b, replication: {resources: [{resource: "
              "configmaps}]}}\n",
         "error f.yaml:6:12 spec.config.sourceName: default/za is a Database, and this plugin "
         "copies between KubernetesClusters; known: a, b\n"},
        {LIVE("---\napiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: "
              "zx}\nspec: {zookeeper: {}}\n"),
         ""},
        {CONFIG("zx", "zb",
                "    rootPath: /\n---\napiVersion: assets.astronetes.io/v1alpha1\nkind: Database\n"
                "metadata: {name: zx}\nspec: {zookeeper: {}}\n"),
         "error f.yaml:7:5 spec.config.sourceName: Database default/zx (f.yaml:11:1) has no "
         "spec.zookeeper.client: there is nothing to connect to\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void patterns_and_their_neighbours_are_checked(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {LIVE("    excludePathRegexp: \"\"\n"), ""},
        {LIVE("    excludePathRegexp: \"*.tmp\"\n"),
         "warning f.yaml:10:5 spec.config.excludePathRegexp: \"*.tmp\" is no regular expression: "
         "taken as \"^.*\\.tmp$\"\n"},
        {LIVE("    createRootPath: true\n    createRoutePath: true\n"),
         "warning f.yaml:11:5 spec.config.createRoutePath: taken as \"createRootPath\", the "
         "field's "
         "name\n"},
        {LIVE("    createRootPath: true\n    createRoutePath: false\n"),
         "warning f.yaml:11:5 spec.config.createRoutePath: taken as \"createRootPath\", the "
         "field's "
         "name\n"
         "error f.yaml:11:5 spec.config.createRoutePath: createRootPath is there, too, with "
         "another "
         "value: take one of the two away\n"},
        {LIVE("    adopt: allways\n"),
         "error f.yaml:10:5 spec.config.adopt: \"allways\" is not allowed; did you mean "
         "\"always\"? allowed: equal, never, always\n"},
        {LIVE("    resyncPeriod: 5ms\n"),
         "error f.yaml:10:5 spec.config.resyncPeriod: \"5ms\": at least 1s is allowed, or 0s: the "
         "destination is never compared\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    static const char *const files[] = {"clusters.yaml", "f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 2};
    rig_file("f.yaml", SLICE(LIVE("    excludePathRegexp: \"(\"\n")));
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    rig_print(r, &out);
    assert_int_equal(resources_errors(r), 1);
    assert_non_null(strstr(out.p, "f.yaml:10:5 spec.config.excludePathRegexp: "));
}

static void I112_a_pattern_that_excludes_the_root_is_refused(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {LIVE("    excludePathRegexp: ^/a/\n"), ""},
        {LIVE("    excludePathRegexp: ^/a\n"), "error f.yaml:10:5 spec.config.excludePathRegexp: "
                                               "excludes rootPath itself, \"/a\": nothing "
                                               "would be left; exclude what is below it\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_is_left_out_has_the_defaults(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(LIVE(""));
    const struct sync *s = resources_sync(r, 0);
    const struct replication_entry *entry = s->replication.entries;
    assert_string_equal(s->full_name, "default/s");
    assert_string_equal(s->source->full_name, "default/za");
    assert_non_null(s->source->zookeeper);
    assert_string_equal(s->destination->full_name, "default/zb");
    assert_string_equal(s->plugin, "zookeeper-to-zookeeper-nodes");
    assert_false(s->once || s->suspend || s->tree.create_root);
    assert_true(s->tree.acl);
    assert_int_equal(s->replication.n_entries, 1);
    assert_int_equal(s->replication.n_recorded, 1);
    assert_true(slice_eq(s->replication.sync, SLICE("default/s")));
    assert_int_equal(s->replication.resync_ns, 3600 * NS_PER_S);
    assert_true(slice_eq(entry->root, SLICE("/a")));
    assert_false(entry->ephemeral);
    assert_null(entry->exclude_path);
    assert_int_equal(entry->policy.adopt, ADOPT_ALWAYS);
    assert_true(entry->policy.by_name);
    assert_int_equal(entry->resource.n, 0);
    assert_null(resources_once(r, 0));
}

static void every_field_has_its_place_in_the_record(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read(LIVE("    createRoutePath: true\n    ignoreEphemeral: false\n    acl: false\n"
                      "    adopt: equal\n    resyncPeriod: 5m\n    excludePathRegexp: /tmp$\n"));
    const struct sync *s = resources_sync(r, 0);
    const struct replication_entry *entry = s->replication.entries;
    bool found = false;
    struct err e = ERR_INIT;
    assert_true(s->tree.create_root);
    assert_false(s->tree.acl);
    assert_true(entry->ephemeral);
    assert_int_equal(entry->policy.adopt, ADOPT_EQUAL);
    assert_int_equal(s->replication.resync_ns, 300 * NS_PER_S);
    assert_int_equal(regex_search(entry->exclude_path, SLICE("/a/tmp"), &found, &e), RC_OK);
    assert_true(found);
}

static void a_source_knows_whether_any_of_its_readers_wants_acls(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *without = rig_read(LIVE("    acl: false\n"));
    AUTO(resources_freep)
    struct resources *both =
        rig_read(LIVE("    acl: false\n---\n") "apiVersion: automation.astronetes.io/v1alpha1\n"
                                               "kind: Synchronization\nmetadata: {name: x}\n"
                                               "spec:\n  plugin: zookeeper-to-zookeeper-nodes\n"
                                               "  config: {sourceName: za, destinationName: zb, "
                                               "rootPath: /b}\n");
    assert_false(resources_sync(without, 0)->source->acl);
    assert_true(resources_sync(both, 0)->source->acl);
    assert_false(resources_sync(both, 0)->destination->acl);
}

static void digests_of(const char *yaml, uint8_t ret[2][RESOURCE_DIGEST])
{
    AUTO(resources_freep) struct resources *r = rig_read(yaml);
    memcpy(ret[0], resources_sync(r, 0)->digest, RESOURCE_DIGEST);
    memcpy(ret[1], resources_sync(r, 0)->replication.digest, RESOURCE_DIGEST);
}

static void the_digests_change_with_the_config(void **state)
{
    (void)state;
    uint8_t a[2][RESOURCE_DIGEST], b[2][RESOURCE_DIGEST];
    digests_of(LIVE("    acl: true\n"), a);
    digests_of(LIVE("    acl: false\n"), b);
    for (size_t i = 0; i < 2; i++)
        assert_memory_not_equal(a[i], b[i], RESOURCE_DIGEST);
}

#define ONCE(meta, more)                                                                           \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: Synchronization\nmetadata: {" meta       \
    "}\nspec:\n" more "  plugin: zookeeper-to-zookeeper-nodes\n"                                   \
    "  config: {sourceName: za, destinationName: zb, rootPath: /a}\n"

static void a_synchronization_that_ends_has_an_accessor_of_its_own(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read(ONCE("name: x", "  restartPolicy: OnFailure\n") "---\n" ONCE("name: z", ""));
    assert_null(resources_sync(r, 0));
    const struct sync *s = resources_once(r, 0);
    assert_string_equal(s->full_name, "default/x");
    assert_true(s->once);
    assert_int_equal(s->restart, RESTART_ON_FAILURE);
    assert_int_equal(resources_once(r, 1)->restart, RESTART_NEVER);
    assert_null(resources_once(r, 2));
    rig_expect("apiVersion: automation.astronetes.io/v1alpha1\nkind: Synchronization\n"
               "metadata: {name: x}\nspec:\n  plugin: zookeeper-to-zookeeper-nodes\n"
               "  config: {sourceName: za, destinationName: zb, rootPath: /a, resyncPeriod: 1m}\n",
               "warning f.yaml:6:63 spec.config.resyncPeriod: means nothing here: a run compares "
               "once, when all is copied; it is for a LiveSynchronization\n");
}

static void generated(const char *yaml, char ret[64])
{
    AUTO(resources_freep) struct resources *r = rig_read(yaml);
    snprintf(ret, 64, "%s", resources_once(r, 0)->full_name);
}

static void a_generated_name_is_the_same_for_the_same_spec(void **state)
{
    (void)state;
    char a[64], b[64], c[64];
    generated(ONCE("generateName: copy-", ""), a);
    generated(ONCE("generateName: copy-, labels: {x: z}", ""), b);
    generated(ONCE("generateName: copy-", "  restartPolicy: Never\n"), c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(strlen(a), strlen("default/copy-") + 5);
    assert_memory_equal(a, "default/copy-", strlen("default/copy-"));
    assert_int_equal(strspn(a + strlen("default/copy-"), "0123456789abcdef"), 5);
    rig_expect(ONCE("generateName: Copy-", ""),
               "error f.yaml:3:12 metadata.generateName: \"Copy-\" is no name: allowed are "
               "lower-case letters, digits, '-' and '.', beginning and ending with a letter or "
               "digit, at most 253 characters\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(I107_a_root_is_a_path_of_a_znode_and_not_reserved,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(both_ends_are_databases_that_differ, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(patterns_and_their_neighbours_are_checked, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(I112_a_pattern_that_excludes_the_root_is_refused, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_has_the_defaults, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(every_field_has_its_place_in_the_record, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_source_knows_whether_any_of_its_readers_wants_acls,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_digests_change_with_the_config, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_synchronization_that_ends_has_an_accessor_of_its_own,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_generated_name_is_the_same_for_the_same_spec, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

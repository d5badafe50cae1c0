/* controller/resource_sync: the frame of a LiveSynchronization, and the records made of it. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/resolve.h"
#include "core/clock.h"

static void the_frame_of_a_synchronization_is_checked(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n",
         "error f.yaml:4:1 spec: the field \"config\" is missing: a mapping is needed\n"},
        {SYNC "  plugin: kubernetes-object-to-kubernetes\n"
              "  config: {sourceName: a, destinationName: b, replication: {resources: [{version: "
              "v1, resource: configmaps}]}}\n",
         "error f.yaml:5:3 spec.plugin: \"kubernetes-object-to-kubernetes\" is not allowed; did "
         "you mean \"kubernetes-objects-to-kubernetes\"? allowed: "
         "kubernetes-objects-to-kubernetes, zookeeper-to-zookeeper-nodes\n"},
        {SYNC "  suspend: \"false\"\n"
              "  config: {sourceName: a, destinationName: b, replication: {resources: []}}\n"
              "  plugin: kubernetes-objects-to-kubernetes\n",
         "error f.yaml:5:3 spec.suspend: must be true or false, found the string \"false\": write "
         "it without quotes\n"
         "error f.yaml:6:61 spec.config.replication.resources: must not be empty\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config: {sorceName: a, destinationName: b, replication: {resources: {}}}\n",
         "error f.yaml:6:3 spec.config: the field \"sourceName\" is missing: a string is needed\n"
         "error f.yaml:6:12 spec.config.sorceName: unknown field \"sorceName\"; did you mean "
         "\"sourceName\"? allowed: sourceName, destinationName, bucketName, replication, "
         "observability, components, resyncPeriod\n"
         "error f.yaml:6:60 spec.config.replication.resources: must be a list, found a mapping: "
         "begin every item with \"- \"\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config: x\n",
         "error f.yaml:6:3 spec.config: must be a mapping, found the string \"x\"\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  BucketRef: x\n"
              "  resources: []\n"
              "  config: {sourceName: a, destinationName: b, resources: []}\n",
         "error f.yaml:6:3 spec.BucketRef: does not belong here; write config.bucketName\n"
         "error f.yaml:7:3 spec.resources: does not belong here; write "
         "config.replication.resources\n"
         "error f.yaml:8:3 spec.config: the field \"replication\" is missing: a mapping is needed\n"
         "error f.yaml:8:47 spec.config.resources: does not belong here; write it in "
         "replication\n"},
        {SYNC "  plugin: \"\"\n"
              "  config: []\n",
         "error f.yaml:5:3 spec.plugin: must not be empty\n"
         "error f.yaml:6:3 spec.config: must be a mapping, found a list\n"},
        {SYNC
         "  plugin: kubernetes-objects-to-kubernetes\n"
         "  config: {sourceName: a, destinationName: b, replication: {resources: [configmaps]}}\n",
         "error f.yaml:6:73 spec.config.replication.resources[0]: must be a mapping, found the "
         "string \"configmaps\"\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void clusters_must_exist_and_differ(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: a\n"
              "    destinationName: a\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         "error f.yaml:8:5 spec.config.destinationName: source and destination are the same "
         "KubernetesCluster, default/a\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: a\n"
              "    destinationName: default/a\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         "error f.yaml:8:5 spec.config.destinationName: source and destination are the same "
         "KubernetesCluster, default/a\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: aa\n"
              "    destinationName: other/b\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         "error f.yaml:7:5 spec.config.sourceName: there is no KubernetesCluster default/aa in the "
         "files; known: a, b\n"
         "error f.yaml:8:5 spec.config.destinationName: there is no KubernetesCluster other/b in "
         "the files; did you mean \"default/b\"?\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: nowhere\n"
              "    destinationName: a/b/c\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         "error f.yaml:7:5 spec.config.sourceName: there is no KubernetesCluster default/nowhere "
         "in the files; known: a, b\n"
         "error f.yaml:8:5 spec.config.destinationName: \"a/b/c\" names no KubernetesCluster: "
         "allowed are \"name\", in the same namespace, and \"namespace/name\"\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: A\n"
              "    destinationName: 5\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         "error f.yaml:7:5 spec.config.sourceName: \"A\" names no KubernetesCluster: allowed are "
         "\"name\", in the same namespace, and \"namespace/name\"\n"
         "error f.yaml:8:5 spec.config.destinationName: must be a string, found the number 5: put "
         "it in quotes\n"},
        {SYNC "  plugin: kubernetes-objects-to-kubernetes\n"
              "  config:\n"
              "    sourceName: default/a\n"
              "    destinationName: default/b\n"
              "    replication: {resources: [{version: v1, resource: configmaps}]}\n",
         ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_is_not_acted_on_yet_is_told_where_it_asks_for_something(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "      resyncPeriod: 1h0m0s\n"
                   "    resyncPeriod: 90m\n"
                   "    bucketName: x\n"
                   "    observability: {enabled: true, interval: 30s}\n"
                   "    components: {nats: {logLevel: info, replicas: 2}}\n",
         "warning f.yaml:13:5 spec.config.resyncPeriod: resyncPeriod is also in replication, with "
         "another value: that one is taken\n"
         "warning f.yaml:14:5 spec.config.bucketName: accepted, not acted on yet\n"
         "warning f.yaml:15:5 spec.config.observability: accepted, not acted on yet\n"
         "warning f.yaml:16:18 spec.config.components.nats: accepted, not acted on yet\n"},
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "    components:\n"
                   "      processor: {logLevel: debug, replicas: 1, concurrentTasks: 2}\n"
                   "      eventsListener: {imagePullPolicy: Never, resources: {limits: {}}}\n"
                   "      reconciler: {resources: {limits: {cpu: \"1\"}}}\n",
         "warning f.yaml:13:36 spec.config.components.processor.replicas: accepted, not acted on "
         "yet\n"
         "warning f.yaml:13:49 spec.config.components.processor.concurrentTasks: accepted, not "
         "acted on yet\n"
         "warning f.yaml:14:24 spec.config.components.eventsListener.imagePullPolicy: accepted, "
         "not acted on yet\n"
         "warning f.yaml:15:20 spec.config.components.reconciler.resources: accepted, not acted on "
         "yet\n"},
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "    observability: {enabled: false}\n"
                   "    components: {nats: {}}\n",
         ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

#define EXCLUDED "spec.config.replication.excludeResources"

static void an_exclusion_names_what_a_star_would_take(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {group: '*', resource: '*'}\n"
                   "      excludeResources:\n"
                   "      - {resource: events}\n"
                   "      - {group: apps, version: v1, resource: '*'}\n"
                   "      - {group: '*', version: '*', resource: widgets}\n",
         ""},
        {RESOURCES
         "      - {group: '*', resource: '*'}\n"
         "      excludeResources: [a, {}, {resource: secrets, kind: x, filters: {selector: "
         "{matchLabels: {a: b}}}}]\n",
         "error f.yaml:12:26 " EXCLUDED "[0]: must be a mapping, found the string \"a\"\n"
         "error f.yaml:12:29 " EXCLUDED "[1]: the field \"resource\" is missing: a string is "
         "needed\n"
         "error f.yaml:12:53 " EXCLUDED
         "[2].kind: unknown field \"kind\"; allowed: group, version, "
         "resource, filters\n"},
        {RESOURCES "      - {group: '*', resource: '*'}\n"
                   "      excludeResources:\n"
                   "      - {resource: secrets, filters: {selector: {matchLabels: {a: 1}}}}\n"
                   "      - {resource: secrets, filters: {nameSelector: {regex: ['(']}}}\n",
         "error f.yaml:13:64 " EXCLUDED "[0].filters.selector.matchLabels.a: must be a string, "
         "found the number 1: put it in quotes\n"
         "error f.yaml:14:62 " EXCLUDED "[1].filters.nameSelector.regex[0]: regular expression, at "
         "character 2: missing closing parenthesis\n"},
        {RESOURCES "      - {group: '*', resource: '*'}\n"
                   "      excludeResources:\n"
                   "      - {resource: secret}\n"
                   "      - {group: core, resource: '*'}\n"
                   "      - {group: apps, version: apps/v1, resource: '*'}\n"
                   "      - {group: '*', resource: events.events.k8s.io}\n",
         "error f.yaml:13:10 " EXCLUDED
         "[0].resource: \"secret\" is not known in group \"\"; did you mean \"secrets\"?\n"
         "error f.yaml:14:10 " EXCLUDED "[1].group: the core group is written \"\", not \"core\"\n"
         "error f.yaml:15:23 " EXCLUDED "[2].version: \"apps/v1\" is no version: one like v1 or "
         "v1beta1 is expected, without its group\n"
         "error f.yaml:16:22 " EXCLUDED
         "[3].resource: \"events.events.k8s.io\" is no resource: its "
         "plural name in lower case is expected\n"},
        {RESOURCES "      - {group: '*', resource: '*'}\n"
                   "      - {version: v1, resource: secrets}\n"
                   "      excludeResources: [{resource: secrets}]\n",
         "error f.yaml:13:26 " EXCLUDED "[0]: resource \"secrets\" of group \"\" is excluded here "
         "and named by resources[1]: take one of the two away\n"},
        {RESOURCES "      - {version: v1, resource: secrets}\n"
                   "      excludeResources: [{resource: configmaps}]\n",
         "warning f.yaml:12:26 " EXCLUDED "[0]: excludes nothing: only what an entry of resources "
         "with \"*\" takes can be excluded\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static int64_t period_of(const char *inner, const char *outer)
{
    AUTO(buf_done) struct buf yaml = BUF_INIT(4096);
    buf_addf(&yaml, RESOURCES "      - {version: v1, resource: configmaps}\n%s%s", inner, outer);
    AUTO(resources_freep) struct resources *r = rig_read(yaml.p);
    assert_non_null(resources_sync(r, 0));
    return resources_sync(r, 0)->replication.resync_ns;
}

static void the_period_may_stand_in_two_places_and_is_an_hour_without_either(void **state)
{
    (void)state;
    assert_int_equal(period_of("", ""), 3600 * NS_PER_S);
    assert_int_equal(period_of("      resyncPeriod: 3h25m12s\n", ""), 12312 * NS_PER_S);
    assert_int_equal(period_of("", "    resyncPeriod: 30s\n"), 30 * NS_PER_S);
    assert_int_equal(period_of("      resyncPeriod: 1m\n", "    resyncPeriod: 1m\n"),
                     60 * NS_PER_S);
    assert_int_equal(period_of("      resyncPeriod: 0s\n", ""), 0);
    assert_int_equal(period_of("      resyncPeriod: null\n", "    resyncPeriod: 10m\n"),
                     600 * NS_PER_S);
    assert_int_equal(period_of("      resyncPeriod: 10m\n", "    resyncPeriod: null\n"),
                     600 * NS_PER_S);
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps}\n      resyncPeriod: 10ms\n",
         "error f.yaml:12:7 spec.config.replication.resyncPeriod: \"10ms\": at least 1s is "
         "allowed, "
         "or 0s: the destination is never compared\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void copies_of_what_leaves_are_removed_only_where_that_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        bool removed;
    } cases[] = {{"", false},
                 {"      pruneDeselected: false\n", false},
                 {"      pruneDeselected: true\n", true}};
    uint8_t digests[3][RESOURCE_DIGEST];
    for (size_t i = 0; i < 3; i++) {
        AUTO(buf_done) struct buf yaml = BUF_INIT(4096);
        buf_addf(&yaml, RESOURCES "      - {version: v1, resource: configmaps}\n%s", cases[i].yaml);
        AUTO(resources_freep) struct resources *r = rig_read(yaml.p);
        assert_non_null(resources_sync(r, 0));
        const struct replication *of = &resources_sync(r, 0)->replication;
        assert_int_equal(of->prune_deselected, cases[i].removed);
        memcpy(digests[i], of->digest, RESOURCE_DIGEST);
    }
    assert_memory_not_equal(digests[0], digests[2], RESOURCE_DIGEST); /* all is decided anew */
}

static void what_is_recorded_stands_behind_what_is_copied(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read(RESOURCES "      - {version: v1, resource: configmaps}\n"
                           "      record:\n"
                           "      - {version: v1, resource: pods}\n"
                           "      - {group: events.k8s.io, version: v1, resource: events}\n"
                           "      - {resource: nodes}\n");
    assert_int_equal(resources_errors(r), 0);
    const struct replication *of = &resources_sync(r, 0)->replication;
    assert_int_equal(of->n_entries, 1);
    assert_int_equal(of->n_recorded, 4);
    assert_int_equal(of->entries[3].version.n, 0);
    assert_false(resolve_needed(of)); /* what is not copied need not be known to be followed */
    assert_true(slice_eq(of->entries[1].resource, SLICE("pods")));
    assert_true(slice_eq(of->entries[2].group, SLICE("events.k8s.io")));
    assert_true(slice_eq(of->entries[2].version, SLICE("v1")));
}

static void what_is_recorded_is_a_kind_in_the_version_of_all_others(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "      record: all\n",
         "error f.yaml:12:7 spec.config.replication.record: must be a list, found the string "
         "\"all\": begin every item with \"- \"\n"},
        {RESOURCES "      - {group: apps, version: v1, resource: deployments}\n"
                   "      record:\n"
                   "      - {group: apps, version: v1beta1, resource: deployments}\n"
                   "      - {version: v1, resource: pod}\n"
                   "      - {group: '*', resource: events}\n"
                   "      - {version: v1, resource: nodes, filters: {}}\n",
         "error f.yaml:13:23 spec.config.replication.record[0].version: VersionConflict: "
         "deployments is asked for in v1beta1 here and in v1 by default/s; a source's log holds "
         "each resource in one version, use the same everywhere\n"
         "error f.yaml:14:23 spec.config.replication.record[1].resource: \"pod\" is not known in "
         "group \"\"; did you mean \"pods\"?\n"
         "error f.yaml:15:9 spec.config.replication.record[2]: '*' is for resources alone: name "
         "each "
         "kind that is to be recorded\n"
         "error f.yaml:16:40 spec.config.replication.record[3].filters: unknown field "
         "\"filters\"; allowed: group, version, resource\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void wrong_types_and_ranges_name_what_was_found_and_what_is_expected(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "      resyncPeriod: 1d\n"
                   "      forceNamespaceCreation: \"yes\"\n"
                   "      adopt: sometimes\n"
                   "      effects: true\n"
                   "      pruneDeselected: 1\n",
         "error f.yaml:12:7 spec.config.replication.resyncPeriod: must be a duration like 1h0m0s, "
         "90m or 30s, found the string \"1d\"\n"
         "error f.yaml:13:7 spec.config.replication.forceNamespaceCreation: must be true or false, "
         "found the string \"yes\": write it without quotes\n"
         "error f.yaml:14:7 spec.config.replication.adopt: \"sometimes\" is not allowed; allowed: "
         "equal, never, always\n"
         "error f.yaml:15:7 spec.config.replication.effects: must be one of suspend, allow, found "
         "the boolean true\n"
         "error f.yaml:16:7 spec.config.replication.pruneDeselected: must be true or false, found "
         "the number 1\n"},
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "    observability: {enabled: 1, interval: 30}\n"
                   "    components: {nats: {logLevel: verbose, replicas: -1, concurrentTasks: "
                   "2147483648, imagePullPolicy: always}, redis: [], process: {}}\n"
                   "    bucketName: {}\n",
         "error f.yaml:12:21 spec.config.observability.enabled: must be true or false, found the "
         "number 1\n"
         "error f.yaml:12:33 spec.config.observability.interval: must be a duration like 1h0m0s, "
         "90m or 30s, found the number 30\n"
         "error f.yaml:13:25 spec.config.components.nats.logLevel: \"verbose\" is not allowed; "
         "allowed: debug, info, warn, error\n"
         "error f.yaml:13:44 spec.config.components.nats.replicas: must be an integer of 0 to "
         "2147483647, found the number -1\n"
         "error f.yaml:13:58 spec.config.components.nats.concurrentTasks: must be an integer of 1 "
         "to 2147483647, found the number 2147483648\n"
         "error f.yaml:13:87 spec.config.components.nats.imagePullPolicy: \"always\" is not "
         "allowed; did you mean \"Always\"? allowed: Always, IfNotPresent, Never\n"
         "error f.yaml:13:113 spec.config.components.redis: must be a mapping, found a list\n"
         "error f.yaml:13:124 spec.config.components.process: unknown field \"process\"; did you "
         "mean \"processor\"? allowed: eventsListener, processor, reconciler, restorer, "
         "synchronizer, nats, redis, metricsExporter\n"
         "error f.yaml:14:5 spec.config.bucketName: must be a string, found a mapping\n"},
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "    components: {nats: {concurrentTasks: 0, replicas: \"1\"}}\n",
         "error f.yaml:12:25 spec.config.components.nats.concurrentTasks: must be an integer of 1 "
         "to 2147483647, found the number 0\n"
         "error f.yaml:12:45 spec.config.components.nats.replicas: must be an integer of 0 to "
         "2147483647, found the string \"1\": write it without quotes\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_resource_that_is_named_twice_is_allowed_and_told_once(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps}\n"
                   "      - {version: v1, resource: configmaps}\n"
                   "      - {version: v1, resource: configmaps}\n",
         "warning f.yaml:12:9 spec.config.replication.resources[1]: resource \"configmaps\" of "
         "group \"\" is also in entry 0: an object goes by the first entry that selects it\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

#define SECOND_OF(source, entries)                                                                 \
    "---\napiVersion: automation.astronetes.io/v1alpha1\nkind: LiveSynchronization\n"              \
    "metadata: {name: t}\nspec:\n  plugin: kubernetes-objects-to-kubernetes\n  config:\n"          \
    "    sourceName: " source                                                                      \
    "\n    destinationName: b\n    replication:\n      resources:\n" entries

static void a_source_gives_each_resource_in_one_version(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {group: batch, version: v1, resource: jobs}\n"
                   "      - {group: batch, version: v1beta1, resource: jobs}\n",
         "warning f.yaml:12:9 spec.config.replication.resources[1]: resource \"jobs\" of group "
         "\"batch\" is also in entry 0: an object goes by the first entry that selects it\n"
         "error f.yaml:12:24 spec.config.replication.resources[1].version: VersionConflict: jobs "
         "is "
         "asked for in v1beta1 here and in v1 by default/s; a source's log holds each resource in "
         "one version, use the same everywhere\n"},
        {RESOURCES "      - {group: batch, version: v1, resource: jobs}\n" SECOND_OF(
             "a", "      - {group: batch, version: v1beta1, resource: jobs}\n"),
         "error f.yaml:23:24 spec.config.replication.resources[0].version: VersionConflict: jobs "
         "is "
         "asked for in v1beta1 here and in v1 by default/s; a source's log holds each resource in "
         "one version, use the same everywhere\n"},
        {RESOURCES "      - {group: batch, version: v1, resource: jobs}\n" SECOND_OF(
             "a", "      - {group: batch, version: v1, resource: jobs}\n"),
         ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_synchronization_becomes_a_record(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(
        SYNC "  plugin: kubernetes-objects-to-kubernetes\n  suspend: true\n  config:\n"
             "    sourceName: a\n    destinationName: default/b\n    replication:\n"
             "      forceNamespaceCreation: true\n      adopt: never\n      effects: allow\n"
             "      resources:\n"
             "      - {group: apps, version: v1, resource: deployments}\n"
             "      - {version: v1, resource: services, adopt: always, effects: suspend, "
             "recreate: never, writeMode: apply}\n");
    const struct sync *s = resources_sync(r, 0);
    assert_null(resources_sync(r, 1));
    assert_string_equal(s->full_name, "default/s");
    assert_string_equal(s->ns, "default");
    assert_string_equal(s->name, "s");
    assert_true(s->suspend);
    assert_ptr_equal(s->source, resources_cluster(r, 0));
    assert_ptr_equal(s->destination, resources_cluster(r, 1));
    assert_true(slice_eq(s->replication.sync, SLICE("default/s")));
    assert_int_equal(s->replication.n_entries, 2);
    const struct replication_entry *e = s->replication.entries;
    assert_true(slice_eq(e[0].group, SLICE("apps")));
    assert_true(slice_eq(e[0].version, SLICE("v1")));
    assert_true(slice_eq(e[0].resource, SLICE("deployments")));
    assert_true(slice_eq(e[1].group, SLICE("")));
    for (size_t i = 0; i < 2; i++) {
        assert_true(e[i].policy.by_name);
        assert_true(e[i].policy.force_namespace);
        assert_null(e[i].selector);
        assert_null(e[i].ns_selector);
        assert_int_equal(e[i].n_names + e[i].n_not_names + e[i].n_patch, 0);
    }
    assert_int_equal(e[0].policy.adopt, ADOPT_NEVER);
    assert_true(e[0].policy.effects_allow);
    assert_int_equal(e[1].policy.adopt, ADOPT_ALWAYS);
    assert_false(e[1].policy.effects_allow);
    assert_int_equal(e[0].policy.recreate, RECREATE_BY_KIND);
    assert_int_equal(e[1].policy.recreate, RECREATE_NEVER);
    assert_false(e[0].policy.apply);
    assert_true(e[1].policy.apply);
}

static void the_levels_of_components_are_those_of_the_speakers(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read(RESOURCES "      - {version: v1, resource: configmaps}\n"
                           "    components: {eventsListener: {logLevel: debug}, processor: {}, "
                           "synchronizer: {logLevel: error}, nats: {logLevel: warn}}\n");
    const struct speaker_levels *l = &resources_sync(r, 0)->levels;
    assert_true(l->has[SPEAKER_EVENTS_LISTENER] && l->has[SPEAKER_SYNCHRONIZER]);
    assert_int_equal(l->of[SPEAKER_EVENTS_LISTENER], DIAG_DEBUG);
    assert_int_equal(l->of[SPEAKER_SYNCHRONIZER], DIAG_ERROR);
    assert_false(l->has[SPEAKER_PROCESSOR] || l->has[SPEAKER_RECONCILER] || l->has[SPEAKER_LOG]);
}

static void what_is_left_out_has_the_documented_default(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - {version: v1, resource: configmaps}\n");
    const struct sync *s = resources_sync(r, 0);
    assert_false(s->suspend);
    assert_false(s->replication.entries[0].policy.force_namespace);
    assert_false(s->replication.entries[0].policy.effects_allow);
    assert_int_equal(s->replication.entries[0].policy.adopt, ADOPT_EQUAL);
    assert_false(s->replication.entries[0].patch_skip_missing);
}

static void a_synchronization_with_an_error_is_no_record_and_others_are(void **state)
{
    (void)state;
    static const char *const files[] = {"clusters.yaml", "f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 2};
    rig_file("clusters.yaml", slice_str(CLUSTERS));
    rig_file("f.yaml",
             slice_str(RESOURCES "      - {version: v1, resource: nodes}\n---\n"
                                 "apiVersion: automation.astronetes.io/v1alpha1\n"
                                 "kind: LiveSynchronization\nmetadata: {name: good}\nspec:\n"
                                 "  plugin: kubernetes-objects-to-kubernetes\n"
                                 "  config: {sourceName: b, destinationName: a, replication: "
                                 "{resources: [{version: v1, resource: secrets}]}}\n"));
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    assert_int_equal(resources_errors(r), 1);
    assert_string_equal(resources_sync(r, 0)->name, "good");
    assert_null(resources_sync(r, 1));
}

static void a_synchronization_on_a_broken_cluster_is_no_record_and_no_further_error(void **state)
{
    (void)state;
    static const char *const files[] = {"f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 1};
    rig_file("f.yaml", slice_str(CLUSTER("a", "sa") CLUSTER("b", "sb") SECRET("sb") RESOURCES
                                 "      - {version: v1, resource: secrets}\n"));
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    assert_int_equal(resources_errors(r), 1);
    assert_string_equal(resources_problem(r, 0)->path, "spec.secretName");
    assert_null(resources_sync(r, 0));
    assert_string_equal(resources_cluster(r, 0)->name, "b");
    assert_null(resources_cluster(r, 1));
}

static void more_entries_than_a_synchronization_may_have_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf yaml = BUF_INIT(1 << 20);
    buf_add_str(&yaml, RESOURCES);
    for (size_t i = 0; i < 1001; i++)
        buf_addf(&yaml, "      - {group: x.example, version: v1, resource: r%zu}\n", i);
    rig_expect(yaml.p,
               "error f.yaml:10:7 spec.config.replication.resources: 1001 entries, the most "
               "allowed is 1000\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_frame_of_a_synchronization_is_checked, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(clusters_must_exist_and_differ, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            what_is_not_acted_on_yet_is_told_where_it_asks_for_something, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_exclusion_names_what_a_star_would_take, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            wrong_types_and_ranges_name_what_was_found_and_what_is_expected, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_resource_that_is_named_twice_is_allowed_and_told_once,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_synchronization_becomes_a_record, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(the_levels_of_components_are_those_of_the_speakers,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_has_the_documented_default, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_synchronization_with_an_error_is_no_record_and_others_are,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            a_synchronization_on_a_broken_cluster_is_no_record_and_no_further_error, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(more_entries_than_a_synchronization_may_have_are_refused,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_recorded_stands_behind_what_is_copied, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_recorded_is_a_kind_in_the_version_of_all_others,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(copies_of_what_leaves_are_removed_only_where_that_is_said,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            the_period_may_stand_in_two_places_and_is_an_hour_without_either, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_source_gives_each_resource_in_one_version, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

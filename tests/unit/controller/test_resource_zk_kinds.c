/* controller/resource_zk_kinds: the fields of Database, Synchronization, SynchronizationPlan and their plugin's config. */
#define RIG_ASSETS CLUSTERS DATABASES
#include "tests/unit/controller/resource_rig.h"

#define AUTOMATION(kind)                                                                           \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: " kind "\nmetadata: {name: x}\n"
#define ONCE                                                                                       \
    AUTOMATION("Synchronization")                                                                  \
    "spec:\n  plugin: zookeeper-to-zookeeper-nodes\n"                                              \
    "  config: {sourceName: za, destinationName: zb, rootPath: /"
#define CONFIG_FIELDS                                                                              \
    "sourceName, destinationName, rootPath, createRootPath, ignoreEphemeral, "                     \
    "excludePathRegexp, acl, adopt, resyncPeriod\n"

static void every_field_of_the_reference_is_known(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: x}\n"
         "spec: {zookeeper: {admin: {protocol: http, host: h, port: \"8080\", secretName: s}, "
         "client: {servers: [\"h:2181\"]}}}\n",
         "warning f.yaml:4:67 spec.zookeeper.admin.secretName: not used: with protocol http no "
         "credentials are sent, and no certificate is checked; https does both\n"},
        {AUTOMATION("Synchronization") "spec: {restartPolicy: Never, plugin: "
                                       "zookeeper-to-zookeeper-nodes, config: {sourceName: za, "
                                       "destinationName: zb, rootPath: /, createRootPath: true, "
                                       "ignoreEphemeral: true, excludePathRegexp: x}}\n",
         ""},
        {AUTOMATION("SynchronizationPlan") "spec: {schedule: \"0 * * * *\", timeZone: "
                                           "null, startingDeadlineSeconds: 5, "
                                           "concurrencyPolicy: Forbid, suspend: true, "
                                           "successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: "
                                           "2, template: {metadata: {}, spec: {plugin: "
                                           "zookeeper-to-zookeeper-nodes, config: {sourceName: za, "
                                           "destinationName: zb, rootPath: /}}}}\n",
         ""},
        {AUTOMATION("LiveSynchronization") "spec: {suspend: true, plugin: "
                                           "zookeeper-to-zookeeper-nodes, config: {sourceName: za, "
                                           "destinationName: zb, rootPath: /, acl: false, adopt: "
                                           "equal, resyncPeriod: 5m}}\n",
         ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_is_missing_or_wrong_is_told(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {AUTOMATION(
             "SynchronizationPlan") "spec: {schedule: '@daily', failedJobsHistoryLimit: -1}\n",
         "error f.yaml:4:28 spec.failedJobsHistoryLimit: must be an "
         "integer of 0 to 2147483647, found the number -1\n"},
        {AUTOMATION("Synchronization") "spec: {plugin: kubernetes-objects-to-kubernetes, config: "
                                       "{}}\n",
         "error f.yaml:4:8 spec.plugin: "
         "\"kubernetes-objects-to-kubernetes\" is not allowed; allowed: "
         "zookeeper-to-zookeeper-nodes\n"},
        {AUTOMATION("Synchronization") "spec: {plugin: zookeeper-to-zookeeper-nodes, config: {}}\n",
         "error f.yaml:4:46 spec.config: the field \"sourceName\" is "
         "missing: a string is needed\n"
         "error f.yaml:4:46 spec.config: the field \"destinationName\" "
         "is missing: a string is needed\n"
         "error f.yaml:4:46 spec.config: the field \"rootPath\" is "
         "missing: a string is needed\n"},
        {AUTOMATION("LiveSynchronization") "spec: {plugin: zookeeper-to-zookeeper-nodes, config: "
                                           "{sourceName: za, destinationName: zb, rootPath: /, "
                                           "replication: {}}}\n",
         "error f.yaml:4:105 spec.config.replication: unknown field \"replication\"; "
         "allowed: " CONFIG_FIELDS},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void A02_other_names_that_the_reference_uses_are_taken_with_a_warning(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {ONCE ", createRoutePath: false}\n",
         "warning f.yaml:6:62 spec.config.createRoutePath: taken as "
         "\"createRootPath\", the field's name\n"},
        {ONCE ", createRoutPath: true}\n",
         "error f.yaml:6:62 spec.config.createRoutPath: unknown field "
         "\"createRoutPath\"; did you mean \"createRootPath\"? "
         "allowed: " CONFIG_FIELDS},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_of_the_reference_is_known, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_or_wrong_is_told, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            A02_other_names_that_the_reference_uses_are_taken_with_a_warning, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

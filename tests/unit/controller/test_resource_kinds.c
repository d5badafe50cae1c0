/* controller/resource_kinds: how a document's kind is found, and what is said where it is none of ours. */
#define RIG_ASSETS CLUSTERS DATABASES
#include "tests/unit/controller/resource_rig.h"

static void a_file_that_holds_no_kubernetes_resource_says_what_is_missing(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"- a\n", "error f.yaml:1:1 not a Kubernetes resource: a mapping with apiVersion, kind, "
                  "metadata and spec is expected\n"},
        {"just text\n", "error f.yaml:1:1 not a Kubernetes resource: a mapping with apiVersion, "
                        "kind, metadata and spec is expected\n"},
        {"kind: KubernetesCluster\n"
         "metadata: {name: x}\n",
         "warning f.yaml:1:1 the field \"apiVersion\" is missing: taken as "
         "assets.astronetes.io/v1alpha1\n"
         "error f.yaml:1:1 the field \"spec\" is missing: a mapping is needed\n"},
        {"apiVersion: v1\n"
         "metadata: {name: x}\n",
         "error f.yaml:1:1 the field \"kind\" is missing: this is no Kubernetes resource\n"},
        {"kind: 1\n",
         "error f.yaml:1:1 kind: must be a string, found the number 1: put it in quotes\n"},
        {"kind: Secret\n"
         "metadata: {name: x}\n",
         "error f.yaml:1:1 the field \"apiVersion\" is missing: this is no Kubernetes resource\n"},
        {"apiVersion: 7\n"
         "kind: Secret\n",
         "error f.yaml:1:1 apiVersion: must be a string, found the number 7: put it in quotes\n"},
        {"{}\n",
         "error f.yaml:1:1 the field \"kind\" is missing: this is no Kubernetes resource\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_wrong_kind_or_api_version_names_the_nearest(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: automation.astronetes.io/v1alpha1\n"
         "kind: LiveSync\n",
         "error f.yaml:2:1 kind: \"LiveSync\" is not allowed; allowed: LiveSynchronization, "
         "Synchronization, SynchronizationPlan, Task, TaskRun, Backup\n"},
        {"apiVersion: automation.astronetes.io/v1alpha1\n"
         "kind: LiveSynchronisation\n",
         "error f.yaml:2:1 kind: \"LiveSynchronisation\" is not allowed; did you mean "
         "\"LiveSynchronization\"? allowed: LiveSynchronization, Synchronization, "
         "SynchronizationPlan, Task, TaskRun, Backup\n"},
        {"apiVersion: automation.astronetes.io/v1\n"
         "kind: LiveSynchronization\n",
         "error f.yaml:1:1 apiVersion: \"automation.astronetes.io/v1\" is not the apiVersion of a "
         "LiveSynchronization; allowed: automation.astronetes.io/v1alpha1\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: LiveSynchronization\n",
         "error f.yaml:1:1 apiVersion: \"assets.astronetes.io/v1alpha1\" is not the apiVersion of "
         "a LiveSynchronization; allowed: automation.astronetes.io/v1alpha1\n"},
        {"apiVersion: automation.astronets.io/v1alpha1\n"
         "kind: Backup\n",
         "error f.yaml:1:1 apiVersion: \"automation.astronets.io/v1alpha1\" is not the apiVersion "
         "of a Backup; allowed: automation.astronetes.io/v1alpha1\n"},
        {"apiVersion: v2\n"
         "kind: Secret\n",
         "error f.yaml:1:1 apiVersion: \"v2\" is not the apiVersion of a Secret; allowed: v1\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: Cluster\n",
         "error f.yaml:2:1 kind: \"Cluster\" is not allowed; allowed: KubernetesCluster, Bucket, "
         "Database\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void resources_of_other_groups_are_ignored_with_a_warning(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: v1\n"
         "kind: ConfigMap\n"
         "metadata: {name: x}\n",
         "warning f.yaml:2:1 kind: ignored: resilog has no use for ConfigMap of v1\n"},
        {"apiVersion: velero.io/v1\n"
         "kind: Backup\n"
         "metadata: {name: x}\n",
         "warning f.yaml:2:1 kind: ignored: resilog has no use for Backup of velero.io/v1\n"},
        {"apiVersion: v1\n"
         "kind: Secrets\n",
         "warning f.yaml:2:1 kind: ignored: resilog has no use for Secrets of v1; did you mean "
         "\"Secret\"?\n"},
        {"apiVersion: example.com/v1\n"
         "kind: Secret\n",
         "warning f.yaml:2:1 kind: ignored: resilog has no use for Secret of example.com/v1\n"},
        {"apiVersion: v1\n"
         "kind: ConfigMapList\n"
         "items:\n"
         "- apiVersion: v1\n"
         "  kind: ConfigMap\n",
         "warning f.yaml:5:3 items[0].kind: ignored: resilog has no use for ConfigMap of v1\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void kinds_without_a_function_yet_are_checked_for_a_name_and_say_so(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: Bucket\n"
         "metadata: {name: x}\n"
         "spec: {gcpCloudStorage: {name: b, secretName: s}}\n",
         "warning f.yaml:1:1 Bucket: accepted, not acted on yet\n"},
        {"apiVersion: automation.astronetes.io/v1alpha1\n"
         "kind: TaskRun\n"
         "metadata: {name: x}\n"
         "spec: {taskName: t}\n",
         "warning f.yaml:1:1 TaskRun: accepted, not acted on yet\n"},
        {"kind: Synchronization\n"
         "metadata: {generateName: x-}\n"
         "spec: {plugin: zookeeper-to-zookeeper-nodes, config: {sourceName: za, destinationName: "
         "zb, rootPath: /}}\n",
         "warning f.yaml:1:1 the field \"apiVersion\" is missing: taken as "
         "automation.astronetes.io/v1alpha1\n"},
        {"apiVersion: automation.astronetes.io/v1alpha1\n"
         "kind: TaskRun\n"
         "metadata: {}\n"
         "spek: {}\n",
         "error f.yaml:1:1 the field \"spec\" is missing: a mapping is needed\n"
         "warning f.yaml:1:1 TaskRun: accepted, not acted on yet\n"
         "error f.yaml:3:1 metadata: the field \"name\" is missing: a string is needed\n"
         "error f.yaml:4:1 spek: unknown field \"spek\"; did you mean \"spec\"? allowed: "
         "apiVersion, kind, metadata, spec, status\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_file_that_holds_no_kubernetes_resource_says_what_is_missing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_kind_or_api_version_names_the_nearest, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(resources_of_other_groups_are_ignored_with_a_warning,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            kinds_without_a_function_yet_are_checked_for_a_name_and_say_so, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/resource_later: kinds that are checked but not acted on yet. */
#include "tests/unit/controller/resource_rig.h"

#define ASSET(kind)                                                                                \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: " kind "\nmetadata: {name: x}\n"
#define AUTOMATION(kind)                                                                           \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: " kind "\nmetadata: {name: x}\n"
#define NOT_YET(kind) "warning f.yaml:1:1 " kind ": accepted, not acted on yet\n"

static void every_field_of_the_reference_is_known(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {ASSET("Bucket") "spec: {generic: {name: b, endpoint: e, useSSL: true, secretName: s}}\n",
         NOT_YET("Bucket")},
        {ASSET("Bucket") "spec: {gcpCloudStorage: {name: b, secretName: s}}\n", NOT_YET("Bucket")},
        {ASSET("Bucket") "spec: {awsS3: {name: b, region: r, secretName: s}}\n", NOT_YET("Bucket")},
        {AUTOMATION(
             "Task") "spec: {restartPolicy: OnFailure, plugin: custom-image, config: {image: "
                     "i, command: [echo], clusterRole: admin}}\n",
         NOT_YET("Task")},
        {AUTOMATION("Task") "spec: {plugin: kubernetes-objects-transformation, config: {resources: "
                            "[{identifier: {group: apps, version: v1, resource: deployments}, "
                            "patch: {operations: [{op: replace, path: /a, value: 1}]}, filter: "
                            "{selector: {}, namespaceSelector: {}, nameSelector: {}}}]}}\n",
         NOT_YET("Task")},
        {AUTOMATION("TaskRun") "spec: {taskName: t}\n", NOT_YET("TaskRun")},
        {AUTOMATION("Backup") "spec: {restartPolicy: Always, plugin: p, config: {any: thing}}\n",
         NOT_YET("Backup")},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void A24_a_bucket_is_of_exactly_one_provider(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {ASSET("Bucket") "spec: {}\n",
         NOT_YET("Bucket") "error f.yaml:4:1 spec: exactly one must be there, found 0: generic, "
                           "gcpCloudStorage, awsS3\n"},
        {ASSET("Bucket") "spec: {gcpCloudStorage: {name: b, secretName: s}, awsS3: {name: b, "
                         "region: r, secretName: s}}\n",
         NOT_YET("Bucket") "error f.yaml:4:1 spec: exactly one must be there, found 2: generic, "
                           "gcpCloudStorage, awsS3\n"},
        {ASSET("Bucket") "spec: {generic: null, awsS3: {name: b, region: r, secretName: s}}\n",
         NOT_YET("Bucket")},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_is_missing_or_wrong_is_told(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {AUTOMATION("TaskRun"),
         "error f.yaml:1:1 the field \"spec\" is missing: a mapping is needed\n" NOT_YET(
             "TaskRun")},
        {AUTOMATION("TaskRun") "spec: {task: t}\n",
         NOT_YET("TaskRun") "error f.yaml:4:1 spec: the field \"taskName\" is missing: a string is "
                            "needed\n"
                            "error f.yaml:4:8 spec.task: unknown field \"task\"; allowed: "
                            "taskName\n"},
        {AUTOMATION("Task") "spec: {plugin: image, config: {}}\n",
         NOT_YET("Task") "error f.yaml:4:8 spec.plugin: \"image\" is not allowed; allowed: "
                         "custom-image, kubernetes-objects-transformation\n"},
        {AUTOMATION("Backup") "spec: {plugin: p}\n",
         NOT_YET("Backup") "error f.yaml:4:1 spec: the field \"config\" is missing: a mapping is "
                           "needed\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_of_the_reference_is_known, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(A24_a_bucket_is_of_exactly_one_provider, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_or_wrong_is_told, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/resource_item: names, lists, and two of one name. */
#include "tests/unit/controller/resource_rig.h"

static void names_must_be_names(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: A_b}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:3:12 metadata.name: \"A_b\" is no name: allowed are lower-case letters, "
         "digits, '-' and '.', beginning and ending with a letter or digit, at most 253 "
         "characters\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: x, namespace: x.y}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:3:21 metadata.namespace: \"x.y\" is no name: allowed are lower-case "
         "letters, digits and '-', beginning and ending with a letter or digit, at most 63 "
         "characters\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {generateName: x}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:3:1 metadata: the field \"name\" is missing: a string is needed\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:1:1 the field \"metadata\" is missing: a mapping is needed\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: 1}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:3:12 metadata.name: must be a string, found the number 1: put it in "
         "quotes\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {nam: x}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:3:1 metadata: the field \"name\" is missing: a string is needed\n"
         "error f.yaml:3:12 metadata.nam: unknown field \"nam\"; did you mean \"name\"? allowed: "
         "name, generateName, namespace, labels, annotations, uid, resourceVersion, generation, "
         "creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, managedFields, "
         "ownerReferences, finalizers, selfLink\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void two_resources_of_one_name_are_an_error_with_both_places(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: a}\n"
         "spec: {secretName: sa}\n"
         "---\n",
         "error f.yaml:3:12 metadata.name: KubernetesCluster default/a stands twice: also in "
         "clusters.yaml:1:1\n"},
        {"apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData:\n"
         "  kubeconfig.yaml: |\n"
         "    current-context: c\n"
         "    contexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "    clusters: [{name: k, cluster: {server: \"https://x.example:6443\"}}]\n"
         "    users: [{name: u, user: {token: hunter2}}]\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData:\n"
         "  kubeconfig.yaml: |\n"
         "    current-context: c\n"
         "    contexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "    clusters: [{name: k, cluster: {server: \"https://x.example:6443\"}}]\n"
         "    users: [{name: u, user: {token: hunter2}}]\n"
         "---\n",
         "error f.yaml:13:12 metadata.name: Secret default/x stands twice: also in f.yaml:1:1\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void lists_are_taken_apart_and_places_name_the_item(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: v1\nkind: List\nitems:\n"
         "- {apiVersion: assets.astronetes.io/v1alpha1, kind: KubernetesCluster, metadata: {name: "
         "c}, "
         "spec: {secretName: sa}}\n"
         "- {apiVersion: assets.astronetes.io/v1alpha1, kind: KubernetesCluster, metadata: {name: "
         "d}}\n"
         "- 7\n",
         "error f.yaml:5:3 items[1]: the field \"spec\" is missing: a mapping is needed\n"
         "error f.yaml:6:3 items[2]: not a Kubernetes resource: a mapping with apiVersion, kind, "
         "metadata and spec is expected\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesClusterList\nitems:\n"
         "- apiVersion: v1\n  kind: List\n  items: []\n",
         ""},
        {"{\"apiVersion\": \"v1\", \"kind\": \"List\",\n \"items\": [{\"kind\": \"Secret\"}]}",
         "error f.yaml:2:12 items[0]: the field \"apiVersion\" is missing: this is no Kubernetes "
         "resource\n"},
        {"apiVersion: v1\nkind: List\nitems: 5\n",
         "error f.yaml:3:1 items: must be a list, found a number: begin every item with \"- \"\n"},
        {"apiVersion: v1\nkind: SecretList\nitems: {a: 1}\n",
         "error f.yaml:3:1 items: must be a list, found a mapping: begin every item with \"- \"\n"},
        {"apiVersion: v1\nkind: List\n",
         "error f.yaml:1:1 the field \"items\" is missing: a list is needed\n"},
        {"apiVersion: v1\nkind: List\nitems: null\n", ""},
        {"apiVersion: example.com/v1\nkind: AccessList\n",
         "warning f.yaml:2:1 kind: ignored: resilog has no use for AccessList of example.com/v1\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_a_server_adds_to_a_resource_is_accepted(void **state)
{
    (void)state;
    rig_expect(
        "apiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesCluster\n"
        "metadata: {name: c, uid: u, resourceVersion: \"1\", generation: 1, creationTimestamp: "
        "null, labels: {a: b}, annotations: {}, managedFields: [], namespace: null}\n"
        "spec: {secretName: sa}\nstatus: {phase: x}\n",
        "");
}

static void the_same_name_in_another_namespace_or_of_another_kind_is_another_resource(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read("apiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesCluster\n"
                 "metadata: {name: a, namespace: other}\nspec: {secretName: a}\n---\n"
                 "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: other}\n"
                 "stringData:\n  kubeconfig.yaml: |\n"
                 "    current-context: c\n    contexts: [{name: c, context: {cluster: k}}]\n"
                 "    clusters: [{name: k, cluster: {server: 'https://other.example:6443'}}]\n");
    const struct cluster *c = resources_cluster(r, 2);
    assert_non_null(c);
    assert_null(resources_cluster(r, 3));
    assert_string_equal(c->full_name, "other/a");
    assert_string_equal(c->ns, "other");
    assert_string_equal(c->name, "a");
    assert_string_equal(resources_cluster(r, 0)->full_name, "default/a");
}

static void kinds_that_keep_the_same_thing_share_their_names(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {DATABASE("a"),
         "error f.yaml:3:12 metadata.name: Database default/a has the name of the "
         "KubernetesCluster in clusters.yaml:1:1, and a log is kept under it: give one of them "
         "another name\n"},
        {DATABASE("x") "apiVersion: automation.astronetes.io/v1alpha1\nkind: Synchronization\n"
                       "metadata: {name: s}\nspec: {plugin: zookeeper-to-zookeeper-nodes, config: "
                       "{sourceName: x, destinationName: z, rootPath: /}}\n---\n" DATABASE(
                           "z") "apiVersion: automation.astronetes.io/v1alpha1\n"
                                "kind: LiveSynchronization\nmetadata: {name: s}\nspec: {plugin: "
                                "zookeeper-to-zookeeper-nodes, config: {sourceName: x, "
                                "destinationName: z, rootPath: /}}\n",
         "error f.yaml:18:12 metadata.name: LiveSynchronization default/s has the name of the "
         "Synchronization in f.yaml:6:1, and a checkpoint is kept under it: give one of them "
         "another name\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_must_be_names, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(two_resources_of_one_name_are_an_error_with_both_places,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(kinds_that_keep_the_same_thing_share_their_names, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(lists_are_taken_apart_and_places_name_the_item, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_a_server_adds_to_a_resource_is_accepted, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            the_same_name_in_another_namespace_or_of_another_kind_is_another_resource, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

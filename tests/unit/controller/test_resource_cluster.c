/* controller/resource_cluster: the Secret of a cluster, and files given in its place. */
#include "tests/unit/controller/resource_rig.h"

#include "tests/fakes/expired_cert.h"
#include "tests/fakes/fake_clock.h"

static void a_cluster_needs_the_name_of_a_secret(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: \"\"}\n"
         "---\n",
         "error f.yaml:4:8 spec.secretName: must not be empty\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: ../x/sa}\n"
         "---\n",
         "error f.yaml:4:8 spec.secretName: \"../x/sa\" is no name of a Secret in the same "
         "namespace: allowed are lower-case letters, digits, '-' and '.', beginning and ending "
         "with a letter or digit, at most 253 characters\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: <secret_name>}\n"
         "---\n",
         "error f.yaml:4:8 spec.secretName: \"<secret_name>\" is no name of a Secret in the same "
         "namespace: allowed are lower-case letters, digits, '-' and '.', beginning and ending "
         "with a letter or digit, at most 253 characters\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {}\n",
         "error f.yaml:4:1 spec: the field \"secretName\" is missing: a string is needed\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n",
         "error f.yaml:1:1 the field \"spec\" is missing: a mapping is needed\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretname: sa}\n",
         "error f.yaml:4:1 spec: the field \"secretName\" is missing: a string is needed\n"
         "error f.yaml:4:8 spec.secretname: unknown field \"secretname\"; did you mean "
         "\"secretName\"? allowed: secretName\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: 5}\n",
         "error f.yaml:4:8 spec.secretName: must be a string, found the number 5: put it in "
         "quotes\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_client_certificate_that_has_expired_is_a_warning(void **state)
{
    (void)state;
    static const char *const options[] = {"a=late"}, *const files[] = {"f.yaml"};
    struct fake_clock clock;
    struct resources_opts opts = {.files = files,
                                  .n_files = 1,
                                  .kubeconfigs = options,
                                  .n_kubeconfigs = 1,
                                  .clock = &clock.clock};
    rig_file("f.yaml", SLICE(CLUSTERS));
    rig_file("cert", SLICE(EXPIRED_CERT));
    rig_file("key", SLICE(EXPIRED_KEY));
    rig_file("late",
             SLICE("current-context: c\n"
                   "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                   "clusters: [{name: k, cluster: {server: \"https://a.example\"}}]\n"
                   "users: [{name: u, user: {client-certificate: cert, client-key: key}}]\n"));
    fake_clock_init(&clock, EXPIRED_AT_NS - 1);
    rig_expect_opts(&opts, "");
    fake_clock_init(&clock, EXPIRED_AT_NS);
    rig_expect_opts(&opts, "warning late the client certificate of the kubeconfig expired "
                           "at " EXPIRED_AT ".000000000Z: renew it\n");
}

static void a_secret_that_is_missing_or_in_another_namespace_names_the_nearest(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: sc}\n"
         "---\n",
         "error f.yaml:4:8 spec.secretName: there is no Secret default/sc in the files: add it, or "
         "name a kubeconfig by --kubeconfig default/c=FILE; known: sa, sb\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: zzzzzzz}\n"
         "---\n",
         "error f.yaml:4:8 spec.secretName: there is no Secret default/zzzzzzz in the files: add "
         "it, or name a kubeconfig by --kubeconfig default/c=FILE; known: sa, sb\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c, namespace: other}\n"
         "spec: {secretName: sa}\n",
         "error f.yaml:4:8 spec.secretName: there is no Secret other/sa in the files: add it, or "
         "name a kubeconfig by --kubeconfig other/c=FILE; did you mean \"default/sa\"?\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_secret_that_is_wrong_says_why_and_shows_no_value(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: {kubeconfig: aHVudGVyMg==, other: aHVudGVyMg==}\n",
         "error f.yaml:4:8 spec.secretName: Secret default/x (f.yaml:6:1) has no key "
         "\"kubeconfig.yaml\"; its keys: kubeconfig, other\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData: {}\n",
         "error f.yaml:4:8 spec.secretName: Secret default/x (f.yaml:6:1) has no key "
         "\"kubeconfig.yaml\"; its keys: none\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: {kubeconfig.yaml: \"hunter2!\"}\n",
         "error f.yaml:9:8 data[\"kubeconfig.yaml\"]: is not base64; plain text belongs in "
         "stringData instead of data\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: {kubeconfig.yaml: aHVudGVyMg==}\n",
         "error f.yaml:9:8 data[\"kubeconfig.yaml\"]: kubeconfig.yaml:1:1: the kubeconfig is no "
         "mapping\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData:\n"
         "  kubeconfig.yaml: |\n"
         "    users: [{name: u, user: {exec: {command: hunter2}}}]\n"
         "    current-context: c\n"
         "    contexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "    clusters: [{name: k, cluster: {server: https://x}}]\n",
         "error f.yaml:10:3 stringData[\"kubeconfig.yaml\"]: kubeconfig.yaml:1:26: user.exec is "
         "not taken from a Secret; use token of a service account, or a client certificate, or "
         "give this kubeconfig as a file by --kubeconfig NAME=FILE\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_secret_of_the_wrong_shape_shows_no_value(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: {kubeconfig.yaml: 77}\n"
         "stringData: {a: 1}\n",
         "error f.yaml:9:8 data[\"kubeconfig.yaml\"]: must be a string, found a number: put it in "
         "quotes\n"
         "error f.yaml:10:14 stringData.a: must be a string, found a number: put it in quotes\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: [hunter2]\n",
         "error f.yaml:9:1 data: must be a mapping, found a list\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "data: hunter2\n"
         "stringData: |\n"
         "  token: hunter2\n",
         "error f.yaml:9:1 data: must be a mapping, found a string\n"
         "error f.yaml:10:1 stringData: must be a mapping, found a string\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "dat: {kubeconfig.yaml: hunter2}\n",
         "error f.yaml:9:1 dat: unknown field \"dat\"; did you mean \"data\"? allowed: apiVersion, "
         "kind, metadata, type, data, stringData, immutable\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData: {kubeconfig.yaml: \"\"}\n",
         "error f.yaml:9:14 stringData[\"kubeconfig.yaml\"]: kubeconfig.yaml: a kubeconfig is one "
         "YAML document, here are 0\n"},
        {"apiVersion: assets.astronetes.io/v1alpha1\n"
         "kind: KubernetesCluster\n"
         "metadata: {name: c}\n"
         "spec: {secretName: x}\n"
         "---\n"
         "apiVersion: v1\n"
         "kind: Secret\n"
         "metadata: {name: x}\n"
         "stringData:\n"
         "  kubeconfig.yaml: \"a: [\\n\"\n",
         "error f.yaml:10:3 stringData[\"kubeconfig.yaml\"]: kubeconfig.yaml:2:1: did not find "
         "expected node content\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void expect_with(const char *const *kubeconfigs, size_t n, const char *expected)
{
    static const char *const files[] = {"f.yaml"};
    struct resources_opts opts = {
        .files = files, .n_files = 1, .kubeconfigs = kubeconfigs, .n_kubeconfigs = n};
    rig_expect_opts(&opts, expected);
}

static void a_file_given_for_a_cluster_takes_the_place_of_its_secret(void **state)
{
    (void)state;
    static const char *const files[] = {"f.yaml"};
    static const char *const kubeconfigs[] = {"a=k.yaml", "default/b=k2.yaml"};
    struct resources_opts opts = {
        .files = files, .n_files = 1, .kubeconfigs = kubeconfigs, .n_kubeconfigs = 2};
    rig_file("f.yaml", slice_str(CLUSTER("a", "nowhere") CLUSTER("b", "nowhere")));
    rig_file("k.yaml", slice_str(KUBECONFIG("https://one.example")));
    rig_file("k2.yaml", slice_str(KUBECONFIG("https://two.example")));
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    assert_int_equal(resources_errors(r), 0);
    assert_null(resources_problem(r, 0));
    assert_non_null(strstr(resources_cluster(r, 0)->config.target.url, "https://one.example"));
    assert_non_null(strstr(resources_cluster(r, 1)->config.target.url, "https://two.example"));
    assert_string_equal(resources_cluster(r, 0)->config.target.token, SECRET_MARK);
}

static void a_secret_gives_its_kubeconfig_as_text_or_in_base64(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(CLUSTER(
        "c", "sc") "apiVersion: v1\nkind: Secret\nmetadata: {name: sc}\ntype: Opaque\ndata:\n"
                   "  kubeconfig.yaml: "
                   "Y3VycmVudC1jb250ZXh0OiBjCmNvbnRleHRzOiBbe25hbWU6IGMsIGNvbnRleHQ6IHtjbHVz"
                   "dGVyOiBrfX1dCmNsdXN0ZXJzOiBbe25hbWU6IGssIGNsdXN0ZXI6IHtzZXJ2ZXI6ICdodHRwczovL2R"
                   "hdGEuZXhh"
                   "bXBsZSd9fV0K\n");
    assert_non_null(strstr(resources_cluster(r, 0)->config.target.url, "https://sa.example:6443"));
    assert_non_null(strstr(resources_cluster(r, 2)->config.target.url, "https://data.example"));
}

static void a_wrong_kubeconfig_option_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *option, *problems;
    } cases[] = {
        {"a", "error --kubeconfig \"a\" is not of the form NAME=FILE or NAMESPACE/NAME=FILE\n"},
        {"=k.yaml",
         "error --kubeconfig \"=k.yaml\" is not of the form NAME=FILE or NAMESPACE/NAME=FILE\n"},
        {"a=", "error --kubeconfig \"a=\" is not of the form NAME=FILE or NAMESPACE/NAME=FILE\n"},
        {"cluster-11=k.yaml",
         "error --kubeconfig there is no KubernetesCluster \"cluster-11\" in the "
         "files; did you mean \"cluster-1\"?\n"},
        {"other/cluster-1=k.yaml", "error --kubeconfig there is no KubernetesCluster "
                                   "\"other/cluster-1\" in the files; did you "
                                   "mean \"default/cluster-1\"?\n"},
        {"x=k.yaml", "error --kubeconfig there is no KubernetesCluster \"x\" in the files; known: "
                     "cluster-1\n"},
        {"cluster-1=none.yaml", "error none.yaml No such file or directory\n"},
        {"cluster-1=bad.yaml",
         "error bad.yaml:1:1 the kubeconfig has the unknown field \"a\"; allowed: apiVersion, "
         "kind, clusters, users, contexts, current-context, preferences, extensions\n"},
    };
    rig_file("f.yaml", slice_str(SECRET("s") CLUSTER("cluster-1", "s")));
    rig_file("k.yaml", slice_str(KUBECONFIG("https://one.example")));
    rig_file("bad.yaml", SLICE("a: b\ncurrent-context: c\n"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_with(&cases[i].option, 1, cases[i].problems);
}

static void one_cluster_is_not_given_twice_and_a_bare_name_must_mean_one(void **state)
{
    (void)state;
    static const char *const twice[] = {"a=k.yaml", "default/a=k.yaml"};
    static const char *const any[] = {"a=k.yaml"};
    rig_file("k.yaml", slice_str(KUBECONFIG("https://one.example")));
    rig_file("f.yaml", slice_str(CLUSTER("a", "s")));
    expect_with(twice, 2, "error --kubeconfig KubernetesCluster default/a is given twice\n");
    rig_file("f.yaml",
             slice_str(CLUSTER("a", "s") SECRET(
                 "s") "apiVersion: assets.astronetes.io/v1alpha1\nkind: KubernetesCluster\n"
                      "metadata: {name: a, namespace: z}\nspec: {secretName: s}\n---\n"
                      "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: z}\n"
                      "stringData: {kubeconfig.yaml: \"current-context: c\\ncontexts: "
                      "[{name: c, context: {cluster: k}}]\\nclusters: [{name: k, cluster: "
                      "{server: 'https://z'}}]\"}\n"));
    expect_with(any, 1,
                "error --kubeconfig \"a\" may be default/a or z/a: write the namespace, too\n");
}

static void offline_a_missing_secret_is_a_warning_and_a_wrong_one_an_error(void **state)
{
    (void)state;
    static const char *const files[] = {"f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 1, .offline = true};
    rig_file("f.yaml", slice_str(CLUSTER("a", "s")));
    rig_expect_opts(
        &opts, "warning f.yaml:4:8 spec.secretName: there is no Secret default/s in the files\n");
    rig_file("f.yaml", slice_str(CLUSTER("a", "s") "apiVersion: v1\nkind: Secret\n"
                                                   "metadata: {name: s}\ndata: {x: \"\"}\n"));
    rig_expect_opts(&opts,
                    "error f.yaml:4:8 spec.secretName: Secret default/s (f.yaml:6:1) has no key "
                    "\"kubeconfig.yaml\"; its keys: x\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_certificate_that_has_expired_is_a_warning,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_cluster_needs_the_name_of_a_secret, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            a_secret_that_is_missing_or_in_another_namespace_names_the_nearest, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(a_secret_that_is_wrong_says_why_and_shows_no_value,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_secret_of_the_wrong_shape_shows_no_value, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_file_given_for_a_cluster_takes_the_place_of_its_secret,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_secret_gives_its_kubeconfig_as_text_or_in_base64,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_kubeconfig_option_says_what_is_wrong, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            one_cluster_is_not_given_twice_and_a_bare_name_must_mean_one, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            offline_a_missing_secret_is_a_warning_and_a_wrong_one_an_error, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/resource_secret: the Secrets that other resources name. Most of it is shown by test_resource_cluster and
 * test_resource_database; here is what both kinds share. */
#include "tests/unit/controller/resource_rig.h"

#define TWO(secret)                                                                                \
    CLUSTER("c", secret)                                                                           \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: d}\n"             \
    "spec: {zookeeper: {client: {servers: [h], secretName: " secret "}}}\n"

static void a_secret_that_is_not_there_is_told_and_offline_may_be_elsewhere(void **state)
{
    (void)state;
    static const char *const files[] = {"f.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 1};
    rig_file("f.yaml", SLICE(TWO("s")));
    rig_expect_opts(&opts, "error f.yaml:4:8 spec.secretName: there is no Secret default/s in the "
                           "files: add it, or name a kubeconfig by --kubeconfig default/c=FILE\n"
                           "error f.yaml:9:43 spec.zookeeper.client.secretName: there is no Secret "
                           "default/s in the files: add it\n");
    opts.offline = true;
    rig_expect_opts(&opts, "warning f.yaml:4:8 spec.secretName: there is no Secret default/s in "
                           "the files\n"
                           "warning f.yaml:9:43 spec.zookeeper.client.secretName: there is no "
                           "Secret default/s in the files\n");
}

static void the_name_of_a_secret_is_a_name(void **state)
{
    (void)state;
    rig_expect(
        TWO("../s"),
        "error f.yaml:4:8 spec.secretName: \"../s\" is no name of a Secret in the same "
        "namespace: allowed are lower-case letters, digits, '-' and '.', beginning and "
        "ending with a letter or digit, at most 253 characters\n"
        "error f.yaml:9:43 spec.zookeeper.client.secretName: \"../s\" is no name of a Secret "
        "in the same namespace: allowed are lower-case letters, digits, '-' and '.', "
        "beginning and ending with a letter or digit, at most 253 characters\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_secret_that_is_not_there_is_told_and_offline_may_be_elsewhere, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(the_name_of_a_secret_is_a_name, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

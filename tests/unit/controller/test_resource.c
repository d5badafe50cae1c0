/* controller/resource: all problems at once and in order, and nothing left of what was read. */
#include "tests/unit/controller/resource_rig.h"

static void problems_of_all_files_are_listed_in_the_order_of_files_and_lines(void **state)
{
    (void)state;
    static const char *const files[] = {"z.yaml", "a.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 2};
    rig_file("z.yaml", slice_str(CLUSTER("a", "none") SYNC "  plugin: x\n"));
    rig_file("a.yaml", slice_str("a: [\n"));
    rig_expect_opts(&opts,
                    "error z.yaml:4:8 spec.secretName: there is no Secret default/none in the "
                    "files: add it, or "
                    "name a kubeconfig by --kubeconfig default/a=FILE\n"
                    "error z.yaml:9:1 spec: the field \"config\" is missing: a mapping is needed\n"
                    "error z.yaml:10:3 spec.plugin: \"x\" is not allowed; allowed: "
                    "kubernetes-objects-to-kubernetes, zookeeper-to-zookeeper-nodes\n"
                    "error a.yaml:2:1 did not find expected node content\n");
}

static void references_may_point_to_later_documents_and_other_files(void **state)
{
    (void)state;
    static const char *const files[] = {"1.yaml", "2.yaml", "3.yaml"};
    struct resources_opts opts = {.files = files, .n_files = 3};
    rig_file("1.yaml", slice_str(RESOURCES "      - {version: v1, resource: configmaps}\n"));
    rig_file("2.yaml", slice_str(CLUSTER("b", "sb") CLUSTER("a", "sa") SECRET("sa")));
    rig_file("3.yaml", slice_str(SECRET("sb")));
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    assert_int_equal(resources_errors(r), 0);
    assert_string_equal(resources_sync(r, 0)->source->name, "a");
    assert_string_equal(resources_sync(r, 0)->destination->name, "b");
}

static void no_resource_at_all_has_no_record_and_no_end_that_can_be_passed(void **state)
{
    (void)state;
    struct resources_opts opts = {.files = NULL};
    AUTO(resources_freep) struct resources *r = rig_load(&opts);
    assert_null(resources_sync(r, 0));
    assert_null(resources_cluster(r, 0));
    assert_null(resources_cluster(r, SIZE_MAX));
    assert_null(resources_problem(r, 0));
    assert_int_equal(resources_errors(r), 0);
    resources_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            problems_of_all_files_are_listed_in_the_order_of_files_and_lines, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(references_may_point_to_later_documents_and_other_files,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            no_resource_at_all_has_no_record_and_no_end_that_can_be_passed, rig_setup,
            rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

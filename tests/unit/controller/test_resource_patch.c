/* controller/resource_patch: which operations and paths are taken. */
#include "tests/unit/controller/resource_rig.h"

#define AT0 "spec.config.replication.resources[0]"
/* Operations follow, from line 15 on. */
#define PATCH                                                                                      \
    RESOURCES "      - version: v1\n        resource: configmaps\n        transformation:\n      " \
              "    patch:\n"

static void operations_are_add_replace_and_remove(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {PATCH "          - {op: delete, path: /a}\n",
         "warning f.yaml:15:14 " AT0 ".transformation.patch[0].op: \"delete\" is no operation of "
         "JSON Patch: taken as \"remove\"\n"},
        {PATCH "          - {op: move, path: /a, from: /b}\n",
         "error f.yaml:15:14 " AT0
         ".transformation.patch[0].op: \"move\" is not allowed; allowed: add, replace, remove\n"
         "error f.yaml:15:34 " AT0
         ".transformation.patch[0].from: unknown field \"from\"; allowed: op, path, value\n"},
        {PATCH "          - {op: Replace, path: /a, value: 1}\n",
         "error f.yaml:15:14 " AT0 ".transformation.patch[0].op: \"Replace\" is not allowed; did "
         "you mean \"replace\"? allowed: add, replace, remove\n"},
        {PATCH "          - {op: test, path: /a, value: 1}\n",
         "error f.yaml:15:14 " AT0
         ".transformation.patch[0].op: \"test\" is not allowed; allowed: add, replace, remove\n"},
        {PATCH "          - {path: /a}\n",
         "error f.yaml:15:13 " AT0
         ".transformation.patch[0]: the field \"op\" is missing: a string is needed\n"},
        {PATCH "          - {op: 1, path: /a}\n",
         "error f.yaml:15:14 " AT0
         ".transformation.patch[0].op: must be a string, found the number 1: put it in quotes\n"},
        {PATCH "          - replace\n",
         "error f.yaml:15:13 " AT0
         ".transformation.patch[0]: must be a mapping, found the string \"replace\"\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_value_is_needed_for_add_and_replace_and_may_be_null(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {PATCH "          - {op: replace, path: /a}\n",
         "error f.yaml:15:13 " AT0 ".transformation.patch[0]: the field \"value\" is missing: "
         "replace needs one (null is one)\n"},
        {PATCH "          - {op: add, path: /a}\n",
         "error f.yaml:15:13 " AT0
         ".transformation.patch[0]: the field \"value\" is missing: add needs one (null is one)\n"},
        {PATCH "          - {op: add, path: /a, value: null}\n", ""},
        {PATCH "          - {op: remove, path: /a, value: 1}\n", ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void paths_are_json_pointers_to_what_may_be_changed(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {PATCH "          - {op: remove}\n",
         "error f.yaml:15:13 " AT0
         ".transformation.patch[0]: the field \"path\" is missing: a string is needed\n"},
        {PATCH "          - {op: remove, path: a}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"a\" does not begin with '/'\n"},
        {PATCH "          - {op: remove, path: /a~2b}\n",
         "error f.yaml:15:26 " AT0 ".transformation.patch[0].path: path \"/a~2b\": '~' stands only "
         "in ~0 (for ~) and ~1 (for /)\n"},
        {PATCH "          - {op: remove, path: ''}\n",
         "error f.yaml:15:26 " AT0 ".transformation.patch[0].path: the path \"\" is the whole "
         "object, which cannot be patched away\n"},
        {PATCH "          - {op: remove, path: 5}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: must be a string, found the number 5: put it in quotes\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_makes_an_object_itself_cannot_be_patched(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {PATCH "          - {op: remove, path: /apiVersion}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/apiVersion\": /apiVersion makes the object what "
         "it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /kind}\n",
         "error f.yaml:15:26 " AT0 ".transformation.patch[0].path: path \"/kind\": /kind makes the "
         "object what it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/metadata\": /metadata/name makes the object what "
         "it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata/name}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/metadata/name\": /metadata/name makes the object "
         "what it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata/namespace}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/metadata/namespace\": /metadata/namespace makes "
         "the object what it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata/uid}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/metadata/uid\": /metadata/uid makes the object "
         "what it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata/resourceVersion/x}\n",
         "error f.yaml:15:26 " AT0
         ".transformation.patch[0].path: path \"/metadata/resourceVersion/x\": "
         "/metadata/resourceVersion makes the object what it is and cannot be patched\n"},
        {PATCH "          - {op: remove, path: /metadata/names}\n", ""},
        {PATCH "          - {op: remove, path: /metadata/annotations/a~1b}\n", ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void recovery_patches_are_checked_as_well(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - version: v1\n"
                   "        resource: configmaps\n"
                   "        recoveryProcess: {fromPatch: [{op: remove, path: x}], fromOriginal: "
                   "{enabled: true}, patchOptions: {skip: true}}\n",
         "error f.yaml:13:52 " AT0
         ".recoveryProcess.fromPatch[0].path: path \"x\" does not begin with '/'\n"
         "error f.yaml:13:109 " AT0 ".recoveryProcess.patchOptions.skip: unknown field \"skip\"; "
         "allowed: skipIfNotFoundOnDelete\n"},
        {RESOURCES "      - version: v1\n"
                   "        resource: configmaps\n"
                   "        recoveryProcess: {fromOriginal: {enabled: false}}\n"
                   "        transformation: {patchOptions: {skipIfNotFoundOnDelete: 'true'}}\n",
         "error f.yaml:14:41 " AT0
         ".transformation.patchOptions.skipIfNotFoundOnDelete: must be true or false, found the "
         "string \"true\": write it without quotes\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void operations_keep_their_order_and_the_text_of_their_values(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(
        RESOURCES "      - version: v1\n        resource: configmaps\n        transformation:\n"
                  "          patchOptions: {skipIfNotFoundOnDelete: true}\n          patch:\n"
                  "          - {op: replace, path: /spec/replicas, value: 0}\n"
                  "          - {op: add, path: /data/a~1b, value: {\"k\": [1.50, null]}}\n"
                  "          - {op: delete, path: /spec/strategy}\n"
                  "          - {op: add, path: /data/x, value: null}\n");
    const struct replication_entry *e = &resources_sync(r, 0)->replication.entries[0];
    assert_true(e->patch_skip_missing);
    assert_int_equal(e->n_patch, 4);
    assert_int_equal(e->patch[0].kind, JSON_PATCH_REPLACE);
    assert_true(slice_eq(e->patch[0].path, SLICE("/spec/replicas")));
    assert_true(slice_eq(e->patch[0].value, SLICE("0")));
    assert_int_equal(e->patch[1].kind, JSON_PATCH_ADD);
    assert_true(slice_eq(e->patch[1].path, SLICE("/data/a~1b")));
    assert_true(slice_eq(e->patch[1].value, SLICE("{\"k\":[1.50,null]}")));
    assert_int_equal(e->patch[2].kind, JSON_PATCH_REMOVE);
    assert_int_equal(e->patch[2].value.n, 0);
    assert_true(slice_eq(e->patch[3].value, SLICE("null")));
}

static void more_operations_than_allowed_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf yaml = BUF_INIT(1 << 20);
    buf_add_str(&yaml, RESOURCES "      - version: v1\n        resource: configmaps\n"
                                 "        transformation:\n          patch:\n");
    for (size_t i = 0; i < 1001; i++)
        buf_add_str(&yaml, "          - {op: remove, path: /a}\n");
    rig_expect(yaml.p,
               "error f.yaml:14:11 "
               "spec.config.replication.resources[0].transformation.patch: 1001 operations, "
               "the most allowed is 1000\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(operations_are_add_replace_and_remove, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_value_is_needed_for_add_and_replace_and_may_be_null,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(paths_are_json_pointers_to_what_may_be_changed, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_makes_an_object_itself_cannot_be_patched, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(recovery_patches_are_checked_as_well, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(operations_keep_their_order_and_the_text_of_their_values,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(more_operations_than_allowed_are_refused, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

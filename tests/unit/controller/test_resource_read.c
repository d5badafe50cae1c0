/* controller/resource_read: files, folders, standard input, and what cannot be read. */
#include "tests/unit/controller/resource_rig.h"

#include "core/yaml.h"

#include <fcntl.h>
#include <sys/stat.h>

static void expect_files(const char *const *files, size_t n, const char *expected)
{
    struct resources_opts opts = {.files = files, .n_files = n};
    rig_expect_opts(&opts, expected);
}

static void a_folder_gives_its_manifests_by_name_and_nothing_below(void **state)
{
    (void)state;
    static const char *const folder[] = {"."};
    rig_file("b.yaml", SLICE("kind: B\n"));
    rig_file("a.yml", SLICE("kind: A\n"));
    rig_file("c.json", SLICE("{\"kind\": \"C\"}"));
    rig_file("d.txt", SLICE("kind: D\n"));
    rig_file("yaml", SLICE("kind: E\n"));
    assert_int_equal(mkdir("below.yaml", 0700), 0);
    expect_files(
        folder, 1,
        "error ./a.yml:1:1 the field \"apiVersion\" is missing: this is no Kubernetes resource\n"
        "error ./b.yaml:1:1 the field \"apiVersion\" is missing: this is no Kubernetes resource\n"
        "error ./c.json:1:1 the field \"apiVersion\" is missing: this is no Kubernetes resource\n");
}

static void a_folder_without_manifests_is_an_error(void **state)
{
    (void)state;
    static const char *const folder[] = {"empty/"};
    assert_int_equal(mkdir("empty", 0700), 0);
    expect_files(folder, 1, "error empty/ no *.yaml, *.yml or *.json file in this folder\n");
}

static void a_file_that_is_not_there_is_named_and_the_others_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {"no.yaml", "f.yaml"};
    rig_file("f.yaml", SLICE("- 1\n"));
    expect_files(files, 2,
                 "error no.yaml No such file or directory\n"
                 "error f.yaml:1:1 not a Kubernetes resource: a mapping with apiVersion, kind, "
                 "metadata and spec is expected\n");
}

static void an_empty_file_is_an_error_where_it_was_asked_for_and_else_a_warning(void **state)
{
    (void)state;
    static const char *const file[] = {"f.yaml"}, *const folder[] = {"."};
    static const char *const empty[] = {"", "# nothing\n", "---\n---\n", "null\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        rig_file("f.yaml", slice_str(empty[i]));
        expect_files(file, 1,
                     "error f.yaml no resource in this file: it is empty or only comments\n");
        expect_files(folder, 1,
                     "warning ./f.yaml no resource in this file: it is empty or only comments\n");
    }
}

static void yaml_that_cannot_be_read_has_its_place(void **state)
{
    (void)state;
    static const char *const file[] = {"f.yaml"};
    static const struct {
        const char *yaml, *problems;
    } cases[] = {
        {"a: 1\na: 2\n",
         "error f.yaml:2:1 the key \"a\" stands twice in this mapping: remove one\n"},
        {"a: &x 1\n",
         "error f.yaml:1:4 anchors (&name) are not supported: write the value out where "
         "it is used\n"},
        {"a:\n\tb: 1\n",
         "error f.yaml:2:1 a tab in the indentation: YAML allows only spaces there, "
         "replace it\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_file("f.yaml", slice_str(cases[i].yaml));
        expect_files(file, 1, cases[i].problems);
    }
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    static const char *const file[] = {"f.yaml"};
    AUTO(freep) char *text = malloc(YAML_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', YAML_TEXT_MAX + 1);
    rig_file("f.yaml", slice_of(text, YAML_TEXT_MAX + 1));
    expect_files(file, 1, "error f.yaml larger than the 16777216 bytes that are allowed\n");
}

static void a_dash_is_standard_input(void **state)
{
    (void)state;
    static const char *const dash[] = {"-"};
    rig_file("in", SLICE("kind: A\n---\nkind: B\napiVersion: v1\n"));
    int saved = dup(STDIN_FILENO), in = open("in", O_RDONLY);
    assert_true(in >= 0 && dup2(in, STDIN_FILENO) == STDIN_FILENO);
    close(in);
    expect_files(dash, 1,
                 "error -:1:1 the field \"apiVersion\" is missing: this is no Kubernetes resource\n"
                 "warning -:3:1 kind: ignored: resilog has no use for B of v1\n");
    if (saved >= 0) {
        assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
        close(saved);
    }
}

static bool same_signature(uint8_t before[RESOURCE_DIGEST])
{
    static const char *const folder[] = {"."}, *const kubeconfigs[] = {"a=other/kubeconfig"};
    const struct resources_opts opts = {
        .files = folder, .n_files = 1, .kubeconfigs = kubeconfigs, .n_kubeconfigs = 1};
    uint8_t now[RESOURCE_DIGEST];
    struct err e = ERR_INIT;
    assert_int_equal(resources_signature(&opts, now, &e), RC_OK);
    bool same = memcmp(now, before, sizeof now) == 0;
    memcpy(before, now, sizeof now);
    return same;
}

static void every_change_of_a_file_changes_the_signature(void **state)
{
    (void)state;
    uint8_t signature[RESOURCE_DIGEST] = {0};
    rig_file("a.yaml", SLICE("kind: A\n"));
    assert_false(same_signature(signature));
    assert_true(same_signature(signature));
    rig_file("a.yaml", SLICE("kind: longer\n"));
    assert_false(same_signature(signature));
    rig_file("b.yaml", SLICE("kind: A\n"));
    assert_false(same_signature(signature));
    rig_file("b.txt", SLICE("not read\n"));
    assert_true(same_signature(signature));
    assert_int_equal(rename("b.yaml", "a.yaml"), 0); /* as an editor saves */
    assert_false(same_signature(signature));
    assert_int_equal(mkdir("other", 0700), 0);
    rig_file("other/kubeconfig", SLICE("x"));
    assert_false(same_signature(signature));
    assert_true(same_signature(signature));
    assert_int_equal(unlink("other/kubeconfig"), 0);
    assert_false(same_signature(signature));
}

static bool rereadable(const char *file, const char *kubeconfig)
{
    const struct resources_opts opts = {
        .files = &file, .n_files = 1, .kubeconfigs = &kubeconfig, .n_kubeconfigs = 1};
    struct err e = ERR_INIT;
    bool is = false;
    assert_int_equal(resources_rereadable(&opts, &is, &e), RC_OK);
    return is;
}

static void what_is_no_file_cannot_be_read_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir("folder", 0700), 0);
    rig_file("folder/a.yaml", SLICE("kind: A\n"));
    rig_file("kubeconfig", SLICE("x"));
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_true(rereadable("folder", "a=kubeconfig"));
    assert_true(rereadable("folder/a.yaml", "a=not-there-yet"));
    assert_true(rereadable("not-there-yet", "wrong"));
    assert_false(rereadable("-", "a=kubeconfig"));
    assert_false(rereadable("pipe", "a=kubeconfig"));
    assert_false(rereadable("folder", "a=-"));
    assert_false(rereadable("folder", "team/a=pipe"));
    assert_int_equal(mkfifo("folder/b.yaml", 0600), 0);
    assert_false(rereadable("folder", "a=kubeconfig"));
    assert_int_equal(unlink("folder/a.yaml") + unlink("folder/b.yaml"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_gives_its_manifests_by_name_and_nothing_below),
        TEST(a_folder_without_manifests_is_an_error),
        TEST(a_file_that_is_not_there_is_named_and_the_others_are_read),
        TEST(an_empty_file_is_an_error_where_it_was_asked_for_and_else_a_warning),
        TEST(yaml_that_cannot_be_read_has_its_place),
        TEST(a_file_that_is_too_large_is_refused),
        TEST(a_dash_is_standard_input),
        TEST(every_change_of_a_file_changes_the_signature),
        TEST(what_is_no_file_cannot_be_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The samples of the documentation (tests/e2e/reference) are accepted as they are, beside the
 * clusters that they name. */
#include "tests/unit/controller/resource_rig.h"

#include <dirent.h>

static const char clusters[] = CLUSTER("source", "s") CLUSTER("destination", "s")
    DATABASE("zookeeper-source") DATABASE("zookeeper-destination");

/* REFERENCE is the folder of the samples. */
static struct resources *load_sample(const char *const *names, size_t n, bool with_clusters)
{
    char paths[4][512];
    const char *files[5] = {"clusters.yaml"};
    size_t first = with_clusters ? 0 : 1;
    assert_true(n <= 4);
    rig_file("clusters.yaml", slice_str(clusters));
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", REFERENCE, names[i]);
        files[i + 1] = paths[i];
    }
    struct resources_opts opts = {
        .files = files + first, .n_files = n + 1 - first, .offline = true};
    struct resources *r = rig_load(&opts);
    const struct problem *p;
    for (size_t i = 0; (p = resources_problem(r, i)) != NULL; i++)
        if (p->level == PROBLEM_ERROR)
            fail_msg("%s %s: %s", p->where, p->path, p->text);
    return r;
}

static void every_sample_is_accepted(void **state)
{
    (void)state;
    DIR *d = opendir(REFERENCE);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *f; (f = readdir(d)) != NULL;) {
        if (!strstr(f->d_name, ".yaml"))
            continue;
        const char *names[3] = {f->d_name};
        size_t count = 1;
        if (strcmp(f->d_name, "8.1-livesync.yaml") == 0) {
            names[count++] = "8.1-cluster-1.yaml";
            names[count++] = "8.1-cluster-2.yaml";
        }
        if (strcmp(f->d_name, "8.2-livesync.yaml") == 0) {
            names[count++] = "8.2-cluster-1.yaml";
            names[count++] = "8.2-cluster-2.yaml";
        }
        if (strncmp(f->d_name, "8.3-zookeeper-sync", 18) == 0) {
            names[count++] = "8.3-zookeeper-1.yaml";
            names[count++] = "8.3-zookeeper-2.yaml";
        }
        AUTO(resources_freep) struct resources *r = load_sample(names, count, true);
        bool is_sync = strstr(f->d_name, "livesync") || strncmp(f->d_name, "6.2.2", 5) == 0;
        bool is_once = strstr(f->d_name, "-synchronization.") || strstr(f->d_name, "-once.");
        bool is_plan = strstr(f->d_name, "-plan.") || strstr(f->d_name, "zookeeper-sync.");
        assert_int_equal(resources_sync(r, 0) != NULL, is_sync);
        assert_int_equal(resources_once(r, 0) != NULL, is_once);
        assert_int_equal(resources_plan(r, 0) != NULL, is_plan);
        n++;
    }
    closedir(d);
    assert_true(n >= 22);
}

static void the_active_passive_sample_means_what_its_chapter_says(void **state)
{
    (void)state;
    static const char *const names[] = {"8.2-cluster-1.yaml", "8.2-cluster-2.yaml",
                                        "8.2-livesync.yaml"};
    AUTO(resources_freep) struct resources *r = load_sample(names, 3, false);
    const struct sync *s = resources_sync(r, 0);
    assert_string_equal(s->full_name, "default/active-passive");
    assert_string_equal(s->source->full_name, "default/cluster-1");
    assert_string_equal(s->destination->full_name, "default/cluster-2");
    assert_string_equal(s->source->secret_name, "cluster-1-kubeconfig");
    assert_false(s->suspend);
    static const char *const resources[] = {"deployments",  "services",        "secrets",  "roles",
                                            "rolebindings", "serviceaccounts", "ingresses"};
    assert_int_equal(s->replication.n_entries, 7);
    for (size_t i = 0; i < 7; i++) {
        const struct replication_entry *e = &s->replication.entries[i];
        assert_true(slice_eq(e->resource, slice_str(resources[i])));
        assert_non_null(e->ns_selector);
        assert_null(e->selector);
        assert_int_equal(e->n_patch, i == 0 ? 1 : 0);
        assert_int_equal(e->n_not_names, i == 5 ? 1 : 0);
    }
    const struct json_patch_op *op = s->replication.entries[0].patch;
    assert_int_equal(op->kind, JSON_PATCH_REPLACE);
    assert_true(slice_eq(op->path, SLICE("/spec/replicas")));
    assert_true(slice_eq(op->value, SLICE("0")));
}

static void the_sample_of_the_whole_tree_means_what_its_chapter_says(void **state)
{
    (void)state;
    static const char *const names[] = {"8.3-zookeeper-1.yaml", "8.3-zookeeper-2.yaml",
                                        "8.3-zookeeper-sync.yaml", "8.3-zookeeper-sync-once.yaml"};
    AUTO(resources_freep) struct resources *r = load_sample(names, 4, false);
    const struct plan *p = resources_plan(r, 0);
    const struct sync *all[] = {resources_once(r, 0), &p->sync};
    assert_true(p->schedule.cron.minutes == 1 && p->schedule.cron.hours == 0xffffff);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(all[i]->source->full_name, "default/zookeeper-1");
        assert_string_equal(all[i]->destination->full_name, "default/zookeeper-2");
        assert_int_equal(all[i]->source->zookeeper->n_servers, 3);
        assert_true(slice_eq(all[i]->replication.entries[0].root, SLICE("/")));
        assert_true(all[i]->tree.create_root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_sample_is_accepted, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_active_passive_sample_means_what_its_chapter_says,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_sample_of_the_whole_tree_means_what_its_chapter_says,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

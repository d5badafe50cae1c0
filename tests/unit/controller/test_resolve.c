/* controller/resolve: which kinds `*` takes and leaves, and what a version left out becomes. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/resolve.h"
#include "core/map.h"

/* What the modelled source serves: a kind, and its versions. */
static const char *const SERVED[][2] = {
    {"/configmaps", "v1 "},
    {"/events", "v1 "},
    {"/nodes", "v1 "},
    {"/pods", "v1 "},
    {"/secrets", "v1 "},
    {"apps/controllerrevisions", "v1 "},
    {"apps/deployments", "v1 "},
    {"autoscaling/horizontalpodautoscalers", "v2 v1 "},
    {"batch/jobs", "v1 "},
    {"coordination.k8s.io/leases", "v1 "},
    {"example.com/gadgets", "v1beta1 "},
    {"example.com/widgets", "v2 v1 "},
    {"other.example/widgets", "v1 "},
};

static struct map *served(void)
{
    struct err e = ERR_INIT;
    struct map *kinds = map_new(free);
    assert_non_null(kinds);
    for (size_t i = 0; i < sizeof SERVED / sizeof *SERVED; i++)
        assert_int_equal(map_put(kinds, slice_str(SERVED[i][0]), strdup(SERVED[i][1]), &e), RC_OK);
    return kinds;
}

static void print(const struct replication *r, struct buf *out)
{
    for (size_t i = 0; i < r->n_entries; i++) {
        const struct replication_entry *entry = &r->entries[i];
        buf_addf(out, "%s%.*s/%.*s/%.*s", i ? " " : "", SLICE_ARG(entry->group),
                 SLICE_ARG(entry->resource), SLICE_ARG(entry->version));
    }
}

static struct resolved *resolved(const struct resources *r, const struct map *kinds)
{
    struct resolved *all = NULL;
    struct err e = ERR_INIT;
    assert_true(resolve_needed(&resources_sync(r, 0)->replication));
    assert_int_equal(resolve(resources_sync(r, 0), kinds, &all, &e), RC_OK);
    return all;
}

static void expect(const char *entries, const char *wanted)
{
    AUTO(buf_done) struct buf yaml = BUF_INIT(8192), out = BUF_INIT(8192);
    AUTO(map_freep) struct map *kinds = served();
    buf_addf(&yaml, RESOURCES "%s", entries);
    AUTO(resources_freep) struct resources *r = rig_read(yaml.p);
    AUTO(resolved_freep) struct resolved *all = resolved(r, kinds);
    print(&resolved_sync(all)->replication, &out);
    assert_string_equal(out.p ? out.p : "", wanted);
}

static void a_star_takes_what_the_table_lets_it_and_custom_resources(void **state)
{
    (void)state;
    expect("      - {group: '*', version: '*', resource: '*'}\n",
           "/configmaps/v1 /secrets/v1 apps/deployments/v1 "
           "autoscaling/horizontalpodautoscalers/v2 example.com/gadgets/v1beta1 "
           "example.com/widgets/v2 other.example/widgets/v1");
}

static void a_group_without_a_resource_is_all_of_it_that_needs_no_name(void **state)
{
    (void)state;
    expect("      - {group: apps, resource: '*'}\n", "apps/deployments/v1");
    expect("      - {resource: '*'}\n", "/configmaps/v1 /secrets/v1");
}

static void
a_resource_that_is_named_is_taken_in_every_group_but_never_what_is_never_copied(void **state)
{
    (void)state;
    expect("      - {group: '*', resource: widgets}\n",
           "example.com/widgets/v2 other.example/widgets/v1");
    expect("      - {group: '*', resource: jobs}\n", "batch/jobs/v1");
    expect("      - {group: '*', resource: leases}\n", "");
}

static void a_star_with_a_version_takes_what_is_served_in_it(void **state)
{
    (void)state;
    expect("      - {group: '*', version: v1beta1, resource: '*'}\n",
           "example.com/gadgets/v1beta1");
    expect("      - {group: example.com, version: v1, resource: '*'}\n", "example.com/widgets/v1");
}

static void a_kind_that_an_entry_names_is_left_to_it_wherever_it_stands(void **state)
{
    (void)state;
    expect("      - {group: '*', resource: widgets}\n"
           "      - {group: example.com, version: v1, resource: widgets}\n"
           "      - {group: '*', resource: gadgets}\n",
           "other.example/widgets/v1 example.com/widgets/v1 example.com/gadgets/v1beta1");
}

static void a_version_left_out_becomes_the_preferred_one_of_a_kind_that_is_there(void **state)
{
    (void)state;
    expect("      - {group: example.com, resource: widgets}\n"
           "      - {group: example.com, resource: sprockets}\n"
           "      - {version: v1, resource: configmaps}\n",
           "example.com/widgets/v2 /configmaps/v1");
}

#define ALL "      - {group: '*', resource: '*'}\n      excludeResources:\n"

static void what_is_excluded_is_not_taken(void **state)
{
    (void)state;
    expect(ALL "      - {resource: secrets}\n"
               "      - {group: '*', resource: widgets}\n"
               "      - {group: apps, resource: '*'}\n"
               "      - {group: autoscaling, version: v1, resource: '*'}\n"
               "      - {group: example.com, version: v2, resource: gadgets}\n",
           "/configmaps/v1 example.com/gadgets/v1beta1");
}

static void an_exclusion_with_filters_leaves_the_kind_and_becomes_one_of_its_objects(void **state)
{
    (void)state;
    AUTO(map_freep) struct map *kinds = served();
    AUTO(resources_freep)
    struct resources *r =
        rig_read(RESOURCES "      - {version: v1, resource: configmaps}\n" ALL
                           "      - {group: '*', resource: '*', filters: {selector: {}}}\n"
                           "      - {group: apps, resource: '*', filters: {}}\n"
                           "      - {group: example.com, version: v1beta1, resource: '*', filters: "
                           "{nameSelector: {regex: [x]}}}\n");
    AUTO(resolved_freep) struct resolved *all = resolved(r, kinds);
    const struct replication *of = &resolved_sync(all)->replication;
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    for (size_t i = 0; i < of->n_excluded; i++)
        buf_addf(&out, "%.*s/%.*s:%zu ", SLICE_ARG(of->excluded[i].group),
                 SLICE_ARG(of->excluded[i].resource), of->excluded[i].n_names);
    assert_string_equal(out.p, "/secrets:0 autoscaling/horizontalpodautoscalers:0 "
                               "example.com/gadgets:0 example.com/gadgets:1 "
                               "example.com/widgets:0 other.example/widgets:0 ");
}

static void an_exclusion_in_general_leaves_what_is_named_by_itself(void **state)
{
    (void)state;
    expect("      - {group: example.com, version: v1, resource: widgets}\n" ALL
           "      - {group: '*', resource: '*'}\n",
           "example.com/widgets/v1");
}

static void each_kind_keeps_the_filters_and_the_policy_of_its_entry(void **state)
{
    (void)state;
    AUTO(map_freep) struct map *kinds = served();
    AUTO(resources_freep)
    struct resources *r =
        rig_read(RESOURCES "      - {group: '*', resource: widgets, adopt: never, filters: "
                           "{nameSelector: {regex: [x]}}}\n");
    AUTO(resolved_freep) struct resolved *all = resolved(r, kinds);
    const struct replication *of = &resolved_sync(all)->replication;
    assert_int_equal(of->n_entries, 2);
    assert_int_equal(of->n_recorded, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(of->entries[i].policy.adopt, ADOPT_NEVER);
        assert_int_equal(of->entries[i].n_names, 1);
        assert_true(of->entries[i].by_star && of->entries[i].any_version);
    }
}

static void another_kind_is_another_replication_and_another_version_the_same(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO(map_freep) struct map *kinds = served();
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - {group: example.com, resource: '*'}\n");
    AUTO(resolved_freep) struct resolved *before = resolved(r, kinds);
    AUTO(resolved_freep) struct resolved *same = resolved(r, kinds);
    assert_true(resolved_same(before, same));
    assert_int_equal(map_put(kinds, SLICE("example.com/widgets"), strdup("v3 v2 "), &e), RC_OK);
    AUTO(resolved_freep) struct resolved *moved = resolved(r, kinds);
    assert_false(resolved_same(before, moved));
    assert_memory_equal(resolved_sync(before)->replication.digest,
                        resolved_sync(moved)->replication.digest, REPLICATION_DIGEST);
    assert_int_equal(map_put(kinds, SLICE("example.com/sprockets"), strdup("v1 "), &e), RC_OK);
    AUTO(resolved_freep) struct resolved *more = resolved(r, kinds);
    assert_false(resolved_same(moved, more));
    assert_memory_not_equal(resolved_sync(moved)->replication.digest,
                            resolved_sync(more)->replication.digest, REPLICATION_DIGEST);
}

static void what_names_every_kind_and_version_needs_nothing(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - {version: v1, resource: configmaps}\n");
    assert_false(resolve_needed(&resources_sync(r, 0)->replication));
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_star_takes_what_the_table_lets_it_and_custom_resources),
        T(a_group_without_a_resource_is_all_of_it_that_needs_no_name),
        T(a_resource_that_is_named_is_taken_in_every_group_but_never_what_is_never_copied),
        T(a_star_with_a_version_takes_what_is_served_in_it),
        T(a_kind_that_an_entry_names_is_left_to_it_wherever_it_stands),
        T(a_version_left_out_becomes_the_preferred_one_of_a_kind_that_is_there),
        T(what_is_excluded_is_not_taken),
        T(an_exclusion_with_filters_leaves_the_kind_and_becomes_one_of_its_objects),
        T(an_exclusion_in_general_leaves_what_is_named_by_itself),
        T(each_kind_keeps_the_filters_and_the_policy_of_its_entry),
        T(another_kind_is_another_replication_and_another_version_the_same),
        T(what_names_every_kind_and_version_needs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What copies do in the destination, as a person is told. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/effects.h"

static void expect(const char *entries, const char *wanted)
{
    AUTO(buf_done) struct buf yaml = BUF_INIT(8192);
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    buf_addf(&yaml, RESOURCES "%s", entries);
    AUTO(resources_freep) struct resources *r = rig_read(yaml.p);
    effects_print(resources_sync(r, 0), &out);
    assert_int_equal(out.bad, RC_OK);
    assert_string_equal(out.p ? out.p : "", wanted);
}

static void kinds_with_an_effect_are_named_once_each(void **state)
{
    (void)state;
    expect("      - {version: v1, resource: configmaps}\n"
           "      - {group: apps, version: v1, resource: deployments}\n"
           "      - {version: v1, resource: services}\n"
           "      - {group: apps, version: v1, resource: deployments}\n",
           "apps/deployments (runs), services (network, dns, cloud)");
}

static void data_alone_has_no_effect(void **state)
{
    (void)state;
    expect("      - {version: v1, resource: configmaps}\n"
           "      - {version: v1, resource: secrets}\n"
           "      - {group: example.com, version: v1, resource: widgets}\n",
           "");
}

static void an_effect_that_is_allowed_or_suspended_is_no_news(void **state)
{
    (void)state;
    expect("      - {group: apps, version: v1, resource: deployments, effects: allow}\n"
           "      - {group: batch, version: v1, resource: cronjobs}\n",
           "");
}

static void allowing_one_entry_does_not_silence_another_of_the_same_kind(void **state)
{
    (void)state;
    expect("      - {group: apps, version: v1, resource: deployments, effects: allow}\n"
           "      - {group: apps, version: v1, resource: deployments}\n",
           "apps/deployments (runs)");
}

static void of_a_star_what_the_table_knows_is_named_but_for_what_is_excluded(void **state)
{
    (void)state;
    expect("      - {group: '*', resource: '*'}\n"
           "      - {group: apps, version: v1, resource: deployments, effects: allow}\n"
           "      excludeResources:\n"
           "      - {group: networking.k8s.io, resource: '*'}\n"
           "      - {resource: replicationcontrollers}\n",
           "services (network, dns, cloud), apps/daemonsets (runs), apps/replicasets (runs), "
           "apps/statefulsets (runs), autoscaling/horizontalpodautoscalers (runs)");
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(kinds_with_an_effect_are_named_once_each),
        T(of_a_star_what_the_table_knows_is_named_but_for_what_is_excluded),
        T(data_alone_has_no_effect),
        T(an_effect_that_is_allowed_or_suspended_is_no_news),
        T(allowing_one_entry_does_not_silence_another_of_the_same_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

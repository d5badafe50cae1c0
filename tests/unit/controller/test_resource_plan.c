/* controller/resource_plan: SynchronizationPlans. */
#define RIG_ASSETS CLUSTERS DATABASES
#include "core/tz.h"
#include "tests/unit/controller/resource_rig.h"

#define PLAN(fields)                                                                               \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: SynchronizationPlan\n"                   \
    "metadata: {name: p}\nspec:\n" fields
#define TEMPLATE                                                                                   \
    "  template:\n    spec:\n      plugin: zookeeper-to-zookeeper-nodes\n"                         \
    "      config: {sourceName: za, destinationName: zb, rootPath: /a}\n"

static void what_is_left_out_has_the_defaults(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = rig_read(PLAN("  schedule: 0 * * * *\n" TEMPLATE));
    const struct plan *p = resources_plan(r, 0);
    assert_string_equal(p->full_name, "default/p");
    assert_true(p->schedule.cron.minutes == 1 && p->schedule.cron.hours == 0xffffff);
    assert_int_equal(p->schedule.deadline_s, -1);
    assert_int_equal(p->schedule.concurrency, CONCURRENCY_ALLOW);
    assert_false(p->schedule.suspend);
    assert_int_equal(p->keep_succeeded, 2);
    assert_int_equal(p->keep_failed, 2);
    assert_true(p->sync.once);
    assert_string_equal(p->sync.full_name, "default/p");
    assert_string_equal(p->sync.source->full_name, "default/za");
    assert_true(slice_eq(p->sync.replication.entries[0].root, SLICE("/a")));
    assert_null(resources_plan(r, 1));
    assert_null(resources_sync(r, 0));
    assert_null(resources_once(r, 0));
}

static void every_field_has_its_place_in_the_record(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Madrid", R_OK) != 0)
        skip();
    AUTO(resources_freep)
    struct resources *r = rig_read(
        PLAN("  schedule: TZ=Europe/Madrid 0 3 * * *\n  startingDeadlineSeconds: 0\n"
             "  concurrencyPolicy: Replace\n  suspend: true\n  successfulJobsHistoryLimit: 0\n"
             "  failedJobsHistoryLimit: 7\n" TEMPLATE));
    const struct plan *p = resources_plan(r, 0);
    assert_int_equal(p->schedule.cron.hours, 1 << 3);
    assert_int_equal(tz_offset(p->schedule.zone, 1768000000), 3600);
    assert_int_equal(p->schedule.deadline_s, 0);
    assert_int_equal(p->schedule.concurrency, CONCURRENCY_REPLACE);
    assert_true(p->schedule.suspend);
    assert_int_equal(p->keep_succeeded, 0);
    assert_int_equal(p->keep_failed, 7);
}

static void a_time_zone_stands_beside_the_schedule_or_before_it(void **state)
{
    (void)state;
    if (access("/usr/share/zoneinfo/Europe/Madrid", R_OK) != 0)
        skip();
    static const char *const yaml[] = {
        PLAN("  schedule: 0 3 * * *\n  timeZone: Europe/Madrid\n" TEMPLATE),
        PLAN("  schedule: CRON_TZ=Europe/Madrid 0 3 * * *\n" TEMPLATE),
    };
    for (size_t i = 0; i < 2; i++) {
        AUTO(resources_freep) struct resources *r = rig_read(yaml[i]);
        const struct schedule *plan = &resources_plan(r, 0)->schedule;
        assert_int_equal(plan->cron.hours, 1 << 3);
        assert_int_equal(tz_offset(plan->zone, 1768000000), 3600);
    }
    rig_expect(PLAN("  schedule: TZ=UTC 0 3 * * *\n  timeZone: UTC\n" TEMPLATE),
               "error f.yaml:6:3 spec.timeZone: schedule names a time zone, too: take one "
               "of the two away\n");
}

static void wrong_fields_are_told_at_their_place(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {PLAN("  schedule: \"\"\n  concurrencyPolicy: allow\n  startingDeadlineSeconds: -1\n"
              "  successfulJobsHistoryLimit: -1\n" TEMPLATE),
         "error f.yaml:5:3 spec.schedule: must not be empty\n"
         "error f.yaml:6:3 spec.concurrencyPolicy: \"allow\" is not allowed; did you mean "
         "\"Allow\"? allowed: Allow, Forbid, Replace\n"
         "error f.yaml:7:3 spec.startingDeadlineSeconds: must be an integer of 0 to "
         "2147483647, found the number -1\n"
         "error f.yaml:8:3 spec.successfulJobsHistoryLimit: must be an integer of 0 to "
         "2147483647, found the number -1\n"},
        {PLAN("  schedule: 0 3 * * *\n  template: {spec: {plugin: zookeeper-to-zookeeper-nodes, "
              "config: {sourceName: zc, destinationName: zb, rootPath: a}}}\n"),
         "error f.yaml:6:68 spec.template.spec.config.sourceName: there is no Database "
         "default/zc in the files; known: za, zb\n"
         "error f.yaml:6:105 spec.template.spec.config.rootPath: \"a\" is no path of a "
         "znode: it does not begin with /\n"},
        {PLAN("  schedule: 0 3 * *\n" TEMPLATE),
         "error f.yaml:5:3 spec.schedule: a schedule has five fields, \"minute hour day-of-month "
         "month day-of-week\"; here are 4\n"},
        {PLAN("  schedule: 0 0 30 2 *\n" TEMPLATE),
         "error f.yaml:5:3 spec.schedule: no such day ever comes\n"},
        {PLAN("  schedule: 0 3 * * *\n  timeZone: ../etc/passwd\n" TEMPLATE),
         "error f.yaml:6:3 spec.timeZone: \"../etc/passwd\" is no name of a time zone; allowed: "
         "names of the tz database, \"Europe/Madrid\"\n"},
        {PLAN("  schedule: 0 3 * * *\n"),
         "warning f.yaml:4:1 spec: there is no template.spec: the plan runs nothing\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_left_out_has_the_defaults, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(every_field_has_its_place_in_the_record, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_time_zone_stands_beside_the_schedule_or_before_it,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(wrong_fields_are_told_at_their_place, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/schedule: what is due, late, and in each other's way. */
#include "controller/schedule.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define HOUR 3600

static struct schedule plan(const char *text)
{
    struct schedule s = {.deadline_s = -1};
    struct err e = ERR_INIT;
    assert_int_equal(cron_parse(slice_str(text), &s.cron, &e), RC_OK);
    return s;
}

struct look {
    enum schedule_act act;
    int64_t due, next;
};

static struct look look(const struct schedule *s, int64_t now, struct schedule_state *state)
{
    struct look l = {.due = -1};
    l.act = schedule_look(s, now, state, &l.due, &l.next);
    return l;
}

static void a_run_begins_when_its_time_comes(void **state)
{
    (void)state;
    const struct schedule s = plan("0 * * * *");
    struct schedule_state st = {.last_s = 10 * HOUR + 5};
    struct look l = look(&s, 10 * HOUR + 100, &st);
    assert_int_equal(l.act, SCHEDULE_WAIT);
    assert_int_equal(l.next, 11 * HOUR);
    l = look(&s, 11 * HOUR + 1, &st);
    assert_int_equal(l.act, SCHEDULE_START);
    assert_int_equal(l.due, 11 * HOUR);
    assert_int_equal(l.next, 12 * HOUR);
    l = look(&s, 11 * HOUR + 2, &st);
    assert_int_equal(l.act, SCHEDULE_WAIT); /* decided */
}

static void of_many_that_were_missed_the_latest_runs(void **state)
{
    (void)state;
    const struct schedule s = plan("* * * * *");
    struct schedule_state st = {.last_s = 1};
    struct look l = look(&s, 100000 * (int64_t)HOUR + 30, &st);
    assert_int_equal(l.act, SCHEDULE_START);
    assert_int_equal(l.due, 100000 * (int64_t)HOUR);
    assert_int_equal(look(&s, 100000 * (int64_t)HOUR + 31, &st).act, SCHEDULE_WAIT);
}

static void a_seldom_time_is_found_far_back(void **state)
{
    (void)state;
    const struct schedule s = plan("0 0 1 1 *");
    struct schedule_state st = {.last_s = 0};
    const int64_t year = 365 * 24 * (int64_t)HOUR;
    struct look l = look(&s, year + 200 * 24 * HOUR, &st);
    assert_int_equal(l.act, SCHEDULE_START);
    assert_int_equal(l.due, year);
}

static void what_is_later_than_its_deadline_failed(void **state)
{
    (void)state;
    struct schedule s = plan("0 * * * *");
    s.deadline_s = 60;
    struct schedule_state st = {.last_s = 10 * HOUR};
    struct look l = look(&s, 12 * HOUR + 61, &st);
    assert_int_equal(l.act, SCHEDULE_MISSED);
    assert_int_equal(l.due, 12 * HOUR);
    assert_int_equal(look(&s, 13 * HOUR + 60, &st).act, SCHEDULE_START);
}

static void one_that_goes_on_is_waited_for_left_alone_or_replaced(void **state)
{
    (void)state;
    static const struct {
        enum concurrency policy;
        enum schedule_act act, after_its_end;
    } cases[] = {
        {CONCURRENCY_ALLOW, SCHEDULE_WAIT, SCHEDULE_START},
        {CONCURRENCY_FORBID, SCHEDULE_SKIP, SCHEDULE_WAIT},
        {CONCURRENCY_REPLACE, SCHEDULE_REPLACE, SCHEDULE_WAIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schedule s = plan("0 * * * *");
        s.concurrency = cases[i].policy;
        struct schedule_state st = {.last_s = 10 * HOUR, .running = true};
        assert_int_equal(look(&s, 11 * HOUR, &st).act, cases[i].act);
        st.running = false;
        assert_int_equal(look(&s, 11 * HOUR + 5, &st).act, cases[i].after_its_end);
    }
}

static void what_waits_longer_than_its_deadline_failed_too(void **state)
{
    (void)state;
    struct schedule s = plan("0 * * * *");
    s.deadline_s = 60;
    struct schedule_state st = {.last_s = 10 * HOUR, .running = true};
    assert_int_equal(look(&s, 11 * HOUR + 60, &st).act, SCHEDULE_WAIT);
    assert_int_equal(look(&s, 11 * HOUR + 61, &st).act, SCHEDULE_MISSED);
}

static void a_suspended_plan_does_not_run(void **state)
{
    (void)state;
    struct schedule s = plan("0 * * * *");
    s.suspend = true;
    struct schedule_state st = {.last_s = 10 * HOUR};
    assert_int_equal(look(&s, 11 * HOUR, &st).act, SCHEDULE_WAIT);
    s.suspend = false; /* what came meanwhile is made up for, as a CronJob does it */
    assert_int_equal(look(&s, 11 * HOUR + 1, &st).act, SCHEDULE_START);
}

static void a_clock_that_was_put_back_runs_nothing_twice(void **state)
{
    (void)state;
    const struct schedule s = plan("0 * * * *");
    struct schedule_state st = {.last_s = 11 * HOUR};
    assert_int_equal(look(&s, 9 * HOUR, &st).act, SCHEDULE_WAIT);
    assert_int_equal(look(&s, 11 * HOUR + 30, &st).act, SCHEDULE_WAIT);
    assert_int_equal(look(&s, 12 * HOUR, &st).act, SCHEDULE_START);
}

static void a_clock_that_was_far_ahead_does_not_silence_the_plan(void **state)
{
    (void)state;
    const struct schedule s = plan("0 * * * *");
    struct schedule_state st = {.last_s = 1000000 * (int64_t)HOUR};
    assert_int_equal(look(&s, 11 * HOUR + 1, &st).act, SCHEDULE_WAIT);
    assert_int_equal(look(&s, 12 * HOUR, &st).act, SCHEDULE_START);
}

static void what_never_comes_is_never_due(void **state)
{
    (void)state;
    const struct schedule s = plan("0 0 30 2 *");
    struct schedule_state st = {.last_s = 0};
    struct look l = look(&s, 1000 * HOUR, &st);
    assert_int_equal(l.act, SCHEDULE_WAIT);
    assert_true(l.next == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_begins_when_its_time_comes),
        cmocka_unit_test(of_many_that_were_missed_the_latest_runs),
        cmocka_unit_test(a_seldom_time_is_found_far_back),
        cmocka_unit_test(what_is_later_than_its_deadline_failed),
        cmocka_unit_test(one_that_goes_on_is_waited_for_left_alone_or_replaced),
        cmocka_unit_test(what_waits_longer_than_its_deadline_failed_too),
        cmocka_unit_test(a_suspended_plan_does_not_run),
        cmocka_unit_test(a_clock_that_was_put_back_runs_nothing_twice),
        cmocka_unit_test(a_clock_that_was_far_ahead_does_not_silence_the_plan),
        cmocka_unit_test(what_never_comes_is_never_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/cron: fields, what is refused, the next time, and the two days on which the clock is changed. */
#include "core/cron.h"

#include "core/buf.h"
#include "core/tz.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static int64_t utc(int64_t year, int month, int day, int hour, int minute)
{
    return civil_days(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

static struct cron parse(const char *text)
{
    struct cron c;
    struct err e = ERR_INIT;
    if (cron_parse(slice_str(text), &c, &e) != RC_OK)
        fail_msg("%s: %s", text, e.msg);
    return c;
}

static int64_t next(const char *text, const struct tz *zone, int64_t after)
{
    struct cron c = parse(text);
    int64_t at;
    assert_true(cron_next(&c, zone, after, &at));
    assert_true(at > after);
    return at;
}

/* A zone that only has the rule. */
static struct tz *zone(const char *rule)
{
    static const char rest[15], types[6 + 4];
    AUTO(buf_done) struct buf b = BUF_INIT(1024);
    struct tz *z;
    struct err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        buf_add_str(&b, "TZif2");
        buf_add(&b, rest, sizeof rest);
        buf_add(&b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4", 24);
        buf_add(&b, types, sizeof types);
    }
    buf_addf(&b, "\n%s\n", rule);
    assert_int_equal(tz_parse(buf_slice(&b), &z, &e), RC_OK);
    return z;
}

static void the_next_time_is_found(void **state)
{
    (void)state;
    const int64_t from = utc(2026, 11, 28, 17, 32); /* a Saturday */
    static const struct {
        const char *text;
        int month, day, hour, minute;
    } cases[] = {
        {"* * * * *", 11, 28, 17, 33},     {"0 * * * *", 11, 28, 18, 0},
        {"*/15 * * * *", 11, 28, 17, 45},  {"32 17 * * *", 11, 29, 17, 32},
        {"5/20 * * * *", 11, 28, 17, 45},  {"0 9-17/4 * * *", 11, 29, 9, 0},
        {"0 0 * * MON", 11, 30, 0, 0},     {"0 0 * * mon-fri", 11, 30, 0, 0},
        {"0 0 * * 7", 11, 29, 0, 0},       {"0 0 * * 0", 11, 29, 0, 0},
        {"0 0 1 * *", 12, 1, 0, 0},        {"0 0 31 DEC *", 12, 31, 0, 0},
        {"0 0 13 * FRI", 12, 4, 0, 0}, /* either day */
        {"0 0 */1 * FRI", 12, 4, 0, 0},    {"0 0 5,* * FRI", 12, 4, 0, 0},
        {"0 0 13 * */1", 12, 13, 0, 0},    {"0 0 1-31 * FRI", 11, 29, 0, 0},
        {"0 0 */2 * FRI", 11, 29, 0, 0}, /* restricted */
        {"0 0 ? * 2", 12, 1, 0, 0},        {"10,40 18 * * *", 11, 28, 18, 10},
        {"  0\t0  * * *  ", 11, 29, 0, 0}, {"@hourly", 11, 28, 18, 0},
        {"@daily", 11, 29, 0, 0},          {"@weekly", 11, 29, 0, 0},
        {"@monthly", 12, 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t at = next(cases[i].text, NULL, from);
        if (at != utc(2026, cases[i].month, cases[i].day, cases[i].hour, cases[i].minute))
            fail_msg("%s: %lld", cases[i].text, (long long)at);
    }
    assert_int_equal(next("@yearly", NULL, from), utc(2027, 1, 1, 0, 0));
    assert_int_equal(next("0 0 29 2 *", NULL, from), utc(2028, 2, 29, 0, 0));
    assert_int_equal(next("0 0 29 2 *", NULL, utc(2096, 3, 1, 0, 0)), utc(2104, 2, 29, 0, 0));
    assert_int_equal(next("* * * * *", NULL, -90), -60);
}

static void what_never_comes_is_said(void **state)
{
    (void)state;
    struct cron c = parse("0 0 30 2 *");
    int64_t at;
    assert_false(cron_next(&c, NULL, utc(2026, 1, 1, 0, 0), &at));
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "here are 0"},
        {"* * * *", "here are 4"},
        {"* * * * * *", "here are more"},
        {"60 * * * *", "minute \"60\" is out of range"},
        {"* 24 * * *", "hour \"24\""},
        {"* * 0 * *", "day of month \"0\""},
        {"* * * 13 *", "month \"13\""},
        {"* * * * 8", "day of week \"8\""},
        {"*/0 * * * *", "step above 0"},
        {"*/x * * * *", "step above 0"},
        {"5- * * * *", "is not understood"},
        {"-5 * * * *", "is not understood"},
        {"1,,2 * * * *", "is not understood"},
        {"1, * * * *", "is not understood"},
        {"x * * * *", "is not understood"},
        {"* * * FEBRUARY *", "JAN-DEC"},
        {"* 22-2 * * *", "ends before it begins"},
        {"4294967296 * * * *", "minute"},
        {"@every 5m", "@hourly"},
        {"@daily x", "@hourly"},
        {"@reboot", "@hourly"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron c;
        struct err e = ERR_INIT;
        if (cron_parse(slice_str(cases[i].text), &c, &e) != RC_INVALID ||
            !strstr(e.msg, cases[i].part))
            fail_msg("\"%s\": %s", cases[i].text, e.msg);
    }
}

static void a_zone_may_stand_before_the_fields(void **state)
{
    (void)state;
    struct slice text = SLICE("CRON_TZ=Europe/Madrid 0 3 * * *");
    assert_true(slice_eq(cron_cut_zone(&text), SLICE("Europe/Madrid")));
    assert_true(slice_eq(text, SLICE(" 0 3 * * *")));
    text = SLICE("TZ=UTC @daily");
    assert_true(slice_eq(cron_cut_zone(&text), SLICE("UTC")));
    text = SLICE("0 3 * * *");
    assert_int_equal(cron_cut_zone(&text).n, 0);
    assert_true(slice_eq(text, SLICE("0 3 * * *")));
}

/* Madrid: 29 March 2026, 02:00 becomes 03:00; 25 October 2026, 03:00 becomes 02:00. */
static void a_time_that_is_leapt_over_is_due_after_the_leap(void **state)
{
    (void)state;
    AUTO(tz_freep) struct tz *madrid = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    const int64_t eve = utc(2026, 3, 28, 12, 0);
    assert_int_equal(next("30 2 * * *", madrid, eve), utc(2026, 3, 29, 1, 0));
    assert_int_equal(next("30 2 * * *", madrid, utc(2026, 3, 29, 1, 0)), utc(2026, 3, 30, 0, 30));
    assert_int_equal(next("0,30 2 * * *", madrid, utc(2026, 3, 29, 1, 0)),
                     utc(2026, 3, 30, 0, 0)); /* once, not twice */
    assert_int_equal(next("0 3 * * *", madrid, eve), utc(2026, 3, 29, 1, 0));
    assert_int_equal(next("30 1 * * *", madrid, eve), utc(2026, 3, 29, 0, 30));
    assert_int_equal(next("30 * * * *", madrid, utc(2026, 3, 29, 0, 30)), utc(2026, 3, 29, 1, 30));
    assert_int_equal(next("30 2 * * MON", madrid, eve), utc(2026, 3, 30, 0, 30));
}

static void a_time_that_comes_twice_is_due_once(void **state)
{
    (void)state;
    AUTO(tz_freep) struct tz *madrid = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    int64_t first = next("30 2 * * *", madrid, utc(2026, 10, 24, 12, 0));
    assert_int_equal(first, utc(2026, 10, 25, 0, 30));
    assert_int_equal(next("30 2 * * *", madrid, first), utc(2026, 10, 26, 1, 30));
    assert_int_equal(next("30 * * * *", madrid, first),
                     utc(2026, 10, 25, 1, 30)); /* the hours as they pass */
    assert_int_equal(next("0 3 * * *", madrid, first), utc(2026, 10, 25, 2, 0));
}

/* Days have 23, 24 or 25 hours, and each has its one run; one that leaps over midnight comes a moment late. */
static void every_day_has_its_run(void **state)
{
    (void)state;
    static const char *const rules[] = {"CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
                                        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                                        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"};
    static const char *const daily[] = {"30 2 * * *", "0 0 * * *", "15 1 * * *", "45 23 * * *"};
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
        for (size_t d = 0; d < sizeof daily / sizeof *daily; d++) {
            AUTO(tz_freep) struct tz *z = zone(rules[r]);
            const int64_t first = next(daily[d], z, utc(2026, 1, 1, 12, 0));
            int64_t at = first;
            for (int i = 0; i < 365; i++)
                at = next(daily[d], z, at);
            assert_int_equal(at + tz_offset(z, at), first + tz_offset(z, first) + 365 * 86400);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_time_is_found),
        cmocka_unit_test(what_never_comes_is_said),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_zone_may_stand_before_the_fields),
        cmocka_unit_test(a_time_that_is_leapt_over_is_due_after_the_leap),
        cmocka_unit_test(a_time_that_comes_twice_is_due_once),
        cmocka_unit_test(every_day_has_its_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

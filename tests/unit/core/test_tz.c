/* core/tz: files of the tz database, made here by hand, and the calendar. */
#include "core/tz.h"

#include "core/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void add_number(struct buf *b, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_add_char(b, (char)(v >> (8 * i)));
}

static void add_header(struct buf *b, unsigned times, unsigned types, unsigned chars)
{
    static const char unused[15];
    buf_add_str(b, "TZif2");
    buf_add(b, unused, sizeof unused);
    const unsigned counts[] = {0, 0, 0, times, types, chars};
    for (int i = 0; i < 6; i++)
        add_number(b, counts[i], 4);
}

/* A zone whose offset is `first` until the transition and `then` after it; the rule is what follows. */
static void make(struct buf *b, int64_t transition, int32_t first, int32_t then, const char *rule)
{
    static const char block_of_old[6 + 4];
    add_header(b, 0, 1, 4);
    buf_add(b, block_of_old, sizeof block_of_old);
    add_header(b, 1, 2, 4);
    add_number(b, (uint64_t)transition, 8);
    buf_add_char(b, 1);
    add_number(b, (uint32_t)first, 4);
    add_number(b, 0, 2);
    add_number(b, (uint32_t)then, 4);
    add_number(b, 0, 2);
    buf_add(b, "ABC", 4);
    buf_addf(b, "\n%s\n", rule);
}

static struct tz *zone(const char *rule)
{
    AUTO(buf_done) struct buf b = BUF_INIT(4096);
    struct tz *z;
    struct err e = ERR_INIT;
    make(&b, 1000, -3600, 7200, rule);
    assert_int_equal(tz_parse(buf_slice(&b), &z, &e), RC_OK);
    return z;
}

static int64_t utc(int64_t year, int month, int day, int hour, int minute)
{
    return civil_days(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

static void transitions_hold_until_the_next_one(void **state)
{
    (void)state;
    AUTO(tz_freep) struct tz *z = zone("");
    assert_int_equal(tz_offset(z, INT64_MIN / 2), -3600);
    assert_int_equal(tz_offset(z, 999), -3600);
    assert_int_equal(tz_offset(z, 1000), 7200);
    assert_int_equal(tz_offset(z, utc(2100, 1, 1, 0, 0)), 7200);
    assert_int_equal(tz_offset(NULL, 5), 0);
}

static void the_last_line_rules_what_comes_after(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int64_t at;
        int32_t offset;
    } cases[] = {
        {"UTC0", 5000, 0},
        {"<-03>3", 5000, -3 * 3600},
        {"IST-5:30", 5000, 19800},
        {"IST-5:30", 999, -3600}, /* before the transition the table counts */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(tz_freep) struct tz *z = zone(cases[i].rule);
        assert_int_equal(tz_offset(z, cases[i].at), cases[i].offset);
    }
}

static void summer_begins_and_ends_by_the_rule(void **state)
{
    (void)state;
    AUTO(tz_freep) struct tz *madrid = zone("CET-1CEST,M3.5.0,M10.5.0/3");
    /* 2026: 29 March 01:00 UTC, 25 October 01:00 UTC. */
    assert_int_equal(tz_offset(madrid, utc(2026, 3, 29, 0, 59)), 3600);
    assert_int_equal(tz_offset(madrid, utc(2026, 3, 29, 1, 0)), 7200);
    assert_int_equal(tz_offset(madrid, utc(2026, 10, 25, 0, 59)), 7200);
    assert_int_equal(tz_offset(madrid, utc(2026, 10, 25, 1, 0)), 3600);
    AUTO(tz_freep) struct tz *sydney = zone("AEST-10AEDT,M10.1.0,M4.1.0/3");
    assert_int_equal(tz_offset(sydney, utc(2026, 1, 1, 0, 0)), 11 * 3600);
    assert_int_equal(tz_offset(sydney, utc(2026, 7, 1, 0, 0)), 10 * 3600);
    AUTO(tz_freep) struct tz *nuuk = zone("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
    assert_int_equal(tz_offset(nuuk, utc(2026, 3, 29, 0, 59)), -7200);
    assert_int_equal(tz_offset(nuuk, utc(2026, 3, 29, 1, 0)), -3600);
    AUTO(tz_freep) struct tz *by_days = zone("AAA0BBB,J60/0,J300/1"); /* 1 March in every year */
    assert_int_equal(tz_offset(by_days, utc(2028, 2, 29, 23, 59)), 0);
    assert_int_equal(tz_offset(by_days, utc(2028, 3, 1, 0, 0)), 3600);
    AUTO(tz_freep) struct tz *from_zero = zone("AAA0BBB,59/0,300"); /* 29 February in a leap year */
    assert_int_equal(tz_offset(from_zero, utc(2028, 2, 29, 0, 0)), 3600);
}

static void what_is_no_such_file_is_refused(void **state)
{
    (void)state;
    static const char *const rules[] = {"C",
                                        "CET",
                                        "CET-1CEST,M13.1.0,M1.1.0",
                                        "CET-1CEST",
                                        "CET-1CEST,M0.1.0,M1.1.0",
                                        "CET-1 ",
                                        "<CET-1",
                                        "CET-1CEST,J0,J5",
                                        "CET-1CEST,M3.5.0,M10.5.0/3x"};
    struct tz *z = NULL;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct err e = ERR_INIT;
        make(&b, 1000, 0, 0, rules[i]);
        assert_int_equal(tz_parse(buf_slice(&b), &z, &e), RC_INVALID);
    }
}

/* Any prefix, and any byte of the header changed: refused or taken, never read beyond (run with sanitizers). */
static void damage_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(4096);
    struct err e = ERR_INIT;
    make(&b, 1000, -3600, 7200, "CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t n = 0; n < b.n; n++) {
        struct tz *z = NULL;
        assert_int_equal(tz_parse(slice_of(b.p, n), &z, &e), RC_INVALID);
    }
    for (size_t i = 0; i < b.n; i++) {
        AUTO(tz_freep) struct tz *z = NULL;
        char was = b.p[i];
        b.p[i] = (char)~was;
        if (tz_parse(buf_slice(&b), &z, &e) == RC_OK)
            (void)tz_offset(z, utc(2026, 6, 1, 0, 0));
        b.p[i] = was;
    }
}

static void the_calendar_goes_both_ways(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 800000; day += 17) {
        struct civil c = civil_of(day * 86400 + 86399);
        assert_int_equal(civil_days(c.year, c.month, c.day), day);
        assert_int_equal(c.hour, 23);
        assert_int_equal(c.second, 59);
    }
    struct civil c = civil_of(utc(2026, 11, 28, 17, 32));
    assert_int_equal(c.weekday, 6);
    assert_int_equal(c.day, 28);
    assert_int_equal(civil_of(-1).year, 1969);
    assert_int_equal(civil_of(-1).weekday, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_hold_until_the_next_one),
        cmocka_unit_test(the_last_line_rules_what_comes_after),
        cmocka_unit_test(summer_begins_and_ends_by_the_rule),
        cmocka_unit_test(what_is_no_such_file_is_refused),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(the_calendar_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

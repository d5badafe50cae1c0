/* core/clock: RFC 3339 times and Go durations as text and back, over their whole range. */
#include "core/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_text(int64_t ns, const char *want)
{
    char text[TIME_TEXT_MAX];
    assert_ptr_equal(time_text(ns, text), text);
    assert_string_equal(text, want);
    int64_t back = 0;
    assert_int_equal(time_parse(slice_str(want), &back, NULL), RC_OK);
    assert_true(back == ns);
}

static void times_are_printed_and_read_back(void **state)
{
    (void)state;
    assert_text(0, "1970-01-01T00:00:00.000000000Z");
    assert_text(1767323045 * NS_PER_S + 6, "2026-01-02T03:04:05.000000006Z");
    assert_text(951782400 * NS_PER_S, "2000-02-29T00:00:00.000000000Z");
    assert_text(951868800 * NS_PER_S - 1, "2000-02-29T23:59:59.999999999Z");
    assert_text(4107542400 * NS_PER_S, "2100-03-01T00:00:00.000000000Z");
    assert_text(-1, "1969-12-31T23:59:59.999999999Z");
    assert_text(-86400 * NS_PER_S, "1969-12-31T00:00:00.000000000Z");
}

static void the_ends_of_the_range_are_exact(void **state)
{
    (void)state;
    assert_text(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    assert_text(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
    int64_t ns = 1;
    assert_int_equal(time_parse(SLICE("2262-04-11T23:47:16.854775808Z"), &ns, NULL), RC_INVALID);
    assert_int_equal(time_parse(SLICE("1677-09-21T00:12:43.145224191Z"), &ns, NULL), RC_INVALID);
    assert_int_equal(time_parse(SLICE("9999-12-31T23:59:59Z"), &ns, NULL), RC_INVALID);
    assert_int_equal(time_parse(SLICE("0000-01-01T00:00:00Z"), &ns, NULL), RC_INVALID);
    assert_int_equal(ns, 1);
}

static void every_day_of_eight_centuries_comes_back(void **state)
{
    (void)state;
    for (int64_t day = -106000; day < 106000; day++) {
        char text[TIME_TEXT_MAX];
        int64_t back = 0;
        assert_int_equal(
            time_parse(slice_str(time_text(day * 86400 * NS_PER_S, text)), &back, NULL), RC_OK);
        assert_true(back == day * 86400 * NS_PER_S);
    }
}

static void zones_fractions_and_lower_case_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1970-01-01T01:00:00+01:00", 0},      {"1969-12-31T18:30:00-05:30", 0},
        {"1970-01-01t00:00:00z", 0},           {"1970-01-01T00:00:00.5Z", 500000000},
        {"1970-01-01T00:00:00.000000001Z", 1}, {"1969-12-31T23:59:59.25Z", -750000000},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ns = 42;
        assert_int_equal(time_parse(slice_str(good[i].text), &ns, NULL), RC_OK);
        assert_true(ns == good[i].ns);
    }
}

static void what_is_no_time_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02T03:04:05Zx",
        "+026-01-02T03:04:05Z",
        "2026-1-02T03:04:05Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ns = 42;
        struct err e = ERR_INIT;
        assert_int_equal(time_parse(slice_str(bad[i]), &ns, &e), RC_INVALID);
        assert_int_equal(e.retry, ERR_FINAL);
        assert_int_equal(ns, 42);
    }
}

static void only_the_slice_is_read(void **state)
{
    (void)state;
    int64_t ns = 42;
    assert_int_equal(time_parse(slice_of("1970-01-01T00:00:00Zjunk", 20), &ns, NULL), RC_OK);
    assert_int_equal(ns, 0);
    assert_int_equal(duration_parse(slice_of("1s5", 2), &ns, NULL), RC_OK);
    assert_true(ns == NS_PER_S);
}

static void durations_are_sums_of_numbers_with_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"30s", 30 * NS_PER_S},
        {"1h0m0s", 3600 * NS_PER_S},
        {"1h30m", 5400 * NS_PER_S},
        {"1.5h", 5400 * NS_PER_S},
        {"100ms", 100 * NS_PER_MS},
        {"1m1ms", 60 * NS_PER_S + NS_PER_MS},
        {"0s", 0},
        {".5s", 500 * NS_PER_MS},
        {"1.s", NS_PER_S},
        {"0.0000000019s", 1},
        {"2562047h47m16.854775807s", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ns = 42;
        assert_int_equal(duration_parse(slice_str(good[i].text), &ns, NULL), RC_OK);
        assert_true(ns == good[i].ns);
    }
}

static void what_is_no_duration_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "30",
        "s",
        ".s",
        "-1s",
        "+1s",
        "1d",
        "1 s",
        " 1s",
        "1s ",
        "1us",
        "1..5s",
        "1hm",
        "1s30",
        "1H",
        "1e3s",
        "0x1s",
        "mss",
        "1sec",
        "abc",
        "99999999999999999999s",
        "2562048h",
        "2562047h47m16.854775808s",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ns = 42;
        struct err e = ERR_INIT;
        assert_int_equal(duration_parse(slice_str(bad[i]), &ns, &e), RC_INVALID);
        assert_int_equal(e.retry, ERR_FINAL);
        assert_int_equal(ns, 42);
    }
}

static void a_message_repeats_only_the_beginning_of_a_long_text(void **state)
{
    (void)state;
    char text[2000];
    memset(text, '7', sizeof text);
    int64_t ns;
    struct err e = ERR_INIT;
    assert_int_equal(duration_parse(slice_of(text, sizeof text), &ns, &e), RC_INVALID);
    assert_true(strlen(e.msg) < 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_printed_and_read_back),
        cmocka_unit_test(the_ends_of_the_range_are_exact),
        cmocka_unit_test(every_day_of_eight_centuries_comes_back),
        cmocka_unit_test(zones_fractions_and_lower_case_are_understood),
        cmocka_unit_test(what_is_no_time_is_refused_and_changes_nothing),
        cmocka_unit_test(only_the_slice_is_read),
        cmocka_unit_test(durations_are_sums_of_numbers_with_units),
        cmocka_unit_test(what_is_no_duration_is_refused_and_changes_nothing),
        cmocka_unit_test(a_message_repeats_only_the_beginning_of_a_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

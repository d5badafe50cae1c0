/* io/http_limits: defaults, which limit strikes first, Retry-After. */
#include "core/clock.h"
#include "io/http_limits.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define S NS_PER_S

static void a_call_has_ten_thirty_and_sixty_seconds(void **state)
{
    (void)state;
    struct http_request r = {.lane = HTTP_LANE_CALL};
    struct http_limits l = http_limits_of(&r, 100 * S);
    assert_int_equal(http_limits_due(&l), 110 * S);
    l.answered = true;
    assert_int_equal(http_limits_due(&l), 130 * S);
    l.heard_ns = 140 * S;
    assert_int_equal(http_limits_due(&l), 160 * S); /* the total, not 170 */
}

static void a_write_waits_for_an_admission_webhook(void **state)
{
    (void)state;
    static const enum http_method writes[] = {HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        struct http_request r = {.method = writes[i]};
        struct http_limits l = http_limits_of(&r, 100 * S);
        assert_int_equal(http_limits_due(&l), 135 * S);
        l.answered = true;
        assert_int_equal(http_limits_due(&l), 130 * S);
    }
}

static void a_watch_may_be_silent_for_ever_once_it_answered(void **state)
{
    (void)state;
    struct http_request r = {.lane = HTTP_LANE_WATCH, .stream = true};
    struct http_limits l = http_limits_of(&r, 100 * S);
    assert_int_equal(http_limits_due(&l), 110 * S);
    l.answered = true;
    assert_true(http_limits_due(&l) == INT64_MAX);
}

static void a_streamed_list_has_no_total_but_may_not_be_silent(void **state)
{
    (void)state;
    struct http_request r = {.lane = HTTP_LANE_CALL, .stream = true};
    struct http_limits l = http_limits_of(&r, 0);
    l.answered = true;
    l.heard_ns = 500 * S;
    assert_int_equal(http_limits_due(&l), 530 * S);
}

static void given_limits_replace_the_defaults(void **state)
{
    (void)state;
    struct http_request r = {.stream = true,
                             .lane = HTTP_LANE_WATCH,
                             .headers_within_ns = 1 * S,
                             .silent_for_ns = 2 * S,
                             .total_ns = INT64_MAX};
    struct http_limits l = http_limits_of(&r, 10 * S);
    assert_int_equal(http_limits_due(&l), 11 * S);
    l.answered = true;
    assert_int_equal(http_limits_due(&l), 12 * S);
}

static void the_strike_names_the_limit_and_whether_the_peer_was_silent(void **state)
{
    (void)state;
    struct http_request r = {.total_ns = 5 * S, .headers_within_ns = 3 * S};
    struct http_limits l = http_limits_of(&r, 0);
    struct http_strike s = http_limits_strike(&l, 3 * S);
    assert_string_equal(s.what, "no answer within");
    assert_int_equal(s.limit_ns, 3 * S);
    assert_true(s.silence);
    l.answered = true;
    l.heard_ns = 4 * S;
    s = http_limits_strike(&l, 5 * S);
    assert_string_equal(s.what, "not finished within");
    assert_int_equal(s.limit_ns, 5 * S);
    assert_false(s.silence);
    s = http_limits_strike(&l, 34 * S);
    assert_string_equal(s.what, "silent for");
    assert_true(s.silence);
}

static void time_in_which_nobody_read_does_not_count(void **state)
{
    (void)state;
    struct http_request r = {0};
    struct http_limits before = http_limits_of(&r, 10 * S), during = http_limits_of(&r, 25 * S);
    http_limits_excuse(&before, 20 * S, 30 * S);
    http_limits_excuse(&during, 20 * S, 30 * S);
    assert_int_equal(http_limits_due(&before), 30 * S); /* 10 + 10 + the 10 that were held */
    assert_int_equal(http_limits_due(&during), 40 * S); /* it began while held */
}

static void D64_retry_after_reads_seconds_and_nothing_else(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {NULL, -1},
        {"", -1},
        {"0", 0},
        {"7", 7 * S},
        {"7 ", -1},
        {"-1", -1},
        {"Wed, 21 Oct 2015 07:28:00 GMT", -1},
        {"86400", 86400 * S},
        {"99999999999999999999999999", 86400 * S},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_retry_after(rows[i].text), rows[i].ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_has_ten_thirty_and_sixty_seconds),
        cmocka_unit_test(a_write_waits_for_an_admission_webhook),
        cmocka_unit_test(a_watch_may_be_silent_for_ever_once_it_answered),
        cmocka_unit_test(a_streamed_list_has_no_total_but_may_not_be_silent),
        cmocka_unit_test(given_limits_replace_the_defaults),
        cmocka_unit_test(the_strike_names_the_limit_and_whether_the_peer_was_silent),
        cmocka_unit_test(time_in_which_nobody_read_does_not_count),
        cmocka_unit_test(D64_retry_after_reads_seconds_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

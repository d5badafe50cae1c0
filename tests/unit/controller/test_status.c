/* The status that `resilog status` reads: its members, its phase, what stands in lastError. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "controller/resource.h"
#include "controller/status.h"
#include "core/buf.h"

static const struct cluster source = {.full_name = "default/a"};
static const struct cluster destination = {.full_name = "default/b"};
static const struct sync sync_a = {.ns = "default",
                                   .name = "s",
                                   .full_name = "default/s",
                                   .source = &source,
                                   .destination = &destination};

static void assert_status(const struct sync_status *s, const char *want)
{
    struct buf out = BUF_INIT(4096);
    sync_status_print(&sync_a, s, &out);
    assert_int_equal(out.bad, RC_OK);
    assert_string_equal(out.p, want);
    buf_done(&out);
}

static void every_member_is_there_and_a_source_that_is_away_has_no_lag_in_seconds(void **state)
{
    (void)state;
    struct sync_status s = {.phase = PHASE_WAITING};
    s.pump = (struct pump_status){.offset = 7,
                                  .head = 9,
                                  .lag_records = 2,
                                  .oldest_ns = 1,
                                  .held = 3,
                                  .waiting = 4,
                                  .prune_held = 5};
    assert_status(
        &s,
        "{\"name\":\"s\",\"namespace\":\"default\",\"phase\":\"Waiting\",\"source\":\"default/a\","
        "\"destination\":\"default/"
        "b\",\"offset\":7,\"head\":9,\"lagRecords\":2,\"lagSeconds\":null,"
        "\"held\":3,\"waiting\":4,\"pruneHeld\":5,\"lastError\":\"\","
        "\"updated\":\"1970-01-01T00:00:00.000000000Z\"}");
}

static void the_lag_is_the_age_of_the_oldest_unapplied_event(void **state)
{
    (void)state;
    struct sync_status s = {.phase = PHASE_LIVE, .now_ns = 3500000000};
    s.source.connected = true;
    s.pump =
        (struct pump_status){.offset = 1, .head = 2, .lag_records = 1, .oldest_ns = 2000000000};
    struct buf out = BUF_INIT(4096);
    sync_status_print(&sync_a, &s, &out);
    assert_non_null(strstr(out.p, "\"lagSeconds\":1.500"));
    buf_done(&out);
}

static void an_error_of_the_synchronization_wins_over_the_pumps_and_the_sources(void **state)
{
    (void)state;
    struct sync_status s = {.phase = PHASE_FAILED, .error = "own", .source = {.connected = true}};
    snprintf(s.pump.error, sizeof s.pump.error, "pump");
    snprintf(s.source.error, sizeof s.source.error, "source");
    struct buf out = BUF_INIT(4096);
    sync_status_print(&sync_a, &s, &out);
    assert_non_null(strstr(out.p, "\"lastError\":\"own\""));
    s.error[0] = '\0';
    buf_reset(&out);
    sync_status_print(&sync_a, &s, &out);
    assert_non_null(strstr(out.p, "\"lastError\":\"pump\""));
    s.pump.error[0] = '\0';
    buf_reset(&out);
    sync_status_print(&sync_a, &s, &out);
    assert_non_null(strstr(out.p, "\"lastError\":\"source\""));
    buf_done(&out);
}

static void a_pump_is_live_only_when_both_ends_are_connected_and_it_has_caught_up(void **state)
{
    (void)state;
    struct source_report up = {.connected = true}, down = {.connected = false};
    struct pump_status behind = {.catching_up = true}, level = {.catching_up = false};
    assert_int_equal(sync_phase_of(&up, &level, true), PHASE_LIVE);
    assert_int_equal(sync_phase_of(&up, &behind, true), PHASE_SYNCING);
    assert_int_equal(sync_phase_of(&down, &level, true), PHASE_WAITING);
    assert_int_equal(sync_phase_of(&up, &level, false), PHASE_WAITING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_there_and_a_source_that_is_away_has_no_lag_in_seconds),
        cmocka_unit_test(the_lag_is_the_age_of_the_oldest_unapplied_event),
        cmocka_unit_test(an_error_of_the_synchronization_wins_over_the_pumps_and_the_sources),
        cmocka_unit_test(a_pump_is_live_only_when_both_ends_are_connected_and_it_has_caught_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

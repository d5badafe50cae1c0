/* The status as JSON: only what is known is said. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/status.h"

static const struct cluster FROM = {.full_name = "default/a"}, TO = {.full_name = "default/b"};
static const struct sync SYNC_S = {
    .ns = "default", .name = "s", .full_name = "default/s", .source = &FROM, .destination = &TO};

static void expect(const struct sync_status *s, const char *part)
{
    AUTO(buf_done) struct buf out = BUF_INIT(8192);
    sync_status_print(&SYNC_S, s, &out);
    assert_int_equal(out.bad, RC_OK);
    if (!strstr(out.p, part))
        fail_msg("no %s in %s", part, out.p);
}

static void all_members_are_there(void **state)
{
    (void)state;
    const struct sync_status s = {
        .phase = PHASE_LIVE,
        .source = {.connected = true},
        .pump = {.offset = 7,
                 .head = 9,
                 .lag_records = 2,
                 .oldest_ns = 500000000,
                 .held = 3,
                 .waiting = 1,
                 .prune_held = 2,
                 .deselected = 5},
        .now_ns = 2000000000,
    };
    expect(&s,
           "{\"name\":\"s\",\"namespace\":\"default\",\"phase\":\"Live\",\"source\":\"default/a\","
           "\"destination\":\"default/b\",\"offset\":7,\"head\":9,\"lagRecords\":2,"
           "\"lagSeconds\":1.500,\"held\":3,\"waiting\":1,\"pruneHeld\":2,\"skipped\":0,"
           "\"deselected\":5,\"lastResync\":null,\"repaired\":0,\"lastError\":\"\","
           "\"updated\":\"1970-01-01T00:00:02");
}

static void a_lag_that_cannot_be_known_is_null(void **state)
{
    (void)state;
    struct sync_status s = {
        .phase = PHASE_LIVE, .source = {.connected = true}, .pump = {.head = 1}};
    expect(&s, "\"lagSeconds\":0.000");
    s.phase = PHASE_STOPPED;
    expect(&s, "\"lagSeconds\":null");
    s.phase = PHASE_SUSPENDED;
    s.pump.lag_records = 4; /* of an unknown age */
    expect(&s, "\"lagSeconds\":null");
    s.source.connected = false;
    expect(&s, "\"lagSeconds\":null");
    s.pump = (struct pump_status){.offset = 5}; /* the log cannot be read */
    expect(&s, "\"offset\":5,\"head\":null,\"lagRecords\":null,\"lagSeconds\":null");
}

static void the_error_that_explains_the_phase_comes_first(void **state)
{
    (void)state;
    struct sync_status s = {.phase = PHASE_WAITING,
                            .source = {.error = "the source refuses"},
                            .pump = {.head = 1, .error = "an object is held"}};
    expect(&s, "\"lastError\":\"source default/a: the source refuses\"");
    s.source.connected = true;
    expect(&s, "\"lastError\":\"an object is held\"");
    snprintf(s.sink.error, sizeof s.sink.error, "it refuses");
    expect(&s, "\"lastError\":\"destination default/b: it refuses\"");
    s.pump.error[0] = s.sink.error[0] = '\0';
    expect(&s, "\"lastError\":\"source default/a: the source refuses\"");
    snprintf(s.error, sizeof s.error, "it stopped");
    expect(&s, "\"lastError\":\"it stopped\"");
}

static void the_phase_of_a_running_pump_is_that_of_its_worst_end(void **state)
{
    (void)state;
    const struct source_report here = {.connected = true}, away = {.connected = false};
    const struct pump_status behind = {.catching_up = true}, current = {.head = 1};
    const struct pump_status unlisted = {.unlisted = true};
    assert_int_equal(sync_phase_of(&away, &current, true), PHASE_WAITING);
    assert_int_equal(sync_phase_of(&here, &current, false), PHASE_WAITING);
    assert_int_equal(sync_phase_of(&here, &behind, true), PHASE_SYNCING);
    assert_int_equal(sync_phase_of(&here, &unlisted, true), PHASE_SYNCING);
    assert_int_equal(sync_phase_of(&here, &current, true), PHASE_LIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members_are_there),
        cmocka_unit_test(a_lag_that_cannot_be_known_is_null),
        cmocka_unit_test(the_error_that_explains_the_phase_comes_first),
        cmocka_unit_test(the_phase_of_a_running_pump_is_that_of_its_worst_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/flow/ingest_test.h"

#define MANY 3000

/* ---- Listings (I5) ---- */

static void a_listing_infers_deletes_with_their_last_bodies_before_its_end(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_GAP, "10");
    say(w, EVENT_SYNC_BEGIN, NULL);
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_RESYNC, B, "6");
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_RESYNC, C, "15");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "gap@10 sync-begin put c@15 delete a@5 gap@20 sync-end@20 position@20");
    AUTO(rlog_found_done) struct rlog_found gone = {0}, end = {0};
    last_of(w, A, &gone);
    assert_int_equal(gone.event.cause, CAUSE_RESYNC);
    assert_true(slice_eq(gone.event.body, SLICE("{\"v\":5}")));
    assert_true(slice_eq(gone.event.uid, SLICE("u-" A)));
    last_of(w, "@sync/" CM, &end);
    assert_true(slice_eq(end.event.body, SLICE("{\"listed\":2,\"changed\":1,\"deleted\":1}")));
}

static void a_listing_in_which_nothing_differs_raises_no_alarm(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "sync-begin sync-end@20 position@20");
}

static void a_listing_that_breaks_off_appends_no_deletes(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, B, "6");
    run(w);
    assert_said(w, "sync-begin");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "30");
    run(w);
    assert_said(w, "sync-begin sync-end@30 position@30");
}

static void a_listing_cut_by_a_crash_appends_no_deletes_and_is_made_again(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, C, "12");
    run(w);
    crash(w);
    run(w);
    assert_said(w, "sync-begin put c@12");
    /* From 10 the watch would repeat what came before c@12. */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
}

static void what_was_watched_just_before_a_listing_is_not_written_again(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    fake_producer_object(w->producer, EVENT_DELETE, CAUSE_WATCH, B, "12");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "11");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "put a@11 delete b@12 sync-begin position@12 sync-end@20 position@20");
}

static void thousands_of_missing_objects_end_with_one_sync_end(void **state)
{
    struct world *w = *state;
    say(w, EVENT_SYNC_BEGIN, NULL);
    for (int i = 0; i < MANY; i++) {
        char key[60];
        snprintf(key, sizeof key, "/configmaps/n/k%d", i);
        listed(w, key, "1");
    }
    say(w, EVENT_SYNC_END, "5");
    run(w);
    size_t before = log_length(w);
    w->told = before + 1;
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "9");
    run(w);
    assert_int_equal(log_length(w), before + 1 + MANY + 3);
    w->told = before + 1 + MANY + 1;
    assert_said(w, "gap@9 sync-end@9 position@9");
    assert_int_equal(fake_producer_waiting(w->producer), 0);
}

static void a_listing_of_one_scope_leaves_the_others_alone(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, "/namespaces", NULL);
    watched(w, A, "11");
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_LIST, "/namespaces//n", "2");
    fake_producer_own(w->producer, EVENT_SYNC_END, "/namespaces", "12");
    run(w);
    assert_said(w, "sync-begin put a@11 put n@2 position@11 sync-end@12 position@12");
}

static void the_log_is_kept_up_when_idle_and_now_and_then_when_busy(void **state)
{
    struct world *w = *state;
    run(w);
    unsigned before = rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN);
    run(w);
    assert_true(rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN) > before);
    before = rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN);
    for (int i = 0; i < 40; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        watched(w, A, "3");
        assert_ok(ingest_step(w->ingest, &wake, &e));
    }
    assert_true(rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN) > before);
}

static void upkeep_without_room_waits_and_a_broken_one_is_told(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    rlog_fault_set(w->log.log, RLOG_FAULT_MAINTAIN,
                   &(struct fault_rule){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    run(w);
    rlog_fault_set(w->log.log, RLOG_FAULT_MAINTAIN,
                   &(struct fault_rule){.rc = RC_LIMIT, .retry = ERR_FINAL});
    assert_int_equal(run_to_error(w, &e), RC_LIMIT);
}

static void the_status_counts_scopes_and_names_the_worst(void **state)
{
    struct world *w = *state;
    struct ingest_status status;
    ingest_status(w->ingest, &status);
    assert_int_equal(status.scopes, 3);
    assert_false(status.connected);
    fake_producer_set_status(w->producer, "/namespaces", PRODUCER_FOLLOWING, "");
    fake_producer_set_status(w->producer, CM, PRODUCER_DENIED, "forbidden");
    ingest_status(w->ingest, &status);
    assert_true(status.connected);
    assert_int_equal(status.following, 1);
    assert_string_equal(status.error, "/configmaps: forbidden");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_infers_deletes_with_their_last_bodies_before_its_end),
        TEST(a_listing_in_which_nothing_differs_raises_no_alarm),
        TEST(a_listing_that_breaks_off_appends_no_deletes),
        TEST(a_listing_cut_by_a_crash_appends_no_deletes_and_is_made_again),
        TEST(what_was_watched_just_before_a_listing_is_not_written_again),
        TEST(thousands_of_missing_objects_end_with_one_sync_end),
        TEST(a_listing_of_one_scope_leaves_the_others_alone),
        TEST(the_log_is_kept_up_when_idle_and_now_and_then_when_busy),
        TEST(upkeep_without_room_waits_and_a_broken_one_is_told),
        TEST(the_status_counts_scopes_and_names_the_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

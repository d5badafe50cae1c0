/* Appends: a log without room, batches, and a crash around each (I2, I10). */
#include "tests/unit/flow/ingest_test.h"

#include "core/diag.h"

/* ---- A log without room (I10) ---- */

static void a_full_log_makes_the_batch_wait_and_nothing_is_lost(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    rlog_fault_set(w->log.log, RLOG_FAULT_APPEND,
                   &(struct fault_rule){.times = 2, .rc = RC_LIMIT, .retry = ERR_RETRY});
    int64_t wake = run(w);
    struct ingest_status status;
    ingest_status(w->ingest, &status);
    assert_true(status.log_full);
    assert_true(ft_has(status.error, "no room"));
    watched(w, B, "12");
    assert_int_equal(run(w), wake);
    assert_int_equal(fake_producer_waiting(w->producer), 1); /* nothing is taken meanwhile */
    fake_clock_advance(&w->log.clock, wake - clock_boot_ns(&w->log.clock.clock));
    wake = run(w); /* full for the second time */
    assert_said(w, "");
    fake_clock_advance(&w->log.clock, wake - clock_boot_ns(&w->log.clock.clock));
    run(w);
    ingest_status(w->ingest, &status);
    assert_false(status.log_full);
    assert_said(w, "put a@11 position@11 put b@12 position@12");
}

static void a_full_log_in_the_middle_of_inferred_deletes_loses_none(void **state)
{
    struct world *w = *state;
    list_two(w);
    for (unsigned pass = 0; pass < 4; pass++) {
        say(w, EVENT_SYNC_BEGIN, NULL);
        say(w, EVENT_SYNC_END, "20");
        rlog_fault_set(
            w->log.log, RLOG_FAULT_APPEND,
            &(struct fault_rule){.pass = pass, .times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
        run(w);
        fake_clock_advance(&w->log.clock, 2 * NS_PER_S);
        run(w);
        assert_said(w, pass == 0
                           ? "sync-begin delete a@5 delete b@6 gap@20 sync-end@20 position@20"
                           : "sync-begin delete a@21 delete b@22 gap@20 sync-end@20 position@20");
        watched(w, A, "21");
        watched(w, B, "22");
        run(w);
        fake_clock_advance(&w->log.clock, 2 * NS_PER_S);
        run(w);
        assert_said(w, "put a@21 put b@22 position@22");
    }
}

static void a_batch_that_can_never_be_appended_is_an_error(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    rlog_fault_set(w->log.log, RLOG_FAULT_APPEND,
                   &(struct fault_rule){.rc = RC_LIMIT, .retry = ERR_FINAL});
    assert_int_equal(run_to_error(w, &e), RC_LIMIT);
}

static void a_writer_that_was_replaced_stops(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    struct rlog *other = NULL;
    run(w);
    assert_ok(rlog_mem_open(w->log.store, RLOG_WRITE, &w->log.env, &other, &e));
    watched(w, A, "1");
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    rlog_close(other);
    assert_said(w, "epoch");
}

/* ---- Batches and upkeep ---- */

static void large_events_are_cut_into_batches_below_the_limit_of_the_log(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *body = malloc(EVENT_BODY_MAX);
    assert_non_null(body);
    memset(body, 'x', EVENT_BODY_MAX);
    for (int i = 0; i < 6; i++) {
        char key[40];
        snprintf(key, sizeof key, "/configmaps/n/k%d", i);
        fake_producer_say(
            w->producer, &(struct event){.op = EVENT_PUT,
                                         .cause = CAUSE_WATCH,
                                         .source_kind = SOURCE_KUBERNETES,
                                         .key = slice_str(key),
                                         .version = SLICE("1"),
                                         .body = slice_of(body, i % 2 ? EVENT_BODY_MAX : 3 << 19)});
    }
    run(w);
    AUTO(rlog_found_done) struct rlog_found last = {0};
    last_of(w, "/configmaps/n/k5", &last);
    assert_int_equal(last.event.body.n, EVENT_BODY_MAX);
}

static void many_scopes_get_their_positions_in_the_append_of_their_events(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    enum { SCOPES = 200 };
    char texts[SCOPES][40];
    struct ingest_scope scopes[SCOPES];
    for (int i = 0; i < SCOPES; i++) {
        snprintf(texts[i], sizeof texts[i], "g/r%d", i);
        scopes[i] =
            (struct ingest_scope){.scope = slice_str(texts[i]), .api_version = SLICE("g/v1")};
    }
    assert_ok(ingest_want(w->ingest, scopes, SCOPES, &e));
    run(w);
    unsigned before = rlog_fault_count(w->log.log, RLOG_FAULT_APPEND);
    for (int i = 0; i < SCOPES; i++) {
        char key[60];
        snprintf(key, sizeof key, "g/r%d/n/a", i);
        watched(w, key, "3");
    }
    run(w);
    assert_int_equal(rlog_fault_count(w->log.log, RLOG_FAULT_APPEND), before + 1);
    assert_int_equal(log_length(w), 1 + 2 * SCOPES);
}

/* ---- The log's own events ---- */

static void a_clock_event_that_the_log_puts_before_a_batch_does_not_stop_intake(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_clock_set_wall(&w->log.clock, clock_wall_ns(&w->log.clock.clock) + 3600 * NS_PER_S);
    watched(w, A, "11");
    run(w);
    fake_clock_advance(&w->log.clock, 60 * NS_PER_S);
    watched(w, B, "12");
    run(w);
    watched(w, C, "13");
    run(w);
    assert_said(w, "put a@11 position@11 clock put b@12 position@12 put c@13 position@13");
}

/* ---- Crash at every append (I1, I2): the source repeats what was not acknowledged ---- */

static void script(struct world *w, const char *resume)
{
    long from = strtol(resume, NULL, 10);
    if (from == 0) {
        say(w, EVENT_SYNC_BEGIN, NULL);
        listed(w, A, "5");
        listed(w, B, "6");
        say(w, EVENT_SYNC_END, "10");
    }
    if (from < 11)
        watched(w, A, "11");
    if (from < 12)
        fake_producer_object(w->producer, EVENT_DELETE, CAUSE_WATCH, B, "12");
    if (from < 13)
        watched(w, C, "13");
}

static void every_crash_around_an_append_ends_with_each_event_once(void **state)
{
    (void)state;
    for (unsigned n = 0;; n++) {
        void *s = NULL;
        setup(&s);
        struct world *w = s;
        struct err e = ERR_INIT;
        rlog_fault_set(
            w->log.log, RLOG_FAULT_APPEND,
            &(struct fault_rule){.pass = n / 2, .rc = RC_IO, .retry = ERR_FATAL, .done = n % 2});
        script(w, "0");
        enum rc rc = run_to_error(w, &e);
        if (rc < 0) {
            crash(w);
            script(w, fake_producer_resume(w->producer, CM));
            run(w);
        }
        AUTO(rlog_found_done) struct rlog_found a = {0}, b = {0}, c = {0};
        last_of(w, A, &a);
        last_of(w, B, &b);
        last_of(w, C, &c);
        assert_true(slice_eq(a.event.version, SLICE("11")));
        assert_int_equal(b.event.op, EVENT_DELETE);
        assert_true(slice_eq(c.event.version, SLICE("13")));
        AUTO(event_iter_freep) struct event_iter *it = NULL;
        const struct event *ev;
        size_t puts = 0;
        assert_ok(rlog_history(w->log.log, SLICE(A), 1, 0, &it, &e));
        while (event_iter_next(it, &ev, &e) == RC_OK)
            puts++;
        assert_int_equal(puts, 2);
        event_iter_free(steal(&it));
        teardown(&s);
        if (rc >= 0) {
            assert_true(n >= 4);
            return;
        }
    }
}

static void hear(void *arg, const char *line, size_t n)
{
    struct buf *said = arg;
    if (memmem(line, n, "cluster", 7))
        buf_add(said, line, n);
}

static void what_was_read_is_said_when_the_log_has_it(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf said = BUF_INIT(1 << 16);
    AUTO(diag_freep)
    struct diag *d = diag_new(&w->log.clock.clock, DIAG_TEXT, DIAG_DEBUG, hear, &said);
    stop(w);
    w->log.env.diag = d;
    start(w);
    script(w, "0");
    run(w);
    w->log.env.diag = NULL;
    assert_non_null(strstr(said.p, "object read from cluster object=configmaps/a namespace=n "));
    assert_null(strstr(said.p, "@"));
    stop(w); /* it borrowed the diag */
    start(w);
}

static void a_line_of_json_tells_the_object_before(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf said = BUF_INIT(1 << 16);
    AUTO(diag_freep)
    struct diag *d = diag_new(&w->log.clock.clock, DIAG_JSON, DIAG_DEBUG, hear, &said);
    stop(w);
    w->log.env.diag = d;
    start(w);
    list_two(w);
    watched(w, A, "11");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "11");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    w->log.env.diag = NULL;
    assert_non_null(strstr(said.p, "\"resourceVersion\":\"11\",\"uid\":\"u-" A "\"},"
                                   "\"oldSourceObject\":{\"apiGroup\":\"\","));
    assert_non_null(strstr(said.p, "\"msg\":\"object not found in cluster\",\"sourceObject\":{"
                                   "\"apiGroup\":\"\",\"apiVersion\":\"v1\",\"name\":\"b\","));
    stop(w);
    start(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_log_makes_the_batch_wait_and_nothing_is_lost),
        TEST(a_full_log_in_the_middle_of_inferred_deletes_loses_none),
        TEST(a_batch_that_can_never_be_appended_is_an_error),
        TEST(a_writer_that_was_replaced_stops),
        TEST(large_events_are_cut_into_batches_below_the_limit_of_the_log),
        TEST(many_scopes_get_their_positions_in_the_append_of_their_events),
        TEST(a_clock_event_that_the_log_puts_before_a_batch_does_not_stop_intake),
        TEST(what_was_read_is_said_when_the_log_has_it),
        TEST(a_line_of_json_tells_the_object_before),
        cmocka_unit_test(every_crash_around_an_append_ends_with_each_event_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/flow/flow_test.h"

#include "flow/ingest.h"
#include "tests/fakes/fake_producer.h"
#include "tests/fakes/rlog_fault.h"

#define CM   "/configmaps"
#define A    "/configmaps/n/a"
#define B    "/configmaps/n/b"
#define C    "/configmaps/n/c"
#define MANY 3000

struct world {
    struct ft_log log;
    struct producer *producer;
    struct ingest *ingest;
    rlog_off told; /* what said() has shown */
};

static const struct ingest_scope WANTED[] = {{SLICE(CM), SLICE("v1")}};

static void start(struct world *w)
{
    struct err e = ERR_INIT;
    w->producer = fake_producer_new();
    assert_ok(ingest_open(w->producer, w->log.log, &w->log.env, &w->ingest, &e));
    assert_ok(ingest_want(w->ingest, WANTED, 1, &e));
    fake_producer_identity(w->producer, "cluster-1", "start");
}

static void stop(struct world *w)
{
    ingest_close(w->ingest);
    producer_close(w->producer);
    w->ingest = NULL;
    w->producer = NULL;
}

/* The process dies and comes back; what was not appended is lost, and the log's epoch rises. */
static void crash(struct world *w)
{
    struct err e = ERR_INIT;
    stop(w);
    rlog_mem_crash(w->log.store);
    rlog_close(w->log.log);
    struct rlog *log = NULL;
    assert_ok(rlog_mem_open(w->log.store, RLOG_WRITE, &w->log.env, &log, &e));
    w->log.log = rlog_fault_new(log);
    start(w);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    ft_log_init(&w->log);
    w->log.log = rlog_fault_new(w->log.log);
    w->told = 1;
    start(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    stop(w);
    ft_log_done(&w->log);
    free(w);
    return 0;
}

/* Steps until there is nothing to do now; gives the time of the next work. */
static int64_t run(struct world *w)
{
    int64_t wake = 0;
    for (int i = 0; i < 10000; i++) {
        struct err e = ERR_INIT;
        enum rc rc = ingest_step(w->ingest, &wake, &e);
        if (rc == RC_AGAIN)
            return wake;
        if (rc < 0)
            fail_msg("%s", e.msg);
    }
    fail_msg("no end of steps");
    return 0;
}

static enum rc run_to_error(struct world *w, struct err *e)
{
    int64_t wake;
    enum rc rc = RC_OK;
    for (int i = 0; i < 100 && rc >= 0; i++)
        rc = ingest_step(w->ingest, &wake, e);
    return rc;
}

static void say(struct world *w, enum event_op op, const char *version)
{
    fake_producer_own(w->producer, op, CM, version);
}

static void listed(struct world *w, const char *key, const char *version)
{
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_LIST, key, version);
}

static void watched(struct world *w, const char *key, const char *version)
{
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_WATCH, key, version);
}

static void add_event(struct buf *text, const struct event *ev)
{
    bool object = !key_is_internal(ev->key);
    const char *name = ev->key.p + ev->key.n;
    while (object && name > ev->key.p && name[-1] != '/')
        name--;
    buf_addf(text, "%s%s", text->n ? " " : "", event_op_name(ev->op));
    if (object)
        buf_addf(text, " %.*s", (int)(ev->key.p + ev->key.n - name), name);
    if (ev->version.n)
        buf_addf(text, "@%.*s", SLICE_ARG(ev->version));
}

/* The events that the log got since the last call, as "put a@5 position@5". */
static void assert_said(struct world *w, const char *want)
{
    AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);
    struct rlog_range range = {.from = w->told, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    struct err e = ERR_INIT;
    assert_ok(rlog_cursor(w->log.log, &range, &it, &e));
    while (event_iter_next(it, &ev, &e) == RC_OK) {
        add_event(&text, ev);
        w->told = ev->offset + 1;
    }
    assert_string_equal(text.p ? text.p : "", want);
}

static size_t log_length(struct world *w)
{
    struct rlog_bounds bounds;
    struct err e = ERR_INIT;
    assert_ok(rlog_bounds(w->log.log, &bounds, &e));
    return (size_t)(bounds.next - 1);
}

static void last_of(struct world *w, const char *key, struct rlog_found *ret)
{
    struct err e = ERR_INIT;
    assert_ok(rlog_last(w->log.log, slice_str(key), 0, ret, &e));
}

/* A first listing of a and b at version 10. */
static void list_two(struct world *w)
{
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "10");
    run(w);
    assert_said(w, "epoch sync-begin put a@5 put b@6 sync-end@10 position@10");
}

/* ---- Positions (I2) ---- */

static void namespaces_and_crds_are_always_followed(void **state)
{
    struct world *w = *state;
    assert_string_equal(fake_producer_resume(w->producer, "/namespaces"), "");
    assert_string_equal(fake_producer_api_version(w->producer, "/namespaces"), "v1");
    assert_non_null(
        fake_producer_resume(w->producer, "apiextensions.k8s.io/customresourcedefinitions"));
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    assert_null(fake_producer_resume(w->producer, "/secrets"));
}

static void the_position_is_in_the_same_append_as_the_events_it_covers(void **state)
{
    struct world *w = *state;
    list_two(w);
    unsigned before = rlog_fault_count(w->log.log, RLOG_FAULT_APPEND);
    watched(w, A, "11");
    watched(w, C, "12");
    run(w);
    assert_said(w, "put a@11 put c@12 position@12");
    assert_int_equal(rlog_fault_count(w->log.log, RLOG_FAULT_APPEND), before + 1);
}

static void an_append_that_fails_leaves_neither_event_nor_position(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    rlog_fault_set(w->log.log, RLOG_FAULT_APPEND,
                   &(struct rlog_fault){.rc = RC_IO, .retry = ERR_FATAL});
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_IO);
    crash(w);
    assert_said(w, "");
    assert_string_equal(fake_producer_resume(w->producer, CM), "10");
}

static void a_restart_resumes_from_the_last_position(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "11");
    watched(w, A, "12");
    run(w);
    assert_said(w, "put a@11 position@11 put a@12 position@12");
}

static void bookmarks_are_written_at_most_once_a_minute(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_POSITION, "20");
    run(w);
    assert_said(w, "");
    fake_clock_advance(&w->log.clock, 60 * NS_PER_S - 1);
    say(w, EVENT_POSITION, "21");
    run(w);
    assert_said(w, "");
    fake_clock_advance(&w->log.clock, 1);
    say(w, EVENT_POSITION, "22");
    run(w);
    assert_said(w, "position@22");
    say(w, EVENT_POSITION, "23");
    run(w);
    assert_said(w, "");
}

static void an_event_takes_the_newest_position_along(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    say(w, EVENT_POSITION, "30");
    run(w);
    assert_said(w, "put a@11 position@30");
}

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

static void a_listing_cut_by_a_crash_appends_no_deletes(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, C, "12");
    run(w);
    crash(w);
    run(w);
    assert_said(w, "sync-begin put c@12");
    assert_string_equal(fake_producer_resume(w->producer, CM), "10");
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

/* ---- Identity ---- */

static void another_cluster_under_the_same_name_is_refused_and_nothing_appended(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_identity(w->producer, "cluster-2", "start");
    watched(w, A, "99");
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_true(ft_has(e.msg, "cluster-1") && ft_has(e.msg, "cluster-2"));
    assert_said(w, "");
}

static void the_identity_is_pinned_across_restarts(void **state)
{
    struct world *w = *state;
    list_two(w);
    stop(w);
    start(w);
    run(w); /* the same cluster: no event */
    assert_said(w, "");
    stop(w);
    start(w);
    fake_producer_identity(w->producer, "cluster-2", "start");
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
}

static void a_regression_raises_the_incarnation_and_everything_is_listed_into_it(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_identity(w->producer, "cluster-1", "regression");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5"); /* the same version says nothing in another incarnation */
    say(w, EVENT_SYNC_END, "7");
    run(w);
    assert_said(w, "epoch sync-begin put a@5 delete b@6 gap@7 sync-end@7 position@7");
    AUTO(rlog_found_done) struct rlog_found a = {0}, epoch = {0};
    last_of(w, A, &a);
    last_of(w, "@epoch/source", &epoch);
    assert_int_equal(a.event.incarnation, 2);
    assert_int_equal(epoch.event.incarnation, 2);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "7");
}

static void a_position_of_before_a_regression_is_not_resumed_from(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "900"); /* its position is due when the regression is seen */
    fake_producer_identity(w->producer, "cluster-1", "regression");
    run(w);
    assert_said(w, "put a@900 epoch");
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
}

static void an_event_before_the_identity_is_a_fault_of_the_producer(void **state)
{
    struct world *w = *state;
    stop(w);
    struct err e = ERR_INIT;
    w->producer = fake_producer_new();
    assert_ok(ingest_open(w->producer, w->log.log, &w->log.env, &w->ingest, &e));
    say(w, EVENT_SYNC_BEGIN, NULL);
    assert_int_equal(run_to_error(w, &e), RC_INVALID);
    assert_int_equal(e.retry, ERR_FATAL);
}

/* ---- Kinds and versions ---- */

static void kind(struct world *w, const char *api_version, const char *body)
{
    fake_producer_say(w->producer, &(struct event){.op = EVENT_KIND,
                                                   .cause = CAUSE_SELF,
                                                   .source_kind = SOURCE_KUBERNETES,
                                                   .key = SLICE("@kind/" CM),
                                                   .api_version = slice_str(api_version),
                                                   .body = slice_str(body)});
}

static void a_kind_is_written_only_when_it_changed(void **state)
{
    struct world *w = *state;
    kind(w, "v1", "{\"a\":1}");
    run(w);
    kind(w, "v1", "{\"a\":1}");
    run(w);
    kind(w, "v1", "{\"a\":2}");
    run(w);
    assert_said(w, "epoch kind kind");
}

static void a_change_of_version_is_a_fresh_listing_even_after_a_crash_inside_it(void **state)
{
    struct world *w = *state;
    kind(w, "v1beta1", "{\"version\":\"v1beta1\"}");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    say(w, EVENT_SYNC_END, "10");
    run(w);
    crash(w); /* wants v1 */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    kind(w, "v1", "{\"version\":\"v1\"}");
    say(w, EVENT_SYNC_BEGIN, NULL);
    run(w);
    crash(w); /* the listing in v1 did not end: the position is still the one of v1beta1 */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "12");
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "12");
}

static void without_a_version_the_one_of_the_log_is_kept(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope any = {SLICE("/secrets"), SLICE_NULL};
    fake_producer_say(w->producer, &(struct event){.op = EVENT_KIND,
                                                   .cause = CAUSE_SELF,
                                                   .source_kind = SOURCE_KUBERNETES,
                                                   .key = SLICE("@kind//secrets"),
                                                   .api_version = SLICE("v1alpha1"),
                                                   .body = SLICE("{}")});
    run(w);
    assert_ok(ingest_want(w->ingest, &any, 1, &e));
    assert_string_equal(fake_producer_api_version(w->producer, "/secrets"), "v1alpha1");
}

static void two_versions_of_one_resource_are_a_conflict(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope two[] = {{SLICE(CM), SLICE("v1")}, {SLICE(CM), SLICE("v2")}};
    assert_int_equal(ingest_want(w->ingest, two, 2, &e), RC_INVALID);
    assert_true(ft_has(e.msg, "VersionConflict"));
}

/* ---- Scopes that come and go ---- */

static void a_dropped_scope_is_forgotten_and_comes_back_where_it_was(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_two(w);
    watched(w, A, "11");
    run(w);
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_null(fake_producer_resume(w->producer, CM));
    assert_non_null(fake_producer_resume(w->producer, "/namespaces"));
    assert_ok(ingest_want(w->ingest, WANTED, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, CM), "11");
}

static void a_scope_dropped_while_its_listing_is_being_closed_leaves_nothing_behind(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "20");
    assert_ok(ingest_step(w->ingest, &wake, &e));
    assert_ok(ingest_step(w->ingest, &wake, &e));
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    run(w);
    assert_said(w, "sync-begin");
}

/* ---- A log without room (I10) ---- */

static void a_full_log_makes_the_batch_wait_and_nothing_is_lost(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    rlog_fault_set(w->log.log, RLOG_FAULT_APPEND,
                   &(struct rlog_fault){.times = 2, .rc = RC_LIMIT, .retry = ERR_RETRY});
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
            &(struct rlog_fault){.pass = pass, .times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
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
                   &(struct rlog_fault){.rc = RC_LIMIT, .retry = ERR_FINAL});
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
        scopes[i] = (struct ingest_scope){slice_str(texts[i]), SLICE("g/v1")};
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
                   &(struct rlog_fault){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    run(w);
    rlog_fault_set(w->log.log, RLOG_FAULT_MAINTAIN,
                   &(struct rlog_fault){.rc = RC_LIMIT, .retry = ERR_FINAL});
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
            &(struct rlog_fault){.pass = n / 2, .rc = RC_IO, .retry = ERR_FATAL, .done = n % 2});
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(namespaces_and_crds_are_always_followed),
        TEST(the_position_is_in_the_same_append_as_the_events_it_covers),
        TEST(an_append_that_fails_leaves_neither_event_nor_position),
        TEST(a_restart_resumes_from_the_last_position),
        TEST(bookmarks_are_written_at_most_once_a_minute),
        TEST(an_event_takes_the_newest_position_along),
        TEST(a_listing_infers_deletes_with_their_last_bodies_before_its_end),
        TEST(a_listing_in_which_nothing_differs_raises_no_alarm),
        TEST(a_listing_that_breaks_off_appends_no_deletes),
        TEST(a_listing_cut_by_a_crash_appends_no_deletes),
        TEST(what_was_watched_just_before_a_listing_is_not_written_again),
        TEST(thousands_of_missing_objects_end_with_one_sync_end),
        TEST(a_listing_of_one_scope_leaves_the_others_alone),
        TEST(another_cluster_under_the_same_name_is_refused_and_nothing_appended),
        TEST(the_identity_is_pinned_across_restarts),
        TEST(a_regression_raises_the_incarnation_and_everything_is_listed_into_it),
        TEST(a_position_of_before_a_regression_is_not_resumed_from),
        TEST(an_event_before_the_identity_is_a_fault_of_the_producer),
        TEST(a_kind_is_written_only_when_it_changed),
        TEST(a_change_of_version_is_a_fresh_listing_even_after_a_crash_inside_it),
        TEST(without_a_version_the_one_of_the_log_is_kept),
        TEST(two_versions_of_one_resource_are_a_conflict),
        TEST(a_dropped_scope_is_forgotten_and_comes_back_where_it_was),
        TEST(a_scope_dropped_while_its_listing_is_being_closed_leaves_nothing_behind),
        TEST(a_full_log_makes_the_batch_wait_and_nothing_is_lost),
        TEST(a_full_log_in_the_middle_of_inferred_deletes_loses_none),
        TEST(a_batch_that_can_never_be_appended_is_an_error),
        TEST(a_writer_that_was_replaced_stops),
        TEST(large_events_are_cut_into_batches_below_the_limit_of_the_log),
        TEST(many_scopes_get_their_positions_in_the_append_of_their_events),
        TEST(the_log_is_kept_up_when_idle_and_now_and_then_when_busy),
        TEST(upkeep_without_room_waits_and_a_broken_one_is_told),
        TEST(the_status_counts_scopes_and_names_the_worst),
        cmocka_unit_test(every_crash_around_an_append_ends_with_each_event_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

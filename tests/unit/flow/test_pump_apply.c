/* The decisions about single keys under crash and failure: wherever the pump dies, the next one brings
 * the destination to the same state, and no older event is ever written over a newer one (I1, I3, I4). */
#include "tests/unit/flow/pump_test.h"

#define TURNS 4 /* pump steps between two events of the story */

struct line {
    enum event_op op;
    enum event_cause cause;
    const char *key, *json;
};

/* What happens at the source. At its end everything is selected, known and accepted, so that the final
 * state does not depend on which events a catch-up passed over. */
static const struct line STORY[] = {
    {EVENT_SYNC_BEGIN, CAUSE_SELF, "@sync//configmaps", NULL},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/a", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/b", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/held", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/waits", "{'v':1}"},
    {EVENT_SYNC_END, CAUSE_SELF, "@sync//configmaps", NULL},
    {EVENT_PUT, CAUSE_WATCH, "/services/n/v", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/namespaces//n", "{'metadata':{'labels':{'env':'test'}}}"},
    {EVENT_DELETE, CAUSE_WATCH, "/configmaps/n/b", NULL},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/a", "{'v':2}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/a", "{'v':3}"},
    {EVENT_PUT, CAUSE_WATCH, "/secrets/n/s", "{'metadata':{'labels':{'sel':'yes'}},'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/secrets/n/s", "{'metadata':{},'v':2}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/c", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/d", "{'v':1}"},
    {EVENT_PUT, CAUSE_WATCH, "/namespaces//n", "{'metadata':{'labels':{'env':'prod'}}}"},
    {EVENT_DELETE, CAUSE_WATCH, "/configmaps/n/a", NULL},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/a", "{'v':4}"},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/b", "{'v':2}"},
    {EVENT_DELETE, CAUSE_WATCH, "/configmaps/n/d", NULL},
    {EVENT_SYNC_BEGIN, CAUSE_SELF, "@sync//configmaps", NULL},
    {EVENT_DELETE, CAUSE_RESYNC, "/configmaps/n/c", NULL},
    {EVENT_DELETE, CAUSE_RESYNC, "/configmaps/n/b", NULL},
    {EVENT_SYNC_END, CAUSE_SELF, "@sync//configmaps", NULL},
    {EVENT_PUT, CAUSE_WATCH, "/configmaps/n/held", "{'v':2}"},
    {EVENT_PUT, CAUSE_WATCH, "/secrets/n/s", "{'metadata':{'labels':{'sel':'yes'}},'v':3}"},
    {EVENT_PUT, CAUSE_WATCH, "/services/n/v", "{'v':2}"},
};
#define LINES (sizeof STORY / sizeof *STORY)

static void tell(struct pump_world *w, size_t line)
{
    AUTO(freep) char *body = ft_quotes(STORY[line].json ? STORY[line].json : "");
    ft_append(&w->log, &(struct event){.op = STORY[line].op,
                                       .cause = STORY[line].cause,
                                       .key = slice_str(STORY[line].key),
                                       .body = slice_str(body)});
}

static struct pump_world *new_world(void)
{
    struct pump_world *w = pt_new();
    dest_mem_window(w->dest, 3);
    dest_mem_delay(w->dest, 70 * NS_PER_MS);
    pt_refuse(w, "/configmaps/n/held", 3);
    dest_mem_script(w->dest, "/configmaps/n/waits",
                    &(struct sink_script){
                        .outcome = SINK_WAITING, .dependency = "/configmaps/n/a", .times = 2});
    return w;
}

static void assert_story_ended(struct pump_world *w, const char *where, int n)
{
    pt_run_for(w, 1500 * NS_PER_S); /* holds are tried again at most 10 minutes apart */
    struct pump_status s = pt_status(w);
    if (dest_mem_count(w->dest) != 5 || dest_mem_disorder(w->dest) || s.held || s.waiting)
        fail_msg("%s %d: %zu objects, %zu out of order, %zu held, %zu waiting", where, n,
                 dest_mem_count(w->dest), dest_mem_disorder(w->dest), s.held, s.waiting);
    pt_has(w, "/configmaps/n/a", "{'v':4}");
    pt_has(w, "/configmaps/n/held", "{'v':2}");
    pt_has(w, "/configmaps/n/waits", "{'v':1}");
    pt_has(w, "/secrets/n/s", "{'metadata':{'labels':{'sel':'yes'}},'v':3}");
    pt_has(w, "/services/n/v", "{'v':2}");
    assert_int_equal(pt_committed(w), pt_head(w));
}

/* Opens until it opens: a fault strikes there, too. */
static void reopen(struct pump_world *w)
{
    for (int i = 0; i < 3; i++) {
        struct err e = ERR_INIT;
        if (w->ckpt)
            pt_close(w);
        if (pt_try_open(w, &e) == RC_OK)
            return;
    }
    fail_msg("the pump does not open any more");
}

/* One step, then a little time. A failed pump is opened again. */
static void turn(struct pump_world *w)
{
    int64_t wake;
    struct err e = ERR_INIT;
    enum rc rc = pt_step(w, &wake, &e);
    if (rc < 0)
        reopen(w);
    if (rc == RC_AGAIN)
        pt_wait(w, wake - pt_now(w) < 20 * NS_PER_MS ? wake - pt_now(w) : 20 * NS_PER_MS);
}

static void without_any_crash_the_story_ends_as_it_should(void **state)
{
    (void)state;
    struct pump_world *w = new_world();
    pt_open(w);
    for (int i = 0; i < (int)LINES * TURNS; i++) {
        if (i % TURNS == 0)
            tell(w, (size_t)(i / TURNS));
        turn(w);
    }
    assert_story_ended(w, "no crash", 0);
    pt_free(w);
}

static void a_crash_after_any_step_changes_nothing_in_the_end(void **state)
{
    (void)state;
    for (int n = 0; n < (int)LINES * TURNS; n++) {
        struct pump_world *w = new_world();
        pt_open(w);
        for (int i = 0; i < (int)LINES * TURNS; i++) {
            if (i % TURNS == 0)
                tell(w, (size_t)(i / TURNS));
            if (i == n)
                pt_crash(w);
            turn(w);
        }
        assert_story_ended(w, "crash after step", n);
        pt_free(w);
    }
}

static void a_crash_every_few_steps_changes_nothing_in_the_end(void **state)
{
    (void)state;
    for (int n = 1; n < 40; n++) {
        struct pump_world *w = new_world();
        pt_open(w);
        for (int i = 0; i < (int)LINES * TURNS; i++) {
            if (i % TURNS == 0)
                tell(w, (size_t)(i / TURNS));
            if (i % n == 0)
                pt_crash(w);
            turn(w);
        }
        assert_story_ended(w, "crash every so many steps", n);
        pt_free(w);
    }
}

/* The pump goes away after line `from`, misses the rest, and dies again after n steps of catching up. */
static void miss_lines(size_t from, int n)
{
    struct pump_world *w = new_world();
    pt_open(w);
    for (size_t i = 0; i <= from; i++) {
        tell(w, i);
        for (int k = 0; k < TURNS; k++)
            turn(w);
    }
    pt_close(w);
    for (size_t i = from + 1; i < LINES; i++)
        tell(w, i);
    pt_open(w);
    for (int i = 0; i < n; i++)
        turn(w);
    pt_crash(w);
    assert_story_ended(w, "crash while catching up", n);
    pt_free(w);
}

static void a_crash_while_catching_up_changes_nothing_in_the_end(void **state)
{
    (void)state;
    for (size_t from = 0; from < LINES; from += 3)
        for (int n = 0; n < 25; n++)
            miss_lines(from, n);
}

static void writes_that_a_crashed_sink_had_not_flushed_are_made_again(void **state)
{
    (void)state;
    for (int n = 1; n < (int)LINES * TURNS; n += 3) {
        struct pump_world *w = new_world();
        dest_mem_cache(w->dest, true);
        pt_open(w);
        for (int i = 0; i < (int)LINES * TURNS; i++) {
            if (i % TURNS == 0)
                tell(w, (size_t)(i / TURNS));
            if (i == n)
                pt_crash(w);
            turn(w);
        }
        assert_story_ended(w, "crash of a sink that caches", n);
        pt_free(w);
    }
}

/* ---- Failing calls: the n-th one fails once, until a run passes in which none did ---- */

static unsigned play_with_log_fault(enum rlog_fault_call call, unsigned n)
{
    struct pump_world *w = new_world();
    pt_open(w);
    rlog_fault_set(w->log.log, call,
                   &(struct fault_rule){.pass = n, .times = 1, .rc = RC_IO, .retry = ERR_FATAL});
    for (int i = 0; i < (int)LINES * TURNS; i++) {
        if (i % TURNS == 0)
            tell(w, (size_t)(i / TURNS));
        turn(w);
    }
    unsigned calls = rlog_fault_count(w->log.log, call);
    rlog_fault_set(w->log.log, call, &(struct fault_rule){.rc = RC_OK});
    reopen(w); /* an iterator that failed stays failed */
    assert_story_ended(w, "failing call of the log", (int)n);
    pt_free(w);
    return calls;
}

static void any_failing_read_of_the_log_changes_nothing_in_the_end(void **state)
{
    (void)state;
    const enum rlog_fault_call calls[] = {RLOG_FAULT_NEXT, RLOG_FAULT_LAST, RLOG_FAULT_CURSOR,
                                          RLOG_FAULT_BOUNDS};
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++) {
        unsigned n = 0;
        while (play_with_log_fault(calls[c], n) > n + 1 && n < 60)
            n++;
        assert_true(n > 0);
    }
}

static bool play_with_ckpt_fault(enum ckpt_fault_call call, unsigned n, bool done)
{
    struct pump_world *w = new_world();
    bool struck = false;
    pt_open(w);
    ckpt_fault_set(
        w->ckpt, call,
        &(struct fault_rule){.pass = n, .times = 1, .rc = RC_IO, .retry = ERR_FATAL, .done = done});
    for (int i = 0; i < (int)LINES * TURNS; i++) {
        if (i % TURNS == 0)
            tell(w, (size_t)(i / TURNS));
        unsigned before = w->deaths;
        turn(w);
        struck = struck || w->deaths != before;
    }
    reopen(w);
    assert_story_ended(w, "failing call of the checkpoint", (int)n);
    pt_free(w);
    return struck;
}

static void any_failing_call_of_the_checkpoint_changes_nothing_in_the_end(void **state)
{
    (void)state;
    unsigned n = 0;
    while (play_with_ckpt_fault(CKPT_FAULT_COMMIT, n, false))
        n++;
    assert_true(n > 5);
    for (n = 0; play_with_ckpt_fault(CKPT_FAULT_COMMIT, n, true); n++)
        ;
    assert_true(n > 5);
    for (n = 0; play_with_ckpt_fault(CKPT_FAULT_GET, n, false); n++)
        ;
    assert_true(n > 5);
    for (n = 0; play_with_ckpt_fault(CKPT_FAULT_SCAN, n, false); n++)
        ;
    assert_true(n > 0);
}

/* ---- Single cases that the story once hid ---- */

static struct pump_world *with_one_slow_key(const char *slow)
{
    struct pump_world *w = pt_new();
    pt_open(w);
    pt_run(w);
    int64_t wake;
    struct err e = ERR_INIT;
    dest_mem_delay(w->dest, 3600 * NS_PER_S);
    pt_put(w, slow, "{}");
    assert_ok(pt_step(w, &wake, &e));
    dest_mem_delay(w->dest, 0);
    return w;
}

static void a_carried_out_delete_is_not_undone_by_the_put_before_it_after_a_crash(void **state)
{
    (void)state;
    struct pump_world *w =
        with_one_slow_key("/configmaps/n/slow"); /* holds the committed offset back */
    pt_put(w, "/configmaps/n/a", "{'v':1}");
    pt_run(w);
    pt_delete(w, "/configmaps/n/a");
    pt_run(w);
    pt_lacks(w, "/configmaps/n/a");
    size_t before = dest_mem_writes(w->dest);
    pt_crash(w);
    pt_run(w);
    assert_int_equal(dest_mem_writes(w->dest), before + 1); /* the slow one */
    assert_int_equal(dest_mem_disorder(w->dest), 0);
    pt_has(w, "/configmaps/n/slow", "{}");
    pt_free(w);
}

static void a_delete_brings_the_last_state_along(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    pt_open(w);
    pt_put(w, "/configmaps/n/a", "{'v':1}");
    pt_run(w);
    ft_append(&w->log, &(struct event){.op = EVENT_DELETE,
                                       .cause = CAUSE_WATCH,
                                       .key = SLICE("/configmaps/n/a"),
                                       .api_version = SLICE("v1"),
                                       .body = SLICE("{\"v\":2}")});
    pt_run(w);
    struct dest_mem_write last = dest_mem_write_at(w->dest, dest_mem_writes(w->dest) - 1);
    assert_int_equal(last.op, SINK_DELETE);
    assert_string_equal(last.body, "{\"v\":2}");
    pt_free(w);
}

static void a_copy_whose_record_a_crash_took_goes_with_a_delete_that_hides_its_put(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    pt_open(w);
    pt_run(w);
    pt_put(w, "/configmaps/n/a", "{}");
    ckpt_fault_set(w->ckpt, CKPT_FAULT_COMMIT,
                   &(struct fault_rule){.rc = RC_IO, .retry = ERR_FATAL});
    struct err e = ERR_INIT;
    assert_int_equal(pt_try_run(w, &e), RC_IO);
    pt_has(w, "/configmaps/n/a", "{}");
    pt_close(w);
    pt_delete(w, "/configmaps/n/a");
    pt_open(w);
    pt_run(w);
    pt_lacks(w, "/configmaps/n/a");
    pt_free(w);
}

static void a_hold_beyond_the_committed_offset_is_retried_with_its_own_event(void **state)
{
    (void)state;
    struct pump_world *w = with_one_slow_key("/configmaps/n/slow");
    pt_put(w, "/configmaps/n/a", "{'v':1}");
    pt_run(w);
    pt_refuse(w, "/configmaps/n/a", 1);
    pt_put(w, "/configmaps/n/a", "{'v':2}");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//configmaps");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1);
    pt_crash(w);
    pt_run_for(w, 10 * NS_PER_S);
    pt_has(w, "/configmaps/n/a", "{'v':2}");
    for (size_t i = 0; i < dest_mem_writes(w->dest); i++)
        assert_int_equal(dest_mem_write_at(w->dest, i).op, SINK_PUT);
    assert_int_equal(dest_mem_disorder(w->dest), 0);
    pt_free(w);
}

/* Labels are taken as of the event, so that a replay decides as the first run did. */
static void a_replay_does_not_use_the_namespace_labels_of_later(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'prod'}}}");
    pt_open(w);
    pt_run(w);
    pt_close(w);
    pt_put(w, "/services/n/v", "{'v':1}");
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'test'}}}");
    pt_open(w);
    pt_run(w);
    pt_has(w, "/services/n/v", "{'v':1}");
    pt_put(w, "/services/n/v", "{'v':2}");
    pt_run(w);
    pt_has(w, "/services/n/v", "{'v':1}");
    pt_free(w);
}

static void a_checkpoint_without_room_is_an_error_and_nothing_is_lost(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    struct err e = ERR_INIT;
    pt_open(w);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_COMMIT,
                   &(struct fault_rule){.rc = RC_LIMIT, .retry = ERR_RETRY});
    pt_put(w, "/configmaps/n/a", "{}");
    assert_int_equal(pt_try_run(w, &e), RC_LIMIT);
    assert_int_equal(e.retry, ERR_RETRY);
    pt_crash(w);
    pt_run(w);
    pt_has(w, "/configmaps/n/a", "{}");
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_free(w);
}

static void keys_that_wait_do_not_keep_news_waiting(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    struct err e = ERR_INIT;
    char key[64];
    dest_mem_window(w->dest, 4);
    pt_open(w);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "/configmaps/n/waits-%d", i);
        dest_mem_script(w->dest, key,
                        &(struct sink_script){.outcome = SINK_WAITING, .cls = "namespace-missing"});
        pt_put(w, key, "{}");
    }
    dest_mem_delay(w->dest,
                   NS_PER_S / 10); /* 40 answers a second: less than the tries that are due */
    for (int i = 0; i < 20000 && !dest_mem_get(w->dest, "/configmaps/n/news").p; i++) {
        int64_t wake = 0;
        enum rc rc = pump_step(w->pump, &wake, &e);
        assert_true(rc >= 0);
        if (i == 10000)
            pt_put(w, "/configmaps/n/news", "{}");
        if (rc == RC_AGAIN)
            pt_wait(w, wake > pt_now(w) && wake < INT64_MAX ? wake - pt_now(w) : NS_PER_MS);
    }
    pt_has(w, "/configmaps/n/news", "{}");
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_any_crash_the_story_ends_as_it_should),
        cmocka_unit_test(a_crash_after_any_step_changes_nothing_in_the_end),
        cmocka_unit_test(a_crash_every_few_steps_changes_nothing_in_the_end),
        cmocka_unit_test(a_crash_while_catching_up_changes_nothing_in_the_end),
        cmocka_unit_test(writes_that_a_crashed_sink_had_not_flushed_are_made_again),
        cmocka_unit_test(any_failing_read_of_the_log_changes_nothing_in_the_end),
        cmocka_unit_test(any_failing_call_of_the_checkpoint_changes_nothing_in_the_end),
        cmocka_unit_test(a_carried_out_delete_is_not_undone_by_the_put_before_it_after_a_crash),
        cmocka_unit_test(a_delete_brings_the_last_state_along),
        cmocka_unit_test(a_copy_whose_record_a_crash_took_goes_with_a_delete_that_hides_its_put),
        cmocka_unit_test(a_hold_beyond_the_committed_offset_is_retried_with_its_own_event),
        cmocka_unit_test(a_replay_does_not_use_the_namespace_labels_of_later),
        cmocka_unit_test(a_checkpoint_without_room_is_an_error_and_nothing_is_lost),
        cmocka_unit_test(keys_that_wait_do_not_keep_news_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

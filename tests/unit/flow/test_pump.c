/* The pump's ordinary life: what it applies, what it holds, what it commits. Pruning, the first scan
 * and crashes have their own files. */
#include "tests/unit/flow/pump_test.h"

#define A  "/configmaps/n/a"
#define B  "/configmaps/n/b"
#define S  "/secrets/n/s"
#define V  "/services/n/v"
#define NS "/namespaces//n"

/* ---- Applying ---- */

static void puts_and_deletes_reach_the_destination_in_the_order_of_the_key(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, A, "{'v':1}");
    pt_put(w, B, "{'v':1}");
    pt_run(w);
    pt_put(w, A, "{'v':2}");
    pt_delete(w, B);
    pt_run(w);
    pt_has(w, A, "{'v':2}");
    pt_lacks(w, B);
    assert_int_equal(dest_mem_disorder(w->dest), 0);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void the_transformed_object_is_sent(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, "apps/deployments/n/d", "{'spec':{'replicas':3}}");
    pt_run(w);
    pt_has(w, "apps/deployments/n/d", "{'spec':{'replicas':0}}");
}

static void what_no_entry_names_is_passed_over(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, "/pods/n/p", "{}");
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 0);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void a_delete_of_what_was_never_applied_asks_nothing_of_the_sink(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    pt_put(w, S, "{'metadata':{}}");
    pt_delete(w, S);
    pt_delete(w, A);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, S) + dest_mem_submits(w->dest, A), 0);
}

static void an_observed_delete_is_marked_so(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, A, "{}");
    pt_run(w);
    pt_delete(w, A);
    pt_run(w);
    struct dest_mem_write last = dest_mem_write_at(w->dest, dest_mem_writes(w->dest) - 1);
    assert_int_equal(last.op, SINK_DELETE);
    assert_true(last.observed);
}

static void what_the_sink_skips_counts_as_done(void **state)
{
    struct pump_world *w = *state;
    dest_mem_script(w->dest, A, &(struct sink_script){.outcome = SINK_SKIPPED});
    pt_put(w, A, "{}");
    pt_run(w);
    assert_int_equal(pt_committed(w), pt_head(w));
    assert_int_equal(pt_status(w).held, 0);
    pt_delete(w, A);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, A), 1);
}

/* ---- One in flight for each key, and the window ---- */

static void a_newer_event_waits_for_the_one_in_flight_and_replaces_what_waited(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_delay(w->dest, NS_PER_S);
    pt_put(w, A, "{'v':1}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    for (int v = 2; v < 6; v++) {
        char body[20];
        snprintf(body, sizeof body, "{'v':%d}", v);
        pt_put(w, A, body);
    }
    pt_run(w);
    pt_has(w, A, "{'v':5}");
    assert_int_equal(dest_mem_submits(w->dest, A), 2);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void other_keys_go_on_while_one_is_in_flight(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_delay(w->dest, NS_PER_S);
    pt_put(w, A, "{}");
    pt_put(w, B, "{}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    assert_int_equal(pt_status(w).in_flight, 2);
}

static void a_full_window_stops_reading_and_loses_nothing(void **state)
{
    struct pump_world *w = *state;
    dest_mem_window(w->dest, 2);
    dest_mem_delay(w->dest, NS_PER_S / 2);
    char key[40];
    for (int i = 0; i < 20; i++)
        pt_put(w, pt_key(i, key), "{}");
    int64_t wake;
    struct err e = ERR_INIT;
    while (pt_step(w, &wake, &e) == RC_OK)
        ;
    assert_int_equal(pt_status(w).in_flight, 3); /* two at the sink, one that found no room */
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 20);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void the_commit_never_passes_what_is_in_flight(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_delay(w->dest, 10 * NS_PER_S);
    rlog_off slow = pt_put(w, A, "{}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    dest_mem_delay(w->dest, 0);
    char key[40];
    for (int i = 0; i < 50; i++)
        pt_put(w, pt_key(i, key), "{}");
    pt_run_for(w, 5 * NS_PER_S);
    assert_int_equal(dest_mem_count(w->dest), 50);
    assert_int_equal(pt_committed(w), slow);
    pt_run_for(w, 10 * NS_PER_S);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void results_are_flushed_before_they_are_committed(void **state)
{
    struct pump_world *w = *state;
    dest_mem_cache(w->dest, true);
    pt_put(w, A, "{}");
    pt_run(w);
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_has(w, A, "{}");
}

static void commits_come_at_most_every_100_ms_or_1000_results(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    pt_run(w);
    fake_clock_advance(&w->log.clock, NS_PER_S);
    for (int i = 0; i < 300; i++)
        pt_put(w, pt_key(i, key), "{}");
    unsigned before = ckpt_fault_count(w->ckpt, CKPT_FAULT_COMMIT);
    int64_t wake;
    struct err e = ERR_INIT;
    while (pt_step(w, &wake, &e) == RC_OK) /* no time passes */
        ;
    assert_int_equal(ckpt_fault_count(w->ckpt, CKPT_FAULT_COMMIT), before + 1);
    assert_true(wake <= pt_now(w) + 100 * NS_PER_MS);
    for (int i = 0; i < 1100; i++)
        pt_put(w, pt_key(i % 1000, key), "{'v':1}");
    before = ckpt_fault_count(w->ckpt, CKPT_FAULT_COMMIT);
    while (pt_step(w, &wake, &e) == RC_OK)
        ;
    assert_int_equal(ckpt_fault_count(w->ckpt, CKPT_FAULT_COMMIT), before + 1);
}

/* ---- Holds (I11) ---- */

static void E76_a_patch_that_does_not_fit_holds_the_key(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, "apps/deployments/n/d", "{'spec':{}}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1);
    assert_true(ft_has(pt_status(w).error, "patch"));
    pt_put(w, "apps/deployments/n/d", "{'spec':{'replicas':1}}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 0);
}

static void an_object_that_is_no_json_holds_the_key(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, A, "{");
    pt_put(w, B, "{}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1);
    pt_has(w, B, "{}");
}

/* ---- Waiting ---- */

static void an_object_of_an_unknown_namespace_is_parked_until_the_namespace_is_known(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, V, "{}");
    pt_run(w);
    assert_int_equal(pt_status(w).waiting, 1);
    assert_int_equal(dest_mem_submits(w->dest, V), 0);
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_crash(w);
    assert_int_equal(pt_status(w).waiting, 1);
    pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    pt_run(w);
    pt_has(w, V, "{}");
    assert_int_equal(pt_status(w).waiting, 0);
}

static void an_object_that_may_make_its_namespace_waits_for_the_labels_of_it(void **state)
{
    struct pump_world *w = *state;
    w->entries[0].policy.force_namespace = true;
    pt_put(w, A, "{}");
    pt_run(w);
    assert_int_equal(pt_status(w).waiting, 1);
    pt_lacks(w, A);
    pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    pt_run(w);
    pt_has(w, A, "{}");
}

static void a_parked_object_whose_namespace_is_not_selected_is_let_go(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, V, "{}");
    pt_run(w);
    pt_put(w, NS, "{}");
    pt_run(w);
    assert_int_equal(pt_status(w).waiting, 0);
    pt_lacks(w, V);
}

/* ---- Selection that changes ---- */

static void an_object_that_leaves_the_selection_is_frozen_and_its_delete_only_reported(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, S, "{'metadata':{'labels':{'sel':'yes'}},'v':1}");
    pt_run(w);
    pt_put(w, S, "{'metadata':{'labels':{}},'v':2}");
    pt_run(w);
    pt_has(w, S, "{'metadata':{'labels':{'sel':'yes'}},'v':1}");
    pt_delete(w, S);
    pt_run(w);
    pt_has(w, S, "{'metadata':{'labels':{'sel':'yes'}},'v':1}");
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void an_object_that_comes_back_into_the_selection_is_followed_again(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, S, "{'metadata':{'labels':{'sel':'yes'}},'v':1}");
    pt_put(w, S, "{'metadata':{},'v':2}");
    pt_run(w);
    pt_put(w, S, "{'metadata':{'labels':{'sel':'yes'}},'v':3}");
    pt_run(w);
    pt_delete(w, S);
    pt_run(w);
    pt_lacks(w, S);
}

static void a_namespaces_label_change_looks_at_its_objects_again_at_once(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, NS, "{'metadata':{'labels':{'env':'test'}}}");
    pt_put(w, V, "{'v':1}");
    pt_put(w, "/services/other/v", "{}");
    pt_put(w, "/services/n/gone", "{}");
    pt_delete(w, "/services/n/gone");
    pt_run(w);
    pt_lacks(w, V);
    pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    pt_run(w);
    pt_has(w, V, "{'v':1}");
    assert_int_equal(dest_mem_count(w->dest), 1);
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_put(w, NS, "{'metadata':{'labels':{'env':'test'}}}");
    pt_put(w, V, "{'v':2}");
    pt_run(w);
    pt_has(w, V, "{'v':1}"); /* frozen */
    pt_delete(w, V);
    pt_run(w);
    pt_has(w, V, "{'v':1}");
}

/* The walk over the namespace's objects shows the log as it was when the namespace changed. What is read in between
 * depends on whose turn it is; so once with an event more before. */
static void what_an_exclusion_takes_follows_the_labels_of_its_namespace(void **state)
{
    struct pump_world *w = *state;
    const struct replication_entry excluded = {
        .version = SLICE("v1"), .resource = SLICE("configmaps"), .ns_selector = w->ns_labels};
    w->entries[0].by_star = true;
    w->replication.excluded = &excluded;
    w->replication.n_excluded = 1;
    pt_crash(w);
    pt_put(w, NS, "{'metadata':{'labels':{'env':'test'}}}");
    pt_put(w, PT_CM, "{'v':1}");
    pt_run(w);
    pt_has(w, PT_CM, "{'v':1}");
    pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    pt_run(w);
    assert_int_equal(pt_status(w).deselected, 1);
    pt_put(w, NS, "{'metadata':{'labels':{'env':'test'}}}");
    pt_run(w);
    assert_int_equal(pt_status(w).deselected, 0);
    w->replication.n_excluded = 0;
}

static void what_was_deleted_since_a_label_change_does_not_come_back(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, V, "{}");
    for (int i = 0; i < 4; i++) {
        char key[40];
        snprintf(key, sizeof key, "/services/n/w%d", i);
        pt_put(w, NS, "{'metadata':{'name':'n'}}");
        pt_put(w, key, "{}");
        pt_run(w);
        if (i % 2)
            pt_put(w, A, "{}");
        pt_put(w, NS, "{'metadata':{'name':'n','labels':{'env':'prod'}}}");
        pt_delete(w, key);
        pt_run(w);
        pt_lacks(w, key);
        assert_int_equal(dest_mem_submits(w->dest, key), 0);
    }
    pt_has(w, V, "{}");
}

static void a_label_change_is_not_committed_before_its_objects_were_looked_at(void **state)
{
    struct pump_world *w = *state;
    char key[60];
    pt_put(w, NS, "{'metadata':{'labels':{'env':'test'}}}");
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "/services/n/v%d", i);
        pt_put(w, key, "{}");
    }
    pt_run(w);
    rlog_off change = pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    int64_t wake;
    struct err e = ERR_INIT;
    fake_clock_advance(&w->log.clock, NS_PER_S);
    assert_ok(pt_step(w, &wake, &e));
    assert_true(pt_committed(w) <= change);
    pt_crash(w);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 200);
}

static void a_delete_is_decided_by_what_was_applied_and_not_by_the_filter(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, NS, "{'metadata':{'labels':{'env':'prod'}}}");
    pt_put(w, V, "{}");
    pt_run(w);
    pt_delete(w, NS); /* now nobody knows whether its namespace is selected */
    pt_delete(w, V);
    pt_run(w);
    pt_lacks(w, V);
    pt_put(w, S, "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_run(w);
    ft_append(&w->log, &(struct event){.op = EVENT_DELETE, /* its last state carries other labels */
                                       .cause = CAUSE_WATCH,
                                       .key = SLICE(S),
                                       .body = SLICE("{\"metadata\":{}}")});
    pt_run(w);
    pt_lacks(w, S);
}

/* ---- Catching up ---- */

static void far_behind_only_the_last_event_of_each_key_is_read(void **state)
{
    struct pump_world *w = *state;
    char key[40], body[30];
    pt_put(w, B, "{}");
    pt_run(w);
    pt_close(w);
    for (int i = 0; i < 2000; i++) {
        snprintf(body, sizeof body, "{'v':%d}", i);
        pt_put(w, pt_key(i % 10, key), body);
    }
    pt_delete(w, B);
    pt_open(w);
    assert_true(pt_status(w).catching_up);
    pt_run(w);
    assert_false(pt_status(w).catching_up);
    for (int i = 0; i < 10; i++)
        assert_int_equal(dest_mem_submits(w->dest, pt_key(i, key)), 1);
    pt_has(w, "/configmaps/n/k009", "{'v':1999}");
    pt_lacks(w, B);
}

static void a_pump_that_fell_behind_while_running_catches_up_too(void **state)
{
    struct pump_world *w = *state;
    char key[40], body[30];
    pt_run(w);
    dest_mem_window(w->dest, 0);
    pt_put(w, A, "{}");
    pt_run(w);
    for (int i = 0; i < 2000; i++) {
        snprintf(body, sizeof body, "{'v':%d}", i);
        pt_put(w, pt_key(i % 10, key), body);
    }
    pt_run(w);
    dest_mem_window(w->dest, 100);
    pt_run(w);
    for (int i = 0; i < 10; i++)
        assert_int_equal(dest_mem_submits(w->dest, pt_key(i, key)), 1);
    pt_has(w, "/configmaps/n/k009", "{'v':1999}");
}

static void two_pumps_on_one_log_go_at_their_own_pace(void **state)
{
    struct pump_world *w = *state, slow = {.log = w->log};
    slow.ckpts = ckpt_mem_store_new();
    slow.dest = dest_mem_new();
    slow.replication =
        (struct replication){.sync = SLICE("team/slow"), .entries = w->entries, .n_entries = 4};
    pt_open(&slow);
    dest_mem_window(slow.dest, 0); /* its destination is down */
    char key[40];
    for (int i = 0; i < 30; i++)
        pt_put(w, pt_key(i, key), "{}");
    pt_run(&slow);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 30);
    assert_int_equal(dest_mem_count(slow.dest), 0);
    assert_int_equal(pt_status(w).lag_records, 0);
    assert_int_equal(pt_status(&slow).lag_records, 30);
    dest_mem_window(slow.dest, 3);
    pt_run(&slow);
    assert_int_equal(dest_mem_count(slow.dest), 30);
    pt_close(&slow);
    dest_mem_free(slow.dest);
    ckpt_mem_store_free(slow.ckpts);
}

/* ---- Ends and errors ---- */

static void draining_finishes_what_is_in_flight_and_takes_nothing_new(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_delay(w->dest, NS_PER_S);
    rlog_off first = pt_put(w, A, "{}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    pt_put(w, B, "{}");
    pump_drain(w->pump);
    assert_false(pump_idle(w->pump));
    pt_run_for(w, 3 * NS_PER_S);
    assert_true(pump_idle(w->pump));
    pt_has(w, A, "{}");
    pt_lacks(w, B);
    assert_ok(pump_commit(w->pump, SLICE("{\"phase\":\"Stopped\"}"), &e));
    assert_int_equal(pt_committed(w), first + 1);
}

static void the_status_tells_offset_head_and_the_oldest_unapplied_event(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_window(w->dest, 0);
    int64_t at = clock_wall_ns(&w->log.clock.clock);
    pt_put(w, A, "{}");
    fake_clock_advance(&w->log.clock, 5 * NS_PER_S);
    pt_put(w, B, "{}");
    pt_run(w);
    struct pump_status s = pt_status(w);
    assert_int_equal(s.lag_records, 2);
    assert_int_equal(s.oldest_ns, at);
    assert_int_equal(s.head, pt_head(w));
    dest_mem_window(w->dest, 9);
    pt_run(w);
    assert_int_equal(pt_status(w).oldest_ns, 0);
}

static void a_sink_that_will_not_go_on_stops_the_pump(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    dest_mem_fatal(w->dest, true);
    assert_int_equal(pt_try_run(w, &e), RC_INVALID);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_true(ft_has(e.msg, "same cluster"));
}

static void a_checkpoint_ahead_of_the_log_is_refused(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    struct ckpt_commit what = {.head = {.generation = 1, .offset = 99}};
    assert_ok(ckpt_commit(w->ckpt, PT_SYNC, &what, &e));
    struct pump_opts opts = {
        .log = w->log.log, .ckpt = w->ckpt, .sink = w->sink, .replication = &w->replication};
    struct pump *other = NULL;
    assert_int_equal(pump_open(&opts, &w->log.env, &other, &e), RC_CORRUPT);
    assert_true(ft_has(e.msg, "offset 99"));
}

static void a_log_trimmed_below_the_offset_asks_for_a_resync(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    struct err e = ERR_INIT;
    for (int i = 0; i < 40; i++)
        pt_put(w, pt_key(i, key), "{}");
    assert_ok(rlog_trim(w->log.log, 33, &e));
    assert_int_equal(pt_try_run(w, &e), RC_EXPIRED);
    assert_int_equal(e.retry, ERR_RESYNC);
}

static void a_fenced_generation_stops_the_pump(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    pt_run(w);
    struct ckpt_commit what = {.head = {.generation = 9, .offset = 1}};
    assert_ok(ckpt_commit(w->ckpt, PT_SYNC, &what, &e));
    pt_put(w, A, "{}");
    assert_int_equal(pt_try_run(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pt_setup, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_and_deletes_reach_the_destination_in_the_order_of_the_key),
        TEST(the_transformed_object_is_sent),
        TEST(what_no_entry_names_is_passed_over),
        TEST(a_delete_of_what_was_never_applied_asks_nothing_of_the_sink),
        TEST(an_observed_delete_is_marked_so),
        TEST(what_the_sink_skips_counts_as_done),
        TEST(a_newer_event_waits_for_the_one_in_flight_and_replaces_what_waited),
        TEST(other_keys_go_on_while_one_is_in_flight),
        TEST(a_full_window_stops_reading_and_loses_nothing),
        TEST(the_commit_never_passes_what_is_in_flight),
        TEST(results_are_flushed_before_they_are_committed),
        TEST(commits_come_at_most_every_100_ms_or_1000_results),
        TEST(E76_a_patch_that_does_not_fit_holds_the_key),
        TEST(an_object_that_is_no_json_holds_the_key),
        TEST(an_object_of_an_unknown_namespace_is_parked_until_the_namespace_is_known),
        TEST(an_object_that_may_make_its_namespace_waits_for_the_labels_of_it),
        TEST(a_parked_object_whose_namespace_is_not_selected_is_let_go),
        TEST(an_object_that_leaves_the_selection_is_frozen_and_its_delete_only_reported),
        TEST(an_object_that_comes_back_into_the_selection_is_followed_again),
        TEST(a_namespaces_label_change_looks_at_its_objects_again_at_once),
        TEST(what_an_exclusion_takes_follows_the_labels_of_its_namespace),
        TEST(what_was_deleted_since_a_label_change_does_not_come_back),
        TEST(a_label_change_is_not_committed_before_its_objects_were_looked_at),
        TEST(a_delete_is_decided_by_what_was_applied_and_not_by_the_filter),
        TEST(far_behind_only_the_last_event_of_each_key_is_read),
        TEST(a_pump_that_fell_behind_while_running_catches_up_too),
        TEST(two_pumps_on_one_log_go_at_their_own_pace),
        TEST(draining_finishes_what_is_in_flight_and_takes_nothing_new),
        TEST(the_status_tells_offset_head_and_the_oldest_unapplied_event),
        TEST(a_sink_that_will_not_go_on_stops_the_pump),
        TEST(a_checkpoint_ahead_of_the_log_is_refused),
        TEST(a_log_trimmed_below_the_offset_asks_for_a_resync),
        TEST(a_fenced_generation_stops_the_pump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

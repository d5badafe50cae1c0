/* Deletes that nobody saw: the guard, its approval, and the first scan of a destination (I6). */
#include "tests/unit/flow/pump_test.h"

#define SCOPE_END   "@sync//configmaps"
#define LEFT        "/configmaps/n/left"
#define ALIVE       "/configmaps/n/alive"
#define MISSING_END 11 /* one more than the guard lets pass */

/* n objects are copied; the first `gone` of them are missing in a listing. */
static void copy_and_lose(struct pump_world *w, int n, int gone)
{
    char key[40];
    for (int i = 0; i < n; i++)
        pt_put(w, pt_key(i, key), "{}");
    pt_run(w);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
    for (int i = 0; i < gone; i++)
        pt_infer(w, pt_key(i, key));
}

static void end_listing(struct pump_world *w)
{
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    pt_run(w);
}

static void approve(struct pump_world *w)
{
    pt_close(w);
    w->prune_until_ns = pt_now(w) + 60 * NS_PER_S;
    pt_open(w);
    pt_run(w);
}

static void nothing_is_pruned_before_the_listing_is_complete(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 3, 1);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 3);
    assert_true(pt_committed(w) < pt_head(w));
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 2);
    assert_int_equal(pt_committed(w), pt_head(w));
    struct dest_mem_write last = dest_mem_write_at(w->dest, dest_mem_writes(w->dest) - 1);
    assert_int_equal(last.op, SINK_DELETE);
    assert_false(last.observed);
}

static void the_end_of_another_scope_decides_nothing(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 3, 1);
    ft_own(&w->log, EVENT_SYNC_END, "@sync//configmapsx");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//secrets");
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 3);
}

static void ten_of_few_may_go_and_eleven_are_held(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 20, 10);
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 10);
    char key[40];
    for (int i = 20; i < 31; i++)
        pt_put(w, pt_key(i, key), "{}");
    pt_run(w);
    for (int i = 20; i < 31; i++)
        pt_infer(w, pt_key(i, key));
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 21);
    assert_int_equal(pt_status(w).prune_held, 11);
    assert_true(ft_has(pt_status(w).error, "prune"));
    assert_true(ft_has(pt_status(w).error, "--allow-prune team/sync"));
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void ten_percent_of_many_may_go(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 250, 25);
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 225);
}

static void one_more_than_ten_percent_is_held(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 250, 26);
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 250);
    assert_int_equal(pt_status(w).prune_held, 26);
}

static void held_prunes_stay_held_over_restarts_and_time(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 30, MISSING_END);
    end_listing(w);
    pt_crash(w);
    pt_run_for(w, 3600 * NS_PER_S);
    assert_int_equal(dest_mem_count(w->dest), 30);
    assert_int_equal(pt_status(w).prune_held, MISSING_END);
}

static void an_approval_releases_the_held_prunes_and_lets_later_ones_pass(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 60, MISSING_END);
    end_listing(w);
    approve(w);
    assert_int_equal(dest_mem_count(w->dest), 60 - MISSING_END);
    assert_int_equal(pt_status(w).prune_held, 0);
    char key[40];
    for (int i = 20; i < 50; i++)
        pt_infer(w, pt_key(i, key));
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 60 - MISSING_END - 30);
}

static void an_approved_delete_that_the_sink_refuses_is_tried_again_without_approval(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 3, 1);
    pt_refuse(w, "/configmaps/n/k000", 2);
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 3);
    assert_int_equal(pt_status(w).held, 1);
    pt_crash(w);
    pt_run_for(w, 60 * NS_PER_S);
    pt_lacks(w, "/configmaps/n/k000");
    assert_int_equal(pt_status(w).held, 0);
}

static void an_approval_is_over_after_its_time(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 60, MISSING_END);
    end_listing(w);
    approve(w);
    pt_wait(w, 60 * NS_PER_S);
    char key[40];
    for (int i = 20; i < 50; i++)
        pt_infer(w, pt_key(i, key));
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 60 - MISSING_END);
    assert_int_equal(pt_status(w).prune_held, 30);
}

static void a_held_prune_that_comes_back_at_the_source_is_followed_again(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 30, MISSING_END);
    end_listing(w);
    pt_put(w, "/configmaps/n/k000", "{'v':2}");
    pt_run(w);
    pt_has(w, "/configmaps/n/k000", "{'v':2}");
    assert_int_equal(pt_status(w).prune_held, MISSING_END - 1);
    approve(w);
    pt_has(w, "/configmaps/n/k000", "{'v':2}");
}

static void an_object_that_comes_back_before_the_end_is_neither_counted_nor_held(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 30, MISSING_END);
    pt_put(w, "/configmaps/n/k000", "{'v':2}");
    end_listing(w);
    assert_int_equal(dest_mem_count(w->dest), 20);
    assert_int_equal(pt_status(w).prune_held, 0);
    pt_has(w, "/configmaps/n/k000", "{'v':2}");
}

static void an_inferred_delete_of_a_key_in_flight_is_decided_at_the_end_as_well(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_delay(w->dest, 5 * NS_PER_S);
    pt_put(w, ALIVE, "{}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    pt_infer(w, ALIVE);
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    pt_run_for(w, 20 * NS_PER_S);
    pt_lacks(w, ALIVE);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void an_approval_covers_its_own_delete_and_no_later_one(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy_and_lose(w, 30, 0);
    dest_mem_delay(w->dest, 5 * NS_PER_S);
    pt_put(w, "/configmaps/n/k000", "{'v':2}");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_ok(pt_step(w, &wake, &e));
    pt_infer(w, "/configmaps/n/k000"); /* passes the guard, and waits for what is in flight */
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    assert_ok(pt_step(w, &wake, &e));
    for (int i = 0; i < MISSING_END; i++)
        pt_infer(w, pt_key(i, key));
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    pt_run_for(w, 20 * NS_PER_S);
    assert_int_equal(pt_status(w).prune_held, MISSING_END);
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END); /* decided is decided: not one by one */
    pt_run_for(w, 20 * NS_PER_S);
    assert_int_equal(pt_status(w).prune_held, MISSING_END);
    assert_int_equal(dest_mem_count(w->dest), 30);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void
deletes_whose_end_was_never_written_are_decided_when_the_next_listing_begins(void **state)
{
    struct pump_world *w = *state;
    copy_and_lose(w, 3, 1);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 3);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 2);
    assert_int_equal(pt_committed(w), pt_head(w));
}

static void a_frozen_copy_is_not_pruned(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, "/secrets/n/s", "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_run(w);
    pt_put(w, "/secrets/n/s", "{}");
    pt_run(w);
    pt_infer(w, "/secrets/n/s");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//secrets");
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 1);
    assert_int_equal(pt_status(w).held, 0);
}

/* ---- The first scan ---- */

static int setup_with_leftovers(void **state)
{
    struct pump_world *w = pt_new();
    dest_mem_leave(w->dest, LEFT, "{}");
    dest_mem_leave(w->dest, ALIVE, "{\"v\":0}");
    pt_open(w);
    *state = w;
    return 0;
}

static void without_a_checkpoint_own_copies_unknown_to_the_log_go_only_after_a_listing(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
    pt_put(w, ALIVE, "{'v':1}");
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 2);
    end_listing(w);
    pt_lacks(w, LEFT);
    pt_has(w, ALIVE, "{'v':1}");
}

static void a_kind_that_the_destination_does_not_list_holds_up_no_other(void **state)
{
    struct pump_world *w = *state;
    pt_close(w);
    dest_mem_deny_scan(w->dest, "/configmaps", RC_DENIED);
    dest_mem_leave(w->dest, "/secrets/n/left", "{}");
    pt_open(w);
    pt_put(w, ALIVE, "{'v':1}");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//secrets");
    end_listing(w);
    pt_has(w, ALIVE, "{'v':1}");
    pt_has(w, LEFT, "{}");
    pt_lacks(w, "/secrets/n/left");
}

/* Its deletion is older than this life, so there is no put to make a row; the destination is asked. */
static void a_copy_of_a_kind_that_is_not_listed_goes_by_its_event(void **state)
{
    struct pump_world *w = *state;
    pt_close(w);
    dest_mem_deny_scan(w->dest, "/configmaps", RC_DENIED);
    pt_put(w, LEFT, "{}");
    pt_delete(w, LEFT);
    pt_open(w);
    pt_run(w);
    pt_lacks(w, LEFT);
}

static void own_copies_that_were_deleted_while_nobody_looked_go_by_their_event(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, LEFT, "{}");
    pt_delete(w, LEFT);
    pt_put(w, ALIVE, "{'v':1}");
    pt_run(w);
    pt_lacks(w, LEFT);
}

/* The log is long: the end of the listing is read before the object that came after it. */
static void an_own_copy_that_the_log_knows_further_on_is_left_alone(void **state)
{
    struct pump_world *w = *state;
    pt_close(w);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    pt_put(w, ALIVE, "{'v':1}");
    pt_put(w, LEFT, "{}");
    pt_open(w);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), 2);
    for (size_t i = 0; i < dest_mem_writes(w->dest); i++)
        assert_int_equal(dest_mem_write_at(w->dest, i).op, SINK_PUT);
}

static void a_crash_at_any_step_of_the_first_start_prunes_the_leftover_all_the_same(void **state)
{
    (void)state;
    for (int n = 0;; n++) {
        void *s = NULL;
        setup_with_leftovers(&s);
        struct pump_world *w = s;
        int64_t wake;
        struct err e = ERR_INIT;
        dest_mem_delay(w->dest, 150 * NS_PER_MS); /* a commit comes between */
        ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
        pt_put(w, ALIVE, "{'v':1}");
        ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
        bool done = false;
        for (int i = 0; i < n && !done; i++) {
            enum rc rc = pt_step(w, &wake, &e);
            assert_true(rc >= 0);
            done = rc == RC_AGAIN && wake == INT64_MAX;
            if (rc == RC_AGAIN && !done)
                pt_wait(w, wake - pt_now(w));
        }
        pt_crash(w);
        pt_run(w);
        assert_int_equal(dest_mem_count(w->dest), 1);
        pt_has(w, ALIVE, "{'v':1}");
        assert_int_equal(pt_committed(w), pt_head(w));
        pt_teardown(&s);
        if (done) {
            assert_true(n > 5);
            return;
        }
    }
}

/* The commit waits for the delete although no event of the key is there to hold it back. */
static void a_crash_while_a_leftover_is_being_deleted_does_not_forget_it(void **state)
{
    struct pump_world *w = *state;
    dest_mem_delay(w->dest, 10 * NS_PER_S);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE_END);
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    pt_run_for(w, 5 * NS_PER_S);
    assert_int_equal(pt_status(w).in_flight, 2);
    pt_crash(w);
    pt_run_for(w, 20 * NS_PER_S);
    assert_int_equal(dest_mem_count(w->dest), 0);
}

static void a_listings_end_whose_decision_failed_is_read_again(void **state)
{
    struct pump_world *w = *state;
    int64_t wake;
    struct err e = ERR_INIT;
    pt_run(w);
    pt_put(w, ALIVE, "{'v':1}");
    assert_ok(pt_step(w, &wake, &e));
    ft_own(&w->log, EVENT_SYNC_END, SCOPE_END);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_SCAN,
                   &(struct fault_rule){.times = 1, .rc = RC_IO, .retry = ERR_FATAL});
    assert_int_equal(pt_try_run(w, &e), RC_IO);
    pt_crash(w);
    pt_run(w);
    pt_lacks(w, LEFT);
    pt_has(w, ALIVE, "{'v':1}");
}

static void many_leftovers_are_held_for_approval_and_not_counted_twice(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    for (int i = 0; i < MISSING_END; i++)
        dest_mem_leave(w->dest, pt_key(i, key), "{}");
    pt_put(w, ALIVE, "{'v':1}");
    pt_put(w, LEFT, "{}");
    pt_run(w);
    end_listing(w);
    assert_int_equal(pt_status(w).prune_held, MISSING_END);
    pt_infer(w, LEFT); /* one more is below the limit by itself */
    end_listing(w);
    pt_lacks(w, LEFT);
    assert_int_equal(pt_status(w).prune_held, MISSING_END);
    approve(w);
    assert_int_equal(pt_status(w).prune_held, 0);
    assert_int_equal(dest_mem_count(w->dest), 1);
}

static void a_leftover_that_the_destination_refuses_to_delete_is_tried_again(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, LEFT, 1);
    pt_put(w, ALIVE, "{'v':1}");
    pt_run(w);
    end_listing(w);
    assert_int_equal(pt_status(w).held, 1);
    pt_run_for(w, 20 * NS_PER_S);
    pt_lacks(w, LEFT);
    assert_int_equal(pt_status(w).held, 0);
}

static void with_a_checkpoint_the_destination_is_not_scanned(void **state)
{
    struct pump_world *w = *state;
    pt_run(w);
    dest_mem_leave(w->dest, "/configmaps/n/stranger", "{}");
    pt_crash(w);
    pt_run(w);
    end_listing(w);
    pt_lacks(w, LEFT);
    pt_has(w, "/configmaps/n/stranger", "{}");
}

#define TEST(name)   cmocka_unit_test_setup_teardown(name, pt_setup, pt_teardown)
#define BEHIND(name) cmocka_unit_test_setup_teardown(name, setup_with_leftovers, pt_teardown)

static void a_first_start_asks_nothing_about_what_is_long_gone(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    char key[64];
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "/configmaps/n/gone-%d", i);
        pt_put(w, key, "{}");
        if (i % 2)
            pt_infer(w, key);
        else
            pt_delete(w, key);
    }
    pt_open(w);
    pt_run(w);
    struct pump_status s;
    pump_status(w->pump, &s);
    assert_int_equal(s.prune_held, 0);
    assert_int_equal(dest_mem_submits(w->dest, "/configmaps/n/gone-0"), 0);
    assert_int_equal(dest_mem_submits(w->dest, "/configmaps/n/gone-1"), 0);
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_pruned_before_the_listing_is_complete),
        TEST(the_end_of_another_scope_decides_nothing),
        TEST(ten_of_few_may_go_and_eleven_are_held),
        TEST(ten_percent_of_many_may_go),
        TEST(one_more_than_ten_percent_is_held),
        TEST(held_prunes_stay_held_over_restarts_and_time),
        TEST(an_approval_releases_the_held_prunes_and_lets_later_ones_pass),
        TEST(an_approval_is_over_after_its_time),
        TEST(an_approved_delete_that_the_sink_refuses_is_tried_again_without_approval),
        TEST(a_held_prune_that_comes_back_at_the_source_is_followed_again),
        TEST(an_object_that_comes_back_before_the_end_is_neither_counted_nor_held),
        TEST(an_inferred_delete_of_a_key_in_flight_is_decided_at_the_end_as_well),
        TEST(an_approval_covers_its_own_delete_and_no_later_one),
        TEST(deletes_whose_end_was_never_written_are_decided_when_the_next_listing_begins),
        TEST(a_frozen_copy_is_not_pruned),
        BEHIND(without_a_checkpoint_own_copies_unknown_to_the_log_go_only_after_a_listing),
        BEHIND(a_kind_that_the_destination_does_not_list_holds_up_no_other),
        BEHIND(a_copy_of_a_kind_that_is_not_listed_goes_by_its_event),
        BEHIND(own_copies_that_were_deleted_while_nobody_looked_go_by_their_event),
        BEHIND(an_own_copy_that_the_log_knows_further_on_is_left_alone),
        cmocka_unit_test(a_crash_at_any_step_of_the_first_start_prunes_the_leftover_all_the_same),
        BEHIND(a_crash_while_a_leftover_is_being_deleted_does_not_forget_it),
        BEHIND(a_listings_end_whose_decision_failed_is_read_again),
        BEHIND(many_leftovers_are_held_for_approval_and_not_counted_twice),
        BEHIND(a_leftover_that_the_destination_refuses_to_delete_is_tried_again),
        BEHIND(with_a_checkpoint_the_destination_is_not_scanned),
        cmocka_unit_test(a_first_start_asks_nothing_about_what_is_long_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

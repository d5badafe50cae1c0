/* flow/hold_order and pump_order: what a person orders about holds, of a running pump and of a checkpoint at rest. */
#include "tests/unit/flow/pump_test.h"

#include "flow/hold_order.h"

#define A     "/configmaps/n/a"
#define B     "/configmaps/n/b"
#define SCOPE "@sync//configmaps"
#define LONG  (2000 * NS_PER_S) /* above the longest back-off */

static enum rc try_order(struct pump_world *w, enum hold_act act, const char *key, size_t *ret_n,
                         struct err *e)
{
    bool broken = true;
    const struct hold_order o = {act, slice_str(key)};
    enum rc rc = pump_order(w->pump, &o, ret_n, &broken, e);
    assert_false(broken);
    return rc;
}

static size_t order(struct pump_world *w, enum hold_act act, const char *key)
{
    struct err e = ERR_INIT;
    size_t n = 77;
    if (try_order(w, act, key, &n, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return n;
}

/* A is refused from now on; n tries lie behind it, so that the next one is far away. */
static void hold_a(struct pump_world *w)
{
    pt_refuse(w, A, 0);
    pt_put(w, A, "{'v':1}");
    pt_put(w, B, "{}");
    pt_run(w);
    pt_run_for(w, 400 * NS_PER_S);
    assert_int_equal(pt_status(w).held, 1);
}

static size_t tries(struct pump_world *w)
{
    return dest_mem_submits(w->dest, A);
}

static void a_retry_tries_now_what_its_back_off_would_try_later(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    size_t before = tries(w);
    dest_mem_script(w->dest, A, NULL);
    pt_run(w);
    assert_int_equal(tries(w), before);
    assert_int_equal(order(w, HOLD_RETRY, A), 1);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    assert_int_equal(pt_status(w).held, 0);
}

static void a_retry_of_all_means_what_is_refused_and_what_waits(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    dest_mem_script(w->dest, B,
                    &(struct sink_script){.outcome = SINK_WAITING,
                                          .cls = "missing",
                                          .dependency = "/namespaces//x",
                                          .retry_after_ns = 900 * NS_PER_S});
    pt_put(w, B, "{'v':2}");
    pt_run(w);
    dest_mem_script(w->dest, A, NULL);
    dest_mem_script(w->dest, B, NULL);
    assert_int_equal(order(w, HOLD_RETRY, ""), 2);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    pt_has(w, B, "{'v':2}");
    assert_int_equal(order(w, HOLD_RETRY, ""), 0);
}

static void what_was_given_up_is_not_tried_again_not_even_by_another_life(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    assert_string_equal(pt_status(w).error, A ": invalid: not so");
    order(w, HOLD_SKIP, A);
    pt_crash(w); /* at once: the answer was durable */
    size_t before = tries(w);
    dest_mem_script(w->dest, A, NULL);
    pt_run_for(w, LONG);
    assert_int_equal(order(w, HOLD_RETRY, ""), 0);
    pt_run_for(w, LONG);
    assert_int_equal(tries(w), before);
    pt_lacks(w, A);
    struct pump_status s = pt_status(w);
    assert_int_equal(s.skipped, 1);
    assert_int_equal(s.held, 0);
    assert_string_equal(s.error, "");
    assert_int_equal(s.offset, pt_head(w));
    assert_int_equal(order(w, HOLD_RETRY, A), 1);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
}

static void the_problem_of_what_was_given_up_is_told_no_more(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    pt_refuse(w, B, 0);
    pt_put(w, B, "{'v':2}");
    pt_run(w);
    order(w, HOLD_SKIP, B);
    assert_int_equal(pt_status(w).held, 1);
    assert_string_equal(pt_status(w).error, "");
}

static void a_newer_event_of_what_was_given_up_is_applied_and_ends_it(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    order(w, HOLD_SKIP, A);
    pt_refuse(w, A, 1);
    pt_put(w, A, "{'v':2}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1); /* a hold as any other */
    assert_int_equal(pt_status(w).skipped, 0);
    pt_run_for(w, 10 * NS_PER_S);
    pt_has(w, A, "{'v':2}");
    assert_int_equal(pt_status(w).held, 0);
    pt_put(w, A, "{'v':3}");
    pt_refuse(w, A, 0);
    pt_run(w);
    order(w, HOLD_SKIP, A);
    pt_delete(w, A);
    dest_mem_script(w->dest, A, NULL);
    pt_run(w);
    pt_lacks(w, A);
    assert_int_equal(pt_status(w).skipped, 0);
    assert_int_equal(dest_mem_disorder(w->dest), 0);
}

static void a_retry_takes_back_what_was_given_up(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    order(w, HOLD_SKIP, A);
    order(w, HOLD_RETRY, A);
    pt_crash(w);
    assert_int_equal(pt_status(w).held, 1);
    dest_mem_script(w->dest, A, NULL);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
}

/* Read again, because what was in flight beside it holds the commit back. */
static void what_was_given_up_is_passed_over_when_it_is_read_again(void **state)
{
    struct pump_world *w = *state;
    dest_mem_delay(w->dest, 30 * NS_PER_S);
    pt_put(w, B, "{}");
    pt_run_for(w, NS_PER_S);
    dest_mem_delay(w->dest, 0);
    pt_refuse(w, A, 0);
    pt_put(w, A, "{'v':1}");
    pt_run_for(w, NS_PER_S);
    order(w, HOLD_SKIP, A);
    assert_true(pt_committed(w) < pt_head(w));
    size_t before = tries(w);
    pt_crash(w);
    dest_mem_script(w->dest, A, NULL);
    pt_run(w);
    assert_int_equal(pt_committed(w), pt_head(w));
    assert_int_equal(tries(w), before);
    assert_int_equal(pt_status(w).skipped, 1);
}

static void what_is_given_up_while_it_is_tried_is_given_up_if_it_fails(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    dest_mem_delay(w->dest, 3 * NS_PER_S);
    order(w, HOLD_RETRY, A);
    pt_run_for(w, NS_PER_S);
    order(w, HOLD_SKIP, A);
    pt_run_for(w, LONG);
    assert_int_equal(pt_status(w).skipped, 1);
    size_t before = tries(w);
    pt_run_for(w, LONG);
    assert_int_equal(tries(w), before);
    order(w, HOLD_RETRY, A);
    dest_mem_script(w->dest, A, NULL);
    pt_run_for(w, 10 * NS_PER_S);
    pt_has(w, A, "{'v':1}");
    assert_int_equal(pt_status(w).skipped, 0);
}

static void a_changed_synchronization_decides_anew_about_what_was_given_up(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    order(w, HOLD_SKIP, A);
    pt_close(w);
    w->replication.digest[0] = 9;
    pt_open(w);
    size_t before = tries(w);
    pt_run_for(w, LONG);
    assert_int_equal(tries(w), before + 1); /* refused again: it stays given up */
    assert_int_equal(pt_status(w).skipped, 1);
    pt_close(w);
    w->replication.digest[0] = 10;
    dest_mem_script(w->dest, A, NULL);
    pt_open(w);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    assert_int_equal(pt_status(w).skipped, 0);
    order(w, HOLD_RETRY, "");
}

static void what_leaves_the_selection_is_not_given_up_any_more(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    order(w, HOLD_SKIP, A);
    pt_close(w);
    w->replication.digest[0] = 9;
    w->replication.n_entries = 0;
    pt_open(w);
    pt_run(w);
    assert_int_equal(pt_status(w).skipped, 0);
}

/* Eleven copies are gone by a listing: the guard holds them. */
static void hold_by_the_guard(struct pump_world *w)
{
    char key[40];
    for (int i = 0; i < 11; i++)
        pt_put(w, pt_key(i, key), "{}");
    pt_run(w);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE);
    for (int i = 0; i < 11; i++)
        pt_infer(w, pt_key(i, key));
    ft_own(&w->log, EVENT_SYNC_END, SCOPE);
    pt_run(w);
    assert_int_equal(pt_status(w).prune_held, 11);
}

static void what_the_guard_holds_is_given_up_but_not_approved(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    struct err e = ERR_INIT;
    size_t n = 0;
    hold_by_the_guard(w);
    assert_int_equal(order(w, HOLD_RETRY, ""), 0);
    assert_int_equal(try_order(w, HOLD_RETRY, pt_key(3, key), &n, &e), RC_CONFLICT);
    assert_non_null(strstr(e.msg, "--allow-prune"));
    order(w, HOLD_SKIP, pt_key(3, key));
    assert_int_equal(pt_status(w).prune_held, 10);
    pt_close(w);
    w->prune_until_ns = pt_now(w) + 60 * NS_PER_S;
    pt_open(w);
    pt_run(w);
    pt_has(w, pt_key(3, key), "{}");
    assert_int_equal(dest_mem_count(w->dest), 1);
    ft_own(&w->log, EVENT_SYNC_BEGIN, SCOPE);
    ft_own(&w->log, EVENT_SYNC_END, SCOPE);
    pt_run(w);
    pt_has(w, pt_key(3, key), "{}");
}

static void what_is_not_held_is_refused_and_changes_nothing(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    size_t n = 77;
    hold_a(w);
    assert_int_equal(try_order(w, HOLD_RETRY, B, &n, &e), RC_NOTFOUND);
    assert_int_equal(try_order(w, HOLD_SKIP, B, &n, &e), RC_NOTFOUND);
    assert_int_equal(try_order(w, HOLD_SKIP, "", &n, &e), RC_INVALID);
    assert_int_equal(n, 77);
    assert_int_equal(pt_status(w).skipped, 0);
}

static void an_order_whose_commit_fails_says_that_the_pump_is_broken(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    size_t n;
    bool broken = false;
    hold_a(w);
    const struct hold_order o = {HOLD_SKIP, SLICE(A)};
    ckpt_fault_set(w->ckpt, CKPT_FAULT_COMMIT, &(struct fault_rule){.times = 1, .rc = RC_IO});
    assert_int_equal(pump_order(w->pump, &o, &n, &broken, &e), RC_IO);
    assert_true(broken);
    pt_crash(w);
    assert_int_equal(pt_status(w).held, 1);
}

static void a_checkpoint_at_rest_is_changed_in_one_commit(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    size_t n = 0;
    hold_a(w);
    rlog_off before = pt_committed(w);
    const struct hold_order skip = {HOLD_SKIP, SLICE(A)}, retry = {HOLD_RETRY, SLICE(A)};
    assert_ok(hold_order_at_rest(w->ckpt, PT_SYNC, &skip, &n, &e));
    assert_int_equal(n, 1);
    assert_int_equal(pt_committed(w), before);
    pt_crash(w);
    size_t tried = tries(w);
    pt_run_for(w, LONG);
    assert_int_equal(tries(w), tried);
    assert_ok(hold_order_at_rest(w->ckpt, PT_SYNC, &retry, &n, &e));
    dest_mem_script(w->dest, A, NULL);
    pt_crash(w);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    assert_int_equal(hold_order_at_rest(w->ckpt, PT_SYNC, &skip, &n, &e), RC_NOTFOUND);
    assert_int_equal(hold_order_at_rest(w->ckpt, SLICE("team/none"), &skip, &n, &e), RC_NOTFOUND);
}

static void hold_as_not_ours(struct pump_world *w, const char *key)
{
    dest_mem_script(w->dest, key,
                    &(struct sink_script){.outcome = SINK_HELD, .cls = HOLD_NOT_OURS});
    pt_put(w, key, "{'v':1}");
}

static enum sink_adopt last_policy(struct pump_world *w)
{
    return dest_mem_last_adopt(w->dest);
}

static void an_adoption_is_one_try_as_always_and_of_nothing_else(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    hold_as_not_ours(w, B);
    pt_run(w);
    size_t a = tries(w), b = dest_mem_submits(w->dest, B);
    assert_int_equal(last_policy(w), ADOPT_EQUAL);
    assert_int_equal(order(w, HOLD_ADOPT, ""), 1);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, B), b + 1);
    assert_int_equal(last_policy(w), ADOPT_ALWAYS);
    assert_int_equal(tries(w), a);
    order(w, HOLD_RETRY, B); /* it was refused all the same: from now on as before */
    pt_run(w);
    assert_int_equal(last_policy(w), ADOPT_EQUAL);
    dest_mem_script(w->dest, B, NULL);
    assert_int_equal(order(w, HOLD_ADOPT, B), 1);
    pt_run(w);
    pt_has(w, B, "{'v':1}");
    pt_put(w, B, "{'v':2}");
    pt_run(w);
    assert_int_equal(last_policy(w), ADOPT_EQUAL);
}

static void a_retry_is_no_end_of_an_adoption_and_giving_up_is_one(void **state)
{
    struct pump_world *w = *state;
    hold_as_not_ours(w, B);
    pt_run(w);
    assert_int_equal(order(w, HOLD_ADOPT, B), 1);
    assert_int_equal(order(w, HOLD_SKIP, B), 1);
    assert_int_equal(order(w, HOLD_RETRY, B), 1);
    pt_run(w);
    assert_int_equal(last_policy(w), ADOPT_EQUAL);
    assert_int_equal(order(w, HOLD_ADOPT, B), 1);
    assert_int_equal(order(w, HOLD_RETRY, ""), 1);
    pt_run(w);
    assert_int_equal(last_policy(w), ADOPT_ALWAYS);
}

/* What is overwritten is made durable first: the order outlives that wait. */
static void an_adoption_keeps_what_it_overwrites(void **state)
{
    struct pump_world *w = *state;
    hold_as_not_ours(w, B);
    pt_run(w);
    dest_mem_script(
        w->dest, B,
        &(struct sink_script){.outcome = SINK_WAITING, .cls = "pre-image", .preimage = "old"});
    size_t b = dest_mem_submits(w->dest, B);
    assert_int_equal(order(w, HOLD_ADOPT, B), 1);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, B), b + 2);
    assert_int_equal(last_policy(w), ADOPT_ALWAYS);
    pt_has(w, B, "{'v':1}");
}

/* A try of before the order was on its way: its answer is none to the order. */
static void an_adoption_that_meets_a_try_on_its_way_follows_it(void **state)
{
    struct pump_world *w = *state;
    hold_as_not_ours(w, B);
    pt_run(w);
    dest_mem_delay(w->dest, NS_PER_S);
    size_t b = dest_mem_submits(w->dest, B);
    order(w, HOLD_RETRY, B);
    pt_run_for(w, NS_PER_S / 2);
    assert_int_equal(dest_mem_submits(w->dest, B), b + 1);
    assert_int_equal(order(w, HOLD_ADOPT, B), 1);
    pt_run_for(w, NS_PER_S);
    assert_int_equal(dest_mem_submits(w->dest, B), b + 2);
    assert_int_equal(last_policy(w), ADOPT_ALWAYS);
}

static unsigned stored_attempts(struct pump_world *w, const char *key)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct err e = ERR_INIT;
    struct hold h;
    assert_ok(ckpt_get(w->ckpt, PT_SYNC, CKPT_HOLDS, slice_str(key), &row, &e));
    assert_ok(hold_decode(buf_slice(&row), &h, &e));
    return h.attempts;
}

static void a_look_is_one_try_that_adopts_nothing_and_counts(void **state)
{
    struct pump_world *w = *state;
    hold_a(w);
    hold_as_not_ours(w, B);
    pt_run(w);
    size_t a = tries(w), b = dest_mem_submits(w->dest, B);
    assert_int_equal(order(w, HOLD_LOOK, ""), 1);
    pt_run(w);
    assert_int_equal(tries(w), a);
    assert_int_equal(dest_mem_submits(w->dest, B), b + 1);
    assert_int_equal(last_policy(w), ADOPT_EQUAL);
    assert_int_equal(stored_attempts(w, B), 2);
    assert_int_equal(order(w, HOLD_LOOK, B), 1);
    pt_run(w);
    assert_int_equal(stored_attempts(w, B), 3);
}

static void what_was_given_up_is_not_looked_at_and_stays_so(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    size_t n;
    hold_as_not_ours(w, B);
    pt_run(w);
    order(w, HOLD_SKIP, B);
    size_t b = dest_mem_submits(w->dest, B);
    assert_int_equal(order(w, HOLD_LOOK, ""), 0);
    assert_int_equal(try_order(w, HOLD_LOOK, B, &n, &e), RC_CONFLICT);
    assert_non_null(strstr(e.msg, "given up"));
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, B), b);
    assert_int_equal(pt_status(w).skipped, 1);
    const struct hold_order all = {HOLD_LOOK, SLICE_NULL};
    assert_int_equal(hold_order_at_rest(w->ckpt, PT_SYNC, &all, &n, &e), RC_CONFLICT);
    assert_non_null(strstr(e.msg, "nothing was looked at"));
}

static void what_is_held_for_another_reason_is_not_adopted(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    size_t n;
    hold_a(w);
    assert_int_equal(try_order(w, HOLD_ADOPT, A, &n, &e), RC_CONFLICT);
    assert_non_null(strstr(e.msg, "held as \"invalid\""));
    const struct hold_order all = {HOLD_ADOPT, SLICE_NULL};
    assert_int_equal(hold_order_at_rest(w->ckpt, PT_SYNC, &all, &n, &e), RC_CONFLICT);
    assert_non_null(strstr(e.msg, "nothing was adopted"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pt_setup, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_retry_tries_now_what_its_back_off_would_try_later),
        TEST(a_retry_of_all_means_what_is_refused_and_what_waits),
        TEST(what_was_given_up_is_not_tried_again_not_even_by_another_life),
        TEST(the_problem_of_what_was_given_up_is_told_no_more),
        TEST(a_newer_event_of_what_was_given_up_is_applied_and_ends_it),
        TEST(a_retry_takes_back_what_was_given_up),
        TEST(what_was_given_up_is_passed_over_when_it_is_read_again),
        TEST(what_is_given_up_while_it_is_tried_is_given_up_if_it_fails),
        TEST(a_changed_synchronization_decides_anew_about_what_was_given_up),
        TEST(what_leaves_the_selection_is_not_given_up_any_more),
        TEST(what_the_guard_holds_is_given_up_but_not_approved),
        TEST(what_is_not_held_is_refused_and_changes_nothing),
        TEST(an_order_whose_commit_fails_says_that_the_pump_is_broken),
        TEST(a_checkpoint_at_rest_is_changed_in_one_commit),
        TEST(an_adoption_is_one_try_as_always_and_of_nothing_else),
        TEST(a_retry_is_no_end_of_an_adoption_and_giving_up_is_one),
        TEST(an_adoption_keeps_what_it_overwrites),
        TEST(an_adoption_that_meets_a_try_on_its_way_follows_it),
        TEST(a_look_is_one_try_that_adopts_nothing_and_counts),
        TEST(what_was_given_up_is_not_looked_at_and_stays_so),
        TEST(what_is_held_for_another_reason_is_not_adopted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

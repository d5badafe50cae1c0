/* flow/pump_hold: what could not be applied is held, tried again in its time, and blocks nobody. */
#include "tests/unit/flow/pump_test.h"

#define A "/configmaps/n/a"
#define B "/configmaps/n/b"

static void a_refused_key_is_held_and_blocks_nobody(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 0);
    pt_put(w, A, "{}");
    pt_put(w, B, "{}");
    pt_run(w);
    pt_has(w, B, "{}");
    struct pump_status s = pt_status(w);
    assert_int_equal(s.held, 1);
    assert_int_equal(s.offset, pt_head(w));
    assert_string_equal(s.error, A ": invalid: not so");
}

static void a_held_key_is_tried_again_with_back_off(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 0);
    pt_put(w, A, "{}");
    pt_run(w);
    size_t tries[3];
    for (int i = 0; i < 3; i++) {
        size_t before = dest_mem_submits(w->dest, A);
        pt_run_for(w, 600 * NS_PER_S);
        tries[i] = dest_mem_submits(w->dest, A) - before;
    }
    assert_true(tries[0] > tries[1]);
    assert_true(tries[2] >= 1 && tries[2] <= 2);
    dest_mem_script(w->dest, A, NULL);
    pt_run_for(w, 601 * NS_PER_S);
    pt_has(w, A, "{}");
    assert_int_equal(pt_status(w).held, 0);
}

static void the_destinations_wish_to_wait_is_heeded(void **state)
{
    struct pump_world *w = *state;
    dest_mem_script(
        w->dest, A,
        &(struct sink_script){.outcome = SINK_HELD, .times = 1, .retry_after_ns = 100 * NS_PER_S});
    pt_put(w, A, "{}");
    pt_run(w);
    pt_run_for(w, 90 * NS_PER_S);
    assert_int_equal(dest_mem_submits(w->dest, A), 1);
    pt_run_for(w, 20 * NS_PER_S);
    pt_has(w, A, "{}");
}

static void a_newer_event_of_a_held_key_is_tried_at_once_and_starts_afresh(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 8);
    pt_put(w, A, "{'v':1}");
    pt_run(w);
    pt_run_for(w, 400 * NS_PER_S); /* by now minutes lie between two tries */
    size_t before = dest_mem_submits(w->dest, A);
    pt_put(w, A, "{'v':2}");
    pt_refuse(w, A, 1);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, A), before + 1);
    pt_run_for(w, 6 * NS_PER_S);
    pt_has(w, A, "{'v':2}");
    assert_int_equal(pt_status(w).held, 0);
}

static void a_hold_survives_a_restart_and_is_tried_at_once(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 0);
    pt_put(w, A, "{'v':1}");
    pt_run(w);
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_crash(w);
    assert_int_equal(pt_status(w).held, 1);
    dest_mem_script(w->dest, A, NULL);
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    pt_crash(w);
    assert_int_equal(pt_status(w).held, 0);
}

static struct hold stored_hold(struct pump_world *w, const char *key)
{
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    struct hold h;
    struct err e = ERR_INIT;
    assert_ok(ckpt_get(w->ckpt, PT_SYNC, CKPT_HOLDS, slice_str(key), &row, &e));
    assert_ok(hold_decode(buf_slice(&row), &h, &e));
    return h;
}

static void a_hold_says_when_it_is_tried_next(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 0);
    pt_put(w, A, "{}");
    pt_run(w);
    int64_t now = clock_wall_ns(w->log.env.clock), left = stored_hold(w, A).next_ns - now;
    assert_in_range(left, 1, 5 * NS_PER_S);
    size_t before = dest_mem_submits(w->dest, A);
    pt_run_for(w, left - 1);
    assert_int_equal(dest_mem_submits(w->dest, A), before);
    pt_run_for(w, NS_PER_S);
    assert_int_equal(dest_mem_submits(w->dest, A), before + 1);
    assert_true(stored_hold(w, A).next_ns > now + left);
}

/* The sink is asked, because a try whose answer was lost may have made a copy. */
static void the_delete_of_a_held_key_without_a_copy_ends_the_hold(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 1);
    pt_put(w, A, "{}");
    pt_run(w);
    assert_int_equal(pt_status(w).held, 1);
    pt_delete(w, A);
    pt_run(w);
    assert_int_equal(pt_status(w).held, 0);
    assert_int_equal(dest_mem_writes(w->dest), 0);
}

static void what_waits_for_another_key_goes_on_when_that_is_there(void **state)
{
    struct pump_world *w = *state;
    dest_mem_script(w->dest, A,
                    &(struct sink_script){.outcome = SINK_WAITING,
                                          .cls = "missing",
                                          .dependency = B,
                                          .retry_after_ns = 900 * NS_PER_S});
    pt_put(w, A, "{}");
    pt_run(w);
    struct pump_status s = pt_status(w);
    assert_int_equal(s.waiting, 1);
    assert_int_equal(s.held, 0);
    assert_string_equal(s.error, "");
    dest_mem_script(w->dest, A, NULL);
    pt_put(w, B, "{}");
    pt_run(w);
    pt_has(w, A, "{}");
    assert_int_equal(pt_status(w).waiting, 0);
}

/* A missing namespace with many objects must not cost the destination a request of each of them all the time. */
static void what_waits_for_the_same_is_asked_about_by_one_key_at_a_time(void **state)
{
    enum { MANY = 500 };
    struct pump_world *w = *state;
    char key[40];
    size_t submits = 0;
    const struct sink_script script = {
        .outcome = SINK_WAITING, .cls = "namespace-missing", .dependency = "/namespaces//n"};
    for (int i = 0; i < MANY; i++) {
        dest_mem_script(w->dest, pt_key(i, key), &script);
        pt_put(w, key, "{}");
    }
    pt_run_for(w, 30 * NS_PER_S);
    assert_int_equal(pt_status(w).waiting, MANY);
    for (int i = 0; i < MANY; i++)
        submits += dest_mem_submits(w->dest, pt_key(i, key));
    assert_in_range(submits, MANY + 10, MANY + 300);
    for (int i = 0; i < MANY; i++)
        dest_mem_script(w->dest, pt_key(i, key), NULL);
    pt_run_for(w, NS_PER_S);
    assert_int_equal(pt_status(w).waiting, 0);
    assert_int_equal(dest_mem_count(w->dest), MANY);
}

static void refuse_for_want_of(struct pump_world *w, const char *key, const char *dependency)
{
    dest_mem_script(w->dest, key,
                    &(struct sink_script){.outcome = SINK_WAITING,
                                          .cls = "namespace-missing",
                                          .dependency = dependency});
}

/* The copy of a deleted object is not there, whatever is missing: that tells nothing. */
static void a_delete_does_not_let_go_what_waits_for_the_same(void **state)
{
    struct pump_world *w = *state;
    refuse_for_want_of(w, A, "/namespaces//n");
    refuse_for_want_of(w, B, "/namespaces//n");
    pt_put(w, A, "{}");
    pt_put(w, B, "{}");
    pt_run_for(w, 60 * NS_PER_S);
    size_t before = dest_mem_submits(w->dest, B);
    dest_mem_script(w->dest, A, NULL);
    pt_delete(w, A);
    pt_run_for(w, NS_PER_S / 10);
    assert_int_equal(dest_mem_submits(w->dest, B), before);
    assert_int_equal(pt_status(w).waiting, 1);
}

/* Tries are those of one event; another one's begin anew. */
static void the_tries_of_an_older_event_do_not_count(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 1);
    pt_put(w, A, "{'v':1}");
    pt_run_for(w, NS_PER_S);
    assert_int_equal(pt_status(w).held, 1);
    pt_put(w, A, "{'v':2}");
    pt_run_for(w, NS_PER_S);
    pt_has(w, A, "{'v':2}");
    assert_int_equal(dest_mem_last(w->dest).tries, 0);
}

/* That life may have written it after its last commit. */
static void what_an_earlier_life_held_is_looked_at_whatever_its_record_says(void **state)
{
    struct pump_world *w = *state;
    pt_refuse(w, A, 1);
    pt_put(w, A, "{}");
    pt_run(w);
    assert_int_equal(pt_committed(w), pt_head(w));
    pt_crash(w);
    pt_run(w);
    pt_has(w, A, "{}");
    assert_true(dest_mem_last(w->dest).unsure);
    pt_put(w, A, "{'v':2}");
    pt_run(w);
    assert_false(dest_mem_last(w->dest).unsure);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pt_setup, pt_teardown)

/* Other reasons to wait must not use up the patience for the opposite synchronization. */
static void an_item_is_told_how_often_it_waited_for_the_opposite_one(void **state)
{
    struct pump_world *w = *state;
    struct sink_script away = {.outcome = SINK_WAITING, .cls = "namespace-missing", .times = 3};
    struct sink_script opposite = {.outcome = SINK_WAITING, .cls = HOLD_OPPOSITE, .times = 2};
    dest_mem_script(w->dest, PT_CM, &away);
    pt_put(w, PT_CM, "{'v':1}");
    pt_run_for(w, NS_PER_S);
    dest_mem_script(w->dest, PT_CM, &opposite);
    pt_run_for(w, 3600 * NS_PER_S);
    pt_has(w, PT_CM, "{'v':1}");
    assert_int_equal(dest_mem_last(w->dest).tries, 2);
    pt_put(w, PT_CM, "{'v':2}");
    pt_run(w);
    assert_int_equal(dest_mem_last(w->dest).tries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refused_key_is_held_and_blocks_nobody),
        TEST(a_held_key_is_tried_again_with_back_off),
        TEST(the_destinations_wish_to_wait_is_heeded),
        TEST(a_newer_event_of_a_held_key_is_tried_at_once_and_starts_afresh),
        TEST(a_hold_survives_a_restart_and_is_tried_at_once),
        TEST(a_hold_says_when_it_is_tried_next),
        TEST(the_delete_of_a_held_key_without_a_copy_ends_the_hold),
        TEST(what_waits_for_another_key_goes_on_when_that_is_there),
        TEST(what_waits_for_the_same_is_asked_about_by_one_key_at_a_time),
        TEST(a_delete_does_not_let_go_what_waits_for_the_same),
        TEST(the_tries_of_an_older_event_do_not_count),
        TEST(an_item_is_told_how_often_it_waited_for_the_opposite_one),
        TEST(what_an_earlier_life_held_is_looked_at_whatever_its_record_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

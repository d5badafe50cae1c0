/* flow/pump_drift: what somebody changed in the destination is restored at the next round, and nothing else is
 * touched. */
#include "tests/unit/flow/pump_test.h"

#define A      "/configmaps/n/a"
#define B      "/configmaps/n/b"
#define PERIOD (600 * NS_PER_S)

static struct pump_world *with_copies(int64_t period)
{
    struct pump_world *w = pt_new();
    w->replication.resync_ns = period;
    pt_open(w);
    pt_put(w, A, "{'v':1}");
    pt_put(w, B, "{'v':2}");
    pt_run(w);
    return w;
}

/* A whole round later, whatever the jitter. */
static void round_of(struct pump_world *w)
{
    pt_wait(w, 2 * PERIOD);
    pt_run(w);
}

static struct pump_status status_of(struct pump_world *w)
{
    struct pump_status s;
    pump_status(w->pump, &s);
    return s;
}

static void what_is_as_it_was_left_is_not_even_looked_at(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    size_t a = dest_mem_submits(w->dest, A);
    assert_int_equal(status_of(w).compared_ns, 0);
    round_of(w);
    assert_true(status_of(w).compared_ns > 0);
    assert_int_equal(dest_mem_submits(w->dest, A), a);
    assert_int_equal(status_of(w).repaired, 0);
    pt_free(w);
}

static void a_changed_and_a_deleted_copy_are_restored(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    dest_mem_touch(w->dest, A, "{\"v\":9}");
    dest_mem_touch(w->dest, B, NULL);
    round_of(w);
    pt_has(w, A, "{'v':1}");
    pt_has(w, B, "{'v':2}");
    assert_int_equal(status_of(w).repaired, 2);
    size_t submits = dest_mem_submits(w->dest, A);
    round_of(w);
    assert_int_equal(dest_mem_submits(w->dest, A), submits);
    assert_int_equal(status_of(w).repaired, 2);
    pt_free(w);
}

static void held_and_frozen_keys_are_left_alone(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    pt_put(w, "/secrets/n/s", "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_run(w);
    pt_put(w, "/secrets/n/s", "{'metadata':{'labels':{'sel':'no'}}}");
    pt_refuse(w, A, 0);
    pt_put(w, A, "{'v':5}");
    pt_run(w);
    dest_mem_touch(w->dest, "/secrets/n/s", NULL);
    dest_mem_touch(w->dest, A, NULL);
    size_t before = dest_mem_submits(w->dest, "/secrets/n/s");
    round_of(w);
    pt_lacks(w, "/secrets/n/s");
    assert_int_equal(dest_mem_submits(w->dest, "/secrets/n/s"), before);
    pt_lacks(w, A);
    assert_int_equal(status_of(w).repaired, 0);
    pt_free(w);
}

static void what_bears_our_mark_and_is_not_known_is_noted(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    dest_mem_leave(w->dest, "/configmaps/n/left", "{}");
    round_of(w);
    AUTO(rows_freep) struct rows *rows = NULL;
    struct applied a;
    struct err e = ERR_INIT;
    assert_ok(rows_open(w->ckpt, PT_SYNC, &rows, &e));
    assert_ok(rows_applied(rows, SLICE("/configmaps/n/left"), &a, &e));
    assert_int_equal(a.offset, 0);
    pt_has(w, "/configmaps/n/left", "{}");
    pt_free(w);
}

static void a_copy_that_nobody_knew_goes_when_its_source_is_gone(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    pt_put(w, "/secrets/n/s", "{}"); /* not selected, so no row tells of it */
    pt_run(w);
    pt_infer(w, "/secrets/n/s");
    pt_run(w);
    dest_mem_leave(w->dest, "/secrets/n/s", "{}");
    round_of(w);
    pt_lacks(w, "/secrets/n/s");
    pt_free(w);
}

static void what_the_log_does_not_know_is_never_deleted(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    w->replication.resync_ns = PERIOD;
    dest_mem_leave(w->dest, "/configmaps/n/left",
                   "{}"); /* by a lost data folder; its source was not listed yet */
    pt_open(w);
    pt_run(w);
    dest_mem_touch(w->dest, "/configmaps/n/left", "{\"status\":1}");
    for (int i = 0; i < 3; i++)
        round_of(w);
    pt_has(w, "/configmaps/n/left", "{'status':1}");
    pt_free(w);
}

static void never_means_never(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(0);
    dest_mem_touch(w->dest, A, NULL);
    pt_wait(w, 1000 * PERIOD);
    pt_run(w);
    pt_lacks(w, A);
    pt_free(w);
}

static void a_restart_alone_compares_nothing(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    dest_mem_touch(w->dest, A, NULL);
    pt_crash(w);
    pt_run(w);
    pt_lacks(w, A);
    round_of(w);
    pt_has(w, A, "{'v':1}");
    pt_free(w);
}

static void a_deleted_object_is_not_restored(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    pt_delete(w, A);
    pt_run(w);
    round_of(w);
    pt_lacks(w, A);
    pt_free(w);
}

/* Its copies are gone, too, and wait for the kind where a person sees it. */
static void copies_of_a_kind_that_is_not_served_are_looked_at(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(PERIOD);
    size_t a = dest_mem_submits(w->dest, A);
    dest_mem_deny_scan(w->dest, "/configmaps", RC_NOTFOUND);
    round_of(w);
    assert_int_equal(dest_mem_submits(w->dest, A), a + 1);
    dest_mem_deny_scan(w->dest, "/configmaps", RC_DENIED);
    round_of(w);
    assert_int_equal(dest_mem_submits(w->dest, A), a + 1);
    pt_free(w);
}

/* A run's comparison: what the log does not say yet may be the reason of a difference. */
static void what_is_listed_before_the_log_knows_all_is_compared_afterwards(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(0);
    dest_mem_touch(w->dest, A, NULL); /* as its source is, which nobody has told yet */
    dest_mem_touch(w->dest, B, "{\"v\":9}");
    pump_compare_now(w->pump, UINT64_MAX);
    pt_run(w);
    pt_lacks(w, A);
    pt_has(w, B, "{'v':9}");
    assert_int_equal(status_of(w).compared_ns, 0);
    pt_delete(w, A);
    pt_run(w);
    pump_compare_upto(w->pump, pt_head(w));
    pt_run(w);
    assert_true(status_of(w).compared_ns > 0);
    pt_lacks(w, A);
    pt_has(w, B, "{'v':2}");
    assert_int_equal(status_of(w).repaired, 1);
    pt_free(w);
}

static void repairs_do_not_look_like_catching_up(void **state)
{
    (void)state;
    struct pump_world *w = with_copies(0);
    pt_close(w);
    pt_open(w); /* what it has is of an earlier life now */
    pt_run(w);
    dest_mem_touch(w->dest, A, "{\"v\":9}");
    pump_compare_now(w->pump, 0);
    for (int i = 0; i < 100; i++) {
        struct err e = ERR_INIT;
        int64_t wake;
        assert_true(pump_step(w->pump, &wake, &e) >= 0);
        assert_false(status_of(w).catching_up);
    }
    pt_run(w);
    pt_has(w, A, "{'v':1}");
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_listed_before_the_log_knows_all_is_compared_afterwards),
        cmocka_unit_test(repairs_do_not_look_like_catching_up),
        cmocka_unit_test(what_is_as_it_was_left_is_not_even_looked_at),
        cmocka_unit_test(a_changed_and_a_deleted_copy_are_restored),
        cmocka_unit_test(copies_of_a_kind_that_is_not_served_are_looked_at),
        cmocka_unit_test(held_and_frozen_keys_are_left_alone),
        cmocka_unit_test(what_bears_our_mark_and_is_not_known_is_noted),
        cmocka_unit_test(a_copy_that_nobody_knew_goes_when_its_source_is_gone),
        cmocka_unit_test(what_the_log_does_not_know_is_never_deleted),
        cmocka_unit_test(never_means_never),
        cmocka_unit_test(a_restart_alone_compares_nothing),
        cmocka_unit_test(a_deleted_object_is_not_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

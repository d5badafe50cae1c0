/* flow/pump_removed: the guard of pruneDeselected counts what was removed within an hour, in whatever pace. */
#include "tests/unit/flow/pump_test.h"

#include "core/le.h"

#define SELECTED "{'metadata':{'labels':{'sel':'yes'}}}"
#define LEFT     "{'metadata':{}}"
#define APART    (5 * NS_PER_S) /* longer than what leaves is collected */
#define HOUR     (3600 * NS_PER_S)
#define ROW      SLICE("@removed//secrets/")

static int setup(void **state)
{
    struct pump_world *w = pt_new();
    w->replication.prune_deselected = true;
    pt_open(w);
    *state = w;
    return 0;
}

static const char *secret(int i, char out[40])
{
    snprintf(out, 40, "/secrets/n/k%03d", i);
    return out;
}

static void copy(struct pump_world *w, int n)
{
    char key[40];
    for (int i = 0; i < n; i++)
        pt_put(w, secret(i, key), SELECTED);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), n);
}

/* One after another, each decided before the next one leaves. */
static void leave(struct pump_world *w, int from, int until)
{
    char key[40];
    for (int i = from; i < until; i++) {
        pt_put(w, secret(i, key), LEFT);
        pt_run_for(w, APART);
    }
}

static void assert_held(struct pump_world *w, size_t copies, size_t held)
{
    assert_int_equal(dest_mem_count(w->dest), copies);
    assert_int_equal(pt_status(w).prune_held, held);
}

static void a_trickle_is_held_once_it_is_too_much_in_an_hour(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    leave(w, 0, 12);
    assert_held(w, 30, 2);
    pt_wait(w, HOUR);
    leave(w, 12, 13);
    assert_held(w, 29, 2); /* what was held needs its approval all the same */
}

static void a_restart_begins_no_new_hour(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    leave(w, 0, 6);
    pt_crash(w);
    leave(w, 6, 11);
    assert_held(w, 30, 1);
}

static void the_share_is_of_what_the_hour_began_with(void **state)
{
    struct pump_world *w = *state;
    copy(w, 200);
    leave(w, 0, 21);
    assert_held(w, 180, 1);
}

static void what_was_approved_is_not_counted(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    pt_close(w);
    w->prune_until_ns = pt_now(w) + 120 * NS_PER_S;
    pt_open(w);
    leave(w, 0, 20);
    pt_wait(w, 120 * NS_PER_S);
    leave(w, 20, 30);
    assert_held(w, 10, 0);
}

static void a_clock_that_is_put_back_ends_no_hour_and_makes_none_longer(void **state)
{
    struct pump_world *w = *state;
    struct fake_clock *clock = (struct fake_clock *)w->log.env.clock;
    copy(w, 40);
    leave(w, 0, 10);
    fake_clock_set_wall(clock, clock_wall_ns(&clock->clock) - 24 * HOUR);
    leave(w, 10, 11);
    assert_held(w, 30, 1);
    pt_wait(w, HOUR);
    leave(w, 11, 12);
    assert_held(w, 29, 1);
}

static void set_row(struct pump_world *w, struct slice value)
{
    const struct ckpt_row row = {CKPT_APPLIED, ROW, value};
    struct ckpt_commit what = {.rows = &row, .n_rows = 1};
    struct err e = ERR_INIT;
    assert_ok(ckpt_load(w->ckpt, PT_SYNC, &what.head, NULL, NULL, &e));
    assert_ok(ckpt_commit(w->ckpt, PT_SYNC, &what, &e));
}

static enum rc run_with(struct pump_world *w, struct slice value, struct err *e)
{
    char key[40];
    set_row(w, value);
    pt_put(w, secret(0, key), LEFT);
    pt_crash(w);
    enum rc rc = pt_try_run(w, e);
    if (rc == RC_OK) {
        pt_wait(w, APART);
        rc = pt_try_run(w, e);
    }
    return rc;
}

static void a_count_that_cannot_be_read_is_told(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    copy(w, 1);
    assert_int_equal(run_with(w, SLICE("\2"), &e), RC_UNSUPPORTED);
    assert_true(ft_has(e.msg, "version 2"));
    assert_int_equal(run_with(w, SLICE("\1short"), &e), RC_CORRUPT);
    assert_held(w, 1, 0);
}

static void the_row_is_as_the_format_says(void **state)
{
    struct pump_world *w = *state;
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct err e = ERR_INIT;
    copy(w, 3);
    leave(w, 0, 1);
    int64_t now = clock_wall_ns(w->log.env.clock);
    leave(w, 1, 2);
    assert_ok(ckpt_get(w->ckpt, PT_SYNC, CKPT_APPLIED, ROW, &row, &e));
    assert_int_equal(row.n, 17);
    assert_int_equal(row.p[0], 1);
    assert_in_range(le_get_u64(row.p + 1), (uint64_t)(now - APART), (uint64_t)now);
    assert_int_equal(le_get_u64(row.p + 9), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_trickle_is_held_once_it_is_too_much_in_an_hour),
        TEST(a_restart_begins_no_new_hour),
        TEST(the_share_is_of_what_the_hour_began_with),
        TEST(what_was_approved_is_not_counted),
        TEST(a_clock_that_is_put_back_ends_no_hour_and_makes_none_longer),
        TEST(a_count_that_cannot_be_read_is_told),
        TEST(the_row_is_as_the_format_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

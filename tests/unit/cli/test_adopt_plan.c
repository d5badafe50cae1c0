/* cli/adopt_plan: what an adoption would be about, and what of it was tried since; over a checkpoint in memory. */
#include "cli/adopt_plan.h"

#include "controller/order_board.h"
#include "core/buf.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define SYNC SLICE("team/sync")
#define A    "/configmaps/n/a"
#define B    "/configmaps/n/b"

struct world {
    struct ckpt_mem_store *store;
    struct ckpt *ckpt;
    struct order order;
};

static struct hold not_ours(void)
{
    return (struct hold){.offset = 4, .attempts = 2, .cls = HOLD_NOT_OURS};
}

/* Without a hold its row goes. */
static void put(struct world *w, const char *key, const struct hold *h)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(4096);
    struct err e = ERR_INIT;
    if (h)
        hold_encode(h, &bytes);
    const struct ckpt_row row = {CKPT_HOLDS, slice_str(key), h ? buf_slice(&bytes) : SLICE_NULL};
    const struct ckpt_commit what = {.head = {1, 1}, .rows = &row, .n_rows = 1};
    assert_int_equal(ckpt_commit(w->ckpt, SYNC, &what, &e), RC_OK);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    struct hold h = not_ours();
    w->store = ckpt_mem_store_new();
    w->order = (struct order){.act = HOLD_ADOPT, .sync = "team/sync"};
    assert_int_equal(ckpt_mem_open(w->store, &w->ckpt, &e), RC_OK);
    put(w, A, &h);
    put(w, B, &h);
    snprintf(h.cls, sizeof h.cls, "invalid");
    put(w, "/configmaps/n/refused", &h);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    ckpt_close(w->ckpt);
    ckpt_mem_store_free(w->store);
    free(w);
    return 0;
}

static size_t stale(const struct adopt_plan *p)
{
    struct err e = ERR_INIT;
    size_t n = 99;
    assert_int_equal(adopt_plan_stale(p, &n, &e), RC_OK);
    return n;
}

static void what_is_in_the_way_is_stale_until_it_was_tried(void **state)
{
    struct world *w = *state;
    AUTO(adopt_plan_freep) struct adopt_plan *p = NULL;
    struct err e = ERR_INIT;
    struct hold h = not_ours();
    assert_int_equal(adopt_plan_new(w->ckpt, &w->order, &p, &e), RC_OK);
    assert_int_equal(stale(p), 2);
    assert_false(adopt_plan_is_fresh(p, SLICE(A), &h));
    h.attempts++;
    put(w, A, &h);
    assert_int_equal(stale(p), 1);
    assert_true(adopt_plan_is_fresh(p, SLICE(A), &h));
    put(w, B, NULL);
    assert_int_equal(stale(p), 0);
}

static void a_newer_event_was_tried_too_and_so_was_what_came_later(void **state)
{
    struct world *w = *state;
    AUTO(adopt_plan_freep) struct adopt_plan *p = NULL;
    struct err e = ERR_INIT;
    struct hold h = not_ours();
    assert_int_equal(adopt_plan_new(w->ckpt, &w->order, &p, &e), RC_OK);
    put(w, "/configmaps/n/later", &h);
    assert_int_equal(stale(p), 2);
    h.offset = 9;
    put(w, A, &h);
    assert_int_equal(stale(p), 1);
}

static void only_what_is_named_is_waited_for(void **state)
{
    struct world *w = *state;
    AUTO(adopt_plan_freep) struct adopt_plan *p = NULL;
    struct err e = ERR_INIT;
    struct hold h = not_ours();
    snprintf(w->order.key, sizeof w->order.key, A);
    assert_int_equal(adopt_plan_new(w->ckpt, &w->order, &p, &e), RC_OK);
    assert_int_equal(stale(p), 1);
    assert_true(adopt_plan_concerns(&w->order, SLICE(A), &h));
    assert_false(adopt_plan_concerns(&w->order, SLICE(B), &h));
}

static void what_was_given_up_is_meant_only_by_its_name(void **state)
{
    struct world *w = *state;
    struct hold h = not_ours();
    h.skipped = true;
    assert_false(adopt_plan_concerns(&w->order, SLICE(A), &h));
    snprintf(w->order.key, sizeof w->order.key, A);
    assert_true(adopt_plan_concerns(&w->order, SLICE(A), &h));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_in_the_way_is_stale_until_it_was_tried),
        TEST(a_newer_event_was_tried_too_and_so_was_what_came_later),
        TEST(only_what_is_named_is_waited_for),
        TEST(what_was_given_up_is_meant_only_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

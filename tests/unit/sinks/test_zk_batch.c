/* Batches: bounded by parts and bytes, in order, and the one part that failed is found. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/digest.h"
#include "core/event.h"
#include "io/zk.h"
#include "sinks/zk_batch.h"

#define N 600

struct world {
    struct zk_slots slots;
    struct zk_dest dest;
    struct event events[N];
    char paths[N][24];
    struct buf bodies[N];
    struct zk_batch batch;
    struct zk_call calls[ZK_BATCH_PARTS];
};

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    assert_int_equal(zk_slots_init(&w->slots, N, &e), RC_OK);
    w->dest.root = SLICE("/");
    w->dest.sha = sha256_new();
    *state = w;
    return 0;
}

static int done(void **state)
{
    struct world *w = *state;
    zk_slots_done(&w->slots);
    sha256_free(w->dest.sha);
    for (int i = 0; i < N; i++)
        buf_done(&w->bodies[i]);
    free(w);
    return 0;
}

/* An item that is to be created (or, with `look`, looked at), with so many bytes of data. */
static struct zk_slot *enter(struct world *w, int i, size_t size, bool look)
{
    static const struct sink_policy policy = {.adopt = ADOPT_ALWAYS};
    struct err e = ERR_INIT;
    AUTO(freep) char *data = calloc(1, size + 1);
    memset(data, 'x', size);
    const struct znode n = {.data = slice_of(data, size), .stat = {.czxid = 5}};
    snprintf(w->paths[i], sizeof w->paths[i], "/n%d", i);
    buf_init(&w->bodies[i], EVENT_BODY_MAX);
    znode_print(&n, &w->bodies[i]);
    w->events[i] = (struct event){.op = EVENT_PUT, .key = slice_str(w->paths[i])};
    const struct sink_item item = {.op = SINK_PUT,
                                   .event = &w->events[i],
                                   .body = buf_slice(&w->bodies[i]),
                                   .policy = &policy};
    struct zk_slot *x = w->slots.lists[ZK_SLOT_FREE].first;
    assert_int_equal(zk_item_begin(&x->item, &w->dest, &item, &e), RC_OK);
    zk_slots_name(&w->slots, x, item.event->key);
    zk_slots_move(&w->slots, x, ZK_SLOT_LOOK, false);
    if (look)
        return x;
    zk_slots_move(&w->slots, x, ZK_SLOT_RUNNING, false);
    assert_int_equal(
        zk_item_saw(&x->item, &w->dest, &(struct zk_result){.error = ZK_NO_NODE}, 1, &e), RC_OK);
    zk_slots_move(&w->slots, x, ZK_SLOT_WRITE, false);
    return x;
}

static size_t fill(struct world *w, enum zk_state from)
{
    size_t n;
    struct err e = ERR_INIT;
    assert_int_equal(zk_batch_fill(&w->batch, &w->slots.lists[from], &w->dest, w->calls, &n, &e),
                     RC_OK);
    return n;
}

static size_t size(const struct world *w, size_t n)
{
    return zk_call_size(&(struct zk_call){.op = ZK_MULTI, .parts = w->calls, .n_parts = n});
}

static void small_items_fill_a_batch_by_their_number(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < N; i++)
        enter(w, i, 10, i % 2);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), ZK_BATCH_SLOTS);
    assert_int_equal(w->calls[0].op, ZK_CREATE);
    assert_true(slice_eq(w->calls[0].path, SLICE("/n0")) &&
                slice_eq(w->calls[1].path, SLICE("/n2")));
    assert_int_equal(fill(w, ZK_SLOT_LOOK), ZK_BATCH_SLOTS);
    assert_int_equal(w->calls[0].op, ZK_GET_DATA);
}

static void large_items_fill_it_by_their_bytes(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 20; i++)
        enter(w, i, 100000, i % 2);
    size_t n = fill(w, ZK_SLOT_WRITE);
    assert_int_equal(n, 5);
    assert_true(size(w, n) <= ZK_BATCH_BYTES + 100);
    assert_int_equal(fill(w, ZK_SLOT_LOOK), 5); /* the answers are as large */
}

static void what_is_larger_than_a_batch_goes_alone(void **state)
{
    struct world *w = *state;
    enter(w, 0, ZK_BATCH_BYTES + 1000, false);
    enter(w, 1, 10, false);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), 1);
    zk_slots_move(&w->slots, w->batch.slots[0], ZK_SLOT_RUNNING, false);
    zk_slots_move(&w->slots, w->batch.slots[0], ZK_SLOT_WRITE, false);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), 1);
    assert_true(slice_eq(w->calls[0].path, SLICE("/n1")));
}

static void who_is_to_be_alone_is(void **state)
{
    struct world *w = *state;
    enter(w, 0, 10, false);
    enter(w, 1, 10, false)->alone = true;
    enter(w, 2, 10, false);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), 1);
    zk_slots_move(&w->slots, w->batch.slots[0], ZK_SLOT_RUNNING, false);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), 1);
    assert_true(slice_eq(w->calls[0].path, SLICE("/n1")));
}

static void the_part_that_failed_is_found(void **state)
{
    struct world *w = *state;
    struct zk_slot *x[3];
    for (int i = 0; i < 3; i++)
        x[i] = enter(w, i, 10, false);
    assert_int_equal(fill(w, ZK_SLOT_WRITE), 3);
    struct zk_result parts[3] = {
        {.error = ZK_OK}, {.error = ZK_NO_AUTH}, {.error = ZK_RUNTIME_INCONSISTENCY}};
    struct zk_result r = {.error = ZK_NO_AUTH, .parts = parts, .n_parts = 3};
    int error = 0;
    assert_ptr_equal(zk_batch_culprit(&w->batch, &r, &error), x[1]);
    assert_int_equal(error, ZK_NO_AUTH);
    r.n_parts = 0;
    assert_null(zk_batch_culprit(&w->batch, &r, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(small_items_fill_a_batch_by_their_number, begin, done),
        cmocka_unit_test_setup_teardown(large_items_fill_it_by_their_bytes, begin, done),
        cmocka_unit_test_setup_teardown(what_is_larger_than_a_batch_goes_alone, begin, done),
        cmocka_unit_test_setup_teardown(who_is_to_be_alone_is, begin, done),
        cmocka_unit_test_setup_teardown(the_part_that_failed_is_found, begin, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

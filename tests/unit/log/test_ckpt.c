/* The dispatchers over the model, and the fault decorator; the suite in tests/conformance covers
 * every back end. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "log/ckpt.h"
#include "tests/fakes/ckpt_fault.h"

#define A SLICE("ns/sync-a")

struct world {
    struct ckpt_mem_store *store;
    struct ckpt *c;
};

static int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct ckpt *inner = NULL;
    struct err e = ERR_INIT;
    assert_non_null(w);
    w->store = ckpt_mem_store_new();
    assert_int_equal(ckpt_mem_open(w->store, &inner, &e), RC_OK);
    w->c = ckpt_fault_new(inner);
    assert_non_null(w->c);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    ckpt_close(w->c);
    ckpt_mem_store_free(w->store);
    free(w);
    return 0;
}

static enum rc no_row(void *arg, struct slice key, struct slice value, struct err *e)
{
    (void)arg;
    (void)key;
    (void)value;
    (void)e;
    return RC_OK;
}

static enum rc no_name(void *arg, struct slice consumer, struct err *e)
{
    (void)arg;
    (void)consumer;
    (void)e;
    return RC_OK;
}

static void destructors_accept_null(void **state)
{
    (void)state;
    ckpt_close(NULL);
    ckpt_mem_store_free(NULL);
}

static void what_is_refused_never_reaches_the_back_end(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(8);
    static char name[CKPT_NAME_MAX + 1] = {'n'};
    struct slice wrong[] = {SLICE_NULL, slice_of(name, sizeof(name))};
    const enum rc expected[] = {RC_INVALID, RC_LIMIT};
    const struct ckpt_row row = {CKPT_HOLDS, SLICE(""), SLICE("v")};
    const struct ckpt_commit empty = {.head = {1, 1}}, bad = {.rows = &row, .n_rows = 1};
    struct ckpt_head head;
    struct err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        struct slice n = wrong[i];
        assert_int_equal(ckpt_load(w->c, n, &head, NULL, NULL, &e), expected[i]);
        assert_int_equal(ckpt_get(w->c, n, CKPT_HOLDS, SLICE("k"), &out, &e), expected[i]);
        assert_int_equal(ckpt_scan(w->c, n, CKPT_HOLDS, n, no_row, NULL, &e), expected[i]);
        assert_int_equal(ckpt_commit(w->c, n, &empty, &e), expected[i]);
        assert_int_equal(ckpt_remove(w->c, n, &e), expected[i]);
    }
    assert_int_equal(ckpt_commit(w->c, A, &bad, &e), RC_INVALID);
    for (int call = 0; call < CKPT_FAULT_CALLS; call++)
        assert_int_equal(ckpt_fault_count(w->c, (enum ckpt_fault_call)call), 0);
}

static void a_fault_comes_at_the_call_that_was_named(void **state)
{
    struct world *w = *state;
    const struct fault_rule rule = {.pass = 1, .times = 2, .rc = RC_LIMIT, .retry = ERR_RETRY};
    ckpt_fault_set(w->c, CKPT_FAULT_COMMIT, &rule);
    const enum rc expected[] = {RC_OK, RC_LIMIT, RC_LIMIT, RC_OK};
    struct err e = ERR_INIT;
    struct ckpt_head head;
    for (rlog_off i = 0; i < 4; i++) {
        const struct ckpt_commit what = {.head = {1, i + 1}};
        assert_int_equal(ckpt_commit(w->c, A, &what, &e), expected[i]);
        assert_int_equal(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_OK);
        assert_int_equal(head.offset, i == 3 ? 4 : 1);
    }
    assert_int_equal(ckpt_fault_count(w->c, CKPT_FAULT_COMMIT), 4);
}

static void a_commit_whose_answer_is_lost_was_made(void **state)
{
    struct world *w = *state;
    const struct fault_rule rule = {.times = 1, .rc = RC_IO, .retry = ERR_FATAL, .done = true};
    const struct ckpt_commit what = {.head = {1, 9}};
    struct ckpt_head head;
    struct err e = ERR_INIT;
    ckpt_fault_set(w->c, CKPT_FAULT_COMMIT, &rule);
    assert_int_equal(ckpt_commit(w->c, A, &what, &e), RC_IO);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_int_equal(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_OK);
    assert_int_equal(head.offset, 9);
    ckpt_fault_set(w->c, CKPT_FAULT_REMOVE, &rule);
    assert_int_equal(ckpt_remove(w->c, A, &e), RC_IO);
    assert_int_equal(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_NOTFOUND);
}

static void a_fault_of_each_call_repeats_until_it_is_taken_away(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(8);
    const struct fault_rule always = {.rc = RC_IO, .retry = ERR_FATAL}, never = {.rc = RC_OK};
    const struct ckpt_commit what = {.head = {1, 1}};
    struct ckpt_head head;
    struct err e = ERR_INIT;
    for (int call = 0; call < CKPT_FAULT_CALLS; call++)
        ckpt_fault_set(w->c, (enum ckpt_fault_call)call, &always);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_IO);
        assert_int_equal(ckpt_get(w->c, A, CKPT_HOLDS, SLICE("k"), &out, &e), RC_IO);
        assert_int_equal(ckpt_scan(w->c, A, CKPT_HOLDS, A, no_row, NULL, &e), RC_IO);
        assert_int_equal(ckpt_commit(w->c, A, &what, &e), RC_IO);
        assert_int_equal(ckpt_list(w->c, no_name, NULL, &e), RC_IO);
        assert_int_equal(ckpt_remove(w->c, A, &e), RC_IO);
    }
    for (int call = 0; call < CKPT_FAULT_CALLS; call++)
        ckpt_fault_set(w->c, (enum ckpt_fault_call)call, &never);
    assert_int_equal(ckpt_load(w->c, A, &head, NULL, NULL, &e), RC_NOTFOUND);
    assert_int_equal(ckpt_commit(w->c, A, &what, &e), RC_OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(destructors_accept_null),
        CASE(what_is_refused_never_reaches_the_back_end),
        CASE(a_fault_comes_at_the_call_that_was_named),
        CASE(a_commit_whose_answer_is_lost_was_made),
        CASE(a_fault_of_each_call_repeats_until_it_is_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

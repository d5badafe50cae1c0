/* The dispatchers alone, over a back end that only notes its calls; the suite in tests/conformance
 * covers the rest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/digest.h"
#include "core/event_iter.h"
#include "log/rlog_ops.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/rlog_fault.h"
#include "core/env.h"
#include "core/rng.h"

#include <stdio.h>

/* Notes each call in `calls`, one letter each; append gives the offset 5 or fails with `rc`. */
struct note_log {
    struct rlog base;
    char calls[16];
    enum rc rc;
    rlog_off from; /* what cursor and history got */
};

static enum rc note(struct rlog *l, char c, struct err *e)
{
    struct note_log *n = (struct note_log *)l;
    n->calls[strlen(n->calls)] = c;
    return n->rc == RC_OK ? RC_OK : err_set(e, n->rc, ERR_FATAL, "as told");
}

static void note_close(struct rlog *l)
{
    note(l, 'x', NULL);
}

static enum rc note_append(struct rlog *l, const struct event *batch, size_t n, rlog_off expect,
                           rlog_off *ret_first, struct err *e)
{
    (void)batch;
    (void)n;
    (void)expect;
    *ret_first = 5;
    return note(l, 'a', e);
}

static enum rc note_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e)
{
    (void)ret;
    return note(l, 'b', e);
}

static enum rc note_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                           struct err *e)
{
    (void)ret;
    ((struct note_log *)l)->from = range->from;
    return note(l, 'c', e);
}

static enum rc note_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                         struct err *e)
{
    (void)key;
    (void)at;
    (void)ret;
    return note(l, 'l', e);
}

static enum rc note_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                            struct event_iter **ret, struct err *e)
{
    (void)key;
    (void)until;
    (void)ret;
    ((struct note_log *)l)->from = from;
    return note(l, 'h', e);
}

static enum rc note_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e)
{
    (void)time_ns;
    (void)ret;
    return note(l, 's', e);
}

static enum rc note_trim(struct rlog *l, rlog_off below, struct err *e)
{
    (void)below;
    return note(l, 't', e);
}

static enum rc note_maintain(struct rlog *l, struct err *e)
{
    return note(l, 'm', e);
}

static const struct rlog_ops note_ops = {
    .name = "note",
    .close = note_close,
    .append = note_append,
    .bounds = note_bounds,
    .cursor = note_cursor,
    .last = note_last,
    .history = note_history,
    .seek = note_seek,
    .trim = note_trim,
    .maintain = note_maintain,
};

static struct note_log note_log(enum rlog_access access)
{
    struct note_log n = {.rc = RC_OK};
    rlog_init(&n.base, &note_ops, access);
    return n;
}

static const struct event good = {
    .op = EVENT_PUT, .cause = CAUSE_WATCH, .source_kind = SOURCE_KUBERNETES, .key = {"k", 1}};

static void note_listener(void *arg)
{
    note(arg, 'n', NULL);
}

static void I2_listeners_hear_of_an_append_after_it_is_durable(void **state)
{
    (void)state;
    struct note_log n = note_log(RLOG_WRITE);
    struct err e = ERR_INIT;
    rlog_off first = 0;
    assert_int_equal(rlog_on_append(&n.base, note_listener, &n, &e), RC_OK);
    assert_int_equal(rlog_on_append(&n.base, note_listener, &n, &e), RC_OK);
    assert_int_equal(rlog_append(&n.base, &good, 1, 1, &first, &e), RC_OK);
    assert_int_equal(first, 5);
    rlog_close(&n.base);
    assert_string_equal(n.calls, "annx");
}

static void a_failed_append_tells_nobody_and_gives_no_offset(void **state)
{
    (void)state;
    struct note_log n = note_log(RLOG_WRITE);
    struct err e = ERR_INIT;
    rlog_off first = 77;
    assert_int_equal(rlog_on_append(&n.base, note_listener, &n, &e), RC_OK);
    n.rc = RC_IO;
    assert_int_equal(rlog_append(&n.base, &good, 1, 1, &first, &e), RC_IO);
    assert_int_equal(first, 77);
    rlog_close(&n.base);
    assert_string_equal(n.calls, "ax");
}

static void what_is_refused_never_reaches_the_back_end(void **state)
{
    (void)state;
    struct note_log n = note_log(RLOG_WRITE);
    struct event bad = good;
    bad.key = SLICE_NULL;
    struct event batch[2] = {good, bad};
    const struct rlog_range wrong = {.from = 2, .until = 1};
    struct event_iter *it = NULL;
    struct rlog_found found;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_append(&n.base, batch, 2, 1, NULL, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "event 1 of the batch"));
    assert_int_equal(rlog_append(&n.base, batch, 0, 1, NULL, &e), RC_INVALID);
    assert_int_equal(rlog_cursor(&n.base, &wrong, &it, &e), RC_INVALID);
    assert_int_equal(rlog_last(&n.base, SLICE_NULL, 0, &found, &e), RC_INVALID);
    assert_int_equal(rlog_history(&n.base, SLICE("k"), 2, 1, &it, &e), RC_INVALID);
    n.base.access = RLOG_READ;
    assert_int_equal(rlog_append(&n.base, &good, 1, 1, NULL, &e), RC_DENIED);
    assert_int_equal(rlog_trim(&n.base, 1, &e), RC_DENIED);
    assert_int_equal(rlog_maintain(&n.base, &e), RC_DENIED);
    assert_string_equal(n.calls, "");
}

static void every_call_goes_to_its_method(void **state)
{
    (void)state;
    struct note_log n = note_log(RLOG_WRITE);
    struct rlog_bounds b;
    const struct rlog_range range = {.from = 0};
    struct event_iter *it = NULL;
    struct rlog_found found;
    rlog_off at = 0;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_bounds(&n.base, &b, &e), RC_OK);
    assert_int_equal(rlog_cursor(&n.base, &range, &it, &e), RC_OK);
    assert_int_equal(n.from, 1); /* 0 means 1 */
    assert_int_equal(rlog_last(&n.base, SLICE("k"), 0, &found, &e), RC_OK);
    n.from = 0;
    assert_int_equal(rlog_history(&n.base, SLICE("k"), 0, 0, &it, &e), RC_OK);
    assert_int_equal(n.from, 1);
    assert_int_equal(rlog_seek(&n.base, 0, &at, &e), RC_OK);
    assert_int_equal(rlog_trim(&n.base, 1, &e), RC_OK);
    assert_int_equal(rlog_maintain(&n.base, &e), RC_OK);
    rlog_close(&n.base);
    assert_string_equal(n.calls, "bclhstmx");
}

static void destructors_accept_null_and_empty(void **state)
{
    (void)state;
    rlog_close(NULL);
    rlog_found_done(NULL);
    struct rlog_found found = {0};
    rlog_found_done(&found);
    rlog_found_done(&found);
    assert_null(found.memory);
}

static void a_found_event_is_a_copy(void **state)
{
    (void)state;
    char key[] = "key";
    struct event ev = good;
    ev.key = slice_str(key);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_found_set(&found, &ev, &e), RC_OK);
    key[0] = 'x';
    assert_true(slice_eq(found.event.key, SLICE("key")));
}

static void a_range_hides_the_logs_own_keys_unless_asked(void **state)
{
    (void)state;
    struct rlog_range r = {.from = 1};
    assert_true(rlog_range_has(&r, SLICE("a")));
    assert_false(rlog_range_has(&r, SLICE("@a")));
    r.all_keys = true;
    assert_true(rlog_range_has(&r, SLICE("@a")));
    r = (struct rlog_range){.prefix = SLICE("@a")};
    assert_true(rlog_range_has(&r, SLICE("@a/b")));
    assert_false(rlog_range_has(&r, SLICE("@b")));
    assert_false(rlog_range_has(&r, SLICE("a")));
    r.prefix = SLICE("a/");
    assert_false(rlog_range_has(&r, SLICE("a")));
    assert_true(rlog_range_has(&r, SLICE("a/")));
}

static void each_key_is_in_exactly_one_shard(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        int in = 0;
        for (uint32_t shard = 0; shard < 5; shard++) {
            const struct rlog_range r = {.shard = shard, .shards = 5};
            in += rlog_range_has(&r, slice_str(key));
        }
        assert_int_equal(in, 1);
    }
    assert_int_equal(rlog_key_hash(SLICE("123456789")), 0xe3069283); /* RFC 3720 */
}

static void a_start_outside_the_bounds_is_refused(void **state)
{
    (void)state;
    const struct rlog_bounds b = {.first = 5, .next = 9};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_check_from(5, &b, &e), RC_OK);
    assert_int_equal(rlog_check_from(9, &b, &e), RC_OK);
    assert_int_equal(rlog_check_from(4, &b, &e), RC_EXPIRED);
    assert_int_equal(e.retry, ERR_RESYNC);
    assert_int_equal(rlog_check_from(10, &b, &e), RC_INVALID);
    assert_int_equal(e.retry, ERR_FATAL);
}

/* ---- The fault decorator, over the model ---- */

struct faulty {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_mem_store *store;
    struct rlog *log;
};

static int faulty_setup(void **state)
{
    struct faulty *f = calloc(1, sizeof(*f));
    struct rlog *inner = NULL;
    struct err e = ERR_INIT;
    assert_non_null(f);
    fake_clock_init(&f->clock, 1);
    rng_seeded_init(&f->rng, 1);
    f->env = (struct env){.clock = &f->clock.clock, .rng = &f->rng.rng};
    f->store = rlog_mem_store_new();
    assert_int_equal(rlog_mem_open(f->store, RLOG_WRITE, &f->env, &inner, &e), RC_OK);
    f->log = rlog_fault_new(inner);
    assert_non_null(f->log);
    *state = f;
    return 0;
}

static int faulty_teardown(void **state)
{
    struct faulty *f = *state;
    rlog_close(f->log);
    rlog_mem_store_free(f->store);
    free(f);
    return 0;
}

static rlog_off next_of(struct rlog *l)
{
    struct rlog_bounds b = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_bounds(l, &b, &e), RC_OK);
    return b.next;
}

static void a_fault_comes_at_the_call_that_was_named(void **state)
{
    struct faulty *f = *state;
    struct err e = ERR_INIT;
    const struct fault_rule rule = {.pass = 2, .times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY};
    rlog_fault_set(f->log, RLOG_FAULT_APPEND, &rule);
    const enum rc expected[] = {RC_OK, RC_OK, RC_LIMIT, RC_OK};
    for (int i = 0; i < 4; i++)
        assert_int_equal(rlog_append(f->log, &good, 1, RLOG_ANY, NULL, &e), expected[i]);
    assert_int_equal(e.retry, ERR_RETRY);
    assert_int_equal(next_of(f->log), 4);
    assert_int_equal(rlog_fault_count(f->log, RLOG_FAULT_APPEND), 4);
}

static void an_append_whose_answer_is_lost_was_made(void **state)
{
    struct faulty *f = *state;
    struct err e = ERR_INIT;
    const struct fault_rule rule = {.times = 1, .rc = RC_IO, .retry = ERR_FATAL, .done = true};
    rlog_fault_set(f->log, RLOG_FAULT_APPEND, &rule);
    assert_int_equal(rlog_append(f->log, &good, 1, 1, NULL, &e), RC_IO);
    assert_int_equal(next_of(f->log), 2);
    assert_int_equal(rlog_append(f->log, &good, 1, 1, NULL, &e), RC_CONFLICT);
}

static void a_failed_iterator_stays_failed(void **state)
{
    struct faulty *f = *state;
    struct err e = ERR_INIT;
    const struct event batch[2] = {good, good};
    assert_int_equal(rlog_append(f->log, batch, 2, 1, NULL, &e), RC_OK);
    const struct fault_rule rule = {.pass = 1, .times = 1, .rc = RC_CORRUPT, .retry = ERR_FATAL};
    rlog_fault_set(f->log, RLOG_FAULT_NEXT, &rule);
    const struct rlog_range range = {.from = 1};
    struct event_iter *opened = NULL;
    assert_int_equal(rlog_cursor(f->log, &range, &opened, &e), RC_OK);
    AUTO(event_iter_freep) struct event_iter *it = opened;
    const struct event *ev = NULL;
    assert_int_equal(event_iter_next(it, &ev, &e), RC_OK);
    assert_int_equal(event_iter_next(it, &ev, &e), RC_CORRUPT);
    e = (struct err)ERR_INIT;
    assert_int_equal(event_iter_next(it, &ev, &e), RC_CORRUPT);
    assert_int_equal(e.rc, RC_CORRUPT);
}

static void a_fault_of_each_call_repeats_until_it_is_taken_away(void **state)
{
    struct faulty *f = *state;
    struct rlog *l = f->log;
    struct rlog_bounds b;
    const struct rlog_range range = {.from = 1};
    struct event_iter *it = NULL;
    struct rlog_found found;
    rlog_off at = 0;
    struct err e = ERR_INIT;
    const struct fault_rule always = {.rc = RC_IO, .retry = ERR_FATAL};
    const struct fault_rule never = {.rc = RC_OK};
    for (int call = 0; call < RLOG_FAULT_CALLS; call++)
        rlog_fault_set(l, (enum rlog_fault_call)call, &always);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(rlog_append(l, &good, 1, 1, NULL, &e), RC_IO);
        assert_int_equal(rlog_bounds(l, &b, &e), RC_IO);
        assert_int_equal(rlog_cursor(l, &range, &it, &e), RC_IO);
        assert_int_equal(rlog_last(l, SLICE("k"), 0, &found, &e), RC_IO);
        assert_int_equal(rlog_history(l, SLICE("k"), 0, 0, &it, &e), RC_IO);
        assert_int_equal(rlog_seek(l, 0, &at, &e), RC_IO);
        assert_int_equal(rlog_trim(l, 1, &e), RC_IO);
        assert_int_equal(rlog_maintain(l, &e), RC_IO);
    }
    for (int call = 0; call < RLOG_FAULT_CALLS; call++)
        rlog_fault_set(l, (enum rlog_fault_call)call, &never);
    assert_int_equal(next_of(l), 1);
    assert_int_equal(rlog_append(l, &good, 1, 1, NULL, &e), RC_OK);
}

#define FAULTY(f) cmocka_unit_test_setup_teardown(f, faulty_setup, faulty_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(I2_listeners_hear_of_an_append_after_it_is_durable),
        cmocka_unit_test(a_failed_append_tells_nobody_and_gives_no_offset),
        cmocka_unit_test(what_is_refused_never_reaches_the_back_end),
        cmocka_unit_test(every_call_goes_to_its_method),
        cmocka_unit_test(destructors_accept_null_and_empty),
        cmocka_unit_test(a_found_event_is_a_copy),
        cmocka_unit_test(a_range_hides_the_logs_own_keys_unless_asked),
        cmocka_unit_test(each_key_is_in_exactly_one_shard),
        cmocka_unit_test(a_start_outside_the_bounds_is_refused),
        FAULTY(a_fault_comes_at_the_call_that_was_named),
        FAULTY(an_append_whose_answer_is_lost_was_made),
        FAULTY(a_failed_iterator_stays_failed),
        FAULTY(a_fault_of_each_call_repeats_until_it_is_taken_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

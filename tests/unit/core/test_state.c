/* core/state: folding events into the latest state, its digest, and that order across keys does not matter. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/event_iter.h"
#include "core/buf.h"
#include "core/event_codec.h"
#include "core/rng.h"
#include "core/state.h"

#include <stdio.h>

static struct event event_of(rlog_off offset, enum event_op op, const char *key)
{
    return (struct event){.offset = offset,
                          .op = op,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .source = SLICE("s"),
                          .key = slice_str(key),
                          .body = SLICE("{}")};
}

static void apply(struct state *s, rlog_off offset, enum event_op op, const char *key)
{
    struct event ev = event_of(offset, op, key);
    struct err e = ERR_INIT;
    assert_int_equal(state_apply(s, &ev, &e), RC_OK);
}

static rlog_off offset_of(const struct state *s, const char *key)
{
    const struct event *ev = state_get(s, slice_str(key));
    return ev ? ev->offset : 0;
}

static void digest_of(const struct state *s, uint8_t out[SHA256_SIZE])
{
    struct err e = ERR_INIT;
    assert_int_equal(state_digest(s, out, &e), RC_OK);
}

static void a_put_replaces_and_a_delete_removes(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    apply(s, 1, EVENT_PUT, "a");
    apply(s, 2, EVENT_PUT, "b");
    apply(s, 3, EVENT_PUT, "a");
    assert_int_equal(state_count(s), 2);
    assert_int_equal(offset_of(s, "a"), 3);
    apply(s, 4, EVENT_DELETE, "a");
    assert_int_equal(state_count(s), 1);
    assert_null(state_get(s, SLICE("a")));
    apply(s, 5, EVENT_DELETE, "never-there");
    assert_int_equal(state_count(s), 1);
}

static void each_of_the_logs_own_events_folds_like_a_put(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    rlog_off offset = 0;
    for (int op = EVENT_GAP; op <= EVENT_TRIM; op++) {
        apply(s, ++offset, (enum event_op)op, "@own/x");
        assert_int_equal(offset_of(s, "@own/x"), offset);
    }
    assert_int_equal(state_count(s), 1);
}

static void an_event_at_or_below_the_keys_offset_changes_nothing(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    apply(s, 5, EVENT_PUT, "a");
    apply(s, 5, EVENT_DELETE, "a");
    apply(s, 4, EVENT_DELETE, "a");
    apply(s, 4, EVENT_PUT, "a");
    assert_int_equal(offset_of(s, "a"), 5);
}

static void the_state_does_not_depend_on_the_callers_memory(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    char key[] = "a", body[] = "{}";
    struct event ev = event_of(1, EVENT_PUT, key);
    ev.body = slice_str(body);
    struct err e = ERR_INIT;
    assert_int_equal(state_apply(s, &ev, &e), RC_OK);
    key[0] = body[0] = 'x';
    assert_non_null(state_get(s, SLICE("a")));
    assert_true(slice_eq(state_get(s, SLICE("a"))->body, SLICE("{}")));
}

static void a_walk_gives_the_keys_of_a_prefix_in_byte_order(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    const char *keys[] = {"b/2", "a", "b/\xff", "b/1", "c", "b", "@x"};
    for (rlog_off i = 0; i < 7; i++)
        apply(s, i + 1, EVENT_PUT, keys[i]);

    const char *expected[] = {"b/1", "b/2", "b/\xff"};
    struct slice after = SLICE_NULL;
    for (int i = 0; i < 3; i++) {
        const struct event *ev = state_next(s, SLICE("b/"), after);
        assert_non_null(ev);
        assert_true(slice_eq(ev->key, slice_str(expected[i])));
        after = ev->key;
    }
    assert_null(state_next(s, SLICE("b/"), after));

    assert_true(slice_eq(state_next(s, SLICE_NULL, SLICE_NULL)->key, SLICE("@x")));
    assert_true(slice_eq(state_next(s, SLICE("b/"), SLICE("a"))->key, SLICE("b/1")));
    assert_true(slice_eq(state_next(s, SLICE("b/"), SLICE("b/11"))->key, SLICE("b/2")));
    assert_null(state_next(s, SLICE("b/"), SLICE("c")));
    assert_null(state_next(s, SLICE("zz"), SLICE_NULL));
}

static void the_digest_is_that_of_the_canonical_bytes_in_key_order(void **state)
{
    (void)state;
    AUTO(state_freep) struct state *s = state_new();
    uint8_t found[SHA256_SIZE], expected[SHA256_SIZE];
    digest_of(s, found);
    sha256(SLICE_NULL, SLICE_NULL, expected);
    assert_memory_equal(found, expected, SHA256_SIZE);

    apply(s, 1, EVENT_PUT, "b");
    apply(s, 2, EVENT_POSITION, "@position/x");
    apply(s, 3, EVENT_PUT, "gone");
    apply(s, 4, EVENT_DELETE, "gone");
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    struct event first = event_of(2, EVENT_POSITION, "@position/x");
    struct event second = event_of(1, EVENT_PUT, "b");
    assert_int_equal(event_encode(&first, &bytes, &e), RC_OK);
    assert_int_equal(event_encode(&second, &bytes, &e), RC_OK);
    sha256(buf_slice(&bytes), SLICE_NULL, expected);
    digest_of(s, found);
    assert_memory_equal(found, expected, SHA256_SIZE);
}

#define RANDOM_EVENTS 500

static void random_events(uint64_t seed, struct event *out, char keys[][8])
{
    struct rng_seeded r;
    rng_seeded_init(&r, seed);
    for (rlog_off i = 0; i < RANDOM_EVENTS; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%u", (unsigned)rng_below(&r.rng, 40));
        enum event_op op = rng_below(&r.rng, 3) ? EVENT_PUT : EVENT_DELETE;
        out[i] = event_of(i + 1, op, keys[i]);
    }
}

/* Applies the events of one key, in their order. */
static void apply_key(struct state *s, const struct event *events, struct slice key)
{
    struct err e = ERR_INIT;
    for (int i = 0; i < RANDOM_EVENTS; i++) {
        if (slice_eq(events[i].key, key))
            assert_int_equal(state_apply(s, &events[i], &e), RC_OK);
    }
}

/* Replayed in any way that keeps each key's order, even with pieces repeated, the fold is the same. */
static void I12_the_same_prefix_folds_to_the_same_bytes(void **state)
{
    (void)state;
    static struct event events[RANDOM_EVENTS];
    static char keys[RANDOM_EVENTS][8];
    for (uint64_t seed = 1; seed <= 8; seed++) {
        random_events(seed, events, keys);
        AUTO(state_freep) struct state *once = state_new();
        AUTO(state_freep) struct state *by_key = state_new();
        struct err e = ERR_INIT;
        for (int i = 0; i < RANDOM_EVENTS; i++)
            assert_int_equal(state_apply(once, &events[i], &e), RC_OK);
        for (int k = 39; k >= 0; k--) {
            char key[16];
            snprintf(key, sizeof(key), "k%d", k);
            apply_key(by_key, events, slice_str(key));
        }
        uint8_t a[SHA256_SIZE], b[SHA256_SIZE];
        digest_of(once, a);
        digest_of(by_key, b);
        assert_memory_equal(a, b, SHA256_SIZE);
        assert_true(state_count(once) > 0);
    }
}

struct list_iter {
    struct event_iter base;
    struct event events[4];
    size_t n, at;
    enum rc last;
};

static enum rc list_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct list_iter *l = (struct list_iter *)it;
    if (l->at == l->n)
        return l->last < 0 ? err_set(e, l->last, ERR_FATAL, "the disk is gone") : l->last;
    *ret = &l->events[l->at++];
    return RC_OK;
}

static void list_free(struct event_iter *it)
{
    (void)it;
}

static const struct event_iter_ops list_ops = {.next = list_next, .free = list_free};

static struct list_iter three_events(enum rc last)
{
    return (struct list_iter){
        .base = {&list_ops},
        .events = {event_of(1, EVENT_PUT, "a"), event_of(2, EVENT_PUT, "b"),
                   event_of(3, EVENT_DELETE, "a")},
        .n = 3,
        .last = last,
    };
}

static void a_fold_stops_at_the_end_and_at_the_tail(void **state)
{
    (void)state;
    const enum rc ends[] = {RC_END, RC_AGAIN};
    for (int i = 0; i < 2; i++) {
        struct list_iter it = three_events(ends[i]);
        AUTO(state_freep) struct state *s = state_new();
        struct err e = ERR_INIT;
        assert_int_equal(state_fold(s, &it.base, &e), RC_OK);
        assert_int_equal(state_count(s), 1);
        assert_int_equal(offset_of(s, "b"), 2);
    }
}

static void a_fold_gives_the_iterators_failure(void **state)
{
    (void)state;
    struct list_iter it = three_events(RC_CORRUPT);
    AUTO(state_freep) struct state *s = state_new();
    struct err e = ERR_INIT;
    assert_int_equal(state_fold(s, &it.base, &e), RC_CORRUPT);
    assert_string_equal(e.msg, "the disk is gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_replaces_and_a_delete_removes),
        cmocka_unit_test(each_of_the_logs_own_events_folds_like_a_put),
        cmocka_unit_test(an_event_at_or_below_the_keys_offset_changes_nothing),
        cmocka_unit_test(the_state_does_not_depend_on_the_callers_memory),
        cmocka_unit_test(a_walk_gives_the_keys_of_a_prefix_in_byte_order),
        cmocka_unit_test(the_digest_is_that_of_the_canonical_bytes_in_key_order),
        cmocka_unit_test(I12_the_same_prefix_folds_to_the_same_bytes),
        cmocka_unit_test(a_fold_stops_at_the_end_and_at_the_tail),
        cmocka_unit_test(a_fold_gives_the_iterators_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

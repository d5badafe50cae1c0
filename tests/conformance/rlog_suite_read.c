/* Reading: cursors in all modes, last, history, seek; each answer is compared with the model's. */
#include "tests/conformance/rlog_suite_priv.h"

#define LOG_EVENTS 240

static void assert_cursor(struct world *w, const struct rlog_range *range, enum rc end)
{
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, range);
    assert_range(w, it, range, end);
}

static void a_cursor_gives_each_event_once_in_order(void **state)
{
    struct world *w = *state;
    world_append_random(w, LOG_EVENTS);
    const struct rlog_range objects = {.from = 0};
    assert_cursor(w, &objects, RC_AGAIN);
    const struct rlog_range part = {.from = 17, .until = 101, .all_keys = true};
    assert_cursor(w, &part, RC_END);
    const struct rlog_range none = {.from = 17, .until = 17, .all_keys = true};
    assert_cursor(w, &none, RC_END);
}

/* Mode, prefix, shard, all_keys, from and until drawn at random, compared with the naive filter. */
static void every_range_gives_what_a_naive_filter_gives(void **state)
{
    struct world *w = *state;
    static const struct slice prefixes[] = {
        {"", 0},  {"/configmaps/ns/", 15}, {"/configmaps/ns", 14}, {"apps/", 5},
        {"@", 1}, {"@kind/", 6},           {"long/xx", 7},         {"none", 4},
        {"a", 1},
    };
    world_append_random(w, LOG_EVENTS);
    for (int i = 0; i < 300; i++) {
        struct rng *r = &w->rng.rng;
        struct rlog_range range = {.from = rng_below(r, world_next(w)) + 1,
                                   .prefix = prefixes[rng_below(r, 9)],
                                   .all_keys = rng_below(r, 2) == 0,
                                   .mode = (enum rlog_mode)rng_below(r, 3),
                                   .shards = (uint32_t)rng_below(r, 4)};
        range.until = rng_below(r, 4) ? range.from + rng_below(r, world_next(w)) : 0;
        range.shard = range.shards ? (uint32_t)rng_below(r, range.shards) : 0;
        bool waits = range.mode == RLOG_EVERY && (!range.until || range.until > world_next(w));
        assert_cursor(w, &range, waits ? RC_AGAIN : RC_END);
    }
}

static void the_shards_together_are_the_whole_and_share_no_key(void **state)
{
    struct world *w = *state;
    world_append_random(w, 100);
    size_t seen = 0;
    struct err e = ERR_INIT;
    for (uint32_t shard = 0; shard < 3; shard++) {
        const struct rlog_range range = {.all_keys = true, .shard = shard, .shards = 3};
        AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &range);
        const struct event *ev = NULL;
        while (event_iter_next(it, &ev, &e) == RC_OK) {
            assert_int_equal(crc32c(0, ev->key.p, ev->key.n) % 3, shard);
            seen++;
        }
    }
    assert_int_equal(seen, 100);
}

static void a_cursor_at_the_tail_waits_and_goes_on(void **state)
{
    struct world *w = *state;
    const struct rlog_range all = {.all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &all);
    assert_range(w, it, &all, RC_AGAIN);
    for (int i = 0; i < 20; i++) {
        const struct rlog_range news = {.from = world_next(w), .all_keys = true};
        world_append_random(w, 1 + (size_t)i % 3);
        assert_range(w, it, &news, RC_AGAIN);
        if (i % 5 == 0)
            world_maintain(w);
    }
}

static void a_cursor_whose_end_is_not_yet_there_waits_and_then_ends_for_ever(void **state)
{
    struct world *w = *state;
    world_append_random(w, 4);
    const struct rlog_range range = {.until = 8, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &range);
    assert_range(w, it, &range, RC_AGAIN);
    world_append_random(w, 10);
    const struct rlog_range rest = {.from = 5, .until = 8, .all_keys = true};
    assert_range(w, it, &rest, RC_END);
    world_append_random(w, 1);
    const struct rlog_range nothing = {.from = 8, .until = 8};
    assert_range(w, it, &nothing, RC_END);
}

static void a_cursor_per_key_stands_still_at_its_opening(void **state)
{
    struct world *w = *state;
    struct event first[] = {put_of("a"), put_of("b"), put_of("c")};
    struct event later[] = {put_of("b"), delete_of("c"), put_of("d")};
    world_append(w, first, 3);
    for (int mode = RLOG_LAST_PER_KEY; mode <= RLOG_LIVE; mode++) {
        const struct rlog_range range = {.mode = (enum rlog_mode)mode};
        const struct rlog_range then = {.until = world_next(w), .mode = (enum rlog_mode)mode};
        AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &range);
        world_append(w, later, 3);
        assert_range(w, it, &then, RC_END);
    }
}

static void cursors_do_not_disturb_one_another(void **state)
{
    struct world *w = *state;
    world_append_random(w, 60);
    const struct rlog_range all = {.all_keys = true};
    AUTO(event_iter_freep) struct event_iter *a = open_cursor(w->log, &all);
    AUTO(event_iter_freep) struct event_iter *b = open_cursor(w->log, &all);
    struct err e = ERR_INIT;
    const struct event *from_a = NULL, *from_b = NULL;
    assert_int_equal(event_iter_next(b, &from_b, &e), RC_OK);
    for (size_t i = 0; i + 1 < 60; i++) {
        assert_int_equal(event_iter_next(a, &from_a, &e), RC_OK);
        assert_same_event(from_b, w->model[i]); /* a view lives until its own cursor moves */
        assert_int_equal(event_iter_next(b, &from_b, &e), RC_OK);
        assert_same_event(from_a, w->model[i]);
    }
}

static void a_range_that_makes_no_sense_is_refused(void **state)
{
    struct world *w = *state;
    world_append_random(w, 5);
    const struct rlog_range wrong[] = {
        {.from = 3, .until = 2},        {.from = 7},
        {.from = 7, .mode = RLOG_LIVE}, {.shard = 2, .shards = 2},
        {.mode = (enum rlog_mode)3},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct event_iter *it = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(rlog_cursor(w->log, &wrong[i], &it, &e), RC_INVALID);
        assert_int_equal(e.rc, RC_INVALID);
        assert_null(it);
    }
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_history(w->log, SLICE("a"), 3, 2, &it, &e), RC_INVALID);
    assert_int_equal(rlog_history(w->log, SLICE("a"), 7, 0, &it, &e), RC_INVALID);
    assert_int_equal(rlog_history(w->log, SLICE_NULL, 1, 0, &it, &e), RC_INVALID);
    assert_null(it);
    const struct rlog_range at_the_end = {.from = 6, .all_keys = true};
    assert_cursor(w, &at_the_end, RC_AGAIN);
}

/* Also answers for offsets behind the end, which are as the end itself. */
static void last_gives_the_newest_event_below_every_offset(void **state)
{
    struct world *w = *state;
    world_append_random(w, LOG_EVENTS);
    struct err e = ERR_INIT;
    for (unsigned k = 0; k < RANDOM_KEYS; k++) {
        const struct event *expected = NULL;
        for (rlog_off at = 1; at <= world_next(w) + 1; at++) {
            AUTO(rlog_found_done) struct rlog_found found = {0};
            enum rc rc = rlog_last(w->log, random_key(k), at, &found, &e);
            assert_int_equal(rc, expected ? RC_OK : RC_NOTFOUND);
            if (expected)
                assert_same_event(&found.event, expected);
            if (at <= w->n && slice_eq(w->model[at - 1]->key, random_key(k)))
                expected = w->model[at - 1];
        }
        AUTO(rlog_found_done) struct rlog_found found = {0};
        assert_int_equal(rlog_last(w->log, random_key(k), 0, &found, &e), RC_OK);
        assert_same_event(&found.event, expected);
    }
}

static void last_of_a_key_that_never_was_is_not_found(void **state)
{
    struct world *w = *state;
    struct rlog_found found = {0};
    struct err e = ERR_INIT;
    assert_failed(rlog_last(w->log, SLICE("a"), 0, &found, &e), RC_NOTFOUND, ERR_FINAL, &e);
    assert_failed(rlog_last(w->log, SLICE("a"), 1, &found, &e), RC_NOTFOUND, ERR_FINAL, &e);
    struct event batch[] = {put_of("ab"), put_of("b")};
    world_append(w, batch, 2);
    assert_failed(rlog_last(w->log, SLICE("a"), 0, &found, &e), RC_NOTFOUND, ERR_FINAL, &e);
    assert_failed(rlog_last(w->log, SLICE("abc"), 0, &found, &e), RC_NOTFOUND, ERR_FINAL, &e);
    assert_int_equal(rlog_last(w->log, SLICE_NULL, 0, &found, &e), RC_INVALID);
    assert_null(found.memory);
}

static void what_last_found_outlives_the_log(void **state)
{
    struct world *w = *state;
    struct event ev = put_of("a");
    world_append(w, &ev, 1);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_last(w->log, SLICE("a"), 0, &found, &e), RC_OK);
    world_reopen(w);
    world_append_random(w, 20);
    assert_same_event(&found.event, w->model[0]);
}

static void assert_history(struct world *w, struct slice key, rlog_off from, rlog_off until)
{
    struct event_iter *opened = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_history(w->log, key, from, until, &opened, &e), RC_OK);
    AUTO(event_iter_freep) struct event_iter *it = opened;
    const struct event *found = NULL;
    size_t end = until && until < world_next(w) ? until - 1 : w->n;
    for (size_t i = from ? from - 1 : 0; i < end; i++) {
        if (!slice_eq(w->model[i]->key, key))
            continue;
        assert_int_equal(event_iter_next(it, &found, &e), RC_OK);
        assert_same_event(found, w->model[i]);
    }
    assert_int_equal(event_iter_next(it, &found, &e), RC_END);
    assert_int_equal(event_iter_next(it, &found, &e), RC_END);
}

static void history_gives_all_events_of_one_key(void **state)
{
    struct world *w = *state;
    world_append_random(w, LOG_EVENTS);
    for (unsigned k = 0; k < RANDOM_KEYS; k++) {
        assert_history(w, random_key(k), 0, 0);
        for (int i = 0; i < 20; i++) {
            rlog_off from = rng_below(&w->rng.rng, world_next(w)) + 1;
            rlog_off until = from + rng_below(&w->rng.rng, world_next(w));
            assert_history(w, random_key(k), from, until);
            assert_history(w, random_key(k), from, 0);
        }
    }
    assert_history(w, SLICE("never"), 0, 0);
}

/* A back end that stores long keys cut, with a part of their SHA-256, must not take another key for it. */
static void a_key_that_looks_like_a_cut_one_is_another_key(void **state)
{
    struct world *w = *state;
    char whole[500], like[480];
    uint8_t digest[SHA256_SIZE];
    memset(whole, 'k', sizeof(whole));
    memcpy(like, whole, 464);
    sha256(slice_of(whole, sizeof(whole)), SLICE_NULL, digest);
    memcpy(like + 464, digest, 16);
    struct event batch[2] = {put_of(""), put_of("")};
    batch[0].key = slice_of(whole, sizeof(whole));
    batch[1].key = slice_of(like, sizeof(like));
    world_append(w, batch, 2);
    world_append_random(w, 40);
    world_maintain(w);
    world_reopen(w);
    const struct rlog_range live = {.prefix = SLICE("kkk"), .mode = RLOG_LIVE};
    assert_cursor(w, &live, RC_END);
    for (size_t i = 0; i < 2; i++) {
        AUTO(rlog_found_done) struct rlog_found found = {0};
        struct err e = ERR_INIT;
        assert_int_equal(rlog_last(w->log, batch[i].key, 0, &found, &e), RC_OK);
        assert_same_event(&found.event, w->model[i]);
        assert_history(w, batch[i].key, 0, 0);
    }
}

static void a_history_ends_where_the_log_ended_at_its_opening(void **state)
{
    struct world *w = *state;
    struct event ev = put_of("a");
    world_append(w, &ev, 1);
    struct event_iter *opened = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_history(w->log, SLICE("a"), 0, 0, &opened, &e), RC_OK);
    AUTO(event_iter_freep) struct event_iter *it = opened;
    world_append(w, &ev, 1);
    const struct event *found = NULL;
    assert_int_equal(event_iter_next(it, &found, &e), RC_OK);
    assert_same_event(found, w->model[0]);
    assert_int_equal(event_iter_next(it, &found, &e), RC_END);
}

static void assert_seek(struct world *w, int64_t time_ns)
{
    rlog_off expected = bounds_of(w->log).first, found = 0;
    while (expected < world_next(w) && w->model[expected - 1]->time_ns < time_ns)
        expected++;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_seek(w->log, time_ns, &found, &e), RC_OK);
    assert_int_equal(found, expected);
}

static void seek_gives_the_first_event_at_or_after_every_time(void **state)
{
    struct world *w = *state;
    assert_seek(w, 0);
    world_append_random(w, LOG_EVENTS);
    assert_seek(w, INT64_MIN);
    assert_seek(w, INT64_MAX);
    for (size_t i = 0; i < w->n; i++) {
        assert_seek(w, w->model[i]->time_ns - 1);
        assert_seek(w, w->model[i]->time_ns);
        assert_seek(w, w->model[i]->time_ns + 1);
    }
}

const struct rlog_case rlog_read_cases[] = {
    RLOG_CASE(a_cursor_gives_each_event_once_in_order),
    RLOG_CASE(every_range_gives_what_a_naive_filter_gives),
    RLOG_CASE(the_shards_together_are_the_whole_and_share_no_key),
    RLOG_CASE(a_cursor_at_the_tail_waits_and_goes_on),
    RLOG_CASE(a_cursor_whose_end_is_not_yet_there_waits_and_then_ends_for_ever),
    RLOG_CASE(a_cursor_per_key_stands_still_at_its_opening),
    RLOG_CASE(cursors_do_not_disturb_one_another),
    RLOG_CASE(a_range_that_makes_no_sense_is_refused),
    RLOG_CASE(last_gives_the_newest_event_below_every_offset),
    RLOG_CASE(last_of_a_key_that_never_was_is_not_found),
    RLOG_CASE(what_last_found_outlives_the_log),
    RLOG_CASE(history_gives_all_events_of_one_key),
    RLOG_CASE(a_key_that_looks_like_a_cut_one_is_another_key),
    RLOG_CASE(a_history_ends_where_the_log_ended_at_its_opening),
    RLOG_CASE(seek_gives_the_first_event_at_or_after_every_time),
};
const size_t rlog_read_cases_n = sizeof(rlog_read_cases) / sizeof(rlog_read_cases[0]);

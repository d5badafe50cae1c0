/* The log as a whole: closing, crashing, upkeep, trim and other handles. */
#include "tests/conformance/rlog_suite_priv.h"

#include "core/state.h"

static void I2_an_acknowledged_append_is_there_after_a_crash(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        world_append_random(w, 7);
        w->backend->crash(w->place, w->log);
        w->log = NULL;
        world_open(w);
        assert_whole(w, w->log);
    }
}

static void a_log_is_the_same_after_it_was_closed(void **state)
{
    struct world *w = *state;
    world_reopen(w); /* also when it is empty */
    assert_whole(w, w->log);
    for (int i = 0; i < 4; i++) {
        world_append_random(w, 30);
        world_reopen(w);
        assert_whole(w, w->log);
    }
}

static void a_second_handle_sees_each_append_at_once(void **state)
{
    struct world *w = *state;
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    const struct rlog_range all = {.all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(reader, &all);
    assert_range(w, it, &all, RC_AGAIN);
    for (int i = 0; i < 12; i++) {
        const struct rlog_range news = {.from = world_next(w), .all_keys = true};
        world_append_random(w, 6);
        if (i % 4 == 3)
            world_maintain(w);
        assert_bounds(w, reader);
        assert_range(w, it, &news, RC_AGAIN);
        AUTO(rlog_found_done) struct rlog_found found = {0};
        struct err e = ERR_INIT;
        const struct event *newest = w->model[w->n - 1];
        assert_int_equal(rlog_last(reader, newest->key, 0, &found, &e), RC_OK);
        assert_same_event(&found.event, newest);
        rlog_off at = 0;
        assert_int_equal(rlog_seek(reader, newest->time_ns + 1, &at, &e), RC_OK);
        assert_int_equal(at, world_next(w));
    }
}

static void a_reader_goes_on_when_another_writer_takes_the_log(void **state)
{
    struct world *w = *state;
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    for (int i = 0; i < 3; i++) {
        world_append_random(w, 4);
        world_reopen(w);
        world_append_random(w, 4);
        assert_whole(w, reader);
    }
}

static void upkeep_changes_no_answer(void **state)
{
    struct world *w = *state;
    world_maintain(w);
    assert_whole(w, w->log);
    for (int i = 0; i < 4; i++) {
        world_append_random(w, 70);
        world_maintain(w);
        assert_whole(w, w->log);
        for (int mode = RLOG_EVERY; mode <= RLOG_LIVE; mode++) {
            const struct rlog_range range = {
                .until = world_next(w), .all_keys = true, .mode = (enum rlog_mode)mode};
            AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &range);
            assert_range(w, it, &range, RC_END);
        }
    }
}

static void digest_of(struct rlog *l, rlog_off until, enum rlog_mode mode, uint8_t *out)
{
    const struct rlog_range range = {.until = until, .all_keys = true, .mode = mode};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(l, &range);
    AUTO(state_freep) struct state *s = state_new();
    struct err e = ERR_INIT;
    assert_non_null(s);
    assert_int_equal(state_fold(s, it, &e), RC_OK);
    assert_int_equal(state_digest(s, out, &e), RC_OK);
}

static void I12_every_prefix_folds_to_the_same_bytes_in_every_mode_and_after_reopening(void **state)
{
    struct world *w = *state;
    world_append_random(w, 120);
    AUTO(state_freep) struct state *model = state_new();
    uint8_t expected[120][SHA256_SIZE], found[SHA256_SIZE];
    struct err e = ERR_INIT;
    for (rlog_off until = 2; until <= world_next(w); until++) {
        assert_int_equal(state_apply(model, w->model[until - 2], &e), RC_OK);
        assert_int_equal(state_digest(model, expected[until - 2], &e), RC_OK);
    }
    for (int reopened = 0; reopened < 2; reopened++) {
        for (rlog_off until = 2; until <= world_next(w); until++) {
            for (int mode = RLOG_EVERY; mode <= RLOG_LIVE; mode++) {
                digest_of(w->log, until, (enum rlog_mode)mode, found);
                assert_memory_equal(found, expected[until - 2], SHA256_SIZE);
            }
        }
        world_reopen(w);
    }
}

/* Fills the log with single events until trim can forget something. */
static void fill_for_trim(struct world *w)
{
    if (w->backend->trim_events == 0)
        skip();
    for (unsigned i = 0; i < w->backend->trim_events; i++)
        world_append_random(w, 1);
    world_maintain(w);
}

static void trim(struct world *w, rlog_off below)
{
    struct err e = ERR_INIT;
    assert_int_equal(rlog_trim(w->log, below, &e), RC_OK);
}

static void trim_forgets_only_what_lies_below(void **state)
{
    struct world *w = *state;
    fill_for_trim(w);
    trim(w, 0);
    trim(w, 1);
    assert_int_equal(bounds_of(w->log).first, 1);
    rlog_off before = 1;
    for (rlog_off below = 2; below <= world_next(w); below += 5) {
        trim(w, below);
        rlog_off first = bounds_of(w->log).first;
        assert_true(first >= before && first <= below);
        assert_whole(w, w->log);
        before = first;
    }
    assert_true(before > 1);
    trim(w, 1); /* what is gone stays gone, and the rest stays */
    assert_int_equal(bounds_of(w->log).first, before);
    trim(w, UINT64_MAX);
    assert_whole(w, w->log);
    world_append_random(w, 5); /* offsets and chain go on */
    assert_whole(w, w->log);
    rlog_off first = bounds_of(w->log).first;
    world_reopen(w);
    assert_int_equal(bounds_of(w->log).first, first);
    assert_whole(w, w->log);
}

static void what_was_trimmed_is_expired_and_never_silently_skipped(void **state)
{
    struct world *w = *state;
    fill_for_trim(w);
    trim(w, w->backend->trim_events / 2);
    rlog_off first = bounds_of(w->log).first;
    assert_true(first > 1);
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    for (int mode = RLOG_EVERY; mode <= RLOG_LIVE; mode++) {
        const struct rlog_range lost = {.from = first - 1, .mode = (enum rlog_mode)mode};
        assert_failed(rlog_cursor(w->log, &lost, &it, &e), RC_EXPIRED, ERR_RESYNC, &e);
        const struct rlog_range from_one = {.mode = (enum rlog_mode)mode};
        assert_failed(rlog_cursor(w->log, &from_one, &it, &e), RC_EXPIRED, ERR_RESYNC, &e);
    }
    struct rlog_found found = {0};
    struct slice key = random_key(0);
    assert_failed(rlog_history(w->log, key, 0, 0, &it, &e), RC_EXPIRED, ERR_RESYNC, &e);
    assert_failed(rlog_last(w->log, key, first, &found, &e), RC_EXPIRED, ERR_RESYNC, &e);
    assert_failed(rlog_last(w->log, key, 1, &found, &e), RC_EXPIRED, ERR_RESYNC, &e);
    rlog_off at = 0;
    assert_int_equal(rlog_seek(w->log, INT64_MIN, &at, &e), RC_OK);
    assert_int_equal(at, first);
    assert_null(it);
}

static void a_cursor_that_trim_overtakes_expires_for_ever(void **state)
{
    struct world *w = *state;
    fill_for_trim(w);
    const struct rlog_range all = {.all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &all);
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(event_iter_next(it, &ev, &e), RC_OK);
    trim(w, w->backend->trim_events / 2);
    enum rc rc = RC_OK;
    rlog_off seen = 1;
    while ((rc = event_iter_next(it, &ev, &e)) == RC_OK) /* what it had read ahead may still come */
        assert_int_equal(ev->offset, ++seen);
    assert_failed(rc, RC_EXPIRED, ERR_RESYNC, &e);
    assert_true(seen < bounds_of(w->log).first);
    e = (struct err)ERR_INIT;
    assert_failed(event_iter_next(it, &ev, &e), RC_EXPIRED, ERR_RESYNC, &e);
}

const struct rlog_case rlog_whole_cases[] = {
    RLOG_CASE(I2_an_acknowledged_append_is_there_after_a_crash),
    RLOG_CASE(a_log_is_the_same_after_it_was_closed),
    RLOG_CASE(a_second_handle_sees_each_append_at_once),
    RLOG_CASE(a_reader_goes_on_when_another_writer_takes_the_log),
    RLOG_CASE(upkeep_changes_no_answer),
    RLOG_CASE(I12_every_prefix_folds_to_the_same_bytes_in_every_mode_and_after_reopening),
    RLOG_CASE(trim_forgets_only_what_lies_below),
    RLOG_CASE(what_was_trimmed_is_expired_and_never_silently_skipped),
    RLOG_CASE(a_cursor_that_trim_overtakes_expires_for_ever),
};
const size_t rlog_whole_cases_n = sizeof(rlog_whole_cases) / sizeof(rlog_whole_cases[0]);

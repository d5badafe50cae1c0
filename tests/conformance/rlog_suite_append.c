/* Appending: all or nothing, fences, what the log gives to an event, limits. */
#include "tests/conformance/rlog_suite_priv.h"

#include "core/event_codec.h"

static void an_empty_log_starts_at_offset_one(void **state)
{
    struct world *w = *state;
    struct rlog_bounds b = bounds_of(w->log);
    assert_int_equal(b.first, 1);
    assert_int_equal(b.next, 1);
    assert_true(b.last_time_ns == 0);
    assert_bounds(w, w->log); /* the chain of nothing is zeros */
    assert_whole(w, w->log);
}

static void the_id_of_a_log_stays(void **state)
{
    static const uint8_t none[RLOG_ID_SIZE];
    struct world *w = *state;
    struct event ev = put_of("a");
    struct rlog_bounds first = bounds_of(w->log);
    assert_memory_not_equal(first.id, none, RLOG_ID_SIZE);
    world_append(w, &ev, 1);
    assert_memory_equal(bounds_of(w->log).id, first.id, RLOG_ID_SIZE);
    struct rlog *reader = world_open_reader(w);
    assert_memory_equal(bounds_of(reader).id, first.id, RLOG_ID_SIZE);
    rlog_close(reader);
    world_reopen(w);
    assert_memory_equal(bounds_of(w->log).id, first.id, RLOG_ID_SIZE);
}

static void offsets_are_dense_whatever_the_batches(void **state)
{
    struct world *w = *state;
    struct event batch[] = {put_of("a"), put_of("b"), delete_of("a"), put_of("a")};
    world_append(w, batch, 1);
    world_append(w, batch, 4);
    world_append(w, batch + 1, 2);
    assert_int_equal(w->n, 7);
    assert_whole(w, w->log);
}

static void what_the_caller_put_into_the_logs_own_fields_is_ignored(void **state)
{
    struct world *w = *state;
    struct event ev = put_of("a");
    ev.offset = 99;
    ev.epoch = 99;
    ev.time_ns = 99;
    world_append(w, &ev, 1);
    assert_whole(w, w->log);
}

static void an_event_comes_back_with_every_field(void **state)
{
    struct world *w = *state;
    struct event full = {.incarnation = UINT64_MAX,
                         .wall_ns = INT64_MIN,
                         .op = EVENT_DELETE,
                         .cause = CAUSE_RESTORE,
                         .source_kind = SOURCE_ZOOKEEPER,
                         .source = SLICE("s"),
                         .key = SLICE("/z\0k"),
                         .version = SLICE("v"),
                         .uid = SLICE("u"),
                         .api_version = SLICE("a/v1"),
                         .kind = SLICE("K"),
                         .manager = SLICE("m"),
                         .user = SLICE("w"),
                         .body = SLICE("\0\xff\n")};
    struct event bare = {.op = EVENT_GAP,
                         .cause = CAUSE_SELF,
                         .source_kind = SOURCE_KUBERNETES,
                         .key = SLICE("@gap/")};
    world_append(w, &full, 1);
    world_append(w, &bare, 1);
    assert_whole(w, w->log);
    world_reopen(w);
    assert_whole(w, w->log);
}

static void I9_a_wrong_expected_offset_changes_nothing(void **state)
{
    struct world *w = *state;
    struct event ev = put_of("a");
    world_append_random(w, 5);
    const rlog_off wrong[] = {1, world_next(w) - 1, world_next(w) + 1, UINT64_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct err e = ERR_INIT;
        rlog_off first = 77;
        enum rc rc = rlog_append(w->log, &ev, 1, wrong[i], &first, &e);
        assert_failed(rc, RC_CONFLICT, ERR_FATAL, &e);
        assert_int_equal(first, 77);
        assert_whole(w, w->log);
    }
    world_append(w, &ev, 1);
    assert_whole(w, w->log);
}

static void an_append_that_expects_nothing_goes_to_the_end(void **state)
{
    struct world *w = *state;
    world_append_random(w, 5);
    struct event ev = put_of("a");
    struct err e = ERR_INIT;
    rlog_off first = 0;
    assert_int_equal(rlog_append(w->log, &ev, 1, RLOG_ANY, &first, &e), RC_OK);
    assert_int_equal(first, 6);
    assert_int_equal(rlog_append(w->log, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
    assert_int_equal(bounds_of(w->log).next, 8);
}

/* A writer that was replaced, or where the back end refuses a second writer, that one. */
static void I9_only_one_writer_can_append(void **state)
{
    struct world *w = *state;
    world_append_random(w, 3);
    struct rlog *second = NULL;
    struct err e = ERR_INIT;
    enum rc rc = w->backend->open(w->place, RLOG_WRITE, &second, &e);
    if (!w->backend->takes_over) {
        assert_failed(rc, RC_CONFLICT, ERR_FATAL, &e);
        assert_null(second);
        world_append_random(w, 3);
        assert_whole(w, w->log);
        return;
    }
    assert_int_equal(rc, RC_OK);
    struct rlog *stale = w->log;
    w->log = second;
    assert_true(bounds_of(second).epoch > w->epoch);
    w->epoch = bounds_of(second).epoch;
    struct event ev = put_of("a");
    assert_failed(rlog_append(stale, &ev, 1, world_next(w), NULL, &e), RC_CONFLICT, ERR_FATAL, &e);
    assert_failed(rlog_append(stale, &ev, 1, RLOG_ANY, NULL, &e), RC_CONFLICT, ERR_FATAL, &e);
    assert_failed(rlog_trim(stale, 2, &e), RC_CONFLICT, ERR_FATAL, &e);
    assert_failed(rlog_maintain(stale, &e), RC_CONFLICT, ERR_FATAL, &e);
    assert_whole(w, second);
    world_append_random(w, 3);
    assert_whole(w, stale); /* it can still read */
    rlog_close(stale);
}

static void each_writer_has_a_higher_epoch_and_its_events_carry_it(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 4; i++) {
        world_append_random(w, 2);
        world_reopen(w); /* asserts that the epoch rises */
    }
    world_reopen(w); /* also when the writer before it wrote nothing */
    world_append_random(w, 1);
    assert_whole(w, w->log);
}

static void time_never_goes_backwards(void **state)
{
    struct world *w = *state;
    struct event ev = put_of("a");
    const int64_t walls[] = {T0 + 100, T0 + 50, T0 + 99, T0 + 101, T0 - NS_PER_S, T0 + 102};
    const int64_t times[] = {T0 + 100, T0 + 100, T0 + 100, T0 + 101, T0 + 101, T0 + 102};
    for (size_t i = 0; i < 6; i++) {
        fake_clock_set_wall(&w->clock, walls[i]);
        ev.wall_ns = walls[i];
        world_append(w, &ev, 1);
        assert_true(bounds_of(w->log).last_time_ns == times[i]);
    }
    fake_clock_set_wall(&w->clock, 5);
    world_reopen(w);
    char body[CLOCK_BODY_MAX];
    world_append_at(w, &ev, 1, T0 + 102, clock_body("behind-at-open", T0 + 102, 5, body));
    assert_true(bounds_of(w->log).last_time_ns == T0 + 102);
    assert_whole(w, w->log);
}

static void a_batch_with_one_bad_event_changes_nothing(void **state)
{
    struct world *w = *state;
    world_append_random(w, 3);
    struct event batch[] = {put_of("a"), put_of("b"), put_of("")};
    struct err e = ERR_INIT;
    rlog_off first = 77;
    enum rc rc = rlog_append(w->log, batch, 3, world_next(w), &first, &e);
    assert_failed(rc, RC_INVALID, ERR_FINAL, &e);
    batch[2] = put_of("c");
    batch[2].op = (enum event_op)0;
    rc = rlog_append(w->log, batch, 3, world_next(w), &first, &e);
    assert_failed(rc, RC_INVALID, ERR_FINAL, &e);
    rc = rlog_append(w->log, batch, 0, world_next(w), &first, &e);
    assert_failed(rc, RC_INVALID, ERR_FINAL, &e);
    assert_int_equal(first, 77);
    assert_whole(w, w->log);
}

static void I10_the_largest_batch_passes_and_one_event_more_does_not(void **state)
{
    struct world *w = *state;
    static struct event batch[EVENT_BATCH_MAX + 1];
    for (size_t i = 0; i <= EVENT_BATCH_MAX; i++)
        batch[i] = put_of(i % 2 ? "a" : "b");
    struct err e = ERR_INIT;
    enum rc rc = rlog_append(w->log, batch, EVENT_BATCH_MAX + 1, 1, NULL, &e);
    assert_failed(rc, RC_LIMIT, ERR_FINAL, &e);
    assert_whole(w, w->log);
    world_append(w, batch, EVENT_BATCH_MAX);
    assert_whole(w, w->log);
    world_reopen(w);
    assert_whole(w, w->log);
}

static void I10_the_most_bytes_of_a_batch_pass_and_one_byte_more_does_not(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *bytes = calloc(1, EVENT_BODY_MAX);
    struct event batch[] = {put_of("a"), put_of("b")};
    batch[0].body = batch[1].body = slice_of(bytes, 0);
    size_t spare =
        EVENT_BATCH_BYTES_MAX - event_encoded_size(&batch[0]) - event_encoded_size(&batch[1]);
    batch[0].body.n = spare / 2;
    batch[1].body.n = spare - spare / 2 + 1;
    struct err e = ERR_INIT;
    assert_failed(rlog_append(w->log, batch, 2, 1, NULL, &e), RC_LIMIT, ERR_FINAL, &e);
    assert_whole(w, w->log);
    batch[1].body.n--;
    world_append(w, batch, 2);
    assert_whole(w, w->log);
}

static void I10_the_largest_event_passes_and_one_byte_more_does_not(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *bytes = calloc(1, EVENT_BODY_MAX + 1);
    memset(bytes, 'k', EVENT_TEXT_MAX + 1);
    struct event ev = put_of("");
    ev.key = ev.source = ev.version = ev.uid = slice_of(bytes, EVENT_TEXT_MAX);
    ev.api_version = ev.kind = ev.manager = ev.user = ev.key;
    ev.body = slice_of(bytes, EVENT_BODY_MAX + 1);
    struct err e = ERR_INIT;
    assert_failed(rlog_append(w->log, &ev, 1, 1, NULL, &e), RC_LIMIT, ERR_FINAL, &e);
    ev.body.n--;
    ev.key.n++;
    assert_failed(rlog_append(w->log, &ev, 1, 1, NULL, &e), RC_LIMIT, ERR_FINAL, &e);
    assert_whole(w, w->log);
    ev.key.n--;
    world_append(w, &ev, 1);
    assert_whole(w, w->log);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    assert_int_equal(rlog_last(w->log, ev.key, 0, &found, &e), RC_OK);
    assert_same_event(&found.event, w->model[0]);
}

static void a_log_opened_for_reading_changes_nothing(void **state)
{
    struct world *w = *state;
    world_append_random(w, 3);
    AUTO(rlog_closep) struct rlog *reader = world_open_reader(w);
    struct event ev = put_of("a");
    struct err e = ERR_INIT;
    assert_failed(rlog_append(reader, &ev, 1, RLOG_ANY, NULL, &e), RC_DENIED, ERR_FINAL, &e);
    assert_failed(rlog_trim(reader, 3, &e), RC_DENIED, ERR_FINAL, &e);
    assert_failed(rlog_maintain(reader, &e), RC_DENIED, ERR_FINAL, &e);
    world_append_random(w, 3); /* and took nothing over */
    assert_whole(w, reader);
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

static void every_listener_hears_each_append_once_and_no_failure(void **state)
{
    struct world *w = *state;
    int a = 0, b = 0;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_on_append(w->log, count_call, &a, &e), RC_OK);
    world_append_random(w, 1);
    assert_int_equal(rlog_on_append(w->log, count_call, &b, &e), RC_OK);
    struct event batch[] = {put_of("a"), put_of("b")};
    world_append(w, batch, 2);
    assert_int_equal(rlog_append(w->log, batch, 2, 1, NULL, &e), RC_CONFLICT);
    assert_int_equal(rlog_append(w->log, batch, 0, RLOG_ANY, NULL, &e), RC_INVALID);
    assert_int_equal(a, 2);
    assert_int_equal(b, 1);
}

const struct rlog_case rlog_append_cases[] = {
    RLOG_CASE(an_empty_log_starts_at_offset_one),
    RLOG_CASE(the_id_of_a_log_stays),
    RLOG_CASE(offsets_are_dense_whatever_the_batches),
    RLOG_CASE(what_the_caller_put_into_the_logs_own_fields_is_ignored),
    RLOG_CASE(an_event_comes_back_with_every_field),
    RLOG_CASE(I9_a_wrong_expected_offset_changes_nothing),
    RLOG_CASE(an_append_that_expects_nothing_goes_to_the_end),
    RLOG_CASE(I9_only_one_writer_can_append),
    RLOG_CASE(each_writer_has_a_higher_epoch_and_its_events_carry_it),
    RLOG_CASE(time_never_goes_backwards),
    RLOG_CASE(a_batch_with_one_bad_event_changes_nothing),
    RLOG_CASE(I10_the_largest_batch_passes_and_one_event_more_does_not),
    RLOG_CASE(I10_the_most_bytes_of_a_batch_pass_and_one_byte_more_does_not),
    RLOG_CASE(I10_the_largest_event_passes_and_one_byte_more_does_not),
    RLOG_CASE(a_log_opened_for_reading_changes_nothing),
    RLOG_CASE(every_listener_hears_each_append_once_and_no_failure),
};
const size_t rlog_append_cases_n = sizeof(rlog_append_cases) / sizeof(rlog_append_cases[0]);

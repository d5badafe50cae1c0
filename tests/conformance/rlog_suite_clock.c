/* Jumps of the wall clock: which time the events get, and the clock events that the log writes itself. */
#include "tests/conformance/rlog_suite_priv.h"

#define HOUR (3600 * NS_PER_S)
#define DAY  (24 * HOUR)
#define S    NS_PER_S

static void jump(struct world *w, int64_t by_ns)
{
    fake_clock_set_wall(&w->clock, w->clock.wall_ns + by_ns);
}

/* One put `after_ns` later, as world_append_at. */
static void put_at(struct world *w, int64_t after_ns, int64_t time_ns, const char *body)
{
    struct event ev = put_of("a");
    fake_clock_advance(&w->clock, after_ns);
    world_append_at(w, &ev, 1, time_ns, body);
}

/* A log whose clock jumped by `by` and was believed a minute later: the event of T0, two in doubt, the clock event and
 * two more puts in the offsets 4 to 6. */
static void believe(struct world *w, int64_t by, int64_t time_ns, const char *body)
{
    put_at(w, 0, T0, NULL);
    jump(w, by);
    put_at(w, 10 * S, T0 + 10 * S, NULL);
    put_at(w, 59 * S, T0 + 69 * S, NULL);
    struct event batch[] = {put_of("b"), delete_of("a")};
    fake_clock_advance(&w->clock, S);
    world_append_at(w, batch, 2, time_ns, body);
    assert_int_equal(w->n, 6);
}

/* By two days, so that a back end that rolls by age rolls here. */
static void believe_two_days(struct world *w)
{
    char body[CLOCK_BODY_MAX];
    believe(w, 2 * DAY, T0 + 70 * S + 2 * DAY,
            clock_body("forward", T0 + 70 * S, T0 + 70 * S + 2 * DAY, body));
}

static void a_jump_forward_is_believed_after_a_minute_and_is_an_event(void **state)
{
    struct world *w = *state;
    believe_two_days(w);
    assert_whole(w, w->log);
    world_append_random(w, 20); /* the next section follows the clock */
    assert_whole(w, w->log);
    world_reopen(w);
    assert_whole(w, w->log);
}

static void a_jump_that_is_put_right_within_a_minute_leaves_no_trace(void **state)
{
    struct world *w = *state;
    put_at(w, 0, T0, NULL);
    jump(w, 2 * DAY);
    put_at(w, 10 * S, T0 + 10 * S, NULL);
    jump(w, -2 * DAY);
    put_at(w, 10 * S, T0 + 20 * S, NULL);
    put_at(w, 100 * S, T0 + 120 * S, NULL);
    assert_whole(w, w->log);
}

static void after_a_jump_backward_time_stands_still_and_an_event_says_it(void **state)
{
    struct world *w = *state;
    char body[CLOCK_BODY_MAX];
    believe(w, -HOUR, T0 + 69 * S, clock_body("backward", T0 + 70 * S, T0 + 70 * S - HOUR, body));
    put_at(w, 10 * S, T0 + 69 * S, NULL);
    put_at(w, HOUR, T0 + 80 * S, NULL); /* the clock has caught up */
    assert_whole(w, w->log);
}

static void a_wrong_jump_that_was_believed_does_not_make_time_fall(void **state)
{
    struct world *w = *state;
    believe_two_days(w);
    const int64_t last = T0 + 70 * S + 2 * DAY;
    char body[CLOCK_BODY_MAX];
    jump(w, -2 * DAY);
    put_at(w, 10 * S, last + 10 * S, NULL);
    put_at(w, 60 * S, last + 10 * S,
           clock_body("backward", last + 70 * S, last + 70 * S - 2 * DAY, body));
    put_at(w, DAY, last + 10 * S, NULL);
    assert_whole(w, w->log);
    world_reopen(w); /* still behind */
    put_at(w, 0, last + 10 * S,
           clock_body("behind-at-open", last + 10 * S, T0 + 140 * S + DAY, body));
    put_at(w, DAY, T0 + 140 * S + 2 * DAY, NULL);
    assert_whole(w, w->log);
}

static void at_open_a_clock_behind_the_log_is_an_event_of_the_first_append(void **state)
{
    struct world *w = *state;
    put_at(w, 0, T0, NULL);
    for (int i = 0; i < 3; i++) {
        fake_clock_set_wall(&w->clock, T0 - S);
        world_reopen(w);
        assert_whole(w, w->log); /* opening writes nothing */
        char body[CLOCK_BODY_MAX];
        put_at(w, 0, T0, clock_body("behind-at-open", T0, T0 - S, body));
        put_at(w, 0, T0, NULL);
        assert_whole(w, w->log);
    }
    world_reopen(w);
    put_at(w, 2 * S, T0 + S, NULL); /* caught up before the first append */
    w->backend->crash(w->place, w->log);
    w->log = NULL;
    fake_clock_set_wall(&w->clock, T0 + 5 * S);
    world_open(w);
    put_at(w, 0, T0 + 5 * S, NULL);
    assert_whole(w, w->log);
}

static void an_append_that_fails_takes_no_clock_event_along(void **state)
{
    struct world *w = *state;
    put_at(w, 0, T0, NULL);
    jump(w, HOUR);
    put_at(w, 0, T0, NULL);
    fake_clock_advance(&w->clock, 60 * S);
    struct event ev = put_of("a"), bad = put_of("");
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(rlog_append(w->log, &ev, 1, 9, NULL, &e), RC_CONFLICT);
        assert_int_equal(rlog_append(w->log, &bad, 1, 3, NULL, &e), RC_INVALID);
        assert_whole(w, w->log);
    }
    char body[CLOCK_BODY_MAX];
    put_at(w, 0, T0 + HOUR + 60 * S, clock_body("forward", T0 + 60 * S, T0 + HOUR + 60 * S, body));
    assert_whole(w, w->log);
}

static void I10_a_batch_without_room_leaves_the_clock_event_to_the_next(void **state)
{
    struct world *w = *state;
    static struct event batch[EVENT_BATCH_MAX];
    for (size_t i = 0; i < EVENT_BATCH_MAX; i++)
        batch[i] = put_of(i % 2 ? "a" : "b");
    put_at(w, 0, T0, NULL);
    jump(w, HOUR);
    put_at(w, 0, T0, NULL);
    fake_clock_advance(&w->clock, 60 * S);
    world_append_at(w, batch, EVENT_BATCH_MAX, T0 + 60 * S, NULL);
    char body[CLOCK_BODY_MAX];
    world_append_at(w, batch, EVENT_BATCH_MAX - 1, T0 + HOUR + 60 * S,
                    clock_body("forward", T0 + 60 * S, T0 + HOUR + 60 * S, body));
    assert_whole(w, w->log);
    world_reopen(w);
    assert_whole(w, w->log);
}

static void seek_finds_its_way_over_a_clock_event(void **state)
{
    struct world *w = *state;
    believe_two_days(w);
    const struct {
        int64_t time_ns;
        rlog_off at;
    } rows[] = {{T0, 1},          {T0 + 10 * S, 2},           {T0 + 69 * S, 3},
                {T0 + 70 * S, 4}, /* the section that nobody saw begins with the clock event */
                {T0 + DAY, 4},    {T0 + 70 * S + 2 * DAY, 4}, {T0 + 71 * S + 2 * DAY, 7}};
    for (int opened = 0; opened < 2; opened++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            rlog_off at = 0;
            struct err e = ERR_INIT;
            assert_int_equal(rlog_seek(w->log, rows[i].time_ns, &at, &e), RC_OK);
            assert_int_equal(at, rows[i].at);
        }
        world_maintain(w);
        world_reopen(w);
    }
}

static void a_clock_event_is_hidden_from_the_fold_of_objects(void **state)
{
    struct world *w = *state;
    believe_two_days(w);
    const struct rlog_range ranges[] = {{.from = 1, .mode = RLOG_LIVE},
                                        {.from = 1, .mode = RLOG_LIVE, .all_keys = true},
                                        {.from = 1, .mode = RLOG_LIVE, .prefix = SLICE("@clock/")}};
    for (size_t i = 0; i < 3; i++) {
        AUTO(event_iter_freep) struct event_iter *it = open_cursor(w->log, &ranges[i]);
        assert_range(w, it, &ranges[i], RC_END);
    }
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_last(w->log, SLICE("@clock/log"), 0, &found, &e), RC_OK);
    assert_same_event(&found.event, w->model[3]);
}

const struct rlog_case rlog_clock_cases[] = {
    RLOG_CASE(a_jump_forward_is_believed_after_a_minute_and_is_an_event),
    RLOG_CASE(a_jump_that_is_put_right_within_a_minute_leaves_no_trace),
    RLOG_CASE(after_a_jump_backward_time_stands_still_and_an_event_says_it),
    RLOG_CASE(a_wrong_jump_that_was_believed_does_not_make_time_fall),
    RLOG_CASE(at_open_a_clock_behind_the_log_is_an_event_of_the_first_append),
    RLOG_CASE(an_append_that_fails_takes_no_clock_event_along),
    RLOG_CASE(I10_a_batch_without_room_leaves_the_clock_event_to_the_next),
    RLOG_CASE(seek_finds_its_way_over_a_clock_event),
    RLOG_CASE(a_clock_event_is_hidden_from_the_fold_of_objects),
};
const size_t rlog_clock_cases_n = sizeof(rlog_clock_cases) / sizeof(rlog_clock_cases[0]);

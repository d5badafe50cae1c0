/* log/rlog_clock: which time a log gives while the wall clock jumps (tables written by hand), and the clock event. */
#include "log/rlog_clock.h"

#include "core/event_codec.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#define T0   (1700000000 * NS_PER_S)
#define BOOT (5000 * NS_PER_S)
#define FULL false /* a batch without room for the clock event */
#define ROOM true

/* One append. Seconds: boot clock since the opening, the others since T0. */
struct step {
    int64_t boot, wall;
    bool room;
    int64_t time;
    enum rlog_clock_news news;
    int64_t old; /* of news */
};

static struct rlog_clock_now now_of(int64_t boot, int64_t wall, int64_t last)
{
    return (struct rlog_clock_now){.wall_ns = T0 + wall * NS_PER_S,
                                   .boot_ns = BOOT + boot * NS_PER_S,
                                   .last_ns = T0 + last * NS_PER_S};
}

/* The log is opened when the boot clock is 0, the wall clock `wall` and the last event's time `last`. */
static void walk(int64_t wall, int64_t last, const struct step *steps, size_t n)
{
    const struct rlog_clock_now opening = now_of(0, wall, last);
    struct rlog_clock c = rlog_clock_start(&opening);
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];
        const struct rlog_clock_now now = now_of(s->boot, s->wall, last);
        struct rlog_clock_told t = rlog_clock_tell(&c, &now, s->room);
        int64_t time = (t.time_ns - T0) / NS_PER_S, old = (t.old_ns - T0) / NS_PER_S;
        if (time != s->time || t.news != s->news || (s->news && old != s->old))
            fail_msg("step %zu: time %lld, news %d, old %lld", i, (long long)time, (int)t.news,
                     (long long)old);
        last = s->time;
        c = t.next;
    }
}
#define WALK(wall, last, ...)                                                                      \
    walk((wall), (last), (const struct step[]){__VA_ARGS__},                                       \
         sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void while_the_clocks_agree_time_is_the_wall_clock(void **state)
{
    (void)state;
    WALK(0, -100, {0, 0, ROOM, 0, RLOG_CLOCK_NONE, 0}, {10, 10, ROOM, 10, RLOG_CLOCK_NONE, 0},
         {90000, 90000, ROOM, 90000, RLOG_CLOCK_NONE, 0});
}

static void up_to_five_minutes_forward_are_believed_at_once(void **state)
{
    (void)state;
    WALK(0, 0, {10, 310, ROOM, 310, RLOG_CLOCK_NONE, 0}, {20, 620, ROOM, 620, RLOG_CLOCK_NONE, 0},
         {30, 931, ROOM, 630, RLOG_CLOCK_NONE, 0} /* 301 s at once are a jump */);
}

static void up_to_five_minutes_backward_time_stands_still_without_an_event(void **state)
{
    (void)state;
    WALK(0, 0, {400, 400, ROOM, 400, RLOG_CLOCK_NONE, 0}, {410, 110, ROOM, 400, RLOG_CLOCK_NONE, 0},
         {500, 200, ROOM, 400, RLOG_CLOCK_NONE, 0}, {700, 400, ROOM, 400, RLOG_CLOCK_NONE, 0},
         {701, 401, ROOM, 401, RLOG_CLOCK_NONE, 0});
}

static void a_jump_forward_is_believed_after_sixty_seconds_with_an_event(void **state)
{
    (void)state;
    WALK(0, 0, {10, 10, ROOM, 10, RLOG_CLOCK_NONE, 0}, {20, 3620, ROOM, 20, RLOG_CLOCK_NONE, 0},
         {79, 3679, ROOM, 79, RLOG_CLOCK_NONE, 0}, {80, 3680, ROOM, 3680, RLOG_CLOCK_FORWARD, 80},
         {81, 3681, ROOM, 3681, RLOG_CLOCK_NONE, 0});
}

static void the_sixty_seconds_begin_at_the_append_that_sees_the_jump(void **state)
{
    (void)state;
    WALK(0, 0, {10, 10, ROOM, 10, RLOG_CLOCK_NONE, 0}, {5000, 9000, ROOM, 5000, RLOG_CLOCK_NONE, 0},
         {9000, 13000, ROOM, 13000, RLOG_CLOCK_FORWARD, 9000});
}

static void a_jump_put_right_within_sixty_seconds_leaves_no_trace(void **state)
{
    (void)state;
    WALK(0, 0, {10, 10, ROOM, 10, RLOG_CLOCK_NONE, 0}, {20, 86420, ROOM, 20, RLOG_CLOCK_NONE, 0},
         {50, 51, ROOM, 51, RLOG_CLOCK_NONE, 0}, {60, -9000, ROOM, 61, RLOG_CLOCK_NONE, 0},
         {70, 71, ROOM, 71, RLOG_CLOCK_NONE, 0});
}

static void a_jump_that_comes_back_is_in_doubt_anew(void **state)
{
    (void)state;
    WALK(0, 0, {10, 86410, ROOM, 10, RLOG_CLOCK_NONE, 0}, {60, 60, ROOM, 60, RLOG_CLOCK_NONE, 0},
         {65, 86465, ROOM, 65, RLOG_CLOCK_NONE, 0}, {80, 86480, ROOM, 80, RLOG_CLOCK_NONE, 0},
         {125, 86525, ROOM, 86525, RLOG_CLOCK_FORWARD, 125});
}

static void another_jump_in_doubt_begins_its_own_sixty_seconds(void **state)
{
    (void)state;
    WALK(0, 0, {10, 1010, ROOM, 10, RLOG_CLOCK_NONE, 0},
         {60, 1160, ROOM, 60, RLOG_CLOCK_NONE, 0} /* 100 s more: the same one */,
         {69, 5069, ROOM, 69, RLOG_CLOCK_NONE, 0}, {70, 5070, ROOM, 70, RLOG_CLOCK_NONE, 0},
         {129, 5129, ROOM, 5129, RLOG_CLOCK_FORWARD, 129});
}

static void after_a_jump_backward_time_stands_still_until_the_clock_is_there(void **state)
{
    (void)state;
    WALK(0, 0, {1000, 1000, ROOM, 1000, RLOG_CLOCK_NONE, 0},
         {1010, 10, ROOM, 1010, RLOG_CLOCK_NONE, 0}, {1050, 50, ROOM, 1050, RLOG_CLOCK_NONE, 0},
         {1070, 70, ROOM, 1050, RLOG_CLOCK_BACKWARD, 1070},
         {1080, 80, ROOM, 1050, RLOG_CLOCK_NONE, 0}, {2050, 1050, ROOM, 1050, RLOG_CLOCK_NONE, 0},
         {2051, 1051, ROOM, 1051, RLOG_CLOCK_NONE, 0});
}

static void a_believed_jump_that_was_wrong_is_put_right_by_a_second_event(void **state)
{
    (void)state;
    WALK(0, 0, {10, 86410, ROOM, 10, RLOG_CLOCK_NONE, 0},
         {70, 86470, ROOM, 86470, RLOG_CLOCK_FORWARD, 70},
         {80, 80, ROOM, 86480, RLOG_CLOCK_NONE, 0},
         {140, 140, ROOM, 86480, RLOG_CLOCK_BACKWARD, 86540},
         {86480, 86480, ROOM, 86480, RLOG_CLOCK_NONE, 0},
         {86481, 86481, ROOM, 86481, RLOG_CLOCK_NONE, 0});
}

static void at_open_a_clock_behind_the_log_lets_time_stand_still_with_one_event(void **state)
{
    (void)state;
    WALK(-1, 0, {0, -1, ROOM, 0, RLOG_CLOCK_BEHIND, 0}, {0, -1, ROOM, 0, RLOG_CLOCK_NONE, 0},
         {1, 0, ROOM, 0, RLOG_CLOCK_NONE, 0}, {2, 1, ROOM, 1, RLOG_CLOCK_NONE, 0},
         {3, -50, ROOM, 1, RLOG_CLOCK_NONE, 0});
}

static void at_open_a_clock_that_catches_up_before_the_first_append_is_no_event(void **state)
{
    (void)state;
    WALK(-5, 0, {5, 0, ROOM, 0, RLOG_CLOCK_NONE, 0}, {6, -100, ROOM, 0, RLOG_CLOCK_NONE, 0});
}

static void a_small_step_back_behind_the_log_after_the_opening_is_no_event(void **state)
{
    (void)state;
    WALK(0, 0, {1, -100, ROOM, 0, RLOG_CLOCK_NONE, 0}, {2, -99, ROOM, 0, RLOG_CLOCK_NONE, 0});
}

static void at_open_a_clock_far_ahead_is_believed(void **state)
{
    (void)state;
    WALK(86400, 0, {1, 86401, ROOM, 86401, RLOG_CLOCK_NONE, 0});
}

static void a_jump_between_the_opening_and_the_first_append_is_one(void **state)
{
    (void)state;
    WALK(0, 0, {1, 4001, ROOM, 1, RLOG_CLOCK_NONE, 0},
         {61, 4061, ROOM, 4061, RLOG_CLOCK_FORWARD, 61});
    WALK(-4000, 0, {1, 1, ROOM, 0, RLOG_CLOCK_BEHIND, 0}, {2, 2, ROOM, 0, RLOG_CLOCK_NONE, 0},
         {61, 61, ROOM, 61, RLOG_CLOCK_FORWARD, -3939});
}

static void without_room_for_the_event_nothing_is_believed(void **state)
{
    (void)state;
    WALK(0, 0, {10, 3610, ROOM, 10, RLOG_CLOCK_NONE, 0}, {70, 3670, FULL, 70, RLOG_CLOCK_NONE, 0},
         {80, 3680, FULL, 80, RLOG_CLOCK_NONE, 0}, {90, 3690, ROOM, 3690, RLOG_CLOCK_FORWARD, 90});
    WALK(-9, 0, {0, -9, FULL, 0, RLOG_CLOCK_NONE, 0}, {1, -8, ROOM, 0, RLOG_CLOCK_BEHIND, 0});
    WALK(0, 0, {10, 200, FULL, 200, RLOG_CLOCK_NONE, 0} /* small ones need none */);
}

/* ---- The batch ---- */

static struct event put_of(struct slice body)
{
    return (struct event){.incarnation = 4,
                          .op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_ZOOKEEPER,
                          .source = SLICE("ensemble"),
                          .key = SLICE("/a"),
                          .body = body};
}

/* What is believed while the clock event is due: the log's last event lies an hour ahead. */
static struct rlog_clock_now behind(struct rlog_clock *ret)
{
    const struct rlog_clock_now now = now_of(0, 0, 3600);
    *ret = rlog_clock_start(&now);
    return now;
}

static void without_news_the_batch_is_the_given_one(void **state)
{
    (void)state;
    const struct event batch[2] = {put_of(SLICE("1")), put_of(SLICE("2"))};
    const struct rlog_clock_now now = now_of(0, 7, 0);
    struct rlog_clock c = rlog_clock_start(&now);
    AUTO(rlog_stamped_done) struct rlog_stamped s = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_clock_stamp(&c, &now, batch, 2, &s, &e), RC_OK);
    assert_ptr_equal(s.batch, batch);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.own, 0);
    assert_true(s.time_ns == now.wall_ns);
}

static void the_clock_event_comes_first_and_says_both_times_and_why(void **state)
{
    (void)state;
    const struct event batch[2] = {put_of(SLICE("1")), put_of(SLICE("2"))};
    struct rlog_clock c;
    const struct rlog_clock_now now = behind(&c);
    AUTO(rlog_stamped_done) struct rlog_stamped s = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_clock_stamp(&c, &now, batch, 2, &s, &e), RC_OK);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.own, 1);
    assert_memory_equal(s.batch + 1, batch, sizeof(batch));
    const struct event *ev = &s.batch[0];
    assert_int_equal(event_check(ev, &e), RC_OK);
    assert_int_equal(ev->op, EVENT_CLOCK);
    assert_int_equal(ev->cause, CAUSE_SELF);
    assert_int_equal(ev->source_kind, SOURCE_ZOOKEEPER);
    assert_int_equal(ev->incarnation, 4);
    assert_true(ev->wall_ns == T0);
    assert_true(slice_eq(ev->source, SLICE("ensemble")));
    assert_true(slice_eq(ev->key, SLICE("@clock/log")));
    assert_true(slice_eq(ev->body, SLICE("{\"reason\":\"behind-at-open\","
                                         "\"old\":\"2023-11-14T23:13:20.000000000Z\","
                                         "\"new\":\"2023-11-14T22:13:20.000000000Z\"}")));
}

static void each_news_has_its_reason(void **state)
{
    (void)state;
    static const struct {
        int64_t wall;
        const char *reason;
    } rows[] = {{3600, "{\"reason\":\"forward\","}, {-3600, "{\"reason\":\"backward\","}};
    for (size_t i = 0; i < 2; i++) {
        const struct rlog_clock_now start = now_of(0, 0, -99);
        const struct rlog_clock_now jumped = now_of(1, rows[i].wall, -99);
        const struct rlog_clock_now later = now_of(61, rows[i].wall + 60, -99);
        struct rlog_clock c = rlog_clock_start(&start);
        c = rlog_clock_tell(&c, &jumped, ROOM).next;
        const struct event ev = put_of(SLICE("1"));
        AUTO(rlog_stamped_done) struct rlog_stamped s = {0};
        struct err e = ERR_INIT;
        assert_int_equal(rlog_clock_stamp(&c, &later, &ev, 1, &s, &e), RC_OK);
        assert_int_equal(s.own, 1);
        assert_true(slice_starts(s.batch[0].body, slice_str(rows[i].reason)));
        assert_true(slice_ends(s.batch[0].body, SLICE("Z\"}")));
    }
}

static size_t own_of(const struct event *batch, size_t n)
{
    struct rlog_clock c;
    const struct rlog_clock_now now = behind(&c);
    AUTO(rlog_stamped_done) struct rlog_stamped s = {0};
    struct err e = ERR_INIT;
    assert_int_equal(rlog_clock_stamp(&c, &now, batch, n, &s, &e), RC_OK);
    assert_int_equal(s.n, n + s.own);
    assert_true(s.next.behind == (s.own == 0)); /* the next batch says it */
    return s.own;
}

static void I10_a_batch_of_the_most_events_gets_no_clock_event(void **state)
{
    (void)state;
    static struct event batch[EVENT_BATCH_MAX];
    for (size_t i = 0; i < EVENT_BATCH_MAX; i++)
        batch[i] = put_of(SLICE("1"));
    assert_int_equal(own_of(batch, EVENT_BATCH_MAX), 0);
    assert_int_equal(own_of(batch, EVENT_BATCH_MAX - 1), 1);
}

static void I10_a_batch_of_the_most_bytes_gets_no_clock_event(void **state)
{
    (void)state;
    AUTO(freep) char *bytes = calloc(1, EVENT_BODY_MAX);
    assert_non_null(bytes);
    struct event batch[2] = {put_of(SLICE_NULL), put_of(SLICE_NULL)};
    batch[0].body = slice_of(bytes, EVENT_BODY_MAX);
    batch[1].body = slice_of(bytes, EVENT_BODY_MAX - event_encoded_size(&batch[1]) - 100);
    assert_int_equal(own_of(batch, 2), 0);
    batch[1].body.n -= 64u << 10;
    assert_int_equal(own_of(batch, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_the_clocks_agree_time_is_the_wall_clock),
        cmocka_unit_test(up_to_five_minutes_forward_are_believed_at_once),
        cmocka_unit_test(up_to_five_minutes_backward_time_stands_still_without_an_event),
        cmocka_unit_test(a_jump_forward_is_believed_after_sixty_seconds_with_an_event),
        cmocka_unit_test(the_sixty_seconds_begin_at_the_append_that_sees_the_jump),
        cmocka_unit_test(a_jump_put_right_within_sixty_seconds_leaves_no_trace),
        cmocka_unit_test(a_jump_that_comes_back_is_in_doubt_anew),
        cmocka_unit_test(another_jump_in_doubt_begins_its_own_sixty_seconds),
        cmocka_unit_test(after_a_jump_backward_time_stands_still_until_the_clock_is_there),
        cmocka_unit_test(a_believed_jump_that_was_wrong_is_put_right_by_a_second_event),
        cmocka_unit_test(at_open_a_clock_behind_the_log_lets_time_stand_still_with_one_event),
        cmocka_unit_test(at_open_a_clock_that_catches_up_before_the_first_append_is_no_event),
        cmocka_unit_test(a_small_step_back_behind_the_log_after_the_opening_is_no_event),
        cmocka_unit_test(at_open_a_clock_far_ahead_is_believed),
        cmocka_unit_test(a_jump_between_the_opening_and_the_first_append_is_one),
        cmocka_unit_test(without_room_for_the_event_nothing_is_believed),
        cmocka_unit_test(without_news_the_batch_is_the_given_one),
        cmocka_unit_test(the_clock_event_comes_first_and_says_both_times_and_why),
        cmocka_unit_test(each_news_has_its_reason),
        cmocka_unit_test(I10_a_batch_of_the_most_events_gets_no_clock_event),
        cmocka_unit_test(I10_a_batch_of_the_most_bytes_gets_no_clock_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

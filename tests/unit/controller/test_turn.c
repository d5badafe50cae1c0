/* controller/turn: the phases of a run, and what it waits for. */
#include "controller/turn.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct world {
    struct turn turn;
    struct turn_input in;
    struct pump_status pump;
};

static void begin(struct world *w)
{
    *w = (struct world){.pump = {.offset = 5, .decided = 5, .head = 5}, .in = {.connected = true}};
    turn_begin(&w->turn, 0);
}

static enum turn_want step(struct world *w)
{
    w->in.pump = &w->pump;
    return turn_step(&w->turn, &w->in);
}

/* To the point where all is applied; the comparison that was asked for goes on. */
static void list_and_apply(struct world *w)
{
    begin(w);
    w->in.listed = true;
    w->in.listed_to = 20;
    assert_int_equal(step(w), TURN_LOOK);
    assert_int_equal(step(w), TURN_COMPARE);
    w->pump.decided = 20;
}

static void a_run_ends_when_all_is_applied_and_compared(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    assert_int_equal(step(&w), TURN_LOOK);
    assert_int_equal(step(&w), TURN_GO_ON); /* an old log says nothing */
    w.in.listed = true;
    w.in.listed_to = 20;
    assert_int_equal(step(&w), TURN_COMPARE);
    assert_int_equal(w.turn.target, 20);
    w.pump.decided = 19;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.decided = 20;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.compared_ns = 77;
    w.pump.in_flight = 1; /* it found something */
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.in_flight = 0;
    assert_int_equal(step(&w), TURN_DONE);
    assert_int_equal(step(&w), TURN_DONE);
    assert_true(turn_succeeded(&w.turn));
}

static void a_comparison_of_before_is_not_the_runs(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.pump.compared_ns = 5;
    assert_int_equal(step(&w), TURN_LOOK);
    w.in.listed = true;
    w.in.listed_to = 20;
    assert_int_equal(step(&w), TURN_COMPARE);
    w.pump.decided = 20;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.compared_ns = 77;
    assert_int_equal(step(&w), TURN_DONE);
}

static void the_first_run_ends_without_a_comparison(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.pump.began_anew = true;
    w.in.listed = true;
    w.in.listed_to = 20;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.decided = 20;
    w.pump.in_flight = 1;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.in_flight = 0;
    assert_int_equal(step(&w), TURN_DONE);
    assert_true(turn_succeeded(&w.turn));
}

static void what_is_under_way_is_waited_for(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.compared_ns = 1;
    w.pump.in_flight = 3;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.in_flight = 0;
    w.pump.catching_up = true;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.catching_up = false;
    w.pump.waiting = 1;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.waiting = 0;
    assert_int_equal(step(&w), TURN_DONE);
}

static void what_waits_in_vain_fails_the_run(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.compared_ns = 1;
    w.pump.waiting = 2;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.in.now_ns = TURN_PATIENCE_NS - 1;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.pump.waiting = 1; /* one came through: patience begins anew */
    assert_int_equal(step(&w), TURN_GO_ON);
    w.in.now_ns += TURN_PATIENCE_NS - 1;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.in.now_ns += 1;
    assert_int_equal(step(&w), TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
}

static void what_is_tried_again_now_and_then_and_news_of_the_source_are_no_progress(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.compared_ns = 1;
    w.pump.waiting = 1;
    enum turn_want want = step(&w);
    for (int i = 0; want == TURN_GO_ON && i < 100; i++) {
        w.in.now_ns += TURN_PATIENCE_NS / 10;
        w.pump.in_flight = (size_t)i % 2; /* the hold's retry */
        w.pump.decided++;                 /* what the source tells meanwhile */
        want = step(&w);
    }
    assert_int_equal(want, TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
}

static void what_could_not_be_compared_fails_the_run(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.compared_ns = 1;
    w.pump.uncompared = 1;
    assert_int_equal(step(&w), TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
}

static void what_is_held_fails_the_run_without_delay(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.held = 1;
    w.pump.compared_ns = 1;
    assert_int_equal(step(&w), TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
}

static void what_the_guard_holds_fails_the_run(void **state)
{
    (void)state;
    struct world w;
    list_and_apply(&w);
    w.pump.prune_held = 11;
    w.pump.compared_ns = 1;
    assert_int_equal(step(&w), TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
}

static void who_does_not_answer_is_not_waited_for_forever(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.in.now_ns = TURN_PATIENCE_NS / 2;
    assert_int_equal(step(&w), TURN_LOOK);
    w.in.connected = false;
    w.in.now_ns += TURN_PATIENCE_NS - 1;
    assert_int_equal(step(&w), TURN_GO_ON);
    w.in.now_ns += 1;
    assert_int_equal(step(&w), TURN_DONE);
    assert_false(turn_succeeded(&w.turn));
    assert_true(w.turn.cut_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_ends_when_all_is_applied_and_compared),
        cmocka_unit_test(a_comparison_of_before_is_not_the_runs),
        cmocka_unit_test(the_first_run_ends_without_a_comparison),
        cmocka_unit_test(what_is_under_way_is_waited_for),
        cmocka_unit_test(what_waits_in_vain_fails_the_run),
        cmocka_unit_test(what_is_held_fails_the_run_without_delay),
        cmocka_unit_test(what_is_tried_again_now_and_then_and_news_of_the_source_are_no_progress),
        cmocka_unit_test(what_could_not_be_compared_fails_the_run),
        cmocka_unit_test(what_the_guard_holds_fails_the_run),
        cmocka_unit_test(who_does_not_answer_is_not_waited_for_forever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

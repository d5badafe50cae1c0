/* controller/order_board: one order at a time, to the thread that it is meant for. */
#include "controller/order_board.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const struct order order = {HOLD_SKIP, "default/s", "/configmaps/n/a"};

static int set_up(void **state)
{
    *state = order_board_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    order_board_free(*state);
    return 0;
}

static void an_order_goes_to_its_synchronization_and_its_answer_back(void **state)
{
    struct order_board *b = *state;
    struct order got;
    struct order_answer answer = {.n = 3}, back;
    struct err e = ERR_INIT;
    assert_false(order_board_take(b, "default/s", &got));
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_false(order_board_take(b, "default/t", &got));
    assert_true(order_board_take(b, "default/s", &got));
    assert_int_equal(got.act, HOLD_SKIP);
    assert_string_equal(got.key, order.key);
    assert_false(order_board_take(b, "default/s", &got));
    assert_false(order_board_collect(b, &back));
    order_board_answer(b, &answer);
    assert_true(order_board_collect(b, &back));
    assert_int_equal(back.n, 3);
    assert_false(order_board_collect(b, &back));
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
}

static void a_second_order_is_refused_until_the_first_is_over(void **state)
{
    struct order_board *b = *state;
    struct order got;
    struct order_answer answer = {0};
    struct err e = ERR_INIT;
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_int_equal(order_board_give(b, &order, &e), RC_CONFLICT);
    assert_true(order_board_take(b, "default/s", &got));
    assert_int_equal(order_board_give(b, &order, &e), RC_CONFLICT);
    order_board_answer(b, &answer);
    assert_int_equal(order_board_give(b, &order, &e), RC_CONFLICT);
    assert_true(order_board_collect(b, &answer));
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
}

static void only_what_nobody_took_is_withdrawn(void **state)
{
    struct order_board *b = *state;
    struct order got;
    struct err e = ERR_INIT;
    assert_false(order_board_withdraw(b));
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_true(order_board_withdraw(b));
    assert_false(order_board_take(b, "default/s", &got));
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_true(order_board_take(b, "default/s", &got));
    assert_false(order_board_withdraw(b));
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void an_order_wakes_those_of_its_synchronization_as_long_as_they_watch(void **state)
{
    struct order_board *b = *state;
    int mine = 0, others = 0;
    struct order_watcher w = {.sync = "default/s", .wake = count, .arg = &mine};
    struct order_watcher other = {.sync = "default/t", .wake = count, .arg = &others};
    struct err e = ERR_INIT;
    order_board_unwatch(b, &w);
    order_board_watch(b, &w);
    order_board_watch(b, &other);
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_int_equal(mine, 1);
    assert_int_equal(order_board_give(b, &order, &e), RC_CONFLICT);
    assert_int_equal(mine, 1);
    assert_true(order_board_withdraw(b));
    order_board_unwatch(b, &w);
    assert_int_equal(order_board_give(b, &order, &e), RC_OK);
    assert_int_equal(mine, 1);
    assert_int_equal(others, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_goes_to_its_synchronization_and_its_answer_back),
        TEST(a_second_order_is_refused_until_the_first_is_over),
        TEST(only_what_nobody_took_is_withdrawn),
        TEST(an_order_wakes_those_of_its_synchronization_as_long_as_they_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

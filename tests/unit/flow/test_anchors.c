/* flow/anchors: whatever the order, the lowest offset that is counted is told. */
#include "tests/unit/flow/flow_test.h"

#include "flow/anchors.h"

static void add(struct anchors *a, rlog_off offset)
{
    struct err e = ERR_INIT;
    assert_ok(anchors_add(a, offset, &e));
}

static void offsets_are_counted(void **state)
{
    (void)state;
    AUTO(anchors_freep) struct anchors *a = anchors_new();
    assert_int_equal(anchors_lowest(a, 99), 99);
    add(a, 5);
    add(a, 5);
    add(a, 9);
    assert_true(anchors_has(a, 5));
    assert_false(anchors_has(a, 6));
    anchors_release(a, 5);
    assert_int_equal(anchors_lowest(a, 99), 5);
    anchors_release(a, 5);
    assert_false(anchors_has(a, 5));
    assert_int_equal(anchors_lowest(a, 99), 9);
    anchors_release(a, 9);
    assert_int_equal(anchors_lowest(a, 99), 99);
    anchors_free(NULL);
}

static void what_comes_late_counts_as_well(void **state)
{
    (void)state;
    AUTO(anchors_freep) struct anchors *a = anchors_new();
    add(a, 10);
    add(a, 20);
    add(a, 15);
    add(a, 3);
    add(a, 3);
    assert_int_equal(anchors_lowest(a, 99), 3);
    anchors_release(a, 3);
    anchors_release(a, 3);
    assert_int_equal(anchors_lowest(a, 99), 10);
    anchors_release(a, 10);
    assert_int_equal(anchors_lowest(a, 99), 15);
    anchors_release(a, 15);
    add(a, 10); /* below the queue's first one */
    assert_int_equal(anchors_lowest(a, 99), 10);
    anchors_release(a, 20);
    assert_int_equal(anchors_lowest(a, 99), 10);
    anchors_release(a, 10);
    assert_int_equal(anchors_lowest(a, 99), 99);
}

static void one_that_ended_within_the_queue_may_come_again(void **state)
{
    (void)state;
    AUTO(anchors_freep) struct anchors *a = anchors_new();
    add(a, 1);
    add(a, 2);
    add(a, 3);
    anchors_release(a, 2);
    add(a, 2);
    anchors_release(a, 1);
    assert_int_equal(anchors_lowest(a, 99), 2);
    anchors_release(a, 2);
    assert_int_equal(anchors_lowest(a, 99), 3);
    anchors_release(a, 3);
}

enum { OFFSETS = 400, STEPS = 200000 };

/* Beside counts in an array. */
static void any_order_gives_the_same_as_an_array(void **state)
{
    (void)state;
    AUTO(anchors_freep) struct anchors *a = anchors_new();
    static unsigned counts[OFFSETS];
    unsigned seed = 12345;
    for (int i = 0; i < STEPS; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned at = 1 + (seed >> 8) % (OFFSETS - 1);
        if (counts[at] > 0 && (seed >> 20) % 3 > 0) {
            anchors_release(a, at);
            counts[at]--;
        } else if (counts[at] < 3) {
            add(a, at);
            counts[at]++;
        }
        unsigned lowest = 0;
        while (lowest < OFFSETS && counts[lowest] == 0)
            lowest++;
        assert_int_equal(anchors_lowest(a, OFFSETS), lowest);
        assert_int_equal(anchors_has(a, at), counts[at] > 0);
    }
}

static void a_low_one_that_stays_does_not_make_it_grow_without_end(void **state)
{
    (void)state;
    AUTO(anchors_freep) struct anchors *a = anchors_new();
    add(a, 1);
    for (rlog_off i = 2; i < 1000000; i++) {
        add(a, i);
        anchors_release(a, i);
    }
    assert_int_equal(anchors_lowest(a, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_counted),
        cmocka_unit_test(what_comes_late_counts_as_well),
        cmocka_unit_test(one_that_ended_within_the_queue_may_come_again),
        cmocka_unit_test(any_order_gives_the_same_as_an_array),
        cmocka_unit_test(a_low_one_that_stays_does_not_make_it_grow_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

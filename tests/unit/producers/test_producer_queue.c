#include "tests/unit/producers/producer_test.h"

#include "producers/producer_queue.h"

static void add(struct producer_queue *q, const void *owner, const char *key, size_t body)
{
    AUTO(freep) char *bytes = calloc(1, body + 1);
    struct err e = ERR_INIT;
    assert_ok(producer_queue_add(
        q, owner, &(struct event){.key = slice_str(key), .body = slice_of(bytes, body)}, &e));
}

static void assert_next(struct producer_queue *q, const char *key)
{
    const struct event *ev = producer_queue_take(q);
    assert_non_null(ev);
    assert_true(slice_eq(ev->key, slice_str(key)));
}

static void events_come_out_in_the_order_they_went_in_while_the_ring_grows(void **state)
{
    (void)state;
    AUTO(producer_queue_freep) struct producer_queue *q = producer_queue_new();
    char key[20];
    int in = 0, out = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 3; i++, in++) {
            snprintf(key, sizeof key, "%d", in);
            add(q, NULL, key, 0);
        }
        snprintf(key, sizeof key, "%d", out++);
        assert_next(q, key);
    }
    while (out < in) {
        snprintf(key, sizeof key, "%d", out++);
        assert_next(q, key);
    }
    assert_null(producer_queue_take(q));
    assert_null(producer_queue_take(q));
}

static void an_event_is_a_copy(void **state)
{
    (void)state;
    AUTO(producer_queue_freep) struct producer_queue *q = producer_queue_new();
    char key[] = "abc";
    add(q, NULL, key, 0);
    key[0] = 'x';
    assert_next(q, "abc");
}

static void it_is_full_at_the_limit_of_events_and_takes_more_all_the_same(void **state)
{
    (void)state;
    AUTO(producer_queue_freep) struct producer_queue *q = producer_queue_new();
    for (int i = 0; i < PRODUCER_QUEUE_EVENTS - 1; i++)
        add(q, NULL, "k", 0);
    assert_false(producer_queue_full(q));
    add(q, NULL, "k", 0);
    assert_true(producer_queue_full(q));
    add(q, NULL, "k", 0);
    assert_next(q, "k");
    assert_true(producer_queue_full(q));
    assert_next(q, "k");
    assert_false(producer_queue_full(q));
}

static void it_is_full_at_the_limit_of_bytes(void **state)
{
    (void)state;
    AUTO(producer_queue_freep) struct producer_queue *q = producer_queue_new();
    add(q, NULL, "a", PRODUCER_QUEUE_BYTES - 1);
    assert_false(producer_queue_full(q));
    add(q, NULL, "b", 1);
    assert_true(producer_queue_full(q));
    assert_next(q, "a");
    assert_false(producer_queue_full(q));
}

static void forgetting_an_owner_removes_its_events_and_keeps_the_others_in_order(void **state)
{
    (void)state;
    AUTO(producer_queue_freep) struct producer_queue *q = producer_queue_new();
    int one, two;
    for (int i = 0; i < 50; i++) /* so that the ring has gone round */
        add(q, &one, "x", 0);
    for (int i = 0; i < 50; i++)
        assert_next(q, "x");
    add(q, &one, "a", PRODUCER_QUEUE_BYTES);
    add(q, &two, "b", 0);
    add(q, &one, "c", 0);
    add(q, NULL, "d", 0);
    producer_queue_forget(q, &one);
    assert_false(producer_queue_full(q));
    assert_next(q, "b");
    assert_next(q, "d");
    assert_null(producer_queue_take(q));
    producer_queue_forget(q, &two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_the_order_they_went_in_while_the_ring_grows),
        cmocka_unit_test(an_event_is_a_copy),
        cmocka_unit_test(it_is_full_at_the_limit_of_events_and_takes_more_all_the_same),
        cmocka_unit_test(it_is_full_at_the_limit_of_bytes),
        cmocka_unit_test(forgetting_an_owner_removes_its_events_and_keeps_the_others_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

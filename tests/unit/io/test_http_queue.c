/* io/http_queue: order, copies, forgetting, ownership. */
#include "io/http_queue.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct http_queued *event(http_id id, const char *text)
{
    struct http_queued *q = http_queued_new(slice_str(text));
    assert_non_null(q);
    q->ev.id = id;
    return q;
}

static void count_free(void *owner)
{
    ++*(int *)owner;
}

static void events_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct http_queue queue = {0};
    assert_null(http_queue_pop(&queue));
    for (http_id id = 1; id <= 3; id++)
        http_queue_push(&queue, event(id, ""));
    for (http_id id = 1; id <= 3; id++) {
        AUTO(http_queued_freep) struct http_queued *q = http_queue_pop(&queue);
        assert_int_equal(q->ev.id, id);
    }
    assert_null(http_queue_pop(&queue));
    assert_null(queue.last);
}

static void an_event_copies_its_bytes(void **state)
{
    (void)state;
    char text[] = "abc";
    AUTO(http_queued_freep) struct http_queued *q = event(1, text);
    text[0] = 'x';
    assert_memory_equal(q->bytes, "abc", 3);
}

static void forgetting_a_request_leaves_the_others_and_a_usable_end(void **state)
{
    (void)state;
    struct http_queue queue = {0};
    const http_id ids[] = {7, 1, 7, 2, 7};
    for (size_t i = 0; i < 5; i++)
        http_queue_push(&queue, event(ids[i], "x"));
    http_queue_forget(&queue, 7);
    http_queue_push(&queue, event(3, "y"));
    for (http_id id = 1; id <= 3; id++) {
        AUTO(http_queued_freep) struct http_queued *q = http_queue_pop(&queue);
        assert_int_equal(q->ev.id, id);
    }
    http_queue_push(&queue, event(7, "x"));
    http_queue_forget(&queue, 7);
    assert_null(queue.first);
    assert_null(queue.last);
}

static void the_owner_of_an_event_is_freed_with_it(void **state)
{
    (void)state;
    int freed = 0;
    struct http_queue queue = {0};
    for (http_id id = 1; id <= 3; id++) {
        struct http_queued *q = event(id, "");
        q->owner = &freed;
        q->owner_free = count_free;
        http_queue_push(&queue, q);
    }
    http_queue_forget(&queue, 2);
    assert_int_equal(freed, 1);
    http_queue_done(&queue);
    assert_int_equal(freed, 3);
    http_queued_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_the_order_they_went_in),
        cmocka_unit_test(an_event_copies_its_bytes),
        cmocka_unit_test(forgetting_a_request_leaves_the_others_and_a_usable_end),
        cmocka_unit_test(the_owner_of_an_event_is_freed_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

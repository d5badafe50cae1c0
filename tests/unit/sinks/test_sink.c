/* The callers' side of the sink interface. */
#include "tests/unit/sinks/kube_test.h"

#include "core/event.h"
#include "core/event_iter.h"
#include "sinks/sink.h"

struct stub {
    struct sink sink; /* first */
    int flushes, closes;
};

static enum rc stub_flush(struct sink *s, struct err *e)
{
    (void)e;
    ((struct stub *)s)->flushes++;
    return RC_OK;
}

static void stub_close(struct sink *s)
{
    ((struct stub *)s)->closes++;
}

static enum rc stub_submit(struct sink *s, const struct sink_item *item, struct err *e)
{
    (void)s;
    (void)e;
    return item->op == SINK_PUT ? RC_OK : RC_AGAIN;
}

static enum rc stub_take(struct sink *s, struct sink_result *ret, struct err *e)
{
    (void)s;
    (void)e;
    *ret = (struct sink_result){.ticket = 9, .outcome = SINK_DONE, .cls = ""};
    return RC_OK;
}

static const struct sink_ops bare = {
    .name = "bare", .submit = stub_submit, .take = stub_take, .close = stub_close};
static const struct sink_ops flushing = {
    .name = "flushing", .flush = stub_flush, .close = stub_close};

static void without_a_flush_results_are_durable_as_they_come(void **state)
{
    (void)state;
    struct stub s = {.sink = {.ops = &bare}};
    struct err e = ERR_INIT;
    assert_int_equal(sink_flush(&s.sink, &e), RC_OK);
    s.sink.ops = &flushing;
    assert_int_equal(sink_flush(&s.sink, &e), RC_OK);
    assert_int_equal(s.flushes, 1);
}

static void a_sink_that_cannot_scan_says_which_it_is(void **state)
{
    (void)state;
    struct stub s = {.sink = {.ops = &bare}};
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(sink_scan(&s.sink, SLICE("/x"), SLICE("v1"), &it, &e), RC_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "bare"));
    assert_null(it);
}

static void items_and_results_pass_through(void **state)
{
    (void)state;
    struct stub s = {.sink = {.ops = &bare}};
    const struct event ev = {.key = SLICE("/x/ns/a")};
    const struct sink_policy policy = {0};
    struct sink_item item = {.op = SINK_PUT, .event = &ev, .policy = &policy};
    struct sink_result r;
    struct err e = ERR_INIT;
    assert_int_equal(sink_submit(&s.sink, &item, &e), RC_OK);
    item.op = SINK_DELETE;
    item.policy = NULL;
    assert_int_equal(sink_submit(&s.sink, &item, &e), RC_AGAIN);
    assert_int_equal(sink_take(&s.sink, &r, &e), RC_OK);
    assert_true(r.ticket == 9);
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    struct stub s = {.sink = {.ops = &bare}};
    sink_close(NULL);
    sink_close(&s.sink);
    assert_int_equal(s.closes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_flush_results_are_durable_as_they_come),
        cmocka_unit_test(a_sink_that_cannot_scan_says_which_it_is),
        cmocka_unit_test(items_and_results_pass_through),
        cmocka_unit_test(closing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

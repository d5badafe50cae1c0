/* flow/pump_opposite: what the synchronization in the other direction recorded comes along with an item. */
#include "tests/unit/flow/pump_test.h"

#include "flow/pump_priv.h"

/* Another consumer, from that source to that destination, has this record of PT_CM. */
static void other_consumer(struct pump_world *w, struct slice name, const char *source,
                           const char *destination, const char *record)
{
    AUTO(rows_freep) struct rows *rows = NULL;
    struct err e = ERR_INIT;
    const struct binding b = {.source = slice_str(source), .destination = slice_str(destination)};
    const struct applied a = {.state = APPLIED_SYNCED, .offset = 1, .record = slice_str(record)};
    const struct ckpt_head head = {.generation = 1, .offset = 2};
    assert_ok(rows_open(w->ckpt, name, &rows, &e));
    assert_ok(rows_set_binding(rows, &b, &e));
    assert_ok(rows_set_applied(rows, SLICE(PT_CM), &a, &e));
    assert_ok(rows_commit(rows, &head, SLICE_NULL, &e));
}

/* What an item of this key is given. */
static void assert_opposite(struct pump_world *w, const char *key, const char *record)
{
    struct event ev = {.op = EVENT_PUT, .key = slice_str(key)};
    struct flight *f;
    struct err e = ERR_INIT;
    assert_ok(work_begin(w->pump->work, &ev, 0, &f, &e));
    assert_ok(pump_load_opposite(w->pump, f, &e));
    assert_true(slice_eq(f->item.opposite, slice_str(record)));
    work_end(w->pump->work, f);
}

static void an_item_bears_the_record_of_the_opposite_synchronization(void **state)
{
    struct pump_world *w = *state;
    assert_opposite(w, PT_CM, "");
    other_consumer(w, SLICE("team/beside"), "source-1", "cluster-1", "beside");
    other_consumer(w, SLICE("team/elsewhere"), "cluster-1", "cluster-9", "elsewhere");
    other_consumer(w, SLICE("team/back"), "cluster-1", "source-1", "back");
    assert_opposite(w, PT_CM, ""); /* it is not looked for all the time */
    pt_wait(w, NS_PER_S);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_LET_GO, &(struct fault_rule){0});
    assert_opposite(w, PT_CM, "back");
    assert_int_equal(ckpt_fault_count(w->ckpt, CKPT_FAULT_LET_GO), 2); /* of the two others */
    assert_opposite(w, "/configmaps/n/unknown", "");
}

static void one_that_is_known_stays_so_while_it_cannot_be_read(void **state)
{
    struct pump_world *w = *state;
    struct event ev = {.op = EVENT_PUT, .key = SLICE(PT_CM)};
    struct flight *f;
    struct err e = ERR_INIT;
    const struct fault_rule busy = {
        .pass = 1, .times = 1, .rc = RC_UNAVAILABLE, .retry = ERR_RETRY};
    other_consumer(w, SLICE("team/back"), "cluster-1", "source-1", "back");
    pt_wait(w, NS_PER_S);
    assert_opposite(w, PT_CM, "back");
    pt_wait(w, 30 * NS_PER_S);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_GET, &busy); /* our binding is read first */
    assert_opposite(w, PT_CM, "back");
    ckpt_fault_set(w->ckpt, CKPT_FAULT_GET,
                   &(struct fault_rule){.times = 1, .rc = RC_UNAVAILABLE, .retry = ERR_RETRY});
    assert_ok(work_begin(w->pump->work, &ev, 0, &f, &e));
    assert_int_equal(pump_load_opposite(w->pump, f, &e), RC_UNAVAILABLE);
    work_end(w->pump->work, f);
}

/* It is its own synchronization's trouble. */
static void a_list_of_checkpoints_that_fails_stops_nobody(void **state)
{
    struct pump_world *w = *state;
    other_consumer(w, SLICE("team/back"), "cluster-1", "source-1", "back");
    pt_wait(w, 30 * NS_PER_S);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_LIST,
                   &(struct fault_rule){.times = 1, .rc = RC_CORRUPT, .retry = ERR_FATAL});
    pt_put(w, PT_CM, "{'v':2}");
    pt_run(w);
    pt_has(w, PT_CM, "{'v':2}");
    pt_wait(w, 30 * NS_PER_S);
    assert_opposite(w, PT_CM, "back");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pt_setup_bound, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_item_bears_the_record_of_the_opposite_synchronization),
        TEST(one_that_is_known_stays_so_while_it_cannot_be_read),
        TEST(a_list_of_checkpoints_that_fails_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* flow/pump_binding: what a checkpoint says counts for one log, one source and one destination. */
#include "tests/unit/flow/pump_test.h"

#include "flow/source_identity.h"

#define FROZEN "/secrets/n/f"

/* The process ends; the destination is built anew, with this identity. */
static void rebuild_destination(struct pump_world *w, const char *identity)
{
    pt_close(w);
    dest_mem_free(w->dest);
    w->dest = dest_mem_new();
    dest_mem_identity(w->dest, identity);
    pt_open(w);
}

/* The process ends; the log is lost, and another one begins. */
static void lose_log(struct pump_world *w)
{
    struct err e = ERR_INIT;
    pt_close(w);
    rlog_close(w->log.log);
    rlog_mem_store_free(w->log.store);
    w->log.store = rlog_mem_store_new();
    assert_non_null(w->log.store);
    assert_ok(rlog_mem_open(w->log.store, RLOG_WRITE, &w->log.env, &w->log.log, &e));
    w->log.log = rlog_fault_new(w->log.log);
}

static void the_same_ones_begin_where_the_checkpoint_stands(void **state)
{
    struct pump_world *w = *state;
    size_t before = dest_mem_submits(w->dest, PT_CM);
    pt_crash(w);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, PT_CM), before);
}

static void a_destination_built_anew_is_filled_again(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    rebuild_destination(w, "cluster-2");
    assert_int_equal(pt_try_run(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_RESYNC);
    assert_true(ft_has(e.msg, "cluster-2"));
    assert_true(ft_has(e.msg, "cluster-1"));
    assert_int_equal(dest_mem_count(w->dest), 0);
    pt_crash(w);
    pt_run(w);
    pt_has(w, PT_CM, "{'v':1}");
}

static void the_marks_of_the_other_destination_are_its_own(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    rebuild_destination(w, "cluster-2");
    dest_mem_leave(w->dest, "/configmaps/n/left", "{}");
    assert_int_equal(pt_try_run(w, &e), RC_CONFLICT);
    pt_crash(w);
    pt_run(w);
    pt_has(w, PT_CM, "{'v':1}");
    pt_has(w, "/configmaps/n/left", "{}"); /* until one listing is complete */
}

static void another_log_is_read_from_its_beginning(void **state)
{
    struct pump_world *w = *state;
    lose_log(w);
    for (int i = 0; i < 20; i++) { /* beyond the old offset */
        char key[40];
        pt_put(w, pt_key(i, key), "{'new':1}");
    }
    pt_open(w);
    pt_run(w);
    pt_has(w, "/configmaps/n/k000", "{'new':1}");
    pt_has(w, "/configmaps/n/k019", "{'new':1}");
}

static void another_log_that_is_shorter_is_no_failure(void **state)
{
    struct pump_world *w = *state;
    lose_log(w);
    pt_open(w);
    pt_run(w);
    pt_put(w, PT_CM, "{'v':2}");
    pt_run(w);
    pt_has(w, PT_CM, "{'v':2}");
}

/* What is read here may be written by another process, which has not begun; it is no other log. */
static void a_log_that_nobody_has_begun_is_not_another_one(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    rlog_off committed = pt_committed(w);
    pt_close(w);
    rlog_close(w->log.log);
    rlog_mem_store_free(w->log.store);
    w->log.store = rlog_mem_store_new();
    assert_ok(rlog_mem_open(w->log.store, RLOG_READ, &w->log.env, &w->log.log, &e));
    assert_int_equal(pt_try_open(w, &e), RC_CORRUPT);
    assert_true(ft_has(e.msg, "the log lost events"));
    assert_int_equal(pt_committed(w), committed);
}

/* A copy that left the selection is not the log's any more: the new one must not know it. */
static void what_is_frozen_stays_so_in_another_log(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, FROZEN, "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_run(w);
    pt_put(w, FROZEN, "{'metadata':{}}");
    pt_run(w);
    lose_log(w);
    pt_put(w, PT_CM, "{'v':1}");
    pt_open(w);
    pt_crash(w); /* before the scan is over */
    ft_own(&w->log, EVENT_SYNC_END, "@sync//secrets");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//configmaps");
    pt_run(w);
    pt_has(w, FROZEN, "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_has(w, PT_CM, "{'v':1}");
}

static void what_is_frozen_survives_a_failure_to_begin_anew(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    pt_put(w, FROZEN, "{'metadata':{'labels':{'sel':'yes'}}}");
    pt_run(w);
    pt_put(w, FROZEN, "{'metadata':{}}");
    pt_run(w);
    lose_log(w);
    pt_put(w, PT_CM, "{'v':1}");
    ft_own(&w->log, EVENT_SYNC_END, "@sync//secrets");
    pt_open_ckpt(w);
    ckpt_fault_set(w->ckpt, CKPT_FAULT_COMMIT, &(struct fault_rule){.rc = RC_IO, .times = 1});
    assert_int_equal(pt_try_open(w, &e), RC_IO);
    pt_crash(w);
    pt_run(w);
    pt_has(w, FROZEN, "{'metadata':{'labels':{'sel':'yes'}}}");
}

static void another_source_begins_anew(void **state)
{
    struct pump_world *w = *state;
    size_t before = dest_mem_submits(w->dest, PT_CM);
    pt_close(w);
    w->source = SLICE("source-2");
    pt_open(w);
    pt_run(w);
    assert_true(dest_mem_submits(w->dest, PT_CM) > before);
}

static void a_source_that_was_accepted_goes_on_where_the_one_before_it_stood(void **state)
{
    struct pump_world *w = *state;
    const struct source_identity former = {.former = {SLICE("source-1")}, .n_former = 1};
    size_t before = dest_mem_submits(w->dest, PT_CM);
    pt_close(w);
    w->source = SLICE("source-2");
    w->former = &former;
    pt_open(w);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, PT_CM), before);
    pt_close(w);
    w->former = NULL; /* the checkpoint belongs to the new one now */
    pt_open(w);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, PT_CM), before);
}

static void where_a_sink_cannot_tell_the_checkpoint_counts(void **state)
{
    struct pump_world *w = *state;
    size_t before = dest_mem_submits(w->dest, PT_CM);
    pt_close(w);
    dest_mem_identity(w->dest, "");
    pt_open(w);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, PT_CM), before);
}

/* What a sink that cannot tell for once must not do: make the checkpoint forget whose it is. */
static void what_was_noted_stays_noted(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    pt_close(w);
    dest_mem_identity(w->dest, "");
    w->source = SLICE_NULL;
    pt_open(w);
    pt_run(w);
    rebuild_destination(w, "cluster-2");
    assert_int_equal(pt_try_run(w, &e), RC_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pt_setup_bound, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_ones_begin_where_the_checkpoint_stands),
        TEST(a_destination_built_anew_is_filled_again),
        TEST(the_marks_of_the_other_destination_are_its_own),
        TEST(another_log_is_read_from_its_beginning),
        TEST(another_log_that_is_shorter_is_no_failure),
        TEST(a_log_that_nobody_has_begun_is_not_another_one),
        TEST(what_is_frozen_stays_so_in_another_log),
        TEST(what_is_frozen_survives_a_failure_to_begin_anew),
        TEST(another_source_begins_anew),
        TEST(a_source_that_was_accepted_goes_on_where_the_one_before_it_stood),
        TEST(where_a_sink_cannot_tell_the_checkpoint_counts),
        TEST(what_was_noted_stays_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

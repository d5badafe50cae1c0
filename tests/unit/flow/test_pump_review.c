/* flow/pump_review: a replication that was changed is carried out on what is there already, without an event. */
#include "tests/unit/flow/pump_test.h"

#define CM         "/configmaps/n/a"
#define DEPLOYMENT "apps/deployments/n/a"

static struct pump_world *with_two_copies(void)
{
    struct pump_world *w = pt_new();
    w->replication.digest[0] = 1;
    pt_open(w);
    pt_put(w, CM, "{'v':1}");
    pt_put(w, DEPLOYMENT, "{'spec':{'replicas':3}}");
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':0}}");
    return w;
}

/* The process ends, and the next life has these entries. */
static void change(struct pump_world *w, uint8_t digest)
{
    pt_close(w);
    w->replication.digest[0] = digest;
}

static enum applied_state state_of(struct pump_world *w, const char *key)
{
    AUTO(rows_freep) struct rows *rows = NULL;
    struct applied a;
    struct err e = ERR_INIT;
    assert_ok(rows_open(w->ckpt, PT_SYNC, &rows, &e));
    assert_ok(rows_applied(rows, slice_str(key), &a, &e));
    return a.state;
}

static void the_same_replication_decides_nothing_again(void **state)
{
    (void)state;
    struct pump_world *w = with_two_copies();
    size_t before = dest_mem_submits(w->dest, DEPLOYMENT);
    pt_crash(w);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, DEPLOYMENT), before);
    pt_free(w);
}

static void another_patch_reaches_the_copies(void **state)
{
    (void)state;
    struct pump_world *w = with_two_copies();
    size_t writes = dest_mem_writes(w->dest);
    change(w, 2);
    w->entries[3].n_patch = 0;
    pt_open(w);
    struct pump_status s;
    pump_status(w->pump, &s);
    assert_true(s.catching_up);
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':3}}");
    assert_true(dest_mem_last(w->dest).decided_anew);
    assert_int_equal(dest_mem_writes(w->dest), writes + 1);
    pump_status(w->pump, &s);
    assert_false(s.catching_up);
    pt_crash(w);
    size_t submits = dest_mem_submits(w->dest, DEPLOYMENT);
    pt_run(w);
    assert_int_equal(dest_mem_submits(w->dest, DEPLOYMENT), submits); /* it is noted as done */
    pt_put(w, CM, "{'v':2}");
    pt_run(w);
    assert_false(dest_mem_last(w->dest).decided_anew);
    pt_free(w);
}

static void a_crash_in_between_begins_it_anew(void **state)
{
    (void)state;
    struct pump_world *w = with_two_copies();
    struct err e = ERR_INIT;
    int64_t wake;
    change(w, 2);
    w->entries[3].n_patch = 0;
    dest_mem_delay(w->dest, 3600 * NS_PER_S);
    pt_open(w);
    for (int i = 0; i < 10; i++)
        assert_true(pt_step(w, &wake, &e) >= 0);
    pt_wait(w, NS_PER_S);
    assert_true(pt_step(w, &wake, &e) >= 0);
    assert_ok(pump_commit(w->pump, SLICE_NULL, &e));
    pt_close(w);
    dest_mem_delay(w->dest, 0);
    pt_open(w);
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':3}}");
    pt_free(w);
}

static void a_change_that_is_taken_back_before_its_end_is_undone(void **state)
{
    (void)state;
    struct pump_world *w = with_two_copies();
    struct err e = ERR_INIT;
    change(w, 2);
    w->entries[3].n_patch = 0;
    dest_mem_window(w->dest, 1);
    pt_open(w);
    for (int i = 0; i < 4; i++) {
        int64_t wake;
        assert_true(pt_step(w, &wake, &e) >= 0);
    }
    assert_ok(pump_commit(w->pump, SLICE_NULL, &e));
    change(w, 1);
    w->entries[3].n_patch = 1;
    dest_mem_window(w->dest, 100);
    pt_open(w);
    struct pump_status s;
    pump_status(w->pump, &s);
    assert_true(s.catching_up);
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':0}}");
    pt_free(w);
}

static void what_no_entry_selects_any_more_is_frozen_and_comes_back(void **state)
{
    (void)state;
    struct pump_world *w = with_two_copies();
    change(w, 2);
    w->replication.n_entries = 3; /* no deployments */
    pt_open(w);
    pt_run(w);
    assert_int_equal(state_of(w, DEPLOYMENT), APPLIED_DESELECTED);
    assert_int_equal(state_of(w, CM), APPLIED_SYNCED);
    pt_delete(w, DEPLOYMENT);
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':0}}");
    pt_put(w, DEPLOYMENT, "{'spec':{'replicas':4}}");
    pt_run(w);
    change(w, 1);
    w->replication.n_entries = 4;
    pt_open(w);
    pt_run(w);
    assert_int_equal(state_of(w, DEPLOYMENT), APPLIED_SYNCED);
    pt_free(w);
}

static void a_kind_that_is_added_is_taken_from_the_log(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    w->replication.digest[0] = 1;
    w->replication.n_entries = 3;
    pt_open(w);
    pt_put(w, DEPLOYMENT, "{'spec':{'replicas':3}}");
    pt_run(w);
    pt_lacks(w, DEPLOYMENT);
    change(w, 2);
    w->replication.n_entries = 4;
    pt_open(w);
    pt_run(w);
    pt_has(w, DEPLOYMENT, "{'spec':{'replicas':0}}");
    pt_free(w);
}

/* More keys than one step decides about, so that what is read at its beginning is done long before its end. */
static void I4_what_is_read_meanwhile_is_not_undone(void **state)
{
    (void)state;
    struct pump_world *w = pt_new();
    char key[40];
    w->replication.digest[0] = 1;
    pt_open(w);
    for (int i = 0; i < 200; i++)
        pt_put(w, pt_key(i, key), "{'v':1}");
    pt_run(w);
    change(w, 2);
    pt_open(w);
    pt_put(w, pt_key(0, key), "{'v':2}");
    pt_put(w, pt_key(198, key), "{'v':2}");
    pt_delete(w, pt_key(199, key));
    pt_run(w);
    pt_has(w, pt_key(0, key), "{'v':2}");
    pt_has(w, pt_key(198, key), "{'v':2}");
    pt_lacks(w, pt_key(199, key));
    pt_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_replication_decides_nothing_again),
        cmocka_unit_test(another_patch_reaches_the_copies),
        cmocka_unit_test(a_crash_in_between_begins_it_anew),
        cmocka_unit_test(a_change_that_is_taken_back_before_its_end_is_undone),
        cmocka_unit_test(what_no_entry_selects_any_more_is_frozen_and_comes_back),
        cmocka_unit_test(a_kind_that_is_added_is_taken_from_the_log),
        cmocka_unit_test(I4_what_is_read_meanwhile_is_not_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* flow/pump_leave: with pruneDeselected the copies of what left the selection are removed, under the guard (I6). */
#include "tests/unit/flow/pump_test.h"

#include "flow/hold_order.h"

#define SECRET   "/secrets/n/a"
#define SERVICE  "/services/n/a"
#define SELECTED "{'metadata':{'labels':{'sel':'yes'}}}"
#define LEFT     "{'metadata':{}}"
#define LONG     (5 * NS_PER_S) /* longer than what leaves is collected */
#define TOO_MANY 11             /* one more than the guard lets pass */

static struct pump_world *removing(void)
{
    struct pump_world *w = pt_new();
    w->replication.prune_deselected = true;
    w->replication.digest[0] = 1;
    pt_open(w);
    return w;
}

static int setup(void **state)
{
    *state = removing();
    return 0;
}

static const char *secret(int i, char out[40])
{
    snprintf(out, 40, "/secrets/n/k%03d", i);
    return out;
}

/* n secrets are copied. */
static void copy(struct pump_world *w, int n)
{
    char key[40];
    for (int i = 0; i < n; i++)
        pt_put(w, secret(i, key), SELECTED);
    pt_run(w);
    assert_int_equal(dest_mem_count(w->dest), n);
}

static void leave(struct pump_world *w, int from, int until)
{
    char key[40];
    for (int i = from; i < until; i++)
        pt_put(w, secret(i, key), LEFT);
    pt_run_for(w, LONG);
}

/* The process ends; the next life has other resources. */
static void edit(struct pump_world *w)
{
    pt_close(w);
    w->replication.digest[0]++;
}

static void approve(struct pump_world *w)
{
    pt_close(w);
    w->prune_until_ns = pt_now(w) + 60 * NS_PER_S;
    pt_open(w);
    pt_run_for(w, LONG);
}

static enum rc row_of(struct pump_world *w, const char *key)
{
    AUTO(rows_freep) struct rows *rows = NULL;
    struct applied a;
    struct err e = ERR_INIT;
    assert_ok(rows_open(w->ckpt, PT_SYNC, &rows, &e));
    return rows_applied(rows, slice_str(key), &a, &e);
}

static void assert_settled(struct pump_world *w, size_t copies, size_t held)
{
    assert_int_equal(dest_mem_count(w->dest), copies);
    assert_int_equal(pt_status(w).prune_held, held);
    assert_int_equal(pt_status(w).held, held);
    if (w->replication.prune_deselected) /* the others are gone, or were made anew */
        assert_int_equal(pt_status(w).deselected, held + pt_status(w).skipped);
    assert_false(pt_status(w).catching_up);
    assert_int_equal(pt_committed(w), pt_head(w));
}

/* ---- The ways to leave ---- */

/* Found by its mark at a comparison, long after its event was read: nothing but the row tells the next life of it. */
static void a_found_copy_whose_removal_a_crash_cut_off_goes_in_the_next_life(void **state)
{
    struct pump_world *w = *state;
    pt_close(w);
    w->replication.resync_ns = 600 * NS_PER_S;
    pt_open(w);
    pt_put(w, SECRET, LEFT);
    pt_run(w);
    dest_mem_leave(w->dest, SECRET, "{}");
    pt_wait(w, 1200 * NS_PER_S);
    pt_run_for(w, NS_PER_S);
    assert_int_equal(pt_status(w).deselected, 1);
    pt_crash(w);
    pt_has(w, SECRET, "{}");
    pt_run_for(w, LONG);
    pt_lacks(w, SECRET);
    assert_settled(w, 0, 0);
}

static void an_object_whose_labels_changed_goes_and_comes_back(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, SECRET, SELECTED);
    pt_run(w);
    pt_put(w, SECRET, LEFT);
    pt_run(w);
    pt_run_for(w, LONG);
    pt_lacks(w, SECRET);
    assert_int_equal(row_of(w, SECRET), RC_NOTFOUND);
    struct dest_mem_write last = dest_mem_write_at(w->dest, dest_mem_writes(w->dest) - 1);
    assert_int_equal(last.op, SINK_DELETE);
    assert_false(last.observed);
    assert_settled(w, 0, 0);
    pt_put(w, SECRET, SELECTED);
    pt_run(w);
    pt_has(w, SECRET, SELECTED);
}

static void a_namespace_that_changed_its_labels_takes_its_objects_along(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'prod'}}}");
    pt_put(w, SERVICE, "{}");
    pt_run(w);
    pt_has(w, SERVICE, "{}");
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'test'}}}");
    pt_run_for(w, LONG);
    assert_settled(w, 0, 0);
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'prod'}}}");
    pt_run_for(w, LONG);
    assert_settled(w, 1, 0);
}

static void an_edited_filter_and_a_removed_entry_are_carried_out(void **state)
{
    struct pump_world *w = *state;
    struct selector *other = ft_selector("{'matchLabels':{'sel':'no'}}");
    pt_put(w, SECRET, SELECTED);
    pt_put(w, "apps/deployments/n/a", "{'spec':{'replicas':3}}");
    pt_put(w, PT_CM, "{}");
    pt_run(w);
    edit(w);
    w->entries[1].selector = other;
    w->replication.n_entries = 3; /* no deployments */
    pt_open(w);
    pt_run_for(w, LONG);
    pt_has(w, PT_CM, "{}");
    assert_settled(w, 1, 0);
    assert_int_equal(row_of(w, "apps/deployments/n/a"), RC_NOTFOUND);
    edit(w);
    w->entries[1].selector = w->labels;
    w->replication.n_entries = 4;
    pt_open(w);
    pt_run(w);
    assert_settled(w, 3, 0);
    selector_free(other);
}

static void what_was_frozen_before_the_option_goes_whether_its_source_is_there_or_not(void **state)
{
    struct pump_world *w = *state;
    edit(w);
    w->replication.prune_deselected = false;
    pt_open(w);
    copy(w, 3);
    leave(w, 0, 3);
    pt_delete(w, "/secrets/n/k001");
    pt_run(w);
    assert_settled(w, 3, 0);
    assert_int_equal(pt_status(w).deselected, 3);
    edit(w);
    w->replication.prune_deselected = true;
    pt_open(w);
    pt_run_for(w, LONG);
    assert_settled(w, 0, 0);
}

static void a_deleted_source_of_what_left_changes_nothing(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, SECRET, SELECTED);
    pt_run(w);
    pt_put(w, SECRET, LEFT);
    pt_delete(w, SECRET);
    pt_run_for(w, LONG);
    struct dest_mem_write last = dest_mem_write_at(w->dest, dest_mem_writes(w->dest) - 1);
    assert_int_equal(last.op, SINK_DELETE);
    assert_false(last.observed); /* else what was there before us would go */
    assert_settled(w, 0, 0);
}

/* ---- The guard ---- */

static void ten_may_go_and_eleven_are_held_until_they_are_approved(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    leave(w, 0, 10);
    assert_settled(w, 30, 0);
    leave(w, 10, 10 + TOO_MANY);
    assert_settled(w, 30, TOO_MANY);
    assert_true(
        ft_has(pt_status(w).error, "21 of 40 copies of /secrets left the selection (10 of them"));
    assert_true(ft_has(pt_status(w).error, "--allow-prune team/sync"));
    pt_crash(w);
    pt_run_for(w, 3600 * NS_PER_S);
    assert_settled(w, 30, TOO_MANY);
    approve(w);
    assert_settled(w, 30 - TOO_MANY, 0);
}

static void an_edit_that_concerns_many_is_held(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    edit(w);
    w->replication.n_entries = 1; /* configmaps alone */
    pt_open(w);
    pt_run_for(w, LONG);
    assert_settled(w, 40, 40);
    edit(w);
    w->replication.n_entries = 4; /* a mistake */
    pt_open(w);
    pt_run(w);
    assert_settled(w, 40, 0);
}

static void those_that_leave_one_after_another_are_counted_together(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy(w, 40);
    for (int i = 0; i < 20; i++) {
        pt_put(w, secret(i, key), LEFT);
        pt_run_for(w, NS_PER_S / 10);
    }
    pt_run_for(w, LONG);
    assert_settled(w, 40, 20);
    leave(w, 20, 21); /* the kind waits for approval */
    assert_settled(w, 40, 21);
}

static void each_kind_is_counted_by_itself(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy(w, 40);
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'prod'}}}");
    pt_put(w, SERVICE, "{}");
    pt_run(w);
    pt_put(w, "/namespaces//n", "{'metadata':{'labels':{'env':'test'}}}");
    for (int i = 0; i < TOO_MANY; i++)
        pt_put(w, secret(i, key), LEFT);
    pt_run_for(w, LONG);
    pt_lacks(w, SERVICE);
    assert_settled(w, 40, TOO_MANY);
}

static void what_comes_back_in_time_is_neither_counted_nor_removed(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy(w, 40);
    for (int i = 0; i < TOO_MANY; i++)
        pt_put(w, secret(i, key), LEFT);
    pt_run_for(w, NS_PER_S);
    pt_put(w, secret(0, key), SELECTED);
    pt_run_for(w, LONG);
    pt_has(w, secret(0, key), SELECTED);
    assert_settled(w, 30, 0);
}

static void what_is_held_and_selected_again_is_followed_again(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy(w, 40);
    leave(w, 0, TOO_MANY);
    pt_put(w, secret(0, key), "{'metadata':{'labels':{'sel':'yes'}},'v':2}");
    pt_run(w);
    pt_has(w, secret(0, key), "{'metadata':{'labels':{'sel':'yes'}},'v':2}");
    approve(w);
    assert_settled(w, 30, 0);
    pt_has(w, secret(0, key), "{'metadata':{'labels':{'sel':'yes'}},'v':2}");
}

static void without_the_option_what_was_held_is_frozen(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    leave(w, 0, TOO_MANY);
    pt_delete(w, "/secrets/n/k000");
    pt_run_for(w, LONG);
    assert_settled(w, 40, TOO_MANY);
    edit(w);
    w->replication.prune_deselected = false;
    pt_open(w);
    pt_run(w);
    assert_settled(w, 40, 0);
    assert_int_equal(pt_status(w).deselected, TOO_MANY);
}

static void a_removal_that_is_refused_is_tried_again(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    edit(w);
    w->replication.n_entries = 1;
    pt_refuse(w, "/secrets/n/k000", 3);
    approve(w);
    assert_int_equal(dest_mem_count(w->dest), 1);
    w->prune_until_ns = 0;
    pt_crash(w);
    pt_run_for(w, NS_PER_S); /* it is collected again, and nothing but its hold remembers it */
    pt_crash(w);
    pt_run_for(w, 60 * NS_PER_S);
    assert_settled(w, 0, 0);
}

/* It was there before us, say: only an observed delete of what is selected may take it. */
static void a_removal_that_is_refused_leaves_the_object_deselected(void **state)
{
    struct pump_world *w = *state;
    pt_put(w, SECRET, SELECTED);
    pt_run(w);
    dest_mem_script(w->dest, SECRET, &(struct sink_script){.outcome = SINK_HELD, .cls = "adopted"});
    pt_put(w, SECRET, LEFT);
    pt_run_for(w, LONG);
    assert_int_equal(pt_status(w).held, 1);
    pt_delete(w, SECRET);
    pt_run_for(w, LONG);
    assert_int_equal(dest_mem_last(w->dest).op, SINK_DELETE);
    assert_false(dest_mem_last(w->dest).observed);
    assert_int_equal(pt_status(w).held, 1);
}

/* Labels are selected that were not, and what is copied takes longer than the collection. */
static void nothing_goes_before_all_is_decided(void **state)
{
    struct pump_world *w = *state;
    struct selector *other = ft_selector("{'matchLabels':{'other':'yes'}}");
    char key[40];
    for (int i = 0; i < 30; i++)
        pt_put(w, secret(i, key),
               i < 5 || i >= 15 ? SELECTED : "{'metadata':{'labels':{'sel':'yes','other':'yes'}}}");
    pt_run(w);
    dest_mem_window(w->dest, 1);
    dest_mem_delay(w->dest, NS_PER_S);
    edit(w);
    w->entries[1].selector = other;
    pt_open(w);
    pt_run_for(w, 60 * NS_PER_S);
    assert_settled(w, 30, 20);
    selector_free(other);
}

/* What was refused while it was selected has not passed the guard. */
static void what_was_held_for_another_reason_passes_the_guard_like_any_other(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy(w, 40);
    for (int i = 0; i < TOO_MANY; i++) {
        pt_refuse(w, secret(i, key), 1);
        pt_put(w, secret(i, key), "{'metadata':{'labels':{'sel':'yes'}},'v':2}");
    }
    pt_run_for(w, NS_PER_S);
    assert_int_equal(pt_status(w).held, TOO_MANY);
    edit(w);
    w->replication.n_entries = 1;
    pt_open(w);
    pt_run_for(w, 60 * NS_PER_S);
    assert_settled(w, 40, 40);
}

/* ---- What a person gives up ---- */

static void label(struct pump_world *w, const char *ns, const char *env)
{
    char key[40], object[80];
    snprintf(key, sizeof key, "/namespaces//%s", ns);
    snprintf(object, sizeof object, "{'metadata':{'labels':{'env':'%s'}}}", env);
    pt_put(w, key, object);
}

/* n services of the namespace are copied. */
static void copy_services(struct pump_world *w, const char *ns, int n)
{
    char key[40];
    label(w, ns, "prod");
    for (int i = 0; i < n; i++) {
        snprintf(key, sizeof key, "/services/%s/s%03d", ns, i);
        pt_put(w, key, "{}");
    }
    pt_run(w);
}

static void give_up(struct pump_world *w, const char *key)
{
    const struct hold_order o = {HOLD_SKIP, slice_str(key)};
    struct err e = ERR_INIT;
    bool broken;
    size_t n;
    assert_ok(pump_order(w->pump, &o, &n, &broken, &e));
}

static void a_removal_that_was_given_up_is_not_collected_again(void **state)
{
    struct pump_world *w = *state;
    copy_services(w, "n", TOO_MANY - 1);
    copy_services(w, "m", 1);
    label(w, "n", "test");
    label(w, "m", "test");
    pt_run_for(w, LONG);
    assert_settled(w, TOO_MANY, TOO_MANY);
    give_up(w, "/services/m/s000");
    label(w, "n", "prod");
    pt_run_for(w, LONG);
    assert_settled(w, TOO_MANY, 0);
    label(w, "m", "other");
    pt_run_for(w, LONG);
    pt_has(w, "/services/m/s000", "{}");
    assert_int_equal(pt_status(w).skipped, 1);
    edit(w);
    pt_open(w);
    pt_run_for(w, LONG);
    pt_has(w, "/services/m/s000", "{}");
    assert_int_equal(pt_status(w).skipped, 1);
    label(w, "m", "prod"); /* selected again it is followed as ever */
    pt_run_for(w, LONG);
    assert_int_equal(pt_status(w).skipped, 0);
    label(w, "m", "test");
    pt_run_for(w, LONG);
    assert_settled(w, TOO_MANY - 1, 0);
}

static void what_was_given_up_is_not_counted_against_others(void **state)
{
    struct pump_world *w = *state;
    char key[40];
    copy_services(w, "n", 1);
    copy_services(w, "m", TOO_MANY);
    label(w, "m", "test");
    pt_run_for(w, LONG);
    assert_settled(w, TOO_MANY + 1, TOO_MANY);
    for (int i = 0; i < TOO_MANY; i++) {
        snprintf(key, sizeof key, "/services/m/s%03d", i);
        give_up(w, key);
    }
    label(w, "n", "test");
    pt_run_for(w, LONG);
    pt_lacks(w, "/services/n/s000");
    assert_settled(w, TOO_MANY, 0);
}

/* ---- Crashes ---- */

/* Runs until the `die`-th step, then dies; false if there were not so many. */
static bool run_until(struct pump_world *w, int die)
{
    int64_t end = pt_now(w) + LONG;
    for (int i = 0; i < die; i++) {
        struct err e = ERR_INIT;
        int64_t wake = 0;
        enum rc rc = pt_step(w, &wake, &e);
        assert_true(rc >= 0);
        if (rc == RC_AGAIN && wake >= end)
            return false;
        if (rc == RC_AGAIN)
            pt_wait(w, wake - pt_now(w));
    }
    return true;
}

static void I3_a_crash_anywhere_ends_the_same(void **state)
{
    (void)state;
    bool more = true;
    for (int die = 0; more; die++) {
        struct pump_world *w = removing();
        copy(w, 3);
        pt_put(w, "/secrets/n/k000", LEFT);
        pt_put(w, "/secrets/n/k001", LEFT);
        more = run_until(w, die);
        pt_crash(w);
        pt_run_for(w, LONG);
        assert_settled(w, 1, 0);
        assert_int_equal(row_of(w, "/secrets/n/k000"), RC_NOTFOUND);
        pt_free(w);
    }
}

static void I3_a_crash_in_an_edit_that_is_taken_back_ends_as_before_it(void **state)
{
    (void)state;
    bool more = true;
    for (int die = 0; more; die++) {
        struct pump_world *w = removing();
        copy(w, 3);
        edit(w);
        w->replication.n_entries = 1;
        pt_open(w);
        more = run_until(w, die);
        pt_close(w);
        w->replication.digest[0] = 1;
        w->replication.n_entries = 4;
        pt_open(w);
        pt_run_for(w, LONG);
        assert_settled(w, 3, 0);
        pt_free(w);
    }
}

/* A life that removed it may have died before it could say so. */
static void what_is_selected_again_is_looked_at_whatever_its_record_says(void **state)
{
    struct pump_world *w = *state;
    copy(w, 40);
    leave(w, 0, TOO_MANY);
    pt_put(w, "/secrets/n/k000", SELECTED);
    pt_run(w);
    assert_true(dest_mem_last(w->dest).unsure);
    pt_put(w, "/secrets/n/k000", "{'metadata':{'labels':{'sel':'yes'}},'v':2}");
    pt_run(w);
    assert_false(dest_mem_last(w->dest).unsure);
}

/* I6: what a lost log does not know may live in a source that was not listed yet. */
static void I6_what_the_log_does_not_know_stays(void **state)
{
    struct pump_world *w = *state;
    struct err e = ERR_INIT;
    w->replication.prune_deselected = false;
    edit(w);
    pt_open(w);
    pt_put(w, SECRET, SELECTED);
    pt_run(w);
    pt_put(w, SECRET, LEFT);
    pt_run_for(w, LONG);
    pt_close(w);
    rlog_close(w->log.log);
    rlog_mem_store_free(w->log.store);
    w->log.store = rlog_mem_store_new();
    assert_ok(rlog_mem_open(w->log.store, RLOG_WRITE, &w->log.env, &w->log.log, &e));
    w->log.log = rlog_fault_new(w->log.log);
    pt_put(w, PT_CM, "{}");
    pt_open(w);
    pt_run_for(w, LONG);
    w->replication.prune_deselected = true;
    edit(w);
    pt_open(w);
    pt_run_for(w, LONG);
    pt_has(w, SECRET, SELECTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_found_copy_whose_removal_a_crash_cut_off_goes_in_the_next_life),
        TEST(an_object_whose_labels_changed_goes_and_comes_back),
        TEST(a_namespace_that_changed_its_labels_takes_its_objects_along),
        TEST(an_edited_filter_and_a_removed_entry_are_carried_out),
        TEST(what_was_frozen_before_the_option_goes_whether_its_source_is_there_or_not),
        TEST(a_deleted_source_of_what_left_changes_nothing),
        TEST(ten_may_go_and_eleven_are_held_until_they_are_approved),
        TEST(an_edit_that_concerns_many_is_held),
        TEST(those_that_leave_one_after_another_are_counted_together),
        TEST(each_kind_is_counted_by_itself),
        TEST(what_comes_back_in_time_is_neither_counted_nor_removed),
        TEST(what_is_held_and_selected_again_is_followed_again),
        TEST(without_the_option_what_was_held_is_frozen),
        TEST(I6_what_the_log_does_not_know_stays),
        TEST(a_removal_that_is_refused_is_tried_again),
        TEST(a_removal_that_is_refused_leaves_the_object_deselected),
        TEST(nothing_goes_before_all_is_decided),
        TEST(what_was_held_for_another_reason_passes_the_guard_like_any_other),
        TEST(a_removal_that_was_given_up_is_not_collected_again),
        TEST(what_was_given_up_is_not_counted_against_others),
        cmocka_unit_test(I3_a_crash_anywhere_ends_the_same),
        cmocka_unit_test(I3_a_crash_in_an_edit_that_is_taken_back_ends_as_before_it),
        TEST(what_is_selected_again_is_looked_at_whatever_its_record_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

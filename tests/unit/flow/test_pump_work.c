#include "tests/unit/flow/flow_test.h"

#include "flow/pump_work.h"

static struct flight *begin(struct work *w, const char *key, rlog_off anchor)
{
    struct flight *f = NULL;
    struct err e = ERR_INIT;
    assert_ok(
        work_begin(w, &(struct event){.offset = anchor, .key = slice_str(key)}, anchor, &f, &e));
    return f;
}

static void again(struct work *w, const char *key, rlog_off anchor, bool approved)
{
    struct err e = ERR_INIT;
    assert_ok(work_again(w, slice_str(key), (struct again){anchor, .approved = approved}, &e));
}

static void a_flight_is_found_by_key_and_by_its_own_ticket(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    struct flight *a = begin(w, "/configmaps/n/a", 1);
    struct flight *b = begin(w, "/configmaps/n/b", 2);
    assert_ptr_equal(work_by_key(w, SLICE("/configmaps/n/a")), a);
    assert_ptr_equal(work_by_ticket(w, b->item.ticket), b);
    assert_int_not_equal(a->item.ticket, b->item.ticket);
    assert_int_equal(work_count(w), 2);
    uint64_t ticket = a->item.ticket;
    work_end(w, a);
    assert_null(work_by_ticket(w, ticket));
    assert_null(work_by_key(w, SLICE("/configmaps/n/a")));
    assert_int_not_equal(begin(w, "/configmaps/n/a", 3)->item.ticket, ticket);
}

static void a_flight_keeps_its_own_copy_of_the_event(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    char key[] = "/configmaps/n/a";
    struct flight *f = begin(w, key, 1);
    key[12] = 'z';
    assert_true(slice_eq(f->item.event->key, SLICE("/configmaps/n/a")));
    assert_ptr_equal(work_by_key(w, SLICE("/configmaps/n/a")), f);
}

static void the_lowest_anchor_counts_and_each_is_released_as_often_as_it_was_taken(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    struct err e = ERR_INIT;
    assert_int_equal(work_lowest(w, 99), 99);
    assert_ok(work_anchor(w, 300, &e));
    assert_ok(work_anchor(w, 7, &e));
    assert_ok(work_anchor(w, 7, &e));
    assert_ok(work_anchor(w, 0, &e));
    assert_int_equal(work_lowest(w, 99), 7);
    work_release(w, 7);
    assert_int_equal(work_lowest(w, 99), 7);
    work_release(w, 7);
    work_release(w, 0);
    assert_int_equal(work_lowest(w, 99), 300);
    work_release(w, 300);
    assert_int_equal(work_lowest(w, 99), 99);
}

static void ending_a_flight_releases_its_anchor(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    struct flight *a = begin(w, "/configmaps/n/a", 5);
    begin(w, "/configmaps/n/b", 6);
    begin(w, "/configmaps/n/c", 0);
    assert_int_equal(work_lowest(w, 9), 5);
    work_end(w, a);
    assert_int_equal(work_lowest(w, 9), 6);
}

static void a_key_is_looked_at_again_only_when_nothing_of_it_is_in_flight(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    AUTO(freep) char *key = NULL;
    struct again what;
    struct flight *f = begin(w, "/configmaps/n/a", 5);
    again(w, "/configmaps/n/a", 8, false);
    assert_false(work_next_again(w, &key, &what));
    work_end(w, f);
    assert_int_equal(work_lowest(w, 9), 8);
    assert_true(work_next_again(w, &key, &what));
    assert_string_equal(key, "/configmaps/n/a");
    assert_int_equal(what.anchor, 8);
    assert_int_equal(work_lowest(w, 9), 8); /* still counted: the caller releases it */
    work_release(w, 8);
    freep(&key);
    assert_false(work_next_again(w, &key, &what));
}

static void a_newer_anchor_replaces_the_older_one_and_its_approval(void **state)
{
    (void)state;
    AUTO(work_freep) struct work *w = work_new();
    AUTO(freep) char *key = NULL;
    struct again what;
    again(w, "k", 5, true);
    again(w, "k", 8, false);
    again(w, "k", 3, false);
    assert_int_equal(work_lowest(w, 9), 8);
    assert_true(work_next_again(w, &key, &what));
    assert_int_equal(what.anchor, 8);
    assert_false(what.approved);
    work_release(w, 8);
    freep(&key);
    again(w, "k", 5, false);
    again(w, "k", 5, true);
    again(w, "k", 0, false);
    assert_true(work_next_again(w, &key, &what));
    assert_true(what.approved);
    work_release(w, 5);
    assert_int_equal(work_lowest(w, 9), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flight_is_found_by_key_and_by_its_own_ticket),
        cmocka_unit_test(a_flight_keeps_its_own_copy_of_the_event),
        cmocka_unit_test(the_lowest_anchor_counts_and_each_is_released_as_often_as_it_was_taken),
        cmocka_unit_test(ending_a_flight_releases_its_anchor),
        cmocka_unit_test(a_key_is_looked_at_again_only_when_nothing_of_it_is_in_flight),
        cmocka_unit_test(a_newer_anchor_replaces_the_older_one_and_its_approval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

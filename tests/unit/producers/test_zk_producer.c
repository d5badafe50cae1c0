#include "tests/unit/producers/zk_test.h"

#include "producers/producer_queue.h"

static void the_identity_is_the_databases_name_and_said_once_a_life(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    fake_zk_put(w.zk, "/a", "1");
    zw_start(&w);
    const struct event *ev;
    struct err e = ERR_INIT;
    while (producer_take(w.producer, &ev, &e) != RC_OK)
        zw_step(&w, 0);
    assert_true(slice_eq(
        ev->body, SLICE("{\"identity\":\"zookeeper default/source\",\"reason\":\"start\"}")));
    assert_true(slice_eq(ev->key, SLICE("@epoch/source")));
    zw_add(&w, "/a", false);
    fake_zk_lose(w.zk);
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin put:/a=1 sync-end");
    zw_done(&w);
}

static void nothing_is_asked_before_the_identity_was_taken(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    zw_start(&w);
    zw_add(&w, "/a", false);
    for (int i = 0; i < 20; i++)
        zw_step(&w, 0);
    assert_int_equal(fake_zk_asked(w.zk, FAKE_ZK_ANY), 0);
    zw_done(&w);
}

static void an_ensemble_whose_zxid_went_back_is_another_history(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    size_t saved = fake_zk_save(w.zk);
    for (int i = 0; i < 20; i++)
        fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=22");
    fake_zk_restore(w.zk, saved);
    zw_run(&w);
    zw_assert_said(&w, "gap epoch:regression sync-begin put:/a=1 put:/a/b=2 put:/a/c=3 sync-end");
    zw_assert_same(&w, "/a");
    fake_zk_set(w.zk, "/a/b", "222");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=222");
    zw_done(&w);
}

static void so_is_one_whose_zxid_is_below_the_logs_position(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    size_t saved = fake_zk_save(w.zk);
    for (int i = 0; i < 20; i++)
        fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    zw_stop(&w);
    fake_zk_restore(w.zk, saved);
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=22 epoch:start epoch:regression sync-begin put:/a=1 put:/a/b=2 "
                       "put:/a/c=3 sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

/* A restored ensemble elects a leader anew, and with that its zxids are higher than ever. */
static void a_node_that_went_back_in_an_ensemble_that_did_not_is_another_history(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    size_t saved = fake_zk_save(w.zk);
    fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=22");
    fake_zk_restore(w.zk, saved);
    for (int i = 0; i < 20; i++)
        fake_zk_put(w.zk, "/elsewhere", "x");
    zw_run(&w);
    zw_assert_said(&w, "gap sync-begin same:/a epoch:regression sync-begin put:/a=1 put:/a/b=2 "
                       "put:/a/c=3 sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_node_of_another_making_than_the_logs_is_another_history(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    for (int i = 0; i < 10; i++)
        fake_zk_set(w.zk, "/a/c", "3");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/c=3");
    zw_stop(&w);
    fake_zk_free(w.zk);
    w.zk = fake_zk_new(&w.clock.clock);
    fake_zk_put(w.zk, "/a", "1"); /* the same czxid */
    fake_zk_put(w.zk, "/x", "1");
    fake_zk_put(w.zk, "/a/c", "3");
    for (int i = 0; i < 100; i++)
        fake_zk_set(w.zk, "/x", "y");
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    assert_true(slice_starts(buf_slice(&w.said), SLICE("epoch:start sync-begin")));
    assert_true(slice_ends(buf_slice(&w.said),
                           SLICE("epoch:regression sync-begin put:/a=1 put:/a/c=3 sync-end "
                                 "missing:/a/b")));
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

/* It was made after the log's node was changed last, but the log has all up to a later zxid. */
static void so_is_one_that_the_log_would_have_if_it_were_of_its_history(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    for (int i = 0; i < 100; i++)
        fake_zk_put(w.zk, "/elsewhere", "x");
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin same:/a same:/a/b same:/a/c sync-end");
    zw_stop(&w);
    fake_zk_free(w.zk);
    w.zk = fake_zk_new(&w.clock.clock);
    for (int i = 0; i < 50; i++)
        fake_zk_put(w.zk, "/x", "y");
    fake_zk_put(w.zk, "/a/b", "2");
    for (int i = 0; i < 100; i++)
        fake_zk_put(w.zk, "/x", "y");
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin epoch:regression sync-begin put:/a= put:/a/b=2 "
                       "sync-end missing:/a/c");
    zw_done(&w);
}

static void a_node_made_anew_since_is_none(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    zw_stop(&w);
    fake_zk_delete(w.zk, "/a/b");
    fake_zk_put(w.zk, "/a/b", "22");
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/a=1 put:/a/b=22 same:/a/c sync-end");
    zw_done(&w);
}

static void while_events_are_not_taken_nothing_more_is_asked(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    char path[32];
    for (int i = 0; i < 50000; i++) {
        snprintf(path, sizeof path, "/a/%d", i);
        fake_zk_put(w.zk, path, "1");
    }
    zw_start(&w);
    zw_add(&w, "/a", false);
    for (int i = 0; i < 10; i++)
        zw_step(&w, 1); /* the identity */
    for (int i = 0; i < 1000; i++)
        zw_step(&w, 0);
    size_t read = fake_zk_asked(w.zk, ZK_GET_DATA);
    assert_true(read >= PRODUCER_QUEUE_EVENTS && read < 20000);
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "/a/%d", i);
        fake_zk_put(w.zk, path, "2");
        zw_step(&w, 0);
    }
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_DATA), read);
    zw_run(&w);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void several_roots_share_a_session(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/ab", "5");
    zw_add(&w, "/ab", false);
    zw_run(&w);
    zw_assert_said(&w, "sync-begin put:/ab=5 sync-end");
    fake_zk_put(w.zk, "/ab/x", "6");
    fake_zk_set(w.zk, "/a/b", "22");
    fake_zk_set(w.zk, "/elsewhere", "7");
    zw_run(&w);
    zw_assert_same(&w, "/a");
    zw_assert_same(&w, "/ab");
    assert_int_equal(zw_status(&w, 1).phase, PRODUCER_FOLLOWING);
    zw_done(&w);
}

static void a_root_that_is_dropped_says_no_more_and_can_come_again(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set(w.zk, "/a/b", "22");
    for (int i = 0; i < 10; i++)
        zw_step(&w, 0);
    producer_drop(w.producer, SLICE("/a"));
    producer_drop(w.producer, SLICE("/a"));
    zw_run(&w);
    zw_assert_said(&w, "");
    zw_add(&w, "/a", false);
    zw_add(&w, "/a", false);
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a put:/a/b=22 same:/a/c sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void there_are_no_kinds_in_an_ensemble(void **state)
{
    (void)state;
    struct zk_world w;
    struct producer_kind kind;
    zt_follow(&w);
    assert_int_equal(producer_kind(w.producer, 0, &kind), RC_END);
    zw_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_identity_is_the_databases_name_and_said_once_a_life),
        cmocka_unit_test(nothing_is_asked_before_the_identity_was_taken),
        cmocka_unit_test(an_ensemble_whose_zxid_went_back_is_another_history),
        cmocka_unit_test(so_is_one_whose_zxid_is_below_the_logs_position),
        cmocka_unit_test(a_node_that_went_back_in_an_ensemble_that_did_not_is_another_history),
        cmocka_unit_test(a_node_of_another_making_than_the_logs_is_another_history),
        cmocka_unit_test(so_is_one_that_the_log_would_have_if_it_were_of_its_history),
        cmocka_unit_test(a_node_made_anew_since_is_none),
        cmocka_unit_test(while_events_are_not_taken_nothing_more_is_asked),
        cmocka_unit_test(several_roots_share_a_session),
        cmocka_unit_test(a_root_that_is_dropped_says_no_more_and_can_come_again),
        cmocka_unit_test(there_are_no_kinds_in_an_ensemble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

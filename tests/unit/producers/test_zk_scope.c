#include "tests/unit/producers/zk_test.h"

static void assert_phase(struct zk_world *w, enum producer_phase phase, const char *error)
{
    struct producer_status s = zw_status(w, 0);
    assert_int_equal(s.phase, phase);
    if (!strstr(s.error, error) || (!error[0] && s.error[0]))
        fail_msg("\"%s\" is not in \"%s\"", error, s.error);
}

static void a_root_is_listed_and_then_followed(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    assert_phase(&w, PRODUCER_FOLLOWING, "");
    fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=22");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void the_whole_tree_is_listed_without_what_belongs_to_the_server(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    fake_zk_put(w.zk, "/x", "1");
    fake_zk_put(w.zk, "/x/zookeeper", "2");
    fake_zk_put(w.zk, "/zookeepers", "3");
    zw_start(&w);
    zw_add(&w, "/", false);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/= put:/x=1 put:/zookeepers=3 "
                       "put:/x/zookeeper=2 sync-end");
    fake_zk_put(w.zk, "/zookeeper/quota/x", "limit");
    fake_zk_put(w.zk, "/x/zookeeper/y", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/x/zookeeper/y=4 put:/x/zookeeper=2");
    zw_assert_same(&w, "/");
    zw_done(&w);
}

static void a_root_that_does_not_exist_is_missing_and_never_empty(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start");
    assert_phase(&w, PRODUCER_MISSING, "the root does not exist");
    zw_pass(&w, 10 * WALK_NS);
    zw_assert_said(&w, "");
    fake_zk_set_down(w.zk, true);
    zw_run(&w);
    assert_int_equal(zw_status(&w, 0).phase, PRODUCER_CONNECTING);
    assert_null(strstr(zw_status(&w, 0).error, "root"));
    zw_done(&w);
}

static void a_root_that_appears_is_listed_at_once(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    fake_zk_put(w.zk, "/a/b", "2");
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/a= put:/a/b=2 sync-end");
    assert_phase(&w, PRODUCER_FOLLOWING, "");
    zw_done(&w);
}

static void a_missing_root_is_looked_for_again_without_being_told(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    size_t syncs = fake_zk_asked(w.zk, ZK_SYNC);
    zw_pass(&w, WALK_NS);
    assert_true(fake_zk_asked(w.zk, ZK_SYNC) > syncs);
    zw_done(&w);
}

static void a_root_that_is_deleted_while_it_is_followed_is_a_delete(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_delete_tree(w.zk, "/a");
    zw_run(&w);
    zw_assert_said(&w, "delete:/a/c delete:/a/b delete:/a");
    assert_phase(&w, PRODUCER_MISSING, "the root does not exist");
    zw_pass(&w, 2 * WALK_NS);
    zw_assert_said(&w, "");
    assert_phase(&w, PRODUCER_MISSING, "the root does not exist");
    fake_zk_put(w.zk, "/a/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/a= put:/a/d=4");
    assert_phase(&w, PRODUCER_FOLLOWING, "");
    zw_done(&w);
}

static void a_root_that_is_gone_after_a_loss_is_never_taken_for_an_empty_one(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_lose(w.zk);
    fake_zk_delete_tree(w.zk, "/a");
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "gap");
    assert_phase(&w, PRODUCER_MISSING, "the root does not exist");
    assert_non_null(zw_node(&w, "/a/b"));
    zw_done(&w);
}

static void a_root_that_may_not_be_read_is_denied_and_never_empty(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    fake_zk_put(w.zk, "/a/b", "2");
    fake_zk_set_acl(w.zk, "/a", "digest:alice:hash:cdrwa");
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start");
    assert_phase(&w, PRODUCER_DENIED, "secretName");
    fake_zk_set_acl(w.zk, "/a", "world:anyone:r");
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin put:/a= put:/a/b=2 sync-end");
    zw_done(&w);
}

static void assert_too_old(int op)
{
    struct zk_world w;
    zw_init(&w);
    fake_zk_put(w.zk, "/a", "1");
    fake_zk_plan(
        w.zk, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR, .op = op, .error = ZK_UNIMPLEMENTED});
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    assert_phase(&w, PRODUCER_CONNECTING, "must be ZooKeeper 3.6 or newer");
    assert_null(strstr(w.said.p, "sync-end"));
    zw_pass(&w, WALK_NS); /* the ensemble was upgraded */
    assert_phase(&w, PRODUCER_FOLLOWING, "");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_server_that_is_too_old_is_one_clear_error(void **state)
{
    (void)state;
    assert_too_old(ZK_MULTI_READ);
    assert_too_old(ZK_ADD_WATCH);
}

static void a_walk_is_left_out_while_nothing_happened(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    zw_pass(&w, WALK_NS);
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "");
    assert_int_equal(fake_zk_asked(w.zk, ZK_SYNC), 2);
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_DATA), 0);
    zw_done(&w);
}

static void an_acl_is_found_by_the_next_walk_and_not_before(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:r");
    zw_pass(&w, WALK_NS / 2);
    zw_assert_said(&w, "");
    zw_pass(&w, WALK_NS / 2);
    zw_assert_said(&w, "sync-begin same:/a put:/a/b=2 same:/a/c sync-end");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 1);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void nodes_that_the_log_has_cost_no_body_and_no_acl(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    zw_stop(&w);
    fake_zk_set(w.zk, "/a/b", "22");
    fake_zk_forget(w.zk);
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin same:/a put:/a/b=22 same:/a/c sync-end");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 0); /* b's is in the log */
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_lost_connection_is_a_gap_and_a_listing_that_misses_nothing(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_lose(w.zk);
    fake_zk_set(w.zk, "/a/b", "22");
    fake_zk_delete(w.zk, "/a/c");
    fake_zk_put(w.zk, "/a/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "gap sync-begin put:/a=1 put:/a/b=22 put:/a/d=4 sync-end missing:/a/c");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void while_there_is_no_connection_one_gap_is_said_and_the_reason_shown(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set_down(w.zk, true);
    for (int i = 0; i < 20; i++)
        zw_pass(&w, 5 * NS_PER_S);
    zw_assert_said(&w, "gap");
    assert_int_equal(zw_status(&w, 0).phase, PRODUCER_CONNECTING);
    assert_true(zw_status(&w, 0).error[0]);
    fake_zk_set_down(w.zk, false);
    zw_pass(&w, 60 * NS_PER_S);
    zw_assert_said(&w, "sync-begin same:/a same:/a/b same:/a/c sync-end");
    zw_done(&w);
}

static void a_position_says_that_nothing_is_left_to_be_said(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    assert_int_equal(znode_version_zxid(buf_slice(&w.position)), fake_zk_zxid(w.zk));
    zw_done(&w);
}

static void a_root_that_is_no_path_is_refused(void **state)
{
    (void)state;
    struct zk_world w;
    struct err e = ERR_INIT;
    zw_init(&w);
    zw_start(&w);
    assert_int_equal(producer_add(w.producer, SLICE("a"), SLICE_NULL, SLICE_NULL, &e), RC_INVALID);
    assert_int_equal(producer_add(w.producer, SLICE("/a/"), SLICE_NULL, SLICE_NULL, &e),
                     RC_INVALID);
    char path[EVENT_TEXT_MAX];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    assert_int_equal(
        producer_add(w.producer, slice_of(path, sizeof path), SLICE_NULL, SLICE_NULL, &e),
        RC_INVALID);
    zw_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_is_listed_and_then_followed),
        cmocka_unit_test(the_whole_tree_is_listed_without_what_belongs_to_the_server),
        cmocka_unit_test(a_root_that_does_not_exist_is_missing_and_never_empty),
        cmocka_unit_test(a_root_that_appears_is_listed_at_once),
        cmocka_unit_test(a_missing_root_is_looked_for_again_without_being_told),
        cmocka_unit_test(a_root_that_is_deleted_while_it_is_followed_is_a_delete),
        cmocka_unit_test(a_root_that_is_gone_after_a_loss_is_never_taken_for_an_empty_one),
        cmocka_unit_test(a_root_that_may_not_be_read_is_denied_and_never_empty),
        cmocka_unit_test(a_server_that_is_too_old_is_one_clear_error),
        cmocka_unit_test(a_walk_is_left_out_while_nothing_happened),
        cmocka_unit_test(an_acl_is_found_by_the_next_walk_and_not_before),
        cmocka_unit_test(nodes_that_the_log_has_cost_no_body_and_no_acl),
        cmocka_unit_test(a_lost_connection_is_a_gap_and_a_listing_that_misses_nothing),
        cmocka_unit_test(while_there_is_no_connection_one_gap_is_said_and_the_reason_shown),
        cmocka_unit_test(a_position_says_that_nothing_is_left_to_be_said),
        cmocka_unit_test(a_root_that_is_no_path_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

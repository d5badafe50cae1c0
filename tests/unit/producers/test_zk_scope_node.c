#include "tests/unit/producers/zk_test.h"

#include "core/diag.h"

/* /a/d is created, its data was read, and its ACL was asked for but not read. */
static void read_data_of_d(struct zk_world *w)
{
    fake_zk_create(w->zk, "/a/d", "4");
    while (fake_zk_asked(w->zk, ZK_GET_DATA) == 0)
        zw_step(w, 0);
    assert_int_equal(fake_zk_asked(w->zk, ZK_GET_ACL), 0);
}

static void a_change_of_data_costs_no_acl(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set(w.zk, "/a/b", "22");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=22");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 0);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void another_node_of_the_same_path_has_another_acl(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_delete(w.zk, "/a/b");
    const struct znode_acl acl = {ZNODE_READ | ZNODE_ADMIN, SLICE("world"), SLICE("anyone")};
    const struct zk_call create = {
        .op = ZK_CREATE, .path = SLICE("/a/b"), .data = SLICE("2"), .acl = &acl, .n_acl = 1};
    assert_int_equal(fake_zk_do(w.zk, &create, NULL), ZK_OK);
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=2 put:/a=1");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 1);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_node_that_was_made_anew_while_it_was_hidden_is_no_other_history(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set_acl(w.zk, "/a/b", "digest:bob:hash:cdrwa");
    fake_zk_delete(w.zk, "/a/b");
    const struct znode_acl bob = {ZNODE_ALL, SLICE("digest"), SLICE("bob:hash")};
    const struct zk_call create = {
        .op = ZK_CREATE, .path = SLICE("/a/b"), .data = SLICE("new"), .acl = &bob, .n_acl = 1};
    assert_int_equal(fake_zk_do(w.zk, &create, NULL), ZK_OK);
    fake_zk_set(w.zk, "/a/c", "33");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/c=33");
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:cdrwa");
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin put:/a=1 put:/a/b=new same:/a/c sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void an_acl_that_was_set_after_the_data_was_read_is_said_with_it(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    read_data_of_d(&w);
    fake_zk_set_acl(w.zk, "/a/d", "world:anyone:r");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/d=4 put:/a=1");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void data_and_acl_that_both_changed_are_read_again(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    read_data_of_d(&w);
    fake_zk_set(w.zk, "/a/d", "44");
    fake_zk_set_acl(w.zk, "/a/d", "world:anyone:r");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/d=44 put:/a=1");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_node_that_vanished_before_its_acl_was_read_is_not_said(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    read_data_of_d(&w);
    fake_zk_delete(w.zk, "/a/d");
    zw_run(&w);
    zw_assert_said(&w, "put:/a=1");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_listed_node_whose_acl_is_forbidden_is_not_taken_for_deleted(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:r");
    fake_zk_plan(w.zk, &(struct fake_zk_rule){
                           .fault = FAKE_ZK_ERROR, .op = ZK_GET_ACL, .error = ZK_NO_AUTH});
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end");
    assert_non_null(zw_node(&w, "/a/b"));
    assert_non_null(strstr(zw_status(&w, 0).error, "/a/b: not authorised"));
    zw_done(&w);
}

static void
a_listed_node_that_changed_before_its_acl_was_read_is_said_behind_the_listing(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:r");
    fake_zk_forget(w.zk);
    fake_clock_advance(&w.clock, WALK_NS);
    while (fake_zk_asked(w.zk, ZK_GET_DATA) < 3)
        zw_step(&w, 0);
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 0);
    fake_zk_set(w.zk, "/a/b", "22");
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:rw");
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end put:/a/b=22");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void so_is_one_that_only_the_log_knows(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    zw_stop(&w);
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:r");
    fake_zk_forget(w.zk);
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_step(&w, 1); /* the identity */
    while (fake_zk_asked(w.zk, ZK_GET_DATA) < 3)
        zw_step(&w, 0);
    fake_zk_set(w.zk, "/a/b", "22");
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:rw");
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin same:/a same:/a/c sync-end put:/a/b=22");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void keep_line(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void an_acl_whose_hashes_are_hidden_is_said(void **state)
{
    (void)state;
    struct zk_world w;
    AUTO(buf_done) struct buf lines = BUF_INIT(1 << 20);
    zw_init(&w);
    w.env.diag = diag_new(&w.clock.clock, DIAG_TEXT, DIAG_WARN, keep_line, &lines);
    fake_zk_put(w.zk, "/a/b", "1");
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:r,digest:alice:hash:cdrwa");
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    assert_non_null(strstr(lines.p, "ACL read without its hashes"));
    assert_non_null(strstr(lines.p, "path=/a/b"));
    assert_null(strstr(lines.p, "path=/a\n"));
    buf_reset(&lines);
    fake_zk_put(w.zk, "/elsewhere", "1");
    zw_pass(&w, WALK_NS); /* once is enough */
    assert_int_equal(lines.n, 0);
    struct diag *diag = w.env.diag;
    zw_done(&w);
    diag_free(diag);
}

static void without_acls_none_is_asked_for_and_bodies_have_none(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    w.opts.acl = false;
    fake_zk_put(w.zk, "/a", "1");
    zw_start(&w);
    zw_add(&w, "/a", false);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/a=1 sync-end");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_ACL), 0);
    struct slice body = zw_node(&w, "/a")->body;
    assert_null(memmem(body.p, body.n, "acl\":", 5));
    fake_zk_set_acl(w.zk, "/a", "world:anyone:r");
    zw_pass(&w, WALK_NS);
    zw_assert_said(&w, "sync-begin same:/a sync-end");
    zw_stop(&w);
    w.opts.acl = true; /* what the log has is without ACL */
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/a=1 sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_of_data_costs_no_acl),
        cmocka_unit_test(another_node_of_the_same_path_has_another_acl),
        cmocka_unit_test(a_node_that_was_made_anew_while_it_was_hidden_is_no_other_history),
        cmocka_unit_test(an_acl_that_was_set_after_the_data_was_read_is_said_with_it),
        cmocka_unit_test(data_and_acl_that_both_changed_are_read_again),
        cmocka_unit_test(a_node_that_vanished_before_its_acl_was_read_is_not_said),
        cmocka_unit_test(a_listed_node_whose_acl_is_forbidden_is_not_taken_for_deleted),
        cmocka_unit_test(
            a_listed_node_that_changed_before_its_acl_was_read_is_said_behind_the_listing),
        cmocka_unit_test(so_is_one_that_only_the_log_knows),
        cmocka_unit_test(an_acl_whose_hashes_are_hidden_is_said),
        cmocka_unit_test(without_acls_none_is_asked_for_and_bodies_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

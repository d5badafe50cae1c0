#include "tests/unit/producers/zk_test.h"

static void create_set_and_delete_are_said_as_they_happen(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_create(w.zk, "/a/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/d=4 put:/a=1"); /* the parent's sequence moved */
    fake_zk_set(w.zk, "/a/d", "44");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/d=44");
    size_t body = zw_node(&w, "/a/d")->body.n;
    fake_zk_delete(w.zk, "/a/d");
    zw_run(&w);
    zw_assert_said(&w, "delete:/a/d");
    assert_int_equal(w.last_words, body);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_delete_has_no_body_of_a_node_before_it(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_delete(w.zk, "/a/b");
    fake_zk_put(w.zk, "/a/b", "new");
    for (int i = 0; i < 10; i++) /* the log is behind */
        zw_step(&w, 0);
    fake_zk_delete(w.zk, "/a/b");
    for (int i = 0; i < 10; i++)
        zw_step(&w, 0);
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=new put:/a=1 delete:/a/b");
    assert_int_equal(w.last_words, 0);
    zw_done(&w);
}

static void a_burst_on_one_node_is_read_once(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    char data[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(data, sizeof data, "%d", i);
        fake_zk_set(w.zk, "/a/b", data);
    }
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b=999");
    assert_int_equal(fake_zk_asked(w.zk, ZK_GET_DATA), 1);
    zw_done(&w);
}

static void many_nodes_are_read_in_few_requests(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    char path[32];
    for (int i = 0; i < 480; i++) {
        snprintf(path, sizeof path, "/a/n%03d", i);
        fake_zk_create(w.zk, path, "x");
    }
    zw_run(&w);
    assert_int_equal(fake_zk_asked(w.zk, ZK_MULTI_READ), 11); /* ten, and the parent's */
    assert_true(slice_ends(buf_slice(&w.said), SLICE("put:/a/n479=x put:/a=1")));
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void new_parents_come_before_their_children(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/a/x/y/z", "1");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/x= put:/a/x/y= put:/a/x/y/z=1 put:/a=1");
    zw_done(&w);
}

static void deletes_come_deepest_first_and_before_what_was_made(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/a/b/d/e", "5");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b/d= put:/a/b/d/e=5 put:/a/b=2");
    fake_zk_delete_tree(w.zk, "/a/b");
    fake_zk_put(w.zk, "/a/b", "again");
    zw_run(&w);
    zw_assert_said(&w, "delete:/a/b/d/e delete:/a/b/d put:/a/b=again put:/a=1");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_child_that_came_and_went_is_not_said_but_moved_its_parents_sequence(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_create(w.zk, "/a/d", "4");
    fake_zk_delete(w.zk, "/a/d");
    zw_run(&w);
    zw_assert_said(&w, "put:/a=1");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_delete_that_moves_no_sequence_says_nothing_of_the_parent(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_delete(w.zk, "/a/b");
    zw_run(&w);
    zw_assert_said(&w, "delete:/a/b");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void ephemeral_nodes_are_said_with_their_owner(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_create_ephemeral(w.zk, "/a/lock", "me");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/lock=me put:/a=1");
    struct slice body = zw_node(&w, "/a/lock")->body;
    assert_null(memmem(body.p, body.n, "\"ephemeralOwner\":0,", 19));
    zw_done(&w);
}

static void a_node_that_may_no_longer_be_read_is_not_deleted(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_set(w.zk, "/a/b", "22"); /* told, and read when it is forbidden */
    fake_zk_set_acl(w.zk, "/a/b", "digest:alice:hash:cdrwa");
    zw_run(&w);
    zw_assert_said(&w, "");
    assert_non_null(zw_node(&w, "/a/b"));
    assert_non_null(strstr(zw_status(&w, 0).error, "/a/b: not authorised"));
    zw_done(&w);
}

static size_t reads_of_a_step(struct zk_world *w)
{
    size_t before = fake_zk_asked(w->zk, ZK_MULTI_READ);
    zw_step(w, SIZE_MAX);
    return fake_zk_asked(w->zk, ZK_MULTI_READ) - before;
}

static void large_answers_are_asked_for_one_at_a_time(void **state)
{
    (void)state;
    struct zk_world w;
    AUTO(freep) char *large = calloc(1, 100001);
    memset(large, 'x', 100000);
    zt_follow(&w);
    char path[32];
    for (int i = 0; i < 480; i++) {
        snprintf(path, sizeof path, "/a/n%03d", i);
        fake_zk_create(w.zk, path, large);
    }
    size_t reads = 0;
    while (reads < 4) /* of which nobody knew that they are large */
        reads += reads_of_a_step(&w);
    assert_int_equal(reads, 4);
    while (reads < 10) {
        size_t more = reads_of_a_step(&w);
        assert_true(more <= 1);
        reads += more;
    }
    zw_run(&w);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void sequences_are_said_children_first(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_create(w.zk, "/a/y", "1");
    fake_zk_create(w.zk, "/a/b/x", "1");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b/x=1 put:/a/y=1 put:/a/b=2 put:/a=1");
    zw_done(&w);
}

static void beyond_the_limit_of_changes_all_is_walked_anew(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    char path[32];
    for (int i = 0; i < 100001; i++) {
        snprintf(path, sizeof path, "/a/b/%d", i);
        fake_zk_create(w.zk, path, NULL);
    }
    for (int i = 0; i < 100001; i++) {
        snprintf(path, sizeof path, "/a/b/%d", i);
        if (i != 7)
            fake_zk_delete(w.zk, path);
    }
    for (int i = 0; i < 1000; i++) /* it takes what it is told, and nobody takes from it */
        zw_step(&w, 0);
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a put:/a/b=2 same:/a/c put:/a/b/7 sync-end");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_set_and_delete_are_said_as_they_happen),
        cmocka_unit_test(a_delete_has_no_body_of_a_node_before_it),
        cmocka_unit_test(a_burst_on_one_node_is_read_once),
        cmocka_unit_test(many_nodes_are_read_in_few_requests),
        cmocka_unit_test(new_parents_come_before_their_children),
        cmocka_unit_test(deletes_come_deepest_first_and_before_what_was_made),
        cmocka_unit_test(a_child_that_came_and_went_is_not_said_but_moved_its_parents_sequence),
        cmocka_unit_test(a_delete_that_moves_no_sequence_says_nothing_of_the_parent),
        cmocka_unit_test(ephemeral_nodes_are_said_with_their_owner),
        cmocka_unit_test(a_node_that_may_no_longer_be_read_is_not_deleted),
        cmocka_unit_test(large_answers_are_asked_for_one_at_a_time),
        cmocka_unit_test(sequences_are_said_children_first),
        cmocka_unit_test(beyond_the_limit_of_changes_all_is_walked_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

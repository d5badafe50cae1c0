/* The ZooKeeper sink and what it made itself: the nodes below are made without a look, which harms nobody, and a multi
 * whose answer tells no stat is believed where nothing else can have happened. */
#include "tests/unit/sinks/zk_test_world.h"

static int begin(void **state)
{
    struct zt_world *w = zt_new("/a");
    fake_zk_create(w->src, "/a", "root");
    fake_zk_create(w->dst, "/a", "root");
    fake_zk_create(w->src, "/a/dir", "");
    for (int i = 0; i < 5; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/dir/n%d", i);
        fake_zk_create(w->src, path, "x");
    }
    zt_open(w);
    *state = w;
    return 0;
}

static int done(void **state)
{
    zt_free(*state);
    return 0;
}

static const struct sink_result *put(struct zt_world *w, const char *path)
{
    const struct sink_result *r = zt_do(w, path);
    zt_assert_result(r, SINK_DONE, "");
    return r;
}

static int64_t recorded_ctime(const struct zt_world *w, const char *path)
{
    struct zk_record r;
    struct err e = ERR_INIT;
    assert_int_equal(zk_record_decode(zt_kept(w->records, path), &r, &e), RC_OK);
    return r.ctime;
}

static void what_is_below_a_node_that_was_made_is_not_looked_at(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    put(w, "/a/dir");
    fake_zk_forget(w->dst);
    put(w, "/a/dir/n0");
    assert_int_equal(fake_zk_writes(w->dst), 1);
    assert_int_equal(fake_zk_asked(w->dst, ZK_GET_DATA), 0);
    fake_zk_forget(w->dst);
    put(w, "/a"); /* nothing is known of what is beside it */
    assert_true(fake_zk_asked(w->dst, ZK_GET_DATA) > 0);
}

static void what_is_there_nevertheless_is_looked_at(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    w->policy.adopt = ADOPT_NEVER;
    put(w, "/a/dir");
    fake_zk_create(w->dst, "/a/dir/n1", "of somebody else");
    zt_send(w, "/a/dir/n0");
    zt_send(w, "/a/dir/n1");
    zt_send(w, "/a/dir/n2");
    zt_run(w);
    for (size_t i = w->n_jobs - 3; i < w->n_jobs; i++) {
        bool other = strcmp(w->jobs[i].path, "/a/dir/n1") == 0;
        zt_assert_result(&w->jobs[i].result, other ? SINK_HELD : SINK_DONE,
                         other ? "not-ours" : "");
    }
}

static void an_item_that_may_have_been_made_before_is_looked_at(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    put(w, "/a/dir");
    fake_zk_forget(w->dst);
    w->unsure = true;
    put(w, "/a/dir/n0");
    assert_true(fake_zk_asked(w->dst, ZK_GET_DATA) > 0);
}

static void after_a_lost_session_and_after_a_deletion_all_is_looked_at(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    put(w, "/a/dir");
    fake_zk_lose(w->dst);
    zt_steps(w, 50);
    fake_zk_forget(w->dst);
    put(w, "/a/dir/n0");
    assert_true(fake_zk_asked(w->dst, ZK_GET_DATA) > 0);
    fake_zk_delete(w->src, "/a/dir/n0");
    fake_zk_delete(w->src, "/a/dir/n1");
    fake_zk_create(w->src, "/a/other", "");
    fake_zk_create(w->src, "/a/other/n", "");
    put(w, "/a/other");
    put(w, "/a/dir/n0"); /* its deletion */
    fake_zk_forget(w->dst);
    put(w, "/a/other/n");
    assert_true(fake_zk_asked(w->dst, ZK_GET_DATA) > 0);
}

static void nodes_of_a_multi_are_known_without_another_look(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    put(w, "/a/dir");
    fake_zk_forget(w->dst);
    zt_send(w, "/a/dir/n0");
    zt_send(w, "/a/dir/n1");
    zt_run(w);
    assert_int_equal(fake_zk_asked(w->dst, ZK_MULTI), 1);
    assert_int_equal(fake_zk_asked(w->dst, ZK_GET_DATA), 0);
    assert_int_equal(recorded_ctime(w, "/a/dir/n1"), 0); /* the one thing that it does not tell */
    const struct sink_result *r = put(w, "/a/dir/n1");   /* it is ours */
    assert_false(r->wrote);
    assert_int_not_equal(recorded_ctime(w, "/a/dir/n1"), 0);
}

static void where_somebody_else_writes_a_look_tells_which_node_it_is(void **state)
{
    struct zt_world *w = *state;
    w->settled = SETTLED_ALL;
    put(w, "/a/dir");
    fake_zk_put(w->dst, "/zookeeper/other", "x"); /* a change between two answers to us */
    fake_zk_forget(w->dst);
    zt_send(w, "/a/dir/n0");
    zt_send(w, "/a/dir/n1");
    zt_run(w);
    assert_int_equal(fake_zk_asked(w->dst, ZK_MULTI), 1);
    assert_int_equal(fake_zk_asked(w->dst, ZK_GET_DATA), 2);
    assert_int_not_equal(recorded_ctime(w, "/a/dir/n1"), 0);
    zt_assert_result(&w->jobs[w->n_jobs - 1].result, SINK_DONE, "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_below_a_node_that_was_made_is_not_looked_at),
        T(what_is_there_nevertheless_is_looked_at),
        T(an_item_that_may_have_been_made_before_is_looked_at),
        T(after_a_lost_session_and_after_a_deletion_all_is_looked_at),
        T(nodes_of_a_multi_are_known_without_another_look),
        T(where_somebody_else_writes_a_look_tells_which_node_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

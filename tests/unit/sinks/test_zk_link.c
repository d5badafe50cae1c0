/* What the ZooKeeper sink asks before it writes: is root there, is it the same ensemble as before, what can we read. */
#include "tests/unit/sinks/zk_test_world.h"

static int begin(void **state)
{
    struct zt_world *w = zt_new("/x/y/z");
    fake_zk_put(w->src, "/x/y/z", "root");
    *state = w;
    return 0;
}

static int done(void **state)
{
    zt_free(*state);
    return 0;
}

static struct sink_status status_of(struct zt_world *w)
{
    struct sink_status s;
    sink_status(w->sink, &s);
    return s;
}

static void before_it_is_connected_nothing_is_taken(void **state)
{
    struct zt_world *w = *state;
    struct err e = ERR_INIT;
    zt_open(w);
    struct zt_job *j = zt_job(w, SINK_DELETE, "/x/y/z/a");
    assert_int_equal(sink_submit(w->sink, &j->item, &e), RC_AGAIN);
    assert_false(status_of(w).connected);
    assert_true(status_of(w).error[0]);
}

static void a_missing_root_is_an_error_that_says_what_to_do(void **state)
{
    struct zt_world *w = *state;
    fake_zk_put(w->dst, "/x", "1");
    zt_open(w);
    zt_steps(w, 30);
    assert_true(status_of(w).fatal);
    assert_string_equal(
        status_of(w).error,
        "rootPath /x/y/z does not exist in the destination; createRootPath: true makes it");
    assert_int_equal(fake_zk_writes(w->dst), 0);
}

static void a_missing_root_is_made_with_its_parents(void **state)
{
    struct zt_world *w = *state;
    w->opts.create_root = true;
    fake_zk_put(w->dst, "/x", "1");
    fake_zk_set_acl(w->dst, "/x", "world:anyone:cdrwa,digest:bob:hash:r");
    zt_open(w);
    zt_steps(w, 30);
    assert_true(status_of(w).connected);
    assert_string_equal(status_of(w).identity, "");
    assert_int_equal(fake_zk_writes(w->dst), 0);
    fake_zk_create(w->src, "/x/y/z/a", "1");
    zt_send_all(w);
    zt_run(w);
    zt_assert_equal(w, "/x/y/z");
    struct znode n;
    assert_true(fake_zk_get(w->dst, SLICE("/x/y"), &n));
    assert_true(n.null_data && n.n_acl == 2);
    char identity[64];
    assert_true(fake_zk_get(w->dst, SLICE("/x/y/z"), &n));
    snprintf(identity, sizeof identity, "zookeeper default/b %llx",
             (unsigned long long)n.stat.czxid);
    assert_string_equal(status_of(w).identity, identity);
}

static void an_ancestor_that_somebody_made_meanwhile_is_seen(void **state)
{
    struct zt_world *w = *state;
    w->opts.create_root = true;
    zt_open(w);
    zt_steps(w, 30);
    fake_zk_put(w->dst, "/x/y", "1");
    zt_assert_result(zt_do(w, "/x/y/z"), SINK_DONE, "");
    zt_assert_equal(w, "/x/y/z");
}

static void the_identity_is_the_same_in_the_next_life(void **state)
{
    struct zt_world *w = *state;
    char before[SINK_IDENTITY_MAX];
    fake_zk_put(w->dst, "/x/y/z", "root");
    zt_open(w);
    zt_steps(w, 30);
    snprintf(before, sizeof before, "%s", status_of(w).identity);
    assert_true(before[0]);
    zt_close(w);
    zt_open(w);
    zt_steps(w, 30);
    assert_string_equal(status_of(w).identity, before);
    zt_close(w);
    w->opts.root = SLICE("/");
    zt_open(w);
    zt_steps(w, 30);
    assert_string_equal(status_of(w).identity, "zookeeper default/b");
}

static void another_root_node_after_a_silence_stops_all(void **state)
{
    struct zt_world *w = *state;
    fake_zk_put(w->dst, "/x/y/z", "root");
    zt_open(w);
    zt_steps(w, 30);
    fake_zk_delete(w->dst, "/x/y/z");
    fake_zk_create(w->dst, "/x/y/z", "root");
    fake_zk_lose(w->dst);
    zt_steps(w, 30);
    assert_true(status_of(w).fatal);
    assert_non_null(strstr(status_of(w).error, "another one than before"));
}

static void our_own_new_root_node_is_known_after_a_silence(void **state)
{
    struct zt_world *w = *state;
    w->opts.create_root = true;
    zt_open(w);
    zt_do(w, "/x/y/z");
    fake_zk_delete(w->src, "/x/y/z");
    zt_assert_result(zt_do(w, "/x/y/z"), SINK_DONE, "");
    fake_zk_create(w->src, "/x/y/z", "new");
    zt_assert_result(zt_do(w, "/x/y/z"), SINK_DONE, "");
    fake_zk_lose(w->dst);
    zt_steps(w, 30);
    assert_true(status_of(w).connected);
    zt_assert_equal(w, "/x/y/z");
}

static void without_acls_the_acl_of_root_must_be_readable(void **state)
{
    struct zt_world *w = *state;
    w->opts.acl = false;
    fake_zk_put(w->dst, "/x/y/z", "root");
    fake_zk_set_acl(w->dst, "/x/y/z", "digest:bob:hash:cdrwa");
    zt_open(w);
    zt_steps(w, 30);
    assert_false(status_of(w).connected || status_of(w).fatal);
    assert_non_null(strstr(status_of(w).error, "secretName"));
    fake_zk_set_acl(w->dst, "/x/y/z", "world:anyone:cdrwa");
    zt_steps(w, 60);
    assert_true(status_of(w).connected);
}

/* As a server of 3.6 does. */
static void plan_lost_who(struct zt_world *w, unsigned times)
{
    fake_zk_plan(w->dst, &(struct fake_zk_rule){
                             .fault = FAKE_ZK_REQUEST_LOST, .op = ZK_WHO_AM_I, .times = times});
}

static void a_connection_that_is_lost_by_chance_hides_no_super_user(void **state)
{
    struct zt_world *w = *state;
    w->who = "super";
    fake_zk_put(w->dst, "/x/y/z", "root");
    fake_zk_set_acl(w->dst, "/x/y/z", "digest:bob:hash:r");
    plan_lost_who(w, 1);
    zt_open(w);
    /* Who knows that it is the super user writes a node that closes itself to all others in one step. */
    fake_zk_put(w->src, "/x/y/z", "new");
    fake_zk_put(w->src, "/x/y/z/a", "1");
    fake_zk_set_acl(w->src, "/x/y/z/a", "digest:bob:hash:r");
    fake_zk_put(w->src, "/x/y/z/a/b", "1");
    zt_send_all(w);
    zt_run(w);
    zt_assert_equal(w, "/x/y/z/a");
    assert_int_equal(fake_zk_asked(w->dst, ZK_WHO_AM_I), 1);
}

static void who_ends_the_session_is_not_asked_again(void **state)
{
    struct zt_world *w = *state;
    fake_zk_put(w->dst, "/x/y/z", "root");
    plan_lost_who(w, 1000);
    zt_open(w);
    zt_assert_result(zt_do(w, "/x/y/z"), SINK_DONE, "");
    assert_int_equal(fake_zk_struck(w->dst, FAKE_ZK_REQUEST_LOST), 2);
    fake_zk_lose(w->dst);
    zt_assert_result(zt_do(w, "/x/y/z"), SINK_DONE, "");
    assert_int_equal(fake_zk_struck(w->dst, FAKE_ZK_REQUEST_LOST), 2);
}

static void a_root_path_that_is_none_is_refused(void **state)
{
    struct zt_world *w = *state;
    struct err e = ERR_INIT;
    w->opts.root = SLICE("x/");
    fake_zk_connect(w->dst, NULL, &w->opts.zk);
    assert_int_equal(zk_sink_open(&w->opts, &w->env, &w->sink, &e), RC_INVALID);
    w->opts.root = SLICE("/x/y/z");
    zt_open(w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(before_it_is_connected_nothing_is_taken),
        T(a_missing_root_is_an_error_that_says_what_to_do),
        T(a_missing_root_is_made_with_its_parents),
        T(an_ancestor_that_somebody_made_meanwhile_is_seen),
        T(the_identity_is_the_same_in_the_next_life),
        T(another_root_node_after_a_silence_stops_all),
        T(our_own_new_root_node_is_known_after_a_silence),
        T(without_acls_the_acl_of_root_must_be_readable),
        T(a_connection_that_is_lost_by_chance_hides_no_super_user),
        T(who_ends_the_session_is_not_asked_again),
        T(a_root_path_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

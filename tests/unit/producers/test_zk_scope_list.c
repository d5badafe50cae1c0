#include "tests/unit/producers/zk_test.h"

#include "io/zk.h"

/* Walks although nothing was told. */
static void walk(struct zk_world *w)
{
    fake_zk_put(w->zk, "/elsewhere", "x");
    zw_pass(w, WALK_NS);
}

static void a_node_that_cannot_be_read_and_what_is_below_it_is_never_taken_for_deleted(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/a/b/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b/d=4 put:/a/b=2");
    fake_zk_set_acl(w.zk, "/a/b", "digest:alice:hash:cdrwa");
    walk(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end");
    assert_non_null(strstr(zw_status(&w, 0).error, "1 of its nodes cannot be read, 0"));
    assert_non_null(strstr(zw_status(&w, 0).error, "/a/b: not authorised"));
    assert_int_equal(zw_status(&w, 0).phase, PRODUCER_FOLLOWING);
    assert_non_null(zw_node(&w, "/a/b/d"));
    fake_zk_put(w.zk, "/elsewhere", "y");
    fake_clock_advance(&w.clock, WALK_NS);
    for (int i = 0; i < 100; i++) { /* also while it walks again */
        (void)zw_step(&w, 1);
        assert_non_null(strstr(zw_status(&w, 0).error, "1 of its nodes cannot be read, 0"));
    }
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end");
    zw_stop(&w);
    zw_start(&w);
    zw_add(&w, "/a", true);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin same:/a same:/a/c sync-end");
    fake_zk_delete(w.zk, "/a/b/d"); /* told, for d itself may be read */
    zw_run(&w);
    zw_assert_said(&w, "delete:/a/b/d");
    fake_zk_set_acl(w.zk, "/a/b", "world:anyone:cdrwa");
    walk(&w);
    zw_assert_said(&w, "sync-begin same:/a put:/a/b=2 same:/a/c sync-end");
    assert_string_equal(zw_status(&w, 0).error, "");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void a_node_whose_children_cannot_be_listed_keeps_them(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/a/b/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b/d=4 put:/a/b=2");
    fake_zk_put(w.zk, "/elsewhere", "x");
    fake_zk_forget(w.zk);
    fake_clock_advance(&w.clock, WALK_NS);
    while (fake_zk_asked(w.zk, ZK_GET_DATA) < 3)
        zw_step(&w, 0);
    fake_zk_set_acl(w.zk, "/a/b", "digest:alice:hash:cdrwa");
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/b same:/a/c sync-end");
    assert_non_null(strstr(zw_status(&w, 0).error, "/a/b: not authorised"));
    assert_non_null(zw_node(&w, "/a/b/d"));
    zw_done(&w);
}

static void a_node_that_is_too_big_for_a_log_is_said_and_counted(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    AUTO(freep) char *big = calloc(1, ZNODE_DATA_MAX + 2);
    memset(big, 'x', ZNODE_DATA_MAX + 1);
    fake_zk_put(w.zk, "/a/b/d", "4");
    zw_run(&w);
    zw_assert_said(&w, "put:/a/b/d=4 put:/a/b=2");
    fake_zk_set(w.zk, "/a/b", big);
    fake_zk_delete(w.zk, "/a/b/d");
    walk(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end delete:/a/b/d");
    assert_non_null(zw_node(&w, "/a/b")); /* as it was */
    assert_string_equal(zw_status(&w, 0).error,
                        "0 of its nodes cannot be read, 1 cannot be kept in a log; /a/b: has more "
                        "than 1 MiB of data");
    big[ZNODE_DATA_MAX] = '\0';
    fake_zk_set(w.zk, "/a/b", big);
    walk(&w);
    zw_assert_same(&w, "/a");
    assert_string_equal(zw_status(&w, 0).error, "");
    zw_done(&w);
}

/* A session that has one more child than there is, wherever children are asked for. Servers take paths that a log cannot
 * hold; the modelled ensemble does not. */
struct odd_session {
    struct zk zk; /* first */
    struct zk *inner;
    struct slice name;
    struct slice children[8];
    struct zk_result parts[8], result;
};

static enum rc odd_call(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e)
{
    return zk_call(((struct odd_session *)z)->inner, c, tag, e);
}

static enum rc odd_take(struct zk *z, struct zk_event *ret, struct err *e)
{
    struct odd_session *o = (struct odd_session *)z;
    enum rc rc = zk_take(o->inner, ret, e);
    bool list = rc == RC_OK && ret->kind == ZK_ANSWER && ret->err.rc == RC_OK &&
                ret->result->n_parts > 0 && ret->result->parts[0].n_children > 0;
    if (!list)
        return rc;
    o->result = *ret->result;
    memcpy(o->parts, o->result.parts, o->result.n_parts * sizeof *o->parts);
    memcpy(o->children, o->parts[0].children, o->parts[0].n_children * sizeof *o->children);
    o->children[o->parts[0].n_children++] = o->name;
    o->parts[0].children = o->children;
    o->result.parts = o->parts;
    ret->result = &o->result;
    return RC_OK;
}

static enum rc odd_wait(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return zk_wait(((struct odd_session *)z)->inner, wake_fd, timeout_ns, e);
}

static void odd_close(struct zk *z)
{
    zk_close(((struct odd_session *)z)->inner);
}

static const struct zk_ops ODD = {odd_call, odd_take, odd_wait, odd_close};

static void a_path_that_is_too_long_for_a_log_is_said_and_counted(void **state)
{
    (void)state;
    struct zk_world w;
    struct err e = ERR_INIT;
    char name[ZNODE_PATH_MAX];
    memset(name, 'n', sizeof name);
    struct odd_session o = {.zk = {&ODD}, .name = {name, sizeof name}};
    zw_init(&w);
    fake_zk_put(w.zk, "/a/b", "2");
    fake_zk_connect(w.zk, NULL, &o.inner);
    w.opts.zk = &o.zk;
    assert_int_equal(zk_producer_open(&w.opts, &w.env, &w.producer, &e), RC_OK);
    zw_add(&w, "/a", false);
    zw_run(&w);
    zw_assert_said(&w, "epoch:start sync-begin put:/a= put:/a/b=2 sync-end");
    assert_non_null(strstr(zw_status(&w, 0).error, "1 cannot be kept in a log; /a/nnn"));
    assert_int_equal(zw_status(&w, 0).phase, PRODUCER_FOLLOWING);
    zw_done(&w);
}

static void a_listing_that_would_have_to_name_too_many_nodes_infers_no_delete(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    char path[4001] = "/a/c/";
    for (int i = 0; i < 300; i++) {
        char number[12];
        snprintf(number, sizeof number, "%d", i);
        memset(path + 5, 'n', sizeof path - 6);
        memcpy(path + 5, number, strlen(number));
        fake_zk_create(w.zk, path, "x");
        fake_zk_set_acl(w.zk, path, "digest:alice:hash:cdrwa");
    }
    zw_run(&w);
    zw_assert_said(&w, "put:/a/c=3");
    fake_zk_lose(w.zk);
    fake_zk_delete(w.zk, "/a/b");
    zw_run(&w);
    zw_assert_said(&w, "gap sync-begin same:/a same:/a/c sync-end");
    assert_non_null(zw_node(&w, "/a/b"));
    fake_zk_set(w.zk, "/a", "11");
    zw_run(&w);
    zw_assert_said(&w, "put:/a=11");
    assert_non_null(strstr(zw_status(&w, 0).error, "300 of its nodes cannot be read"));
    zw_done(&w);
}

static void a_delete_that_is_seen_during_a_walk_is_one_that_was_watched(void **state)
{
    (void)state;
    struct zk_world w;
    zt_follow(&w);
    fake_zk_put(w.zk, "/elsewhere", "x");
    fake_clock_advance(&w.clock, WALK_NS);
    while (fake_zk_asked(w.zk, ZK_SYNC) == 0)
        zw_step(&w, 0);
    fake_zk_delete(w.zk, "/a/b");
    zw_run(&w);
    zw_assert_said(&w, "sync-begin same:/a same:/a/c sync-end delete:/a/b");
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void what_changes_during_a_walk_is_neither_lost_nor_said_in_the_wrong_order(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    char path[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof path, "/a/%d/%d", i % 50, i);
        fake_zk_put(w.zk, path, "0");
    }
    zw_start(&w);
    zw_add(&w, "/a", false);
    for (int i = 0; zw_status(&w, 0).phase != PRODUCER_FOLLOWING; i++) {
        zw_step(&w, 100);
        snprintf(path, sizeof path, "/a/%d/%d", i * 7 % 50, i);
        if (i % 3 == 0)
            fake_zk_delete(w.zk, path);
        else
            fake_zk_put(w.zk, path, "1");
        snprintf(path, sizeof path, "/a/new/%d", i);
        fake_zk_put(w.zk, path, "2");
    }
    zw_run(&w);
    zw_assert_same(&w, "/a");
    zw_done(&w);
}

static void answers_that_cannot_be_read_are_asked_for_in_smaller_parts(void **state)
{
    (void)state;
    struct zk_world w;
    zw_init(&w);
    char path[32];
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/a/%d", i);
        fake_zk_put(w.zk, path, "1");
    }
    fake_zk_plan(w.zk,
                 &(struct fake_zk_rule){.fault = FAKE_ZK_GARBAGE, .op = ZK_MULTI_READ, .times = 5});
    zw_start(&w);
    zw_add(&w, "/a", false);
    for (int i = 0; i < 20; i++)
        zw_pass(&w, WALK_NS);
    assert_int_equal(zw_status(&w, 0).phase, PRODUCER_FOLLOWING);
    zw_assert_same(&w, "/a");
    fake_zk_forget(w.zk);
    walk(&w);
    assert_true(fake_zk_asked(w.zk, ZK_MULTI_READ) > 40); /* one part each */
    zw_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_node_that_cannot_be_read_and_what_is_below_it_is_never_taken_for_deleted),
        cmocka_unit_test(a_node_whose_children_cannot_be_listed_keeps_them),
        cmocka_unit_test(a_node_that_is_too_big_for_a_log_is_said_and_counted),
        cmocka_unit_test(a_path_that_is_too_long_for_a_log_is_said_and_counted),
        cmocka_unit_test(a_listing_that_would_have_to_name_too_many_nodes_infers_no_delete),
        cmocka_unit_test(a_delete_that_is_seen_during_a_walk_is_one_that_was_watched),
        cmocka_unit_test(what_changes_during_a_walk_is_neither_lost_nor_said_in_the_wrong_order),
        cmocka_unit_test(answers_that_cannot_be_read_are_asked_for_in_smaller_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

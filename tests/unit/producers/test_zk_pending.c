#include "tests/unit/producers/producer_test.h"

#include "io/zk.h"
#include "producers/zk_pending.h"

static const struct znode_stat STAT = {.czxid = 10, .mzxid = 20, .aversion = 3};

static void add(struct zk_pending *p, const char *path, enum zk_acl_state acl)
{
    struct err e = ERR_INIT;
    const struct zk_node n = {
        .path = slice_str(path), .acl = acl, .node = {.data = SLICE("data"), .stat = STAT}};
    assert_ok(zk_pending_add(p, &n, &e));
}

static void answer(struct zk_pending *p, int error, struct znode_stat stat)
{
    struct err e = ERR_INIT;
    const struct znode_acl acl[] = {{ZNODE_READ, SLICE("world"), SLICE("anyone")},
                                    {ZNODE_ALL, SLICE("digest"), SLICE("alice:hash")}};
    const struct zk_result r = {.error = error, .stat = stat, .acl = acl, .n_acl = 2};
    assert_ok(zk_pending_answer(p, &r, &e));
}

static const struct zk_node *assert_first(struct zk_pending *p, const char *path)
{
    const struct zk_node *n = zk_pending_first(p);
    assert_non_null(n);
    assert_true(slice_eq(n->path, slice_str(path)));
    return n;
}

static void nodes_are_copies_and_keep_their_order(void **state)
{
    (void)state;
    AUTO(zk_pending_freep) struct zk_pending *p = zk_pending_new();
    char path[] = "/a";
    add(p, path, ZK_ACL_THERE);
    path[1] = 'x';
    add(p, "/b", ZK_ACL_THERE);
    assert_true(slice_eq(assert_first(p, "/a")->node.data, SLICE("data")));
    zk_pending_drop_first(p);
    assert_first(p, "/b");
    zk_pending_drop_first(p);
    assert_null(zk_pending_first(p));
    assert_true(zk_pending_is_empty(p));
}

static void a_node_without_its_acl_keeps_all_behind_it_waiting(void **state)
{
    (void)state;
    AUTO(zk_pending_freep) struct zk_pending *p = zk_pending_new();
    add(p, "/a", ZK_ACL_WANTED);
    add(p, "/b", ZK_ACL_THERE);
    add(p, "/c", ZK_ACL_WANTED);
    assert_null(zk_pending_first(p));
    assert_true(slice_eq(zk_pending_wants(p)->path, SLICE("/a")));
    zk_pending_asked(p);
    assert_true(slice_eq(zk_pending_wants(p)->path, SLICE("/c")));
    zk_pending_asked(p);
    assert_null(zk_pending_wants(p));
    assert_null(zk_pending_first(p));
    answer(p, ZK_OK, STAT);
    const struct zk_node *n = assert_first(p, "/a");
    assert_true(n->node.has_acl);
    assert_int_equal(n->node.n_acl, 2);
    assert_true(slice_eq(n->node.acl[1].id, SLICE("alice:hash")));
    zk_pending_drop_first(p);
    assert_first(p, "/b");
    zk_pending_drop_first(p);
    assert_null(zk_pending_first(p));
    answer(p, ZK_OK, STAT);
    assert_first(p, "/c");
}

static void wanting_goes_on_behind_what_was_answered(void **state)
{
    (void)state;
    AUTO(zk_pending_freep) struct zk_pending *p = zk_pending_new();
    add(p, "/a", ZK_ACL_WANTED);
    zk_pending_asked(p);
    answer(p, ZK_OK, STAT);
    zk_pending_drop_first(p);
    add(p, "/b", ZK_ACL_WANTED);
    zk_pending_asked(p);
    answer(p, ZK_NO_AUTH, STAT);
    assert_int_equal(assert_first(p, "/b")->acl, ZK_ACL_FAILED);
    assert_int_equal(zk_pending_first(p)->error, ZK_NO_AUTH);
}

/* An ACL that was read behind the data, by what had happened in between. */
static const struct {
    const char *name;
    struct znode_stat then;
    int error;
    int64_t mzxid;
    int32_t aversion;
} BETWEEN[] = {
    {"nothing", {.czxid = 10, .mzxid = 20, .aversion = 3}, ZK_OK, 20, 3},
    {"data was set: the ACL is that of before", {10, 25, .aversion = 3}, ZK_OK, 20, 3},
    {"the ACL was set: the data is that of now", {10, 20, .aversion = 4}, ZK_OK, 20, 4},
    {"both were set", {10, 25, .aversion = 4}, ZK_BAD_VERSION, 20, 3},
    {"it is another node", {25, 25, .aversion = 3}, ZK_BAD_VERSION, 20, 3},
};

static void data_and_acl_are_of_one_moment_or_not_put_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BETWEEN / sizeof *BETWEEN; i++) {
        AUTO(zk_pending_freep) struct zk_pending *p = zk_pending_new();
        add(p, "/a", ZK_ACL_WANTED);
        zk_pending_asked(p);
        answer(p, ZK_OK, BETWEEN[i].then);
        const struct zk_node *n = assert_first(p, "/a");
        if (n->error != BETWEEN[i].error || n->node.stat.mzxid != BETWEEN[i].mzxid ||
            n->node.stat.aversion != BETWEEN[i].aversion)
            fail_msg("%s", BETWEEN[i].name);
    }
}

static void it_is_full_at_its_limits_and_takes_more_all_the_same(void **state)
{
    (void)state;
    AUTO(zk_pending_freep) struct zk_pending *p = zk_pending_new();
    for (unsigned i = 0; i < ZK_PENDING_NODES - 1; i++)
        add(p, "/a", ZK_ACL_THERE);
    assert_false(zk_pending_full(p));
    add(p, "/a", ZK_ACL_THERE);
    assert_true(zk_pending_full(p));
    zk_pending_clear(p);
    assert_false(zk_pending_full(p));
    AUTO(freep) char *big = calloc(1, ZK_PENDING_BYTES);
    struct err e = ERR_INIT;
    const struct zk_node n = {.path = SLICE("/b"), .node = {.data = {big, ZK_PENDING_BYTES}}};
    assert_ok(zk_pending_add(p, &n, &e));
    assert_true(zk_pending_full(p));
    zk_pending_drop_first(p);
    assert_false(zk_pending_full(p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_copies_and_keep_their_order),
        cmocka_unit_test(a_node_without_its_acl_keeps_all_behind_it_waiting),
        cmocka_unit_test(wanting_goes_on_behind_what_was_answered),
        cmocka_unit_test(data_and_acl_are_of_one_moment_or_not_put_together),
        cmocka_unit_test(it_is_full_at_its_limits_and_takes_more_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

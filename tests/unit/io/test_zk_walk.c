/* io/zk_walk on a modelled ensemble: all nodes in order, in bounded memory, whatever happens meanwhile. */
#include "io/zk_walk.h"

#include "core/buf.h"
#include "core/rng.h"
#include "io/zk.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define FIRST_TAG 1000
#define OWN_TAG   7 /* of the session's owner */

struct world {
    struct fake_clock clock;
    struct fake_zk *w;
    struct zk *z;
    struct zk_walk *walk;
    struct buf seen; /* "/a 3|/b no-auth|": paths, with what the tests look at */
    struct buf last; /* the path seen last */
    size_t n;
    size_t changes; /* told to the owner */
};

static void connect(struct world *t, const char *who)
{
    struct zk_event ev;
    if (t->z)
        zk_close(t->z);
    fake_zk_connect(t->w, who, &t->z);
    assert_int_equal(zk_take(t->z, &ev, NULL), RC_OK);
}

static int setup(void **state)
{
    struct world *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    fake_clock_init(&t->clock, NS_PER_S);
    t->w = fake_zk_new(&t->clock.clock);
    buf_init(&t->seen, 1u << 20);
    buf_init(&t->last, ZNODE_PATH_MAX);
    connect(t, NULL);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct world *t = *state;
    zk_walk_close(t->walk);
    zk_close(t->z);
    fake_zk_free(t->w);
    buf_done(&t->seen);
    buf_done(&t->last);
    free(t);
    return 0;
}

static void open_walk(struct world *t, struct zk_walk_opts opts)
{
    zk_walk_close(t->walk);
    buf_reset(&t->seen);
    buf_reset(&t->last);
    t->n = 0;
    opts.zk = t->z;
    opts.first_tag = FIRST_TAG;
    assert_int_equal(zk_walk_open(&opts, &t->walk, NULL), RC_OK);
}

static void see(struct world *t, const struct zk_walk_node *n)
{
    if (!n->error) {
        assert_true(t->last.n == 0 || zk_walk_cmp(buf_slice(&t->last), n->path) < 0);
        buf_reset(&t->last);
        buf_add_slice(&t->last, n->path);
    }
    t->n++;
    buf_addf(&t->seen, "%.*s", SLICE_ARG(n->path));
    if (n->error)
        buf_addf(&t->seen, " %d", n->error);
    else if (n->node.data.n)
        buf_addf(&t->seen, "=%.*s", SLICE_ARG(n->node.data));
    for (size_t i = 0; i < n->node.n_acl; i++)
        buf_addf(&t->seen, " %.*s:%u", SLICE_ARG(n->node.acl[i].id), n->node.acl[i].perms);
    buf_add_char(&t->seen, '|');
}

static void step(struct world *t)
{
    while (zk_walk_step(t->walk) == RC_OK)
        ;
}

/* One event of the session; false if there is none. */
static bool pass(struct world *t)
{
    struct zk_event ev;
    if (zk_take(t->z, &ev, NULL) != RC_OK)
        return false;
    bool used = zk_walk_offer(t->walk, &ev);
    assert_int_equal(used, ev.kind == ZK_ANSWER && ev.tag >= FIRST_TAG);
    t->changes += ev.kind == ZK_CHANGED;
    return true;
}

static enum rc take_all(struct world *t, struct err *e)
{
    struct zk_walk_node n;
    enum rc rc;
    while ((rc = zk_walk_next(t->walk, &n, e)) == RC_OK)
        see(t, &n);
    return rc;
}

/* To the end, or to a failure. */
static enum rc run(struct world *t, struct err *e)
{
    enum rc rc;
    while ((rc = take_all(t, e)) == RC_AGAIN) {
        step(t);
        if (!pass(t))
            assert_int_equal(take_all(t, e), RC_END);
    }
    assert_int_equal(take_all(t, e), rc);
    return rc;
}

static void assert_walk(struct world *t, const char *root, const char *want)
{
    open_walk(t, (struct zk_walk_opts){.root = slice_str(root)});
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p ? t->seen.p : "", want);
}

static void nodes_come_breadth_first_with_data_and_stat(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/a/x/deep", "1");
    fake_zk_put(t->w, "/b/y", "2");
    fake_zk_put(t->w, "/a/w", "3");
    fake_zk_put(t->w, "/c", "4");
    assert_walk(t, "/", "/|/a|/b|/c=4|/a/w=3|/a/x|/b/y=2|/a/x/deep=1|");
    assert_walk(t, "/a", "/a|/a/w=3|/a/x|/a/x/deep=1|");
    struct zk_walk_node n;
    struct znode want;
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/c")});
    step(t);
    pass(t);
    assert_int_equal(zk_walk_next(t->walk, &n, NULL), RC_OK);
    assert_true(fake_zk_get(t->w, SLICE("/c"), &want));
    assert_int_equal(n.node.stat.czxid, want.stat.czxid);
    assert_int_equal(n.node.stat.data_length, 1);
    assert_false(n.node.has_acl);
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_ACL), 0);
    assert_int_equal(fake_zk_writes(t->w), 0);
}

static void the_order_of_a_walk_is_the_same_each_time(void **state)
{
    struct world *t = *state;
    static const char *const paths[] = {"/b/a",  "/a/b",      "/a-b/a", "/a/a",  "/ab/c",
                                        "/a/a-", "/\xc3\xa4", "/a.",    "/a/a/x"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        fake_zk_put(t->w, paths[i], "");
    assert_walk(t, "/", "/|/a|/a-b|/a.|/ab|/b|/\xc3\xa4|/a/a|/a/a-|/a/b|/a-b/a|/ab/c|/b/a|/a/a/x|");
    struct slice rest = buf_slice(&t->seen), last = SLICE_NULL;
    while (rest.n) {
        struct slice path = slice_cut(rest, '|', &rest);
        assert_true(!last.n || (zk_walk_cmp(last, path) < 0 && zk_walk_cmp(path, last) > 0));
        assert_int_equal(zk_walk_cmp(path, path), 0);
        last = path;
    }
}

static void null_data_stays_null(void **state)
{
    struct world *t = *state;
    fake_zk_create(t->w, "/null", NULL);
    fake_zk_create(t->w, "/empty", "");
    struct zk_walk_node n;
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/null")});
    step(t);
    pass(t);
    assert_int_equal(zk_walk_next(t->walk, &n, NULL), RC_OK);
    assert_true(n.node.null_data);
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/empty")});
    step(t);
    pass(t);
    assert_int_equal(zk_walk_next(t->walk, &n, NULL), RC_OK);
    assert_false(n.node.null_data);
}

static void only_the_ensembles_own_zookeeper_is_left_out(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/a/zookeeper/b", "1");
    fake_zk_put(t->w, "/zookeeper2", "2");
    assert_walk(t, "/", "/|/a|/zookeeper2=2|/a/zookeeper|/a/zookeeper/b=1|");
    assert_walk(t, "/zookeeper", "/zookeeper|/zookeeper/config|/zookeeper/quota|");
}

static void a_root_that_does_not_exist_gives_nothing(void **state)
{
    assert_walk(*state, "/none", "");
}

static void a_path_that_is_none_is_told_and_not_asked_for(void **state)
{
    struct world *t = *state;
    char want[32];
    snprintf(want, sizeof(want), "/a/../b %d|", ZK_WALK_BAD_PATH);
    assert_walk(t, "/a/../b", want);
    assert_int_equal(fake_zk_asked(t->w, FAKE_ZK_ANY), 0);
}

/* ---- What may not be read, what goes ---- */

static void a_node_that_may_not_be_read_is_told_and_the_rest_goes_on(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/a/hidden", "1");
    fake_zk_put(t->w, "/b/c", "2");
    fake_zk_set_acl(t->w, "/a", "digest:u:h:r");
    assert_walk(t, "/", "/|/a -102|/b|/b/c=2|");
    connect(t, "u:h");
    assert_walk(t, "/", "/|/a|/b|/a/hidden=1|/b/c=2|");
}

static void children_that_may_not_be_read_any_more_are_told_by_their_parent(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/a/b", "1");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/a")});
    step(t);
    pass(t);
    fake_zk_set_acl(t->w, "/a", "digest:u:h:r");
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/a|/a -102|");
}

static void what_goes_meanwhile_is_missing(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/r/a/x", "1");
    fake_zk_put(t->w, "/r/b/y", "2");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    step(t);
    pass(t);
    step(t);
    pass(t); /* knows of a and b */
    fake_zk_delete_tree(t->w, "/r/b");
    step(t);
    pass(t);
    fake_zk_delete_tree(t->w, "/r/a"); /* read, but its children are not */
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/r|/r/a|");
}

/* ---- ACLs ---- */

static bool wants_all(void *arg, struct slice path, const struct znode_stat *stat)
{
    size_t *asked = arg;
    assert_true(path.n > 0 && stat->czxid >= 0);
    ++*asked;
    return true;
}

static bool wants_b(void *arg, struct slice path, const struct znode_stat *stat)
{
    (void)arg, (void)stat;
    return slice_ends(path, SLICE("/b"));
}

static void acls_are_read_for_the_nodes_that_are_wanted(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/r/a", "1");
    fake_zk_put(t->w, "/r/b", "2");
    fake_zk_set_acl(t->w, "/r/b", "world:anyone:r,digest:u:h:cdrwa");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"), .want_acl = wants_b});
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/r|/r/a=1|/r/b=2 anyone:1 u:x:31|");
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_ACL), 1);
    size_t asked = 0;
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"), .want_acl = wants_all, .arg = &asked});
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/r anyone:31|/r/a=1 anyone:31|/r/b=2 anyone:1 u:x:31|");
    assert_int_equal(asked, 3);
}

static void a_node_that_goes_before_its_acl_is_read_is_missing(void **state)
{
    struct world *t = *state;
    size_t asked = 0;
    fake_zk_put(t->w, "/r/a", "1");
    fake_zk_put(t->w, "/r/b", "2");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"), .want_acl = wants_all, .arg = &asked});
    while (asked < 3) {
        step(t);
        assert_true(pass(t));
    }
    fake_zk_delete(t->w, "/r/a");
    fake_zk_set_acl(t->w, "/r/b", "digest:u:h:r");
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/r anyone:31|/r/b -102|");
}

/* ---- Many nodes ---- */

static void make_many(struct world *t, int dirs, int each, const char *data)
{
    char path[64];
    for (int i = 0; i < dirs; i++)
        for (int k = 0; k < each; k++) {
            snprintf(path, sizeof(path), "/r/dir-%04d/node-%04d", i, k);
            assert_int_equal(fake_zk_put(t->w, path, data), ZK_OK);
        }
}

static void ten_thousand_nodes_come_once_each_in_few_requests(void **state)
{
    struct world *t = *state;
    make_many(t, 100, 99, "x");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->n, 1 + 100 + 9900);
    struct slice rest = buf_slice(&t->seen);
    assert_true(slice_starts(rest, SLICE("/r|/r/dir-0000|/r/dir-0001|")));
    assert_true(slice_ends(rest, SLICE("/r/dir-0099/node-0097=x|/r/dir-0099/node-0098=x|")));
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_DATA), 10001);
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_CHILDREN), 101);
    assert_in_range(fake_zk_asked(t->w, ZK_MULTI_READ), 10001 / ZK_WALK_PARTS, 200);
}

static void big_nodes_are_asked_for_in_small_batches(void **state)
{
    struct world *t = *state;
    AUTO(freep) char *data = calloc(1, 200001);
    assert_non_null(data);
    memset(data, 'x', 200000);
    for (int i = 0; i < 300; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/r/%03d", i);
        fake_zk_put(t->w, path, data);
    }
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"), .in_flight = 1});
    buf_done(&t->seen);
    buf_init(&t->seen, 100u << 20);
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->n, 301);
    /* all but the first batch, which could not know, holds two of them */
    assert_in_range(fake_zk_asked(t->w, ZK_MULTI_READ), (300 - ZK_WALK_PARTS) / 2, 300);
}

static void nothing_more_is_asked_while_nodes_wait_to_be_taken(void **state)
{
    struct world *t = *state;
    AUTO(freep) char *data = calloc(1, 10001);
    assert_non_null(data);
    memset(data, 'x', 10000);
    make_many(t, 10, 1000, data);
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    do
        step(t);
    while (pass(t));
    size_t asked = fake_zk_asked(t->w, ZK_GET_DATA);
    /* what came before the size of the nodes was known may be a little more */
    assert_in_range(asked, 100, 2 * ZK_WALK_HELD_BYTES / 10000);
    buf_done(&t->seen);
    buf_init(&t->seen, 200u << 20);
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->n, 10011);
}

static void children_wait_while_enough_paths_are_queued(void **state)
{
    struct world *t = *state;
    make_many(t, 200, 20, "x");
    open_walk(
        t, (struct zk_walk_opts){.root = SLICE("/r"), .parts = 10, .in_flight = 2, .queued = 100});
    while (t->n < 1000) {
        step(t);
        assert_true(pass(t));
        assert_int_equal(take_all(t, NULL), RC_AGAIN);
    }
    /* 1000 nodes are 40 directories, and the queue holds some more */
    assert_in_range(fake_zk_asked(t->w, ZK_GET_CHILDREN), 40, 80);
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->n, 1 + 200 + 4000);
}

/* ---- A tree that changes ---- */

static void random_path(struct rng *r, const char *top, char *out, size_t size)
{
    snprintf(out, size, "/r/%c/%s%c/%c", (int)('a' + rng_below(r, 5)), top,
             (int)('a' + rng_below(r, 5)), (int)('a' + rng_below(r, 5)));
}

static void change_something(struct world *t, struct rng *r)
{
    char path[64];
    random_path(r, rng_below(r, 2) ? "stay-" : "go-", path, sizeof(path));
    if (strstr(path, "stay-") || rng_below(r, 3))
        fake_zk_put(t->w, path, "new");
    else
        fake_zk_delete(t->w, path);
}

/* Every path is given once at most (see() watches the order), and what was there before and after is given. */
static void nodes_that_stay_come_whatever_changes_around_them(void **state)
{
    struct world *t = *state;
    struct rng_seeded r;
    char path[64];
    for (uint64_t seed = 1; seed <= 30; seed++) {
        AUTO(buf_done) struct buf staying = BUF_INIT(1u << 20);
        rng_seeded_init(&r, seed);
        for (int i = 0; i < 60; i++) {
            random_path(&r.rng, "stay-", path, sizeof(path));
            if (!fake_zk_get(t->w, slice_str(path), &(struct znode){0}))
                buf_addf(&staying, "%s\n", path);
            fake_zk_put(t->w, path, "old");
        }
        size_t asked = 0;
        open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"),
                                           .want_acl = wants_all,
                                           .arg = &asked,
                                           .parts = 1 + (uint32_t)rng_below(&r.rng, 7),
                                           .in_flight = 1 + (uint32_t)rng_below(&r.rng, 4),
                                           .queued = 1 + (uint32_t)rng_below(&r.rng, 9)});
        while (take_all(t, NULL) == RC_AGAIN) {
            step(t);
            pass(t);
            change_something(t, &r.rng);
        }
        assert_int_equal(take_all(t, NULL), RC_END);
        for (struct slice rest = buf_slice(&staying); rest.n;) {
            struct slice line = slice_cut(rest, '\n', &rest);
            snprintf(path, sizeof(path), "|%.*s=", SLICE_ARG(line));
            assert_non_null(strstr(t->seen.p, path));
        }
        fake_zk_delete_tree(t->w, "/r");
    }
}

/* ---- The session ---- */

static void a_lost_session_ends_the_walk(void **state)
{
    struct world *t = *state;
    struct err e = ERR_INIT;
    make_many(t, 10, 100, "x");
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r"), .in_flight = 2});
    for (int i = 0; i < 4; i++) {
        step(t);
        assert_true(pass(t));
    }
    fake_zk_lose(t->w);
    while (pass(t)) /* lost, and connected anew */
        ;
    assert_int_equal(run(t, &e), RC_UNAVAILABLE);
    assert_true(e.msg[0]);
    assert_int_equal(zk_walk_step(t->walk), RC_AGAIN);
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->n, 1011);
}

static void a_lost_answer_ends_the_walk_as_well(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/r/a", "1");
    for (int i = 0; i < 2; i++) {
        enum fake_zk_fault fault = i ? FAKE_ZK_GARBAGE : FAKE_ZK_ANSWER_LOST;
        fake_zk_plan(t->w, &(struct fake_zk_rule){.fault = fault, .op = ZK_GET_CHILDREN});
        open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
        assert_int_equal(run(t, NULL), i ? RC_CORRUPT : RC_UNAVAILABLE);
        while (pass(t))
            ;
    }
}

static void a_session_that_is_not_connected_is_waited_for(void **state)
{
    struct world *t = *state;
    fake_zk_put(t->w, "/r/a", "1");
    fake_zk_lose(t->w);
    struct zk_event ev;
    assert_int_equal(zk_take(t->z, &ev, NULL), RC_OK);
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    assert_int_equal(zk_walk_step(t->walk), RC_AGAIN);
    assert_int_equal(run(t, NULL), RC_END);
    assert_string_equal(t->seen.p, "/r|/r/a=1|");
}

static void a_server_that_knows_no_multi_read_is_named_too_old(void **state)
{
    struct world *t = *state;
    struct err e = ERR_INIT;
    fake_zk_plan(t->w, &(struct fake_zk_rule){
                           .fault = FAKE_ZK_ERROR, .op = ZK_MULTI_READ, .error = ZK_UNIMPLEMENTED});
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/")});
    assert_int_equal(run(t, &e), RC_UNSUPPORTED);
    assert_non_null(strstr(e.msg, "3.6"));
    fake_zk_plan(
        t->w, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR, .op = ZK_MULTI_READ, .error = -127});
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/")});
    assert_int_equal(run(t, &e), RC_UNAVAILABLE);
    assert_int_equal(e.retry, ERR_RETRY);
}

static void the_session_stays_its_owners(void **state)
{
    struct world *t = *state;
    struct zk_call watch = {.op = ZK_ADD_WATCH, .path = SLICE("/")};
    make_many(t, 3, 100, "x");
    assert_int_equal(zk_call(t->z, &watch, OWN_TAG, NULL), RC_OK);
    open_walk(t, (struct zk_walk_opts){.root = SLICE("/r")});
    step(t);
    pass(t);
    fake_zk_set(t->w, "/r", "new");
    assert_int_equal(zk_call(t->z, &watch, OWN_TAG, NULL), RC_OK);
    assert_int_equal(run(t, NULL), RC_END);
    assert_int_equal(t->changes, 1);
    assert_int_equal(t->n, 304);
}

static void a_walk_that_is_closed_early_leaves_nothing_behind(void **state)
{
    struct world *t = *state;
    size_t asked = 0;
    make_many(t, 3, 100, "x");
    for (int events = 0; events < 20; events++) {
        open_walk(t,
                  (struct zk_walk_opts){.root = SLICE("/r"), .want_acl = wants_all, .arg = &asked});
        step(t);
        for (int i = 0; i < events; i++) {
            pass(t);
            step(t);
        }
        zk_walk_close(t->walk);
        t->walk = NULL;
        connect(t, NULL); /* no answers to the closed one */
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nodes_come_breadth_first_with_data_and_stat),
        TEST(the_order_of_a_walk_is_the_same_each_time),
        TEST(null_data_stays_null),
        TEST(only_the_ensembles_own_zookeeper_is_left_out),
        TEST(a_root_that_does_not_exist_gives_nothing),
        TEST(a_path_that_is_none_is_told_and_not_asked_for),
        TEST(a_node_that_may_not_be_read_is_told_and_the_rest_goes_on),
        TEST(children_that_may_not_be_read_any_more_are_told_by_their_parent),
        TEST(what_goes_meanwhile_is_missing),
        TEST(acls_are_read_for_the_nodes_that_are_wanted),
        TEST(a_node_that_goes_before_its_acl_is_read_is_missing),
        TEST(ten_thousand_nodes_come_once_each_in_few_requests),
        TEST(big_nodes_are_asked_for_in_small_batches),
        TEST(nothing_more_is_asked_while_nodes_wait_to_be_taken),
        TEST(children_wait_while_enough_paths_are_queued),
        TEST(nodes_that_stay_come_whatever_changes_around_them),
        TEST(a_lost_session_ends_the_walk),
        TEST(a_lost_answer_ends_the_walk_as_well),
        TEST(a_session_that_is_not_connected_is_waited_for),
        TEST(a_server_that_knows_no_multi_read_is_named_too_old),
        TEST(the_session_stays_its_owners),
        TEST(a_walk_that_is_closed_early_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

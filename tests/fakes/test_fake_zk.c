/* The modelled ZooKeeper ensemble answers as a real one does: a model that is wrong proves nothing. */
#include "tests/fakes/fake_zk.h"

#include "core/buf.h"
#include "tests/fakes/test_fake_zk_client.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define BAD_ARGUMENTS (-8)
#define ANYONE        "world:anyone:cdrwa"

/* ---- The tree ---- */

static void a_new_ensemble_has_its_root_and_zookeepers_own_nodes(void **state)
{
    struct zk_test *t = *state;
    struct zk_result r = zk_test_ask(t, ZK_GET_CHILDREN, "/");
    assert_int_equal(r.n_children, 1);
    assert_true(slice_eq(r.children[0], SLICE("zookeeper")));
    assert_int_equal(r.stat.cversion, -1);
    assert_int_equal(r.stat.czxid, 0);
    assert_int_equal(znode_sequence(&r.stat), 0);
    assert_int_equal(zk_test_ask(t, ZK_GET_DATA, "/zookeeper/quota").error, ZK_OK);
}

static void a_stat_tells_who_changed_what_when(void **state)
{
    struct zk_test *t = *state;
    struct zk_result r = zk_test_ask(t, ZK_CREATE, "/a");
    int64_t made = fake_zk_zxid(t->w);
    assert_int_equal(r.stat.czxid, made);
    assert_int_equal(r.stat.mzxid, made);
    assert_int_equal(r.stat.pzxid, made);
    assert_int_equal(r.stat.ctime, 1760000000000);
    assert_int_equal(r.stat.data_length, 3);
    fake_clock_advance(&t->clock, NS_PER_S);
    r = zk_test_ask(t, ZK_SET_DATA, "/a");
    assert_int_equal(r.stat.version, 1);
    assert_int_equal(r.stat.mzxid, made + 1);
    assert_int_equal(r.stat.mtime, 1760000001000);
    assert_int_equal(r.stat.ctime, 1760000000000);
    r = zk_test_ask(t, ZK_SET_ACL, "/a");
    assert_int_equal(r.stat.aversion, 1);
    assert_int_equal(r.stat.version, 1);
    assert_int_equal(r.stat.mzxid, made + 1);
    zk_test_ask(t, ZK_CREATE, "/a/b");
    zk_test_ask(t, ZK_CREATE, "/a/c");
    zk_test_ask(t, ZK_DELETE, "/a/b");
    struct znode_stat s = zk_test_stat(t, "/a");
    assert_int_equal(s.pzxid, made + 5);
    assert_int_equal(s.mzxid, made + 1);
    assert_int_equal(s.num_children, 1);
    assert_int_equal(s.cversion, 3); /* two creations, one deletion */
    assert_int_equal(znode_sequence(&s), 2);
    assert_int_equal(s.version, 1);
}

static void null_data_and_empty_data_are_kept_apart(void **state)
{
    struct zk_test *t = *state;
    fake_zk_create(t->w, "/null", NULL);
    fake_zk_create(t->w, "/empty", "");
    assert_true(zk_test_ask(t, ZK_GET_DATA, "/null").null_data);
    assert_false(zk_test_ask(t, ZK_GET_DATA, "/empty").null_data);
    struct zk_call c = zk_test_call(ZK_SET_DATA, "/empty");
    c.null_data = true;
    zk_test_ask_call(t, &c);
    assert_true(zk_test_ask(t, ZK_GET_DATA, "/empty").null_data);
}

static void what_a_request_may_not_do_is_answered_as_a_server_does(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/b", "x");
    fake_zk_create_ephemeral(t->w, "/e", NULL);
    static const struct {
        enum zk_op op;
        const char *path;
        int error;
    } rows[] = {
        {ZK_CREATE, "/a", ZK_NODE_EXISTS},
        {ZK_CREATE, "/", ZK_NODE_EXISTS},
        {ZK_CREATE, "/x/y", ZK_NO_NODE},
        {ZK_CREATE, "/e/x", ZK_NO_CHILDREN_FOR_EPHEMERALS},
        {ZK_CREATE, "/a/..", BAD_ARGUMENTS},
        {ZK_CREATE, "/a//b", ZK_NO_NODE}, /* that of "/a/" */
        {ZK_GET_DATA, "/a//b", ZK_NO_NODE},
        {ZK_DELETE, "/a", ZK_NOT_EMPTY},
        {ZK_DELETE, "/x", ZK_NO_NODE},
        {ZK_DELETE, "/", BAD_ARGUMENTS},
        {ZK_SET_DATA, "/x", ZK_NO_NODE},
        {ZK_SET_ACL, "/x", ZK_NO_NODE},
        {ZK_GET_DATA, "/x", ZK_NO_NODE},
        {ZK_GET_ACL, "/x", ZK_NO_NODE},
        {ZK_GET_CHILDREN, "/x", ZK_NO_NODE},
        {ZK_EXISTS, "/x", ZK_NO_NODE},
        {ZK_CHECK, "/a", ZK_UNIMPLEMENTED}, /* by itself */
        {ZK_EXISTS, "/a", ZK_OK},
        {ZK_SYNC, "/a", ZK_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(zk_test_ask(t, rows[i].op, rows[i].path).error, rows[i].error);
}

static void a_version_must_be_the_present_one(void **state)
{
    struct zk_test *t = *state;
    static const enum zk_op ops[] = {ZK_SET_DATA, ZK_SET_ACL, ZK_DELETE};
    fake_zk_create(t->w, "/a", "x");
    fake_zk_set(t->w, "/a", "y");
    fake_zk_set_acl(t->w, "/a", ANYONE);
    for (size_t i = 0; i < 3; i++) {
        struct zk_call c = zk_test_call(ops[i], "/a");
        c.version = 0;
        assert_int_equal(zk_test_ask_call(t, &c).error, ZK_BAD_VERSION);
        c.version = i == 2 ? 2 : 1; /* SET_DATA has counted */
        assert_int_equal(zk_test_ask_call(t, &c).error, ZK_OK);
    }
}

static void sequential_names_go_on_where_the_counter_is(void **state)
{
    struct zk_test *t = *state;
    struct slice path = SLICE_NULL;
    fake_zk_create(t->w, "/q", NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fake_zk_create_sequential(t->w, "/q/n-", "", &path), ZK_OK);
    assert_true(slice_eq(path, SLICE("/q/n-0000000002")));
    struct znode_stat s = zk_test_stat(t, "/q");
    assert_int_equal(znode_sequence(&s), 3);
    /* a node in the way: the counter stands still, as on a real server */
    fake_zk_create(t->w, "/r", NULL);
    fake_zk_create(t->w, "/r/0000000001", "");
    assert_int_equal(fake_zk_create_sequential(t->w, "/r/", "", NULL), ZK_NODE_EXISTS);
    assert_int_equal(fake_zk_create_sequential(t->w, "/r/", "", NULL), ZK_NODE_EXISTS);
}

/* ---- ACLs ---- */

static void an_acl_says_who_may_what(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/p/read", "x");
    fake_zk_set_acl(t->w, "/p/read", "world:anyone:r");
    fake_zk_set_acl(t->w, "/p", "digest:alice:h:cdrwa,world:anyone:r");
    assert_int_equal(zk_test_ask(t, ZK_GET_DATA, "/p/read").error, ZK_OK);
    assert_int_equal(zk_test_ask(t, ZK_SET_DATA, "/p/read").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_SET_ACL, "/p/read").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_DELETE, "/p/read").error, ZK_NO_AUTH); /* the parent says */
    assert_int_equal(zk_test_ask(t, ZK_DELETE, "/p/none").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_CREATE, "/p/new").error, ZK_NO_AUTH);
    zk_test_become(t, "alice:h");
    assert_int_equal(zk_test_ask(t, ZK_CREATE, "/p/new").error, ZK_OK);
    assert_int_equal(zk_test_ask(t, ZK_DELETE, "/p/read").error, ZK_OK);
    zk_test_become(t, "alice:other");
    assert_int_equal(zk_test_ask(t, ZK_CREATE, "/p/newer").error, ZK_NO_AUTH);
    zk_test_become(t, "super");
    assert_int_equal(zk_test_ask(t, ZK_CREATE, "/p/newer").error, ZK_OK);
}

static void what_one_may_not_read_hides_all_but_its_existence(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/s/in", "secret");
    fake_zk_set_acl(t->w, "/s", "digest:alice:h:cdrwa");
    assert_int_equal(zk_test_ask(t, ZK_GET_DATA, "/s").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_GET_CHILDREN, "/s").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_GET_ACL, "/s").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/s").stat.num_children, 1);
    assert_int_equal(zk_test_ask(t, ZK_GET_DATA, "/s/in").error,
                     ZK_OK); /* ACLs are not inherited */
}

static void servers_of_3_9_hide_existence_and_tell_more_of_a_multi(void **state)
{
    struct zk_test *t = *state;
    fake_zk_set_minor(t->w, 9);
    fake_zk_create(t->w, "/s", "x");
    fake_zk_set_acl(t->w, "/s", "digest:alice:h:r");
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/s").error, ZK_NO_AUTH);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/x").error, ZK_NO_NODE);
    struct zk_call part = zk_test_call(ZK_CREATE, "/a");
    struct zk_call c = {.op = ZK_MULTI, .parts = &part, .n_parts = 1};
    struct zk_result r = zk_test_ask_call(t, &c);
    assert_int_equal(r.parts[0].stat.czxid, fake_zk_zxid(t->w));
}

static void a_digest_is_told_only_to_who_administers_the_node(void **state)
{
    struct zk_test *t = *state;
    fake_zk_create(t->w, "/a", "x");
    fake_zk_set_acl(t->w, "/a", "world:anyone:r,digest:alice:h:cdrwa");
    struct zk_result r = zk_test_ask(t, ZK_GET_ACL, "/a");
    assert_int_equal(r.n_acl, 2);
    assert_int_equal(r.acl[0].perms, ZNODE_READ);
    assert_true(slice_eq(r.acl[1].id, SLICE("alice:x")));
    zk_test_become(t, "alice:h");
    r = zk_test_ask(t, ZK_GET_ACL, "/a");
    assert_true(slice_eq(r.acl[1].id, SLICE("alice:h")));
    assert_int_equal(r.stat.aversion, 1);
}

static void an_acl_is_checked_and_made_whole(void **state)
{
    struct zk_test *t = *state;
    struct znode_acl acl[] = {{ZNODE_ALL, SLICE("world"), SLICE("me")},
                              {ZNODE_ALL, SLICE("digest"), SLICE("no colon")},
                              {ZNODE_ALL, SLICE("sasl"), SLICE("x")},
                              {ZNODE_ALL, SLICE("auth"), SLICE("")}};
    for (size_t i = 0; i < 4; i++) {
        struct zk_call c = zk_test_call(ZK_CREATE, "/a");
        c.acl = &acl[i];
        assert_int_equal(zk_test_ask_call(t, &c).error, ZK_INVALID_ACL);
    }
    struct zk_call c = zk_test_call(ZK_CREATE, "/a");
    c.n_acl = 0;
    assert_int_equal(zk_test_ask_call(t, &c).error, ZK_INVALID_ACL);
    zk_test_become(t, "alice:h");
    struct znode_acl twice[] = {acl[3], acl[3]};
    c.acl = twice;
    c.n_acl = 2;
    assert_int_equal(zk_test_ask_call(t, &c).error, ZK_OK);
    struct zk_result r = zk_test_ask(t, ZK_GET_ACL, "/a");
    assert_int_equal(r.n_acl, 1);
    assert_true(slice_eq(r.acl[0].scheme, SLICE("digest")));
    assert_true(slice_eq(r.acl[0].id, SLICE("alice:h")));
    r = zk_test_ask(t, ZK_WHO_AM_I, "/");
    assert_int_equal(r.n_acl, 2);
    assert_true(slice_eq(r.acl[1].id, SLICE("alice")));
}

/* ---- Multi ---- */

static void a_multi_is_one_change(void **state)
{
    struct zk_test *t = *state;
    struct zk_call parts[] = {zk_test_call(ZK_CREATE, "/a"), zk_test_call(ZK_CREATE, "/a/b"),
                              zk_test_call(ZK_SET_DATA, "/a"), zk_test_call(ZK_CHECK, "/a"),
                              zk_test_call(ZK_DELETE, "/a/b")};
    parts[3].version = 1;
    struct zk_call c = {.op = ZK_MULTI, .parts = parts, .n_parts = 5};
    int64_t before = fake_zk_zxid(t->w);
    struct zk_result r = zk_test_ask_call(t, &c);
    assert_int_equal(r.error, ZK_OK);
    assert_int_equal(r.n_parts, 5);
    assert_int_equal(r.parts[0].stat.czxid, 0);
    assert_int_equal(r.parts[2].stat.version, 1);
    assert_int_equal(fake_zk_zxid(t->w), before + 1);
    struct znode_stat s = zk_test_stat(t, "/a");
    assert_int_equal(s.czxid, before + 1);
    assert_int_equal(s.num_children, 0);
    assert_int_equal(znode_sequence(&s), 1);
    assert_int_equal(fake_zk_writes(t->w), 4);
}

static void a_multi_that_fails_changes_nothing_and_blames_one_part(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/b", "x");
    fake_zk_create(t->w, "/c", "x");
    AUTO(buf_done) struct buf before = BUF_INIT(10000), after = BUF_INIT(10000);
    fake_zk_print(t->w, "/", &before);
    struct zk_call parts[] = {zk_test_call(ZK_SET_DATA, "/a"), zk_test_call(ZK_DELETE, "/a/b"),
                              zk_test_call(ZK_CREATE, "/a/b"), zk_test_call(ZK_CREATE, "/a/b/c"),
                              zk_test_call(ZK_DELETE, "/c"),   zk_test_call(ZK_CREATE, "/a"),
                              zk_test_call(ZK_DELETE, "/x")};
    struct zk_call c = {.op = ZK_MULTI, .parts = parts, .n_parts = 7};
    struct znode_stat root = zk_test_stat(t, "/"), a = zk_test_stat(t, "/a");
    struct zk_result r = zk_test_ask_call(t, &c);
    assert_int_equal(r.error, ZK_NODE_EXISTS);
    static const int want[] = {0, 0, 0, 0, 0, ZK_NODE_EXISTS, ZK_RUNTIME_INCONSISTENCY};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(r.parts[i].error, want[i]);
    fake_zk_print(t->w, "/", &after);
    assert_string_equal(before.p, after.p);
    assert_int_equal(zk_test_stat(t, "/").pzxid, root.pzxid);
    assert_int_equal(zk_test_stat(t, "/a").version, a.version);
    assert_int_equal(fake_zk_writes(t->w), 0);
}

static void parts_of_a_multi_read_stand_alone(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/b", "x");
    fake_zk_create(t->w, "/s", "x");
    fake_zk_set_acl(t->w, "/s", "digest:alice:h:r");
    struct zk_call parts[] = {zk_test_call(ZK_GET_DATA, "/a/b"), zk_test_call(ZK_GET_DATA, "/x"),
                              zk_test_call(ZK_GET_DATA, "/s"), zk_test_call(ZK_GET_CHILDREN, "/a")};
    struct zk_call c = {.op = ZK_MULTI_READ, .parts = parts, .n_parts = 4};
    struct zk_result r = zk_test_ask_call(t, &c);
    assert_int_equal(r.error, ZK_OK);
    assert_int_equal(r.n_parts, 4);
    assert_true(slice_eq(r.parts[0].data, SLICE("x")));
    assert_true(r.parts[0].stat.czxid > 0);
    assert_int_equal(r.parts[1].error, ZK_NO_NODE);
    assert_int_equal(r.parts[2].error, ZK_NO_AUTH);
    assert_true(slice_eq(r.parts[3].children[0], SLICE("b")));
    assert_int_equal(r.parts[3].stat.czxid, 0);
    parts[1] = zk_test_call(ZK_GET_ACL, "/a"); /* servers know no such part */
    assert_int_equal(zk_test_ask_call(t, &c).error, ZK_UNIMPLEMENTED);
}

/* ---- Watches ---- */

static void a_watch_tells_what_happens_below_it_but_no_acl(void **state)
{
    struct zk_test *t = *state;
    fake_zk_create(t->w, "/a", "x");
    fake_zk_create(t->w, "/ab", "x");
    zk_test_ask(t, ZK_ADD_WATCH, "/a");
    fake_zk_create(t->w, "/a/b", "x");
    fake_zk_set(t->w, "/ab", "y");
    fake_zk_set(t->w, "/a", "y");
    fake_zk_set_acl(t->w, "/a", ANYONE);
    fake_zk_delete(t->w, "/a/b");
    fake_zk_set(t->w, "/zookeeper/quota", "y");
    zk_test_changed(t->z, "/a/b");
    zk_test_changed(t->z, "/a");
    zk_test_changed(t->z, "/a/b");
    zk_test_nothing(t->z);
}

static void a_change_is_told_before_an_answer_that_shows_it(void **state)
{
    struct zk_test *t = *state;
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    struct zk_call c = zk_test_call(ZK_GET_DATA, "/a");
    zk_test_send(t, &c);
    fake_zk_create(t->w, "/a", "x");
    zk_test_changed(t->z, "/a");
    struct zk_event ev = zk_test_take(t->z);
    assert_int_equal(ev.kind, ZK_ANSWER);
    assert_int_equal(ev.result->error, ZK_OK);
    c = zk_test_call(ZK_SET_DATA, "/a"); /* one's own change, too */
    zk_test_send(t, &c);
    zk_test_changed(t->z, "/a");
    assert_int_equal(zk_test_take(t->z).kind, ZK_ANSWER);
}

static void a_multi_tells_each_change_of_data_once(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/b", "x");
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    struct zk_call parts[] = {zk_test_call(ZK_DELETE, "/a/b"), zk_test_call(ZK_SET_DATA, "/a"),
                              zk_test_call(ZK_CREATE, "/a/b")};
    struct zk_call c = {.op = ZK_MULTI, .parts = parts, .n_parts = 3};
    zk_test_send(t, &c);
    zk_test_changed(t->z, "/a/b");
    zk_test_changed(t->z, "/a");
    zk_test_changed(t->z, "/a/b");
    assert_int_equal(zk_test_take(t->z).kind, ZK_ANSWER);
}

static void what_one_may_not_read_is_not_told(void **state)
{
    struct zk_test *t = *state;
    fake_zk_create(t->w, "/s", "x");
    fake_zk_set_acl(t->w, "/s", "digest:alice:h:r");
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    fake_zk_set(t->w, "/s", "y");
    fake_zk_delete(t->w, "/s");
    zk_test_nothing(t->z);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, zk_test_setup, zk_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_ensemble_has_its_root_and_zookeepers_own_nodes),
        TEST(a_stat_tells_who_changed_what_when),
        TEST(null_data_and_empty_data_are_kept_apart),
        TEST(what_a_request_may_not_do_is_answered_as_a_server_does),
        TEST(a_version_must_be_the_present_one),
        TEST(sequential_names_go_on_where_the_counter_is),
        TEST(an_acl_says_who_may_what),
        TEST(what_one_may_not_read_hides_all_but_its_existence),
        TEST(servers_of_3_9_hide_existence_and_tell_more_of_a_multi),
        TEST(a_digest_is_told_only_to_who_administers_the_node),
        TEST(an_acl_is_checked_and_made_whole),
        TEST(a_multi_is_one_change),
        TEST(a_multi_that_fails_changes_nothing_and_blames_one_part),
        TEST(parts_of_a_multi_read_stand_alone),
        TEST(a_watch_tells_what_happens_below_it_but_no_acl),
        TEST(a_change_is_told_before_an_answer_that_shows_it),
        TEST(a_multi_tells_each_change_of_data_once),
        TEST(what_one_may_not_read_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

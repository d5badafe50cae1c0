/* ACLs as the ZooKeeper sink copies them: never wider than the source's, but for our own id while children are made. */
#include "tests/unit/sinks/zk_test_world.h"

#include "sinks/zk_acl.h"

static struct zt_world *world_as(const char *user, const char *who)
{
    struct zt_world *w = zt_new("/a");
    w->opts.user = user;
    w->opts.password = "secret";
    w->who = who;
    fake_zk_create(w->src, "/a", "root");
    fake_zk_create(w->dst, "/a", "root");
    zt_open(w);
    return w;
}

static int alice(void **state)
{
    *state = world_as("alice", ZT_ALICE);
    return 0;
}

static int nobody(void **state)
{
    *state = world_as(NULL, NULL);
    return 0;
}

static int super(void **state)
{
    *state = world_as("super", "super");
    return 0;
}

static int done(void **state)
{
    zt_free(*state);
    return 0;
}

static bool allows(const struct znode *source, const struct znode_acl *entry)
{
    const struct znode_acl own = {ZNODE_ALL, SLICE("digest"), SLICE(ZT_ALICE)};
    for (size_t i = 0; i <= source->n_acl; i++) {
        const struct znode_acl *a = i < source->n_acl ? &source->acl[i] : &own;
        if (a->perms == entry->perms && slice_eq(a->scheme, entry->scheme) &&
            slice_eq(a->id, entry->id))
            return true;
    }
    return false;
}

/* Of every node that both have: no entry is there that the source's node has not, but our own. */
static void assert_never_wider(struct zt_world *w)
{
    struct slice path = SLICE_NULL;
    struct znode there, here;
    while (fake_zk_next(w->dst, path, &path, &there)) {
        if (!znode_is_within(path, w->opts.root) || !fake_zk_get(w->src, path, &here))
            continue;
        for (size_t i = 0; i < there.n_acl; i++)
            if (!allows(&here, &there.acl[i]))
                fail_msg("%.*s: %.*s:%.*s got in", SLICE_ARG(path), SLICE_ARG(there.acl[i].scheme),
                         SLICE_ARG(there.acl[i].id));
    }
}

/* Looks after each write that the ensemble saw. */
static void run_watched(struct zt_world *w)
{
    size_t seen = fake_zk_writes(w->dst);
    for (unsigned i = 0; zt_open_jobs(w) > 0 && i < ZT_STEPS; i++) {
        assert_true(zt_step(w));
        while (zt_take(w))
            ;
        if (fake_zk_writes(w->dst) != seen)
            assert_never_wider(w);
        seen = fake_zk_writes(w->dst);
    }
    assert_int_equal(zt_open_jobs(w), 0);
}

/* /a/b shuts all but bob out, and has children. */
static void make_restrictive(struct zt_world *w)
{
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    fake_zk_create(w->src, "/a/b/c/d", "1");
    fake_zk_create(w->src, "/a/b/leaf", "1");
    fake_zk_set_acl(w->src, "/a/b", "digest:bob:hash:cdrwa");
    fake_zk_set_acl(w->src, "/a/b/c", "world:anyone:r,digest:bob:hash:cdrwa");
    fake_zk_set_acl(w->src, "/a/b/leaf", "world:anyone:r");
}

static void restrictive_acls_arrive_with_credentials(void **state)
{
    struct zt_world *w = *state;
    make_restrictive(w);
    zt_send_all(w);
    run_watched(w);
    for (size_t i = 0; i < w->n_jobs; i++)
        zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
    zt_assert_equal(w, "/a");
    assert_int_equal(fake_zk_asked(w->dst, ZK_SET_ACL), 2);
}

static void children_that_are_late_are_made_before_the_acl_is_set(void **state)
{
    struct zt_world *w = *state;
    make_restrictive(w);
    struct zt_job *b = zt_send(w, "/a/b");
    zt_steps(w, 20);
    assert_false(b->done);
    zt_send(w, "/a/b/c");
    zt_send(w, "/a/b/leaf");
    run_watched(w);
    zt_send(w, "/a/b/c/d");
    run_watched(w);
    zt_assert_result(&b->result, SINK_DONE, "");
    struct znode n;
    assert_true(fake_zk_get(w->dst, SLICE("/a/b"), &n));
    assert_int_equal(n.n_acl, 1);
}

static void without_credentials_the_final_acl_is_there_at_once(void **state)
{
    struct zt_world *w = *state;
    make_restrictive(w);
    zt_send_all(w);
    run_watched(w);
    struct znode n;
    assert_true(fake_zk_get(w->dst, SLICE("/a/b"), &n));
    assert_int_equal(n.n_acl, 1);
    assert_true(slice_eq(n.acl[0].id, SLICE("bob:hash")));
    assert_false(fake_zk_get(w->dst, SLICE("/a/b/c"), &n));
    for (size_t i = 0; i < w->n_jobs; i++) {
        const struct zt_job *j = &w->jobs[i];
        if (strcmp(j->path, "/a/b/c") == 0 || strcmp(j->path, "/a/b/leaf") == 0) {
            zt_assert_result(&j->result, SINK_HELD, "no-auth");
            assert_non_null(strstr(j->result.reason, "secretName"));
        }
    }
}

static void a_super_user_needs_no_detour(void **state)
{
    struct zt_world *w = *state;
    make_restrictive(w);
    zt_send_all(w);
    run_watched(w);
    zt_assert_equal(w, "/a");
    assert_int_equal(fake_zk_asked(w->dst, ZK_SET_ACL), 0);
}

static void a_changed_acl_is_set(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set_acl(w->src, "/a/b", "world:anyone:cdrwa,digest:bob:hash:r");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

static void an_acl_that_was_changed_in_the_destination_is_restored(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set_acl(w->dst, "/a/b", "world:anyone:cdrwa,digest:bob:hash:r");
    w->unsure = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

static void an_acl_that_forbids_writing_is_set_before_the_data(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set(w->src, "/a/b", "2");
    fake_zk_set_acl(w->dst, "/a/b", "world:anyone:ra");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

/* What the node's last two writes were. */
static void assert_written(struct zt_world *w, enum zk_op first, enum zk_op second)
{
    assert_int_equal(fake_zk_writes(w->dst), 2);
    assert_int_equal(fake_zk_write_at(w->dst, 0).op, first);
    assert_int_equal(fake_zk_write_at(w->dst, 1).op, second);
}

static void who_is_shut_out_never_reads_new_data_and_who_is_let_in_never_old_ones(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "open");
    zt_do(w, "/a/b");
    fake_zk_set_acl(w->src, "/a/b", "world:anyone:rw");
    fake_zk_set(w->src, "/a/b", "for fewer");
    fake_zk_forget(w->dst);
    zt_do(w, "/a/b");
    assert_written(w, ZK_SET_ACL, ZK_SET_DATA);
    fake_zk_set_acl(w->src, "/a/b", "world:anyone:cdrwa");
    fake_zk_set_acl(w->dst, "/a/b", "world:anyone:rwa");
    fake_zk_set(w->src, "/a/b", "for more");
    fake_zk_forget(w->dst);
    zt_do(w, "/a/b");
    assert_written(w, ZK_SET_DATA, ZK_SET_ACL);
    zt_assert_equal(w, "/a");
}

/* Whether bob's node, which anybody could read before, has new data yet while anybody can read it. */
static bool is_shown(struct zt_world *w)
{
    struct znode n;
    assert_true(fake_zk_get(w->dst, SLICE("/a/b"), &n));
    return slice_eq(n.data, SLICE("secret")) && slice_eq(n.acl[0].scheme, SLICE("world"));
}

static void who_is_shut_out_together_with_us_never_reads_new_data(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "open");
    zt_do(w, "/a/b");
    for (int child = 0; child < 2; child++) {
        fake_zk_forget(w->dst);
        fake_zk_set(w->src, "/a/b", "secret");
        fake_zk_set_acl(w->src, "/a/b", "digest:bob:hash:cdrwa");
        if (child)
            fake_zk_create(w->src, "/a/b/c", "1");
        zt_send(w, "/a/b");
        for (int i = 0; i < 20; i++) {
            zt_steps(w, 1);
            assert_false(is_shown(w));
        }
        if (child)
            zt_send(w, "/a/b/c");
        run_watched(w);
        zt_assert_equal(w, "/a");
        assert_int_equal(fake_zk_asked(w->dst, ZK_SET_ACL), 2);
        fake_zk_set_acl(w->dst, "/a/b", "world:anyone:cdrwa");
        fake_zk_set(w->dst, "/a/b", "open");
    }
}

/* The pre-image is of the node before the first of its writes, whatever a crash broke off. */
static void a_provisional_acl_is_no_new_state_to_be_kept(void **state)
{
    struct zt_world *w = *state;
    struct zk_record kept;
    struct err e = ERR_INIT;
    fake_zk_create(w->src, "/a/b", "secret");
    fake_zk_set_acl(w->src, "/a/b", "digest:bob:hash:cdrwa");
    fake_zk_create(w->dst, "/a/b", "old");
    zt_assert_result(zt_do(w, "/a/b"), SINK_WAITING, "pre-image");
    zt_send(w, "/a/b");
    while (fake_zk_asked(w->dst, ZK_SET_ACL) == 0)
        assert_true(zt_step(w));
    zt_close(w);
    zt_open(w);
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    zt_assert_equal(w, "/a");
    assert_int_equal(zk_record_decode(zt_kept(w->preimages, "/a/b"), &kept, &e), RC_OK);
    assert_int_equal(kept.aversion, 0);
}

static void a_node_whose_acl_the_log_does_not_have_waits_for_it(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    fake_zk_create(w->src, "/a/b", "1");
    assert_true(fake_zk_get(w->src, SLICE("/a/b"), &n));
    n.has_acl = false;
    struct zt_job *j = zt_job(w, SINK_PUT, "/a/b");
    znode_print(&n, &j->body);
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_WAITING, "acl-unknown");
    assert_false(fake_zk_get(w->dst, SLICE("/a/b"), &n));
}

static void copies_that_we_may_not_read_are_known_by_their_stat(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    make_restrictive(w);
    fake_zk_create(w->src, "/a/secret", "1");
    fake_zk_set_acl(w->src, "/a/secret", "digest:bob:hash:cdrwa");
    zt_send_all(w);
    run_watched(w);
    fake_zk_forget(w->dst);
    zt_forget_jobs(w);
    w->unsure = true;
    zt_send_all(w);
    zt_run(w);
    for (size_t i = 0; i < w->n_jobs; i++)
        zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
    assert_int_equal(fake_zk_writes(w->dst), 0);
    fake_zk_delete(w->src, "/a/secret");
    zt_assert_result(zt_do(w, "/a/secret"), SINK_DONE, "");
    assert_false(fake_zk_get(w->dst, SLICE("/a/secret"), &n));
    fake_zk_create(w->src, "/a/foreign", "1");
    fake_zk_create(w->dst, "/a/foreign", "1");
    fake_zk_set_acl(w->dst, "/a/foreign", "digest:bob:hash:cdrwa");
    zt_assert_result(zt_do(w, "/a/foreign"), SINK_HELD, "no-auth");
}

static void what_may_not_be_read_is_held_and_not_taken_for_missing(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set_acl(w->dst, "/a/b", "digest:bob:hash:cdrwa");
    fake_zk_set(w->src, "/a/b", "2");
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "no-auth");
}

static void a_hidden_hash_is_not_copied(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_set_acl(w->src, "/a/b", "world:anyone:r,digest:bob:x:cdrwa");
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "no-auth");
    assert_int_equal(fake_zk_writes(w->dst), 0);
}

static void an_acl_that_the_destination_does_not_take_is_held(void **state)
{
    struct zt_world *w = *state;
    struct zt_job *j = zt_job(w, SINK_PUT, "/a/b");
    const struct znode_acl acl = {ZNODE_ALL, SLICE("sasl"), SLICE("app")};
    const struct znode n = {.has_acl = true, .acl = &acl, .n_acl = 1, .stat = {.czxid = 5}};
    znode_print(&n, &j->body);
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_HELD, "invalid-acl");
}

/* Where ACLs are not copied new nodes have that of root, and present ones keep theirs. */
static void with_acl_off_no_acl_is_looked_at(void **state)
{
    struct zt_world *w = *state;
    zt_close(w);
    w->opts.acl = false;
    fake_zk_set_acl(w->dst, "/a", "world:anyone:cdrwa,digest:carol:hash:r");
    zt_open(w);
    make_restrictive(w);
    fake_zk_create(w->src, "/a/here", "new");
    fake_zk_create(w->dst, "/a/here", "old");
    zt_do(w, "/a/here");
    fake_zk_set_acl(w->dst, "/a/here", "world:anyone:rw");
    zt_send_all(w);
    zt_run(w);
    for (size_t i = 1; i < w->n_jobs; i++)
        zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
    struct znode n;
    assert_true(fake_zk_get(w->dst, SLICE("/a/b/c"), &n));
    assert_int_equal(n.n_acl, 2);
    assert_true(slice_eq(n.acl[1].id, SLICE("carol:hash")));
    assert_true(fake_zk_get(w->dst, SLICE("/a/here"), &n));
    assert_int_equal(n.n_acl, 1);
    assert_true(slice_eq(n.data, SLICE("new")));
    assert_int_equal(fake_zk_asked(w->dst, ZK_SET_ACL), 0);
}

/* Crashed between the two halves: what stands there is ours, though no record says so. */
static void a_provisional_acl_of_a_former_life_is_finished(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_EQUAL;
    make_restrictive(w);
    zt_send(w, "/a/b");
    while (fake_zk_asked(w->dst, ZK_CREATE) == 0)
        assert_true(zt_step(w));
    zt_close(w);
    zt_open(w);
    w->unsure = true;
    zt_send_all(w);
    run_watched(w);
    zt_assert_equal(w, "/a");
}

/* The record would have the other's data pass for ours for ever. */
static void data_that_another_sets_beside_our_acl_are_not_taken_for_ours(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    for (unsigned steps = 1; steps < 8; steps++) {
        struct znode n;
        struct zk_record r;
        struct err e = ERR_INIT;
        fake_zk_set_acl(w->src, "/a/b", steps % 2 ? "world:anyone:rw" : "world:anyone:cdrwa");
        zt_send(w, "/a/b");
        zt_steps(w, steps);
        fake_zk_set(w->dst, "/a/b", "meddled");
        zt_run(w);
        assert_true(fake_zk_get(w->dst, SLICE("/a/b"), &n));
        assert_int_equal(zk_record_decode(zt_kept(w->records, "/a/b"), &r, &e), RC_OK);
        assert_true(r.mzxid != n.stat.mzxid || slice_eq(n.data, SLICE("1")));
        fake_zk_set_acl(w->dst, "/a/b", "world:anyone:cdrwa");
        fake_zk_set_acl(w->src, "/a/b", "world:anyone:cdrwa");
        zt_do(w, "/a/b");
    }
}

#define T(name, who) cmocka_unit_test_setup_teardown(name, who, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(data_that_another_sets_beside_our_acl_are_not_taken_for_ours, alice),
        T(restrictive_acls_arrive_with_credentials, alice),
        T(children_that_are_late_are_made_before_the_acl_is_set, alice),
        T(without_credentials_the_final_acl_is_there_at_once, nobody),
        T(a_super_user_needs_no_detour, super),
        T(a_changed_acl_is_set, nobody),
        T(an_acl_that_was_changed_in_the_destination_is_restored, nobody),
        T(an_acl_that_forbids_writing_is_set_before_the_data, nobody),
        T(who_is_shut_out_never_reads_new_data_and_who_is_let_in_never_old_ones, nobody),
        T(who_is_shut_out_together_with_us_never_reads_new_data, alice),
        T(a_provisional_acl_is_no_new_state_to_be_kept, alice),
        T(a_node_whose_acl_the_log_does_not_have_waits_for_it, nobody),
        T(copies_that_we_may_not_read_are_known_by_their_stat, alice),
        T(what_may_not_be_read_is_held_and_not_taken_for_missing, nobody),
        T(a_hidden_hash_is_not_copied, alice),
        T(an_acl_that_the_destination_does_not_take_is_held, nobody),
        T(with_acl_off_no_acl_is_looked_at, nobody),
        T(a_provisional_acl_of_a_former_life_is_finished, alice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* cli/tree_plan on two modelled ensembles and a checkpoint in memory. */
#include "cli/tree_plan.h"

#include "flow/pump_rows.h"
#include "log/ckpt.h"
#include "sinks/zk_record.h"
#include "tests/unit/cli/tree_world.h"

#include <stdio.h>
#include <string.h>

struct rig {
    struct tree_world *t;
    struct ckpt_mem_store *store;
    struct ckpt *ckpt;
    rlog_off offset;
    bool may_prune;
};

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    void *world;
    assert_non_null(r);
    assert_int_equal(tree_world_setup(&world), 0);
    r->t = world;
    r->store = ckpt_mem_store_new();
    assert_int_equal(ckpt_mem_open(r->store, &r->ckpt, NULL), RC_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    void *world = r->t;
    ckpt_close(r->ckpt);
    ckpt_mem_store_free(r->store);
    free(r);
    return tree_world_teardown(&world);
}

/* The destination's node becomes a copy, as the checkpoint says. */
static void claim(struct rig *r, const char *path, enum applied_state state, uint32_t flags)
{
    AUTO(buf_done) struct buf record = BUF_INIT(1024), row = BUF_INIT(1024);
    struct znode n;
    assert_true(fake_zk_get(r->t->w[D], slice_str(path), &n));
    struct zk_record rec = {.flags = flags, .czxid = n.stat.czxid, .mzxid = n.stat.mzxid};
    assert_int_equal(zk_record_encode(&rec, &record, NULL), RC_OK);
    applied_encode(&(struct applied){.state = state, .offset = 1, .record = buf_slice(&record)},
                   &row);
    struct ckpt_row what = {CKPT_APPLIED, slice_str(path), buf_slice(&row)};
    struct ckpt_commit commit = {.head = {1, ++r->offset}, .rows = &what, .n_rows = 1};
    assert_int_equal(ckpt_commit(r->ckpt, SLICE("ns/copy"), &commit, NULL), RC_OK);
}

static void assert_plan(struct rig *r, struct ckpt *ckpt, const char *want)
{
    struct tree_plan p = {.sync = &r->t->sync, .ckpt = ckpt, .may_prune = r->may_prune};
    struct zk_difference d;
    struct err e = ERR_INIT;
    enum rc rc;
    tree_world_open(r->t);
    while ((rc = tree_compare_next(r->t->t, &d, &e)) == RC_OK || rc == RC_AGAIN)
        if (rc == RC_OK)
            assert_int_equal(tree_plan_add(&p, &d, &r->t->said, &e), RC_OK);
    assert_int_equal(rc, RC_END);
    assert_int_equal(tree_plan_end(&p, &r->t->said, &e), RC_OK);
    assert_string_equal(r->t->said.n ? r->t->said.p : "", want);
    tree_world_close(r->t);
}

static void churn(struct rig *r, int side, const char *path, int times)
{
    char child[64];
    snprintf(child, sizeof child, "%s/x", path);
    for (int i = 0; i < times; i++) {
        assert_int_equal(fake_zk_create(r->t->w[side], child, ""), ZK_OK);
        assert_int_equal(fake_zk_delete(r->t->w[side], child), ZK_OK);
    }
}

static void each_difference_becomes_its_action(void **state)
{
    struct rig *r = *state;
    struct tree_world *t = r->t;
    tree_world_put_both(t, "/r/data", "1");
    tree_world_put_both(t, "/r/acl", "1");
    tree_world_put_both(t, "/r/q", "1");
    tree_world_put_both(t, "/r/same", "1");
    fake_zk_set(t->w[S], "/r/data", "2");
    fake_zk_set_acl(t->w[S], "/r/acl", "world:anyone:r");
    churn(r, S, "/r/q", 3);
    fake_zk_put(t->w[S], "/r/new/below", "1");
    assert_plan(r, NULL,
                "acl /r/acl\nset /r/data\ncreate /r/new\nraise the sequence of /r/q by 3\n"
                "create /r/new/below\n");
    assert_int_equal(fake_zk_writes(t->w[D]), 0);
}

static void children_that_come_raise_the_sequence_themselves(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r/q", "1");
    fake_zk_put(r->t->w[S], "/r/q/a", "1");
    fake_zk_put(r->t->w[S], "/r/q/b", "1");
    assert_plan(r, NULL, "create /r/q/a\ncreate /r/q/b\n");
    churn(r, S, "/r/q", 2);
    churn(r, S, "/r/q/a", 1);
    assert_plan(r, NULL,
                "raise the sequence of /r/q by 2\ncreate /r/q/a\n"
                "raise the sequence of /r/q/a by 1\ncreate /r/q/b\n");
}

static void children_of_the_destination_alone_do_not_count_as_to_come(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r/q", "1");
    churn(r, S, "/r/q", 3);
    fake_zk_put(r->t->w[D], "/r/q/alone", "1");
    assert_plan(r, NULL, "raise the sequence of /r/q by 2\n");
}

static void only_what_the_checkpoint_says_is_ours_is_deleted(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r", "1");
    for (const char *const *path = (const char *const[]){"/r/copy", "/r/frozen", "/r/found",
                                                         "/r/foreign", "/r/again", NULL};
         *path; path++)
        fake_zk_put(r->t->w[D], *path, "1");
    claim(r, "/r/copy", APPLIED_SYNCED, 0);
    claim(r, "/r/frozen", APPLIED_DESELECTED, 0);
    claim(r, "/r/found", APPLIED_SYNCED, ZK_RECORD_ADOPTED);
    claim(r, "/r/again", APPLIED_SYNCED, 0);
    fake_zk_delete(r->t->w[D], "/r/again");
    fake_zk_create(r->t->w[D], "/r/again", "somebody else's");
    assert_plan(r, NULL, "");
    assert_plan(r, r->ckpt,
                "delete /r/copy\n"
                "hold /r/found: it was there before us, and a listing alone does not delete it\n");
}

static void a_copy_whose_source_became_ephemeral_stays(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r", "1");
    fake_zk_put(r->t->w[D], "/r/e", "1");
    fake_zk_create_ephemeral(r->t->w[S], "/r/e", "2");
    claim(r, "/r/e", APPLIED_SYNCED, 0);
    assert_plan(r, r->ckpt, "");
}

static void too_many_deletions_are_held_until_they_are_approved(void **state)
{
    struct rig *r = *state;
    char path[32];
    AUTO(buf_done) struct buf want = BUF_INIT(4096);
    tree_world_put_both(r->t, "/r", "1");
    for (int i = 10; i < 21; i++) {
        snprintf(path, sizeof path, "/r/n%d", i);
        fake_zk_put(r->t->w[D], path, "1");
        claim(r, path, APPLIED_SYNCED, 0);
        buf_addf(&want, "delete %s\n", path);
    }
    r->may_prune = true;
    assert_plan(r, r->ckpt, want.p);
    r->may_prune = false;
    buf_add_str(&want, "hold all 11 deletions: more than 10 of 11 copies at once need approval: "
                       "resilog run --allow-prune ns/copy\n");
    assert_plan(r, r->ckpt, want.p);
    fake_zk_delete(r->t->w[D], "/r/n20");
    *strstr(want.p, "delete /r/n20") = '\0';
    assert_plan(r, r->ckpt, want.p);
}

static void what_is_not_ours_is_held_unless_it_may_be_overwritten(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r/data", "1");
    tree_world_put_both(r->t, "/r/q", "1");
    fake_zk_set(r->t->w[S], "/r/data", "2");
    churn(r, S, "/r/q", 1);
    r->t->entry.policy.adopt = ADOPT_EQUAL;
    assert_plan(r, NULL,
                "hold /r/data: it is not ours (adopt: equal)\nraise the sequence of /r/q by 1\n");
    r->t->entry.policy.adopt = ADOPT_NEVER;
    assert_plan(r, NULL,
                "hold /r/data: it is not ours (adopt: never)\n"
                "hold /r/q: it is not ours (adopt: never)\n");
    claim(r, "/r/data", APPLIED_SYNCED, 0);
    claim(r, "/r/q", APPLIED_SYNCED, ZK_RECORD_ADOPTED);
    assert_plan(r, r->ckpt, "set /r/data\nraise the sequence of /r/q by 1\n");
}

static void a_root_that_may_not_be_made_fails_the_run(void **state)
{
    struct rig *r = *state;
    fake_zk_put(r->t->w[S], "/r/a", "1");
    assert_plan(r, NULL,
                "fail /r: rootPath does not exist in the destination; createRootPath: true makes "
                "it\n");
    r->t->sync.tree.create_root = true;
    assert_plan(r, NULL, "create /r\ncreate /r/a\n");
}

static void what_cannot_be_read_is_left(void **state)
{
    struct rig *r = *state;
    tree_world_put_both(r->t, "/r/a", "1");
    r->t->sync.tree.acl = false;
    fake_zk_set_acl(r->t->w[S], "/r/a", "digest:u:h:r");
    claim(r, "/r/a", APPLIED_SYNCED, 0);
    assert_plan(r, r->ckpt, "leave /r/a: it cannot be read: source: not authorised\n");
}

static void a_checkpoint_that_cannot_be_read_is_an_error(void **state)
{
    struct rig *r = *state;
    struct tree_plan p = {.sync = &r->t->sync, .ckpt = r->ckpt};
    struct zk_difference d;
    struct err e = ERR_INIT;
    enum rc rc;
    tree_world_put_both(r->t, "/r", "1");
    fake_zk_put(r->t->w[D], "/r/x", "1");
    struct ckpt_row row = {CKPT_APPLIED, SLICE("/r/x"), SLICE("garbage")};
    struct ckpt_commit commit = {.head = {1, 1}, .rows = &row, .n_rows = 1};
    assert_int_equal(ckpt_commit(r->ckpt, SLICE("ns/copy"), &commit, NULL), RC_OK);
    tree_world_open(r->t);
    while ((rc = tree_compare_next(r->t->t, &d, &e)) == RC_AGAIN)
        ;
    assert_int_equal(rc, RC_OK);
    assert_true(tree_plan_add(&p, &d, &r->t->said, &e) < 0);
    assert_int_equal(r->t->said.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_difference_becomes_its_action),
        TEST(children_that_come_raise_the_sequence_themselves),
        TEST(children_of_the_destination_alone_do_not_count_as_to_come),
        TEST(only_what_the_checkpoint_says_is_ours_is_deleted),
        TEST(a_copy_whose_source_became_ephemeral_stays),
        TEST(too_many_deletions_are_held_until_they_are_approved),
        TEST(what_is_not_ours_is_held_unless_it_may_be_overwritten),
        TEST(a_root_that_may_not_be_made_fails_the_run),
        TEST(what_cannot_be_read_is_left),
        TEST(a_checkpoint_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

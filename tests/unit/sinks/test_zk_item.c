/* One item of the ZooKeeper sink: what it writes, and what it leaves alone. */
#include "tests/unit/sinks/zk_test_world.h"

static int begin(void **state)
{
    struct zt_world *w = zt_new("/a");
    fake_zk_create(w->src, "/a", "root");
    fake_zk_create(w->dst, "/a", "root");
    zt_open(w);
    *state = w;
    return 0;
}

static int done(void **state)
{
    zt_free(*state);
    return 0;
}

static struct znode node_of(struct fake_zk *z, const char *path)
{
    struct znode n;
    assert_true(fake_zk_get(z, slice_str(path), &n));
    return n;
}

static void assert_data(struct fake_zk *z, const char *path, const char *data)
{
    struct znode n = node_of(z, path);
    assert_true(slice_eq(n.data, slice_str(data)));
}

/* ---- Writing ---- */

static void a_tree_arrives_in_one_go(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", NULL);
    fake_zk_create(w->src, "/a/b/zookeeper", "");
    fake_zk_create(w->src, "/a/d", "4");
    zt_send_all(w);
    zt_run(w);
    for (size_t i = 0; i < w->n_jobs; i++)
        zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

static void data_are_set_and_the_record_goes_on(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    assert_true(zt_do(w, "/a/b")->wrote);
    fake_zk_set(w->src, "/a/b", "2");
    const struct sink_result *r = zt_do(w, "/a/b");
    zt_assert_result(r, SINK_DONE, "");
    assert_true(r->wrote && r->record_changed);
    zt_assert_equal(w, "/a");
}

static void what_is_as_wanted_is_not_written(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    zt_send_all(w);
    zt_run(w);
    for (int again = 0; again < 2; again++) {
        fake_zk_forget(w->dst);
        zt_forget_jobs(w);
        zt_send_all(w);
        zt_run(w);
        for (size_t i = 0; i < w->n_jobs; i++) {
            zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
            assert_false(w->jobs[i].result.wrote);
            /* The first look completes the record of what a multi made: by its time. */
            assert_false(again && w->jobs[i].result.record_changed);
        }
        assert_int_equal(fake_zk_writes(w->dst), 0);
        assert_int_equal(fake_zk_asked(w->dst, ZK_MULTI), 0);
        assert_int_equal(fake_zk_asked(w->dst, ZK_GET_ACL), 0);
    }
}

static void a_change_between_look_and_write_is_seen(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set(w->src, "/a/b", "2");
    struct zt_job *j = zt_send(w, "/a/b");
    fake_zk_forget(w->dst);
    while (fake_zk_asked(w->dst, ZK_GET_DATA) == 0)
        assert_true(zt_step(w));
    fake_zk_set(w->dst, "/a/b", "foreign");
    zt_run(w);
    zt_assert_result(&j->result, SINK_DONE, "");
    assert_int_equal(fake_zk_asked(w->dst, ZK_SET_DATA), 2);
    assert_int_equal(fake_zk_asked(w->dst, ZK_GET_DATA), 2);
    assert_data(w->dst, "/a/b", "2");
}

static void a_node_that_others_write_all_the_time_is_held(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set(w->src, "/a/b", "2");
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR,
                                                .op = ZK_SET_DATA,
                                                .error = ZK_BAD_VERSION,
                                                .times = 99});
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "conflict");
}

static void what_was_deleted_in_the_destination_is_made_again(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_delete(w->dst, "/a/b");
    w->unsure = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_data(w->dst, "/a/b", "1");
}

static void without_its_parent_a_node_waits_for_it(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    const struct sink_result *r = zt_do(w, "/a/b/c");
    zt_assert_result(r, SINK_WAITING, "parent-missing");
    assert_string_equal(r->dependency.p, "/a/b");
    zt_do(w, "/a/b");
    zt_assert_result(zt_do(w, "/a/b/c"), SINK_DONE, "");
}

static void a_parent_that_comes_behind_its_child_is_waited_for(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    struct zt_job *c = zt_send(w, "/a/b/c");
    zt_send(w, "/a/b");
    zt_run(w);
    zt_assert_result(&c->result, SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

static void an_ephemeral_parent_in_the_destination_is_said(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    fake_zk_create_ephemeral(w->dst, "/a/b", "1");
    zt_assert_result(zt_do(w, "/a/b/c"), SINK_HELD, "ephemeral-parent");
}

static void an_exceeded_quota_is_said(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR,
                                                .op = ZK_CREATE,
                                                .path = "/a/b",
                                                .error = ZK_QUOTA_EXCEEDED});
    const struct sink_result *r = zt_do(w, "/a/b");
    zt_assert_result(r, SINK_HELD, "quota");
    assert_non_null(strstr(r->reason, "creating it"));
}

static void what_is_not_to_be_copied_is_not(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/ab", "1");
    zt_assert_result(zt_do(w, "/ab"), SINK_SKIPPED, "outside");
    struct zt_job *j = zt_job(w, SINK_PUT, "/a/b");
    buf_add_str(&j->body, "{\"text\":5}");
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_HELD, "invalid");
    j = zt_job(w, SINK_PUT, "/a/../b");
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_HELD, "invalid");
}

/* ---- Adoption ---- */

static void put_foreign(struct zt_world *w, const char *here, const char *there)
{
    fake_zk_create(w->src, "/a/b", here);
    fake_zk_create(w->dst, "/a/b", there);
}

static void adopt_never_holds_what_is_there(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_NEVER;
    put_foreign(w, "1", "1");
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "not-ours");
    assert_int_equal(fake_zk_writes(w->dst), 0);
}

static void adopt_equal_takes_what_is_equal_and_holds_the_rest(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_EQUAL;
    put_foreign(w, "1", "1");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_int_equal(fake_zk_writes(w->dst), 0);
    fake_zk_create(w->src, "/a/c", "1");
    fake_zk_create(w->dst, "/a/c", "2");
    zt_assert_result(zt_do(w, "/a/c"), SINK_HELD, "not-ours");
    assert_int_equal(fake_zk_writes(w->dst), 0);
}

static void adopt_equal_looks_at_the_acl_too(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_EQUAL;
    put_foreign(w, "1", "1");
    fake_zk_set_acl(w->dst, "/a/b", "world:anyone:r");
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "not-ours");
}

static void adopt_always_keeps_what_it_overwrites(void **state)
{
    struct zt_world *w = *state;
    struct zk_record kept;
    struct err e = ERR_INIT;
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    put_foreign(w, "new", "old");
    fake_zk_set_acl(w->dst, "/a/b", "world:anyone:rwa");
    zt_assert_result(zt_do(w, "/a/b"), SINK_WAITING, "pre-image");
    assert_int_equal(fake_zk_writes(w->dst), 0);
    assert_int_equal(zk_record_decode(zt_kept(w->preimages, "/a/b"), &kept, &e), RC_OK);
    assert_int_equal(znode_parse(kept.body, &doc, &e), RC_OK);
    assert_true(slice_eq(znode_of(doc)->data, SLICE("old")));
    assert_int_equal(znode_of(doc)->n_acl, 1);
    assert_int_equal(znode_of(doc)->acl[0].perms, ZNODE_READ | ZNODE_WRITE | ZNODE_ADMIN);
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    zt_assert_equal(w, "/a");
}

static void what_changed_after_it_was_kept_is_kept_anew(void **state)
{
    struct zt_world *w = *state;
    put_foreign(w, "new", "old");
    zt_do(w, "/a/b");
    fake_zk_set(w->dst, "/a/b", "older");
    zt_assert_result(zt_do(w, "/a/b"), SINK_WAITING, "pre-image");
    assert_int_equal(fake_zk_writes(w->dst), 0);
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_data(w->dst, "/a/b", "new");
}

static void a_node_of_the_same_czxid_in_another_ensemble_is_not_ours(void **state)
{
    struct zt_world *w = *state;
    struct zk_record r;
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf other = BUF_INIT(ZK_RECORD_MAX);
    fake_zk_create(w->src, "/a/b", "1");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_int_equal(zk_record_decode(zt_kept(w->records, "/a/b"), &r, &e), RC_OK);
    r.ctime--;
    assert_int_equal(zk_record_encode(&r, &other, &e), RC_OK);
    zt_keep(w->records, SLICE("/a/b"), buf_slice(&other));
    fake_zk_delete(w->src, "/a/b");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "not-ours");
    assert_data(w->dst, "/a/b", "1");
}

static void what_is_ours_by_record_is_overwritten_without_asking(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_NEVER;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_set(w->dst, "/a/b", "foreign");
    w->unsure = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_data(w->dst, "/a/b", "1");
}

/* ---- Deleting ---- */

static void a_copy_is_deleted(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_delete(w->src, "/a/b");
    w->inferred = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_false(fake_zk_get(w->dst, SLICE("/a/b"), &n));
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
}

static void what_is_not_ours_is_never_deleted(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->dst, "/a/b", "1");
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "not-ours");
    fake_zk_create(w->src, "/a/c", "1");
    zt_do(w, "/a/c");
    fake_zk_delete(w->dst, "/a/c");
    fake_zk_create(w->dst, "/a/c", "1");
    fake_zk_delete(w->src, "/a/c");
    zt_assert_result(zt_do(w, "/a/c"), SINK_DONE, "not-ours");
    assert_data(w->dst, "/a/b", "1");
    assert_data(w->dst, "/a/c", "1");
}

static void what_was_adopted_goes_only_when_its_deletion_was_seen(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    put_foreign(w, "1", "1");
    zt_do(w, "/a/b");
    fake_zk_delete(w->src, "/a/b");
    w->inferred = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "adopted");
    assert_data(w->dst, "/a/b", "1");
    w->inferred = false;
    zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    assert_false(fake_zk_get(w->dst, SLICE("/a/b"), &n));
}

static void a_parent_is_deleted_after_its_children(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    zt_send_all(w);
    zt_run(w);
    fake_zk_delete_tree(w->src, "/a/b");
    struct zt_job *b = zt_send(w, "/a/b");
    zt_steps(w, 20);
    assert_false(b->done);
    struct zt_job *c = zt_send(w, "/a/b/c");
    zt_run(w);
    zt_assert_result(&b->result, SINK_DONE, "");
    zt_assert_result(&c->result, SINK_DONE, "");
    assert_false(fake_zk_get(w->dst, SLICE("/a/b"), &n));
}

static void children_of_others_keep_their_parent(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_create(w->dst, "/a/b/foreign", "1");
    fake_zk_delete(w->src, "/a/b");
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "not-empty");
    assert_data(w->dst, "/a/b", "1");
}

/* ---- One ensemble ---- */

static void source_and_destination_must_not_be_one(void **state)
{
    struct zt_world *w = *state;
    struct sink_status s;
    fake_zk_create(w->dst, "/a/b", "1");
    struct znode n = node_of(w->dst, "/a/b");
    struct zt_job *j = zt_job(w, SINK_PUT, "/a/b");
    znode_print(&n, &j->body);
    zt_submit(w, j);
    zt_steps(w, 50);
    sink_status(w->sink, &s);
    assert_true(s.fatal && !s.connected);
    assert_non_null(strstr(s.error, "same ensemble"));
    assert_false(j->done);
    assert_int_equal(fake_zk_writes(w->dst), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_tree_arrives_in_one_go),
        T(data_are_set_and_the_record_goes_on),
        T(what_is_as_wanted_is_not_written),
        T(a_change_between_look_and_write_is_seen),
        T(a_node_that_others_write_all_the_time_is_held),
        T(what_was_deleted_in_the_destination_is_made_again),
        T(without_its_parent_a_node_waits_for_it),
        T(a_parent_that_comes_behind_its_child_is_waited_for),
        T(an_ephemeral_parent_in_the_destination_is_said),
        T(an_exceeded_quota_is_said),
        T(what_is_not_to_be_copied_is_not),
        T(adopt_never_holds_what_is_there),
        T(adopt_equal_takes_what_is_equal_and_holds_the_rest),
        T(adopt_equal_looks_at_the_acl_too),
        T(adopt_always_keeps_what_it_overwrites),
        T(what_changed_after_it_was_kept_is_kept_anew),
        T(a_node_of_the_same_czxid_in_another_ensemble_is_not_ours),
        T(what_is_ours_by_record_is_overwritten_without_asking),
        T(a_copy_is_deleted),
        T(what_is_not_ours_is_never_deleted),
        T(what_was_adopted_goes_only_when_its_deletion_was_seen),
        T(a_parent_is_deleted_after_its_children),
        T(children_of_others_keep_their_parent),
        T(source_and_destination_must_not_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

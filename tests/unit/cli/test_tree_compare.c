/* cli/tree_compare on two modelled ensembles. */
#include "cli/tree_compare.h"

#include "io/zk_walk.h"
#include "tests/unit/cli/tree_world.h"

#include <string.h>

static void say(struct tree_world *t, const struct zk_difference *d)
{
    for (int i = 0; i < TREE_WORDS; i++)
        if (d->what & tree_words[i].what)
            buf_addf(&t->said, "%s %.*s\n", tree_words[i].difference, SLICE_ARG(d->path));
}

/* Time goes by only while both wait. */
static enum rc run(struct tree_world *t, struct err *e)
{
    struct zk_difference d;
    enum rc rc;
    tree_world_open(t);
    while ((rc = tree_compare_next(t->t, &d, e)) == RC_OK || rc == RC_AGAIN) {
        if (rc == RC_OK)
            say(t, &d);
        else
            fake_clock_advance(&t->clock, NS_PER_S);
        assert_true(rc != RC_AGAIN || tree_compare_wait(t->t, e) == RC_OK);
    }
    return rc;
}

static void assert_differences(struct tree_world *t, const char *want)
{
    struct err e = ERR_INIT;
    assert_int_equal(run(t, &e), RC_END);
    assert_string_equal(t->said.n ? t->said.p : "", want);
}

static void each_kind_of_difference_is_told(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/same", "1");
    tree_world_put_both(t, "/r/data", "1");
    tree_world_put_both(t, "/r/acl", "1");
    tree_world_put_both(t, "/r/q", "1");
    fake_zk_set(t->w[D], "/r/data", "2");
    fake_zk_set_acl(t->w[S], "/r/acl", "world:anyone:r");
    fake_zk_create(t->w[S], "/r/q/x", "");
    fake_zk_delete(t->w[S], "/r/q/x");
    fake_zk_put(t->w[S], "/r/missing", "1");
    fake_zk_put(t->w[D], "/r/extra", "1");
    fake_zk_put(t->w[S], "/beside", "1");
    assert_differences(
        t, "acl /r/acl\ndata /r/data\nextra /r/extra\nmissing /r/missing\nsequence /r/q\n");
    assert_int_equal(tree_compare_equal(t->t), 2);
    assert_int_equal(fake_zk_writes(t->w[S]) + fake_zk_writes(t->w[D]), 0);
}

static void without_acl_none_is_read(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r", "1");
    fake_zk_set_acl(t->w[S], "/r", "world:anyone:r");
    t->sync.tree.acl = false;
    assert_differences(t, "");
    assert_int_equal(fake_zk_asked(t->w[S], ZK_GET_ACL), 0);
}

static void excluded_paths_are_passed_over_on_both_sides(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r", "1");
    fake_zk_put(t->w[S], "/r/tmp/a", "1");
    fake_zk_put(t->w[D], "/r/b/tmp/x", "1");
    fake_zk_put(t->w[S], "/r/b", "");
    assert_int_equal(regex_new(SLICE("/tmp"), &t->entry.exclude_path, NULL), RC_OK);
    fake_zk_create(t->w[D], "/r/c", "");
    fake_zk_delete(t->w[D], "/r/c");
    fake_zk_set(t->w[D], "/r/b", "");
    assert_differences(t, "");
}

static void an_ephemeral_node_is_copied_only_where_that_is_wanted(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/was", "1");
    fake_zk_create_ephemeral(t->w[S], "/r/e", "1");
    fake_zk_delete(t->w[S], "/r/was");
    fake_zk_create_ephemeral(t->w[S], "/r/was", "2");
    fake_zk_create_ephemeral(t->w[D], "/r/there", "1");
    fake_zk_create(t->w[S], "/r/there", "1");
    fake_zk_create(t->w[D], "/r/x", "1");
    fake_zk_create(t->w[D], "/r/y", "1");
    assert_differences(t, "extra /r/was\nextra /r/x\nextra /r/y\n");
    tree_world_close(t);
    t->entry.ephemeral = true;
    assert_differences(t, "missing /r/e\ndata /r/was\nextra /r/x\nextra /r/y\n");
}

static void zookeeper_is_passed_over_at_the_real_root_alone(void **state)
{
    struct tree_world *t = *state;
    t->entry.root = SLICE("/");
    fake_zk_set(t->w[S], "/zookeeper", "other");
    fake_zk_put(t->w[S], "/x/zookeeper", "1");
    assert_differences(t, "sequence /\nmissing /x\nmissing /x/zookeeper\n");
}

static void what_cannot_be_read_is_told_with_the_side_and_why(void **state)
{
    struct tree_world *t = *state;
    struct zk_difference d;
    const char *side, *why;
    struct err e = ERR_INIT;
    tree_world_put_both(t, "/r/a/b", "1");
    fake_zk_set_acl(t->w[D], "/r/a", "digest:u:h:r");
    t->sync.tree.acl = false;
    assert_differences(t, "unreadable /r/a\nunreadable /r/a/b\n");
    tree_world_close(t);
    tree_world_open(t);
    assert_int_equal(tree_compare_next(t->t, &d, &e), RC_OK);
    tree_why_unreadable(&d, &side, &why);
    assert_string_equal(side, "destination");
    assert_string_equal(why, zk_error_name(ZK_NO_AUTH));
    assert_int_equal(tree_compare_next(t->t, &d, &e), RC_OK);
    tree_why_unreadable(&d, &side, &why);
    assert_string_equal(side, "destination");
    assert_non_null(strstr(why, "above"));
}

static void hidden_hashes_are_counted_and_not_compared(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/a", "1");
    fake_zk_set_acl(t->w[S], "/r/a", "digest:u:h:cdrwa,world:anyone:r");
    assert_differences(t, "");
    assert_int_equal(tree_compare_hidden(t->t), 1);
    tree_world_close(t);
    t->sync.tree.acl = false;
    assert_differences(t, "");
    assert_int_equal(tree_compare_hidden(t->t), 0);
}

static void an_ensemble_that_does_not_answer_is_trouble(void **state)
{
    static const char *const names[] = {"source ns/one: no answer within 10 s",
                                        "destination ns/two: no answer within 10 s"};
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/a", "1");
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT, slow = ERR_INIT;
        fake_zk_set_down(t->w[i], true);
        assert_int_equal(run(t, &e), RC_UNAVAILABLE);
        assert_true(slice_starts(slice_str(e.msg), slice_str(names[i])));
        assert_true(strlen(e.msg) > strlen(names[i])); /* and why there is no session */
        tree_world_close(t);
        fake_zk_set_down(t->w[i], false);
        fake_zk_set_delay(t->w[i], 60 * NS_PER_S);
        assert_int_equal(run(t, &slow), RC_UNAVAILABLE);
        assert_true(slice_starts(slice_str(slow.msg), slice_str(names[i])));
        tree_world_close(t);
        fake_zk_set_delay(t->w[i], 0);
    }
}

/* Each answer is late, all of them take far longer than the limit. */
static void an_ensemble_that_answers_slowly_is_waited_for(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/a/b/c/d/e", "1");
    fake_zk_set_delay(t->w[S], 6 * NS_PER_S);
    assert_differences(t, "");
}

static void a_session_that_is_lost_amid_the_walk_is_trouble(void **state)
{
    struct tree_world *t = *state;
    struct err e = ERR_INIT;
    tree_world_put_both(t, "/r/a", "1");
    fake_zk_plan(t->w[D],
                 &(struct fake_zk_rule){.fault = FAKE_ZK_ANSWER_LOST, .op = ZK_GET_CHILDREN});
    assert_int_equal(run(t, &e), RC_UNAVAILABLE);
    assert_true(slice_starts(slice_str(e.msg), SLICE("destination: ")));
}

static void a_session_that_is_lost_before_the_walk_is_followed_by_another(void **state)
{
    struct tree_world *t = *state;
    tree_world_put_both(t, "/r/a", "1");
    fake_zk_plan(t->w[S], &(struct fake_zk_rule){.fault = FAKE_ZK_ANSWER_LOST, .op = ZK_SYNC});
    assert_differences(t, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(each_kind_of_difference_is_told),
        TREE_TEST(without_acl_none_is_read),
        TREE_TEST(excluded_paths_are_passed_over_on_both_sides),
        TREE_TEST(an_ephemeral_node_is_copied_only_where_that_is_wanted),
        TREE_TEST(zookeeper_is_passed_over_at_the_real_root_alone),
        TREE_TEST(what_cannot_be_read_is_told_with_the_side_and_why),
        TREE_TEST(hidden_hashes_are_counted_and_not_compared),
        TREE_TEST(an_ensemble_that_does_not_answer_is_trouble),
        TREE_TEST(an_ensemble_that_answers_slowly_is_waited_for),
        TREE_TEST(a_session_that_is_lost_amid_the_walk_is_trouble),
        TREE_TEST(a_session_that_is_lost_before_the_walk_is_followed_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The ZooKeeper sink with many items and with faults: batches, lost answers, silence. */
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

/* /a/d<i>/n<k> */
static void make_tree(struct zt_world *w, int dirs, int nodes)
{
    char path[64];
    for (int i = 0; i < dirs; i++) {
        snprintf(path, sizeof path, "/a/d%d", i);
        fake_zk_create(w->src, path, "dir");
        for (int k = 0; k < nodes; k++) {
            snprintf(path, sizeof path, "/a/d%d/n%d", i, k);
            fake_zk_create(w->src, path, "data");
        }
    }
}

static struct zt_job *job_of(struct zt_world *w, const char *path)
{
    for (size_t i = w->n_jobs; i-- > 0;)
        if (strcmp(w->jobs[i].path, path) == 0)
            return &w->jobs[i];
    fail_msg("no item of %s", path);
    return NULL;
}

static void assert_all(struct zt_world *w, const char *but)
{
    for (size_t i = 0; i < w->n_jobs; i++)
        if (!but || strcmp(w->jobs[i].path, but) != 0)
            zt_assert_result(&w->jobs[i].result, SINK_DONE, "");
}

static struct sink_status status_of(struct zt_world *w)
{
    struct sink_status s;
    sink_status(w->sink, &s);
    return s;
}

/* ---- Many ---- */

static void thousands_of_nodes_go_in_few_requests(void **state)
{
    struct zt_world *w = *state;
    make_tree(w, 10, 300);
    zt_send_all(w);
    zt_run(w);
    assert_all(w, NULL);
    zt_assert_equal(w, "/a");
    assert_int_equal(fake_zk_asked(w->dst, ZK_CREATE), 3010);
    assert_true(fake_zk_asked(w->dst, ZK_MULTI) < 300);
    assert_true(fake_zk_asked(w->dst, ZK_MULTI_READ) < 300);
}

static void what_comes_while_answers_are_awaited_goes_together(void **state)
{
    struct zt_world *w = *state;
    make_tree(w, 1, 100);
    zt_do(w, "/a");
    fake_zk_forget(w->dst);
    fake_zk_set_delay(w->dst, NS_PER_S);
    for (int i = 0; i < 100; i++) {
        char path[32];
        int64_t wake;
        struct err e = ERR_INIT;
        snprintf(path, sizeof path, "/a/d0/n%d", i);
        zt_send(w, path);
        assert_int_equal(sink_step(w->sink, &wake, &e), i == 0 ? RC_OK : RC_AGAIN);
    }
    fake_zk_run(w->dst);
    assert_int_equal(fake_zk_asked(w->dst, ZK_GET_DATA), 1);
    zt_run(w);
    assert_int_equal(fake_zk_asked(w->dst, ZK_MULTI_READ), 1);
}

static void a_window_that_is_full_says_again(void **state)
{
    struct zt_world *w = *state;
    struct err e = ERR_INIT;
    zt_close(w);
    w->opts.window = 4;
    zt_open(w);
    make_tree(w, 1, 20);
    for (int i = 0; i < 4; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/d0/n%d", i);
        zt_send(w, path);
    }
    struct zt_job *j = zt_job(w, SINK_DELETE, "/a/d0/n5");
    assert_int_equal(sink_submit(w->sink, &j->item, &e), RC_AGAIN);
    j->done = true;
    zt_send_all(w);
    zt_run(w);
    zt_send_all(w);
    zt_run(w);
    zt_assert_equal(w, "/a");
}

static void one_poison_node_harms_no_other(void **state)
{
    struct zt_world *w = *state;
    make_tree(w, 2, 100);
    w->settled = SETTLED_ALL;
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR,
                                                .op = ZK_CREATE,
                                                .path = "/a/d1/n50",
                                                .error = ZK_NO_AUTH,
                                                .times = 1000});
    zt_send_all(w);
    zt_run(w);
    assert_all(w, "/a/d1/n50");
    zt_assert_result(&job_of(w, "/a/d1/n50")->result, SINK_HELD, "no-auth");
}

static void requests_stay_below_the_servers_limit(void **state)
{
    struct zt_world *w = *state;
    AUTO(freep) char *large = calloc(1, 200001);
    memset(large, 'x', 200000);
    for (int i = 0; i < 20; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/n%d", i);
        fake_zk_create(w->src, path, large);
    }
    zt_send_all(w);
    zt_run(w);
    assert_all(w, NULL);
    assert_int_equal(fake_zk_struck(w->dst, FAKE_ZK_REQUEST_LOST), 0);
    zt_assert_equal(w, "/a");
}

static void a_node_that_no_request_takes_is_held(void **state)
{
    struct zt_world *w = *state;
    AUTO(freep) char *large = calloc(1, ZNODE_DATA_MAX + 1);
    memset(large, 'x', ZNODE_DATA_MAX);
    struct zt_job *j = zt_job(w, SINK_PUT, "/a/large");
    const struct znode_acl acl = {ZNODE_ALL, SLICE("world"), SLICE("anyone")};
    const struct znode n = {.data = slice_of(large, ZNODE_DATA_MAX),
                            .has_acl = true,
                            .acl = &acl,
                            .n_acl = 1,
                            .stat = {.czxid = 9}};
    znode_print(&n, &j->body);
    zt_submit(w, j);
    make_tree(w, 1, 5);
    zt_send_all(w);
    zt_run(w);
    zt_assert_result(&j->result, SINK_HELD, "too-large");
    zt_assert_equal(w, "/a");
}

/* A server with a small jute.maxbuffer drops the connection. */
static void who_loses_the_connection_again_and_again_is_held_alone(void **state)
{
    struct zt_world *w = *state;
    AUTO(freep) char *large = calloc(1, 30001);
    memset(large, 'x', 30000);
    make_tree(w, 1, 20);
    fake_zk_create(w->src, "/a/d0/large", large);
    fake_zk_set_request_max(w->dst, 20000);
    zt_send_all(w);
    zt_run(w);
    zt_assert_result(&job_of(w, "/a/d0/large")->result, SINK_HELD, "unserved");
    assert_non_null(strstr(job_of(w, "/a/d0/large")->result.reason, "jute.maxbuffer"));
    for (int i = 0; i < 20; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/d0/n%d", i);
        zt_assert_result(&job_of(w, path)->result, SINK_DONE, "");
    }
}

/* ---- Lost answers ---- */

/* flags: those of the records. */
static void lose_one(struct zt_world *w, enum fake_zk_fault fault, uint32_t flags)
{
    w->policy.adopt = ADOPT_NEVER;
    make_tree(w, 1, 0);
    zt_do(w, "/a/d0");
    make_tree(w, 1, 10);
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = fault, .op = ZK_CREATE});
    for (int i = 0; i < 10; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/d0/n%d", i);
        zt_send(w, path);
    }
    zt_run(w);
    assert_int_equal(fake_zk_struck(w->dst, fault), 1);
    assert_all(w, "/a/d0");
    for (size_t i = 1; i < w->n_jobs; i++) {
        struct zk_record r;
        struct err e = ERR_INIT;
        assert_int_equal(zk_record_decode(zt_kept(w->records, w->jobs[i].path), &r, &e), RC_OK);
        assert_int_equal(r.flags, flags);
    }
}

static void a_lost_answer_to_what_was_done_is_resolved_by_a_look(void **state)
{
    struct zt_world *w = *state;
    lose_one(w, FAKE_ZK_ANSWER_LOST, ZK_RECORD_ADOPTED);
    assert_int_equal(fake_zk_writes(w->dst), 11);
}

static void a_lost_request_is_sent_again(void **state)
{
    struct zt_world *w = *state;
    lose_one(w, FAKE_ZK_REQUEST_LOST, 0);
    assert_int_equal(fake_zk_writes(w->dst), 11);
}

static void an_answer_that_cannot_be_read_is_a_lost_one(void **state)
{
    struct zt_world *w = *state;
    lose_one(w, FAKE_ZK_GARBAGE, ZK_RECORD_ADOPTED);
}

static void a_lost_delete_is_resolved_by_a_look(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_delete(w->src, "/a/b");
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_ANSWER_LOST, .op = ZK_DELETE});
    const struct sink_result *r = zt_do(w, "/a/b");
    zt_assert_result(r, SINK_DONE, "");
    assert_true(r->wrote);
    assert_false(fake_zk_get(w->dst, SLICE("/a/b"), &n));
}

/* It cannot be told from ours; so an inferred delete does not take it. */
static void an_equal_node_of_somebody_else_is_not_deleted_unseen(void **state)
{
    struct zt_world *w = *state;
    struct znode n;
    fake_zk_create(w->src, "/a/b", "1");
    zt_send(w, "/a/b");
    while (fake_zk_asked(w->dst, ZK_GET_DATA) == 0)
        assert_true(zt_step(w));
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_REQUEST_LOST, .op = ZK_CREATE});
    fake_zk_create(w->dst, "/a/b", "1");
    zt_run(w);
    zt_assert_result(&w->jobs[0].result, SINK_DONE, "");
    fake_zk_delete(w->src, "/a/b");
    w->inferred = true;
    zt_assert_result(zt_do(w, "/a/b"), SINK_HELD, "adopted");
    assert_true(fake_zk_get(w->dst, SLICE("/a/b"), &n));
}

static void somebody_elses_node_is_not_taken_for_a_lost_write(void **state)
{
    struct zt_world *w = *state;
    w->policy.adopt = ADOPT_NEVER;
    fake_zk_create(w->src, "/a/b", "1");
    zt_send(w, "/a/b");
    fake_zk_forget(w->dst);
    while (fake_zk_asked(w->dst, ZK_GET_DATA) == 0)
        assert_true(zt_step(w));
    fake_zk_plan(w->dst, &(struct fake_zk_rule){.fault = FAKE_ZK_REQUEST_LOST, .op = ZK_CREATE});
    fake_zk_create(w->dst, "/a/b", "other");
    zt_run(w);
    zt_assert_result(&w->jobs[0].result, SINK_HELD, "not-ours");
}

/* ---- Silence ---- */

static void a_long_silence_keeps_items_in_flight_and_says_why(void **state)
{
    struct zt_world *w = *state;
    make_tree(w, 1, 0);
    zt_do(w, "/a/d0");
    make_tree(w, 1, 10);
    zt_send_all(w);
    fake_zk_set_down(w->dst, true);
    zt_steps(w, 50);
    fake_clock_advance(&w->clock, 3600 * NS_PER_S);
    zt_steps(w, 50);
    assert_true(zt_open_jobs(w) > 0);
    assert_false(status_of(w).connected || status_of(w).fatal);
    assert_true(status_of(w).error[0]);
    fake_zk_set_down(w->dst, false);
    zt_run(w);
    assert_true(status_of(w).connected);
    assert_string_equal(status_of(w).error, "");
    zt_assert_equal(w, "/a");
}

static void what_is_answered_neither_yes_nor_no_is_held_after_a_while(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/c", "1");
    fake_zk_plan(
        w->dst,
        &(struct fake_zk_rule){
            .fault = FAKE_ZK_ERROR, .op = ZK_CREATE, .path = "/a/b", .error = -127, .times = 1000});
    zt_send_all(w);
    zt_run(w);
    zt_assert_result(&job_of(w, "/a/b")->result, SINK_HELD, "unserved");
    zt_assert_result(&job_of(w, "/a/c")->result, SINK_DONE, "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(thousands_of_nodes_go_in_few_requests),
        T(what_comes_while_answers_are_awaited_goes_together),
        T(a_window_that_is_full_says_again),
        T(one_poison_node_harms_no_other),
        T(requests_stay_below_the_servers_limit),
        T(a_node_that_no_request_takes_is_held),
        T(who_loses_the_connection_again_and_again_is_held_alone),
        T(a_lost_answer_to_what_was_done_is_resolved_by_a_look),
        T(a_lost_request_is_sent_again),
        T(an_answer_that_cannot_be_read_is_a_lost_one),
        T(a_lost_delete_is_resolved_by_a_look),
        T(an_equal_node_of_somebody_else_is_not_deleted_unseen),
        T(somebody_elses_node_is_not_taken_for_a_lost_write),
        T(a_long_silence_keeps_items_in_flight_and_says_why),
        T(what_is_answered_neither_yes_nor_no_is_held_after_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

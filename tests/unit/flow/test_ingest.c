#include "tests/unit/flow/ingest_test.h"

#define MANY 3000

/* ---- Listings (I5) ---- */

static void a_listing_infers_deletes_with_their_last_bodies_before_its_end(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_GAP, "10");
    say(w, EVENT_SYNC_BEGIN, NULL);
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_RESYNC, B, "6");
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_RESYNC, C, "15");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "gap@10 sync-begin put c@15 delete a@5 gap@20 sync-end@20 position@20");
    AUTO(rlog_found_done) struct rlog_found gone = {0}, end = {0};
    last_of(w, A, &gone);
    assert_int_equal(gone.event.cause, CAUSE_RESYNC);
    assert_true(slice_eq(gone.event.body, SLICE("{\"v\":5}")));
    assert_true(slice_eq(gone.event.uid, SLICE("u-" A)));
    last_of(w, "@sync/" CM, &end);
    assert_true(slice_eq(end.event.body, SLICE("{\"listed\":2,\"changed\":1,\"deleted\":1}")));
}

static void a_listing_in_which_nothing_differs_raises_no_alarm(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "sync-begin sync-end@20 position@20");
}

static void a_listing_that_breaks_off_appends_no_deletes(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, B, "6");
    run(w);
    assert_said(w, "sync-begin");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "30");
    run(w);
    assert_said(w, "sync-begin sync-end@30 position@30");
}

static void a_listing_cut_by_a_crash_appends_no_deletes_and_is_made_again(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, C, "12");
    run(w);
    crash(w);
    run(w);
    assert_said(w, "sync-begin put c@12");
    /* From 10 the watch would repeat what came before c@12. */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
}

static void what_was_watched_just_before_a_listing_is_not_written_again(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    fake_producer_object(w->producer, EVENT_DELETE, CAUSE_WATCH, B, "12");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "11");
    say(w, EVENT_SYNC_END, "20");
    run(w);
    assert_said(w, "put a@11 delete b@12 sync-begin position@12 sync-end@20 position@20");
}

static void thousands_of_missing_objects_end_with_one_sync_end(void **state)
{
    struct world *w = *state;
    say(w, EVENT_SYNC_BEGIN, NULL);
    for (int i = 0; i < MANY; i++) {
        char key[60];
        snprintf(key, sizeof key, "/configmaps/n/k%d", i);
        listed(w, key, "1");
    }
    say(w, EVENT_SYNC_END, "5");
    run(w);
    size_t before = log_length(w);
    w->told = before + 1;
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "9");
    run(w);
    assert_int_equal(log_length(w), before + 1 + MANY + 3);
    w->told = before + 1 + MANY + 1;
    assert_said(w, "gap@9 sync-end@9 position@9");
    assert_int_equal(fake_producer_waiting(w->producer), 0);
}

static void a_listing_of_one_scope_leaves_the_others_alone(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, "/namespaces", NULL);
    watched(w, A, "11");
    fake_producer_object(w->producer, EVENT_PUT, CAUSE_LIST, "/namespaces//n", "2");
    fake_producer_own(w->producer, EVENT_SYNC_END, "/namespaces", "12");
    run(w);
    assert_said(w, "sync-begin put a@11 put n@2 position@11 sync-end@12 position@12");
}

static void the_log_is_kept_up_when_idle_and_now_and_then_when_busy(void **state)
{
    struct world *w = *state;
    run(w);
    unsigned before = rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN);
    run(w);
    assert_true(rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN) > before);
    before = rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN);
    for (int i = 0; i < 40; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        watched(w, A, "3");
        assert_ok(ingest_step(w->ingest, &wake, &e));
    }
    assert_true(rlog_fault_count(w->log.log, RLOG_FAULT_MAINTAIN) > before);
}

static void upkeep_without_room_waits_and_a_broken_one_is_told(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    rlog_fault_set(w->log.log, RLOG_FAULT_MAINTAIN,
                   &(struct fault_rule){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    run(w);
    rlog_fault_set(w->log.log, RLOG_FAULT_MAINTAIN,
                   &(struct fault_rule){.rc = RC_LIMIT, .retry = ERR_FINAL});
    assert_int_equal(run_to_error(w, &e), RC_LIMIT);
}

static void the_status_counts_scopes_and_names_the_worst(void **state)
{
    struct world *w = *state;
    struct ingest_status status;
    ingest_status(w->ingest, &status);
    assert_int_equal(status.scopes, 3);
    assert_false(status.connected);
    fake_producer_set_status(w->producer, "/namespaces", PRODUCER_FOLLOWING, "");
    fake_producer_set_status(w->producer, CM, PRODUCER_DENIED, "forbidden");
    ingest_status(w->ingest, &status);
    assert_true(status.connected);
    assert_int_equal(status.following, 1);
    assert_string_equal(status.error, "/configmaps: forbidden");
}

/* ---- Trees ---- */

static void a_listing_of_a_tree_infers_deletes_of_its_own_nodes_alone(void **state)
{
    struct world *w = *state;
    list_trees(w);
    list_tree(w, "/a", "/a@1 /a/b/c@3", "20");
    assert_said(w, "sync-begin delete b@2 gap@20 sync-end@20 position@20");
    AUTO(rlog_found_done) struct rlog_found gone = {0};
    last_of(w, "/a/b", &gone);
    assert_int_equal(gone.event.source_kind, SOURCE_ZOOKEEPER);
    assert_true(slice_eq(gone.event.body, SLICE("{\"v\":2}")));
}

static void the_root_of_a_tree_may_be_missing_too(void **state)
{
    struct world *w = *state;
    list_trees(w);
    list_tree(w, "/a", "", "20");
    assert_said(w, "sync-begin delete a@1 delete b@2 delete c@3 gap@20 sync-end@20 position@20");
}

static void what_the_servers_keep_is_none_of_the_whole_tree(void **state)
{
    static const struct ingest_scope both[] = {{.scope = SLICE("/"), .tree = true},
                                               {.scope = SLICE("/zookeeper"), .tree = true}};
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_ok(ingest_want(w->ingest, both, 2, &e));
    list_tree(w, "/", "/@1 /x@2", "10");
    list_tree(w, "/zookeeper", "/zookeeper@1 /zookeeper/q@2", "10");
    assert_said(w, "epoch sync-begin put @1 put x@2 sync-end@10 position@10 "
                   "sync-begin put zookeeper@1 put q@2 sync-end@10 position@10");
    list_tree(w, "/", "/@1", "20");
    assert_said(w, "sync-begin delete x@2 gap@20 sync-end@20 position@20");
}

/* Of what was watched one node may be said before another that changed earlier. */
static void a_tree_stands_where_its_producer_says_and_not_where_a_node_does(void **state)
{
    struct world *w = *state;
    list_trees(w);
    watched(w, "/ab/c", "11");
    run(w);
    assert_said(w, "put c@11");
    fake_clock_advance(&w->log.clock, 61 * NS_PER_S);
    fake_producer_own(w->producer, EVENT_POSITION, "/ab", "12");
    watched(w, "/ab/d", "13");
    run(w);
    assert_said(w, "put d@13 position@12");
    AUTO(rlog_found_done) struct rlog_found at = {0};
    last_of(w, "@position//ab", &at);
    assert_true(slice_eq(at.event.version, SLICE("12")));
    assert_int_equal(at.event.source_kind, SOURCE_ZOOKEEPER);
}

static void nodes_of_which_the_source_did_not_tell_are_not_missing(void **state)
{
    struct world *w = *state;
    list_trees(w);
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, "/a", NULL);
    fake_producer_say(w->producer,
                      &(struct event){.op = EVENT_SYNC_END,
                                      .cause = CAUSE_SELF,
                                      .source_kind = SOURCE_ZOOKEEPER,
                                      .key = SLICE("@sync//a"),
                                      .version = SLICE("20"),
                                      .body = SLICE("{\"unread\":[\"/a/b/\",\"/a\"]}")});
    run(w);
    assert_said(w, "sync-begin delete b@2 gap@20 sync-end@20 position@20");
}

static void say_bare(struct world *w, const char *key, const char *version)
{
    char uid[40];
    snprintf(uid, sizeof uid, "u-%s", key);
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, "/a", NULL);
    fake_producer_say(w->producer, &(struct event){.op = EVENT_PUT,
                                                   .cause = CAUSE_RESYNC,
                                                   .source_kind = SOURCE_ZOOKEEPER,
                                                   .key = slice_str(key),
                                                   .version = slice_str(version),
                                                   .uid = slice_str(uid)});
}

static void what_the_log_has_may_be_listed_without_body(void **state)
{
    struct world *w = *state;
    list_trees(w);
    say_bare(w, "/a/b", "2");
    fake_producer_own(w->producer, EVENT_SYNC_END, "/a", "20");
    run(w);
    assert_said(w, "sync-begin delete a@1 delete c@3 gap@20 sync-end@20 position@20");
}

static void what_the_log_lacks_may_not(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_trees(w);
    say_bare(w, "/a/b", "7");
    assert_int_equal(run_to_error(w, &e), RC_INVALID);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_true(ft_has(e.msg, "/a/b without its body"));
    assert_said(w, "sync-begin");
}

static enum rc recall(struct world *w, const char *key, const struct event **ret)
{
    const struct producer_memory *memory = fake_producer_memory(w->producer);
    struct err e = ERR_INIT;
    return memory->last(memory->arg, slice_str(key), ret, &e);
}

static void a_producer_may_look_up_what_is_there_now(void **state)
{
    struct world *w = *state;
    const struct event *known = NULL;
    list_trees(w);
    fake_producer_object(w->producer, EVENT_DELETE, CAUSE_WATCH, "/a/b/c", "11");
    run(w);
    assert_ok(recall(w, "/a/b", &known));
    assert_true(slice_eq(known->version, SLICE("2")));
    assert_true(slice_eq(known->uid, SLICE("u-/a/b")));
    assert_int_equal(recall(w, "/a/b/c", &known), RC_NOTFOUND);
    assert_int_equal(recall(w, "/a/x", &known), RC_NOTFOUND);
    fake_producer_identity(w->producer, "cluster-1", "regression");
    run(w);
    assert_int_equal(recall(w, "/a/b", &known), RC_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_listing_infers_deletes_with_their_last_bodies_before_its_end),
        TEST(a_listing_in_which_nothing_differs_raises_no_alarm),
        TEST(a_listing_that_breaks_off_appends_no_deletes),
        TEST(a_listing_cut_by_a_crash_appends_no_deletes_and_is_made_again),
        TEST(what_was_watched_just_before_a_listing_is_not_written_again),
        TEST(thousands_of_missing_objects_end_with_one_sync_end),
        TEST(a_listing_of_one_scope_leaves_the_others_alone),
        TEST(the_log_is_kept_up_when_idle_and_now_and_then_when_busy),
        TEST(upkeep_without_room_waits_and_a_broken_one_is_told),
        TEST(the_status_counts_scopes_and_names_the_worst),
        TREE(a_listing_of_a_tree_infers_deletes_of_its_own_nodes_alone),
        TREE(the_root_of_a_tree_may_be_missing_too),
        TREE(what_the_servers_keep_is_none_of_the_whole_tree),
        TREE(a_tree_stands_where_its_producer_says_and_not_where_a_node_does),
        TREE(nodes_of_which_the_source_did_not_tell_are_not_missing),
        TREE(what_the_log_has_may_be_listed_without_body),
        TREE(what_the_log_lacks_may_not),
        TREE(a_producer_may_look_up_what_is_there_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

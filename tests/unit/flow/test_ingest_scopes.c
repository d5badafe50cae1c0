/* Positions, the identity of the source, versions, and scopes that come and go. */
#include "tests/unit/flow/ingest_test.h"

#include "core/clock.h"
#include "flow/source_identity.h"

/* ---- Positions (I2) ---- */

static void namespaces_and_crds_are_always_followed(void **state)
{
    struct world *w = *state;
    assert_string_equal(fake_producer_resume(w->producer, "/namespaces"), "");
    assert_string_equal(fake_producer_api_version(w->producer, "/namespaces"), "v1");
    assert_non_null(
        fake_producer_resume(w->producer, "apiextensions.k8s.io/customresourcedefinitions"));
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    assert_null(fake_producer_resume(w->producer, "/secrets"));
}

static void the_position_is_in_the_same_append_as_the_events_it_covers(void **state)
{
    struct world *w = *state;
    list_two(w);
    unsigned before = rlog_fault_count(w->log.log, RLOG_FAULT_APPEND);
    watched(w, A, "11");
    watched(w, C, "12");
    run(w);
    assert_said(w, "put a@11 put c@12 position@12");
    assert_int_equal(rlog_fault_count(w->log.log, RLOG_FAULT_APPEND), before + 1);
}

static void an_append_that_fails_leaves_neither_event_nor_position(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    rlog_fault_set(w->log.log, RLOG_FAULT_APPEND,
                   &(struct fault_rule){.rc = RC_IO, .retry = ERR_FATAL});
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_IO);
    crash(w);
    assert_said(w, "");
    assert_string_equal(fake_producer_resume(w->producer, CM), "10");
}

static void a_restart_resumes_from_the_last_position(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "11");
    watched(w, A, "12");
    run(w);
    assert_said(w, "put a@11 position@11 put a@12 position@12");
}

static void bookmarks_are_written_at_most_once_a_minute(void **state)
{
    struct world *w = *state;
    list_two(w);
    say(w, EVENT_POSITION, "20");
    run(w);
    assert_said(w, "");
    fake_clock_advance(&w->log.clock, 60 * NS_PER_S - 1);
    say(w, EVENT_POSITION, "21");
    run(w);
    assert_said(w, "");
    fake_clock_advance(&w->log.clock, 1);
    say(w, EVENT_POSITION, "22");
    run(w);
    assert_said(w, "position@22");
    say(w, EVENT_POSITION, "23");
    run(w);
    assert_said(w, "");
}

static void an_event_takes_the_newest_position_along(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "11");
    say(w, EVENT_POSITION, "30");
    run(w);
    assert_said(w, "put a@11 position@30");
}

/* ---- Identity ---- */

static void another_cluster_under_the_same_name_is_refused_and_nothing_appended(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_identity(w->producer, "cluster-2", "start");
    watched(w, A, "99");
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_true(ft_has(e.msg, "cluster-1") && ft_has(e.msg, "cluster-2"));
    assert_said(w, "");
}

static void the_identity_is_pinned_across_restarts(void **state)
{
    struct world *w = *state;
    list_two(w);
    stop(w);
    start(w);
    assert_string_equal(fake_producer_expected(w->producer), "cluster-1");
    run(w); /* the same cluster: no event */
    assert_said(w, "");
    stop(w);
    start(w);
    fake_producer_identity(w->producer, "cluster-2", "start");
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
}

static void
another_cluster_that_is_accepted_begins_an_incarnation_and_ends_this_ingest(void **state)
{
    struct world *w = *state;
    list_two(w);
    ingest_accept_source(w->ingest, "team/prod", INT64_MAX);
    fake_producer_identity(w->producer, "cluster-2", "start");
    watched(w, A, "99"); /* of the other one, from a version that is not its own */
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_RESYNC);
    assert_said(w, "epoch");
    crash(w);
    assert_string_equal(fake_producer_expected(w->producer), "cluster-2");
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    AUTO(source_identity_done) struct source_identity s = {.doc = NULL};
    assert_ok(source_identity_load(w->log.log, &s, &e));
    assert_int_equal(s.incarnation, 2);
    assert_true(source_identity_was(&s, SLICE("cluster-1")));
}

static void an_approval_that_ran_out_accepts_nobody_and_says_how_to(void **state)
{
    struct world *w = *state;
    list_two(w);
    ingest_accept_source(w->ingest, "team/prod", clock_boot_ns(w->log.env.clock));
    fake_producer_identity(w->producer, "cluster-2", "start");
    struct err e = ERR_INIT;
    assert_int_equal(run_to_error(w, &e), RC_CONFLICT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_true(ft_has(e.msg, "run --accept-source team/prod"));
    assert_said(w, "");
}

static void a_regression_raises_the_incarnation_and_everything_is_listed_into_it(void **state)
{
    struct world *w = *state;
    list_two(w);
    fake_producer_identity(w->producer, "cluster-1", "regression");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5"); /* the same version says nothing in another incarnation */
    say(w, EVENT_SYNC_END, "7");
    run(w);
    assert_said(w, "epoch sync-begin put a@5 delete b@6 gap@7 sync-end@7 position@7");
    AUTO(rlog_found_done) struct rlog_found a = {0}, epoch = {0};
    last_of(w, A, &a);
    last_of(w, "@epoch/source", &epoch);
    assert_int_equal(a.event.incarnation, 2);
    assert_int_equal(epoch.event.incarnation, 2);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "7");
}

static void a_position_of_before_a_regression_is_not_resumed_from(void **state)
{
    struct world *w = *state;
    list_two(w);
    watched(w, A, "900"); /* its position is due when the regression is seen */
    fake_producer_identity(w->producer, "cluster-1", "regression");
    run(w);
    assert_said(w, "put a@900 epoch");
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
}

static void an_event_before_the_identity_is_a_fault_of_the_producer(void **state)
{
    struct world *w = *state;
    stop(w);
    struct err e = ERR_INIT;
    w->producer = fake_producer_new();
    assert_ok(ingest_open(w->producer, w->log.log, &w->log.env, &w->ingest, &e));
    say(w, EVENT_SYNC_BEGIN, NULL);
    assert_int_equal(run_to_error(w, &e), RC_INVALID);
    assert_int_equal(e.retry, ERR_FATAL);
}

/* ---- Kinds and versions ---- */

static void kind(struct world *w, const char *api_version, const char *body)
{
    fake_producer_say(w->producer, &(struct event){.op = EVENT_KIND,
                                                   .cause = CAUSE_SELF,
                                                   .source_kind = SOURCE_KUBERNETES,
                                                   .key = SLICE("@kind/" CM),
                                                   .api_version = slice_str(api_version),
                                                   .body = slice_str(body)});
}

static void a_kind_is_written_only_when_it_changed(void **state)
{
    struct world *w = *state;
    kind(w, "v1", "{\"a\":1}");
    run(w);
    kind(w, "v1", "{\"a\":1}");
    run(w);
    kind(w, "v1", "{\"a\":2}");
    run(w);
    assert_said(w, "epoch kind kind");
}

static void a_change_of_version_is_a_fresh_listing_even_after_a_crash_inside_it(void **state)
{
    struct world *w = *state;
    kind(w, "v1beta1", "{\"version\":\"v1beta1\"}");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    say(w, EVENT_SYNC_END, "10");
    run(w);
    crash(w); /* wants v1 */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    kind(w, "v1", "{\"version\":\"v1\"}");
    say(w, EVENT_SYNC_BEGIN, NULL);
    run(w);
    crash(w); /* the listing in v1 did not end: the position is still the one of v1beta1 */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "12");
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "12");
}

static const struct ingest_scope ANY_VERSION = {.scope = SLICE(CM), .api_version = SLICE_NULL};

/* Without the scope, then with it: as if it were wanted so from the beginning. */
static void want_any_version(struct world *w)
{
    struct err e = ERR_INIT;
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_ok(ingest_want(w->ingest, &ANY_VERSION, 1, &e));
}

static void list_in(struct world *w, const char *api_version, const char *body)
{
    kind(w, api_version, body);
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "5");
    listed(w, B, "6");
    say(w, EVENT_SYNC_END, "10");
    run(w);
    assert_said(w, "epoch kind sync-begin put a@5 put b@6 sync-end@10 position@10");
}

static void without_a_version_the_source_chooses_and_the_position_holds(void **state)
{
    struct world *w = *state;
    list_in(w, "v1", "{\"version\":\"v1\"}");
    want_any_version(w);
    assert_string_equal(fake_producer_api_version(w->producer, CM), "");
    assert_string_equal(fake_producer_resume(w->producer, CM), "10");
    kind(w, "v1", "{\"version\":\"v1\"}");
    run(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "10");
}

static void another_preferred_version_is_listed_anew_without_a_word_of_loss(void **state)
{
    struct world *w = *state;
    list_in(w, "v1", "{\"version\":\"v1\"}");
    want_any_version(w);
    watched(w, A, "11");
    kind(w, "v2", "{\"version\":\"v2\"}");
    kind(w, "v2", "{\"version\":\"v2\"}"); /* of the scope that was added anew */
    run(w);
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    assert_string_equal(fake_producer_api_version(w->producer, CM), "");
    assert_said(w, "put a@11 kind"); /* and no position, which would be one of the old version */
    kind(w, "v2", "{\"version\":\"v2\"}");
    say(w, EVENT_SYNC_BEGIN, NULL);
    fake_producer_say(w->producer, &(struct event){.op = EVENT_PUT,
                                                   .cause = CAUSE_LIST,
                                                   .source_kind = SOURCE_KUBERNETES,
                                                   .key = SLICE(A),
                                                   .version = SLICE("11"),
                                                   .uid = SLICE("u-" A),
                                                   .api_version = SLICE("v2"),
                                                   .body = SLICE("{}")});
    say(w, EVENT_SYNC_END, "13");
    run(w);
    assert_said(w, "sync-begin put a@11 delete b@6 sync-end@13 position@13");
}

static void a_version_that_one_names_is_that_of_those_who_name_none(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope two[] = {
        {.scope = SLICE("/secrets"), .api_version = SLICE_NULL},
        {.scope = SLICE("/secrets"), .api_version = SLICE("v1alpha1")}};
    assert_ok(ingest_want(w->ingest, two, 2, &e));
    assert_string_equal(fake_producer_api_version(w->producer, "/secrets"), "v1alpha1");
}

static void two_versions_of_one_resource_are_a_conflict(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope two[] = {{.scope = SLICE(CM), .api_version = SLICE("v1")},
                                       {.scope = SLICE(CM), .api_version = SLICE("v2")}};
    assert_int_equal(ingest_want(w->ingest, two, 2, &e), RC_INVALID);
    assert_true(ft_has(e.msg, "VersionConflict"));
}

/* ---- Scopes that come and go ---- */

static void a_dropped_scope_is_forgotten_and_comes_back_where_it_was(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_two(w);
    watched(w, A, "11");
    run(w);
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_null(fake_producer_resume(w->producer, CM));
    assert_non_null(fake_producer_resume(w->producer, "/namespaces"));
    assert_ok(ingest_want(w->ingest, WANTED, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, CM), "11");
}

static const struct ingest_scope NARROW[] = {{.scope = SLICE(CM "/n"), .api_version = SLICE("v1")},
                                             {.scope = SLICE(CM "/m"), .api_version = SLICE("v1")}};

static void where_all_scopes_are_of_namespaces_nothing_beyond_them_is_asked_for(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_ok(ingest_want(w->ingest, NARROW, 2, &e));
    assert_non_null(fake_producer_resume(w->producer, CM "/n"));
    assert_non_null(fake_producer_resume(w->producer, CM "/m"));
    assert_null(fake_producer_resume(w->producer, CM));
    assert_null(fake_producer_resume(w->producer, "/namespaces"));
}

static void a_namespace_of_what_is_wanted_as_a_whole_is_left_to_that(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope both[] = {NARROW[0], WANTED[0]};
    assert_ok(ingest_want(w->ingest, NARROW, 2, &e));
    assert_ok(ingest_want(w->ingest, both, 2, &e));
    assert_non_null(fake_producer_resume(w->producer, CM));
    assert_null(fake_producer_resume(w->producer, CM "/n"));
}

/* The log holds a resource in one version, whatever part of it is wanted. */
static void the_namespaces_of_a_resource_are_wanted_in_one_version(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ingest_scope two[] = {NARROW[0],
                                       {.scope = SLICE(CM "/m"), .api_version = SLICE("v2")}};
    const struct ingest_scope one[] = {NARROW[0],
                                       {.scope = SLICE(CM "/m"), .api_version = SLICE_NULL}};
    const struct ingest_scope whole[] = {NARROW[0], ANY_VERSION};
    assert_int_equal(ingest_want(w->ingest, two, 2, &e), RC_INVALID);
    assert_true(ft_has(e.msg, "VersionConflict: /configmaps is asked for"));
    assert_ok(ingest_want(w->ingest, one, 2, &e));
    assert_string_equal(fake_producer_api_version(w->producer, CM "/m"), "v1");
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_ok(ingest_want(w->ingest, whole, 2, &e));
    assert_string_equal(fake_producer_api_version(w->producer, CM), "v1");
}

/* What was read in the other manner since is newer than the position: going on from there would put older states
 * behind it (I4). */
static void a_position_of_before_another_manner_of_reading_is_not_gone_on_from(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_two(w);
    assert_ok(ingest_want(w->ingest, NARROW, 1, &e));
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, CM "/n", NULL);
    listed(w, A, "20");
    fake_producer_own(w->producer, EVENT_SYNC_END, CM "/n", "21");
    run(w);
    stop(w);
    start(w); /* wants the whole */
    assert_string_equal(fake_producer_resume(w->producer, CM), "");
    say(w, EVENT_SYNC_BEGIN, NULL);
    listed(w, A, "30");
    say(w, EVENT_SYNC_END, "31");
    run(w);
    assert_ok(ingest_want(w->ingest, NARROW, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, CM "/n"), "");
}

static void a_namespaces_position_is_gone_on_from(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_two(w);
    assert_ok(ingest_want(w->ingest, NARROW, 1, &e));
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, CM "/n", NULL);
    fake_producer_own(w->producer, EVENT_SYNC_END, CM "/n", "21");
    watched(w, A, "22");
    run(w);
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_ok(ingest_want(w->ingest, NARROW, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, CM "/n"), "22");
}

static void a_scope_dropped_while_its_listing_is_being_closed_leaves_nothing_behind(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    list_two(w);
    say(w, EVENT_SYNC_BEGIN, NULL);
    say(w, EVENT_SYNC_END, "20");
    assert_ok(ingest_step(w->ingest, &wake, &e));
    assert_ok(ingest_step(w->ingest, &wake, &e));
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    run(w);
    assert_said(w, "sync-begin");
}

/* ---- Trees ---- */

static const struct ingest_scope NESTED[] = {{.scope = SLICE("/a/b"), .tree = true},
                                             {.scope = SLICE("/a"), .tree = true},
                                             {.scope = SLICE("/ab"), .tree = true}};

static void a_tree_has_no_namespaces_and_no_kinds(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_string_equal(fake_producer_resume(w->producer, "/a"), "");
    assert_string_equal(fake_producer_api_version(w->producer, "/a"), "");
    assert_null(fake_producer_resume(w->producer, "/namespaces"));
    assert_ok(ingest_want(w->ingest, NULL, 0, &e));
    assert_null(fake_producer_resume(w->producer, "/namespaces"));
    assert_null(fake_producer_resume(w->producer, "/a"));
}

static void a_tree_within_another_is_left_to_that(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_ok(ingest_want(w->ingest, NESTED, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, "/a/b"), "");
    assert_ok(ingest_want(w->ingest, NESTED, 3, &e));
    assert_null(fake_producer_resume(w->producer, "/a/b"));
    assert_string_equal(fake_producer_resume(w->producer, "/a"), "");
    assert_string_equal(fake_producer_resume(w->producer, "/ab"), "");
}

/* A walk reads it anew in any case; what it was at last tells whether it is the same history. */
static void a_tree_keeps_its_position_whatever_broke_off(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    list_trees(w);
    fake_producer_own(w->producer, EVENT_SYNC_BEGIN, "/a", NULL);
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, "/a"), "10");
    assert_ok(ingest_want(w->ingest, NESTED, 1, &e));
    list_tree(w, "/a/b", "/a/b@2", "20");
    assert_said(w, "sync-begin sync-begin delete c@3 sync-end@20 position@20");
    assert_ok(ingest_want(w->ingest, NESTED, 3, &e));
    assert_string_equal(fake_producer_resume(w->producer, "/a"), "10");
    list_tree(w, "/a", "/a@1 /a/b@2", "30");
    assert_said(w, "sync-begin sync-end@30 position@30");
    assert_ok(ingest_want(w->ingest, NESTED, 1, &e));
    assert_string_equal(fake_producer_resume(w->producer, "/a/b"), "20");
}

static void a_regression_forgets_the_position_of_a_tree(void **state)
{
    struct world *w = *state;
    list_trees(w);
    fake_producer_identity(w->producer, "cluster-1", "regression");
    run(w);
    crash(w);
    assert_string_equal(fake_producer_resume(w->producer, "/a"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(namespaces_and_crds_are_always_followed),
        TEST(the_position_is_in_the_same_append_as_the_events_it_covers),
        TEST(an_append_that_fails_leaves_neither_event_nor_position),
        TEST(a_restart_resumes_from_the_last_position),
        TEST(bookmarks_are_written_at_most_once_a_minute),
        TEST(an_event_takes_the_newest_position_along),
        TEST(another_cluster_under_the_same_name_is_refused_and_nothing_appended),
        TEST(the_identity_is_pinned_across_restarts),
        TEST(another_cluster_that_is_accepted_begins_an_incarnation_and_ends_this_ingest),
        TEST(an_approval_that_ran_out_accepts_nobody_and_says_how_to),
        TEST(a_regression_raises_the_incarnation_and_everything_is_listed_into_it),
        TEST(a_position_of_before_a_regression_is_not_resumed_from),
        TEST(an_event_before_the_identity_is_a_fault_of_the_producer),
        TEST(a_kind_is_written_only_when_it_changed),
        TEST(a_change_of_version_is_a_fresh_listing_even_after_a_crash_inside_it),
        TEST(without_a_version_the_source_chooses_and_the_position_holds),
        TEST(another_preferred_version_is_listed_anew_without_a_word_of_loss),
        TEST(a_version_that_one_names_is_that_of_those_who_name_none),
        TEST(two_versions_of_one_resource_are_a_conflict),
        TEST(a_dropped_scope_is_forgotten_and_comes_back_where_it_was),
        TEST(where_all_scopes_are_of_namespaces_nothing_beyond_them_is_asked_for),
        TEST(a_namespace_of_what_is_wanted_as_a_whole_is_left_to_that),
        TEST(the_namespaces_of_a_resource_are_wanted_in_one_version),
        TEST(a_position_of_before_another_manner_of_reading_is_not_gone_on_from),
        TEST(a_namespaces_position_is_gone_on_from),
        TEST(a_scope_dropped_while_its_listing_is_being_closed_leaves_nothing_behind),
        TREE(a_tree_has_no_namespaces_and_no_kinds),
        TREE(a_tree_within_another_is_left_to_that),
        TREE(a_tree_keeps_its_position_whatever_broke_off),
        TREE(a_regression_forgets_the_position_of_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

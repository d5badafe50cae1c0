/* The way of one item: which requests, in which order, and what comes out. */
#include "tests/unit/sinks/kube_test_talk.h"

#include "core/diag.h"
#include "tests/fakes/fake_clock.h"

#define SOURCE       KT_HEAD(",'uid':'u-src','resourceVersion':'5'") ",'data':{'k':'v'}}"
#define SOURCE_2     KT_HEAD(",'uid':'u-src','resourceVersion':'6'") ",'data':{'k':'w'}}"
#define ANSWER       KT_LIVE("," KT_MARKS) ",'data':{'k':'v'}}"
#define POST_PATH    KT_PATH "?fieldManager=resilog"
#define PUT_PATH     KT_PATH "/a?fieldManager=resilog"
#define GET_PATH     KT_PATH "/a"
#define NOT_FOUND    KT_STATUS(404, "NotFound", "configmaps \\'a\\' not found")
#define EXISTS       KT_STATUS(409, "AlreadyExists", "configmaps \\'a\\' already exists")
#define CONFLICT     KT_STATUS(409, "Conflict", "the object has been modified")
#define NO_NAMESPACE KT_STATUS(404, "NotFound", "namespaces \\'ns\\' not found")

static void a_new_object_is_posted_with_our_marks(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_sends(t, HTTP_POST, POST_PATH, KT_HEAD("," KT_MARKS) ",'data':{'k':'v'}}");
    kt_answer(t, 201, ANSWER);
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_true(r->wrote && r->record_changed);
    struct kube_record rec = kt_record(t);
    assert_true(slice_eq(rec.uid, SLICE("u-dst")) && slice_eq(rec.version, SLICE("10")));
    assert_true(slice_eq(rec.source_uid, SLICE("u-src")));
    assert_int_equal(rec.flags, KUBE_RECORD_CREATED);
}

static void D67_the_same_object_again_needs_no_request(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, "{'kind':'ConfigMap','metadata':{'namespace':'ns','name':'a','resourceVersion':'9',"
              "'managedFields':[{'manager':'x'}]},'data':{'k':'v'},'status':{'x':1}}");
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_false(r->wrote);
    assert_false(r->record_changed);
}

static void a_change_is_put_over_the_live_object_with_its_version(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, KT_LIVE(",'labels':{'own':'1'}," KT_MARKS) ",'data':{'k':'v'}}");
    kt_sends(t, HTTP_PUT, PUT_PATH,
             KT_LIVE(",'labels':{'own':'1'}," KT_MARKS) ",'data':{'k':'w'}}");
    kt_answer(t, 200, ANSWER);
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_true(r->wrote);
    assert_int_equal(kt_record(t).flags, KUBE_RECORD_CREATED);
}

static void what_the_source_took_out_is_taken_out(void **state)
{
    struct kt *t = *state;
    kt_created(t, KT_HEAD("") ",'data':{'k':'v','x':'1'}}", ANSWER);
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, KT_LIVE("," KT_MARKS) ",'data':{'k':'v','x':'1','own':'2'}}");
    kt_sends(t, HTTP_PUT, PUT_PATH, KT_LIVE("," KT_MARKS) ",'data':{'k':'v','own':'2'}}");
}

static void a_conflict_is_tried_again_but_not_for_ever(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    for (int i = 0; i < KUBE_WRITE_CONFLICTS; i++) {
        kt_asks(t, HTTP_GET, GET_PATH);
        kt_answer(t, 200, ANSWER);
        kt_asks(t, HTTP_PUT, PUT_PATH);
        kt_answer(t, 409, CONFLICT);
    }
    const struct sink_result *r = kt_ends(t, SINK_HELD, "conflict");
    assert_false(r->record_changed);
}

static void an_object_that_went_away_is_made_again(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 201, ANSWER);
    (void)kt_ends(t, SINK_DONE, "");
}

static void an_object_that_goes_away_before_the_put_is_made_again(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 404, NOT_FOUND);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    kt_asks(t, HTTP_POST, POST_PATH);
}

static void after_a_lost_reply_to_a_post_a_look_decides(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_silence(t, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_true(r->record_changed);
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_DONE, "");
}

static void a_post_that_never_arrived_is_sent_again(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_silence(t, false);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_silence(t, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    kt_asks(t, HTTP_POST, POST_PATH);
}

static void after_a_server_error_a_look_decides_but_after_429_it_is_sent_again(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    assert_int_equal(kt_told(t, 429, KT_STATUS(429, "TooManyRequests", "slow down")), RC_AGAIN);
    kt_asks(t, HTTP_POST, POST_PATH);
    assert_int_equal(kt_told(t, 500, KT_STATUS(500, "InternalError", "etcdserver: timeout")),
                     RC_AGAIN);
    kt_asks(t, HTTP_GET, GET_PATH);
    assert_int_equal(kt_told(t, 503, KT_STATUS(503, "ServiceUnavailable", "x")), RC_AGAIN);
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_success_that_is_no_object_is_looked_at_again(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    assert_int_equal(kt_told(t, 200, "{'kind':'Other'}"), RC_AGAIN);
    kt_asks(t, HTTP_GET, GET_PATH);
    assert_int_equal(kt_told(t, 200, "<html>"), RC_AGAIN);
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_missing_namespace_is_made_where_that_is_asked_for(void **state)
{
    struct kt *t = *state;
    t->policy.force_namespace = true;
    t->item.ns_labels = SLICE("{\"team\":\"x\",\"kubernetes.io/metadata.name\":\"ns\"}");
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 404, NO_NAMESPACE);
    kt_sends(t, HTTP_POST, "/api/v1/namespaces?fieldManager=resilog",
             "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'ns','labels':{'team':'x'},"
             "'annotations':{" KT_OWNER("/namespaces//ns") "}}}");
    kt_answer(t, 409, EXISTS);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 404, NO_NAMESPACE);
    (void)kt_ends(t, SINK_WAITING, "namespace-missing");
}

static void a_namespace_that_may_not_be_made_holds_the_item(void **state)
{
    struct kt *t = *state;
    t->policy.force_namespace = true;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 404, NO_NAMESPACE);
    kt_asks(t, HTTP_POST, "/api/v1/namespaces?fieldManager=resilog");
    kt_answer(t, 403, KT_STATUS(403, "Forbidden", "namespaces is forbidden"));
    (void)kt_ends(t, SINK_HELD, "forbidden");
}

static void kinds_that_are_never_copied_are_skipped(void **state)
{
    struct kt *t = *state;
    t->event.key = SLICE("/events/ns/a");
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_SKIPPED, "never-copied");
    t->event.key = SLICE("/pods/ns/a");
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_SKIPPED, "by-name-only");
    t->policy.by_name = true;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, "/api/v1/namespaces/ns/pods?fieldManager=resilog");
}

static void D65_excluded_and_owned_objects_are_skipped(void **state)
{
    struct kt *t = *state;
    kt_put(t, KT_HEAD(",'deletionTimestamp':'2026-01-01T00:00:00Z'") "}");
    (void)kt_ends(t, SINK_SKIPPED, "excluded");
    kt_put(t, KT_HEAD(",'ownerReferences':[{'apiVersion':'apps/v1','kind':'Deployment',"
                      "'controller':true}]") "}");
    (void)kt_ends(t, SINK_SKIPPED, "owned");
}

static void what_cannot_be_read_holds_its_own_key_and_is_not_repeated(void **state)
{
    struct kt *t = *state;
    kt_put(t, "{'metadata':{'name':'a'},'data':'hunter2");
    const struct sink_result *r = kt_ends(t, SINK_HELD, "invalid");
    assert_null(strstr(r->reason, "hunter2"));
    kt_put(t, "{'data':{}}");
    (void)kt_ends(t, SINK_HELD, "invalid");
    t->event.key = SLICE("@kind/x/y");
    kt_put(t, SOURCE);
    (void)kt_ends(t, SINK_HELD, "invalid");
}

static void a_damaged_record_is_no_record_and_no_base(void **state)
{
    struct kt *t = *state;
    kt_created(t, KT_HEAD("") ",'data':{'k':'v','x':'1'}}", ANSWER);
    t->record.p[20] ^= 1;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 409, EXISTS);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, KT_LIVE("," KT_MARKS) ",'data':{'k':'v','x':'1'}}");
    (void)kt_ends(t, SINK_DONE, "");
}

static void our_copy_is_deleted_with_its_uid_and_version(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_delete(t, SOURCE, false);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_sends(t, HTTP_DELETE, GET_PATH,
             "{'apiVersion':'v1','kind':'DeleteOptions','preconditions':{'uid':'u-dst',"
             "'resourceVersion':'10'},'propagationPolicy':'Background'}");
    kt_answer(t, 200, "{'kind':'Status','apiVersion':'v1','status':'Success'}");
    const struct sink_result *r = kt_ends(t, SINK_DONE, "");
    assert_true(r->record_changed);
    assert_int_equal(r->record.n, 0);
}

static void deleting_what_is_gone_is_done(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_delete(t, SOURCE, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    assert_true(kt_ends(t, SINK_DONE, "")->record_changed);
    kt_delete(t, SOURCE, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NO_NAMESPACE);
    (void)kt_ends(t, SINK_DONE, "");
}

static void a_delete_of_a_kind_that_is_not_served_waits_unless_the_kind_is_gone(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_delete(t, SOURCE, true);
    assert_null(kube_write_kind_in_doubt(t->w));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, "404 page not found");
    assert_false(kt_ends(t, SINK_WAITING, "kind-missing")->record_changed);
    const struct kube_gvr *kind = kube_write_kind_in_doubt(t->w);
    assert_non_null(kind);
    kt_assert_text(kind->resource, "configmaps");
    kube_write_kind_gone(t->w);
    assert_true(kt_ends(t, SINK_DONE, "")->record_changed);
    assert_int_equal(t->record.n, 0);
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, KT_PATH "?fieldManager=resilog");
    kt_answer(t, 404, "404 page not found");
    (void)kt_ends(t, SINK_WAITING, "kind-missing");
    assert_null(kube_write_kind_in_doubt(t->w)); /* a put waits in any case */
}

static void a_delete_whose_reply_was_lost_is_looked_after(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_delete(t, SOURCE, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_asks(t, HTTP_DELETE, GET_PATH);
    kt_silence(t, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    assert_true(kt_ends(t, SINK_DONE, "")->wrote);
}

static void a_delete_that_conflicts_looks_again(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    kt_delete(t, SOURCE, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_asks(t, HTTP_DELETE, GET_PATH);
    kt_answer(t, 409, CONFLICT);
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void a_cluster_scoped_object_has_no_namespace_in_its_path(void **state)
{
    struct kt *t = *state;
    t->event.key = SLICE("rbac.authorization.k8s.io/clusterroles//r");
    t->event.api_version = SLICE("rbac.authorization.k8s.io/v1");
    kt_put(t, "{'metadata':{'name':'r'},'rules':[]}");
    kt_asks(t, HTTP_POST, "/apis/rbac.authorization.k8s.io/v1/clusterroles?fieldManager=resilog");
}

static void hear(void *arg, const char *line, size_t n)
{
    const char *msg = strstr(line, "DEBUG "), *end = strstr(line, " object=");
    assert_true(n > 0 && msg && end);
    buf_addf(arg, "%.*s; ", (int)(end - msg - 6), msg + 6);
}

static void each_step_has_the_message_of_the_documentation(void **state)
{
    struct kt *t = *state;
    struct fake_clock clock;
    AUTO(buf_done) struct buf said = BUF_INIT(1 << 16);
    fake_clock_init(&clock, 0);
    AUTO(diag_freep) struct diag *d = diag_new(&clock.clock, DIAG_TEXT, DIAG_DEBUG, hear, &said);
    t->dest.diag = d;
    t->policy.force_namespace = true;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 404, NO_NAMESPACE);
    kt_asks(t, HTTP_POST, "/api/v1/namespaces?fieldManager=resilog");
    kt_answer(t, 409, EXISTS);
    kt_delete(t, SOURCE, true);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 404, NOT_FOUND);
    assert_string_equal(said.p, "creating object in cluster; namespace not found in cluster; "
                                "creating namespace from cluster; "
                                "namespace already exists in cluster; "
                                "reading object from cluster; object not found in cluster; ");
    kt_end(t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kt_setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_object_is_posted_with_our_marks),
        T(D67_the_same_object_again_needs_no_request),
        T(a_change_is_put_over_the_live_object_with_its_version),
        T(what_the_source_took_out_is_taken_out),
        T(a_conflict_is_tried_again_but_not_for_ever),
        T(an_object_that_went_away_is_made_again),
        T(an_object_that_goes_away_before_the_put_is_made_again),
        T(after_a_lost_reply_to_a_post_a_look_decides),
        T(a_post_that_never_arrived_is_sent_again),
        T(after_a_server_error_a_look_decides_but_after_429_it_is_sent_again),
        T(a_success_that_is_no_object_is_looked_at_again),
        T(a_missing_namespace_is_made_where_that_is_asked_for),
        T(a_namespace_that_may_not_be_made_holds_the_item),
        T(kinds_that_are_never_copied_are_skipped),
        T(D65_excluded_and_owned_objects_are_skipped),
        T(what_cannot_be_read_holds_its_own_key_and_is_not_repeated),
        T(a_damaged_record_is_no_record_and_no_base),
        T(our_copy_is_deleted_with_its_uid_and_version),
        T(deleting_what_is_gone_is_done),
        T(a_delete_of_a_kind_that_is_not_served_waits_unless_the_kind_is_gone),
        T(a_delete_whose_reply_was_lost_is_looked_after),
        T(a_delete_that_conflicts_looks_again),
        T(a_cluster_scoped_object_has_no_namespace_in_its_path),
        T(each_step_has_the_message_of_the_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

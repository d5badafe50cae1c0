/* The modelled API server as a client sees it: watches, lists, discovery, conditions. Streams
 * are framed by io/kube_frame.h and discovery is read by io/kube_discovery.h, so that the fake
 * and the program prove each other. */
#include "tests/fakes/test_fake_kube_client.h"

#include "io/kube_discovery.h"

#include <stdio.h>

#define CRD                                                                                        \
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","           \
    "\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\","         \
    "\"scope\":\"Cluster\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},\"versions\""    \
    ":[{\"name\":\"v1\",\"served\":true,\"storage\":true}]}}"

static void a_watch_gives_every_change_after_its_version_in_order(void **state)
{
    struct test *t = *state;
    put(t, "a", 1);
    int64_t version = fake_kube_version(t->k);
    put(t, "b", 1);
    put(t, "a", 2);
    AUTO(watch_done) struct stream s = watch_of(t, CM, version, "");
    assert_string_equal(look(t, &s), "+b ~a");
    fake_kube_delete(t->k, "/configmaps/default/b");
    put(t, "c", 1);
    fake_kube_put(t->k, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
                        "\"z\",\"namespace\":\"kube-system\"}}");
    fake_kube_delete(t->k, "/configmaps/default/c");
    assert_string_equal(look(t, &s), "+b ~a -b +c -c");
    assert_false(s.ended);
    assert_int_equal(s.status, 200);
    assert_int_equal(fake_kube_open_watches(t->k), 1);
    char number[40]; /* a deletion carries the last state and its own version */
    snprintf(number, sizeof number, "\"resourceVersion\":\"%lld\"",
             (long long)fake_kube_version(t->k));
    assert_non_null(strstr(s.last.p, number));
    assert_non_null(strstr(s.last.p, "\"data\":{\"k\":\"1\"}"));
    assert_int_equal(strncmp(s.last.p, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",", 37), 0);
}

static void a_watch_without_a_version_begins_with_the_state(void **state)
{
    struct test *t = *state;
    put(t, "a", 1);
    put(t, "b", 1);
    AUTO(watch_done) struct stream s = watch_of(t, "/api/v1/configmaps", -1, "");
    assert_string_equal(look(t, &s), "+a +b");
}

static void a_watch_from_before_the_compaction_is_gone_in_either_form(void **state)
{
    struct test *t = *state;
    bool as_status = false, as_frame = false;
    int64_t version = fake_kube_version(t->k);
    put(t, "a", 1);
    fake_kube_compact(t->k, fake_kube_version(t->k));
    for (int i = 0; i < 40; i++) {
        struct kube_verdict v;
        char path[100];
        snprintf(path, sizeof path, CM "?watch=1&resourceVersion=%lld", (long long)version);
        int status = fetch(t, HTTP_GET, path, NULL);
        assert_true(status == 200 || status == 410);
        as_status |= status == 410;
        as_frame |= status == 200;
        if (status == 410)
            assert_int_equal(judge(t), KUBE_EXPIRED);
        AUTO(kube_watch_frames_freep) struct kube_watch_frames *f = kube_watch_frames_new();
        enum kube_watch_type type;
        struct slice object;
        struct err e;
        assert_int_equal(kube_watch_feed(f, buf_slice(&t->body), &e), RC_OK);
        if (status == 410)
            continue;
        assert_int_equal(kube_watch_next(f, &type, &object, &e), RC_OK);
        assert_int_equal(type, KUBE_ERROR);
        kube_judge_status(object, &v);
        assert_int_equal(v.cls, KUBE_EXPIRED);
        assert_non_null(strstr(v.message, "too old resource version"));
    }
    assert_true(as_status && as_frame);
}

static void an_open_watch_survives_compaction_but_not_a_restart(void **state)
{
    struct test *t = *state;
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
    look(t, &s);
    put(t, "a", 1);
    fake_kube_compact(t->k, fake_kube_version(t->k));
    assert_string_equal(look(t, &s), "+a");
    int64_t version = fake_kube_version(t->k);
    put(t, "b", 1);
    fake_kube_restart(t->k);
    look(t, &s);
    assert_true(s.ended);
    assert_int_equal(s.end.rc, RC_UNAVAILABLE);
    AUTO(watch_done) struct stream late = watch_of(t, CM, version, "");
    look(t, &late);
    assert_true(late.ended); /* 410, without any compaction */
    AUTO(watch_done) struct stream now = watch_of(t, CM, fake_kube_version(t->k), "");
    look(t, &now);
    assert_false(now.ended);
}

static void bookmarks_carry_the_version_and_the_time_limit_ends_a_watch_in_order(void **state)
{
    struct test *t = *state;
    AUTO(watch_done)
    struct stream s =
        watch_of(t, "/api/v1/secrets", fake_kube_version(t->k), "&timeoutSeconds=130");
    look(t, &s);
    put(t, "a", 1);
    fake_clock_advance(&t->clock, 59 * NS_PER_S);
    assert_string_equal(look(t, &s), "");
    fake_clock_advance(&t->clock, NS_PER_S);
    assert_string_equal(look(t, &s), "*.");
    char number[40];
    snprintf(number, sizeof number, "\"resourceVersion\":\"%lld\"",
             (long long)fake_kube_version(t->k));
    assert_non_null(strstr(s.last.p, number));
    fake_clock_advance(&t->clock, 60 * NS_PER_S);
    assert_string_equal(look(t, &s), "*. *.");
    assert_false(s.ended);
    fake_clock_advance(&t->clock, 10 * NS_PER_S);
    look(t, &s);
    assert_true(s.ended);
    assert_int_equal(s.end.rc, RC_OK);
}

/* As kube-apiserver 1.35 does: 200, and silence. */
static void a_watch_from_a_version_that_is_not_there_yet_waits_for_it(void **state)
{
    struct test *t = *state;
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k) + 1, "");
    assert_string_equal(look(t, &s), "");
    fake_clock_advance(&t->clock, 60 * NS_PER_S);
    assert_string_equal(look(t, &s), "");
    put(t, "a", 1);
    assert_string_equal(look(t, &s), "");
    put(t, "b", 1);
    assert_string_equal(look(t, &s), "+b");
    assert_false(s.ended);
}

static void a_watch_of_metadata_gives_metadata_alone(void **state)
{
    struct test *t = *state;
    int64_t version = fake_kube_version(t->k);
    const char *accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    char path[100];
    put(t, "a", 1);
    struct http_request r = {.path = SLICE(CM), .accept = slice_str(accept)};
    assert_int_equal(finish(t, start(t, r)), 200);
    assert_non_null(strstr(t->body.p, "\"kind\":\"PartialObjectMetadataList\""));
    assert_null(strstr(t->body.p, "\"data\""));
    snprintf(path, sizeof path, CM "?watch=1&timeoutSeconds=5&resourceVersion=%lld",
             (long long)version);
    r = (struct http_request){
        .path = slice_str(path),
        .accept = SLICE("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")};
    assert_int_equal(finish(t, start(t, r)), 200);
    assert_non_null(
        strstr(t->body.p, "{\"type\":\"ADDED\",\"object\":{\"kind\":\"PartialObjectMetadata\""));
    assert_null(strstr(t->body.p, "\"data\""));
}

static void a_held_lane_gives_no_event_and_loses_none(void **state)
{
    struct test *t = *state;
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
    http_hold(t->http, HTTP_LANE_WATCH, true);
    put(t, "a", 1);
    assert_string_equal(look(t, &s), "");
    assert_int_equal(s.status, 0);
    fake_clock_advance(
        &t->clock, 50 * NS_PER_S); /* more than the limit for headers, which does not count now */
    assert_string_equal(look(t, &s), "");
    http_hold(t->http, HTTP_LANE_WATCH, false);
    assert_string_equal(look(t, &s), "+a");
    assert_false(s.ended);
}

static void a_cancelled_request_gives_no_event(void **state)
{
    struct test *t = *state;
    struct http_event ev;
    struct err e;
    http_id id = start(t, (struct http_request){.path = SLICE(CM)});
    http_cancel(t->http, id);
    http_cancel(t->http, id + 1);
    assert_int_equal(http_take(t->http, &ev, &e), RC_AGAIN);
}

/* ---- lists as streams ---- */

static void a_list_arrives_in_pieces_that_frame_to_its_items(void **state)
{
    struct test *t = *state;
    size_t items = 0, pieces = 0;
    put(t, "a", 1);
    put(t, "b", 1);
    http_id id = start(
        t, (struct http_request){.path = SLICE("/api/v1/configmaps?limit=500"), .stream = true});
    AUTO(kube_list_frames_freep) struct kube_list_frames *f = kube_list_frames_new();
    struct http_event ev = {0};
    struct err e;
    enum rc rc = RC_AGAIN;
    while (ev.kind != HTTP_DONE || ev.id != id) {
        assert_int_equal(http_take(t->http, &ev, &e), RC_OK);
        if (ev.kind != HTTP_DATA)
            continue;
        struct slice item;
        pieces++;
        assert_int_equal(kube_list_feed(f, ev.data, &e), RC_OK);
        while ((rc = kube_list_next(f, &item, &e)) == RC_OK)
            items += slice_starts(item, SLICE("{\"metadata\":{"));
    }
    assert_int_equal(ev.data.n, 0);
    assert_int_equal(rc, RC_END);
    assert_int_equal(items, 2);
    assert_true(pieces >= 1);
    assert_int_equal(fake_kube_counts(t->k).lists, 1);
}

static void an_answer_above_the_limit_fails(void **state)
{
    struct test *t = *state;
    put(t, "a", 1);
    finish(t, start(t, (struct http_request){.path = SLICE(CM), .body_max = 20}));
    assert_int_equal(t->done.err.rc, RC_LIMIT);
}

/* ---- discovery ---- */

static void discover(struct test *t, struct kube_discovery *d)
{
    struct http_event ev;
    struct err e;
    assert_int_equal(kube_discovery_start(d, &e), RC_OK);
    while (http_take(t->http, &ev, &e) == RC_OK)
        assert_true(kube_discovery_offer(d, &ev));
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
}

static const struct {
    struct slice group, resource;
} NAMED[] = {
    {SLICE_NULL, SLICE("namespaces")},
    {SLICE_NULL, SLICE("configmaps")},
    {SLICE_NULL, SLICE("secrets")},
    {SLICE_NULL, SLICE("services")},
    {SLICE_NULL, SLICE("serviceaccounts")},
    {SLICE_NULL, SLICE("pods")},
    {SLICE("rbac.authorization.k8s.io"), SLICE("roles")},
    {SLICE("rbac.authorization.k8s.io"), SLICE("rolebindings")},
    {SLICE("apps"), SLICE("deployments")},
    {SLICE("apps"), SLICE("statefulsets")},
    {SLICE("apps"), SLICE("daemonsets")},
    {SLICE("batch"), SLICE("jobs")},
    {SLICE("batch"), SLICE("cronjobs")},
    {SLICE("networking.k8s.io"), SLICE("ingresses")},
    {SLICE("apiextensions.k8s.io"), SLICE("customresourcedefinitions")},
    {SLICE("example.com"), SLICE("widgets")}, /* of the CRD */
};

static void both_forms_of_discovery_name_the_same_resources(void **state)
{
    struct test *t = *state;
    AUTO(kube_discovery_freep)
    struct kube_discovery *one = kube_discovery_new(t->http), *two = kube_discovery_new(t->http);
    discover(t, one);
    assert_null(kube_discovery_find(one, SLICE("example.com"), SLICE_NULL, SLICE("widgets")));
    fake_kube_put(t->k, CRD);
    fake_clock_advance(&t->clock, 2 * NS_PER_S);
    discover(t, one);
    fake_kube_set_aggregated_discovery(t->k, false);
    discover(t, two);
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        const struct kube_resource *a =
            kube_discovery_find(one, NAMED[i].group, SLICE_NULL, NAMED[i].resource);
        const struct kube_resource *b =
            kube_discovery_find(two, NAMED[i].group, SLICE_NULL, NAMED[i].resource);
        assert_true(a && b && slice_eq(a->version, b->version));
        assert_true(slice_eq(a->kind, b->kind) && slice_eq(a->singular, b->singular) &&
                    slice_eq(a->short_names, b->short_names));
        assert_true(a->namespaced == b->namespaced && a->can_watch && b->can_watch &&
                    b->can_delete);
    }
}

static void a_stale_group_is_unreachable_in_both_forms(void **state)
{
    struct test *t = *state;
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(t->http);
    fake_kube_set_group_stale(t->k, "apps", true);
    for (int older = 0; older < 2; older++) {
        fake_kube_set_aggregated_discovery(t->k, !older);
        discover(t, d);
        assert_true(kube_discovery_unreachable(d, SLICE("apps"), SLICE("v1")));
        assert_false(kube_discovery_unreachable(d, SLICE("batch"), SLICE("v1")));
    }
    assert_int_equal(fetch(t, HTTP_GET, "/apis/apps/v1/deployments", NULL), 503);
    fake_kube_set_group_stale(t->k, "apps", false);
    assert_int_equal(fetch(t, HTTP_GET, "/apis/apps/v1/deployments", NULL), 200);
}

/* ---- conditions ---- */

static void permissions_are_denied_by_verb_and_place(void **state)
{
    struct test *t = *state;
    fake_kube_deny(t->k, "", "configmaps", "", "list");
    assert_int_equal(fetch(t, HTTP_GET, "/api/v1/configmaps", NULL), 403);
    assert_int_equal(judge(t), KUBE_FORBIDDEN);
    assert_non_null(strstr(t->body.p, "configmaps is forbidden: User \\\"resilog\\\" cannot list "
                                      "resource \\\"configmaps\\\" in API "
                                      "group \\\"\\\" at the cluster scope"));
    assert_int_equal(fetch(t, HTTP_GET, CM, NULL), 200);
    fake_kube_deny(t->k, "", "configmaps", NULL, NULL);
    assert_int_equal(post(t, "a"), 403);
    assert_int_equal(fetch(t, HTTP_GET, CM "?watch=1", NULL), 403);
    fake_kube_allow(t->k);
    assert_int_equal(post(t, "a"), 201);
    fake_kube_deny(t->k, "", "namespaces", "kube-system", "get");
    assert_int_equal(fetch(t, HTTP_GET, "/api/v1/namespaces/kube-system", NULL), 403);
    assert_int_equal(fetch(t, HTTP_GET, "/api/v1/namespaces/default", NULL), 200);
    fake_kube_set_unauthorized(t->k, true);
    assert_int_equal(fetch(t, HTTP_GET, CM "/a", NULL), 401);
    assert_int_equal(judge(t), KUBE_UNAUTHORIZED);
}

static void a_server_that_is_down_refuses_and_breaks_what_was_open(void **state)
{
    struct test *t = *state;
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
    look(t, &s);
    fake_kube_set_down(t->k, true);
    look(t, &s);
    assert_true(s.ended);
    assert_int_equal(s.end.rc, RC_UNAVAILABLE);
    assert_int_equal(post(t, "a"), 0);
    assert_int_equal(t->done.err.rc, RC_UNAVAILABLE);
    assert_false(t->done.maybe_done);
    assert_int_equal(fake_kube_writes(t->k), 0);
    fake_kube_set_down(t->k, false);
    assert_int_equal(post(t, "a"), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_watch_gives_every_change_after_its_version_in_order),
        TEST(a_watch_without_a_version_begins_with_the_state),
        TEST(a_watch_from_before_the_compaction_is_gone_in_either_form),
        TEST(an_open_watch_survives_compaction_but_not_a_restart),
        TEST(bookmarks_carry_the_version_and_the_time_limit_ends_a_watch_in_order),
        TEST(a_watch_from_a_version_that_is_not_there_yet_waits_for_it),
        TEST(a_watch_of_metadata_gives_metadata_alone),
        TEST(a_held_lane_gives_no_event_and_loses_none),
        TEST(a_cancelled_request_gives_no_event),
        TEST(a_list_arrives_in_pieces_that_frame_to_its_items),
        TEST(an_answer_above_the_limit_fails),
        TEST(both_forms_of_discovery_name_the_same_resources),
        TEST(a_stale_group_is_unreachable_in_both_forms),
        TEST(permissions_are_denied_by_verb_and_place),
        TEST(a_server_that_is_down_refuses_and_breaks_what_was_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

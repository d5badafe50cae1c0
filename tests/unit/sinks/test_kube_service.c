/* Admission objects wait until an endpoint of each Service that they have called is ready. */
#include "tests/unit/sinks/kube_test_talk.h"

#include "sinks/kube_rules.h"
#include "sinks/kube_service.h"

#define GROUP "admissionregistration.k8s.io"
#define KEY   GROUP "/validatingwebhookconfigurations//w"
#define PATH  "/apis/" GROUP "/v1/validatingwebhookconfigurations"
#define SLICES(ns, name)                                                                           \
    "/apis/discovery.k8s.io/v1/namespaces/" ns "/endpointslices?resourceVersion=0&labelSelector="  \
    "kubernetes.io%2Fservice-name%3D" name
#define HOOK(ns, name)                                                                             \
    "{'name':'h','clientConfig':{'service':{'namespace':'" ns "','name':'" name "'}}}"
#define OBJECT(metadata, hooks)                                                                    \
    "{'apiVersion':'" GROUP                                                                        \
    "/v1','kind':'ValidatingWebhookConfiguration','metadata':{'name':'w'" metadata                 \
    "},'webhooks':[" hooks "]}"
#define MARKED                                                                                     \
    ",'uid':'u-dst','resourceVersion':'10','annotations':{'sync.resilog.io/owner':'v1 dest-1 "     \
    "0123456789abcdef " KEY "'," KT_ORIGIN("u-src") "}"
#define READY(ready)                                                                               \
    "{'kind':'EndpointSliceList','items':[{'endpoints':null},{'endpoints':[{" ready "}]}]}"

static int setup(void **state)
{
    (void)kt_setup(state);
    struct kt *t = *state;
    t->policy.by_name = true;
    t->event.key = SLICE(KEY);
    t->event.api_version = SLICE(GROUP "/v1");
    t->event.kind = SLICE("ValidatingWebhookConfiguration");
    return 0;
}

static void it_is_made_when_all_its_services_are_ready(void **state)
{
    struct kt *t = *state;
    kt_put(t, OBJECT("", HOOK("a", "x") "," HOOK("b", "y")));
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_answer(t, 200, READY(""));
    kt_asks(t, HTTP_GET, SLICES("b", "y"));
    kt_answer(t, 200, READY("'conditions':{'ready':true}"));
    kt_asks(t, HTTP_POST, PATH "?fieldManager=resilog");
    assert_true(kt_has(t->request.body, "\"webhooks\""));
}

static void it_waits_for_a_service_without_a_ready_endpoint(void **state)
{
    struct kt *t = *state;
    static const char *const answers[] = {"{'kind':'EndpointSliceList','items':[]}",
                                          "{'kind':'EndpointSliceList','items':null}",
                                          READY("'conditions':{'ready':false}")};
    for (size_t i = 0; i < 3; i++) {
        kt_put(t, OBJECT("", HOOK("a", "x")));
        kt_asks(t, HTTP_GET, SLICES("a", "x"));
        kt_answer(t, 200, answers[i]);
        const struct sink_result *r = kt_ends(t, SINK_WAITING, "service-not-ready");
        assert_true(slice_eq(r->dependency, SLICE("/services/a/x")) && !r->wrote);
    }
}

static void where_endpoints_are_not_served_that_is_said(void **state)
{
    struct kt *t = *state;
    kt_put(t, OBJECT("", HOOK("a", "x")));
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_answer(t, 404,
              KT_STATUS(404, "NotFound", "the server could not find the requested resource"));
    const struct sink_result *r = kt_ends(t, SINK_WAITING, "service-not-ready");
    assert_true(slice_eq(r->dependency, SLICE("/services/a/x")));
    assert_non_null(strstr(r->reason, "EndpointSlices (discovery.k8s.io/v1)"));
}

static void what_is_no_answer_is_asked_again_and_a_refusal_is_held(void **state)
{
    struct kt *t = *state;
    kt_put(t, OBJECT("", HOOK("a", "x")));
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    assert_int_equal(kt_told(t, 200, "{'items':7}"), RC_AGAIN);
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_silence(t, false);
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_answer(t, 403, KT_STATUS(403, "Forbidden", "endpointslices is forbidden"));
    (void)kt_ends(t, SINK_HELD, "forbidden");
}

static void meet(struct kt *t, const char *source, const char *live)
{
    kt_put(t, source);
    t->item.unsure = true;
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_answer(t, 200, READY(""));
    kt_asks(t, HTTP_POST, PATH "?fieldManager=resilog");
    kt_answer(t, 409, KT_STATUS(409, "AlreadyExists", "it exists"));
    kt_asks(t, HTTP_GET, PATH "/w");
    kt_answer(t, 200, live);
}

static void a_change_asks_only_where_other_services_are_called_than_before(void **state)
{
    struct kt *t = *state;
    meet(t, OBJECT("", HOOK("a", "x")), OBJECT(MARKED, HOOK("a", "x") "," HOOK("a", "x")));
    kt_asks(t, HTTP_GET, SLICES("a", "x"));
    kt_answer(t, 200, READY(""));
    kt_asks(t, HTTP_PUT, PATH "/w?fieldManager=resilog");
    assert_true(kt_has(t->request.body, "\"resourceVersion\":\"10\""));
    meet(t, OBJECT(",'labels':{'l':'1'}", HOOK("a", "x")), OBJECT(MARKED, HOOK("a", "x")));
    kt_asks(t, HTTP_PUT, PATH "/w?fieldManager=resilog");
}

static void a_delete_asks_nothing(void **state)
{
    struct kt *t = *state;
    kt_delete(t, OBJECT("", HOOK("a", "x")), true);
    kt_asks(t, HTTP_GET, PATH "/w");
    kt_answer(t, 200, OBJECT(MARKED, HOOK("a", "x")));
    kt_asks(t, HTTP_DELETE, PATH "/w");
}

static void what_calls_no_service_asks_nothing(void **state)
{
    struct kt *t = *state;
    static const char *const hooks[] = {"{'name':'h','clientConfig':{'url':'https://x'}}",
                                        HOOK("", "x"), HOOK("a", ""), HOOK("a", "x/y"),
                                        "{'name':'h','clientConfig':{'service':7}}"};
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        AUTO(buf_done) struct buf source = BUF_INIT(4096);
        buf_addf(&source, "{'metadata':{'name':'w'},'webhooks':[%s]}", hooks[i]);
        kt_put(t, source.p);
        kt_asks(t, HTTP_POST, PATH "?fieldManager=resilog");
    }
}

static void the_rule_says_where_services_are_named(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = kt_parse("{'spec':{'service':{'namespace':'a','name':'x'}}}");
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct err e = ERR_INIT;
    const struct kube_rule *rule =
        kube_rule_find(SLICE("apiregistration.k8s.io"), SLICE("apiservices"));
    assert_int_equal(kube_services_named(d, rule, &out, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&out), slice_of("/services/a/x", 14)));
    buf_reset(&out);
    rule = kube_rule_find(SLICE(""), SLICE("configmaps"));
    assert_int_equal(kube_services_named(d, rule, &out, &e), RC_OK);
    assert_int_equal(out.n, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_is_made_when_all_its_services_are_ready),
        T(it_waits_for_a_service_without_a_ready_endpoint),
        T(where_endpoints_are_not_served_that_is_said),
        T(what_is_no_answer_is_asked_again_and_a_refusal_is_held),
        T(a_change_asks_only_where_other_services_are_called_than_before),
        T(a_delete_asks_nothing),
        T(what_calls_no_service_asks_nothing),
        T(the_rule_says_where_services_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

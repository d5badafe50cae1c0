/* The modelled API server's rules for objects, by direct calls; its answers are judged by
 * io/kube_error.h, as our program does. */
#include "tests/fakes/fake_kube.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/rng.h"
#include "io/kube_error.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#define CM "/api/v1/namespaces/default/configmaps"
#define CM_A                                                                                       \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"    \
    "\"default\"},\"data\":{\"k\":\"1\"}}"
#define CM_A2                                                                                      \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\",\"namespace\":"    \
    "\"default\"},\"data\":{\"k\":\"2\"}}"
#define WIDGETS "/apis/example.com/v1/namespaces/default/widgets"
#define WIDGET                                                                                     \
    "{\"apiVersion\":\"example.com/"                                                               \
    "v1\",\"kind\":\"Widget\",\"metadata\":{\"name\":\"w\",\"namespace\":\"default\"},\"spec\":{"  \
    "\"size\":1}}"
#define CRD_PATH "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define CRD                                                                                        \
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","           \
    "\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\","         \
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},\"versions\"" \
    ":[{\"name\":\"v1\",\"served\":true,\"storage\":true}]}}"

struct test {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct fake_kube *k;
    struct buf out; /* the last answer */
};

static int set_up(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    fake_clock_init(&t->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&t->rng, 7);
    t->k = fake_kube_new(&t->clock.clock, &t->rng.rng);
    buf_init(&t->out, 64u << 20);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct test *t = *state;
    fake_kube_free(t->k);
    buf_done(&t->out);
    free(t);
    return 0;
}

static int call(struct test *t, enum http_method m, const char *path, const char *body)
{
    buf_reset(&t->out);
    int status = fake_kube_call(t->k, m, path, body, &t->out);
    return status;
}

static bool says(const struct test *t, const char *text)
{
    return t->out.n && strstr(t->out.p, text);
}

static enum kube_class judge(const struct test *t, int status)
{
    struct kube_verdict v;
    kube_judge(status,
               t->out.p && *t->out.p == '{' ? SLICE("application/json") : SLICE("text/plain"),
               buf_slice(&t->out), -1, &v);
    return v.cls;
}

/* A string of the last answer. */
static void read_text(const struct test *t, const char *parent, const char *name, char out[80])
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e;
    assert_int_equal(json_parse(buf_slice(&t->out), &d, &e), RC_OK);
    snprintf(out, 80, "%.*s", SLICE_ARG(json_get_text(d, json_get(json_root(d), parent), name)));
}

static void later(struct test *t, int64_t ns)
{
    fake_clock_advance(&t->clock, ns);
    fake_kube_run(t->k);
}

/* ---- create ---- */

static void a_created_object_gets_its_system_fields_and_keeps_the_bytes_of_odd_values(void **state)
{
    struct test *t = *state;
    const char *body =
        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"},"
        "\"data\":{\"x\":1.0,\"y\":1e400,\"z\":\"\\u0000\\ud800\",\"x\":2}}";
    assert_int_equal(call(t, HTTP_POST, CM "?fieldManager=resilog", body), 201);
    assert_true(says(t, "{\"x\":1.0,\"y\":1e400,\"z\":\"\\u0000\\ud800\",\"x\":2}"));
    assert_true(says(t, "\"manager\":\"resilog\",\"operation\":\"Update\""));
    assert_true(says(t, "\"creationTimestamp\":\"2023-11-14T22:13:20Z\""));
    assert_true(says(t, "\"namespace\":\"default\""));
    char version[80], uid[80];
    read_text(t, "metadata", "resourceVersion", version);
    read_text(t, "metadata", "uid", uid);
    assert_int_equal(strtoll(version, NULL, 10), fake_kube_version(t->k));
    assert_int_equal(strlen(uid), 36);
    struct slice whole = fake_kube_get(t->k, "/configmaps/default/a");
    assert_true(
        slice_starts(whole, SLICE("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{")));
}

static void refusals_are_told_apart_as_on_a_real_server(void **state)
{
    struct test *t = *state;
    assert_int_equal(call(t, HTTP_POST, CM, CM_A), 201);
    assert_int_equal(judge(t, call(t, HTTP_POST, CM, CM_A)), KUBE_EXISTS);
    assert_true(says(t, "configmaps \\\"a\\\" already exists"));
    assert_int_equal(judge(t, call(t, HTTP_GET, CM "/b", NULL)), KUBE_OBJECT_MISSING);
    assert_int_equal(judge(t, call(t, HTTP_POST, "/api/v1/namespaces/no/configmaps",
                                   "{\"metadata\":{\"name\":\"a\"}}")),
                     KUBE_NAMESPACE_MISSING);
    assert_true(says(t, "namespaces \\\"no\\\" not found"));
    assert_int_equal(judge(t, call(t, HTTP_GET, WIDGETS, NULL)), KUBE_KIND_MISSING);
    assert_string_equal(t->out.p, "404 page not found\n");
    assert_int_equal(judge(t, call(t, HTTP_POST, CM, "{\"metadata\":")), KUBE_INVALID);
    assert_int_equal(
        judge(t, call(t, HTTP_POST, CM,
                      "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\"}}")),
        KUBE_INVALID);
    assert_int_equal(
        call(t, HTTP_POST, CM, "{\"metadata\":{\"name\":\"b\",\"namespace\":\"other\"}}"), 400);
    assert_int_equal(judge(t, call(t, HTTP_POST, CM, "{\"metadata\":{}}")), KUBE_INVALID);
    assert_int_equal(judge(t, call(t, HTTP_PATCH, CM "/a", "{}")), KUBE_UNACCEPTABLE);
    assert_int_equal(call(t, HTTP_GET, CM "?labelSelector=a", NULL), 400);
    assert_int_equal(judge(t, call(t, HTTP_GET, CM "/a/status", NULL)), KUBE_KIND_MISSING);
}

static void generate_name_makes_distinct_names(void **state)
{
    struct test *t = *state;
    char one[80], two[80];
    assert_int_equal(call(t, HTTP_POST, CM, "{\"metadata\":{\"generateName\":\"x-\"}}"), 201);
    read_text(t, "metadata", "name", one);
    assert_int_equal(call(t, HTTP_POST, CM, "{\"metadata\":{\"generateName\":\"x-\"}}"), 201);
    read_text(t, "metadata", "name", two);
    assert_int_equal(strlen(one), 7);
    assert_string_not_equal(one, two);
}

static void an_object_above_the_limit_of_etcd_is_refused(void **state)
{
    struct test *t = *state;
    AUTO(buf_done) struct buf body = BUF_INIT(8u << 20);
    buf_add_str(&body, "{\"metadata\":{\"name\":\"big\"},\"data\":{\"k\":\"");
    for (int i = 0; i < 1600; i++)
        buf_addf(&body, "%01000d", 0);
    buf_add_str(&body, "\"}}");
    assert_int_equal(judge(t, call(t, HTTP_POST, CM, body.p)), KUBE_TOO_LARGE);
    assert_int_equal(fake_kube_get(t->k, "/configmaps/default/big").n, 0);
}

static void services_get_addresses_that_a_put_without_them_keeps(void **state)
{
    struct test *t = *state;
    const char *path = "/api/v1/namespaces/default/services";
    const char *svc = "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"NodePort\",\"ports\":[{"
                      "\"port\":80}]}}";
    char ip[80], again[80];
    assert_int_equal(call(t, HTTP_POST, path, svc), 201);
    read_text(t, "spec", "clusterIP", ip);
    assert_int_equal(strncmp(ip, "10.96.", 6), 0);
    assert_true(says(t, "\"nodePort\":30000"));
    assert_int_equal(call(t, HTTP_PUT, "/api/v1/namespaces/default/services/s",
                          "{\"metadata\":{\"name\":\"s\",\"labels\":{\"a\":\"b\"}},\"spec\":{"
                          "\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}}"),
                     200);
    read_text(t, "spec", "clusterIP", again);
    assert_string_equal(ip, again);
    assert_true(says(t, "\"nodePort\":30000"));
    assert_int_equal(judge(t, call(t, HTTP_PUT, "/api/v1/namespaces/default/services/s",
                                   "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"clusterIP\":\"10.96."
                                   "9.9\",\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}}")),
                     KUBE_IMMUTABLE);
}

/* ---- update ---- */

static void a_put_of_the_same_content_stores_nothing(void **state)
{
    struct test *t = *state;
    assert_int_equal(fake_kube_put(t->k, CM_A), 201);
    int64_t before = fake_kube_version(t->k);
    fake_clock_advance(&t->clock, 5 * NS_PER_S);
    assert_int_equal(call(t, HTTP_PUT, CM "/a?fieldManager=other", CM_A), 200);
    assert_int_equal(fake_kube_version(t->k), before);
    assert_false(says(t, "other"));
    assert_int_equal(call(t, HTTP_PUT, CM "/a?fieldManager=other", CM_A2), 200);
    assert_int_equal(fake_kube_version(t->k), before + 1);
    assert_false(says(t, "\"manager\":\"kubectl\"")); /* it has nothing left */
    assert_true(says(t, "\"manager\":\"other\""));
}

static void members_belong_to_who_changed_them_last(void **state)
{
    struct test *t = *state;
    assert_int_equal(
        call(t, HTTP_POST, CM "?fieldManager=one",
             "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\",\"l\":\"1\",\"m\":\"1\"}}"),
        201);
    assert_true(says(t, "\"fieldsV1\":{\"f:data\":{\"f:k\":{},\"f:l\":{},\"f:m\":{}}}"));
    assert_int_equal(
        call(t, HTTP_PUT, CM "/a?fieldManager=two",
             "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\",\"l\":\"2\",\"n\":\"2\"}}"),
        200);
    assert_true(says(t, "\"fieldsV1\":{\"f:data\":{\"f:k\":{}}}"));
    assert_true(says(t, "\"fieldsV1\":{\"f:data\":{\"f:l\":{},\"f:n\":{}}}"));
}

static int put_with(struct test *t, const char *metadata)
{
    AUTO(buf_done) struct buf body = BUF_INIT(4096);
    buf_addf(&body, "{\"metadata\":{\"name\":\"a\",%s},\"data\":{\"k\":\"3\"}}", metadata);
    return call(t, HTTP_PUT, CM "/a", body.p);
}

static void a_put_with_a_stale_version_or_another_uid_conflicts(void **state)
{
    struct test *t = *state;
    char uid[80], version[80], metadata[200];
    assert_int_equal(call(t, HTTP_POST, CM, CM_A), 201);
    read_text(t, "metadata", "uid", uid);
    read_text(t, "metadata", "resourceVersion", version);
    assert_int_equal(judge(t, put_with(t, "\"resourceVersion\":\"1\"")), KUBE_CONFLICT);
    assert_true(says(t, "the object has been modified"));
    assert_int_equal(judge(t, put_with(t, "\"uid\":\"other\"")), KUBE_CONFLICT);
    snprintf(metadata, sizeof metadata, "\"uid\":\"%s\",\"resourceVersion\":\"%s\"", uid, version);
    assert_int_equal(put_with(t, metadata), 200);
    assert_int_equal(put_with(t, metadata), 409);
}

static void what_is_immutable_stays(void **state)
{
    struct test *t = *state;
    struct {
        const char *path, *name, *was, *now;
    } const cases[] = {
        {CM, "f", "{\"metadata\":{\"name\":\"f\"},\"immutable\":true,\"data\":{\"k\":\"1\"}}",
         "{\"metadata\":{\"name\":\"f\"},\"immutable\":true,\"data\":{\"k\":\"2\"}}"},
        {"/api/v1/namespaces/default/secrets", "s", "{\"metadata\":{\"name\":\"s\"}}",
         "{\"metadata\":{\"name\":\"s\"},\"type\":\"other\"}"},
        {"/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", "r",
         "{\"metadata\":{\"name\":\"r\"},\"roleRef\":{\"kind\":\"Role\",\"name\":\"x\"}}",
         "{\"metadata\":{\"name\":\"r\"},\"roleRef\":{\"kind\":\"Role\",\"name\":\"y\"}}"},
        {"/apis/apps/v1/namespaces/default/deployments", "d",
         "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}}",
         "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"c\"}}}}"},
        {"/apis/apps/v1/namespaces/default/statefulsets", "t",
         "{\"metadata\":{\"name\":\"t\"},\"spec\":{\"serviceName\":\"a\"}}",
         "{\"metadata\":{\"name\":\"t\"},\"spec\":{\"serviceName\":\"b\"}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(buf_done) struct buf path = BUF_INIT(4096);
        buf_addf(&path, "%s/%s", cases[i].path, cases[i].name);
        assert_int_equal(call(t, HTTP_POST, cases[i].path, cases[i].was), 201);
        int64_t before = fake_kube_version(t->k);
        int status = call(t, HTTP_PUT, path.p, cases[i].now);
        assert_int_equal(judge(t, status), KUBE_IMMUTABLE);
        assert_int_equal(fake_kube_version(t->k), before);
        assert_int_equal(call(t, HTTP_PUT, path.p, cases[i].was), 200);
    }
}

static void generation_counts_changes_of_the_spec_alone(void **state)
{
    struct test *t = *state;
    const char *all = "/apis/apps/v1/namespaces/default/deployments";
    const char *one = "/apis/apps/v1/namespaces/default/deployments/d";
    assert_int_equal(call(t, HTTP_POST, all, "{\"metadata\":{\"name\":\"d\"},\"spec\":{}}"), 201);
    assert_true(says(t, "\"replicas\":1"));
    assert_true(says(t, "\"generation\":1"));
    assert_int_equal(call(t, HTTP_PUT, one,
                          "{\"metadata\":{\"name\":\"d\",\"labels\":{\"a\":\"b\"}},\"spec\":{}}"),
                     200);
    assert_true(says(t, "\"generation\":1"));
    assert_int_equal(
        call(t, HTTP_PUT, one, "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"replicas\":2}}"), 200);
    assert_true(says(t, "\"generation\":2"));
}

static void status_is_left_to_controllers(void **state)
{
    struct test *t = *state;
    const char *one = "/apis/apps/v1/namespaces/default/deployments/d";
    const char *with = "{\"apiVersion\":\"apps/"
                       "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\",\"namespace\":"
                       "\"default\"},\"status\":{\"replicas\":5}}";
    assert_int_equal(call(t, HTTP_POST, "/apis/apps/v1/namespaces/default/deployments", with), 201);
    assert_false(says(t, "status"));
    assert_int_equal(fake_kube_put(t->k, with), 200);
    assert_int_equal(
        call(t, HTTP_PUT, one, "{\"metadata\":{\"name\":\"d\",\"labels\":{\"a\":\"b\"}}}"), 200);
    assert_true(says(t, "\"status\":{\"replicas\":5}"));
}

/* ---- delete ---- */

static void delete_keeps_its_preconditions(void **state)
{
    struct test *t = *state;
    assert_int_equal(fake_kube_put(t->k, CM_A), 201);
    assert_int_equal(
        judge(t, call(t, HTTP_DELETE, CM "/a", "{\"preconditions\":{\"uid\":\"other\"}}")),
        KUBE_CONFLICT);
    assert_int_equal(
        judge(t, call(t, HTTP_DELETE, CM "/a", "{\"preconditions\":{\"resourceVersion\":\"1\"}}")),
        KUBE_CONFLICT);
    assert_int_equal(call(t, HTTP_DELETE, CM "/a", NULL), 200);
    assert_true(says(t, "\"status\":\"Success\""));
    assert_int_equal(call(t, HTTP_DELETE, CM "/a", NULL), 404);
}

static void finalizers_hold_a_deleted_object_until_the_last_goes(void **state)
{
    struct test *t = *state;
    assert_int_equal(fake_kube_put(t->k, CM_A), 201);
    assert_true(fake_kube_terminate(t->k, "/configmaps/default/a"));
    assert_int_equal(call(t, HTTP_GET, CM "/a", NULL), 200);
    assert_true(says(t, "deletionTimestamp"));
    assert_int_equal(judge(t, call(t, HTTP_POST, CM, CM_A)), KUBE_TERMINATING);
    int64_t before = fake_kube_version(t->k);
    assert_int_equal(call(t, HTTP_DELETE, CM "/a", NULL), 200);
    assert_int_equal(fake_kube_version(t->k), before);
    assert_int_equal(
        call(t, HTTP_PUT, CM "/a", "{\"metadata\":{\"name\":\"a\",\"finalizers\":[\"new/one\"]}}"),
        422);
    assert_int_equal(call(t, HTTP_PUT, CM "/a", "{\"metadata\":{\"name\":\"a\"}}"), 200);
    assert_int_equal(fake_kube_get(t->k, "/configmaps/default/a").n, 0);
    assert_false(fake_kube_release(t->k, "/configmaps/default/a"));
}

static void a_deleted_namespace_takes_its_objects_along_and_refuses_new_ones(void **state)
{
    struct test *t = *state;
    assert_int_equal(
        fake_kube_put(
            t->k, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n\"}}"),
        201);
    assert_int_equal(fake_kube_put(t->k, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{"
                                         "\"name\":\"a\",\"namespace\":\"n\"}}"),
                     201);
    assert_int_equal(fake_kube_put(t->k, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"
                                         "\"name\":\"b\",\"namespace\":\"n\"}}"),
                     201);
    assert_true(fake_kube_terminate(t->k, "/pods/n/b"));
    assert_int_equal(fake_kube_delete(t->k, "/namespaces//n"), 200);
    int status =
        call(t, HTTP_POST, "/api/v1/namespaces/n/configmaps", "{\"metadata\":{\"name\":\"c\"}}");
    assert_int_equal(judge(t, status), KUBE_TERMINATING);
    later(t, 10 * NS_PER_S);
    assert_int_equal(fake_kube_get(t->k, "/secrets/n/a").n, 0);
    assert_int_not_equal(fake_kube_get(t->k, "/namespaces//n").n, 0);
    later(t, 10 * NS_PER_S);
    later(t, 10 * NS_PER_S);
    assert_int_equal(fake_kube_wake(t->k), INT64_MAX);
    assert_int_not_equal(fake_kube_get(t->k, "/namespaces//n").n, 0);
    assert_true(fake_kube_release(t->k, "/pods/n/b"));
    later(t, 10 * NS_PER_S);
    assert_int_equal(fake_kube_get(t->k, "/namespaces//n").n, 0);
    assert_int_equal(judge(t, call(t, HTTP_DELETE, "/api/v1/namespaces/default", NULL)),
                     KUBE_FORBIDDEN);
}

/* ---- custom resources ---- */

static void a_crd_serves_its_kind_once_established_and_takes_its_objects_along(void **state)
{
    struct test *t = *state;
    assert_int_equal(call(t, HTTP_POST, CRD_PATH, CRD), 201);
    assert_int_equal(call(t, HTTP_POST, WIDGETS, WIDGET), 404);
    assert_true(fake_kube_wake(t->k) != INT64_MAX);
    later(t, 2 * NS_PER_S);
    assert_int_equal(call(t, HTTP_GET, CRD_PATH "/widgets.example.com", NULL), 200);
    assert_true(says(t, "\"type\":\"Established\",\"status\":\"True\""));
    assert_int_equal(call(t, HTTP_POST, WIDGETS, WIDGET), 201);
    assert_true(slice_starts(buf_slice(&t->out),
                             SLICE("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Widget\",")));
    assert_int_equal(call(t, HTTP_GET, WIDGETS, NULL), 200);
    assert_true(
        slice_starts(buf_slice(&t->out),
                     SLICE("{\"apiVersion\":\"example.com/v1\",\"items\":[{\"apiVersion\"")));
    assert_int_equal(call(t, HTTP_DELETE, CRD_PATH "/widgets.example.com", NULL), 200);
    later(t, 2 * NS_PER_S);
    later(t, 2 * NS_PER_S);
    assert_int_equal(call(t, HTTP_GET, WIDGETS, NULL), 404);
    assert_int_equal(fake_kube_get(t->k, "example.com/widgets/default/w").n, 0);
    assert_int_equal(call(t, HTTP_GET, CRD_PATH "/widgets.example.com", NULL), 404);
}

static void a_crd_named_otherwise_than_its_plural_and_group_is_refused(void **state)
{
    struct test *t = *state;
    assert_int_equal(call(t, HTTP_POST, CRD_PATH,
                          "{\"metadata\":{\"name\":\"other.example.com\"},\"spec\":{\"group\":"
                          "\"example.com\",\"names\":{\"plural\":\"widgets\"}}}"),
                     422);
}

/* ---- lists and versions ---- */

static void put_numbered(struct test *t, int from, int to)
{
    for (int i = from; i < to; i++) {
        char body[200];
        snprintf(body, sizeof body,
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%02d\","
                 "\"namespace\":\"default\"}}",
                 i);
        assert_int_equal(fake_kube_put(t->k, body), 201);
    }
}

static int next_page(struct test *t, const char *token)
{
    AUTO(buf_done) struct buf path = BUF_INIT(4096);
    buf_addf(&path, CM "?limit=3%s%s", *token ? "&continue=" : "", token);
    return call(t, HTTP_GET, path.p, NULL);
}

static void read_token(const struct test *t, char out[512])
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e;
    assert_int_equal(json_parse(buf_slice(&t->out), &d, &e), RC_OK);
    snprintf(out, 512, "%.*s",
             SLICE_ARG(json_get_text(d, json_get(json_root(d), "metadata"), "continue")));
}

static void all_pages_of_a_list_show_one_version(void **state)
{
    struct test *t = *state;
    char token[512], version[80], again[80];
    put_numbered(t, 0, 7);
    assert_int_equal(next_page(t, ""), 200);
    assert_true(says(t, "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{"));
    assert_true(says(t, "\"remainingItemCount\":4"));
    assert_false(says(t, "\"kind\":\"ConfigMap\","));
    read_token(t, token);
    read_text(t, "metadata", "resourceVersion", version);
    assert_int_equal(fake_kube_delete(t->k, "/configmaps/default/c04"), 200);
    put_numbered(t, 7, 9);
    assert_int_equal(next_page(t, token), 200);
    assert_true(says(t, "c03") && says(t, "c04") && says(t, "c05"));
    read_text(t, "metadata", "resourceVersion", again);
    assert_string_equal(version, again);
    read_token(t, token);
    assert_int_equal(next_page(t, token), 200);
    assert_true(says(t, "c06"));
    assert_false(says(t, "c07") || says(t, "continue"));
}

static void a_continue_token_expires_with_compaction(void **state)
{
    struct test *t = *state;
    char token[512];
    put_numbered(t, 0, 7);
    assert_int_equal(next_page(t, ""), 200);
    read_token(t, token);
    put_numbered(t, 7, 8);
    fake_kube_compact(t->k, fake_kube_version(t->k));
    assert_int_equal(judge(t, next_page(t, token)), KUBE_EXPIRED);
    assert_int_equal(next_page(t, ""), 200);
    assert_int_equal(next_page(t, "zz"), 400);
    assert_int_equal(call(t, HTTP_GET, CM "?resourceVersion=99999999", NULL), 504);
    assert_int_equal(judge(t, 504), KUBE_VERSION_AHEAD);
}

static void compaction_keeps_the_present_state(void **state)
{
    struct test *t = *state;
    put_numbered(t, 0, 3);
    assert_int_equal(fake_kube_delete(t->k, "/configmaps/default/c01"), 200);
    uint64_t before = fake_kube_digest(t->k, true);
    fake_kube_compact(t->k, fake_kube_version(t->k));
    assert_int_equal(fake_kube_digest(t->k, true), before);
    assert_int_equal(fake_kube_get(t->k, "/configmaps/default/c01").n, 0);
    assert_int_equal(fake_kube_put(t->k, CM_A), 201);
}

static void a_rewind_brings_back_an_old_state_and_its_version(void **state)
{
    struct test *t = *state;
    put_numbered(t, 0, 2);
    int64_t version = fake_kube_version(t->k);
    uint64_t before = fake_kube_digest(t->k, true);
    put_numbered(t, 2, 4);
    assert_int_equal(fake_kube_delete(t->k, "/configmaps/default/c00"), 200);
    assert_int_equal(fake_kube_put(t->k, CRD), 201);
    later(t, 2 * NS_PER_S);
    fake_kube_rewind(t->k, version);
    assert_int_equal(fake_kube_version(t->k), version);
    assert_int_equal(fake_kube_digest(t->k, true), before);
    assert_int_equal(call(t, HTTP_GET, WIDGETS, NULL), 404);
}

static void iteration_gives_every_object_in_the_order_of_its_key(void **state)
{
    struct test *t = *state;
    struct fake_kube_item item = {0};
    const char *keys[] = {"/configmaps/default/c00", "/configmaps/default/c01",
                          "/namespaces//default", "/namespaces//kube-system"};
    put_numbered(t, 0, 2);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fake_kube_next(t->k, item.key, &item));
        assert_true(slice_eq(item.key, slice_str(keys[i])));
        assert_true(item.object.n > 0 && item.version <= fake_kube_version(t->k));
    }
    assert_false(fake_kube_next(t->k, item.key, &item));
}

static void two_clusters_with_the_same_content_differ_only_in_their_own_fields(void **state)
{
    struct test *t = *state;
    AUTO(fake_kube_freep) struct fake_kube *other = fake_kube_new(&t->clock.clock, &t->rng.rng);
    put_numbered(t, 0, 2);
    assert_int_equal(fake_kube_put(other,
                                   "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                                   "\"namespace\":\"default\",\"name\":\"c01\"}}"),
                     201);
    assert_int_not_equal(fake_kube_digest(t->k, false), fake_kube_digest(other, false));
    assert_int_equal(fake_kube_put(other,
                                   "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                                   "\"namespace\":\"default\",\"name\":\"c00\"}}"),
                     201);
    assert_int_equal(fake_kube_digest(t->k, false), fake_kube_digest(other, false));
    assert_int_not_equal(fake_kube_digest(t->k, true), fake_kube_digest(other, true));
}

static void the_cluster_uid_is_that_of_kube_system(void **state)
{
    struct test *t = *state;
    char uid[80];
    fake_kube_set_cluster_uid(t->k, "11111111-2222-3333-4444-555555555555");
    assert_int_equal(call(t, HTTP_GET, "/api/v1/namespaces/kube-system", NULL), 200);
    read_text(t, "metadata", "uid", uid);
    assert_string_equal(uid, "11111111-2222-3333-4444-555555555555");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_object_gets_its_system_fields_and_keeps_the_bytes_of_odd_values),
        TEST(refusals_are_told_apart_as_on_a_real_server),
        TEST(generate_name_makes_distinct_names),
        TEST(an_object_above_the_limit_of_etcd_is_refused),
        TEST(services_get_addresses_that_a_put_without_them_keeps),
        TEST(a_put_of_the_same_content_stores_nothing),
        TEST(members_belong_to_who_changed_them_last),
        TEST(a_put_with_a_stale_version_or_another_uid_conflicts),
        TEST(what_is_immutable_stays),
        TEST(generation_counts_changes_of_the_spec_alone),
        TEST(status_is_left_to_controllers),
        TEST(delete_keeps_its_preconditions),
        TEST(finalizers_hold_a_deleted_object_until_the_last_goes),
        TEST(a_deleted_namespace_takes_its_objects_along_and_refuses_new_ones),
        TEST(a_crd_serves_its_kind_once_established_and_takes_its_objects_along),
        TEST(a_crd_named_otherwise_than_its_plural_and_group_is_refused),
        TEST(all_pages_of_a_list_show_one_version),
        TEST(a_continue_token_expires_with_compaction),
        TEST(compaction_keeps_the_present_state),
        TEST(a_rewind_brings_back_an_old_state_and_its_version),
        TEST(iteration_gives_every_object_in_the_order_of_its_key),
        TEST(two_clusters_with_the_same_content_differ_only_in_their_own_fields),
        TEST(the_cluster_uid_is_that_of_kube_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* io/kube_discovery: both forms of discovery from a scripted server, unreachable groups, failures. */
#include "io/kube_discovery.h"

#include "core/buf.h"

#include <stdio.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* A server by script: it remembers what was asked; the test answers in the order it likes. */
struct script {
    struct http http; /* first */
    char asked[64][128];
    size_t n;           /* ids are 1..n */
    size_t refuse_from; /* starts from this one on fail; 0: none */
    size_t cancelled;
};

static enum rc script_start(struct http *h, const struct http_request *r, http_id *ret_id,
                            struct err *e)
{
    struct script *s = (struct script *)h;
    if (s->refuse_from && s->n + 1 >= s->refuse_from)
        return err_nomem(e);
    assert_true(s->n < 64);
    assert_int_equal(r->method, HTTP_GET);
    assert_int_equal(r->lane, HTTP_LANE_CALL);
    snprintf(s->asked[s->n], sizeof s->asked[0], "%.*s", SLICE_ARG(r->path));
    *ret_id = ++s->n;
    return RC_OK;
}

static void script_cancel(struct http *h, http_id id)
{
    assert_true(id > 0);
    ((struct script *)h)->cancelled++;
}

static const struct http_ops SCRIPT_OPS = {.start = script_start, .cancel = script_cancel};

static http_id id_of(const struct script *s, const char *path)
{
    for (size_t i = s->n; i > 0; i--)
        if (strcmp(s->asked[i - 1], path) == 0)
            return i;
    return 0;
}

static bool answer(struct kube_discovery *d, const struct script *s, const char *path, int status,
                   const char *body)
{
    struct http_event ev = {.id = id_of(s, path),
                            .kind = HTTP_DONE,
                            .status = status,
                            .content_type = SLICE("application/json"),
                            .retry_after_ns = -1,
                            .data = slice_str(body)};
    return kube_discovery_offer(d, &ev);
}

static bool lose(struct kube_discovery *d, const struct script *s, const char *path, enum rc rc)
{
    struct http_event ev = {.id = id_of(s, path), .kind = HTTP_DONE};
    err_set(&ev.err, rc, ERR_RETRY, "lost");
    return kube_discovery_offer(d, &ev);
}

#define AGG   "{\"kind\":\"APIGroupDiscoveryList\",\"items\":["
#define VERBS "\"verbs\":[\"create\",\"delete\",\"get\",\"list\",\"update\",\"watch\"]"
static const char CORE[] = AGG
    "{\"metadata\":{\"creationTimestamp\":null},\"versions\":[{\"version\":\"v1\",\"freshness\":"
    "\"Current\","
    "\"resources\":[{\"resource\":\"pods\",\"responseKind\":{\"group\":\"\",\"version\":\"v1\","
    "\"kind\":\"Pod\"},"
    "\"scope\":\"Namespaced\",\"singularResource\":\"pod\",\"shortNames\":[\"po\",\"p\"]," VERBS ","
    "\"subresources\":[{\"subresource\":\"log\"}]},"
    "{\"resource\":\"bindings\",\"responseKind\":{\"kind\":\"Binding\"},\"scope\":\"Namespaced\","
    "\"verbs\":[\"create\"]}]}]}]}";
static const char GROUPS[] = AGG
    "{\"metadata\":{\"name\":\"a.io\"},\"versions\":["
    "{\"version\":\"v2\",\"freshness\":\"Current\",\"resources\":[{\"resource\":\"things\","
    "\"responseKind\":{\"kind\":\"Thing\"},\"scope\":\"Cluster\"," VERBS "}]},"
    "{\"version\":\"v1\",\"resources\":[{\"resource\":\"things\",\"responseKind\":{\"kind\":"
    "\"Thing\"},"
    "\"scope\":\"Cluster\"," VERBS "},{\"resource\":\"olds\",\"responseKind\":{\"kind\":\"Old\"},"
    "\"scope\":\"Cluster\"," VERBS "}]}]},"
    "{\"metadata\":{\"name\":\"stale.io\"},\"versions\":[{\"version\":\"v1\",\"freshness\":"
    "\"Stale\"}]}]}";

static void start(struct script *s, struct kube_discovery *d)
{
    struct err e;
    s->http.ops = &SCRIPT_OPS;
    assert_int_equal(kube_discovery_start(d, &e), RC_OK);
}

#define assert_slice(s, text) assert_true(slice_eq((s), slice_str(text)))

static void a_resource_with_too_many_short_names_has_none_and_costs_nobody(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    AUTO(buf_done) struct buf groups = BUF_INIT(1 << 16);
    struct err e;
    buf_add_str(&groups,
                AGG "{\"metadata\":{\"name\":\"odd.io\"},\"versions\":[{\"version\":\"v1\","
                    "\"resources\":[{\"resource\":\"odds\",\"responseKind\":{\"kind\":"
                    "\"Odd\"},\"scope\":\"Cluster\",\"shortNames\":[\"o\"");
    for (int i = 0; i < 1000; i++)
        buf_addf(&groups, ",\"odd%04d\"", i);
    buf_add_str(&groups, "]," VERBS "}]}]}]}");
    start(&s, d);
    assert_true(answer(d, &s, "/api", 200, CORE));
    assert_true(answer(d, &s, "/apis", 200, groups.p));
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
    const struct kube_resource *odd =
        kube_discovery_find(d, SLICE("odd.io"), SLICE("v1"), SLICE("odds"));
    assert_non_null(odd);
    assert_int_equal(odd->short_names.n, 0);
    assert_non_null(kube_discovery_find(d, SLICE(""), SLICE("v1"), SLICE("pods")));
}

static bool has(const struct kube_discovery *d, const char *group, const char *version,
                const char *resource)
{
    return kube_discovery_find(d, slice_str(group), slice_str(version), slice_str(resource));
}

static bool has_core(const struct kube_discovery *d)
{
    return has(d, "", "v1", "pods") && has(d, "", "v1", "bindings");
}

static bool has_groups(const struct kube_discovery *d)
{
    return has(d, "a.io", "v2", "things") && has(d, "a.io", "v1", "things") &&
           has(d, "a.io", "v1", "olds");
}

static void the_aggregated_form_gives_all_resources_in_two_requests(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    struct err e;
    assert_int_equal(kube_discovery_state(d, &e), RC_AGAIN);
    start(&s, d);
    struct http_event headers = {.id = 1, .kind = HTTP_HEADERS, .status = 200};
    assert_true(kube_discovery_offer(d, &headers));
    assert_true(answer(d, &s, "/apis", 200, GROUPS));
    assert_int_equal(kube_discovery_state(d, &e), RC_AGAIN);
    assert_false(has_groups(d));
    assert_true(answer(d, &s, "/api", 200, CORE));
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
    assert_int_equal(s.n, 2);
    assert_true(has_core(d) && has_groups(d));
    assert_false(has(d, "", "v1", "pods/log"));
    const struct kube_resource *r = kube_discovery_find(d, SLICE_NULL, SLICE("v1"), SLICE("pods"));
    assert_non_null(r);
    assert_slice(r->kind, "Pod");
    assert_slice(r->singular, "pod");
    assert_slice(r->short_names, "po,p");
    assert_true(r->namespaced && r->can_list && r->can_watch && r->can_create && r->can_update &&
                r->can_delete);
    r = kube_discovery_find(d, SLICE_NULL, SLICE_NULL, SLICE("bindings"));
    assert_true(r && r->can_create && !r->can_list && !r->can_delete);
}

static void without_a_version_the_preferred_one_that_has_it_is_found(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    start(&s, d);
    assert_true(answer(d, &s, "/api", 200, CORE));
    assert_true(answer(d, &s, "/apis", 200, GROUPS));
    const struct slice group = SLICE("a.io");
    assert_slice(kube_discovery_find(d, group, SLICE_NULL, SLICE("things"))->version, "v2");
    assert_slice(kube_discovery_find(d, group, SLICE("v1"), SLICE("things"))->version, "v1");
    assert_slice(kube_discovery_find(d, group, SLICE_NULL, SLICE("olds"))->version, "v1");
    assert_null(kube_discovery_find(d, group, SLICE("v2"), SLICE("olds")));
    assert_null(kube_discovery_find(d, SLICE_NULL, SLICE_NULL, SLICE("things")));
    size_t n = 0, things = 0;
    for (const struct kube_resource *r; (r = kube_discovery_at(d, n)); n++)
        things += slice_eq(r->resource, SLICE("things"));
    assert_true(things == 2 && n > things);
}

static void a_stale_group_is_unreachable_and_not_empty(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    start(&s, d);
    assert_true(answer(d, &s, "/api", 200, CORE));
    assert_true(answer(d, &s, "/apis", 200, GROUPS));
    assert_false(kube_discovery_is_whole(d));
    assert_true(kube_discovery_unreachable(d, SLICE("stale.io"), SLICE_NULL));
    assert_true(kube_discovery_unreachable(d, SLICE("stale.io"), SLICE("v1")));
    assert_false(kube_discovery_unreachable(d, SLICE("stale.io"), SLICE("v2")));
    assert_false(kube_discovery_unreachable(d, SLICE("a.io"), SLICE_NULL));
    assert_false(kube_discovery_unreachable(d, SLICE("none.io"), SLICE_NULL));
}

static const char OLD_CORE[] = "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}";
static const char OLD_GROUPS[] =
    "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"a.io\",\"versions\":[{\"version\":\"v1\"},"
    "{\"version\":\"v2\"}],\"preferredVersion\":{\"version\":\"v2\"}},"
    "{\"name\":\"bad.io\",\"versions\":[{\"version\":\"v1\"}]}]}";
static const char OLD_LIST[] =
    "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"things\",\"singularName\":\"thing\","
    "\"namespaced\":true,\"kind\":\"Thing\"," VERBS ",\"shortNames\":[\"t\"]},"
    "{\"name\":\"things/status\",\"kind\":\"Thing\",\"verbs\":[\"get\"]}]}";

static void a_group_whose_name_makes_no_path_is_unreachable_and_costs_nobody(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    AUTO(buf_done) struct buf name = BUF_INIT(1 << 16), groups = BUF_INIT(1 << 16);
    struct err e;
    memset(buf_extend(&name, 5000), 'g', 5000);
    buf_addf(&groups,
             "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"%.*s\",\"versions\":"
             "[{\"version\":\"v1\"}]},{\"name\":\"a.io\",\"versions\":[{\"version\":\"v1\"}]}]}",
             SLICE_ARG(buf_slice(&name)));
    start(&s, d);
    assert_true(answer(d, &s, "/api", 200, OLD_CORE));
    assert_true(answer(d, &s, "/apis", 200, groups.p));
    assert_true(answer(d, &s, "/apis/a.io/v1", 200, OLD_LIST));
    assert_true(answer(d, &s, "/api/v1", 200, OLD_LIST));
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
    assert_non_null(kube_discovery_find(d, SLICE("a.io"), SLICE("v1"), SLICE("things")));
    assert_true(kube_discovery_unreachable(d, buf_slice(&name), SLICE_NULL));
}

static void the_older_form_is_asked_group_by_group(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    struct err e;
    start(&s, d);
    assert_true(answer(d, &s, "/api", 200, OLD_CORE));
    assert_true(answer(d, &s, "/apis", 200, OLD_GROUPS));
    assert_true(answer(d, &s, "/apis/a.io/v1", 200, OLD_LIST));
    assert_true(answer(d, &s, "/apis/a.io/v2", 200, OLD_LIST));
    assert_true(answer(d, &s, "/api/v1", 200, OLD_LIST));
    assert_int_equal(kube_discovery_state(d, &e), RC_AGAIN);
    assert_true(answer(d, &s, "/apis/bad.io/v1", 503, "{}"));
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
    assert_true(has(d, "", "v1", "things") && has(d, "a.io", "v1", "things"));
    assert_false(has(d, "", "v1", "things/status"));
    const struct kube_resource *r =
        kube_discovery_find(d, SLICE("a.io"), SLICE_NULL, SLICE("things"));
    assert_slice(r->version, "v2"); /* preferred, though v1 is named and answered first */
    assert_slice(r->short_names, "t");
    assert_true(r->namespaced && r->can_watch);
    assert_true(kube_discovery_unreachable(d, SLICE("bad.io"), SLICE_NULL));
    assert_false(kube_discovery_unreachable(d, SLICE("a.io"), SLICE_NULL));
}

static void a_group_is_unreachable_however_its_request_fails(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct script s = {0};
        AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
        struct err e;
        start(&s, d);
        assert_true(answer(d, &s, "/api", 200, OLD_CORE));
        assert_true(answer(d, &s, "/apis", 200, GROUPS));
        if (how == 0)
            assert_true(lose(d, &s, "/api/v1", RC_UNAVAILABLE));
        else
            assert_true(answer(d, &s, "/api/v1", 200, how == 1 ? "{\"kind\":\"Pod\"}" : "{broken"));
        assert_int_equal(kube_discovery_state(d, &e), RC_OK);
        assert_true(kube_discovery_unreachable(d, SLICE_NULL, SLICE("v1")));
        assert_true(has_groups(d) && !has(d, "", "v1", "things"));
    }
}

static void at_most_eight_groups_are_asked_at_once(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    char body[4096] = "{\"kind\":\"APIGroupList\",\"groups\":[", path[64];
    struct err e;
    for (int i = 0; i < 20; i++)
        snprintf(body + strlen(body), sizeof body - strlen(body),
                 "%s{\"name\":\"g%d\",\"versions\":[{\"version\":\"v1\"}]}", i ? "," : "", i);
    snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
    start(&s, d);
    assert_true(answer(d, &s, "/apis", 200, body));
    assert_int_equal(s.n, 2 + 8);
    assert_true(answer(d, &s, "/api", 200, CORE));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/apis/g%d/v1", i);
        assert_true(answer(d, &s, path, 200, OLD_LIST));
        assert_int_equal(s.n, 2 + (8 + i + 1 < 20 ? 8 + i + 1 : 20));
    }
    assert_int_equal(kube_discovery_state(d, &e), RC_OK);
    assert_true(has_core(d));
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "g%d", i);
        assert_true(has(d, path, "v1", "things"));
    }
}

static void a_failed_try_says_why_and_keeps_the_result_before_it(void **state)
{
    (void)state;
    const struct {
        int status;
        const char *body;
        enum rc rc;
    } rows[] = {{401, "{}", RC_DENIED},
                {403, "{}", RC_DENIED},
                {503, "{}", RC_UNAVAILABLE},
                {200, "<html>", RC_CORRUPT},
                {200, "{\"kind\":\"Pod\"}", RC_CORRUPT},
                {200, "{\"kind\":", RC_CORRUPT},
                {0, "", RC_UNAVAILABLE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script s = {0};
        AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
        struct err e = ERR_INIT;
        start(&s, d);
        assert_true(answer(d, &s, "/api", 200, CORE));
        assert_true(answer(d, &s, "/apis", 200, GROUPS));
        start(&s, d);
        assert_int_equal(kube_discovery_state(d, &e), RC_AGAIN);
        assert_true(has_core(d) && has_groups(d));
        assert_true(rows[i].status ? answer(d, &s, "/apis", rows[i].status, rows[i].body)
                                   : lose(d, &s, "/apis", rows[i].rc));
        assert_int_equal(kube_discovery_state(d, &e), rows[i].rc);
        assert_int_equal(e.rc, rows[i].rc);
        assert_int_equal(s.cancelled, 1); /* the other root */
        assert_false(answer(d, &s, "/api", 200, CORE));
        assert_true(has_core(d) && has_groups(d));
        start(&s, d);
        assert_true(answer(d, &s, "/api", 200, CORE));
        assert_true(answer(d, &s, "/apis", 200, AGG "]}"));
        assert_int_equal(kube_discovery_state(d, &e), RC_OK);
        assert_true(has_core(d) && !has(d, "a.io", "", "things"));
    }
}

static void events_of_others_are_left_alone(void **state)
{
    (void)state;
    struct script s = {0};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    struct http_event ev = {.id = 99, .kind = HTTP_DONE}, none = {.id = 0, .kind = HTTP_DONE};
    assert_false(kube_discovery_offer(d, &none));
    start(&s, d);
    assert_false(kube_discovery_offer(d, &ev));
    assert_false(kube_discovery_offer(d, &none));
}

static void a_request_that_cannot_be_started_fails_the_try(void **state)
{
    (void)state;
    struct script s = {.http.ops = &SCRIPT_OPS, .refuse_from = 2};
    AUTO(kube_discovery_freep) struct kube_discovery *d = kube_discovery_new(&s.http);
    struct err e = ERR_INIT;
    assert_int_equal(kube_discovery_start(d, &e), RC_NOMEM);
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(kube_discovery_state(d, &e), RC_NOMEM);
    s.refuse_from = 0;
    start(&s, d);
    s.refuse_from = 1;
    assert_true(answer(d, &s, "/api", 200, OLD_CORE));
    assert_int_equal(kube_discovery_state(d, &e), RC_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_aggregated_form_gives_all_resources_in_two_requests),
        cmocka_unit_test(a_resource_with_too_many_short_names_has_none_and_costs_nobody),
        cmocka_unit_test(without_a_version_the_preferred_one_that_has_it_is_found),
        cmocka_unit_test(a_stale_group_is_unreachable_and_not_empty),
        cmocka_unit_test(the_older_form_is_asked_group_by_group),
        cmocka_unit_test(a_group_whose_name_makes_no_path_is_unreachable_and_costs_nobody),
        cmocka_unit_test(a_group_is_unreachable_however_its_request_fails),
        cmocka_unit_test(at_most_eight_groups_are_asked_at_once),
        cmocka_unit_test(a_failed_try_says_why_and_keeps_the_result_before_it),
        cmocka_unit_test(events_of_others_are_left_alone),
        cmocka_unit_test(a_request_that_cannot_be_started_fails_the_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* core/diag_object: the fields of a line about an object, word for word. */
#include "core/diag_object.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define NOW  (1767323045 * NS_PER_S + 6)
#define HEAD "\"timestamp\":\"2026-01-02T03:04:05.000000006Z\","

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void expect(enum diag_format format, const char *msg, const struct diag_object *about,
                   const char *wanted)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    struct fake_clock clock;
    fake_clock_init(&clock, NOW);
    AUTO(diag_freep) struct diag *d = diag_new(&clock.clock, format, DIAG_INFO, keep, &out);
    assert_non_null(d);
    diag_say_object(d, DIAG_INFO, msg, about);
    assert_string_equal(out.p, wanted);
}

static struct event web(const char *version)
{
    return (struct event){
        .op = EVENT_PUT,
        .key = SLICE("apps/deployments/shop/web"),
        .version = slice_str(version),
        .uid = SLICE("u-1"),
        .api_version = SLICE("apps/v1"),
        .body = SLICE("{\"metadata\":{\"name\":\"web\",\"managedFields\":["
                      "{\"manager\":\"kubectl\",\"time\":\"2026-01-01T10:00:00Z\"},"
                      "{\"manager\":\"helm\",\"time\":\"2026-01-01T11:00:00Z\"},"
                      "{\"manager\":\"early\",\"time\":\"2026-01-01T09:00:00Z\"},"
                      "{\"manager\":\"kubelet\",\"time\":\"2026-01-01T12:00:00Z\","
                      "\"subresource\":\"status\"}]}}"),
    };
}

static void an_update_has_the_whole_set(void **state)
{
    (void)state;
    struct event ev = web("12"), before = web("7"), copy = web("90");
    copy.uid = SLICE("u-2");
    ev.user = SLICE("kubernetes-admin");
    const struct diag_field more = DIAG_N("offset", 5);
    expect(DIAG_JSON, "object updated in cluster",
           &(struct diag_object){.event = &ev,
                                 .before = &before,
                                 .copy = &copy,
                                 .error = "why not",
                                 .more = &more,
                                 .n_more = 1},
           "{\"level\":\"info\"," HEAD "\"msg\":\"object updated in cluster\","
           "\"sourceObject\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\","
           "\"namespace\":\"shop\",\"resource\":\"deployments\",\"resourceVersion\":\"12\","
           "\"uid\":\"u-1\"},"
           "\"oldSourceObject\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\","
           "\"namespace\":\"shop\",\"resource\":\"deployments\",\"resourceVersion\":\"7\","
           "\"uid\":\"u-1\"},"
           "\"destinationObject\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\","
           "\"namespace\":\"shop\",\"resource\":\"deployments\",\"resourceVersion\":\"90\","
           "\"uid\":\"u-2\"},"
           "\"lastUpdate\":{\"time\":\"2026-01-01T11:00:00Z\",\"manager\":\"helm\","
           "\"username\":\"kubernetes-admin\"},\"event\":{\"type\":\"update\"},"
           "\"offset\":5,\"error\":\"why not\"}\n");
}

static void the_object_of_before_is_told_of_updates_alone(void **state)
{
    (void)state;
    static const char object[] =
        "\"sourceObject\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\","
        "\"namespace\":\"shop\",\"resource\":\"deployments\",\"resourceVersion\":\"12\","
        "\"uid\":\"u-1\"},";
    static const char *const changes[] = {"create", "delete"};
    for (size_t i = 0; i < 2; i++) {
        struct event ev = web("12"), before = web("7");
        char wanted[1024];
        ev.body = SLICE_NULL;
        ev.op = i == 0 ? EVENT_PUT : EVENT_DELETE;
        before.op = i == 0 ? EVENT_DELETE : EVENT_PUT;
        (void)snprintf(wanted, sizeof wanted,
                       "{\"level\":\"info\",%s\"msg\":\"m\",%s\"event\":{\"type\":\"%s\"}}\n", HEAD,
                       object, changes[i]);
        expect(DIAG_JSON, "m", &(struct diag_object){.event = &ev, .before = &before}, wanted);
    }
}

static void the_caller_may_know_the_change_better(void **state)
{
    (void)state;
    struct event ev = {.op = EVENT_PUT, .key = SLICE("/namespaces//shop")};
    expect(DIAG_JSON, "m", &(struct diag_object){.event = &ev, .change = "delete"},
           "{\"level\":\"info\"," HEAD "\"msg\":\"m\",\"sourceObject\":{\"apiGroup\":\"\","
           "\"name\":\"shop\",\"resource\":\"namespaces\"},\"event\":{\"type\":\"delete\"}}\n");
}

static void text_names_the_object_as_kubectl_does(void **state)
{
    (void)state;
    struct event ev = web("12"), before = web("7"),
                 node = {.op = EVENT_PUT, .key = SLICE("/nodes//n1")};
    const struct diag_field more = DIAG_S("class", SLICE("invalid"));
    expect(DIAG_TEXT, "object held",
           &(struct diag_object){.event = &ev,
                                 .before = &before,
                                 .copy = &before,
                                 .more = &more,
                                 .n_more = 1,
                                 .error = "no"},
           "2026-01-02T03:04:05Z INFO  object held object=deployments.apps/web namespace=shop "
           "class=invalid error=no\n");
    expect(DIAG_TEXT, "m", &(struct diag_object){.event = &node},
           "2026-01-02T03:04:05Z INFO  m object=nodes/n1\n");
}

static void what_is_no_key_of_kubernetes_is_a_name(void **state)
{
    (void)state;
    struct event ev = {.op = EVENT_PUT, .key = SLICE("/services/db"), .body = SLICE("no JSON")};
    expect(DIAG_JSON, "m", &(struct diag_object){.event = &ev},
           "{\"level\":\"info\"," HEAD "\"msg\":\"m\",\"sourceObject\":{\"name\":\"/services/db\"},"
           "\"event\":{\"type\":\"create\"}}\n");
    expect(DIAG_TEXT, "m", &(struct diag_object){.event = &ev},
           "2026-01-02T03:04:05Z INFO  m object=/services/db\n");
}

static void no_value_of_a_secret_is_said(void **state)
{
    (void)state;
    struct event ev = {
        .op = EVENT_PUT,
        .key = SLICE("/secrets/shop/login"),
        .api_version = SLICE("v1"),
        .body =
            SLICE("{\"metadata\":{\"name\":\"login\",\"annotations\":"
                  "{\"kubectl.kubernetes.io/last-applied-configuration\":\"hunter2\"},"
                  "\"managedFields\":[{\"manager\":\"kubectl\",\"time\":\"2026-01-01T10:00:00Z\","
                  "\"fieldsV1\":{\"f:data\":{\"f:hunter2\":{}}}}]},\"data\":{\"p\":\"hunter2\"}}")};
    expect(DIAG_JSON, "m", &(struct diag_object){.event = &ev},
           "{\"level\":\"info\"," HEAD "\"msg\":\"m\",\"sourceObject\":{\"apiGroup\":\"\","
           "\"apiVersion\":\"v1\",\"name\":\"login\",\"namespace\":\"shop\","
           "\"resource\":\"secrets\"},\"lastUpdate\":{\"time\":\"2026-01-01T10:00:00Z\","
           "\"manager\":\"kubectl\"},\"event\":{\"type\":\"create\"}}\n");
}

static void of_a_key_alone_no_change_is_said(void **state)
{
    (void)state;
    struct event ev = {.key = SLICE("/nodes//n1")}, before = web("7");
    expect(DIAG_JSON, "m", &(struct diag_object){.event = &ev, .before = &before},
           "{\"level\":\"info\"," HEAD "\"msg\":\"m\",\"sourceObject\":{\"apiGroup\":\"\","
           "\"name\":\"n1\",\"resource\":\"nodes\"}}\n");
}

static void a_line_may_be_about_the_destinations_object_alone(void **state)
{
    (void)state;
    struct event copy = {.key = SLICE("/namespaces//shop"), .api_version = SLICE("v1")};
    expect(DIAG_JSON, "m", &(struct diag_object){.copy = &copy, .error = "no"},
           "{\"level\":\"info\"," HEAD "\"msg\":\"m\",\"destinationObject\":{\"apiGroup\":\"\","
           "\"apiVersion\":\"v1\",\"name\":\"shop\",\"resource\":\"namespaces\"},"
           "\"error\":\"no\"}\n");
    expect(DIAG_TEXT, "m", &(struct diag_object){.copy = &copy},
           "2026-01-02T03:04:05Z INFO  m object=namespaces/shop\n");
}

static void nobody_to_listen_is_no_harm(void **state)
{
    (void)state;
    struct event ev = web("12");
    diag_say_object(NULL, DIAG_ERROR, "m", &(struct diag_object){.event = &ev});
}

static void a_path_is_a_name_even_where_it_looks_like_an_object(void **state)
{
    (void)state;
    const struct event node = {.op = EVENT_PUT,
                               .source_kind = SOURCE_ZOOKEEPER,
                               .key = SLICE("/configmaps/n/a"),
                               .version = SLICE("5-0-0")};
    expect(DIAG_JSON, "said", &(struct diag_object){.event = &node},
           "{\"level\":\"info\"," HEAD "\"msg\":\"said\",\"sourceObject\":{\"name\":"
           "\"/configmaps/n/a\",\"resourceVersion\":\"5-0-0\"},\"event\":{\"type\":\"create\"}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_has_the_whole_set),
        cmocka_unit_test(the_object_of_before_is_told_of_updates_alone),
        cmocka_unit_test(the_caller_may_know_the_change_better),
        cmocka_unit_test(text_names_the_object_as_kubectl_does),
        cmocka_unit_test(what_is_no_key_of_kubernetes_is_a_name),
        cmocka_unit_test(no_value_of_a_secret_is_said),
        cmocka_unit_test(of_a_key_alone_no_change_is_said),
        cmocka_unit_test(a_line_may_be_about_the_destinations_object_alone),
        cmocka_unit_test(nobody_to_listen_is_no_harm),
        cmocka_unit_test(a_path_is_a_name_even_where_it_looks_like_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Diagnostics about objects: the field names of the custom resources' documentation. */
#include "tests/unit/sinks/kube_test.h"

#include "core/event.h"
#include "core/event_codec.h"
#include "sinks/kube_say.h"
#include "tests/fakes/fake_clock.h"

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static char pump[] = "pump";

static struct event *last_week(void *arg, const struct event *ev)
{
    struct event before = *ev;
    assert_ptr_equal(arg, pump);
    before.version = SLICE("3");
    before.op = EVENT_PUT;
    return event_copy(&before);
}

/* A write of apps/deployments/ns/web that was copied before, as far as a line asks about it. */
struct said {
    struct event event;
    struct kube_dest dest;
    struct kube_write w;
    struct fake_clock clock;
    struct buf out;
};

static void start(struct said *s, enum diag_level least)
{
    *s = (struct said){
        .event = {.op = EVENT_PUT,
                  .key = SLICE("apps/deployments/ns/web"),
                  .api_version = SLICE("apps/v1"),
                  .uid = SLICE("u-src"),
                  .version = SLICE("5")},
        .w = {.dest = &s->dest,
              .key = {.ns = SLICE("ns")},
              .has_old = true,
              .item = {.op = SINK_PUT,
                       .event = &s->event,
                       .body = SLICE("{\"metadata\":{\"managedFields\":[{\"manager\":\"helm\"}]}}"),
                       .before = last_week,
                       .before_arg = pump},
              .result = {.cls = "invalid"},
              .live_uid = BUF_INIT(64),
              .live_version = BUF_INIT(64)},
        .out = BUF_INIT(1 << 16),
    };
    buf_add_str(&s->w.live_uid, "u-dst");
    buf_add_str(&s->w.live_version, "10");
    fake_clock_init(&s->clock, 0);
    s->dest.diag = diag_new(&s->clock.clock, DIAG_JSON, least, keep, &s->out);
    assert_non_null(s->dest.diag);
}

static void stop(struct said *s)
{
    diag_free(s->dest.diag);
    buf_done(&s->w.live_uid);
    buf_done(&s->w.live_version);
    buf_done(&s->out);
}

#define OBJECT(who, version, uid)                                                                  \
    "\"" who                                                                                       \
    "\":{\"apiGroup\":\"apps\",\"apiVersion\":\"v1\",\"name\":\"web\",\"namespace\":\"ns\","       \
    "\"resource\":\"deployments\",\"resourceVersion\":\"" version "\",\"uid\":\"" uid "\"},"
#define LINE(level, msg)                                                                           \
    "{\"level\":\"" level "\",\"timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"msg\":\"" msg "\","
#define SOURCE OBJECT("sourceObject", "5", "u-src")
#define BEFORE OBJECT("oldSourceObject", "3", "u-src")
#define COPY   OBJECT("destinationObject", "10", "u-dst")
#define LAST   "\"lastUpdate\":{\"manager\":\"helm\"},"

static void a_line_names_the_objects_and_the_kind_of_change(void **state)
{
    (void)state;
    AUTO(stop) struct said s;
    start(&s, DIAG_DEBUG);
    kube_say(&s.w, DIAG_DEBUG, "object updated in cluster", KUBE_DO_PUT, NULL);
    assert_string_equal(s.out.p, LINE("debug", "object updated in cluster") SOURCE BEFORE COPY LAST
                        "\"event\":{\"type\":\"update\"}}\n");
}

static void a_failure_has_its_class_and_its_text(void **state)
{
    (void)state;
    AUTO(stop) struct said s;
    start(&s, DIAG_INFO);
    s.w.has_old = false;
    kube_say(&s.w, DIAG_WARN, "error creating object in cluster", KUBE_DO_POST, "why not");
    assert_string_equal(s.out.p, LINE("warn", "error creating object in cluster") SOURCE COPY LAST
                        "\"event\":{\"type\":\"create\"},\"class\":\"invalid\","
                        "\"error\":\"why not\"}\n");
}

static void a_look_is_said_with_what_the_item_shall_change(void **state)
{
    (void)state;
    AUTO(stop) struct said s;
    start(&s, DIAG_DEBUG);
    kube_say(&s.w, DIAG_DEBUG, "m", KUBE_DO_GET, NULL);
    s.w.has_old = false;
    kube_say(&s.w, DIAG_DEBUG, "m", KUBE_DO_GET, NULL);
    s.w.item.op = SINK_DELETE;
    kube_say(&s.w, DIAG_DEBUG, "m", KUBE_DO_GET, NULL);
    assert_string_equal(s.out.p, LINE("debug", "m") SOURCE BEFORE COPY LAST
                        "\"event\":{\"type\":\"update\"}}\n" LINE("debug", "m") SOURCE COPY LAST
                        "\"event\":{\"type\":\"create\"}}\n" LINE("debug", "m") SOURCE COPY LAST
                        "\"event\":{\"type\":\"delete\"}}\n");
}

static void a_line_about_the_namespace_names_it_as_the_destinations_object(void **state)
{
    (void)state;
    AUTO(stop) struct said s;
    start(&s, DIAG_DEBUG);
    kube_say(&s.w, DIAG_DEBUG, "namespace created in cluster", KUBE_DO_NAMESPACE, NULL);
    assert_string_equal(s.out.p, LINE("debug", "namespace created in cluster") SOURCE
                        "\"destinationObject\":{\"apiGroup\":\"\",\"apiVersion\":\"v1\","
                        "\"name\":\"ns\",\"resource\":\"namespaces\"}," LAST
                        "\"event\":{\"type\":\"create\"}}\n");
}

static void nobody_to_listen_is_no_harm(void **state)
{
    (void)state;
    AUTO(stop) struct said s;
    start(&s, DIAG_ERROR);
    kube_say(&s.w, DIAG_WARN, "m", KUBE_DO_PUT, NULL);
    assert_int_equal(s.out.n, 0);
    diag_free(s.dest.diag);
    s.dest.diag = NULL;
    kube_say(&s.w, DIAG_WARN, "m", KUBE_DO_PUT, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_the_objects_and_the_kind_of_change),
        cmocka_unit_test(a_failure_has_its_class_and_its_text),
        cmocka_unit_test(a_look_is_said_with_what_the_item_shall_change),
        cmocka_unit_test(a_line_about_the_namespace_names_it_as_the_destinations_object),
        cmocka_unit_test(nobody_to_listen_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

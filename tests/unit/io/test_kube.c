/* io/kube: paths, queries and the facts of an object. */
#include "core/buf.h"
#include "core/json.h"
#include "io/kube.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void paths_of_all_shapes_are_built(void **state)
{
    (void)state;
    const struct kube_gvr core = {.version = SLICE("v1"), .resource = SLICE("configmaps")};
    const struct kube_gvr apps = {SLICE("apps"), SLICE("v1"), SLICE("deployments")};
    const struct {
        const struct kube_gvr *r;
        const char *ns, *name, *query, *path;
    } rows[] = {
        {&core, "", "", "", "/api/v1/configmaps"},
        {&core, "ns", "a", "", "/api/v1/namespaces/ns/configmaps/a"},
        {&apps, "", "", "limit=5", "/apis/apps/v1/deployments?limit=5"},
        {&apps, "ns", "", "watch=1&a=b", "/apis/apps/v1/namespaces/ns/deployments?watch=1&a=b"},
        {&core, "", "system:x y/z?", "", "/api/v1/configmaps/system%3Ax%20y%2Fz%3F"},
        {&core, "", "\xc3\xa4", "", "/api/v1/configmaps/%C3%A4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf b = BUF_INIT(1000);
        kube_path(rows[i].r, slice_str(rows[i].ns), slice_str(rows[i].name),
                  slice_str(rows[i].query), &b);
        assert_string_equal(b.p, rows[i].path);
    }
}

static void a_query_value_keeps_only_unreserved_characters(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1000);
    kube_query_escape(SLICE("aZ0-._~ &=+/\0%"), &b);
    assert_string_equal(b.p, "aZ0-._~%20%26%3D%2B%2F%00%25");
}

static struct json_doc *parse(const char *text)
{
    struct json_doc *d = NULL;
    struct err e;
    assert_int_equal(json_parse(slice_str(text), &d, &e), RC_OK);
    return d;
}

#define assert_slice(s, text) assert_true(slice_eq((s), slice_str(text)))

static void an_object_gives_its_facts(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d = parse(
        "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":"
        "\"n\","
        "\"uid\":\"u\",\"resourceVersion\":\"7\",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
    struct kube_object o;
    struct err e;
    assert_int_equal(kube_object_read(d, &o, &e), RC_OK);
    assert_slice(o.kind, "ConfigMap");
    assert_slice(o.api_version, "v1");
    assert_slice(o.name, "a");
    assert_slice(o.ns, "n");
    assert_slice(o.uid, "u");
    assert_slice(o.resource_version, "7");
    assert_true(o.deleting);
    assert_int_equal(o.manager.n, 0);
    assert_ptr_equal(o.metadata, json_get(json_root(d), "metadata"));
}

static void the_manager_is_that_of_the_latest_entry(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d =
        parse("{\"metadata\":{\"name\":\"a\",\"deletionTimestamp\":null,\"managedFields\":["
              "{\"manager\":\"old\",\"time\":\"2026-01-01T00:00:00Z\"},"
              "{\"manager\":\"new\",\"time\":\"2026-03-01T00:00:00Z\"},"
              "{\"manager\":\"same\",\"time\":\"2026-03-01T00:00:00Z\"},"
              "{\"manager\":\"resilog\",\"time\":\"2026-03-01T00:00:00Z\"},"
              "{\"manager\":\"mid\",\"time\":\"2026-02-01T00:00:00Z\"},"
              "{\"time\":\"2027-01-01T00:00:00Z\"},{\"manager\":\"untimed\"},7]}}");
    struct kube_object o;
    struct err e;
    assert_int_equal(kube_object_read(d, &o, &e), RC_OK);
    assert_slice(o.manager, "same");
    assert_slice(o.manager_time, "2026-03-01T00:00:00Z");
    assert_false(o.deleting);
}

static void D56_what_is_no_object_is_refused(void **state)
{
    (void)state;
    const char *const rows[] = {"{}",
                                "[]",
                                "7",
                                "{\"metadata\":{}}",
                                "{\"metadata\":{\"name\":\"\"}}",
                                "{\"metadata\":{\"name\":7}}",
                                "{\"metadata\":\"x\"}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(json_freep) struct json_doc *d = parse(rows[i]);
        struct kube_object o;
        struct err e;
        assert_int_equal(kube_object_read(d, &o, &e), RC_INVALID);
        assert_string_equal(e.msg, "object without metadata.name");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_all_shapes_are_built),
        cmocka_unit_test(a_query_value_keeps_only_unreserved_characters),
        cmocka_unit_test(an_object_gives_its_facts),
        cmocka_unit_test(the_manager_is_that_of_the_latest_entry),
        cmocka_unit_test(D56_what_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Diagnostics about objects: the field names of the custom resources' documentation. */
#include "tests/unit/sinks/kube_test.h"

#include "core/event.h"
#include "sinks/kube_say.h"
#include "tests/fakes/fake_clock.h"

static void keep(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void say(struct buf *out, const char *key, const char *api_version, const char *error)
{
    struct fake_clock clock;
    fake_clock_init(&clock, 0);
    struct diag *d = diag_new(&clock.clock, DIAG_JSON, DIAG_DEBUG, keep, out);
    assert_non_null(d);
    const struct event ev = {.key = slice_str(key),
                             .api_version = slice_str(api_version),
                             .uid = SLICE("u-src"),
                             .version = SLICE("5")};
    const struct kube_said said = {.event = &ev,
                                   .uid = SLICE("u-dst"),
                                   .version = SLICE("10"),
                                   .type = "update",
                                   .error = error};
    kube_say(d, DIAG_WARN, "object updated in cluster", &said);
    diag_free(d);
}

static void a_line_names_both_objects_and_the_kind_of_change(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    say(&out, "apps/deployments/ns/web", "apps/v1", NULL);
    AUTO(json_freep) struct json_doc *d = kt_parse(out.p);
    const struct json *root = json_root(d);
    const struct json *to = json_get(root, "destinationObject");
    const struct json *from = json_get(root, "sourceObject");
    assert_true(slice_eq(json_get_text(d, root, "msg"), SLICE("object updated in cluster")));
    assert_true(slice_eq(json_get_text(d, to, "apiGroup"), SLICE("apps")));
    assert_true(slice_eq(json_get_text(d, to, "apiVersion"), SLICE("v1")));
    assert_true(slice_eq(json_get_text(d, to, "resource"), SLICE("deployments")));
    assert_true(slice_eq(json_get_text(d, to, "namespace"), SLICE("ns")));
    assert_true(slice_eq(json_get_text(d, to, "name"), SLICE("web")));
    assert_true(slice_eq(json_get_text(d, to, "uid"), SLICE("u-dst")));
    assert_true(slice_eq(json_get_text(d, to, "resourceVersion"), SLICE("10")));
    assert_true(slice_eq(json_get_text(d, from, "uid"), SLICE("u-src")));
    assert_true(slice_eq(json_get_text(d, from, "resourceVersion"), SLICE("5")));
    assert_true(slice_eq(json_get_text(d, json_get(root, "event"), "type"), SLICE("update")));
    assert_null(json_get(root, "error"));
}

static void an_error_has_its_field(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16);
    say(&out, "/configmaps/ns/a", "v1", "why not");
    AUTO(json_freep) struct json_doc *d = kt_parse(out.p);
    assert_true(slice_eq(json_get_text(d, json_root(d), "error"), SLICE("why not")));
    assert_true(slice_eq(json_get_text(d, json_get(json_root(d), "sourceObject"), "apiVersion"),
                         SLICE("v1")));
}

static void nobody_to_listen_is_no_harm(void **state)
{
    (void)state;
    const struct event ev = {.key = SLICE("not a key")};
    kube_say(NULL, DIAG_WARN, "m", &(struct kube_said){.event = &ev, .type = "create"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_both_objects_and_the_kind_of_change),
        cmocka_unit_test(an_error_has_its_field),
        cmocka_unit_test(nobody_to_listen_is_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

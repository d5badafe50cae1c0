/* cli/print_event: the members of the JSON form, the cells of the table, and that no value of a Secret gets out. */
#include "cli/print_event.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define TIME (1767323045 * 1000000000LL + 6)

enum { TEXT_MAX = 1 << 16 };

static struct event event_of(const char *key, const char *body)
{
    return (struct event){.offset = 7,
                          .epoch = 2,
                          .time_ns = TIME,
                          .incarnation = 3,
                          .op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .source = SLICE("src"),
                          .key = slice_str(key),
                          .version = SLICE("41"),
                          .uid = SLICE("u-1"),
                          .api_version = SLICE("v1"),
                          .kind = SLICE("Thing"),
                          .manager = SLICE("kubectl \"x\""),
                          .body = slice_str(body)};
}

static void print(const struct event *ev, bool show_secrets, struct buf *out)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    if (print_event_json(ev, SLICE_NULL, show_secrets, out, &e) != RC_OK)
        fail_msg("%s", e.msg);
    if (json_parse(buf_slice(out), &d, &e) != RC_OK)
        fail_msg("%s: %s", out->p, e.msg);
}

static void an_event_has_its_members_and_its_object_as_it_was_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event ev = event_of("/things/ns/a", "{ \"n\" : 1.0 }");
    print(&ev, false, &out);
    assert_string_equal(out.p,
                        "{\"offset\":7,\"time\":\"2026-01-02T03:04:05.000000006Z\",\"op\":\"put\","
                        "\"cause\":\"watch\",\"key\":\"/things/ns/a\",\"apiVersion\":\"v1\","
                        "\"kind\":\"Thing\",\"resourceVersion\":\"41\",\"uid\":\"u-1\","
                        "\"manager\":\"kubectl \\\"x\\\"\",\"source\":\"src\",\"epoch\":2,"
                        "\"incarnation\":3,\"object\":{ \"n\" : 1.0 }}");
}

static void without_a_json_body_the_object_is_null(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "not JSON", "{\"a\":", "{}{}"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
        struct event ev = event_of("/secrets/ns/a", bodies[i]);
        print(&ev, true, &out);
        assert_non_null(strstr(out.p, ",\"object\":null}"));
    }
}

#define HIDDEN "aGlkZGVu"
#define SECRET                                                                                     \
    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"annotations\":{\"keep\":\"me\","          \
    "\"kubectl.kubernetes.io/last-applied-configuration\":\"{" HIDDEN "}\"}},"                     \
    "\"data\":{\"a\":\"" HIDDEN "\",\"b\":{\"c\":\"" HIDDEN "\"}},"                                \
    "\"stringData\":{\"d\":\"" HIDDEN "\"},\"type\":\"Opaque\"}"

static void the_values_of_a_secret_are_masked(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event ev = event_of("/secrets/ns/s", SECRET);
    print(&ev, false, &out);
    assert_null(strstr(out.p, HIDDEN));
    assert_non_null(strstr(out.p, "\"data\":{\"a\":\"***\",\"b\":\"***\"}"));
    assert_non_null(strstr(out.p, "\"stringData\":{\"d\":\"***\"}"));
    assert_non_null(strstr(out.p, "\"annotations\":{\"keep\":\"me\"}"));
    assert_non_null(strstr(out.p, "\"type\":\"Opaque\"}}"));
}

static void a_deleted_secret_is_masked_as_well(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event ev = event_of("/secrets/ns/s", SECRET);
    ev.op = EVENT_DELETE;
    print(&ev, false, &out);
    assert_null(strstr(out.p, HIDDEN));
}

/* As no server writes it; but what is in a log is shown as it is, and a mask must not depend on the writer's
 * manners. */
static void a_secret_with_repeated_or_odd_members_leaks_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"data\":{\"a\":\"" HIDDEN "\"},\"data\":{}}",
        "{\"d\\u0061ta\":{\"a\":\"" HIDDEN "\"}}",
        "{\"data\":{\"a\":\"" HIDDEN "\",\"a\":\"" HIDDEN "\"}}",
        "{\"data\":\"" HIDDEN "\"}",
        "[\"" HIDDEN "\"]",
        "\"" HIDDEN "\"",
        "{\"data\":[\"" HIDDEN "\"],\"stringData\":[[\"" HIDDEN "\"]]}",
        "{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/"
        "last-applied-configuration\":\"" HIDDEN "\"}},\"metadata\":{}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
        struct event ev = event_of("/secrets/ns/s", bodies[i]);
        print(&ev, false, &out);
        if (strstr(out.p, HIDDEN))
            fail_msg("%s gives %s", bodies[i], out.p);
    }
}

static void a_secret_is_shown_to_whom_asks_for_it(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event ev = event_of("/secrets/ns/s", SECRET);
    print(&ev, true, &out);
    assert_non_null(strstr(out.p, SECRET));
}

static void what_is_only_called_secrets_elsewhere_is_not_masked(void **state)
{
    (void)state;
    static const char *const keys[] = {"vault.example/secrets/ns/s", "/configmaps/secrets/secrets",
                                       "@kind//secrets"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
        struct event ev = event_of(keys[i], SECRET);
        print(&ev, false, &out);
        assert_non_null(strstr(out.p, SECRET));
    }
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event node = event_of("/secrets/ns/s", SECRET);
    node.source_kind = SOURCE_ZOOKEEPER;
    print(&node, false, &out);
    assert_non_null(strstr(out.p, SECRET));
}

static void an_event_that_does_not_fit_is_a_limit(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    struct event ev = event_of("/things/ns/a", "{}");
    struct err e = ERR_INIT;
    assert_int_equal(print_event_json(&ev, SLICE_NULL, false, &out, &e), RC_LIMIT);
}

static void the_cells_are_five_texts_that_end_in_nul(void **state)
{
    (void)state;
    static const char *const want[] = {"2026-01-02T03:04:05.000000006Z", "7", "delete",
                                       "/things/ns/a", "kubectl \"x\""};
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct event ev = event_of("/things/ns/a", "{}");
    ev.op = EVENT_DELETE;
    print_event_cells(&ev, &out);
    const char *at = out.p;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_string_equal(at, want[i]);
        at += strlen(at) + 1;
    }
    assert_ptr_equal(at, out.p + out.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_its_members_and_its_object_as_it_was_read),
        cmocka_unit_test(without_a_json_body_the_object_is_null),
        cmocka_unit_test(the_values_of_a_secret_are_masked),
        cmocka_unit_test(a_deleted_secret_is_masked_as_well),
        cmocka_unit_test(a_secret_with_repeated_or_odd_members_leaks_nothing),
        cmocka_unit_test(a_secret_is_shown_to_whom_asks_for_it),
        cmocka_unit_test(what_is_only_called_secrets_elsewhere_is_not_masked),
        cmocka_unit_test(an_event_that_does_not_fit_is_a_limit),
        cmocka_unit_test(the_cells_are_five_texts_that_end_in_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

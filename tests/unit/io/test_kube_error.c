/* io/kube_error: the class of every answer that was measured on real servers. */
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "io/kube_error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

/* Answers as API servers 1.35.4 gave them (marked m), or as their source and documents say. */
static const struct answer {
    int code;
    const char *reason, *message;
    const char *causes; /* JSON array, NULL: none */
    enum kube_class cls;
    enum err_retry retry;
} ANSWERS[] = {
    /* m */ {404, "NotFound", "configmaps \"none\" not found", NULL, KUBE_OBJECT_MISSING,
             ERR_FINAL},
    /* m */
    {404, "NotFound", "namespaces \"nons\" not found", NULL, KUBE_NAMESPACE_MISSING, ERR_RETRY},
    /* m */
    {404, "NotFound", "the server could not find the requested resource", NULL, KUBE_KIND_MISSING,
     ERR_RETRY},
    {404, "NotFound", "mynamespaces.example.com \"a\" not found", NULL, KUBE_OBJECT_MISSING,
     ERR_FINAL},
    /* m */
    {409, "AlreadyExists", "configmaps \"im\" already exists", NULL, KUBE_EXISTS, ERR_FINAL},
    {409, "AlreadyExists", "object is being deleted: configmaps \"a\" already exists", NULL,
     KUBE_TERMINATING, ERR_RETRY},
    /* m */
    {409, "Conflict",
     "Operation cannot be fulfilled on configmaps \"im\": the object has been modified; please "
     "apply "
     "your changes to the latest version and try again",
     NULL, KUBE_CONFLICT, ERR_RETRY},
    /* m */
    {409, "Conflict",
     "Operation cannot be fulfilled on ConfigMap \"im\": the UID in the precondition (xx) does not "
     "match "
     "the UID in record (0af26a58). The object might have been deleted and then recreated",
     NULL, KUBE_CONFLICT, ERR_RETRY},
    /* m */
    {403, "Forbidden",
     "configmaps \"late\" is forbidden: unable to create new content in namespace t1 because it is "
     "being terminated",
     "[{\"reason\":\"NamespaceTerminating\",\"message\":\"namespace t1 is being terminated\"}]",
     KUBE_TERMINATING, ERR_RETRY},
    /* m */
    {403, "Forbidden",
     "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\"", NULL,
     KUBE_FORBIDDEN, ERR_RETRY},
    /* m */
    {403, "Forbidden",
     "clusterroles.rbac.authorization.k8s.io \"x\" is forbidden: user \"b\" is attempting to grant "
     "RBAC "
     "permissions not currently held",
     NULL, KUBE_FORBIDDEN, ERR_RETRY},
    {403, "Forbidden", "secrets \"b\" is forbidden: exceeded quota: q, requested: count/secrets=1",
     NULL, KUBE_QUOTA, ERR_RETRY},
    /* m */ {401, "Unauthorized", "Unauthorized", NULL, KUBE_UNAUTHORIZED, ERR_RETRY},
    {410, "Expired", "The provided continue parameter is too old", NULL, KUBE_EXPIRED, ERR_RESYNC},
    /* m */
    {410, "Expired", "too old resource version: 1514 (1523)", NULL, KUBE_EXPIRED, ERR_RESYNC},
    {500, "Expired", "too old resource version: 1 (2)", NULL, KUBE_EXPIRED, ERR_RESYNC},
    {400, "Gone", "gone", NULL, KUBE_EXPIRED, ERR_RESYNC},
    /* m */
    {400, "BadRequest",
     "invalid continue token: continue key is not valid: invalid character 'i' looking for "
     "beginning of "
     "value",
     NULL, KUBE_EXPIRED, ERR_RESYNC},
    /* m */
    {504, "Timeout", "Timeout: Too large resource version: 99999999, current: 443",
     "[{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too large resource version\"}]",
     KUBE_VERSION_AHEAD, ERR_RETRY},
    {500, "", "too large resource version: 9, current: 4", NULL, KUBE_VERSION_AHEAD, ERR_RETRY},
    /* m */
    {422, "Invalid",
     "ConfigMap \"im\" is invalid: data: Forbidden: field is immutable when `immutable` is set",
     "[{\"reason\":\"FieldValueForbidden\",\"message\":\"Forbidden: field is immutable when "
     "`immutable` "
     "is set\",\"field\":\"data\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "Service \"s\" is invalid",
     "[{\"message\":\"Invalid value: [\\\"10.0.0.77\\\"]: may not change once set\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "Deployment.apps \"d\" is invalid",
     "[{\"message\":\"Invalid value: {\\\"matchLabels\\\":{\\\"a\\\":\\\"c\\\"}}: field is "
     "immutable\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "StatefulSet.apps \"d\" is invalid",
     "[{\"message\":\"Forbidden: updates to statefulset spec for fields other than 'replicas' are "
     "forbidden\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "RoleBinding \"r\" is invalid",
     "[{\"message\":\"Invalid value: {\\\"Name\\\":\\\"edit\\\"}: cannot change roleRef\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "PersistentVolumeClaim \"p\" is invalid",
     "[{\"message\":\"Forbidden: spec is immutable after creation except resources.requests and "
     "volumeAttributesClassName for bound claims\\n@@ -1,6 +1,6 @@\"}]",
     KUBE_IMMUTABLE, ERR_FINAL},
    /* m */
    {422, "Invalid", "PriorityClass \"p\" is invalid",
     "[{\"message\":\"Forbidden: may not be changed in an update.\"}]", KUBE_IMMUTABLE, ERR_FINAL},
    /* A cause of another kind: making it anew would fail too, after the delete. */
    {422, "Invalid", "Job.batch \"j\" is invalid",
     "[{\"message\":\"Required value\"},{\"message\":\"Invalid value: null: field is immutable\"}]",
     KUBE_INVALID, ERR_FINAL},
    /* The words stand in a value, not in what the server says about it. */
    {422, "Invalid", "ConfigMap \"field is immutable\" is invalid",
     "[{\"message\":\"Invalid value: \\\"field is immutable\\\": a lowercase name is needed\"}]",
     KUBE_INVALID, ERR_FINAL},
    {422, "Invalid", "field is immutable", "[]", KUBE_INVALID, ERR_FINAL},
    /* m */
    {422, "Invalid", "StorageClass.storage.k8s.io \"s\" is invalid",
     "[{\"message\":\"Forbidden: updates to parameters are forbidden.\"}]", KUBE_IMMUTABLE,
     ERR_FINAL},
    /* m: of a Deployment that another manager wrote, in place of the whole strategy */
    {422, "Invalid", "Deployment.apps \"e\" is invalid",
     "[{\"message\":\"Forbidden: may not be specified when strategy `type` is 'Recreate'\"}]",
     KUBE_INVALID, ERR_FINAL},
    /* m: the port may be free later */
    {422, "Invalid", "Service \"b\" is invalid",
     "[{\"message\":\"Invalid value: 31234: provided port is already allocated\"}]", KUBE_INVALID,
     ERR_FINAL},
    /* m: marks that no longer fit into the annotations */
    {422, "Invalid", "ServiceAccount \"an\" is invalid",
     "[{\"message\":\"Too long: may not be more than 262144 bytes\"}]", KUBE_INVALID, ERR_FINAL},
    /* m */
    {413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", NULL,
     KUBE_TOO_LARGE, ERR_FINAL},
    {500, "", "etcdserver: request is too large", NULL, KUBE_TOO_LARGE, ERR_FINAL},
    {500, "",
     "rpc error: code = ResourceExhausted desc = trying to send message larger than max (3 vs. 2)",
     NULL, KUBE_TOO_LARGE, ERR_FINAL},
    /* m */
    {500, "InternalError",
     "Internal error occurred: failed calling webhook \"a.b.c\": failed to call webhook: Post",
     NULL, KUBE_WEBHOOK, ERR_RETRY},
    /* m: no Service behind it */
    {500, "InternalError",
     "Internal error occurred: failed calling webhook \"dead.example.com\": failed to call "
     "webhook: "
     "Post \"https://nobody.default.svc:443/?timeout=10s\": service \"nobody\" not found",
     "[{\"message\":\"failed calling webhook\"}]", KUBE_WEBHOOK, ERR_RETRY},
    {400, "", "admission webhook \"a.b.c\" denied the request: no", NULL, KUBE_WEBHOOK, ERR_RETRY},
    /* m */
    {422, "Invalid",
     "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied "
     "request: no",
     NULL, KUBE_WEBHOOK, ERR_RETRY},
    /* m */
    {405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
     NULL, KUBE_UNACCEPTABLE, ERR_FINAL},
    /* m */ {406, "NotAcceptable", "406: Not Acceptable", NULL, KUBE_UNACCEPTABLE, ERR_FINAL},
    /* m */
    {415, "UnsupportedMediaType", "415: Unsupported Media Type", NULL, KUBE_UNACCEPTABLE,
     ERR_FINAL},
    {429, "TooManyRequests", "storage is (re)initializing", NULL, KUBE_THROTTLED, ERR_RETRY},
    /* m */
    {400, "BadRequest", "the object provided is unrecognized", NULL, KUBE_INVALID, ERR_FINAL},
    /* m */
    {500, "",
     "failed to create typed patch object (ns/a; apps/v1, Kind=Deployment): .spec.x: field not "
     "declared in schema",
     NULL, KUBE_INVALID, ERR_FINAL},
    /* m */
    {500, "",
     "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): "
     ".spec.template.spec.containers[name=\"m\"].env: duplicate entries for key [name=\"A\"]",
     NULL, KUBE_INVALID, ERR_FINAL},
    /* m */
    {400, "BadRequest",
     "error decoding YAML: error converting YAML to JSON: yaml: control characters are not allowed",
     NULL, KUBE_INVALID, ERR_FINAL},
    /* m: a key of 1,500 characters */
    {400, "BadRequest",
     "error decoding YAML: error converting YAML to JSON: yaml: did not find expected ',' or '}'",
     NULL, KUBE_INVALID, ERR_FINAL},
    {500, "InternalError", "etcdserver: request timed out", NULL, KUBE_UNAVAILABLE, ERR_RETRY},
    {503, "ServiceUnavailable", "the server is currently unable to handle the request", NULL,
     KUBE_UNAVAILABLE, ERR_RETRY},
    {418, "", "a teapot", NULL, KUBE_INVALID, ERR_FINAL},
};

static void status_text(const struct answer *a, struct buf *out)
{
    buf_addf(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                  "\"Failure\",\"message\":");
    json_print_text(slice_str(a->message), out);
    buf_addf(out, ",\"reason\":\"%s\",\"details\":{\"retryAfterSeconds\":3", a->reason);
    if (a->causes)
        buf_addf(out, ",\"causes\":%s", a->causes);
    buf_addf(out, "},\"code\":%d}", a->code);
}

static void every_measured_answer_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        const struct answer *a = &ANSWERS[i];
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        struct kube_verdict whole, frame;
        status_text(a, &b);
        kube_judge(a->code, SLICE("application/json"), buf_slice(&b), -1, &whole);
        kube_judge_status(buf_slice(&b), &frame);
        if (whole.cls != a->cls)
            print_error("%d %s: %s\n", a->code, a->message, kube_class_name(whole.cls));
        assert_int_equal(whole.cls, a->cls);
        assert_int_equal(whole.retry, a->retry);
        assert_int_equal(whole.retry_after_ns, 3 * NS_PER_S);
        assert_int_equal(frame.cls, a->cls);
        assert_int_equal(frame.retry, a->retry);
    }
}

static void D61_answers_that_are_no_status_are_told_apart(void **state)
{
    (void)state;
    const struct {
        int code;
        const char *type, *body;
        enum kube_class cls;
    } rows[] = {
        {200, "application/json", "{\"kind\":\"Pod\"}", KUBE_OK},
        {201, "application/json; charset=utf-8", "{}", KUBE_OK},
        {200, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "{}",
         KUBE_OK},
        {200, "application/json", "", KUBE_OK}, /* the headers of a stream */
        {200, "application/json", "<html>", KUBE_NONSENSE},
        {200, "text/html", "<html>log in</html>", KUBE_NONSENSE},
        {200, "", "", KUBE_NONSENSE},
        {302, "text/html", "", KUBE_NONSENSE},
        {400, "", "Client sent an HTTP request to an HTTPS server.\n", KUBE_NONSENSE},
        {404, "text/plain; charset=utf-8", "404 page not found\n", KUBE_KIND_MISSING},
        {404, "text/html", "<html>404 page not found</html>", KUBE_NONSENSE},
        {404, "application/json", "{\"kind\":\"Pod\"}", KUBE_NONSENSE},
        {401, "text/html", "<html>", KUBE_UNAUTHORIZED},
        {403, "text/html", "<html>", KUBE_FORBIDDEN},
        {410, "", "", KUBE_EXPIRED},
        {413, "text/html", "<html>", KUBE_TOO_LARGE},
        {429, "text/plain", "Too many requests, please try again later.", KUBE_THROTTLED},
        {502, "text/html", "<html>bad gateway</html>", KUBE_UNAVAILABLE},
        {503, "text/plain", "service unavailable", KUBE_UNAVAILABLE},
        {409, "text/plain", "?", KUBE_NONSENSE},
        {0, "", "", KUBE_NONSENSE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kube_verdict v;
        kube_judge(rows[i].code, slice_str(rows[i].type), slice_str(rows[i].body), -1, &v);
        if (v.cls != rows[i].cls)
            print_error("row %zu: %s\n", i, kube_class_name(v.cls));
        assert_int_equal(v.cls, rows[i].cls);
        assert_null(strstr(v.message, "<html>"));
    }
}

static void the_headers_delay_wins_over_the_bodys(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(4096);
    const struct answer a = {429, "TooManyRequests", "slow", NULL, KUBE_THROTTLED, ERR_RETRY};
    struct kube_verdict v;
    status_text(&a, &b);
    kube_judge(429, SLICE("application/json"), buf_slice(&b), 9 * NS_PER_S, &v);
    assert_int_equal(v.retry_after_ns, 9 * NS_PER_S);
}

static void an_error_frame_that_is_no_status_is_nonsense(void **state)
{
    (void)state;
    const char *const rows[] = {"{}", "{\"kind\":\"Pod\"}", "[]", "{", ""};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kube_verdict v;
        kube_judge_status(slice_str(rows[i]), &v);
        assert_int_equal(v.cls, KUBE_NONSENSE);
        assert_int_equal(v.retry, ERR_RETRY);
    }
}

static void a_request_without_an_answer_keeps_its_text(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct kube_verdict v;
    err_set(&e, RC_UNAVAILABLE, ERR_RETRY, "GET https://h:1/a: cannot connect");
    kube_judge_failure(&e, &v);
    assert_int_equal(v.cls, KUBE_UNAVAILABLE);
    assert_int_equal(v.retry, ERR_RETRY);
    assert_string_equal(v.message, "GET https://h:1/a: cannot connect");
    err_set(&e, RC_LIMIT, ERR_FINAL, "too long");
    kube_judge_failure(&e, &v);
    assert_int_equal(v.cls, KUBE_TOO_LARGE);
    err_set(&e, RC_EXPIRED, ERR_RETRY, "the client certificate expired at some time");
    kube_judge_failure(&e, &v);
    assert_int_equal(v.cls, KUBE_UNAUTHORIZED);
    assert_string_equal(v.reason, "Unauthorized");
}

static void a_time_limit_is_told_from_other_failures(void **state)
{
    (void)state;
    static const int slow[] = {504, 408}, other[] = {500, 503, 413, 429};
    struct err e = ERR_INIT;
    struct kube_verdict v;
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        kube_judge(slow[i], SLICE("text/plain"), SLICE("late"), -1, &v);
        assert_true(v.too_slow && v.cls == KUBE_UNAVAILABLE);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        kube_judge(other[i], SLICE("text/plain"), SLICE("no"), -1, &v);
        assert_false(v.too_slow);
    }
    err_set(&e, RC_UNAVAILABLE, ERR_RETRY, "reset");
    kube_judge_failure(&e, &v);
    assert_false(v.too_slow);
    e.sys = ETIMEDOUT;
    kube_judge_failure(&e, &v);
    assert_true(v.too_slow);
}

static void a_verdict_becomes_an_error_object(void **state)
{
    (void)state;
    struct kube_verdict v;
    struct err e = ERR_INIT;
    kube_judge(404, SLICE("text/plain"), SLICE("404 page not found\n"), -1, &v);
    assert_int_equal(kube_verdict_err(&v, "list pods", &e), RC_NOTFOUND);
    assert_int_equal(e.retry, ERR_RETRY);
    assert_string_equal(e.msg, "list pods: HTTP 404: 404 page not found ");
    kube_judge(200, SLICE("application/json"), SLICE("{}"), -1, &v);
    struct err untouched = ERR_INIT;
    assert_int_equal(kube_verdict_err(&v, "x", &untouched), RC_OK);
    assert_int_equal(untouched.rc, RC_OK);
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[400];
    struct kube_verdict v;
    memset(text, 'a', sizeof text);
    for (size_t i = 1; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 2); /* the limit falls inside one */
    kube_judge(409, SLICE("text/plain"), slice_of(text, sizeof text), -1, &v);
    size_t n = strlen(v.message);
    assert_true(n >= sizeof v.message - 3 && n < sizeof v.message);
    assert_int_equal((unsigned char)v.message[n - 1], 0xa4);
}

static void every_class_has_a_name(void **state)
{
    (void)state;
    for (int c = KUBE_OK; c <= KUBE_NONSENSE; c++)
        assert_string_not_equal(kube_class_name((enum kube_class)c), "unknown");
    assert_string_equal(kube_class_name((enum kube_class)(KUBE_NONSENSE + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measured_answer_has_its_class),
        cmocka_unit_test(D61_answers_that_are_no_status_are_told_apart),
        cmocka_unit_test(the_headers_delay_wins_over_the_bodys),
        cmocka_unit_test(an_error_frame_that_is_no_status_is_nonsense),
        cmocka_unit_test(a_request_without_an_answer_keeps_its_text),
        cmocka_unit_test(a_time_limit_is_told_from_other_failures),
        cmocka_unit_test(a_verdict_becomes_an_error_object),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(every_class_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

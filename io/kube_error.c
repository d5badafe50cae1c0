/* What an answer means: ROWS, read from the top, the first that fits counts. Pure; reads nothing
 * but the Status object. */
#include "io/kube_error.h"

#include "core/clock.h"
#include "core/json.h"
#include "io/said.h"

#include <errno.h>
#include <stdio.h>

/* How the answer came: as a Status object, as some other text, or either. */
enum form { EITHER, STATUS, TEXT };

/* Patterns are alternatives between '|'; '^' in front: at the beginning only, '$' at the end: at
 * the end only. */
struct row {
    int code; /* 0: any; 4 and 5: all of that hundred */
    enum form form;
    const char *reason;      /* Status.reason */
    const char *cause;       /* the reason of one of the causes */
    const char *message;     /* pattern in Status.message, or in the text */
    const char *every_cause; /* pattern that each cause's message fits, there being one */
    enum kube_class cls;
    enum err_retry retry;
};

/* A field's value can stand in a cause's text, so these hold on to its ends: what is taken for
 * immutable may be deleted and made anew. */
#define IMMUTABLE                                                                                  \
    "field is immutable$|^Forbidden: field is immutable|cannot change roleRef$|may not change "    \
    "once set$|"                                                                                   \
    "^Forbidden: updates to |^Forbidden: may not be changed|^Forbidden: spec is immutable|"        \
    "is immutable after creation$|^Forbidden: pod updates may not change"
#define TOO_LARGE                                                                                  \
    "etcdserver: request is too large|message larger than max|Request entity too large"
#define BAD_APPLY                                                                                  \
    "failed to create typed|failed to create manager for existing fields|field not declared in "   \
    "schema|duplicate entries for key"
#define WEBHOOK_SAID_NO "^admission webhook |denied request: |ValidatingAdmissionPolicy '"

static const struct row ROWS[] = {
    {410, EITHER, NULL, NULL, NULL, NULL, KUBE_EXPIRED, ERR_RESYNC},
    {0, STATUS, "Expired", NULL, NULL, NULL, KUBE_EXPIRED, ERR_RESYNC},
    {0, STATUS, "Gone", NULL, NULL, NULL, KUBE_EXPIRED, ERR_RESYNC},
    {400, STATUS, NULL, NULL, "continue key is not valid|continue token", NULL, KUBE_EXPIRED,
     ERR_RESYNC},
    {0, STATUS, NULL, "ResourceVersionTooLarge", NULL, NULL, KUBE_VERSION_AHEAD, ERR_RETRY},
    {5, STATUS, NULL, NULL, "oo large resource version", NULL, KUBE_VERSION_AHEAD, ERR_RETRY},
    {429, EITHER, NULL, NULL, NULL, NULL, KUBE_THROTTLED, ERR_RETRY},
    {401, EITHER, NULL, NULL, NULL, NULL, KUBE_UNAUTHORIZED, ERR_RETRY},
    {413, EITHER, NULL, NULL, NULL, NULL, KUBE_TOO_LARGE, ERR_FINAL},
    {0, STATUS, NULL, NULL, TOO_LARGE, NULL, KUBE_TOO_LARGE, ERR_FINAL},
    {5, STATUS, NULL, NULL, "failed calling webhook", NULL, KUBE_WEBHOOK, ERR_RETRY},
    {4, STATUS, NULL, NULL, WEBHOOK_SAID_NO, NULL, KUBE_WEBHOOK, ERR_RETRY},
    {404, STATUS, NULL, NULL, "^the server could not find the requested resource", NULL,
     KUBE_KIND_MISSING, ERR_RETRY},
    {404, STATUS, NULL, NULL, "^namespaces \"", NULL, KUBE_NAMESPACE_MISSING, ERR_RETRY},
    {404, STATUS, NULL, NULL, NULL, NULL, KUBE_OBJECT_MISSING, ERR_FINAL},
    {404, TEXT, NULL, NULL, "^404 page not found", NULL, KUBE_KIND_MISSING, ERR_RETRY},
    {409, STATUS, NULL, NULL, "^object is being deleted|because it is being terminated", NULL,
     KUBE_TERMINATING, ERR_RETRY},
    {409, STATUS, "AlreadyExists", NULL, NULL, NULL, KUBE_EXISTS, ERR_FINAL},
    {409, STATUS, NULL, NULL, NULL, NULL, KUBE_CONFLICT, ERR_RETRY},
    {403, STATUS, NULL, "NamespaceTerminating", NULL, NULL, KUBE_TERMINATING, ERR_RETRY},
    {403, STATUS, NULL, NULL, "exceeded quota", NULL, KUBE_QUOTA, ERR_RETRY},
    {403, EITHER, NULL, NULL, NULL, NULL, KUBE_FORBIDDEN, ERR_RETRY},
    {422, STATUS, NULL, NULL, NULL, IMMUTABLE, KUBE_IMMUTABLE, ERR_FINAL},
    {422, STATUS, NULL, NULL, NULL, NULL, KUBE_INVALID, ERR_FINAL},
    {400, STATUS, NULL, NULL, NULL, NULL, KUBE_INVALID, ERR_FINAL},
    {405, EITHER, NULL, NULL, NULL, NULL, KUBE_UNACCEPTABLE, ERR_FINAL},
    {406, EITHER, NULL, NULL, NULL, NULL, KUBE_UNACCEPTABLE, ERR_FINAL},
    {415, EITHER, NULL, NULL, NULL, NULL, KUBE_UNACCEPTABLE, ERR_FINAL},
    {408, EITHER, NULL, NULL, NULL, NULL, KUBE_UNAVAILABLE, ERR_RETRY},
    {500, STATUS, NULL, NULL, BAD_APPLY, NULL, KUBE_INVALID,
     ERR_FINAL}, /* permanent in spite of 500 */
    {5, EITHER, NULL, NULL, NULL, NULL, KUBE_UNAVAILABLE, ERR_RETRY},
    {4, STATUS, NULL, NULL, NULL, NULL, KUBE_INVALID, ERR_FINAL},
    {0, EITHER, NULL, NULL, NULL, NULL, KUBE_NONSENSE, ERR_RETRY},
};

static const struct {
    const char *name;
    enum rc rc;
} CLASSES[] = {
    [KUBE_OK] = {"ok", RC_OK},
    [KUBE_OBJECT_MISSING] = {"object missing", RC_NOTFOUND},
    [KUBE_NAMESPACE_MISSING] = {"namespace missing", RC_NOTFOUND},
    [KUBE_KIND_MISSING] = {"kind missing", RC_NOTFOUND},
    [KUBE_EXISTS] = {"exists", RC_CONFLICT},
    [KUBE_CONFLICT] = {"conflict", RC_CONFLICT},
    [KUBE_TERMINATING] = {"terminating", RC_CONFLICT},
    [KUBE_EXPIRED] = {"expired", RC_EXPIRED},
    [KUBE_VERSION_AHEAD] = {"version ahead", RC_UNAVAILABLE},
    [KUBE_UNAUTHORIZED] = {"unauthorized", RC_DENIED},
    [KUBE_FORBIDDEN] = {"forbidden", RC_DENIED},
    [KUBE_QUOTA] = {"quota", RC_LIMIT},
    [KUBE_INVALID] = {"invalid", RC_INVALID},
    [KUBE_IMMUTABLE] = {"immutable", RC_INVALID},
    [KUBE_TOO_LARGE] = {"too large", RC_LIMIT},
    [KUBE_WEBHOOK] = {"webhook", RC_DENIED},
    [KUBE_UNACCEPTABLE] = {"unacceptable", RC_UNSUPPORTED},
    [KUBE_THROTTLED] = {"throttled", RC_UNAVAILABLE},
    [KUBE_UNAVAILABLE] = {"unavailable", RC_UNAVAILABLE},
    [KUBE_NONSENSE] = {"nonsense", RC_CORRUPT},
};

/* An answer taken apart. */
struct facts {
    int code;
    bool status;
    struct slice reason, message;
    struct json_doc *doc;
    struct json *causes; /* NULL: none */
    int64_t retry_after_ns;
};

/* ---- matching ---- */

static bool fits_one(struct slice pattern, struct slice text)
{
    bool front = pattern.n && pattern.p[0] == '^', end = slice_ends(pattern, SLICE("$"));
    struct slice word = slice_of(pattern.p + front, pattern.n - front - end);
    if (front)
        return slice_starts(text, word);
    if (end)
        return slice_ends(text, word);
    return text.n && memmem(text.p, text.n, word.p, word.n);
}

static bool fits(const char *pattern, struct slice text)
{
    struct slice rest = slice_str(pattern);
    while (rest.n)
        if (fits_one(slice_cut(rest, '|', &rest), text))
            return true;
    return false;
}

static bool has_cause(const struct facts *f, const char *reason)
{
    for (struct json *n = f->causes ? f->causes->first : NULL; n; n = n->next)
        if (slice_eq(json_get_text(f->doc, n, "reason"), slice_str(reason)))
            return true;
    return false;
}

static bool every_cause_fits(const struct facts *f, const char *pattern)
{
    for (struct json *n = f->causes ? f->causes->first : NULL; n; n = n->next)
        if (!fits(pattern, json_get_text(f->doc, n, "message")))
            return false;
    return f->causes && f->causes->first;
}

static bool row_fits(const struct row *r, const struct facts *f)
{
    return (!r->code || r->code == f->code || r->code == f->code / 100) &&
           (r->form == EITHER || (r->form == STATUS) == f->status) &&
           (!r->reason || slice_eq(slice_str(r->reason), f->reason)) &&
           (!r->cause || has_cause(f, r->cause)) && (!r->message || fits(r->message, f->message)) &&
           (!r->every_cause || every_cause_fits(f, r->every_cause));
}

/* ---- verdicts ---- */

static void decide(const struct facts *f, struct kube_verdict *ret)
{
    const struct row *r = ROWS;
    while (!row_fits(r, f)) /* the last row fits all */
        r++;
    *ret = (struct kube_verdict){
        .cls = r->cls,
        .retry = r->retry,
        .retry_after_ns = f->retry_after_ns,
        .too_slow = f->code == 504 || f->code == 408,
    };
    if (f->reason.n)
        said_copy(ret->reason, sizeof ret->reason, f->reason);
    else
        snprintf(ret->reason, sizeof ret->reason, "HTTP %d", f->code);
    said_copy(ret->message, sizeof ret->message, f->message);
}

/* True if text is a Status object; f's slices live in f->doc then. */
static bool read_status(struct slice text, struct facts *f)
{
    struct err why;
    if (json_parse_view(text, &f->doc, &why) != RC_OK)
        return false;
    struct json *root = json_root(f->doc), *details = json_get(root, "details");
    if (!slice_eq(json_get_text(f->doc, root, "kind"), SLICE("Status")))
        return false;
    struct json *causes = json_get(details, "causes");
    int64_t n;
    f->status = true;
    f->reason = json_get_text(f->doc, root, "reason");
    f->message = json_get_text(f->doc, root, "message");
    f->causes = json_is(causes, JSON_ARRAY) ? causes : NULL;
    if (!f->code && json_int(json_get(root, "code"), &n) && n > 0 && n < 1000)
        f->code = (int)n;
    if (f->retry_after_ns < 0 && json_int(json_get(details, "retryAfterSeconds"), &n) && n > 0)
        f->retry_after_ns = (n < 86400 ? n : 86400) * NS_PER_S;
    return true;
}

static bool is_json_type(struct slice type)
{
    struct slice rest;
    return slice_eq(slice_cut(type, ';', &rest), SLICE("application/json"));
}

static void set_ok(struct kube_verdict *ret, int64_t retry_after_ns)
{
    *ret =
        (struct kube_verdict){.cls = KUBE_OK, .retry = ERR_FINAL, .retry_after_ns = retry_after_ns};
}

void kube_judge(int status, struct slice content_type, struct slice body, int64_t retry_after_ns,
                struct kube_verdict *ret)
{
    char what[96];
    if (status / 100 == 2 && is_json_type(content_type) && (!body.n || body.p[0] == '{')) {
        set_ok(ret, retry_after_ns);
        return;
    }
    struct facts f = {.code = status, .retry_after_ns = retry_after_ns};
    if (status / 100 == 2 || !read_status(body, &f)) {
        bool plain = slice_starts(content_type, SLICE("text/plain")) || !content_type.n;
        snprintf(what, sizeof what, "%zu bytes of %.*s", body.n,
                 content_type.n < 64 ? (int)content_type.n : 64,
                 content_type.n ? content_type.p : "");
        f.message = plain && body.n ? body : slice_str(what);
    }
    decide(&f, ret);
    json_free(f.doc);
}

void kube_judge_status(struct slice status_object, struct kube_verdict *ret)
{
    struct facts f = {.retry_after_ns = -1};
    if (!read_status(status_object, &f))
        f.message = SLICE("an ERROR frame without a Status object");
    decide(&f, ret);
    json_free(f.doc);
}

void kube_judge_failure(const struct err *failure, struct kube_verdict *ret)
{
    bool expired = failure->rc == RC_EXPIRED;
    *ret = (struct kube_verdict){
        .cls = expired                   ? KUBE_UNAUTHORIZED
               : failure->rc == RC_LIMIT ? KUBE_TOO_LARGE
                                         : KUBE_UNAVAILABLE,
        .retry = failure->retry,
        .retry_after_ns = -1,
        .too_slow = failure->sys == ETIMEDOUT,
    };
    said_copy(ret->reason, sizeof ret->reason,
              expired ? SLICE("Unauthorized") : SLICE("no answer"));
    said_copy(ret->message, sizeof ret->message, slice_str(failure->msg));
}

const char *kube_class_name(enum kube_class cls)
{
    return (size_t)cls < sizeof CLASSES / sizeof *CLASSES ? CLASSES[cls].name : "unknown";
}

enum rc kube_verdict_err(const struct kube_verdict *v, const char *what, struct err *e)
{
    if (v->cls == KUBE_OK)
        return RC_OK;
    return err_set(e, CLASSES[v->cls].rc, v->retry, "%s: %s: %s", what, v->reason, v->message);
}

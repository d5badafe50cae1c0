/* Which cluster answers. One namespace is asked at a time: kube-system, then those that may stand in for it. */
#include "io/kube_identity.h"

#include "core/json.h"
#include "io/kube.h"
#include "io/kube_error.h"

#include <stdio.h>

#define KUBE_SYSTEM     SLICE("kube-system")
#define DEFAULT         SLICE("default")
#define BY_CA           SLICE("ca-sha256:")
#define PEM_BEGIN       "-----BEGIN CERTIFICATE-----"
#define PEM_END         "-----END CERTIFICATE-----"
#define DER_MAX         (64u << 10)
#define SERVER_SAID_MAX 110
#define NS_NAME_MAX     253
#define NS_PATH_MAX     (3 * NS_NAME_MAX + 64) /* percent-encoded */

/* ---- Life ---- */

/* Leaves the fingerprint empty where there is no certificate to be read. */
static enum rc take_fingerprint(struct kube_identity *i, const char *pem, struct err *e)
{
    AUTO(buf_done) struct buf der = BUF_INIT(DER_MAX);
    struct err why = ERR_INIT;
    uint8_t digest[SHA256_SIZE];
    const char *begin = pem ? strstr(pem, PEM_BEGIN) : NULL;
    const char *text = begin ? begin + strlen(PEM_BEGIN) : NULL;
    const char *end = text ? strstr(text, PEM_END) : NULL;
    if (!end)
        return RC_OK;
    enum rc rc = base64_decode(slice_of(text, (size_t)(end - text)), &der, &why);
    if (rc < 0)
        return rc == RC_NOMEM ? err_nomem(e) : RC_OK;
    sha256(buf_slice(&der), SLICE_NULL, digest);
    hex_encode(digest, sizeof digest, i->fingerprint);
    return RC_OK;
}

static void add_place(struct kube_identity *i, struct slice ns)
{
    for (size_t n = 0; n < i->n_places; n++)
        if (slice_eq(i->places[n], ns))
            return;
    if (ns.n > 0)
        i->places[i->n_places++] = ns;
}

enum rc kube_identity_init(struct kube_identity *i, const char *ca_pem, const char *ns,
                           struct err *e)
{
    *i = (struct kube_identity){.known = BUF_INIT(KUBE_IDENTITY_MAX),
                                .found = BUF_INIT(KUBE_IDENTITY_MAX),
                                .context_ns = BUF_INIT(NS_NAME_MAX)};
    buf_add_slice(&i->context_ns, slice_str(ns));
    enum rc rc = buf_check(&i->context_ns, "the context's namespace", e);
    if (rc == RC_OK)
        rc = take_fingerprint(i, ca_pem, e);
    add_place(i, KUBE_SYSTEM);
    if (i->fingerprint[0]) {
        add_place(i, DEFAULT);
        add_place(i, buf_slice(&i->context_ns));
    }
    return rc;
}

void kube_identity_done(struct kube_identity *i)
{
    buf_done(&i->known);
    buf_done(&i->found);
    buf_done(&i->context_ns);
}

/* ---- The two kinds ---- */

bool kube_identity_is_by_ca(struct slice identity)
{
    return slice_starts(identity, BY_CA);
}

static struct slice place_of(struct slice identity)
{
    struct slice rest;
    if (!kube_identity_is_by_ca(identity))
        return KUBE_SYSTEM;
    (void)slice_cut(identity, '/', &rest);
    return slice_cut(rest, '/', &rest);
}

enum rc kube_identity_expect(struct kube_identity *i, struct slice identity, struct err *e)
{
    buf_reset(&i->known);
    buf_add_slice(&i->known, identity);
    enum rc rc = buf_check(&i->known, "the identity of a cluster", e);
    if (rc < 0)
        return rc;
    i->places[0] = place_of(buf_slice(&i->known));
    i->n_places = 1;
    return RC_OK;
}

/* True if what is asked now gives an identity of the second kind. */
static bool by_ca(const struct kube_identity *i)
{
    return i->known.n > 0 ? kube_identity_is_by_ca(buf_slice(&i->known)) : i->at > 0;
}

static enum rc read_found(struct kube_identity *i, struct slice body, struct err *why)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_object o;
    struct slice place = i->places[i->at];
    enum rc rc = json_parse_view(body, &d, why);
    if (rc == RC_OK)
        rc = kube_object_read(d, &o, why);
    if (rc != RC_OK)
        return rc;
    if (o.uid.n == 0)
        return err_set(why, RC_INVALID, ERR_RETRY, "the namespace %.*s has no uid",
                       SLICE_ARG(place));
    if (by_ca(i) && !i->fingerprint[0])
        return err_set(why, RC_INVALID, ERR_RETRY,
                       "the cluster is known by its CA certificate, and the kubeconfig "
                       "names none now");
    buf_reset(&i->found);
    if (by_ca(i))
        buf_addf(&i->found, "ca-sha256:%s/%.*s/", i->fingerprint, SLICE_ARG(place));
    buf_add_slice(&i->found, o.uid);
    return buf_check(&i->found, "the identity of a cluster", why);
}

/* ---- Asking ---- */

static enum rc ask_place(struct kube_identity *i, size_t at, struct http *h, struct err *e)
{
    static const struct kube_gvr namespaces = {.version = SLICE("v1"),
                                               .resource = SLICE("namespaces")};
    AUTO(buf_done) struct buf path = BUF_INIT(NS_PATH_MAX);
    kube_path(&namespaces, SLICE_NULL, i->places[at], SLICE_NULL, &path);
    enum rc rc = buf_check(&path, "path", e);
    if (rc < 0)
        return rc;
    const struct http_request r = {
        .method = HTTP_GET, .path = buf_slice(&path), .body_max = KUBE_BODY_MAX};
    i->at = at;
    return http_start(h, &r, &i->asking, e);
}

enum rc kube_identity_ask(struct kube_identity *i, struct http *h, struct err *e)
{
    i->confirming = false;
    return ask_place(i, 0, h, e);
}

static bool is_refused(enum kube_class cls)
{
    return cls == KUBE_FORBIDDEN || cls == KUBE_NAMESPACE_MISSING || cls == KUBE_OBJECT_MISSING;
}

/* No namespace is left to ask: the verdict says what to do. */
static void explain(const struct kube_identity *i, struct kube_verdict *v)
{
    const char *hint =
        i->known.n > 0 ? "the cluster is known by this namespace: allow 'get' on it again"
        : i->fingerprint[0]
            ? "no namespace that tells which cluster it is may be read: allow 'get' on kube-system"
            : "without a CA certificate in the kubeconfig only this namespace tells which cluster "
              "it "
              "is: allow 'get' on it";
    size_t n = strnlen(v->message, SERVER_SAID_MAX);
    snprintf(v->message + n, sizeof v->message - n, "; %s", hint);
}

/* An answer that is refused: the next namespace, or what was found before. */
static enum rc refused(struct kube_identity *i, struct http *h, struct kube_verdict *v,
                       struct err *e)
{
    if (i->confirming) {
        v->cls = KUBE_OK;
        return RC_OK;
    }
    if (i->at + 1 < i->n_places) {
        enum rc rc = ask_place(i, i->at + 1, h, e);
        return rc < 0 ? rc : RC_AGAIN;
    }
    explain(i, v);
    return RC_OK;
}

static enum rc readable(struct kube_identity *i, struct http *h, struct slice body,
                        struct kube_verdict *v, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = read_found(i, body, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK) {
        *v = (struct kube_verdict){.cls = KUBE_NONSENSE, .retry = ERR_RETRY, .retry_after_ns = -1};
        snprintf(v->reason, sizeof v->reason, "unexpected answer");
        snprintf(v->message, sizeof v->message, "%.300s", why.msg);
        return RC_OK;
    }
    if (i->known.n > 0 || i->at == 0)
        return RC_OK;
    i->confirming = true;
    rc = ask_place(i, 0, h, e);
    return rc < 0 ? rc : RC_AGAIN;
}

enum rc kube_identity_answer(struct kube_identity *i, struct http *h, const struct http_event *ev,
                             struct kube_verdict *ret, struct err *e)
{
    i->asking = 0;
    if (ev->err.rc < 0)
        kube_judge_failure(&ev->err, ret);
    else
        kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, ret);
    if (ret->cls == KUBE_OK)
        return readable(i, h, ev->data, ret, e);
    return is_refused(ret->cls) ? refused(i, h, ret, e) : RC_OK;
}

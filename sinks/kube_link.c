/* The destination's identity: the uid of its namespace kube-system.
 *
 * Keeps the uid for its life: once known, a different one is fatal. Denials are asked again rarely, all else with
 * back-off. */
#include "sinks/kube_link.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/json.h"
#include "io/kube.h"
#include "io/kube_error.h"

#include <stdio.h>

#define IDENTITY_PATH SLICE("/api/v1/namespaces/kube-system")
#define FIRST_NS      (500 * NS_PER_MS)
#define MOST_NS       (30 * NS_PER_S)
#define DENIED_NS     (30 * NS_PER_S)
#define UID_MAX       256

void kube_link_init(struct kube_link *l, struct slice source)
{
    *l = (struct kube_link){.source = source,
                            .uid = BUF_INIT(UID_MAX),
                            .backoff = {.first_ns = FIRST_NS, .max_ns = MOST_NS}};
    snprintf(l->error, sizeof l->error, "not asked yet");
}

void kube_link_done(struct kube_link *l)
{
    buf_done(&l->uid);
}

enum rc kube_link_step(struct kube_link *l, struct http *h, int64_t now, int64_t *ret_wake_ns,
                       struct err *e)
{
    const struct http_request r = {.method = HTTP_GET, .path = IDENTITY_PATH};
    *ret_wake_ns = INT64_MAX;
    if (l->up || l->fatal || l->asking)
        return RC_AGAIN;
    if (now < l->not_before) {
        *ret_wake_ns = l->not_before;
        return RC_AGAIN;
    }
    return http_start(h, &r, &l->asking, e);
}

static void down(struct kube_link *l, const struct kube_verdict *v, const struct env *env)
{
    bool denied = v->cls == KUBE_UNAUTHORIZED || v->cls == KUBE_FORBIDDEN;
    int64_t wait = denied ? DENIED_NS : backoff_next_ns(&l->backoff, env->rng);
    if (wait < v->retry_after_ns)
        wait = v->retry_after_ns;
    l->up = false;
    l->not_before = clock_boot_ns(env->clock) + wait;
    snprintf(l->error, sizeof l->error, "%.60s: %.240s", v->reason, v->message);
    DIAG(env->diag, DIAG_WARN, "error getting namespace from cluster",
         DIAG_S("destinationObject.name", SLICE("kube-system")),
         DIAG_S("error", slice_str(l->error)));
}

static void fail(struct kube_link *l, const struct env *env, const char *why)
{
    l->fatal = true;
    snprintf(l->error, sizeof l->error, "%s", why);
    DIAG(env->diag, DIAG_ERROR, l->error, DIAG_S("destinationCluster.uid", buf_slice(&l->uid)));
}

static enum rc learn(struct kube_link *l, struct slice uid, const struct env *env, struct err *e)
{
    if (slice_eq(uid, l->source)) {
        fail(l, env, "source and destination are the same cluster");
        return RC_OK;
    }
    if (l->uid.n > 0 && !slice_eq(uid, buf_slice(&l->uid))) {
        fail(l, env, "the destination is another cluster than before");
        return RC_OK;
    }
    buf_reset(&l->uid);
    buf_add_slice(&l->uid, uid);
    enum rc rc = buf_check(&l->uid, "the destination's identity", e);
    if (rc != RC_OK)
        return rc;
    l->up = true;
    l->error[0] = '\0';
    backoff_reset(&l->backoff);
    return RC_OK;
}

static enum rc read_identity(struct kube_link *l, const struct http_event *ev,
                             const struct env *env, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_object object;
    enum rc rc = json_parse_view(ev->data, &d, e);
    if (rc == RC_OK)
        rc = kube_object_read(d, &object, e);
    if (rc == RC_OK && object.uid.n == 0)
        rc = err_set(e, RC_INVALID, ERR_RETRY, "namespace kube-system without a uid");
    return rc == RC_OK ? learn(l, object.uid, env, e) : rc;
}

enum rc kube_link_answer(struct kube_link *l, const struct http_event *ev, const struct env *env,
                         struct err *e)
{
    struct kube_verdict v;
    struct err why = ERR_INIT;
    l->asking = 0;
    if (ev->err.rc == RC_OK)
        kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, &v);
    else
        kube_judge_failure(&ev->err, &v);
    if (v.cls == KUBE_OK) {
        enum rc rc = read_identity(l, ev, env, &why);
        if (rc == RC_OK)
            return RC_OK;
        if (rc == RC_NOMEM)
            return err_nomem(e);
        v = (struct kube_verdict){.cls = KUBE_NONSENSE, .retry_after_ns = -1};
        snprintf(v.reason, sizeof v.reason, "the answer is no API server's");
        snprintf(v.message, sizeof v.message, "%.300s", why.msg);
    }
    down(l, &v, env);
    return RC_OK;
}

void kube_link_lost(struct kube_link *l, const struct kube_verdict *v, const struct env *env)
{
    if (l->up)
        down(l, v, env);
}

void kube_link_doubt(struct kube_link *l)
{
    if (!l->up)
        return;
    l->up = false;
    l->not_before = 0;
    snprintf(l->error, sizeof l->error, "it answers badly, and is asked again who it is");
}

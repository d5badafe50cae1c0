/* The destination's identity (io/kube_identity.h).
 *
 * Keeps it for its life: once known, a different one is fatal. Denials are asked again rarely, all else with
 * back-off. */
#include "sinks/kube_link.h"

#include "core/clock.h"
#include "core/diag_object.h"
#include "core/env.h"
#include "core/event.h"
#include "io/kube_error.h"

#include <stdio.h>

#define FIRST_NS  (500 * NS_PER_MS)
#define MOST_NS   (30 * NS_PER_S)
#define DENIED_NS (30 * NS_PER_S)

enum rc kube_link_init(struct kube_link *l, struct slice source, const char *ca_pem, const char *ns,
                       struct err *e)
{
    *l = (struct kube_link){.source = source, .backoff = {.first_ns = FIRST_NS, .max_ns = MOST_NS}};
    snprintf(l->error, sizeof l->error, "not asked yet");
    return kube_identity_init(&l->who, ca_pem, ns, e);
}

void kube_link_done(struct kube_link *l)
{
    kube_identity_done(&l->who);
}

/* error: NULL: none. */
static void say(const struct kube_link *l, const struct env *env, enum diag_level level,
                const char *msg, const char *error)
{
    char key[KUBE_IDENTITY_MAX];
    struct slice place = l->who.places[l->who.at];
    snprintf(key, sizeof key, "/namespaces//%.*s", SLICE_ARG(place));
    const struct event ns = {.key = slice_str(key), .api_version = SLICE("v1")};
    diag_say_object(env->diag, level, msg, &(struct diag_object){.copy = &ns, .error = error});
}

enum rc kube_link_step(struct kube_link *l, struct http *h, const struct env *env,
                       int64_t *ret_wake_ns, struct err *e)
{
    *ret_wake_ns = INT64_MAX;
    if (l->up || l->fatal || l->who.asking)
        return RC_AGAIN;
    if (clock_boot_ns(env->clock) < l->not_before) {
        *ret_wake_ns = l->not_before;
        return RC_AGAIN;
    }
    enum rc rc = kube_identity_ask(&l->who, h, e);
    if (rc == RC_OK)
        say(l, env, DIAG_DEBUG, "reading namespace from cluster", NULL);
    return rc;
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
    say(l, env, DIAG_WARN, "error getting namespace from cluster", l->error);
}

static void fail(struct kube_link *l, const struct env *env, const char *why)
{
    l->fatal = true;
    snprintf(l->error, sizeof l->error, "%s", why);
    DIAG(env->diag, DIAG_ERROR, l->error, DIAG_S("identity", buf_slice(&l->who.known)));
}

/* Once in its life, for a restart finds out anew in which manner the cluster can be known. */
static void say_by_ca(const struct kube_link *l, const struct env *env)
{
    if (!l->met && kube_identity_is_by_ca(buf_slice(&l->who.found)))
        DIAG(env->diag, DIAG_WARN,
             "the destination's namespace kube-system cannot be read: its CA certificate and "
             "another namespace tell which cluster it is; marks that were made while kube-system "
             "could be read do not count, and these will not when it can be read",
             DIAG_S("identity", buf_slice(&l->who.found)));
}

static enum rc learn(struct kube_link *l, const struct env *env, struct err *e)
{
    struct slice found = buf_slice(&l->who.found), known = buf_slice(&l->who.known);
    if (slice_eq(found, l->source)) {
        fail(l, env, "source and destination are the same cluster");
        return RC_OK;
    }
    if (l->met && !slice_eq(found, known)) {
        fail(l, env, "the destination is another cluster than before");
        return RC_OK;
    }
    say_by_ca(l, env);
    enum rc rc = kube_identity_expect(&l->who, found, e);
    if (rc != RC_OK)
        return rc;
    l->met = true;
    l->up = true;
    l->error[0] = '\0';
    say(l, env, DIAG_DEBUG, "namespace read from cluster", NULL);
    backoff_reset(&l->backoff);
    return RC_OK;
}

bool kube_link_asked(const struct kube_link *l, const struct http_event *ev)
{
    return l->who.asking != 0 && l->who.asking == ev->id;
}

enum rc kube_link_answer(struct kube_link *l, struct http *h, const struct http_event *ev,
                         const struct env *env, struct err *e)
{
    struct kube_verdict v;
    enum rc rc = kube_identity_answer(&l->who, h, ev, &v, e);
    if (rc != RC_OK)
        return rc < 0 ? rc : RC_OK;
    if (v.cls == KUBE_OK)
        return learn(l, env, e);
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

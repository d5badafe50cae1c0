/* The Kubernetes producer: identity, then discovery, then one state machine for each scope.
 *
 * Nothing is listed before the source's identity (io/kube_identity.h) is known, so that every event
 * carries it. Discovery is asked again when a CustomResourceDefinition
 * changes, when a wanted resource is missing, after failures, and now and then. One thread. */
#include "producers/producer.h"

#include "core/backoff.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag_object.h"
#include "core/env.h"
#include "core/event.h"
#include "core/json.h"
#include "core/key.h"
#include "io/http.h"
#include "io/kube.h"
#include "io/kube_discovery.h"
#include "io/kube_error.h"
#include "io/kube_identity.h"
#include "producers/producer_queue.h"
#include "producers/kube_scope.h"

#include <stdio.h>
#include <stdlib.h>

#define HTTP_EVENTS_A_STEP 256
#define RETRY_FIRST_NS     (500 * NS_PER_MS)
#define RETRY_MAX_NS       (30 * NS_PER_S)
#define MISSING_AGAIN_NS   (30 * NS_PER_S)
#define KINDS_AGAIN_NS     (600 * NS_PER_S) /* not all that is served has a CRD that changes */
#define KINDS_SETTLE_NS    NS_PER_S /* a new kind is served a moment after its CRD changed */

enum stage { ASK_IDENTITY, WAIT_IDENTITY, ASK_KINDS, WAIT_KINDS, RUNNING };

struct kube_producer {
    struct producer producer;
    struct http *http;
    struct env env;
    struct kube_scope_world world;
    struct producer_queue *queue;
    struct kube_discovery *discovery;
    enum stage stage;
    bool ever_discovered;
    uint64_t rounds; /* answers of discovery */
    struct kube_identity who;
    struct backoff backoff;
    uint64_t asked_at; /* world.lost when the source was last asked who it is */
    struct backoff verify_backoff;
    int64_t verify_due_ns; /* of the next try to ask again who the source is */
    bool held;             /* the sockets are left unread */
    int64_t due_ns;        /* of the next try of the present stage */
    int64_t kinds_due_ns;  /* RUNNING: when to ask discovery again */
    char error[320];       /* of identity and discovery */
    struct kube_scope **scopes;
    size_t n_scopes, cap_scopes;
};

static struct kube_producer *downcast(struct producer *p)
{
    return (struct kube_producer *)p; /* the embedded interface is the first member */
}

static int64_t now_ns(const struct kube_producer *k)
{
    return clock_boot_ns(k->env.clock);
}

/* ---- Trouble before anything can be listed ---- */

/* error: NULL: none. */
static void say_identity(const struct kube_producer *k, enum diag_level level, const char *msg,
                         const char *error)
{
    char key[KUBE_IDENTITY_MAX];
    struct slice place = k->who.places[k->who.at];
    snprintf(key, sizeof key, "/namespaces//%.*s", SLICE_ARG(place));
    const struct event ns = {.key = slice_str(key), .api_version = SLICE("v1")};
    diag_say_object(k->env.diag, level, msg, &(struct diag_object){.event = &ns, .error = error});
}

static void identity_trouble(struct kube_producer *k, const struct err *why)
{
    snprintf(k->error, sizeof k->error, "identity of the source: %.260s", why->msg);
    say_identity(k, DIAG_WARN, "error getting namespace from cluster", k->error);
}

static void discovery_trouble(struct kube_producer *k, const struct err *why)
{
    snprintf(k->error, sizeof k->error, "discovery: %.260s", why->msg);
    DIAG(k->env.diag, DIAG_WARN, "error reading server groups and resources",
         DIAG_S("error", slice_str(k->error)));
}

static void try_later(struct kube_producer *k, enum stage stage)
{
    k->stage = stage;
    k->due_ns = now_ns(k) + backoff_next_ns(&k->backoff, k->env.rng);
}

/* ---- Identity ---- */

static enum rc queue_identity(struct kube_producer *k, const char *reason, struct err *e)
{
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    buf_add_str(&body, "{\"identity\":");
    json_print_text(buf_slice(&k->who.known), &body);
    buf_addf(&body, ",\"reason\":\"%s\"}", reason);
    enum rc rc = buf_check(&body, "identity", e);
    if (rc < 0)
        return rc;
    struct event ev = {.op = EVENT_EPOCH,
                       .cause = CAUSE_SELF,
                       .source_kind = SOURCE_KUBERNETES,
                       .wall_ns = clock_wall_ns(k->env.clock),
                       .key = SLICE("@epoch/source"),
                       .body = buf_slice(&body)};
    return producer_queue_add(k->queue, k, &ev, e);
}

static enum rc ask_identity(struct kube_producer *k, struct err *e)
{
    enum rc rc = kube_identity_ask(&k->who, k->http, e);
    k->asked_at = k->world.lost;
    if (rc == RC_OK)
        say_identity(k, DIAG_DEBUG, "reading namespace from cluster", NULL);
    if (rc == RC_OK && k->stage == ASK_IDENTITY)
        k->stage = WAIT_IDENTITY;
    return rc;
}

static void say_by_ca(struct kube_producer *k)
{
    if (kube_identity_is_by_ca(buf_slice(&k->who.found)))
        DIAG(k->env.diag, DIAG_INFO,
             "the source's namespace kube-system cannot be read: its CA certificate and another "
             "namespace tell which cluster it is",
             DIAG_S("identity", buf_slice(&k->who.found)));
}

/* The first answer begins everything. A later one lets the scopes go on, unless it is another's: then
 * nothing more is asked, and the new identity is all that is said (ingest refuses it). */
static enum rc note_identity(struct kube_producer *k, struct err *e)
{
    bool first = k->stage == WAIT_IDENTITY;
    bool same = !first && slice_eq(buf_slice(&k->who.found), buf_slice(&k->who.known));
    enum rc rc = kube_identity_expect(&k->who, buf_slice(&k->who.found), e);
    if (rc < 0)
        return rc;
    say_identity(k, DIAG_DEBUG, "namespace read from cluster", NULL);
    k->error[0] = '\0';
    if (first) {
        say_by_ca(k);
        backoff_reset(&k->backoff);
        k->stage = ASK_KINDS;
        k->due_ns = 0;
    }
    backoff_reset(&k->verify_backoff);
    k->verify_due_ns = first || same ? 0 : INT64_MAX;
    if (first || same)
        k->world.verified = k->asked_at;
    return same ? RC_OK : queue_identity(k, "start", e);
}

static enum rc identity_answered(struct kube_producer *k, const struct http_event *ev,
                                 struct err *e)
{
    struct kube_verdict v;
    struct err why = ERR_INIT;
    enum rc rc = kube_identity_answer(&k->who, k->http, ev, &v, e);
    if (rc < 0 && k->stage == WAIT_IDENTITY)
        k->stage = ASK_IDENTITY;
    if (rc != RC_OK)
        return rc < 0 ? rc : RC_OK;
    if (v.cls == KUBE_OK)
        return note_identity(k, e);
    (void)kube_verdict_err(&v, "GET namespace", &why);
    identity_trouble(k, &why);
    if (k->stage == WAIT_IDENTITY) {
        try_later(k, ASK_IDENTITY);
        return RC_OK;
    }
    k->verify_due_ns = now_ns(k) + backoff_next_ns(&k->verify_backoff, k->env.rng);
    return RC_OK;
}

/* ---- Discovery ---- */

static enum rc ask_kinds(struct kube_producer *k, struct err *e)
{
    enum rc rc = kube_discovery_start(k->discovery, e);
    if (rc == RC_OK) {
        k->stage = WAIT_KINDS;
        diag_say(k->env.diag, DIAG_DEBUG, "reading server groups and resources", NULL, 0);
    }
    k->world.kinds_changed = false;
    return rc;
}

static enum rc tell_scope(struct kube_producer *k, struct kube_scope *s, struct err *e)
{
    struct slice group, version, resource;
    kube_scope_resource(s, &group, &version, &resource);
    const struct kube_resource *r = kube_discovery_find(k->discovery, group, version, resource);
    bool unreachable = kube_discovery_unreachable(k->discovery, group, version);
    return kube_scope_found(s, r, unreachable, e);
}

static bool any_missing(const struct kube_producer *k)
{
    struct producer_status status;
    for (size_t i = 0; i < k->n_scopes; i++) {
        kube_scope_status(k->scopes[i], &status);
        if (status.phase == PRODUCER_MISSING ||
            (status.phase == PRODUCER_CONNECTING && status.error[0]))
            return true;
    }
    return false;
}

static enum rc kinds_answered(struct kube_producer *k, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = kube_discovery_state(k->discovery, &why);
    if (rc == RC_AGAIN)
        return RC_AGAIN;
    if (rc < 0) {
        discovery_trouble(k, &why);
        try_later(k, k->ever_discovered ? RUNNING : ASK_KINDS);
        k->kinds_due_ns = k->due_ns;
        return RC_OK;
    }
    DIAG(k->env.diag, DIAG_DEBUG, "server group and resources read from cluster",
         DIAG_N("scopes", k->n_scopes));
    k->error[0] = '\0';
    backoff_reset(&k->backoff);
    k->ever_discovered = true;
    k->rounds++;
    k->stage = RUNNING;
    for (size_t i = 0; i < k->n_scopes; i++) {
        rc = tell_scope(k, k->scopes[i], e);
        if (rc < 0)
            return rc;
    }
    bool all = kube_discovery_is_whole(k->discovery) && !any_missing(k);
    k->kinds_due_ns = now_ns(k) + (all ? KINDS_AGAIN_NS : MISSING_AGAIN_NS);
    return RC_OK;
}

/* ---- Step ---- */

static enum rc restart_all(struct kube_producer *k, struct err *e)
{
    DIAG(k->env.diag, DIAG_WARN,
         "the source's resourceVersions went backwards (restored from a backup?): all is listed "
         "anew",
         DIAG_S("identity", buf_slice(&k->who.known)));
    k->world.regressed = false;
    for (size_t i = 0; i < k->n_scopes; i++)
        kube_scope_restart(k->scopes[i]);
    return queue_identity(k, "regression", e);
}

static enum rc offer(struct kube_producer *k, const struct http_event *ev, struct err *e)
{
    if (k->who.asking && ev->id == k->who.asking)
        return ev->kind == HTTP_DONE ? identity_answered(k, ev, e) : RC_OK;
    if (kube_discovery_offer(k->discovery, ev))
        return RC_OK;
    bool mine = false;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < k->n_scopes && rc == RC_OK && !mine; i++)
        rc = kube_scope_offer(k->scopes[i], ev, &mine, e);
    return rc == RC_OK && k->world.regressed ? restart_all(k, e) : rc;
}

static enum rc take_http(struct kube_producer *k, bool *ret_any, struct err *e)
{
    for (int i = 0; i < HTTP_EVENTS_A_STEP && !producer_queue_full(k->queue); i++) {
        struct http_event ev;
        enum rc rc = http_take(k->http, &ev, e);
        if (rc == RC_OK)
            rc = offer(k, &ev, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        *ret_any = true;
    }
    return RC_OK;
}

static enum rc step_scopes(struct kube_producer *k, int64_t *wake_ns, bool *ret_any, struct err *e)
{
    for (size_t i = 0; i < k->n_scopes; i++) {
        int64_t due;
        enum rc rc = kube_scope_step(k->scopes[i], &due, e);
        if (rc < 0)
            return rc;
        *ret_any = *ret_any || rc == RC_OK;
        *wake_ns = due < *wake_ns ? due : *wake_ns;
    }
    return RC_OK;
}

static void plan_kinds(struct kube_producer *k)
{
    int64_t due = now_ns(k) + KINDS_SETTLE_NS;
    if (k->world.kinds_changed && due < k->kinds_due_ns)
        k->kinds_due_ns = due;
    k->world.kinds_changed = false;
}

/* What the present stage wants to start: RC_OK if it did, RC_AGAIN. */
static enum rc advance(struct kube_producer *k, int64_t *wake_ns, struct err *e)
{
    if (k->stage == WAIT_KINDS)
        return kinds_answered(k, e);
    if (k->stage == WAIT_IDENTITY)
        return RC_AGAIN;
    if (k->stage == RUNNING)
        plan_kinds(k);
    int64_t due = k->stage == RUNNING ? k->kinds_due_ns : k->due_ns;
    if (due > now_ns(k)) {
        *wake_ns = due < *wake_ns ? due : *wake_ns;
        return RC_AGAIN;
    }
    return k->stage == ASK_IDENTITY ? ask_identity(k, e) : ask_kinds(k, e);
}

/* Asks again who the source is when a scope lost it: RC_OK if it did, RC_AGAIN. */
static enum rc verify(struct kube_producer *k, int64_t *wake_ns, struct err *e)
{
    if (k->world.lost == k->world.verified || k->who.asking)
        return RC_AGAIN;
    if (k->verify_due_ns > now_ns(k)) {
        *wake_ns = k->verify_due_ns < *wake_ns ? k->verify_due_ns : *wake_ns;
        return RC_AGAIN;
    }
    return ask_identity(k, e);
}

/* While events wait beyond the limit the sockets stay unread, so that the source feels it. */
static void push_back(struct kube_producer *k)
{
    bool full = producer_queue_full(k->queue);
    if (full == k->held)
        return;
    k->held = full;
    http_hold(k->http, HTTP_LANE_CALL, full);
    http_hold(k->http, HTTP_LANE_WATCH, full);
}

static enum rc kube_step(struct producer *p, int64_t *ret_wake_ns, struct err *e)
{
    struct kube_producer *k = downcast(p);
    bool any = false;
    push_back(k);
    if (k->held)
        return RC_AGAIN;
    enum rc rc = take_http(k, &any, e);
    if (rc >= 0)
        rc = advance(k, ret_wake_ns, e);
    any = any || rc == RC_OK;
    if (rc >= 0)
        rc = verify(k, ret_wake_ns, e);
    any = any || rc == RC_OK;
    if (rc >= 0 && k->ever_discovered)
        rc = step_scopes(k, ret_wake_ns, &any, e);
    if (rc < 0)
        return rc;
    return any ? RC_OK : RC_AGAIN;
}

static enum rc kube_take(struct producer *p, const struct event **ret, struct err *e)
{
    (void)e;
    const struct event *ev = producer_queue_take(downcast(p)->queue);
    if (!ev)
        return RC_AGAIN;
    *ret = ev;
    return RC_OK;
}

static enum rc kube_expect(struct producer *p, struct slice identity, struct err *e)
{
    return kube_identity_expect(&downcast(p)->who, identity, e);
}

/* ---- Scopes ---- */

static size_t find_scope(const struct kube_producer *k, struct slice scope)
{
    size_t i = 0;
    while (i < k->n_scopes && !slice_eq(kube_scope_text(k->scopes[i]), scope))
        i++;
    return i;
}

static enum rc kube_add(struct producer *p, struct slice scope, struct slice api_version,
                        struct slice resume, struct err *e)
{
    struct kube_producer *k = downcast(p);
    if (find_scope(k, scope) < k->n_scopes)
        return RC_OK;
    if (k->n_scopes == k->cap_scopes) {
        size_t cap = k->cap_scopes ? k->cap_scopes * 2 : 16;
        struct kube_scope **grown = reallocarray(k->scopes, cap, sizeof(struct kube_scope *));
        if (!grown)
            return err_nomem(e);
        k->scopes = grown;
        k->cap_scopes = cap;
    }
    struct kube_scope *s;
    enum rc rc = kube_scope_new(&k->world, scope, api_version, resume, &s, e);
    if (rc < 0)
        return rc;
    k->scopes[k->n_scopes++] = s;
    rc = k->ever_discovered ? tell_scope(k, s, e) : RC_OK;
    struct producer_status status;
    kube_scope_status(s, &status);
    k->world.kinds_changed =
        k->world.kinds_changed || status.phase == PRODUCER_MISSING; /* as far as is known: ask */
    return rc;
}

static void kube_drop(struct producer *p, struct slice scope)
{
    struct kube_producer *k = downcast(p);
    size_t i = find_scope(k, scope);
    if (i == k->n_scopes)
        return;
    producer_queue_forget(k->queue, k->scopes[i]);
    kube_scope_free(k->scopes[i]);
    k->n_scopes--;
    memmove(k->scopes + i, k->scopes + i + 1, (k->n_scopes - i) * sizeof *k->scopes);
}

static enum rc kube_status(struct producer *p, size_t index, struct producer_status *ret)
{
    struct kube_producer *k = downcast(p);
    if (index >= k->n_scopes)
        return RC_END;
    kube_scope_status(k->scopes[index], ret);
    if (!ret->error[0])
        memcpy(ret->error, k->error, sizeof ret->error);
    return RC_OK;
}

static enum rc kube_kind(struct producer *p, size_t index, struct producer_kind *ret)
{
    const struct kube_producer *k = downcast(p);
    const struct kube_resource *r = kube_discovery_at(k->discovery, index);
    if (!r)
        return k->ever_discovered ? RC_END : RC_AGAIN;
    *ret = (struct producer_kind){
        .group = r->group,
        .version = r->version,
        .resource = r->resource,
        .followable = r->can_list && r->can_watch,
        .preferred = r == kube_discovery_find(k->discovery, r->group, SLICE_NULL, r->resource),
        .partial = kube_discovery_unreachable(k->discovery, r->group, SLICE_NULL),
        .round = k->rounds,
    };
    return RC_OK;
}

/* ---- Life ---- */

static enum rc kube_wait(struct producer *p, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return http_wait(downcast(p)->http, wake_fd, timeout_ns, e);
}

static void kube_close(struct producer *p)
{
    struct kube_producer *k = downcast(p);
    for (size_t i = 0; i < k->n_scopes; i++)
        kube_scope_free(k->scopes[i]);
    free(k->scopes);
    kube_discovery_free(k->discovery);
    producer_queue_free(k->queue);
    http_close(k->http);
    kube_identity_done(&k->who);
    free(k);
}

static const struct producer_ops kube_ops = {
    .name = "kubernetes",
    .expect = kube_expect,
    .add = kube_add,
    .drop = kube_drop,
    .step = kube_step,
    .take = kube_take,
    .status = kube_status,
    .kind = kube_kind,
    .wait = kube_wait,
    .close = kube_close,
};

enum rc kube_producer_open(struct http *http, const char *ca_pem, const char *ns,
                           const struct env *env, struct producer **ret, struct err *e)
{
    struct kube_producer *k = calloc(1, sizeof *k);
    if (!k) {
        http_close(http);
        return err_nomem(e);
    }
    k->producer.ops = &kube_ops;
    k->http = http;
    k->env = *env;
    k->backoff = (struct backoff){RETRY_FIRST_NS, RETRY_MAX_NS, 0};
    k->verify_backoff = k->backoff;
    k->kinds_due_ns = INT64_MAX;
    k->queue = producer_queue_new();
    k->discovery = kube_discovery_new(http);
    k->world = (struct kube_scope_world){.http = http, .env = &k->env, .queue = k->queue};
    enum rc rc = kube_identity_init(&k->who, ca_pem, ns, e);
    if (rc == RC_OK && (!k->queue || !k->discovery))
        rc = err_nomem(e);
    if (rc == RC_OK)
        *ret = &k->producer;
    else
        kube_close(&k->producer);
    return rc;
}

/* The request of a scope: how it starts, how it ends, and what its failure means. Failures: back-off
 * in place; 401/403 and a missing kind wait long and are never taken for "empty"; 410 and frames
 * that cannot be read become a gap and a listing. One thread. */
#include "producers/kube_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "io/kube_error.h"
#include "io/kube_frame.h"

#include <stdio.h>

#define PAGE_LEAST     10u
#define WATCH_SECONDS  300u /* to 600, chosen anew each time, so that not all end together */
#define WATCH_GRACE_NS (30 * NS_PER_S)
#define SHORT_WATCH_NS NS_PER_S

/* ---- Ends ---- */

void kube_scope_stop(struct kube_scope *s)
{
    http_cancel(s->world->http, s->request);
    s->request = 0;
    s->activity = IDLE;
    s->looking = false;
    kube_list_frames_free(s->list);
    kube_watch_frames_free(s->watch);
    s->list = NULL;
    s->watch = NULL;
    buf_reset(&s->trouble);
}

void kube_scope_wait(struct kube_scope *s, struct backoff *how, int64_t at_least_ns)
{
    int64_t delay = backoff_next_ns(how, s->world->env->rng);
    s->due_ns = clock_boot_ns(s->world->env->clock) + (delay > at_least_ns ? delay : at_least_ns);
}

void kube_scope_say(const struct kube_scope *s, enum diag_level level, const char *msg,
                    const char *error)
{
    struct diag_field fields[6];
    size_t n = 0;
    fields[n++] = DIAG_T("scope", slice_str(s->text));
    fields[n++] = DIAG_J("sourceObject.apiGroup", s->gvr.group);
    if (s->gvr.version.n)
        fields[n++] = DIAG_J("sourceObject.apiVersion", s->gvr.version);
    if (s->ns.n)
        fields[n++] = DIAG_J("sourceObject.namespace", s->ns);
    fields[n++] = DIAG_J("sourceObject.resource", s->gvr.resource);
    if (error)
        fields[n++] = DIAG_S("error", slice_str(error));
    diag_say(s->world->env->diag, level, msg, fields, n);
}

/* What is not there is no error. */
static void note_trouble(struct kube_scope *s, const struct kube_verdict *v, const char *what)
{
    bool missing = v->cls == KUBE_KIND_MISSING;
    snprintf(s->error, sizeof s->error, "%s: %s: %.200s", what, v->reason, v->message);
    kube_scope_say(s, missing ? DIAG_INFO : DIAG_WARN,
                   missing ? "list objects not found in cluster"
                           : "error listing objects in cluster",
                   s->error);
}

void kube_scope_leave_listing(struct kube_scope *s)
{
    buf_reset(&s->cont);
    s->begun = false;
    s->world->listings -= s->has_place;
    s->has_place = false;
}

/* Too much at once for the server: half of it next time. */
static void ask_for_less(struct kube_scope *s)
{
    s->page = s->page / 2 > PAGE_LEAST ? s->page / 2 : PAGE_LEAST;
}

bool kube_scope_watch_was_useful(const struct kube_scope *s)
{
    int64_t lasted = clock_boot_ns(s->world->env->clock) - s->started_ns;
    return s->activity == WATCHING && s->answered && (s->frames > 0 || lasted >= SHORT_WATCH_NS);
}

/* After these answers another server may stand behind the same address. */
static bool may_be_another_source(enum kube_class cls)
{
    return cls == KUBE_EXPIRED || cls == KUBE_VERSION_AHEAD || cls == KUBE_UNAUTHORIZED ||
           cls == KUBE_UNAVAILABLE || cls == KUBE_NONSENSE;
}

/* At once where the watch had worked; a source that says so each time must not be asked in a loop. */
static enum rc relist(struct kube_scope *s, bool useful, const char *reason, struct err *e)
{
    s->needs_list = true;
    s->error[0] = '\0';
    if (!useful)
        kube_scope_wait(s, &s->backoff, 0);
    return kube_scope_queue_gap(s, reason, e);
}

enum rc kube_scope_judge(struct kube_scope *s, const struct kube_verdict *v, struct err *e)
{
    const char *what = s->activity == LISTING ? "list" : "watch";
    bool listing = s->activity == LISTING;
    bool useful = kube_scope_watch_was_useful(s);
    if (useful)
        backoff_reset(&s->backoff);
    s->world->lost += may_be_another_source(v->cls);
    if (listing && (v->cls == KUBE_TOO_LARGE || v->too_slow))
        ask_for_less(s);
    kube_scope_stop(s);
    note_trouble(s, v, what);
    s->phase = PRODUCER_CONNECTING;
    switch (v->cls) {
    case KUBE_EXPIRED:
        if (!listing)
            return relist(s, useful, "the source no longer has the changes after this version", e);
        break;
    case KUBE_VERSION_AHEAD:
        if (!listing)
            return relist(s, useful, "the source does not know this version", e);
        break;
    case KUBE_UNAUTHORIZED:
    case KUBE_FORBIDDEN:
        s->phase = PRODUCER_DENIED;
        kube_scope_leave_listing(s);
        kube_scope_wait(s, &s->denied, v->retry_after_ns);
        return RC_OK;
    case KUBE_KIND_MISSING:
        s->phase = PRODUCER_MISSING;
        s->known = false;
        s->world->kinds_changed = true;
        break;
    default:
        break;
    }
    kube_scope_leave_listing(s);
    kube_scope_wait(s, &s->backoff, v->retry_after_ns);
    return RC_OK;
}

enum rc kube_scope_judge_failure(struct kube_scope *s, const struct err *failure, struct err *e)
{
    struct kube_verdict v;
    kube_judge_failure(failure, &v);
    return kube_scope_judge(s, &v, e);
}

enum rc kube_scope_lost_frame(struct kube_scope *s, const struct err *why, struct err *e)
{
    bool watching = s->activity == WATCHING;
    enum rc rc = kube_scope_judge_failure(s, why, e);
    if (rc < 0 || !watching)
        return rc;
    s->needs_list = true;
    return kube_scope_queue_gap(s, "a message of the source could not be read", e);
}

/* ---- Starts ---- */

static enum rc start(struct kube_scope *s, enum activity what, struct slice query, int64_t total_ns,
                     struct err *e)
{
    AUTO(buf_done) struct buf path = BUF_INIT(2 * SCOPE_TEXT_MAX);
    kube_path(&s->gvr, s->ns, SLICE_NULL, query, &path);
    enum rc rc = buf_check(&path, "path", e);
    if (rc < 0)
        return rc;
    struct http_request r = {.method = HTTP_GET,
                             .lane = what == WATCHING ? HTTP_LANE_WATCH : HTTP_LANE_CALL,
                             .path = buf_slice(&path),
                             .stream = true,
                             .total_ns = total_ns};
    rc = http_start(s->world->http, &r, &s->request, e);
    if (rc < 0)
        return rc;
    s->activity = what;
    s->asked = s->world->verified;
    s->answered = false;
    s->frames = 0;
    s->started_ns = clock_boot_ns(s->world->env->clock);
    return RC_OK;
}

enum rc kube_scope_start_list(struct kube_scope *s, struct err *e)
{
    s->world->listings += !s->has_place;
    s->has_place = true;
    AUTO(buf_done) struct buf query = BUF_INIT(2 * SCOPE_TEXT_MAX);
    buf_addf(&query, "limit=%u", s->page);
    if (s->cont.n) {
        buf_add_str(&query, "&continue=");
        kube_query_escape(buf_slice(&s->cont), &query);
    }
    enum rc rc = buf_check(&query, "query", e);
    if (rc == RC_OK)
        rc = start(s, LISTING, buf_slice(&query), 0, e);
    if (rc == RC_OK && s->cont.n == 0) /* the first page */
        kube_scope_say(s, DIAG_DEBUG, "listing objects in cluster", NULL);
    return rc;
}

enum rc kube_scope_start_look(struct kube_scope *s, struct err *e)
{
    s->world->listings += !s->has_place;
    s->has_place = true;
    enum rc rc = start(s, LISTING, SLICE("limit=1"), 0, e);
    s->looking = rc == RC_OK;
    return rc;
}

enum rc kube_scope_start_watch(struct kube_scope *s, struct err *e)
{
    unsigned seconds = WATCH_SECONDS + (unsigned)rng_below(s->world->env->rng, WATCH_SECONDS + 1);
    AUTO(buf_done) struct buf query = BUF_INIT(2 * SCOPE_TEXT_MAX);
    buf_addf(&query,
             "watch=true&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=", seconds);
    kube_query_escape(buf_slice(&s->version), &query);
    enum rc rc = buf_check(&query, "query", e);
    return rc < 0 ? rc
                  : start(s, WATCHING, buf_slice(&query), seconds * NS_PER_S + WATCH_GRACE_NS, e);
}

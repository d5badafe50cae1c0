/* A scope: IDLE -> LISTING -> IDLE -> WATCHING -> IDLE ..., one request at a time. It keeps the
 * version to go on from; an empty one means "list". What a listing or a watch delivers is queued at
 * once. After a failure that may mean another server, nothing is started before the producer has
 * asked for the source's identity again. One thread. */
#include "producers/kube_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "io/kube_discovery.h"
#include "io/kube_error.h"
#include "io/kube_frame.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY_FIRST_NS  (800 * NS_PER_MS)
#define RETRY_MAX_NS    (30 * NS_PER_S)
#define DENIED_FIRST_NS (30 * NS_PER_S)
#define DENIED_MAX_NS   (300 * NS_PER_S)
#define ERROR_BODY_MAX  (64u << 10)

/* ---- HTTP events ---- */

static enum rc on_headers(struct kube_scope *s, const struct http_event *ev, struct err *e)
{
    s->status = ev->status;
    s->retry_after_ns = ev->retry_after_ns;
    s->answered = ev->status == 200;
    if (!s->answered)
        return RC_OK;
    if (s->activity == LISTING) {
        s->list = kube_list_frames_new();
        if (!s->list)
            return err_nomem(e);
        return s->looking ? RC_OK : kube_scope_begin_listing(s, e);
    }
    s->watch = kube_watch_frames_new();
    s->phase = PRODUCER_FOLLOWING;
    s->error[0] = '\0';
    backoff_reset(&s->denied);
    return s->watch ? RC_OK : err_nomem(e);
}

static enum rc on_data(struct kube_scope *s, const struct http_event *ev, struct err *e)
{
    if (!s->answered) {
        size_t room = ERROR_BODY_MAX - s->trouble.n;
        buf_add(&s->trouble, ev->data.p, ev->data.n < room ? ev->data.n : room);
        return buf_check(&s->trouble, "error answer", e);
    }
    struct err why = ERR_INIT;
    bool listing = s->activity == LISTING;
    enum rc rc = listing ? kube_list_feed(s->list, ev->data, &why)
                         : kube_watch_feed(s->watch, ev->data, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0)
        return kube_scope_lost_frame(s, &why, e);
    return listing ? kube_scope_read_items(s, e) : kube_scope_read_frames(s, e);
}

static enum rc on_done(struct kube_scope *s, const struct http_event *ev, struct err *e)
{
    if (ev->err.rc < 0 && !(s->activity == WATCHING && s->answered))
        return kube_scope_judge_failure(s, &ev->err, e);
    if (!s->answered) {
        struct kube_verdict v;
        kube_judge(s->status, ev->content_type, buf_slice(&s->trouble), s->retry_after_ns, &v);
        return kube_scope_judge(s, &v, e);
    }
    if (s->activity == LISTING)
        return kube_scope_end_page(s, e);
    /* A connection that broke may come back from another server. */
    s->world->lost += ev->err.rc < 0;
    kube_scope_end_watch(s);
    return RC_OK;
}

enum rc kube_scope_offer(struct kube_scope *s, const struct http_event *ev, bool *ret_mine,
                         struct err *e)
{
    *ret_mine = s->request != 0 && ev->id == s->request;
    if (!*ret_mine)
        return RC_OK;
    switch (ev->kind) {
    case HTTP_HEADERS:
        return on_headers(s, ev, e);
    case HTTP_DATA:
        return on_data(s, ev, e);
    case HTTP_DONE:
        return on_done(s, ev, e);
    }
    return RC_OK;
}

enum rc kube_scope_step(struct kube_scope *s, int64_t *ret_wake_ns, struct err *e)
{
    *ret_wake_ns = INT64_MAX;
    if (s->activity != IDLE || !s->known || s->world->lost != s->world->verified)
        return RC_AGAIN;
    if (s->due_ns > clock_boot_ns(s->world->env->clock)) {
        *ret_wake_ns = s->due_ns;
        return RC_AGAIN;
    }
    if (!s->needs_list && s->vetted == s->world->verified)
        return kube_scope_start_watch(s, e);
    if (!s->has_place && s->world->listings >= KUBE_LISTINGS_MAX)
        return RC_AGAIN;
    return s->needs_list ? kube_scope_start_list(s, e) : kube_scope_start_look(s, e);
}

/* ---- Discovery ---- */

static enum rc learn(struct kube_scope *s, const struct kube_resource *r, struct err *e)
{
    AUTO(freep) char *api_version = NULL;
    if (asprintf(&api_version, "%.*s%s%.*s", SLICE_ARG(r->group), r->group.n ? "/" : "",
                 SLICE_ARG(r->version)) < 0)
        return err_nomem(e);
    AUTO(freep) char *kind = strndup(r->kind.n ? r->kind.p : "", r->kind.n);
    if (!kind)
        return err_nomem(e);
    if (s->api_version && strcmp(s->api_version, api_version) != 0)
        kube_scope_restart(s); /* what it was to go on from is of another version */
    free(s->api_version);
    free(s->kind);
    s->api_version = steal(&api_version);
    s->kind = steal(&kind);
    struct slice version = slice_str(s->api_version);
    size_t skip = r->group.n ? r->group.n + 1 : 0;
    s->gvr.version = slice_of(version.p + skip, version.n - skip);
    /* It is asked when its back-off is over: discovery may name what lists do not find. */
    s->known = true;
    s->error[0] = '\0';
    s->phase = PRODUCER_CONNECTING;
    kube_scope_say(s, DIAG_DEBUG, "group resource version found", NULL);
    return kube_scope_queue_kind(s, r, e);
}

/* The source prefers another version now. While part of the group is silent, the preferred one may only be hidden. */
static bool has_moved(const struct kube_scope *s, const struct kube_resource *r, bool unreachable)
{
    return s->asked_version[0] == '\0' && !unreachable && !slice_eq(r->version, s->gvr.version);
}

enum rc kube_scope_found(struct kube_scope *s, const struct kube_resource *r, bool unreachable,
                         struct err *e)
{
    bool misplaced = r && !r->namespaced && s->ns.n > 0;
    bool usable = r && r->can_list && r->can_watch && !misplaced;
    if (s->known && usable && slice_eq(r->version, s->gvr.version))
        return kube_scope_queue_kind(s, r, e); /* its names may have changed */
    if (s->known && !(usable && has_moved(s, r, unreachable)))
        return RC_OK;
    if (usable)
        return learn(s, r, e);
    bool known_missing = s->phase == PRODUCER_MISSING;
    unreachable = unreachable && !r;
    s->phase = unreachable ? PRODUCER_CONNECTING : PRODUCER_MISSING;
    snprintf(s->error, sizeof s->error, "%s",
             unreachable ? "its API group does not answer discovery"
             : misplaced ? "it lies in no namespace: leave out 'namespaces' of its entry"
             : r         ? "the source serves it without list and watch"
                         : "the source does not serve it");
    if (unreachable)
        kube_scope_say(s, DIAG_WARN, "error reading resources for group version", s->error);
    else if (!known_missing) /* it is asked again and again */
        kube_scope_say(s, DIAG_INFO, "resource group version not found", s->error);
    return RC_OK;
}

/* ---- Life ---- */

/* The parts of "group/resource[/ns]" inside s->text. */
static enum rc split_scope(struct kube_scope *s, struct err *e)
{
    struct slice rest;
    s->gvr.group = slice_cut(slice_str(s->text), '/', &rest);
    s->gvr.resource = slice_cut(rest, '/', &rest);
    s->ns = rest;
    if (s->gvr.resource.n == 0 || memchr(s->ns.n ? s->ns.p : "", '/', s->ns.n))
        return err_set(e, RC_INVALID, ERR_FINAL, "scope \"%s\" is not group/resource[/namespace]",
                       s->text);
    return RC_OK;
}

enum rc kube_scope_new(struct kube_scope_world *world, struct slice scope, struct slice api_version,
                       struct slice resume, struct kube_scope **ret, struct err *e)
{
    AUTO(kube_scope_freep) struct kube_scope *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->world = world;
    s->page = PAGE_DEFAULT;
    s->vetted = UINT64_MAX;
    s->phase = PRODUCER_CONNECTING;
    s->backoff = (struct backoff){RETRY_FIRST_NS, RETRY_MAX_NS, 0};
    s->denied = (struct backoff){DENIED_FIRST_NS, DENIED_MAX_NS, 0};
    buf_init(&s->trouble, ERROR_BODY_MAX);
    buf_init(&s->cont, SCOPE_TEXT_MAX);
    buf_init(&s->version, SCOPE_TEXT_MAX);
    buf_init(&s->said_kind, SCOPE_TEXT_MAX);
    s->text = strndup(scope.p, scope.n);
    struct slice rest;
    struct slice first = slice_cut(api_version, '/', &rest);
    struct slice version = rest.n ? rest : first;
    s->asked_version = strndup(version.n ? version.p : "", version.n);
    if (!s->text || !s->asked_version)
        return err_nomem(e);
    enum rc rc = split_scope(s, e);
    if (rc < 0)
        return rc;
    buf_add_slice(&s->version, resume);
    s->needs_list = resume.n == 0;
    s->ever_listed = resume.n > 0;
    rc = buf_check(&s->version, "resourceVersion", e);
    if (rc == RC_OK)
        *ret = steal(&s);
    return rc;
}

void kube_scope_free(struct kube_scope *s)
{
    if (!s)
        return;
    kube_scope_stop(s);
    kube_scope_leave_listing(s);
    buf_done(&s->trouble);
    buf_done(&s->cont);
    buf_done(&s->version);
    buf_done(&s->said_kind);
    free(s->text);
    free(s->api_version);
    free(s->asked_version);
    free(s->kind);
    free(s);
}

void kube_scope_restart(struct kube_scope *s)
{
    kube_scope_stop(s);
    kube_scope_leave_listing(s);
    buf_reset(&s->version);
    s->needs_list = true;
    s->due_ns = 0;
}

struct slice kube_scope_text(const struct kube_scope *s)
{
    return slice_str(s->text);
}

void kube_scope_resource(const struct kube_scope *s, struct slice *ret_group,
                         struct slice *ret_version, struct slice *ret_resource)
{
    *ret_group = s->gvr.group;
    *ret_version = slice_str(s->asked_version);
    *ret_resource = s->gvr.resource;
}

void kube_scope_status(const struct kube_scope *s, struct producer_status *ret)
{
    ret->scope = slice_str(s->text);
    bool barred = s->activity == IDLE && s->world->lost != s->world->verified;
    ret->phase = barred && s->phase == PRODUCER_FOLLOWING ? PRODUCER_CONNECTING : s->phase;
    memcpy(ret->error, s->error, sizeof ret->error);
}

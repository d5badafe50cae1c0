/* Ingest: takes the producer's events, completes listings against the log, and appends in batches:
 * a batch is what arrived while the last append ran (group commit).
 *
 * Keeps: the batch that waits for the log, the listings under way, and for each scope the position
 * that the next append carries. All of it can be lost: the log holds the positions, and the
 * producer starts from there. While the log has no room, nothing is taken from the producer, so the
 * source feels it (I10). One thread. */
#include "flow/ingest_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/event_codec.h"
#include "core/hash_set.h"
#include "core/map.h"
#include "flow/ingest_listing.h"
#include "flow/ingest_recent.h"
#include "flow/scope.h"

#include <stdio.h>
#include <stdlib.h>

#define TAKES_PER_STEP BATCH_EVENTS
#define UPKEEP_EVERY   16 /* busy steps */

static void listing_free_value(void *value)
{
    listing_free(value);
}

/* ---- Listings ---- */

static enum rc begin_listing(struct ingest *g, const struct event *ev, struct err *e)
{
    struct slice scope =
        slice_of(ev->key.p + sizeof SYNC_PREFIX - 1, ev->key.n - (sizeof SYNC_PREFIX - 1));
    struct listing *l = listing_new(&(struct scope){scope, g->tree}, g->log);
    if (!l)
        return err_nomem(e);
    enum rc rc = map_put(g->listings, scope, l, e);
    return rc < 0 ? rc : ingest_add(g, ev, e);
}

/* What follows the last missing object: a remark when a gap hid something, the end, and the
 * position. */
static enum rc end_listing(struct ingest *g, struct err *e)
{
    struct listing_counts c = listing_count(g->closing);
    struct slice scope = listing_scope(g->closing);
    struct position *p = map_get(g->scopes, scope);
    bool first = !p || !p->version;
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    enum rc rc = RC_OK;
    if (!first && c.changed + c.missing > 0) {
        buf_addf(&body, "{\"severity\":\"observed\",\"changed\":%llu,\"deleted\":%llu}",
                 (unsigned long long)c.changed, (unsigned long long)c.missing);
        struct event gap = {
            .op = EVENT_GAP, .version = g->closing_end->version, .body = buf_slice(&body)};
        rc = ingest_add_own(g, "@gap/", scope, &gap, e);
        buf_reset(&body);
    }
    buf_addf(&body, "{\"listed\":%llu,\"changed\":%llu,\"deleted\":%llu}",
             (unsigned long long)c.listed, (unsigned long long)c.changed,
             (unsigned long long)c.missing);
    struct event end = *g->closing_end;
    end.body = buf_slice(&body);
    if (rc == RC_OK)
        rc = ingest_add(g, &end, e);
    if (rc == RC_OK)
        rc = ingest_set_position(g, p, end.version, true, e);
    if (rc < 0)
        return rc;
    map_delete(g->listings, scope);
    g->closing = NULL;
    free(g->closing_end);
    g->closing_end = NULL;
    return RC_OK;
}

/* One piece of closing a listing: RC_OK. */
static enum rc close_listing(struct ingest *g, struct err *e)
{
    while (!ingest_batch_full(g)) {
        const struct event *gone;
        enum rc rc = listing_next_missing(g->closing, &gone, e);
        if (rc == RC_END)
            return end_listing(g, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        struct event ev = *gone;
        ev.op = EVENT_DELETE;
        ev.cause = CAUSE_RESYNC;
        ev.wall_ns = 0;
        rc = ingest_add(g, &ev, e);
        if (rc < 0)
            return rc;
    }
    return RC_OK;
}

/* ---- Taking events ---- */

/* The log surely has no event of it. */
static bool is_unknown(const struct ingest *g, struct slice key)
{
    return g->keys && !hash_set_may_have(g->keys, key);
}

static enum rc accept_put(struct ingest *g, const struct event *ev, struct err *e)
{
    if (ev->cause == CAUSE_WATCH) {
        enum rc rc = ingest_add(g, ev, e);
        if (g->tree) /* what changed is read in no order: EVENT_POSITION follows when nothing is left */
            return rc;
        return rc < 0 ? rc
                      : ingest_set_position(g, scope_find(g->scopes, ev->key, g->tree), ev->version,
                                            true, e);
    }
    struct listing *l = scope_find(g->listings, ev->key, g->tree);
    if (!l)
        return err_set(e, RC_INVALID, ERR_FATAL, "producer %s listed %.*s outside a listing",
                       g->producer->ops->name, SLICE_ARG(ev->key));
    if (recent_is(g->recent, ev, g->incarnation))
        return listing_note_known(l, ev->key, e);
    bool is_new = is_unknown(g, ev->key);
    enum rc rc = is_new ? listing_note_unknown(l, ev->key, e)
                        : listing_note(l, ev, g->incarnation, &is_new, e);
    if (rc == RC_OK && is_new && ev->body.n == 0)
        return err_set(e, RC_INVALID, ERR_FATAL,
                       "producer %s listed %.*s without its body, and the log has it otherwise",
                       g->producer->ops->name, SLICE_ARG(ev->key));
    return rc < 0 || !is_new ? rc : ingest_add(g, ev, e);
}

static enum rc accept_sync_end(struct ingest *g, const struct event *ev, struct err *e)
{
    size_t skip = sizeof SYNC_PREFIX - 1;
    g->closing = map_get(g->listings, slice_of(ev->key.p + skip, ev->key.n - skip));
    if (!g->closing)
        return err_set(e, RC_INVALID, ERR_FATAL,
                       "producer %s ended a listing that did not begin: %.*s",
                       g->producer->ops->name, SLICE_ARG(ev->key));
    g->closing_end = event_copy(ev);
    return g->closing_end ? listing_end(g->closing, ev->body, e) : err_nomem(e);
}

static enum rc accept_kind(struct ingest *g, const struct event *ev, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    enum rc rc = rlog_last(g->log, ev->key, 0, &found, e);
    bool known = rc == RC_OK;
    if (rc < 0 && rc != RC_NOTFOUND)
        return rc;
    if (known && slice_eq(found.event.body, ev->body))
        return RC_OK;
    rc = ingest_add(g, ev, e);
    if (rc != RC_OK || !known || slice_eq(found.event.api_version, ev->api_version))
        return rc;
    size_t skip = sizeof KIND_PREFIX - 1;
    rc = ingest_list_anew(g, slice_of(ev->key.p + skip, ev->key.n - skip), e);
    return rc == RC_OK ? RC_AGAIN : rc;
}

/* RC_AGAIN: what comes next is compared with a log that has this event. */
static enum rc accept(struct ingest *g, const struct event *ev, struct err *e)
{
    if (!g->identity && ev->op != EVENT_EPOCH)
        return err_set(e, RC_INVALID, ERR_FATAL,
                       "producer %s gave an event before the source's identity",
                       g->producer->ops->name);
    switch (ev->op) {
    case EVENT_EPOCH:
        return ingest_pin_source(g, ev, e);
    case EVENT_KIND:
        return accept_kind(g, ev, e);
    case EVENT_SYNC_BEGIN:
        return begin_listing(g, ev, e);
    case EVENT_SYNC_END:
        return accept_sync_end(g, ev, e);
    case EVENT_POSITION: {
        size_t skip = sizeof POSITION_PREFIX - 1;
        struct slice scope = slice_of(ev->key.p + skip, ev->key.n - skip);
        return ingest_set_position(g, map_get(g->scopes, scope), ev->version, false, e);
    }
    case EVENT_PUT:
    case EVENT_DELETE:
        return accept_put(g, ev, e);
    default:
        return ingest_add(g, ev, e);
    }
}

static enum rc take_some(struct ingest *g, bool *ret_any, struct err *e)
{
    for (unsigned i = 0; i < TAKES_PER_STEP && !ingest_batch_full(g) && !g->closing && !g->replaced;
         i++) {
        const struct event *ev;
        enum rc rc = producer_take(g->producer, &ev, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        *ret_any = true;
        bool begins = ev->op == EVENT_SYNC_BEGIN;
        rc = accept(g, ev, e);
        if (rc != RC_OK || begins) /* a listing is compared with a log that has all before it */
            return rc < 0 ? rc : RC_OK;
    }
    return RC_OK;
}
/* ---- Step ---- */

/* After everything of the listing is in the log, its missing objects follow. */
static enum rc work(struct ingest *g, bool *ret_any, struct err *e)
{
    if (g->closing) {
        *ret_any = true;
        return close_listing(g, e);
    }
    return take_some(g, ret_any, e);
}

/* The log's upkeep, when there is nothing else to do and now and then when there is. */
static enum rc upkeep(struct ingest *g, bool *any, struct err *e)
{
    if (*any && ++g->busy_steps < UPKEEP_EVERY)
        return RC_OK;
    g->busy_steps = 0;
    struct err why = ERR_INIT;
    enum rc rc = rlog_maintain(g->log, &why);
    if (rc == RC_LIMIT && why.retry == ERR_RETRY)
        return RC_OK; /* it waits for room, too */
    if (rc < 0)
        *e = why;
    *any = *any || rc == RC_OK;
    return rc < 0 ? rc : RC_OK;
}

enum rc ingest_step(struct ingest *g, int64_t *ret_wake_ns, struct err *e)
{
    bool any = false;
    int64_t wake = INT64_MAX;
    enum rc rc = RC_OK;
    if (g->retry_ns <= clock_boot_ns(g->env.clock))
        rc = ingest_flush(g, e);
    if (rc >= 0) {
        rc = producer_step(g->producer, &wake, e);
        any = rc == RC_OK;
    }
    if (rc >= 0 && !g->retry_ns)
        rc = work(g, &any, e);
    if (rc >= 0 && !g->retry_ns)
        rc = ingest_flush(g, e);
    if (rc >= 0 && g->replaced && g->n_batch == 0)
        rc = err_set(e, RC_CONFLICT, ERR_RESYNC,
                     "another cluster was accepted as the source (%s): everything starts anew",
                     g->identity);
    if (rc >= 0)
        rc = upkeep(g, &any, e);
    if (rc < 0)
        return rc;
    *ret_wake_ns = g->retry_ns && g->retry_ns < wake ? g->retry_ns : wake;
    return any ? RC_OK : RC_AGAIN;
}

/* ---- Life ---- */

/* What the producer may take for known. */
static enum rc recall(void *arg, struct slice key, const struct event **ret, struct err *e)
{
    struct ingest *g = arg;
    if (is_unknown(g, key))
        return RC_NOTFOUND;
    rlog_found_done(&g->recalled);
    enum rc rc = rlog_last(g->log, key, 0, &g->recalled, e);
    if (rc != RC_OK)
        return rc;
    const struct event *ev = &g->recalled.event;
    if (ev->op != EVENT_PUT || ev->incarnation != g->incarnation)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "the log has no present state of this key");
    recent_note(g->recent, ev);
    *ret = ev;
    return RC_OK;
}

enum rc ingest_open(struct producer *producer, struct rlog *log, const struct env *env,
                    struct ingest **ret, struct err *e)
{
    AUTO(ingest_closep) struct ingest *g = calloc(1, sizeof *g);
    if (!g)
        return err_nomem(e);
    g->producer = producer;
    g->log = log;
    g->env = *env;
    g->scopes = map_new(ingest_free_position);
    g->listings = map_new(listing_free_value);
    g->recent = recent_new();
    if (!g->scopes || !g->listings || !g->recent)
        return err_nomem(e);
    struct rlog_bounds bounds;
    enum rc rc = rlog_bounds(log, &bounds, e);
    if (rc == RC_OK)
        rc = ingest_load_source(g, e);
    if (rc < 0)
        return rc;
    g->next = bounds.next;
    if (bounds.next == 1)
        g->keys = hash_set_new();
    g->memory = (struct producer_memory){g, recall};
    producer_recall(producer, &g->memory);
    *ret = steal(&g);
    return RC_OK;
}

void ingest_accept_source(struct ingest *g, const char *name, int64_t until_ns)
{
    g->name = name;
    g->accept_until_ns = until_ns;
}

void ingest_close(struct ingest *g)
{
    if (!g)
        return;
    ingest_drop_batch(g);
    rlog_found_done(&g->recalled);
    hash_set_free(g->keys);
    recent_free(g->recent);
    map_free(g->listings);
    map_free(g->scopes);
    free(g->closing_end);
    free(g->identity);
    free(g);
}

void ingest_status(struct ingest *g, struct ingest_status *ret)
{
    struct ingest_status s = {.log_full = g->retry_ns != 0};
    struct producer_status scope;
    for (size_t i = 0; producer_status(g->producer, i, &scope) == RC_OK; i++) {
        s.scopes++;
        s.following += scope.phase == PRODUCER_FOLLOWING;
        s.missing += scope.phase == PRODUCER_MISSING || scope.phase == PRODUCER_DENIED;
        s.connected =
            s.connected || scope.phase == PRODUCER_FOLLOWING || scope.phase == PRODUCER_LISTING;
        if (scope.error[0] && !s.error[0])
            snprintf(s.error, sizeof s.error, "%.*s: %s",
                     (int)(scope.scope.n < 70 ? scope.scope.n : 70), scope.scope.p, scope.error);
    }
    if (s.log_full)
        snprintf(s.error, sizeof s.error, "the log has no room: intake pauses until there is");
    *ret = s;
}

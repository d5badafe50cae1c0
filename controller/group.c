/* A source's thread: opens the log, starts the members, ingests until it is asked to stop or the
 * log fails, stops the members, closes the log; and again after a back-off. Members wake by the
 * log's notification. */
#include "controller/group.h"

#include "controller/member.h"
#include "controller/resolve.h"
#include "controller/resource.h"
#include "controller/source_board.h"
#include "controller/source_kinds.h"
#include "controller/speaker.h"
#include "controller/wiring.h"
#include "controller/worker.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/map.h"
#include "flow/ingest.h"
#include "log/rlog.h"
#include "producers/producer.h"

#include <stdio.h>
#include <stdlib.h>

#define REPORT_EVERY_NS (NS_PER_S)

struct group {
    const struct cluster *source;
    int64_t accept_until_ns;
    struct group_member *wanted;
    struct resolved **resolved; /* as many; NULL where the file says all or nothing is known */
    struct resolved **next;     /* as many; what comes after them, NULL: nothing */
    struct member **members;    /* as many, NULL where not started */
    size_t n;
    const struct wiring *wiring;
    struct env given; /* as handed over: the members speak for themselves */
    struct env env;   /* of the source, with this diag */
    struct diag *listener;
    struct source_board *board;
    struct worker worker;

    struct rlog *log;
    struct producer *producer;
    struct ingest *ingest;
    struct source_kinds *kinds;
    uint64_t
        listing; /* the number on the board that the listing under way, or the last one, answers */
    uint64_t listed; /* and that was answered last */
    bool leaving;    /* a kind is followed to its end that the source does not serve any more */
    int64_t report_due_ns;
    int64_t pending_due_ns; /* of the next status of those that are not started */
};

static int64_t boot_ns(const struct group *g)
{
    return clock_boot_ns(g->env.clock);
}

/* ---- Members ---- */

static void wake_members(void *arg)
{
    struct group *g = arg;
    for (size_t i = 0; i < g->n; i++)
        if (g->members[i])
            member_wake(g->members[i]);
}

/* The synchronization with all its kinds; NULL while they are not known. */
static const struct sync *sync_of(const struct group *g, size_t i)
{
    if (g->resolved[i])
        return resolved_sync(g->resolved[i]);
    return resolve_needed(&g->wanted[i].sync->replication) ? NULL : g->wanted[i].sync;
}

static struct member_opts opts_of(const struct group *g, size_t i, const struct sync *sync)
{
    return (struct member_opts){.sync = sync,
                                .prune_until_ns = g->wanted[i].prune_until_ns,
                                .orders = g->wanted[i].orders,
                                .plan = g->wanted[i].plan,
                                .ended = g->wanted[i].ended,
                                .not_before_ns = g->wanted[i].not_before_ns,
                                .log = g->log,
                                .source = g->board,
                                .wiring = g->wiring,
                                .env = &g->given};
}

static enum rc start_one(struct group *g, size_t i, struct err *e)
{
    const struct member_opts opts = opts_of(g, i, sync_of(g, i));
    return opts.sync ? member_start(&opts, &g->members[i], e) : RC_OK;
}

static enum rc start_members(struct group *g, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < g->n && rc == RC_OK; i++)
        rc = start_one(g, i, e);
    return rc;
}

/* All are asked before the first is waited for, so that they drain at the same time. */
static void stop_members(struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->members[i])
            member_ask_stop(g->members[i]);
    for (size_t i = 0; i < g->n; i++) {
        member_stop(g->members[i]);
        g->members[i] = NULL;
    }
}

/* Without its kinds a synchronization would take all its copies for deselected; so it is not started before. */
static void report_pending(struct group *g, const struct source_report *r)
{
    if (boot_ns(g) < g->pending_due_ns)
        return;
    g->pending_due_ns = boot_ns(g) + STATUS_EVERY_NS;
    for (size_t i = 0; i < g->n; i++)
        if (!g->members[i])
            member_note_failure(g->wanted[i].sync, g->wiring, &g->given, r, /* why= */ NULL);
}

/* ---- Scopes ---- */

/* The entry's scope; writes that and the version behind what text holds, whose memory was reserved and does not
 * move. ns: empty: all namespaces. */
static struct ingest_scope scope_of(const struct replication_entry *entry, struct slice ns,
                                    struct buf *text)
{
    size_t at = text->n;
    if (entry->root.n > 0)
        return (struct ingest_scope){.scope = entry->root, .tree = true};
    buf_addf(text, "%.*s/%.*s%s%.*s", SLICE_ARG(entry->group), SLICE_ARG(entry->resource),
             ns.n ? "/" : "", SLICE_ARG(ns));
    size_t mid = text->n;
    if (entry->version.n > 0 && !entry->any_version)
        buf_addf(text, "%.*s%s%.*s", SLICE_ARG(entry->group), entry->group.n ? "/" : "",
                 SLICE_ARG(entry->version));
    return (struct ingest_scope){.scope = slice_of(text->p + at, mid - at),
                                 .api_version = slice_of(text->p + mid, text->n - mid)};
}

/* An entry's scopes: one, or one for each of its namespaces. */
static size_t count_scopes(const struct replication_entry *entry)
{
    return entry->n_namespaces ? entry->n_namespaces : 1;
}

static struct slice namespace_at(const struct replication_entry *entry, size_t i)
{
    return i < entry->n_namespaces ? entry->namespaces[i] : SLICE_NULL;
}

static size_t entry_room(const struct replication_entry *entry)
{
    size_t room = 0;
    for (size_t i = 0; i < count_scopes(entry); i++)
        room += 2 * entry->group.n + entry->resource.n + entry->version.n +
                namespace_at(entry, i).n + 3;
    return room;
}

static size_t scopes_room(const struct group *g, size_t *ret_n)
{
    size_t room = 0, n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct sync *both[] = {g->wanted[i].sync, sync_of(g, i)};
        for (size_t k = 0; k < 2 && both[k]; k++)
            for (size_t j = 0; j < both[k]->replication.n_recorded; j++) {
                const struct replication_entry *entry = &both[k]->replication.entries[j];
                room += entry_room(entry);
                n += count_scopes(entry);
            }
    }
    *ret_n = n;
    return room + 1;
}

/* What `*` took is wanted as long as it is served, and then until its scope is at its end: what was deleted with the
 * kind is still read. */
static bool is_wanted(struct group *g, struct slice scope)
{
    struct producer_status status;
    if (source_kinds_serves(g->kinds, scope))
        return true;
    for (size_t i = 0; producer_status(g->producer, i, &status) == RC_OK; i++)
        if (slice_eq(status.scope, scope)) {
            g->leaving = g->leaving || status.phase != PRODUCER_MISSING;
            return status.phase != PRODUCER_MISSING;
        }
    return false;
}

static bool is_asked_for(const struct ingest_scope *scopes, size_t n, struct slice scope)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(scopes[i].scope, scope))
            return true;
    return false;
}

/* What entries name by themselves, in the version that they name. */
static size_t add_named(const struct group *g, struct ingest_scope *scopes, struct buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct replication *r = &g->wanted[i].sync->replication;
        for (size_t j = 0; j < r->n_recorded; j++) {
            const struct replication_entry *entry = &r->entries[j];
            size_t all = resolve_is_star(entry) ? 0 : count_scopes(entry);
            for (size_t k = 0; k < all; k++)
                scopes[n++] = scope_of(entry, namespace_at(entry, k), text);
        }
    }
    return n;
}

/* One is there already of the resource, be it of a namespace. */
static bool is_named(const struct ingest_scope *scopes, size_t n, struct slice resource)
{
    for (size_t i = 0; i < n; i++)
        if (slice_starts(scopes[i].scope, resource) &&
            (scopes[i].scope.n == resource.n || scopes[i].scope.p[resource.n] == '/'))
            return true;
    return false;
}

static bool take(struct group *g, const struct ingest_scope *scopes, size_t n,
                 struct ingest_scope *new)
{
    if (!is_wanted(g, new->scope) || is_asked_for(scopes, n, new->scope))
        return false;
    if (is_named(scopes, n, new->scope))
        new->api_version = SLICE_NULL;
    return true;
}

/* What `*` took; n are there already, and a resource that is there stays in its version. */
static size_t add_taken(struct group *g, struct ingest_scope *scopes, size_t n, struct buf *text)
{
    g->leaving = false;
    for (size_t i = 0; i < g->n; i++) {
        const struct replication *r = g->resolved[i] ? &sync_of(g, i)->replication : NULL;
        for (size_t j = 0; r && j < r->n_entries; j++) {
            if (!r->entries[j].by_star)
                continue;
            scopes[n] = scope_of(&r->entries[j], SLICE_NULL, text);
            n += take(g, scopes, n, &scopes[n]);
        }
    }
    return n;
}

static enum rc want_scopes(struct group *g, struct err *e)
{
    size_t n;
    size_t room = scopes_room(g, &n);
    AUTO(freep) struct ingest_scope *scopes = calloc(n + 1, sizeof *scopes);
    AUTO(buf_done) struct buf text = BUF_INIT(room);
    if (!scopes || !buf_extend(&text, room))
        return err_nomem(e);
    buf_truncate(&text, 0);
    n = add_named(g, scopes, &text);
    n = add_taken(g, scopes, n, &text);
    return ingest_want(g->ingest, scopes, n, e);
}

/* ---- Kinds ---- */

/* Makes kinds of one synchronization's entries: into `next` if they are others than before, and who works with those is
 * asked to stop. */
static enum rc resolve_one(struct group *g, size_t i, struct err *e)
{
    const struct sync *sync = g->wanted[i].sync;
    AUTO(resolved_freep) struct resolved *next = NULL;
    if (!resolve_needed(&sync->replication) || source_kinds_none(g->kinds))
        return RC_OK;
    enum rc rc = resolve(sync, source_kinds_known(g->kinds), &next, e);
    if (rc < 0 || (g->resolved[i] && resolved_same(g->resolved[i], next)))
        return rc;
    g->next[i] = steal(&next);
    if (g->members[i])
        member_ask_stop(g->members[i]);
    return RC_OK;
}

static void take_next(struct group *g, size_t i)
{
    member_stop(g->members[i]); /* it borrows the old one */
    g->members[i] = NULL;
    resolved_free(g->resolved[i]);
    g->resolved[i] = steal(&g->next[i]);
}

static enum rc resolve_all(struct group *g, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < g->n && rc == RC_OK; i++)
        rc = resolve_one(g, i, e);
    return rc;
}

static enum rc load_kinds(struct group *g, struct err *e)
{
    enum rc rc = source_kinds_load(g->log, &g->kinds, e);
    if (rc == RC_OK)
        rc = resolve_all(g, e);
    for (size_t i = 0; i < g->n && rc == RC_OK; i++)
        if (g->next[i])
            take_next(g, i);
    return rc;
}

/* Kinds that are new join, and those that went are left. RC_OK: the source had something to say; RC_AGAIN. */
static enum rc follow_kinds(struct group *g, struct err *e)
{
    enum rc rc = source_kinds_look(g->kinds, g->producer, e);
    if (rc == RC_AGAIN && g->leaving) {
        rc = want_scopes(g, e);
        return rc == RC_OK ? RC_AGAIN : rc;
    }
    if (rc == RC_OK)
        rc = resolve_all(g, e);
    for (size_t i = 0; i < g->n && rc == RC_OK; i++) {
        if (!g->next[i])
            continue;
        take_next(g, i);
        rc = start_one(g, i, e);
    }
    return rc == RC_OK ? want_scopes(g, e) : rc;
}

/* ---- Ingesting ---- */

static void report(struct group *g, const struct err *why)
{
    struct source_report r = {0};
    if (g->ingest) {
        struct ingest_status s;
        ingest_status(g->ingest, &s);
        r.connected = s.connected;
        memcpy(r.error, s.error, sizeof r.error);
    }
    if (why)
        snprintf(r.error, sizeof r.error, "%.399s", why->msg);
    source_board_set(g->board, &r);
    if (!why)
        report_pending(g, &r);
    g->report_due_ns = boot_ns(g) + REPORT_EVERY_NS;
}

static enum rc open_all(struct group *g, struct err *e)
{
    const struct wiring *w = g->wiring;
    enum rc rc = w->open_log(w->arg, g->source, &g->log, e);
    if (rc == RC_OK)
        rc = rlog_on_append(g->log, wake_members, g, e);
    if (rc == RC_OK)
        rc = w->open_producer(w->arg, g->source, &g->env, &g->producer, e);
    if (rc == RC_OK)
        rc = ingest_open(g->producer, g->log, &g->env, &g->ingest, e);
    if (rc == RC_OK)
        rc = load_kinds(g, e);
    if (rc != RC_OK)
        return rc;
    ingest_accept_source(g->ingest, g->source->full_name, g->accept_until_ns);
    return want_scopes(g, e);
}

static void close_all(struct group *g)
{
    ingest_close(g->ingest);
    producer_close(g->producer);
    rlog_close(g->log);
    source_kinds_free(g->kinds);
    for (size_t i = 0; i < g->n; i++) {
        resolved_free(g->resolved[i]);
        resolved_free(g->next[i]);
        g->resolved[i] = g->next[i] = NULL;
    }
    g->kinds = NULL;
    g->ingest = NULL;
    g->producer = NULL;
    g->log = NULL;
}

/* What of each scope cannot be read: of others than its own no run is told. */
static enum rc find_unread(const struct group *g, struct map **ret, struct err *e)
{
    struct producer_status s;
    AUTO(map_freep) struct map *unread = map_new(free);
    enum rc rc = unread ? RC_OK : err_nomem(e);
    for (size_t i = 0; rc == RC_OK && producer_status(g->producer, i, &s) == RC_OK; i++) {
        if (!s.error[0])
            continue;
        AUTO(freep) char *text = strdup(s.error);
        rc = text ? map_put(unread, s.scope, text, e) : err_nomem(e);
        if (rc == RC_OK)
            (void)steal(&text);
    }
    if (rc == RC_OK)
        *ret = steal(&unread);
    return rc;
}

/* Who asked for a listing gets the one that is under way, or another one; all that the producer had to say was taken. */
static enum rc serve_listings(struct group *g, struct err *e)
{
    struct ingest_status s;
    struct rlog_bounds bounds;
    uint64_t asked = source_board_asked(g->board);
    if (g->listed == asked)
        return RC_OK;
    ingest_status(g->ingest, &s);
    bool complete = s.scopes > 0 && s.following + s.missing == s.scopes && !s.log_full;
    bool fresh = g->listing > g->listed;
    if (!complete || !fresh)
        g->listing = asked;
    if (complete && !fresh)
        return ingest_refresh(g->ingest, e);
    if (!complete)
        return RC_OK;
    struct map *unread = NULL;
    enum rc rc = rlog_bounds(g->log, &bounds, e);
    if (rc == RC_OK)
        rc = find_unread(g, &unread, e);
    if (rc < 0)
        return rc;
    g->listed = g->listing;
    source_board_answer(g->board, g->listed, bounds.next, unread);
    wake_members(g);
    return RC_OK;
}

static enum rc step_and_wait(struct group *g, struct err *e)
{
    int64_t wake;
    enum rc rc = ingest_step(g->ingest, &wake, e);
    if (boot_ns(g) >= g->report_due_ns)
        report(g, NULL);
    if (rc != RC_AGAIN)
        return rc;
    rc = follow_kinds(g, e); /* all that the producer had to say was taken */
    if (rc != RC_AGAIN)
        return rc;
    rc = serve_listings(g, e);
    if (rc < 0)
        return rc;
    if (wake > g->report_due_ns)
        wake = g->report_due_ns;
    int64_t timeout = wake - boot_ns(g);
    rc = producer_wait(g->producer, g->worker.wake_fd, timeout > 0 ? timeout : 0, e);
    worker_clear(&g->worker);
    return rc;
}

static enum rc group_run(void *arg, struct err *e)
{
    struct group *g = arg;
    enum rc rc = open_all(g, e);
    if (rc == RC_OK)
        rc = start_members(g, e);
    while (rc >= 0 && !worker_stopping(&g->worker))
        rc = step_and_wait(g, e);
    stop_members(g);
    close_all(g);
    return rc;
}

/* With the log closed nobody else writes the statuses. */
static void group_failed(void *arg, const struct err *why)
{
    struct group *g = arg;
    struct source_report r;
    diag_error(g->env.diag, DIAG_ERROR, "source stopped, it is tried again", why);
    report(g, why);
    source_board_get(g->board, &r);
    for (size_t i = 0; i < g->n; i++) {
        member_note_failure(g->wanted[i].sync, g->wiring, &g->given, &r, why);
        const struct member_opts opts = opts_of(g, i, g->wanted[i].sync);
        member_give_up(&opts);
    }
}

/* ---- Life ---- */

/* Something was asked on the board. */
static void wake_group(void *arg)
{
    struct group *g = arg;
    worker_wake(&g->worker);
}

static enum rc prepare(struct group *g, const struct group_member *members, size_t n, struct err *e)
{
    g->wanted = calloc(n + 1, sizeof *g->wanted);
    g->members = calloc(n + 1, sizeof(struct member *));
    g->resolved = calloc(n + 1, sizeof(struct resolved *));
    g->next = calloc(n + 1, sizeof(struct resolved *));
    g->board = source_board_new(wake_group, g);
    if (!g->wanted || !g->members || !g->resolved || !g->next || !g->board)
        return err_nomem(e);
    memcpy(g->wanted, members, n * sizeof *members);
    g->n = n;
    return RC_OK;
}

/* One listener speaks for all synchronizations. */
static enum rc bind_listener(struct group *g, struct err *e)
{
    struct speaker_levels levels = {.has = {false}};
    enum rc rc = speaker_bind(g->given.diag, SPEAKER_EVENTS_LISTENER, g->source, /* sync= */ NULL,
                              &g->listener, e);
    for (size_t i = 0; i < g->n; i++)
        speaker_levels_join(&levels, &g->wanted[i].sync->levels);
    if (rc == RC_OK && levels.has[SPEAKER_EVENTS_LISTENER])
        diag_set_least(g->listener, levels.of[SPEAKER_EVENTS_LISTENER]);
    g->env.diag = g->listener;
    return rc;
}

enum rc group_start(const struct group_opts *opts, struct group **ret, struct err *e)
{
    static const struct worker_job job = {group_run, group_failed};
    AUTO(group_freep) struct group *g = calloc(1, sizeof *g);
    if (!g)
        return err_nomem(e);
    worker_init(&g->worker, &job, g, &g->env);
    g->source = opts->source;
    g->accept_until_ns = opts->accept_until_ns;
    g->wiring = opts->wiring;
    g->given = g->env = *opts->env;
    enum rc rc = prepare(g, opts->members, opts->n_members, e);
    if (rc == RC_OK)
        rc = bind_listener(g, e);
    if (rc == RC_OK && worker_start(&g->worker, e) < 0)
        rc = err_wrap(e, "source %s", g->source->full_name);
    if (rc == RC_OK)
        *ret = steal(&g);
    return rc;
}

void group_ask_stop(struct group *g)
{
    worker_ask_stop(&g->worker);
}

bool group_ended(const struct group *g)
{
    return worker_ended(&g->worker);
}

void group_free(struct group *g)
{
    if (!g)
        return;
    worker_done(&g->worker);
    source_board_free(g->board);
    diag_free(g->listener);
    free(g->members);
    free(g->resolved);
    free(g->next);
    free(g->wanted);
    free(g);
}

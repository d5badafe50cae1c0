/* The pump: reads the log from the committed offset and keeps the sink busy. Its order of work in a
 * step: results first, then what is stuck, then keys to look at again, then the namespaces that
 * changed, then new events; so memory stays bounded by the sink's window. What is not committed is
 * read again after a crash. One thread. */
#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/map.h"
#include "flow/filter.h"
#include "flow/pump_drift.h"
#include "flow/pump_preimage.h"
#include "flow/pump_tree.h"
#include "flow/replication.h"
#include "flow/scope.h"
#include "log/rlog.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMIT_EVERY_NS (100 * NS_PER_MS)
#define COMMIT_ROWS     1000
#define IDLE_COMMIT_NS  NS_PER_S /* when nothing changed but the offset */
/* Further behind than this, only the last event of each key is read. */
#define CATCH_UP_EVENTS  512
#define EVENTS_PER_STEP  64
#define RESULTS_PER_STEP 64

/* ---- Life ---- */

static enum rc load_head(struct pump *p, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = ckpt_load(p->opts.ckpt, p->opts.replication->sync, &p->head, NULL, NULL, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    p->scanning = p->began_anew = rc == RC_NOTFOUND || p->head.generation == 0;
    p->has_rows = rc == RC_OK;
    if (p->scanning)
        p->head = (struct ckpt_head){.generation = 0, .offset = 1};
    struct rlog_bounds bounds;
    rc = rlog_bounds(p->opts.log, &bounds, e);
    if (rc < 0)
        return rc;
    if (p->head.offset > bounds.next)
        return err_set(
            e, RC_CORRUPT, ERR_FATAL,
            "the checkpoint of %.*s stands at offset %llu, but the log ends at %llu: "
            "the log lost events; restore it, or remove the checkpoint for a full resync",
            SLICE_ARG(p->opts.replication->sync), (unsigned long long)p->head.offset,
            (unsigned long long)bounds.next);
    p->next = p->head.offset;
    p->first_head = bounds.next;
    return RC_OK;
}

static void free_value(void *value)
{
    free(value);
}

enum rc pump_open(const struct pump_opts *opts, const struct env *env, struct pump **ret,
                  struct err *e)
{
    AUTO(pump_closep) struct pump *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->opts = *opts;
    p->env = *env;
    p->tree = scope_is_tree(opts->replication);
    buf_init(&p->parent, KEY_MAX);
    p->work = work_new();
    p->ns = namespaces_new();
    p->pruning = map_new(free_value);
    p->relabelled = map_new(free_value);
    p->leaving = map_new(free_value);
    p->opposite = map_new(NULL);
    if (!p->work || !p->ns || !p->pruning || !p->relabelled || !p->leaving || !p->opposite)
        return err_nomem(e);
    enum rc rc = rows_open(opts->ckpt, opts->replication->sync, &p->rows, e);
    if (rc == RC_OK)
        rc = pump_bind_log(p, e);
    if (rc == RC_OK)
        rc = load_head(p, e);
    if (rc == RC_OK)
        rc = namespaces_load(p->ns, opts->log, p->next, e);
    if (rc == RC_OK)
        rc = pump_review(p, e);
    if (rc == RC_OK)
        rc = pump_resume_leaving(p, e);
    if (rc == RC_OK)
        rc = pump_find_listing(p, e);
    if (rc < 0)
        return rc;
    pump_drift_plan(p);
    p->drift.wake_ns = INT64_MAX;
    *ret = steal(&p);
    return RC_OK;
}

void pump_close(struct pump *p)
{
    if (!p)
        return;
    event_iter_free(p->cursor);
    event_iter_free(p->recheck);
    event_iter_free(p->scan);
    pump_drift_done(p);
    work_free(p->work);
    rows_free(p->rows);
    namespaces_free(p->ns);
    buf_done(&p->parent);
    map_free(p->pruning);
    map_free(p->relabelled);
    map_free(p->leaving);
    map_free(p->opposite);
    free(p);
}

/* ---- Namespaces that changed their labels ---- */

enum rc pump_look_again(struct pump *p, struct slice prefix, rlog_off anchor, struct err *e)
{
    rlog_off *known = map_get(p->relabelled, prefix);
    rlog_off before = known ? *known : 0;
    rlog_off *value = malloc(sizeof *value);
    if (!value)
        return err_nomem(e);
    *value = anchor;
    enum rc rc = work_anchor(p->work, anchor, e);
    if (rc < 0) {
        free(value);
        return rc;
    }
    rc = map_put(p->relabelled, prefix, value, e);
    work_release(p->work, rc < 0 ? anchor : before);
    return rc;
}

/* The keys of one namespace, where these entries select by namespace. */
static enum rc relabel_of(struct pump *p, const struct replication_entry *entries, size_t n,
                          struct slice ns, rlog_off anchor, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        if (!entries[i].ns_selector)
            continue;
        AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
        key_print_prefix(entries[i].group, entries[i].resource, ns, &prefix);
        rc = buf_check(&prefix, "scope", e);
        if (rc == RC_OK)
            rc = pump_look_again(p, buf_slice(&prefix), anchor, e);
    }
    return rc;
}

/* Enters the keys of one namespace for another look, for each entry and exclusion that selects by namespace. */
static enum rc relabel(struct pump *p, struct slice ns, rlog_off anchor, struct err *e)
{
    const struct replication *r = p->opts.replication;
    event_iter_free(p->recheck); /* what it has passed may have to be looked at again */
    p->recheck = NULL;
    enum rc rc = relabel_of(p, r->entries, r->n_entries, ns, anchor, e);
    return rc == RC_OK ? relabel_of(p, r->excluded, r->n_excluded, ns, anchor, e) : rc;
}

static enum rc note_namespace(struct pump *p, const struct event *ev, struct err *e)
{
    enum ns_change change;
    enum rc rc = namespaces_apply(p->ns, ev, &change, e);
    if (rc < 0)
        return rc;
    if (change == NS_NEW)
        pump_release(p, ev->key);
    /* One that was not there when its source was first listed may have been before, with other labels;
     * and an earlier life may have gone by labels that this one does not see any more. */
    bool again = (change == NS_NEW && ev->cause != CAUSE_LIST) ||
                 (change == NS_UNCHANGED && ev->offset < p->first_head);
    if (change != NS_RELABELLED && !again)
        return RC_OK;
    size_t skip = sizeof NS_KEY_PREFIX - 1;
    return relabel(p, slice_of(ev->key.p + skip, ev->key.n - skip), ev->offset, e);
}

static void end_recheck(struct pump *p)
{
    struct map_entry entry;
    event_iter_free(p->recheck);
    p->recheck = NULL;
    if (!map_seek(p->relabelled, SLICE_NULL, false, &entry))
        return;
    work_release(p->work, *(rlog_off *)entry.value);
    map_delete(p->relabelled, entry.key);
}

/* Looks at one more key of the first relabelled prefix. The walk stands still at its opening, and news are read
 * beside it: from then on each key's last event is looked up, as the one of the walk may be older than what was
 * applied (I4). */
static enum rc recheck(struct pump *p, struct err *e)
{
    struct map_entry entry;
    if (!map_seek(p->relabelled, SLICE_NULL, false, &entry))
        return RC_AGAIN;
    enum rc rc = RC_OK;
    if (!p->recheck) {
        p->recheck_until = pump_horizon(p);
        struct rlog_range range = {
            .until = p->recheck_until, .prefix = entry.key, .mode = RLOG_LIVE};
        rc = rlog_cursor(p->opts.log, &range, &p->recheck, e);
    }
    const struct event *ev = NULL;
    if (rc == RC_OK)
        rc = event_iter_next(p->recheck, &ev, e);
    if (rc == RC_END || rc == RC_AGAIN) {
        end_recheck(p);
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    const struct again how = {.anchor = *(rlog_off *)entry.value};
    return pump_horizon(p) == p->recheck_until ? pump_evaluate(p, ev, &how, e)
                                               : work_again(p->work, ev->key, how, e);
}

/* ---- Reading ---- */

static enum rc read_internal(struct pump *p, const struct event *ev, struct err *e)
{
    if (ev->op == EVENT_GAP) {
        /* One in which nothing differed is no alarm: a quiet kind answers 410 after every restart of its server. */
        bool observed = memmem(ev->body.p, ev->body.n, "\"observed\"", 10) != NULL;
        size_t skip = sizeof "@gap/" - 1;
        DIAG(p->env.diag, observed ? DIAG_WARN : DIAG_INFO,
             "the log has a gap: changes were not observed",
             DIAG_S("scope", slice_of(ev->key.p + skip, ev->key.n - skip)),
             DIAG_N("offset", ev->offset));
    }
    if (ev->op != EVENT_SYNC_END && ev->op != EVENT_SYNC_BEGIN)
        return RC_OK;
    size_t skip = sizeof SYNC_PREFIX - 1;
    struct slice scope = slice_of(ev->key.p + skip, ev->key.n - skip);
    if (ev->op == EVENT_SYNC_END)
        pump_note_listing(p, scope, ev->offset);
    return pump_decide_prune(p, scope, ev->op == EVENT_SYNC_END ? ev->offset : 0, e);
}

static enum rc read_object(struct pump *p, const struct event *ev, struct err *e)
{
    if (ev->op != EVENT_PUT && ev->op != EVENT_DELETE)
        return RC_OK;
    if (slice_starts(ev->key, SLICE(NS_KEY_PREFIX))) {
        enum rc rc = note_namespace(p, ev, e);
        if (rc < 0)
            return rc;
    }
    return pump_evaluate(p, ev, &(struct again){.anchor = ev->offset}, e);
}

/* The event counts as read only when all that it asks for is noted. */
static enum rc read_event(struct pump *p, const struct event *ev, struct err *e)
{
    enum rc rc = key_is_internal(ev->key) ? read_internal(p, ev, e) : read_object(p, ev, e);
    if (rc == RC_OK)
        p->next = ev->offset + 1;
    return rc;
}

/* What an earlier life may have applied already is read as the last event of each key, so that no
 * older one is applied over it (I4). */
static enum rc open_cursor(struct pump *p, struct err *e)
{
    struct rlog_bounds bounds;
    enum rc rc = rlog_bounds(p->opts.log, &bounds, e);
    if (rc < 0)
        return rc;
    if (p->next >= bounds.next)
        return RC_AGAIN;
    struct rlog_range range = {.from = p->next, .all_keys = true};
    if (p->next < p->first_head || bounds.next - p->next > CATCH_UP_EVENTS) {
        /* Not further, where deletes would hide puts that are in doubt (see may_be_unrecorded). */
        range.until = p->next < p->first_head ? p->first_head : bounds.next;
        range.mode = RLOG_LAST_PER_KEY;
    }
    rc = rlog_cursor(p->opts.log, &range, &p->cursor, e);
    if (rc == RC_OK)
        p->cursor_until = range.until;
    return rc;
}

static void drop_cursor(struct pump *p)
{
    event_iter_free(p->cursor);
    p->cursor = NULL;
}

/* Room after the sink had none: a cursor that follows the tail and fell far behind is given up for one
 * that catches up. */
static enum rc check_pace(struct pump *p, struct err *e)
{
    if (!p->cursor || p->cursor_until)
        return RC_OK;
    struct rlog_bounds bounds;
    enum rc rc = rlog_bounds(p->opts.log, &bounds, e);
    if (rc == RC_OK && bounds.next - p->next > CATCH_UP_EVENTS)
        drop_cursor(p);
    return rc;
}

static enum rc read_next(struct pump *p, struct err *e)
{
    enum rc rc = p->cursor ? RC_OK : open_cursor(p, e);
    if (rc != RC_OK)
        return rc;
    const struct event *ev;
    rc = event_iter_next(p->cursor, &ev, e);
    if (rc == RC_OK)
        rc = read_event(p, ev, e);
    if (rc == RC_END) {
        p->next = p->cursor_until;
        drop_cursor(p);
        return RC_OK;
    }
    if (rc < 0)
        drop_cursor(p); /* what failed is read again */
    return rc;
}

/* ---- Step ---- */

static enum rc take_results(struct pump *p, bool *ret_any, struct err *e)
{
    for (int i = 0; i < RESULTS_PER_STEP; i++) {
        enum rc rc = pump_take_result(p, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        *ret_any = true;
    }
    return RC_OK;
}

/* One piece of whatever is next, or RC_AGAIN. */
static enum rc feed(struct pump *p, struct err *e)
{
    bool was_stuck = p->stuck;
    enum rc rc = pump_unstick(p, e);
    if (rc == RC_OK && was_stuck)
        rc = check_pace(p, e);
    if (rc != RC_OK || p->draining)
        return rc == RC_OK ? RC_AGAIN : rc;
    if (p->scanning) {
        rc = pump_scan(p, e);
        if (rc != RC_END)
            return rc;
        p->scanning = false;
        p->scanned = !p->scan_skipped;
        return pump_commit(p, SLICE_NULL, e);
    }
    /* In turns, so that keys without end that are tried again do not keep news waiting (I11). */
    p->news_first = !p->news_first;
    rc = p->news_first ? read_next(p, e) : RC_AGAIN;
    if (rc == RC_AGAIN)
        rc = pump_do_again(p, e);
    if (rc == RC_AGAIN)
        rc = recheck(p, e);
    if (rc == RC_AGAIN)
        rc = read_next(p, e);
    if (rc == RC_AGAIN)
        rc = pump_compare(p, &p->drift.wake_ns, e);
    return rc;
}

static enum rc feed_some(struct pump *p, bool *ret_any, struct err *e)
{
    for (int i = 0; i < EVENTS_PER_STEP; i++) {
        enum rc rc = feed(p, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        *ret_any = true;
    }
    return RC_OK;
}

static enum rc commit_if_due(struct pump *p, int64_t *ret_due_ns, struct err *e)
{
    int64_t now = clock_boot_ns(p->env.clock);
    bool rows = rows_pending(p->rows) > 0;
    bool moved = work_lowest(p->work, p->next) > p->head.offset || pump_is_reviewed(p);
    if (p->scanning || (!rows && !moved)) {
        *ret_due_ns = INT64_MAX;
        return RC_OK;
    }
    int64_t due = p->commit_due_ns + (rows ? 0 : IDLE_COMMIT_NS - COMMIT_EVERY_NS);
    if (rows_pending(p->rows) >= COMMIT_ROWS || now >= due) {
        *ret_due_ns = INT64_MAX;
        return pump_commit(p, SLICE_NULL, e);
    }
    *ret_due_ns = due;
    return RC_OK;
}

static enum rc check_sink(struct pump *p, struct err *e)
{
    struct sink_status status;
    sink_status(p->opts.sink, &status);
    if (status.fatal)
        return err_set(e, RC_INVALID, ERR_FATAL, "%s", status.error);
    return status.connected && !p->met ? pump_bind_destination(p, &status, e) : RC_OK;
}

enum rc pump_step(struct pump *p, int64_t *ret_wake_ns, struct err *e)
{
    bool any = false;
    int64_t sink_wake = INT64_MAX, hold_due = INT64_MAX, commit_due = INT64_MAX;
    int64_t leave_due = INT64_MAX;
    enum rc rc = sink_step(p->opts.sink, &sink_wake, e);
    any = rc == RC_OK;
    if (rc >= 0)
        rc = check_sink(p, e);
    if (rc >= 0)
        rc = take_results(p, &any, e);
    if (rc >= 0 && !p->draining && !p->scanning) {
        rc = pump_retry_holds(p, &hold_due, e);
        any = any || rc == RC_OK;
    }
    if (rc >= 0)
        rc = feed_some(p, &any, e);
    if (rc >= 0) {
        rc = pump_decide_leaving(p, &leave_due, e);
        any = any || rc == RC_OK;
    }
    if (rc >= 0)
        rc = commit_if_due(p, &commit_due, e);
    if (rc < 0)
        return rc;
    if (any)
        return RC_OK;
    int64_t wake = sink_wake < hold_due ? sink_wake : hold_due;
    wake = wake < commit_due ? wake : commit_due;
    wake = wake < leave_due ? wake : leave_due;
    bool idle = !p->draining && !p->stuck;
    *ret_wake_ns = idle && p->drift.wake_ns < wake ? p->drift.wake_ns : wake;
    return RC_AGAIN;
}

void pump_drain(struct pump *p)
{
    p->draining = true;
}

rlog_off pump_horizon(const struct pump *p)
{
    return p->next > p->first_head ? p->next : p->first_head;
}

bool pump_idle(const struct pump *p)
{
    return work_count(p->work) == 0;
}

/* Generation 0 says that the first scan is not complete: after a crash it starts anew. */
enum rc pump_commit(struct pump *p, struct slice status, struct err *e)
{
    struct ckpt_head head = p->head;
    if (!p->scanning) {
        rlog_off done = work_lowest(p->work, p->next);
        head.offset = done > head.offset ? done : head.offset;
        head.generation = head.generation ? head.generation : 1;
    }
    enum rc rc = sink_flush(p->opts.sink, e);
    if (rc == RC_OK)
        rc = pump_end_review(p, e);
    if (rc == RC_OK)
        rc = rows_commit(p->rows, &head, status, e);
    if (rc != RC_OK)
        return rc;
    p->head = head;
    p->commit_due_ns = clock_boot_ns(p->env.clock) + COMMIT_EVERY_NS;
    pump_release(p, SLICE(PREIMAGE_DEPENDENCY));
    return RC_OK;
}

/* ---- Status ---- */

/* When the event at the committed offset happened; 0 if there is none or it cannot be read. Found out once for each
 * offset. */
static int64_t oldest_time(struct pump *p)
{
    if (p->oldest_at == p->head.offset && p->oldest_ns)
        return p->oldest_ns;
    p->oldest_at = p->head.offset;
    p->oldest_ns = 0;
    struct rlog_range range = {
        .from = p->head.offset, .until = p->head.offset + 1, .all_keys = true};
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    struct err e = ERR_INIT;
    if (rlog_cursor(p->opts.log, &range, &it, &e) != RC_OK || event_iter_next(it, &ev, &e) != RC_OK)
        return 0;
    return p->oldest_ns = ev->time_ns;
}

void pump_status(struct pump *p, struct pump_status *ret)
{
    struct pump_status s = {.offset = p->head.offset,
                            .decided = work_lowest(p->work, p->next),
                            .in_flight = work_count(p->work),
                            .began_anew = p->began_anew};
    struct rlog_bounds bounds;
    struct err e = ERR_INIT;
    s.head = rlog_bounds(p->opts.log, &bounds, &e) == RC_OK ? bounds.next : s.offset;
    s.lag_records = s.head > s.offset ? s.head - s.offset : 0;
    s.oldest_ns = s.lag_records ? oldest_time(p) : 0;
    struct rows_counts counts;
    rows_count(p->rows, &counts);
    s.held = counts.held;
    s.waiting = counts.waiting;
    s.prune_held = counts.prune;
    s.skipped = counts.skipped;
    s.deselected = counts.deselected;
    s.compared_ns = p->drift.ended_ns;
    s.repaired = p->drift.repaired;
    s.uncompared = p->drift.uncompared;
    /* What is decided again may lie far back: what was committed never goes back. */
    s.catching_up =
        p->scanning || p->review || (s.decided < p->first_head && s.offset < p->first_head);
    s.unlisted = pump_is_unlisted(p);
    struct sink_status sink;
    sink_status(p->opts.sink, &sink);
    if (sink.error[0])
        snprintf(s.error, sizeof s.error, "%s", sink.error);
    else if (counts.held)
        snprintf(s.error, sizeof s.error, "%s", p->error);
    *ret = s;
}

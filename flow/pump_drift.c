/* The comparison of the destination with the applied table: what somebody changed or deleted there is written again.
 *
 * A round goes through the synchronization's scopes one after another; each is listed by the sink (metadata only),
 * and when the list is complete one walk over the rows compares both. What the sink no longer recognises is looked at by
 * the usual way of an item, with the doubt that the record may be wrong: so a round sends no write where nothing differs,
 * and the next one no look either. Only a complete list says that a copy is missing. Keeps what the list had of one
 * scope at hand. One thread. */
#include "flow/pump_drift.h"

#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/dict.h"
#include "core/rng.h"
#include "flow/replication.h"
#include "flow/scope.h"
#include "log/rlog.h"

#include <stdlib.h>
#include <string.h>

#define JITTER_PERCENT 10
#define TAKEN_UP_ROWS  1000 /* a commit after so many */

void pump_drift_done(struct pump *p)
{
    event_iter_free(p->drift.scan);
    dict_free(p->drift.seen);
    p->drift.scan = NULL;
    p->drift.seen = NULL;
}

/* Rounds of many synchronizations that were started together drift apart. */
void pump_drift_plan(struct pump *p)
{
    int64_t period = p->opts.replication->resync_ns;
    int64_t jitter = period / 100 * JITTER_PERCENT;
    if (period <= 0) {
        p->drift.due_ns = INT64_MAX;
        return;
    }
    if (jitter > 0)
        period += (int64_t)rng_below(p->env.rng, (uint64_t)(2 * jitter + 1)) - jitter;
    p->drift.due_ns = clock_boot_ns(p->env.clock) + period;
}

void pump_compare_now(struct pump *p, rlog_off upto)
{
    pump_drift_done(p);
    p->drift.running = false;
    p->drift.due_ns = 0;
    p->drift.upto = upto;
}

void pump_compare_upto(struct pump *p, rlog_off upto)
{
    p->drift.upto = upto;
}

/* What the log says of the key decides. Where it says nothing (a lost log, a source that was not listed yet) nothing is
 * done: that the source has no such object only a complete listing of it can say (I6). */
static enum rc look(struct pump *p, struct slice key, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found last = {0};
    struct err why = ERR_INIT;
    enum rc rc = rlog_last(p->opts.log, key, pump_horizon(p), &last, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc < 0) {
        *e = why;
        return rc;
    }
    p->drift.looks++;
    return work_again(p->work, key, (struct again){.anchor = last.event.offset, .unsure = true}, e);
}

/* Held keys are tried by themselves, and what is in flight brings a new record. */
static bool is_busy(struct pump *p, struct slice key)
{
    return rows_hold(p->rows, key) || work_by_key(p->work, key);
}

/* ---- What the list has ---- */

/* A copy as the list had it. */
struct seen {
    bool busy;  /* and being written then */
    bool known; /* it has a row */
    struct slice uid, version;
    struct slice body; /* of one that had no row then; else empty */
    char text[];       /* of its slices */
};

static char *keep_text(char *at, struct slice from, struct slice *ret)
{
    if (from.n)
        memcpy(at, from.p, from.n);
    *ret = slice_of(at, from.n);
    return at + from.n;
}

/* What it says of a copy is needed where we know nothing of that; without a mark it may be anybody's. */
static enum rc needs_body(struct pump *p, const struct event *found, bool *ret, struct err *e)
{
    struct applied a;
    struct err why = ERR_INIT;
    *ret = false;
    if (found->body.n == 0)
        return RC_OK;
    enum rc rc = rows_applied(p->rows, found->key, &a, &why);
    *ret = rc == RC_NOTFOUND;
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

static enum rc note_found(struct pump *p, const struct event *found, struct err *e)
{
    bool unknown;
    enum rc rc = needs_body(p, found, &unknown, e);
    if (rc != RC_OK)
        return rc;
    struct slice body = unknown ? found->body : SLICE_NULL;
    struct seen *s = malloc(sizeof *s + found->uid.n + found->version.n + body.n);
    if (!s)
        return err_nomem(e);
    *s = (struct seen){.busy = is_busy(p, found->key)};
    char *at = keep_text(s->text, found->uid, &s->uid);
    at = keep_text(at, found->version, &s->version);
    keep_text(at, body, &s->body);
    return dict_put(p->drift.seen, found->key, s, e);
}

/* ---- What it lacks, and what is another ---- */

static bool is_as_recorded(const struct pump *p, struct slice key, const struct applied *a,
                           const struct seen *s)
{
    if (!s)
        return sink_recognises(p->opts.sink, a->record, NULL);
    const struct event found = {.key = key, .uid = s->uid, .version = s->version};
    return sink_recognises(p->opts.sink, a->record, &found);
}

/* What was applied since the list began tells more than the list, of a tree: its sink looks at each item. Of other
 * objects an event may have been applied without a request. */
static bool is_newer(const struct pump *p, const struct applied *a)
{
    return p->tree && a->offset >= p->drift.from;
}

static enum rc compare_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    struct pump *p = arg;
    struct seen *s = dict_get(p->drift.seen, key);
    if (s)
        s->known = true;
    if (a->state != APPLIED_SYNCED || is_newer(p, a) || is_busy(p, key) || (s && s->busy) ||
        is_as_recorded(p, key, a, s))
        return RC_OK;
    return look(p, key, e);
}

/* ---- What has no row ---- */

/* It bears our mark and is not known: an earlier life made it and died. Noted as the first scan does, and decided
 * again. */
static enum rc take_up(struct pump *p, struct slice key, const struct seen *s, struct err *e)
{
    const struct applied a = {.state = APPLIED_SYNCED, .record = s->body};
    enum rc rc = rows_set_applied(p->rows, key, &a, e);
    return rc == RC_OK ? look(p, key, e) : rc;
}

static enum rc take_up_unknown(struct pump *p, struct err *e)
{
    struct slice key;
    void *value;
    enum rc rc = RC_OK;
    for (size_t at = 0; rc == RC_OK && dict_next(p->drift.seen, &at, &key, &value);) {
        const struct seen *s = value;
        if (!s->known && !s->busy && s->body.n > 0 && !is_busy(p, key))
            rc = take_up(p, key, s, e);
        if (rc == RC_OK && rows_pending(p->rows) >= TAKEN_UP_ROWS)
            rc = pump_commit(p, SLICE_NULL, e);
    }
    return rc;
}

static enum rc end_scope(struct pump *p, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(2 * KEY_MAX);
    AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
    const struct replication_entry *entry = &p->opts.replication->entries[p->drift.entry];
    struct scope scope;
    enum rc rc = scope_of_entry(entry, &text, &scope, e);
    if (rc == RC_OK)
        rc = scope_print_prefix(&scope, &prefix, e);
    if (rc == RC_OK && rows_pending(p->rows) > 0)
        rc = pump_commit(p, SLICE_NULL, e); /* only what is committed is walked */
    if (rc == RC_OK)
        rc = rows_scan_applied(p->rows, buf_slice(&prefix), compare_row, p, e);
    return rc == RC_OK ? take_up_unknown(p, e) : rc;
}

/* ---- A round ---- */

static void next_scope(struct pump *p)
{
    pump_drift_done(p);
    p->drift.entry++;
}

static enum rc open_scope(struct pump *p, struct err *e)
{
    enum rc rc = pump_open_scan(p, p->drift.entry, &p->drift.scan, e);
    if (rc == RC_END) {
        next_scope(p);
        return RC_OK;
    }
    p->drift.from = p->next;
    p->drift.listed = false;
    p->drift.seen = rc == RC_OK ? dict_new(free) : NULL;
    return rc == RC_OK && !p->drift.seen ? err_nomem(e) : rc;
}

static void end_round(struct pump *p)
{
    p->drift.running = false;
    p->drift.upto = 0;
    p->drift.ended_ns = clock_wall_ns(p->env.clock);
    p->drift.uncompared = p->drift.skipped;
    DIAG(pump_reconciler(p), p->drift.looks ? DIAG_INFO : DIAG_DEBUG,
         "the destination was compared with what was applied", DIAG_N("changed", p->drift.looks));
    pump_drift_plan(p);
}

/* A scope that cannot be listed tells nothing about its copies. */
static enum rc skip_scope(struct pump *p, const struct err *why, struct err *e)
{
    if (why->rc == RC_NOMEM)
        return err_nomem(e);
    const struct replication_entry *entry = &p->opts.replication->entries[p->drift.entry];
    DIAG(pump_reconciler(p), DIAG_WARN, "error listing objects in cluster",
         DIAG_J("destinationObject.apiGroup", entry->group),
         DIAG_J("destinationObject.apiVersion", entry->version),
         DIAG_S("destinationObject.resource", entry->root.n ? entry->root : entry->resource),
         DIAG_S("reason", SLICE("copies cannot be compared: the destination does not list them")),
         DIAG_S("error", slice_str(why->msg)));
    p->drift.skipped++;
    next_scope(p);
    return RC_OK;
}

static enum rc read_scope(struct pump *p, struct err *e)
{
    const struct event *found;
    struct err why = ERR_INIT;
    enum rc rc = event_iter_next(p->drift.scan, &found, &why);
    if (rc == RC_OK)
        return note_found(p, found, e);
    if (rc == RC_AGAIN)
        return rc;
    if (rc < 0 && rc != RC_NOTFOUND) /* without the kind its copies are gone, too */
        return skip_scope(p, &why, e);
    p->drift.listed = true;
    return RC_OK;
}

static enum rc compare_scope(struct pump *p, struct err *e)
{
    if (p->next < p->drift.upto)
        return RC_AGAIN;
    enum rc rc = end_scope(p, e);
    pump_drift_done(p);
    p->drift.looked = true;
    return rc;
}

/* What was looked at was decided meanwhile, for keys to look at again come first. A copy that nobody knew and whose
 * source is gone by a listing of before is pruned here; no other listing may come for days. */
static enum rc settle_scope(struct pump *p, struct err *e)
{
    const struct replication_entry *entry = &p->opts.replication->entries[p->drift.entry];
    AUTO(buf_done) struct buf text = BUF_INIT(2 * KEY_MAX);
    struct scope scope;
    enum rc rc = scope_of_entry(entry, &text, &scope, e);
    p->drift.looked = false;
    next_scope(p);
    return rc == RC_OK ? pump_decide_prune(p, scope.text, 0, e) : rc;
}

static enum rc continue_round(struct pump *p, struct err *e)
{
    struct err why = ERR_INIT;
    if (p->drift.entry == p->opts.replication->n_entries) {
        end_round(p);
        return RC_OK;
    }
    if (p->drift.scan)
        return p->drift.listed ? compare_scope(p, e) : read_scope(p, e);
    if (p->drift.looked)
        return settle_scope(p, e);
    enum rc rc = open_scope(p, &why);
    return rc < 0 ? skip_scope(p, &why, e) : rc;
}

enum rc pump_compare(struct pump *p, int64_t *ret_due_ns, struct err *e)
{
    bool ready = !p->scanning && !p->review && p->next >= p->first_head;
    *ret_due_ns = INT64_MAX; /* the sink's answers, or new events, bring the pump back */
    if (!ready)
        return RC_AGAIN;
    if (!p->drift.running) {
        if (clock_boot_ns(p->env.clock) < p->drift.due_ns) {
            *ret_due_ns = p->drift.due_ns;
            return RC_AGAIN;
        }
        p->drift.running = true;
        p->drift.looked = false;
        p->drift.entry = 0;
        p->drift.looks = 0;
        p->drift.skipped = 0;
    }
    return continue_round(p, e);
}

/* Deletes that nobody saw: inferred from a listing, or found as marked objects of the destination
 * that the log does not know. They are carried out together at the listing's end, and held together
 * when they are too many (I6). One thread. */
#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/map.h"
#include "flow/replication.h"
#include "flow/scope.h"
#include "log/rlog.h"

#include <stdio.h>
#include <stdlib.h>

enum rc pump_collect_prune(struct pump *p, struct slice key, rlog_off anchor, struct err *e)
{
    rlog_off *known = map_get(p->pruning, key);
    if (known && *known >= anchor)
        return RC_OK;
    rlog_off *value = malloc(sizeof *value);
    if (!value)
        return err_nomem(e);
    *value = anchor;
    enum rc rc = work_anchor(p->work, anchor, e);
    if (rc < 0) {
        free(value);
        return rc;
    }
    rlog_off before = known ? *known : 0;
    rc = map_put(p->pruning, key, value, e);
    work_release(p->work, rc < 0 ? anchor : before);
    return rc;
}

void pump_forget_prune(struct pump *p, struct slice key)
{
    rlog_off *anchor = map_get(p->pruning, key);
    if (!anchor)
        return;
    work_release(p->work, *anchor);
    map_delete(p->pruning, key);
}

size_t pump_prune_limit(size_t copies)
{
    size_t share = copies * PUMP_PRUNE_PERCENT / 100;
    return share > PUMP_PRUNE_COUNT ? share : PUMP_PRUNE_COUNT;
}

bool pump_may_prune(const struct pump *p)
{
    return clock_boot_ns(p->env.clock) < p->opts.prune_until_ns;
}

/* A scope with the beginning of its keys. */
struct place {
    struct scope scope;
    struct slice prefix;
};

struct survey {
    struct pump *p;
    const struct place *place;
    rlog_off sync_end;
    size_t synced;
};

/* Counts the scope's copies, and collects those that the log has never seen. */
static enum rc survey_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    struct survey *s = arg;
    if (a->state != APPLIED_SYNCED || !scope_has(&s->place->scope, key))
        return RC_OK;
    s->synced++;
    const struct hold *h = rows_hold(s->p->rows, key);
    bool decided = h && hold_is_prune(h);
    if (a->offset != 0 || s->sync_end == 0 || decided)
        return RC_OK;
    AUTO(rlog_found_done) struct rlog_found found = {0};
    enum rc rc = rlog_last(s->p->opts.log, key, pump_horizon(s->p), &found, e);
    return rc == RC_NOTFOUND ? pump_collect_prune(s->p, key, s->sync_end, e) : rc;
}

/* The next key that is pruned and of that place. */
static bool next_pruning(struct pump *p, const struct place *at, struct map_entry *entry)
{
    bool after = entry->key.n > 0;
    while (map_seek(p->pruning, after ? entry->key : at->prefix, after, entry) &&
           slice_starts(entry->key, at->prefix)) {
        if (scope_has(&at->scope, entry->key))
            return true;
        after = true;
    }
    return false;
}

static size_t count_pruning(struct pump *p, const struct place *at)
{
    size_t n = 0;
    struct map_entry entry = {SLICE_NULL, NULL};
    while (next_pruning(p, at, &entry))
        n++;
    return n;
}

static enum rc settle(struct pump *p, struct slice key, rlog_off anchor, const char *held_because,
                      struct err *e)
{
    if (!held_because)
        return work_again(p->work, key, (struct again){anchor, .approved = true}, e);
    struct hold_reason why = {.cls = HOLD_PRUNE, .reason = held_because, .retry_after_ns = -1};
    return pump_hold(p, key, anchor, &why, e);
}

static enum rc settle_all(struct pump *p, const struct place *at, const char *held_because,
                          struct err *e)
{
    for (struct map_entry entry = {SLICE_NULL, NULL}; next_pruning(p, at, &entry);
         entry.key = SLICE_NULL) {
        rlog_off anchor = *(rlog_off *)entry.value;
        enum rc rc = settle(p, entry.key, anchor, held_because, e);
        if (rc < 0)
            return rc;
        map_delete(p->pruning, entry.key);
        work_release(p->work, anchor);
    }
    return RC_OK;
}

/* Where nothing of the scope can be decided no rows need to be read. */
static bool concerns(struct pump *p, const struct place *at, rlog_off sync_end)
{
    const struct replication *r = p->opts.replication;
    bool meets = false;
    for (size_t i = 0; sync_end && i < r->n_entries && !meets; i++)
        meets = scope_meets_entry(&at->scope, &r->entries[i]);
    return meets || count_pruning(p, at) > 0;
}

enum rc pump_decide_prune(struct pump *p, struct slice scope, rlog_off sync_end, struct err *e)
{
    AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
    struct place at = {.scope = {scope, p->tree}};
    enum rc rc = scope_print_prefix(&at.scope, &prefix, e);
    at.prefix = buf_slice(&prefix);
    if (rc < 0 || !concerns(p, &at, sync_end))
        return rc;
    if (rows_pending(p->rows) > 0)
        rc = pump_commit(p, SLICE_NULL, e);
    struct survey survey = {.p = p, .place = &at, .sync_end = sync_end};
    if (rc == RC_OK)
        rc = rows_scan_applied(p->rows, at.prefix, survey_row, &survey, e);
    if (rc < 0)
        return rc;
    size_t n = count_pruning(p, &at);
    size_t limit = pump_prune_limit(survey.synced);
    if (n <= limit || pump_may_prune(p))
        return settle_all(p, &at, NULL, e);
    char why[HOLD_TEXT_MAX];
    snprintf(why, sizeof why,
             "%zu of %zu copies of %.*s are gone from the source by a listing, nobody saw their "
             "deletion; more than %zu at once needs "
             "approval: resilog run --allow-prune %.*s",
             n, survey.synced, SLICE_ARG(scope), limit, SLICE_ARG(p->opts.replication->sync));
    DIAG(pump_reconciler(p), DIAG_WARN, "pruning held", DIAG_S("reason", slice_str(why)));
    return settle_all(p, &at, why, e);
}

/* ---- The first scan ---- */

enum rc pump_open_scan(struct pump *p, size_t index, struct event_iter **ret, struct err *e)
{
    const struct replication *r = p->opts.replication;
    const struct replication_entry *entry = &r->entries[index];
    for (size_t i = 0; i < index; i++)
        if (slice_eq(r->entries[i].group, entry->group) &&
            slice_eq(r->entries[i].resource, entry->resource))
            return RC_END;
    AUTO(buf_done) struct buf text = BUF_INIT(2 * KEY_MAX);
    AUTO(buf_done) struct buf version = BUF_INIT(2 * KEY_MAX);
    struct scope scope;
    buf_addf(&version, "%.*s%s%.*s", SLICE_ARG(entry->group), entry->group.n ? "/" : "",
             SLICE_ARG(entry->version));
    enum rc rc = scope_of_entry(entry, &text, &scope, e);
    if (rc == RC_OK)
        rc = buf_check(&version, "version", e);
    if (rc < 0)
        return rc;
    rc = sink_scan(p->opts.sink, scope.text, buf_slice(&version), ret, e);
    return rc == RC_UNSUPPORTED ? RC_END : rc;
}

static void next_scan(struct pump *p)
{
    event_iter_free(p->scan);
    p->scan = NULL;
    p->scan_entry++;
}

/* One kind that the destination does not list holds up no other one: its copies of before are only known by the
 * looks of their writes, and none is deleted that the log has never seen. */
static enum rc skip_scan(struct pump *p, const struct err *why, struct err *e)
{
    if (why->rc == RC_NOMEM)
        return err_nomem(e);
    diag_error(p->env.diag, why->rc == RC_NOTFOUND ? DIAG_DEBUG : DIAG_WARN,
               "copies of before cannot be found: the destination does not list them", why);
    p->scan_skipped = true;
    next_scan(p);
    return RC_OK;
}

static enum rc note_scanned(struct pump *p, const struct event *ev, struct err *e)
{
    const struct applied a = {.state = APPLIED_SYNCED, .record = ev->body};
    struct applied known;
    struct err why = ERR_INIT;
    enum rc rc = p->has_rows ? rows_applied(p->rows, ev->key, &known, &why) : RC_NOTFOUND;
    if (rc == RC_OK && known.state == APPLIED_DESELECTED)
        return RC_OK;
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    return rows_set_applied(p->rows, ev->key, &a, e);
}

enum rc pump_scan(struct pump *p, struct err *e)
{
    if (p->scan_entry == p->opts.replication->n_entries)
        return RC_END;
    const struct event *ev = NULL;
    struct err why = ERR_INIT;
    enum rc rc = p->scan ? event_iter_next(p->scan, &ev, &why)
                         : pump_open_scan(p, p->scan_entry, &p->scan, &why);
    if (rc < 0)
        return skip_scan(p, &why, e);
    if (rc == RC_END) {
        next_scan(p);
        return RC_OK;
    }
    if (rc != RC_OK || !ev)
        return rc;
    if (ev->body.n > 0)
        return note_scanned(p, ev, e);
    p->scan_skipped =
        true; /* without marks it only tells what is there, not which of it are copies */
    next_scan(p);
    return RC_OK;
}

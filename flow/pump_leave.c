/* What left the selection, where its copies are to be removed (pruneDeselected): collected for a while, then decided
 * together, kind by kind, under the guard of all deletes that nobody asked for (I6). For one edit of a filter or of a
 * namespace's labels may concern thousands, and a typing mistake in it must not; what left within the hour before is
 * counted in, for it may concern them one after another.
 *
 * Keeps the keys with what waits for them, so a crash reads or reviews them again, or finds them in the applied rows:
 * these say that a key left before its copy goes, and what is selected again afterwards is looked at. One thread. */
#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/key.h"
#include "core/map.h"
#include "flow/replication.h"
#include "flow/scope.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer than an edit of many labels, one after another, pauses in between. */
#define TOGETHER_NS (3 * NS_PER_S)

struct leaver {
    rlog_off offset; /* of the event as of which it is not selected */
    rlog_off anchor;
};

enum rc pump_leave(struct pump *p, struct slice key, rlog_off offset, rlog_off anchor,
                   struct err *e)
{
    if (map_get(p->leaving, key))
        return RC_OK;
    struct leaver *l = malloc(sizeof *l);
    if (!l)
        return err_nomem(e);
    *l = (struct leaver){offset, anchor};
    enum rc rc = work_anchor(p->work, anchor, e);
    if (rc < 0) {
        free(l);
        return rc;
    }
    if (map_count(p->leaving) == 0)
        p->leaving_due_ns = clock_boot_ns(p->env.clock) + TOGETHER_NS;
    rc = map_put(p->leaving, key, l, e);
    if (rc < 0)
        work_release(p->work, anchor);
    return rc;
}

/* Where the removal was held, or refused, the hold brings it up again. */
static enum rc resume_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    struct pump *p = arg;
    bool open = a->state == APPLIED_DESELECTED && !rows_hold(p->rows, key);
    return open ? pump_leave(p, key, a->offset, /* anchor= */ 0, e) : RC_OK;
}

/* What was read or walked through is again, for it held back the commit or the end of the review; of what a comparison
 * found the row alone tells. */
enum rc pump_resume_leaving(struct pump *p, struct err *e)
{
    struct rows_counts n;
    rows_count(p->rows, &n);
    if (!p->opts.replication->prune_deselected || p->review || p->scanning || n.deselected == 0)
        return RC_OK;
    return rows_scan_applied(p->rows, SLICE_NULL, resume_row, p, e);
}

void pump_stay(struct pump *p, struct slice key)
{
    const struct leaver *l = map_get(p->leaving, key);
    if (!l)
        return;
    work_release(p->work, l->anchor);
    map_delete(p->leaving, key);
}

/* ---- The decision ---- */

static enum rc count_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    size_t *n = arg;
    (void)key;
    (void)a;
    (void)e;
    ++*n;
    return RC_OK;
}

/* Of a kind: what leaves now. */
static size_t count_leaving(struct pump *p, struct slice prefix)
{
    size_t n = 0;
    struct map_entry entry = {prefix, NULL};
    for (bool after = false; map_seek(p->leaving, entry.key, after, &entry); after = true, n++)
        if (!slice_starts(entry.key, prefix))
            break;
    return n;
}

/* What was held before because it was too much, is not given up and does not leave now. */
static size_t count_held(struct pump *p, struct slice prefix)
{
    size_t n = 0;
    struct slice key = prefix;
    struct hold *h;
    while (rows_next_hold(p->rows, key, &key, &h) && slice_starts(key, prefix))
        n += hold_is_prune(h) && !h->skipped && !map_get(p->leaving, key);
    return n;
}

static enum rc settle(struct pump *p, struct slice key, const struct leaver *l,
                      const char *held_because, struct err *e)
{
    if (!held_because)
        return work_again(p->work, key, (struct again){.anchor = l->anchor, .leaving = true}, e);
    struct hold_reason why = {.cls = HOLD_PRUNE, .reason = held_because, .retry_after_ns = -1};
    return pump_hold(p, key, l->offset, &why, e);
}

static enum rc settle_kind(struct pump *p, struct slice prefix, const char *held_because,
                           struct err *e)
{
    struct map_entry entry;
    enum rc rc = RC_OK;
    while (rc == RC_OK && map_seek(p->leaving, prefix, false, &entry) &&
           slice_starts(entry.key, prefix)) {
        rc = settle(p, entry.key, entry.value, held_because, e);
        if (rc == RC_OK)
            pump_stay(p, entry.key);
    }
    return rc;
}

/* The limit is a share of what the hour began with. */
static enum rc decide_kind(struct pump *p, struct slice kind, struct slice prefix, struct err *e)
{
    char why[HOLD_TEXT_MAX];
    size_t copies = 0;
    struct removed removed;
    enum rc rc = rows_scan_applied(p->rows, prefix, count_row, &copies, e);
    if (rc == RC_OK)
        rc = pump_removed(p, prefix, &removed, e);
    if (rc != RC_OK)
        return rc;
    size_t leaving = count_leaving(p, prefix), before = removed.n;
    size_t n = leaving + count_held(p, prefix) + before;
    size_t limit = pump_prune_limit(copies + before);
    if (pump_may_prune(p))
        return settle_kind(p, prefix, NULL, e);
    removed.n += n <= limit ? leaving : 0;
    rc = pump_note_removed(p, prefix, &removed, e);
    if (rc < 0 || n <= limit)
        return rc == RC_OK ? settle_kind(p, prefix, NULL, e) : rc;
    snprintf(why, sizeof why,
             "%zu of %zu copies of %.*s left the selection (%zu of them were removed within an "
             "hour); to remove more than %zu in an hour needs approval: resilog run --allow-prune "
             "%.*s",
             n, copies + before, SLICE_ARG(kind), before, limit,
             SLICE_ARG(p->opts.replication->sync));
    DIAG(pump_reconciler(p), DIAG_WARN, "pruning held", DIAG_S("reason", slice_str(why)));
    return settle_kind(p, prefix, why, e);
}

/* The kind of the first key that leaves. */
static enum rc decide_first(struct pump *p, struct slice first, struct err *e)
{
    AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
    const struct scope kind = scope_of_kind(first, p->tree);
    enum rc rc = scope_print_prefix(&kind, &prefix, e);
    return rc == RC_OK ? decide_kind(p, kind.text, buf_slice(&prefix), e) : rc;
}

enum rc pump_decide_leaving(struct pump *p, int64_t *ret_due_ns, struct err *e)
{
    struct map_entry first;
    bool complete = !p->scanning && p->next >= p->first_head && map_count(p->relabelled) == 0;
    *ret_due_ns = INT64_MAX; /* what is to be read or walked through brings the pump back */
    if (map_count(p->leaving) == 0 || !complete || p->draining)
        return RC_AGAIN;
    if (clock_boot_ns(p->env.clock) < p->leaving_due_ns) {
        *ret_due_ns = p->leaving_due_ns;
        return RC_AGAIN;
    }
    enum rc rc = rows_pending(p->rows) > 0 ? pump_commit(p, SLICE_NULL, e) : RC_OK;
    while (rc == RC_OK && map_seek(p->leaving, SLICE_NULL, false, &first))
        rc = decide_first(p, first.key, e);
    return rc;
}

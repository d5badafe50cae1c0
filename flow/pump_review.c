/* A replication that was changed: what was applied by other filters or another patch is decided again, from the log
 * alone. Runs from pump_open on beside everything else; only when nothing of it is open any more the checkpoint says
 * that it goes by the new replication, so a crash begins it anew. One thread. */
#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/diag.h"
#include "core/map.h"
#include "flow/filter.h"
#include "flow/replication.h"
#include "flow/scope.h"

#include <string.h>

/* Enters all keys of each entry's resource for another look. The committed offset waits for them. */
static enum rc review_entries(struct pump *p, struct err *e)
{
    const struct replication *r = p->opts.replication;
    enum rc rc = RC_OK;
    for (size_t i = 0; i < r->n_entries && rc == RC_OK; i++) {
        AUTO(buf_done) struct buf text = BUF_INIT(2 * KEY_MAX);
        AUTO(buf_done) struct buf prefix = BUF_INIT(2 * KEY_MAX);
        struct scope scope;
        rc = scope_of_entry(&r->entries[i], &text, &scope, e);
        if (rc == RC_OK)
            rc = scope_print_prefix(&scope, &prefix, e);
        if (rc == RC_OK)
            rc = pump_look_again(p, buf_slice(&prefix), p->review_anchor, e);
    }
    return rc;
}

/* What is of a resource that no entry names any more has left the selection. Of what left it before, some may be gone
 * from the source: no walk through its live keys meets that. */
static enum rc review_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    struct pump *p = arg;
    enum rc rc = RC_OK;
    if (a->state == APPLIED_SYNCED && filter_names(p->opts.replication, key))
        return RC_OK;
    if (a->state == APPLIED_SYNCED) {
        pump_say_left(p, key, a->offset);
        rc = rows_deselect(p->rows, key, a, e);
    }
    const struct hold *h = rows_hold(p->rows, key);
    bool pruned = h && hold_is_prune(h), kept = pruned && h->skipped;
    if (rc == RC_OK && p->opts.replication->prune_deselected)
        return kept ? RC_OK : pump_leave(p, key, a->offset, p->review_anchor, e);
    return rc == RC_OK && pruned ? rows_drop_hold(p->rows, key, e) : rc;
}

/* What was given up is not tried by itself: of a resource that no entry names any more it would stay for ever. */
static enum rc review_skipped(struct pump *p, struct err *e)
{
    struct slice key = SLICE_NULL;
    struct hold *h;
    enum rc rc = RC_OK;
    while (rc == RC_OK && rows_next_hold(p->rows, key, &key, &h))
        if (h->skipped && !filter_names(p->opts.replication, key))
            rc = work_again(p->work, key, (struct again){.anchor = p->review_anchor}, e);
    return rc;
}

enum rc pump_review(struct pump *p, struct err *e)
{
    uint8_t digest[REPLICATION_DIGEST];
    enum rc rc = rows_digest(p->rows, digest, e);
    if (rc < 0)
        return rc;
    p->review = memcmp(digest, p->opts.replication->digest, sizeof digest) != 0;
    if (!p->review || p->scanning) /* all is read from the beginning */
        return RC_OK;
    p->review_anchor = p->head.offset;
    DIAG(p->env.diag, DIAG_INFO,
         "the synchronization is not what it was: its objects are decided again");
    /* From the first row on the table goes by neither of the two: a change that is taken back is a change, too. */
    rc = rows_set_digest(p->rows, (const uint8_t[REPLICATION_DIGEST]){0}, e);
    if (rc == RC_OK)
        rc = rows_scan_applied(p->rows, SLICE_NULL, review_row, p, e);
    if (rc == RC_OK)
        rc = review_skipped(p, e);
    return rc == RC_OK ? review_entries(p, e) : rc;
}

bool pump_is_reviewed(const struct pump *p)
{
    return p->review && !p->scanning && !work_is_anchored(p->work, p->review_anchor);
}

enum rc pump_end_review(struct pump *p, struct err *e)
{
    if (!pump_is_reviewed(p))
        return RC_OK;
    enum rc rc = rows_set_digest(p->rows, p->opts.replication->digest, e);
    if (rc == RC_OK)
        p->review = false;
    return rc;
}

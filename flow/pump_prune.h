/* Deletes that nobody saw, their guard, and the first scan of a destination: the part of the pump's inside in
 * pump_prune.c and pump_leave.c. */
#ifndef RESILOG_FLOW_PUMP_PRUNE_H
#define RESILOG_FLOW_PUMP_PRUNE_H

#include "flow/pump_priv.h"

/* Collects an inferred delete until its listing's end. Errors: NOMEM. */
MUST_CHECK enum rc pump_collect_prune(struct pump *p, struct slice key, rlog_off anchor,
                                      struct err *e);
/* Pruning above the limit is approved. */
bool pump_may_prune(const struct pump *p);
/* The key has a newer event. */
void pump_forget_prune(struct pump *p, struct slice key);
/* The listing of a scope is complete: decides about what was collected and, where sync_end is
 * the offset of that end, about marked objects that the log has never seen. 0: another listing begins, and the end of
 * the last one was not read (catching up, a restart of ingest). */
MUST_CHECK enum rc pump_decide_prune(struct pump *p, struct slice scope, rlog_off sync_end,
                                     struct err *e);
/* One piece of the first scan: RC_OK, RC_AGAIN, RC_END when all is scanned. */
MUST_CHECK enum rc pump_scan(struct pump *p, struct err *e);
/* Opens the sink's scan of an entry's scope. RC_END: none (an earlier entry names the resource, or the sink cannot).
 * Errors: those of sink_scan. */
MUST_CHECK enum rc pump_open_scan(struct pump *p, size_t entry, struct event_iter **ret,
                                  struct err *e);

/* ---- pump_leave.c ---- */
/* Collects a key whose copy is to be removed, as of the event at `offset` it is not selected; anchor waits for it.
 * Nothing where it is collected already. Errors: NOMEM. */
MUST_CHECK enum rc pump_leave(struct pump *p, struct slice key, rlog_off offset, rlog_off anchor,
                              struct err *e);
/* When the pump is opened: collects what left in an earlier life that ended before it was decided. Errors: those of the
 * checkpoint, NOMEM. */
MUST_CHECK enum rc pump_resume_leaving(struct pump *p, struct err *e);
/* The key is decided about anew. */
void pump_stay(struct pump *p, struct slice key);
/* Decides about all that was collected, if it is time: RC_OK, or RC_AGAIN with when it will be. Errors: NOMEM, those of
 * the checkpoint. */
MUST_CHECK enum rc pump_decide_leaving(struct pump *p, int64_t *ret_due_ns, struct err *e);

/* ---- pump_removed.c ---- */
/* Copies of a kind that left the selection and were removed without approval. */
struct removed {
    int64_t since_ns; /* wall clock: when their hour began */
    uint64_t n;
};
/* Of a kind ("group/resource/"), as committed; a new hour where the last one is over. Errors: CORRUPT, UNSUPPORTED,
 * those of ckpt_get. */
MUST_CHECK enum rc pump_removed(struct pump *p, struct slice kind, struct removed *ret,
                                struct err *e);
/* Enters it for the next commit. Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc pump_note_removed(struct pump *p, struct slice kind, const struct removed *r,
                                     struct err *e);

#endif

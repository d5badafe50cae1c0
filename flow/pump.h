/* Log to sink: reads events from a cursor, filters, transforms, submits, and commits what is done.
 *
 * At most one item per key is in flight; a newer event of that key waits for it and replaces what waited. The
 * committed offset is the lowest below which every event is done, held or filtered; it, the holds and the applied
 * records are one write (I3), at most every 100 ms or 1,000 results. A crash means replay. A key that the
 * destination refuses is held with its reason and tried again with back-off, or at once when a newer event of it or
 * its missing dependency arrives (I11). Deletes are decided by the applied table, never by the filter. Deletes
 * inferred from a listing are collected until its sync-end and held altogether when they exceed the larger of
 * PUMP_PRUNE_COUNT and PUMP_PRUNE_PERCENT of that kind. A checkpoint is bound to its log, source and destination; of
 * others it says nothing, so it is forgotten and all begins as without one. One thread; several pumps on one log
 * share nothing but the log. */
#ifndef RESILOG_FLOW_PUMP_H
#define RESILOG_FLOW_PUMP_H

#include "core/event.h"
#include "core/scope.h"

struct buf;
struct ckpt;
struct env;
struct hold_order;
struct pump;
struct replication;
struct rlog;
struct sink;
struct source_identity;

#define PUMP_PRUNE_COUNT   10
#define PUMP_PRUNE_PERCENT 10
/* How many of so many copies may go at once without approval. */
size_t pump_prune_limit(size_t copies);

struct pump_opts {
    struct rlog *log;
    struct ckpt *ckpt;
    struct sink *sink;
    const struct replication *replication;
    struct slice source;                  /* identity of the log's source; empty: not known */
    const struct source_identity *former; /* those before it; NULL: none. Borrowed */
    int64_t
        prune_until_ns; /* boot clock: before it pruning above the limit is approved, and held prunes
                               are released; 0: never */
    struct diag
        *reconciler; /* who speaks where the destination is compared as a whole; NULL: env's diag */
};

struct pump_status {
    rlog_off offset, head;
    rlog_off decided; /* below it nothing is open any more; offset says so durably */
    uint64_t lag_records;
    int64_t oldest_ns; /* time of the oldest unapplied event; 0 if there is none */
    size_t in_flight, held, waiting, prune_held, skipped;
    uint64_t deselected; /* copies of what is not selected any more: frozen, or to be removed */
    int64_t
        compared_ns; /* wall clock: when the destination was last compared as a whole; 0: not yet in this life */
    size_t uncompared; /* scopes that the last comparison could not list */
    uint64_t
        repaired; /* copies of this life that were restored because the destination had changed them */
    bool catching_up; /* the first pass to the log's end of this life is not over */
    bool began_anew;  /* without a checkpoint: each copy was made or looked at in this life */
    bool unlisted;    /* of a tree: what its first complete listing found is not applied yet */
    char error[400];  /* the latest present problem: of the sink, of a hold; empty if none */
};

/* Borrows everything in opts and the replication's memory. Errors: those of loading the checkpoint,
 * NOMEM. */
MUST_CHECK enum rc pump_open(const struct pump_opts *opts, const struct env *env, struct pump **ret,
                             struct err *e);
/* Forgets what is in flight; nothing is committed. */
void pump_close(struct pump *p);
DEFINE_FREEP(struct pump, pump_close)

/* One bounded unit of work: RC_OK, or RC_AGAIN with when to come back. After an error close the pump;
 * a new one goes on from the last commit. Errors: RESYNC (EXPIRED: the log was trimmed below our
 * offset; CONFLICT: the destination is not the checkpoint's, which was forgotten), RETRY (the
 * checkpoint has no room, NOMEM), FATAL (generation fenced, damaged log
 * or checkpoint, sink refused for good). */
MUST_CHECK enum rc pump_step(struct pump *p, int64_t *ret_wake_ns, struct err *e);
/* Lists the destination as soon as the log's end is reached, and from its beginning; compares it with what was applied when
 * all below `upto` was read, for what the log does not have yet may be the reason of a difference. compared_ns of the status
 * moves when it is over. */
void pump_compare_now(struct pump *p, rlog_off upto);
/* Another offset for a comparison that goes on. */
void pump_compare_upto(struct pump *p, rlog_off upto);
/* No new items from now on; step until pump_idle. */
void pump_drain(struct pump *p);
bool pump_idle(const struct pump *p);
/* Commits what is done, with `status` (JSON text) beside it. Errors: those of ckpt_commit. */
MUST_CHECK enum rc pump_commit(struct pump *p, struct slice status, struct err *e);
/* Carries out what a person orders about holds, and commits it. Gives how many are concerned. After an error of
 * hold_order_rows nothing is changed and the pump goes on; after one of the commit it is to be closed (*ret_broken). */
MUST_CHECK enum rc pump_order(struct pump *p, const struct hold_order *o, size_t *ret_n,
                              bool *ret_broken, struct err *e);
void pump_status(struct pump *p, struct pump_status *ret);

#endif

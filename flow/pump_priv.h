/* The pump's inside, shared by flow/pump*.c and their tests. */
#ifndef RESILOG_FLOW_PUMP_PRIV_H
#define RESILOG_FLOW_PUMP_PRIV_H

#include "core/buf.h"
#include "core/env.h"
#include "flow/flow_say.h"
#include "flow/pump.h"
#include "flow/pump_ns.h"
#include "flow/pump_rows.h"
#include "flow/pump_work.h"
#include "flow/scope.h"
#include "log/ckpt.h"
#include "sinks/sink.h"

struct dict;
struct event_iter;
struct map;

struct pump {
    struct pump_opts opts;
    struct env env;
    struct rows *rows;
    struct work *work;
    struct namespaces *ns;
    bool tree;               /* the source is one of znodes */
    bool met_ephemeral;      /* and one that is ephemeral was passed over in this life */
    struct buf parent;       /* of a node, looked at last (pump_tree.c) */
    struct ckpt_head head;   /* as committed last */
    rlog_off next;           /* the next offset to read */
    rlog_off first_head;     /* the log's end when this pump was opened */
    struct map *opposite;    /* names of the synchronizations from our destination to our source */
    int64_t opposite_due_ns; /* boot clock: when they are looked for again */
    bool met;                /* the destination is known to be the one of the checkpoint */
    bool began_anew;         /* as in struct pump_status */
    bool draining;
    rlog_off oldest_at; /* the offset of the event whose time is oldest_ns; 0: not known */
    int64_t oldest_ns;
    int64_t commit_due_ns, hold_due_ns; /* boot clock; no hold is due before */

    struct event_iter *cursor;  /* NULL: to be opened */
    rlog_off cursor_until;      /* 0: it follows the tail */
    bool news_first;            /* whose turn it was last */
    struct flight *stuck;       /* the sink had no room for it */
    struct map *pruning;        /* key -> rlog_off anchor of a delete that waits for its sync-end */
    struct map *relabelled;     /* key prefix to evaluate again -> rlog_off anchor */
    struct map *leaving;        /* key -> struct leaver (pump_leave.c) */
    int64_t leaving_due_ns;     /* boot clock: when it is decided about them, if there are any */
    struct event_iter *recheck; /* walks the first prefix of `relabelled` */
    rlog_off recheck_until;     /* where that walk ends */
    rlog_off listed_to;     /* of a tree: where its latest listing ends, if that was read; else 0 */
    rlog_off first_listing; /* where that became known in this life; 0: it was from the beginning */

    bool review;            /* the replication differs from the one that the checkpoint goes by */
    rlog_off review_anchor; /* what waits until everything was decided again */
    bool scanned;           /* the scan was completed in this life: what has no row has no copy */
    bool has_rows;     /* the scan may meet rows: of frozen copies, which it is to leave alone */
    bool scan_skipped; /* the destination does not list a kind, or bears no marks */
    bool scanning;     /* no checkpoint: asking the destination for our marks first */
    size_t scan_entry; /* index of the entry that is scanned */
    struct event_iter *scan;
    struct {
        int64_t due_ns;  /* boot clock: when the next round begins; INT64_MAX: never */
        int64_t wake_ns; /* as pump_compare said last */
        bool running;
        size_t entry;            /* index of the entry whose scope is compared */
        struct event_iter *scan; /* NULL: to be opened */
        struct dict *seen;       /* key -> what the list had of it (pump_drift.c) */
        rlog_off from, upto; /* read when the list was opened; to be read before it is compared */
        bool listed;         /* the list of the scope is complete */
        bool looked;         /* the list of the scope is over, its prunes are not decided */
        uint64_t looks;      /* of this round */
        uint64_t repaired;
        size_t skipped,
            uncompared;   /* scopes that were not listed: in this round, in the last one */
        int64_t ended_ns; /* wall clock */
    } drift;

    char error[400]; /* the latest problem of a hold or of the namespace map */
};

/* ---- pump.c ---- */
/* Before which offset a key is looked up: what was read, and what an earlier life may have applied;
 * an event before that may be older than what the destination has. */
rlog_off pump_horizon(const struct pump *p);
/* Enters all live keys that begin with prefix for another look; anchor waits for it. Errors: NOMEM. */
MUST_CHECK enum rc pump_look_again(struct pump *p, struct slice prefix, rlog_off anchor,
                                   struct err *e);

/* One line about an object, with its event at `offset` (0: none) as the log has it. */
void pump_say(struct pump *p, struct slice key, rlog_off offset, const struct flow_line *line);
void pump_say_left(struct pump *p, struct slice key, rlog_off offset);
/* Who speaks where the destination is compared as a whole. */
static inline struct diag *pump_reconciler(const struct pump *p)
{
    return p->opts.reconciler ? p->opts.reconciler : p->env.diag;
}

/* ---- pump_binding.c ---- */
/* When the pump is opened: forgets a checkpoint of another log or another source. Errors: those of the checkpoint
 * and of the log, NOMEM. */
MUST_CHECK enum rc pump_bind_log(struct pump *p, struct err *e);
/* When the destination says who it is: notes it, or forgets a checkpoint of another one and gives CONFLICT (RESYNC).
 * Errors: those of the checkpoint, NOMEM. */
MUST_CHECK enum rc pump_bind_destination(struct pump *p, const struct sink_status *who,
                                         struct err *e);

/* ---- pump_opposite.c ---- */
/* Gives the flight's item what the opposite synchronization recorded of its key. Errors: NOMEM, those of the
 * checkpoint. */
MUST_CHECK enum rc pump_load_opposite(struct pump *p, struct flight *f, struct err *e);

/* ---- pump_review.c ---- */
/* When the pump is opened: where the replication differs from the one of the checkpoint, enters all of its keys for
 * another look. Errors: those of the checkpoint, NOMEM. */
MUST_CHECK enum rc pump_review(struct pump *p, struct err *e);
/* True if a review is over and the checkpoint does not say so yet. */
bool pump_is_reviewed(const struct pump *p);
/* Before a commit: notes the end of the review, if nothing of it is open any more. Errors: NOMEM. */
MUST_CHECK enum rc pump_end_review(struct pump *p, struct err *e);

/* ---- pump_apply.c ---- */
/* Decides about one event and finishes it or puts it in flight. how->anchor is what blocks the commit
 * until then (0: nothing); the callee counts its own. how->approved: an inferred delete may be carried
 * out. Errors: NOMEM, those of the checkpoint. */
MUST_CHECK enum rc pump_evaluate(struct pump *p, const struct event *ev, const struct again *how,
                                 struct err *e);
/* Takes results of the sink: RC_OK if there was one, RC_AGAIN. */
MUST_CHECK enum rc pump_take_result(struct pump *p, struct err *e);
/* Tries to submit what the sink had no room for: RC_OK when nothing is stuck any more, RC_AGAIN. */
MUST_CHECK enum rc pump_unstick(struct pump *p, struct err *e);
/* Evaluates one key to look at again: RC_OK, RC_AGAIN if there is none. */
MUST_CHECK enum rc pump_do_again(struct pump *p, struct err *e);
/* ---- pump_hold.c ---- */
/* Holds a key. Errors: NOMEM. */
struct hold_reason {
    const char *cls, *reason;
    struct slice dependency;
    bool waiting;
    int64_t retry_after_ns; /* -1: none */
};
MUST_CHECK enum rc pump_hold(struct pump *p, struct slice key, rlog_off offset,
                             const struct hold_reason *why, struct err *e);
/* Makes the holds that wait for this key due now. */
void pump_release(struct pump *p, struct slice dependency);
/* Enters due holds for another try: RC_OK if there were any; RC_AGAIN with when the next one is. */
MUST_CHECK enum rc pump_retry_holds(struct pump *p, int64_t *ret_due_ns, struct err *e);

#endif

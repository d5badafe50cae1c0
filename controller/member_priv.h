/* A member's inside, shared by controller/member.c and controller/member_runs.c. */
#ifndef RESILOG_CONTROLLER_MEMBER_PRIV_H
#define RESILOG_CONTROLLER_MEMBER_PRIV_H

#include "controller/member.h"
#include "controller/order_board.h"
#include "controller/status.h"
#include "controller/worker.h"
#include "core/clock.h"
#include "flow/source_identity.h"

struct ckpt;
struct diag;
struct pump;
struct sink;
struct sync_runs;

struct member {
    struct member_opts opts;
    struct env env;      /* with the processor's diag */
    struct env sink_env; /* with the synchronizer's */
    struct diag *processor, *synchronizer, *reconciler;
    struct worker worker;
    struct order_watcher watcher;

    struct source_identity source; /* the pump borrows it */
    struct ckpt *ckpt;
    struct sink *sink;
    struct pump *pump;
    int64_t give_up_ns; /* boot clock: no longer is the source's identity waited for; 0: for ever */
    struct sync_runs *runs; /* NULL: it is no synchronization that ends */

    struct sync_status said; /* as written last */
    int64_t look_due_ns;     /* boot clock */
    int64_t status_due_ns;   /* boot clock; also without news */
};

/* The boot clock now. */
static inline int64_t member_boot_ns(const struct member *m)
{
    return clock_boot_ns(m->env.clock);
}

/* Opens what is not open: checkpoint, sink and pump, once the source's identity is known. RC_AGAIN: asked to stop
 * meanwhile. Errors: theirs. */
MUST_CHECK enum rc member_open(struct member *m, struct err *e);
/* Closes all of them. */
void member_close(struct member *m);
/* Steps the pump, and waits until there is something to do, at most until limit_ns (boot clock). Errors: those of
 * pump_step. */
MUST_CHECK enum rc member_step(struct member *m, int64_t limit_ns, struct err *e);
/* Finishes what is in flight as far as the destination answers, and writes the last status. Errors: theirs. */
MUST_CHECK enum rc member_drain(struct member *m, struct err *e);
/* Writes the status. Errors: those of the checkpoint. */
MUST_CHECK enum rc member_write_status(struct member *m, enum sync_phase phase,
                                       const struct err *why, struct err *e);
/* The same where there is news or it is time: looks often and writes seldom, so that a destination that is down for
 * hours costs few commits. */
MUST_CHECK enum rc member_refresh_status(struct member *m, enum sync_phase phase, struct err *e);
/* Carries out what was ordered of this synchronization, if anything was: by its pump, and where it has none on the
 * checkpoint, which is open. Errors: those after which the pump is to be closed. */
MUST_CHECK enum rc member_obey(struct member *m, struct err *e);

/* ---- member_runs.c ---- */
/* Loads m->runs from the status in the checkpoint, which is open. Errors: those of the checkpoint, NOMEM, INVALID. */
MUST_CHECK enum rc member_read_runs(struct member *m, struct err *e);
/* The job of a Synchronization and of a SynchronizationPlan: its runs, and the pauses between them, until it is asked to
 * stop. A run that fails is recorded and fails nothing else. Errors: those of the checkpoint. */
MUST_CHECK enum rc member_run_turns(struct member *m, struct err *e);

#endif

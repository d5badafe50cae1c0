/* One synchronization at work: a thread that opens its checkpoint, its sink and its pump on the
 * source's log, and steps them. */
#ifndef RESILOG_CONTROLLER_MEMBER_H
#define RESILOG_CONTROLLER_MEMBER_H

#include "core/env.h"
#include "core/err.h"
#include "core/scope.h"

struct member;
struct once_board;
struct order_board;
struct plan;
struct rlog;
struct source_board;
struct source_report;
struct sync;
struct wiring;

struct member_opts {
    const struct sync *sync;
    int64_t prune_until_ns;   /* as in pump_opts */
    const struct plan *plan;  /* whose runs it does; NULL: of none */
    struct once_board *ended; /* what a Synchronization tells its end to */
    int64_t not_before_ns;    /* wall clock: what a Synchronization ran before does not count */
    struct order_board *orders;
    struct rlog *log;
    struct source_board *source;
    const struct wiring *wiring;
    const struct env *env;
};

/* Starts the thread; borrows all until member_stop. Errors: NOMEM, UNAVAILABLE (no thread to be had), LIMIT, IO. */
MUST_CHECK enum rc member_start(const struct member_opts *opts, struct member **ret, struct err *e);
/* Wakes it: something was appended. Safe from any thread. */
void member_wake(struct member *m);
/* Asks it to drain, commit and end; returns at once. */
void member_ask_stop(struct member *m);
/* Waits for it and frees it. NULL is allowed. */
void member_stop(struct member *m);

/* Tells who waits for a run that was ordered now that there is none, because it cannot even begin; any other is tried
 * again and nothing is told. Failures are only said. */
void member_give_up(const struct member_opts *opts);
/* Writes a status without a thread, for a synchronization that cannot even be started (its log does
 * not open), or, without a why, is not yet. Failures are only said. */
void member_note_failure(const struct sync *sync, const struct wiring *wiring,
                         const struct env *env, const struct source_report *source,
                         const struct err *why);

#endif

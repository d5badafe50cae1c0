/* When a SynchronizationPlan is to run, as a CronJob of Kubernetes decides it. Pure. */
#ifndef RESILOG_CONTROLLER_SCHEDULE_H
#define RESILOG_CONTROLLER_SCHEDULE_H

#include "core/cron.h"

#include <stdbool.h>
#include <stdint.h>

struct tz;

/* What becomes of a time that is due while the run before it goes on. Allow waits for that one: two runs of one plan
 * write the same copies, so side by side they would only race (docs/adr/0015). */
enum concurrency { CONCURRENCY_ALLOW, CONCURRENCY_FORBID, CONCURRENCY_REPLACE };

struct schedule {
    struct cron cron;
    struct tz *zone;    /* NULL: UTC */
    int64_t deadline_s; /* startingDeadlineSeconds; -1: none */
    enum concurrency concurrency;
    bool suspend;
};

/* Seconds since 1970, by the wall clock. */
struct schedule_state {
    int64_t
        last_s; /* the latest due time that was decided about; at first when the plan was seen first */
    bool running;
};

enum schedule_act {
    SCHEDULE_WAIT,    /* nothing is due, or what is due waits for the run before it */
    SCHEDULE_START,   /* a run is to begin */
    SCHEDULE_REPLACE, /* the same, and the one that goes on is to be given up */
    SCHEDULE_SKIP,    /* Forbid: it is left out, because one goes on */
    SCHEDULE_MISSED   /* its deadline is over: it counts as a failed run */
};

/* Decides about the latest due time up to now_s: *ret_due_s is that time, and decided about from then on, except with
 * SCHEDULE_WAIT. Of several that were missed only the latest counts. *ret_next_s: when there is something to decide
 * again at the latest (INT64_MAX: never, as far as is known). */
enum schedule_act schedule_look(const struct schedule *s, int64_t now_s,
                                struct schedule_state *state, int64_t *ret_due_s,
                                int64_t *ret_next_s);

#endif

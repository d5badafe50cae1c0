/* The runs of a Synchronization or a SynchronizationPlan that are over: the latest ones, in the status. One thread. */
#ifndef RESILOG_CONTROLLER_RUN_LOG_H
#define RESILOG_CONTROLLER_RUN_LOG_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;
struct json_doc;

#define RUN_LOG_MAX                                                                                \
    50 /* of those that succeeded, and of those that did not, whatever a plan says */
#define RUN_MESSAGE_MAX 200
#define RUN_SPEC_HEX    16

enum run_result {
    RUN_SUCCEEDED,
    RUN_FAILED,  /* something is left that the destination lacks */
    RUN_MISSED,  /* it could not begin within startingDeadlineSeconds */
    RUN_REPLACED /* the next one began before it was over */
};
const char *run_result_name(enum run_result r);

/* Times by the wall clock. */
struct run {
    enum run_result result;
    int64_t due_s; /* the time of the schedule; 0: it had none */
    int64_t started_ns, ended_ns;
    char message[RUN_MESSAGE_MAX]; /* why it failed; empty otherwise */
};

struct run_log {
    struct run runs[2 * RUN_LOG_MAX]; /* the latest last */
    size_t n;
};

/* What the status of a Synchronization or SynchronizationPlan says beside all others. */
struct sync_runs {
    struct run_log log;
    int64_t decided_s; /* of a plan: up to there its schedule was decided about; 0: of none */
    int64_t next_s;    /* of a plan: when it is due again; 0: never, or of none */
    char spec[RUN_SPEC_HEX + 1]; /* which text it ran with; empty: it has not run yet */
};

/* Adds the latest; of those that succeeded and of the others only so many stay. One that was missed stands there once. */
void run_log_add(struct run_log *log, const struct run *run, size_t keep_succeeded,
                 size_t keep_others);
/* Takes what sync_runs_print wrote into a status; what cannot be read is left out. */
void sync_runs_read(struct sync_runs *runs, struct json_doc *doc, const struct json *status);
/* Appends members of a JSON object: `"runs": [{"result", "scheduled" (null), "started", "ended", "message"}, ...], the
 * latest last, "scheduleDecidedTo", "nextScheduleTime" (null), "spec"`. */
void sync_runs_print(const struct sync_runs *runs, struct buf *out);

#endif

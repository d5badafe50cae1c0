/* The status of a synchronization as JSON: what its thread writes beside its checkpoint at least
 * every STATUS_EVERY_NS, and `resilog status` reads. */
#ifndef RESILOG_CONTROLLER_STATUS_H
#define RESILOG_CONTROLLER_STATUS_H

#include "core/err.h"
#include "flow/pump.h"
#include "sinks/sink.h"

#include <stdint.h>

struct buf;
struct sync;
struct sync_runs;

#define STATUS_EVERY_NS (5 * 1000000000LL)
#define STATUS_STALE_NS (15 * 1000000000LL) /* older than that with nobody running: Stopped */
/* Older than that: Stopped in any case; above the longest pause before a failed source is tried again. */
#define STATUS_GONE_NS (60 * 1000000000LL)

enum sync_phase {
    PHASE_PENDING, /* the source's identity is not known yet */
    PHASE_SYNCING, /* the first pass to the end of the log, of a tree's first listing */
    PHASE_LIVE,
    PHASE_WAITING, /* source or destination is not connected */
    PHASE_SUSPENDED,
    PHASE_FAILED, /* needs a person; still tried again now and then. Of one that ends: its last run failed */
    PHASE_STOPPED,
    PHASE_SCHEDULED, /* a plan waits for its time */
    PHASE_SUCCEEDED  /* one that ends has run, and nothing is left to do */
};
const char *sync_phase_name(enum sync_phase phase);

/* What the source's thread says. */
struct source_report {
    bool connected;
    char error[400];
};

struct sync_status {
    enum sync_phase phase;
    struct source_report source;
    struct pump_status pump;      /* head 0: the log cannot be read */
    struct sink_status sink;      /* its error is also the pump's */
    const struct sync_runs *runs; /* of one that ends; NULL: it does not */
    char error[400]; /* of the synchronization itself; wins over the pump's and the source's */
    int64_t now_ns;  /* wall clock */
};

/* The phase of a running pump. */
enum sync_phase sync_phase_of(const struct source_report *source, const struct pump_status *pump,
                              bool sink_connected);
/* Appends the JSON object: name, namespace, phase, source, destination, offset, head and lagRecords
 * (null while the log cannot be read), lagSeconds (null while the source is not connected or nothing
 * runs), held, waiting, pruneHeld, skipped, deselected, lastResync (null until the first), repaired, lastError (one of a cluster begins with
 * "source NAMESPACE/NAME: " or "destination NAMESPACE/NAME: "), updated; and of one that ends those of sync_runs_print. */
void sync_status_print(const struct sync *sync, const struct sync_status *s, struct buf *out);

#endif

/* Resilog itself in the simulation: what cli/ and controller/ put together, step by step and without threads.
 *
 * The intake (log, producer, ingest) and the member (checkpoint, sink, pump) live and fail as they do in controller/: a
 * failed member is opened again alone, a failed intake takes the member along. The stores survive; handles do not. */
#ifndef RESILOG_TESTS_SIM_US_H
#define RESILOG_TESTS_SIM_US_H

#include "core/err.h"
#include "core/event.h"
#include "flow/ingest.h"
#include "flow/replication.h"

#include <stdbool.h>

struct ckpt;
struct ckpt_mem_store;
struct producer;
struct pump;
struct rlog;
struct rlog_mem_store;
struct world;

#define US_SYNC     "sim/live"
#define US_ENTRIES  5
#define US_IDENTITY 128

struct us_intake {
    struct rlog *log; /* with faults on demand */
    struct producer *producer;
    struct ingest *ingest;
};

struct us {
    struct rlog_mem_store *log_store;
    struct ckpt_mem_store *ckpt_store;
    struct rlog *reader; /* for properties: sees what is durable */
    struct ckpt *ckpt_reader;

    struct us_intake intake;
    struct us_intake old; /* another process that does not know yet that its log was taken */
    struct ckpt *ckpt;
    struct sink *sink;
    struct pump *pump;
    int64_t intake_due_ns, member_due_ns; /* when they may be opened again */
    bool append_armed, commit_armed;      /* a fault waits for the next call */
    bool armed_done;                      /* of the append: it takes effect */
    bool commit_done;

    struct replication replication;
    struct replication_entry entries[US_ENTRIES];
    struct ingest_scope scopes[US_ENTRIES];
    char identity[US_IDENTITY]; /* of the source, once known */
};

/* Makes the stores and the synchronization; nothing is opened yet. Aborts when out of memory, as all of the simulation
 * does. */
void us_init(struct world *w);
void us_done(struct world *w);

/* One step, opening first what is due: RC_OK did something, RC_AGAIN with the time to come back. A failure that nothing
 * explains fails the run. */
enum rc us_step_intake(struct world *w, int64_t *ret_wake_ns);
enum rc us_step_member(struct world *w, int64_t *ret_wake_ns);

/* The process dies now, and is started again at the given time. */
void us_crash(struct world *w, int64_t again_ns);
/* It stops in order: drains for a while, commits, closes. */
void us_stop(struct world *w, int64_t again_ns);
/* A second process takes the log over while the first still lives. */
void us_take_over(struct world *w);
/* The next append (checkpoint commit) fails, with or without effect; for no_room it may go on by itself. */
void us_fail_append(struct world *w, bool done, bool no_room);
void us_fail_commit(struct world *w, bool done);
/* Takes all of that back, and ends the process whose log was taken. */
void us_disarm(struct world *w);

/* The entry of a key; NULL: none. */
const struct replication_entry *us_entry(const struct world *w, struct slice key);

#endif

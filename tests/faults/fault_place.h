/* What the fault programs share: where they work, running the scenario, and what must be true of what it left. */
#ifndef RESILOG_TESTS_FAULT_PLACE_H
#define RESILOG_TESTS_FAULT_PLACE_H

#include "core/event.h"

struct rlog;

/* What the scenario was told to be durable, and what it says of itself at its end. */
struct fault_told {
    rlog_off event;           /* the last acknowledged one */
    rlog_off checkpoint;      /* the last acknowledged offset of the consumer */
    uint64_t commits;         /* bit n: the commit at offset n was acknowledged */
    bool fired;               /* the fault */
    bool finished;            /* it came to its end */
    char wrong[128];          /* what it found wrong itself, else "" */
    unsigned long counts[24]; /* of fault_calls */
};

#define FAULT_EVENTS  20 /* of a scenario */
#define FAULT_SEGMENT 5  /* events of one segment */

/* The calls that are counted, NULL at the end. */
extern const char *const fault_calls[];

/* A new empty folder on a file system in memory where there is one (syncs cost nothing there). The caller frees the
 * path; fault_remove deletes it. */
char *fault_place_new(void);
void fault_place_free(char *path);

/* Notes an acknowledgement: kind 1 of an event, 2 of a checkpoint. */
void fault_hear(struct fault_told *t, uint32_t kind, rlog_off at);

/* Environment for the scenario besides LD_PRELOAD; NULL: not set. */
struct fault_run {
    const char *library, *scenario, *dir;
    const char *call, *nth, *kind, *record;
};
struct fault_told fault_run(const struct fault_run *run);

/* Opens what lies in dir for reading and for writing, compares it, and adds an event and a commit, which must be there
 * afterwards. NULL, or what is wrong (in `out`, 512 bytes). */
const char *fault_check(const char *dir, const struct fault_told *told, char *out);

/* log_event of tests/unit/log, without cmocka: event and its key and body from an offset. `text` has 64 bytes. */
struct event fault_event(rlog_off at, char *text);
/* The key of the row that only the commit at an offset writes. `text` has 32 bytes. */
struct slice fault_commit_key(rlog_off at, char *text);
/* Reads [from, until) and compares. NULL, or what is wrong. Errors of the log are in e. */
const char *fault_read(struct rlog *l, rlog_off from, rlog_off until, struct err *e);

#endif

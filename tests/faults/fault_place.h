/* What the fault programs share: where they work, running the scenario, and what must be true of what it left. */
#ifndef RESILOG_TESTS_FAULT_PLACE_H
#define RESILOG_TESTS_FAULT_PLACE_H

#include "core/event.h"

/* What the scenario was told to be durable, and what it says of itself at its end. */
struct fault_told {
    rlog_off event;           /* the last acknowledged one */
    rlog_off checkpoint;      /* the last acknowledged offset of the consumer */
    bool fired;               /* the fault */
    bool finished;            /* it came to its end */
    unsigned long counts[16]; /* of fault_calls */
};

#define FAULT_EVENTS 20 /* of a scenario; segments of 8 */

/* The calls that are counted, NULL at the end. */
extern const char *const fault_calls[];

/* A new empty folder on a file system in memory where there is one (syncs cost nothing there). The caller frees the
 * path; fault_remove deletes it. */
char *fault_place_new(void);
void fault_place_free(char *path);

/* Environment for the scenario besides LD_PRELOAD; NULL: not set. */
struct fault_run {
    const char *library, *scenario, *dir;
    const char *call, *nth, *kind, *record;
};
struct fault_told fault_run(const struct fault_run *run);

/* Opens what lies in dir for reading and for writing and compares it. NULL, or what is wrong (static storage of the
 * caller, 512 bytes). `appends`: one more event must fit, too. */
const char *fault_check(const char *dir, const struct fault_told *told, bool appends, char *out);

/* log_event of tests/unit/log, without cmocka: event and its key and body from an offset. `text` has 64 bytes. */
struct event fault_event(rlog_off at, char *text);

#endif

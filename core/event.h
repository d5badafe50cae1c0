/* The event: one immutable fact of the log. A plain record of borrowed slices; whoever made it says how long
 * they live. */
#ifndef RESILOG_CORE_EVENT_H
#define RESILOG_CORE_EVENT_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

typedef uint64_t rlog_off; /* dense from 1; 0 is nothing */

/* Limits of docs/FORMAT.md. */
#define EVENT_BODY_MAX        (4u << 20)
#define EVENT_TEXT_MAX        4096u /* key, and each of the other texts */
#define EVENT_BATCH_MAX       4096u /* events in one append */
#define EVENT_BATCH_BYTES_MAX (8u << 20)

/* The numbers are written to disk: never renumber. */
enum event_op {
    EVENT_PUT = 1,    /* body: the object as the source served it */
    EVENT_DELETE = 2, /* body: its last known state, may be empty */
    EVENT_GAP =
        3, /* @gap/<scope>: history was not observed; body: JSON {severity, reason, after} */
    EVENT_SYNC_BEGIN = 4, /* @sync/<scope>: a complete listing starts */
    EVENT_SYNC_END = 5,   /* @sync/<scope>: it is complete; body: JSON {listed, changed, deleted} */
    EVENT_POSITION = 6,   /* @position/<scope>: version holds where to go on reading the source */
    EVENT_KIND =
        7, /* @kind/<group>/<resource>; body: JSON {version, kind, singular, shortNames, namespaced} */
    EVENT_LABEL = 8,
    EVENT_EPOCH =
        9, /* @epoch/source: identity and incarnation, body JSON {identity, incarnation} */
    EVENT_FENCE = 10,
    EVENT_CLOCK = 11, /* @clock/log: the wall clock jumped; body: JSON {reason, old, new} */
    EVENT_BASE = 12,
    EVENT_TRIM = 13
};

enum event_cause {
    CAUSE_WATCH = 1,  /* observed as it happened */
    CAUSE_LIST = 2,   /* found by the first listing of its scope, or a delete inferred from one */
    CAUSE_RESYNC = 3, /* found by a later listing */
    CAUSE_RESTORE = 4,
    CAUSE_SELF = 5 /* the log's own bookkeeping */
};

enum event_source_kind { SOURCE_KUBERNETES = 1, SOURCE_ZOOKEEPER = 2 };

struct event {
    /* Given by the log when the event is appended; 0 before. */
    rlog_off offset;
    uint64_t epoch;  /* the writer's */
    int64_t time_ns; /* wall, but never going backwards within the log */

    uint64_t incarnation;
    int64_t wall_ns; /* the clock as read when the event was seen */
    enum event_op op;
    enum event_cause cause;
    enum event_source_kind source_kind;
    struct slice source; /* identity of the source: a cluster's or an ensemble's */
    struct slice key;
    struct slice version; /* resourceVersion or zxid, opaque */
    struct slice uid;
    struct slice api_version; /* "apps/v1" */
    struct slice kind;        /* "Deployment" */
    struct slice manager;     /* who wrote it last: field manager */
    struct slice user;        /* and user, where known */
    struct slice body;
};

/* Lower-case name ("put", "sync-begin"), NULL for a number that is none; and back (false if unknown). */
const char *event_op_name(enum event_op op);
bool event_op_parse(struct slice name, enum event_op *ret);
const char *event_cause_name(enum event_cause cause);

/* Checks what every event must hold: known op, cause and kind, non-empty key, every limit above. Errors:
 * INVALID, LIMIT. */
MUST_CHECK enum rc event_check(const struct event *ev, struct err *e);

#endif

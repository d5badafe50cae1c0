/* The ingest's inside, shared by flow/ingest*.c. */
#ifndef RESILOG_FLOW_INGEST_PRIV_H
#define RESILOG_FLOW_INGEST_PRIV_H

#include "core/env.h"
#include "core/key.h"
#include "flow/ingest.h"
#include "flow/scope.h"
#include "log/rlog.h"
#include "producers/producer.h"

struct hash_set;
struct listing;
struct map;
struct recent;

#define KIND_PREFIX     "@kind/"
#define POSITION_PREFIX "@position/"
#define SCOPE_TEXT_MAX  (2 * KEY_MAX)

#define BATCH_EVENTS 2048u
#define BATCH_ROOM   EVENT_BATCH_MAX /* each event makes at most one position due */
#define BATCH_BYTES  (3u << 20)      /* with one more event still below the log's limit */

/* Where to go on reading one scope. */
struct position {
    char *version;      /* as seen last; NULL: not known yet */
    bool due;           /* goes into the next append */
    int64_t written_ns; /* boot clock */
};

struct ingest {
    struct producer *producer;
    struct rlog *log;
    struct env env;
    char *identity; /* of the source; NULL until the log or the producer says it */
    uint64_t incarnation;
    const char *name;        /* what a person calls the source; NULL: not known */
    int64_t accept_until_ns; /* boot clock */
    bool replaced; /* another source was accepted: this ingest ends when the log has its event */
    rlog_off next; /* what the log's next offset must be */
    bool tree;     /* the source is one of znodes */
    struct producer_memory memory;
    struct rlog_found recalled; /* what the producer looked up last */
    struct recent *recent;      /* and some thousand ones before */
    /* All keys that the log has, if it had none when this was opened; else NULL. In a first listing nothing is found, and
     * looking for each key would cost a part of it. */
    struct hash_set *keys;

    struct event *batch[BATCH_ROOM]; /* owned copies */
    struct event views[BATCH_ROOM];  /* the batch as the log takes it */
    size_t n_batch, batch_bytes;
    int64_t retry_ns;    /* boot clock: no append before, 0: none is waiting */
    unsigned busy_steps; /* since the log's upkeep had its turn */

    struct map *scopes;        /* wanted: scope -> struct position */
    struct map *listings;      /* scope -> struct listing */
    struct listing *closing;   /* its deletes are being appended; owned by `listings` */
    struct event *closing_end; /* the sync-end that follows them */
};

/* ---- ingest_batch.c ---- */
bool ingest_batch_full(const struct ingest *g);
void ingest_drop_batch(struct ingest *g);
/* Adds a copy with the fields that are the same for all events of this source. Errors: NOMEM. */
MUST_CHECK enum rc ingest_add(struct ingest *g, const struct event *ev, struct err *e);
/* Adds an event of the log's own about a scope: what has op, version and body. Errors: LIMIT, NOMEM.
 */
MUST_CHECK enum rc ingest_add_own(struct ingest *g, const char *prefix, struct slice scope,
                                  const struct event *what, struct err *e);
/* Appends the batch with all positions that are due. RC_AGAIN: the log has no room now, the batch
 * waits. Errors: the log's, NOMEM. */
MUST_CHECK enum rc ingest_flush(struct ingest *g, struct err *e);

/* ---- ingest_scopes.c ---- */
void ingest_free_position(void *position);
/* Notes where a scope has got to (p NULL: dropped meanwhile); `now`: the next append must say so.
 * Errors: NOMEM. */
MUST_CHECK enum rc ingest_set_position(struct ingest *g, struct position *p, struct slice version,
                                       bool now, struct err *e);
/* The source serves a resource ("group/resource") in another version than the log has it in: lists it anew, unless
 * nothing of it was read yet. Errors: NOMEM. */
MUST_CHECK enum rc ingest_list_anew(struct ingest *g, struct slice resource, struct err *e);
/* What the log knows of its source. Errors: the log's, NOMEM. */
MUST_CHECK enum rc ingest_load_source(struct ingest *g, struct err *e);
/* Takes the producer's word who the source is. Errors: CONFLICT (FATAL: another one), NOMEM, the log's. */
MUST_CHECK enum rc ingest_pin_source(struct ingest *g, const struct event *ev, struct err *e);

#endif

/* Producer to log: batches what the producer saw, with the positions that it covers in the same
 * append (I2).
 *
 * Ingest, not the producer, compares a listing with the log: what is there already in the same
 * version is not written again, and what the log has but the listing lacks is appended as an
 * inferred delete with its last body, in the batches that end with sync-end. A listing that broke
 * off appends no deletes. It pins the source's identity: another cluster under the same name is
 * refused (FATAL, nothing appended) until it is accepted. Positions from bookmarks are written at most once a minute.
 * The producer may look up what the log has (producer_recall), and list that without bodies.
 * One thread; the log's only appender. */
#ifndef RESILOG_FLOW_INGEST_H
#define RESILOG_FLOW_INGEST_H

#include "core/event.h"
#include "core/scope.h"

struct env;
struct ingest;
struct producer;
struct rlog;

struct ingest_scope {
    struct slice scope; /* as in flow/scope.h */
    struct slice
        api_version; /* "v1"; empty: the source's preferred one, unless another wants the same scope in one; when that
                        changes, the scope is listed anew */
    bool tree; /* of znodes, without api_version; a source's scopes are all of one sort */
};

struct ingest_status {
    bool connected; /* at least one scope is listing or following */
    size_t scopes, following,
        missing;     /* missing: the source has no such thing, or does not let us read it */
    bool log_full;   /* intake waits for room */
    char error[400]; /* the worst present problem, with its scope; empty if none */
};

/* Borrows producer and log. Errors: those of reading the log, NOMEM. */
MUST_CHECK enum rc ingest_open(struct producer *producer, struct rlog *log, const struct env *env,
                               struct ingest **ret, struct err *e);
/* Before the first step: what a person calls the source (borrowed), and until when (boot clock; 0: never) another
 * cluster is accepted in its place. */
void ingest_accept_source(struct ingest *g, const char *name, int64_t until_ns);
void ingest_close(struct ingest *g);
DEFINE_FREEP(struct ingest, ingest_close)

/* Says which scopes are wanted from now on; new ones start from the log's position or a listing,
 * others are dropped. Namespaces and CRDs are wanted, too, unless the source is a tree, or every scope is one of a single
 * namespace: then only these may be readable. A scope within another one that is wanted is left to that. Errors: INVALID (VersionConflict: the
 * log has the resource in another version that another synchronization uses), NOMEM, those of the
 * log. */
MUST_CHECK enum rc ingest_want(struct ingest *g, const struct ingest_scope *scopes, size_t n,
                               struct err *e);
/* Has every scope of a tree listed again, beginning now. Errors: NOMEM, those of the producer. */
MUST_CHECK enum rc ingest_refresh(struct ingest *g, struct err *e);
/* One bounded unit of work: RC_OK, or RC_AGAIN with when to come back. Errors: FATAL ones (epoch
 * lost, device error, another source) end this ingest: close it, and the log. CONFLICT, RESYNC: another source was
 * accepted, and the log says so; whatever works for the one before must be closed, too, and everything opened anew. */
MUST_CHECK enum rc ingest_step(struct ingest *g, int64_t *ret_wake_ns, struct err *e);
void ingest_status(struct ingest *g, struct ingest_status *ret);

#endif

/* One listing of a scope while it is under way: which keys it had, and afterwards which keys of the
 * log it lacked. */
#ifndef RESILOG_FLOW_INGEST_LISTING_H
#define RESILOG_FLOW_INGEST_LISTING_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct event;
struct listing;
struct rlog;
struct scope;

/* scope is copied. NULL when out of memory. */
struct listing *listing_new(const struct scope *scope, struct rlog *log);
void listing_free(struct listing *l);
DEFINE_FREEP(struct listing, listing_free)

struct slice listing_scope(const struct listing *l);
/* Notes that the listing has this object: *ret_new says whether the log must learn of it (absent,
 * deleted, or in another version, uid, apiVersion or incarnation). What came before the listing is in the log at its
 * first object. Errors: the log's, NOMEM. */
MUST_CHECK enum rc listing_note(struct listing *l, const struct event *put, uint64_t incarnation,
                                bool *ret_new, struct err *e);
/* The same of an object that the log surely has just so, and of one of which it surely knows nothing. Errors: NOMEM, the
 * log's. */
MUST_CHECK enum rc listing_note_known(struct listing *l, struct slice key, struct err *e);
MUST_CHECK enum rc listing_note_unknown(struct listing *l, struct slice key, struct err *e);
/* After the last object was noted: the body of the listing's end, which may name keys of which the source did not tell
 * ("unread", see producers/producer.h). Errors: INVALID (no such body), LIMIT, NOMEM. */
MUST_CHECK enum rc listing_end(struct listing *l, struct slice body, struct err *e);
/* After the last object was noted: the next object of the scope that was live before the first was noted, and that the
 * listing lacked (a view until the next call), RC_AGAIN after a bounded number of others, RC_END. Errors: the log's. */
MUST_CHECK enum rc listing_next_missing(struct listing *l, const struct event **ret, struct err *e);

struct listing_counts {
    uint64_t listed, changed, missing;
};
/* What was noted so far, and how many were missing so far. */
struct listing_counts listing_count(const struct listing *l);

#endif

/* The fold: the last event of each live key of a log prefix. Deterministic: the same prefix gives the same
 * bytes on every back end and host (invariant I12). */
#ifndef RESILOG_CORE_STATE_H
#define RESILOG_CORE_STATE_H

#include "core/event.h"
#include "core/digest.h"
#include "core/scope.h"

struct event_iter;
struct state;

struct state *state_new(void); /* NULL when out of memory */
void state_free(struct state *s);
DEFINE_FREEP(struct state, state_free)

/* Applies one event: put (and each of the log's own events) replaces, delete removes. An event whose offset
 * is not above the key's present one changes nothing. Copies the event. Errors: NOMEM. */
MUST_CHECK enum rc state_apply(struct state *s, const struct event *ev, struct err *e);
/* Applies what an iterator gives until RC_END or RC_AGAIN. Errors: the iterator's, NOMEM. */
MUST_CHECK enum rc state_fold(struct state *s, struct event_iter *it, struct err *e);
/* The key's last event, or NULL; lives until the next state_apply. */
const struct event *state_get(const struct state *s, struct slice key);
size_t state_count(const struct state *s);
/* Walks keys of `prefix` in byte order: the first key > after (or the first at all with an empty after). NULL
 * at the end. */
const struct event *state_next(const struct state *s, struct slice prefix, struct slice after);
/* SHA-256 over the canonical bytes of all events in key order, hidden ("@...") keys included. Errors: NOMEM. */
MUST_CHECK enum rc state_digest(const struct state *s, uint8_t out[SHA256_SIZE], struct err *e);

#endif

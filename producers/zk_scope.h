/* One root of a ZooKeeper ensemble, listed and followed: the state machine of a scope. The producer hands it what the
 * session says; it asks, and queues events. */
#ifndef RESILOG_PRODUCERS_ZK_SCOPE_H
#define RESILOG_PRODUCERS_ZK_SCOPE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "producers/producer.h"

#include <stdint.h>

struct env;
struct producer_queue;
struct zk_event;
struct zk_scope;

/* What all scopes of a producer share; lives as long as they do. */
struct zk_scope_world {
    struct zk *zk;
    const struct env *env;
    struct producer_queue *queue;
    const struct producer_memory *memory; /* NULL: none */
    bool acl;                             /* ACLs are read */
    int64_t walk_ns;
    bool connected;
    unsigned
        epochs; /* EVENT_EPOCHs that were not taken: what the log knows is of the one before, so nothing is asked */
    int64_t zxid;   /* the highest one that the source is known to have had; -1: none */
    bool regressed; /* a scope found another history: all are to be listed anew */
};

/* id: another one for each scope of the world; resume: a version text, may be empty. Copies root, borrows world. Errors:
 * INVALID (not a path of a node, or too long), NOMEM. */
MUST_CHECK enum rc zk_scope_new(struct zk_scope_world *world, uint16_t id, struct slice root,
                                struct slice resume, struct zk_scope **ret, struct err *e);
void zk_scope_free(struct zk_scope *s);
DEFINE_FREEP(struct zk_scope, zk_scope_free)

struct slice zk_scope_root(const struct zk_scope *s);
/* Asks and says what is due: RC_OK if it did something, RC_AGAIN with when it wants to be called again. Errors: NOMEM. */
MUST_CHECK enum rc zk_scope_step(struct zk_scope *s, int64_t *ret_wake_ns, struct err *e);
/* True if an answer with that tag is this scope's. */
bool zk_scope_owns(const struct zk_scope *s, uint64_t tag);
/* Takes an answer of its own. One that belongs to what was given up since changes nothing. Errors: NOMEM. */
MUST_CHECK enum rc zk_scope_answer(struct zk_scope *s, const struct zk_event *ev, struct err *e);
/* Something happened to that path, which may be outside its root. Errors: NOMEM. */
MUST_CHECK enum rc zk_scope_changed(struct zk_scope *s, struct slice path, struct err *e);
/* The connection was lost, and with it the watch: a gap where there was one, then a listing. Errors: NOMEM. */
MUST_CHECK enum rc zk_scope_lost(struct zk_scope *s, struct err *e);
/* Forgets all that it knows of this history, and lists anew. */
void zk_scope_restart(struct zk_scope *s);
void zk_scope_status(const struct zk_scope *s, struct producer_status *ret);

#endif

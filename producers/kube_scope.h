/* One resource of the source, listed and followed: the state machine of a scope. The producer
 * offers it HTTP events and time; it starts requests and queues events. */
#ifndef RESILOG_PRODUCERS_KUBE_SCOPE_H
#define RESILOG_PRODUCERS_KUBE_SCOPE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "io/http.h"
#include "producers/producer.h"

#include <stdint.h>

struct env;
struct producer_queue;
struct kube_resource;
struct kube_scope;

/* What all scopes of a producer share; lives as long as they do. */
struct kube_scope_world {
    struct http *http;
    const struct env *env;
    struct producer_queue *queue;
    unsigned listings;  /* begun and not ended, at most KUBE_LISTINGS_MAX */
    bool regressed;     /* a scope found the source's versions going backwards: all are to be listed
                           anew */
    bool kinds_changed; /* a CustomResourceDefinition changed: discovery is stale */
    /* How often a scope lost the server, and up to which of these the source's identity was asked
     * again: requests start only where both are equal. */
    uint64_t lost, verified;
};

#define KUBE_LISTINGS_MAX 4

/* scope: "group/resource[/ns]"; api_version "apps/v1" or empty for the preferred one; resume may be
 * empty. Copies the texts, borrows world. Errors: INVALID, NOMEM. */
MUST_CHECK enum rc kube_scope_new(struct kube_scope_world *world, struct slice scope,
                                  struct slice api_version, struct slice resume,
                                  struct kube_scope **ret, struct err *e);
void kube_scope_free(struct kube_scope *s); /* cancels its request */
DEFINE_FREEP(struct kube_scope, kube_scope_free)

struct slice kube_scope_text(const struct kube_scope *s);
/* What discovery must be asked for. */
void kube_scope_resource(const struct kube_scope *s, struct slice *ret_group,
                         struct slice *ret_version, struct slice *ret_resource);
/* Tells what discovery said: its row, or NULL; `unreachable` when the group could not be asked, or not all of it.
 * Queues the @kind event when it is new or has changed. Of a scope without a version of its own, a row with another
 * version than before is followed from a listing on. Errors: NOMEM. */
MUST_CHECK enum rc kube_scope_found(struct kube_scope *s, const struct kube_resource *r,
                                    bool unreachable, struct err *e);
/* Starts what is due: RC_OK if it did something, RC_AGAIN with when it wants to be called again.
 * Errors: NOMEM. */
MUST_CHECK enum rc kube_scope_step(struct kube_scope *s, int64_t *ret_wake_ns, struct err *e);
/* Takes an HTTP event if it is of this scope's request. Errors: NOMEM. */
MUST_CHECK enum rc kube_scope_offer(struct kube_scope *s, const struct http_event *ev,
                                    bool *ret_mine, struct err *e);
/* Forgets the resume position and lists anew. */
void kube_scope_restart(struct kube_scope *s);
void kube_scope_status(const struct kube_scope *s, struct producer_status *ret);

#endif

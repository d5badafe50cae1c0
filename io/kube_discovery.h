/* Which resources a server has: aggregated discovery on /api and /apis, the older form per group
 * where it is not offered. A stepper on struct http; a group that cannot be reached is reported as
 * unreachable, never as empty. */
#ifndef RESILOG_IO_KUBE_DISCOVERY_H
#define RESILOG_IO_KUBE_DISCOVERY_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "io/http.h"

struct kube_resource {
    struct slice group, version, resource, kind, singular;
    struct slice short_names; /* comma-separated */
    bool namespaced;
    bool can_list, can_watch, can_create, can_update, can_delete;
};

struct kube_discovery;
/* Borrows http. NULL when out of memory. */
struct kube_discovery *kube_discovery_new(struct http *h);
void kube_discovery_free(struct kube_discovery *d); /* cancels what it started */
DEFINE_FREEP(struct kube_discovery, kube_discovery_free)

/* Starts (or restarts) asking; the present result stays until the new one is whole. Errors: NOMEM.
 */
MUST_CHECK enum rc kube_discovery_start(struct kube_discovery *d, struct err *e);
/* Offers an event of the http; true if it was one of ours (it is used up then). */
bool kube_discovery_offer(struct kube_discovery *d, const struct http_event *ev);
/* Of the last try: RC_OK: its result is the present one; RC_AGAIN: still asking, or never asked; <
 * 0: it failed, the result before it stays (start again after a while): UNAVAILABLE, DENIED,
 * CORRUPT, LIMIT, or what else the server said. */
MUST_CHECK enum rc kube_discovery_state(const struct kube_discovery *d, struct err *e);

/* The resource, or NULL; with an empty version the group's preferred one that has it. Lives until
 * the next whole result. */
const struct kube_resource *kube_discovery_find(const struct kube_discovery *d, struct slice group,
                                                struct slice version, struct slice resource);
/* All resources in all their versions, in no order; NULL behind the last. Lives as long. */
const struct kube_resource *kube_discovery_at(const struct kube_discovery *d, size_t index);
/* False if some group could not be asked. */
bool kube_discovery_is_whole(const struct kube_discovery *d);
/* True if the group (or the version of it) could not be asked: absence of its resources says
 * nothing. */
bool kube_discovery_unreachable(const struct kube_discovery *d, struct slice group,
                                struct slice version);

#endif

/* The events that wait to be taken from the Kubernetes producer, with the limit at which it stops
 * reading its sockets. */
#ifndef RESILOG_PRODUCERS_KUBE_QUEUE_H
#define RESILOG_PRODUCERS_KUBE_QUEUE_H

#include "core/event.h"
#include "core/scope.h"

#define KUBE_QUEUE_EVENTS 4096
#define KUBE_QUEUE_BYTES  (16u << 20)

struct kube_queue;
struct kube_queue *kube_queue_new(void); /* NULL when out of memory */
void kube_queue_free(struct kube_queue *q);
DEFINE_FREEP(struct kube_queue, kube_queue_free)

/* Copies ev to the end; owner is only compared, by kube_queue_forget. Errors: NOMEM. */
MUST_CHECK enum rc kube_queue_add(struct kube_queue *q, const void *owner, const struct event *ev,
                                  struct err *e);
/* Removes all events of this owner; the order of the others stays. */
void kube_queue_forget(struct kube_queue *q, const void *owner);
/* The first event, removed; it lives until the next call. NULL when empty. */
const struct event *kube_queue_take(struct kube_queue *q);
/* True at one of the limits; what is still added is kept all the same. */
bool kube_queue_full(const struct kube_queue *q);

#endif

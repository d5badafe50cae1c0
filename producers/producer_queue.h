/* The events that wait to be taken from a producer, with the limit at which it asks its source for
 * nothing more. */
#ifndef RESILOG_PRODUCERS_PRODUCER_QUEUE_H
#define RESILOG_PRODUCERS_PRODUCER_QUEUE_H

#include "core/event.h"
#include "core/scope.h"

#define PRODUCER_QUEUE_EVENTS 4096
#define PRODUCER_QUEUE_BYTES  (16u << 20)

struct producer_queue;
struct producer_queue *producer_queue_new(void); /* NULL when out of memory */
void producer_queue_free(struct producer_queue *q);
DEFINE_FREEP(struct producer_queue, producer_queue_free)

/* Copies ev to the end; owner is only compared, by producer_queue_forget. Errors: NOMEM. */
MUST_CHECK enum rc producer_queue_add(struct producer_queue *q, const void *owner,
                                      const struct event *ev, struct err *e);
/* Removes all events of this owner; the order of the others stays. */
void producer_queue_forget(struct producer_queue *q, const void *owner);
/* The first event, removed; it lives until the next call. NULL when empty. */
const struct event *producer_queue_take(struct producer_queue *q);
/* True at one of the limits; what is still added is kept all the same. */
bool producer_queue_full(const struct producer_queue *q);

#endif

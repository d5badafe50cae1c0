/* The events of a client that its caller has not taken yet; each owns its bytes. */
#ifndef RESILOG_IO_HTTP_QUEUE_H
#define RESILOG_IO_HTTP_QUEUE_H

#include "core/scope.h"
#include "io/http.h"

/* One event. `owner` (with its destructor) holds what the event's slices point to where they are
 * not in `bytes`. */
struct http_queued {
    struct http_queued *next;
    struct http_event ev;
    void *owner;
    void (*owner_free)(void *owner);
    char bytes[];
};

/* An event with a copy of bytes behind it (ev is zero). NULL when out of memory. */
struct http_queued *http_queued_new(struct slice bytes);
void http_queued_free(struct http_queued *q);
DEFINE_FREEP(struct http_queued, http_queued_free)

struct http_queue {
    struct http_queued *first, *last;
};
void http_queue_push(struct http_queue *queue, struct http_queued *q); /* takes q */
/* Gives the oldest; NULL when empty. */
struct http_queued *http_queue_pop(struct http_queue *queue);
/* Frees every event of the request. */
void http_queue_forget(struct http_queue *queue, http_id id);
void http_queue_done(struct http_queue *queue);

#endif

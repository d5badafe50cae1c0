/* A singly linked list, oldest first. Not thread-safe. */
#include "io/http_queue.h"

struct http_queued *http_queued_new(struct slice bytes)
{
    struct http_queued *q = calloc(1, sizeof *q + bytes.n);
    if (q && bytes.n)
        memcpy(q->bytes, bytes.p, bytes.n);
    return q;
}

void http_queued_free(struct http_queued *q)
{
    if (!q)
        return;
    if (q->owner_free)
        q->owner_free(q->owner);
    free(q);
}

void http_queue_push(struct http_queue *queue, struct http_queued *q)
{
    q->next = NULL;
    if (queue->last)
        queue->last->next = q;
    else
        queue->first = q;
    queue->last = q;
}

struct http_queued *http_queue_pop(struct http_queue *queue)
{
    struct http_queued *q = queue->first;
    if (!q)
        return NULL;
    queue->first = q->next;
    if (!queue->first)
        queue->last = NULL;
    q->next = NULL;
    return q;
}

void http_queue_forget(struct http_queue *queue, http_id id)
{
    struct http_queued **at = &queue->first;
    queue->last = NULL;
    while (*at) {
        struct http_queued *q = *at;
        if (q->ev.id == id) {
            *at = q->next;
            http_queued_free(q);
            continue;
        }
        queue->last = q;
        at = &q->next;
    }
}

void http_queue_done(struct http_queue *queue)
{
    for (struct http_queued *q; (q = http_queue_pop(queue));)
        http_queued_free(q);
}

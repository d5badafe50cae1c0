/* A ring of owned events that grows by doubling. One thread. */
#include "producers/producer_queue.h"

#include "core/event_codec.h"

#include <stdlib.h>

#define FIRST_SIZE 64

struct entry {
    struct event *event;
    const void *owner;
};

struct producer_queue {
    struct entry *ring;
    size_t size, head, n; /* size is a power of two */
    size_t bytes;
    struct event *taken;
};

static struct entry *at(const struct producer_queue *q, size_t i)
{
    return &q->ring[(q->head + i) & (q->size - 1)];
}

struct producer_queue *producer_queue_new(void)
{
    return calloc(1, sizeof(struct producer_queue));
}

void producer_queue_free(struct producer_queue *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->n; i++)
        free(at(q, i)->event);
    free(q->ring);
    free(q->taken);
    free(q);
}

static enum rc grow(struct producer_queue *q, struct err *e)
{
    size_t size = q->size ? q->size * 2 : FIRST_SIZE;
    struct entry *ring = calloc(size, sizeof *ring);
    if (!ring)
        return err_nomem(e);
    for (size_t i = 0; i < q->n; i++)
        ring[i] = *at(q, i);
    free(q->ring);
    q->ring = ring;
    q->size = size;
    q->head = 0;
    return RC_OK;
}

enum rc producer_queue_add(struct producer_queue *q, const void *owner, const struct event *ev,
                           struct err *e)
{
    if (q->n == q->size) {
        enum rc rc = grow(q, e);
        if (rc < 0)
            return rc;
    }
    struct event *copy = event_copy(ev);
    if (!copy)
        return err_nomem(e);
    *at(q, q->n++) = (struct entry){copy, owner};
    q->bytes += copy->body.n;
    return RC_OK;
}

void producer_queue_forget(struct producer_queue *q, const void *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < q->n; i++) {
        struct entry entry = *at(q, i);
        if (entry.owner != owner) {
            *at(q, kept++) = entry;
            continue;
        }
        q->bytes -= entry.event->body.n;
        free(entry.event);
    }
    q->n = kept;
}

const struct event *producer_queue_take(struct producer_queue *q)
{
    free(q->taken);
    q->taken = NULL;
    if (q->n == 0)
        return NULL;
    q->taken = at(q, 0)->event;
    q->head = (q->head + 1) & (q->size - 1);
    q->n--;
    q->bytes -= q->taken->body.n;
    return q->taken;
}

bool producer_queue_full(const struct producer_queue *q)
{
    return q->n >= PRODUCER_QUEUE_EVENTS || q->bytes >= PRODUCER_QUEUE_BYTES;
}

/* An iterator of events: a log's cursor, a list and a sink's scan are all one. One thread per iterator. */
#ifndef RESILOG_CORE_EVENT_ITER_H
#define RESILOG_CORE_EVENT_ITER_H

#include "core/err.h"
#include "core/scope.h"

struct event;
struct event_iter;

struct event_iter_ops {
    /* RC_OK: *ret is a view that lives until the next call; RC_AGAIN: at the tail, more may come later;
     * RC_END: never more (sticky); < 0: a failure (sticky). */
    enum rc (*next)(struct event_iter *it, const struct event **ret, struct err *e);
    void (*free)(struct event_iter *it);
};

/* Implementations embed this first. */
struct event_iter {
    const struct event_iter_ops *ops;
};

/* The next event, as event_iter_ops.next says. */
MUST_CHECK static inline enum rc event_iter_next(struct event_iter *it, const struct event **ret,
                                                 struct err *e)
{
    return it->ops->next(it, ret, e);
}

static inline void event_iter_free(struct event_iter *it)
{
    if (it)
        it->ops->free(it);
}
DEFINE_FREEP(struct event_iter, event_iter_free)

#endif

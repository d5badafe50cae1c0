/* Dispatchers of producers/producer.h: check arguments, forward. */
#include "producers/producer.h"

#include <assert.h>

enum rc producer_expect(struct producer *p, struct slice identity, struct err *e)
{
    return p->ops->expect(p, identity, e);
}

enum rc producer_add(struct producer *p, struct slice scope, struct slice api_version,
                     struct slice resume, struct err *e)
{
    if (scope.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "an empty scope");
    return p->ops->add(p, scope, api_version, resume, e);
}

void producer_recall(struct producer *p, const struct producer_memory *memory)
{
    if (p->ops->recall)
        p->ops->recall(p, memory);
}

void producer_drop(struct producer *p, struct slice scope)
{
    p->ops->drop(p, scope);
}

enum rc producer_step(struct producer *p, int64_t *ret_wake_ns, struct err *e)
{
    *ret_wake_ns = INT64_MAX;
    return p->ops->step(p, ret_wake_ns, e);
}

enum rc producer_take(struct producer *p, const struct event **ret, struct err *e)
{
    return p->ops->take(p, ret, e);
}

enum rc producer_status(struct producer *p, size_t index, struct producer_status *ret)
{
    return p->ops->status(p, index, ret);
}

enum rc producer_kind(struct producer *p, size_t index, struct producer_kind *ret)
{
    return p->ops->kind(p, index, ret);
}

enum rc producer_wait(struct producer *p, int wake_fd, int64_t timeout_ns, struct err *e)
{
    assert(timeout_ns >= 0);
    return p->ops->wait(p, wake_fd, timeout_ns, e);
}

void producer_close(struct producer *p)
{
    if (p)
        p->ops->close(p);
}

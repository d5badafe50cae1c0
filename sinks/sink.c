/* The callers' side of the sink interface: checks what every sink may rely on, then passes the call on.
 *
 * Keeps nothing. */
#include "sinks/sink.h"

#include "core/event.h"

#include <assert.h>

enum rc sink_submit(struct sink *s, const struct sink_item *item, struct err *e)
{
    assert(item->event && item->event->key.n > 0);
    assert(item->op == SINK_DELETE || item->policy);
    return s->ops->submit(s, item, e);
}

enum rc sink_step(struct sink *s, int64_t *ret_wake_ns, struct err *e)
{
    return s->ops->step(s, ret_wake_ns, e);
}

enum rc sink_take(struct sink *s, struct sink_result *ret, struct err *e)
{
    enum rc rc = s->ops->take(s, ret, e);
    if (rc == RC_OK)
        assert(ret->cls && (ret->outcome == SINK_DONE || ret->reason[0]));
    return rc;
}

enum rc sink_flush(struct sink *s, struct err *e)
{
    return s->ops->flush ? s->ops->flush(s, e) : RC_OK;
}

enum rc sink_scan(struct sink *s, struct slice scope, struct slice api_version,
                  struct event_iter **ret, struct err *e)
{
    if (!s->ops->scan)
        return err_set(e, RC_UNSUPPORTED, ERR_FINAL, "sink %s cannot list its copies",
                       s->ops->name);
    return s->ops->scan(s, scope, api_version, ret, e);
}

bool sink_recognises(struct sink *s, struct slice record, const struct event *found)
{
    return s->ops->recognises && s->ops->recognises(s, record, found);
}

void sink_status(struct sink *s, struct sink_status *ret)
{
    s->ops->status(s, ret);
}

enum rc sink_wait(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return s->ops->wait(s, wake_fd, timeout_ns, e);
}

void sink_close(struct sink *s)
{
    if (s)
        s->ops->close(s);
}

/* Windows of offsets, the last one first; each is read forward and given backward. A window whose events do not fit is
 * read again in halves. */
#include "cli/log_back.h"

#include "core/event_codec.h"
#include "core/event_iter.h"
#include "log/rlog.h"

#include <stdlib.h>

struct window {
    struct event *events[LOG_BACK_EVENTS];
    size_t n, bytes;
};

static void window_done(struct window *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->events[i]);
    w->n = w->bytes = 0;
}

/* RC_LIMIT: it does not fit. */
static enum rc fill(struct rlog *log, const struct rlog_range *range, const struct log_back_opts *o,
                    struct window *w, struct err *e)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev;
    enum rc rc = rlog_cursor(log, range, &it, e);
    while (rc == RC_OK && (rc = event_iter_next(it, &ev, e)) == RC_OK) {
        if (!o->want(o->arg, ev))
            continue;
        w->bytes += event_encoded_size(ev);
        if (w->bytes > LOG_BACK_BYTES && w->n > 0)
            return err_set(e, RC_LIMIT, ERR_FINAL, "a window of events is too large");
        w->events[w->n] = event_copy(ev);
        if (!w->events[w->n])
            return err_nomem(e);
        w->n++;
    }
    return rc == RC_END || rc == RC_AGAIN ? RC_OK : rc;
}

static enum rc give_back(struct window *w, const struct log_back_opts *o, size_t *given,
                         struct err *e)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && w->n > 0) {
        rc = o->give(o->arg, w->events[--w->n], e);
        if (++*given == o->most && rc == RC_OK)
            rc = RC_END;
    }
    return rc;
}

enum rc log_back(struct rlog *log, const struct rlog_range *range, const struct log_back_opts *opts,
                 struct err *e)
{
    AUTO(window_done) struct window w = {.n = 0};
    struct rlog_range at = *range;
    rlog_off first = range->from ? range->from : 1, size = LOG_BACK_EVENTS;
    size_t given = 0;
    while (at.until > first) {
        struct err why = ERR_INIT;
        window_done(&w);
        at.from = at.until - first > size ? at.until - size : first;
        enum rc rc = fill(log, &at, opts, &w, &why);
        if (rc == RC_LIMIT && size > 1) {
            size /= 2;
            continue;
        }
        if (rc == RC_OK)
            rc = give_back(&w, opts, &given, &why);
        if (rc != RC_OK) {
            if (rc < 0)
                *e = why;
            return rc == RC_END ? RC_OK : rc;
        }
        at.until = at.from;
    }
    return RC_OK;
}

/* A decorator: passes each call on and says one debug line about it with its result. Keys are said,
 * bodies never. Keeps: the inner log, which it owns. Cursors are the inner log's own, so reading
 * costs nothing more. Threads: as the inner log. */
#include "log/rlog_ops.h"

#include "core/diag.h"
#include "core/env.h"
#include "core/event_iter.h"

struct rlog_trace {
    struct rlog base;
    struct rlog *inner;
    struct diag *diag;
};

static struct rlog_trace *trace_of(struct rlog *l)
{
    return (struct rlog_trace *)l;
}

#define TRACE_FIELDS 6

/* Says the line; `fields` are the call's own, at most TRACE_FIELDS - 2. Returns rc. */
static enum rc say(struct rlog *l, const char *call, enum rc rc, const struct err *e,
                   const struct diag_field *fields, size_t n)
{
    struct diag_field all[TRACE_FIELDS];
    for (size_t i = 0; i < n; i++)
        all[i] = fields[i];
    all[n++] = DIAG_S("result", slice_str(rc_name(rc)));
    if (rc < 0 && e)
        all[n++] = DIAG_S("error", slice_str(e->msg));
    diag_say(trace_of(l)->diag, DIAG_DEBUG, call, all, n);
    return rc;
}
#define SAY(l, call, rc, e, ...)                                                                   \
    say((l), (call), (rc), (e), (const struct diag_field[]){__VA_ARGS__},                          \
        sizeof((const struct diag_field[]){__VA_ARGS__}) / sizeof(struct diag_field))

static void trace_close(struct rlog *l)
{
    rlog_close(trace_of(l)->inner);
    free(trace_of(l));
}

static enum rc trace_append(struct rlog *l, const struct event *batch, size_t n,
                            rlog_off expect_next, rlog_off *ret_first, struct err *e)
{
    rlog_off first = 0;
    enum rc rc = rlog_append(trace_of(l)->inner, batch, n, expect_next, &first, e);
    if (rc == RC_OK)
        *ret_first = first;
    return SAY(l, "rlog append", rc, e, DIAG_N("events", n), DIAG_N("expected", expect_next),
               DIAG_N("first", first));
}

static enum rc trace_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e)
{
    struct rlog_bounds found = {0};
    enum rc rc = rlog_bounds(trace_of(l)->inner, &found, e);
    if (rc == RC_OK)
        *ret = found;
    return SAY(l, "rlog bounds", rc, e, DIAG_N("first", found.first), DIAG_N("next", found.next),
               DIAG_N("epoch", found.epoch));
}

static enum rc trace_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                            struct err *e)
{
    enum rc rc = rlog_cursor(trace_of(l)->inner, range, ret, e);
    return SAY(l, "rlog cursor", rc, e, DIAG_N("from", range->from), DIAG_N("until", range->until),
               DIAG_S("prefix", range->prefix), DIAG_N("mode", range->mode));
}

static enum rc trace_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                          struct err *e)
{
    enum rc rc = rlog_last(trace_of(l)->inner, key, at, ret, e);
    return SAY(l, "rlog last", rc, e, DIAG_S("key", key), DIAG_N("at", at),
               DIAG_N("found", rc == RC_OK ? ret->event.offset : 0));
}

static enum rc trace_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                             struct event_iter **ret, struct err *e)
{
    enum rc rc = rlog_history(trace_of(l)->inner, key, from, until, ret, e);
    return SAY(l, "rlog history", rc, e, DIAG_S("key", key), DIAG_N("from", from),
               DIAG_N("until", until));
}

static enum rc trace_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e)
{
    enum rc rc = rlog_seek(trace_of(l)->inner, time_ns, ret, e);
    return SAY(l, "rlog seek", rc, e, DIAG_N("time", time_ns),
               DIAG_N("found", rc == RC_OK ? *ret : 0));
}

static enum rc trace_trim(struct rlog *l, rlog_off below, struct err *e)
{
    enum rc rc = rlog_trim(trace_of(l)->inner, below, e);
    return SAY(l, "rlog trim", rc, e, DIAG_N("below", below));
}

static enum rc trace_maintain(struct rlog *l, struct err *e)
{
    enum rc rc = rlog_maintain(trace_of(l)->inner, e);
    return say(l, "rlog maintain", rc, e, NULL, 0);
}

static const struct rlog_ops trace_ops = {
    .name = "trace",
    .close = trace_close,
    .append = trace_append,
    .bounds = trace_bounds,
    .cursor = trace_cursor,
    .last = trace_last,
    .history = trace_history,
    .seek = trace_seek,
    .trim = trace_trim,
    .maintain = trace_maintain,
};

enum rc rlog_trace_open(struct rlog *inner, const struct env *env, struct rlog **ret, struct err *e)
{
    struct rlog_trace *t = calloc(1, sizeof(*t));
    if (!t) {
        rlog_close(inner);
        return err_nomem(e);
    }
    rlog_init(&t->base, &trace_ops, inner->access);
    t->inner = inner;
    t->diag = env->diag;
    *ret = &t->base;
    return RC_OK;
}

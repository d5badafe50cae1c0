/* Keeps one counter for each method. Threads: one; the counters are not guarded. */
#include "tests/fakes/rlog_fault.h"

#include "core/event_iter.h"
#include "log/rlog_ops.h"

#include <assert.h>

struct fault_log {
    struct rlog base;
    struct rlog *inner;
    struct fault_counter calls[RLOG_FAULT_CALLS];
};

struct fault_iter {
    struct event_iter base;
    struct fault_log *log;
    struct event_iter *inner;
    struct err failed; /* sticky */
};

static struct fault_log *fault_of(struct rlog *l)
{
    return (struct fault_log *)l;
}

static bool fails(struct fault_log *f, enum rlog_fault_call call)
{
    return fault_counter_fails(&f->calls[call]);
}

static enum rc fail(struct fault_log *f, enum rlog_fault_call call, struct err *e)
{
    return fault_counter_fail(&f->calls[call], e);
}

static enum rc fault_append(struct rlog *l, const struct event *batch, size_t n,
                            rlog_off expect_next, rlog_off *ret_first, struct err *e)
{
    struct fault_log *f = fault_of(l);
    if (!fails(f, RLOG_FAULT_APPEND))
        return rlog_append(f->inner, batch, n, expect_next, ret_first, e);
    enum rc rc = RC_OK;
    if (f->calls[RLOG_FAULT_APPEND].rule.done)
        rc = rlog_append(f->inner, batch, n, expect_next, NULL, e);
    return rc == RC_OK ? fail(f, RLOG_FAULT_APPEND, e) : rc;
}

static enum rc fault_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e)
{
    struct fault_log *f = fault_of(l);
    return fails(f, RLOG_FAULT_BOUNDS) ? fail(f, RLOG_FAULT_BOUNDS, e)
                                       : rlog_bounds(f->inner, ret, e);
}

static enum rc iter_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct fault_iter *i = (struct fault_iter *)it;
    if (i->failed.rc == RC_OK && fails(i->log, RLOG_FAULT_NEXT))
        (void)fail(i->log, RLOG_FAULT_NEXT, &i->failed);
    if (i->failed.rc == RC_OK)
        return event_iter_next(i->inner, ret, e);
    if (e)
        *e = i->failed;
    return i->failed.rc;
}

static void iter_free(struct event_iter *it)
{
    event_iter_free(((struct fault_iter *)it)->inner);
    free(it);
}

static const struct event_iter_ops iter_ops = {.next = iter_next, .free = iter_free};

static enum rc wrap_iter(struct fault_log *f, struct event_iter *inner, struct event_iter **ret,
                         struct err *e)
{
    struct fault_iter *i = calloc(1, sizeof(*i));
    if (!i) {
        event_iter_free(inner);
        return err_nomem(e);
    }
    i->base.ops = &iter_ops;
    i->log = f;
    i->inner = inner;
    *ret = &i->base;
    return RC_OK;
}

static enum rc fault_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                            struct err *e)
{
    struct fault_log *f = fault_of(l);
    struct event_iter *inner = NULL;
    if (fails(f, RLOG_FAULT_CURSOR))
        return fail(f, RLOG_FAULT_CURSOR, e);
    enum rc rc = rlog_cursor(f->inner, range, &inner, e);
    return rc == RC_OK ? wrap_iter(f, inner, ret, e) : rc;
}

static enum rc fault_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                          struct err *e)
{
    struct fault_log *f = fault_of(l);
    return fails(f, RLOG_FAULT_LAST) ? fail(f, RLOG_FAULT_LAST, e)
                                     : rlog_last(f->inner, key, at, ret, e);
}

static enum rc fault_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                             struct event_iter **ret, struct err *e)
{
    struct fault_log *f = fault_of(l);
    struct event_iter *inner = NULL;
    if (fails(f, RLOG_FAULT_HISTORY))
        return fail(f, RLOG_FAULT_HISTORY, e);
    enum rc rc = rlog_history(f->inner, key, from, until, &inner, e);
    return rc == RC_OK ? wrap_iter(f, inner, ret, e) : rc;
}

static enum rc fault_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e)
{
    struct fault_log *f = fault_of(l);
    return fails(f, RLOG_FAULT_SEEK) ? fail(f, RLOG_FAULT_SEEK, e)
                                     : rlog_seek(f->inner, time_ns, ret, e);
}

static enum rc fault_trim(struct rlog *l, rlog_off below, struct err *e)
{
    struct fault_log *f = fault_of(l);
    if (!fails(f, RLOG_FAULT_TRIM))
        return rlog_trim(f->inner, below, e);
    enum rc rc = f->calls[RLOG_FAULT_TRIM].rule.done ? rlog_trim(f->inner, below, e) : RC_OK;
    return rc == RC_OK ? fail(f, RLOG_FAULT_TRIM, e) : rc;
}

static enum rc fault_maintain(struct rlog *l, struct err *e)
{
    struct fault_log *f = fault_of(l);
    return fails(f, RLOG_FAULT_MAINTAIN) ? fail(f, RLOG_FAULT_MAINTAIN, e)
                                         : rlog_maintain(f->inner, e);
}

static void fault_close(struct rlog *l)
{
    rlog_close(fault_of(l)->inner);
    free(l);
}

static const struct rlog_ops fault_ops = {
    .name = "fault",
    .close = fault_close,
    .append = fault_append,
    .bounds = fault_bounds,
    .cursor = fault_cursor,
    .last = fault_last,
    .history = fault_history,
    .seek = fault_seek,
    .trim = fault_trim,
    .maintain = fault_maintain,
};

struct rlog *rlog_fault_new(struct rlog *inner)
{
    struct fault_log *f = calloc(1, sizeof(*f));
    if (!f) {
        rlog_close(inner);
        return NULL;
    }
    rlog_init(&f->base, &fault_ops, inner->access);
    f->inner = inner;
    return &f->base;
}

void rlog_fault_set(struct rlog *l, enum rlog_fault_call call, const struct fault_rule *rule)
{
    assert(l->ops == &fault_ops && rule->rc <= 0);
    fault_of(l)->calls[call].rule = *rule;
}

unsigned rlog_fault_count(const struct rlog *l, enum rlog_fault_call call)
{
    assert(l->ops == &fault_ops);
    return ((const struct fault_log *)l)->calls[call].calls;
}

/* Keeps one counter for each method. Threads: one; the counters are not guarded. */
#include "tests/fakes/ckpt_fault.h"

#include "log/ckpt_ops.h"

#include <assert.h>

struct fault_ckpt {
    struct ckpt base;
    struct ckpt *inner;
    struct fault_counter calls[CKPT_FAULT_CALLS];
};

static struct fault_ckpt *fault_of(struct ckpt *c)
{
    return (struct fault_ckpt *)c;
}

static bool fails(struct fault_ckpt *f, enum ckpt_fault_call call)
{
    return fault_counter_fails(&f->calls[call]);
}

static enum rc fail(struct fault_ckpt *f, enum ckpt_fault_call call, struct err *e)
{
    return fault_counter_fail(&f->calls[call], e);
}

static enum rc fault_load(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                          struct buf *position, struct buf *status, struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    return fails(f, CKPT_FAULT_LOAD) ? fail(f, CKPT_FAULT_LOAD, e)
                                     : ckpt_load(f->inner, consumer, ret, position, status, e);
}

static enum rc fault_get(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                         struct slice key, struct buf *out, struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    return fails(f, CKPT_FAULT_GET) ? fail(f, CKPT_FAULT_GET, e)
                                    : ckpt_get(f->inner, consumer, table, key, out, e);
}

static enum rc fault_scan(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                          struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    return fails(f, CKPT_FAULT_SCAN) ? fail(f, CKPT_FAULT_SCAN, e)
                                     : ckpt_scan(f->inner, consumer, table, prefix, fn, arg, e);
}

static enum rc fault_commit(struct ckpt *c, struct slice consumer, const struct ckpt_commit *what,
                            struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    if (!fails(f, CKPT_FAULT_COMMIT))
        return ckpt_commit(f->inner, consumer, what, e);
    bool done = f->calls[CKPT_FAULT_COMMIT].rule.done;
    enum rc rc = done ? ckpt_commit(f->inner, consumer, what, e) : RC_OK;
    return rc == RC_OK ? fail(f, CKPT_FAULT_COMMIT, e) : rc;
}

static enum rc fault_list(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    return fails(f, CKPT_FAULT_LIST) ? fail(f, CKPT_FAULT_LIST, e)
                                     : ckpt_list(f->inner, fn, arg, e);
}

static enum rc fault_remove(struct ckpt *c, struct slice consumer, struct err *e)
{
    struct fault_ckpt *f = fault_of(c);
    if (!fails(f, CKPT_FAULT_REMOVE))
        return ckpt_remove(f->inner, consumer, e);
    bool done = f->calls[CKPT_FAULT_REMOVE].rule.done;
    enum rc rc = done ? ckpt_remove(f->inner, consumer, e) : RC_OK;
    return rc == RC_OK ? fail(f, CKPT_FAULT_REMOVE, e) : rc;
}

static void fault_let_go(struct ckpt *c, struct slice consumer)
{
    (void)fails(fault_of(c), CKPT_FAULT_LET_GO);
    ckpt_let_go(fault_of(c)->inner, consumer);
}

static void fault_close(struct ckpt *c)
{
    ckpt_close(fault_of(c)->inner);
    free(c);
}

static const struct ckpt_ops fault_ops = {
    .name = "fault",
    .close = fault_close,
    .load = fault_load,
    .get = fault_get,
    .scan = fault_scan,
    .commit = fault_commit,
    .list = fault_list,
    .remove = fault_remove,
    .let_go = fault_let_go,
};

struct ckpt *ckpt_fault_new(struct ckpt *inner)
{
    struct fault_ckpt *f = calloc(1, sizeof(*f));
    if (!f) {
        ckpt_close(inner);
        return NULL;
    }
    f->base.ops = &fault_ops;
    f->inner = inner;
    return &f->base;
}

void ckpt_fault_set(struct ckpt *c, enum ckpt_fault_call call, const struct fault_rule *rule)
{
    assert(c->ops == &fault_ops && rule->rc <= 0);
    fault_of(c)->calls[call].rule = *rule;
}

unsigned ckpt_fault_count(const struct ckpt *c, enum ckpt_fault_call call)
{
    assert(c->ops == &fault_ops);
    return ((const struct fault_ckpt *)c)->calls[call].calls;
}

/* Keeps one rule and one counter for each method. Threads: one; the rules are not guarded. */
#include "tests/fakes/ckpt_fault.h"

#include "log/ckpt_ops.h"

#include <assert.h>

struct fault_ckpt {
    struct ckpt base;
    struct ckpt *inner;
    struct ckpt_fault rules[CKPT_FAULT_CALLS];
    unsigned counts[CKPT_FAULT_CALLS];
};

static struct fault_ckpt *fault_of(struct ckpt *c)
{
    return (struct fault_ckpt *)c;
}

/* Counts the call; true if its rule makes it fail. */
static bool fails(struct fault_ckpt *f, enum ckpt_fault_call call)
{
    struct ckpt_fault *rule = &f->rules[call];
    f->counts[call]++;
    if (rule->rc == RC_OK)
        return false;
    if (rule->pass > 0) {
        rule->pass--;
        return false;
    }
    return true;
}

static enum rc fail(struct fault_ckpt *f, enum ckpt_fault_call call, struct err *e)
{
    struct ckpt_fault *rule = &f->rules[call];
    enum rc rc = rule->rc;
    enum err_retry retry = rule->retry;
    if (rule->times > 0 && --rule->times == 0)
        *rule = (struct ckpt_fault){.rc = RC_OK};
    return err_set(e, rc, retry, "a fault was injected");
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
    bool done = f->rules[CKPT_FAULT_COMMIT].done;
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
    bool done = f->rules[CKPT_FAULT_REMOVE].done;
    enum rc rc = done ? ckpt_remove(f->inner, consumer, e) : RC_OK;
    return rc == RC_OK ? fail(f, CKPT_FAULT_REMOVE, e) : rc;
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

void ckpt_fault_set(struct ckpt *c, enum ckpt_fault_call call, const struct ckpt_fault *rule)
{
    assert(c->ops == &fault_ops && rule->rc <= 0);
    fault_of(c)->rules[call] = *rule;
}

unsigned ckpt_fault_count(const struct ckpt *c, enum ckpt_fault_call call)
{
    assert(c->ops == &fault_ops);
    return ((const struct fault_ckpt *)c)->counts[call];
}

/* A decorator: passes each call on and says one debug line about it with its result. Keys are said, values never.
 * Keeps: the inner store, which it owns. Threads: as the inner store. */
#include "log/ckpt_ops.h"

#include "core/diag.h"
#include "core/env.h"

#include <stdlib.h>

struct ckpt_trace {
    struct ckpt base;
    struct ckpt *inner;
    struct diag *diag;
};

static struct ckpt_trace *trace_of(struct ckpt *c)
{
    return (struct ckpt_trace *)c;
}

#define TRACE_FIELDS 8

/* Says the line; `fields` are the call's own, at most TRACE_FIELDS - 3. Returns rc. */
static enum rc say(struct ckpt *c, const char *call, struct slice consumer, enum rc rc,
                   const struct err *e, const struct diag_field *fields, size_t n)
{
    struct diag_field all[TRACE_FIELDS];
    for (size_t i = 0; i < n; i++)
        all[i] = fields[i];
    if (consumer.n > 0)
        all[n++] = DIAG_S("consumer", consumer);
    all[n++] = DIAG_S("result", slice_str(rc_name(rc)));
    if (rc < 0 && e)
        all[n++] = DIAG_S("error", slice_str(e->msg));
    diag_say(trace_of(c)->diag, DIAG_DEBUG, call, all, n);
    return rc;
}
#define SAY(c, call, consumer, rc, e, ...)                                                         \
    say((c), (call), (consumer), (rc), (e), (const struct diag_field[]){__VA_ARGS__},              \
        sizeof((const struct diag_field[]){__VA_ARGS__}) / sizeof(struct diag_field))

static void trace_close(struct ckpt *c)
{
    ckpt_close(trace_of(c)->inner);
    free(trace_of(c));
}

static enum rc trace_load(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                          struct buf *position, struct buf *status, struct err *e)
{
    struct ckpt_head head = {0};
    enum rc rc = ckpt_load(trace_of(c)->inner, consumer, &head, position, status, e);
    if (rc == RC_OK)
        *ret = head;
    return SAY(c, "ckpt load", consumer, rc, e, DIAG_N("generation", head.generation),
               DIAG_N("offset", head.offset));
}

static enum rc trace_get(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                         struct slice key, struct buf *out, struct err *e)
{
    enum rc rc = ckpt_get(trace_of(c)->inner, consumer, table, key, out, e);
    return SAY(c, "ckpt get", consumer, rc, e, DIAG_N("table", table), DIAG_S("key", key));
}

static enum rc trace_scan(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                          struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e)
{
    enum rc rc = ckpt_scan(trace_of(c)->inner, consumer, table, prefix, fn, arg, e);
    return SAY(c, "ckpt scan", consumer, rc, e, DIAG_N("table", table), DIAG_S("prefix", prefix));
}

static enum rc trace_commit(struct ckpt *c, struct slice consumer, const struct ckpt_commit *what,
                            struct err *e)
{
    enum rc rc = ckpt_commit(trace_of(c)->inner, consumer, what, e);
    return SAY(c, "ckpt commit", consumer, rc, e, DIAG_N("generation", what->head.generation),
               DIAG_N("offset", what->head.offset), DIAG_N("rows", what->n_rows));
}

static enum rc trace_list(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e)
{
    enum rc rc = ckpt_list(trace_of(c)->inner, fn, arg, e);
    return say(c, "ckpt list", SLICE_NULL, rc, e, NULL, 0);
}

static enum rc trace_remove(struct ckpt *c, struct slice consumer, struct err *e)
{
    enum rc rc = ckpt_remove(trace_of(c)->inner, consumer, e);
    return say(c, "ckpt remove", consumer, rc, e, NULL, 0);
}

static void trace_let_go(struct ckpt *c, struct slice consumer)
{
    ckpt_let_go(trace_of(c)->inner, consumer);
}

static const struct ckpt_ops trace_ops = {
    .name = "trace",
    .close = trace_close,
    .load = trace_load,
    .get = trace_get,
    .scan = trace_scan,
    .commit = trace_commit,
    .list = trace_list,
    .remove = trace_remove,
    .let_go = trace_let_go,
};

enum rc ckpt_trace_open(struct ckpt *inner, const struct env *env, struct ckpt **ret, struct err *e)
{
    struct ckpt_trace *t = calloc(1, sizeof(*t));
    if (!t) {
        ckpt_close(inner);
        return err_nomem(e);
    }
    t->base.ops = &trace_ops;
    t->inner = inner;
    t->diag = env->diag;
    *ret = &t->base;
    return RC_OK;
}

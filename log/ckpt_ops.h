/* What a back end of the checkpoints implements; contracts in log/ckpt.h. log/ckpt.c has checked names, keys
 * and sizes. */
#ifndef RESILOG_LOG_CKPT_OPS_H
#define RESILOG_LOG_CKPT_OPS_H

#include "log/ckpt.h"

struct ckpt_ops {
    const char *name;
    void (*close)(struct ckpt *c);
    enum rc (*load)(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                    struct buf *position, struct buf *status, struct err *e);
    enum rc (*get)(struct ckpt *c, struct slice consumer, enum ckpt_table table, struct slice key,
                   struct buf *out, struct err *e);
    enum rc (*scan)(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                    struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e);
    enum rc (*commit)(struct ckpt *c, struct slice consumer, const struct ckpt_commit *what,
                      struct err *e);
    enum rc (*list)(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e);
    enum rc (*remove)(struct ckpt *c, struct slice consumer, struct err *e);
    void (*let_go)(struct ckpt *c, struct slice consumer); /* optional: nothing is kept open */
};

/* Back ends embed this first. */
struct ckpt {
    const struct ckpt_ops *ops;
};

#endif

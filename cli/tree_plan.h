/* What a run of a Synchronization of znodes would do about what differs, one line for each action. It only reads. */
#ifndef RESILOG_CLI_TREE_PLAN_H
#define RESILOG_CLI_TREE_PLAN_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct ckpt;
struct sync;
struct zk_difference;

struct tree_plan {
    const struct sync *sync; /* borrowed */
    struct ckpt *ckpt; /* borrowed; NULL: there is none, so nothing in the destination is ours */
    bool may_prune;    /* deletions beyond the guard's limit are approved */
    /* Zeros at first. */
    size_t actions, deletes;
    bool refused; /* a run would write nothing: the root may not be made */
};

/* Appends the lines for one difference, none where a run does nothing about it. Errors: those of ckpt_get and of the
 * records in it. */
MUST_CHECK enum rc tree_plan_add(struct tree_plan *p, const struct zk_difference *d,
                                 struct buf *out, struct err *e);
/* After the last difference: appends a line if the guard would hold the deletions. Errors: those of ckpt_scan. */
MUST_CHECK enum rc tree_plan_end(struct tree_plan *p, struct buf *out, struct err *e);

#endif

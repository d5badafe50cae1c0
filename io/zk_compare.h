/* How two trees of znodes differ: two walks of the same root, merged as they come; nothing of the trees is held.
 *
 * Trees that change meanwhile are compared as each node was when it was read, so a difference of a live tree may be one
 * of time alone: look at it again. */
#ifndef RESILOG_IO_ZK_COMPARE_H
#define RESILOG_IO_ZK_COMPARE_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct zk_compare;
struct zk_walk;
struct zk_walk_node;

/* What a difference is of; bits. */
enum zk_compare_what {
    ZK_COMPARE_MISSING = 1, /* only the source has the node */
    ZK_COMPARE_EXTRA = 2,   /* only the destination has it */
    ZK_COMPARE_DATA = 4,
    ZK_COMPARE_ACL = 8, /* entries, in any order; where both walks read it, with no digest hidden */
    ZK_COMPARE_SEQUENCE =
        16, /* the destination's next sequential number is lower, so it is one given already */
    ZK_COMPARE_UNREADABLE = 32 /* one of both cannot be read, or what is above it: nobody knows */
};

struct zk_compare_opts {
    struct zk_walk *source, *destination; /* borrowed; their owners step them and offer events */
    /* True if the node counts, of either side; the others are passed over. Its node is empty where it has an error.
     * NULL: all count. */
    bool (*selects)(void *arg, const struct zk_walk_node *node);
    void *arg;
};

struct zk_difference {
    unsigned what; /* enum zk_compare_what */
    struct slice path;
    const struct zk_walk_node *source, *destination; /* NULL: not there */
};

/* NULL when out of memory. */
struct zk_compare *zk_compare_new(const struct zk_compare_opts *opts);
void zk_compare_free(struct zk_compare *c);
DEFINE_FREEP(struct zk_compare, zk_compare_free)

/* The next difference: RC_OK (a view until the next call), RC_AGAIN (a walk waits: step both), RC_END. Errors: those of
 * zk_walk_next, with "source: " or "destination: " before their text; NOMEM. */
MUST_CHECK enum rc zk_compare_next(struct zk_compare *c, struct zk_difference *ret, struct err *e);
/* How many nodes of both sides were alike so far. */
uint64_t zk_compare_equal(const struct zk_compare *c);

#endif

/* What was said of each node in this life: as little as tells whether a node that was read is news. About 150 bytes a
 * node (500,051 nodes with paths of 34 bytes: 75 MB). */
#ifndef RESILOG_PRODUCERS_ZK_KNOWN_H
#define RESILOG_PRODUCERS_ZK_KNOWN_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct zk_known;
struct znode_stat;

#define ZK_SAID_GONE (-1)

struct zk_said {
    int64_t
        czxid; /* or ZK_SAID_GONE: of no other node than one that the log may still have, for it is behind */
    int64_t mzxid, sequence;
    int32_t aversion;
    uint32_t walk; /* the last walk that met it, or that was over when it was said */
};

struct zk_known *zk_known_new(void); /* NULL when out of memory */
void zk_known_free(struct zk_known *k);
DEFINE_FREEP(struct zk_known, zk_known_free)

/* NULL: nothing was said of it, or that it is gone. Lives until the next change of k. */
const struct zk_said *zk_known_get(const struct zk_known *k, struct slice path);
/* Errors: NOMEM. */
MUST_CHECK enum rc zk_known_put(struct zk_known *k, struct slice path, struct zk_said said,
                                struct err *e);
void zk_known_delete(struct zk_known *k, struct slice path);
void zk_known_clear(struct zk_known *k);
/* The next path that this walk did not meet, in no order: *at is 0 at first; false: no more. It lives until the next
 * change of k; it may be deleted meanwhile, but none may be put. */
bool zk_known_unmet(const struct zk_known *k, uint32_t walk, size_t *at, struct slice *ret);

#endif

/* Requests made of many items: what fits into one, and whose part is whose. */
#ifndef RESILOG_SINKS_ZK_BATCH_H
#define RESILOG_SINKS_ZK_BATCH_H

#include "sinks/zk_slots.h"

struct zk_call;
struct zk_result;

#define ZK_BATCH_SLOTS 256u
#define ZK_BATCH_PARTS 2048u        /* of one item that raises a sequence */
#define ZK_BATCH_BYTES (500u << 10) /* of the request, and of what it is expected to answer */

struct zk_batch {
    bool open;    /* it was sent */
    bool reading; /* a ZK_MULTI_READ */
    uint32_t n;
    struct zk_slot *slots[ZK_BATCH_SLOTS];
    uint32_t parts[ZK_BATCH_SLOTS]; /* how many each has */
};

/* Takes slots from the front of a list (LOOK or WRITE) as long as they fit; they stay there. calls has room for
 * ZK_BATCH_PARTS, of which *ret_n are filled; their slices live as long as the slots are not touched. An item that is to
 * be alone is, one that is larger than all limits, too. Errors: NOMEM. */
MUST_CHECK enum rc zk_batch_fill(struct zk_batch *b, const struct zk_list *from,
                                 const struct zk_dest *d, struct zk_call *calls, size_t *ret_n,
                                 struct err *e);
/* True of a slot whose request is to have no parts of others. */
bool zk_batch_is_alone(const struct zk_slot *x);
/* Which slot made a multi of writes fail, and in *ret_error by what; NULL: the answer does not tell. */
struct zk_slot *zk_batch_culprit(const struct zk_batch *b, const struct zk_result *r,
                                 int *ret_error);

#endif

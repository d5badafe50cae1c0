/* The inside of struct zk_item, shared by zk_item.c and zk_item_calls.c. */
#ifndef RESILOG_SINKS_ZK_ITEM_PRIV_H
#define RESILOG_SINKS_ZK_ITEM_PRIV_H

#include "core/event.h"
#include "sinks/zk_item.h"

/* The node's path. */
static inline struct slice zk_item_path(const struct zk_item *it)
{
    return it->item.event->key;
}

/* False: it is a delete, and has no wanted node. */
static inline bool zk_item_is_put(const struct zk_item *it)
{
    return it->item.op == SINK_PUT;
}

/* Of a put: the destination's node and the wanted one. */
void zk_item_compare(const struct zk_item *it, const struct zk_dest *d, struct zk_compared *ret);

#endif

/* The nodes that this sink made and that get children: what is below one of them was not there before it, so its children
 * are made without a look. Only a hint, for a node that is there nevertheless is told by the refusal. One thread. */
#ifndef RESILOG_SINKS_ZK_MADE_H
#define RESILOG_SINKS_ZK_MADE_H

#include "core/slice.h"

#include <stdint.h>

struct zk_item;
struct zk_made;

#define ZK_MADE_MAX 65536u /* of more nodes the last ones count */

/* NULL when out of memory. */
struct zk_made *zk_made_new(void);
void zk_made_free(struct zk_made *m);
/* czxid is the node's. Without memory it is not kept. */
void zk_made_put(struct zk_made *m, struct slice path, int64_t czxid);
/* What an answer to the item tells: the node that it made, if children of it are to come; or, after a deletion, that
 * somebody else may make nodes anew. */
void zk_made_note(struct zk_made *m, const struct zk_item *it);
/* The czxid of the node, or 0 if it is not one of them. */
int64_t zk_made_find(const struct zk_made *m, struct slice path);
/* Forgets all. */
void zk_made_clear(struct zk_made *m);

#endif

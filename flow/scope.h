/* Scopes: what of a source is listed and followed as one, and which keys it has.
 *
 * Of Kubernetes a scope is "group/resource" or "group/resource/ns" and has keys "group/resource/ns/name". In a tree of
 * znodes a scope is the path of a node, and has that node and all below it; "/" has not the node /zookeeper with
 * all below, where a server keeps its own. A text does not tell which of both it is ("/configmaps" may be either), so
 * whoever has one says it. Pure. */
#ifndef RESILOG_FLOW_SCOPE_H
#define RESILOG_FLOW_SCOPE_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>

struct buf;
struct map;
struct replication;
struct replication_entry;

#define SYNC_PREFIX "@sync/" /* of the log's keys of listings, before the scope */

struct scope {
    struct slice text;
    bool tree;
};

/* Appends what all keys of the scope begin with. In a tree others may, too: "/ab" is none of "/a". Errors: LIMIT,
 * NOMEM. */
MUST_CHECK enum rc scope_print_prefix(const struct scope *s, struct buf *out, struct err *e);
bool scope_has(const struct scope *s, struct slice key);
/* The value of a scope that has the key, in a map of scopes' texts; NULL if none has it. */
void *scope_find(const struct map *scopes, struct slice key, bool tree);
/* The scope of what is counted together when much of it goes: the key's resource, a whole tree. Borrows key. */
struct scope scope_of_kind(struct slice key, bool tree);

/* True if the synchronization's source is a tree. */
bool scope_is_tree(const struct replication *r);
/* The scope of an entry in any namespace; its text lives as long as the entry and memory. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc scope_of_entry(const struct replication_entry *entry, struct buf *memory,
                                  struct scope *ret, struct err *e);
/* True if some key of the scope may be one of the entry's. */
bool scope_meets_entry(const struct scope *s, const struct replication_entry *entry);

#endif

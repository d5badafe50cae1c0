/* The ZooKeeper sink: how it is opened. What it does is sinks/sink.h. */
#ifndef RESILOG_SINKS_ZK_SINK_H
#define RESILOG_SINKS_ZK_SINK_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct env;
struct sink;
struct zk;

struct zk_sink_opts {
    struct zk *zk; /* taken, even on failure */
    const char *user,
        *password;     /* as in struct zk_target: so that we know what an ACL lets us do */
    const char *name;  /* "namespace/name" of the Database: what its identity is made of */
    struct slice root; /* only this node and what is below it is written */
    bool create_root;  /* make root and its parents where they are missing; else that is an error */
    bool acl;          /* copy ACLs; else new nodes get those of root's nearest node that exists */
    uint32_t window;   /* most items in flight; 0: 4,096 */
};
/* Borrows nothing of opts but zk. Items: keys are paths, bodies as in core/znode.h, and SINK_DELETE removes one node. A
 * scan's scope is a path, root's or one below it. A delete is carried out on the very node (czxid) of the record only. Errors: NOMEM, INVALID (root). */
MUST_CHECK enum rc zk_sink_open(const struct zk_sink_opts *opts, const struct env *env,
                                struct sink **ret, struct err *e);

#endif

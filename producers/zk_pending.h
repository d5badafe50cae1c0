/* Nodes that were read and wait to be said: in the order in which they came, each once its ACL is there. */
#ifndef RESILOG_PRODUCERS_ZK_PENDING_H
#define RESILOG_PRODUCERS_ZK_PENDING_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "core/znode.h"

struct zk_pending;
struct zk_result;

#define ZK_PENDING_NODES 4096u
#define ZK_PENDING_BYTES (8u << 20)

enum zk_acl_state {
    ZK_ACL_THERE, /* in the node, or not needed */
    ZK_ACL_WANTED,
    ZK_ACL_ASKED,
    ZK_ACL_FAILED /* error says why */
};

struct zk_node {
    struct slice path;
    struct znode node;
    bool gone;      /* there is no such node; else it is as in `node` */
    bool listed;    /* by a walk, else read because something happened to it */
    bool unchanged; /* the log has it as it is: no data, no ACL */
    enum zk_acl_state acl;
    int error; /* enum zk_error */
};

struct zk_pending *zk_pending_new(void); /* NULL when out of memory */
void zk_pending_free(struct zk_pending *p);
DEFINE_FREEP(struct zk_pending, zk_pending_free)

/* Copies n to the end. Errors: NOMEM. */
MUST_CHECK enum rc zk_pending_add(struct zk_pending *p, const struct zk_node *n, struct err *e);
/* The first one whose ACL is wanted, NULL: none; and notes that it was asked for. Answers come in this order. */
const struct zk_node *zk_pending_wants(const struct zk_pending *p);
void zk_pending_asked(struct zk_pending *p);
/* Gives the first one that was asked for its ACL, with the stat that describes both data and ACL; it fails with
 * ZK_BAD_VERSION where the node was changed so between the two that they do not belong together, and with the answer's
 * error. Errors: NOMEM. */
MUST_CHECK enum rc zk_pending_answer(struct zk_pending *p, const struct zk_result *acl,
                                     struct err *e);
/* The first one if it waits for nothing more, else NULL; lives until it is dropped. */
const struct zk_node *zk_pending_first(const struct zk_pending *p);
void zk_pending_drop_first(struct zk_pending *p);
bool zk_pending_is_empty(const struct zk_pending *p);
/* True at one of the limits; what is still added is kept all the same. */
bool zk_pending_full(const struct zk_pending *p);
void zk_pending_clear(struct zk_pending *p);

#endif

/* Is the ensemble there, which one is it, who are we in it, and what is there of root: asked with each connection before
 * anything else is. */
#ifndef RESILOG_SINKS_ZK_LINK_H
#define RESILOG_SINKS_ZK_LINK_H

#include "core/backoff.h"
#include "core/buf.h"
#include "sinks/sink.h"
#include "sinks/zk_item.h"

struct env;
struct zk;
struct zk_event;

enum zk_link_step {
    ZK_LINK_DOWN,
    ZK_LINK_SYNC, /* a server that lags behind shows our last writes then */
    ZK_LINK_WHO,  /* are we the super user */
    ZK_LINK_ROOT, /* is root there, or which of its ancestors */
    ZK_LINK_ACL,  /* that one's ACL */
    ZK_LINK_UP
};

struct zk_link {
    struct zk_dest
        *dest;        /* root, me and acl are set by who opens; me.is_super and base are learned */
    const char *name; /* borrowed */
    bool create_root;

    enum zk_link_step step;
    bool asked; /* an answer is awaited */
    bool fatal;
    unsigned who_lost; /* so often in a row; a server of 3.6 ends the session that asks who it is */
    int64_t root_czxid; /* 0: not known */
    int64_t not_before; /* boot clock */
    struct backoff backoff;
    struct buf acl_texts; /* of dest->base_acl */
    char identity[SINK_IDENTITY_MAX];
    char error[320]; /* why not up */
};

/* Down, nothing asked. */
void zk_link_init(struct zk_link *l, struct zk_dest *dest, const char *name, bool create_root);
/* Frees what it learned. */
void zk_link_done(struct zk_link *l);
static inline bool zk_link_is_up(const struct zk_link *l)
{
    return l->step == ZK_LINK_UP && !l->fatal;
}
/* Sends the next question, with that tag. RC_OK: sent; RC_AGAIN: nothing to ask before *ret_wake_ns. Errors: LIMIT,
 * NOMEM. */
MUST_CHECK enum rc zk_link_ask(struct zk_link *l, struct zk *z, uint64_t tag, const struct env *env,
                               int64_t *ret_wake_ns, struct err *e);
/* CONNECTED, LOST, or the answer to a question. Errors: NOMEM. */
MUST_CHECK enum rc zk_link_event(struct zk_link *l, const struct zk_event *ev,
                                 const struct env *env, struct err *e);
/* The sink made the root node. */
void zk_link_root_made(struct zk_link *l, int64_t czxid);
/* The sink deleted it. */
void zk_link_root_gone(struct zk_link *l);
/* What is there of root is asked again before anything else. */
void zk_link_doubt(struct zk_link *l);
/* Never up again. */
void zk_link_stop(struct zk_link *l, const struct env *env, const char *why);

#endif

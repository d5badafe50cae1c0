/* A walk over all nodes of a tree, breadth-first: a node before what is below it.
 *
 * The nodes of one depth come in the order of their parents, those of one parent in byte order of their names, so that
 * two walks can be compared.
 *
 * A stepper on a session that its owner shares with it: the owner takes the events and offers them to the walk, calls
 * zk_walk_step while that does something, and takes nodes. Reads are pipelined MULTI_READs, the children of a node are
 * asked for when there is room for them, and nothing more is asked while nodes wait to be taken beyond
 * ZK_WALK_HELD_BYTES (I10). Who takes all nodes before the next event of the session holds no more than a few answers,
 * however big the nodes turn out to be. A walk is no snapshot: each node is as it was when it was read. */
#ifndef RESILOG_IO_ZK_WALK_H
#define RESILOG_IO_ZK_WALK_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "core/znode.h"

#include <stdint.h>

struct zk;
struct zk_event;
struct zk_walk;

/* Nodes in one request: so many that an answer fits into ZK_ANSWER_MAX though each node has ZNODE_DATA_MAX bytes, for
 * nobody knows that before. */
#define ZK_WALK_PARTS      60u
#define ZK_WALK_PARTS_MAX  500u
#define ZK_WALK_IN_FLIGHT  16u           /* requests of nodes or children */
#define ZK_WALK_ACLS       512u          /* requests of ACLs in flight, one for each node */
#define ZK_WALK_BYTES      (500u << 10)  /* expected of one answer */
#define ZK_WALK_HELD_BYTES (8u << 20)    /* expected, and not yet taken */
#define ZK_WALK_QUEUED     65536u        /* paths beyond which no more children are asked for */
#define ZK_WALK_PATH_BYTES (1024u << 20) /* of all paths still to be read or asked for children */
#define ZK_WALK_TAGS       ((uint64_t)1 << 32)

/* The error of a node that is not asked for, because znode_is_path says no. */
#define ZK_WALK_BAD_PATH (-8)

struct zk_walk_opts {
    struct zk *zk;     /* borrowed; connected when the walk begins */
    struct slice root; /* copied; it and all below it, without "/zookeeper" where it is "/" */
    /* The walk's tags are this one and ZK_WALK_TAGS - 1 behind it. Answers to a walk that was closed early come still:
     * give the next walk other tags, and pass over those. */
    uint64_t first_tag;
    /* True if the node's ACL is to be read, too; called in zk_walk_offer. NULL: none is. */
    bool (*want_acl)(void *arg, struct slice path, const struct znode_stat *stat);
    void *arg;
    uint32_t parts;     /* 0: ZK_WALK_PARTS; at most ZK_WALK_PARTS_MAX */
    uint32_t in_flight; /* 0: ZK_WALK_IN_FLIGHT */
    uint32_t queued;    /* 0: ZK_WALK_QUEUED */
};

struct zk_walk_node {
    struct slice path;
    /* ZK_OK, or why there is no node: ZK_NO_AUTH (it may not be read), ZK_WALK_BAD_PATH, or another of the server's.
     * Then what is below it is not known either. A node may come once more with an error, when its children cannot be
     * read. */
    int error;
    struct znode node;
};

/* Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc zk_walk_open(const struct zk_walk_opts *opts, struct zk_walk **ret,
                                struct err *e);
void zk_walk_close(struct zk_walk *w);
DEFINE_FREEP(struct zk_walk, zk_walk_close)

/* Offers an event of the session; true if it was an answer to the walk (it is used up then). LOST ends the walk, and
 * false is given. What goes wrong is told by zk_walk_next. */
bool zk_walk_offer(struct zk_walk *w, const struct zk_event *ev);
/* Sends at most one request: RC_OK, or RC_AGAIN when there is none to send now. What goes wrong is told by
 * zk_walk_next. */
enum rc zk_walk_step(struct zk_walk *w);
/* The next node: RC_OK (a view until the next zk_walk_next), RC_AGAIN (step, and offer events), RC_END. A node that
 * is gone meanwhile is left out; so is all where the root does not exist. Errors, which stay: UNAVAILABLE (the session
 * was lost), UNSUPPORTED (a server before 3.6), CORRUPT (perhaps because the answer was too long: try fewer parts),
 * LIMIT, NOMEM. */
MUST_CHECK enum rc zk_walk_next(struct zk_walk *w, struct zk_walk_node *ret, struct err *e);
/* True while an answer is awaited. */
bool zk_walk_asks(const struct zk_walk *w);
/* The order in which a walk gives nodes: < 0 where a comes before b, 0 for equal paths. */
int zk_walk_cmp(struct slice a, struct slice b);

#endif

/* One item on its way into an ensemble: what it wants next, and what an answer means for it. LOOK -> (ACL) -> WRITE ...
 * -> result; zk_sink.c sends the requests and waits. Memory is the caller's, the body's tree apart. */
#ifndef RESILOG_SINKS_ZK_ITEM_H
#define RESILOG_SINKS_ZK_ITEM_H

#include "core/buf.h"
#include "core/znode.h"
#include "sinks/sink.h"
#include "sinks/zk_acl.h"
#include "sinks/zk_decide.h"
#include "sinks/zk_record.h"

struct diag;
struct sha256;
struct zk_call;
struct zk_result;

#define ZK_ITEM_CONFLICTS 5         /* looks anew because somebody writes at the same time */
#define ZK_ITEM_PATIENCE  8         /* answers in a row that decide nothing */
#define ZK_ALIGN_MAX      10000000u /* steps by which a sequence is raised at most */

/* What all items of a sink share; borrowed for their lives. */
struct zk_dest {
    struct zk_self me;
    bool acl;          /* ACLs are copied */
    struct slice root; /* nothing but it and what is below it is written */
    struct slice base; /* root or, where that is missing, its nearest ancestor that is there */
    struct znode_acl
        *base_acl; /* of base: what a node gets for which no ACL is wanted; NULL: not known */
    size_t n_base_acl;
    struct sha256 *sha;
    struct diag *diag;
    int64_t
        before_zxid; /* the ensemble's as of the answer before the one that is told now; 0: not known */
};

enum zk_wants {
    ZK_WANTS_LOOK,     /* GET_DATA, or EXISTS of what may not be read */
    ZK_WANTS_ACL,      /* GET_ACL */
    ZK_WANTS_WRITE,    /* zk_item_calls */
    ZK_WANTS_CHILDREN, /* that others of them are made or deleted first */
    ZK_WANTS_PAUSE,    /* to be looked at again after a while */
    ZK_WANTS_NOTHING,  /* it has a result */
    ZK_WANTS_STOP      /* source and destination are one ensemble */
};

struct zk_item {
    struct sink_item item; /* its slices are borrowed */
    struct znode_doc *doc; /* of a put */
    const struct znode *want;
    bool wants_acl;
    uint8_t data_hash[ZK_HASH_SIZE], acl_hash[ZK_HASH_SIZE]; /* of what is wanted */
    struct znode_acl *room;                                  /* of a provisional ACL */

    enum zk_wants wants;
    enum zk_next next; /* of a put: the write that is wanted or waited for */
    unsigned conflicts, unserved;

    bool has_mine; /* mine is of a node that is our copy */
    struct zk_record mine;
    bool created;        /* by this very item */
    bool narrows;        /* the wanted ACL is within the node's */
    bool has_new_data;   /* that this item wrote */
    bool doubt;          /* a CREATE may have been done */
    int64_t absent_zxid; /* the node was missing then */
    int64_t made_zxid;   /* and was made until then; 0: not, or its stat came with the answer */

    bool blind; /* it may not be read: only its stat can be asked for */
    bool seen;  /* live is known, and kept up to date (zk_item_child) */
    bool exists, same_data, same_acl, provisional;
    bool acl_known; /* then granted is what it gives us */
    uint32_t granted;
    struct znode_stat live;
    struct buf data; /* of the node, while it may have to be kept */
    bool null_data;
    bool settled; /* no more children are to come */

    bool forget, wrote;
    struct sink_result result;
    struct buf preimage;
};

/* Begins; *it is overwritten. item's slices are borrowed. Errors: NOMEM. zk_item_done is due even then. */
MUST_CHECK enum rc zk_item_begin(struct zk_item *it, const struct zk_dest *d,
                                 const struct sink_item *item, struct err *e);
void zk_item_done(struct zk_item *it);
/* Of a new item that wants LOOK: its parent was made at zxid, by us, and nobody is known to have made it since: it is made
 * without a look. A node that is there has it looked at. Errors: NOMEM. */
MUST_CHECK enum rc zk_item_expect_absent(struct zk_item *it, const struct zk_dest *d, int64_t zxid,
                                         struct err *e);

/* Of LOOK and ACL: the request. */
void zk_item_look(const struct zk_item *it, struct zk_call *ret);
/* Its answer; zxid is the ensemble's as of then. Errors: NOMEM. */
MUST_CHECK enum rc zk_item_saw(struct zk_item *it, const struct zk_dest *d,
                               const struct zk_result *r, int64_t zxid, struct err *e);
MUST_CHECK enum rc zk_item_saw_acl(struct zk_item *it, const struct zk_dest *d,
                                   const struct zk_result *r, struct err *e);
/* Of WRITE: the requests of its next step, at most max (at least 2), which belong together; their slices live as long as
 * the item is not touched. Errors: NOMEM. */
MUST_CHECK enum rc zk_item_calls(struct zk_item *it, const struct zk_dest *d, struct zk_call *out,
                                 size_t max, size_t *ret_n, struct err *e);
/* True where its next request cannot be a part of one with others. */
bool zk_item_is_alone(const struct zk_item *it);
/* They were done; r has n answers, zxid is the ensemble's as of then. */
void zk_item_wrote(struct zk_item *it, const struct zk_dest *d, const struct zk_result *r, size_t n,
                   int64_t zxid);
/* They were refused with an error, and nothing was done. pending: the node's parent is on its way, too. */
void zk_item_refused(struct zk_item *it, int error, bool pending);
/* The answer was lost: they may have been done. */
void zk_item_lost(struct zk_item *it);
/* A child of the node was made, or deleted: what waits for children, or is to make up for them, is decided anew. sent: a
 * request of the node's own is open, whose answer decides. */
void zk_item_child(struct zk_item *it, const struct zk_dest *d, bool made, bool sent);
/* Of CHILDREN: no more of them are to come, which a last look shows. */
void zk_item_settle(struct zk_item *it);
/* Of CHILDREN: ends as WAITING, or of a delete as held. */
void zk_item_stop_waiting(struct zk_item *it);
/* Ends as held. cls is a constant. */
void zk_item_hold(struct zk_item *it, const char *cls, const char *reason);
/* Of NOTHING: the result; record, which is emptied before, gets the record that it shows. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc zk_item_result(struct zk_item *it, struct buf *record, struct sink_result *ret,
                                  struct err *e);

#endif

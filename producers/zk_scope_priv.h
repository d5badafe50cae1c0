/* A scope's inside, shared by producers/zk_scope*.c. */
#ifndef RESILOG_PRODUCERS_ZK_SCOPE_PRIV_H
#define RESILOG_PRODUCERS_ZK_SCOPE_PRIV_H

#include "core/backoff.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/event.h"
#include "core/znode.h"
#include "io/zk.h"
#include "producers/zk_dirty.h"
#include "producers/zk_known.h"
#include "producers/zk_pending.h"
#include "producers/zk_scope.h"

struct zk_walk;

#define SCOPE_TEXT_MAX (EVENT_TEXT_MAX + 64)
#define ZK_UNREAD_MAX  (EVENT_BODY_MAX / 2)
#define READ_PARTS     48u /* of 1 MiB each: below ZK_ANSWER_MAX */
#define READS_MAX      4u

enum stage {
    IDLE,      /* not connected, or waits before the next try */
    ASKING,    /* where the source stands, and for the watch */
    LISTING,   /* a walk is under way */
    FOLLOWING, /* reads what changed */
    CHECKING   /* asks where the source stands: is a walk due? */
};

enum question { SYNC, WATCH, ACL, READ, WALK }; /* what a tag says that was asked */

/* What could not be read or kept. */
struct unread_counts {
    size_t denied, unfit; /* refused by the server; a path or a size that the log cannot hold */
    char first[200];      /* one of them, and why */
};

/* The paths that one request under way asks for. */
struct read {
    struct buf text;
    size_t n, ends[READ_PARTS];
};

struct zk_scope {
    struct zk_scope_world *world;
    char *root;
    uint16_t id, round; /* answers of another round are of something that was given up */
    enum stage stage;
    bool watched;     /* in this session */
    bool listed;      /* completely, in this session */
    bool ever_listed; /* in this history, or there was a position to resume from */
    bool begun;       /* SYNC_BEGIN was queued, and no end */
    bool no_root;

    struct zk_dirty *dirty;
    struct zk_known *known;
    struct zk_pending *pending;
    struct read reads[READS_MAX]; /* a ring: answers come in this order */
    size_t first_read, n_reads;
    bool wide_answers; /* the last one was large: one read at a time */

    uint32_t parts; /* nodes in one request */
    struct zk_walk *walk;
    uint32_t walks;
    struct buf unread;            /* the end's list, see producer.h; each path with a NUL */
    struct unread_counts counts;  /* of the last complete walk, and since */
    struct unread_counts walking; /* of the one that goes on */
    size_t told;                  /* so many of them were said, one by one */

    int64_t seen_zxid;     /* of the last answer */
    int64_t asked_zxid;    /* of the last sync */
    int64_t walked_zxid;   /* of the sync before the last complete walk; -1: none */
    int64_t complete_zxid; /* all up to it was said, ACLs apart; -1: nothing */
    int64_t resumed_zxid;  /* the same of what earlier lives said */

    enum producer_phase trouble; /* why it is IDLE */
    char error[320];
    struct backoff backoff;
    int64_t due_ns, walk_due_ns;
};

/* ---- zk_scope.c ---- */
uint64_t zk_scope_tag(const struct zk_scope *s, enum question q);
void zk_scope_enter(struct zk_scope *s, enum stage stage);
/* The server refused a request without which nothing can be read: gives up what is under way, says why, and tries again
 * later; rarely where somebody must do something first. */
void zk_scope_refused(struct zk_scope *s, const char *what, int error);
/* The same, for another reason. */
void zk_scope_broken(struct zk_scope *s, const struct err *why);
/* A node cannot be read or kept: says it, counts it, and notes that nothing is told of it. */
void zk_scope_cannot(struct zk_scope *s, struct slice path, bool denied, const char *why);

/* ---- zk_scope_event.c: what a scope says; each queues one event. Errors: NOMEM, LIMIT ---- */
MUST_CHECK enum rc zk_scope_say_own(struct zk_scope *s, enum event_op op, const char *prefix,
                                    struct slice version, struct slice body, struct err *e);
MUST_CHECK enum rc zk_scope_say_gap(struct zk_scope *s, const char *reason, struct err *e);
/* The node as it is (LIMIT: the log would refuse it), or that it is gone. */
MUST_CHECK enum rc zk_scope_say_node(struct zk_scope *s, const struct zk_node *n, struct err *e);
/* SYNC_END or POSITION: all up to that zxid was said. */
MUST_CHECK enum rc zk_scope_say_complete(struct zk_scope *s, enum event_op op, int64_t zxid,
                                         struct slice body, struct err *e);
/* What the log has as the key's last state: RC_OK (a view until the next call), NOTFOUND. */
MUST_CHECK enum rc zk_scope_recall(struct zk_scope *s, struct slice path, const struct event **ret,
                                   struct err *e);

/* ---- zk_scope_node.c: nodes between being read and being said. Errors: NOMEM, those of the memory ---- */
enum zk_news { ZK_NEWS_NONE, ZK_NEWS_STAT, ZK_NEWS_DATA, ZK_NEWS_NODE };
/* How a node that was read differs from what was said or logged of it: in nothing; in ACL or sequence; in data; it is
 * another node, or the first one. */
MUST_CHECK enum rc zk_scope_compare(struct zk_scope *s, struct slice path,
                                    const struct znode_stat *stat, enum zk_news *ret,
                                    struct err *e);
/* A node was read: it is said in its turn, its ACL asked for where the memory has none that fits. */
MUST_CHECK enum rc zk_scope_found(struct zk_scope *s, struct slice path, const struct znode *node,
                                  enum zk_news news, bool listed, struct err *e);
/* A path was read that has no node. */
MUST_CHECK enum rc zk_scope_found_gone(struct zk_scope *s, struct slice path, struct err *e);
/* Asks for ACLs, and says what is ready: *ret_any, if anything. */
MUST_CHECK enum rc zk_scope_drain(struct zk_scope *s, bool *ret_any, struct err *e);

/* ---- zk_scope_read.c: what changed ---- */
MUST_CHECK enum rc zk_scope_read(struct zk_scope *s, bool *ret_any, struct err *e);
MUST_CHECK enum rc zk_scope_read_answer(struct zk_scope *s, const struct zk_result *r,
                                        struct err *e);
void zk_scope_drop_reads(struct zk_scope *s);
/* The node was made, or it was made and is gone again: that moved its parent's sequence. */
MUST_CHECK enum rc zk_scope_touch_parent(struct zk_scope *s, struct slice path, struct err *e);

/* ---- zk_scope_list.c: a walk ---- */
MUST_CHECK enum rc zk_scope_begin_walk(struct zk_scope *s, struct err *e);
MUST_CHECK enum rc zk_scope_walk(struct zk_scope *s, bool *ret_any, struct err *e);
void zk_scope_walk_answer(struct zk_scope *s, const struct zk_event *ev);
void zk_scope_drop_walk(struct zk_scope *s);
/* Notes that the listing under way, or what follows it, cannot tell of that path; of what is below it. */
void zk_scope_unread(struct zk_scope *s, struct slice path);
void zk_scope_unread_below(struct zk_scope *s, struct slice path);
bool zk_scope_is_unread(const struct zk_scope *s, struct slice path);

#endif

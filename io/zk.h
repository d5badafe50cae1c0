/* A session with a ZooKeeper ensemble as an interface: many requests at once, nothing blocks but zk_wait.
 *
 * The wire client is io/zk_wire.c; tests put a modelled server behind the same interface (tests/fakes/fake_zk.h).
 * The server answers the requests of one session in their order, and tells a change before any answer that shows it.
 * A session that was lost is followed by another one on its own, with back-off: what was open is answered as lost,
 * and watches are gone. One thread per struct zk. */
#ifndef RESILOG_IO_ZK_H
#define RESILOG_IO_ZK_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "core/znode.h"
#include "io/zk_target.h"

#include <stdint.h>

struct env;
struct zk;

/* The protocol's numbers (ZooDefs.OpCode). */
enum zk_op {
    ZK_DELETE = 2,
    ZK_EXISTS = 3,
    ZK_GET_DATA = 4, /* data and stat */
    ZK_SET_DATA = 5,
    ZK_GET_ACL = 6, /* ACL and stat */
    ZK_SET_ACL = 7,
    ZK_SYNC = 9,
    ZK_GET_CHILDREN = 12, /* names and stat (getChildren2) */
    ZK_CHECK = 13,        /* only in ZK_MULTI: the version */
    ZK_MULTI = 14,        /* all of CREATE, DELETE, SET_DATA, CHECK or none */
    ZK_CREATE =
        15, /* persistent; answers the stat (create2); within ZK_MULTI servers before 3.9 do not: all zero */
    ZK_MULTI_READ =
        22, /* GET_DATA and GET_CHILDREN, each with its own error; in a multi read a GET_CHILDREN has no stat */
    ZK_ADD_WATCH = 106, /* persistent, recursive */
    ZK_WHO_AM_I =
        107 /* as whom, in acl (scheme and id); 3.6 does not know it, and ends the session: do not ask for ever */
};

/* The server's errors (KeeperException.Code) that callers tell apart; others are given as they are. */
enum zk_error {
    ZK_OK = 0,
    ZK_RUNTIME_INCONSISTENCY = -2, /* of a part of a multi: another part failed */
    ZK_UNIMPLEMENTED = -6,
    ZK_NO_NODE = -101,
    ZK_NO_AUTH = -102,
    ZK_BAD_VERSION = -103,
    ZK_NO_CHILDREN_FOR_EPHEMERALS = -108,
    ZK_NODE_EXISTS = -110,
    ZK_NOT_EMPTY = -111,
    ZK_INVALID_ACL = -114,
    ZK_QUOTA_EXCEEDED = -125
};
/* "no node"; "unknown error" for one that has no name here. Never NULL. */
const char *zk_error_name(int error);

#define ZK_REQUEST_MAX                                                                             \
    1048000u /* bytes of a request: a server with the default jute.maxbuffer drops a longer one */
#define ZK_ANSWER_MAX (64u << 20) /* of an answer: a node with very many children has a long one */
#define ZK_OPEN_MAX   4096u       /* requests that wait for their answer */

struct zk_call {
    enum zk_op op;
    struct slice path; /* absolute, as the server has it */
    struct slice data; /* CREATE, SET_DATA */
    bool null_data;
    int32_t version; /* DELETE, SET_DATA, SET_ACL, CHECK: the version it must have; -1: any */
    const struct znode_acl *acl; /* CREATE, SET_ACL */
    size_t n_acl;
    const struct zk_call *parts; /* MULTI, MULTI_READ */
    size_t n_parts;
};

struct zk_result {
    int error; /* enum zk_error; of a MULTI that failed: of its first part that did */
    struct znode_stat stat;
    struct slice data;
    bool null_data;
    const struct slice *children; /* names, in no order */
    size_t n_children;
    const struct znode_acl *acl;
    size_t n_acl;
    const struct zk_result *parts; /* as many as the call had, where error is ZK_OK or a part's */
    size_t n_parts;
};

enum zk_event_kind {
    ZK_CONNECTED, /* a session that has no watches: the first, or one in place of one that was lost */
    ZK_LOST, /* no connection; err says why, and stays the status until CONNECTED; again when the reason changes */
    ZK_ANSWER, /* to the call with that tag */
    ZK_CHANGED /* something happened to that path: read it to know what */
};

struct zk_event {
    enum zk_event_kind kind;
    uint64_t tag;
    struct err
        err; /* of ANSWER: RC_OK, or UNAVAILABLE: lost before it was answered, it may have been done; CORRUPT: the answer
                       cannot be read, or is longer than ZK_ANSWER_MAX (the session is given up, too) */
    const struct zk_result *result; /* of an ANSWER with RC_OK */
    int64_t zxid;      /* of ANSWER, CONNECTED: the last change that the server knew then */
    struct slice path; /* of CHANGED */
};

struct zk_ops {
    enum rc (*call)(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e);
    enum rc (*take)(struct zk *z, struct zk_event *ret, struct err *e);
    enum rc (*wait)(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e);
    void (*close)(struct zk *z);
};
struct zk {
    const struct zk_ops *ops;
};

/* Sends a request (a multi has a part at least); nothing of c is kept. RC_OK: an ANSWER with that tag comes. RC_AGAIN:
 * not connected, ZK_OPEN_MAX are open, or too many bytes wait to be sent: later. Errors: LIMIT (longer than
 * ZK_REQUEST_MAX; nothing was sent), NOMEM. */
MUST_CHECK enum rc zk_call(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e);
/* The next event: RC_OK (its slices live until the next call on z), RC_AGAIN. Does network work, a bounded piece of it,
 * and never blocks. Errors: NOMEM. What goes wrong with the ensemble is an event. */
MUST_CHECK enum rc zk_take(struct zk *z, struct zk_event *ret, struct err *e);
/* The one place that blocks: until there is work for zk_take, wake_fd (-1: none) is readable, or the time is over.
 * Errors: IO. */
MUST_CHECK enum rc zk_wait(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e);
/* Ends the session, as far as that is possible without waiting. NULL is allowed. */
void zk_close(struct zk *z);
DEFINE_FREEP(struct zk, zk_close)

/* How many bytes the call takes on the wire: for batches below ZK_REQUEST_MAX. That of a multi is at most the sum of
 * its parts' and of a multi without any. */
size_t zk_call_size(const struct zk_call *c);

/* Opens the wire client; connects in zk_take. Errors: INVALID (a server's name, PEM), NOMEM, LIMIT. */
MUST_CHECK enum rc zk_wire_open(const struct zk_target *target, const struct env *env,
                                struct zk **ret, struct err *e);

#endif

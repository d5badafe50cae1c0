/* ZooKeeper's wire records, pure: calls to bytes, bytes to results. Source: the records of zookeeper.jute, as servers
 * from 3.6 on have them.
 *
 * Numbers are big-endian; text, data and lists are a length of 32 bits and what it counts, -1 stands for null. A frame
 * is a length of 32 bits and so many bytes. What stands behind a record that was read is ignored: newer servers may add
 * fields. */
#ifndef RESILOG_IO_ZK_JUTE_H
#define RESILOG_IO_ZK_JUTE_H

#include "core/scope.h"
#include "io/zk.h"

struct buf;

/* Requests beside those of callers, and the ids by which the server answers them. */
enum zk_jute_op {
    ZK_JUTE_CREATE =
        1, /* what servers before 3.9 answer to a ZK_CREATE within a multi: its path alone */
    ZK_JUTE_GET_CHILDREN = 8, /* what ZK_GET_CHILDREN is within a multi read */
    ZK_JUTE_PING = 11,
    ZK_JUTE_AUTH = 100,
    ZK_JUTE_CLOSE = -11
};
enum zk_jute_xid { ZK_XID_CHANGED = -1, ZK_XID_PING = -2, ZK_XID_AUTH = -4 };

/* Whole frames are appended. Errors stay in the buffer. */
void zk_jute_add_connect(struct buf *out, int32_t timeout_ms); /* a new session, never read-only */
void zk_jute_add_digest(struct buf *out, const char *user, const char *password);
void zk_jute_add_bare(struct buf *out, int32_t xid, enum zk_jute_op op); /* ping, close */
void zk_jute_add_call(struct buf *out, int32_t xid, const struct zk_call *c);

/* What of a call must be known to read its answer. */
struct zk_shape {
    enum zk_op op;
    size_t n_parts;
    uint8_t *part_ops; /* enum zk_op of each, owned; NULL where there are none */
};
/* Errors: NOMEM. */
MUST_CHECK enum rc zk_shape_init(struct zk_shape *s, const struct zk_call *c, struct err *e);
void zk_shape_done(struct zk_shape *s);

/* Memory for the lists of one result after the other. */
struct zk_room {
    struct zk_room_block *last;
};
void zk_room_reset(
    struct zk_room *r); /* what was given from it is gone; keeps a little for the next */
void zk_room_done(struct zk_room *r);

/* The answer to the connect request. */
struct zk_welcome {
    int32_t timeout_ms; /* as the server wants it; 0: it refuses the session */
    int64_t session;
};
/* What every later frame begins with. */
struct zk_reply {
    int32_t xid;
    int64_t zxid;
    int32_t error;
    struct slice body;
};

/* Read the bytes of a frame, without its length; slices point into them. Errors: CORRUPT (they end too early, or hold
 * something else than the record; the text says which); of the result NOMEM, too. */
MUST_CHECK enum rc zk_jute_welcome(struct slice frame, struct zk_welcome *ret, struct err *e);
MUST_CHECK enum rc zk_jute_reply(struct slice frame, struct zk_reply *ret, struct err *e);
/* The path of a notification; empty where it tells of no node. */
MUST_CHECK enum rc zk_jute_changed(struct slice body, struct slice *ret_path, struct err *e);
/* The result of a call of that shape; its lists live until r is reset. */
MUST_CHECK enum rc zk_jute_result(const struct zk_reply *reply, const struct zk_shape *s,
                                  struct zk_room *r, struct zk_result *ret, struct err *e);

#endif

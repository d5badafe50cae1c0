/* The codec of io/zk_jute.h. A reader's failure is sticky, as a buffer's is: a record is read field by field and judged
 * once. A list is believed only as far as its smallest elements fit into the bytes that are there, so that no length
 * of the server's asks for more memory than a few times its frame. */
#include "io/zk_jute.h"

#include "core/buf.h"

#include <assert.h>
#include <stddef.h>

enum {
    PASSWORD_BYTES = 16, /* of a session; a new one has zeros */
    PERSISTENT = 0,      /* flags of create */
    WATCH_RECURSIVE = 1, /* mode of addWatch */
    MULTI_END = -1,
    MULTI_ERROR = -1,
    CHILD_MIN = 4, /* bytes of the smallest name and ACL entry */
    ACL_MIN = 12,
    ID_MIN = 8
};

/* ---- writing ---- */

static void add_i32(struct buf *out, int32_t v)
{
    uint32_t u = (uint32_t)v;
    const uint8_t bytes[4] = {(uint8_t)(u >> 24), (uint8_t)(u >> 16), (uint8_t)(u >> 8),
                              (uint8_t)u};
    buf_add(out, bytes, sizeof bytes);
}

static void add_i64(struct buf *out, int64_t v)
{
    add_i32(out, (int32_t)((uint64_t)v >> 32));
    add_i32(out, (int32_t)(uint32_t)v);
}

static void add_bool(struct buf *out, bool v)
{
    buf_add_u8(out, v);
}

static void add_text(struct buf *out, struct slice s)
{
    add_i32(out, (int32_t)s.n);
    buf_add_slice(out, s);
}

static void add_data(struct buf *out, const struct zk_call *c)
{
    if (c->null_data)
        add_i32(out, -1);
    else
        add_text(out, c->data);
}

static void add_acl(struct buf *out, const struct zk_call *c)
{
    add_i32(out, (int32_t)c->n_acl);
    for (size_t i = 0; i < c->n_acl; i++) {
        add_i32(out, (int32_t)c->acl[i].perms);
        add_text(out, c->acl[i].scheme);
        add_text(out, c->acl[i].id);
    }
}

static void add_multi_header(struct buf *out, int32_t type, bool done)
{
    add_i32(out, type);
    add_bool(out, done);
    add_i32(out, -1);
}

static void add_body(struct buf *out, const struct zk_call *c);

static void add_parts(struct buf *out, const struct zk_call *c)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        enum zk_op op = c->parts[i].op;
        assert(op != ZK_MULTI && op != ZK_MULTI_READ);
        add_multi_header(out, op == ZK_GET_CHILDREN ? (int32_t)ZK_JUTE_GET_CHILDREN : (int32_t)op,
                         /* done= */ false);
        add_body(out, &c->parts[i]);
    }
    add_multi_header(out, MULTI_END, /* done= */ true);
}

/* What stands behind the path of a single call. */
static void add_rest(struct buf *out, const struct zk_call *c)
{
    switch (c->op) {
    case ZK_EXISTS:
    case ZK_GET_DATA:
    case ZK_GET_CHILDREN:
        add_bool(out, /* watch */ false);
        return;
    case ZK_CREATE:
        add_data(out, c);
        add_acl(out, c);
        add_i32(out, PERSISTENT);
        return;
    case ZK_SET_DATA:
        add_data(out, c);
        add_i32(out, c->version);
        return;
    case ZK_SET_ACL:
        add_acl(out, c);
        add_i32(out, c->version);
        return;
    case ZK_DELETE:
    case ZK_CHECK:
        add_i32(out, c->version);
        return;
    case ZK_ADD_WATCH:
        add_i32(out, WATCH_RECURSIVE);
        return;
    case ZK_GET_ACL:
    case ZK_SYNC:
    case ZK_WHO_AM_I:
    case ZK_MULTI:
    case ZK_MULTI_READ:
        return;
    }
}

static void add_body(struct buf *out, const struct zk_call *c)
{
    if (c->op == ZK_WHO_AM_I)
        return;
    if (c->op == ZK_MULTI || c->op == ZK_MULTI_READ) {
        add_parts(out, c);
        return;
    }
    add_text(out, c->path);
    add_rest(out, c);
}

/* A frame's length is put where it begins once its end is known. */
static size_t frame_begin(struct buf *out)
{
    size_t at = out->n;
    add_i32(out, 0);
    return at;
}

static void frame_end(struct buf *out, size_t at)
{
    if (out->bad != RC_OK)
        return;
    size_t n = out->n - at - 4;
    for (unsigned i = 0; i < 4; i++)
        out->p[at + i] = (char)(uint8_t)(n >> (24 - 8 * i));
}

void zk_jute_add_connect(struct buf *out, int32_t timeout_ms)
{
    static const char no_password[PASSWORD_BYTES];
    size_t at = frame_begin(out);
    add_i32(out, /* protocol version */ 0);
    add_i64(out, /* last zxid seen */ 0);
    add_i32(out, timeout_ms);
    add_i64(out, /* session */ 0);
    add_text(out, slice_of(no_password, sizeof no_password));
    add_bool(out, /* read-only */ false);
    frame_end(out, at);
}

void zk_jute_add_digest(struct buf *out, const char *user, const char *password)
{
    size_t at = frame_begin(out), user_n = strlen(user), password_n = strlen(password);
    add_i32(out, ZK_XID_AUTH);
    add_i32(out, ZK_JUTE_AUTH);
    add_i32(out, /* type, not used */ 0);
    add_text(out, SLICE("digest"));
    add_i32(out, (int32_t)(user_n + 1 + password_n));
    buf_add(out, user, user_n);
    buf_add_char(out, ':');
    buf_add(out, password, password_n);
    frame_end(out, at);
}

void zk_jute_add_bare(struct buf *out, int32_t xid, enum zk_jute_op op)
{
    size_t at = frame_begin(out);
    add_i32(out, xid);
    add_i32(out, op);
    frame_end(out, at);
}

void zk_jute_add_call(struct buf *out, int32_t xid, const struct zk_call *c)
{
    size_t at = frame_begin(out);
    add_i32(out, xid);
    add_i32(out, (int32_t)c->op);
    add_body(out, c);
    frame_end(out, at);
}

/* ---- shapes and room ---- */

enum rc zk_shape_init(struct zk_shape *s, const struct zk_call *c, struct err *e)
{
    *s = (struct zk_shape){.op = c->op, .n_parts = c->n_parts};
    if (!c->n_parts)
        return RC_OK;
    s->part_ops = malloc(c->n_parts);
    if (!s->part_ops)
        return err_nomem(e);
    for (size_t i = 0; i < c->n_parts; i++)
        s->part_ops[i] = (uint8_t)c->parts[i].op;
    return RC_OK;
}

void zk_shape_done(struct zk_shape *s)
{
    if (!s)
        return;
    free(s->part_ops);
    *s = (struct zk_shape){0};
}

#define ROOM_BLOCK (64u << 10)

struct zk_room_block {
    struct zk_room_block *before;
    size_t used, size;
    max_align_t bytes[];
};

/* Zeroed memory; NULL when there is none. */
static void *room_take(struct zk_room *r, size_t count, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size_t n = (count * size + align - 1) / align * align;
    struct zk_room_block *b = r->last;
    if (!b || b->size - b->used < n) {
        size_t room = n > ROOM_BLOCK ? n : ROOM_BLOCK;
        b = malloc(sizeof *b + room);
        if (!b)
            return NULL;
        *b = (struct zk_room_block){.before = r->last, .size = room};
        r->last = b;
    }
    void *p = (char *)b->bytes + b->used;
    b->used += n;
    return memset(p, 0, n);
}

void zk_room_reset(struct zk_room *r)
{
    while (r->last && (r->last->before || r->last->size > ROOM_BLOCK)) {
        struct zk_room_block *before = r->last->before;
        free(r->last);
        r->last = before;
    }
    if (r->last)
        r->last->used = 0;
}

void zk_room_done(struct zk_room *r)
{
    if (!r)
        return;
    zk_room_reset(r);
    free(r->last);
    r->last = NULL;
}

/* ---- reading ---- */

struct reader {
    const uint8_t *p;
    size_t n;
    enum rc bad; /* RC_OK, CORRUPT or NOMEM, sticky */
    struct zk_room *room;
};

static struct reader reader_of(struct slice bytes, struct zk_room *room)
{
    return (struct reader){.p = (const uint8_t *)bytes.p, .n = bytes.n, .room = room};
}

static void reader_fail(struct reader *r, enum rc bad)
{
    r->bad = r->bad == RC_OK ? bad : r->bad;
    r->n = 0;
}

/* The next n bytes; NULL, and a failure, where they are not there. */
static const uint8_t *get(struct reader *r, size_t n)
{
    if (r->bad != RC_OK || r->n < n) {
        reader_fail(r, RC_CORRUPT);
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->n -= n;
    return p;
}

static uint64_t get_number(struct reader *r, size_t n)
{
    const uint8_t *p = get(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static int32_t get_i32(struct reader *r)
{
    return (int32_t)(uint32_t)get_number(r, 4);
}

static int64_t get_i64(struct reader *r)
{
    return (int64_t)get_number(r, 8);
}

static struct slice get_data(struct reader *r, bool *ret_null)
{
    int32_t n = get_i32(r);
    *ret_null = n == -1;
    if (n < -1)
        reader_fail(r, RC_CORRUPT);
    const uint8_t *p = n > 0 ? get(r, (size_t)n) : NULL;
    return p ? slice_of(p, (size_t)n) : SLICE_NULL;
}

/* A null text is the empty one. */
static struct slice get_text(struct reader *r)
{
    bool null;
    return get_data(r, &null);
}

/* Room for a list of elements that take at least `least` bytes each; NULL for an empty one, or after a failure. */
static void *get_list(struct reader *r, size_t least, size_t size, size_t *ret_n)
{
    int32_t n = get_i32(r);
    *ret_n = 0;
    if (n <= 0) {
        if (n < -1)
            reader_fail(r, RC_CORRUPT);
        return NULL;
    }
    if ((size_t)n > r->n / least) {
        reader_fail(r, RC_CORRUPT);
        return NULL;
    }
    void *list = room_take(r->room, (size_t)n, size);
    if (!list)
        reader_fail(r, RC_NOMEM);
    else
        *ret_n = (size_t)n;
    return list;
}

static void get_stat(struct reader *r, struct znode_stat *s)
{
    s->czxid = get_i64(r);
    s->mzxid = get_i64(r);
    s->ctime = get_i64(r);
    s->mtime = get_i64(r);
    s->version = get_i32(r);
    s->cversion = get_i32(r);
    s->aversion = get_i32(r);
    s->ephemeral_owner = get_i64(r);
    s->data_length = get_i32(r);
    s->num_children = get_i32(r);
    s->pzxid = get_i64(r);
}

static void get_children(struct reader *r, struct zk_result *ret)
{
    struct slice *names = get_list(r, CHILD_MIN, sizeof *names, &ret->n_children);
    for (size_t i = 0; i < ret->n_children; i++)
        names[i] = get_text(r);
    ret->children = names;
}

static void get_acl(struct reader *r, bool with_perms, struct zk_result *ret)
{
    struct znode_acl *acl = get_list(r, with_perms ? ACL_MIN : ID_MIN, sizeof *acl, &ret->n_acl);
    for (size_t i = 0; i < ret->n_acl; i++) {
        acl[i].perms = with_perms ? (uint32_t)get_i32(r) : 0;
        acl[i].scheme = get_text(r);
        acl[i].id = get_text(r);
    }
    ret->acl = acl;
}

/* What answers a single call that succeeded. */
static void get_single(struct reader *r, enum zk_op op, struct zk_result *ret)
{
    switch (op) {
    case ZK_GET_DATA:
        ret->data = get_data(r, &ret->null_data);
        get_stat(r, &ret->stat);
        return;
    case ZK_GET_CHILDREN:
        get_children(r, ret);
        get_stat(r, &ret->stat);
        return;
    case ZK_GET_ACL:
        get_acl(r, /* with_perms= */ true, ret);
        get_stat(r, &ret->stat);
        return;
    case ZK_CREATE:
        (void)get_text(r); /* its path */
        get_stat(r, &ret->stat);
        return;
    case ZK_EXISTS:
    case ZK_SET_DATA:
    case ZK_SET_ACL:
        get_stat(r, &ret->stat);
        return;
    case ZK_WHO_AM_I:
        get_acl(r, /* with_perms= */ false, ret);
        return;
    case ZK_DELETE:
    case ZK_CHECK:
    case ZK_SYNC:
    case ZK_ADD_WATCH:
    case ZK_MULTI:
    case ZK_MULTI_READ:
        return;
    }
}

static bool get_multi_header(struct reader *r, int32_t *ret_type)
{
    *ret_type = get_i32(r);
    bool done = get_number(r, 1) != 0;
    (void)get_i32(r);
    return done;
}

static void get_part(struct reader *r, enum zk_op op, struct zk_result *ret)
{
    int32_t type;
    bool done = get_multi_header(r, &type);
    int32_t expected = op == ZK_GET_CHILDREN ? (int32_t)ZK_JUTE_GET_CHILDREN : (int32_t)op;
    if (!done && type == MULTI_ERROR)
        ret->error = get_i32(r);
    else if (!done && op == ZK_CREATE && type == ZK_JUTE_CREATE)
        (void)get_text(r);
    else if (done || type != expected)
        reader_fail(r, RC_CORRUPT);
    else if (op == ZK_GET_CHILDREN)
        get_children(r, ret);
    else
        get_single(r, op, ret);
}

static void get_parts(struct reader *r, const struct zk_shape *s, struct zk_result *ret)
{
    int32_t type;
    struct zk_result *parts = room_take(r->room, s->n_parts, sizeof *parts);
    if (!parts) {
        reader_fail(r, RC_NOMEM);
        return;
    }
    for (size_t i = 0; i < s->n_parts; i++)
        get_part(r, (enum zk_op)s->part_ops[i], &parts[i]);
    if (!get_multi_header(r, &type))
        reader_fail(r, RC_CORRUPT);
    ret->parts = parts;
    ret->n_parts = s->n_parts;
}

/* Of a multi that failed the parts before the cause are told as ZK_OK, those behind it as ZK_RUNTIME_INCONSISTENCY. */
static int multi_error(const struct zk_result *parts, size_t n)
{
    int error = ZK_OK;
    for (size_t i = 0; i < n; i++)
        if (parts[i].error != ZK_OK && (error == ZK_OK || error == ZK_RUNTIME_INCONSISTENCY))
            error = parts[i].error;
    return error;
}

static enum rc reader_check(const struct reader *r, const char *what, struct err *e)
{
    if (r->bad == RC_NOMEM)
        return err_nomem(e);
    if (r->bad != RC_OK)
        return err_set(e, RC_CORRUPT, ERR_RETRY,
                       "%s ends too early or is none: the other end speaks another protocol", what);
    return RC_OK;
}

enum rc zk_jute_welcome(struct slice frame, struct zk_welcome *ret, struct err *e)
{
    struct reader r = reader_of(frame, NULL);
    struct zk_welcome w = {0};
    (void)get_i32(&r); /* the protocol's version, always 0 */
    w.timeout_ms = get_i32(&r);
    w.session = get_i64(&r);
    (void)get_text(&r); /* the session's password, of use only to who would take it up again */
    enum rc rc = reader_check(&r, "the answer to the connect request", e);
    if (rc == RC_OK)
        *ret = w;
    return rc;
}

enum rc zk_jute_reply(struct slice frame, struct zk_reply *ret, struct err *e)
{
    struct reader r = reader_of(frame, NULL);
    struct zk_reply reply = {0};
    reply.xid = get_i32(&r);
    reply.zxid = get_i64(&r);
    reply.error = get_i32(&r);
    reply.body = slice_of(r.p, r.n);
    enum rc rc = reader_check(&r, "the head of an answer", e);
    if (rc == RC_OK)
        *ret = reply;
    return rc;
}

enum rc zk_jute_changed(struct slice body, struct slice *ret_path, struct err *e)
{
    struct reader r = reader_of(body, NULL);
    (void)get_i32(&r); /* what happened, */
    (void)get_i32(&r); /* and the state of the session */
    struct slice path = get_text(&r);
    enum rc rc = reader_check(&r, "a notification", e);
    if (rc == RC_OK)
        *ret_path = path;
    return rc;
}

enum rc zk_jute_result(const struct zk_reply *reply, const struct zk_shape *s, struct zk_room *room,
                       struct zk_result *ret, struct err *e)
{
    struct reader r = reader_of(reply->body, room);
    struct zk_result result = {.error = reply->error};
    bool multi = s->op == ZK_MULTI || s->op == ZK_MULTI_READ;
    if (reply->error == ZK_OK && multi)
        get_parts(&r, s, &result);
    else if (reply->error == ZK_OK)
        get_single(&r, s->op, &result);
    enum rc rc = reader_check(&r, "the answer to a call", e);
    if (rc != RC_OK)
        return rc;
    if (s->op == ZK_MULTI && reply->error == ZK_OK)
        result.error = multi_error(result.parts, result.n_parts);
    *ret = result;
    return RC_OK;
}

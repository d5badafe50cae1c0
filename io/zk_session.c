/* The protocol's state machine. It keeps the bytes not yet sent, the bytes not yet read, and the calls that wait for
 * their answer: the server answers in order, so the oldest is the next. A frame is read where it lies, and taken off at
 * the next turn. */
#include "io/zk_session.h"

#include "core/buf.h"
#include "core/clock.h"
#include "io/zk_jute.h"

#include <assert.h>

enum {
    LENGTH_BYTES = 4,
    READ_BYTES = 256 << 10,
    KEEP_BYTES = 4 << 20, /* of an empty buffer; more is given back */
    NO_SASL = -124        /* the server lets in nobody without SASL */
};
/* At most half of it was sent already (zk_session_sent); and a few frames that are no calls. */
#define OUT_BYTES (2 * ((size_t)ZK_UNSENT_MAX + ZK_REQUEST_MAX) + 4096)

enum state {
    OVER,     /* none */
    GREETING, /* the connect request is not answered */
    ENTERING, /* the login and the first ping are not */
    READY
};

/* Row: from, column: to. */
static const bool MAY[4][4] = {
    [OVER] = {[OVER] = true, [GREETING] = true},
    [GREETING] = {[OVER] = true, [ENTERING] = true},
    [ENTERING] = {[OVER] = true, [READY] = true},
    [READY] = {[OVER] = true},
};

struct open_call {
    int32_t xid;
    uint64_t tag;
    struct zk_shape shape;
};

struct zk_session {
    const char *user, *password;
    enum state state;
    struct buf out, in;
    size_t out_at, in_at; /* of which so much is done with */
    size_t lent;          /* bytes of the frame that the last event lies in */
    struct zk_room room;
    struct zk_result result;
    struct open_call *open; /* ring of ZK_OPEN_MAX */
    size_t first, n_open;
    unsigned pings; /* not answered */
    int32_t last_xid;
    int64_t timeout_ns;
    int64_t heard_ns, sent_ns;
    int64_t asked_ns; /* since when an answer is waited for; 0: none is */
    struct err doom;  /* what ends the session at the next turn */
};

static void enter(struct zk_session *s, enum state state)
{
    assert(MAY[s->state][state]);
    s->state = state;
}

enum rc zk_session_new(const char *user, const char *password, struct zk_session **ret,
                       struct err *e)
{
    AUTO(zk_session_freep) struct zk_session *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->user = user;
    s->password = password;
    buf_init(&s->out, OUT_BYTES);
    buf_init(&s->in, LENGTH_BYTES + (size_t)ZK_ANSWER_MAX + READ_BYTES);
    s->open = calloc(ZK_OPEN_MAX, sizeof *s->open);
    if (!s->open)
        return err_nomem(e);
    *ret = steal(&s);
    return RC_OK;
}

/* The login stands in it until it is sent. */
static void out_wipe(struct zk_session *s)
{
    if (s->out.p)
        explicit_bzero(s->out.p, s->out.cap);
    buf_reset(&s->out);
    s->out_at = 0;
}

static struct open_call *open_pop(struct zk_session *s)
{
    struct open_call *o = &s->open[s->first];
    s->first = (s->first + 1) % ZK_OPEN_MAX;
    s->n_open--;
    return o;
}

void zk_session_free(struct zk_session *s)
{
    if (!s)
        return;
    while (s->n_open)
        zk_shape_done(&open_pop(s)->shape);
    free(s->open);
    out_wipe(s);
    buf_done(&s->out);
    buf_done(&s->in);
    zk_room_done(&s->room);
    free(s);
}

/* ---- sending ---- */

/* Judges what was added to the output, and takes a half frame back. */
static enum rc added(struct zk_session *s, size_t before, int64_t now, struct err *e)
{
    enum rc rc = buf_check(&s->out, "zookeeper: what is to be sent", e);
    if (rc != RC_OK) {
        s->out.bad = RC_OK;
        buf_truncate(&s->out, before);
        return rc;
    }
    s->sent_ns = now;
    if (!s->asked_ns)
        s->asked_ns = now;
    return RC_OK;
}

enum rc zk_session_begin(struct zk_session *s, int64_t now, struct err *e)
{
    assert(s->state == OVER && s->n_open == 0);
    s->timeout_ns = ZK_TIMEOUT_MS * NS_PER_MS;
    s->heard_ns = now;
    s->asked_ns = 0;
    zk_jute_add_connect(&s->out, ZK_TIMEOUT_MS);
    enum rc rc = added(s, 0, now, e);
    if (rc == RC_OK)
        enter(s, GREETING);
    return rc;
}

static enum rc add_ping(struct zk_session *s, int64_t now, struct err *e)
{
    size_t before = s->out.n;
    zk_jute_add_bare(&s->out, ZK_XID_PING, ZK_JUTE_PING);
    enum rc rc = added(s, before, now, e);
    s->pings += rc == RC_OK;
    return rc;
}

static int32_t next_xid(struct zk_session *s)
{
    s->last_xid = s->last_xid == INT32_MAX ? 1 : s->last_xid + 1;
    return s->last_xid;
}

enum rc zk_session_call(struct zk_session *s, const struct zk_call *c, uint64_t tag, int64_t now,
                        struct err *e)
{
    size_t size = zk_call_size(c), before = s->out.n;
    struct zk_shape shape = {0};
    if (size > ZK_REQUEST_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "zookeeper: a request of %zu bytes; servers take %u at most", size,
                       ZK_REQUEST_MAX);
    if (s->state != READY || s->doom.rc != RC_OK || s->n_open == ZK_OPEN_MAX ||
        zk_session_unsent(s).n > ZK_UNSENT_MAX)
        return RC_AGAIN;
    enum rc rc = zk_shape_init(&shape, c, e);
    if (rc != RC_OK)
        return rc;
    int32_t xid = next_xid(s);
    zk_jute_add_call(&s->out, xid, c);
    rc = added(s, before, now, e);
    if (rc != RC_OK) {
        zk_shape_done(&shape);
        return rc;
    }
    s->open[(s->first + s->n_open++) % ZK_OPEN_MAX] =
        (struct open_call){.xid = xid, .tag = tag, .shape = shape};
    return RC_OK;
}

struct slice zk_session_unsent(const struct zk_session *s)
{
    return slice_of(s->out.n ? s->out.p + s->out_at : NULL, s->out.n - s->out_at);
}

void zk_session_sent(struct zk_session *s, size_t n)
{
    s->out_at += n;
    assert(s->out_at <= s->out.n);
    if (s->out_at == s->out.n && s->state == ENTERING) {
        out_wipe(s); /* the login went out */
    } else if (s->out_at == s->out.n) {
        s->out_at = 0;
        buf_reset(&s->out);
        if (s->out.cap > KEEP_BYTES)
            buf_done(&s->out);
    } else if (s->out_at > s->out.n / 2) { /* each byte is moved once on average */
        buf_consume(&s->out, s->out_at);
        s->out_at = 0;
    }
}

/* ---- receiving ---- */

/* The frame that the last event lay in is done with. */
static void give_back(struct zk_session *s)
{
    s->in_at += s->lent;
    s->lent = 0;
    zk_room_reset(&s->room);
    if (s->in_at < s->in.n)
        return;
    s->in_at = 0;
    buf_reset(&s->in);
    if (s->in.cap > KEEP_BYTES)
        buf_done(&s->in);
}

enum rc zk_session_space(struct zk_session *s, char **ret, size_t *ret_n, struct err *e)
{
    give_back(s);
    if (s->in_at) {
        buf_consume(&s->in, s->in_at);
        s->in_at = 0;
    }
    size_t before = s->in.n;
    char *p = buf_extend(&s->in, READ_BYTES);
    if (!p) {
        enum rc rc = buf_check(&s->in, "zookeeper: an answer", e);
        s->in.bad = RC_OK;
        return rc;
    }
    buf_truncate(&s->in, before); /* the room stays */
    *ret = p;
    *ret_n = READ_BYTES;
    return RC_OK;
}

void zk_session_received(struct zk_session *s, size_t n, int64_t now)
{
    /* It fits: zk_session_space made the room, and the bytes are there already. */
    (void)buf_extend(&s->in, n);
    s->heard_ns = now;
}

static size_t frame_length(const struct zk_session *s)
{
    const uint8_t *p = (const uint8_t *)s->in.p + s->in_at + s->lent;
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* RC_OK: a whole frame; RC_AGAIN. Errors: CORRUPT. */
static enum rc frame_look(const struct zk_session *s, struct slice *ret, struct err *e)
{
    size_t at = s->in_at + s->lent, there = s->in.n - at;
    if (there < LENGTH_BYTES)
        return RC_AGAIN;
    size_t n = frame_length(s);
    if (n > ZK_ANSWER_MAX)
        return err_set(e, RC_CORRUPT, ERR_RETRY,
                       "a frame of %zu bytes was announced, %u are allowed: the other end speaks "
                       "another protocol, or a node has too many children",
                       n, ZK_ANSWER_MAX);
    if (there - LENGTH_BYTES < n)
        return RC_AGAIN;
    *ret = slice_of(s->in.p + at + LENGTH_BYTES, n);
    return RC_OK;
}

/* ---- what frames mean ---- */

static enum rc on_welcome(struct zk_session *s, struct slice frame, struct err *e)
{
    struct zk_welcome w;
    enum rc rc = zk_jute_welcome(frame, &w, e);
    if (rc != RC_OK)
        return rc;
    if (w.timeout_ms <= 0 || w.session == 0)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "the server refuses a new session");
    size_t before = s->out.n;
    s->timeout_ns = w.timeout_ms * NS_PER_MS;
    if (s->user)
        zk_jute_add_digest(&s->out, s->user, s->password);
    zk_jute_add_bare(&s->out, ZK_XID_PING, ZK_JUTE_PING);
    rc = added(s, before, s->heard_ns, e);
    if (rc != RC_OK)
        return rc;
    s->pings = 1;
    enter(s, ENTERING);
    return RC_AGAIN;
}

static enum rc denied(int error, const char *what, struct err *e)
{
    return err_set(e, RC_DENIED, ERR_RETRY, "%s: %s (%d); %s", what, zk_error_name(error), error,
                   error == NO_SASL ? "let this client in without SASL, which it does not speak"
                                    : "check the user and the password, and that the servers know "
                                      "the scheme digest");
}

static enum rc on_auth(const struct zk_reply *reply, struct err *e)
{
    return reply->error == ZK_OK ? RC_AGAIN : denied(reply->error, "the login is refused", e);
}

static enum rc on_ping(struct zk_session *s, const struct zk_reply *reply, struct zk_event *ret,
                       struct err *e)
{
    if (s->pings == 0)
        return err_set(e, RC_CORRUPT, ERR_RETRY, "an answer came to a ping that was not sent");
    if (reply->error == NO_SASL)
        return denied(reply->error, "the session is refused", e);
    if (reply->error != ZK_OK)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "a ping is answered: %s (%d)",
                       zk_error_name(reply->error), reply->error);
    s->pings--;
    if (s->state == READY)
        return RC_AGAIN;
    enter(s, READY);
    *ret = (struct zk_event){.kind = ZK_CONNECTED, .zxid = reply->zxid};
    return RC_OK;
}

static enum rc on_changed(const struct zk_reply *reply, struct zk_event *ret, struct err *e)
{
    struct slice path;
    enum rc rc = zk_jute_changed(reply->body, &path, e);
    if (rc != RC_OK ||
        path.n == 0) /* of the session's state; a lost connection tells us that, too */
        return rc == RC_OK ? RC_AGAIN : rc;
    *ret = (struct zk_event){.kind = ZK_CHANGED, .zxid = reply->zxid, .path = path};
    return RC_OK;
}

/* Servers before 3.6 know neither the watch nor the read that everything here stands on, and end the session then. */
static void judge_version(struct zk_session *s, enum zk_op op, int error)
{
    if (error == ZK_UNIMPLEMENTED && (op == ZK_ADD_WATCH || op == ZK_MULTI_READ))
        err_set(&s->doom, RC_UNSUPPORTED, ERR_RETRY,
                "the server does not know the request %d (%s): ZooKeeper 3.6 or newer is needed; "
                "upgrade the ensemble",
                (int)op, op == ZK_ADD_WATCH ? "addWatch" : "multiRead");
}

static enum rc on_answer(struct zk_session *s, const struct zk_reply *reply, struct zk_event *ret,
                         struct err *e)
{
    const struct open_call *o = &s->open[s->first];
    if (s->n_open == 0 || s->state != READY || o->xid != reply->xid)
        return err_set(e, RC_CORRUPT, ERR_RETRY, "the answer to request %d came where %s was next",
                       (int)reply->xid, s->n_open ? "that to an older one" : "none");
    struct err why = ERR_INIT;
    enum rc rc = zk_jute_result(reply, &o->shape, &s->room, &s->result, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e); /* the frame stays */
    if (rc != RC_OK)
        s->doom = why;
    else
        judge_version(s, o->shape.op, reply->error);
    *ret = (struct zk_event){.kind = ZK_ANSWER,
                             .tag = o->tag,
                             .err = why,
                             .result = rc == RC_OK ? &s->result : NULL,
                             .zxid = reply->zxid};
    zk_shape_done(&open_pop(s)->shape);
    return RC_OK;
}

static enum rc on_frame(struct zk_session *s, struct slice frame, struct zk_event *ret,
                        struct err *e)
{
    struct zk_reply reply;
    if (s->state == GREETING)
        return on_welcome(s, frame, e);
    enum rc rc = zk_jute_reply(frame, &reply, e);
    if (rc != RC_OK)
        return rc;
    switch (reply.xid) {
    case ZK_XID_AUTH:
        return on_auth(&reply, e);
    case ZK_XID_PING:
        return on_ping(s, &reply, ret, e);
    case ZK_XID_CHANGED:
        return on_changed(&reply, ret, e);
    default:
        return on_answer(s, &reply, ret, e);
    }
}

/* It can only be the answer to the oldest call: who asked learns that it is to ask for less. */
static enum rc on_long_frame(struct zk_session *s, const struct err *why, struct zk_event *ret,
                             struct err *e)
{
    if (s->state != READY || s->n_open == 0) {
        *e = *why;
        return why->rc;
    }
    struct open_call *o = open_pop(s);
    s->doom = *why;
    *ret = (struct zk_event){.kind = ZK_ANSWER, .tag = o->tag, .err = *why};
    zk_shape_done(&o->shape);
    return RC_OK;
}

enum rc zk_session_next(struct zk_session *s, struct zk_event *ret, struct err *e)
{
    struct slice frame;
    struct err why = ERR_INIT;
    enum rc rc = RC_AGAIN;
    give_back(s);
    while (rc == RC_AGAIN && s->state != OVER) {
        if (s->doom.rc != RC_OK) {
            *e = s->doom;
            return e->rc;
        }
        rc = frame_look(s, &frame, &why);
        if (rc != RC_OK)
            return rc < 0 ? on_long_frame(s, &why, ret, e) : rc;
        rc = on_frame(s, frame, ret, e);
        if (rc >= 0)
            s->lent = LENGTH_BYTES + frame.n;
        if (rc == RC_AGAIN)
            give_back(s);
        if (!s->n_open && !s->pings)
            s->asked_ns = 0;
    }
    return rc;
}

/* ---- time ---- */

static int64_t patience_ns(const struct zk_session *s)
{
    return s->timeout_ns / 3 * 2;
}

/* The server must have been silent for two thirds of the timeout, and have had a third of it for an answer: who did not
 * ask for long, because this thread did other things, gives it the time. */
static int64_t dead_ns(const struct zk_session *s)
{
    int64_t silent = s->heard_ns + patience_ns(s), asked = s->asked_ns + s->timeout_ns / 3;
    if (!s->asked_ns)
        return INT64_MAX;
    return silent > asked ? silent : asked;
}

enum rc zk_session_tick(struct zk_session *s, int64_t now, struct err *e)
{
    if (s->state == OVER)
        return RC_OK;
    if (now >= dead_ns(s))
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "the server is silent for more than %.3g s",
                       (double)patience_ns(s) / (double)NS_PER_S);
    if (s->state == READY && now >= s->sent_ns + s->timeout_ns / 3)
        return add_ping(s, now, e);
    return RC_OK;
}

int64_t zk_session_due(const struct zk_session *s)
{
    if (s->state == OVER)
        return INT64_MAX;
    int64_t dead = dead_ns(s), ping = s->sent_ns + s->timeout_ns / 3;
    return s->state == READY && ping < dead ? ping : dead;
}

/* ---- the end ---- */

bool zk_session_is_ready(const struct zk_session *s)
{
    return s->state == READY;
}

void zk_session_leave(struct zk_session *s)
{
    if (s->state == ENTERING || s->state == READY)
        zk_jute_add_bare(&s->out, next_xid(s), ZK_JUTE_CLOSE);
}

static void end(struct zk_session *s)
{
    enter(s, OVER);
    out_wipe(s);
    buf_done(&s->out);
    buf_done(&s->in);
    zk_room_reset(&s->room);
    s->in_at = s->lent = 0;
    s->pings = 0;
    s->last_xid = 0;
    s->doom = (struct err)ERR_INIT;
}

bool zk_session_drop(struct zk_session *s, const struct err *why, struct zk_event *ret)
{
    end(s);
    if (!s->n_open)
        return false;
    struct open_call *o = open_pop(s);
    *ret = (struct zk_event){.kind = ZK_ANSWER, .tag = o->tag};
    err_set(&ret->err, RC_UNAVAILABLE, ERR_RETRY, "lost before it was answered: %s", why->msg);
    zk_shape_done(&o->shape);
    return true;
}

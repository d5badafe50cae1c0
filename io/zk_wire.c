/* struct zk over the wire: which server, when again, and the bytes between zk_session and zk_conn.
 *
 * A lost connection is a lost session: the calls that were open are answered as lost, then LOST comes, and a new
 * session is begun. The servers are tried in turn, in an order of chance; a whole round without success is followed by
 * a back-off, and so is a session that did not last. What makes a round fail is told once, and again when it becomes
 * something else.
 *
 * One thread. The process must ignore SIGPIPE. */
#include "io/zk.h"

#include "core/backoff.h"
#include "core/clock.h"
#include "core/env.h"
#include "io/zk_conn.h"
#include "io/zk_session.h"

#include <assert.h>

#define RETRY_FIRST_NS (100 * NS_PER_MS)
#define RETRY_MAX_NS   (5 * NS_PER_S)
#define LASTED_NS      (30 * NS_PER_S) /* a session of that age was a success */
#define PULLS_MAX      16u /* in one call, of 256 KiB at most: a server may send without end */

enum state {
    RESTING,    /* until retry_ns */
    CONNECTING, /* there is a connection that is not ready */
    TALKING,    /* and one that is */
    LOSING      /* what was open is being answered */
};

/* Row: from, column: to. */
static const bool MAY[4][4] = {
    [RESTING] = {[CONNECTING] = true, [LOSING] = true},
    [CONNECTING] = {[TALKING] = true, [LOSING] = true},
    [TALKING] = {[LOSING] = true},
    [LOSING] = {[RESTING] = true},
};

struct wire {
    struct zk base;
    struct clock *clock;
    struct rng *rng;
    struct zk_peer peer;
    struct zk_session *session;
    struct zk_conn *conn;
    enum state state;
    size_t server;   /* the one that is tried, or talked to */
    size_t failures; /* in this round */
    struct backoff backoff;
    int64_t retry_ns;
    int64_t since_ns; /* of the session being ready; 0: it is not */
    struct err why;   /* LOSING: of the loss */
    struct err told;  /* what the last LOST said */
    bool tell;        /* LOSING ends in a LOST */
    bool more;        /* the last take stopped at PULLS_MAX */
    bool quiet;       /* the last take found nothing */
};

static void enter(struct wire *w, enum state state)
{
    assert(MAY[w->state][state]);
    w->state = state;
}

/* ---- losing ---- */

/* RC_OK: all is sent, or the socket takes no more. */
static enum rc push(struct wire *w, struct err *why)
{
    enum rc rc = RC_OK;
    for (struct slice bytes = zk_session_unsent(w->session); bytes.n && rc == RC_OK;
         bytes = zk_session_unsent(w->session)) {
        size_t n = 0;
        rc = zk_conn_send(w->conn, bytes, &n, why);
        zk_session_sent(w->session, n);
    }
    return rc < 0 ? rc : RC_OK;
}

/* So that the server need not wait for the session's timeout, as far as the socket takes it at once. */
static void leave(struct wire *w)
{
    struct err unused;
    if (w->state != TALKING)
        return;
    zk_session_leave(w->session);
    (void)push(w, &unused);
}

/* After a whole round without success, and after a session, there is a pause; the next server of a round is tried at
 * once. */
static void plan_retry(struct wire *w, int64_t now, bool round_over)
{
    if (w->since_ns && now - w->since_ns >= LASTED_NS)
        backoff_reset(&w->backoff);
    w->retry_ns = now;
    if (w->since_ns || round_over)
        w->retry_ns += backoff_next_ns(&w->backoff, w->rng);
    w->failures = w->since_ns || round_over ? 0 : w->failures;
}

/* A refusal says more than a server that is away. */
static bool says_more(const struct err *why, const struct err *than)
{
    return than->rc == RC_OK || than->rc == RC_UNAVAILABLE || why->rc != RC_UNAVAILABLE;
}

static void lose(struct wire *w, const struct err *why)
{
    bool first = w->failures++ == 0;
    bool round_over = w->failures >= w->peer.n_servers;
    if (first || says_more(why, &w->why)) {
        w->why = *why;
        (void)err_wrap(&w->why, "zookeeper %s", w->peer.servers[w->server]);
    }
    leave(w);
    zk_conn_close(steal(&w->conn));
    enter(w, LOSING);
    w->tell = w->since_ns || (round_over && strcmp(w->why.msg, w->told.msg) != 0);
    plan_retry(w, clock_boot_ns(w->clock), round_over);
    w->since_ns = 0;
    w->server = (w->server + 1) % w->peer.n_servers;
}

static enum rc step_losing(struct wire *w, struct zk_event *ret)
{
    if (zk_session_drop(w->session, &w->why, ret))
        return RC_OK;
    enter(w, RESTING);
    if (!w->tell)
        return RC_AGAIN;
    w->told = w->why;
    *ret = (struct zk_event){.kind = ZK_LOST, .err = w->why};
    return RC_OK;
}

/* ---- connecting and talking ---- */

/* What ends the session is no failure of ours; what is left is. */
static enum rc judge(struct wire *w, enum rc rc, const struct err *why, struct err *e)
{
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc < 0)
        lose(w, why);
    return rc < 0 ? RC_OK : rc;
}

static enum rc step_resting(struct wire *w, struct err *e)
{
    struct err why;
    if (clock_boot_ns(w->clock) < w->retry_ns)
        return RC_AGAIN;
    enum rc rc = zk_conn_open(&w->peer, w->peer.servers[w->server], &w->conn, &why);
    if (rc == RC_OK)
        enter(w, CONNECTING);
    return judge(w, rc, &why, e);
}

static enum rc step_connecting(struct wire *w, struct err *e)
{
    struct err why;
    enum rc rc = zk_conn_step(w->conn, &why);
    if (rc == RC_OK)
        rc = zk_session_begin(w->session, clock_boot_ns(w->clock), &why);
    if (rc == RC_OK)
        enter(w, TALKING);
    return judge(w, rc, &why, e);
}

/* RC_OK: something came; RC_AGAIN: nothing. */
static enum rc pull(struct wire *w, struct err *why)
{
    char *space;
    size_t room, n = 0;
    enum rc rc = zk_session_space(w->session, &space, &room, why);
    if (rc == RC_OK)
        rc = zk_conn_receive(w->conn, space, room, &n, why);
    if (rc == RC_OK)
        zk_session_received(w->session, n, clock_boot_ns(w->clock));
    return rc;
}

/* The next event, from what came before if possible. Time is judged only when nothing is there to be read. */
static enum rc talk(struct wire *w, struct zk_event *ret, struct err *why)
{
    enum rc rc = zk_session_next(w->session, ret, why);
    for (unsigned pulls = 0; rc == RC_AGAIN; pulls++) {
        w->more = pulls == PULLS_MAX;
        if (w->more)
            return RC_AGAIN;
        rc = push(w, why);
        if (rc == RC_OK)
            rc = pull(w, why);
        if (rc != RC_OK)
            break;
        rc = zk_session_next(w->session, ret, why);
    }
    if (rc != RC_AGAIN)
        return rc;
    rc = zk_session_tick(w->session, clock_boot_ns(w->clock), why);
    if (rc == RC_OK)
        rc = push(w, why);
    return rc == RC_OK ? RC_AGAIN : rc;
}

static void explain_end(const struct wire *w, struct err *why)
{
    if (!zk_session_is_ready(w->session) && why->rc == RC_UNAVAILABLE)
        (void)err_wrap(why,
                       "no session (is it a server's client port, with TLS or without as given, "
                       "and does it take more connections?)");
}

static void on_connected(struct wire *w)
{
    w->since_ns = clock_boot_ns(w->clock);
    w->failures = 0;
    w->why = w->told = (struct err)ERR_INIT;
}

/* RC_OK with *ret_event: an event. */
static enum rc step_talking(struct wire *w, struct zk_event *ret, bool *ret_event, struct err *e)
{
    struct err why;
    enum rc rc = talk(w, ret, &why);
    *ret_event = rc == RC_OK;
    if (rc == RC_OK && ret->kind == ZK_CONNECTED)
        on_connected(w);
    if (rc < 0 && rc != RC_NOMEM)
        explain_end(w, &why);
    return judge(w, rc, &why, e);
}

/* ---- the interface ---- */

static enum rc wire_call(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e)
{
    struct wire *w = (struct wire *)z;
    return zk_session_call(w->session, c, tag, clock_boot_ns(w->clock), e);
}

static enum rc wire_take(struct zk *z, struct zk_event *ret, struct err *e)
{
    struct wire *w = (struct wire *)z;
    enum rc rc = RC_OK;
    bool event = false;
    w->more = false;
    while (rc == RC_OK && !event) {
        switch (w->state) {
        case RESTING:
            rc = step_resting(w, e);
            break;
        case CONNECTING:
            rc = step_connecting(w, e);
            break;
        case TALKING:
            rc = step_talking(w, ret, &event, e);
            break;
        case LOSING:
            rc = step_losing(w, ret);
            event = rc == RC_OK;
            rc = RC_OK;
            break;
        }
    }
    w->quiet = rc == RC_AGAIN && !w->more;
    return rc;
}

static int64_t wire_due(const struct wire *w)
{
    switch (w->state) {
    case RESTING:
        return w->retry_ns;
    case CONNECTING:
        return INT64_MAX; /* libcurl's own */
    case TALKING:
        return zk_session_due(w->session);
    case LOSING:
        break;
    }
    return 0;
}

static enum rc wire_wait(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e)
{
    struct wire *w = (struct wire *)z;
    int64_t left = wire_due(w), ns = timeout_ns;
    if (left != INT64_MAX)
        left -= clock_boot_ns(w->clock);
    ns = left < ns ? left : ns;
    if (!w->quiet) /* there may be more, also where no socket shows it */
        return RC_OK;
    return zk_conn_wait(w->conn, zk_session_unsent(w->session).n > 0, wake_fd, ns, e);
}

static void wire_close(struct zk *z)
{
    struct wire *w = (struct wire *)z;
    if (w->session)
        leave(w);
    zk_conn_close(w->conn);
    zk_session_free(w->session);
    zk_peer_done(&w->peer);
    free(w);
}

static const struct zk_ops WIRE_OPS = {wire_call, wire_take, wire_wait, wire_close};

enum rc zk_wire_open(const struct zk_target *target, const struct env *env, struct zk **ret,
                     struct err *e)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w)
        return err_nomem(e);
    w->base.ops = &WIRE_OPS;
    w->clock = env->clock;
    w->rng = env->rng;
    w->backoff = (struct backoff){.first_ns = RETRY_FIRST_NS, .max_ns = RETRY_MAX_NS};
    AUTO(zk_closep) struct zk *base = &w->base;
    enum rc rc = zk_peer_init(&w->peer, target, env->rng, e);
    if (rc == RC_OK)
        rc = zk_session_new(w->peer.user, w->peer.password, &w->session, e);
    if (rc == RC_OK)
        *ret = steal(&base);
    return rc;
}

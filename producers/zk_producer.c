/* The ZooKeeper producer: one session, and one state machine for each root.
 *
 * An ensemble has no identity of its own: it is known by the name that it was given, and as the same by its zxids, which
 * only grow. Where they do not, the source was restored or swapped: EVENT_EPOCH says so, and all roots are listed anew.
 * While events wait to be taken nothing is asked, but the session is kept alive. One thread. */
#include "producers/producer.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/event.h"
#include "core/json.h"
#include "io/zk.h"
#include "producers/producer_queue.h"
#include "producers/zk_scope.h"

#include <stdio.h>
#include <stdlib.h>

#define ZK_EVENTS_A_STEP 4096 /* so that a burst is read at once */
#define WALK_DEFAULT_NS  (60 * NS_PER_S)

struct zk_producer {
    struct producer producer;
    struct env env;
    struct zk_scope_world world;
    struct buf identity;
    bool introduced; /* the identity was said */
    char error[320]; /* of the connection */
    struct zk_scope **scopes;
    uint16_t last_id;
    size_t n_scopes, cap_scopes;
};

static struct zk_producer *downcast(struct producer *p)
{
    return (struct zk_producer *)p; /* the embedded interface is the first member */
}

/* ---- Identity ---- */

static enum rc queue_identity(struct zk_producer *k, const char *reason, struct err *e)
{
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    buf_add_str(&body, "{\"identity\":");
    json_print_text(buf_slice(&k->identity), &body);
    buf_addf(&body, ",\"reason\":\"%s\"}", reason);
    enum rc rc = buf_check(&body, "identity", e);
    if (rc < 0)
        return rc;
    struct event ev = {.op = EVENT_EPOCH,
                       .cause = CAUSE_SELF,
                       .source_kind = SOURCE_ZOOKEEPER,
                       .wall_ns = clock_wall_ns(k->env.clock),
                       .key = SLICE("@epoch/source"),
                       .body = buf_slice(&body)};
    k->world.epochs++;
    return producer_queue_add(k->world.queue, k, &ev, e);
}

static enum rc restart_all(struct zk_producer *k, struct err *e)
{
    DIAG(k->env.diag, DIAG_WARN,
         "the source's zxids went backwards (restored from a backup?): all is listed anew",
         DIAG_S("identity", buf_slice(&k->identity)));
    k->world.regressed = false;
    k->world.zxid = -1;
    for (size_t i = 0; i < k->n_scopes; i++)
        zk_scope_restart(k->scopes[i]);
    return queue_identity(k, "regression", e);
}

/* ---- What the session says ---- */

static enum rc connected(struct zk_producer *k, struct err *e)
{
    k->world.connected = true;
    k->error[0] = '\0';
    DIAG(k->env.diag, DIAG_DEBUG, "connected to ensemble",
         DIAG_S("identity", buf_slice(&k->identity)));
    if (k->introduced)
        return RC_OK;
    k->introduced = true;
    return queue_identity(k, "start", e);
}

static enum rc lost(struct zk_producer *k, const struct err *why, struct err *e)
{
    enum rc rc = RC_OK;
    k->world.connected = false;
    snprintf(k->error, sizeof k->error, "%.300s", why->msg);
    diag_error(k->env.diag, DIAG_WARN, "no connection to ensemble", why);
    for (size_t i = 0; rc == RC_OK && i < k->n_scopes; i++)
        rc = zk_scope_lost(k->scopes[i], e);
    return rc;
}

static enum rc answered(struct zk_producer *k, const struct zk_event *ev, struct err *e)
{
    size_t i = 0;
    while (i < k->n_scopes && !zk_scope_owns(k->scopes[i], ev->tag))
        i++;
    enum rc rc = i < k->n_scopes ? zk_scope_answer(k->scopes[i], ev, e) : RC_OK;
    if (ev->err.rc == RC_OK && !k->world.regressed && ev->zxid > k->world.zxid)
        k->world.zxid = ev->zxid;
    return rc;
}

static enum rc changed(struct zk_producer *k, struct slice path, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < k->n_scopes; i++)
        rc = zk_scope_changed(k->scopes[i], path, e);
    return rc;
}

static enum rc offer(struct zk_producer *k, const struct zk_event *ev, struct err *e)
{
    switch (ev->kind) {
    case ZK_CONNECTED:
        return connected(k, e);
    case ZK_LOST:
        return lost(k, &ev->err, e);
    case ZK_ANSWER:
        return answered(k, ev, e);
    case ZK_CHANGED:
        return changed(k, ev->path, e);
    }
    return RC_OK;
}

/* ---- Step ---- */

/* Goes on while events wait to be taken: what may come is bounded by what was asked, and by the limits of the dirty
 * sets; a session that is not served ends. */
static enum rc take_zk(struct zk_producer *k, bool *ret_any, struct err *e)
{
    for (int i = 0; i < ZK_EVENTS_A_STEP && !k->world.regressed; i++) {
        struct zk_event ev;
        enum rc rc = zk_take(k->world.zk, &ev, e);
        if (rc == RC_OK)
            rc = offer(k, &ev, e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        *ret_any = true;
    }
    return RC_OK;
}

static enum rc step_scopes(struct zk_producer *k, int64_t *wake_ns, bool *ret_any, struct err *e)
{
    for (size_t i = 0; i < k->n_scopes; i++) {
        int64_t due;
        enum rc rc = zk_scope_step(k->scopes[i], &due, e);
        if (rc < 0)
            return rc;
        *ret_any = *ret_any || rc == RC_OK;
        *wake_ns = due < *wake_ns ? due : *wake_ns;
    }
    return RC_OK;
}

static enum rc zkp_step(struct producer *p, int64_t *ret_wake_ns, struct err *e)
{
    struct zk_producer *k = downcast(p);
    bool any = false;
    enum rc rc = take_zk(k, &any, e);
    if (rc == RC_OK)
        rc = step_scopes(k, ret_wake_ns, &any, e);
    if (rc == RC_OK && k->world.regressed) {
        any = true;
        rc = restart_all(k, e);
    }
    if (rc < 0)
        return rc;
    return any ? RC_OK : RC_AGAIN;
}

static enum rc zkp_take(struct producer *p, const struct event **ret, struct err *e)
{
    (void)e;
    struct zk_producer *k = downcast(p);
    const struct event *ev = producer_queue_take(k->world.queue);
    if (!ev)
        return RC_AGAIN;
    k->world.epochs -= ev->op == EVENT_EPOCH;
    *ret = ev;
    return RC_OK;
}

/* Who the source is follows from its name alone: an equal one says the equal. */
static enum rc zkp_expect(struct producer *p, struct slice identity, struct err *e)
{
    (void)p;
    (void)identity;
    (void)e;
    return RC_OK;
}

static void zkp_recall(struct producer *p, const struct producer_memory *memory)
{
    downcast(p)->world.memory = memory;
}

/* ---- Scopes ---- */

static size_t find_scope(const struct zk_producer *k, struct slice scope)
{
    size_t i = 0;
    while (i < k->n_scopes && !slice_eq(zk_scope_root(k->scopes[i]), scope))
        i++;
    return i;
}

static enum rc make_room(struct zk_producer *k, struct err *e)
{
    if (k->n_scopes < k->cap_scopes)
        return RC_OK;
    size_t cap = k->cap_scopes ? k->cap_scopes * 2 : 16;
    struct zk_scope **scopes = reallocarray(k->scopes, cap, sizeof(struct zk_scope *));
    if (!scopes)
        return err_nomem(e);
    k->scopes = scopes;
    k->cap_scopes = cap;
    return RC_OK;
}

/* api_version: znodes have none. */
static enum rc zkp_add(struct producer *p, struct slice scope, struct slice api_version,
                       struct slice resume, struct err *e)
{
    struct zk_producer *k = downcast(p);
    (void)api_version;
    if (find_scope(k, scope) < k->n_scopes)
        return RC_OK;
    enum rc rc = make_room(k, e);
    if (rc < 0)
        return rc;
    rc = zk_scope_new(&k->world, ++k->last_id, scope, resume, &k->scopes[k->n_scopes], e);
    k->n_scopes += rc == RC_OK;
    return rc;
}

static void zkp_drop(struct producer *p, struct slice scope)
{
    struct zk_producer *k = downcast(p);
    size_t i = find_scope(k, scope);
    if (i == k->n_scopes)
        return;
    producer_queue_forget(k->world.queue, k->scopes[i]);
    zk_scope_free(k->scopes[i]);
    k->n_scopes--;
    memmove(k->scopes + i, k->scopes + i + 1, (k->n_scopes - i) * sizeof *k->scopes);
}

static enum rc zkp_status(struct producer *p, size_t index, struct producer_status *ret)
{
    const struct zk_producer *k = downcast(p);
    if (index >= k->n_scopes)
        return RC_END;
    zk_scope_status(k->scopes[index], ret);
    if (!ret->error[0])
        memcpy(ret->error, k->error, sizeof ret->error);
    return RC_OK;
}

/* There is nothing to discover in an ensemble. */
static enum rc zkp_kind(struct producer *p, size_t index, struct producer_kind *ret)
{
    (void)p;
    (void)index;
    (void)ret;
    return RC_END;
}

/* ---- Life ---- */

static enum rc zkp_wait(struct producer *p, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return zk_wait(downcast(p)->world.zk, wake_fd, timeout_ns, e);
}

static void zkp_close(struct producer *p)
{
    struct zk_producer *k = downcast(p);
    for (size_t i = 0; i < k->n_scopes; i++)
        zk_scope_free(k->scopes[i]);
    free(k->scopes);
    producer_queue_free(k->world.queue);
    zk_close(k->world.zk);
    buf_done(&k->identity);
    free(k);
}

static const struct producer_ops zk_ops = {
    .name = "zookeeper",
    .expect = zkp_expect,
    .add = zkp_add,
    .drop = zkp_drop,
    .step = zkp_step,
    .take = zkp_take,
    .status = zkp_status,
    .kind = zkp_kind,
    .recall = zkp_recall,
    .wait = zkp_wait,
    .close = zkp_close,
};

enum rc zk_producer_open(const struct zk_producer_opts *opts, const struct env *env,
                         struct producer **ret, struct err *e)
{
    struct zk_producer *k = calloc(1, sizeof *k);
    if (!k) {
        zk_close(opts->zk);
        return err_nomem(e);
    }
    k->producer.ops = &zk_ops;
    k->env = *env;
    buf_init(&k->identity, EVENT_TEXT_MAX / 2);
    buf_addf(&k->identity, "zookeeper %s", opts->name);
    k->world = (struct zk_scope_world){.zk = opts->zk,
                                       .env = &k->env,
                                       .queue = producer_queue_new(),
                                       .acl = opts->acl,
                                       .walk_ns = opts->walk_ns ? opts->walk_ns : WALK_DEFAULT_NS,
                                       .zxid = -1};
    enum rc rc = buf_check(&k->identity, "identity", e);
    if (rc == RC_OK && !k->world.queue)
        rc = err_nomem(e);
    if (rc == RC_OK)
        *ret = &k->producer;
    else
        zkp_close(&k->producer);
    return rc;
}

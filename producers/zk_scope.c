/* The state machine of a root: idle, asking for the watch, checking where the source stands, listing, following.
 *
 * A listing begins behind the watch and behind a sync: so it shows all up to the sync's zxid, and what happens later is
 * told. What is told while a walk is under way is read when its end was said. Answers carry a round; with all that is
 * given up the round ends, and what is still answered of it is passed over. One thread. */
#include "producers/zk_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "producers/producer_queue.h"

#include <assert.h>
#include <stdio.h>

#define RETRY_FIRST_NS (500 * NS_PER_MS)
#define RETRY_MAX_NS   (30 * NS_PER_S)
#define RARELY_NS      (30 * NS_PER_S) /* where somebody must do something first */
#define SYSTEM_PATH    SLICE("/zookeeper")
#define NO_ROOT        "the root does not exist in the source"

static const bool ALLOWED[][CHECKING + 1] = {
    [IDLE] = {[IDLE] = true, [ASKING] = true, [CHECKING] = true},
    [ASKING] = {[IDLE] = true, [CHECKING] = true},
    [LISTING] = {[IDLE] = true, [FOLLOWING] = true},
    [FOLLOWING] = {[IDLE] = true, [CHECKING] = true},
    [CHECKING] = {[IDLE] = true, [LISTING] = true, [FOLLOWING] = true},
};

void zk_scope_enter(struct zk_scope *s, enum stage stage)
{
    assert(ALLOWED[s->stage][stage]);
    s->stage = stage;
}

static int64_t now_ns(const struct zk_scope *s)
{
    return clock_boot_ns(s->world->env->clock);
}

/* ---- Tags: the scope, its round, the question; below that the walk's own ---- */

#define ID_SHIFT       48
#define ROUND_SHIFT    36
#define ROUND_MASK     0xfffu
#define QUESTION_SHIFT 32 /* ZK_WALK_TAGS */
#define QUESTION_MASK  0xfu

uint64_t zk_scope_tag(const struct zk_scope *s, enum question q)
{
    return (uint64_t)s->id << ID_SHIFT | (uint64_t)(s->round & ROUND_MASK) << ROUND_SHIFT |
           (uint64_t)q << QUESTION_SHIFT;
}

bool zk_scope_owns(const struct zk_scope *s, uint64_t tag)
{
    return tag >> ID_SHIFT == s->id;
}

/* ---- Giving up ---- */

static void stop(struct zk_scope *s)
{
    zk_scope_drop_walk(s);
    zk_scope_drop_reads(s);
    zk_pending_clear(s->pending);
    s->round++;
    s->begun = s->listed = false;
    zk_scope_enter(s, IDLE);
}

static void fail(struct zk_scope *s, enum producer_phase trouble, int64_t wait_ns)
{
    stop(s);
    s->trouble = trouble;
    s->due_ns = now_ns(s) + wait_ns;
    DIAG(s->world->env->diag, DIAG_WARN, "error reading nodes from ensemble",
         DIAG_S("scope", zk_scope_root(s)), DIAG_S("error", slice_str(s->error)));
}

void zk_scope_refused(struct zk_scope *s, const char *what, int error)
{
    if (error == ZK_UNIMPLEMENTED) {
        snprintf(s->error, sizeof s->error,
                 "the server does not know %s: a source must be ZooKeeper 3.6 or newer", what);
        fail(s, PRODUCER_CONNECTING, RARELY_NS);
    } else if (error == ZK_NO_AUTH) {
        snprintf(s->error, sizeof s->error,
                 "%s of the root is not authorised: give the Database the secretName of a user "
                 "that may read it",
                 what);
        fail(s, PRODUCER_DENIED, RARELY_NS);
    } else if (error == ZK_NO_NODE) {
        snprintf(s->error, sizeof s->error, NO_ROOT);
        fail(s, PRODUCER_MISSING, RARELY_NS);
    } else {
        snprintf(s->error, sizeof s->error, "%s: %s (%d)", what, zk_error_name(error), error);
        fail(s, PRODUCER_CONNECTING, backoff_next_ns(&s->backoff, s->world->env->rng));
    }
}

void zk_scope_broken(struct zk_scope *s, const struct err *why)
{
    snprintf(s->error, sizeof s->error, "%.300s", why->msg);
    fail(s, PRODUCER_CONNECTING, backoff_next_ns(&s->backoff, s->world->env->rng));
}

enum rc zk_scope_lost(struct zk_scope *s, struct err *e)
{
    bool gap = s->watched && s->complete_zxid >= 0;
    stop(s);
    s->watched = false;
    s->trouble = PRODUCER_CONNECTING;
    s->error[0] = '\0';
    s->due_ns = 0;
    return gap ? zk_scope_say_gap(s, "connection lost", e) : RC_OK;
}

void zk_scope_restart(struct zk_scope *s)
{
    stop(s);
    zk_known_clear(s->known);
    zk_dirty_clear(s->dirty);
    s->complete_zxid = s->resumed_zxid = s->walked_zxid = -1;
    s->due_ns = 0;
}

/* ---- Nodes that cannot be read or kept ---- */

void zk_scope_cannot(struct zk_scope *s, struct slice path, bool denied, const char *why)
{
    struct unread_counts *c = s->stage == LISTING ? &s->walking : &s->counts;
    size_t *count = denied ? &c->denied : &c->unfit;
    if (s->stage != LISTING && zk_scope_is_unread(s, path)) /* a walk meets a path once */
        return;
    (*count)++;
    if (!c->first[0])
        snprintf(c->first, sizeof c->first, "%.*s: %s", (int)(path.n < 100 ? path.n : 100), path.p,
                 why);
    if (znode_is_path(path, NULL)) /* else the log has nothing of it */
        zk_scope_unread(s, path);
    if (c->denied + c->unfit > s->told)
        DIAG(s->world->env->diag, DIAG_WARN, "node not read from ensemble", DIAG_S("path", path),
             DIAG_S("error", slice_str(why)));
}

/* ---- Asking ---- */

static enum rc ask(struct zk_scope *s, enum zk_op op, enum question q, enum stage then,
                   struct err *e)
{
    const struct zk_call call = {.op = op, .path = zk_scope_root(s)};
    enum rc rc = zk_call(s->world->zk, &call, zk_scope_tag(s, q), e);
    if (rc == RC_OK)
        zk_scope_enter(s, then);
    return rc;
}

static enum rc check(struct zk_scope *s, struct err *e)
{
    return ask(s, ZK_SYNC, SYNC, CHECKING, e);
}

static enum rc start(struct zk_scope *s, int64_t *wake_ns, struct err *e)
{
    if (s->due_ns > now_ns(s)) {
        *wake_ns = s->due_ns;
        return RC_AGAIN;
    }
    return s->watched ? check(s, e) : ask(s, ZK_ADD_WATCH, WATCH, ASKING, e);
}

static enum rc watch_answered(struct zk_scope *s, const struct zk_result *r, struct err *e)
{
    if (r->error != ZK_OK) {
        zk_scope_refused(s, "ADD_WATCH", r->error);
        return RC_OK;
    }
    s->watched = true;
    enum rc rc = check(s, e);
    if (rc == RC_AGAIN)
        zk_scope_enter(s, IDLE);
    return rc < 0 ? rc : RC_OK;
}

static enum rc sync_answered(struct zk_scope *s, const struct zk_event *ev, struct err *e)
{
    if (ev->result->error != ZK_OK) {
        zk_scope_refused(s, "SYNC", ev->result->error);
        return RC_OK;
    }
    if (ev->zxid < s->world->zxid) {
        s->world->regressed = true;
        return RC_OK;
    }
    s->asked_zxid = ev->zxid;
    if (!s->listed || zk_dirty_overflowed(s->dirty) || ev->zxid != s->walked_zxid)
        return zk_scope_begin_walk(s, e);
    s->walk_due_ns = now_ns(s) + s->world->walk_ns;
    zk_scope_enter(s, FOLLOWING);
    return RC_OK;
}

enum rc zk_scope_answer(struct zk_scope *s, const struct zk_event *ev, struct err *e)
{
    if ((ev->tag >> ROUND_SHIFT & ROUND_MASK) != (s->round & ROUND_MASK))
        return RC_OK;
    if (ev->err.rc == RC_CORRUPT && s->parts > 1)
        s->parts /= 2;       /* it may have been too long */
    if (ev->err.rc != RC_OK) /* ZK_LOST follows */
        return RC_OK;
    s->seen_zxid = ev->zxid;
    switch ((enum question)(ev->tag >> QUESTION_SHIFT & QUESTION_MASK)) {
    case SYNC:
        return sync_answered(s, ev, e);
    case WATCH:
        return watch_answered(s, ev->result, e);
    case ACL:
        return zk_pending_answer(s->pending, ev->result, e);
    case READ:
        return zk_scope_read_answer(s, ev->result, e);
    case WALK:
        zk_scope_walk_answer(s, ev);
        return RC_OK;
    }
    return RC_OK;
}

enum rc zk_scope_changed(struct zk_scope *s, struct slice path, struct err *e)
{
    const struct slice root = zk_scope_root(s);
    if (!znode_is_within(path, root) || (root.n == 1 && znode_is_within(path, SYSTEM_PATH)))
        return RC_OK;
    if (s->stage == IDLE && s->trouble == PRODUCER_MISSING)
        s->due_ns = 0; /* it may be there now */
    const char *why;
    if (znode_is_path(path, &why))
        return zk_dirty_add(s->dirty, path, e);
    zk_scope_cannot(s, path, /* denied= */ false, why);
    return zk_scope_touch_parent(s, path, e);
}

/* ---- Step ---- */

static bool is_settled(const struct zk_scope *s)
{
    return s->n_reads == 0 && zk_pending_is_empty(s->pending);
}

static bool walk_is_due(const struct zk_scope *s)
{
    return zk_dirty_overflowed(s->dirty) || s->walk_due_ns <= now_ns(s);
}

static enum rc follow(struct zk_scope *s, int64_t *wake_ns, bool *ret_any, struct err *e)
{
    enum rc rc = zk_scope_drain(s, ret_any, e);
    if (rc < 0 || s->world->regressed)
        return rc;
    bool due = walk_is_due(s);
    if (due && is_settled(s)) {
        rc = check(s, e);
        *ret_any = *ret_any || rc == RC_OK;
        return rc < 0 ? rc : RC_OK;
    }
    if (!due)
        rc = zk_scope_read(s, ret_any, e);
    if (rc == RC_OK && is_settled(s) && zk_dirty_is_empty(s->dirty) &&
        !zk_dirty_overflowed(s->dirty) && s->seen_zxid > s->complete_zxid) {
        rc = zk_scope_say_complete(s, EVENT_POSITION, s->seen_zxid, SLICE_NULL, e);
        *ret_any = true;
    }
    *wake_ns = s->walk_due_ns;
    return rc;
}

enum rc zk_scope_step(struct zk_scope *s, int64_t *ret_wake_ns, struct err *e)
{
    bool any = false;
    enum rc rc = RC_OK;
    *ret_wake_ns = INT64_MAX;
    if (!s->world->connected || s->world->epochs > 0 || s->world->regressed ||
        producer_queue_full(s->world->queue))
        return RC_AGAIN;
    if (s->stage == IDLE)
        return start(s, ret_wake_ns, e);
    if (s->stage == LISTING)
        rc = zk_scope_walk(s, &any, e);
    else if (s->stage == FOLLOWING)
        rc = follow(s, ret_wake_ns, &any, e);
    if (rc < 0)
        return rc;
    return any ? RC_OK : RC_AGAIN;
}

/* ---- Life ---- */

struct slice zk_scope_root(const struct zk_scope *s)
{
    return slice_str(s->root);
}

static void print_unread(const struct unread_counts *c, char *out, size_t n)
{
    if (c->denied + c->unfit > 0)
        snprintf(out, n, "%zu of its nodes cannot be read, %zu cannot be kept in a log; %s",
                 c->denied, c->unfit, c->first);
}

void zk_scope_status(const struct zk_scope *s, struct producer_status *ret)
{
    *ret = (struct producer_status){.scope = zk_scope_root(s), .phase = s->trouble};
    if (s->listed) {
        ret->phase = s->no_root ? PRODUCER_MISSING : PRODUCER_FOLLOWING;
        print_unread(&s->counts, ret->error, sizeof ret->error);
        if (s->no_root)
            snprintf(ret->error, sizeof ret->error, NO_ROOT);
        return;
    }
    if (s->stage == LISTING && s->begun)
        ret->phase = PRODUCER_LISTING;
    memcpy(ret->error, s->error, sizeof ret->error);
}

static enum rc check_root(struct slice root, struct err *e)
{
    const char *why = NULL;
    if (!znode_is_path(root, &why))
        return err_set(e, RC_INVALID, ERR_FINAL, "the path of a root %s", why);
    if (root.n + sizeof "@position/" > EVENT_TEXT_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the path of a root has %zu bytes; at most %zu are allowed", root.n,
                       EVENT_TEXT_MAX - sizeof "@position/");
    return RC_OK;
}

enum rc zk_scope_new(struct zk_scope_world *world, uint16_t id, struct slice root,
                     struct slice resume, struct zk_scope **ret, struct err *e)
{
    enum rc rc = check_root(root, e);
    if (rc < 0)
        return rc;
    AUTO(zk_scope_freep) struct zk_scope *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->world = world;
    s->id = id;
    s->root = strndup(root.p, root.n);
    s->dirty = zk_dirty_new();
    s->known = zk_known_new();
    s->pending = zk_pending_new();
    buf_init(&s->unread, ZK_UNREAD_MAX);
    if (!s->root || !s->dirty || !s->known || !s->pending)
        return err_nomem(e);
    s->backoff = (struct backoff){RETRY_FIRST_NS, RETRY_MAX_NS, 0};
    s->parts = READ_PARTS;
    s->walked_zxid = -1;
    s->complete_zxid = s->resumed_zxid = znode_version_zxid(resume);
    s->ever_listed = s->resumed_zxid >= 0;
    if (s->resumed_zxid > world->zxid)
        world->zxid = s->resumed_zxid;
    *ret = steal(&s);
    return RC_OK;
}

void zk_scope_free(struct zk_scope *s)
{
    if (!s)
        return;
    zk_scope_drop_walk(s);
    zk_scope_drop_reads(s);
    zk_pending_free(s->pending);
    zk_known_free(s->known);
    zk_dirty_free(s->dirty);
    buf_done(&s->unread);
    free(s->root);
    free(s);
}

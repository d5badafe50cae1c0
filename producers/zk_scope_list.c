/* A walk: the nodes of a listing, between SYNC_BEGIN and SYNC_END, and what it could not tell of. It begins with the
 * root's own node, so that a root that is missing or forbidden is no listing at all. One thread. */
#include "producers/zk_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/json.h"
#include "io/zk_walk.h"
#include "producers/producer_queue.h"

void zk_scope_drop_walk(struct zk_scope *s)
{
    zk_walk_close(s->walk);
    s->walk = NULL;
}

/* ---- What it cannot tell of ---- */

void zk_scope_unread(struct zk_scope *s, struct slice path)
{
    buf_add_slice(&s->unread, path);
    buf_add_char(&s->unread, '\0');
}

void zk_scope_unread_below(struct zk_scope *s, struct slice path)
{
    buf_add_slice(&s->unread, path);
    buf_add(&s->unread, "/", 2);
}

/* The first of what *rest holds; false: it is empty. */
static bool next_unread(struct slice *rest, struct slice *ret)
{
    if (rest->n == 0)
        return false;
    *ret = slice_cut(*rest, '\0', rest);
    return true;
}

bool zk_scope_is_unread(const struct zk_scope *s, struct slice path)
{
    struct slice rest = buf_slice(&s->unread), entry;
    if (s->unread.bad) /* it may be one that found no room */
        return true;
    while (next_unread(&rest, &entry))
        if (slice_ends(entry, SLICE("/")) ? slice_starts(path, entry) : slice_eq(path, entry))
            return true;
    return false;
}

static void print_unread(const struct zk_scope *s, struct buf *out)
{
    struct slice rest = buf_slice(&s->unread), entry;
    if (rest.n == 0)
        return;
    buf_add_str(out, "{\"unread\":[");
    for (bool more = false; next_unread(&rest, &entry); more = true) {
        if (more)
            buf_add_char(out, ',');
        json_print_text(entry, out);
    }
    buf_add_str(out, "]}");
}

/* ---- Begin ---- */

enum rc zk_scope_begin_walk(struct zk_scope *s, struct err *e)
{
    const struct zk_walk_opts opts = {.zk = s->world->zk,
                                      .root = zk_scope_root(s),
                                      .first_tag = zk_scope_tag(s, WALK),
                                      .parts = s->parts};
    enum rc rc = zk_walk_open(&opts, &s->walk, e);
    if (rc < 0)
        return rc;
    s->walks++;
    s->told = s->counts.denied + s->counts.unfit;
    s->walking = (struct unread_counts){.denied = 0};
    buf_reset(&s->unread);
    if (zk_dirty_overflowed(s->dirty))
        zk_dirty_clear(s->dirty);
    zk_scope_enter(s, LISTING);
    return RC_OK;
}

/* ---- Nodes ---- */

static bool is_root(const struct zk_scope *s, struct slice path)
{
    return slice_eq(path, zk_scope_root(s));
}

static void note_unread(struct zk_scope *s, const struct zk_walk_node *n)
{
    const char *why = zk_error_name(n->error);
    if (n->error == ZK_WALK_BAD_PATH) {
        (void)znode_is_path(n->path, &why);
        zk_scope_cannot(s, n->path, /* denied= */ false, why);
        return;
    }
    zk_scope_cannot(s, n->path, /* denied= */ true, why);
    zk_scope_unread_below(s, n->path);
}

static enum rc take_node(struct zk_scope *s, const struct zk_walk_node *n, struct err *e)
{
    enum zk_news news = ZK_NEWS_NODE;
    enum rc rc = RC_OK;
    if (n->error != ZK_OK && is_root(s, n->path) && !s->begun) {
        zk_scope_refused(s, "GET_DATA", n->error);
        return RC_OK;
    }
    if (n->error != ZK_OK) {
        note_unread(s, n);
        return RC_OK;
    }
    if (!s->begun)
        rc = zk_scope_say_own(s, EVENT_SYNC_BEGIN, "@sync/", SLICE_NULL, SLICE_NULL, e);
    s->begun = true;
    if (rc == RC_OK && n->node.stat.czxid > s->asked_zxid)
        rc = zk_scope_touch_parent(s, n->path, e); /* it was read before */
    if (rc == RC_OK)
        rc = zk_scope_compare(s, n->path, &n->node.stat, &news, e);
    return rc < 0 || s->world->regressed
               ? rc
               : zk_scope_found(s, n->path, &n->node, news, /* listed= */ true, e);
}

/* ---- End ---- */

/* What the walk did not meet is forgotten. Where it is to be read next, that will tell that it is gone, or that it is there
 * again: the listing leaves that to it. */
static void forget_unmet(struct zk_scope *s)
{
    struct slice path;
    for (size_t at = 0; zk_known_unmet(s->known, s->walks, &at, &path);) {
        if (zk_dirty_has(s->dirty, path) && s->unread.n < ZK_UNREAD_MAX / 2)
            zk_scope_unread(s, path);
        else
            zk_known_delete(s->known, path);
    }
}

/* In place of a list that is too long: all that is below the root, so that nothing is taken for deleted. */
static void print_all_unread(const struct zk_scope *s, struct buf *out)
{
    AUTO(buf_done) struct buf below = BUF_INIT(EVENT_TEXT_MAX);
    struct slice root = zk_scope_root(s);
    buf_add_slice(&below, root.n > 1 ? root : SLICE_NULL);
    buf_add_char(&below, '/');
    buf_reset(out);
    buf_add_str(out, "{\"unread\":[");
    json_print_text(buf_slice(&below), out);
    buf_add_str(out, "]}");
    if (below.bad && !out->bad)
        out->bad = below.bad;
}

static enum rc say_end(struct zk_scope *s, struct err *e)
{
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_BODY_MAX);
    print_unread(s, &body);
    if (s->unread.bad == RC_NOMEM || body.bad == RC_NOMEM)
        return err_nomem(e);
    if (s->unread.bad || body.bad) {
        DIAG(s->world->env->diag, DIAG_WARN,
             "too many nodes cannot be read: what is gone is not told by this listing",
             DIAG_S("scope", zk_scope_root(s)));
        print_all_unread(s, &body);
    }
    enum rc rc = buf_check(&body, "the end of a listing", e);
    if (rc < 0)
        return rc;
    return zk_scope_say_complete(s, EVENT_SYNC_END, s->asked_zxid, buf_slice(&body), e);
}

static enum rc end_listing(struct zk_scope *s, struct err *e)
{
    size_t unread = s->unread.n;
    forget_unmet(s);
    enum rc rc = say_end(s, e);
    buf_truncate(&s->unread, unread);
    s->begun = false;
    s->listed = s->ever_listed = true;
    s->error[0] = '\0';
    backoff_reset(&s->backoff);
    return rc;
}

static enum rc end_walk(struct zk_scope *s, struct err *e)
{
    if (!s->begun && !s->listed) {
        zk_scope_refused(s, "GET_DATA", ZK_NO_NODE);
        return RC_OK;
    }
    enum rc rc =
        s->begun ? end_listing(s, e) : RC_OK; /* a root that went was told of, and is read next */
    zk_scope_drop_walk(s);
    s->counts = s->walking;
    s->walked_zxid = s->asked_zxid;
    s->walk_due_ns = clock_boot_ns(s->world->env->clock) + s->world->walk_ns;
    zk_scope_enter(s, FOLLOWING);
    return rc;
}

/* ---- Step ---- */

static enum rc judge(struct zk_scope *s, const struct err *why, struct err *e)
{
    if (why->rc == RC_NOMEM)
        return err_nomem(e);
    if (why->rc == RC_UNSUPPORTED)
        zk_scope_refused(s, "MULTI_READ", ZK_UNIMPLEMENTED);
    else
        zk_scope_broken(s, why);
    return RC_OK;
}

/* RC_END: all nodes were taken. */
static enum rc take_nodes(struct zk_scope *s, bool *ret_any, struct err *e)
{
    while (s->stage == LISTING && !s->world->regressed && !zk_pending_full(s->pending)) {
        struct zk_walk_node n;
        struct err why = ERR_INIT;
        enum rc rc = zk_walk_next(s->walk, &n, &why);
        if (rc < 0)
            return judge(s, &why, e);
        if (rc != RC_OK)
            return rc == RC_END ? RC_END : RC_OK;
        *ret_any = true;
        rc = take_node(s, &n, e);
        if (rc < 0)
            return rc;
    }
    return RC_OK;
}

enum rc zk_scope_walk(struct zk_scope *s, bool *ret_any, struct err *e)
{
    while (!zk_pending_full(s->pending) && zk_walk_step(s->walk) == RC_OK)
        *ret_any = true;
    enum rc rc = take_nodes(s, ret_any, e);
    bool all = rc == RC_END;
    if (rc >= 0)
        rc = zk_scope_drain(s, ret_any, e);
    if (rc < 0 || !all || s->world->regressed || !zk_pending_is_empty(s->pending))
        return rc;
    *ret_any = true;
    return end_walk(s, e);
}

void zk_scope_walk_answer(struct zk_scope *s, const struct zk_event *ev)
{
    if (s->walk)
        (void)zk_walk_offer(s->walk, ev);
}

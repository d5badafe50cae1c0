/* Scans. Each keeps a walk while the ensemble answers. Only a complete walk ends the iterator, because what is not in it
 * will be looked at. */
#include "sinks/zk_scan.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "io/zk.h"
#include "io/zk_walk.h"
#include "sinks/zk_record.h"

#define FIRST_TAG 16u /* of the upper half of tags; below are the sink's own */

struct zk_scan {
    struct event_iter iter; /* first */
    struct zk_scans *all;   /* NULL: the sink has ended */
    struct zk_scan *next;
    struct buf root, version, uid;
    struct zk_walk *walk; /* NULL: to be begun */
    uint32_t parts;       /* of its requests */
    struct err failure;
    struct event event;
};

static enum rc begin(struct zk_scan *s, struct err *e)
{
    const struct zk_walk_opts opts = {.zk = s->all->zk,
                                      .root = buf_slice(&s->root),
                                      .first_tag = (uint64_t)(FIRST_TAG + s->all->last++) << 32,
                                      .parts = s->parts};
    return zk_walk_open(&opts, &s->walk, e);
}

static const struct event *event_of(struct zk_scan *s, const struct zk_walk_node *n)
{
    struct znode node = n->node;
    node.has_acl = true; /* not read, but the stat has its version */
    buf_reset(&s->version);
    buf_reset(&s->uid);
    znode_print_version(&node, &s->version);
    znode_print_uid(&node, &s->uid);
    buf_addf(&s->uid, "-%llx", (unsigned long long)node.stat.ctime);
    s->event = (struct event){.op = EVENT_PUT,
                              .source_kind = SOURCE_ZOOKEEPER,
                              .key = n->path,
                              .version = buf_slice(&s->version),
                              .uid = buf_slice(&s->uid)};
    return &s->event;
}

static enum rc fail(struct zk_scan *s, struct err *e)
{
    *e = s->failure;
    return s->failure.rc;
}

/* The session was lost; or an answer cannot be read, which may have been too long. */
static bool begins_anew(struct zk_scan *s, enum rc rc)
{
    bool smaller = rc == RC_CORRUPT && s->parts > 1;
    if (smaller)
        s->parts /= 2;
    return smaller || rc == RC_UNAVAILABLE;
}

static enum rc scan_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct zk_scan *s = (struct zk_scan *)it;
    struct zk_walk_node n;
    if (s->all == NULL)
        err_set(&s->failure, RC_UNAVAILABLE, ERR_FINAL, "the sink was closed");
    if (s->failure.rc != RC_OK)
        return fail(s, e);
    if (!s->walk && !s->all->up)
        return RC_AGAIN;
    enum rc rc = s->walk ? RC_OK : begin(s, &s->failure);
    do {
        if (rc == RC_OK)
            rc = zk_walk_next(s->walk, &n, &s->failure);
    } while (rc == RC_OK && n.error != ZK_OK);
    if (rc == RC_OK)
        *ret = event_of(s, &n);
    if (!begins_anew(s, rc))
        return rc < 0 ? fail(s, e) : rc;
    s->failure = (struct err)ERR_INIT;
    zk_walk_close(s->walk);
    s->walk = NULL;
    return RC_AGAIN;
}

static void scan_free(struct event_iter *it)
{
    struct zk_scan *s = (struct zk_scan *)it;
    struct zk_scan **at = s->all ? &s->all->first : NULL;
    while (at && *at != s)
        at = &(*at)->next;
    if (at)
        *at = s->next;
    zk_walk_close(s->walk);
    buf_done(&s->root);
    buf_done(&s->version);
    buf_done(&s->uid);
    free(s);
}

static const struct event_iter_ops scan_ops = {.next = scan_next, .free = scan_free};

enum rc zk_scan_open(struct zk_scans *all, struct slice root, struct event_iter **ret,
                     struct err *e)
{
    struct zk_scan *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    *s = (struct zk_scan){.iter = {&scan_ops},
                          .all = all,
                          .next = all->first,
                          .parts = ZK_WALK_PARTS,
                          .root = BUF_INIT(ZNODE_PATH_MAX),
                          .version = BUF_INIT(128),
                          .uid = BUF_INIT(64)};
    all->first = s;
    buf_add_slice(&s->root, root);
    enum rc rc = buf_check(&s->root, "a path", e);
    if (rc == RC_OK)
        *ret = &s->iter;
    else
        scan_free(&s->iter);
    return rc;
}

/* A lost connection concerns every walk, and the sink itself. */
bool zk_scans_offer(struct zk_scans *all, const struct zk_event *ev)
{
    for (struct zk_scan *s = all->first; s; s = s->next)
        if (s->walk && zk_walk_offer(s->walk, ev))
            return true;
    return ev->kind == ZK_ANSWER && ev->tag >> 32 >= FIRST_TAG; /* of a walk that was closed */
}

enum rc zk_scans_step(struct zk_scans *all)
{
    enum rc rc = RC_AGAIN;
    for (struct zk_scan *s = all->first; s && rc == RC_AGAIN; s = s->next)
        if (s->walk)
            rc = zk_walk_step(s->walk);
    return rc == RC_OK ? RC_OK : RC_AGAIN;
}

void zk_scans_done(struct zk_scans *all)
{
    for (struct zk_scan *s = all->first; s; s = s->next) {
        zk_walk_close(s->walk);
        s->walk = NULL;
        s->all = NULL;
    }
    all->first = NULL;
}

/* ---- Comparing ---- */

static bool read_hex(struct slice text, uint64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *at = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!at)
            return false;
        v = v << 4 | (uint64_t)(at - digits);
    }
    *ret = v;
    return text.n > 0 && text.n <= 16;
}

bool zk_scan_is_as(const struct zk_record *r, const struct event *found, bool acl)
{
    struct slice rest, last;
    uint64_t czxid, ctime, mzxid, aversion, sequence;
    struct slice first = slice_cut(found->version, '-', &rest);
    struct slice second = slice_cut(rest, '-', &rest);
    struct slice uid = slice_cut(found->uid, '-', &last);
    if (!read_hex(uid, &czxid) || !read_hex(last, &ctime) || !read_hex(first, &mzxid) ||
        !read_hex(second, &aversion) || !read_hex(rest, &sequence))
        return false;
    const struct znode_stat stat = {.czxid = (int64_t)czxid, .ctime = (int64_t)ctime};
    return zk_record_is_of(r, &stat) && mzxid == (uint64_t)r->mzxid &&
           (!acl || aversion == (uint32_t)r->aversion) && sequence >= (uint64_t)r->sequence;
}

/* What a scope says: its events, built and queued. Each carries the clock as read now. One thread. */
#include "producers/zk_scope_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/json.h"
#include "producers/producer_queue.h"

static enum rc queue(struct zk_scope *s, struct event *ev, struct err *e)
{
    ev->source_kind = SOURCE_ZOOKEEPER;
    ev->wall_ns = clock_wall_ns(s->world->env->clock);
    enum rc rc = event_check(ev, e); /* what the log would refuse is this scope's trouble */
    return rc < 0 ? rc : producer_queue_add(s->world->queue, s, ev, e);
}

enum rc zk_scope_say_own(struct zk_scope *s, enum event_op op, const char *prefix,
                         struct slice version, struct slice body, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    buf_add_str(&key, prefix);
    buf_add_str(&key, s->root);
    enum rc rc = buf_check(&key, "scope", e);
    struct event ev = {
        .op = op, .cause = CAUSE_SELF, .key = buf_slice(&key), .version = version, .body = body};
    return rc < 0 ? rc : queue(s, &ev, e);
}

/* A position in the form of a node's version. */
static void print_zxid(int64_t zxid, struct buf *out)
{
    const struct znode at = {.stat = {.mzxid = zxid}};
    if (zxid >= 0)
        znode_print_version(&at, out);
}

enum rc zk_scope_say_gap(struct zk_scope *s, const char *reason, struct err *e)
{
    AUTO(buf_done) struct buf after = BUF_INIT(EVENT_TEXT_MAX);
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    print_zxid(s->complete_zxid, &after);
    buf_add_str(&body, "{\"severity\":\"possible\",\"reason\":");
    json_print_text(slice_str(reason), &body);
    buf_add_str(&body, ",\"after\":");
    json_print_text(buf_slice(&after), &body);
    buf_add_char(&body, '}');
    enum rc rc = buf_check(&body, "gap", e);
    return rc < 0 ? rc
                  : zk_scope_say_own(s, EVENT_GAP, "@gap/", buf_slice(&after), buf_slice(&body), e);
}

enum rc zk_scope_say_complete(struct zk_scope *s, enum event_op op, int64_t zxid, struct slice body,
                              struct err *e)
{
    AUTO(buf_done) struct buf version = BUF_INIT(EVENT_TEXT_MAX);
    print_zxid(zxid, &version);
    s->complete_zxid = zxid;
    return zk_scope_say_own(s, op, op == EVENT_SYNC_END ? "@sync/" : "@position/",
                            buf_slice(&version), body, e);
}

enum rc zk_scope_recall(struct zk_scope *s, struct slice path, const struct event **ret,
                        struct err *e)
{
    const struct producer_memory *m = s->world->memory;
    return m ? m->last(m->arg, path, ret, e) : RC_NOTFOUND;
}

/* With its last state, where the log has it. */
static enum rc say_gone(struct zk_scope *s, struct slice path, struct err *e)
{
    AUTO(buf_done) struct buf version = BUF_INIT(EVENT_TEXT_MAX);
    AUTO(buf_done) struct buf uid = BUF_INIT(EVENT_TEXT_MAX);
    const struct zk_said *said = zk_known_get(s->known, path);
    const struct event *last = NULL;
    struct err why = ERR_INIT;
    enum rc rc = zk_scope_recall(s, path, &last, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    print_zxid(s->seen_zxid, &version);
    if (said)
        znode_print_uid(&(struct znode){.stat = {.czxid = said->czxid}}, &uid);
    else if (rc == RC_OK)
        buf_add_slice(&uid, last->uid);
    bool of_it = rc == RC_OK && slice_eq(last->uid, buf_slice(&uid));
    struct event ev = {.op = EVENT_DELETE,
                       .cause = CAUSE_WATCH,
                       .key = path,
                       .version = buf_slice(&version),
                       .uid = buf_slice(&uid),
                       .body = of_it ? last->body : SLICE_NULL};
    return queue(s, &ev, e);
}

static enum rc say_put(struct zk_scope *s, const struct zk_node *n, struct err *e)
{
    AUTO(buf_done) struct buf version = BUF_INIT(EVENT_TEXT_MAX);
    AUTO(buf_done) struct buf uid = BUF_INIT(EVENT_TEXT_MAX);
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_BODY_MAX);
    struct znode as_logged = n->node;
    as_logged.has_acl = s->world->acl;
    znode_print_version(&as_logged, &version);
    znode_print_uid(&n->node, &uid);
    if (!n->unchanged)
        znode_print(&n->node, &body);
    enum rc rc = buf_check(&body, "node", e);
    if (rc < 0)
        return rc;
    enum event_cause listed = s->ever_listed ? CAUSE_RESYNC : CAUSE_LIST;
    struct event ev = {.op = EVENT_PUT,
                       .cause = n->listed ? listed : CAUSE_WATCH,
                       .key = n->path,
                       .version = buf_slice(&version),
                       .uid = buf_slice(&uid),
                       .body = buf_slice(&body)};
    return queue(s, &ev, e);
}

enum rc zk_scope_say_node(struct zk_scope *s, const struct zk_node *n, struct err *e)
{
    return n->gone ? say_gone(s, n->path, e) : say_put(s, n, e);
}

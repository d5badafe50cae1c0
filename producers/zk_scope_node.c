/* Nodes between being read and being said: what is new about them, and their ACLs. All that is said of nodes goes
 * through one queue, so that of each path nothing older follows something newer. One thread. */
#include "producers/zk_scope_priv.h"

#include "core/env.h"
#include "producers/producer_queue.h"

/* ---- What is new ---- */

/* Zxids only grow: a node that was made or changed before what was known of its path is of another history. So is one that
 * was made before all was said; but one that got another ACL since may have been hidden from us then. */
static enum zk_news judge(struct zk_scope *s, const struct zk_said *said, int64_t complete,
                          const struct znode_stat *stat)
{
    bool other = said->czxid != stat->czxid;
    bool told = other && stat->aversion == 0 && complete > said->mzxid;
    int64_t newest = told ? complete : said->mzxid;
    if (other ? stat->czxid <= newest : stat->mzxid < newest)
        s->world->regressed = true;
    if (other)
        return ZK_NEWS_NODE;
    if (said->mzxid != stat->mzxid)
        return ZK_NEWS_DATA;
    bool same = said->sequence == znode_sequence(stat) &&
                (!s->world->acl || said->aversion == stat->aversion);
    return same ? ZK_NEWS_NONE : ZK_NEWS_STAT;
}

static bool says(struct slice text, const struct znode *node,
                 void (*print)(const struct znode *, struct buf *))
{
    AUTO(buf_done) struct buf now = BUF_INIT(EVENT_TEXT_MAX);
    print(node, &now);
    return slice_eq(text, buf_slice(&now));
}

/* As judge, by the texts of the log: with those of a node all is said that they say. */
static enum zk_news judge_logged(struct zk_scope *s, const struct event *last,
                                 const struct znode_stat *stat)
{
    const struct znode node = {.stat = *stat, .has_acl = s->world->acl};
    int64_t mzxid = znode_version_zxid(last->version);
    bool same_node = says(last->uid, &node, znode_print_uid);
    struct zk_said said = {.czxid = same_node ? stat->czxid : -1,
                           .mzxid = mzxid,
                           .sequence = znode_sequence(stat),
                           .aversion = stat->aversion};
    enum zk_news news = judge(s, &said, s->resumed_zxid, stat);
    bool same = news == ZK_NEWS_NONE && says(last->version, &node, znode_print_version);
    return news == ZK_NEWS_NONE && !same ? ZK_NEWS_STAT : news;
}

enum rc zk_scope_compare(struct zk_scope *s, struct slice path, const struct znode_stat *stat,
                         enum zk_news *ret, struct err *e)
{
    const struct zk_said *said = zk_known_get(s->known, path);
    if (said) {
        bool gone = said->czxid == ZK_SAID_GONE;
        *ret = gone ? ZK_NEWS_NODE : judge(s, said, s->complete_zxid, stat);
        return RC_OK;
    }
    const struct event *last;
    struct err why = ERR_INIT;
    enum rc rc = zk_scope_recall(s, path, &last, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    *ret = rc == RC_OK ? judge_logged(s, last, stat) : ZK_NEWS_NODE;
    return RC_OK;
}

/* ---- Read ---- */

/* The ACL that the log has of the node, if it is still that one: *ret_doc owns it. */
static enum rc recall_acl(struct zk_scope *s, struct slice path, struct znode *node,
                          struct znode_doc **ret_doc, struct err *e)
{
    const struct event *last;
    struct err why = ERR_INIT;
    enum rc rc = zk_scope_recall(s, path, &last, &why);
    if (rc == RC_OK && last->body.n > 0)
        rc = znode_parse(last->body, ret_doc, &why);
    else if (rc == RC_OK)
        rc = RC_NOTFOUND;
    if (rc == RC_NOTFOUND || rc == RC_INVALID) /* then the source is asked */
        return RC_OK;
    if (rc < 0) {
        *e = why;
        return rc;
    }
    const struct znode *logged = znode_of(*ret_doc);
    if (!logged->has_acl || logged->stat.czxid != node->stat.czxid ||
        logged->stat.aversion != node->stat.aversion)
        return RC_OK;
    node->has_acl = true;
    node->acl = logged->acl;
    node->n_acl = logged->n_acl;
    return RC_OK;
}

enum rc zk_scope_found(struct zk_scope *s, struct slice path, const struct znode *node,
                       enum zk_news news, bool listed, struct err *e)
{
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    struct zk_node found = {.path = path, .node = *node, .listed = listed};
    const char *why = NULL;
    if (!znode_is_path(path, &why) || node->data.n > ZNODE_DATA_MAX) {
        zk_scope_cannot(s, path, /* denied= */ false, why ? why : "has more than 1 MiB of data");
        return RC_OK;
    }
    found.unchanged = news == ZK_NEWS_NONE;
    if (found.unchanged)
        found.node.data = SLICE_NULL;
    enum rc rc = RC_OK;
    if (s->world->acl && !found.unchanged && news != ZK_NEWS_NODE)
        rc = recall_acl(s, path, &found.node, &doc, e);
    if (s->world->acl && !found.unchanged && !found.node.has_acl)
        found.acl = ZK_ACL_WANTED;
    return rc < 0 ? rc : zk_pending_add(s->pending, &found, e);
}

enum rc zk_scope_found_gone(struct zk_scope *s, struct slice path, struct err *e)
{
    const struct zk_node gone = {.path = path, .gone = true};
    return zk_pending_add(s->pending, &gone, e);
}

/* ---- Said ---- */

static enum rc ask_acls(struct zk_scope *s, bool *ret_any, struct err *e)
{
    const struct zk_node *n;
    while ((n = zk_pending_wants(s->pending))) {
        const struct zk_call call = {.op = ZK_GET_ACL, .path = n->path};
        enum rc rc = zk_call(s->world->zk, &call, zk_scope_tag(s, ACL), e);
        if (rc != RC_OK)
            return rc < 0 ? rc : RC_OK;
        zk_pending_asked(s->pending);
        *ret_any = true;
    }
    return RC_OK;
}

/* Between its data and its ACL the node was changed, or taken from us. A change is told before an answer that shows it:
 * so the node is dirty, and is read again; a listing tells nothing of it. */
static void leave_out(struct zk_scope *s, const struct zk_node *n)
{
    if (n->error != ZK_BAD_VERSION && n->error != ZK_NO_NODE)
        zk_scope_cannot(s, n->path, /* denied= */ true, zk_error_name(n->error));
    if (n->error == ZK_BAD_VERSION && n->listed)
        zk_scope_unread(s, n->path);
}

static void note_root(struct zk_scope *s, const struct zk_node *n)
{
    if (slice_eq(n->path, slice_str(s->root)))
        s->no_root = n->gone;
}

/* Whether it is news still: it may have been read twice before it was said once. */
static enum rc is_news(struct zk_scope *s, const struct zk_node *n, bool *ret, struct err *e)
{
    enum zk_news news = ZK_NEWS_NODE;
    enum rc rc = RC_OK;
    *ret = n->listed;
    if (n->listed)
        return RC_OK;
    if (!n->gone) {
        rc = zk_scope_compare(s, n->path, &n->node.stat, &news, e);
        *ret = news != ZK_NEWS_NONE;
        return rc;
    }
    const struct zk_said *said = zk_known_get(s->known, n->path);
    *ret = said && said->czxid != ZK_SAID_GONE;
    if (said || !zk_scope_is_unread(s, n->path))
        return RC_OK;
    const struct event *last;
    struct err why = ERR_INIT;
    rc = zk_scope_recall(s, n->path, &last, &why);
    *ret = rc == RC_OK;
    if (rc < 0 && rc != RC_NOTFOUND)
        *e = why;
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc note_said(struct zk_scope *s, const struct zk_node *n, struct err *e)
{
    const struct znode_stat *stat = &n->node.stat;
    note_root(s, n);
    if (n->gone && !zk_scope_is_unread(s, n->path)) {
        zk_known_delete(s->known, n->path);
        return RC_OK;
    }
    const struct zk_said said = {.czxid = n->gone ? ZK_SAID_GONE : stat->czxid,
                                 .mzxid = stat->mzxid,
                                 .sequence = znode_sequence(stat),
                                 .aversion = stat->aversion,
                                 .walk = s->walks};
    return zk_known_put(s->known, n->path, said, e);
}

/* Who may read a node but not administer it is told "x" in place of a digest's hash. */
static void warn_of_hidden(const struct zk_scope *s, const struct zk_node *n)
{
    bool hidden = false;
    for (size_t i = 0; i < n->node.n_acl; i++)
        hidden = hidden || (slice_eq(n->node.acl[i].scheme, SLICE("digest")) &&
                            slice_ends(n->node.acl[i].id, SLICE(":x")));
    if (hidden)
        DIAG(s->world->env->diag, DIAG_WARN,
             "ACL read without its hashes: a copy will let nobody in by them; give the Database "
             "the secretName of a user that may administer the node",
             DIAG_S("path", n->path));
}

static enum rc say(struct zk_scope *s, const struct zk_node *n, struct err *e)
{
    struct err why = ERR_INIT;
    bool news;
    if (n->acl == ZK_ACL_FAILED) {
        leave_out(s, n);
        return RC_OK;
    }
    enum rc rc = is_news(s, n, &news, e);
    if (rc < 0 || !news)
        return rc;
    rc = zk_scope_say_node(s, n, &why);
    if (rc == RC_OK) {
        warn_of_hidden(s, n);
        return note_said(s, n, e);
    }
    if (rc != RC_NOMEM) {
        zk_scope_cannot(s, n->path, /* denied= */ false, why.msg);
        return RC_OK;
    }
    *e = why;
    return rc;
}

enum rc zk_scope_drain(struct zk_scope *s, bool *ret_any, struct err *e)
{
    enum rc rc = ask_acls(s, ret_any, e);
    const struct zk_node *n;
    while (rc == RC_OK && !s->world->regressed && !producer_queue_full(s->world->queue) &&
           (n = zk_pending_first(s->pending))) {
        rc = say(s, n, e);
        zk_pending_drop_first(s->pending);
        *ret_any = true;
    }
    return rc;
}

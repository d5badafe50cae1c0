/* What changed, read: paths that are dirty go out in requests of many reads, and each answer is put in the order in
 * which it can be applied elsewhere. Nodes that are gone first, the deepest before the others; then what is new or has
 * new data, parents before their children; then what only has another sequence or ACL, children before their parents,
 * for it is the creation of a child that moves a sequence. One thread. */
#include "producers/zk_scope_priv.h"

#define WIDE_BYTES (1u << 20)

static struct slice path_of(const struct read *r, size_t i)
{
    size_t from = i ? r->ends[i - 1] : 0;
    return slice_of(r->text.p + from, r->ends[i] - from);
}

void zk_scope_drop_reads(struct zk_scope *s)
{
    for (size_t i = 0; i < READS_MAX; i++)
        buf_done(&s->reads[i].text);
    s->n_reads = s->first_read = 0;
}

/* ---- Questions ---- */

static enum rc gather(struct zk_scope *s, struct read *r, struct err *e)
{
    AUTO(buf_done) struct buf path = BUF_INIT(ZNODE_PATH_MAX);
    bool settled = s->n_reads == 0 && zk_pending_is_empty(s->pending);
    enum rc rc = RC_OK;
    buf_init(&r->text, READ_PARTS * ZNODE_PATH_MAX);
    r->n = 0;
    while (r->n < s->parts &&
           (rc = zk_dirty_take(s->dirty, settled && r->n == 0, &path, e)) == RC_OK) {
        buf_add_slice(&r->text, buf_slice(&path));
        r->ends[r->n++] = r->text.n;
    }
    return rc < 0 ? rc : buf_check(&r->text, "paths", e);
}

static enum rc put_back(struct zk_scope *s, struct read *r, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < r->n; i++)
        rc = zk_dirty_add(s->dirty, path_of(r, i), e);
    buf_done(&r->text);
    return rc;
}

static enum rc send(struct zk_scope *s, struct read *r, struct err *e)
{
    struct zk_call parts[READ_PARTS];
    for (size_t i = 0; i < r->n; i++)
        parts[i] = (struct zk_call){.op = ZK_GET_DATA, .path = path_of(r, i)};
    const struct zk_call call = {.op = ZK_MULTI_READ, .parts = parts, .n_parts = r->n};
    return zk_call(s->world->zk, &call, zk_scope_tag(s, READ), e);
}

enum rc zk_scope_read(struct zk_scope *s, bool *ret_any, struct err *e)
{
    size_t most = s->wide_answers ? 1 : READS_MAX;
    while (s->n_reads < most && !zk_pending_full(s->pending)) {
        struct read *r = &s->reads[(s->first_read + s->n_reads) % READS_MAX];
        enum rc rc = gather(s, r, e);
        if (rc == RC_OK && r->n > 0)
            rc = send(s, r, e);
        if (rc == RC_AGAIN)
            return put_back(s, r, e);
        if (rc != RC_OK || r->n == 0) {
            buf_done(&r->text);
            return rc;
        }
        s->n_reads++;
        *ret_any = true;
    }
    return RC_OK;
}

/* ---- Answers ---- */

enum rc zk_scope_touch_parent(struct zk_scope *s, struct slice path, struct err *e)
{
    struct slice parent = znode_parent(path);
    return parent.n > 0 && znode_is_within(parent, slice_str(s->root))
               ? zk_dirty_add_parent(s->dirty, parent, e)
               : RC_OK;
}

static enum rc take_gone(struct zk_scope *s, struct slice path, struct err *e)
{
    enum rc rc = zk_scope_found_gone(s, path, e);
    return rc < 0 ? rc : zk_scope_touch_parent(s, path, e);
}

static enum rc take_refused(struct zk_scope *s, struct slice path, int error, struct err *e)
{
    zk_scope_cannot(s, path, /* denied= */ true, zk_error_name(error));
    return zk_scope_touch_parent(s, path, e);
}

static enum rc take_found(struct zk_scope *s, struct slice path, const struct zk_result *r,
                          enum zk_news news, struct err *e)
{
    const struct znode node = {.data = r->data, .null_data = r->null_data, .stat = r->stat};
    enum rc rc = zk_scope_found(s, path, &node, news, /* listed= */ false, e);
    return rc == RC_OK && news == ZK_NEWS_NODE ? zk_scope_touch_parent(s, path, e) : rc;
}

/* What the parts are, and the first step of the order: those that are gone. */
static enum rc weigh(struct zk_scope *s, const struct read *q, const struct zk_result *r,
                     enum zk_news *news, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = q->n; rc == RC_OK && i-- > 0;) {
        const struct zk_result *part = &r->parts[i];
        news[i] = ZK_NEWS_NONE;
        if (part->error == ZK_NO_NODE)
            rc = take_gone(s, path_of(q, i), e);
        else if (part->error != ZK_OK)
            rc = take_refused(s, path_of(q, i), part->error, e);
        else
            rc = zk_scope_compare(s, path_of(q, i), &part->stat, &news[i], e);
    }
    return rc;
}

static bool is_unsaid(void *arg, struct slice path)
{
    const struct zk_scope *s = arg;
    return !zk_known_get(s->known, path);
}

/* Of a child that its sequence counts something was told before this answer; but it may not be read yet, and the
 * sequence is told behind all of its children. */
static enum rc take_stat(struct zk_scope *s, struct slice path, const struct zk_result *r,
                         struct err *e)
{
    bool unsaid = false;
    enum rc rc = zk_dirty_any_child(s->dirty, path, is_unsaid, s, &unsaid, e);
    if (rc < 0)
        return rc;
    return unsaid ? zk_dirty_add_later(s->dirty, path, e) : take_found(s, path, r, ZK_NEWS_STAT, e);
}

static enum rc take_parts(struct zk_scope *s, const struct read *q, const struct zk_result *r,
                          struct err *e)
{
    enum zk_news news[READ_PARTS];
    enum rc rc = weigh(s, q, r, news, e);
    for (size_t i = 0; rc == RC_OK && i < q->n; i++)
        if (news[i] > ZK_NEWS_STAT)
            rc = take_found(s, path_of(q, i), &r->parts[i], news[i], e);
    for (size_t i = q->n; rc == RC_OK && i-- > 0;)
        if (news[i] == ZK_NEWS_STAT)
            rc = take_stat(s, path_of(q, i), &r->parts[i], e);
    return rc;
}

enum rc zk_scope_read_answer(struct zk_scope *s, const struct zk_result *r, struct err *e)
{
    struct read *q = &s->reads[s->first_read];
    if (r->error != ZK_OK) {
        zk_scope_refused(s, "MULTI_READ", r->error);
        return RC_OK;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < r->n_parts; i++)
        bytes += r->parts[i].data.n;
    s->wide_answers = bytes > WIDE_BYTES;
    enum rc rc = take_parts(s, q, r, e);
    buf_done(&q->text);
    s->first_read = (s->first_read + 1) % READS_MAX;
    s->n_reads--;
    return rc;
}

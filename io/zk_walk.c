/* A walk over a tree of znodes.
 *
 * Two queues hold paths: nodes to be read, and nodes whose children are to be asked for. Both are first in, first
 * out, and what is asked is answered in order, so the nodes come breadth-first. Each request is a batch; batches
 * stand in one list in the order in which they were sent, and are given from its head once all is known of them, ACLs
 * included. asked is a ring: the batch (and for an ACL the item) of each open request, in the order of their tags.
 *
 * How many bytes nodes have is guessed from the last ones: the guess rises at once and falls slowly. A
 * failure stays. */
#include "io/zk_walk.h"

#include "core/buf.h"
#include "io/zk.h"
#include "io/zk_paths.h"

#include <assert.h>

#define ROOT_BYTES_GUESS 1024 /* of data, while nothing is known */
#define NODE_BYTES       100  /* stat and frame of a node in an answer */
#define NAME_BYTES       36   /* of a child's name in an answer, more or less */
#define REQUEST_BYTES    (ZK_REQUEST_MAX / 2)
#define WHOLE            SIZE_MAX /* in place of an item: the request was for all of them */

struct item {
    struct slice path;
    struct znode node;
    int error;
    bool gone; /* not given */
    bool want_acl;
};

struct block {
    struct block *next;
    max_align_t at[];
};

struct batch {
    struct batch *next;
    bool children; /* of children; then only what could not be read is given */
    bool answered;
    size_t n, given;
    size_t acl_at, acl_left; /* the next item to ask for; not yet answered */
    size_t expected, held;   /* bytes */
    size_t names;            /* expected */
    struct block *blocks;
    struct item items[];
};

struct asked {
    struct batch *batch;
    size_t item;
};

struct zk_walk {
    struct zk *zk;
    struct buf text;
    bool (*want_acl)(void *arg, struct slice path, const struct znode_stat *stat);
    void *arg;
    size_t parts, in_flight, queued;
    uint64_t first_tag, tag; /* the next one to be given */
    struct zk_paths nodes, inner;
    struct batch *first, *last;
    struct batch *acl_batch; /* the first one whose ACLs are not all asked for */
    struct batch *prepared;  /* to be sent */
    struct asked *asked;
    size_t asked_at, n_asked, asked_cap;
    size_t reads, acls; /* in flight */
    size_t expected, held, names;
    size_t node_bytes; /* the guess */
    struct err failure;
    struct zk_call calls[ZK_WALK_PARTS_MAX];
    size_t lengths[ZK_WALK_PARTS_MAX];
};

bool zk_walk_asks(const struct zk_walk *w)
{
    return w->reads + w->acls > 0;
}

/* ---- Memory ---- */

static void *batch_alloc(struct zk_walk *w, struct batch *b, size_t n)
{
    struct block *block = malloc(sizeof(*block) + n);
    if (!block)
        return NULL;
    block->next = b->blocks;
    b->blocks = block;
    b->held += n;
    w->held += n;
    return block->at;
}

static char *put(char *at, struct slice s, struct slice *ret)
{
    if (s.n)
        memcpy(at, s.p, s.n);
    *ret = slice_of(at, s.n);
    return at + s.n;
}

static void batch_free(struct zk_walk *w, struct batch *b)
{
    if (!b)
        return;
    w->held -= b->held;
    for (struct block *block = b->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(b);
}

static void append(struct zk_walk *w, struct batch *b)
{
    if (w->last)
        w->last->next = b;
    else
        w->first = b;
    w->last = b;
    if (!w->acl_batch)
        w->acl_batch = b;
}

static void drop_first(struct zk_walk *w)
{
    struct batch *b = w->first;
    w->first = b->next;
    if (!w->first)
        w->last = NULL;
    if (w->acl_batch == b)
        w->acl_batch = b->next;
    batch_free(w, b);
}

enum rc zk_walk_open(const struct zk_walk_opts *opts, struct zk_walk **ret, struct err *e)
{
    AUTO(zk_walk_closep) struct zk_walk *w = calloc(1, sizeof(*w));
    if (!w)
        return err_nomem(e);
    w->zk = opts->zk;
    w->want_acl = opts->want_acl;
    w->arg = opts->arg;
    w->parts = opts->parts ? opts->parts : ZK_WALK_PARTS;
    w->in_flight = opts->in_flight ? opts->in_flight : ZK_WALK_IN_FLIGHT;
    w->queued = opts->queued ? opts->queued : ZK_WALK_QUEUED;
    w->first_tag = w->tag = opts->first_tag;
    w->node_bytes = ROOT_BYTES_GUESS;
    assert(w->parts <= ZK_WALK_PARTS_MAX);
    buf_init(&w->text, SIZE_MAX);
    zk_paths_init(&w->nodes, ZK_WALK_PATH_BYTES / 2);
    zk_paths_init(&w->inner, ZK_WALK_PATH_BYTES / 2);
    w->asked_cap = w->in_flight + ZK_WALK_ACLS;
    w->asked = calloc(w->asked_cap, sizeof(*w->asked));
    if (!w->asked)
        return err_nomem(e);
    enum rc rc = zk_paths_push(&w->nodes, opts->root, SLICE_NULL, 0, e);
    if (rc == RC_OK)
        *ret = steal(&w);
    return rc;
}

void zk_walk_close(struct zk_walk *w)
{
    if (!w)
        return;
    while (w->first)
        drop_first(w);
    batch_free(w, w->prepared);
    zk_paths_done(&w->nodes);
    zk_paths_done(&w->inner);
    buf_done(&w->text);
    free(w->asked);
    free(w);
}

static void fail(struct zk_walk *w, const struct err *e)
{
    if (w->failure.rc == RC_OK)
        w->failure = *e;
}

static void fail_nomem(struct zk_walk *w)
{
    struct err e = ERR_INIT;
    err_nomem(&e);
    fail(w, &e);
}

/* Such a name would name another node. */
static void fail_name(struct zk_walk *w)
{
    struct err e = ERR_INIT;
    err_set(&e, RC_CORRUPT, ERR_RETRY, "the server gives a child a name that none can have");
    fail(w, &e);
}

/* ---- Asking ---- */

static size_t expected_of(const struct zk_walk *w, bool children, struct slice path, size_t names)
{
    return NODE_BYTES + (children ? names * NAME_BYTES : w->node_bytes + path.n);
}

/* Takes paths from the queue into w->text and w->lengths. */
static void collect(struct zk_walk *w, struct zk_paths *from, struct batch *sum)
{
    struct slice path;
    uint32_t number;
    buf_reset(&w->text);
    while (sum->n < w->parts && zk_paths_peek(from, &path, &number)) {
        size_t more = expected_of(w, sum->children, path, number);
        bool full = sum->expected + more > ZK_WALK_BYTES || w->text.n + path.n > REQUEST_BYTES;
        if (sum->n > 0 && full)
            return;
        buf_add_slice(&w->text, path);
        w->lengths[sum->n++] = path.n;
        sum->expected += more;
        sum->names += number;
        zk_paths_pop(from);
    }
}

static struct batch *batch_of(struct zk_walk *w, const struct batch *sum)
{
    size_t size = sizeof(*sum) + sum->n * sizeof(struct item);
    struct batch *b = calloc(1, size);
    if (!b)
        return NULL;
    *b = *sum;
    b->held = size;
    w->held += size;
    char *text = batch_alloc(w, b, w->text.n);
    if (!text) {
        batch_free(w, b);
        return NULL;
    }
    struct slice rest = buf_slice(&w->text);
    for (size_t i = 0; i < b->n; i++) {
        text = put(text, slice_of(rest.p, w->lengths[i]), &b->items[i].path);
        rest = slice_of(rest.p + w->lengths[i], rest.n - w->lengths[i]);
        if (!znode_is_path(b->items[i].path, NULL))
            b->items[i].error = ZK_WALK_BAD_PATH;
    }
    return b;
}

static bool has_room(const struct zk_walk *w)
{
    bool full = w->held + w->expected + ZK_WALK_BYTES > ZK_WALK_HELD_BYTES;
    return w->reads < w->in_flight && (!full || !w->first);
}

static void prepare(struct zk_walk *w)
{
    bool children = w->inner.n && (w->nodes.n == 0 || w->nodes.n + w->names < w->queued);
    struct batch sum = {.children = children};
    if (!has_room(w) || (w->inner.n == 0 && w->nodes.n == 0))
        return;
    collect(w, children ? &w->inner : &w->nodes, &sum);
    if (w->text.bad == RC_OK)
        w->prepared = batch_of(w, &sum);
    if (!w->prepared)
        fail_nomem(w);
}

/* RC_OK: sent. */
static enum rc call(struct zk_walk *w, const struct zk_call *c, struct batch *b, size_t item)
{
    struct err e = ERR_INIT;
    assert(w->n_asked < w->asked_cap && w->tag - w->first_tag < ZK_WALK_TAGS);
    enum rc rc = zk_call(w->zk, c, w->tag, &e);
    if (rc < 0)
        fail(w, &e);
    if (rc != RC_OK)
        return RC_AGAIN;
    w->asked[(w->asked_at + w->n_asked++) % w->asked_cap] = (struct asked){b, item};
    w->tag++;
    return RC_OK;
}

static enum rc send_prepared(struct zk_walk *w)
{
    struct batch *b = w->prepared;
    struct zk_call c = {.op = ZK_MULTI_READ, .parts = w->calls};
    for (size_t i = 0; i < b->n; i++)
        if (!b->items[i].error)
            w->calls[c.n_parts++] = (struct zk_call){
                .op = b->children ? ZK_GET_CHILDREN : ZK_GET_DATA, .path = b->items[i].path};
    enum rc rc = c.n_parts ? call(w, &c, b, WHOLE) : RC_OK;
    if (rc != RC_OK)
        return rc;
    w->prepared = NULL;
    append(w, b);
    if (c.n_parts) {
        w->reads++;
        w->expected += b->expected;
        w->names += b->children ? b->names : 0;
    } else {
        b->answered = true;
    }
    return RC_OK;
}

/* The batch whose next ACL is to be asked for, or NULL. */
static struct batch *next_acl(struct zk_walk *w)
{
    struct batch *b;
    while ((b = w->acl_batch) && b->answered) {
        while (b->acl_at < b->n && !b->items[b->acl_at].want_acl)
            b->acl_at++;
        if (b->acl_at < b->n)
            return w->acls < ZK_WALK_ACLS ? b : NULL;
        w->acl_batch = b->next;
    }
    return NULL;
}

static enum rc send_acl(struct zk_walk *w, struct batch *b)
{
    struct zk_call c = {.op = ZK_GET_ACL, .path = b->items[b->acl_at].path};
    enum rc rc = call(w, &c, b, b->acl_at);
    if (rc != RC_OK)
        return rc;
    b->acl_at++;
    w->acls++;
    return RC_OK;
}

enum rc zk_walk_step(struct zk_walk *w)
{
    if (w->failure.rc != RC_OK)
        return RC_AGAIN;
    struct batch *b = next_acl(w);
    if (b)
        return send_acl(w, b);
    if (!w->prepared)
        prepare(w);
    return w->prepared ? send_prepared(w) : RC_AGAIN;
}

/* ---- Answers ---- */

static void guess(struct zk_walk *w, size_t bytes, size_t n)
{
    size_t mean = n ? bytes / n : 0;
    w->node_bytes = mean > w->node_bytes ? mean : w->node_bytes - (w->node_bytes - mean) / 8;
}

static void push(struct zk_walk *w, struct zk_paths *to, struct slice parent, struct slice name,
                 uint32_t number)
{
    struct err e = ERR_INIT;
    if (zk_paths_push(to, parent, name, number, &e) != RC_OK)
        fail(w, &e);
}

static void take_node(struct zk_walk *w, struct batch *b, struct item *item,
                      const struct zk_result *r)
{
    item->node.stat = r->stat;
    item->node.null_data = r->null_data;
    if (r->stat.num_children > 0)
        push(w, &w->inner, item->path, SLICE_NULL, (uint32_t)r->stat.num_children);
    item->want_acl = w->want_acl && w->want_acl(w->arg, item->path, &item->node.stat);
    b->acl_left += item->want_acl;
}

static int by_bytes(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void take_children(struct zk_walk *w, struct item *item, const struct zk_result *r)
{
    bool top = item->path.n == 1;
    item->gone = true;
    AUTO(freep) struct slice *names = malloc((r->n_children + 1) * sizeof(*names));
    if (!names) {
        fail_nomem(w);
        return;
    }
    if (r->n_children)
        memcpy(names, r->children, r->n_children * sizeof(*names));
    qsort(names, r->n_children, sizeof(*names), by_bytes);
    for (size_t i = 0; i < r->n_children && w->failure.rc == RC_OK; i++)
        if (names[i].n == 0 || memchr(names[i].p, '/', names[i].n))
            fail_name(w);
        else if (!top || !slice_eq(names[i], SLICE("zookeeper")))
            push(w, &w->nodes, item->path, names[i], 0);
}

/* All data of an answer in one piece of memory. */
static char *room_for_data(struct zk_walk *w, struct batch *b, const struct zk_result *r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < r->n_parts; i++)
        bytes += r->parts[i].data.n;
    if (!b->children)
        guess(w, bytes, r->n_parts);
    return batch_alloc(w, b, bytes);
}

static void take_parts(struct zk_walk *w, struct batch *b, const struct zk_result *r)
{
    char *data = room_for_data(w, b, r);
    if (!data) {
        fail_nomem(w);
        return;
    }
    size_t part = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct item *item = &b->items[i];
        if (item->error) /* not asked for */
            continue;
        const struct zk_result *p = &r->parts[part++];
        item->gone = p->error == ZK_NO_NODE;
        item->error = p->error;
        if (p->error)
            continue;
        data = put(data, p->data, &item->node.data);
        if (b->children)
            take_children(w, item, p);
        else
            take_node(w, b, item, p);
    }
}

static void take_read(struct zk_walk *w, struct batch *b, const struct zk_result *r)
{
    struct err e = ERR_INIT;
    w->reads--;
    w->expected -= b->expected;
    w->names -= b->children ? b->names : 0;
    b->answered = true;
    if (r->error == ZK_OK) {
        take_parts(w, b, r);
        return;
    }
    bool old = r->error == ZK_UNIMPLEMENTED;
    err_set(&e, old ? RC_UNSUPPORTED : RC_UNAVAILABLE, old ? ERR_FATAL : ERR_RETRY,
            "the server answers a read of many nodes with \"%s\" (%d)%s", zk_error_name(r->error),
            r->error, old ? "; ZooKeeper 3.6 or newer is needed" : "");
    fail(w, &e);
}

static bool copy_acl(struct zk_walk *w, struct batch *b, struct znode *n, const struct zk_result *r)
{
    size_t bytes = r->n_acl * sizeof(*r->acl);
    for (size_t i = 0; i < r->n_acl; i++)
        bytes += r->acl[i].scheme.n + r->acl[i].id.n;
    struct znode_acl *acl = batch_alloc(w, b, bytes);
    if (!acl)
        return false;
    char *text = (char *)(acl + r->n_acl);
    for (size_t i = 0; i < r->n_acl; i++) {
        acl[i].perms = r->acl[i].perms;
        text = put(text, r->acl[i].scheme, &acl[i].scheme);
        text = put(text, r->acl[i].id, &acl[i].id);
    }
    n->acl = acl;
    n->n_acl = r->n_acl;
    n->has_acl = true;
    return true;
}

/* The stat stays that of the data, but for what the ACL is a version of. */
static void take_acl(struct zk_walk *w, struct batch *b, struct item *item,
                     const struct zk_result *r)
{
    w->acls--;
    b->acl_left--;
    item->gone = r->error == ZK_NO_NODE;
    item->error = r->error;
    if (r->error)
        return;
    item->node.stat.aversion = r->stat.aversion;
    if (!copy_acl(w, b, &item->node, r))
        fail_nomem(w);
}

static struct asked pop_asked(struct zk_walk *w, uint64_t tag)
{
    struct asked a = w->asked[w->asked_at];
    assert(w->n_asked > 0 && tag == w->tag - w->n_asked);
    (void)tag;
    w->asked_at = (w->asked_at + 1) % w->asked_cap;
    w->n_asked--;
    return a;
}

bool zk_walk_offer(struct zk_walk *w, const struct zk_event *ev)
{
    if (ev->kind == ZK_LOST)
        fail(w, &ev->err);
    if (ev->kind != ZK_ANSWER || ev->tag - w->first_tag >= ZK_WALK_TAGS)
        return false;
    if (w->failure.rc != RC_OK)
        return true;
    if (ev->err.rc != RC_OK) {
        fail(w, &ev->err);
        return true;
    }
    struct asked a = pop_asked(w, ev->tag);
    if (a.item == WHOLE)
        take_read(w, a.batch, ev->result);
    else
        take_acl(w, a.batch, &a.batch->items[a.item], ev->result);
    return true;
}

/* ---- Giving ---- */

static size_t depth_of(struct slice path)
{
    size_t depth = 0;
    for (size_t i = 0; i < path.n; i++)
        depth += path.p[i] == '/';
    return path.n > 1 ? depth : 0;
}

int zk_walk_cmp(struct slice a, struct slice b)
{
    size_t x = depth_of(a), y = depth_of(b), i = 0;
    if (x != y)
        return x < y ? -1 : 1;
    while (i < a.n && i < b.n && a.p[i] == b.p[i])
        i++;
    bool a_ends = i == a.n || a.p[i] == '/', b_ends = i == b.n || b.p[i] == '/';
    if (a_ends || b_ends) /* a name that another one begins with comes first */
        return b_ends - a_ends;
    return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
}

static struct item *next_item(struct zk_walk *w)
{
    struct batch *b;
    while ((b = w->first) && b->answered && b->acl_left == 0) {
        while (b->given < b->n) {
            struct item *item = &b->items[b->given++];
            if (!item->gone)
                return item;
        }
        drop_first(w);
    }
    return NULL;
}

enum rc zk_walk_next(struct zk_walk *w, struct zk_walk_node *ret, struct err *e)
{
    if (w->failure.rc != RC_OK) {
        if (e)
            *e = w->failure;
        return w->failure.rc;
    }
    const struct item *item = next_item(w);
    if (item) {
        *ret = (struct zk_walk_node){item->path, item->error, item->node};
        return RC_OK;
    }
    bool more = w->first || w->prepared || w->nodes.n || w->inner.n;
    return more ? RC_AGAIN : RC_END;
}

/* What the modelled ZooKeeper ensemble does with a request: checks in the order of a real server, so that of two errors
 * the same one is given. */
#include "tests/fakes/fake_zk_priv.h"

#include <stdlib.h>

/* A request under way. */
struct serving {
    struct fake_zk *w;
    const struct fz_who *who;
    struct fz_mem *mem;
    struct fz_journal journal;
};

/* ---- ACLs ---- */

static bool is_who(const struct fz_who *who, const struct znode_acl *a)
{
    if (slice_eq(a->scheme, SLICE("world")))
        return slice_eq(a->id, SLICE("anyone"));
    if (slice_eq(a->scheme, SLICE("ip")))
        return slice_starts(SLICE("127.0.0.1"), a->id);
    return slice_eq(a->scheme, SLICE("digest")) && who->digest.n && slice_eq(a->id, who->digest);
}

bool fz_may(const struct fz_who *who, const struct fz_state *state, uint32_t perms)
{
    const struct znode *n = &state->node;
    bool may = who->super || n->n_acl == 0;
    for (size_t i = 0; i < n->n_acl && !may; i++)
        may = (n->acl[i].perms & perms) && is_who(who, &n->acl[i]);
    return may;
}

static bool is_entry(const struct znode_acl *a)
{
    if (slice_eq(a->scheme, SLICE("world")))
        return slice_eq(a->id, SLICE("anyone"));
    struct slice hash, user = slice_cut(a->id, ':', &hash);
    bool digest = user.n && hash.n && !memchr(hash.p, ':', hash.n);
    return slice_eq(a->scheme, SLICE("digest")) ? digest : slice_eq(a->scheme, SLICE("ip"));
}

static bool has_entry(const struct znode_acl *acl, size_t n, const struct znode_acl *a)
{
    for (size_t i = 0; i < n; i++)
        if (acl[i].perms == a->perms && slice_eq(acl[i].scheme, a->scheme) &&
            slice_eq(acl[i].id, a->id))
            return true;
    return false;
}

/* The ACL as it is kept: without repetitions, then with the id of who asks in place of "auth". */
static int fix_acl(const struct serving *s, const struct zk_call *c, struct znode_acl *out,
                   size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_acl; i++) {
        struct znode_acl a = c->acl[i];
        if (slice_eq(a.scheme, SLICE("auth")))
            a = (struct znode_acl){a.perms, SLICE("digest"), s->who->digest};
        if (!is_entry(&a))
            return ZK_INVALID_ACL;
        if (!has_entry(c->acl, i, &c->acl[i]))
            out[n++] = a;
    }
    *ret_n = n;
    return n ? ZK_OK : ZK_INVALID_ACL;
}

static void put_acl(struct fz_state *state, const struct znode_acl *acl, size_t n)
{
    state->node.acl = fz_copy_acl(&state->mem, acl, n);
    state->node.n_acl = n;
    state->node.has_acl = true;
}

static void put_data(struct fz_state *state, const struct zk_call *c)
{
    state->node.null_data = c->null_data;
    state->node.data = c->null_data ? SLICE_NULL : fz_copy(&state->mem, c->data);
}

/* ---- Writes ---- */

static int64_t now_ms(const struct serving *s)
{
    return clock_wall_ns(s->w->clock) / NS_PER_MS;
}

static void count_child(struct serving *s, struct fz_node *parent, int created)
{
    struct fz_state *state = fz_change(&s->journal, parent);
    state->created = (int32_t)((uint32_t)state->created + (uint32_t)created);
    state->node.stat.pzxid = s->w->tree.zxid;
}

static int create(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct fz_tree *t = &s->w->tree;
    struct znode_acl *acl = fz_alloc(s->mem, c->n_acl * sizeof(*acl));
    size_t n_acl;
    int error = fix_acl(s, c, acl, &n_acl);
    if (error)
        return error;
    if (fz_find(t, c->path) && c->path.n == 1)
        return ZK_NODE_EXISTS;
    struct fz_node *parent = fz_find(t, znode_parent(c->path));
    if (!parent)
        return ZK_NO_NODE;
    if (!fz_may(s->who, parent->state, ZNODE_CREATE))
        return ZK_NO_AUTH;
    if (!znode_is_path(c->path, NULL))
        return FZ_BAD_ARGUMENTS;
    if (fz_find(t, c->path))
        return ZK_NODE_EXISTS;
    if (parent->state->node.stat.ephemeral_owner)
        return ZK_NO_CHILDREN_FOR_EPHEMERALS;
    struct fz_node *n = fz_add(t, &s->journal, parent, c->path);
    put_data(n->state, c);
    put_acl(n->state, acl, n_acl);
    n->state->node.stat = (struct znode_stat){.czxid = t->zxid,
                                              .mzxid = t->zxid,
                                              .pzxid = t->zxid,
                                              .ctime = now_ms(s),
                                              .mtime = now_ms(s)};
    count_child(s, parent, 1);
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int delete (struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    (void)ret;
    struct fz_tree *t = &s->w->tree;
    if (c->path.n == 1 || slice_eq(c->path, SLICE("/zookeeper")))
        return FZ_BAD_ARGUMENTS;
    struct fz_node *parent = fz_find(t, znode_parent(c->path)), *n = fz_find(t, c->path);
    if (parent && !fz_may(s->who, parent->state, ZNODE_DELETE))
        return ZK_NO_AUTH;
    if (!n)
        return ZK_NO_NODE;
    if (c->version != -1 && c->version != n->state->node.stat.version)
        return ZK_BAD_VERSION;
    if (map_count(n->children))
        return ZK_NOT_EMPTY;
    fz_remove(t, &s->journal, n);
    count_child(s, parent, 0);
    return ZK_OK;
}

static int set_data(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    if (!znode_is_path(c->path, NULL))
        return FZ_BAD_ARGUMENTS;
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_WRITE))
        return ZK_NO_AUTH;
    if (c->version != -1 && c->version != n->state->node.stat.version)
        return ZK_BAD_VERSION;
    struct fz_state *state = fz_change(&s->journal, n);
    s->journal.changes[s->journal.n - 1].data = true;
    put_data(state, c);
    state->node.stat.version++;
    state->node.stat.mzxid = s->w->tree.zxid;
    state->node.stat.mtime = now_ms(s);
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int set_acl(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct znode_acl *acl = fz_alloc(s->mem, c->n_acl * sizeof(*acl));
    size_t n_acl;
    int error = znode_is_path(c->path, NULL) ? fix_acl(s, c, acl, &n_acl) : FZ_BAD_ARGUMENTS;
    if (error)
        return error;
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_ADMIN))
        return ZK_NO_AUTH;
    if (c->version != -1 && c->version != n->state->node.stat.aversion)
        return ZK_BAD_VERSION;
    struct fz_state *state = fz_change(&s->journal, n);
    put_acl(state, acl, n_acl);
    state->node.stat.aversion++;
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int check(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    (void)ret;
    if (!znode_is_path(c->path, NULL))
        return FZ_BAD_ARGUMENTS;
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_READ))
        return ZK_NO_AUTH;
    bool same = c->version == -1 || c->version == n->state->node.stat.version;
    return same ? ZK_OK : ZK_BAD_VERSION;
}

/* ---- Reads ---- */

static int exists(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (s->w->minor >= 9 && !fz_may(s->who, n->state, ZNODE_READ))
        return ZK_NO_AUTH;
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int get_data(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_READ))
        return ZK_NO_AUTH;
    ret->null_data = n->state->node.null_data;
    ret->data = fz_copy(s->mem, n->state->node.data);
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int get_children(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_READ))
        return ZK_NO_AUTH;
    size_t left = map_count(n->children);
    struct slice *names = fz_alloc(s->mem, left * sizeof(*names));
    struct map_entry at;
    ret->children = names;
    ret->n_children = left;
    for (bool more = map_seek(n->children, SLICE_NULL, false, &at); more;
         more = map_seek(n->children, at.key, true, &at))
        names[--left] = fz_copy(s->mem, at.key); /* nobody may rely on an order */
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static struct slice masked(struct fz_mem *m, struct slice id)
{
    struct slice rest, user = slice_cut(id, ':', &rest);
    char *p = fz_alloc(m, user.n + 2);
    memcpy(p, user.p, user.n);
    memcpy(p + user.n, ":x", 2);
    return slice_of(p, user.n + 2);
}

static int get_acl(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct fz_node *n = fz_find(&s->w->tree, c->path);
    if (!n)
        return ZK_NO_NODE;
    if (!fz_may(s->who, n->state, ZNODE_READ | ZNODE_ADMIN))
        return ZK_NO_AUTH;
    const struct znode *node = &n->state->node;
    struct znode_acl *acl = fz_alloc(s->mem, node->n_acl * sizeof(*acl));
    bool admin = fz_may(s->who, n->state, ZNODE_ADMIN);
    for (size_t i = 0; i < node->n_acl; i++) {
        bool hide = !admin && slice_eq(node->acl[i].scheme, SLICE("digest"));
        struct slice id = node->acl[i].id;
        acl[i] = (struct znode_acl){node->acl[i].perms, fz_copy(s->mem, node->acl[i].scheme),
                                    hide ? masked(s->mem, id) : fz_copy(s->mem, id)};
    }
    ret->acl = acl;
    ret->n_acl = node->n_acl;
    ret->stat = fz_stat(n);
    return ZK_OK;
}

static int sync_path(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    (void)s, (void)c, (void)ret;
    return ZK_OK;
}

static int add_watch(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    (void)ret;
    struct fz_session *z = s->w->serving;
    if (!z)
        return FZ_BAD_ARGUMENTS;
    z->watches = fz_grow(z->watches, z->n_watches, &z->watches_cap, sizeof(*z->watches));
    z->watches[z->n_watches++] = fz_copy(&z->watch_mem, c->path);
    return ZK_OK;
}

static int who_am_i(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    (void)c;
    struct znode_acl *ids = fz_alloc(s->mem, 3 * sizeof(*ids));
    struct slice rest;
    if (s->who->super)
        ids[ret->n_acl++] = (struct znode_acl){0, SLICE("super"), SLICE("")};
    ids[ret->n_acl++] = (struct znode_acl){0, SLICE("ip"), SLICE("127.0.0.1")};
    if (s->who->digest.n)
        ids[ret->n_acl++] =
            (struct znode_acl){0, SLICE("digest"), slice_cut(s->who->digest, ':', &rest)};
    ret->acl = ids;
    return ZK_OK;
}

/* ---- All of them ---- */

static const struct op {
    enum zk_op op;
    bool write;    /* moves the zxid */
    bool in_multi; /* by itself a part of MULTI, or of MULTI_READ where it is no write */
    bool alone;
    int (*serve)(struct serving *s, const struct zk_call *c, struct zk_result *ret);
} OPS[] = {
    {ZK_CREATE, true, true, true, create},
    {ZK_DELETE, true, true, true, delete},
    {ZK_SET_DATA, true, true, true, set_data},
    {ZK_SET_ACL, true, false, true, set_acl},
    {ZK_CHECK, true, true, false, check},
    {ZK_EXISTS, false, false, true, exists},
    {ZK_GET_DATA, false, true, true, get_data},
    {ZK_GET_CHILDREN, false, true, true, get_children},
    {ZK_GET_ACL, false, false, true, get_acl},
    {ZK_SYNC, false, false, true, sync_path},
    {ZK_ADD_WATCH, false, false, true, add_watch},
    {ZK_WHO_AM_I, false, false, true, who_am_i},
};

static const struct op *op_of(enum zk_op op)
{
    for (size_t i = 0; i < sizeof(OPS) / sizeof(*OPS); i++)
        if (OPS[i].op == op)
            return &OPS[i];
    return NULL;
}

bool fz_is_write(enum zk_op op)
{
    return op != ZK_CHECK && op_of(op) && op_of(op)->write;
}

static void count(const struct serving *s, enum zk_op op)
{
    if (s->w->serving)
        s->w->asked[op]++;
}

static int serve_one(struct serving *s, const struct op *op, const struct zk_call *c,
                     struct zk_result *ret)
{
    count(s, c->op);
    int error = op->serve(s, c, ret);
    if (error)
        *ret = (struct zk_result){0};
    ret->error = error;
    return error;
}

static void serve_multi(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct zk_result *parts = fz_alloc(s->mem, c->n_parts * sizeof(*parts));
    count(s, ZK_MULTI);
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct op *op = op_of(c->parts[i].op);
        bool good = op && op->write && op->in_multi;
        if (ret->error)
            parts[i].error = ZK_RUNTIME_INCONSISTENCY;
        else
            ret->error = good ? serve_one(s, op, &c->parts[i], &parts[i]) : ZK_UNIMPLEMENTED;
    }
    for (size_t i = 0; i < c->n_parts; i++)
        if (ret->error || (c->parts[i].op == ZK_CREATE && s->w->minor < 9))
            parts[i].stat = (struct znode_stat){0};
    ret->parts = parts;
    ret->n_parts = c->n_parts;
}

static void serve_multi_read(struct serving *s, const struct zk_call *c, struct zk_result *ret)
{
    struct zk_result *parts = fz_alloc(s->mem, c->n_parts * sizeof(*parts));
    count(s, ZK_MULTI_READ);
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct op *op = op_of(c->parts[i].op);
        if (!op || op->write || !op->in_multi) {
            ret->error = ZK_UNIMPLEMENTED;
            return;
        }
        serve_one(s, op, &c->parts[i], &parts[i]);
        if (op->op == ZK_GET_CHILDREN)
            parts[i].stat = (struct znode_stat){0};
    }
    ret->parts = parts;
    ret->n_parts = c->n_parts;
}

static void note_writes(struct fake_zk *w, const struct zk_call *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        note_writes(w, &c->parts[i]);
    if (!w->serving || !fz_is_write(c->op))
        return;
    w->writes = fz_grow(w->writes, w->n_writes, &w->writes_cap, sizeof(*w->writes));
    w->writes[w->n_writes++] = (struct fake_zk_write){c->op, fz_copy(&w->write_mem, c->path)};
}

static void tell_changes(struct fake_zk *w, const struct fz_journal *j)
{
    for (size_t i = 0; i < j->n; i++) {
        const struct fz_change *c = &j->changes[i];
        if (c->kind != FZ_STATE || c->data)
            fz_tell(w, c->node->path, c->node->state);
    }
}

void fz_serve(struct fake_zk *w, const struct fz_who *who, const struct zk_call *c,
              struct fz_mem *mem, struct zk_result *ret)
{
    struct serving s = {.w = w, .who = who, .mem = mem};
    const struct op *op = op_of(c->op);
    *ret = (struct zk_result){0};
    if (c->op == ZK_MULTI || (op && op->write))
        w->tree.zxid++;
    if (c->op == ZK_MULTI)
        serve_multi(&s, c, ret);
    else if (c->op == ZK_MULTI_READ)
        serve_multi_read(&s, c, ret);
    else if (op && op->alone)
        serve_one(&s, op, c, ret);
    else
        ret->error = ZK_UNIMPLEMENTED;
    if (ret->error) {
        fz_roll_back(&w->tree, &s.journal);
    } else {
        note_writes(w, c);
        tell_changes(w, &s.journal);
    }
    fz_commit(&s.journal);
}

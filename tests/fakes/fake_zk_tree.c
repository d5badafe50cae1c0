/* The tree of the modelled ZooKeeper ensemble.
 *
 * A node's state never changes: a change gives it another one, and the journal keeps the old one until the request is
 * over, so that a multi can be taken back as a whole. What is saved shares the states. */
#include "tests/fakes/fake_zk_priv.h"

#include <stdlib.h>

static struct fz_state *state_ref(struct fz_state *s)
{
    s->refs++;
    return s;
}

static void state_unref(struct fz_state *s)
{
    if (--s->refs)
        return;
    fz_mem_done(&s->mem);
    free(s);
}

static struct fz_state *state_new(const struct fz_state *of)
{
    struct fz_state *s = calloc(1, sizeof(*s));
    fz_must(s ? RC_OK : RC_NOMEM);
    s->refs = 1;
    if (!of)
        return s;
    s->node = of->node;
    s->created = of->created;
    s->node.data = fz_copy(&s->mem, of->node.data);
    s->node.acl = fz_copy_acl(&s->mem, of->node.acl, of->node.n_acl);
    return s;
}

static struct slice name_of(const struct fz_node *n)
{
    size_t parent = znode_parent(n->path).n;
    size_t at = parent == 1 ? 1 : parent + 1;
    return slice_of(n->path.p + at, n->path.n - at);
}

/* Takes the state. */
static struct fz_node *node_new(struct fz_node *parent, struct slice path, struct fz_state *state)
{
    struct fz_node *n = calloc(1, sizeof(*n) + path.n + 1);
    fz_must(n ? RC_OK : RC_NOMEM);
    memcpy(n->text, path.p, path.n);
    n->path = slice_of(n->text, path.n);
    n->parent = parent;
    n->state = state;
    n->children = map_new(NULL);
    fz_must(n->children ? RC_OK : RC_NOMEM);
    return n;
}

static void node_free(struct fz_node *n)
{
    map_free(n->children);
    state_unref(n->state);
    free(n);
}

static void attach(struct fz_tree *t, struct fz_node *n)
{
    fz_must(map_put(t->nodes, n->path, n, NULL));
    if (n->parent)
        fz_must(map_put(n->parent->children, name_of(n), n, NULL));
}

static void detach(struct fz_tree *t, struct fz_node *n)
{
    map_delete(t->nodes, n->path);
    map_delete(n->parent->children, name_of(n));
}

struct fz_node *fz_find(const struct fz_tree *t, struct slice path)
{
    return map_get(t->nodes, path);
}

struct znode_stat fz_stat(const struct fz_node *n)
{
    struct znode_stat s = n->state->node.stat;
    s.num_children = (int32_t)map_count(n->children);
    s.cversion = (int32_t)(2u * (uint32_t)n->state->created - (uint32_t)s.num_children);
    s.data_length = (int32_t)n->state->node.data.n;
    return s;
}

/* ---- Changes ---- */

static void note(struct fz_journal *j, struct fz_change change)
{
    j->changes = fz_grow(j->changes, j->n, &j->cap, sizeof(*j->changes));
    j->changes[j->n++] = change;
}

struct fz_state *fz_change(struct fz_journal *j, struct fz_node *n)
{
    note(j, (struct fz_change){FZ_STATE, n, n->state, false});
    n->state = state_new(n->state);
    return n->state;
}

struct fz_node *fz_add(struct fz_tree *t, struct fz_journal *j, struct fz_node *parent,
                       struct slice path)
{
    struct fz_node *n = node_new(parent, path, state_new(NULL));
    attach(t, n);
    note(j, (struct fz_change){FZ_ADDED, n, NULL, false});
    return n;
}

void fz_remove(struct fz_tree *t, struct fz_journal *j, struct fz_node *n)
{
    detach(t, n);
    note(j, (struct fz_change){FZ_REMOVED, n, NULL, false});
}

void fz_roll_back(struct fz_tree *t, struct fz_journal *j)
{
    while (j->n) {
        struct fz_change c = j->changes[--j->n];
        if (c.kind == FZ_REMOVED) {
            attach(t, c.node);
        } else if (c.kind == FZ_ADDED) {
            detach(t, c.node);
            node_free(c.node);
        } else {
            state_unref(c.node->state);
            c.node->state = c.old;
        }
    }
}

void fz_commit(struct fz_journal *j)
{
    for (size_t i = 0; i < j->n; i++) {
        if (j->changes[i].kind == FZ_STATE)
            state_unref(j->changes[i].old);
    }
    for (size_t i = 0; i < j->n; i++)
        if (j->changes[i].kind == FZ_REMOVED)
            node_free(j->changes[i].node);
    free(j->changes);
    *j = (struct fz_journal){0};
}

/* ---- The whole tree ---- */

static const struct znode_acl OPEN_ACL = {ZNODE_ALL, SLICE("world"), SLICE("anyone")};

void fz_tree_init(struct fz_tree *t)
{
    static const struct slice first[] = {SLICE("/"), SLICE("/zookeeper"),
                                         SLICE("/zookeeper/config"), SLICE("/zookeeper/quota")};
    t->zxid = FZ_FIRST_ZXID;
    t->nodes = map_new(NULL);
    fz_must(t->nodes ? RC_OK : RC_NOMEM);
    for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
        struct fz_state *s = state_new(NULL);
        s->node = (struct znode){.has_acl = true, .n_acl = 1};
        s->node.acl = fz_copy_acl(&s->mem, &OPEN_ACL, 1);
        struct slice parent = znode_parent(first[i]);
        attach(t, node_new(parent.n ? fz_find(t, parent) : NULL, first[i], s));
    }
}

void fz_tree_done(struct fz_tree *t)
{
    struct map_entry at;
    for (bool more = map_seek(t->nodes, SLICE_NULL, false, &at); more;
         more = map_seek(t->nodes, at.key, true, &at))
        node_free(at.value);
    map_free(t->nodes);
}

void fz_tree_copy(const struct fz_tree *from, struct fz_tree *to)
{
    to->zxid = from->zxid;
    to->nodes = map_new(NULL);
    fz_must(to->nodes ? RC_OK : RC_NOMEM);
    struct map_entry at; /* a parent comes before its children */
    for (bool more = map_seek(from->nodes, SLICE_NULL, false, &at); more;
         more = map_seek(from->nodes, at.key, true, &at)) {
        struct slice parent = znode_parent(at.key);
        struct fz_node *n = at.value;
        attach(to, node_new(parent.n ? fz_find(to, parent) : NULL, at.key, state_ref(n->state)));
    }
}

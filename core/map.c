/* An ordered map as a treap: a search tree by key that is also a heap by priority. A key's priority
 * is its hash, so the same keys give the same tree on every host, whatever order they came in, and
 * the expected depth is logarithmic.
 *
 * Keeps: left < node < right in byte order; no child's priority is above its parent's; count is the
 * number of nodes. All walks are loops: keys chosen to make the tree deep cost time, never stack.
 * Node and key are one block. Not for several threads at once. */
#include "core/map.h"

#include <assert.h>
#include <stdint.h>

struct node {
    struct node *left, *right;
    void *value;
    uint64_t priority;
    size_t n;
    char key[];
};

struct map {
    struct node *root;
    size_t count;
    void (*free_value)(void *value);
};

static struct slice key_of(const struct node *n)
{
    return slice_of(n->key, n->n);
}

/* FNV-1a, then the finalizer of SplitMix64 to spread its high bits, which decide the heap order. */
static uint64_t priority_of(struct slice key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 0x100000001b3u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

struct map *map_new(void (*free_value)(void *value))
{
    struct map *m = calloc(1, sizeof *m);
    if (m)
        m->free_value = free_value;
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    map_clear(m);
    free(m);
}

size_t map_count(const struct map *m)
{
    return m->count;
}

static void drop_value(const struct map *m, void *value)
{
    if (m->free_value)
        m->free_value(value);
}

static struct node *find(const struct map *m, struct slice key)
{
    struct node *n = m->root;
    while (n) {
        int c = slice_cmp(key, key_of(n));
        if (c == 0)
            return n;
        n = c < 0 ? n->left : n->right;
    }
    return NULL;
}

void *map_get(const struct map *m, struct slice key)
{
    struct node *n = find(m, key);
    return n ? n->value : NULL;
}

/* Parts a subtree into the keys below `key` and those above; key itself is not in it. */
static void split(struct node *tree, struct slice key, struct node **below, struct node **above)
{
    while (tree) {
        if (slice_cmp(key_of(tree), key) < 0) {
            *below = tree;
            below = &tree->right;
            tree = tree->right;
        } else {
            *above = tree;
            above = &tree->left;
            tree = tree->left;
        }
    }
    *below = NULL;
    *above = NULL;
}

/* Joins two subtrees, all keys of a below those of b, at *at. */
static void merge(struct node *a, struct node *b, struct node **at)
{
    while (a && b) {
        if (a->priority >= b->priority) {
            *at = a;
            at = &a->right;
            a = a->right;
        } else {
            *at = b;
            at = &b->left;
            b = b->left;
        }
    }
    *at = a ? a : b;
}

static void insert(struct map *m, struct node *fresh)
{
    struct slice key = key_of(fresh);
    struct node **at = &m->root;
    while (*at && (*at)->priority >= fresh->priority)
        at = slice_cmp(key, key_of(*at)) < 0 ? &(*at)->left : &(*at)->right;
    split(*at, key, &fresh->left, &fresh->right);
    *at = fresh;
    m->count++;
}

enum rc map_put(struct map *m, struct slice key, void *value, struct err *e)
{
    assert(value);
    struct node *n = find(m, key);
    if (n) {
        void *old = n->value;
        n->value = value;
        if (old != value)
            drop_value(m, old);
        return RC_OK;
    }
    n = malloc(sizeof *n + key.n);
    if (!n) {
        drop_value(m, value);
        return err_nomem(e);
    }
    n->value = value;
    n->priority = priority_of(key);
    n->n = key.n;
    if (key.n)
        memcpy(n->key, key.p, key.n);
    insert(m, n);
    return RC_OK;
}

void *map_take(struct map *m, struct slice key)
{
    struct node **at = &m->root;
    int c;
    while (*at && (c = slice_cmp(key, key_of(*at))) != 0)
        at = c < 0 ? &(*at)->left : &(*at)->right;
    struct node *n = *at;
    if (!n)
        return NULL;
    merge(n->left, n->right, at);
    m->count--;
    void *value = n->value;
    free(n);
    return value;
}

bool map_delete(struct map *m, struct slice key)
{
    void *value = map_take(m, key);
    if (!value)
        return false;
    drop_value(m, value);
    return true;
}

void map_clear(struct map *m)
{
    struct node *n = m->root;
    m->root = NULL;
    m->count = 0;
    while (n) {
        struct node *left = n->left;
        if (left) { /* rotate right until the node has no left side, then it can go */
            n->left = left->right;
            left->right = n;
            n = left;
            continue;
        }
        struct node *next = n->right;
        drop_value(m, n->value);
        free(n);
        n = next;
    }
}

bool map_seek(const struct map *m, struct slice from, bool after, struct map_entry *ret)
{
    const struct node *best = NULL;
    for (const struct node *n = m->root; n;) {
        int c = slice_cmp(key_of(n), from);
        if (c > 0 || (c == 0 && !after)) {
            best = n;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    if (!best)
        return false;
    *ret = (struct map_entry){.key = key_of(best), .value = best->value};
    return true;
}

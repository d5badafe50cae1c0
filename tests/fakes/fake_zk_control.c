/* The modelled ZooKeeper ensemble as a test sees it: changes by somebody else, looks at the tree, what was counted. */
#include "tests/fakes/fake_zk_priv.h"

#include "core/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define EPHEMERAL_OWNER 0x100000000000001

static const struct znode_acl OPEN_ACL = {ZNODE_ALL, SLICE("world"), SLICE("anyone")};
static const struct fz_who ANYTHING = {.super = true};

int fake_zk_do(struct fake_zk *w, const struct zk_call *c, struct zk_result *ret)
{
    struct zk_result result;
    fz_mem_done(&w->done_mem);
    fz_serve(w, &ANYTHING, c, &w->done_mem, &result);
    if (ret)
        *ret = result;
    return result.error;
}

static struct zk_call call_of(enum zk_op op, struct slice path, const char *data)
{
    return (struct zk_call){.op = op,
                            .path = path,
                            .data = slice_str(data),
                            .null_data = !data,
                            .version = -1,
                            .acl = &OPEN_ACL,
                            .n_acl = 1};
}

int fake_zk_create(struct fake_zk *w, const char *path, const char *data)
{
    struct zk_call c = call_of(ZK_CREATE, slice_str(path), data);
    return fake_zk_do(w, &c, NULL);
}

int fake_zk_create_ephemeral(struct fake_zk *w, const char *path, const char *data)
{
    int error = fake_zk_create(w, path, data);
    if (error)
        return error;
    struct fz_journal j = {0};
    fz_change(&j, fz_find(&w->tree, slice_str(path)))->node.stat.ephemeral_owner = EPHEMERAL_OWNER;
    fz_commit(&j);
    return ZK_OK;
}

int fake_zk_create_sequential(struct fake_zk *w, const char *prefix, const char *data,
                              struct slice *ret)
{
    char path[ZNODE_PATH_MAX + 1];
    struct fz_node *parent = fz_find(&w->tree, znode_parent(slice_str(prefix)));
    if (!parent)
        return ZK_NO_NODE;
    int n = snprintf(path, sizeof(path), "%s%010d", prefix, parent->state->created);
    assert(n > 0 && (size_t)n < sizeof(path));
    int error = fake_zk_create(w, path, data);
    if (!error && ret)
        *ret = fz_find(&w->tree, slice_str(path))->path;
    return error;
}

int fake_zk_set(struct fake_zk *w, const char *path, const char *data)
{
    struct zk_call c = call_of(ZK_SET_DATA, slice_str(path), data);
    return fake_zk_do(w, &c, NULL);
}

int fake_zk_delete(struct fake_zk *w, const char *path)
{
    struct zk_call c = call_of(ZK_DELETE, slice_str(path), NULL);
    return fake_zk_do(w, &c, NULL);
}

static uint32_t perms_of(struct slice letters)
{
    static const char names[] = "rwcda"; /* in the order of the bits */
    uint32_t perms = 0;
    for (size_t i = 0; i < letters.n; i++) {
        const char *at = strchr(names, letters.p[i]);
        assert(at && *at);
        perms |= 1u << (at - names);
    }
    return perms;
}

static struct znode_acl entry_of(struct slice text)
{
    struct slice rest, scheme = slice_cut(text, ':', &rest);
    size_t id = rest.n;
    while (id > 0 && rest.p[id - 1] != ':')
        id--;
    assert(id > 0);
    struct slice perms = slice_of(rest.p + id, rest.n - id);
    return (struct znode_acl){perms_of(perms), scheme, slice_of(rest.p, id - 1)};
}

int fake_zk_set_acl(struct fake_zk *w, const char *path, const char *acl)
{
    struct znode_acl entries[16];
    struct zk_call c = call_of(ZK_SET_ACL, slice_str(path), NULL);
    c.n_acl = 0;
    for (struct slice rest = slice_str(acl); rest.n;) {
        assert(c.n_acl < sizeof(entries) / sizeof(*entries));
        entries[c.n_acl++] = entry_of(slice_cut(rest, ',', &rest));
    }
    c.acl = entries;
    return fake_zk_do(w, &c, NULL);
}

int fake_zk_put(struct fake_zk *w, const char *path, const char *data)
{
    struct slice s = slice_str(path);
    if (fz_find(&w->tree, s))
        return fake_zk_set(w, path, data);
    for (size_t i = 1; i < s.n; i++) {
        struct zk_call c = call_of(ZK_CREATE, slice_of(s.p, i), "");
        int error = s.p[i] == '/' && !fz_find(&w->tree, c.path) ? fake_zk_do(w, &c, NULL) : ZK_OK;
        if (error)
            return error;
    }
    return fake_zk_create(w, path, data);
}

/* The last node at or below root: it has no children. */
static struct fz_node *last_below(const struct fake_zk *w, struct slice root)
{
    struct fz_node *n = fz_find(&w->tree, root);
    struct map_entry at;
    while (n && map_seek(n->children, SLICE_NULL, false, &at))
        n = at.value;
    return n;
}

int fake_zk_delete_tree(struct fake_zk *w, const char *path)
{
    int error = fz_find(&w->tree, slice_str(path)) ? ZK_OK : ZK_NO_NODE;
    for (struct fz_node *n; !error && (n = last_below(w, slice_str(path)));)
        error = fake_zk_delete(w, n->text);
    return error;
}

/* ---- Looking ---- */

bool fake_zk_get(struct fake_zk *w, struct slice path, struct znode *ret)
{
    const struct fz_node *n = fz_find(&w->tree, path);
    if (!n)
        return false;
    *ret = n->state->node;
    ret->stat = fz_stat(n);
    return true;
}

bool fake_zk_next(struct fake_zk *w, struct slice after, struct slice *ret_path, struct znode *ret)
{
    struct map_entry at;
    if (!map_seek(w->tree.nodes, after, true, &at))
        return false;
    *ret_path = at.key;
    return fake_zk_get(w, at.key, ret);
}

static void print_node(struct slice path, const struct znode *n, struct buf *out)
{
    struct znode bare = *n;
    bare.stat = (struct znode_stat){0};
    buf_addf(out, "%.*s %lld ", SLICE_ARG(path), (long long)znode_sequence(&n->stat));
    size_t start = out->n;
    znode_print(&bare, out);
    char *stat = out->p ? strstr(out->p + start, ",\"stat\":{\"czxid\":0,") : NULL;
    if (stat)
        buf_truncate(out, (size_t)(stat - out->p));
    buf_add_str(out, "}\n");
}

void fake_zk_print(struct fake_zk *w, const char *root, struct buf *out)
{
    struct slice top = slice_str(root), path = SLICE_NULL;
    struct znode n;
    while (fake_zk_next(w, path, &path, &n)) {
        bool system = top.n == 1 && znode_is_within(path, SLICE("/zookeeper"));
        if (znode_is_within(path, top) && !system)
            print_node(path, &n, out);
    }
}

int64_t fake_zk_zxid(const struct fake_zk *w)
{
    return w->tree.zxid;
}

/* ---- Counts ---- */

size_t fake_zk_asked(const struct fake_zk *w, int op)
{
    assert(op < FZ_OPS);
    size_t all = 0;
    for (size_t i = 0; i < FZ_OPS; i++)
        all += w->asked[i];
    return op == FAKE_ZK_ANY ? all : w->asked[op];
}

size_t fake_zk_writes(const struct fake_zk *w)
{
    return w->n_writes;
}

struct fake_zk_write fake_zk_write_at(const struct fake_zk *w, size_t index)
{
    assert(index < w->n_writes);
    return w->writes[index];
}

void fake_zk_forget(struct fake_zk *w)
{
    memset(w->asked, 0, sizeof(w->asked));
    memset(w->struck, 0, sizeof(w->struck));
    w->n_writes = 0;
}

/* Scopes as texts. Keeps nothing. */
#include "flow/scope.h"

#include "core/buf.h"
#include "core/key.h"
#include "core/map.h"
#include "core/znode.h"
#include "flow/replication.h"

#define SERVERS_OWN SLICE("/zookeeper")

/* "group/resource" of a text that begins so. */
static struct slice resource_of(struct slice text)
{
    struct slice rest;
    struct slice group = slice_cut(text, '/', &rest);
    return slice_of(text.p, group.n + 1 + slice_cut(rest, '/', &rest).n);
}

static bool is_below(struct slice text, struct slice outer)
{
    return text.n > outer.n && slice_starts(text, outer) && text.p[outer.n] == '/';
}

enum rc scope_print_prefix(const struct scope *s, struct buf *out, struct err *e)
{
    buf_add_slice(out, s->text);
    if (!s->tree)
        buf_add_char(out, '/');
    return buf_check(out, "scope", e);
}

static bool tree_has(struct slice root, struct slice path)
{
    return znode_is_within(path, root) && !(root.n == 1 && znode_is_within(path, SERVERS_OWN));
}

bool scope_has(const struct scope *s, struct slice key)
{
    return s->tree ? tree_has(s->text, key) : is_below(key, s->text);
}

static void *find_root(const struct map *scopes, struct slice path)
{
    for (struct slice root = path; root.n > 0; root = znode_parent(root)) {
        void *value = tree_has(root, path) ? map_get(scopes, root) : NULL;
        if (value)
            return value;
    }
    return NULL;
}

void *scope_find(const struct map *scopes, struct slice key, bool tree)
{
    struct key parts;
    if (tree)
        return find_root(scopes, key);
    if (key_parse(key, &parts, NULL) != RC_OK)
        return NULL;
    size_t n = parts.group.n + 1 + parts.resource.n;
    void *value = map_get(scopes, slice_of(key.p, n));
    return value ? value : map_get(scopes, slice_of(key.p, n + 1 + parts.ns.n));
}

struct scope scope_of_kind(struct slice key, bool tree)
{
    return (struct scope){tree ? SLICE("/") : resource_of(key), tree};
}

bool scope_is_tree(const struct replication *r)
{
    return r->n_entries > 0 && r->entries[0].root.n > 0;
}

enum rc scope_of_entry(const struct replication_entry *entry, struct buf *memory, struct scope *ret,
                       struct err *e)
{
    if (entry->root.n > 0) {
        *ret = (struct scope){entry->root, true};
        return RC_OK;
    }
    buf_reset(memory);
    buf_addf(memory, "%.*s/%.*s", SLICE_ARG(entry->group), SLICE_ARG(entry->resource));
    *ret = (struct scope){buf_slice(memory), false};
    return buf_check(memory, "scope", e);
}

bool scope_meets_entry(const struct scope *s, const struct replication_entry *entry)
{
    struct slice resource;
    if (s->tree != (entry->root.n > 0))
        return false;
    if (s->tree)
        return tree_has(entry->root, s->text) || tree_has(s->text, entry->root);
    struct slice group = slice_cut(resource_of(s->text), '/', &resource);
    return slice_eq(group, entry->group) && slice_eq(resource, entry->resource);
}

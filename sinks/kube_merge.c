/* Three-way merge: what desired has is set, what only base had is removed, the rest of live stays.
 *
 * Keeps nothing. Objects with many members (a ConfigMap may have tens of thousands) are looked up through a map,
 * so that the merge is not quadratic. Recursion is as deep as the objects, bounded by KUBE_MERGE_DEPTH. */
#include "sinks/kube_merge.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/map.h"
#include "sinks/kube_project.h"
#include "sinks/kube_retain.h"

#define FEW_MEMBERS 32

struct merge {
    struct json_doc *live, *desired;
    bool changed;
};

/* Members by name; map is NULL where there are few. */
struct members {
    const struct json *object; /* NULL: none */
    struct map *map;
};

static void members_done(struct members *m)
{
    map_free(m->map);
}

static enum rc members_init(struct members *m, const struct json *object, struct err *e)
{
    *m = (struct members){.object = object};
    if (!object || object->count <= FEW_MEMBERS)
        return RC_OK;
    m->map = map_new(NULL);
    if (!m->map)
        return err_nomem(e);
    for (struct json *x = object->first; x; x = x->next) {
        enum rc rc = map_put(m->map, json_name(NULL, x), x, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static struct json *member(const struct members *m, struct slice name)
{
    return m->map ? map_get(m->map, name) : json_get_slice(m->object, name);
}

static enum rc set_member(struct merge *g, struct json *object, struct json *old,
                          const struct json *value, struct err *e)
{
    struct json *copy;
    enum rc rc = json_value_copy(g->live, value, &copy, e);
    if (rc != RC_OK)
        return rc;
    g->changed = true;
    if (!old)
        return json_set(g->live, object, json_name(g->desired, value), copy, e);
    json_replace(old, copy);
    return RC_OK;
}

static enum rc merge_object(struct merge *g, struct json *live, const struct json *desired,
                            const struct json *base, struct err *e);

static const struct json *object_or_null(const struct json *n)
{
    return json_is(n, JSON_OBJECT) ? n : NULL;
}

/* True if both are the very bytes that were read: what nearly all members are. */
static bool is_verbatim(const struct json *live, const struct json *desired)
{
    return live && !live->edited && !desired->edited && slice_eq(live->raw, desired->raw);
}

/* Whether both have the same canonical form. The hash of a desired object tells changes by it, and none that it tells
 * may be lost here: 1.0 is not 1, but another escape or white space is no change. */
static enum rc compare(const struct merge *g, const struct json *live, const struct json *desired,
                       bool *ret, struct err *e)
{
    AUTO(buf_done) struct buf there = BUF_INIT(JSON_TEXT_MAX), wanted = BUF_INIT(JSON_TEXT_MAX);
    if (!live) {
        *ret = false;
        return RC_OK;
    }
    json_print_canonical(g->live, live, &there);
    json_print_canonical(g->desired, desired, &wanted);
    *ret = slice_eq(buf_slice(&there), buf_slice(&wanted));
    enum rc rc = buf_check(&there, "a member's canonical form", e);
    return rc == RC_OK ? buf_check(&wanted, "a member's canonical form", e) : rc;
}

static enum rc merge_member(struct merge *g, struct json *object, struct json *live,
                            const struct json *desired, const struct json *base, struct err *e)
{
    bool same;
    if (json_is(live, JSON_OBJECT) && json_is(desired, JSON_OBJECT))
        return merge_object(g, live, desired, object_or_null(base), e);
    if (is_verbatim(live, desired))
        return RC_OK;
    enum rc rc = compare(g, live, desired, &same, e);
    return rc != RC_OK || same ? rc : set_member(g, object, live, desired, e);
}

/* Takes out what base had: of an object only its members, so that the destination's own stay. */
static enum rc remove_member(struct merge *g, struct json *object, struct json *live,
                             const struct json *base, struct err *e)
{
    if (json_is(live, JSON_OBJECT) && json_is(base, JSON_OBJECT)) {
        enum rc rc = merge_object(g, live, NULL, base, e);
        if (rc != RC_OK || live->count > 0)
            return rc;
    }
    struct slice name = json_name(NULL, base);
    for (; live; live = json_get_slice(object, name))
        json_remove(live);
    g->changed = true;
    return RC_OK;
}

static enum rc merge_object(struct merge *g, struct json *live, const struct json *desired,
                            const struct json *base, struct err *e)
{
    AUTO(members_done) struct members in_live = {0}, in_desired = {0}, in_base = {0};
    enum rc rc = members_init(&in_live, live, e);
    if (rc == RC_OK)
        rc = members_init(&in_desired, desired, e);
    if (rc == RC_OK)
        rc = members_init(&in_base, base, e);
    for (struct json *x = desired ? desired->first : NULL; rc == RC_OK && x; x = x->next) {
        struct slice name = json_name(NULL, x);
        if (member(&in_desired, name) == x) /* else a later one of that name counts */
            rc = merge_member(g, live, member(&in_live, name), x, member(&in_base, name), e);
    }
    for (struct json *x = base ? base->first : NULL; rc == RC_OK && x; x = x->next) {
        struct slice name = json_name(NULL, x);
        struct json *there = member(&in_live, name);
        bool wanted = member(&in_desired, name) || member(&in_base, name) != x;
        if (there && !wanted)
            rc = remove_member(g, live, there, x, e);
    }
    return rc;
}

static bool is_object_or_none(const struct json *n)
{
    return !n || n->type == JSON_OBJECT;
}

enum rc kube_merge(struct json_doc *live, struct json_doc *desired, const struct kube_base *base,
                   const struct kube_rule *rule, bool *ret_changed, struct err *e)
{
    struct json *into = json_root(live);
    const struct json *from = json_root(desired);
    const struct json *sent = base->sent ? json_root(base->sent) : NULL;
    const struct json *owned = base->owned ? json_root(base->owned) : NULL;
    if (!json_is(into, JSON_OBJECT) || !json_is(from, JSON_OBJECT) || !is_object_or_none(sent) ||
        !is_object_or_none(owned))
        return err_set(e, RC_INVALID, ERR_FINAL, "only objects can be merged");
    if (json_depth(live) > KUBE_MERGE_DEPTH || json_depth(desired) > KUBE_MERGE_DEPTH)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "nested deeper than %d; deleting it in the destination has it made anew",
                       KUBE_MERGE_DEPTH);
    enum rc rc = kube_retain(live, desired, rule, e);
    if (rc != RC_OK)
        return rc;
    if (base->owned)
        kube_project_cut(base->owned, rule);
    struct merge g = {.live = live, .desired = desired};
    rc = merge_object(&g, into, from, sent, e);
    if (rc == RC_OK && owned)
        rc = merge_object(&g, into, from, owned, e); /* all is set by now: it only removes */
    if (rc == RC_OK)
        *ret_changed = g.changed;
    return rc;
}

/* Two walks, merged.
 *
 * Of each side one node is looked at; walks give nodes in one order, so the lesser of both is on one side only. Kept
 * are only the paths that a side could not read: what the other side has below them is neither missing nor extra. A
 * side tells such a path before the other one's nodes below it are looked at, for these come later in the order. */
#include "io/zk_compare.h"

#include "core/map.h"
#include "io/zk.h"
#include "io/zk_walk.h"

#include <assert.h>
#include <stdlib.h>

enum { SOURCE, DESTINATION, SIDES };

struct side {
    const char *name;
    struct zk_walk *walk;
    struct zk_walk_node node; /* looked at, where has */
    bool has, ended;
    struct map *unreadable; /* paths */
};

struct zk_compare {
    struct side sides[SIDES];
    bool (*selects)(void *arg, const struct zk_walk_node *node);
    void *arg;
    bool pass[SIDES]; /* the node of that side was told */
    uint64_t equal;
};

struct zk_compare *zk_compare_new(const struct zk_compare_opts *opts)
{
    AUTO(zk_compare_freep) struct zk_compare *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->sides[SOURCE] = (struct side){.name = "source", .walk = opts->source};
    c->sides[DESTINATION] = (struct side){.name = "destination", .walk = opts->destination};
    c->selects = opts->selects;
    c->arg = opts->arg;
    for (int i = 0; i < SIDES; i++) {
        c->sides[i].unreadable = map_new(NULL);
        if (!c->sides[i].unreadable)
            return NULL;
    }
    return steal(&c);
}

void zk_compare_free(struct zk_compare *c)
{
    if (!c)
        return;
    for (int i = 0; i < SIDES; i++)
        map_free(c->sides[i].unreadable);
    free(c);
}

uint64_t zk_compare_equal(const struct zk_compare *c)
{
    return c->equal;
}

/* RC_OK: the side has a node to look at, or has ended. */
static enum rc look(struct zk_compare *c, struct side *s, struct err *e)
{
    while (!s->has && !s->ended) {
        struct err why = ERR_INIT;
        enum rc rc = zk_walk_next(s->walk, &s->node, &why);
        if (rc == RC_AGAIN)
            return rc;
        if (rc < 0)
            return err_set(e, rc, why.retry, "%s: %s", s->name, why.msg);
        s->ended = rc == RC_END;
        s->has = rc == RC_OK && (!c->selects || c->selects(c->arg, &s->node));
        if (s->has && s->node.error)
            rc = map_put(s->unreadable, s->node.path, c, e);
        if (rc < 0)
            return rc;
    }
    return RC_OK;
}

/* True if the side could not read the node, or one above it. */
static bool is_hidden(const struct side *s, struct slice path)
{
    for (struct slice at = path; at.n; at = znode_parent(at))
        if (map_get(s->unreadable, at))
            return true;
    return false;
}

static unsigned what_of_one(const struct zk_compare *c, int side)
{
    const struct zk_walk_node *n = &c->sides[side].node;
    if (n->error || is_hidden(&c->sides[!side], n->path))
        return ZK_COMPARE_UNREADABLE;
    return side == SOURCE ? ZK_COMPARE_MISSING : ZK_COMPARE_EXTRA;
}

static bool knows_acl(const struct znode *n)
{
    return n->has_acl && !znode_acl_is_masked(n->acl, n->n_acl);
}

static unsigned what_of_both(const struct zk_walk_node *s, const struct zk_walk_node *d)
{
    if (s->error || d->error)
        return ZK_COMPARE_UNREADABLE;
    unsigned what = 0;
    if (!znode_same_data(&s->node, &d->node))
        what |= ZK_COMPARE_DATA;
    bool known = knows_acl(&s->node) && knows_acl(&d->node);
    if (known && !znode_same_acl(&s->node, &d->node))
        what |= ZK_COMPARE_ACL;
    if (znode_sequence(&d->node.stat) < znode_sequence(&s->node.stat))
        what |= ZK_COMPARE_SEQUENCE;
    return what;
}

/* Compares what both sides look at, one of which at least has a node. */
static struct zk_difference compare(struct zk_compare *c)
{
    const struct side *s = &c->sides[SOURCE], *d = &c->sides[DESTINATION];
    int order = !s->has ? 1 : !d->has ? -1 : zk_walk_cmp(s->node.path, d->node.path);
    c->pass[SOURCE] = order <= 0;
    c->pass[DESTINATION] = order >= 0;
    unsigned what =
        order ? what_of_one(c, order < 0 ? SOURCE : DESTINATION) : what_of_both(&s->node, &d->node);
    return (struct zk_difference){.what = what,
                                  .path = order <= 0 ? s->node.path : d->node.path,
                                  .source = order <= 0 ? &s->node : NULL,
                                  .destination = order >= 0 ? &d->node : NULL};
}

enum rc zk_compare_next(struct zk_compare *c, struct zk_difference *ret, struct err *e)
{
    for (;;) {
        for (int i = 0; i < SIDES; i++) {
            c->sides[i].has = c->sides[i].has && !c->pass[i];
            c->pass[i] = false;
        }
        enum rc source = look(c, &c->sides[SOURCE], e);
        enum rc destination = source < 0 ? source : look(c, &c->sides[DESTINATION], e);
        if (source < 0 || destination < 0)
            return source < 0 ? source : destination;
        if (source == RC_AGAIN || destination == RC_AGAIN)
            return RC_AGAIN;
        if (!c->sides[SOURCE].has && !c->sides[DESTINATION].has)
            return RC_END;
        struct zk_difference d = compare(c);
        if (d.what) {
            *ret = d;
            return RC_OK;
        }
        c->equal++;
    }
}

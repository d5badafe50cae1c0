/* The requests of an item's next write.
 *
 * Each names the version that was seen, so that nobody else's change is written over. A node gets its final ACL with its
 * creation, if that lets us make its children; else that one and our own id's entry. So does one that gets new data and
 * an ACL that shuts us out. Keeps nothing but the memory of
 * such an ACL and of a path, in the item. */
#include "sinks/zk_item_priv.h"

#include "io/zk.h"

#include <assert.h>

#define DUMMY                                                                                      \
    "/.resilog-sequence" /* below a node whose sequence is raised; never seen by anybody */

bool zk_item_is_alone(const struct zk_item *it)
{
    if (it->wants == ZK_WANTS_LOOK)
        return it->blind;
    return it->wants == ZK_WANTS_WRITE && zk_item_is_put(it) &&
           (it->next == ZK_NEXT_SET_ACL || it->next == ZK_NEXT_SET_PROVISIONAL ||
            it->next == ZK_NEXT_ALIGN);
}

/* Children are to be made below it, and the wanted ACL does not let us. */
static bool needs_provisional(const struct zk_item *it, const struct zk_dest *d)
{
    struct zk_compared c;
    zk_item_compare(it, d, &c);
    bool below = it->want->stat.num_children > 0 || znode_sequence(&it->want->stat) > 0;
    return it->wants_acl && below && !c.can_go_on && d->me.digest.n > 0;
}

static enum rc set_provisional(struct zk_item *it, const struct zk_dest *d, struct zk_call *c,
                               struct err *e)
{
    size_t n = it->want->n_acl;
    free(it->room);
    it->room = calloc(n + 1, sizeof *it->room);
    if (!it->room)
        return err_nomem(e);
    for (size_t i = 0; i < n; i++)
        it->room[i] = it->want->acl[i];
    it->room[n] = zk_acl_own(&d->me);
    c->acl = it->room;
    c->n_acl = n + 1;
    return RC_OK;
}

static void set_acl_of(const struct zk_item *it, const struct zk_dest *d, struct zk_call *c)
{
    c->acl = it->wants_acl ? it->want->acl : d->base_acl;
    c->n_acl = it->wants_acl ? it->want->n_acl : d->n_base_acl;
}

/* Root's missing ancestors come with it. */
static size_t add_ancestors(const struct zk_item *it, const struct zk_dest *d, struct zk_call *out,
                            size_t max)
{
    size_t n = 0;
    struct slice path = zk_item_path(it);
    if (!slice_eq(path, d->root))
        return 0;
    for (size_t at = d->base.n + 1; at < path.n && n + 1 < max; at++)
        if (path.p[at] == '/')
            out[n++] = (struct zk_call){.op = ZK_CREATE,
                                        .path = slice_of(path.p, at),
                                        .null_data = true,
                                        .acl = d->base_acl,
                                        .n_acl = d->n_base_acl};
    return n;
}

static enum rc create_calls(struct zk_item *it, const struct zk_dest *d, struct zk_call *out,
                            size_t max, size_t *ret_n, struct err *e)
{
    struct zk_call c = {.op = ZK_CREATE,
                        .path = zk_item_path(it),
                        .data = it->want->data,
                        .null_data = it->want->null_data};
    size_t n = add_ancestors(it, d, out, max);
    set_acl_of(it, d, &c);
    it->provisional = needs_provisional(it, d);
    if (it->provisional) {
        enum rc rc = set_provisional(it, d, &c, e);
        if (rc != RC_OK)
            return rc;
    }
    out[n] = c;
    *ret_n = n + 1;
    return RC_OK;
}

/* Pairs of a creation and a deletion: each raises the sequence by one. */
static enum rc align_calls(struct zk_item *it, const struct zk_dest *d, struct zk_call *out,
                           size_t max, size_t *ret_n, struct err *e)
{
    struct zk_compared c;
    struct slice path = zk_item_path(it);
    zk_item_compare(it, d, &c);
    int64_t pairs = zk_decide_align(&c);
    size_t n = (uint64_t)pairs < max / 2 ? (size_t)pairs * 2 : max / 2 * 2;
    buf_reset(&it->data);
    buf_add_slice(&it->data, path.n == 1 ? SLICE_NULL : path);
    buf_add_str(&it->data, DUMMY);
    for (size_t i = 0; i < n; i += 2) {
        out[i] = (struct zk_call){.op = ZK_CREATE, .path = buf_slice(&it->data)};
        set_acl_of(it, d, &out[i]);
        out[i + 1] = (struct zk_call){.op = ZK_DELETE, .path = buf_slice(&it->data), .version = -1};
    }
    *ret_n = n;
    return buf_check(&it->data, "a path", e);
}

enum rc zk_item_calls(struct zk_item *it, const struct zk_dest *d, struct zk_call *out, size_t max,
                      size_t *ret_n, struct err *e)
{
    assert(it->wants == ZK_WANTS_WRITE && max >= 2);
    struct zk_call c = {.path = zk_item_path(it)};
    if (zk_item_is_put(it) && it->next == ZK_NEXT_CREATE)
        return create_calls(it, d, out, max, ret_n, e);
    if (zk_item_is_put(it) && it->next == ZK_NEXT_ALIGN)
        return align_calls(it, d, out, max, ret_n, e);
    enum rc rc = RC_OK;
    c.op = !zk_item_is_put(it)            ? ZK_DELETE
           : it->next == ZK_NEXT_SET_DATA ? ZK_SET_DATA
                                          : ZK_SET_ACL;
    c.version = c.op == ZK_SET_ACL ? it->live.aversion : it->live.version;
    if (c.op == ZK_SET_DATA) {
        c.data = it->want->data;
        c.null_data = it->want->null_data;
    } else if (zk_item_is_put(it) && it->next == ZK_NEXT_SET_PROVISIONAL) {
        rc = set_provisional(it, d, &c, e);
    } else if (c.op == ZK_SET_ACL) {
        set_acl_of(it, d, &c);
    }
    out[0] = c;
    *ret_n = 1;
    return rc;
}

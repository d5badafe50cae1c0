/* Lists and a hash of slots. Keeps one array, as long as the window; adding and moving take no memory. */
#include "sinks/zk_slots.h"

#include <assert.h>

#define BIT(state) (1u << (state))
/* From which states a slot may come. */
static const unsigned allowed[ZK_SLOT_STATES] = {
    [ZK_SLOT_FREE] = BIT(ZK_SLOT_FREE) | BIT(ZK_SLOT_TAKEN),
    [ZK_SLOT_LOOK] = BIT(ZK_SLOT_FREE) | BIT(ZK_SLOT_RUNNING) | BIT(ZK_SLOT_WAITING) |
                     BIT(ZK_SLOT_PAUSED) | BIT(ZK_SLOT_WRITE) | BIT(ZK_SLOT_ACL),
    [ZK_SLOT_ACL] = BIT(ZK_SLOT_RUNNING),
    [ZK_SLOT_WRITE] =
        BIT(ZK_SLOT_FREE) | BIT(ZK_SLOT_RUNNING) | BIT(ZK_SLOT_WAITING) | BIT(ZK_SLOT_WRITE),
    [ZK_SLOT_RUNNING] = BIT(ZK_SLOT_LOOK) | BIT(ZK_SLOT_ACL) | BIT(ZK_SLOT_WRITE),
    [ZK_SLOT_WAITING] = BIT(ZK_SLOT_RUNNING) | BIT(ZK_SLOT_WAITING) | BIT(ZK_SLOT_WRITE),
    [ZK_SLOT_PAUSED] = BIT(ZK_SLOT_RUNNING),
    [ZK_SLOT_FINISHED] =
        BIT(ZK_SLOT_FREE) | BIT(ZK_SLOT_RUNNING) | BIT(ZK_SLOT_WAITING) | BIT(ZK_SLOT_WRITE),
    [ZK_SLOT_TAKEN] = BIT(ZK_SLOT_FINISHED),
};

static void add(struct zk_list *l, struct zk_slot *x, bool front)
{
    x->prev = front ? NULL : l->last;
    x->next = front ? l->first : NULL;
    *(x->prev ? &x->prev->next : &l->first) = x;
    *(x->next ? &x->next->prev : &l->last) = x;
    l->n++;
}

static void take_out(struct zk_list *l, struct zk_slot *x)
{
    *(x->prev ? &x->prev->next : &l->first) = x->next;
    *(x->next ? &x->next->prev : &l->last) = x->prev;
    l->n--;
}

enum rc zk_slots_init(struct zk_slots *s, uint32_t n, struct err *e)
{
    *s = (struct zk_slots){.n_chains = 1};
    while (s->n_chains < n)
        s->n_chains *= 2;
    s->all = calloc(n, sizeof *s->all);
    s->chains = calloc(s->n_chains, sizeof(struct zk_slot *));
    if (!s->all || !s->chains)
        return err_nomem(e);
    s->n = n;
    for (uint32_t i = 0; i < n; i++)
        add(&s->lists[ZK_SLOT_FREE], &s->all[i], false);
    return RC_OK;
}

void zk_slots_done(struct zk_slots *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        zk_item_done(&s->all[i].item);
    free(s->all);
    free(s->chains);
}

static struct zk_slot **chain_of(const struct zk_slots *s, struct slice path)
{
    return &s->chains[slice_hash(path) & (s->n_chains - 1)];
}

static void forget_path(struct zk_slots *s, struct zk_slot *x)
{
    struct zk_slot **at = x->path.n ? chain_of(s, x->path) : NULL;
    while (at && *at != x)
        at = &(*at)->chain;
    if (at)
        *at = x->chain;
    x->path = SLICE_NULL;
}

void zk_slots_move(struct zk_slots *s, struct zk_slot *x, enum zk_state state, bool front)
{
    assert(allowed[state] & BIT(x->state));
    take_out(&s->lists[x->state], x);
    if (state == ZK_SLOT_TAKEN || state == ZK_SLOT_FREE)
        forget_path(s, x);
    if (state == ZK_SLOT_FREE) {
        zk_item_done(&x->item);
        *x = (struct zk_slot){0};
    }
    x->state = state;
    add(&s->lists[state], x, front);
}

void zk_slots_name(struct zk_slots *s, struct zk_slot *x, struct slice path)
{
    struct zk_slot **at = chain_of(s, path);
    assert(x->state == ZK_SLOT_FREE && !x->path.n);
    x->path = path;
    x->chain = *at;
    *at = x;
}

struct zk_slot *zk_slots_find(const struct zk_slots *s, struct slice path)
{
    struct zk_slot *x = path.n ? *chain_of(s, path) : NULL;
    while (x && !slice_eq(x->path, path))
        x = x->chain;
    return x;
}

/* A try that ends in the same hold adds to its attempts, a newer event changes its offset, and what is not in the way any
 * more has none: so the rows alone tell what was tried. Keeps a few bytes for each hold. */
#include "cli/adopt_plan.h"

#include "controller/order_board.h"
#include "core/map.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"

#include <stdlib.h>

struct noted {
    rlog_off offset;
    uint32_t attempts;
};

struct adopt_plan {
    struct ckpt *ckpt;
    const struct order *order;
    struct map *noted; /* key -> struct noted */
};

bool adopt_plan_concerns(const struct order *o, struct slice key, const struct hold *h)
{
    bool named = o->key[0] != '\0';
    return hold_is_not_ours(h) && (named ? slice_eq(key, slice_str(o->key)) : !h->skipped);
}

void adopt_plan_free(struct adopt_plan *p)
{
    if (!p)
        return;
    map_free(p->noted);
    free(p);
}

static void free_value(void *value)
{
    free(value);
}

static enum rc note(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct adopt_plan *p = arg;
    struct hold h;
    enum rc rc = hold_decode(value, &h, e);
    if (rc != RC_OK || !adopt_plan_concerns(p->order, key, &h))
        return rc;
    struct noted *n = malloc(sizeof *n);
    if (!n)
        return err_nomem(e);
    *n = (struct noted){h.offset, h.attempts};
    return map_put(p->noted, key, n, e);
}

enum rc adopt_plan_new(struct ckpt *ckpt, const struct order *o, struct adopt_plan **ret,
                       struct err *e)
{
    AUTO(adopt_plan_freep) struct adopt_plan *p = calloc(1, sizeof *p);
    if (!p || !(p->noted = map_new(free_value)))
        return err_nomem(e);
    p->ckpt = ckpt;
    p->order = o;
    enum rc rc = ckpt_scan(ckpt, slice_str(o->sync), CKPT_HOLDS, SLICE_NULL, note, p, e);
    if (rc == RC_OK)
        *ret = steal(&p);
    return rc;
}

bool adopt_plan_is_fresh(const struct adopt_plan *p, struct slice key, const struct hold *h)
{
    const struct noted *n = map_get(p->noted, key);
    return !n || n->offset != h->offset || n->attempts != h->attempts;
}

struct count {
    const struct adopt_plan *plan;
    size_t n;
};

static enum rc count_stale(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct count *c = arg;
    struct hold h;
    enum rc rc = hold_decode(value, &h, e);
    if (rc == RC_OK)
        c->n += !adopt_plan_is_fresh(c->plan, key, &h);
    return rc;
}

enum rc adopt_plan_stale(const struct adopt_plan *p, size_t *ret_n, struct err *e)
{
    struct count c = {p, 0};
    enum rc rc =
        ckpt_scan(p->ckpt, slice_str(p->order->sync), CKPT_HOLDS, SLICE_NULL, count_stale, &c, e);
    if (rc == RC_OK)
        *ret_n = c.n;
    return rc;
}

/* Orders as changes of rows. Pure but for the commit at rest. */
#include "flow/hold_order.h"

#include "flow/pump_rows.h"
#include "log/ckpt.h"

static enum rc retry(struct rows *r, struct slice key, struct hold *h, struct err *e)
{
    h->released = true;
    h->ordered = h->flying;
    if (!h->skipped)
        return RC_OK;
    struct hold again = *h;
    again.skipped = false;
    again.next_ns = 0;
    return rows_set_hold(r, key, &again, e);
}

static enum rc skip(struct rows *r, struct slice key, const struct hold *h, struct err *e)
{
    struct hold skipped = *h;
    skipped.skipped = true;
    skipped.waiting = skipped.flying = skipped.adopt = skipped.ordered = false;
    skipped.next_ns = INT64_MAX;
    return rows_set_hold(r, key, &skipped, e);
}

/* Whether the act can be done with a hold at all: prunes are approved in their own way. */
static bool is_fit(enum hold_act act, const struct hold *h)
{
    switch (act) {
    case HOLD_RETRY:
        return h->skipped || !hold_is_prune(h);
    case HOLD_ADOPT:
        return hold_is_not_ours(h);
    case HOLD_LOOK:
        return hold_is_not_ours(h) && !h->skipped;
    case HOLD_SKIP:
        break;
    }
    return true;
}

static enum rc carry_out(struct rows *r, enum hold_act act, struct slice key, struct hold *h,
                         struct err *e)
{
    if (act == HOLD_SKIP)
        return skip(r, key, h, e);
    if (act == HOLD_ADOPT) /* a retry is no end of an adoption that is under way */
        h->adopt = true;
    return retry(r, key, h, e);
}

static enum rc order_all(struct rows *r, enum hold_act act, size_t *ret_n, struct err *e)
{
    struct slice key = SLICE_NULL;
    struct hold *h;
    size_t n = 0;
    enum rc rc = RC_OK;
    while (rc == RC_OK && rows_next_hold(r, key, &key, &h)) {
        if (h->skipped || !is_fit(act, h))
            continue;
        rc = carry_out(r, act, key, h, e);
        n++;
    }
    *ret_n = n;
    return rc;
}

static enum rc refuse(const struct hold_order *o, const struct hold *h, struct err *e)
{
    if (o->act == HOLD_LOOK && h->skipped)
        return err_set(e, RC_CONFLICT, ERR_FINAL, "%.*s was given up, it is not tried",
                       SLICE_ARG(o->key));
    if (o->act == HOLD_ADOPT || o->act == HOLD_LOOK)
        return err_set(e, RC_CONFLICT, ERR_FINAL,
                       "%.*s is held as \"%s\": only what is held as \"" HOLD_NOT_OURS
                       "\" can be adopted",
                       SLICE_ARG(o->key), h->cls);
    return err_set(e, RC_CONFLICT, ERR_FINAL,
                   "%.*s is held by the prune guard: approve its deletion by 'resilog run "
                   "--allow-prune'",
                   SLICE_ARG(o->key));
}

enum rc hold_order_rows(struct rows *r, const struct hold_order *o, size_t *ret_n, struct err *e)
{
    if (o->key.n == 0 && o->act == HOLD_SKIP)
        return err_set(e, RC_INVALID, ERR_FINAL, "one object is given up at a time: which?");
    if (o->key.n == 0)
        return order_all(r, o->act, ret_n, e);
    struct hold *h = rows_hold(r, o->key);
    if (!h)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%.*s is not held any more", SLICE_ARG(o->key));
    if (!is_fit(o->act, h))
        return refuse(o, h, e);
    *ret_n = 1;
    return carry_out(r, o->act, o->key, h, e);
}

enum rc hold_order_at_rest(struct ckpt *ckpt, struct slice consumer, const struct hold_order *o,
                           size_t *ret_n, struct err *e)
{
    AUTO(rows_freep) struct rows *rows = NULL;
    struct ckpt_head head;
    if (o->act == HOLD_ADOPT || o->act == HOLD_LOOK)
        return err_set(
            e, RC_CONFLICT, ERR_FINAL,
            "the synchronization is not at work, nothing was %s: start 'resilog run', or "
            "end its suspension",
            o->act == HOLD_ADOPT ? "adopted" : "looked at");
    enum rc rc = ckpt_load(ckpt, consumer, &head, NULL, NULL, e);
    if (rc == RC_OK)
        rc = rows_open(ckpt, consumer, &rows, e);
    if (rc == RC_OK)
        rc = hold_order_rows(rows, o, ret_n, e);
    if (rc != RC_OK || rows_pending(rows) == 0)
        return rc;
    return rows_commit(rows, &head, SLICE_NULL, e);
}

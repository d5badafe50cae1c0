/* Orders as changes of rows. Pure but for the commit at rest. */
#include "flow/hold_order.h"

#include "flow/pump_rows.h"
#include "log/ckpt.h"

static enum rc retry(struct rows *r, struct slice key, struct hold *h, struct err *e)
{
    h->released = true;
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
    skipped.waiting = skipped.flying = false;
    skipped.next_ns = INT64_MAX;
    return rows_set_hold(r, key, &skipped, e);
}

static enum rc order_all(struct rows *r, size_t *ret_n, struct err *e)
{
    struct slice key = SLICE_NULL;
    struct hold *h;
    size_t n = 0;
    enum rc rc = RC_OK;
    while (rc == RC_OK && rows_next_hold(r, key, &key, &h)) {
        if (h->skipped || hold_is_prune(h))
            continue;
        rc = retry(r, key, h, e);
        n++;
    }
    *ret_n = n;
    return rc;
}

enum rc hold_order_rows(struct rows *r, const struct hold_order *o, size_t *ret_n, struct err *e)
{
    if (o->key.n == 0)
        return o->act == HOLD_RETRY
                   ? order_all(r, ret_n, e)
                   : err_set(e, RC_INVALID, ERR_FINAL, "one object is given up at a time: which?");
    struct hold *h = rows_hold(r, o->key);
    if (!h)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%.*s is not held any more", SLICE_ARG(o->key));
    *ret_n = 1;
    if (o->act == HOLD_SKIP)
        return skip(r, o->key, h, e);
    if (hold_is_prune(h) && !h->skipped)
        return err_set(e, RC_CONFLICT, ERR_FINAL,
                       "%.*s is held by the prune guard: approve its deletion by 'resilog run "
                       "--allow-prune'",
                       SLICE_ARG(o->key));
    return retry(r, o->key, h, e);
}

enum rc hold_order_at_rest(struct ckpt *ckpt, struct slice consumer, const struct hold_order *o,
                           size_t *ret_n, struct err *e)
{
    AUTO(rows_freep) struct rows *rows = NULL;
    struct ckpt_head head;
    enum rc rc = ckpt_load(ckpt, consumer, &head, NULL, NULL, e);
    if (rc == RC_OK)
        rc = rows_open(ckpt, consumer, &rows, e);
    if (rc == RC_OK)
        rc = hold_order_rows(rows, o, ret_n, e);
    if (rc != RC_OK || rows_pending(rows) == 0)
        return rc;
    return rows_commit(rows, &head, SLICE_NULL, e);
}

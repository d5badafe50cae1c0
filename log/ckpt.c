/* The dispatchers of the checkpoints: they check names, keys and sizes, which are the same for
 * every back end, then call it. Keeps nothing. Threads: as log/ckpt.h says. */
#include "log/ckpt_ops.h"

#include <assert.h>

static enum rc check_name(struct slice consumer, struct err *e)
{
    if (consumer.n > 0 && consumer.n <= CKPT_NAME_MAX)
        return RC_OK;
    return err_set(e, consumer.n ? RC_LIMIT : RC_INVALID, ERR_FINAL,
                   "the consumer's name has %zu bytes, allowed is 1 to %d", consumer.n,
                   CKPT_NAME_MAX);
}

static enum rc check_table(enum ckpt_table table, struct err *e)
{
    if (table == CKPT_HOLDS || table == CKPT_APPLIED)
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FINAL, "table %d of a checkpoint is not known", (int)table);
}

static enum rc check_key(struct slice key, struct err *e)
{
    if (key.n > 0 && key.n <= EVENT_TEXT_MAX)
        return RC_OK;
    return err_set(e, key.n ? RC_LIMIT : RC_INVALID, ERR_FINAL,
                   "the key of a row has %zu bytes, allowed is 1 to %u", key.n, EVENT_TEXT_MAX);
}

static enum rc check_value(struct slice value, const char *what, struct err *e)
{
    if (value.n <= CKPT_VALUE_MAX)
        return RC_OK;
    return err_set(e, RC_LIMIT, ERR_FINAL,
                   "the %s of a checkpoint has %zu bytes, at most %u are allowed", what, value.n,
                   CKPT_VALUE_MAX);
}

void ckpt_close(struct ckpt *c)
{
    if (c)
        c->ops->close(c);
}

enum rc ckpt_load(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                  struct buf *position, struct buf *status, struct err *e)
{
    enum rc rc = check_name(consumer, e);
    return rc == RC_OK ? c->ops->load(c, consumer, ret, position, status, e) : rc;
}

enum rc ckpt_get(struct ckpt *c, struct slice consumer, enum ckpt_table table, struct slice key,
                 struct buf *out, struct err *e)
{
    enum rc rc = check_name(consumer, e);
    if (rc == RC_OK)
        rc = check_table(table, e);
    if (rc == RC_OK)
        rc = check_key(key, e);
    return rc == RC_OK ? c->ops->get(c, consumer, table, key, out, e) : rc;
}

enum rc ckpt_scan(struct ckpt *c, struct slice consumer, enum ckpt_table table, struct slice prefix,
                  ckpt_row_fn *fn, void *arg, struct err *e)
{
    enum rc rc = check_name(consumer, e);
    if (rc == RC_OK)
        rc = check_table(table, e);
    return rc == RC_OK ? c->ops->scan(c, consumer, table, prefix, fn, arg, e) : rc;
}

static enum rc check_row(const struct ckpt_row *row, struct err *e)
{
    enum rc rc = check_table(row->table, e);
    if (rc == RC_OK)
        rc = check_key(row->key, e);
    return rc == RC_OK ? check_value(row->value, "value", e) : rc;
}

enum rc ckpt_commit(struct ckpt *c, struct slice consumer, const struct ckpt_commit *what,
                    struct err *e)
{
    assert(what->rows || what->n_rows == 0);
    enum rc rc = check_name(consumer, e);
    if (rc == RC_OK)
        rc = check_value(what->position, "position", e);
    if (rc == RC_OK)
        rc = check_value(what->status, "status", e);
    for (size_t i = 0; rc == RC_OK && i < what->n_rows; i++)
        rc = check_row(&what->rows[i], e);
    return rc == RC_OK ? c->ops->commit(c, consumer, what, e) : rc;
}

enum rc ckpt_list(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e)
{
    return c->ops->list(c, fn, arg, e);
}

enum rc ckpt_remove(struct ckpt *c, struct slice consumer, struct err *e)
{
    enum rc rc = check_name(consumer, e);
    return rc == RC_OK ? c->ops->remove(c, consumer, e) : rc;
}

void ckpt_let_go(struct ckpt *c, struct slice consumer)
{
    if (c->ops->let_go)
        c->ops->let_go(c, consumer);
}

/* The dispatchers of the log: they check what is the same for every back end (arguments, access,
 * batch limits), then call it, and tell the listeners after a durable append. Keeps: the list of
 * listeners, which only grows. Threads: as log/rlog.h says; the list belongs to the appending
 * thread. */
#include "log/rlog_ops.h"

#include "core/digest.h"
#include "core/env.h"
#include "core/event_codec.h"
#include "core/event_iter.h"
#include "core/key.h"
#include "core/le.h"
#include "core/rng.h"

#include <inttypes.h>

struct rlog_listener {
    struct rlog_listener *next;
    rlog_notify_fn *fn;
    void *arg;
};

void rlog_init(struct rlog *l, const struct rlog_ops *ops, enum rlog_access access)
{
    *l = (struct rlog){.ops = ops, .access = access};
}

void rlog_close(struct rlog *l)
{
    if (!l)
        return;
    while (l->listeners) {
        struct rlog_listener *gone = l->listeners;
        l->listeners = gone->next;
        free(gone);
    }
    l->ops->close(l);
}

enum rc rlog_on_append(struct rlog *l, rlog_notify_fn *fn, void *arg, struct err *e)
{
    struct rlog_listener *added = malloc(sizeof(*added));
    if (!added)
        return err_nomem(e);
    *added = (struct rlog_listener){.next = l->listeners, .fn = fn, .arg = arg};
    l->listeners = added;
    return RC_OK;
}

static enum rc check_writable(const struct rlog *l, const char *call, struct err *e)
{
    if (l->access == RLOG_WRITE)
        return RC_OK;
    return err_set(e, RC_DENIED, ERR_FINAL,
                   "%s: the log was opened for reading; open it for writing", call);
}

static enum rc check_batch(const struct event *batch, size_t n, struct err *e)
{
    if (n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "append: the batch is empty, it needs one event");
    if (n > EVENT_BATCH_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "append: %zu events, at most %u are allowed; split them", n,
                       EVENT_BATCH_MAX);
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        if (event_check(&batch[i], e) != RC_OK)
            return err_wrap(e, "append: event %zu of the batch", i);
        bytes += event_encoded_size(&batch[i]);
    }
    if (bytes > EVENT_BATCH_BYTES_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "append: %zu bytes, at most %u are allowed; split them", bytes,
                       EVENT_BATCH_BYTES_MAX);
    return RC_OK;
}

enum rc rlog_append(struct rlog *l, const struct event *batch, size_t n, rlog_off expect_next,
                    rlog_off *ret_first, struct err *e)
{
    enum rc rc = check_writable(l, "append", e);
    if (rc == RC_OK)
        rc = check_batch(batch, n, e);
    rlog_off first = 0;
    if (rc == RC_OK)
        rc = l->ops->append(l, batch, n, expect_next, &first, e);
    if (rc != RC_OK)
        return rc;
    if (ret_first)
        *ret_first = first;
    for (struct rlog_listener *x = l->listeners; x; x = x->next)
        x->fn(x->arg);
    return RC_OK;
}

void rlog_new_id(const struct env *env, uint8_t ret[RLOG_ID_SIZE])
{
    for (size_t i = 0; i < RLOG_ID_SIZE; i += 8)
        le_put_u64(ret + i, rng_u64(env->rng));
}

enum rc rlog_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e)
{
    return l->ops->bounds(l, ret, e);
}

static enum rc check_span(rlog_off from, rlog_off until, struct err *e)
{
    if (until == 0 || from <= until)
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "the range ends before it starts: from %" PRIu64 " until %" PRIu64, from, until);
}

static enum rc check_range(const struct rlog_range *r, struct err *e)
{
    if (r->mode != RLOG_EVERY && r->mode != RLOG_LAST_PER_KEY && r->mode != RLOG_LIVE)
        return err_set(e, RC_INVALID, ERR_FINAL, "cursor: mode %d is not known", (int)r->mode);
    if (r->shards > 0 && r->shard >= r->shards)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "cursor: shard %" PRIu32 " of %" PRIu32 ", they are counted from 0",
                       r->shard, r->shards);
    return check_span(r->from, r->until, e);
}

enum rc rlog_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                    struct err *e)
{
    struct rlog_range r = *range;
    if (r.from == 0)
        r.from = 1;
    enum rc rc = check_range(&r, e);
    return rc == RC_OK ? l->ops->cursor(l, &r, ret, e) : rc;
}

static enum rc check_key(struct slice key, struct err *e)
{
    if (key.n > 0 && key.n <= EVENT_TEXT_MAX)
        return RC_OK;
    return err_set(e, RC_INVALID, ERR_FINAL, "the key has %zu bytes, allowed is 1 to %u", key.n,
                   EVENT_TEXT_MAX);
}

enum rc rlog_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                  struct err *e)
{
    enum rc rc = check_key(key, e);
    return rc == RC_OK ? l->ops->last(l, key, at, ret, e) : rc;
}

enum rc rlog_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                     struct event_iter **ret, struct err *e)
{
    rlog_off start = from ? from : 1;
    enum rc rc = check_key(key, e);
    if (rc == RC_OK)
        rc = check_span(start, until, e);
    return rc == RC_OK ? l->ops->history(l, key, start, until, ret, e) : rc;
}

enum rc rlog_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e)
{
    return l->ops->seek(l, time_ns, ret, e);
}

enum rc rlog_trim(struct rlog *l, rlog_off below, struct err *e)
{
    enum rc rc = check_writable(l, "trim", e);
    return rc == RC_OK ? l->ops->trim(l, below, e) : rc;
}

enum rc rlog_maintain(struct rlog *l, struct err *e)
{
    enum rc rc = check_writable(l, "maintain", e);
    return rc == RC_OK ? l->ops->maintain(l, e) : rc;
}

void rlog_found_done(struct rlog_found *f)
{
    if (!f)
        return;
    free(f->memory);
    *f = (struct rlog_found){0};
}

enum rc rlog_found_set(struct rlog_found *ret, const struct event *ev, struct err *e)
{
    struct event *copy = event_copy(ev);
    if (!copy)
        return err_nomem(e);
    *ret = (struct rlog_found){.event = *copy, .memory = copy};
    return RC_OK;
}

enum rc rlog_check_from(rlog_off from, const struct rlog_bounds *bounds, struct err *e)
{
    if (from < bounds->first)
        return err_set(e, RC_EXPIRED, ERR_RESYNC,
                       "offset %" PRIu64 " was trimmed, the oldest one is %" PRIu64, from,
                       bounds->first);
    if (from > bounds->next)
        return err_set(e, RC_INVALID, ERR_FATAL,
                       "offset %" PRIu64 " lies behind the end %" PRIu64
                       "; is this the log that the offset was taken from?",
                       from, bounds->next);
    return RC_OK;
}

uint32_t rlog_key_hash(struct slice key)
{
    return crc32c(0, key.p, key.n);
}

bool rlog_range_has(const struct rlog_range *range, struct slice key)
{
    if (!slice_starts(key, range->prefix))
        return false;
    if (key_is_internal(key) && !range->all_keys && !key_is_internal(range->prefix))
        return false;
    return range->shards == 0 || rlog_key_hash(key) % range->shards == range->shard;
}

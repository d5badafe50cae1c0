/* The log in memory: the reference model that every other back end is compared with, so plain
 * before fast. Keeps: one array of owned events in offset order. events[i] has the offset first +
 * i; offsets are dense, times never fall, chain covers every event ever appended. A batch is built
 * behind the array's end and counted in one step, so a failure leaves no trace. Fencing: a writer
 * whose epoch is not the store's was replaced; a handle whose life is not the store's died in a
 * crash. Threads: one mutex guards the store; what leaves it is copied. */
#include "log/rlog_clock.h"
#include "log/rlog_ops.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/env.h"
#include "core/event_codec.h"
#include "core/event_iter.h"
#include "core/map.h"

#include <inttypes.h>
#include <pthread.h>

#define TRIM_UNIT 16 /* events */

struct rlog_mem_store {
    pthread_mutex_t lock;
    struct event **events;
    size_t n, cap;
    rlog_off first;
    uint64_t epoch;
    uint64_t life; /* crashes so far */
    int64_t last_time_ns;
    uint8_t chain[SHA256_SIZE];
    uint8_t id[RLOG_ID_SIZE]; /* given by the first writer */
};

struct rlog_mem {
    struct rlog base;
    struct rlog_mem_store *store;
    const struct env *env;
    uint64_t epoch;
    uint64_t life;
    struct rlog_clock believed; /* writer: of the clocks */
};

struct mem_cursor {
    struct event_iter base;
    struct rlog_mem *log;
    struct rlog_range range; /* prefix points into text, until is fixed where the mode wants it */
    char *text;              /* prefix, or the key of a history */
    bool exact;              /* history: the whole key must be equal */
    rlog_off at;             /* next offset to look at */
    struct map *last;        /* per key modes: key -> its last offset in the range, as a pointer */
    struct event *view;      /* what next gave last */
    struct err failed;       /* sticky */
};

/* ---- Store ---- */

struct rlog_mem_store *rlog_mem_store_new(void)
{
    struct rlog_mem_store *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->first = 1;
    return s;
}

void rlog_mem_store_free(struct rlog_mem_store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->events[i]);
    free(s->events);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void rlog_mem_crash(struct rlog_mem_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->life++;
    pthread_mutex_unlock(&s->lock);
}

static rlog_off next_offset(const struct rlog_mem_store *s)
{
    return s->first + s->n;
}

static const struct event *event_at(const struct rlog_mem_store *s, rlog_off offset)
{
    return s->events[offset - s->first];
}

static void fill_bounds(const struct rlog_mem_store *s, struct rlog_bounds *ret)
{
    *ret = (struct rlog_bounds){.first = s->first,
                                .next = next_offset(s),
                                .epoch = s->epoch,
                                .last_time_ns = s->last_time_ns};
    memcpy(ret->chain, s->chain, sizeof(ret->chain));
    memcpy(ret->id, s->id, sizeof(ret->id));
}

static struct rlog_mem *mem_of(struct rlog *l)
{
    return (struct rlog_mem *)l;
}

/* Locks the store for one call of a live handle. On failure nothing is locked. */
static enum rc enter(struct rlog_mem *m, struct err *e)
{
    pthread_mutex_lock(&m->store->lock);
    if (m->life == m->store->life)
        return RC_OK;
    pthread_mutex_unlock(&m->store->lock);
    return err_set(e, RC_IO, ERR_FATAL, "this handle died in a crash; open the log again");
}

static enum rc leave(struct rlog_mem *m, enum rc rc)
{
    pthread_mutex_unlock(&m->store->lock);
    return rc;
}

static enum rc check_epoch(const struct rlog_mem *m, struct err *e)
{
    if (m->epoch == m->store->epoch)
        return RC_OK;
    return err_set(e, RC_CONFLICT, ERR_FATAL,
                   "another writer took the log: its epoch is %" PRIu64 ", ours was %" PRIu64,
                   m->store->epoch, m->epoch);
}

/* ---- Append ---- */

static enum rc reserve(struct rlog_mem_store *s, size_t more, struct err *e)
{
    if (s->cap - s->n >= more)
        return RC_OK;
    size_t cap = s->cap * 2 > s->n + more ? s->cap * 2 : s->n + more;
    struct event **events = realloc(s->events, cap * sizeof(struct event *));
    if (!events)
        return err_nomem(e);
    s->events = events;
    s->cap = cap;
    return RC_OK;
}

/* Copies one event behind the end and takes the chain one step on. */
static enum rc stage(struct rlog_mem_store *s, const struct event *given, size_t at,
                     uint8_t chain[SHA256_SIZE], struct err *e)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    enum rc rc = event_encode(given, &bytes, e);
    if (rc != RC_OK)
        return rc;
    struct event *copy = event_copy(given);
    if (!copy)
        return err_nomem(e);
    sha256(slice_of(chain, SHA256_SIZE), buf_slice(&bytes), chain);
    s->events[at] = copy;
    return RC_OK;
}

static enum rc append_stamped(struct rlog_mem *m, const struct rlog_stamped *batch, struct err *e)
{
    struct rlog_mem_store *s = m->store;
    uint8_t chain[SHA256_SIZE];
    memcpy(chain, s->chain, sizeof(chain));
    enum rc rc = reserve(s, batch->n, e);
    for (size_t i = 0; rc == RC_OK && i < batch->n; i++) {
        struct event ev = batch->batch[i];
        ev.offset = next_offset(s) + i;
        ev.epoch = m->epoch;
        ev.time_ns = batch->time_ns;
        rc = stage(s, &ev, s->n + i, chain, e);
        if (rc == RC_OK)
            continue;
        while (i-- > 0)
            free(s->events[s->n + i]);
        return rc;
    }
    if (rc != RC_OK)
        return rc;
    s->n += batch->n;
    s->last_time_ns = batch->time_ns;
    memcpy(s->chain, chain, sizeof(chain));
    m->believed = batch->next;
    return RC_OK;
}

static enum rc append_locked(struct rlog_mem *m, const struct event *batch, size_t n,
                             rlog_off expect_next, rlog_off *ret_first, struct err *e)
{
    AUTO(rlog_stamped_done) struct rlog_stamped stamped = {0};
    rlog_off first = next_offset(m->store);
    enum rc rc = check_epoch(m, e);
    if (rc != RC_OK)
        return rc;
    if (expect_next != RLOG_ANY && expect_next != first)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "append: expected offset %" PRIu64 ", what comes next is %" PRIu64,
                       expect_next, first);
    const struct rlog_clock_now now = rlog_clock_now(m->env->clock, m->store->last_time_ns);
    rc = rlog_clock_stamp(&m->believed, &now, batch, n, &stamped, e);
    if (rc == RC_OK)
        rc = append_stamped(m, &stamped, e);
    if (rc == RC_OK)
        *ret_first = first + stamped.own;
    return rc;
}

static enum rc mem_append(struct rlog *l, const struct event *batch, size_t n, rlog_off expect_next,
                          rlog_off *ret_first, struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    return rc == RC_OK ? leave(m, append_locked(m, batch, n, expect_next, ret_first, e)) : rc;
}

/* ---- Cursors ---- */

static void cursor_free(struct event_iter *it)
{
    struct mem_cursor *c = (struct mem_cursor *)it;
    if (!c)
        return;
    map_free(c->last);
    free(c->view);
    free(c->text);
    free(c);
}

static bool cursor_wants(const struct mem_cursor *c, const struct event *ev)
{
    if (c->exact)
        return slice_eq(ev->key, c->range.prefix);
    if (!rlog_range_has(&c->range, ev->key))
        return false;
    if (c->last && (uintptr_t)map_get(c->last, ev->key) != ev->offset)
        return false;
    return c->range.mode != RLOG_LIVE || ev->op != EVENT_DELETE;
}

static enum rc cursor_fail(struct mem_cursor *c, struct err *e)
{
    if (e)
        *e = c->failed;
    return c->failed.rc;
}

static enum rc cursor_step(struct mem_cursor *c, const struct event **ret)
{
    const struct rlog_mem_store *s = c->log->store;
    while (c->range.until == 0 || c->at < c->range.until) {
        if (c->at < s->first)
            return err_set(&c->failed, RC_EXPIRED, ERR_RESYNC,
                           "offset %" PRIu64 " was trimmed, the oldest one is %" PRIu64, c->at,
                           s->first);
        if (c->at >= next_offset(s))
            return RC_AGAIN;
        const struct event *ev = event_at(s, c->at);
        c->at++;
        if (!cursor_wants(c, ev))
            continue;
        c->view = event_copy(ev);
        if (!c->view)
            return err_nomem(&c->failed);
        *ret = c->view;
        return RC_OK;
    }
    return RC_END;
}

static enum rc cursor_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct mem_cursor *c = (struct mem_cursor *)it;
    free(c->view);
    c->view = NULL;
    if (c->failed.rc != RC_OK)
        return cursor_fail(c, e);
    enum rc rc = enter(c->log, &c->failed);
    if (rc == RC_OK)
        rc = leave(c->log, cursor_step(c, ret));
    return rc < 0 ? cursor_fail(c, e) : rc;
}

static const struct event_iter_ops cursor_ops = {.next = cursor_next, .free = cursor_free};
DEFINE_FREEP(struct event_iter, cursor_free)

static struct mem_cursor *cursor_new(struct rlog_mem *m, const struct rlog_range *range)
{
    struct mem_cursor *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->base.ops = &cursor_ops;
    c->log = m;
    c->range = *range;
    c->at = range->from;
    c->text = malloc(range->prefix.n + 1);
    if (!c->text) {
        free(c);
        return NULL;
    }
    if (range->prefix.n)
        memcpy(c->text, range->prefix.p, range->prefix.n);
    c->range.prefix.p = c->text;
    return c;
}

/* For the per key modes: notes the last offset of each key of the range. */
static enum rc find_last(struct mem_cursor *c, struct err *e)
{
    const struct rlog_mem_store *s = c->log->store;
    c->last = map_new(NULL);
    if (!c->last)
        return err_nomem(e);
    for (rlog_off at = c->range.from; at < c->range.until; at++) {
        const struct event *ev = event_at(s, at);
        if (!rlog_range_has(&c->range, ev->key))
            continue;
        enum rc rc = map_put(c->last, ev->key, (void *)(uintptr_t)at, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc cursor_start(struct mem_cursor *c, struct err *e)
{
    struct rlog_bounds bounds;
    fill_bounds(c->log->store, &bounds);
    enum rc rc = rlog_check_from(c->range.from, &bounds, e);
    bool follows = c->range.mode == RLOG_EVERY && !c->exact;
    if (rc != RC_OK || follows)
        return rc;
    if (c->range.until == 0 || c->range.until > bounds.next)
        c->range.until = bounds.next;
    return c->range.mode == RLOG_EVERY ? RC_OK : find_last(c, e);
}

static enum rc open_cursor(struct rlog_mem *m, const struct rlog_range *range, bool exact,
                           struct event_iter **ret, struct err *e)
{
    struct mem_cursor *c = cursor_new(m, range);
    if (!c)
        return err_nomem(e);
    AUTO(cursor_freep) struct event_iter *it = &c->base;
    c->exact = exact;
    enum rc rc = enter(m, e);
    if (rc != RC_OK)
        return rc;
    rc = leave(m, cursor_start(c, e));
    if (rc == RC_OK)
        *ret = steal(&it);
    return rc;
}

static enum rc mem_cursor_open(struct rlog *l, const struct rlog_range *range,
                               struct event_iter **ret, struct err *e)
{
    return open_cursor(mem_of(l), range, false, ret, e);
}

static enum rc mem_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                           struct event_iter **ret, struct err *e)
{
    const struct rlog_range range = {
        .from = from, .until = until, .prefix = key, .mode = RLOG_EVERY};
    return open_cursor(mem_of(l), &range, true, ret, e);
}

/* ---- The rest ---- */

static enum rc mem_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    if (rc != RC_OK)
        return rc;
    fill_bounds(m->store, ret);
    return leave(m, RC_OK);
}

static enum rc last_locked(const struct rlog_mem_store *s, struct slice key, rlog_off at,
                           struct rlog_found *ret, struct err *e)
{
    if (at != 0 && at <= s->first && s->first > 1)
        return err_set(e, RC_EXPIRED, ERR_RESYNC,
                       "all events below offset %" PRIu64
                       " were trimmed, the oldest one is %" PRIu64,
                       at, s->first);
    rlog_off end = at == 0 || at > next_offset(s) ? next_offset(s) : at;
    for (rlog_off o = end; o > s->first; o--) {
        if (slice_eq(event_at(s, o - 1)->key, key))
            return rlog_found_set(ret, event_at(s, o - 1), e);
    }
    return err_set(e, RC_NOTFOUND, ERR_FINAL,
                   "the log has no event of \"%.*s\" below offset %" PRIu64, SLICE_ARG(key), end);
}

static enum rc mem_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                        struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    return rc == RC_OK ? leave(m, last_locked(m->store, key, at, ret, e)) : rc;
}

static enum rc mem_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    if (rc != RC_OK)
        return rc;
    rlog_off at = m->store->first;
    while (at < next_offset(m->store) && event_at(m->store, at)->time_ns < time_ns)
        at++;
    *ret = at;
    return leave(m, RC_OK);
}

static void drop_below(struct rlog_mem_store *s, rlog_off first)
{
    size_t gone = (size_t)(first - s->first);
    for (size_t i = 0; i < gone; i++)
        free(s->events[i]);
    memmove(s->events, s->events + gone, (s->n - gone) * sizeof(struct event *));
    s->n -= gone;
    s->first = first;
}

static enum rc mem_trim(struct rlog *l, rlog_off below, struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    if (rc != RC_OK)
        return rc;
    rc = check_epoch(m, e);
    if (rc != RC_OK)
        return leave(m, rc);
    rlog_off next = next_offset(m->store);
    rlog_off end = below > next ? next : below;
    rlog_off first = end == 0 ? 1 : end - (end - 1) % TRIM_UNIT;
    if (first > m->store->first)
        drop_below(m->store, first);
    return leave(m, RC_OK);
}

static enum rc mem_maintain(struct rlog *l, struct err *e)
{
    struct rlog_mem *m = mem_of(l);
    enum rc rc = enter(m, e);
    if (rc != RC_OK)
        return rc;
    rc = check_epoch(m, e);
    return leave(m, rc == RC_OK ? RC_AGAIN : rc);
}

static void mem_close(struct rlog *l)
{
    free(mem_of(l));
}

static const struct rlog_ops mem_ops = {
    .name = "mem",
    .close = mem_close,
    .append = mem_append,
    .bounds = mem_bounds,
    .cursor = mem_cursor_open,
    .last = mem_last,
    .history = mem_history,
    .seek = mem_seek,
    .trim = mem_trim,
    .maintain = mem_maintain,
};

enum rc rlog_mem_open(struct rlog_mem_store *s, enum rlog_access access, const struct env *env,
                      struct rlog **ret, struct err *e)
{
    struct rlog_mem *m = calloc(1, sizeof(*m));
    if (!m)
        return err_nomem(e);
    rlog_init(&m->base, &mem_ops, access);
    m->store = s;
    m->env = env;
    pthread_mutex_lock(&s->lock);
    if (access == RLOG_WRITE) {
        const struct rlog_clock_now now = rlog_clock_now(env->clock, s->last_time_ns);
        m->believed = rlog_clock_start(&now);
        if (s->epoch++ == 0)
            rlog_new_id(env, s->id);
    }
    m->epoch = s->epoch;
    m->life = s->life;
    pthread_mutex_unlock(&s->lock);
    *ret = &m->base;
    return RC_OK;
}

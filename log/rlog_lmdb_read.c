/* Reading: bounds, cursors, last, history, seek. Keeps: a cursor owns a segment_reader and no open
 * file; between two calls it holds nothing of the log. Modes per key and histories are a list of
 * offsets from the indexes, made at opening. Failure modes: EXPIRED where trim was faster, CORRUPT
 * with the offset; both are sticky. Threads: a cursor belongs to one; the log's lock is taken for
 * moments. */
#include "log/rlog_lmdb_priv.h"

#include "core/event_iter.h"
#include "log/folder.h"

#include <inttypes.h>

struct lmdb_iter {
    struct event_iter base;
    struct rlog_lmdb *log;
    struct segment_reader *reader;
    struct rlog_range range; /* its prefix points into text */
    char *text;
    bool listed; /* a list of offsets, not a walk */
    bool exact;  /* history: only this very key */
    struct offset_list list;
    size_t place;   /* in the list */
    rlog_off at;    /* of a walk: the next offset to look at */
    rlog_off known; /* there are events below this one */
    struct err failed;
};

/* ---- Bounds ---- */

static enum rc bounds_locked(struct rlog_lmdb *l, struct rlog_bounds *ret, struct err *e)
{
    enum rc rc = lmdb_refresh(l, e);
    if (rc != RC_OK)
        return rc;
    *ret = (struct rlog_bounds){.first = l->n ? l->segments[0]->first : l->tail.next,
                                .next = l->tail.next,
                                .epoch = l->epoch,
                                .last_time_ns = l->tail.time_ns};
    memcpy(ret->id, l->log_id, sizeof(ret->id));
    memcpy(ret->chain, l->tail.after.events, sizeof(ret->chain));
    if (l->base.access == RLOG_READ) {
        uint64_t known = folder_lock_epoch(l->dir);
        ret->epoch = known > l->tail.epoch ? known : l->tail.epoch;
    }
    return RC_OK;
}

enum rc lmdb_bounds(struct rlog *log, struct rlog_bounds *ret, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    pthread_mutex_lock(&l->lock);
    enum rc rc = bounds_locked(l, ret, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* ---- One event ---- */

/* The event at an offset below the tail; lives until the reader's next call. */
static enum rc read_event(struct rlog_lmdb *l, struct segment_reader *r, rlog_off at,
                          const struct event **ret, struct err *e)
{
    if (segment_reader_has(r, at))
        return segment_reader_event(r, NULL, at, ret, e);
    struct lmdb_use use = {0};
    struct pages *f = NULL;
    enum rc rc = lmdb_use_segment(l, at, &use, e);
    if (rc == RC_OK)
        rc = lmdb_use_file(l, &use, &f, e);
    if (rc == RC_OK)
        rc = segment_reader_event(r, f, at, ret, e);
    lmdb_release_segment(l, &use);
    return rc;
}

/* ---- Iterators ---- */

static void iter_free(struct event_iter *base)
{
    struct lmdb_iter *it = (struct lmdb_iter *)base;
    if (!it)
        return;
    segment_reader_free(it->reader);
    offset_list_done(&it->list);
    free(it->text);
    free(it);
}
DEFINE_FREEP(struct event_iter, iter_free)

static bool iter_wants(const struct lmdb_iter *it, const struct event *ev)
{
    return it->exact ? slice_eq(ev->key, it->range.prefix) : rlog_range_has(&it->range, ev->key);
}

/* How far a walk may go now. RC_AGAIN at the tail; a damaged log says so there. */
static enum rc iter_more(struct lmdb_iter *it, struct err *e)
{
    struct rlog_lmdb *l = it->log;
    struct rlog_bounds b;
    pthread_mutex_lock(&l->lock);
    enum rc rc = bounds_locked(l, &b, e);
    if (rc == RC_OK)
        it->known = b.next;
    if (rc == RC_OK && it->at >= b.next && l->damage.rc != RC_OK) {
        rc = l->damage.rc;
        if (e)
            *e = l->damage;
    }
    pthread_mutex_unlock(&l->lock);
    return rc == RC_OK && it->at >= it->known ? RC_AGAIN : rc;
}

static enum rc iter_walk(struct lmdb_iter *it, const struct event **ret, struct err *e)
{
    while (it->range.until == 0 || it->at < it->range.until) {
        enum rc rc = it->at < it->known ? RC_OK : iter_more(it, e);
        const struct event *ev = NULL;
        if (rc == RC_OK)
            rc = read_event(it->log, it->reader, it->at, &ev, e);
        if (rc != RC_OK)
            return rc;
        it->at++;
        if (!iter_wants(it, ev))
            continue;
        *ret = ev;
        return RC_OK;
    }
    return RC_END;
}

static enum rc iter_list(struct lmdb_iter *it, const struct event **ret, struct err *e)
{
    while (it->place < it->list.n) {
        const struct event *ev = NULL;
        enum rc rc = read_event(it->log, it->reader, it->list.p[it->place], &ev, e);
        if (rc != RC_OK)
            return rc;
        it->place++;
        if (!iter_wants(it, ev))
            continue;
        *ret = ev;
        return RC_OK;
    }
    return RC_END;
}

static enum rc iter_next(struct event_iter *base, const struct event **ret, struct err *e)
{
    struct lmdb_iter *it = (struct lmdb_iter *)base;
    enum rc rc = it->failed.rc;
    if (rc == RC_OK)
        rc = it->listed ? iter_list(it, ret, &it->failed) : iter_walk(it, ret, &it->failed);
    if (rc < 0 && e)
        *e = it->failed;
    return rc;
}

static const struct event_iter_ops iter_ops = {.next = iter_next, .free = iter_free};

static struct lmdb_iter *iter_new(struct rlog_lmdb *l, const struct rlog_range *range)
{
    struct lmdb_iter *it = calloc(1, sizeof(*it));
    if (!it)
        return NULL;
    it->base.ops = &iter_ops;
    it->log = l;
    it->range = *range;
    it->at = range->from;
    it->reader = segment_reader_new();
    it->text = malloc(range->prefix.n + 1);
    if (!it->reader || !it->text) {
        iter_free(&it->base);
        return NULL;
    }
    if (range->prefix.n)
        memcpy(it->text, range->prefix.p, range->prefix.n);
    it->range.prefix.p = it->text;
    return it;
}

/* ---- Lists of offsets ---- */

struct collect {
    struct key_set *seen;
    struct offset_list *out;
    bool live;
};

static enum rc collect_last(void *arg, const uint8_t id[SEGMENT_INDEX_ID], rlog_off last,
                            enum event_op op, struct err *e)
{
    struct collect *c = arg;
    bool is_new = false;
    enum rc rc = key_set_add(c->seen, id, &is_new, e);
    if (rc != RC_OK || !is_new || (c->live && op == EVENT_DELETE))
        return rc;
    return offset_list_add(c->out, last, e);
}

/* From the newest segment to the oldest: what was seen once is not the last event of its key again. */
static enum rc list_last_per_key(struct lmdb_iter *it, struct err *e)
{
    AUTO(key_set_freep) struct key_set *seen = key_set_new();
    if (!seen)
        return err_nomem(e);
    struct collect c = {.seen = seen, .out = &it->list, .live = it->range.mode == RLOG_LIVE};
    struct rlog_range part = it->range;
    while (part.until > it->range.from) {
        struct lmdb_use use = {0};
        enum rc rc = lmdb_use_segment(it->log, part.until - 1, &use, e);
        if (rc != RC_OK)
            return rc;
        if (use.segment->first > part.from)
            part.from = use.segment->first;
        rc = lmdb_each_key(it->log, &use, &part, collect_last, &c, e);
        lmdb_release_segment(it->log, &use);
        if (rc != RC_OK)
            return rc;
        part.until = part.from;
        part.from = it->range.from;
    }
    offset_list_sort(&it->list);
    return RC_OK;
}

static enum rc list_history(struct lmdb_iter *it, struct err *e)
{
    rlog_off low = it->range.from;
    while (low < it->range.until) {
        struct lmdb_use use = {0};
        enum rc rc = lmdb_use_segment(it->log, low, &use, e);
        if (rc != RC_OK)
            return rc;
        rlog_off end = use.end < it->range.until ? use.end : it->range.until;
        rc = lmdb_find_key(it->log, &use, it->range.prefix, low, end, &it->list, e);
        lmdb_release_segment(it->log, &use);
        if (rc != RC_OK)
            return rc;
        low = end;
    }
    return RC_OK;
}

/* ---- Opening iterators ---- */

static enum rc open_iter(struct rlog_lmdb *l, const struct rlog_range *range, bool exact,
                         struct event_iter **ret, struct err *e)
{
    struct rlog_bounds b;
    enum rc rc = lmdb_bounds(&l->base, &b, e);
    if (rc == RC_OK)
        rc = rlog_check_from(range->from, &b, e);
    if (rc != RC_OK)
        return rc;
    struct lmdb_iter *it = iter_new(l, range);
    if (!it)
        return err_nomem(e);
    AUTO(iter_freep) struct event_iter *base = &it->base;
    it->exact = exact;
    it->known = b.next;
    it->listed = exact || range->mode != RLOG_EVERY;
    if (it->listed) {
        if (it->range.until == 0 || it->range.until > b.next)
            it->range.until = b.next;
        rc = exact ? list_history(it, e) : list_last_per_key(it, e);
    }
    if (rc == RC_OK)
        *ret = steal(&base);
    return rc;
}

enum rc lmdb_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                    struct err *e)
{
    return open_iter(lmdb_of(l), range, false, ret, e);
}

enum rc lmdb_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                     struct event_iter **ret, struct err *e)
{
    const struct rlog_range range = {.from = from, .until = until, .prefix = key};
    return open_iter(lmdb_of(l), &range, true, ret, e);
}

/* ---- Last ---- */

static enum rc find_last(struct rlog_lmdb *l, struct slice key, rlog_off first, rlog_off until,
                         rlog_off *ret, struct err *e)
{
    rlog_off high = until;
    AUTO(offset_list_done) struct offset_list list = {0};
    while (high > first) {
        struct lmdb_use use = {0};
        enum rc rc = lmdb_use_segment(l, high - 1, &use, e);
        if (rc != RC_OK)
            return rc;
        rlog_off low = use.segment->first;
        rc = lmdb_find_key(l, &use, key, low, high, &list, e);
        lmdb_release_segment(l, &use);
        if (rc != RC_OK)
            return rc;
        if (list.n > 0) {
            *ret = list.p[list.n - 1];
            return RC_OK;
        }
        high = low;
    }
    return err_set(e, RC_NOTFOUND, ERR_FINAL,
                   "the log has no event of \"%.*s\" below offset %" PRIu64, SLICE_ARG(key), until);
}

/* Look-ups mostly come in the order of the log (a listing is compared with it), so the reader of the last one, with the
 * block that it has open, is kept for the next one, whichever thread asks. NULL when out of memory. */
static struct segment_reader *borrow_reader(struct rlog_lmdb *l)
{
    pthread_mutex_lock(&l->lock);
    struct segment_reader *r = steal(&l->reader);
    pthread_mutex_unlock(&l->lock);
    return r ? r : segment_reader_new();
}

static void give_back_reader(struct rlog_lmdb *l, struct segment_reader *r)
{
    pthread_mutex_lock(&l->lock);
    struct segment_reader *other = l->reader;
    l->reader = r;
    pthread_mutex_unlock(&l->lock);
    segment_reader_free(other);
}

static enum rc read_last(struct rlog_lmdb *l, struct slice key, rlog_off at, struct rlog_found *ret,
                         struct err *e)
{
    struct segment_reader *r = borrow_reader(l);
    if (!r)
        return err_nomem(e);
    const struct event *ev = NULL;
    enum rc rc = read_event(l, r, at, &ev, e);
    if (rc == RC_OK && !slice_eq(ev->key, key))
        rc = err_set(e, RC_CORRUPT, ERR_FATAL,
                     "offset %" PRIu64 ": an index says that it is of another key", at);
    if (rc == RC_OK)
        rc = rlog_found_set(ret, ev, e);
    give_back_reader(l, r);
    return rc;
}

static enum rc last_within(struct rlog_lmdb *l, struct slice key, rlog_off at,
                           const struct rlog_bounds *b, struct rlog_found *ret, struct err *e)
{
    if (at != 0 && at <= b->first && b->first > 1)
        return err_set(e, RC_EXPIRED, ERR_RESYNC,
                       "all events below offset %" PRIu64
                       " were trimmed, the oldest one is %" PRIu64,
                       at, b->first);
    rlog_off found = 0;
    enum rc rc = find_last(l, key, b->first, at == 0 || at > b->next ? b->next : at, &found, e);
    return rc == RC_OK ? read_last(l, key, found, ret, e) : rc;
}

/* After a question about [b->first, b->next) gave EXPIRED: true if a trim was faster than it, with what is left in *b;
 * then it is asked again. */
static bool trim_was_faster(struct rlog_lmdb *l, struct rlog_bounds *b)
{
    rlog_off first = b->first;
    return lmdb_bounds(&l->base, b, NULL) == RC_OK && b->first > first;
}

enum rc lmdb_last(struct rlog *log, struct slice key, rlog_off at, struct rlog_found *ret,
                  struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    struct rlog_bounds b;
    struct err why = ERR_INIT;
    enum rc rc = lmdb_bounds(log, &b, &why);
    if (rc == RC_OK) {
        do {
            rc = last_within(l, key, at, &b, ret, &why);
        } while (rc == RC_EXPIRED && trim_was_faster(l, &b));
    }
    if (rc != RC_OK && e)
        *e = why;
    return rc;
}

/* ---- Seek ---- */

/* The frame that holds `at`. */
static enum rc read_frame(struct rlog_lmdb *l, struct segment_reader *r, rlog_off at,
                          const struct frame_head **ret, struct err *e)
{
    struct lmdb_use use = {0};
    struct pages *f = NULL;
    enum rc rc = lmdb_use_segment(l, at, &use, e);
    if (rc == RC_OK)
        rc = lmdb_use_file(l, &use, &f, e);
    if (rc == RC_OK)
        rc = segment_reader_frame(r, f, at, ret, e);
    lmdb_release_segment(l, &use);
    if (rc == RC_OK && at - (*ret)->first >= (*ret)->count)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "offset %" PRIu64 ": no frame holds it", at);
    return rc;
}

/* Times never fall, so the frames can be halved; all events of a frame have one time. */
static enum rc seek_within(struct rlog_lmdb *l, int64_t time_ns, const struct rlog_bounds *b,
                           rlog_off *ret, struct err *e)
{
    AUTO(segment_reader_freep) struct segment_reader *r = segment_reader_new();
    if (!r)
        return err_nomem(e);
    rlog_off low = b->first, high = b->next;
    while (low < high) {
        const struct frame_head *h = NULL;
        enum rc rc = read_frame(l, r, low + (high - low) / 2, &h, e);
        if (rc != RC_OK)
            return rc;
        if (h->last_time_ns < time_ns)
            low = h->first + h->count;
        else
            high = h->first > low ? h->first : low;
    }
    *ret = low;
    return RC_OK;
}

enum rc lmdb_seek(struct rlog *log, int64_t time_ns, rlog_off *ret, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    struct rlog_bounds b;
    struct err why = ERR_INIT;
    enum rc rc = lmdb_bounds(log, &b, &why);
    if (rc == RC_OK) {
        do {
            rc = seek_within(l, time_ns, &b, ret, &why);
        } while (rc == RC_EXPIRED && trim_was_faster(l, &b));
    }
    if (rc != RC_OK && e)
        *e = why;
    return rc;
}

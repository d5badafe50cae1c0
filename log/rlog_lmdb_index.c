/* Where the events of a key are: the index of each segment, found or made. Keeps: nothing; indexes
 * belong to the list of segments. Invariants: the index of the last segment is asked under the lock;
 * one of an older segment is whole, and stays while the segment is in use. Failure modes: an index
 * file that is missing or damaged is replaced by one made from the segment, and upkeep writes it
 * again. Threads: the log's lock. */
#include "log/rlog_lmdb_priv.h"

#include "log/pages.h"

static enum rc add_events(struct segment_index *x, const struct pages *f, rlog_off end,
                          struct err *e)
{
    AUTO(segment_reader_freep) struct segment_reader *r = segment_reader_new();
    if (!r)
        return err_nomem(e);
    while (segment_index_next(x) < end) {
        const struct event *ev = NULL;
        enum rc rc = segment_reader_event(r, f, segment_index_next(x), &ev, e);
        if (rc == RC_OK)
            rc = segment_index_add(x, ev->key, ev->op, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* ---- An older segment ---- */

/* How it ends, as its seal says. Where there is none (its folder was damaged), as far as it goes. */
static enum rc end_of(struct rlog_lmdb *l, const struct lmdb_use *use, struct segment_tail *ret,
                      struct err *e)
{
    struct lmdb_segment *s = use->segment;
    pthread_mutex_lock(&l->lock);
    *ret = s->tail;
    pthread_mutex_unlock(&l->lock);
    if (ret->sealed)
        return RC_OK;
    struct pages *f = NULL;
    struct segment_header h;
    enum rc rc = lmdb_use_file(l, use, &f, e);
    if (rc == RC_OK)
        rc = segment_read_header(f, &h, e);
    if (rc == RC_OK)
        rc = segment_read_tail(f, &h, ret, e);
    if (rc == RC_OK && ret->sealed) {
        pthread_mutex_lock(&l->lock);
        s->tail = *ret;
        pthread_mutex_unlock(&l->lock);
    }
    return rc;
}

/* A hole between its end and the next segment is met here and is CORRUPT. */
static enum rc make_index(struct rlog_lmdb *l, const struct lmdb_use *use, rlog_off end,
                          struct segment_index **ret, struct err *e)
{
    AUTO(segment_index_freep) struct segment_index *x = segment_index_new(use->segment->first);
    if (!x)
        return err_nomem(e);
    struct pages *f = NULL;
    enum rc rc = lmdb_use_file(l, use, &f, e);
    if (rc == RC_OK)
        rc = add_events(x, f, end > use->end ? end : use->end, e);
    if (rc == RC_OK)
        *ret = steal(&x);
    return rc;
}

/* Opens the file; *ret stays NULL where there is none that is good, and upkeep is told to write it. */
static enum rc open_file(struct rlog_lmdb *l, struct lmdb_segment *s,
                         const struct segment_tail *tail, struct segment_index **ret, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = segment_index_open(l->dir, s->first, tail, ret, &why);
    if (rc == RC_OK)
        return RC_OK;
    if (rc == RC_LIMIT || rc == RC_NOMEM) { /* of this process: the file may be good */
        if (e)
            *e = why;
        return rc;
    }
    pthread_mutex_lock(&l->lock);
    s->has_index_file = false;
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

static enum rc load_index(struct rlog_lmdb *l, const struct lmdb_use *use, bool file_is_bad,
                          struct segment_index **ret, struct err *e)
{
    struct segment_tail tail;
    enum rc rc = end_of(l, use, &tail, e);
    if (rc == RC_OK && !file_is_bad && tail.sealed && tail.next >= use->end)
        rc = open_file(l, use->segment, &tail, ret, e);
    return rc == RC_OK && !*ret ? make_index(l, use, tail.next, ret, e) : rc;
}

/* The index of an older segment in use. `bad` is one that the caller found damaged, or NULL. */
static enum rc older_index(struct rlog_lmdb *l, const struct lmdb_use *use,
                           const struct segment_index *bad, struct segment_index **ret,
                           struct err *e)
{
    struct lmdb_segment *s = use->segment;
    pthread_mutex_lock(&l->lock);
    struct segment_index *x = s->index;
    pthread_mutex_unlock(&l->lock);
    if (x && x != bad) {
        *ret = x;
        return RC_OK;
    }
    AUTO(segment_index_freep) struct segment_index *made = NULL;
    enum rc rc = load_index(l, use, bad != NULL, &made, e);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&l->lock);
    if (bad && s->index == bad) {
        s->spoiled = s->index;
        s->index = NULL;
        s->has_index_file = false; /* upkeep writes it again */
    }
    if (!s->index)
        lmdb_set_index(l, s, steal(&made));
    *ret = s->index;
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

/* ---- Questions ---- */

/* One question to an index: what to find, or what to call. */
struct query {
    struct slice key;
    struct offset_list *out; /* NULL: each key */
    const struct rlog_range *range;
    segment_index_fn *fn;
    void *arg;
};

static enum rc ask(const struct segment_index *x, const struct query *q, struct err *e)
{
    return q->out ? segment_index_find(x, q->key, q->range->from, q->range->until, q->out, e)
                  : segment_index_each(x, q->range, q->fn, q->arg, e);
}

/* A log opened for reading makes the index of its last segment as far as it is needed. The lock is held. */
static enum rc ask_last(struct rlog_lmdb *l, const struct lmdb_use *use, const struct query *q,
                        struct err *e)
{
    struct pages *f = NULL;
    struct lmdb_segment *s = use->segment;
    if (!s->index)
        s->index = segment_index_new(s->first);
    if (!s->index)
        return err_nomem(e);
    enum rc rc = RC_OK;
    if (segment_index_next(s->index) < use->end) {
        rc = lmdb_use_file_locked(l, use, &f, e);
        if (rc == RC_OK)
            rc = add_events(s->index, f, use->end, e);
    }
    return rc == RC_OK ? ask(s->index, q, e) : rc;
}

static enum rc ask_older(struct rlog_lmdb *l, const struct lmdb_use *use, const struct query *q,
                         struct err *e)
{
    struct segment_index *x = NULL;
    size_t before = q->out ? q->out->n : 0;
    enum rc rc = older_index(l, use, NULL, &x, e);
    if (rc == RC_OK)
        rc = ask(x, q, e);
    if (rc != RC_CORRUPT || !x)
        return rc;
    if (q->out)
        q->out->n = before;
    rc = older_index(l, use, x, &x, e);
    return rc == RC_OK ? ask(x, q, e) : rc;
}

static enum rc ask_segment(struct rlog_lmdb *l, const struct lmdb_use *use, const struct query *q,
                           struct err *e)
{
    pthread_mutex_lock(&l->lock);
    bool last = lmdb_is_last(l, use->segment);
    enum rc rc = last ? ask_last(l, use, q, e) : RC_OK;
    pthread_mutex_unlock(&l->lock);
    return last ? rc : ask_older(l, use, q, e);
}

enum rc lmdb_find_key(struct rlog_lmdb *l, const struct lmdb_use *use, struct slice key,
                      rlog_off from, rlog_off until, struct offset_list *out, struct err *e)
{
    const struct rlog_range range = {.from = from, .until = until};
    const struct query q = {.key = key, .range = &range, .out = out};
    return ask_segment(l, use, &q, e);
}

enum rc lmdb_each_key(struct rlog_lmdb *l, const struct lmdb_use *use,
                      const struct rlog_range *range, segment_index_fn *fn, void *arg,
                      struct err *e)
{
    const struct query q = {.range = range, .fn = fn, .arg = arg};
    return ask_segment(l, use, &q, e);
}

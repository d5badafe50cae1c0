/* The list of a log's segments: which file holds an offset, open files and indexes, and what other
 * processes changed. Keeps: at most LMDB_OPEN_SEGMENTS files open besides those in use. Invariants:
 * a segment in use is neither closed nor freed; an index of a sealed segment never changes once it
 * is in place. Failure modes: a file that is gone was trimmed (EXPIRED); a damaged index file is
 * replaced by one made from the segment. Threads: the log's lock. */
#include "log/rlog_lmdb_priv.h"

#include "log/pages.h"
#include "log/segment_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* ---- The list; the lock is held ---- */

enum rc lmdb_add_segment(struct rlog_lmdb *l, rlog_off first, struct err *e)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        struct lmdb_segment **p = realloc(l->segments, cap * sizeof(struct lmdb_segment *));
        if (!p)
            return err_nomem(e);
        l->segments = p;
        l->cap = cap;
    }
    struct lmdb_segment *s = calloc(1, sizeof(*s));
    if (!s)
        return err_nomem(e);
    s->first = first;
    l->segments[l->n++] = s;
    return RC_OK;
}

static void close_files(struct rlog_lmdb *l, struct lmdb_segment *s)
{
    if (s->file)
        l->open_files--;
    pages_close(s->file);
    segment_index_free(s->index);
    segment_index_free(s->spoiled);
    s->file = NULL;
    s->index = s->spoiled = NULL;
}

void lmdb_drop_first(struct rlog_lmdb *l)
{
    struct lmdb_segment *s = l->segments[0];
    memmove(l->segments, l->segments + 1, --l->n * sizeof(struct lmdb_segment *));
    s->gone = true;
    if (s->users > 0)
        return;
    close_files(l, s);
    free(s);
}

void lmdb_free_segments(struct rlog_lmdb *l)
{
    while (l->n > 0)
        lmdb_drop_first(l);
    free(l->segments);
}

static bool is_last(const struct rlog_lmdb *l, const struct lmdb_segment *s)
{
    return !s->gone && l->n > 0 && l->segments[l->n - 1] == s;
}

/* The segment that holds `at`, which is not below the first one. */
static size_t place_of(const struct rlog_lmdb *l, rlog_off at)
{
    size_t low = 0, high = l->n;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (l->segments[mid]->first <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static void close_oldest(struct rlog_lmdb *l)
{
    struct lmdb_segment *oldest = NULL;
    for (size_t i = 0; i + 1 < l->n; i++) {
        struct lmdb_segment *s = l->segments[i];
        if (s->file && s->users == 0 && (!oldest || s->used_at < oldest->used_at))
            oldest = s;
    }
    if (oldest)
        close_files(l, oldest);
}

static enum rc open_segment(struct rlog_lmdb *l, struct lmdb_segment *s, struct err *e)
{
    if (s->file)
        return RC_OK;
    if (l->open_files >= LMDB_OPEN_SEGMENTS)
        close_oldest(l);
    enum rc rc = segment_open_file(l->dir, s->first, !is_last(l, s), &s->file, e);
    if (rc == RC_OK)
        l->open_files++;
    return rc;
}

/* ---- Use ---- */

static enum rc expired(const struct rlog_lmdb *l, rlog_off at, struct err *e)
{
    rlog_off first = l->n ? l->segments[0]->first : l->tail.next;
    return err_set(e, RC_EXPIRED, ERR_RESYNC,
                   "offset %" PRIu64 " was trimmed, the oldest one is %" PRIu64, at, first);
}

static enum rc use_locked(struct rlog_lmdb *l, rlog_off at, struct lmdb_use *ret, struct err *e)
{
    if (l->n == 0 || at < l->segments[0]->first)
        return expired(l, at, e);
    size_t i = place_of(l, at);
    struct lmdb_segment *s = l->segments[i];
    struct err why = ERR_INIT;
    enum rc rc = open_segment(l, s, &why);
    if (rc == RC_NOTFOUND) { /* another process trimmed */
        if (l->base.access == RLOG_READ && lmdb_refresh(l, &why) == RC_OK &&
            (l->n == 0 || at < l->segments[0]->first))
            return expired(l, at, e);
        return err_set(e, RC_CORRUPT, ERR_FATAL, "offset %" PRIu64 ": its segment is missing", at);
    }
    if (rc != RC_OK) {
        if (e)
            *e = why;
        return rc == RC_CORRUPT ? err_wrap(e, "offset %" PRIu64, at) : rc;
    }
    s->users++;
    s->used_at = ++l->clock;
    *ret = (struct lmdb_use){.segment = s,
                             .end = i + 1 < l->n ? l->segments[i + 1]->first : l->tail.next};
    return RC_OK;
}

enum rc lmdb_use_segment(struct rlog_lmdb *l, rlog_off at, struct lmdb_use *ret, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    enum rc rc = use_locked(l, at, ret, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

void lmdb_release_segment(struct rlog_lmdb *l, struct lmdb_use *use)
{
    struct lmdb_segment *s = use->segment;
    if (!s)
        return;
    use->segment = NULL;
    pthread_mutex_lock(&l->lock);
    if (--s->users == 0 && s->gone) {
        close_files(l, s);
        free(s);
    }
    pthread_mutex_unlock(&l->lock);
}

/* ---- What other processes did; the lock is held ---- */

static bool exists(const struct rlog_lmdb *l, rlog_off first)
{
    char name[SEGMENT_FILE_MAX], path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", l->dir, segment_file_name('s', first, name));
    return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

/* The list made anew when it is empty: at opening, or when all that we knew was trimmed. */
static enum rc list_anew(struct rlog_lmdb *l, struct err *e)
{
    AUTO(offset_list_done) struct offset_list list = {0};
    enum rc rc = segment_list(l->dir, 's', &list, e);
    for (size_t i = 0; rc == RC_OK && i < list.n; i++)
        rc = lmdb_add_segment(l, list.p[i], e);
    return rc;
}

static enum rc read_tail(struct rlog_lmdb *l, struct lmdb_segment *s, struct segment_tail *ret,
                         struct err *e)
{
    struct segment_header h;
    enum rc rc = open_segment(l, s, e);
    if (rc == RC_OK)
        rc = segment_read_header(s->file, &h, e);
    return rc == RC_OK ? segment_read_tail(s->file, &h, ret, e) : rc;
}

/* A damaged last segment is readable up to the damage. Where nothing of it is, the tail is that of the one
 * before it. */
static void read_damaged(struct rlog_lmdb *l, const struct err *why)
{
    struct lmdb_segment *s = l->segments[l->n - 1];
    struct segment_report report = {.tail.next = s->first};
    struct err unused = ERR_INIT;
    l->damage = *why;
    if (s->file && segment_check_read(s->file, s->first, NULL, NULL, &report, &l->damage) == RC_OK)
        l->damage = *why;
    if (report.frames > 0)
        l->tail = report.tail;
    else if (l->n < 2 || read_tail(l, l->segments[l->n - 2], &l->tail, &unused) != RC_OK)
        l->tail = (struct segment_tail){.next = s->first};
}

/* True if nothing was committed since the tail was read. */
static bool unchanged(struct rlog_lmdb *l, const struct lmdb_segment *s)
{
    struct pages_commit c;
    if (!s->file || pages_newest(s->file, &c, NULL) != RC_OK)
        return false;
    bool same = l->seen_first == s->first && l->seen_commit == c.number && !l->tail.sealed &&
                l->damage.rc == RC_OK;
    l->seen_first = s->first;
    l->seen_commit = c.number; /* read before the tail, so never ahead of it */
    return same;
}

/* Follows the seals to the last segment. */
static enum rc follow_tail(struct rlog_lmdb *l, struct err *e)
{
    for (;;) {
        struct lmdb_segment *s = l->segments[l->n - 1];
        if (unchanged(l, s))
            return RC_OK;
        struct segment_tail tail;
        struct err why = ERR_INIT;
        enum rc rc = read_tail(l, s, &tail, &why);
        l->damage = (struct err)ERR_INIT;
        if (rc == RC_CORRUPT || rc == RC_UNSUPPORTED) {
            read_damaged(l, &why);
            return RC_OK;
        }
        if (rc != RC_OK) {
            if (e)
                *e = why;
            return rc;
        }
        l->tail = tail;
        if (!tail.sealed || !exists(l, tail.next))
            return RC_OK;
        rc = lmdb_add_segment(l, tail.next, e);
        if (rc != RC_OK)
            return rc;
    }
}

enum rc lmdb_refresh(struct rlog_lmdb *l, struct err *e)
{
    if (l->base.access == RLOG_WRITE)
        return RC_OK;
    while (l->n > 0 && !exists(l, l->segments[0]->first))
        lmdb_drop_first(l);
    enum rc rc = l->n == 0 ? list_anew(l, e) : RC_OK;
    return rc == RC_OK && l->n > 0 ? follow_tail(l, e) : rc;
}

/* ---- Indexes ---- */

static enum rc add_events(struct segment_index *x, const struct pages *f, rlog_off end,
                          struct err *e)
{
    if (segment_index_next(x) >= end)
        return RC_OK;
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

static enum rc make_index(const struct lmdb_use *use, struct segment_index **ret, struct err *e)
{
    AUTO(segment_index_freep) struct segment_index *x = segment_index_new(use->segment->first);
    if (!x)
        return err_nomem(e);
    enum rc rc = add_events(x, use->segment->file, use->end, e);
    if (rc == RC_OK)
        *ret = steal(&x);
    return rc;
}

/* The file of a sealed segment, or what it would hold. */
static enum rc load_index(struct rlog_lmdb *l, const struct lmdb_use *use,
                          struct segment_index **ret, struct err *e)
{
    struct segment_header h;
    struct segment_tail tail;
    struct lmdb_segment *s = use->segment;
    enum rc rc = segment_read_header(s->file, &h, e);
    if (rc == RC_OK)
        rc = segment_read_tail(s->file, &h, &tail, e);
    if (rc != RC_OK)
        return rc;
    struct err unused = ERR_INIT;
    if (segment_index_open(l->dir, s->first, &tail, ret, &unused) == RC_OK)
        return RC_OK;
    return make_index(use, ret, e);
}

/* The index of a sealed segment in use. `bad` is one that the caller found damaged, or NULL. */
static enum rc sealed_index(struct rlog_lmdb *l, const struct lmdb_use *use,
                            const struct segment_index *bad, struct segment_index **ret,
                            struct err *e)
{
    struct lmdb_segment *s = use->segment;
    pthread_mutex_lock(&l->lock);
    if (s->index && segment_index_next(s->index) < use->end) {
        segment_index_free(
            s->index); /* begun while it was the last segment, and only used under the lock */
        s->index = NULL;
    }
    struct segment_index *x = s->index;
    pthread_mutex_unlock(&l->lock);
    if (x && x != bad) {
        *ret = x;
        return RC_OK;
    }
    AUTO(segment_index_freep) struct segment_index *made = NULL;
    enum rc rc = bad ? make_index(use, &made, e) : load_index(l, use, &made, e);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(&l->lock);
    if (bad && s->index == bad) {
        s->spoiled = s->index;
        s->index = NULL;
        s->has_index_file = false; /* upkeep writes it again */
    }
    if (!s->index)
        s->index = steal(&made);
    *ret = s->index;
    pthread_mutex_unlock(&l->lock);
    return RC_OK;
}

/* One question to an index: what to find, or what to call. */
struct query {
    struct slice key;
    const struct rlog_range *range;
    struct offset_list *out; /* NULL: each key */
    segment_index_fn *fn;
    void *arg;
};

static enum rc ask(const struct segment_index *x, const struct query *q, struct err *e)
{
    return q->out ? segment_index_find(x, q->key, q->range->from, q->range->until, q->out, e)
                  : segment_index_each(x, q->range, q->fn, q->arg, e);
}

/* The last segment's index grows, so it is asked under the lock. A log opened for reading makes it as far as it is
 * needed. */
static enum rc ask_last(const struct lmdb_use *use, const struct query *q, struct err *e)
{
    struct lmdb_segment *s = use->segment;
    if (!s->index)
        s->index = segment_index_new(s->first);
    if (!s->index)
        return err_nomem(e);
    enum rc rc = add_events(s->index, s->file, use->end, e);
    return rc == RC_OK ? ask(s->index, q, e) : rc;
}

static enum rc ask_sealed(struct rlog_lmdb *l, const struct lmdb_use *use, const struct query *q,
                          struct err *e)
{
    struct segment_index *x = NULL;
    size_t before = q->out ? q->out->n : 0;
    enum rc rc = sealed_index(l, use, NULL, &x, e);
    if (rc == RC_OK)
        rc = ask(x, q, e);
    if (rc != RC_CORRUPT || !x)
        return rc;
    if (q->out)
        q->out->n = before;
    rc = sealed_index(l, use, x, &x, e);
    return rc == RC_OK ? ask(x, q, e) : rc;
}

static enum rc ask_segment(struct rlog_lmdb *l, const struct lmdb_use *use, const struct query *q,
                           struct err *e)
{
    pthread_mutex_lock(&l->lock);
    bool last = is_last(l, use->segment);
    enum rc rc = last ? ask_last(use, q, e) : RC_OK;
    pthread_mutex_unlock(&l->lock);
    return last ? rc : ask_sealed(l, use, q, e);
}

enum rc lmdb_find_key(struct rlog_lmdb *l, const struct lmdb_use *use, struct slice key,
                      const rlog_off range[2], struct offset_list *out, struct err *e)
{
    const struct rlog_range part = {.from = range[0], .until = range[1]};
    const struct query q = {.key = key, .range = &part, .out = out};
    return ask_segment(l, use, &q, e);
}

enum rc lmdb_each_key(struct rlog_lmdb *l, const struct lmdb_use *use,
                      const struct rlog_range *range, segment_index_fn *fn, void *arg,
                      struct err *e)
{
    const struct query q = {.range = range, .fn = fn, .arg = arg};
    return ask_segment(l, use, &q, e);
}

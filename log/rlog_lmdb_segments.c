/* The list of a log's segments: which file holds an offset, what of a segment is open, and what
 * other processes changed. Keeps: of older segments at most LMDB_OPEN_SEGMENTS files (or indexes in
 * memory) and LMDB_OPEN_INDEXES index files, besides those in use. Invariants: what a segment in use
 * has is neither closed nor freed, except for the index of the last one, which is used under the
 * lock alone. Failure modes: a file that is gone was trimmed (EXPIRED). Threads: the log's lock. */
#include "log/rlog_lmdb_priv.h"

#include "log/pages.h"
#include "log/segment_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* ---- What is open; the lock is held ---- */

void lmdb_close_index(struct lmdb_segment *s)
{
    segment_index_free(s->index);
    segment_index_free(s->spoiled);
    s->index = s->spoiled = NULL;
}

static bool has_index_open(const struct lmdb_segment *s)
{
    return s->index && segment_index_in_file(s->index);
}

static bool has_file_open(const struct lmdb_segment *s)
{
    return s->file || (s->index && !segment_index_in_file(s->index));
}

static void close_file(struct lmdb_segment *s)
{
    pages_close(s->file);
    s->file = NULL;
    if (has_file_open(s))
        lmdb_close_index(s);
}

/* Closes the file that was not used for longest, where there are too many. */
static void make_room_for_file(struct rlog_lmdb *l)
{
    struct lmdb_segment *oldest = NULL;
    size_t n = 0;
    for (size_t i = 0; i + 1 < l->n; i++) {
        struct lmdb_segment *s = l->segments[i];
        if (!has_file_open(s))
            continue;
        n++;
        if (s->users == 0 && (!oldest || s->used_at < oldest->used_at))
            oldest = s;
    }
    if (n >= LMDB_OPEN_SEGMENTS && oldest)
        close_file(oldest);
}

/* Closes the index of the oldest offsets, where there are too many: who looks for a key begins at the newest, so that
 * one is asked least, and those of the newer segments stay however many there are. */
static void make_room_for_index(struct rlog_lmdb *l)
{
    struct lmdb_segment *lowest = NULL;
    size_t n = 0;
    for (size_t i = 0; i + 1 < l->n; i++) {
        struct lmdb_segment *s = l->segments[i];
        if (!has_index_open(s))
            continue;
        n++;
        if (s->users == 0 && !lowest)
            lowest = s;
    }
    if (n >= LMDB_OPEN_INDEXES && lowest)
        lmdb_close_index(lowest);
}

void lmdb_set_index(struct rlog_lmdb *l, struct lmdb_segment *s, struct segment_index *x)
{
    if (segment_index_in_file(x))
        make_room_for_index(l);
    s->index = x;
}

static enum rc open_segment(struct rlog_lmdb *l, struct lmdb_segment *s, struct err *e)
{
    if (s->file)
        return RC_OK;
    make_room_for_file(l);
    return segment_open_file(l->dir, s->first, !lmdb_is_last(l, s), &s->file, e);
}

/* ---- The list; the lock is held ---- */

/* From now on its index may be used outside of the lock, so it must be whole. */
static void end_last(struct lmdb_segment *s, const struct segment_tail *end, rlog_off next)
{
    if (end)
        s->tail = *end;
    if (s->index && segment_index_next(s->index) < next)
        lmdb_close_index(s);
}

enum rc lmdb_add_segment(struct rlog_lmdb *l, rlog_off first, const struct segment_tail *end,
                         struct err *e)
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
    if (l->n > 0)
        end_last(l->segments[l->n - 1], end, first);
    make_room_for_file(l); /* the last one is an older one now */
    l->segments[l->n++] = s;
    return RC_OK;
}

static void free_segment(struct lmdb_segment *s)
{
    pages_close(s->file);
    lmdb_close_index(s);
    free(s);
}

void lmdb_drop_first(struct rlog_lmdb *l)
{
    struct lmdb_segment *s = l->segments[0];
    memmove(l->segments, l->segments + 1, --l->n * sizeof(struct lmdb_segment *));
    s->gone = true;
    if (s->users == 0)
        free_segment(s);
}

void lmdb_free_segments(struct rlog_lmdb *l)
{
    while (l->n > 0)
        lmdb_drop_first(l);
    free(l->segments);
}

bool lmdb_is_last(const struct rlog_lmdb *l, const struct lmdb_segment *s)
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
    s->users++;
    s->used_at = ++l->clock;
    *ret = (struct lmdb_use){
        .segment = s, .at = at, .end = i + 1 < l->n ? l->segments[i + 1]->first : l->tail.next};
    return RC_OK;
}

enum rc lmdb_use_segment(struct rlog_lmdb *l, rlog_off at, struct lmdb_use *ret, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    enum rc rc = use_locked(l, at, ret, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

enum rc lmdb_use_file_locked(struct rlog_lmdb *l, const struct lmdb_use *use, struct pages **ret,
                             struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = open_segment(l, use->segment, &why);
    if (rc == RC_OK)
        *ret = use->segment->file;
    if (rc == RC_NOTFOUND) {
        struct err unused = ERR_INIT;
        bool known = lmdb_refresh(l, &unused) == RC_OK; /* another process may have trimmed */
        if (use->segment->gone || (known && (l->n == 0 || use->at < l->segments[0]->first)))
            return expired(l, use->at, e);
        return err_set(e, RC_CORRUPT, ERR_FATAL, "offset %" PRIu64 ": its segment is missing",
                       use->at);
    }
    if (rc != RC_OK && e)
        *e = why;
    return rc == RC_CORRUPT && e ? err_wrap(e, "offset %" PRIu64, use->at) : rc;
}

enum rc lmdb_use_file(struct rlog_lmdb *l, const struct lmdb_use *use, struct pages **ret,
                      struct err *e)
{
    pthread_mutex_lock(&l->lock);
    enum rc rc = lmdb_use_file_locked(l, use, ret, e);
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
    if (--s->users == 0 && s->gone)
        free_segment(s);
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
        rc = lmdb_add_segment(l, list.p[i], NULL, e);
    return rc;
}

static enum rc read_tail(struct rlog_lmdb *l, struct lmdb_segment *s, struct segment_tail *ret,
                         struct err *e)
{
    struct segment_header h;
    enum rc rc = open_segment(l, s, e);
    if (rc == RC_OK)
        rc = segment_read_header(s->file, &h, e);
    if (rc != RC_OK)
        return rc;
    memcpy(l->log_id, h.log_id, sizeof(l->log_id));
    return segment_read_tail(s->file, &h, ret, e);
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

/* Reads the tail of the last segment, if something was committed there since; damage is the tail's end, not a
 * failure. What was seen is noted only when that succeeded, and is asked for before, so it is never ahead. */
static enum rc refresh_tail(struct rlog_lmdb *l, struct err *e)
{
    struct lmdb_segment *s = l->segments[l->n - 1];
    struct segment_tail tail;
    struct pages_commit c = {0};
    struct err why = ERR_INIT;
    enum rc rc = open_segment(l, s, &why);
    if (rc == RC_OK)
        rc = pages_newest(s->file, &c, &why);
    if (rc == RC_OK && l->seen_first == s->first && l->seen_commit == c.number)
        return RC_OK;
    if (rc == RC_OK)
        rc = read_tail(l, s, &tail, &why);
    if (rc == RC_CORRUPT || rc == RC_UNSUPPORTED) {
        read_damaged(l, &why);
    } else if (rc == RC_OK) {
        l->damage = (struct err)ERR_INIT;
        l->tail = tail;
    } else {
        if (e)
            *e = why;
        return rc;
    }
    l->seen_first = c.number ? s->first : 0; /* 0: looked at again each time */
    l->seen_commit = c.number;
    return RC_OK;
}

/* Follows the seals to the last segment. */
static enum rc follow_tail(struct rlog_lmdb *l, struct err *e)
{
    for (;;) {
        enum rc rc = refresh_tail(l, e);
        if (rc != RC_OK || l->damage.rc != RC_OK || !l->tail.sealed || !exists(l, l->tail.next))
            return rc;
        rc = lmdb_add_segment(l, l->tail.next, &l->tail, e);
        if (rc != RC_OK)
            return rc;
    }
}

enum rc lmdb_refresh(struct rlog_lmdb *l, struct err *e)
{
    if (l->base.access == RLOG_WRITE)
        return RC_OK;
    for (;;) {
        while (l->n > 0 && !exists(l, l->segments[0]->first))
            lmdb_drop_first(l);
        struct err why = ERR_INIT;
        enum rc rc = l->n == 0 ? list_anew(l, &why) : RC_OK;
        if (rc == RC_OK && l->n > 0)
            rc = follow_tail(l, &why);
        if (rc == RC_NOTFOUND && l->n > 0 && !exists(l, l->segments[0]->first))
            continue; /* trimmed just now */
        if (rc != RC_OK && e)
            *e = why;
        return rc;
    }
}

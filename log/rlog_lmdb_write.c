/* Appending, rolling, trimming and upkeep. Order of rolling: seal row, then the new file under
 * another name with its header, sync, rename, sync of the folder, then the first append; opening
 * again completes whatever of that a crash left undone. A failed commit closes LMDB's environment:
 * where only room was missing the next append looks at the file again, else the handle is dead and
 * says so on every later call. Threads: the appending thread; the lock only where readers look. */
#include "log/rlog_lmdb_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "log/folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define TREE_SLACK (64u << 10) /* pages of the trees that one commit may take besides the frame */

static struct segment_opts opts_of(const struct rlog_lmdb *l)
{
    return (struct segment_opts){.dir = l->dir, .bytes = l->segment_bytes};
}

static enum rc say_dead(const struct rlog_lmdb *l, struct err *e)
{
    return err_set(e, l->dead.rc, ERR_FATAL,
                   "the log must be closed and opened again after: %.300s", l->dead.msg);
}

/* The rule after a failed commit. */
static enum rc commit_failed(struct rlog_lmdb *l, const struct err *why, struct err *e)
{
    segment_writer_close(l->writer);
    l->writer = NULL;
    l->recheck = true;
    if (why->rc != RC_LIMIT && why->rc != RC_NOMEM)
        l->dead = *why;
    if (e)
        *e = *why;
    return why->rc;
}

/* ---- The active segment ---- */

static enum rc make_segment(struct rlog_lmdb *l, struct err *e)
{
    struct segment_header h = {.first = l->tail.next,
                               .epoch = l->epoch,
                               .incarnation = l->tail.incarnation,
                               .time_ns = l->tail.time_ns,
                               .created_ns = clock_wall_ns(l->env->clock),
                               .before = l->tail.after,
                               .name_n = l->name_n};
    memcpy(h.log_id, l->log_id, SEGMENT_ID_SIZE);
    memcpy(h.name, l->name, l->name_n);
    const struct segment_opts opts = opts_of(l);
    enum rc rc = segment_create(&opts, &h, e);
    if (rc != RC_OK)
        return rc;
    l->active_since_ns = h.created_ns;
    pthread_mutex_lock(&l->lock);
    rc = lmdb_add_segment(l, h.first, e);
    if (rc == RC_OK)
        l->tail.sealed = false;
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* After a commit that failed for lack of room: the file must hold what we know, no more. */
static enum rc look_again(struct rlog_lmdb *l, struct err *e)
{
    rlog_off next = l->tail.next;
    enum rc rc = lmdb_check_last(l, e);
    if (rc != RC_OK)
        return rc;
    l->recheck = false;
    if (l->tail.next == next)
        return RC_OK;
    err_set(&l->dead, RC_IO, ERR_FATAL,
            "the append at offset %" PRIu64 " was reported as failed and is there", next);
    return say_dead(l, e);
}

enum rc lmdb_ready(struct rlog_lmdb *l, struct err *e)
{
    if (l->writer)
        return RC_OK;
    enum rc rc = l->recheck ? look_again(l, e) : RC_OK;
    if (rc == RC_OK && l->tail.sealed)
        rc = segment_retire(l->dir, l->segments[l->n - 1]->first, e);
    if (rc == RC_OK && (l->n == 0 || l->tail.sealed))
        rc = make_segment(l, e);
    const struct segment_opts opts = opts_of(l);
    if (rc == RC_OK)
        rc = segment_writer_open(&opts, l->segments[l->n - 1]->first, &l->writer, e);
    return rc;
}

static enum rc roll(struct rlog_lmdb *l, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = segment_writer_seal(l->writer, l->segments[l->n - 1]->first, &l->tail, &why);
    if (rc != RC_OK)
        return commit_failed(l, &why, e);
    segment_writer_close(l->writer);
    l->writer = NULL;
    pthread_mutex_lock(&l->lock);
    l->tail.sealed = true;
    pthread_mutex_unlock(&l->lock);
    return lmdb_ready(l, e);
}

static uint64_t active_events(const struct rlog_lmdb *l)
{
    return l->tail.next - l->segments[l->n - 1]->first;
}

static bool is_old(const struct rlog_lmdb *l)
{
    return active_events(l) > 0 &&
           clock_wall_ns(l->env->clock) - l->active_since_ns >= l->segment_age_ns;
}

static bool must_roll(const struct rlog_lmdb *l, size_t more)
{
    if (active_events(l) == 0)
        return false;
    return active_events(l) >= l->segment_events || is_old(l) ||
           segment_writer_used(l->writer) + more + TREE_SLACK > l->segment_bytes;
}

/* ---- Append ---- */

static enum rc check_writer(struct rlog_lmdb *l, struct err *e)
{
    if (l->dead.rc != RC_OK)
        return say_dead(l, e);
    enum rc rc = folder_lock_check(l->folder, &l->dead);
    return rc == RC_OK ? lmdb_ready(l, e) : say_dead(l, e);
}

/* Shows a durable batch to the readers. An index that cannot grow is dropped: it is made again from the file. */
static void publish(struct rlog_lmdb *l, const struct frame_head *head, const struct event *batch,
                    size_t n)
{
    struct lmdb_segment *s = l->segments[l->n - 1];
    pthread_mutex_lock(&l->lock);
    if (!s->index && head->first == s->first)
        s->index = segment_index_new(s->first);
    for (size_t i = 0; s->index && i < n; i++) {
        if (segment_index_next(s->index) == head->first + i &&
            segment_index_add(s->index, batch[i].key, batch[i].op, NULL) == RC_OK)
            continue;
        segment_index_free(s->index);
        s->index = NULL;
    }
    l->tail = (struct segment_tail){.next = head->first + head->count,
                                    .epoch = head->epoch,
                                    .incarnation = head->incarnation,
                                    .time_ns = head->last_time_ns,
                                    .after = head->after};
    pthread_mutex_unlock(&l->lock);
}

static enum rc make_frame(struct rlog_lmdb *l, const struct event *batch, size_t n,
                          struct frame_head *ret, struct err *e)
{
    int64_t now = clock_wall_ns(l->env->clock);
    const struct frame_start start = {.first = l->tail.next,
                                      .epoch = l->epoch,
                                      .time_ns = now > l->tail.time_ns ? now : l->tail.time_ns,
                                      .before = l->tail.after};
    buf_reset(l->frame);
    return frame_write(l->frames, &start, batch, n, l->frame, ret, e);
}

enum rc lmdb_append(struct rlog *log, const struct event *batch, size_t n, rlog_off expect_next,
                    rlog_off *ret_first, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    struct frame_head head;
    enum rc rc = check_writer(l, e);
    if (rc != RC_OK)
        return rc;
    if (expect_next != RLOG_ANY && expect_next != l->tail.next)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "append: expected offset %" PRIu64 ", what comes next is %" PRIu64,
                       expect_next, l->tail.next);
    rc = make_frame(l, batch, n, &head, e);
    if (rc == RC_OK && must_roll(l, l->frame->n))
        rc = roll(l, e);
    if (rc != RC_OK)
        return rc;
    struct err why = ERR_INIT;
    rc = segment_writer_append(l->writer, head.first, buf_slice(l->frame), &why);
    if (rc != RC_OK)
        return commit_failed(l, &why, e);
    publish(l, &head, batch, n);
    *ret_first = head.first;
    return RC_OK;
}

/* ---- Trim ---- */

static enum rc remove_file(const struct rlog_lmdb *l, char kind, rlog_off first, struct err *e)
{
    char name[SEGMENT_FILE_MAX], path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", l->dir, segment_file_name(kind, first, name));
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long");
    if (unlink(path) != 0 && errno != ENOENT)
        return err_sys(e, errno, "remove %s", path);
    return RC_OK;
}

/* The oldest first, so that what is left is always the end of the log; its index last, as one without a segment is
 * litter. */
enum rc lmdb_trim(struct rlog *log, rlog_off below, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    enum rc rc = check_writer(l, e);
    bool any = false;
    while (rc == RC_OK && l->n > 1 && l->segments[1]->first <= below) {
        rlog_off first = l->segments[0]->first;
        rc = remove_file(l, 's', first, e);
        if (rc != RC_OK)
            break;
        any = true;
        pthread_mutex_lock(&l->lock);
        lmdb_drop_first(l);
        pthread_mutex_unlock(&l->lock);
        rc = remove_file(l, 'x', first, e);
    }
    return any && rc == RC_OK ? folder_sync(l->dir, e) : rc;
}

/* ---- Upkeep ---- */

static struct lmdb_segment *without_index(struct rlog_lmdb *l)
{
    struct lmdb_segment *found = NULL;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; !found && i + 1 < l->n; i++) {
        if (!l->segments[i]->has_index_file && !l->segments[i]->skip_upkeep)
            found = l->segments[i];
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

enum rc lmdb_maintain(struct rlog *log, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    enum rc rc = check_writer(l, e);
    if (rc != RC_OK)
        return rc;
    if (is_old(l))
        return roll(l, e);
    struct lmdb_segment *s = without_index(l);
    if (!s)
        return RC_AGAIN;
    rc = segment_index_write(l->dir, s->first, e);
    pthread_mutex_lock(&l->lock);
    s->has_index_file = rc == RC_OK;
    s->skip_upkeep = rc == RC_CORRUPT; /* said once; whoever reads there is told again */
    pthread_mutex_unlock(&l->lock);
    return rc;
}

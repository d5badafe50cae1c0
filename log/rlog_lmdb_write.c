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

/* A failed sync is never tried again. */
static enum rc device_failed(struct rlog_lmdb *l, const struct err *why, struct err *e)
{
    if (why->rc != RC_LIMIT && why->rc != RC_NOMEM)
        l->dead = *why;
    if (e)
        *e = *why;
    return why->rc;
}

/* The rule after a failed commit. */
static enum rc commit_failed(struct rlog_lmdb *l, const struct err *why, struct err *e)
{
    segment_writer_close(l->writer);
    l->writer = NULL;
    l->recheck = true;
    return device_failed(l, why, e);
}

/* ---- The active segment ---- */

static enum rc make_segment(struct rlog_lmdb *l, struct err *e)
{
    struct err why = ERR_INIT;
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
    enum rc rc = segment_create(&opts, &h, &why);
    if (rc != RC_OK)
        return device_failed(l, &why, e);
    l->active_since_ns = h.created_ns;
    pthread_mutex_lock(&l->lock);
    rc = lmdb_add_segment(l, h.first, &l->tail, e);
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

/* 0 where there is no active segment. */
static uint64_t active_events(const struct rlog_lmdb *l)
{
    return l->n == 0 || l->tail.sealed ? 0 : l->tail.next - l->segments[l->n - 1]->first;
}

/* The time of its making is what its header says, so it may be any number. */
static bool is_old(const struct rlog_lmdb *l)
{
    int64_t now = clock_wall_ns(l->env->clock);
    return active_events(l) > 0 && now >= l->active_since_ns &&
           (uint64_t)now - (uint64_t)l->active_since_ns >= (uint64_t)l->segment_age_ns;
}

static bool must_roll(const struct rlog_lmdb *l, size_t more)
{
    if (active_events(l) == 0)
        return false;
    return active_events(l) >= l->segment_events || is_old(l) ||
           segment_writer_used(l->writer) + more + TREE_SLACK > l->segment_bytes;
}

/* ---- Append ---- */

/* The handle is good, whether or not there is room for an append. */
static enum rc check_handle(struct rlog_lmdb *l, struct err *e)
{
    if (l->dead.rc != RC_OK || folder_lock_check(l->folder, &l->dead) != RC_OK)
        return say_dead(l, e);
    return RC_OK;
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

static enum rc make_frame(struct rlog_lmdb *l, const struct rlog_stamped *batch,
                          struct frame_head *ret, struct err *e)
{
    const struct frame_start start = {.first = l->tail.next,
                                      .epoch = l->epoch,
                                      .time_ns = batch->time_ns,
                                      .before = l->tail.after};
    buf_reset(l->frame);
    return frame_write(l->frames, &start, batch->batch, batch->n, l->frame, ret, e);
}

enum rc lmdb_append(struct rlog *log, const struct event *batch, size_t n, rlog_off expect_next,
                    rlog_off *ret_first, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    AUTO(rlog_stamped_done) struct rlog_stamped stamped = {0};
    struct frame_head head;
    enum rc rc = check_handle(l, e);
    if (rc == RC_OK)
        rc = lmdb_ready(l, e);
    if (rc != RC_OK)
        return rc;
    if (expect_next != RLOG_ANY && expect_next != l->tail.next)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "append: expected offset %" PRIu64 ", what comes next is %" PRIu64,
                       expect_next, l->tail.next);
    const struct rlog_clock_now now = rlog_clock_now(l->env->clock, l->tail.time_ns);
    rc = rlog_clock_stamp(&l->believed, &now, batch, n, &stamped, e);
    if (rc == RC_OK)
        rc = make_frame(l, &stamped, &head, e);
    if (rc == RC_OK && must_roll(l, l->frame->n))
        rc = roll(l, e);
    if (rc != RC_OK)
        return rc;
    struct err why = ERR_INIT;
    rc = segment_writer_append(l->writer, head.first, buf_slice(l->frame), &why);
    if (rc != RC_OK)
        return commit_failed(l, &why, e);
    publish(l, &head, stamped.batch, stamped.n);
    l->believed = stamped.next;
    *ret_first = head.first + stamped.own;
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

/* In one step for the readers of this handle: a segment is in the list, or its offsets are EXPIRED. */
static enum rc remove_first(struct rlog_lmdb *l, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    rlog_off first = l->segments[0]->first;
    enum rc rc = remove_file(l, 's', first, e);
    if (rc == RC_OK)
        lmdb_drop_first(l);
    pthread_mutex_unlock(&l->lock);
    return rc == RC_OK ? remove_file(l, 'x', first, e) : rc;
}

static enum rc sync_folder(struct rlog_lmdb *l, struct err *e)
{
    struct err why = ERR_INIT;
    return folder_sync(l->dir, &why) == RC_OK ? RC_OK : device_failed(l, &why, e);
}

/* The oldest first, and each only when those before it are durably gone, so that what is left is always the end of the
 * log; its index last, as one without a segment is litter. Makes room, so it needs none. */
enum rc lmdb_trim(struct rlog *log, rlog_off below, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    enum rc rc = check_handle(l, e);
    if (rc != RC_OK || l->n < 2 || l->segments[1]->first > below)
        return rc;
    rc = sync_folder(l, e); /* what a failure before left */
    while (rc == RC_OK && l->n > 1 && l->segments[1]->first <= below) {
        rc = remove_first(l, e);
        if (rc == RC_OK)
            rc = sync_folder(l, e);
    }
    return rc;
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

static enum rc roll_old(struct rlog_lmdb *l, struct err *e)
{
    enum rc rc = lmdb_ready(l, e);
    return rc == RC_OK && is_old(l) ? roll(l, e) : rc;
}

enum rc lmdb_maintain(struct rlog *log, struct err *e)
{
    struct rlog_lmdb *l = lmdb_of(log);
    enum rc rc = check_handle(l, e);
    if (rc == RC_OK && is_old(l))
        return roll_old(l, e);
    if (rc != RC_OK)
        return rc;
    struct lmdb_segment *s = without_index(l);
    if (!s)
        return RC_AGAIN;
    rc = segment_index_write(l->dir, s->first, e);
    pthread_mutex_lock(&l->lock);
    s->has_index_file = rc == RC_OK;
    s->skip_upkeep = rc == RC_CORRUPT; /* said once; whoever reads there is told again */
    if (rc == RC_OK && s->users == 0)
        lmdb_close_index(s); /* the next question opens the file */
    pthread_mutex_unlock(&l->lock);
    return rc;
}

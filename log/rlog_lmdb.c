/* The log in LMDB segments: the table of methods, opening and closing. What it keeps and who may
 * touch it is in rlog_lmdb_priv.h; the bytes are in docs/FORMAT.md. LMDB only ever writes the active
 * segment, behind the folder's lock; every reader, in this process or another, reads pages itself.
 * Invariants: an append that returned RC_OK is durable; a failed commit kills the handle, or leaves
 * it to look at the file first when only room was missing. */
#include "log/rlog_lmdb_priv.h"

#include "core/buf.h"
#include "log/folder.h"

#define SEGMENT_BYTES_DEFAULT  (256ull << 20)
#define SEGMENT_EVENTS_DEFAULT 131072u
#define SEGMENT_AGE_DEFAULT_NS (24 * 3600 * 1000000000LL)

static void close_log(struct rlog *log)
{
    struct rlog_lmdb *l = lmdb_of(log);
    segment_writer_close(l->writer);
    lmdb_free_segments(l);
    frame_writer_free(l->frames);
    segment_reader_free(l->reader);
    buf_done(l->frame);
    free(l->frame);
    free(l->dir);
    free(l->checker);
    folder_unlock(l->folder);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static const struct rlog_ops lmdb_ops = {
    .name = "lmdb",
    .close = close_log,
    .append = lmdb_append,
    .bounds = lmdb_bounds,
    .cursor = lmdb_cursor,
    .last = lmdb_last,
    .history = lmdb_history,
    .seek = lmdb_seek,
    .trim = lmdb_trim,
    .maintain = lmdb_maintain,
};

static enum rc fill(struct rlog_lmdb *l, const struct rlog_lmdb_opts *opts, struct err *e)
{
    l->segment_bytes = opts->segment_bytes ? opts->segment_bytes : SEGMENT_BYTES_DEFAULT;
    l->segment_events = opts->segment_events ? opts->segment_events : SEGMENT_EVENTS_DEFAULT;
    l->segment_age_ns = opts->segment_age_ns ? opts->segment_age_ns : SEGMENT_AGE_DEFAULT_NS;
    l->name_n = opts->name.n;
    if (opts->name.n)
        memcpy(l->name, opts->name.p, opts->name.n);
    l->dir = strdup(opts->dir);
    l->checker = opts->checker ? strdup(opts->checker) : NULL;
    l->frame = calloc(1, sizeof(*l->frame));
    l->frames = opts->access == RLOG_WRITE ? frame_writer_new() : NULL;
    if (!l->dir || !l->frame || (opts->checker && !l->checker) ||
        (opts->access == RLOG_WRITE && !l->frames))
        return err_nomem(e);
    buf_init(l->frame, 2 * (size_t)FRAME_MAX);
    return RC_OK;
}

enum rc rlog_lmdb_open(const struct rlog_lmdb_opts *opts, const struct env *env, struct rlog **ret,
                       struct err *e)
{
    if (opts->name.n == 0 || opts->name.n > SEGMENT_NAME_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL, "the log's name has %zu bytes, allowed is 1 to %d",
                       opts->name.n, SEGMENT_NAME_MAX);
    struct rlog_lmdb *l = calloc(1, sizeof(*l));
    if (!l)
        return err_nomem(e);
    rlog_init(&l->base, &lmdb_ops, opts->access);
    l->env = env;
    pthread_mutex_init(&l->lock, NULL);
    AUTO(rlog_closep) struct rlog *log = &l->base;
    enum rc rc = fill(l, opts, e);
    if (rc == RC_OK)
        rc = lmdb_open_log(l, opts, e);
    if (rc != RC_OK)
        return rc == RC_NOMEM ? rc : err_wrap(e, "log %s", opts->dir);
    *ret = steal(&log);
    return RC_OK;
}

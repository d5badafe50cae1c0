/* A consumer's file: opening, the check before LMDB touches it, and the commit. Invariants: a file
 * has its final name only when its name row is durable; a commit holds an flock on the file, so two
 * processes cannot write it at once, and the generation fences the older of them; readers take no
 * lock. Failure modes: damage is CORRUPT (remove the consumer: it starts again with a full
 * comparison); after a failed commit the file is closed and checked again before the next one, and
 * after a device error nothing more is tried. Threads: under the consumer's lock. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"
#include "log/folder.h"
#include "log/segment_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_SIZE     (16ull << 30) /* sparse: only what is written takes room */
#define COMPACT_MIN  (64ull << 20) /* a smaller file is never worth a copy */
#define PATH_SIZE    4096
#define COMMIT_SLACK (1u << 20)

/* ---- Reading ---- */

void ckpt_consumer_close(struct consumer *c)
{
    pages_close(c->file);
    if (c->env)
        mdb_env_close(c->env);
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    c->file = NULL;
    c->known = false;
    c->env = NULL;
    c->lock_fd = -1;
}

/* The open file is still the one that has the name. */
static bool is_current(const struct consumer *c)
{
    struct stat open_file, named;
    return c->lock_fd >= 0 && fstat(c->lock_fd, &open_file) == 0 && stat(c->path, &named) == 0 &&
           open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

enum rc ckpt_consumer_open(struct consumer *c, struct err *e)
{
    if (c->file && is_current(c))
        return RC_OK;
    ckpt_consumer_close(c);
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return RC_OK;
    if (fd < 0)
        return err_sys(e, errno, "open %s", c->path);
    c->lock_fd = fd;
    return pages_open(c->path, 0, &c->file, e);
}

enum rc ckpt_consumer_get(const struct pages *f, const struct pages_commit *commit,
                          struct slice row_key, struct buf *out, struct err *e)
{
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf stored = BUF_INIT(CKPT_ROW_MAX);
    enum rc rc = pages_find_in(f, commit, PAGES_AT_LEAST, row_key, &row, &stored, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !slice_eq(row.key, row_key))
        return RC_NOTFOUND;
    struct slice key, value;
    rc = ckpt_row_decode(row.key, buf_slice(&stored), &key, &value, e);
    if (rc != RC_OK)
        return rc;
    buf_add_slice(out, value);
    return buf_check(out, "the value of a checkpoint's row", e);
}

/* ---- The file ---- */

static int put(MDB_txn *txn, MDB_dbi dbi, struct slice key, struct slice value)
{
    MDB_val k = {.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
    MDB_val v = {.mv_size = value.n, .mv_data = (void *)(uintptr_t)value.p};
    return mdb_put(txn, dbi, &k, &v, 0);
}

static int put_name(MDB_env *env, struct slice key, struct slice value)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != 0)
        return code;
    code = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (code == 0)
        code = put(txn, dbi, key, value);
    if (code == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* A synced file gets its name. */
static enum rc publish(const struct ckpt_lmdb *l, const char *tmp, const char *path, struct err *e)
{
    int fd = open(tmp, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open %s", tmp);
    enum rc rc = RC_OK;
    if (fsync(fd) != 0 || rename(tmp, path) != 0)
        rc = segment_lmdb_error(errno, tmp, l->dir, 0, e);
    close(fd);
    return rc == RC_OK ? folder_sync(l->dir, e) : rc;
}

static enum rc tmp_of(const struct consumer *c, char out[PATH_SIZE], struct err *e)
{
    int n = snprintf(out, PATH_SIZE, "%s.tmp", c->path);
    if (n < 0 || n >= PATH_SIZE)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s",
                       c->path);
    return RC_OK;
}

static enum rc make_file(const struct ckpt_lmdb *l, const struct consumer *c, struct err *e)
{
    char tmp[PATH_SIZE];
    struct ckpt_row_key storage;
    struct slice key = ckpt_row_key(TAG_NAME, SLICE_NULL, &storage);
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    MDB_env *env = NULL;
    enum rc rc = tmp_of(c, tmp, e);
    if (rc != RC_OK)
        return rc;
    unlink(tmp);
    rc = ckpt_row_encode(key, SLICE_NULL, slice_of(c->name, c->name_n), &row, e);
    if (rc == RC_OK)
        rc = segment_lmdb_open(tmp, l->dir, MAP_SIZE, 0, &env, e);
    if (rc != RC_OK)
        return rc;
    int code = put_name(env, key, buf_slice(&row));
    mdb_env_close(env);
    rc = code ? segment_lmdb_error(code, tmp, l->dir, row.n, e) : publish(l, tmp, c->path, e);
    if (rc != RC_OK)
        unlink(tmp);
    return rc;
}

static enum rc check_row(void *arg, const struct pages_row *row, struct err *e)
{
    const struct pages *f = arg;
    AUTO(buf_done) struct buf stored = BUF_INIT(CKPT_ROW_MAX);
    char *to = row->n <= CKPT_ROW_MAX ? buf_extend(&stored, row->n) : NULL;
    if (!to)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of the checkpoint has %zu bytes", row->n);
    struct slice key, value;
    enum rc rc = pages_read(f, row, 0, row->n, to, e);
    return rc == RC_OK ? ckpt_row_decode(row->key, buf_slice(&stored), &key, &value, e) : rc;
}

/* Everything, so that neither LMDB nor a lookup can meet damage later. */
static enum rc check_file(const struct consumer *c, struct pages_usage *ret, struct err *e)
{
    enum rc rc = pages_verify(c->file, check_row, c->file, ret, e);
    if (rc == RC_CORRUPT)
        return err_wrap(e,
                        "the checkpoint of %.*s is damaged; remove %s and it starts again with a "
                        "full comparison",
                        (int)c->name_n, c->name, c->path);
    return rc;
}

static enum rc compact(const struct ckpt_lmdb *l, const struct consumer *c, struct err *e)
{
    char tmp[PATH_SIZE];
    enum rc rc = tmp_of(c, tmp, e);
    if (rc != RC_OK)
        return rc;
    unlink(tmp);
    int code = mdb_env_copy2(c->env, tmp, MDB_CP_COMPACT);
    rc = code ? segment_lmdb_error(code, tmp, l->dir, 0, e) : publish(l, tmp, c->path, e);
    if (rc != RC_OK)
        unlink(tmp);
    return rc;
}

static enum rc open_env(struct ckpt_lmdb *l, struct consumer *c, struct pages_usage *usage,
                        struct err *e)
{
    enum rc rc = ckpt_consumer_open(c, e);
    if (rc == RC_OK && !c->file) {
        rc = make_file(l, c, e);
        if (rc == RC_OK)
            rc = ckpt_consumer_open(c, e);
    }
    if (rc == RC_OK)
        rc = check_file(c, usage, e);
    return rc == RC_OK ? segment_lmdb_open(c->path, l->dir, MAP_SIZE, 0, &c->env, e) : rc;
}

enum rc ckpt_consumer_open_write(struct ckpt_lmdb *l, struct consumer *c, struct err *e)
{
    if (c->dead.rc != RC_OK)
        return err_set(e, c->dead.rc, ERR_FATAL,
                       "the checkpoints must be closed and opened again after: %.300s",
                       c->dead.msg);
    if (c->env && is_current(c))
        return RC_OK;
    ckpt_consumer_close(c);
    struct pages_usage usage = {0};
    enum rc rc = open_env(l, c, &usage, e);
    struct stat st;
    bool large = rc == RC_OK && fstat(c->lock_fd, &st) == 0 && (uint64_t)st.st_size > COMPACT_MIN;
    struct err unused = ERR_INIT; /* where there is no room for a copy, the file stays as it is */
    if (rc == RC_OK && large && usage.free > usage.pages / 2 && compact(l, c, &unused) == RC_OK) {
        ckpt_consumer_close(c);
        rc = open_env(l, c, &usage, e);
    }
    if (rc != RC_OK)
        ckpt_consumer_close(c);
    return rc;
}

/* ---- Commit ---- */

struct commit {
    const struct ckpt_commit *what;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct buf row;
    uint64_t bytes;
};

static void commit_done(struct commit *w)
{
    if (w->txn)
        mdb_txn_abort(w->txn);
    buf_done(&w->row);
}

static enum rc check_fences(struct commit *w, struct err *e)
{
    struct ckpt_row_key storage;
    struct slice row_key = ckpt_row_key(TAG_HEAD, SLICE_NULL, &storage), key, value;
    MDB_val k = {.mv_size = row_key.n, .mv_data = storage.p}, v;
    int code = mdb_get(w->txn, w->dbi, &k, &v);
    if (code == MDB_NOTFOUND)
        return RC_OK;
    struct ckpt_head stored;
    const struct ckpt_head *given = &w->what->head;
    if (code != 0)
        return err_set(e, RC_IO, ERR_FATAL, "the head of the checkpoint: %s", mdb_strerror(code));
    enum rc rc = ckpt_row_decode(row_key, slice_of(v.mv_data, v.mv_size), &key, &value, e);
    if (rc == RC_OK)
        rc = ckpt_head_decode(value, &stored, e);
    if (rc != RC_OK)
        return rc;
    if (stored.generation > given->generation)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "the checkpoint is of generation %" PRIu64
                       ", this one of the older %" PRIu64,
                       stored.generation, given->generation);
    if (stored.generation == given->generation && stored.offset > given->offset)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "the checkpoint stands at offset %" PRIu64
                       ", this one at the lower %" PRIu64,
                       stored.offset, given->offset);
    return RC_OK;
}

/* *ret_code is LMDB's. */
static enum rc put_row(struct commit *w, enum ckpt_tag tag, struct slice key, struct slice value,
                       int *ret_code, struct err *e)
{
    struct ckpt_row_key storage;
    struct slice row_key = ckpt_row_key(tag, key, &storage);
    if (!value.p) {
        MDB_val k = {.mv_size = row_key.n, .mv_data = storage.p};
        int code = mdb_del(w->txn, w->dbi, &k, NULL);
        *ret_code = code == MDB_NOTFOUND ? 0 : code;
        return RC_OK;
    }
    buf_reset(&w->row);
    struct slice full = key.n + 1 > row_key.n || row_key.n > 1 + key.n ? key : SLICE_NULL;
    enum rc rc = ckpt_row_encode(row_key, full, value, &w->row, e);
    if (rc == RC_OK) {
        w->bytes += w->row.n;
        *ret_code = put(w->txn, w->dbi, row_key, buf_slice(&w->row));
    }
    return rc;
}

static enum rc put_all(struct commit *w, int *ret_code, struct err *e)
{
    char head[CKPT_HEAD_SIZE];
    const struct ckpt_commit *what = w->what;
    ckpt_head_encode(&what->head, head);
    enum rc rc = put_row(w, TAG_HEAD, SLICE_NULL, slice_of(head, sizeof(head)), ret_code, e);
    if (rc == RC_OK && *ret_code == 0 && what->position.p)
        rc = put_row(w, TAG_POSITION, SLICE_NULL, what->position, ret_code, e);
    if (rc == RC_OK && *ret_code == 0 && what->status.p)
        rc = put_row(w, TAG_STATUS, SLICE_NULL, what->status, ret_code, e);
    for (size_t i = 0; rc == RC_OK && *ret_code == 0 && i < what->n_rows; i++) {
        const struct ckpt_row *row = &what->rows[i];
        rc = put_row(w, row->table == CKPT_HOLDS ? TAG_HOLD : TAG_APPLIED, row->key, row->value,
                     ret_code, e);
    }
    return rc;
}

/* *ret_code is LMDB's where the failure came from it. */
static enum rc commit_txn(struct consumer *c, struct commit *w, int *ret_code, struct err *e)
{
    *ret_code = mdb_txn_begin(c->env, NULL, 0, &w->txn);
    if (*ret_code == 0)
        *ret_code = mdb_dbi_open(w->txn, NULL, 0, &w->dbi);
    if (*ret_code != 0)
        return RC_OK;
    enum rc rc = check_fences(w, e);
    if (rc == RC_OK)
        rc = put_all(w, ret_code, e);
    if (rc != RC_OK || *ret_code != 0)
        return rc;
    MDB_txn *txn = w->txn;
    w->txn = NULL; /* freed by the commit in any case */
    *ret_code = mdb_txn_commit(txn);
    return RC_OK;
}

static enum rc commit_locked(struct ckpt_lmdb *l, struct consumer *c,
                             const struct ckpt_commit *what, struct err *e)
{
    enum rc rc = ckpt_consumer_open_write(l, c, e);
    if (rc != RC_OK)
        return rc;
    while (flock(c->lock_fd, LOCK_EX) != 0) {
        if (errno != EINTR)
            return err_sys(e, errno, "lock %s", c->path);
    }
    int code = 0;
    {
        AUTO(commit_done) struct commit w = {.what = what};
        buf_init(&w.row, CKPT_ROW_MAX);
        rc = commit_txn(c, &w, &code, e);
        if (code != 0)
            rc = segment_lmdb_error(code, c->path, l->dir, w.bytes + COMMIT_SLACK, &c->dead);
    }
    flock(c->lock_fd, LOCK_UN);
    if (code == 0)
        return rc;
    if (e)
        *e = c->dead;
    if (rc == RC_LIMIT || rc == RC_NOMEM)
        c->dead = (struct err)ERR_INIT;
    ckpt_consumer_close(c);
    return rc;
}

enum rc ckpt_lmdb_commit(struct ckpt *ckpt, struct slice consumer, const struct ckpt_commit *what,
                         struct err *e)
{
    struct ckpt_lmdb *l = (struct ckpt_lmdb *)ckpt;
    if (l->access != CKPT_WRITE)
        return err_set(e, RC_DENIED, ERR_FINAL,
                       "commit: the checkpoints were opened for reading; open them for writing");
    struct consumer *c = ckpt_consumer_enter(l, consumer);
    if (!c)
        return err_nomem(e);
    enum rc rc = commit_locked(l, c, what, e);
    ckpt_consumer_leave(c);
    return rc;
}

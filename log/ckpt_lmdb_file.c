/* A consumer's file: opening, making, locking, the check before LMDB touches it, compaction.
 * Invariants: a file has its final name only when its name row is durable; who writes the file,
 * checks it, replaces or removes it holds an flock on it and has seen under the lock that it still
 * has the name; nothing is committed before the names in the folder are durable; readers take no
 * lock. A compacted copy takes the name, so its lock is another one: whoever waited for the old one
 * opens anew. Failure modes: damage is CORRUPT (remove the consumer: it starts again with a full
 * comparison); a copy that cannot be made leaves the file as it is. Threads: under the consumer's
 * lock. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"
#include "log/folder.h"
#include "log/segment_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_SIZE    (16ull << 30) /* sparse: only what is written takes room */
#define COMPACT_MIN (1ull << 20)  /* a smaller file is not worth a copy */
#define PATH_SIZE   4096
#define LOCK_TRIES  100 /* how often the file may be replaced while we wait for its lock */

/* ---- Reading ---- */

void ckpt_consumer_close(struct consumer *c)
{
    if (c->env)
        mdb_env_close(c->env);
    pages_close(c->file);       /* with its lock */
    pages_cache_free(c->cache); /* another file may have pages of another size */
    c->cache = c->newest.cache = NULL;
    c->known = false;
    c->env = NULL;
    c->file = NULL;
}

static bool has_name(int fd, const char *path)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && stat(path, &named) == 0 &&
           open_file.st_ino == named.st_ino && open_file.st_dev == named.st_dev;
}

/* The open file is still the one that has the name. */
static bool is_current(const struct consumer *c)
{
    return c->file && has_name(pages_fd(c->file), c->path);
}

/* A file that was replaced or removed has no name any more. Cheaper than is_current, which also finds one that somebody
 * moved away or gave a second name: the writer sees that at its next commit, and nobody else looks often. */
static bool is_usable(const struct consumer *c)
{
    struct stat st;
    if (!c->writes)
        return is_current(c);
    return c->file && fstat(pages_fd(c->file), &st) == 0 && st.st_nlink > 0;
}

enum rc ckpt_consumer_open(struct consumer *c, struct err *e)
{
    if (is_usable(c))
        return RC_OK;
    ckpt_consumer_close(c);
    struct err why = ERR_INIT;
    enum rc rc = pages_open(c->path, 0, &c->file, &why);
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    if (e)
        *e = why;
    return rc;
}

enum rc ckpt_consumer_get(const struct pages *f, const struct pages_commit *commit,
                          enum ckpt_tag tag, struct slice key, struct buf *out, struct err *e)
{
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf stored = BUF_INIT(CKPT_ROW_MAX);
    struct ckpt_row_key storage;
    struct slice row_key = ckpt_row_key(tag, key, &storage), found, value;
    enum rc rc = pages_find_in(f, commit, PAGES_AT_LEAST, row_key, &row, &stored, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !slice_eq(row.key, row_key))
        return RC_NOTFOUND;
    rc = ckpt_row_decode(row.key, buf_slice(&stored), &found, &value, e);
    if (rc != RC_OK)
        return rc;
    if (!slice_eq(found, key))
        return RC_NOTFOUND;
    buf_add_slice(out, value);
    return buf_check(out, "the value of a checkpoint's row", e);
}

/* ---- The lock ---- */

static enum rc lock(int fd, const char *path, struct err *e)
{
    while (flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR)
            return err_sys(e, errno, "lock %s", path);
    }
    return RC_OK;
}

static enum rc replaced_too_often(const struct consumer *c, struct err *e)
{
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY,
                   "%s: other processes replaced it %d times in a row", c->path, LOCK_TRIES);
}

/* ---- Making ---- */

static int put_name(MDB_env *env, struct slice key, struct slice value)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != 0)
        return code;
    MDB_val k = {.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
    MDB_val v = {.mv_size = value.n, .mv_data = (void *)(uintptr_t)value.p};
    code = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (code == 0)
        code = mdb_put(txn, dbi, &k, &v, 0);
    if (code == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

/* A finished file gets the name; durably, once the folder is synced. 0 or an errno. */
static int publish(int fd, const char *tmp, const char *path)
{
    if (fd < 0 || fsync(fd) != 0 || rename(tmp, path) != 0)
        return errno;
    return 0;
}

static enum rc tmp_of(const struct consumer *c, char out[PATH_SIZE], struct err *e)
{
    int n = snprintf(out, PATH_SIZE, "%s.tmp", c->path);
    if (n < 0 || n >= PATH_SIZE)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s",
                       c->path);
    return RC_OK;
}

static enum rc write_name(const struct ckpt_lmdb *l, const struct consumer *c, const char *tmp,
                          struct err *e)
{
    struct ckpt_row_key storage;
    struct slice key = ckpt_row_key(TAG_NAME, SLICE_NULL, &storage);
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    MDB_env *env = NULL;
    enum rc rc = ckpt_row_encode(key, SLICE_NULL, slice_of(c->name, c->name_n), &row, e);
    if (rc == RC_OK)
        rc = segment_lmdb_open(tmp, l->dir, MAP_SIZE, 0, &env, e);
    if (rc != RC_OK)
        return rc;
    int code = put_name(env, key, buf_slice(&row));
    mdb_env_close(env);
    return code ? segment_lmdb_error(code, tmp, l->dir, row.n, e) : RC_OK;
}

static enum rc make_named(const struct ckpt_lmdb *l, const struct consumer *c, struct err *e)
{
    char tmp[PATH_SIZE];
    enum rc rc = tmp_of(c, tmp, e);
    if (rc != RC_OK)
        return rc;
    unlink(tmp);
    rc = write_name(l, c, tmp, e);
    if (rc == RC_OK) {
        int fd = open(tmp, O_RDWR | O_CLOEXEC);
        int code = publish(fd, tmp, c->path);
        if (fd >= 0)
            close(fd);
        rc = code ? segment_lmdb_error(code, tmp, l->dir, 0, e) : RC_OK;
    }
    if (rc != RC_OK)
        unlink(tmp);
    return rc;
}

/* There is no file yet to lock, so two that make it are kept apart by a lock on the folder. */
static enum rc make_file(const struct ckpt_lmdb *l, const struct consumer *c, struct err *e)
{
    int folder = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return err_sys(e, errno, "open the folder %s", l->dir);
    enum rc rc = lock(folder, l->dir, e);
    if (rc == RC_OK && access(c->path, F_OK) != 0)
        rc = make_named(l, c, e);
    close(folder);
    return rc;
}

/* ---- The check ---- */

struct check {
    const struct consumer *c;
    bool named;
};

static enum rc check_row(void *arg, const struct pages_row *row, struct err *e)
{
    struct check *k = arg;
    AUTO(buf_done) struct buf stored = BUF_INIT(CKPT_ROW_MAX);
    char *to = row->n <= CKPT_ROW_MAX ? buf_extend(&stored, row->n) : NULL;
    if (!to)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of the checkpoint has %zu bytes", row->n);
    struct slice key, value;
    enum rc rc = pages_read(k->c->file, row, 0, row->n, to, e);
    if (rc == RC_OK)
        rc = ckpt_row_decode(row->key, buf_slice(&stored), &key, &value, e);
    if (rc == RC_OK && row->key.p[0] == TAG_NAME)
        k->named = slice_eq(value, slice_of(k->c->name, k->c->name_n));
    return rc;
}

/* Everything, so that neither LMDB nor a lookup can meet damage later. */
static enum rc check_file(const struct consumer *c, struct pages_usage *ret, struct err *e)
{
    struct check k = {.c = c};
    enum rc rc = pages_verify(c->file, check_row, &k, ret, e);
    if (rc == RC_OK && !k.named)
        rc = err_set(e, RC_CORRUPT, ERR_FATAL, "it is not the one of this consumer");
    if (rc == RC_CORRUPT)
        return err_wrap(e,
                        "the checkpoint of %.*s is damaged; remove %s and it starts again with a "
                        "full comparison",
                        (int)c->name_n, c->name, c->path);
    return rc;
}

/* ---- For writing; the file is locked ---- */

static bool is_mostly_free(const struct consumer *c, const struct pages_usage *usage)
{
    struct stat st;
    return fstat(pages_fd(c->file), &st) == 0 && (uint64_t)st.st_size >= COMPACT_MIN &&
           usage->free > usage->pages / 2;
}

/* Where that fails (no room for a copy), the file stays as it is. */
static void compact(const struct consumer *c, const char *tmp)
{
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (mdb_env_copyfd2(c->env, fd, MDB_CP_COMPACT) != 0 || publish(fd, tmp, c->path) != 0)
        unlink(tmp);
    close(fd);
}

/* The name of a file that a crash left half made is free again, all names are durable. */
static enum rc clean_folder(const struct ckpt_lmdb *l, struct consumer *c, const char *tmp,
                            struct err *e)
{
    struct err why = ERR_INIT;
    if (unlink(tmp) != 0 && errno != ENOENT)
        return err_sys(e, errno, "remove %s", tmp);
    return folder_sync(l->dir, &why) == RC_OK ? RC_OK : ckpt_consumer_failed(c, &why, e);
}

/* All that comes before LMDB may write the file. The caller sees whether it has the name afterwards. */
static enum rc prepare(const struct ckpt_lmdb *l, struct consumer *c, struct err *e)
{
    char tmp[PATH_SIZE];
    struct pages_usage usage = {0};
    enum rc rc = tmp_of(c, tmp, e);
    if (rc == RC_OK)
        rc = clean_folder(l, c, tmp, e);
    if (rc == RC_OK)
        rc = check_file(c, &usage, e);
    if (rc == RC_OK)
        rc = segment_lmdb_open(c->path, l->dir, MAP_SIZE, 0, &c->env, e);
    if (rc == RC_OK && is_mostly_free(c, &usage))
        compact(c, tmp);
    return rc;
}

static enum rc open_and_lock(const struct ckpt_lmdb *l, struct consumer *c, struct err *e)
{
    enum rc rc = ckpt_consumer_open(c, e);
    if (rc == RC_OK && !c->file) {
        rc = make_file(l, c, e);
        if (rc == RC_OK)
            rc = ckpt_consumer_open(c, e);
    }
    return rc == RC_OK && c->file ? lock(pages_fd(c->file), c->path, e) : rc;
}

enum rc ckpt_consumer_lock(struct ckpt_lmdb *l, struct consumer *c, struct err *e)
{
    if (c->dead.rc != RC_OK)
        return err_set(e, c->dead.rc, ERR_FATAL,
                       "the checkpoints must be closed and opened again after: %.300s",
                       c->dead.msg);
    for (int i = 0; i < LOCK_TRIES; i++) {
        enum rc rc = open_and_lock(l, c, e);
        if (rc == RC_OK && !c->env && is_current(c))
            rc = prepare(l, c, e);
        if (rc == RC_OK && c->env && is_current(c))
            return RC_OK;
        ckpt_consumer_close(c);
        if (rc != RC_OK)
            return rc;
    }
    return replaced_too_often(c, e);
}

void ckpt_consumer_unlock(struct consumer *c)
{
    flock(pages_fd(c->file), LOCK_UN);
}

enum rc ckpt_consumer_failed(struct consumer *c, const struct err *why, struct err *e)
{
    if (why->rc != RC_LIMIT && why->rc != RC_NOMEM)
        c->dead = *why;
    if (e)
        *e = *why;
    ckpt_consumer_close(c);
    return why->rc;
}

/* ---- Remove ---- */

/* *ret_gone tells that the name is free. */
static enum rc remove_current(const struct consumer *c, bool *ret_gone, struct err *e)
{
    char tmp[PATH_SIZE];
    int fd = open(c->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        *ret_gone = true;
    if (fd < 0)
        return *ret_gone ? RC_OK : err_sys(e, errno, "open %s", c->path);
    enum rc rc = lock(fd, c->path, e);
    if (rc == RC_OK && has_name(fd, c->path)) {
        if (tmp_of(c, tmp, NULL) == RC_OK)
            unlink(tmp);
        *ret_gone = unlink(c->path) == 0;
        if (!*ret_gone)
            rc = err_sys(e, errno, "remove %s", c->path);
    }
    close(fd);
    return rc;
}

enum rc ckpt_consumer_remove(const struct ckpt_lmdb *l, struct consumer *c, struct err *e)
{
    ckpt_consumer_close(c);
    c->dead = (struct err)ERR_INIT;
    for (int i = 0; i < LOCK_TRIES; i++) {
        bool gone = false;
        enum rc rc = remove_current(c, &gone, e);
        if (rc != RC_OK)
            return rc;
        if (gone)
            return folder_sync(l->dir, e);
    }
    return replaced_too_often(c, e);
}

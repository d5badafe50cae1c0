/* The writing side of a segment, with LMDB. Keeps: segment_writer is an LMDB environment on one
 * file. Flags: one file, no lock file (the folder's flock excludes writers, readers need no table),
 * plain default sync. Invariants: one row a commit; a file has its final name only when its header
 * is durable; frames are appended under rising keys. Failure modes: LMDB reports a full disk as
 * EIO, so the room is looked at before a failure is called IO. After a failure the commit may be
 * there or not; the caller closes and looks. Threads: one writer, one thread. */
#include "log/segment.h"

#include "core/buf.h"
#include "log/folder.h"
#include "log/segment_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_SLACK    (64u << 20) /* above the planned size: the largest frame, the trees, the seal */
#define ROOM_SLACK   (1u << 20)  /* less room than this counts as a full disk */
#define PATH_SIZE    4096
#define FILE_MODE    0600
#define SEALED_MODE  0400
#define RESERVE_TREE (1u << 20) /* reserved above the planned size, for trees and seal */

struct segment_writer {
    MDB_env *env;
    char dir[PATH_SIZE];
    char path[PATH_SIZE];
};

/* ---- LMDB for all writers of this folder ---- */

enum rc segment_lmdb_error(int code, const char *path, const char *dir, uint64_t need,
                           struct err *e)
{
    if (code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT || code == EFBIG ||
        (code == EIO && folder_room(dir) < need + ROOM_SLACK)) {
        enum rc rc = err_set(e, RC_LIMIT, ERR_RETRY,
                             "%s: no room on the disk; make room, it goes on by itself", path);
        if (e)
            e->sys = ENOSPC;
        return rc;
    }
    if (code > 0)
        return err_sys(e, code, "%s", path);
    if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
        code == MDB_KEYEXIST)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: %s", path, mdb_strerror(code));
    return err_set(e, RC_IO, ERR_FATAL, "%s: %s", path, mdb_strerror(code));
}

enum rc segment_lmdb_open(const char *path, const char *dir, uint64_t map, unsigned flags,
                          MDB_env **ret, struct err *e)
{
    MDB_env *env = NULL;
    int code = mdb_env_create(&env);
    if (code != 0)
        return segment_lmdb_error(code, path, dir, 0, e);
    code = mdb_env_set_mapsize(env, (size_t)map);
    if (code == 0)
        code = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags, FILE_MODE);
    if (code == 0) {
        *ret = env;
        return RC_OK;
    }
    mdb_env_close(env);
    return segment_lmdb_error(code, path, dir, 0, e);
}

static int put_row(MDB_txn *txn, struct slice key, struct slice value)
{
    MDB_dbi dbi;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    MDB_val k = {.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
    MDB_val v = {.mv_size = value.n, .mv_data = (void *)(uintptr_t)value.p};
    return code ? code : mdb_put(txn, dbi, &k, &v, MDB_APPEND);
}

/* One row, one commit. */
static int commit_row(MDB_env *env, struct slice key, struct slice value)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code != 0)
        return code;
    code = put_row(txn, key, value);
    if (code == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

static struct slice row_key(uint64_t v, char out[SEGMENT_KEY_SIZE])
{
    for (int i = SEGMENT_KEY_SIZE - 1; i >= 0; i--, v >>= 8)
        out[i] = (char)(uint8_t)v;
    return slice_of(out, SEGMENT_KEY_SIZE);
}

/* ---- Create ---- */

static enum rc path_of(const char *dir, rlog_off first, const char *tail, char out[PATH_SIZE],
                       struct err *e)
{
    char name[SEGMENT_FILE_MAX];
    int n = snprintf(out, PATH_SIZE, "%s/%s%s", dir, segment_file_name('s', first, name), tail);
    if (n < 0 || n >= PATH_SIZE)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", dir);
    return RC_OK;
}

static enum rc write_header(const char *tmp, const char *dir, const struct segment_header *h,
                            struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    enum rc rc = segment_header_encode(h, &row, e);
    MDB_env *env = NULL;
    if (rc == RC_OK)
        rc = segment_lmdb_open(tmp, dir, MAP_SLACK, 0, &env, e);
    if (rc != RC_OK)
        return rc;
    char key[SEGMENT_KEY_SIZE];
    int code = commit_row(env, row_key(0, key), buf_slice(&row));
    mdb_env_close(env);
    return code ? segment_lmdb_error(code, tmp, dir, row.n, e) : RC_OK;
}

/* After LMDB has made its first pages, so that the file's length stays what LMDB made it. */
static enum rc reserve_and_sync(const char *tmp, const char *dir, uint64_t bytes, struct err *e)
{
    int fd = open(tmp, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open %s", tmp);
    enum rc rc = RC_OK;
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)(bytes + RESERVE_TREE)) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS)
        rc = segment_lmdb_error(errno, tmp, dir, bytes + RESERVE_TREE, e);
    if (rc == RC_OK && fsync(fd) != 0)
        rc = segment_lmdb_error(errno, tmp, dir, 0, e);
    close(fd);
    return rc;
}

enum rc segment_create(const struct segment_opts *opts, const struct segment_header *h,
                       struct err *e)
{
    char path[PATH_SIZE], tmp[PATH_SIZE];
    enum rc rc = path_of(opts->dir, h->first, "", path, e);
    if (rc == RC_OK)
        rc = path_of(opts->dir, h->first, ".tmp", tmp, e);
    if (rc != RC_OK)
        return rc;
    /* A call before this one failed after the rename; readers may have the file open. */
    if (access(path, F_OK) == 0)
        return folder_sync(opts->dir, e);
    unlink(tmp);
    rc = write_header(tmp, opts->dir, h, e);
    if (rc == RC_OK)
        rc = reserve_and_sync(tmp, opts->dir, opts->bytes, e);
    if (rc == RC_OK && rename(tmp, path) != 0)
        rc = segment_lmdb_error(errno, path, opts->dir, 0, e);
    if (rc == RC_OK)
        return folder_sync(opts->dir, e);
    unlink(tmp);
    return rc;
}

/* ---- Append ---- */

enum rc segment_writer_open(const struct segment_opts *opts, rlog_off first,
                            struct segment_writer **ret, struct err *e)
{
    AUTO(segment_writer_closep) struct segment_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return err_nomem(e);
    enum rc rc = path_of(opts->dir, first, "", w->path, e);
    if (rc != RC_OK)
        return rc;
    memcpy(w->dir, opts->dir, strlen(opts->dir) + 1); /* shorter than w->path */
    struct stat st;
    if (stat(w->path, &st) != 0)
        return err_sys(e, errno, "stat %s", w->path);
    uint64_t bytes = (uint64_t)st.st_size > opts->bytes ? (uint64_t)st.st_size : opts->bytes;
    rc = segment_lmdb_open(w->path, w->dir, (bytes + MAP_SLACK) & ~(uint64_t)0xffff, 0, &w->env, e);
    if (rc == RC_OK)
        *ret = steal(&w);
    return rc;
}

void segment_writer_close(struct segment_writer *w)
{
    if (!w)
        return;
    if (w->env)
        mdb_env_close(w->env);
    free(w);
}

enum rc segment_writer_append(struct segment_writer *w, rlog_off first, struct slice frame,
                              struct err *e)
{
    char key[SEGMENT_KEY_SIZE];
    int code = commit_row(w->env, row_key(first, key), frame);
    return code ? segment_lmdb_error(code, w->path, w->dir, frame.n, e) : RC_OK;
}

enum rc segment_writer_seal(struct segment_writer *w, rlog_off first,
                            const struct segment_tail *tail, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(4096);
    enum rc rc = segment_seal_encode(first, tail, &row, e);
    if (rc != RC_OK)
        return rc;
    char key[SEGMENT_KEY_SIZE];
    int code = commit_row(w->env, row_key(UINT64_MAX, key), buf_slice(&row));
    return code ? segment_lmdb_error(code, w->path, w->dir, row.n, e) : RC_OK;
}

enum rc segment_retire(const char *dir, rlog_off first, struct err *e)
{
    char path[PATH_SIZE];
    enum rc rc = path_of(dir, first, "", path, e);
    if (rc != RC_OK)
        return rc;
    struct stat st;
    if (stat(path, &st) != 0)
        return err_sys(e, errno, "stat %s", path);
    if ((st.st_mode & 0777) == SEALED_MODE)
        return RC_OK;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open %s", path);
    /* To its own length: that frees what was reserved behind it. */
    if (ftruncate(fd, st.st_size) != 0 || fchmod(fd, SEALED_MODE) != 0)
        rc = err_sys(e, errno, "%s", path);
    close(fd);
    return rc;
}

uint64_t segment_writer_used(const struct segment_writer *w)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(w->env, &info) != 0 || mdb_env_stat(w->env, &stat) != 0)
        return UINT64_MAX;
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

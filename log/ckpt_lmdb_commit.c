/* The commit of a consumer: fences, then all rows in one transaction of LMDB. Keeps: nothing. Invariant: the fences
 * are read in the transaction that writes, under the file's lock. Failure modes: after a failed commit the file is
 * closed and checked again before the next one, and after a device error nothing more is tried. Threads: under the
 * consumer's lock. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"
#include "log/segment_lmdb.h"

#include <inttypes.h>
#include <lmdb.h>

#define COMMIT_SLACK (1u << 20)

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

static int put(MDB_txn *txn, MDB_dbi dbi, struct slice key, struct slice value)
{
    MDB_val k = {.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
    MDB_val v = {.mv_size = value.n, .mv_data = (void *)(uintptr_t)value.p};
    return mdb_put(txn, dbi, &k, &v, 0);
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
    enum rc rc =
        ckpt_row_encode(row_key, ckpt_key_is_cut(key) ? key : SLICE_NULL, value, &w->row, e);
    if (rc == RC_OK) {
        w->bytes += w->row.n;
        *ret_code = put(w->txn, w->dbi, row_key, buf_slice(&w->row));
    }
    return rc;
}

/* Empties the file but for the consumer's name. */
static enum rc forget(struct commit *w, const struct consumer *c, int *ret_code, struct err *e)
{
    *ret_code = mdb_drop(w->txn, w->dbi, /* del= */ 0);
    return *ret_code == 0
               ? put_row(w, TAG_NAME, SLICE_NULL, slice_of(c->name, c->name_n), ret_code, e)
               : RC_OK;
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
        rc = put_row(w, ckpt_tag_of(row->table), row->key, row->value, ret_code, e);
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
    enum rc rc = w->what->anew ? forget(w, c, ret_code, e) : check_fences(w, e);
    if (rc == RC_OK && *ret_code == 0)
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
    enum rc rc = ckpt_consumer_lock(l, c, e);
    if (rc != RC_OK)
        return rc;
    int code = 0;
    struct err why = ERR_INIT;
    {
        AUTO(commit_done) struct commit w = {.what = what};
        buf_init(&w.row, CKPT_ROW_MAX);
        rc = commit_txn(c, &w, &code, e);
        if (code != 0)
            segment_lmdb_error(code, c->path, l->dir, w.bytes + COMMIT_SLACK, &why);
    }
    if (code != 0)
        return ckpt_consumer_failed(c, &why, e);
    ckpt_consumer_unlock(c);
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

/* The index file x-*.mdb of a sealed segment (docs/FORMAT.md section 4). Keeps: nothing but the
 * open file. Invariant: each row's checksum covers its own key and names the next row's key, so a
 * lookup that finds nothing has proved that there is nothing, and damage cannot hide a key. Written
 * under another name, synced, renamed. Failure modes: CORRUPT of the file; the segment itself is
 * checked while the index is written. Threads: readers share the file. */
#include "log/segment_index_priv.h"

#include "core/buf.h"
#include "core/le.h"
#include "core/map.h"
#include "log/folder.h"
#include "log/pages.h"
#include "log/rlog_ops.h"
#include "log/segment_check.h"
#include "log/segment_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_MAGIC   "RSLX"
#define INDEX_VERSION 2
#define KEY_LONG      480u /* from here on a row has the key's first bytes and 16 of its SHA-256 */
#define KEY_CUT       (KEY_LONG - SEGMENT_INDEX_ID)
#define HEAD_ROW      "h"
#define KEY_ROW       'k'
#define ROW_VALUE_MAX (64u << 20)
#define ENTRY_SIZE    5 /* offset less first 4, op 1 */
#define MAP_BASE      (64u << 20)
#define FRONT_FIRST   1024u /* read first: nearly every front is shorter */

/* Of every row a front and entries. Front: CRC32C 4 (of the row's key, then of the front behind this field), CRC32C of
 * the entries 4, size of the next row's key 2, size of the full key 2 (0: the row's key is it), count 4, next key, full
 * key. The head row has in place of entries: magic 4, version 4, first 8, next 8, frame chain 32. */
enum {
    AT_CRC = 0,
    AT_ENTRIES_CRC = 4,
    AT_NEXT_SIZE = 8,
    AT_FULL_SIZE = 10,
    AT_COUNT = 12,
    AT_BYTES = 16,
    HEAD_BYTES = 56
};

struct row_key {
    size_t n;
    char p[1 + KEY_LONG];
};

/* Of the key's first n bytes, at most KEY_CUT of a long one: what the rows of all keys that begin so begin with. */
static struct slice row_prefix(struct slice prefix, struct row_key *out)
{
    out->p[0] = KEY_ROW;
    out->n = 1 + prefix.n;
    if (prefix.n)
        memcpy(out->p + 1, prefix.p, prefix.n);
    return slice_of(out->p, out->n);
}

static bool is_long(struct slice key)
{
    return key.n >= KEY_LONG;
}

/* A long key gives KEY_LONG bytes and no other does, so the two never meet. */
static struct slice row_key_of(struct slice key, struct row_key *out)
{
    if (!is_long(key))
        return row_prefix(key, out);
    row_prefix(slice_of(key.p, KEY_CUT), out);
    key_set_id(key, (uint8_t *)out->p + out->n);
    out->n += SEGMENT_INDEX_ID;
    return slice_of(out->p, out->n);
}

/* ---- Write ---- */

struct key_rows {
    char *full; /* the key where it is longer than a row's key, else NULL */
    size_t full_n;
    struct buf entries;
    uint32_t count;
};

struct build {
    rlog_off first;
    struct map *keys; /* row key -> struct key_rows */
    uint64_t bytes;   /* about what the file will have */
};

static void key_rows_free(void *value)
{
    struct key_rows *k = value;
    if (!k)
        return;
    free(k->full);
    buf_done(&k->entries);
    free(k);
}

static enum rc add_key(struct build *b, struct slice row_key, struct slice key,
                       struct key_rows **ret, struct err *e)
{
    struct key_rows *k = calloc(1, sizeof(*k));
    if (!k)
        return err_nomem(e);
    buf_init(&k->entries, ROW_VALUE_MAX / 2);
    if (is_long(key)) {
        k->full = malloc(key.n);
        if (!k->full) {
            key_rows_free(k);
            return err_nomem(e);
        }
        memcpy(k->full, key.p, key.n);
        k->full_n = key.n;
    }
    b->bytes += 64 + 2 * row_key.n + key.n;
    *ret = k;
    return map_put(b->keys, row_key, k, e);
}

static enum rc add_event(void *arg, const struct event *ev, struct err *e)
{
    struct build *b = arg;
    struct row_key storage;
    struct slice row_key = row_key_of(ev->key, &storage);
    struct key_rows *k = map_get(b->keys, row_key);
    enum rc rc = k ? RC_OK : add_key(b, row_key, ev->key, &k, e);
    if (rc != RC_OK)
        return rc;
    buf_add_u32(&k->entries, (uint32_t)(ev->offset - b->first));
    buf_add_u8(&k->entries, (uint8_t)ev->op);
    k->count++;
    b->bytes += ENTRY_SIZE;
    return buf_check(&k->entries, "the events of one key in an index", e);
}

/* The front; entries follow, then finish_row. */
static void begin_row(struct buf *row, struct slice next, struct slice full, uint32_t count)
{
    buf_reset(row);
    buf_add_u32(row, 0);
    buf_add_u32(row, 0);
    buf_add_u16(row, (uint16_t)next.n);
    buf_add_u16(row, (uint16_t)full.n);
    buf_add_u32(row, count);
    buf_add_slice(row, next);
    buf_add_slice(row, full);
}

static uint32_t front_crc(struct slice key, struct slice front)
{
    return crc32c(crc32c(0, key.p, key.n), front.p + AT_ENTRIES_CRC, front.n - AT_ENTRIES_CRC);
}

static enum rc finish_row(struct slice key, size_t front_n, struct buf *row, struct err *e)
{
    enum rc rc = buf_check(row, "a row of an index", e);
    if (rc != RC_OK)
        return rc;
    le_put_u32(row->p + AT_ENTRIES_CRC, crc32c(0, row->p + front_n, row->n - front_n));
    le_put_u32(row->p + AT_CRC, front_crc(key, slice_of(row->p, front_n)));
    return RC_OK;
}

static enum rc head_row(const struct build *b, const struct segment_tail *tail, struct slice next,
                        struct buf *row, struct err *e)
{
    begin_row(row, next, SLICE_NULL, (uint32_t)map_count(b->keys));
    size_t front_n = row->n;
    buf_add_slice(row, SLICE(INDEX_MAGIC));
    buf_add_u32(row, INDEX_VERSION);
    buf_add_u64(row, b->first);
    buf_add_u64(row, tail->next);
    buf_add(row, tail->after.frame, SHA256_SIZE);
    return finish_row(SLICE(HEAD_ROW), front_n, row, e);
}

static enum rc key_row(struct slice key, const struct key_rows *k, struct slice next,
                       struct buf *row, struct err *e)
{
    begin_row(row, next, slice_of(k->full, k->full_n), k->count);
    size_t front_n = row->n;
    buf_add_slice(row, buf_slice(&k->entries));
    return finish_row(key, front_n, row, e);
}

static int put(MDB_txn *txn, MDB_dbi dbi, struct slice key, struct slice value)
{
    MDB_val k = {.mv_size = key.n, .mv_data = (void *)(uintptr_t)key.p};
    MDB_val v = {.mv_size = value.n, .mv_data = (void *)(uintptr_t)value.p};
    return mdb_put(txn, dbi, &k, &v, MDB_APPEND);
}

static enum rc put_rows(const struct build *b, const struct segment_tail *tail, MDB_txn *txn,
                        MDB_dbi dbi, int *ret_code, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(ROW_VALUE_MAX);
    struct map_entry entry, next;
    bool more = map_seek(b->keys, SLICE_NULL, false, &entry);
    enum rc rc = head_row(b, tail, more ? entry.key : SLICE_NULL, &row, e);
    if (rc == RC_OK)
        *ret_code = put(txn, dbi, SLICE(HEAD_ROW), buf_slice(&row));
    while (rc == RC_OK && *ret_code == 0 && more) {
        const struct key_rows *k = entry.value;
        more = map_seek(b->keys, entry.key, true, &next);
        rc = key_row(entry.key, k, more ? next.key : SLICE_NULL, &row, e);
        if (rc == RC_OK)
            *ret_code = put(txn, dbi, entry.key, buf_slice(&row));
        entry = next;
    }
    return rc;
}

/* All rows in one commit, without waiting: the file is synced as a whole before it gets its name. */
static enum rc write_rows(const struct build *b, const struct segment_tail *tail, const char *tmp,
                          const char *dir, struct err *e)
{
    MDB_env *env = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    uint64_t map = (MAP_BASE + 4 * b->bytes) & ~(uint64_t)0xffff;
    enum rc rc = segment_lmdb_open(tmp, dir, map, MDB_NOSYNC, &env, e);
    if (rc != RC_OK)
        return rc;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code == 0)
        code = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (code == 0)
        rc = put_rows(b, tail, txn, dbi, &code, e);
    if (txn && (rc != RC_OK || code != 0))
        mdb_txn_abort(txn);
    else if (txn)
        code = mdb_txn_commit(txn);
    mdb_env_close(env);
    return rc == RC_OK && code != 0 ? segment_lmdb_error(code, tmp, dir, b->bytes, e) : rc;
}

static enum rc publish(const char *tmp, const char *path, const char *dir, struct err *e)
{
    int fd = open(tmp, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open %s", tmp);
    enum rc rc = RC_OK;
    if (fsync(fd) != 0 || fchmod(fd, 0400) != 0 || rename(tmp, path) != 0)
        rc = segment_lmdb_error(errno, tmp, dir, 0, e);
    close(fd);
    return rc == RC_OK ? folder_sync(dir, e) : rc;
}

static enum rc read_segment(const char *dir, rlog_off first, struct build *b,
                            struct segment_report *report, struct err *e)
{
    AUTO(pages_closep) struct pages *f = NULL;
    enum rc rc = segment_open_file(dir, first, true, &f, e);
    if (rc == RC_OK)
        rc = segment_check_read(f, first, add_event, b, report, e);
    if (rc == RC_OK && !report->tail.sealed)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the segment of offset %" PRIu64 " is not sealed yet", first);
    return rc;
}

static enum rc path_of(const char *dir, rlog_off first, const char *tail, char out[4096],
                       struct err *e)
{
    char name[SEGMENT_FILE_MAX];
    int n = snprintf(out, 4096, "%s/%s%s", dir, segment_file_name('x', first, name), tail);
    if (n < 0 || n >= 4096)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", dir);
    return RC_OK;
}

enum rc segment_index_write(const char *dir, rlog_off first, struct err *e)
{
    char path[4096], tmp[4096];
    enum rc rc = path_of(dir, first, "", path, e);
    if (rc == RC_OK)
        rc = path_of(dir, first, ".tmp", tmp, e);
    if (rc != RC_OK)
        return rc;
    AUTO(map_freep) struct map *keys = map_new(key_rows_free);
    if (!keys)
        return err_nomem(e);
    struct build b = {.first = first, .keys = keys};
    struct segment_report report;
    rc = read_segment(dir, first, &b, &report, e);
    if (rc != RC_OK)
        return rc;
    unlink(tmp);
    rc = write_rows(&b, &report.tail, tmp, dir, e);
    if (rc == RC_OK)
        rc = publish(tmp, path, dir, e);
    if (rc != RC_OK)
        unlink(tmp);
    return rc;
}

/* ---- Read ---- */

/* One row: where it was found, its front, its entries once they were read. Zero-initialize with ROW_INIT. */
struct index_row {
    struct pages_row found;
    struct buf front, entries;
    struct slice next, full; /* in front */
    uint32_t count;
};

#define ROW_INIT                                                                                   \
    {                                                                                              \
        .front = BUF_INIT(ROW_VALUE_MAX), .entries = BUF_INIT(ROW_VALUE_MAX)                       \
    }

static void index_row_done(struct index_row *r)
{
    pages_row_done(&r->found);
    buf_done(&r->front);
    buf_done(&r->entries);
}

static enum rc damaged(const struct segment_index *x, const char *what, struct err *e)
{
    return err_set(e, RC_CORRUPT, ERR_FATAL, "the index of the segment of offset %" PRIu64 ": %s",
                   x->first, what);
}

static enum rc read_part(const struct segment_index *x, const struct index_row *r, size_t until,
                         struct buf *out, size_t from, struct err *e)
{
    if (until > r->found.n)
        return damaged(x, "a row's lengths are impossible", e);
    char *to = buf_extend(out, until - from);
    return to ? pages_read(x->file, &r->found, from, until - from, to, e)
              : buf_check(out, "a row of an index", e);
}

/* The front of r->found: what proves which key comes next. */
static enum rc read_front(const struct segment_index *x, struct index_row *r, struct err *e)
{
    size_t first = r->found.n < FRONT_FIRST ? r->found.n : FRONT_FIRST;
    buf_reset(&r->front);
    enum rc rc = read_part(x, r, first, &r->front, 0, e);
    if (rc == RC_OK && first < AT_BYTES)
        return damaged(x, "a row is short", e);
    if (rc != RC_OK)
        return rc;
    size_t next = le_get_u16(r->front.p + AT_NEXT_SIZE);
    size_t full = le_get_u16(r->front.p + AT_FULL_SIZE);
    size_t n = AT_BYTES + next + full;
    if (n > first)
        rc = read_part(x, r, n, &r->front, first, e);
    else
        buf_truncate(&r->front, n);
    if (rc != RC_OK)
        return rc;
    const char *p = r->front.p;
    if (front_crc(r->found.key, buf_slice(&r->front)) != le_get_u32(p + AT_CRC))
        return damaged(x, "a row's CRC32C is wrong", e);
    r->next = slice_of(p + AT_BYTES, next);
    r->full = slice_of(p + AT_BYTES + next, full);
    r->count = le_get_u32(p + AT_COUNT);
    return RC_OK;
}

static enum rc read_entries(const struct segment_index *x, struct index_row *r, size_t expected,
                            struct err *e)
{
    size_t front = r->front.n;
    if (r->found.n - front != expected)
        return damaged(x, "a row's count is wrong", e);
    buf_reset(&r->entries);
    enum rc rc = read_part(x, r, r->found.n, &r->entries, front, e);
    if (rc == RC_OK &&
        crc32c(0, r->entries.p, r->entries.n) != le_get_u32(r->front.p + AT_ENTRIES_CRC))
        return damaged(x, "the CRC32C of a row's entries is wrong", e);
    return rc;
}

static enum rc check_head(struct segment_index *x, const struct segment_tail *tail, struct err *e)
{
    AUTO(index_row_done) struct index_row head = ROW_INIT;
    enum rc rc = pages_find(x->file, PAGES_AT_LEAST, SLICE(HEAD_ROW), &head.found, NULL, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !slice_eq(head.found.key, SLICE(HEAD_ROW)))
        return damaged(x, "it has no head row", e);
    rc = read_front(x, &head, e);
    if (rc == RC_OK)
        rc = read_entries(x, &head, HEAD_BYTES, e);
    if (rc != RC_OK)
        return rc;
    const char *p = head.entries.p;
    if (memcmp(p, INDEX_MAGIC, 4) != 0)
        return damaged(x, "its head row is none", e);
    if (le_get_u32(p + 4) != INDEX_VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "the index of the segment of offset %" PRIu64 " is of version %" PRIu32
                       ", this program reads %d; the next writer makes it anew",
                       x->first, le_get_u32(p + 4), INDEX_VERSION);
    if (le_get_u64(p + 8) != x->first || le_get_u64(p + 16) != tail->next ||
        memcmp(p + 24, tail->after.frame, SHA256_SIZE) != 0)
        return damaged(x, "it belongs to another segment", e);
    return RC_OK;
}

enum rc segment_index_open(const char *dir, rlog_off first, const struct segment_tail *tail,
                           struct segment_index **ret, struct err *e)
{
    char path[4096];
    enum rc rc = path_of(dir, first, "", path, e);
    AUTO(segment_index_freep) struct segment_index *x = calloc(1, sizeof(*x));
    if (!x)
        return err_nomem(e);
    pthread_mutex_init(&x->lock, NULL);
    x->first = first;
    x->next = tail->next;
    if (rc == RC_OK)
        rc = pages_open(path, PAGES_FROZEN, &x->file, e);
    if (rc == RC_OK)
        rc = check_head(x, tail, e);
    if (rc == RC_OK)
        *ret = steal(&x);
    return rc;
}

static rlog_off entry_offset(const struct segment_index *x, const struct index_row *row, uint32_t i)
{
    return x->first + le_get_u32(row->entries.p + (size_t)i * ENTRY_SIZE);
}

static enum rc read_offsets(const struct segment_index *x, struct index_row *row, struct err *e)
{
    return read_entries(x, row, (size_t)row->count * ENTRY_SIZE, e);
}

/* The key of a row, without its tag. */
static struct slice full_key(const struct index_row *row)
{
    return row->full.n ? row->full : slice_of(row->found.key.p + 1, row->found.key.n - 1);
}

/* The last row with a key <= wanted. */
static enum rc find_row(const struct segment_index *x, struct slice wanted, struct index_row *row,
                        struct err *e)
{
    enum rc rc = pages_find(x->file, PAGES_AT_MOST, wanted, &row->found, NULL, e);
    if (rc == RC_END)
        return damaged(x, "its head row is not found", e);
    if (rc == RC_OK)
        rc = read_front(x, row, e);
    if (rc == RC_OK && !slice_eq(row->found.key, wanted) && row->next.n > 0 &&
        slice_cmp(wanted, row->next) >= 0)
        return damaged(x, "a row is missing", e);
    return rc;
}

enum rc segment_index_file_find(const struct segment_index *x, struct slice key, rlog_off from,
                                rlog_off until, struct offset_list *out, struct err *e)
{
    struct row_key storage;
    struct slice wanted = row_key_of(key, &storage);
    AUTO(index_row_done) struct index_row row = ROW_INIT;
    enum rc rc = find_row(x, wanted, &row, e);
    if (rc != RC_OK || !slice_eq(row.found.key, wanted) || !slice_eq(full_key(&row), key))
        return rc;
    rc = read_offsets(x, &row, e);
    for (uint32_t i = 0; rc == RC_OK && i < row.count; i++) {
        rlog_off at = entry_offset(x, &row, i);
        if (at >= from && at < until)
            rc = offset_list_add(out, at, e);
    }
    return rc;
}

/* The key's last entry in the range, if the range has the key. */
static enum rc give_last(const struct segment_index *x, struct index_row *row,
                         const struct rlog_range *range, segment_index_fn *fn, void *arg,
                         struct err *e)
{
    struct slice key = full_key(row);
    if (!rlog_range_has(range, key))
        return RC_OK;
    enum rc rc = read_offsets(x, row, e);
    uint32_t i = rc == RC_OK ? row->count : 0;
    while (i > 0 && entry_offset(x, row, i - 1) >= range->until)
        i--;
    if (i == 0 || entry_offset(x, row, i - 1) < range->from)
        return rc;
    uint8_t id[SEGMENT_INDEX_ID];
    key_set_id(key, id);
    uint8_t op = (uint8_t)row->entries.p[(size_t)(i - 1) * ENTRY_SIZE + 4];
    return fn(arg, id, entry_offset(x, row, i - 1), (enum event_op)op, e);
}

/* The row behind `row`, which must be the one that it names. */
static enum rc next_row(const struct segment_index *x, struct index_row *row, struct err *e)
{
    char expected[1 + KEY_LONG];
    size_t n = row->next.n;
    if (n > sizeof(expected))
        return damaged(x, "a row's lengths are impossible", e);
    memcpy(expected, row->next.p, n);
    enum rc rc = pages_next(x->file, &row->found, NULL, e);
    if (rc == RC_END || (rc == RC_OK && !slice_eq(row->found.key, slice_of(expected, n))))
        return damaged(x, "a row is missing", e);
    return rc == RC_OK ? read_front(x, row, e) : rc;
}

enum rc segment_index_file_each(const struct segment_index *x, const struct rlog_range *range,
                                segment_index_fn *fn, void *arg, struct err *e)
{
    struct row_key storage;
    struct slice prefix = range->prefix;
    if (prefix.n > KEY_CUT)
        prefix.n = KEY_CUT;
    struct slice begin = row_prefix(prefix, &storage);
    AUTO(index_row_done) struct index_row row = ROW_INIT;
    enum rc rc = find_row(x, begin, &row, e);
    if (rc == RC_OK && slice_eq(row.found.key, begin))
        rc = give_last(x, &row, range, fn, arg, e);
    while (rc == RC_OK && slice_starts(row.next, begin)) {
        rc = next_row(x, &row, e);
        if (rc == RC_OK)
            rc = give_last(x, &row, range, fn, arg, e);
    }
    return rc;
}

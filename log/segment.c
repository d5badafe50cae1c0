/* Names and rows of a segment, and what can be told from its first and last row. Keeps nothing.
 * Failure modes: a row that is short, has a wrong CRC32C or does not fit its neighbours is CORRUPT,
 * a newer version UNSUPPORTED. Threads: pure but for reading the file. */
#include "log/segment.h"

#include "core/buf.h"
#include "core/le.h"
#include "log/offset_list.h"
#include "log/pages.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define HEADER_MAGIC "RSLS"
#define SEAL_MAGIC   "RSLE"
#define CRC_SIZE     4

/* Both rows begin alike: magic 4, version 2, flags 2, length 4, dictionary 4, first 8, epoch 8, incarnation 8, time
 * 8, frame chain 32, event chain 32. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_FLAGS = 6,
    AT_SIZE = 8,
    AT_DICTIONARY = 12,
    AT_FIRST = 16,
    AT_EPOCH = 24,
    AT_INCARNATION = 32,
    AT_TIME = 40,
    AT_FRAME_CHAIN = 48,
    AT_EVENT_CHAIN = 80,
    AT_REST = 112,
    /* header */
    AT_CREATED = 112,
    AT_BASE = 120,
    AT_KEY_ID = 128,
    AT_LOG_ID = 132,
    AT_NAME_SIZE = 148,
    AT_DICTIONARY_SIZE = 152,
    AT_NAME = 156,
    /* seal */
    AT_NEXT = 112,
    AT_SIGN_KEY_ID = 120,
    AT_SIGNATURE = 124,
    SEAL_SIZE = 188 + CRC_SIZE
};

const char *segment_file_name(char kind, rlog_off first, char *out)
{
    snprintf(out, SEGMENT_FILE_MAX, "%c-%020" PRIu64 ".mdb", kind, first);
    return out;
}

bool segment_file_parse(const char *name, char kind, rlog_off *ret)
{
    if (name[0] != kind || name[1] != '-')
        return false;
    rlog_off first = 0;
    for (int i = 2; i < 22; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        first = first * 10 + (rlog_off)(name[i] - '0');
    }
    char again[SEGMENT_FILE_MAX];
    if (first == 0 || strcmp(name, segment_file_name(kind, first, again)) != 0)
        return false;
    *ret = first;
    return true;
}

enum rc segment_list(const char *dir, char kind, struct offset_list *out, struct err *e)
{
    DIR *d = opendir(dir);
    if (!d)
        return err_sys(e, errno, "open the folder %s", dir);
    enum rc rc = RC_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        rlog_off first = 0;
        if (!entry && errno != 0)
            rc = err_sys(e, errno, "read the folder %s", dir);
        if (!entry || rc != RC_OK)
            break;
        if (segment_file_parse(entry->d_name, kind, &first))
            rc = offset_list_add(out, first, e);
    }
    closedir(d);
    offset_list_sort(out);
    return rc;
}

bool segment_row_kind(struct slice key, enum segment_row *ret, rlog_off *ret_first)
{
    if (key.n != SEGMENT_KEY_SIZE)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < key.n; i++)
        v = v << 8 | (uint8_t)key.p[i];
    *ret = v == 0 ? SEGMENT_ROW_HEADER : v == UINT64_MAX ? SEGMENT_ROW_SEAL : SEGMENT_ROW_FRAME;
    *ret_first = v;
    return true;
}

/* ---- Rows ---- */

static void put_common(char *p, const char *magic, size_t size, rlog_off first)
{
    memset(p, 0, size);
    memcpy(p + AT_MAGIC, magic, 4);
    le_put_u16(p + AT_VERSION, SEGMENT_VERSION);
    le_put_u32(p + AT_SIZE, (uint32_t)size);
    le_put_u64(p + AT_FIRST, first);
}

static void put_chain(char *p, const struct frame_chain *c)
{
    memcpy(p + AT_FRAME_CHAIN, c->frame, SHA256_SIZE);
    memcpy(p + AT_EVENT_CHAIN, c->events, SHA256_SIZE);
}

static void get_chain(const char *p, struct frame_chain *ret)
{
    memcpy(ret->frame, p + AT_FRAME_CHAIN, SHA256_SIZE);
    memcpy(ret->events, p + AT_EVENT_CHAIN, SHA256_SIZE);
}

static void put_crc(char *p, size_t size)
{
    le_put_u32(p + size - CRC_SIZE, crc32c(0, p, size - CRC_SIZE));
}

/* Length, checksum and version, which keep their places in every version. */
static enum rc check_common(struct slice bytes, const char *magic, const char *what, size_t least,
                            struct err *e)
{
    if (bytes.n < AT_REST + CRC_SIZE || memcmp(bytes.p, magic, 4) != 0 ||
        le_get_u32(bytes.p + AT_SIZE) != bytes.n ||
        le_get_u32(bytes.p + bytes.n - CRC_SIZE) != crc32c(0, bytes.p, bytes.n - CRC_SIZE))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the %s row of %zu bytes is damaged", what,
                       bytes.n);
    unsigned version = le_get_u16(bytes.p + AT_VERSION), flags = le_get_u16(bytes.p + AT_FLAGS);
    if (version > SEGMENT_VERSION || flags != 0)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "the %s row has version %u and flags %x, this program reads version %d; use "
                       "a newer one",
                       what, version, flags, SEGMENT_VERSION);
    if (version == 0 || bytes.n < least)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the %s row of version %u has %zu bytes", what,
                       version, bytes.n);
    return RC_OK;
}

enum rc segment_header_encode(const struct segment_header *h, struct buf *out, struct err *e)
{
    size_t size = AT_NAME + h->name_n + CRC_SIZE;
    char *p = buf_extend(out, size);
    if (!p)
        return buf_check(out, "the header row", e);
    put_common(p, HEADER_MAGIC, size, h->first);
    le_put_u64(p + AT_EPOCH, h->epoch);
    le_put_u64(p + AT_INCARNATION, h->incarnation);
    le_put_u64(p + AT_TIME, (uint64_t)h->time_ns);
    le_put_u64(p + AT_CREATED, (uint64_t)h->created_ns);
    put_chain(p, &h->before);
    memcpy(p + AT_LOG_ID, h->log_id, SEGMENT_ID_SIZE);
    le_put_u32(p + AT_NAME_SIZE, (uint32_t)h->name_n);
    memcpy(p + AT_NAME, h->name, h->name_n);
    put_crc(p, size);
    return RC_OK;
}

enum rc segment_header_decode(struct slice bytes, struct segment_header *ret, struct err *e)
{
    enum rc rc = check_common(bytes, HEADER_MAGIC, "header", AT_NAME + CRC_SIZE, e);
    if (rc != RC_OK)
        return rc;
    const char *p = bytes.p;
    if (le_get_u32(p + AT_DICTIONARY) || le_get_u32(p + AT_KEY_ID) ||
        le_get_u32(p + AT_DICTIONARY_SIZE))
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "the segment uses a dictionary or encryption; use a newer program");
    struct segment_header h = {.first = le_get_u64(p + AT_FIRST),
                               .epoch = le_get_u64(p + AT_EPOCH),
                               .incarnation = le_get_u64(p + AT_INCARNATION),
                               .time_ns = (int64_t)le_get_u64(p + AT_TIME),
                               .created_ns = (int64_t)le_get_u64(p + AT_CREATED),
                               .name_n = le_get_u32(p + AT_NAME_SIZE)};
    if (h.first == 0 || h.name_n > SEGMENT_NAME_MAX || AT_NAME + h.name_n + CRC_SIZE != bytes.n)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "the header row says offset %" PRIu64 " and a name of %zu bytes", h.first,
                       h.name_n);
    get_chain(p, &h.before);
    memcpy(h.log_id, p + AT_LOG_ID, SEGMENT_ID_SIZE);
    memcpy(h.name, p + AT_NAME, h.name_n);
    *ret = h;
    return RC_OK;
}

enum rc segment_seal_encode(rlog_off first, const struct segment_tail *tail, struct buf *out,
                            struct err *e)
{
    char *p = buf_extend(out, SEAL_SIZE);
    if (!p)
        return buf_check(out, "the seal row", e);
    put_common(p, SEAL_MAGIC, SEAL_SIZE, first);
    le_put_u64(p + AT_EPOCH, tail->epoch);
    le_put_u64(p + AT_INCARNATION, tail->incarnation);
    le_put_u64(p + AT_TIME, (uint64_t)tail->time_ns);
    le_put_u64(p + AT_NEXT, tail->next);
    put_chain(p, &tail->after);
    put_crc(p, SEAL_SIZE);
    return RC_OK;
}

enum rc segment_seal_decode(struct slice bytes, rlog_off *ret_first, struct segment_tail *ret,
                            struct err *e)
{
    enum rc rc = check_common(bytes, SEAL_MAGIC, "seal", SEAL_SIZE, e);
    if (rc != RC_OK)
        return rc;
    const char *p = bytes.p;
    struct segment_tail tail = {.next = le_get_u64(p + AT_NEXT),
                                .epoch = le_get_u64(p + AT_EPOCH),
                                .incarnation = le_get_u64(p + AT_INCARNATION),
                                .time_ns = (int64_t)le_get_u64(p + AT_TIME),
                                .sealed = true};
    get_chain(p, &tail.after);
    *ret_first = le_get_u64(p + AT_FIRST);
    *ret = tail;
    return RC_OK;
}

/* ---- The file's ends ---- */

enum rc segment_open_file(const char *dir, rlog_off first, bool sealed, struct pages **ret,
                          struct err *e)
{
    char name[SEGMENT_FILE_MAX], path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", dir, segment_file_name('s', first, name));
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(e, RC_LIMIT, ERR_FINAL, "the name of the folder is too long: %.100s", dir);
    return pages_open(path, PAGES_ROW_A_TXN | (sealed ? PAGES_FROZEN : 0u), ret, e);
}

enum rc segment_read_header(const struct pages *f, struct segment_header *ret, struct err *e)
{
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf value = BUF_INIT(SEGMENT_ROW_MAX);
    enum segment_row kind;
    rlog_off at = 0;
    enum rc rc = pages_find(f, PAGES_AT_LEAST, SLICE_NULL, &row, &value, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !segment_row_kind(row.key, &kind, &at) || kind != SEGMENT_ROW_HEADER)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the segment does not begin with a header row");
    return segment_header_decode(buf_slice(&value), ret, e);
}

static enum rc tail_of_seal(struct slice value, const struct segment_header *h,
                            struct segment_tail *ret, struct err *e)
{
    struct segment_tail tail;
    rlog_off first = 0;
    enum rc rc = segment_seal_decode(value, &first, &tail, e);
    if (rc != RC_OK)
        return rc;
    if (first != h->first || tail.next < first)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "the seal row says offsets %" PRIu64 " to %" PRIu64
                       ", the header begins at %" PRIu64,
                       first, tail.next, h->first);
    *ret = tail;
    return RC_OK;
}

static enum rc tail_of_frame(struct slice value, rlog_off first, struct segment_tail *ret,
                             struct err *e)
{
    struct frame_head head;
    enum rc rc = frame_read_head(value, &head, e);
    if (rc != RC_OK)
        return rc;
    if (head.first != first)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "offset %" PRIu64 ": the frame there begins at %" PRIu64, first, head.first);
    *ret = (struct segment_tail){.next = head.first + head.count,
                                 .epoch = head.epoch,
                                 .incarnation = head.incarnation,
                                 .time_ns = head.last_time_ns,
                                 .after = head.after};
    return RC_OK;
}

/* The part of a value that can be a header or a seal; a frame is never changed, so it is read after the search. */
static enum rc read_front(const struct pages *f, const struct pages_row *row, struct buf *out,
                          struct err *e)
{
    size_t n = row->n < FRAME_HEAD_MAX ? row->n : FRAME_HEAD_MAX;
    char *to = buf_extend(out, n);
    return to ? pages_read(f, row, 0, n, to, e) : buf_check(out, "a row", e);
}

enum rc segment_read_tail(const struct pages *f, const struct segment_header *h,
                          struct segment_tail *ret, struct err *e)
{
    AUTO(pages_row_done) struct pages_row row = {0};
    AUTO(buf_done) struct buf front = BUF_INIT(FRAME_HEAD_MAX);
    enum segment_row kind;
    rlog_off at = 0;
    enum rc rc =
        pages_find(f, PAGES_AT_MOST, SLICE("\xff\xff\xff\xff\xff\xff\xff\xff"), &row, NULL, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !segment_row_kind(row.key, &kind, &at))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the segment has no rows, or one that is unknown");
    if (kind == SEGMENT_ROW_HEADER) {
        *ret = (struct segment_tail){.next = h->first,
                                     .epoch = h->epoch,
                                     .incarnation = h->incarnation,
                                     .time_ns = h->time_ns,
                                     .after = h->before};
        return RC_OK;
    }
    rc = read_front(f, &row, &front, e);
    if (rc != RC_OK)
        return rc;
    return kind == SEGMENT_ROW_SEAL ? tail_of_seal(buf_slice(&front), h, ret, e)
                                    : tail_of_frame(buf_slice(&front), at, ret, e);
}

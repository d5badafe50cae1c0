/* Reads events out of segments, one block at a time. Keeps: the header of the last frame, the raw
 * bytes of its last block, and the place in it. Invariant: a frame once committed is never moved,
 * so a frame's place stays good while its segment's file is open; the block cached is of this log,
 * whatever segment it came from, as offsets are unique. Failure modes: CORRUPT with the offset that
 * was wanted. Threads: one thread a reader; the files may be shared. */
#include "log/segment.h"

#include "core/buf.h"
#include "core/compress.h"
#include "log/pages.h"

#include <inttypes.h>

#define FRONT_SIZE 4096 /* read first: nearly every header is shorter */

struct segment_reader {
    struct pages_row row;
    struct buf front; /* the frame's header */
    struct frame_head head;
    bool has_frame;
    struct compressor *compressor;
    struct buf stored, raw;
    struct frame_block block;
    bool has_block;
    struct slice rest; /* of raw, from event `at` on */
    rlog_off at;
    struct event event;
};

struct segment_reader *segment_reader_new(void)
{
    AUTO(segment_reader_freep) struct segment_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    buf_init(&r->front, FRAME_HEAD_MAX);
    buf_init(&r->stored, EVENT_BATCH_BYTES_MAX);
    buf_init(&r->raw, EVENT_BATCH_BYTES_MAX);
    r->compressor = compressor_new();
    return r->compressor ? steal(&r) : NULL;
}

void segment_reader_free(struct segment_reader *r)
{
    if (!r)
        return;
    pages_row_done(&r->row);
    buf_done(&r->front);
    buf_done(&r->stored);
    buf_done(&r->raw);
    compressor_free(r->compressor);
    free(r);
}

static enum rc read_into(const struct pages *f, const struct pages_row *row, size_t from, size_t n,
                         struct buf *out, struct err *e)
{
    char *to = buf_extend(out, n);
    return to ? pages_read(f, row, from, n, to, e) : buf_check(out, "a part of a frame", e);
}

/* The header of the frame in r->row. */
static enum rc read_head(struct segment_reader *r, const struct pages *f, struct err *e)
{
    size_t n = r->row.n < FRONT_SIZE ? r->row.n : FRONT_SIZE;
    buf_reset(&r->front);
    enum rc rc = read_into(f, &r->row, 0, n, &r->front, e);
    uint32_t size = 0;
    if (rc == RC_OK)
        rc = frame_head_size(buf_slice(&r->front), &size, e);
    if (rc == RC_OK && size > n && size <= r->row.n)
        rc = read_into(f, &r->row, n, size - n, &r->front, e);
    struct frame_head head;
    if (rc == RC_OK)
        rc = frame_read_head(buf_slice(&r->front), &head, e);
    if (rc != RC_OK)
        return rc;
    if ((size_t)head.size + head.stored_n != r->row.n)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "its frame has %zu bytes, its header says %zu",
                       r->row.n, (size_t)head.size + head.stored_n);
    r->head = head;
    return RC_OK;
}

static enum rc find_frame(struct segment_reader *r, const struct pages *f, rlog_off at,
                          struct err *e)
{
    char key[SEGMENT_KEY_SIZE];
    for (int i = 0; i < SEGMENT_KEY_SIZE; i++)
        key[i] = (char)(uint8_t)(at >> (8 * (SEGMENT_KEY_SIZE - 1 - i)));
    r->has_frame = r->has_block = false;
    enum segment_row kind;
    rlog_off first = 0;
    enum rc rc = pages_find(f, PAGES_AT_MOST, slice_of(key, sizeof(key)), &r->row, NULL, e);
    if (rc < 0)
        return rc;
    if (rc == RC_END || !segment_row_kind(r->row.key, &kind, &first) || kind != SEGMENT_ROW_FRAME)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "no frame holds it");
    rc = read_head(r, f, e);
    if (rc != RC_OK)
        return rc;
    if (r->head.first != first)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the frame in its place begins at %" PRIu64,
                       r->head.first);
    r->has_frame = true;
    return RC_OK;
}

static bool frame_holds(const struct segment_reader *r, rlog_off at)
{
    return r->has_frame && at >= r->head.first && at - r->head.first < r->head.count;
}

static bool block_holds(const struct segment_reader *r, rlog_off at)
{
    rlog_off first = r->head.first + r->block.first;
    return r->has_block && at >= first && at - first < r->block.count;
}

static void rewind_block(struct segment_reader *r)
{
    r->rest = buf_slice(&r->raw);
    r->at = r->head.first + r->block.first;
}

static enum rc load_block(struct segment_reader *r, const struct pages *f, rlog_off at,
                          struct err *e)
{
    r->has_block = false;
    struct frame_block b = frame_block_of(&r->head, (uint32_t)(at - r->head.first));
    buf_reset(&r->stored);
    buf_reset(&r->raw);
    enum rc rc = read_into(f, &r->row, (size_t)r->head.size + b.at, b.stored_n, &r->stored, e);
    if (rc == RC_OK)
        rc = frame_open_block(&b, buf_slice(&r->stored), r->compressor, &r->raw, e);
    if (rc != RC_OK)
        return rc;
    r->block = b;
    r->has_block = true;
    rewind_block(r);
    return RC_OK;
}

static enum rc place(struct segment_reader *r, const struct pages *f, rlog_off at, struct err *e)
{
    enum rc rc = RC_OK;
    if (!frame_holds(r, at)) {
        rc = find_frame(r, f, at, e);
        if (rc == RC_NOTFOUND || (rc == RC_OK && !frame_holds(r, at)))
            return err_set(e, RC_CORRUPT, ERR_FATAL, "no frame holds it");
    }
    if (rc == RC_OK && !block_holds(r, at))
        return load_block(r, f, at, e);
    if (rc == RC_OK && r->at > at + 1) /* the one before is still at hand */
        rewind_block(r);
    return rc;
}

bool segment_reader_has(const struct segment_reader *r, rlog_off at)
{
    return frame_holds(r, at) && block_holds(r, at);
}

enum rc segment_reader_event(struct segment_reader *r, const struct pages *f, rlog_off at,
                             const struct event **ret, struct err *e)
{
    enum rc rc = place(r, f, at, e);
    while (rc == RC_OK && r->at <= at) {
        rc = frame_take_event(&r->rest, r->at, &r->event, e);
        r->at++;
    }
    if (rc != RC_OK) {
        r->has_frame = r->has_block = false;
        return rc == RC_NOMEM ? rc : err_wrap(e, "offset %" PRIu64, at);
    }
    *ret = &r->event;
    return RC_OK;
}

enum rc segment_reader_frame(struct segment_reader *r, const struct pages *f, rlog_off at,
                             const struct frame_head **ret, struct err *e)
{
    enum rc rc = frame_holds(r, at) ? RC_OK : find_frame(r, f, at, e);
    if (rc != RC_OK)
        return rc == RC_NOMEM ? rc : err_wrap(e, "offset %" PRIu64, at);
    *ret = &r->head;
    return RC_OK;
}

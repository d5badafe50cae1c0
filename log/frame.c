/* The codec of frames. Keeps: frame_writer holds reusable buffers and contexts, no state between
 * frames. Invariant: a block holds whole events, at most 64 KiB of them or exactly one larger, and
 * is stored raw where compression does not gain, so stored_n <= raw_n. Reading believes nothing
 * before the header's CRC32C and its sums are right. Threads: a writer belongs to one thread, all
 * else is pure. */
#include "log/frame.h"

#include "core/buf.h"
#include "core/compress.h"
#include "core/event_codec.h"
#include "core/le.h"

#include <inttypes.h>

#define FRAME_MAGIC   "RSLF"
#define SAMPLE_PIECES 4
#define SAMPLE_PIECE  1024

enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_CODEC = 6,
    AT_SIZE = 8,
    AT_COUNT = 12,
    AT_FIRST = 16,
    AT_EPOCH = 24,
    AT_INCARNATION = 32,
    AT_FIRST_TIME = 40,
    AT_LAST_TIME = 48,
    AT_RAW = 56,
    AT_STORED = 60,
    AT_DICTIONARY = 64,
    AT_KEY_ID = 68,
    AT_NONCE = 72,
    AT_PREVIOUS = 104,
    AT_CHAIN = 136,
    AT_PAYLOAD = 168,
    AT_BLOCKS = 200,
    AT_FLAGS = 204,
    AT_TABLES = 208,
    NONCE_SIZE = 32,
    HASH_SIZE = 4,
    BLOCK_SIZE = 16,
    CRC_SIZE = 4,
    CODEC_ZSTD = 1
};

_Static_assert(AT_TABLES + CRC_SIZE == FRAME_HEAD_MIN, "the header says so");

struct frame_writer {
    struct compressor *compressor;
    struct sha256 *sha;
    struct buf raw, sample;
    uint32_t hashes[EVENT_BATCH_MAX];
    struct frame_block blocks[EVENT_BATCH_MAX];
};

/* ---- Write ---- */

struct frame_writer *frame_writer_new(void)
{
    AUTO(frame_writer_freep) struct frame_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    buf_init(&w->raw, EVENT_BATCH_BYTES_MAX);
    buf_init(&w->sample, 4 * SAMPLE_PIECES * SAMPLE_PIECE);
    w->compressor = compressor_new();
    w->sha = sha256_new();
    return w->compressor && w->sha ? steal(&w) : NULL;
}

void frame_writer_free(struct frame_writer *w)
{
    if (!w)
        return;
    compressor_free(w->compressor);
    sha256_free(w->sha);
    buf_done(&w->raw);
    buf_done(&w->sample);
    free(w);
}

/* Puts an event of n raw bytes into the last block, or begins another. */
static void add_to_blocks(struct frame_writer *w, uint32_t index, uint32_t n, uint32_t *blocks)
{
    struct frame_block *b = *blocks ? &w->blocks[*blocks - 1] : NULL;
    if (!b || b->raw_n + n > FRAME_BLOCK_MAX) {
        b = &w->blocks[(*blocks)++];
        *b = (struct frame_block){.first = index};
    }
    b->raw_n += n;
    b->count++;
}

/* Encodes all events into w->raw and takes the chain along. */
static enum rc encode_events(struct frame_writer *w, const struct frame_start *start,
                             const struct event *batch, size_t n, struct frame_head *head,
                             struct err *e)
{
    buf_reset(&w->raw);
    for (size_t i = 0; i < n; i++) {
        struct event ev = batch[i];
        ev.offset = start->first + i;
        ev.epoch = start->epoch;
        ev.time_ns = start->time_ns;
        size_t before = w->raw.n;
        enum rc rc = event_encode(&ev, &w->raw, e);
        if (rc != RC_OK)
            return rc;
        struct slice bytes = slice_of(w->raw.p + before, w->raw.n - before);
        sha256_start(w->sha);
        sha256_add(w->sha, slice_of(head->after.events, SHA256_SIZE));
        sha256_add(w->sha, bytes);
        sha256_finish(w->sha, head->after.events);
        w->hashes[i] = crc32c(0, ev.key.p, ev.key.n);
        add_to_blocks(w, (uint32_t)i, (uint32_t)bytes.n, &head->blocks);
        head->incarnation = ev.incarnation;
    }
    return RC_OK;
}

/* Whether compression is worth its time, told from a sample: pieces from all over the block must lose an eighth. */
static enum rc is_compressible(struct frame_writer *w, struct slice raw, bool *ret, struct err *e)
{
    *ret = true;
    if (raw.n < 2 * SAMPLE_PIECES * SAMPLE_PIECE)
        return RC_OK;
    char sample[SAMPLE_PIECES * SAMPLE_PIECE];
    for (size_t i = 0; i < SAMPLE_PIECES; i++)
        memcpy(sample + i * SAMPLE_PIECE, raw.p + i * (raw.n / SAMPLE_PIECES), SAMPLE_PIECE);
    buf_reset(&w->sample);
    enum rc rc = compress(w->compressor, slice_of(sample, sizeof(sample)), &w->sample, e);
    *ret = w->sample.n < sizeof(sample) - sizeof(sample) / 8;
    return rc;
}

/* In a raw block each event's own checksum covers the very bytes that are stored; another one would prove nothing. */
static uint32_t block_crc(const struct frame_block *b, struct slice stored)
{
    return b->stored_n == b->raw_n ? 0 : crc32c(0, stored.p, stored.n);
}

static enum rc store_block(struct frame_writer *w, struct frame_block *b, struct slice raw,
                           struct buf *out, struct err *e)
{
    size_t before = out->n;
    bool compressible = true;
    enum rc rc = is_compressible(w, raw, &compressible, e);
    if (rc == RC_OK && compressible)
        rc = compress(w->compressor, raw, out, e);
    if (rc != RC_OK)
        return rc;
    if (!compressible || out->n - before >= raw.n) {
        buf_truncate(out, before);
        buf_add_slice(out, raw);
        rc = buf_check(out, "the frame", e);
        if (rc != RC_OK)
            return rc;
    }
    b->stored_n = (uint32_t)(out->n - before);
    b->crc = block_crc(b, slice_of(out->p + before, b->stored_n));
    return RC_OK;
}

static enum rc store_blocks(struct frame_writer *w, uint32_t blocks, struct buf *out, struct err *e)
{
    size_t at = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        struct slice raw = slice_of(w->raw.p + at, w->blocks[i].raw_n);
        enum rc rc = store_block(w, &w->blocks[i], raw, out, e);
        if (rc != RC_OK)
            return rc;
        at += raw.n;
    }
    return RC_OK;
}

static void put_tables(const struct frame_writer *w, const struct frame_head *h, char *p)
{
    for (uint32_t i = 0; i < h->count; i++, p += HASH_SIZE)
        le_put_u32(p, w->hashes[i]);
    for (uint32_t i = 0; i < h->blocks; i++, p += BLOCK_SIZE) {
        le_put_u32(p, w->blocks[i].raw_n);
        le_put_u32(p + 4, w->blocks[i].stored_n);
        le_put_u32(p + 8, w->blocks[i].crc);
        le_put_u32(p + 12, w->blocks[i].count);
    }
}

static void put_head(const struct frame_writer *w, const struct frame_head *h, char *p)
{
    memset(p, 0, h->size);
    memcpy(p + AT_MAGIC, FRAME_MAGIC, 4);
    le_put_u16(p + AT_VERSION, FRAME_VERSION);
    le_put_u16(p + AT_CODEC, CODEC_ZSTD);
    le_put_u32(p + AT_SIZE, h->size);
    le_put_u32(p + AT_COUNT, h->count);
    le_put_u64(p + AT_FIRST, h->first);
    le_put_u64(p + AT_EPOCH, h->epoch);
    le_put_u64(p + AT_INCARNATION, h->incarnation);
    le_put_u64(p + AT_FIRST_TIME, (uint64_t)h->first_time_ns);
    le_put_u64(p + AT_LAST_TIME, (uint64_t)h->last_time_ns);
    le_put_u32(p + AT_RAW, h->raw_n);
    le_put_u32(p + AT_STORED, h->stored_n);
    memcpy(p + AT_PREVIOUS, h->previous, SHA256_SIZE);
    memcpy(p + AT_CHAIN, h->after.events, SHA256_SIZE);
    memcpy(p + AT_PAYLOAD, h->payload, SHA256_SIZE);
    le_put_u32(p + AT_BLOCKS, h->blocks);
    put_tables(w, h, p + AT_TABLES);
    le_put_u32(p + h->size - CRC_SIZE, crc32c(0, p, h->size - CRC_SIZE));
}

static uint32_t head_size(uint32_t count, uint32_t blocks)
{
    return (uint32_t)FRAME_HEAD_MIN + count * HASH_SIZE + blocks * BLOCK_SIZE;
}

/* Where every block is raw, the event chain is over the same bytes, and a second pass would prove nothing. */
static void hash_payload(const struct frame_head *h, struct slice payload, uint8_t out[SHA256_SIZE])
{
    if (h->stored_n == h->raw_n)
        memset(out, 0, SHA256_SIZE);
    else
        sha256(payload, SLICE_NULL, out);
}

enum rc frame_write(struct frame_writer *w, const struct frame_start *start,
                    const struct event *batch, size_t n, struct buf *out, struct frame_head *ret,
                    struct err *e)
{
    if (n == 0 || n > EVENT_BATCH_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "a frame of %zu events, allowed is 1 to %u", n,
                       EVENT_BATCH_MAX);
    struct frame_head h = {.first = start->first,
                           .count = (uint32_t)n,
                           .epoch = start->epoch,
                           .first_time_ns = start->time_ns,
                           .last_time_ns = start->time_ns,
                           .after = start->before};
    memcpy(h.previous, start->before.frame, SHA256_SIZE);
    enum rc rc = encode_events(w, start, batch, n, &h, e);
    if (rc != RC_OK)
        return rc;
    h.size = head_size(h.count, h.blocks);
    size_t begin = out->n;
    if (!buf_extend(out, h.size))
        return buf_check(out, "the frame", e);
    rc = store_blocks(w, h.blocks, out, e);
    if (rc != RC_OK)
        return rc;
    struct slice payload = slice_of(out->p + begin + h.size, out->n - begin - h.size);
    h.raw_n = (uint32_t)w->raw.n;
    h.stored_n = (uint32_t)payload.n;
    hash_payload(&h, payload, h.payload);
    put_head(w, &h, out->p + begin);
    h.bytes = slice_of(out->p + begin, h.size);
    sha256(h.bytes, SLICE_NULL, h.after.frame);
    *ret = h;
    return RC_OK;
}

/* ---- Read ---- */

static enum rc corrupt(struct err *e, rlog_off first, const char *what, uint64_t found)
{
    return err_set(e, RC_CORRUPT, ERR_FATAL, "frame of offset %" PRIu64 ": %s (%" PRIu64 ")", first,
                   what, found);
}

enum rc frame_head_size(struct slice bytes, uint32_t *ret, struct err *e)
{
    if (bytes.n < FRAME_HEAD_MIN || memcmp(bytes.p, FRAME_MAGIC, 4) != 0)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%zu bytes that are not a frame", bytes.n);
    uint32_t version = le_get_u16(bytes.p + AT_VERSION);
    uint32_t size = le_get_u32(bytes.p + AT_SIZE);
    if (version > FRAME_VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "a frame of version %" PRIu32 ", this program reads up to %d; use a newer",
                       version, FRAME_VERSION);
    if (size < FRAME_HEAD_MIN || size > FRAME_HEAD_MAX)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a frame's header of %" PRIu32 " bytes", size);
    *ret = size;
    return RC_OK;
}

static void get_fields(const char *p, struct frame_head *h)
{
    h->first = le_get_u64(p + AT_FIRST);
    h->count = le_get_u32(p + AT_COUNT);
    h->epoch = le_get_u64(p + AT_EPOCH);
    h->incarnation = le_get_u64(p + AT_INCARNATION);
    h->first_time_ns = (int64_t)le_get_u64(p + AT_FIRST_TIME);
    h->last_time_ns = (int64_t)le_get_u64(p + AT_LAST_TIME);
    h->raw_n = le_get_u32(p + AT_RAW);
    h->stored_n = le_get_u32(p + AT_STORED);
    h->blocks = le_get_u32(p + AT_BLOCKS);
    memcpy(h->previous, p + AT_PREVIOUS, SHA256_SIZE);
    memcpy(h->payload, p + AT_PAYLOAD, SHA256_SIZE);
    memcpy(h->after.events, p + AT_CHAIN, SHA256_SIZE);
}

/* What version 1 has a place for and this program does not do. */
static enum rc check_features(const char *p, rlog_off first, struct err *e)
{
    unsigned codec = le_get_u16(p + AT_CODEC);
    if (codec == CODEC_ZSTD && le_get_u32(p + AT_DICTIONARY) == 0 &&
        le_get_u32(p + AT_KEY_ID) == 0 && le_get_u32(p + AT_FLAGS) == 0)
        return RC_OK;
    return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                   "frame of offset %" PRIu64 ": codec %u, dictionary %" PRIu32 ", key %" PRIu32
                   ", flags %" PRIx32 "; this program does not know them, use a newer one",
                   first, codec, le_get_u32(p + AT_DICTIONARY), le_get_u32(p + AT_KEY_ID),
                   le_get_u32(p + AT_FLAGS));
}

static struct frame_block read_block(const struct frame_head *h, uint32_t i)
{
    const char *p = h->bytes.p + AT_TABLES + (size_t)h->count * HASH_SIZE + (size_t)i * BLOCK_SIZE;
    return (struct frame_block){.raw_n = le_get_u32(p),
                                .stored_n = le_get_u32(p + 4),
                                .crc = le_get_u32(p + 8),
                                .count = le_get_u32(p + 12)};
}

/* The block after b, or the first one when b is all zeros. */
static struct frame_block next_block(const struct frame_head *h, uint32_t i,
                                     const struct frame_block *b)
{
    struct frame_block next = read_block(h, i);
    next.at = b->at + b->stored_n;
    next.first = b->first + b->count;
    return next;
}

/* The blocks' counts and lengths must add up to the frame's. */
static enum rc check_sums(const struct frame_head *h, struct err *e)
{
    uint64_t raw = 0, stored = 0, events = 0;
    struct frame_block b = {0};
    for (uint32_t i = 0; i < h->blocks; i++) {
        b = next_block(h, i, &b);
        if (b.count == 0 || b.stored_n == 0 || b.stored_n > b.raw_n ||
            (b.count > 1 && b.raw_n > FRAME_BLOCK_MAX))
            return corrupt(e, h->first, "a block's lengths are impossible", i);
        raw += b.raw_n;
        stored += b.stored_n;
        events += b.count;
    }
    if (raw != h->raw_n || stored != h->stored_n || events != h->count)
        return corrupt(e, h->first, "the blocks' counts do not add up", events);
    return RC_OK;
}

enum rc frame_read_head(struct slice bytes, struct frame_head *ret, struct err *e)
{
    struct frame_head h = {0};
    enum rc rc = frame_head_size(bytes, &h.size, e);
    if (rc != RC_OK)
        return rc;
    if (h.size > bytes.n)
        return corrupt(e, le_get_u64(bytes.p + AT_FIRST), "its header is cut", bytes.n);
    h.bytes = slice_of(bytes.p, h.size);
    get_fields(bytes.p, &h);
    uint32_t crc = le_get_u32(bytes.p + h.size - CRC_SIZE);
    if (crc != crc32c(0, bytes.p, h.size - CRC_SIZE))
        return corrupt(e, h.first, "its header's CRC32C is wrong", crc);
    rc = check_features(bytes.p, h.first, e);
    if (rc != RC_OK)
        return rc;
    if (h.first == 0 || h.count == 0 || h.count > EVENT_BATCH_MAX || h.blocks == 0 ||
        h.blocks > h.count || h.raw_n > EVENT_BATCH_BYTES_MAX ||
        h.size != head_size(h.count, h.blocks) || h.first > UINT64_MAX - h.count)
        return corrupt(e, h.first, "its header's counts are impossible", h.count);
    rc = check_sums(&h, e);
    if (rc != RC_OK)
        return rc;
    sha256(h.bytes, SLICE_NULL, h.after.frame);
    *ret = h;
    return RC_OK;
}

uint32_t frame_key_hash(const struct frame_head *h, uint32_t i)
{
    return le_get_u32(h->bytes.p + AT_TABLES + (size_t)i * HASH_SIZE);
}

struct frame_block frame_block_at(const struct frame_head *h, uint32_t i)
{
    struct frame_block b = {0};
    for (uint32_t k = 0; k <= i; k++)
        b = next_block(h, k, &b);
    return b;
}

struct frame_block frame_block_of(const struct frame_head *h, uint32_t index)
{
    struct frame_block b = {0};
    for (uint32_t k = 0; k < h->blocks && b.first + b.count <= index; k++)
        b = next_block(h, k, &b);
    return b;
}

enum rc frame_open_block(const struct frame_block *b, struct slice stored, struct compressor *c,
                         struct buf *raw, struct err *e)
{
    uint32_t crc = block_crc(b, stored);
    if (stored.n != b->stored_n || crc != b->crc)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "a block's CRC32C is %08" PRIx32 ", its bytes give %08" PRIx32, b->crc, crc);
    if (b->stored_n < b->raw_n)
        return decompress(c, stored, b->raw_n, raw, e);
    buf_add_slice(raw, stored);
    return buf_check(raw, "a block", e);
}

enum rc frame_take_event(struct slice *raw, rlog_off expect, struct event *ret, struct err *e)
{
    struct event ev;
    enum rc rc = event_decode(raw, &ev, e);
    if (rc != RC_OK)
        return rc;
    if (ev.offset != expect)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "an event calls itself offset %" PRIu64 " in the place of %" PRIu64,
                       ev.offset, expect);
    *ret = ev;
    return RC_OK;
}

/* ---- Verify ---- */

struct frame_verifier {
    struct compressor *compressor;
    struct sha256 *sha;
    struct buf raw;
    frame_event_fn *fn;
    void *arg;
    /* Of the frame that is being checked. */
    const struct frame_head *head;
    struct slice payload;
    uint8_t chain[SHA256_SIZE];
};

struct frame_verifier *frame_verifier_new(frame_event_fn *fn, void *arg)
{
    AUTO(frame_verifier_freep) struct frame_verifier *v = calloc(1, sizeof *v);
    if (!v)
        return NULL;
    buf_init(&v->raw, EVENT_BATCH_BYTES_MAX);
    v->fn = fn;
    v->arg = arg;
    v->compressor = compressor_new();
    v->sha = sha256_new();
    return v->compressor && v->sha ? steal(&v) : NULL;
}

void frame_verifier_free(struct frame_verifier *v)
{
    if (!v)
        return;
    compressor_free(v->compressor);
    sha256_free(v->sha);
    buf_done(&v->raw);
    free(v);
}

static enum rc verify_event(struct frame_verifier *v, uint32_t index, struct slice *raw,
                            struct err *e)
{
    const struct frame_head *h = v->head;
    const char *begin = raw->p;
    struct event ev;
    enum rc rc = frame_take_event(raw, h->first + index, &ev, e);
    if (rc != RC_OK)
        return rc;
    sha256_start(v->sha);
    sha256_add(v->sha, slice_of(v->chain, SHA256_SIZE));
    sha256_add(v->sha, slice_of(begin, (size_t)(raw->p - begin)));
    sha256_finish(v->sha, v->chain);
    if (ev.epoch != h->epoch || ev.time_ns < h->first_time_ns || ev.time_ns > h->last_time_ns ||
        crc32c(0, ev.key.p, ev.key.n) != frame_key_hash(h, index))
        return corrupt(e, h->first, "an event is not what the header says of it", ev.offset);
    return v->fn ? v->fn(v->arg, &ev, e) : RC_OK;
}

static enum rc verify_block(struct frame_verifier *v, const struct frame_block *b, struct err *e)
{
    buf_reset(&v->raw);
    struct slice stored = slice_of(v->payload.p + b->at, b->stored_n);
    enum rc rc = frame_open_block(b, stored, v->compressor, &v->raw, e);
    struct slice raw = buf_slice(&v->raw);
    for (uint32_t i = 0; rc == RC_OK && i < b->count; i++)
        rc = verify_event(v, b->first + i, &raw, e);
    if (rc == RC_OK && raw.n > 0)
        return corrupt(e, v->head->first, "a block has bytes behind its last event", raw.n);
    return rc;
}

static enum rc verify_blocks(struct frame_verifier *v, struct err *e)
{
    enum rc rc = RC_OK;
    struct frame_block b = {0};
    for (uint32_t i = 0; rc == RC_OK && i < v->head->blocks; i++) {
        b = next_block(v->head, i, &b);
        rc = verify_block(v, &b, e);
    }
    if (rc == RC_OK && memcmp(v->chain, v->head->after.events, SHA256_SIZE) != 0)
        return corrupt(e, v->head->first, "the event chain is broken", v->head->count);
    return rc;
}

enum rc frame_verify(struct frame_verifier *v, struct slice whole, rlog_off expect,
                     const struct frame_chain *before, struct frame_head *ret, struct err *e)
{
    struct frame_head h;
    enum rc rc = frame_read_head(whole, &h, e);
    if (rc != RC_OK)
        return rc;
    if (expect && h.first != expect)
        return corrupt(e, h.first, "the frame stands in the place of another offset", expect);
    if (memcmp(h.previous, before->frame, SHA256_SIZE) != 0)
        return corrupt(e, h.first, "it does not follow the frame before it", h.first);
    if (whole.n != (size_t)h.size + h.stored_n)
        return corrupt(e, h.first, "its length is wrong", whole.n);
    v->head = &h;
    v->payload = slice_of(whole.p + h.size, h.stored_n);
    uint8_t sha[SHA256_SIZE];
    hash_payload(&h, v->payload, sha);
    if (memcmp(sha, h.payload, SHA256_SIZE) != 0)
        return corrupt(e, h.first, "its payload's SHA-256 is wrong", h.stored_n);
    memcpy(v->chain, before->events, SHA256_SIZE);
    rc = verify_blocks(v, e);
    v->head = NULL;
    if (rc == RC_OK)
        *ret = h;
    return rc;
}

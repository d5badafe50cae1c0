/* The frame: one appended batch as bytes (docs/FORMAT.md section 2). A header that says everything but the bodies,
 * then blocks of whole events, so that one event costs the header and one block. Pure: no file, no clock. */
#ifndef RESILOG_LOG_FRAME_H
#define RESILOG_LOG_FRAME_H

#include "core/digest.h"
#include "core/event.h"
#include "core/scope.h"

struct buf;
struct compressor;
struct frame_writer;

#define FRAME_VERSION   1
#define FRAME_BLOCK_MAX (64u << 10) /* raw bytes of a block with more than one event */
#define FRAME_HEAD_MIN  212u /* of a frame without events: enough to learn the header's size */
#define FRAME_HEAD_MAX  (FRAME_HEAD_MIN + EVENT_BATCH_MAX * (4u + 16u))
#define FRAME_MAX       (FRAME_HEAD_MAX + EVENT_BATCH_BYTES_MAX)

/* The heads of both chains: what came last. All zeros before the first frame. */
struct frame_chain {
    uint8_t frame[SHA256_SIZE];  /* SHA-256 of the last frame's header */
    uint8_t events[SHA256_SIZE]; /* over the canonical bytes of all events */
};

/* What the log gives a batch. All its events get the same time. */
struct frame_start {
    rlog_off first;
    uint64_t epoch;
    int64_t time_ns;
    struct frame_chain before;
};

struct frame_head {
    rlog_off first;
    uint32_t count;
    uint64_t epoch;
    uint64_t incarnation; /* of the last event */
    int64_t first_time_ns, last_time_ns;
    uint32_t raw_n, stored_n; /* bytes of the payload, before and after compression */
    uint32_t blocks;
    uint32_t size;                 /* of the header */
    uint8_t previous[SHA256_SIZE]; /* hash of the frame before */
    uint8_t payload[SHA256_SIZE];
    struct frame_chain after; /* this frame's own hash, and the chain behind its last event */
    struct slice bytes;       /* the header itself, in the caller's memory */
};

struct frame_block {
    uint32_t at; /* in the payload */
    uint32_t raw_n, stored_n;
    uint32_t
        crc; /* CRC32C of the bytes as stored; 0 where they are raw: the events have their own */
    uint32_t first; /* index of its first event */
    uint32_t count;
};

struct frame_writer *frame_writer_new(void); /* NULL when out of memory */
void frame_writer_free(struct frame_writer *w);
DEFINE_FREEP(struct frame_writer, frame_writer_free)

/* Appends the frame of n events to out, each with its offset, epoch and time set from `start`; ret->bytes points into
 * out. Errors: INVALID, LIMIT (FINAL), NOMEM. */
MUST_CHECK enum rc frame_write(struct frame_writer *w, const struct frame_start *start,
                               const struct event *batch, size_t n, struct buf *out,
                               struct frame_head *ret, struct err *e);

/* The header's size, from at least FRAME_HEAD_MIN bytes. Errors: CORRUPT, UNSUPPORTED (newer version). */
MUST_CHECK enum rc frame_head_size(struct slice bytes, uint32_t *ret, struct err *e);
/* Decodes a header at the front of bytes; views point into it. Errors: CORRUPT, UNSUPPORTED (newer version, codec,
 * dictionary or encryption). */
MUST_CHECK enum rc frame_read_head(struct slice bytes, struct frame_head *ret, struct err *e);
/* Of the event with index i (< count): rlog_key_hash of its key. */
uint32_t frame_key_hash(const struct frame_head *h, uint32_t i);
/* Block i (< blocks), and the block that holds event `index` (< count). */
struct frame_block frame_block_at(const struct frame_head *h, uint32_t i);
struct frame_block frame_block_of(const struct frame_head *h, uint32_t index);
/* Checks a block's stored bytes and appends its raw bytes, the encoded events, to raw. Errors: CORRUPT,
 * NOMEM, LIMIT. */
MUST_CHECK enum rc frame_open_block(const struct frame_block *b, struct slice stored,
                                    struct compressor *c, struct buf *raw, struct err *e);
/* Takes the next event of a raw block, whose offset must be `expect`. Errors: CORRUPT, UNSUPPORTED. */
MUST_CHECK enum rc frame_take_event(struct slice *raw, rlog_off expect, struct event *ret,
                                    struct err *e);

/* Called for each event in order; the event lives for the call. */
typedef enum rc frame_event_fn(void *arg, const struct event *ev, struct err *e);

/* Checks frames, and keeps what that needs from one to the next. fn may be NULL. NULL when out of memory. */
struct frame_verifier;
struct frame_verifier *frame_verifier_new(frame_event_fn *fn, void *arg);
void frame_verifier_free(struct frame_verifier *v);
DEFINE_FREEP(struct frame_verifier, frame_verifier_free)
/* Checks a whole frame: its place behind `before`, its first offset (0: any), the payload's SHA-256, every event, the
 * key hashes, times and both chains. ret->bytes points into whole. Errors: CORRUPT, UNSUPPORTED, NOMEM, fn's. */
MUST_CHECK enum rc frame_verify(struct frame_verifier *v, struct slice whole, rlog_off expect,
                                const struct frame_chain *before, struct frame_head *ret,
                                struct err *e);

#endif

/* Frames: any bytes are read without harm, as they are and with the header's checksum made right, so that what lies
 * behind it is reached. What verifies has sums that add up. */
#include "core/buf.h"
#include "core/compress.h"
#include "core/le.h"
#include "log/frame.h"

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static enum rc count_event(void *arg, const struct event *ev, struct err *e)
{
    (void)e;
    CHECK(ev->key.n > 0);
    ++*(uint32_t *)arg;
    return RC_OK;
}

/* Every block of a header that was believed. */
static void open_blocks(const struct frame_head *h, struct slice whole)
{
    struct compressor *c = compressor_new();
    CHECK(c);
    uint32_t at = 0;
    for (uint32_t i = 0; i < h->blocks && i < 64; i++) {
        struct frame_block b = frame_block_at(h, i);
        AUTO(buf_done) struct buf raw = BUF_INIT(EVENT_BATCH_BYTES_MAX);
        CHECK(b.at == at && b.at + b.stored_n <= h->stored_n);
        CHECK(frame_block_of(h, b.first).first == b.first);
        at += b.stored_n;
        size_t from = (size_t)h->size + b.at;
        if (from + b.stored_n <= whole.n)
            (void)!frame_open_block(&b, slice_of(whole.p + from, b.stored_n), c, &raw, NULL);
    }
    compressor_free(c);
}

static void read_frame(struct slice whole)
{
    struct frame_head h;
    const struct frame_chain before = {{0}, {0}};
    uint32_t events = 0;
    if (frame_read_head(whole, &h, NULL) == RC_OK)
        open_blocks(&h, whole);
    AUTO(frame_verifier_freep)
    struct frame_verifier *v = frame_verifier_new(count_event, &events);
    if (v && frame_verify(v, whole, 0, &before, &h, NULL) == RC_OK)
        CHECK(events == h.count && whole.n == (size_t)h.size + h.stored_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    read_frame(slice_of(data, n));
    uint32_t size = 0;
    if (frame_head_size(slice_of(data, n), &size, NULL) != RC_OK || size > n)
        return 0;
    AUTO(freep) char *fixed = malloc(n);
    CHECK(fixed);
    memcpy(fixed, data, n);
    le_put_u32(fixed + size - 4, crc32c(0, fixed, size - 4));
    read_frame(slice_of(fixed, n));
    return 0;
}

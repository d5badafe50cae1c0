/* Frames: what is written reads back, and no bit of it can change unseen. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/compress.h"
#include "core/event_codec.h"
#include "core/le.h"
#include "core/rng.h"
#include "log/frame.h"
#include "tests/unit/format/golden.h"

static struct event event_of(const char *key, struct slice body)
{
    return (struct event){.incarnation = 3,
                          .wall_ns = 5,
                          .op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .source = SLICE("s"),
                          .key = slice_str(key),
                          .body = body};
}

static const struct frame_start start = {
    .first = 100, .epoch = 7, .time_ns = 9000, .before = {.frame = {1, 2}, .events = {3}}};

static void write_frame(const struct event *batch, size_t n, struct buf *out,
                        struct frame_head *ret)
{
    AUTO(frame_writer_freep) struct frame_writer *w = frame_writer_new();
    struct err e = ERR_INIT;
    assert_non_null(w);
    assert_int_equal(frame_write(w, &start, batch, n, out, ret, &e), RC_OK);
}

struct seen {
    const struct event *batch;
    size_t n;
};

static enum rc compare_event(void *arg, const struct event *ev, struct err *e)
{
    (void)e;
    struct seen *s = arg;
    const struct event *expected = &s->batch[s->n];
    assert_int_equal(ev->offset, start.first + s->n);
    assert_int_equal(ev->epoch, start.epoch);
    assert_true(ev->time_ns == start.time_ns);
    assert_true(slice_eq(ev->key, expected->key));
    assert_true(slice_eq(ev->body, expected->body));
    s->n++;
    return RC_OK;
}

static enum rc verify(struct slice whole, rlog_off expect, const struct frame_chain *before,
                      struct seen *seen, struct frame_head *ret, struct err *e)
{
    AUTO(frame_verifier_freep)
    struct frame_verifier *v = frame_verifier_new(seen ? compare_event : NULL, seen);
    assert_non_null(v);
    return frame_verify(v, whole, expect, before, ret, e);
}

static void a_frame_gives_back_its_events_with_what_the_log_added(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("1")), event_of("b", SLICE("")),
                                  event_of("a", SLICE("\0\xff"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head written, read;
    struct seen seen = {.batch = batch};
    struct err e = ERR_INIT;
    write_frame(batch, 3, &out, &written);
    assert_int_equal(verify(buf_slice(&out), 100, &start.before, &seen, &read, &e), RC_OK);
    assert_int_equal(seen.n, 3);
    assert_int_equal(read.first, 100);
    assert_int_equal(read.count, 3);
    assert_int_equal(read.epoch, 7);
    assert_int_equal(read.incarnation, 3);
    assert_int_equal(read.blocks, 1);
    assert_memory_equal(read.previous, start.before.frame, SHA256_SIZE);
    assert_memory_equal(&read.after, &written.after, sizeof(read.after));
    assert_int_equal(frame_key_hash(&read, 1), crc32c(0, "b", 1));
}

static void the_event_chain_is_over_canonical_bytes(void **state)
{
    (void)state;
    struct event batch[] = {event_of("a", SLICE("1")), event_of("b", SLICE("2"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    struct err e = ERR_INIT;
    write_frame(batch, 2, &out, &head);
    uint8_t chain[SHA256_SIZE];
    memcpy(chain, start.before.events, sizeof(chain));
    for (size_t i = 0; i < 2; i++) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(4096);
        batch[i].offset = start.first + i;
        batch[i].epoch = start.epoch;
        batch[i].time_ns = start.time_ns;
        assert_int_equal(event_encode(&batch[i], &bytes, &e), RC_OK);
        sha256(slice_of(chain, sizeof(chain)), buf_slice(&bytes), chain);
    }
    assert_memory_equal(head.after.events, chain, SHA256_SIZE);
    sha256(head.bytes, SLICE_NULL, chain);
    assert_memory_equal(head.after.frame, chain, SHA256_SIZE);
}

/* Bodies so large that few share a block, one larger than a block, one that does not compress. */
static size_t make_large(struct event *batch, char *zeros, char *noise)
{
    struct rng_seeded r;
    rng_seeded_init(&r, 1);
    for (size_t i = 0; i < 40000; i += 8)
        le_put_u64(noise + i, rng_u64(&r.rng));
    size_t n = 0;
    for (; n < 5; n++)
        batch[n] = event_of("small", slice_of(zeros, 30000));
    batch[n++] = event_of("large", slice_of(zeros, 200000));
    batch[n++] = event_of("noise", slice_of(noise, 40000));
    batch[n++] = event_of("tail", SLICE("x"));
    return n;
}

static void free_compressor(struct compressor **c)
{
    compressor_free(*c);
}

static void one_event_costs_one_block(void **state)
{
    (void)state;
    AUTO(freep) char *zeros = calloc(1, 200000);
    AUTO(freep) char *noise = calloc(1, 40000);
    AUTO(free_compressor) struct compressor *c = compressor_new();
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct event batch[8];
    struct frame_head head;
    struct err e = ERR_INIT;
    size_t n = make_large(batch, zeros, noise);
    write_frame(batch, n, &out, &head);
    assert_true(head.blocks >= 5);
    assert_true(head.stored_n < head.raw_n);
    for (uint32_t i = 0; i < n; i++) {
        struct frame_block b = frame_block_of(&head, i);
        AUTO(buf_done) struct buf raw = BUF_INIT(EVENT_BATCH_BYTES_MAX);
        assert_true(b.first <= i && i < b.first + b.count);
        assert_true(b.raw_n <= FRAME_BLOCK_MAX || b.count == 1);
        struct slice stored = slice_of(out.p + head.size + b.at, b.stored_n);
        assert_int_equal(frame_open_block(&b, stored, c, &raw, &e), RC_OK);
        struct slice rest = buf_slice(&raw);
        struct event ev;
        for (uint32_t k = b.first; k <= i; k++)
            assert_int_equal(frame_take_event(&rest, head.first + k, &ev, &e), RC_OK);
        assert_true(slice_eq(ev.key, batch[i].key));
        assert_true(slice_eq(ev.body, batch[i].body));
    }
    struct frame_block noisy = frame_block_of(&head, 6);
    assert_int_equal(noisy.stored_n, noisy.raw_n);
    struct seen seen = {.batch = batch};
    assert_int_equal(verify(buf_slice(&out), 0, &start.before, &seen, &head, &e), RC_OK);
    assert_int_equal(seen.n, n);
}

static void every_single_flipped_bit_is_seen(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("{\"a\":1}")), event_of("b", SLICE("{}"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    write_frame(batch, 2, &out, &head);
    for (size_t bit = 0; bit < out.n * 8; bit++) {
        struct err e = ERR_INIT;
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ (1 << bit % 8));
        enum rc rc = verify(buf_slice(&out), 100, &start.before, NULL, &head, &e);
        assert_true(rc == RC_CORRUPT || rc == RC_UNSUPPORTED);
        assert_int_equal(e.rc, rc);
        assert_int_equal(e.retry, ERR_FATAL);
        out.p[bit / 8] = (char)(out.p[bit / 8] ^ (1 << bit % 8));
    }
}

static void every_cut_is_seen(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("{\"a\":1}"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    write_frame(batch, 1, &out, &head);
    for (size_t n = 0; n < out.n; n++) {
        AUTO(freep) char *exact = malloc(n ? n : 1);
        struct err e = ERR_INIT;
        memcpy(exact, out.p, n);
        assert_int_equal(verify(slice_of(exact, n), 0, &start.before, NULL, &head, &e), RC_CORRUPT);
    }
}

static void a_frame_stands_only_behind_its_predecessor(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("1"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    struct err e = ERR_INIT;
    write_frame(batch, 1, &out, &head);
    assert_int_equal(verify(buf_slice(&out), 101, &start.before, NULL, &head, &e), RC_CORRUPT);
    struct frame_chain wrong = start.before;
    wrong.frame[0] ^= 1;
    assert_int_equal(verify(buf_slice(&out), 100, &wrong, NULL, &head, &e), RC_CORRUPT);
    wrong = start.before;
    wrong.events[0] ^= 1;
    assert_int_equal(verify(buf_slice(&out), 100, &wrong, NULL, &head, &e), RC_CORRUPT);
}

/* Changes a header field and makes the checksum right again. */
static enum rc read_changed(const struct buf *frame, uint32_t size, size_t at, uint8_t value)
{
    AUTO(freep) char *copy = malloc(size);
    struct frame_head head;
    struct err e = ERR_INIT;
    memcpy(copy, frame->p, size);
    copy[at] = (char)value;
    le_put_u32(copy + size - 4, crc32c(0, copy, size - 4));
    return frame_read_head(slice_of(copy, size), &head, &e);
}

static void what_is_newer_is_unsupported_and_not_corrupt(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("1"))};
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    write_frame(batch, 1, &out, &head);
    const size_t fields[] = {4 /* version */, 6 /* codec */, 64 /* dictionary */, 68 /* key id */,
                             204 /* flags */};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(read_changed(&out, head.size, fields[i], 9), RC_UNSUPPORTED);
    const size_t counts[] = {12, 56, 60, 200, 208 + 4, 208 + 8, 208 + 16};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(read_changed(&out, head.size, counts[i], 0xee), RC_CORRUPT);
}

static void the_number_of_events_is_limited(void **state)
{
    (void)state;
    AUTO(frame_writer_freep) struct frame_writer *w = frame_writer_new();
    static struct event batch[EVENT_BATCH_MAX + 1];
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX);
    struct frame_head head;
    struct err e = ERR_INIT;
    for (size_t i = 0; i <= EVENT_BATCH_MAX; i++)
        batch[i] = event_of("k", SLICE_NULL);
    assert_int_equal(frame_write(w, &start, batch, 0, &out, &head, &e), RC_LIMIT);
    assert_int_equal(frame_write(w, &start, batch, EVENT_BATCH_MAX + 1, &out, &head, &e), RC_LIMIT);
    assert_int_equal(frame_write(w, &start, batch, EVENT_BATCH_MAX, &out, &head, &e), RC_OK);
    assert_int_equal(verify(buf_slice(&out), 100, &start.before, NULL, &head, &e), RC_OK);
    frame_writer_free(NULL);
}

/* One event that no zstd makes shorter. Field by field as in docs/FORMAT.md section 2, then the event. */
static const char GOLDEN[] =
    "'RSLF' 0100 0100 e8000000 01000000 " /* magic, version, codec, header length, count */
    "8877665544332211 0700000000000000 "  /* first offset, epoch */
    "0300000000000000 "                   /* incarnation */
    "9887766554433221 9887766554433221 "  /* first and last time */
    "39000000 39000000 00*4 00*4 00*32 "  /* lengths, dictionary, key, nonce */
    "01 02 00*30 "                        /* previous frame */
    "357b8bfaa1dbaf2889d535ff001474dbaf575e0c9af03f7e681295c89dba66f3 " /* event chain */
    "00*32 01000000 00*4 "                                              /* payload, blocks, flags */
    "3043d0c1 39000000 39000000 00*4 01000000 fcf179fb " /* key hash, block, checksum */
    "39000000 01 01 01 01 0000 8877665544332211 9887766554433221 a1908f7e6d5c4b3a "
    "07 03 01 01 00*6 's' 'a' '{\"n\":1}' 0c7fee8e";

static void the_bytes_are_those_of_the_format_document(void **state)
{
    (void)state;
    AUTO(frame_writer_freep) struct frame_writer *w = frame_writer_new();
    AUTO(buf_done) struct buf out = BUF_INIT(2 * FRAME_MAX), golden = BUF_INIT(4096);
    struct event ev = event_of("a", SLICE("{\"n\":1}"));
    struct frame_start at = start;
    struct frame_head head;
    struct err e = ERR_INIT;
    ev.wall_ns = 0x3a4b5c6d7e8f90a1;
    at.first = 0x1122334455667788;
    at.time_ns = 0x2132435465768798;
    assert_int_equal(frame_write(w, &at, &ev, 1, &out, &head, &e), RC_OK);
    assert_golden(buf_slice(&out), GOLDEN);
    golden_read(GOLDEN, &golden);
    assert_int_equal(verify(buf_slice(&golden), at.first, &start.before, NULL, &head, &e), RC_OK);
    assert_int_equal(head.raw_n, event_encoded_size(&ev));
}

/* Another zstd may make other bytes of the same block: this frame is only read. */
static void a_compressed_frame_of_version_1_is_read(void **state)
{
    (void)state;
    const struct event batch[] = {event_of("a", SLICE("1")), event_of("b", SLICE("{}"))};
    AUTO(buf_done) struct buf golden = BUF_INIT(4096);
    struct seen seen = {.batch = batch};
    struct frame_head head;
    struct err e = ERR_INIT;
    golden_read("'RSLF' 0100 0100 ec000000 02000000 6400000000000000 0700000000000000 "
                "0300000000000000 2823000000000000 2823000000000000 "
                "67000000 3f000000 00*4 00*4 00*32 01 02 00*30 "
                "b98a5b3904d2baac76b20050b960f9d6fddbaa27f570350f1b076da57bddf6e9 "
                "cc62d27e462684889ccc512924767ef227a5bf16e12ace4bd77ddeebb6a8e173 "
                "01000000 00*4 3043d0c1 c4b080d2 67000000 3f000000 26c7267c 02000000 9d21c7fa "
                "28b52ffd2067b501006402 33000000 01010101 0000 6400 2823 0005 0007 0301 0100 "
                "'sa1' ea0efd5b 3465 'b{}' be307cac 0600c009ab8a83abc16070c70092",
                &golden);
    assert_int_equal(verify(buf_slice(&golden), 100, &start.before, &seen, &head, &e), RC_OK);
    assert_int_equal(seen.n, 2);
}

static void a_newer_version_is_named_with_what_can_be_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf golden = BUF_INIT(4096);
    struct frame_head head;
    struct err e = ERR_INIT;
    golden_read(GOLDEN, &golden);
    golden.p[4] = FRAME_VERSION + 1;
    assert_newer(frame_read_head(buf_slice(&golden), &head, &e), &e, "version 2", "up to 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_gives_back_its_events_with_what_the_log_added),
        cmocka_unit_test(the_event_chain_is_over_canonical_bytes),
        cmocka_unit_test(one_event_costs_one_block),
        cmocka_unit_test(every_single_flipped_bit_is_seen),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(a_frame_stands_only_behind_its_predecessor),
        cmocka_unit_test(what_is_newer_is_unsupported_and_not_corrupt),
        cmocka_unit_test(the_bytes_are_those_of_the_format_document),
        cmocka_unit_test(a_compressed_frame_of_version_1_is_read),
        cmocka_unit_test(a_newer_version_is_named_with_what_can_be_read),
        cmocka_unit_test(the_number_of_events_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

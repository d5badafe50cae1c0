/* The applied record: what is written is read, and damage is never taken for a record. */
#include "tests/unit/sinks/kube_test.h"

#include "core/compress.h"
#include "core/digest.h"
#include "core/le.h"
#include "sinks/kube_record.h"
#include "tests/unit/format/golden.h"

static const struct kube_record sample = {
    .flags = KUBE_RECORD_ADOPTED | KUBE_RECORD_CREATED,
    .generation = 1ull << 40,
    .uid = {"uid-d", 5},
    .version = {"12345", 5},
    .source_uid = {"uid-s", 5},
    .desired_hash = {1, 2, 3},
    .answer_hash = {4, 5, 6},
};

static int make_compressor(void **state)
{
    *state = compressor_new();
    return *state ? 0 : -1;
}

static int free_compressor(void **state)
{
    compressor_free(*state);
    return 0;
}

static void encode(struct compressor *c, struct slice desired, struct buf *out)
{
    struct err e = ERR_INIT;
    assert_int_equal(kube_record_encode(&sample, desired, c, out, &e), RC_OK);
}

static void what_was_written_is_read(void **state)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX), back = BUF_INIT(KUBE_RECORD_BODY_MAX);
    struct slice desired = SLICE("{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"vvvvvvvvv\"}}");
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, desired, &b);
    assert_int_equal(kube_record_decode(buf_slice(&b), &r, &e), RC_OK);
    assert_int_equal(r.flags, sample.flags);
    assert_true(r.generation == sample.generation);
    assert_true(slice_eq(r.uid, sample.uid) && slice_eq(r.version, sample.version) &&
                slice_eq(r.source_uid, sample.source_uid));
    assert_memory_equal(r.desired_hash, sample.desired_hash, KUBE_HASH_SIZE);
    assert_memory_equal(r.answer_hash, sample.answer_hash, KUBE_HASH_SIZE);
    assert_int_equal(r.raw_size, desired.n);
    assert_int_equal(kube_record_desired(&r, *state, &back, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&back), desired));
}

static void a_record_without_a_body_has_no_base(void **state)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX), back = BUF_INIT(64);
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, SLICE_NULL, &b);
    assert_int_equal(kube_record_decode(buf_slice(&b), &r, &e), RC_OK);
    assert_int_equal(r.raw_size, 0);
    assert_int_equal(kube_record_desired(&r, *state, &back, &e), RC_OK);
    assert_int_equal(back.n, 0);
}

static void a_distrusted_record_keeps_all_but_its_hash(void **state)
{
    AUTO(buf_done)
    struct buf b = BUF_INIT(KUBE_RECORD_MAX), out = BUF_INIT(KUBE_RECORD_MAX),
               back = BUF_INIT(KUBE_RECORD_BODY_MAX);
    static const uint8_t none[KUBE_HASH_SIZE];
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, SLICE("{\"a\":1}"), &b);
    buf_add_str(&out, "before");
    kube_record_distrust(buf_slice(&b), &out);
    struct slice bytes = slice_of(out.p + 6, out.n - 6);
    assert_int_equal(kube_record_decode(bytes, &r, &e), RC_OK);
    assert_memory_equal(r.desired_hash, none, KUBE_HASH_SIZE);
    assert_memory_equal(r.answer_hash, sample.answer_hash, KUBE_HASH_SIZE);
    assert_true(slice_eq(r.uid, sample.uid));
    assert_int_equal(kube_record_desired(&r, *state, &back, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&back), SLICE("{\"a\":1}")));
}

static void the_same_record_has_the_same_bytes(void **state)
{
    AUTO(buf_done) struct buf a = BUF_INIT(KUBE_RECORD_MAX), b = BUF_INIT(KUBE_RECORD_MAX);
    encode(*state, SLICE("{}"), &a);
    encode(*state, SLICE("{}"), &b);
    assert_true(slice_eq(buf_slice(&a), buf_slice(&b)));
}

static void every_flipped_byte_and_every_cut_is_seen(void **state)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX);
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, SLICE("{\"a\":1}"), &b);
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = (char)(b.p[i] ^ 0x20);
        assert_int_equal(kube_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
        b.p[i] = (char)(b.p[i] ^ 0x20);
    }
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(kube_record_decode(slice_of(b.p, n), &r, &e), RC_CORRUPT);
}

/* Changes one byte and makes the checksum right again, as a newer or hostile writer would. */
static enum rc decode_with(struct compressor *c, size_t at, char value)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX);
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(c, SLICE("{\"a\":1}"), &b);
    b.p[at] = value;
    le_put_u32(b.p + b.n - 4, crc32c(0, b.p, b.n - 4));
    return kube_record_decode(buf_slice(&b), &r, &e);
}

static void what_a_newer_version_wrote_is_unsupported(void **state)
{
    assert_int_equal(decode_with(*state, 4, 2), RC_UNSUPPORTED);
    assert_int_equal(decode_with(*state, 5, 2), RC_UNSUPPORTED);
    assert_int_equal(decode_with(*state, 7, 1), RC_UNSUPPORTED);
    assert_int_equal(decode_with(*state, 8, 1), RC_UNSUPPORTED);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
    assert_int_equal(decode_with(*state, 120, 1), RC_CORRUPT);
    assert_int_equal(decode_with(*state, 124, 99), RC_CORRUPT);
    assert_int_equal(decode_with(*state, 5, 0), RC_CORRUPT);
    assert_int_equal(decode_with(*state, 119, 1), RC_LIMIT);
}

static void a_body_of_another_size_than_promised_is_corrupt(void **state)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX), back = BUF_INIT(64);
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, SLICE("{\"a\":1}"), &b);
    b.p[116]++;
    le_put_u32(b.p + b.n - 4, crc32c(0, b.p, b.n - 4));
    assert_int_equal(kube_record_decode(buf_slice(&b), &r, &e), RC_OK);
    assert_int_equal(kube_record_desired(&r, *state, &back, &e), RC_CORRUPT);
}

static void limits_hold_at_the_last_byte(void **state)
{
    AUTO(buf_done) struct buf text = BUF_INIT(KUBE_RECORD_BODY_MAX + 2);
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX);
    struct err e = ERR_INIT;
    struct kube_record r = sample;
    memset(buf_extend(&text, KUBE_RECORD_BODY_MAX), 'x', KUBE_RECORD_BODY_MAX);
    assert_int_equal(kube_record_encode(&r, buf_slice(&text), *state, &b, &e), RC_OK);
    buf_add_char(&text, 'x');
    assert_int_equal(kube_record_encode(&r, buf_slice(&text), *state, &b, &e), RC_LIMIT);
    r.uid = slice_of(text.p, KUBE_RECORD_TEXT_MAX);
    assert_int_equal(kube_record_encode(&r, SLICE("{}"), *state, &b, &e), RC_OK);
    r.uid = slice_of(text.p, KUBE_RECORD_TEXT_MAX + 1);
    assert_int_equal(kube_record_encode(&r, SLICE("{}"), *state, &b, &e), RC_LIMIT);
}

#define GOLDEN_MIDDLE                                                                              \
    " 0600 00*4 00*32 0000000000010000 " /* flags, key id, nonce, generation */                    \
    "010203 00*29 040506 00*29 "         /* hashes */
#define GOLDEN_TEXTS "0500 0500 0500 'uid-d' '12345' 'uid-s' "

static const char GOLDEN_BARE[] =
    "'RLKR' 01 00" GOLDEN_MIDDLE "00000000 00000000" GOLDEN_TEXTS "6700d95e";
/* The body is one zstd frame, of which another zstd may make other bytes: this one is only read. */
static const char GOLDEN_BODY[] = "'RLKR' 01 01" GOLDEN_MIDDLE "07000000 10000000" GOLDEN_TEXTS
                                  "28b52ffd2007390000 '{\"a\":1}' 90d4c790";

static void the_bytes_are_those_of_the_format_document(void **state)
{
    AUTO(buf_done) struct buf b = BUF_INIT(KUBE_RECORD_MAX), golden = BUF_INIT(4096);
    AUTO(buf_done) struct buf desired = BUF_INIT(4096);
    struct kube_record r;
    struct err e = ERR_INIT;
    encode(*state, SLICE_NULL, &b);
    assert_golden(buf_slice(&b), GOLDEN_BARE);
    golden_read(GOLDEN_BODY, &golden);
    assert_int_equal(kube_record_decode(buf_slice(&golden), &r, &e), RC_OK);
    assert_int_equal(r.flags, sample.flags);
    assert_true(r.generation == sample.generation);
    assert_true(slice_eq(r.uid, sample.uid) && slice_eq(r.version, sample.version) &&
                slice_eq(r.source_uid, sample.source_uid));
    assert_memory_equal(r.desired_hash, sample.desired_hash, KUBE_HASH_SIZE);
    assert_memory_equal(r.answer_hash, sample.answer_hash, KUBE_HASH_SIZE);
    assert_int_equal(kube_record_desired(&r, *state, &desired, &e), RC_OK);
    assert_true(slice_eq(buf_slice(&desired), SLICE("{\"a\":1}")));
}

static void a_newer_record_is_named_with_what_can_be_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf golden = BUF_INIT(4096);
    struct kube_record r;
    struct err e = ERR_INIT;
    golden_read(GOLDEN_BARE, &golden);
    golden.p[4] = 2;
    golden_reseal(&golden);
    assert_newer(kube_record_decode(buf_slice(&golden), &r, &e), &e, "version 2", "up to 1");
    golden.p[4] = 1;
    golden.p[6] = 0x26;
    golden_reseal(&golden);
    assert_newer(kube_record_decode(buf_slice(&golden), &r, &e), &e, "flags 26", "flags 1f");
    golden.p[4] = 0;
    golden_reseal(&golden);
    assert_int_equal(kube_record_decode(buf_slice(&golden), &r, &e), RC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_record_without_a_body_has_no_base),
        cmocka_unit_test(a_distrusted_record_keeps_all_but_its_hash),
        cmocka_unit_test(the_same_record_has_the_same_bytes),
        cmocka_unit_test(every_flipped_byte_and_every_cut_is_seen),
        cmocka_unit_test(what_a_newer_version_wrote_is_unsupported),
        cmocka_unit_test(the_bytes_are_those_of_the_format_document),
        cmocka_unit_test(a_newer_record_is_named_with_what_can_be_read),
        cmocka_unit_test(lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(a_body_of_another_size_than_promised_is_corrupt),
        cmocka_unit_test(limits_hold_at_the_last_byte),
    };
    return cmocka_run_group_tests(tests, make_compressor, free_compressor);
}

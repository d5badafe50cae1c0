/* core/event_codec: round trips, the bytes of docs/FORMAT.md, every kind of damage. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/digest.h"
#include "core/event_codec.h"
#include "core/le.h"
#include "core/scope.h"
#include "core/varint.h"
#include "tests/unit/format/golden.h"

#include <stdio.h>

#define HEADER 44 /* with ten numbers of one byte */
#define CRC    4

static char big[EVENT_BODY_MAX + 1];

static struct event sample(void)
{
    return (struct event){
        .offset = 0x0102030405060708,
        .epoch = 3,
        .time_ns = -5,
        .incarnation = 7,
        .wall_ns = INT64_MIN,
        .op = EVENT_DELETE,
        .cause = CAUSE_RESYNC,
        .source_kind = SOURCE_ZOOKEEPER,
        .source = SLICE("cluster-uid"),
        .key = SLICE("/configmaps/ns/a"),
        .version = SLICE("12"),
        .uid = SLICE("u-1"),
        .api_version = SLICE("v1"),
        .kind = SLICE("ConfigMap"),
        .manager = SLICE("kubectl"),
        .user = SLICE("alice"),
        .body = SLICE("{\"a\":\"\0\"}"),
    };
}

static void assert_slice_equal(struct slice a, struct slice b)
{
    assert_int_equal(a.n, b.n);
    assert_true(slice_eq(a, b));
}

static void assert_event_equal(const struct event *a, const struct event *b)
{
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->epoch, b->epoch);
    assert_true(a->time_ns == b->time_ns && a->wall_ns == b->wall_ns);
    assert_int_equal(a->incarnation, b->incarnation);
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->source_kind, b->source_kind);
    assert_slice_equal(a->source, b->source);
    assert_slice_equal(a->key, b->key);
    assert_slice_equal(a->version, b->version);
    assert_slice_equal(a->uid, b->uid);
    assert_slice_equal(a->api_version, b->api_version);
    assert_slice_equal(a->kind, b->kind);
    assert_slice_equal(a->manager, b->manager);
    assert_slice_equal(a->user, b->user);
    assert_slice_equal(a->body, b->body);
}

static void encode(const struct event *ev, struct buf *out)
{
    struct err e = ERR_INIT;
    assert_int_equal(event_encode(ev, out, &e), RC_OK);
}

/* Makes the checksum right again, so that the test reaches the check behind it. */
static void reseal(struct buf *b)
{
    le_put_u32(b->p + b->n - CRC, crc32c(0, b->p, b->n - CRC));
}

static enum rc decode(struct slice in, struct event *ret)
{
    struct err e = ERR_INIT;
    enum rc rc = event_decode(&in, ret, &e);
    if (rc != RC_OK) {
        assert_int_equal(e.rc, rc);
        assert_int_equal(e.retry, ERR_FATAL);
    }
    return rc;
}

static void what_is_encoded_decodes_to_the_same_event(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    encode(&ev, &b);
    assert_int_equal(b.n, event_encoded_size(&ev));
    struct slice in = buf_slice(&b);
    struct err e = ERR_INIT;
    assert_int_equal(event_decode(&in, &back, &e), RC_OK);
    assert_int_equal(in.n, 0);
    assert_event_equal(&ev, &back);
}

static void the_bytes_are_those_of_the_format_document(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    const struct event ev = {.offset = 0x0102030405060708,
                             .epoch = 300,
                             .time_ns = -1,
                             .incarnation = 4,
                             .wall_ns = 5,
                             .op = EVENT_PUT,
                             .cause = CAUSE_LIST,
                             .source_kind = SOURCE_KUBERNETES,
                             .key = SLICE("k"),
                             .user = SLICE("me"),
                             .body = SLICE("{}")};
    const uint8_t expected[] = {
        54,   0,    0,    0,    1,    1,    2,    1,    /* length .. source kind */
        0,    0,                                        /* flags */
        8,    7,    6,    5,    4,    3,    2,    1,    /* offset */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* time */
        5,    0,    0,    0,    0,    0,    0,    0,    /* wall */
        0xac, 0x02, 4,                                  /* epoch, incarnation */
        0,    1,    0,    0,    0,    0,    0,    2,    /* text lengths */
        'k',  'm',  'e',  '{',  '}'};
    encode(&ev, &b);
    assert_int_equal(b.n, sizeof(expected) + CRC);
    assert_memory_equal(b.p, expected, sizeof(expected));
    assert_int_equal(le_get_u32(b.p + sizeof(expected)), crc32c(0, expected, sizeof(expected)));
}

static void events_after_one_another_are_read_one_by_one(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    for (rlog_off off = 1; off <= 3; off++) {
        ev.offset = off;
        encode(&ev, &b);
    }
    struct slice in = buf_slice(&b);
    struct err e = ERR_INIT;
    for (rlog_off off = 1; off <= 3; off++) {
        assert_int_equal(event_decode(&in, &back, &e), RC_OK);
        assert_int_equal(back.offset, off);
    }
    assert_int_equal(in.n, 0);
}

static void a_failed_encode_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample();
    encode(&ev, &b);
    size_t before = b.n;
    struct err e = ERR_INIT;
    ev.key = SLICE_NULL;
    assert_int_equal(event_encode(&ev, &b, &e), RC_INVALID);
    assert_int_equal(b.n, before);
    ev.key = SLICE("k");
    ev.op = (enum event_op)99;
    assert_int_equal(event_encode(&ev, &b, &e), RC_INVALID);
    assert_int_equal(b.n, before);
}

static void a_full_buffer_is_a_limit(void **state)
{
    (void)state;
    struct event ev = sample();
    size_t size = event_encoded_size(&ev);
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf exact = BUF_INIT(size);
    encode(&ev, &exact);
    AUTO(buf_done) struct buf small = BUF_INIT(size - 1);
    assert_int_equal(event_encode(&ev, &small, &e), RC_LIMIT);
    assert_int_equal(small.n, 0);
}

static void the_largest_event_passes_and_one_byte_more_does_not(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(EVENT_BATCH_BYTES_MAX);
    struct event ev = sample(), back;
    struct err e = ERR_INIT;
    ev.body = slice_of(big, EVENT_BODY_MAX);
    ev.source = ev.key = ev.version = ev.uid = slice_of(big, EVENT_TEXT_MAX);
    ev.api_version = ev.kind = ev.manager = ev.user = slice_of(big, EVENT_TEXT_MAX);
    encode(&ev, &b);
    assert_int_equal(decode(buf_slice(&b), &back), RC_OK);
    assert_event_equal(&ev, &back);

    ev.body.n++;
    assert_int_equal(event_encode(&ev, &b, &e), RC_LIMIT);
    ev.body.n--;
    ev.user.n++;
    assert_int_equal(event_encode(&ev, &b, &e), RC_LIMIT);
}

static void every_shorter_prefix_is_corrupt(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    encode(&ev, &b);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(decode(slice_of(b.p, n), &back), RC_CORRUPT);
}

static void every_flipped_bit_is_detected(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    encode(&ev, &b);
    for (size_t bit = 0; bit < 8 * b.n; bit++) {
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(decode(buf_slice(&b), &back), RC_CORRUPT);
        b.p[bit / 8] = (char)(b.p[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(decode(buf_slice(&b), &back), RC_OK);
}

static void a_newer_version_or_a_flag_is_unsupported(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    encode(&ev, &b);
    b.p[4] = EVENT_CODEC_VERSION + 1;
    reseal(&b);
    struct slice in = buf_slice(&b);
    struct err e = ERR_INIT;
    assert_newer(event_decode(&in, &back, &e), &e, "format version 2", "up to 1");
    assert_int_equal(in.n, b.n);
    b.p[4] = EVENT_CODEC_VERSION;
    for (int bit = 0; bit < 16; bit++) {
        le_put_u16(b.p + 8, (uint16_t)(1u << bit));
        reseal(&b);
        assert_int_equal(decode(buf_slice(&b), &back), RC_UNSUPPORTED);
    }
}

/* Each pair: where a byte stands, and a value that no event may have there. */
static void broken_fields_behind_a_right_checksum_are_corrupt(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {
        {4, 0},     {5, 0}, {5, 14}, {6, 0},
        {6, 6},     {7, 0}, {7, 3},  {34, 0xff}, /* the epoch swallows what follows */
        {36, 0x80}, /* a length that is not in its shortest form, or reaches too far */
        {36, 0x7f}, /* a source longer than the event */
        {37, 0},    /* no key */
        {43, 0xff},
    };
    struct event ev = sample(), back;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
        encode(&ev, &b);
        b.p[cases[i].at] = (char)cases[i].value;
        reseal(&b);
        assert_int_equal(decode(buf_slice(&b), &back), RC_CORRUPT);
    }
}

static void a_limit_broken_behind_a_right_checksum_is_corrupt(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    ev.body = slice_of(big, 1);
    ev.user = slice_of(big, EVENT_TEXT_MAX); /* its length takes two bytes */
    encode(&ev, &b);
    char *length = b.p + HEADER - 1;
    assert_int_equal((uint8_t)length[0] & 0x7f, EVENT_TEXT_MAX & 0x7f);
    length[0] = (char)(length[0] + 1); /* the body's byte becomes the user's */
    reseal(&b);
    assert_int_equal(decode(buf_slice(&b), &back), RC_CORRUPT);
}

static void a_short_event_with_a_right_checksum_is_corrupt(void **state)
{
    (void)state;
    struct event back;
    for (size_t n = 9; n < HEADER + CRC; n++) {
        AUTO(buf_done) struct buf b = BUF_INIT(256);
        memset(buf_extend(&b, n), 0, n);
        le_put_u32(b.p, (uint32_t)n);
        b.p[4] = EVENT_CODEC_VERSION;
        reseal(&b);
        assert_int_equal(decode(buf_slice(&b), &back), RC_CORRUPT);
    }
}

static void a_failed_decode_moves_nothing_and_writes_nothing(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back = {.offset = 42};
    encode(&ev, &b);
    b.p[HEADER] ^= 1;
    struct slice in = buf_slice(&b);
    struct err e = ERR_INIT;
    assert_int_equal(event_decode(&in, &back, &e), RC_CORRUPT);
    assert_ptr_equal(in.p, b.p);
    assert_int_equal(in.n, b.n);
    assert_int_equal(back.offset, 42);
}

static void an_error_names_the_offset_but_never_the_body(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1u << 20);
    struct event ev = sample(), back;
    ev.offset = 31337;
    ev.body = SLICE("hunter2");
    encode(&ev, &b);
    b.p[5] = 77;
    reseal(&b);
    struct slice in = buf_slice(&b);
    struct err e = ERR_INIT;
    assert_int_equal(event_decode(&in, &back, &e), RC_CORRUPT);
    assert_non_null(strstr(e.msg, "31337"));
    assert_null(strstr(e.msg, "hunter2"));
}

static void a_copy_shares_no_byte_with_its_original(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf a = BUF_INIT(1u << 20);
    struct event ev = sample(), view;
    encode(&ev, &a);
    assert_int_equal(decode(buf_slice(&a), &view), RC_OK);
    AUTO(freep) struct event *copy = event_copy(&view);
    assert_non_null(copy);
    memset(a.p, 'x', a.n);
    assert_event_equal(copy, &ev);
}

static void a_short_number_has_exactly_one_form(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    char bytes[VARINT_MAX];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t n = (size_t)(varint_put(bytes, values[i]) - bytes);
        assert_int_equal(n, varint_size(values[i]));
        struct slice in = slice_of(bytes, n);
        uint64_t back = 0;
        assert_true(varint_take(&in, &back));
        assert_true(back == values[i] && in.n == 0);
        in = slice_of(bytes, n - 1);
        assert_false(varint_take(&in, &back));
        assert_int_equal(in.n, n - 1);
    }
    static const char *const wrong[] = {"\x80\x00", "\xff\xff\x00",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                                        "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
    static const size_t lengths[] = {2, 3, 10, 11};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct slice in = slice_of(wrong[i], lengths[i]);
        uint64_t back;
        assert_false(varint_take(&in, &back));
        assert_int_equal(in.n, lengths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_the_same_event),
        cmocka_unit_test(the_bytes_are_those_of_the_format_document),
        cmocka_unit_test(events_after_one_another_are_read_one_by_one),
        cmocka_unit_test(a_failed_encode_leaves_the_buffer_as_it_was),
        cmocka_unit_test(a_full_buffer_is_a_limit),
        cmocka_unit_test(the_largest_event_passes_and_one_byte_more_does_not),
        cmocka_unit_test(every_shorter_prefix_is_corrupt),
        cmocka_unit_test(every_flipped_bit_is_detected),
        cmocka_unit_test(a_newer_version_or_a_flag_is_unsupported),
        cmocka_unit_test(broken_fields_behind_a_right_checksum_are_corrupt),
        cmocka_unit_test(a_limit_broken_behind_a_right_checksum_is_corrupt),
        cmocka_unit_test(a_short_event_with_a_right_checksum_is_corrupt),
        cmocka_unit_test(a_failed_decode_moves_nothing_and_writes_nothing),
        cmocka_unit_test(an_error_names_the_offset_but_never_the_body),
        cmocka_unit_test(a_copy_shares_no_byte_with_its_original),
        cmocka_unit_test(a_short_number_has_exactly_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

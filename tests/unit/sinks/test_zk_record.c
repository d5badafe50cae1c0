/* The ZooKeeper sink's record: what is written is read, and damage is never taken for a record. */
#include "tests/unit/format/golden.h"

#include "core/znode.h"
#include "sinks/zk_record.h"

static const struct zk_record sample = {
    .flags = ZK_RECORD_ADOPTED,
    .czxid = 0x100000002,
    .mzxid = 0x100000003,
    .version = 4,
    .aversion = -5,
    .sequence = 6,
    .data_hash = {9, 10},
    .acl_hash = {7, 8},
    .ctime = 0x19a00000001,
};

static void encode(const struct zk_record *r, struct buf *out)
{
    struct err e = ERR_INIT;
    assert_int_equal(zk_record_encode(r, out, &e), RC_OK);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record in = sample, r;
    struct err e = ERR_INIT;
    in.flags |= ZK_RECORD_PREIMAGE;
    in.body = SLICE("{\"text\":\"a\"}");
    encode(&in, &b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_OK);
    assert_int_equal(r.flags, in.flags);
    assert_true(r.czxid == in.czxid && r.mzxid == in.mzxid && r.sequence == in.sequence);
    assert_int_equal(r.ctime, in.ctime);
    assert_int_equal(r.version, in.version);
    assert_int_equal(r.aversion, in.aversion);
    assert_memory_equal(r.data_hash, in.data_hash, ZK_HASH_SIZE);
    assert_memory_equal(r.acl_hash, in.acl_hash, ZK_HASH_SIZE);
    assert_true(slice_eq(r.body, in.body));
    assert_true(zk_record_is(buf_slice(&b)));
    assert_false(zk_record_is(SLICE("RLKR")) || zk_record_is(SLICE_NULL));
}

static void every_flipped_byte_and_every_cut_is_seen(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record r;
    struct err e = ERR_INIT;
    encode(&sample, &b);
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = (char)(b.p[i] ^ 0x20);
        assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
        b.p[i] = (char)(b.p[i] ^ 0x20);
    }
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(zk_record_decode(slice_of(b.p, n), &r, &e), RC_CORRUPT);
}

static void a_body_and_its_flag_come_together(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record r;
    struct err e = ERR_INIT;
    encode(&sample, &b);
    b.p[5] = ZK_RECORD_PREIMAGE;
    golden_reseal(&b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
    struct zk_record in = sample;
    in.body = SLICE("{}");
    buf_reset(&b);
    encode(&in, &b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
}

static void limits_hold_at_the_last_byte(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = BUF_INIT(ZK_RECORD_BODY_MAX + 1), b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record in = sample, r;
    struct err e = ERR_INIT;
    in.flags = ZK_RECORD_PREIMAGE;
    memset(buf_extend(&text, ZK_RECORD_BODY_MAX + 1), 'x', ZK_RECORD_BODY_MAX + 1);
    in.body = slice_of(text.p, ZK_RECORD_BODY_MAX);
    encode(&in, &b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_OK);
    in.body.n++;
    assert_int_equal(zk_record_encode(&in, &b, &e), RC_LIMIT);
}

#define GOLDEN_HEADER                                                                              \
    "01 0200000001000000 0300000001000000 04000000 fbffffff 0600000000000000 "                     \
    "090a 00*30 0708 00*30 "
static const char GOLDEN[] = "'RLZR' 02 " GOLDEN_HEADER "01000000 9a010000 0394d696";
static const char GOLDEN_1[] = "'RLZR' 01 " GOLDEN_HEADER "31bb1f95";

static void the_bytes_are_those_of_the_format_document(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    encode(&sample, &b);
    assert_golden(buf_slice(&b), GOLDEN);
}

static void a_record_of_version_1_has_no_ctime(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record r;
    struct err e = ERR_INIT;
    golden_read(GOLDEN_1, &b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_OK);
    assert_int_equal(r.czxid, sample.czxid);
    assert_int_equal(r.acl_hash[1], 8);
    assert_int_equal(r.ctime, 0);
    assert_int_equal(r.body.n, 0);
    b.p[4] = 2; /* for which it is too short */
    golden_reseal(&b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
}

static void a_node_of_the_record_has_its_czxid_and_its_ctime(void **state)
{
    (void)state;
    struct znode_stat stat = {.czxid = sample.czxid, .ctime = sample.ctime};
    struct zk_record r = sample;
    assert_true(zk_record_is_of(&r, &stat));
    stat.ctime++;
    assert_false(zk_record_is_of(&r, &stat));
    r.ctime = 0; /* not known */
    assert_true(zk_record_is_of(&r, &stat));
    stat.czxid++;
    assert_false(zk_record_is_of(&r, &stat));
}

static void a_newer_record_is_named_with_what_can_be_read(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(ZK_RECORD_MAX);
    struct zk_record r;
    struct err e = ERR_INIT;
    encode(&sample, &b);
    b.p[4] = 3;
    golden_reseal(&b);
    assert_newer(zk_record_decode(buf_slice(&b), &r, &e), &e, "version 3", "up to 2");
    b.p[4] = 2;
    b.p[5] = 0x9;
    golden_reseal(&b);
    assert_newer(zk_record_decode(buf_slice(&b), &r, &e), &e, "flags 9", "flags 7");
    b.p[4] = 0;
    golden_reseal(&b);
    assert_int_equal(zk_record_decode(buf_slice(&b), &r, &e), RC_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_flipped_byte_and_every_cut_is_seen),
        cmocka_unit_test(a_body_and_its_flag_come_together),
        cmocka_unit_test(limits_hold_at_the_last_byte),
        cmocka_unit_test(the_bytes_are_those_of_the_format_document),
        cmocka_unit_test(a_record_of_version_1_has_no_ctime),
        cmocka_unit_test(a_node_of_the_record_has_its_czxid_and_its_ctime),
        cmocka_unit_test(a_newer_record_is_named_with_what_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

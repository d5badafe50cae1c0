/* core/compress: round trips, output limits, damaged frames. */
#include "core/compress.h"

#include "core/buf.h"
#include "core/scope.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static int start(void **state)
{
    *state = compressor_new();
    return *state == NULL;
}

static int stop(void **state)
{
    compressor_free(*state);
    compressor_free(NULL);
    return 0;
}

static void assert_round_trip(struct compressor *c, struct slice raw)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(2 << 20);
    AUTO(buf_done) struct buf back = BUF_INIT(2 << 20);
    buf_add_str(&packed, "before");
    buf_add_str(&back, "front");
    assert_int_equal(compress(c, raw, &packed, NULL), RC_OK);
    assert_memory_equal(packed.p, "before", 6);
    struct slice frame = slice_of(packed.p + 6, packed.n - 6);
    assert_int_equal(decompress(c, frame, raw.n, &back, NULL), RC_OK);
    assert_int_equal(back.n, raw.n + 5);
    assert_memory_equal(back.p, "front", 5);
    assert_true(slice_eq(slice_of(back.p + 5, back.n - 5), raw));
}

static char noise[1 << 20];

static void all_kinds_of_bytes_come_back(void **state)
{
    struct rng_seeded r;
    rng_seeded_init(&r, 5);
    assert_round_trip(*state, SLICE_NULL);
    assert_round_trip(*state, SLICE("x"));
    memset(noise, 'a', sizeof noise);
    assert_round_trip(*state, slice_of(noise, sizeof noise));
    r.rng.ops->fill(&r.rng, noise, sizeof noise);
    assert_round_trip(*state, slice_of(noise, sizeof noise));
    assert_round_trip(*state, slice_of(noise, 1000));
}

static void repetition_becomes_smaller(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(2 << 20);
    memset(noise, 'a', sizeof noise);
    assert_int_equal(compress(*state, slice_of(noise, sizeof noise), &packed, NULL), RC_OK);
    assert_in_range(packed.n, 1, 1000);
}

static void a_result_that_fits_is_kept_although_the_worst_case_would_not_fit(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    memset(noise, 'a', sizeof noise);
    assert_int_equal(compress(*state, slice_of(noise, sizeof noise), &packed, NULL), RC_OK);
}

static void a_result_above_the_limit_is_refused_and_changes_nothing(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    struct rng_seeded r;
    struct err e = ERR_INIT;
    rng_seeded_init(&r, 5);
    r.rng.ops->fill(&r.rng, noise, sizeof noise);
    buf_add_str(&packed, "kept");
    assert_int_equal(compress(*state, slice_of(noise, 5000), &packed, &e), RC_LIMIT);
    assert_int_equal(e.retry, ERR_FINAL);
    assert_string_equal(packed.p, "kept");
    assert_int_equal(compress(*state, SLICE("x"), &packed, &e), RC_OK);
}

static void a_frame_of_another_size_is_damage(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    AUTO(buf_done) struct buf back = BUF_INIT(1000);
    struct err e = ERR_INIT;
    assert_int_equal(compress(*state, SLICE("hello"), &packed, NULL), RC_OK);
    assert_int_equal(decompress(*state, buf_slice(&packed), 4, &back, &e), RC_CORRUPT);
    assert_int_equal(e.retry, ERR_FATAL);
    assert_int_equal(decompress(*state, buf_slice(&packed), 6, &back, &e), RC_CORRUPT);
    assert_int_equal(back.n, 0);
}

static void a_cut_frame_and_one_with_a_tail_are_damage(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    AUTO(buf_done) struct buf back = BUF_INIT(1000);
    assert_int_equal(compress(*state, SLICE("hello, hello, hello, hello"), &packed, NULL), RC_OK);
    for (size_t n = 0; n < packed.n; n++)
        assert_int_equal(decompress(*state, slice_of(packed.p, n), 26, &back, NULL), RC_CORRUPT);
    buf_add_char(&packed, 'x');
    assert_int_equal(decompress(*state, buf_slice(&packed), 26, &back, NULL), RC_CORRUPT);
    buf_truncate(&packed, packed.n - 1);
    AUTO(buf_done) struct buf tail = BUF_INIT(1000);
    buf_add_slice(&tail, buf_slice(&packed));
    assert_int_equal(compress(*state, SLICE_NULL, &tail, NULL), RC_OK);
    assert_int_equal(decompress(*state, buf_slice(&tail), 26, &back, NULL), RC_CORRUPT);
    AUTO(buf_done) struct buf twice = BUF_INIT(1000);
    buf_add_slice(&twice, buf_slice(&packed));
    buf_add_slice(&twice, buf_slice(&packed));
    assert_int_equal(decompress(*state, buf_slice(&twice), 26, &back, NULL), RC_CORRUPT);
    assert_int_equal(back.n, 0);
}

static void no_damaged_byte_leads_astray(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    static const char text[] = "one two three two three one three one two one two three";
    assert_int_equal(compress(*state, SLICE(text), &packed, NULL), RC_OK);
    for (size_t i = 0; i < packed.n * 8; i++) {
        AUTO(buf_done) struct buf back = BUF_INIT(1000);
        packed.p[i / 8] = (char)(packed.p[i / 8] ^ (1 << (i % 8)));
        enum rc rc = decompress(*state, buf_slice(&packed), sizeof text - 1, &back, NULL);
        /* Without a checksum some damage gives other bytes, but never another length. */
        assert_true(rc == RC_CORRUPT ? back.n == 0 : rc == RC_OK && back.n == sizeof text - 1);
        packed.p[i / 8] = (char)(packed.p[i / 8] ^ (1 << (i % 8)));
    }
}

static void output_limits_are_told_before_anything_is_unpacked(void **state)
{
    AUTO(buf_done) struct buf packed = BUF_INIT(1000);
    AUTO(buf_done) struct buf back = BUF_INIT(1000);
    memset(noise, 'a', sizeof noise);
    assert_int_equal(compress(*state, slice_of(noise, 1001), &packed, NULL), RC_OK);
    assert_int_equal(decompress(*state, buf_slice(&packed), 1001, &back, NULL), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_of_bytes_come_back),
        cmocka_unit_test(repetition_becomes_smaller),
        cmocka_unit_test(a_result_that_fits_is_kept_although_the_worst_case_would_not_fit),
        cmocka_unit_test(a_result_above_the_limit_is_refused_and_changes_nothing),
        cmocka_unit_test(a_frame_of_another_size_is_damage),
        cmocka_unit_test(a_cut_frame_and_one_with_a_tail_are_damage),
        cmocka_unit_test(no_damaged_byte_leads_astray),
        cmocka_unit_test(output_limits_are_told_before_anything_is_unpacked),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

/* core/buf: adding, limits, sticky failures, dropping and stealing. */
#include "core/buf.h"

#include "core/scope.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void an_empty_buffer_holds_nothing_and_is_sound(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(10);
    struct err e = ERR_INIT;
    assert_null(b.p);
    assert_int_equal(buf_slice(&b).n, 0);
    assert_int_equal(buf_check(&b, "it", &e), RC_OK);
    buf_truncate(&b, 0);
    buf_consume(&b, 0);
    buf_reset(&b);
    assert_null(buf_steal(&b, NULL));
    buf_done(&b);
    buf_done(NULL);
}

static void what_is_added_stands_in_order_and_a_nul_follows(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1000);
    buf_add(&b, "ab", 2);
    buf_add_slice(&b, SLICE("cd"));
    buf_add_slice(&b, SLICE_NULL);
    buf_add_str(&b, "ef");
    buf_add_char(&b, 'g');
    buf_addf(&b, "-%d-%s", 12, "x");
    assert_int_equal(b.n, 12);
    assert_string_equal(b.p, "abcdefg-12-x");
}

static void integers_are_little_endian(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(100);
    buf_add_u8(&b, 0xff);
    buf_add_u16(&b, 0x0102);
    buf_add_u32(&b, 0xa1b2c3d4u);
    buf_add_u64(&b, 0x0102030405060708u);
    static const unsigned char want[] = {0xff, 2, 1, 0xd4, 0xc3, 0xb2, 0xa1, 8,
                                         7,    6, 5, 4,    3,    2,    1};
    assert_int_equal(b.n, sizeof want);
    assert_memory_equal(b.p, want, sizeof want);
}

static void it_grows_far_beyond_its_first_size(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_addf(&b, "%05d", i);
    assert_int_equal(b.n, 100000);
    assert_memory_equal(b.p + 5 * 12345, "12345", 5);
    assert_int_equal(b.p[b.n], 0);
}

static void exactly_the_limit_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(64);
    char bytes[65] = {0};
    struct err e = ERR_INIT;
    buf_add(&b, bytes, 64);
    assert_int_equal(buf_check(&b, "it", &e), RC_OK);
    buf_add_char(&b, 'x');
    assert_int_equal(buf_check(&b, "the body", &e), RC_LIMIT);
    assert_int_equal(e.retry, ERR_FINAL);
    assert_string_equal(e.msg, "the body is larger than 64 bytes");
    assert_int_equal(b.n, 64);
}

static void formatted_text_obeys_the_limit_too(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(5);
    buf_addf(&b, "%s", "12345");
    assert_int_equal(b.bad, RC_OK);
    buf_addf(&b, "%s", "6");
    assert_int_equal(b.bad, RC_LIMIT);
    assert_string_equal(b.p, "12345");
}

static void a_failure_stays_until_the_reset(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(3);
    buf_add_str(&b, "toolong");
    buf_add_str(&b, "a");
    buf_addf(&b, "b");
    assert_null(buf_extend(&b, 1));
    assert_int_equal(b.n, 0);
    assert_int_equal(buf_check(&b, "it", NULL), RC_LIMIT);
    buf_reset(&b);
    buf_add_str(&b, "abc");
    assert_int_equal(buf_check(&b, "it", NULL), RC_OK);
    assert_string_equal(b.p, "abc");
}

static void a_size_that_no_host_has_is_lack_of_memory(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(SIZE_MAX);
    struct err e = ERR_INIT;
    buf_add_char(&b, 'a');
    assert_null(buf_extend(&b, SIZE_MAX - 1));
    assert_int_equal(buf_check(&b, "it", &e), RC_NOMEM);
    assert_int_equal(e.retry, ERR_RETRY);
}

static void extending_gives_room_that_counts_at_once(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(100);
    assert_non_null(buf_extend(&b, 0));
    char *at = buf_extend(&b, 3);
    memcpy(at, "abc", 3);
    buf_add_char(&b, 'd');
    assert_string_equal(b.p, "abcd");
}

static void consuming_drops_from_the_front_and_truncating_from_the_back(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(100);
    buf_add_str(&b, "abcdef");
    buf_consume(&b, 2);
    assert_string_equal(b.p, "cdef");
    buf_truncate(&b, 3);
    assert_string_equal(b.p, "cde");
    buf_consume(&b, 3);
    assert_int_equal(b.n, 0);
}

static void stolen_bytes_belong_to_the_caller(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(100);
    buf_add_str(&b, "mine");
    size_t n = 0;
    AUTO(freep) char *p = buf_steal(&b, &n);
    assert_int_equal(n, 4);
    assert_string_equal(p, "mine");
    assert_null(b.p);
    buf_add_str(&b, "next");
    assert_string_equal(b.p, "next");
}

static void numbers_are_printed_as_printf_does(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 1, -1, 9, 10, 4711, -4711, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        AUTO(buf_done) struct buf mine = BUF_INIT(64);
        AUTO(buf_done) struct buf theirs = BUF_INIT(64);
        buf_add_decimal(&mine, numbers[i]);
        buf_add_char(&mine, ' ');
        buf_add_hex(&mine, (uint64_t)numbers[i]);
        buf_addf(&theirs, "%" PRId64 " %" PRIx64, numbers[i], (uint64_t)numbers[i]);
        assert_string_equal(mine.p, theirs.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_printed_as_printf_does),
        cmocka_unit_test(an_empty_buffer_holds_nothing_and_is_sound),
        cmocka_unit_test(what_is_added_stands_in_order_and_a_nul_follows),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(it_grows_far_beyond_its_first_size),
        cmocka_unit_test(exactly_the_limit_fits_and_one_byte_more_does_not),
        cmocka_unit_test(formatted_text_obeys_the_limit_too),
        cmocka_unit_test(a_failure_stays_until_the_reset),
        cmocka_unit_test(a_size_that_no_host_has_is_lack_of_memory),
        cmocka_unit_test(extending_gives_room_that_counts_at_once),
        cmocka_unit_test(consuming_drops_from_the_front_and_truncating_from_the_back),
        cmocka_unit_test(stolen_bytes_belong_to_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

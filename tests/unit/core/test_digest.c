/* core/digest: SHA-256, CRC32C, hexadecimal and base64 against published values. */
#include "core/digest.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/scope.h"
#include "tests/fakes/expired_cert.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_hex(const uint8_t *digest, const char *want)
{
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(digest, SHA256_SIZE, hex);
    assert_string_equal(hex, want);
}

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t d[SHA256_SIZE];
    sha256(SLICE_NULL, SLICE_NULL, d);
    assert_hex(d, EMPTY);
    sha256(SLICE("abc"), SLICE_NULL, d);
    assert_hex(d, ABC);
    sha256(SLICE("a"), SLICE("bc"), d);
    assert_hex(d, ABC);
    sha256(SLICE_NULL, SLICE("abc"), d);
    assert_hex(d, ABC);
}

static void sha1_gives_the_published_digest(void **state)
{
    (void)state;
    uint8_t d[SHA1_SIZE];
    char hex[2 * SHA1_SIZE + 1];
    sha1(SLICE("abc"), d);
    hex_encode(d, SHA1_SIZE, hex);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void a_context_can_be_used_again_and_again(void **state)
{
    (void)state;
    struct sha256 *s = sha256_new();
    uint8_t d[SHA256_SIZE];
    for (int i = 0; i < 3; i++) {
        sha256_start(s);
        sha256_add(s, SLICE("ab"));
        sha256_add(s, SLICE_NULL);
        sha256_add(s, SLICE("c"));
        sha256_finish(s, d);
        assert_hex(d, ABC);
        sha256_start(s);
        sha256_finish(s, d);
        assert_hex(d, EMPTY);
    }
    sha256_free(s);
    sha256_free(NULL);
}

static void starting_anew_forgets_what_was_not_finished(void **state)
{
    (void)state;
    struct sha256 *s = sha256_new();
    uint8_t d[SHA256_SIZE];
    sha256_start(s);
    sha256_add(s, SLICE("junk"));
    sha256_start(s);
    sha256_add(s, SLICE("abc"));
    sha256_finish(s, d);
    assert_hex(d, ABC);
    sha256_free(s);
}

static void crc32c_gives_the_values_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t p[32];
    assert_int_equal(crc32c(0, NULL, 0), 0);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
    memset(p, 0, sizeof p);
    assert_int_equal(crc32c(0, p, sizeof p), 0x8a9136aau);
    memset(p, 0xff, sizeof p);
    assert_int_equal(crc32c(0, p, sizeof p), 0x62a8ab43u);
    for (uint8_t i = 0; i < 32; i++)
        p[i] = i;
    assert_int_equal(crc32c(0, p, sizeof p), 0x46dd794eu);
}

/* Straight from the polynomial, a bit at a time. */
static uint32_t slow_crc(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82f63b78u & (0 - (crc & 1)));
    }
    return ~crc;
}

/* A piece of less than a word takes the table, a longer one the processor's instruction where there is one. */
static void both_ways_to_a_crc_agree_with_the_polynomial_at_every_length_and_address(void **state)
{
    (void)state;
    uint8_t p[300];
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)(i * 151 + 7);
    for (size_t from = 0; from < 9; from++) {
        for (size_t n = 0; n <= 280; n++) {
            uint32_t want = slow_crc(p + from, n);
            uint32_t bytewise = 0;
            for (size_t i = 0; i < n; i++)
                bytewise = crc32c(bytewise, p + from + i, 1);
            assert_int_equal(bytewise, want);
            assert_int_equal(crc32c(0, p + from, n), want);
            assert_int_equal(crc32c(crc32c(0, p + from, n / 3), p + from + n / 3, n - n / 3), want);
        }
    }
}

static void every_entry_of_the_table_is_right(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        assert_int_equal(crc32c(0, &byte, 1), slow_crc(&byte, 1));
    }
}

static void hexadecimal_is_lower_case_and_ends_in_nul(void **state)
{
    (void)state;
    char out[7] = "xxxxxx";
    hex_encode((const uint8_t *)"\x00\xaf\x10", 3, out);
    assert_string_equal(out, "00af10");
    hex_encode(NULL, 0, out);
    assert_string_equal(out, "");
}

static void base64_is_decoded_whatever_its_length_and_white_space(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } good[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYmFy", "foobar"},
        {" Zm\n9v\r\n\tYg = =\n", "foob"},
        {"+/+/", "\xfb\xff\xbf"},
        {"AAAA", ""},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(100);
        buf_add_str(&out, ">");
        assert_int_equal(base64_decode(slice_str(good[i].text), &out, NULL), RC_OK);
        assert_string_equal(out.p + 1, good[i].want);
    }
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    assert_int_equal(base64_decode(SLICE("AAEC"), &out, NULL), RC_OK);
    assert_int_equal(out.n, 3);
    assert_memory_equal(out.p, "\0\1\2", 3);
}

static void what_base64_encodes_it_decodes_again(void **state)
{
    (void)state;
    static const struct {
        struct slice bytes;
        const char *want;
    } known[] = {
        {SLICE(""), ""},
        {SLICE("f"), "Zg=="},
        {SLICE("fo"), "Zm8="},
        {SLICE("foo"), "Zm9v"},
        {SLICE("\0"), "AA=="},
        {SLICE("\xfb\xff\xbf"), "+/+/"},
        {SLICE("\xff\xff"), "//8="},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        AUTO(buf_done) struct buf text = BUF_INIT(100), back = BUF_INIT(100);
        buf_add_str(&text, ">");
        base64_encode(known[i].bytes, &text);
        assert_string_equal(text.p + 1, known[i].want);
        struct slice encoded = slice_of(text.p + 1, text.n - 1);
        assert_int_equal(base64_decode(encoded, &back, NULL), RC_OK);
        assert_true(slice_eq(buf_slice(&back), known[i].bytes));
    }
}

static void what_is_no_base64_is_refused_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Zg",    "Zg=",  "Z",    "Zg==Zg==", "Zg==x", "=",     "Z===", "====",
        "Zm9v=", "Zm9-", "Zm_v", "Zm9v!",    "Zm=v",  "Zm8==", "Z=g=", "\xc3\xa4zzz",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(100);
        struct err e = ERR_INIT;
        buf_add_str(&out, "kept");
        assert_int_equal(base64_decode(slice_str(bad[i]), &out, &e), RC_INVALID);
        assert_int_equal(e.retry, ERR_FINAL);
        assert_string_equal(out.p, "kept");
    }
}

static void a_base64_message_names_the_place_and_never_the_text(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    struct err e = ERR_INIT;
    assert_int_equal(base64_decode(SLICE("c2VjcmV0!"), &out, &e), RC_INVALID);
    assert_non_null(strstr(e.msg, "byte 9"));
    assert_null(strstr(e.msg, "c2Vj"));
}

static void base64_obeys_the_outputs_limit(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(3);
    assert_int_equal(base64_decode(SLICE("Zm9v"), &out, NULL), RC_OK);
    buf_reset(&out);
    assert_int_equal(base64_decode(SLICE("Zm9vYg=="), &out, NULL), RC_LIMIT);
}

static void the_end_of_a_certificate_is_read(void **state)
{
    (void)state;
    int64_t end_ns = 0;
    struct err e = ERR_INIT;
    assert_int_equal(certificate_end(SLICE(EXPIRED_CERT), &end_ns, &e), RC_OK);
    assert_true(end_ns == EXPIRED_AT_NS);
    assert_int_equal(certificate_end(SLICE(EXPIRED_KEY EXPIRED_CERT), &end_ns, &e), RC_OK);
}

static void what_is_no_certificate_has_no_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "text", "-----BEGIN CERTIFICATE-----", EXPIRED_KEY,
                                        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                                        "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
                                        "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t end_ns = 7;
        struct err e = ERR_INIT;
        assert_int_equal(certificate_end(slice_str(texts[i]), &end_ns, &e), RC_INVALID);
        assert_true(end_ns == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sha1_gives_the_published_digest),
        cmocka_unit_test(a_context_can_be_used_again_and_again),
        cmocka_unit_test(starting_anew_forgets_what_was_not_finished),
        cmocka_unit_test(crc32c_gives_the_values_of_rfc_3720),
        cmocka_unit_test(both_ways_to_a_crc_agree_with_the_polynomial_at_every_length_and_address),
        cmocka_unit_test(every_entry_of_the_table_is_right),
        cmocka_unit_test(hexadecimal_is_lower_case_and_ends_in_nul),
        cmocka_unit_test(base64_is_decoded_whatever_its_length_and_white_space),
        cmocka_unit_test(what_base64_encodes_it_decodes_again),
        cmocka_unit_test(what_is_no_base64_is_refused_and_leaves_the_output_alone),
        cmocka_unit_test(a_base64_message_names_the_place_and_never_the_text),
        cmocka_unit_test(base64_obeys_the_outputs_limit),
        cmocka_unit_test(the_end_of_a_certificate_is_read),
        cmocka_unit_test(what_is_no_certificate_has_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

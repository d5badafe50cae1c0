/* core/json_frame: where values end, at every split of a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/json.h"

static void each_value_of_a_stream_is_found_at_every_split(void **state)
{
    (void)state;
    static const char *const values[] = {"{\"a\":[1,{\"b\":\"}]\\\"\"}]}",
                                         "\n[]",
                                         " 12.5e3",
                                         "\n\"x\\\\\"",
                                         "true",
                                         "\t{}",
                                         "null",
                                         " -1",
                                         " [\"\\u005d\"]"};
    char stream[256] = "";
    size_t ends[9], total = 0;
    for (size_t i = 0; i < 9; i++) {
        memcpy(stream + total, values[i], strlen(values[i]));
        total += strlen(values[i]);
        ends[i] = total;
    }
    for (size_t split = 0; split <= total; split++) {
        /* An exact allocation, so that a read behind the end is seen. */
        AUTO(freep) char *part = malloc(split ? split : 1);
        memcpy(part, stream, split);
        size_t at = 0, found = 0, n = 0;
        enum rc rc;
        while ((rc = json_frame(slice_of(part + at, split - at), &n, NULL)) == RC_OK) {
            at += n;
            assert_int_equal(at, ends[found++]);
        }
        assert_int_equal(rc, RC_AGAIN);
        /* A number that ends with the part is not taken: more of it may come. */
        bool number_last = split == ends[2] || split == ends[7];
        assert_true(found == 9 || ends[found] > split || number_last);
    }
}

static void rubbish_is_refused_at_once(void **state)
{
    (void)state;
    static const char *const bad[] = {"<html>",     "]",        "[}",    "{]",    ",",
                                      ":",          "\"a\nb\"", "[1;2]", "[\x80", "\xef\xbb\xbf{}",
                                      "{\"a\":(1)}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t n = 77;
        struct err e = ERR_INIT;
        if (json_frame(slice_str(bad[i]), &n, &e) != RC_INVALID)
            fail_msg("accepted %s", bad[i]);
        assert_int_equal(n, 77);
        assert_int_equal(e.rc, RC_INVALID);
    }
}

static void an_unfinished_value_asks_for_more(void **state)
{
    (void)state;
    static const char *const parts[] = {"",       " ",   "{", "[1", "\"",    "\"\\",
                                        "\"\\\"", "tru", "1", "-",  "[true", "{\"a\""};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = 0;
        assert_int_equal(json_frame(slice_str(parts[i]), &n, NULL), RC_AGAIN);
    }
    size_t n = 0;
    assert_int_equal(json_frame(SLICE_NULL, &n, NULL), RC_AGAIN);
}

static void depth_and_size_are_limited(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT((size_t)JSON_TEXT_MAX + 16);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&b, '[');
    size_t n = 0;
    assert_int_equal(json_frame(buf_slice(&b), &n, NULL), RC_AGAIN);
    buf_add_char(&b, '{');
    assert_int_equal(json_frame(buf_slice(&b), &n, NULL), RC_LIMIT);

    buf_reset(&b);
    char *p = buf_extend(&b, (size_t)JSON_TEXT_MAX + 1);
    assert_non_null(p);
    memset(p, 'a', b.n);
    p[0] = '"';
    assert_int_equal(json_frame(slice_of(p, JSON_TEXT_MAX), &n, NULL), RC_AGAIN);
    assert_int_equal(json_frame(buf_slice(&b), &n, NULL), RC_LIMIT);
}

static void the_kind_of_every_bracket_is_remembered(void **state)
{
    (void)state;
    char text[300];
    for (size_t i = 0; i < 150; i++) {
        bool object = i % 3 == 0;
        text[i] = object ? '{' : '[';
        text[299 - i] = object ? '}' : ']';
    }
    size_t n = 0;
    assert_int_equal(json_frame(slice_of(text, 300), &n, NULL), RC_OK);
    assert_int_equal(n, 300);
    text[299] = ']';
    assert_int_equal(json_frame(slice_of(text, 300), &n, NULL), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_of_a_stream_is_found_at_every_split),
        cmocka_unit_test(rubbish_is_refused_at_once),
        cmocka_unit_test(an_unfinished_value_asks_for_more),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test(the_kind_of_every_bracket_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

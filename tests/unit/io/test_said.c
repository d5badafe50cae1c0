/* io/said: texts of servers within messages. */
#include "io/said.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void control_characters_become_blanks(void **state)
{
    (void)state;
    char out[16];
    said_copy(out, sizeof out, SLICE("a\r\n\x1b[1m\x7f\0b"));
    assert_string_equal(out, "a   [1m  b");
    said_copy(out, sizeof out,
              SLICE("a\xc2\x9b"
                    "2J\xc2\xa0z\x9b\xff\xe2\x82"));
    assert_string_equal(out, "a  2J\xc2\xa0z    ");
}

static void a_text_is_cut_before_the_character_that_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        const char *want;
    } rows[] = {
        {1, ""},           {2, "a"},
        {3, "a"}, /* the two bytes of the next one need one more */
        {4, "a\xc3\xa4"},  {5, "a\xc3\xa4z"},
        {9, "a\xc3\xa4z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[16];
        said_copy(out, rows[i].size, SLICE("a\xc3\xa4z"));
        assert_string_equal(out, rows[i].want);
    }
}

static void no_text_is_the_empty_one(void **state)
{
    (void)state;
    char out[4] = "abc";
    said_copy(out, sizeof out, SLICE_NULL);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_become_blanks),
        cmocka_unit_test(a_text_is_cut_before_the_character_that_does_not_fit),
        cmocka_unit_test(no_text_is_the_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

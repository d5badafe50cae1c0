/* controller/nearest: which name is like a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/nearest.h"

static const char *nearest_of(const char *text, const char *const *names, size_t n)
{
    struct nearest near = NEAREST_INIT(slice_str(text));
    for (size_t i = 0; i < n; i++)
        nearest_try(&near, names[i]);
    return near.name;
}

static void the_name_with_the_fewest_edits_wins_and_of_equals_the_first(void **state)
{
    (void)state;
    static const char *const names[] = {"sourceName", "sourceNames", "destinationName",
                                        "sxurceName"};
    assert_ptr_equal(nearest_of("sorceName", names, 4), names[0]);
    assert_ptr_equal(nearest_of("sourcename", names, 4), names[0]);
    assert_ptr_equal(nearest_of("sourceNamse", names, 4), names[0]);
    assert_ptr_equal(nearest_of("detsinationName", names, 4), names[2]);
    assert_ptr_equal(nearest_of("suorceName", names, 1), names[0]);
}

static void what_differs_in_a_third_or_more_is_not_like(void **state)
{
    (void)state;
    static const char *const names[] = {"abcdef", "op", NULL, ""};
    assert_ptr_equal(nearest_of("abcdex", names, 4), names[0]);
    assert_null(nearest_of("abcdxx", names, 4));
    assert_null(nearest_of("", names, 4));
    assert_null(nearest_of("ab", names, 4));
}

static void long_texts_are_like_none(void **state)
{
    (void)state;
    char text[NEAREST_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    text[NEAREST_BYTES_MAX + 1] = '\0';
    const char *self = text;
    assert_null(nearest_of(text, &self, 1));
    text[NEAREST_BYTES_MAX] = '\0';
    assert_ptr_equal(nearest_of(text, &self, 1), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_with_the_fewest_edits_wins_and_of_equals_the_first),
        cmocka_unit_test(what_differs_in_a_third_or_more_is_not_like),
        cmocka_unit_test(long_texts_are_like_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

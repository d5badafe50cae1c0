/* core/hash_set: nothing that was added is ever said to be missing, and hardly anything else is said to be there. */
#include "core/hash_set.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

static struct slice name(uint32_t i, char text[32])
{
    return slice_of(text, (size_t)snprintf(text, 32, "/node/%u", i));
}

static void what_was_added_is_there(void **state)
{
    (void)state;
    AUTO(hash_set_freep) struct hash_set *s = hash_set_new();
    char text[32];
    uint32_t others = 0;
    assert_non_null(s);
    assert_false(hash_set_may_have(s, SLICE_NULL));
    for (uint32_t i = 0; i < 50000; i++) {
        assert_true(hash_set_add(s, name(i, text)));
        assert_true(hash_set_add(s, name(i, text)));
    }
    for (uint32_t i = 0; i < 50000; i++)
        assert_true(hash_set_may_have(s, name(i, text)));
    for (uint32_t i = 50000; i < 100000; i++)
        others += hash_set_may_have(s, name(i, text));
    assert_int_equal(others, 0); /* one in 10^14 pairs would be chance */
    assert_true(hash_set_add(s, SLICE_NULL));
    assert_true(hash_set_may_have(s, SLICE_NULL));
}

static void it_takes_so_many_and_no_more(void **state)
{
    (void)state;
    AUTO(hash_set_freep) struct hash_set *s = hash_set_new();
    char text[32];
    for (uint32_t i = 0; i < HASH_SET_MAX; i++)
        assert_true(hash_set_add(s, name(i, text)));
    assert_true(hash_set_add(s, name(0, text)));
    assert_false(hash_set_add(s, name(HASH_SET_MAX, text)));
    hash_set_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_there),
        cmocka_unit_test(it_takes_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

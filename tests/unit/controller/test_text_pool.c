/* controller/text_pool: copies that live as long as the pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/text_pool.h"
#include "core/scope.h"

static void texts_are_copies_and_end_in_a_nul(void **state)
{
    (void)state;
    AUTO(text_pool_done) struct text_pool pool = {0};
    char source[] = "abc";
    const char *copy = text_pool_add(&pool, slice_of(source, 2));
    const char *empty = text_pool_add(&pool, SLICE_NULL);
    source[0] = 'x';
    assert_string_equal(copy, "ab");
    assert_string_equal(empty, "");
    assert_string_equal(text_pool_join(&pool, SLICE("ns"), '/', SLICE("name")), "ns/name");
    assert_string_equal(text_pool_join(&pool, SLICE_NULL, '/', SLICE_NULL), "/");
    assert_string_equal(copy, "ab");
    assert_false(pool.nomem);
}

static void an_emptied_pool_can_be_used_again(void **state)
{
    (void)state;
    struct text_pool pool = {0};
    text_pool_done(&pool);
    text_pool_add(&pool, SLICE("a"));
    text_pool_done(&pool);
    assert_string_equal(text_pool_add(&pool, SLICE("b")), "b");
    text_pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_copies_and_end_in_a_nul),
        cmocka_unit_test(an_emptied_pool_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* sinks/zk_made: a hint that is never wrong about what it was told, and forgets rather than grows. */
#include "sinks/zk_made.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

static void a_node_is_found_until_all_are_forgotten(void **state)
{
    (void)state;
    struct zk_made *m = zk_made_new();
    assert_non_null(m);
    assert_int_equal(zk_made_find(m, SLICE("/a")), 0);
    zk_made_put(m, SLICE("/a"), 7);
    zk_made_put(m, SLICE("/b"), 8);
    assert_int_equal(zk_made_find(m, SLICE("/a")), 7);
    assert_int_equal(zk_made_find(m, SLICE("/a")), 7);
    assert_int_equal(zk_made_find(m, SLICE("/b")), 8);
    assert_int_equal(zk_made_find(m, SLICE("/a/b")), 0);
    assert_int_equal(zk_made_find(m, SLICE_NULL), 0);
    zk_made_clear(m);
    assert_int_equal(zk_made_find(m, SLICE("/b")), 0);
    zk_made_free(m);
    zk_made_free(NULL);
}

static void a_node_that_was_made_anew_counts(void **state)
{
    (void)state;
    struct zk_made *m = zk_made_new();
    zk_made_put(m, SLICE("/a"), 7);
    assert_int_equal(zk_made_find(m, SLICE("/a")), 7);
    zk_made_put(m, SLICE("/a"), 9);
    assert_int_equal(zk_made_find(m, SLICE("/a")), 9);
    zk_made_free(m);
}

static void it_never_grows_beyond_its_limit(void **state)
{
    (void)state;
    struct zk_made *m = zk_made_new();
    char path[32];
    for (uint32_t i = 0; i <= ZK_MADE_MAX; i++) {
        snprintf(path, sizeof path, "/n%u", i);
        zk_made_put(m, slice_str(path), i + 1);
    }
    assert_int_equal(zk_made_find(m, slice_str(path)), ZK_MADE_MAX + 1);
    assert_int_equal(zk_made_find(m, SLICE("/n0")), 0);
    zk_made_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_found_until_all_are_forgotten),
        cmocka_unit_test(a_node_that_was_made_anew_counts),
        cmocka_unit_test(it_never_grows_beyond_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* io/zk_paths: first in, first out, in bounded memory. */
#include "io/zk_paths.h"

#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static void assert_first(struct zk_paths *q, const char *want, uint32_t number)
{
    struct slice path;
    uint32_t found;
    assert_true(zk_paths_peek(q, &path, &found));
    assert_true(slice_eq(path, slice_str(want)));
    assert_int_equal(found, number);
    zk_paths_pop(q);
}

static void a_path_is_made_of_its_parent_and_its_name(void **state)
{
    (void)state;
    struct zk_paths q;
    zk_paths_init(&q, 1u << 20);
    assert_int_equal(zk_paths_push(&q, SLICE("/"), SLICE(""), 1, NULL), RC_OK);
    assert_int_equal(zk_paths_push(&q, SLICE("/"), SLICE("a"), 2, NULL), RC_OK);
    assert_int_equal(zk_paths_push(&q, SLICE("/a"), SLICE("b"), UINT32_MAX, NULL), RC_OK);
    assert_int_equal(q.n, 3);
    assert_first(&q, "/", 1);
    assert_first(&q, "/a", 2);
    assert_first(&q, "/a/b", UINT32_MAX);
    struct slice path = SLICE("kept");
    assert_false(zk_paths_peek(&q, &path, &(uint32_t){0}));
    assert_true(slice_eq(path, SLICE("kept")));
    zk_paths_done(&q);
}

static void the_order_is_kept_over_any_number_of_paths(void **state)
{
    (void)state;
    struct rng_seeded r;
    struct zk_paths q;
    rng_seeded_init(&r, 3);
    zk_paths_init(&q, 64u << 20);
    uint32_t in = 0, out = 0;
    char text[64];
    while (out < 50000) {
        bool push = in < 50000 && (in == out || rng_below(&r.rng, 5) < 3);
        snprintf(text, sizeof(text), "/parent/%u", push ? in : out);
        struct slice name = slice_str(text + sizeof("/parent/") - 1);
        if (push)
            assert_int_equal(zk_paths_push(&q, SLICE("/parent"), name, in++, NULL), RC_OK);
        else
            assert_first(&q, text, out++);
    }
    assert_int_equal(q.n, 0);
    assert_int_equal(q.bytes, 0); /* nothing is kept for what is gone */
    zk_paths_done(&q);
}

static void memory_has_a_limit_and_a_refused_path_leaves_the_queue_alone(void **state)
{
    (void)state;
    struct zk_paths q;
    struct err e = ERR_INIT;
    enum rc rc = RC_OK;
    uint32_t n = 0;
    zk_paths_init(&q, 200u << 10);
    while ((rc = zk_paths_push(&q, SLICE("/a"), SLICE("b"), n, &e)) == RC_OK)
        n++;
    assert_int_equal(rc, RC_LIMIT);
    assert_true(e.msg[0]);
    assert_true(n > 10000 && q.bytes <= 200u << 10);
    assert_int_equal(q.n, n);
    for (uint32_t i = 0; i < n; i++)
        assert_first(&q, "/a/b", i);
    assert_int_equal(zk_paths_push(&q, SLICE("/a"), SLICE("b"), n, NULL), RC_OK);
    zk_paths_done(&q);
}

static void a_path_longer_than_a_chunk_has_one_of_its_own(void **state)
{
    (void)state;
    struct zk_paths q;
    char *name = malloc(200001);
    assert_non_null(name);
    memset(name, 'x', 200000);
    name[0] = '/';
    name[200000] = '\0';
    zk_paths_init(&q, 1u << 20);
    assert_int_equal(zk_paths_push(&q, SLICE("/"), SLICE("a"), 1, NULL), RC_OK);
    assert_int_equal(zk_paths_push(&q, slice_str(name), SLICE(""), 2, NULL), RC_OK);
    assert_int_equal(zk_paths_push(&q, SLICE("/"), SLICE("b"), 3, NULL), RC_OK);
    assert_first(&q, "/a", 1);
    assert_first(&q, name, 2);
    assert_first(&q, "/b", 3);
    zk_paths_done(&q);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_made_of_its_parent_and_its_name),
        cmocka_unit_test(the_order_is_kept_over_any_number_of_paths),
        cmocka_unit_test(memory_has_a_limit_and_a_refused_path_leaves_the_queue_alone),
        cmocka_unit_test(a_path_longer_than_a_chunk_has_one_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

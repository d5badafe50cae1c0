/* core/map: against a sorted array under random calls; ownership of keys and values. */
#include "core/map.h"

#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static void count_free(void *value)
{
    ++*(int *)value;
}

static void a_value_is_found_under_its_key_and_under_no_other(void **state)
{
    (void)state;
    int a = 0, b = 0;
    AUTO(map_freep) struct map *m = map_new(NULL);
    assert_null(map_get(m, SLICE("a")));
    assert_int_equal(map_put(m, SLICE("a"), &a, NULL), RC_OK);
    assert_int_equal(map_put(m, SLICE("ab"), &b, NULL), RC_OK);
    assert_ptr_equal(map_get(m, SLICE("a")), &a);
    assert_ptr_equal(map_get(m, SLICE("ab")), &b);
    assert_null(map_get(m, SLICE("b")));
    assert_null(map_get(m, SLICE("")));
    assert_int_equal(map_count(m), 2);
}

static void the_empty_key_and_keys_with_nul_bytes_are_keys(void **state)
{
    (void)state;
    int a = 0, b = 0, c = 0;
    AUTO(map_freep) struct map *m = map_new(NULL);
    assert_int_equal(map_put(m, SLICE_NULL, &a, NULL), RC_OK);
    assert_int_equal(map_put(m, slice_of("x\0y", 3), &b, NULL), RC_OK);
    assert_int_equal(map_put(m, slice_of("x\0z", 3), &c, NULL), RC_OK);
    assert_ptr_equal(map_get(m, SLICE("")), &a);
    assert_ptr_equal(map_get(m, slice_of("x\0y", 3)), &b);
    struct map_entry at;
    assert_true(map_seek(m, SLICE_NULL, false, &at));
    assert_int_equal(at.key.n, 0);
    assert_true(map_seek(m, SLICE_NULL, true, &at));
    assert_ptr_equal(at.value, &b);
}

static void the_key_is_copied(void **state)
{
    (void)state;
    int a = 0;
    char key[] = "key";
    AUTO(map_freep) struct map *m = map_new(NULL);
    assert_int_equal(map_put(m, slice_str(key), &a, NULL), RC_OK);
    key[0] = 'x';
    assert_ptr_equal(map_get(m, SLICE("key")), &a);
}

static void each_value_is_freed_exactly_once(void **state)
{
    (void)state;
    int replaced = 0, deleted = 0, taken = 0, cleared = 0, last = 0;
    struct map *m = map_new(count_free);
    assert_int_equal(map_put(m, SLICE("k"), &replaced, NULL), RC_OK);
    assert_int_equal(map_put(m, SLICE("k"), &deleted, NULL), RC_OK);
    assert_int_equal(replaced, 1);
    assert_int_equal(map_put(m, SLICE("k"), &deleted, NULL), RC_OK);
    assert_int_equal(deleted, 0);
    assert_true(map_delete(m, SLICE("k")));
    assert_false(map_delete(m, SLICE("k")));
    assert_int_equal(deleted, 1);
    assert_int_equal(map_put(m, SLICE("t"), &taken, NULL), RC_OK);
    assert_ptr_equal(map_take(m, SLICE("t")), &taken);
    assert_null(map_take(m, SLICE("t")));
    assert_int_equal(map_put(m, SLICE("c"), &cleared, NULL), RC_OK);
    map_clear(m);
    assert_int_equal(cleared, 1);
    assert_int_equal(map_count(m), 0);
    assert_int_equal(map_put(m, SLICE("l"), &last, NULL), RC_OK);
    map_free(m);
    assert_int_equal(last, 1);
    assert_int_equal(taken, 0);
    map_free(NULL);
}

static void an_entry_can_be_deleted_by_the_key_that_lives_in_it(void **state)
{
    (void)state;
    int a = 0;
    AUTO(map_freep) struct map *m = map_new(NULL);
    assert_int_equal(map_put(m, SLICE("key"), &a, NULL), RC_OK);
    struct map_entry at;
    assert_true(map_seek(m, SLICE_NULL, false, &at));
    assert_true(map_delete(m, at.key));
    assert_int_equal(map_count(m), 0);
}

static void seeking_finds_the_least_key_at_or_behind_a_place(void **state)
{
    (void)state;
    int v = 0;
    AUTO(map_freep) struct map *m = map_new(NULL);
    static const char *const keys[] = {"b", "d", "f", "\xff"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(map_put(m, slice_str(keys[i]), &v, NULL), RC_OK);
    struct map_entry at;
    assert_true(map_seek(m, SLICE("d"), false, &at));
    assert_true(slice_eq(at.key, SLICE("d")));
    assert_true(map_seek(m, SLICE("d"), true, &at));
    assert_true(slice_eq(at.key, SLICE("f")));
    assert_true(map_seek(m, SLICE("c"), false, &at));
    assert_true(slice_eq(at.key, SLICE("d")));
    assert_true(map_seek(m, SLICE("g"), false, &at));
    assert_true(slice_eq(at.key, SLICE("\xff")));
    at.value = NULL;
    assert_false(map_seek(m, SLICE("\xff"), true, &at));
    assert_null(at.value);
}

#define KEYS 512
/* Against the simplest model there is: an array with a place for each key, in byte order. */
static void it_behaves_as_a_sorted_array_under_any_order_of_calls(void **state)
{
    (void)state;
    struct rng_seeded rng;
    rng_seeded_init(&rng, 42);
    AUTO(map_freep) struct map *m = map_new(NULL);
    static char names[KEYS][16];
    bool in[KEYS] = {false};
    size_t count = 0;
    for (int i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof names[i], "k%04d", i);
    for (int step = 0; step < 20000; step++) {
        size_t k = rng_below(&rng.rng, KEYS);
        struct slice key = slice_str(names[k]);
        if (rng_below(&rng.rng, 2)) {
            assert_int_equal(map_put(m, key, names[k], NULL), RC_OK);
            count += !in[k];
            in[k] = true;
        } else {
            assert_int_equal(map_delete(m, key), in[k]);
            count -= in[k];
            in[k] = false;
        }
        size_t q = rng_below(&rng.rng, KEYS);
        assert_ptr_equal(map_get(m, slice_str(names[q])), in[q] ? names[q] : NULL);
        size_t next = q + 1;
        while (next < KEYS && !in[next])
            next++;
        struct map_entry at = {.value = NULL};
        assert_int_equal(map_seek(m, slice_str(names[q]), true, &at), next < KEYS);
        assert_ptr_equal(at.value, next < KEYS ? names[next] : NULL);
        assert_int_equal(map_count(m), count);
    }
}

static void walking_visits_all_keys_in_order_whatever_order_they_came_in(void **state)
{
    (void)state;
    enum { N = 20000 };
    int v = 0;
    for (int down = 0; down < 2; down++) {
        AUTO(map_freep) struct map *m = map_new(NULL);
        char name[16];
        for (int i = 0; i < N; i++) {
            snprintf(name, sizeof name, "%06d", down ? N - 1 - i : i);
            assert_int_equal(map_put(m, slice_str(name), &v, NULL), RC_OK);
        }
        struct map_entry at = {.key = SLICE_NULL};
        int seen = 0;
        for (bool after = false; map_seek(m, at.key, after, &at); after = true) {
            snprintf(name, sizeof name, "%06d", seen++);
            assert_true(slice_eq(at.key, slice_str(name)));
        }
        assert_int_equal(seen, N);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_under_its_key_and_under_no_other),
        cmocka_unit_test(the_empty_key_and_keys_with_nul_bytes_are_keys),
        cmocka_unit_test(the_key_is_copied),
        cmocka_unit_test(each_value_is_freed_exactly_once),
        cmocka_unit_test(an_entry_can_be_deleted_by_the_key_that_lives_in_it),
        cmocka_unit_test(seeking_finds_the_least_key_at_or_behind_a_place),
        cmocka_unit_test(it_behaves_as_a_sorted_array_under_any_order_of_calls),
        cmocka_unit_test(walking_visits_all_keys_in_order_whatever_order_they_came_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

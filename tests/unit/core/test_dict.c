/* core/dict: what was put is found by its very key, and by no other. */
#include "core/dict.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static void put(struct dict *d, struct slice key, void *value)
{
    struct err e = ERR_INIT;
    assert_int_equal(dict_put(d, key, value, &e), RC_OK);
}

static void keys_are_any_bytes(void **state)
{
    (void)state;
    int a, b, c;
    AUTO(dict_freep) struct dict *d = dict_new(NULL);
    assert_non_null(d);
    assert_null(dict_get(d, SLICE("a")));
    put(d, SLICE("a"), &a);
    put(d, slice_of("a\0", 2), &b);
    put(d, SLICE_NULL, &c);
    assert_ptr_equal(dict_get(d, SLICE("a")), &a);
    assert_ptr_equal(dict_get(d, slice_of("a\0", 2)), &b);
    assert_ptr_equal(dict_get(d, SLICE_NULL), &c);
    assert_null(dict_get(d, SLICE("aa")));
    assert_int_equal(dict_count(d), 3);
    put(d, SLICE("a"), &b);
    assert_ptr_equal(dict_get(d, SLICE("a")), &b);
    assert_int_equal(dict_count(d), 3);
    dict_free(NULL);
}

enum { MANY = 20000 };

static void many_keys_are_found_and_walked_once_each(void **state)
{
    (void)state;
    AUTO(dict_freep) struct dict *d = dict_new(free);
    char text[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "/node/%d", i);
        put(d, slice_str(text), strdup(text));
        put(d, slice_str(text), strdup(text)); /* the one before is freed */
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "/node/%d", i);
        assert_string_equal(dict_get(d, slice_str(text)), text);
        snprintf(text, sizeof text, "/other/%d", i);
        assert_null(dict_get(d, slice_str(text)));
    }
    bool seen[MANY] = {0};
    size_t at = 0, n = 0;
    struct slice key;
    void *value;
    while (dict_next(d, &at, &key, &value)) {
        long i = strtol((const char *)value + strlen("/node/"), NULL, 10);
        assert_true(slice_eq(key, slice_str(value)) && !seen[i]);
        seen[i] = true;
        n++;
    }
    assert_int_equal(n, MANY);
}

static void what_is_deleted_is_gone_and_the_rest_stays(void **state)
{
    (void)state;
    AUTO(dict_freep) struct dict *d = dict_new(free);
    char text[32];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 300; i++) {
            snprintf(text, sizeof text, "/%d/%d", round, i);
            put(d, slice_str(text), strdup(text));
        }
        size_t at = 0;
        struct slice key;
        void *value;
        while (dict_next(d, &at, &key, &value)) /* deleted as they are met: all but each third */
            if (strtol(strrchr(value, '/') + 1, NULL, 10) % 3 != 0) {
                snprintf(text, sizeof text, "%s", (const char *)value);
                dict_delete(d, slice_str(text));
            }
        dict_delete(d, SLICE("/absent"));
        assert_int_equal(dict_count(d), (size_t)(round + 1) * 100);
    }
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "/7/%d", i);
        assert_int_equal(dict_get(d, slice_str(text)) != NULL, i % 3 == 0);
    }
    dict_clear(d);
    assert_int_equal(dict_count(d), 0);
    assert_null(dict_get(d, SLICE("/7/0")));
    put(d, SLICE("/7/0"), strdup("x"));
    assert_string_equal(dict_get(d, SLICE("/7/0")), "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_any_bytes),
        cmocka_unit_test(many_keys_are_found_and_walked_once_each),
        cmocka_unit_test(what_is_deleted_is_gone_and_the_rest_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

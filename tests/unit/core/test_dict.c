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
        int i = atoi((const char *)value + strlen("/node/"));
        assert_true(slice_eq(key, slice_str(value)) && !seen[i]);
        seen[i] = true;
        n++;
    }
    assert_int_equal(n, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_any_bytes),
        cmocka_unit_test(many_keys_are_found_and_walked_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

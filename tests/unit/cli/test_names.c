/* cli/names: all consumers of a store in order, and what a user's word means. */
#include "cli/names.h"

#include "log/ckpt.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void all_names_come_in_order(void **state)
{
    (void)state;
    static const char *const consumers[] = {"team/b", "default/a", "team/a"};
    struct ckpt_mem_store *store = ckpt_mem_store_new();
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    AUTO(names_freep) struct names *names = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(ckpt_mem_open(store, &ckpt, &e), RC_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct ckpt_commit what = {.head = {.generation = 1, .offset = 1}};
        assert_int_equal(ckpt_commit(ckpt, slice_str(consumers[i]), &what, &e), RC_OK);
    }
    assert_int_equal(names_of_consumers(ckpt, &names, &e), RC_OK);
    assert_int_equal(names->n, 3);
    assert_string_equal(names->list[0], "default/a");
    assert_string_equal(names->list[1], "team/a");
    assert_string_equal(names->list[2], "team/b");
    ckpt_close(ckpt);
    ckpt = NULL;
    ckpt_mem_store_free(store);
}

static void a_word_means_a_name_in_any_namespace_or_a_full_name(void **state)
{
    (void)state;
    assert_true(name_is(SLICE("team/a"), "a"));
    assert_true(name_is(SLICE("team/a"), "team/a"));
    assert_false(name_is(SLICE("team/a"), "team"));
    assert_false(name_is(SLICE("team/ab"), "a"));
    assert_false(name_is(SLICE("team/a"), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_names_come_in_order),
        cmocka_unit_test(a_word_means_a_name_in_any_namespace_or_a_full_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

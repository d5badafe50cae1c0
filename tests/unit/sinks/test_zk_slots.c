/* Slots: each is in one list, in order, and is found by its path while it is in use. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sinks/zk_slots.h"

static int begin(void **state)
{
    struct zk_slots *s = calloc(1, sizeof *s);
    struct err e = ERR_INIT;
    assert_int_equal(zk_slots_init(s, 5, &e), RC_OK);
    *state = s;
    return 0;
}

static int done(void **state)
{
    zk_slots_done(*state);
    free(*state);
    return 0;
}

static struct zk_slot *enter(struct zk_slots *s, const char *path)
{
    struct zk_slot *x = s->lists[ZK_SLOT_FREE].first;
    zk_slots_name(s, x, slice_str(path));
    zk_slots_move(s, x, ZK_SLOT_LOOK, false);
    return x;
}

static void slots_keep_their_order(void **state)
{
    struct zk_slots *s = *state;
    struct zk_slot *a = enter(s, "/a"), *b = enter(s, "/b"), *c = enter(s, "/c");
    const struct zk_list *looks = &s->lists[ZK_SLOT_LOOK];
    assert_true(looks->first == a && a->next == b && looks->last == c && looks->n == 3);
    zk_slots_move(s, b, ZK_SLOT_RUNNING, false);
    assert_true(a->next == c && c->prev == a && looks->n == 2);
    zk_slots_move(s, b, ZK_SLOT_LOOK, true);
    assert_true(looks->first == b && b->next == a && a->prev == b);
    assert_int_equal(s->lists[ZK_SLOT_FREE].n, 2);
}

static void a_slot_is_found_until_its_result_is_taken(void **state)
{
    struct zk_slots *s = *state;
    static const char *const paths[] = {"/a", "/b", "/a/b", "/a/c", "/"};
    struct zk_slot *of[5];
    for (int i = 0; i < 5; i++)
        of[i] = enter(s, paths[i]);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(zk_slots_find(s, slice_str(paths[i])), of[i]);
    assert_null(zk_slots_find(s, SLICE("/c")));
    assert_null(zk_slots_find(s, SLICE_NULL));
    zk_slots_move(s, of[2], ZK_SLOT_RUNNING, false);
    zk_slots_move(s, of[2], ZK_SLOT_FINISHED, false);
    assert_ptr_equal(zk_slots_find(s, SLICE("/a/b")), of[2]);
    zk_slots_move(s, of[2], ZK_SLOT_TAKEN, false);
    assert_null(zk_slots_find(s, SLICE("/a/b")));
    zk_slots_move(s, of[2], ZK_SLOT_FREE, false);
    assert_null(zk_slots_find(s, SLICE("/a/b")));
    assert_ptr_equal(zk_slots_find(s, SLICE("/a/c")), of[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slots_keep_their_order, begin, done),
        cmocka_unit_test_setup_teardown(a_slot_is_found_until_its_result_is_taken, begin, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/producers/producer_test.h"

#include "producers/zk_known.h"

static void put(struct zk_known *k, const char *path, int64_t mzxid, uint32_t walk)
{
    struct err e = ERR_INIT;
    assert_ok(zk_known_put(k, slice_str(path), (struct zk_said){.mzxid = mzxid, .walk = walk}, &e));
}

static void the_last_word_on_a_node_counts(void **state)
{
    (void)state;
    AUTO(zk_known_freep) struct zk_known *k = zk_known_new();
    assert_null(zk_known_get(k, SLICE("/a")));
    put(k, "/a", 1, 1);
    put(k, "/a", 2, 1);
    assert_int_equal(zk_known_get(k, SLICE("/a"))->mzxid, 2);
    zk_known_delete(k, SLICE("/a"));
    assert_null(zk_known_get(k, SLICE("/a")));
}

static void what_a_walk_did_not_meet_is_found_and_may_be_deleted(void **state)
{
    (void)state;
    AUTO(zk_known_freep) struct zk_known *k = zk_known_new();
    struct slice path;
    size_t at = 0, n = 0;
    put(k, "/c", 1, 1);
    put(k, "/a", 1, 1);
    put(k, "/b", 1, 2);
    for (; zk_known_unmet(k, 2, &at, &path); n++) {
        assert_true(slice_eq(path, SLICE("/a")) || slice_eq(path, SLICE("/c")));
        zk_known_delete(k, path);
    }
    assert_int_equal(n, 2);
    assert_null(zk_known_get(k, SLICE("/a")));
    assert_non_null(zk_known_get(k, SLICE("/b")));
    at = 0;
    assert_false(zk_known_unmet(k, 2, &at, &path));
    put(k, "/d", 1, 1);
    zk_known_clear(k);
    at = 0;
    assert_false(zk_known_unmet(k, 3, &at, &path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_on_a_node_counts),
        cmocka_unit_test(what_a_walk_did_not_meet_is_found_and_may_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

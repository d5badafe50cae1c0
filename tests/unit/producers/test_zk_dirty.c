#include "tests/unit/producers/producer_test.h"

#include "producers/zk_dirty.h"

static void add(struct zk_dirty *d, const char *path)
{
    struct err e = ERR_INIT;
    assert_ok(zk_dirty_add(d, slice_str(path), &e));
}

static void add_parent(struct zk_dirty *d, const char *path)
{
    struct err e = ERR_INIT;
    assert_ok(zk_dirty_add_parent(d, slice_str(path), &e));
}

static void assert_takes(struct zk_dirty *d, bool settled, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct err e = ERR_INIT;
    enum rc rc = zk_dirty_take(d, settled, &out, &e);
    if (!want) {
        assert_int_equal(rc, RC_AGAIN);
        return;
    }
    assert_int_equal(rc, RC_OK);
    assert_string_equal(out.p, want);
}

static void a_path_is_taken_once_however_often_it_changed(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    add(d, "/a");
    add(d, "/a");
    assert_takes(d, true, "/a");
    assert_takes(d, true, NULL);
    assert_true(zk_dirty_is_empty(d));
}

static void paths_come_in_byte_order_parents_first(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    add(d, "/b");
    add(d, "/a/x");
    add(d, "/a");
    assert_takes(d, true, "/a");
    assert_takes(d, false, "/a/x");
    assert_takes(d, false, "/b");
}

static void what_changes_while_a_round_is_taken_belongs_to_the_next_one(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    add(d, "/a");
    add(d, "/b");
    assert_takes(d, true, "/a");
    add(d, "/a");
    add(d, "/b"); /* was not taken yet: read once is enough */
    assert_takes(d, false, "/b");
    assert_takes(d, false, NULL);
    assert_takes(d, true, "/a");
    assert_takes(d, true, NULL);
}

static void parents_wait_until_their_children_are_settled(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    add(d, "/a/x");
    add(d, "/a/y");
    assert_takes(d, true, "/a/x");
    add_parent(d, "/a");
    add_parent(d, "/b");
    add(d, "/a/z");
    assert_takes(d, true, "/a/y");
    assert_takes(d, false, NULL);
    assert_takes(d, true, "/a");
    assert_takes(d, false, "/b");
    assert_takes(d, false, NULL);
    assert_takes(d, true, "/a/z");
}

static void it_knows_what_changed_and_was_not_taken(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    add(d, "/a");
    assert_true(zk_dirty_has(d, SLICE("/a")));
    assert_false(zk_dirty_has(d, SLICE("/b")));
    assert_takes(d, true, "/a");
    assert_false(zk_dirty_has(d, SLICE("/a")));
}

static void beyond_the_limit_of_paths_nothing_is_kept_until_it_is_cleared(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    char path[32];
    for (unsigned i = 0; i < ZK_DIRTY_PATHS; i++) {
        snprintf(path, sizeof path, "/%u", i);
        add(d, path);
    }
    assert_false(zk_dirty_overflowed(d));
    add(d, "/1");
    assert_false(zk_dirty_overflowed(d));
    add(d, "/one more");
    assert_true(zk_dirty_overflowed(d));
    add(d, "/a");
    assert_true(zk_dirty_is_empty(d));
    zk_dirty_clear(d);
    assert_false(zk_dirty_overflowed(d));
    add(d, "/a");
    assert_takes(d, true, "/a");
}

static void beyond_the_limit_of_bytes_too(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    char path[4001];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (unsigned i = 0; i < ZK_DIRTY_BYTES / (sizeof path - 1); i++) {
        snprintf(path, 8, "/%06u", i);
        path[7] = 'x';
        add(d, path);
    }
    assert_false(zk_dirty_overflowed(d));
    memcpy(path, "/again", 6);
    add(d, path);
    assert_true(zk_dirty_overflowed(d));
}

static bool is_in(void *arg, struct slice child)
{
    const char *list = arg;
    char text[64];
    snprintf(text, sizeof text, "%.*s ", SLICE_ARG(child));
    return strstr(list, text) != NULL;
}

/* Whether one of `list` ("/a/b /a/c ") is a child that is dirty. */
static bool any_child(const struct zk_dirty *d, const char *path, const char *list)
{
    char copy[64];
    bool found = false;
    struct err e = ERR_INIT;
    snprintf(copy, sizeof copy, "%s", list);
    assert_ok(zk_dirty_any_child(d, slice_str(path), is_in, copy, &found, &e));
    return found;
}

static void children_are_found_among_all_that_is_dirty(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    static const char *const paths[] = {"/q",     "/q-1",   "/q/a",  "/q/a-", "/q/a/deep",
                                        "/q/b/x", "/q/c/y", "/q/n1", "/qq",   "/z"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        add(d, paths[i]);
    assert_true(any_child(d, "/q", "/q/n1 "));
    assert_true(any_child(d, "/q", "/q/a- "));
    assert_true(any_child(d, "/q", "/q/a "));
    assert_false(any_child(d, "/q", "/q/a/deep /q/b /q/b/x /q /qq /z "));
    assert_true(any_child(d, "/q/b", "/q/b/x "));
    assert_true(any_child(d, "/", "/z "));
    assert_true(any_child(d, "/", "/q "));
    assert_false(any_child(d, "/", "/q/a / "));
    assert_false(any_child(d, "/qq", "/qq "));
}

static void a_parent_of_what_is_still_to_come_waits_for_it(void **state)
{
    (void)state;
    AUTO(zk_dirty_freep) struct zk_dirty *d = zk_dirty_new();
    struct err e = ERR_INIT;
    add(d, "/q/n1");
    assert_ok(zk_dirty_add_later(d, SLICE("/q"), &e));
    assert_takes(d, true, "/q/n1");
    assert_false(any_child(d, "/q", "/q/n1 "));
    assert_takes(d, false, NULL);
    assert_takes(d, true, "/q");
    assert_takes(d, true, NULL);
    assert_true(zk_dirty_is_empty(d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_taken_once_however_often_it_changed),
        cmocka_unit_test(children_are_found_among_all_that_is_dirty),
        cmocka_unit_test(a_parent_of_what_is_still_to_come_waits_for_it),
        cmocka_unit_test(paths_come_in_byte_order_parents_first),
        cmocka_unit_test(what_changes_while_a_round_is_taken_belongs_to_the_next_one),
        cmocka_unit_test(parents_wait_until_their_children_are_settled),
        cmocka_unit_test(it_knows_what_changed_and_was_not_taken),
        cmocka_unit_test(beyond_the_limit_of_paths_nothing_is_kept_until_it_is_cleared),
        cmocka_unit_test(beyond_the_limit_of_bytes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The requests of an item's next write. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/digest.h"
#include "core/event.h"
#include "io/zk.h"
#include "sinks/zk_item.h"

#define MAX 64
#define OURS                                                                                       \
    {                                                                                              \
        "alice:A=", 8                                                                              \
    }

static struct znode_acl base_acl[] = {{ZNODE_ALL, {"world", 5}, {"anyone", 6}}};
static const struct znode_acl reader[] = {{ZNODE_READ, {"world", 5}, {"anyone", 6}}};

struct world {
    struct zk_dest dest;
    struct sink_policy policy;
    struct event event;
    struct buf body;
    struct zk_item item;
    struct zk_call calls[MAX];
};

static int begin(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->dest = (struct zk_dest){.me.digest = OURS,
                               .acl = true,
                               .root = SLICE("/x/y/z"),
                               .base = SLICE("/x"),
                               .base_acl = base_acl,
                               .n_base_acl = 1,
                               .sha = sha256_new()};
    buf_init(&w->body, EVENT_BODY_MAX);
    *state = w;
    return 0;
}

static int done(void **state)
{
    struct world *w = *state;
    zk_item_done(&w->item);
    sha256_free(w->dest.sha);
    buf_done(&w->body);
    free(w);
    return 0;
}

/* An item of that node, looked at: the destination has what `there` says (NULL: nothing). */
static void look(struct world *w, const char *path, const struct znode *want,
                 const struct zk_result *there)
{
    struct err e = ERR_INIT;
    const struct zk_result none = {.error = ZK_NO_NODE};
    znode_print(want, &w->body);
    w->event = (struct event){.op = EVENT_PUT, .key = slice_str(path)};
    const struct sink_item item = {
        .op = SINK_PUT, .event = &w->event, .body = buf_slice(&w->body), .policy = &w->policy};
    assert_int_equal(zk_item_begin(&w->item, &w->dest, &item, &e), RC_OK);
    w->item.has_mine = there != NULL;
    w->item.mine.czxid = there ? there->stat.czxid : 0;
    assert_int_equal(zk_item_saw(&w->item, &w->dest, there ? there : &none, 9, &e), RC_OK);
}

static size_t calls(struct world *w, size_t max)
{
    size_t n;
    struct err e = ERR_INIT;
    assert_int_equal(w->item.wants, ZK_WANTS_WRITE);
    assert_int_equal(zk_item_calls(&w->item, &w->dest, w->calls, max, &n, &e), RC_OK);
    return n;
}

static const struct znode plain = {
    .data = {"1", 1}, .has_acl = true, .acl = base_acl, .n_acl = 1, .stat = {.czxid = 5}};

static void root_comes_with_its_missing_ancestors(void **state)
{
    struct world *w = *state;
    look(w, "/x/y/z", &plain, NULL);
    assert_int_equal(calls(w, MAX), 2);
    assert_true(slice_eq(w->calls[0].path, SLICE("/x/y")) && w->calls[0].null_data);
    assert_true(slice_eq(w->calls[1].path, SLICE("/x/y/z")) && !w->calls[1].null_data);
    zk_item_done(&w->item);
    buf_reset(&w->body);
    w->dest.base = w->dest.root;
    look(w, "/x/y/z/a", &plain, NULL);
    assert_int_equal(calls(w, MAX), 1);
}

static void a_parent_that_would_shut_us_out_is_made_with_our_entry(void **state)
{
    struct world *w = *state;
    struct znode want = plain;
    want.acl = reader;
    look(w, "/x/y/z/a", &want, NULL);
    calls(w, MAX);
    assert_int_equal(w->calls[0].n_acl, 1); /* a leaf */
    zk_item_done(&w->item);
    buf_reset(&w->body);
    want.stat.num_children = 1;
    look(w, "/x/y/z/a", &want, NULL);
    calls(w, MAX);
    assert_int_equal(w->calls[0].n_acl, 2);
    assert_int_equal(w->calls[0].acl[0].perms, ZNODE_READ);
    assert_true(slice_eq(w->calls[0].acl[1].id, w->dest.me.digest));
}

static void a_write_names_the_version_that_was_seen(void **state)
{
    struct world *w = *state;
    const struct zk_result there = {.data = SLICE("old"),
                                    .stat = {.czxid = 7, .version = 3, .aversion = 4}};
    w->dest.acl = false;
    look(w, "/x/y/z/a", &plain, &there);
    assert_int_equal(calls(w, MAX), 1);
    assert_int_equal(w->calls[0].op, ZK_SET_DATA);
    assert_int_equal(w->calls[0].version, 3);
    assert_false(zk_item_is_alone(&w->item));
}

static void an_acl_is_set_in_a_request_of_its_own(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct zk_result there = {.data = SLICE("1"), .stat = {.czxid = 7, .aversion = 4}};
    const struct zk_result acl = {.acl = reader, .n_acl = 1, .stat = {.czxid = 7, .aversion = 5}};
    look(w, "/x/y/z/a", &plain, &there);
    assert_int_equal(w->item.wants, ZK_WANTS_ACL);
    assert_int_equal(zk_item_saw_acl(&w->item, &w->dest, &acl, &e), RC_OK);
    assert_int_equal(calls(w, MAX), 1);
    assert_int_equal(w->calls[0].op, ZK_SET_ACL);
    assert_int_equal(w->calls[0].version, 5);
    assert_true(zk_item_is_alone(&w->item));
}

static void a_sequence_is_raised_in_pairs_as_many_as_fit(void **state)
{
    struct world *w = *state;
    struct znode want = plain;
    want.stat.cversion = 2 * 20;
    const struct zk_result there = {.data = SLICE("1"), .stat = {.czxid = 7}};
    w->dest.acl = false;
    look(w, "/x/y/z/a", &want, &there);
    assert_true(zk_item_is_alone(&w->item));
    assert_int_equal(calls(w, 11), 10);
    assert_int_equal(calls(w, MAX), 40);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(w->calls[i].op, i % 2 ? ZK_DELETE : ZK_CREATE);
        assert_true(slice_eq(znode_parent(w->calls[i].path), SLICE("/x/y/z/a")));
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(root_comes_with_its_missing_ancestors),
        T(a_parent_that_would_shut_us_out_is_made_with_our_entry),
        T(a_write_names_the_version_that_was_seen),
        T(an_acl_is_set_in_a_request_of_its_own),
        T(a_sequence_is_raised_in_pairs_as_many_as_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

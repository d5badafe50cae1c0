/* flow/tree_listing: the last listing of a tree, be it by way of a node above. */
#include "tests/unit/flow/flow_test.h"

#include "flow/tree_listing.h"

static rlog_off note(struct ft_log *w, enum event_op op, const char *key, const char *body)
{
    rlog_off first = 0;
    struct err e = ERR_INIT;
    const struct event ev = {.op = op,
                             .cause = CAUSE_SELF,
                             .source_kind = SOURCE_ZOOKEEPER,
                             .key = slice_str(key),
                             .body = slice_str(body)};
    assert_ok(rlog_append(w->log, &ev, 1, RLOG_ANY, &first, &e));
    return first;
}

static void assert_last(struct ft_log *w, const char *root, rlog_off offset)
{
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err e = ERR_INIT;
    enum rc rc = tree_last_listing(w->log, slice_str(root), &found, &e);
    assert_int_equal(rc, offset ? RC_OK : RC_NOTFOUND);
    if (offset)
        assert_int_equal(found.event.offset, offset);
}

static void a_tree_is_listed_with_those_above_it(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    assert_last(&w, "/a/b", 0);
    rlog_off own = note(&w, EVENT_SYNC_END, "@sync//a/b", "");
    note(&w, EVENT_SYNC_END, "@sync//ab", "");
    assert_last(&w, "/a/b", own);
    rlog_off above = note(&w, EVENT_SYNC_BEGIN, "@sync//a", "");
    assert_last(&w, "/a/b", above);
    assert_last(&w, "/a/b/c", above);
    assert_last(&w, "/", 0);
    rlog_off top = note(&w, EVENT_SYNC_END, "@sync//", "");
    assert_last(&w, "/a/b", top);
    own = note(&w, EVENT_SYNC_END, "@sync//a/b", "");
    assert_last(&w, "/a/b", own);
    ft_log_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_listed_with_those_above_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Scans of an ensemble: every node below root, once the walk is complete, and whether it is as its record says. */
#include "tests/unit/sinks/zk_test_world.h"

#include "core/event_iter.h"

static int begin(void **state)
{
    struct zt_world *w = zt_new("/a");
    fake_zk_create(w->src, "/a", "root");
    fake_zk_create(w->dst, "/a", "root");
    zt_open(w);
    *state = w;
    return 0;
}

static int done(void **state)
{
    zt_free(*state);
    return 0;
}

static struct event_iter *scan(struct zt_world *w, const char *root)
{
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(sink_scan(w->sink, slice_str(root), SLICE_NULL, &it, &e), RC_OK);
    return it;
}

/* The next event; NULL at the end. */
static const struct event *next(struct zt_world *w, struct event_iter *it)
{
    const struct event *ev = NULL;
    struct err e = ERR_INIT;
    for (unsigned i = 0; i < ZT_STEPS; i++) {
        enum rc rc = event_iter_next(it, &ev, &e);
        if (rc == RC_END)
            return NULL;
        if (rc == RC_OK)
            return ev;
        assert_int_equal(rc, RC_AGAIN);
        (void)zt_step(w);
        while (zt_take(w))
            ;
    }
    fail_msg("the scan does not end");
    return NULL;
}

static void all_below_root_is_found(void **state)
{
    struct zt_world *w = *state;
    static const char *const found[] = {"/a", "/a/b", "/a/c", "/a/b/d"};
    fake_zk_put(w->dst, "/a/b/d", "1");
    fake_zk_put(w->dst, "/a/c", "1");
    fake_zk_put(w->dst, "/ab", "1");
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    for (size_t i = 0; i < 4; i++) {
        struct znode n;
        AUTO(buf_done) struct buf version = BUF_INIT(128), uid = BUF_INIT(128);
        const struct event *ev = next(w, it);
        assert_non_null(ev);
        assert_true(slice_eq(ev->key, slice_str(found[i])));
        assert_true(fake_zk_get(w->dst, ev->key, &n));
        znode_print_version(&n, &version);
        znode_print_uid(&n, &uid);
        buf_addf(&uid, "-%llx", (unsigned long long)n.stat.ctime);
        assert_true(slice_eq(ev->version, buf_slice(&version)));
        assert_true(slice_eq(ev->uid, buf_slice(&uid)));
        assert_int_equal(ev->body.n, 0);
    }
    assert_null(next(w, it));
    assert_null(next(w, it));
}

static void a_root_that_is_not_there_has_nothing(void **state)
{
    struct zt_world *w = *state;
    zt_close(w);
    w->opts.root = SLICE("/other");
    w->opts.create_root = true;
    zt_open(w);
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/other");
    assert_null(next(w, it));
}

static void a_scope_that_is_no_node_is_refused(void **state)
{
    struct zt_world *w = *state;
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(sink_scan(w->sink, SLICE("apps/deployments"), SLICE_NULL, &it, &e),
                     RC_INVALID);
    assert_int_equal(sink_scan(w->sink, SLICE("/ab"), SLICE_NULL, &it, &e), RC_INVALID);
}

static void items_and_a_scan_go_side_by_side(void **state)
{
    struct zt_world *w = *state;
    for (int i = 0; i < 200; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/n%d", i);
        fake_zk_create(w->src, path, "1");
    }
    zt_send_all(w);
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    while (next(w, it))
        ;
    zt_run(w);
    zt_assert_equal(w, "/a");
}

static void a_lost_connection_begins_the_walk_anew(void **state)
{
    struct zt_world *w = *state;
    size_t n = 0;
    for (int i = 0; i < 300; i++) {
        char path[32];
        snprintf(path, sizeof path, "/a/n%d", i);
        fake_zk_create(w->dst, path, "1");
    }
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    for (int i = 0; i < 5; i++)
        assert_non_null(next(w, it));
    fake_zk_lose(w->dst);
    while (next(w, it))
        n++;
    assert_true(n >= 301);
}

static void plan_garbage(struct zt_world *w, unsigned times)
{
    fake_zk_plan(w->dst, &(struct fake_zk_rule){
                             .fault = FAKE_ZK_GARBAGE, .op = ZK_MULTI_READ, .times = times});
}

static void answers_that_cannot_be_read_are_asked_for_in_smaller_parts(void **state)
{
    struct zt_world *w = *state;
    size_t n = 0;
    fake_zk_put(w->dst, "/a/b/c", "1");
    plan_garbage(w, 5);
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    while (next(w, it))
        n++;
    assert_int_equal(n, 3);
}

static void an_answer_about_one_node_that_cannot_be_read_ends_the_scan(void **state)
{
    struct zt_world *w = *state;
    const struct event *ev;
    struct err e = ERR_INIT;
    enum rc rc = RC_AGAIN;
    plan_garbage(w, 100);
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    for (unsigned i = 0; rc == RC_AGAIN && i < ZT_STEPS; i++) {
        rc = event_iter_next(it, &ev, &e);
        (void)zt_step(w);
    }
    assert_int_equal(rc, RC_CORRUPT);
    assert_int_equal(fake_zk_struck(w->dst, FAKE_ZK_GARBAGE), 6); /* of 60, 30, 15, 7, 3, 1 */
}

/* What a scan found of a path. */
static bool recognised(struct zt_world *w, const char *path)
{
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    const struct event *ev;
    bool same = sink_recognises(w->sink, zt_kept(w->records, path), NULL);
    while ((ev = next(w, it)))
        if (slice_eq(ev->key, slice_str(path)))
            same = sink_recognises(w->sink, zt_kept(w->records, path), ev);
    return same;
}

static void what_is_as_it_was_left_is_recognised(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    zt_send_all(w);
    zt_run(w);
    assert_true(recognised(w, "/a/b"));
    fake_zk_create(w->dst, "/a/b/more", "1"); /* raises the sequence, which is no matter */
    assert_true(recognised(w, "/a/b"));
    fake_zk_set(w->dst, "/a/b/c", "1");
    assert_false(recognised(w, "/a/b/c"));
    zt_do(w, "/a/b/c");
    assert_true(recognised(w, "/a/b/c"));
    fake_zk_set_acl(w->dst, "/a/b/c", "world:anyone:r");
    assert_false(recognised(w, "/a/b/c"));
    fake_zk_delete(w->dst, "/a/b/c");
    assert_false(recognised(w, "/a/b/c"));
    fake_zk_create(w->dst, "/a/b/c", "1");
    assert_false(recognised(w, "/a/b/c"));
}

static void what_differs_in_one_number_is_not_recognised(void **state)
{
    const struct zk_record r = {
        .czxid = 0x1f, .ctime = 0x3, .mzxid = 0x20, .aversion = 1, .sequence = 5};
    struct zt_world *w = *state;
    AUTO(buf_done) struct buf bytes = BUF_INIT(ZK_RECORD_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(zk_record_encode(&r, &bytes, &e), RC_OK);
    static const struct {
        const char *uid, *version;
        bool same;
    } cases[] = {{"1f-3", "20-1-5", true},  {"1f-3", "20-1-6", true},  {"1f-3", "20-1-4", false},
                 {"1f-3", "20-2-5", false}, {"1f-3", "21-1-5", false}, {"1f-3", "20-x-5", false},
                 {"1f-3", "20-1-", false},  {"1f-3", "", false},       {"1e-3", "20-1-5", false},
                 {"1f-4", "20-1-5", false}, {"1f", "20-1-5", false},   {"", "20-1-5", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct event found = {.key = SLICE("/a"),
                                    .uid = slice_str(cases[i].uid),
                                    .version = slice_str(cases[i].version)};
        assert_int_equal(sink_recognises(w->sink, buf_slice(&bytes), &found), cases[i].same);
    }
}

static void an_iterator_outlives_its_sink(void **state)
{
    struct zt_world *w = *state;
    const struct event *ev;
    struct err e = ERR_INIT;
    AUTO(event_iter_freep) struct event_iter *it = scan(w, "/a");
    assert_non_null(next(w, it));
    zt_close(w);
    assert_int_equal(event_iter_next(it, &ev, &e), RC_UNAVAILABLE);
    zt_open(w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_below_root_is_found),
        T(a_root_that_is_not_there_has_nothing),
        T(a_scope_that_is_no_node_is_refused),
        T(items_and_a_scan_go_side_by_side),
        T(a_lost_connection_begins_the_walk_anew),
        T(answers_that_cannot_be_read_are_asked_for_in_smaller_parts),
        T(an_answer_about_one_node_that_cannot_be_read_ends_the_scan),
        T(what_is_as_it_was_left_is_recognised),
        T(what_differs_in_one_number_is_not_recognised),
        T(an_iterator_outlives_its_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

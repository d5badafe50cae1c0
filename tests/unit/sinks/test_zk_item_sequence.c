/* Sequential numbers: after a copy the next one is the source's, whatever was deleted, ephemeral or left out there. */
#include "tests/unit/sinks/zk_test_world.h"

#include "core/diag.h"

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

static int64_t sequence_of(struct fake_zk *z, const char *path)
{
    struct znode n;
    assert_true(fake_zk_get(z, slice_str(path), &n));
    return znode_sequence(&n.stat);
}

/* A queue that has given out `made` numbers, of which the last `left` are there yet. */
static void make_queue(struct zt_world *w, const char *path, unsigned made, unsigned left)
{
    char prefix[64], name[64];
    fake_zk_create(w->src, path, "q");
    snprintf(prefix, sizeof prefix, "%s/n-", path);
    for (unsigned i = 0; i < made; i++) {
        struct slice child;
        assert_int_equal(fake_zk_create_sequential(w->src, prefix, "x", &child), ZK_OK);
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(child));
        if (i + left < made)
            fake_zk_delete(w->src, name);
    }
}

static void a_queue_goes_on_where_the_source_was(void **state)
{
    struct zt_world *w = *state;
    make_queue(w, "/a/q", 10, 3);
    zt_send_all(w);
    zt_run(w);
    zt_assert_equal(w, "/a");
    struct slice next;
    assert_int_equal(fake_zk_create_sequential(w->dst, "/a/q/n-", "x", &next), ZK_OK);
    assert_string_equal(next.p, "/a/q/n-0000000010");
}

static void children_that_come_raise_it_by_themselves(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    fake_zk_create(w->src, "/a/b/d", "1");
    int64_t before = w->clock.boot_ns;
    zt_send_all(w);
    zt_run(w);
    zt_assert_equal(w, "/a");
    assert_int_equal(fake_zk_asked(w->dst, ZK_DELETE), 0);
    assert_true(w->clock.boot_ns - before < NS_PER_S); /* its children are counted as they come */
}

static void an_ephemeral_child_never_comes(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    fake_zk_create_ephemeral(w->src, "/a/b/e", "1");
    struct zt_job *early = zt_send(w, "/a/b");
    zt_run(w);
    zt_assert_result(&early->result, SINK_WAITING, "sequence-last");
    assert_int_equal(sequence_of(w->dst, "/a/b"), 0);
    w->settled = SETTLED_ALL;
    struct zt_job *b = zt_send(w, "/a/b");
    zt_send(w, "/a/b/c");
    zt_run(w);
    zt_assert_result(&b->result, SINK_DONE, "");
    assert_int_equal(sequence_of(w->dst, "/a/b"), 2);
}

/* What is seen as it happens comes behind its children, so nothing is waited for. */
static void a_seen_change_is_aligned_at_once(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_create_ephemeral(w->src, "/a/b/e", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    w->settled = SETTLED_BEFORE;
    int64_t before = w->clock.boot_ns;
    zt_send(w, "/a/b/c");
    zt_send(w, "/a/b");
    zt_run(w);
    assert_int_equal(sequence_of(w->dst, "/a/b"), 2);
    assert_true(w->clock.boot_ns - before < NS_PER_S);
}

/* A node that is new, or gets other data, may have been told before its children. */
static void a_node_that_is_written_waits_for_what_was_told_later(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_create(w->src, "/a/b/c", "1");
    fake_zk_delete(w->src, "/a/b/c");
    fake_zk_create(w->src, "/a/b/d", "1");
    fake_zk_set(w->src, "/a/b", "2");
    w->settled = SETTLED_BEFORE;
    struct zt_job *b = zt_send(w, "/a/b");
    zt_run(w);
    zt_assert_result(&b->result, SINK_WAITING, "sequence-last");
    assert_int_equal(sequence_of(w->dst, "/a/b"), 1); /* what no child that is there makes up for */
    zt_do(w, "/a/b/d");
    zt_assert_equal(w, "/a");
}

static void children_that_are_late_are_not_counted_twice(void **state)
{
    struct zt_world *w = *state;
    make_queue(w, "/a/q", 9, 2);
    struct zt_job *q = zt_send(w, "/a/q");
    zt_steps(w, 10);
    assert_false(q->done);
    assert_int_equal(sequence_of(w->dst, "/a/q"), 7);
    zt_send(w, "/a/q/n-0000000007");
    zt_send(w, "/a/q/n-0000000008");
    zt_run(w);
    zt_assert_equal(w, "/a");
}

static void a_long_way_goes_in_requests_that_the_server_takes(void **state)
{
    struct zt_world *w = *state;
    struct zt_job *j;
    fake_zk_create(w->src, "/a/b", "1");
    struct znode n;
    assert_true(fake_zk_get(w->src, SLICE("/a/b"), &n));
    n.stat.cversion = 2 * 5000;
    j = zt_job(w, SINK_PUT, "/a/b");
    znode_print(&n, &j->body);
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_DONE, "");
    assert_int_equal(sequence_of(w->dst, "/a/b"), 5000);
    n.stat.cversion = INT32_MAX;
    j = zt_job(w, SINK_PUT, "/a/b");
    znode_print(&n, &j->body);
    zt_submit(w, j);
    zt_run(w);
    zt_assert_result(&j->result, SINK_HELD, "sequence-gap");
}

static void count_line(void *arg, const char *line, size_t n)
{
    (void)n;
    *(int *)arg += strstr(line, "next sequential number is higher") != NULL;
}

static void a_destination_that_is_ahead_is_said_once(void **state)
{
    struct zt_world *w = *state;
    int said = 0;
    AUTO(diag_freep)
    struct diag *d = diag_new(&w->clock.clock, DIAG_TEXT, DIAG_WARN, count_line, &said);
    zt_close(w);
    w->env.diag = d;
    zt_open(w);
    fake_zk_create(w->src, "/a/b", "1");
    zt_do(w, "/a/b");
    fake_zk_create(w->dst, "/a/b/x", "1");
    fake_zk_delete(w->dst, "/a/b/x");
    for (int i = 0; i < 3; i++) {
        fake_zk_set(w->src, "/a/b", "2");
        fake_clock_advance(&w->clock, 60 * NS_PER_S);
        zt_assert_result(zt_do(w, "/a/b"), SINK_DONE, "");
    }
    assert_int_equal(said, 1);
    assert_int_equal(sequence_of(w->dst, "/a/b"), 1);
    zt_close(w);
}

static void a_node_whose_children_never_come_waits_no_longer_than_it_must(void **state)
{
    struct zt_world *w = *state;
    make_queue(w, "/a/q", 3, 3);
    struct zt_job *q = zt_send(w, "/a/q");
    for (int i = 0; i < 40 && !q->done; i++) { /* others are made all the time */
        char path[64];
        snprintf(path, sizeof path, "/a/other%d", i);
        fake_zk_create(w->src, path, "1");
        struct zt_job *j = zt_send(w, path);
        while (!j->done && !q->done)
            zt_steps(w, 1);
        fake_clock_advance(&w->clock, NS_PER_S);
    }
    zt_run(w);
    zt_assert_result(&q->result, SINK_WAITING, "sequence-last");
    assert_true(q->result.record_changed);
}

/* b is raised by one, for of three that were made two are to come; but one of them comes first. After a lost connection
 * each goes in a request of its own, so that b's is queued when the child's is answered. */
static void a_raise_that_is_queued_is_none_when_a_child_made_up_for_it(void **state)
{
    struct zt_world *w = *state;
    for (unsigned lost_at = 1; lost_at < 12; lost_at++) {
        fake_zk_put(w->src, "/a/b", "1");
        fake_zk_put(w->src, "/a/b/d", "1");
        zt_send_all(w);
        zt_run(w);
        for (int i = 0; i < 2; i++) {
            fake_zk_create(w->src, "/a/b/c", "1");
            fake_zk_delete(w->src, "/a/b/c");
        }
        fake_zk_create(w->src, "/a/b/e", "1");
        fake_zk_put(w->src, "/a/x", lost_at % 2 ? "1" : "2");
        w->settled = SETTLED_BEFORE;
        zt_send(w, "/a/b/e");
        zt_send(w, "/a/x");
        zt_send(w, "/a/b");
        zt_steps(w, lost_at);
        fake_zk_lose(w->dst);
        zt_run(w);
        zt_assert_equal(w, "/a");
        fake_zk_delete(w->src, "/a/b/e");
        zt_send(w, "/a/b/e");
        zt_run(w);
    }
}

/* What was deleted and what was made since are told in any order: b has one child on both sides, but not the same. */
static void a_child_that_is_to_come_for_one_that_is_to_go_is_not_made_up_for(void **state)
{
    struct zt_world *w = *state;
    fake_zk_create(w->src, "/a/b", "1");
    fake_zk_create(w->src, "/a/b/c", "1");
    zt_send_all(w);
    zt_run(w);
    fake_zk_delete(w->src, "/a/b/c");
    fake_zk_create(w->src, "/a/b/d", "1");
    struct zt_job *b = zt_send(w, "/a/b");
    zt_steps(w, 10);
    assert_false(b->done);
    assert_int_equal(sequence_of(w->dst, "/a/b"), 1);
    zt_send(w, "/a/b/d");
    zt_send(w, "/a/b/c");
    zt_run(w);
    zt_assert_equal(w, "/a");
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_queue_goes_on_where_the_source_was),
        T(children_that_come_raise_it_by_themselves),
        T(an_ephemeral_child_never_comes),
        T(a_seen_change_is_aligned_at_once),
        T(a_node_that_is_written_waits_for_what_was_told_later),
        T(children_that_are_late_are_not_counted_twice),
        T(a_long_way_goes_in_requests_that_the_server_takes),
        T(a_destination_that_is_ahead_is_said_once),
        T(a_raise_that_is_queued_is_none_when_a_child_made_up_for_it),
        T(a_child_that_is_to_come_for_one_that_is_to_go_is_not_made_up_for),
        T(a_node_whose_children_never_come_waits_no_longer_than_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

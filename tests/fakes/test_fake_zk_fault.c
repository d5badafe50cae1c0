/* The modelled ZooKeeper ensemble: connections that are lost, restored trees, faults, and what is counted. */
#include "tests/fakes/fake_zk.h"

#include "core/buf.h"
#include "tests/fakes/test_fake_zk_client.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* ---- Connections ---- */

static void a_lost_connection_answers_all_as_lost_and_replays_nothing(void **state)
{
    struct zk_test *t = *state;
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    struct zk_call c = zk_test_call(ZK_CREATE, "/a"), d = zk_test_call(ZK_CREATE, "/b");
    zk_test_send(t, &c);
    fake_zk_run(t->w); /* executed, and its answer under way */
    zk_test_send(t, &d);
    fake_zk_lose(t->w);
    fake_zk_create(t->w, "/c", NULL);
    assert_int_equal(zk_call(t->z, &c, 9, NULL), RC_AGAIN);
    zk_test_lost_answer(t->z, t->tag - 1);
    zk_test_lost_answer(t->z, t->tag);
    zk_test_lost(t->z);
    assert_int_equal(zk_call(t->z, &c, 9, NULL), RC_AGAIN);
    struct zk_event ev = zk_test_take(t->z);
    assert_int_equal(ev.kind, ZK_CONNECTED);
    assert_int_equal(ev.zxid, fake_zk_zxid(t->w));
    fake_zk_create(t->w, "/d", NULL);
    zk_test_nothing(t->z);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/a").error, ZK_OK);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/b").error, ZK_NO_NODE);
}

static void an_ensemble_that_is_down_refuses_until_it_is_up(void **state)
{
    struct zk_test *t = *state;
    struct zk *late;
    fake_zk_set_down(t->w, true);
    zk_test_lost(t->z);
    zk_test_lost(t->z); /* refused, now */
    zk_test_nothing(t->z);
    fake_zk_connect(t->w, NULL, &late);
    assert_int_equal(fake_zk_wake(t->w), 0);
    zk_test_lost(late);
    zk_test_nothing(late);
    assert_int_equal(fake_zk_wake(t->w), INT64_MAX);
    fake_zk_set_down(t->w, false);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
    assert_int_equal(zk_test_take(late).kind, ZK_CONNECTED);
    zk_close(late);
    fake_zk_refuse(t->w, NS_PER_S);
    zk_test_lost(t->z);
    zk_test_lost(t->z);
    zk_test_nothing(t->z);
    assert_int_equal(fake_zk_wake(t->w), clock_boot_ns(&t->clock.clock) + NS_PER_S);
    fake_clock_advance(&t->clock, NS_PER_S);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
}

static void slow_answers_come_when_the_clock_has_passed(void **state)
{
    struct zk_test *t = *state;
    fake_zk_set_delay(t->w, NS_PER_S);
    struct zk_call c = zk_test_call(ZK_CREATE, "/a"), d = zk_test_call(ZK_CREATE, "/b");
    zk_test_send(t, &c);
    zk_test_send(t, &d);
    zk_test_nothing(t->z);
    assert_int_equal(fake_zk_writes(t->w), 2); /* executed, though */
    assert_int_equal(fake_zk_wake(t->w), clock_boot_ns(&t->clock.clock) + NS_PER_S);
    fake_clock_advance(&t->clock, NS_PER_S);
    assert_int_equal(zk_test_take(t->z).tag, t->tag - 1);
    assert_int_equal(zk_test_take(t->z).tag, t->tag);
}

static void a_request_that_is_too_long_loses_the_connection(void **state)
{
    struct zk_test *t = *state;
    AUTO(freep) char *big = calloc(1, ZK_REQUEST_MAX);
    assert_non_null(big);
    struct zk_call c = zk_test_call(ZK_CREATE, "/a");
    struct err e = ERR_INIT;
    c.data = slice_of(big, ZK_REQUEST_MAX);
    assert_int_equal(zk_call(t->z, &c, 1, &e), RC_LIMIT);
    fake_zk_set_request_max(t->w, 1000);
    c.data = slice_of(big, 1000);
    zk_test_send(t, &c);
    zk_test_lost_answer(t->z, t->tag);
    zk_test_lost(t->z);
    assert_int_equal(fake_zk_writes(t->w), 0);
}

static void no_more_than_the_limit_are_open(void **state)
{
    struct zk_test *t = *state;
    struct zk_call c = zk_test_call(ZK_EXISTS, "/");
    for (size_t i = 0; i < ZK_OPEN_MAX; i++)
        zk_test_send(t, &c);
    assert_int_equal(zk_call(t->z, &c, 1, NULL), RC_AGAIN);
    zk_test_take(t->z);
    assert_int_equal(zk_call(t->z, &c, 1, NULL), RC_OK);
}

static void several_sessions_share_one_tree(void **state)
{
    struct zk_test *t = *state;
    struct zk *other;
    fake_zk_connect(t->w, NULL, &other);
    assert_int_equal(zk_test_take(other).kind, ZK_CONNECTED);
    struct zk_call watch = zk_test_call(ZK_ADD_WATCH, "/");
    assert_int_equal(zk_call(other, &watch, 1, NULL), RC_OK);
    assert_int_equal(zk_test_take(other).kind, ZK_ANSWER);
    zk_test_ask(t, ZK_CREATE, "/a");
    zk_test_changed(other, "/a");
    zk_test_nothing(t->z);
    zk_close(other);
}

/* ---- Restoring ---- */

static void a_restored_ensemble_is_back_at_its_zxid(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/b", "old");
    AUTO(buf_done) struct buf before = BUF_INIT(10000), after = BUF_INIT(10000);
    fake_zk_print(t->w, "/", &before);
    int64_t zxid = fake_zk_zxid(t->w);
    size_t saved = fake_zk_save(t->w);
    fake_zk_set(t->w, "/a/b", "new");
    fake_zk_put(t->w, "/c", "new");
    fake_zk_restore(t->w, saved);
    fake_zk_print(t->w, "/", &after);
    assert_string_equal(before.p, after.p);
    assert_int_equal(fake_zk_zxid(t->w), zxid);
    zk_test_lost(t->z);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
    fake_zk_restore(t->w, 0);
    assert_false(fake_zk_get(t->w, SLICE("/a"), &(struct znode){0}));
    assert_true(fake_zk_zxid(t->w) < zxid);
}

static void a_tree_is_printed_without_what_is_the_ensembles_own(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a/zookeeper", "x");
    fake_zk_create(t->w, "/ab", NULL);
    fake_zk_set_acl(t->w, "/ab", "digest:u:h:ra");
    AUTO(buf_done) struct buf all = BUF_INIT(10000), part = BUF_INIT(10000);
    fake_zk_print(t->w, "/", &all);
    assert_string_equal(
        all.p,
        "/ 2 "
        "{\"text\":\"\",\"acl\":[{\"perms\":\"cdrwa\",\"scheme\":\"world\",\"id\":\"anyone\"}]}\n"
        "/a 1 "
        "{\"text\":\"\",\"acl\":[{\"perms\":\"cdrwa\",\"scheme\":\"world\",\"id\":\"anyone\"}]}\n"
        "/a/zookeeper 0 "
        "{\"text\":\"x\",\"acl\":[{\"perms\":\"cdrwa\",\"scheme\":\"world\",\"id\":\"anyone\"}]}\n"
        "/ab 0 {\"acl\":[{\"perms\":\"ra\",\"scheme\":\"digest\",\"id\":\"u:h\"}]}\n");
    fake_zk_print(t->w, "/a/zookeeper", &part);
    assert_true(slice_starts(buf_slice(&part), SLICE("/a/zookeeper 0 ")));
    assert_int_equal(fake_zk_delete_tree(t->w, "/a"), ZK_OK);
    assert_int_equal(fake_zk_delete_tree(t->w, "/a"), ZK_NO_NODE);
    assert_false(fake_zk_get(t->w, SLICE("/a/zookeeper"), &(struct znode){0}));
}

/* ---- Faults ---- */

static void a_lost_request_did_nothing_and_a_lost_answer_did_all(void **state)
{
    struct zk_test *t = *state;
    static const enum fake_zk_fault faults[] = {FAKE_ZK_REQUEST_LOST, FAKE_ZK_ANSWER_LOST};
    for (int i = 0; i < 2; i++) {
        fake_zk_plan(t->w, &(struct fake_zk_rule){
                               .fault = faults[i], .op = ZK_CREATE, .path = "/a", .pass = 1});
        struct zk_call first = zk_test_call(ZK_CREATE, i ? "/a3" : "/a1");
        struct zk_call c = zk_test_call(ZK_CREATE, i ? "/a4" : "/a2"),
                       d = zk_test_call(ZK_CREATE, "/b");
        zk_test_send(t, &first);
        zk_test_send(t, &c);
        zk_test_send(t, &d);
        struct zk_event ev = zk_test_take(t->z);
        assert_int_equal(ev.err.rc, RC_OK);
        zk_test_lost_answer(t->z, t->tag - 1);
        zk_test_lost_answer(t->z, t->tag);
        zk_test_lost(t->z);
        assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
        assert_int_equal(fake_zk_struck(t->w, faults[i]), 1);
    }
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/a2").error, ZK_NO_NODE);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/a4").error, ZK_OK);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/b").error, ZK_NO_NODE);
}

static void a_part_of_a_multi_can_be_struck_with_an_error(void **state)
{
    struct zk_test *t = *state;
    fake_zk_plan(t->w, &(struct fake_zk_rule){.fault = FAKE_ZK_ERROR,
                                              .op = ZK_CREATE,
                                              .path = "/poison",
                                              .error = ZK_QUOTA_EXCEEDED,
                                              .times = 2});
    struct zk_call part = zk_test_call(ZK_CREATE, "/poison");
    struct zk_call c = {.op = ZK_MULTI, .parts = &part, .n_parts = 1};
    assert_int_equal(zk_test_ask_call(t, &c).error, ZK_QUOTA_EXCEEDED);
    assert_int_equal(zk_test_ask_call(t, &part).error, ZK_QUOTA_EXCEEDED);
    assert_int_equal(zk_test_ask_call(t, &part).error, ZK_OK);
}

static void an_answer_of_garbage_ends_the_connection(void **state)
{
    struct zk_test *t = *state;
    fake_zk_plan(t->w, &(struct fake_zk_rule){.fault = FAKE_ZK_GARBAGE, .op = FAKE_ZK_ANY});
    struct zk_call c = zk_test_call(ZK_GET_DATA, "/");
    zk_test_send(t, &c);
    struct zk_event ev = zk_test_take(t->z);
    assert_int_equal(ev.kind, ZK_ANSWER);
    assert_int_equal(ev.err.rc, RC_CORRUPT);
    zk_test_lost(t->z);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
}

static void a_change_can_be_lost_with_its_connection(void **state)
{
    struct zk_test *t = *state;
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    fake_zk_plan(t->w, &(struct fake_zk_rule){.fault = FAKE_ZK_EVENT_LOST, .path = "/b"});
    fake_zk_create(t->w, "/a", NULL);
    fake_zk_create(t->w, "/b", NULL);
    zk_test_lost(t->z); /* that of /a was under way */
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
    zk_test_ask(t, ZK_ADD_WATCH, "/");
    fake_zk_plan(t->w, &(struct fake_zk_rule){.fault = FAKE_ZK_EVENT_LOST, .path = "/c"});
    struct zk_call c = zk_test_call(ZK_CREATE, "/c"); /* by the watching session itself */
    zk_test_send(t, &c);
    zk_test_lost_answer(t->z, t->tag);
    zk_test_lost(t->z);
    assert_int_equal(zk_test_take(t->z).kind, ZK_CONNECTED);
    assert_int_equal(zk_test_ask(t, ZK_EXISTS, "/c").error, ZK_OK);
}

/* How one seed's faults strike, as text. */
static void strike(uint64_t seed, struct buf *out)
{
    struct fake_clock clock;
    struct zk *z;
    fake_clock_init(&clock, NS_PER_S);
    struct fake_zk *w = fake_zk_new(&clock.clock);
    struct fake_zk_rates rates = {.per_mille = {[FAKE_ZK_REQUEST_LOST] = 50,
                                                [FAKE_ZK_ANSWER_LOST] = 50,
                                                [FAKE_ZK_GARBAGE] = 20,
                                                [FAKE_ZK_EVENT_LOST] = 50}};
    fake_zk_faults(w, seed, &rates);
    fake_zk_connect(w, NULL, &z);
    struct zk_call watch = zk_test_call(ZK_ADD_WATCH, "/"), create = zk_test_call(ZK_CREATE, "/a"),
                   delete = zk_test_call(ZK_DELETE, "/a");
    for (uint64_t i = 0; i < 1000; i++) {
        const struct zk_call *c = i % 3 == 0 ? &watch : i % 3 == 1 ? &create : &delete;
        struct zk_event ev;
        bool sent = zk_call(z, c, i, NULL) == RC_OK;
        while (zk_take(z, &ev, NULL) == RC_OK)
            buf_addf(out, "%d%d ", ev.kind, ev.err.rc);
        buf_add_str(out, sent ? "\n" : "-\n");
    }
    for (int i = FAKE_ZK_REQUEST_LOST; i < FAKE_ZK_FAULTS; i++)
        assert_true(i == FAKE_ZK_ERROR || fake_zk_struck(w, (enum fake_zk_fault)i) > 0);
    zk_close(z);
    fake_zk_free(w);
}

static void a_seed_gives_the_same_faults_each_time(void **state)
{
    (void)state;
    AUTO(buf_done)
    struct buf once = BUF_INIT(1u << 20), again = BUF_INIT(1u << 20), other = BUF_INIT(1u << 20);
    strike(1, &once);
    strike(1, &again);
    strike(2, &other);
    assert_string_equal(once.p, again.p);
    assert_string_not_equal(once.p, other.p);
}

/* ---- Counts ---- */

static void only_what_sessions_did_is_counted(void **state)
{
    struct zk_test *t = *state;
    fake_zk_put(t->w, "/a", "x");
    assert_int_equal(fake_zk_asked(t->w, FAKE_ZK_ANY), 0);
    zk_test_ask(t, ZK_GET_ACL, "/a");
    zk_test_ask(t, ZK_SET_DATA, "/a");
    zk_test_ask(t, ZK_CREATE, "/a"); /* fails: asked, but no write */
    struct zk_call part = zk_test_call(ZK_GET_DATA, "/a");
    struct zk_call c = {.op = ZK_MULTI_READ, .parts = &part, .n_parts = 1};
    zk_test_ask_call(t, &c);
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_ACL), 1);
    assert_int_equal(fake_zk_asked(t->w, ZK_CREATE), 1);
    assert_int_equal(fake_zk_asked(t->w, ZK_GET_DATA), 1);
    assert_int_equal(fake_zk_asked(t->w, ZK_MULTI_READ), 1);
    assert_int_equal(fake_zk_writes(t->w), 1);
    assert_int_equal(fake_zk_write_at(t->w, 0).op, ZK_SET_DATA);
    assert_true(slice_eq(fake_zk_write_at(t->w, 0).path, SLICE("/a")));
    fake_zk_forget(t->w);
    assert_int_equal(fake_zk_writes(t->w), 0);
    assert_int_equal(fake_zk_asked(t->w, FAKE_ZK_ANY), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, zk_test_setup, zk_test_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lost_connection_answers_all_as_lost_and_replays_nothing),
        TEST(an_ensemble_that_is_down_refuses_until_it_is_up),
        TEST(slow_answers_come_when_the_clock_has_passed),
        TEST(a_request_that_is_too_long_loses_the_connection),
        TEST(no_more_than_the_limit_are_open),
        TEST(several_sessions_share_one_tree),
        TEST(a_restored_ensemble_is_back_at_its_zxid),
        TEST(a_tree_is_printed_without_what_is_the_ensembles_own),
        TEST(a_lost_request_did_nothing_and_a_lost_answer_did_all),
        TEST(a_part_of_a_multi_can_be_struck_with_an_error),
        TEST(an_answer_of_garbage_ends_the_connection),
        TEST(a_change_can_be_lost_with_its_connection),
        cmocka_unit_test(a_seed_gives_the_same_faults_each_time),
        TEST(only_what_sessions_did_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* io/zk_wire: sessions over a socket, what ends them, and when the next one begins. The clock is the test's: back-off
 * passes only when told. */
#include "io/zk.h"

#include "core/env.h"
#include "core/rng.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/io/zk_world.h"

#include <sys/socket.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define LOOPS   4000 /* of at most 5 ms each: only reached when a test fails */
#define LOOP_NS (5 * NS_PER_MS)

struct world {
    struct zk_world server;
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct zk *zk;
    struct err err;
};

static struct zk *open_to(struct world *w, const char *const *servers, size_t n)
{
    struct zk *z = NULL;
    const struct zk_target t = {
        .servers = servers, .n_servers = n, .user = "bob", .password = "s3cret"};
    if (zk_wire_open(&t, &w->env, &z, &w->err) != RC_OK)
        fail_msg("%s", w->err.msg);
    return z;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    zk_world_start(&w->server);
    fake_clock_init(&w->clock, 0);
    rng_seeded_init(&w->rng, 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->zk = open_to(w, (const char *const[]){w->server.server}, 1);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    zk_close(w->zk);
    zk_world_stop(&w->server);
    free(w);
    return 0;
}

/* The next event; fails the test when none comes. */
static struct zk_event next(struct world *w, struct zk *z)
{
    struct zk_event ev = {0};
    for (int i = 0; i < LOOPS; i++) {
        enum rc rc = zk_take(z, &ev, &w->err);
        if (rc == RC_OK)
            return ev;
        assert_int_equal(rc, RC_AGAIN);
        assert_int_equal(zk_wait(z, -1, LOOP_NS, &w->err), RC_OK);
    }
    fail_msg("no event came");
    return ev;
}

static struct zk_event expect(struct world *w, enum zk_event_kind kind)
{
    struct zk_event ev = next(w, w->zk);
    if (ev.kind != kind)
        fail_msg("event %d came: %s", (int)ev.kind, ev.err.msg);
    return ev;
}

/* Until the server's counter has that value. */
static void reach(atomic_int *counter, int value)
{
    for (int i = 0; i < LOOPS && atomic_load(counter) < value; i++)
        usleep(LOOP_NS / 1000);
    assert_int_equal(atomic_load(counter), value);
}

static void get(struct world *w, const char *path, uint64_t tag)
{
    const struct zk_call c = {.op = ZK_GET_DATA, .path = slice_str(path)};
    assert_int_equal(zk_call(w->zk, &c, tag, &w->err), RC_OK);
}

static void expect_text(const struct err *e, const char *text)
{
    if (!strstr(e->msg, text))
        fail_msg("not in \"%s\": %s", e->msg, text);
    assert_null(strstr(e->msg, "s3cret"));
}

static void a_session_connects_and_answers(void **state)
{
    struct world *w = *state;
    const struct zk_call c = {.op = ZK_GET_DATA, .path = SLICE("/early")};
    assert_int_equal(zk_call(w->zk, &c, 1, &w->err), RC_AGAIN);
    assert_int_equal(expect(w, ZK_CONNECTED).zxid, 99);
    get(w, "/a", 7);
    get(w, "/b", 8);
    struct zk_event ev = expect(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 7);
    assert_true(slice_eq(ev.result->data, SLICE("/a")));
    ev = expect(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 8);
    assert_true(slice_eq(ev.result->data, SLICE("/b")));
}

static void closing_ends_the_session_at_the_server(void **state)
{
    struct world *w = *state;
    expect(w, ZK_CONNECTED);
    zk_close(steal(&w->zk));
    reach(&w->server.closed, 1);
    assert_int_equal(atomic_load(&w->server.left), 1);
}

static void a_lost_connection_answers_what_was_open_and_is_followed_by_a_new_session(void **state)
{
    struct world *w = *state;
    expect(w, ZK_CONNECTED);
    get(w, "/silent", 1);
    get(w, "/close", 2);
    get(w, "/a", 3);
    for (uint64_t tag = 1; tag <= 3; tag++) {
        struct zk_event ev = expect(w, ZK_ANSWER);
        assert_int_equal(ev.tag, tag);
        assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    }
    struct zk_event lost = expect(w, ZK_LOST);
    assert_int_equal(lost.err.rc, RC_UNAVAILABLE);
    expect_text(&lost.err, w->server.server);
    assert_int_equal(zk_take(w->zk, &lost, &w->err), RC_AGAIN); /* the back-off */
    fake_clock_advance(&w->clock, NS_PER_S);
    expect(w, ZK_CONNECTED);
    assert_int_equal(atomic_load(&w->server.sessions), 2);
}

static void garbage_gives_the_session_up(void **state)
{
    struct world *w = *state;
    expect(w, ZK_CONNECTED);
    get(w, "/garbage", 1);
    assert_int_equal(expect(w, ZK_ANSWER).err.rc, RC_CORRUPT);
    struct zk_event lost = expect(w, ZK_LOST);
    assert_int_equal(lost.err.rc, RC_CORRUPT);
    expect_text(&lost.err, "speaks another protocol");
    reach(&w->server.closed, 1);
    assert_int_equal(atomic_load(&w->server.left), 1);
}

static void a_server_that_sends_without_end_does_not_keep_the_thread(void **state)
{
    struct world *w = *state;
    struct zk_event ev;
    unsigned takes = 0;
    expect(w, ZK_CONNECTED);
    get(w, "/flood", 1);
    do { /* no socket holds so much that this could end before the flood does */
        assert_int_equal(zk_take(w->zk, &ev, &w->err), RC_AGAIN);
        takes++;
    } while (!atomic_load(&w->server.flooded));
    assert_true(takes > 4);
}

static void a_silent_server_is_left_after_two_thirds_of_the_timeout(void **state)
{
    struct world *w = *state;
    struct zk_event ev;
    expect(w, ZK_CONNECTED);
    atomic_store(&w->server.deaf, true);
    zk_world_wake(&w->server);
    get(w, "/a", 1);
    fake_clock_advance(&w->clock, 5 * NS_PER_S);
    while (zk_take(w->zk, &ev, &w->err) == RC_OK)
        ; /* the server may have read it before it went deaf */
    fake_clock_advance(&w->clock, 10 * NS_PER_S);
    do
        ev = next(w, w->zk);
    while (ev.kind == ZK_ANSWER);
    assert_int_equal(ev.kind, ZK_LOST);
    expect_text(&ev.err, "silent for more than 10 s");
}

static void a_refused_login_is_told_once(void **state)
{
    struct world *w = *state;
    struct zk_event ev;
    atomic_store(&w->server.no_login, true);
    struct zk_event lost = expect(w, ZK_LOST);
    assert_int_equal(lost.err.rc, RC_DENIED);
    expect_text(&lost.err, "check the user and the password");
    for (int round = 2; round < 5; round++) {
        fake_clock_advance(&w->clock, 20 * NS_PER_S);
        for (int i = 0; i < LOOPS && atomic_load(&w->server.closed) < round; i++) {
            assert_int_equal(zk_take(w->zk, &ev, &w->err), RC_AGAIN);
            assert_int_equal(zk_wait(w->zk, -1, LOOP_NS, &w->err), RC_OK);
        }
        assert_int_equal(atomic_load(&w->server.closed), round);
    }
    atomic_store(&w->server.no_login, false);
    fake_clock_advance(&w->clock, 20 * NS_PER_S);
    expect(w, ZK_CONNECTED);
}

static void a_server_that_ends_connections_is_explained(void **state)
{
    struct world *w = *state;
    atomic_store(&w->server.refuses, true);
    struct zk_event lost = expect(w, ZK_LOST);
    assert_int_equal(lost.err.rc, RC_UNAVAILABLE);
    expect_text(&lost.err, "no session");
}

/* A port that nobody listens on any more. */
static void dead_port(char *server, size_t size)
{
    struct zk_world other;
    zk_world_start(&other);
    memcpy(server, other.server, size);
    zk_world_stop(&other);
}

static void a_dead_server_of_two_is_passed_over_without_a_word(void **state)
{
    struct world *w = *state;
    char dead[sizeof w->server.server];
    dead_port(dead, sizeof dead);
    zk_close(steal(&w->zk));
    for (uint64_t seed = 0; seed < 8; seed++) {
        rng_seeded_init(&w->rng, seed);
        w->zk = open_to(w, (const char *const[]){dead, w->server.server}, 2);
        expect(w, ZK_CONNECTED);
        zk_close(steal(&w->zk));
    }
}

static void when_all_are_dead_it_is_said_once_with_a_name(void **state)
{
    struct world *w = *state;
    struct zk_event ev;
    char dead[sizeof w->server.server];
    dead_port(dead, sizeof dead);
    zk_close(steal(&w->zk));
    w->zk = open_to(w, (const char *const[]){dead, dead}, 2);
    struct zk_event lost = expect(w, ZK_LOST);
    expect_text(&lost.err, dead);
    expect_text(&lost.err, "Connection refused");
    for (int i = 0; i < 20; i++) {
        fake_clock_advance(&w->clock, 20 * NS_PER_S);
        assert_int_equal(zk_take(w->zk, &ev, &w->err), RC_AGAIN);
        assert_int_equal(zk_wait(w->zk, -1, 0, &w->err), RC_OK);
    }
}

static void pushing_at_a_server_that_does_not_read_neither_blocks_nor_grows(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *data = calloc(1, 500000);
    const struct zk_call c = {.op = ZK_SET_DATA, .path = SLICE("/a"), .data = {data, 500000}};
    struct zk_event ev;
    uint64_t sent = 0;
    enum rc rc = RC_OK;
    expect(w, ZK_CONNECTED);
    atomic_store(&w->server.deaf, true);
    zk_world_wake(&w->server);
    for (int round = 0; round < 3;
         round++) { /* what the sockets take between the rounds makes room */
        while ((rc = zk_call(w->zk, &c, sent, &w->err)) == RC_OK && sent < ZK_OPEN_MAX)
            sent++;
        assert_int_equal(rc, RC_AGAIN);
        assert_int_equal(zk_take(w->zk, &ev, &w->err), RC_AGAIN);
    }
    assert_true(sent < 200);
    atomic_store(&w->server.deaf, false);
    zk_world_wake(&w->server);
    for (uint64_t tag = 0; tag < sent; tag++)
        assert_int_equal(expect(w, ZK_ANSWER).tag, tag);
}

static void a_target_that_is_wrong_is_refused(void **state)
{
    struct world *w = *state;
    struct zk *z = NULL;
    const struct zk_target t = {.servers = (const char *const[]){"a/b"}, .n_servers = 1};
    assert_int_equal(zk_wire_open(&t, &w->env, &z, &w->err), RC_INVALID);
    assert_null(z);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_connects_and_answers),
        TEST(closing_ends_the_session_at_the_server),
        TEST(a_lost_connection_answers_what_was_open_and_is_followed_by_a_new_session),
        TEST(garbage_gives_the_session_up),
        TEST(a_server_that_sends_without_end_does_not_keep_the_thread),
        TEST(a_silent_server_is_left_after_two_thirds_of_the_timeout),
        TEST(a_refused_login_is_told_once),
        TEST(a_server_that_ends_connections_is_explained),
        TEST(a_dead_server_of_two_is_passed_over_without_a_word),
        TEST(when_all_are_dead_it_is_said_once_with_a_name),
        TEST(pushing_at_a_server_that_does_not_read_neither_blocks_nor_grows),
        TEST(a_target_that_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

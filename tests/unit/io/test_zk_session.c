/* io/zk_session: what it sends, what it takes, and when it gives up; byte by byte, without a socket. */
#include "io/zk_session.h"

#include "core/clock.h"
#include "tests/unit/io/zk_bytes.h"

#include <stdio.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define START NS_PER_S /* when each test begins */

#define CONNECT                                                                                    \
    "0000002d 00000000 0000000000000000 00003a98 0000000000000000"                                 \
    "00000010 00000000000000000000000000000000 00"
#define WELCOME                                                                                    \
    "00000000 00001770 0000000000000011 00000010 00000000000000000000000000000000 00" /* 6 s */
#define PING        "00000008 fffffffe 0000000b"
#define PONG        "fffffffe 0000000000000063 00000000" /* zxid 99 */
#define ANSWER(xid) "000000" xid " 0000000000000064 00000000"

struct world {
    struct zk_session *session;
    struct err err;
};

static int set_up_as(void **state, const char *user, const char *password)
{
    struct world *w = calloc(1, sizeof *w);
    assert_int_equal(zk_session_new(user, password, &w->session, &w->err), RC_OK);
    assert_int_equal(zk_session_begin(w->session, START, &w->err), RC_OK);
    *state = w;
    return 0;
}

static int set_up(void **state)
{
    return set_up_as(state, NULL, NULL);
}

static int set_up_with_login(void **state)
{
    return set_up_as(state, "bob", "pw");
}

static int tear_down(void **state)
{
    struct world *w = *state;
    zk_session_free(w->session);
    free(w);
    return 0;
}

static void feed(struct world *w, struct slice bytes, int64_t now)
{
    char *space;
    size_t room;
    assert_int_equal(zk_session_space(w->session, &space, &room, &w->err), RC_OK);
    assert_true(room >= bytes.n);
    memcpy(space, bytes.p, bytes.n);
    zk_session_received(w->session, bytes.n, now);
}

static void feed_frame(struct world *w, const char *text)
{
    char bytes[ZK_BYTES_MAX];
    feed(w, zk_frame(text, bytes), START);
}

/* All that waits to be sent is this; it is sent. */
static void expect_sent(struct world *w, const char *text)
{
    char bytes[ZK_BYTES_MAX];
    struct slice expected = zk_bytes(text, bytes), s = zk_session_unsent(w->session);
    assert_int_equal(s.n, expected.n);
    if (s.n)
        assert_memory_equal(s.p, expected.p, s.n);
    zk_session_sent(w->session, s.n);
}

static struct zk_event expect_event(struct world *w, enum zk_event_kind kind)
{
    struct zk_event ev = {.kind = 99};
    if (zk_session_next(w->session, &ev, &w->err) != RC_OK)
        fail_msg("no event: %s", w->err.msg);
    assert_int_equal(ev.kind, kind);
    return ev;
}

static void expect_nothing(struct world *w)
{
    struct zk_event ev;
    assert_int_equal(zk_session_next(w->session, &ev, &w->err), RC_AGAIN);
}

static void expect_end(struct world *w, enum rc rc, const char *text)
{
    struct zk_event ev;
    assert_int_equal(zk_session_next(w->session, &ev, &w->err), rc);
    if (!strstr(w->err.msg, text))
        fail_msg("not in \"%s\": %s", w->err.msg, text);
}

static void make_ready(struct world *w)
{
    expect_sent(w, CONNECT);
    feed_frame(w, WELCOME);
    expect_nothing(w);
    expect_sent(w, PING);
    feed_frame(w, PONG);
    assert_int_equal(expect_event(w, ZK_CONNECTED).zxid, 99);
}

static enum rc call(struct world *w, enum zk_op op, uint64_t tag, int64_t now)
{
    return zk_session_call(w->session, &(struct zk_call){.op = op, .path = SLICE("/a")}, tag, now,
                           &w->err);
}

static void a_session_is_ready_when_the_first_ping_tells_the_zxid(void **state)
{
    struct world *w = *state;
    assert_false(zk_session_is_ready(w->session));
    assert_int_equal(call(w, ZK_GET_DATA, 1, START), RC_AGAIN);
    make_ready(w);
    assert_true(zk_session_is_ready(w->session));
    expect_sent(w, "");
}

static void the_login_goes_before_all_else(void **state)
{
    struct world *w = *state;
    expect_sent(w, CONNECT);
    feed_frame(w, WELCOME);
    expect_nothing(w);
    expect_sent(w, "00000020 fffffffc 00000064 00000000 00000006 'digest' 00000006 'bob:pw'" PING);
    feed_frame(w, "fffffffc 0000000000000000 00000000");
    expect_nothing(w);
    feed_frame(w, PONG);
    expect_event(w, ZK_CONNECTED);
}

static void a_refused_login_ends_the_session_and_tells_no_password(void **state)
{
    struct world *w = *state;
    feed_frame(w, WELCOME);
    expect_nothing(w);
    feed_frame(w, "fffffffc 0000000000000000 ffffff8d");
    expect_end(w, RC_DENIED, "authentication failed (-115)");
    assert_null(strstr(w->err.msg, "pw"));
}

static void a_server_that_demands_sasl_is_a_refusal(void **state)
{
    struct world *w = *state;
    feed_frame(w, WELCOME);
    expect_nothing(w);
    feed_frame(w, "fffffffe 0000000000000000 ffffff84");
    expect_end(w, RC_DENIED, "SASL");
}

static void a_refused_session_is_an_end(void **state)
{
    struct world *w = *state;
    feed_frame(w,
               "00000000 00000000 0000000000000000 00000010 00000000000000000000000000000000 00");
    expect_end(w, RC_UNAVAILABLE, "refuses a new session");
}

static void answers_come_to_the_calls_in_their_order(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_GET_DATA, 41, START), RC_OK);
    assert_int_equal(call(w, ZK_DELETE, 42, START), RC_OK);
    expect_sent(w, "0000000f 00000001 00000004 00000002 '/a' 00"
                   "00000012 00000002 00000002 00000002 '/a' 00000000");
    feed_frame(w, ANSWER("01") "00000001 'x'" ZK_STAT);
    feed_frame(w, "00000002 0000000000000065 ffffff9b");
    struct zk_event ev = expect_event(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 41);
    assert_int_equal(ev.zxid, 100);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_true(slice_eq(ev.result->data, SLICE("x")));
    ev = expect_event(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 42);
    assert_int_equal(ev.zxid, 101);
    assert_int_equal(ev.result->error, ZK_NO_NODE);
    expect_nothing(w);
}

static void frames_may_come_in_any_pieces(void **state)
{
    struct world *w = *state;
    char bytes[ZK_BYTES_MAX];
    make_ready(w);
    assert_int_equal(call(w, ZK_GET_DATA, 1, START), RC_OK);
    struct slice s = zk_frame(ANSWER("01") "00000001 'x'" ZK_STAT, bytes);
    for (size_t i = 0; i < s.n; i++) {
        expect_nothing(w);
        feed(w, slice_of(s.p + i, 1), START);
    }
    assert_true(slice_eq(expect_event(w, ZK_ANSWER).result->data, SLICE("x")));
}

static void a_change_is_told_before_the_answer_behind_it(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_SYNC, 1, START), RC_OK);
    feed_frame(w, "ffffffff ffffffffffffffff 00000000 00000003 00000003 00000004 '/a/b'");
    feed_frame(
        w, "ffffffff ffffffffffffffff 00000000 ffffffff 00000003 00000000"); /* of the session */
    feed_frame(w, ANSWER("01") "00000002 '/a'");
    assert_true(slice_eq(expect_event(w, ZK_CHANGED).path, SLICE("/a/b")));
    expect_event(w, ZK_ANSWER);
}

static void an_answer_out_of_turn_is_corrupt(void **state)
{
    struct world *w = *state;
    make_ready(w);
    feed_frame(w, ANSWER("01"));
    expect_end(w, RC_CORRUPT, "request 1 came where none was next");
}

static void an_answer_to_another_call_is_corrupt(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_DELETE, 1, START), RC_OK);
    feed_frame(w, ANSWER("02"));
    expect_end(w, RC_CORRUPT, "request 2 came where that to an older one was next");
}

static void an_answer_that_cannot_be_read_is_told_to_its_call_and_ends_the_session(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_GET_DATA, 5, START), RC_OK);
    feed_frame(w, ANSWER("01") "00000009 'x'");
    struct zk_event ev = expect_event(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 5);
    assert_int_equal(ev.err.rc, RC_CORRUPT);
    assert_null(ev.result);
    assert_int_equal(call(w, ZK_GET_DATA, 6, START), RC_AGAIN);
    expect_end(w, RC_CORRUPT, "the answer to a call");
}

static void a_frame_that_is_too_long_is_corrupt_at_once(void **state)
{
    struct world *w = *state;
    make_ready(w);
    feed(w, SLICE("\x04\x00\x00\x01"), START);
    expect_end(w, RC_CORRUPT, "67108865 bytes was announced, 67108864 are allowed");
}

static void an_answer_that_is_too_long_is_told_to_its_call(void **state)
{
    struct world *w = *state;
    struct zk_event ev;
    make_ready(w);
    assert_int_equal(call(w, ZK_GET_CHILDREN, 5, START), RC_OK);
    assert_int_equal(call(w, ZK_GET_DATA, 6, START), RC_OK);
    feed(w, SLICE("\x04\x00\x00\x01"), START);
    ev = expect_event(w, ZK_ANSWER);
    assert_int_equal(ev.tag, 5);
    assert_int_equal(ev.err.rc, RC_CORRUPT);
    assert_null(ev.result);
    expect_end(w, RC_CORRUPT, "67108865 bytes was announced");
    assert_true(zk_session_drop(w->session, &w->err, &ev));
    assert_int_equal(ev.tag, 6);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_false(zk_session_drop(w->session, &w->err, &ev));
}

static void an_answer_of_the_greatest_length_is_taken(void **state)
{
    struct world *w = *state;
    char bytes[ZK_BYTES_MAX];
    AUTO(freep) char *fill = calloc(1, 128 << 10);
    make_ready(w);
    assert_int_equal(call(w, ZK_GET_DATA, 1, START), RC_OK);
    size_t data = ZK_ANSWER_MAX - 16 - 4 - 68;
    char head[128];
    snprintf(head, sizeof head, "%08x" ANSWER("01") "%08zx", ZK_ANSWER_MAX, data);
    feed(w, zk_bytes(head, bytes), START);
    for (size_t n; data; data -= n) {
        n = data < (128 << 10) ? data : 128 << 10;
        expect_nothing(w);
        feed(w, slice_of(fill, n), START);
    }
    feed(w, zk_bytes(ZK_STAT, bytes), START);
    assert_int_equal(expect_event(w, ZK_ANSWER).result->data.n, ZK_ANSWER_MAX - 16 - 4 - 68);
    expect_nothing(w);
}

static void an_old_server_is_recognised(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_ADD_WATCH, 1, START), RC_OK);
    feed_frame(w, "00000001 0000000000000064 fffffffa");
    assert_int_equal(expect_event(w, ZK_ANSWER).result->error, ZK_UNIMPLEMENTED);
    expect_end(w, RC_UNSUPPORTED, "ZooKeeper 3.6 or newer is needed");
}

static void an_unknown_who_am_i_is_only_an_answer(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(call(w, ZK_WHO_AM_I, 1, START), RC_OK);
    feed_frame(w, "00000001 0000000000000064 fffffffa");
    expect_event(w, ZK_ANSWER);
    expect_nothing(w);
}

static void a_silent_session_pings_at_a_third_and_ends_at_two_thirds(void **state)
{
    struct world *w = *state;
    make_ready(w); /* 6 s */
    assert_int_equal(zk_session_due(w->session), START + 2 * NS_PER_S);
    assert_int_equal(zk_session_tick(w->session, START + 2 * NS_PER_S - 1, &w->err), RC_OK);
    expect_sent(w, "");
    assert_int_equal(zk_session_tick(w->session, START + 2 * NS_PER_S, &w->err), RC_OK);
    expect_sent(w, PING);
    assert_int_equal(zk_session_due(w->session), START + 4 * NS_PER_S);
    assert_int_equal(zk_session_tick(w->session, START + 4 * NS_PER_S - 1, &w->err), RC_OK);
    assert_int_equal(zk_session_tick(w->session, START + 4 * NS_PER_S, &w->err), RC_UNAVAILABLE);
    assert_non_null(strstr(w->err.msg, "silent for more than 4 s"));
}

static void an_answered_ping_is_life(void **state)
{
    struct world *w = *state;
    char bytes[ZK_BYTES_MAX];
    make_ready(w);
    assert_int_equal(zk_session_tick(w->session, START + 2 * NS_PER_S, &w->err), RC_OK);
    feed(w, zk_frame(PONG, bytes), START + 3 * NS_PER_S);
    expect_nothing(w);
    assert_int_equal(zk_session_due(w->session), START + 4 * NS_PER_S);
    assert_int_equal(zk_session_tick(w->session, START + 4 * NS_PER_S, &w->err), RC_OK);
    expect_sent(w, PING PING);
}

static void who_looked_away_for_long_asks_before_it_judges(void **state)
{
    struct world *w = *state;
    make_ready(w);
    assert_int_equal(zk_session_tick(w->session, START + 60 * NS_PER_S, &w->err), RC_OK);
    expect_sent(w, PING);
    assert_int_equal(zk_session_tick(w->session, START + 62 * NS_PER_S - 1, &w->err), RC_OK);
    assert_int_equal(zk_session_tick(w->session, START + 62 * NS_PER_S, &w->err), RC_UNAVAILABLE);
}

static void a_server_that_never_greets_is_given_up(void **state)
{
    struct world *w = *state;
    assert_int_equal(zk_session_due(w->session), START + 10 * NS_PER_S);
    assert_int_equal(zk_session_tick(w->session, START + 10 * NS_PER_S, &w->err), RC_UNAVAILABLE);
}

static void a_request_beyond_the_limit_is_refused_and_nothing_is_sent(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *data = calloc(1, ZK_REQUEST_MAX);
    make_ready(w);
    struct zk_call c = {
        .op = ZK_SET_DATA, .path = SLICE("/a"), .data = {data, ZK_REQUEST_MAX - 26}};
    assert_int_equal(zk_session_call(w->session, &c, 1, START, &w->err), RC_OK);
    zk_session_sent(w->session, ZK_REQUEST_MAX);
    c.data.n++;
    assert_int_equal(zk_session_call(w->session, &c, 2, START, &w->err), RC_LIMIT);
    expect_sent(w, "");
}

static void calls_wait_when_too_many_are_open_or_too_much_is_unsent(void **state)
{
    struct world *w = *state;
    make_ready(w);
    for (unsigned i = 0; i < ZK_OPEN_MAX; i++)
        assert_int_equal(call(w, ZK_DELETE, i, START), RC_OK);
    assert_int_equal(call(w, ZK_DELETE, ZK_OPEN_MAX, START), RC_AGAIN);
    feed_frame(w, ANSWER("01"));
    assert_int_equal(expect_event(w, ZK_ANSWER).tag, 0);
    assert_int_equal(call(w, ZK_DELETE, ZK_OPEN_MAX, START), RC_OK);
}

static void unsent_bytes_are_bounded(void **state)
{
    struct world *w = *state;
    AUTO(freep) char *data = calloc(1, 500000);
    const struct zk_call c = {.op = ZK_SET_DATA, .path = SLICE("/a"), .data = {data, 500000}};
    unsigned n = 0;
    make_ready(w);
    while (zk_session_call(w->session, &c, n, START, &w->err) == RC_OK && n < ZK_OPEN_MAX)
        n++;
    assert_int_equal(n, ZK_UNSENT_MAX / 500026 + 1);
    assert_true(zk_session_unsent(w->session).n <= ZK_UNSENT_MAX + ZK_REQUEST_MAX);
    for (unsigned i = 0; i < 40; i++) /* in pieces, as a socket takes them */
        zk_session_sent(w->session, 100000);
    assert_int_equal(zk_session_call(w->session, &c, n, START, &w->err), RC_OK);
}

static void what_was_open_is_answered_as_lost_and_another_session_begins(void **state)
{
    struct world *w = *state;
    const struct err why = {.rc = RC_UNAVAILABLE, .msg = "gone"};
    struct zk_event ev;
    make_ready(w);
    assert_int_equal(call(w, ZK_DELETE, 7, START), RC_OK);
    assert_int_equal(call(w, ZK_DELETE, 8, START), RC_OK);
    for (uint64_t tag = 7; tag <= 8; tag++) {
        assert_true(zk_session_drop(w->session, &why, &ev));
        assert_int_equal(ev.kind, ZK_ANSWER);
        assert_int_equal(ev.tag, tag);
        assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
        assert_non_null(strstr(ev.err.msg, "gone"));
    }
    assert_false(zk_session_drop(w->session, &why, &ev));
    assert_int_equal(zk_session_due(w->session), INT64_MAX);
    expect_sent(w, "");
    assert_int_equal(zk_session_begin(w->session, START, &w->err), RC_OK);
    make_ready(w);
}

static void leaving_ends_the_session(void **state)
{
    struct world *w = *state;
    make_ready(w);
    zk_session_leave(w->session);
    expect_sent(w, "00000008 00000001 fffffff5");
}

#define TEST(f)            cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define TEST_WITH_LOGIN(f) cmocka_unit_test_setup_teardown(f, set_up_with_login, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_ready_when_the_first_ping_tells_the_zxid),
        TEST_WITH_LOGIN(the_login_goes_before_all_else),
        TEST_WITH_LOGIN(a_refused_login_ends_the_session_and_tells_no_password),
        TEST(a_server_that_demands_sasl_is_a_refusal),
        TEST(a_refused_session_is_an_end),
        TEST(answers_come_to_the_calls_in_their_order),
        TEST(frames_may_come_in_any_pieces),
        TEST(a_change_is_told_before_the_answer_behind_it),
        TEST(an_answer_out_of_turn_is_corrupt),
        TEST(an_answer_to_another_call_is_corrupt),
        TEST(an_answer_that_cannot_be_read_is_told_to_its_call_and_ends_the_session),
        TEST(a_frame_that_is_too_long_is_corrupt_at_once),
        TEST(an_answer_that_is_too_long_is_told_to_its_call),
        TEST(an_answer_of_the_greatest_length_is_taken),
        TEST(an_old_server_is_recognised),
        TEST(an_unknown_who_am_i_is_only_an_answer),
        TEST(a_silent_session_pings_at_a_third_and_ends_at_two_thirds),
        TEST(an_answered_ping_is_life),
        TEST(who_looked_away_for_long_asks_before_it_judges),
        TEST(a_server_that_never_greets_is_given_up),
        TEST(a_request_beyond_the_limit_is_refused_and_nothing_is_sent),
        TEST(calls_wait_when_too_many_are_open_or_too_much_is_unsent),
        TEST(unsent_bytes_are_bounded),
        TEST(what_was_open_is_answered_as_lost_and_another_session_begins),
        TEST(leaving_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

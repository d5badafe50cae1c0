/* io/zk_conn: bytes both ways without blocking, and what ends a connection. TLS is tested with real servers
 * (tests/e2e/08_zookeeper_wire.bats). */
#include "io/zk_conn.h"

#include "core/clock.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/eventfd.h>
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
    int listener, peer;
    char server[64];
    struct zk_conn *conn;
    struct err err;
};

static const struct zk_peer PLAIN = {0};

static struct zk_conn *open_to(struct world *w, const char *server)
{
    struct zk_conn *c = NULL;
    if (zk_conn_open(&PLAIN, server, &c, &w->err) != RC_OK)
        fail_msg("%s", w->err.msg);
    return c;
}

static enum rc finish(struct world *w, struct zk_conn *c)
{
    enum rc rc = RC_AGAIN;
    for (int i = 0; i < LOOPS && (rc = zk_conn_step(c, &w->err)) == RC_AGAIN; i++)
        assert_int_equal(zk_conn_wait(c, /* out= */ false, -1, LOOP_NS, &w->err), RC_OK);
    return rc;
}

/* Listens on loopback, with IPv6 if asked for and there. */
static bool listen_on(struct world *w, int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_storage a;
    bool six = family == AF_INET6;
    socklen_t n = six ? sizeof v6 : sizeof v4;
    w->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(&a, six ? (void *)&v6 : (void *)&v4, n);
    if (w->listener < 0 || bind(w->listener, (struct sockaddr *)&a, n) != 0)
        return false;
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(listen(w->listener, 4), 0);
    in_port_t port =
        six ? ((struct sockaddr_in6 *)&a)->sin6_port : ((struct sockaddr_in *)&a)->sin_port;
    snprintf(w->server, sizeof w->server, six ? "[::1]:%d" : "127.0.0.1:%d", ntohs(port));
    return true;
}

static void meet(struct world *w)
{
    w->conn = open_to(w, w->server);
    if (finish(w, w->conn) != RC_OK)
        fail_msg("%s", w->err.msg);
    w->peer = accept(w->listener, NULL, NULL);
    assert_true(w->peer >= 0);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_true(listen_on(w, AF_INET));
    meet(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    zk_conn_close(w->conn);
    if (w->peer >= 0)
        close(w->peer);
    close(w->listener);
    free(w);
    return 0;
}

static struct slice receive(struct world *w, char *p, size_t room)
{
    size_t n = 0;
    enum rc rc = RC_AGAIN;
    for (int i = 0; i < LOOPS && rc == RC_AGAIN; i++) {
        rc = zk_conn_receive(w->conn, p, room, &n, &w->err);
        if (rc == RC_AGAIN)
            assert_int_equal(zk_conn_wait(w->conn, /* out= */ false, -1, LOOP_NS, &w->err), RC_OK);
    }
    return rc == RC_OK ? slice_of(p, n) : SLICE_NULL;
}

static void bytes_go_both_ways(void **state)
{
    struct world *w = *state;
    char in[8];
    size_t n = 0;
    assert_int_equal(zk_conn_receive(w->conn, in, sizeof in, &n, &w->err), RC_AGAIN);
    assert_int_equal(zk_conn_send(w->conn, SLICE("abc"), &n, &w->err), RC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(recv(w->peer, in, sizeof in, 0), 3);
    assert_memory_equal(in, "abc", 3);
    assert_int_equal(send(w->peer, "de", 2, MSG_NOSIGNAL), 2);
    assert_true(slice_eq(receive(w, in, sizeof in), SLICE("de")));
}

static void a_full_socket_takes_no_more_and_never_blocks(void **state)
{
    struct world *w = *state;
    const size_t size = 500000;
    AUTO(freep) char *bytes = calloc(1, size);
    size_t sent = 0, got = 0, n = 0;
    while (zk_conn_send(w->conn, slice_of(bytes, size), &n, &w->err) == RC_OK)
        sent += n;
    assert_true(sent > 0);
    while (got < sent) {
        ssize_t k = recv(w->peer, bytes, size, 0);
        assert_true(k > 0);
        got += (size_t)k;
    }
    assert_int_equal(zk_conn_send(w->conn, SLICE("x"), &n, &w->err), RC_OK);
}

static void an_ended_connection_is_said(void **state)
{
    struct world *w = *state;
    char in[8];
    close(w->peer);
    w->peer = -1;
    assert_int_equal(receive(w, in, sizeof in).n, 0);
    assert_int_equal(w->err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(w->err.msg, "ended the connection"));
}

static void nobody_there_is_said(void **state)
{
    struct world *w = *state;
    close(w->listener);
    AUTO(zk_conn_closep) struct zk_conn *c = open_to(w, w->server);
    assert_int_equal(finish(w, c), RC_UNAVAILABLE);
    assert_non_null(strstr(w->err.msg, "Connection refused"));
}

static void waiting_ends_for_bytes_for_room_and_for_the_descriptor_that_wakes(void **state)
{
    struct world *w = *state;
    char in[8];
    int wake = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(zk_conn_wait(w->conn, /* out= */ true, -1, 3600 * NS_PER_S, &w->err), RC_OK);
    assert_int_equal(send(w->peer, "d", 1, MSG_NOSIGNAL), 1);
    assert_int_equal(zk_conn_wait(w->conn, /* out= */ false, wake, 3600 * NS_PER_S, &w->err),
                     RC_OK);
    assert_int_equal(receive(w, in, sizeof in).n, 1);
    eventfd_write(wake, 1);
    assert_int_equal(zk_conn_wait(w->conn, /* out= */ false, wake, 3600 * NS_PER_S, &w->err),
                     RC_OK);
    assert_int_equal(zk_conn_wait(NULL, /* out= */ false, wake, 3600 * NS_PER_S, &w->err), RC_OK);
    AUTO(zk_conn_closep) struct zk_conn *connecting = open_to(w, w->server);
    assert_int_equal(zk_conn_wait(connecting, /* out= */ false, wake, 3600 * NS_PER_S, &w->err),
                     RC_OK);
    close(wake);
}

static void ipv6_is_a_way_too(void **state)
{
    (void)state;
    struct world w = {.peer = -1};
    if (!listen_on(&w, AF_INET6))
        skip();
    meet(&w);
    zk_conn_close(w.conn);
    close(w.peer);
    close(w.listener);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_both_ways),
        TEST(a_full_socket_takes_no_more_and_never_blocks),
        TEST(an_ended_connection_is_said),
        TEST(nobody_there_is_said),
        TEST(waiting_ends_for_bytes_for_room_and_for_the_descriptor_that_wakes),
        cmocka_unit_test(ipv6_is_a_way_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* io/http_sockets: readiness, the timer, fairness, silent sockets; over socket pairs and loopback. */
#include "core/clock.h"
#include "io/http_sockets.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define BOUND_MS 20000 /* only reached when the test fails */

/* Two ends of a TCP connection on loopback. */
static void connect_pair(int out[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    out[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(out[0], (struct sockaddr *)&a, n), 0);
    out[1] = accept(listener, NULL, NULL);
    assert_true(out[1] >= 0);
    close(listener);
}

static bool readable(const struct http_sockets *s, int ms)
{
    struct pollfd p = {.fd = http_sockets_fd(s), .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static struct http_sockets *open_set(void)
{
    struct http_sockets *s = NULL;
    struct err e;
    assert_int_equal(http_sockets_open(&s, &e), RC_OK);
    return s;
}

static void a_quiet_set_gives_nothing_and_is_not_readable(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    struct http_ready r;
    struct err e;
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_AGAIN);
    assert_false(readable(s, 0));
    http_sockets_close(NULL);
}

static void the_timer_is_given_once_and_not_before_it_is_due(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    struct http_ready r;
    struct err e;
    assert_int_equal(http_sockets_due(s), INT64_MAX);
    http_sockets_timer(s, 7);
    assert_int_equal(http_sockets_due(s), 7);
    assert_int_equal(http_sockets_next(s, 6, &r, &e), RC_AGAIN);
    assert_int_equal(http_sockets_next(s, 7, &r, &e), RC_OK);
    assert_true(r.timer);
    assert_int_equal(http_sockets_due(s), INT64_MAX);
    assert_int_equal(http_sockets_next(s, 7, &r, &e), RC_AGAIN);
}

static void a_disarmed_timer_stays_quiet(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    struct http_ready r;
    struct err e;
    http_sockets_timer(s, 0);
    http_sockets_timer(s, INT64_MAX);
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_AGAIN);
}

static void a_timer_that_is_always_due_and_a_busy_socket_take_turns(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int fd[2];
    struct http_ready r;
    struct err e;
    connect_pair(fd);
    assert_int_equal(http_sockets_watch(s, fd[0], false, true, 0, &e), RC_OK);
    for (int i = 0; i < 6; i++) {
        http_sockets_timer(s, 0);
        assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
        assert_int_equal(r.timer, i % 2 == 0);
    }
    http_sockets_forget(s, fd[0]);
    for (int i = 0; i < 2; i++) { /* alone it need not wait for a turn */
        http_sockets_timer(s, 0);
        assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
        assert_true(r.timer);
    }
    close(fd[0]);
    close(fd[1]);
}

static void what_is_watched_for_is_what_is_told(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int fd[2];
    struct http_ready r;
    struct err e;
    connect_pair(fd);
    assert_int_equal(http_sockets_watch(s, fd[0], true, true, 0, &e), RC_OK);
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
    assert_int_equal(r.fd, fd[0]);
    assert_true(r.out);
    assert_false(r.in);
    assert_int_equal(http_sockets_watch(s, fd[0], true, false, 0, &e), RC_OK);
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_AGAIN);
    assert_int_equal(write(fd[1], "x", 1), 1);
    assert_true(readable(s, BOUND_MS));
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
    assert_true(r.in && !r.out);
    http_sockets_forget(s, fd[0]);
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_AGAIN);
    http_sockets_forget(s, fd[0]); /* again, and one never seen */
    http_sockets_forget(s, 999999);
    close(fd[0]);
    close(fd[1]);
}

static void two_busy_sockets_take_turns(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int a[2], b[2], seen_a = 0, seen_b = 0;
    struct http_ready r;
    struct err e;
    connect_pair(a);
    connect_pair(b);
    assert_int_equal(http_sockets_watch(s, a[0], false, true, 0, &e), RC_OK);
    assert_int_equal(http_sockets_watch(s, b[0], false, true, 0, &e), RC_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
        seen_a += r.fd == a[0];
        seen_b += r.fd == b[0];
    }
    assert_int_equal(seen_a, 5);
    assert_int_equal(seen_b, 5);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.sin_port);
}

static bool shut_down(int other_end)
{
    char c;
    return recv(other_end, &c, 1, MSG_DONTWAIT) == 0;
}

static void only_the_named_socket_is_shut_down_and_only_if_it_was_silent_for_so_long(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int old[2], fresh[2], other[2];
    struct http_ready r;
    struct err e;
    connect_pair(old);
    connect_pair(fresh);
    connect_pair(other);
    assert_int_equal(http_sockets_watch(s, old[0], true, false, 0, &e), RC_OK);
    assert_int_equal(http_sockets_watch(s, fresh[0], true, false, 0, &e), RC_OK);
    assert_int_equal(http_sockets_watch(s, other[0], true, false, 0, &e), RC_OK);
    assert_int_equal(write(fresh[1], "x", 1), 1);
    assert_true(readable(s, BOUND_MS));
    assert_int_equal(http_sockets_next(s, 5, &r, &e), RC_OK);
    assert_int_equal(r.fd, fresh[0]);
    http_sockets_excuse(s, 2); /* heard: old and other 2, fresh 7 */
    http_sockets_drop_silent(s, port_of(fresh[0]), 16, 10);
    http_sockets_drop_silent(s, port_of(old[0]), 11, 10);
    assert_false(shut_down(fresh[1]) || shut_down(old[1]));
    http_sockets_drop_silent(s, port_of(old[0]), 12, 10);
    assert_true(shut_down(old[1]));
    assert_false(shut_down(fresh[1]) || shut_down(other[1]));
    http_sockets_forget(s, fresh[0]);
    http_sockets_drop_silent(s, port_of(fresh[0]), 100, 10); /* no longer one of the set */
    assert_false(shut_down(fresh[1]));
    int all[] = {old[0], old[1], fresh[0], fresh[1], other[0], other[1]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        close(all[i]);
}

static void a_local_socket_is_never_shut_down(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int local[2];
    struct err e;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, local), 0);
    assert_int_equal(http_sockets_watch(s, local[0], true, false, 0, &e), RC_OK);
    http_sockets_drop_silent(s, 0, 100, 10);
    assert_false(shut_down(local[1]));
    close(local[0]);
    close(local[1]);
}

static void a_descriptor_above_1023_is_as_good_as_any(void **state)
{
    (void)state;
    struct rlimit most;
    struct http_ready r;
    struct err e;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &most), 0);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    if (most.rlim_max < 4096)
        skip();
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    int fd[2];
    connect_pair(fd);
    assert_int_equal(dup2(fd[0], 3000), 3000);
    assert_int_equal(http_sockets_watch(s, 3000, false, true, 0, &e), RC_OK);
    assert_true(readable(s, BOUND_MS));
    assert_int_equal(http_sockets_next(s, 0, &r, &e), RC_OK);
    assert_int_equal(r.fd, 3000);
    http_sockets_forget(s, 3000);
    close(3000);
    close(fd[0]);
    close(fd[1]);
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
    (void)state;
    AUTO(http_sockets_closep) struct http_sockets *s = open_set();
    struct err e = ERR_INIT;
    assert_int_equal(http_sockets_watch(s, 5000, true, false, 0, &e), RC_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_set_gives_nothing_and_is_not_readable),
        cmocka_unit_test(the_timer_is_given_once_and_not_before_it_is_due),
        cmocka_unit_test(a_disarmed_timer_stays_quiet),
        cmocka_unit_test(a_timer_that_is_always_due_and_a_busy_socket_take_turns),
        cmocka_unit_test(what_is_watched_for_is_what_is_told),
        cmocka_unit_test(two_busy_sockets_take_turns),
        cmocka_unit_test(only_the_named_socket_is_shut_down_and_only_if_it_was_silent_for_so_long),
        cmocka_unit_test(a_local_socket_is_never_shut_down),
        cmocka_unit_test(a_descriptor_above_1023_is_as_good_as_any),
        cmocka_unit_test(a_descriptor_that_is_not_open_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

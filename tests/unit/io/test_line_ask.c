/* io/line_ask: the asking end against a real server in another thread. */
#include "io/line_ask.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/scope.h"
#include "io/clock_sys.h"
#include "io/line_server.h"
#include "tests/conformance/temp_dir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LONG (60 * NS_PER_S)

struct world {
    char *dir;
    struct env env;
    struct line_server *server;
    const char *says; /* the answer; NULL: the socket is closed instead */
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    w->dir = temp_dir_new();
    w->env.clock = clock_sys();
    assert_int_equal(line_server_open(w->dir, "s", &w->env, &w->server, &e), RC_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    line_server_close(w->server);
    temp_dir_free(w->dir);
    free(w);
    return 0;
}

/* Serves one question. */
static void *serve(void *arg)
{
    struct world *w = arg;
    struct pollfd fds[LINE_FDS];
    struct slice line;
    struct err e = ERR_INIT;
    do {
        (void)poll(fds, line_server_fds(w->server, fds), -1);
        line_server_step(w->server);
    } while (line_server_take(w->server, &line) != RC_OK);
    if (w->says) {
        if (line_server_answer(w->server, slice_str(w->says), &e) == RC_OK)
            line_server_step(w->server);
        return NULL;
    }
    line_server_close(w->server);
    w->server = NULL;
    return NULL;
}

static enum rc ask(struct world *w, int64_t timeout_ns, struct buf *answer)
{
    struct err e = ERR_INIT;
    enum rc rc = line_ask(w->dir, "s", SLICE("question"), timeout_ns, &w->env, answer, &e);
    assert_true(rc == RC_OK || e.msg[0]);
    return rc;
}

static void the_answer_comes_without_its_newline(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf answer = BUF_INIT(100);
    pthread_t thread;
    w->says = "answer";
    assert_int_equal(pthread_create(&thread, NULL, serve, w), 0);
    assert_int_equal(ask(w, LONG, &answer), RC_OK);
    pthread_join(thread, NULL);
    assert_string_equal(answer.p, "answer");
}

static void who_gets_no_answer_in_time_is_told_so(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf answer = BUF_INIT(100);
    assert_int_equal(ask(w, NS_PER_MS, &answer), RC_UNAVAILABLE); /* in the kernel's queue */
    assert_int_equal(answer.n, 0);
}

static void whose_question_is_dropped_is_told_so(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf answer = BUF_INIT(100);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, w), 0);
    assert_int_equal(ask(w, LONG, &answer), RC_UNAVAILABLE);
    pthread_join(thread, NULL);
    assert_int_equal(answer.n, 0);
}

static void where_nobody_serves_that_is_no_mystery(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf answer = BUF_INIT(100);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    line_server_close(w->server);
    w->server = NULL;
    assert_int_equal(ask(w, LONG, &answer), RC_NOTFOUND);
    /* As a process leaves it that was killed. */
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", w->dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    assert_int_equal(ask(w, LONG, &answer), RC_NOTFOUND);
}

static void where_too_many_ask_nothing_is_asked(void **state)
{
    enum { MANY = 100 };
    struct world *w = *state;
    AUTO(buf_done) struct buf answer = BUF_INIT(100);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fds[MANY], n = 0, got = 0;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", w->dir);
    for (; n < MANY && got == 0; n++) {
        fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        got = connect(fds[n], (const struct sockaddr *)&address, sizeof address);
    }
    assert_int_equal(got, -1);
    assert_int_equal(ask(w, LONG, &answer), RC_CONFLICT);
    while (n > 0)
        close(fds[--n]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_answer_comes_without_its_newline), TEST(who_gets_no_answer_in_time_is_told_so),
        TEST(whose_question_is_dropped_is_told_so), TEST(where_nobody_serves_that_is_no_mystery),
        TEST(where_too_many_ask_nothing_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

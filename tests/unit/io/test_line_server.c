/* io/line_server: questions of one line in their turn; who is slow or wrong harms nobody else. */
#include "io/line_server.h"

#include "core/buf.h"
#include "core/env.h"
#include "tests/conformance/temp_dir.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct world {
    char *dir, path[100];
    struct fake_clock clock;
    struct env env;
    struct line_server *server;
};

static void open_server(struct world *w)
{
    struct err e = ERR_INIT;
    if (line_server_open(w->dir, "s", &w->env, &w->server, &e) != RC_OK)
        fail_msg("%s", e.msg);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->dir = temp_dir_new();
    snprintf(w->path, sizeof w->path, "%s/s", w->dir);
    fake_clock_init(&w->clock, NS_PER_S);
    w->env.clock = &w->clock.clock;
    open_server(w);
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

/* A client that never blocks. */
static int client(struct world *w, const char *text)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", w->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return fd;
}

/* Until nobody's socket has anything to be read or written. */
static void settle(struct world *w)
{
    struct pollfd fds[LINE_FDS];
    do
        line_server_step(w->server);
    while (poll(fds, line_server_fds(w->server, fds), 0) > 0);
}

static void assert_takes(struct world *w, const char *want)
{
    struct slice line;
    settle(w);
    if (!want) {
        assert_int_equal(line_server_take(w->server, &line), RC_AGAIN);
        return;
    }
    assert_int_equal(line_server_take(w->server, &line), RC_OK);
    assert_true(slice_eq(line, slice_str(want)));
}

static void answer(struct world *w, const char *text)
{
    struct err e = ERR_INIT;
    assert_int_equal(line_server_answer(w->server, slice_str(text), &e), RC_OK);
    settle(w);
}

/* What the client got, and that the other end is closed. */
static void assert_got(int fd, const char *want)
{
    char text[100];
    ssize_t n = recv(fd, text, sizeof text, 0);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(text, want, strlen(want));
    if (n > 0)
        assert_int_equal(recv(fd, text, sizeof text, 0), 0);
    close(fd);
}

static void a_question_is_answered_and_its_client_let_go(void **state)
{
    struct world *w = *state;
    assert_takes(w, NULL);
    int fd = client(w, "who");
    assert_takes(w, NULL);
    assert_int_equal(send(fd, " goes\n", 6, 0), 6);
    assert_takes(w, "who goes");
    answer(w, "there");
    assert_got(fd, "there\n");
}

static void questions_are_taken_in_the_order_in_which_they_were_complete(void **state)
{
    struct world *w = *state;
    int late = client(w, "la");
    int early = client(w, "early\n");
    settle(w);
    assert_int_equal(send(late, "te\n", 3, 0), 3);
    assert_takes(w, "early");
    answer(w, "1");
    assert_takes(w, "late");
    answer(w, "2");
    assert_got(early, "1\n");
    assert_got(late, "2\n");
}

/* Who was told meanwhile that there is no answer must not be obeyed later. */
static void who_went_away_does_not_ask_any_more(void **state)
{
    struct world *w = *state;
    int gone = client(w, "one\n"), half = client(w, "two\n");
    settle(w);
    close(gone);
    assert_int_equal(shutdown(half, SHUT_WR), 0); /* it still listens */
    assert_takes(w, "two");
    answer(w, "yes");
    assert_got(half, "yes\n");
    struct slice line;
    assert_int_equal(line_server_take(w->server, &line), RC_AGAIN);
}

static void more_than_there_is_room_for_wait_for_their_turn(void **state)
{
    struct world *w = *state;
    int fds[LINE_CLIENTS + 3];
    char text[20];
    for (int i = 0; i < LINE_CLIENTS + 3; i++) {
        snprintf(text, sizeof text, "%d\n", i);
        fds[i] = client(w, text);
        settle(w);
    }
    for (int i = 0; i < LINE_CLIENTS + 3; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_takes(w, text);
        answer(w, "ok");
        assert_got(fds[i], "ok\n");
    }
}

static void what_is_no_line_ends_its_client_alone(void **state)
{
    struct world *w = *state;
    int good = client(w, "good\n"), twice = client(w, "a\nb\n"), empty = client(w, "\n"),
        gone = client(w, "go"), deaf = client(w, "deaf\n");
    close(gone);
    assert_takes(w, "good");
    answer(w, "ok");
    assert_got(good, "ok\n");
    assert_got(twice, "");
    assert_got(empty, "");
    assert_takes(w, "deaf");
    close(deaf);
    answer(w, "nobody hears it");
    assert_takes(w, NULL);
}

static void a_question_that_is_too_long_is_not_read_to_its_end(void **state)
{
    struct world *w = *state;
    char text[1000] = "";
    memset(text, 'x', sizeof text - 1);
    int fd = client(w, text);
    ssize_t n = 1, sent = 0;
    for (int i = 0; i < 100 && n > 0; i++) {
        n = send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
        sent += n > 0 ? n : 0;
        settle(w);
    }
    assert_int_equal(n, -1);
    assert_in_range(sent, LINE_BYTES_MAX - 4096, LINE_BYTES_MAX + 4096);
    close(fd);
}

static void who_is_silent_is_given_up(void **state)
{
    struct world *w = *state;
    int fd = client(w, "half a quest");
    settle(w);
    fake_clock_advance(&w->clock, LINE_PATIENCE_NS - 1);
    settle(w);
    char c;
    assert_int_equal(recv(fd, &c, 1, 0), -1); /* still there */
    fake_clock_advance(&w->clock, 1);
    settle(w);
    assert_got(fd, "");
}

static void without_a_descriptor_nobody_is_accepted_and_nothing_spins(void **state)
{
    struct world *w = *state;
    struct rlimit before, now;
    int fd = client(w, "q\n");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)fd + 1; /* all below are open */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    assert_takes(w, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_takes(w, NULL);
    fake_clock_advance(&w->clock, NS_PER_S);
    assert_takes(w, "q");
    answer(w, "a");
    assert_got(fd, "a\n");
}

static void only_the_owner_may_ask_and_a_socket_left_behind_does_not_matter(void **state)
{
    struct world *w = *state;
    struct stat st;
    assert_int_equal(stat(w->path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
    line_server_close(w->server);
    assert_int_equal(access(w->path, F_OK), -1);
    FILE *file = fopen(w->path, "w");
    fclose(file);
    open_server(w);
    int fd = client(w, "q\n");
    assert_takes(w, "q");
    answer(w, "a");
    assert_got(fd, "a\n");
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct world *w = *state;
    struct line_server *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(line_server_open("/no-such-folder", "s", &w->env, &s, &e), RC_NOTFOUND);
    assert_null(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered_and_its_client_let_go),
        TEST(questions_are_taken_in_the_order_in_which_they_were_complete),
        TEST(who_went_away_does_not_ask_any_more),
        TEST(more_than_there_is_room_for_wait_for_their_turn),
        TEST(what_is_no_line_ends_its_client_alone),
        TEST(a_question_that_is_too_long_is_not_read_to_its_end),
        TEST(who_is_silent_is_given_up),
        TEST(without_a_descriptor_nobody_is_accepted_and_nothing_spins),
        TEST(only_the_owner_may_ask_and_a_socket_left_behind_does_not_matter),
        TEST(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

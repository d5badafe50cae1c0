/* io/child: what a program gave, and every way to end badly; real programs, a clock that is told. */
#include "io/child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SECOND 1000000000LL

static struct child *start(const char *script, const char *const *env)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct child_opts opts = {
        .argv = argv, .env = env, .output_max = 100000, .within_ns = 10 * SECOND};
    struct child *c = NULL;
    struct err e = ERR_INIT;
    if (child_start(&opts, 0, &c, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return c;
}

/* Steps until it is over. */
static enum rc run(struct child *c, struct err *e)
{
    struct pollfd fds[CHILD_FDS];
    enum rc rc;
    while ((rc = child_step(c, 0, e)) == RC_AGAIN)
        assert_true(poll(fds, child_poll(c, fds), -1) > 0);
    return rc;
}

static void what_a_program_writes_is_its_output(void **state)
{
    (void)state;
    AUTO(child_closep) struct child *c = start("printf 'a b\\n'; echo secret >&2", NULL);
    struct err e = ERR_INIT;
    assert_int_equal(run(c, &e), RC_OK);
    assert_true(slice_eq(child_output(c), SLICE("a b\n")));
    assert_int_equal(child_step(c, 100 * SECOND, &e), RC_OK);
}

static void more_than_a_pipe_holds_comes_whole(void **state)
{
    (void)state;
    AUTO(child_closep) struct child *c = start("head -c 100000 /dev/zero", NULL);
    struct err e = ERR_INIT;
    assert_int_equal(run(c, &e), RC_OK);
    assert_int_equal(child_output(c).n, 100000);
}

static void bad_ends_are_told_without_any_output(void **state)
{
    (void)state;
    static const struct {
        const char *script, *says;
    } rows[] = {
        {"echo hunter2; echo hunter2 >&2; exit 3", "ended with exit code 3"},
        {"echo hunter2; kill -9 $$", "was ended by signal 9"},
        {"yes hunter2", "wrote more than 100000 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(child_closep) struct child *c = start(rows[i].script, NULL);
        struct err e = ERR_INIT;
        assert_int_equal(run(c, &e), RC_INVALID);
        assert_string_equal(e.msg, rows[i].says);
    }
}

static void a_program_that_is_not_there_is_told_at_once(void **state)
{
    (void)state;
    const char *const argv[] = {"/nonexistent/program", NULL};
    const struct child_opts opts = {.argv = argv, .output_max = 1, .within_ns = 1};
    struct child *c = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(child_start(&opts, 0, &c, &e), RC_INVALID);
    assert_string_equal(e.msg, "cannot be started: No such file or directory");
    assert_null(c);
}

/* Waits until the process is gone, or is left to init to reap. */
static void expect_gone(long pid)
{
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    for (int i = 0; i < 1000; i++) {
        FILE *f = fopen(path, "r");
        bool gone =
            !f || !fgets(line, sizeof line, f) || strstr(line, ") Z") || strstr(line, ") X");
        if (f)
            fclose(f);
        if (gone)
            return;
        poll(NULL, 0, 10);
    }
    fail_msg("%ld goes on", pid);
}

static void a_program_without_end_is_ended_with_what_it_started(void **state)
{
    (void)state;
    AUTO(child_closep) struct child *c = start("sleep 1000 & echo $!; wait", NULL);
    struct err e = ERR_INIT;
    struct pollfd fds[CHILD_FDS];
    while (child_output(c).n == 0) {
        assert_true(poll(fds, child_poll(c, fds), -1) > 0);
        assert_int_equal(child_step(c, child_due(c) - 1, &e), RC_AGAIN);
    }
    long grandchild = strtol(child_output(c).p, NULL, 10);
    assert_int_equal(child_step(c, child_due(c), &e), RC_INVALID);
    assert_string_equal(e.msg, "did not end within 10 s");
    child_close(steal(&c));
    expect_gone(grandchild);
}

static void what_it_started_does_not_delay_its_end_and_ends_with_it(void **state)
{
    (void)state;
    AUTO(child_closep) struct child *c = start("sleep 1000 & echo $!", NULL);
    struct err e = ERR_INIT;
    assert_int_equal(run(c, &e), RC_OK);
    expect_gone(strtol(child_output(c).p, NULL, 10));
}

static void its_environment_is_ours_and_what_is_given_goes_before(void **state)
{
    (void)state;
    static const char *const env[] = {"CHILD_TEST_A=new", "CHILD_TEST_B=2", NULL};
    setenv("CHILD_TEST_A", "old", 1);
    setenv("CHILD_TEST_C", "3", 1);
    AUTO(child_closep)
    struct child *c = start("env | grep ^CHILD_TEST_ | sort | tr '\\n' ' '; cat", env);
    struct err e = ERR_INIT;
    assert_int_equal(run(c, &e), RC_OK);
    assert_true(
        slice_eq(child_output(c), SLICE("CHILD_TEST_A=new CHILD_TEST_B=2 CHILD_TEST_C=3 ")));
}

/* Each script is one program without a child: a shell blocks signals and opens files while it waits for one. */
static void no_signal_is_blocked_or_ignored_in_it_and_no_file_of_ours_open(void **state)
{
    (void)state;
    static const struct {
        const char *script, *output;
        enum rc rc;
    } rows[] = {
        {"exec grep ^SigBlk: /proc/self/status", "SigBlk:\t0000000000000000\n", RC_OK},
        {"exec ls /proc/self/fd", "0\n1\n2\n3\n", RC_OK}, /* the last one is the folder */
        {"kill -PIPE $$; echo ignored", "", RC_INVALID},
    };
    sigset_t all, before;
    sigfillset(&all);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        int fd = dup(STDERR_FILENO); /* without close-on-exec */
        sigprocmask(SIG_BLOCK, &all, &before);
        AUTO(child_closep) struct child *c = start(rows[i].script, NULL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        close(fd);
        assert_int_equal(run(c, &e), rows[i].rc);
        assert_true(slice_eq(child_output(c), slice_str(rows[i].output)));
    }
}

static void closing_ends_what_runs(void **state)
{
    (void)state;
    child_close(start("sleep 1000", NULL));
    child_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_program_writes_is_its_output),
        cmocka_unit_test(more_than_a_pipe_holds_comes_whole),
        cmocka_unit_test(bad_ends_are_told_without_any_output),
        cmocka_unit_test(a_program_that_is_not_there_is_told_at_once),
        cmocka_unit_test(a_program_without_end_is_ended_with_what_it_started),
        cmocka_unit_test(what_it_started_does_not_delay_its_end_and_ends_with_it),
        cmocka_unit_test(its_environment_is_ours_and_what_is_given_goes_before),
        cmocka_unit_test(no_signal_is_blocked_or_ignored_in_it_and_no_file_of_ours_open),
        cmocka_unit_test(closing_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

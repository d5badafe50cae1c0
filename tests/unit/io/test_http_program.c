/* io/http_program: when the program is run, and when it is not. */
#include "io/http_program.h"

#include "core/env.h"
#include "core/rng.h"
#include "tests/fakes/fake_clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define V1 "client.authentication.k8s.io/v1"

/* A program that counts its runs in a file; its answer is the text of another file. */
struct rig {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    char folder[64], runs[96], answer[96], script[512];
    const char *argv[4], *given[2];
    struct http_exec exec;
    struct http_program *program;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void answer(const struct rig *r, const char *status)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":%s}", status);
    put(r->answer, text);
}

static long runs(const struct rig *r)
{
    FILE *f = fopen(r->runs, "r");
    long n = 0;
    for (int c; f && (c = fgetc(f)) != EOF;)
        n += c == 'x';
    if (f)
        fclose(f);
    return n;
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct err e;
    *state = r;
    fake_clock_init(&r->clock, 1000 * NS_PER_S);
    rng_seeded_init(&r->rng, 1);
    r->env = (struct env){.clock = &r->clock.clock, .rng = &r->rng.rng};
    snprintf(r->folder, sizeof r->folder, "/tmp/resilog-test-XXXXXX");
    if (!mkdtemp(r->folder))
        return -1;
    snprintf(r->runs, sizeof r->runs, "%s/runs", r->folder);
    snprintf(r->answer, sizeof r->answer, "%s/answer", r->folder);
    snprintf(r->script, sizeof r->script,
             "printf x >>%s; test \"$A$KUBERNETES_EXEC_INFO\" && cat %s", r->runs, r->answer);
    r->argv[0] = "/bin/sh";
    r->argv[1] = "-c";
    r->argv[2] = r->script;
    r->given[0] = "A=b";
    r->exec = (struct http_exec){r->argv, r->given, V1};
    return http_program_open(&r->exec, &r->env, &r->program, &e) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    http_program_close(r->program);
    unlink(r->runs);
    unlink(r->answer);
    rmdir(r->folder);
    free(r);
    return 0;
}

/* Steps until it does not run; *token gets a new one, else "". */
static enum rc step(struct rig *r, bool refused, char token[64], struct err *e)
{
    AUTO(exec_credential_done) struct exec_credential c = {0};
    struct pollfd fds[CHILD_FDS];
    enum rc rc;
    while ((rc = http_program_step(r->program, refused, &c, e)) == RC_AGAIN) {
        assert_true(http_program_due(r->program) != INT64_MAX);
        assert_true(poll(fds, http_program_poll(r->program, fds), -1) > 0);
    }
    assert_int_equal(http_program_poll(r->program, fds), 0);
    assert_true(http_program_due(r->program) == INT64_MAX);
    snprintf(token, 64, "%s", c.token ? c.token : "");
    return rc;
}

static void expect(struct rig *r, bool refused, const char *token, long n)
{
    char got[64];
    struct err e = ERR_INIT;
    if (step(r, refused, got, &e) != RC_OK)
        fail_msg("%s", e.msg);
    assert_string_equal(got, token);
    assert_int_equal(runs(r), n);
}

static void it_is_run_once_and_again_when_what_it_gave_expired(void **state)
{
    struct rig *r = *state;
    answer(r, "{\"token\":\"t1\",\"expirationTimestamp\":\"1970-01-01T00:20:00Z\"}");
    expect(r, false, "t1", 1);
    expect(r, false, "", 1);
    fake_clock_advance(&r->clock, 199 * NS_PER_S);
    expect(r, false, "", 1);
    answer(r, "{\"token\":\"t2\"}");
    fake_clock_advance(&r->clock, NS_PER_S);
    expect(r, false, "t2", 2);
    fake_clock_advance(&r->clock, 1000000 * NS_PER_S);
    expect(r, false, "", 2); /* without a time it does not expire */
}

static void a_refusal_runs_it_again_with_back_off(void **state)
{
    struct rig *r = *state;
    answer(r, "{\"token\":\"t\"}");
    expect(r, false, "t", 1);
    expect(r, true, "", 1); /* it was asked just now */
    fake_clock_advance(&r->clock, NS_PER_S);
    expect(r, true, "t", 2);
    fake_clock_advance(&r->clock, NS_PER_S / 2);
    expect(r, true, "", 2);
    fake_clock_advance(&r->clock, 60 * NS_PER_S);
    expect(r, true, "t", 3);
}

static void a_failure_is_told_again_until_the_next_run_and_holds_no_output(void **state)
{
    struct rig *r = *state;
    char token[64];
    struct err e = ERR_INIT;
    put(r->answer, "hunter2");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(step(r, false, token, &e), RC_UNAVAILABLE);
        assert_string_equal(e.msg,
                            "no credentials: the exec plugin \"sh\" gave no ExecCredential in "
                            "JSON; its output is not repeated, it may hold a credential: run "
                            "it by hand");
        assert_int_equal(runs(r), 1);
    }
    answer(r, "{\"token\":\"t\"}");
    fake_clock_advance(&r->clock, NS_PER_S);
    expect(r, false, "t", 2);
}

static void a_program_that_cannot_be_started_is_named(void **state)
{
    struct rig *r = *state;
    char token[64];
    struct err e = ERR_INIT;
    r->argv[0] = "/nonexistent/aws";
    assert_int_equal(step(r, false, token, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "the exec plugin \"aws\" cannot be started: No such file"));
}

static void one_without_end_is_ended_after_its_time(void **state)
{
    struct rig *r = *state;
    AUTO(exec_credential_done) struct exec_credential c = {0};
    struct err e = ERR_INIT;
    r->argv[2] = "sleep 1000";
    assert_int_equal(http_program_step(r->program, false, &c, &e), RC_AGAIN);
    fake_clock_advance(&r->clock, HTTP_PROGRAM_WITHIN_NS);
    assert_int_equal(http_program_step(r->program, false, &c, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "did not end within 30 s"));
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(it_is_run_once_and_again_when_what_it_gave_expired),
        RIG_TEST(a_refusal_runs_it_again_with_back_off),
        RIG_TEST(a_failure_is_told_again_until_the_next_run_and_holds_no_output),
        RIG_TEST(a_program_that_cannot_be_started_is_named),
        RIG_TEST(one_without_end_is_ended_after_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

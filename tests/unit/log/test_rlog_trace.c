/* What the tracing decorator says; that it changes no answer is shown by
 * tests/conformance/conformance_rlog_mem.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/rng.h"
#include "core/event_iter.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/rlog_fault.h"

#include <stdio.h>

struct world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct buf said;
    struct rlog_mem_store *store;
    struct rlog *fault, *log;
};

static void collect(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct rlog *inner = NULL;
    struct err e = ERR_INIT;
    assert_non_null(w);
    buf_init(&w->said, 1u << 20);
    fake_clock_init(&w->clock, 1);
    rng_seeded_init(&w->rng, 1);
    w->env.rng = &w->rng.rng;
    w->env.clock = &w->clock.clock;
    w->env.diag = diag_new(w->env.clock, DIAG_JSON, DIAG_DEBUG, collect, &w->said);
    w->store = rlog_mem_store_new();
    assert_int_equal(rlog_mem_open(w->store, RLOG_WRITE, &w->env, &inner, &e), RC_OK);
    w->fault = rlog_fault_new(inner);
    assert_int_equal(rlog_trace_open(w->fault, &w->env, &w->log, &e), RC_OK);
    *state = w;
    return 0;
}

static int world_teardown(void **state)
{
    struct world *w = *state;
    rlog_close(w->log); /* and with it the inner logs */
    rlog_mem_store_free(w->store);
    diag_free(w->env.diag);
    buf_done(&w->said);
    free(w);
    return 0;
}

/* Asserts that exactly one line was said since the last time, and that it holds each of the texts.
 */
static void assert_said(struct world *w, const char *a, const char *b, const char *c)
{
    assert_non_null(w->said.p);
    char *end = memchr(w->said.p, '\n', w->said.n);
    assert_ptr_equal(end, w->said.p + w->said.n - 1);
    assert_non_null(strstr(w->said.p, a));
    assert_non_null(strstr(w->said.p, b));
    assert_non_null(strstr(w->said.p, c));
    assert_null(strstr(w->said.p, "hunter2"));
    buf_reset(&w->said);
}

static struct event secret(void)
{
    return (struct event){.op = EVENT_PUT,
                          .cause = CAUSE_WATCH,
                          .source_kind = SOURCE_KUBERNETES,
                          .key = SLICE("/secrets/ns/a"),
                          .body = SLICE("hunter2")};
}

static void I8_each_call_is_said_once_with_its_result_and_without_bodies(void **state)
{
    struct world *w = *state;
    struct event ev = secret();
    struct err e = ERR_INIT;
    struct rlog_bounds b;
    rlog_off at = 0;
    AUTO(rlog_found_done) struct rlog_found found = {0};
    const struct rlog_range range = {.prefix = SLICE("/secrets/")};
    struct event_iter *opened = NULL;

    assert_int_equal(rlog_append(w->log, &ev, 1, 1, &at, &e), RC_OK);
    assert_int_equal(at, 1);
    assert_said(w, "rlog append", "\"result\":\"ok\"", "\"events\":1");
    assert_int_equal(rlog_bounds(w->log, &b, &e), RC_OK);
    assert_said(w, "rlog bounds", "\"result\":\"ok\"", "\"next\":2");
    assert_int_equal(rlog_cursor(w->log, &range, &opened, &e), RC_OK);
    event_iter_free(opened);
    assert_said(w, "rlog cursor", "\"result\":\"ok\"", "/secrets/");
    assert_int_equal(rlog_last(w->log, ev.key, 0, &found, &e), RC_OK);
    assert_said(w, "rlog last", "\"found\":1", "/secrets/ns/a");
    assert_int_equal(rlog_history(w->log, ev.key, 0, 0, &opened, &e), RC_OK);
    event_iter_free(opened);
    assert_said(w, "rlog history", "\"result\":\"ok\"", "/secrets/ns/a");
    assert_int_equal(rlog_seek(w->log, 0, &at, &e), RC_OK);
    assert_said(w, "rlog seek", "\"result\":\"ok\"", "\"found\":1");
    assert_int_equal(rlog_trim(w->log, 1, &e), RC_OK);
    assert_said(w, "rlog trim", "\"result\":\"ok\"", "\"below\":1");
    assert_int_equal(rlog_maintain(w->log, &e), RC_AGAIN);
    assert_said(w, "rlog maintain", "\"result\":\"again\"", "debug");
}

static void a_failure_is_said_with_its_reason_and_given_on(void **state)
{
    struct world *w = *state;
    struct event ev = secret();
    struct err e = ERR_INIT;
    rlog_off first = 77;
    assert_int_equal(rlog_append(w->log, &ev, 1, 9, &first, &e), RC_CONFLICT);
    assert_int_equal(first, 77);
    assert_int_equal(e.rc, RC_CONFLICT);
    assert_said(w, "rlog append", "\"result\":\"conflict\"", "expected offset 9");
    struct rlog_found found;
    assert_int_equal(rlog_last(w->log, ev.key, 0, &found, NULL), RC_NOTFOUND);
    assert_said(w, "rlog last", "\"result\":\"not", "/secrets/ns/a");
    const struct fault_rule rule = {.times = 1, .rc = RC_IO, .retry = ERR_FATAL};
    rlog_fault_set(w->fault, RLOG_FAULT_BOUNDS, &rule);
    struct rlog_bounds b;
    assert_int_equal(rlog_bounds(w->log, &b, &e), RC_IO);
    assert_said(w, "rlog bounds", "\"result\":\"io\"", "a fault was injected");
}

static void count_call(void *arg)
{
    ++*(int *)arg;
}

static void listeners_of_the_traced_log_hear_its_appends(void **state)
{
    struct world *w = *state;
    struct event ev = secret();
    struct err e = ERR_INIT;
    int heard = 0;
    assert_int_equal(rlog_on_append(w->log, count_call, &heard, &e), RC_OK);
    assert_int_equal(rlog_append(w->log, &ev, 1, 1, NULL, &e), RC_OK);
    assert_int_equal(heard, 1);
}

static void a_log_for_reading_stays_one(void **state)
{
    struct world *w = *state;
    struct event ev = secret();
    struct rlog *inner = NULL, *traced = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_mem_open(w->store, RLOG_READ, &w->env, &inner, &e), RC_OK);
    assert_int_equal(rlog_trace_open(inner, &w->env, &traced, &e), RC_OK);
    assert_int_equal(rlog_append(traced, &ev, 1, 1, NULL, &e), RC_DENIED);
    rlog_close(traced);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(I8_each_call_is_said_once_with_its_result_and_without_bodies),
        CASE(a_failure_is_said_with_its_reason_and_given_on),
        CASE(listeners_of_the_traced_log_hear_its_appends),
        CASE(a_log_for_reading_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the tracing decorator says; that it changes no answer is shown by tests/conformance/conformance_ckpt_mem.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/diag.h"
#include "core/env.h"
#include "log/ckpt.h"
#include "tests/fakes/ckpt_fault.h"
#include "tests/fakes/fake_clock.h"

#define NAME SLICE("ns/sync")

struct world {
    struct fake_clock clock;
    struct env env;
    struct buf said;
    struct ckpt_mem_store *store;
    struct ckpt *fault, *ckpt;
};

static void collect(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct ckpt *inner = NULL;
    struct err e = ERR_INIT;
    assert_non_null(w);
    buf_init(&w->said, 1u << 20);
    fake_clock_init(&w->clock, 1);
    w->env.clock = &w->clock.clock;
    w->env.diag = diag_new(w->env.clock, DIAG_JSON, DIAG_DEBUG, collect, &w->said);
    w->store = ckpt_mem_store_new();
    assert_int_equal(ckpt_mem_open(w->store, &inner, &e), RC_OK);
    w->fault = ckpt_fault_new(inner);
    assert_int_equal(ckpt_trace_open(w->fault, &w->env, &w->ckpt, &e), RC_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    ckpt_close(w->ckpt); /* and with it the inner ones */
    ckpt_mem_store_free(w->store);
    diag_free(w->env.diag);
    buf_done(&w->said);
    free(w);
    return 0;
}

static bool said(struct world *w, const char *text)
{
    return memmem(w->said.p, w->said.n, text, strlen(text)) != NULL;
}

static void each_call_is_said_with_its_result_and_no_value(void **state)
{
    struct world *w = *state;
    AUTO(buf_done) struct buf out = BUF_INIT(64);
    struct err e = ERR_INIT;
    const struct ckpt_row row = {CKPT_APPLIED, SLICE("/configmaps/n/a"), SLICE("hunter2")};
    const struct ckpt_commit what = {.head = {1, 7}, .rows = &row, .n_rows = 1};
    assert_int_equal(ckpt_commit(w->ckpt, NAME, &what, &e), RC_OK);
    assert_true(said(w, "\"msg\":\"ckpt commit\""));
    assert_true(said(w, "\"offset\":7"));
    assert_true(said(w, "\"rows\":1"));
    assert_true(said(w, "\"consumer\":\"ns/sync\""));
    assert_int_equal(ckpt_get(w->ckpt, NAME, CKPT_APPLIED, row.key, &out, &e), RC_OK);
    assert_true(said(w, "\"key\":\"/configmaps/n/a\""));
    assert_int_equal(ckpt_get(w->ckpt, NAME, CKPT_HOLDS, row.key, &out, &e), RC_NOTFOUND);
    assert_true(said(w, "\"result\":\"notfound\""));
    assert_false(said(w, "hunter2"));
}

static void a_failure_is_said_with_its_reason(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    const struct ckpt_commit what = {.head = {1, 7}};
    ckpt_fault_set(w->fault, CKPT_FAULT_COMMIT,
                   &(struct fault_rule){.times = 1, .rc = RC_LIMIT, .retry = ERR_RETRY});
    assert_int_equal(ckpt_commit(w->ckpt, NAME, &what, &e), RC_LIMIT);
    assert_true(said(w, "\"result\":\"limit\""));
    assert_true(said(w, "\"error\":"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call_is_said_with_its_result_and_no_value, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failure_is_said_with_its_reason, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

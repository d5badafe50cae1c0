/* cli/log_back: every wanted event of the range once, newest first, whatever the size of the log and of its events. */
#include "cli/log_back.h"

#include "core/env.h"
#include "core/rng.h"
#include "log/rlog.h"
#include "tests/fakes/fake_clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

struct world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct rlog_mem_store *store;
    struct rlog *log;
    rlog_off expect; /* the offset to be given next */
    size_t given, enough, most, read;
    unsigned step; /* only every step-th offset is wanted */
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    fake_clock_init(&w->clock, NS_PER_S);
    rng_seeded_init(&w->rng, 1);
    w->env.rng = &w->rng.rng;
    w->env.clock = &w->clock.clock;
    w->store = rlog_mem_store_new();
    w->step = 1;
    w->enough = SIZE_MAX;
    assert_int_equal(rlog_mem_open(w->store, RLOG_WRITE, &w->env, &w->log, &e), RC_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    rlog_close(w->log);
    rlog_mem_store_free(w->store);
    free(w);
    return 0;
}

static void append(struct world *w, size_t n, struct slice body)
{
    const struct event ev = {.op = EVENT_PUT,
                             .cause = CAUSE_WATCH,
                             .source_kind = SOURCE_KUBERNETES,
                             .key = SLICE("/configmaps/ns/a"),
                             .body = body};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rlog_append(w->log, &ev, 1, RLOG_ANY, NULL, &e), RC_OK);
}

static bool want(void *arg, const struct event *ev)
{
    struct world *w = arg;
    w->read++;
    return ev->offset % w->step == 0;
}

static enum rc give(void *arg, struct event *ev, struct err *e)
{
    struct world *w = arg;
    (void)e;
    rlog_off offset = ev->offset;
    free(ev);
    if (w->given == w->enough)
        return RC_END;
    assert_int_equal(offset, w->expect);
    w->expect -= w->step;
    w->given++;
    return RC_OK;
}

static void assert_gives(struct world *w, rlog_off from, rlog_off until, rlog_off first, size_t n)
{
    const struct rlog_range range = {.from = from, .until = until};
    const struct log_back_opts opts = {want, give, w, w->most};
    struct err e = ERR_INIT;
    w->expect = first;
    w->given = w->read = 0;
    assert_int_equal(log_back(w->log, &range, &opts, &e), RC_OK);
    assert_int_equal(w->given, n);
}

static void all_come_newest_first(void **state)
{
    struct world *w = *state;
    append(w, 3 * LOG_BACK_EVENTS + 5, SLICE("{}"));
    assert_gives(w, 1, 3 * LOG_BACK_EVENTS + 6, 3 * LOG_BACK_EVENTS + 5, 3 * LOG_BACK_EVENTS + 5);
    assert_gives(w, 0, 3, 2, 2);
    assert_gives(w, 7, LOG_BACK_EVENTS + 7, LOG_BACK_EVENTS + 6, LOG_BACK_EVENTS);
    assert_gives(w, 9, 9, 0, 0);
    assert_gives(w, 9, 8, 0, 0);
}

static void only_what_is_wanted_comes_and_no_more_than_enough(void **state)
{
    struct world *w = *state;
    append(w, 2 * LOG_BACK_EVENTS, SLICE("{}"));
    w->step = 100;
    assert_gives(w, 1, 2 * LOG_BACK_EVENTS + 1, 2000, 20);
    w->enough = 3;
    assert_gives(w, 1, 2 * LOG_BACK_EVENTS + 1, 2000, 3);
}

static void nothing_is_read_before_the_last_that_may_be_given(void **state)
{
    struct world *w = *state;
    append(w, 3 * LOG_BACK_EVENTS, SLICE("{}"));
    w->step = LOG_BACK_EVENTS; /* the last of each window */
    w->most = 1;
    assert_gives(w, 1, 3 * LOG_BACK_EVENTS + 1, 3 * LOG_BACK_EVENTS, 1);
    assert_int_equal(w->read, LOG_BACK_EVENTS);
    w->most = 2;
    assert_gives(w, 1, 3 * LOG_BACK_EVENTS + 1, 3 * LOG_BACK_EVENTS, 2);
    assert_int_equal(w->read, 2 * LOG_BACK_EVENTS);
    w->most = 3;
    assert_gives(w, 1, 3 * LOG_BACK_EVENTS + 1, 3 * LOG_BACK_EVENTS, 3);
}

static void events_too_large_to_be_kept_together_come_too(void **state)
{
    struct world *w = *state;
    size_t size = 4u << 20;
    char *body = calloc(1, size);
    assert_non_null(body);
    append(w, LOG_BACK_BYTES / size + 3, slice_of(body, size));
    assert_gives(w, 1, LOG_BACK_BYTES / size + 4, LOG_BACK_BYTES / size + 3,
                 LOG_BACK_BYTES / size + 3);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_come_newest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_is_wanted_comes_and_no_more_than_enough, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_read_before_the_last_that_may_be_given, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(events_too_large_to_be_kept_together_come_too, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

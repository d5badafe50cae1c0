/* controller/worker: how a thread's job ends, is done again, and is woken. A test that waits for ever has failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/worker.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "io/clock_sys.h"

#include <poll.h>
#include <stdlib.h>

#define HOUR_NS (3600 * NS_PER_S)

struct task {
    struct worker worker;
    struct clock clock; /* the system's, and ahead of it by the time that runs are said to take */
    atomic_llong ahead_ns;
    struct rng_seeded rng;
    struct env env;
    int64_t takes_ns; /* each run */
    atomic_int runs, failures;
    int fails; /* so many runs do, before one goes on until it is asked to end */
};
static struct task *task; /* of the running test: its clock finds it here */

static int64_t ahead_boot(struct clock *c)
{
    (void)c;
    return clock_boot_ns(clock_sys()) + atomic_load(&task->ahead_ns);
}

static enum rc run(void *arg, struct err *e)
{
    struct task *t = arg;
    atomic_fetch_add(&t->ahead_ns, t->takes_ns);
    if (atomic_fetch_add(&t->runs, 1) < t->fails)
        return err_set(e, RC_IO, ERR_FATAL, "it broke");
    while (!worker_stopping(&t->worker))
        worker_rest(&t->worker, HOUR_NS);
    return RC_OK;
}

static void failed(void *arg, const struct err *why)
{
    struct task *t = arg;
    assert_string_equal(why->msg, "it broke");
    atomic_fetch_add(&t->failures, 1);
}

static int setup(void **state)
{
    static const struct worker_job job = {run, failed};
    static const struct clock_ops ops = {.wall_ns = ahead_boot, .boot_ns = ahead_boot};
    task = calloc(1, sizeof *task);
    if (!task)
        return -1;
    task->clock.ops = &ops;
    rng_seeded_init(&task->rng, 1);
    task->env = (struct env){.clock = &task->clock, .rng = &task->rng.rng};
    worker_init(&task->worker, &job, task, &task->env);
    *state = task;
    return 0;
}

static int teardown(void **state)
{
    worker_done(&task->worker);
    free(*state);
    return 0;
}

static void start(void)
{
    struct err e = ERR_INIT;
    if (worker_start(&task->worker, &e) != RC_OK)
        fail_msg("%s", e.msg);
}

static void wait_for(atomic_int *n, int wanted)
{
    while (atomic_load(n) < wanted)
        (void)poll(NULL, 0, 1);
}

static void a_job_is_done_once_and_ends_when_it_is_asked_to(void **state)
{
    (void)state;
    start();
    wait_for(&task->runs, 1);
    worker_wake(&task->worker);
    worker_done(&task->worker);
    assert_int_equal(atomic_load(&task->runs), 1);
    assert_int_equal(atomic_load(&task->failures), 0);
}

static void what_fails_is_said_and_done_again(void **state)
{
    (void)state;
    task->fails = 3;
    task->worker.backoff.first_ns = 1;
    start();
    wait_for(&task->runs, 4);
    assert_int_equal(atomic_load(&task->failures), 3);
    assert_int_equal(task->worker.backoff.attempts, 3);
}

static void the_pauses_begin_anew_after_a_run_that_was_sound(void **state)
{
    (void)state;
    task->fails = 3;
    task->takes_ns = HOUR_NS;
    task->worker.backoff.first_ns = 1;
    start();
    wait_for(&task->runs, 4);
    assert_int_equal(task->worker.backoff.attempts, 1);
}

/* The job takes the wake-up of its end, and fails. */
static enum rc run_into_failure(void *arg, struct err *e)
{
    struct task *t = arg;
    atomic_fetch_add(&t->runs, 1);
    while (!worker_stopping(&t->worker))
        worker_rest(&t->worker, HOUR_NS);
    return err_set(e, RC_IO, ERR_FATAL, "it broke");
}

static void what_fails_while_it_is_asked_to_end_does_not_pause(void **state)
{
    (void)state;
    static const struct worker_job job = {run_into_failure, failed};
    task->worker.job = &job;
    task->worker.backoff.first_ns = task->worker.backoff.max_ns = HOUR_NS;
    start();
    wait_for(&task->runs, 1);
}

static void a_pause_ends_by_a_stop_and_not_by_a_wake_up(void **state)
{
    (void)state;
    task->fails = 1;
    task->worker.backoff.first_ns = task->worker.backoff.max_ns = HOUR_NS;
    start();
    wait_for(&task->failures, 1);
    for (int i = 0; i < 20; i++) {
        worker_wake(&task->worker);
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&task->runs), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_job_is_done_once_and_ends_when_it_is_asked_to),
        T(what_fails_is_said_and_done_again),
        T(the_pauses_begin_anew_after_a_run_that_was_sound),
        T(what_fails_while_it_is_asked_to_end_does_not_pause),
        T(a_pause_ends_by_a_stop_and_not_by_a_wake_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/run_log: what is kept, and its way through a status. */
#include "controller/run_log.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static struct run made(enum run_result result, int64_t at_s)
{
    return (struct run){.result = result,
                        .due_s = at_s,
                        .started_ns = at_s * NS_PER_S,
                        .ended_ns = (at_s + 1) * NS_PER_S};
}

static void of_each_sort_the_latest_stay(void **state)
{
    (void)state;
    struct run_log log = {.n = 0};
    for (int64_t i = 1; i <= 10; i++) {
        const struct run run = made(i % 2 ? RUN_SUCCEEDED : i % 4 ? RUN_FAILED : RUN_MISSED, i);
        run_log_add(&log, &run, 3, 2);
    }
    static const int64_t left[] = {5, 7, 8, 9, 10};
    assert_int_equal(log.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(log.runs[i].due_s, left[i]);
    const struct run last = made(RUN_SUCCEEDED, 11);
    run_log_add(&log, &last, 0, 1);
    assert_int_equal(log.n, 1);
    assert_int_equal(log.runs[0].due_s, 10);
}

static void what_was_missed_is_told_once(void **state)
{
    (void)state;
    struct run_log log = {.n = 0};
    for (int64_t i = 0; i < 4; i++) {
        const struct run missed = made(RUN_MISSED, 1 + i / 2), failed = made(RUN_FAILED, 1);
        run_log_add(&log, &missed, 10, 10);
        run_log_add(&log, &failed, 10, 10); /* as often as it was tried */
    }
    assert_int_equal(log.n, 6);
}

static void whatever_a_plan_says_there_is_a_limit(void **state)
{
    (void)state;
    static struct run_log log;
    for (int64_t i = 1; i <= 500; i++) {
        const struct run run = made(i % 2 ? RUN_SUCCEEDED : RUN_REPLACED, i);
        run_log_add(&log, &run, 1000, 1000);
    }
    assert_int_equal(log.n, 2 * RUN_LOG_MAX);
    assert_int_equal(log.runs[log.n - 1].due_s, 500);
}

static void what_was_printed_is_read_again(void **state)
{
    (void)state;
    static struct sync_runs runs, back;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = ERR_INIT;
    struct run run = made(RUN_FAILED, 1700000000);
    snprintf(run.message, sizeof run.message, "2 nodes are held: \"/a\"");
    run_log_add(&runs.log, &run, 5, 5);
    run = made(RUN_SUCCEEDED, 1700003600);
    run.due_s = 0;
    run_log_add(&runs.log, &run, 5, 5);
    runs.decided_s = 1700003600;
    snprintf(runs.spec, sizeof runs.spec, "0123456789abcdef");
    buf_add_char(&out, '{');
    sync_runs_print(&runs, &out);
    buf_add_char(&out, '}');
    assert_int_equal(json_parse(buf_slice(&out), &doc, &e), RC_OK);
    sync_runs_read(&back, doc, json_root(doc));
    buf_add_char(&again, '{');
    sync_runs_print(&back, &again);
    buf_add_char(&again, '}');
    assert_true(slice_eq(buf_slice(&out), buf_slice(&again)));
    assert_int_equal(back.log.n, 2);
    assert_int_equal(back.log.runs[0].due_s, 1700000000);
    assert_string_equal(back.log.runs[0].message, "2 nodes are held: \"/a\"");
}

static void what_cannot_be_read_is_left_out(void **state)
{
    (void)state;
    static struct sync_runs runs;
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(
        json_parse(
            SLICE("{\"runs\":[{\"result\":\"Odd\"},{},{\"result\":\"Failed\",\"started\":7}],"
                  "\"scheduleDecidedTo\":\"soon\"}"),
            &doc, &e),
        RC_OK);
    sync_runs_read(&runs, doc, json_root(doc));
    assert_int_equal(runs.log.n, 1);
    assert_int_equal(runs.log.runs[0].started_ns, 0);
    assert_int_equal(runs.decided_s, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_each_sort_the_latest_stay),
        cmocka_unit_test(what_was_missed_is_told_once),
        cmocka_unit_test(whatever_a_plan_says_there_is_a_limit),
        cmocka_unit_test(what_was_printed_is_read_again),
        cmocka_unit_test(what_cannot_be_read_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

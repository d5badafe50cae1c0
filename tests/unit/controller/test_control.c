/* controller/control: orders over the socket to the threads of a runtime on fakes, and back. Under TSan, too. */
#include "tests/unit/controller/runtime_rig.h"

#include "controller/control.h"
#include "controller/order_board.h"
#include "controller/order_line.h"
#include "flow/pump_rows.h"
#include "io/line_ask.h"
#include "tests/conformance/temp_dir.h"

#define SYNC_AT "default/s"
#define A       SCOPE "/ns/o00"
#define LONG_NS (60 * NS_PER_S)

struct asker {
    const char *dir;
    const char *line; /* the question */
    struct buf answer;
    enum rc rc;
    atomic_bool over;
};

static void *ask_thread(void *arg)
{
    struct asker *a = arg;
    struct env env = {clock_sys(), NULL, NULL, NULL};
    struct err e = ERR_INIT;
    a->rc = line_ask(a->dir, CONTROL_SOCKET, slice_str(a->line), LONG_NS, &env, &a->answer, &e);
    atomic_store(&a->over, true);
    return NULL;
}

/* Asks while this thread serves, as the controller's does. hurry: time flies while an answer is waited for. */
static struct order_answer ask(const char *dir, struct control *c, const char *line, bool hurry)
{
    struct asker a = {.dir = dir, .line = line, .answer = BUF_INIT(65536)};
    struct order_answer answer;
    struct err e = ERR_INIT;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_thread, &a), 0);
    while (!atomic_load(&a.over)) {
        struct pollfd fds[CONTROL_FDS];
        int64_t wait_ns;
        size_t n = control_fds(c, fds, &wait_ns);
        (void)poll(fds, n, POLL_MS);
        if (hurry && wait_ns != INT64_MAX)
            atomic_fetch_add(&rig->ahead_ns, NS_PER_S);
        control_step(c);
    }
    pthread_join(thread, NULL);
    assert_int_equal(a.rc, RC_OK);
    if (order_answer_parse(buf_slice(&a.answer), &answer, &e) != RC_OK)
        fail_msg("%s", e.msg);
    buf_done(&a.answer);
    return answer;
}

static struct order_answer give(const char *dir, struct control *c, enum hold_act act,
                                const char *sync, const char *key)
{
    AUTO(buf_done) struct buf line = BUF_INIT(65536);
    struct order o = {.act = act};
    snprintf(o.sync, sizeof o.sync, "%s", sync);
    snprintf(o.key, sizeof o.key, "%s", key);
    order_print(&o, &line);
    return ask(dir, c, line.p, false);
}

static struct control *open_control(const char *dir)
{
    struct control *c = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(control_open(dir, rig->runtime, &rig->env, &c, &e), RC_OK);
    return c;
}

static void start(const char *suffix)
{
    AUTO(buf_done) struct buf yaml = BUF_INIT(65536);
    buf_addf(&yaml, "%s%s%s", RESOURCES, ONE_ENTRY, suffix);
    rig->resources = rig_read(yaml.p);
    rig_start(NULL);
}

/* Two objects, the first of which is refused. */
static void start_with_a_hold(void)
{
    dest_mem_script(rig->dest, A, &(struct sink_script){.outcome = SINK_HELD, .cls = "invalid"});
    start("");
    rig_identity();
    rig_list(2, "5");
    rig_wait(SYNC_AT, "held", "1");
}

static void an_order_is_carried_out_by_the_synchronizations_thread(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    start_with_a_hold();
    struct control *c = open_control(dir);
    struct order_answer a = give(dir, c, HOLD_SKIP, SYNC_AT, A);
    assert_int_equal(a.e.rc, RC_OK);
    assert_int_equal(a.n, 1);
    assert_false(a.at_rest);
    rig_wait(SYNC_AT, "skipped", "1");
    rig_wait(SYNC_AT, "held", "0");
    a = give(dir, c, HOLD_RETRY, SYNC_AT, "");
    assert_int_equal(a.n, 0);
    a = give(dir, c, HOLD_RETRY, SYNC_AT, A);
    assert_int_equal(a.n, 1);
    rig_wait(SYNC_AT, "skipped", "0");
    control_close(c);
    temp_dir_free(dir);
}

static void what_cannot_be_carried_out_is_answered_with_the_reason(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    start_with_a_hold();
    struct control *c = open_control(dir);
    struct order_answer a = give(dir, c, HOLD_SKIP, SYNC_AT, SCOPE "/ns/o01");
    assert_int_equal(a.e.rc, RC_NOTFOUND);
    assert_non_null(strstr(a.e.msg, "o01 is not held"));
    a = give(dir, c, HOLD_SKIP, "default/other", A);
    assert_int_equal(a.e.rc, RC_NOTFOUND);
    assert_non_null(strstr(a.e.msg, "default/other"));
    a = ask(dir, c, "{\"order\":\"reboot\",\"sync\":\"default/s\"}", false);
    assert_int_equal(a.e.rc, RC_INVALID);
    rig_wait(SYNC_AT, "held", "1");
    control_close(c);
    temp_dir_free(dir);
}

static void a_suspended_synchronization_obeys_too(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    start_with_a_hold();
    rig_stop();
    start("  suspend: true\n");
    rig_wait(SYNC_AT, "phase", "Suspended");
    struct control *c = open_control(dir);
    struct order_answer a = give(dir, c, HOLD_SKIP, SYNC_AT, A);
    assert_int_equal(a.e.rc, RC_OK);
    assert_true(a.at_rest);
    rig_wait(SYNC_AT, "skipped", "1");
    control_close(c);
    temp_dir_free(dir);
}

/* The log does not open: nobody has a checkpoint open. */
static void an_order_that_nobody_takes_is_withdrawn(void **state)
{
    (void)state;
    char *dir = temp_dir_new();
    atomic_store(&rig->fail_logs, 1000000);
    start("");
    struct control *c = open_control(dir);
    AUTO(buf_done) struct buf line = BUF_INIT(65536);
    order_print(&(struct order){HOLD_RETRY, SYNC_AT, ""}, &line);
    struct order_answer a = ask(dir, c, line.p, true);
    assert_int_equal(a.e.rc, RC_CONFLICT);
    assert_non_null(strstr(a.e.msg, "not at work"));
    control_close(c);
    temp_dir_free(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, runtime_setup, runtime_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_carried_out_by_the_synchronizations_thread),
        TEST(what_cannot_be_carried_out_is_answered_with_the_reason),
        TEST(a_suspended_synchronization_obeys_too),
        TEST(an_order_that_nobody_takes_is_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

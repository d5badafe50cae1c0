/* controller/member_runs: synchronizations that end, on fakes. Under TSan, too. */
#define RIG_ASSETS CLUSTERS DATABASES
#include "core/znode.h"
#include "tests/unit/controller/runtime_rig.h"

#define ROOT "/a"
#define ONCE(restart)                                                                              \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: Synchronization\n"                       \
    "metadata: {name: s}\nspec:\n  restartPolicy: " restart                                        \
    "\n  plugin: zookeeper-to-zookeeper-nodes\n"                                                   \
    "  config: {sourceName: za, destinationName: zb, rootPath: /a}\n"
#define ANOTHER_ROOT                                                                               \
    "---\n"                                                                                        \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: Synchronization\n"                       \
    "metadata: {name: t}\nspec:\n  plugin: zookeeper-to-zookeeper-nodes\n"                         \
    "  config: {sourceName: za, destinationName: zb, rootPath: /b}\n"
#define PLAN(fields) PLAN_OF(fields, "")
#define PLAN_OF(fields, of)                                                                        \
    "apiVersion: automation.astronetes.io/v1alpha1\nkind: SynchronizationPlan\n"                   \
    "metadata: {name: s}\nspec:\n" fields "  template:\n    spec:\n" of                            \
    "      plugin: zookeeper-to-zookeeper-nodes\n"                                                 \
    "      config: {sourceName: za, destinationName: zb, rootPath: /a}\n"
#define S "default/s"

static void begin(const char *yaml, bool only_once)
{
    struct err e = ERR_INIT;
    rig->own_phases = true;
    rig->tree = true;
    dest_mem_tree(rig->dest);
    dest_mem_tree(rig->other);
    rig->resources = rig_read(yaml);
    const struct runtime_opts opts = {
        .resources = rig->resources, .wiring = &rig->wiring, .only_once = only_once};
    rig->resources = NULL;
    assert_int_equal(runtime_start(&opts, &rig->env, &rig->runtime, &e), RC_OK);
}

static void say_node(struct producer *p, const char *key, const char *version)
{
    AUTO(buf_done) struct buf body = BUF_INIT(1024);
    const struct znode node = {.data = SLICE("x")};
    znode_print(&node, &body);
    fake_producer_say(p, &(struct event){.op = EVENT_PUT,
                                         .cause = CAUSE_LIST,
                                         .source_kind = SOURCE_ZOOKEEPER,
                                         .source = SLICE("src-1"),
                                         .key = slice_str(key),
                                         .version = slice_str(version),
                                         .uid = slice_str(key),
                                         .body = buf_slice(&body)});
}

/* A complete listing of ROOT and so many nodes below it; unread: what it says of those that it could not read. */
static void list_but(int nodes, const char *version, const char *unread)
{
    rig_wait_follows(ROOT, true); /* it is asked for a moment after the producer is opened */
    struct producer *p = rig_lock_producer();
    fake_producer_own(p, EVENT_SYNC_BEGIN, ROOT, NULL);
    say_node(p, ROOT, version);
    for (int i = 0; i < nodes; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, ROOT "/n%02d", i);
        say_node(p, key, version);
    }
    fake_producer_own(p, EVENT_SYNC_END, ROOT, version);
    fake_producer_set_status(p, ROOT, PRODUCER_FOLLOWING, unread);
    rig_unlock_producer();
}

static void list(int nodes, const char *version)
{
    list_but(nodes, version, "");
}

static void lack_root(void)
{
    rig_wait_follows(ROOT, true);
    fake_producer_set_status(rig_lock_producer(), ROOT, PRODUCER_MISSING, "no such root");
    rig_unlock_producer();
}

static void set_phase(enum producer_phase phase)
{
    rig_wait_follows(ROOT, true);
    fake_producer_set_status(rig_lock_producer(), ROOT, phase, "");
    rig_unlock_producer();
}

static bool is_to_be_listed(void)
{
    struct producer_status s;
    struct producer *p = rig_lock_producer();
    bool asked = producer_own->status(p, 0, &s) == RC_OK && s.phase != PRODUCER_FOLLOWING;
    rig_unlock_producer();
    return asked;
}

/* The source has so many nodes, and is listed whenever that is asked for: a run that began after a listing was over
 * wants another one. */
static enum rc serve_until_end(int nodes, const char *version, bool *ret_succeeded)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        if (runtime_ended(rig->runtime, ret_succeeded) == RC_OK)
            return RC_OK;
        if (is_to_be_listed())
            list(nodes, version);
        rig_rest();
    }
    return RC_AGAIN;
}

/* The latest run's member, and how many are told. */
static size_t latest(const char *member, char *out, size_t size)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err e = ERR_INIT;
    char runs[8192];
    rig_status(S, "runs", runs, sizeof runs);
    assert_int_equal(json_parse(slice_str(runs), &d, &e), RC_OK);
    size_t n = 0;
    out[0] = '\0';
    for (const struct json *run = json_root(d)->first; run; run = run->next, n++)
        (void)snprintf(out, size, "%.*s", SLICE_ARG(json_get_text(d, run, member)));
    return n;
}

static void a_synchronization_copies_and_ends(void **state)
{
    (void)state;
    char result[32];
    bool succeeded = false;
    begin(ONCE("Never"), false);
    assert_int_equal(runtime_ended(rig->runtime, &succeeded), RC_AGAIN);
    assert_true(runtime_ends(rig->runtime));
    rig_identity();
    assert_int_equal(serve_until_end(3, "5", &succeeded), RC_OK);
    assert_true(succeeded);
    rig_wait(S, "phase", "Succeeded");
    assert_int_equal(latest("result", result, sizeof result), 1);
    assert_string_equal(result, "Succeeded");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 4);
}

static void what_has_run_does_not_run_again_unless_that_is_wanted(void **state)
{
    (void)state;
    bool succeeded = false;
    begin(ONCE("Never"), false);
    rig_identity();
    assert_int_equal(serve_until_end(1, "5", &succeeded), RC_OK);
    rig_stop();
    begin(ONCE("Never"), false);
    assert_int_equal(serve_until_end(1, "5", &succeeded), RC_OK);
    assert_true(succeeded);
    rig_stop();
    assert_int_equal(atomic_load(&rig->sinks_opened), 1);
    begin(ONCE("Never"), true);
    rig_identity();
    assert_int_equal(serve_until_end(2, "6", &succeeded), RC_OK);
    rig_stop();
    assert_int_equal(atomic_load(&rig->sinks_opened), 2);
    assert_int_equal(dest_mem_count(rig->dest), 3);
}

static void what_is_held_fails_the_run(void **state)
{
    (void)state;
    char message[256];
    bool succeeded = true;
    const struct sink_script held = {.outcome = SINK_HELD, .cls = "no-auth"};
    dest_mem_script(rig->dest, ROOT "/n01", &held);
    begin(ONCE("Never"), false);
    rig_identity();
    assert_int_equal(serve_until_end(3, "5", &succeeded), RC_OK);
    assert_false(succeeded);
    rig_wait(S, "phase", "Failed");
    latest("message", message, sizeof message);
    assert_non_null(strstr(message, "1 held"));
}

/* How the only run ended: failed, for that reason. */
static void expect_failed(const char *reason)
{
    char message[256];
    bool succeeded = true;
    assert_int_equal(runtime_ended(rig->runtime, &succeeded), RC_OK);
    assert_false(succeeded);
    rig_wait(S, "phase", "Failed");
    latest("message", message, sizeof message);
    assert_non_null(strstr(message, reason));
}

static bool is_over(void)
{
    bool ignored;
    return runtime_ended(rig->runtime, &ignored) == RC_OK;
}

static void what_of_the_source_cannot_be_read_fails_the_run_when_all_else_is_copied(void **state)
{
    (void)state;
    begin(ONCE("Never"), false);
    rig_identity();
    for (int i = 0; i < POLLS_MAX && !is_over(); i++, rig_rest())
        if (is_to_be_listed())
            list_but(3, "5", "1 cannot be read");
    expect_failed("not all of the source was read: 1 cannot be read");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 4);
}

static void a_root_that_the_source_lacks_fails_the_run_without_waiting_for_it(void **state)
{
    (void)state;
    begin(ONCE("Never"), false);
    rig_identity();
    for (int i = 0; i < POLLS_MAX && !is_over(); i++, rig_rest())
        lack_root();
    expect_failed("not all of the source was read: no such root");
}

static void a_root_that_the_source_lacks_does_not_fail_the_run_of_another(void **state)
{
    (void)state;
    begin(ONCE("Never") ANOTHER_ROOT, false);
    rig_identity();
    for (int i = 0; i < POLLS_MAX && !is_over(); i++, rig_rest()) {
        struct producer *p = rig_lock_producer();
        if (fake_producer_resume(p, "/b"))
            fake_producer_set_status(p, "/b", PRODUCER_MISSING, "no such root");
        rig_unlock_producer();
        if (is_to_be_listed())
            list(1, "5");
    }
    rig_wait("default/t", "phase", "Failed");
    rig_wait(S, "phase", "Succeeded");
}

static void a_sink_that_breaks_fails_the_run_and_is_tried_again_where_that_is_said(void **state)
{
    (void)state;
    bool succeeded = false;
    atomic_store(&rig->fail_steps, 1);
    begin(ONCE("OnFailure"), false);
    rig_identity();
    list(3, "5");
    rig_wait(S, "phase", "Failed");
    assert_int_equal(runtime_ended(rig->runtime, &succeeded), RC_AGAIN);
    atomic_fetch_add(&rig->ahead_ns, 30 * NS_PER_S);
    assert_int_equal(serve_until_end(3, "5", &succeeded), RC_OK);
    assert_true(succeeded);
}

static void a_source_that_never_says_who_it_is_fails_the_run(void **state)
{
    (void)state;
    char message[256];
    bool succeeded = true;
    begin(ONCE("Never"), true);
    rig_wait(S, "phase", "Pending");
    atomic_fetch_add(&rig->ahead_ns, 61 * NS_PER_S);
    for (int i = 0; i < POLLS_MAX && runtime_ended(rig->runtime, &succeeded) != RC_OK; i++)
        rig_rest();
    assert_false(succeeded);
    latest("message", message, sizeof message);
    if (!strstr(message, "the source did not answer in time"))
        fail_msg("%s", message);
}

static void a_source_that_took_its_time_leaves_the_destination_as_much(void **state)
{
    (void)state;
    bool succeeded = false;
    begin(ONCE("Never"), true);
    rig_wait(S, "phase", "Pending");
    set_phase(PRODUCER_CONNECTING);
    atomic_fetch_add(&rig->ahead_ns, 50 * NS_PER_S);
    rig_identity();
    rig_wait_count(&rig->sinks_opened, 1);
    atomic_fetch_add(&rig->ahead_ns, 15 * NS_PER_S);
    for (int i = 0; i < 20; i++) /* it looks at how far it is meanwhile */
        rig_rest();
    assert_int_equal(serve_until_end(1, "5", &succeeded), RC_OK);
    assert_true(succeeded);
}

static void a_source_that_cannot_be_opened_ends_what_was_ordered_now(void **state)
{
    (void)state;
    bool succeeded = true;
    begin(ONCE("Never"), false);
    rig_identity();
    assert_int_equal(serve_until_end(1, "5", &succeeded), RC_OK);
    rig_stop();
    atomic_store(&rig->fail_logs, 1000);
    begin(ONCE("Never"), true);
    for (int i = 0; i < POLLS_MAX && runtime_ended(rig->runtime, &succeeded) != RC_OK; i++)
        rig_rest();
    assert_false(succeeded);
    rig_wait(S, "phase", "Failed");
    char result[32];
    assert_int_equal(latest("result", result, sizeof result),
                     1); /* what ran before is still told */
    assert_string_equal(result, "Succeeded");
}

static void a_checkpoint_that_cannot_be_opened_ends_what_was_ordered_now(void **state)
{
    (void)state;
    bool succeeded = true;
    atomic_store(&rig->fail_ckpts, 1000);
    begin(ONCE("Never"), true);
    rig_identity();
    assert_int_equal(serve_until_end(1, "5", &succeeded), RC_OK);
    assert_false(succeeded);
}

/* The clock is put to some seconds before the hour. */
static void put_clock_before_the_hour(int64_t seconds)
{
    int64_t now = clock_wall_ns(&rig->clock) / NS_PER_S;
    atomic_fetch_add(&rig->ahead_ns, (3600 - now % 3600 - seconds) * NS_PER_S);
}

static void a_plan_runs_when_its_time_comes(void **state)
{
    (void)state;
    char result[32];
    put_clock_before_the_hour(1800);
    begin(PLAN("  schedule: TZ=UTC 0 * * * *\n"), false);
    rig_identity();
    list(2, "5");
    rig_wait(S, "phase", "Scheduled");
    assert_false(runtime_ends(rig->runtime));
    assert_int_equal(atomic_load(&rig->sinks_opened), 0);
    put_clock_before_the_hour(-1);
    for (int i = 0; i < POLLS_MAX && latest("result", result, sizeof result) < 1; i++) {
        if (is_to_be_listed())
            list(3, "6");
        rig_rest();
    }
    assert_string_equal(result, "Succeeded");
    rig_stop();
    assert_int_equal(dest_mem_count(rig->dest), 4);
}

static void a_suspended_plan_does_not_run(void **state)
{
    (void)state;
    put_clock_before_the_hour(1800);
    begin(PLAN("  schedule: TZ=UTC 0 * * * *\n  suspend: true\n"), false);
    rig_identity();
    list(2, "5");
    rig_wait(S, "phase", "Suspended");
    put_clock_before_the_hour(-1);
    rig_wait(S, "nextScheduleTime", "null");
    assert_int_equal(atomic_load(&rig->sinks_opened), 0);
}

static void a_run_that_could_not_begin_in_time_counts_as_failed(void **state)
{
    (void)state;
    char result[32];
    put_clock_before_the_hour(1800);
    begin(PLAN("  schedule: TZ=UTC 0 * * * *\n  startingDeadlineSeconds: 10\n"), false);
    rig_identity();
    list(2, "5");
    rig_wait(S, "phase", "Scheduled");
    put_clock_before_the_hour(-60);
    for (int i = 0; i < POLLS_MAX && latest("result", result, sizeof result) < 1; i++)
        rig_rest();
    assert_string_equal(result, "Missed");
    assert_int_equal(atomic_load(&rig->sinks_opened), 0);
}

static void wait_for_result(const char *wanted)
{
    char result[32] = "";
    for (int i = 0; i < POLLS_MAX && strcmp(result, wanted) != 0; i++, rig_rest())
        latest("result", result, sizeof result);
    assert_string_equal(result, wanted);
}

/* Its run of the hour has failed, and will be tried again. */
static void fail_the_run_of(const char *plan)
{
    put_clock_before_the_hour(1800);
    atomic_store(&rig->fail_steps, 1);
    begin(plan, false);
    rig_identity();
    list(2, "5");
    rig_wait(S, "phase", "Scheduled");
    put_clock_before_the_hour(-1);
    wait_for_result("Failed");
    assert_int_equal(atomic_load(&rig->sinks_opened), 1);
}

static void another_try_is_not_lost_with_the_process(void **state)
{
    (void)state;
    const char *plan =
        PLAN_OF("  schedule: TZ=UTC 0 * * * *\n", "      restartPolicy: OnFailure\n");
    fail_the_run_of(plan);
    rig_stop();
    begin(plan, false);
    rig_identity();
    rig_wait(S, "phase", "Scheduled");
    atomic_fetch_add(&rig->ahead_ns, 30 * NS_PER_S);
    rig_wait_count(&rig->sinks_opened, 2);
}

static void what_replaces_another_try_is_not_lost_with_the_process(void **state)
{
    (void)state;
    const char *plan = PLAN_OF("  schedule: TZ=UTC 0 * * * *\n  concurrencyPolicy: Replace\n",
                               "      restartPolicy: OnFailure\n");
    fail_the_run_of(plan);
    atomic_fetch_add(&rig->ahead_ns, 30 * NS_PER_S);
    rig_wait_count(&rig->sinks_opened, 2);
    for (int i = 0; i < POLLS_MAX && !is_to_be_listed(); i++)
        rig_rest();
    set_phase(PRODUCER_LISTING);
    rig_wait(S, "phase", "Live"); /* the source is there, and no patience runs out */
    put_clock_before_the_hour(-1);
    wait_for_result("Replaced");
    rig_wait_count(&rig->sinks_opened, 3);
    rig_stop();
    begin(plan, false);
    rig_identity();
    rig_wait_count(&rig->sinks_opened, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_synchronization_copies_and_ends, runtime_setup,
                                        runtime_teardown),
        cmocka_unit_test_setup_teardown(what_has_run_does_not_run_again_unless_that_is_wanted,
                                        runtime_setup, runtime_teardown),
        cmocka_unit_test_setup_teardown(
            what_of_the_source_cannot_be_read_fails_the_run_when_all_else_is_copied, runtime_setup,
            runtime_teardown),
        cmocka_unit_test_setup_teardown(
            a_root_that_the_source_lacks_fails_the_run_without_waiting_for_it, runtime_setup,
            runtime_teardown),
        cmocka_unit_test_setup_teardown(
            a_root_that_the_source_lacks_does_not_fail_the_run_of_another, runtime_setup,
            runtime_teardown),
        cmocka_unit_test_setup_teardown(what_is_held_fails_the_run, runtime_setup,
                                        runtime_teardown),
        cmocka_unit_test_setup_teardown(
            a_sink_that_breaks_fails_the_run_and_is_tried_again_where_that_is_said, runtime_setup,
            runtime_teardown),
        cmocka_unit_test_setup_teardown(a_source_that_never_says_who_it_is_fails_the_run,
                                        runtime_setup, runtime_teardown),
        cmocka_unit_test_setup_teardown(a_source_that_cannot_be_opened_ends_what_was_ordered_now,
                                        runtime_setup, runtime_teardown),
        cmocka_unit_test_setup_teardown(
            a_checkpoint_that_cannot_be_opened_ends_what_was_ordered_now, runtime_setup,
            runtime_teardown),
        cmocka_unit_test_setup_teardown(a_source_that_took_its_time_leaves_the_destination_as_much,
                                        runtime_setup, runtime_teardown),
        cmocka_unit_test_setup_teardown(another_try_is_not_lost_with_the_process, runtime_setup,
                                        runtime_teardown),
        cmocka_unit_test_setup_teardown(what_replaces_another_try_is_not_lost_with_the_process,
                                        runtime_setup, runtime_teardown),
        cmocka_unit_test_setup_teardown(a_plan_runs_when_its_time_comes, runtime_setup,
                                        runtime_teardown),
        cmocka_unit_test_setup_teardown(a_suspended_plan_does_not_run, runtime_setup,
                                        runtime_teardown),
        cmocka_unit_test_setup_teardown(a_run_that_could_not_begin_in_time_counts_as_failed,
                                        runtime_setup, runtime_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

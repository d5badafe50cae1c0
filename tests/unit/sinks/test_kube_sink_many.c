/* The Kubernetes sink with many items at once: the window, what fills it, random faults. */
#include "tests/unit/sinks/kube_test_job.h"

#define CONFIG(name, data)                                                                         \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" name "','namespace':'ns'},"       \
    "'data':{" data "}}"
#define DARK   "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s','namespace':'dark'}}"
#define N_KEYS 5

/* Puts the value into the i-th key, or deletes it where that is NULL. */
static void submit_one(struct kw *w, struct kw_job *jobs, size_t i, const char *value)
{
    static const char *const keys[N_KEYS] = {"/configmaps/ns/k0", "/configmaps/ns/k1",
                                             "/configmaps/ns/k2", "/configmaps/ns/k3",
                                             "/configmaps/ns/k4"};
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    buf_addf(&json, "{'metadata':{'name':'k%zu','namespace':'ns'},'data':{'v':'%s'}}", i, value);
    if (jobs[i].event.key.n == 0)
        kw_job(&jobs[i], keys[i], "v1", "ConfigMap");
    while (kw_submit(w, &jobs[i], value ? SINK_PUT : SINK_DELETE, json.p) == RC_AGAIN) {
        assert_true(kw_pass(w));
        kw_take(w, jobs, i);
    }
}

static void submit_all(struct kw *w, struct kw_job *jobs, const char *value)
{
    for (size_t i = 0; i < N_KEYS; i++)
        submit_one(w, jobs, i, value);
}

static void finish_all(struct kw *w, struct kw_job *jobs)
{
    for (int i = 0; i < 2000; i++) {
        (void)kw_settle(w);
        kw_take(w, jobs, N_KEYS);
        size_t left = 0;
        for (size_t k = 0; k < N_KEYS; k++)
            left += !jobs[k].finished;
        if (left == 0)
            return;
        assert_true(kw_pass(w));
    }
    fail_msg("items without a result");
}

static void done_all(struct kw_job *jobs)
{
    for (size_t i = 0; i < N_KEYS; i++)
        kw_job_done(&jobs[i]);
}

static void many_items_are_on_their_way_at_once(void **state)
{
    struct kw *w = *state;
    struct kw_job jobs[N_KEYS] = {0};
    kw_connect(w);
    fake_kube_faults(w->kube, 3,
                     &(struct fake_kube_rates){.per_mille = {[FAKE_KUBE_DELAY] = 1000},
                                               .delay_max_ns = 5 * NS_PER_S});
    int64_t start = clock_boot_ns(&w->clock.clock);
    submit_all(w, jobs, "1");
    finish_all(w, jobs);
    /* One after another they would take the sum of the delays. */
    assert_true(clock_boot_ns(&w->clock.clock) - start <= 5 * NS_PER_S);
    for (size_t i = 0; i < N_KEYS; i++)
        kw_expect(&jobs[i], SINK_DONE, "");
    done_all(jobs);
}

static void results_that_nobody_takes_push_back(void **state)
{
    struct kw *w = *state;
    struct kw_job jobs[3];
    kw_reopen(w, 2);
    kw_connect(w);
    kw_job(&jobs[0], "/configmaps/ns/k0", "v1", "ConfigMap");
    kw_job(&jobs[1], "/configmaps/ns/k1", "v1", "ConfigMap");
    kw_job(&jobs[2], "/configmaps/ns/k2", "v1", "ConfigMap");
    assert_int_equal(kw_submit(w, &jobs[0], SINK_PUT, CONFIG("k0", "")), RC_OK);
    assert_int_equal(kw_submit(w, &jobs[1], SINK_PUT, CONFIG("k1", "")), RC_OK);
    assert_int_equal(kw_submit(w, &jobs[2], SINK_PUT, CONFIG("k2", "")), RC_AGAIN);
    (void)kw_settle(w);
    assert_int_equal(kw_submit(w, &jobs[2], SINK_PUT, CONFIG("k2", "")), RC_AGAIN);
    kw_take(w, jobs, 2);
    assert_true(jobs[0].finished && jobs[1].finished);
    assert_int_equal(kw_submit(w, &jobs[2], SINK_PUT, CONFIG("k2", "")), RC_OK);
    kw_finish(w, &jobs[2]);
    for (size_t i = 0; i < 3; i++)
        kw_job_done(&jobs[i]);
}

/* A client in between that counts the requests on their way, and the answers since most was last set to 0. */
struct gauge {
    struct http http; /* first */
    struct http *to;
    size_t now, most, answers;
};

static enum rc gauge_start(struct http *h, const struct http_request *r, http_id *ret_id,
                           struct err *e)
{
    struct gauge *g = (struct gauge *)h;
    g->now++;
    g->most = g->now > g->most ? g->now : g->most;
    return http_start(g->to, r, ret_id, e);
}

static enum rc gauge_take(struct http *h, struct http_event *ret, struct err *e)
{
    struct gauge *g = (struct gauge *)h;
    enum rc rc = http_take(g->to, ret, e);
    if (rc == RC_OK && ret->kind == HTTP_DONE) {
        g->now--;
        g->answers++;
    }
    return rc;
}

static void gauge_close(struct http *h)
{
    http_close(((struct gauge *)h)->to);
}

static const struct http_ops gauge_ops = {
    .start = gauge_start, .take = gauge_take, .close = gauge_close};

/* Every answer takes its time, so that requests are on their way together. */
static void set_slow(struct kw *w, bool slow)
{
    static const struct fake_kube_rates delays = {.per_mille = {[FAKE_KUBE_DELAY] = 1000}};
    fake_kube_faults(w->kube, 3, slow ? &delays : NULL);
}

/* Puts a value into all keys; the most requests that were on their way at once. */
static size_t most_at_once(struct kw *w, struct gauge *g, struct kw_job *jobs, const char *value)
{
    g->most = 0;
    submit_all(w, jobs, value);
    finish_all(w, jobs);
    return g->most;
}

static void the_window_shrinks_when_throttled_and_grows_with_success(void **state)
{
    struct kw *w = *state;
    struct kw_job jobs[N_KEYS] = {0};
    struct gauge g = {.http = {.ops = &gauge_ops}};
    struct err e = ERR_INIT;
    sink_close(w->sink);
    w->sink = NULL;
    fake_kube_connect(w->kube, &g.to);
    const struct kube_sink_opts opts = {
        .http = &g.http, .source = SLICE("src-1"), .sync = SLICE("dr/sync"), .window = N_KEYS};
    assert_int_equal(kube_sink_open(&opts, &w->env, &w->sink, &e), RC_OK);
    kw_connect(w);
    set_slow(w, true);
    assert_int_equal(most_at_once(w, &g, jobs, "1"), N_KEYS);
    set_slow(w, false);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_THROTTLED,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/namespaces/ns/",
                                                     .times = N_KEYS});
    submit_all(w, jobs, "2");
    (void)kw_settle(w); /* all five are told to wait */
    set_slow(w, true);
    while (g.now == 0) {
        assert_true(kw_pass(w));
        (void)kw_settle(w);
    }
    assert_int_equal(g.now, 1);
    for (g.answers = 0; g.answers < N_KEYS; (void)kw_settle(w)) {
        assert_true(g.now <= 1 + g.answers); /* each success lets one more go */
        assert_true(kw_pass(w));
    }
    finish_all(w, jobs);
    assert_true(most_at_once(w, &g, jobs, "3") > 1);
    sink_close(w->sink);
    w->sink = NULL;
    done_all(jobs);
}

/* Every key must hold the value, or nothing where it is NULL. */
static void assert_all_hold(struct kw *w, const struct kw_job *jobs, const char *value)
{
    AUTO(buf_done) struct buf want = BUF_INIT(64);
    buf_addf(&want, "\"data\":{\"v\":\"%s\"}", value ? value : "");
    for (size_t i = 0; i < N_KEYS; i++) {
        struct slice got = fake_kube_get(w->kube, jobs[i].event.key.p);
        kw_expect(&jobs[i], SINK_DONE, "");
        assert_int_equal(kt_has(got, want.p), value != NULL);
        assert_int_equal(got.n > 0, value != NULL);
    }
}

/* What met a fault eight times in a row is tried again later, as the pump does. */
static void submit_unserved_again(struct kw *w, struct kw_job *jobs, const char *value)
{
    for (size_t i = 0; i < N_KEYS; i++)
        while (jobs[i].result.outcome == SINK_HELD && strcmp(jobs[i].cls, "unserved") == 0) {
            submit_one(w, jobs, i, value);
            finish_all(w, jobs);
        }
}

static void run_rounds(struct kw *w, uint64_t seed)
{
    static const char *const rounds[] = {"1", "2", NULL, "3", NULL, "4"};
    static const struct fake_kube_rates rates = {.per_mille = {[FAKE_KUBE_REFUSED] = 40,
                                                               [FAKE_KUBE_REQUEST_LOST] = 60,
                                                               [FAKE_KUBE_REPLY_LOST] = 60,
                                                               [FAKE_KUBE_THROTTLED] = 40,
                                                               [FAKE_KUBE_ERROR] = 40,
                                                               [FAKE_KUBE_ERROR_DONE] = 60,
                                                               [FAKE_KUBE_NONSENSE] = 30,
                                                               [FAKE_KUBE_DELAY] = 100,
                                                               [FAKE_KUBE_BODY_CUT] = 30}};
    struct kw_job jobs[N_KEYS] = {0};
    fake_kube_faults(w->kube, seed, &rates);
    for (size_t r = 0; r < sizeof rounds / sizeof *rounds; r++) {
        submit_all(w, jobs, rounds[r]);
        finish_all(w, jobs);
        submit_unserved_again(w, jobs, rounds[r]);
        assert_all_hold(w, jobs, rounds[r]);
    }
    fake_kube_faults(w->kube, 0, NULL);
    submit_all(w, jobs, NULL);
    finish_all(w, jobs);
    done_all(jobs);
}

/* An admission webhook that never answers, for one namespace: the writes there end with a time limit. */
static void make_dark(struct kw *w, unsigned times)
{
    if (fake_kube_get(w->kube, "/namespaces//dark").n == 0)
        assert_int_equal(fake_kube_put(w->kube, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
                                                "\"metadata\":{\"name\":\"dark\"}}"),
                         201);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_SILENT,
                                                     .method = HTTP_POST,
                                                     .path = "/api/v1/namespaces/dark/",
                                                     .times = times});
}

static void a_write_that_never_gets_an_answer_is_held_and_says_which_limit_it_was(void **state)
{
    struct kw *w = *state;
    struct kw_job dark, sound[N_KEYS] = {0};
    struct sink_status st;
    kw_job(&dark, "/secrets/dark/s", "v1", "Secret");
    make_dark(w, 8);
    kw_connect(w);
    assert_int_equal(kw_submit(w, &dark, SINK_PUT, DARK), RC_OK);
    (void)kw_settle(w);
    submit_all(w, sound, "1");
    (void)kw_settle(w);
    kw_take(w, sound, N_KEYS);
    for (size_t i = 0; i < N_KEYS; i++)
        assert_true(sound[i].finished); /* while the silent one is still waited for */
    kw_finish(w, &dark);
    kw_expect(&dark, SINK_HELD, "unserved");
    assert_true(kt_has(slice_str(dark.result.reason), "error creating object in cluster"));
    assert_true(kt_has(slice_str(dark.result.reason), "time limit: no answer within 35 s"));
    kw_connect(w);
    sink_status(w->sink, &st);
    assert_false(st.fatal);
    kw_apply(w, &dark, SINK_PUT, DARK); /* the webhook answers again */
    kw_expect(&dark, SINK_DONE, "");
    assert_true(fake_kube_get(w->kube, "/secrets/dark/s").n > 0);
    kw_job_done(&dark);
    done_all(sound);
}

/* Runs until so many of the items have a result. */
static void run_until_finished(struct kw *w, struct kw_job *jobs, size_t n, size_t wanted)
{
    for (size_t finished = 0; finished < wanted;) {
        assert_true(kw_pass(w));
        kw_take(w, jobs, n);
        finished = 0;
        for (size_t i = 0; i < n; i++)
            finished += jobs[i].finished;
    }
}

/* As many as there is room for: they give way before their patience is over, and the rest gets through. */
static void silent_items_never_keep_the_whole_window(void **state)
{
    static const char *const keys[] = {"/secrets/dark/s0", "/secrets/dark/s1", "/secrets/dark/s2",
                                       "/secrets/dark/s3", "/configmaps/ns/a"};
    struct kw *w = *state;
    struct kw_job jobs[5];
    kw_reopen(w, 4);
    make_dark(w, 1000);
    kw_connect(w);
    for (size_t i = 0; i < 5; i++)
        kw_job(&jobs[i], keys[i], "v1", i < 4 ? "Secret" : "ConfigMap");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(kw_submit(w, &jobs[i], SINK_PUT, DARK), RC_OK);
    int64_t start = clock_boot_ns(&w->clock.clock);
    run_until_finished(w, jobs, 4, 2); /* the other half may go on */
    assert_true(clock_boot_ns(&w->clock.clock) - start < 120 * NS_PER_S);
    while (kw_submit(w, &jobs[4], SINK_PUT, CONFIG("a", "'k':'v'")) == RC_AGAIN)
        assert_true(kw_pass(w));
    start = clock_boot_ns(&w->clock.clock);
    run_until_finished(w, jobs, 5, 3);
    kw_expect(&jobs[4], SINK_DONE, "");
    assert_true(clock_boot_ns(&w->clock.clock) - start < NS_PER_S);
    for (size_t i = 0; i < 5; i++)
        kw_job_done(&jobs[i]);
}

static void a_silence_of_the_whole_destination_holds_nothing(void **state)
{
    struct kw *w = *state;
    struct kw_job jobs[N_KEYS] = {0};
    kw_reopen(w, N_KEYS);
    kw_connect(w);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_SILENT,
                                                     .method = FAKE_KUBE_ANY,
                                                     .path = "/",
                                                     .times = 100});
    int64_t start = clock_boot_ns(&w->clock.clock);
    submit_all(w, jobs, "1");
    finish_all(w, jobs);
    assert_true(clock_boot_ns(&w->clock.clock) - start > 600 * NS_PER_S);
    assert_all_hold(w, jobs, "1");
    done_all(jobs);
}

/* Whatever happens on the way, each item gets its result, and the last round is what the destination holds. */
static void under_random_faults_all_items_end_and_the_last_state_holds(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        run_rounds(*state, seed);
}

static void a_sink_may_be_closed_with_items_on_their_way(void **state)
{
    struct kw *w = *state;
    struct kw_job jobs[N_KEYS] = {0};
    kw_connect(w);
    submit_all(w, jobs, "1");
    int64_t wake;
    struct err e = ERR_INIT;
    assert_int_equal(sink_step(w->sink, &wake, &e), RC_OK);
    kw_reopen(w, 0);
    done_all(jobs);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kw_setup, kw_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(many_items_are_on_their_way_at_once),
        T(the_window_shrinks_when_throttled_and_grows_with_success),
        T(results_that_nobody_takes_push_back),
        T(a_write_that_never_gets_an_answer_is_held_and_says_which_limit_it_was),
        T(silent_items_never_keep_the_whole_window),
        T(a_silence_of_the_whole_destination_holds_nothing),
        T(under_random_faults_all_items_end_and_the_last_state_holds),
        T(a_sink_may_be_closed_with_items_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

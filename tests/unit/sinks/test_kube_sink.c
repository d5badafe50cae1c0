/* The Kubernetes sink against a modelled API server: single items, faults, and a destination that comes and goes. */
#include "tests/unit/sinks/kube_test_job.h"

#include "sinks/kube_mark.h"

#define CONFIG(name, data)                                                                         \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" name "','namespace':'ns',"        \
    "'uid':'u-src','resourceVersion':'1','managedFields':[]},'data':{" data "}}"
#define A        "/configmaps/ns/a"
#define WIDGET   "example.com/widgets/ns/w"
#define CRD      "apiextensions.k8s.io/customresourcedefinitions//widgets.example.com"
#define POSTS(w) fake_kube_count_writes((w)->kube, HTTP_POST, "/api/v1/namespaces/ns/configmaps")

static size_t writes(struct kw *w)
{
    return fake_kube_writes(w->kube);
}

static void plan(struct kw *w, enum fake_kube_fault fault, int method, const char *path)
{
    fake_kube_plan(w->kube,
                   &(struct fake_kube_rule){.fault = fault, .method = method, .path = path});
}

/* ---- Connection ---- */

static void nothing_is_taken_before_the_destination_is_known(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    struct sink_status st;
    kw_job(&j, A, "v1", "ConfigMap");
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "")), RC_AGAIN);
    sink_status(w->sink, &st);
    assert_false(st.connected);
    assert_true(st.error[0] != '\0');
    kw_connect(w);
    sink_status(w->sink, &st);
    assert_true(st.connected && !st.fatal && st.error[0] == '\0');
    kw_job_done(&j);
}

static void a_cluster_is_never_copied_into_itself(void **state)
{
    struct kw *w = *state;
    struct sink_status st;
    fake_kube_set_cluster_uid(w->kube, "src-1");
    assert_true(kw_settle(w) == INT64_MAX);
    sink_status(w->sink, &st);
    assert_true(st.fatal && !st.connected);
    assert_string_equal(st.error, "source and destination are the same cluster");
}

static void another_cluster_behind_the_address_is_never_written_to(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    struct sink_status st;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_connect(w);
    fake_kube_set_cluster_uid(w->kube, "dest-2");
    plan(w, FAKE_KUBE_REFUSED, HTTP_POST, "/");
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "")), RC_OK);
    while (kw_pass(w))
        kw_take(w, &j, 1);
    sink_status(w->sink, &st);
    assert_true(st.fatal);
    assert_false(j.finished);
    assert_int_equal(writes(w), 0);
    kw_job_done(&j);
}

static void a_destination_that_is_down_loses_nothing(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    struct sink_status st;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_connect(w);
    fake_kube_set_down(w->kube, true);
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "")), RC_OK);
    int64_t start = clock_boot_ns(&w->clock.clock);
    int tries = 0;
    while (clock_boot_ns(&w->clock.clock) < start + 600 * NS_PER_S) {
        assert_true(kw_pass(w));
        tries++;
    }
    sink_status(w->sink, &st);
    assert_false(st.connected);
    assert_true(tries < 200); /* no busy loop */
    fake_kube_set_down(w->kube, false);
    kw_finish(w, &j);
    kw_expect(&j, SINK_DONE, "");
    sink_status(w->sink, &st);
    assert_true(st.connected);
    kw_job_done(&j);
}

static void D62_a_401_stops_all_writes_until_it_ends(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    struct sink_status st;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_connect(w);
    fake_kube_set_unauthorized(w->kube, true);
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "")), RC_OK);
    int64_t wake = kw_settle(w);
    assert_true(wake >= clock_boot_ns(&w->clock.clock) + 20 * NS_PER_S);
    sink_status(w->sink, &st);
    assert_false(st.connected);
    fake_kube_set_unauthorized(w->kube, false);
    kw_finish(w, &j);
    kw_expect(&j, SINK_DONE, "");
    kw_job_done(&j);
}

/* ---- Applying ---- */

static void what_was_applied_once_is_not_written_again(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_DONE, "");
    assert_true(j.result.wrote);
    size_t n = writes(w);
    struct fake_kube_counts before = fake_kube_counts(w->kube);
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    assert_int_equal(writes(w), n);
    assert_int_equal(fake_kube_counts(w->kube).gets, before.gets);
    /* ... and with the record lost: a look, but no write. */
    buf_reset(&j.record);
    kw_reopen(w, 0);
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(writes(w), n + 1); /* the POST that was answered 409 */
    assert_true(j.record.n > 0);
    kw_job_done(&j);
}

static void every_untouched_member_arrives_byte_for_byte(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT,
             CONFIG("a", "'n':'9007199254740993','e':'\\u00e9\\ud83d\\ude00','z':'\\u0001','':''"));
    assert_true(kt_has(fake_kube_get(w->kube, A),
                       "{\"n\":\"9007199254740993\",\"e\":\"\\u00e9\\ud83d\\ude00\",\"z\":"
                       "\"\\u0001\",\"\":\"\"}"));
    kw_job_done(&j);
}

static void changes_and_deletes_follow(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v','x':'1'"));
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'w'"));
    assert_true(kt_has(fake_kube_get(w->kube, A), "\"data\":{\"k\":\"w\"}"));
    kw_apply(w, &j, SINK_DELETE, "");
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(fake_kube_get(w->kube, A).n, 0);
    assert_int_equal(j.record.n, 0);
    kw_job_done(&j);
}

static void an_object_of_somebody_else_survives_both_put_and_delete(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    AUTO(freep) char *own = kt_quotes(CONFIG("a", "'mine':'1'"));
    assert_int_equal(fake_kube_put(w->kube, own), 201);
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_HELD, "not-ours");
    kw_apply(w, &j, SINK_DELETE, "");
    kw_expect(&j, SINK_DONE, "not-ours");
    assert_true(kt_has(fake_kube_get(w->kube, A), "\"mine\":\"1\""));
    kw_job_done(&j);
}

static void a_missing_namespace_and_a_missing_kind_wait_for_what_would_help(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, "/configmaps/other/a", "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, "{'metadata':{'name':'a','namespace':'other'}}");
    kw_expect(&j, SINK_WAITING, "namespace-missing");
    kt_assert_text(buf_slice(&j.dependency), "/namespaces//other");
    j.policy.force_namespace = true;
    kw_apply(w, &j, SINK_PUT, "{'metadata':{'name':'a','namespace':'other'}}");
    kw_expect(&j, SINK_DONE, "");
    assert_true(kt_has(fake_kube_get(w->kube, "/namespaces//other"), KUBE_OWNER_MARK));
    kw_job_done(&j);
    kw_job(&j, "example.com/widgets/ns/a", "example.com/v1", "Widget");
    kw_apply(w, &j, SINK_PUT, "{'metadata':{'name':'a','namespace':'ns'}}");
    kw_expect(&j, SINK_WAITING, "kind-missing");
    kt_assert_text(buf_slice(&j.dependency),
                   "apiextensions.k8s.io/customresourcedefinitions//widgets.example.com");
    kw_job_done(&j);
}

/* The destination serves this version of widgets. */
static void define_widgets(struct kw *w, const char *version)
{
    AUTO(buf_done) struct buf crd = BUF_INIT(4096);
    buf_addf(&crd,
             "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
             "\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\","
             "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},"
             "\"versions\":[{\"name\":\"v1\",\"served\":%s,\"storage\":true},{\"name\":\"v2\","
             "\"served\":%s}]}}",
             strcmp(version, "v1") ? "false" : "true", strcmp(version, "v2") ? "false" : "true");
    assert_true(fake_kube_put(w->kube, crd.p) / 100 == 2);
    fake_clock_advance(&w->clock, 60 * NS_PER_S);
    fake_kube_run(w->kube); /* it is Established now */
}

/* The whole kind goes, with its objects. */
static void drop_widgets(struct kw *w)
{
    fake_kube_delete(w->kube, CRD);
    for (int i = 0; i < 10 && fake_kube_get(w->kube, CRD).n > 0; i++) {
        fake_clock_advance(&w->clock, 60 * NS_PER_S);
        fake_kube_run(w->kube);
    }
    assert_int_equal(fake_kube_get(w->kube, CRD).n, 0);
}

/* A widget that was copied while v1 was served. */
static void copy_widget(struct kw *w, struct kw_job *j)
{
    define_widgets(w, "v1");
    kw_job(j, WIDGET, "example.com/v1", "Widget");
    kw_apply(w, j, SINK_PUT,
             "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w',"
             "'namespace':'ns'},'spec':{'n':1.0}}");
    kw_expect(j, SINK_DONE, "");
}

static void a_delete_waits_while_another_version_of_the_kind_is_served(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    copy_widget(w, &j);
    define_widgets(w, "v2");
    kw_apply(w, &j, SINK_DELETE, "");
    kw_expect(&j, SINK_WAITING, "kind-missing");
    kt_assert_text(buf_slice(&j.dependency),
                   "apiextensions.k8s.io/customresourcedefinitions//widgets.example.com");
    assert_true(j.record.n > 0);
    assert_true(fake_kube_get(w->kube, WIDGET).n > 0);
    define_widgets(w, "v1");
    kw_apply(w, &j, SINK_DELETE, "");
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(j.record.n, 0);
    assert_int_equal(fake_kube_get(w->kube, WIDGET).n, 0);
    kw_job_done(&j);
}

static void one_discovery_serves_the_deletes_of_a_while(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    copy_widget(w, &j);
    define_widgets(w, "v2");
    kw_apply(w, &j, SINK_DELETE, "");
    uint64_t asked = fake_kube_counts(w->kube).discoveries;
    j.item.tries = 1;
    for (int i = 0; i < 5; i++) {
        kw_apply(w, &j, SINK_DELETE, "");
        kw_expect(&j, SINK_WAITING, "kind-missing");
    }
    assert_int_equal(fake_kube_counts(w->kube).discoveries, asked);
    fake_clock_advance(&w->clock, 31 * NS_PER_S);
    kw_apply(w, &j, SINK_DELETE, "");
    assert_true(fake_kube_counts(w->kube).discoveries > asked);
    asked = fake_kube_counts(w->kube).discoveries;
    j.item.tries = 0; /* a new one asks at once: the kind may be gone since */
    kw_apply(w, &j, SINK_DELETE, "");
    assert_true(fake_kube_counts(w->kube).discoveries > asked);
    kw_job_done(&j);
}

static void a_delete_is_done_where_the_whole_kind_is_gone(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    copy_widget(w, &j);
    drop_widgets(w);
    kw_apply(w, &j, SINK_DELETE, "");
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(j.dependency.n, 0);
    assert_int_equal(j.record.n, 0);
    kw_job_done(&j);
}

static void a_delete_waits_where_discovery_does_not_tell_whether_the_kind_is_gone(void **state)
{
    static const enum fake_kube_fault untold[] = {FAKE_KUBE_ERROR, FAKE_KUBE_SILENT,
                                                  FAKE_KUBE_NONSENSE, FAKE_KUBE_BODY_CUT};
    struct kw *w = *state;
    struct kw_job j;
    copy_widget(w, &j);
    drop_widgets(w);
    for (size_t i = 0; i < sizeof untold / sizeof *untold; i++) {
        fake_kube_plan(w->kube,
                       &(struct fake_kube_rule){
                           .fault = untold[i], .method = HTTP_GET, .path = "/apis", .pass = 1});
        kw_apply(w, &j, SINK_DELETE, "");
        kw_expect(&j, SINK_WAITING, "kind-missing");
        assert_true(j.record.n > 0);
    }
    kw_job_done(&j);
}

static void a_terminating_object_is_made_anew_once_it_is_gone(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    assert_true(fake_kube_terminate(w->kube, A));
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'w'"));
    kw_expect(&j, SINK_WAITING, "terminating");
    assert_true(fake_kube_release(w->kube, A));
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'w'"));
    kw_expect(&j, SINK_DONE, "");
    assert_true(kt_has(fake_kube_get(w->kube, A), "\"k\":\"w\""));
    kw_job_done(&j);
}

/* ---- Faults ---- */

static void a_lost_reply_neither_repeats_nor_loses_a_write(void **state)
{
    struct kw *w = *state;
    static const enum fake_kube_fault lost[] = {FAKE_KUBE_REPLY_LOST, FAKE_KUBE_REQUEST_LOST,
                                                FAKE_KUBE_ERROR_DONE, FAKE_KUBE_NONSENSE,
                                                FAKE_KUBE_BODY_CUT,   FAKE_KUBE_ERROR};
    static const char *const values[] = {"'k':'1'", "'k':'2'", "'k':'3'",
                                         "'k':'4'", "'k':'5'", "'k':'6'"};
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        AUTO(buf_done) struct buf json = BUF_INIT(4096);
        buf_addf(&json,
                 "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns'},"
                 "'data':{%s}}",
                 values[i]);
        plan(w, lost[i], HTTP_POST, "/api/v1/namespaces/ns/");
        kw_apply(w, &j, SINK_PUT, json.p);
        kw_expect(&j, SINK_DONE, "");
        AUTO(freep) char *want = kt_quotes(values[i]);
        assert_true(kt_has(fake_kube_get(w->kube, A), want));
        plan(w, lost[i], HTTP_DELETE, "/");
        kw_apply(w, &j, SINK_DELETE, "");
        kw_expect(&j, SINK_DONE, "");
        assert_int_equal(fake_kube_get(w->kube, A).n, 0);
    }
    kw_job_done(&j);
}

/* One kind's store or webhook is broken: its objects neither fill the window nor are asked for without a pause. */
static void an_object_that_only_gets_errors_is_held_and_blocks_nobody(void **state)
{
    struct kw *w = *state;
    struct kw_job broken, sound;
    kw_reopen(w, 1);
    kw_job(&broken, A, "v1", "ConfigMap");
    kw_job(&sound, "/secrets/ns/s", "v1", "Secret");
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_ERROR,
                                                     .method = HTTP_POST,
                                                     .path = "/api/v1/namespaces/ns/configmaps",
                                                     .times = 1000});
    int64_t start = clock_boot_ns(&w->clock.clock);
    uint64_t before = fake_kube_counts(w->kube).posts;
    kw_apply(w, &broken, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&broken, SINK_HELD, "unserved");
    assert_true(kt_has(slice_str(broken.result.reason), "error creating object in cluster"));
    assert_true(fake_kube_counts(w->kube).posts - before <= 10);
    assert_true(clock_boot_ns(&w->clock.clock) - start > 10 * NS_PER_S); /* not at once, either */
    kw_apply(w, &sound, SINK_PUT,
             "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'s','namespace':'ns'}}");
    kw_expect(&sound, SINK_DONE, "");
    kw_job_done(&broken);
    kw_job_done(&sound);
}

static void the_pauses_grow_although_looks_succeed_between_the_writes(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_ERROR,
                                                     .method = HTTP_PUT,
                                                     .path = "/api/v1/namespaces/ns/configmaps/a",
                                                     .times = 1000});
    int64_t start = clock_boot_ns(&w->clock.clock);
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'w'"));
    kw_expect(&j, SINK_HELD, "unserved");
    assert_true(clock_boot_ns(&w->clock.clock) - start > 10 * NS_PER_S);
    /* Back to what was there: the record does not vouch for it any more, so it is looked at. */
    uint64_t gets = fake_kube_counts(w->kube).gets;
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_DONE, "");
    assert_true(fake_kube_counts(w->kube).gets > gets);
    kw_job_done(&j);
}

static void errors_for_everybody_hold_nothing(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    struct sink_status st;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_connect(w);
    fake_kube_plan(
        w->kube, &(struct fake_kube_rule){
                     .fault = FAKE_KUBE_ERROR, .method = FAKE_KUBE_ANY, .path = "/", .times = 100});
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "'k':'v'")), RC_OK);
    bool told = false;
    for (int i = 0; i < 1000 && !j.finished; i++) {
        (void)kw_pass(w);
        kw_take(w, &j, 1);
        sink_status(w->sink, &st);
        told = told || (!st.connected && st.error[0]);
    }
    assert_true(told);
    kw_expect(&j, SINK_DONE, "");
    kw_job_done(&j);
}

static void what_an_earlier_life_may_have_written_is_looked_at(void **state)
{
    struct kw *w = *state;
    struct kw_job j, lost;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_job(&lost, A, "v1", "ConfigMap");
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    buf_add_slice(&lost.record, buf_slice(&j.record));
    kw_apply(w, &lost, SINK_PUT, CONFIG("a", "'k':'w'")); /* and died before its commit */
    kw_expect(&lost, SINK_DONE, "");
    j.item.unsure = true;
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_DONE, "");
    assert_true(kt_has(fake_kube_get(w->kube, A), "\"k\":\"v\""));
    kw_job_done(&j);
    kw_job_done(&lost);
}

/* A user of the destination does. */
static void add_own_member(struct kw *w)
{
    AUTO(buf_done) struct buf body = BUF_INIT(1 << 20);
    struct slice live = fake_kube_get(w->kube, A);
    const char *data = memmem(live.p, live.n, "\"data\":{", 8);
    assert_non_null(data);
    size_t n = (size_t)(data - live.p) + 8;
    buf_addf(&body, "%.*s\"own\":\"1\",%.*s", (int)n, live.p, (int)(live.n - n), live.p + n);
    assert_int_equal(fake_kube_call(w->kube, HTTP_PUT,
                                    "/api/v1/namespaces/ns/configmaps/a?fieldManager=kubectl",
                                    body.p, NULL),
                     200);
}

static void what_a_lost_record_had_added_is_taken_away_again(void **state)
{
    struct kw *w = *state;
    struct kw_job j, lost;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_job(&lost, A, "v1", "ConfigMap");
    kw_apply(w, &lost, SINK_PUT, CONFIG("a", "'k':'v','late':'x'")); /* its record is lost */
    kw_expect(&lost, SINK_DONE, "");
    add_own_member(w);
    kw_apply(w, &j, SINK_PUT, CONFIG("a", "'k':'v'"));
    kw_expect(&j, SINK_DONE, "");
    assert_false(kt_has(fake_kube_get(w->kube, A), "\"late\""));
    assert_true(kt_has(fake_kube_get(w->kube, A), "\"own\":\"1\""));
    kw_job_done(&j);
    kw_job_done(&lost);
}

static void a_429_is_waited_out_by_all(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, A, "v1", "ConfigMap");
    kw_connect(w);
    plan(w, FAKE_KUBE_THROTTLED, HTTP_POST, "/");
    assert_int_equal(kw_submit(w, &j, SINK_PUT, CONFIG("a", "")), RC_OK);
    int64_t wake = kw_settle(w);
    assert_true(wake >= clock_boot_ns(&w->clock.clock) + NS_PER_S && wake < INT64_MAX);
    assert_int_equal(POSTS(w), 1);
    kw_finish(w, &j);
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(POSTS(w), 2);
    kw_job_done(&j);
}

static void wrong_options_are_refused(void **state)
{
    struct kw *w = *state;
    struct http *http;
    struct sink *s = NULL;
    struct err e = ERR_INIT;
    struct kube_sink_opts opts = {.source = SLICE_NULL, .sync = SLICE("a/b")};
    fake_kube_connect(w->kube, &http);
    opts.http = http;
    assert_int_equal(kube_sink_open(&opts, &w->env, &s, &e), RC_INVALID);
    fake_kube_connect(w->kube, &http);
    opts = (struct kube_sink_opts){
        .http = http, .source = SLICE("s"), .sync = SLICE("a/b"), .window = 1025};
    assert_int_equal(kube_sink_open(&opts, &w->env, &s, &e), RC_INVALID);
    assert_null(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kw_setup, kw_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_is_taken_before_the_destination_is_known),
        T(a_cluster_is_never_copied_into_itself),
        T(another_cluster_behind_the_address_is_never_written_to),
        T(a_destination_that_is_down_loses_nothing),
        T(D62_a_401_stops_all_writes_until_it_ends),
        T(what_was_applied_once_is_not_written_again),
        T(every_untouched_member_arrives_byte_for_byte),
        T(changes_and_deletes_follow),
        T(an_object_of_somebody_else_survives_both_put_and_delete),
        T(a_missing_namespace_and_a_missing_kind_wait_for_what_would_help),
        T(a_delete_waits_while_another_version_of_the_kind_is_served),
        T(one_discovery_serves_the_deletes_of_a_while),
        T(a_delete_is_done_where_the_whole_kind_is_gone),
        T(a_delete_waits_where_discovery_does_not_tell_whether_the_kind_is_gone),
        T(a_terminating_object_is_made_anew_once_it_is_gone),
        T(a_lost_reply_neither_repeats_nor_loses_a_write),
        T(an_object_that_only_gets_errors_is_held_and_blocks_nobody),
        T(the_pauses_grow_although_looks_succeed_between_the_writes),
        T(errors_for_everybody_hold_nothing),
        T(what_an_earlier_life_may_have_written_is_looked_at),
        T(what_a_lost_record_had_added_is_taken_away_again),
        T(a_429_is_waited_out_by_all),
        T(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

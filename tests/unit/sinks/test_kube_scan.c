/* Scans: our own copies, all of them, and nothing else. */
#include "tests/unit/sinks/kube_test_job.h"

#include "core/diag.h"
#include "core/event_iter.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_record.h"

#define SCOPE SLICE("/configmaps")

static char sync_id[KUBE_SYNC_ID_SIZE + 1];

static int setup(void **state)
{
    struct kw *w = calloc(1, sizeof *w);
    struct err e = ERR_INIT;
    assert_non_null(w);
    kw_init(w);
    kw_open(w, 0);
    assert_int_equal(kube_sync_id(SLICE("src-1"), SLICE("dr/sync"), sync_id, &e), RC_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    kw_done(*state);
    free(*state);
    return 0;
}

/* A config map whose owner mark is of that sync and key; id NULL: none. */
static void put(struct kw *w, const char *name, const char *id, const char *key, const char *more)
{
    AUTO(buf_done) struct buf json = BUF_INIT(8192);
    buf_addf(&json,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
             "\"namespace\":\"ns\",\"annotations\":{\"x\":\"y\"",
             name);
    if (id)
        buf_addf(&json,
                 ",\"sync.resilog.io/owner\":\"v1 dest-1 %s %s%s\","
                 "\"sync.resilog.io/origin\":\"v1 src-1 u-of-%s\"",
                 id, key, more, name);
    buf_add_str(&json, "}},\"data\":{\"big\":\"never listed\"}}");
    assert_int_equal(fake_kube_put(w->kube, json.p), 201);
}

static struct event_iter *scan(struct kw *w, struct slice scope)
{
    struct event_iter *it;
    struct err e = ERR_INIT;
    assert_int_equal(sink_scan(w->sink, scope, SLICE("v1"), &it, &e), RC_OK);
    return it;
}

/* The next event, or NULL at the end; lets the sink work and time pass in between. */
static const struct event *next(struct kw *w, struct event_iter *it)
{
    const struct event *ev;
    struct err e = ERR_INIT;
    for (int i = 0; i < 1000; i++) {
        enum rc rc = event_iter_next(it, &ev, &e);
        if (rc == RC_OK)
            return ev;
        if (rc == RC_END)
            return NULL;
        assert_int_equal(rc, RC_AGAIN);
        (void)kw_pass(w);
    }
    fail_msg("the scan never ends");
    return NULL;
}

static void only_what_bears_our_own_valid_mark_is_found(void **state)
{
    struct kw *w = *state;
    put(w, "ours", sync_id, "/configmaps/ns/ours", "");
    put(w, "adopted", sync_id, "/configmaps/ns/adopted", " adopted");
    put(w, "plain", NULL, NULL, "");
    put(w, "copied", sync_id, "/configmaps/ns/elsewhere", "");
    put(w, "theirs", "0000000000000000", "/configmaps/ns/theirs", "");
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
    struct kube_record r;
    struct err e = ERR_INIT;

    const struct event *ev = next(w, it);
    assert_non_null(ev);
    assert_true(slice_eq(ev->key, SLICE("/configmaps/ns/adopted")));
    assert_int_equal(kube_record_decode(ev->body, &r, &e), RC_OK);
    assert_int_equal(r.flags, KUBE_RECORD_BASE_UNKNOWN | KUBE_RECORD_ADOPTED);

    ev = next(w, it);
    assert_non_null(ev);
    assert_true(slice_eq(ev->key, SLICE("/configmaps/ns/ours")));
    assert_true(slice_eq(ev->api_version, SLICE("v1")));
    assert_int_equal(kube_record_decode(ev->body, &r, &e), RC_OK);
    assert_int_equal(r.flags, KUBE_RECORD_BASE_UNKNOWN);
    assert_int_equal(r.raw_size, 0);
    assert_true(slice_eq(r.source_uid, SLICE("u-of-ours")));
    assert_true(r.uid.n > 0 && slice_eq(r.uid, ev->uid));
    assert_true(r.version.n > 0 && slice_eq(r.version, ev->version));

    assert_null(next(w, it));
    assert_null(next(w, it));
}

static void put_many(struct kw *w, int n)
{
    for (int i = 0; i < n; i++) {
        char name[16], key[64];
        (void)snprintf(name, sizeof name, "c%04d", i);
        (void)snprintf(key, sizeof key, "/configmaps/ns/%s", name);
        put(w, name, sync_id, key, "");
    }
}

static void a_scan_goes_on_over_all_pages(void **state)
{
    struct kw *w = *state;
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    put_many(w, 600);
    it = scan(w, SCOPE);
    int n = 0;
    while (next(w, it))
        n++;
    assert_int_equal(n, 600);
    assert_int_equal(fake_kube_counts(w->kube).lists, 3);
}

static void an_expired_page_begins_the_list_anew(void **state)
{
    struct kw *w = *state;
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    put_many(w, 300);
    it = scan(w, SCOPE);
    int n = 0;
    for (; n < 250; n++)
        assert_non_null(next(w, it));
    put(w, "z", NULL, NULL, "");
    fake_kube_compact(w->kube, fake_kube_version(w->kube));
    while (next(w, it))
        n++;
    assert_int_equal(n, 250 + 300); /* the first page twice */
}

static void silence_is_asked_again_and_a_denial_is_said(void **state)
{
    struct kw *w = *state;
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    AUTO(event_iter_freep) struct event_iter *denied = NULL;
    const struct event *ev;
    struct err e = ERR_INIT;
    put_many(w, 1);
    kw_connect(w);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_ERROR,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/configmaps"});
    it = scan(w, SCOPE);
    assert_non_null(next(w, it));
    assert_null(next(w, it));
    fake_kube_deny(w->kube, "", "configmaps", NULL, "list");
    denied = scan(w, SCOPE);
    enum rc rc = event_iter_next(denied, &ev, &e);
    for (int i = 0; i < 100 && rc == RC_AGAIN; i++) {
        (void)kw_pass(w);
        rc = event_iter_next(denied, &ev, &e);
    }
    assert_int_equal(rc, RC_DENIED);
    assert_int_equal(event_iter_next(denied, &ev, &e), RC_DENIED);
}

/* Else another cluster behind the same address would be listed, found empty, and written to. */
static void after_a_silence_the_destination_is_asked_who_it_is(void **state)
{
    struct kw *w = *state;
    const struct event *ev;
    struct sink_status st;
    struct err e = ERR_INIT;
    put_many(w, 1);
    kw_connect(w);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_REFUSED,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/configmaps"});
    fake_kube_set_cluster_uid(w->kube, "dest-2");
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
    while (kw_pass(w))
        assert_int_equal(event_iter_next(it, &ev, &e), RC_AGAIN);
    sink_status(w->sink, &st);
    assert_true(st.fatal);
}

static void a_list_that_gets_errors_is_told_while_it_lasts(void **state)
{
    struct kw *w = *state;
    struct sink_status st;
    put_many(w, 1);
    kw_connect(w);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_ERROR,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/configmaps"});
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
    (void)kw_settle(w);
    sink_status(w->sink, &st);
    assert_true(st.connected);
    assert_non_null(strstr(st.error, "error listing objects in cluster"));
    assert_non_null(next(w, it));
    sink_status(w->sink, &st);
    assert_string_equal(st.error, "");
}

/* Together they have more values than one document may have. */
static void a_page_that_is_too_large_is_asked_for_in_smaller_ones(void **state)
{
    enum { OBJECTS = 250, MEMBERS = 4500 };
    struct kw *w = *state;
    AUTO(buf_done) struct buf json = BUF_INIT(1 << 20);
    for (int i = 0; i < OBJECTS; i++) {
        buf_reset(&json);
        buf_addf(&json,
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"w%d\","
                 "\"namespace\":\"ns\",\"annotations\":{\"sync.resilog.io/owner\":"
                 "\"v1 dest-1 %s /configmaps/ns/w%d\"",
                 i, sync_id, i);
        for (int m = 0; m < MEMBERS; m++)
            buf_addf(&json, ",\"a%d\":\"\"", m);
        buf_add_str(&json, "}}}");
        assert_int_equal(fake_kube_put(w->kube, json.p), 201);
    }
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
    int found = 0;
    while (next(w, it))
        found++;
    assert_int_equal(found, OBJECTS);
}

static void not_served(struct kw *w, struct event_iter *it)
{
    const struct event *ev;
    struct err e = ERR_INIT;
    enum rc rc = RC_AGAIN;
    for (int i = 0; i < 100 && rc == RC_AGAIN; i++) {
        (void)kw_pass(w);
        rc = event_iter_next(it, &ev, &e);
    }
    assert_int_equal(rc, RC_NOTFOUND);
}

/* It may be served again, with its objects: a version that is switched off for a while. */
static void a_kind_that_is_not_there_is_told_from_one_without_copies(void **state)
{
    struct kw *w = *state;
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SLICE("example.com/widgets"));
    not_served(w, it);
}

static void what_was_scanned_is_not_written_again(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    put(w, "ours", sync_id, "/configmaps/ns/ours", "");
    kw_job(&j, "/configmaps/ns/ours", "v1", "ConfigMap");
    j.event.uid = SLICE("u-of-ours");
    {
        AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
        const struct event *ev = next(w, it);
        assert_non_null(ev);
        buf_add_slice(&j.record, ev->body);
    }
    size_t before = fake_kube_writes(w->kube);
    kw_apply(w, &j, SINK_PUT,
             "{'metadata':{'name':'ours','namespace':'ns','annotations':{'x':'y'}},"
             "'data':{'big':'never listed'}}");
    kw_expect(&j, SINK_DONE, "");
    assert_int_equal(fake_kube_writes(w->kube), before);
    kw_job_done(&j);
}

static void a_scan_may_be_left_early_and_outlive_its_sink(void **state)
{
    struct kw *w = *state;
    const struct event *ev;
    struct err e = ERR_INIT;
    put_many(w, 2);
    kw_connect(w);
    event_iter_free(scan(w, SCOPE));
    AUTO(event_iter_freep) struct event_iter *it = scan(w, SCOPE);
    int64_t wake;
    assert_int_equal(sink_step(w->sink, &wake, &e), RC_OK); /* the page is asked for */
    event_iter_free(scan(w, SCOPE));
    sink_close(w->sink);
    w->sink = NULL;
    assert_int_equal(event_iter_next(it, &ev, &e), RC_CANCELLED);
}

static void a_scope_without_a_resource_is_refused(void **state)
{
    struct kw *w = *state;
    struct event_iter *it = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(sink_scan(w->sink, SLICE("apps"), SLICE("v1"), &it, &e), RC_INVALID);
    assert_int_equal(sink_scan(w->sink, SCOPE, SLICE_NULL, &it, &e), RC_INVALID);
    assert_null(it);
}

static void hear(void *arg, const char *line, size_t n)
{
    if (memmem(line, n, " object", 7) && memmem(line, n, "scope=", 6))
        buf_add(arg, line + sizeof "2023-11-14T22:13:20Z", n - sizeof "2023-11-14T22:13:20Z");
}

static void each_step_has_the_message_of_the_documentation(void **state)
{
    struct kw *w = *state;
    AUTO(buf_done) struct buf said = BUF_INIT(1 << 16);
    AUTO(diag_freep) struct diag *d = diag_new(&w->clock.clock, DIAG_TEXT, DIAG_DEBUG, hear, &said);
    sink_close(w->sink);
    w->env.diag = d;
    kw_open(w, 0);
    kw_connect(w);
    fake_kube_plan(w->kube, &(struct fake_kube_rule){.fault = FAKE_KUBE_ERROR,
                                                     .method = HTTP_GET,
                                                     .path = "/api/v1/configmaps"});
    AUTO(event_iter_freep) struct event_iter *maps = scan(w, SCOPE);
    assert_null(next(w, maps));
    AUTO(event_iter_freep) struct event_iter *widgets = scan(w, SLICE("example.com/widgets"));
    not_served(w, widgets);
    assert_non_null(strstr(said.p, "DEBUG listing objects in cluster scope=/configmaps\n"
                                   "WARN  error listing objects in cluster scope=/configmaps "
                                   "error="));
    assert_non_null(strstr(said.p, "DEBUG listed objects in cluster scope=/configmaps\n"
                                   "DEBUG listing objects in cluster scope=example.com/widgets\n"
                                   "DEBUG list objects not found in cluster "
                                   "scope=example.com/widgets\n"));
    event_iter_free(steal(&maps));
    event_iter_free(steal(&widgets));
    sink_close(w->sink);
    w->env.diag = NULL;
    kw_open(w, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(only_what_bears_our_own_valid_mark_is_found),
        T(a_scan_goes_on_over_all_pages),
        T(an_expired_page_begins_the_list_anew),
        T(silence_is_asked_again_and_a_denial_is_said),
        T(after_a_silence_the_destination_is_asked_who_it_is),
        T(a_list_that_gets_errors_is_told_while_it_lasts),
        T(a_page_that_is_too_large_is_asked_for_in_smaller_ones),
        T(a_kind_that_is_not_there_is_told_from_one_without_copies),
        T(what_was_scanned_is_not_written_again),
        T(a_scan_may_be_left_early_and_outlive_its_sink),
        T(a_scope_without_a_resource_is_refused),
        T(each_step_has_the_message_of_the_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One scope alone against the modelled API server; kube_scope_list, _watch, _request and _event are its parts. */
#include "tests/unit/producers/producer_test.h"

#include "io/http.h"
#include "io/kube_discovery.h"
#include "producers/producer_queue.h"
#include "producers/kube_scope.h"

#define CM      "/configmaps"
#define CM_PATH "/api/v1/configmaps"

static const struct kube_resource CONFIGMAPS = {.version = SLICE("v1"),
                                                .resource = SLICE("configmaps"),
                                                .kind = SLICE("ConfigMap"),
                                                .singular = SLICE("configmap"),
                                                .short_names = SLICE("cm"),
                                                .namespaced = true,
                                                .can_list = true,
                                                .can_watch = true};

struct test {
    struct cluster_world w;
    struct http *http;
    struct producer_queue *queue;
    struct kube_scope_world world;
    struct kube_scope *scope;
};

static struct kube_scope *add_scope(struct test *t, const char *scope, const char *resume)
{
    struct kube_scope *s = NULL;
    struct err e = ERR_INIT;
    assert_ok(kube_scope_new(&t->world, slice_str(scope), SLICE("v1"), slice_str(resume), &s, &e));
    assert_ok(kube_scope_found(s, &CONFIGMAPS, false, &e));
    return s;
}

static int setup(void **state)
{
    struct test *t = calloc(1, sizeof *t);
    assert_non_null(t);
    cw_init(&t->w);
    fake_kube_connect(t->w.kube, &t->http);
    t->queue = producer_queue_new();
    t->world = (struct kube_scope_world){.http = t->http, .env = &t->w.env, .queue = t->queue};
    t->scope = add_scope(t, CM, "");
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;
    kube_scope_free(t->scope);
    producer_queue_free(t->queue);
    http_close(t->http);
    cw_done(&t->w);
    free(t);
    return 0;
}

static bool take_http(struct test *t)
{
    struct http_event ev;
    struct err e = ERR_INIT;
    bool mine = false;
    if (http_take(t->http, &ev, &e) != RC_OK)
        return false;
    assert_ok(kube_scope_offer(t->scope, &ev, &mine, &e));
    return true;
}

/* Lets that much time pass, or until versions went backwards: the producer acts on that at once. In
 * this test nobody asks for the identity: it counts as verified. */
static void run_for(struct test *t, int64_t ns)
{
    int64_t end = cw_now(&t->w) + ns;
    for (int i = 0; i < 100000 && !t->world.regressed; i++) {
        int64_t wake;
        struct err e = ERR_INIT;
        t->world.verified = t->world.lost;
        enum rc rc = kube_scope_step(t->scope, &wake, &e);
        assert_true(rc >= 0);
        bool any = take_http(t) || rc == RC_OK;
        for (const struct event *ev; (ev = producer_queue_take(t->queue));)
            cw_say(&t->w, ev);
        if (any)
            continue;
        int64_t kube = fake_kube_wake(t->w.kube);
        int64_t next = wake < kube ? wake : kube;
        next = next < end ? next : end;
        if (next > cw_now(&t->w))
            fake_clock_advance(&t->w.clock, next - cw_now(&t->w));
        if (next >= end && cw_now(&t->w) >= end)
            return;
    }
    assert_true(t->world.regressed);
}

static enum producer_phase phase(struct test *t)
{
    struct producer_status s;
    kube_scope_status(t->scope, &s);
    return s.phase;
}

/* path: what the request's path begins with. */
static void plan(struct test *t, enum fake_kube_fault fault, const char *path, unsigned times)
{
    fake_kube_plan(
        t->w.kube,
        &(struct fake_kube_rule){.fault = fault, .method = HTTP_GET, .path = path, .times = times});
}

static void watching(struct test *t)
{
    cw_put(&t->w, "a", 1);
    cw_put(&t->w, "b", 1);
    run_for(t, 5 * NS_PER_S);
    cw_assert_said(&t->w, "kind sync-begin put a put b sync-end");
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
}

static void a_scope_is_listed_and_then_watched_from_the_lists_version(void **state)
{
    struct test *t = *state;
    watching(t);
    cw_put(&t->w, "a", 2);
    cw_put(&t->w, "c", 1);
    cw_delete(&t->w, "b");
    run_for(t, 5 * NS_PER_S);
    cw_assert_said(&t->w, "put a put c delete b");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 1);
}

static void events_carry_what_the_log_needs(void **state)
{
    struct test *t = *state;
    cw_put(&t->w, "a", 1);
    struct slice stored = fake_kube_get(t->w.kube, "/configmaps/default/a");
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct err e = ERR_INIT;
    assert_ok(json_parse(stored, &doc, &e));
    const struct json *metadata = json_get(json_root(doc), "metadata");
    bool seen = false;
    for (int i = 0; i < 1000 && !seen; i++) {
        int64_t wake;
        assert_true(kube_scope_step(t->scope, &wake, &e) >= 0);
        if (!take_http(t))
            fake_clock_advance(&t->w.clock, NS_PER_MS);
        const struct event *ev = producer_queue_take(t->queue);
        if (!ev || ev->op != EVENT_PUT)
            continue;
        seen = true;
        assert_true(slice_eq(ev->key, SLICE("/configmaps/default/a")));
        assert_true(slice_eq(ev->api_version, SLICE("v1")));
        assert_true(slice_eq(ev->kind, SLICE("ConfigMap")));
        assert_true(slice_eq(ev->uid, json_get_text(doc, metadata, "uid")));
        assert_true(slice_eq(ev->version, json_get_text(doc, metadata, "resourceVersion")));
        assert_int_equal(ev->cause, CAUSE_LIST);
        assert_int_equal(ev->wall_ns, clock_wall_ns(&t->w.clock.clock));
        assert_ok(event_check(ev, &e));
    }
    assert_true(seen);
}

static void a_listing_of_many_pages_is_one_listing(void **state)
{
    struct test *t = *state;
    char name[20];
    for (int i = 0; i < 1203; i++) {
        snprintf(name, sizeof name, "k%d", i);
        cw_put(&t->w, name, i);
    }
    run_for(t, 30 * NS_PER_S);
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 3);
    size_t puts = 0;
    for (const char *p = t->w.said.p; (p = strstr(p, "put ")); p++)
        puts++;
    assert_int_equal(puts, 1203);
    assert_true(strncmp(t->w.said.p, "kind sync-begin put", 19) == 0);
    assert_string_equal(t->w.said.p + t->w.said.n - 8, "sync-end");
}

/* The scope of another life, which has got to that version. */
static void resume(struct test *t, int64_t version)
{
    char text[30];
    snprintf(text, sizeof text, "%lld", (long long)version);
    kube_scope_free(t->scope);
    t->scope = add_scope(t, CM, text);
}

static void a_position_to_resume_from_needs_no_listing_but_one_look(void **state)
{
    struct test *t = *state;
    watching(t);
    int64_t version = fake_kube_version(t->w.kube);
    cw_put(&t->w, "c", 1);
    resume(t, version);
    run_for(t, 3 * 3600 * NS_PER_S);
    cw_assert_said(&t->w, "kind put c");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 2);
    assert_true(fake_kube_counts(t->w.kube).watches > 10);
}

static void a_namespaced_scope_asks_for_its_namespace_alone(void **state)
{
    struct test *t = *state;
    kube_scope_free(t->scope);
    fake_kube_deny(t->w.kube, "", "configmaps", "", NULL);
    cw_put(&t->w, "a", 1);
    assert_true(fake_kube_put(t->w.kube,
                              "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                              "\"name\":\"x\",\"namespace\":\"kube-system\"}}") == 201);
    t->scope = add_scope(t, "/configmaps/default", "");
    run_for(t, 5 * NS_PER_S);
    cw_assert_said(&t->w, "kind kind sync-begin put a sync-end");
}

static void D55_bookmarks_become_positions(void **state)
{
    struct test *t = *state;
    watching(t);
    t->w.positions = true;
    run_for(t, 70 * NS_PER_S);
    assert_true(strncmp(t->w.said.p, "position", 8) == 0);
}

static void a_watch_that_ends_goes_on_behind_its_last_event(void **state)
{
    struct test *t = *state;
    watching(t);
    uint64_t before = fake_kube_counts(t->w.kube).watches;
    cw_put(&t->w, "c", 1);
    run_for(t, 1000 * NS_PER_S); /* longer than any watch */
    cw_assert_said(&t->w, "put c");
    assert_true(fake_kube_counts(t->w.kube).watches > before);
    cw_put(&t->w, "d", 1);
    run_for(t, 5 * NS_PER_S);
    cw_assert_said(&t->w, "put d");
}

static void a_stream_cut_inside_a_frame_loses_and_repeats_nothing(void **state)
{
    struct test *t = *state;
    watching(t);
    plan(t, FAKE_KUBE_WATCH_CUT, CM_PATH "?watch", 1);
    cw_put(&t->w, "c", 1);
    cw_put(&t->w, "d", 1);
    cw_put(&t->w, "e", 1);
    run_for(t, 60 * NS_PER_S);
    cw_assert_said(&t->w, "put c put d put e");
}

/* ---- 410 (I5) ---- */

/* Something else changes, so that the scope's version is an older one. */
static void move_on(struct test *t)
{
    assert_int_equal(fake_kube_put(t->w.kube, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
                                              "\"metadata\":{\"name\":\"other\"}}"),
                     201);
}

static void D53_a_lost_stretch_becomes_a_gap_and_a_listing_of_that_scope(void **state)
{
    struct test *t = *state;
    watching(t);
    move_on(t);
    fake_kube_restart(t->w.kube); /* every older version answers 410 now */
    cw_delete(&t->w, "a");
    run_for(t, 30 * NS_PER_S);
    cw_assert_said(&t->w, "gap sync-begin put b sync-end");
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
    assert_false(t->world.regressed);
}

static void a_server_that_answers_410_each_time_is_not_asked_in_a_loop(void **state)
{
    struct test *t = *state;
    watching(t);
    move_on(t);
    fake_kube_restart(t->w.kube);
    plan(t, FAKE_KUBE_GONE, CM_PATH "?watch", 1000);
    uint64_t before = fake_kube_counts(t->w.kube).lists;
    run_for(t, 300 * NS_PER_S);
    uint64_t lists = fake_kube_counts(t->w.kube).lists - before;
    if (lists < 5 || lists > 60)
        fail_msg("%llu lists in five minutes", (unsigned long long)lists);
}

static void D60_a_continue_token_that_expires_discards_the_listing(void **state)
{
    struct test *t = *state;
    char name[20];
    for (int i = 0; i < 501; i++) {
        snprintf(name, sizeof name, "k%d", i);
        cw_put(&t->w, name, i);
    }
    plan(t, FAKE_KUBE_GONE, CM_PATH "?limit=500&continue", 1);
    run_for(t, 30 * NS_PER_S);
    const char *first = strstr(t->w.said.p, "sync-begin");
    assert_non_null(first);
    const char *second = strstr(first + 1, "sync-begin");
    const char *end = strstr(t->w.said.p, "sync-end");
    assert_true(second && end > second && !strstr(end + 1, "sync-"));
    assert_null(strstr(t->w.said.p, "gap"));
}

static void D57_versions_that_went_backwards_are_told_and_end_no_listing(void **state)
{
    struct test *t = *state;
    int64_t old = fake_kube_version(t->w.kube);
    watching(t);
    fake_kube_rewind(t->w.kube, old);
    run_for(t, 60 * NS_PER_S);
    assert_true(t->world.regressed);
    assert_null(strstr(t->w.said.p, "sync-end"));
    buf_reset(&t->w.said);
    kube_scope_restart(t->scope);
    t->world.regressed = false;
    run_for(t, 30 * NS_PER_S);
    assert_non_null(strstr(t->w.said.p, "sync-begin sync-end"));
    assert_false(t->world.regressed);
}

static void a_position_that_the_source_does_not_have_yet_is_a_regression(void **state)
{
    struct test *t = *state;
    watching(t);
    resume(t, fake_kube_version(t->w.kube) + 100);
    run_for(t, 60 * NS_PER_S);
    assert_true(t->world.regressed);
    assert_int_equal(fake_kube_open_watches(t->w.kube), 0);
}

static void a_look_from_before_a_loss_says_nothing_of_the_server_since(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    watching(t);
    resume(t, fake_kube_version(t->w.kube));
    uint64_t before = fake_kube_counts(t->w.kube).lists;
    assert_ok(kube_scope_step(t->scope, &wake, &e));
    t->world.verified = ++t->world.lost;
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(fake_kube_counts(t->w.kube).lists - before, 2);
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
}

static void a_look_that_fails_is_repeated_before_the_watch(void **state)
{
    struct test *t = *state;
    watching(t);
    resume(t, fake_kube_version(t->w.kube));
    plan(t, FAKE_KUBE_BODY_CUT, CM_PATH "?limit=1", 2);
    uint64_t before = fake_kube_counts(t->w.kube).lists;
    run_for(t, 60 * NS_PER_S);
    assert_int_equal(fake_kube_counts(t->w.kube).lists - before, 3);
    cw_assert_said(&t->w, "kind");
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
}

/* ---- Refusals and failures ---- */

static void D61_a_list_that_breaks_off_never_ends_and_is_tried_again(void **state)
{
    struct test *t = *state;
    cw_put(&t->w, "a", 1);
    plan(t, FAKE_KUBE_BODY_CUT, CM_PATH "?limit", 3);
    run_for(t, 60 * NS_PER_S);
    const char *end = strstr(t->w.said.p, "sync-end");
    assert_non_null(end);
    assert_null(strstr(end + 1, "sync-"));
    assert_true(fake_kube_counts(t->w.kube).lists >= 4);
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
}

static void D61_nonsense_is_never_an_empty_list(void **state)
{
    struct test *t = *state;
    plan(t, FAKE_KUBE_NONSENSE, CM_PATH, 2);
    run_for(t, NS_PER_S / 2);
    assert_null(strstr(t->w.said.p ? t->w.said.p : "", "sync-end"));
    struct producer_status s;
    kube_scope_status(t->scope, &s);
    assert_true(s.error[0] != '\0');
    run_for(t, 60 * NS_PER_S);
    assert_non_null(strstr(t->w.said.p, "sync-end"));
}

static void D62_a_forbidden_resource_is_denied_asked_rarely_and_never_empty(void **state)
{
    struct test *t = *state;
    fake_kube_deny(t->w.kube, "", "configmaps", NULL, NULL);
    run_for(t, 600 * NS_PER_S);
    cw_assert_said(&t->w, "kind");
    assert_int_equal(phase(t), PRODUCER_DENIED);
    struct producer_status s;
    kube_scope_status(t->scope, &s);
    assert_true(s.error[0] != '\0');
    assert_true(fake_kube_counts(t->w.kube).lists <= 12);
    assert_int_equal(t->world.lost, 0);
    fake_kube_allow(t->w.kube);
    run_for(t, 600 * NS_PER_S);
    cw_assert_said(&t->w, "sync-begin sync-end");
}

static void a_watch_that_becomes_forbidden_goes_on_where_it_was(void **state)
{
    struct test *t = *state;
    watching(t);
    fake_kube_deny(t->w.kube, "", "configmaps", NULL, NULL);
    run_for(t, 1000 * NS_PER_S);
    assert_int_equal(phase(t), PRODUCER_DENIED);
    cw_put(&t->w, "c", 1);
    fake_kube_allow(t->w.kube);
    run_for(t, 400 * NS_PER_S);
    cw_assert_said(&t->w, "put c");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 1);
}

static void a_server_that_is_down_is_retried_with_back_off_and_costs_no_listing(void **state)
{
    struct test *t = *state;
    watching(t);
    fake_kube_set_down(t->w.kube, true);
    run_for(t, 120 * NS_PER_S);
    assert_int_equal(phase(t), PRODUCER_CONNECTING);
    assert_true(t->world.lost >= 3 && t->world.lost < 40);
    fake_kube_set_down(t->w.kube, false);
    cw_put(&t->w, "c", 1);
    run_for(t, 40 * NS_PER_S);
    cw_assert_said(&t->w, "put c");
    assert_int_equal(fake_kube_counts(t->w.kube).lists, 2); /* and a look at its version */
}

static void after_a_lost_server_nothing_starts_before_the_identity_was_verified(void **state)
{
    struct test *t = *state;
    watching(t);
    uint64_t before = fake_kube_counts(t->w.kube).watches;
    fake_kube_set_down(t->w.kube, true);
    fake_kube_set_down(t->w.kube, false);
    while (take_http(t))
        ;
    assert_true(t->world.lost > t->world.verified);
    assert_int_equal(phase(t), PRODUCER_CONNECTING);
    fake_clock_advance(&t->w.clock, 60 * NS_PER_S);
    int64_t wake;
    struct err e = ERR_INIT;
    assert_int_equal(kube_scope_step(t->scope, &wake, &e), RC_AGAIN);
    assert_int_equal(wake, INT64_MAX);
    assert_int_equal(fake_kube_counts(t->w.kube).watches, before);
    run_for(t, 5 * NS_PER_S);
    assert_int_equal(phase(t), PRODUCER_FOLLOWING);
}

static void at_most_four_listings_run_at_once(void **state)
{
    struct test *t = *state;
    int64_t wake;
    struct err e = ERR_INIT;
    struct kube_scope *more[KUBE_LISTINGS_MAX];
    assert_ok(kube_scope_step(t->scope, &wake, &e));
    for (int i = 0; i < KUBE_LISTINGS_MAX; i++) {
        more[i] = add_scope(t, CM, "");
        assert_int_equal(kube_scope_step(more[i], &wake, &e),
                         i < KUBE_LISTINGS_MAX - 1 ? RC_OK : RC_AGAIN);
    }
    kube_scope_free(more[0]); /* a listing that is given up makes room */
    assert_ok(kube_scope_step(more[KUBE_LISTINGS_MAX - 1], &wake, &e));
    for (int i = 1; i < KUBE_LISTINGS_MAX; i++)
        kube_scope_free(more[i]);
    assert_int_equal(t->world.listings, 1);
}

/* ---- Discovery ---- */

static void D63_an_unknown_resource_waits_and_says_why(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    struct kube_scope *s = NULL;
    struct producer_status status;
    int64_t wake;
    assert_ok(kube_scope_new(&t->world, SLICE("g/things"), SLICE("g/v2"), SLICE_NULL, &s, &e));
    struct slice group, version, resource;
    kube_scope_resource(s, &group, &version, &resource);
    assert_true(slice_eq(group, SLICE("g")) && slice_eq(version, SLICE("v2")) &&
                slice_eq(resource, SLICE("things")));
    assert_int_equal(kube_scope_step(s, &wake, &e), RC_AGAIN);
    assert_ok(kube_scope_found(s, NULL, true, &e));
    kube_scope_status(s, &status);
    assert_int_equal(status.phase, PRODUCER_CONNECTING);
    assert_ok(kube_scope_found(s, NULL, false, &e));
    kube_scope_status(s, &status);
    assert_int_equal(status.phase, PRODUCER_MISSING);
    struct kube_resource no_watch = CONFIGMAPS;
    no_watch.can_watch = false;
    assert_ok(kube_scope_found(s, &no_watch, false, &e));
    kube_scope_status(s, &status);
    assert_int_equal(status.phase, PRODUCER_MISSING);
    assert_non_null(strstr(status.error, "without list and watch"));
    kube_scope_free(s);
}

static void a_kind_without_namespaces_is_not_asked_for_in_one(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    struct kube_scope *s = NULL;
    struct producer_status status;
    struct kube_resource nodes = CONFIGMAPS;
    nodes.namespaced = false;
    assert_ok(kube_scope_new(&t->world, SLICE("/nodes/a"), SLICE("v1"), SLICE_NULL, &s, &e));
    assert_ok(kube_scope_found(s, &nodes, false, &e));
    kube_scope_status(s, &status);
    assert_int_equal(status.phase, PRODUCER_MISSING);
    assert_non_null(strstr(status.error, "namespaces"));
    kube_scope_free(s);
}

static void the_kind_is_said_again_only_when_its_names_changed(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    watching(t);
    assert_ok(kube_scope_found(t->scope, &CONFIGMAPS, false, &e));
    struct kube_resource changed = CONFIGMAPS;
    changed.short_names = SLICE("cm,cfg");
    assert_ok(kube_scope_found(t->scope, &changed, false, &e));
    changed.version = SLICE("v2"); /* the preferred version moved on: this scope stays in its own */
    assert_ok(kube_scope_found(t->scope, &changed, false, &e));
    run_for(t, NS_PER_S);
    cw_assert_said(&t->w, "kind");
}

static void a_scope_that_is_no_scope_is_refused(void **state)
{
    struct test *t = *state;
    struct err e = ERR_INIT;
    struct kube_scope *s = NULL;
    const char *wrong[] = {"configmaps", "g/", "g/r/ns/name"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            kube_scope_new(&t->world, slice_str(wrong[i]), SLICE("v1"), SLICE_NULL, &s, &e),
            RC_INVALID);
    assert_null(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_scope_is_listed_and_then_watched_from_the_lists_version),
        TEST(events_carry_what_the_log_needs),
        TEST(a_listing_of_many_pages_is_one_listing),
        TEST(a_position_to_resume_from_needs_no_listing_but_one_look),
        TEST(a_namespaced_scope_asks_for_its_namespace_alone),
        TEST(D55_bookmarks_become_positions),
        TEST(a_watch_that_ends_goes_on_behind_its_last_event),
        TEST(a_stream_cut_inside_a_frame_loses_and_repeats_nothing),
        TEST(D53_a_lost_stretch_becomes_a_gap_and_a_listing_of_that_scope),
        TEST(a_server_that_answers_410_each_time_is_not_asked_in_a_loop),
        TEST(D60_a_continue_token_that_expires_discards_the_listing),
        TEST(D57_versions_that_went_backwards_are_told_and_end_no_listing),
        TEST(a_position_that_the_source_does_not_have_yet_is_a_regression),
        TEST(a_look_from_before_a_loss_says_nothing_of_the_server_since),
        TEST(a_look_that_fails_is_repeated_before_the_watch),
        TEST(D61_a_list_that_breaks_off_never_ends_and_is_tried_again),
        TEST(D61_nonsense_is_never_an_empty_list),
        TEST(D62_a_forbidden_resource_is_denied_asked_rarely_and_never_empty),
        TEST(a_watch_that_becomes_forbidden_goes_on_where_it_was),
        TEST(a_server_that_is_down_is_retried_with_back_off_and_costs_no_listing),
        TEST(after_a_lost_server_nothing_starts_before_the_identity_was_verified),
        TEST(at_most_four_listings_run_at_once),
        TEST(D63_an_unknown_resource_waits_and_says_why),
        TEST(a_kind_without_namespaces_is_not_asked_for_in_one),
        TEST(the_kind_is_said_again_only_when_its_names_changed),
        TEST(a_scope_that_is_no_scope_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

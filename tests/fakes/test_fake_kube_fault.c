/* The modelled API server's faults: each does what it says, and a seed gives the same run again. */
#include "tests/fakes/test_fake_kube_client.h"

#include <stdio.h>

/* ---- faults ---- */

static void plan(struct test *t, enum fake_kube_fault fault, int method)
{
    fake_kube_plan(t->k, &(struct fake_kube_rule){.fault = fault, .method = method, .path = CM});
}

static int struck(struct test *t, enum fake_kube_fault fault)
{
    return (int)fake_kube_counts(t->k).struck[fault];
}

static void each_fault_strikes_once_and_says_truly_whether_the_write_may_be_done(void **state)
{
    struct test *t = *state;
    struct {
        enum fake_kube_fault fault;
        int status;
        enum kube_class cls;
        bool effect, maybe;
    } const cases[] = {
        {FAKE_KUBE_REFUSED, 0, KUBE_UNAVAILABLE, false, false},
        {FAKE_KUBE_REQUEST_LOST, 0, KUBE_UNAVAILABLE, false, true},
        {FAKE_KUBE_REPLY_LOST, 0, KUBE_UNAVAILABLE, true, true},
        {FAKE_KUBE_THROTTLED, 429, KUBE_THROTTLED, false, false},
        {FAKE_KUBE_ERROR, 500, KUBE_UNAVAILABLE, false, false},
        {FAKE_KUBE_ERROR_DONE, 500, KUBE_UNAVAILABLE, true, false},
        {FAKE_KUBE_NONSENSE, 200, KUBE_NONSENSE, false, false},
        {FAKE_KUBE_BODY_CUT, 201, KUBE_UNAVAILABLE, true, true},
        {FAKE_KUBE_SILENT, 0, KUBE_UNAVAILABLE, false, true},
        {FAKE_KUBE_DELAY, 201, KUBE_OK, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[] = {'a', (char)('a' + i), 0};
        plan(t, cases[i].fault, HTTP_POST);
        assert_int_equal(post(t, name), cases[i].status);
        assert_int_equal(judge(t), cases[i].cls);
        assert_int_equal(t->done.maybe_done, cases[i].maybe);
        assert_int_equal(exists(t, name), cases[i].effect);
        assert_int_equal(post(t, name), cases[i].effect ? 409 : 201);
        assert_int_equal(struck(t, cases[i].fault), 1);
    }
    plan(t, FAKE_KUBE_THROTTLED, FAKE_KUBE_ANY);
    post(t, "b");
    assert_int_equal(t->done.retry_after_ns, NS_PER_S);
}

static void rules_let_pass_what_they_say_and_strike_other_paths_never(void **state)
{
    struct test *t = *state;
    fake_kube_plan(
        t->k, &(struct fake_kube_rule){
                  .fault = FAKE_KUBE_ERROR, .method = HTTP_GET, .path = CM, .pass = 1, .times = 2});
    assert_int_equal(fetch(t, HTTP_GET, "/api/v1/secrets", NULL), 200);
    assert_int_equal(fetch(t, HTTP_GET, CM, NULL), 200);
    assert_int_equal(post(t, "a"), 201);
    assert_int_equal(fetch(t, HTTP_GET, CM, NULL), 500);
    assert_int_equal(fetch(t, HTTP_GET, CM, NULL), 500);
    assert_int_equal(fetch(t, HTTP_GET, CM, NULL), 200);
}

static void a_request_delayed_beyond_the_clients_limit_still_takes_effect_later(void **state)
{
    struct test *t = *state;
    bool late = false;
    fake_kube_faults(t->k, 3,
                     &(struct fake_kube_rates){.per_mille = {[FAKE_KUBE_DELAY] = 1000},
                                               .delay_max_ns = 3600 * NS_PER_S});
    for (int i = 0; i < 20; i++) {
        char name[] = {'a', (char)('a' + i), 0};
        post(t, name);
        if (t->done.err.rc == RC_OK || exists(t, name))
            continue;
        assert_true(t->done.maybe_done);
        fake_clock_advance(&t->clock, 3600 * NS_PER_S);
        fake_kube_run(t->k);
        assert_true(exists(t, name));
        late = true;
    }
    assert_true(late);
}

/* What a frame gives behind all that came: RC_OK unless it lies inside another one that was cut. */
static enum rc another_frame(struct kube_watch_frames *f)
{
    enum kube_watch_type type;
    struct slice object;
    struct err e;
    assert_int_equal(kube_watch_feed(f, SLICE("{\"type\":\"ADDED\",\"object\":{}}"), &e), RC_OK);
    return kube_watch_next(f, &type, &object, &e);
}

static void a_watch_ends_before_or_inside_a_planned_frame(void **state)
{
    struct test *t = *state;
    for (int cut = 0; cut < 2; cut++) {
        char name[] = {(char)('a' + cut), 0};
        fake_kube_plan(t->k, &(struct fake_kube_rule){.fault = cut ? FAKE_KUBE_WATCH_CUT
                                                                   : FAKE_KUBE_WATCH_DROP,
                                                      .method = HTTP_GET,
                                                      .path = CM,
                                                      .pass = 1});
        AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
        look(t, &s);
        put(t, name, 1);
        put(t, name, 2);
        put(t, name, 3);
        assert_string_equal(look(t, &s), cut ? "+b" : "+a");
        assert_true(s.ended);
        assert_int_equal(another_frame(s.frames) == RC_OK, !cut);
        assert_int_equal(fake_kube_open_watches(t->k), 0);
    }
    assert_int_equal(struck(t, FAKE_KUBE_WATCH_DROP), 1);
    assert_int_equal(struck(t, FAKE_KUBE_WATCH_CUT), 1);
}

static void a_planned_410_strikes_watches_and_continue_tokens(void **state)
{
    struct test *t = *state;
    char path[100];
    plan(t, FAKE_KUBE_GONE, HTTP_GET);
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
    look(t, &s);
    assert_true(s.ended);
    assert_true(s.status == 410 || strcmp(s.seen.p, "!.") == 0);
    plan(t, FAKE_KUBE_GONE, HTTP_GET);
    snprintf(path, sizeof path, CM "?limit=1&continue=31");
    assert_int_equal(fetch(t, HTTP_GET, path, NULL), 410);
    assert_int_equal(judge(t), KUBE_EXPIRED);
    assert_int_equal(struck(t, FAKE_KUBE_GONE), 2);
}

static void a_fault_that_does_nothing_to_a_request_is_not_counted(void **state)
{
    struct test *t = *state;
    plan(t, FAKE_KUBE_GONE, HTTP_POST);
    assert_int_equal(post(t, "a"), 201);
    assert_int_equal(struck(t, FAKE_KUBE_GONE), 0);
    plan(t, FAKE_KUBE_ERROR, HTTP_POST);
    fake_kube_set_unauthorized(t->k, true);
    assert_int_equal(post(t, "b"), 401);
    assert_int_equal(struck(t, FAKE_KUBE_ERROR), 0);
}

static void a_slow_bookmark_comes_late(void **state)
{
    struct test *t = *state;
    plan(t, FAKE_KUBE_SLOW_BOOKMARK, HTTP_GET);
    AUTO(watch_done) struct stream s = watch_of(t, CM, fake_kube_version(t->k), "");
    look(t, &s);
    fake_clock_advance(&t->clock, 60 * NS_PER_S);
    assert_string_equal(look(t, &s), "");
    assert_true(next_time(t));
    assert_string_equal(look(t, &s), "*.");
    assert_int_equal(struck(t, FAKE_KUBE_SLOW_BOOKMARK), 1);
}

/* ---- what was seen ---- */

static void writes_and_reads_are_counted(void **state)
{
    struct test *t = *state;
    put(t, "direct", 1);
    plan(t, FAKE_KUBE_REFUSED, HTTP_POST);
    post(t, "a");
    post(t, "a");
    post(t, "a");
    fetch(t, HTTP_DELETE, CM "/a", NULL);
    fetch(t, HTTP_GET, CM "/a", NULL);
    fetch(t, HTTP_GET, "/apis", NULL);
    assert_int_equal(fake_kube_writes(t->k), 3);
    assert_int_equal(fake_kube_count_writes(t->k, HTTP_POST, CM), 2);
    assert_int_equal(fake_kube_count_writes(t->k, FAKE_KUBE_ANY, CM "/a"), 1);
    assert_int_equal(fake_kube_count_writes(t->k, FAKE_KUBE_ANY, "/apis"), 0);
    assert_int_equal(fake_kube_write_at(t->k, 0).status, 201);
    assert_int_equal(fake_kube_write_at(t->k, 1).status, 409);
    assert_true(slice_eq(fake_kube_write_at(t->k, 2).path, SLICE(CM "/a")));
    struct fake_kube_counts n = fake_kube_counts(t->k);
    assert_int_equal(n.posts, 2);
    assert_int_equal(n.deletes, 1);
    assert_int_equal(n.gets, 1);
    assert_int_equal(n.discoveries, 1);
    assert_int_equal(n.lists + n.watches + n.puts, 0);
}

/* ---- the whole under chance ---- */

/* A run of writers and a watcher under every fault: what the watcher saw at the end is hashed
 * with the state. */
static uint64_t run_seed(uint64_t seed)
{
    struct fake_clock clock;
    struct rng_seeded rng;
    struct http *http;
    struct fake_kube_rates rates = {.delay_max_ns = 20 * NS_PER_S};
    uint64_t h = 0;
    struct err e;
    for (int i = 1; i < FAKE_KUBE_FAULTS; i++)
        rates.per_mille[i] = 40;
    fake_clock_init(&clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&rng, seed);
    AUTO(fake_kube_freep) struct fake_kube *k = fake_kube_new(&clock.clock, &rng.rng);
    fake_kube_connect(k, &http);
    fake_kube_faults(k, seed, &rates);
    for (int round = 0; round < 60; round++) {
        char path[100], body[200];
        http_id id;
        struct http_event ev;
        snprintf(path, sizeof path, CM "/c%d", (int)rng_below(&rng.rng, 5));
        snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"%s\"},\"data\":{\"k\":\"%d\"}}",
                 path + sizeof CM, round);
        enum http_method m = (enum http_method)rng_below(&rng.rng, 5);
        struct http_request r = {.method = m,
                                 .path = m == HTTP_POST ? SLICE(CM) : slice_str(path),
                                 .body = slice_str(m == HTTP_DELETE ? "" : body)};
        assert_int_equal(http_start(http, &r, &id, &e), RC_OK);
        r = (struct http_request){.path = SLICE(CM "?watch=1&allowWatchBookmarks=1"),
                                  .stream = true,
                                  .lane = HTTP_LANE_WATCH};
        if (round % 10 == 0)
            assert_int_equal(http_start(http, &r, &id, &e), RC_OK);
        if (round == 30)
            fake_kube_restart(k);
        while (http_take(http, &ev, &e) == RC_OK) {
            h = h * 31 + ev.id + (uint64_t)ev.kind * 7 + (uint64_t)ev.status + ev.data.n;
            if (rng_below(&rng.rng, 50) == 0)
                http_cancel(http, ev.id + 1);
        }
        fake_clock_advance(&clock, (int64_t)rng_below(&rng.rng, 5 * NS_PER_S));
    }
    http_close(http);
    fake_clock_advance(&clock, 60 * NS_PER_S);
    fake_kube_run(k);
    return h ^ fake_kube_digest(k, true);
}

static void a_seed_gives_the_same_run_again_and_another_seed_another_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++) {
        uint64_t h = run_seed(seed);
        assert_true(h == run_seed(seed));
        assert_true(h != run_seed(seed + 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_fault_strikes_once_and_says_truly_whether_the_write_may_be_done),
        TEST(rules_let_pass_what_they_say_and_strike_other_paths_never),
        TEST(a_request_delayed_beyond_the_clients_limit_still_takes_effect_later),
        TEST(a_watch_ends_before_or_inside_a_planned_frame),
        TEST(a_planned_410_strikes_watches_and_continue_tokens),
        TEST(a_fault_that_does_nothing_to_a_request_is_not_counted),
        TEST(a_slow_bookmark_comes_late),
        TEST(writes_and_reads_are_counted),
        cmocka_unit_test(a_seed_gives_the_same_run_again_and_another_seed_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

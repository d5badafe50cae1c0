/* io/http_curl: lanes, connections, time limits, cancelling; against a server of the test's own on loopback,
 * and, where RESILOG_TEST_KUBECONFIG names the kubeconfig of a real API server, over HTTP/2 and TLS. Time
 * limits run on a fake clock; whatever waits, waits for an event. */
#include "core/buf.h"
#include "core/rng.h"
#include "io/kube_config.h"
#include "tests/unit/io/http_world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void a_connection_is_kept_and_never_shared_between_lanes(void **state)
{
    struct world *w = *state;
    int call = echo_conn(w, HTTP_LANE_CALL);
    int watch = echo_conn(w, HTTP_LANE_WATCH);
    assert_int_not_equal(call, watch);
    assert_int_equal(echo_conn(w, HTTP_LANE_CALL), call);
    assert_int_equal(echo_conn(w, HTTP_LANE_WATCH), watch);
}

static void many_requests_run_beside_each_other(void **state)
{
    struct world *w = *state;
    http_id first = get(w->http, "/echo");
    bool seen[20] = {false};
    for (int i = 1; i < 20; i++)
        assert_int_equal(get(w->http, "/echo"), first + (http_id)i);
    for (int i = 0; i < 20; i++) {
        struct http_event ev = done(w->http);
        assert_int_equal(ev.err.rc, RC_OK);
        assert_false(seen[ev.id - first]);
        seen[ev.id - first] = true;
    }
}

static void no_answer_in_time_ends_the_request_and_its_connection(void **state)
{
    struct world *w = *state;
    get(w->http, "/never?continue=hidden");
    reach(w, &w->server.requests, 1);
    fake_clock_advance(&w->clock, 10 * NS_PER_S - 1);
    struct http_event ev;
    struct err e = ERR_INIT;
    assert_int_equal(http_take(w->http, &ev, &e), RC_AGAIN);
    fake_clock_advance(&w->clock, 1);
    ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_true(ev.maybe_done);
    assert_non_null(strstr(ev.err.msg, "/never: time limit: no answer within 10 s"));
    assert_int_equal(ev.err.sys, ETIMEDOUT);
    reach(w, &w->server.closed, 1);
    assert_int_equal(echo_conn(w, HTTP_LANE_CALL), 2);
}

static void silence_in_the_middle_ends_a_call_but_not_a_watch(void **state)
{
    struct world *w = *state;
    struct http_request watch = {.path = SLICE("/drip"), .lane = HTTP_LANE_WATCH, .stream = true};
    http_id id = begin(w->http, &watch);
    assert_int_equal(next(w->http).kind, HTTP_HEADERS);
    assert_int_equal(next(w->http).kind, HTTP_DATA);
    http_id call = get(w->http, "/drip");
    assert_int_equal(next(w->http).id, call);
    fake_clock_advance(&w->clock, 30 * NS_PER_S);
    struct http_event ev = done(w->http);
    assert_int_equal(ev.id, call);
    assert_non_null(strstr(ev.err.msg, "time limit: silent for 30 s"));
    fake_clock_advance(&w->clock, 86400 * NS_PER_S);
    struct err e = ERR_INIT;
    assert_int_equal(http_take(w->http, &ev, &e), RC_AGAIN);
    http_cancel(w->http, id);
}

static void a_request_that_hangs_ends_no_other_connection(void **state)
{
    struct world *w = *state;
    struct http_request quiet = {.path = SLICE("/drip"), .lane = HTTP_LANE_WATCH, .stream = true};
    struct http_request hangs = {.path = SLICE("/never"), .lane = HTTP_LANE_WATCH, .stream = true};
    for (int i = 0; i < 3; i++) {
        begin(w->http, &quiet);
        assert_int_equal(next(w->http).kind, HTTP_HEADERS);
        assert_int_equal(next(w->http).kind, HTTP_DATA);
    }
    http_id id = begin(w->http, &hangs);
    reach(w, &w->server.requests, 4);
    fake_clock_advance(&w->clock, 100 * NS_PER_S);
    assert_int_equal(done(w->http).id, id);
    reach(w, &w->server.closed, 1);
    echo_conn(w, HTTP_LANE_WATCH); /* no other event comes before its own */
    assert_int_equal(atomic_load(&w->server.closed), 1);
}

static void the_total_limit_strikes_where_silence_is_allowed(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/drip"), .silent_for_ns = INT64_MAX};
    begin(w->http, &r);
    assert_int_equal(next(w->http).kind, HTTP_HEADERS);
    fake_clock_advance(&w->clock, 60 * NS_PER_S);
    assert_non_null(strstr(done(w->http).err.msg, "time limit: not finished within 60 s"));
}

static void a_held_lane_reads_nothing_while_the_other_works(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/flood"),
                             .lane = HTTP_LANE_WATCH,
                             .stream = true,
                             .silent_for_ns = NS_PER_S};
    struct http_event ev;
    struct err e = ERR_INIT;
    http_id flood = begin(w->http, &r);
    assert_int_equal(next(w->http).kind, HTTP_HEADERS);
    assert_int_equal(next(w->http).kind, HTTP_DATA);
    http_hold(w->http, HTTP_LANE_WATCH, true);
    while (http_take(w->http, &ev, &e) == RC_OK) /* what was read before */
        assert_int_equal(ev.id, flood);
    fake_clock_advance(&w->clock, 100 * NS_PER_S); /* its silence is ours: no limit strikes */
    http_id call = get(w->http, "/echo");
    assert_int_equal(next(w->http).id, call);
    assert_int_equal(next(w->http).id, call);
    assert_int_equal(http_take(w->http, &ev, &e), RC_AGAIN);
    http_hold(w->http, HTTP_LANE_WATCH, false);
    for (int i = 0; i < 100; i++) {
        ev = next(w->http);
        assert_int_equal(ev.id, flood);
        assert_int_equal(ev.kind, HTTP_DATA);
    }
}

static void nothing_ends_the_wait_while_every_lane_is_held(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/drip"), .lane = HTTP_LANE_WATCH, .stream = true};
    struct itimerspec soon = {.it_value.tv_nsec = 50 * NS_PER_MS};
    int alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    uint64_t rang;
    struct err e = ERR_INIT;
    get(w->http, "/never");
    http_id drip = begin(w->http, &r);
    assert_int_equal(next(w->http).kind, HTTP_HEADERS); /* its data came with them and waits */
    http_hold(w->http, HTTP_LANE_CALL, true);
    http_hold(w->http, HTTP_LANE_WATCH, true);
    fake_clock_advance(&w->clock, 100 * NS_PER_S); /* a limit that is due is none while held */
    assert_int_equal(timerfd_settime(alarm, 0, &soon, NULL), 0);
    assert_int_equal(http_wait(w->http, alarm, INT64_MAX, &e), RC_OK);
    assert_int_equal(read(alarm, &rang, sizeof rang), sizeof rang);
    http_hold(w->http, HTTP_LANE_WATCH, false);
    assert_int_equal(http_wait(w->http, -1, INT64_MAX, &e), RC_OK);
    assert_int_equal(next(w->http).id, drip);
    close(alarm);
}

static void a_cancelled_request_is_never_heard_of_again(void **state)
{
    struct world *w = *state;
    http_id never = get(w->http, "/never"), half = get(w->http, "/echo");
    struct http_event ev = next(w->http);
    assert_int_equal(ev.id, half);
    http_cancel(w->http, half); /* its DONE may wait already */
    http_cancel(w->http, half);
    http_cancel(w->http, never);
    http_cancel(w->http, 12345);
    assert_int_equal(ev.status, 200); /* the event in our hands stays whole */
    assert_true(slice_eq(ev.content_type, SLICE("application/json")));
    http_id last = get(w->http, "/echo");
    assert_int_equal(next(w->http).id, last);
    assert_int_equal(next(w->http).id, last);
    assert_int_equal(http_take(w->http, &ev, &(struct err){0}), RC_AGAIN);
}

static void waiting_ends_when_the_callers_descriptor_is_readable(void **state)
{
    struct world *w = *state;
    int fd = eventfd(1, EFD_CLOEXEC);
    struct err e = ERR_INIT;
    assert_int_equal(http_wait(w->http, fd, INT64_MAX, &e), RC_OK);
    assert_int_equal(http_wait(w->http, -1, 0, &e), RC_OK);
    assert_int_equal(http_wait(w->http, -1, -5, &e), RC_OK);
    close(fd);
}

static void closing_forgets_everything_under_way(void **state)
{
    struct world *w = *state;
    struct http_target t = {.url = w->url};
    struct http *h = world_open(w, &t);
    for (int i = 0; i < 5; i++)
        get(h, i % 2 ? "/never" : "/echo");
    next(h);
    http_close(h); /* the sanitizer says whether something was left */
}

/* ---- credentials of a program ---- */

#define V1 "client.authentication.k8s.io/v1"
#define GIVE(status)                                                                               \
    "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" status "}'"

/* A client whose credentials a script of the shell gives; x and argv live as long as it. */
static struct http *open_exec(struct world *w, const char **argv, struct http_exec *x,
                              const char *script)
{
    static struct rng_seeded rng;
    rng_seeded_init(&rng, 1);
    w->env.rng = &rng.rng;
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    *x = (struct http_exec){argv, NULL, V1};
    struct http_target t = {.url = w->url, .exec = x};
    return world_open(w, &t);
}

static void requests_wait_for_the_program_and_carry_its_token(void **state)
{
    struct world *w = *state;
    const char *argv[4] = {NULL};
    struct http_exec x;
    AUTO(http_closep) struct http *h = open_exec(w, argv, &x, GIVE("{\"token\":\"fresh\"}"));
    for (int i = 0; i < 3; i++)
        get(h, "/echo");
    for (int i = 0; i < 3; i++) {
        struct http_event ev = done(h);
        assert_int_equal(ev.err.rc, RC_OK);
        assert_true(holds(ev.data, "Authorization: Bearer fresh\r\n"));
    }
}

static void after_a_401_the_program_is_run_again(void **state)
{
    struct world *w = *state;
    const char *argv[4] = {NULL};
    char file[] = "/tmp/resilog-test-XXXXXX", script[512];
    struct http_exec x;
    close(mkstemp(file));
    snprintf(script, sizeof script, "printf x >>%s; " GIVE("{\"token\":\"'$(cat %s)'\"}"), file,
             file);
    AUTO(http_closep) struct http *h = open_exec(w, argv, &x, script);
    for (int i = 0; i < 2; i++) {
        get(h, i ? "/who" : "/echo");
        struct http_event ev = done(h);
        assert_int_equal(ev.status, i ? 401 : 200);
        assert_true(i || holds(ev.data, "Authorization: Bearer x\r\n"));
    }
    fake_clock_advance(&w->clock, NS_PER_S);
    get(h, "/echo");
    assert_true(holds(done(h).data, "Authorization: Bearer xx\r\n"));
    unlink(file);
}

static void where_the_program_fails_every_request_ends_with_the_reason(void **state)
{
    struct world *w = *state;
    const char *argv[4] = {NULL};
    struct http_exec x;
    AUTO(http_closep) struct http *h = open_exec(w, argv, &x, "echo hunter2; exit 7");
    for (int round = 0; round < 2; round++) { /* in the second one it is not run */
        for (int i = 0; i < 3; i++)
            get(h, "/echo");
        for (int i = 0; i < 3; i++) {
            struct http_event ev = done(h);
            assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
            assert_false(ev.maybe_done);
            assert_non_null(
                strstr(ev.err.msg, "/echo: no credentials: the exec plugin \"sh\" ended"));
            assert_null(strstr(ev.err.msg, "hunter2"));
        }
    }
    assert_int_equal(atomic_load(&w->server.requests), 0);
}

static void
a_request_that_waits_for_the_program_can_be_cancelled_and_its_limits_wait_too(void **state)
{
    struct world *w = *state;
    struct http_event ev;
    struct err e = ERR_INIT;
    const char *argv[4] = {NULL};
    struct http_exec x;
    AUTO(http_closep) struct http *h = open_exec(w, argv, &x, "sleep 1000");
    http_id gone = get(h, "/echo"), stays = get(h, "/echo");
    http_cancel(h, gone);
    fake_clock_advance(&w->clock, 29 * NS_PER_S); /* more than a GET may take */
    assert_int_equal(http_take(h, &ev, &e), RC_AGAIN);
    fake_clock_advance(&w->clock, NS_PER_S);
    ev = done(h);
    assert_int_equal(ev.id, stays);
    assert_non_null(strstr(ev.err.msg, "did not end within 30 s"));
    get(h, "/echo");
    get(h, "/echo"); /* closing ends the requests and the program */
}

/* ---- over HTTP/2, with a real API server ---- */

static struct http *open_real(struct world *w, struct kube_config *config,
                              bool (*change)(struct http_target *))
{
    const char *file = getenv("RESILOG_TEST_KUBECONFIG");
    AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);
    char piece[4096];
    struct err e = ERR_INIT;
    if (!file)
        skip();
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f));)
        buf_add(&text, piece, n);
    fclose(f);
    const struct kube_config_opts opts = {.file = file};
    if (kube_config_parse(buf_slice(&text), &opts, config, &e) != RC_OK)
        fail_msg("%s", e.msg);
    struct http_target t = config->target;
    if (change)
        assert_true(change(&t));
    return world_open(w, &t);
}

/* Sockets that this process has open to a peer. */
static int connections(void)
{
    struct sockaddr_storage peer;
    int n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        socklen_t size = sizeof peer;
        n += getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.ss_family == AF_INET;
    }
    return n;
}

static void many_more_watches_than_one_connection_carries_are_spread_and_all_answer(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    AUTO(http_closep) struct http *h = open_real(w, &c, NULL);
    struct http_request r = {.path = SLICE("/api/v1/configmaps?watch=1&resourceVersion=0"),
                             .lane = HTTP_LANE_WATCH,
                             .stream = true};
    enum { WATCHES = 300, PER = HTTP_WATCHES_PER_CONNECTION };
    int headers = 0, lists = 0, before = connections();
    for (int i = 0; i < WATCHES; i++)
        begin(h, &r);
    while (headers < WATCHES) {
        struct http_event ev = next(h);
        assert_int_not_equal(ev.kind, HTTP_DONE);
        headers += ev.kind == HTTP_HEADERS && ev.status == 200;
    }
    assert_int_equal(connections() - before, (WATCHES + PER - 1) / PER);
    for (int i = 0; i < 10; i++)
        get(h, "/api/v1/namespaces");
    while (lists < 10) {
        struct http_event ev = next(h);
        if (ev.kind != HTTP_DONE)
            continue;
        assert_int_equal(ev.err.rc, RC_OK);
        assert_int_equal(ev.status, 200);
        lists++;
    }
}

/* Over one connection two quiet watches, and a request that the server answers only after seconds (it waits for
 * the version); its limit strikes when these have passed by our clock. */
static http_id hang_beside_quiet_watches(struct http *h)
{
    const char *const paths[] = {
        "/api/v1/namespaces/none/configmaps?watch=1&resourceVersion=0",
        "/api/v1/namespaces/none/configmaps?watch=1&resourceVersion=0",
        "/api/v1/namespaces/none", /* its answer comes behind all that the server had to say */
        "/api/v1/namespaces/none/configmaps?resourceVersion=999999999999"};
    struct http_event ev;
    struct err e = ERR_INIT;
    http_id id = 0;
    for (int i = 0; i < 4; i++) {
        struct http_request r = {
            .path = slice_str(paths[i]), .lane = HTTP_LANE_WATCH, .stream = i < 2};
        id = begin(h, &r);
        if (i < 3)
            assert_int_equal(next(h).kind, HTTP_HEADERS);
        if (i == 2)
            assert_int_equal(done(h).id, id);
    }
    assert_int_equal(http_take(h, &ev, &e), RC_AGAIN); /* sends it */
    return id;
}

static void a_request_that_hangs_leaves_the_watches_beside_it_alone(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    AUTO(http_closep) struct http *h = open_real(w, &c, NULL);
    struct http_request r = {.path = SLICE("/api/v1/namespaces/none"), .lane = HTTP_LANE_WATCH};
    http_id hangs = hang_beside_quiet_watches(h);
    fake_clock_advance(&w->clock, 90 * NS_PER_S - 1);
    assert_int_equal(done(h).id, hangs);
    http_id id = begin(h, &r);
    struct http_event ev = done(h); /* no watch ended before it */
    assert_int_equal(ev.id, id);
    assert_int_equal(ev.status, 404);
}

static void a_connection_silent_for_long_is_given_up_for_all_its_streams(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    AUTO(http_closep) struct http *h = open_real(w, &c, NULL);
    http_id hangs = hang_beside_quiet_watches(h);
    fake_clock_advance(&w->clock, 90 * NS_PER_S);
    assert_int_equal(done(h).id, hangs);
    for (int i = 0; i < 2; i++)
        assert_non_null(strstr(done(h).err.msg, "connection lost"));
}

static bool forget_authority(struct http_target *t)
{
    t->ca_pem = NULL;
    return true;
}

static bool expect_other_name(struct http_target *t)
{
    t->server_name = "other.example";
    return true;
}

static bool spoil_token(struct http_target *t)
{
    t->token = "wrong";
    return true;
}

static void a_server_that_is_not_trusted_is_told_from_one_that_is_away(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config a = {0}, b = {0};
    AUTO(http_closep) struct http *h = open_real(w, &a, forget_authority);
    get(h, "/api");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_DENIED);
    assert_non_null(strstr(ev.err.msg, "not trusted by the system's authorities"));
    assert_false(ev.maybe_done);
    AUTO(http_closep) struct http *other = open_real(w, &b, expect_other_name);
    get(other, "/api");
    ev = done(other);
    assert_int_equal(ev.err.rc, RC_DENIED);
    assert_non_null(strstr(ev.err.msg, "set tls-server-name"));
}

static void a_wrong_token_is_an_answer(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    AUTO(http_closep) struct http *h = open_real(w, &c, spoil_token);
    get(h, "/api/v1/namespaces");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.status, 401);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_connection_is_kept_and_never_shared_between_lanes),
        WORLD_TEST(many_requests_run_beside_each_other),
        WORLD_TEST(no_answer_in_time_ends_the_request_and_its_connection),
        WORLD_TEST(silence_in_the_middle_ends_a_call_but_not_a_watch),
        WORLD_TEST(a_request_that_hangs_ends_no_other_connection),
        WORLD_TEST(the_total_limit_strikes_where_silence_is_allowed),
        WORLD_TEST(a_held_lane_reads_nothing_while_the_other_works),
        WORLD_TEST(nothing_ends_the_wait_while_every_lane_is_held),
        WORLD_TEST(a_cancelled_request_is_never_heard_of_again),
        WORLD_TEST(waiting_ends_when_the_callers_descriptor_is_readable),
        WORLD_TEST(closing_forgets_everything_under_way),
        WORLD_TEST(requests_wait_for_the_program_and_carry_its_token),
        WORLD_TEST(after_a_401_the_program_is_run_again),
        WORLD_TEST(where_the_program_fails_every_request_ends_with_the_reason),
        WORLD_TEST(a_request_that_waits_for_the_program_can_be_cancelled_and_its_limits_wait_too),
        WORLD_TEST(many_more_watches_than_one_connection_carries_are_spread_and_all_answer),
        WORLD_TEST(a_request_that_hangs_leaves_the_watches_beside_it_alone),
        WORLD_TEST(a_connection_silent_for_long_is_given_up_for_all_its_streams),
        WORLD_TEST(a_server_that_is_not_trusted_is_told_from_one_that_is_away),
        WORLD_TEST(a_wrong_token_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

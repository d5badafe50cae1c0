/* libcurl's client against a small HTTP/1.1 server of the test's own on loopback, and, where RESILOG_TEST_KUBECONFIG names the
 * kubeconfig of a real API server, over HTTP/2 and TLS. Time limits run on a fake clock; whatever waits, waits for an event. */
#include "core/buf.h"
#include "core/env.h"
#include "io/clock_sys.h"
#include "io/http.h"
#include "io/kube_config.h"
#include "tests/fakes/fake_clock.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define LOOPS   4000 /* of at most 5 ms each: only reached when a test fails */
#define LOOP_NS (5 * NS_PER_MS)
#define CONNS   32

/* ---- the server ---- */

struct conn {
    int fd, number;
    char in[16384];
    size_t n;
    bool flood;
};

struct server {
    int listener, stop, port;
    pthread_t thread;
    struct conn conns[CONNS];
    int accepted;
    atomic_int requests, closed; /* whole requests read, connections ended by the peer */
};

static void send_text(struct conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void send_text(struct conn *c, const char *fmt, ...)
{
    char text[32768];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (int at = 0; at < n;) {
        ssize_t k = send(c->fd, text + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (k <= 0)
            return;
        at += (int)k;
    }
}

static void conn_close(struct conn *c)
{
    close(c->fd);
    c->fd = -1;
}

static void send_whole(struct conn *c, const char *head, const char *body)
{
    send_text(c, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
}

static const char ZIPPED[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xaa\xca\x2c\x28\x48\x4d"
    "\x51\xb2\x2a\x29\x2a\x4d\xad\x05\x00\x84\x28\xbc\x08\x0f\x00\x00\x00";

/* Answers the one request that stands in c->in. */
static void conn_answer(struct server *s, struct conn *c)
{
    char method[16], path[256], body[20000];
    atomic_fetch_add(&s->requests, 1);
    if (sscanf(c->in, "%15s %255s", method, path) != 2)
        return;
    if (!strcmp(path, "/echo") || !strncmp(path, "/echo?", 6)) {
        snprintf(body, sizeof body, "conn %d\n%s", c->number, c->in);
        send_whole(c, "200 OK\r\nContent-Type: application/json", body);
    } else if (!strncmp(path, "/big/", 5)) {
        int n = 0;
        sscanf(path + 5, "%d", &n);
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%*s", n, n, "");
    } else if (!strcmp(path, "/stream")) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    } else if (!strcmp(path, "/gzip")) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                  sizeof ZIPPED - 1);
        send(c->fd, ZIPPED, sizeof ZIPPED - 1, MSG_NOSIGNAL);
    } else if (!strncmp(path, "/drip", 5)) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    } else if (!strncmp(path, "/cut", 4)) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
        conn_close(c);
    } else if (!strncmp(path, "/close", 6)) {
        conn_close(c);
    } else if (!strcmp(path, "/redirect")) {
        send_whole(c, "302 Found\r\nLocation: /echo", "");
    } else if (!strcmp(path, "/throttled")) {
        send_whole(c, "429 Too Many Requests\r\nRetry-After: 7", "later");
    } else if (!strcmp(path, "/early")) {
        send_text(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        send_whole(c, "201 Created", "made");
    } else if (!strcmp(path, "/flood")) {
        send_text(c, "HTTP/1.1 200 OK\r\n\r\n");
        c->flood = true;
    } else if (strncmp(path, "/never", 6) != 0) {
        send_whole(c, "404 Not Found", "");
    }
}

/* The length of the whole request at the front of c->in; 0: it is not all there. */
static size_t conn_request(const struct conn *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4), *at;
    size_t body = 0;
    if (!end)
        return 0;
    at = memmem(c->in, (size_t)(end - c->in), "Content-Length: ", 16);
    if (at)
        sscanf(at + 16, "%zu", &body);
    size_t n = (size_t)(end - c->in) + 4 + body;
    return n <= c->n ? n : 0;
}

static void conn_read(struct server *s, struct conn *c)
{
    ssize_t k = recv(c->fd, c->in + c->n, sizeof c->in - 1 - c->n, MSG_DONTWAIT);
    if (k <= 0) {
        atomic_fetch_add(&s->closed, 1);
        conn_close(c);
        return;
    }
    c->n += (size_t)k;
    size_t n = conn_request(c);
    if (!n)
        return;
    c->in[n] = 0;
    c->n = 0;
    conn_answer(s, c);
}

static void conn_flood(struct conn *c)
{
    char fill[8192];
    memset(fill, 'x', sizeof fill);
    send(c->fd, fill, sizeof fill, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void server_accept(struct server *s)
{
    int fd = accept(s->listener, NULL, NULL);
    for (int i = 0; i < CONNS && fd >= 0; i++)
        if (s->conns[i].fd < 0) {
            s->conns[i] = (struct conn){.fd = fd, .number = ++s->accepted};
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void *server_main(void *arg)
{
    struct server *s = arg;
    for (;;) {
        struct pollfd p[CONNS + 2] = {{.fd = s->stop, .events = POLLIN},
                                      {.fd = s->listener, .events = POLLIN}};
        for (int i = 0; i < CONNS; i++)
            p[i + 2] =
                (struct pollfd){.fd = s->conns[i].fd,
                                .events = (short)(POLLIN | (s->conns[i].flood ? POLLOUT : 0))};
        poll(p, CONNS + 2, -1);
        if (p[0].revents)
            return NULL;
        for (int i = 0; i < CONNS; i++) {
            if (p[i + 2].revents & POLLOUT)
                conn_flood(&s->conns[i]);
            if (p[i + 2].revents & ~POLLOUT)
                conn_read(s, &s->conns[i]);
        }
        if (p[1].revents)
            server_accept(s);
    }
}

/* ---- the test's side ---- */

struct world {
    struct server server;
    struct fake_clock clock;
    struct env env;
    struct http *http;
    char url[64];
};

/* A socket bound to a free port on loopback. */
static int bind_free(int *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static struct http *open_client(struct world *w, const struct http_target *t)
{
    struct http *h = NULL;
    struct err e = ERR_INIT;
    if (http_curl_open(t, &w->env, &h, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return h;
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct server *s = &w->server;
    for (int i = 0; i < CONNS; i++)
        s->conns[i].fd = -1;
    s->listener = bind_free(&s->port);
    s->stop = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(listen(s->listener, CONNS), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
    fake_clock_init(&w->clock, 0);
    w->env.clock = &w->clock.clock;
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d", s->port);
    struct http_target t = {.url = w->url, .token = "t0ken", .user_agent = "agent/1"};
    w->http = open_client(w, &t);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    struct server *s = &w->server;
    http_close(w->http);
    eventfd_write(s->stop, 1);
    pthread_join(s->thread, NULL);
    for (int i = 0; i < CONNS; i++)
        if (s->conns[i].fd >= 0)
            close(s->conns[i].fd);
    close(s->listener);
    close(s->stop);
    free(w);
    return 0;
}

static http_id begin(struct http *h, const struct http_request *r)
{
    http_id id = 0;
    struct err e = ERR_INIT;
    if (http_start(h, r, &id, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return id;
}

static http_id get(struct http *h, const char *path)
{
    struct http_request r = {.path = slice_str(path), .body_max = 1 << 20};
    return begin(h, &r);
}

/* The next event; fails the test when none comes. */
static struct http_event next(struct http *h)
{
    struct http_event ev;
    struct err e = ERR_INIT;
    for (int i = 0; i < LOOPS; i++) {
        enum rc rc = http_take(h, &ev, &e);
        if (rc == RC_OK)
            return ev;
        assert_int_equal(rc, RC_AGAIN);
        assert_int_equal(http_wait(h, -1, LOOP_NS, &e), RC_OK);
    }
    fail_msg("no event came");
    return ev;
}

static struct http_event done(struct http *h)
{
    struct http_event ev = next(h);
    while (ev.kind != HTTP_DONE)
        ev = next(h);
    return ev;
}

static bool holds(struct slice s, const char *text)
{
    return s.n && memmem(s.p, s.n, text, strlen(text));
}

/* Works until the server's counter has that value. */
static void reach(struct world *w, atomic_int *counter, int value)
{
    struct http_event ev;
    struct err e = ERR_INIT;
    for (int i = 0; i < LOOPS && atomic_load(counter) < value; i++) {
        assert_int_equal(http_take(w->http, &ev, &e), RC_AGAIN);
        assert_int_equal(http_wait(w->http, -1, LOOP_NS, &e), RC_OK);
    }
    assert_int_equal(atomic_load(counter), value);
}

static void a_request_carries_what_was_asked(void **state)
{
    struct world *w = *state;
    struct http_request r = {.method = HTTP_PATCH,
                             .path = SLICE("/echo?a=b"),
                             .accept = SLICE("x/y"),
                             .content_type = SLICE("p/q"),
                             .body = SLICE("hello"),
                             .body_max = 4096};
    http_id id = begin(w->http, &r);
    struct http_event ev = next(w->http);
    assert_int_equal(ev.kind, HTTP_HEADERS);
    assert_int_equal(ev.id, id);
    assert_int_equal(ev.status, 200);
    assert_true(slice_eq(ev.content_type, SLICE("application/json")));
    assert_int_equal(ev.retry_after_ns, -1);
    ev = next(w->http);
    assert_int_equal(ev.kind, HTTP_DONE);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.status, 200);
    assert_true(slice_eq(ev.content_type, SLICE("application/json")));
    assert_true(holds(ev.data, "PATCH /echo?a=b HTTP/1.1\r\n"));
    assert_true(holds(ev.data, "Accept: x/y\r\n"));
    assert_true(holds(ev.data, "Content-Type: p/q\r\n"));
    assert_true(holds(ev.data, "Authorization: Bearer t0ken\r\n"));
    assert_true(holds(ev.data, "User-Agent: agent/1\r\n"));
    assert_true(holds(ev.data, "Accept-Encoding: "));
    assert_true(holds(ev.data, "\r\n\r\nhello"));
    assert_false(holds(ev.data, "Expect"));
}

static void every_method_goes_out_with_its_body_or_without(void **state)
{
    struct world *w = *state;
    const struct {
        enum http_method method;
        const char *body, *line, *length;
    } rows[] = {
        {HTTP_GET, "", "GET /echo HTTP", NULL},
        {HTTP_DELETE, "", "DELETE /echo HTTP", NULL},
        {HTTP_DELETE, "{}", "DELETE /echo HTTP", "Content-Length: 2"},
        {HTTP_POST, "", "POST /echo HTTP", "Content-Length: 0"},
        {HTTP_POST, "abc", "POST /echo HTTP", "Content-Length: 3"},
        {HTTP_PUT, "abc", "PUT /echo HTTP", "Content-Length: 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_request r = {
            .method = rows[i].method, .path = SLICE("/echo"), .body = slice_str(rows[i].body)};
        begin(w->http, &r);
        struct http_event ev = done(w->http);
        assert_int_equal(ev.err.rc, RC_OK);
        assert_true(holds(ev.data, rows[i].line));
        assert_true(rows[i].length ? holds(ev.data, rows[i].length)
                                   : !holds(ev.data, "Content-Length"));
    }
}

static void answers_keep_their_status_and_delay(void **state)
{
    struct world *w = *state;
    get(w->http, "/throttled");
    struct http_event ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.status, 429);
    assert_int_equal(ev.retry_after_ns, 7 * NS_PER_S);
    assert_true(slice_eq(ev.data, SLICE("later")));
    get(w->http, "/early");
    ev = next(w->http);
    assert_int_equal(ev.kind, HTTP_HEADERS);
    assert_int_equal(ev.status, 201); /* not the interim 103 */
    assert_true(slice_eq(done(w->http).data, SLICE("made")));
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
    struct world *w = *state;
    get(w->http, "/redirect");
    assert_int_equal(done(w->http).status, 302);
    assert_int_equal(atomic_load(&w->server.requests), 1);
}

static void a_compressed_answer_arrives_plain(void **state)
{
    struct world *w = *state;
    get(w->http, "/gzip");
    struct http_event ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_true(slice_eq(ev.data, SLICE("{\"zipped\":true}")));
}

static void a_stream_gives_data_as_it_comes_and_none_at_the_end(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/stream"), .lane = HTTP_LANE_WATCH, .stream = true};
    AUTO(buf_done) struct buf got = BUF_INIT(100);
    begin(w->http, &r);
    struct http_event ev = next(w->http);
    assert_int_equal(ev.kind, HTTP_HEADERS);
    assert_true(slice_eq(ev.content_type, SLICE("a/b")));
    for (ev = next(w->http); ev.kind == HTTP_DATA; ev = next(w->http))
        buf_add_slice(&got, ev.data);
    assert_int_equal(ev.kind, HTTP_DONE);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.data.n, 0);
    assert_string_equal(got.p, "onetwo");
}

static void an_answer_of_the_greatest_size_is_taken_and_one_byte_more_refused(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/big/20000"), .body_max = 20000};
    begin(w->http, &r);
    struct http_event ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.data.n, 20000);
    r.body_max = 19999;
    begin(w->http, &r);
    ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_LIMIT);
    assert_int_equal(ev.data.n, 0);
    assert_non_null(strstr(ev.err.msg, "19999"));
}

/* The number of the connection that an /echo went over. */
static int echo_conn(struct world *w, enum http_lane lane)
{
    struct http_request r = {.path = SLICE("/echo"), .lane = lane, .body_max = 4096};
    int number = 0;
    begin(w->http, &r);
    struct http_event ev = done(w->http);
    assert_int_equal(sscanf(ev.data.p, "conn %d", &number), 1);
    return number;
}

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

static void a_lost_connection_says_so_and_hides_the_query(void **state)
{
    struct world *w = *state;
    const char *const paths[] = {"/close?continue=hidden", "/cut?continue=hidden"};
    for (int i = 0; i < 2; i++) {
        get(w->http, paths[i]);
        struct http_event ev = done(w->http);
        assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
        assert_int_equal(ev.err.retry, ERR_RETRY);
        assert_true(ev.maybe_done);
        assert_int_equal(ev.status, i ? 200 : 0);
        assert_non_null(strstr(ev.err.msg, "connection lost"));
        assert_non_null(strstr(ev.err.msg, i ? "/cut: " : "/close: "));
        assert_null(strstr(ev.err.msg, "hidden"));
        assert_null(strstr(ev.err.msg, "t0ken"));
    }
}

static void a_refused_connection_says_so_and_did_nothing(void **state)
{
    struct world *w = *state;
    int port, fd = bind_free(&port); /* bound, but nobody listens */
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct http_target t = {.url = url};
    AUTO(http_closep) struct http *h = open_client(w, &t);
    get(h, "/a");
    struct http_event ev = done(h);
    close(fd);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "cannot connect: Connection refused"));
    assert_false(ev.maybe_done);
    assert_int_equal(ev.status, 0);
}

static void a_name_that_cannot_be_resolved_says_so(void **state)
{
    struct world *w = *state;
    /* A label may have 63 characters: refused without asking any server. */
    struct http_target t = {
        .url =
            "http://"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid"};
    AUTO(http_closep) struct http *h = open_client(w, &t);
    get(h, "/a");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "name cannot be resolved"));
    assert_false(ev.maybe_done);
}

static void tls_trouble_is_told_from_a_bad_authority(void **state)
{
    struct world *w = *state;
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", w->server.port);
    struct http_target plain = {.url = url}, bad = {.url = url, .ca_pem = "no PEM"};
    AUTO(http_closep) struct http *a = open_client(w, &plain), *b = open_client(w, &bad);
    get(b, "/a");
    struct http_event ev = done(b);
    assert_int_equal(ev.err.rc, RC_DENIED);
    assert_non_null(strstr(ev.err.msg, "certificate authority is no usable PEM"));
    http_cancel(a, get(a, "/a"));
    struct http_request r = {.path = SLICE("/a"), .headers_within_ns = NS_PER_S};
    begin(a, &r);
    fake_clock_advance(&w->clock, NS_PER_S); /* the server waits for a request line for ever */
    ev = done(a);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "time limit: no connection within 1 s"));
    assert_false(ev.maybe_done);
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

static void bad_paths_and_targets_are_refused(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/a b")};
    http_id id = 7;
    struct err e = ERR_INIT;
    assert_int_equal(http_start(w->http, &r, &id, &e), RC_INVALID);
    assert_int_equal(id, 7);
    struct http_target t = {.url = "gopher://x"};
    struct http *h = NULL;
    assert_int_equal(http_curl_open(&t, &w->env, &h, &e), RC_INVALID);
    assert_null(h);
    http_close(NULL);
}

static void closing_forgets_everything_under_way(void **state)
{
    struct world *w = *state;
    struct http_target t = {.url = w->url};
    struct http *h = open_client(w, &t);
    for (int i = 0; i < 5; i++)
        get(h, i % 2 ? "/never" : "/echo");
    next(h);
    http_close(h); /* the sanitizer says whether something was left */
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
    if (kube_config_parse(buf_slice(&text), file, false, config, &e) != RC_OK)
        fail_msg("%s", e.msg);
    struct http_target t = config->target;
    if (change)
        assert_true(change(&t));
    w->env.clock = clock_sys();
    return open_client(w, &t);
}

static void many_more_watches_than_one_connection_carries_all_answer(void **state)
{
    struct world *w = *state;
    AUTO(kube_config_done) struct kube_config c = {0};
    AUTO(http_closep) struct http *h = open_real(w, &c, NULL);
    struct http_request r = {.path = SLICE("/api/v1/configmaps?watch=1&resourceVersion=0"),
                             .lane = HTTP_LANE_WATCH,
                             .stream = true};
    enum { WATCHES = 2 * HTTP_WATCHES_PER_CONNECTION };
    int headers = 0, lists = 0;
    for (int i = 0; i < WATCHES; i++)
        begin(h, &r);
    while (headers < WATCHES) {
        struct http_event ev = next(h);
        assert_int_not_equal(ev.kind, HTTP_DONE);
        headers += ev.kind == HTTP_HEADERS && ev.status == 200;
    }
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

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    const struct CMUnitTest tests[] = {
        T(a_request_carries_what_was_asked),
        T(every_method_goes_out_with_its_body_or_without),
        T(answers_keep_their_status_and_delay),
        T(a_redirect_is_an_answer_and_is_not_followed),
        T(a_compressed_answer_arrives_plain),
        T(a_stream_gives_data_as_it_comes_and_none_at_the_end),
        T(an_answer_of_the_greatest_size_is_taken_and_one_byte_more_refused),
        T(a_connection_is_kept_and_never_shared_between_lanes),
        T(many_requests_run_beside_each_other),
        T(a_lost_connection_says_so_and_hides_the_query),
        T(a_refused_connection_says_so_and_did_nothing),
        T(a_name_that_cannot_be_resolved_says_so),
        T(tls_trouble_is_told_from_a_bad_authority),
        T(no_answer_in_time_ends_the_request_and_its_connection),
        T(silence_in_the_middle_ends_a_call_but_not_a_watch),
        T(the_total_limit_strikes_where_silence_is_allowed),
        T(a_held_lane_reads_nothing_while_the_other_works),
        T(a_cancelled_request_is_never_heard_of_again),
        T(waiting_ends_when_the_callers_descriptor_is_readable),
        T(bad_paths_and_targets_are_refused),
        T(closing_forgets_everything_under_way),
        T(many_more_watches_than_one_connection_carries_all_answer),
        T(a_server_that_is_not_trusted_is_told_from_one_that_is_away),
        T(a_wrong_token_is_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

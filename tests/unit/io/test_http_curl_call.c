/* io/http_curl_call: what one request sends, takes, and says about its end; against a server of the tests'
 * own on loopback, and a resolver of the tests' own. */
#include "core/buf.h"
#include "tests/fakes/expired_cert.h"
#include "tests/unit/io/http_world.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* A resolver in libc's place that knows no name; of SLOW_NAME it says so when the test lets it. */
#define SLOW_NAME       "slow.example"
#define RESOLVE_BOUND_S 20 /* only reached when the test fails */
static sem_t resolver_asked, resolver_may;
static atomic_bool resolver_left;

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
    struct timespec until;
    (void)service;
    (void)hints;
    (void)ret;
    if (strcmp(name, SLOW_NAME) != 0)
        return EAI_NONAME;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RESOLVE_BOUND_S;
    sem_post(&resolver_asked);
    sem_timedwait(&resolver_may, &until);
    atomic_store(&resolver_left, true);
    return EAI_AGAIN;
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
    assert_true(holds(ev.data, "Accept-Encoding: gzip\r\n"));
    assert_true(holds(ev.data, "\r\n\r\nhello"));
    assert_false(holds(ev.data, "Expect"));
}

static void a_target_without_compression_is_asked_for_plain_answers(void **state)
{
    struct world *w = *state;
    struct http_target t = {.url = w->url, .no_compression = true};
    AUTO(http_closep) struct http *h = world_open(w, &t);
    get(h, "/echo");
    assert_false(holds(done(h).data, "Accept-Encoding"));
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

static void D61_a_stream_that_unpacks_to_too_much_at_once_ends(void **state)
{
    struct world *w = *state;
    enum { MOST = 1 << 20 }; /* of more than 4 MB */
    struct http_request r = {.path = SLICE("/bomb"), .stream = true, .body_max = MOST};
    size_t got = 0;
    begin(w->http, &r);
    struct http_event ev = next(w->http);
    for (ev = next(w->http); ev.kind == HTTP_DATA; ev = next(w->http))
        got += ev.data.n;
    assert_int_equal(ev.err.rc, RC_LIMIT);
    assert_non_null(strstr(ev.err.msg, "/bomb: more than 1048576 bytes of the answer"));
    assert_in_range(got, 1, MOST);
}

static void a_stream_that_is_taken_may_bring_any_number_of_bytes(void **state)
{
    struct world *w = *state;
    enum { MOST = 2 << 20 }; /* one turn of the network reads less */
    struct http_request r = {.path = SLICE("/flood"), .stream = true, .body_max = MOST};
    http_id id = begin(w->http, &r);
    assert_int_equal(next(w->http).kind, HTTP_HEADERS);
    for (size_t got = 0; got < 3 * (size_t)MOST;) {
        struct http_event ev = next(w->http);
        assert_int_equal(ev.kind, HTTP_DATA);
        got += ev.data.n;
    }
    http_cancel(w->http, id);
}

static void a_compressed_answer_that_breaks_off_ends_as_a_whole_one(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/bomb"), .body_max = 8 << 20};
    begin(w->http, &r);
    struct http_event ev = done(w->http);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_in_range(ev.data.n, 4 << 20, 8 << 20);
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
    int port, fd = world_bind(&port); /* bound, but nobody listens */
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct http_target t = {.url = url};
    AUTO(http_closep) struct http *h = world_open(w, &t);
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
    struct http_target t = {.url = "http://no.example"};
    AUTO(http_closep) struct http *h = world_open(w, &t);
    get(h, "/a");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "name cannot be resolved"));
    assert_false(ev.maybe_done);
}

static void a_request_whose_name_is_being_resolved_ends_at_once(void **state)
{
    struct world *w = *state;
    struct http_target t = {.url = "http://" SLOW_NAME};
    struct http_request late = {.path = SLICE("/c"), .headers_within_ns = 100 * NS_PER_S};
    struct http_event ev;
    struct err e = ERR_INIT;
    sem_init(&resolver_asked, 0, 0);
    sem_init(&resolver_may, 0, 0);
    struct http *h = world_open(w, &t);
    http_id cancelled = get(h, "/a"), expired = get(h, "/b");
    begin(h, &late);
    assert_int_equal(http_take(h, &ev, &e), RC_AGAIN);
    for (int i = 0; i < 3; i++)
        sem_wait(&resolver_asked);
    http_cancel(h, cancelled);
    fake_clock_advance(&w->clock, 10 * NS_PER_S);
    assert_int_equal(http_take(h, &ev, &e), RC_OK);
    assert_int_equal(ev.id, expired);
    http_close(h);
    assert_false(atomic_load(&resolver_left));
    for (int i = 0; i < 3; i++)
        sem_post(&resolver_may);
}

static void tls_trouble_is_told_from_a_bad_authority(void **state)
{
    struct world *w = *state;
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d", w->server.port);
    struct http_target plain = {.url = url}, bad = {.url = url, .ca_pem = "no PEM"};
    AUTO(http_closep) struct http *a = world_open(w, &plain), *b = world_open(w, &bad);
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
    assert_int_equal(ev.err.sys, 0);
    assert_false(ev.maybe_done);
}

static void an_expired_client_certificate_is_told_where_the_server_refuses(void **state)
{
    struct world *w = *state;
    struct http_target t = {.url = w->url, .cert_pem = EXPIRED_CERT, .key_pem = EXPIRED_KEY};
    AUTO(http_closep) struct http *h = world_open(w, &t);
    fake_clock_set_wall(&w->clock, EXPIRED_AT_NS - 1);
    get(h, "/who");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_OK);
    assert_int_equal(ev.status, 401);
    fake_clock_set_wall(&w->clock, EXPIRED_AT_NS);
    get(h, "/echo");
    assert_int_equal(done(h).err.rc, RC_OK);
    get(h, "/who");
    ev = done(h);
    assert_int_equal(ev.err.rc, RC_EXPIRED);
    assert_false(ev.maybe_done);
    assert_non_null(strstr(ev.err.msg, "the client certificate expired at " EXPIRED_AT));
    assert_non_null(strstr(ev.err.msg, "HTTP 401"));
    get(h, "/who/cut");
    assert_int_equal(done(h).err.rc, RC_EXPIRED);
    get(h, "/close");
    ev = done(h);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "the client certificate expired at " EXPIRED_AT));
}

static bool reaches(int fd, int port)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    return getpeername(fd, (struct sockaddr *)&a, &n) == 0 && a.sin_family == AF_INET &&
           ntohs(a.sin_port) == port;
}

static void no_program_that_is_started_inherits_a_connection(void **state)
{
    struct world *w = *state;
    int seen = 0;
    echo_conn(w, HTTP_LANE_CALL);
    for (int fd = 0; fd < 1024; fd++)
        if (reaches(fd, w->server.port)) {
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            seen++;
        }
    assert_int_equal(seen, 1);
}

static void bad_paths_and_targets_are_refused(void **state)
{
    struct world *w = *state;
    struct http_request r = {.path = SLICE("/a b")};
    http_id id = 7;
    struct err e = ERR_INIT;
    assert_int_equal(http_start(w->http, &r, &id, &e), RC_INVALID);
    assert_int_equal(id, 7);
    static char type[2000];
    memset(type, 'a', sizeof type);
    r = (struct http_request){.path = SLICE("/a"), .accept = slice_of(type, sizeof type)};
    assert_int_equal(http_start(w->http, &r, &id, &e), RC_LIMIT);
    assert_non_null(strstr(e.msg, "header line is larger than 1024 bytes"));
    struct http_target t = {.url = "gopher://x"};
    struct http *h = NULL;
    assert_int_equal(http_curl_open(&t, &w->env, &h, &e), RC_INVALID);
    assert_null(h);
    http_close(NULL);
}

static void the_header_lines_of_the_target_are_in_every_request(void **state)
{
    struct world *w = *state;
    const char *const lines[] = {"Impersonate-User: jane", "Impersonate-Group: a b", NULL};
    struct http_target t = {.url = w->url, .headers = lines};
    AUTO(http_closep) struct http *h = world_open(w, &t);
    for (int i = 0; i < 2; i++) {
        get(h, "/echo");
        struct http_event ev = done(h);
        assert_true(holds(ev.data, "Impersonate-User: jane\r\n"));
        assert_true(holds(ev.data, "Impersonate-Group: a b\r\n"));
    }
}

/* The proxy here is nobody: what matters is that nothing else is asked, and what is said. */
static void through_a_proxy_that_is_away_nothing_is_reached_and_its_secret_not_told(void **state)
{
    struct world *w = *state;
    int port, fd = world_bind(&port);
    char proxy[96];
    snprintf(proxy, sizeof proxy, "http://user:hunter2@127.0.0.1:%d", port);
    struct http_target t = {.url = w->url, .proxy = proxy};
    AUTO(http_closep) struct http *h = world_open(w, &t);
    get(h, "/echo");
    struct http_event ev = done(h);
    assert_int_equal(ev.err.rc, RC_UNAVAILABLE);
    assert_non_null(strstr(ev.err.msg, "/echo (through its proxy): cannot connect"));
    assert_null(strstr(ev.err.msg, "hunter2"));
    assert_int_equal(atomic_load(&w->server.requests), 0);
    close(fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be used */
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_request_carries_what_was_asked),
        WORLD_TEST(a_target_without_compression_is_asked_for_plain_answers),
        WORLD_TEST(every_method_goes_out_with_its_body_or_without),
        WORLD_TEST(answers_keep_their_status_and_delay),
        WORLD_TEST(a_redirect_is_an_answer_and_is_not_followed),
        WORLD_TEST(a_compressed_answer_arrives_plain),
        WORLD_TEST(a_stream_gives_data_as_it_comes_and_none_at_the_end),
        WORLD_TEST(an_answer_of_the_greatest_size_is_taken_and_one_byte_more_refused),
        WORLD_TEST(D61_a_stream_that_unpacks_to_too_much_at_once_ends),
        WORLD_TEST(a_stream_that_is_taken_may_bring_any_number_of_bytes),
        WORLD_TEST(a_compressed_answer_that_breaks_off_ends_as_a_whole_one),
        WORLD_TEST(a_lost_connection_says_so_and_hides_the_query),
        WORLD_TEST(a_refused_connection_says_so_and_did_nothing),
        WORLD_TEST(a_name_that_cannot_be_resolved_says_so),
        WORLD_TEST(a_request_whose_name_is_being_resolved_ends_at_once),
        WORLD_TEST(tls_trouble_is_told_from_a_bad_authority),
        WORLD_TEST(an_expired_client_certificate_is_told_where_the_server_refuses),
        WORLD_TEST(no_program_that_is_started_inherits_a_connection),
        WORLD_TEST(the_header_lines_of_the_target_are_in_every_request),
        WORLD_TEST(through_a_proxy_that_is_away_nothing_is_reached_and_its_secret_not_told),
        WORLD_TEST(bad_paths_and_targets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

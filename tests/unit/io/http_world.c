/* The server is one thread with one poll loop; the answer depends on the path alone (conn_answer). */
#include "tests/unit/io/http_world.h"

#include <netinet/in.h>
#include <poll.h>
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

/* ---- the server ---- */

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

/* The front of a gzip file; each of the zeros behind it stands for another 1032 times 'x'. */
static const char BOMB[4096] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x01\x00\x00"
                               "\x00\x82\xa0\xdb\xce\x6f\x48\x40\x01";

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
    } else if (!strcmp(path, "/bomb")) {
        send_text(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
                  sizeof BOMB);
        send(c->fd, BOMB, sizeof BOMB, MSG_NOSIGNAL);
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
    } else if (!strcmp(path, "/who")) {
        send_whole(c, "401 Unauthorized", "");
    } else if (!strcmp(path, "/who/cut")) {
        send_text(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nsome");
        conn_close(c);
    } else if (!strcmp(path, "/early")) {
        send_text(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        send_whole(c, "201 Created", "made");
    } else if (!strncmp(path, "/flood", 6)) {
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

int world_bind(int *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

struct http *world_open(struct world *w, const struct http_target *t)
{
    struct http *h = NULL;
    struct err e = ERR_INIT;
    if (http_curl_open(t, &w->env, &h, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return h;
}

int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct server *s = &w->server;
    for (int i = 0; i < CONNS; i++)
        s->conns[i].fd = -1;
    s->listener = world_bind(&s->port);
    s->stop = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(listen(s->listener, CONNS), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
    fake_clock_init(&w->clock, 0);
    w->env.clock = &w->clock.clock;
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d", s->port);
    struct http_target t = {.url = w->url, .token = "t0ken", .user_agent = "agent/1"};
    w->http = world_open(w, &t);
    *state = w;
    return 0;
}

int world_tear_down(void **state)
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

http_id begin(struct http *h, const struct http_request *r)
{
    http_id id = 0;
    struct err e = ERR_INIT;
    if (http_start(h, r, &id, &e) != RC_OK)
        fail_msg("%s", e.msg);
    return id;
}

http_id get(struct http *h, const char *path)
{
    struct http_request r = {.path = slice_str(path), .body_max = 1 << 20};
    return begin(h, &r);
}

struct http_event next(struct http *h)
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

struct http_event done(struct http *h)
{
    struct http_event ev = next(h);
    while (ev.kind != HTTP_DONE)
        ev = next(h);
    return ev;
}

bool holds(struct slice s, const char *text)
{
    return s.n && memmem(s.p, s.n, text, strlen(text));
}

void reach(struct world *w, atomic_int *counter, int value)
{
    struct http_event ev;
    struct err e = ERR_INIT;
    for (int i = 0; i < LOOPS && atomic_load(counter) < value; i++) {
        assert_int_equal(http_take(w->http, &ev, &e), RC_AGAIN);
        assert_int_equal(http_wait(w->http, -1, LOOP_NS, &e), RC_OK);
    }
    assert_int_equal(atomic_load(counter), value);
}

int echo_conn(struct world *w, enum http_lane lane)
{
    struct http_request r = {.path = SLICE("/echo"), .lane = lane, .body_max = 4096};
    int number = 0;
    begin(w->http, &r);
    struct http_event ev = done(w->http);
    assert_int_equal(sscanf(ev.data.p, "conn %d", &number), 1);
    return number;
}

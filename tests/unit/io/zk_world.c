/* One thread with one poll loop. */
#include "tests/unit/io/zk_world.h"

#include "tests/unit/io/zk_bytes.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define IN_BYTES (2 << 20)
#define WELCOME  "00000000 00003a98 0000000000000011 00000010 00000000000000000000000000000000 00"

static uint32_t number_at(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void conn_close(struct zk_world_conn *c)
{
    close(c->fd);
    free(c->in);
    *c = (struct zk_world_conn){.fd = -1};
}

static void conn_send(const struct zk_world_conn *c, struct slice s)
{
    while (s.n) {
        ssize_t k = send(c->fd, s.p, s.n, MSG_NOSIGNAL);
        if (k <= 0)
            return;
        s = slice_of(s.p + k, s.n - (size_t)k);
    }
}

static void conn_send_frame(const struct zk_world_conn *c, const char *text)
{
    char bytes[ZK_BYTES_MAX];
    conn_send(c, zk_frame(text, bytes));
}

static void conn_flood(struct zk_world *w, const struct zk_world_conn *c)
{
    static const char news[] = "ffffffff ffffffffffffffff 00000000 ffffffff 00000003 00000000";
    char bytes[ZK_BYTES_MAX], many[2048 * 32];
    struct slice one = zk_frame(news, bytes);
    for (size_t at = 0; at + one.n <= sizeof many; at += one.n)
        memcpy(many + at, one.p, one.n);
    assert_int_equal(sizeof many % one.n, 0);
    for (int i = 0; i < 1024; i++)
        conn_send(c, slice_of(many, sizeof many));
    atomic_store(&w->flooded, true);
}

static void conn_answer_read(struct zk_world *w, struct zk_world_conn *c, const char *head,
                             struct slice path)
{
    char text[1024];
    if (slice_eq(path, SLICE("/silent")))
        return;
    if (slice_eq(path, SLICE("/close"))) {
        conn_close(c);
        return;
    }
    if (slice_eq(path, SLICE("/garbage"))) {
        conn_send(c, SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"));
        return;
    }
    if (slice_eq(path, SLICE("/flood"))) {
        conn_flood(w, c);
        return;
    }
    snprintf(text, sizeof text, "%s %08zx '%.*s'" ZK_STAT, head, path.n, SLICE_ARG(path));
    conn_send_frame(c, text);
}

/* Answers one whole frame. */
static void conn_answer(struct zk_world *w, struct zk_world_conn *c, struct slice frame)
{
    char head[64], with_stat[256];
    if (!c->greeted) {
        c->greeted = true;
        atomic_fetch_add(&w->sessions, 1);
        conn_send_frame(c, WELCOME);
        return;
    }
    int32_t xid = (int32_t)number_at(frame.p), op = (int32_t)number_at(frame.p + 4);
    snprintf(head, sizeof head, "%08x 0000000000000063 00000000", (unsigned)xid);
    snprintf(with_stat, sizeof with_stat, "%s" ZK_STAT, head);
    if (op == -11)
        atomic_fetch_add(&w->left, 1);
    if (op == 100 && atomic_load(&w->no_login))
        conn_send_frame(c, "fffffffc 0000000000000000 ffffff8d");
    else if (op == 4)
        conn_answer_read(w, c, head, slice_of(frame.p + 12, number_at(frame.p + 8)));
    else
        conn_send_frame(c, op == 5 ? with_stat : head);
}

static void conn_read(struct zk_world *w, struct zk_world_conn *c)
{
    ssize_t k = recv(c->fd, c->in + c->n, IN_BYTES - c->n, MSG_DONTWAIT);
    if (k <= 0) {
        atomic_fetch_add(&w->closed, 1);
        conn_close(c);
        return;
    }
    c->n += (size_t)k;
    while (c->fd >= 0 && c->n >= 4 && c->n - 4 >= number_at(c->in)) {
        size_t n = 4 + (size_t)number_at(c->in);
        conn_answer(w, c, slice_of(c->in + 4, n - 4));
        if (c->fd < 0)
            return;
        memmove(c->in, c->in + n, c->n - n);
        c->n -= n;
    }
}

static void server_accept(struct zk_world *w)
{
    int fd = accept(w->listener, NULL, NULL);
    for (int i = 0; i < ZK_WORLD_CONNS && fd >= 0 && !atomic_load(&w->refuses); i++)
        if (w->conns[i].fd < 0) {
            w->conns[i] = (struct zk_world_conn){.fd = fd, .in = malloc(IN_BYTES)};
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void *server_main(void *arg)
{
    struct zk_world *w = arg;
    while (!atomic_load(&w->ending)) {
        struct pollfd p[ZK_WORLD_CONNS + 2] = {{.fd = w->wake, .events = POLLIN},
                                               {.fd = w->listener, .events = POLLIN}};
        bool deaf = atomic_load(&w->deaf);
        for (int i = 0; i < ZK_WORLD_CONNS; i++)
            p[i + 2] = (struct pollfd){.fd = deaf ? -1 : w->conns[i].fd, .events = POLLIN};
        poll(p, ZK_WORLD_CONNS + 2, -1);
        eventfd_t unused;
        if (p[0].revents)
            eventfd_read(w->wake, &unused);
        for (int i = 0; i < ZK_WORLD_CONNS; i++)
            if (p[i + 2].revents)
                conn_read(w, &w->conns[i]);
        if (p[1].revents)
            server_accept(w);
    }
    return NULL;
}

void zk_world_start(struct zk_world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    *w = (struct zk_world){.wake = eventfd(0, EFD_CLOEXEC)};
    for (int i = 0; i < ZK_WORLD_CONNS; i++)
        w->conns[i].fd = -1;
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->listener, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(w->listener, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(listen(w->listener, ZK_WORLD_CONNS), 0);
    w->port = ntohs(a.sin_port);
    snprintf(w->server, sizeof w->server, "127.0.0.1:%d", w->port);
    assert_int_equal(pthread_create(&w->thread, NULL, server_main, w), 0);
}

void zk_world_wake(struct zk_world *w)
{
    eventfd_write(w->wake, 1);
}

void zk_world_stop(struct zk_world *w)
{
    atomic_store(&w->ending, true);
    zk_world_wake(w);
    pthread_join(w->thread, NULL);
    for (int i = 0; i < ZK_WORLD_CONNS; i++)
        if (w->conns[i].fd >= 0)
            conn_close(&w->conns[i]);
    close(w->listener);
    close(w->wake);
}

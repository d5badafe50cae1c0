/* One epoll set, a table by descriptor of when each socket was last heard, and a timer that is a mere number: libcurl
 * sets it several times a request, and each time the kernel would set its own.
 *
 * Level-triggered, one event a call: epoll puts what stays ready at the end of its list, so no busy
 * socket starves another, and an event never outlives the socket that it is about. */
#include "io/http_sockets.h"

#include "core/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct sock {
    bool watched;
    int64_t heard_ns;
};

struct http_sockets {
    int epoll;
    int64_t due_ns;
    bool timer_was_last;
    struct sock *by_fd;
    size_t n;
};

enum rc http_sockets_open(struct http_sockets **ret, struct err *e)
{
    AUTO(http_sockets_closep) struct http_sockets *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->due_ns = INT64_MAX;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        return err_sys(e, errno, "http: epoll");
    *ret = steal(&s);
    return RC_OK;
}

void http_sockets_close(struct http_sockets *s)
{
    if (!s)
        return;
    if (s->epoll >= 0)
        close(s->epoll);
    free(s->by_fd);
    free(s);
}

int http_sockets_fd(const struct http_sockets *s)
{
    return s->epoll;
}

int64_t http_sockets_due(const struct http_sockets *s)
{
    return s->due_ns;
}

static enum rc make_room(struct http_sockets *s, size_t n, struct err *e)
{
    if (n <= s->n)
        return RC_OK;
    n = n < 64 ? 64 : 2 * n;
    struct sock *more = reallocarray(s->by_fd, n, sizeof *more);
    if (!more)
        return err_nomem(e);
    for (size_t i = s->n; i < n; i++)
        more[i] = (struct sock){0};
    s->by_fd = more;
    s->n = n;
    return RC_OK;
}

enum rc http_sockets_watch(struct http_sockets *s, int fd, bool in, bool out, int64_t now_ns,
                           struct err *e)
{
    enum rc rc = make_room(s, (size_t)fd + 1, e);
    if (rc != RC_OK)
        return rc;
    struct sock *k = &s->by_fd[fd];
    struct epoll_event ev = {.data.fd = fd};
    ev.events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
    if (epoll_ctl(s->epoll, k->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0)
        return err_sys(e, errno, "http: epoll");
    if (!k->watched)
        *k = (struct sock){true, now_ns};
    return RC_OK;
}

void http_sockets_forget(struct http_sockets *s, int fd)
{
    if ((size_t)fd >= s->n || !s->by_fd[fd].watched)
        return;
    s->by_fd[fd].watched = false;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd,
              NULL); /* fails only where it is closed and so out already */
}

void http_sockets_timer(struct http_sockets *s, int64_t at_ns)
{
    s->due_ns = at_ns;
}

static enum rc give_timer(struct http_sockets *s, struct http_ready *ret)
{
    s->due_ns = INT64_MAX;
    s->timer_was_last = true;
    *ret = (struct http_ready){.timer = true, .fd = -1};
    return RC_OK;
}

enum rc http_sockets_next(struct http_sockets *s, int64_t now_ns, struct http_ready *ret,
                          struct err *e)
{
    struct epoll_event ev;
    bool due = s->due_ns <= now_ns;
    if (due && !s->timer_was_last)
        return give_timer(s, ret);
    s->timer_was_last = false;
    int n = epoll_wait(s->epoll, &ev, 1, 0);
    if (n < 0 && errno != EINTR)
        return err_sys(e, errno, "http: epoll_wait");
    if (n <= 0)
        return due ? give_timer(s, ret) : RC_AGAIN;
    if (ev.events & EPOLLIN)
        s->by_fd[ev.data.fd].heard_ns = now_ns;
    *ret = (struct http_ready){.fd = ev.data.fd,
                               .in = ev.events & EPOLLIN,
                               .out = ev.events & EPOLLOUT,
                               .broken = ev.events & (EPOLLERR | EPOLLHUP)};
    return RC_OK;
}

void http_sockets_excuse(struct http_sockets *s, int64_t ns)
{
    for (size_t fd = 0; fd < s->n; fd++)
        s->by_fd[fd].heard_ns += ns;
}

/* The local port of an internet socket; 0 of any other: a resolver's socket pair is watched too. */
static uint16_t port_of(int fd)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    memcpy(&four, &a, sizeof four);
    memcpy(&six, &a, sizeof six);
    if (a.ss_family == AF_INET)
        return ntohs(four.sin_port);
    return a.ss_family == AF_INET6 ? ntohs(six.sin6_port) : 0;
}

void http_sockets_drop_silent(struct http_sockets *s, uint16_t port, int64_t now_ns, int64_t for_ns)
{
    for (size_t fd = 0; fd < s->n && port; fd++)
        if (s->by_fd[fd].watched && now_ns - s->by_fd[fd].heard_ns >= for_ns &&
            port_of((int)fd) == port)
            shutdown((int)fd, SHUT_RDWR);
}

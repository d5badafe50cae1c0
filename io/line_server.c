/* A listening socket and a few clients, each of which goes one way: it is read until its line is there, waits for its
 * turn, is answered, and goes. Whatever is wrong with a client ends that client alone. */
#include "io/line_server.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ACCEPT_AGAIN_NS NS_PER_S

enum client_state { CLIENT_FREE, CLIENT_READING, CLIENT_ASKED, CLIENT_TAKEN, CLIENT_WRITING };

struct client {
    enum client_state state;
    int fd;
    struct buf bytes;  /* the question; then what is left of the answer */
    struct slice line; /* the question, from ASKED to TAKEN */
    uint64_t turn;     /* of those that ASKED the lowest is next */
    int64_t until_ns;  /* of READING and WRITING: boot clock */
};

struct line_server {
    const char *name;
    const struct env *env;
    int dir, fd;
    uint64_t turns;
    int64_t
        accept_due_ns; /* boot clock; before it nobody is accepted: there was no descriptor for one */
    struct client clients[LINE_CLIENTS];
};

static void go(struct client *c, enum client_state to)
{
    static const bool allowed[][5] = {
        [CLIENT_FREE] = {[CLIENT_READING] = true},
        [CLIENT_READING] = {[CLIENT_ASKED] = true, [CLIENT_FREE] = true},
        [CLIENT_ASKED] = {[CLIENT_TAKEN] = true, [CLIENT_FREE] = true},
        [CLIENT_TAKEN] = {[CLIENT_WRITING] = true, [CLIENT_FREE] = true},
        [CLIENT_WRITING] = {[CLIENT_FREE] = true},
    };
    assert(allowed[c->state][to]);
    c->state = to;
}

static void let_go(struct client *c)
{
    if (c->state == CLIENT_FREE)
        return;
    close(c->fd);
    buf_done(&c->bytes);
    go(c, CLIENT_FREE);
}

static struct client *find(struct line_server *s, enum client_state state)
{
    struct client *found = NULL;
    for (size_t i = 0; i < LINE_CLIENTS; i++) {
        struct client *c = &s->clients[i];
        if (c->state == state && (!found || c->turn < found->turn))
            found = c;
    }
    return found;
}

static int64_t patience(const struct line_server *s)
{
    return clock_boot_ns(s->env->clock) + LINE_PATIENCE_NS;
}

/* ---- Life ---- */

static enum rc listen_on(struct line_server *s, const char *dir, struct err *e)
{
    struct sockaddr_un address;
    enum rc rc = line_address(dir, s->name, &s->dir, &address, e);
    if (rc < 0)
        return rc;
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The file gets the mode of the socket: nobody else can ask, not even for a moment. */
    if (s->fd < 0 || fchmod(s->fd, 0600) < 0 ||
        (unlinkat(s->dir, s->name, 0) < 0 && errno != ENOENT) ||
        bind(s->fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
        listen(s->fd, LINE_CLIENTS) < 0)
        return err_sys(e, errno, "%s/%s", dir, s->name);
    return RC_OK;
}

enum rc line_server_open(const char *dir, const char *name, const struct env *env,
                         struct line_server **ret, struct err *e)
{
    AUTO(line_server_closep) struct line_server *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->name = name;
    s->env = env;
    s->dir = s->fd = -1;
    enum rc rc = listen_on(s, dir, e);
    if (rc == RC_OK)
        *ret = steal(&s);
    return rc;
}

void line_server_close(struct line_server *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < LINE_CLIENTS; i++)
        let_go(&s->clients[i]);
    if (s->fd >= 0) {
        close(s->fd);
        (void)unlinkat(s->dir, s->name, 0);
    }
    if (s->dir >= 0)
        close(s->dir);
    free(s);
}

/* ---- Step ---- */

size_t line_server_fds(const struct line_server *s, struct pollfd *fds)
{
    size_t n = 0;
    bool room = false;
    for (size_t i = 0; i < LINE_CLIENTS; i++) {
        const struct client *c = &s->clients[i];
        room = room || c->state == CLIENT_FREE;
        if (c->state == CLIENT_READING || c->state == CLIENT_WRITING)
            fds[n++] = (struct pollfd){.fd = c->fd,
                                       .events = c->state == CLIENT_READING ? POLLIN : POLLOUT};
    }
    if (room && clock_boot_ns(s->env->clock) >= s->accept_due_ns)
        fds[n++] = (struct pollfd){.fd = s->fd, .events = POLLIN};
    return n;
}

/* Who cannot be accepted stays in the queue, and must not keep the caller's wait from waiting. */
static void accept_all(struct line_server *s)
{
    struct client *c;
    int64_t now = clock_boot_ns(s->env->clock);
    while (now >= s->accept_due_ns && (c = find(s, CLIENT_FREE))) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            bool none = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
            s->accept_due_ns = none ? 0 : now + ACCEPT_AGAIN_NS;
            return;
        }
        *c = (struct client){.fd = fd, .until_ns = patience(s)};
        buf_init(&c->bytes, 2 * LINE_BYTES_MAX);
        go(c, CLIENT_READING);
    }
}

/* As much as is there, but no more than shows that a line is too long. */
static void read_question(struct line_server *s, struct client *c)
{
    char some[4096];
    struct err ignored = ERR_INIT;
    ssize_t n = recv(c->fd, some, sizeof some, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        buf_add(&c->bytes, some, (size_t)n);
    enum rc rc = n > 0 && c->bytes.bad == RC_OK
                     ? line_find(buf_slice(&c->bytes), &c->line, &ignored)
                     : RC_INVALID;
    if (rc < 0) {
        let_go(c);
    } else if (rc == RC_OK) {
        c->turn = ++s->turns;
        go(c, CLIENT_ASKED);
    }
}

static void write_answer(struct client *c)
{
    ssize_t n = send(c->fd, c->bytes.p, c->bytes.n, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        buf_consume(&c->bytes, (size_t)n);
    if (n < 0 || c->bytes.n == 0)
        let_go(c);
}

void line_server_step(struct line_server *s)
{
    accept_all(s);
    for (size_t i = 0; i < LINE_CLIENTS; i++) {
        struct client *c = &s->clients[i];
        if (c->state == CLIENT_READING)
            read_question(s, c);
        else if (c->state == CLIENT_WRITING)
            write_answer(c);
        bool talking = c->state == CLIENT_READING || c->state == CLIENT_WRITING;
        if (talking && clock_boot_ns(s->env->clock) >= c->until_ns)
            let_go(c);
    }
}

/* ---- Questions and answers ---- */

static bool is_gone(const struct client *c)
{
    struct pollfd fd = {.fd = c->fd};
    return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLHUP | POLLERR));
}

enum rc line_server_take(struct line_server *s, struct slice *ret)
{
    assert(!find(s, CLIENT_TAKEN));
    struct client *c;
    while ((c = find(s, CLIENT_ASKED)) && is_gone(c))
        let_go(c);
    if (!c)
        return RC_AGAIN;
    go(c, CLIENT_TAKEN);
    *ret = c->line;
    return RC_OK;
}

enum rc line_server_answer(struct line_server *s, struct slice line, struct err *e)
{
    struct client *c = find(s, CLIENT_TAKEN);
    assert(c);
    buf_reset(&c->bytes);
    buf_add_slice(&c->bytes, line);
    buf_add_char(&c->bytes, '\n');
    enum rc rc = buf_check(&c->bytes, "an answer", e);
    if (rc < 0) {
        let_go(c);
        return rc;
    }
    c->until_ns = patience(s);
    go(c, CLIENT_WRITING);
    write_answer(c);
    return RC_OK;
}

/* The asking end: connect, one line, one line back. */
#include "io/line_ask.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/scope.h"
#include "io/line.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct asking {
    const char *dir, *name; /* for messages */
    const struct env *env;
    int fd;
    int64_t until_ns; /* boot clock */
};

/* What is left behind by a process that was killed is as good as nothing there. */
static enum rc connect_to(struct asking *a, struct err *e)
{
    struct sockaddr_un address;
    int dir;
    enum rc rc = line_address(a->dir, a->name, &dir, &address, e);
    if (rc < 0)
        return rc;
    a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int failed = a->fd < 0 || connect(a->fd, (const struct sockaddr *)&address, sizeof address) < 0
                     ? errno
                     : 0;
    close(dir);
    if (failed == ENOENT || failed == ECONNREFUSED)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "%s/%s: nobody serves it", a->dir, a->name);
    if (failed == EAGAIN)
        return err_set(e, RC_CONFLICT, ERR_RETRY,
                       "%s/%s: too many ask at the same time, nothing was asked: try again", a->dir,
                       a->name);
    return failed ? err_sys(e, failed, "%s/%s", a->dir, a->name) : RC_OK;
}

static enum rc await(const struct asking *a, short events, struct err *e)
{
    struct pollfd fd = {.fd = a->fd, .events = events};
    for (;;) {
        int64_t left = a->until_ns - clock_boot_ns(a->env->clock);
        if (left <= 0)
            return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s/%s: no answer in time", a->dir,
                           a->name);
        int n = poll(&fd, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
        if (n > 0)
            return RC_OK;
        if (n < 0 && errno != EINTR)
            return err_sys(e, errno, "%s/%s", a->dir, a->name);
    }
}

static bool is_transient(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static enum rc send_all(const struct asking *a, struct slice bytes, struct err *e)
{
    while (bytes.n > 0) {
        ssize_t n = send(a->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && !is_transient())
            return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s/%s: the question was not taken",
                           a->dir, a->name);
        if (n > 0)
            bytes = slice_of(bytes.p + n, bytes.n - (size_t)n);
        enum rc rc = n < 0 ? await(a, POLLOUT, e) : RC_OK;
        if (rc < 0)
            return rc;
    }
    return RC_OK;
}

static enum rc receive(const struct asking *a, struct buf *bytes, struct slice *ret, struct err *e)
{
    enum rc rc = RC_AGAIN;
    while (rc == RC_AGAIN) {
        char some[4096];
        ssize_t n = recv(a->fd, some, sizeof some, 0);
        if (n == 0 || (n < 0 && !is_transient()))
            return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s/%s: the question was not answered",
                           a->dir, a->name);
        if (n < 0) {
            enum rc waited = await(a, POLLIN, e);
            if (waited < 0)
                return waited;
            continue;
        }
        buf_add(bytes, some, (size_t)n);
        rc = buf_check(bytes, "an answer", e);
        rc = rc == RC_OK ? line_find(buf_slice(bytes), ret, e) : rc;
    }
    return rc;
}

enum rc line_ask(const char *dir, const char *name, struct slice question, int64_t timeout_ns,
                 const struct env *env, struct buf *ret, struct err *e)
{
    AUTO(buf_done) struct buf bytes = BUF_INIT(2 * LINE_BYTES_MAX);
    struct asking a = {dir, name, env, -1, clock_boot_ns(env->clock) + timeout_ns};
    struct slice line;
    enum rc rc = connect_to(&a, e);
    buf_add_slice(&bytes, question);
    buf_add_char(&bytes, '\n');
    if (rc == RC_OK)
        rc = buf_check(&bytes, "a question", e);
    if (rc == RC_OK)
        rc = send_all(&a, buf_slice(&bytes), e);
    buf_reset(&bytes);
    if (rc == RC_OK)
        rc = receive(&a, &bytes, &line, e);
    if (rc == RC_OK)
        buf_add_slice(ret, line);
    if (a.fd >= 0)
        close(a.fd);
    return rc == RC_OK ? buf_check(ret, "an answer", e) : rc;
}

/* Filling the caller's struct err. Nothing here allocates, so that the lack of memory can be told
 * too. Text is formed in a buffer of its own first: the arguments may point into the error that is
 * being filled. Safe from any thread (strerrordesc_np is constant). */
#include "core/err.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MSG_SIZE sizeof(((struct err *)NULL)->msg)

static void fill(struct err *e, enum rc rc, enum err_retry retry, int sys, const char *msg)
{
    e->rc = rc;
    e->retry = retry;
    e->sys = sys;
    snprintf(e->msg, sizeof e->msg, "%s", msg);
}

enum rc err_set(struct err *e, enum rc rc, enum err_retry retry, const char *fmt, ...)
{
    assert(rc < 0);
    if (!e)
        return rc;
    char msg[MSG_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    fill(e, rc, retry, 0, msg);
    return rc;
}

static enum rc classify(int sys_errno, enum err_retry *ret_retry)
{
    *ret_retry = ERR_FINAL;
    switch (sys_errno) {
    case ENOENT:
        return RC_NOTFOUND;
    case EACCES:
    case EPERM:
        return RC_DENIED;
    default:
        break;
    }
    *ret_retry = ERR_RETRY;
    switch (sys_errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
        return RC_LIMIT;
    case ENOMEM:
        return RC_NOMEM;
    case EAGAIN:
    case EINTR:
    case ETIMEDOUT:
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
        return RC_UNAVAILABLE;
    default:
        *ret_retry = ERR_FATAL;
        return RC_IO;
    }
}

enum rc err_sys(struct err *e, int sys_errno, const char *fmt, ...)
{
    enum err_retry retry;
    enum rc rc = classify(sys_errno, &retry);
    if (!e)
        return rc;
    char head[MSG_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(head, sizeof head, fmt, ap);
    va_end(ap);

    char unknown[32];
    const char *reason = strerrordesc_np(sys_errno);
    if (!reason) {
        snprintf(unknown, sizeof unknown, "error number %d", sys_errno);
        reason = unknown;
    }
    /* A long path must not push the reason out. */
    int room = (int)(MSG_SIZE - sizeof ": " - strlen(reason));
    char msg[MSG_SIZE];
    snprintf(msg, sizeof msg, "%.*s: %s", room, head, reason);
    fill(e, rc, retry, sys_errno, msg);
    return rc;
}

enum rc err_wrap(struct err *e, const char *fmt, ...)
{
    assert(e && e->rc < 0);
    char msg[MSG_SIZE];
    va_list ap;
    va_start(ap, fmt);
    int head = vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (head >= 0 && (size_t)head < sizeof msg) {
        size_t room = sizeof msg - (size_t)head;
        size_t tail = strnlen(e->msg, sizeof e->msg);
        snprintf(msg + head, room, ": %.*s", (int)tail, e->msg);
    }
    fill(e, e->rc, e->retry, e->sys, msg);
    return e->rc;
}

enum rc err_nomem(struct err *e)
{
    if (e)
        fill(e, RC_NOMEM, ERR_RETRY, 0, "out of memory");
    return RC_NOMEM;
}

const char *rc_name(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "ok";
    case RC_END:
        return "end";
    case RC_AGAIN:
        return "again";
    case RC_NOMEM:
        return "nomem";
    case RC_INVALID:
        return "invalid";
    case RC_NOTFOUND:
        return "notfound";
    case RC_CONFLICT:
        return "conflict";
    case RC_EXPIRED:
        return "expired";
    case RC_DENIED:
        return "denied";
    case RC_UNAVAILABLE:
        return "unavailable";
    case RC_IO:
        return "io";
    case RC_CORRUPT:
        return "corrupt";
    case RC_LIMIT:
        return "limit";
    case RC_CANCELLED:
        return "cancelled";
    case RC_UNSUPPORTED:
        return "unsupported";
    }
    return "unknown";
}

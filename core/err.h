/* The one error object: what went wrong, whether trying again helps, and a sentence for a person. */
#ifndef RESILOG_CORE_ERR_H
#define RESILOG_CORE_ERR_H

#include <stdarg.h>

/* 0 is success, > 0 is benign and needs no struct err, < 0 is a failure that filled struct err. */
enum rc {
    RC_OK = 0,
    RC_END = 1,   /* nothing more will ever come */
    RC_AGAIN = 2, /* nothing now; ask again later */
    RC_NOMEM = -1,
    RC_INVALID = -2,  /* the input is wrong, whoever gave it */
    RC_NOTFOUND = -3, /* the thing named does not exist */
    RC_CONFLICT = -4, /* somebody else was there first: stale epoch, offset, version */
    RC_EXPIRED =
        -5, /* the position asked for is gone (410, trimmed log); a certificate is out of date */
    RC_DENIED = -6, /* 401, 403, EACCES */
    RC_UNAVAILABLE = -7,
    RC_IO = -8,
    RC_CORRUPT = -9,
    RC_LIMIT = -10, /* a named limit or a full disk */
    RC_CANCELLED = -11,
    RC_UNSUPPORTED = -12
};

/* What the caller may do about a failure. */
enum err_retry {
    ERR_FINAL,  /* the same call will fail the same way */
    ERR_RETRY,  /* try again later, with back-off */
    ERR_RESYNC, /* reopen and read again from a known point */
    ERR_FATAL   /* stop this component and tell a person */
};

/* Caller storage, untouched on success, so that no allocation is needed to report the lack of memory. */
struct err {
    enum rc rc;
    enum err_retry retry;
    int sys; /* errno where one is known, else 0 */
    char msg[488];
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .rc = RC_OK                                                                                \
    }
#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills e (NULL is allowed) and returns rc, so that `return err_set(...)` is one line. Never put the bytes of an
 * object, a header value or a URL with user information into the text. */
enum rc err_set(struct err *e, enum rc rc, enum err_retry retry, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* As err_set, from errno: ENOENT NOTFOUND, EACCES/EPERM DENIED, ENOSPC/EDQUOT/EFBIG/EMFILE/ENFILE LIMIT
 * (RETRY), ENOMEM NOMEM (RETRY), EAGAIN/EINTR/ETIMEDOUT/ECONN* UNAVAILABLE (RETRY), all else IO (FATAL). The
 * text ends in ": <strerror>". */
enum rc err_sys(struct err *e, int sys_errno, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<fmt>: " before the text, once a layer, and returns e->rc; e holds a failure and is not NULL here.
 * Long texts lose their end, never their beginning. */
enum rc err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "out of memory", without an allocation. */
enum rc err_nomem(struct err *e);

/* The constant's lower-case name ("conflict"); "unknown" for a value outside the enum. Never NULL. */
const char *rc_name(enum rc rc);

#endif

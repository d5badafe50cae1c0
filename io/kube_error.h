/* What an API server's answer means: one table by (code, reason, cause, message pattern). Used by
 * producer and sink. */
#ifndef RESILOG_IO_KUBE_ERROR_H
#define RESILOG_IO_KUBE_ERROR_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

enum kube_class {
    KUBE_OK,
    KUBE_OBJECT_MISSING,    /* 404 with a Status: this object */
    KUBE_NAMESPACE_MISSING, /* 404 with a Status that names the namespace */
    KUBE_KIND_MISSING,  /* 404 in plain text (no such group or version), or a Status "could not find
                           the requested resource" */
    KUBE_EXISTS,        /* 409 AlreadyExists */
    KUBE_CONFLICT,      /* 409: version or uid precondition */
    KUBE_TERMINATING,   /* 403 with cause NamespaceTerminating, 409 "object is being deleted" */
    KUBE_EXPIRED,       /* 410, or 400/500 with reason Expired/Gone */
    KUBE_VERSION_AHEAD, /* 504/500 "too large resource version" */
    KUBE_UNAUTHORIZED,  /* 401 */
    KUBE_FORBIDDEN,     /* 403 */
    KUBE_QUOTA,         /* 403 "exceeded quota" */
    KUBE_INVALID,       /* 422, 400 */
    KUBE_IMMUTABLE,     /* 422 whose causes say that a field cannot change */
    KUBE_TOO_LARGE,     /* 413, request entity too large, etcd's size error */
    KUBE_WEBHOOK,       /* an admission webhook refused or could not be called */
    KUBE_UNACCEPTABLE,  /* 405, 406, 415 */
    KUBE_THROTTLED,     /* 429 */
    KUBE_UNAVAILABLE,   /* 5xx, or no answer */
    KUBE_NONSENSE       /* an answer that is no API server's (HTML, empty, not JSON) */
};

struct kube_verdict {
    enum kube_class cls;
    enum err_retry retry;
    int64_t retry_after_ns; /* -1: not given */
    bool too_slow;          /* a time limit struck, the server's (504, 408) or ours */
    char reason[64];        /* Status.reason, or the HTTP code in words */
    char message[320]; /* Status.message, cut; never an object's content beyond what the server said
                        */
};

/* Judges a whole answer; content_type and body as they came. */
void kube_judge(int status, struct slice content_type, struct slice body, int64_t retry_after_ns,
                struct kube_verdict *ret);
/* Judges the Status object of a watch's ERROR frame. */
void kube_judge_status(struct slice status_object, struct kube_verdict *ret);
/* A request that failed, as http.h says: it got no answer, or one that the credentials explain. */
void kube_judge_failure(const struct err *failure, struct kube_verdict *ret);
const char *kube_class_name(enum kube_class cls);
/* Turns a verdict into the error object: rc and retry by the table, "<what>: <reason>: <message>".
 */
enum rc kube_verdict_err(const struct kube_verdict *v, const char *what, struct err *e);

#endif

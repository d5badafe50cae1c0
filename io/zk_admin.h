/* What a server of ZooKeeper says about itself over HTTP: the command srvr of its AdminServer (3.5 and later). The
 * question is one request on a struct http, the answer is read without waiting. */
#ifndef RESILOG_IO_ZK_ADMIN_H
#define RESILOG_IO_ZK_ADMIN_H

#include "core/err.h"
#include "io/http.h"
#include "io/zk_target.h"

#include <stdbool.h>

struct env;

#define ZK_ADMIN_WITHIN_S 10 /* from the question to the last byte of the answer */
#define ZK_ADMIN_BODY_MAX (64u << 10)

/* Clean texts of one line. */
struct zk_admin_facts {
    char version[32]; /* "3.8.0" */
    unsigned major, minor;
    char state
        [32]; /* "standalone", "leader", "follower", "observer", "read-only", or what else it says */
    bool read_only;
    char error[256]; /* why it says nothing of the above; "" where it does */
};

/* Opens a client; no connection yet. Errors: INVALID (URL, PEM, a user without https), NOMEM, UNSUPPORTED. */
MUST_CHECK enum rc zk_admin_open(const struct zk_admin_target *target, const struct env *env,
                                 struct http **ret, struct err *e);
/* Starts the question; its DONE comes within ZK_ADMIN_WITHIN_S. Errors: those of http_start. */
MUST_CHECK enum rc zk_admin_start(struct http *h, http_id *ret_id, struct err *e);
/* Reads that DONE. RC_OK also where the server says why it cannot answer: ret->error. Else the message ends in what to
 * do. Errors: UNAVAILABLE (no answer, or 429 and 5xx), DENIED (401, 403; a certificate that is not trusted), EXPIRED
 * (our own certificate), NOTFOUND (404), INVALID (redirects, and whatever is no answer of an AdminServer), LIMIT,
 * NOMEM. */
MUST_CHECK enum rc zk_admin_read(const struct http_event *done, struct zk_admin_facts *ret,
                                 struct err *e);

#endif

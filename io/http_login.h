/* As whom one request is made: never changed once it is made, shared by the requests that carry it. */
#ifndef RESILOG_IO_HTTP_LOGIN_H
#define RESILOG_IO_HTTP_LOGIN_H

#include "core/err.h"
#include "io/http_target.h"

#include <stdint.h>

#define HTTP_TOKEN_MAX (32 << 10)

enum http_login_part {
    HTTP_LOGIN_TOKEN,
    HTTP_LOGIN_CA,
    HTTP_LOGIN_CERT,
    HTTP_LOGIN_KEY,
    HTTP_LOGIN_PARTS
};

struct http_login {
    unsigned refs;                /* of one thread */
    char *part[HTTP_LOGIN_PARTS]; /* texts, PEM but for the token; NULL: none */
    char *authorization;          /* header line "Authorization: Bearer ...", NULL: none */
    int64_t
        cert_end_ns; /* when the client certificate expires, on the wall clock; INT64_MAX: none that says so */
};

/* Copies the parts, of which each may be NULL; the caller has the one reference. Errors: INVALID (a token that fits no
 * header line, a certificate without key; no part is repeated), NOMEM. */
MUST_CHECK enum rc http_login_new(const char *const part[HTTP_LOGIN_PARTS], struct http_login **ret,
                                  struct err *e);
struct http_login *http_login_ref(struct http_login *l);
/* The last one overwrites and frees. NULL is allowed. */
void http_login_unref(struct http_login *l);

#endif

/* As whom a client's requests are made now. Files are looked at again, so that a token or a certificate that somebody
 * renews is used without a new start. One thread. */
#ifndef RESILOG_IO_HTTP_AUTH_H
#define RESILOG_IO_HTTP_AUTH_H

#include "core/err.h"
#include "core/scope.h"
#include "io/http_login.h"

struct env;
struct http_auth;

/* Copies what it needs of t. Files are read at once; of one that cannot be read the target's own text counts. Errors:
 * INVALID, NOMEM. */
MUST_CHECK enum rc http_auth_open(const struct http_target *t, const struct env *env,
                                  struct http_auth **ret, struct err *e);
void http_auth_close(struct http_auth *a);
DEFINE_FREEP(struct http_auth, http_auth_close)

/* What a request that is made now carries; gives a reference. Looks at the files once a second at most, and takes a
 * change that is a second old, so that nobody is still writing. Where they are of no use the last ones go on. Errors:
 * NOMEM. */
MUST_CHECK enum rc http_auth_login(struct http_auth *a, struct http_login **ret, struct err *e);
/* A request that carried l was answered by 401: the next look takes a change at once. */
void http_auth_refused(struct http_auth *a, const struct http_login *l);

#endif

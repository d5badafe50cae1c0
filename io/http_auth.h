/* As whom a client's requests are made now. Files are looked at again, so that a token or a certificate that somebody
 * renews is used without a new start; a program is run again when what it gave expired. One thread. */
#ifndef RESILOG_IO_HTTP_AUTH_H
#define RESILOG_IO_HTTP_AUTH_H

#include "core/err.h"
#include "core/scope.h"
#include "io/http_login.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct env;
struct http_auth;

/* Copies what it needs of t, but borrows t->exec; borrows env. Files are read at once; of one that cannot be read the
 * target's own text counts. Errors: INVALID, NOMEM. */
MUST_CHECK enum rc http_auth_open(const struct http_target *t, const struct env *env,
                                  struct http_auth **ret, struct err *e);
void http_auth_close(struct http_auth *a);
DEFINE_FREEP(struct http_auth, http_auth_close)

/* What a request that is made now carries; gives a reference. Looks at the files once a second at most, and takes a
 * change that is a second old, so that nobody is still writing. Where they are of no use the last ones go on. RC_AGAIN:
 * a program is running that gives the credentials, ask again. Errors: UNAVAILABLE (it gives none), NOMEM. */
MUST_CHECK enum rc http_auth_login(struct http_auth *a, struct http_login **ret, struct err *e);
/* A request that carried l was answered by 401: the next look takes a change at once, a program is run again. */
void http_auth_refused(struct http_auth *a, const struct http_login *l);

#define HTTP_AUTH_FDS 2
/* What to wait for while a program runs, else nothing; returns how many. */
size_t http_auth_poll(const struct http_auth *a, struct pollfd out[HTTP_AUTH_FDS]);
int64_t http_auth_due(const struct http_auth *a); /* INT64_MAX: nothing is running */

#endif

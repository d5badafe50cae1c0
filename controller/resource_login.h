/* As whom one goes to a Database, by a Secret: of its `client` and its `admin` alike. Private to controller/. */
#ifndef RESILOG_CONTROLLER_RESOURCE_LOGIN_H
#define RESILOG_CONTROLLER_RESOURCE_LOGIN_H

#include "core/err.h"

struct buf;
struct item;
struct json;
struct loader;

enum login_key { LOGIN_USERNAME, LOGIN_PASSWORD, LOGIN_CA, LOGIN_CERT, LOGIN_CERT_KEY, LOGIN_KEYS };

struct login {
    char *texts[LOGIN_KEYS]; /* NULL: the Secret does not have that key */
};

/* Fills a zero login by the Secret of that name ("": none), which `part` of the item has as its secretName; tells what is
 * wrong with it. login_done is due even after a failure. Errors: NOMEM. */
MUST_CHECK enum rc login_read(struct loader *l, const struct item *item, const struct json *part,
                              const char *name, struct login *ret, struct err *e);
void login_done(struct login *l); /* overwrites first */
/* Appends all keys and values, for a digest; out is to be overwritten. */
void login_print(const struct login *l, struct buf *out);

#endif

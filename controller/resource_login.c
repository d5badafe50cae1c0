/* The keys of such a Secret, which belong together as a table says. Values are checked here and never told; the copies
 * that are kept are overwritten when freed. One thread. */
#include "controller/resource_login.h"

#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "controller/resource_secret.h"
#include "core/buf.h"
#include "core/json.h"
#include "io/secret_file.h"

#include <stdio.h>

static const struct {
    const char *name;
    bool pem;
    enum login_key needs[2]; /* what it is useless without; LOGIN_KEYS: nothing */
} keys[LOGIN_KEYS] = {
    [LOGIN_USERNAME] = {"username", false, {LOGIN_PASSWORD, LOGIN_KEYS}},
    [LOGIN_PASSWORD] = {"password", false, {LOGIN_USERNAME, LOGIN_KEYS}},
    [LOGIN_CA] = {"ca.crt", true, {LOGIN_KEYS, LOGIN_KEYS}},
    [LOGIN_CERT] = {"tls.crt", true, {LOGIN_CERT_KEY, LOGIN_CA}},
    [LOGIN_CERT_KEY] = {"tls.key", true, {LOGIN_CERT, LOGIN_KEYS}},
};
#define KEY_NAMES "username, password, ca.crt, tls.crt, tls.key"

void login_done(struct login *l)
{
    for (size_t i = 0; l && i < LOGIN_KEYS; i++)
        secret_free(l->texts[i]);
}

/* Why a value cannot be what its key says; NULL if it may be. */
static const char *why_not(size_t key, struct slice text)
{
    if (text.n == 0)
        return "is empty";
    if (memchr(text.p, '\0', text.n))
        return "has a byte of value zero in it";
    if (keys[key].pem && !secret_is_pem(text))
        return "is not PEM text (-----BEGIN ...)";
    if (key == LOGIN_USERNAME && memchr(text.p, ':', text.n))
        return "has a ':' in it, which ends the name for a server";
    return NULL;
}

static enum rc read_key(const struct item *secret, size_t key, struct login *ret, struct err *e)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(SECRET_FILE_MAX);
    const struct json *n = secret_member(secret, keys[key].name);
    if (!n || !secret_text(secret, n, &text))
        return RC_OK;
    const char *why = why_not(key, buf_slice(&text));
    if (why) {
        problem_error(&secret->origin, n, "%s", why);
        return RC_OK;
    }
    ret->texts[key] = strndup(text.p, text.n);
    return ret->texts[key] ? RC_OK : err_nomem(e);
}

static void check_counterparts(const struct item *item, const struct json *at,
                               const struct item *secret)
{
    char lacks[128];
    size_t n = 0;
    for (size_t i = 0; i < LOGIN_KEYS; i++) {
        bool there = secret_member(secret, keys[i].name);
        n += there;
        for (size_t j = 0; there && j < 2 && keys[i].needs[j] != LOGIN_KEYS; j++) {
            const char *other = keys[keys[i].needs[j]].name;
            snprintf(lacks, sizeof lacks, "\"%s\" without \"%s\"", keys[i].name, other);
            if (!secret_member(secret, other))
                secret_tell_keys(item, at, secret, lacks);
        }
    }
    if (n == 0)
        secret_tell_keys(item, at, secret, "none of the keys " KEY_NAMES);
}

enum rc login_read(struct loader *l, const struct item *item, const struct json *part,
                   const char *name, struct login *ret, struct err *e)
{
    const struct json *at = json_get(part, "secretName");
    enum rc rc = RC_OK;
    if (!name[0] || !secret_check_name(item, at))
        return RC_OK;
    const struct item *secret = secret_find(l, item, name);
    if (!secret)
        (void)secret_is_elsewhere(l, item, at, name, "");
    if (!secret || secret->broken)
        return RC_OK;
    check_counterparts(item, at, secret);
    for (size_t i = 0; i < LOGIN_KEYS && rc == RC_OK; i++)
        rc = read_key(secret, i, ret, e);
    return rc;
}

void login_print(const struct login *l, struct buf *out)
{
    for (size_t i = 0; i < LOGIN_KEYS; i++)
        buf_addf(out, "%s=%s%c", keys[i].name, l->texts[i] ? l->texts[i] : "", 0);
}

/* The answer is a program's: nothing in it is believed to be well formed. */
#include "io/exec_credential.h"

#include "core/clock.h"
#include "core/json.h"
#include "io/secret_file.h"

#include <stdio.h>

bool exec_credential_version_ok(struct slice v)
{
    return slice_eq(v, SLICE("client.authentication.k8s.io/v1")) ||
           slice_eq(v, SLICE("client.authentication.k8s.io/v1beta1"));
}

char *exec_credential_info(const char *api_version)
{
    char *text = NULL;
    int n = asprintf(&text,
                     "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\","
                     "\"spec\":{\"interactive\":false}}",
                     api_version);
    return n < 0 ? NULL : text;
}

void exec_credential_done(struct exec_credential *c)
{
    secret_free(c->token);
    secret_free(c->cert);
    secret_free(c->key);
    *c = (struct exec_credential){0};
}

static enum rc bad(struct err *e, const char *why)
{
    return err_set(e, RC_INVALID, ERR_RETRY, "gave %s", why);
}

/* A text member of the status; NULL where it is absent or empty. */
static enum rc take(struct json_doc *d, const struct json *status, const char *name, char **ret,
                    struct err *e)
{
    const struct json *n = json_get(status, name);
    struct slice text = json_text(d, n);
    if (n && !json_is(n, JSON_STRING) && !json_is(n, JSON_NULL))
        return err_set(e, RC_INVALID, ERR_RETRY, "gave a status.%s that is no text", name);
    if (!text.n)
        return RC_OK;
    if (memchr(text.p, 0, text.n))
        return err_set(e, RC_INVALID, ERR_RETRY, "gave a status.%s with a NUL byte", name);
    *ret = strndup(text.p, text.n);
    return *ret ? RC_OK : err_nomem(e);
}

static enum rc take_expiry(struct json_doc *d, const struct json *status, int64_t *ret,
                           struct err *e)
{
    const struct json *n = json_get(status, "expirationTimestamp");
    struct err why;
    *ret = INT64_MAX;
    if (!n || json_is(n, JSON_NULL))
        return RC_OK;
    if (!json_is(n, JSON_STRING) || time_parse(json_text(d, n), ret, &why) != RC_OK)
        return bad(e, "a status.expirationTimestamp that is no time");
    return RC_OK;
}

static enum rc check_pair(const struct exec_credential *c, struct err *e)
{
    if (!c->token && !c->cert && !c->key)
        return bad(e, "neither a token nor a client certificate");
    if (!c->cert != !c->key)
        return bad(e, "a client certificate or a key without the other");
    if (c->cert && (!secret_is_pem(slice_str(c->cert)) || !secret_is_pem(slice_str(c->key))))
        return bad(e, "a client certificate or a key that is not PEM text");
    return RC_OK;
}

enum rc exec_credential_parse(struct slice output, const char *api_version,
                              struct exec_credential *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(exec_credential_done) struct exec_credential c = {0};
    struct err why;
    enum rc rc = json_parse_view(output, &d, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    const struct json *root = rc == RC_OK ? json_root(d) : NULL, *status = json_get(root, "status");
    if (!json_is(root, JSON_OBJECT) ||
        !slice_eq(json_get_text(d, root, "kind"), SLICE("ExecCredential")))
        return bad(e, "no ExecCredential in JSON");
    if (!slice_eq(json_get_text(d, root, "apiVersion"), slice_str(api_version)))
        return err_set(e, RC_INVALID, ERR_RETRY, "gave another apiVersion than the %s of its exec",
                       api_version);
    if (!json_is(status, JSON_OBJECT))
        return bad(e, "no status");
    rc = take(d, status, "token", &c.token, e);
    if (rc == RC_OK)
        rc = take(d, status, "clientCertificateData", &c.cert, e);
    if (rc == RC_OK)
        rc = take(d, status, "clientKeyData", &c.key, e);
    if (rc == RC_OK)
        rc = take_expiry(d, status, &c.expires_wall_ns, e);
    if (rc == RC_OK)
        rc = check_pair(&c, e);
    if (rc != RC_OK)
        return rc;
    *ret = c;
    c = (struct exec_credential){0};
    return RC_OK;
}

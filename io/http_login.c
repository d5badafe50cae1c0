/* Texts that are overwritten when the last request that carried them is over. */
#include "io/http_login.h"

#include "core/digest.h"
#include "core/scope.h"
#include "io/secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool header_safe(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static enum rc check(const char *const part[HTTP_LOGIN_PARTS], struct err *e)
{
    const char *token = part[HTTP_LOGIN_TOKEN];
    if (token && (strlen(token) > HTTP_TOKEN_MAX || !header_safe(token)))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the token holds control characters or is longer than %d bytes",
                       HTTP_TOKEN_MAX);
    if (!part[HTTP_LOGIN_CERT] != !part[HTTP_LOGIN_KEY])
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a client certificate and its key are given together");
    return RC_OK;
}

/* What is no certificate is for TLS to refuse. */
static int64_t cert_end(const char *pem)
{
    struct err why;
    int64_t end_ns;
    return pem && certificate_end(slice_str(pem), &end_ns, &why) == RC_OK ? end_ns : INT64_MAX;
}

static void login_freep(struct http_login **l)
{
    http_login_unref(*l);
}

enum rc http_login_new(const char *const part[HTTP_LOGIN_PARTS], struct http_login **ret,
                       struct err *e)
{
    enum rc rc = check(part, e);
    if (rc != RC_OK)
        return rc;
    AUTO(login_freep) struct http_login *l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(e);
    l->refs = 1;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        if (part[i] && !(l->part[i] = strdup(part[i])))
            return err_nomem(e);
    l->cert_end_ns = cert_end(part[HTTP_LOGIN_CERT]);
    const char *token = part[HTTP_LOGIN_TOKEN];
    if (token && asprintf(&l->authorization, "Authorization: Bearer %s", token) < 0) {
        l->authorization = NULL;
        return err_nomem(e);
    }
    *ret = steal(&l);
    return RC_OK;
}

struct http_login *http_login_ref(struct http_login *l)
{
    l->refs++;
    return l;
}

void http_login_unref(struct http_login *l)
{
    if (!l || --l->refs > 0)
        return;
    for (int i = 0; i < HTTP_LOGIN_PARTS; i++)
        secret_free(l->part[i]);
    secret_free(l->authorization);
    free(l);
}

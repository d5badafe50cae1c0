/* No text of a target gets into a header line before it was checked for control characters; none
 * gets into a message at all. */
#include "io/http_peer.h"

#include "core/buf.h"
#include "io/http_url.h"
#include "io/secret_file.h"

#include <stdio.h>

static bool header_safe(const char *text)
{
    for (; text && *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static enum rc check(const struct http_target *t, struct err *e)
{
    if (!header_safe(t->user_agent))
        return err_set(e, RC_INVALID, ERR_FINAL, "the user agent holds control characters");
    for (size_t i = 0; t->headers && t->headers[i]; i++)
        if (!header_safe(t->headers[i]) || !strchr(t->headers[i], ':'))
            return err_set(e, RC_INVALID, ERR_FINAL, "a header line holds control characters");
    if (t->server_name && (!t->server_name[0] || strlen(t->server_name) > HTTP_HOST_MAX ||
                           strpbrk(t->server_name, " /?#@[]%") || !header_safe(t->server_name)))
        return err_set(e, RC_INVALID, ERR_FINAL, "the TLS server name is no host name");
    return RC_OK;
}

#define TRUST_ADVICE "put the authority that signed it into certificate-authority-data"
#define NAME_ADVICE  "set tls-server-name to a name that the certificate holds"

/* The source text prefixed; NULL stays NULL. False when out of memory. */
static bool copy(char **ret, const char *prefix, const char *text)
{
    return !text || asprintf(ret, "%s%s", prefix, text) >= 0 || (*ret = NULL);
}

static bool set_url(struct http_peer *p, const struct http_target *t, const struct http_url *u)
{
    char real[HTTP_AUTHORITY_SIZE], named[HTTP_AUTHORITY_SIZE];
    char origin[HTTP_AUTHORITY_SIZE + 8], url[sizeof origin + HTTP_PREFIX_MAX];
    char reach[2 * HTTP_AUTHORITY_SIZE];
    const char *scheme = u->tls ? "https" : "http";
    http_authority(u->host, u->port, real);
    http_authority(t->server_name ? t->server_name : u->host, u->port, named);
    snprintf(origin, sizeof origin, "%s://%s", scheme, real);
    snprintf(url, sizeof url, "%s://%s%s", scheme, named, u->prefix);
    snprintf(reach, sizeof reach, "%s:%s", named, real);
    return copy(&p->origin, "", origin) && copy(&p->url, "", url) &&
           copy(&p->reach, "", t->server_name ? reach : NULL) &&
           copy(&p->host, "Host: ", t->server_name ? real : NULL);
}

static enum rc set_proxy(struct http_peer *p, const struct http_target *t, struct err *e)
{
    AUTO(buf_done) struct buf url = BUF_INIT(HTTP_PROXY_MAX);
    struct err why = ERR_INIT;
    if (!t->proxy)
        return RC_OK;
    enum rc rc = http_proxy_url(t->proxy, &url, &why);
    if (rc != RC_OK)
        return err_set(e, rc, ERR_FINAL, "the proxy %s", why.msg);
    p->proxy = buf_steal(&url, NULL);
    return RC_OK;
}

static bool set_advice(struct http_peer *p, const struct http_target *t)
{
    return copy(&p->trust_advice, "", t->trust_advice ? t->trust_advice : TRUST_ADVICE) &&
           copy(&p->name_advice, "", t->name_advice ? t->name_advice : NAME_ADVICE);
}

static bool set_headers(struct http_peer *p, const char *const *lines)
{
    size_t n = 0;
    while (lines && lines[n])
        n++;
    p->headers = calloc(n + 1, sizeof *p->headers);
    for (size_t i = 0; i < n && p->headers; i++)
        if (!copy(&p->headers[i], "", lines[i]))
            return false;
    return p->headers;
}

enum rc http_peer_init(struct http_peer *p, const struct http_target *t, struct err *e)
{
    struct http_url u;
    enum rc rc = check(t, e);
    if (rc == RC_OK)
        rc = http_url_parse(t->url, &u, e);
    if (rc == RC_OK)
        rc = set_proxy(p, t, e);
    if (rc != RC_OK)
        return rc;
    p->insecure = t->insecure;
    p->no_compression = t->no_compression;
    p->tls = u.tls;
    if (!set_url(p, t, &u) || !copy(&p->agent, "", t->user_agent ? t->user_agent : "resilog") ||
        !set_headers(p, t->headers) || !set_advice(p, t))
        return err_nomem(e);
    return RC_OK;
}

void http_peer_done(struct http_peer *p)
{
    char *all[] = {p->origin, p->url,   p->reach,        p->host,
                   p->agent,  p->proxy, p->trust_advice, p->name_advice};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        secret_free(all[i]);
    for (size_t i = 0; p->headers && p->headers[i]; i++)
        secret_free(p->headers[i]);
    free(p->headers);
    *p = (struct http_peer){0};
}

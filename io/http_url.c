/* Pure text: what a kubeconfig's server line may be, and nothing more. */
#include "io/http_url.h"

#include "core/buf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

static enum rc bad(struct err *e, const char *why)
{
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "the server's URL %s; allowed is https://HOST[:PORT][/PREFIX] (or http://)",
                   why);
}

static bool plain(struct slice s, const char *refused)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f ||
            strchr(refused, s.p[i]))
            return false;
    return true;
}

/* Takes "host" or "[address]" off the front of the authority; the rest is empty or ":port". */
static bool cut_host(struct slice *authority, struct slice *ret_host)
{
    struct slice a = *authority;
    if (a.n && a.p[0] == '[') {
        const char *end = memchr(a.p, ']', a.n);
        if (!end)
            return false;
        *ret_host = slice_of(a.p + 1, (size_t)(end - a.p) - 1);
        *authority = slice_of(end + 1, a.n - ret_host->n - 2);
        return plain(*ret_host, "%[");
    }
    struct slice rest;
    *ret_host = slice_cut(a, ':', &rest);
    *authority = slice_of(a.p + ret_host->n, a.n - ret_host->n);
    return plain(*ret_host, "[]%");
}

static bool read_port(struct slice s, uint16_t *port)
{
    unsigned v = 0;
    if (s.n == 0)
        return true;
    if (s.p[0] != ':' || s.n < 2 || s.n > 6)
        return false;
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *port = (uint16_t)v;
    return v > 0 && v <= UINT16_MAX;
}

/* "." and ".." are resolved by some programs on the way and not by others. */
static bool has_dots(struct slice path)
{
    while (path.n) {
        struct slice part = slice_cut(path, '/', &path);
        if (slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")))
            return true;
    }
    return false;
}

enum rc http_url_parse(const char *text, struct http_url *ret, struct err *e)
{
    struct http_url u = {0};
    struct slice s = slice_str(text), host, authority, prefix;
    u.tls = slice_starts(s, SLICE("https://"));
    if (!u.tls && !slice_starts(s, SLICE("http://")))
        return bad(e, "begins with no known scheme");
    s = slice_of(s.p + (u.tls ? 8 : 7), s.n - (u.tls ? 8 : 7));
    if (!plain(s, "?#@\\"))
        return bad(
            e, "holds user information, a query, a fragment or characters that must be encoded");
    authority = slice_cut(s, '/', &prefix);
    prefix = slice_of(s.p + authority.n, s.n - authority.n);
    while (prefix.n && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    if (has_dots(prefix))
        return bad(e, "has a path with . or ..");
    if (prefix.n > HTTP_PREFIX_MAX)
        return bad(e, "has too long a path");
    if (!cut_host(&authority, &host) || host.n == 0 || host.n > HTTP_HOST_MAX)
        return bad(e, "names no host");
    u.port = u.tls ? 443 : 80;
    if (!read_port(authority, &u.port))
        return bad(e, "has a port that is no number from 1 to 65535");
    memcpy(u.host, host.p, host.n);
    if (prefix.n)
        memcpy(u.prefix, prefix.p, prefix.n);
    *ret = u;
    return RC_OK;
}

bool http_url_is_local(const struct http_url *u)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, u->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, u->host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(u->host, "localhost") == 0;
}

const char *http_authority(const char *host, uint16_t port, char *out)
{
    if (strchr(host, ':'))
        snprintf(out, HTTP_AUTHORITY_SIZE, "[%s]:%u", host, port);
    else
        snprintf(out, HTTP_AUTHORITY_SIZE, "%s:%u", host, port);
    return out;
}

/* The ports are those that kubectl takes. */
static const struct scheme {
    const char *name, *curl;
    uint16_t port;
} PROXIES[] = {
    {"http://", "http", 80},
    {"https://", "https", 443},
    {"socks5://", "socks5h", 1080},
    {"socks5h://", "socks5h", 1080},
};

/* "[user:password@]host[:port]"; false for anything else. */
static bool cut_proxy(struct slice s, struct slice *user, struct slice *host, uint16_t *port)
{
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    *user = at ? slice_of(s.p, (size_t)(at - s.p) + 1) : SLICE_NULL;
    s = slice_of(s.p + user->n, s.n - user->n);
    if (s.n && s.p[s.n - 1] == '/')
        s.n--;
    return plain(*user, "/?#\\") && plain(s, "/?#@\\") && cut_host(&s, host) && host->n &&
           host->n <= HTTP_HOST_MAX && read_port(s, port);
}

enum rc http_proxy_url(const char *text, struct buf *out, struct err *e)
{
    struct slice s = slice_str(text), user, host;
    for (size_t i = 0; i < sizeof PROXIES / sizeof *PROXIES; i++) {
        struct slice name = slice_str(PROXIES[i].name);
        uint16_t port = PROXIES[i].port;
        char named[HTTP_HOST_MAX + 1] = "", authority[HTTP_AUTHORITY_SIZE];
        if (!slice_starts(s, name) ||
            !cut_proxy(slice_of(s.p + name.n, s.n - name.n), &user, &host, &port))
            continue;
        memcpy(named, host.p, host.n);
        buf_addf(out, "%s://%.*s%s", PROXIES[i].curl, SLICE_ARG(user),
                 http_authority(named, port, authority));
        return buf_check(out, "the proxy's URL", e);
    }
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "is no URL of a proxy; allowed is http://, https:// or "
                   "socks5://[USER:PASSWORD@]HOST[:PORT]");
}

bool http_path_ok(struct slice path)
{
    if (path.n == 0 || path.n > HTTP_PATH_MAX || path.p[0] != '/')
        return false;
    for (size_t i = 0; i < path.n; i++)
        if ((unsigned char)path.p[i] <= ' ' || (unsigned char)path.p[i] >= 0x7f || path.p[i] == '#')
            return false;
    return true;
}

/* The URL of a server, in parts. */
#ifndef RESILOG_IO_HTTP_URL_H
#define RESILOG_IO_HTTP_URL_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

#define HTTP_HOST_MAX   253
#define HTTP_PREFIX_MAX 1024

struct http_url {
    bool tls;
    char host[HTTP_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
    char prefix[HTTP_PREFIX_MAX + 1]; /* "" or "/a/b", without the last '/' */
};
#define HTTP_AUTHORITY_SIZE (HTTP_HOST_MAX + 10)

/* Splits "https://host[:port][/prefix]". Refuses other schemes, user information, query and
 * fragment; such a text is not repeated in the message. Errors: INVALID. */
MUST_CHECK enum rc http_url_parse(const char *text, struct http_url *ret, struct err *e);
/* True where the host is localhost, in 127.0.0.0/8 or ::1: what is sent there stays on this machine. */
bool http_url_is_local(const struct http_url *u);
/* Writes "host:port", with brackets where host is an IPv6 address; out holds HTTP_AUTHORITY_SIZE
 * bytes. Returns out. */
const char *http_authority(const char *host, uint16_t port, char *out);

/* Appends the proxy's URL as libcurl takes it: with its port, and so that names are resolved by a proxy of socks5, too.
 * text is http://, https:// or socks5://[USER:PASSWORD@]HOST[:PORT], and never repeated in the message. Errors:
 * INVALID, NOMEM, LIMIT. */
MUST_CHECK enum rc http_proxy_url(const char *text, struct buf *out, struct err *e);

#define HTTP_PATH_MAX (8 << 10)
/* True for what may stand behind host and prefix: '/', then printable ASCII without blanks and '#'.
 */
bool http_path_ok(struct slice path);

#endif

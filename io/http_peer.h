/* A struct http_target checked, copied and put into the forms that requests need. */
#ifndef RESILOG_IO_HTTP_PEER_H
#define RESILOG_IO_HTTP_PEER_H

#include "io/http.h"

/* All text owned; NULL where there is none. */
struct http_peer {
    char *origin; /* "https://host:port", for texts */
    char *url;    /* what a request's path is put behind */
    char *reach;  /* "named:port:host:port" where the URL names another host than the one to connect
                     to */
    char *host;   /* header line "Host: ..." in that case */
    char *agent;
    char *proxy;    /* as libcurl takes it */
    char **headers; /* further header lines, up to a NULL */
    char *trust_advice, *name_advice;
    bool tls, insecure, no_compression;
};

#define HTTP_PROXY_MAX (4 << 10)

/* Fills a zero peer, which is to be done also after a failure. Errors: INVALID, NOMEM. */
MUST_CHECK enum rc http_peer_init(struct http_peer *peer, const struct http_target *t,
                                  struct err *e);
void http_peer_done(struct http_peer *peer); /* secrets are overwritten first */

#endif

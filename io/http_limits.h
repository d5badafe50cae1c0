/* The time limits of one request: pure arithmetic on the injected clock. */
#ifndef RESILOG_IO_HTTP_LIMITS_H
#define RESILOG_IO_HTTP_LIMITS_H

#include "io/http.h"

struct http_limits {
    int64_t headers_ns, silent_ns, total_ns; /* 0: none */
    int64_t begun_ns, heard_ns;
    bool answered; /* the headers are there */
};

/* A limit that struck. */
struct http_strike {
    const char *what; /* "no answer within" */
    int64_t limit_ns;
    bool silence; /* the peer said nothing at all for so long */
};

/* Of a request that starts now, with the defaults that io/http.h names. */
struct http_limits http_limits_of(const struct http_request *r, int64_t now_ns);
/* When the next limit strikes; INT64_MAX: never. */
int64_t http_limits_due(const struct http_limits *l);
/* Which one struck; only where now >= due. */
struct http_strike http_limits_strike(const struct http_limits *l, int64_t now_ns);
/* Leaves out the time from since_ns (or the request's start, if later) until now. */
void http_limits_excuse(struct http_limits *l, int64_t since_ns, int64_t now_ns);

/* A Retry-After header's seconds as nanoseconds; -1 for NULL and for the form with a date, which
 * API servers do not use. */
int64_t http_retry_after(const char *text);

#endif

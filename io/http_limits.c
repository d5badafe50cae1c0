/* Until the headers the limit for headers counts, from then on the one for silence; the total
 * always. */
#include "io/http_limits.h"

#include "core/clock.h"

enum {
    HEADERS_WITHIN_S = 10,
    WRITTEN_WITHIN_S = 35, /* an admission webhook may take 30 */
    SILENT_FOR_S = 30,
    TOTAL_S = 60,
    RETRY_AFTER_MAX_S = 86400
};

struct http_limits http_limits_of(const struct http_request *r, int64_t now_ns)
{
    bool watch = r->stream && r->lane == HTTP_LANE_WATCH;
    struct http_limits l = {.headers_ns = r->headers_within_ns,
                            .silent_ns = r->silent_for_ns,
                            .total_ns = r->total_ns,
                            .begun_ns = now_ns,
                            .heard_ns = now_ns};
    if (!l.headers_ns)
        l.headers_ns = (r->method == HTTP_GET ? HEADERS_WITHIN_S : WRITTEN_WITHIN_S) * NS_PER_S;
    if (!l.silent_ns && !watch)
        l.silent_ns = SILENT_FOR_S * NS_PER_S;
    if (!l.total_ns && !r->stream)
        l.total_ns = TOTAL_S * NS_PER_S;
    return l;
}

static int64_t after(int64_t from_ns, int64_t limit_ns)
{
    return limit_ns && limit_ns < INT64_MAX - from_ns ? from_ns + limit_ns : INT64_MAX;
}

static int64_t quiet_due(const struct http_limits *l)
{
    return l->answered ? after(l->heard_ns, l->silent_ns) : after(l->begun_ns, l->headers_ns);
}

int64_t http_limits_due(const struct http_limits *l)
{
    int64_t quiet = quiet_due(l), total = after(l->begun_ns, l->total_ns);
    return quiet < total ? quiet : total;
}

struct http_strike http_limits_strike(const struct http_limits *l, int64_t now_ns)
{
    if (quiet_due(l) > now_ns)
        return (struct http_strike){"not finished within", l->total_ns, false};
    return l->answered ? (struct http_strike){"silent for", l->silent_ns, true}
                       : (struct http_strike){"no answer within", l->headers_ns, true};
}

void http_limits_excuse(struct http_limits *l, int64_t since_ns, int64_t now_ns)
{
    int64_t lost = now_ns - (l->begun_ns > since_ns ? l->begun_ns : since_ns);
    l->begun_ns += lost;
    l->heard_ns += lost;
}

int64_t http_retry_after(const char *text)
{
    int64_t s = 0;
    if (!text || !*text)
        return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        s = s * 10 + (*text - '0');
        s = s < RETRY_AFTER_MAX_S ? s : RETRY_AFTER_MAX_S;
    }
    return *text ? -1 : s * NS_PER_S;
}

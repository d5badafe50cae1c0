/* HTTP as an interface: many requests at once to one server, nothing blocks but http_wait.
 *
 * libcurl's door is io/http_curl.c; tests put a modelled API server behind the same interface
 * (tests/fakes/fake_kube.c). One thread per struct http. */
#ifndef RESILOG_IO_HTTP_H
#define RESILOG_IO_HTTP_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"
#include "io/http_target.h"

#include <stdint.h>

struct env;
struct http;

typedef uint64_t http_id; /* of a request, never used twice; 0 is none */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

/* Requests of different lanes never share a connection: streams that stay open for minutes would
 * starve the others. In HTTP_LANE_WATCH a connection carries at most HTTP_WATCHES_PER_CONNECTION
 * streams (a server with the usual limit of 100 starves the rest without any error). */
enum http_lane { HTTP_LANE_CALL, HTTP_LANE_WATCH };
#define HTTP_WATCHES_PER_CONNECTION 80
#define HTTP_BODY_MAX               (4u << 20)
#define HTTP_UNREAD_MAX             (64u << 20)

struct http_request {
    enum http_method method;
    enum http_lane lane;
    struct slice path;         /* with query: "/api/v1/pods?limit=500"; copied */
    struct slice accept;       /* empty: application/json */
    struct slice content_type; /* of the body; empty: application/json */
    struct slice body;         /* copied */
    bool stream;               /* give DATA as it arrives; else the body comes whole with DONE */
    /* Of the whole answer (0: HTTP_BODY_MAX), or of a stream's bytes that wait to be taken
     * (0: HTTP_UNREAD_MAX); beyond it LIMIT. */
    size_t body_max;
    /* A limit that strikes ends this request, and its connection only if that brought nothing for
     * anybody: for as long, or for 90 s where it carries other requests that were answered. */
    /* 0: 10 s for GET, 35 s for writes, which may wait for a webhook; connecting may take 5 s of it,
     * by the system's clock. */
    int64_t headers_within_ns;
    /* After the headers: no byte for so long is an error. 0: 30 s, none for streams of
     * HTTP_LANE_WATCH. */
    int64_t silent_for_ns;
    int64_t total_ns; /* 0: 60 s, none for streams */
};

enum http_event_kind {
    HTTP_HEADERS, /* once, before data: status, content_type, retry_after */
    HTTP_DATA,    /* stream only */
    HTTP_DONE     /* last: rc says how it ended; for whole answers status and data are set */
};

struct http_event {
    http_id id;
    enum http_event_kind kind;
    int status; /* 0 where no answer came */
    struct slice content_type;
    int64_t retry_after_ns; /* -1: not given */
    struct slice data;
    /* Of DONE: RC_OK (a whole answer, whatever its status; of a compressed one only the packed bytes
     * are known to be all there, so that what they unpack to may break off: look whether it ends),
     * UNAVAILABLE (connect, reset, time limit, TLS; the text says which; sys is ETIMEDOUT where a connected
      * server was too slow), LIMIT, DENIED (the server's
     * certificate is not trusted), EXPIRED (401 to a client certificate whose time is over), NOMEM. Never CANCELLED: a cancelled request gives no event. */
    struct err err;
    bool maybe_done; /* of a failed DONE: the request may have reached the server */
};

struct http_ops {
    enum rc (*start)(struct http *h, const struct http_request *r, http_id *ret_id, struct err *e);
    void (*cancel)(struct http *h, http_id id);
    enum rc (*take)(struct http *h, struct http_event *ret, struct err *e);
    void (*hold)(struct http *h, enum http_lane lane, bool on);
    enum rc (*wait)(struct http *h, int wake_fd, int64_t timeout_ns, struct err *e);
    void (*close)(struct http *h);
};
struct http {
    const struct http_ops *ops;
};

/* Starts a request. Errors: INVALID, NOMEM, LIMIT (too many at once, a header too long), IO,
 * UNSUPPORTED (libcurl lacks an option). */
MUST_CHECK static inline enum rc http_start(struct http *h, const struct http_request *r,
                                            http_id *ret_id, struct err *e)
{
    return h->ops->start(h, r, ret_id, e);
}
/* Forgets a request: no further event of it comes. Unknown ids are ignored. */
static inline void http_cancel(struct http *h, http_id id)
{
    h->ops->cancel(h, id);
}
/* The next event of any request: RC_OK (slices live until the next call), RC_AGAIN. Does network
 * work, never blocks. Errors: NOMEM, IO. */
MUST_CHECK static inline enum rc http_take(struct http *h, struct http_event *ret, struct err *e)
{
    return h->ops->take(h, ret, e);
}
/* While on, nothing is read from the lane's sockets: the server feels the back pressure. Single
 * streams are never paused. Who holds every lane is expected to take nothing: events that were read
 * before still come, but http_wait does not end for them. */
static inline void http_hold(struct http *h, enum http_lane lane, bool on)
{
    h->ops->hold(h, lane, on);
}
/* The one place that blocks: until there is work for http_take, wake_fd (-1: none) is readable, or
 * the time is over (<= 0: only looks). Errors: IO. */
MUST_CHECK static inline enum rc http_wait(struct http *h, int wake_fd, int64_t timeout_ns,
                                           struct err *e)
{
    return h->ops->wait(h, wake_fd, timeout_ns, e);
}
static inline void http_close(struct http *h)
{
    if (h)
        h->ops->close(h);
}
DEFINE_FREEP(struct http, http_close)

/* Opens libcurl's client; no connection yet. Errors: INVALID (URL), NOMEM, UNSUPPORTED (libcurl
 * without HTTP/2 or TLS). */
MUST_CHECK enum rc http_curl_open(const struct http_target *target, const struct env *env,
                                  struct http **ret, struct err *e);

#endif

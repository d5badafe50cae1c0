/* What the two files behind the door to libcurl share. Nobody else includes this. */
#ifndef RESILOG_IO_HTTP_CURL_PRIV_H
#define RESILOG_IO_HTTP_CURL_PRIV_H

#include "core/buf.h"
#include "io/http.h"
#include "io/http_auth.h"
#include "io/http_limits.h"
#include "io/http_peer.h"
#include "io/http_queue.h"
#include "io/http_sockets.h"

#include <curl/curl.h>

struct clock;

enum {
    HTTP_LANES = 2,
    HTTP_GROUPS_MAX = 64,
    HTTP_CONNECT_WITHIN_S = 5,
    HTTP_TYPE_MAX = 256,
    HTTP_WHERE_MAX = 256
};

/* At most HTTP_WATCHES_PER_CONNECTION requests that share one multi handle, and so (with HTTP/2)
 * one connection. */
struct http_group {
    struct http_lane_state *lane;
    CURLM *multi;
    struct http_sockets *sockets;
    struct http_call *calls;
    unsigned n;
};

struct http_lane_state {
    struct http_client *client;
    struct http_group *groups[HTTP_GROUPS_MAX];
    unsigned n_groups, turn; /* which group goes first */
    bool held;
    int64_t held_ns; /* since when */
};

struct http_client {
    struct http base;
    struct clock *clock;
    struct http_peer peer;
    struct http_auth *auth;
    unsigned parked; /* requests that wait for credentials */
    struct curl_slist *connect_to;
    struct http_lane_state lanes[HTTP_LANES];
    unsigned turn; /* which lane goes first */
    http_id last_id;
    int64_t check_ns; /* no limit strikes before */
    struct http_queue queue;
    uint64_t turns; /* of the network; none while anything is queued: what waits is of the last */
    struct http_queued *lent; /* the event the caller looks at */
};

/* One request; its bytes of the answer live in it until its DONE is used up. */
struct http_call {
    struct http_call *prev, *next;
    struct http_client *client;
    struct http_group *group;
    http_id id;
    CURL *easy;
    struct http_login *login; /* libcurl points into it; NULL: not known yet, */
    int64_t parked_ns;        /* since then; 0: it is known */
    struct curl_slist *headers;
    struct buf body; /* sent */
    bool stream;
    size_t unread, unread_max; /* of a stream: bytes that wait to be taken, */
    uint64_t unread_turn;      /* if this is the last turn */
    int status;
    int64_t retry_after_ns;
    struct buf answer;
    struct http_limits limits;
    struct err own;           /* why we ended it; RC_OK: libcurl's result counts */
    struct http_queued *done; /* allocated beforehand: the end can always be told */
    char content_type[HTTP_TYPE_MAX];
    char where[HTTP_WHERE_MAX]; /* "GET https://host:port/path", no query */
    char text[CURL_ERROR_SIZE];
};

/* A request that has all but its login. Errors: INVALID, LIMIT, NOMEM, UNSUPPORTED. */
MUST_CHECK enum rc http_call_new(struct http_client *h, const struct http_request *r,
                                 struct http_call **ret, struct err *e);
/* Gives it a login, which it takes also on failure: ready for a multi handle. Errors: NOMEM, UNSUPPORTED. */
MUST_CHECK enum rc http_call_login(struct http_call *c, struct http_login *login, struct err *e);
void http_call_free(void *call);
static inline void http_call_freep(struct http_call **c)
{
    http_call_free(*c);
}
/* Gives the DONE event, which owns the call from now on. The call must be out of its multi handle's
 * reach afterwards. */
struct http_queued *http_call_end(struct http_call *c, CURLcode code);
/* Fills c->own for a time limit that struck. */
void http_call_strike(struct http_call *c, const struct http_strike *strike);

#endif

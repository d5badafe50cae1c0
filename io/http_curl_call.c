/* One request of libcurl's: its options, its callbacks, its end.
 *
 * A request keeps all that libcurl points to, and the event that will tell its end. No text of an
 * error holds the URL's query, a header or a body. The header lines, of which one is the token, are
 * overwritten when freed; libcurl's copies, sent bodies and answers are not. libcurl by itself sends a
 * request again when a kept connection turns out closed before one byte of the answer came. */
#include "io/http_curl_priv.h"

#include "core/clock.h"
#include "io/http_curl_shared_priv.h"
#include "io/http_url.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_EVERY_S = 10,
    UNACKED_MS = 30000, /* keepalive does not see a peer that vanished while data is on its way */
    UNAUTHORIZED = 401,
    HEADER_LINE_MAX = 1024 /* of one that a request names */
};

static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static void headers_free(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

void http_call_free(void *call)
{
    struct http_call *c = call;
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    http_login_unref(c->login);
    headers_free(c->headers);
    buf_done(&c->body);
    buf_done(&c->answer);
    http_queued_free(c->done);
    free(c);
}

/* ---- how a call ended ---- */

/* libcurl's own text is added only where it cannot hold a URL. */
static const struct ending {
    CURLcode code;
    enum rc rc;
    bool detail;
    const char *text;
} ENDINGS[] = {
    {CURLE_COULDNT_RESOLVE_HOST, RC_UNAVAILABLE, false, "the host's name cannot be resolved"},
    {CURLE_COULDNT_RESOLVE_PROXY, RC_UNAVAILABLE, false, "the proxy's name cannot be resolved"},
    {CURLE_PROXY, RC_UNAVAILABLE, true, "the proxy refuses"},
    {CURLE_COULDNT_CONNECT, RC_UNAVAILABLE, true, "cannot connect"},
    {CURLE_OPERATION_TIMEDOUT, RC_UNAVAILABLE, false, "time limit: no connection within 5 s"},
    {CURLE_SSL_CACERT_BADFILE, RC_DENIED, false,
     "the given certificate authority is no usable PEM text"},
    {CURLE_SSL_CERTPROBLEM, RC_DENIED, true, "the client certificate or its key is not usable"},
    {CURLE_SSL_CONNECT_ERROR, RC_UNAVAILABLE, true, "TLS"},
    {CURLE_RECV_ERROR, RC_UNAVAILABLE, true, "connection lost"},
    {CURLE_SEND_ERROR, RC_UNAVAILABLE, true, "connection lost"},
    {CURLE_GOT_NOTHING, RC_UNAVAILABLE, true, "connection lost"},
    {CURLE_PARTIAL_FILE, RC_UNAVAILABLE, true, "connection lost"},
    {CURLE_HTTP2, RC_UNAVAILABLE, true, "connection lost"},
    {CURLE_HTTP2_STREAM, RC_UNAVAILABLE, true, "connection lost"},
};
_Static_assert(HTTP_CONNECT_WITHIN_S == 5, "the text above names it");

static void call_explain_trust(const struct http_call *c, const char *text, struct err *e)
{
    bool name = strstr(text, "host name");
    err_set(e, RC_DENIED, ERR_RETRY, "%s: the server's certificate is not trusted by %s: %s; %s",
            c->where,
            c->login->part[HTTP_LOGIN_CA] ? "the given certificate authority"
                                          : "the system's authorities",
            text, name ? c->client->peer.name_advice : c->client->peer.trust_advice);
}

/* libcurl's result as our error. */
static void call_explain(const struct http_call *c, CURLcode code, struct err *e)
{
    const char *text = c->text[0] ? c->text : curl_easy_strerror(code);
    long sys = 0;
    if (code == CURLE_OUT_OF_MEMORY) {
        err_nomem(e);
        return;
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR) {
        call_explain_trust(c, text, e);
        return;
    }
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
    if (code == CURLE_COULDNT_CONNECT && sys)
        text = strerrordesc_np((int)sys);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
        if (ENDINGS[i].code == code) {
            err_set(e, ENDINGS[i].rc, ERR_RETRY, "%s: %s%s%s", c->where, ENDINGS[i].text,
                    ENDINGS[i].detail ? ": " : "", ENDINGS[i].detail ? text : "");
            e->sys = (int)sys;
            return;
        }
    err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s: %s", c->where, curl_easy_strerror(code));
}

/* An expired client certificate explains a refusal, and TLS that fails: the API server answers it by 401, others end
 * the connection. */
static void call_explain_expiry(const struct http_call *c, struct err *e)
{
    char end[TIME_TEXT_MAX];
    int64_t end_ns = c->login ? c->login->cert_end_ns : INT64_MAX;
    if (end_ns > clock_wall_ns(c->client->clock) || e->rc == RC_NOMEM)
        return;
    if (c->status ==
        UNAUTHORIZED) /* although its body may break off, as the server reads no further */
        err_set(e, RC_EXPIRED, ERR_RETRY, "%s: HTTP %d", c->where, UNAUTHORIZED);
    if (e->rc != RC_OK)
        err_wrap(e, "the client certificate expired at %s", time_text(end_ns, end));
}

struct http_queued *http_call_end(struct http_call *c, CURLcode code)
{
    struct http_queued *q = steal(&c->done);
    long sent = 0;
    curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &sent);
    q->ev = (struct http_event){.id = c->id,
                                .kind = HTTP_DONE,
                                .status = c->status,
                                .content_type = slice_str(c->content_type),
                                .retry_after_ns = c->retry_after_ns,
                                .data = buf_slice(&c->answer)};
    if (c->own.rc != RC_OK)
        q->ev.err = c->own;
    else if (code != CURLE_OK)
        call_explain(c, code, &q->ev.err);
    call_explain_expiry(c, &q->ev.err);
    if (q->ev.err.rc != RC_OK) {
        q->ev.data = SLICE_NULL;
        q->ev.maybe_done = sent > 0 && q->ev.err.rc != RC_EXPIRED;
    }
    q->owner = c;
    q->owner_free = http_call_free;
    return q;
}

void http_call_strike(struct http_call *c, const struct http_strike *strike)
{
    curl_off_t connected = 0;
    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    err_set(&c->own, RC_UNAVAILABLE, ERR_RETRY, "%s: time limit: %s %.3g s", c->where,
            connected ? strike->what : "no connection within",
            (double)strike->limit_ns / (double)NS_PER_S);
    c->own.sys = connected ? ETIMEDOUT : 0;
}

/* ---- libcurl's callbacks ---- */

/* Queues an event with a copy of bytes; false when out of memory. */
static bool call_tell(struct http_call *c, enum http_event_kind kind, struct slice bytes)
{
    struct http_queued *q = http_queued_new(bytes);
    if (!q)
        return false;
    struct slice copy = slice_of(q->bytes, bytes.n);
    q->ev = (struct http_event){.id = c->id,
                                .kind = kind,
                                .status = c->status,
                                .content_type = kind == HTTP_HEADERS ? copy : SLICE_NULL,
                                .retry_after_ns = c->retry_after_ns,
                                .data = kind == HTTP_DATA ? copy : SLICE_NULL};
    http_queue_push(&c->client->queue, q);
    return true;
}

static const char *call_header(const struct http_call *c, const char *name)
{
    struct curl_header *found;
    return curl_easy_header(c->easy, name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value
                                                                                     : NULL;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
    struct http_call *c = arg;
    long status = 0;
    (void)one;
    c->limits.heard_ns = clock_boot_ns(c->client->clock);
    bool blank = n <= 2 && (n == 0 || line[0] == '\r' || line[0] == '\n');
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!blank || status < 200 || c->limits.answered)
        return n; /* not the end, an interim answer, trailers */
    c->limits.answered = true;
    c->status = (int)status;
    if (status == UNAUTHORIZED)
        http_auth_refused(c->client->auth, c->login);
    c->retry_after_ns = http_retry_after(call_header(c, "Retry-After"));
    const char *type = call_header(c, "Content-Type");
    snprintf(c->content_type, sizeof c->content_type, "%s", type ? type : "");
    if (call_tell(c, HTTP_HEADERS, slice_str(c->content_type)))
        return n;
    err_nomem(&c->own);
    return 0;
}

/* Queues a piece of a stream; false when too much of it waits, or out of memory. */
static bool call_tell_data(struct http_call *c, struct slice piece)
{
    if (c->unread_turn != c->client->turns)
        c->unread = 0;
    c->unread_turn = c->client->turns;
    if (piece.n > c->unread_max - c->unread) {
        err_set(&c->own, RC_LIMIT, ERR_RETRY,
                "%s: more than %zu bytes of the answer came at once, unpacked; objects of an API "
                "server do not compress that well",
                c->where, c->unread_max);
        return false;
    }
    c->unread += piece.n;
    if (call_tell(c, HTTP_DATA, piece))
        return true;
    err_nomem(&c->own);
    return false;
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    struct http_call *c = arg;
    (void)one;
    c->limits.heard_ns = clock_boot_ns(c->client->clock);
    if (c->stream)
        return n == 0 || call_tell_data(c, slice_of(p, n)) ? n : 0;
    buf_add(&c->answer, p, n);
    if (buf_check(&c->answer, "the answer", &c->own) == RC_OK)
        return n;
    err_wrap(&c->own, "%s", c->where);
    return 0;
}

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = UNACKED_MS;
    (void)arg;
    (void)purpose;
    /* Where it fails, a dead peer is noticed later. */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

/* ---- options ---- */

static enum rc header_line(struct http_call *c, const char *line, struct err *e)
{
    struct curl_slist *more = curl_slist_append(c->headers, line);
    if (!more)
        return err_nomem(e);
    c->headers = more;
    return RC_OK;
}

static enum rc header_add(struct http_call *c, const char *name, struct slice value,
                          const char *otherwise, struct err *e)
{
    AUTO(buf_done) struct buf line = BUF_INIT(HEADER_LINE_MAX);
    buf_add_str(&line, name);
    buf_add_slice(&line, value.n ? value : slice_str(otherwise));
    enum rc rc = buf_check(&line, "http: a request's header line", e);
    return rc == RC_OK ? header_line(c, line.p, e) : rc;
}

static enum rc call_set_headers(struct http_call *c, const struct http_client *h,
                                const struct http_request *r, struct err *e)
{
    enum rc rc = header_add(c, "Accept: ", r->accept, "application/json", e);
    if (rc == RC_OK)
        rc = header_line(c, "Expect:", e);
    if (rc == RC_OK && r->body.n)
        rc = header_add(c, "Content-Type: ", r->content_type, "application/json", e);
    if (rc == RC_OK && h->peer.host)
        rc = header_line(c, h->peer.host, e);
    for (size_t i = 0; h->peer.headers[i] && rc == RC_OK; i++)
        rc = header_line(c, h->peer.headers[i], e);
    return rc;
}

#define SET(option, value) HTTP_CURL_SET(bad, c->easy, option, value)

static CURLcode call_set_tls(struct http_call *c, const struct http_client *h)
{
    char *const *pem = c->login->part;
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, h->peer.insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, h->peer.insecure ? 0L : 2L);
    if (pem[HTTP_LOGIN_CA]) {
        struct curl_blob ca = {pem[HTTP_LOGIN_CA], strlen(pem[HTTP_LOGIN_CA]), CURL_BLOB_NOCOPY};
        bad = bad ? bad : http_curl_set_authority(c->easy, pem[HTTP_LOGIN_CA]);
        SET(CURLOPT_PROXY_CAINFO, (char *)NULL);
        SET(CURLOPT_PROXY_CAPATH, (char *)NULL);
        SET(CURLOPT_PROXY_CAINFO_BLOB, &ca);
    }
    if (pem[HTTP_LOGIN_CERT])
        bad = bad ? bad
                  : http_curl_set_certificate(c->easy, pem[HTTP_LOGIN_CERT], pem[HTTP_LOGIN_KEY]);
    return bad;
}

static CURLcode call_set_transfer(struct http_call *c, const struct http_client *h)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else removing it waits for the resolver's thread */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, h->peer.proxy ? h->peer.proxy : ""); /* never that of the environment */
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_HTTPPROXYTUNNEL, 1L); /* a proxy sees no request */
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Rather another stream than another connection; where no TLS tells early whether there can be streams,
     * that would be waiting for the first answer. */
    SET(CURLOPT_PIPEWAIT, h->peer.tls ? 1L : 0L);
    if (!h->peer.no_compression)
        SET(CURLOPT_ACCEPT_ENCODING, "gzip"); /* API servers speak no other */
    SET(CURLOPT_USERAGENT, h->peer.agent);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_CONNECTTIMEOUT_MS, HTTP_CONNECT_WITHIN_S * 1000L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_EVERY_S);
    SET(CURLOPT_OPENSOCKETFUNCTION, http_curl_socket);
    SET(CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    if (h->connect_to)
        SET(CURLOPT_CONNECT_TO, h->connect_to);
    return bad;
}

static CURLcode call_set_request(struct http_call *c, const struct http_client *h,
                                 const struct http_request *r)
{
    AUTO(buf_done) struct buf url = BUF_INIT(2 * (size_t)HTTP_PATH_MAX);
    CURLcode bad = CURLE_OK;
    buf_add_str(&url, h->peer.url);
    buf_add_slice(&url, r->path);
    buf_add_slice(&c->body, r->body);
    if (url.bad || c->body.bad)
        return CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_URL, url.p);
    if (r->body.n || r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
        SET(CURLOPT_POSTFIELDS, c->body.p ? c->body.p : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, METHODS[r->method]);
    return bad;
}

/* Errors: NOMEM, UNSUPPORTED. */
static enum rc call_set(struct http_call *c, const struct http_client *h,
                        const struct http_request *r, struct err *e)
{
    CURLcode bad = call_set_request(c, h, r);
    return http_curl_options(bad ? bad : call_set_transfer(c, h), e);
}

enum rc http_call_login(struct http_call *c, struct http_login *login, struct err *e)
{
    CURLcode bad = CURLE_OK;
    http_login_unref(c->login);
    c->login = login;
    enum rc rc = login->authorization ? header_line(c, login->authorization, e) : RC_OK;
    if (rc != RC_OK)
        return rc;
    SET(CURLOPT_HTTPHEADER, c->headers);
    return http_curl_options(bad ? bad : call_set_tls(c, c->client), e);
}

/* ---- making one ---- */

enum rc http_call_new(struct http_client *h, const struct http_request *r, struct http_call **ret,
                      struct err *e)
{
    if (!http_path_ok(r->path))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "http: a request's path begins with '/' and holds printable ASCII without "
                       "blanks and '#', at most %d bytes",
                       HTTP_PATH_MAX);
    AUTO(http_call_freep) struct http_call *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    struct slice rest, shown = slice_cut(r->path, '?', &rest);
    snprintf(c->where, sizeof c->where, "%s %s%.*s%s", METHODS[r->method], h->peer.origin,
             SLICE_ARG(shown), h->peer.proxy ? " (through its proxy)" : "");
    c->client = h;
    c->retry_after_ns = -1;
    c->stream = r->stream;
    buf_init(&c->body, r->body.n);
    c->unread_max = r->body_max ? r->body_max : HTTP_UNREAD_MAX;
    buf_init(&c->answer, r->body_max ? r->body_max : HTTP_BODY_MAX);
    c->limits = http_limits_of(r, clock_boot_ns(h->clock));
    c->easy = curl_easy_init();
    c->done = calloc(1, sizeof *c->done);
    if (!c->easy || !c->done)
        return err_nomem(e);
    enum rc rc = call_set_headers(c, h, r, e);
    if (rc == RC_OK)
        rc = call_set(c, h, r, e);
    if (rc == RC_OK)
        *ret = steal(&c);
    return rc;
}

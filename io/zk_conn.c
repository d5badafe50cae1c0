/* A plain connection by libcurl, which resolves names without blocking, tries all addresses of a name, and checks
 * certificates and host names as it does for HTTP: one such thing in the program is enough. CURLOPT_CONNECT_ONLY
 * connects and sends nothing; the bytes are ours. The multi handle keeps the connection, so it lives as long.
 *
 * No text holds PEM or what was sent. */
#include "io/zk_conn.h"

#include "core/clock.h"
#include "io/http_curl_shared_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

enum { BUFFER_BYTES = 256 << 10, URL_MAX = 320 };

struct zk_conn {
    CURLM *multi;
    CURL *easy;
    bool added, connected;
    curl_socket_t fd;
    char text[CURL_ERROR_SIZE];
};

/* ---- how it failed ---- */

/* libcurl's own text is added where it says more. */
static const struct ending {
    CURLcode code;
    enum rc rc;
    bool detail;
    const char *text;
} ENDINGS[] = {
    {CURLE_COULDNT_RESOLVE_HOST, RC_UNAVAILABLE, false, "the host's name cannot be resolved"},
    {CURLE_COULDNT_CONNECT, RC_UNAVAILABLE, true, "cannot connect"},
    {CURLE_OPERATION_TIMEDOUT, RC_UNAVAILABLE, false, "time limit: no connection within 5 s"},
    {CURLE_SSL_CACERT_BADFILE, RC_DENIED, false,
     "the given certificate authority is no usable PEM text"},
    {CURLE_SSL_CERTPROBLEM, RC_DENIED, true, "the client certificate or its key is not usable"},
    {CURLE_PEER_FAILED_VERIFICATION, RC_DENIED, true,
     "the server's certificate is not trusted by the given certificate authority"},
    {CURLE_SSL_ISSUER_ERROR, RC_DENIED, true,
     "the server's certificate is not trusted by the given certificate authority"},
    {CURLE_SSL_CONNECT_ERROR, RC_UNAVAILABLE, true, "TLS"},
};
_Static_assert(ZK_CONNECT_WITHIN_S == 5, "the text above names it");

static enum rc explain(const struct zk_conn *c, CURLcode code, struct err *e)
{
    const char *text = c->text[0] ? c->text : curl_easy_strerror(code);
    long sys = 0;
    curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &sys);
    if (code == CURLE_COULDNT_CONNECT && sys)
        text = strerrordesc_np((int)sys);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
        if (ENDINGS[i].code == code)
            return err_set(e, ENDINGS[i].rc, ERR_RETRY, "%s%s%s", ENDINGS[i].text,
                           ENDINGS[i].detail ? ": " : "", ENDINGS[i].detail ? text : "");
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "the connection is lost: %s", text);
}

/* ---- opening ---- */

#define SET(option, value) HTTP_CURL_SET(bad, c->easy, option, value)

static CURLcode set_transfer(struct zk_conn *c, const char *url)
{
    CURLcode bad = CURLE_OK;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_ERRORBUFFER, c->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* else closing waits for the resolver's thread */
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, ""); /* never that of the environment */
    SET(CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    SET(CURLOPT_CONNECTTIMEOUT_MS, ZK_CONNECT_WITHIN_S * 1000L);
    SET(CURLOPT_OPENSOCKETFUNCTION, http_curl_socket);
    return bad;
}

static CURLcode set_tls(struct zk_conn *c, const struct zk_peer *peer)
{
    CURLcode bad = CURLE_OK;
    if (!peer->ca_pem)
        return bad;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSL_ENABLE_ALPN, 0L); /* it is not HTTP that comes */
    bad = bad ? bad : http_curl_set_authority(c->easy, peer->ca_pem);
    if (peer->cert_pem)
        bad = bad ? bad : http_curl_set_certificate(c->easy, peer->cert_pem, peer->key_pem);
    return bad;
}

enum rc zk_conn_open(const struct zk_peer *peer, const char *server, struct zk_conn **ret,
                     struct err *e)
{
    char url[URL_MAX];
    enum rc rc = http_curl_global(e);
    if (rc != RC_OK)
        return rc;
    AUTO(zk_conn_closep) struct zk_conn *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    c->fd = CURL_SOCKET_BAD;
    c->multi = curl_multi_init();
    c->easy = curl_easy_init();
    if (!c->multi || !c->easy)
        return err_nomem(e);
    snprintf(url, sizeof url, "%s://%s", peer->ca_pem ? "https" : "http", server);
    CURLcode bad = set_transfer(c, url);
    bad = bad ? bad : set_tls(c, peer);
    rc = http_curl_options(bad, e);
    if (rc != RC_OK)
        return rc;
    c->added = curl_multi_add_handle(c->multi, c->easy) == CURLM_OK;
    if (!c->added)
        return err_nomem(e);
    *ret = steal(&c);
    return RC_OK;
}

void zk_conn_close(struct zk_conn *c)
{
    if (!c)
        return;
    if (c->added)
        curl_multi_remove_handle(c->multi, c->easy);
    curl_easy_cleanup(c->easy);
    curl_multi_cleanup(c->multi);
    free(c);
}

/* ---- use ---- */

enum rc zk_conn_step(struct zk_conn *c, struct err *e)
{
    int running = 0, left = 0;
    if (c->connected)
        return RC_OK;
    CURLMcode bad = curl_multi_perform(c->multi, &running);
    if (bad == CURLM_OUT_OF_MEMORY)
        return err_nomem(e);
    if (bad != CURLM_OK)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "libcurl: %s", curl_multi_strerror(bad));
    const CURLMsg *m = curl_multi_info_read(c->multi, &left);
    if (!m)
        return RC_AGAIN;
    CURLcode code = m->data.result;
    if (code == CURLE_OK)
        code = curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &c->fd);
    if (code != CURLE_OK)
        return explain(c, code, e);
    if (c->fd == CURL_SOCKET_BAD)
        return explain(c, CURLE_RECV_ERROR, e);
    c->connected = true;
    return RC_OK;
}

/* What a transfer of bytes came to. */
static enum rc moved(const struct zk_conn *c, CURLcode code, struct err *e)
{
    if (code == CURLE_OK || code == CURLE_AGAIN)
        return code == CURLE_OK ? RC_OK : RC_AGAIN;
    return explain(c, code, e);
}

enum rc zk_conn_send(struct zk_conn *c, struct slice bytes, size_t *ret_n, struct err *e)
{
    size_t n = 0;
    c->text[0] = 0;
    enum rc rc = moved(c, curl_easy_send(c->easy, bytes.p, bytes.n, &n), e);
    if (rc == RC_OK && n == 0)
        return RC_AGAIN;
    if (rc == RC_OK)
        *ret_n = n;
    return rc;
}

enum rc zk_conn_receive(struct zk_conn *c, char *p, size_t n, size_t *ret_n, struct err *e)
{
    size_t got = 0;
    c->text[0] = 0;
    enum rc rc = moved(c, curl_easy_recv(c->easy, p, n, &got), e);
    if (rc == RC_OK && got == 0)
        return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "the server ended the connection");
    if (rc == RC_OK)
        *ret_n = got;
    return rc;
}

static enum rc poll_all(struct pollfd *fds, nfds_t n, int64_t ns, struct err *e)
{
    struct timespec limit = {ns / NS_PER_S, ns % NS_PER_S};
    if (ppoll(fds, n, &limit, NULL) < 0 && errno != EINTR)
        return err_sys(e, errno, "zookeeper: poll");
    return RC_OK;
}

/* libcurl knows the sockets, and when it wants to be asked again. */
static enum rc wait_connecting(struct zk_conn *c, int wake_fd, int64_t ns, struct err *e)
{
    struct curl_waitfd wake = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};
    int64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    int limit = ms > ZK_CONNECT_WITHIN_S * 1000 ? ZK_CONNECT_WITHIN_S * 1000 : (int)ms;
    CURLMcode bad = curl_multi_poll(c->multi, &wake, wake_fd >= 0, limit, NULL);
    if (bad != CURLM_OK)
        return err_set(e, RC_IO, ERR_FATAL, "zookeeper: libcurl: %s", curl_multi_strerror(bad));
    return RC_OK;
}

enum rc zk_conn_wait(struct zk_conn *c, bool out, int wake_fd, int64_t timeout_ns, struct err *e)
{
    int64_t ns = timeout_ns < 0 ? 0 : timeout_ns;
    struct pollfd fds[2];
    nfds_t n = 0;
    if (c && !c->connected)
        return wait_connecting(c, wake_fd, ns, e);
    if (c)
        fds[n++] = (struct pollfd){.fd = c->fd, .events = (short)(POLLIN | (out ? POLLOUT : 0))};
    if (wake_fd >= 0)
        fds[n++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    return poll_all(fds, n, ns, e);
}

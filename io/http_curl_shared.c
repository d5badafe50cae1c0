/* libcurl's beginning, and the options that each of its users sets alike. */
#include "io/http_curl_shared_priv.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

/* libcurl demands one process-wide initialisation; the only mutable state outside objects. */
static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_start(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum rc http_curl_global(struct err *e)
{
    pthread_once(&global_once, global_start);
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (global_result != CURLE_OK)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL, "libcurl: %s",
                       curl_easy_strerror(global_result));
    if (!(v->features & CURL_VERSION_HTTP2) || !(v->features & CURL_VERSION_SSL))
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "libcurl %s was built without HTTP/2 or TLS; install one with both",
                       v->version);
    return RC_OK;
}

enum rc http_curl_options(CURLcode bad, struct err *e)
{
    if (bad == CURLE_OK)
        return RC_OK;
    if (bad == CURLE_OUT_OF_MEMORY)
        return err_nomem(e);
    return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                   "libcurl %s refuses an option: %s; use one of 7.88 or later as distributions "
                   "build it",
                   curl_version_info(CURLVERSION_NOW)->version, curl_easy_strerror(bad));
}

curl_socket_t http_curl_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)arg;
    (void)purpose;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static struct curl_blob blob_of(char *pem)
{
    return (struct curl_blob){pem, strlen(pem), CURL_BLOB_NOCOPY};
}

CURLcode http_curl_set_authority(CURL *easy, char *ca_pem)
{
    CURLcode bad = CURLE_OK;
    struct curl_blob ca = blob_of(ca_pem);
    /* Else the system's authorities were trusted beside it. */
    HTTP_CURL_SET(bad, easy, CURLOPT_CAINFO, (char *)NULL);
    HTTP_CURL_SET(bad, easy, CURLOPT_CAPATH, (char *)NULL);
    HTTP_CURL_SET(bad, easy, CURLOPT_CAINFO_BLOB, &ca);
    return bad;
}

CURLcode http_curl_set_certificate(CURL *easy, char *cert_pem, char *key_pem)
{
    CURLcode bad = CURLE_OK;
    struct curl_blob cert = blob_of(cert_pem), key = blob_of(key_pem);
    HTTP_CURL_SET(bad, easy, CURLOPT_SSLCERTTYPE, "PEM");
    HTTP_CURL_SET(bad, easy, CURLOPT_SSLKEYTYPE, "PEM");
    HTTP_CURL_SET(bad, easy, CURLOPT_SSLCERT_BLOB, &cert);
    HTTP_CURL_SET(bad, easy, CURLOPT_SSLKEY_BLOB, &key);
    return bad;
}

/* What all that use libcurl need of it. Nobody but its doors includes this. */
#ifndef RESILOG_IO_HTTP_CURL_SHARED_PRIV_H
#define RESILOG_IO_HTTP_CURL_SHARED_PRIV_H

#include "core/err.h"

#include <curl/curl.h>

/* To be called before anything of libcurl's; from any thread. Errors: UNSUPPORTED (libcurl without HTTP/2 or TLS). */
MUST_CHECK enum rc http_curl_global(struct err *e);
/* What setting options came to: RC_OK. Errors: NOMEM, UNSUPPORTED. */
MUST_CHECK enum rc http_curl_options(CURLcode bad, struct err *e);
/* CURLOPT_OPENSOCKETFUNCTION: a socket that no child gets. */
curl_socket_t http_curl_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to);

/* The first refusal stays. */
#define HTTP_CURL_SET(bad, easy, option, value)                                                    \
    (bad) = (bad) ? (bad) : curl_easy_setopt((easy), (option), (value))
/* The server's certificate must be signed by that authority, and by no other. The text is borrowed. */
CURLcode http_curl_set_authority(CURL *easy, char *ca_pem);
/* The client's certificate and key; borrowed. */
CURLcode http_curl_set_certificate(CURL *easy, char *cert_pem, char *key_pem);

#endif

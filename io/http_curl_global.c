/* libcurl demands one process-wide initialisation; the only mutable state outside objects. */
#include "io/http_curl_global.h"

#include <curl/curl.h>

#include <pthread.h>

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

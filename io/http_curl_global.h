/* libcurl, once in a process, for all who use it. */
#ifndef RESILOG_IO_HTTP_CURL_GLOBAL_H
#define RESILOG_IO_HTTP_CURL_GLOBAL_H

#include "core/err.h"

/* To be called before anything of libcurl's; from any thread. Errors: UNSUPPORTED (libcurl without HTTP/2 or TLS). */
MUST_CHECK enum rc http_curl_global(struct err *e);

#endif

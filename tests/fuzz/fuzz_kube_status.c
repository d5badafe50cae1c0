/* What a server's failure means: a byte chooses the HTTP code, the next the content type, the rest is the body. Any
 * answer gives a verdict that is no success without having been one, in clean text; so does any ERROR frame. */
#include "io/kube_error.h"

#include <string.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_clean(const char *text, size_t size)
{
    size_t n = strnlen(text, size);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return n < size;
}

static void check_verdict(const struct kube_verdict *v)
{
    struct err e = ERR_INIT;
    CHECK(is_clean(v->reason, sizeof(v->reason)) && is_clean(v->message, sizeof(v->message)));
    CHECK(strcmp(kube_class_name(v->cls), "unknown") != 0);
    CHECK(v->retry_after_ns >= -1);
    enum rc rc = kube_verdict_err(v, "fuzz", &e);
    CHECK(v->cls == KUBE_OK ? rc == RC_OK : rc < 0 && e.rc == rc && e.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int codes[] = {0,   200, 201, 302, 400, 401, 403, 404, 405, 406,
                                408, 409, 410, 413, 415, 422, 429, 500, 503, 504};
    static const struct slice types[] = {SLICE("application/json"), SLICE("text/plain"),
                                         SLICE("text/html; charset=utf-8"), SLICE("")};
    struct kube_verdict v;
    if (n < 2)
        return 0;
    int code = codes[data[0] % (sizeof(codes) / sizeof(codes[0]))];
    struct slice body = slice_of((const char *)data + 2, n - 2);
    kube_judge(code, types[data[1] % 4], body, /* retry_after_ns= */ -1, &v);
    CHECK(v.cls != KUBE_OK || code / 100 == 2);
    check_verdict(&v);
    kube_judge_status(body, &v);
    CHECK(v.cls != KUBE_OK);
    check_verdict(&v);
    return 0;
}

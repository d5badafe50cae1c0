/* What the answer of an AdminServer means: a byte chooses the HTTP code, the rest is the body. Any answer gives facts
 * in clean text, or an error that says something; never both. */
#include "io/zk_admin.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const int codes[] = {200, 204, 302, 400, 401, 403, 404, 429, 500, 503};
    struct zk_admin_facts f = {.major = 7};
    struct err e = ERR_INIT;
    if (n < 1)
        return 0;
    const struct http_event ev = {.kind = HTTP_DONE,
                                  .status = codes[data[0] % (sizeof(codes) / sizeof(codes[0]))],
                                  .content_type = SLICE("application/json"),
                                  .data = slice_of((const char *)data + 1, n - 1)};
    enum rc rc = zk_admin_read(&ev, &f, &e);
    if (rc != RC_OK) {
        CHECK(rc < 0 && e.rc == rc && e.msg[0] && f.major == 7);
        return 0;
    }
    CHECK(is_clean(f.version, sizeof(f.version)) && is_clean(f.state, sizeof(f.state)) &&
          is_clean(f.error, sizeof(f.error)));
    CHECK(f.error[0] ? !f.version[0] && !f.state[0] : f.version[0] && f.state[0]);
    CHECK(ev.status == 200 || (ev.status >= 500 && f.error[0]));
    return 0;
}

#include "tests/unit/io/zk_bytes.h"

#include <ctype.h>
#include <stdio.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

struct slice zk_bytes(const char *text, char *out)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        unsigned v;
        assert_true(n < ZK_BYTES_MAX);
        if (*p == '\'') {
            while (*++p != '\'' && n < ZK_BYTES_MAX)
                out[n++] = *p;
        } else if (!isspace((unsigned char)*p)) {
            assert_int_equal(sscanf(p, "%2x", &v), 1);
            out[n++] = (char)v;
            p++;
        }
    }
    return slice_of(out, n);
}

struct slice zk_frame(const char *text, char *out)
{
    char bytes[ZK_BYTES_MAX];
    struct slice s = zk_bytes(text, bytes);
    assert_true(s.n <= ZK_BYTES_MAX - 4);
    for (unsigned i = 0; i < 4; i++)
        out[i] = (char)(s.n >> (24 - 8 * i));
    memcpy(out + 4, s.p, s.n);
    return slice_of(out, s.n + 4);
}

/* Texts of servers come from outside: none may move a terminal's cursor, or look like a line of ours. Pure. */
#include "io/said.h"

/* Bytes of the character at p, of `left`; 0 where none begins there. */
static size_t character(const unsigned char *p, size_t left)
{
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* As ASCII has them, and the second set of them, U+0080 to U+009F. */
static bool is_control(const unsigned char *p, size_t n)
{
    return n == 1 ? *p < ' ' || *p == 0x7f : n == 2 && *p == 0xc2 && p[1] < 0xa0;
}

void said_copy(char *out, size_t size, struct slice text)
{
    size_t n = text.n < size - 1 ? text.n : size - 1;
    while (n && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n;) {
        const unsigned char *p = (const unsigned char *)text.p + i;
        size_t length = character(p, n - i);
        bool good = length && !is_control(p, length);
        length = length ? length : 1;
        memset(out + i, ' ', length);
        if (good)
            memcpy(out + i, p, length);
        i += length;
    }
    out[n] = 0;
}

/* Texts of servers come from outside: none may move a terminal's cursor, or look like a line of ours. Pure. */
#include "io/said.h"

void said_copy(char *out, size_t size, struct slice text)
{
    size_t n = text.n < size - 1 ? text.n : size - 1;
    while (n && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? ' ' : text.p[i];
    out[n] = 0;
}

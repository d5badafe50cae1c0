/* Unsigned numbers in as few bytes as they need: seven bits a byte, the low ones first, the top bit says that more
 * follow (LEB128). Each number has exactly one form: the shortest. */
#ifndef RESILOG_CORE_VARINT_H
#define RESILOG_CORE_VARINT_H

#include "core/slice.h"

#include <stdint.h>

#define VARINT_MAX 10 /* bytes */

/* How many bytes varint_put writes. */
static inline size_t varint_size(uint64_t v)
{
    size_t n = 1;
    for (; v > 0x7f; v >>= 7)
        n++;
    return n;
}

/* Writes varint_size(v) bytes; returns where they end. */
static inline char *varint_put(char *at, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        *at++ = (char)(uint8_t)(v | 0x80);
    *at++ = (char)(uint8_t)v;
    return at;
}

/* Takes a number from the front of *in. False, with nothing taken, when it is cut, too large, or not in its shortest
 * form. */
static inline bool varint_take(struct slice *in, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < in->n && i < VARINT_MAX; i++) {
        uint64_t byte = (uint8_t)in->p[i];
        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        v |= (byte & 0x7f) << (7 * i);
        if (byte & 0x80)
            continue;
        if (byte == 0 && i > 0)
            return false;
        *ret = v;
        *in = slice_of(in->p + i + 1, in->n - i - 1);
        return true;
    }
    return false;
}

#endif

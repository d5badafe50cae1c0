/* Little-endian integers at any address, for the codecs. */
#ifndef RESILOG_CORE_LE_H
#define RESILOG_CORE_LE_H

#include <stdint.h>

/* Writes the lowest `bytes` (at most 8) bytes of v. */
static inline void le_put(void *out, uint64_t v, unsigned bytes)
{
    uint8_t *p = out;
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Reads a number of `bytes` (at most 8) bytes. */
static inline uint64_t le_get(const void *in, unsigned bytes)
{
    const uint8_t *p = in;
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* Writes two bytes. */
static inline void le_put_u16(void *out, uint16_t v)
{
    le_put(out, v, 2);
}

/* Writes four bytes. */
static inline void le_put_u32(void *out, uint32_t v)
{
    le_put(out, v, 4);
}

/* Writes eight bytes. */
static inline void le_put_u64(void *out, uint64_t v)
{
    le_put(out, v, 8);
}

/* Reads two bytes. */
static inline uint16_t le_get_u16(const void *in)
{
    return (uint16_t)le_get(in, 2);
}

/* Reads four bytes. */
static inline uint32_t le_get_u32(const void *in)
{
    return (uint32_t)le_get(in, 4);
}

/* Reads eight bytes. */
static inline uint64_t le_get_u64(const void *in)
{
    return le_get(in, 8);
}

#endif

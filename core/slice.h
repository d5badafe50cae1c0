/* A borrowed run of bytes: never owned, never NUL-terminated by promise. */
#ifndef RESILOG_CORE_SLICE_H
#define RESILOG_CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE_NULL ((struct slice){NULL, 0})
/* A string literal as a slice, and a slice as the two arguments of "%.*s". */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_ARG(s)   (int)(s).n, (s).n ? (s).p : ""

/* Of n bytes at p; p may be NULL where n is 0. */
static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){p, n};
}

/* Of a C string; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

/* True if both have the same bytes. */
static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* FNV-1a of 64 bits, mixed once more, so that its low bits may choose a place in a table. Never written anywhere. */
static inline uint64_t slice_hash(struct slice s)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (uint8_t)s.p[i]) * 0x100000001b3u;
    h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

/* Byte order, a prefix before what it begins: < 0, 0, > 0. */
static inline int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* True if s begins with prefix; the empty one begins everything. */
static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* True if s ends in tail; the empty one ends everything. */
static inline bool slice_ends(struct slice s, struct slice tail)
{
    return s.n >= tail.n && (tail.n == 0 || memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0);
}

/* Cuts s at the first `sep`: the part before is returned, *rest is what follows it (empty where sep is absent). */
static inline struct slice slice_cut(struct slice s, char sep, struct slice *rest)
{
    const char *at = s.n ? memchr(s.p, sep, s.n) : NULL;
    size_t head = at ? (size_t)(at - s.p) : s.n;
    *rest = at ? slice_of(at + 1, s.n - head - 1) : SLICE_NULL;
    return slice_of(s.p, head);
}

#endif

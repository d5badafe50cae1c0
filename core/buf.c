/* Owned, growing bytes. Keeps: p has room for cap bytes, n < cap once p is set, p[n] is NUL, n <=
 * max. After a failure nothing is added any more, so a partly built text can not be taken for a
 * whole one. One thread per buffer. */
#include "core/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAP 64u

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf)BUF_INIT(max);
}

void buf_done(struct buf *b)
{
    if (!b)
        return;
    free(b->p);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->bad = RC_OK;
    buf_truncate(b, 0);
}

/* Room for n more bytes and the NUL. */
static bool reserve(struct buf *b, size_t n)
{
    if (b->bad)
        return false;
    if (n > b->max - b->n) {
        b->bad = RC_LIMIT;
        return false;
    }
    size_t need = b->n + n;
    if (need < b->cap)
        return true;
    if (need >= PTRDIFF_MAX / 2) {
        b->bad = RC_NOMEM;
        return false;
    }
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap <= need)
        cap *= 2;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->bad = RC_NOMEM;
        return false;
    }
    b->p = p;
    b->cap = cap;
    b->p[b->n] = '\0';
    return true;
}

char *buf_extend(struct buf *b, size_t n)
{
    if (!reserve(b, n))
        return NULL;
    char *at = b->p + b->n;
    b->n += n;
    b->p[b->n] = '\0';
    return at;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    char *at = buf_extend(b, n);
    if (at)
        memcpy(at, p, n);
}

void buf_add_slice(struct buf *b, struct slice s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_str(struct buf *b, const char *s)
{
    buf_add_slice(b, slice_str(s));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    if (b->bad)
        return;
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        b->bad = RC_LIMIT; /* longer than INT_MAX: the only failure that these formats can have */
    else if (reserve(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

static void add_le(struct buf *b, uint64_t v, size_t n)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)(v >> (8 * i));
    buf_add(b, bytes, n);
}

static void add_digits(struct buf *b, uint64_t v, unsigned base, bool negative)
{
    static const char digits[] = "0123456789abcdef";
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = digits[v % base];
        v /= base;
    } while (v);
    if (negative)
        text[--at] = '-';
    buf_add(b, text + at, sizeof text - at);
}

void buf_add_decimal(struct buf *b, int64_t v)
{
    add_digits(b, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0);
}

void buf_add_hex(struct buf *b, uint64_t v)
{
    add_digits(b, v, 16, false);
}

void buf_add_u8(struct buf *b, uint8_t v)
{
    add_le(b, v, 1);
}

void buf_add_u16(struct buf *b, uint16_t v)
{
    add_le(b, v, 2);
}

void buf_add_u32(struct buf *b, uint32_t v)
{
    add_le(b, v, 4);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    add_le(b, v, 8);
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->n);
    if (n == 0)
        return;
    memmove(b->p, b->p + n, b->n - n);
    buf_truncate(b, b->n - n);
}

void buf_truncate(struct buf *b, size_t n)
{
    assert(n <= b->n);
    b->n = n;
    if (b->p)
        b->p[n] = '\0';
}

enum rc buf_check(const struct buf *b, const char *what, struct err *e)
{
    if (b->bad == RC_LIMIT)
        return err_set(e, RC_LIMIT, ERR_FINAL, "%s is larger than %zu bytes", what, b->max);
    if (b->bad)
        return err_nomem(e);
    return RC_OK;
}

char *buf_steal(struct buf *b, size_t *ret_n)
{
    assert(!b->bad);
    char *p = b->p;
    if (ret_n)
        *ret_n = b->n;
    buf_init(b, b->max);
    return p;
}

/* Owned, growing bytes with a named upper limit.
 *
 * A failure (limit reached, out of memory) is sticky: later additions do nothing, and buf_check reports it once at the
 * end. So a function that builds text has one error exit in place of one a line. */
#ifndef RESILOG_CORE_BUF_H
#define RESILOG_CORE_BUF_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

struct buf {
    char *p; /* NULL while empty; always followed by a NUL byte that n does not count */
    size_t n;
    size_t cap;
    size_t max;  /* most bytes it may hold */
    enum rc bad; /* RC_OK, RC_LIMIT or RC_NOMEM, sticky until buf_reset */
};

#define BUF_INIT(limit)                                                                            \
    {                                                                                              \
        .max = (limit)                                                                             \
    }

/* An empty buffer that may hold max bytes; takes no memory yet. */
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);  /* frees; the buffer is empty and usable again. NULL is allowed. */
void buf_reset(struct buf *b); /* empties, keeps the memory, clears a failure */

/* Append copies: bytes, a slice, a C string, one byte, printf's text. */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As "%" PRId64 and "%" PRIx64; for what is printed by the million. */
void buf_add_decimal(struct buf *b, int64_t v);
void buf_add_hex(struct buf *b, uint64_t v);

/* Little-endian integers, for the codecs. */
void buf_add_u8(struct buf *b, uint8_t v);
void buf_add_u16(struct buf *b, uint16_t v);
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);

/* Makes room for n more bytes and returns where they go (n is counted at once); NULL after a failure. */
char *buf_extend(struct buf *b, size_t n);
/* Drops the first n bytes (n <= b->n). */
void buf_consume(struct buf *b, size_t n);
void buf_truncate(struct buf *b, size_t n); /* n <= b->n */

/* RC_OK, or LIMIT ("<what> is larger than <max> bytes", FINAL) or NOMEM (RETRY). */
MUST_CHECK enum rc buf_check(const struct buf *b, const char *what, struct err *e);

/* What it holds, until it is changed. */
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->p, b->n);
}

/* Gives the bytes to the caller (free()); the buffer is empty then. NULL if it never held any. Check the
 * buffer first: a failed one holds half a text. ret_n may be NULL. */
char *buf_steal(struct buf *b, size_t *ret_n);

#endif

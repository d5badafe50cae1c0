/* The door to OpenSSL: digests and the end of a certificate; and CRC32C. */
#ifndef RESILOG_CORE_DIGEST_H
#define RESILOG_CORE_DIGEST_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

#define SHA256_SIZE     32
#define SHA256_HEX_SIZE 64

/* SHA-256 of a, b after one another (either may be empty). Aborts only if the library cannot allocate its
 * context at all. */
void sha256(struct slice a, struct slice b, uint8_t out[SHA256_SIZE]);

/* A reusable context for streams of pieces; one thread at a time. */
struct sha256;
struct sha256 *sha256_new(void); /* NULL when out of memory */
void sha256_free(struct sha256 *s);
void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, struct slice piece);
void sha256_finish(struct sha256 *s, uint8_t out[SHA256_SIZE]);

/* SHA-1, of no use to keep anything safe: ZooKeeper's ids of the scheme digest are made of it. Aborts as sha256. */
#define SHA1_SIZE 20
void sha1(struct slice a, uint8_t out[SHA1_SIZE]);

/* CRC32C (Castagnoli, RFC 3720 appendix B.4); start with crc = 0. Uses SSE4.2 where the processor has it. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* When the first certificate of PEM text expires (notAfter), on the wall clock. Errors: INVALID (there is none). */
MUST_CHECK enum rc certificate_end(struct slice pem, int64_t *ret_wall_ns, struct err *e);

/* Writes 2 * n lower-case digits and a NUL to out. */
void hex_encode(const uint8_t *p, size_t n, char *out);

/* Appends standard base64 with padding, on one line. */
struct buf;
void base64_encode(struct slice bytes, struct buf *out);
/* Decodes standard base64 with padding, white space ignored; out is appended to. Errors: INVALID, LIMIT, NOMEM. */
MUST_CHECK enum rc base64_decode(struct slice text, struct buf *out, struct err *e);

#endif

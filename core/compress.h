/* The door to zstd. */
#ifndef RESILOG_CORE_COMPRESS_H
#define RESILOG_CORE_COMPRESS_H

#include "core/err.h"
#include "core/slice.h"

struct buf;

/* A reusable context for both directions; one thread at a time. NULL when out of memory. */
struct compressor;
struct compressor *compressor_new(void);
void compressor_free(struct compressor *c);

/* Appends the compressed bytes of src (zstd level 1, content size in the frame, no checksum). Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc compress(struct compressor *c, struct slice src, struct buf *out, struct err *e);
/* Appends exactly raw_size bytes. Errors: CORRUPT if the frame is damaged or of another size, LIMIT, NOMEM. */
MUST_CHECK enum rc decompress(struct compressor *c, struct slice src, size_t raw_size,
                              struct buf *out, struct err *e);

#endif

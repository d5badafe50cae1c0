/* The door to zstd: one frame with its size in it per call. Each of zstd's contexts is made when it is needed first, for
 * it is large, and kept for reuse. A failed call leaves the output as it was. Sizes are checked before memory is taken,
 * so a damaged frame can not make us allocate more than the caller named. */
#include "core/compress.h"

#include "core/buf.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL 1

struct compressor {
    ZSTD_CCtx *out;
    ZSTD_DCtx *in;
};

struct compressor *compressor_new(void)
{
    return calloc(1, sizeof(struct compressor));
}

void compressor_free(struct compressor *c)
{
    if (!c)
        return;
    ZSTD_freeCCtx(c->out);
    ZSTD_freeDCtx(c->in);
    free(c);
}

enum rc compress(struct compressor *c, struct slice src, struct buf *out, struct err *e)
{
    if (!c->out)
        c->out = ZSTD_createCCtx();
    if (!c->out)
        return err_nomem(e);
    size_t start = out->n;
    size_t bound = ZSTD_compressBound(src.n);
    size_t room = out->max - start;
    /* The bound may pass the buffer's limit although the result does not. */
    char *to = buf_extend(out, bound < room ? bound : room);
    if (!to)
        return buf_check(out, "the compressed data", e);
    size_t n = ZSTD_compressCCtx(c->out, to, out->n - start, src.p, src.n, LEVEL);
    if (!ZSTD_isError(n)) {
        buf_truncate(out, start + n);
        return RC_OK;
    }
    buf_truncate(out, start);
    if (ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall)
        return err_set(e, RC_LIMIT, ERR_FINAL, "the compressed data is larger than %zu bytes",
                       out->max);
    return err_nomem(e); /* level and input are always valid: only memory is left to fail */
}

static enum rc damaged(struct err *e, const char *what)
{
    return err_set(e, RC_CORRUPT, ERR_FATAL, "compressed data is damaged: %s", what);
}

enum rc decompress(struct compressor *c, struct slice src, size_t raw_size, struct buf *out,
                   struct err *e)
{
    unsigned long long said = ZSTD_getFrameContentSize(src.p, src.n);
    if (said == ZSTD_CONTENTSIZE_ERROR)
        return damaged(e, "it does not begin with a zstd frame");
    if (said != raw_size)
        return damaged(e, "its frame is of another size than recorded");
    if (ZSTD_findFrameCompressedSize(src.p, src.n) != src.n)
        return damaged(e, "it is cut off, or something follows its frame");
    if (!c->in)
        c->in = ZSTD_createDCtx();
    if (!c->in)
        return err_nomem(e);
    size_t start = out->n;
    char *to = buf_extend(out, raw_size);
    if (!to)
        return buf_check(out, "the decompressed data", e);
    size_t n = ZSTD_decompressDCtx(c->in, to, raw_size, src.p, src.n);
    if (n == raw_size)
        return RC_OK;
    buf_truncate(out, start);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return err_nomem(e);
    return damaged(e, ZSTD_isError(n) ? ZSTD_getErrorName(n) : "it is shorter than recorded");
}

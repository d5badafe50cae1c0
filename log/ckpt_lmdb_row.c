/* The rows of a checkpoint file as bytes (docs/FORMAT.md section 5). Keeps nothing. Every row's
 * checksum covers its key and its value. Threads: pure functions. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"

#include <inttypes.h>

#define ROW_VERSION 1
/* CRC32C 4 (of the row's key, then of all bytes behind this field), version 1, flags 1, size of the full key 2 (0:
 * the row's key is it), encryption key 4. */
#define ROW_HEAD 12
#define ID_SIZE  (CKPT_KEY_LONG - (CKPT_ROW_KEY_CUT - 1))

struct slice ckpt_row_key(enum ckpt_tag tag, struct slice key, struct ckpt_row_key *out)
{
    size_t n = ckpt_key_is_cut(key) ? CKPT_ROW_KEY_CUT - 1 : key.n;
    out->p[0] = (char)tag;
    if (n)
        memcpy(out->p + 1, key.p, n);
    out->n = 1 + n;
    if (n < key.n) {
        uint8_t digest[SHA256_SIZE];
        sha256(key, SLICE_NULL, digest);
        memcpy(out->p + out->n, digest, ID_SIZE);
        out->n += ID_SIZE;
    }
    return slice_of(out->p, out->n);
}

enum rc ckpt_row_encode(struct slice row_key, struct slice full, struct slice value,
                        struct buf *out, struct err *e)
{
    size_t begin = out->n;
    buf_add_u32(out, 0);
    buf_add_u8(out, ROW_VERSION);
    buf_add_u8(out, 0);
    buf_add_u16(out, (uint16_t)full.n);
    buf_add_u32(out, 0);
    buf_add_slice(out, full);
    buf_add_slice(out, value);
    enum rc rc = buf_check(out, "a row of a checkpoint", e);
    if (rc != RC_OK)
        return rc;
    char *p = out->p + begin;
    le_put_u32(p, crc32c(crc32c(0, row_key.p, row_key.n), p + 4, out->n - begin - 4));
    return RC_OK;
}

enum rc ckpt_row_decode(struct slice row_key, struct slice stored, struct slice *ret_key,
                        struct slice *ret_value, struct err *e)
{
    const char *p = stored.p;
    if (row_key.n == 0 || stored.n < ROW_HEAD ||
        le_get_u32(p) != crc32c(crc32c(0, row_key.p, row_key.n), p + 4, stored.n - 4))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of the checkpoint is damaged");
    unsigned version = (uint8_t)p[4], flags = (uint8_t)p[5];
    uint32_t key_id = le_get_u32(p + 8);
    if (version == 0)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of the checkpoint has version 0");
    if (version > ROW_VERSION || flags != 0 || key_id != 0)
        return err_set(
            e, RC_UNSUPPORTED, ERR_FATAL,
            "a row of the checkpoint has version %u, flags %x and key %" PRIu32
            ", this program reads up to version %d without flags and keys; use a newer one",
            version, flags, key_id, ROW_VERSION);
    size_t full = le_get_u16(p + 6);
    if (ROW_HEAD + full > stored.n)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a row of the checkpoint has impossible lengths");
    *ret_key = full ? slice_of(p + ROW_HEAD, full) : slice_of(row_key.p + 1, row_key.n - 1);
    *ret_value = slice_of(p + ROW_HEAD + full, stored.n - ROW_HEAD - full);
    return RC_OK;
}

void ckpt_head_encode(const struct ckpt_head *h, char out[CKPT_HEAD_SIZE])
{
    le_put_u64(out, h->generation);
    le_put_u64(out + 8, h->offset);
}

enum rc ckpt_head_decode(struct slice value, struct ckpt_head *ret, struct err *e)
{
    if (value.n != CKPT_HEAD_SIZE)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "the head of the checkpoint has %zu bytes",
                       value.n);
    *ret = (struct ckpt_head){.generation = le_get_u64(value.p), .offset = le_get_u64(value.p + 8)};
    return RC_OK;
}

/* Rows of pre-images. Keeps nothing; a row that is set is read only once it is committed, because what was not durable
 * must never pass for it. */
#include "flow/pump_preimage.h"

#include "core/buf.h"
#include "core/le.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"

#define VERSION   1
#define AT_OFFSET 1
#define AT_KEPT   9
#define HEADER    17

static enum rc print_key(struct slice key, struct buf *out, struct err *e)
{
    buf_add_str(out, PREIMAGE_PREFIX);
    buf_add_slice(out, key);
    return buf_check(out, "the key of a pre-image", e);
}

void preimage_encode(const struct preimage *what, struct buf *out)
{
    buf_add_u8(out, VERSION);
    buf_add_u64(out, what->offset);
    buf_add_u64(out, (uint64_t)what->kept_ns);
    buf_add_slice(out, what->sink);
}

enum rc preimage_set(struct rows *r, struct slice key, const struct preimage *what, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(EVENT_TEXT_MAX);
    struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    enum rc rc = print_key(key, &name, e);
    if (rc != RC_OK)
        return rc;
    preimage_encode(what, &row);
    return rows_set_own(r, buf_slice(&name), &row, e);
}

enum rc preimage_decode(struct slice row, struct preimage *ret, struct err *e)
{
    unsigned version = row.n ? (uint8_t)row.p[0] : 0;
    if (version > VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "a pre-image of version %u, this program reads up to %d; use a newer one",
                       version, VERSION);
    if (version == 0 || row.n < HEADER)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "a pre-image of %zu bytes is not readable", row.n);
    *ret = (struct preimage){.offset = le_get_u64(row.p + AT_OFFSET),
                             .kept_ns = (int64_t)le_get_u64(row.p + AT_KEPT),
                             .sink = slice_of(row.p + HEADER, row.n - HEADER)};
    return RC_OK;
}

enum rc preimage_load(struct ckpt *ckpt, struct slice consumer, struct slice key, struct buf *out,
                      struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(EVENT_TEXT_MAX);
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct preimage what;
    enum rc rc = print_key(key, &name, e);
    if (rc == RC_LIMIT)
        return err_set(e, RC_NOTFOUND, ERR_FINAL, "no pre-image");
    if (rc == RC_OK)
        rc = ckpt_get(ckpt, consumer, CKPT_APPLIED, buf_slice(&name), &row, e);
    if (rc == RC_OK)
        rc = preimage_decode(buf_slice(&row), &what, e);
    if (rc != RC_OK)
        return rc;
    buf_add_slice(out, what.sink);
    return buf_check(out, "a pre-image", e);
}

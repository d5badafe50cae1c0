/* A consumer's rows: a byte n, then n bytes of the row's key, then the stored row. Whatever the bytes are, they are
 * refused with a reason, or they are a row that encodes to itself again; so are head, hold, applied row and pre-image
 * in it. With a mask of the checksum the bytes behind it are reached too. */
#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "flow/pump_preimage.h"
#include "flow/pump_rows.h"
#include "log/ckpt_lmdb_priv.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_refusal(enum rc rc, const struct err *e)
{
    CHECK((rc == RC_CORRUPT || rc == RC_UNSUPPORTED) && e->rc == rc && e->msg[0]);
}

static void read_head(struct slice value)
{
    struct ckpt_head head;
    struct err e = ERR_INIT;
    char back[CKPT_HEAD_SIZE];
    enum rc rc = ckpt_head_decode(value, &head, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return;
    }
    ckpt_head_encode(&head, back);
    CHECK(slice_eq(value, slice_of(back, sizeof(back))));
}

static void read_hold(struct slice value)
{
    AUTO(buf_done) struct buf back = BUF_INIT(CKPT_VALUE_MAX);
    struct hold h;
    struct err e = ERR_INIT;
    enum rc rc = hold_decode(value, &h, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return;
    }
    hold_encode(&h, &back);
    if (value.p[0] == 2) /* the first version is read only */
        CHECK(slice_eq(value, buf_slice(&back)));
    CHECK(hold_decode(buf_slice(&back), &h, &e) == RC_OK);
}

static void read_applied(struct slice value)
{
    AUTO(buf_done) struct buf back = BUF_INIT(2 * CKPT_VALUE_MAX);
    struct applied a;
    struct err e = ERR_INIT;
    enum rc rc = applied_decode(value, &a, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return;
    }
    applied_encode(&a, &back);
    CHECK(slice_eq(value, buf_slice(&back)));
}

static void read_preimage(struct slice value)
{
    AUTO(buf_done) struct buf back = BUF_INIT(2 * CKPT_VALUE_MAX);
    struct preimage what;
    struct err e = ERR_INIT;
    enum rc rc = preimage_decode(value, &what, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return;
    }
    preimage_encode(&what, &back);
    CHECK(slice_eq(value, buf_slice(&back)));
}

static void read_row(struct slice row_key, struct slice stored)
{
    AUTO(buf_done) struct buf back = BUF_INIT(2 * CKPT_ROW_MAX);
    struct slice key, value;
    struct err e = ERR_INIT;
    enum rc rc = ckpt_row_decode(row_key, stored, &key, &value, &e);
    if (rc != RC_OK) {
        check_refusal(rc, &e);
        return;
    }
    struct slice full = key.p == row_key.p + 1 ? SLICE_NULL : key;
    CHECK(ckpt_row_encode(row_key, full, value, &back, &e) == RC_OK);
    CHECK(slice_eq(stored, buf_slice(&back)));
    read_head(value);
    read_hold(value);
    read_applied(value);
    read_preimage(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t key_n = n ? data[0] : 0;
    if (n < 1 + key_n)
        return 0;
    struct slice key = slice_of((const char *)data + 1, key_n);
    struct slice stored = slice_of((const char *)data + 1 + key_n, n - 1 - key_n);
    read_row(key, stored);
    if (stored.n < 4)
        return 0;
    char *fixed = malloc(stored.n);
    CHECK(fixed);
    memcpy(fixed, stored.p, stored.n);
    le_put_u32(fixed, crc32c(crc32c(0, key.p, key.n), fixed + 4, stored.n - 4));
    read_row(key, slice_of(fixed, stored.n));
    free(fixed);
    return 0;
}

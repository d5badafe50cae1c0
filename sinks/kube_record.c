/* Codec of the applied record.
 *
 * Keeps nothing. A damaged record is CORRUPT, never a wrong base: a base decides what is removed from the
 * destination. */
#include "sinks/kube_record.h"

#include "core/buf.h"
#include "core/compress.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/scope.h"

#include <assert.h>
#include <inttypes.h>

#define MAGIC      SLICE("RLKR")
#define VERSION    1
#define CODEC_NONE 0
#define CODEC_ZSTD 1
#define NONCE_SIZE 32
#define KNOWN_FLAGS                                                                                \
    (KUBE_RECORD_BASE_UNKNOWN | KUBE_RECORD_ADOPTED | KUBE_RECORD_CREATED | KUBE_RECORD_ORIGIN |   \
     KUBE_RECORD_PREIMAGE)

enum at {
    AT_VERSION = 4,
    AT_CODEC = 5,
    AT_FLAGS = 6,
    AT_KEY_ID = 8,
    AT_GENERATION = 44,
    AT_DESIRED_HASH = 52,
    AT_ANSWER_HASH = 84,
    AT_RAW_SIZE = 116,
    AT_STORED_SIZE = 120,
    AT_TEXT_SIZES = 124
};

static enum rc check_texts(const struct kube_record *r, struct err *e)
{
    if (r->uid.n <= KUBE_RECORD_TEXT_MAX && r->version.n <= KUBE_RECORD_TEXT_MAX &&
        r->source_uid.n <= KUBE_RECORD_TEXT_MAX)
        return RC_OK;
    return err_set(e, RC_LIMIT, ERR_FINAL, "a uid or resourceVersion is longer than %u bytes",
                   KUBE_RECORD_TEXT_MAX);
}

static void add_header(const struct kube_record *r, size_t raw, size_t stored, struct buf *out)
{
    static const uint8_t no_nonce[NONCE_SIZE];
    buf_add_slice(out, MAGIC);
    buf_add_u8(out, VERSION);
    buf_add_u8(out, raw ? CODEC_ZSTD : CODEC_NONE);
    buf_add_u16(out, (uint16_t)r->flags);
    buf_add_u32(out, 0);
    buf_add(out, no_nonce, sizeof no_nonce);
    buf_add_u64(out, r->generation);
    buf_add(out, r->desired_hash, KUBE_HASH_SIZE);
    buf_add(out, r->answer_hash, KUBE_HASH_SIZE);
    buf_add_u32(out, (uint32_t)raw);
    buf_add_u32(out, (uint32_t)stored);
    buf_add_u16(out, (uint16_t)r->uid.n);
    buf_add_u16(out, (uint16_t)r->version.n);
    buf_add_u16(out, (uint16_t)r->source_uid.n);
}

enum rc kube_record_encode(const struct kube_record *r, struct slice desired, struct compressor *c,
                           struct buf *out, struct err *e)
{
    AUTO(buf_done) struct buf stored = BUF_INIT(KUBE_RECORD_MAX);
    assert((r->flags & ~(uint32_t)KNOWN_FLAGS) == 0);
    enum rc rc = check_texts(r, e);
    if (rc == RC_OK && desired.n > KUBE_RECORD_BODY_MAX)
        rc = err_set(e, RC_LIMIT, ERR_FINAL, "the object is larger than %u bytes",
                     KUBE_RECORD_BODY_MAX);
    if (rc == RC_OK && desired.n > 0)
        rc = compress(c, desired, &stored, e);
    if (rc != RC_OK)
        return rc;
    size_t start = out->n;
    add_header(r, desired.n, stored.n, out);
    buf_add_slice(out, r->uid);
    buf_add_slice(out, r->version);
    buf_add_slice(out, r->source_uid);
    buf_add_slice(out, buf_slice(&stored));
    rc = buf_check(out, "a record", e);
    if (rc != RC_OK)
        return rc;
    buf_add_u32(out, crc32c(0, out->p + start, out->n - start));
    return buf_check(out, "a record", e);
}

static enum rc corrupt(struct err *e, const char *what)
{
    return err_set(e, RC_CORRUPT, ERR_FATAL, "applied record: %s", what);
}

/* What only a newer program writes. */
static enum rc check_features(const char *p, struct err *e)
{
    unsigned version = (uint8_t)p[AT_VERSION], codec = (uint8_t)p[AT_CODEC];
    unsigned flags = le_get_u16(p + AT_FLAGS);
    uint32_t key_id = le_get_u32(p + AT_KEY_ID);
    if (version == 0)
        return corrupt(e, "version 0");
    if (version > VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "applied record of version %u, this program reads up to %d; use a newer one",
                       version, VERSION);
    if (codec > CODEC_ZSTD || (flags | KNOWN_FLAGS) != KNOWN_FLAGS || key_id != 0)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "applied record with codec %u, flags %x, key %" PRIu32
                       "; this program knows codecs up to %d, flags %x and no key; use a newer one",
                       codec, flags, key_id, CODEC_ZSTD, KNOWN_FLAGS);
    return RC_OK;
}

static enum rc check_frame(struct slice bytes, struct err *e)
{
    if (bytes.n < KUBE_RECORD_HEADER + 4 || !slice_starts(bytes, MAGIC))
        return corrupt(e, "not a record");
    if (bytes.n > KUBE_RECORD_MAX)
        return err_set(e, RC_LIMIT, ERR_FATAL, "applied record: larger than %u bytes",
                       KUBE_RECORD_MAX);
    if (crc32c(0, bytes.p, bytes.n - 4) != le_get_u32(bytes.p + bytes.n - 4))
        return corrupt(e, "the checksum is wrong");
    return check_features(bytes.p, e);
}

static struct slice take(struct slice *rest, size_t n)
{
    struct slice part = slice_of(rest->p, n);
    *rest = slice_of(rest->p + n, rest->n - n);
    return part;
}

enum rc kube_record_decode(struct slice bytes, struct kube_record *ret, struct err *e)
{
    struct kube_record r = {0};
    enum rc rc = check_frame(bytes, e);
    if (rc != RC_OK)
        return rc;
    const char *p = bytes.p;
    size_t n_uid = le_get_u16(p + AT_TEXT_SIZES), n_version = le_get_u16(p + AT_TEXT_SIZES + 2);
    size_t n_source = le_get_u16(p + AT_TEXT_SIZES + 4), n_stored = le_get_u32(p + AT_STORED_SIZE);
    struct slice rest = slice_of(p + KUBE_RECORD_HEADER, bytes.n - KUBE_RECORD_HEADER - 4);
    if (rest.n != n_uid + n_version + n_source + n_stored)
        return corrupt(e, "its parts do not add up to its length");
    r.flags = le_get_u16(p + AT_FLAGS);
    r.generation = le_get_u64(p + AT_GENERATION);
    memcpy(r.desired_hash, p + AT_DESIRED_HASH, KUBE_HASH_SIZE);
    memcpy(r.answer_hash, p + AT_ANSWER_HASH, KUBE_HASH_SIZE);
    r.raw_size = le_get_u32(p + AT_RAW_SIZE);
    r.uid = take(&rest, n_uid);
    r.version = take(&rest, n_version);
    r.source_uid = take(&rest, n_source);
    r.stored = rest;
    if ((p[AT_CODEC] == CODEC_NONE) != (r.raw_size == 0) || (r.raw_size == 0 && rest.n > 0))
        return corrupt(e, "a body without its codec");
    rc = check_texts(&r, e);
    if (rc == RC_OK && r.raw_size > KUBE_RECORD_BODY_MAX)
        rc = err_set(e, RC_LIMIT, ERR_FATAL, "applied record: body larger than %u bytes",
                     KUBE_RECORD_BODY_MAX);
    if (rc == RC_OK)
        *ret = r;
    return rc;
}

void kube_record_distrust(struct slice bytes, struct buf *out)
{
    size_t at = out->n;
    buf_add(out, bytes.p, bytes.n - 4);
    if (out->bad != RC_OK)
        return;
    memset(out->p + at + AT_DESIRED_HASH, 0, KUBE_HASH_SIZE);
    buf_add_u32(out, crc32c(0, out->p + at, out->n - at));
}

enum rc kube_record_desired(const struct kube_record *r, struct compressor *c, struct buf *out,
                            struct err *e)
{
    return r->raw_size ? decompress(c, r->stored, r->raw_size, out, e) : RC_OK;
}

/* Codec of the ZooKeeper sink's record.
 *
 * Keeps nothing. A damaged record is CORRUPT, never another node's: it decides what may be deleted. */
#include "sinks/zk_record.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/le.h"
#include "core/znode.h"

#include <assert.h>

#define MAGIC       SLICE("RLZR")
#define VERSION     2
#define HEADER_OF_1 102u
#define KNOWN_FLAGS (ZK_RECORD_ADOPTED | ZK_RECORD_AHEAD | ZK_RECORD_PREIMAGE)

enum at {
    AT_VERSION = 4,
    AT_FLAGS = 5,
    AT_CZXID = 6,
    AT_MZXID = 14,
    AT_DATA_VERSION = 22,
    AT_AVERSION = 26,
    AT_SEQUENCE = 30,
    AT_DATA_HASH = 38,
    AT_ACL_HASH = 70,
    AT_CTIME = 102
};

bool zk_record_is(struct slice bytes)
{
    return slice_starts(bytes, MAGIC);
}

bool zk_record_is_of(const struct zk_record *r, const struct znode_stat *stat)
{
    return r->czxid == stat->czxid && (r->ctime == 0 || r->ctime == stat->ctime);
}

enum rc zk_record_encode(const struct zk_record *r, struct buf *out, struct err *e)
{
    size_t start = out->n;
    assert((r->flags & ~(uint32_t)KNOWN_FLAGS) == 0);
    if (r->body.n > ZK_RECORD_BODY_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "a znode of %zu bytes is larger than %u bytes",
                       r->body.n, ZK_RECORD_BODY_MAX);
    buf_add_slice(out, MAGIC);
    buf_add_u8(out, VERSION);
    buf_add_u8(out, (uint8_t)r->flags);
    buf_add_u64(out, (uint64_t)r->czxid);
    buf_add_u64(out, (uint64_t)r->mzxid);
    buf_add_u32(out, (uint32_t)r->version);
    buf_add_u32(out, (uint32_t)r->aversion);
    buf_add_u64(out, (uint64_t)r->sequence);
    buf_add(out, r->data_hash, ZK_HASH_SIZE);
    buf_add(out, r->acl_hash, ZK_HASH_SIZE);
    buf_add_u64(out, (uint64_t)r->ctime);
    buf_add_slice(out, r->body);
    enum rc rc = buf_check(out, "a record", e);
    if (rc != RC_OK)
        return rc;
    buf_add_u32(out, crc32c(0, out->p + start, out->n - start));
    return buf_check(out, "a record", e);
}

static enum rc corrupt(struct err *e, const char *what)
{
    return err_set(e, RC_CORRUPT, ERR_FATAL, "a znode's record: %s", what);
}

/* What only a newer program writes. */
static enum rc check_features(const char *p, struct err *e)
{
    unsigned version = (uint8_t)p[AT_VERSION], flags = (uint8_t)p[AT_FLAGS];
    if (version == 0)
        return corrupt(e, "version 0");
    if (version > VERSION)
        return err_set(
            e, RC_UNSUPPORTED, ERR_FATAL,
            "a znode's record of version %u, this program reads up to %d; use a newer one", version,
            VERSION);
    if ((flags | KNOWN_FLAGS) != KNOWN_FLAGS)
        return err_set(
            e, RC_UNSUPPORTED, ERR_FATAL,
            "a znode's record with flags %x; this program knows flags %x; use a newer one", flags,
            KNOWN_FLAGS);
    return RC_OK;
}

static size_t header_of(const char *p)
{
    return p[AT_VERSION] == 1 ? HEADER_OF_1 : ZK_RECORD_HEADER;
}

static enum rc check_frame(struct slice bytes, struct err *e)
{
    if (bytes.n < HEADER_OF_1 + 4 || !slice_starts(bytes, MAGIC))
        return corrupt(e, "not a record");
    if (bytes.n > ZK_RECORD_MAX)
        return err_set(e, RC_LIMIT, ERR_FATAL, "a znode's record: larger than %u bytes",
                       ZK_RECORD_MAX);
    if (crc32c(0, bytes.p, bytes.n - 4) != le_get_u32(bytes.p + bytes.n - 4))
        return corrupt(e, "the checksum is wrong");
    enum rc rc = check_features(bytes.p, e);
    if (rc == RC_OK && bytes.n < header_of(bytes.p) + 4)
        return corrupt(e, "too short");
    return rc;
}

enum rc zk_record_decode(struct slice bytes, struct zk_record *ret, struct err *e)
{
    enum rc rc = check_frame(bytes, e);
    if (rc != RC_OK)
        return rc;
    const char *p = bytes.p;
    size_t header = header_of(p);
    struct zk_record r = {
        .flags = (uint8_t)p[AT_FLAGS],
        .czxid = (int64_t)le_get_u64(p + AT_CZXID),
        .mzxid = (int64_t)le_get_u64(p + AT_MZXID),
        .version = (int32_t)le_get_u32(p + AT_DATA_VERSION),
        .aversion = (int32_t)le_get_u32(p + AT_AVERSION),
        .sequence = (int64_t)le_get_u64(p + AT_SEQUENCE),
        .ctime = header > AT_CTIME ? (int64_t)le_get_u64(p + AT_CTIME) : 0,
        .body = slice_of(p + header, bytes.n - header - 4),
    };
    if ((r.body.n > 0) != ((r.flags & ZK_RECORD_PREIMAGE) != 0))
        return corrupt(e, "a body without its flag, or the flag without a body");
    memcpy(r.data_hash, p + AT_DATA_HASH, ZK_HASH_SIZE);
    memcpy(r.acl_hash, p + AT_ACL_HASH, ZK_HASH_SIZE);
    *ret = r;
    return RC_OK;
}

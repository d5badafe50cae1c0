/* The ZooKeeper sink's record of one znode: which node of the destination it is, and in what state it was left. The
 * pump stores it with the checkpoint and gives it back.
 *
 * Bytes (little-endian; ZK_RECORD_HEADER of them, then the body, then CRC32C of all before it):
 *   0 magic "RLZR"   4 u8 version (2)   5 u8 flags     6 u64 czxid        14 u64 mzxid
 *   22 u32 version   26 u32 aversion    30 u64 sequence   38 data hash[32]   70 ACL hash[32]
 *   102 u64 ctime
 * Version 1, which is read yet, has no ctime. An applied record has no body; that of a pre-image is the whole node as
 * core/znode.h prints it. */
#ifndef RESILOG_SINKS_ZK_RECORD_H
#define RESILOG_SINKS_ZK_RECORD_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct znode_stat;

#define ZK_RECORD_HEADER   110u
#define ZK_RECORD_BODY_MAX (4u << 20) /* a node of ZNODE_DATA_MAX as base64, with a long ACL */
#define ZK_RECORD_MAX      (ZK_RECORD_HEADER + ZK_RECORD_BODY_MAX + 4)
#define ZK_HASH_SIZE       32

/* Written to disk: never renumber. */
enum zk_record_flag {
    ZK_RECORD_ADOPTED =
        1, /* was there before us, or may have been: deleted only when the source's deletion was seen */
    ZK_RECORD_AHEAD = 2, /* its sequence is higher than the source's, which was said */
    ZK_RECORD_PREIMAGE =
        4 /* no applied record: what the destination had before it was overwritten */
};

struct zk_record {
    uint32_t flags;
    int64_t czxid, mzxid; /* of the destination's node: which one it is, and its last change */
    int64_t ctime;        /* in which ensemble, for all of them count alike; 0: not known */
    int32_t version, aversion;
    int64_t sequence; /* that it shall have at least (znode_sequence of the source's) */
    uint8_t data_hash
        [ZK_HASH_SIZE]; /* of the wanted data, if the node had them at this version; else zeros */
    /* zk_acl_hash of the wanted ACL, if the node had it at this aversion; else zeros. */
    uint8_t acl_hash[ZK_HASH_SIZE];
    struct slice body; /* of a pre-image; lies in the bytes it was read from */
};

/* Appends the record. Errors: LIMIT (body), NOMEM. */
MUST_CHECK enum rc zk_record_encode(const struct zk_record *r, struct buf *out, struct err *e);
/* True for what begins as one. */
bool zk_record_is(struct slice bytes);
/* True if that very node is the record's: its czxid and, where it is known, its ctime. */
bool zk_record_is_of(const struct zk_record *r, const struct znode_stat *stat);
/* Errors: CORRUPT, LIMIT, UNSUPPORTED (a newer version, an unknown flag). */
MUST_CHECK enum rc zk_record_decode(struct slice bytes, struct zk_record *ret, struct err *e);

#endif

/* The Kubernetes sink's record of one key: what it wrote and what came back. The pump stores it with the
 * checkpoint and gives it back.
 *
 * Bytes (little-endian; KUBE_RECORD_HEADER of them, then the texts, then the stored body, then CRC32C of all
 * before it):
 *   0 magic "RLKR"            4 u8 version (1)           5 u8 codec (0 none, 1 zstd)   6 u16 flags
 *   8 u32 key id (0: plain)    12 nonce[32]              44 u64 generation             52 desired hash[32]
 *   84 answer hash[32]         116 u32 raw length of the body                          120 u32 stored length
 *   124 three u16: lengths of destination uid, resourceVersion, source uid */
#ifndef RESILOG_SINKS_KUBE_RECORD_H
#define RESILOG_SINKS_KUBE_RECORD_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

struct buf;
struct compressor;

#define KUBE_RECORD_HEADER   130u
#define KUBE_RECORD_TEXT_MAX 1024u      /* uid, resourceVersion */
#define KUBE_RECORD_BODY_MAX (5u << 20) /* desired body: a source object and its added members */
#define KUBE_RECORD_MAX      (6u << 20)
#define KUBE_HASH_SIZE       32

/* Written to disk: never renumber. */
enum kube_record_flag {
    KUBE_RECORD_BASE_UNKNOWN =
        1, /* desired and hashes are empty: found by its mark, not by a write of ours */
    KUBE_RECORD_ADOPTED =
        2, /* was there before us: deleted only when the source's deletion was seen */
    KUBE_RECORD_CREATED = 4, /* made by us */
    KUBE_RECORD_ORIGIN =
        8, /* the destination's object is the first of all copies; it bears no mark of ours */
    KUBE_RECORD_PREIMAGE =
        16 /* no applied record: the body is the destination's whole object before it was adopted */
};

struct kube_record {
    uint32_t flags;
    uint64_t generation;     /* of the destination's object */
    struct slice uid;        /* of the destination's object */
    struct slice version;    /* resourceVersion after our write */
    struct slice source_uid; /* of the source's object */
    uint8_t desired_hash[KUBE_HASH_SIZE];
    uint8_t answer_hash[KUBE_HASH_SIZE]; /* of the answer's projection: tells an echo and a drift */
    struct slice stored; /* the desired body as kept: compressed; only after decode */
    uint32_t raw_size;   /* of the desired body; only after decode */
};

/* Appends the record with this body: the desired one, but of a pre-image. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_record_encode(const struct kube_record *r, struct slice desired,
                                      struct compressor *c, struct buf *out, struct err *e);
/* Slices of *ret lie in bytes. Errors: CORRUPT, LIMIT, UNSUPPORTED (a newer version, an unknown codec, encrypted). */
MUST_CHECK enum rc kube_record_decode(struct slice bytes, struct kube_record *ret, struct err *e);
/* Appends the record without its desired hash, so that no object is taken for applied by it. bytes must have been
 * decoded once. Failures show in out. */
void kube_record_distrust(struct slice bytes, struct buf *out);
/* Appends the desired body of a decoded record. Errors: CORRUPT, LIMIT, NOMEM. */
MUST_CHECK enum rc kube_record_desired(const struct kube_record *r, struct compressor *c,
                                       struct buf *out, struct err *e);

#endif

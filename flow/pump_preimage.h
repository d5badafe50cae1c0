/* What the destination had of a key before this consumer wrote over it: rows "@preimage/<key>" of the applied table
 * (docs/FORMAT.md section 5). A later one of the same key replaces it. */
#ifndef RESILOG_FLOW_PUMP_PREIMAGE_H
#define RESILOG_FLOW_PUMP_PREIMAGE_H

#include "core/err.h"
#include "core/event.h"

struct buf;
struct ckpt;
struct rows;

#define PREIMAGE_PREFIX     "@preimage/"
#define PREIMAGE_DEPENDENCY "@preimage" /* of holds that wait for the commit of theirs */

struct preimage {
    rlog_off offset;   /* of the event that is to be written over it */
    int64_t kept_ns;   /* wall clock */
    struct slice sink; /* the sink's own form */
};

/* Enters the row for the next commit. Errors: LIMIT (the key is too long for it), NOMEM. */
MUST_CHECK enum rc preimage_set(struct rows *r, struct slice key, const struct preimage *what,
                                struct err *e);
/* Appends the sink's own form of what is committed. Errors: NOTFOUND, CORRUPT, UNSUPPORTED (a newer version), those of
 * ckpt_get. */
MUST_CHECK enum rc preimage_load(struct ckpt *ckpt, struct slice consumer, struct slice key,
                                 struct buf *out, struct err *e);
/* The codec. Failures of encoding show in out. Errors: CORRUPT, UNSUPPORTED. */
void preimage_encode(const struct preimage *what, struct buf *out);
MUST_CHECK enum rc preimage_decode(struct slice row, struct preimage *ret, struct err *e);

#endif

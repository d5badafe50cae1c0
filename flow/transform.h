/* Applies an entry's patch to the source's object. Pure. */
#ifndef RESILOG_FLOW_TRANSFORM_H
#define RESILOG_FLOW_TRANSFORM_H

#include "core/err.h"
#include "core/slice.h"

struct buf;
struct replication_entry;

/* Appends the object after the patch (the same bytes where there is none). Errors: INVALID (the
 * patch does not fit this object: the operation's number and path, never a value), LIMIT, NOMEM. */
MUST_CHECK enum rc transform_apply(const struct replication_entry *entry, struct slice object,
                                   struct buf *out, struct err *e);

#endif

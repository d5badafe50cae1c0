/* What the log says of the last listing of a tree, which may have been a part of a larger one. */
#ifndef RESILOG_FLOW_TREE_LISTING_H
#define RESILOG_FLOW_TREE_LISTING_H

#include "core/err.h"
#include "core/slice.h"

struct rlog;
struct rlog_found;

/* The last event of a listing of root or of a node above it: its beginning or its end. Errors: NOTFOUND (perhaps without
 * a text), the log's, NOMEM. rlog_found_done is due only after RC_OK. */
MUST_CHECK enum rc tree_last_listing(struct rlog *log, struct slice root, struct rlog_found *ret,
                                     struct err *e);
#endif

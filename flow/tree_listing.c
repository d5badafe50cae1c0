/* Keys "@sync/<root>" of the log's own. Keeps nothing. One thread. */
#include "flow/tree_listing.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/znode.h"
#include "flow/scope.h"
#include "log/rlog.h"

static enum rc last_of(struct rlog *log, struct slice root, struct rlog_found *ret, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(2 * ZNODE_PATH_MAX);
    buf_add_str(&key, SYNC_PREFIX);
    buf_add_slice(&key, root);
    enum rc rc = buf_check(&key, "a listing's key", e);
    return rc == RC_OK ? rlog_last(log, buf_slice(&key), 0, ret, e) : rc;
}

enum rc tree_last_listing(struct rlog *log, struct slice root, struct rlog_found *ret,
                          struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found best = {0};
    bool any = false;
    for (struct slice at = root; at.n > 0; at = znode_parent(at)) {
        AUTO(rlog_found_done) struct rlog_found found = {0};
        struct err why = ERR_INIT;
        enum rc rc = last_of(log, at, &found, &why);
        if (rc < 0 && rc != RC_NOTFOUND) {
            *e = why;
            return rc;
        }
        if (rc != RC_OK || (any && found.event.offset < best.event.offset))
            continue;
        rlog_found_done(&best);
        best = found;
        found = (struct rlog_found){0};
        any = true;
    }
    if (!any)
        return RC_NOTFOUND;
    *ret = best;
    best = (struct rlog_found){0};
    return RC_OK;
}

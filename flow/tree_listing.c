/* Keys "@sync/<root>" of the log's own. Keeps nothing. One thread. */
#include "flow/tree_listing.h"

#include "core/buf.h"
#include "core/event.h"
#include "core/json.h"
#include "core/znode.h"
#include "flow/filter.h"
#include "flow/replication.h"
#include "log/rlog.h"

#define SYNC_PREFIX "@sync/"

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

/* "/a/" stands for what is below /a. */
static bool is_copied(const struct replication *r, struct slice entry)
{
    const struct replication_entry *ignored = NULL;
    if (entry.n > 1 && slice_ends(entry, SLICE("/")))
        entry.n--;
    enum filter_verdict verdict = filter_path(r, entry, &ignored);
    return verdict == FILTER_SELECTED || verdict == FILTER_UNDECIDED;
}

/* All that is below it was not told: a part of it may be ours. */
static bool is_above(const struct replication *r, struct slice entry)
{
    return slice_ends(entry, SLICE("/")) && slice_starts(r->entries[0].root, entry);
}

enum rc tree_unread_matters(struct rlog *log, const struct replication *r, bool *ret, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found last = {0};
    AUTO(json_freep) struct json_doc *doc = NULL;
    *ret = true;
    enum rc rc = tree_last_listing(log, r->entries[0].root, &last, e);
    if (rc != RC_OK || last.event.op != EVENT_SYNC_END || last.event.body.n == 0)
        return rc;
    rc = json_parse_view(last.event.body, &doc, e);
    if (rc < 0)
        return rc;
    const struct json *list = json_get(json_root(doc), "unread");
    bool matters = !list || !list->first;
    for (const struct json *path = list ? list->first : NULL; path && !matters; path = path->next)
        matters = is_copied(r, json_text(doc, path)) || is_above(r, json_text(doc, path));
    *ret = matters;
    return RC_OK;
}

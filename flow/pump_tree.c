/* Trees: which nodes are copied, and parents before their children.
 *
 * The log does not give them in that order where only the last event of each key is read: with each child that is made
 * its parent's version becomes another. Each child would come to wait for its parent then, as a hold of its own. So
 * what is missing above a node is looked up and goes first. Keeps the parent that was looked at last, as siblings mostly
 * come together. One thread. */
#include "flow/pump_tree.h"

#include "core/diag.h"
#include "core/znode.h"
#include "flow/replication.h"
#include "flow/scope.h"
#include "flow/tree_listing.h"
#include "log/rlog.h"

#include <string.h>

/* ---- Which ---- */

/* The first of this life is told to everybody. */
static void say_ephemeral(struct pump *p, const struct event *ev)
{
    const struct diag_field why =
        DIAG_S("reason", SLICE("it is ephemeral: it goes with a session of the source"));
    pump_say(p, ev->key, ev->offset,
             &(struct flow_line){p->met_ephemeral ? DIAG_DEBUG : DIAG_INFO,
                                 "object is never copied", &why, 1});
    p->met_ephemeral = true;
}

enum rc pump_judge_node(struct pump *p, const struct event *ev, enum filter_verdict *ret,
                        const struct replication_entry **ret_entry, struct err *e)
{
    AUTO(znode_doc_freep) struct znode_doc *doc = NULL;
    *ret = filter_path(p->opts.replication, ev->key, ret_entry);
    if (*ret != FILTER_SELECTED || (*ret_entry)->ephemeral || znode_is_surely_persistent(ev->body))
        return RC_OK;
    enum rc rc = znode_parse(ev->body, &doc, e);
    if (rc != RC_OK || znode_of(doc)->stat.ephemeral_owner == 0)
        return rc;
    say_ephemeral(p, ev);
    *ret = FILTER_REJECTED;
    return RC_OK;
}

/* ---- What came before ---- */

enum rc pump_find_listing(struct pump *p, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found last = {0};
    struct err why = ERR_INIT;
    if (!p->tree)
        return RC_OK;
    enum rc rc = tree_last_listing(p->opts.log, p->opts.replication->entries[0].root, &last, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    if (rc == RC_OK && last.event.op == EVENT_SYNC_END)
        p->listed_to = last.event.offset;
    return RC_OK;
}

void pump_note_listing(struct pump *p, struct slice scope, rlog_off sync_end)
{
    if (!p->tree || !znode_is_within(p->opts.replication->entries[0].root, scope))
        return;
    if (p->listed_to == 0)
        p->first_listing = sync_end;
    p->listed_to = sync_end;
}

bool pump_is_unlisted(const struct pump *p)
{
    return p->tree && (p->listed_to == 0 || p->head.offset <= p->first_listing);
}

enum sink_settled pump_settled(const struct pump *p, const struct event *ev)
{
    const struct hold *h = rows_hold(p->rows, ev->key);
    /* Only the last event of each key is read: a child's may be a later one. */
    if (!p->tree || p->review || p->next < p->cursor_until)
        return SETTLED_NOT;
    if (ev->offset < p->listed_to && p->next > p->listed_to)
        return SETTLED_ALL;
    bool again = h && h->offset == ev->offset;
    return ev->cause == CAUSE_WATCH && !again ? SETTLED_BEFORE : SETTLED_NOT;
}

/* ---- In which order ---- */

/* It has a copy, or whether it gets one is being decided. */
static enum rc is_known(struct pump *p, struct slice path, bool *ret, struct err *e)
{
    struct applied a;
    struct err why = ERR_INIT;
    *ret = true;
    if (work_by_key(p->work, path) || rows_hold(p->rows, path))
        return RC_OK;
    enum rc rc = rows_applied(p->rows, path, &a, &why);
    *ret = rc == RC_OK;
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

/* The highest node above path that is not known, as far as some entry has it; empty if all are. */
static enum rc find_missing(struct pump *p, struct slice path, struct slice *ret, struct err *e)
{
    bool known = false;
    *ret = SLICE_NULL;
    for (struct slice at = znode_parent(path); at.n > 0 && filter_names(p->opts.replication, at);
         at = znode_parent(at)) {
        enum rc rc = is_known(p, at, &known, e);
        if (rc != RC_OK || known)
            return rc;
        *ret = at;
    }
    return RC_OK;
}

static enum rc send_node(struct pump *p, struct slice path, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found last = {0};
    struct err why = ERR_INIT;
    enum rc rc = rlog_last(p->opts.log, path, pump_horizon(p), &last, &why);
    if (rc == RC_NOTFOUND || (rc == RC_OK && last.event.op != EVENT_PUT))
        return RC_OK; /* the log gives it later; till then its children wait */
    if (rc < 0) {
        *e = why;
        return rc;
    }
    return pump_evaluate(p, &last.event, &(struct again){.anchor = 0}, e);
}

/* "/a/b" on the way from "/a" to "/a/b/c". */
static struct slice step_down(struct slice at, struct slice path)
{
    size_t n = at.n > 1 ? at.n + 1 : 1;
    const char *slash = memchr(path.p + n, '/', path.n - n);
    return slice_of(path.p, slash ? (size_t)(slash - path.p) : path.n);
}

enum rc pump_parents_first(struct pump *p, struct slice path, bool *ret_stuck, struct err *e)
{
    struct slice parent = znode_parent(path), at;
    *ret_stuck = false;
    if (slice_eq(parent, buf_slice(&p->parent)))
        return RC_OK;
    enum rc rc = find_missing(p, path, &at, e);
    for (; rc == RC_OK && at.n > 0 && at.n < path.n && !p->stuck; at = step_down(at, path))
        rc = send_node(p, at, e);
    *ret_stuck = p->stuck;
    if (rc != RC_OK || p->stuck)
        return rc;
    buf_reset(&p->parent);
    buf_add_slice(&p->parent, parent);
    return buf_check(&p->parent, "path", e);
}

/* Whose checkpoint it is: its offset means one log, its applied rows one source and one destination. Where one of
 * them is another now (the data folder was lost in part, a destination was built anew under the old name), every row
 * would tell of copies that are not there; so it is forgotten, and the marks in the destination tell what is there.
 * One thread. */
#include "flow/pump_priv.h"

#include "core/buf.h"
#include "core/diag.h"
#include "flow/replication.h"
#include "flow/source_identity.h"

#include <string.h>

static bool differs(struct slice noted, struct slice now)
{
    return noted.n > 0 && now.n > 0 && !slice_eq(noted, now);
}

static bool is_noted(const uint8_t id[RLOG_ID_SIZE])
{
    static const uint8_t none[RLOG_ID_SIZE];
    return memcmp(id, none, RLOG_ID_SIZE) != 0;
}

/* The log goes on from that source's, and so do the rows. */
static bool is_former(const struct pump *p, struct slice source)
{
    return p->opts.former && source_identity_was(p->opts.former, source);
}

/* What the log is, and what was noted. */
static enum rc load(struct pump *p, struct rlog_bounds *bounds, struct buf *memory,
                    struct binding *noted, struct err *e)
{
    enum rc rc = rlog_bounds(p->opts.log, bounds, e);
    return rc == RC_OK ? binding_load(p->opts.ckpt, p->opts.replication->sync, memory, noted, e)
                       : rc;
}

/* ---- The log and the source ---- */

enum rc pump_bind_log(struct pump *p, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct rlog_bounds bounds;
    struct binding noted;
    enum rc rc = load(p, &bounds, &memory, &noted, e);
    if (rc != RC_OK)
        return rc;
    bool other_source = differs(noted.source, p->opts.source) && !is_former(p, noted.source);
    bool other_log = is_noted(noted.log) && is_noted(bounds.id) &&
                     memcmp(noted.log, bounds.id, RLOG_ID_SIZE) != 0;
    if (!other_log && !other_source)
        return RC_OK;
    DIAG(p->env.diag, DIAG_WARN,
         other_source ? "the checkpoint belongs to another source: the synchronization starts anew"
                      : "the checkpoint belongs to another log: the synchronization starts anew",
         DIAG_S("synchronization", p->opts.replication->sync));
    /* What left the selection stays frozen: its mark alone would have it taken for a copy that the log must know. */
    return rows_begin_anew(p->rows, /* keep= */ !other_source, e);
}

/* ---- The destination ---- */

enum rc pump_bind_destination(struct pump *p, const struct sink_status *who, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct rlog_bounds bounds;
    struct binding noted;
    enum rc rc = load(p, &bounds, &memory, &noted, e);
    if (rc != RC_OK)
        return rc;
    struct slice destination = slice_str(who->identity);
    struct binding now = {.source = p->opts.source.n ? p->opts.source : noted.source,
                          .destination = destination.n ? destination : noted.destination};
    memcpy(now.log, bounds.id, RLOG_ID_SIZE);
    if (differs(noted.destination, now.destination)) {
        rc = ckpt_remove(p->opts.ckpt, p->opts.replication->sync, e);
        return rc != RC_OK
                   ? rc
                   : err_set(e, RC_CONFLICT, ERR_RESYNC,
                             "the destination is another one (%s) than that of the checkpoint "
                             "(%.*s): the synchronization starts anew",
                             who->identity, SLICE_ARG(noted.destination));
    }
    p->met = true;
    if (memcmp(noted.log, now.log, RLOG_ID_SIZE) == 0 && slice_eq(noted.source, now.source) &&
        slice_eq(noted.destination, now.destination))
        return RC_OK;
    return rows_set_binding(p->rows, &now, e);
}

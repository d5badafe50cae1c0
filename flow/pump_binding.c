/* Whose checkpoint it is, and which one is its opposite: its offset means one log, its applied rows one source and one destination. Where one of them is
 * another now (the data folder was lost in part, a destination was built anew under the old name), every row would tell of
 * copies that are not there; so it is forgotten, and the marks in the destination tell what is there.
 * One thread. */
#include "flow/pump_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/map.h"
#include "flow/replication.h"

#include <string.h>

#define LOOK_EVERY_NS (10 * NS_PER_S) /* for an opposite synchronization */

static bool differs(struct slice noted, struct slice now)
{
    return noted.n > 0 && now.n > 0 && !slice_eq(noted, now);
}

static bool is_noted(const uint8_t id[RLOG_ID_SIZE])
{
    static const uint8_t none[RLOG_ID_SIZE];
    return memcmp(id, none, RLOG_ID_SIZE) != 0;
}

enum rc pump_bind_log(struct pump *p, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct slice sync = p->opts.replication->sync;
    struct rlog_bounds bounds;
    struct binding noted;
    enum rc rc = rlog_bounds(p->opts.log, &bounds, e);
    if (rc == RC_OK)
        rc = binding_load(p->opts.ckpt, p->opts.replication->sync, &memory, &noted, e);
    if (rc != RC_OK)
        return rc;
    bool other_log = is_noted(noted.log) && memcmp(noted.log, bounds.id, RLOG_ID_SIZE) != 0;
    if (!other_log && !differs(noted.source, p->opts.source))
        return RC_OK;
    DIAG(p->env.diag, DIAG_WARN,
         other_log ? "the checkpoint belongs to another log: the synchronization starts anew"
                   : "the checkpoint belongs to another source: the synchronization starts anew",
         DIAG_S("synchronization", sync));
    rows_free(p->rows);
    p->rows = NULL;
    rc = ckpt_remove(p->opts.ckpt, sync, e);
    return rc == RC_OK ? rows_open(p->opts.ckpt, sync, &p->rows, e) : rc;
}

enum rc pump_bind_destination(struct pump *p, const struct sink_status *who, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct rlog_bounds bounds;
    struct binding noted;
    enum rc rc = rlog_bounds(p->opts.log, &bounds, e);
    if (rc == RC_OK)
        rc = binding_load(p->opts.ckpt, p->opts.replication->sync, &memory, &noted, e);
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

/* ---- The opposite synchronization: from our destination to our source ---- */

static enum rc note_name(void *arg, struct slice consumer, struct err *e)
{
    return map_put(arg, consumer, arg, e);
}

static enum rc note_if_opposite(struct pump *p, struct slice consumer, const struct binding *mine,
                                struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct binding other;
    struct err why = ERR_INIT;
    enum rc rc = binding_load(p->opts.ckpt, consumer, &memory, &other, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    bool is = rc == RC_OK && other.source.n > 0 && slice_eq(other.source, mine->destination) &&
              slice_eq(other.destination, mine->source);
    return is ? map_put(p->opposite, consumer, p, e) : RC_OK;
}

static enum rc find_opposite(struct pump *p, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(map_freep) struct map *names = map_new(NULL);
    struct binding mine;
    struct map_entry at = {SLICE_NULL, NULL};
    if (!names)
        return err_nomem(e);
    map_clear(p->opposite);
    enum rc rc = binding_load(p->opts.ckpt, p->opts.replication->sync, &memory, &mine, e);
    if (rc != RC_OK || mine.destination.n == 0)
        return rc;
    rc = ckpt_list(p->opts.ckpt, note_name, names, e);
    for (bool more = map_seek(names, SLICE_NULL, false, &at); rc == RC_OK && more;
         more = map_seek(names, at.key, true, &at))
        rc = note_if_opposite(p, at.key, &mine, e);
    return rc;
}

enum rc pump_load_opposite(struct pump *p, struct flight *f, struct err *e)
{
    int64_t now = clock_boot_ns(p->env.clock);
    struct map_entry at = {SLICE_NULL, NULL};
    enum rc rc = RC_OK;
    if (now >= p->opposite_due_ns) {
        rc = find_opposite(p, e);
        p->opposite_due_ns = now + LOOK_EVERY_NS;
    }
    for (bool more = map_seek(p->opposite, SLICE_NULL, false, &at); rc == RC_OK && more;
         more = map_seek(p->opposite, at.key, true, &at)) {
        struct err why = ERR_INIT; /* one that cannot be read tells nothing */
        if (record_load(p->opts.ckpt, at.key, f->event->key, &f->opposite, &why) == RC_OK)
            break;
        if (why.rc == RC_NOMEM)
            return err_nomem(e);
    }
    f->item.opposite = buf_slice(&f->opposite);
    return rc;
}

/* The opposite synchronization: from our destination to our source. Its checkpoint, if it lies beside ours, tells
 * what it wrote into our source, so that this is known when it comes back. Of others nothing is kept open. One
 * thread. */
#include "flow/pump_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/map.h"
#include "flow/replication.h"

/* One that was found stays for a while; one that was not may begin any moment. */
#define LOOK_EVERY_NS (30 * NS_PER_S)
#define LOOK_SOON_NS  NS_PER_S

static enum rc note_name(void *arg, struct slice consumer, struct err *e)
{
    return map_put(arg, consumer, arg, e);
}

/* A checkpoint that cannot be read changes nothing of what is known; it is its own synchronization's trouble. */
static enum rc note_if_opposite(struct pump *p, struct slice consumer, const struct binding *mine,
                                struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct binding other;
    struct err why = ERR_INIT;
    if (slice_eq(consumer, p->opts.replication->sync))
        return RC_OK;
    enum rc rc = binding_load(p->opts.ckpt, consumer, &memory, &other, &why);
    if (rc == RC_OK && other.source.n > 0 && slice_eq(other.source, mine->destination) &&
        slice_eq(other.destination, mine->source))
        return map_put(p->opposite, consumer, p, e);
    ckpt_let_go(p->opts.ckpt, consumer);
    if (rc == RC_OK)
        (void)map_delete(p->opposite, consumer);
    return rc == RC_NOMEM ? err_nomem(e) : RC_OK;
}

static enum rc find_opposite(struct pump *p, struct err *e)
{
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(map_freep) struct map *names = map_new(NULL);
    struct binding mine;
    struct err why = ERR_INIT;
    struct map_entry at = {SLICE_NULL, NULL};
    if (!names)
        return err_nomem(e);
    enum rc rc = binding_load(p->opts.ckpt, p->opts.replication->sync, &memory, &mine, e);
    if (rc != RC_OK || mine.destination.n == 0)
        return rc;
    rc = ckpt_list(p->opts.ckpt, note_name, names, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    rc = RC_OK;
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
        p->opposite_due_ns = now + (map_count(p->opposite) ? LOOK_EVERY_NS : LOOK_SOON_NS);
    }
    for (bool more = map_seek(p->opposite, SLICE_NULL, false, &at); rc == RC_OK && more;
         more = map_seek(p->opposite, at.key, true, &at)) {
        struct err why = ERR_INIT;
        if (record_load(p->opts.ckpt, at.key, f->event->key, &f->opposite, &why) == RC_OK)
            break;
        if (why.rc != RC_NOTFOUND && why.retry == ERR_RETRY) { /* what is damaged tells nothing */
            *e = why;
            return why.rc;
        }
    }
    f->item.opposite = buf_slice(&f->opposite);
    return rc;
}

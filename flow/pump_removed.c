/* How many copies of what left the selection were removed without approval lately: one row "@removed/<kind>" for each
 * kind (docs/FORMAT.md section 5), of the hour that began with the first of them.
 *
 * The row is set together with the decision, and a copy's own row goes after it: a crash between the two has the
 * removal decided, and counted, once more, never not at all. One thread. */
#include "flow/pump_prune.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/key.h"
#include "core/le.h"
#include "flow/replication.h"

#define PREFIX    "@removed/"
#define VERSION   1
#define ROW_SIZE  17
#define WINDOW_NS (3600 * NS_PER_S)

static enum rc print_key(struct slice kind, struct buf *out, struct err *e)
{
    buf_add_str(out, PREFIX);
    buf_add_slice(out, kind);
    return buf_check(out, "the key of a count", e);
}

static enum rc decode(struct slice row, struct removed *ret, struct err *e)
{
    unsigned version = row.n ? (uint8_t)row.p[0] : 0;
    if (version > VERSION)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "a count of removed copies of version %u, this program reads up to %d; use "
                       "a newer one",
                       version, VERSION);
    if (version == 0 || row.n != ROW_SIZE)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "a count of removed copies of %zu bytes is not readable", row.n);
    *ret = (struct removed){(int64_t)le_get_u64(row.p + 1), le_get_u64(row.p + 9)};
    return RC_OK;
}

enum rc pump_removed(struct pump *p, struct slice kind, struct removed *ret, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(2 * KEY_MAX);
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct err why = ERR_INIT;
    int64_t now = clock_wall_ns(p->env.clock);
    struct removed r = {now, 0};
    enum rc rc = print_key(kind, &name, e);
    if (rc != RC_OK)
        return rc;
    rc = ckpt_get(p->opts.ckpt, p->opts.replication->sync, CKPT_APPLIED, buf_slice(&name), &row,
                  &why);
    if (rc == RC_OK)
        rc = decode(buf_slice(&row), &r, &why);
    if (rc != RC_OK && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    if (now - r.since_ns >= WINDOW_NS)
        r = (struct removed){now, 0};
    if (r.since_ns > now) /* the clock was put back: at most an hour from here */
        r.since_ns = now;
    *ret = r;
    return RC_OK;
}

enum rc pump_note_removed(struct pump *p, struct slice kind, const struct removed *r, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(2 * KEY_MAX);
    struct buf row = BUF_INIT(ROW_SIZE + 1);
    enum rc rc = print_key(kind, &name, e);
    if (rc != RC_OK)
        return rc;
    buf_add_u8(&row, VERSION);
    buf_add_u64(&row, (uint64_t)r->since_ns);
    buf_add_u64(&row, r->n);
    return rows_set_own(p->rows, buf_slice(&name), &row, e);
}

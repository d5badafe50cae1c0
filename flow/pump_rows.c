/* The pump's rows. Changes wait in two maps (key -> encoded row, an empty one meaning "delete")
 * until rows_commit writes them with the head in one step. Holds are few and are kept in memory
 * whole; applied rows are read one at a time, because there is one for every object, and so the number of those that
 * are deselected is kept beside them. One thread. */
#include "flow/pump_rows.h"

#include "core/buf.h"
#include "core/hash_set.h"
#include "core/key.h"
#include "core/le.h"
#include "core/map.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define APPLIED_VERSION 1
#define APPLIED_HEADER  10
#define HOLD_VERSION    2
#define HOLD_HEADER     32
#define HOLD_HEADER_V1  24 /* without the next try */
#define DIGEST_KEY      "@replication"
#define DIGEST_VERSION  1
#define COUNT_KEY       "@deselected"
#define COUNT_VERSION   1
#define COUNT_SIZE      9
#define BINDING_KEY     "@binding"
#define BINDING_VERSION 1

enum { STATE_HELD, STATE_WAITING, STATE_SKIPPED }; /* of a hold, as stored */

struct rows {
    struct ckpt *ckpt;
    struct slice consumer;
    struct map *holds;      /* key -> struct hold */
    struct map *waits;      /* dependency -> struct wait */
    struct map *changes[2]; /* by enum ckpt_table: key -> struct buf */
    struct buf scratch;     /* the row that rows_applied gave */
    uint64_t deselected;    /* rows of that state, those that wait included */
    bool counted;           /* the checkpoint tells their number */
    /* All keys that have an applied row, if there was none when this was opened; else NULL. In a first copy hardly a key
     * has one, and asking the checkpoint for each would cost more than all else. */
    struct hash_set *known;
};

/* ---- Codecs ---- */

void applied_encode(const struct applied *a, struct buf *out)
{
    buf_add_u8(out, APPLIED_VERSION);
    buf_add_u8(out, (uint8_t)a->state);
    buf_add_u64(out, a->offset);
    buf_add_slice(out, a->record);
}

static enum rc check_version(struct slice in, unsigned known, const char *what, struct err *e)
{
    unsigned version = in.n ? (uint8_t)in.p[0] : 0;
    if (version > known)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "%s of version %u, this program reads up to %u; use a newer one", what,
                       version, known);
    return version == known
               ? RC_OK
               : err_set(e, RC_CORRUPT, ERR_FATAL, "%s of %zu bytes is not readable", what, in.n);
}

enum rc applied_decode(struct slice in, struct applied *ret, struct err *e)
{
    enum rc rc = check_version(in, APPLIED_VERSION, "an applied row", e);
    if (rc != RC_OK)
        return rc;
    if (in.n < APPLIED_HEADER || in.p[1] < APPLIED_SYNCED || in.p[1] > APPLIED_DESELECTED)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "applied row of %zu bytes is not readable", in.n);
    ret->state = (enum applied_state)in.p[1];
    ret->offset = le_get_u64(in.p + 2);
    ret->record = slice_of(in.p + APPLIED_HEADER, in.n - APPLIED_HEADER);
    return RC_OK;
}

static void add_text(struct buf *out, struct slice text)
{
    buf_add_u16(out, (uint16_t)text.n);
    buf_add_slice(out, text);
}

static bool take_slice(struct slice *in, struct slice *out)
{
    if (in->n < 2)
        return false;
    size_t n = (size_t)(uint8_t)in->p[0] | (size_t)(uint8_t)in->p[1] << 8;
    if (in->n - 2 < n)
        return false;
    *out = slice_of(in->p + 2, n);
    *in = slice_of(in->p + 2 + n, in->n - 2 - n);
    return true;
}

static bool take_text(struct slice *in, char *out, size_t max)
{
    struct slice text;
    if (!take_slice(in, &text) || text.n >= max || memchr(text.p, 0, text.n))
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

void hold_encode(const struct hold *h, struct buf *out)
{
    buf_add_u8(out, HOLD_VERSION);
    buf_add_u8(out, h->skipped ? STATE_SKIPPED : h->waiting ? STATE_WAITING : STATE_HELD);
    buf_add_u16(out, 0);
    buf_add_u32(out, h->attempts);
    buf_add_u64(out, h->offset);
    buf_add_u64(out, (uint64_t)h->since_ns);
    buf_add_u64(out, (uint64_t)h->next_ns);
    add_text(out, slice_str(h->cls));
    add_text(out, slice_str(h->reason));
    add_text(out, slice_str(h->dependency));
}

enum rc hold_decode(struct slice in, struct hold *ret, struct err *e)
{
    struct hold h = {0};
    bool first = in.n > 0 && in.p[0] == 1;
    size_t header = first ? HOLD_HEADER_V1 : HOLD_HEADER;
    enum rc rc = first ? RC_OK : check_version(in, HOLD_VERSION, "a hold", e);
    if (rc != RC_OK)
        return rc;
    if (in.n < header || (uint8_t)in.p[1] > (first ? STATE_WAITING : STATE_SKIPPED))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "hold of %zu bytes is not readable", in.n);
    if (le_get_u16(in.p + 2) != 0)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "a hold with flags %x, this program knows none; use a newer one",
                       le_get_u16(in.p + 2));
    h.waiting = in.p[1] == STATE_WAITING;
    h.skipped = in.p[1] == STATE_SKIPPED;
    h.attempts = le_get_u32(in.p + 4);
    h.offset = le_get_u64(in.p + 8);
    h.since_ns = (int64_t)le_get_u64(in.p + 16);
    h.next_ns = first ? 0 : (int64_t)le_get_u64(in.p + 24);
    struct slice rest = slice_of(in.p + header, in.n - header);
    if (!take_text(&rest, h.cls, sizeof h.cls) || !take_text(&rest, h.reason, sizeof h.reason) ||
        !take_text(&rest, h.dependency, sizeof h.dependency) || rest.n > 0)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "hold of %zu bytes is cut short", in.n);
    *ret = h;
    return RC_OK;
}

/* ---- Waiting changes ---- */

static void change_free(void *value)
{
    buf_done(value);
    free(value);
}

static void note_key(struct rows *r, struct slice key)
{
    if (!r->known || hash_set_add(r->known, key))
        return;
    hash_set_free(r->known);
    r->known = NULL;
}

/* An empty new row means: delete. */
static enum rc change(struct rows *r, enum ckpt_table table, struct slice key, struct buf *row,
                      struct err *e)
{
    struct buf *held = calloc(1, sizeof *held);
    if (!held) {
        buf_done(row);
        return err_nomem(e);
    }
    *held = *row;
    *row = (struct buf)BUF_INIT(CKPT_VALUE_MAX);
    if (table == CKPT_APPLIED && held->n > 0)
        note_key(r, key);
    return map_put(r->changes[table], key, held, e);
}

static enum rc change_delete(struct rows *r, enum ckpt_table table, struct slice key, struct err *e)
{
    struct buf none = BUF_INIT(CKPT_VALUE_MAX);
    return change(r, table, key, &none, e);
}

/* ---- Holds ---- */

/* How many holds wait for a dependency. */
struct wait {
    size_t n;
    int64_t asked_ns;
};

static enum rc count_wait(struct rows *r, const struct hold *h, int delta, struct err *e)
{
    if (!h || !h->dependency[0])
        return RC_OK;
    struct slice dependency = slice_str(h->dependency);
    struct wait *wait = map_get(r->waits, dependency);
    if (!wait) {
        assert(delta > 0);
        wait = calloc(1, sizeof *wait);
        if (!wait)
            return err_nomem(e);
        wait->n = 1;
        return map_put(r->waits, dependency, wait, e);
    }
    wait->n += (size_t)delta;
    if (wait->n == 0)
        map_delete(r->waits, dependency);
    return RC_OK;
}

/* Puts a hold into memory alone. */
static enum rc remember(struct rows *r, struct slice key, const struct hold *h, struct err *e)
{
    struct hold *copy = malloc(sizeof *copy);
    if (!copy)
        return err_nomem(e);
    *copy = *h;
    enum rc rc = count_wait(r, h, 1, e);
    if (rc < 0) {
        free(copy);
        return rc;
    }
    rc = count_wait(r, map_get(r->holds, key), -1, e);
    if (rc < 0) {
        free(copy);
        return rc;
    }
    return map_put(r->holds, key, copy, e);
}

struct hold *rows_hold(struct rows *r, struct slice key)
{
    return map_get(r->holds, key);
}

enum rc rows_set_hold(struct rows *r, struct slice key, const struct hold *h, struct err *e)
{
    struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    hold_encode(h, &row);
    enum rc rc = buf_check(&row, "hold", e);
    if (rc < 0) {
        buf_done(&row);
        return rc;
    }
    rc = change(r, CKPT_HOLDS, key, &row, e);
    return rc < 0 ? rc : remember(r, key, h, e);
}

enum rc rows_drop_hold(struct rows *r, struct slice key, struct err *e)
{
    struct hold *h = map_get(r->holds, key);
    if (!h)
        return RC_OK;
    enum rc rc = change_delete(r, CKPT_HOLDS, key, e);
    if (rc < 0)
        return rc;
    rc = count_wait(r, h, -1, e);
    map_delete(r->holds, key);
    return rc;
}

bool rows_next_hold(struct rows *r, struct slice after, struct slice *ret_key, struct hold **ret)
{
    struct map_entry entry;
    if (!map_seek(r->holds, after, after.n > 0, &entry))
        return false;
    *ret_key = entry.key;
    *ret = entry.value;
    return true;
}

int64_t *rows_asked(struct rows *r, struct slice dependency)
{
    struct wait *wait = map_get(r->waits, dependency);
    return wait ? &wait->asked_ns : NULL;
}

void rows_count(struct rows *r, struct rows_counts *ret)
{
    struct rows_counts counts = {0};
    struct slice key = SLICE_NULL;
    struct hold *h;
    while (rows_next_hold(r, key, &key, &h)) {
        counts.skipped += h->skipped;
        counts.waiting += h->waiting && !h->skipped;
        counts.held += !h->waiting && !h->skipped;
        counts.prune += hold_is_prune(h) && !h->skipped;
    }
    counts.deselected = r->deselected;
    *ret = counts;
}

/* ---- Applied ---- */

enum rc rows_applied(struct rows *r, struct slice key, struct applied *ret, struct err *e)
{
    if (r->known && !hash_set_may_have(r->known, key))
        return RC_NOTFOUND;
    struct buf *waiting = map_get(r->changes[CKPT_APPLIED], key);
    if (waiting && waiting->n == 0)
        return RC_NOTFOUND;
    if (waiting)
        return applied_decode(buf_slice(waiting), ret, e);
    buf_reset(&r->scratch);
    enum rc rc = ckpt_get(r->ckpt, r->consumer, CKPT_APPLIED, key, &r->scratch, e);
    return rc == RC_OK ? applied_decode(buf_slice(&r->scratch), ret, e) : rc;
}

enum rc record_load(struct ckpt *ckpt, struct slice consumer, struct slice key, struct buf *out,
                    struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct applied a;
    enum rc rc = ckpt_get(ckpt, consumer, CKPT_APPLIED, key, &row, e);
    if (rc == RC_OK)
        rc = applied_decode(buf_slice(&row), &a, e);
    if (rc != RC_OK)
        return rc;
    buf_add_slice(out, a.record);
    return buf_check(out, "sink record", e);
}

static enum rc encode(const struct applied *a, struct buf *row, struct err *e)
{
    applied_encode(a, row);
    return buf_check(row, "applied row", e);
}

/* The key's row will not be DESELECTED any more. */
static enum rc uncount(struct rows *r, struct slice key, struct err *e)
{
    struct applied was;
    struct err why = ERR_INIT;
    if (r->deselected == 0)
        return RC_OK;
    enum rc rc = rows_applied(r, key, &was, &why);
    if (rc == RC_OK && was.state == APPLIED_DESELECTED) {
        r->deselected--;
        r->counted = false;
    }
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

enum rc rows_set_applied(struct rows *r, struct slice key, const struct applied *a, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    assert(a->state == APPLIED_SYNCED);
    enum rc rc = encode(a, &row, e); /* first: it may be a view of what is read to count */
    if (rc == RC_OK)
        rc = uncount(r, key, e);
    return rc == RC_OK ? change(r, CKPT_APPLIED, key, &row, e) : rc;
}

enum rc rows_deselect(struct rows *r, struct slice key, const struct applied *a, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    const struct applied deselected = {APPLIED_DESELECTED, a->offset, a->record};
    enum rc rc = encode(&deselected, &row, e);
    if (rc == RC_OK)
        rc = change(r, CKPT_APPLIED, key, &row, e);
    if (rc != RC_OK)
        return rc;
    r->deselected++;
    r->counted = false;
    return RC_OK;
}

enum rc rows_drop_applied(struct rows *r, struct slice key, struct err *e)
{
    enum rc rc = uncount(r, key, e);
    return rc == RC_OK ? change_delete(r, CKPT_APPLIED, key, e) : rc;
}

/* ---- The pump's own rows: of the applied table, in the log's own key space ---- */

enum rc rows_set_own(struct rows *r, struct slice key, struct buf *row, struct err *e)
{
    assert(key_is_internal(key));
    enum rc rc = buf_check(row, "a row of the pump", e);
    if (rc == RC_OK)
        return change(r, CKPT_APPLIED, key, row, e);
    buf_done(row);
    return rc;
}

enum rc rows_digest(struct rows *r, uint8_t ret[REPLICATION_DIGEST], struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct err why = ERR_INIT;
    enum rc rc = ckpt_get(r->ckpt, r->consumer, CKPT_APPLIED, SLICE(DIGEST_KEY), &row, &why);
    memset(ret, 0, REPLICATION_DIGEST);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK)
        rc = check_version(buf_slice(&row), DIGEST_VERSION, "the digest of the synchronization",
                           &why);
    if (rc == RC_OK && row.n != 1 + REPLICATION_DIGEST)
        rc = err_set(&why, RC_CORRUPT, ERR_FATAL,
                     "the digest of the synchronization is not readable (%zu bytes)", row.n);
    if (rc == RC_OK)
        memcpy(ret, row.p + 1, REPLICATION_DIGEST);
    else
        *e = why;
    return rc;
}

enum rc rows_set_digest(struct rows *r, const uint8_t digest[REPLICATION_DIGEST], struct err *e)
{
    struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    buf_add_u8(&row, DIGEST_VERSION);
    buf_add(&row, digest, REPLICATION_DIGEST);
    return rows_set_own(r, SLICE(DIGEST_KEY), &row, e);
}

static enum rc binding_decode(struct slice in, struct binding *ret, struct err *e)
{
    enum rc rc = check_version(in, BINDING_VERSION, "the binding of a checkpoint", e);
    if (rc != RC_OK)
        return rc;
    struct slice rest = slice_of(in.p + 1, in.n - 1);
    if (rest.n >= RLOG_ID_SIZE) {
        memcpy(ret->log, rest.p, RLOG_ID_SIZE);
        rest = slice_of(rest.p + RLOG_ID_SIZE, rest.n - RLOG_ID_SIZE);
        if (take_slice(&rest, &ret->source) && take_slice(&rest, &ret->destination) && rest.n == 0)
            return RC_OK;
    }
    return err_set(e, RC_CORRUPT, ERR_FATAL,
                   "the binding of a checkpoint of %zu bytes is cut short", in.n);
}

enum rc binding_load(struct ckpt *ckpt, struct slice consumer, struct buf *memory,
                     struct binding *ret, struct err *e)
{
    struct err why = ERR_INIT;
    *ret = (struct binding){0};
    enum rc rc = ckpt_get(ckpt, consumer, CKPT_APPLIED, SLICE(BINDING_KEY), memory, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc == RC_OK)
        rc = binding_decode(buf_slice(memory), ret, &why);
    if (rc != RC_OK)
        *e = why;
    return rc;
}

enum rc rows_set_binding(struct rows *r, const struct binding *b, struct err *e)
{
    struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    buf_add_u8(&row, BINDING_VERSION);
    buf_add(&row, b->log, RLOG_ID_SIZE);
    add_text(&row, b->source);
    add_text(&row, b->destination);
    return rows_set_own(r, SLICE(BINDING_KEY), &row, e);
}

struct scan {
    rows_applied_fn *fn;
    void *arg;
};

static enum rc scan_row(void *arg, struct slice key, struct slice value, struct err *e)
{
    const struct scan *s = arg;
    struct applied a;
    if (key_is_internal(key))
        return RC_OK;
    enum rc rc = applied_decode(value, &a, e);
    return rc < 0 ? rc : s->fn(s->arg, key, &a, e);
}

enum rc rows_scan_applied(struct rows *r, struct slice prefix, rows_applied_fn *fn, void *arg,
                          struct err *e)
{
    struct scan s = {fn, arg};
    return ckpt_scan(r->ckpt, r->consumer, CKPT_APPLIED, prefix, scan_row, &s, e);
}

/* ---- Commit ---- */

size_t rows_pending(const struct rows *r)
{
    return map_count(r->changes[CKPT_HOLDS]) + map_count(r->changes[CKPT_APPLIED]);
}

static size_t collect(const struct rows *r, enum ckpt_table table, struct ckpt_row *out)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    size_t n = 0;
    while (map_seek(r->changes[table], entry.key, n > 0, &entry)) {
        const struct buf *row = entry.value;
        out[n++] = (struct ckpt_row){table, entry.key, buf_slice(row)};
    }
    return n;
}

/* Commits what with all rows that wait. */
static enum rc commit(struct rows *r, struct ckpt_commit *what, struct err *e)
{
    AUTO(buf_done) struct buf count = BUF_INIT(COUNT_SIZE);
    size_t max = rows_pending(r);
    AUTO(freep) struct ckpt_row *list = calloc(max + 1, sizeof *list);
    buf_add_u8(&count, COUNT_VERSION);
    buf_add_u64(&count, r->deselected);
    if (!list || count.bad != RC_OK)
        return err_nomem(e);
    what->n_rows = collect(r, CKPT_HOLDS, list);
    what->n_rows += collect(r, CKPT_APPLIED, list + what->n_rows);
    if (!r->counted)
        list[what->n_rows++] = (struct ckpt_row){CKPT_APPLIED, SLICE(COUNT_KEY), buf_slice(&count)};
    what->rows = list;
    enum rc rc = ckpt_commit(r->ckpt, r->consumer, what, e);
    if (rc < 0)
        return rc;
    r->counted = true;
    map_clear(r->changes[CKPT_HOLDS]);
    map_clear(r->changes[CKPT_APPLIED]);
    return RC_OK;
}

enum rc rows_commit(struct rows *r, const struct ckpt_head *head, struct slice status,
                    struct err *e)
{
    struct ckpt_commit what = {.head = *head, .status = status};
    return commit(r, &what, e);
}

static enum rc keep_deselected(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    const struct applied bare = {.state = APPLIED_DESELECTED};
    return a->state == APPLIED_DESELECTED ? rows_deselect(arg, key, &bare, e) : RC_OK;
}

enum rc rows_begin_anew(struct rows *r, bool keep, struct err *e)
{
    struct ckpt_commit what = {.head = {.generation = 0, .offset = 1}, .anew = true};
    r->deselected = 0;
    r->counted = false;
    hash_set_free(r->known);
    r->known = hash_set_new();
    enum rc rc = keep ? rows_scan_applied(r, SLICE_NULL, keep_deselected, r, e) : RC_OK;
    if (rc == RC_OK)
        rc = commit(r, &what, e);
    if (rc != RC_OK)
        return rc;
    map_clear(r->holds);
    map_clear(r->waits);
    return RC_OK;
}

/* ---- Life ---- */

static enum rc load_hold(void *arg, struct slice key, struct slice value, struct err *e)
{
    struct hold h;
    enum rc rc = hold_decode(value, &h, e);
    h.earlier = true;
    return rc < 0 ? rc : remember(arg, key, &h, e);
}

struct count {
    uint64_t all, deselected;
};

static enum rc count_row(void *arg, struct slice key, const struct applied *a, struct err *e)
{
    struct count *n = arg;
    (void)key;
    (void)e;
    n->all++;
    n->deselected += a->state == APPLIED_DESELECTED;
    return RC_OK;
}

static enum rc count_rows(struct rows *r, struct err *e)
{
    struct count n = {0};
    enum rc rc = rows_scan_applied(r, SLICE_NULL, count_row, &n, e);
    r->deselected = n.deselected;
    if (rc == RC_OK && n.all == 0)
        r->known = hash_set_new();
    return rc;
}

/* One that never committed rows, and checkpoints of before, do not tell it. */
static enum rc load_count(struct rows *r, struct err *e)
{
    AUTO(buf_done) struct buf row = BUF_INIT(CKPT_VALUE_MAX);
    struct err why = ERR_INIT;
    enum rc rc = ckpt_get(r->ckpt, r->consumer, CKPT_APPLIED, SLICE(COUNT_KEY), &row, &why);
    if (rc == RC_NOTFOUND)
        return count_rows(r, e);
    if (rc == RC_OK)
        rc = check_version(buf_slice(&row), COUNT_VERSION, "the number of deselected rows", &why);
    if (rc == RC_OK && row.n != COUNT_SIZE)
        rc = err_set(&why, RC_CORRUPT, ERR_FATAL,
                     "the number of deselected rows is not readable (%zu bytes)", row.n);
    if (rc != RC_OK) {
        *e = why;
        return rc;
    }
    r->deselected = le_get_u64(row.p + 1);
    r->counted = true;
    return RC_OK;
}

enum rc rows_open(struct ckpt *ckpt, struct slice consumer, struct rows **ret, struct err *e)
{
    AUTO(rows_freep) struct rows *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    r->ckpt = ckpt;
    r->consumer = consumer;
    buf_init(&r->scratch, CKPT_VALUE_MAX);
    r->holds = map_new(free);
    r->waits = map_new(free);
    r->changes[CKPT_HOLDS] = map_new(change_free);
    r->changes[CKPT_APPLIED] = map_new(change_free);
    if (!r->holds || !r->waits || !r->changes[CKPT_HOLDS] || !r->changes[CKPT_APPLIED])
        return err_nomem(e);
    enum rc rc = ckpt_scan(ckpt, consumer, CKPT_HOLDS, SLICE_NULL, load_hold, r, e);
    if (rc == RC_OK)
        rc = load_count(r, e);
    if (rc < 0)
        return rc;
    *ret = steal(&r);
    return RC_OK;
}

void rows_free(struct rows *r)
{
    if (!r)
        return;
    map_free(r->holds);
    map_free(r->waits);
    map_free(r->changes[CKPT_HOLDS]);
    map_free(r->changes[CKPT_APPLIED]);
    hash_set_free(r->known);
    buf_done(&r->scratch);
    free(r);
}

/* Walks the rows of a table of one consumer, as they were at one commit. Keeps: one chunk of rows at
 * a time, copied, so that callbacks run on nothing of the file. Failure modes: a table larger than a
 * chunk that another process overtakes after its first chunk was given is UNAVAILABLE (RETRY).
 * Threads: under the consumer's lock. */
#include "log/ckpt_lmdb_priv.h"

#include "core/buf.h"

#define CHUNK_BYTES (1u << 20)
#define SCAN_MAX    (64u << 20) /* one chunk, and rows whose cut keys begin alike */

struct scan_row {
    size_t key_at, key_n, value_at, value_n; /* in bytes */
};

/* Rows are gathered by chunks and given when the commit still stands. Rows whose cut keys begin alike are never
 * parted, as they are sorted by their full keys. */
struct scan {
    struct consumer *consumer;
    struct pages_commit commit;
    enum ckpt_tag tag;
    struct slice prefix;
    ckpt_row_fn *fn;
    void *arg;
    struct buf bytes;
    struct buf rows; /* of struct scan_row */
    bool given;      /* something was already given */
    struct pages_row row;
    struct buf stored;
    struct ckpt_row_key at; /* what to look for next, and how */
    enum pages_how how;
};

static void scan_done(struct scan *s)
{
    buf_done(&s->bytes);
    buf_done(&s->rows);
    buf_done(&s->stored);
    pages_row_done(&s->row);
}

static size_t scan_count(const struct scan *s)
{
    return s->rows.n / sizeof(struct scan_row);
}

static struct scan_row *scan_row(struct scan *s, size_t i)
{
    return (struct scan_row *)(void *)s->rows.p + i;
}

static int compare_rows(const void *a, const void *b, void *bytes)
{
    const struct scan_row *x = a, *y = b;
    const char *p = bytes;
    return slice_cmp(slice_of(p + x->key_at, x->key_n), slice_of(p + y->key_at, y->key_n));
}

static enum rc scan_give(struct scan *s, struct err *e)
{
    size_t n = scan_count(s);
    if (n == 0)
        return RC_OK;
    qsort_r(s->rows.p, n, sizeof(struct scan_row), compare_rows, s->bytes.p);
    s->given = true;
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        const struct scan_row *r = scan_row(s, i);
        rc = s->fn(s->arg, slice_of(s->bytes.p + r->key_at, r->key_n),
                   slice_of(s->bytes.p + r->value_at, r->value_n), e);
    }
    buf_reset(&s->bytes);
    buf_reset(&s->rows);
    return rc;
}

static enum rc scan_add(struct scan *s, struct slice key, struct slice value, struct err *e)
{
    if (!slice_starts(key, s->prefix))
        return RC_OK;
    const struct scan_row row = {
        .key_at = s->bytes.n, .key_n = key.n, .value_at = s->bytes.n + key.n, .value_n = value.n};
    buf_add_slice(&s->bytes, key);
    buf_add_slice(&s->bytes, value);
    buf_add_char(&s->bytes, '\0'); /* so that an empty table's bytes are never NULL */
    buf_add(&s->rows, &row, sizeof(row));
    enum rc rc = buf_check(&s->bytes, "rows of a checkpoint", e);
    return rc == RC_OK ? buf_check(&s->rows, "rows of a checkpoint", e) : rc;
}

/* True if the row just read cannot belong together with those gathered. */
static bool scan_parts(const struct scan *s)
{
    return s->row.key.n < CKPT_ROW_KEY_CUT || s->at.n < CKPT_ROW_KEY_CUT ||
           memcmp(s->row.key.p, s->at.p, CKPT_ROW_KEY_CUT) != 0;
}

static size_t scan_cut(const struct scan *s)
{
    return s->prefix.n < CKPT_ROW_KEY_CUT - 1 ? s->prefix.n : CKPT_ROW_KEY_CUT - 1;
}

static bool scan_wants(const struct scan *s)
{
    size_t cut = scan_cut(s);
    return s->row.key.n >= 1 + cut && s->row.key.p[0] == (char)s->tag &&
           (cut == 0 || memcmp(s->row.key.p + 1, s->prefix.p, cut) == 0);
}

/* Gathers the next chunk. */
static enum rc scan_gather(struct scan *s, bool *ret_more, struct err *e)
{
    const struct pages *f = s->consumer->file;
    *ret_more = false;
    for (bool first = true;; first = false) {
        buf_reset(&s->stored);
        enum rc rc = first ? pages_find_in(f, &s->commit, s->how, slice_of(s->at.p, s->at.n),
                                           &s->row, &s->stored, e)
                           : pages_next_in(f, &s->commit, &s->row, &s->stored, e);
        if (rc < 0)
            return rc;
        if (rc == RC_END || !scan_wants(s))
            return RC_OK;
        if (s->bytes.n >= CHUNK_BYTES && scan_parts(s)) {
            *ret_more = true;
            return RC_OK;
        }
        struct slice key, value;
        rc = ckpt_row_decode(s->row.key, buf_slice(&s->stored), &key, &value, e);
        if (rc == RC_OK)
            rc = scan_add(s, key, value, e);
        if (rc != RC_OK)
            return rc;
        memcpy(s->at.p, s->row.key.p, s->row.key.n);
        s->at.n = s->row.key.n;
        s->how = PAGES_ABOVE;
    }
}

static enum rc scan_start(struct scan *s, struct err *e)
{
    buf_reset(&s->bytes);
    buf_reset(&s->rows);
    ckpt_row_key(s->tag, slice_of(s->prefix.p, scan_cut(s)), &s->at);
    s->how = PAGES_AT_LEAST;
    return pages_newest(s->consumer->file, &s->commit, e);
}

static enum rc scan_run(struct scan *s, struct err *e)
{
    enum rc rc = scan_start(s, e);
    bool more = true;
    for (int tries = 0; rc == RC_OK && more && tries < CKPT_READ_TRIES;) {
        struct err why = ERR_INIT;
        rc = scan_gather(s, &more, &why);
        if (pages_stands(s->consumer->file, &s->commit)) {
            if (rc != RC_OK && e)
                *e = why;
            if (rc == RC_OK)
                rc = scan_give(s, e);
            continue;
        }
        more = true;
        if (s->given)
            break;
        tries++;
        rc = scan_start(s, e);
    }
    if (rc != RC_OK || !more)
        return rc;
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY,
                   "%s: its consumer committed while its rows were read; read again",
                   s->consumer->path);
}

enum rc ckpt_lmdb_scan(struct ckpt *ckpt, struct slice consumer, enum ckpt_table table,
                       struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e)
{
    struct consumer *c = ckpt_consumer_enter((struct ckpt_lmdb *)ckpt, consumer);
    if (!c)
        return err_nomem(e);
    enum rc rc = RC_OK;
    {
        AUTO(scan_done)
        struct scan s = {
            .consumer = c, .tag = ckpt_tag_of(table), .prefix = prefix, .fn = fn, .arg = arg};
        buf_init(&s.bytes, SCAN_MAX);
        buf_init(&s.rows, SCAN_MAX);
        buf_init(&s.stored, CKPT_ROW_MAX);
        rc = ckpt_consumer_open(c, e);
        if (rc == RC_OK && c->file)
            rc = scan_run(&s, e);
    }
    ckpt_consumer_leave(c);
    return rc;
}

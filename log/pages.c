/* Reads an LMDB file by pread. Keeps: a descriptor and the page size; with PAGES_FROZEN also the
 * one commit. Invariant: no number from the file is used before it was compared with the page, the
 * file or a limit. A commit stands while the newest is at most one ahead, because LMDB reuses a
 * page at the earliest three commits after the last one that could reach it. Failure modes: CORRUPT
 * names file and page; a read that a writer overtook is repeated. Threads: nothing changes after
 * opening, so all may read; rows belong to their callers. */
#include "log/pages_priv.h"

#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "LMDB files are read as little-endian");

#define META_TRIES 100 /* a meta page may be seen half written, for about a microsecond */
#define FIND_TRIES 1000

__attribute__((format(printf, 3, 4))) static enum rc damaged(const struct pages *f, struct err *e,
                                                             const char *fmt, ...)
{
    struct err what = ERR_INIT;
    va_list args;
    va_start(args, fmt);
    vsnprintf(what.msg, sizeof(what.msg), fmt, args);
    va_end(args);
    return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: %s", f->path, what.msg);
}

static enum rc read_all(const struct pages *f, uint64_t at, void *out, size_t n, struct err *e)
{
    char *to = out;
    while (n > 0) {
        ssize_t got = pread(f->fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(e, errno, "%s: read at byte %" PRIu64, f->path, at);
        if (got == 0)
            return damaged(f, e, "the file ends at byte %" PRIu64 ", inside of a page", at);
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return RC_OK;
}

/* ---- Meta pages ---- */

static struct pages_tree tree_of(const char *p)
{
    return (struct pages_tree){.root = le_get_u64(p + TREE_ROOT),
                               .branches = le_get_u64(p + TREE_BRANCHES),
                               .leaves = le_get_u64(p + TREE_LEAVES),
                               .overflows = le_get_u64(p + TREE_OVERFLOWS),
                               .entries = le_get_u64(p + TREE_ENTRIES),
                               .depth = le_get_u16(p + TREE_DEPTH)};
}

static enum rc check_meta(const struct pages *f, const char *p, unsigned slot, struct err *e)
{
    if (le_get_u32(p + META_MAGIC) != PAGES_META_MAGIC || pages_page_kind(p) != PAGES_META ||
        pages_page_number(p) != slot)
        return damaged(f, e, "page %u is not a meta page", slot);
    if (le_get_u32(p + META_VERSION) != 1)
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "%s: LMDB data version %" PRIu32 ", this program reads 1", f->path,
                       le_get_u32(p + META_VERSION));
    if (le_get_u32(p + META_FREE + TREE_PAD) != f->size ||
        le_get_u16(p + META_FREE + TREE_FLAGS) != PAGES_FREE_FLAGS ||
        le_get_u16(p + META_ROWS + TREE_FLAGS) != 0 || le_get_u64(p + META_ADDRESS) != 0)
        return damaged(f, e, "meta page %u has flags that resilog never sets", slot);
    return RC_OK;
}

static struct pages_commit commit_of(const char *p, unsigned slot)
{
    return (struct pages_commit){.number = le_get_u64(p + META_NUMBER),
                                 .last_page = le_get_u64(p + META_LAST_PAGE),
                                 .rows = tree_of(p + META_ROWS),
                                 .free = tree_of(p + META_FREE),
                                 .slot = slot};
}

/* With one row a commit, the number of rows is the number of the commit. A page that LMDB took back after a failed
 * write, or whose number was damaged downwards, holds all of the next commit but its number. */
static enum rc pick_counted(const struct pages *f, const struct pages_commit *newest,
                            const struct pages_commit *other, struct pages_commit *ret,
                            struct err *e)
{
    bool first = newest->number == 0;
    if (newest->rows.entries != newest->number || (!first && other->number + 1 != newest->number))
        return damaged(f, e,
                       "the meta pages are of the commits %" PRIu64 " and %" PRIu64
                       ", with %" PRIu64 " and %" PRIu64 " rows",
                       newest->number, other->number, newest->rows.entries, other->rows.entries);
    *ret = *newest;
    if (!first && other->rows.entries == newest->number + 1) {
        *ret = *other;
        ret->number = newest->number + 1;
        ret->unfinished = true;
    } else if (other->rows.entries != other->number) {
        return damaged(f, e, "meta page %u: commit %" PRIu64 " with %" PRIu64 " rows", other->slot,
                       other->number, other->rows.entries);
    }
    return RC_OK;
}

struct metas {
    char page[2][META_END]; /* the part of each meta page that matters */
};

static enum rc pick(const struct pages *f, const struct metas *m, struct pages_commit *ret,
                    struct err *e)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        enum rc rc = check_meta(f, m->page[slot], slot, e);
        if (rc != RC_OK)
            return rc;
    }
    struct pages_commit a = commit_of(m->page[0], 0);
    struct pages_commit b = commit_of(m->page[1], 1);
    bool second = a.number < b.number;
    if (f->flags & PAGES_ROW_A_TXN)
        return pick_counted(f, second ? &b : &a, second ? &a : &b, ret, e);
    *ret = second ? b : a;
    return RC_OK;
}

static enum rc read_metas(const struct pages *f, struct metas *ret, struct err *e)
{
    enum rc rc = read_all(f, 0, ret->page[0], META_END, e);
    return rc == RC_OK ? read_all(f, f->size, ret->page[1], META_END, e) : rc;
}

/* A live meta page may be seen while it is written, so only what two readings agree on counts. */
static enum rc read_newest(const struct pages *f, struct pages_commit *ret, struct err *e)
{
    struct metas m, again;
    enum rc rc = RC_OK;
    struct err why = ERR_INIT;
    for (int i = 0; i < META_TRIES; i++) {
        if (i > 0)
            sched_yield();
        rc = read_metas(f, &m, &why);
        if (rc == RC_OK)
            rc = read_metas(f, &again, &why);
        if (rc != RC_OK)
            break;
        rc = pick(f, &m, ret, &why);
        if (rc == RC_OK && !ret->unfinished && memcmp(&m, &again, sizeof(m)) == 0)
            return RC_OK;
    }
    if (rc != RC_OK && e)
        *e = why;
    return rc;
}

enum rc pages_newest(const struct pages *f, struct pages_commit *ret, struct err *e)
{
    if (!(f->flags & PAGES_FROZEN))
        return read_newest(f, ret, e);
    *ret = f->frozen;
    return RC_OK;
}

static bool read_newest_number(const struct pages *f, uint64_t *ret)
{
    *ret = 0;
    for (unsigned slot = 0; slot < 2; slot++) {
        char number[8];
        uint64_t at = (uint64_t)slot * f->size + META_NUMBER;
        if (read_all(f, at, number, sizeof(number), NULL) != RC_OK)
            return false;
        if (le_get_u64(number) > *ret)
            *ret = le_get_u64(number);
    }
    return true;
}

bool pages_stands(const struct pages *f, const struct pages_commit *c)
{
    if (f->flags & PAGES_FROZEN)
        return true;
    uint64_t newest;
    return read_newest_number(f, &newest) && newest <= c->number + 1;
}

bool pages_is_newest(const struct pages *f, const struct pages_commit *c)
{
    if (f->flags & PAGES_FROZEN)
        return true;
    uint64_t newest;
    return read_newest_number(f, &newest) && newest == c->number;
}

/* ---- Open and close ---- */

/* The page size stands in the meta page that it tells the place of the second one. */
static enum rc read_page_size(struct pages *f, struct err *e)
{
    char meta[META_END];
    enum rc rc = read_all(f, 0, meta, sizeof(meta), e);
    if (rc != RC_OK)
        return rc;
    uint32_t magic = le_get_u32(meta + META_MAGIC);
    if (magic == __builtin_bswap32(PAGES_META_MAGIC))
        return err_set(e, RC_UNSUPPORTED, ERR_FATAL,
                       "%s was written on a host with the other byte order", f->path);
    uint32_t size = le_get_u32(meta + META_FREE + TREE_PAD);
    if (magic != PAGES_META_MAGIC || size < PAGES_SIZE_MIN || size > PAGES_SIZE_MAX ||
        (size & (size - 1)) != 0)
        return damaged(f, e, "it does not begin with an LMDB meta page");
    f->size = size;
    return RC_OK;
}

enum rc pages_open(const char *path, unsigned flags, struct pages **ret, struct err *e)
{
    AUTO(pages_closep) struct pages *f = calloc(1, sizeof(*f));
    if (!f)
        return err_nomem(e);
    f->flags = flags & ~(unsigned)PAGES_FROZEN;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return err_sys(e, errno, "open %s", path);
    f->path = strdup(path);
    if (!f->path)
        return err_nomem(e);
    enum rc rc = read_page_size(f, e);
    if (rc == RC_OK)
        rc = pages_newest(f, &f->frozen, e);
    if (rc != RC_OK)
        return rc;
    f->flags = flags;
    *ret = steal(&f);
    return RC_OK;
}

void pages_close(struct pages *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f);
}

int pages_fd(const struct pages *f)
{
    return f->fd;
}

/* ---- Pages and nodes ---- */

enum rc pages_load(const struct pages *f, uint64_t number, unsigned kind, char *page, struct err *e)
{
    if (number < 2 || number > (uint64_t)INT64_MAX / f->size)
        return damaged(f, e, "page %" PRIu64 " is named but cannot be", number);
    enum rc rc = read_all(f, number * f->size, page, f->size, e);
    if (rc != RC_OK)
        return rc;
    if (pages_page_number(page) != number || pages_page_kind(page) != kind)
        return damaged(
            f, e, "page %" PRIu64 " calls itself page %" PRIu64 " of kind %u; expected is kind %u",
            number, pages_page_number(page), pages_page_kind(page), kind);
    unsigned lower = le_get_u16(page + 12), upper = le_get_u16(page + 14);
    if (lower < PAGES_HEAD || lower > upper || upper > f->size || lower % 2 != 0)
        return damaged(f, e, "page %" PRIu64 ": its node table ends at %u, its nodes begin at %u",
                       number, lower, upper);
    return RC_OK;
}

static bool node_fits(const struct pages *f, const char *page, unsigned at, size_t n)
{
    return at >= le_get_u16(page + 14) && n <= f->size && at <= f->size - n;
}

static bool read_leaf_node(const struct pages *f, const char *page, unsigned at, size_t head,
                           unsigned flags, struct pages_node *node)
{
    node->n = le_get_u32(page + at);
    if (flags == PAGES_NODE_BIG && node_fits(f, page, at, head + 8)) {
        node->page = le_get_u64(page + at + head);
        return true;
    }
    node->inlined = slice_of(page + at + head, node->n);
    return flags == 0 && node_fits(f, page, at, head + node->n);
}

enum rc pages_node(const struct pages *f, const char *page, unsigned i, struct pages_node *ret,
                   struct err *e)
{
    unsigned at = le_get_u16(page + PAGES_HEAD + 2 * i);
    bool leaf = pages_page_kind(page) == PAGES_LEAF;
    bool ok = at % 2 == 0 && node_fits(f, page, at, PAGES_NODE_HEAD);
    size_t key_n = ok ? le_get_u16(page + at + 6) : 0;
    size_t head = PAGES_NODE_HEAD + key_n;
    ok = ok && key_n <= PAGES_KEY_MAX && node_fits(f, page, at, head);
    struct pages_node node = {0};
    if (ok) {
        unsigned flags = le_get_u16(page + at + 4);
        node.key = slice_of(page + at + PAGES_NODE_HEAD, key_n);
        node.child = le_get_u32(page + at) | (uint64_t)flags << 32;
        ok = !leaf || read_leaf_node(f, page, at, head, flags, &node);
    }
    if (!ok)
        return damaged(f, e, "page %" PRIu64 ": node %u does not fit its page",
                       pages_page_number(page), i);
    *ret = node;
    return RC_OK;
}

/* ---- Find ---- */

struct search {
    const struct pages *f;
    struct pages_row *row;
    enum pages_how how;
    struct slice key;
    size_t above_n; /* the separator behind the path so far; 0: the path is the last one */
    char above[PAGES_KEY_MAX];
};

/* The last node with a key <= the wanted one, or -1. Node 0 of a branch counts as less than every key. */
static enum rc last_at_most(const struct search *s, int *ret, struct err *e)
{
    const char *page = s->row->page;
    bool branch = pages_page_kind(page) == PAGES_BRANCH;
    int low = branch ? 0 : -1, high = (int)pages_node_count(page);
    if (branch && high < 1)
        return damaged(s->f, e, "page %" PRIu64 ": a branch without nodes",
                       pages_page_number(page));
    while (high - low > 1) {
        int mid = (low + high) / 2;
        struct pages_node node = {.page = 0};
        enum rc rc = pages_node(s->f, page, (unsigned)mid, &node, e);
        if (rc != RC_OK)
            return rc;
        if (slice_cmp(node.key, s->key) <= 0)
            low = mid;
        else
            high = mid;
    }
    *ret = low;
    return RC_OK;
}

static enum rc branch_down(struct search *s, uint64_t *ret_child, struct err *e)
{
    int i = 0;
    enum rc rc = last_at_most(s, &i, e);
    struct pages_node node = {.page = 0};
    if (rc == RC_OK)
        rc = pages_node(s->f, s->row->page, (unsigned)i, &node, e);
    if (rc != RC_OK)
        return rc;
    *ret_child = node.child;
    if ((unsigned)i + 1 == pages_node_count(s->row->page))
        return RC_OK;
    rc = pages_node(s->f, s->row->page, (unsigned)i + 1, &node, e);
    if (rc != RC_OK)
        return rc;
    s->above_n = node.key.n;
    if (node.key.n)
        memcpy(s->above, node.key.p, node.key.n);
    return RC_OK;
}

static enum rc take_row(struct search *s, unsigned i, struct err *e)
{
    struct pages_node node = {.page = 0};
    enum rc rc = pages_node(s->f, s->row->page, i, &node, e);
    if (rc != RC_OK)
        return rc;
    s->row->place = i;
    s->row->key = node.key;
    s->row->inlined = node.inlined;
    s->row->n = node.n;
    s->row->at = node.inlined.p ? 0 : node.page * s->f->size + PAGES_HEAD;
    if (!node.inlined.p && node.page > (uint64_t)INT64_MAX / s->f->size / 2)
        return damaged(s->f, e, "page %" PRIu64 " is named but cannot be", node.page);
    return RC_OK;
}

/* RC_AGAIN: the row is the first one of the next leaf; search at `above`. */
static enum rc leaf_row(struct search *s, struct err *e)
{
    int i = 0;
    enum rc rc = last_at_most(s, &i, e);
    if (rc != RC_OK)
        return rc;
    if (s->how == PAGES_AT_MOST)
        return i < 0 ? RC_END : take_row(s, (unsigned)i, e);
    struct pages_node node = {0};
    if (i >= 0 && s->how == PAGES_AT_LEAST)
        rc = pages_node(s->f, s->row->page, (unsigned)i, &node, e);
    if (rc != RC_OK)
        return rc;
    bool here = i >= 0 && s->how == PAGES_AT_LEAST && slice_eq(node.key, s->key);
    unsigned want = (unsigned)(here ? i : i + 1);
    if (want < pages_node_count(s->row->page))
        return take_row(s, want, e);
    return s->above_n ? RC_AGAIN : RC_END;
}

static enum rc descend(struct search *s, const struct pages_commit *c, struct err *e)
{
    uint64_t number = c->rows.root;
    s->above_n = 0;
    for (uint32_t level = 1; level < c->rows.depth; level++) {
        enum rc rc = pages_load_cached(s->f, c->cache, number, PAGES_BRANCH, s->row->page, e);
        if (rc == RC_OK)
            rc = branch_down(s, &number, e);
        if (rc != RC_OK)
            return rc;
    }
    enum rc rc = pages_load_cached(s->f, c->cache, number, PAGES_LEAF, s->row->page, e);
    return rc == RC_OK ? leaf_row(s, e) : rc;
}

static enum rc add_value(const struct pages *f, const struct pages_row *row, struct buf *value,
                         struct err *e)
{
    if (row->n > value->max)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: a value of %zu bytes, at most %zu can be",
                       f->path, row->n, value->max);
    char *to = buf_extend(value, row->n);
    if (!to)
        return buf_check(value, "a value", e);
    return pages_read(f, row, 0, row->n, to, e);
}

enum rc pages_find_in(const struct pages *f, const struct pages_commit *c, enum pages_how how,
                      struct slice key, struct pages_row *row, struct buf *value, struct err *e)
{
    const struct pages_tree *tree = &c->rows;
    if (!row->page)
        row->page = malloc(PAGES_SIZE_MAX);
    if (!row->page)
        return err_nomem(e);
    if (tree->root == PAGES_NONE)
        return RC_END;
    if (tree->depth == 0 || tree->depth > PAGES_DEPTH_MAX)
        return damaged(f, e, "commit %" PRIu64 ": a tree of depth %" PRIu32, c->number,
                       tree->depth);
    struct search s = {.f = f, .row = row, .how = how, .key = key};
    char next[PAGES_KEY_MAX];
    enum rc rc = descend(&s, c, e);
    for (uint64_t leaves = 0; rc == RC_AGAIN && leaves <= tree->leaves; leaves++) {
        memcpy(next, s.above, s.above_n);
        s.key = slice_of(next, s.above_n);
        s.how = PAGES_AT_LEAST;
        rc = descend(&s, c, e);
    }
    if (rc == RC_AGAIN)
        return damaged(f, e, "commit %" PRIu64 ": its branches lead in circles", c->number);
    return rc == RC_OK && value ? add_value(f, row, value, e) : rc;
}

enum rc pages_find(const struct pages *f, enum pages_how how, struct slice key,
                   struct pages_row *row, struct buf *value, struct err *e)
{
    size_t before = value ? value->n : 0;
    struct err why = ERR_INIT;
    for (int i = 0; i < FIND_TRIES; i++) {
        struct pages_commit c = {.number = 0};
        enum rc rc = pages_newest(f, &c, e);
        if (rc != RC_OK)
            return rc;
        rc = pages_find_in(f, &c, how, key, row, value, &why);
        if (pages_stands(f, &c)) {
            if (rc < 0 && e)
                *e = why;
            return rc;
        }
        if (value)
            buf_truncate(value, before);
    }
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "%s: its writer was faster %d times in a row",
                   f->path, FIND_TRIES);
}

enum rc pages_next_in(const struct pages *f, const struct pages_commit *c, struct pages_row *row,
                      struct buf *value, struct err *e)
{
    struct search s = {.f = f, .row = row};
    if (row->place + 1 < pages_node_count(row->page)) {
        enum rc rc = take_row(&s, row->place + 1, e);
        return rc == RC_OK && value ? add_value(f, row, value, e) : rc;
    }
    char key[PAGES_KEY_MAX];
    size_t n = row->key.n;
    memcpy(key, row->key.p, n);
    return pages_find_in(f, c, PAGES_ABOVE, slice_of(key, n), row, value, e);
}

enum rc pages_next(const struct pages *f, struct pages_row *row, struct buf *value, struct err *e)
{
    return pages_next_in(f, &f->frozen, row, value, e);
}

enum rc pages_read(const struct pages *f, const struct pages_row *row, size_t from, size_t n,
                   void *out, struct err *e)
{
    if (from > row->n || n > row->n - from)
        return damaged(f, e, "%zu bytes are wanted from byte %zu of a value of %zu", n, from,
                       row->n);
    if (!row->inlined.p)
        return read_all(f, row->at + from, out, n, e);
    if (n)
        memcpy(out, row->inlined.p + from, n);
    return RC_OK;
}

void pages_row_done(struct pages_row *row)
{
    if (!row)
        return;
    free(row->page);
    *row = (struct pages_row){0};
}

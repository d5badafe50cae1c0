/* Walks everything that a commit reaches, and mends a commit whose number was not written. Keeps,
 * for one walk: a bit for each page. Invariant proved: each page is reached once, or is on the free
 * list once, or is not used; keys rise; the counts in the meta page are those found. So LMDB, which
 * checks nothing, can neither fall over the file nor overwrite a row that is in use.
 * Failure modes: CORRUPT names file and page. Threads: none of its own. */
#include "log/pages_priv.h"

#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBERS_MAX (64u << 20) /* bytes of one row of the free list */

struct walk {
    const struct pages *f;
    const struct pages_commit *commit;
    uint64_t *used; /* a bit a page */
    uint64_t pages, marked;
    bool free; /* walking the free list, not the rows */
    struct pages_tree found;
    struct slice floor; /* keys must be above, or at least this after a separator */
    char floor_bytes[PAGES_KEY_MAX];
    bool floor_taken;
    pages_row_fn *fn;
    void *arg;
};

static enum rc mark(struct walk *w, uint64_t number, const char *as, struct err *e)
{
    if (number < 2 || number >= w->pages)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: page %" PRIu64 " is named as %s, the file has %" PRIu64, w->f->path,
                       number, as, w->pages);
    uint64_t bit = 1ull << (number % 64);
    if (w->used[number / 64] & bit)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: page %" PRIu64 " is named twice, now as %s",
                       w->f->path, number, as);
    w->used[number / 64] |= bit;
    w->marked++;
    return RC_OK;
}

/* ---- Keys ---- */

static int compare_keys(const struct walk *w, struct slice a, struct slice b)
{
    if (!w->free || a.n != 8 || b.n != 8)
        return slice_cmp(a, b);
    uint64_t x = le_get_u64(a.p), y = le_get_u64(b.p);
    return (x > y) - (x < y);
}

/* A key must be above the last one; a separator stands below the first key behind it, or is equal to it. */
static enum rc rise(struct walk *w, struct slice key, bool separator, struct err *e)
{
    int c = w->floor.p ? compare_keys(w, key, w->floor) : 1;
    if (c < 0 || (c == 0 && w->floor_taken))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: the keys of commit %" PRIu64 " do not rise",
                       w->f->path, w->commit->number);
    memcpy(w->floor_bytes, key.p, key.n);
    w->floor = slice_of(w->floor_bytes, key.n);
    w->floor_taken = !separator;
    return RC_OK;
}

/* ---- Values ---- */

/* LMDB puts a smaller value into the pages of a larger one, so there may be more pages than it needs. */
static enum rc mark_overflow(struct walk *w, const struct pages_node *node, struct err *e)
{
    char head[PAGES_HEAD];
    const struct pages_row head_row = {.at = node->page * w->f->size, .n = sizeof(head)};
    if (node->page >= w->pages)
        return mark(w, node->page, "a value's", e);
    enum rc rc = pages_read(w->f, &head_row, 0, sizeof(head), head, e);
    if (rc != RC_OK)
        return rc;
    uint64_t count = le_get_u32(head + 12);
    if (pages_page_number(head) != node->page || pages_page_kind(head) != PAGES_OVERFLOW ||
        count < pages_overflow_count(w->f, node->n))
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: page %" PRIu64 " should begin a value of %" PRIu32 " bytes", w->f->path,
                       node->page, node->n);
    for (uint64_t i = 0; rc == RC_OK && i < count; i++)
        rc = mark(w, node->page + i, "a value's", e);
    w->found.overflows += count;
    return rc;
}

static enum rc mark_numbers(struct walk *w, struct slice list, struct err *e)
{
    uint64_t n = list.n >= 8 ? le_get_u64(list.p) : UINT64_MAX;
    if (list.n % 8 != 0 || n > list.n / 8 - 1)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: a free list of %zu bytes has %" PRIu64 " numbers", w->f->path, list.n,
                       n);
    uint64_t above = UINT64_MAX;
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t number = le_get_u64(list.p + 8 * i);
        if (number >= above)
            return err_set(e, RC_CORRUPT, ERR_FATAL,
                           "%s: a free list does not fall at page %" PRIu64, w->f->path, number);
        above = number;
        enum rc rc = mark(w, number, "free", e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc walk_free_row(struct walk *w, const struct pages_row *row, struct err *e)
{
    if (row->key.n != 8 || le_get_u64(row->key.p) > w->commit->number)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: the free list names a later commit",
                       w->f->path);
    AUTO(buf_done) struct buf list = BUF_INIT(NUMBERS_MAX);
    char *to = row->n <= NUMBERS_MAX ? buf_extend(&list, row->n) : NULL;
    if (!to)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: a free list of %zu bytes", w->f->path,
                       row->n);
    enum rc rc = pages_read(w->f, row, 0, row->n, to, e);
    return rc == RC_OK ? mark_numbers(w, buf_slice(&list), e) : rc;
}

/* ---- Trees ---- */

static enum rc walk_leaf(struct walk *w, const char *page, struct err *e)
{
    unsigned n = pages_node_count(page);
    w->found.leaves++;
    w->found.entries += n;
    for (unsigned i = 0; i < n; i++) {
        struct pages_node node;
        enum rc rc = pages_node(w->f, page, i, &node, e);
        if (rc == RC_OK)
            rc = rise(w, node.key, false, e);
        if (rc == RC_OK && !node.inlined.p)
            rc = mark_overflow(w, &node, e);
        if (rc != RC_OK)
            return rc;
        const struct pages_row row = {.key = node.key,
                                      .inlined = node.inlined,
                                      .at = node.page * w->f->size + PAGES_HEAD,
                                      .n = node.n};
        if (w->free)
            rc = walk_free_row(w, &row, e);
        else if (w->fn)
            rc = w->fn(w->arg, &row, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc walk_tree(struct walk *w, uint64_t number, uint32_t levels, struct err *e);

static enum rc walk_branch(struct walk *w, const char *page, uint32_t levels, struct err *e)
{
    unsigned n = pages_node_count(page);
    if (n < 2)
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: page %" PRIu64 ": a branch with %u nodes",
                       w->f->path, pages_page_number(page), n);
    w->found.branches++;
    for (unsigned i = 0; i < n; i++) {
        struct pages_node node;
        enum rc rc = pages_node(w->f, page, i, &node, e);
        if (rc == RC_OK && i > 0)
            rc = rise(w, node.key, true, e);
        if (rc == RC_OK)
            rc = walk_tree(w, node.child, levels - 1, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* Recursion is bounded by PAGES_DEPTH_MAX. */
static enum rc walk_tree(struct walk *w, uint64_t number, uint32_t levels, struct err *e)
{
    enum rc rc = mark(w, number, "a tree's", e);
    if (rc != RC_OK)
        return rc;
    AUTO(freep) char *page = malloc(w->f->size);
    if (!page)
        return err_nomem(e);
    rc = pages_load(w->f, number, levels == 1 ? PAGES_LEAF : PAGES_BRANCH, page, e);
    if (rc != RC_OK)
        return rc;
    return levels == 1 ? walk_leaf(w, page, e) : walk_branch(w, page, levels, e);
}

static enum rc walk_one(struct walk *w, const struct pages_tree *tree, struct err *e)
{
    w->found = (struct pages_tree){.root = tree->root, .depth = tree->depth};
    w->floor = SLICE_NULL;
    if (tree->depth > PAGES_DEPTH_MAX || (tree->depth == 0) != (tree->root == PAGES_NONE))
        return err_set(e, RC_CORRUPT, ERR_FATAL, "%s: commit %" PRIu64 ": a tree of depth %" PRIu32,
                       w->f->path, w->commit->number, tree->depth);
    if (tree->root != PAGES_NONE) {
        enum rc rc = walk_tree(w, tree->root, tree->depth, e);
        if (rc != RC_OK)
            return rc;
    }
    if (w->found.entries != tree->entries || w->found.leaves != tree->leaves ||
        w->found.branches != tree->branches || w->found.overflows != tree->overflows)
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: commit %" PRIu64 " counts %" PRIu64 " rows, there are %" PRIu64,
                       w->f->path, w->commit->number, tree->entries, w->found.entries);
    return RC_OK;
}

/* ---- The calls ---- */

/* The end of what may be named. LMDB may have given numbers to pages that it freed unwritten, so the last page may
 * lie a little behind the file's end. An unfinished commit has no trustworthy last page. */
static enum rc count_pages(const struct pages *f, const struct pages_commit *c, uint64_t *ret,
                           struct err *e)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return err_sys(e, errno, "%s: fstat", f->path);
    uint64_t file = (uint64_t)st.st_size / f->size;
    uint64_t slack = file + 65536;
    if (!c->unfinished && (c->last_page < 1 || c->last_page >= slack))
        return err_set(e, RC_CORRUPT, ERR_FATAL,
                       "%s: commit %" PRIu64 " ends at page %" PRIu64 ", the file has %" PRIu64,
                       f->path, c->number, c->last_page, file);
    *ret = c->unfinished ? file : c->last_page + 1;
    return RC_OK;
}

enum rc pages_verify(const struct pages *f, pages_row_fn *fn, void *arg, struct pages_usage *ret,
                     struct err *e)
{
    struct pages_commit c;
    enum rc rc = pages_newest(f, &c, e);
    struct walk w = {.f = f, .commit = &c, .fn = fn, .arg = arg};
    if (rc == RC_OK)
        rc = count_pages(f, &c, &w.pages, e);
    if (rc != RC_OK)
        return rc;
    AUTO(freep) uint64_t *used = calloc(w.pages / 64 + 1, sizeof(*used));
    if (!used)
        return err_nomem(e);
    w.used = used;
    rc = walk_one(&w, &c.rows, e);
    if (rc != RC_OK)
        return rc;
    uint64_t rows = w.marked;
    w.free = true;
    rc = walk_one(&w, &c.free, e);
    if (rc == RC_OK && ret)
        *ret = (struct pages_usage){.pages = w.pages, .free = w.pages - 2 - rows};
    return rc;
}

enum rc pages_mend(const struct pages *f, const char *path, struct err *e)
{
    struct pages_commit c;
    enum rc rc = pages_newest(f, &c, e);
    if (rc != RC_OK || !c.unfinished)
        return rc;
    uint64_t pages = 0;
    rc = count_pages(f, &c, &pages, e);
    if (rc != RC_OK)
        return rc;
    char tail[META_END - META_LAST_PAGE];
    le_put_u64(tail, pages - 1);
    le_put_u64(tail + (META_NUMBER - META_LAST_PAGE), c.number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, errno, "open %s", path);
    off_t at = (off_t)c.slot * (off_t)f->size + META_LAST_PAGE;
    if (pwrite(fd, tail, sizeof(tail), at) != (ssize_t)sizeof(tail) || fdatasync(fd) != 0)
        rc = err_sys(e, errno, "%s: completing commit %" PRIu64, path, c.number);
    close(fd);
    return rc;
}

/* Reads an LMDB data file without LMDB: by pread, every number checked before it is followed, no lock, no mapping. So
 * damage gives CORRUPT and never a signal, and a reader neither waits for the writer nor makes it wait
 * (docs/adr/0002-readers-without-lmdb.md).
 *
 * A file may be written by LMDB at the same time. LMDB never changes a page that the last two commits can reach, so
 * what was read through the commit T is whole if the newest commit is T or T + 1 when the reading is done; otherwise
 * it is read again. Threads: a struct pages may be used by many at once, a struct pages_row by one. */
#ifndef RESILOG_LOG_PAGES_H
#define RESILOG_LOG_PAGES_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct buf;
struct pages;
struct pages_cache;

enum {
    PAGES_FROZEN = 1, /* nobody writes it any more: its commit is looked up once */
    PAGES_ROW_A_TXN =
        2, /* each commit adds exactly one row: a commit number that was damaged shows */
};

struct pages_tree {
    uint64_t root; /* UINT64_MAX: empty */
    uint64_t branches, leaves, overflows, entries;
    uint32_t depth;
};

/* One commit, as its meta page describes it. */
struct pages_commit {
    uint64_t number;
    uint64_t last_page;
    struct pages_tree rows, free;
    unsigned slot; /* the meta page that holds it */
    bool
        unfinished; /* its number was not written (failed or damaged), but all else shows it: pages_mend repairs that */
    struct pages_cache
        *cache; /* to be set by who reads in it; NULL: each page is read from the file */
};

/* A row that was found. Zero-initialize; pages_row_done frees it. */
struct pages_row {
    struct slice key;     /* in page */
    struct slice inlined; /* the value, in page, where it lies there; else p == NULL */
    uint64_t at;          /* else: its place in the file */
    size_t n;             /* the value's length */
    char *page;
    unsigned place; /* of its node in page */
};

enum pages_how { PAGES_AT_MOST, PAGES_AT_LEAST, PAGES_ABOVE };

/* Opens a file that LMDB has made (MDB_NOSUBDIR). Errors: NOTFOUND, DENIED, IO, LIMIT; CORRUPT; UNSUPPORTED (another
 * LMDB format or byte order). */
MUST_CHECK enum rc pages_open(const char *path, unsigned flags, struct pages **ret, struct err *e);
void pages_close(struct pages *f);
DEFINE_FREEP(struct pages, pages_close)
/* Its descriptor, for flock and fstat; ends with f. */
int pages_fd(const struct pages *f);

/* The newest commit. Errors: CORRUPT, IO. */
MUST_CHECK enum rc pages_newest(const struct pages *f, struct pages_commit *ret, struct err *e);
/* True while everything that c reaches is surely unchanged. */
bool pages_stands(const struct pages *f, const struct pages_commit *c);
/* True while nothing was committed after c. */
bool pages_is_newest(const struct pages *f, const struct pages_commit *c);

/* Tree pages that were read lately, for many look-ups in one commit. Serves one commit at a time: pages_cache_clear
 * before another one, and when the one that it was filled from does not stand. NULL when out of memory. */
struct pages_cache *pages_cache_new(void);
void pages_cache_free(struct pages_cache *cache);
void pages_cache_clear(struct pages_cache *cache);

/* The row with the greatest key <= key, the least >= key, or the least > key, of commit c; with value != NULL also
 * appends its value. RC_END if there is none. PAGES_AT_MOST is only for files in which no row was ever deleted.
 * Errors: CORRUPT (damage, or c does not stand any more), IO, NOMEM, LIMIT (value). */
MUST_CHECK enum rc pages_find_in(const struct pages *f, const struct pages_commit *c,
                                 enum pages_how how, struct slice key, struct pages_row *row,
                                 struct buf *value, struct err *e);
/* As pages_find_in, of the newest commit, read again until it stands. */
MUST_CHECK enum rc pages_find(const struct pages *f, enum pages_how how, struct slice key,
                              struct pages_row *row, struct buf *value, struct err *e);
/* Copies n bytes of the row's value from `from` on (both inside of it). For values that are never changed. Errors:
 * CORRUPT (short file), IO. */
MUST_CHECK enum rc pages_read(const struct pages *f, const struct pages_row *row, size_t from,
                              size_t n, void *out, struct err *e);
/* The row behind `row`, which was found in commit c; cheap. As pages_find_in with PAGES_ABOVE. */
MUST_CHECK enum rc pages_next_in(const struct pages *f, const struct pages_commit *c,
                                 struct pages_row *row, struct buf *value, struct err *e);
/* As pages_next_in, in a PAGES_FROZEN file. */
MUST_CHECK enum rc pages_next(const struct pages *f, struct pages_row *row, struct buf *value,
                              struct err *e);
void pages_row_done(struct pages_row *row);

/* Called for each row in key order; the row lives for the call. */
typedef enum rc pages_row_fn(void *arg, const struct pages_row *row, struct err *e);

struct pages_usage {
    uint64_t pages; /* of the newest commit */
    uint64_t free;  /* of them that hold no row */
};

/* Follows everything that the newest commit reaches: trees, orders, counts, overflow pages, and the free list, which
 * must name no page that is in use (LMDB would overwrite it). fn and ret may be NULL. Nobody may write meanwhile.
 * Errors: CORRUPT, IO, NOMEM, fn's. */
MUST_CHECK enum rc pages_verify(const struct pages *f, pages_row_fn *fn, void *arg,
                                struct pages_usage *ret, struct err *e);

/* Completes an unfinished newest commit, so that LMDB agrees that it is the newest; nothing if it is finished. Only
 * the writer may. Errors: CORRUPT, IO. */
MUST_CHECK enum rc pages_mend(const struct pages *f, const char *path, struct err *e);

#endif

/* The bytes of an LMDB 0.9 file (data version 1, 64 bit, little-endian), for pages*.c. */
#ifndef RESILOG_LOG_PAGES_PRIV_H
#define RESILOG_LOG_PAGES_PRIV_H

#include "core/le.h"
#include "log/pages.h"

#define PAGES_NONE       UINT64_MAX /* the root of an empty tree */
#define PAGES_HEAD       16u /* number 8, pad 2, flags 2, lower 2, upper 2; overflow: count 4 */
#define PAGES_BRANCH     0x01u
#define PAGES_LEAF       0x02u
#define PAGES_OVERFLOW   0x04u
#define PAGES_META       0x08u
#define PAGES_NODE_HEAD  8u    /* low 2, high 2, flags 2, key size 2 */
#define PAGES_NODE_BIG   0x01u /* the value lies on overflow pages */
#define PAGES_KEY_MAX    511u
#define PAGES_DEPTH_MAX  32u
#define PAGES_SIZE_MIN   512u
#define PAGES_SIZE_MAX   32768u
#define PAGES_META_MAGIC 0xBEEFC0DEu
#define PAGES_FREE_FLAGS 0x4008u /* one file without a folder, integer keys */

/* Where a meta page's fields are, from the start of the page. */
enum {
    META_MAGIC = 16,
    META_VERSION = 20,
    META_ADDRESS = 24,
    META_FREE = 40,
    META_ROWS = 88,
    META_LAST_PAGE = 136,
    META_NUMBER = 144,
    META_END = 152,
    TREE_PAD = 0,
    TREE_FLAGS = 4,
    TREE_DEPTH = 6,
    TREE_BRANCHES = 8,
    TREE_LEAVES = 16,
    TREE_OVERFLOWS = 24,
    TREE_ENTRIES = 32,
    TREE_ROOT = 40
};

struct pages {
    int fd;
    uint32_t size; /* of a page */
    unsigned flags;
    struct pages_commit frozen; /* with PAGES_FROZEN */
    char *path;                 /* for messages */
};

struct pages_node {
    struct slice key;
    uint64_t child;       /* of a branch */
    struct slice inlined; /* of a leaf: the value, or p == NULL */
    uint64_t page;        /* then its first overflow page */
    uint32_t n;           /* the value's length */
};

/* Reads one tree page and checks its own frame: number, kind, bounds of its node table. */
MUST_CHECK enum rc pages_load(const struct pages *f, uint64_t number, unsigned kind, char *page,
                              struct err *e);
/* As pages_load; cache may be NULL. */
MUST_CHECK enum rc pages_load_cached(const struct pages *f, struct pages_cache *cache,
                                     uint64_t number, unsigned kind, char *page, struct err *e);
/* Decodes node i of a loaded page; everything it names lies inside the page. */
MUST_CHECK enum rc pages_node(const struct pages *f, const char *page, unsigned i,
                              struct pages_node *ret, struct err *e);

/* Of a loaded page: its number, the flags that say its kind, how many nodes it has. */
static inline uint64_t pages_page_number(const char *page)
{
    return le_get_u64(page);
}

/* As LMDB's P_BRANCH, P_LEAF, P_OVERFLOW, P_META. */
static inline unsigned pages_page_kind(const char *page)
{
    return le_get_u16(page + 10);
}

/* From where the list of nodes ends. */
static inline unsigned pages_node_count(const char *page)
{
    return (le_get_u16(page + 12) - PAGES_HEAD) / 2;
}

/* How many overflow pages a value of n bytes takes. */
static inline uint64_t pages_overflow_count(const struct pages *f, uint64_t n)
{
    return (PAGES_HEAD - 1 + n) / f->size + 1;
}

#endif

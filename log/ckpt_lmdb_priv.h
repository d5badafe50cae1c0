/* One consumer's file, for ckpt_lmdb*.c. docs/FORMAT.md section 5. */
#ifndef RESILOG_LOG_CKPT_LMDB_PRIV_H
#define RESILOG_LOG_CKPT_LMDB_PRIV_H

#include "log/ckpt_ops.h"
#include "log/pages.h"

#include <pthread.h>

struct MDB_env;

/* A row's key: tag and key. A key from CKPT_KEY_LONG bytes on is cut: its first bytes and 16 of its SHA-256 make
 * CKPT_KEY_LONG bytes, which no shorter key has. */
#define CKPT_KEY_LONG    480u
#define CKPT_ROW_KEY_CUT 465u /* tag and first bytes of a cut one */
#define CKPT_ROW_MAX     (CKPT_VALUE_MAX + (64u << 10))

enum ckpt_tag {
    TAG_NAME = 'n',
    TAG_HEAD = 'd',
    TAG_POSITION = 'p',
    TAG_STATUS = 's',
    TAG_HOLD = 'h',
    TAG_APPLIED = 'a'
};

#define CKPT_READ_TRIES 1000 /* how often a writer may overtake a reader */

/* The tag of a table's rows. */
static inline enum ckpt_tag ckpt_tag_of(enum ckpt_table table)
{
    return table == CKPT_HOLDS ? TAG_HOLD : TAG_APPLIED;
}

struct consumer {
    struct consumer *next;
    char *name;
    size_t name_n;
    char *path;
    pthread_mutex_t lock; /* held by the one call that works on this consumer */
    struct pages *file;   /* for reading and for flock; NULL while there is no file */
    bool known;           /* `file` was seen to have our name and a head: it keeps both */
    bool writes;          /* it is this handle's to commit */
    struct pages_cache *cache;
    struct pages_commit
        newest;          /* as rows were looked up in last, through cache; without it: none */
    struct MDB_env *env; /* for writing, the same file; NULL until it is needed */
    struct err dead;     /* sticky: something failed on the device */
};

struct ckpt_lmdb {
    struct ckpt base;
    char *dir;
    enum ckpt_access access;
    pthread_mutex_t lock; /* of the list */
    struct consumer *consumers;
};

/* ---- ckpt_lmdb_row.c ---- */
struct ckpt_row_key {
    size_t n;
    char p[512];
};
struct slice ckpt_row_key(enum ckpt_tag tag, struct slice key, struct ckpt_row_key *out);
/* True if the row of this key holds the key beside its value. */
static inline bool ckpt_key_is_cut(struct slice key)
{
    return key.n >= CKPT_KEY_LONG;
}
/* A row's stored value. full is the key where the row's key was cut, else empty. */
MUST_CHECK enum rc ckpt_row_encode(struct slice row_key, struct slice full, struct slice value,
                                   struct buf *out, struct err *e);
/* Checks a stored value; views into it. *ret_key is the full key without its tag. Errors: CORRUPT, UNSUPPORTED. */
MUST_CHECK enum rc ckpt_row_decode(struct slice row_key, struct slice stored, struct slice *ret_key,
                                   struct slice *ret_value, struct err *e);
#define CKPT_HEAD_SIZE 16
void ckpt_head_encode(const struct ckpt_head *h, char out[CKPT_HEAD_SIZE]);
MUST_CHECK enum rc ckpt_head_decode(struct slice value, struct ckpt_head *ret, struct err *e);

/* ---- ckpt_lmdb_file.c ---- */
void ckpt_consumer_close(struct consumer *c); /* its files; it stays known */
/* Opens the file for reading, anew if another process replaced it; c->file is NULL when there is none. Errors:
 * CORRUPT, IO. */
MUST_CHECK enum rc ckpt_consumer_open(struct consumer *c, struct err *e);
/* The newest value of one row, appended to out. NOTFOUND without text. Errors: CORRUPT, IO, NOMEM. */
MUST_CHECK enum rc ckpt_consumer_get(const struct pages *f, const struct pages_commit *commit,
                                     enum ckpt_tag tag, struct slice key, struct buf *out,
                                     struct err *e);
/* Locks the file that has the name against all other handles, and opens it for LMDB: makes it, checks it before LMDB
 * touches it, compacts it when it is mostly free. Errors: LIMIT, CORRUPT, IO, UNAVAILABLE (RETRY). */
MUST_CHECK enum rc ckpt_consumer_lock(struct ckpt_lmdb *l, struct consumer *c, struct err *e);
void ckpt_consumer_unlock(struct consumer *c);
/* After something failed for `why` while it was locked: closes it, keeps a failure of the device, gives it to e. */
enum rc ckpt_consumer_failed(struct consumer *c, const struct err *why, struct err *e);
/* Removes the file, when no other handle is at work on it; RC_OK if there is none. Errors: IO. */
MUST_CHECK enum rc ckpt_consumer_remove(const struct ckpt_lmdb *l, struct consumer *c,
                                        struct err *e);

/* ---- ckpt_lmdb_commit.c, ckpt_lmdb_scan.c, ckpt_lmdb.c ---- */
enum rc ckpt_lmdb_commit(struct ckpt *ckpt, struct slice consumer, const struct ckpt_commit *what,
                         struct err *e);
enum rc ckpt_lmdb_scan(struct ckpt *ckpt, struct slice consumer, enum ckpt_table table,
                       struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e);
/* The consumer of a name with its lock taken; NULL when out of memory. */
struct consumer *ckpt_consumer_enter(struct ckpt_lmdb *l, struct slice name);
void ckpt_consumer_leave(struct consumer *c);

#endif

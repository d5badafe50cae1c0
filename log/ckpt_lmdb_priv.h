/* One consumer's file, for ckpt_lmdb*.c. docs/FORMAT.md section 5. */
#ifndef RESILOG_LOG_CKPT_LMDB_PRIV_H
#define RESILOG_LOG_CKPT_LMDB_PRIV_H

#include "log/ckpt_ops.h"
#include "log/pages.h"

#include <pthread.h>

struct MDB_env;

#define CKPT_ROW_KEY_MAX                                                                           \
    481u /* tag and 480 bytes; a longer key: tag, its first 464 bytes, 16 of its SHA-256 */
#define CKPT_ROW_KEY_CUT 465u
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
    struct pages *file;   /* for reading; NULL while there is no file */
    bool known;           /* `file` was seen to have our name and a head: it keeps both */
    struct MDB_env *env;  /* for writing; NULL until it is needed */
    int lock_fd;          /* the file again, for flock; -1 */
    struct err dead;      /* sticky: a commit failed on the device */
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
/* Also for writing: makes the file, checks it before LMDB touches it, compacts it when it is mostly free. Errors:
 * LIMIT, CORRUPT, IO. */
MUST_CHECK enum rc ckpt_consumer_open_write(struct ckpt_lmdb *l, struct consumer *c, struct err *e);
/* The newest value of one row, appended to out. NOTFOUND without text. Errors: CORRUPT, IO, NOMEM. */
MUST_CHECK enum rc ckpt_consumer_get(const struct pages *f, const struct pages_commit *commit,
                                     struct slice row_key, struct buf *out, struct err *e);
enum rc ckpt_lmdb_commit(struct ckpt *ckpt, struct slice consumer, const struct ckpt_commit *what,
                         struct err *e);
enum rc ckpt_lmdb_scan(struct ckpt *ckpt, struct slice consumer, enum ckpt_table table,
                       struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e);
/* The consumer of a name with its lock taken; NULL when out of memory. */
struct consumer *ckpt_consumer_enter(struct ckpt_lmdb *l, struct slice name);
void ckpt_consumer_leave(struct consumer *c);

#endif

/* Checkpoints: the durable state of consumers of a log. A consumer's state is a head (generation, offset,
 * status) and two tables of rows: holds (keys it could not apply) and applied (what it knows of each key at
 * its destination). One commit changes all of it at once (I3).
 *
 * Threads: one thread per consumer; different consumers never wait for each other. Consumers are named by
 * "namespace/name". */
#ifndef RESILOG_LOG_CKPT_H
#define RESILOG_LOG_CKPT_H

#include "core/event.h"
#include "core/scope.h"

struct buf;
struct env;
struct ckpt;

enum ckpt_access { CKPT_READ, CKPT_WRITE };
enum ckpt_table { CKPT_HOLDS, CKPT_APPLIED };

#define CKPT_NAME_MAX  512
#define CKPT_VALUE_MAX (8u << 20)

struct ckpt_head {
    uint64_t generation; /* of the synchronization; a lower one is fenced */
    rlog_off offset;     /* the next offset to read: all below is done, held or filtered */
};

struct ckpt_row {
    enum ckpt_table table;
    struct slice key;
    struct slice value; /* p == NULL: delete the row */
};

struct ckpt_commit {
    struct ckpt_head head;
    bool anew; /* all of before is forgotten in the same step: texts, rows, and the fences */
    struct slice
        position; /* the back end's own place for the offset, opaque; kept as it is when p == NULL */
    struct slice status; /* JSON for `resilog status`; kept as it is when p == NULL */
    const struct ckpt_row *rows;
    size_t n_rows;
};

/* Called for each row or consumer; anything but RC_OK ends the walk and is returned. Must not call the
 * checkpoint store. */
typedef enum rc ckpt_row_fn(void *arg, struct slice key, struct slice value, struct err *e);
typedef enum rc ckpt_name_fn(void *arg, struct slice consumer, struct err *e);

void ckpt_close(struct ckpt *c);
DEFINE_FREEP(struct ckpt, ckpt_close)

/* Each call: a consumer's name has 1..CKPT_NAME_MAX bytes, a row's key 1..EVENT_TEXT_MAX; else INVALID or
 * LIMIT (FINAL). */

/* The head, and where the pointers are not NULL position and status (appended). Errors: NOTFOUND for a
 * consumer that never committed; LIMIT (a buffer is too small), NOMEM, IO, CORRUPT. */
MUST_CHECK enum rc ckpt_load(struct ckpt *c, struct slice consumer, struct ckpt_head *ret,
                             struct buf *position, struct buf *status, struct err *e);
/* Appends the row's value to out. Errors: NOTFOUND, IO, CORRUPT. */
MUST_CHECK enum rc ckpt_get(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                            struct slice key, struct buf *out, struct err *e);
/* Walks the rows whose key begins with prefix, in byte order, as they were at one moment. A consumer that
 * never committed has none. */
MUST_CHECK enum rc ckpt_scan(struct ckpt *c, struct slice consumer, enum ckpt_table table,
                             struct slice prefix, ckpt_row_fn *fn, void *arg, struct err *e);
/* Writes everything in one durable step, or nothing. Of two rows with the same table and key the later one
 * counts. Errors: CONFLICT (FATAL) when the stored generation is higher or, at the same generation, the
 * stored offset is higher; LIMIT (RETRY: no room; FINAL: value, position or status above CKPT_VALUE_MAX),
 * DENIED (opened for reading), IO (FATAL), INVALID. */
MUST_CHECK enum rc ckpt_commit(struct ckpt *c, struct slice consumer,
                               const struct ckpt_commit *what, struct err *e);
/* Walks the names of all consumers in byte order. Those whose state cannot be read are passed over; the error of the
 * first is returned after all others were given. */
MUST_CHECK enum rc ckpt_list(struct ckpt *c, ckpt_name_fn *fn, void *arg, struct err *e);
/* Forgets a consumer; RC_OK if there was none. Errors: DENIED, IO. */
MUST_CHECK enum rc ckpt_remove(struct ckpt *c, struct slice consumer, struct err *e);

/* Closes what is kept open of a consumer since a call about it; the next one opens it again. For a look at somebody
 * else's. */
void ckpt_let_go(struct ckpt *c, struct slice consumer);

/* ---- Back ends ---- */
/* In memory, the reference model: a store outlives the handles on it, as a disk does. */
struct ckpt_mem_store;
struct ckpt_mem_store *ckpt_mem_store_new(void);    /* NULL when out of memory */
void ckpt_mem_store_free(struct ckpt_mem_store *s); /* after all its handles were closed */
MUST_CHECK enum rc ckpt_mem_open(struct ckpt_mem_store *s, struct ckpt **ret, struct err *e);

/* One LMDB file a consumer under dir ("consumers" of the data folder; made 0700 for CKPT_WRITE). Errors:
 * UNSUPPORTED, DENIED, IO, NOTFOUND. */
MUST_CHECK enum rc ckpt_lmdb_open(const char *dir, enum ckpt_access access, const struct env *env,
                                  struct ckpt **ret, struct err *e);

/* Takes `inner`; says one debug line for each call with its result. Errors: NOMEM. */
MUST_CHECK enum rc ckpt_trace_open(struct ckpt *inner, const struct env *env, struct ckpt **ret,
                                   struct err *e);

#endif

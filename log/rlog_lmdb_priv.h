/* The LMDB log's own state, for rlog_lmdb*.c.
 *
 * One mutex guards what readers and the appender share: the list of segments, their open files and indexes, the tail.
 * Files are read outside of it: a segment in use is counted, and committed frames never change. The other part
 * belongs to the appending thread alone. */
#ifndef RESILOG_LOG_RLOG_LMDB_PRIV_H
#define RESILOG_LOG_RLOG_LMDB_PRIV_H

#include "log/offset_list.h"
#include "log/rlog_clock.h"
#include "log/rlog_ops.h"
#include "log/segment_index.h"

#include <pthread.h>

struct folder_lock;

#define LMDB_OPEN_SEGMENTS 16  /* older segments that have their file open, or an index in memory */
#define LMDB_OPEN_INDEXES  128 /* older segments that have their index file open */

struct lmdb_segment {
    rlog_off first;
    struct segment_tail tail; /* as its seal says; not sealed: not read yet */
    struct pages *file;       /* NULL while closed */
    struct segment_index *
        index; /* of the last segment it grows, under the lock; of the others it is whole and never changes */
    struct segment_index *spoiled; /* a damaged index file, until nobody can be using it */
    bool has_index_file;           /* writer: x- is there */
    bool skip_upkeep;              /* writer: upkeep found it damaged */
    unsigned users;
    bool gone; /* trimmed: the last user frees it */
    uint64_t used_at;
};

struct rlog_lmdb {
    struct rlog base;
    const struct env *env;
    char *dir;
    char *checker;
    uint64_t segment_bytes;
    uint32_t segment_events;
    int64_t segment_age_ns;
    size_t name_n;
    char name[SEGMENT_NAME_MAX];

    pthread_mutex_t lock;
    struct lmdb_segment **segments; /* by first offset */
    size_t n, cap;
    uint64_t clock;                /* of used_at */
    struct segment_tail tail;      /* readers see offsets below tail.next */
    uint64_t epoch;                /* writer: its own */
    struct err damage;             /* reader: why nothing can be read from tail.next on */
    struct segment_reader *reader; /* of the last look-up, while nobody uses it */
    rlog_off seen_first;           /* reader: the segment and commit that tail was read from */
    uint64_t seen_commit;

    /* The appending thread's own. */
    struct folder_lock *folder;
    struct segment_writer *writer; /* NULL: the active segment must be looked at or made first */
    bool recheck;                  /* a commit failed: look what the file holds */
    struct frame_writer *frames;
    struct buf *frame;
    uint8_t log_id[SEGMENT_ID_SIZE];
    int64_t active_since_ns;    /* creation of the active segment */
    struct rlog_clock believed; /* of the clocks */
    struct err dead;            /* sticky: the log must be closed and opened again */
};

/* The back end behind the interface, its first member. */
static inline struct rlog_lmdb *lmdb_of(struct rlog *l)
{
    return (struct rlog_lmdb *)l;
}

/* ---- rlog_lmdb_segments.c: the list of segments ---- */
struct lmdb_use {
    struct lmdb_segment *segment;
    rlog_off at;  /* what it is used for */
    rlog_off end; /* behind the segment's last readable offset */
};

/* Adds a segment behind the others; the lock is held, or nobody else knows the log yet. `end` is how the last one so
 * far ends, NULL where that is not known. Errors: NOMEM. */
MUST_CHECK enum rc lmdb_add_segment(struct rlog_lmdb *l, rlog_off first,
                                    const struct segment_tail *end, struct err *e);
/* Takes the first segment out of the list. */
void lmdb_drop_first(struct rlog_lmdb *l);
void lmdb_free_segments(struct rlog_lmdb *l);
/* True of the segment that is appended to, or was last. The lock is held. */
bool lmdb_is_last(const struct rlog_lmdb *l, const struct lmdb_segment *s);
/* Closes the index of a segment that nobody uses. The lock is held. */
void lmdb_close_index(struct lmdb_segment *s);
/* Puts an index in its place, and closes others where there are too many. The lock is held. */
void lmdb_set_index(struct rlog_lmdb *l, struct lmdb_segment *s, struct segment_index *x);
/* Counts a use of the segment that holds `at` (first <= at < tail.next). Errors: EXPIRED (trimmed). */
MUST_CHECK enum rc lmdb_use_segment(struct rlog_lmdb *l, rlog_off at, struct lmdb_use *ret,
                                    struct err *e);
/* The file of a segment in use, opened where it is not; as long as the use. Errors: EXPIRED (trimmed), CORRUPT, IO. */
MUST_CHECK enum rc lmdb_use_file(struct rlog_lmdb *l, const struct lmdb_use *use,
                                 struct pages **ret, struct err *e);
/* The same where the lock is held. */
MUST_CHECK enum rc lmdb_use_file_locked(struct rlog_lmdb *l, const struct lmdb_use *use,
                                        struct pages **ret, struct err *e);
void lmdb_release_segment(struct rlog_lmdb *l, struct lmdb_use *use);
/* For a log opened for reading: looks what other processes did. Nothing for a writer. The lock is held. Errors: IO,
 * NOMEM. */
MUST_CHECK enum rc lmdb_refresh(struct rlog_lmdb *l, struct err *e);

/* ---- rlog_lmdb_index.c: where the events of a key are ---- */
/* Adds the offsets of a key in one segment, in [from, until). Errors: as segment_index.h, of the segment itself. */
MUST_CHECK enum rc lmdb_find_key(struct rlog_lmdb *l, const struct lmdb_use *use, struct slice key,
                                 rlog_off from, rlog_off until, struct offset_list *out,
                                 struct err *e);
/* As segment_index_each, of one segment. */
MUST_CHECK enum rc lmdb_each_key(struct rlog_lmdb *l, const struct lmdb_use *use,
                                 const struct rlog_range *range, segment_index_fn *fn, void *arg,
                                 struct err *e);

/* ---- rlog_lmdb_open.c ---- */
MUST_CHECK enum rc lmdb_open_log(struct rlog_lmdb *l, const struct rlog_lmdb_opts *opts,
                                 struct err *e);
/* Looks at the last segment as if the log were just opened: checks it, builds its index, sets the tail. Errors:
 * CORRUPT (FATAL), IO, NOMEM. */
MUST_CHECK enum rc lmdb_check_last(struct rlog_lmdb *l, struct err *e);

/* ---- rlog_lmdb_write.c ---- */
/* Sees to it that l->writer can append: opens the active segment, or makes one. Errors: LIMIT (RETRY), IO. */
MUST_CHECK enum rc lmdb_ready(struct rlog_lmdb *l, struct err *e);
enum rc lmdb_append(struct rlog *l, const struct event *batch, size_t n, rlog_off expect_next,
                    rlog_off *ret_first, struct err *e);
enum rc lmdb_trim(struct rlog *l, rlog_off below, struct err *e);
enum rc lmdb_maintain(struct rlog *l, struct err *e);

/* ---- rlog_lmdb_read.c ---- */
enum rc lmdb_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e);
enum rc lmdb_cursor(struct rlog *l, const struct rlog_range *range, struct event_iter **ret,
                    struct err *e);
enum rc lmdb_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                  struct err *e);
enum rc lmdb_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                     struct event_iter **ret, struct err *e);
enum rc lmdb_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e);

#endif

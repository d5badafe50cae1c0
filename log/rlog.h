/* The replication log: one totally ordered, append-only sequence of events per source asset.
 *
 * Callers use these dispatchers; back ends implement log/rlog_ops.h. Threads: one thread appends (and calls
 * rlog_maintain, rlog_trim); any thread may call rlog_bounds, rlog_cursor, rlog_last, rlog_history and
 * rlog_seek; a cursor belongs to one thread. Offsets are dense from 1. "until" is always exclusive. */
#ifndef RESILOG_LOG_RLOG_H
#define RESILOG_LOG_RLOG_H

#include "core/event.h"
#include "core/scope.h"

struct buf;
struct env;
struct event_iter;
struct rlog;

/* For append: do not check what comes next. Only tools use it; a producer always says what it expects. */
#define RLOG_ANY 0

/* A handle for reading in another process may show an event a moment before it is durable, so it is for people; what
 * acts on events reads through the writer's own (docs/adr/0002-readers-without-lmdb.md). */
enum rlog_access { RLOG_READ, RLOG_WRITE };

#define RLOG_ID_SIZE 16
struct rlog_bounds {
    uint8_t id[RLOG_ID_SIZE]; /* of the log, random; zeros: empty and opened for reading */
    rlog_off first;           /* the oldest offset still there; next if the log is empty */
    rlog_off next;            /* the offset that the next event will get */
    uint64_t epoch;           /* of the last writer; 0 before the first */
    int64_t last_time_ns;     /* time of the last event, 0 if there is none */
    uint8_t chain[32]; /* SHA-256(chain before, canonical bytes) after each event; at first zeros */
};

/* What last and history find: a copy that the caller owns. */
struct rlog_found {
    struct event event; /* slices into memory */
    void *memory;
};
void rlog_found_done(struct rlog_found *f);

enum rlog_mode {
    RLOG_EVERY,        /* each event once, in offset order */
    RLOG_LAST_PER_KEY, /* only events that are the last of their key in [from, until), in offset order */
    RLOG_LIVE /* as LAST_PER_KEY, without deletes: the state of the prefix [1, until) when from is 1 */
};

struct rlog_range {
    rlog_off
        from; /* first offset wanted; 0 means 1. Below bounds.first: EXPIRED; above bounds.next: INVALID */
    rlog_off
        until; /* 0: RLOG_EVERY follows the tail (RC_AGAIN there); the other modes take bounds.next at opening. Above bounds.next:
                     * RLOG_EVERY waits for it (RC_AGAIN), the other modes take bounds.next; below from: INVALID */
    struct slice
        prefix; /* only keys that begin with it; the log's own keys only if the prefix begins with '@' or all_keys */
    bool all_keys; /* give the log's own events too */
    enum rlog_mode mode;
    uint32_t shard, shards; /* keys with rlog_key_hash % shards == shard; shards 0: all */
};

/* Called after each durable append, on the appending thread; must not call the log. */
typedef void rlog_notify_fn(void *arg);

/* Releases everything; cursors must be freed before. NULL is allowed. */
void rlog_close(struct rlog *l);
DEFINE_FREEP(struct rlog, rlog_close)

/* Several listeners may be added; they live until the log is closed. Errors: NOMEM. */
MUST_CHECK enum rc rlog_on_append(struct rlog *l, rlog_notify_fn *fn, void *arg, struct err *e);

/* Appends n events (1..EVENT_BATCH_MAX, EVENT_BATCH_BYTES_MAX of event_encoded_size in all): all or nothing,
 * and durable when it returns RC_OK (I2). The log gives offset, epoch and time. expect_next is bounds.next as
 * the caller knows it, or RLOG_ANY. *ret_first is the offset of batch[0], and bounds.next is then that + n: a clock
 * event of the log's own may come before it (log/rlog_clock.h). ret_first may be NULL. Errors: CONFLICT (FATAL; another
 * writer took the log, or expect_next is not what comes next: nothing was changed, I9); LIMIT (RETRY: no room on disk;
 * FINAL: batch too large); INVALID; DENIED (opened for reading); IO (FATAL: close, reopen, read the tail). */
MUST_CHECK enum rc rlog_append(struct rlog *l, const struct event *batch, size_t n,
                               rlog_off expect_next, rlog_off *ret_first, struct err *e);

/* What there is now; another process's appends are seen too. Errors: IO, CORRUPT. */
MUST_CHECK enum rc rlog_bounds(struct rlog *l, struct rlog_bounds *ret, struct err *e);

/* Opens an iterator over a range. It gives views with their offsets; reads short, holds no lock between
 * calls. Errors: EXPIRED (RESYNC) when from is below bounds.first, INVALID, NOMEM, IO; CORRUPT names the
 * first bad offset. The iterator itself gives EXPIRED when trim overtook it. */
MUST_CHECK enum rc rlog_cursor(struct rlog *l, const struct rlog_range *range,
                               struct event_iter **ret, struct err *e);

/* The last event of a key with offset < at (0: of all), deletes included. RC_NOTFOUND fills e, too. Errors:
 * NOTFOUND, EXPIRED (RESYNC; all events below `at` were trimmed), INVALID, IO, CORRUPT. */
MUST_CHECK enum rc rlog_last(struct rlog *l, struct slice key, rlog_off at, struct rlog_found *ret,
                             struct err *e);

/* All events of one key in [from, until), in order; until 0: to the end now. Errors: as rlog_cursor. */
MUST_CHECK enum rc rlog_history(struct rlog *l, struct slice key, rlog_off from, rlog_off until,
                                struct event_iter **ret, struct err *e);

/* The smallest offset whose time >= time_ns; bounds.next if there is none. Errors: IO, CORRUPT. */
MUST_CHECK enum rc rlog_seek(struct rlog *l, int64_t time_ns, rlog_off *ret, struct err *e);

/* Forgets events below `below`, as far as whole units allow (never more). Errors: DENIED, CONFLICT (FATAL;
 * another writer took the log), IO. */
MUST_CHECK enum rc rlog_trim(struct rlog *l, rlog_off below, struct err *e);

/* One bounded piece of upkeep: seal, index, scrub. RC_OK: did something, call again; RC_AGAIN: nothing to do.
 * Errors: DENIED, CONFLICT (FATAL), LIMIT (RETRY), IO. */
MUST_CHECK enum rc rlog_maintain(struct rlog *l, struct err *e);

/* ---- Back ends ---- */
/* In memory, the reference model. The store is the durable part, as a disk is; the handles on it are the
 * volatile one. */
struct rlog_mem_store;
struct rlog_mem_store *rlog_mem_store_new(void); /* NULL when out of memory */
/* As if the process died: an append that was not acknowledged is not there, and each handle and cursor open
 * now gives IO (FATAL) from now on (their owners still free them). A new writer may be opened on the same
 * store. */
void rlog_mem_crash(struct rlog_mem_store *s);
void rlog_mem_store_free(struct rlog_mem_store *s); /* after all its logs were closed */
/* Opens the store; for writing it takes the log over: the epoch rises and an older writer gets CONFLICT.
 * Borrows env and s. Errors: NOMEM. */
MUST_CHECK enum rc rlog_mem_open(struct rlog_mem_store *s, enum rlog_access access,
                                 const struct env *env, struct rlog **ret, struct err *e);

struct rlog_lmdb_opts {
    const char *dir; /* the log's own folder; made (0700) when opened for writing */
    struct slice
        name; /* full name of the source asset, "namespace/name"; written into each segment, checked at open */
    enum rlog_access access;
    uint64_t segment_bytes;  /* roll at; 0: 256 MiB */
    uint32_t segment_events; /* roll at; 0: 131072 */
    int64_t segment_age_ns;  /* roll at; 0: 24 h */
    const char *
        checker; /* program that is run as `checker __check-segment FILE` before LMDB touches a segment; NULL: fork only */
};
/* Opens or makes the log under opts->dir. For writing it takes dir/LOCK (flock) and raises the epoch; where there is
 * no room for the segment that comes next it opens all the same, as rlog_trim may make room. Errors:
 * CONFLICT (FATAL: another process writes), CORRUPT (FATAL, with the first bad offset; reading is still
 * possible up to there), UNSUPPORTED (newer format, network file system), INVALID (another asset's log),
 * LIMIT, DENIED, IO. */
MUST_CHECK enum rc rlog_lmdb_open(const struct rlog_lmdb_opts *opts, const struct env *env,
                                  struct rlog **ret, struct err *e);

/* Appends the full name of the source asset whose log lies in dir, without opening the log. Errors: NOTFOUND
 * (no segment there), CORRUPT, IO, LIMIT. */
MUST_CHECK enum rc rlog_lmdb_name(const char *dir, struct buf *out, struct err *e);

/* Takes `inner`; says one debug line for each call with its result. */
MUST_CHECK enum rc rlog_trace_open(struct rlog *inner, const struct env *env, struct rlog **ret,
                                   struct err *e);

#endif

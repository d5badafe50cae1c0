/* The pump's rows in the checkpoint: what is known of each key at the destination (applied) and
 * which keys are held. Rows change in memory and reach the disk with the next commit, all at once;
 * reads see the changes that wait. */
#ifndef RESILOG_FLOW_PUMP_ROWS_H
#define RESILOG_FLOW_PUMP_ROWS_H

#include "core/event.h"
#include "core/scope.h"
#include "flow/replication.h"
#include "log/ckpt.h"
#include "log/rlog.h"

#include <string.h>

struct buf;
struct rows;

enum applied_state {
    APPLIED_SYNCED = 1,
    APPLIED_DESELECTED = 2 /* frozen: it left the selection */
};

/* What precedes the sink's own record in an applied row. */
struct applied {
    enum applied_state state;
    rlog_off offset;     /* of the event that was applied last */
    struct slice record; /* the sink's; lives until the next call on rows */
};

#define HOLD_TEXT_MAX 448

/* A key that could not be applied. */
struct hold {
    rlog_off offset; /* of the event that failed */
    bool waiting;    /* for a dependency, in contrast to being refused */
    bool skipped;    /* a person gave the event up: it is not tried again (flow/hold_order.h) */
    bool flying;     /* being tried again now; not stored */
    bool released;   /* what it waited for is there; not stored */
    bool adopt;      /* the next try makes the destination's object ours; not stored */
    bool ordered;    /* a person had it tried while it was flying: once more; not stored */
    bool earlier; /* of an earlier life, which may have written it after its commit; not stored */
    uint32_t attempts;
    uint32_t awaited; /* as HOLD_OPPOSITE; not stored: after a restart it may wait as long again */
    int64_t since_ns; /* wall clock */
    int64_t
        next_ns; /* wall clock: when it is tried next, for people; 0: not known, INT64_MAX: not by itself */
    int64_t due_ns; /* boot clock; not stored: after a restart all are due at once */
    char cls[32];   /* HOLD_PRUNE, "invalid", "namespace-missing", ... */
    char reason[HOLD_TEXT_MAX];
    char dependency[HOLD_TEXT_MAX]; /* a key; empty if none is known */
};
#define HOLD_PRUNE    "prune"
#define HOLD_NOT_OURS "not-ours" /* the sink's: the destination's object is nobody's copy */
#define HOLD_OPPOSITE                                                                              \
    "opposite" /* the answer to a write of the opposite synchronization is awaited */
static inline bool hold_is_prune(const struct hold *h)
{
    return strcmp(h->cls, HOLD_PRUNE) == 0;
}

/* Held because an object is in the way that somebody else made. */
static inline bool hold_is_not_ours(const struct hold *h)
{
    return strcmp(h->cls, HOLD_NOT_OURS) == 0;
}

/* Borrows ckpt and consumer. Loads the holds. Errors: those of ckpt_scan and ckpt_get, CORRUPT, UNSUPPORTED, NOMEM. */
MUST_CHECK enum rc rows_open(struct ckpt *ckpt, struct slice consumer, struct rows **ret,
                             struct err *e);
void rows_free(struct rows *r);
DEFINE_FREEP(struct rows, rows_free)

/* Errors: NOTFOUND (perhaps without a text), CORRUPT, those of ckpt_get. */
MUST_CHECK enum rc rows_applied(struct rows *r, struct slice key, struct applied *ret,
                                struct err *e);
/* With a->state SYNCED. Not from within a walk. */
MUST_CHECK enum rc rows_set_applied(struct rows *r, struct slice key, const struct applied *a,
                                    struct err *e);
/* The row of a key that leaves the selection: as in a, but DESELECTED. There was none, or it was SYNCED. */
MUST_CHECK enum rc rows_deselect(struct rows *r, struct slice key, const struct applied *a,
                                 struct err *e);
MUST_CHECK enum rc rows_drop_applied(struct rows *r, struct slice key, struct err *e);

/* The digest of the replication that the rows go by; zeros if none was set. Errors: CORRUPT, UNSUPPORTED (a
 * newer version), those of ckpt_get. */
MUST_CHECK enum rc rows_digest(struct rows *r, uint8_t ret[REPLICATION_DIGEST], struct err *e);
MUST_CHECK enum rc rows_set_digest(struct rows *r, const uint8_t digest[REPLICATION_DIGEST],
                                   struct err *e);

/* What the checkpoint belongs to. */
struct binding {
    uint8_t log[RLOG_ID_SIZE];        /* zeros: not noted yet */
    struct slice source, destination; /* identities; empty: not noted yet */
};
/* Of any consumer, as committed; all empty if none was set. The slices live in memory, which the caller gives. Errors:
 * CORRUPT, UNSUPPORTED, those of ckpt_get. */
MUST_CHECK enum rc binding_load(struct ckpt *ckpt, struct slice consumer, struct buf *memory,
                                struct binding *ret, struct err *e);
/* The sink's record in the applied row of any consumer, as committed. Appends to out. Errors: as rows_applied. */
MUST_CHECK enum rc record_load(struct ckpt *ckpt, struct slice consumer, struct slice key,
                               struct buf *out, struct err *e);
MUST_CHECK enum rc rows_set_binding(struct rows *r, const struct binding *b, struct err *e);

/* A row of the pump's own: key begins with '@'. Takes what row holds. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc rows_set_own(struct rows *r, struct slice key, struct buf *row, struct err *e);

/* The hold of a key, or NULL; what is not stored may be changed in place. */
struct hold *rows_hold(struct rows *r, struct slice key);
/* Copies h. Errors: NOMEM. */
MUST_CHECK enum rc rows_set_hold(struct rows *r, struct slice key, const struct hold *h,
                                 struct err *e);
MUST_CHECK enum rc rows_drop_hold(struct rows *r, struct slice key, struct err *e);
/* The first hold with key > after (SLICE_NULL: the first); false at the end. */
bool rows_next_hold(struct rows *r, struct slice after, struct slice *ret_key, struct hold **ret);
/* When a key asked last about a dependency that holds wait for (boot clock, to be set by the caller; at first 0);
 * NULL if none waits for it. */
int64_t *rows_asked(struct rows *r, struct slice dependency);
struct rows_counts {
    size_t held, waiting, prune, skipped; /* skipped: none of the others; prune: held, too */
    uint64_t deselected;                  /* rows */
};
void rows_count(struct rows *r, struct rows_counts *ret);

/* Rows that wait for the next commit. */
size_t rows_pending(const struct rows *r);
/* Commits head, status (p == NULL: unchanged) and all waiting rows. After a failure they still
 * wait. */
MUST_CHECK enum rc rows_commit(struct rows *r, const struct ckpt_head *head, struct slice status,
                               struct err *e);
/* Of rows to which nothing was done yet: forgets in one step all that the checkpoint says, the holds and the head
 * included, but with `keep` that keys are deselected. Generation 0, offset 1. Errors: those of ckpt_scan and ckpt_commit;
 * then nothing was forgotten, and r is to be freed. */
MUST_CHECK enum rc rows_begin_anew(struct rows *r, bool keep, struct err *e);
/* Walks the committed applied rows of a prefix; commit first to see all. */
typedef enum rc rows_applied_fn(void *arg, struct slice key, const struct applied *a,
                                struct err *e);
MUST_CHECK enum rc rows_scan_applied(struct rows *r, struct slice prefix, rows_applied_fn *fn,
                                     void *arg, struct err *e);

/* The codecs, for `resilog status` and the tests: little-endian, as docs/FORMAT.md section 5 says.
 */
void applied_encode(const struct applied *a, struct buf *out);
/* Errors: CORRUPT, UNSUPPORTED (a newer version). */
MUST_CHECK enum rc applied_decode(struct slice in, struct applied *ret, struct err *e);
void hold_encode(const struct hold *h, struct buf *out);
MUST_CHECK enum rc hold_decode(struct slice in, struct hold *ret, struct err *e);

#endif

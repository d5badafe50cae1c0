/* A sink applies events to one destination. It knows items and its own records, never offsets.
 *
 * Life: open, then submit / step / take in any order, close. At most one item per key is in flight (the pump
 * sees to that). What the destination does not answer (down, throttled, 5xx) stays in flight and is tried
 * again with back-off inside the sink; but an item that it fails again and again while it answers others is
 * held, so that it blocks nobody. Step, not loop: nothing blocks but sink_wait. One thread. */
#ifndef RESILOG_SINKS_SINK_H
#define RESILOG_SINKS_SINK_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct env;
struct event;
struct event_iter;
struct http;
struct sink;

enum sink_op { SINK_PUT, SINK_DELETE };
/* What was submitted before an item of the children that its event counts: unknown; those told before it; all. */
enum sink_settled { SETTLED_NOT, SETTLED_BEFORE, SETTLED_ALL };
enum sink_adopt { ADOPT_EQUAL, ADOPT_NEVER, ADOPT_ALWAYS };
/* Whether a copy is deleted and made anew when its source was replaced and the destination refuses the change. */
enum sink_recreate { RECREATE_BY_KIND, RECREATE_ASK, RECREATE_ALWAYS, RECREATE_NEVER };

/* What a synchronization's entry says about how to write; fields beyond the reference (DESIGN section 9). */
struct sink_policy {
    enum sink_adopt adopt;
    enum sink_recreate recreate;
    bool effects_allow;   /* Jobs and CronJobs arrive as they are, not suspended */
    bool force_namespace; /* make a missing namespace */
    bool by_name;         /* the entry names this resource itself, not by '*' */
    bool apply;           /* updates go by server-side apply, not as a merged PUT */
};

/* All of it is borrowed until its result was taken or the sink is closed; not where submit says RC_AGAIN. */
struct sink_item {
    uint64_t ticket; /* the pump's number for it, given back with the result */
    enum sink_op op;
    bool observed;             /* a delete that was seen, not inferred from a listing */
    const struct event *event; /* key, source, version, uid, api_version, kind */
    /* Of a put: the source's object after the transformation. Of a delete: its last state, empty if unknown. */
    struct slice body;
    struct slice record;   /* the sink's own record of the key; empty: none */
    bool unsure;           /* the record may not tell of the last write: look at the destination */
    struct slice opposite; /* the opposite sink's record of the key; empty: none (docs/adr/0008) */
    unsigned tries;        /* how often this very event waited for the opposite's answer before */
    bool decided_anew;     /* an event of before, by a changed synchronization */
    enum sink_settled settled;
    struct slice ns_labels; /* JSON object: labels of the source's namespace, empty if unknown */
    const struct sink_policy *policy;
    struct slice preimage; /* of an earlier result, if that is durable by now; empty: none */
    /* Optional, for diagnostics: gives a copy (for free()) of the object's event before `event`; NULL: not known. */
    struct event *(*before)(void *before_arg, const struct event *event);
    void *before_arg;
};

enum sink_outcome {
    SINK_DONE,    /* the destination has it (or no longer has it) */
    SINK_SKIPPED, /* by rule never copied; reason says which */
    SINK_HELD,    /* the destination refuses it, or a guard does */
    SINK_WAITING  /* a dependency is missing; try again when it is there */
};

struct sink_result {
    uint64_t ticket;
    enum sink_outcome outcome;
    const char *cls;         /* a stable word: "invalid", "conflict", "namespace-missing", ... */
    char reason[400];        /* for a person */
    struct slice dependency; /* of WAITING: the key that would help, "/namespaces//ns", or empty */
    bool record_changed;     /* then record is the new one, empty: forget it */
    struct slice record;
    bool wrote; /* a write was sent, and may have changed something */
    /* Of WAITING: what an item would write over. Once it is durable the item is to be submitted again with it. */
    struct slice preimage;
    int64_t retry_after_ns; /* -1, or the destination's wish */
};

#define SINK_IDENTITY_MAX 328

struct sink_status {
    bool connected;
    /* Which destination this is, as long as it lives: known before the first item is taken; empty: it cannot tell. */
    char identity[SINK_IDENTITY_MAX];
    char error[320]; /* why not, or what goes wrong although it is; empty otherwise */
    bool fatal;      /* it will not go on by itself: one cluster at both ends, a wrong one */
};

struct sink_ops {
    const char *name;
    enum rc (*submit)(struct sink *s, const struct sink_item *item, struct err *e);
    enum rc (*step)(struct sink *s, int64_t *ret_wake_ns, struct err *e);
    enum rc (*take)(struct sink *s, struct sink_result *ret, struct err *e);
    /* Optional: flush (absent: results are durable when given), scan, recognises. */
    enum rc (*flush)(struct sink *s, struct err *e);
    enum rc (*scan)(struct sink *s, struct slice scope, struct slice api_version,
                    struct event_iter **ret, struct err *e);
    bool (*recognises)(struct sink *s, struct slice record, const struct event *found);
    void (*status)(struct sink *s, struct sink_status *ret);
    enum rc (*wait)(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e);
    void (*close)(struct sink *s);
};
struct sink {
    const struct sink_ops *ops;
};

/* RC_OK: in flight; RC_AGAIN: the window is full or the destination is not ready, submit it again later.
 * Errors: NOMEM. */
MUST_CHECK enum rc sink_submit(struct sink *s, const struct sink_item *item, struct err *e);
/* One bounded unit of work: RC_OK, or RC_AGAIN with when to come back (boot clock, INT64_MAX: on activity). */
MUST_CHECK enum rc sink_step(struct sink *s, int64_t *ret_wake_ns, struct err *e);
/* The next result: RC_OK (slices live until the next call on the sink), RC_AGAIN. */
MUST_CHECK enum rc sink_take(struct sink *s, struct sink_result *ret, struct err *e);
/* After RC_OK all results given so far survive a crash of the destination's client side. */
MUST_CHECK enum rc sink_flush(struct sink *s, struct err *e);
/* Iterates what the destination holds with our own mark of this synchronization in a scope ("group/resource"):
 * events with key, uid, version, and in body the sink's record for it (base unknown); of a destination that bears no
 * marks all that is there, without body. The iterator gives RC_AGAIN while waiting (call sink_step), NOTFOUND where the
 * destination has no such kind now. UNSUPPORTED where a sink cannot. */
MUST_CHECK enum rc sink_scan(struct sink *s, struct slice scope, struct slice api_version,
                             struct event_iter **ret, struct err *e);
/* True if the destination still is as the record says: found has key, uid and version as a scan gave them; NULL where a
 * complete scan did not find it. Asks nobody. False where a sink cannot tell: the item is looked at then. */
bool sink_recognises(struct sink *s, struct slice record, const struct event *found);
void sink_status(struct sink *s, struct sink_status *ret);
MUST_CHECK enum rc sink_wait(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e);
void sink_close(struct sink *s);
DEFINE_FREEP(struct sink, sink_close)

struct kube_sink_opts {
    struct http *http;       /* taken, even on failure */
    const char *ca_pem, *ns; /* as in kube_identity_init of io/kube_identity.h */
    /* Identities: of the source, and of the destination that the checkpoint knows (empty: none), so that it is asked
     * for in the same manner; and of those that were the source before: their copies are ours. */
    struct slice source, destination;
    const struct slice *former;
    size_t n_former;              /* of more than KUBE_FORMER_MAX the first count */
    struct slice sync;            /* "namespace/name" of the synchronization */
    const struct slice *selected; /* scopes that it copies; what objects of these own is skipped */
    size_t n_selected;
    uint32_t window; /* most items in flight; 0: 32 */
};
/* Kubernetes. Borrows nothing of opts but http. Errors: NOMEM, INVALID. */
MUST_CHECK enum rc kube_sink_open(const struct kube_sink_opts *opts, const struct env *env,
                                  struct sink **ret, struct err *e);

#endif

/* A producer turns one source into events: listings, changes, positions, gaps.
 *
 * It keeps nothing across restarts (I2): ingest tells it from where to go on. It emits struct event with these fields
 * set: op, cause, key, source_kind, wall_ns, and where they apply version, uid, api_version, kind, manager, user, body.
 * In this order:
 *   EVENT_EPOCH "@epoch/source": before everything else, and again when the source's identity or version order breaks;
 *     body {"identity": "...", "reason": "start" | "regression"}
 *   EVENT_KIND "@kind/<group>/<resource>": before a listing of that scope, and when it changed
 *   EVENT_GAP "@gap/<scope>": changes after `version` were not observed; body {"reason", "after"}; a listing follows
 *   EVENT_SYNC_BEGIN, puts, EVENT_SYNC_END "@sync/<scope>": one complete listing; the end's version is where the
 *     following goes on. Its body may be {"unread": [keys]}: of these the source did not tell, so that one that is not
 *     among the puts must not be taken for deleted; one that ends in '/' stands for all keys that begin so
 *   EVENT_PUT, EVENT_DELETE with CAUSE_WATCH: observed changes in the source's order of that scope; version is the new
 *     resume position, but of ZooKeeper only what SYNC_END and POSITION say is one
 *   EVENT_POSITION "@position/<scope>": nothing changed, or nothing is left to be said, up to `version`
 * A listing that breaks off is followed by another SYNC_BEGIN of the same scope; never by a SYNC_END.
 *
 * A scope is what is listed and followed as one: "group/resource" or, where only one namespace may be read,
 * "group/resource/ns"; for ZooKeeper the root path. Step, not loop: nothing blocks but producer_wait. One thread. */
#ifndef RESILOG_PRODUCERS_PRODUCER_H
#define RESILOG_PRODUCERS_PRODUCER_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct env;
struct event;
struct http;
struct producer;
struct zk;

enum producer_phase {
    PRODUCER_CONNECTING, /* not yet asked, or waiting before the next try */
    PRODUCER_LISTING,
    PRODUCER_FOLLOWING, /* complete and current */
    PRODUCER_DENIED,    /* 401 or 403: asked again rarely, never taken for empty */
    PRODUCER_MISSING    /* the source does not serve this resource (now) */
};

struct producer_status {
    struct slice scope; /* lives until the next call on the producer */
    enum producer_phase phase;
    char error
        [320]; /* of the last failure while not following; then, what of the scope cannot be read; else empty */
};

/* A resource that the source serves, in one of its versions. */
struct producer_kind {
    struct slice group, version, resource; /* live until the next call on the producer */
    bool followable;                       /* it can be listed and followed */
    bool preferred;                        /* of its versions, the one that the source prefers */
    bool partial;   /* not all of its group answered: versions of it may be hidden */
    uint64_t round; /* another one each time that the source said anew what it serves */
};

/* What the log knows, for a producer that need not ask the source for it again. */
struct producer_memory {
    void *arg;
    /* The put that is the key's last event, of this incarnation: RC_OK (a view until the next call), NOTFOUND (perhaps
     * without a text). */
    enum rc (*last)(void *arg, struct slice key, const struct event **ret, struct err *e);
};

struct producer_ops {
    const char *name;
    enum rc (*expect)(struct producer *p, struct slice identity, struct err *e);
    enum rc (*add)(struct producer *p, struct slice scope, struct slice api_version,
                   struct slice resume, struct err *e);
    void (*drop)(struct producer *p, struct slice scope);
    enum rc (*step)(struct producer *p, int64_t *ret_wake_ns, struct err *e);
    enum rc (*take)(struct producer *p, const struct event **ret, struct err *e);
    enum rc (*status)(struct producer *p, size_t index, struct producer_status *ret);
    enum rc (*kind)(struct producer *p, size_t index, struct producer_kind *ret);
    void (*recall)(struct producer *p, const struct producer_memory *memory); /* optional */
    enum rc (*wait)(struct producer *p, int wake_fd, int64_t timeout_ns, struct err *e);
    void (*close)(struct producer *p);
};
struct producer {
    const struct producer_ops *ops;
};

/* Before the first step: the source's identity as the log knows it. The producer finds out in the
 * manner of that one who the source is, so that an equal source says the equal; an unequal one is
 * told as it is. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc producer_expect(struct producer *p, struct slice identity, struct err *e);
/* Before the first step: where to look up what the log knows (borrowed). A put of a listing whose version and uid are
 * those of the memory's event, or of what was said before that listing, may come without body: the log has it. Nothing
 * for a producer that has no use for it. */
void producer_recall(struct producer *p, const struct producer_memory *memory);
/* Follows one more scope, in that version ("v1"; empty: the source's preferred one, and when that
 * becomes another, then that one, after its EVENT_KIND from a listing on): from `resume` if that is
 * given, else from a listing. A scope that is there already is left as it is. Errors: INVALID, NOMEM. */
MUST_CHECK enum rc producer_add(struct producer *p, struct slice scope, struct slice api_version,
                                struct slice resume, struct err *e);
/* Ends a scope; its events that were not taken are gone. Nothing for an unknown one. */
void producer_drop(struct producer *p, struct slice scope);
/* One bounded unit of work. RC_OK: did something; RC_AGAIN: nothing to do before *ret_wake_ns (boot
 * clock; INT64_MAX: only outside activity) . It does nothing while events wait to be taken beyond a
 * named limit: so push back reaches the source (I10). Errors: NOMEM; FATAL ones end the producer
 * (the source is another one than before is for ingest to judge). */
MUST_CHECK enum rc producer_step(struct producer *p, int64_t *ret_wake_ns, struct err *e);
/* The next event: RC_OK (a view until the next call on the producer), RC_AGAIN. */
MUST_CHECK enum rc producer_take(struct producer *p, const struct event **ret, struct err *e);
/* The scope with that index: RC_OK, or RC_END behind the last. */
enum rc producer_status(struct producer *p, size_t index, struct producer_status *ret);
/* What the source serves, as it said last, in no order: RC_OK, RC_END behind the last, RC_AGAIN while it has not said
 * anything yet. A part of the source that did not answer is missing; so absence is no proof. */
enum rc producer_kind(struct producer *p, size_t index, struct producer_kind *ret);
/* The only call that blocks: until outside activity, wake_fd, or the time limit. */
MUST_CHECK enum rc producer_wait(struct producer *p, int wake_fd, int64_t timeout_ns,
                                 struct err *e);
void producer_close(struct producer *p);
DEFINE_FREEP(struct producer, producer_close)

/* Kubernetes. Takes http (even on failure); ca_pem and ns as in kube_identity_init of
 * io/kube_identity.h. Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc kube_producer_open(struct http *http, const char *ca_pem, const char *ns,
                                      const struct env *env, struct producer **ret, struct err *e);

struct zk_producer_opts {
    struct zk *zk;    /* taken, even on failure */
    const char *name; /* "namespace/name" of the Database: what its identity is made of */
    bool acl;         /* read the nodes' ACLs */
    int64_t walk_ns; /* how often all nodes are looked at for what fires no watch (ACLs); 0: 60 s */
};
/* ZooKeeper: scopes are root paths, keys are paths, bodies as in core/znode.h. Errors: NOMEM, LIMIT. */
MUST_CHECK enum rc zk_producer_open(const struct zk_producer_opts *opts, const struct env *env,
                                    struct producer **ret, struct err *e);

#endif

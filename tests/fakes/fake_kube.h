/* A modelled Kubernetes API server behind io/http.h: in memory, one thread, the same on every
 * host, no sockets.
 * Time is the injected clock's and stands still by itself: what a server does over time (delays,
 * bookmarks, the end of a watch, namespace termination, a CRD becoming Established) happens in
 * http_take and fake_kube_run once the clock has passed it; fake_kube_wake says when that is
 * next. http_wait returns at once. Requests in flight together take effect in a random order, as
 * they may on a real server.
 *
 * What is not modelled is refused (405, or 400 for an unknown query parameter), never answered
 * wrongly: PATCH, subresources, selectors, delete of a collection. There is no garbage
 * collector. A fake that runs out of memory aborts. */
#ifndef RESILOG_TESTS_FAKE_KUBE_H
#define RESILOG_TESTS_FAKE_KUBE_H

#include "core/scope.h"
#include "core/slice.h"
#include "io/http.h"

#include <stdint.h>

struct buf;
struct clock;
struct rng;
struct fake_kube;

/* One cluster with the namespaces default and kube-system; borrows clock and rng. */
struct fake_kube *fake_kube_new(struct clock *clock, struct rng *rng);
void fake_kube_free(struct fake_kube *k); /* after its clients are closed */
DEFINE_FREEP(struct fake_kube, fake_kube_free)
/* Gives one more client; http_close ends it. What it had in flight may still take effect when
 * faults are on. */
void fake_kube_connect(struct fake_kube *k, struct http **ret);

/* ---- time ---- */
/* Does what has become due, without giving events to anybody. */
void fake_kube_run(struct fake_kube *k);
/* The boot time at which something is due: now or earlier if an event waits; INT64_MAX: nothing
 * ever. */
int64_t fake_kube_wake(struct fake_kube *k);

/* ---- the cluster, past all faults. Keys are those of core/key.h: "/configmaps/ns/a",
 * "apps/deployments/ns/a", "/namespaces//ns" ---- */
/* Creates or replaces an object as its controller or a user would, status included; uid,
 * versions and managedFields in json are ignored. Returns the HTTP status: 201, 200, or why not. */
int fake_kube_put(struct fake_kube *k, const char *json);
int fake_kube_delete(struct fake_kube *k, const char *key);
/* Makes the object terminating and holds it there with a finalizer; release takes all its
 * finalizers off. False if it is absent. */
bool fake_kube_terminate(struct fake_kube *k, const char *key);
bool fake_kube_release(struct fake_kube *k, const char *key);
/* Any request, served at once; the answer's body is appended to out (NULL: not wanted). Returns
 * the HTTP status. */
int fake_kube_call(struct fake_kube *k, enum http_method method, const char *path, const char *body,
                   struct buf *out);
/* The whole object, alive until the next call on k; empty if absent. */
struct slice fake_kube_get(struct fake_kube *k, const char *key);
/* Walks over all objects in byte order of their keys: the first one behind key `after`; false at
 * the end. Slices live until the next call on k. */
struct fake_kube_item {
    struct slice key, object;
    int64_t version;
};
bool fake_kube_next(struct fake_kube *k, struct slice after, struct fake_kube_item *ret);
/* Of all keys and objects, in canonical form. Without own fields: what two clusters can have in
 * common, so no uid, versions, times and managedFields. */
uint64_t fake_kube_digest(struct fake_kube *k, bool own_fields);

/* The cluster's present resourceVersion. */
int64_t fake_kube_version(const struct fake_kube *k);
void fake_kube_set_cluster_uid(struct fake_kube *k, const char *uid); /* of kube-system */
/* Forgets what was before that version, as etcd's compaction: older watches and continue tokens
 * get 410. */
void fake_kube_compact(struct fake_kube *k, int64_t version);
/* Streams and requests break; the watch cache begins anew, so that every older version gets 410. */
void fake_kube_restart(struct fake_kube *k);
/* etcd restored from a backup: a restart into the state of that version, not compacted, and
 * versions count on from there. */
void fake_kube_rewind(struct fake_kube *k, int64_t version);

/* ---- conditions that last until taken back ---- */
void fake_kube_set_down(struct fake_kube *k, bool down); /* refuses all; what was open breaks */
void fake_kube_set_unauthorized(struct fake_kube *k, bool on);
void fake_kube_set_aggregated_discovery(struct fake_kube *k,
                                        bool on); /* off: the older form only */
/* The back end of a group, or of "group/version", does not answer: 503, and discovery calls it stale. */
void fake_kube_set_group_stale(struct fake_kube *k, const char *group, bool on);
/* 403. verb is one of get, list, watch, create, update, delete or NULL for all; ns is NULL for
 * every place, "" for requests over the whole cluster; a namespace lies in its own place. allow
 * takes all denials back. */
void fake_kube_deny(struct fake_kube *k, const char *group, const char *resource, const char *ns,
                    const char *verb);
void fake_kube_allow(struct fake_kube *k);

/* ---- faults ---- */
#define FAKE_KUBE_ANY (-1)
enum fake_kube_fault {
    FAKE_KUBE_NO_FAULT,
    FAKE_KUBE_REFUSED,       /* no connection: certainly not done */
    FAKE_KUBE_REQUEST_LOST,  /* reset before the effect; the client cannot know (maybe_done) */
    FAKE_KUBE_REPLY_LOST,    /* reset after it took effect (maybe_done) */
    FAKE_KUBE_THROTTLED,     /* 429 with Retry-After */
    FAKE_KUBE_ERROR,         /* 500, no effect */
    FAKE_KUBE_ERROR_DONE,    /* 500 from etcd's time limit, and yet it took effect */
    FAKE_KUBE_NONSENSE,      /* 200 with HTML, no effect */
    FAKE_KUBE_GONE,          /* 410, of watches with a version and of continue tokens */
    FAKE_KUBE_DELAY,         /* before or after the effect, up to delay_max_ns */
    FAKE_KUBE_BODY_CUT,      /* the answer breaks off inside the body */
    FAKE_KUBE_SILENT,        /* no effect, no answer: a time limit ends it (maybe_done) */
    FAKE_KUBE_WATCH_DROP,    /* per frame: the stream ends before it */
    FAKE_KUBE_WATCH_CUT,     /* per frame: the stream ends inside it */
    FAKE_KUBE_SLOW_BOOKMARK, /* per bookmark: it comes minutes late */
    FAKE_KUBE_FAULTS
};
struct fake_kube_rates {
    unsigned per_mille[FAKE_KUBE_FAULTS];
    int64_t delay_max_ns; /* 0: 5 s */
};
/* Faults strike at random from now on. NULL: no more. */
void fake_kube_faults(struct fake_kube *k, uint64_t seed, const struct fake_kube_rates *rates);
/* Plans one fault for requests of a method whose path begins so (rates do not count for them). Of rules the first
 * counts; each is gone when used up. */
struct fake_kube_rule {
    enum fake_kube_fault fault;
    int method;       /* an enum http_method, or FAKE_KUBE_ANY */
    const char *path; /* copied */
    unsigned pass;    /* so many matching requests (frames, bookmarks) go through first */
    unsigned times;   /* 0: once */
};
void fake_kube_plan(struct fake_kube *k, const struct fake_kube_rule *rule);

/* ---- what the server saw from clients (requests that were refused or lost on the way are not
 * seen) ---- */
struct fake_kube_counts {
    uint64_t lists; /* pages */
    uint64_t watches, gets, posts, puts, deletes, discoveries;
    uint64_t struck[FAKE_KUBE_FAULTS]; /* faults that did what they say, on the way, too */
};
struct fake_kube_counts fake_kube_counts(const struct fake_kube *k);
struct fake_kube_write {
    enum http_method method;
    struct slice path; /* with query; lives as long as k */
    int status;        /* as decided, whether or not the answer arrived */
};
size_t fake_kube_writes(const struct fake_kube *k);
struct fake_kube_write fake_kube_write_at(const struct fake_kube *k, size_t index);
/* How many writes of the method (or FAKE_KUBE_ANY) had a path that begins so. */
size_t fake_kube_count_writes(const struct fake_kube *k, int method, const char *path);
size_t fake_kube_open_watches(const struct fake_kube *k);

#endif

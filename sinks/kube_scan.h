/* Finds the sink's own copies in a scope by their marks: a metadata-only list of the destination, page by page. */
#ifndef RESILOG_SINKS_KUBE_SCAN_H
#define RESILOG_SINKS_KUBE_SCAN_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

struct env;
struct event_iter;
struct http;
struct http_event;
struct kube_dest;
struct kube_scan;
struct kube_verdict;

/* All scans of one sink, and what they borrow; the iterators leave it by themselves when they are freed. */
struct kube_scans {
    const struct kube_dest *dest;
    struct http *http;
    struct kube_scan *first;
    char trouble[320]; /* why a page is asked for again; empty while pages arrive */
};

/* Gives an iterator, which ends when one complete list was seen; copies scope and api_version. Its
 * events: key, uid, version, api_version, and in body a record with base unknown. An object may come twice
 * where a list had to begin anew. It gives NOTFOUND where the destination does not serve the kind. Errors: INVALID,
 * NOMEM. */
MUST_CHECK enum rc kube_scan_open(struct kube_scans *all, struct slice scope,
                                  struct slice api_version, struct event_iter **ret, struct err *e);
/* Starts the next page of a scan that wants one. RC_OK: a request went out; RC_AGAIN: nothing to do before
 * *ret_wake_ns. Errors: NOMEM. */
MUST_CHECK enum rc kube_scans_step(struct kube_scans *all, int64_t now, int64_t *ret_wake_ns,
                                   struct err *e);
/* Takes the end of a request if it is a scan's: then true, and *ret is what the answer meant. */
bool kube_scans_answer(struct kube_scans *all, const struct http_event *ev, const struct env *env,
                       struct kube_verdict *ret);
/* The sink ends: iterators that are still held only fail from now on. */
void kube_scans_done(struct kube_scans *all);

#endif

/* Lists what the destination has below a node: a walk that shares the sink's session. A znode bears no mark, so that is
 * all there is. */
#ifndef RESILOG_SINKS_ZK_SCAN_H
#define RESILOG_SINKS_ZK_SCAN_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_iter;
struct zk;
struct zk_event;
struct zk_record;
struct zk_scan;

/* All scans of one sink; the iterators leave it by themselves when they are freed. */
struct zk_scans {
    struct zk *zk;
    bool up; /* set by the sink: the ensemble may be asked */
    struct zk_scan *first;
    uint32_t last; /* number of the scan opened last */
};

/* Gives an iterator over root and all below it, which ends when one complete walk was seen; root is copied. Its events:
 * key and version as in docs/FORMAT.md, uid is "<czxid>-<ctime>" in hex. After a lost connection the walk begins anew, so
 * a node may come twice; one that may not be read does not come, nor what is below it. Errors: NOMEM. */
MUST_CHECK enum rc zk_scan_open(struct zk_scans *all, struct slice root, struct event_iter **ret,
                                struct err *e);
/* Offers an event of the session; true if it was an answer to a scan. */
bool zk_scans_offer(struct zk_scans *all, const struct zk_event *ev);
/* Sends at most one request: RC_OK, or RC_AGAIN. */
enum rc zk_scans_step(struct zk_scans *all);
/* The sink ends. */
void zk_scans_done(struct zk_scans *all);
/* True if a node that was found is as its record says; without acl its ACL does not matter. */
bool zk_scan_is_as(const struct zk_record *r, const struct event *found, bool acl);

#endif

/* A ZooKeeper producer on a modelled ensemble, and a log that takes its events as ingest does: what a listing has already
 * is not written again, what it lacks is gone. It checks what must always hold (a listed node belongs to a listing; only
 * what is in the log already comes without body; of each node nothing older follows something newer; a change that was
 * watched is news), and fails the test otherwise. A fake that runs out of memory aborts. */
#ifndef RESILOG_TESTS_ZK_WORLD_H
#define RESILOG_TESTS_ZK_WORLD_H

#include "core/buf.h"
#include "core/env.h"
#include "core/event.h"
#include "core/map.h"
#include "core/rng.h"
#include "producers/producer.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

struct zk_world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_zk *zk;
    struct producer *producer;
    struct producer_memory memory;
    struct zk_producer_opts opts; /* for the next zw_start; acl is true at first */
    const char *who;              /* the next session's, NULL: nobody */

    /* The log. */
    struct map *nodes;    /* key -> struct event, of the last put */
    struct map *listings; /* scope -> those under way */
    uint64_t incarnation;
    struct buf position; /* of the last event that gives one */
    struct buf said;     /* the events since the last zw_assert_said, positions left out */
    size_t events, bodies;
    size_t last_words; /* bytes of the last delete's body */
};

/* An ensemble without nodes of its own, an empty log, no producer yet. */
void zw_init(struct zk_world *w);
void zw_done(struct zk_world *w);
/* A producer in its next life: the log stays. */
void zw_start(struct zk_world *w);
void zw_stop(struct zk_world *w);
/* resume: from the log's position, else from a listing. */
void zw_add(struct zk_world *w, const char *root, bool resume);
/* One step, and then up to `most` events into the log. False: there was nothing to do. */
bool zw_step(struct zk_world *w, size_t most);
/* Until nothing is to be done without time going by. */
void zw_run(struct zk_world *w);
/* Lets time go by, and runs. */
void zw_pass(struct zk_world *w, int64_t ns);

/* What was said, in words: "epoch:start sync-begin put:/a=data same:/b sync-end missing:/c delete:/d gap". */
void zw_assert_said(struct zk_world *w, const char *want);
/* The log has exactly what the ensemble has within root: data, ACL, sequence. */
void zw_assert_same(struct zk_world *w, const char *root);
/* The log's node, NULL if absent. */
const struct event *zw_node(const struct zk_world *w, const char *path);
struct producer_status zw_status(struct zk_world *w, size_t index);

#endif

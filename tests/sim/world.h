/* One run of the simulation: two modelled clusters, one resilog between them, in one thread on virtual time. A seed
 * decides everything: what the run is like, what users do, what breaks and when, and in which order parts step. */
#ifndef RESILOG_TESTS_SIM_WORLD_H
#define RESILOG_TESTS_SIM_WORLD_H

#include "core/env.h"
#include "core/rng.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"
#include "tests/sim/board.h"
#include "tests/sim/us.h"

struct property;

#define SIM_NAMESPACES 3
#define SIM_NAMES      5 /* of each kind in each namespace */

/* What this seed is like. */
struct sim_plan {
    unsigned operations;      /* of users, in all */
    unsigned crash_every;     /* turns between crashes, on average; 0: none */
    unsigned append_faults;   /* of a thousand turns: the next append fails */
    unsigned commit_faults;   /* the same for checkpoints */
    int64_t trouble_every_ns; /* between events of the servers, on average */
    bool
        copy_crd; /* the synchronization copies CRDs; else somebody makes them in the destination */
    bool force_namespace;
    bool prune_deselected; /* what leaves the selection is removed */
    bool forbidden; /* the destination refuses what we write in the namespace n1, to the end */
    struct fake_kube_rates source_rates, destination_rates;
};

struct world {
    struct board *board;
    struct sim_plan plan;
    struct rng_seeded chance; /* of the schedule and of users */
    struct rng_seeded own, source_rng, destination_rng;
    struct fake_clock clock;
    struct env env; /* ours */
    struct fake_kube *source, *destination;
    struct us us;
    struct property *property;

    char destination_uid[US_IDENTITY];
    uint64_t last_seq;    /* users number what they write */
    int64_t user_ns;      /* next operation */
    int64_t trouble_ns;   /* next event of the servers */
    int64_t source_up_ns; /* 0: it is up */
    int64_t destination_up_ns;
    int64_t repaired_ns; /* denials and the like end; 0: there are none */
    bool healing;        /* no more faults */
};

/* Runs the seed: true if every property held; else board->failure says which did not. */
bool world_run(uint64_t seed, struct board *board);

/* ---- for the other files ---- */
static inline int64_t world_now(const struct world *w)
{
    return w->clock.boot_ns;
}
static inline uint64_t world_below(struct world *w, uint64_t bound)
{
    return rng_below(&w->chance.rng, bound);
}
/* True n times in a thousand. */
static inline bool world_chance(struct world *w, unsigned per_mille)
{
    return world_below(w, 1000) < per_mille;
}
static inline void world_saw(struct world *w, enum sight s)
{
    w->board->sights[s]++;
}
#define world_say(w, ...)                                                                          \
    do {                                                                                           \
        if ((w)->board->trace)                                                                     \
            world_say_line((w), __VA_ARGS__);                                                      \
    } while (0)
void world_say_line(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif

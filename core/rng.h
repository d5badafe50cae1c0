/* Chance as an interface: the system's entropy is io/rng_sys.c; the seeded one is for simulation and tests. */
#ifndef RESILOG_CORE_RNG_H
#define RESILOG_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng;
struct rng_ops {
    void (*fill)(struct rng *r, void *out, size_t n); /* never fails */
};
struct rng {
    const struct rng_ops *ops;
};

/* 64 random bits. */
uint64_t rng_u64(struct rng *r);
/* Uniform in 0 .. bound-1; bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);

/* SplitMix64 from a seed: the same numbers on every host. */
struct rng_seeded {
    struct rng rng;
    uint64_t state;
};
void rng_seeded_init(struct rng_seeded *r, uint64_t seed);

#endif

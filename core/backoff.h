/* A pure retry schedule: exponential with full jitter above half, capped, reset by success. */
#ifndef RESILOG_CORE_BACKOFF_H
#define RESILOG_CORE_BACKOFF_H

#include <stdint.h>

struct rng;

struct backoff {
    int64_t first_ns; /* about the first wait */
    int64_t max_ns;
    uint32_t attempts; /* failures since the last success */
};

/* Counts one more failure and returns how long to wait: uniform in [d/2, d] for d = min(first * 2^attempts, max). */
int64_t backoff_next_ns(struct backoff *b, struct rng *r);
void backoff_reset(struct backoff *b);

#endif

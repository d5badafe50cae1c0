/* The retry schedule. Pure: it neither waits nor reads a clock. The lower half of each wait is
 * fixed, so that a failing peer is never hammered; the upper half is chance, so that many waiters
 * spread out. */
#include "core/backoff.h"

#include "core/rng.h"

#include <assert.h>

static int64_t ceiling(const struct backoff *b)
{
    int64_t d = b->first_ns < b->max_ns ? b->first_ns : b->max_ns;
    for (uint32_t i = 0; i < b->attempts && d < b->max_ns; i++)
        d = d > b->max_ns / 2 ? b->max_ns : d * 2;
    return d;
}

int64_t backoff_next_ns(struct backoff *b, struct rng *r)
{
    assert(b->first_ns > 0 && b->max_ns > 0);
    int64_t d = ceiling(b);
    if (b->attempts < UINT32_MAX)
        b->attempts++;
    int64_t half = d / 2;
    return half + (int64_t)rng_below(r, (uint64_t)(d - half) + 1);
}

void backoff_reset(struct backoff *b)
{
    b->attempts = 0;
}

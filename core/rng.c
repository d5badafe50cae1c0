/* Numbers out of an rng's bytes, and the seeded generator. Bytes are read as little-endian, so a
 * seed means the same numbers on every host. One thread per seeded generator. */
#include "core/rng.h"

#include <assert.h>

uint64_t rng_u64(struct rng *r)
{
    unsigned char bytes[8];
    r->ops->fill(r, bytes, sizeof bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    return v;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    assert(bound > 0);
    /* 2^64 mod bound: numbers below it would make small results likelier than large ones. */
    uint64_t surplus = (0 - bound) % bound;
    uint64_t v;
    do {
        v = rng_u64(r);
    } while (v < surplus);
    return v % bound;
}

static uint64_t splitmix64(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void seeded_fill(struct rng *rng, void *out, size_t n)
{
    struct rng_seeded *r = (struct rng_seeded *)rng; /* rng is its first member */
    unsigned char *p = out;
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            v = splitmix64(&r->state);
        p[i] = (unsigned char)(v >> (8 * (i % 8)));
    }
}

void rng_seeded_init(struct rng_seeded *r, uint64_t seed)
{
    static const struct rng_ops ops = {.fill = seeded_fill};
    *r = (struct rng_seeded){.rng = {.ops = &ops}, .state = seed};
}

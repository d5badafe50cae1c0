/* A table with one place a key, which whoever comes later takes. 128 bits of hashes stand for a key and its version: that
 * two differ and agree in them is taken for impossible. */
#include "flow/ingest_recent.h"

#include "core/event.h"

#include <stdlib.h>

#define PLACES 8192u /* a power of two, more than what a producer's queue holds */

struct place {
    uint64_t key, state; /* 0, 0: empty */
};

struct recent {
    struct place places[PLACES];
};

struct recent *recent_new(void)
{
    return calloc(1, sizeof(struct recent));
}

void recent_free(struct recent *r)
{
    free(r);
}

static struct place place_of(const struct event *put, uint64_t incarnation)
{
    uint64_t state = incarnation * 31 + slice_hash(put->version);
    state = state * 31 + slice_hash(put->uid);
    state = state * 31 + slice_hash(put->api_version);
    return (struct place){slice_hash(put->key), state};
}

void recent_note(struct recent *r, const struct event *put)
{
    struct place p = place_of(put, put->incarnation);
    r->places[p.key & (PLACES - 1)] = p;
}

void recent_forget(struct recent *r, struct slice key)
{
    uint64_t hash = slice_hash(key);
    struct place *p = &r->places[hash & (PLACES - 1)];
    if (p->key == hash)
        *p = (struct place){0};
}

bool recent_is(const struct recent *r, const struct event *put, uint64_t incarnation)
{
    struct place want = place_of(put, incarnation);
    const struct place *p = &r->places[want.key & (PLACES - 1)];
    return p->key == want.key && p->state == want.state;
}

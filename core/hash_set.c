/* Open addressing with linear probing; a hash of 0 stands for an empty place. Who chooses strings that collide makes look-ups
 * slower, not wrong. */
#include "core/hash_set.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_PLACES 1024u /* a power of two, as all numbers of places are */

struct hash_set {
    uint64_t *places;
    size_t n_places, n;
};

static uint64_t hash_of(struct slice string)
{
    uint64_t h = slice_hash(string);
    return h ? h : 1;
}

/* Where the hash is, or the empty place where it would be. */
static size_t place_of(const uint64_t *places, size_t n_places, uint64_t hash)
{
    size_t at = (size_t)hash & (n_places - 1);
    while (places[at] != 0 && places[at] != hash)
        at = (at + 1) & (n_places - 1);
    return at;
}

struct hash_set *hash_set_new(void)
{
    struct hash_set *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->n_places = FIRST_PLACES;
    s->places = calloc(s->n_places, sizeof *s->places);
    if (s->places)
        return s;
    free(s);
    return NULL;
}

void hash_set_free(struct hash_set *s)
{
    if (!s)
        return;
    free(s->places);
    free(s);
}

static bool grow(struct hash_set *s)
{
    size_t n_places = s->n_places * 2;
    uint64_t *places = calloc(n_places, sizeof *places);
    if (!places)
        return false;
    for (size_t i = 0; i < s->n_places; i++)
        if (s->places[i])
            places[place_of(places, n_places, s->places[i])] = s->places[i];
    free(s->places);
    s->places = places;
    s->n_places = n_places;
    return true;
}

bool hash_set_add(struct hash_set *s, struct slice string)
{
    uint64_t hash = hash_of(string);
    if (s->places[place_of(s->places, s->n_places, hash)] == hash)
        return true;
    if (s->n == HASH_SET_MAX || (s->n + 1 > s->n_places / 2 && !grow(s)))
        return false;
    s->places[place_of(s->places, s->n_places, hash)] = hash;
    s->n++;
    return true;
}

bool hash_set_may_have(const struct hash_set *s, struct slice string)
{
    uint64_t hash = hash_of(string);
    return s->places[place_of(s->places, s->n_places, hash)] == hash;
}

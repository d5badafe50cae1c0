/* Open addressing with linear probing, at most half full; each place has the key's hash beside its entry, so that other
 * keys are hardly ever looked at. A deleted entry leaves its place in use, so that what was put behind it is found, until
 * the table is made anew. */
#include "core/dict.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 64u /* a power of two, as all numbers of places are */

struct entry {
    void *value;
    size_t n;
    char key[];
};

struct place {
    uint64_t hash;
    struct entry *entry; /* NULL: never used, or with the hash DELETED used no more */
};
#define DELETED 1u

struct dict {
    struct place *places;
    size_t n_places, n, used; /* used: the deleted ones are counted, too */
    void (*free_value)(void *value);
};

static bool is_at(const struct place *p, uint64_t hash, struct slice key)
{
    return p->hash == hash && p->entry && slice_eq(slice_of(p->entry->key, p->entry->n), key);
}

static bool is_unused(const struct place *p)
{
    return !p->entry && p->hash != DELETED;
}

/* Where the key is, or the unused place where it would be. */
static struct place *find(const struct dict *d, uint64_t hash, struct slice key)
{
    size_t at = (size_t)hash & (d->n_places - 1);
    while (!is_unused(&d->places[at]) && !is_at(&d->places[at], hash, key))
        at = (at + 1) & (d->n_places - 1);
    return &d->places[at];
}

struct dict *dict_new(void (*free_value)(void *value))
{
    struct dict *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->free_value = free_value;
    d->n_places = FIRST_PLACES;
    d->places = calloc(d->n_places, sizeof *d->places);
    if (d->places)
        return d;
    free(d);
    return NULL;
}

static void free_value(const struct dict *d, void *value)
{
    if (d->free_value)
        d->free_value(value);
}

static void empty(const struct dict *d, struct place *p, uint64_t hash)
{
    free_value(d, p->entry->value);
    free(p->entry);
    *p = (struct place){.hash = hash};
}

void dict_clear(struct dict *d)
{
    for (size_t i = 0; i < d->n_places; i++)
        if (d->places[i].entry)
            empty(d, &d->places[i], 0);
        else
            d->places[i].hash = 0;
    d->n = d->used = 0;
}

void dict_free(struct dict *d)
{
    if (!d)
        return;
    dict_clear(d);
    free(d->places);
    free(d);
}

void dict_delete(struct dict *d, struct slice key)
{
    struct place *p = find(d, slice_hash(key), key);
    if (!p->entry)
        return;
    empty(d, p, DELETED);
    d->n--;
}

size_t dict_count(const struct dict *d)
{
    return d->n;
}

void *dict_get(const struct dict *d, struct slice key)
{
    const struct place *p = find(d, slice_hash(key), key);
    return p->entry ? p->entry->value : NULL;
}

/* A new table without the deleted ones, and twice as large where these are not most of it. */
static bool renew(struct dict *d)
{
    const struct dict before = *d;
    size_t n_places = d->n < d->n_places / 4 ? d->n_places : d->n_places * 2;
    struct place *places = calloc(n_places, sizeof *places);
    if (!places)
        return false;
    d->places = places;
    d->n_places = n_places;
    d->used = d->n;
    for (size_t i = 0; i < before.n_places; i++) {
        const struct place *p = &before.places[i];
        if (p->entry)
            *find(d, p->hash, slice_of(p->entry->key, p->entry->n)) = *p;
    }
    free(before.places);
    return true;
}

static enum rc no_room(const struct dict *d, void *value, struct err *e)
{
    free_value(d, value);
    return err_nomem(e);
}

enum rc dict_put(struct dict *d, struct slice key, void *value, struct err *e)
{
    assert(value);
    uint64_t hash = slice_hash(key);
    struct place *p = find(d, hash, key);
    if (p->entry) {
        free_value(d, p->entry->value);
        p->entry->value = value;
        return RC_OK;
    }
    struct entry *entry = malloc(sizeof *entry + key.n);
    if (!entry)
        return no_room(d, value, e);
    if (d->used + 1 > d->n_places / 2 && !renew(d)) {
        free(entry);
        return no_room(d, value, e);
    }
    entry->value = value;
    entry->n = key.n;
    if (key.n)
        memcpy(entry->key, key.p, key.n);
    *find(d, hash, key) = (struct place){hash, entry};
    d->n++;
    d->used++;
    return RC_OK;
}

bool dict_next(const struct dict *d, size_t *at, struct slice *ret_key, void **ret_value)
{
    while (*at < d->n_places && !d->places[*at].entry)
        ++*at;
    if (*at == d->n_places)
        return false;
    const struct entry *entry = d->places[(*at)++].entry;
    *ret_key = slice_of(entry->key, entry->n);
    *ret_value = entry->value;
    return true;
}

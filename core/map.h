/* An ordered map from byte strings to pointers. Iteration is in byte order of the keys, the same on every host. */
#ifndef RESILOG_CORE_MAP_H
#define RESILOG_CORE_MAP_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct map;

struct map_entry {
    struct slice key; /* lives in the map until the entry is deleted */
    void *value;
};

/* free_value may be NULL: then the map borrows its values. NULL when out of memory. */
struct map *map_new(void (*free_value)(void *value));
void map_free(struct map *m); /* NULL is allowed */
DEFINE_FREEP(struct map, map_free)

size_t map_count(const struct map *m);
/* The value, or NULL if the key is absent. */
void *map_get(const struct map *m, struct slice key);
/* Takes value in every case (on failure it is freed); copies key; an older value of the key is freed. value
 * must not be NULL. Errors: NOMEM. */
MUST_CHECK enum rc map_put(struct map *m, struct slice key, void *value, struct err *e);
/* Frees the entry; false if there was none. */
bool map_delete(struct map *m, struct slice key);
/* Takes the value out without freeing it; NULL if absent. */
void *map_take(struct map *m, struct slice key);
void map_clear(struct map *m);
/* The least entry with key >= from, or > from when `after`. To walk: start with SLICE_NULL and after = false, then
 * seek behind the last key. Entries may be added and deleted between calls. */
bool map_seek(const struct map *m, struct slice from, bool after, struct map_entry *ret);

#endif

/* A map from byte strings to pointers in no order, for many keys that are looked up one by one: several times as fast as
 * core/map.h, which keeps them ordered. The order in which dict_next gives them is that of this table alone; nothing
 * that leaves the process may depend on it. Who chooses keys whose hashes agree makes look-ups slower, not wrong. Not for several threads at once. */
#ifndef RESILOG_CORE_DICT_H
#define RESILOG_CORE_DICT_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct dict;

/* free_value may be NULL: then the dict borrows its values. NULL when out of memory. */
struct dict *dict_new(void (*free_value)(void *value));
void dict_free(struct dict *d); /* NULL is allowed */
DEFINE_FREEP(struct dict, dict_free)

size_t dict_count(const struct dict *d);
/* The value, or NULL if the key is absent. */
void *dict_get(const struct dict *d, struct slice key);
/* Takes value in every case (on failure it is freed); copies key; an older value of the key is freed. value
 * must not be NULL. Errors: NOMEM. */
MUST_CHECK enum rc dict_put(struct dict *d, struct slice key, void *value, struct err *e);
/* Frees the entry, if there is one. */
void dict_delete(struct dict *d, struct slice key);
void dict_clear(struct dict *d);
/* Walks all entries: *at is 0 at first. False at the end. Entries may be deleted meanwhile, none may be put. */
bool dict_next(const struct dict *d, size_t *at, struct slice *ret_key, void **ret_value);

#endif

/* A set of byte strings that only knows hashes of them: it says "surely not" or "perhaps". Eight bytes a place, at most
 * half of them taken. Strings cannot be taken out. One thread. */
#ifndef RESILOG_CORE_HASH_SET_H
#define RESILOG_CORE_HASH_SET_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct hash_set;

#define HASH_SET_MAX (1u << 20) /* strings */

/* NULL when out of memory. */
struct hash_set *hash_set_new(void);
void hash_set_free(struct hash_set *s);
DEFINE_FREEP(struct hash_set, hash_set_free)
/* False when it cannot hold it, for want of memory or beyond HASH_SET_MAX: from then on the set says nothing true. */
MUST_CHECK bool hash_set_add(struct hash_set *s, struct slice string);
/* False: it was surely not added. */
bool hash_set_may_have(const struct hash_set *s, struct slice string);

#endif

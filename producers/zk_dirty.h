/* The paths that changed and were not read yet.
 *
 * Rounds: what is added while a round is taken belongs to the next one, so that a path that changes all the time delays
 * nobody. Within a round first the paths that something happened to, in byte order (a parent before its children), then
 * those that only have a child more or less. Bounded: beyond the limits nothing is kept, and all is to be looked at
 * anew. */
#ifndef RESILOG_PRODUCERS_ZK_DIRTY_H
#define RESILOG_PRODUCERS_ZK_DIRTY_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct buf;
struct zk_dirty;

#define ZK_DIRTY_PATHS 100000u
#define ZK_DIRTY_BYTES (16u << 20)

struct zk_dirty *zk_dirty_new(void); /* NULL when out of memory */
void zk_dirty_free(struct zk_dirty *d);
DEFINE_FREEP(struct zk_dirty, zk_dirty_free)

/* Something happened to that path. Copies it. Errors: NOMEM. */
MUST_CHECK enum rc zk_dirty_add(struct zk_dirty *d, struct slice path, struct err *e);
/* A child of that path was made or removed. Errors: NOMEM. */
MUST_CHECK enum rc zk_dirty_add_parent(struct zk_dirty *d, struct slice path, struct err *e);
/* As a parent, but one that waits for the next round, too. Errors: NOMEM. */
MUST_CHECK enum rc zk_dirty_add_later(struct zk_dirty *d, struct slice path, struct err *e);
/* Whether is_it says so of a child of that path to which something happened that was not taken yet. Errors: NOMEM. */
MUST_CHECK enum rc zk_dirty_any_child(const struct zk_dirty *d, struct slice path,
                                      bool (*is_it)(void *arg, struct slice child), void *arg,
                                      bool *ret, struct err *e);
/* True where something happened to the path since it was taken last. */
bool zk_dirty_has(const struct zk_dirty *d, struct slice path);
/* Takes the next path into *out, which is emptied before; RC_AGAIN: there is none. `settled`: it is known what the paths
 * taken before have become, so that all that was to be added because of them was. Parents and the next round wait for
 * that. Errors: NOMEM, LIMIT (out is too small). */
MUST_CHECK enum rc zk_dirty_take(struct zk_dirty *d, bool settled, struct buf *out, struct err *e);
bool zk_dirty_is_empty(const struct zk_dirty *d);
/* A limit was reached: the set is empty and stays so until it is cleared. */
bool zk_dirty_overflowed(const struct zk_dirty *d);
void zk_dirty_clear(struct zk_dirty *d);

#endif

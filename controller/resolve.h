/* A synchronization whose entries name kinds only in general, with `*` or without a version, made into one whose
 * entries name one kind each. Which kinds there are is the source's word, which of them `*` takes is the sinks' table
 * of rules. Pure.
 *
 * What is named by itself wins over `*`: of a kind that an entry names by group and resource no `*` is asked, and an
 * exclusion with `*` does not touch it. An exclusion with filters leaves the kind, and becomes one of its objects. An
 * entry without a version has the one that the source prefers; one with `*` and a version takes what the source serves in
 * that version. */
#ifndef RESILOG_CONTROLLER_RESOLVE_H
#define RESILOG_CONTROLLER_RESOLVE_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>

struct map;
struct replication;
struct replication_entry;
struct resolved;
struct sync;

/* True if it has an entry that does not name one kind in one version. */
bool resolve_needed(const struct replication *r);
/* True if the entry has `*` as its group or resource. */
bool resolve_is_star(const struct replication_entry *entry);

/* kinds: "group/resource" -> const char *, its versions with a blank behind each, the preferred one first; "*": any.
 * Entries of kinds that are not there are left out; the order of entries is kept. The digest tells of the kinds, too,
 * so that others are others to the pump. What is recorded beside the entries is left to sync. Borrows sync. Errors:
 * NOMEM, LIMIT. */
MUST_CHECK enum rc resolve(const struct sync *sync, const struct map *kinds, struct resolved **ret,
                           struct err *e);
void resolved_free(struct resolved *r);
DEFINE_FREEP(struct resolved, resolved_free)
const struct sync *resolved_sync(const struct resolved *r);
/* True if both have the same kinds in the same versions; both of one synchronization. */
bool resolved_same(const struct resolved *a, const struct resolved *b);

#endif

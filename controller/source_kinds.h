/* Which kinds a source has: those that its log was told of, in this life and before, and those that it serves now.
 * `*` and a version left out are made into kinds by them (controller/resolve.h). One thread. */
#ifndef RESILOG_CONTROLLER_SOURCE_KINDS_H
#define RESILOG_CONTROLLER_SOURCE_KINDS_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct map;
struct producer;
struct rlog;
struct source_kinds;

/* What the log has "@kind/" events of, so that a source that is away has its kinds all the same. Errors: NOMEM, the
 * log's. */
MUST_CHECK enum rc source_kinds_load(struct rlog *log, struct source_kinds **ret, struct err *e);
void source_kinds_free(struct source_kinds *k);
DEFINE_FREEP(struct source_kinds, source_kinds_free)

/* Takes over what the source says: RC_OK if it said something since the last call, RC_AGAIN. Of a group that answered in
 * part, a kind that was known keeps the versions that it had. Errors: NOMEM. */
MUST_CHECK enum rc source_kinds_look(struct source_kinds *k, struct producer *p, struct err *e);
/* Neither the log nor the source said anything yet. */
bool source_kinds_none(const struct source_kinds *k);
/* All kinds: "group/resource" -> const char *, its versions with a blank behind each, the preferred one first. What was
 * there once stays, as its copies do. Lives until the next call of source_kinds_look. */
const struct map *source_kinds_known(const struct source_kinds *k);
/* True if the source said last that it serves "group/resource". */
bool source_kinds_serves(const struct source_kinds *k, struct slice kind);

#endif

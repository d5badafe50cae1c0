/* Three-way merge of an object into the destination's live one. */
#ifndef RESILOG_SINKS_KUBE_MERGE_H
#define RESILOG_SINKS_KUBE_MERGE_H

#include "core/err.h"

#include <stdbool.h>

struct json_doc;
struct kube_rule;

/* Edits live so that it holds what desired has and lacks what base had and desired has no more; every other member
 * of live stays, byte for byte. Objects are merged member by member; lists and all else are taken as a whole. base
 * is the desired object that was sent before; NULL: unknown, then nothing is removed. desired is edited too
 * (members that the rule retains are taken from live). *ret_changed: whether live means something else now
 * (json_equal). Of repeated members the last counts. Errors: INVALID (not objects), LIMIT, NOMEM; live is to be
 * thrown away then. */
MUST_CHECK enum rc kube_merge(struct json_doc *live, struct json_doc *desired,
                              const struct json_doc *base, const struct kube_rule *rule,
                              bool *ret_changed, struct err *e);

#endif

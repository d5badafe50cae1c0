/* Three-way merge of an object into the destination's live one. */
#ifndef RESILOG_SINKS_KUBE_MERGE_H
#define RESILOG_SINKS_KUBE_MERGE_H

#include "core/err.h"

#include <stdbool.h>

struct json_doc;
struct kube_rule;

/* Merging recurses: what nests deeper is LIMIT. It can be made in the destination, and not be updated. */
#define KUBE_MERGE_DEPTH 512

/* What we gave the object before; of each only the shape counts where it is not equal to live. NULL: unknown. */
struct kube_base {
    const struct json_doc *sent; /* the desired object that was sent before */
    /* What the destination's server says that we wrote (kube_owned). Edited: what the rule never sends is taken out,
     * as a server also counts what it made of our write (a DaemonSet's template generation). */
    struct json_doc *owned;
};

/* Edits live so that it holds what desired has and lacks what a base had and desired has no more; every other member
 * of live stays, byte for byte. Objects are merged member by member; lists and all else are taken as a whole. Where
 * both bases are unknown nothing is removed. desired is edited too (members that the rule retains are taken from
 * live). *ret_changed: whether live has another canonical form now. Of repeated members the last counts.
 * Errors: INVALID (not objects), LIMIT, NOMEM; live is to be thrown away then. */
MUST_CHECK enum rc kube_merge(struct json_doc *live, struct json_doc *desired,
                              const struct kube_base *base, const struct kube_rule *rule,
                              bool *ret_changed, struct err *e);

#endif

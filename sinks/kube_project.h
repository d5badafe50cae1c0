/* From an object of the source to the object that the destination shall have: everything that belongs to the
 * source alone is cut. */
#ifndef RESILOG_SINKS_KUBE_PROJECT_H
#define RESILOG_SINKS_KUBE_PROJECT_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

struct buf;
struct json_doc;
struct kube_rule;

struct kube_project_opts {
    const struct kube_rule *rule;
    struct slice api_version,
        kind;           /* put first where the object lacks them, as items of a list do */
    bool effects_allow; /* what runs is not suspended */
};

/* Edits d (the source's object after the user's patches) and appends the desired object to out, which may be NULL.
 * What is not cut or set stays byte for byte (I7); a container that a cut left empty goes too. Pure: the same object
 * gives the same bytes. Errors: INVALID (not an object with metadata.name), LIMIT, NOMEM. */
MUST_CHECK enum rc kube_project(struct json_doc *d, const struct kube_project_opts *opts,
                                struct buf *out, struct err *e);

/* Takes from d, any document of an object's shape, the members that the rule never sends, whatever the object says.
 */
void kube_project_cut(struct json_doc *d, const struct kube_rule *rule);

/* Hash of the canonical form of what kube_project, with the same opts, has left in d: the same for every spelling of
 * the object. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_project_hash(struct json_doc *d, const struct kube_project_opts *opts,
                                     uint8_t ret[32], struct err *e);

#endif

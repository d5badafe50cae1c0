/* Objects that are not copied although their kind is. */
#ifndef RESILOG_SINKS_KUBE_SKIP_H
#define RESILOG_SINKS_KUBE_SKIP_H

#include "core/slice.h"

#include <stddef.h>

struct json_doc;
struct kube_rule;

/* Why the object at the document's root is not copied, by the rows of kube_skips: a sentence's end ("every cluster
 * makes its own"); NULL: it is. */
const char *kube_skip_why(struct json_doc *d, struct slice group, struct slice resource);

/* True if the object is made and kept by a controller that does the same in the destination: its controlling owner
 * is of a kind in `selected` ("group/resource" each), or the rule skips all owned objects. */
bool kube_skip_owned(struct json_doc *d, const struct kube_rule *rule, const struct slice *selected,
                     size_t n_selected);

#endif

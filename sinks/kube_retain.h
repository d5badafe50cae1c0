/* Puts the destination's own values into the desired object where the rule says so: leaving them out would reset
 * them. */
#ifndef RESILOG_SINKS_KUBE_RETAIN_H
#define RESILOG_SINKS_KUBE_RETAIN_H

#include "core/err.h"

struct json_doc;
struct kube_rule;

/* Edits desired by the rows of rule->retain; live is only read. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_retain(struct json_doc *live, struct json_doc *desired,
                               const struct kube_rule *rule, struct err *e);

#endif

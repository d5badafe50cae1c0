/* The Services that an object has the destination's API server call: an admission object without one behind it makes
 * other writes fail, so it waits until one of their endpoints is ready. */
#ifndef RESILOG_SINKS_KUBE_SERVICE_H
#define RESILOG_SINKS_KUBE_SERVICE_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>

struct buf;
struct json_doc;
struct kube_rule;

/* Appends the keys ("/services/ns/name") of the Services that the object names where the rule says, each with a NUL
 * behind it, in document order. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc kube_services_named(struct json_doc *d, const struct kube_rule *rule,
                                       struct buf *out, struct err *e);
/* Appends the path of the request for the EndpointSlices of the Service with that key. */
void kube_services_path(struct slice key, struct buf *out);
/* Whether the answer has a ready endpoint. Errors: INVALID (no list), LIMIT, NOMEM. */
MUST_CHECK enum rc kube_services_ready(struct slice answer, bool *ret, struct err *e);

#endif

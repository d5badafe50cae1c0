/* A Kubernetes LabelSelector: matchLabels and matchExpressions (In, NotIn, Exists, DoesNotExist),
 * all of which must hold. */
#ifndef RESILOG_FLOW_SELECTOR_H
#define RESILOG_FLOW_SELECTOR_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

struct json;
struct json_doc;
struct selector;

/* Reads a LabelSelector object; an empty one matches everything. Copies what it needs. Errors:
 * INVALID naming the field (unknown operator, values missing or not allowed, label syntax), NOMEM.
 */
MUST_CHECK enum rc selector_new(struct json_doc *d, const struct json *spec, struct selector **ret,
                                struct err *e);
void selector_free(struct selector *s);
DEFINE_FREEP(struct selector, selector_free)
/* labels is a JSON object of strings, or NULL: no labels. s NULL matches. */
bool selector_matches(const struct selector *s, struct json_doc *d, const struct json *labels);

#endif

/* What our own writes put into an object of the destination, as its server remembers it in managedFields: by plain
 * updates, or by server-side apply (docs/adr/0011). */
#ifndef RESILOG_SINKS_KUBE_OWNED_H
#define RESILOG_SINKS_KUBE_OWNED_H

#include "core/err.h"

#include <stdbool.h>

struct json_doc;

#define KUBE_BY_UPDATE "Update"
#define KUBE_BY_APPLY  "Apply"

/* Makes one entry of that operation of all entries of our field manager in live's version, with what any of them has.
 * *ret_changed tells whether there were others. What nests deeper than KUBE_MERGE_DEPTH is left alone. Errors: LIMIT,
 * NOMEM. */
MUST_CHECK enum rc kube_owned_unite(struct json_doc *live, const char *operation, bool *ret_changed,
                                    struct err *e);

/* Gives a document with the members of live that our field manager wrote last, in live's version: as far down as
 * objects go, null in the place of every other value. Our marks are left out. The caller frees it; NULL: none. A
 * member that somebody else changed since is theirs and is left out. Of several entries the first counts
 * (kube_owned_unite). Errors: LIMIT, NOMEM.
 * Source: Kubernetes API reference, FieldsV1 (meta/v1). */
MUST_CHECK enum rc kube_owned(struct json_doc *live, struct json_doc **ret, struct err *e);

#endif

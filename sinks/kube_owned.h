/* What our own writes put into an object of the destination, as its server remembers it in managedFields. */
#ifndef RESILOG_SINKS_KUBE_OWNED_H
#define RESILOG_SINKS_KUBE_OWNED_H

#include "core/err.h"

struct json_doc;

/* Gives a document with the members of live that our field manager wrote last, in live's version: as far down as
 * objects go, null in the place of every other value. Our marks are left out. The caller frees it; NULL: none. A
 * member that somebody else changed since is theirs and is left out. Errors: LIMIT, NOMEM.
 * Source: Kubernetes API reference, FieldsV1 (meta/v1). */
MUST_CHECK enum rc kube_owned(struct json_doc *live, struct json_doc **ret, struct err *e);

#endif

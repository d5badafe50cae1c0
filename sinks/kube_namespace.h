/* The namespace that is made in the destination where forceNamespaceCreation asks for it. */
#ifndef RESILOG_SINKS_KUBE_NAMESPACE_H
#define RESILOG_SINKS_KUBE_NAMESPACE_H

#include "core/err.h"
#include "core/slice.h"

struct buf;
struct kube_writer;

/* Appends the Namespace: our mark, and the source's labels (JSON object, may be empty) without those that a tool
 * put there. Errors: INVALID (labels), LIMIT, NOMEM. */
MUST_CHECK enum rc kube_namespace_body(struct slice name, struct slice labels,
                                       const struct kube_writer *me, struct buf *out,
                                       struct err *e);

#endif

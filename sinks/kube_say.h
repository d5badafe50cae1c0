/* The sink's diagnostics about the object of a write, with the messages of the custom resources' documentation. */
#ifndef RESILOG_SINKS_KUBE_SAY_H
#define RESILOG_SINKS_KUBE_SAY_H

#include "core/diag_object.h"
#include "sinks/kube_write_priv.h"

/* One line. asked: the request that it is about, which says what changes (a look: what the item shall change) and
 * whether the destination's object is the object or its namespace. why: of a failure, without values; or NULL. */
void kube_say(const struct kube_write *w, enum diag_level level, const char *msg,
              enum kube_next asked, const char *why);

#endif

/* The sink's diagnostics, with the messages and field names of the custom resources' documentation. */
#ifndef RESILOG_SINKS_KUBE_SAY_H
#define RESILOG_SINKS_KUBE_SAY_H

#include "core/diag.h"
#include "core/slice.h"

struct event;

struct kube_said {
    const struct event *event; /* of the source */
    struct slice uid, version; /* of the destination's object, where known */
    const char *type;          /* "create", "update", "delete" */
    const char *error;         /* NULL: none */
};

/* One line about one object; never its content. */
void kube_say(struct diag *d, enum diag_level level, const char *msg, const struct kube_said *what);

#endif

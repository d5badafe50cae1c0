/* The conditions of the rule table (enum kube_when), judged on one object. */
#ifndef RESILOG_SINKS_KUBE_WHEN_H
#define RESILOG_SINKS_KUBE_WHEN_H

#include "sinks/kube_rules.h"

struct json;
struct json_doc;

/* An object, and what was read of it for the conditions. */
struct kube_facts {
    struct json_doc *d;             /* with its managedFields and annotations still in place */
    const struct json_doc *applied; /* the object in its last-applied annotation; NULL: none */
};

/* True if the condition holds for a node of the object. */
bool kube_when(enum kube_when when, const struct kube_facts *facts, const struct json *node);
/* True if the object's autoscaler was the last to write spec.replicas. */
bool kube_scaled(struct json_doc *d);

#endif

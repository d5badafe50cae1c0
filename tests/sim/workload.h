/* What users and other controllers do to both clusters, and what happens to the servers. */
#ifndef RESILOG_TESTS_SIM_WORKLOAD_H
#define RESILOG_TESTS_SIM_WORKLOAD_H

#include "core/slice.h"

struct world;

#define SEQ_ANNOTATION   "seq"   /* on everything that users of the source write */
#define OTHER_ANNOTATION "other" /* another writer's, in the destination */
#define CRD_NAME         "widgets.example.com"

/* Namespaces, the CRD and some objects, before the first run. */
void workload_begin(struct world *w);
/* One thing that a user does, in either cluster. */
void workload_act(struct world *w);
/* What the destination lacks of what nobody copies is made, and what was pinned is let go. */
void workload_heal(struct world *w);

#endif

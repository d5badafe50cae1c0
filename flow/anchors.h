/* Counted offsets, and the lowest of them: what the committed offset must not pass. Nearly all come in ascending order
 * and go about as they came; that is cheap, any other order is allowed. One thread. */
#ifndef RESILOG_FLOW_ANCHORS_H
#define RESILOG_FLOW_ANCHORS_H

#include "core/event.h"
#include "core/scope.h"

struct anchors;

struct anchors *anchors_new(void); /* NULL when out of memory */
void anchors_free(struct anchors *a);
DEFINE_FREEP(struct anchors, anchors_free)

/* Counts one more of an offset above 0. Errors: NOMEM. */
MUST_CHECK enum rc anchors_add(struct anchors *a, rlog_off offset, struct err *e);
/* One less of an offset that is there. */
void anchors_release(struct anchors *a, rlog_off offset);
bool anchors_has(const struct anchors *a, rlog_off offset);
/* The lowest one, or `otherwise` if there is none. */
rlog_off anchors_lowest(const struct anchors *a, rlog_off otherwise);

#endif

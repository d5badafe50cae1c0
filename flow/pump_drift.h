/* The comparison of the destination with what was applied: the part of the pump's inside in pump_drift.c. */
#ifndef RESILOG_FLOW_PUMP_DRIFT_H
#define RESILOG_FLOW_PUMP_DRIFT_H

#include "flow/pump_priv.h"

/* Says when the next comparison with the destination begins: the period from now, give or take a tenth. */
void pump_drift_plan(struct pump *p);
/* One piece of a comparison, if one is due: RC_OK, or RC_AGAIN with when it will be. What the destination does not list
 * is only said. Errors: NOMEM, those of the checkpoint. */
MUST_CHECK enum rc pump_compare(struct pump *p, int64_t *ret_due_ns, struct err *e);
/* Frees what a round holds. */
void pump_drift_done(struct pump *p);

#endif

/* What an order to adopt would be about, and which of it was tried since: the reasons of these tell how the destination
 * is now. */
#ifndef RESILOG_CLI_ADOPT_PLAN_H
#define RESILOG_CLI_ADOPT_PLAN_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct ckpt;
struct hold;
struct order;

struct adopt_plan;
void adopt_plan_free(struct adopt_plan *p);
DEFINE_FREEP(struct adopt_plan, adopt_plan_free)

/* Whether the order adopts this hold: what was given up only where it is named. */
bool adopt_plan_concerns(const struct order *o, struct slice key, const struct hold *h);
/* Notes all that it concerns as it is now. Borrows ckpt and o. Errors: those of ckpt_scan, CORRUPT, UNSUPPORTED, NOMEM. */
MUST_CHECK enum rc adopt_plan_new(struct ckpt *ckpt, const struct order *o, struct adopt_plan **ret,
                                  struct err *e);
/* Whether a hold is not as it was noted any more; true for one that was not there. */
bool adopt_plan_is_fresh(const struct adopt_plan *p, struct slice key, const struct hold *h);
/* How many of the noted holds are still as they were. Errors: as adopt_plan_new. */
MUST_CHECK enum rc adopt_plan_stale(const struct adopt_plan *p, size_t *ret_n, struct err *e);

#endif

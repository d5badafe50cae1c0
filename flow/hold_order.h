/* What a person orders about the holds of a synchronization: to try them now, to give a held event up, or to adopt what
 * is in the way.
 *
 * What is given up stays in the checkpoint as a skipped hold: that event is not tried again, not even by another life,
 * and the object's copy stays as it is. A newer event of the object is applied as usual and ends the hold; so does a
 * changed synchronization, with which an object that lives is tried once, if that gets through or does not select it
 * any more; but a removal that was given up (pruneDeselected) ends only where the object is selected again. HOLD_RETRY
 * takes it back.
 *
 * HOLD_ADOPT tries what is held as "not-ours" now, once as `adopt: always` would: the destination's object becomes a copy
 * and is overwritten. It is not stored: where that try decides nothing the object is held as before.
 *
 * HOLD_LOOK tries now what HOLD_ADOPT would be about, as its back-off would try it later, so that the hold tells how the
 * destination is now: each try counts in its attempts. What was given up stays so. */
#ifndef RESILOG_FLOW_HOLD_ORDER_H
#define RESILOG_FLOW_HOLD_ORDER_H

#include "core/err.h"
#include "core/slice.h"

#include <stddef.h>

struct ckpt;
struct rows;

enum hold_act { HOLD_RETRY, HOLD_SKIP, HOLD_ADOPT, HOLD_LOOK };

struct hold_order {
    enum hold_act act;
    struct slice key; /* empty, not of HOLD_SKIP: all that are fit and not skipped */
};

/* Changes the rows alone: they wait for a commit. Gives how many holds are concerned. Errors: NOTFOUND (the key is not
 * held, any more), CONFLICT (FINAL: a retry of what the prune guard holds, the adoption of or a look at what is held for
 * another reason, a look at what was given up), INVALID (a skip without key), NOMEM. */
MUST_CHECK enum rc hold_order_rows(struct rows *r, const struct hold_order *o, size_t *ret_n,
                                   struct err *e);
/* The same where nobody pumps, committed: in the checkpoint's next life all holds are tried at once in any case.
 * Errors: CONFLICT (FINAL: an adoption, a look), those of hold_order_rows, of loading the checkpoint and of ckpt_commit. */
MUST_CHECK enum rc hold_order_at_rest(struct ckpt *ckpt, struct slice consumer,
                                      const struct hold_order *o, size_t *ret_n, struct err *e);

#endif

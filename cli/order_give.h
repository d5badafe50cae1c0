/* Orders about holds, from what the user wrote to their answer. */
#ifndef RESILOG_CLI_ORDER_GIVE_H
#define RESILOG_CLI_ORDER_GIVE_H

#include "controller/order_board.h"
#include "core/err.h"

#include <stdbool.h>

struct env;

/* What the user wrote. */
struct order_wish {
    const char *data; /* the data folder */
    enum hold_act act;
    const char *sync;   /* "name" or "namespace/name" */
    const char *object; /* KIND/NAME or a key (cli/hold_find.h); NULL: all */
    const char *ns;     /* of the object; NULL: in any */
};

/* Refuses what would be taken for less than it orders: a namespace without an object. Errors: INVALID. */
MUST_CHECK enum rc order_wish_check(const struct order_wish *wish, struct err *e);

/* The order with its full names. Errors: those of names_one, hold_find and of opening what they read. */
MUST_CHECK enum rc order_find(const struct order_wish *wish, const struct env *env,
                              struct order *ret, struct err *e);
/* Has the running instance carry it out; where none runs it is done here. Gives how many holds are concerned, and
 * whether nobody pumps now (*ret_at_rest), so that what is to be tried waits until somebody does. Errors: those of the
 * order (flow/hold_order.h); CONFLICT (an instance runs and takes no orders, its synchronization is not at work),
 * UNAVAILABLE (no answer: it may have been carried out), those of the checkpoint. */
MUST_CHECK enum rc order_give(const char *data, const struct env *env, const struct order *o,
                              size_t *ret_n, bool *ret_at_rest, struct err *e);

#endif

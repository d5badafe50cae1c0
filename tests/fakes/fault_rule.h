/* When one method of a fault decorator fails, and with what. */
#ifndef RESILOG_TESTS_FAULT_RULE_H
#define RESILOG_TESTS_FAULT_RULE_H

#include "core/err.h"

#include <stdbool.h>

struct fault_rule {
    unsigned pass;  /* this many calls go through first */
    unsigned times; /* this many fail then; 0: all */
    enum rc rc;     /* < 0; RC_OK: none fails */
    enum err_retry retry;
    bool
        done; /* only of calls that change something: the inner call is made, and only its answer is lost */
};

/* What a decorator keeps of one method. Zero-initialize. */
struct fault_counter {
    struct fault_rule rule;
    unsigned calls; /* made so far, failures included */
};

/* Counts a call; true if it is to fail. */
bool fault_counter_fails(struct fault_counter *c);
/* The failure of a call that is to fail; the rule goes with its last one. */
enum rc fault_counter_fail(struct fault_counter *c, struct err *e);

#endif

/* A log that fails on demand: a decorator for tests. */
#ifndef RESILOG_TESTS_RLOG_FAULT_H
#define RESILOG_TESTS_RLOG_FAULT_H

#include "log/rlog.h"
#include "tests/fakes/fault_rule.h"

enum rlog_fault_call {
    RLOG_FAULT_APPEND,
    RLOG_FAULT_BOUNDS,
    RLOG_FAULT_CURSOR,
    RLOG_FAULT_LAST,
    RLOG_FAULT_HISTORY,
    RLOG_FAULT_SEEK,
    RLOG_FAULT_TRIM,
    RLOG_FAULT_MAINTAIN,
    RLOG_FAULT_NEXT, /* of any iterator of this log; the failure sticks to that iterator */
    RLOG_FAULT_CALLS
};

/* Takes inner in every case. NULL when out of memory. */
struct rlog *rlog_fault_new(struct rlog *inner);
/* Sets the rule of one method, counted from now. l must be from rlog_fault_new. */
void rlog_fault_set(struct rlog *l, enum rlog_fault_call call, const struct fault_rule *rule);
/* How often the method was called, failures included. */
unsigned rlog_fault_count(const struct rlog *l, enum rlog_fault_call call);

#endif

/* Checkpoints that fail on demand: a decorator for tests. */
#ifndef RESILOG_TESTS_CKPT_FAULT_H
#define RESILOG_TESTS_CKPT_FAULT_H

#include "log/ckpt.h"
#include "tests/fakes/fault_rule.h"

enum ckpt_fault_call {
    CKPT_FAULT_LOAD,
    CKPT_FAULT_GET,
    CKPT_FAULT_SCAN,
    CKPT_FAULT_COMMIT,
    CKPT_FAULT_LIST,
    CKPT_FAULT_REMOVE,
    CKPT_FAULT_LET_GO, /* never fails, is only counted */
    CKPT_FAULT_CALLS
};

/* Takes inner in every case. NULL when out of memory. */
struct ckpt *ckpt_fault_new(struct ckpt *inner);
/* Sets the rule of one method, counted from now. c must be from ckpt_fault_new. */
void ckpt_fault_set(struct ckpt *c, enum ckpt_fault_call call, const struct fault_rule *rule);
/* How often the method was called, failures included. */
unsigned ckpt_fault_count(const struct ckpt *c, enum ckpt_fault_call call);

#endif

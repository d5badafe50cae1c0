/* Checkpoints that fail on demand: a decorator for tests. */
#ifndef RESILOG_TESTS_CKPT_FAULT_H
#define RESILOG_TESTS_CKPT_FAULT_H

#include "log/ckpt.h"

enum ckpt_fault_call {
    CKPT_FAULT_LOAD,
    CKPT_FAULT_GET,
    CKPT_FAULT_SCAN,
    CKPT_FAULT_COMMIT,
    CKPT_FAULT_LIST,
    CKPT_FAULT_REMOVE,
    CKPT_FAULT_CALLS
};

struct ckpt_fault {
    unsigned pass;  /* this many calls go through first */
    unsigned times; /* this many fail then; 0: all */
    enum rc rc;     /* < 0; RC_OK takes the rule away */
    enum err_retry retry;
    bool done; /* only where it matters, for commit and remove: the inner call is made, and only its
                  answer is lost */
};

/* Takes inner in every case. NULL when out of memory. */
struct ckpt *ckpt_fault_new(struct ckpt *inner);
/* Sets the rule of one method, counted from now. c must be from ckpt_fault_new. */
void ckpt_fault_set(struct ckpt *c, enum ckpt_fault_call call, const struct ckpt_fault *rule);
/* How often the method was called, failures included. */
unsigned ckpt_fault_count(const struct ckpt *c, enum ckpt_fault_call call);

#endif

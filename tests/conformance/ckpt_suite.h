/* The contract of log/ckpt.h as tests: every back end runs the same suite. */
#ifndef RESILOG_TESTS_CKPT_SUITE_H
#define RESILOG_TESTS_CKPT_SUITE_H

#include "log/ckpt.h"

/* How to make checkpoint stores of one back end. A place is where one store lives, whether it is
 * open or not. */
struct ckpt_backend {
    const char *name;
    void *(*make)(void); /* an empty place. Never NULL. */
    enum rc (*open)(void *place, enum ckpt_access access, struct ckpt **ret, struct err *e);
    /* As if the process died now: takes its handle; open works on what the disk held then. No other
     * handle is open. */
    void (*crash)(void *place, struct ckpt *c);
    void (*destroy)(void *place); /* all handles are closed */
    bool has_access;              /* a store opened with CKPT_READ refuses to write */
};

/* Runs all tests; the number of failed ones. */
int ckpt_suite_run(const struct ckpt_backend *backend);

#endif

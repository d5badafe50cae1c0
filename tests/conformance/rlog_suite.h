/* The contract of log/rlog.h as tests: every back end runs the same suite. */
#ifndef RESILOG_TESTS_RLOG_SUITE_H
#define RESILOG_TESTS_RLOG_SUITE_H

#include "log/rlog.h"

struct env;

/* How to make logs of one back end. A place is where one log lives, whether it is open or not. */
struct rlog_backend {
    const char *name;
    void *(*make)(const struct env *env); /* an empty place; env lives longer. Never NULL. */
    enum rc (*open)(void *place, enum rlog_access access, struct rlog **ret, struct err *e);
    /* As if the writer's process died now: takes its handle; open works on what the disk held then.
     * No other handle is open. */
    void (*crash)(void *place, struct rlog *writer);
    void (*destroy)(void *place); /* all handles are closed */
    bool takes_over; /* a second writer fences the first; else opening it is refused with CONFLICT
                        while the first is open */
    /* This many events of one each, then maintain until RC_AGAIN: now trim of the first half
     * forgets something. 0: the tests of trim are skipped. */
    unsigned trim_events;
};

/* Runs all tests; the number of failed ones. */
int rlog_suite_run(const struct rlog_backend *backend);

#endif

/* A program that is run for its output: without a shell, in a process group of its own that ends with it, with a time
 * limit and bounded output, and never waited for: its descriptors are polled beside all others. What it says on
 * standard error goes nowhere, standard input is empty. */
#ifndef RESILOG_IO_CHILD_H
#define RESILOG_IO_CHILD_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

struct child;

struct child_opts {
    const char *const *argv; /* up to a NULL; argv[0] is looked for in PATH where it holds no '/' */
    const char *const *env; /* "NAME=value" up to a NULL, before and beside what this process has */
    size_t output_max;
    int64_t within_ns;
};

/* Starts it. Errors: INVALID ("cannot be started: ..."), NOMEM. */
MUST_CHECK enum rc child_start(const struct child_opts *opts, int64_t now_ns, struct child **ret,
                               struct err *e);
/* Goes on: RC_AGAIN while it runs; RC_OK once it ended with exit code 0, and so for ever. Errors, whose texts tell no
 * output and go on after "the program": INVALID (another exit code, a signal, too much output, no end in time),
 * NOMEM. */
MUST_CHECK enum rc child_step(struct child *c, int64_t now_ns, struct err *e);
/* All that it wrote to standard output; of a child that ended well. Lives as long as the child. */
struct slice child_output(const struct child *c);

#define CHILD_FDS 2
/* Fills what to wait for until the next step; returns how many. */
size_t child_poll(const struct child *c, struct pollfd out[CHILD_FDS]);
int64_t child_due(const struct child *c); /* when its time is over, by the clock of now_ns */

/* Ends it and frees; output is overwritten. */
void child_close(struct child *c);
DEFINE_FREEP(struct child, child_close)

#endif

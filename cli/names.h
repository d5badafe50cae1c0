/* The synchronizations of a data folder by name. */
#ifndef RESILOG_CLI_NAMES_H
#define RESILOG_CLI_NAMES_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct ckpt;

#define NAMES_MAX 10000

typedef enum rc names_fn(void *arg, struct slice consumer, struct err *e);
/* Calls fn for each synchronization that has a checkpoint and is meant by wanted (NULL: all), in byte order; fn may
 * look at it then, which is not allowed from inside the store's own walk. A checkpoint that cannot be read, and what
 * fn cannot do, is told on standard error and passed over, so that it does not hide the others. Gives how many were
 * meant, and returns the exit code that goes with the first failure, EXIT_DONE without any. */
int names_each(struct ckpt *ckpt, const char *wanted, names_fn *fn, void *arg, size_t *ret_meant);

/* Appends the full name of the one synchronization that has a checkpoint and is meant by wanted. Errors: NOTFOUND (with
 * what there is), INVALID (several are meant), LIMIT, those of ckpt_list where none is meant. */
MUST_CHECK enum rc names_one(struct ckpt *ckpt, const char *wanted, struct buf *ret, struct err *e);

/* True if what the user wrote, "name" or "namespace/name", means this one. */
bool name_is(struct slice consumer, const char *wanted);

#endif

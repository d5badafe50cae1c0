/* The synchronizations of a data folder by name. */
#ifndef RESILOG_CLI_NAMES_H
#define RESILOG_CLI_NAMES_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct ckpt;

#define NAMES_MAX 10000

struct names {
    char *list[NAMES_MAX]; /* "namespace/name" */
    size_t n;
};

/* All that have a checkpoint, in byte order: they may be looked at then, which is not allowed from inside the store's own
 * walk. Errors: LIMIT (more than NAMES_MAX), NOMEM, those of ckpt_list. */
MUST_CHECK enum rc names_of_consumers(struct ckpt *ckpt, struct names **ret, struct err *e);
void names_free(struct names *n);
DEFINE_FREEP(struct names, names_free)

/* True if what the user wrote, "name" or "namespace/name", means this one. */
bool name_is(struct slice consumer, const char *wanted);

#endif

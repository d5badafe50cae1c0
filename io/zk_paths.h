/* A queue of paths in little more memory than their bytes, each with a number that is the caller's. */
#ifndef RESILOG_IO_ZK_PATHS_H
#define RESILOG_IO_ZK_PATHS_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct zk_paths_chunk;
struct zk_paths {
    struct zk_paths_chunk *first, *last;
    size_t n;     /* paths */
    size_t bytes; /* of memory */
    size_t max;   /* bytes it may take */
};

/* An empty queue; takes no memory yet. */
void zk_paths_init(struct zk_paths *q, size_t max);
void zk_paths_done(struct zk_paths *q);
/* Appends parent + "/" + name ("/" + name where parent is "/"; parent alone where name is empty). Errors: LIMIT (max,
 * or one path of 4 GiB), NOMEM; then nothing was appended. */
MUST_CHECK enum rc zk_paths_push(struct zk_paths *q, struct slice parent, struct slice name,
                                 uint32_t number, struct err *e);
/* The first one; false if there is none. Lives until it is popped. */
bool zk_paths_peek(const struct zk_paths *q, struct slice *ret_path, uint32_t *ret_number);
void zk_paths_pop(struct zk_paths *q); /* of one that is there */

#endif

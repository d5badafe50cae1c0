/* Asks whoever serves a socket of a folder (io/line_server.h). */
#ifndef RESILOG_IO_LINE_ASK_H
#define RESILOG_IO_LINE_ASK_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

struct buf;
struct env;

/* Sends the question and waits for its answer, which is appended without its newline. Blocks, at most timeout_ns.
 * Errors: NOTFOUND (nobody serves it), UNAVAILABLE (no answer in that time, or none at all: the question may have been
 * heard), CONFLICT (too many ask at the same time), DENIED, LIMIT, INVALID (that was no line), IO. */
MUST_CHECK enum rc line_ask(const char *dir, const char *name, struct slice question,
                            int64_t timeout_ns, const struct env *env, struct buf *ret,
                            struct err *e);

#endif

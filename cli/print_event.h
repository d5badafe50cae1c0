/* One event of the log in each of the output formats of `log show`. */
#ifndef RESILOG_CLI_PRINT_EVENT_H
#define RESILOG_CLI_PRINT_EVENT_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>

struct buf;
struct event;

/* Appends {"offset", "time", "op", "cause", "key", "apiVersion", "kind", "resourceVersion", "uid", "manager",
 * "source", "epoch", "incarnation", "object"}; before "object" the members of `more` (JSON text that begins with a
 * comma; empty: none). The values in a Secret are "***" unless show_secrets. A body
 * that is not JSON is given as null, and so is a masked one that is no object. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc print_event_json(const struct event *ev, struct slice more, bool show_secrets,
                                    struct buf *out, struct err *e);
/* Appends the cells of the table, each followed by a NUL: time, offset, op, key, manager. */
void print_event_cells(const struct event *ev, struct buf *out);

#endif

/* What changed between two states of one object, as a JSON Patch or for a person. metadata.managedFields and
 * metadata.resourceVersion are left out: they change with every write. */
#ifndef RESILOG_CLI_PRINT_CHANGES_H
#define RESILOG_CLI_PRINT_CHANGES_H

#include "core/err.h"

#include <stdbool.h>

struct buf;
struct json_doc;

/* Appends the RFC 6902 patch that leads from one to the other. mask: the values of a Secret are SECRET_MASK.
 * Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc print_changes_patch(struct json_doc *before, struct json_doc *after, bool mask,
                                       struct buf *out, struct err *e);
/* Appends a line for each change: "    /path: old -> new", "  + /path: new", "  - /path: old"; long values are cut.
 * Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc print_changes_text(struct json_doc *before, struct json_doc *after, bool mask,
                                      struct buf *out, struct err *e);

#endif

/* What of a Secret is not shown: its values. The one place that decides it. A znode's data is shown as any object is:
 * nothing tells which of it is secret. */
#ifndef RESILOG_CLI_SECRET_MASK_H
#define RESILOG_CLI_SECRET_MASK_H

#include "core/err.h"
#include "core/event.h"
#include "core/slice.h"

#include <stdbool.h>

struct json_doc;

#define SECRET_MASK "***"

/* True if the key is a Secret's; a znode may have the same one. */
bool secret_is(enum event_source_kind source, struct slice key);
/* True if a JSON pointer leads into a Secret's values. */
bool secret_holds(struct slice pointer);
/* Replaces every value by SECRET_MASK and cuts the annotation that repeats them; names stay. The root must be an
 * object. Errors: LIMIT, NOMEM. */
MUST_CHECK enum rc secret_mask(struct json_doc *d, struct err *e);
/* Cuts the annotation alone. */
void secret_cut_copy(struct json_doc *d);

#endif

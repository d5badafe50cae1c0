/* Who the source of a log is, and who it was before: the log's event "@epoch/source".
 *
 * A source that is another cluster is refused until a person accepts it; then the log goes on in a new incarnation,
 * and what was copied from the clusters before it belongs to the same synchronizations. */
#ifndef RESILOG_FLOW_SOURCE_IDENTITY_H
#define RESILOG_FLOW_SOURCE_IDENTITY_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct json_doc;
struct rlog;

#define SOURCE_KEY        "@epoch/source"
#define SOURCE_FORMER_MAX 8

struct source_identity {
    struct json_doc *doc; /* holds the texts */
    uint64_t incarnation;
    struct slice identity;
    struct slice former[SOURCE_FORMER_MAX]; /* accepted away, the latest first */
    size_t n_former;
};

/* Gives what the log says last. Errors: NOTFOUND (nothing yet), INVALID, NOMEM, the log's. */
MUST_CHECK enum rc source_identity_load(struct rlog *log, struct source_identity *ret,
                                        struct err *e);
void source_identity_done(struct source_identity *s);
/* True if the source was that cluster once. */
bool source_identity_was(const struct source_identity *s, struct slice identity);
/* The event's body: `identity` follows on `before` (NULL: it is the first). The oldest of more than SOURCE_FORMER_MAX
 * is forgotten: what still bears its marks is then another's. */
void source_identity_print(const struct source_identity *before, struct slice identity,
                           uint64_t incarnation, struct buf *out);

#endif

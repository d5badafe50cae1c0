/* Diagnostics: what resilog says about itself. (The word "log" means the replication log.)
 *
 * Text for a person on a terminal, one JSON object a line elsewhere, with the field names that the custom
 * resources' documentation gives: level, timestamp, msg, process.id, event.type, sourceObject.*,
 * sourceCluster.*, destinationObject.*, destinationCluster.*, lastUpdate.*. A field's name is its path
 * ("sourceObject.name"); neighbours with the same first part become one JSON object. Never pass an object's
 * body or a credential. docs/reference/diagnostics.md lists fields and messages. */
#ifndef RESILOG_CORE_DIAG_H
#define RESILOG_CORE_DIAG_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct clock;
struct diag;

enum diag_level { DIAG_DEBUG, DIAG_INFO, DIAG_WARN, DIAG_ERROR };
enum diag_format { DIAG_TEXT, DIAG_JSON };
/* Text is kept short for a person; JSON says all. */
enum diag_where { DIAG_EVERYWHERE, DIAG_TEXT_ONLY, DIAG_JSON_ONLY };

struct diag_field {
    enum diag_where where;
    const char *path;
    struct slice text; /* written as a string; used where is_number is false */
    int64_t number;
    int is_number;
};
#define DIAG_S(path_, text_) ((struct diag_field){.path = (path_), .text = (text_)})
/* Only in JSON, only in text. */
#define DIAG_J(path_, text_)                                                                       \
    ((struct diag_field){.where = DIAG_JSON_ONLY, .path = (path_), .text = (text_)})
#define DIAG_T(path_, text_)                                                                       \
    ((struct diag_field){.where = DIAG_TEXT_ONLY, .path = (path_), .text = (text_)})
#define DIAG_N(path_, number_)                                                                     \
    ((struct diag_field){.path = (path_), .number = (int64_t)(number_), .is_number = 1})

/* Where lines go; write gets one whole line with its newline and may be called from any thread, one call at a time. */
typedef void diag_write_fn(void *arg, const char *line, size_t n);

/* Borrows clock and arg. NULL when out of memory. Lines below `least` are dropped. */
struct diag *diag_new(struct clock *clock, enum diag_format format, enum diag_level least,
                      diag_write_fn *write, void *arg);
void diag_free(struct diag *d);

#define DIAG_RULES_MAX 16
/* Another least level for the diags that are bound from now on, to d or to what is bound to it, and that have this text
 * in that field; of several rules that fit the last one counts. d: of diag_new. Borrows both texts. At most
 * DIAG_RULES_MAX. */
void diag_rule(struct diag *d, const char *path, const char *text, enum diag_level least);

/* Another least level of a diag that was bound, before others use it; a rule that fits it counts for more. d may be
 * NULL. */
void diag_set_least(struct diag *d, enum diag_level least);

#define DIAG_BOUND_MAX 16
/* Gives a diag that says its lines where d says them, with these fields (after d's own bound ones) in front of each
 * line's: who is speaking. One of a path that d has bound takes its place. At most DIAG_BOUND_MAX in all. Copies the
 * texts, borrows the paths; d must outlive it. Of a silent d (NULL): NULL. Errors: NOMEM. */
MUST_CHECK enum rc diag_bind(struct diag *d, const struct diag_field *fields, size_t n,
                             struct diag **ret, struct err *e);

DEFINE_FREEP(struct diag, diag_free)

/* Whether lines of this level are said at all: for what costs something to find out. */
bool diag_says(const struct diag *d, enum diag_level level);
/* Says one line; safe from any thread; d may be NULL (silent). A line is at most 8 KiB; longer values are cut
 * with "...". The same level, msg and fields within 10 s are said once and counted: "(repeated N times)" is
 * added at the next one. */
void diag_say(struct diag *d, enum diag_level level, const char *msg,
              const struct diag_field *fields, size_t n);
#define DIAG(d, level, msg, ...)                                                                   \
    diag_say((d), (level), (msg), (const struct diag_field[]){__VA_ARGS__},                        \
             sizeof((const struct diag_field[]){__VA_ARGS__}) / sizeof(struct diag_field))
/* A failure with its error's text in the field "error". */
void diag_error(struct diag *d, enum diag_level level, const char *msg, const struct err *e);

#endif

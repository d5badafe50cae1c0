/* Aligned columns on a terminal: the door to libsmartcols. */
#ifndef RESILOG_CLI_TABLE_H
#define RESILOG_CLI_TABLE_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>
#include <stddef.h>

struct table;
struct table_column {
    const char *title;
    bool right; /* aligned */
};

/* Lines that table_add colours; names of libsmartcols. */
#define TABLE_RED    "red"
#define TABLE_YELLOW "yellow"

/* colours: whether lines may have some. Errors: NOMEM. */
MUST_CHECK enum rc table_new(const struct table_column *columns, size_t n, bool colours,
                             struct table **ret, struct err *e);
void table_free(struct table *t);
DEFINE_FREEP(struct table, table_free)
/* Adds a row: as many NUL-terminated cells, one behind the other, in that colour (NULL: none). Copies. Errors:
 * NOMEM. */
MUST_CHECK enum rc table_add(struct table *t, const char *cells, const char *colour, struct err *e);
/* Prints the rows added since the last call, the header once, to standard output. */
void table_print(struct table *t);

#endif

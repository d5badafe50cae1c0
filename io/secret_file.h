/* Small files that hold a credential: reading them, and telling whether they were changed. */
#ifndef RESILOG_IO_SECRET_FILE_H
#define RESILOG_IO_SECRET_FILE_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SECRET_FILE_MAX (1 << 20)

/* Gives the file's text without white space at its end. Errors: INVALID ("<path>: why"), LIMIT, NOMEM. */
MUST_CHECK enum rc secret_file_read(const char *path, char **ret, struct err *e);
/* True for what may be certificates or a key. */
bool secret_is_pem(struct slice text);
/* Overwrites and frees; NULL is allowed. */
void secret_free(char *text);

/* What tells two states of a file apart without reading it; all zero where there is none. */
struct secret_file_state {
    int64_t part[7];
};
void secret_file_look(const char *path, struct secret_file_state *ret);
bool secret_file_same(const struct secret_file_state *a, const struct secret_file_state *b);

#endif

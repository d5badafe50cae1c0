/* Where a reading of the log ended, as text: "<source>@<last offset read>". */
#ifndef RESILOG_CLI_LOG_CURSOR_H
#define RESILOG_CLI_LOG_CURSOR_H

#include "core/event.h"

struct buf;

#define LOG_CURSOR_MAX 4096

/* Appends the cursor. */
void log_cursor_print(struct slice source, rlog_off last, struct buf *out);
/* Reads one. next is the offset behind the log's end. Errors: INVALID (no cursor, of another source, behind the
 * end). */
MUST_CHECK enum rc log_cursor_parse(struct slice text, struct slice source, rlog_off next,
                                    rlog_off *ret, struct err *e);
/* Appends what the file holds, without the end of its line; nothing where there is no file. Errors: LIMIT, IO,
 * DENIED. */
MUST_CHECK enum rc log_cursor_load(const char *path, struct buf *out, struct err *e);
/* Replaces the file as a whole. Errors: IO, DENIED, LIMIT (no room). */
MUST_CHECK enum rc log_cursor_save(const char *path, struct slice text, struct err *e);

#endif

/* One line of text each way over a socket of a folder: how another process of the same user asks this one for
 * something. What the framing and both ends share. */
#ifndef RESILOG_IO_LINE_H
#define RESILOG_IO_LINE_H

#include "core/err.h"
#include "core/slice.h"

struct sockaddr_un;

#define LINE_BYTES_MAX (16u << 10) /* of a line, without its newline */

/* The line in the bytes received so far, without its newline: RC_OK; RC_AGAIN: its end is still to come. Errors: LIMIT
 * (longer than LINE_BYTES_MAX), INVALID (empty, a NUL in it, something behind it). */
MUST_CHECK enum rc line_find(struct slice bytes, struct slice *ret, struct err *e);

/* Opens the folder dir, and gives the address of the socket `name` in it, which is good as long as the folder's
 * descriptor is open: a path may be longer than an address. The caller closes *ret_dir. Errors: those of open. */
MUST_CHECK enum rc line_address(const char *dir, const char *name, int *ret_dir,
                                struct sockaddr_un *ret, struct err *e);

#endif

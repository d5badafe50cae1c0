/* What a server said, made fit to be part of a message. */
#ifndef RESILOG_IO_SAID_H
#define RESILOG_IO_SAID_H

#include "core/slice.h"

/* Copies text as one line that ends in a zero byte, cut to size (1 at least): control characters become blanks, no
 * character is split. */
void said_copy(char *out, size_t size, struct slice text);

#endif

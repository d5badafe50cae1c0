/* "Did you mean ...?": of many names the one most like a text, by edit distance (insert, delete,
 * replace, swap of neighbours; upper and lower case are alike). */
#ifndef RESILOG_CONTROLLER_NEAREST_H
#define RESILOG_CONTROLLER_NEAREST_H

#include "core/slice.h"

#define NEAREST_BYTES_MAX 128 /* longer texts are like none */

struct nearest {
    struct slice text;
    size_t distance;  /* of name */
    const char *name; /* NULL: none so far is like text */
};
#define NEAREST_INIT(text_)                                                                        \
    {                                                                                              \
        .text = (text_)                                                                            \
    }

/* Keeps name if it is nearer than what is kept, and near at all: less than a third of the characters
 * differ. Borrows name; NULL is allowed. */
void nearest_try(struct nearest *n, const char *name);

#endif

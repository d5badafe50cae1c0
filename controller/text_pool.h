/* Copies of texts that live as long as their pool. */
#ifndef RESILOG_CONTROLLER_TEXT_POOL_H
#define RESILOG_CONTROLLER_TEXT_POOL_H

#include "core/slice.h"

struct pool_text;

struct text_pool {
    struct pool_text *last;
    bool nomem; /* sticky: some text is missing */
};

/* A copy with a NUL behind it; "" when out of memory. */
const char *text_pool_add(struct text_pool *p, struct slice text);
/* "a<sep>b" */
const char *text_pool_join(struct text_pool *p, struct slice a, char sep, struct slice b);
void text_pool_done(struct text_pool *p);

#endif

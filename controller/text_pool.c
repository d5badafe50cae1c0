/* A chain of allocations, one a text, freed together. One thread. */
#include "controller/text_pool.h"

#include <stdlib.h>

struct pool_text {
    struct pool_text *before;
    char text[];
};

static char *reserve(struct text_pool *p, size_t n)
{
    struct pool_text *t = calloc(1, sizeof *t + n + 1);
    if (!t) {
        p->nomem = true;
        return NULL;
    }
    t->before = p->last;
    p->last = t;
    return t->text;
}

static char *put(char *at, struct slice text)
{
    if (text.n)
        memcpy(at, text.p, text.n);
    return at + text.n;
}

const char *text_pool_add(struct text_pool *p, struct slice text)
{
    char *copy = reserve(p, text.n);
    if (!copy)
        return "";
    put(copy, text);
    return copy;
}

const char *text_pool_join(struct text_pool *p, struct slice a, char sep, struct slice b)
{
    char *copy = reserve(p, a.n + 1 + b.n);
    if (!copy)
        return "";
    char *at = put(copy, a);
    *at = sep;
    put(at + 1, b);
    return copy;
}

void text_pool_done(struct text_pool *p)
{
    while (p->last) {
        struct pool_text *t = p->last;
        p->last = t->before;
        free(t);
    }
}

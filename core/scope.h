/* Scope clean-up: `AUTO(buf_done) struct buf b = ...;` runs at the end of the block; `steal(&p)` hands over. */
#ifndef RESILOG_CORE_SCOPE_H
#define RESILOG_CORE_SCOPE_H

#include <stdlib.h>

#define AUTO(function) __attribute__((cleanup(function)))

/* For heap memory: AUTO(freep) char *s = ...; */
static inline void freep(void *pointer)
{
    void **p = pointer;
    free(*p);
    *p = NULL;
}

/* Takes the pointer out of a variable so that its clean-up does nothing. */
#define steal(pp)                                                                                  \
    __extension__({                                                                                \
        __typeof__(*(pp)) stolen_ = *(pp);                                                         \
        *(pp) = NULL;                                                                              \
        stolen_;                                                                                   \
    })

/* Defines x_freep for AUTO from a destructor x_free(struct x *). */
#define DEFINE_FREEP(type, destructor)                                                             \
    static inline void destructor##p(type **p) /* NOLINT(bugprone-macro-parentheses) */            \
    {                                                                                              \
        destructor(*p);                                                                            \
        *p = NULL;                                                                                 \
    }

#endif

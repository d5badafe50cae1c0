/* A growing list of offsets. Keeps: its array. Failure modes: NOMEM leaves the list as it was.
 * Threads: the caller's. */
#include "log/offset_list.h"

#include <stdlib.h>

enum rc offset_list_add(struct offset_list *l, rlog_off at, struct err *e)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        rlog_off *p = realloc(l->p, cap * sizeof(*p));
        if (!p)
            return err_nomem(e);
        l->p = p;
        l->cap = cap;
    }
    l->p[l->n++] = at;
    return RC_OK;
}

static int compare(const void *a, const void *b)
{
    rlog_off x = *(const rlog_off *)a, y = *(const rlog_off *)b;
    return (x > y) - (x < y);
}

void offset_list_sort(struct offset_list *l)
{
    if (l->n > 1)
        qsort(l->p, l->n, sizeof(*l->p), compare);
}

void offset_list_done(struct offset_list *l)
{
    free(l->p);
    *l = (struct offset_list){0};
}

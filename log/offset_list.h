/* A growing list of offsets. */
#ifndef RESILOG_LOG_OFFSET_LIST_H
#define RESILOG_LOG_OFFSET_LIST_H

#include "core/event.h"

/* Zero-initialize. */
struct offset_list {
    rlog_off *p;
    size_t n, cap;
};

/* Errors: NOMEM. */
MUST_CHECK enum rc offset_list_add(struct offset_list *l, rlog_off at, struct err *e);
void offset_list_sort(struct offset_list *l);
void offset_list_done(struct offset_list *l); /* frees; empty and usable again */

#endif

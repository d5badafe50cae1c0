/* Lines of diagnostics about objects, with what the log knows of them: the object's event, and the one before. */
#ifndef RESILOG_FLOW_FLOW_SAY_H
#define RESILOG_FLOW_FLOW_SAY_H

#include "core/diag.h"

struct event;
struct rlog;

struct flow_line {
    enum diag_level level;
    const char *msg;
    const struct diag_field *more; /* of this message alone */
    size_t n_more;                 /* at most DIAG_OBJECT_MORE */
};

/* One line about the object of ev, which has at least key and offset: without a body it is looked up. What the log
 * does not hold (a delete that was made up has offset 0; others were trimmed) is not said. The log is asked only if
 * the line is. */
void flow_say(struct diag *d, struct rlog *log, const struct event *ev,
              const struct flow_line *line);
/* A copy without body (for free()) of the last event of the same key before ev; NULL where there is none, or it
 * cannot be had. */
struct event *flow_before(struct rlog *log, const struct event *ev);

#endif

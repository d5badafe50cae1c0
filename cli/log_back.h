/* A range of the log from its end to its beginning. */
#ifndef RESILOG_CLI_LOG_BACK_H
#define RESILOG_CLI_LOG_BACK_H

#include "core/event.h"

struct rlog;
struct rlog_range;

#define LOG_BACK_EVENTS 1024        /* read at once at the most */
#define LOG_BACK_BYTES  (64u << 20) /* kept at once at the most, but for a single event */

/* True: the event is kept and given; else it is passed over. */
typedef bool log_back_want_fn(void *arg, const struct event *ev);
/* Takes over the event (free it with free()). RC_END: enough. */
typedef enum rc log_back_fn(void *arg, struct event *ev, struct err *e);

/* Gives the events of range (mode every, until not 0) that are wanted, newest first, until there are no more or give
 * says RC_END (then RC_OK). Errors: those of reading, NOMEM, give's. */
MUST_CHECK enum rc log_back(struct rlog *log, const struct rlog_range *range,
                            log_back_want_fn *want, log_back_fn *give, void *arg, struct err *e);

#endif

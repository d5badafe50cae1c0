/* A range of the log from its end to its beginning. */
#ifndef RESILOG_CLI_LOG_BACK_H
#define RESILOG_CLI_LOG_BACK_H

#include "core/event.h"

struct rlog;
struct rlog_range;

#define LOG_BACK_EVENTS 1024        /* read at once at the most */
#define LOG_BACK_BYTES  (64u << 20) /* kept at once at the most, but for a single event */

struct log_back_opts {
    /* True: the event is kept and given; else it is passed over. */
    bool (*want)(void *arg, const struct event *ev);
    /* Takes over the event (free it with free()). RC_END: enough. */
    enum rc (*give)(void *arg, struct event *ev, struct err *e);
    void *arg;
    size_t most; /* no more are given, and nothing is read before them; 0: all */
};

/* Gives the events of range (mode every, until not 0) that are wanted, newest first, until there are no more or give
 * says RC_END (then RC_OK). Errors: those of reading, NOMEM, give's. */
MUST_CHECK enum rc log_back(struct rlog *log, const struct rlog_range *range,
                            const struct log_back_opts *opts, struct err *e);

#endif

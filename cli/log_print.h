/* Events on standard output, in one of the formats of `log show`. */
#ifndef RESILOG_CLI_LOG_PRINT_H
#define RESILOG_CLI_LOG_PRINT_H

#include "core/err.h"
#include "core/scope.h"

#include <stdbool.h>

struct event;
struct log_print;
struct rlog;

enum log_format { LOG_TABLE, LOG_JSON, LOG_JSONL, LOG_YAML };

struct log_print_opts {
    enum log_format format;
    bool show_secrets;
    bool patch;       /* say what each event changed */
    bool colours;     /* of a table's lines */
    struct rlog *log; /* where the states before are found; borrowed */
};

/* Errors: NOMEM. */
MUST_CHECK enum rc log_print_new(const struct log_print_opts *opts, struct log_print **ret,
                                 struct err *e);
void log_print_free(struct log_print *p);
DEFINE_FREEP(struct log_print, log_print_free)

/* Prints one event; a table's lines may wait for log_print_flush. Errors: LIMIT, NOMEM, those of reading the log. */
MUST_CHECK enum rc log_print_event(struct log_print *p, const struct event *ev, struct err *e);
void log_print_flush(struct log_print *p);
/* Ends what was begun, so that it is valid even after a failure; sound: no failure happened. */
void log_print_end(struct log_print *p, bool sound);

#endif

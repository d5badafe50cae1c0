/* Which lines of the diagnostics are said: --log-level LEVEL for all, --log-level COMPONENT=LEVEL for one. */
#ifndef RESILOG_CLI_LOG_LEVELS_H
#define RESILOG_CLI_LOG_LEVELS_H

#include "cli/cli.h"
#include "controller/speaker.h"
#include "core/diag.h"

struct log_levels {
    enum diag_level least; /* of all that have none of their own */
    bool said;             /* least was: it counts for more than what a synchronization asks for */
    enum diag_level of[SPEAKERS];
    bool has[SPEAKERS]; /* one of its own */
};

/* Reads the values of the option; of several for the same the last one counts, info where there is none. Errors:
 * INVALID. */
MUST_CHECK enum rc log_levels_parse(const struct option_values *given, struct log_levels *ret,
                                    struct err *e);
/* Makes them rules of d, which is of diag_new with `least`. */
void log_levels_apply(const struct log_levels *levels, struct diag *d);

#endif

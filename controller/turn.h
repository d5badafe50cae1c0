/* One run of a synchronization to its end: the source is listed and what the log has then is applied; meanwhile the
 * destination is listed, unless the run is the first and looks at all of it anyway; then both are compared, and what that
 * finds is applied, too. Pure: it is told what there is and says what to do. */
#ifndef RESILOG_CONTROLLER_TURN_H
#define RESILOG_CONTROLLER_TURN_H

#include "flow/pump.h"

#include <stdbool.h>
#include <stdint.h>

/* What waits for something that does not come is given up after that long without any progress, and so is a run whose
 * source or destination does not answer for so long. */
#define TURN_PATIENCE_NS (60 * 1000000000LL)

enum turn_phase { TURN_BEGINNING, TURN_LISTING, TURN_APPLYING, TURN_OVER };

struct turn {
    enum turn_phase phase;
    rlog_off target;      /* where the log ended when the source was listed */
    int64_t compared_ns;  /* as the pump said before the comparison was asked for */
    int64_t progress_ns;  /* boot clock: when something moved last */
    int64_t connected_ns; /* boot clock: when source and destination answered last */
    bool cut_off;         /* it is over because they do not */
    struct pump_status last;
};

struct turn_input {
    int64_t now_ns;     /* boot clock */
    bool connected;     /* source and destination answer */
    bool listed;        /* the source was listed since the run began */
    rlog_off listed_to; /* and there the log ended */
    const struct pump_status *pump;
};

enum turn_want {
    TURN_GO_ON,
    TURN_LOOK,    /* what the destination has is to be listed from now on, but not compared yet */
    TURN_COMPARE, /* it is to be compared with what is applied up to the target */
    TURN_DONE
};

/* Forgets what was. now_ns: boot clock. */
void turn_begin(struct turn *t, int64_t now_ns);
/* After TURN_DONE it is over, and says so again. */
enum turn_want turn_step(struct turn *t, const struct turn_input *in);
/* Of a turn that is over: nothing is left that the destination lacks. */
bool turn_succeeded(const struct turn *t);

#endif

/* The invariants of DESIGN section 3, checked from outside: on the log, on the checkpoint store, and on the
 * destination.
 *
 * Continuously: I2, I3, I4, I5, I6, I9. At the end, when all is quiet: I1, I5, I11. A violation goes to the
 * board with the invariant's number; the run ends there. */
#ifndef RESILOG_TESTS_SIM_PROPERTY_H
#define RESILOG_TESTS_SIM_PROPERTY_H

#include <stdbool.h>

struct property;
struct rlog;
struct world;

/* Nothing seen yet. Aborts when out of memory. */
struct property *property_new(void);
void property_free(struct property *p);

/* Listens to the acknowledged appends of a log that was just opened. */
void property_listen(struct world *w, struct rlog *log);
/* Looks at what has changed since the last look. */
void property_look(struct world *w);
/* The destination was changed by somebody else: takes it as it is. */
void property_destination_touched(struct world *w);
/* After quiet. With `last`, what is not as it must be fails the run; else false says so. */
bool property_converged(struct world *w, bool last);

#endif

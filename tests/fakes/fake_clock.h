/* A clock that moves only when told. */
#ifndef RESILOG_TESTS_FAKE_CLOCK_H
#define RESILOG_TESTS_FAKE_CLOCK_H

#include "core/clock.h"

struct fake_clock {
    struct clock clock; /* first */
    int64_t wall_ns, boot_ns;
};

/* Wall time as given; the boot clock starts at one second, so that 0 is never a time. */
void fake_clock_init(struct fake_clock *c, int64_t wall_ns);
/* Moves both clocks forward; ns >= 0. */
void fake_clock_advance(struct fake_clock *c, int64_t ns);
/* Makes the wall clock jump, as an operator or NTP would; the boot clock stays. */
void fake_clock_set_wall(struct fake_clock *c, int64_t wall_ns);

#endif

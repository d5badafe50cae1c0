/* Time as an interface. The system's clock is io/clock_sys.c, the simulation's is tests/fakes/fake_clock.c. */
#ifndef RESILOG_CORE_CLOCK_H
#define RESILOG_CORE_CLOCK_H

#include "core/err.h"
#include "core/slice.h"

#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct clock;
struct clock_ops {
    int64_t (*wall_ns)(struct clock *c); /* since 1970-01-01 UTC; may jump */
    int64_t (*boot_ns)(struct clock *c); /* never jumps, counts while suspended (CLOCK_BOOTTIME) */
};
struct clock {
    const struct clock_ops *ops;
};

/* For people and for what is recorded; never to measure how long something took. */
static inline int64_t clock_wall_ns(struct clock *c)
{
    return c->ops->wall_ns(c);
}

/* For time limits and back-off. */
static inline int64_t clock_boot_ns(struct clock *c)
{
    return c->ops->boot_ns(c);
}

#define TIME_TEXT_MAX 40
/* RFC 3339 in UTC with nanoseconds, as "2026-01-02T03:04:05.000000006Z"; out holds TIME_TEXT_MAX bytes. Returns out. */
const char *time_text(int64_t wall_ns, char *out);

/* Parses RFC 3339 (with zone or Z, fraction up to 9 digits). Errors: INVALID. */
MUST_CHECK enum rc time_parse(struct slice text, int64_t *ret_wall_ns, struct err *e);
/* Parses a Go duration of one or more <number><unit> (h, m, s, ms): "1h0m0s", "30s", "1.5h"; not negative.
 * Errors: INVALID. */
MUST_CHECK enum rc duration_parse(struct slice text, int64_t *ret_ns, struct err *e);

#endif

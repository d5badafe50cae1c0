/* A time zone: which offset from UTC holds at an instant. Read from the bytes of a TZif file (RFC 8536), the form in
 * which systems keep the tz database, with the rule for all later times in its last line. Pure. */
#ifndef RESILOG_CORE_TZ_H
#define RESILOG_CORE_TZ_H

#include "core/err.h"
#include "core/scope.h"
#include "core/slice.h"

#include <stdint.h>

struct tz;

/* Nothing of the bytes is kept. Errors: INVALID (no TZif of version 2 or later, or a damaged one), NOMEM. */
MUST_CHECK enum rc tz_parse(struct slice tzif, struct tz **ret, struct err *e);
void tz_free(struct tz *z);
DEFINE_FREEP(struct tz, tz_free)

/* Seconds to add to UTC at that instant (seconds since 1970) for the local time; NULL is UTC. */
int32_t tz_offset(const struct tz *z, int64_t utc_s);

/* A date and time of day, proleptic Gregorian. */
struct civil {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
    int weekday; /* 0: Sunday */
};
/* Of seconds since 1970 of the same clock, local or UTC. */
struct civil civil_of(int64_t seconds);
/* Days from 1970-01-01 to that date. */
int64_t civil_days(int64_t year, int month, int day);

#endif

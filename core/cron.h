/* A schedule as cron writes it: "minute hour day-of-month month day-of-week", in a time zone.
 *
 * Fields: numbers, names (JAN, MON), lists (1,15), ranges (1-5), steps (every fifth: "*" or a range with "/5"), "*" and
 * "?"; day-of-week 0 and 7 are Sunday. Where both days are restricted either may match, as in
 * crontab(5); a "*" restricts nothing, nor does one in a list or with the step 1, as in a CronJob. "@hourly",
 * "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually" stand for their five fields.
 *
 * Daylight saving: a time of day that the clock leaps over is due at the first instant after the leap; one that the
 * clock has twice is due the first time only. A schedule of every hour follows the hours as they pass. Pure. */
#ifndef RESILOG_CORE_CRON_H
#define RESILOG_CORE_CRON_H

#include "core/err.h"
#include "core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct tz;

struct cron {
    uint64_t minutes; /* bit n: minute n; and so on */
    uint32_t hours, days, months;
    uint8_t weekdays;
    bool any_day, any_weekday; /* not restricted */
};

/* "CRON_TZ=Zone ..." and "TZ=Zone ..." before the fields: cuts it off, and gives the zone; empty where there is none. */
struct slice cron_cut_zone(struct slice *text);
/* Errors: INVALID (which field, what was found, what is allowed). */
MUST_CHECK enum rc cron_parse(struct slice text, struct cron *ret, struct err *e);
/* The first instant after `after_s` (seconds since 1970) at which it is due in that zone (NULL: UTC); false where there
 * is none within nine years ("0 0 30 2 *"). */
bool cron_next(const struct cron *c, const struct tz *zone, int64_t after_s, int64_t *ret_s);

#endif

/* Fields become sets of bits; the next time is found by walking the clock, hours and days at a time where they cannot
 * match. */
#include "core/cron.h"

#include "core/tz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MINUTE_S   60
#define HOUR_S     3600
#define DAY_S      86400
#define HORIZON_S  (9LL * 366 * DAY_S) /* a 29th of February is at most eight years away */
#define LEAP_MAX_S (2 * HOUR_S)        /* clocks are put forward and back by at most that */
#define ANY_BIT    (UINT64_C(1) << 63) /* of a field's bits: it is not restricted */

/* ---- Reading ---- */

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
static const struct field {
    const char *name, *allowed;
    unsigned min, max;
    const char *const *names; /* of min, min + 1, ... */
    size_t n_names;
} fields[FIELDS] = {
    {"minute", "0-59", 0, 59, NULL, 0},
    {"hour", "0-23", 0, 23, NULL, 0},
    {"day of month", "1-31", 1, 31, NULL, 0},
    {"month", "1-12 or JAN-DEC", 1, 12, month_names, 12},
    {"day of week", "0-7 or SUN-SAT", 0, 7, weekday_names, 7},
};

static enum rc wrong(const struct field *f, struct slice part, const char *why, struct err *e)
{
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "the %s \"%.*s\" %s; allowed: %s, lists \"a,b\", ranges \"a-b\", steps \"*/n\" "
                   "or \"a-b/n\", \"*\"",
                   f->name, (int)(part.n > 40 ? 40 : part.n), part.n ? part.p : "", why,
                   f->allowed);
}

/* A number or a name. */
static bool read_value(const struct field *f, struct slice s, unsigned *ret)
{
    for (size_t i = 0; i < f->n_names; i++)
        if (s.n == 3 && strncasecmp(s.p, f->names[i], 3) == 0) {
            *ret = f->min + (unsigned)i;
            return true;
        }
    unsigned v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > 999)
            return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *ret = v;
    return s.n > 0;
}

static bool is_any(struct slice s)
{
    return slice_eq(s, SLICE("*")) || slice_eq(s, SLICE("?"));
}

/* One part of a list: "*", "a", "a-b", each with "/step" or without. A field with a "*" in it is not restricted, but for a
 * step above 1: so has it the parser of CronJobs (robfig/cron v3, getRange), while in Vixie's cron the first character
 * decides. */
static enum rc read_part(const struct field *f, struct slice part, uint64_t *bits, struct err *e)
{
    struct slice step_text, high_text;
    struct slice range = slice_cut(part, '/', &step_text);
    struct slice low_text = slice_cut(range, '-', &high_text);
    bool stepped = range.n < part.n, ranged = low_text.n < range.n;
    unsigned low = f->min, high = f->max, step = 1;
    if (!is_any(range)) {
        if (!read_value(f, low_text, &low) || (ranged && !read_value(f, high_text, &high)))
            return wrong(f, part, "is not understood", e);
        if (!ranged && !stepped)
            high = low;
    }
    if (stepped && (!read_value(&(struct field){.min = 0}, step_text, &step) || step == 0))
        return wrong(f, part, "has no step above 0 after its \"/\"", e);
    if (low < f->min || high > f->max)
        return wrong(f, part, "is out of range", e);
    if (low > high)
        return wrong(f, part, "ends before it begins", e);
    *bits |= is_any(range) && step == 1 ? ANY_BIT : 0;
    for (unsigned v = low; v <= high; v += step)
        *bits |= UINT64_C(1) << v;
    return RC_OK;
}

static enum rc read_field(const struct field *f, struct slice text, uint64_t *ret, struct err *e)
{
    enum rc rc = RC_OK;
    *ret = 0;
    for (struct slice rest = text; rc == RC_OK;) {
        struct slice tail;
        struct slice part = slice_cut(rest, ',', &tail);
        rc = read_part(f, part, ret, e);
        if (part.n == rest.n)
            break;
        rest = tail;
    }
    return rc;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word; empty at the end. */
static struct slice take_word(struct slice *rest)
{
    while (rest->n > 0 && is_space(*rest->p))
        *rest = slice_of(rest->p + 1, rest->n - 1);
    size_t n = 0;
    while (n < rest->n && !is_space(rest->p[n]))
        n++;
    struct slice word = slice_of(rest->p, n);
    *rest = slice_of(rest->p + n, rest->n - n);
    return word;
}

struct slice cron_cut_zone(struct slice *text)
{
    struct slice rest = *text, zone;
    struct slice word = take_word(&rest);
    struct slice name = slice_cut(word, '=', &zone);
    if (name.n == word.n || !(slice_eq(name, SLICE("TZ")) || slice_eq(name, SLICE("CRON_TZ"))))
        return SLICE_NULL;
    *text = rest;
    return zone;
}

static const struct {
    const char *name, *text;
} macros[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

/* What a "@name" stands for. */
static enum rc expand(struct slice *text, struct err *e)
{
    struct slice rest = *text;
    struct slice word = take_word(&rest);
    if (word.n == 0 || *word.p != '@')
        return RC_OK;
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (slice_eq(word, slice_str(macros[i].name)) && take_word(&rest).n == 0) {
            *text = slice_str(macros[i].text);
            return RC_OK;
        }
    return err_set(
        e, RC_INVALID, ERR_FINAL,
        "\"%.*s\" is not known; allowed: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
        "@annually, or five fields",
        (int)(text->n > 40 ? 40 : text->n), text->p);
}

enum rc cron_parse(struct slice text, struct cron *ret, struct err *e)
{
    uint64_t bits[FIELDS] = {0};
    enum rc rc = expand(&text, e);
    struct slice rest = text;
    for (int i = 0; rc == RC_OK && i < FIELDS; i++) {
        struct slice word = take_word(&rest);
        if (word.n == 0)
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "a schedule has five fields, \"minute hour day-of-month month "
                           "day-of-week\"; here are %d",
                           i);
        rc = read_field(&fields[i], word, &bits[i], e);
    }
    if (rc < 0)
        return rc;
    if (take_word(&rest).n > 0)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a schedule has five fields, \"minute hour day-of-month month "
                       "day-of-week\"; here are more");
    *ret = (struct cron){.minutes = bits[MINUTE] & ~ANY_BIT,
                         .hours = (uint32_t)bits[HOUR],
                         .days = (uint32_t)bits[DAY],
                         .months = (uint32_t)bits[MONTH],
                         .weekdays = (uint8_t)((bits[WEEKDAY] & 0x7f) | (bits[WEEKDAY] >> 7 & 1)),
                         .any_day = bits[DAY] & ANY_BIT,
                         .any_weekday = bits[WEEKDAY] & ANY_BIT};
    return RC_OK;
}

/* ---- The next time ---- */

static bool day_matches(const struct cron *c, const struct civil *t)
{
    bool day = c->days >> t->day & 1, weekday = c->weekdays >> t->weekday & 1;
    if (!(c->months >> t->month & 1))
        return false;
    return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

static bool hour_matches(const struct cron *c, const struct civil *t)
{
    return day_matches(c, t) && (c->hours >> t->hour & 1);
}

static bool matches(const struct cron *c, const struct civil *t)
{
    return hour_matches(c, t) && (c->minutes >> t->minute & 1);
}

static bool is_of_fixed_hours(const struct cron *c)
{
    return c->hours != (1u << 24) - 1;
}

/* The clock shows this time for the second time, because it was put back. */
static bool is_repeat(const struct tz *zone, int64_t utc_s)
{
    int32_t now = tz_offset(zone, utc_s);
    int32_t back = tz_offset(zone, utc_s - LEAP_MAX_S) - now;
    return back > 0 && tz_offset(zone, utc_s - back) == now + back;
}

/* A time that is due was leapt over right before this instant. */
static bool was_leapt_over(const struct cron *c, const struct tz *zone, int64_t utc_s)
{
    int32_t now = tz_offset(zone, utc_s);
    int32_t leap = now - tz_offset(zone, utc_s - 1);
    for (int32_t s = MINUTE_S; s <= leap; s += MINUTE_S) {
        struct civil t = civil_of(utc_s + now - s);
        if (matches(c, &t))
            return true;
    }
    return false;
}

static bool is_due(const struct cron *c, const struct tz *zone, int64_t utc_s,
                   const struct civil *t)
{
    if (!is_of_fixed_hours(c))
        return matches(c, t);
    return (matches(c, t) && !is_repeat(zone, utc_s)) || was_leapt_over(c, zone, utc_s);
}

/* How far to go on where this minute is not due: to the next one, or where the whole hour cannot be, to the next hour.
 * Never across a change of the offset, which may be within it. */
static int64_t stride(const struct cron *c, const struct tz *zone, int64_t utc_s,
                      const struct civil *t)
{
    int64_t to_hour = HOUR_S - t->minute * MINUTE_S;
    if (hour_matches(c, t) || tz_offset(zone, utc_s) != tz_offset(zone, utc_s + to_hour))
        return MINUTE_S;
    return to_hour;
}

bool cron_next(const struct cron *c, const struct tz *zone, int64_t after_s, int64_t *ret_s)
{
    const int64_t end = after_s + HORIZON_S;
    int64_t at = after_s - ((after_s % MINUTE_S) + MINUTE_S) % MINUTE_S + MINUTE_S;
    while (at <= end) {
        struct civil t = civil_of(at + tz_offset(zone, at));
        if (is_due(c, zone, at, &t)) {
            *ret_s = at;
            return true;
        }
        at += stride(c, zone, at, &t);
    }
    return false;
}

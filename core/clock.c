/* Times and durations as text. Pure functions, safe from any thread; the calendar is the proleptic
 * Gregorian one, without leap seconds, as in POSIX and Go. Whatever does not fit 64-bit nanoseconds
 * (years 1677 to 2262) is refused, never wrapped. */
#include "core/clock.h"

#define S_PER_DAY  86400
#define SHOWN_MAX  48 /* bytes of a wrong text that a message repeats */
#define DAYS_400_Y 146097
/* Days from 0000-03-01, where the algorithm's years begin, to 1970-01-01. */
#define DAYS_TO_1970 719468

struct date {
    int64_t year;
    unsigned month, day; /* from 1 */
};

/* Howard Hinnant's civil_from_days and days_from_civil: years begin in March, so that the leap day
 * is the last one. */
static struct date date_from_days(int64_t days)
{
    days += DAYS_TO_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_400_Y - 1)) / DAYS_400_Y;
    unsigned doe = (unsigned)(days - era * DAYS_400_Y);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return (struct date){.year = era * 400 + yoe + (month <= 2),
                         .month = month,
                         .day = doy - (153 * mp + 2) / 5 + 1};
}

static int64_t days_from_date(struct date d)
{
    int64_t y = d.year - (d.month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (int64_t)(d.month > 2 ? d.month - 3 : d.month + 9) + 2) / 5 + d.day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * DAYS_400_Y + doe - DAYS_TO_1970;
}

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Writes v as exactly n digits and returns what follows them. */
static char *put_digits(char *p, int64_t v, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        p[i] = (char)('0' + v % 10);
        v /= 10;
    }
    return p + n;
}

static char *put_group(char *p, int64_t v, int n, char after)
{
    p = put_digits(p, v, n);
    *p = after;
    return p + 1;
}

/* Quotient rounded down and the remainder, never negative. */
static int64_t floor_div(int64_t v, int64_t by, int64_t *ret_rest)
{
    int64_t q = v / by - (v % by < 0);
    *ret_rest = v - q * by;
    return q;
}

const char *time_text(int64_t wall_ns, char *out)
{
    int64_t ns = wall_ns % NS_PER_S; /* not by floor_div: its product could overflow at INT64_MIN */
    int64_t s = wall_ns / NS_PER_S - (ns < 0);
    ns += ns < 0 ? NS_PER_S : 0;
    int64_t in_day;
    struct date d = date_from_days(floor_div(s, S_PER_DAY, &in_day));
    char *p = out;
    p = put_group(p, d.year, 4, '-');
    p = put_group(p, d.month, 2, '-');
    p = put_group(p, d.day, 2, 'T');
    p = put_group(p, in_day / 3600, 2, ':');
    p = put_group(p, in_day / 60 % 60, 2, ':');
    p = put_group(p, in_day % 60, 2, '.');
    p = put_group(p, ns, 9, 'Z');
    *p = '\0';
    return out;
}

static struct slice shown(struct slice s)
{
    return slice_of(s.p, s.n < SHOWN_MAX ? s.n : SHOWN_MAX);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes exactly n digits off the front. */
static bool take_number(struct slice *s, size_t n, unsigned *ret)
{
    if (s->n < n)
        return false;
    unsigned v = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(s->p[i]))
            return false;
        v = v * 10 + (unsigned)(s->p[i] - '0');
    }
    *s = slice_of(s->p + n, s->n - n);
    *ret = v;
    return true;
}

static bool take_char(struct slice *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = slice_of(s->p + 1, s->n - 1);
    return true;
}

/* An optional '.' and 1 to 9 digits, as nanoseconds. */
static bool take_fraction(struct slice *s, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (!take_char(s, '.'))
        return true;
    int64_t unit = NS_PER_S / 10;
    size_t digits = 0;
    for (; s->n && is_digit(s->p[0]); digits++) {
        *ret_ns += unit * (s->p[0] - '0');
        unit /= 10;
        *s = slice_of(s->p + 1, s->n - 1);
    }
    return digits >= 1 && digits <= 9;
}

/* "Z" or "+hh:mm" or "-hh:mm", as seconds east of UTC. */
static bool take_zone(struct slice *s, int64_t *ret_s)
{
    *ret_s = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    int64_t sign = take_char(s, '-') ? -1 : 1;
    if (sign == 1 && !take_char(s, '+'))
        return false;
    unsigned h, m;
    if (!take_number(s, 2, &h) || !take_char(s, ':') || !take_number(s, 2, &m) || h > 23 || m > 59)
        return false;
    *ret_s = sign * (int64_t)(h * 3600 + m * 60);
    return true;
}

static bool take_date(struct slice *s, struct date *ret)
{
    unsigned year, month, day;
    if (!take_number(s, 4, &year) || !take_char(s, '-') || !take_number(s, 2, &month) ||
        !take_char(s, '-') || !take_number(s, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *ret = (struct date){.year = year, .month = month, .day = day};
    return true;
}

static bool take_clock(struct slice *s, int64_t *ret_s)
{
    unsigned h, m, sec;
    if (!take_number(s, 2, &h) || !take_char(s, ':') || !take_number(s, 2, &m) ||
        !take_char(s, ':') || !take_number(s, 2, &sec))
        return false;
    if (h > 23 || m > 59 || sec > 59)
        return false;
    *ret_s = (int64_t)h * 3600 + (int64_t)m * 60 + sec;
    return true;
}

enum rc time_parse(struct slice text, int64_t *ret_wall_ns, struct err *e)
{
    struct slice s = text;
    struct date date;
    int64_t in_day, fraction, zone;
    if (!take_date(&s, &date) || !(take_char(&s, 'T') || take_char(&s, 't')) ||
        !take_clock(&s, &in_day) || !take_fraction(&s, &fraction) || !take_zone(&s, &zone) || s.n)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is not a time; write it like 2026-01-02T03:04:05Z, with up to 9 "
                       "digits after the seconds, and Z or an offset like +01:00",
                       SLICE_ARG(shown(text)));
    int64_t seconds = days_from_date(date) * S_PER_DAY + in_day - zone;
    /* With the fraction counted downwards from the next second, the very first times fit too. */
    bool before = seconds < 0 && fraction > 0;
    int64_t ns;
    if (__builtin_mul_overflow(seconds + before, NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, before ? fraction - NS_PER_S : fraction, &ns))
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "the time \"%.*s\" is out of range; years 1678 to 2261 are allowed",
                       SLICE_ARG(shown(text)));
    *ret_wall_ns = ns;
    return RC_OK;
}

/* Takes the unit's letters off the front; 0 where they are no unit. */
static int64_t take_unit(struct slice *s)
{
    static const struct {
        struct slice name;
        int64_t ns;
    } units[] = {{{"ms", 2}, NS_PER_MS},
                 {{"h", 1}, 3600 * NS_PER_S},
                 {{"m", 1}, 60 * NS_PER_S},
                 {{"s", 1}, NS_PER_S}};
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && !is_digit(s->p[n]))
        n++;
    struct slice name = slice_of(s->p, n);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!slice_eq(name, units[i].name))
            continue;
        *s = slice_of(s->p + n, s->n - n);
        return units[i].ns;
    }
    return 0;
}

/* Takes digits off the front. */
static struct slice take_digits(struct slice *s)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n]))
        n++;
    struct slice digits = slice_of(s->p, n);
    *s = slice_of(s->n ? s->p + n : s->p, s->n - n);
    return digits;
}

/* whole.part times unit, cut to nanoseconds; false where it does not fit. */
static bool scale(struct slice whole, struct slice part, int64_t unit, int64_t *ret)
{
    int64_t v = 0;
    for (size_t i = 0; i < whole.n; i++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, whole.p[i] - '0', &v))
            return false;
    }
    if (__builtin_mul_overflow(v, unit, &v))
        return false;
    for (size_t i = 0; i < part.n && unit >= 10; i++) {
        unit /= 10;
        if (__builtin_add_overflow(v, unit * (part.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

enum rc duration_parse(struct slice text, int64_t *ret_ns, struct err *e)
{
    struct slice s = text;
    int64_t sum = 0;
    bool ok = text.n > 0;
    while (ok && s.n) {
        struct slice whole = take_digits(&s);
        struct slice part = take_char(&s, '.') ? take_digits(&s) : SLICE_NULL;
        int64_t unit = whole.n + part.n ? take_unit(&s) : 0;
        ok = unit > 0;
        int64_t ns;
        if (ok && (!scale(whole, part, unit, &ns) || __builtin_add_overflow(sum, ns, &sum)))
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "the duration \"%.*s\" is too long; at most 292 years are allowed",
                           SLICE_ARG(shown(text)));
    }
    if (!ok)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "\"%.*s\" is not a duration; write numbers with the units h, m, s or ms, "
                       "like \"1h30m\" or \"0.5s\", not negative",
                       SLICE_ARG(shown(text)));
    *ret_ns = sum;
    return RC_OK;
}

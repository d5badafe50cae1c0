/* TZif: a header and a block in 32-bit times for readers of old, then the same in 64-bit times, then a line with the
 * rule for what comes after the last transition, as POSIX writes TZ: "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "core/tz.h"

#include <stdbool.h>
#include <stdlib.h>

#define DAY_S      86400
#define HEADER     44 /* bytes */
#define TYPE_BYTES 6
#define COUNT_MAX  100000u /* transitions and types; the database has hundreds */

/* ---- The calendar ---- */

/* Source of the arithmetic: years that begin in March, so that the leap day is the last of its year. */
int64_t civil_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct civil civil_of(int64_t seconds)
{
    int64_t days = floor_div(seconds, DAY_S);
    int rest = (int)(seconds - days * DAY_S);
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = (int)(of_era - (365 * year + year / 4 - year / 100));
    int shifted = (5 * of_year + 2) / 153;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (struct civil){.year = year + era * 400 + (month <= 2),
                          .month = month,
                          .day = of_year - (153 * shifted + 2) / 5 + 1,
                          .hour = rest / 3600,
                          .minute = rest / 60 % 60,
                          .second = rest % 60,
                          .weekday = (int)(((days % 7) + 11) % 7)};
}

/* ---- The rule of the last line ---- */

enum day_kind { DAY_JULIAN, DAY_ZERO, DAY_MONTH }; /* "J60" without leap days, "59", "M3.5.0" */

struct changeover {
    enum day_kind kind;
    int day, month,
        week; /* the day of the year, or the weekday of that week of that month; week 5: the last */
    int32_t at; /* seconds after local midnight, may be negative or beyond a day */
};

struct rule {
    bool given, has_summer;
    int32_t standard, summer; /* offsets */
    struct changeover begin, end;
};

struct tz {
    int64_t *times; /* transitions, ascending */
    uint8_t *kinds; /* of each: index into offsets */
    size_t n;
    int32_t *offsets;
    size_t n_offsets;
    struct rule rule;
};

/* What is left to read of a text; bad: it was not what was expected. */
struct text {
    struct slice rest;
    bool bad;
};

static char peek(const struct text *t)
{
    return t->rest.n ? *t->rest.p : '\0';
}

static void skip(struct text *t, size_t n)
{
    t->rest = slice_of(t->rest.p + n, t->rest.n - n);
}

static bool take(struct text *t, char c)
{
    if (peek(t) != c)
        return false;
    skip(t, 1);
    return true;
}

static int take_number(struct text *t, int max)
{
    int v = 0;
    bool any = false;
    while (peek(t) >= '0' && peek(t) <= '9' && v <= max) {
        v = v * 10 + (peek(t) - '0');
        skip(t, 1);
        any = true;
    }
    t->bad = t->bad || !any || v > max;
    return v;
}

static void take_name(struct text *t)
{
    bool quoted = take(t, '<');
    size_t n = 0;
    while (n < t->rest.n && (quoted ? t->rest.p[n] != '>'
                                    : (t->rest.p[n] >= 'A' && t->rest.p[n] <= 'Z') ||
                                          (t->rest.p[n] >= 'a' && t->rest.p[n] <= 'z')))
        n++;
    t->bad = t->bad || n < 3;
    skip(t, n);
    t->bad = t->bad || (quoted && !take(t, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int32_t take_time(struct text *t)
{
    bool minus = take(t, '-');
    if (!minus)
        take(t, '+');
    int32_t s = take_number(t, 167) * 3600;
    if (take(t, ':'))
        s += take_number(t, 59) * 60;
    if (take(t, ':'))
        s += take_number(t, 59);
    return minus ? -s : s;
}

static struct changeover take_changeover(struct text *t)
{
    struct changeover c = {.kind = DAY_ZERO, .at = 2 * 3600};
    t->bad = t->bad || !take(t, ',');
    if (take(t, 'M')) {
        c.kind = DAY_MONTH;
        c.month = take_number(t, 12);
        t->bad = t->bad || !take(t, '.') || c.month == 0;
        c.week = take_number(t, 5);
        t->bad = t->bad || !take(t, '.') || c.week == 0;
        c.day = take_number(t, 6);
    } else {
        c.kind = take(t, 'J') ? DAY_JULIAN : DAY_ZERO;
        c.day = take_number(t, 365);
        t->bad = t->bad || (c.kind == DAY_JULIAN && c.day == 0);
    }
    if (take(t, '/'))
        c.at = take_time(t);
    return c;
}

/* False: not such a text. An empty one says nothing. */
static bool read_rule(struct slice line, struct rule *r)
{
    struct text t = {line, false};
    *r = (struct rule){.given = line.n > 0};
    if (!r->given)
        return true;
    take_name(&t);
    r->standard = -take_time(&t); /* POSIX counts westwards */
    if (t.rest.n == 0 || t.bad)
        return !t.bad;
    r->has_summer = true;
    take_name(&t);
    r->summer = peek(&t) == ',' ? r->standard + 3600 : -take_time(&t);
    r->begin = take_changeover(&t);
    r->end = take_changeover(&t);
    return !t.bad && t.rest.n == 0;
}

static bool is_leap(int64_t year)
{
    return civil_days(year + 1, 1, 1) - civil_days(year, 1, 1) == 366;
}

/* Days since 1970 of the changeover in that year. */
static int64_t changeover_day(const struct changeover *c, int64_t year)
{
    int64_t new_year = civil_days(year, 1, 1);
    if (c->kind == DAY_ZERO)
        return new_year + c->day;
    if (c->kind == DAY_JULIAN)
        return new_year + c->day - 1 + (c->day >= 60 && is_leap(year));
    int64_t first = civil_days(year, c->month, 1);
    int64_t next = c->month == 12 ? civil_days(year + 1, 1, 1) : civil_days(year, c->month + 1, 1);
    int64_t day = first + (c->day - civil_of(first * DAY_S).weekday + 7) % 7 + (c->week - 1) * 7;
    return day >= next ? day - 7 : day;
}

static int32_t rule_offset(const struct rule *r, int64_t utc_s)
{
    if (!r->has_summer)
        return r->standard;
    int64_t year = civil_of(utc_s + r->standard).year;
    int64_t begin = changeover_day(&r->begin, year) * DAY_S + r->begin.at - r->standard;
    int64_t end = changeover_day(&r->end, year) * DAY_S + r->end.at - r->summer;
    bool summer = begin < end ? utc_s >= begin && utc_s < end : utc_s >= begin || utc_s < end;
    return summer ? r->summer : r->standard;
}

/* ---- The file ---- */

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

struct block {
    size_t is_ut, is_std, leaps, times, types, chars, bytes;
};

/* The header at the text's begin, and how long the block after it is. */
static bool read_header(struct text *t, size_t time_bytes, struct block *b)
{
    if (t->rest.n < HEADER || !slice_starts(t->rest, SLICE("TZif")))
        return false;
    size_t *const counts[] = {&b->is_ut, &b->is_std, &b->leaps, &b->times, &b->types, &b->chars};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        *counts[i] = big_endian(t->rest.p + 20 + 4 * i, 4);
        if (*counts[i] > COUNT_MAX)
            return false;
    }
    b->bytes = b->times * (time_bytes + 1) + b->types * TYPE_BYTES + b->chars +
               b->leaps * (time_bytes + 4) + b->is_std + b->is_ut;
    skip(t, HEADER);
    return b->bytes <= t->rest.n && b->types > 0 && b->types <= 256;
}

/* The block of 64-bit times. False: its parts do not fit each other. */
static bool read_block(struct tz *z, const char *p, const struct block *b)
{
    const char *kinds = p + 8 * b->times, *types = kinds + b->times;
    for (size_t i = 0; i < b->times; i++) {
        z->times[i] = (int64_t)big_endian(p + 8 * i, 8);
        z->kinds[i] = (uint8_t)kinds[i];
        if (z->kinds[i] >= b->types || (i > 0 && z->times[i] <= z->times[i - 1]))
            return false;
    }
    for (size_t i = 0; i < b->types; i++) {
        z->offsets[i] = (int32_t)(uint32_t)big_endian(types + TYPE_BYTES * i, 4);
        if (z->offsets[i] <= -2 * DAY_S || z->offsets[i] >= 2 * DAY_S)
            return false;
    }
    return true;
}

static bool read_last_line(struct text *t, struct rule *r)
{
    struct slice after;
    if (!take(t, '\n'))
        return false;
    struct slice line = slice_cut(t->rest, '\n', &after);
    return line.n < t->rest.n && read_rule(line, r);
}

static enum rc invalid(struct err *e)
{
    return err_set(e, RC_INVALID, ERR_FINAL, "not a time zone file (TZif, version 2 or later)");
}

enum rc tz_parse(struct slice tzif, struct tz **ret, struct err *e)
{
    AUTO(tz_freep) struct tz *z = calloc(1, sizeof *z);
    struct text t = {tzif, false};
    struct block b;
    if (!z)
        return err_nomem(e);
    if (!read_header(&t, 4, &b) || tzif.p[4] < '2')
        return invalid(e);
    skip(&t, b.bytes);
    if (!read_header(&t, 8, &b))
        return invalid(e);
    z->n = b.times;
    z->n_offsets = b.types;
    z->times = calloc(b.times + 1, sizeof *z->times);
    z->kinds = calloc(b.times + 1, sizeof *z->kinds);
    z->offsets = calloc(b.types, sizeof *z->offsets);
    if (!z->times || !z->kinds || !z->offsets)
        return err_nomem(e);
    bool good = read_block(z, t.rest.p, &b);
    skip(&t, b.bytes);
    if (!good || !read_last_line(&t, &z->rule))
        return invalid(e);
    *ret = steal(&z);
    return RC_OK;
}

void tz_free(struct tz *z)
{
    if (!z)
        return;
    free(z->times);
    free(z->kinds);
    free(z->offsets);
    free(z);
}

int32_t tz_offset(const struct tz *z, int64_t utc_s)
{
    if (!z)
        return 0;
    size_t low = 0, high = z->n; /* the first transition after utc_s */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (z->times[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->n && z->rule.given)
        return rule_offset(&z->rule, utc_s);
    return z->offsets[low > 0 ? z->kinds[low - 1] : 0];
}

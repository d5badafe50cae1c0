/* Plain YAML scalars: null, boolean, number or string.
 *
 * The rules are go-yaml v2's, which kubectl uses, and differ from the YAML 1.1 page: y and n are
 * booleans, base 60 is none, underscores are dropped in numbers that begin with a digit or sign,
 * 0777 is octal but 0888 decimal, 1e400 is a string (it is no double), times are strings. Keeps
 * nothing. Threads: any. */
#include "core/yaml_scalar.h"

#include "core/buf.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const struct word {
    const char *text, *json;
    enum yaml_kind kind;
} words[] = {
    {"", "null", YAML_NULL},        {"~", "null", YAML_NULL},       {"null", "null", YAML_NULL},
    {"Null", "null", YAML_NULL},    {"NULL", "null", YAML_NULL},    {"y", "true", YAML_BOOL},
    {"Y", "true", YAML_BOOL},       {"yes", "true", YAML_BOOL},     {"Yes", "true", YAML_BOOL},
    {"YES", "true", YAML_BOOL},     {"true", "true", YAML_BOOL},    {"True", "true", YAML_BOOL},
    {"TRUE", "true", YAML_BOOL},    {"on", "true", YAML_BOOL},      {"On", "true", YAML_BOOL},
    {"ON", "true", YAML_BOOL},      {"n", "false", YAML_BOOL},      {"N", "false", YAML_BOOL},
    {"no", "false", YAML_BOOL},     {"No", "false", YAML_BOOL},     {"NO", "false", YAML_BOOL},
    {"false", "false", YAML_BOOL},  {"False", "false", YAML_BOOL},  {"FALSE", "false", YAML_BOOL},
    {"off", "false", YAML_BOOL},    {"Off", "false", YAML_BOOL},    {"OFF", "false", YAML_BOOL},
    {".nan", "", YAML_NOT_FINITE},  {".NaN", "", YAML_NOT_FINITE},  {".NAN", "", YAML_NOT_FINITE},
    {".inf", "", YAML_NOT_FINITE},  {".Inf", "", YAML_NOT_FINITE},  {".INF", "", YAML_NOT_FINITE},
    {"+.inf", "", YAML_NOT_FINITE}, {"+.Inf", "", YAML_NOT_FINITE}, {"+.INF", "", YAML_NOT_FINITE},
    {"-.inf", "", YAML_NOT_FINITE}, {"-.Inf", "", YAML_NOT_FINITE}, {"-.INF", "", YAML_NOT_FINITE},
};

#define NUMBER_MAX 4096 /* bytes; a longer plain scalar of digits is a string */

/* A number's text, taken apart. */
struct number {
    bool negative;
    struct slice whole, fraction; /* digits, either may be empty */
    struct slice exponent;        /* with its sign, empty if there is none */
    struct slice body;            /* all but the sign */
};

static struct slice take_digits(struct slice *s)
{
    size_t n = 0;
    while (n < s->n && isdigit((unsigned char)s->p[n]))
        n++;
    struct slice digits = slice_of(s->p, n);
    *s = slice_of(s->p + n, s->n - n);
    return digits;
}

static bool take_char(struct slice *s, const char *any_of)
{
    if (s->n == 0 || !memchr(any_of, s->p[0], strlen(any_of)))
        return false;
    *s = slice_of(s->p + 1, s->n - 1);
    return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool split_decimal(struct slice s, struct number *ret)
{
    struct number n = {.negative = s.n && s.p[0] == '-'};
    take_char(&s, "+-");
    n.body = s;
    n.whole = take_digits(&s);
    if (take_char(&s, "."))
        n.fraction = take_digits(&s);
    if (n.whole.n + n.fraction.n == 0)
        return false;
    struct slice from = s;
    if (take_char(&s, "eE")) {
        take_char(&s, "+-");
        if (take_digits(&s).n == 0)
            return false;
        n.exponent = slice_of(from.p + 1, from.n - 1);
    }
    *ret = n;
    return s.n == 0;
}

/* Clamped: beyond it a number is zero or infinite, however many digits it has. */
static long exponent_of(struct slice text)
{
    const long beyond = 1000000;
    bool negative = text.n && text.p[0] == '-';
    take_char(&text, "+-");
    long v = 0;
    for (size_t i = 0; i < text.n && v < beyond; i++)
        v = v * 10 + (text.p[i] - '0');
    return negative ? -v : v;
}

/* Whether a double can hold it. Written without a point, so that no locale matters. */
static bool fits_double(const struct number *n)
{
    char text[NUMBER_MAX + 32];
    snprintf(text, sizeof(text), "%.*s%.*se%ld", SLICE_ARG(n->whole), SLICE_ARG(n->fraction),
             exponent_of(n->exponent) - (long)n->fraction.n);
    return isfinite(strtod(text, NULL));
}

static void print_decimal(const struct number *n, struct buf *json)
{
    struct slice whole = n->whole;
    while (whole.n > 1 && whole.p[0] == '0')
        whole = slice_of(whole.p + 1, whole.n - 1);
    if (n->negative)
        buf_add_char(json, '-');
    buf_add_slice(json, whole.n ? whole : SLICE("0"));
    if (n->fraction.n) {
        buf_add_char(json, '.');
        buf_add_slice(json, n->fraction);
    }
    if (n->exponent.n) {
        buf_add_char(json, n->exponent.p[-1]);
        buf_add_slice(json, n->exponent);
    }
}

/* The base that the body's first characters name; *ret_digits is what follows them. */
static unsigned base_of(struct slice body, struct slice *ret_digits)
{
    *ret_digits = body;
    if (body.n < 2 || body.p[0] != '0')
        return 10;
    char mark = (char)tolower((unsigned char)body.p[1]);
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    size_t prefix = base && body.n > 2 ? 2 : 1;
    *ret_digits = slice_of(body.p + prefix, body.n - prefix);
    return prefix == 2 ? base : 8;
}

static bool digits_in_base(struct slice digits, unsigned base, uint64_t *ret, bool *ret_overflow)
{
    uint64_t v = 0;
    bool overflow = false;
    for (size_t i = 0; i < digits.n; i++) {
        unsigned c = (unsigned char)digits.p[i];
        unsigned digit = isdigit((int)c) ? c - '0' : isalpha((int)c) ? (c | 0x20) - 'a' + 10 : 99;
        if (digit >= base)
            return false;
        overflow |= __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v);
    }
    *ret = v;
    *ret_overflow = overflow;
    return digits.n > 0;
}

/* Hexadecimal, octal, binary; a string where it is none of them. */
static enum yaml_kind based_integer(struct slice plain, struct buf *json)
{
    bool negative = plain.p[0] == '-', overflow;
    take_char(&plain, "+-");
    struct slice digits;
    unsigned base = base_of(plain, &digits);
    uint64_t v;
    if (base == 10 || !digits_in_base(digits, base, &v, &overflow))
        return YAML_STRING;
    if (overflow || (negative && v > UINT64_C(1) << 63))
        return digits.p == plain.p + 2 ? YAML_TOO_BIG : YAML_STRING;
    buf_addf(json, "%s%llu", negative && v ? "-" : "", (unsigned long long)v);
    return YAML_INT;
}

static enum yaml_kind number(struct slice plain, struct buf *json)
{
    enum yaml_kind kind = based_integer(plain, json);
    struct number n;
    if (kind != YAML_STRING || !split_decimal(plain, &n))
        return kind;
    /* What is in whole digits and not too long for 64 bits is an integer. */
    uint64_t v;
    bool overflow = true;
    if (n.whole.n == n.body.n && (n.whole.n == 1 || n.whole.p[0] != '0') &&
        digits_in_base(n.whole, 10, &v, &overflow) && !overflow &&
        (!n.negative || v <= UINT64_C(1) << 63))
        kind = YAML_INT;
    else if (fits_double(&n))
        kind = YAML_FLOAT;
    if (kind != YAML_STRING)
        print_decimal(&n, json);
    return kind;
}

enum yaml_kind yaml_scalar(struct slice text, struct buf *json)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_eq(text, slice_str(words[i].text))) {
            buf_add_str(json, words[i].json);
            return words[i].kind;
        }
    }
    bool point = text.p[0] == '.';
    if (text.n > NUMBER_MAX ||
        !(point || isdigit((unsigned char)text.p[0]) || text.p[0] == '+' || text.p[0] == '-'))
        return YAML_STRING;
    char plain[NUMBER_MAX];
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (point || text.p[i] != '_')
            plain[n++] = text.p[i];
    }
    return n ? number(slice_of(plain, n), json) : YAML_STRING;
}

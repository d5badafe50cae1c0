/* JSON: reading and comparing.
 *
 * Strings are compared as decoded, byte by byte out of a cursor where they have escapes, so nothing
 * is allocated. Members are put in order through their `order` links, by a merge sort without
 * recursion; walks go up by the parents. So no input can exhaust the stack and nothing here can
 * fail. Threads: one per document, for decoding and ordering write into it. */
#include "core/json_priv.h"

#include <stdarg.h>

/* ---- Strings ---- */

static unsigned hex_of(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t utf8_put(unsigned char out[4], unsigned c)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (unsigned char)(0x80 | (c & 0x3f));
    out[0] = (unsigned char)(lead[n] | c);
    return n;
}

static size_t unescape_unicode(const char **p, const char *end, unsigned char out[4])
{
    unsigned c = hex_of(*p + 2);
    *p += 6;
    bool high = c >= 0xd800 && c < 0xdc00;
    if (high && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        unsigned low = hex_of(*p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *p += 6;
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return utf8_put(out, c);
}

size_t json_unescape(const char **p, const char *end, unsigned char out[4])
{
    char c = (*p)[1];
    if (c == 'u')
        return unescape_unicode(p, end, out);
    *p += 2;
    switch (c) {
    case 'b':
        c = '\b';
        break;
    case 'f':
        c = '\f';
        break;
    case 'n':
        c = '\n';
        break;
    case 'r':
        c = '\r';
        break;
    case 't':
        c = '\t';
        break;
    default:
        break;
    }
    out[0] = (unsigned char)c;
    return 1;
}

static struct slice decode(struct json_text *t, struct slice inside)
{
    if (t->n != JSON_UNDECODED)
        return slice_of(t->p, t->n);
    size_t n = 0;
    for (const char *p = inside.p, *end = p + inside.n; p < end;) {
        if (*p != '\\') {
            t->p[n++] = *p++;
            continue;
        }
        unsigned char c[4];
        size_t k = json_unescape(&p, end, c);
        memcpy(t->p + n, json_is_surrogate(c, k) ? "\xef\xbf\xbd" : (const char *)c, k);
        n += k;
    }
    t->n = n;
    return slice_of(t->p, n);
}

struct slice json_text(struct json_doc *d, const struct json *n)
{
    (void)d;
    if (!json_is(n, JSON_STRING))
        return SLICE_NULL;
    struct slice inside = json_inside(n->raw);
    return n->text ? decode(n->text, inside) : inside;
}

struct slice json_name(struct json_doc *d, const struct json *n)
{
    (void)d;
    if (!n)
        return SLICE_NULL;
    struct slice inside = json_inside(n->key_raw);
    return n->key_text ? decode(n->key_text, inside) : inside;
}

/* The decoded bytes of a quoted string, one at a time. */
struct cursor {
    const char *p, *end;
    unsigned char c[4];
    size_t at, n;
};

static int cursor_next(struct cursor *c)
{
    if (c->at < c->n)
        return c->c[c->at++];
    if (c->p == c->end)
        return -1;
    if (*c->p != '\\')
        return (unsigned char)*c->p++;
    c->n = json_unescape(&c->p, c->end, c->c);
    c->at = 1;
    return c->c[0];
}

static int compare_escaped(struct slice a, struct slice b)
{
    struct cursor x = {.p = a.p, .end = a.p + a.n}, y = {.p = b.p, .end = b.p + b.n};
    for (;;) {
        int l = cursor_next(&x), r = cursor_next(&y);
        if (l != r)
            return l < r ? -1 : 1;
        if (l < 0)
            return 0;
    }
}

int json_name_cmp(const struct json *a, const struct json *b)
{
    struct slice x = json_inside(a->key_raw), y = json_inside(b->key_raw);
    return a->key_text || b->key_text ? compare_escaped(x, y) : slice_cmp(x, y);
}

/* ---- Finding ---- */

struct json *json_get_slice(const struct json *obj, struct slice name)
{
    if (!json_is(obj, JSON_OBJECT))
        return NULL;
    struct json *n = obj->last;
    while (n && !slice_eq(json_name(NULL, n), name))
        n = n->prev;
    return n;
}

struct json *json_get(const struct json *obj, const char *name)
{
    return json_get_slice(obj, slice_str(name));
}

struct json *json_dig(const struct json *n, ...)
{
    va_list names;
    va_start(names, n);
    const char *name = va_arg(names, const char *);
    struct json *found = NULL;
    for (; name; name = va_arg(names, const char *)) {
        found = json_get(n, name);
        n = found;
    }
    va_end(names);
    return found;
}

struct json *json_at(const struct json *arr, size_t index)
{
    if (!json_is(arr, JSON_ARRAY) || index >= arr->count)
        return NULL;
    struct json *n = arr->first;
    while (index--)
        n = n->next;
    return n;
}

struct slice json_get_text(struct json_doc *d, const struct json *obj, const char *name)
{
    return json_text(d, json_get(obj, name));
}

bool json_int(const struct json *n, int64_t *ret)
{
    if (!json_is(n, JSON_NUMBER))
        return false;
    bool negative = n->raw.p[0] == '-';
    int64_t v = 0;
    for (size_t i = negative; i < n->raw.n; i++) {
        int digit = n->raw.p[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, negative ? digit : -digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

/* ---- Order ---- */

/* Merges two chains; of equal names those of a come first. */
static struct json *merge(struct json *a, struct json *b)
{
    struct json *head = NULL, **tail = &head;
    while (a && b) {
        struct json **least = json_name_cmp(a, b) <= 0 ? &a : &b;
        *tail = *least;
        tail = &(*least)->order;
        *least = (*least)->order;
    }
    *tail = a ? a : b;
    return head;
}

/* Stable: bins[i] holds a chain of 2^i members, older than those of the lower bins. */
static struct json *sort_members(const struct json *obj)
{
    struct json *bins[32] = {NULL};
    for (struct json *n = obj->first; n; n = n->next) {
        struct json *chain = n;
        n->order = NULL;
        size_t i = 0;
        for (; bins[i]; i++) {
            chain = merge(bins[i], chain);
            bins[i] = NULL;
        }
        bins[i] = chain;
    }
    struct json *all = NULL;
    for (size_t i = 0; i < 32; i++)
        all = merge(bins[i], all);
    return all;
}

/* Links the members as they stand if that is their order already, as it mostly is. */
static bool link_sorted(const struct json *obj)
{
    for (struct json *n = obj->first; n; n = n->next) {
        if (n->next && json_name_cmp(n, n->next) >= 0)
            return false;
        n->order = n->next;
    }
    return true;
}

struct json *json_order_first(const struct json *n)
{
    if (n->type != JSON_OBJECT || link_sorted(n))
        return n->first;
    struct json *head = sort_members(n);
    for (struct json **at = &head; *at;) {
        struct json *next = (*at)->order;
        if (next && json_name_cmp(*at, next) == 0)
            *at = next;
        else
            at = &(*at)->order;
    }
    return head;
}

struct json *json_repeated(const struct json *obj)
{
    if (!json_is(obj, JSON_OBJECT) || link_sorted(obj))
        return NULL;
    struct json *n = sort_members(obj);
    while (n && (!n->order || json_name_cmp(n, n->order) != 0))
        n = n->order;
    return n ? n->order : NULL;
}

/* ---- Equality ---- */

/* A number as 0.d1d2d3... times ten to the exponent. */
struct decimal {
    bool negative, huge; /* huge: the exponent does not fit */
    struct slice
        digits; /* from the first to the last that is not zero, perhaps with the point among them */
    int64_t exponent;
};

#define EXPONENT_DIGITS 17

static void decimal_exponent(struct decimal *d, struct slice text)
{
    bool negative = text.p[0] == '-';
    size_t i = negative || text.p[0] == '+';
    while (i < text.n && text.p[i] == '0')
        i++;
    d->huge = text.n - i > EXPONENT_DIGITS;
    int64_t v = 0;
    for (; i < text.n && !d->huge; i++)
        v = v * 10 + (text.p[i] - '0');
    d->exponent = negative ? -v : v;
}

static struct decimal decimal_of(struct slice raw)
{
    struct decimal d = {.negative = raw.p[0] == '-'};
    struct slice mantissa = slice_of(raw.p + d.negative, raw.n - d.negative);
    for (size_t i = 0; i < mantissa.n; i++) {
        if ((mantissa.p[i] | 0x20) == 'e') {
            decimal_exponent(&d, slice_of(mantissa.p + i + 1, mantissa.n - i - 1));
            mantissa.n = i;
        }
    }
    const char *dot = memchr(mantissa.p, '.', mantissa.n);
    int64_t point = dot ? dot - mantissa.p : (int64_t)mantissa.n;
    size_t first = 0, end = mantissa.n;
    while (first < end && (mantissa.p[first] == '0' || mantissa.p[first] == '.'))
        first++;
    if (first == end)
        return (struct decimal){.negative = false};
    while (mantissa.p[end - 1] == '0' || mantissa.p[end - 1] == '.')
        end--;
    d.digits = slice_of(mantissa.p + first, end - first);
    d.exponent += point - (int64_t)first + (dot && (int64_t)first > point ? 1 : 0);
    return d;
}

static bool digits_equal(struct slice a, struct slice b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        i += i < a.n && a.p[i] == '.';
        j += j < b.n && b.p[j] == '.';
        if (i >= a.n || j >= b.n)
            return i >= a.n && j >= b.n;
        if (a.p[i] != b.p[j])
            return false;
    }
}

static bool number_equal(struct slice a, struct slice b)
{
    if (slice_eq(a, b))
        return true;
    struct decimal x = decimal_of(a), y = decimal_of(b);
    return !x.huge && !y.huge && x.negative == y.negative && x.exponent == y.exponent &&
           digits_equal(x.digits, y.digits);
}

static bool shallow_equal(const struct json *a, const struct json *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == JSON_NUMBER)
        return number_equal(a->raw, b->raw);
    if (a->type != JSON_STRING)
        return true;
    struct slice x = json_inside(a->raw), y = json_inside(b->raw);
    return a->text || b->text ? compare_escaped(x, y) == 0 : slice_eq(x, y);
}

bool json_equal(const struct json *a, const struct json *b)
{
    if (!a || !b)
        return a == b;
    const struct json *x = a, *y = b;
    for (;;) {
        if (!shallow_equal(x, y))
            return false;
        const struct json *p = json_order_first(x), *q = json_order_first(y);
        while (!p && !q && x != a) {
            p = json_order_next(x);
            q = json_order_next(y);
            x = x->parent;
            y = y->parent;
        }
        if (!p || !q)
            return p == q;
        if (p->parent->type == JSON_OBJECT && json_name_cmp(p, q) != 0)
            return false;
        x = p;
        y = q;
    }
}

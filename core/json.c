/* JSON: the document, its memory, the parser and the framer.
 *
 * A document owns chunks of memory that only grow; nodes, copied text and room for decoded strings
 * come from them and die with it. The parser is one pass without recursion: the open containers are
 * the parents of the node at hand. Strings are stepped over eight bytes at a time while they are
 * plain ASCII; whatever else is checked by the character. A parse that fails leaves its part of the
 * memory unused until json_free. Threads: one per document. */
#include "core/json_priv.h"

#include <assert.h>
#include <endian.h>
#include <stdalign.h>

#define CHUNK_MIN 2048u
#define CHUNK_MAX (1u << 20)
#define NODE_TEXT 24u /* bytes of text a node has on average, for the first chunk's size */

struct chunk {
    struct chunk *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

struct json_doc {
    struct json *root;
    struct chunk *chunks; /* the one at hand first */
    size_t nodes;
    size_t depth; /* the deepest so far */
};

/* ---- Memory ---- */

static bool chunk_add(struct json_doc *d, size_t cap)
{
    struct chunk *c = malloc(sizeof(*c) + cap);
    if (!c)
        return false;
    c->next = d->chunks;
    c->used = 0;
    c->cap = cap;
    d->chunks = c;
    return true;
}

void *json_alloc(struct json_doc *d, size_t n)
{
    n = (n + alignof(struct json) - 1) & ~(alignof(struct json) - 1);
    struct chunk *c = d->chunks;
    if (c->cap - c->used < n) {
        size_t cap = c->cap * 2 < CHUNK_MAX ? c->cap * 2 : CHUNK_MAX;
        if (!chunk_add(d, cap < n ? n : cap))
            return NULL;
        c = d->chunks;
    }
    void *p = c->bytes + c->used;
    c->used += n;
    return p;
}

struct json_text *json_text_new(struct json_doc *d, size_t n)
{
    struct json_text *t = json_alloc(d, sizeof(*t) + n);
    if (t)
        t->n = JSON_UNDECODED;
    return t;
}

void json_free(struct json_doc *d)
{
    if (!d)
        return;
    for (struct chunk *c = d->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(d);
}

struct json *json_root(const struct json_doc *d)
{
    return d->root;
}

void json_set_root(struct json_doc *d, struct json *v)
{
    assert(!v->parent);
    d->root = v;
}

/* ---- Characters ---- */

size_t json_utf8_len(const unsigned char *p, const unsigned char *end)
{
    size_t left = (size_t)(end - p);
    if (left < 1)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (left < 2 || p[0] < 0xc2 || (p[1] & 0xc0) != 0x80)
        return 0;
    if (p[0] < 0xe0)
        return 2;
    if (left < 3 || (p[2] & 0xc0) != 0x80)
        return 0;
    if (p[0] < 0xf0) {
        bool overlong = p[0] == 0xe0 && p[1] < 0xa0;
        bool surrogate = p[0] == 0xed && p[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (left < 4 || (p[3] & 0xc0) != 0x80 || p[0] > 0xf4)
        return 0;
    bool overlong = p[0] == 0xf0 && p[1] < 0x90;
    bool beyond = p[0] == 0xf4 && p[1] >= 0x90;
    return overlong || beyond ? 0 : 4;
}

/* The high bit of each byte of w that ends a plain run: quote, backslash, control character, not
 * ASCII. Only the lowest set bit is exact (a borrow may set higher ones), and only that one is
 * used. */
static uint64_t special_bytes(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    uint64_t control = w - ones * 0x20;
    return ((quote - ones) | (slash - ones) | control | w) & high;
}

static const char *plain_run_end(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t w;
        memcpy(&w, p, sizeof(w));
        uint64_t hit = special_bytes(le64toh(w));
        if (hit)
            return p + (__builtin_ctzll(hit) >> 3);
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
           (unsigned char)*p < 0x80)
        p++;
    return p;
}

/* ---- The parser ---- */

struct parser {
    struct json_doc *d;
    const char *begin, *p, *end;
    struct json *root;
    struct json *top; /* the open container */
    size_t depth;
    struct slice key; /* of the value that comes next */
    struct json_text *key_text;
    struct err *e;
};

static enum rc fail_at(const struct parser *ps, const char *at, const char *expected)
{
    size_t offset = (size_t)(at - ps->begin);
    unsigned char c = at < ps->end ? (unsigned char)*at : 0;
    if (at >= ps->end)
        return err_set(ps->e, RC_INVALID, ERR_FINAL, "byte %zu: expected %s, found the end", offset,
                       expected);
    if (c > 0x20 && c < 0x7f)
        return err_set(ps->e, RC_INVALID, ERR_FINAL, "byte %zu: expected %s, found '%c'", offset,
                       expected, c);
    return err_set(ps->e, RC_INVALID, ERR_FINAL, "byte %zu: expected %s, found byte 0x%02x", offset,
                   expected, c);
}

static inline void skip_space(struct parser *ps)
{
    while (ps->p < ps->end && json_is_space(*ps->p))
        ps->p++;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Steps over the escape at ps->p. */
static enum rc parse_escape(struct parser *ps)
{
    const char *p = ps->p + 1;
    if (p < ps->end && *p == 'u') {
        for (int i = 0; i < 4; i++) {
            if (++p >= ps->end || !is_hex(*p))
                return fail_at(ps, p, "four hexadecimal digits after \\u");
        }
    } else if (p >= ps->end || *p == 0 || !strchr("\"\\/bfnrt", *p)) {
        return fail_at(ps, p, "one of \"\\/bfnrtu after a backslash");
    }
    ps->p = p + 1;
    return RC_OK;
}

/* Steps over the string at ps->p. ret_text is NULL where it has no escapes. */
static enum rc parse_string(struct parser *ps, struct slice *ret_raw, struct json_text **ret_text)
{
    const char *start = ps->p++;
    bool escaped = false;
    for (;;) {
        ps->p = plain_run_end(ps->p, ps->end);
        if (ps->p < ps->end && *ps->p == '"')
            break;
        if (ps->p >= ps->end || (unsigned char)*ps->p < 0x20)
            return fail_at(ps, ps->p,
                           "a string's character (control characters as \\u00XX) or '\"'");
        if (*ps->p == '\\') {
            escaped = true;
            enum rc rc = parse_escape(ps);
            if (rc != RC_OK)
                return rc;
            continue;
        }
        size_t n = json_utf8_len((const unsigned char *)ps->p, (const unsigned char *)ps->end);
        if (n == 0)
            return fail_at(ps, ps->p, "valid UTF-8");
        ps->p += n;
    }
    ps->p++;
    *ret_raw = slice_of(start, (size_t)(ps->p - start));
    *ret_text = escaped ? json_text_new(ps->d, ret_raw->n - 2) : NULL;
    return escaped && !*ret_text ? err_nomem(ps->e) : RC_OK;
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static enum rc parse_number(struct parser *ps)
{
    const char *p = ps->p + (*ps->p == '-');
    const char *digits = p;
    p = skip_digits(p, ps->end);
    if (p == digits)
        return fail_at(ps, p, "a digit");
    if (*digits == '0' && p > digits + 1)
        return fail_at(ps, digits, "a number without leading zeros");
    if (p < ps->end && *p == '.') {
        const char *fraction = p + 1;
        p = skip_digits(fraction, ps->end);
        if (p == fraction)
            return fail_at(ps, p, "a digit after the decimal point");
    }
    if (p < ps->end && (*p == 'e' || *p == 'E')) {
        const char *exponent = p + 1;
        if (exponent < ps->end && (*exponent == '+' || *exponent == '-'))
            exponent++;
        p = skip_digits(exponent, ps->end);
        if (p == exponent)
            return fail_at(ps, p, "a digit in the exponent");
    }
    ps->p = p;
    return RC_OK;
}

static enum rc parse_word(struct parser *ps, struct slice word)
{
    if (!slice_starts(slice_of(ps->p, (size_t)(ps->end - ps->p)), word))
        return fail_at(ps, ps->p, "a JSON value (a word other than true, false and null is none)");
    ps->p += word.n;
    return RC_OK;
}

static enum rc open_container(struct parser *ps, struct json *n)
{
    if (++ps->depth > JSON_DEPTH_MAX)
        return err_set(ps->e, RC_LIMIT, ERR_FINAL,
                       "byte %zu: nested deeper than %d, the most that is allowed",
                       (size_t)(ps->p - ps->begin), JSON_DEPTH_MAX);
    if (ps->depth > ps->d->depth)
        ps->d->depth = ps->depth;
    ps->p++;
    ps->top = n;
    return RC_OK;
}

static void attach(struct parser *ps, struct json *n)
{
    struct json *top = ps->top;
    if (!top) {
        ps->root = n;
        return;
    }
    n->parent = top;
    n->prev = top->last;
    *(top->last ? &top->last->next : &top->first) = n;
    top->last = n;
    top->count++;
}

/* Reads a scalar whole, of a container the opening bracket. */
static enum rc parse_value(struct parser *ps)
{
    skip_space(ps);
    if (ps->p >= ps->end)
        return fail_at(ps, ps->p, "a JSON value");
    if (++ps->d->nodes > JSON_NODES_MAX)
        return err_set(ps->e, RC_LIMIT, ERR_FINAL, "byte %zu: more than %u values in one document",
                       (size_t)(ps->p - ps->begin), JSON_NODES_MAX);
    struct json *n = json_alloc(ps->d, sizeof(*n));
    if (!n)
        return err_nomem(ps->e);
    const char *start = ps->p;
    *n = (struct json){.key_raw = ps->key, .key_text = ps->key_text};
    if (!n->key_raw.p && ps->top)
        n->key_raw.p = start;
    attach(ps, n);

    enum rc rc;
    switch (*start) {
    case '{':
        n->type = JSON_OBJECT;
        rc = open_container(ps, n);
        break;
    case '[':
        n->type = JSON_ARRAY;
        rc = open_container(ps, n);
        break;
    case '"':
        n->type = JSON_STRING;
        return parse_string(ps, &n->raw, &n->text);
    case 't':
        n->type = JSON_TRUE;
        rc = parse_word(ps, SLICE("true"));
        break;
    case 'f':
        n->type = JSON_FALSE;
        rc = parse_word(ps, SLICE("false"));
        break;
    case 'n':
        n->type = JSON_NULL;
        rc = parse_word(ps, SLICE("null"));
        break;
    default:
        if (*start != '-' && (*start < '0' || *start > '9'))
            return fail_at(ps, start, "a JSON value");
        n->type = JSON_NUMBER;
        rc = parse_number(ps);
        break;
    }
    n->raw = slice_of(start, (size_t)(ps->p - start));
    return rc;
}

/* Inside an object: the name and colon before a value. */
static enum rc parse_key(struct parser *ps)
{
    ps->key = SLICE_NULL;
    ps->key_text = NULL;
    if (!ps->top || ps->top->type != JSON_OBJECT)
        return RC_OK;
    skip_space(ps);
    if (ps->p >= ps->end || *ps->p != '"')
        return fail_at(ps, ps->p, "a member's name in double quotes");
    enum rc rc = parse_string(ps, &ps->key, &ps->key_text);
    if (rc != RC_OK)
        return rc;
    skip_space(ps);
    if (ps->p >= ps->end || *ps->p != ':')
        return fail_at(ps, ps->p, "':' after a member's name");
    ps->p++;
    return RC_OK;
}

/* After a value or an opening bracket: closes what ends here, stops before the next value. */
static enum rc parse_between(struct parser *ps)
{
    while (ps->top) {
        bool object = ps->top->type == JSON_OBJECT;
        skip_space(ps);
        char c = ps->p < ps->end ? *ps->p : 0;
        if (c == (object ? '}' : ']')) {
            ps->p++;
            ps->top->raw.n = (size_t)(ps->p - ps->top->raw.p);
            ps->top = ps->top->parent;
            ps->depth--;
            continue;
        }
        if (ps->top->count == 0)
            return RC_OK;
        if (c != ',')
            return fail_at(ps, ps->p, object ? "',' or '}'" : "',' or ']'");
        ps->p++;
        return RC_OK;
    }
    return RC_OK;
}

/* text must live as long as d. */
static enum rc parse(struct json_doc *d, struct slice text, struct json **ret, struct err *e)
{
    struct parser ps = {.d = d, .begin = text.p, .p = text.p, .end = text.p + text.n, .e = e};
    do {
        enum rc rc = parse_key(&ps);
        if (rc == RC_OK)
            rc = parse_value(&ps);
        if (rc == RC_OK)
            rc = parse_between(&ps);
        if (rc != RC_OK)
            return rc;
    } while (ps.top);
    skip_space(&ps);
    if (ps.p < ps.end)
        return fail_at(&ps, ps.p, "the end after the value");
    *ret = ps.root;
    return RC_OK;
}

static enum rc check_size(struct slice text, struct err *e)
{
    if (text.n <= JSON_TEXT_MAX)
        return RC_OK;
    return err_set(e, RC_LIMIT, ERR_FINAL, "JSON text of %zu bytes, the most allowed is %u", text.n,
                   JSON_TEXT_MAX);
}

static enum rc parse_doc(struct slice text, bool copy, struct json_doc **ret, struct err *e)
{
    enum rc rc = check_size(text, e);
    if (rc != RC_OK)
        return rc;
    AUTO(json_freep) struct json_doc *d = calloc(1, sizeof(*d));
    if (!d)
        return err_nomem(e);
    size_t nodes = CHUNK_MIN + text.n / NODE_TEXT * sizeof(struct json);
    if (!chunk_add(d, (nodes < CHUNK_MAX ? nodes : CHUNK_MAX) + (copy ? text.n : 0)))
        return err_nomem(e);
    rc = copy ? json_value(d, text, &d->root, e) : parse(d, text, &d->root, e);
    if (rc == RC_OK)
        *ret = steal(&d);
    return rc;
}

size_t json_depth(const struct json_doc *d)
{
    return d->depth;
}

enum rc json_parse(struct slice text, struct json_doc **ret, struct err *e)
{
    return parse_doc(text, true, ret, e);
}

enum rc json_parse_view(struct slice text, struct json_doc **ret, struct err *e)
{
    return parse_doc(text.p ? text : SLICE(""), false, ret, e);
}

enum rc json_value(struct json_doc *d, struct slice text, struct json **ret, struct err *e)
{
    enum rc rc = check_size(text, e);
    if (rc != RC_OK)
        return rc;
    char *copy = json_alloc(d, text.n + 1);
    if (!copy)
        return err_nomem(e);
    if (text.n)
        memcpy(copy, text.p, text.n);
    return parse(d, slice_of(copy, text.n), ret, e);
}

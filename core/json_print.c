/* JSON: printing.
 *
 * A node that was not edited is its text. An edited container is printed child by child, with the
 * brackets' and the children's old spacing, which is found in the text around their old places
 * (json_edit.c names the invariant). Walks go by the links, not by recursion. What goes wrong
 * (limit, memory) is kept in the buffer. Threads: one per document. */
#include "core/json_priv.h"

#include "core/buf.h"

static const char *space_before(const char *p)
{
    while (json_is_space(p[-1]))
        p--;
    return p;
}

static const char *space_after(const char *p)
{
    while (json_is_space(*p))
        p++;
    return p;
}

static void add_range(struct buf *out, const char *from, const char *to)
{
    buf_add(out, from, (size_t)(to - from));
}

/* What stands before a child's value: the separator, its name, the colon. */
static void print_lead(const struct json *n, struct buf *out)
{
    const char *key = n->key_raw.p;
    if (!key) {
        if (n->prev)
            buf_add_char(out, ',');
        return;
    }
    const char *gap = space_before(key);
    bool comma = gap[-1] == ',';
    if (n->prev && !comma)
        buf_add_char(out, ',');
    else if (n->prev)
        gap = space_before(gap - 1);
    add_range(out, gap, key);
    if (n->key_raw.n == 0)
        return;
    const char *colon = space_after(key + n->key_raw.n);
    add_range(out, key, space_after(colon + 1));
}

static void print_open(const struct json *n, struct buf *out)
{
    buf_add_char(out, n->type == JSON_OBJECT ? '{' : '[');
}

static void print_close(const struct json *n, struct buf *out)
{
    const char *bracket = n->raw.p + n->raw.n - 1;
    add_range(out, space_before(bracket), bracket + 1);
}

void json_print(const struct json *n, struct buf *out)
{
    for (const struct json *at = n;; at = at->next) {
        for (;; at = at->first) {
            if (at != n)
                print_lead(at, out);
            if (!at->edited) {
                buf_add_slice(out, at->raw);
                break;
            }
            print_open(at, out);
            if (!at->first) {
                print_close(at, out);
                break;
            }
        }
        while (at != n && !at->next) {
            at = at->parent;
            print_close(at, out);
        }
        if (at == n)
            return;
    }
}

/* ---- Strings ---- */

static void print_control(unsigned char c, struct buf *out)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c >= 0x20 || letters[c]) {
        buf_add_char(out, '\\');
        buf_add_char(out, c >= 0x20 ? (char)c : letters[c]);
        return;
    }
    buf_addf(out, "\\u%04x", c);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* As json_print_text, without the quotes. */
static void print_characters(struct slice text, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;
    while (p < end) {
        const unsigned char *run = p;
        while (p < end && is_plain(*p))
            p++;
        buf_add(out, run, (size_t)(p - run));
        if (p == end)
            return;
        if (*p < 0x80) {
            print_control(*p++, out);
            continue;
        }
        size_t n = json_utf8_len(p, end);
        buf_add(out, n ? (const char *)p : "\xef\xbf\xbd", n ? n : 3);
        p += n ? n : 1;
    }
}

void json_print_text(struct slice text, struct buf *out)
{
    buf_add_char(out, '"');
    if (text.n)
        print_characters(text, out);
    buf_add_char(out, '"');
}

/* ---- Canonical form ---- */

static void print_canonical_string(struct slice quoted, bool escaped, struct buf *out)
{
    if (!escaped) {
        buf_add_slice(out, quoted);
        return;
    }
    struct slice inside = json_inside(quoted);
    buf_add_char(out, '"');
    for (const char *p = inside.p, *end = p + inside.n; p < end;) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        add_range(out, p, escape ? escape : end);
        if (!escape)
            break;
        p = escape;
        unsigned char c[4];
        size_t n = json_unescape(&p, end, c);
        if (json_is_surrogate(c, n))
            buf_addf(out, "\\u%x", 0xd000u | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu));
        else
            print_characters(slice_of(c, n), out);
    }
    buf_add_char(out, '"');
}

static void print_canonical_lead(const struct json *n, bool first, struct buf *out)
{
    if (!first)
        buf_add_char(out, ',');
    if (n->parent->type != JSON_OBJECT)
        return;
    print_canonical_string(n->key_raw, n->key_text != NULL, out);
    buf_add_char(out, ':');
}

static void print_canonical_close(const struct json *n, struct buf *out)
{
    buf_add_char(out, n->type == JSON_OBJECT ? '}' : ']');
}

/* Prints a scalar, or a container's opening bracket (and its closing one if it is empty); the first
 * child is the result. */
static const struct json *print_canonical_value(const struct json *n, struct buf *out)
{
    if (!json_is_container(n)) {
        print_canonical_string(n->raw, n->text != NULL, out);
        return NULL;
    }
    print_open(n, out);
    const struct json *first = json_order_first(n);
    if (!first)
        print_canonical_close(n, out);
    return first;
}

void json_print_canonical(struct json_doc *d, const struct json *n, struct buf *out)
{
    (void)d;
    const struct json *at = n, *next;
    for (;;) {
        bool first = true;
        next = print_canonical_value(at, out);
        while (!next && at != n) {
            first = false;
            next = json_order_next(at);
            at = at->parent;
            if (!next)
                print_canonical_close(at, out);
        }
        if (!next)
            return;
        print_canonical_lead(next, first, out);
        at = next;
    }
}

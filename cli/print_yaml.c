/* JSON to YAML. Numbers keep their text; strings are plain only where no reader could take them for anything else. */
#include "cli/print_yaml.h"

#include "core/buf.h"
#include "core/json.h"

#include <strings.h>

static void print_value(struct json_doc *d, const struct json *v, int depth, bool after_dash,
                        struct buf *out);

static void indent(struct buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_add_str(out, "  ");
}

/* Words that YAML 1.1 readers take for booleans or null. */
static bool is_word(struct slice s)
{
    static const char *const words[] = {"y",    "n",     "yes",  "no",  "on", "off",
                                        "true", "false", "null", "nan", "inf"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == s.n && strncasecmp(words[i], s.p, s.n) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters first, then letters, digits and a few signs that mean nothing inside a plain scalar. */
static bool is_plain(struct slice s)
{
    if (s.n == 0 || !is_letter(s.p[0]) || is_word(s))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_letter(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') &&
            (s.p[i] == '\0' || !strchr("-_./", s.p[i])))
            return false;
    return true;
}

/* The number of the character at the front of s and, in *ret, its length, if YAML readers refuse it as it is
 * or take it for the end of a line: DEL, the controls above it, U+2028, U+2029, U+FEFF, U+FFFE, U+FFFF; 0 for
 * all others. */
static unsigned awkward(struct slice s, size_t *ret)
{
    const unsigned char *p = (const unsigned char *)s.p;
    *ret = 1;
    if (p[0] == 0x7f)
        return p[0];
    if (p[0] == 0xc2 && s.n > 1 && p[1] < 0xa0) {
        *ret = 2;
        return p[1];
    }
    if (p[0] >> 4 != 0xe || s.n < 3)
        return 0;
    unsigned c = (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    if (c != 0x2028 && c != 0x2029 && c != 0xfeff && c < 0xfffe)
        return 0;
    *ret = 3;
    return c;
}

/* As JSON writes it, with escapes for the awkward characters, too. */
static void print_quoted(struct slice text, struct buf *out)
{
    AUTO(buf_done) struct buf json = BUF_INIT(JSON_TEXT_MAX);
    json_print_text(text, &json);
    if (json.bad)
        out->bad = json.bad; /* for whoever checks it */
    struct slice rest = buf_slice(&json);
    while (rest.n) {
        size_t n;
        unsigned c = awkward(rest, &n);
        if (c)
            buf_addf(out, "\\u%04x", c);
        else
            buf_add(out, rest.p, n);
        rest = slice_of(rest.p + n, rest.n - n);
    }
}

static void print_text(struct slice text, struct buf *out)
{
    if (is_plain(text))
        buf_add_slice(out, text);
    else
        print_quoted(text, out);
}

static void print_members(struct json_doc *d, const struct json *v, int depth, bool after_dash,
                          struct buf *out)
{
    for (const struct json *m = v->first; m; m = m->next) {
        if (m != v->first || !after_dash)
            indent(out, depth);
        print_text(json_name(d, m), out);
        buf_add_char(out, ':');
        print_value(d, m, depth, false, out);
    }
}

static void print_elements(struct json_doc *d, const struct json *v, int depth, bool after_dash,
                           struct buf *out)
{
    for (const struct json *m = v->first; m; m = m->next) {
        if (m != v->first || !after_dash)
            indent(out, depth);
        buf_add_char(out, '-');
        print_value(d, m, depth, true, out);
    }
}

/* What follows "name:" or "-": the value on the same line, or its members below. */
static void print_value(struct json_doc *d, const struct json *v, int depth, bool after_dash,
                        struct buf *out)
{
    bool container = v->type == JSON_OBJECT || v->type == JSON_ARRAY;
    if (container && v->first) {
        bool inner = v->type == JSON_OBJECT || after_dash;
        buf_add_str(out, after_dash ? " " : "\n");
        if (v->type == JSON_OBJECT)
            print_members(d, v, depth + 1, after_dash, out);
        else
            print_elements(d, v, depth + inner, after_dash, out);
        return;
    }
    buf_add_char(out, ' ');
    if (v->type == JSON_STRING)
        print_text(json_text(d, v), out);
    else if (container)
        buf_add_str(out, v->type == JSON_OBJECT ? "{}" : "[]");
    else
        json_print(v, out);
    buf_add_char(out, '\n');
}

void print_yaml(struct json_doc *d, const struct json *value, struct buf *out)
{
    if (value->type == JSON_OBJECT && value->first)
        print_members(d, value, 0, false, out);
    else if (value->type == JSON_ARRAY && value->first)
        print_elements(d, value, 0, false, out);
    else
        print_value(d, value, 0, false, out);
}

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

static void print_text(struct slice text, struct buf *out)
{
    if (is_plain(text))
        buf_add_slice(out, text);
    else
        json_print_text(text, out);
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

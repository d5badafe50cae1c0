/* The list of remarks. Keeps copies of all texts, so that the input can be freed (it may hold
 * secrets). Bounded by PROBLEMS_MAX a level, whatever the input is; the path of a node is found by
 * walking up from it. One thread. */
#include "controller/problem_list.h"

#include "core/buf.h"
#include "core/json.h"

#include <ctype.h>
#include <stdio.h>

enum { PATH_MAX_BYTES = 8 << 10, LEVELS = PROBLEM_WARNING + 1 };

struct remark {
    struct problem public;
    size_t order, seq;
    uint32_t line, col;
};

struct problem_list {
    struct remark *list;
    size_t n, cap;
    size_t count[LEVELS];
    bool nomem;
};

struct problem_list *problem_list_new(void)
{
    return calloc(1, sizeof(struct problem_list));
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void problem_done(const struct problem *p)
{
    free_text(p->where);
    free_text(p->path);
    free_text(p->text);
}

void problem_list_free(struct problem_list *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        problem_done(&l->list[i].public);
    free(l->list);
    free(l);
}

void problem_list_nomem(struct problem_list *l)
{
    l->nomem = true;
}

/* ---- The path of a node ---- */

static bool is_plain(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_' && name.p[i] != '-')
            return false;
    return name.n > 0;
}

static void print_step(struct json_doc *d, const struct json *n, struct buf *out)
{
    if (json_is(n->parent, JSON_ARRAY)) {
        size_t index = 0;
        for (const struct json *before = n->prev; before; before = before->prev)
            index++;
        buf_addf(out, "[%zu]", index);
        return;
    }
    struct slice name = json_name(d, n);
    if (is_plain(name)) {
        buf_addf(out, "%s%.*s", out->n ? "." : "", SHOWN(name));
        return;
    }
    buf_add_char(out, '[');
    json_print_text(slice_of(name.p, name.n < SHOWN_MAX ? name.n : SHOWN_MAX), out);
    buf_add_char(out, ']');
}

/* As deep as core/yaml.h lets a document be. */
static void print_path(struct json_doc *d, const struct json *n, struct buf *out)
{
    if (!n || !n->parent)
        return;
    print_path(d, n->parent, out);
    print_step(d, n, out);
}

/* ---- Adding ---- */

static bool grow(struct problem_list *l)
{
    if (l->n < l->cap)
        return true;
    size_t cap = l->cap ? 2 * l->cap : 16;
    struct remark *list = realloc(l->list, cap * sizeof *list);
    if (!list)
        return false;
    l->list = list;
    l->cap = cap;
    return true;
}

/* Takes path and text. */
static void add(const struct origin *o, struct remark r, char *path, char *text)
{
    struct problem_list *l = o->problems;
    char *where = NULL;
    int n = r.line > 0 ? asprintf(&where, "%s:%u:%u", o->file, r.line, r.col)
                       : asprintf(&where, "%s", o->file);
    r.public.where = n < 0 ? NULL : where;
    r.public.path = path;
    r.public.text = text;
    r.order = o->order;
    r.seq = l->n;
    if (n < 0 || !path || !text || !grow(l)) {
        l->nomem = true;
        problem_done(&r.public);
        return;
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    l->list[l->n++] = r;
}

static bool has_room(struct problem_list *l, enum problem_level level)
{
    return l->count[level]++ < PROBLEMS_MAX;
}

static char *path_of(const struct origin *o, const struct json *node)
{
    AUTO(buf_done) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    print_path(o->doc, node, &path);
    return path.bad == RC_OK && path.n ? buf_steal(&path, NULL) : strdup("");
}

static void add_node(const struct origin *o, enum problem_level level, const struct json *node,
                     char *text)
{
    struct remark r = {.public.level = level};
    if (node) {
        r.line = node->line;
        r.col = node->col;
    }
    add(o, r, path_of(o, node), text);
}

static void __attribute__((format(printf, 4, 0)))
say(const struct origin *o, enum problem_level level, const struct json *node, const char *fmt,
    va_list args)
{
    char *text = NULL;
    if (!has_room(o->problems, level))
        return;
    add_node(o, level, node, vasprintf(&text, fmt, args) < 0 ? NULL : text);
}

void problem_error(const struct origin *o, const struct json *node, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(o, PROBLEM_ERROR, node, fmt, args);
    va_end(args);
}

void problem_warn(const struct origin *o, const struct json *node, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(o, PROBLEM_WARNING, node, fmt, args);
    va_end(args);
}

/* Cuts "<file>:" and, if it follows, "<line>:<column>:" off the front of text. */
static const char *cut_place(const struct origin *o, const char *text, struct remark *r)
{
    size_t n = strlen(o->file);
    unsigned line, col;
    int end = 0;
    if (strncmp(text, o->file, n) != 0 || text[n] != ':')
        return text;
    text += n + 1;
    if (sscanf(text, "%9u:%9u: %n", &line, &col, &end) == 2 && end > 0) {
        r->line = line;
        r->col = col;
        return text + end;
    }
    return *text == ' ' ? text + 1 : text;
}

void problem_failure(const struct origin *o, const struct json *node, const struct err *why)
{
    struct remark r = {.public.level = PROBLEM_ERROR};
    if (why->rc == RC_NOMEM) {
        o->problems->nomem = true;
        return;
    }
    if (!has_room(o->problems, PROBLEM_ERROR))
        return;
    if (node)
        add_node(o, PROBLEM_ERROR, node, strdup(why->msg));
    else {
        const char *text = cut_place(o, why->msg, &r);
        add(o, r, strdup(""), strdup(text));
    }
}

/* ---- The end ---- */

static int compare(const void *left, const void *right)
{
    const struct remark *a = left, *b = right;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->col != b->col)
        return a->col < b->col ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

static void say_rest(struct problem_list *l, enum problem_level level, const char *what)
{
    struct origin all = {.problems = l, .file = "-", .order = SIZE_MAX};
    struct remark r = {.public.level = level};
    char *text = NULL;
    size_t rest = l->count[level] > PROBLEMS_MAX ? l->count[level] - PROBLEMS_MAX : 0;
    if (rest > 0)
        add(&all, r, strdup(""),
            asprintf(&text, "%zu more %s are not listed: mend those above first", rest, what) < 0
                ? NULL
                : text);
}

enum rc problem_list_finish(struct problem_list *l, struct err *e)
{
    say_rest(l, PROBLEM_ERROR, "errors");
    say_rest(l, PROBLEM_WARNING, "warnings");
    if (l->nomem)
        return err_nomem(e);
    if (l->n)
        qsort(l->list, l->n, sizeof *l->list, compare);
    return RC_OK;
}

size_t problem_list_errors(const struct problem_list *l)
{
    return l->count[PROBLEM_ERROR];
}

const struct problem *problem_list_get(const struct problem_list *l, size_t index)
{
    return index < l->n ? &l->list[index].public : NULL;
}

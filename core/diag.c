/* Diagnostics. One lock covers a line from its repetition check to its write, so lines never mix and the writer is
 * called once at a time.
 *
 * Keeps, once for a diag and all that is bound to it: the line under construction, a fixed array, and a fixed table
 * of the lines said lately (a hash of each, not its text). Where the table is full the oldest entry goes, and its
 * line may then be said again early: never less is said than the contract allows to leave out. A value is cut at
 * VALUE_MAX bytes as written, so that one long value does not hide the fields behind it; fields that no longer fit
 * are left out. Every line is complete JSON whatever is cut. Control characters are escaped: no text can move a
 * terminal's cursor. */
#include "core/diag.h"

#include "core/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define DIAG_LINE_MAX 8192
#define TAIL_ROOM     16 /* closing quote, braces, newline */
#define FIELD_ROOM    64 /* what a field needs beside its path: quotes, braces, a number or "..." */
#define VALUE_MAX     2048
#define DEPTH_MAX     4 /* nested objects; further dots belong to the last name */
#define SEEN_MAX      64
#define SEEN_NS       (10 * NS_PER_S)

struct line {
    size_t n;
    char p[DIAG_LINE_MAX];
};

/* What one call says. */
struct saying {
    enum diag_level level;
    const char *msg;
    const struct diag_field *bound, *fields; /* in this order */
    size_t n_bound, n;                       /* n: of both */
    uint64_t repeated;                       /* how often it was kept back before */
    char time[TIME_TEXT_MAX];
};

struct seen {
    uint64_t hash;
    int64_t said_ns; /* boot time; 0 in an unused entry */
    uint64_t kept_back;
};

/* The least level of those that have that text in the field path. */
struct rule {
    const char *path, *text;
    enum diag_level least;
};

/* Where lines go. */
struct outlet {
    struct clock *clock;
    enum diag_format format;
    enum diag_level least;             /* where no rule fits */
    struct rule rules[DIAG_RULES_MAX]; /* as long as there is one thread */
    size_t n_rules;
    diag_write_fn *write;
    void *arg;
    pthread_mutex_t lock;
    struct seen seen[SEEN_MAX];
    struct line line;
};

struct diag {
    struct outlet *outlet;
    bool owns_outlet; /* it was made by diag_new */
    enum diag_level least;
    struct diag_field bound[DIAG_BOUND_MAX];
    size_t n_bound;
    char *texts; /* of the bound fields that this one added */
};

static const struct diag_field *field_at(const struct saying *s, size_t i)
{
    return i < s->n_bound ? &s->bound[i] : &s->fields[i - s->n_bound];
}

/* ---- Building a line. The callers see to it that put has room. ---- */

static void put(struct line *l, const char *p, size_t n)
{
    memcpy(l->p + l->n, p, n);
    l->n += n;
}

static void put_str(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static size_t room(const struct line *l)
{
    return DIAG_LINE_MAX - TAIL_ROOM - l->n;
}

/* The length of the UTF-8 character at the front of s (s.n > 0); 0 where there is none. */
static size_t utf8_length(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > s.n || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

#define UNIT_MAX 8
/* Takes one character off the front of *s and writes how a line shows it; returns that length. */
static size_t take_unit(struct slice *s, bool quoted, char out[UNIT_MAX])
{
    size_t used = utf8_length(*s);
    unsigned char c = (unsigned char)s->p[0];
    unsigned control = c < 0x20 || c == 0x7f ? c : 256;
    if (used == 2 && c == 0xc2 && (unsigned char)s->p[1] < 0xa0)
        control = (unsigned char)s->p[1];
    const char *p = s->p;
    *s = slice_of(s->p + (used ? used : 1), s->n - (used ? used : 1));
    if (!used)
        return (size_t)snprintf(out, UNIT_MAX, "\xef\xbf\xbd");
    if (c == '\n' || c == '\t' || c == '\r')
        return (size_t)snprintf(out, UNIT_MAX, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
    if (control < 256)
        return (size_t)snprintf(out, UNIT_MAX, "\\u%04x", control & 0xff);
    if (quoted && (c == '"' || c == '\\'))
        return (size_t)snprintf(out, UNIT_MAX, "\\%c", c);
    memcpy(out, p, used);
    return used;
}

/* Puts text with its escapes, cut with "..." at VALUE_MAX bytes or where the line ends. */
static void put_text(struct line *l, struct slice text, bool quoted)
{
    static const char dots[] = "...";
    size_t left = room(l) < VALUE_MAX ? room(l) : VALUE_MAX;
    while (text.n) {
        char unit[UNIT_MAX];
        size_t n = take_unit(&text, quoted, unit);
        if (n + sizeof dots > left) {
            put_str(l, dots);
            return;
        }
        put(l, unit, n);
        left -= n;
    }
}

static void put_quoted(struct line *l, struct slice text)
{
    put_str(l, "\"");
    put_text(l, text, true);
    put_str(l, "\"");
}

static void put_number(struct line *l, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    put_str(l, text);
}

static bool field_fits(const struct line *l, const struct diag_field *f)
{
    return strlen(f->path) + FIELD_ROOM <= room(l);
}

/* ---- JSON ---- */

static void put_json_field(struct line *l, struct slice name, const struct diag_field *f)
{
    put_str(l, "\"");
    put(l, name.p, name.n);
    put_str(l, "\":");
    if (f->is_number)
        put_number(l, f->number);
    else
        put_quoted(l, f->text);
}

/* The objects open at this place of the line, outermost first. */
struct nest {
    struct slice name[DEPTH_MAX];
    size_t depth;
};

static void close_to(struct line *l, struct nest *nest, size_t depth)
{
    for (; nest->depth > depth; nest->depth--)
        put_str(l, "}");
}

/* Leaves the objects that path is not in, enters those that it is in, and returns the rest of path:
 * the member's name. */
static struct slice enter(struct line *l, struct nest *nest, struct slice path)
{
    struct slice tail;
    size_t keep = 0;
    for (; keep < nest->depth; keep++) {
        struct slice head = slice_cut(path, '.', &tail);
        if (tail.n == 0 || !slice_eq(head, nest->name[keep]))
            break;
        path = tail;
    }
    close_to(l, nest, keep);
    put_str(l, ",");
    while (nest->depth < DEPTH_MAX) {
        struct slice head = slice_cut(path, '.', &tail);
        if (tail.n == 0)
            break;
        put_str(l, "\"");
        put(l, head.p, head.n);
        put_str(l, "\":{");
        nest->name[nest->depth++] = head;
        path = tail;
    }
    return path;
}

static void put_repeated(struct line *l, uint64_t times)
{
    char text[48];
    snprintf(text, sizeof text, " (repeated %" PRIu64 " times)", times);
    if (times)
        put_str(l, text);
}

static void build_json(struct line *l, const struct saying *s)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    put_str(l, "{\"level\":\"");
    put_str(l, names[s->level]);
    put_str(l, "\",\"timestamp\":\"");
    put_str(l, s->time);
    put_str(l, "\",\"msg\":\"");
    put_text(l, slice_str(s->msg), true);
    put_repeated(l, s->repeated);
    put_str(l, "\"");
    struct nest nest = {.depth = 0};
    for (size_t i = 0; i < s->n && field_fits(l, field_at(s, i)); i++) {
        const struct diag_field *f = field_at(s, i);
        if (f->where != DIAG_TEXT_ONLY)
            put_json_field(l, enter(l, &nest, slice_str(f->path)), f);
    }
    close_to(l, &nest, 0);
    put_str(l, "}\n");
}

/* ---- Text ---- */

/* True if a value needs no quotes to be told from its neighbours. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\')
            return false;
    }
    return s.n > 0;
}

static void build_text(struct line *l, const struct saying *s)
{
    static const char *const names[] = {"Z DEBUG ", "Z INFO  ", "Z WARN  ", "Z ERROR "};
    put(l, s->time, sizeof "2026-01-02T03:04:05" - 1);
    put_str(l, names[s->level]);
    put_text(l, slice_str(s->msg), false);
    put_repeated(l, s->repeated);
    for (size_t i = 0; i < s->n && field_fits(l, field_at(s, i)); i++) {
        const struct diag_field *f = field_at(s, i);
        if (f->where == DIAG_JSON_ONLY)
            continue;
        put_str(l, " ");
        put_str(l, f->path);
        put_str(l, "=");
        if (f->is_number)
            put_number(l, f->number);
        else if (is_plain(f->text))
            put_text(l, f->text, false);
        else
            put_quoted(l, f->text);
    }
    put_str(l, "\n");
}

/* ---- Repetition ---- */

/* FNV-1a; the length goes in too, so that neighbours can not run into one another. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *at = p;
    for (size_t i = 0; i < sizeof n; i++)
        h = (h ^ (unsigned char)(n >> (8 * i))) * 0x100000001b3u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * 0x100000001b3u;
    return h;
}

static uint64_t hash_of(const struct saying *s)
{
    uint64_t h = mix(0xcbf29ce484222325u, &s->level, sizeof s->level);
    h = mix(h, s->msg, strlen(s->msg));
    for (size_t i = 0; i < s->n; i++) {
        const struct diag_field *f = field_at(s, i);
        h = mix(h, f->path, strlen(f->path));
        h = f->is_number ? mix(h, &f->number, sizeof f->number) : mix(h, f->text.p, f->text.n);
    }
    return h;
}

/* False if the line was said lately (then it is counted); else *ret_repeated is how often it was
 * kept back since. */
static bool may_say(struct outlet *o, uint64_t hash, int64_t now_ns, uint64_t *ret_repeated)
{
    struct seen *at = &o->seen[0];
    for (size_t i = 0; i < SEEN_MAX; i++) {
        struct seen *s = &o->seen[i];
        if (s->said_ns && s->hash == hash) {
            at = s;
            break;
        }
        if (s->said_ns < at->said_ns)
            at = s;
    }
    bool known = at->said_ns && at->hash == hash;
    if (known && now_ns - at->said_ns < SEEN_NS) {
        at->kept_back++;
        return false;
    }
    *ret_repeated = known ? at->kept_back : 0;
    *at = (struct seen){.hash = hash, .said_ns = now_ns};
    return true;
}

/* ---- The interface ---- */

static struct outlet *outlet_new(void)
{
    struct outlet *o = calloc(1, sizeof *o);
    if (o && pthread_mutex_init(&o->lock, NULL)) {
        free(o);
        return NULL;
    }
    return o;
}

struct diag *diag_new(struct clock *clock, enum diag_format format, enum diag_level least,
                      diag_write_fn *write, void *arg)
{
    AUTO(diag_freep) struct diag *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->owns_outlet = true;
    d->outlet = outlet_new();
    if (!d->outlet)
        return NULL;
    d->outlet->clock = clock;
    d->outlet->format = format;
    d->outlet->least = d->least = least;
    d->outlet->write = write;
    d->outlet->arg = arg;
    return steal(&d);
}

void diag_free(struct diag *d)
{
    if (!d)
        return;
    if (d->owns_outlet && d->outlet) {
        pthread_mutex_destroy(&d->outlet->lock);
        free(d->outlet);
    }
    free(d->texts);
    free(d);
}

static struct diag_field *place_of(struct diag *d, const char *path)
{
    for (size_t i = 0; i < d->n_bound; i++)
        if (strcmp(d->bound[i].path, path) == 0)
            return &d->bound[i];
    assert(d->n_bound < DIAG_BOUND_MAX);
    return &d->bound[d->n_bound++];
}

void diag_rule(struct diag *d, const char *path, const char *text, enum diag_level least)
{
    struct outlet *o = d->outlet;
    assert(d->owns_outlet && o->n_rules < DIAG_RULES_MAX);
    o->rules[o->n_rules++] = (struct rule){path, text, least};
}

static bool is_bound(const struct diag *d, const struct rule *rule)
{
    for (size_t i = 0; i < d->n_bound; i++)
        if (strcmp(d->bound[i].path, rule->path) == 0)
            return slice_eq(d->bound[i].text, slice_str(rule->text));
    return false;
}

/* By the rules, else that one. */
static enum diag_level least_of(const struct diag *d, enum diag_level least)
{
    for (size_t i = 0; i < d->outlet->n_rules; i++)
        if (is_bound(d, &d->outlet->rules[i]))
            least = d->outlet->rules[i].least;
    return least;
}

enum rc diag_bind(struct diag *d, const struct diag_field *fields, size_t n, struct diag **ret,
                  struct err *e)
{
    *ret = NULL;
    if (!d)
        return RC_OK;
    size_t room = 1;
    for (size_t i = 0; i < n; i++)
        room += fields[i].text.n;
    AUTO(diag_freep) struct diag *bound = calloc(1, sizeof *bound);
    char *at = bound ? bound->texts = malloc(room) : NULL;
    if (!at)
        return err_nomem(e);
    bound->outlet = d->outlet;
    memcpy(bound->bound, d->bound, sizeof d->bound);
    bound->n_bound = d->n_bound;
    for (size_t i = 0; i < n; i++) {
        struct diag_field *f = place_of(bound, fields[i].path);
        *f = fields[i];
        f->text = slice_of(at, fields[i].text.n);
        if (f->text.n)
            memcpy(at, fields[i].text.p, f->text.n);
        at += f->text.n;
    }
    bound->least = least_of(bound, d->outlet->least);
    *ret = steal(&bound);
    return RC_OK;
}

void diag_set_least(struct diag *d, enum diag_level least)
{
    if (!d)
        return;
    assert(!d->owns_outlet);
    d->least = least_of(d, least);
}

bool diag_says(const struct diag *d, enum diag_level level)
{
    return d && level >= d->least;
}

void diag_say(struct diag *d, enum diag_level level, const char *msg,
              const struct diag_field *fields, size_t n)
{
    if (!diag_says(d, level))
        return;
    struct outlet *o = d->outlet;
    struct saying s = {.level = level,
                       .msg = msg,
                       .bound = d->bound,
                       .fields = fields,
                       .n_bound = d->n_bound,
                       .n = d->n_bound + n};
    uint64_t hash = hash_of(&s);
    pthread_mutex_lock(&o->lock);
    if (may_say(o, hash, clock_boot_ns(o->clock), &s.repeated)) {
        time_text(clock_wall_ns(o->clock), s.time);
        o->line.n = 0;
        if (o->format == DIAG_JSON)
            build_json(&o->line, &s);
        else
            build_text(&o->line, &s);
        o->write(o->arg, o->line.p, o->line.n);
    }
    pthread_mutex_unlock(&o->lock);
}

void diag_error(struct diag *d, enum diag_level level, const char *msg, const struct err *e)
{
    DIAG(d, level, msg, DIAG_S("error", slice_str(e->msg)));
}

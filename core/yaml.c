/* YAML into JSON documents: the door to libyaml.
 *
 * libyaml's events are written down as JSON text, beside it where each node began; json_parse makes
 * the document of the text and the places go into its nodes in the same order. So there is one
 * builder of trees and nothing of libyaml outlives the call. A file that begins with '{' is tried
 * as a stream of JSON values first, as kubectl does, for YAML refuses some JSON. Failure modes:
 * every error names file, line and column; nothing is given then. Threads: any. */
#include "core/yaml.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/yaml_scalar.h"

#include <assert.h>
#include <yaml.h>

#define KEY_SHOWN 64 /* bytes of a key in a message */

struct place {
    uint32_t line, col;
};

/* An open mapping or sequence. */
struct level {
    bool mapping;
    bool value_next;  /* mapping: the key is written, its value comes */
    size_t count;     /* keys or items so far */
    struct place key; /* of the value that comes */
};

struct reader {
    const char *file;
    struct slice text;
    struct buf json; /* the document at hand */
    struct place *places;
    size_t places_n, places_cap;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    struct yaml_file out;
    struct err *e;
};

static enum rc refuse(const struct reader *r, struct place at, const char *what)
{
    return err_set(r->e, RC_INVALID, ERR_FINAL, "%s:%u:%u: %s", r->file, at.line, at.col, what);
}

static enum rc too_much(const struct reader *r, struct place at, const char *what, unsigned most)
{
    return err_set(r->e, RC_LIMIT, ERR_FINAL, "%s:%u:%u: %s, the most allowed is %u", r->file,
                   at.line, at.col, what, most);
}

void yaml_file_done(struct yaml_file *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        json_free(f->docs[i]);
    free(f->docs);
    *f = (struct yaml_file){NULL, 0};
}

/* ---- Documents ---- */

static struct json *next_node(struct json *n, size_t *depth)
{
    if (n->first) {
        ++*depth;
        return n->first;
    }
    while (n && !n->next) {
        n = n->parent;
        --*depth;
    }
    return n ? n->next : NULL;
}

static enum rc check_keys(const struct reader *r, struct json_doc *d)
{
    size_t depth = 1;
    for (struct json *n = json_root(d); n; n = next_node(n, &depth)) {
        if (depth > YAML_DEPTH_MAX && (n->type == JSON_OBJECT || n->type == JSON_ARRAY))
            return too_much(r, (struct place){n->line, n->col}, "nested too deep", YAML_DEPTH_MAX);
        const struct json *again = json_repeated(n);
        if (!again)
            continue;
        struct slice name = json_name(d, again);
        return err_set(r->e, RC_INVALID, ERR_FINAL,
                       "%s:%u:%u: the key \"%.*s\" stands twice in this mapping: remove one",
                       r->file, again->line, again->col,
                       (int)(name.n < KEY_SHOWN ? name.n : KEY_SHOWN), name.p);
    }
    return RC_OK;
}

/* Takes *d on success. */
static enum rc add_document(struct reader *r, struct json_doc **d)
{
    enum rc rc = check_keys(r, *d);
    if (rc != RC_OK)
        return rc;
    const struct json *root = json_root(*d);
    struct yaml_file *f = &r->out;
    if (f->n == YAML_DOCS_MAX)
        return too_much(r, (struct place){root->line, root->col}, "too many documents in one file",
                        YAML_DOCS_MAX);
    if ((f->n & (f->n - 1)) == 0) {
        struct json_doc **docs =
            realloc(f->docs, (f->n ? 2 * f->n : 1) * sizeof(struct json_doc *));
        if (!docs)
            return err_nomem(r->e);
        f->docs = docs;
    }
    f->docs[f->n++] = steal(d);
    return RC_OK;
}

/* ---- A file in JSON ---- */

/* Moves *at over the text from `from` to `to`. */
static void advance(struct place *at, const char *from, const char *to)
{
    for (; from < to; from++) {
        if (*from == '\n')
            *at = (struct place){at->line + 1, 1};
        else if (((unsigned char)*from & 0xc0) != 0x80)
            at->col++;
    }
}

static void place_json(struct json_doc *d, struct place *at)
{
    size_t depth = 1;
    struct json *root = json_root(d);
    const char *p = root->raw.p;
    for (struct json *n = root; n; n = next_node(n, &depth)) {
        const char *begin = n->key_raw.n ? n->key_raw.p : n->raw.p;
        advance(at, p, begin);
        p = begin;
        n->line = at->line;
        n->col = at->col;
    }
    advance(at, p, root->raw.p + root->raw.n);
}

/* RC_AGAIN: this is no stream of JSON values. */
static enum rc read_json(struct reader *r)
{
    struct slice rest = r->text;
    struct place at = {1, 1};
    for (;;) {
        size_t n, space = 0;
        while (space < rest.n && memchr(" \t\r\n", rest.p[space], 4))
            space++;
        advance(&at, rest.p, rest.p + space);
        rest = slice_of(rest.p + space, rest.n - space);
        if (rest.n == 0)
            return RC_OK;
        AUTO(json_freep) struct json_doc *d = NULL;
        if (rest.p[0] != '{' || json_frame(rest, &n, NULL) != RC_OK ||
            json_parse(slice_of(rest.p, n), &d, NULL) != RC_OK)
            return RC_AGAIN;
        place_json(d, &at);
        enum rc rc = add_document(r, &d);
        if (rc != RC_OK)
            return rc;
        rest = slice_of(rest.p + n, rest.n - n);
    }
}

/* ---- Errors of libyaml ---- */

static struct place place_of(yaml_mark_t m)
{
    return (struct place){(uint32_t)m.line + 1, (uint32_t)m.column + 1};
}

static bool tab_in_indentation(struct slice text, size_t line)
{
    struct slice rest = text, at = SLICE_NULL;
    for (size_t i = 0; i < line; i++)
        at = slice_cut(rest, '\n', &rest);
    for (size_t i = 0; i < at.n && (at.p[i] == ' ' || at.p[i] == '\t'); i++) {
        if (at.p[i] == '\t')
            return true;
    }
    return false;
}

/* libyaml's words and what a person is to do about them. */
static const struct hint {
    const char *problem, *text;
} hints[] = {
    {"mapping values are not allowed in this context",
     "a ':' is not allowed here: indent this line like its neighbours, or put the value in quotes"},
    {"did not find expected key",
     "a key was expected: indent this line like the keys it belongs to"},
    {"did not find expected '-' indicator",
     "an item \"- ...\" was expected: indent this line like the items it belongs to"},
    {"could not find expected ':'",
     "this key has no ':': write \"key: value\", or put a text of several lines in quotes"},
    {"found character that cannot start any token",
     "a value cannot begin with this character: put the value in quotes"},
    {"did not find expected ',' or '}'", "',' or '}' was expected: is a '{' not closed?"},
    {"did not find expected ',' or ']'", "',' or ']' was expected: is a '[' not closed?"},
    {"found unexpected end of stream",
     "the file ends inside a quoted text: is a quote not closed?"},
    {"found unexpected document indicator",
     "the document ends inside a quoted text: is a quote not closed?"},
    {"did not find expected <document start>",
     "the end of the document was expected: begin another one with a line \"---\""},
};

/* UTF-16 and UTF-32 begin with their byte order mark, or with a sign whose other bytes are 0. */
static bool is_wide(struct slice text)
{
    return slice_starts(text, SLICE("\xff\xfe")) || slice_starts(text, SLICE("\xfe\xff")) ||
           (text.n >= 2 && (text.p[0] == 0) != (text.p[1] == 0));
}

static enum rc parser_failed(const struct reader *r, const yaml_parser_t *p)
{
    if (p->error == YAML_MEMORY_ERROR)
        return err_nomem(r->e);
    if (p->error == YAML_READER_ERROR) {
        struct place at = {1, 1};
        size_t offset = p->problem_offset < r->text.n ? p->problem_offset : r->text.n;
        advance(&at, r->text.p, r->text.p + offset);
        if (is_wide(r->text))
            return refuse(r, at, "not UTF-8 but UTF-16 or UTF-32: save the file as UTF-8");
        return refuse(r, at, "not YAML text: only UTF-8 without control characters is allowed");
    }
    struct place at = place_of(p->problem_mark);
    if (tab_in_indentation(r->text, at.line))
        return refuse(r, at, "a tab in the indentation: YAML allows only spaces there, replace it");
    const char *text = p->problem ? p->problem : "not YAML";
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strcmp(text, hints[i].problem) == 0)
            text = hints[i].text;
    }
    uint32_t began = place_of(p->context_mark).line;
    if (!p->context || began == at.line)
        return refuse(r, at, text);
    return err_set(r->e, RC_INVALID, ERR_FINAL,
                   "%s:%u:%u: %s (it belongs to what begins in line %u)", r->file, at.line, at.col,
                   text, began);
}

/* ---- Events ---- */

/* The separator before a value, and the place of its node. */
static enum rc begin_value(struct reader *r, struct place at)
{
    struct level *top = r->depth ? &r->levels[r->depth - 1] : NULL;
    if (top && top->mapping) {
        at = top->key;
        top->value_next = false;
    } else if (top && top->count++) {
        buf_add_char(&r->json, ',');
    }
    if (r->places_n == YAML_NODES_MAX)
        return too_much(r, at, "too many values in one document", YAML_NODES_MAX);
    if (r->places_n == r->places_cap) {
        size_t cap = r->places_cap ? 2 * r->places_cap : 256;
        struct place *places = realloc(r->places, cap * sizeof(*places));
        if (!places)
            return err_nomem(r->e);
        r->places = places;
        r->places_cap = cap;
    }
    r->places[r->places_n++] = at;
    return RC_OK;
}

static enum rc check_properties(const struct reader *r, const yaml_char_t *anchor,
                                const yaml_char_t *tag, const char *core_tag, struct place at)
{
    if (anchor)
        return refuse(r, at,
                      "anchors (&name) are not supported: write the value out where it is used");
    if (tag && strcmp((const char *)tag, core_tag) != 0)
        return refuse(r, at, "this tag is not supported here: remove it");
    return RC_OK;
}

static enum rc open_level(struct reader *r, bool mapping, struct place at)
{
    const struct level *top = r->depth ? &r->levels[r->depth - 1] : NULL;
    if (top && top->mapping && !top->value_next)
        return refuse(r, at, "a key must be a scalar, not a mapping or sequence");
    if (r->depth == YAML_DEPTH_MAX)
        return too_much(r, at, "nested too deep", YAML_DEPTH_MAX);
    enum rc rc = begin_value(r, at);
    if (rc != RC_OK)
        return rc;
    buf_add_char(&r->json, mapping ? '{' : '[');
    r->levels[r->depth++] = (struct level){.mapping = mapping};
    return RC_OK;
}

static void close_level(struct reader *r)
{
    buf_add_char(&r->json, r->levels[--r->depth].mapping ? '}' : ']');
}

/* The kind of a scalar, and the JSON text of what is neither string nor an error. */
static enum rc resolve(const struct reader *r, const yaml_event_t *event, struct buf *json,
                       enum yaml_kind *ret)
{
    static const struct {
        const char *tag;
        enum yaml_kind kind;
    } tags[] = {{YAML_STR_TAG, YAML_STRING},
                {YAML_NULL_TAG, YAML_NULL},
                {YAML_BOOL_TAG, YAML_BOOL},
                {YAML_INT_TAG, YAML_INT},
                {YAML_FLOAT_TAG, YAML_FLOAT}};
    const char *tag = (const char *)event->data.scalar.tag;
    struct place at = place_of(event->start_mark);
    struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
    enum yaml_kind kind = YAML_STRING;
    if (tag ? strcmp(tag, YAML_STR_TAG) != 0 : event->data.scalar.plain_implicit)
        kind = yaml_scalar(text, json);
    for (size_t i = 0; tag && i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strcmp(tag, tags[i].tag) != 0)
            continue;
        if (kind != tags[i].kind && !(kind == YAML_INT && tags[i].kind == YAML_FLOAT))
            return refuse(r, at, "the value is not of the kind that its tag says");
    }
    if (kind == YAML_NOT_FINITE)
        return refuse(
            r, at, "JSON has no infinity and no not-a-number: put it in quotes to mean the text");
    if (kind == YAML_TOO_BIG)
        return refuse(r, at, "this number does not fit 64 bits: put it in quotes to mean the text");
    *ret = kind;
    return RC_OK;
}

static enum rc write_key(struct reader *r, const yaml_event_t *event, struct place at)
{
    struct level *top = &r->levels[r->depth - 1];
    struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
    if (event->data.scalar.plain_implicit && slice_eq(text, SLICE("<<")))
        return refuse(r, at, "merge keys (<<) are not supported: write the members out");
    AUTO(buf_done) struct buf json = BUF_INIT(YAML_TEXT_MAX);
    enum yaml_kind kind;
    enum rc rc = resolve(r, event, &json, &kind);
    if (rc != RC_OK)
        return rc;
    if (kind == YAML_NULL)
        return refuse(r, at, "a key must not be null: put it in quotes to mean the text");
    if (kind == YAML_FLOAT)
        return refuse(r, at, "this key would be read as a number and rewritten: put it in quotes");
    if ((rc = buf_check(&json, "a key", r->e)) != RC_OK)
        return rc;
    if (top->count++)
        buf_add_char(&r->json, ',');
    json_print_text(kind == YAML_STRING ? text : buf_slice(&json), &r->json);
    buf_add_char(&r->json, ':');
    top->value_next = true;
    top->key = at;
    return RC_OK;
}

static bool core_scalar_tag(const yaml_char_t *tag)
{
    static const char *const tags[] = {YAML_STR_TAG, YAML_NULL_TAG, YAML_BOOL_TAG, YAML_INT_TAG,
                                       YAML_FLOAT_TAG};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strcmp((const char *)tag, tags[i]) == 0)
            return true;
    }
    return false;
}

static enum rc write_scalar(struct reader *r, const yaml_event_t *event, struct place at)
{
    const yaml_char_t *tag = event->data.scalar.tag;
    if (tag && core_scalar_tag(tag))
        tag = NULL;
    enum rc rc = check_properties(r, event->data.scalar.anchor, tag, "", at);
    if (rc != RC_OK)
        return rc;
    const struct level *top = r->depth ? &r->levels[r->depth - 1] : NULL;
    if (top && top->mapping && !top->value_next)
        return write_key(r, event, at);
    rc = begin_value(r, at);
    enum yaml_kind kind;
    if (rc == RC_OK)
        rc = resolve(r, event, &r->json, &kind);
    if (rc == RC_OK && kind == YAML_STRING)
        json_print_text(slice_of(event->data.scalar.value, event->data.scalar.length), &r->json);
    return rc;
}

static enum rc end_document(struct reader *r)
{
    assert(r->places && r->places_n); /* of the root, which even an empty document has */
    enum rc rc = buf_check(&r->json, "a YAML document as JSON", r->e);
    if (rc != RC_OK)
        return err_wrap(r->e, "%s:%u", r->file, r->places[0].line);
    if (slice_eq(buf_slice(&r->json), SLICE("null")))
        return RC_OK;
    AUTO(json_freep) struct json_doc *d = NULL;
    rc = json_parse(buf_slice(&r->json), &d, r->e);
    if (rc != RC_OK)
        return err_wrap(r->e, "%s:%u", r->file, r->places[0].line);
    size_t i = 0, depth = 1;
    for (struct json *n = json_root(d); n; n = next_node(n, &depth), i++) {
        assert(i < r->places_n);
        n->line = r->places[i].line;
        n->col = r->places[i].col;
    }
    return add_document(r, &d);
}

static enum rc handle(struct reader *r, const yaml_event_t *event)
{
    struct place at = place_of(event->start_mark);
    enum rc rc;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        buf_reset(&r->json);
        r->places_n = 0;
        return RC_OK;
    case YAML_DOCUMENT_END_EVENT:
        return end_document(r);
    case YAML_ALIAS_EVENT:
        return refuse(r, at, "aliases (*name) are not supported: write the value out");
    case YAML_SCALAR_EVENT:
        return write_scalar(r, event, at);
    case YAML_MAPPING_START_EVENT:
        rc = check_properties(r, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                              YAML_MAP_TAG, at);
        return rc == RC_OK ? open_level(r, true, at) : rc;
    case YAML_SEQUENCE_START_EVENT:
        rc = check_properties(r, event->data.sequence_start.anchor, event->data.sequence_start.tag,
                              YAML_SEQ_TAG, at);
        return rc == RC_OK ? open_level(r, false, at) : rc;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_level(r);
        return RC_OK;
    default:
        return RC_OK;
    }
}

static enum rc read_yaml(struct reader *r)
{
    AUTO(yaml_parser_delete) yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return err_nomem(r->e);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)r->text.p, r->text.n);
    enum rc rc = RC_OK;
    for (bool end = false; rc == RC_OK && !end;) {
        AUTO(yaml_event_delete) yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            return parser_failed(r, &parser);
        end = event.type == YAML_STREAM_END_EVENT;
        rc = handle(r, &event);
    }
    return rc;
}

enum rc yaml_parse(struct slice text, const char *file, struct yaml_file *ret, struct err *e)
{
    if (text.n > YAML_TEXT_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "%s: %zu bytes, the most allowed is %u", file,
                       text.n, YAML_TEXT_MAX);
    /* libyaml would count a byte order mark as a column. */
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_of(text.p + 3, text.n - 3);
    struct reader r = {
        .file = file, .text = text.n ? text : SLICE(""), .json = BUF_INIT(JSON_TEXT_MAX), .e = e};
    enum rc rc = read_json(&r);
    if (rc == RC_AGAIN) {
        yaml_file_done(&r.out);
        rc = read_yaml(&r);
    }
    buf_done(&r.json);
    free(r.places);
    if (rc == RC_OK)
        *ret = r.out;
    else
        yaml_file_done(&r.out);
    return rc;
}

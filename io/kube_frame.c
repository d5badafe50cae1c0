/* Framing of watches and lists.
 *
 * Both keep the unfinished end of the stream in one buffer and a scan over it that goes on where it
 * stopped, so that every byte is looked at a fixed number of times however small the pieces are.
 * The scan only counts brackets and strings; json_frame then says whether what it found is one JSON
 * value. A failure is kept and given again: after it nothing of the stream can be trusted. One
 * thread per object. */
#include "io/kube_frame.h"

#include "core/buf.h"
#include "core/json.h"

enum { KEEP_MAX = 256 << 10 }; /* memory that an empty buffer may hold on to */

/* A value that begins at `from` in the buffer, looked at up to `at`. */
struct stream {
    struct buf bytes;
    size_t from, at;
    size_t depth;
    bool in_string, escaped, in_word;
    struct err failed;
};

/* ---- the stream under both ---- */

static enum rc stream_fail(struct stream *s, enum rc rc, const char *what, struct err *e)
{
    err_set(&s->failed, rc, ERR_RESYNC, "the API server's stream: %s", what);
    if (e)
        *e = s->failed;
    return rc;
}

/* RC_OK, or the failure that came before. */
static enum rc stream_sound(const struct stream *s, struct err *e)
{
    if (s->failed.rc != RC_OK && e)
        *e = s->failed;
    return s->failed.rc;
}

static enum rc stream_feed(struct stream *s, struct slice bytes, struct err *e)
{
    buf_consume(&s->bytes, s->from);
    s->at -= s->from;
    s->from = 0;
    if (s->bytes.n == 0 && s->bytes.cap > KEEP_MAX)
        buf_done(&s->bytes);
    buf_add_slice(&s->bytes, bytes);
    if (s->failed.rc == RC_OK && s->bytes.bad == RC_LIMIT)
        return stream_fail(s, RC_LIMIT, "more unread than the limit of 16 MiB", e);
    return buf_check(&s->bytes, "the unread part of the API server's stream", e);
}

static char stream_byte(const struct stream *s)
{
    return s->bytes.p[s->at];
}

/* Steps over white space; false at the end of what is there. Only between values. */
static bool stream_space(struct stream *s)
{
    while (s->at < s->bytes.n && strchr(" \t\r\n", stream_byte(s)) && stream_byte(s))
        s->at++;
    s->from = s->at;
    return s->at < s->bytes.n;
}

/* Takes one byte of punctuation: RC_OK and the byte, RC_AGAIN. */
static enum rc stream_mark(struct stream *s, char *ret)
{
    if (!stream_space(s))
        return RC_AGAIN;
    *ret = stream_byte(s);
    s->from = ++s->at;
    return RC_OK;
}

/* Looks at one byte; true if it was the last of the value, or (in a word) the first behind it. */
static bool scan_byte(struct stream *s, char c, bool *ret_behind)
{
    *ret_behind = false;
    if (s->in_string) {
        bool quote = c == '"' && !s->escaped;
        s->escaped = c == '\\' && !s->escaped;
        s->in_string = !quote;
        return quote && s->depth == 0;
    }
    if (s->in_word) {
        *ret_behind =
            c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
        return *ret_behind;
    }
    s->in_string = c == '"';
    if (c == '{' || c == '[')
        s->depth++;
    else if (c == '}' || c == ']')
        return s->depth == 0 || --s->depth == 0;
    else
        s->in_word = s->depth == 0 && c != '"';
    return false;
}

/* The next whole value. Errors: CORRUPT, LIMIT. */
static enum rc stream_value(struct stream *s, struct slice *ret, struct err *e)
{
    bool ended = false, behind = false;
    if (s->at == s->from && !stream_space(s))
        return RC_AGAIN;
    while (!ended && s->at < s->bytes.n) {
        ended = scan_byte(s, stream_byte(s), &behind);
        s->at += !behind;
    }
    if (s->at - s->from > KUBE_FRAME_MAX)
        return stream_fail(s, RC_LIMIT, "an object above the limit of 8 MiB", e);
    if (!ended)
        return RC_AGAIN;
    struct slice value = slice_of(s->bytes.p + s->from, s->at - s->from);
    size_t n = 0;
    struct err why;
    enum rc rc = json_frame(value, &n, &why);
    if (rc == RC_LIMIT)
        return stream_fail(s, RC_LIMIT, why.msg, e);
    if (rc < 0 || (n != value.n && !behind))
        return stream_fail(s, RC_CORRUPT, "not JSON", e);
    s->from = s->at;
    s->in_word = false;
    *ret = value;
    return RC_OK;
}

/* As stream_value, where only an object may stand: what begins otherwise is refused at once. */
static enum rc stream_object(struct stream *s, struct slice *ret, struct err *e)
{
    if (s->at == s->from && stream_space(s) && stream_byte(s) != '{')
        return stream_fail(s, RC_CORRUPT, "no JSON object where one belongs", e);
    return stream_value(s, ret, e);
}

static struct stream stream_start(void)
{
    return (struct stream){.bytes = BUF_INIT(2 * (size_t)KUBE_FRAME_MAX)};
}

/* ---- watch ---- */

struct kube_watch_frames {
    struct stream in;
};

static const struct {
    struct slice name;
    enum kube_watch_type type;
} TYPES[] = {
    {{"\"ADDED\"", 7}, KUBE_ADDED},     {{"\"MODIFIED\"", 10}, KUBE_MODIFIED},
    {{"\"DELETED\"", 9}, KUBE_DELETED}, {{"\"BOOKMARK\"", 10}, KUBE_BOOKMARK},
    {{"\"ERROR\"", 7}, KUBE_ERROR},
};

struct kube_watch_frames *kube_watch_frames_new(void)
{
    struct kube_watch_frames *f = calloc(1, sizeof *f);
    if (f)
        f->in = stream_start();
    return f;
}

void kube_watch_frames_free(struct kube_watch_frames *f)
{
    if (!f)
        return;
    buf_done(&f->in.bytes);
    free(f);
}

enum rc kube_watch_feed(struct kube_watch_frames *f, struct slice bytes, struct err *e)
{
    return stream_feed(&f->in, bytes, e);
}

/* Takes the value at the front of rest; false where there is none. */
static bool cut_value(struct slice *rest, struct slice *ret)
{
    size_t n = 0, blank = 0;
    struct err why;
    if (json_frame(*rest, &n, &why) != RC_OK)
        return false;
    while (blank < n && strchr(" \t\r\n", rest->p[blank]))
        blank++;
    *ret = slice_of(rest->p + blank, n - blank);
    *rest = slice_of(rest->p + n, rest->n - n);
    return true;
}

/* Takes one byte of punctuation off the front of rest; 0 at the end. */
static char cut_mark(struct slice *rest)
{
    while (rest->n) {
        char c = *rest->p++;
        rest->n--;
        if (!strchr(" \t\r\n", c) || !c)
            return c;
    }
    return 0;
}

struct frame {
    struct slice type, object;
};

/* Steps over the members of {"type": ..., "object": ...}, other members being allowed. */
static bool frame_read(struct slice text, struct frame *ret)
{
    char mark = cut_mark(&text);
    if (mark != '{')
        return false;
    while (mark != '}') {
        struct slice name, value;
        if (!cut_value(&text, &name) || name.p[0] != '"' || cut_mark(&text) != ':' ||
            !cut_value(&text, &value))
            return false;
        if (slice_eq(name, SLICE("\"type\"")))
            ret->type = value;
        else if (slice_eq(name, SLICE("\"object\"")))
            ret->object = value;
        mark = cut_mark(&text);
        if (mark != ',' && mark != '}')
            return false;
    }
    return ret->type.n && ret->object.n && ret->object.p[0] == '{';
}

enum rc kube_watch_next(struct kube_watch_frames *f, enum kube_watch_type *ret_type,
                        struct slice *ret_object, struct err *e)
{
    struct slice text;
    struct frame frame = {0};
    enum rc rc = stream_sound(&f->in, e);
    if (rc == RC_OK)
        rc = stream_object(&f->in, &text, e);
    if (rc != RC_OK)
        return rc;
    if (!frame_read(text, &frame))
        return stream_fail(&f->in, RC_CORRUPT, "a watch frame without type and object", e);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (slice_eq(TYPES[i].name, frame.type)) {
            *ret_type = TYPES[i].type;
            *ret_object = frame.object;
            return RC_OK;
        }
    return stream_fail(&f->in, RC_CORRUPT, "a watch frame of an unknown type", e);
}

/* ---- list ---- */

enum list_state {
    LIST_OPEN,       /* { */
    LIST_FIRST_NAME, /* "name" or } */
    LIST_NAME,
    LIST_COLON,
    LIST_VALUE,
    LIST_FIRST_ITEM, /* an item or ] */
    LIST_ITEM,
    LIST_NEXT_ITEM, /* , or ] */
    LIST_NEXT_NAME, /* , or } */
    LIST_END
};

enum { FACT_MAX = 64 << 10 };
enum fact { FACT_VERSION, FACT_CONTINUE, FACTS };

struct kube_list_frames {
    struct stream in;
    enum list_state state;
    bool items_seen;
    enum member { MEMBER_OTHER, MEMBER_ITEMS, MEMBER_METADATA } member;
    struct buf facts[FACTS];
};

static const struct {
    struct slice name;
    enum member member;
} MEMBERS[] = {
    {{"\"items\"", 7}, MEMBER_ITEMS},
    {{"\"metadata\"", 10}, MEMBER_METADATA},
};

struct kube_list_frames *kube_list_frames_new(void)
{
    struct kube_list_frames *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->in = stream_start();
    for (int i = 0; i < FACTS; i++)
        buf_init(&f->facts[i], FACT_MAX);
    return f;
}

void kube_list_frames_free(struct kube_list_frames *f)
{
    if (!f)
        return;
    buf_done(&f->in.bytes);
    for (int i = 0; i < FACTS; i++)
        buf_done(&f->facts[i]);
    free(f);
}

enum rc kube_list_feed(struct kube_list_frames *f, struct slice bytes, struct err *e)
{
    return stream_feed(&f->in, bytes, e);
}

static enum rc list_corrupt(struct kube_list_frames *f, const char *what, struct err *e)
{
    return stream_fail(&f->in, RC_CORRUPT, what, e);
}

/* Takes one byte of punctuation and goes to the state that belongs to it. */
static enum rc list_mark(struct kube_list_frames *f, const char marks[2],
                         const enum list_state to[2], struct err *e)
{
    char c = 0;
    enum rc rc = stream_mark(&f->in, &c);
    if (rc != RC_OK)
        return rc;
    if (c != marks[0] && c != marks[1])
        return list_corrupt(f, "a list that is not JSON", e);
    f->state = to[c != marks[0]];
    return RC_OK;
}

/* Where `end` stands in place of a first name or item, takes it and goes to `to`; else goes to
 * `otherwise`. */
static enum rc list_first(struct kube_list_frames *f, char end, enum list_state to,
                          enum list_state otherwise)
{
    char c;
    if (!stream_space(&f->in))
        return RC_AGAIN;
    f->state = stream_byte(&f->in) == end ? to : otherwise;
    return f->state == to ? stream_mark(&f->in, &c) : RC_OK;
}

static enum rc list_name(struct kube_list_frames *f, struct err *e)
{
    struct slice name;
    enum rc rc = stream_value(&f->in, &name, e);
    if (rc != RC_OK)
        return rc;
    if (name.p[0] != '"')
        return list_corrupt(f, "a list that is not JSON", e);
    f->member = MEMBER_OTHER;
    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++)
        if (slice_eq(MEMBERS[i].name, name))
            f->member = MEMBERS[i].member;
    f->state = LIST_COLON;
    return RC_OK;
}

static enum rc list_fact(struct kube_list_frames *f, enum fact fact, struct slice text,
                         struct err *e)
{
    buf_reset(&f->facts[fact]);
    buf_add_slice(&f->facts[fact], text);
    return buf_check(&f->facts[fact], "a list's own member", e);
}

static enum rc list_learn(struct kube_list_frames *f, struct slice value, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct err why = ERR_INIT;
    enum rc rc = json_parse_view(value, &d, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK)
        return list_corrupt(f, "a list that is not JSON", e);
    struct json *n = json_root(d);
    rc = list_fact(f, FACT_VERSION, json_get_text(d, n, "resourceVersion"), e);
    return rc == RC_OK ? list_fact(f, FACT_CONTINUE, json_get_text(d, n, "continue"), e) : rc;
}

static enum rc list_value(struct kube_list_frames *f, struct err *e)
{
    struct slice value;
    char c;
    if (f->member == MEMBER_ITEMS && f->in.at == f->in.from) {
        if (!stream_space(&f->in))
            return RC_AGAIN;
        if (f->items_seen)
            return list_corrupt(f, "a list with items twice", e);
        if (stream_byte(&f->in) == '[') {
            f->items_seen = true;
            f->state = LIST_FIRST_ITEM;
            return stream_mark(&f->in, &c);
        }
    }
    enum rc rc = stream_value(&f->in, &value, e);
    if (rc != RC_OK)
        return rc;
    f->state = LIST_NEXT_NAME;
    if (f->member == MEMBER_OTHER)
        return RC_OK;
    if (f->member != MEMBER_ITEMS)
        return list_learn(f, value, e);
    f->items_seen = slice_eq(value, SLICE("null")); /* as servers in Go write an empty list */
    return f->items_seen ? RC_OK : list_corrupt(f, "a list whose items are no array", e);
}

static enum rc list_item(struct kube_list_frames *f, struct slice *ret, struct err *e)
{
    enum rc rc = stream_object(&f->in, ret, e);
    if (rc == RC_OK)
        f->state = LIST_NEXT_ITEM;
    return rc;
}

static enum rc list_end(struct kube_list_frames *f, struct err *e)
{
    if (!f->items_seen)
        return list_corrupt(f, "an object without items where a list was asked for", e);
    return stream_space(&f->in) ? list_corrupt(f, "bytes behind the list", e) : RC_END;
}

static enum rc list_step(struct kube_list_frames *f, struct err *e)
{
    switch (f->state) {
    case LIST_OPEN:
        return list_mark(f, "{{", (const enum list_state[]){LIST_FIRST_NAME, LIST_FIRST_NAME}, e);
    case LIST_FIRST_NAME:
        return list_first(f, '}', LIST_END, LIST_NAME);
    case LIST_NAME:
        return list_name(f, e);
    case LIST_COLON:
        return list_mark(f, "::", (const enum list_state[]){LIST_VALUE, LIST_VALUE}, e);
    case LIST_VALUE:
        return list_value(f, e);
    case LIST_FIRST_ITEM:
        return list_first(f, ']', LIST_NEXT_NAME, LIST_ITEM);
    case LIST_NEXT_ITEM:
        return list_mark(f, ",]", (const enum list_state[]){LIST_ITEM, LIST_NEXT_NAME}, e);
    case LIST_NEXT_NAME:
        return list_mark(f, ",}", (const enum list_state[]){LIST_NAME, LIST_END}, e);
    case LIST_ITEM: /* kube_list_next takes it */
    case LIST_END:
        break;
    }
    return list_end(f, e);
}

enum rc kube_list_next(struct kube_list_frames *f, struct slice *ret_item, struct err *e)
{
    enum rc rc = stream_sound(&f->in, e);
    while (rc == RC_OK && f->state != LIST_ITEM)
        rc = list_step(f, e);
    return rc == RC_OK ? list_item(f, ret_item, e) : rc;
}

struct slice kube_list_version(const struct kube_list_frames *f)
{
    return buf_slice(&f->facts[FACT_VERSION]);
}

struct slice kube_list_continue(const struct kube_list_frames *f)
{
    return buf_slice(&f->facts[FACT_CONTINUE]);
}

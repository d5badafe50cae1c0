/* JSON: where a value at the front of a stream ends.
 *
 * Keeps nothing between calls: the open brackets are bits on the stack. It knows brackets, strings
 * and which bytes may stand outside of strings, so that rubbish is noticed at once and not after
 * the size limit. Threads: any. */
#include "core/json_priv.h"

struct framer {
    const char *p, *end;
    size_t depth;
    uint64_t objects[(JSON_DEPTH_MAX + 63) / 64]; /* a bit for each open bracket: is it a brace? */
};

static enum rc refuse(const struct framer *f, struct slice text, const char *what, struct err *e)
{
    return err_set(e, RC_INVALID, ERR_FINAL, "byte %zu: %s: this is not a stream of JSON values",
                   (size_t)(f->p - text.p), what);
}

/* Steps over the string at f->p. */
static enum rc frame_string(struct framer *f, struct slice text, struct err *e)
{
    for (f->p++; f->p < f->end; f->p++) {
        if (*f->p == '"') {
            f->p++;
            return RC_OK;
        }
        if ((unsigned char)*f->p < 0x20)
            return refuse(f, text, "a control character in a string", e);
        if (*f->p == '\\' && ++f->p == f->end)
            break;
    }
    return RC_AGAIN;
}

static enum rc frame_open(struct framer *f, struct slice text, struct err *e)
{
    if (f->depth == JSON_DEPTH_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL,
                       "byte %zu: nested deeper than %d, the most that is allowed",
                       (size_t)(f->p - text.p), JSON_DEPTH_MAX);
    uint64_t bit = UINT64_C(1) << (f->depth % 64);
    if (*f->p == '{')
        f->objects[f->depth / 64] |= bit;
    else
        f->objects[f->depth / 64] &= ~bit;
    f->depth++;
    f->p++;
    return RC_OK;
}

static enum rc frame_close(struct framer *f, struct slice text, struct err *e)
{
    if (f->depth == 0)
        return refuse(f, text, "a closing bracket without its opening one", e);
    f->depth--;
    bool object = f->objects[f->depth / 64] >> (f->depth % 64) & 1;
    if (object != (*f->p == '}'))
        return refuse(f, text, "a closing bracket of the wrong kind", e);
    f->p++;
    return RC_OK;
}

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' ||
           c == 'E';
}

/* Steps over a number or word. */
static enum rc frame_word(struct framer *f, struct slice text, struct err *e)
{
    if (!is_word_byte(*f->p))
        return refuse(f, text, "an unexpected character", e);
    const char *start = f->p;
    while (f->p < f->end && is_word_byte(*f->p))
        f->p++;
    if (f->p < f->end)
        return RC_OK;
    struct slice word = slice_of(start, (size_t)(f->p - start));
    bool whole = slice_eq(word, SLICE("true")) || slice_eq(word, SLICE("false")) ||
                 slice_eq(word, SLICE("null"));
    return whole ? RC_OK : RC_AGAIN;
}

static enum rc frame_token(struct framer *f, struct slice text, struct err *e)
{
    switch (*f->p) {
    case '"':
        return frame_string(f, text, e);
    case '{':
    case '[':
        return frame_open(f, text, e);
    case '}':
    case ']':
        return frame_close(f, text, e);
    case ',':
    case ':':
        if (f->depth == 0)
            return refuse(f, text, "a separator outside of any bracket", e);
        f->p++;
        return RC_OK;
    default:
        return frame_word(f, text, e);
    }
}

enum rc json_frame(struct slice text, size_t *ret_n, struct err *e)
{
    struct framer f = {.p = text.p, .end = text.n ? text.p + text.n : text.p};
    for (;;) {
        while (f.p < f.end && json_is_space(*f.p))
            f.p++;
        enum rc rc = f.p < f.end ? frame_token(&f, text, e) : RC_AGAIN;
        size_t n = (size_t)(f.p - text.p);
        if (rc == RC_AGAIN && text.n > JSON_TEXT_MAX)
            return err_set(e, RC_LIMIT, ERR_FINAL,
                           "a JSON value is longer than %u bytes, the most that is allowed",
                           JSON_TEXT_MAX);
        if (rc != RC_OK)
            return rc;
        if (f.depth == 0) {
            *ret_n = n;
            return RC_OK;
        }
    }
}

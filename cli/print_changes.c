/* A walk over two trees side by side: objects by member, arrays by index, everything else by value. The order is
 * that of a valid patch: what is gone from an array goes from its end. Recursion is as deep as the objects, at most
 * DEPTH_MAX: below that a difference is one of the whole value. */
#include "cli/print_changes.h"

#include "cli/secret_mask.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"

#define POINTER_MAX (1u << 20)
#define DEPTH_MAX   512
#define SHOWN_MAX   120 /* bytes of a value in the text form */

struct walk {
    struct buf pointer; /* of the node at hand */
    bool mask, text;
    unsigned depth;
    size_t n; /* changes so far */
    struct buf *out;
};

/* ---- One change ---- */

static void print_value(const struct walk *w, const struct json *n)
{
    if (w->mask && secret_holds(buf_slice(&w->pointer))) {
        json_print_text(SLICE(SECRET_MASK), w->out);
        return;
    }
    size_t begin = w->out->n;
    json_print(n, w->out);
    if (!w->text || w->out->n - begin <= SHOWN_MAX)
        return;
    size_t keep = begin + SHOWN_MAX;
    while (keep > begin && ((unsigned char)w->out->p[keep] & 0xc0) == 0x80)
        keep--; /* not inside a character */
    buf_truncate(w->out, keep);
    buf_add_str(w->out, "...");
}

static void print_operation(const struct walk *w, const struct json *before,
                            const struct json *after)
{
    buf_addf(w->out, "%s{\"op\":\"%s\",\"path\":", w->n ? "," : "",
             !before  ? "add"
             : !after ? "remove"
                      : "replace");
    json_print_text(buf_slice(&w->pointer), w->out);
    if (after) {
        buf_add_str(w->out, ",\"value\":");
        print_value(w, after);
    }
    buf_add_char(w->out, '}');
}

/* As in JSON but without quotes: a member's name may hold what a terminal would act on. */
static void print_pointer(const struct walk *w)
{
    AUTO(buf_done) struct buf text = BUF_INIT(POINTER_MAX);
    json_print_text(buf_slice(&w->pointer), &text);
    if (buf_check(&text, "a path", NULL) == RC_OK)
        buf_add(w->out, text.p + 1, text.n - 2);
}

static void print_line(const struct walk *w, const struct json *before, const struct json *after)
{
    buf_addf(w->out, "  %c ", !before ? '+' : !after ? '-' : ' ');
    print_pointer(w);
    buf_add_str(w->out, ": ");
    print_value(w, before ? before : after);
    if (before && after) {
        buf_add_str(w->out, " -> ");
        print_value(w, after);
    }
    buf_add_char(w->out, '\n');
}

static void changed(struct walk *w, const struct json *before, const struct json *after)
{
    if (w->text)
        print_line(w, before, after);
    else
        print_operation(w, before, after);
    w->n++;
}

/* ---- The walk ---- */

static void compare(struct walk *w, const struct json *before, const struct json *after);

static bool is_left_out(const struct walk *w)
{
    struct slice p = buf_slice(&w->pointer);
    return slice_eq(p, SLICE("/metadata/managedFields")) ||
           slice_eq(p, SLICE("/metadata/resourceVersion"));
}

/* The member of that name; tries `hint` first, because members mostly come in the same order. */
static const struct json *member(const struct json *object, struct slice name,
                                 const struct json **hint)
{
    const struct json *found =
        *hint && slice_eq(json_name(NULL, *hint), name) ? *hint : json_get_slice(object, name);
    if (found)
        *hint = found->next;
    return found;
}

/* Calls for each member of `of` what is at the same place of both; with `only_new` those that `before` lacks. */
static void compare_members(struct walk *w, const struct json *before, const struct json *after,
                            bool only_new)
{
    const struct json *of = only_new ? after : before, *other = only_new ? before : after;
    const struct json *hint = other->first;
    size_t begin = w->pointer.n;
    for (const struct json *m = of->first; m; m = m->next) {
        struct slice name = json_name(NULL, m);
        const struct json *twin = member(other, name, &hint);
        if (only_new && twin)
            continue;
        json_pointer_add(&w->pointer, name);
        if (!is_left_out(w))
            compare(w, only_new ? NULL : m, only_new ? m : twin);
        buf_truncate(&w->pointer, begin);
    }
}

static void enter_index(struct walk *w, size_t index)
{
    buf_addf(&w->pointer, "/%zu", index);
}

/* From the end, so that each index still means the same element when its turn comes. */
static void remove_elements(struct walk *w, const struct json *from, size_t left)
{
    size_t begin = w->pointer.n, index = from->count;
    for (const struct json *b = from->last; index > left; b = b->prev) {
        enter_index(w, --index);
        compare(w, b, NULL);
        buf_truncate(&w->pointer, begin);
    }
}

static void compare_elements(struct walk *w, const struct json *before, const struct json *after)
{
    size_t begin = w->pointer.n, index = 0;
    const struct json *b = before->first, *a = after->first;
    for (; a; a = a->next, b = b ? b->next : NULL, index++) {
        enter_index(w, index);
        compare(w, b, a);
        buf_truncate(&w->pointer, begin);
    }
    remove_elements(w, before, index);
}

static void compare(struct walk *w, const struct json *before, const struct json *after)
{
    if (before && after && json_equal(before, after))
        return;
    bool deep = ++w->depth > DEPTH_MAX;
    if (!deep && json_is(before, JSON_OBJECT) && json_is(after, JSON_OBJECT)) {
        compare_members(w, before, after, false);
        compare_members(w, before, after, true);
    } else if (!deep && json_is(before, JSON_ARRAY) && json_is(after, JSON_ARRAY)) {
        compare_elements(w, before, after);
    } else {
        changed(w, before, after);
    }
    w->depth--;
}

static enum rc run(struct json_doc *before, struct json_doc *after, struct walk *w, struct err *e)
{
    buf_init(&w->pointer, POINTER_MAX);
    if (w->mask) {
        secret_cut_copy(before);
        secret_cut_copy(after);
    }
    compare(w, json_root(before), json_root(after));
    enum rc rc = buf_check(&w->pointer, "a path", e);
    buf_done(&w->pointer);
    return rc == RC_OK ? buf_check(w->out, "changes", e) : rc;
}

enum rc print_changes_patch(struct json_doc *before, struct json_doc *after, bool mask,
                            struct buf *out, struct err *e)
{
    struct walk w = {.mask = mask, .out = out};
    buf_add_char(out, '[');
    enum rc rc = run(before, after, &w, e);
    buf_add_char(out, ']');
    return rc == RC_OK ? buf_check(out, "changes", e) : rc;
}

enum rc print_changes_text(struct json_doc *before, struct json_doc *after, bool mask,
                           struct buf *out, struct err *e)
{
    struct walk w = {.mask = mask, .text = true, .out = out};
    return run(before, after, &w, e);
}

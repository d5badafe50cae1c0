/* A walk over two trees side by side, object by object. Pure. */
#include "sinks/kube_differ.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"
#include "core/scope.h"

#define DEPTH_MAX 16 /* below that a difference is one of the whole value */
#define WIDTH_MAX                                                                                  \
    256 /* likewise of an object of more members: finding each takes as long as there are many */
#define POINTER_MAX 4096

struct walk {
    struct json_doc *docs[2];
    struct buf pointer; /* of the member at hand */
    unsigned depth;
    size_t n;
    struct buf *out;
};

/* As in JSON but without quotes: a name may hold what a terminal would act on. */
static void note(struct walk *w)
{
    AUTO(buf_done) struct buf text = BUF_INIT(8 * POINTER_MAX);
    if (w->n++ >= KUBE_DIFFER_MAX)
        return;
    json_print_text(buf_slice(&w->pointer), &text);
    buf_add_str(w->out, w->n > 1 ? ", " : "");
    if (text.n >= 2)
        buf_add(w->out, text.p + 1, text.n - 2);
}

static void walk(struct walk *w, const struct json *a, const struct json *b);

/* The members of `of`, one of the two, that the other has too, or that it lacks. */
static void walk_members(struct walk *w, const struct json *a, const struct json *b, bool second)
{
    const struct json *of = second ? b : a;
    for (const struct json *m = of->first; m; m = m->next) {
        struct slice name = json_name(w->docs[second], m);
        const struct json *other = json_get_slice(second ? a : b, name);
        if (json_get_slice(of, name) != m || (second && other))
            continue; /* repeated; or compared already */
        size_t before = w->pointer.n;
        json_pointer_add(&w->pointer, name);
        walk(w, second ? NULL : m, second ? m : other);
        if (w->pointer.bad == RC_OK)
            buf_truncate(&w->pointer, before);
    }
}

static bool is_looked_into(const struct json *n)
{
    return n && json_is(n, JSON_OBJECT) && n->count <= WIDTH_MAX;
}

static void walk(struct walk *w, const struct json *a, const struct json *b)
{
    if (json_equal(a, b))
        return;
    if (!is_looked_into(a) || !is_looked_into(b) || w->depth == DEPTH_MAX) {
        note(w);
        return;
    }
    w->depth++;
    walk_members(w, a, b, false);
    walk_members(w, a, b, true);
    w->depth--;
}

void kube_differ(struct json_doc *a, struct json_doc *b, struct buf *out)
{
    struct walk w = {.docs = {a, b}, .pointer = BUF_INIT(POINTER_MAX), .out = out};
    walk(&w, json_root(a), json_root(b));
    if (w.n > KUBE_DIFFER_MAX)
        buf_addf(out, " and %zu more", w.n - KUBE_DIFFER_MAX);
    buf_done(&w.pointer);
}

/* JSON: editing.
 *
 * An edit changes links, never text, and marks the containers above it. Invariants: what stands
 * above an edited node is edited; and each key_raw that is set lies in text where a JSON writer
 * could look around: behind it its colon and a byte that is not white space, before it a byte that
 * is neither white space nor comma (printing recovers the spacing from there). Threads: one per
 * document. */
#include "core/json_priv.h"

#include "core/buf.h"

#include <assert.h>

static void mark(struct json *n)
{
    for (; n && !n->edited; n = n->parent)
        n->edited = true;
}

static void assert_unattached(const struct json *v, const struct json *target)
{
    assert(!v->parent);
    for (; target; target = target->parent)
        assert(target != v);
}

/* Puts v into parent before `next`, at the end where that is NULL. */
static void link_in(struct json *parent, struct json *next, struct json *v)
{
    assert_unattached(v, parent);
    v->parent = parent;
    v->next = next;
    v->prev = next ? next->prev : parent->last;
    *(v->prev ? &v->prev->next : &parent->first) = v;
    *(next ? &next->prev : &parent->last) = v;
    parent->count++;
    mark(parent);
}

void json_remove(struct json *n)
{
    if (!n || !n->parent)
        return;
    struct json *parent = n->parent;
    *(n->prev ? &n->prev->next : &parent->first) = n->next;
    *(n->next ? &n->next->prev : &parent->last) = n->prev;
    parent->count--;
    mark(parent);
    n->parent = n->prev = n->next = NULL;
    n->key_raw = SLICE_NULL;
    n->key_text = NULL;
}

void json_replace(struct json *n, struct json *v)
{
    struct json *parent = n->parent, *next = n->next;
    assert(parent && !v->parent);
    v->key_raw = n->key_raw;
    v->key_text = n->key_text;
    json_remove(n);
    link_in(parent, next, v);
}

void json_insert(struct json *arr, size_t index, struct json *v)
{
    assert(arr->type == JSON_ARRAY && index <= arr->count);
    link_in(arr, json_at(arr, index), v);
}

/* Removes the members of that name, but for keep; true if there was one. */
static bool cut(struct json *obj, struct slice name, const struct json *keep)
{
    bool found = false;
    for (struct json *n = obj->first, *next; n; n = next) {
        next = n->next;
        if (n != keep && slice_eq(json_name(NULL, n), name)) {
            json_remove(n);
            found = true;
        }
    }
    return found;
}

bool json_cut(struct json *obj, const char *name)
{
    return json_is(obj, JSON_OBJECT) && cut(obj, slice_str(name), NULL);
}

/* Gives v a name of its own text: {"name":} */
static enum rc name_value(struct json_doc *d, struct slice name, struct json *v, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(JSON_TEXT_MAX);
    buf_add_char(&text, '{');
    json_print_text(name, &text);
    buf_add_str(&text, ":}");
    enum rc rc = buf_check(&text, "a member's name", e);
    if (rc != RC_OK)
        return rc;
    char *p = json_alloc(d, text.n);
    if (!p)
        return err_nomem(e);
    memcpy(p, text.p, text.n);
    struct slice quoted = slice_of(p + 1, text.n - 3);
    v->key_text = NULL;
    if (memchr(p, '\\', text.n)) {
        v->key_text = json_text_new(d, quoted.n - 2);
        if (!v->key_text)
            return err_nomem(e);
    }
    v->key_raw = quoted;
    return RC_OK;
}

static struct json *first_named(const struct json *obj, struct slice name)
{
    struct json *n = obj->first;
    while (n && !slice_eq(json_name(NULL, n), name))
        n = n->next;
    return n;
}

enum rc json_set(struct json_doc *d, struct json *obj, struct slice name, struct json *v,
                 struct err *e)
{
    assert(obj->type == JSON_OBJECT);
    assert_unattached(v, obj);
    struct json *old = first_named(obj, name);
    if (!old) {
        enum rc rc = name_value(d, name, v, e);
        if (rc == RC_OK)
            link_in(obj, NULL, v);
        return rc;
    }
    cut(obj, name, old);
    json_replace(old, v);
    return RC_OK;
}

enum rc json_value_text(struct json_doc *d, struct slice text, struct json **ret, struct err *e)
{
    AUTO(buf_done) struct buf quoted = BUF_INIT(JSON_TEXT_MAX);
    json_print_text(text, &quoted);
    enum rc rc = buf_check(&quoted, "a string's JSON text", e);
    return rc == RC_OK ? json_value(d, buf_slice(&quoted), ret, e) : rc;
}

enum rc json_value_copy(struct json_doc *d, const struct json *of, struct json **ret, struct err *e)
{
    if (!of->edited)
        return json_value(d, of->raw, ret, e);
    AUTO(buf_done) struct buf text = BUF_INIT(JSON_TEXT_MAX);
    json_print(of, &text);
    enum rc rc = buf_check(&text, "a copied JSON value", e);
    return rc == RC_OK ? json_value(d, buf_slice(&text), ret, e) : rc;
}

/* Object keys as text. Pure functions over the caller's bytes; nothing is copied. */
#include "core/key.h"

#include "core/buf.h"

#define SHOWN_MAX 200 /* bytes of a wrong key that a message repeats */

static enum rc bad(struct slice text, const char *what, struct err *e)
{
    struct slice shown = slice_of(text.p, text.n < SHOWN_MAX ? text.n : SHOWN_MAX);
    return err_set(e, RC_INVALID, ERR_FINAL,
                   "key \"%.*s\": %s; a key is group/resource/namespace/name, like "
                   "apps/deployments/shop/web or /namespaces//shop",
                   SLICE_ARG(shown), what);
}

enum rc key_parse(struct slice text, struct key *ret, struct err *e)
{
    if (text.n > KEY_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL, "a key of %zu bytes; at most %d are allowed",
                       text.n, KEY_MAX);
    if (key_is_internal(text))
        return bad(text, "is one of the log's own, not an object's", e);
    if (text.n && memchr(text.p, '\0', text.n))
        return bad(text, "holds a NUL byte", e);
    size_t slashes = 0;
    for (size_t i = 0; i < text.n; i++)
        slashes += text.p[i] == '/';
    if (slashes != 3)
        return bad(text, slashes < 3 ? "has too few segments" : "has too many segments", e);

    struct slice rest = text;
    struct key k;
    k.group = slice_cut(rest, '/', &rest);
    k.resource = slice_cut(rest, '/', &rest);
    k.ns = slice_cut(rest, '/', &rest);
    k.name = rest;
    if (k.resource.n == 0)
        return bad(text, "has no resource", e);
    if (k.name.n == 0)
        return bad(text, "has no name", e);
    *ret = k;
    return RC_OK;
}

static void add_segment(struct slice s, struct buf *out)
{
    buf_add_slice(out, s);
    buf_add_char(out, '/');
}

void key_print(const struct key *k, struct buf *out)
{
    add_segment(k->group, out);
    add_segment(k->resource, out);
    add_segment(k->ns, out);
    buf_add_slice(out, k->name);
}

void key_print_prefix(struct slice group, struct slice resource, struct slice ns, struct buf *out)
{
    add_segment(group, out);
    add_segment(resource, out);
    if (ns.n)
        add_segment(ns, out);
}

/* Walks a JSON tree along a path with wildcards: one recursion a segment, so its depth is that of a path in the
 * table.
 *
 * Keeps nothing. The next sibling is read before a node is visited, so that the visit may remove it. */
#include "sinks/kube_walk.h"

#include "core/json.h"

#include <assert.h>

struct slice kube_walk_segment(const char *path, char out[KUBE_SEGMENT_MAX], const char **rest)
{
    assert(path[0] == '/');
    size_t n = 0;
    const char *p = path + 1;
    for (; *p && *p != '/'; p++) {
        char c = *p;
        if (c == '~')
            c = *++p == '1' ? '/' : '~';
        assert(n < KUBE_SEGMENT_MAX);
        out[n++] = c;
    }
    *rest = p;
    return slice_of(out, n);
}

static bool names(struct json_doc *d, struct slice segment, const struct json *child)
{
    if (segment.n == 1 && segment.p[0] == '*')
        return true;
    if (child->parent->type != JSON_OBJECT)
        return false;
    struct slice name = json_name(d, child);
    if (segment.n > 0 && segment.p[segment.n - 1] == '*')
        return slice_starts(name, slice_of(segment.p, segment.n - 1));
    return slice_eq(name, segment);
}

void kube_walk(struct json_doc *d, struct json *root, const char *path, kube_walk_fn *fn, void *arg)
{
    if (*path == '\0') {
        fn(arg, root);
        return;
    }
    char text[KUBE_SEGMENT_MAX];
    const char *rest;
    struct slice segment = kube_walk_segment(path, text, &rest);
    for (struct json *child = root->first, *next; child; child = next) {
        next = child->next;
        if (names(d, segment, child))
            kube_walk(d, child, rest, fn, arg);
    }
}

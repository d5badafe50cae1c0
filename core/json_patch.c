/* JSON Pointer and JSON Patch.
 *
 * A pointer is walked segment by segment; a target is the container that its last segment looks
 * into, so that `add` can name what is not there yet. A repeated member counts as its last one for
 * reading; removing and replacing take all of that name, else an earlier one would come back to
 * life. Keeps nothing. Fails on the first operation that cannot be done. Threads: one per document.
 */
#include "core/json_patch.h"

#include "core/buf.h"
#include "core/json.h"

/* ---- Pointers ---- */

enum rc json_pointer_check(struct slice pointer, struct err *e)
{
    if (pointer.n && pointer.p[0] != '/')
        return err_set(e, RC_INVALID, ERR_FINAL, "path \"%.*s\" does not begin with '/'",
                       SLICE_ARG(pointer));
    for (size_t i = 0; i < pointer.n; i++) {
        if (pointer.p[i] != '~')
            continue;
        if (i + 1 == pointer.n || (pointer.p[i + 1] != '0' && pointer.p[i + 1] != '1'))
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "path \"%.*s\": '~' stands only in ~0 (for ~) and ~1 (for /)",
                           SLICE_ARG(pointer));
    }
    return RC_OK;
}

/* Takes the next character of a segment, its escape undone. ~01 becomes ~1: the pair ~0 is seen
 * first. */
static char segment_next(struct slice *segment)
{
    size_t n = segment->p[0] == '~' && segment->n > 1 ? 2 : 1;
    char c = segment->p[0];
    if (n == 2)
        c = segment->p[1] == '1' ? '/' : '~';
    *segment = slice_of(segment->p + n, segment->n - n);
    return c;
}

static bool segment_is(struct slice segment, struct slice name)
{
    size_t i = 0;
    while (segment.n && i < name.n) {
        if (segment_next(&segment) != name.p[i++])
            return false;
    }
    return segment.n == 0 && i == name.n;
}

/* Array indexes have no sign and no leading zero. */
static bool segment_index(struct slice segment, size_t *ret)
{
    if (segment.n == 0 || (segment.n > 1 && segment.p[0] == '0'))
        return false;
    size_t v = 0;
    for (size_t i = 0; i < segment.n; i++) {
        if (segment.p[i] < '0' || segment.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (size_t)(segment.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

static struct json *child(struct json_doc *d, const struct json *n, struct slice segment)
{
    if (json_is(n, JSON_ARRAY)) {
        size_t index;
        return segment_index(segment, &index) ? json_at(n, index) : NULL;
    }
    if (!json_is(n, JSON_OBJECT))
        return NULL;
    struct json *at = n->last;
    while (at && !segment_is(segment, json_name(d, at)))
        at = at->prev;
    return at;
}

static struct json *walk(struct json_doc *d, struct slice pointer)
{
    struct json *at = json_root(d);
    struct slice rest = pointer.n ? slice_of(pointer.p + 1, pointer.n - 1) : pointer;
    for (size_t left = pointer.n; left && at;) {
        struct slice after;
        struct slice segment = slice_cut(rest, '/', &after);
        at = child(d, at, segment);
        left -= segment.n + 1;
        rest = after;
    }
    return at;
}

struct json *json_pointer_get(struct json_doc *d, struct slice pointer)
{
    return json_pointer_check(pointer, NULL) == RC_OK ? walk(d, pointer) : NULL;
}

void json_pointer_add(struct buf *pointer, struct slice name)
{
    buf_add_char(pointer, '/');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~' || name.p[i] == '/')
            buf_add_str(pointer, name.p[i] == '~' ? "~0" : "~1");
        else
            buf_add_char(pointer, name.p[i]);
    }
}

/* ---- Operations ---- */

/* Where an operation works: the container and the segment that names a child of it, there or not.
 */
struct target {
    struct json *parent; /* NULL for the root */
    struct slice segment;
    struct json *node; /* NULL if absent */
};

static enum rc refuse(struct err *e, const char *what)
{
    return err_set(e, RC_INVALID, ERR_FINAL, "%s", what);
}

static enum rc find(struct json_doc *d, struct slice path, struct target *ret, struct err *e)
{
    enum rc rc = json_pointer_check(path, e);
    if (rc != RC_OK)
        return rc;
    if (path.n == 0) {
        *ret = (struct target){.node = json_root(d)};
        return RC_OK;
    }
    const char *slash = memrchr(path.p, '/', path.n);
    size_t head = (size_t)(slash - path.p);
    struct target t = {.parent = walk(d, slice_of(path.p, head)),
                       .segment = slice_of(slash + 1, path.n - head - 1)};
    if (!t.parent)
        return refuse(e, "what the path leads through is not there");
    if (!json_is(t.parent, JSON_OBJECT) && !json_is(t.parent, JSON_ARRAY))
        return refuse(e, "the path leads into a value that is neither object nor array");
    t.node = child(d, t.parent, t.segment);
    *ret = t;
    return RC_OK;
}

static enum rc find_present(struct json_doc *d, struct slice path, struct target *ret,
                            struct err *e)
{
    enum rc rc = find(d, path, ret, e);
    if (rc != RC_OK || ret->node)
        return rc;
    size_t index;
    if (json_is(ret->parent, JSON_ARRAY) && !segment_index(ret->segment, &index))
        return refuse(e, "an array index is 0 or a number without sign and leading zero");
    return refuse(e, "there is nothing at the path");
}

static enum rc set_member(struct json_doc *d, const struct target *t, struct json *v, struct err *e)
{
    AUTO(buf_done) struct buf name = BUF_INIT(JSON_TEXT_MAX);
    for (struct slice s = t->segment; s.n;)
        buf_add_char(&name, segment_next(&s));
    enum rc rc = buf_check(&name, "a member's name", e);
    return rc == RC_OK ? json_set(d, t->parent, buf_slice(&name), v, e) : rc;
}

static enum rc add_element(const struct target *t, struct json *v, struct err *e)
{
    size_t index = t->parent->count;
    if (!slice_eq(t->segment, SLICE("-")) && !segment_index(t->segment, &index))
        return refuse(e, "an array index is \"-\", 0 or a number without sign and leading zero");
    if (index > t->parent->count)
        return refuse(e, "the array index is beyond the array's end");
    json_insert(t->parent, index, v);
    return RC_OK;
}

/* Puts the unattached v where an `add` of that path would. */
static enum rc put(struct json_doc *d, struct slice path, struct json *v, struct err *e)
{
    struct target t;
    enum rc rc = find(d, path, &t, e);
    if (rc != RC_OK)
        return rc;
    if (!t.parent) {
        json_set_root(d, v);
        return RC_OK;
    }
    return json_is(t.parent, JSON_ARRAY) ? add_element(&t, v, e) : set_member(d, &t, v, e);
}

static void remove_target(struct json_doc *d, const struct target *t)
{
    if (json_is(t->parent, JSON_ARRAY)) {
        json_remove(t->node);
        return;
    }
    for (struct json *n; (n = child(d, t->parent, t->segment)) != NULL;)
        json_remove(n);
}

static enum rc op_add(struct json_doc *d, const struct json_patch_op *op, struct err *e)
{
    struct json *v;
    enum rc rc = json_value(d, op->value, &v, e);
    return rc == RC_OK ? put(d, op->path, v, e) : err_wrap(e, "value");
}

static enum rc op_replace(struct json_doc *d, const struct json_patch_op *op, struct err *e)
{
    struct target t;
    enum rc rc = find_present(d, op->path, &t, e);
    if (rc != RC_OK)
        return rc;
    struct json *v;
    rc = json_value(d, op->value, &v, e);
    if (rc != RC_OK)
        return err_wrap(e, "value");
    if (!json_is(t.parent, JSON_ARRAY))
        return put(d, op->path, v, e);
    json_replace(t.node, v);
    return RC_OK;
}

static enum rc op_remove(struct json_doc *d, const struct json_patch_op *op, bool skip_missing,
                         struct err *e)
{
    enum rc rc = json_pointer_check(op->path, e);
    if (rc != RC_OK)
        return rc;
    if (op->path.n == 0)
        return refuse(e, "the whole document cannot be removed");
    if (skip_missing && !walk(d, op->path))
        return RC_OK;
    struct target t;
    rc = find_present(d, op->path, &t, e);
    if (rc == RC_OK)
        remove_target(d, &t);
    return rc;
}

static enum rc op_test(struct json_doc *d, const struct json_patch_op *op, struct err *e)
{
    struct target t;
    enum rc rc = find_present(d, op->path, &t, e);
    if (rc != RC_OK)
        return rc;
    struct json *v;
    rc = json_value(d, op->value, &v, e);
    if (rc != RC_OK)
        return err_wrap(e, "value");
    return json_equal(t.node, v) ? RC_OK : refuse(e, "the value there is another one");
}

static enum rc op_move(struct json_doc *d, const struct json_patch_op *op, struct err *e)
{
    struct target from;
    enum rc rc = find_present(d, op->from, &from, e);
    if (rc != RC_OK)
        return err_wrap(e, "from");
    if (slice_eq(op->from, op->path))
        return RC_OK;
    if (slice_starts(op->path, op->from) && op->path.p[op->from.n] == '/')
        return refuse(e, "a value cannot be moved into itself");
    remove_target(d, &from);
    return put(d, op->path, from.node, e);
}

static enum rc op_copy(struct json_doc *d, const struct json_patch_op *op, struct err *e)
{
    struct target from;
    enum rc rc = find_present(d, op->from, &from, e);
    if (rc != RC_OK)
        return err_wrap(e, "from");
    struct json *v;
    rc = json_value_copy(d, from.node, &v, e);
    return rc == RC_OK ? put(d, op->path, v, e) : rc;
}

static enum rc apply(struct json_doc *d, const struct json_patch_op *op, bool skip_missing,
                     struct err *e)
{
    switch (op->kind) {
    case JSON_PATCH_ADD:
        return op_add(d, op, e);
    case JSON_PATCH_REPLACE:
        return op_replace(d, op, e);
    case JSON_PATCH_REMOVE:
        return op_remove(d, op, skip_missing, e);
    case JSON_PATCH_TEST:
        return op_test(d, op, e);
    case JSON_PATCH_MOVE:
        return op_move(d, op, e);
    case JSON_PATCH_COPY:
        return op_copy(d, op, e);
    }
    return refuse(e, "no such operation");
}

enum rc json_patch_apply(struct json_doc *d, const struct json_patch_op *ops, size_t n,
                         bool skip_missing, struct err *e)
{
    static const char *const names[] = {
        [JSON_PATCH_ADD] = "add",       [JSON_PATCH_REPLACE] = "replace",
        [JSON_PATCH_REMOVE] = "remove", [JSON_PATCH_TEST] = "test",
        [JSON_PATCH_MOVE] = "move",     [JSON_PATCH_COPY] = "copy"};
    for (size_t i = 0; i < n; i++) {
        enum rc rc = apply(d, &ops[i], skip_missing, e);
        if (rc != RC_OK)
            return err_wrap(e, "operation %zu (%s \"%.*s\")", i + 1, names[ops[i].kind],
                            SLICE_ARG(ops[i].path));
    }
    return RC_OK;
}

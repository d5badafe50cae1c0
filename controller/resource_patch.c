/* Patch operations as data. Of RFC 6902 add, replace and remove are taken, with the reference's
 * `delete` for `remove`. A path that names what makes an object itself is refused. Pure but for
 * the problems it adds. */
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"

enum { OPERATIONS_MAX = 1000, VALUE_BYTES_MAX = 1 << 20 };

static const char *const op_names[] = {
    [JSON_PATCH_ADD] = "add",
    [JSON_PATCH_REPLACE] = "replace",
    [JSON_PATCH_REMOVE] = "remove",
    NULL,
};

static const char *const identity[] = {
    "/apiVersion",
    "/kind",
    "/metadata/name",
    "/metadata/namespace",
    "/metadata/uid",
    "/metadata/resourceVersion",
    NULL,
};

static bool read_op(const struct origin *o, const struct json *at, enum json_patch_op_kind *ret)
{
    struct slice text = json_text(o->doc, at);
    for (size_t i = 0; op_names[i]; i++)
        if (slice_eq(slice_str(op_names[i]), text)) {
            *ret = (enum json_patch_op_kind)i;
            return true;
        }
    if (slice_eq(text, SLICE("delete"))) {
        problem_warn(o, at, "\"delete\" is no operation of JSON Patch: taken as \"remove\"");
        *ret = JSON_PATCH_REMOVE;
        return true;
    }
    if (text.n > 0) /* else told by the field table */
        fields_wrong_choice(o, at, text, op_names);
    return false;
}

/* The part of an object's identity that path names, lies above or lies in. */
static const char *touches_identity(struct slice path)
{
    for (size_t i = 0; identity[i]; i++) {
        struct slice id = slice_str(identity[i]);
        size_t n = id.n < path.n ? id.n : path.n;
        struct slice longer = id.n < path.n ? path : id;
        if (memcmp(id.p, path.p, n) == 0 && (longer.n == n || longer.p[n] == '/'))
            return identity[i];
    }
    return NULL;
}

static void check_path(const struct origin *o, const struct json *at, struct slice path)
{
    struct err why = ERR_INIT;
    if (path.n == 0) {
        problem_error(o, at, "the path \"\" is the whole object, which cannot be patched away");
        return;
    }
    if (json_pointer_check(path, &why) != RC_OK) {
        problem_failure(o, at, &why);
        return;
    }
    const char *id = touches_identity(path);
    if (id)
        problem_error(o, at, "path \"%.*s\": %s makes the object what it is and cannot be patched",
                      SHOWN(path), id);
}

static enum rc read_value(struct text_pool *texts, const struct json *n, struct slice *ret,
                          struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(VALUE_BYTES_MAX);
    json_print(n, &text);
    enum rc rc = buf_check(&text, "value", e);
    if (rc == RC_OK)
        *ret = slice_str(text_pool_add(texts, buf_slice(&text)));
    return rc;
}

static enum rc read_operation(struct text_pool *texts, const struct origin *o,
                              const struct json *node, struct json_patch_op *ret, struct err *e)
{
    const struct json *path = json_get(node, "path"), *value = json_get(node, "value");
    struct err why = ERR_INIT;
    bool known = read_op(o, json_get(node, "op"), &ret->kind);
    if (json_is(path, JSON_STRING)) {
        struct slice text = json_text(o->doc, path);
        check_path(o, path, text);
        ret->path = slice_str(text_pool_add(texts, text));
    } else if (!path || path->type == JSON_NULL)
        problem_error(o, node, "the field \"path\" is missing: a string is needed");
    if (!known || ret->kind == JSON_PATCH_REMOVE)
        return RC_OK;
    if (!value) {
        problem_error(o, node, "the field \"value\" is missing: %s needs one (null is one)",
                      op_names[ret->kind]);
        return RC_OK;
    }
    enum rc rc = read_value(texts, value, &ret->value, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc != RC_OK)
        problem_failure(o, value, &why);
    return RC_OK;
}

enum rc patch_read(struct text_pool *texts, const struct origin *o, const struct json *list,
                   struct json_patch_op **ret, size_t *ret_n, struct err *e)
{
    if (!list || !list->first)
        return RC_OK;
    if (list->count > OPERATIONS_MAX) {
        problem_error(o, list, "%zu operations, the most allowed is %d", list->count,
                      OPERATIONS_MAX);
        return RC_OK;
    }
    AUTO(freep) struct json_patch_op *ops = calloc(list->count, sizeof *ops);
    size_t n = 0;
    if (!ops)
        return err_nomem(e);
    for (const struct json *at = list->first; at; at = at->next) {
        enum rc rc = RC_OK;
        if (at->type == JSON_OBJECT) /* else told by the field table */
            rc = read_operation(texts, o, at, &ops[n++], e);
        if (rc != RC_OK)
            return rc;
    }
    *ret = steal(&ops);
    *ret_n = n;
    return RC_OK;
}

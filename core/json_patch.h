/* JSON Pointer (RFC 6901) and JSON Patch (RFC 6902) on core/json documents. */
#ifndef RESILOG_CORE_JSON_PATCH_H
#define RESILOG_CORE_JSON_PATCH_H

#include "core/err.h"
#include "core/slice.h"

struct buf;
struct json;
struct json_doc;

enum json_patch_op_kind {
    JSON_PATCH_ADD,
    JSON_PATCH_REPLACE,
    JSON_PATCH_REMOVE,
    JSON_PATCH_TEST,
    JSON_PATCH_MOVE,
    JSON_PATCH_COPY
};

struct json_patch_op {
    enum json_patch_op_kind kind;
    struct slice path;  /* JSON Pointer */
    struct slice from;  /* move and copy only */
    struct slice value; /* JSON text; add, replace and test only */
};

/* Checks a pointer's syntax: empty or "/"-led, '~' only as ~0 and ~1. Errors: INVALID. */
MUST_CHECK enum rc json_pointer_check(struct slice pointer, struct err *e);
/* The node a pointer names, NULL if there is none. Escapes are undone as ~1 first, then ~0. */
struct json *json_pointer_get(struct json_doc *d, struct slice pointer);
/* Appends a segment to a pointer: '/' and the name, escaped. A full buffer says so by itself (core/buf.h). */
void json_pointer_add(struct buf *pointer, struct slice name);

/* Applies ops in order to the document. Not atomic by itself: after a failure the document is to be
 * thrown away. With skip_missing a remove whose target is absent does nothing. Errors: INVALID
 * naming the operation's number and path (target absent, array index wrong, test failed, root
 * removed), NOMEM. */
MUST_CHECK enum rc json_patch_apply(struct json_doc *d, const struct json_patch_op *ops, size_t n,
                                    bool skip_missing, struct err *e);

#endif

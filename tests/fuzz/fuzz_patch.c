/* JSON Patch: the input's lines are the document, then operations "<kind> <path> <value or from>".
 * Whatever applies leaves a document that prints as JSON. */
#include "core/buf.h"
#include "core/json.h"
#include "core/json_patch.h"

#include <stdint.h>

#define OPS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool read_op(struct slice line, struct json_patch_op *ret)
{
    static const char kinds[] = "aprtmc"; /* add, replace (put), remove, test, move, copy */
    static const enum json_patch_op_kind of[] = {JSON_PATCH_ADD,    JSON_PATCH_REPLACE,
                                                 JSON_PATCH_REMOVE, JSON_PATCH_TEST,
                                                 JSON_PATCH_MOVE,   JSON_PATCH_COPY};
    struct slice rest, argument;
    struct slice kind = slice_cut(line, ' ', &rest);
    struct slice path = slice_cut(rest, ' ', &argument);
    const char *at = kind.n == 1 ? memchr(kinds, kind.p[0], sizeof(kinds) - 1) : NULL;
    if (!at)
        return false;
    *ret = (struct json_patch_op){
        .kind = of[at - kinds], .path = path, .from = argument, .value = argument};
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice rest = slice_of(data, n);
    struct slice text = slice_cut(rest, '\n', &rest);
    AUTO(json_freep) struct json_doc *d = NULL;
    if (json_parse(text, &d, NULL) != RC_OK)
        return 0;
    struct json_patch_op ops[OPS_MAX];
    size_t count = 0;
    while (rest.n && count < OPS_MAX) {
        struct slice line = slice_cut(rest, '\n', &rest);
        count += read_op(line, &ops[count]);
    }
    struct err e = ERR_INIT;
    if (json_patch_apply(d, ops, count, n % 2, &e) != RC_OK) {
        if (e.rc >= 0 || !e.msg[0])
            __builtin_trap();
        return 0;
    }
    AUTO(buf_done) struct buf out = BUF_INIT(JSON_TEXT_MAX);
    json_print(json_root(d), &out);
    AUTO(json_freep) struct json_doc *again = NULL;
    enum rc rc = out.bad == RC_OK ? json_parse(buf_slice(&out), &again, NULL) : RC_LIMIT;
    if (rc != RC_LIMIT && (rc != RC_OK || !json_equal(json_root(d), json_root(again))))
        __builtin_trap();
    return 0;
}

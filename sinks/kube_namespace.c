/* Builds a Namespace object. Keeps nothing. */
#include "sinks/kube_namespace.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/scope.h"
#include "core/key.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_rules.h"

static bool is_tool_label(struct slice name)
{
    for (const char *const *t = kube_tool_labels; *t; t++) {
        struct slice tool = slice_str(*t);
        bool prefix = slice_ends(tool, SLICE("/"));
        if (prefix ? slice_starts(name, tool) : slice_eq(name, tool))
            return true;
    }
    return false;
}

static void cut_tool_labels(struct json_doc *d, struct json *labels)
{
    for (struct json *x = labels->first, *next; x; x = next) {
        next = x->next;
        if (is_tool_label(json_name(d, x)))
            json_remove(x);
    }
}

static enum rc put_labels(struct json_doc *d, struct slice text, struct err *e)
{
    struct json *labels;
    enum rc rc = json_value(d, text, &labels, e);
    if (rc != RC_OK)
        return err_wrap(e, "labels of the source's namespace");
    if (labels->type != JSON_OBJECT)
        return err_set(e, RC_INVALID, ERR_FINAL, "labels of the source's namespace: no object");
    cut_tool_labels(d, labels);
    return json_set(d, json_get(json_root(d), "metadata"), SLICE("labels"), labels, e);
}

enum rc kube_namespace_body(struct slice name, struct slice labels, const struct kube_writer *me,
                            struct buf *out, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(KEY_MAX * 8);
    AUTO(buf_done) struct buf key = BUF_INIT(KEY_MAX);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_marks marks = {0};
    bool changed;
    key_print(&(struct key){.resource = SLICE("namespaces"), .name = name}, &key);
    buf_add_str(&text, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":");
    json_print_text(name, &text);
    buf_add_str(&text, "}}");
    enum rc rc = buf_check(&text, "a namespace", e);
    if (rc == RC_OK)
        rc = buf_check(&key, "a namespace's key", e);
    if (rc == RC_OK)
        rc = json_parse(buf_slice(&text), &d, e);
    if (rc == RC_OK && labels.n > 0)
        rc = put_labels(d, labels, e);
    if (rc == RC_OK)
        rc = kube_marks_set(d, me, buf_slice(&key), &marks, &changed, e);
    if (rc != RC_OK)
        return rc;
    json_print(json_root(d), out);
    return buf_check(out, "a namespace", e);
}

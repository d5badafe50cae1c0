/* FieldsV1 turned into an object of the shape that it speaks of.
 *
 *   {"f:data": {".": {}, "f:a": {}}, "f:spec": {"f:ports": {"k:{...}": {...}}}}   becomes
 *   {"data": {"a": null}, "spec": {"ports": null}}
 *
 * Keeps nothing. A list whose elements are named one by one counts as a whole, as in the merge. Recursion is as deep as
 * the document, bounded by KUBE_MERGE_DEPTH. */
#include "sinks/kube_owned.h"

#include "core/buf.h"
#include "core/json.h"
#include "io/kube.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_merge.h"

#define FIELD "f:"

static struct json *metadata_of(const struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

/* Our entry: of plain writes, in the version in which live was read, since paths differ between versions. */
static const struct json *our_fields(struct json_doc *d)
{
    const struct json *entries = json_get(metadata_of(d), "managedFields");
    struct slice version = json_get_text(d, json_root(d), "apiVersion");
    if (!json_is(entries, JSON_ARRAY))
        return NULL;
    for (const struct json *n = entries->first; n; n = n->next)
        if (slice_eq(json_get_text(d, n, "manager"), SLICE(KUBE_MANAGER)) &&
            slice_eq(json_get_text(d, n, "operation"), SLICE("Update")) &&
            slice_eq(json_get_text(d, n, "apiVersion"), version) &&
            json_get_text(d, n, "subresource").n == 0)
            return json_get(n, "fieldsV1");
    return NULL;
}

/* The member's name; empty: no member of an object, or one of our marks. */
static struct slice field_name(struct json_doc *d, const struct json *n)
{
    struct slice name = json_name(d, n);
    if (!slice_starts(name, SLICE(FIELD)))
        return SLICE_NULL;
    name = slice_of(name.p + sizeof FIELD - 1, name.n - (sizeof FIELD - 1));
    bool mark = slice_eq(name, SLICE(KUBE_OWNER_MARK)) || slice_eq(name, SLICE(KUBE_ORIGIN_MARK));
    return mark ? SLICE_NULL : name;
}

/* True if the field is an object of which single members are named, or the object alone ("."). */
static bool is_object(struct json_doc *d, const struct json *fields)
{
    const struct json *first = json_is(fields, JSON_OBJECT) ? fields->first : NULL;
    if (first && !first->next && slice_eq(json_name(d, first), SLICE(".")))
        return true;
    for (const struct json *n = first; n; n = n->next)
        if (slice_starts(json_name(d, n), SLICE(FIELD)))
            return true;
    return false;
}

static void print_fields(struct json_doc *d, const struct json *fields, struct buf *out)
{
    bool any = false;
    if (!is_object(d, fields)) {
        buf_add_str(out, "null");
        return;
    }
    buf_add_char(out, '{');
    for (const struct json *n = fields->first; n; n = n->next) {
        struct slice name = field_name(d, n);
        if (name.n == 0)
            continue;
        if (any)
            buf_add_char(out, ',');
        any = true;
        json_print_text(name, out);
        buf_add_char(out, ':');
        print_fields(d, n, out);
    }
    buf_add_char(out, '}');
}

enum rc kube_owned(struct json_doc *live, struct json_doc **ret, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(JSON_TEXT_MAX);
    const struct json *fields = our_fields(live);
    bool mergeable = json_depth(live) <= KUBE_MERGE_DEPTH;
    if (!mergeable || !is_object(live, fields)) {
        *ret = NULL;
        return RC_OK;
    }
    print_fields(live, fields, &text);
    enum rc rc = buf_check(&text, "managedFields", e);
    return rc == RC_OK ? json_parse(buf_slice(&text), ret, e) : rc;
}

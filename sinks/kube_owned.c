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

#define FIELDS "fieldsV1"
#define FIELD  "f:"

static struct json *metadata_of(const struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

/* An entry of ours in the version in which live was read, since paths differ between versions. */
static bool is_ours(struct json_doc *d, const struct json *entry)
{
    struct slice version = json_get_text(d, json_root(d), "apiVersion");
    return slice_eq(json_get_text(d, entry, "manager"), SLICE(KUBE_MANAGER)) &&
           slice_eq(json_get_text(d, entry, "apiVersion"), version) &&
           json_get_text(d, entry, "subresource").n == 0 &&
           json_is(json_get(entry, FIELDS), JSON_OBJECT);
}

static const struct json *our_fields(struct json_doc *d)
{
    const struct json *entries = json_get(metadata_of(d), "managedFields");
    const struct json *n = json_is(entries, JSON_ARRAY) ? entries->first : NULL;
    while (n && !is_ours(d, n))
        n = n->next;
    return json_get(n, FIELDS);
}

/* ---- One entry of several ---- */

static enum rc add_fields(struct json_doc *d, struct json *into, const struct json *from,
                          struct err *e)
{
    enum rc rc = RC_OK;
    for (const struct json *n = from->first; n && rc == RC_OK; n = n->next) {
        struct slice name = json_name(d, n);
        struct json *there = json_get_slice(into, name), *copy;
        if (json_is(there, JSON_OBJECT) && json_is(n, JSON_OBJECT)) {
            rc = add_fields(d, there, n, e);
            continue;
        }
        rc = json_value_copy(d, n, &copy, e);
        if (rc == RC_OK)
            rc = json_set(d, into, name, copy, e);
    }
    return rc;
}

static enum rc set_operation(struct json_doc *d, struct json *entry, const char *operation,
                             bool *changed, struct err *e)
{
    struct json *value;
    if (slice_eq(json_get_text(d, entry, "operation"), slice_str(operation)))
        return RC_OK;
    *changed = true;
    enum rc rc = json_value_text(d, slice_str(operation), &value, e);
    return rc == RC_OK ? json_set(d, entry, SLICE("operation"), value, e) : rc;
}

enum rc kube_owned_unite(struct json_doc *live, const char *operation, bool *ret_changed,
                         struct err *e)
{
    struct json *entries = json_get(metadata_of(live), "managedFields");
    bool readable = json_is(entries, JSON_ARRAY) && json_depth(live) <= KUBE_MERGE_DEPTH;
    struct json *one = NULL, *next;
    bool changed = false;
    enum rc rc = RC_OK;
    for (struct json *n = readable ? entries->first : NULL; n && rc == RC_OK; n = next) {
        next = n->next;
        if (!is_ours(live, n))
            continue;
        if (!one) {
            one = n;
            rc = set_operation(live, one, operation, &changed, e);
            continue;
        }
        rc = add_fields(live, json_get(one, FIELDS), json_get(n, FIELDS), e);
        json_remove(n);
        changed = true;
    }
    if (rc == RC_OK)
        *ret_changed = changed;
    return rc;
}

/* ---- Its members ---- */

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

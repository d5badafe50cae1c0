/* Paths and metadata: pure functions. */
#include "io/kube.h"

#include "core/buf.h"
#include "core/json.h"

/* RFC 3986 unreserved characters stay; all else is percent-encoded. */
static void escape(struct slice text, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (plain) {
            buf_add_char(out, (char)c);
            continue;
        }
        buf_add(out, (const char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

void kube_query_escape(struct slice text, struct buf *out)
{
    escape(text, out);
}

static void add_segment(struct slice text, struct buf *out)
{
    buf_add_char(out, '/');
    escape(text, out);
}

void kube_path(const struct kube_gvr *r, struct slice ns, struct slice name, struct slice query,
               struct buf *out)
{
    buf_add_str(out, r->group.n ? "/apis" : "/api");
    if (r->group.n)
        add_segment(r->group, out);
    add_segment(r->version, out);
    if (ns.n) {
        buf_add_str(out, "/namespaces");
        add_segment(ns, out);
    }
    add_segment(r->resource, out);
    if (name.n)
        add_segment(name, out);
    if (query.n) {
        buf_add_char(out, '?');
        buf_add_slice(out, query);
    }
}

/* Times are RFC 3339 in UTC with whole seconds, so byte order is time order. Of equal ones the later entry counts, but
 * ours gives way: who else wrote in that second did so after us, as a rule, and must not be taken for us. */
static void read_manager(struct json_doc *d, struct kube_object *o)
{
    struct json *entries = json_get(o->metadata, "managedFields");
    for (struct json *n = json_is(entries, JSON_ARRAY) ? entries->first : NULL; n; n = n->next) {
        struct slice manager = json_get_text(d, n, "manager"), time = json_get_text(d, n, "time");
        int order = slice_cmp(time, o->manager_time);
        bool gives_way = order == 0 && o->manager.n && slice_eq(manager, SLICE(KUBE_MANAGER));
        if (!manager.n || order < 0 || gives_way)
            continue;
        o->manager = manager;
        o->manager_time = time;
    }
}

enum rc kube_object_read(struct json_doc *d, struct kube_object *ret, struct err *e)
{
    struct json *root = json_root(d);
    struct kube_object o = {.metadata = json_get(root, "metadata")};
    o.name = json_get_text(d, o.metadata, "name");
    if (!o.name.n)
        return err_set(e, RC_INVALID, ERR_FINAL, "object without metadata.name");
    o.api_version = json_get_text(d, root, "apiVersion");
    o.kind = json_get_text(d, root, "kind");
    o.ns = json_get_text(d, o.metadata, "namespace");
    o.uid = json_get_text(d, o.metadata, "uid");
    o.resource_version = json_get_text(d, o.metadata, "resourceVersion");
    struct json *deleted = json_get(o.metadata, "deletionTimestamp");
    o.deleting = deleted && !json_is(deleted, JSON_NULL);
    read_manager(d, &o);
    *ret = o;
    return RC_OK;
}

/* From documents to items: kinds, lists, names. A document of one of our kinds becomes an item,
 * checked against its table and registered under its name; two of one name are told. */
#include "controller/nearest.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/map.h"

#include <stdio.h>

#define NS_DEFAULT       "default"
#define GENERATED_DIGITS 5

const struct kind *loader_kind(enum kind_use use)
{
    const struct kind *k = kinds;
    while (k->use != use)
        k++;
    return k;
}

/* ---- Names ---- */

static const char *name_key(struct text_pool *texts, const struct kind *kind, const char *full_name)
{
    const char *what = kind->keeps ? kind->keeps : kind->name;
    return text_pool_join(texts, slice_str(what), ' ', slice_str(full_name));
}

/* Of that kind, or of another one that keeps the same under its name. */
static struct item *find_same_name(const struct loader *l, const struct kind *kind,
                                   const char *full_name)
{
    const char *key = name_key(&l->out->texts, kind, full_name);
    return map_get(l->by_name, slice_str(key));
}

struct item *loader_find(const struct loader *l, const struct kind *kind, const char *full_name)
{
    struct item *item = find_same_name(l, kind, full_name);
    return item && item->kind == kind ? item : NULL;
}

/* Names as one would write them in namespace ns. */
static const char *short_name(const struct item *item, const char *ns)
{
    return strcmp(item->ns, ns) == 0 ? item->name : item->full_name;
}

static void list_names(const struct loader *l, const struct kind *kind, const char *ns,
                       char out[HINT_BYTES])
{
    static const char before[] = "; known: ", more[] = ", ...";
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < l->n_items; i++) {
        if (l->items[i]->kind != kind)
            continue;
        const char *name = short_name(l->items[i], ns);
        bool fits = n + strlen(name) + sizeof before + sizeof more < HINT_BYTES;
        n += (size_t)snprintf(out + n, HINT_BYTES - n, "%s%s", n ? ", " : before,
                              fits ? name : "...");
        if (!fits)
            return;
    }
}

void loader_hint(const struct loader *l, const struct kind *kind, const char *ns, struct slice text,
                 char out[HINT_BYTES])
{
    struct nearest near = NEAREST_INIT(text);
    struct slice name, first = slice_cut(text, '/', &name);
    if (first.n == text.n)
        name = text;
    for (size_t i = 0; i < l->n_items; i++) {
        const struct item *item = l->items[i];
        if (item->kind != kind)
            continue;
        if (slice_eq(slice_str(item->name), name)) {
            near.name = item->full_name; /* the right name in another namespace */
            break;
        }
        nearest_try(&near, short_name(item, ns));
    }
    if (near.name)
        snprintf(out, HINT_BYTES, "; did you mean \"%.*s\"?", SHOWN_MAX, near.name);
    else
        list_names(l, kind, ns, out);
}

static void tell_same_name(const struct item *item, const struct item *other)
{
    const struct json *meta = json_get(item->node, "metadata");
    const struct json *name = json_get(meta, "name"), *at = name ? name : meta;
    if (item->kind == other->kind)
        problem_error(&item->origin, at, "%s %s stands twice: also in %s:%u:%u", item->kind->name,
                      item->full_name, other->origin.file, other->node->line, other->node->col);
    else
        problem_error(&item->origin, at,
                      "%s %s has the name of the %s in %s:%u:%u, and %s is kept under it: give one "
                      "of them another name",
                      item->kind->name, item->full_name, other->kind->name, other->origin.file,
                      other->node->line, other->node->col, item->kind->keeps);
}

static enum rc register_item(struct loader *l, struct item *item, struct err *e)
{
    const struct item *other = find_same_name(l, item->kind, item->full_name);
    if (other) {
        tell_same_name(item, other);
        item->broken = true;
        return RC_OK;
    }
    const char *key = name_key(&l->out->texts, item->kind, item->full_name);
    return map_put(l->by_name, slice_str(key), item, e);
}

/* A member of metadata that has to be a name; false after it was told that it is none. */
static bool check_name(const struct item *item, const struct json *n, bool ok, const char *rule)
{
    if (!ok)
        problem_error(&item->origin, n, "\"%.*s\" is no name: allowed are %s",
                      SHOWN(json_text(item->origin.doc, n)), rule);
    return ok;
}

/* generateName and some digits that the spec decides, so that the same file is the same resource again. */
static enum rc generate_name(const struct item *item, struct slice prefix, struct buf *out,
                             struct err *e)
{
    uint8_t digest[RESOURCE_DIGEST];
    char hex[2 * RESOURCE_DIGEST + 1];
    const struct json *spec = fields_object(item->node, "spec");
    enum rc rc = spec ? item_digest(item, spec, SLICE_NULL, digest, e) : RC_OK;
    if (!spec || rc < 0)
        return rc; /* no spec: told by fields_check */
    hex_encode(digest, sizeof digest, hex);
    buf_addf(out, "%.*s%.*s", SLICE_ARG(prefix), GENERATED_DIGITS, hex);
    return buf_check(out, "name", e);
}

/* The name of an item; empty, and told, where it has none. */
static enum rc read_name(const struct item *item, const struct json *meta, struct buf *out,
                         struct err *e)
{
    const struct json *name = json_get(meta, "name"), *prefix = json_get(meta, "generateName");
    enum kind_use use = item->kind->use;
    if (json_is(name, JSON_STRING)) {
        buf_add_slice(out, json_text(item->origin.doc, name));
        return buf_check(out, "name", e);
    }
    if (!meta || (name && !json_is(name, JSON_NULL)))
        return RC_OK; /* told by fields_check */
    if (json_is(prefix, JSON_STRING) && (use == KIND_ONCE || use == KIND_PLAN))
        return generate_name(item, json_text(item->origin.doc, prefix), out, e);
    if (!prefix || use != KIND_LATER)
        problem_error(&item->origin, meta, "the field \"name\" is missing: a string is needed");
    return RC_OK;
}

/* Reads the names; *ret says whether there is one to register the item under. */
static enum rc read_names(struct loader *l, struct item *item, bool *ret, struct err *e)
{
    const struct json *meta = fields_object(item->node, "metadata");
    const struct json *ns = json_get(meta, "namespace"), *name = json_get(meta, "name");
    AUTO(buf_done) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    enum rc rc = read_name(item, meta, &text, e);
    bool has_ns = json_is(ns, JSON_STRING) && json_text(item->origin.doc, ns).n > 0;
    struct slice ns_text = has_ns ? json_text(item->origin.doc, ns) : SLICE(NS_DEFAULT);
    *ret = rc == RC_OK && (text.p || json_is(name, JSON_STRING)) &&
           check_name(item, json_is(name, JSON_STRING) ? name : json_get(meta, "generateName"),
                      kind_is_name(buf_slice(&text)), KIND_NAME_RULE) &&
           check_name(item, ns, kind_is_namespace(ns_text), KIND_NAMESPACE_RULE);
    if (!*ret)
        return rc;
    item->name = text_pool_add(&l->out->texts, buf_slice(&text));
    item->ns = text_pool_add(&l->out->texts, ns_text);
    item->full_name = text_pool_join(&l->out->texts, ns_text, '/', buf_slice(&text));
    return RC_OK;
}

/* ---- Documents ---- */

/* Takes item in every case. */
static enum rc add_item(struct loader *l, struct item *item, struct err *e)
{
    if (l->n_items == l->cap_items) {
        size_t cap = l->cap_items ? 2 * l->cap_items : 16;
        struct item **items = realloc(l->items, cap * sizeof *items);
        if (!items) {
            free(item);
            return err_nomem(e);
        }
        l->items = items;
        l->cap_items = cap;
    }
    l->items[l->n_items++] = item;
    return register_item(l, item, e);
}

static enum rc read_resource(struct loader *l, const struct origin *o, const struct json *node,
                             struct err *e)
{
    const struct kind *kind = kind_of(o, node);
    if (!kind)
        return RC_OK;
    AUTO(freep) struct item *item = calloc(1, sizeof *item);
    if (!item)
        return err_nomem(e);
    *item = (struct item){.kind = kind, .origin = *o, .node = node};
    item->broken = !fields_check(o, node, kind->fields);
    bool named;
    enum rc rc = read_names(l, item, &named, e);
    if (rc < 0)
        return rc;
    if (kind->use == KIND_LATER)
        problem_warn(o, node, "%s: accepted, not acted on yet", kind->name);
    return named ? add_item(l, steal(&item), e) : RC_OK;
}

/* A List, or a KubernetesClusterList and so on. */
static bool is_list(const struct origin *o, const struct json *node)
{
    const struct json *kind = json_get(node, "kind");
    if (!json_is(kind, JSON_STRING))
        return false;
    struct slice name = json_text(o->doc, kind);
    return slice_eq(name, SLICE("List")) ||
           (slice_ends(name, SLICE("List")) && json_get(node, "items"));
}

static enum rc read_document(struct loader *l, const struct origin *o, const struct json *node,
                             struct err *e);

static enum rc read_list(struct loader *l, const struct origin *o, const struct json *node,
                         struct err *e)
{
    static const struct field field = {.name = "items", .type = FIELD_LIST, .flags = FIELD_SECRET};
    const struct json *items = json_get(node, field.name);
    enum rc rc = RC_OK;
    if (!items)
        problem_error(o, node, "the field \"items\" is missing: a list is needed");
    if (!items || json_is(items, JSON_NULL) || !fields_check_value(o, items, &field))
        return RC_OK;
    for (const struct json *n = items->first; n && rc == RC_OK; n = n->next)
        rc = read_document(l, o, n, e);
    return rc;
}

/* As deep as core/yaml.h lets lists be in lists. */
static enum rc read_document(struct loader *l, const struct origin *o, const struct json *node,
                             struct err *e)
{
    if (json_is(node, JSON_OBJECT))
        return is_list(o, node) ? read_list(l, o, node, e) : read_resource(l, o, node, e);
    problem_error(o, node,
                  "not a Kubernetes resource: a mapping with apiVersion, kind, "
                  "metadata and spec is expected");
    return RC_OK;
}

enum rc items_read(struct loader *l, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l->inputs.n; i++) {
        const struct input *in = &l->inputs.list[i];
        struct origin o = {.problems = l->out->problems, .file = in->file, .order = i};
        for (size_t j = 0; j < in->yaml.n && rc == RC_OK; j++) {
            o.doc = in->yaml.docs[j];
            rc = read_document(l, &o, json_root(o.doc), e);
        }
    }
    return rc;
}

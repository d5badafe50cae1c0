/* From documents to items: kinds, lists, names. A document of a kind that is acted on becomes an
 * item, checked against its table and registered under its name; two of one name are told. */
#include "controller/nearest.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/json.h"
#include "core/map.h"

#include <stdio.h>

#define NS_DEFAULT "default"

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
    return text_pool_join(texts, slice_str(kind->name), ' ', slice_str(full_name));
}

struct item *loader_find(const struct loader *l, const struct kind *kind, const char *full_name)
{
    const char *key = name_key(&l->out->texts, kind, full_name);
    return map_get(l->by_name, slice_str(key));
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

static enum rc register_item(struct loader *l, struct item *item, struct err *e)
{
    const struct item *other = loader_find(l, item->kind, item->full_name);
    if (other) {
        const struct json *at = json_dig(item->node, "metadata", "name", NULL);
        problem_error(&item->origin, at, "%s %s stands twice: also in %s:%u:%u", item->kind->name,
                      item->full_name, other->origin.file, other->node->line, other->node->col);
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

/* Reads the names. False if there is none to register the item under. */
static bool read_names(struct loader *l, struct item *item)
{
    const struct json *meta = fields_object(item->node, "metadata");
    const struct json *name = json_get(meta, "name"), *ns = json_get(meta, "namespace");
    struct json_doc *d = item->origin.doc;
    if (!meta || (name && !json_is(name, JSON_STRING) && !json_is(name, JSON_NULL)))
        return false; /* told by fields_check */
    if (!json_is(name, JSON_STRING)) {
        bool generated = item->kind->use == KIND_LATER && json_get(meta, "generateName");
        if (!generated)
            problem_error(&item->origin, meta, "the field \"name\" is missing: a string is needed");
        return false;
    }
    struct slice text = json_text(d, name);
    struct slice ns_text =
        json_is(ns, JSON_STRING) && json_text(d, ns).n > 0 ? json_text(d, ns) : SLICE(NS_DEFAULT);
    if (!check_name(item, name, kind_is_name(text), KIND_NAME_RULE) ||
        !check_name(item, ns, kind_is_namespace(ns_text), KIND_NAMESPACE_RULE))
        return false;
    item->name = text_pool_add(&l->out->texts, text);
    item->ns = text_pool_add(&l->out->texts, ns_text);
    item->full_name = text_pool_join(&l->out->texts, ns_text, '/', text);
    return true;
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
    bool named = read_names(l, item);
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

/* Tells which objects are left out: by the rows of kube_skips, and by their owner.
 *
 * Keeps nothing. */
#include "sinks/kube_skip.h"

#include "core/json.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_walk.h"

struct match {
    struct json_doc *d;
    const char *value;
    bool found;
};

static void match_node(void *arg, struct json *node)
{
    struct match *m = arg;
    struct slice text = json_is(node, JSON_STRING) ? json_text(m->d, node) : node->raw;
    if (!m->value || kube_glob(m->value, text))
        m->found = true;
}

static bool row_matches(const struct kube_skip *row, struct json_doc *d)
{
    const struct json *metadata = json_get(json_root(d), "metadata");
    struct match m = {.d = d, .value = row->value};
    if (row->unless && slice_starts(json_get_text(d, metadata, "name"), slice_str(row->unless)))
        return false;
    if (row->ns && !slice_eq(json_get_text(d, metadata, "namespace"), slice_str(row->ns)))
        return false;
    kube_walk(d, json_root(d), row->path, match_node, &m);
    return m.found;
}

const char *kube_skip_why(struct json_doc *d, struct slice group, struct slice resource)
{
    for (size_t i = 0; i < kube_skips_count; i++) {
        const struct kube_skip *row = &kube_skips[i];
        if (kube_rule_covers(row->group, row->resource, group, resource) && row_matches(row, d))
            return row->why;
    }
    return NULL;
}

static bool same_letters(struct slice lower, struct slice mixed)
{
    for (size_t i = 0; i < lower.n && i < mixed.n; i++) {
        char c = mixed.p[i];
        if (lower.p[i] != (c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c))
            return false;
    }
    return lower.n <= mixed.n;
}

/* True if resource is the plural of kind as Kubernetes itself forms it: Deployment, deployments; Ingress,
 * ingresses; NetworkPolicy, networkpolicies; Endpoints, endpoints. */
static bool is_plural(struct slice resource, struct slice kind)
{
    static const struct {
        size_t cut;
        struct slice tail;
    } forms[] = {{0, {"s", 1}}, {0, {"es", 2}}, {1, {"ies", 3}}, {0, {"", 0}}};
    if (!resource.p || !kind.p)
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (kind.n <= forms[i].cut || resource.n != kind.n - forms[i].cut + forms[i].tail.n)
            continue;
        struct slice stem = slice_of(resource.p, kind.n - forms[i].cut);
        if (same_letters(stem, kind) && slice_ends(resource, forms[i].tail))
            return true;
    }
    return false;
}

static bool is_selected(struct slice api_version, struct slice kind, const struct slice *selected,
                        size_t n_selected)
{
    struct slice version, group = slice_cut(api_version, '/', &version);
    if (version.n == 0)
        group = SLICE_NULL; /* "v1" is the core group */
    for (size_t i = 0; i < n_selected; i++) {
        struct slice resource, scope_group = slice_cut(selected[i], '/', &resource);
        if (slice_eq(scope_group, group) && is_plural(resource, kind))
            return true;
    }
    return false;
}

bool kube_skip_owned(struct json_doc *d, const struct kube_rule *rule, const struct slice *selected,
                     size_t n_selected)
{
    const struct json *owners = json_dig(json_root(d), "metadata", "ownerReferences", NULL);
    if (!json_is(owners, JSON_ARRAY))
        return false;
    for (const struct json *o = owners->first; o; o = o->next) {
        if (!json_is(json_get(o, "controller"), JSON_TRUE))
            continue;
        if (rule->owned == KUBE_OWNED_NEVER ||
            is_selected(json_get_text(d, o, "apiVersion"), json_get_text(d, o, "kind"), selected,
                        n_selected))
            return true;
    }
    return false;
}

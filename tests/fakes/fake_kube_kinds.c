/* The resource table of the modelled API server: the built-in kinds, those that CRDs define, and
 * discovery in both forms.
 *
 * A kind is never freed before the server: when its CRD goes it is marked gone, and a CRD made
 * anew makes a new kind. */
#include "tests/fakes/fake_kube_priv.h"

#define VERBS "[\"create\",\"delete\",\"get\",\"list\",\"update\",\"watch\"]"

enum { CLUSTER = 1, GENERATION = 2, STATUS = 4 };
struct builtin {
    const char *group, *version, *resource, *kind, *short_name;
    unsigned flags;
};
static const struct builtin BUILTINS[] = {
    {"", "v1", "namespaces", "Namespace", "ns", CLUSTER | STATUS},
    {"", "v1", "configmaps", "ConfigMap", "cm", 0},
    {"", "v1", "secrets", "Secret", "", 0},
    {"", "v1", "services", "Service", "svc", STATUS},
    {"", "v1", "serviceaccounts", "ServiceAccount", "sa", 0},
    {"", "v1", "pods", "Pod", "po", GENERATION | STATUS},
    {"rbac.authorization.k8s.io", "v1", "roles", "Role", "", 0},
    {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "", 0},
    {"apps", "v1", "deployments", "Deployment", "deploy", GENERATION | STATUS},
    {"apps", "v1", "statefulsets", "StatefulSet", "sts", GENERATION | STATUS},
    {"apps", "v1", "daemonsets", "DaemonSet", "ds", GENERATION | STATUS},
    {"batch", "v1", "jobs", "Job", "", GENERATION | STATUS},
    {"batch", "v1", "cronjobs", "CronJob", "cj", GENERATION | STATUS},
    {"networking.k8s.io", "v1", "ingresses", "Ingress", "ing", GENERATION | STATUS},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd",
     CLUSTER | GENERATION | STATUS},
};

/* ---- the table ---- */

static char *joined(const char *a, const char *b)
{
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    buf_addf(&text, "%s%s", a, b);
    return fk_strdup(buf_slice(&text));
}

static char *lower(const char *s)
{
    char *p = fk_strdup(slice_str(s));
    for (char *c = p; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return p;
}

/* At the end, so that discovery names groups in the order in which they came. */
static void add_kind(struct fake_kube *k, struct fk_kind *kind)
{
    struct fk_kind **at = &k->kinds;
    while (*at)
        at = &(*at)->next;
    *at = kind;
}

void fk_kinds_init(struct fake_kube *k)
{
    for (size_t i = 0; i < sizeof BUILTINS / sizeof *BUILTINS; i++) {
        const struct builtin *b = &BUILTINS[i];
        struct fk_kind *kind = fk_alloc(sizeof *kind);
        *kind = (struct fk_kind){.group = joined(b->group, ""),
                                 .resource = joined(b->resource, ""),
                                 .kind = joined(b->kind, ""),
                                 .list_kind = joined(b->kind, "List"),
                                 .singular = lower(b->kind),
                                 .short_name = joined(b->short_name, ""),
                                 .versions = {joined(b->version, "")},
                                 .version_n = 1,
                                 .namespaced = !(b->flags & CLUSTER),
                                 .generation = (b->flags & GENERATION) != 0,
                                 .status = (b->flags & STATUS) != 0};
        add_kind(k, kind);
    }
}

static void clear_versions(struct fk_kind *kind)
{
    while (kind->version_n)
        free(kind->versions[--kind->version_n]);
}

void fk_kinds_done(struct fake_kube *k)
{
    while (k->kinds) {
        struct fk_kind *kind = k->kinds;
        k->kinds = kind->next;
        clear_versions(kind);
        free(kind->group);
        free(kind->resource);
        free(kind->kind);
        free(kind->list_kind);
        free(kind->singular);
        free(kind->short_name);
        free(kind);
    }
}

struct fk_kind *fk_kind_find(struct fake_kube *k, struct slice group, struct slice resource)
{
    for (struct fk_kind *kind = k->kinds; kind; kind = kind->next)
        if (!kind->gone && slice_eq(slice_str(kind->group), group) &&
            slice_eq(slice_str(kind->resource), resource))
            return kind;
    return NULL;
}

/* "apps/v1" in two, "v1" as the core group's. */
static struct slice cut_group(struct slice api_version, struct slice *version)
{
    struct slice rest, first = slice_cut(api_version, '/', &rest);
    *version = rest.p ? rest : first;
    return rest.p ? first : SLICE_NULL;
}

struct fk_kind *fk_kind_named(struct fake_kube *k, struct slice api_version, struct slice name)
{
    struct slice version, group = cut_group(api_version, &version);
    for (struct fk_kind *kind = k->kinds; kind; kind = kind->next)
        if (!kind->gone && slice_eq(slice_str(kind->group), group) &&
            slice_eq(slice_str(kind->kind), name) && fk_kind_serves(kind, version))
            return kind;
    return NULL;
}

bool fk_kind_serves(const struct fk_kind *kind, struct slice version)
{
    for (size_t i = 0; i < kind->version_n; i++)
        if (slice_eq(slice_str(kind->versions[i]), version))
            return true;
    return false;
}

void fk_kind_api_version(const struct fk_kind *kind, const char *version, struct buf *out)
{
    buf_addf(out, "%s%s%s", kind->group, *kind->group ? "/" : "", version);
}

void fk_kind_qualified(const struct fk_kind *kind, struct buf *out)
{
    buf_addf(out, "%s%s%s", kind->resource, *kind->group ? "." : "", kind->group);
}

/* ---- kinds of CRDs ---- */

struct fk_kind *fk_kind_of_crd(struct fake_kube *k, struct json_doc *crd)
{
    struct json *spec = json_get(json_root(crd), "spec");
    return fk_kind_find(k, json_get_text(crd, spec, "group"),
                        json_get_text(crd, json_get(spec, "names"), "plural"));
}

static void read_versions(struct fk_kind *kind, struct json_doc *crd)
{
    struct json *list = json_dig(json_root(crd), "spec", "versions", NULL);
    clear_versions(kind);
    kind->status = false;
    for (struct json *v = list ? list->first : NULL; v && kind->version_n < FK_VERSIONS;
         v = v->next) {
        if (!json_is(json_get(v, "served"), JSON_TRUE))
            continue;
        kind->versions[kind->version_n++] = fk_strdup(json_get_text(crd, v, "name"));
        kind->status |= json_dig(v, "subresources", "status", NULL) != NULL;
    }
}

static struct fk_kind *new_custom(struct fake_kube *k, struct json_doc *crd)
{
    struct json *spec = json_get(json_root(crd), "spec"), *names = json_get(spec, "names");
    struct fk_kind *kind = fk_alloc(sizeof *kind);
    kind->group = fk_strdup(json_get_text(crd, spec, "group"));
    kind->resource = fk_strdup(json_get_text(crd, names, "plural"));
    kind->kind = fk_strdup(json_get_text(crd, names, "kind"));
    struct slice list = json_get_text(crd, names, "listKind");
    kind->list_kind = list.n ? fk_strdup(list) : joined(kind->kind, "List");
    struct slice singular = json_get_text(crd, names, "singular");
    kind->singular = singular.n ? fk_strdup(singular) : lower(kind->kind);
    kind->short_name = fk_strdup(json_text(crd, json_at(json_get(names, "shortNames"), 0)));
    kind->namespaced = slice_eq(json_get_text(crd, spec, "scope"), SLICE("Namespaced"));
    kind->custom = kind->generation = true;
    add_kind(k, kind);
    return kind;
}

void fk_kind_define(struct fake_kube *k, struct json_doc *crd)
{
    struct fk_kind *kind = fk_kind_of_crd(k, crd);
    if (!kind)
        kind = new_custom(k, crd);
    if (kind->custom)
        read_versions(kind, crd);
}

static bool is_established(struct json_doc *crd)
{
    struct json *list = json_dig(json_root(crd), "status", "conditions", NULL);
    for (struct json *n = list ? list->first : NULL; n; n = n->next)
        if (slice_eq(json_get_text(crd, n, "type"), SLICE("Established")))
            return slice_eq(json_get_text(crd, n, "status"), SLICE("True"));
    return false;
}

void fk_kinds_rebuild(struct fake_kube *k)
{
    const struct slice crds = SLICE(FK_CRDS);
    for (struct fk_kind *kind = k->kinds; kind; kind = kind->next)
        kind->gone |= kind->custom;
    for (struct fk_rev *r = fk_seek(k, crds, crds, false, INT64_MAX); r;
         r = fk_seek(k, crds, r->of->key, true, INT64_MAX)) {
        AUTO(json_freep) struct json_doc *crd = fk_doc(r);
        if (is_established(crd))
            fk_kind_define(k, crd);
    }
}

/* ---- discovery ---- */

bool fk_is_stale(struct fake_kube *k, struct slice group, struct slice version)
{
    AUTO(buf_done) struct buf both = BUF_INIT(4096);
    buf_addf(&both, "%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(version));
    return map_get(k->stale, group) || map_get(k->stale, buf_slice(&both));
}

/* True for the first kind of its group (and, where version is given, of that version). */
static bool is_first(struct fake_kube *k, const struct fk_kind *kind, const char *version)
{
    for (const struct fk_kind *o = k->kinds; o != kind; o = o->next)
        if (!o->gone && strcmp(o->group, kind->group) == 0 &&
            (!version || fk_kind_serves(o, slice_str(version))))
            return false;
    return true;
}

/* Whether a group belongs to /api or /apis. */
static bool belongs(const struct fk_kind *kind, bool core)
{
    return !kind->gone && kind->version_n && (*kind->group == 0) == core;
}

static void comma(struct buf *out, const char *opening)
{
    if (!slice_ends(buf_slice(out), slice_str(opening)))
        buf_add_char(out, ',');
}

static void print_aggregated_resource(const struct fk_kind *kind, const char *version,
                                      struct buf *out)
{
    AUTO(buf_done) struct buf response = BUF_INIT(4096);
    buf_addf(&response, "\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"}",
             kind->group, version, kind->kind);
    buf_addf(
        out,
        "{\"resource\":\"%s\",%s,\"scope\":\"%s\",\"singularResource\":\"%s\",\"verbs\":" VERBS,
        kind->resource, response.p, kind->namespaced ? "Namespaced" : "Cluster", kind->singular);
    if (*kind->short_name)
        buf_addf(out, ",\"shortNames\":[\"%s\"]", kind->short_name);
    if (kind->status)
        buf_addf(out,
                 ",\"subresources\":[{\"subresource\":\"status\",%s,\"verbs\":[\"get\",\"patch\","
                 "\"update\"]}]",
                 response.p);
    buf_add_char(out, '}');
}

static void print_aggregated_version(struct fake_kube *k, const struct fk_kind *first,
                                     const char *version, struct buf *out)
{
    comma(out, "[");
    buf_addf(out, "{\"version\":\"%s\",", version);
    if (fk_is_stale(k, slice_str(first->group), slice_str(version))) {
        buf_add_str(out, "\"freshness\":\"Stale\"}");
        return;
    }
    buf_add_str(out, "\"resources\":[");
    for (const struct fk_kind *kind = first; kind; kind = kind->next) {
        if (kind->gone || strcmp(kind->group, first->group) != 0 ||
            !fk_kind_serves(kind, slice_str(version)))
            continue;
        comma(out, "[");
        print_aggregated_resource(kind, version, out);
    }
    buf_add_str(out, "],\"freshness\":\"Current\"}");
}

/* Calls print for every version of first's group. */
static void each_version(struct fake_kube *k, const struct fk_kind *first, struct buf *out,
                         void (*print)(struct fake_kube *, const struct fk_kind *, const char *,
                                       struct buf *))
{
    for (const struct fk_kind *kind = first; kind; kind = kind->next)
        for (size_t i = 0; i < kind->version_n; i++)
            if (!kind->gone && strcmp(kind->group, first->group) == 0 &&
                is_first(k, kind, kind->versions[i]))
                print(k, first, kind->versions[i], out);
}

static void serve_aggregated(struct fake_kube *k, bool core, struct fk_answer *a)
{
    a->content_type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    buf_add_str(&a->body, "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s."
                          "io/v2\",\"metadata\":{},\"items\":[");
    for (const struct fk_kind *kind = k->kinds; kind; kind = kind->next) {
        if (!belongs(kind, core) || !is_first(k, kind, NULL))
            continue;
        comma(&a->body, "[");
        buf_add_str(&a->body, "{\"metadata\":{");
        if (!core)
            buf_addf(&a->body, "\"name\":\"%s\",", kind->group);
        buf_add_str(&a->body, "\"creationTimestamp\":null},\"versions\":[");
        each_version(k, kind, &a->body, print_aggregated_version);
        buf_add_str(&a->body, "]}");
    }
    buf_add_str(&a->body, "]}\n");
}

static void print_group_version(struct fake_kube *k, const struct fk_kind *first,
                                const char *version, struct buf *out)
{
    (void)k;
    comma(out, "[");
    buf_addf(out, "{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}", first->group, version,
             version);
}

static void serve_groups(struct fake_kube *k, struct fk_answer *a)
{
    buf_add_str(&a->body, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    for (const struct fk_kind *kind = k->kinds; kind; kind = kind->next) {
        if (!belongs(kind, false) || !is_first(k, kind, NULL))
            continue;
        comma(&a->body, "[");
        buf_addf(&a->body, "{\"name\":\"%s\",\"versions\":[", kind->group);
        each_version(k, kind, &a->body, print_group_version);
        buf_addf(&a->body,
                 "],\"preferredVersion\":{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}}",
                 kind->group, kind->versions[0], kind->versions[0]);
    }
    buf_add_str(&a->body, "]}\n");
}

static void print_resource(const struct fk_kind *kind, struct buf *out)
{
    const char *namespaced = kind->namespaced ? "true" : "false";
    comma(out, "[");
    buf_addf(out,
             "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\","
             "\"verbs\":" VERBS,
             kind->resource, kind->singular, namespaced, kind->kind);
    if (*kind->short_name)
        buf_addf(out, ",\"shortNames\":[\"%s\"]", kind->short_name);
    buf_add_char(out, '}');
    if (kind->status)
        buf_addf(
            out,
            ",{\"name\":\"%s/"
            "status\",\"singularName\":\"\",\"namespaced\":%s,\"kind\":\"%s\",\"verbs\":[\"get\","
            "\"patch\",\"update\"]}",
            kind->resource, namespaced, kind->kind);
}

static void serve_resources(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    bool found = false;
    buf_addf(&a->body,
             "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"%.*s%s%.*s\","
             "\"resources\":[",
             SLICE_ARG(r->group), r->group.n ? "/" : "", SLICE_ARG(r->api_version));
    for (const struct fk_kind *kind = k->kinds; kind; kind = kind->next) {
        if (kind->gone || !slice_eq(slice_str(kind->group), r->group) ||
            !fk_kind_serves(kind, r->api_version))
            continue;
        found = true;
        print_resource(kind, &a->body);
    }
    buf_add_str(&a->body, "]}\n");
    if (!found)
        fk_fail_plain(a, 404, "404 page not found\n");
}

void fk_serve_discovery(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    bool core = slice_eq(r->path, SLICE("/api"));
    a->status = 200;
    if (r->api_version.n)
        serve_resources(k, r, a);
    else if (r->aggregated && !k->older_discovery)
        serve_aggregated(k, core, a);
    else if (core)
        buf_add_str(
            &a->body,
            "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[]}\n");
    else
        serve_groups(k, a);
}

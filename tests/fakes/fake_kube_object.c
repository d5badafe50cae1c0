/* What the modelled API server does to an object on its way in: the fields that it fills, a few
 * defaults of each kind, what may not change, and when two objects are the same.
 *
 * Values that it does not set itself keep their bytes. Service addresses and ports come from
 * counters. */
#include "tests/fakes/fake_kube_priv.h"

#include <stdio.h>

/* ---- defaults ---- */

static void inherit(struct json_doc *d, struct json *obj, struct json_doc *live,
                    const struct json *live_obj, const char *name)
{
    const struct json *from = live ? json_get(live_obj, name) : NULL;
    struct json *v;
    if (!from)
        return;
    fk_must(json_value_copy(d, from, &v, NULL));
    fk_must(json_set(d, obj, slice_str(name), v, NULL));
}

static void default_port(struct fake_kube *k, struct json_doc *d, struct json *port,
                         struct json_doc *live)
{
    struct json *list = live ? json_dig(json_root(live), "spec", "ports", NULL) : NULL;
    if (!json_is(port, JSON_OBJECT) || json_get(port, "nodePort"))
        return;
    for (struct json *o = list ? list->first : NULL; o; o = o->next)
        if (json_get(o, "port") && json_equal(json_get(o, "port"), json_get(port, "port"))) {
            inherit(d, port, live, o, "nodePort");
            return;
        }
    char number[16];
    snprintf(number, sizeof number, "%u", 30000 + k->next_port++);
    fk_set(d, port, "nodePort", number);
}

static void default_service(struct fake_kube *k, struct json_doc *d, struct json_doc *live)
{
    struct json *spec = json_get(json_root(d), "spec");
    struct json *live_spec = live ? json_get(json_root(live), "spec") : NULL;
    if (!spec)
        return;
    if (!json_get(spec, "type"))
        fk_set_text(d, spec, "type", SLICE("ClusterIP"));
    struct slice type = json_get_text(d, spec, "type");
    if (slice_eq(type, SLICE("ExternalName")))
        return;
    if (!json_get_text(d, spec, "clusterIP").n && json_get_text(live, live_spec, "clusterIP").n) {
        inherit(d, spec, live, live_spec, "clusterIP");
        inherit(d, spec, live, live_spec, "clusterIPs");
    } else if (!json_get_text(d, spec, "clusterIP").n) {
        char ip[32];
        snprintf(ip, sizeof ip, "10.96.%u.%u", k->next_ip / 250, 1 + k->next_ip % 250);
        k->next_ip++;
        fk_set_text(d, spec, "clusterIP", slice_str(ip));
    }
    if (!json_get(spec, "clusterIPs")) {
        AUTO(buf_done) struct buf list = BUF_INIT(4096);
        buf_add_char(&list, '[');
        json_print(json_get(spec, "clusterIP"), &list);
        buf_add_char(&list, ']');
        fk_set(d, spec, "clusterIPs", list.p);
    }
    struct json *ports = json_get(spec, "ports");
    if (slice_eq(type, SLICE("NodePort")) || slice_eq(type, SLICE("LoadBalancer")))
        for (struct json *p = ports ? ports->first : NULL; p; p = p->next)
            default_port(k, d, p, live);
}

static void default_member(struct json_doc *d, struct json *obj, const char *name,
                           const char *json_text)
{
    if (json_is(obj, JSON_OBJECT) && !json_get(obj, name))
        fk_set(d, obj, name, json_text);
}

static void default_namespace(struct json_doc *d, struct json_doc *live)
{
    struct json *root = json_root(d), *metadata = json_get(root, "metadata");
    default_member(d, metadata, "labels", "{}");
    struct json *labels = json_get(metadata, "labels");
    if (json_is(labels, JSON_OBJECT))
        fk_set_text(d, labels, "kubernetes.io/metadata.name", json_get_text(d, metadata, "name"));
    default_member(d, root, "spec", "{}");
    if (live)
        inherit(d, json_get(root, "spec"), live, json_get(json_root(live), "spec"), "finalizers");
    else
        fk_set(d, json_get(root, "spec"), "finalizers", "[\"kubernetes\"]");
    default_member(d, root, "status", "{\"phase\":\"Active\"}");
}

void fk_default(struct fake_kube *k, const struct fk_kind *kind, struct json_doc *d,
                struct json_doc *live)
{
    struct json *root = json_root(d), *spec = json_get(root, "spec");
    if (kind->custom)
        return;
    if (strcmp(kind->kind, "Service") == 0)
        default_service(k, d, live);
    else if (strcmp(kind->kind, "Namespace") == 0)
        default_namespace(d, live);
    else if (strcmp(kind->kind, "Secret") == 0)
        default_member(d, root, "type", "\"Opaque\"");
    else if (strcmp(kind->kind, "CronJob") == 0)
        default_member(d, spec, "suspend", "false");
    else if (strcmp(kind->kind, "Deployment") == 0 || strcmp(kind->kind, "StatefulSet") == 0) {
        default_member(d, spec, "replicas", "1");
        default_member(d, spec, "revisionHistoryLimit", "10");
    }
}

/* ---- what may not change ---- */

struct immutable {
    const char *kind, *parent, *field; /* parent NULL: of the object itself */
    const char *cause, *message;       /* %s of the message is the value */
};
#define UPDATES_TO                                                                                 \
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "        \
    "'template', "                                                                                 \
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "        \
    "'minReadySeconds' are forbidden"
static const struct immutable IMMUTABLES[] = {
    {"Secret", NULL, "type", "FieldValueInvalid", "Invalid value: %s: field is immutable"},
    {"RoleBinding", NULL, "roleRef", "FieldValueInvalid",
     "Invalid value: %s: cannot change roleRef"},
    {"Deployment", "spec", "selector", "FieldValueInvalid",
     "Invalid value: %s: field is immutable"},
    {"DaemonSet", "spec", "selector", "FieldValueInvalid", "Invalid value: %s: field is immutable"},
    {"Job", "spec", "selector", "FieldValueInvalid", "Invalid value: %s: field is immutable"},
    {"Job", "spec", "template", "FieldValueInvalid", "Invalid value: %s: field is immutable"},
    {"Service", "spec", "clusterIP", "FieldValueInvalid",
     "Invalid value: %s: may not change once set"},
    {"StatefulSet", "spec", "selector", "FieldValueForbidden", UPDATES_TO},
    {"StatefulSet", "spec", "serviceName", "FieldValueForbidden", UPDATES_TO},
    {"StatefulSet", "spec", "volumeClaimTemplates", "FieldValueForbidden", UPDATES_TO},
};

static bool same(const struct json *a, const struct json *b)
{
    return a && b ? json_equal(a, b) : a == b;
}

static bool check_row(const struct fk_kind *kind, const struct immutable *row, struct slice name,
                      struct json_doc *d, struct json_doc *live, struct fk_answer *a)
{
    struct json *now = json_root(d), *was = json_root(live);
    now = json_get(row->parent ? json_get(now, row->parent) : now, row->field);
    was = json_get(row->parent ? json_get(was, row->parent) : was, row->field);
    if (same(now, was))
        return true;
    AUTO(buf_done)
    struct buf value = BUF_INIT(FK_BODY_MAX), message = BUF_INIT(FK_BODY_MAX),
               field = BUF_INIT(256);
    if (now)
        json_print(now, &value);
    const char *mark = strstr(row->message, "%s");
    buf_add(&message, row->message, mark ? (size_t)(mark - row->message) : strlen(row->message));
    if (mark)
        buf_addf(&message, "%s%s", value.n ? value.p : "null", mark + 2);
    if (!mark) /* the whole spec is named */
        buf_add_str(&field, "spec");
    else
        buf_addf(&field, "%s%s%s", row->parent ? row->parent : "", row->parent ? "." : "",
                 row->field);
    fk_fail_invalid(a, kind, name, field.p, row->cause, message.p);
    return false;
}

/* ConfigMap and Secret once immutable: true is set. */
static bool check_frozen(const struct fk_kind *kind, struct slice name, struct json_doc *d,
                         struct json_doc *live, struct fk_answer *a)
{
    static const char *const fields[] = {"immutable", "data", "binaryData"};
    if (!json_is(json_get(json_root(live), "immutable"), JSON_TRUE))
        return true;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (same(json_get(json_root(d), fields[i]), json_get(json_root(live), fields[i])))
            continue;
        fk_fail_invalid(a, kind, name, fields[i], "FieldValueForbidden",
                        "Forbidden: field is immutable when `immutable` is set");
        return false;
    }
    return true;
}

bool fk_check_immutable(const struct fk_kind *kind, struct slice name, struct json_doc *d,
                        struct json_doc *live, struct fk_answer *a)
{
    if (kind->custom)
        return true;
    for (size_t i = 0; i < sizeof IMMUTABLES / sizeof *IMMUTABLES; i++)
        if (strcmp(IMMUTABLES[i].kind, kind->kind) == 0 &&
            !check_row(kind, &IMMUTABLES[i], name, d, live, a))
            return false;
    if (strcmp(kind->kind, "ConfigMap") == 0 || strcmp(kind->kind, "Secret") == 0)
        return check_frozen(kind, name, d, live, a);
    return true;
}

/* ---- sameness ---- */

/* Canonical text without what the server counts by itself. Numbers are compared by their text:
 * 1.0 is not 1 here. */
static void print_essence(struct json_doc *d, bool spec_only, struct buf *out)
{
    AUTO(buf_done) struct buf text = BUF_INIT(FK_TEXT_MAX);
    json_print(json_root(d), &text);
    AUTO(json_freep) struct json_doc *copy = fk_parse(buf_slice(&text));
    fk_must(copy ? RC_OK : RC_INVALID);
    struct json *root = json_root(copy), *metadata = json_get(root, "metadata");
    json_cut(root, "apiVersion");
    json_cut(root, "kind");
    json_cut(metadata, "managedFields");
    json_cut(metadata, "generation");
    json_cut(metadata, "resourceVersion");
    if (spec_only) {
        json_cut(root, "metadata");
        json_cut(root, "status");
    }
    json_print_canonical(copy, root, out);
}

static bool same_essence(struct json_doc *a, struct json_doc *b, bool spec_only)
{
    AUTO(buf_done) struct buf x = BUF_INIT(FK_TEXT_MAX), y = BUF_INIT(FK_TEXT_MAX);
    print_essence(a, spec_only, &x);
    print_essence(b, spec_only, &y);
    return slice_eq(buf_slice(&x), buf_slice(&y));
}

bool fk_same(struct json_doc *a, struct json_doc *b)
{
    return same_essence(a, b, false);
}

bool fk_same_spec(struct json_doc *a, struct json_doc *b)
{
    return same_essence(a, b, true);
}

/* ---- the end of an object ---- */

static struct json *metadata_of(struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

bool fk_has_finalizers(struct json_doc *d)
{
    struct json *list = json_get(metadata_of(d), "finalizers");
    return list && list->count > 0;
}

static struct json *find_finalizer(struct json_doc *d, const char *name)
{
    struct json *list = json_get(metadata_of(d), "finalizers"), *n = list ? list->first : NULL;
    while (n && !slice_eq(json_text(d, n), slice_str(name)))
        n = n->next;
    return n;
}

bool fk_add_finalizer(struct json_doc *d, const char *name)
{
    struct json *v, *list;
    if (find_finalizer(d, name))
        return false;
    if (!json_is(json_get(metadata_of(d), "finalizers"), JSON_ARRAY))
        fk_set(d, metadata_of(d), "finalizers", "[]");
    list = json_get(metadata_of(d), "finalizers");
    fk_must(json_value_text(d, slice_str(name), &v, NULL));
    json_insert(list, list->count, v);
    return true;
}

void fk_remove_finalizer(struct json_doc *d, const char *name)
{
    json_remove(find_finalizer(d, name));
    if (!fk_has_finalizers(d))
        json_cut(metadata_of(d), "finalizers");
}

bool fk_is_terminating(const struct fk_rev *r)
{
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    return json_get(metadata_of(d), "deletionTimestamp") != NULL;
}

struct fk_rev *fk_terminate(struct fake_kube *k, const struct fk_rev *live)
{
    AUTO(json_freep) struct json_doc *d = fk_doc(live);
    struct fk_object *o = live->of;
    bool is_namespace = strcmp(o->kind->resource, "namespaces") == 0 && !o->kind->custom;
    int64_t generation;
    char text[TIME_TEXT_MAX], number[24];
    if (json_get(metadata_of(d), "deletionTimestamp"))
        return o->revs[o->n - 1];
    if (!fk_has_finalizers(d) && !is_namespace) {
        fk_remove(k, live);
        return NULL;
    }
    fk_set_text(d, metadata_of(d), "deletionTimestamp", slice_str(fk_wall_text(k, text)));
    fk_set(d, metadata_of(d), "deletionGracePeriodSeconds", "0");
    if (json_int(json_get(metadata_of(d), "generation"), &generation)) {
        snprintf(number, sizeof number, "%lld", (long long)generation + 1);
        fk_set(d, metadata_of(d), "generation", number);
    }
    if (is_namespace)
        fk_set(d, json_root(d), "status", "{\"phase\":\"Terminating\"}");
    fk_control_wake(k);
    return fk_commit(k, o->kind, o->ns, o->name, FK_MODIFIED, d);
}

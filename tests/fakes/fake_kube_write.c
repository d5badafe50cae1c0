/* POST, PUT and DELETE of the modelled API server.
 *
 * A request is checked in the order of a real server: body, namespace, preconditions, what may
 * not change; then either one version is stored or nothing has happened. A PUT that changes
 * nothing stores nothing. PATCH is not modelled. */
#include "tests/fakes/fake_kube_priv.h"

#include <stdio.h>

static struct json *metadata_of(struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

static void fail_bad(struct fk_answer *a, const char *message)
{
    fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"}, "%s", message);
}

static void answer_with(const struct fk_request *r, int status, const struct fk_rev *rev,
                        struct fk_answer *a)
{
    a->status = status;
    fk_print(r->kind, r->api_version.p, rev, r->metadata_only, &a->body);
    buf_add_char(&a->body, '\n');
}

static void fail_conflict(const struct fk_request *r, struct fk_answer *a, const char *why)
{
    AUTO(buf_done) struct buf what = BUF_INIT(4096);
    fk_kind_qualified(r->kind, &what);
    fk_fail(
        a,
        &(struct fk_problem){.code = 409, .reason = "Conflict", .name = r->name, .kind = r->kind},
        "Operation cannot be fulfilled on %s \"%.*s\": %s", what.p, SLICE_ARG(r->name), why);
}

static struct fk_rev *live_of(struct fake_kube *k, const struct fk_request *r, struct slice name)
{
    AUTO(buf_done) struct buf key = BUF_INIT(FK_BODY_MAX);
    fk_key(r->kind, r->ns, name, &key);
    return fk_live(k, buf_slice(&key));
}

/* ---- checks that POST and PUT share ---- */

static bool check_type(const struct fk_request *r, struct json_doc *d, struct fk_answer *a)
{
    AUTO(buf_done) struct buf version = BUF_INIT(4096);
    struct slice kind = json_get_text(d, json_root(d), "kind"),
                 api = json_get_text(d, json_root(d), "apiVersion");
    if (!kind.n && !r->kind->custom)
        return true;
    fk_kind_api_version(r->kind, r->api_version.p, &version);
    if (slice_eq(kind, slice_str(r->kind->kind)) && slice_eq(api, buf_slice(&version)))
        return true;
    if (!kind.n)
        fail_bad(a, "Object 'Kind' is missing");
    else
        fail_bad(a,
                 "the API version and kind in the data do not match those of the expected object");
    return false;
}

/* The body as an object with metadata; NULL: refused. */
static struct json_doc *read_body(const struct fk_request *r, struct fk_answer *a)
{
    if (r->body.n > FK_BODY_MAX) {
        fk_fail(a, &(struct fk_problem){.code = 413, .reason = "RequestEntityTooLarge"},
                "Request entity too large: limit is %u", FK_BODY_MAX);
        return NULL;
    }
    struct json_doc *d = fk_parse(r->body);
    if (!json_is(d ? json_root(d) : NULL, JSON_OBJECT)) {
        json_free(d);
        fail_bad(a, "couldn't get version/kind; json parse error");
        return NULL;
    }
    if (!json_is(metadata_of(d), JSON_OBJECT))
        fk_set(d, json_root(d), "metadata", "{}");
    struct slice ns = json_get_text(d, metadata_of(d), "namespace");
    bool fits = check_type(r, d, a);
    if (fits && ns.n && !slice_eq(ns, r->ns)) {
        fits = false;
        fail_bad(a, "the namespace of the provided object does not match the namespace sent on the "
                    "request");
    }
    if (fits)
        return d;
    json_free(d);
    return NULL;
}

static bool check_namespace(struct fake_kube *k, const struct fk_request *r, bool create,
                            struct fk_answer *a)
{
    AUTO(buf_done) struct buf key = BUF_INIT(FK_BODY_MAX), what = BUF_INIT(FK_BODY_MAX);
    if (!r->kind->namespaced)
        return true;
    buf_addf(&key, FK_NAMESPACES "%.*s", SLICE_ARG(r->ns));
    struct fk_rev *ns = fk_live(k, buf_slice(&key));
    if (!ns) {
        fk_fail_not_found(a, fk_kind_find(k, SLICE_NULL, SLICE("namespaces")), r->ns);
        return false;
    }
    if (!create || !fk_is_terminating(ns))
        return true;
    fk_kind_qualified(r->kind, &what);
    AUTO(buf_done) struct buf cause = BUF_INIT(FK_BODY_MAX);
    buf_addf(&cause, "namespace %.*s is being terminated", SLICE_ARG(r->ns));
    fk_fail(a,
            &(struct fk_problem){.code = 403,
                                 .reason = "Forbidden",
                                 .name = r->name,
                                 .kind = r->kind,
                                 .cause = "NamespaceTerminating",
                                 .cause_message = cause.p,
                                 .cause_field = "metadata.namespace"},
            "%s \"%.*s\" is forbidden: unable to create new content in namespace %.*s because it "
            "is being terminated",
            what.p, SLICE_ARG(r->name), SLICE_ARG(r->ns));
    return false;
}

/* A CRD is named after what it defines. */
static bool check_crd(const struct fk_request *r, struct json_doc *d, struct slice name,
                      struct fk_answer *a)
{
    AUTO(buf_done) struct buf want = BUF_INIT(FK_BODY_MAX);
    struct json *spec = json_get(json_root(d), "spec");
    if (r->kind->custom || strcmp(r->kind->resource, "customresourcedefinitions") != 0)
        return true;
    struct slice plural = json_get_text(d, json_get(spec, "names"), "plural"),
                 group = json_get_text(d, spec, "group");
    buf_addf(&want, "%.*s.%.*s", SLICE_ARG(plural), SLICE_ARG(group));
    if (slice_eq(name, buf_slice(&want)))
        return true;
    fk_fail_invalid(a, r->kind, name, "metadata.name", "FieldValueInvalid",
                    "Invalid value: must be spec.names.plural+\".\"+spec.group");
    return false;
}

static bool check_size(const struct json_doc *d, struct fk_answer *a)
{
    AUTO(buf_done) struct buf text = BUF_INIT(FK_TEXT_MAX);
    json_print(json_root(d), &text);
    if (text.n <= FK_ETCD_MAX)
        return true;
    fk_fail(a, &(struct fk_problem){.code = 500}, "etcdserver: request is too large");
    return false;
}

/* ---- metadata that the server owns ---- */

static void set_generation(struct json_doc *d, int64_t generation)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)generation);
    fk_set(d, metadata_of(d), "generation", number);
}

static void set_birth(struct fake_kube *k, const struct fk_request *r, struct json_doc *d)
{
    char text[TIME_TEXT_MAX], uid[40];
    uint64_t a = rng_u64(k->rng), b = rng_u64(k->rng);
    snprintf(uid, sizeof uid, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
             0x8000 | (unsigned)(b >> 48 & 0x3fff), (unsigned long long)(b & 0xffffffffffff));
    fk_set_text(d, metadata_of(d), "uid", slice_str(uid));
    fk_set_text(d, metadata_of(d), "creationTimestamp", slice_str(fk_wall_text(k, text)));
    json_cut(metadata_of(d), "deletionTimestamp");
    json_cut(metadata_of(d), "deletionGracePeriodSeconds");
    json_cut(metadata_of(d), "selfLink");
    json_cut(metadata_of(d), "generation");
    if (r->kind->generation)
        set_generation(d, 1);
    if (r->kind->namespaced)
        fk_set_text(d, metadata_of(d), "namespace", r->ns);
    else
        json_cut(metadata_of(d), "namespace");
    fk_set_managed_fields(k, r, d, NULL);
}

/* Takes a member over from the live object, absence included. */
static void keep_live(struct json_doc *d, struct json *obj, const struct json *live_obj,
                      const char *name)
{
    struct json *v, *from = json_get(live_obj, name);
    json_cut(obj, name);
    if (!from)
        return;
    fk_must(json_value_copy(d, from, &v, NULL));
    fk_must(json_set(d, obj, slice_str(name), v, NULL));
}

static void keep_identity(const struct fk_request *r, struct json_doc *d, struct json_doc *live)
{
    static const char *const names[] = {
        "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "generation", "managedFields",     "selfLink",          "namespace",
        "name",       "resourceVersion"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        keep_live(d, metadata_of(d), metadata_of(live), names[i]);
    if (r->kind->status && (!r->trusted || !json_get(json_root(d), "status")))
        keep_live(d, json_root(d), json_root(live), "status");
}

/* ---- POST ---- */

/* The object's name, made up where only its beginning is given; empty: refused. */
static struct slice name_of(struct fake_kube *k, const struct fk_request *r, struct json_doc *d,
                            struct fk_answer *a)
{
    AUTO(buf_done) struct buf made = BUF_INIT(FK_BODY_MAX);
    struct slice name = json_get_text(d, metadata_of(d), "name");
    if (name.n)
        return name;
    struct slice front = json_get_text(d, metadata_of(d), "generateName");
    if (!front.n) {
        fk_fail_invalid(a, r->kind, SLICE_NULL, "metadata.name", "FieldValueRequired",
                        "Required value: name or generateName is required");
        return SLICE_NULL;
    }
    buf_add_slice(&made, front);
    for (int i = 0; i < 5; i++)
        buf_add_char(&made, "bcdfghjklmnpqrstvwxz2456789"[rng_below(k->rng, 27)]);
    fk_set_text(d, metadata_of(d), "name", buf_slice(&made));
    return json_get_text(d, metadata_of(d), "name");
}

static bool check_absent(struct fake_kube *k, const struct fk_request *r, struct slice name,
                         struct fk_answer *a)
{
    AUTO(buf_done) struct buf what = BUF_INIT(4096);
    struct fk_rev *live = live_of(k, r, name);
    if (!live)
        return true;
    fk_kind_qualified(r->kind, &what);
    fk_fail(
        a,
        &(struct fk_problem){.code = 409, .reason = "AlreadyExists", .name = name, .kind = r->kind},
        "%s%s \"%.*s\" already exists", fk_is_terminating(live) ? "object is being deleted: " : "",
        what.p, SLICE_ARG(name));
    return false;
}

static void serve_post(struct fake_kube *k, const struct fk_request *rq, struct fk_answer *a)
{
    struct fk_request r = *rq;
    AUTO(json_freep) struct json_doc *d = read_body(&r, a);
    if (!d)
        return;
    r.name = name_of(k, &r, d, a);
    if (!r.name.n || !check_namespace(k, &r, true, a))
        return;
    if (r.kind->closing) {
        fk_fail(a, &(struct fk_problem){.code = 405, .reason = "MethodNotAllowed", .kind = r.kind},
                "create not allowed while custom resource definition is terminating");
        return;
    }
    if (json_get_text(d, metadata_of(d), "resourceVersion").n && !r.trusted) {
        fk_fail(a, &(struct fk_problem){.code = 500},
                "resourceVersion should not be set on objects to be created");
        return;
    }
    if (!check_absent(k, &r, r.name, a) || !check_crd(&r, d, r.name, a))
        return;
    if (r.kind->status && !r.trusted)
        json_cut(json_root(d), "status");
    set_birth(k, &r, d);
    fk_default(k, r.kind, d, NULL);
    if (!check_size(d, a))
        return;
    fk_control_wake(k);
    answer_with(&r, 201, fk_commit(k, r.kind, r.ns, r.name, FK_ADDED, d), a);
}

/* ---- PUT ---- */

static bool check_versions(const struct fk_request *r, struct json_doc *d, struct json_doc *live,
                           struct fk_answer *a)
{
    AUTO(buf_done) struct buf why = BUF_INIT(FK_BODY_MAX);
    struct slice version = json_get_text(d, metadata_of(d), "resourceVersion");
    struct slice uid = json_get_text(d, metadata_of(d), "uid"),
                 own = json_get_text(live, metadata_of(live), "uid");
    if (r->trusted)
        return true;
    if (uid.n && !slice_eq(uid, own)) {
        buf_addf(&why, "Precondition failed: UID in precondition: %.*s, UID in object meta: %.*s",
                 SLICE_ARG(uid), SLICE_ARG(own));
        fail_conflict(r, a, why.p);
        return false;
    }
    if (!version.n && r->kind->custom) {
        fk_fail_invalid(a, r->kind, r->name, "metadata.resourceVersion", "FieldValueInvalid",
                        "Invalid value: 0: must be specified for an update");
        return false;
    }
    if (!version.n || slice_eq(version, json_get_text(live, metadata_of(live), "resourceVersion")))
        return true;
    fail_conflict(r, a,
                  "the object has been modified; please apply your changes to the latest version "
                  "and try again");
    return false;
}

/* A terminating object gets no new finalizers. */
static bool check_finalizers(const struct fk_request *r, struct json_doc *d, struct json_doc *live,
                             struct fk_answer *a)
{
    struct json *list = json_get(metadata_of(d), "finalizers"),
                *old = json_get(metadata_of(live), "finalizers");
    if (!json_get(metadata_of(live), "deletionTimestamp"))
        return true;
    for (struct json *n = list ? list->first : NULL; n; n = n->next) {
        struct json *o = old ? old->first : NULL;
        while (o && !json_equal(o, n))
            o = o->next;
        if (o)
            continue;
        fk_fail_invalid(a, r->kind, r->name, "metadata.finalizers", "FieldValueForbidden",
                        "Forbidden: no new finalizers can be added if the object is being deleted");
        return false;
    }
    return true;
}

/* Stores the new state, or removes an object whose last finalizer went. */
static void update(struct fake_kube *k, const struct fk_request *r, struct json_doc *d,
                   struct json_doc *live, struct fk_answer *a)
{
    int64_t generation = 0;
    if (json_int(json_get(metadata_of(live), "generation"), &generation) && !fk_same_spec(d, live))
        set_generation(d, generation + 1);
    fk_set_managed_fields(k, r, d, live);
    if (!check_size(d, a))
        return;
    bool is_namespace = !r->kind->custom && strcmp(r->kind->resource, "namespaces") == 0;
    bool over =
        json_get(metadata_of(d), "deletionTimestamp") && !fk_has_finalizers(d) && !is_namespace;
    fk_control_wake(k);
    answer_with(r, 200, fk_commit(k, r->kind, r->ns, r->name, over ? FK_DELETED : FK_MODIFIED, d),
                a);
}

static void serve_put(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    AUTO(json_freep) struct json_doc *d = read_body(r, a);
    if (!d)
        return;
    struct slice name = json_get_text(d, metadata_of(d), "name");
    if (!slice_eq(name, r->name)) {
        fail_bad(a, "the name of the object does not match the name on the URL");
        return;
    }
    if (!check_namespace(k, r, false, a))
        return;
    struct fk_rev *now = live_of(k, r, r->name);
    if (!now) {
        fk_fail_not_found(a, r->kind, r->name);
        return;
    }
    AUTO(json_freep) struct json_doc *live = fk_doc(now);
    if (!check_versions(r, d, live, a))
        return;
    keep_identity(r, d, live);
    fk_default(k, r->kind, d, live);
    if (!check_finalizers(r, d, live, a) || !fk_check_immutable(r->kind, r->name, d, live, a) ||
        !check_crd(r, d, r->name, a))
        return;
    if (fk_same(d, live))
        answer_with(r, 200, now, a);
    else
        update(k, r, d, live, a);
}

/* ---- DELETE ---- */

static bool check_preconditions(const struct fk_request *r, const struct fk_rev *now,
                                struct fk_answer *a)
{
    AUTO(json_freep)
    struct json_doc *options = r->body.n ? fk_parse(r->body) : NULL, *live = fk_doc(now);
    AUTO(buf_done) struct buf why = BUF_INIT(FK_BODY_MAX);
    if (r->body.n && !options) {
        fail_bad(a, "couldn't get version/kind; json parse error");
        return false;
    }
    struct json *wanted = options ? json_get(json_root(options), "preconditions") : NULL;
    struct slice uid = json_get_text(options, wanted, "uid"),
                 own = json_get_text(live, metadata_of(live), "uid");
    struct slice version = json_get_text(options, wanted, "resourceVersion");
    struct slice present = json_get_text(live, metadata_of(live), "resourceVersion");
    if (uid.n && !slice_eq(uid, own))
        buf_addf(&why, "Precondition failed: UID in precondition: %.*s, UID in object meta: %.*s",
                 SLICE_ARG(uid), SLICE_ARG(own));
    else if (version.n && !slice_eq(version, present))
        buf_addf(&why,
                 "the ResourceVersion in the precondition (%.*s) does not match the "
                 "ResourceVersion in record (%.*s). The object "
                 "might have been modified",
                 SLICE_ARG(version), SLICE_ARG(present));
    if (why.n)
        fail_conflict(r, a, why.p);
    return !why.n;
}

static bool check_protected(const struct fk_request *r, struct fk_answer *a)
{
    if (r->kind->custom || strcmp(r->kind->resource, "namespaces") != 0 ||
        (!slice_eq(r->name, SLICE("default")) && !slice_eq(r->name, SLICE("kube-system"))))
        return true;
    fk_fail(
        a,
        &(struct fk_problem){.code = 403, .reason = "Forbidden", .name = r->name, .kind = r->kind},
        "namespaces \"%.*s\" is forbidden: this namespace may not be deleted", SLICE_ARG(r->name));
    return false;
}

static void serve_delete(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    struct fk_rev *now = live_of(k, r, r->name);
    if (!now) {
        fk_fail_not_found(a, r->kind, r->name);
        return;
    }
    if (!check_protected(r, a) || !check_preconditions(r, now, a))
        return;
    AUTO(json_freep) struct json_doc *live = fk_doc(now);
    struct fk_rev *held = fk_terminate(k, now);
    if (held) {
        answer_with(r, 200, held, a);
        return;
    }
    a->status = 200;
    buf_add_str(&a->body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":"
                          "\"Success\",\"details\":{\"name\":");
    json_print_text(r->name, &a->body);
    if (*r->kind->group)
        buf_addf(&a->body, ",\"group\":\"%s\"", r->kind->group);
    buf_addf(&a->body, ",\"kind\":\"%s\",\"uid\":\"%.*s\"}}\n", r->kind->resource,
             SLICE_ARG(json_get_text(live, metadata_of(live), "uid")));
}

void fk_serve_write(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    bool post = r->method == HTTP_POST && !r->name.n, put = r->method == HTTP_PUT && r->name.n;
    bool cut = r->method == HTTP_DELETE && r->name.n;
    k->counts.posts += r->method == HTTP_POST && !r->direct;
    k->counts.puts += r->method == HTTP_PUT && !r->direct;
    k->counts.deletes += r->method == HTTP_DELETE && !r->direct;
    if ((!post && !put && !cut) || (r->kind->namespaced && !r->ns.n)) {
        fk_fail(a, &(struct fk_problem){.code = 405, .reason = "MethodNotAllowed", .kind = r->kind},
                "the server does not allow this method on the requested resource");
        return;
    }
    if (fk_denied(k, r, post ? "create" : put ? "update" : "delete", a))
        return;
    if (post)
        serve_post(k, r, a);
    else if (put)
        serve_put(k, r, a);
    else
        serve_delete(k, r, a);
}

/* Discovery, a stepper.
 *
 * One try asks /api and /apis for the aggregated form; what answers in the older form (each by
 * itself) is asked again per group and version, at most GROUPS_AT_ONCE at a time. A try builds a
 * catalogue of its own and replaces the present one only when it is whole. A group version that
 * cannot be asked, or that the server marks stale, is noted as unreachable; /api or /apis itself
 * failing fails the try. One thread. */
#include "io/kube_discovery.h"

#include "core/buf.h"
#include "core/json.h"
#include "io/kube.h"
#include "io/kube_error.h"

#include <stdint.h>

enum { GROUPS_AT_ONCE = 8 };
#define DISCOVERY_BODY_MAX (32u << 20)
#define DISCOVERY_ACCEPT                                                                           \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"                        \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"                   \
    "application/json"

/* A version of a group, in the server's order of preference. */
struct group_version {
    struct slice group, version;
    bool unreachable;
    bool asked, answered; /* older form only */
    http_id id;
    char text[];
};

/* Owned records, each with its text behind it. */
struct list {
    void **p;
    size_t n, cap;
};
struct catalogue {
    struct list resources; /* struct kube_resource */
    struct list versions;  /* struct group_version */
};

struct kube_discovery {
    struct http *http;
    struct catalogue now, next;
    http_id roots[2]; /* /api and /apis, 0: answered */
    size_t in_flight; /* requests of the older form */
    enum rc state;
    struct err failed;
};

static const char *const ROOTS[] = {"/api", "/apis"};

/* ---- the catalogue ---- */

static void list_done(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->p[i]);
    free(l->p);
    *l = (struct list){0};
}

static void catalogue_done(struct catalogue *c)
{
    list_done(&c->resources);
    list_done(&c->versions);
}

static const struct kube_resource *resource_at(const struct catalogue *c, size_t i)
{
    return c->resources.p[i];
}

static struct group_version *version_at(const struct catalogue *c, size_t i)
{
    return c->versions.p[i];
}

/* Adds a zero record of that size; NULL when out of memory. */
static void *list_add(struct list *l, size_t size)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        void **p = reallocarray(l->p, cap, sizeof *p);
        if (!p)
            return NULL;
        l->p = p;
        l->cap = cap;
    }
    void *record = calloc(1, size);
    if (record)
        l->p[l->n++] = record;
    return record;
}

static struct slice put(char **at, struct slice s)
{
    char *p = *at;
    if (s.n)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return slice_of(p, s.n);
}

static enum rc add_version(struct catalogue *c, struct slice group, struct slice version,
                           struct group_version **ret, struct err *e)
{
    struct group_version *v = list_add(&c->versions, sizeof *v + group.n + version.n);
    if (!v)
        return err_nomem(e);
    char *at = v->text;
    v->group = put(&at, group);
    v->version = put(&at, version);
    *ret = v;
    return RC_OK;
}

static enum rc add_resource(struct catalogue *c, const struct kube_resource *r, struct err *e)
{
    size_t n =
        r->group.n + r->version.n + r->resource.n + r->kind.n + r->singular.n + r->short_names.n;
    struct kube_resource *copy = list_add(&c->resources, sizeof *copy + n);
    if (!copy)
        return err_nomem(e);
    char *at = (char *)(copy + 1);
    *copy = *r;
    copy->group = put(&at, r->group);
    copy->version = put(&at, r->version);
    copy->resource = put(&at, r->resource);
    copy->kind = put(&at, r->kind);
    copy->singular = put(&at, r->singular);
    copy->short_names = put(&at, r->short_names);
    return RC_OK;
}

/* ---- both forms of a resource ---- */

static struct json *elements(const struct json *obj, const char *name)
{
    struct json *n = json_get(obj, name);
    return json_is(n, JSON_ARRAY) ? n->first : NULL;
}

static void set_verbs(struct json_doc *d, const struct json *n, struct kube_resource *r)
{
    for (struct json *v = elements(n, "verbs"); v; v = v->next) {
        struct slice verb = json_text(d, v);
        r->can_list |= slice_eq(verb, SLICE("list"));
        r->can_watch |= slice_eq(verb, SLICE("watch"));
        r->can_create |= slice_eq(verb, SLICE("create"));
        r->can_update |= slice_eq(verb, SLICE("update"));
        r->can_delete |= slice_eq(verb, SLICE("delete"));
    }
}

/* r holds what differs between the two forms; adds what they share, and keeps it. Short names are for people: where
 * they are too many there are none, as one odd CRD must not cost all others their discovery. */
static enum rc keep(struct catalogue *c, struct json_doc *d, const struct json *n,
                    struct kube_resource *r, struct err *e)
{
    AUTO(buf_done) struct buf names = BUF_INIT(4096);
    for (struct json *s = elements(n, "shortNames"); s; s = s->next) {
        if (names.n)
            buf_add_char(&names, ',');
        buf_add_slice(&names, json_text(d, s));
    }
    if (names.bad == RC_NOMEM)
        return err_nomem(e);
    r->short_names = names.bad == RC_OK ? buf_slice(&names) : SLICE_NULL;
    set_verbs(d, n, r);
    return r->resource.n && r->kind.n ? add_resource(c, r, e) : RC_OK;
}

/* ---- the aggregated form ---- */

static enum rc read_aggregated_version(struct catalogue *c, struct json_doc *d, struct slice group,
                                       const struct json *version, struct err *e)
{
    struct group_version *v;
    enum rc rc = add_version(c, group, json_get_text(d, version, "version"), &v, e);
    if (rc != RC_OK)
        return rc;
    v->unreachable = slice_eq(json_get_text(d, version, "freshness"), SLICE("Stale"));
    for (struct json *n = elements(version, "resources"); n && rc == RC_OK; n = n->next) {
        struct kube_resource r = {
            .group = v->group,
            .version = v->version,
            .resource = json_get_text(d, n, "resource"),
            .kind = json_get_text(d, json_get(n, "responseKind"), "kind"),
            .singular = json_get_text(d, n, "singularResource"),
            .namespaced = slice_eq(json_get_text(d, n, "scope"), SLICE("Namespaced")),
        };
        rc = keep(c, d, n, &r, e);
    }
    return rc;
}

static enum rc read_aggregated(struct catalogue *c, struct json_doc *d, struct err *e)
{
    enum rc rc = RC_OK;
    for (struct json *g = elements(json_root(d), "items"); g && rc == RC_OK; g = g->next) {
        struct slice group = json_get_text(d, json_get(g, "metadata"), "name");
        for (struct json *v = elements(g, "versions"); v && rc == RC_OK; v = v->next)
            rc = read_aggregated_version(c, d, group, v, e);
    }
    return rc;
}

/* ---- the older form ---- */

/* {"kind":"APIVersions","versions":["v1"]} */
static enum rc read_core_versions(struct catalogue *c, struct json_doc *d, struct err *e)
{
    struct group_version *v;
    enum rc rc = RC_OK;
    for (struct json *n = elements(json_root(d), "versions"); n && rc == RC_OK; n = n->next) {
        rc = add_version(c, SLICE_NULL, json_text(d, n), &v, e);
        if (rc == RC_OK)
            v->asked = true;
    }
    return rc;
}

static enum rc read_group(struct catalogue *c, struct json_doc *d, const struct json *g,
                          struct err *e)
{
    struct slice name = json_get_text(d, g, "name");
    struct slice first = json_get_text(d, json_get(g, "preferredVersion"), "version");
    struct group_version *v;
    enum rc rc = RC_OK;
    for (int preferred = 1; preferred >= 0; preferred--)
        for (struct json *n = elements(g, "versions"); n && rc == RC_OK; n = n->next) {
            struct slice version = json_get_text(d, n, "version");
            if (slice_eq(version, first) != preferred)
                continue;
            rc = add_version(c, name, version, &v, e);
            if (rc == RC_OK)
                v->asked = true;
        }
    return rc;
}

static enum rc read_groups(struct catalogue *c, struct json_doc *d, struct err *e)
{
    enum rc rc = RC_OK;
    for (struct json *g = elements(json_root(d), "groups"); g && rc == RC_OK; g = g->next)
        rc = read_group(c, d, g, e);
    return rc;
}

static enum rc read_resource_list(struct catalogue *c, struct json_doc *d,
                                  const struct group_version *v, struct err *e)
{
    enum rc rc = RC_OK;
    for (struct json *n = elements(json_root(d), "resources"); n && rc == RC_OK; n = n->next) {
        struct kube_resource r = {
            .group = v->group,
            .version = v->version,
            .resource = json_get_text(d, n, "name"),
            .kind = json_get_text(d, n, "kind"),
            .singular = json_get_text(d, n, "singularName"),
            .namespaced = json_is(json_get(n, "namespaced"), JSON_TRUE),
        };
        if (!r.resource.n || memchr(r.resource.p, '/', r.resource.n))
            continue; /* a subresource */
        rc = keep(c, d, n, &r, e);
    }
    return rc;
}

/* ---- a try ---- */

static enum rc ask(struct kube_discovery *d, struct slice path, struct slice accept, http_id *ret,
                   struct err *e)
{
    struct http_request r = {.method = HTTP_GET,
                             .lane = HTTP_LANE_CALL,
                             .path = path,
                             .accept = accept,
                             .body_max = DISCOVERY_BODY_MAX};
    return http_start(d->http, &r, ret, e);
}

/* Forgets the try. */
static void abandon(struct kube_discovery *d)
{
    for (int i = 0; i < 2; i++)
        if (d->roots[i])
            http_cancel(d->http, d->roots[i]);
    for (size_t i = 0; i < d->next.versions.n; i++)
        if (version_at(&d->next, i)->id)
            http_cancel(d->http, version_at(&d->next, i)->id);
    d->roots[0] = d->roots[1] = 0;
    d->in_flight = 0;
    catalogue_done(&d->next);
}

static void fail(struct kube_discovery *d, const struct err *why)
{
    struct err e = *why;
    abandon(d);
    d->failed = e;
    d->state = e.rc;
}

/* Asks for a version's resources. One whose name makes no path counts as unreachable. */
static enum rc ask_version(struct kube_discovery *d, struct group_version *v, struct err *e)
{
    AUTO(buf_done) struct buf path = BUF_INIT(4096);
    struct err why = ERR_INIT;
    buf_addf(&path, v->group.n ? "/apis/%.*s/%.*s" : "/api%.*s/%.*s", SLICE_ARG(v->group),
             SLICE_ARG(v->version));
    enum rc rc = buf_check(&path, "discovery: a group's name", &why);
    if (rc == RC_OK)
        rc = ask(d, buf_slice(&path), SLICE_NULL, &v->id, &why);
    if (rc == RC_LIMIT || rc == RC_INVALID) {
        v->answered = true;
        v->unreachable = true;
        return RC_OK;
    }
    if (rc != RC_OK) {
        *e = why;
        return rc;
    }
    d->in_flight++;
    return RC_OK;
}

/* Starts what may be started; when all is answered the new catalogue becomes the present one. */
static enum rc go_on(struct kube_discovery *d, struct err *e)
{
    bool waiting = d->roots[0] || d->roots[1];
    for (size_t i = 0; i < d->next.versions.n; i++) {
        struct group_version *v = version_at(&d->next, i);
        if (v->asked && !v->answered && !v->id && d->in_flight < GROUPS_AT_ONCE) {
            enum rc rc = ask_version(d, v, e);
            if (rc != RC_OK)
                return rc;
        }
        waiting |= v->asked && !v->answered;
    }
    if (waiting)
        return RC_OK;
    catalogue_done(&d->now);
    d->now = d->next;
    d->next = (struct catalogue){0};
    d->state = RC_OK;
    return RC_OK;
}

/* The answer as a document. Errors: those of the server, CORRUPT, NOMEM. */
static enum rc read_answer(const struct http_event *ev, const char *path, struct json_doc **ret,
                           struct err *e)
{
    struct kube_verdict v;
    struct err why;
    if (ev->err.rc != RC_OK) {
        *e = ev->err;
        return e->rc;
    }
    kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, &v);
    if (v.cls != KUBE_OK)
        return kube_verdict_err(&v, path, e);
    enum rc rc = json_parse_view(ev->data, ret, &why);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    return rc == RC_OK ? RC_OK
                       : err_set(e, RC_CORRUPT, ERR_RETRY, "%s: the answer is not JSON", path);
}

static enum rc take_root(struct kube_discovery *d, int which, const struct http_event *ev,
                         struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    d->roots[which] = 0;
    enum rc rc = read_answer(ev, ROOTS[which], &doc, e);
    if (rc != RC_OK)
        return rc;
    struct slice kind = json_get_text(doc, json_root(doc), "kind");
    if (slice_eq(kind, SLICE("APIGroupDiscoveryList")))
        return read_aggregated(&d->next, doc, e);
    if (which == 0 && slice_eq(kind, SLICE("APIVersions")))
        return read_core_versions(&d->next, doc, e);
    if (which == 1 && slice_eq(kind, SLICE("APIGroupList")))
        return read_groups(&d->next, doc, e);
    return err_set(e, RC_CORRUPT, ERR_RETRY, "%s: the answer is no discovery document",
                   ROOTS[which]);
}

/* One bad group must not stop the others. */
static enum rc take_version(struct kube_discovery *d, struct group_version *v,
                            const struct http_event *ev, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    v->id = 0;
    v->answered = true;
    d->in_flight--;
    enum rc rc = read_answer(ev, "discovery", &doc, e);
    v->unreachable = rc != RC_OK || !slice_eq(json_get_text(doc, json_root(doc), "kind"),
                                              SLICE("APIResourceList"));
    if (rc == RC_NOMEM)
        return rc;
    return v->unreachable ? RC_OK : read_resource_list(&d->next, doc, v, e);
}

static void step(struct kube_discovery *d, enum rc rc, struct err *e)
{
    if (rc == RC_OK)
        rc = go_on(d, e);
    if (rc != RC_OK)
        fail(d, e);
}

bool kube_discovery_offer(struct kube_discovery *d, const struct http_event *ev)
{
    struct err e = ERR_INIT;
    bool done = ev->kind == HTTP_DONE;
    for (int i = 0; i < 2; i++)
        if (ev->id && ev->id == d->roots[i]) {
            if (done)
                step(d, take_root(d, i, ev, &e), &e);
            return true;
        }
    for (size_t i = 0; i < d->next.versions.n; i++)
        if (ev->id && version_at(&d->next, i)->id == ev->id) {
            if (done)
                step(d, take_version(d, version_at(&d->next, i), ev, &e), &e);
            return true;
        }
    return false;
}

/* ---- the interface ---- */

struct kube_discovery *kube_discovery_new(struct http *h)
{
    struct kube_discovery *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->http = h;
    d->state = RC_AGAIN;
    return d;
}

void kube_discovery_free(struct kube_discovery *d)
{
    if (!d)
        return;
    abandon(d);
    catalogue_done(&d->now);
    free(d);
}

enum rc kube_discovery_start(struct kube_discovery *d, struct err *e)
{
    struct err why;
    abandon(d);
    d->state = RC_AGAIN;
    for (int i = 0; i < 2; i++)
        if (ask(d, slice_str(ROOTS[i]), SLICE(DISCOVERY_ACCEPT), &d->roots[i], &why) != RC_OK) {
            fail(d, &why);
            return kube_discovery_state(d, e);
        }
    return RC_OK;
}

enum rc kube_discovery_state(const struct kube_discovery *d, struct err *e)
{
    if (d->state < 0 && e)
        *e = d->failed;
    return d->state;
}

static const struct kube_resource *find(const struct kube_discovery *d, struct slice group,
                                        struct slice version, struct slice resource)
{
    for (size_t i = 0; i < d->now.resources.n; i++) {
        const struct kube_resource *r = resource_at(&d->now, i);
        if (slice_eq(r->resource, resource) && slice_eq(r->group, group) &&
            slice_eq(r->version, version))
            return r;
    }
    return NULL;
}

const struct kube_resource *kube_discovery_find(const struct kube_discovery *d, struct slice group,
                                                struct slice version, struct slice resource)
{
    const struct kube_resource *r = version.n ? find(d, group, version, resource) : NULL;
    for (size_t i = 0; !version.n && !r && i < d->now.versions.n; i++) {
        const struct group_version *v = version_at(&d->now, i);
        if (slice_eq(v->group, group))
            r = find(d, group, v->version, resource);
    }
    return r;
}

const struct kube_resource *kube_discovery_at(const struct kube_discovery *d, size_t index)
{
    return index < d->now.resources.n ? resource_at(&d->now, index) : NULL;
}

bool kube_discovery_is_whole(const struct kube_discovery *d)
{
    for (size_t i = 0; i < d->now.versions.n; i++)
        if (version_at(&d->now, i)->unreachable)
            return false;
    return true;
}

bool kube_discovery_unreachable(const struct kube_discovery *d, struct slice group,
                                struct slice version)
{
    for (size_t i = 0; i < d->now.versions.n; i++) {
        const struct group_version *v = version_at(&d->now, i);
        if (v->unreachable && slice_eq(v->group, group) &&
            (!version.n || slice_eq(v->version, version)))
            return true;
    }
    return false;
}

/* The modelled API server itself: its life, its clock, and the calls by which a test acts on the
 * cluster directly.
 *
 * Direct calls run the same code as requests, past faults and permissions. */
#include "tests/fakes/fake_kube_priv.h"

#include "core/key.h"

/* ---- life ---- */

static void make_namespace(struct fake_kube *k, const char *name)
{
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    buf_addf(&text, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}",
             name);
    fk_must(fake_kube_put(k, text.p) == 201 ? RC_OK : RC_INVALID);
}

struct fake_kube *fake_kube_new(struct clock *clock, struct rng *rng)
{
    struct fake_kube *k = fk_alloc(sizeof *k);
    k->clock = clock;
    k->rng = rng;
    k->objects = map_new(NULL);
    k->stale = map_new(NULL);
    fk_must(k->objects && k->stale ? RC_OK : RC_NOMEM);
    k->control_ns = FK_NEVER;
    k->version = k->compacted = k->floor =
        1000 + (int64_t)rng_below(rng, 100000); /* two clusters count differently */
    buf_init(&k->out, FK_TEXT_MAX);
    rng_seeded_init(&k->fault_rng, 0);
    fk_kinds_init(k);
    make_namespace(k, "default");
    make_namespace(k, "kube-system");
    return k;
}

void fake_kube_free(struct fake_kube *k)
{
    if (!k)
        return;
    assert(k->clients == 0);
    fk_break_all(k);
    fake_kube_allow(k);
    fk_faults_done(k);
    fk_store_done(k);
    fk_kinds_done(k);
    map_free(k->stale);
    buf_done(&k->out);
    for (size_t i = 0; i < k->write_n; i++)
        free(k->writes[i].path);
    free(k->writes);
    free(k);
}

/* ---- time ---- */

void fk_tick(struct fake_kube *k)
{
    int64_t now = clock_boot_ns(k->clock);
    fk_control_run(k, now);
    for (struct fk_call *c = k->calls; c; c = c->next)
        fk_watch_tick(k, c, now);
}

void fake_kube_run(struct fake_kube *k)
{
    fk_tick(k);
    while (fk_http_arrive(k))
        ;
}

int64_t fake_kube_wake(struct fake_kube *k)
{
    int64_t due = fk_http_wake(k, clock_boot_ns(k->clock));
    return due < k->control_ns ? due : k->control_ns;
}

/* ---- direct calls ---- */

static int serve_direct(struct fake_kube *k, struct fk_request *r, struct buf *out)
{
    struct fk_answer a = FK_ANSWER_INIT;
    if (r->method == HTTP_GET)
        fk_serve_read(k, r, &a);
    else
        fk_serve_write(k, r, &a);
    fk_must(a.body.bad);
    if (out)
        buf_add_slice(out, buf_slice(&a.body));
    buf_done(&a.body);
    return a.status;
}

int fake_kube_call(struct fake_kube *k, enum http_method method, const char *path, const char *body,
                   struct buf *out)
{
    struct fk_request r = {.body = slice_str(body), .direct = true};
    struct fk_answer a = FK_ANSWER_INIT;
    enum fk_route route = fk_route(k, method, slice_str(path), SLICE_NULL, &r, &a);
    if (route == FK_OBJECTS && !r.query.watch) {
        a.status = serve_direct(k, &r, out);
    } else {
        if (route == FK_DISCOVERY)
            fk_serve_discovery(k, &r, &a);
        if (out)
            buf_add_slice(out, buf_slice(&a.body));
    }
    buf_done(&a.body);
    fk_request_done(&r);
    return a.status;
}

int fake_kube_put(struct fake_kube *k, const char *json)
{
    AUTO(json_freep) struct json_doc *d = fk_parse(slice_str(json));
    struct json *root = d ? json_root(d) : NULL, *metadata = json_get(root, "metadata");
    struct slice api = json_get_text(d, root, "apiVersion"), version = api;
    struct fk_kind *kind = d ? fk_kind_named(k, api, json_get_text(d, root, "kind")) : NULL;
    if (!kind)
        return d ? 404 : 400;
    slice_cut(api, '/', &version);
    AUTO(freep) char *served = fk_strdup(version.p ? version : api);
    struct fk_request r = {.method = HTTP_POST,
                           .direct = true,
                           .trusted = true,
                           .kind = kind,
                           .api_version = slice_str(served),
                           .ns = kind->namespaced ? json_get_text(d, metadata, "namespace")
                                                  : SLICE_NULL,
                           .body = slice_str(json)};
    int status = serve_direct(k, &r, NULL);
    r.method = HTTP_PUT;
    r.name = json_get_text(d, metadata, "name");
    return status == 409 ? serve_direct(k, &r, NULL) : status;
}

int fake_kube_delete(struct fake_kube *k, const char *text)
{
    struct key key;
    if (key_parse(slice_str(text), &key, NULL) != RC_OK)
        return 400;
    struct fk_request r = {.method = HTTP_DELETE,
                           .kind = fk_kind_find(k, key.group, key.resource),
                           .ns = key.ns,
                           .name = key.name,
                           .direct = true};
    if (!r.kind)
        return 404;
    r.api_version = slice_str(r.kind->versions[0]);
    return serve_direct(k, &r, NULL);
}

/* Stores a change that the test itself makes; a terminating object without finalizers goes. */
static void commit_change(struct fake_kube *k, const struct fk_rev *r, struct json_doc *d)
{
    struct fk_object *o = r->of;
    bool over = json_dig(json_root(d), "metadata", "deletionTimestamp", NULL) &&
                !fk_has_finalizers(d) && !slice_starts(o->key, SLICE(FK_NAMESPACES));
    fk_control_wake(k);
    fk_commit(k, o->kind, o->ns, o->name, over ? FK_DELETED : FK_MODIFIED, d);
}

bool fake_kube_terminate(struct fake_kube *k, const char *key)
{
    struct fk_rev *r = fk_live(k, slice_str(key));
    if (!r)
        return false;
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    if (fk_add_finalizer(d, FK_TERMINATION))
        commit_change(k, r, d);
    fk_terminate(k, fk_live(k, slice_str(key)));
    return true;
}

bool fake_kube_release(struct fake_kube *k, const char *key)
{
    struct fk_rev *r = fk_live(k, slice_str(key));
    if (!r)
        return false;
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    json_cut(json_get(json_root(d), "metadata"), "finalizers");
    commit_change(k, r, d);
    return true;
}

void fake_kube_set_cluster_uid(struct fake_kube *k, const char *uid)
{
    struct fk_rev *r = fk_live(k, SLICE(FK_NAMESPACES "kube-system"));
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    fk_set_text(d, json_get(json_root(d), "metadata"), "uid", slice_str(uid));
    commit_change(k, r, d);
}

/* ---- looking ---- */

static struct slice print_out(struct fake_kube *k, const struct fk_rev *r)
{
    const struct fk_kind *kind = r->of->kind;
    buf_reset(&k->out);
    fk_print(kind, kind->version_n ? kind->versions[0] : "", r, false, &k->out);
    return buf_slice(&k->out);
}

struct slice fake_kube_get(struct fake_kube *k, const char *key)
{
    struct fk_rev *r = fk_live(k, slice_str(key));
    return r ? print_out(k, r) : SLICE_NULL;
}

bool fake_kube_next(struct fake_kube *k, struct slice after, struct fake_kube_item *ret)
{
    struct fk_rev *r = fk_seek(k, SLICE_NULL, after, after.n > 0, INT64_MAX);
    if (!r)
        return false;
    *ret = (struct fake_kube_item){
        .key = r->of->key, .object = print_out(k, r), .version = r->version};
    return true;
}

static uint64_t hash(uint64_t h, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u; /* FNV-1a */
    return (h ^ 0x100) * 0x100000001b3u;                  /* no byte: the end */
}

uint64_t fake_kube_digest(struct fake_kube *k, bool own_fields)
{
    static const char *const own[] = {
        "uid",           "resourceVersion", "generation",       "creationTimestamp",
        "managedFields", "selfLink",        "deletionTimestamp"};
    AUTO(buf_done) struct buf text = BUF_INIT(FK_TEXT_MAX);
    uint64_t h = 0xcbf29ce484222325u;
    struct slice after = SLICE_NULL;
    for (struct fk_rev *r; (r = fk_seek(k, SLICE_NULL, after, after.n > 0, INT64_MAX)) != NULL;
         after = r->of->key) {
        AUTO(json_freep) struct json_doc *d = fk_doc(r);
        struct json *metadata = json_get(json_root(d), "metadata");
        for (size_t i = 0; i < sizeof own / sizeof *own && !own_fields; i++)
            json_cut(metadata, own[i]);
        buf_reset(&text);
        json_print_canonical(d, json_root(d), &text);
        h = hash(hash(h, r->of->key), buf_slice(&text));
    }
    return h;
}

int64_t fake_kube_version(const struct fake_kube *k)
{
    return k->version;
}

/* ---- conditions ---- */

void fake_kube_restart(struct fake_kube *k)
{
    k->floor = k->version;
    fk_break_all(k);
}

void fake_kube_set_down(struct fake_kube *k, bool down)
{
    k->down = down;
    if (down)
        fk_break_all(k);
}

void fake_kube_set_unauthorized(struct fake_kube *k, bool on)
{
    k->unauthorized = on;
}

void fake_kube_set_aggregated_discovery(struct fake_kube *k, bool on)
{
    k->older_discovery = !on;
}

void fake_kube_set_group_stale(struct fake_kube *k, const char *group, bool on)
{
    if (on)
        fk_must(map_put(k->stale, slice_str(group), k, NULL));
    else
        map_delete(k->stale, slice_str(group));
}

void fake_kube_deny(struct fake_kube *k, const char *group, const char *resource, const char *ns,
                    const char *verb)
{
    struct fk_denial *d = fk_alloc(sizeof *d);
    *d = (struct fk_denial){.next = k->denials,
                            .group = fk_strdup(slice_str(group)),
                            .resource = fk_strdup(slice_str(resource)),
                            .ns = ns ? fk_strdup(slice_str(ns)) : NULL,
                            .verb = verb ? fk_strdup(slice_str(verb)) : NULL};
    k->denials = d;
}

void fake_kube_allow(struct fake_kube *k)
{
    while (k->denials) {
        struct fk_denial *d = k->denials;
        k->denials = d->next;
        free(d->group);
        free(d->resource);
        free(d->ns);
        free(d->verb);
        free(d);
    }
}

/* ---- what was seen ---- */

struct fake_kube_counts fake_kube_counts(const struct fake_kube *k)
{
    return k->counts;
}

size_t fake_kube_writes(const struct fake_kube *k)
{
    return k->write_n;
}

struct fake_kube_write fake_kube_write_at(const struct fake_kube *k, size_t index)
{
    assert(index < k->write_n);
    const struct fk_write_record *w = &k->writes[index];
    return (struct fake_kube_write){
        .method = w->method, .path = slice_str(w->path), .status = w->status};
}

size_t fake_kube_count_writes(const struct fake_kube *k, int method, const char *path)
{
    size_t n = 0;
    for (size_t i = 0; i < k->write_n; i++)
        n += (method == FAKE_KUBE_ANY || method == (int)k->writes[i].method) &&
             slice_starts(slice_str(k->writes[i].path), slice_str(path));
    return n;
}

size_t fake_kube_open_watches(const struct fake_kube *k)
{
    size_t n = 0;
    for (const struct fk_call *c = k->calls; c; c = c->next)
        n += c->watch && !c->ended;
    return n;
}

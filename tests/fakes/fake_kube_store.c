/* The versions of all objects of the modelled API server, as in etcd.
 *
 * Keeps for every key its versions in order, and one log over all keys for the watches. One
 * counter gives the versions. A deletion is a version too, with the last state. Compaction drops
 * what no snapshot since then can show; a rewind drops what came later. */
#include "tests/fakes/fake_kube_priv.h"

#include <stdio.h>

/* ---- helpers that cannot fail ---- */

void fk_must(enum rc rc)
{
    if (rc == RC_OK)
        return;
    fputs("fake_kube: out of memory or an impossible document\n", stderr);
    abort();
}

void *fk_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    fk_must(p ? RC_OK : RC_NOMEM);
    return p;
}

void *fk_grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? 2 * *cap : 4;
    p = reallocarray(p, *cap, size);
    fk_must(p ? RC_OK : RC_NOMEM);
    return p;
}

char *fk_strdup(struct slice s)
{
    char *p = fk_alloc(s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct json_doc *fk_parse(struct slice text)
{
    struct json_doc *d = NULL;
    return json_parse(text, &d, NULL) == RC_OK ? d : NULL;
}

void fk_set(struct json_doc *d, struct json *obj, const char *name, const char *json_text)
{
    struct json *v;
    fk_must(json_value(d, slice_str(json_text), &v, NULL));
    fk_must(json_set(d, obj, slice_str(name), v, NULL));
}

void fk_set_text(struct json_doc *d, struct json *obj, const char *name, struct slice text)
{
    struct json *v;
    fk_must(json_value_text(d, text, &v, NULL));
    fk_must(json_set(d, obj, slice_str(name), v, NULL));
}

const char *fk_wall_text(struct fake_kube *k, char out[TIME_TEXT_MAX])
{
    time_text(clock_wall_ns(k->clock), out);
    memcpy(out + sizeof "2026-01-02T03:04:05" - 1, "Z", 2);
    return out;
}

/* ---- reading ---- */

void fk_key(const struct fk_kind *kind, struct slice ns, struct slice name, struct buf *out)
{
    buf_addf(out, "%s/%s/%.*s/%.*s", kind->group, kind->resource, SLICE_ARG(ns), SLICE_ARG(name));
}

static struct fk_rev *rev_at(const struct fk_object *o, int64_t version)
{
    struct fk_rev *found = NULL;
    for (size_t i = o->n; i-- > 0 && !found;)
        if (o->revs[i]->version <= version)
            found = o->revs[i];
    return found && found->change != FK_DELETED ? found : NULL;
}

struct fk_rev *fk_live(struct fake_kube *k, struct slice key)
{
    struct fk_object *o = map_get(k->objects, key);
    return o ? rev_at(o, INT64_MAX) : NULL;
}

struct fk_rev *fk_seek(struct fake_kube *k, struct slice prefix, struct slice from, bool after,
                       int64_t version)
{
    struct map_entry at = {.key = from};
    if (slice_cmp(from, prefix) < 0) {
        at.key = prefix;
        after = false;
    }
    for (; map_seek(k->objects, at.key, after, &at) && slice_starts(at.key, prefix); after = true) {
        struct fk_rev *r = rev_at(at.value, version);
        if (r)
            return r;
    }
    return NULL;
}

struct json_doc *fk_doc(const struct fk_rev *r)
{
    struct json_doc *d = fk_parse(slice_of(r->text, r->n));
    fk_must(d ? RC_OK : RC_INVALID);
    return d;
}

void fk_print(const struct fk_kind *kind, const char *version, const struct fk_rev *r,
              bool metadata_only, struct buf *out)
{
    if (metadata_only) {
        buf_add_str(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",");
        buf_add(out, r->text + 1, FK_METADATA_AT + r->metadata_n - 1);
        buf_add_char(out, '}');
        return;
    }
    if (!kind->custom)
        buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"", kind->kind);
    else
        buf_add_str(out, "{\"apiVersion\":\"");
    fk_kind_api_version(kind, version, out);
    if (kind->custom)
        buf_addf(out, "\",\"kind\":\"%s", kind->kind);
    buf_add_str(out, "\",");
    buf_add(out, r->text + 1, r->n - 1);
}

/* ---- writing ---- */

static struct fk_object *object_of(struct fake_kube *k, struct fk_kind *kind, struct slice ns,
                                   struct slice name)
{
    AUTO(buf_done) struct buf key = BUF_INIT(FK_BODY_MAX);
    fk_key(kind, ns, name, &key);
    struct fk_object *o = map_get(k->objects, buf_slice(&key));
    if (!o) {
        o = fk_alloc(sizeof *o + key.n);
        memcpy(o->text, key.p, key.n);
        o->key = slice_of(o->text, key.n);
        o->name = slice_of(o->text + key.n - name.n, name.n);
        o->ns = slice_of(o->name.p - 1 - ns.n, ns.n);
        fk_must(map_put(k->objects, o->key, o, NULL));
    }
    o->kind = kind;
    return o;
}

/* The text that is kept: metadata first, without apiVersion and kind; every other value as its
 * bytes. */
static struct fk_rev *new_rev(struct json_doc *d)
{
    AUTO(buf_done) struct buf text = BUF_INIT(FK_TEXT_MAX);
    struct json *root = json_root(d), *metadata = json_get(root, "metadata");
    buf_add_str(&text, "{\"metadata\":");
    json_print(metadata, &text);
    size_t metadata_n = text.n - FK_METADATA_AT;
    for (struct json *n = root->first; n; n = n->next) {
        struct slice name = json_name(d, n);
        if (n == metadata || slice_eq(name, SLICE("metadata")) ||
            slice_eq(name, SLICE("apiVersion")) || slice_eq(name, SLICE("kind")) ||
            json_get_slice(root, name) != n)
            continue;
        buf_add_char(&text, ',');
        json_print_text(name, &text);
        buf_add_char(&text, ':');
        json_print(n, &text);
    }
    buf_add_char(&text, '}');
    fk_must(text.bad);
    struct fk_rev *r = fk_alloc(sizeof *r + text.n);
    memcpy(r->text, text.p, text.n);
    r->n = text.n;
    r->metadata_n = metadata_n;
    return r;
}

struct fk_rev *fk_commit(struct fake_kube *k, struct fk_kind *kind, struct slice ns,
                         struct slice name, enum fk_change change, struct json_doc *d)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)++k->version);
    fk_set_text(d, json_get(json_root(d), "metadata"), "resourceVersion", slice_str(number));
    struct fk_object *o = object_of(k, kind, ns, name);
    struct fk_rev *r = new_rev(d);
    r->version = k->version;
    r->change = change;
    r->of = o;
    o->revs = fk_grow(o->revs, o->n, &o->cap, sizeof(struct fk_rev *));
    o->revs[o->n++] = r;
    k->log = fk_grow(k->log, k->log_n, &k->log_cap, sizeof(struct fk_rev *));
    k->log[k->log_n++] = r;
    fk_watch_tell(k, r);
    return r;
}

void fk_remove(struct fake_kube *k, const struct fk_rev *live)
{
    AUTO(json_freep) struct json_doc *d = fk_doc(live);
    fk_commit(k, live->of->kind, live->of->ns, live->of->name, FK_DELETED, d);
}

/* ---- forgetting ---- */

static void object_free(struct fk_object *o)
{
    for (size_t i = 0; i < o->n; i++)
        free(o->revs[i]);
    free(o->revs);
    free(o);
}

/* Drops the versions that a snapshot at or after `version` cannot show. */
static void compact_object(struct fk_object *o, int64_t version)
{
    size_t drop = 0;
    while (drop + 1 < o->n && o->revs[drop + 1]->version <= version)
        drop++;
    if (drop < o->n && o->revs[drop]->change == FK_DELETED && o->revs[drop]->version <= version)
        drop++;
    for (size_t i = 0; i < drop; i++)
        free(o->revs[i]);
    o->n -= drop;
    memmove(o->revs, o->revs + drop, o->n * sizeof *o->revs);
}

static void rewind_object(struct fk_object *o, int64_t version)
{
    while (o->n && o->revs[o->n - 1]->version > version)
        free(o->revs[--o->n]);
}

/* Applies one of the two to every object and drops those without any version left. */
static void forget(struct fake_kube *k, int64_t version,
                   void (*shrink)(struct fk_object *, int64_t))
{
    AUTO(buf_done) struct buf key = BUF_INIT(FK_BODY_MAX);
    struct map_entry at = {0};
    for (bool after = false; map_seek(k->objects, buf_slice(&key), after, &at); after = true) {
        struct fk_object *o = at.value;
        buf_reset(&key);
        buf_add_slice(&key, at.key);
        shrink(o, version);
        if (o->n == 0) {
            map_take(k->objects, buf_slice(&key));
            object_free(o);
        }
    }
}

void fake_kube_compact(struct fake_kube *k, int64_t version)
{
    assert(version <= k->version);
    if (version <= k->compacted)
        return;
    k->compacted = version;
    if (k->floor < version)
        k->floor = version;
    size_t drop = 0;
    while (drop < k->log_n && k->log[drop]->version <= version)
        drop++;
    k->log_n -= drop;
    if (drop)
        memmove(k->log, k->log + drop, k->log_n * sizeof(struct fk_rev *));
    forget(k, version, compact_object);
}

void fake_kube_rewind(struct fake_kube *k, int64_t version)
{
    assert(version >= k->compacted && version <= k->version);
    while (k->log_n && k->log[k->log_n - 1]->version > version)
        k->log_n--;
    forget(k, version, rewind_object);
    k->version = version;
    fk_kinds_rebuild(k);
    fake_kube_restart(k);
    fk_control_wake(k);
}

void fk_store_done(struct fake_kube *k)
{
    struct map_entry at;
    while (map_seek(k->objects, SLICE_NULL, false, &at)) {
        struct fk_object *o = at.value;
        map_take(k->objects, at.key);
        object_free(o);
    }
    map_free(k->objects);
    free(k->log);
}

/* The controllers of the modelled cluster: CRDs become Established, a terminating CRD or
 * namespace loses what is in it, then goes.
 *
 * They look a second after something was written, and again only when that look changed
 * something or more is written. */
#include "tests/fakes/fake_kube_priv.h"

#define CONTROL_NS NS_PER_S

void fk_control_wake(struct fake_kube *k)
{
    int64_t due = clock_boot_ns(k->clock) + CONTROL_NS;
    if (k->control_ns > due)
        k->control_ns = due;
}

/* Deletes everything under the prefix; returns whether anything was there. */
static bool empty_out(struct fake_kube *k, struct slice prefix)
{
    struct fk_rev *next, *r = fk_seek(k, prefix, prefix, false, INT64_MAX);
    bool any = r != NULL;
    for (; r; r = next) {
        struct slice key = r->of->key;
        fk_terminate(k, r);
        next = fk_seek(k, prefix, key, true, INT64_MAX);
    }
    return any;
}

static bool empty_namespace(struct fake_kube *k, struct slice ns)
{
    bool any = false;
    for (struct fk_kind *kind = k->kinds; kind; kind = kind->next) {
        AUTO(buf_done) struct buf prefix = BUF_INIT(FK_BODY_MAX);
        if (kind->gone || !kind->namespaced)
            continue;
        buf_addf(&prefix, "%s/%s/%.*s/", kind->group, kind->resource, SLICE_ARG(ns));
        any |= empty_out(k, buf_slice(&prefix));
    }
    return any;
}

static void control_namespace(struct fake_kube *k, const struct fk_rev *r)
{
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    if (!json_dig(json_root(d), "metadata", "deletionTimestamp", NULL))
        return;
    int64_t before = k->version;
    if (!empty_namespace(k, r->of->name) && !fk_has_finalizers(d))
        fk_remove(k, r);
    else if (k->version != before)
        fk_control_wake(k);
}

static void establish(struct fake_kube *k, const struct fk_rev *r, struct json_doc *d)
{
    AUTO(buf_done) struct buf status = BUF_INIT(FK_BODY_MAX);
    struct json *root = json_root(d), *spec = json_get(root, "spec");
    buf_add_str(&status, "{\"conditions\":[{\"type\":\"NamesAccepted\",\"status\":\"True\","
                         "\"reason\":\"NoConflicts\"},"
                         "{\"type\":\"Established\",\"status\":\"True\",\"reason\":"
                         "\"InitialNamesAccepted\"}],\"acceptedNames\":");
    struct json *names = json_get(spec, "names");
    if (names)
        json_print(names, &status);
    else
        buf_add_str(&status, "{}");
    buf_add_str(&status, ",\"storedVersions\":[");
    json_print_text(json_get_text(d, json_at(json_get(spec, "versions"), 0), "name"), &status);
    buf_add_str(&status, "]}");
    fk_set(d, root, "status", status.p);
    fk_commit(k, r->of->kind, r->of->ns, r->of->name, FK_MODIFIED, d);
}

/* A terminating CRD takes its objects along. */
static void close_crd(struct fake_kube *k, const struct fk_rev *r, struct json_doc *d)
{
    AUTO(buf_done) struct buf prefix = BUF_INIT(FK_BODY_MAX);
    struct fk_kind *kind = fk_kind_of_crd(k, d);
    int64_t before = k->version;
    if (kind) {
        kind->closing = true;
        buf_addf(&prefix, "%s/%s/", kind->group, kind->resource);
        if (empty_out(k, buf_slice(&prefix))) {
            if (k->version != before)
                fk_control_wake(k);
            return;
        }
        kind->gone = true;
        fk_watch_close_kind(k, kind);
    }
    fk_remove_finalizer(d, FK_CRD_CLEANUP);
    enum fk_change change = fk_has_finalizers(d) ? FK_MODIFIED : FK_DELETED;
    if (kind || change == FK_DELETED)
        fk_commit(k, r->of->kind, r->of->ns, r->of->name, change, d);
}

static void control_crd(struct fake_kube *k, const struct fk_rev *r)
{
    AUTO(json_freep) struct json_doc *d = fk_doc(r);
    if (json_dig(json_root(d), "metadata", "deletionTimestamp", NULL)) {
        close_crd(k, r, d);
        return;
    }
    if (fk_add_finalizer(d, FK_CRD_CLEANUP))
        establish(k, r, d);
    fk_kind_define(k, d);
}

static void each(struct fake_kube *k, struct slice prefix,
                 void (*control)(struct fake_kube *, const struct fk_rev *))
{
    struct fk_rev *next;
    for (struct fk_rev *r = fk_seek(k, prefix, prefix, false, INT64_MAX); r; r = next) {
        struct slice key = r->of->key;
        control(k, r);
        next = fk_seek(k, prefix, key, true, INT64_MAX);
    }
}

void fk_control_run(struct fake_kube *k, int64_t now_ns)
{
    if (k->control_ns > now_ns)
        return;
    k->control_ns = FK_NEVER;
    each(k, SLICE(FK_CRDS), control_crd);
    each(k, SLICE(FK_NAMESPACES), control_namespace);
}

/* What the fake_kube_*.c files share of kinds, objects and their versions. */
#ifndef RESILOG_TESTS_FAKE_KUBE_STORE_H
#define RESILOG_TESTS_FAKE_KUBE_STORE_H

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/map.h"

#include <stdint.h>

struct fake_kube;
struct fk_answer;

#define FK_TEXT_MAX    (256u << 20) /* an answer */
#define FK_BODY_MAX    (3u << 20)   /* a request, as the API server's limit */
#define FK_ETCD_MAX    (3u << 19)   /* an object, as etcd's limit */
#define FK_NEVER       INT64_MAX
#define FK_VERSIONS    8                      /* of a CRD */
#define FK_TERMINATION "fake.resilog.io/held" /* finalizer of fake_kube_terminate */
#define FK_CRDS        "apiextensions.k8s.io/customresourcedefinitions/"
#define FK_NAMESPACES  "/namespaces//"
#define FK_CRD_CLEANUP "customresourcecleanup.apiextensions.k8s.io"

/* ---- kinds (fake_kube_kinds.c) ---- */
struct fk_kind {
    struct fk_kind *next; /* all that ever were: objects and watches keep pointing to them */
    char *group, *resource, *kind, *list_kind, *singular, *short_name;
    char *versions[FK_VERSIONS]; /* served, the preferred one first */
    size_t version_n;
    bool namespaced, custom;
    bool generation; /* counts changes of the spec */
    bool status;     /* a subresource: ordinary writes do not reach it */
    bool gone;       /* its CRD was deleted */
    bool closing;    /* its CRD is terminating */
};
void fk_kinds_init(struct fake_kube *k);
void fk_kinds_done(struct fake_kube *k);
struct fk_kind *fk_kind_find(struct fake_kube *k, struct slice group, struct slice resource);
struct fk_kind *fk_kind_named(struct fake_kube *k, struct slice api_version, struct slice kind);
bool fk_kind_serves(const struct fk_kind *kind, struct slice version);
/* The back end of that version does not answer. */
bool fk_is_stale(struct fake_kube *k, struct slice group, struct slice version);
/* Appends "group/version", of the core group "version". */
void fk_kind_api_version(const struct fk_kind *kind, const char *version, struct buf *out);
/* "configmaps", "deployments.apps" */
void fk_kind_qualified(const struct fk_kind *kind, struct buf *out);
/* Makes or updates the kind that a CRD object describes. */
void fk_kind_define(struct fake_kube *k, struct json_doc *crd);
struct fk_kind *fk_kind_of_crd(struct fake_kube *k, struct json_doc *crd);
void fk_kinds_rebuild(struct fake_kube *k); /* from the CRDs that are stored now */

/* ---- the store (fake_kube_store.c) ---- */
enum fk_change { FK_ADDED, FK_MODIFIED, FK_DELETED };
struct fk_object;
/* A version of an object: {"metadata":{...},...} without apiVersion and kind; immutable. */
struct fk_rev {
    int64_t version;
    enum fk_change change;
    struct fk_object *of;
    size_t metadata_n; /* of the metadata's text, which begins at FK_METADATA_AT */
    size_t n;
    char text[];
};
#define FK_METADATA_AT (sizeof "{\"metadata\":" - 1)
struct fk_object {
    struct slice key, ns, name;
    struct fk_kind *kind;
    struct fk_rev **revs; /* ascending; what the compaction left */
    size_t n, cap;
    char text[];
};
struct fk_rev *fk_live(struct fake_kube *k, struct slice key); /* NULL: absent */
/* The first object with key >= from (> if after) under prefix that lived at that version; NULL
 * at the end. */
struct fk_rev *fk_seek(struct fake_kube *k, struct slice prefix, struct slice from, bool after,
                       int64_t version);
void fk_key(const struct fk_kind *kind, struct slice ns, struct slice name, struct buf *out);
/* Stores d as the key's next version and tells the watches. d's metadata.resourceVersion is set
 * here. */
struct fk_rev *fk_commit(struct fake_kube *k, struct fk_kind *kind, struct slice ns,
                         struct slice name, enum fk_change change, struct json_doc *d);
struct json_doc *fk_doc(const struct fk_rev *r); /* to be edited; json_free */
void fk_print(const struct fk_kind *kind, const char *version, const struct fk_rev *r,
              bool metadata_only, struct buf *out);
void fk_store_done(struct fake_kube *k);

/* ---- JSON of our own making: never fails ---- */
struct json_doc *fk_parse(struct slice text); /* NULL: not JSON */
void fk_set(struct json_doc *d, struct json *obj, const char *name, const char *json_text);
void fk_set_text(struct json_doc *d, struct json *obj, const char *name, struct slice text);
void fk_must(enum rc rc); /* aborts: the fake has no way to go on */
void *fk_alloc(size_t n); /* zeroed */
void *fk_grow(void *p, size_t n, size_t *cap, size_t size); /* room for one more element behind n */
char *fk_strdup(struct slice s);
const char *fk_wall_text(struct fake_kube *k,
                         char out[TIME_TEXT_MAX]); /* whole seconds, as in metadata */

/* ---- objects on their way in (fake_kube_object.c). live NULL: a create. False: refused, the
 * answer is in a ---- */
void fk_default(struct fake_kube *k, const struct fk_kind *kind, struct json_doc *d,
                struct json_doc *live);
bool fk_check_immutable(const struct fk_kind *kind, struct slice name, struct json_doc *d,
                        struct json_doc *live, struct fk_answer *a);
bool fk_same(struct json_doc *a,
             struct json_doc *b); /* but for managedFields, generation and resourceVersion */
bool fk_same_spec(struct json_doc *a, struct json_doc *b);
void fk_remove(struct fake_kube *k, const struct fk_rev *live);
/* Marks it terminating, or removes it where nothing holds it; NULL: removed. */
struct fk_rev *fk_terminate(struct fake_kube *k, const struct fk_rev *live);
bool fk_is_terminating(const struct fk_rev *r);
bool fk_has_finalizers(struct json_doc *d);
bool fk_add_finalizer(struct json_doc *d, const char *name); /* false: it was there */
void fk_remove_finalizer(struct json_doc *d, const char *name);

#endif

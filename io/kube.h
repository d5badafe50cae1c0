/* What every user of the Kubernetes API shares: resources, paths, requests, the metadata of an
 * object. */
#ifndef RESILOG_IO_KUBE_H
#define RESILOG_IO_KUBE_H

#include "core/err.h"
#include "core/slice.h"
#include "io/http.h"

#include <stdint.h>

struct buf;
struct json;
struct json_doc;

#define KUBE_BODY_MAX   (4u << 20) /* an object */
#define KUBE_USER_AGENT "resilog"
#define KUBE_MANAGER    "resilog" /* field manager of our writes */

struct kube_gvr {
    struct slice group; /* empty: the core group */
    struct slice version;
    struct slice resource;
};

/* Appends "/api/v1/namespaces/<ns>/<resource>/<name>?<query>"; ns, name and query may be empty;
 * segments are percent-encoded, query is taken as it is. */
void kube_path(const struct kube_gvr *r, struct slice ns, struct slice name, struct slice query,
               struct buf *out);
/* Appends text percent-encoded for a query value. */
void kube_query_escape(struct slice text, struct buf *out);

/* The facts of one object; slices into the document. */
struct kube_object {
    struct slice api_version, kind, name, ns, uid, resource_version;
    struct slice
        manager; /* of the managedFields entry with the latest time, of equal ones not ours; empty if there is none */
    struct slice manager_time;
    bool deleting; /* has a deletionTimestamp */
    struct json *metadata;
};
/* Reads them. Errors: INVALID ("object without metadata.name"). */
MUST_CHECK enum rc kube_object_read(struct json_doc *d, struct kube_object *ret, struct err *e);

#endif

/* References to Services, and what their EndpointSlices say. Keeps nothing. */
#include "sinks/kube_service.h"

#include "core/buf.h"
#include "core/json.h"
#include "core/key.h"
#include "io/kube.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_walk.h"

/* From the server's cache, which is as good here; one slice with a ready endpoint is enough. */
#define SLICES_OF "resourceVersion=0&labelSelector=kubernetes.io%2Fservice-name%3D"

struct naming {
    struct json_doc *d;
    struct buf *out;
};

static void add_service(void *arg, struct json *node)
{
    const struct naming *n = arg;
    const struct key key = {.resource = SLICE("services"),
                            .ns = json_get_text(n->d, node, "namespace"),
                            .name = json_get_text(n->d, node, "name")};
    struct key back;
    size_t begin = n->out->n;
    key_print(&key, n->out);
    struct slice text = slice_of(n->out->p + begin, n->out->n - begin);
    if (key.ns.n > 0 && n->out->bad == RC_OK && key_parse(text, &back, NULL) == RC_OK)
        buf_add_char(n->out, '\0');
    else
        buf_truncate(n->out, begin); /* no name of a Service: the server says so */
}

enum rc kube_services_named(struct json_doc *d, const struct kube_rule *rule, struct buf *out,
                            struct err *e)
{
    struct naming n = {.d = d, .out = out};
    if (!rule->service)
        return RC_OK;
    kube_walk(d, json_root(d), rule->service, add_service, &n);
    return buf_check(out, "the names of Services", e);
}

void kube_services_path(struct slice key, struct buf *out)
{
    static const struct kube_gvr slices = {
        {"discovery.k8s.io", 16}, {"v1", 2}, {"endpointslices", 14}};
    struct key k;
    if (key_parse(key, &k, NULL) != RC_OK)
        return;
    kube_path(&slices, k.ns, SLICE_NULL, SLICE(SLICES_OF), out);
    kube_query_escape(k.name, out);
}

/* Unknown counts as ready, as the API says. */
static bool has_ready(const struct json *slice)
{
    const struct json *endpoints = json_get(slice, "endpoints");
    for (const struct json *n = json_is(endpoints, JSON_ARRAY) ? endpoints->first : NULL; n;
         n = n->next)
        if (!json_is(json_dig(n, "conditions", "ready", NULL), JSON_FALSE))
            return true;
    return false;
}

enum rc kube_services_ready(struct slice answer, bool *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    enum rc rc = json_parse_view(answer, &d, e);
    if (rc != RC_OK)
        return rc;
    const struct json *items = json_get(json_root(d), "items");
    if (!json_is(items, JSON_ARRAY) && !json_is(items, JSON_NULL))
        return err_set(e, RC_INVALID, ERR_RETRY, "no list of EndpointSlices");
    const struct json *n = items->first;
    while (n && !has_ready(n))
        n = n->next;
    *ret = n != NULL;
    return RC_OK;
}

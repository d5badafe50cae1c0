/* Conditions on nodes, as the rule table names them.
 *
 * Keeps nothing. */
#include "sinks/kube_when.h"

#include "core/json.h"

#include <assert.h>
#include <stdio.h>

#define PORT_KEY_MAX 128

static struct json *metadata_of(const struct json_doc *d)
{
    return json_get(json_root(d), "metadata");
}

static bool is_none(struct json_doc *d, const struct json *node)
{
    const struct json *v = json_is(node, JSON_ARRAY) ? json_at(node, 0) : node;
    return json_is(v, JSON_STRING) && slice_eq(json_text(d, v), SLICE("None"));
}

static bool has_true(struct json_doc *d, const struct json *annotations, const char *name)
{
    return slice_eq(json_get_text(d, annotations, name), SLICE("true"));
}

/* cert-manager, OpenShift's service CA and its cluster network operator fill the bundle in. */
static bool is_ca_injected(struct json_doc *d)
{
    const struct json *a = json_get(metadata_of(d), "annotations");
    return json_get(a, "cert-manager.io/inject-ca-from") ||
           json_get(a, "cert-manager.io/inject-ca-from-secret") ||
           has_true(d, a, "cert-manager.io/inject-apiserver-ca") ||
           has_true(d, a, "service.beta.openshift.io/inject-cabundle") ||
           has_true(d, a, "service.alpha.openshift.io/inject-cabundle");
}

static bool is_own_token(struct json_doc *d, const struct json *node)
{
    struct slice own = json_get_text(d, metadata_of(d), "name");
    struct slice name = json_get_text(d, node, "name");
    if (own.n == 0 || !slice_starts(name, own))
        return false;
    struct slice rest = slice_of(name.p + own.n, name.n - own.n);
    return slice_starts(rest, SLICE("-token-")) || slice_starts(rest, SLICE("-dockercfg-"));
}

/* A field manager has the port's nodePort: then a request named it; an allotted one belongs to nobody. */
static bool port_is_managed(struct json_doc *d, const struct json *port)
{
    const struct json *entries = json_get(metadata_of(d), "managedFields");
    const struct json *number = json_get(port, "port");
    struct slice protocol = json_get_text(d, port, "protocol");
    char key[PORT_KEY_MAX];
    if (!json_is(entries, JSON_ARRAY) || !json_is(number, JSON_NUMBER))
        return false;
    if (protocol.n == 0)
        protocol = SLICE("TCP");
    int n = snprintf(key, sizeof key, "k:{\"port\":%.*s,\"protocol\":\"%.*s\"}",
                     SLICE_ARG(number->raw), SLICE_ARG(protocol));
    if (n < 0 || (size_t)n >= sizeof key)
        return false;
    for (const struct json *e = entries->first; e; e = e->next)
        if (json_dig(e, "fieldsV1", "f:spec", "f:ports", key, "f:nodePort", NULL))
            return true;
    return false;
}

static bool port_is_applied(const struct json_doc *applied, const struct json *node_port)
{
    const struct json *ports = applied ? json_dig(json_root(applied), "spec", "ports", NULL) : NULL;
    if (!json_is(ports, JSON_ARRAY))
        return false;
    for (const struct json *p = ports->first; p; p = p->next) {
        const struct json *named = json_get(p, "nodePort");
        if (named && json_equal(named, node_port))
            return true;
    }
    return false;
}

bool kube_when(enum kube_when when, const struct kube_facts *facts, const struct json *node)
{
    struct json_doc *d = facts->d;
    switch (when) {
    case KUBE_ALWAYS:
        return true;
    case KUBE_UNLESS_NONE:
        return !is_none(d, node);
    case KUBE_UNLESS_MANUAL_SELECTOR:
        return !json_is(json_dig(json_root(d), "spec", "manualSelector", NULL), JSON_TRUE);
    case KUBE_UNLESS_CHOSEN:
        return !port_is_applied(facts->applied, node) && !port_is_managed(d, node->parent);
    case KUBE_IF_CA_INJECTED:
        return is_ca_injected(d);
    case KUBE_IF_AGGREGATED:
        return json_is(json_get(json_root(d), "aggregationRule"), JSON_OBJECT);
    case KUBE_IF_OWN_TOKEN:
        return is_own_token(d, node);
    case KUBE_IF_TOKEN_MOUNT:
        return slice_starts(json_get_text(d, node, "name"), SLICE("kube-api-access-"));
    }
    assert(false && "a condition without its test");
    return false;
}

bool kube_scaled(struct json_doc *d)
{
    const struct json *entries = json_get(metadata_of(d), "managedFields");
    if (!json_is(entries, JSON_ARRAY))
        return false;
    for (const struct json *e = entries->first; e; e = e->next)
        if (slice_eq(json_get_text(d, e, "subresource"), SLICE("scale")) &&
            slice_eq(json_get_text(d, e, "manager"), SLICE("kube-controller-manager")) &&
            json_dig(e, "fieldsV1", "f:spec", "f:replicas", NULL))
            return true;
    return false;
}

/* The data table of all rules about Kubernetes kinds.
 *
 * Keeps: nothing but const data. Invariants (checked by the unit test): the first row that covers a resource
 * decides, so exact rows stand before patterns, and the last row covers everything; every never has a reason;
 * every path begins with '/'. */
#include "sinks/kube_rules.h"

#define RUNS      KUBE_EFFECT_RUNS
#define NETWORK   KUBE_EFFECT_NETWORK
#define DNS       KUBE_EFFECT_DNS
#define CLOUD     KUBE_EFFECT_CLOUD
#define ADMISSION KUBE_EFFECT_ADMISSION

/* ---- Cuts ---- */

#define META(member)                                                                               \
    {                                                                                              \
        "/metadata/" member, KUBE_ALWAYS                                                           \
    }
const struct kube_cut kube_common_cuts[] = {
    {"/status", KUBE_ALWAYS},
    META("uid"),
    META("resourceVersion"),
    META("generation"),
    META("creationTimestamp"),
    META("deletionTimestamp"),
    META("deletionGracePeriodSeconds"),
    META("selfLink"),
    META("managedFields"),
    META("generateName"),
    META("ownerReferences"), /* a uid of the source: the collector would delete the copy at once */
    META("finalizers"),      /* their controller may not live in the destination */
    META("annotations/sync.resilog.io~1*"),
    {NULL, KUBE_ALWAYS},
};

static const struct kube_cut service_cuts[] = {
    {"/spec/clusterIP", KUBE_UNLESS_NONE},
    {"/spec/clusterIPs", KUBE_UNLESS_NONE},
    {"/spec/ports/*/nodePort", KUBE_UNLESS_CHOSEN},
    {"/spec/healthCheckNodePort", KUBE_ALWAYS},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut service_account_cuts[] = {
    {"/secrets/*", KUBE_IF_OWN_TOKEN},
    {"/imagePullSecrets/*", KUBE_IF_OWN_TOKEN},
    {NULL, KUBE_ALWAYS},
};
/* The destination's controller counts revisions itself; a copied number is put back for ever. */
static const struct kube_cut deployment_cuts[] = {
    META("annotations/deployment.kubernetes.io~1*"),
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut daemonset_cuts[] = {
    META("annotations/deprecated.daemonset.template.generation"),
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut namespace_cuts[] = {
    {"/spec/finalizers", KUBE_ALWAYS},
    {NULL, KUBE_ALWAYS},
};
#define JOB(member)                                                                                \
    {                                                                                              \
        member, KUBE_UNLESS_MANUAL_SELECTOR                                                        \
    }
static const struct kube_cut job_cuts[] = {
    JOB("/spec/selector"),
    JOB("/spec/template/metadata/labels/controller-uid"),
    JOB("/spec/template/metadata/labels/batch.kubernetes.io~1controller-uid"),
    JOB("/spec/template/metadata/labels/job-name"),
    JOB("/spec/template/metadata/labels/batch.kubernetes.io~1job-name"),
    JOB("/metadata/labels/controller-uid"),
    JOB("/metadata/labels/batch.kubernetes.io~1controller-uid"),
    JOB("/metadata/labels/job-name"),
    JOB("/metadata/labels/batch.kubernetes.io~1job-name"),
    META("annotations/batch.kubernetes.io~1job-tracking"),
    /* A copy that its time to live took away would be made again, and run again; it goes with its source. */
    {"/spec/ttlSecondsAfterFinished", KUBE_ALWAYS},
    {NULL, KUBE_ALWAYS},
};
/* The controller of each cluster collects them from that cluster's roles. */
static const struct kube_cut cluster_role_cuts[] = {
    {"/rules", KUBE_IF_AGGREGATED},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut crd_cuts[] = {
    {"/spec/conversion/webhook/clientConfig/caBundle", KUBE_IF_CA_INJECTED},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut webhook_cuts[] = {
    {"/webhooks/*/clientConfig/caBundle", KUBE_IF_CA_INJECTED},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut apiservice_cuts[] = {
    {"/spec/caBundle", KUBE_IF_CA_INJECTED},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut claim_cuts[] = {
    META("annotations/pv.kubernetes.io~1*"),
    META("annotations/volume.kubernetes.io~1selected-node"),
    META("annotations/volume.kubernetes.io~1storage-provisioner"),
    META("annotations/volume.beta.kubernetes.io~1storage-provisioner"),
    {"/spec/volumeName", KUBE_ALWAYS},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut volume_cuts[] = {
    META("annotations/pv.kubernetes.io~1*"),
    {"/spec/claimRef/uid", KUBE_ALWAYS},
    {"/spec/claimRef/resourceVersion", KUBE_ALWAYS},
    {NULL, KUBE_ALWAYS},
};
static const struct kube_cut pod_cuts[] = {
    {"/spec/nodeName", KUBE_ALWAYS},
    {"/spec/priority", KUBE_ALWAYS},
    {"/spec/ephemeralContainers", KUBE_ALWAYS},
    {"/spec/volumes/*", KUBE_IF_TOKEN_MOUNT},
    {"/spec/containers/*/volumeMounts/*", KUBE_IF_TOKEN_MOUNT},
    {"/spec/initContainers/*/volumeMounts/*", KUBE_IF_TOKEN_MOUNT},
    {NULL, KUBE_ALWAYS},
};

/* ---- Retains ---- */

static const struct kube_retain service_retains[] = {
    {"/spec/ports/*/nodePort", KUBE_RETAIN_MEMBER, {"port", "protocol"}, KUBE_ALWAYS},
    {.path = NULL},
};
#define WEBHOOK_SERVICE "/webhooks/*/clientConfig/service"
static const struct kube_retain webhook_retains[] = {
    {"/webhooks/*/clientConfig/caBundle", KUBE_RETAIN_MEMBER, {"name"}, KUBE_ALWAYS},
    {.path = NULL},
};
static const struct kube_retain service_account_retains[] = {
    {"/secrets", KUBE_RETAIN_ELEMENTS, .when = KUBE_IF_OWN_TOKEN},
    {"/imagePullSecrets", KUBE_RETAIN_ELEMENTS, .when = KUBE_IF_OWN_TOKEN},
    {.path = NULL},
};
static const struct kube_retain pod_retains[] = {
    {"/spec/volumes", KUBE_RETAIN_ELEMENTS, .when = KUBE_IF_TOKEN_MOUNT},
    {"/spec/containers/*/volumeMounts", KUBE_RETAIN_ELEMENTS, {"name"}, KUBE_IF_TOKEN_MOUNT},
    {"/spec/initContainers/*/volumeMounts", KUBE_RETAIN_ELEMENTS, {"name"}, KUBE_IF_TOKEN_MOUNT},
    {.path = NULL},
};
static const struct kube_retain replica_retains[] = {
    {.path = "/spec/replicas", .how = KUBE_RETAIN_SCALED},
    {.path = NULL},
};

/* ---- Resources ---- */

#define STAR_NAME   .star = KUBE_STAR_NAME_ONLY
#define MAY_REPLACE .recreate = KUBE_RECREATE_YES
#define HOLDS_DATA  .recreate = KUBE_RECREATE_NEVER, .undeletable = true
#define NEVER(group_, resource_, why_)                                                             \
    {                                                                                              \
        .group = (group_), .resource = (resource_), .star = KUBE_STAR_NEVER, .why = (why_)         \
    }
#define NODE_STATE  "describes the source cluster's nodes and volumes"
#define VIRTUAL     "is computed by the API server, not stored"
#define SERVER_MADE "is made by the control plane of each cluster"

const struct kube_rule kube_rules[] = {
    {"apiextensions.k8s.io", "customresourcedefinitions", HOLDS_DATA, .order = 1, .cut = crd_cuts},
    {"", "namespaces", HOLDS_DATA, .order = 2, .cut = namespace_cuts},
    {"scheduling.k8s.io", "priorityclasses", .order = 3},
    {"storage.k8s.io", "storageclasses", .order = 3},
    {"networking.k8s.io", "networkpolicies", .order = 4, .effect = NETWORK},
    {"", "resourcequotas", .order = 5},
    {"", "limitranges", .order = 5},
    {"policy", "poddisruptionbudgets", .order = 5},
    {"", "persistentvolumes", HOLDS_DATA, STAR_NAME, .order = 6, .effect = CLOUD,
     .cut = volume_cuts},
    {"", "persistentvolumeclaims", HOLDS_DATA, STAR_NAME, .order = 7, .effect = CLOUD,
     .cut = claim_cuts},
    {"", "serviceaccounts", MAY_REPLACE, .order = 8, .cut = service_account_cuts,
     .retain = service_account_retains},
    {"", "secrets", MAY_REPLACE, .order = 9},
    {"", "configmaps", MAY_REPLACE, .order = 9},
    {"rbac.authorization.k8s.io", "clusterroles", MAY_REPLACE, .order = 10,
     .cut = cluster_role_cuts},
    {"rbac.authorization.k8s.io", "roles", MAY_REPLACE, .order = 10},
    {"rbac.authorization.k8s.io", "clusterrolebindings", MAY_REPLACE, .order = 11},
    {"rbac.authorization.k8s.io", "rolebindings", MAY_REPLACE, .order = 11},
    {"", "services", .order = 12, .effect = NETWORK | DNS | CLOUD, .cut = service_cuts,
     .retain = service_retains, .sticky = "/spec/clusterIP"},
    {"", "endpoints", STAR_NAME, .order = 13, .effect = NETWORK},
    {"discovery.k8s.io", "endpointslices", STAR_NAME, .owned = KUBE_OWNED_NEVER, .order = 13,
     .effect = NETWORK},
    {"apps", "daemonsets", .order = 14, .effect = RUNS, .cut = daemonset_cuts},
    {"", "pods", STAR_NAME, .owned = KUBE_OWNED_NEVER, .order = 15, .effect = RUNS, .cut = pod_cuts,
     .retain = pod_retains},
    {"", "replicationcontrollers", .order = 15, .effect = RUNS, .retain = replica_retains},
    {"apps", "replicasets", .order = 15, .effect = RUNS, .cut = deployment_cuts,
     .retain = replica_retains},
    {"apps", "controllerrevisions", STAR_NAME, .order = 15},
    {"apps", "deployments", .order = 16, .effect = RUNS, .cut = deployment_cuts,
     .retain = replica_retains},
    {"autoscaling", "horizontalpodautoscalers", .order = 17, .effect = RUNS},
    {"apps", "statefulsets", .order = 18, .effect = RUNS, .retain = replica_retains},
    {"batch", "jobs", MAY_REPLACE, STAR_NAME, .order = 19, .effect = RUNS, .cut = job_cuts,
     .suspend = "/spec/suspend"},
    {"batch", "cronjobs", STAR_NAME, .order = 20, .effect = RUNS, .suspend = "/spec/suspend"},
    {"networking.k8s.io", "ingressclasses", .order = 21},
    {"networking.k8s.io", "ingresses", .order = 22, .effect = NETWORK | DNS | CLOUD},
    {"networking.k8s.io", "servicecidrs", STAR_NAME, .order = 5, .effect = NETWORK},
    {"resource.k8s.io", "resourceclaims", STAR_NAME, .order = 14, .effect = CLOUD},
    {"resource.k8s.io", "devicetaintrules", STAR_NAME, .order = 14, .effect = RUNS},
    {"apiregistration.k8s.io", "apiservices", STAR_NAME, .order = 24, .effect = ADMISSION,
     .cut = apiservice_cuts, .service = "/spec/service"},
    {"admissionregistration.k8s.io", "mutatingwebhookconfigurations", STAR_NAME, .order = 25,
     .effect = ADMISSION, .cut = webhook_cuts, .retain = webhook_retains,
     .service = WEBHOOK_SERVICE},
    {"admissionregistration.k8s.io", "validatingwebhookconfigurations", STAR_NAME, .order = 25,
     .effect = ADMISSION, .cut = webhook_cuts, .retain = webhook_retains,
     .service = WEBHOOK_SERVICE},
    {"admissionregistration.k8s.io", "*", STAR_NAME, .order = 25, .effect = ADMISSION},

    NEVER("", "events", "is a diary of the source cluster"),
    NEVER("events.k8s.io", "*", "is a diary of the source cluster"),
    NEVER("", "nodes", NODE_STATE),
    NEVER("", "bindings", VIRTUAL),
    NEVER("", "componentstatuses", VIRTUAL),
    NEVER("coordination.k8s.io", "*", "elects a leader within one cluster"),
    NEVER("storage.k8s.io", "csinodes", NODE_STATE),
    NEVER("storage.k8s.io", "volumeattachments", NODE_STATE),
    NEVER("storage.k8s.io", "csistoragecapacities", NODE_STATE),
    NEVER("resource.k8s.io", "resourceslices", NODE_STATE),
    NEVER("networking.k8s.io", "ipaddresses", "is allotted by the API server of each cluster"),
    NEVER("certificates.k8s.io", "certificatesigningrequests", "is bound to the source's signers"),
    NEVER("certificates.k8s.io", "podcertificaterequests", "is bound to the source's signers"),
    NEVER("internal.apiserver.k8s.io", "*", SERVER_MADE),
    NEVER("storagemigration.k8s.io", "*", SERVER_MADE),
    NEVER("authentication.k8s.io", "*", VIRTUAL),
    NEVER("authorization.k8s.io", "*", VIRTUAL),
    NEVER("metrics.k8s.io", "*", VIRTUAL),
    NEVER("*.metrics.k8s.io", "*", VIRTUAL),
    NEVER("projectcalico.org", "*", "is a view of crd.projectcalico.org, which is copied"),
    NEVER("velero.io", "*", "would start the source's backups and restores a second time"),
    NEVER("*.astronetes.io", "*", "would start a second replication from the destination"),
    {"*", "*", .order = 23}, /* custom resources, and everything without a row */
};
const size_t kube_rules_count = sizeof kube_rules / sizeof *kube_rules;

/* ---- Objects ---- */

#define NAME         "/metadata/name"
#define ANNOTATION   "/metadata/annotations/"
#define LABEL        "/metadata/labels/"
#define RBAC         "rbac.authorization.k8s.io"
#define SELF_MADE    "every cluster makes its own"
#define FROM_SERVICE "a controller makes it from a Service"
#define LEADER       ANNOTATION "control-plane.alpha.kubernetes.io~1leader"
#define SLICE_BY     LABEL "endpointslice.kubernetes.io~1managed-by"

const struct kube_skip kube_skips[] = {
    {"*", "*", NULL, "/metadata/deletionTimestamp", NULL, NULL,
     "it is being deleted in the source"},
    {"", "configmaps", NULL, NAME, "kube-root-ca.crt", NULL, SELF_MADE},
    {"", "configmaps", NULL, NAME, "openshift-service-ca.crt", NULL, SELF_MADE},
    {"", "configmaps", "kube-system", NAME, "extension-apiserver-authentication", NULL, SELF_MADE},
    {"", "configmaps", "kube-public", NAME, "cluster-info", NULL, SELF_MADE},
    {"", "configmaps", "kube-system", NAME, "kube-apiserver-legacy-service-account-token-tracking",
     NULL, SELF_MADE},
    {"", "configmaps", NULL, LEADER, NULL, NULL, "it elects a leader within one cluster"},
    {"", "endpoints", NULL, LEADER, NULL, NULL, "it elects a leader within one cluster"},
    {"", "resourcequotas", NULL, NAME, "gke-resource-quotas", NULL, SELF_MADE},
    {"", "secrets", NULL, "/type", "kubernetes.io/service-account-token", NULL,
     "it is bound to a service account of the source"},
    {"", "secrets", NULL, "/type", "bootstrap.kubernetes.io/token", NULL,
     "it lets nodes join the source cluster"},
    {"", "services", "default", NAME, "kubernetes", NULL, SELF_MADE},
    {"", "endpoints", "default", NAME, "kubernetes", NULL, SELF_MADE},
    {"", "endpoints", NULL, ANNOTATION "endpoints.kubernetes.io~1last-change-trigger-time", NULL,
     NULL, FROM_SERVICE},
    {"", "endpoints", NULL, LABEL "endpoints.kubernetes.io~1managed-by", "endpoint-controller",
     NULL, FROM_SERVICE},
    {"", "endpoints", NULL, LABEL "service.kubernetes.io~1headless", NULL, NULL, FROM_SERVICE},
    {"", "endpoints", NULL, "/subsets/*/addresses/*/targetRef", NULL, NULL, FROM_SERVICE},
    {"", "endpoints", NULL, "/subsets/*/notReadyAddresses/*/targetRef", NULL, NULL, FROM_SERVICE},
    {"discovery.k8s.io", "endpointslices", "default", NAME, "kubernetes", NULL, SELF_MADE},
    {"discovery.k8s.io", "endpointslices", NULL, SLICE_BY, "endpointslice-controller.k8s.io", NULL,
     FROM_SERVICE},
    {"discovery.k8s.io", "endpointslices", NULL, SLICE_BY,
     "endpointslicemirroring-controller.k8s.io", NULL, "a controller makes it from Endpoints"},
    {RBAC, "*", NULL, NAME, "system:*", "system:openshift:scc:", SELF_MADE},
    {RBAC, "*", NULL, LABEL "kubernetes.io~1bootstrapping", "rbac-defaults",
     "system:openshift:scc:", SELF_MADE},
    {"batch", "jobs", NULL, "/status/conditions/*/type", "Complete", NULL,
     "it has finished and would run again"},
    {"batch", "jobs", NULL, "/status/conditions/*/type", "Failed", NULL,
     "it has finished and would run again"},
    {"", "pods", NULL, "/status/phase", "Succeeded", NULL, "it has finished and would run again"},
    {"", "pods", NULL, "/status/phase", "Failed", NULL, "it has finished and would run again"},
    {"", "pods", NULL, ANNOTATION "kubernetes.io~1config.mirror", NULL, NULL,
     "a node makes it from its own files"},
    {"scheduling.k8s.io", "priorityclasses", NULL, NAME, "system-*", NULL, SELF_MADE},
    {"apiregistration.k8s.io", "apiservices", NULL,
     LABEL "kube-aggregator.kubernetes.io~1automanaged", NULL, NULL, SELF_MADE},
    {"flowcontrol.apiserver.k8s.io", "*", NULL, ANNOTATION "apf.kubernetes.io~1autoupdate-spec",
     "true", NULL, SELF_MADE},
    {"networking.k8s.io", "servicecidrs", NULL, NAME, "kubernetes", NULL, SELF_MADE},
    {"certificates.k8s.io", "clustertrustbundles", NULL, "/spec/signerName", NULL, NULL,
     "it belongs to a signer of the source"},
};
const size_t kube_skips_count = sizeof kube_skips / sizeof *kube_skips;

const char *const kube_tool_labels[] = {
    "kubernetes.io/metadata.name", /* the server sets it */
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "helm.sh/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "fleet.cattle.io/",
    "field.cattle.io/",
    "olm.operatorgroup.uid/",
    "hnc.x-k8s.io/",
    "sync.resilog.io/",
    NULL,
};

/* ---- Look-up ---- */

static bool group_covers(const char *pattern, struct slice group)
{
    if (pattern[0] != '*')
        return slice_eq(slice_str(pattern), group);
    return slice_ends(group, slice_str(pattern + 1));
}

bool kube_rule_covers(const char *rule_group, const char *rule_resource, struct slice group,
                      struct slice resource)
{
    bool any = rule_resource[0] == '*';
    return group_covers(rule_group, group) && (any || slice_eq(slice_str(rule_resource), resource));
}

const struct kube_rule *kube_rule_find(struct slice group, struct slice resource)
{
    const struct kube_rule *r = kube_rules;
    while (!kube_rule_covers(r->group, r->resource, group, resource))
        r++;
    return r;
}

bool kube_glob(const char *pattern, struct slice text)
{
    struct slice p = slice_str(pattern);
    if (p.n > 0 && p.p[p.n - 1] == '*')
        return slice_starts(text, slice_of(p.p, p.n - 1));
    return slice_eq(p, text);
}

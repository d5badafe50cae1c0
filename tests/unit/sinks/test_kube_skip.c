/* Objects that are left out, and the near misses that are not. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_rules.h"
#include "sinks/kube_skip.h"

#define RBAC                   "rbac.authorization.k8s.io"
#define SLICES                 "discovery.k8s.io"
#define FLOW                   "flowcontrol.apiserver.k8s.io"
#define M(rest)                "{'metadata':{" rest "}}"
#define N(name)                M("'name':'" name "'")
#define IN(ns, name)           M("'name':'" name "','namespace':'" ns "'")
#define OF(member, key, value) M("'name':'x','namespace':'ns','" member "':{'" key "':'" value "'}")
#define WITH(rest)             "{'metadata':{'name':'x','namespace':'ns'}," rest "}"
#define LEADER                 "control-plane.alpha.kubernetes.io/leader"
#define BOOT                   "'labels':{'kubernetes.io/bootstrapping':'rbac-defaults'}"

/* Written down by hand, not taken from the table. */
struct row {
    const char *group, *resource, *object;
};

static const struct row left_out[] = {
    /* every cluster makes its own */
    {"", "configmaps", IN("any", "kube-root-ca.crt")},
    {"", "configmaps", IN("any", "openshift-service-ca.crt")},
    {"", "configmaps", IN("kube-system", "extension-apiserver-authentication")},
    {"", "configmaps", IN("kube-public", "cluster-info")},
    {"", "configmaps", IN("kube-system", "kube-apiserver-legacy-service-account-token-tracking")},
    {"", "resourcequotas", IN("any", "gke-resource-quotas")},
    {"", "services", IN("default", "kubernetes")},
    {"", "endpoints", IN("default", "kubernetes")},
    {SLICES, "endpointslices", IN("default", "kubernetes")},
    {"networking.k8s.io", "servicecidrs", N("kubernetes")},
    {"scheduling.k8s.io", "priorityclasses", N("system-cluster-critical")},
    {"scheduling.k8s.io", "priorityclasses", N("system-node-critical")},
    {"apiregistration.k8s.io", "apiservices",
     OF("labels", "kube-aggregator.kubernetes.io/automanaged", "onstart")},
    {"apiregistration.k8s.io", "apiservices",
     OF("labels", "kube-aggregator.kubernetes.io/automanaged", "true")},
    {FLOW, "flowschemas", OF("annotations", "apf.kubernetes.io/autoupdate-spec", "true")},
    {FLOW, "prioritylevelconfigurations",
     OF("annotations", "apf.kubernetes.io/autoupdate-spec", "true")},
    {RBAC, "clusterroles", N("system:node")},
    {RBAC, "clusterrolebindings", N("system:node")},
    {RBAC, "roles", IN("kube-system", "system:leader")},
    {RBAC, "rolebindings", IN("kube-system", "system::leader-locking-kube-scheduler")},
    {RBAC, "clusterroles", M("'name':'admin'," BOOT)},
    {RBAC, "clusterrolebindings", M("'name':'cluster-admin'," BOOT)},
    {RBAC, "roles", M("'name':'x','namespace':'kube-public'," BOOT)},
    {RBAC, "rolebindings", M("'name':'x','namespace':'kube-public'," BOOT)},
    /* bound to the source */
    {"", "secrets", WITH("'type':'kubernetes.io/service-account-token'")},
    {"", "secrets", WITH("'type':'bootstrap.kubernetes.io/token'")},
    {"certificates.k8s.io", "clustertrustbundles",
     WITH("'spec':{'signerName':'example.com/signer'}")},
    {"", "configmaps", OF("annotations", LEADER, "{}")},
    {"", "endpoints", OF("annotations", LEADER, "{}")},
    /* made from something else */
    {"", "endpoints",
     OF("annotations", "endpoints.kubernetes.io/last-change-trigger-time", "2026-01-01T00:00:00Z")},
    {"", "endpoints", OF("labels", "endpoints.kubernetes.io/managed-by", "endpoint-controller")},
    {"", "endpoints", OF("labels", "service.kubernetes.io/headless", "")},
    {"", "endpoints",
     WITH("'subsets':[{'addresses':[{'ip':'10.0.0.1'},{'ip':'10.0.0.2','targetRef':{}}]}]")},
    {"", "endpoints", WITH("'subsets':[{'notReadyAddresses':[{'ip':'10.0.0.2','targetRef':{}}]}]")},
    {SLICES, "endpointslices",
     OF("labels", "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io")},
    {SLICES, "endpointslices",
     OF("labels", "endpointslice.kubernetes.io/managed-by",
        "endpointslicemirroring-controller.k8s.io")},
    {"", "pods", OF("annotations", "kubernetes.io/config.mirror", "0123")},
    /* it would run again */
    {"", "pods", WITH("'status':{'phase':'Succeeded'}")},
    {"", "pods", WITH("'status':{'phase':'Failed'}")},
    {"batch", "jobs",
     WITH("'status':{'conditions':[{'type':'SuccessCriteriaMet'},"
          "{'type':'Complete','status':'True'}]}")},
    {"batch", "jobs", WITH("'status':{'conditions':[{'type':'Failed','status':'True'}]}")},
    /* on its way out, whatever it is */
    {"", "configmaps", M("'name':'x','deletionTimestamp':'2026-01-01T00:00:00Z'")},
    {"example.com", "widgets", M("'name':'x','deletionTimestamp':'2026-01-01T00:00:00Z'")},
};

/* Near misses. */
static const struct row copied[] = {
    {"", "configmaps", IN("ns", "kube-root-ca.crt2")},
    {"", "configmaps", IN("ns", "cluster-info")}, /* a user's, elsewhere */
    {"", "configmaps", IN("kube-system", "cluster-info")},
    {"", "configmaps", IN("ns", "extension-apiserver-authentication")},
    {"", "configmaps", IN("ns", "kube-apiserver-legacy-service-account-token-tracking")},
    {"", "configmaps", OF("annotations", "control-plane.alpha.kubernetes.io/leaders", "{}")},
    {"", "configmaps", OF("labels", LEADER, "x")},
    {"", "secrets", IN("any", "kube-root-ca.crt")},
    {"", "services", IN("ns", "kubernetes")},
    {"", "services", IN("default", "kubernetes2")},
    {"", "endpoints", IN("ns", "kubernetes")},
    {SLICES, "endpointslices", IN("ns", "kubernetes")},
    {"example.com", "services", IN("default", "kubernetes")},
    {"", "serviceaccounts", IN("ns", "default")},
    {"", "resourcequotas", IN("ns", "quota")},
    {"", "secrets", WITH("'type':'Opaque'")},
    {"", "secrets", WITH("'type':'kubernetes.io/tls'")},
    {"", "secrets", WITH("'data':{}")},
    {"example.com", "secrets", WITH("'type':'kubernetes.io/service-account-token'")},
    {"certificates.k8s.io", "clustertrustbundles", WITH("'spec':{'trustBundle':'x'}")},
    {"networking.k8s.io", "servicecidrs", N("extra")},
    {"scheduling.k8s.io", "priorityclasses", N("high")},
    {"apiregistration.k8s.io", "apiservices", N("v1beta1.metrics.k8s.io")},
    {FLOW, "flowschemas", OF("annotations", "apf.kubernetes.io/autoupdate-spec", "false")},
    {FLOW, "flowschemas", N("x")},
    {RBAC, "clusterroles", N("admin")},
    {RBAC, "clusterroles", N("systems:x")},
    {RBAC, "clusterroles",
     M("'name':'x','labels':{'kubernetes.io/bootstrapping':'rbac-defaults2'}")},
    {RBAC, "clusterrolebindings", N("system:openshift:scc:anyuid")}, /* a user's grant */
    {RBAC, "clusterrolebindings", M("'name':'system:openshift:scc:anyuid'," BOOT)},
    {RBAC, "rolebindings", IN("ns", "system:openshift:scc:privileged")},
    {"", "endpoints", WITH("'subsets':[{'addresses':[{'ip':'10.0.0.1'}]}]")}, /* made by hand */
    {"", "endpoints", WITH("'subsets':null")},
    {SLICES, "endpointslices",
     OF("labels", "endpointslice.kubernetes.io/managed-by", "somebody.example.com")},
    {SLICES, "endpointslices", WITH("'endpoints':[]")},
    {"", "pods", WITH("'status':{'phase':'Running'}")},
    {"", "pods", WITH("'status':{'phase':'Pending'}")},
    {"batch", "jobs", WITH("'status':{'conditions':[{'type':'Suspended','status':'True'}]}")},
    {"batch", "jobs", WITH("'status':{'active':1}")},
    {"batch", "cronjobs", WITH("'status':{'conditions':[{'type':'Failed'}]}")},
    {"example.com", "widgets", N("x")},
    {"example.com", "widgets", "{}"}, /* without any metadata */
};

static const char *why(const struct row *r)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(r->object);
    return kube_skip_why(d, slice_str(r->group), slice_str(r->resource));
}

static void what_belongs_to_one_cluster_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (!why(&left_out[i]))
            fail_msg("%s/%s is copied: %s", left_out[i].group, left_out[i].resource,
                     left_out[i].object);
}

static void near_misses_are_copied(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        if (why(&copied[i]))
            fail_msg("%s/%s is left out, as %s: %s", copied[i].group, copied[i].resource,
                     why(&copied[i]), copied[i].object);
}

static bool owned(const char *group, const char *resource, const char *owner)
{
    const struct slice selected[] = {SLICE("/configmaps"), SLICE("apps/deployments"),
                                     SLICE("networking.k8s.io/networkpolicies"),
                                     SLICE("networking.k8s.io/ingresses"), SLICE("/endpoints")};
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    buf_addf(&json, "{'metadata':{'name':'x','ownerReferences':[%s]}}", owner);
    AUTO(json_freep) struct json_doc *d = kt_parse(json.p);
    return kube_skip_owned(d, kube_rule_find(slice_str(group), slice_str(resource)), selected,
                           sizeof selected / sizeof *selected);
}

static void what_a_copied_controller_makes_is_left_out(void **state)
{
    (void)state;
    assert_true(owned("apps", "replicasets",
                      "{'apiVersion':'apps/v1','kind':'Deployment','controller':true}"));
    assert_true(owned("", "configmaps",
                      "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','controller':"
                      "true}"));
    assert_true(owned("", "configmaps",
                      "{'apiVersion':'networking.k8s.io/v1','kind':'Ingress','controller':true}"));
    assert_true(
        owned("", "configmaps", "{'apiVersion':'v1','kind':'Endpoints','controller':true}"));
    assert_true(owned("", "configmaps",
                      "{'apiVersion':'v1','kind':'Other','controller':true},"
                      "{'apiVersion':'v1','kind':'ConfigMap','controller':true}"));
}

static void what_others_own_is_copied(void **state)
{
    (void)state;
    assert_false(owned("apps", "replicasets",
                       "{'apiVersion':'argoproj.io/v1alpha1','kind':'Rollout','controller':true}"));
    assert_false(owned("apps", "replicasets", "{'apiVersion':'apps/v1','kind':'Deployment'}"));
    assert_false(
        owned("apps", "replicasets", "{'apiVersion':'v1','kind':'Deployment','controller':true}"));
    assert_false(owned("apps", "replicasets", ""));
}

static void a_pod_with_any_controller_is_left_out(void **state)
{
    (void)state;
    assert_true(owned("", "pods",
                      "{'apiVersion':'argoproj.io/v1alpha1','kind':'Rollout','controller':true}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_belongs_to_one_cluster_is_left_out),
        cmocka_unit_test(near_misses_are_copied),
        cmocka_unit_test(what_a_copied_controller_makes_is_left_out),
        cmocka_unit_test(what_others_own_is_copied),
        cmocka_unit_test(a_pod_with_any_controller_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

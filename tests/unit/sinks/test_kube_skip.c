/* Objects that are left out, and the near misses that are not. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_rules.h"
#include "sinks/kube_skip.h"

static bool skipped(const char *group, const char *resource, const char *json)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    return kube_skip_why(d, slice_str(group), slice_str(resource)) != NULL;
}

#define RBAC "rbac.authorization.k8s.io"

static void what_every_cluster_makes_itself_is_left_out(void **state)
{
    (void)state;
    assert_true(skipped("", "configmaps", "{'metadata':{'name':'kube-root-ca.crt'}}"));
    assert_true(skipped("", "configmaps", "{'metadata':{'name':'openshift-service-ca.crt'}}"));
    assert_true(skipped("", "resourcequotas", "{'metadata':{'name':'gke-resource-quotas'}}"));
    assert_true(skipped("", "services", "{'metadata':{'name':'kubernetes'}}"));
    assert_true(skipped("", "endpoints", "{'metadata':{'name':'kubernetes'}}"));
    assert_true(skipped("scheduling.k8s.io", "priorityclasses",
                        "{'metadata':{'name':'system-node-critical'}}"));
    assert_true(skipped("apiregistration.k8s.io", "apiservices",
                        "{'metadata':{'name':'v1.','labels':"
                        "{'kube-aggregator.kubernetes.io/automanaged':'onstart'}}}"));
    assert_true(skipped("flowcontrol.apiserver.k8s.io", "flowschemas",
                        "{'metadata':{'name':'x','annotations':"
                        "{'apf.kubernetes.io/autoupdate-spec':'true'}}}"));
    assert_false(skipped("flowcontrol.apiserver.k8s.io", "flowschemas",
                         "{'metadata':{'name':'x','annotations':"
                         "{'apf.kubernetes.io/autoupdate-spec':'false'}}}"));
}

static void the_same_name_of_another_kind_is_copied(void **state)
{
    (void)state;
    assert_false(skipped("", "secrets", "{'metadata':{'name':'kube-root-ca.crt'}}"));
    assert_false(skipped("", "configmaps", "{'metadata':{'name':'kube-root-ca.crt2'}}"));
    assert_false(skipped("example.com", "services", "{'metadata':{'name':'kubernetes'}}"));
    assert_false(skipped("", "serviceaccounts", "{'metadata':{'name':'default'}}"));
}

static void secrets_bound_to_the_source_are_left_out(void **state)
{
    (void)state;
    assert_true(skipped("", "secrets",
                        "{'metadata':{'name':'t'},'type':'kubernetes.io/service-account-token'}"));
    assert_true(
        skipped("", "secrets", "{'metadata':{'name':'t'},'type':'bootstrap.kubernetes.io/token'}"));
    assert_false(skipped("", "secrets", "{'metadata':{'name':'t'},'type':'Opaque'}"));
    assert_false(skipped("", "secrets", "{'metadata':{'name':'t'}}"));
}

static void default_roles_are_left_out_but_grants_of_openshift_are_not(void **state)
{
    (void)state;
    const char *grant = "{'metadata':{'name':'system:openshift:scc:anyuid','labels':"
                        "{'kubernetes.io/bootstrapping':'rbac-defaults'}}}";
    assert_true(skipped(RBAC, "clusterroles", "{'metadata':{'name':'system:node'}}"));
    assert_true(skipped(RBAC, "rolebindings", "{'metadata':{'name':'system::leader'}}"));
    assert_true(skipped(RBAC, "clusterroles",
                        "{'metadata':{'name':'admin','labels':"
                        "{'kubernetes.io/bootstrapping':'rbac-defaults'}}}"));
    assert_false(skipped(RBAC, "clusterrolebindings", grant));
    assert_false(skipped(RBAC, "clusterroles", "{'metadata':{'name':'admin'}}"));
}

static void a_finished_job_is_left_out_and_a_running_one_is_not(void **state)
{
    (void)state;
    assert_true(skipped("batch", "jobs",
                        "{'metadata':{'name':'j'},'status':{'conditions':["
                        "{'type':'SuccessCriteriaMet'},{'type':'Complete','status':'True'}]}}"));
    assert_true(skipped("batch", "jobs",
                        "{'metadata':{'name':'j'},'status':{'conditions':[{'type':'Failed'}]}}"));
    assert_false(
        skipped("batch", "jobs",
                "{'metadata':{'name':'j'},'status':{'conditions':[{'type':'Suspended'}]}}"));
    assert_false(skipped("batch", "jobs", "{'metadata':{'name':'j'},'status':{'active':1}}"));
}

static void an_object_on_its_way_out_is_left_out_whatever_its_kind(void **state)
{
    (void)state;
    assert_true(skipped("example.com", "widgets",
                        "{'metadata':{'name':'w','deletionTimestamp':'2026-01-01T00:00:00Z'}}"));
    assert_false(skipped("example.com", "widgets", "{'metadata':{'name':'w'}}"));
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
        cmocka_unit_test(what_every_cluster_makes_itself_is_left_out),
        cmocka_unit_test(the_same_name_of_another_kind_is_copied),
        cmocka_unit_test(secrets_bound_to_the_source_are_left_out),
        cmocka_unit_test(default_roles_are_left_out_but_grants_of_openshift_are_not),
        cmocka_unit_test(a_finished_job_is_left_out_and_a_running_one_is_not),
        cmocka_unit_test(an_object_on_its_way_out_is_left_out_whatever_its_kind),
        cmocka_unit_test(what_a_copied_controller_makes_is_left_out),
        cmocka_unit_test(what_others_own_is_copied),
        cmocka_unit_test(a_pod_with_any_controller_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

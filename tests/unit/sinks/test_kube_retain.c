/* Values of the destination that are sent back to it. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_retain.h"
#include "sinks/kube_rules.h"

static void assert_retains(const char *group, const char *resource, const char *live,
                           const char *desired, const char *want)
{
    AUTO(json_freep) struct json_doc *l = kt_parse(live);
    AUTO(json_freep) struct json_doc *d = kt_parse(desired);
    struct err e = ERR_INIT;
    const struct kube_rule *rule = kube_rule_find(slice_str(group), slice_str(resource));
    assert_int_equal(kube_retain(l, d, rule, &e), RC_OK);
    kt_assert_doc(d, want);
    kt_assert_doc(l, live);
}

static void a_port_keeps_its_number_by_port_and_protocol(void **state)
{
    (void)state;
    assert_retains("", "services",
                   "{'spec':{'ports':[{'port':53,'protocol':'UDP','nodePort':1},"
                   "{'port':53,'protocol':'TCP','nodePort':2}]}}",
                   "{'spec':{'ports':[{'port':53,'protocol':'TCP'},{'port':9,'protocol':'TCP'}]}}",
                   "{'spec':{'ports':[{'port':53,'protocol':'TCP','nodePort':2},"
                   "{'port':9,'protocol':'TCP'}]}}");
}

static void a_number_that_the_source_chose_is_not_replaced(void **state)
{
    (void)state;
    assert_retains("", "services", "{'spec':{'ports':[{'port':80,'nodePort':1}]}}",
                   "{'spec':{'ports':[{'port':80,'nodePort':30080}]}}",
                   "{'spec':{'ports':[{'port':80,'nodePort':30080}]}}");
}

static void an_injected_bundle_stays_with_its_webhook(void **state)
{
    (void)state;
    assert_retains("admissionregistration.k8s.io", "mutatingwebhookconfigurations",
                   "{'webhooks':[{'name':'a','clientConfig':{'caBundle':'QQ=='}}]}",
                   "{'webhooks':[{'name':'b','clientConfig':{}},{'name':'a','clientConfig':{}},"
                   "{'name':'a'}]}",
                   "{'webhooks':[{'name':'b','clientConfig':{}},"
                   "{'name':'a','clientConfig':{'caBundle':'QQ=='}},{'name':'a'}]}");
}

static void tokens_of_the_destination_stay_in_the_list_once(void **state)
{
    (void)state;
    const char *live = "{'metadata':{'name':'sa'},'secrets':[{'name':'sa-token-d'},{'name':'x'}]}";
    assert_retains("", "serviceaccounts", live, "{'secrets':[{'name':'mine'}]}",
                   "{'secrets':[{'name':'mine'},{'name':'sa-token-d'}]}");
    assert_retains("", "serviceaccounts", live, "{'secrets':[{'name':'sa-token-d'}]}",
                   "{'secrets':[{'name':'sa-token-d'}]}");
    assert_retains("", "serviceaccounts", live, "{}", "{'secrets':[{'name':'sa-token-d'}]}");
    assert_retains("", "serviceaccounts", "{'metadata':{'name':'sa'}}", "{}", "{}");
}

static void the_generated_tokens_of_a_pod_stay_in_their_lists(void **state)
{
    (void)state;
    const char *live =
        "{'spec':{'volumes':[{'name':'a'},{'name':'kube-api-access-d'}],'containers':["
        "{'name':'side','volumeMounts':[{'name':'kube-api-access-d','mountPath':'/s'}]},"
        "{'name':'main','volumeMounts':[{'name':'a'},{'name':'kube-api-access-d'}]}],"
        "'initContainers':[{'name':'first','volumeMounts':[{'name':'kube-api-access-d'}]}]}}";
    assert_retains("", "pods", live,
                   "{'spec':{'volumes':[{'name':'a'}],'containers':[{'name':'main','volumeMounts':["
                   "{'name':'a'}]},{'name':'new'}],'initContainers':[{'name':'first'}]}}",
                   "{'spec':{'volumes':[{'name':'a'},{'name':'kube-api-access-d'}],'containers':["
                   "{'name':'main','volumeMounts':[{'name':'a'},{'name':'kube-api-access-d'}]},"
                   "{'name':'new'}],'initContainers':[{'name':'first','volumeMounts':["
                   "{'name':'kube-api-access-d'}]}]}}");
}

static void replicas_are_left_to_an_autoscaler_that_set_them(void **state)
{
    (void)state;
    const char *scaled = "{'metadata':{'managedFields':[{'manager':'kube-controller-manager',"
                         "'subresource':'scale','fieldsV1':{'f:spec':{'f:replicas':{}}}}]},"
                         "'spec':{'replicas':5}}";
    assert_retains("apps", "deployments", scaled, "{'spec':{'replicas':1}}",
                   "{'spec':{'replicas':5}}");
    assert_retains("apps", "deployments", "{'metadata':{},'spec':{'replicas':5}}",
                   "{'spec':{'replicas':1}}", "{'spec':{'replicas':1}}");
    assert_retains("apps", "deployments", scaled, "{'spec':{}}", "{'spec':{}}");
}

static void a_kind_without_rows_is_left_as_it_is(void **state)
{
    (void)state;
    assert_retains("", "configmaps", "{'data':{'a':'1'}}", "{'data':{}}", "{'data':{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_keeps_its_number_by_port_and_protocol),
        cmocka_unit_test(a_number_that_the_source_chose_is_not_replaced),
        cmocka_unit_test(an_injected_bundle_stays_with_its_webhook),
        cmocka_unit_test(tokens_of_the_destination_stay_in_the_list_once),
        cmocka_unit_test(the_generated_tokens_of_a_pod_stay_in_their_lists),
        cmocka_unit_test(replicas_are_left_to_an_autoscaler_that_set_them),
        cmocka_unit_test(a_kind_without_rows_is_left_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

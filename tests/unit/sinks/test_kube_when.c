/* Conditions of the rule table on single nodes. */
#include "tests/unit/sinks/kube_test.h"

#include "core/json_patch.h"
#include "sinks/kube_when.h"

static bool holds(enum kube_when when, const char *json, const char *pointer)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    const struct kube_facts facts = {.d = d};
    const struct json *node = json_pointer_get(d, slice_str(pointer));
    assert_non_null(node);
    return kube_when(when, &facts, node);
}

static void none_is_a_string_or_a_list_that_begins_with_it(void **state)
{
    (void)state;
    const char *headless = "{'ip':'None','ips':['None'],'a':'10.0.0.1','b':['10.0.0.1'],'c':[]}";
    assert_false(holds(KUBE_UNLESS_NONE, headless, "/ip"));
    assert_false(holds(KUBE_UNLESS_NONE, headless, "/ips"));
    assert_true(holds(KUBE_UNLESS_NONE, headless, "/a"));
    assert_true(holds(KUBE_UNLESS_NONE, headless, "/b"));
    assert_true(holds(KUBE_UNLESS_NONE, headless, "/c"));
}

static void a_manual_selector_must_be_true(void **state)
{
    (void)state;
    assert_false(holds(KUBE_UNLESS_MANUAL_SELECTOR, "{'spec':{'manualSelector':true,'selector':1}}",
                       "/spec/selector"));
    assert_true(holds(KUBE_UNLESS_MANUAL_SELECTOR, "{'spec':{'manualSelector':false,'selector':1}}",
                      "/spec/selector"));
    assert_true(holds(KUBE_UNLESS_MANUAL_SELECTOR, "{'spec':{'selector':1}}", "/spec/selector"));
}

static void an_injected_bundle_is_known_by_its_annotation(void **state)
{
    (void)state;
    assert_true(holds(KUBE_IF_CA_INJECTED,
                      "{'metadata':{'annotations':{'cert-manager.io/inject-ca-from':'a/b'}},'x':1}",
                      "/x"));
    assert_false(holds(
        KUBE_IF_CA_INJECTED,
        "{'metadata':{'annotations':{'cert-manager.io/inject-apiserver-ca':'no'}},'x':1}", "/x"));
    assert_false(holds(KUBE_IF_CA_INJECTED, "{'x':1}", "/x"));
}

static void a_role_is_aggregated_where_it_says_how(void **state)
{
    (void)state;
    assert_true(holds(KUBE_IF_AGGREGATED, "{'aggregationRule':{},'rules':[]}", "/rules"));
    assert_false(holds(KUBE_IF_AGGREGATED, "{'aggregationRule':null,'rules':[]}", "/rules"));
    assert_false(holds(KUBE_IF_AGGREGATED, "{'rules':[]}", "/rules"));
}

static void a_token_is_the_accounts_own_only_by_its_full_name(void **state)
{
    (void)state;
    const char *account = "{'metadata':{'name':'app'},'secrets':[{'name':'app-token-x1'},"
                          "{'name':'app-dockercfg-x'},{'name':'app-registry'},"
                          "{'name':'apple-token-x'}]}";
    assert_true(holds(KUBE_IF_OWN_TOKEN, account, "/secrets/0"));
    assert_true(holds(KUBE_IF_OWN_TOKEN, account, "/secrets/1"));
    assert_false(holds(KUBE_IF_OWN_TOKEN, account, "/secrets/2"));
    assert_false(holds(KUBE_IF_OWN_TOKEN, account, "/secrets/3"));
}

static void a_node_port_is_chosen_where_a_manager_has_it(void **state)
{
    (void)state;
    const char *service =
        "{'metadata':{'managedFields':[{'manager':'kubectl','fieldsV1':{'f:spec':{'f:ports':{"
        "'k:{\\'port\\':80,\\'protocol\\':\\'TCP\\'}':{'.':{},'f:nodePort':{}},"
        "'k:{\\'port\\':81,\\'protocol\\':\\'TCP\\'}':{'.':{},'f:port':{}}}}}}]},"
        "'spec':{'ports':[{'port':80,'protocol':'TCP','nodePort':30080},"
        "{'port':81,'protocol':'TCP','nodePort':30081},{'port':80,'nodePort':30080},"
        "{'port':80,'protocol':'UDP','nodePort':30082}]}}";
    assert_false(holds(KUBE_UNLESS_CHOSEN, service, "/spec/ports/0/nodePort"));
    assert_true(holds(KUBE_UNLESS_CHOSEN, service, "/spec/ports/1/nodePort"));
    assert_false(holds(KUBE_UNLESS_CHOSEN, service, "/spec/ports/2/nodePort"));
    assert_true(holds(KUBE_UNLESS_CHOSEN, service, "/spec/ports/3/nodePort"));
}

static void a_node_port_is_chosen_where_it_was_applied(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *d =
        kt_parse("{'spec':{'ports':[{'port':80,'nodePort':30080},{'port':81,'nodePort':30081}]}}");
    AUTO(json_freep)
    struct json_doc *applied = kt_parse("{'spec':{'ports':[{'port':80,'nodePort':30080}]}}");
    const struct kube_facts facts = {.d = d, .applied = applied};
    assert_false(kube_when(KUBE_UNLESS_CHOSEN, &facts,
                           json_pointer_get(d, SLICE("/spec/ports/0/nodePort"))));
    assert_true(kube_when(KUBE_UNLESS_CHOSEN, &facts,
                          json_pointer_get(d, SLICE("/spec/ports/1/nodePort"))));
}

static bool scaled(const char *entry)
{
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    buf_addf(&json, "{'metadata':{'managedFields':[{},%s]}}", entry);
    AUTO(json_freep) struct json_doc *d = kt_parse(json.p);
    return kube_scaled(d);
}

static void only_the_autoscaler_through_the_scale_subresource_counts(void **state)
{
    (void)state;
    assert_true(scaled("{'manager':'kube-controller-manager','subresource':'scale',"
                       "'fieldsV1':{'f:spec':{'f:replicas':{}}}}"));
    assert_false(scaled("{'manager':'kubectl','subresource':'scale',"
                        "'fieldsV1':{'f:spec':{'f:replicas':{}}}}"));
    assert_false(scaled("{'manager':'kube-controller-manager','subresource':'status',"
                        "'fieldsV1':{'f:status':{}}}"));
    AUTO(json_freep) struct json_doc *bare = kt_parse("{'metadata':{}}");
    assert_false(kube_scaled(bare));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_a_string_or_a_list_that_begins_with_it),
        cmocka_unit_test(a_manual_selector_must_be_true),
        cmocka_unit_test(an_injected_bundle_is_known_by_its_annotation),
        cmocka_unit_test(a_role_is_aggregated_where_it_says_how),
        cmocka_unit_test(a_token_is_the_accounts_own_only_by_its_full_name),
        cmocka_unit_test(a_node_port_is_chosen_where_a_manager_has_it),
        cmocka_unit_test(a_node_port_is_chosen_where_it_was_applied),
        cmocka_unit_test(only_the_autoscaler_through_the_scale_subresource_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

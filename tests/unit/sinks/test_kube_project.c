/* Projection: what is cut, what is set, and that all else stays byte for byte. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_project.h"
#include "sinks/kube_rules.h"

struct kind {
    const char *group, *resource, *api_version, *kind;
};
static const struct kind config_map = {"", "configmaps", "v1", "ConfigMap"};
static const struct kind service = {"", "services", "v1", "Service"};
static const struct kind job = {"batch", "jobs", "batch/v1", "Job"};
static const struct kind cron_job = {"batch", "cronjobs", "batch/v1", "CronJob"};

static enum rc project(const struct kind *k, const char *json, bool effects, struct buf *out,
                       struct err *e)
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    const struct kube_project_opts opts = {
        .rule = kube_rule_find(slice_str(k->group), slice_str(k->resource)),
        .api_version = slice_str(k->api_version),
        .kind = slice_str(k->kind),
        .effects_allow = effects,
    };
    return kube_project(d, &opts, out, e);
}

static void assert_projects(const struct kind *k, const char *json, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    assert_int_equal(project(k, json, false, &out, &e), RC_OK);
    kt_assert_text(buf_slice(&out), want);
}

static void what_belongs_to_the_source_alone_is_cut(void **state)
{
    (void)state;
    assert_projects(
        &config_map,
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','uid':'u','generation':3,"
        "'resourceVersion':'7','creationTimestamp':'t','selfLink':'s','managedFields':[{}],"
        "'generateName':'a-','ownerReferences':[{}],'finalizers':['f'],'namespace':'n',"
        "'deletionGracePeriodSeconds':0,'labels':{'l':'1'}},'data':{'k':'v'},'status':{'x':1}}",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'n',"
        "'labels':{'l':'1'}},'data':{'k':'v'}}");
}

static void untouched_members_keep_every_byte(void **state)
{
    (void)state;
    assert_projects(
        &config_map,
        "{ 'kind' : 'ConfigMap',\n 'apiVersion':'v1', 'metadata':{'name':'a', 'uid':'u'},"
        " 'data': {'n':9007199254740993, 'f':1.0, 'e':1e400, 'z':'\\u0000\\ud800', "
        "'d':1,'d':2, 'o':{}, 'l':[ ], 'x':null}}",
        "{ 'kind' : 'ConfigMap',\n 'apiVersion':'v1', 'metadata':{'name':'a'},"
        " 'data': {'n':9007199254740993, 'f':1.0, 'e':1e400, 'z':'\\u0000\\ud800', "
        "'d':1,'d':2, 'o':{}, 'l':[ ], 'x':null}}");
}

static void an_item_of_a_list_gets_its_version_and_kind_first(void **state)
{
    (void)state;
    assert_projects(&config_map, "{'metadata':{'name':'a'}}",
                    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'}}");
    assert_projects(&config_map, "{'kind':null,'apiVersion':'v1','metadata':{'name':'a'}}",
                    "{'kind':'ConfigMap','apiVersion':'v1','metadata':{'name':'a'}}");
}

static void our_marks_go_and_an_emptied_map_with_them(void **state)
{
    (void)state;
    assert_projects(&config_map,
                    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','annotations':"
                    "{'sync.resilog.io/owner':'v1 x','sync.resilog.io/origin':'v1 y'}}}",
                    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'}}");
    assert_projects(&config_map,
                    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','annotations':"
                    "{'sync.resilog.io/owner':'v1 x','mine':'1'},'labels':{}}}",
                    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','annotations':"
                    "{'mine':'1'},'labels':{}}}");
}

static void a_service_loses_its_addresses_and_allotted_ports(void **state)
{
    (void)state;
    assert_projects(
        &service,
        "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':{'clusterIP':"
        "'10.0.0.1','clusterIPs':['10.0.0.1'],'healthCheckNodePort':30999,'ports':["
        "{'port':80,'nodePort':30080},{'port':81}],'type':'NodePort'}}",
        "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':{'ports':["
        "{'port':80},{'port':81}],'type':'NodePort'}}");
}

static void a_headless_service_stays_headless(void **state)
{
    (void)state;
    const char *headless = "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':"
                           "{'clusterIP':'None','clusterIPs':['None']}}";
    assert_projects(&service, headless, headless);
}

static void a_node_port_that_was_applied_is_kept(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    assert_int_equal(
        project(&service,
                "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','annotations':{"
                "'kubectl.kubernetes.io/last-applied-configuration':"
                "'{\\'spec\\':{\\'ports\\':[{\\'port\\':80,\\'nodePort\\':30080}]}}'}},"
                "'spec':{'ports':[{'port':80,'nodePort':30080},{'port':81,'nodePort':30081}]}}",
                false, &out, &e),
        RC_OK);
    assert_true(kt_has(buf_slice(&out), "30080}"));
    assert_false(kt_has(buf_slice(&out), "30081"));
}

static void a_broken_applied_annotation_chooses_no_port(void **state)
{
    (void)state;
    assert_projects(&service,
                    "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','annotations':{"
                    "'kubectl.kubernetes.io/last-applied-configuration':'{no'}},"
                    "'spec':{'ports':[{'port':80,'nodePort':30080}]}}",
                    "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s','annotations':{"
                    "'kubectl.kubernetes.io/last-applied-configuration':'{no'}},"
                    "'spec':{'ports':[{'port':80}]}}");
}

static void jobs_arrive_suspended_and_without_their_uid(void **state)
{
    (void)state;
    assert_projects(
        &job,
        "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j','labels':{'controller-uid':"
        "'u','batch.kubernetes.io/job-name':'j'}},'spec':{'suspend':false,'selector':"
        "{'matchLabels':{'controller-uid':'u'}},'template':{'metadata':{'labels':{"
        "'batch.kubernetes.io/controller-uid':'u','app':'x'}}}}}",
        "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':{'suspend':true,"
        "'template':{'metadata':{'labels':{'app':'x'}}}}}");
    assert_projects(&cron_job,
                    "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},"
                    "'spec':{'schedule':'* * * * *'}}",
                    "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},"
                    "'spec':{'schedule':'* * * * *','suspend':true}}");
}

static void a_job_with_a_manual_selector_keeps_it(void **state)
{
    (void)state;
    const char *manual = "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':"
                         "{'manualSelector':true,'selector':{'matchLabels':{'a':'b'}},"
                         "'suspend':true}}";
    assert_projects(&job, manual, manual);
}

static void rules_that_a_controller_collects_are_not_sent(void **state)
{
    (void)state;
    const struct kind role = {"rbac.authorization.k8s.io", "clusterroles",
                              "rbac.authorization.k8s.io/v1", "ClusterRole"};
    const char *plain = "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'ClusterRole',"
                        "'metadata':{'name':'r'},'aggregationRule':null,'rules':[{}]}";
    assert_projects(&role, plain, plain);
    assert_projects(&role,
                    "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'ClusterRole',"
                    "'metadata':{'name':'r'},'aggregationRule':{},'rules':[{}]}",
                    "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'ClusterRole',"
                    "'metadata':{'name':'r'},'aggregationRule':{}}");
}

static void a_job_is_not_taken_away_by_a_time_to_live(void **state)
{
    (void)state;
    assert_projects(&job,
                    "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':"
                    "{'suspend':true,'ttlSecondsAfterFinished':60}}",
                    "{'apiVersion':'batch/v1','kind':'Job','metadata':{'name':'j'},'spec':"
                    "{'suspend':true}}");
    const char *nested = "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},'spec':"
                         "{'suspend':true,'jobTemplate':{'spec':{'ttlSecondsAfterFinished':60}}}}";
    assert_projects(&cron_job, nested, nested);
}

static void with_effects_allowed_nothing_is_suspended(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    const char *text = "{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},"
                       "'spec':{'suspend':false}}";
    assert_int_equal(project(&cron_job, text, true, &out, &e), RC_OK);
    kt_assert_text(buf_slice(&out), text);
}

static void the_kinds_of_the_sample_lose_what_their_rows_say(void **state)
{
    (void)state;
    assert_projects(&(struct kind){"apps", "deployments", "apps/v1", "Deployment"},
                    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d',"
                    "'annotations':{'deployment.kubernetes.io/revision':'7','a':'b'}},"
                    "'spec':{'replicas':3}}",
                    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d',"
                    "'annotations':{'a':'b'}},'spec':{'replicas':3}}");
    assert_projects(&(struct kind){"", "namespaces", "v1", "Namespace"},
                    "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'},"
                    "'spec':{'finalizers':['kubernetes']},'status':{'phase':'Active'}}",
                    "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'}}");
    assert_projects(&(struct kind){"", "serviceaccounts", "v1", "ServiceAccount"},
                    "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'sa'},"
                    "'secrets':[{'name':'sa-token-1'},{'name':'sa-token-2'},{'name':'mine'}]}",
                    "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{'name':'sa'},"
                    "'secrets':[{'name':'mine'}]}");
}

static void an_object_without_a_name_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    struct err e = ERR_INIT;
    assert_int_equal(project(&config_map, "{'metadata':{}}", false, &out, &e), RC_INVALID);
    assert_int_equal(project(&config_map, "[]", false, &out, &e), RC_INVALID);
    assert_int_equal(out.n, 0);
}

/* Of a ConfigMap: of the object as it is given, or of what its projection prints. */
static void hash(const char *json, bool printed, uint8_t ret[32])
{
    AUTO(json_freep) struct json_doc *d = kt_parse(json);
    AUTO(json_freep) struct json_doc *again = NULL;
    AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
    const struct kube_project_opts opts = {.rule = kube_rule_find(SLICE(""), SLICE("configmaps")),
                                           .api_version = SLICE("v1"),
                                           .kind = SLICE("ConfigMap")};
    struct err e = ERR_INIT;
    assert_int_equal(kube_project(d, &opts, printed ? &out : NULL, &e), RC_OK);
    if (printed)
        assert_int_equal(json_parse_view(buf_slice(&out), &again, &e), RC_OK);
    assert_int_equal(kube_project_hash(printed ? again : d, &opts, ret, &e), RC_OK);
}

static void the_hash_is_of_the_meaning_not_of_the_spelling(void **state)
{
    (void)state;
    uint8_t a[32], b[32], c[32];
    hash("{'metadata':{'name':'a','uid':'u'},'kind':7,'data':{'a':'1','b':'x'}}", false, a);
    hash("{'data':{ 'b':'\\u0078','a':'0','a':'1'},'kind':'ConfigMap','apiVersion':'v1',"
         "'metadata':{'name':'a'}}",
         false, b);
    hash("{'metadata':{'name':'a','uid':'u'},'data':{'a':'2','b':'x'}}", false, c);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

static void the_hash_is_of_what_is_printed(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{'metadata':{'name':'a'}}",
        "{'kind':null,'apiVersion':[1],'metadata':{'uid':'u','name':'a','annotations':{}}}",
        "{'metadata':{'name':'a','labels':{'z':'1','a':'\\n','z':'2'}},'data':{'k':1.0}}",
        "{'apiVersion':'v2','metadata':{'ownerReferences':[{}],'name':'a'},'kind':'Other'}",
    };
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        uint8_t tree[32], text[32];
        hash(objects[i], false, tree);
        hash(objects[i], true, text);
        assert_memory_equal(tree, text, sizeof tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_belongs_to_the_source_alone_is_cut),
        cmocka_unit_test(untouched_members_keep_every_byte),
        cmocka_unit_test(an_item_of_a_list_gets_its_version_and_kind_first),
        cmocka_unit_test(our_marks_go_and_an_emptied_map_with_them),
        cmocka_unit_test(a_service_loses_its_addresses_and_allotted_ports),
        cmocka_unit_test(a_headless_service_stays_headless),
        cmocka_unit_test(a_node_port_that_was_applied_is_kept),
        cmocka_unit_test(a_broken_applied_annotation_chooses_no_port),
        cmocka_unit_test(jobs_arrive_suspended_and_without_their_uid),
        cmocka_unit_test(a_job_with_a_manual_selector_keeps_it),
        cmocka_unit_test(rules_that_a_controller_collects_are_not_sent),
        cmocka_unit_test(a_job_is_not_taken_away_by_a_time_to_live),
        cmocka_unit_test(with_effects_allowed_nothing_is_suspended),
        cmocka_unit_test(the_kinds_of_the_sample_lose_what_their_rows_say),
        cmocka_unit_test(an_object_without_a_name_is_refused),
        cmocka_unit_test(the_hash_is_of_the_meaning_not_of_the_spelling),
        cmocka_unit_test(the_hash_is_of_what_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

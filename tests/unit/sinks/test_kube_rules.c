/* The rule table: every row is well formed and reachable, and the kinds that matter most have the right one. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_rules.h"
#include "sinks/kube_walk.h"

static const struct kube_rule *find(const char *group, const char *resource)
{
    return kube_rule_find(slice_str(group), slice_str(resource));
}

static void check_path(const char *path)
{
    char text[KUBE_SEGMENT_MAX];
    while (*path) {
        assert_int_equal(path[0], '/');
        assert_int_not_equal(kube_walk_segment(path, text, &path).n, 0);
    }
}

static void every_row_is_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < kube_rules_count; i++) {
        const struct kube_rule *r = &kube_rules[i];
        assert_true((r->star == KUBE_STAR_NEVER) == (r->why != NULL));
        for (const struct kube_cut *c = r->cut; c && c->path; c++)
            check_path(c->path);
        for (const struct kube_retain *k = r->retain; k && k->path; k++) {
            check_path(k->path);
            assert_true((strstr(k->path, "/*/") != NULL) == (k->keys[0] != NULL));
            assert_true((k->how == KUBE_RETAIN_ELEMENTS) == (k->when != KUBE_ALWAYS));
        }
        if (r->suspend)
            check_path(r->suspend);
        if (r->service)
            check_path(r->service);
        if (r->undeletable)
            assert_int_equal(r->recreate, KUBE_RECREATE_NEVER);
    }
    for (size_t i = 0; i < kube_skips_count; i++) {
        check_path(kube_skips[i].path);
        assert_non_null(kube_skips[i].why);
    }
    for (const struct kube_cut *c = kube_common_cuts; c->path; c++)
        check_path(c->path);
}

static void no_row_hides_a_later_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < kube_rules_count; i++) {
        const struct kube_rule *r = &kube_rules[i];
        if (r->group[0] != '*' && r->resource[0] != '*')
            assert_ptr_equal(find(r->group, r->resource), r);
    }
    const struct kube_rule *last = &kube_rules[kube_rules_count - 1];
    assert_ptr_equal(find("example.com", "widgets"), last);
    assert_ptr_equal(find("", "unheardof"), last);
}

struct kind {
    const char *group, *resource;
};

/* Written down by hand, one row a kind, from what may never reach a second cluster; not taken from the table. */
static const struct kind never[] = {
    {"", "events"},
    {"events.k8s.io", "events"},
    {"", "nodes"},
    {"", "bindings"},
    {"", "componentstatuses"},
    {"coordination.k8s.io", "leases"},
    {"coordination.k8s.io", "leasecandidates"},
    {"storage.k8s.io", "csinodes"},
    {"storage.k8s.io", "volumeattachments"},
    {"storage.k8s.io", "csistoragecapacities"},
    {"resource.k8s.io", "resourceslices"},
    {"networking.k8s.io", "ipaddresses"},
    {"certificates.k8s.io", "certificatesigningrequests"},
    {"certificates.k8s.io", "podcertificaterequests"},
    {"internal.apiserver.k8s.io", "storageversions"},
    {"storagemigration.k8s.io", "storageversionmigrations"},
    {"authentication.k8s.io", "tokenreviews"},
    {"authentication.k8s.io", "selfsubjectreviews"},
    {"authorization.k8s.io", "subjectaccessreviews"},
    {"authorization.k8s.io", "selfsubjectaccessreviews"},
    {"authorization.k8s.io", "selfsubjectrulesreviews"},
    {"authorization.k8s.io", "localsubjectaccessreviews"},
    {"metrics.k8s.io", "pods"},
    {"metrics.k8s.io", "nodes"},
    {"custom.metrics.k8s.io", "pods"},
    {"external.metrics.k8s.io", "queue_length"},
    {"projectcalico.org", "networkpolicies"},
    {"projectcalico.org", "ippools"},
    {"velero.io", "backups"},
    {"velero.io", "restores"},
    {"velero.io", "backuprepositories"},
    {"velero.io", "schedules"},
    {"automation.astronetes.io", "livesynchronizations"},
    {"automation.astronetes.io", "synchronizations"},
    {"automation.astronetes.io", "taskruns"},
    {"assets.astronetes.io", "kubernetesclusters"},
    {"assets.astronetes.io", "buckets"},
};

static const struct kind by_name_only[] = {
    {"", "pods"},
    {"", "endpoints"},
    {"discovery.k8s.io", "endpointslices"},
    {"", "persistentvolumes"},
    {"", "persistentvolumeclaims"},
    {"resource.k8s.io", "resourceclaims"},
    {"resource.k8s.io", "devicetaintrules"},
    {"networking.k8s.io", "servicecidrs"},
    {"apiregistration.k8s.io", "apiservices"},
    {"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
    {"admissionregistration.k8s.io", "validatingwebhookconfigurations"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicies"},
    {"admissionregistration.k8s.io", "validatingadmissionpolicybindings"},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicies"},
    {"admissionregistration.k8s.io", "mutatingadmissionpolicybindings"},
    {"batch", "jobs"},
    {"batch", "cronjobs"},
    {"apps", "controllerrevisions"},
};

static const struct kind taken_by_the_star[] = {
    {"apps", "deployments"},
    {"apps", "statefulsets"},
    {"apps", "daemonsets"},
    {"apps", "replicasets"},
    {"", "replicationcontrollers"},
    {"", "services"},
    {"networking.k8s.io", "ingresses"},
    {"networking.k8s.io", "ingressclasses"},
    {"networking.k8s.io", "networkpolicies"},
    {"", "namespaces"},
    {"", "configmaps"},
    {"", "secrets"},
    {"", "serviceaccounts"},
    {"", "resourcequotas"},
    {"", "limitranges"},
    {"", "podtemplates"},
    {"policy", "poddisruptionbudgets"},
    {"autoscaling", "horizontalpodautoscalers"},
    {"rbac.authorization.k8s.io", "roles"},
    {"rbac.authorization.k8s.io", "clusterroles"},
    {"rbac.authorization.k8s.io", "rolebindings"},
    {"rbac.authorization.k8s.io", "clusterrolebindings"},
    {"scheduling.k8s.io", "priorityclasses"},
    {"storage.k8s.io", "storageclasses"},
    {"storage.k8s.io", "volumeattributesclasses"},
    {"storage.k8s.io", "csidrivers"},
    {"resource.k8s.io", "deviceclasses"},
    {"resource.k8s.io", "resourceclaimtemplates"},
    {"node.k8s.io", "runtimeclasses"},
    {"flowcontrol.apiserver.k8s.io", "flowschemas"},
    {"certificates.k8s.io", "clustertrustbundles"},
    {"apiextensions.k8s.io", "customresourcedefinitions"},
    {"crd.projectcalico.org", "networkpolicies"},
    {"example.com", "events"}, /* the same words of another group */
    {"example.com", "leases"},
    {"example.com", "nodes"},
    {"notvelero.io", "backups"},
    {"astronetes.io", "widgets"}, /* only the groups below it are ours */
};

static void assert_star(const struct kind *kinds, size_t n, enum kube_star star)
{
    for (size_t i = 0; i < n; i++)
        if (find(kinds[i].group, kinds[i].resource)->star != star)
            fail_msg("%s/%s: what '*' takes of it is wrong", kinds[i].group, kinds[i].resource);
}

#define STAR(kinds, star) assert_star(kinds, sizeof(kinds) / sizeof *(kinds), star)

static void what_is_bound_to_one_cluster_is_never_copied(void **state)
{
    (void)state;
    STAR(never, KUBE_STAR_NEVER);
}

static void the_star_takes_workloads_but_neither_jobs_nor_volumes(void **state)
{
    (void)state;
    STAR(taken_by_the_star, KUBE_STAR_YES);
    STAR(by_name_only, KUBE_STAR_NAME_ONLY);
}

static void only_what_loses_nothing_is_recreated(void **state)
{
    (void)state;
    assert_int_equal(find("", "configmaps")->recreate, KUBE_RECREATE_YES);
    assert_int_equal(find("", "secrets")->recreate, KUBE_RECREATE_YES);
    assert_int_equal(find("rbac.authorization.k8s.io", "rolebindings")->recreate,
                     KUBE_RECREATE_YES);
    assert_int_equal(find("batch", "jobs")->recreate, KUBE_RECREATE_YES);
    assert_int_equal(find("apps", "deployments")->recreate, KUBE_RECREATE_ASK);
    assert_int_equal(find("", "services")->recreate, KUBE_RECREATE_ASK);
    assert_int_equal(find("", "namespaces")->recreate, KUBE_RECREATE_NEVER);
    assert_true(find("", "namespaces")->undeletable);
    assert_true(find("apiextensions.k8s.io", "customresourcedefinitions")->undeletable);
    assert_true(find("", "persistentvolumeclaims")->undeletable);
    assert_false(find("", "configmaps")->undeletable);
}

static void what_others_need_comes_before_them(void **state)
{
    (void)state;
    assert_true(find("", "namespaces")->order < find("", "configmaps")->order);
    assert_true(find("", "secrets")->order < find("apps", "deployments")->order);
    assert_true(find("", "services")->order <
                find("admissionregistration.k8s.io", "validatingwebhookconfigurations")->order);
    assert_true(find("apiextensions.k8s.io", "customresourcedefinitions")->order <
                find("example.com", "widgets")->order);
}

static void a_glob_ends_in_a_star_or_is_exact(void **state)
{
    (void)state;
    assert_true(kube_glob("system:*", SLICE("system:node")));
    assert_true(kube_glob("a", SLICE("a")));
    assert_false(kube_glob("a", SLICE("ab")));
    assert_false(kube_glob("system:*", SLICE("sys")));
    assert_true(kube_glob("*", SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_well_formed),
        cmocka_unit_test(no_row_hides_a_later_one),
        cmocka_unit_test(what_is_bound_to_one_cluster_is_never_copied),
        cmocka_unit_test(the_star_takes_workloads_but_neither_jobs_nor_volumes),
        cmocka_unit_test(only_what_loses_nothing_is_recreated),
        cmocka_unit_test(what_others_need_comes_before_them),
        cmocka_unit_test(a_glob_ends_in_a_star_or_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

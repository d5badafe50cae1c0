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
            assert_true((k->how == KUBE_RETAIN_BY_KEY) == (k->keys[0] != NULL));
            assert_true((k->how == KUBE_RETAIN_BY_KEY) == (strstr(k->path, "/*/") != NULL));
        }
        if (r->suspend)
            check_path(r->suspend);
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

static void the_star_takes_workloads_but_neither_jobs_nor_volumes(void **state)
{
    (void)state;
    static const struct {
        const char *group, *resource;
        enum kube_star star;
    } want[] = {
        {"apps", "deployments", KUBE_STAR_YES},
        {"apps", "statefulsets", KUBE_STAR_YES},
        {"apps", "daemonsets", KUBE_STAR_YES},
        {"", "services", KUBE_STAR_YES},
        {"networking.k8s.io", "ingresses", KUBE_STAR_YES},
        {"", "secrets", KUBE_STAR_YES},
        {"", "pods", KUBE_STAR_NAME_ONLY},
        {"batch", "jobs", KUBE_STAR_NAME_ONLY},
        {"batch", "cronjobs", KUBE_STAR_NAME_ONLY},
        {"", "persistentvolumeclaims", KUBE_STAR_NAME_ONLY},
        {"admissionregistration.k8s.io", "mutatingwebhookconfigurations", KUBE_STAR_NAME_ONLY},
        {"admissionregistration.k8s.io", "validatingadmissionpolicies", KUBE_STAR_NAME_ONLY},
        {"", "events", KUBE_STAR_NEVER},
        {"", "nodes", KUBE_STAR_NEVER},
        {"coordination.k8s.io", "leases", KUBE_STAR_NEVER},
        {"automation.astronetes.io", "livesynchronizations", KUBE_STAR_NEVER},
        {"custom.metrics.k8s.io", "pods", KUBE_STAR_NEVER},
        {"projectcalico.org", "networkpolicies", KUBE_STAR_NEVER},
        {"crd.projectcalico.org", "networkpolicies", KUBE_STAR_YES},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(find(want[i].group, want[i].resource)->star, want[i].star);
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
        cmocka_unit_test(the_star_takes_workloads_but_neither_jobs_nor_volumes),
        cmocka_unit_test(only_what_loses_nothing_is_recreated),
        cmocka_unit_test(what_others_need_comes_before_them),
        cmocka_unit_test(a_glob_ends_in_a_star_or_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

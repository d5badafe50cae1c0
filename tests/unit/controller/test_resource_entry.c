/* controller/resource_entry: which kind an entry names, its filters and its choices. */
#include "tests/unit/controller/resource_rig.h"

#include "controller/resource_kinds.h"

#include "core/json.h"
#include "core/regex.h"
#include "flow/selector.h"

#define AT0     "spec.config.replication.resources[0]"
#define FILTERS RESOURCES "      - version: v1\n        resource: configmaps\n        filters:\n"
#define NAMES   FILTERS "          nameSelector:\n"

static void an_entry_names_a_group_a_version_and_a_resource(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {}\n",
         "error f.yaml:11:9 " AT0 ": the field \"resource\" is missing: a string is needed\n"},
        {RESOURCES "      - {version: v1, resource: ''}\n",
         "error f.yaml:11:23 " AT0 ".resource: must not be empty\n"},
        {RESOURCES "      - {group: core, version: v1, resource: configmaps}\n",
         "error f.yaml:11:10 " AT0 ".group: the core group is written \"\", not \"core\"\n"},
        {RESOURCES "      - {group: apps/v1, version: v1, resource: deployments}\n",
         "error f.yaml:11:10 " AT0
         ".group: \"apps/v1\" is no API group: allowed are \"\" and lower-case letters, digits, "
         "'-' and '.', beginning and ending with a letter or digit, at most 253 characters\n"},
        {RESOURCES "      - {group: apps, version: apps/v1, resource: deployments}\n",
         "error f.yaml:11:23 " AT0 ".version: \"apps/v1\" is no version: one like v1 or v1beta1 is "
         "expected, without its group\n"},
        {RESOURCES "      - {group: 1, version: 2, resource: 3}\n",
         "error f.yaml:11:10 " AT0
         ".group: must be a string, found the number 1: put it in quotes\n"
         "error f.yaml:11:20 " AT0
         ".version: must be a string, found the number 2: put it in quotes\n"
         "error f.yaml:11:32 " AT0
         ".resource: must be a string, found the number 3: put it in quotes\n"},
        {RESOURCES
         "      - {group: apps, resourcesVersion: v1, version: v1, resource: deployments}\n",
         "error f.yaml:11:23 " AT0
         ".resourcesVersion: unknown field \"resourcesVersion\"; allowed: group, version, "
         "resource, filters, transformation, recoveryProcess, adopt, effects, writeMode, recreate, "
         "namespaces\n"},
        {RESOURCES "      - {version: v1, resource: pods/log}\n",
         "error f.yaml:11:23 " AT0
         ".resource: \"pods/log\": subresources are not copied; name the resource alone\n"},
        {RESOURCES "      - {version: v1, resource: configmaps, patch: [], selector: {}}\n",
         "error f.yaml:11:45 " AT0 ".patch: does not belong here; write it in transformation\n"
         "error f.yaml:11:56 " AT0 ".selector: does not belong here; write it in filters\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_version_left_out_is_the_one_that_the_source_prefers(void **state)
{
    (void)state;
    static const char *const entries[] = {"{resource: configmaps}",
                                          "{version: '', resource: configmaps}",
                                          "{version: '*', resource: configmaps}"};
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        char text[2048];
        snprintf(text, sizeof text, RESOURCES "      - %s\n", entries[i]);
        struct resources *r = rig_read(text);
        assert_int_equal(resources_errors(r), 0);
        const struct replication_entry *entry = &resources_sync(r, 0)->replication.entries[0];
        assert_int_equal(entry->version.n, 0);
        assert_true(slice_eq(entry->resource, SLICE("configmaps")));
        resources_free(r);
    }
}

static void a_star_stands_for_a_group_or_a_resource_that_it_may_take(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {group: '*', version: v1, resource: deployments}\n", ""},
        {RESOURCES "      - {group: apps, version: '*', resource: '*'}\n", ""},
        {RESOURCES "      - {group: '*', version: '*', resource: '*'}\n", ""},
        {RESOURCES "      - {group: '*', resource: pods}\n", ""},
        {RESOURCES "      - {group: '*', resource: Widget}\n",
         "error f.yaml:11:22 " AT0
         ".resource: \"Widget\" is no resource: its plural name in lower case is expected\n"},
        {RESOURCES "      - {group: '*', resource: nodes}\n",
         "error f.yaml:11:22 " AT0
         ".resource: resource \"nodes\" of group \"*\" takes nothing: it describes the source "
         "cluster's nodes and volumes\n"},
        {RESOURCES "      - {group: velero.io, resource: '*'}\n",
         "error f.yaml:11:28 " AT0
         ".resource: resource \"*\" of group \"velero.io\" takes nothing: it would start the "
         "source's backups and restores a second time\n"},
        {RESOURCES "      - {group: admissionregistration.k8s.io, resource: '*'}\n",
         "error f.yaml:11:47 " AT0
         ".resource: resource \"*\" of group \"admissionregistration.k8s.io\" takes nothing: it is "
         "taken by its name only: name the resource\n"},
        {RESOURCES "      - {group: apps, version: v1, resource: '*'}\n"
                   "      - {group: apps, version: v1beta1, resource: '*'}\n",
         "warning f.yaml:12:9 spec.config.replication.resources[1]: resource \"*\" of group "
         "\"apps\" is also in entry 0: an object goes by the first entry that selects it\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_kind_instead_of_a_resource_or_a_spelling_mistake_names_the_nearest(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {group: apps, version: v1, resource: Deployment}\n",
         "error f.yaml:11:36 " AT0 ".resource: \"Deployment\" is no resource: its plural name in "
         "lower case is expected; did you mean \"deployments\"?\n"},
        {RESOURCES "      - {group: apps, version: v1, resource: deployment}\n",
         "error f.yaml:11:36 " AT0 ".resource: \"deployment\" is not known in group \"apps\"; "
         "did you mean \"deployments\"?\n"},
        {RESOURCES "      - {version: v1, resource: deployments}\n",
         "error f.yaml:11:23 " AT0
         ".resource: \"deployments\" is not known in group \"\"; did you mean group \"apps\"?\n"},
        {RESOURCES "      - {version: v1, resource: configmap}\n",
         "error f.yaml:11:23 " AT0
         ".resource: \"configmap\" is not known in group \"\"; did you mean \"configmaps\"?\n"},
        {RESOURCES "      - {group: networking.k8s.io, version: v1, resource: ingress}\n",
         "warning f.yaml:11:49 " AT0 ".resource: \"ingress\" is not known in group "
         "\"networking.k8s.io\"; did you mean \"ingresses\"?\n"},
        {RESOURCES "      - {version: v1, resource: podtemplates}\n",
         ""}, /* without a rule of its own */
        {RESOURCES "      - {group: example.com, version: v1, resource: widgets}\n", ""},
        {RESOURCES "      - {group: example.com, version: v1, resource: Widget}\n",
         "error f.yaml:11:43 " AT0
         ".resource: \"Widget\" is no resource: its plural name in lower case is expected\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void what_is_never_copied_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: events}\n",
         "error f.yaml:11:23 " AT0 ".resource: \"events\" of group \"\" is never copied: it is a "
         "diary of the source cluster\n"},
        {RESOURCES "      - {version: v1, resource: nodes}\n",
         "error f.yaml:11:23 " AT0 ".resource: \"nodes\" of group \"\" is never copied: it "
         "describes the source cluster's nodes and volumes\n"},
        {RESOURCES "      - {group: coordination.k8s.io, version: v1, resource: leases}\n",
         "error f.yaml:11:51 " AT0 ".resource: \"leases\" of group \"coordination.k8s.io\" is "
         "never copied: it elects a leader within one cluster\n"},
        {RESOURCES
         "      - {group: automation.astronetes.io, version: v1alpha1, resource: tasks}\n",
         "error f.yaml:11:62 " AT0
         ".resource: \"tasks\" of group \"automation.astronetes.io\" is never copied: it would "
         "start a second replication from the destination\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void selectors_are_checked_to_the_last_value(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {FILTERS "          selector: {matchLabels: {sync: true}}\n",
         "error f.yaml:14:36 " AT0 ".filters.selector.matchLabels.sync: must be a string, found "
         "the boolean true: put it in quotes\n"},
        {FILTERS "          selector: {matchLabels: {'a b': c}}\n",
         "error f.yaml:14:11 " AT0
         ".filters.selector: matchLabels: \"a b\" is no label key: [prefix/]name, the name at most "
         "63 letters, digits, '-', '_', '.'\n"},
        {FILTERS "          selector: {matchLabels: {a: '-'}}\n",
         "error f.yaml:14:11 " AT0 ".filters.selector: matchLabels: the value of label \"a\" must "
         "be a string of at most 63 letters, digits, '-', '_', '.'\n"},
        {FILTERS "          namespaceSelector: {matchLabel: {a: b}}\n",
         "error f.yaml:14:31 " AT0
         ".filters.namespaceSelector.matchLabel: unknown field \"matchLabel\"; did you mean "
         "\"matchLabels\"? allowed: matchLabels, matchExpressions\n"},
        {FILTERS "          selector: {matchExpressions: [{key: a, operator: in, values: [x]}]}\n",
         "error f.yaml:14:50 " AT0
         ".filters.selector.matchExpressions[0].operator: \"in\" is not allowed; did you mean "
         "\"In\"? allowed: In, NotIn, Exists, DoesNotExist\n"},
        {FILTERS "          selector: {matchExpressions: [{key: a, operator: In, values: []}]}\n",
         "error f.yaml:14:11 " AT0
         ".filters.selector: matchExpressions[0]: operator In needs at least one value\n"},
        {FILTERS
         "          selector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}\n",
         "error f.yaml:14:11 " AT0
         ".filters.selector: matchExpressions[0]: operator Exists takes no values\n"},
        {FILTERS "          selector: {matchExpressions: [{operator: In, values: x}]}\n",
         "error f.yaml:14:41 " AT0
         ".filters.selector.matchExpressions[0]: the field \"key\" is missing: a string is needed\n"
         "error f.yaml:14:56 " AT0 ".filters.selector.matchExpressions[0].values: must be a list, "
         "found the string \"x\": begin every item with \"- \"\n"},
        {FILTERS "          selector: []\n",
         "error f.yaml:14:11 " AT0 ".filters.selector: must be a mapping, found a list\n"},
        {FILTERS "          selector: {}\n", ""},
        {FILTERS "          label: {}\n",
         "error f.yaml:14:11 " AT0 ".filters.label: unknown field \"label\"; allowed: selector, "
         "namespaceSelector, nameSelector\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void regular_expressions_are_checked_with_their_place(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {NAMES "            regex: ['a(']\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: regular expression, at "
         "character 3: missing closing parenthesis\n"},
        {NAMES "            regex: ['[']\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: regular expression, at "
         "character 1: this [ is never closed\n"},
        {NAMES "            regex: ['(?=x)']\n",
         "error f.yaml:15:21 " AT0
         ".filters.nameSelector.regex[0]: regular expression, at character 1: after (? only a name "
         "like (?P<name>...), the flags i m s U and : are supported; there is no look-around, "
         "recursion, condition, callout, comment or atomic group\n"},
        {NAMES "            regex: ['a{2,1}']\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: regular expression, at "
         "character 6: numbers out of order in {} quantifier\n"},
        {NAMES "            regex: ['']\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: must not be empty\n"},
        {NAMES "            regex: [5]\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: must be a string, found the "
         "number 5: put it in quotes\n"},
        {NAMES "            regex: config.*\n",
         "error f.yaml:15:13 " AT0 ".filters.nameSelector.regex: must be a list, found the string "
         "\"config.*\": begin every item with \"- \"\n"},
        {NAMES "            regex: ['*(']\n",
         "error f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: regular expression, at "
         "character 1: quantifier does not follow a repeatable item\n"},
        {NAMES "            regex: ['*.test', '*-a*']\n",
         "warning f.yaml:15:21 " AT0 ".filters.nameSelector.regex[0]: \"*.test\" is no regular "
         "expression: taken as \"^.*\\.test$\"\n"
         "warning f.yaml:15:31 " AT0 ".filters.nameSelector.regex[1]: \"*-a*\" is no regular "
         "expression: taken as \"^.*-a.*$\"\n"},
        {NAMES "            regex: ['a\\\\']\n", ""},
        {FILTERS "          nameSelector: {excludeRegexp: [x]}\n",
         "error f.yaml:14:26 " AT0
         ".filters.nameSelector.excludeRegexp: unknown field \"excludeRegexp\"; did you mean "
         "\"excludeRegex\"? allowed: regex, excludeRegex\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void adopt_effects_and_the_modes_have_few_values(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps, adopt: Always, effects: no}\n",
         "error f.yaml:11:45 " AT0 ".adopt: \"Always\" is not allowed; did you mean \"always\"? "
         "allowed: equal, never, always\n"
         "error f.yaml:11:60 " AT0
         ".effects: must be one of suspend, allow, found the boolean false\n"},
        {RESOURCES "      - {version: v1, resource: configmaps, writeMode: apply, recreate: ask, "
                   "namespaces: [a]}\n",
         ""},
        {RESOURCES "      - {version: v1, resource: configmaps, namespaces: []}\n", ""},
        {RESOURCES "      - {version: v1, resource: configmaps, writeMode: patch, recreate: yes, "
                   "namespaces: a}\n",
         "error f.yaml:11:45 " AT0 ".writeMode: \"patch\" is not allowed; allowed: merge, apply\n"
         "error f.yaml:11:63 " AT0
         ".recreate: must be one of ask, always, never, found the boolean true\n"
         "error f.yaml:11:78 " AT0
         ".namespaces: must be a list, found the string \"a\": begin every item with \"- \"\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void namespaces_are_names_and_no_selector_stands_beside_them(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {RESOURCES "      - {version: v1, resource: configmaps, namespaces: [a, b-1]}\n", ""},
        {RESOURCES "      - {version: v1, resource: configmaps, namespaces: [a, B*]}\n",
         "error f.yaml:11:61 " AT0 ".namespaces[1]: \"B*\" is no namespace: " KIND_NAMESPACE_RULE
         "\n"},
        {RESOURCES "      - {version: v1, resource: configmaps, namespaces: [a], "
                   "filters: {namespaceSelector: {matchLabels: {x: z}}}}\n",
         "error f.yaml:11:45 " AT0
         ".namespaces: namespaces and filters.namespaceSelector exclude each other: name the "
         "namespaces, or select them by labels\n"},
        {RESOURCES "      - {group: '*', resource: '*', namespaces: [a]}\n",
         "error f.yaml:11:37 " AT0
         ".namespaces: namespaces and '*' exclude each other: name each kind in an entry of its "
         "own\n"},
        {RESOURCES "      - {group: apps, resource: deployments, namespaces: [a]}\n", ""},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static const struct replication_entry *entry_of(const struct resources *r)
{
    return &resources_sync(r, 0)->replication.entries[0];
}

static bool finds(const struct regex *regex, const char *text)
{
    bool found = false;
    struct err e = ERR_INIT;
    assert_int_equal(regex_search(regex, slice_str(text), &found, &e), RC_OK);
    return found;
}

static void name_patterns_are_searched_and_a_glob_is_matched_whole(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - version: v1\n        resource: configmaps\n"
                                             "        filters:\n          nameSelector:\n"
                                             "            regex: [\"config.*\", \"^x$\"]\n"
                                             "            excludeRegex: [\"*.test\"]\n");
    const struct replication_entry *e = entry_of(r);
    assert_int_equal(e->n_names, 2);
    assert_int_equal(e->n_not_names, 1);
    assert_true(finds(e->names[0], "my-config"));
    assert_false(finds(e->names[1], "xx"));
    assert_true(finds(e->not_names[0], "a.test"));
    assert_true(finds(e->not_names[0], ".test"));
    assert_false(finds(e->not_names[0], "a.test.b"));
    assert_false(finds(e->not_names[0], "atest"));
}

static void label_selectors_become_selectors(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(RESOURCES "      - version: v1\n        resource: configmaps\n"
                                             "        filters: {selector: {matchLabels: {a: b}}, "
                                             "namespaceSelector: {}}\n");
    AUTO(json_freep) struct json_doc *labels = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(json_parse(SLICE("{\"a\":\"b\"}"), &labels, &e), RC_OK);
    assert_true(selector_matches(entry_of(r)->selector, labels, json_root(labels)));
    assert_false(selector_matches(entry_of(r)->selector, NULL, NULL));
    assert_non_null(entry_of(r)->ns_selector);
    assert_true(selector_matches(entry_of(r)->ns_selector, NULL, NULL));
}

static void more_patterns_than_allowed_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf yaml = BUF_INIT(1 << 20);
    buf_add_str(&yaml, RESOURCES "      - version: v1\n        resource: configmaps\n"
                                 "        filters: {nameSelector: {regex: [x");
    for (size_t i = 0; i < 100; i++)
        buf_add_str(&yaml, ", x");
    buf_add_str(&yaml, "]}}\n");
    rig_expect(yaml.p, "error f.yaml:13:34 "
                       "spec.config.replication.resources[0].filters.nameSelector.regex: 101 "
                       "patterns, the most allowed is 100; join them with '|'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_version_left_out_is_the_one_that_the_source_prefers,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_entry_names_a_group_a_version_and_a_resource, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_star_stands_for_a_group_or_a_resource_that_it_may_take,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            a_kind_instead_of_a_resource_or_a_spelling_mistake_names_the_nearest, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_never_copied_is_refused_with_the_reason, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(selectors_are_checked_to_the_last_value, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(regular_expressions_are_checked_with_their_place, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(adopt_effects_and_the_modes_have_few_values, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(namespaces_are_names_and_no_selector_stands_beside_them,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(name_patterns_are_searched_and_a_glob_is_matched_whole,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(label_selectors_become_selectors, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(more_patterns_than_allowed_are_refused, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

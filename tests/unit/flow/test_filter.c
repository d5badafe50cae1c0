#include "tests/unit/flow/flow_test.h"

#include "flow/filter.h"

/* One entry is a struct replication_entry; the tests fill what they need and free it again. */
static void entry_done(struct replication_entry *entry)
{
    selector_free(entry->selector);
    selector_free(entry->ns_selector);
    for (size_t i = 0; i < entry->n_names; i++)
        regex_free(entry->names[i]);
    for (size_t i = 0; i < entry->n_not_names; i++)
        regex_free(entry->not_names[i]);
}

struct asked {
    const char *key, *object, *ns_labels; /* ns_labels NULL: the namespace is not known */
};

static enum filter_verdict decide_by(const struct replication *r, const struct asked *what,
                                     const struct replication_entry **ret)
{
    AUTO(json_freep) struct json_doc *object = ft_parse(what->object);
    AUTO(json_freep) struct json_doc *labels = what->ns_labels ? ft_parse(what->ns_labels) : NULL;
    struct filter_input in = {.object = object, .ns_labels = labels};
    assert_ok(key_parse(slice_str(what->key), &in.key, NULL));
    in.ns_known = in.key.ns.n == 0 || labels;
    const struct replication_entry *entry = NULL;
    enum filter_verdict verdict = filter_decide(r, &in, &entry);
    assert_true((verdict == FILTER_SELECTED) == (entry != NULL));
    if (ret)
        *ret = entry;
    return verdict;
}

static enum filter_verdict decide(const struct replication_entry *entries, size_t n,
                                  const struct asked *what, const struct replication_entry **ret)
{
    return decide_by(&(struct replication){.entries = entries, .n_entries = n}, what, ret);
}

#define CONFIGMAPS .version = SLICE("v1"), .resource = SLICE("configmaps")
#define PLAIN      "{'metadata':{'name':'a'}}"

static void a_resource_that_no_entry_names_is_unrelated(void **state)
{
    (void)state;
    struct replication_entry entry = {CONFIGMAPS};
    struct replication r = {.entries = &entry, .n_entries = 1};
    assert_int_equal(decide(&entry, 1, &(struct asked){"/secrets/n/a", PLAIN, "{}"}, NULL),
                     FILTER_UNRELATED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"g/configmaps/n/a", PLAIN, "{}"}, NULL),
                     FILTER_UNRELATED);
    assert_int_equal(decide(NULL, 0, &(struct asked){"/configmaps/n/a", PLAIN, "{}"}, NULL),
                     FILTER_UNRELATED);
    assert_true(filter_names(&r, SLICE("/configmaps/n/a")));
    assert_false(filter_names(&r, SLICE("g/configmaps/n/a")));
}

static void only_the_namespaces_of_the_entry_are_selected_known_or_not(void **state)
{
    (void)state;
    const struct slice namespaces[] = {SLICE("a"), SLICE("b")};
    struct replication_entry entry = {CONFIGMAPS, .namespaces = namespaces, .n_namespaces = 2};
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/b/x", PLAIN, NULL}, NULL),
                     FILTER_SELECTED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/c/x", PLAIN, "{}"}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps//x", PLAIN, NULL}, NULL),
                     FILTER_REJECTED);
}

static void an_entry_without_filters_selects_without_knowing_the_namespace(void **state)
{
    (void)state;
    struct replication_entry entry = {CONFIGMAPS};
    const struct replication_entry *by;
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/a", PLAIN, NULL}, &by),
                     FILTER_SELECTED);
    assert_ptr_equal(by, &entry);
}

static void a_selector_looks_at_the_labels_of_the_object(void **state)
{
    (void)state;
    struct replication_entry entry = {CONFIGMAPS,
                                      .selector = ft_selector("{'matchLabels':{'x':'1'}}")};
    struct asked no = {"/configmaps/n/a", PLAIN, "{'x':'1'}"};
    struct asked yes = {"/configmaps/n/a", "{'metadata':{'labels':{'x':'1'}}}", NULL};
    assert_int_equal(decide(&entry, 1, &no, NULL), FILTER_REJECTED);
    assert_int_equal(decide(&entry, 1, &yes, NULL), FILTER_SELECTED);
    entry_done(&entry);
}

static void an_unknown_namespace_leaves_a_namespace_selector_undecided(void **state)
{
    (void)state;
    struct replication_entry entry = {CONFIGMAPS,
                                      .ns_selector = ft_selector("{'matchLabels':{'e':'p'}}")};
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/a", PLAIN, NULL}, NULL),
                     FILTER_UNDECIDED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/a", PLAIN, "{}"}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(
        decide(&entry, 1, &(struct asked){"/configmaps/n/a", PLAIN, "{'e':'p'}"}, NULL),
        FILTER_SELECTED);
    entry_done(&entry);
}

static void A05_a_sure_no_of_another_part_needs_no_namespace(void **state)
{
    (void)state;
    struct replication_entry entry = {CONFIGMAPS,
                                      .selector = ft_selector("{'matchLabels':{'x':'1'}}"),
                                      .ns_selector = ft_selector("{'matchLabels':{'e':'p'}}")};
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/a", PLAIN, NULL}, NULL),
                     FILTER_REJECTED);
    entry_done(&entry);
}

static void a_namespace_is_selected_by_its_own_labels_and_other_cluster_kinds_always(void **state)
{
    (void)state;
    struct replication_entry entries[2] = {
        {.resource = SLICE("namespaces"), .ns_selector = ft_selector("{'matchLabels':{'e':'p'}}")},
        {.resource = SLICE("persistentvolumes"),
         .ns_selector = ft_selector("{'matchLabels':{'e':'p'}}")}};
    struct asked labelled = {"/namespaces//n", "{'metadata':{'labels':{'e':'p'}}}", NULL};
    struct asked plain = {"/namespaces//n", PLAIN, NULL};
    struct asked volume = {"/persistentvolumes//v", PLAIN, NULL};
    assert_int_equal(decide(entries, 2, &labelled, NULL), FILTER_SELECTED);
    assert_int_equal(decide(entries, 2, &plain, NULL), FILTER_REJECTED);
    assert_int_equal(decide(entries, 2, &volume, NULL), FILTER_SELECTED);
    entry_done(&entries[0]);
    entry_done(&entries[1]);
}

static void G92_names_are_searched_and_exclusion_wins(void **state)
{
    (void)state;
    struct regex *names[] = {ft_regex("^web-"), ft_regex("db")};
    struct regex *not_names[] = {ft_regex("-tmp$")};
    struct replication_entry entry = {CONFIGMAPS, .names = names, .n_names = 2,
                                      .not_names = not_names, .n_not_names = 1};
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/web-1", PLAIN, "{}"}, NULL),
                     FILTER_SELECTED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/my-db-2", PLAIN, "{}"}, NULL),
                     FILTER_SELECTED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/other", PLAIN, "{}"}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(decide(&entry, 1, &(struct asked){"/configmaps/n/web-tmp", PLAIN, "{}"}, NULL),
                     FILTER_REJECTED);
    entry_done(&entry);
}

static void a_regex_at_its_limit_is_undecided_and_never_a_no(void **state)
{
    (void)state;
    char name[300], key[320];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(key, sizeof key, "/configmaps/n/%s", name);
    struct regex *hard[] = {ft_regex("(a+)+(a+)+(a+)+[bc]")};
    struct regex *also_hard[] = {ft_regex("(a+)+(a+)+(a+)+[bc]")};
    struct replication_entry named = {CONFIGMAPS, .names = hard, .n_names = 1};
    struct replication_entry excluded = {CONFIGMAPS, .not_names = also_hard, .n_not_names = 1};
    bool found;
    if (regex_search(hard[0], slice_str(name), &found, NULL) == RC_OK)
        fail_msg("the pattern is too easy for this test");
    assert_int_equal(decide(&named, 1, &(struct asked){key, PLAIN, "{}"}, NULL), FILTER_UNDECIDED);
    assert_int_equal(decide(&excluded, 1, &(struct asked){key, PLAIN, "{}"}, NULL),
                     FILTER_UNDECIDED);
    entry_done(&named);
    entry_done(&excluded);
}

static void the_first_entry_that_selects_decides(void **state)
{
    (void)state;
    struct replication_entry entries[3] = {
        {CONFIGMAPS, .selector = ft_selector("{'matchLabels':{'x':'1'}}")},
        {CONFIGMAPS},
        {CONFIGMAPS}};
    const struct replication_entry *by;
    assert_int_equal(decide(entries, 3, &(struct asked){"/configmaps/n/a", PLAIN, "{}"}, &by),
                     FILTER_SELECTED);
    assert_ptr_equal(by, &entries[1]);
    struct asked labelled = {"/configmaps/n/a", "{'metadata':{'labels':{'x':'1'}}}", "{}"};
    assert_int_equal(decide(entries, 3, &labelled, &by), FILTER_SELECTED);
    assert_ptr_equal(by, &entries[0]);
    entry_done(&entries[0]);
}

static void an_undecided_entry_before_the_first_that_selects_keeps_the_verdict_open(void **state)
{
    (void)state;
    struct replication_entry entries[2] = {
        {CONFIGMAPS, .ns_selector = ft_selector("{'matchLabels':{'e':'p'}}")}, {CONFIGMAPS}};
    struct asked unknown = {"/configmaps/n/a", PLAIN, NULL};
    assert_int_equal(decide(entries, 2, &unknown, NULL), FILTER_UNDECIDED);
    struct replication_entry swapped[2] = {entries[1], entries[0]};
    assert_int_equal(decide(swapped, 2, &unknown, NULL), FILTER_SELECTED);
    entry_done(&entries[0]);
}

/* ---- Trees ---- */

static enum filter_verdict decide_path(const struct replication_entry *entry, const char *path)
{
    struct replication r = {.entries = entry, .n_entries = 1};
    const struct replication_entry *by = NULL;
    enum filter_verdict verdict = filter_path(&r, slice_str(path), &by);
    assert_true((verdict == FILTER_SELECTED) == (by == entry));
    assert_true((verdict == FILTER_UNRELATED) != filter_names(&r, slice_str(path)));
    return verdict;
}

static void a_node_is_selected_where_it_is_below_the_root(void **state)
{
    (void)state;
    struct replication_entry entry = {.root = SLICE("/a")};
    struct replication_entry whole = {.root = SLICE("/")};
    assert_int_equal(decide_path(&entry, "/a"), FILTER_SELECTED);
    assert_int_equal(decide_path(&entry, "/a/b/c"), FILTER_SELECTED);
    assert_int_equal(decide_path(&entry, "/ab"), FILTER_UNRELATED);
    assert_int_equal(decide_path(&entry, "/"), FILTER_UNRELATED);
    assert_int_equal(decide_path(&whole, "/"), FILTER_SELECTED);
    assert_int_equal(decide_path(&whole, "/configmaps/n/a"), FILTER_SELECTED);
    assert_int_equal(decide_path(&whole, "/zookeeper/quota"), FILTER_UNRELATED);
}

/* The pattern is searched in whole paths, so that "/tmp$" excludes what is below, too. */
static void an_excluded_node_takes_along_what_is_below(void **state)
{
    (void)state;
    AUTO(regex_freep) struct regex *exclude = ft_regex("/tmp$");
    struct replication_entry entry = {.root = SLICE("/a"), .exclude_path = exclude};
    assert_int_equal(decide_path(&entry, "/a/tmp"), FILTER_REJECTED);
    assert_int_equal(decide_path(&entry, "/a/tmp/x/y"), FILTER_REJECTED);
    assert_int_equal(decide_path(&entry, "/a/tmpx"), FILTER_SELECTED);
    assert_int_equal(decide_path(&entry, "/a"), FILTER_SELECTED);
}

static void what_is_above_the_root_is_not_asked(void **state)
{
    (void)state;
    AUTO(regex_freep) struct regex *above = ft_regex("^/tmp$");
    AUTO(regex_freep) struct regex *itself = ft_regex("^/tmp/a$");
    struct replication_entry entry = {.root = SLICE("/tmp/a"), .exclude_path = above};
    assert_int_equal(decide_path(&entry, "/tmp/a/b"), FILTER_SELECTED);
    entry.exclude_path = itself;
    assert_int_equal(decide_path(&entry, "/tmp/a"), FILTER_REJECTED);
    assert_int_equal(decide_path(&entry, "/tmp/a/b"), FILTER_REJECTED);
}

static void a_path_at_the_limit_is_undecided_unless_one_above_it_is_excluded(void **state)
{
    (void)state;
    char path[320] = "/r/x/";
    memset(path + 5, 'a', 299);
    path[304] = '\0';
    AUTO(regex_freep) struct regex *hard = ft_regex("(a+)+(a+)+(a+)+[bc]");
    AUTO(regex_freep) struct regex *both = ft_regex("^/r/x$|(a+)+(a+)+(a+)+[bc]");
    struct replication_entry entry = {.root = SLICE("/r"), .exclude_path = hard};
    assert_int_equal(decide_path(&entry, path), FILTER_UNDECIDED);
    entry.exclude_path = both;
    assert_int_equal(decide_path(&entry, path), FILTER_REJECTED);
}

static void an_exclusion_takes_what_its_filters_select_from_a_star_alone(void **state)
{
    (void)state;
    struct replication_entry excluded = {CONFIGMAPS,
                                         .selector = ft_selector("{'matchLabels':{'x':'1'}}")};
    struct replication_entry entries[2] = {{CONFIGMAPS, .by_star = true}, {CONFIGMAPS}};
    struct replication r = {
        .entries = entries, .n_entries = 1, .excluded = &excluded, .n_excluded = 1};
    const char *labelled = "{'metadata':{'labels':{'x':'1'}}}";
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", labelled, "{}"}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", PLAIN, "{}"}, NULL),
                     FILTER_SELECTED);
    excluded.resource = SLICE("secrets");
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", labelled, "{}"}, NULL),
                     FILTER_SELECTED);
    excluded.resource = SLICE("configmaps");
    entries[0].by_star = false;
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", labelled, "{}"}, NULL),
                     FILTER_SELECTED);
    entry_done(&excluded);
}

static void an_exclusion_by_namespace_waits_for_its_labels_and_leaves_what_is_in_none(void **state)
{
    (void)state;
    struct replication_entry excluded[3] = {{CONFIGMAPS}, {CONFIGMAPS}, {CONFIGMAPS}};
    const char *const resources[3] = {"configmaps", "nodes", "namespaces"};
    struct replication_entry entries[3] = {{.by_star = true}, {.by_star = true}, {.by_star = true}};
    for (int i = 0; i < 3; i++) {
        excluded[i].ns_selector = ft_selector("{'matchLabels':{'e':'p'}}");
        excluded[i].resource = entries[i].resource = slice_str(resources[i]);
    }
    struct replication r = {
        .entries = entries, .n_entries = 3, .excluded = excluded, .n_excluded = 3};
    const char *labelled = "{'metadata':{'labels':{'e':'p'}}}";
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", PLAIN, NULL}, NULL),
                     FILTER_UNDECIDED);
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", PLAIN, "{'e':'p'}"}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(decide_by(&r, &(struct asked){"/configmaps/n/a", PLAIN, "{}"}, NULL),
                     FILTER_SELECTED);
    assert_int_equal(decide_by(&r, &(struct asked){"/nodes//a", labelled, NULL}, NULL),
                     FILTER_SELECTED);
    assert_int_equal(decide_by(&r, &(struct asked){"/namespaces//n", labelled, NULL}, NULL),
                     FILTER_REJECTED);
    assert_int_equal(decide_by(&r, &(struct asked){"/namespaces//n", PLAIN, NULL}, NULL),
                     FILTER_SELECTED);
    for (int i = 0; i < 3; i++)
        entry_done(&excluded[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_that_no_entry_names_is_unrelated),
        cmocka_unit_test(an_entry_without_filters_selects_without_knowing_the_namespace),
        cmocka_unit_test(only_the_namespaces_of_the_entry_are_selected_known_or_not),
        cmocka_unit_test(a_selector_looks_at_the_labels_of_the_object),
        cmocka_unit_test(an_unknown_namespace_leaves_a_namespace_selector_undecided),
        cmocka_unit_test(A05_a_sure_no_of_another_part_needs_no_namespace),
        cmocka_unit_test(a_namespace_is_selected_by_its_own_labels_and_other_cluster_kinds_always),
        cmocka_unit_test(G92_names_are_searched_and_exclusion_wins),
        cmocka_unit_test(a_regex_at_its_limit_is_undecided_and_never_a_no),
        cmocka_unit_test(the_first_entry_that_selects_decides),
        cmocka_unit_test(an_undecided_entry_before_the_first_that_selects_keeps_the_verdict_open),
        cmocka_unit_test(a_node_is_selected_where_it_is_below_the_root),
        cmocka_unit_test(an_excluded_node_takes_along_what_is_below),
        cmocka_unit_test(what_is_above_the_root_is_not_asked),
        cmocka_unit_test(a_path_at_the_limit_is_undecided_unless_one_above_it_is_excluded),
        cmocka_unit_test(an_exclusion_takes_what_its_filters_select_from_a_star_alone),
        cmocka_unit_test(an_exclusion_by_namespace_waits_for_its_labels_and_leaves_what_is_in_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

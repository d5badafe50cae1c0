/* The three-way merge: what is set, what is removed, what stays. */
#include "tests/unit/sinks/kube_test.h"

#include "sinks/kube_merge.h"
#include "sinks/kube_rules.h"

static void assert_merges(const char *live, const char *desired, const char *base, const char *want,
                          bool want_changed)
{
    AUTO(json_freep) struct json_doc *l = kt_parse(live);
    AUTO(json_freep) struct json_doc *d = kt_parse(desired);
    AUTO(json_freep) struct json_doc *b = base ? kt_parse(base) : NULL;
    struct err e = ERR_INIT;
    bool changed = !want_changed;
    const struct kube_base bases = {b, NULL};
    assert_int_equal(
        kube_merge(l, d, &bases, kube_rule_find(SLICE(""), SLICE("configmaps")), &changed, &e),
        RC_OK);
    kt_assert_doc(l, want);
    assert_int_equal(changed, want_changed);
}

static void what_is_desired_is_set_and_the_rest_of_live_stays(void **state)
{
    (void)state;
    assert_merges("{'a':1, 'own':{'x': 1.0}, 'b':{'c':2}}", "{'a':2,'b':{'d':3},'n':[1, 2]}", NULL,
                  "{'a':2, 'own':{'x': 1.0}, 'b':{'c':2,'d':3},'n':[1, 2]}", true);
}

static void what_base_had_and_desired_lacks_is_removed(void **state)
{
    (void)state;
    assert_merges("{'a':1,'b':2,'own':3}", "{'a':1}", "{'a':1,'b':2}", "{'a':1,'own':3}", true);
    assert_merges("{'data':{'x':'1','y':'2','own':'3'}}", "{'data':{'x':'1'}}",
                  "{'data':{'x':'1','y':'old'}}", "{'data':{'x':'1','own':'3'}}", true);
}

static void a_removed_object_goes_unless_the_destination_has_members_in_it(void **state)
{
    (void)state;
    assert_merges("{'m':{'labels':{'a':'1'}}}", "{'m':{}}", "{'m':{'labels':{'a':'1'}}}",
                  "{'m':{}}", true);
    assert_merges("{'m':{'labels':{'a':'1','own':'2'}}}", "{'m':{}}", "{'m':{'labels':{'a':'1'}}}",
                  "{'m':{'labels':{'own':'2'}}}", true);
}

static void with_base_unknown_nothing_is_removed(void **state)
{
    (void)state;
    assert_merges("{'a':1,'b':2}", "{'a':1}", NULL, "{'a':1,'b':2}", false);
}

static void what_the_server_says_that_we_wrote_is_removed_too(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *live =
        kt_parse("{'a':1,'late':2,'own':3,'m':{'late':4,'own':5},'l':[6],'n':{}}");
    AUTO(json_freep) struct json_doc *desired = kt_parse("{'a':1,'m':{}}");
    AUTO(json_freep)
    struct json_doc *owned =
        kt_parse("{'a':null,'late':null,'m':{'late':null},'l':null,'n':{},'gone':null}");
    const struct kube_base bases = {NULL, owned};
    struct err e = ERR_INIT;
    bool changed = false;
    assert_int_equal(kube_merge(live, desired, &bases,
                                kube_rule_find(SLICE(""), SLICE("configmaps")), &changed, &e),
                     RC_OK);
    kt_assert_doc(live, "{'a':1,'own':3,'m':{'own':5}}");
    assert_true(changed);
}

static void what_is_never_sent_is_not_removed_as_ours(void **state)
{
    (void)state;
    const char *text = "{'metadata':{'annotations':{'deprecated.daemonset.template.generation':'2',"
                       "'own':'1'},'finalizers':['f']}}";
    AUTO(json_freep) struct json_doc *live = kt_parse(text);
    AUTO(json_freep) struct json_doc *desired = kt_parse("{'metadata':{}}");
    AUTO(json_freep)
    struct json_doc *owned =
        kt_parse("{'metadata':{'annotations':{'deprecated.daemonset.template.generation':null},"
                 "'finalizers':null}}");
    const struct kube_base base = {NULL, owned};
    struct err e = ERR_INIT;
    bool changed = true;
    assert_int_equal(kube_merge(live, desired, &base,
                                kube_rule_find(SLICE("apps"), SLICE("daemonsets")), &changed, &e),
                     RC_OK);
    assert_false(changed);
    kt_assert_doc(live, text);
}

static void another_escape_space_or_order_changes_no_byte(void **state)
{
    (void)state;
    assert_merges("{ 'n': 1.0, 's':'\\u0041', 'l':[ 1 ], 'o':{'b':1, 'a':2}, 'p':[{'b':1,'a':2}]}",
                  "{'o':{'a':2,'b':1},'l':[1],'s':'A','n':1.0,'p':[{'a':2,'b':1}]}", "{'n':1}",
                  "{ 'n': 1.0, 's':'\\u0041', 'l':[ 1 ], 'o':{'b':1, 'a':2}, 'p':[{'b':1,'a':2}]}",
                  false);
}

static void another_spelling_of_a_number_is_a_change(void **state)
{
    (void)state;
    assert_merges("{'n':1,'l':[1]}", "{'n':1.0,'l':[1e0]}", "{'n':1.0}", "{'n':1.0,'l':[1e0]}",
                  true);
    assert_merges("{'n':-0}", "{'n':0}", NULL, "{'n':0}", true);
}

static void lists_are_taken_as_a_whole(void **state)
{
    (void)state;
    assert_merges("{'l':[{'a':1,'own':2}]}", "{'l':[{'a':1}]}", NULL, "{'l':[{'a':1}]}", true);
}

static void a_change_of_type_replaces_the_member(void **state)
{
    (void)state;
    assert_merges("{'a':{'x':1},'b':[1],'c':null}", "{'a':[2],'b':{'y':3},'c':{'z':4}}", NULL,
                  "{'a':[2],'b':{'y':3},'c':{'z':4}}", true);
}

static void null_and_absent_are_different(void **state)
{
    (void)state;
    assert_merges("{'a':1}", "{'a':null}", NULL, "{'a':null}", true);
    assert_merges("{}", "{'a':null}", NULL, "{'a':null}", true);
}

static void of_repeated_members_the_last_counts(void **state)
{
    (void)state;
    assert_merges("{'a':1}", "{'a':7,'a':2}", NULL, "{'a':2}", true);
    assert_merges("{'a':1,'a':2,'b':3}", "{}", "{'a':0,'a':1}", "{'b':3}", true);
}

static void inserted_bytes_are_those_of_the_desired_object(void **state)
{
    (void)state;
    assert_merges("{'x':1}", "{'d':{'n':9007199254740993, 'f': 1e400, 's':'\\ud800'}}", NULL,
                  "{'x':1,'d':{'n':9007199254740993, 'f': 1e400, 's':'\\ud800'}}", true);
}

static void merging_the_result_again_changes_nothing(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *l = kt_parse("{'a':{'b':[1]},'own':1}");
    struct err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        AUTO(json_freep) struct json_doc *d = kt_parse("{'a':{'b':[2],'c':{}},'z':null}");
        AUTO(json_freep) struct json_doc *b = kt_parse("{'a':{'gone':1}}");
        const struct kube_base bases = {b, NULL};
        bool changed = i == 1;
        assert_int_equal(
            kube_merge(l, d, &bases, kube_rule_find(SLICE(""), SLICE("x")), &changed, &e), RC_OK);
        assert_int_equal(changed, i == 0);
    }
}

static void a_node_port_of_the_destination_survives_the_list_around_it(void **state)
{
    (void)state;
    AUTO(json_freep)
    struct json_doc *l =
        kt_parse("{'spec':{'ports':[{'port':80,'protocol':'TCP','nodePort':31000}]}}");
    AUTO(json_freep)
    struct json_doc *d =
        kt_parse("{'spec':{'ports':[{'port':443,'protocol':'TCP'},{'port':80,'protocol':'TCP'}]}}");
    const struct kube_base none = {NULL, NULL};
    struct err e = ERR_INIT;
    bool changed = false;
    assert_int_equal(
        kube_merge(l, d, &none, kube_rule_find(SLICE(""), SLICE("services")), &changed, &e), RC_OK);
    kt_assert_doc(l, "{'spec':{'ports':[{'port':443,'protocol':'TCP'},"
                     "{'port':80,'protocol':'TCP','nodePort':31000}]}}");
}

static struct json_doc *many(int n, int skip)
{
    AUTO(buf_done) struct buf text = BUF_INIT(8 << 20);
    buf_add_str(&text, "{'data':{'first':''");
    for (int i = 0; i < n; i++)
        if (i != skip)
            buf_addf(&text, ",'key-%d':'%d'", i, i);
    buf_add_str(&text, "}}");
    return kt_parse(text.p);
}

static void members_beyond_the_few_are_found_as_well(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *l = many(20000, -1);
    AUTO(json_freep) struct json_doc *d = many(20000, 777);
    AUTO(json_freep) struct json_doc *b = many(20000, -1);
    AUTO(json_freep) struct json_doc *want = many(20000, 777);
    const struct kube_base bases = {b, NULL};
    struct err e = ERR_INIT;
    bool changed = false;
    assert_int_equal(kube_merge(l, d, &bases, kube_rule_find(SLICE(""), SLICE("x")), &changed, &e),
                     RC_OK);
    assert_true(changed);
    assert_true(json_equal(json_root(l), json_root(want)));
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *l = kt_parse("[]");
    AUTO(json_freep) struct json_doc *d = kt_parse("{}");
    struct err e = ERR_INIT;
    bool changed = true;
    const struct kube_rule *rule = kube_rule_find(SLICE(""), SLICE("x"));
    const struct kube_base none = {NULL, NULL}, sent = {l, NULL}, owned = {NULL, l};
    assert_int_equal(kube_merge(l, d, &none, rule, &changed, &e), RC_INVALID);
    assert_int_equal(kube_merge(d, l, &none, rule, &changed, &e), RC_INVALID);
    assert_int_equal(kube_merge(d, d, &sent, rule, &changed, &e), RC_INVALID);
    assert_int_equal(kube_merge(d, d, &owned, rule, &changed, &e), RC_INVALID);
    assert_true(changed);
}

static void what_nests_too_deep_to_recurse_is_a_limit(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i <= KUBE_MERGE_DEPTH; i++)
        buf_add_str(&b, "{\"a\":");
    buf_add_char(&b, '1');
    for (int i = 0; i <= KUBE_MERGE_DEPTH; i++)
        buf_add_char(&b, '}');
    AUTO(json_freep) struct json_doc *deep = kt_parse(b.p);
    AUTO(json_freep) struct json_doc *flat = kt_parse("{}");
    const struct kube_rule *rule = kube_rule_find(SLICE(""), SLICE("x"));
    const struct kube_base none = {NULL, NULL};
    struct err e = ERR_INIT;
    bool changed;
    assert_int_equal(kube_merge(flat, deep, &none, rule, &changed, &e), RC_LIMIT);
    assert_int_equal(kube_merge(deep, flat, &none, rule, &changed, &e), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_desired_is_set_and_the_rest_of_live_stays),
        cmocka_unit_test(what_base_had_and_desired_lacks_is_removed),
        cmocka_unit_test(a_removed_object_goes_unless_the_destination_has_members_in_it),
        cmocka_unit_test(with_base_unknown_nothing_is_removed),
        cmocka_unit_test(what_the_server_says_that_we_wrote_is_removed_too),
        cmocka_unit_test(what_is_never_sent_is_not_removed_as_ours),
        cmocka_unit_test(another_escape_space_or_order_changes_no_byte),
        cmocka_unit_test(another_spelling_of_a_number_is_a_change),
        cmocka_unit_test(lists_are_taken_as_a_whole),
        cmocka_unit_test(a_change_of_type_replaces_the_member),
        cmocka_unit_test(null_and_absent_are_different),
        cmocka_unit_test(of_repeated_members_the_last_counts),
        cmocka_unit_test(inserted_bytes_are_those_of_the_desired_object),
        cmocka_unit_test(merging_the_result_again_changes_nothing),
        cmocka_unit_test(a_node_port_of_the_destination_survives_the_list_around_it),
        cmocka_unit_test(members_beyond_the_few_are_found_as_well),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(what_nests_too_deep_to_recurse_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/flow/flow_test.h"

static bool matches(const char *selector, const char *labels)
{
    AUTO(selector_freep) struct selector *s = ft_selector(selector);
    AUTO(json_freep) struct json_doc *d = labels ? ft_parse(labels) : NULL;
    return selector_matches(s, d, d ? json_root(d) : NULL);
}

static void refused(const char *selector, const char *because)
{
    AUTO(json_freep) struct json_doc *d = ft_parse(selector);
    struct selector *s = NULL;
    struct err e = ERR_INIT;
    enum rc rc = selector_new(d, json_root(d), &s, &e);
    assert_true(rc == RC_INVALID || rc == RC_LIMIT);
    assert_null(s);
    if (!ft_has(e.msg, because))
        fail_msg("\"%s\" does not say \"%s\"", e.msg, because);
}

static void A14_no_selector_and_an_empty_one_match_everything(void **state)
{
    (void)state;
    assert_true(selector_matches(NULL, NULL, NULL));
    assert_true(matches("{}", NULL));
    assert_true(matches("{}", "{'a':'b'}"));
    assert_true(matches("{'matchLabels':null,'matchExpressions':[]}", "{}"));
}

static void match_labels_wants_each_label_with_that_value(void **state)
{
    (void)state;
    const char *both = "{'matchLabels':{'app':'web','tier':'front'}}";
    assert_true(matches(both, "{'app':'web','tier':'front','x':'y'}"));
    assert_false(matches(both, "{'app':'web'}"));
    assert_false(matches(both, "{'app':'web','tier':'back'}"));
    assert_false(matches(both, NULL));
    assert_true(matches("{'matchLabels':{'app':''}}", "{'app':''}"));
    assert_false(matches("{'matchLabels':{'app':''}}", "{}"));
}

static void in_wants_one_of_its_values(void **state)
{
    (void)state;
    const char *in = "{'matchExpressions':[{'key':'env','operator':'In','values':['a','b']}]}";
    assert_true(matches(in, "{'env':'b'}"));
    assert_false(matches(in, "{'env':'c'}"));
    assert_false(matches(in, "{}"));
}

static void not_in_accepts_an_absent_label(void **state)
{
    (void)state;
    const char *not_in = "{'matchExpressions':[{'key':'env','operator':'NotIn','values':['a']}]}";
    assert_false(matches(not_in, "{'env':'a'}"));
    assert_true(matches(not_in, "{'env':'b'}"));
    assert_true(matches(not_in, "{}"));
    assert_true(matches(not_in, NULL));
}

static void exists_and_does_not_exist_look_at_the_key_alone(void **state)
{
    (void)state;
    assert_true(matches("{'matchExpressions':[{'key':'a/b','operator':'Exists'}]}", "{'a/b':''}"));
    assert_false(matches("{'matchExpressions':[{'key':'b','operator':'Exists'}]}", "{'a/b':''}"));
    assert_true(matches("{'matchExpressions':[{'key':'b','operator':'DoesNotExist'}]}", "{}"));
    assert_false(
        matches("{'matchExpressions':[{'key':'b','operator':'DoesNotExist'}]}", "{'b':'1'}"));
}

static void all_requirements_must_hold(void **state)
{
    (void)state;
    const char *s =
        "{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}";
    assert_true(matches(s, "{'a':'1','b':'2'}"));
    assert_false(matches(s, "{'a':'1'}"));
    assert_false(matches(s, "{'b':'2'}"));
}

static void a_label_that_is_no_string_counts_as_absent(void **state)
{
    (void)state;
    assert_false(matches("{'matchExpressions':[{'key':'a','operator':'Exists'}]}", "{'a':1}"));
}

static void wrong_selectors_are_refused_with_their_place(void **state)
{
    (void)state;
    refused("[]", "must be a map");
    refused("{'matchLabel':{}}", "unknown field \"matchLabel\"");
    refused("{'matchLabels':['a']}", "matchLabels must be a map");
    refused("{'matchLabels':{'a':true}}", "quote numbers and booleans");
    refused("{'matchLabels':{'a b':'x'}}", "\"a b\" is no label key");
    refused("{'matchLabels':{'a':'-x'}}", "the value of label \"a\"");
    refused("{'matchExpressions':{}}", "matchExpressions must be a list");
    refused("{'matchExpressions':['x']}", "matchExpressions[0]: must be a map");
    refused("{'matchExpressions':[{'key':'a','operator':'Is'}]}", "operator \"Is\" is none of");
    refused("{'matchExpressions':[{'key':'a','operator':'In','values':[]}]}", "needs at least one");
    refused("{'matchExpressions':[{'key':'a','operator':'Exists','values':['x']}]}", "takes no");
    refused("{'matchExpressions':[{'key':'a','operator':'In','values':'x'}]}", "must be a list");
    refused("{'matchExpressions':[{'operator':'Exists'}]}", "\"\" is no label key");
}

static void label_names_have_63_letters_and_prefixes_253(void **state)
{
    (void)state;
    char name[65], prefix[255], text[600];
    memset(name, 'n', 64);
    memset(prefix, 'p', 254);
    name[63] = prefix[253] = '\0';
    snprintf(text, sizeof text, "{'matchLabels':{'%s/%s':'%s'}}", prefix, name, name);
    AUTO(selector_freep) struct selector *s = ft_selector(text);
    assert_non_null(s);
    name[63] = 'n';
    name[64] = '\0';
    snprintf(text, sizeof text, "{'matchLabels':{'%s':'x'}}", name);
    refused(text, "is no label key");
    snprintf(text, sizeof text, "{'matchLabels':{'x':'%s'}}", name);
    refused(text, "the value of label");
    prefix[253] = 'p';
    prefix[254] = '\0';
    snprintf(text, sizeof text, "{'matchLabels':{'%s/x':'x'}}", prefix);
    refused(text, "is no label key");
}

static void at_most_256_requirements_are_allowed(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = BUF_INIT(1 << 16);
    buf_add_str(&text, "{'matchLabels':{");
    for (int i = 0; i < 257; i++)
        buf_addf(&text, "%s'l%d':'x'", i ? "," : "", i);
    buf_add_str(&text, "}}");
    refused(text.p, "at most 256");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A14_no_selector_and_an_empty_one_match_everything),
        cmocka_unit_test(match_labels_wants_each_label_with_that_value),
        cmocka_unit_test(in_wants_one_of_its_values),
        cmocka_unit_test(not_in_accepts_an_absent_label),
        cmocka_unit_test(exists_and_does_not_exist_look_at_the_key_alone),
        cmocka_unit_test(all_requirements_must_hold),
        cmocka_unit_test(a_label_that_is_no_string_counts_as_absent),
        cmocka_unit_test(wrong_selectors_are_refused_with_their_place),
        cmocka_unit_test(label_names_have_63_letters_and_prefixes_253),
        cmocka_unit_test(at_most_256_requirements_are_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

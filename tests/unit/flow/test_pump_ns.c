#include "tests/unit/flow/flow_test.h"

#include "flow/pump_ns.h"

static enum ns_change apply(struct namespaces *n, enum event_op op, const char *json)
{
    AUTO(freep) char *body = ft_quotes(json);
    struct event ev = {
        .offset = 3, .op = op, .key = SLICE("/namespaces//n"), .body = slice_str(body)};
    enum ns_change change;
    struct err e = ERR_INIT;
    assert_ok(namespaces_apply(n, &ev, &change, &e));
    return change;
}

static void assert_labels(const struct namespaces *n, const char *want)
{
    AUTO(freep) char *text = ft_quotes(want);
    struct json_doc *d = namespaces_labels(n, SLICE("n"));
    assert_non_null(d);
    assert_true(slice_eq(json_root(d)->raw, slice_str(text)));
}

static void a_namespace_is_unknown_until_its_first_event(void **state)
{
    (void)state;
    AUTO(namespaces_freep) struct namespaces *n = namespaces_new();
    assert_null(namespaces_labels(n, SLICE("n")));
    assert_int_equal(apply(n, EVENT_PUT, "{'metadata':{'labels':{'a':'1'}}}"), NS_NEW);
    assert_labels(n, "{'a':'1'}");
}

static void without_labels_it_is_known_with_none(void **state)
{
    (void)state;
    AUTO(namespaces_freep) struct namespaces *n = namespaces_new();
    assert_int_equal(apply(n, EVENT_PUT, "{'metadata':{}}"), NS_NEW);
    assert_labels(n, "{}");
    assert_int_equal(apply(n, EVENT_PUT, "{'metadata':{'labels':null}}"), NS_UNCHANGED);
}

static void only_a_change_of_labels_is_a_change(void **state)
{
    (void)state;
    AUTO(namespaces_freep) struct namespaces *n = namespaces_new();
    apply(n, EVENT_PUT, "{'metadata':{'labels':{'a':'1','b':'2'}}}");
    assert_int_equal(apply(n, EVENT_PUT, "{'metadata':{'labels':{'b':'2', 'a':'1'}},'x':1}"),
                     NS_UNCHANGED);
    assert_int_equal(apply(n, EVENT_PUT, "{'metadata':{'labels':{'a':'2','b':'2'}}}"),
                     NS_RELABELLED);
    assert_labels(n, "{'a':'2','b':'2'}");
}

static void a_deleted_namespace_is_unknown_again(void **state)
{
    (void)state;
    AUTO(namespaces_freep) struct namespaces *n = namespaces_new();
    apply(n, EVENT_PUT, "{}");
    assert_int_equal(apply(n, EVENT_DELETE, ""), NS_GONE);
    assert_null(namespaces_labels(n, SLICE("n")));
    assert_int_equal(apply(n, EVENT_DELETE, ""), NS_UNCHANGED);
}

static void an_event_that_is_no_json_is_an_error_with_name_and_offset(void **state)
{
    (void)state;
    AUTO(namespaces_freep) struct namespaces *n = namespaces_new();
    struct event ev = {
        .offset = 12, .op = EVENT_PUT, .key = SLICE("/namespaces//n"), .body = SLICE("{")};
    enum ns_change change;
    struct err e = ERR_INIT;
    assert_int_equal(namespaces_apply(n, &ev, &change, &e), RC_INVALID);
    assert_true(ft_has(e.msg, "namespace n at offset 12"));
}

static void loading_takes_the_log_as_it_was_before_an_offset(void **state)
{
    (void)state;
    struct ft_log w;
    ft_log_init(&w);
    ft_put(&w, "/namespaces//n", "{'metadata':{'labels':{'v':'1'}}}");
    ft_put(&w, "/namespaces//gone", "{}");
    ft_delete(&w, "/namespaces//gone", CAUSE_WATCH);
    rlog_off later = ft_put(&w, "/namespaces//n", "{'metadata':{'labels':{'v':'2'}}}");
    struct err e = ERR_INIT;
    AUTO(namespaces_freep) struct namespaces *before = namespaces_new();
    AUTO(namespaces_freep) struct namespaces *after = namespaces_new();
    AUTO(namespaces_freep) struct namespaces *none = namespaces_new();
    assert_ok(namespaces_load(before, w.log, later, &e));
    assert_ok(namespaces_load(after, w.log, later + 1, &e));
    assert_ok(namespaces_load(none, w.log, 1, &e));
    assert_labels(before, "{'v':'1'}");
    assert_labels(after, "{'v':'2'}");
    assert_null(namespaces_labels(before, SLICE("gone")));
    assert_null(namespaces_labels(none, SLICE("n")));
    ft_log_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_namespace_is_unknown_until_its_first_event),
        cmocka_unit_test(without_labels_it_is_known_with_none),
        cmocka_unit_test(only_a_change_of_labels_is_a_change),
        cmocka_unit_test(a_deleted_namespace_is_unknown_again),
        cmocka_unit_test(an_event_that_is_no_json_is_an_error_with_name_and_offset),
        cmocka_unit_test(loading_takes_the_log_as_it_was_before_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

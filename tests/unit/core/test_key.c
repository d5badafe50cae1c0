/* core/key: parsing, printing, prefixes, limits. */
#include "core/key.h"

#include "core/buf.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void assert_round_trip(struct slice text, const char *group, const char *resource,
                              const char *ns, const char *name)
{
    struct key k;
    assert_int_equal(key_parse(text, &k, NULL), RC_OK);
    assert_true(slice_eq(k.group, slice_str(group)));
    assert_true(slice_eq(k.resource, slice_str(resource)));
    assert_true(slice_eq(k.ns, slice_str(ns)));
    assert_true(slice_eq(k.name, slice_str(name)));
    AUTO(buf_done) struct buf out = BUF_INIT(KEY_MAX);
    key_print(&k, &out);
    assert_true(slice_eq(buf_slice(&out), text));
}

static void a_key_is_split_into_its_four_parts_and_printed_back(void **state)
{
    (void)state;
    assert_round_trip(SLICE("apps/deployments/shop/web"), "apps", "deployments", "shop", "web");
    assert_round_trip(SLICE("/configmaps/ns/a"), "", "configmaps", "ns", "a");
    assert_round_trip(SLICE("/namespaces//ns"), "", "namespaces", "", "ns");
    assert_round_trip(SLICE("rbac.authorization.k8s.io/clusterroles//system:a b@c"),
                      "rbac.authorization.k8s.io", "clusterroles", "", "system:a b@c");
}

static void what_is_no_key_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *reason;
    } bad[] = {
        {{"", 0}, "too few"},           {{NULL, 0}, "too few"},
        {{"a", 1}, "too few"},          {{"/a/b", 4}, "too few"},
        {{"/a/b/c/d", 8}, "too many"},  {{"apps//ns/a", 10}, "no resource"},
        {{"/pods/ns/", 9}, "no name"},  {{"@gap/a/b/c", 10}, "log's own"},
        {{"/pods/ns/a\0b", 12}, "NUL"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = ERR_INIT;
        struct key k = {.name = SLICE("untouched")};
        assert_int_equal(key_parse(bad[i].text, &k, &e), RC_INVALID);
        assert_non_null(strstr(e.msg, bad[i].reason));
        assert_true(slice_eq(k.name, SLICE("untouched")));
    }
}

static void the_longest_key_is_allowed_and_one_byte_more_is_not(void **state)
{
    (void)state;
    char text[KEY_MAX + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, "/pods/ns/", 9);
    struct key k;
    struct err e = ERR_INIT;
    assert_int_equal(key_parse(slice_of(text, KEY_MAX), &k, &e), RC_OK);
    assert_int_equal(k.name.n, KEY_MAX - 9);
    assert_int_equal(key_parse(slice_of(text, KEY_MAX + 1), &k, &e), RC_INVALID);
}

static void a_prefix_begins_all_keys_of_its_scope_and_no_others(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(KEY_MAX);
    key_print_prefix(SLICE("apps"), SLICE("deployments"), SLICE("shop"), &out);
    assert_string_equal(out.p, "apps/deployments/shop/");
    assert_true(slice_starts(SLICE("apps/deployments/shop/web"), buf_slice(&out)));
    assert_false(slice_starts(SLICE("apps/deployments/shop2/web"), buf_slice(&out)));
    buf_reset(&out);
    key_print_prefix(SLICE(""), SLICE("pods"), SLICE_NULL, &out);
    assert_string_equal(out.p, "/pods/");
}

static void the_logs_own_keys_are_told_by_their_first_character(void **state)
{
    (void)state;
    assert_true(key_is_internal(SLICE("@gap/x")));
    assert_false(key_is_internal(SLICE("/pods/ns/@a")));
    assert_false(key_is_internal(SLICE_NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_split_into_its_four_parts_and_printed_back),
        cmocka_unit_test(what_is_no_key_is_refused_with_the_reason),
        cmocka_unit_test(the_longest_key_is_allowed_and_one_byte_more_is_not),
        cmocka_unit_test(a_prefix_begins_all_keys_of_its_scope_and_no_others),
        cmocka_unit_test(the_logs_own_keys_are_told_by_their_first_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

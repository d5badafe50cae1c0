/* core/regex: the dialect that RE2 and PCRE2 share, what is refused, limits. */
#include "core/regex.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

static bool found(const char *pattern, struct slice text)
{
    AUTO(regex_freep) struct regex *r = NULL;
    struct err e = ERR_INIT;
    if (regex_new(slice_str(pattern), &r, &e))
        fail_msg("%s: %s", pattern, e.msg);
    bool hit = false;
    assert_int_equal(regex_search(r, text, &hit, &e), RC_OK);
    return hit;
}

static bool matches(const char *pattern, const char *text)
{
    return found(pattern, slice_str(text));
}

static void G89_the_search_is_not_anchored(void **state)
{
    (void)state;
    assert_true(matches("b", "abc"));
    assert_false(matches("^b", "abc"));
    assert_true(matches("^abc$", "abc"));
    assert_false(matches("d", "abc"));
    assert_true(matches("", "abc"));
    assert_true(found("", SLICE_NULL));
    assert_false(found(".", SLICE_NULL));
}

static void the_syntax_that_both_engines_share_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
    } good[] = {
        {"^(web|api)-[0-9]{2,3}$", "api-123"},
        {"a{2}", "aa"},
        {"a{2,}b", "aaab"},
        {"^a*?b+?c??", "bb"},
        {"(?i)ABC", "xabcx"},
        {"(?i:A)b", "ab"},
        {"(?P<name>x)(?<other>y)", "xy"},
        {"(?:x|y)z", "yz"},
        {"(?s-m:.)", "\n"},
        {"(?m)^b$", "a\nb\nc"},
        {"(?U)a+", "aa"},
        {"\\.\\*\\-\\_", ".*-_"},
        {"\\bfoo\\b", "a foo b"},
        {"\\d\\w\\s", "1a "},
        {"\\D\\W\\S", "a b"},
        {"[[:alpha:]][[:^digit:]]", "ab"},
        {"[]a]", "]"},
        {"[^]a]", "b"},
        {"[a\\]\\d-]", "]"},
        {"\\x41\\x{42}", "AB"},
        {"\\Qa.b*\\E+", "a.b**"},
        {"\\Q(?=", "(?="},
        {"\\pL\\p{Lu}\\P{N}", "aBc"},
        {"^\xc3\xa4.$", "\xc3\xa4\xc3\xb6"},
        {"\\Aab\\z", "ab"},
        {"\\t", "\t"},
        {"a|", "zzz"},
        {"[*+?{(]", "{"},
        {"x\\{2\\}", "x{2}"},
        {"a{1000}|b", "b"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!matches(good[i].pattern, good[i].text))
            fail_msg("%s does not find %s", good[i].pattern, good[i].text);
    }
}

static void dollar_and_circumflex_mean_what_they_mean_in_go(void **state)
{
    (void)state;
    assert_false(matches("a$", "a\n"));
    assert_true(matches("(?m)a$", "a\n"));
    assert_false(matches("^b", "a\nb"));
    assert_true(matches("(?m)\n^$", "a\n"));
    assert_false(matches("a.b", "a\nb"));
    assert_true(matches("a.b", "a\rb"));
    assert_false(matches("\\w", "\xc3\xa4"));
}

static void what_re2_lacks_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        int at;
    } bad[] = {
        {"a(?=b)", 2},
        {"a(?!b)", 2},
        {"(?<=a)b", 1},
        {"(?<!a)b", 1},
        {"(?>a)", 1},
        {"(?|a)", 1},
        {"(?#c)", 1},
        {"(?R)", 1},
        {"(a)(?1)", 4},
        {"(?&x)", 1},
        {"(?P>x)", 1},
        {"(?P=x)", 1},
        {"(?(1)a)", 1},
        {"(?C1)", 1},
        {"(?'n'a)", 1},
        {"(?x)a b", 1},
        {"(?J)", 1},
        {"(?n)", 1},
        {"(?^)", 1},
        {"(?i-)a", 1},
        {"(?)", 1},
        {"(?--i)", 1},
        {"(?", 1},
        {"(*UTF)a", 1},
        {"(*ACCEPT)", 1},
        {"(a)\\1", 4},
        {"\\0", 1},
        {"\\g{1}", 1},
        {"\\k<a>", 1},
        {"\\K", 1},
        {"\\G", 1},
        {"\\Z", 1},
        {"\\R", 1},
        {"\\X", 1},
        {"\\C", 1},
        {"\\N", 1},
        {"\\h", 1},
        {"\\v", 1},
        {"\\e", 1},
        {"\\cA", 1},
        {"\\o{1}", 1},
        {"\\E", 1},
        {"\\xz", 2},
        {"\\x4", 2},
        {"\\x{}", 2},
        {"\\x{1", 2},
        {"\\x{1234567}", 2},
        {"\\p{Greek}", 2},
        {"\\p{^L}", 2},
        {"\\pX", 2},
        {"\\p", 2},
        {"a++", 3},
        {"a*+", 3},
        {"a?+", 3},
        {"a{2}+", 5},
        {"a**", 3},
        {"a*?*", 4},
        {"a{2}{3}", 5},
        {"a{1001}", 2},
        {"a{1,1001}", 2},
        {"a{99999999999}", 2},
        {"a{", 2},
        {"a{,5}", 2},
        {"a{x}", 2},
        {"a{1", 2},
        {"a{1,2,3}", 2},
        {"[[:<:]]a", 2},
        {"[[=a=]]", 2},
        {"[[.a.]]", 2},
        {"[a\\b]", 3},
        {"[\\Qa\\E]", 2},
        {"[\\1]", 2},
        {"[abc", 1},
        {"[]", 1},
        {"[^]", 1},
        {"[a\\", 3},
        {"a\\", 2},
        {"\\\xc3\xa4", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct regex *r = NULL;
        struct err e = ERR_INIT;
        if (regex_new(slice_str(bad[i].pattern), &r, &e) != RC_INVALID || r)
            fail_msg("%s is not refused", bad[i].pattern);
        char want[48];
        snprintf(want, sizeof want, "at character %d:", bad[i].at);
        if (!strstr(e.msg, want))
            fail_msg("%s: expected \"%s\" in \"%s\"", bad[i].pattern, want, e.msg);
        assert_int_equal(e.retry, ERR_FINAL);
    }
}

static void what_is_wrong_in_every_dialect_is_refused_with_the_place(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "(a", "a)", "*a", "[b-a]", "[[:nope:]]", "\xff", "(?P<a>x)(?P<a>y)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct regex *r = NULL;
        struct err e = ERR_INIT;
        if (regex_new(slice_str(bad[i]), &r, &e) != RC_INVALID)
            fail_msg("%s is not refused", bad[i]);
        assert_non_null(strstr(e.msg, "at character"));
        assert_null(r);
    }
}

static void patterns_have_limits(void **state)
{
    (void)state;
    static char pattern[4097];
    struct err e = ERR_INIT;
    memset(pattern, 'a', sizeof pattern);
    struct regex *r = NULL;
    assert_int_equal(regex_new(slice_of(pattern, 4096), &r, &e), RC_OK);
    regex_free(r);
    r = NULL;
    assert_int_equal(regex_new(slice_of(pattern, 4097), &r, &e), RC_INVALID);
    memset(pattern, '(', 2000);
    memset(pattern + 2000, ')', 2000);
    assert_int_equal(regex_new(slice_of(pattern, 4000), &r, &e), RC_INVALID);
    assert_int_equal(regex_new(slice_of("a\0b", 3), &r, &e), RC_INVALID);
    assert_null(r);
}

static void G90_a_search_that_explodes_is_undecided_and_not_a_miss(void **state)
{
    (void)state;
    AUTO(regex_freep) struct regex *r = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(regex_new(SLICE("^(a|aa)+$"), &r, &e), RC_OK);
    char text[200];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    bool hit = true;
    assert_int_equal(regex_search(r, slice_of(text, sizeof text), &hit, &e), RC_LIMIT);
    assert_int_equal(e.retry, ERR_FINAL);
    assert_true(hit);
    assert_int_equal(regex_search(r, SLICE("aaa"), &hit, &e), RC_OK);
    assert_true(hit);
    assert_int_equal(regex_search(r, SLICE("b"), &hit, &e), RC_OK);
    assert_false(hit);
}

static void a_text_may_hold_any_bytes(void **state)
{
    (void)state;
    assert_true(found("b$", slice_of("a\0\xff\xc3"
                                     "b",
                                     5)));
    assert_false(found("c", slice_of("a\0\xff\xc3"
                                     "b",
                                     5)));
}

static void only_the_slice_is_searched(void **state)
{
    (void)state;
    assert_false(found("b", slice_of("ab", 1)));
    assert_true(found("a$", slice_of("ab", 1)));
    regex_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(G89_the_search_is_not_anchored),
        cmocka_unit_test(the_syntax_that_both_engines_share_is_understood),
        cmocka_unit_test(dollar_and_circumflex_mean_what_they_mean_in_go),
        cmocka_unit_test(what_re2_lacks_is_refused_with_the_place),
        cmocka_unit_test(what_is_wrong_in_every_dialect_is_refused_with_the_place),
        cmocka_unit_test(patterns_have_limits),
        cmocka_unit_test(G90_a_search_that_explodes_is_undecided_and_not_a_miss),
        cmocka_unit_test(a_text_may_hold_any_bytes),
        cmocka_unit_test(only_the_slice_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

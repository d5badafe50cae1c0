/* io/http_login: what a request carries, and what is refused. */
#include "io/http_login.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void the_parts_are_copied_and_live_as_long_as_a_request_carries_them(void **state)
{
    (void)state;
    char token[] = "t0ken";
    const char *const part[] = {token, "ca", "cert", "key"};
    struct http_login *l = NULL, *other;
    struct err e;
    assert_int_equal(http_login_new(part, &l, &e), RC_OK);
    token[0] = 'x';
    other = http_login_ref(l);
    http_login_unref(l);
    assert_string_equal(other->authorization, "Authorization: Bearer t0ken");
    assert_string_equal(other->part[HTTP_LOGIN_TOKEN], "t0ken");
    assert_string_equal(other->part[HTTP_LOGIN_CA], "ca");
    assert_string_equal(other->part[HTTP_LOGIN_CERT], "cert");
    assert_string_equal(other->part[HTTP_LOGIN_KEY], "key");
    http_login_unref(other);
    http_login_unref(NULL);
}

static void without_a_token_there_is_no_header_line(void **state)
{
    (void)state;
    const char *const part[HTTP_LOGIN_PARTS] = {NULL};
    struct http_login *l = NULL;
    struct err e;
    assert_int_equal(http_login_new(part, &l, &e), RC_OK);
    assert_null(l->authorization);
    assert_null(l->part[HTTP_LOGIN_CERT]);
    http_login_unref(l);
}

static void bad_parts_are_refused_without_repeating_them(void **state)
{
    (void)state;
    static const char *const rows[][HTTP_LOGIN_PARTS] = {
        {"sec\r\nret", NULL, NULL, NULL},
        {NULL, NULL, "sec", NULL},
        {NULL, NULL, NULL, "sec"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_login *l = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(http_login_new(rows[i], &l, &e), RC_INVALID);
        assert_null(strstr(e.msg, "sec"));
        assert_null(l);
    }
}

static void a_token_of_the_greatest_length_is_taken_and_one_more_refused(void **state)
{
    (void)state;
    static char token[HTTP_TOKEN_MAX + 2];
    const char *const part[HTTP_LOGIN_PARTS] = {token};
    struct http_login *l = NULL;
    struct err e;
    memset(token, 'a', HTTP_TOKEN_MAX);
    assert_int_equal(http_login_new(part, &l, &e), RC_OK);
    http_login_unref(l);
    token[HTTP_TOKEN_MAX] = 'a';
    assert_int_equal(http_login_new(part, &l, &e), RC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_copied_and_live_as_long_as_a_request_carries_them),
        cmocka_unit_test(without_a_token_there_is_no_header_line),
        cmocka_unit_test(bad_parts_are_refused_without_repeating_them),
        cmocka_unit_test(a_token_of_the_greatest_length_is_taken_and_one_more_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

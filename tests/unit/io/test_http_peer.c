/* io/http_peer: what is derived from a target, and the targets that are refused. */
#include "io/http_peer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void a_plain_target_is_copied(void **state)
{
    (void)state;
    char url[] = "https://h/prefix/";
    AUTO(http_peer_done) struct http_peer p = {0};
    struct http_target t = {.url = url};
    struct err e;
    assert_int_equal(http_peer_init(&p, &t, &e), RC_OK);
    url[8] = 'x';
    assert_string_equal(p.origin, "https://h:443");
    assert_string_equal(p.url, "https://h:443/prefix");
    assert_string_equal(p.agent, "resilog");
    assert_null(p.reach);
    assert_null(p.host);
    assert_string_equal(p.trust_advice,
                        "put the authority that signed it into certificate-authority-data");
    assert_string_equal(p.name_advice, "set tls-server-name to a name that the certificate holds");
}

static void advice_of_the_target_stands_in_for_that_of_a_kubeconfig(void **state)
{
    (void)state;
    AUTO(http_peer_done) struct http_peer p = {0};
    struct http_target t = {.url = "https://h", .trust_advice = "trust", .name_advice = "name"};
    struct err e;
    assert_int_equal(http_peer_init(&p, &t, &e), RC_OK);
    assert_string_equal(p.trust_advice, "trust");
    assert_string_equal(p.name_advice, "name");
}

static void a_server_name_is_in_the_url_and_the_host_stays_the_one_reached(void **state)
{
    (void)state;
    AUTO(http_peer_done) struct http_peer p = {0};
    struct http_target t = {.url = "https://[::1]:6443", .server_name = "kube.local"};
    struct err e;
    assert_int_equal(http_peer_init(&p, &t, &e), RC_OK);
    assert_string_equal(p.origin, "https://[::1]:6443");
    assert_string_equal(p.url, "https://kube.local:6443");
    assert_string_equal(p.reach, "kube.local:6443:[::1]:6443");
    assert_string_equal(p.host, "Host: [::1]:6443");
}

static void proxy_and_header_lines_are_copied(void **state)
{
    (void)state;
    AUTO(http_peer_done) struct http_peer p = {0};
    const char *const lines[] = {"A: 1", "B: 2", NULL};
    struct http_target t = {.url = "https://h", .proxy = "socks5://u:p@q", .headers = lines};
    struct err e;
    assert_int_equal(http_peer_init(&p, &t, &e), RC_OK);
    assert_string_equal(p.proxy, "socks5h://u:p@q:1080");
    assert_string_equal(p.headers[0], "A: 1");
    assert_string_equal(p.headers[1], "B: 2");
    assert_null(p.headers[2]);
}

static const char *const BAD_LINES[] = {"A: sec\r\nret", NULL};

static void bad_targets_are_refused_and_leave_nothing_behind(void **state)
{
    (void)state;
    const struct http_target rows[] = {
        {.url = "https://h", .user_agent = "sec\nret"},
        {.url = "https://h", .server_name = ""},
        {.url = "https://h", .server_name = "sec/b"},
        {.url = "https://h", .server_name = "sec b"},
        {.url = "sec"},
        {.url = "https://h", .proxy = "x://sec"},
        {.url = "https://h", .headers = BAD_LINES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(http_peer_done) struct http_peer p = {0};
        struct err e = ERR_INIT;
        assert_int_equal(http_peer_init(&p, &rows[i], &e), RC_INVALID);
        assert_null(strstr(e.msg, "sec"));
        assert_null(p.url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_target_is_copied),
        cmocka_unit_test(advice_of_the_target_stands_in_for_that_of_a_kubeconfig),
        cmocka_unit_test(a_server_name_is_in_the_url_and_the_host_stays_the_one_reached),
        cmocka_unit_test(proxy_and_header_lines_are_copied),
        cmocka_unit_test(bad_targets_are_refused_and_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

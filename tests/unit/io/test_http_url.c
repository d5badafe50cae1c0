/* io/http_url: parsing of URLs and paths, and what is refused. */
#include "core/buf.h"
#include "core/scope.h"
#include "io/http_url.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void good_urls_come_apart(void **state)
{
    (void)state;
    const struct {
        const char *text, *host, *prefix;
        int port;
        bool tls;
    } rows[] = {
        {"https://h", "h", "", 443, true},
        {"http://h", "h", "", 80, false},
        {"https://10.0.0.1:6443", "10.0.0.1", "", 6443, true},
        {"https://h:65535/", "h", "", 65535, true},
        {"https://[fd00::1]:6443/a/b//", "fd00::1", "/a/b", 6443, true},
        {"https://[::1]", "::1", "", 443, true},
        {"https://h/k8s/clusters/c-1", "h", "/k8s/clusters/c-1", 443, true},
        {"https://h/a..b/.c", "h", "/a..b/.c", 443, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_url u;
        struct err e;
        assert_int_equal(http_url_parse(rows[i].text, &u, &e), RC_OK);
        assert_string_equal(u.host, rows[i].host);
        assert_string_equal(u.prefix, rows[i].prefix);
        assert_int_equal(u.port, rows[i].port);
        assert_int_equal(u.tls, rows[i].tls);
    }
}

static void bad_urls_are_refused_without_repeating_them(void **state)
{
    (void)state;
    const char *const rows[] = {
        NULL,
        "",
        "h:6443",
        "ftp://h",
        "HTTPS//h",
        "https://",
        "https://:443",
        "https://h:",
        "https://h:0",
        "https://h:65536",
        "https://h:1x",
        "https://user:secret@h",
        "https://h?secret",
        "https://h/#secret",
        "https://h/a b",
        "https://h/a/../secret",
        "https://h/..",
        "https://h/./a",
        "https://[::1",
        "https://[::1]x",
        "https://h]",
        "https://h\nX: secret",
        "https://h:123456",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_url u;
        struct err e = ERR_INIT;
        assert_int_equal(http_url_parse(rows[i], &u, &e), RC_INVALID);
        assert_null(strstr(e.msg, "secret"));
        assert_non_null(strstr(e.msg, "allowed is https://HOST"));
    }
}

static void a_host_of_the_greatest_length_is_taken_and_one_more_refused(void **state)
{
    (void)state;
    char text[8 + HTTP_HOST_MAX + 2] = "https://";
    struct http_url u;
    struct err e;
    memset(text + 8, 'a', HTTP_HOST_MAX);
    assert_int_equal(http_url_parse(text, &u, &e), RC_OK);
    assert_int_equal(strlen(u.host), HTTP_HOST_MAX);
    text[8 + HTTP_HOST_MAX] = 'a';
    assert_int_equal(http_url_parse(text, &u, &e), RC_INVALID);
}

static void an_ipv6_authority_gets_brackets(void **state)
{
    (void)state;
    char out[HTTP_AUTHORITY_SIZE];
    assert_string_equal(http_authority("::1", 443, out), "[::1]:443");
    assert_string_equal(http_authority("h", 1, out), "h:1");
}

static void a_path_cannot_smuggle_a_header_or_a_fragment(void **state)
{
    (void)state;
    assert_true(http_path_ok(SLICE("/api/v1/pods?limit=5&continue=a%2Fb")));
    assert_true(http_path_ok(SLICE("/")));
    const struct slice bad[] = {SLICE(""),           SLICE("api"),  SLICE("/a b"),
                                SLICE("/a\r\nX: y"), SLICE("/a#b"), SLICE("/a\x7f"),
                                SLICE("/\xc3\xa4"),  SLICE("/a\0b")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(http_path_ok(bad[i]));
}

static void only_loopback_is_local(void **state)
{
    (void)state;
    const struct {
        const char *url;
        bool local;
    } rows[] = {
        {"http://127.0.0.1:80", true},
        {"http://127.255.0.9", true},
        {"http://[::1]", true},
        {"http://LocalHost", true},
        {"http://128.0.0.1", false},
        {"http://10.0.0.1", false},
        {"http://[::2]", false},
        {"http://127.0.0.1.example", false},
        {"http://localhost.example", false},
        {"http://h", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_url u;
        struct err e;
        assert_int_equal(http_url_parse(rows[i].url, &u, &e), RC_OK);
        assert_int_equal(http_url_is_local(&u), rows[i].local);
    }
}

static void a_proxys_url_gets_its_port_and_resolves_names_itself(void **state)
{
    (void)state;
    static const struct {
        const char *text, *url;
    } rows[] = {
        {"http://h", "http://h:80"},
        {"https://h/", "https://h:443"},
        {"http://[fd00::1]:3128", "http://[fd00::1]:3128"},
        {"socks5://h", "socks5h://h:1080"},
        {"socks5h://127.0.0.1:9", "socks5h://127.0.0.1:9"},
        {"https://u:p%40@h:1", "https://u:p%40@h:1"},
        {"ftp://secret", NULL},
        {"secret:8080", NULL},
        {"http://", NULL},
        {"http://secret@", NULL},
        {"http://secret:x", NULL},
        {"http://secret:70000", NULL},
        {"http://secret/path", NULL},
        {"http://secret?q", NULL},
        {"http://secret h", NULL},
        {"http://a/b:secret@h", NULL},
        {"socks4://secret", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_done) struct buf url = BUF_INIT(1024);
        struct err e = ERR_INIT;
        assert_int_equal(http_proxy_url(rows[i].text, &url, &e), rows[i].url ? RC_OK : RC_INVALID);
        if (rows[i].url)
            assert_string_equal(url.p, rows[i].url);
        assert_null(strstr(e.msg, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_come_apart),
        cmocka_unit_test(bad_urls_are_refused_without_repeating_them),
        cmocka_unit_test(a_host_of_the_greatest_length_is_taken_and_one_more_refused),
        cmocka_unit_test(an_ipv6_authority_gets_brackets),
        cmocka_unit_test(a_path_cannot_smuggle_a_header_or_a_fragment),
        cmocka_unit_test(only_loopback_is_local),
        cmocka_unit_test(a_proxys_url_gets_its_port_and_resolves_names_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

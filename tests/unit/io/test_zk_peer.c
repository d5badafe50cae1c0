/* io/zk_peer: what a target may be, and the order of its servers. */
#include "io/zk_peer.h"

#include "core/rng.h"
#include "core/scope.h"

#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define PEM "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

static enum rc make(struct zk_peer *p, const struct zk_target *t, uint64_t seed, struct err *e)
{
    struct rng_seeded rng;
    rng_seeded_init(&rng, seed);
    return zk_peer_init(p, t, &rng.rng, e);
}

static void a_server_is_a_host_and_the_usual_port_unless_another_is_given(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"zk", "zk:2181"},
        {"zk:80", "zk:80"},
        {"10.0.0.1", "10.0.0.1:2181"},
        {"[::1]", "[::1]:2181"},
        {"[fd00::2]:99", "[fd00::2]:99"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(zk_peer_done) struct zk_peer p = {0};
        struct err e = ERR_INIT;
        const struct zk_target t = {.servers = cases[i], .n_servers = 1};
        assert_int_equal(make(&p, &t, 1, &e), RC_OK);
        assert_string_equal(p.servers[0], cases[i][1]);
    }
}

static void what_is_no_server_is_named(void **state)
{
    (void)state;
    static const char *const cases[] = {"",    "zk:", "zk:0", "zk:65536", "zk/chroot",
                                        "a b", "::1", "u@zk", "a:1,b:1"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(zk_peer_done) struct zk_peer p = {0};
        struct err e = ERR_INIT;
        const struct zk_target t = {.servers = &cases[i], .n_servers = 1};
        assert_int_equal(make(&p, &t, 1, &e), RC_INVALID);
        assert_non_null(strstr(e.msg, "HOST[:PORT]"));
        assert_non_null(strstr(e.msg, cases[i]));
    }
}

static void as_many_servers_as_fit(void **state)
{
    (void)state;
    const char *many[ZK_SERVERS_MAX + 1];
    struct err e = ERR_INIT;
    for (size_t i = 0; i <= ZK_SERVERS_MAX; i++)
        many[i] = "zk";
    AUTO(zk_peer_done) struct zk_peer none = {0}, all = {0}, more = {0};
    assert_int_equal(make(&none, &(struct zk_target){0}, 1, &e), RC_INVALID);
    assert_int_equal(
        make(&all, &(struct zk_target){.servers = many, .n_servers = ZK_SERVERS_MAX}, 1, &e),
        RC_OK);
    assert_int_equal(all.n_servers, ZK_SERVERS_MAX);
    assert_int_equal(
        make(&more, &(struct zk_target){.servers = many, .n_servers = ZK_SERVERS_MAX + 1}, 1, &e),
        RC_LIMIT);
    zk_peer_done(&all);
}

static void the_order_is_of_chance_and_loses_none(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    unsigned firsts = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        AUTO(zk_peer_done) struct zk_peer p = {0};
        struct err e = ERR_INIT;
        unsigned seen = 0;
        assert_int_equal(make(&p, &(struct zk_target){.servers = names, .n_servers = 3}, seed, &e),
                         RC_OK);
        for (size_t i = 0; i < 3; i++)
            seen |= 1u << (p.servers[i][0] - 'a');
        assert_int_equal(seen, 7);
        firsts |= 1u << (p.servers[0][0] - 'a');
    }
    assert_int_equal(firsts, 7);
}

static void half_a_login_and_half_a_certificate_are_refused_without_telling_secrets(void **state)
{
    (void)state;
    static const char *const server[] = {"zk"};
    static const struct {
        struct zk_target t;
        const char *text;
    } cases[] = {
        {{.user = "bob"}, "needs a password"},
        {{.password = "s3cret"}, "needs a password"},
        {{.user = "b:b", .password = "s3cret"}, "holds a ':'"},
        {{.ca_pem = "s3cret"}, "the certificate authority is no PEM"},
        {{.ca_pem = PEM, .cert_pem = PEM}, "needs its key"},
        {{.ca_pem = PEM, .key_pem = PEM}, "needs its key"},
        {{.ca_pem = PEM, .cert_pem = PEM, .key_pem = "s3cret"}, "key is no PEM"},
        {{.cert_pem = PEM, .key_pem = PEM}, "only with TLS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(zk_peer_done) struct zk_peer p = {0};
        struct err e = ERR_INIT;
        struct zk_target t = cases[i].t;
        t.servers = server;
        t.n_servers = 1;
        assert_int_equal(make(&p, &t, 1, &e), RC_INVALID);
        assert_non_null(strstr(e.msg, cases[i].text));
        assert_null(strstr(e.msg, "s3cret"));
    }
}

static void all_is_copied(void **state)
{
    (void)state;
    static const char *const server[] = {"zk"};
    char user[] = "bob", password[] = "pw";
    AUTO(zk_peer_done) struct zk_peer p = {0};
    struct err e = ERR_INIT;
    const struct zk_target t = {.servers = server,
                                .n_servers = 1,
                                .user = user,
                                .password = password,
                                .ca_pem = PEM,
                                .cert_pem = PEM,
                                .key_pem = PEM};
    assert_int_equal(make(&p, &t, 1, &e), RC_OK);
    memset(user, 'x', 3);
    memset(password, 'x', 2);
    assert_string_equal(p.user, "bob");
    assert_string_equal(p.password, "pw");
    assert_string_equal(p.key_pem, PEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_a_host_and_the_usual_port_unless_another_is_given),
        cmocka_unit_test(what_is_no_server_is_named),
        cmocka_unit_test(as_many_servers_as_fit),
        cmocka_unit_test(the_order_is_of_chance_and_loses_none),
        cmocka_unit_test(half_a_login_and_half_a_certificate_are_refused_without_telling_secrets),
        cmocka_unit_test(all_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* controller/resource_database: servers, the AdminServer, the records made of them. */
#include "tests/unit/controller/resource_rig.h"

#define HEAD                                                                                       \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: z}\n"             \
    "spec: {zookeeper: {client: {"
#define SERVERS(list) HEAD "servers: [" list "]}}}\n"
#define NAMING(keys)                                                                               \
    HEAD "servers: [h], secretName: s}}}\n---\napiVersion: v1\nkind: Secret\n"                     \
         "metadata: {name: s}\n" keys
#define PEM "\"-----BEGIN " SECRET_MARK "\""
#define RULE                                                                                       \
    " is no server: allowed are HOST:PORT and [ADDRESS]:PORT, with a port of 1 to 65535; without " \
    "a port it is 2181\n"
#define AT0 "error f.yaml:4:39 spec.zookeeper.client.servers[0]: "

static void each_wrong_server_is_told(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {SERVERS("\"a:2181\", h, \"[::1]:2181\", \"[fe80::1]\", 10.0.0.1, a_b.c-d"), ""},
        {SERVERS("\"a:0\", \"b:x\", ok"),
         AT0 "\"a:0\"" RULE "error f.yaml:4:46 spec.zookeeper.client.servers[1]: \"b:x\"" RULE},
        {SERVERS("\"a:65536\""), AT0 "\"a:65536\"" RULE},
        {SERVERS("\"::1\""), AT0 "\"::1\"" RULE},
        {SERVERS("\"a:\""), AT0 "\"a:\"" RULE},
        {SERVERS("\":2181\""), AT0 "\":2181\"" RULE},
        {SERVERS("\"<zookeeper_ip>\""), AT0 "\"<zookeeper_ip>\"" RULE},
        {SERVERS("\"u@a\""), AT0 "\"u@a\"" RULE},
        {SERVERS("\"a b\""), AT0 "\"a b\"" RULE},
        {SERVERS("\"a\\0b\""), AT0 "\"a\"" RULE},
        {SERVERS("\"a:1,b:2\""), AT0 "\"a:1,b:2\": write each server as an item of its own\n"},
        {SERVERS("\"a:1/chroot\""),
         AT0 "\"a:1/chroot\": no path belongs here, the rootPath of a synchronization says it; "
             "allowed are HOST:PORT and [ADDRESS]:PORT\n"},
        {SERVERS(""), "error f.yaml:4:29 spec.zookeeper.client.servers: must not be empty\n"},
        {SERVERS("2181"), AT0 "must be a string, found the number 2181: put it in quotes\n"},
        {SERVERS("h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h"),
         "error f.yaml:4:29 spec.zookeeper.client.servers: 33 servers, the most allowed is 32\n"},
        {HEAD "servers: [5, \"a:0\"], server: x}}}\n", AT0
         "must be a string, found the number 5: put it in quotes\n"
         "error f.yaml:4:42 spec.zookeeper.client.servers[1]: \"a:0\"" RULE
         "error f.yaml:4:50 spec.zookeeper.client.server: unknown field \"server\"; did you mean "
         "\"servers\"? allowed: servers, secretName\n"},
        {HEAD "server: [h]}}}\n",
         "error f.yaml:4:20 spec.zookeeper.client: the field \"servers\" is missing: a list is "
         "needed\n"
         "error f.yaml:4:29 spec.zookeeper.client.server: unknown field \"server\"; did you mean "
         "\"servers\"? allowed: servers, secretName\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void the_admin_server_is_checked(void **state)
{
    (void)state;
#define ADMIN(fields)                                                                              \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: z}\n"             \
    "spec: {zookeeper: {admin: {" fields "}}}\n"
    static const struct rig_case cases[] = {
        {ADMIN("protocol: http, host: h, port: \"8080\", secretName: s"),
         "warning f.yaml:4:67 spec.zookeeper.admin.secretName: not used: with protocol http no "
         "credentials are sent, and no certificate is checked; https does both\n"},
        {ADMIN("protocol: https, host: h, port: \"8080\", secretName: s"),
         "error f.yaml:4:68 spec.zookeeper.admin.secretName: there is no Secret default/s in the "
         "files: add it; known: sa, sb\n"},
        {ADMIN("protocol: https, host: \"::1\", port: \"8080\""), ""},
        {ADMIN("protocol: ftp, host: h, port: \"8080\""),
         "error f.yaml:4:28 spec.zookeeper.admin.protocol: \"ftp\" is not allowed; allowed: http, "
         "https\n"},
        {ADMIN("protocol: http, host: h, port: 8080"),
         "error f.yaml:4:53 spec.zookeeper.admin.port: must be a string, found the number 8080: "
         "put "
         "it in quotes\n"},
        {ADMIN("protocol: http, host: \"h/x\", port: \"0\", secretName: B"),
         "error f.yaml:4:44 spec.zookeeper.admin.host: \"h/x\" with port \"0\" is no server: "
         "the name or address of a host is expected, and a port of 1 to 65535\n"
         "error f.yaml:4:68 spec.zookeeper.admin.secretName: \"B\" is no name of a Secret in "
         "the same namespace: allowed are lower-case letters, digits, '-' and '.', beginning "
         "and ending with a letter or digit, at most 253 characters\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void a_record_has_servers_credentials_and_the_admin_server(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r =
        rig_read("apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\n"
                 "metadata: {name: z, namespace: ns}\nspec:\n  zookeeper:\n"
                 "    admin: {protocol: https, host: \"::1\", port: \"8080\", secretName: s}\n"
                 "    client: {servers: [\"h:2181\", \"[::1]\"], secretName: s}\n---\n"
                 "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\n"
                 "data: {password: aHVudGVyMg==}\nstringData: {username: u, ca.crt: " PEM
                 ", tls.crt: " PEM ", tls.key: " PEM "}\n");
    assert_null(resources_cluster(r, 0)->zookeeper);
    const struct cluster *c = resources_cluster(r, 2);
    assert_string_equal(c->full_name, "ns/z");
    assert_string_equal(c->secret_name, "s");
    assert_int_equal(c->zookeeper->n_servers, 2);
    assert_string_equal(c->zookeeper->servers[0], "h:2181");
    assert_string_equal(c->zookeeper->servers[1], "[::1]");
    assert_string_equal(c->zookeeper->user, "u");
    assert_string_equal(c->zookeeper->password, SECRET_MARK);
    assert_string_equal(c->zookeeper->ca_pem, "-----BEGIN " SECRET_MARK);
    assert_string_equal(c->zookeeper->cert_pem, "-----BEGIN " SECRET_MARK);
    assert_string_equal(c->zookeeper->key_pem, "-----BEGIN " SECRET_MARK);
    const struct admin_server *a = resources_admin(r, 0);
    assert_string_equal(a->full_name, "ns/z");
    assert_string_equal(a->target.url, "https://[::1]:8080");
    assert_string_equal(a->target.user, "u");
    assert_string_equal(a->target.password, SECRET_MARK);
    assert_string_equal(a->target.ca_pem, "-----BEGIN " SECRET_MARK);
    assert_string_equal(a->target.cert_pem, "-----BEGIN " SECRET_MARK);
    assert_string_equal(a->target.key_pem, "-----BEGIN " SECRET_MARK);
    assert_null(resources_admin(r, 1));
}

static void an_admin_server_needs_no_client_and_gets_no_credentials_over_http(void **state)
{
    (void)state;
    AUTO(resources_freep)
    struct resources *r = rig_read(ADMIN(
        "protocol: http, host: h, port: \"8080\", secretName: s") "---\n"
                                                                  "apiVersion: v1\nkind: "
                                                                  "Secret\nmetadata: {name: s}\n"
                                                                  "stringData: {username: u, "
                                                                  "password: " SECRET_MARK "}\n");
    assert_null(resources_cluster(r, 2));
    const struct admin_server *a = resources_admin(r, 0);
    assert_string_equal(a->full_name, "default/z");
    assert_string_equal(a->target.url, "http://h:8080");
    assert_null(a->target.user);
    assert_null(a->target.password);
}

static void what_is_wrong_with_the_admin_server_holds_up_no_copy(void **state)
{
    (void)state;
    static const char *const files[] = {"f.yaml"};
    rig_file("f.yaml",
             SLICE("apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\n"
                   "metadata: {name: z, namespace: ns}\nspec:\n  zookeeper:\n"
                   "    admin: {protocol: https, host: h, port: \"8080\", secretName: missing}\n"
                   "    client: {servers: [\"h:2181\"]}\n"));
    AUTO(resources_freep)
    struct resources *r = rig_load(&(struct resources_opts){.files = files, .n_files = 1});
    assert_int_equal(resources_errors(r), 1);
    assert_string_equal(resources_cluster(r, 0)->full_name, "ns/z");
    assert_null(resources_admin(r, 0));
}

static void digest_of(const char *yaml, uint8_t ret[RESOURCE_DIGEST])
{
    AUTO(resources_freep) struct resources *r = rig_read(yaml);
    memcpy(ret, resources_cluster(r, 2)->digest, RESOURCE_DIGEST);
}

static void the_digest_changes_with_servers_and_credentials_alone(void **state)
{
    (void)state;
    static const char *const yaml[] = {
        NAMING("stringData: {username: u, password: p}\n"),
        NAMING("data: {username: dQ==, password: cA==}\ntype: Opaque\n"), /* the same */
        NAMING("stringData: {username: u, password: q}\n"),
        NAMING("stringData: {username: v, password: p}\n"),
        SERVERS("h"),
        SERVERS("g"),
    };
    uint8_t digests[6][RESOURCE_DIGEST];
    for (size_t i = 0; i < 6; i++)
        digest_of(yaml[i], digests[i]);
    assert_memory_equal(digests[0], digests[1], RESOURCE_DIGEST);
    for (size_t i = 2; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(digests[i], digests[j], RESOURCE_DIGEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_wrong_server_is_told, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(the_admin_server_is_checked, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_the_admin_server_holds_up_no_copy,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_record_has_servers_credentials_and_the_admin_server,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(
            an_admin_server_needs_no_client_and_gets_no_credentials_over_http, rig_setup,
            rig_teardown),
        cmocka_unit_test_setup_teardown(the_digest_changes_with_servers_and_credentials_alone,
                                        rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

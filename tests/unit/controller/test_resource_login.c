/* controller/resource_login: the keys of a Secret that a Database names, and their values. */
#include "tests/unit/controller/resource_rig.h"

#define DATABASE_OF(part)                                                                          \
    "apiVersion: assets.astronetes.io/v1alpha1\nkind: Database\nmetadata: {name: z}\n"             \
    "spec: {zookeeper: {" part "}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
#define NAMING(keys) DATABASE_OF("client: {servers: [h], secretName: s}") keys
#define ADMIN(keys)                                                                                \
    DATABASE_OF("admin: {protocol: https, host: h, port: \"1\", secretName: s}") keys
#define PEM "\"-----BEGIN " SECRET_MARK "\""

#define AT_SECRET                                                                                  \
    "error f.yaml:4:43 spec.zookeeper.client.secretName: Secret default/s (f.yaml:6:1) has "

static void keys_of_the_secret_come_with_their_counterparts(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {NAMING("stringData: {username: u}\n"),
         AT_SECRET "\"username\" without \"password\"; its keys: username\n"},
        {NAMING("data: {password: aHVudGVyMg==}\n"),
         AT_SECRET "\"password\" without \"username\"; its keys: password\n"},
        {NAMING("stringData: {tls.crt: " PEM "}\n"),
         AT_SECRET "\"tls.crt\" without \"tls.key\"; its keys: tls.crt\n" AT_SECRET
                   "\"tls.crt\" without \"ca.crt\"; its keys: tls.crt\n"},
        {NAMING("stringData: {tls.key: " PEM ", ca.crt: " PEM "}\n"),
         AT_SECRET "\"tls.key\" without \"tls.crt\"; its keys: tls.key, ca.crt\n"},
        {NAMING("stringData: {user: u, pass: p}\n"),
         AT_SECRET "none of the keys username, password, ca.crt, tls.crt, tls.key; its keys: user, "
                   "pass\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void values_that_cannot_be_are_told_and_not_shown(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {NAMING("stringData: {ca.crt: " SECRET_MARK "}\n"),
         "error f.yaml:9:14 stringData[\"ca.crt\"]: is not PEM text (-----BEGIN ...)\n"},
        {NAMING("data: {username: \"!\", password: aHVudGVyMg==}\n"),
         "error f.yaml:9:8 data.username: is not base64; plain text belongs in stringData instead "
         "of data\n"},
        {NAMING("stringData: {username: \"a:" SECRET_MARK "\", password: \"\"}\n"),
         "error f.yaml:9:14 stringData.username: has a ':' in it, which ends the name for a "
         "server\n"
         "error f.yaml:9:37 stringData.password: is empty\n"},
        {NAMING("stringData: {username: \"a\\0b\", password: p}\n"),
         "error f.yaml:9:14 stringData.username: has a byte of value zero in it\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

static void the_secret_of_an_admin_server_is_checked_alike(void **state)
{
    (void)state;
    static const struct rig_case cases[] = {
        {ADMIN("stringData: {username: u, password: p, ca.crt: " PEM "}\n"), ""},
        {ADMIN("stringData: {username: u}\n"),
         "error f.yaml:4:65 spec.zookeeper.admin.secretName: Secret default/s (f.yaml:6:1) has "
         "\"username\" without \"password\"; its keys: username\n"},
        {ADMIN("stringData: {ca.crt: " SECRET_MARK "}\n"),
         "error f.yaml:9:14 stringData[\"ca.crt\"]: is not PEM text (-----BEGIN ...)\n"},
    };
    rig_expect_all(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_of_the_secret_come_with_their_counterparts, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(values_that_cannot_be_are_told_and_not_shown, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(the_secret_of_an_admin_server_is_checked_alike, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

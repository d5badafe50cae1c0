/* io/exec_credential: what programs answer. */
#include "io/exec_credential.h"

#include "core/scope.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define V1        "client.authentication.k8s.io/v1"
#define ANSWER(s) "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" s "}"
#define PEM       "\"-----BEGIN X\\n\""

static void a_program_is_told_the_version_and_that_nobody_can_be_asked(void **state)
{
    (void)state;
    char *info = exec_credential_info(V1);
    assert_string_equal(info,
                        "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                        "\",\"spec\":{\"interactive\":false}}");
    free(info);
}

static void two_versions_are_spoken(void **state)
{
    (void)state;
    assert_true(exec_credential_version_ok(SLICE(V1)));
    assert_true(exec_credential_version_ok(SLICE("client.authentication.k8s.io/v1beta1")));
    assert_false(exec_credential_version_ok(SLICE("client.authentication.k8s.io/v1alpha1")));
    assert_false(exec_credential_version_ok(SLICE("")));
}

static void token_certificate_and_expiry_are_taken(void **state)
{
    (void)state;
    AUTO(exec_credential_done) struct exec_credential a = {0}, b = {0};
    struct err e;
    assert_int_equal(exec_credential_parse(SLICE(ANSWER("{\"token\":\"t\"}") "\n"), V1, &a, &e),
                     RC_OK);
    assert_string_equal(a.token, "t");
    assert_null(a.cert);
    assert_true(a.expires_wall_ns == INT64_MAX);
    assert_int_equal(
        exec_credential_parse(SLICE(ANSWER("{\"clientCertificateData\":" PEM
                                           ",\"clientKeyData\":" PEM ",\"token\":null,"
                                           "\"expirationTimestamp\":\"1970-01-01T00:00:07Z\"}")),
                              V1, &b, &e),
        RC_OK);
    assert_null(b.token);
    assert_string_equal(b.cert, "-----BEGIN X\n");
    assert_string_equal(b.key, "-----BEGIN X\n");
    assert_true(b.expires_wall_ns == 7000000000LL);
}

static void bad_answers_are_told_without_their_text(void **state)
{
    (void)state;
    static const struct {
        const char *output, *says;
    } rows[] = {
        {"", "gave no ExecCredential in JSON"},
        {"secret", "gave no ExecCredential in JSON"},
        {"[]", "gave no ExecCredential in JSON"},
        {"{\"kind\":\"secret\"}", "gave no ExecCredential in JSON"},
        {ANSWER("{\"token\":\"secret\"}") " secret", "gave no ExecCredential in JSON"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"secret\",\"status\":{}}",
         "gave another apiVersion than the " V1 " of its exec"},
        {ANSWER("null"), "gave no status"},
        {ANSWER("{}"), "gave neither a token nor a client certificate"},
        {ANSWER("{\"token\":\"\"}"), "gave neither a token nor a client certificate"},
        {ANSWER("{\"token\":[\"secret\"]}"), "gave a status.token that is no text"},
        {ANSWER("{\"token\":\"secret\\u0000\"}"), "gave a status.token with a NUL byte"},
        {ANSWER("{\"clientKeyData\":" PEM "}"),
         "gave a client certificate or a key without the other"},
        {ANSWER("{\"clientKeyData\":" PEM ",\"clientCertificateData\":\"secret\"}"),
         "gave a client certificate or a key that is not PEM text"},
        {ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"secret\"}"),
         "gave a status.expirationTimestamp that is no time"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exec_credential c = {0};
        struct err e = ERR_INIT;
        assert_int_equal(exec_credential_parse(slice_str(rows[i].output), V1, &c, &e), RC_INVALID);
        assert_string_equal(e.msg, rows[i].says);
        assert_null(c.token);
        assert_null(c.key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_told_the_version_and_that_nobody_can_be_asked),
        cmocka_unit_test(two_versions_are_spoken),
        cmocka_unit_test(token_certificate_and_expiry_are_taken),
        cmocka_unit_test(bad_answers_are_told_without_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

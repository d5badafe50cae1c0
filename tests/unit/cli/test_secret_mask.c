/* cli/secret_mask: which keys are Secrets, which paths lead into their values, and what is left of them. */
#include "cli/secret_mask.h"

#include "core/buf.h"
#include "core/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static void only_secrets_of_the_core_group_are_secrets(void **state)
{
    (void)state;
    assert_true(secret_is(SOURCE_KUBERNETES, SLICE("/secrets/ns/a")));
    assert_false(secret_is(SOURCE_KUBERNETES, SLICE("/configmaps/ns/secrets")));
    assert_false(secret_is(SOURCE_KUBERNETES, SLICE("example.com/secrets/ns/a")));
    assert_false(secret_is(SOURCE_KUBERNETES, SLICE("@kind//secrets")));
    assert_false(secret_is(SOURCE_ZOOKEEPER, SLICE("/secrets/ns/a")));
}

static void paths_into_values_are_known(void **state)
{
    (void)state;
    assert_true(secret_holds(SLICE("/data")));
    assert_true(secret_holds(SLICE("/data/a/b")));
    assert_true(secret_holds(SLICE("/stringData/x")));
    assert_false(secret_holds(SLICE("/dat")));
    assert_false(secret_holds(SLICE("/database")));
    assert_false(secret_holds(SLICE("/metadata/data")));
}

static void names_stay_and_values_go(void **state)
{
    (void)state;
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct err e = ERR_INIT;
    const char *text =
        "{\"data\":{\"a\":\"MARK\"},\"data\":7,\"metadata\":{\"annotations\":{\"x\":\"y\","
        "\"kubectl.kubernetes.io/last-applied-configuration\":\"MARK\"}}}";
    assert_int_equal(json_parse(slice_str(text), &d, &e), RC_OK);
    assert_int_equal(secret_mask(d, &e), RC_OK);
    json_print(json_root(d), &out);
    assert_string_equal(out.p, "{\"data\":{\"a\":\"***\"},\"data\":\"***\",\"metadata\":{"
                               "\"annotations\":{\"x\":\"y\"}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_secrets_of_the_core_group_are_secrets),
        cmocka_unit_test(paths_into_values_are_known),
        cmocka_unit_test(names_stay_and_values_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

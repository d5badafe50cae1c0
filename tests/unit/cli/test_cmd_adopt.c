/* cli/cmd_adopt: what is not understood orders nothing; the rest is for the end-to-end tests. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* The arguments behind a folder that nothing is in. */
static void assert_ends(int code, const char *const *words)
{
    char name[] = "adopt", option[] = "--data", folder[] = "/no-such-folder";
    char *argv[10] = {name, option, folder};
    int argc = 3;
    for (; *words; words++)
        argv[argc++] = (char *)*words;
    assert_int_equal(cmd_adopt(argc, argv), code);
}
#define ASSERT_ENDS(code, ...) assert_ends(code, (const char *const[]){__VA_ARGS__, NULL})

/* "adopt SYNC -n shop" must not overwrite what other namespaces have. */
static void a_namespace_alone_is_refused_and_not_passed_over(void **state)
{
    (void)state;
    ASSERT_ENDS(EXIT_USAGE, "copies", "-n", "shop");
    ASSERT_ENDS(EXIT_USAGE, "copies", "-n", "shop", "--plan");
    ASSERT_ENDS(EXIT_INVALID, "copies", "cm/settings", "-n", "shop");
    ASSERT_ENDS(EXIT_INVALID, "copies");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_namespace_alone_is_refused_and_not_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

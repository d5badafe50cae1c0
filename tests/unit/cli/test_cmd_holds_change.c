/* cli/cmd_holds_change: what is not understood orders nothing; the rest is for the end-to-end tests. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

typedef int command_fn(int argc, char **argv);

/* The arguments behind a folder that nothing is in. */
static void assert_ends(int code, command_fn *command, const char *const *words)
{
    char name[] = "change", option[] = "--data", folder[] = "/no-such-folder";
    char *argv[10] = {name, option, folder};
    int argc = 3;
    for (; *words; words++)
        argv[argc++] = (char *)*words;
    assert_int_equal(command(argc, argv), code);
}
#define ASSERT_ENDS(code, command, ...)                                                            \
    assert_ends(code, command, (const char *const[]){__VA_ARGS__, NULL})

static void an_order_names_an_object_or_says_that_all_are_meant(void **state)
{
    (void)state;
    ASSERT_ENDS(EXIT_USAGE, cmd_holds_retry, "copies");
    ASSERT_ENDS(EXIT_USAGE, cmd_holds_retry, "copies", "cm/settings", "--all");
    ASSERT_ENDS(EXIT_USAGE, cmd_holds_skip, "copies");
    ASSERT_ENDS(EXIT_USAGE, cmd_holds_skip, "copies", "--all");
    ASSERT_ENDS(EXIT_INVALID, cmd_holds_retry, "copies", "--all");
}

static void a_namespace_alone_is_refused_and_not_passed_over(void **state)
{
    (void)state;
    ASSERT_ENDS(EXIT_USAGE, cmd_holds_retry, "copies", "--all", "-n", "shop");
    ASSERT_ENDS(EXIT_INVALID, cmd_holds_retry, "copies", "cm/settings", "-n", "shop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_names_an_object_or_says_that_all_are_meant),
        cmocka_unit_test(a_namespace_alone_is_refused_and_not_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* cli/lookup: words that name a command, words that almost do. */
#include "cli/lookup.h"

#include "cli/cli.h"
#include "core/buf.h"
#include "core/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 4 };

/* Cuts text at its blanks into argv, behind the program's name. */
static int cut(char *text, char **argv)
{
    static char program[] = "resilog";
    int argc = 0;
    argv[argc++] = program;
    for (char *at = text; at && argc < ARGS_MAX; argc++) {
        argv[argc] = at;
        at = strchr(at, ' ');
        if (at)
            *at++ = '\0';
    }
    return argc;
}

static void assert_finds(const char *line, const char *name, int words)
{
    char text[100], *argv[ARGS_MAX];
    int got = 0;
    snprintf(text, sizeof text, "%s", line);
    const struct command *c = lookup_command(cut(text, argv), argv, &got);
    if (!name) {
        assert_null(c);
        return;
    }
    assert_non_null(c);
    assert_string_equal(c->name, name);
    assert_int_equal(got, words);
}

static void a_command_is_found_by_one_word_or_two(void **state)
{
    (void)state;
    assert_finds("run --data x", "run", 1);
    assert_finds("log show -f", "log show", 2);
    assert_finds("log", NULL, 0);
    assert_finds("log --data show", NULL, 0);
    assert_finds("runs", NULL, 0);
}

static void assert_explains(const char *line, const char *want)
{
    char text[100], *argv[ARGS_MAX];
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    snprintf(text, sizeof text, "%s", line);
    lookup_explain(cut(text, argv), argv, &out);
    assert_string_equal(out.p, want);
}

static void what_names_no_command_is_explained(void **state)
{
    (void)state;
    assert_explains("log", "\"log\" needs a second word; there are: log show, log verify");
    assert_explains("holds --data",
                    "\"holds\" needs a second word; there are: holds ls, holds show, holds retry, "
                    "holds skip");
    assert_explains("holds forever", "unknown command \"holds forever\"; there are: holds ls, "
                                     "holds show, holds retry, holds skip");
    assert_explains("log shwo", "unknown command \"log shwo\"; did you mean \"log show\"?");
    assert_explains("statsu x", "unknown command \"statsu\"; did you mean \"status\"?");
    assert_explains("no-such-command", "unknown command \"no-such-command\"");
    assert_explains("__check-segmen", "unknown command \"__check-segmen\"");
}

static void a_word_that_begins_commands_lists_them_with_what_they_do(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    assert_true(lookup_group("log", &out));
    assert_string_equal(out.p, "  log show     print the log's events\n"
                               "  log verify   check the log's integrity\n");
    assert_false(lookup_group("run", &out));
    assert_false(lookup_group("no-such-command", &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_found_by_one_word_or_two),
        cmocka_unit_test(what_names_no_command_is_explained),
        cmocka_unit_test(a_word_that_begins_commands_lists_them_with_what_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

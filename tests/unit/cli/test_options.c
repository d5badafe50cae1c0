/* cli/options: the forms in which options may be given, and what each mistake is told. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { ARGS_MAX = OPTION_VALUES_MAX + 8 };

/* A command with one option of each sort, and room for two words. */
struct given {
    bool follow;
    const char *data, *output;
    struct option_values files;
    const char *words[2];
    struct option_rest rest;
    struct err e;
};

static enum rc parse(struct given *g, const char *const *args, size_t n)
{
    const struct option_spec specs[] = {
        {'w', "follow", &g->follow, NULL, NULL},
        {0, "data", NULL, &g->data, NULL},
        {'o', "output", NULL, &g->output, NULL},
        {'f', "filename", NULL, NULL, &g->files},
    };
    char *argv[ARGS_MAX] = {(char *)"command"};
    assert_true(n < ARGS_MAX);
    for (size_t i = 0; i < n; i++)
        argv[i + 1] = (char *)args[i];
    *g = (struct given){.rest = {g->words, 2, 0}};
    return options_parse((int)n + 1, argv, specs, sizeof specs / sizeof *specs, &g->rest, &g->e);
}
#define PARSE(g, ...)                                                                              \
    parse((g), (const char *const[]){__VA_ARGS__},                                                 \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void without_arguments_nothing_is_set(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(parse(&g, NULL, 0), RC_OK);
    assert_false(g.follow);
    assert_null(g.data);
    assert_null(g.output);
    assert_int_equal(g.files.n, 0);
    assert_int_equal(g.rest.n, 0);
}

static void a_value_may_be_given_in_every_usual_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"--output", "json"}, {"--output=json", NULL}, {"-o", "json"},
        {"-ojson", NULL},     {"-o=json", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g;
        assert_int_equal(parse(&g, rows[i], rows[i][1] ? 2 : 1), RC_OK);
        assert_string_equal(g.output, "json");
        assert_int_equal(g.rest.n, 0);
    }
}

static void options_and_words_may_stand_in_any_order(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(PARSE(&g, "one", "-w", "--data", "d", "-"), RC_OK);
    assert_true(g.follow);
    assert_string_equal(g.data, "d");
    assert_int_equal(g.rest.n, 2);
    assert_string_equal(g.words[0], "one");
    assert_string_equal(g.words[1], "-");
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(PARSE(&g, "--", "--follow", "--"), RC_OK);
    assert_false(g.follow);
    assert_string_equal(g.words[0], "--follow");
    assert_string_equal(g.words[1], "--");
}

static void a_value_may_be_empty_or_look_like_an_option(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(PARSE(&g, "--data=", "--output", "--follow"), RC_OK);
    assert_string_equal(g.data, "");
    assert_string_equal(g.output, "--follow");
    assert_false(g.follow);
}

static void of_a_repeated_value_the_last_counts_and_a_list_keeps_all(void **state)
{
    (void)state;
    struct given g;
    assert_int_equal(PARSE(&g, "-oa", "-fx", "-ob", "--filename=y"), RC_OK);
    assert_string_equal(g.output, "b");
    assert_int_equal(g.files.n, 2);
    assert_string_equal(g.files.list[0], "x");
    assert_string_equal(g.files.list[1], "y");
}

static void a_list_takes_its_most_values_and_not_one_more(void **state)
{
    (void)state;
    const char *args[OPTION_VALUES_MAX + 1];
    struct given g;
    for (size_t i = 0; i <= OPTION_VALUES_MAX; i++)
        args[i] = "-fx";
    assert_int_equal(parse(&g, args, OPTION_VALUES_MAX), RC_OK);
    assert_int_equal(g.files.n, OPTION_VALUES_MAX);
    assert_int_equal(parse(&g, args, OPTION_VALUES_MAX + 1), RC_INVALID);
    assert_string_equal(g.e.msg, "--filename may be given 64 times at most");
}

static void each_mistake_is_told_with_what_was_given(void **state)
{
    (void)state;
    static const struct {
        const char *args[3];
        size_t n;
        const char *msg;
    } rows[] = {
        {{"--outptu", "x"}, 2, "unknown option --outptu; did you mean --output?"},
        {{"--dat=x"}, 1, "unknown option --dat; did you mean --data?"},
        {{"--zzzzzzzz"}, 1, "unknown option --zzzzzzzz"},
        {{"--=x"}, 1, "unknown option --"},
        {{"-x"}, 1, "unknown option -x"},
        {{"-wx"}, 1, "unknown option -wx"},
        {{"--follow=yes"}, 1, "--follow takes no value"},
        {{"--data"}, 1, "--data needs a value"},
        {{"-w", "-o"}, 2, "-o needs a value"},
        {{"a", "b", "c"}, 3, "unexpected word \"c\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given g;
        assert_int_equal(parse(&g, rows[i].args, rows[i].n), RC_INVALID);
        assert_string_equal(g.e.msg, rows[i].msg);
        assert_int_equal(g.e.retry, ERR_FINAL);
    }
}

static void a_wrong_name_of_any_length_is_only_unknown(void **state)
{
    (void)state;
    char name[300];
    struct given g;
    memset(name, 'd', sizeof name - 1);
    name[0] = name[1] = '-';
    name[sizeof name - 1] = '\0';
    assert_int_equal(PARSE(&g, name), RC_INVALID);
    assert_non_null(strstr(g.e.msg, "unknown option --dddd"));
    assert_null(strstr(g.e.msg, "did you mean"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_arguments_nothing_is_set),
        cmocka_unit_test(a_value_may_be_given_in_every_usual_form),
        cmocka_unit_test(options_and_words_may_stand_in_any_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_value_may_be_empty_or_look_like_an_option),
        cmocka_unit_test(of_a_repeated_value_the_last_counts_and_a_list_keeps_all),
        cmocka_unit_test(a_list_takes_its_most_values_and_not_one_more),
        cmocka_unit_test(each_mistake_is_told_with_what_was_given),
        cmocka_unit_test(a_wrong_name_of_any_length_is_only_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

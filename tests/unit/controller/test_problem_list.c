/* controller/problem_list: places, paths, order, and the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "controller/problem_list.h"
#include "core/json.h"
#include "core/yaml.h"

static void done_yaml(struct yaml_file *f)
{
    yaml_file_done(f);
}

static void expect(const struct problem_list *l, size_t i, const char *where, const char *path,
                   const char *text)
{
    const struct problem *p = problem_list_get(l, i);
    assert_non_null(p);
    assert_string_equal(p->where, where);
    assert_string_equal(p->path, path);
    assert_string_equal(p->text, text);
}

static void a_node_has_a_place_and_a_path(void **state)
{
    (void)state;
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    AUTO(done_yaml) struct yaml_file f = {0};
    struct err e = ERR_INIT;
    assert_int_equal(yaml_parse(SLICE("a:\n- b\n- c.d/e: x\n  \"\": [1]\n"), "f", &f, &e), RC_OK);
    struct origin o = {.problems = l, .file = "dir/f", .doc = f.docs[0]};
    const struct json *second = json_at(json_get(json_root(o.doc), "a"), 1);
    problem_error(&o, json_get(second, "c.d/e"), "one");
    problem_warn(&o, json_at(json_get(second, ""), 0), "two %d", 2);
    problem_error(&o, json_root(o.doc), "three");
    problem_error(&o, NULL, "four");
    assert_int_equal(problem_list_finish(l, &e), RC_OK);
    expect(l, 0, "dir/f", "", "four");
    expect(l, 1, "dir/f:1:1", "", "three");
    expect(l, 2, "dir/f:3:3", "a[1][\"c.d/e\"]", "one");
    expect(l, 3, "dir/f:4:8", "a[1][\"\"][0]", "two 2");
    assert_int_equal(problem_list_get(l, 3)->level, PROBLEM_WARNING);
    assert_null(problem_list_get(l, 4));
    assert_int_equal(problem_list_errors(l), 3);
}

static void files_come_in_their_order_and_what_has_one_place_in_the_order_of_adding(void **state)
{
    (void)state;
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    struct origin first = {.problems = l, .file = "z", .order = 0};
    struct origin second = {.problems = l, .file = "a", .order = 1};
    struct err e = ERR_INIT;
    problem_error(&second, NULL, "3");
    problem_error(&first, NULL, "1");
    problem_warn(&first, NULL, "2");
    assert_int_equal(problem_list_finish(l, &e), RC_OK);
    expect(l, 0, "z", "", "1");
    expect(l, 1, "z", "", "2");
    expect(l, 2, "a", "", "3");
}

static void a_failure_gives_up_its_place_and_control_characters_become_question_marks(void **state)
{
    (void)state;
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    struct origin o = {.problems = l, .file = "dir/f"};
    struct err e = ERR_INIT;
    err_set(&e, RC_INVALID, ERR_FINAL, "dir/f:12:7: a\x1b[31mb");
    problem_failure(&o, NULL, &e);
    err_set(&e, RC_IO, ERR_FATAL, "dir/f: gone");
    problem_failure(&o, NULL, &e);
    err_set(&e, RC_INVALID, ERR_FINAL, "12 things");
    problem_failure(&o, NULL, &e);
    assert_int_equal(problem_list_finish(l, &e), RC_OK);
    expect(l, 0, "dir/f", "", "gone");
    expect(l, 1, "dir/f", "", "12 things");
    expect(l, 2, "dir/f:12:7", "", "a?[31mb");
}

static void a_lack_of_memory_is_told_at_the_end(void **state)
{
    (void)state;
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    struct origin o = {.problems = l, .file = "f"};
    struct err e = ERR_INIT;
    err_nomem(&e);
    problem_failure(&o, NULL, &e);
    assert_null(problem_list_get(l, 0));
    assert_int_equal(problem_list_finish(l, &e), RC_NOMEM);
    problem_list_free(NULL);
}

static void beyond_the_limit_problems_are_counted_and_not_kept(void **state)
{
    (void)state;
    AUTO(problem_list_freep) struct problem_list *l = problem_list_new();
    struct origin o = {.problems = l, .file = "f"};
    struct err e = ERR_INIT;
    for (size_t i = 0; i < PROBLEMS_MAX + 5; i++)
        problem_error(&o, NULL, "x");
    problem_warn(&o, NULL, "still there");
    assert_int_equal(problem_list_finish(l, &e), RC_OK);
    assert_int_equal(problem_list_errors(l), PROBLEMS_MAX + 5);
    expect(l, PROBLEMS_MAX, "f", "", "still there");
    expect(l, PROBLEMS_MAX + 1, "-", "", "5 more errors are not listed: mend those above first");
    assert_null(problem_list_get(l, PROBLEMS_MAX + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_has_a_place_and_a_path),
        cmocka_unit_test(files_come_in_their_order_and_what_has_one_place_in_the_order_of_adding),
        cmocka_unit_test(a_failure_gives_up_its_place_and_control_characters_become_question_marks),
        cmocka_unit_test(a_lack_of_memory_is_told_at_the_end),
        cmocka_unit_test(beyond_the_limit_problems_are_counted_and_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

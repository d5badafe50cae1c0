/* cli/problems: each remark about the resources is one diagnostic. */
#include "cli/problems.h"

#include "core/buf.h"
#include "core/diag.h"
#include "tests/fakes/fake_clock.h"
#include "tests/unit/controller/resource_rig.h"

static void keep_line(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

/* What is said of one file, in that format. */
static void say(const struct resources *r, enum diag_format format, struct buf *out)
{
    struct fake_clock clock;
    fake_clock_init(&clock, 0);
    AUTO(diag_freep) struct diag *diag = diag_new(&clock.clock, format, DIAG_DEBUG, keep_line, out);
    problems_say(r, diag);
}

static void problems_are_lines_of_the_format_that_was_asked_for(void **state)
{
    (void)state;
    AUTO(resources_freep) struct resources *r = NULL;
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    const char *file = "f.yaml";
    struct resources_opts opts = {.files = &file, .n_files = 1};
    struct err e = ERR_INIT;
    rig_file(file, SLICE("apiVersion: v1\nkind: Secret\nmetadata: {name: 5}\n---\nkind: A\n"));
    assert_int_equal(resources_load(&opts, &r, &e), RC_OK);
    say(r, DIAG_TEXT, &text);
    say(r, DIAG_JSON, &json);
    assert_string_equal(
        text.p, "1970-01-01T00:00:00Z ERROR f.yaml:3:12: metadata.name: must be a string, found "
                "the number 5: put it in quotes\n"
                "1970-01-01T00:00:00Z ERROR f.yaml:5:1: the field \"apiVersion\" is missing: this "
                "is no Kubernetes resource\n");
    assert_non_null(strstr(json.p, "\"msg\":\"f.yaml:3:12: metadata.name: must be a string"));
    assert_non_null(
        strstr(json.p, "\"resource\":{\"place\":\"f.yaml:3:12\",\"path\":\"metadata.name\"}"));
}

static void a_problem_is_an_object_of_json(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    problem_json(&(struct problem){PROBLEM_WARNING, "a \"b\".yaml:1:2", "data[\"x\"]", "is\nwrong"},
                 &out);
    problem_json(&(struct problem){PROBLEM_ERROR, "", "", ""}, &out);
    assert_string_equal(out.p,
                        "{\"level\":\"warning\",\"place\":\"a \\\"b\\\".yaml:1:2\","
                        "\"path\":\"data[\\\"x\\\"]\",\"message\":\"is\\nwrong\"}"
                        "{\"level\":\"error\",\"place\":\"\",\"path\":\"\",\"message\":\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(problems_are_lines_of_the_format_that_was_asked_for,
                                        rig_setup, rig_teardown),
        cmocka_unit_test(a_problem_is_an_object_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

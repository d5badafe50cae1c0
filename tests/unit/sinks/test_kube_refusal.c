/* Reasons: they say which field and which rule, never a value. */
#include "tests/unit/sinks/kube_test.h"

#include "io/kube_error.h"
#include "sinks/kube_refusal.h"

static char text[320];

static const char *refusal(int status, bool secret, const char *body)
{
    AUTO(freep) char *json = kt_quotes(body);
    struct kube_verdict v;
    kube_judge(status, SLICE("application/json"), slice_str(json), -1, &v);
    kube_refusal_text(&v, slice_str(json), secret, text, sizeof text);
    return text;
}

#define STATUS(reason, message, details)                                                           \
    "{'kind':'Status','apiVersion':'v1','status':'Failure','reason':'" reason                      \
    "','message':'" message "','details':{" details "}}"

static void E78_a_validation_names_field_and_rule_but_not_the_value(void **state)
{
    (void)state;
    const char *said = refusal(
        422, false,
        STATUS("Invalid", "ConfigMap is invalid: data: Invalid value: \\'hunter2: x\\': too bad",
               "'causes':[{'reason':'FieldValueInvalid','field':'data[k]',"
               "'message':'Invalid value: \\'hunter2: x\\': must be short'},"
               "{'reason':'FieldValueDuplicate','field':'spec.a','message':"
               "'Duplicate value: \\'hunter2\\''},"
               "{'reason':'FieldValueRequired','field':'spec.b','message':'Required value'}]"));
    assert_string_equal(said,
                        "Invalid: data[k]: must be short; spec.a: FieldValueDuplicate; spec.b: "
                        "Required value");
}

static void an_immutable_field_is_named(void **state)
{
    (void)state;
    assert_string_equal(
        refusal(422, false,
                STATUS("Invalid", "x",
                       "'causes':[{'reason':'FieldValueInvalid','field':'spec.selector',"
                       "'message':'Invalid value: {\\'a\\': 1}: field is immutable'}]")),
        "Invalid: spec.selector: field is immutable");
}

static void of_many_causes_the_first_are_shown(void **state)
{
    (void)state;
    const char *said = refusal(
        422, false,
        STATUS("Invalid", "x",
               "'causes':[{'reason':'R','field':'a'},{'reason':'R','field':'b'},{'reason':'R',"
               "'field':'c'},{'reason':'R','field':'d'},{'reason':'R','field':'e'},"
               "{'reason':'R','field':'f'}]"));
    assert_string_equal(said, "Invalid: a: R; b: R; c: R; d: R; and 2 more");
}

static void a_message_that_quotes_a_value_is_not_repeated(void **state)
{
    (void)state;
    const char *said =
        refusal(400, false, STATUS("BadRequest", "Unsupported value: \\'hunter2\\'", ""));
    assert_null(strstr(said, "hunter2"));
    assert_non_null(strstr(said, "BadRequest"));
}

static void of_a_secret_no_free_text_is_shown(void **state)
{
    (void)state;
    const char *webhook =
        STATUS("Forbidden",
               "admission webhook \\'p\\' denied the request: password hunter2 is "
               "weak",
               "");
    assert_non_null(strstr(refusal(403, false, webhook), "denied the request"));
    assert_null(strstr(refusal(403, true, webhook), "hunter2"));
    assert_null(
        strstr(refusal(422, true,
                       STATUS("Invalid", "x",
                              "'causes':[{'reason':'FieldValueInvalid','field':'data[k]','message':"
                              "'Invalid value: \\'x\\': hunter2 is not allowed'}]")),
               "hunter2"));
    assert_string_equal(text, "Invalid: data[k]: FieldValueInvalid");
}

static void what_we_may_not_do_is_said_of_secrets_too(void **state)
{
    (void)state;
    assert_non_null(strstr(
        refusal(403, true, STATUS("Forbidden", "secrets is forbidden: User x cannot create", "")),
        "cannot create"));
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf body = BUF_INIT(8192);
    char small[24];
    struct kube_verdict v;
    buf_add_str(&body, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"");
    for (int i = 0; i < 400; i++)
        buf_add_str(&body, "word ");
    buf_add_str(&body, "\"}");
    kube_judge(403, SLICE("application/json"), buf_slice(&body), -1, &v);
    kube_refusal_text(&v, buf_slice(&body), false, small, sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(E78_a_validation_names_field_and_rule_but_not_the_value),
        cmocka_unit_test(an_immutable_field_is_named),
        cmocka_unit_test(of_many_causes_the_first_are_shown),
        cmocka_unit_test(a_message_that_quotes_a_value_is_not_repeated),
        cmocka_unit_test(of_a_secret_no_free_text_is_shown),
        cmocka_unit_test(what_we_may_not_do_is_said_of_secrets_too),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

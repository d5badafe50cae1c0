#include "tests/unit/flow/flow_test.h"

#include "flow/transform.h"

static const struct json_patch_op SCALE[] = {
    {.kind = JSON_PATCH_REPLACE, .path = SLICE("/spec/replicas"), .value = SLICE("0")}};
static const struct json_patch_op CUT[] = {{.kind = JSON_PATCH_REMOVE, .path = SLICE("/status")}};

static enum rc apply(const struct replication_entry *entry, const char *object, struct buf *out,
                     struct err *e)
{
    AUTO(freep) char *json = ft_quotes(object);
    return transform_apply(entry, slice_str(json), out, e);
}

static void gives(const struct replication_entry *entry, const char *object, const char *want)
{
    AUTO(buf_done) struct buf out = BUF_INIT(EVENT_BODY_MAX);
    AUTO(freep) char *text = ft_quotes(want);
    struct err e = ERR_INIT;
    if (apply(entry, object, &out, &e) != RC_OK)
        fail_msg("%s", e.msg);
    assert_string_equal(out.p, text);
}

static void without_a_patch_the_bytes_stay(void **state)
{
    (void)state;
    const struct replication_entry entry = {.n_patch = 0};
    gives(&entry, " {'a' : 1.0, 'a':1e400}\n", " {'a' : 1.0, 'a':1e400}\n");
}

static void what_the_patch_does_not_touch_keeps_its_bytes(void **state)
{
    (void)state;
    const struct replication_entry entry = {.patch = SCALE, .n_patch = 1};
    gives(&entry, "{'n': 9007199254740993, 'spec': {'replicas':3 , 'x':[ 1.0,{} ]}}",
          "{'n': 9007199254740993, 'spec': {'replicas':0 , 'x':[ 1.0,{} ]}}");
}

static void E73_a_patch_that_does_not_fit_says_which_operation_and_never_a_value(void **state)
{
    (void)state;
    const struct replication_entry entry = {.patch = SCALE, .n_patch = 1};
    AUTO(buf_done) struct buf out = BUF_INIT(EVENT_BODY_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(apply(&entry, "{'spec':{'secret':'hunter2'}}", &out, &e), RC_INVALID);
    assert_true(ft_has(e.msg, "transformation"));
    assert_true(ft_has(e.msg, "/spec/replicas"));
    assert_false(ft_has(e.msg, "hunter2"));
}

static void a_missing_target_of_remove_is_skipped_only_when_allowed(void **state)
{
    (void)state;
    struct replication_entry entry = {.patch = CUT, .n_patch = 1, .patch_skip_missing = true};
    gives(&entry, "{'a':1}", "{'a':1}");
    gives(&entry, "{'a':1,'status':{}}", "{'a':1}");
    entry.patch_skip_missing = false;
    AUTO(buf_done) struct buf out = BUF_INIT(EVENT_BODY_MAX);
    struct err e = ERR_INIT;
    assert_int_equal(apply(&entry, "{'a':1}", &out, &e), RC_INVALID);
}

static void an_object_that_is_no_json_or_too_large_is_refused(void **state)
{
    (void)state;
    const struct replication_entry patched = {
        .patch = CUT, .n_patch = 1, .patch_skip_missing = true};
    const struct replication_entry plain = {.n_patch = 0};
    AUTO(buf_done) struct buf out = BUF_INIT(EVENT_BODY_MAX);
    AUTO(buf_done) struct buf small = BUF_INIT(4);
    struct err e = ERR_INIT;
    assert_int_equal(apply(&patched, "{", &out, &e), RC_INVALID);
    assert_int_equal(apply(&plain, "{'a':1}", &small, &e), RC_LIMIT);
    buf_reset(&small);
    assert_int_equal(apply(&patched, "{'a':1}", &small, &e), RC_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_patch_the_bytes_stay),
        cmocka_unit_test(what_the_patch_does_not_touch_keeps_its_bytes),
        cmocka_unit_test(E73_a_patch_that_does_not_fit_says_which_operation_and_never_a_value),
        cmocka_unit_test(a_missing_target_of_remove_is_skipped_only_when_allowed),
        cmocka_unit_test(an_object_that_is_no_json_or_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

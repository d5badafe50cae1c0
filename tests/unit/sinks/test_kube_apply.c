/* writeMode: apply: what is sent, what goes over from plain writes and back, what an apply without effect is. */
#include "tests/unit/sinks/kube_test_talk.h"

#define SOURCE     KT_HEAD("") ",'data':{'k':'v'}}"
#define SOURCE_2   KT_HEAD("") ",'data':{'k':'w'}}"
#define POST_PATH  KT_PATH "?fieldManager=resilog"
#define PUT_PATH   KT_PATH "/a?fieldManager=resilog"
#define APPLY_PATH KT_PATH "/a?fieldManager=resilog&force=true"
#define GET_PATH   KT_PATH "/a"
#define FIELDS(operation)                                                                          \
    ",'managedFields':[{'manager':'resilog','operation':'" operation "','apiVersion':'v1',"        \
    "'fieldsType':'FieldsV1','fieldsV1':{'f:data':{'f:k':{},'f:old':{}}}}]"
#define LIVE(operation) KT_LIVE("," KT_MARKS FIELDS(operation))
#define APPLIED                                                                                    \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns',"               \
    "'annotations':{" KT_OWNER(KT_KEY) "," KT_ORIGIN(                                              \
        "u-src") "},'uid':'u-dst',"                                                                \
                 "'resourceVersion':'10'},'data':{'k':'w'}}"
#define ANSWER                                                                                     \
    "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a','namespace':'ns','uid':'u-dst'," \
    "'resourceVersion':'11'," KT_MARKS "},'data':{'k':'w'}}"

static int setup(void **state)
{
    (void)kt_setup(state);
    struct kt *t = *state;
    t->policy.apply = true;
    return 0;
}

/* A copy is there, the source's object has changed, and the destination has this. */
static void change(struct kt *t, const char *live)
{
    kt_created(t, SOURCE, KT_LIVE("," KT_MARKS) ",'data':{'k':'v'}}");
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, live);
}

static void the_whole_object_is_applied_to_the_very_state_that_was_seen(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Apply") ",'data':{'k':'v','theirs':'1'}}");
    kt_sends(t, HTTP_PATCH, APPLY_PATH, APPLIED);
    kt_assert_text(t->request.content_type, "application/apply-patch+yaml");
    kt_answer(t, 200, ANSWER);
    assert_true(kt_ends(t, SINK_DONE, "")->wrote);
    kt_put(t, SOURCE_2);
    assert_false(kt_ends(t, SINK_DONE, "")->wrote);
}

static void nothing_is_sent_where_an_apply_would_change_nothing(void **state)
{
    struct kt *t = *state;
    change(t, KT_LIVE("," KT_MARKS) ",'data':{'k':'w','theirs':'1'}}");
    assert_false(kt_ends(t, SINK_DONE, "")->wrote);
}

static void what_plain_writes_own_goes_over_before_the_first_apply(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Update") ",'data':{'k':'v','old':'1'}}");
    kt_sends(t, HTTP_PUT, PUT_PATH, LIVE("Apply") ",'data':{'k':'v','old':'1'}}");
    kt_answer(t, 200, LIVE("Apply") ",'data':{'k':'v','old':'1'}}");
    kt_sends(t, HTTP_PATCH, APPLY_PATH, APPLIED);
    kt_answer(t, 200, ANSWER);
    (void)kt_ends(t, SINK_DONE, "");
}

static void it_goes_over_once_and_not_for_ever(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Update") ",'data':{'k':'v','old':'1'}}");
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 200, LIVE("Update") ",'data':{'k':'v','old':'1'}}");
    kt_asks(t, HTTP_PATCH, APPLY_PATH);
}

static void what_only_our_entry_has_is_reason_enough_for_an_apply(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Apply") ",'data':{'k':'w','old':'1'}}");
    kt_sends(t, HTTP_PATCH, APPLY_PATH, APPLIED);
}

static void a_merge_takes_over_in_its_own_write(void **state)
{
    struct kt *t = *state;
    t->policy.apply = false;
    change(t, LIVE("Apply") ",'data':{'k':'v','old':'1','theirs':'1'}}");
    kt_sends(t, HTTP_PUT, PUT_PATH, LIVE("Update") ",'data':{'k':'w','theirs':'1'}}");
}

static void an_apply_that_changed_nothing_was_no_write(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Apply") ",'data':{'k':'v'}}");
    kt_asks(t, HTTP_PATCH, APPLY_PATH);
    kt_answer(t, 200, LIVE("Apply") ",'data':{'k':'w'}}");
    assert_false(kt_ends(t, SINK_DONE, "")->wrote);
}

static void who_writes_at_the_same_time_is_looked_at_again(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Apply") ",'data':{'k':'v'}}");
    kt_asks(t, HTTP_PATCH, APPLY_PATH);
    kt_answer(t, 409, KT_STATUS(409, "Conflict", "the object has been modified"));
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, LIVE("Apply") ",'data':{'k':'v'}}");
    kt_asks(t, HTTP_PATCH, APPLY_PATH);
    kt_silence(t, true);
    kt_asks(t, HTTP_GET, GET_PATH);
}

static void what_an_apply_does_not_take_names_the_other_mode(void **state)
{
    struct kt *t = *state;
    change(t, LIVE("Apply") ",'data':{'k':'v'}}");
    kt_asks(t, HTTP_PATCH, APPLY_PATH);
    kt_answer(t, 500, KT_STATUS(500, "InternalError", "failed to create typed patch object"));
    assert_non_null(strstr(kt_ends(t, SINK_HELD, "invalid")->reason, "writeMode: merge"));
}

static void the_destinations_own_values_are_applied_with_the_rest(void **state)
{
    struct kt *t = *state;
    static const char *const scaled =
        ",'managedFields':[{'manager':'kube-controller-manager','operation':'Update','apiVersion':"
        "'apps/v1','subresource':'scale','fieldsType':'FieldsV1','fieldsV1':{'f:spec':{"
        "'f:replicas':{}}}}]";
    AUTO(buf_done) struct buf live = BUF_INIT(4096);
    t->event.key = SLICE("apps/deployments/ns/a");
    t->event.api_version = SLICE("apps/v1");
    t->event.kind = SLICE("Deployment");
    t->item.unsure = true;
    kt_put(t, "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'a','namespace':'ns'"
              "},'spec':{'replicas':2,'paused':true}}");
    struct err e = ERR_INIT;
    assert_int_equal(kube_write_request(t->w, &t->request, &e), RC_OK);
    kt_answer(t, 409, KT_STATUS(409, "AlreadyExists", "it exists"));
    kt_asks(t, HTTP_GET, "/apis/apps/v1/namespaces/ns/deployments/a");
    buf_addf(&live,
             "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'a','namespace':'ns',"
             "'uid':'u-dst','resourceVersion':'10','annotations':{%s,%s}%s},'spec':{'replicas':7}}",
             KT_OWNER("apps/deployments/ns/a"), KT_ORIGIN("u-src"), scaled);
    kt_answer(t, 200, live.p);
    kt_asks(t, HTTP_PATCH,
            "/apis/apps/v1/namespaces/ns/deployments/a?fieldManager=resilog&force=true");
    assert_true(kt_has(t->request.body, "\"replicas\":7"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_whole_object_is_applied_to_the_very_state_that_was_seen),
        T(nothing_is_sent_where_an_apply_would_change_nothing),
        T(what_plain_writes_own_goes_over_before_the_first_apply),
        T(it_goes_over_once_and_not_for_ever),
        T(what_only_our_entry_has_is_reason_enough_for_an_apply),
        T(a_merge_takes_over_in_its_own_write),
        T(an_apply_that_changed_nothing_was_no_write),
        T(who_writes_at_the_same_time_is_looked_at_again),
        T(what_an_apply_does_not_take_names_the_other_mode),
        T(the_destinations_own_values_are_applied_with_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

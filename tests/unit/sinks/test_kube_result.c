/* The ends: what each refusal becomes, what helps against it, and what a record holds. */
#include "tests/unit/sinks/kube_test_talk.h"

#include "core/clock.h"
#include "core/digest.h"

#define SOURCE    KT_HEAD("") ",'data':{'k':'v'}}"
#define ANSWER    KT_LIVE(",'generation':3," KT_MARKS) ",'data':{'k':'v'},'extra':'default'}"
#define POST_PATH KT_PATH "?fieldManager=resilog"

static void every_refusal_has_its_outcome_and_word(void **state)
{
    struct kt *t = *state;
    static const struct {
        int status;
        const char *body;
        enum sink_outcome outcome;
        const char *cls, *dependency;
    } want[] = {
        {404, KT_STATUS(404, "NotFound", "namespaces \\'ns\\' not found"), SINK_WAITING,
         "namespace-missing", "/namespaces//ns"},
        {404, "404 page not found", SINK_WAITING, "kind-missing", ""},
        {403,
         "{'kind':'Status','reason':'Forbidden','message':'m','code':403,'details':{'causes':[{"
         "'reason':'NamespaceTerminating'}]}}",
         SINK_WAITING, "terminating", "/namespaces//ns"},
        {409, KT_STATUS(409, "AlreadyExists", "object is being deleted: x already exists"),
         SINK_WAITING, "terminating", ""},
        {403, KT_STATUS(403, "Forbidden", "configmaps is forbidden"), SINK_HELD, "forbidden", ""},
        {403, KT_STATUS(403, "Forbidden", "exceeded quota: q"), SINK_HELD, "quota", ""},
        {422, KT_STATUS(422, "Invalid", "m"), SINK_HELD, "invalid", ""},
        {400, KT_STATUS(400, "BadRequest", "m"), SINK_HELD, "invalid", ""},
        {413, "Request entity too large", SINK_HELD, "too-large", ""},
        {500, KT_STATUS(500, "InternalError", "failed calling webhook \\'w\\': refused"), SINK_HELD,
         "webhook", ""},
        {405, KT_STATUS(405, "MethodNotAllowed", "m"), SINK_HELD, "unacceptable", ""},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        kt_put(t, SOURCE);
        kt_asks(t, HTTP_POST, POST_PATH);
        kt_answer(t, want[i].status, want[i].body);
        const struct sink_result *r = kt_ends(t, want[i].outcome, want[i].cls);
        assert_true(slice_eq(r->dependency, slice_str(want[i].dependency)));
        assert_non_null(strstr(r->reason, "error creating object in cluster: "));
        assert_true(r->wrote);
        assert_false(r->record_changed);
    }
}

static void what_nobody_decided_has_no_result(void **state)
{
    struct kt *t = *state;
    static const int undecided[] = {401, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof undecided / sizeof *undecided; i++) {
        kt_put(t, SOURCE);
        kt_asks(t, HTTP_POST, POST_PATH);
        assert_int_equal(kt_told(t, undecided[i], KT_STATUS(0, "X", "m")), RC_AGAIN);
        assert_null(kube_write_result(t->w));
    }
}

static void no_value_of_a_secret_is_in_a_reason(void **state)
{
    struct kt *t = *state;
    t->event.key = SLICE("/secrets/ns/a");
    t->event.kind = SLICE("Secret");
    static const struct {
        int status;
        const char *body;
    } answers[] = {
        {422, "{'kind':'Status','reason':'Invalid','message':'data: hunter2','code':422,'details':"
              "{'causes':[{'reason':'FieldValueInvalid','field':'data[k]','message':"
              "'Invalid value: \\'hunter2\\': hunter2'}]}}"},
        {400, KT_STATUS(400, "BadRequest", "cannot read hunter2")},
        {403, KT_STATUS(403, "Forbidden", "admission webhook \\'w\\' denied the request: hunter2")},
        {500, KT_STATUS(500, "InternalError", "failed calling webhook \\'w\\': hunter2")},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        kt_put(t, "{'metadata':{'name':'a','namespace':'ns'},'data':{'k':'hunter2'}}");
        kt_asks(t, HTTP_POST, "/api/v1/namespaces/ns/secrets?fieldManager=resilog");
        kt_answer(t, answers[i].status, answers[i].body);
        const struct sink_result *r = kube_write_result(t->w);
        assert_int_equal(r->outcome, SINK_HELD);
        assert_null(strstr(r->reason, "hunter2"));
    }
    kt_put(t, "{'metadata':{},'data':{'k':'hunter2'}}");
    assert_null(strstr(kube_write_result(t->w)->reason, "hunter2"));
}

static void the_wish_of_the_destination_is_passed_on(void **state)
{
    struct kt *t = *state;
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_POST, POST_PATH);
    kt_answer(t, 403,
              "{'kind':'Status','reason':'Forbidden','message':'exceeded quota','code':403,"
              "'details':{'retryAfterSeconds':7}}");
    assert_true(kt_ends(t, SINK_HELD, "quota")->retry_after_ns == 7 * NS_PER_S);
}

static void assert_hash_of(struct slice object, const uint8_t *found)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    AUTO(buf_done) struct buf canonical = BUF_INIT(4096);
    uint8_t want[SHA256_SIZE];
    struct err e = ERR_INIT;
    assert_int_equal(json_parse_view(object, &d, &e), RC_OK);
    json_print_canonical(d, json_root(d), &canonical);
    sha256(buf_slice(&canonical), SLICE_NULL, want);
    assert_memory_equal(want, found, sizeof want);
}

static void a_record_holds_the_desired_object_and_the_answers_hash(void **state)
{
    struct kt *t = *state;
    AUTO(buf_done) struct buf desired = BUF_INIT(4096);
    AUTO(freep) char *projected = kt_quotes(KT_HEAD("") ",'data':{'k':'v'},'extra':'default'}");
    struct err e = ERR_INIT;
    kt_created(t, SOURCE, ANSWER);
    struct kube_record r = kt_record(t);
    assert_true(r.generation == 3);
    assert_int_equal(kube_record_desired(&r, t->dest.compressor, &desired, &e), RC_OK);
    kt_assert_text(buf_slice(&desired), SOURCE);
    assert_hash_of(slice_str(projected), r.answer_hash);
    assert_hash_of(buf_slice(&desired), r.desired_hash);
}

#define T(f) cmocka_unit_test_setup_teardown(f, kt_setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_refusal_has_its_outcome_and_word),
        T(what_nobody_decided_has_no_result),
        T(no_value_of_a_secret_is_in_a_reason),
        T(the_wish_of_the_destination_is_passed_on),
        T(a_record_holds_the_desired_object_and_the_answers_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

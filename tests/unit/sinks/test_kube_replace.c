/* A source's object that was replaced by another one, and members that the destination does not change. */
#include "tests/unit/sinks/kube_test_talk.h"

#define SOURCE   KT_HEAD("") ",'data':{'k':'v'}}"
#define SOURCE_2 KT_HEAD("") ",'data':{'k':'w'}}"
#define ANSWER   KT_LIVE("," KT_MARKS) ",'data':{'k':'v'}}"
#define UNMARKED KT_LIVE("") ",'data':{'k':'v'}}"
#define ADOPTED_MARKS                                                                              \
    "'annotations':{'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef " KT_KEY                   \
    " adopted'," KT_ORIGIN("u-src") "}"
#define POST_PATH KT_PATH "?fieldManager=resilog"
#define PUT_PATH  KT_PATH "/a?fieldManager=resilog"
#define GET_PATH  KT_PATH "/a"
#define EXISTS    KT_STATUS(409, "AlreadyExists", "configmaps \\'a\\' already exists")
#define IMMUTABLE                                                                                  \
    "{'kind':'Status','reason':'Invalid','message':'m','code':422,'details':{'causes':[{"          \
    "'reason':'FieldValueForbidden','message':'Forbidden: field is immutable when `immutable` "    \
    "is set','field':'data'}]}}"

/* Puts the source's object where the destination has this one already; what was kept of one is known to be there. */
static void meet(struct kt *t, const char *live)
{
    kt_put(t, SOURCE);
    if (t->preimage.n == 0) {
        kt_asks(t, HTTP_POST, POST_PATH);
        kt_answer(t, 409, EXISTS);
    }
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, live);
}

/* ---- Replacement ---- */

static void refuse_update(struct kt *t, const char *live)
{
    kt_put(t, SOURCE_2);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, live);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 422, IMMUTABLE);
}

static void D59_a_replaced_object_is_recreated_where_the_table_allows(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    t->event.uid = SLICE("u-src-2");
    refuse_update(t, ANSWER);
    kt_asks(t, HTTP_DELETE, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_asks(t, HTTP_POST, POST_PATH);
    assert_true(kt_has(t->request.body, "u-src-2"));
    kt_answer(t, 409, EXISTS);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, KT_LIVE(",'deletionTimestamp':'2026-01-01T00:00:00Z'," KT_MARKS) "}");
    (void)kt_ends(t, SINK_WAITING, "terminating");
}

static void the_entry_decides_about_making_anew_before_the_kind(void **state)
{
    struct kt *t = *state;
    t->policy.recreate = RECREATE_NEVER;
    kt_created(t, SOURCE, ANSWER);
    t->event.uid = SLICE("u-src-2");
    refuse_update(t, ANSWER);
    (void)kt_ends(t, SINK_HELD, "immutable");
    t->policy.recreate = RECREATE_ASK;
    refuse_update(t, ANSWER);
    (void)kt_ends(t, SINK_HELD, "recreate");
    t->policy.recreate = RECREATE_ALWAYS;
    refuse_update(t, ANSWER);
    kt_asks(t, HTTP_DELETE, GET_PATH);
}

static void without_a_record_the_origin_mark_tells_a_replacement(void **state)
{
    struct kt *t = *state;
    t->event.uid = SLICE("u-src-2");
    meet(t, KT_LIVE("," KT_MARKS) ",'data':{'k':'old'}}");
    kt_asks(t, HTTP_PUT, PUT_PATH);
    kt_answer(t, 422, IMMUTABLE);
    kt_asks(t, HTTP_DELETE, GET_PATH);
}

static void a_replaced_object_of_equal_content_gets_its_new_origin(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    t->event.uid = SLICE("u-src-2");
    kt_put(t, SOURCE);
    kt_asks(t, HTTP_GET, GET_PATH);
    kt_answer(t, 200, ANSWER);
    kt_asks(t, HTTP_PUT, PUT_PATH);
    assert_true(kt_has(t->request.body, "v1 src-1 u-src-2"));
    kt_answer(t, 200, ANSWER);
    (void)kt_ends(t, SINK_DONE, "");
    assert_true(slice_eq(kt_record(t).source_uid, SLICE("u-src-2")));
}

static void the_same_object_is_never_recreated(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    refuse_update(t, ANSWER);
    const struct sink_result *r = kt_ends(t, SINK_HELD, "immutable");
    assert_non_null(strstr(r->reason, "data"));
}

static void what_bears_no_mark_of_ours_is_not_recreated(void **state)
{
    struct kt *t = *state;
    kt_created(t, SOURCE, ANSWER);
    t->event.uid = SLICE("u-src-2");
    refuse_update(t, UNMARKED);
    (void)kt_ends(t, SINK_HELD, "recreate");
    refuse_update(t, KT_LIVE("," ADOPTED_MARKS) ",'data':{'k':'v'}}");
    (void)kt_ends(t, SINK_HELD, "recreate");
}

static void a_workload_is_recreated_only_by_a_person_and_a_claim_by_nobody(void **state)
{
    struct kt *t = *state;
    static const struct {
        const char *key, *cls;
    } kinds[] = {{"/services/ns/a", "recreate"}, {"/persistentvolumeclaims/ns/a", "immutable"}};
    t->policy.by_name = true;
    for (size_t i = 0; i < 2; i++) {
        AUTO(buf_done) struct buf live = BUF_INIT(4096);
        buf_addf(&live,
                 "{'apiVersion':'v1','kind':'K','metadata':{'name':'a','namespace':'ns','uid':'u-d'"
                 ",'resourceVersion':'1','annotations':{'sync.resilog.io/owner':"
                 "'v1 dest-1 0123456789abcdef %s'," KT_ORIGIN("u-old") "}},'data':{'k':'v'}}",
                 kinds[i].key);
        t->event.key = slice_str(kinds[i].key);
        kt_put(t, SOURCE_2);
        struct http_request r;
        struct err e = ERR_INIT;
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        kt_answer(t, 409, EXISTS);
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        kt_answer(t, 200, live.p);
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        assert_int_equal(r.method, HTTP_PUT);
        kt_answer(t, 422, IMMUTABLE);
        (void)kt_ends(t, SINK_HELD, kinds[i].cls);
    }
}

/* Measured: kube-apiserver 1.35 answers 200, and the Service stays headless. */
static void a_service_that_stays_headless_without_a_word_is_told(void **state)
{
    struct kt *t = *state;
#define SERVICE(ip, of)                                                                            \
    "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a','namespace':'ns','uid':'u-d',"     \
    "'resourceVersion':'1','annotations':{'sync.resilog.io/owner':'v1 dest-1 0123456789abcdef "    \
    "/services/ns/a'," KT_ORIGIN(of) "}},'spec':{'clusterIP':'" ip "'}}"
#define STAYS   SERVICE("None", "u-old")
#define SAME    SERVICE("None", "u-src")
#define CHANGES SERVICE("10.0.0.9", "u-old")
    static const struct {
        enum sink_recreate how;
        const char *cls, *answer, *live;
    } cases[] = {
        {RECREATE_BY_KIND, "recreate", STAYS, STAYS}, {RECREATE_NEVER, "immutable", STAYS, STAYS},
        {RECREATE_ALWAYS, NULL, STAYS, STAYS},        {RECREATE_BY_KIND, "", CHANGES, STAYS},
        {RECREATE_BY_KIND, "", SAME, SAME}, /* of one and the same object nothing is amiss */
    };
    t->event.key = SLICE("/services/ns/a");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_request r;
        struct err e = ERR_INIT;
        t->policy.recreate = cases[i].how;
        buf_reset(&t->record);
        kt_put(t, "{'apiVersion':'v1','kind':'Service','metadata':{'name':'a','namespace':'ns'},"
                  "'spec':{'clusterIP':'10.1.0.7','sessionAffinity':'ClientIP'}}");
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        kt_answer(t, 409, EXISTS);
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        kt_answer(t, 200, cases[i].live);
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        assert_int_equal(r.method, HTTP_PUT);
        kt_answer(t, 200, cases[i].answer);
        if (cases[i].cls) {
            (void)kt_ends(t, *cases[i].cls ? SINK_HELD : SINK_DONE, cases[i].cls);
            continue;
        }
        assert_int_equal(kube_write_request(t->w, &r, &e), RC_OK);
        assert_int_equal(r.method, HTTP_DELETE);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, kt_setup, kt_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(D59_a_replaced_object_is_recreated_where_the_table_allows),
        T(the_entry_decides_about_making_anew_before_the_kind),
        T(without_a_record_the_origin_mark_tells_a_replacement),
        T(a_replaced_object_of_equal_content_gets_its_new_origin),
        T(the_same_object_is_never_recreated),
        T(what_bears_no_mark_of_ours_is_not_recreated),
        T(a_workload_is_recreated_only_by_a_person_and_a_claim_by_nobody),
        T(a_service_that_stays_headless_without_a_word_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

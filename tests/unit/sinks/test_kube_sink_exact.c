/* What the source serves arrives byte for byte (I7): literals that a parser likes to change, created and updated. */
#include "tests/unit/sinks/kube_test_job.h"

#define WIDGET_CRD                                                                                 \
    "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","           \
    "\"metadata\":{\"name\":\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\","         \
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},"             \
    "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true}]}}"

/* JSON with single quotes, as kt_quotes turns them. No two are the same to a reader who takes numbers as texts. */
static const char *const literals[] = {
    "1",
    "1.0",
    "1e0",
    "1.00",
    "10E-1",
    "0",
    "-0",
    "-0.0",
    "1e21",
    "1e+21",
    "1E21",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890.1234567890",
    "3.141592653589793238",
    "'1'",
    "'\\u0000'",
    "'a\\u0000b'",
    "'\\u0001\\u001f\\u007f'",
    "'\\u00e9'",
    "'\\ud83d\\ude00'",
    "'\\/'",
    "'\\n\\t\\b\\f\\r\\\\'",
    "'\x7f\xc2\x80\xef\xbf\xbe'",
    "''",
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "[{}]",
    "[[]]",
    "[null]",
    "{'':null}",
    "{'':{},'a':[],'b':null,'c':''}",
    "[1.0,1,1e0,-0,0]",
};
#define N_LITERALS (sizeof literals / sizeof *literals)

/* The same again in another spelling: these are no changes, but they are created as they are. */
static const char *const spellings[] = {
    "'\\u00E9'",     "'\xc3\xa9'",    "'\xf0\x9f\x98\x80'",       "'/'",
    "{'b':1,'a':2}", "{'a':2,'b':1}", "{ 'spaced' : [ 1 , 2 ] }", "[ ]",
};
#define N_SPELLINGS (sizeof spellings / sizeof *spellings)

static int setup(void **state)
{
    struct kw *w;
    (void)kw_setup(state);
    w = *state;
    assert_int_equal(fake_kube_put(w->kube, WIDGET_CRD), 201);
    fake_clock_advance(&w->clock, 60 * NS_PER_S);
    fake_kube_run(w->kube);
    kw_connect(w);
    return 0;
}

/* Applies the widget with this literal and this mark beside it; the destination must store the very bytes. */
static void apply(struct kw *w, struct kw_job *j, const char *literal, int mark)
{
    AUTO(buf_done) struct buf json = BUF_INIT(1 << 16);
    AUTO(buf_done) struct buf want = BUF_INIT(1 << 16);
    AUTO(freep) char *bytes = kt_quotes(literal);
    buf_addf(&json,
             "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w','namespace':"
             "'ns'},'spec':{'v':%s,'mark':%d}}",
             literal, mark);
    buf_addf(&want, "\"spec\":{\"v\":%s,\"mark\":%d}", bytes, mark);
    kw_apply(w, j, SINK_PUT, json.p);
    kw_expect(j, SINK_DONE, "");
    struct slice got = fake_kube_get(w->kube, "example.com/widgets/ns/w");
    if (!kt_has(got, want.p))
        fail_msg("%s became %.*s", want.p, SLICE_ARG(got));
}

/* Created, then written again because its neighbour changed: the literal itself stays. */
static void create(struct kw *w, struct kw_job *j, const char *literal)
{
    for (int mark = 0; mark < 3; mark++)
        apply(w, j, literal, mark);
    kw_apply(w, j, SINK_DELETE, "");
    kw_expect(j, SINK_DONE, "");
}

static void every_literal_is_created_as_it_is_and_survives_its_neighbour(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, "example.com/widgets/ns/w", "example.com/v1", "Widget");
    for (size_t i = 0; i < N_LITERALS; i++)
        create(w, &j, literals[i]);
    for (size_t i = 0; i < N_SPELLINGS; i++)
        create(w, &j, spellings[i]);
    kw_job_done(&j);
}

/* From each one to each other one: what looks equal to a parser is a change all the same. */
static void every_literal_replaces_every_other_one(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, "example.com/widgets/ns/w", "example.com/v1", "Widget");
    for (size_t a = 0; a < N_LITERALS; a++)
        for (size_t b = 0; b < a; b++) {
            apply(w, &j, literals[a], 0);
            apply(w, &j, literals[b], 0);
        }
    kw_job_done(&j);
}

/* Without a record the copy is compared as it was found: what was written before is known again. */
static void a_lost_record_changes_no_literal(void **state)
{
    struct kw *w = *state;
    struct kw_job j;
    kw_job(&j, "example.com/widgets/ns/w", "example.com/v1", "Widget");
    for (size_t i = 0; i < N_LITERALS; i++) {
        apply(w, &j, literals[i], 0);
        buf_reset(&j.record);
        size_t puts = fake_kube_count_writes(w->kube, HTTP_PUT, "/");
        apply(w, &j, literals[i], 0);
        assert_int_equal(fake_kube_count_writes(w->kube, HTTP_PUT, "/"), puts);
    }
    kw_job_done(&j);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, kw_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_literal_is_created_as_it_is_and_survives_its_neighbour),
        T(every_literal_replaces_every_other_one),
        T(a_lost_record_changes_no_literal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

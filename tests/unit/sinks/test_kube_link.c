/* The link: identity first, and again after every silence. */
#include "tests/unit/sinks/kube_test.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/rng.h"
#include "io/kube_error.h"
#include "sinks/kube_link.h"
#include "tests/fakes/fake_clock.h"

#define CA "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"
#define BY_CA                                                                                      \
    "ca-sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824/default/def-1"

/* An HTTP client that only counts. */
struct counting {
    struct http http; /* first */
    http_id last;
    enum rc answer;
    char asked[16]; /* the namespace */
};

static enum rc start(struct http *h, const struct http_request *r, http_id *ret_id, struct err *e)
{
    struct counting *c = (struct counting *)h;
    struct slice root = SLICE("/api/v1/namespaces/");
    assert_true(slice_starts(r->path, root));
    assert_int_equal(r->method, HTTP_GET);
    snprintf(c->asked, sizeof c->asked, "%.*s", (int)(r->path.n - root.n), r->path.p + root.n);
    if (c->answer != RC_OK)
        return err_nomem(e);
    *ret_id = ++c->last;
    return RC_OK;
}

static const struct http_ops counting_ops = {.start = start};

struct world {
    struct counting http;
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct kube_link link;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->http.http.ops = &counting_ops;
    fake_clock_init(&w->clock, 0);
    rng_seeded_init(&w->rng, 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    struct err e = ERR_INIT;
    assert_int_equal(kube_link_init(&w->link, SLICE("src-1"), CA, /* ns= */ NULL, &e), RC_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    kube_link_done(&w->link);
    free(w);
    return 0;
}

static enum rc step(struct world *w, int64_t *wake)
{
    struct err e = ERR_INIT;
    return kube_link_step(&w->link, &w->http.http, &w->env, wake, &e);
}

static void answer(struct world *w, int status, const char *json)
{
    AUTO(freep) char *text = kt_quotes(json);
    const struct http_event ev = {.id = w->link.who.asking,
                                  .kind = HTTP_DONE,
                                  .status = status,
                                  .content_type = SLICE("application/json"),
                                  .retry_after_ns = -1,
                                  .data = slice_str(text)};
    struct err e = ERR_INIT;
    assert_int_equal(kube_link_answer(&w->link, &w->http.http, &ev, &w->env, &e), RC_OK);
}

#define NAMESPACE(uid)                                                                             \
    "{'kind':'Namespace','metadata':{'name':'kube-system','uid':'" uid "','resourceVersion':'1'}}"
#define FORBIDDEN "{'kind':'Status','reason':'Forbidden','message':'no','code':403}"

#define DEFAULT                                                                                    \
    "{'kind':'Namespace','metadata':{'name':'default','uid':'def-1','resourceVersion':'1'}}"

static void bring_up(struct world *w)
{
    int64_t wake;
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 200, NAMESPACE("dest-1"));
    assert_true(w->link.up);
}

static void lose(struct world *w)
{
    struct kube_verdict v = {.cls = KUBE_UNAVAILABLE, .retry_after_ns = -1, .reason = "gone"};
    kube_link_lost(&w->link, &v, &w->env);
}

static void the_identity_is_asked_once_and_kept(void **state)
{
    struct world *w = *state;
    int64_t wake;
    assert_int_equal(step(w, &wake), RC_OK);
    assert_int_equal(step(w, &wake), RC_AGAIN); /* asking */
    answer(w, 200, NAMESPACE("dest-1"));
    assert_true(w->link.up && slice_eq(buf_slice(&w->link.who.known), SLICE("dest-1")));
    assert_int_equal(step(w, &wake), RC_AGAIN);
    assert_true(wake == INT64_MAX);
    assert_true(w->http.last == 1);
}

static void hear(void *arg, const char *line, size_t n)
{
    buf_add(arg, line, n);
}

static void each_question_and_answer_is_said(void **state)
{
    struct world *w = *state;
    int64_t wake;
    AUTO(buf_done) struct buf said = BUF_INIT(1 << 16);
    AUTO(diag_freep) struct diag *d = diag_new(&w->clock.clock, DIAG_TEXT, DIAG_DEBUG, hear, &said);
    w->env.diag = d;
    bring_up(w);
    lose(w);
    fake_clock_advance(&w->clock, 60 * NS_PER_S);
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 200, NAMESPACE("dest-2"));
    assert_string_equal(
        said.p,
        "1970-01-01T00:00:00Z DEBUG reading namespace from cluster object=namespaces/kube-system\n"
        "1970-01-01T00:00:00Z DEBUG namespace read from cluster object=namespaces/kube-system\n"
        "1970-01-01T00:00:00Z WARN  error getting namespace from cluster "
        "object=namespaces/kube-system error=\"gone: \"\n"
        "1970-01-01T00:01:00Z DEBUG reading namespace from cluster object=namespaces/kube-system\n"
        "1970-01-01T00:01:00Z ERROR the destination is another cluster than before "
        "identity=dest-1\n");
}

static void after_a_silence_it_is_asked_again_with_a_pause(void **state)
{
    struct world *w = *state;
    int64_t wake;
    bring_up(w);
    lose(w);
    assert_false(w->link.up);
    assert_non_null(strstr(w->link.error, "gone"));
    assert_int_equal(step(w, &wake), RC_AGAIN);
    assert_true(wake > clock_boot_ns(&w->clock.clock));
    fake_clock_advance(&w->clock, wake - clock_boot_ns(&w->clock.clock));
    bring_up(w);
    assert_string_equal(w->link.error, "");
}

static void pauses_grow_while_nobody_answers(void **state)
{
    struct world *w = *state;
    int64_t last = 0, wake;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(step(w, &wake), RC_OK);
        answer(w, 503, "{'kind':'Status','reason':'ServiceUnavailable','message':'m','code':503}");
        assert_int_equal(step(w, &wake), RC_AGAIN);
        last = wake - clock_boot_ns(&w->clock.clock);
        fake_clock_advance(&w->clock, last);
    }
    assert_true(last >= 15 * NS_PER_S && last <= 30 * NS_PER_S);
}

static void a_denial_is_asked_again_rarely(void **state)
{
    struct world *w = *state;
    int64_t wake;
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 403, FORBIDDEN); /* kube-system */
    answer(w, 403, FORBIDDEN); /* default */
    assert_int_equal(step(w, &wake), RC_AGAIN);
    assert_true(wake >= clock_boot_ns(&w->clock.clock) + 30 * NS_PER_S);
    assert_non_null(strstr(w->link.error, "Forbidden"));
    assert_false(w->link.fatal);
}

static void the_ca_and_another_namespace_stand_in_for_a_closed_kube_system(void **state)
{
    struct world *w = *state;
    int64_t wake;
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 403, FORBIDDEN);
    assert_string_equal(w->http.asked, "default");
    answer(w, 200, DEFAULT);
    assert_string_equal(w->http.asked, "kube-system");
    assert_false(w->link.up);
    answer(w, 403, FORBIDDEN);
    assert_true(w->link.up);
    kt_assert_text(buf_slice(&w->link.who.known), BY_CA);
}

static void a_permission_that_comes_makes_no_other_cluster(void **state)
{
    struct world *w = *state;
    int64_t wake;
    the_ca_and_another_namespace_stand_in_for_a_closed_kube_system(state);
    kube_link_doubt(&w->link);
    assert_int_equal(step(w, &wake), RC_OK);
    assert_string_equal(w->http.asked, "default");
    answer(w, 200, DEFAULT);
    assert_true(w->link.up && !w->link.fatal);
}

static void a_permission_that_goes_makes_no_other_cluster(void **state)
{
    struct world *w = *state;
    int64_t wake;
    bring_up(w);
    kube_link_doubt(&w->link);
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 403, FORBIDDEN);
    assert_false(w->link.up || w->link.fatal);
    assert_non_null(strstr(w->link.error, "known by this namespace"));
    fake_clock_advance(&w->clock, 31 * NS_PER_S);
    bring_up(w);
}

/* A right to kube-system that came since: the marks of before still hold. */
static void the_checkpoints_destination_is_asked_for_in_its_own_manner(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    int64_t wake;
    assert_int_equal(kube_identity_expect(&w->link.who, SLICE(BY_CA), &e), RC_OK);
    assert_int_equal(step(w, &wake), RC_OK);
    assert_string_equal(w->http.asked, "default");
    answer(w, 200, DEFAULT);
    assert_true(w->link.up && !w->link.fatal);
    kt_assert_text(buf_slice(&w->link.who.known), BY_CA);
}

static void another_one_than_the_checkpoints_is_for_the_pump_to_judge(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_int_equal(kube_identity_expect(&w->link.who, SLICE("dest-0"), &e), RC_OK);
    bring_up(w);
    assert_false(w->link.fatal);
    kt_assert_text(buf_slice(&w->link.who.known), "dest-1");
}

static void A10_the_source_itself_is_fatal(void **state)
{
    struct world *w = *state;
    int64_t wake;
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 200, NAMESPACE("src-1"));
    assert_true(w->link.fatal && !w->link.up);
    assert_int_equal(step(w, &wake), RC_AGAIN);
    assert_true(wake == INT64_MAX);
}

static void C52_another_cluster_than_before_is_fatal(void **state)
{
    struct world *w = *state;
    int64_t wake;
    bring_up(w);
    lose(w);
    (void)step(w, &wake);
    fake_clock_advance(&w->clock, wake - clock_boot_ns(&w->clock.clock));
    assert_int_equal(step(w, &wake), RC_OK);
    answer(w, 200, NAMESPACE("dest-2"));
    assert_true(w->link.fatal && !w->link.up);
    assert_true(slice_eq(buf_slice(&w->link.who.known), SLICE("dest-1")));
}

static void an_answer_that_is_no_namespace_brings_nothing_up(void **state)
{
    struct world *w = *state;
    static const char *const odd[] = {"<html>", "{}", "{'metadata':{'name':'kube-system'}}", ""};
    int64_t wake;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(step(w, &wake), RC_OK);
        answer(w, 200, odd[i]);
        assert_false(w->link.up || w->link.fatal);
        assert_true(w->link.error[0] != '\0');
        assert_int_equal(step(w, &wake), RC_AGAIN);
        fake_clock_advance(&w->clock, wake - clock_boot_ns(&w->clock.clock));
    }
}

static void without_memory_it_is_asked_later(void **state)
{
    struct world *w = *state;
    int64_t wake;
    w->http.answer = RC_NOMEM;
    assert_int_equal(step(w, &wake), RC_NOMEM);
    w->http.answer = RC_OK;
    bring_up(w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_identity_is_asked_once_and_kept),
        T(each_question_and_answer_is_said),
        T(after_a_silence_it_is_asked_again_with_a_pause),
        T(pauses_grow_while_nobody_answers),
        T(a_denial_is_asked_again_rarely),
        T(the_ca_and_another_namespace_stand_in_for_a_closed_kube_system),
        T(a_permission_that_comes_makes_no_other_cluster),
        T(a_permission_that_goes_makes_no_other_cluster),
        T(the_checkpoints_destination_is_asked_for_in_its_own_manner),
        T(another_one_than_the_checkpoints_is_for_the_pump_to_judge),
        T(A10_the_source_itself_is_fatal),
        T(C52_another_cluster_than_before_is_fatal),
        T(an_answer_that_is_no_namespace_brings_nothing_up),
        T(without_memory_it_is_asked_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

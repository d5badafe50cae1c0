/* The whole way without chance or faults: source, producer, ingest, log, pump, sink, destination, on two modelled
 * clusters. What needs all of them at once and nothing else: literals that must arrive byte for byte (I7), and objects
 * that cannot be applied while the others are (I11). */
#include "tests/unit/sinks/kube_test.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "flow/ingest.h"
#include "flow/pump.h"
#include "flow/replication.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "sinks/sink.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#define N_ENTRIES 2
#define POSTS(c)  fake_kube_count_writes((c)->destination, HTTP_POST, "/api/v1/namespaces/late/")

struct chain {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_kube *source, *destination;
    struct rlog_mem_store *log_store;
    struct ckpt_mem_store *ckpt_store;
    struct rlog *log;
    struct ckpt *ckpt;
    struct producer *producer;
    struct ingest *ingest;
    struct sink *sink;
    struct pump *pump;
    struct replication_entry entries[N_ENTRIES];
    struct replication replication;
};

static struct fake_kube *new_cluster(struct chain *c, const char *uid)
{
    struct fake_kube *k = fake_kube_new(&c->clock.clock, &c->rng.rng);
    fake_kube_set_cluster_uid(k, uid);
    assert_int_equal(
        fake_kube_put(k, "{\"apiVersion\":\"apiextensions.k8s.io/v1\","
                         "\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":"
                         "\"widgets.example.com\"},\"spec\":{\"group\":\"example.com\",\"scope\":"
                         "\"Namespaced\",\"names\":{\"plural\":\"widgets\",\"kind\":\"Widget\"},"
                         "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true}]}}"),
        201);
    return k;
}

static void put_namespace(struct fake_kube *k, const char *name)
{
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    buf_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}",
             name);
    assert_int_equal(fake_kube_put(k, json.p), 201);
}

static void open_all(struct chain *c)
{
    static const struct slice selected[N_ENTRIES] = {{"/configmaps", 11},
                                                     {"example.com/widgets", 19}};
    static const struct ingest_scope scopes[N_ENTRIES] = {
        {.scope = {"/configmaps", 11}, .api_version = {"v1", 2}},
        {.scope = {"example.com/widgets", 19}, .api_version = {"example.com/v1", 14}}};
    struct err e = ERR_INIT;
    struct http *from, *to;
    fake_kube_connect(c->source, &from);
    fake_kube_connect(c->destination, &to);
    assert_int_equal(rlog_mem_open(c->log_store, RLOG_WRITE, &c->env, &c->log, &e), RC_OK);
    assert_int_equal(ckpt_mem_open(c->ckpt_store, &c->ckpt, &e), RC_OK);
    assert_int_equal(kube_producer_open(from, NULL, NULL, &c->env, &c->producer, &e), RC_OK);
    assert_int_equal(ingest_open(c->producer, c->log, &c->env, &c->ingest, &e), RC_OK);
    assert_int_equal(ingest_want(c->ingest, scopes, N_ENTRIES, &e), RC_OK);
    const struct kube_sink_opts sink = {.http = to,
                                        .source = SLICE("src-1"),
                                        .sync = SLICE("dr/sync"),
                                        .selected = selected,
                                        .n_selected = N_ENTRIES};
    assert_int_equal(kube_sink_open(&sink, &c->env, &c->sink, &e), RC_OK);
    const struct pump_opts pump = {
        .log = c->log, .ckpt = c->ckpt, .sink = c->sink, .replication = &c->replication};
    assert_int_equal(pump_open(&pump, &c->env, &c->pump, &e), RC_OK);
}

static int setup(void **state)
{
    struct chain *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fake_clock_init(&c->clock, 1700000000LL * NS_PER_S);
    rng_seeded_init(&c->rng, 1);
    c->env = (struct env){.clock = &c->clock.clock, .rng = &c->rng.rng};
    c->source = new_cluster(c, "src-1");
    c->destination = new_cluster(c, "dest-1");
    put_namespace(c->source, "ns");
    put_namespace(c->destination, "ns");
    put_namespace(c->source, "late");
    c->log_store = rlog_mem_store_new();
    c->ckpt_store = ckpt_mem_store_new();
    assert_true(c->log_store && c->ckpt_store);
    c->entries[0] = (struct replication_entry){
        .version = SLICE("v1"), .resource = SLICE("configmaps"), .policy = {.by_name = true}};
    c->entries[1] = (struct replication_entry){.group = SLICE("example.com"),
                                               .version = SLICE("v1"),
                                               .resource = SLICE("widgets"),
                                               .policy = {.by_name = true}};
    c->replication = (struct replication){
        .sync = SLICE("dr/sync"), .entries = c->entries, .n_entries = N_ENTRIES};
    fake_clock_advance(&c->clock, 60 * NS_PER_S);
    fake_kube_run(c->source);
    fake_kube_run(c->destination);
    open_all(c);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct chain *c = *state;
    pump_close(c->pump);
    sink_close(c->sink);
    ckpt_close(c->ckpt);
    ingest_close(c->ingest);
    producer_close(c->producer);
    rlog_close(c->log);
    rlog_mem_store_free(c->log_store);
    ckpt_mem_store_free(c->ckpt_store);
    fake_kube_free(c->source);
    fake_kube_free(c->destination);
    free(c);
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Lets all parts work for so long. */
static void run_for(struct chain *c, int64_t ns)
{
    struct err e = ERR_INIT;
    int64_t end = clock_boot_ns(&c->clock.clock) + ns;
    for (int64_t now = end - ns; now < end; now = clock_boot_ns(&c->clock.clock)) {
        int64_t a = INT64_MAX, b = INT64_MAX;
        enum rc in = ingest_step(c->ingest, &a, &e), out = pump_step(c->pump, &b, &e);
        if (in < 0 || out < 0)
            fail_msg("%s", e.msg);
        if (in == RC_OK || out == RC_OK)
            continue;
        int64_t wake =
            least(least(a, b), least(fake_kube_wake(c->source), fake_kube_wake(c->destination)));
        if (wake > now)
            fake_clock_advance(&c->clock, least(wake, end) - now);
    }
}

/* ---- Literals ---- */

/* No two are the same to a reader who takes numbers as texts. */
static const char *const literals[] = {
    "1.0",
    "1",
    "1e21",
    "1e400",
    "-0",
    "0",
    "9007199254740993",
    "9007199254740992",
    "18446744073709551616",
    "3.141592653589793238",
    "'\\u0000'",
    "'a\\u0000b'",
    "'\\ud83d\\ude00'",
    "'\xc3\xa9'",
    "'\x7f\xc2\x80\xef\xbf\xbe'",
    "''",
    "null",
    "{}",
    "[]",
    "[null,{},[],'',-0,1.0]",
    "{'':null,'a':{},'b':[]}",
};
#define N_LITERALS (sizeof literals / sizeof *literals)

static void put_widget(struct chain *c, size_t name, const char *literal)
{
    AUTO(buf_done) struct buf json = BUF_INIT(1 << 16);
    buf_addf(&json,
             "{'apiVersion':'example.com/v1','kind':'Widget','metadata':{'name':'w%zu',"
             "'namespace':'ns'},'spec':{'v':%s}}",
             name, literal);
    AUTO(freep) char *bytes = kt_quotes(json.p);
    assert_true(fake_kube_put(c->source, bytes) / 100 == 2);
}

static void assert_copied(struct chain *c, size_t name, const char *literal)
{
    AUTO(buf_done) struct buf key = BUF_INIT(64), want = BUF_INIT(1 << 16);
    AUTO(freep) char *bytes = kt_quotes(literal);
    buf_addf(&key, "example.com/widgets/ns/w%zu", name);
    buf_addf(&want, "\"spec\":{\"v\":%s}", bytes);
    struct slice got = fake_kube_get(c->destination, key.p);
    if (!kt_has(got, want.p))
        fail_msg("%s of %s became %.*s", want.p, key.p, SLICE_ARG(got));
}

static void odd_literals_are_created_and_updated_byte_for_byte(void **state)
{
    struct chain *c = *state;
    for (size_t turn = 0; turn < N_LITERALS; turn++) {
        for (size_t i = 0; i < N_LITERALS; i++)
            put_widget(c, i, literals[(i + turn) % N_LITERALS]);
        run_for(c, 10 * NS_PER_S);
        for (size_t i = 0; i < N_LITERALS; i++)
            assert_copied(c, i, literals[(i + turn) % N_LITERALS]);
    }
}

/* ---- What cannot be applied ---- */

static void put_config(struct chain *c, const char *ns, unsigned name)
{
    AUTO(buf_done) struct buf json = BUF_INIT(4096);
    buf_addf(&json,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%u\","
             "\"namespace\":\"%s\"}}",
             name, ns);
    assert_int_equal(fake_kube_put(c->source, json.p), 201);
}

static bool has_config(struct chain *c, const char *ns, unsigned name)
{
    AUTO(buf_done) struct buf key = BUF_INIT(64);
    buf_addf(&key, "/configmaps/%s/c%u", ns, name);
    return fake_kube_get(c->destination, key.p).n > 0;
}

static void an_object_that_never_gets_an_answer_is_held_and_done_when_it_does(void **state)
{
    struct chain *c = *state;
    struct pump_status st;
    put_namespace(c->destination, "late");
    fake_kube_plan(c->destination, &(struct fake_kube_rule){.fault = FAKE_KUBE_SILENT,
                                                            .method = HTTP_POST,
                                                            .path = "/api/v1/namespaces/late/",
                                                            .times = 20});
    put_config(c, "late", 0);
    run_for(c, 5 * NS_PER_S);
    for (unsigned i = 0; i < 100; i++)
        put_config(c, "ns", i);
    run_for(c, 60 * NS_PER_S);
    for (unsigned i = 0; i < 100; i++)
        assert_true(has_config(c, "ns", i));
    pump_status(c->pump, &st);
    for (int i = 0; i < 400 && st.held == 0; i++) {
        run_for(c, NS_PER_S);
        pump_status(c->pump, &st);
    }
    assert_int_equal(st.held, 1);
    assert_true(kt_has(slice_str(st.error), "time limit: no answer within 35 s"));
    assert_false(has_config(c, "late", 0));
    run_for(c, 1800 * NS_PER_S);
    pump_status(c->pump, &st);
    assert_int_equal(st.held, 0);
    assert_true(has_config(c, "late", 0));
}

static void a_thousand_that_wait_for_one_namespace_ask_once_a_second_at_most(void **state)
{
    struct chain *c = *state;
    struct pump_status st;
    for (unsigned i = 0; i < 1000; i++)
        put_config(c, "late", i);
    run_for(c, 60 * NS_PER_S);
    pump_status(c->pump, &st);
    assert_int_equal(st.waiting, 1000);
    size_t before = POSTS(c);
    run_for(c, 60 * NS_PER_S);
    assert_true(POSTS(c) - before <= 60);
    put_namespace(c->destination, "late");
    run_for(c, 30 * NS_PER_S);
    pump_status(c->pump, &st);
    assert_int_equal(st.waiting, 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(has_config(c, "late", i));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(odd_literals_are_created_and_updated_byte_for_byte),
        T(an_object_that_never_gets_an_answer_is_held_and_done_when_it_does),
        T(a_thousand_that_wait_for_one_namespace_ask_once_a_second_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

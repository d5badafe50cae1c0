/* What each stage costs an object, for more and more of them: CPU of resilog's own parts, with log and checkpoint on disk, between
 * two modelled API servers whose work is not counted. Linear growth is a ratio of 1.
 *
 * Usage: bench_growth [OBJECTS...]     (10000 30000 100000; ratios are against the first) */
#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/rng.h"
#include "flow/ingest.h"
#include "flow/pump.h"
#include "flow/replication.h"
#include "io/http.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "sinks/sink.h"
#include "tests/conformance/temp_dir.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NAMESPACES 10u
#define PERIOD_NS  (3600 * NS_PER_S)
#define SOURCE_UID "source"
#define SYNC       "bench/growth"

enum stage { LIST, PUMP, OPEN, RESTART, COMPARE, STAGES };
static const char *const STAGE_NAMES[STAGES] = {"list and ingest", "first pass", "open the log",
                                                "start again", "compare"};
static const struct slice SCOPE = {"/configmaps", 11};

static void must(enum rc rc, const struct err *e)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "bench_growth: %s\n", e->msg);
    exit(1);
}

/* ---- CPU ---- */

/* Of this process and of those that it waited for: a log is checked in a child. */
static double cpu_s(void)
{
    struct timespec own;
    struct rusage children;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return (double)own.tv_sec + (double)own.tv_nsec / 1e9 +
           (double)(children.ru_utime.tv_sec + children.ru_stime.tv_sec) +
           (double)(children.ru_utime.tv_usec + children.ru_stime.tv_usec) / 1e6;
}

/* A client whose server's work is counted apart: the model does it inside these calls. */
struct metered {
    struct http http; /* first */
    struct http *inner;
    double *spent_s;
};

static struct metered *metered_of(struct http *h)
{
    return (struct metered *)h;
}

static enum rc metered_start(struct http *h, const struct http_request *r, http_id *ret_id,
                             struct err *e)
{
    double begin = cpu_s();
    enum rc rc = http_start(metered_of(h)->inner, r, ret_id, e);
    *metered_of(h)->spent_s += cpu_s() - begin;
    return rc;
}

static void metered_cancel(struct http *h, http_id id)
{
    http_cancel(metered_of(h)->inner, id);
}

static enum rc metered_take(struct http *h, struct http_event *ret, struct err *e)
{
    double begin = cpu_s();
    enum rc rc = http_take(metered_of(h)->inner, ret, e);
    *metered_of(h)->spent_s += cpu_s() - begin;
    return rc;
}

static void metered_hold(struct http *h, enum http_lane lane, bool on)
{
    http_hold(metered_of(h)->inner, lane, on);
}

static enum rc metered_wait(struct http *h, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return http_wait(metered_of(h)->inner, wake_fd, timeout_ns, e);
}

static void metered_close(struct http *h)
{
    http_close(metered_of(h)->inner);
    free(h);
}

static const struct http_ops METERED = {
    .start = metered_start,
    .cancel = metered_cancel,
    .take = metered_take,
    .hold = metered_hold,
    .wait = metered_wait,
    .close = metered_close,
};

static struct http *connect_metered(struct fake_kube *k, double *spent_s)
{
    struct metered *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->http.ops = &METERED;
    m->spent_s = spent_s;
    fake_kube_connect(k, &m->inner);
    return &m->http;
}

/* ---- The parts ---- */

struct bench {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_kube *source, *destination;
    double servers_s; /* what they took of the CPU */
    char *dir;
    struct replication_entry entry;
    struct replication replication;
    struct rlog *log;
    struct producer *producer;
    struct ingest *ingest;
    struct ckpt *ckpt;
    struct sink *sink;
    struct pump *pump; /* NULL: not open yet */
};

static void open_log(struct bench *b)
{
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf dir = BUF_INIT(4096);
    buf_addf(&dir, "%s/log", b->dir);
    const struct rlog_lmdb_opts opts = {
        .dir = dir.p, .name = SLICE("bench/source"), .access = RLOG_WRITE};
    must(rlog_lmdb_open(&opts, &b->env, &b->log, &e), &e);
}

static void open_intake(struct bench *b)
{
    struct err e = ERR_INIT;
    const struct ingest_scope scope = {.scope = SCOPE, .api_version = SLICE("v1")};
    must(kube_producer_open(connect_metered(b->source, &b->servers_s), NULL, NULL, &b->env,
                            &b->producer, &e),
         &e);
    must(ingest_open(b->producer, b->log, &b->env, &b->ingest, &e), &e);
    must(ingest_want(b->ingest, &scope, 1, &e), &e);
}

static void open_member(struct bench *b)
{
    struct err e = ERR_INIT;
    AUTO(buf_done) struct buf dir = BUF_INIT(4096);
    buf_addf(&dir, "%s/consumer", b->dir);
    must(ckpt_lmdb_open(dir.p, CKPT_WRITE, &b->env, &b->ckpt, &e), &e);
    const struct kube_sink_opts sink = {.http = connect_metered(b->destination, &b->servers_s),
                                        .source = SLICE(SOURCE_UID),
                                        .sync = SLICE(SYNC),
                                        .selected = &SCOPE,
                                        .n_selected = 1};
    must(kube_sink_open(&sink, &b->env, &b->sink, &e), &e);
    const struct pump_opts pump = {.log = b->log,
                                   .ckpt = b->ckpt,
                                   .sink = b->sink,
                                   .replication = &b->replication,
                                   .source = SLICE(SOURCE_UID)};
    must(pump_open(&pump, &b->env, &b->pump, &e), &e);
}

static void close_all(struct bench *b)
{
    pump_close(b->pump);
    sink_close(b->sink);
    ckpt_close(b->ckpt);
    ingest_close(b->ingest);
    producer_close(b->producer);
    rlog_close(b->log);
    b->pump = NULL;
}

/* ---- Until something is so ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* True if there was something to do; else time goes on. */
static bool step(struct bench *b)
{
    struct err e = ERR_INIT;
    int64_t a = INT64_MAX, c = INT64_MAX;
    enum rc in = ingest_step(b->ingest, &a, &e);
    must(in, &e);
    enum rc out = b->pump ? pump_step(b->pump, &c, &e) : RC_AGAIN;
    must(out, &e);
    if (in == RC_OK || out == RC_OK)
        return true;
    int64_t servers = least(fake_kube_wake(b->source), fake_kube_wake(b->destination));
    int64_t wake = least(least(a, c), servers), now = clock_boot_ns(&b->clock.clock);
    if (wake > now)
        fake_clock_advance(&b->clock, wake - now);
    return false;
}

static bool follows(struct bench *b)
{
    struct ingest_status s;
    ingest_status(b->ingest, &s);
    return s.scopes > 0 && s.following == s.scopes;
}

static bool caught_up(struct bench *b)
{
    struct pump_status s;
    pump_status(b->pump, &s);
    return follows(b) && !s.catching_up && s.offset == s.head && s.in_flight == 0 && s.held == 0;
}

static bool compared(struct bench *b)
{
    struct pump_status s;
    pump_status(b->pump, &s);
    return s.compared_ns != 0;
}

static void until(struct bench *b, bool (*so)(struct bench *))
{
    while (step(b) || !so(b))
        ;
}

/* ---- One size ---- */

static struct fake_kube *new_cluster(struct bench *b, const char *uid)
{
    struct fake_kube *k = fake_kube_new(&b->clock.clock, &b->rng.rng);
    fake_kube_set_cluster_uid(k, uid);
    for (unsigned i = 0; i < NAMESPACES; i++) {
        char json[128];
        snprintf(json, sizeof json,
                 "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"n-%u\"}}",
                 i);
        fake_kube_put(k, json);
    }
    return k;
}

static void fill(struct fake_kube *k, unsigned objects)
{
    for (unsigned i = 0; i < objects; i++) {
        char json[2048];
        snprintf(json, sizeof json,
                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o-%u\","
                 "\"namespace\":\"n-%u\"},\"data\":{\"k\":\"%01000u\"}}",
                 i, i % NAMESPACES, i);
        fake_kube_put(k, json);
    }
}

static void init(struct bench *b, unsigned objects)
{
    *b = (struct bench){.dir = temp_dir_new()};
    fake_clock_init(&b->clock, 1700000000LL * NS_PER_S);
    rng_seeded_init(&b->rng, 1);
    b->env = (struct env){.clock = &b->clock.clock, .rng = &b->rng.rng};
    b->source = new_cluster(b, SOURCE_UID);
    b->destination = new_cluster(b, "destination");
    fill(b->source, objects);
    b->entry = (struct replication_entry){
        .version = SLICE("v1"), .resource = SLICE("configmaps"), .policy = {.by_name = true}};
    b->replication = (struct replication){
        .sync = SLICE(SYNC), .entries = &b->entry, .n_entries = 1, .resync_ns = PERIOD_NS};
}

static void done(struct bench *b)
{
    close_all(b);
    fake_kube_free(b->source);
    fake_kube_free(b->destination);
    temp_dir_free(b->dir);
}

/* The CPU since the last call, without the servers'. */
static double lap(struct bench *b, double *last_s)
{
    double now = cpu_s() - b->servers_s, took = now - *last_s;
    *last_s = now;
    return took;
}

static void measure(unsigned objects, double took_s[STAGES])
{
    struct bench b;
    struct err e = ERR_INIT;
    init(&b, objects);
    double last = 0;
    lap(&b, &last);
    open_log(&b);
    open_intake(&b);
    until(&b, follows);
    took_s[LIST] = lap(&b, &last);
    open_member(&b);
    until(&b, caught_up);
    must(pump_commit(b.pump, SLICE_NULL, &e), &e);
    took_s[PUMP] = lap(&b, &last);
    close_all(&b);
    lap(&b, &last);
    open_log(&b);
    took_s[OPEN] = lap(&b, &last);
    open_intake(&b);
    open_member(&b);
    until(&b, caught_up);
    took_s[RESTART] = lap(&b, &last);
    until(&b, compared);
    took_s[COMPARE] = lap(&b, &last);
    done(&b);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"10000", "30000", "100000"};
    const char *const *sizes = argc > 1 ? (const char *const *)argv + 1 : usual;
    int n = argc > 1 ? argc - 1 : 3;
    double first[STAGES] = {0};
    printf("us of CPU an object, and the ratio to the first size\n%-10s", "objects");
    for (int s = 0; s < STAGES; s++)
        printf("%22s", STAGE_NAMES[s]);
    for (int i = 0; i < n; i++) {
        double took_s[STAGES];
        unsigned objects = (unsigned)strtoul(sizes[i], NULL, 10);
        measure(objects, took_s);
        printf("\n%-10u", objects);
        for (int s = 0; s < STAGES; s++) {
            double each_us = took_s[s] * 1e6 / objects;
            if (i == 0)
                first[s] = each_us;
            printf("%14.2f  (%4.2f)", each_us, each_us / first[s]);
        }
        fflush(stdout);
    }
    puts("");
    return 0;
}

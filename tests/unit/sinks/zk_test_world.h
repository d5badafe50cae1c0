/* The ZooKeeper sink between two modelled ensembles, and what a pump does for it: items made of the source's nodes,
 * records and pre-images kept by path. */
#ifndef RESILOG_TESTS_ZK_TEST_WORLD_H
#define RESILOG_TESTS_ZK_TEST_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/env.h"
#include "core/event.h"
#include "core/map.h"
#include "core/rng.h"
#include "core/znode.h"
#include "io/zk.h"
#include "sinks/sink.h"
#include "sinks/zk_record.h"
#include "sinks/zk_sink.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#define ZT_JOBS  8192
#define ZT_STEPS 200000
/* The id of alice:secret. */
#define ZT_ALICE "alice:aYXlLOpEooaV1cRAvUL1fp9Qt7E="

struct zt_job {
    char *path;
    char *key; /* lent to the sink until the result was taken */
    struct event event;
    struct buf body, preimage, record;
    struct sink_policy policy;
    struct sink_item item;
    bool done;
    struct sink_result result; /* its slices are empty but for dependency */
    char dependency[256];
};

struct zt_world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_zk *src, *dst;
    struct sink *sink;
    struct zk_sink_opts opts;
    const char *who;                 /* as whom the destination knows us */
    struct map *records, *preimages; /* of heap buffers */
    struct zt_job *jobs;
    size_t n_jobs;
    struct sink_policy policy; /* of the next items */
    enum event_cause cause;
    enum sink_settled settled; /* at first SETTLED_NOT */
    bool unsure, inferred;
};

static inline void zt_free_buf(void *value)
{
    buf_done(value);
    free(value);
}

static inline void zt_keep(struct map *m, struct slice path, struct slice bytes)
{
    struct err e = ERR_INIT;
    struct buf *b = calloc(1, sizeof *b);
    assert_non_null(b);
    buf_init(b, ZK_RECORD_MAX);
    buf_add_slice(b, bytes);
    assert_int_equal(map_put(m, path, b, &e), RC_OK);
}

static inline struct slice zt_kept(const struct map *m, const char *path)
{
    const struct buf *b = map_get(m, slice_str(path));
    return b ? buf_slice(b) : SLICE_NULL;
}

/* The sink of a new life, with the same options. */
static inline void zt_open(struct zt_world *w)
{
    struct err e = ERR_INIT;
    fake_zk_connect(w->dst, w->who, &w->opts.zk);
    assert_int_equal(zk_sink_open(&w->opts, &w->env, &w->sink, &e), RC_OK);
}

static inline void zt_forget_jobs(struct zt_world *w)
{
    for (size_t i = 0; i < w->n_jobs; i++) {
        free(w->jobs[i].path);
        free(w->jobs[i].key);
        buf_done(&w->jobs[i].body);
        buf_done(&w->jobs[i].preimage);
        buf_done(&w->jobs[i].record);
    }
    w->n_jobs = 0;
}

/* A crash: what is in flight, and the results that were not taken, are forgotten. */
static inline void zt_close(struct zt_world *w)
{
    sink_close(w->sink);
    w->sink = NULL;
    zt_forget_jobs(w);
}

static inline struct zt_world *zt_new(const char *root)
{
    struct zt_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    fake_clock_init(&w->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&w->rng, 7);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->src = fake_zk_new(&w->clock.clock);
    w->dst = fake_zk_new(&w->clock.clock);
    for (int i = 0; i < 50; i++) { /* so that their zxids differ */
        fake_zk_put(w->dst, "/zookeeper/other", "x");
        fake_zk_delete(w->dst, "/zookeeper/other");
    }
    w->records = map_new(zt_free_buf);
    w->preimages = map_new(zt_free_buf);
    w->jobs = calloc(ZT_JOBS, sizeof *w->jobs);
    w->opts = (struct zk_sink_opts){.name = "default/b", .root = slice_str(root), .acl = true};
    w->policy.adopt = ADOPT_ALWAYS;
    w->cause = CAUSE_LIST;
    return w;
}

static inline void zt_free(struct zt_world *w)
{
    zt_close(w);
    map_free(w->records);
    map_free(w->preimages);
    free(w->jobs);
    fake_zk_free(w->src);
    fake_zk_free(w->dst);
    free(w);
}

static inline bool zt_step(struct zt_world *w)
{
    struct err e = ERR_INIT;
    fake_clock_advance(&w->clock, NS_PER_MS); /* so that no copy has the times of its source */
    int64_t wake = INT64_MAX, now = w->clock.boot_ns;
    enum rc rc = sink_step(w->sink, &wake, &e);
    assert_true(rc == RC_OK || rc == RC_AGAIN);
    if (rc == RC_OK)
        return true;
    int64_t fake = fake_zk_wake(w->dst);
    wake = fake < wake ? fake : wake;
    if (wake == INT64_MAX)
        return false;
    if (wake > now)
        fake_clock_advance(&w->clock, wake - now);
    return true;
}

/* What the pump does with a result. */
static inline void zt_note(struct zt_world *w, struct zt_job *j, const struct sink_result *r)
{
    bool gone = j->item.op == SINK_DELETE && r->outcome == SINK_DONE;
    if (gone || (r->record_changed && r->record.n == 0))
        map_delete(w->records, slice_str(j->path));
    else if (r->record_changed)
        zt_keep(w->records, slice_str(j->path), r->record);
    if (r->preimage.n)
        zt_keep(w->preimages, slice_str(j->path), r->preimage);
    snprintf(j->dependency, sizeof j->dependency, "%.*s", SLICE_ARG(r->dependency));
    j->result = *r;
    j->result.record = j->result.preimage = SLICE_NULL;
    j->result.dependency = slice_str(j->dependency);
    memset(j->key, '#', strlen(j->key));
    j->done = true;
}

static inline bool zt_take(struct zt_world *w)
{
    struct sink_result r;
    struct err e = ERR_INIT;
    enum rc rc = sink_take(w->sink, &r, &e);
    if (rc == RC_AGAIN)
        return false;
    assert_int_equal(rc, RC_OK);
    assert_true(r.ticket < w->n_jobs && !w->jobs[r.ticket].done);
    zt_note(w, &w->jobs[r.ticket], &r);
    return true;
}

static inline size_t zt_open_jobs(const struct zt_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_jobs; i++)
        n += !w->jobs[i].done;
    return n;
}

/* Until all items have a result. */
static inline void zt_run(struct zt_world *w)
{
    size_t open = zt_open_jobs(w);
    for (unsigned i = 0; i < ZT_STEPS && open > 0; i++) {
        bool moved = zt_step(w);
        while (zt_take(w))
            open--;
        if (!moved && open > 0)
            break;
    }
    for (size_t i = 0; open > 0 && i < w->n_jobs; i++)
        if (!w->jobs[i].done)
            print_error("no result: %s\n", w->jobs[i].path);
    assert_int_equal(open, 0);
}

/* So many steps. */
static inline void zt_steps(struct zt_world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        (void)zt_step(w);
        while (zt_take(w))
            ;
    }
}

static inline struct zt_job *zt_job(struct zt_world *w, enum sink_op op, const char *path)
{
    assert_true(w->n_jobs < ZT_JOBS);
    struct zt_job *j = &w->jobs[w->n_jobs];
    *j = (struct zt_job){.path = strdup(path),
                         .key = strdup(path),
                         .policy = w->policy,
                         .body = BUF_INIT(EVENT_BODY_MAX),
                         .preimage = BUF_INIT(ZK_RECORD_MAX),
                         .record = BUF_INIT(ZK_RECORD_MAX)};
    buf_add_slice(&j->preimage, zt_kept(w->preimages, path));
    buf_add_slice(&j->record, zt_kept(w->records, path));
    j->event = (struct event){.op = op == SINK_PUT ? EVENT_PUT : EVENT_DELETE,
                              .cause = w->cause,
                              .source_kind = SOURCE_ZOOKEEPER,
                              .key = slice_str(j->key)};
    j->item = (struct sink_item){.ticket = w->n_jobs,
                                 .op = op,
                                 .observed = op == SINK_DELETE && !w->inferred,
                                 .event = &j->event,
                                 .record = buf_slice(&j->record),
                                 .unsure = w->unsure,
                                 .settled = w->settled,
                                 .policy = &j->policy,
                                 .preimage = buf_slice(&j->preimage)};
    w->n_jobs++;
    return j;
}

static inline void zt_submit(struct zt_world *w, struct zt_job *j)
{
    struct err e = ERR_INIT;
    enum rc rc;
    unsigned left = ZT_STEPS;
    j->item.body = buf_slice(&j->body);
    while ((rc = sink_submit(w->sink, &j->item, &e)) == RC_AGAIN && left-- > 0) {
        assert_true(zt_step(w));
        while (zt_take(w))
            ;
    }
    assert_int_equal(rc, RC_OK);
}

/* Submits the source's node as it is now, or its deletion where it is not there. */
static inline struct zt_job *zt_send(struct zt_world *w, const char *path)
{
    struct znode n;
    bool there = fake_zk_get(w->src, slice_str(path), &n);
    struct zt_job *j = zt_job(w, there ? SINK_PUT : SINK_DELETE, path);
    if (there)
        znode_print(&n, &j->body);
    zt_submit(w, j);
    return j;
}

/* The same, and its result. */
static inline const struct sink_result *zt_do(struct zt_world *w, const char *path)
{
    struct zt_job *j = zt_send(w, path);
    zt_run(w);
    return &j->result;
}

/* All nodes of the source, parents first. */
static inline void zt_send_all(struct zt_world *w)
{
    struct znode n;
    struct slice path = SLICE_NULL;
    while (fake_zk_next(w->src, path, &path, &n)) {
        char text[512];
        if (!znode_is_within(path, w->opts.root) ||
            (w->opts.root.n == 1 && znode_is_within(path, SLICE("/zookeeper"))))
            continue;
        snprintf(text, sizeof text, "%.*s", SLICE_ARG(path));
        zt_send(w, text);
    }
}

static inline void zt_assert_equal(struct zt_world *w, const char *root)
{
    AUTO(buf_done) struct buf a = BUF_INIT(16u << 20), b = BUF_INIT(16u << 20);
    fake_zk_print(w->src, root, &a);
    fake_zk_print(w->dst, root, &b);
    buf_add_char(&a, '\0');
    buf_add_char(&b, '\0');
    assert_string_equal(a.p, b.p);
}

static inline void zt_assert_result(const struct sink_result *r, enum sink_outcome outcome,
                                    const char *cls)
{
    if (r->outcome != outcome || strcmp(r->cls, cls) != 0)
        fail_msg("outcome %d, class \"%s\", reason \"%s\"", (int)r->outcome, r->cls, r->reason);
}

#endif

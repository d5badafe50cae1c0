/* A Kubernetes sink in front of a modelled API server, with time that passes only while nothing else can be done. */
#ifndef RESILOG_TESTS_KUBE_TEST_WORLD_H
#define RESILOG_TESTS_KUBE_TEST_WORLD_H

#include "tests/unit/sinks/kube_test.h"

#include "core/clock.h"
#include "core/env.h"
#include "core/event.h"
#include "core/rng.h"
#include "sinks/sink.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#define KW_STEPS_MAX 20000

struct kw {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_kube *kube;
    struct sink *sink;
    uint64_t ticket;
};

/* Opens the sink; window 0: the usual one. */
static inline void kw_open(struct kw *w, uint32_t window)
{
    static const struct slice selected[] = {{"/configmaps", 11}, {"apps/deployments", 16}};
    struct http *http;
    struct err e = ERR_INIT;
    fake_kube_connect(w->kube, &http);
    const struct kube_sink_opts opts = {.http = http,
                                        .source = SLICE("src-1"),
                                        .sync = SLICE("dr/sync"),
                                        .selected = selected,
                                        .n_selected = 2,
                                        .window = window};
    assert_int_equal(kube_sink_open(&opts, &w->env, &w->sink, &e), RC_OK);
}

/* A destination "dest-1" with a namespace ns. */
static inline void kw_init(struct kw *w)
{
    *w = (struct kw){0};
    fake_clock_init(&w->clock, 1700000000LL * NS_PER_S);
    rng_seeded_init(&w->rng, 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->kube = fake_kube_new(&w->clock.clock, &w->rng.rng);
    fake_kube_set_cluster_uid(w->kube, "dest-1");
    assert_int_equal(fake_kube_put(w->kube, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\","
                                            "\"metadata\":{\"name\":\"ns\"}}"),
                     201);
}

/* Closes sink and server. */
static inline void kw_done(struct kw *w)
{
    sink_close(w->sink);
    fake_kube_free(w->kube);
}

/* Steps until there is nothing to do now; gives when there will be. */
static inline int64_t kw_settle(struct kw *w)
{
    struct err e = ERR_INIT;
    int64_t wake = 0;
    for (int i = 0; i < KW_STEPS_MAX; i++) {
        enum rc rc = sink_step(w->sink, &wake, &e);
        if (rc == RC_AGAIN && fake_kube_wake(w->kube) > clock_boot_ns(&w->clock.clock))
            return wake;
        assert_true(rc >= 0);
    }
    fail_msg("the sink never comes to rest");
    return 0;
}

/* Lets time pass up to the next thing to do; false if there is none. */
static inline bool kw_pass(struct kw *w)
{
    int64_t wake = kw_settle(w), due = fake_kube_wake(w->kube);
    int64_t now = clock_boot_ns(&w->clock.clock);
    if (due < wake)
        wake = due;
    if (wake == INT64_MAX)
        return false;
    if (wake > now)
        fake_clock_advance(&w->clock, wake - now);
    return true;
}

/* Runs until the sink is connected. */
static inline void kw_connect(struct kw *w)
{
    struct sink_status st;
    for (int i = 0; i < 100; i++) {
        (void)kw_settle(w);
        sink_status(w->sink, &st);
        if (st.connected)
            return;
        assert_true(kw_pass(w));
    }
    fail_msg("not connected: %s", st.error);
}

/* Closes the sink and opens one anew. */
static inline void kw_reopen(struct kw *w, uint32_t window)
{
    sink_close(w->sink);
    w->sink = NULL;
    kw_open(w, window);
}

/* Of cmocka: a world with an open sink. */
static inline int kw_setup(void **state)
{
    struct kw *w = calloc(1, sizeof *w);
    assert_non_null(w);
    kw_init(w);
    kw_open(w, 0);
    *state = w;
    return 0;
}

/* Of cmocka. */
static inline int kw_teardown(void **state)
{
    kw_done(*state);
    free(*state);
    return 0;
}

#endif

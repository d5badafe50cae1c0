/* What the tests of the Kubernetes producer share: a modelled cluster, time, and the events as one line of text. */
#ifndef RESILOG_TESTS_PRODUCER_TEST_H
#define RESILOG_TESTS_PRODUCER_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/event.h"
#include "core/json.h"
#include "core/key.h"
#include "core/rng.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_kube.h"

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        enum rc rc_ = (call);                                                                      \
        if (rc_ != RC_OK)                                                                          \
            fail_msg("%s: rc %d", #call, (int)rc_);                                                \
    } while (0)

struct cluster_world {
    struct fake_clock clock;
    struct rng_seeded rng;
    struct env env;
    struct fake_kube *kube;
    struct buf said; /* the events, as "put a@5 gap sync-begin" */
    bool positions;  /* bookmarks, too */
};

static inline void cw_init(struct cluster_world *w)
{
    *w = (struct cluster_world){.positions = false};
    fake_clock_init(&w->clock, 1767225600LL * NS_PER_S);
    rng_seeded_init(&w->rng, 5);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->rng.rng};
    w->kube = fake_kube_new(&w->clock.clock, &w->rng.rng);
    buf_init(&w->said, 1 << 22);
}

static inline void cw_done(struct cluster_world *w)
{
    fake_kube_free(w->kube);
    buf_done(&w->said);
}

static inline int64_t cw_now(struct cluster_world *w)
{
    return clock_boot_ns(&w->clock.clock);
}

/* A configmap of the namespace default. */
static inline void cw_put(struct cluster_world *w, const char *name, int value)
{
    char json[400];
    snprintf(json, sizeof json,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
             "\"namespace\":\"default\"},\"data\":{\"v\":\"%d\"}}",
             name, value);
    int status = fake_kube_put(w->kube, json);
    assert_true(status == 200 || status == 201);
}

static inline void cw_delete(struct cluster_world *w, const char *name)
{
    char key[300];
    snprintf(key, sizeof key, "/configmaps/default/%s", name);
    assert_int_equal(fake_kube_delete(w->kube, key), 200);
}

static inline void cw_say(struct cluster_world *w, const struct event *ev)
{
    bool object = !key_is_internal(ev->key);
    if (ev->op == EVENT_POSITION && !w->positions)
        return;
    const char *name = ev->key.p + ev->key.n;
    while (object && name > ev->key.p && name[-1] != '/')
        name--;
    buf_addf(&w->said, "%s%s", w->said.n ? " " : "", event_op_name(ev->op));
    if (object)
        buf_addf(&w->said, " %.*s", (int)(ev->key.p + ev->key.n - name), name);
}

/* What was said since the last call. */
static inline void cw_assert_said(struct cluster_world *w, const char *want)
{
    assert_string_equal(w->said.p ? w->said.p : "", want);
    buf_reset(&w->said);
    if (w->said.p)
        w->said.p[0] = '\0';
}

#endif

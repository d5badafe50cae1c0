/* A runtime on fakes: log and checkpoints in memory, a producer that says what the test tells it while it runs, a
 * destination in memory. Everything that both the test and the runtime's threads touch is atomic or under the
 * lock. For test_runtime.c. */
#ifndef RESILOG_TESTS_UNIT_CONTROLLER_RUNTIME_RIG_H
#define RESILOG_TESTS_UNIT_CONTROLLER_RUNTIME_RIG_H

#include "tests/unit/controller/resource_rig.h"

#include "controller/runtime.h"
#include "controller/wiring.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/json.h"
#include "io/clock_sys.h"
#include "io/rng_sys.h"
#include "log/ckpt_ops.h"
#include "log/rlog.h"
#include "tests/fakes/fake_producer.h"
#include "tests/fakes/sink_mem.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define POLL_MS    10
#define POLLS_MAX  3000 /* far beyond what any of it takes */
#define SCOPE      "/configmaps"
#define ONE_ENTRY  "      - {version: v1, resource: configmaps}\n"
#define STATUS_TOP (64u << 10)

struct rig {
    struct clock clock; /* first; the system's, and ahead of it */
    atomic_llong ahead_ns;
    struct env env;
    struct rlog_mem_store *log;
    struct ckpt_mem_store *ckpts;
    struct dest_mem *dest, *other; /* of default/s, another; looked at only while nothing runs */
    struct wiring wiring;
    struct resources *resources; /* until a runtime has taken them */
    const char *allow_prune, *accept_source;
    struct runtime *runtime;

    pthread_mutex_t lock;
    struct producer *producer; /* NULL while none is open */
    int post_fd;               /* wakes it */

    atomic_int logs_opened, sinks_opened, submitted, commits;
    atomic_int fail_logs;  /* so many openings fail */
    atomic_int fail_ckpts; /* as well */
    atomic_int fail_steps; /* so many steps of sinks fail */
    atomic_bool rush;      /* each step of a sink takes a second */
    atomic_bool warned;    /* of effects */
    bool own_phases;       /* the producer's scopes have the phases that the test says */
    bool tree;             /* the source is one of znodes */
    struct buf said;       /* all diagnostics; the test looks at them only while nothing runs */
};
static struct rig *rig; /* of the running test: the tapped methods find it here */

/* ---- Clock ---- */

static inline int64_t rig_wall(struct clock *c)
{
    return clock_wall_ns(clock_sys()) + atomic_load(&((struct rig *)c)->ahead_ns);
}

static inline int64_t rig_boot(struct clock *c)
{
    return clock_boot_ns(clock_sys()) + atomic_load(&((struct rig *)c)->ahead_ns);
}

/* ---- Taps: methods of the fakes with something before them ---- */

static struct producer_ops producer_taps;
static struct sink_ops sink_taps;
static struct ckpt_ops ckpt_taps;
static const struct producer_ops *producer_own;
static const struct sink_ops *sink_own;
static const struct ckpt_ops *ckpt_own;

static inline enum rc tap_take(struct producer *p, const struct event **ret, struct err *e)
{
    pthread_mutex_lock(&rig->lock);
    enum rc rc = producer_own->take(p, ret, e);
    pthread_mutex_unlock(&rig->lock);
    return rc;
}

static inline enum rc tap_add(struct producer *p, struct slice scope, struct slice api_version,
                              struct slice resume, struct err *e)
{
    pthread_mutex_lock(&rig->lock);
    enum rc rc = producer_own->add(p, scope, api_version, resume, e);
    pthread_mutex_unlock(&rig->lock);
    return rc;
}

static inline void tap_drop(struct producer *p, struct slice scope)
{
    pthread_mutex_lock(&rig->lock);
    producer_own->drop(p, scope);
    pthread_mutex_unlock(&rig->lock);
}

static inline enum rc tap_kind(struct producer *p, size_t i, struct producer_kind *ret)
{
    pthread_mutex_lock(&rig->lock);
    enum rc rc = producer_own->kind(p, i, ret);
    pthread_mutex_unlock(&rig->lock);
    return rc;
}

static inline enum rc tap_producer_status(struct producer *p, size_t i, struct producer_status *ret)
{
    pthread_mutex_lock(&rig->lock);
    enum rc rc = producer_own->status(p, i, ret);
    pthread_mutex_unlock(&rig->lock);
    if (rc == RC_OK && !rig->own_phases && ret->phase != PRODUCER_MISSING)
        ret->phase = PRODUCER_FOLLOWING;
    return rc;
}

static inline enum rc tap_producer_wait(struct producer *p, int wake_fd, int64_t timeout_ns,
                                        struct err *e)
{
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
                           {.fd = rig->post_fd, .events = POLLIN}};
    uint64_t count;
    int64_t ms = timeout_ns / NS_PER_MS + 1;
    (void)p;
    (void)e;
    if (poll(fds, 2, ms < 60000 ? (int)ms : 60000) > 0 && fds[1].revents)
        assert_int_equal(read(rig->post_fd, &count, sizeof count), sizeof count);
    return RC_OK;
}

static inline void tap_producer_close(struct producer *p)
{
    pthread_mutex_lock(&rig->lock);
    rig->producer = NULL;
    pthread_mutex_unlock(&rig->lock);
    producer_own->close(p);
}

static inline bool take_one(atomic_int *n)
{
    int now = atomic_load(n);
    while (now > 0 && !atomic_compare_exchange_weak(n, &now, now - 1))
        ;
    return now > 0;
}

static inline enum rc tap_submit(struct sink *s, const struct sink_item *item, struct err *e)
{
    atomic_fetch_add(&rig->submitted, 1);
    return sink_own->submit(s, item, e);
}

static inline enum rc tap_sink_step(struct sink *s, int64_t *ret_wake_ns, struct err *e)
{
    if (atomic_load(&rig->rush))
        atomic_fetch_add(&rig->ahead_ns, NS_PER_S);
    if (take_one(&rig->fail_steps))
        return err_set(e, RC_IO, ERR_FATAL, "the sink broke");
    return sink_own->step(s, ret_wake_ns, e);
}

static inline enum rc tap_sink_wait(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e)
{
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    int64_t ms = timeout_ns / NS_PER_MS + 1;
    (void)s;
    (void)e;
    (void)poll(&fd, 1, ms < 60000 ? (int)ms : 60000);
    return RC_OK;
}

static inline enum rc tap_commit(struct ckpt *c, struct slice consumer,
                                 const struct ckpt_commit *what, struct err *e)
{
    atomic_fetch_add(&rig->commits, 1);
    return ckpt_own->commit(c, consumer, what, e);
}

/* ---- Wiring ---- */

static inline enum rc rig_open_log(void *arg, const struct cluster *source, struct rlog **ret,
                                   struct err *e)
{
    (void)arg;
    (void)source;
    if (take_one(&rig->fail_logs))
        return err_set(e, RC_IO, ERR_FATAL, "the log does not open");
    atomic_fetch_add(&rig->logs_opened, 1);
    return rlog_mem_open(rig->log, RLOG_WRITE, &rig->env, ret, e);
}

static inline enum rc rig_open_ckpt(void *arg, struct ckpt **ret, struct err *e)
{
    (void)arg;
    struct ckpt *c;
    if (take_one(&rig->fail_ckpts))
        return err_set(e, RC_IO, ERR_FATAL, "the checkpoints do not open");
    enum rc rc = ckpt_mem_open(rig->ckpts, &c, e);
    if (rc < 0)
        return rc;
    c->ops = &ckpt_taps;
    *ret = c;
    return RC_OK;
}

static inline enum rc rig_open_producer(void *arg, const struct cluster *source,
                                        const struct env *env, struct producer **ret, struct err *e)
{
    (void)arg;
    (void)env;
    (void)source;
    (void)e;
    struct producer *p = fake_producer_new();
    if (rig->tree)
        fake_producer_tree(p);
    p->ops = &producer_taps;
    pthread_mutex_lock(&rig->lock);
    rig->producer = p;
    pthread_mutex_unlock(&rig->lock);
    *ret = p;
    return RC_OK;
}

static inline enum rc rig_open_sink(void *arg, const struct sync *sync,
                                    const struct identities *who, const struct env *env,
                                    struct sink **ret, struct err *e)
{
    (void)arg;
    (void)e;
    assert_true(slice_eq(who->source, SLICE("src-1")));
    atomic_fetch_add(&rig->sinks_opened, 1);
    bool first = strcmp(sync->full_name, "default/s") == 0;
    struct sink *s = sink_mem_open(first ? rig->dest : rig->other, env);
    s->ops = &sink_taps;
    *ret = s;
    return RC_OK;
}

static inline void rig_hear(void *arg, const char *line, size_t n)
{
    (void)arg;
    buf_add(&rig->said, line, n);
    if (memmem(line, n, "effect", 6) && memmem(line, n, "apps/deployments (runs)", 23))
        atomic_store(&rig->warned, true);
}

/* The methods of the fakes, with the taps in their place. */
static inline void rig_tap(void)
{
    static const struct clock_ops clock_ops = {.wall_ns = rig_wall, .boot_ns = rig_boot};
    struct err e = ERR_INIT;
    struct ckpt *c;
    rig->clock.ops = &clock_ops;
    struct producer *p = fake_producer_new();
    struct sink *s = sink_mem_open(rig->dest, &rig->env);
    assert_int_equal(ckpt_mem_open(rig->ckpts, &c, &e), RC_OK);
    producer_own = p->ops;
    sink_own = s->ops;
    ckpt_own = c->ops;
    producer_close(p);
    sink_close(s);
    ckpt_close(c);
    producer_taps = *producer_own;
    producer_taps.take = tap_take;
    producer_taps.add = tap_add;
    producer_taps.drop = tap_drop;
    producer_taps.kind = tap_kind;
    producer_taps.status = tap_producer_status;
    producer_taps.wait = tap_producer_wait;
    producer_taps.close = tap_producer_close;
    sink_taps = *sink_own;
    sink_taps.submit = tap_submit;
    sink_taps.step = tap_sink_step;
    sink_taps.wait = tap_sink_wait;
    ckpt_taps = *ckpt_own;
    ckpt_taps.commit = tap_commit;
}

/* ---- Life ---- */

static inline int runtime_setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    pthread_mutex_init(&rig->lock, NULL);
    rig->log = rlog_mem_store_new();
    rig->ckpts = ckpt_mem_store_new();
    rig->dest = dest_mem_new();
    rig->other = dest_mem_new();
    rig->post_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    rig->env = (struct env){.clock = &rig->clock, .rng = rng_sys()};
    buf_init(&rig->said, 16u << 20);
    rig_tap();
    rig->env.diag = diag_new(&rig->clock, DIAG_JSON, DIAG_DEBUG, rig_hear, NULL);
    rig->wiring =
        (struct wiring){NULL, rig_open_log, rig_open_ckpt, rig_open_producer, rig_open_sink};
    return 0;
}

static inline int runtime_teardown(void **state)
{
    runtime_stop(rig->runtime);
    resources_free(rig->resources);
    dest_mem_free(rig->dest);
    dest_mem_free(rig->other);
    ckpt_mem_store_free(rig->ckpts);
    rlog_mem_store_free(rig->log);
    diag_free(rig->env.diag);
    buf_done(&rig->said);
    close(rig->post_fd);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
    rig = NULL;
    return rig_teardown(state);
}

static inline enum rc rig_try_start(const char *allow_prune, struct err *e)
{
    rig->allow_prune = allow_prune;
    struct runtime_opts opts = {.resources = rig->resources,
                                .wiring = &rig->wiring,
                                .allow_prune = &rig->allow_prune,
                                .n_allow_prune = allow_prune ? 1 : 0,
                                .accept_source = &rig->accept_source,
                                .n_accept_source = rig->accept_source ? 1 : 0};
    rig->resources = NULL; /* taken */
    return runtime_start(&opts, &rig->env, &rig->runtime, e);
}

static inline void rig_start(const char *allow_prune)
{
    struct err e = ERR_INIT;
    if (rig_try_start(allow_prune, &e) != RC_OK)
        fail_msg("%s", e.msg);
}

static inline void rig_stop(void)
{
    runtime_stop(rig->runtime);
    rig->runtime = NULL;
}

/* ---- Looking: all waits are bounded, none is measured ---- */

static inline void rig_rest(void)
{
    (void)poll(NULL, 0, POLL_MS);
}

/* A member of the status as text; empty if there is none. Numbers as they are printed. */
static inline void rig_status(const char *sync, const char *member, char *out, size_t size)
{
    AUTO(buf_done) struct buf text = BUF_INIT(STATUS_TOP);
    AUTO(json_freep) struct json_doc *d = NULL;
    struct ckpt_head head;
    struct ckpt *c = NULL;
    struct err e = ERR_INIT;
    out[0] = '\0';
    assert_int_equal(ckpt_mem_open(rig->ckpts, &c, &e), RC_OK);
    enum rc rc = ckpt_load(c, slice_str(sync), &head, NULL, &text, &e);
    ckpt_close(c);
    if (rc != RC_OK || text.n == 0)
        return;
    assert_int_equal(json_parse(buf_slice(&text), &d, &e), RC_OK);
    const struct json *n = json_get(json_root(d), member);
    assert_non_null(n);
    struct slice value = json_is(n, JSON_STRING) ? json_text(d, n) : n->raw;
    (void)snprintf(out, size, "%.*s", SLICE_ARG(value));
}

static inline void rig_wait(const char *sync, const char *member, const char *wanted)
{
    char now[512] = "";
    for (int i = 0; i < POLLS_MAX; i++) {
        rig_status(sync, member, now, sizeof now);
        if (strcmp(now, wanted) == 0)
            return;
        rig_rest();
    }
    fail_msg("%s of %s is \"%s\", never \"%s\"", member, sync, now, wanted);
}

static inline void rig_wait_count(atomic_int *n, int wanted)
{
    for (int i = 0; i < POLLS_MAX && atomic_load(n) < wanted; i++)
        rig_rest();
    assert_true(atomic_load(n) >= wanted);
}

/* Waits until the log goes up to there, and gives how far it goes. */
static inline rlog_off rig_wait_log(rlog_off next)
{
    struct rlog_bounds bounds = {.next = 0};
    struct rlog *l;
    struct err e = ERR_INIT;
    assert_int_equal(rlog_mem_open(rig->log, RLOG_READ, &rig->env, &l, &e), RC_OK);
    for (int i = 0; i < POLLS_MAX && bounds.next < next; i++) {
        assert_int_equal(rlog_bounds(l, &bounds, &e), RC_OK);
        rig_rest();
    }
    rlog_close(l);
    assert_true(bounds.next >= next);
    return bounds.next;
}

/* Waits until the log goes up to there, and all of it is done. */
static inline void rig_wait_done(const char *sync, rlog_off next)
{
    char offset[32] = "0";
    next = rig_wait_log(next);
    for (int i = 0; i < POLLS_MAX && strtoull(offset, NULL, 10) < next; i++) {
        rig_rest();
        rig_status(sync, "offset", offset, sizeof offset);
    }
    assert_true(strtoull(offset, NULL, 10) >= next);
}

/* ---- Telling the producer ---- */

/* The producer that is open, with the lock held. */
static inline struct producer *rig_lock_producer(void)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        pthread_mutex_lock(&rig->lock);
        if (rig->producer)
            return rig->producer;
        pthread_mutex_unlock(&rig->lock);
        rig_rest();
    }
    fail_msg("no producer is opened");
    return NULL;
}

static inline void rig_unlock_producer(void)
{
    uint64_t one = 1;
    pthread_mutex_unlock(&rig->lock);
    assert_int_equal(write(rig->post_fd, &one, sizeof one), sizeof one);
}

static inline void rig_kind(const char *scope, const char *api_version)
{
    char key[200];
    int n = snprintf(key, sizeof key, "@kind/%s", scope);
    fake_producer_say(rig_lock_producer(), &(struct event){.op = EVENT_KIND,
                                                           .cause = CAUSE_SELF,
                                                           .source_kind = SOURCE_KUBERNETES,
                                                           .key = slice_of(key, (size_t)n),
                                                           .api_version = slice_str(api_version),
                                                           .body = SLICE("{}")});
    rig_unlock_producer();
}

/* What it serves from now on, as fake_producer_serve takes it. */
static inline void rig_serve(const char *kinds)
{
    fake_producer_serve(rig_lock_producer(), kinds);
    rig_unlock_producer();
}

static inline bool rig_follows(const char *scope)
{
    bool follows = fake_producer_resume(rig_lock_producer(), scope);
    rig_unlock_producer();
    return follows;
}

static inline void rig_wait_follows(const char *scope, bool wanted)
{
    for (int i = 0; i < POLLS_MAX && rig_follows(scope) != wanted; i++)
        rig_rest();
    assert_true(rig_follows(scope) == wanted);
}

static inline void rig_put(const char *key, const char *version)
{
    fake_producer_object(rig_lock_producer(), EVENT_PUT, CAUSE_WATCH, key, version);
    rig_unlock_producer();
}

/* As put, with who changed it last in its body. */
static inline void rig_change(enum event_op op, const char *key, const char *version)
{
    fake_producer_say(
        rig_lock_producer(),
        &(struct event){.op = op,
                        .cause = CAUSE_WATCH,
                        .source_kind = SOURCE_KUBERNETES,
                        .key = slice_str(key),
                        .version = slice_str(version),
                        .uid = SLICE("u-1"),
                        .api_version = SLICE("v1"),
                        .kind = SLICE("ConfigMap"),
                        .body = SLICE("{\"metadata\":{\"managedFields\":[{\"manager\":\"helm\","
                                      "\"time\":\"2026-01-01T10:00:00Z\"}]}}")});
    rig_unlock_producer();
}

/* A complete listing of so many objects. */
static inline void rig_list(int objects, const char *version)
{
    struct producer *p = rig_lock_producer();
    fake_producer_own(p, EVENT_SYNC_BEGIN, SCOPE, NULL);
    for (int i = 0; i < objects; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, SCOPE "/ns/o%02d", i);
        fake_producer_object(p, EVENT_PUT, CAUSE_LIST, key, version);
    }
    fake_producer_own(p, EVENT_SYNC_END, SCOPE, version);
    rig_unlock_producer();
}

static inline void rig_identity(void)
{
    fake_producer_identity(rig_lock_producer(), "src-1", "start");
    rig_unlock_producer();
}

#endif

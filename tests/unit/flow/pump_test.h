/* What the pump's tests share: a log, a checkpoint and a destination that outlive the pump. */
#ifndef RESILOG_TESTS_PUMP_TEST_H
#define RESILOG_TESTS_PUMP_TEST_H

#include "tests/unit/flow/flow_test.h"

#include "flow/pump.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"
#include "tests/fakes/ckpt_fault.h"
#include "tests/fakes/rlog_fault.h"
#include "tests/fakes/sink_mem.h"

#define PT_SYNC SLICE("team/sync")

/* Secrets are selected by the object's label sel=yes, services by the namespace's label env=prod,
 * configmaps all; deployments are scaled to zero by a patch. */
struct pump_world {
    struct ft_log log;
    struct ckpt_mem_store *ckpts;
    struct dest_mem *dest;
    struct selector *labels, *ns_labels;
    struct replication_entry entries[4];
    struct replication replication;
    struct slice source;
    const struct source_identity *former;
    int64_t prune_until_ns;
    struct diag *reconciler; /* NULL: who else speaks */
    unsigned deaths;         /* how often it was closed */

    struct ckpt *ckpt; /* a ckpt_fault; this and the following end with a crash */
    struct sink *sink;
    struct pump *pump;
};

static const struct json_patch_op PT_SCALE[] = {
    {.kind = JSON_PATCH_REPLACE, .path = SLICE("/spec/replicas"), .value = SLICE("0")}};

static inline void pt_open_ckpt(struct pump_world *w)
{
    struct ckpt *inner = NULL;
    struct err e = ERR_INIT;
    assert_ok(ckpt_mem_open(w->ckpts, &inner, &e));
    w->ckpt = ckpt_fault_new(inner);
    assert_non_null(w->ckpt);
}

/* Opens the checkpoint, too, if that was not done. */
static inline enum rc pt_try_open(struct pump_world *w, struct err *e)
{
    if (!w->ckpt)
        pt_open_ckpt(w);
    w->sink = sink_mem_open(w->dest, &w->log.env);
    struct pump_opts opts = {.log = w->log.log,
                             .ckpt = w->ckpt,
                             .sink = w->sink,
                             .replication = &w->replication,
                             .source = w->source,
                             .former = w->former,
                             .prune_until_ns = w->prune_until_ns,
                             .reconciler = w->reconciler};
    return pump_open(&opts, &w->log.env, &w->pump, e);
}

static inline void pt_open(struct pump_world *w)
{
    struct err e = ERR_INIT;
    if (pt_try_open(w, &e) != RC_OK)
        fail_msg("pump_open: %s", e.msg);
}

/* As if the process died now. */
static inline void pt_close(struct pump_world *w)
{
    w->deaths++;
    pump_close(w->pump);
    sink_close(w->sink);
    ckpt_close(w->ckpt);
    w->pump = NULL;
    w->sink = NULL;
    w->ckpt = NULL;
}

static inline void pt_crash(struct pump_world *w)
{
    pt_close(w);
    pt_open(w);
}

static inline struct pump_world *pt_new(void)
{
    struct pump_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    ft_log_init(&w->log);
    w->log.log = rlog_fault_new(w->log.log);
    w->ckpts = ckpt_mem_store_new();
    w->dest = dest_mem_new();
    w->labels = ft_selector("{'matchLabels':{'sel':'yes'}}");
    w->ns_labels = ft_selector("{'matchLabels':{'env':'prod'}}");
    w->entries[0] =
        (struct replication_entry){.version = SLICE("v1"), .resource = SLICE("configmaps")};
    w->entries[1] = (struct replication_entry){
        .version = SLICE("v1"), .resource = SLICE("secrets"), .selector = w->labels};
    w->entries[2] = (struct replication_entry){
        .version = SLICE("v1"), .resource = SLICE("services"), .ns_selector = w->ns_labels};
    w->entries[3] = (struct replication_entry){.group = SLICE("apps"),
                                               .version = SLICE("v1"),
                                               .resource = SLICE("deployments"),
                                               .patch = PT_SCALE,
                                               .n_patch = 1};
    w->replication = (struct replication){.sync = PT_SYNC, .entries = w->entries, .n_entries = 4};
    return w;
}

static inline void pt_free(struct pump_world *w)
{
    pt_close(w);
    dest_mem_free(w->dest);
    ckpt_mem_store_free(w->ckpts);
    selector_free(w->labels);
    selector_free(w->ns_labels);
    ft_log_done(&w->log);
    free(w);
}

static inline int64_t pt_now(struct pump_world *w)
{
    return clock_boot_ns(w->log.env.clock);
}

static inline void pt_wait(struct pump_world *w, int64_t ns)
{
    fake_clock_advance((struct fake_clock *)w->log.env.clock, ns);
}

/* One step; gives the time of the next work in *wake when there is none now. */
static inline enum rc pt_step(struct pump_world *w, int64_t *wake, struct err *e)
{
    enum rc rc = pump_step(w->pump, wake, e);
    if (rc == RC_AGAIN && *wake <= pt_now(w))
        fail_msg("the pump has nothing to do, and wants to be called again at once");
    return rc;
}

/* Steps, with time going on, until there is nothing to do for two seconds (commits are done then, holds
 * are not tried again); or the first error. */
static inline enum rc pt_try_run(struct pump_world *w, struct err *e)
{
    for (int i = 0; i < 100000; i++) {
        int64_t wake = 0;
        enum rc rc = pt_step(w, &wake, e);
        if (rc < 0)
            return rc;
        if (rc == RC_AGAIN && wake - pt_now(w) > 2 * NS_PER_S)
            return RC_OK;
        if (rc == RC_AGAIN)
            pt_wait(w, wake - pt_now(w));
    }
    fail_msg("no end of steps");
    return RC_OK;
}

static inline void pt_run(struct pump_world *w)
{
    struct err e = ERR_INIT;
    if (pt_try_run(w, &e) < 0)
        fail_msg("%s", e.msg);
}

/* Lets that much time pass, stepping whenever the pump wants. */
static inline void pt_run_for(struct pump_world *w, int64_t ns)
{
    int64_t end = pt_now(w) + ns;
    for (int i = 0; i < 100000; i++) {
        int64_t wake = 0;
        struct err e = ERR_INIT;
        enum rc rc = pt_step(w, &wake, &e);
        if (rc < 0)
            fail_msg("%s", e.msg);
        if (rc == RC_OK)
            continue;
        pt_wait(w, (wake < end ? wake : end) - pt_now(w));
        if (wake >= end)
            return;
    }
    fail_msg("no end of steps");
}

static inline void pt_has(struct pump_world *w, const char *key, const char *json)
{
    AUTO(freep) char *want = ft_quotes(json);
    struct slice body = dest_mem_get(w->dest, key);
    if (!body.p)
        fail_msg("%s is not in the destination", key);
    assert_string_equal(body.p, want);
}

static inline void pt_lacks(struct pump_world *w, const char *key)
{
    struct slice body = dest_mem_get(w->dest, key);
    if (body.p)
        fail_msg("%s is in the destination: %s", key, body.p);
}

static inline struct pump_status pt_status(struct pump_world *w)
{
    struct pump_status s;
    pump_status(w->pump, &s);
    return s;
}

/* The offset that the checkpoint holds, 0 if there is none. */
static inline rlog_off pt_committed(struct pump_world *w)
{
    struct ckpt_head head;
    struct err e = ERR_INIT;
    return ckpt_load(w->ckpt, PT_SYNC, &head, NULL, NULL, &e) == RC_OK ? head.offset : 0;
}

static inline rlog_off pt_head(struct pump_world *w)
{
    struct rlog_bounds bounds;
    struct err e = ERR_INIT;
    assert_ok(rlog_bounds(w->log.log, &bounds, &e));
    return bounds.next;
}

static inline rlog_off pt_put(struct pump_world *w, const char *key, const char *json)
{
    return ft_put(&w->log, key, json);
}

static inline rlog_off pt_delete(struct pump_world *w, const char *key)
{
    return ft_delete(&w->log, key, CAUSE_WATCH);
}

/* A delete that a listing inferred. */
static inline rlog_off pt_infer(struct pump_world *w, const char *key)
{
    return ft_delete(&w->log, key, CAUSE_RESYNC);
}

static inline void pt_refuse(struct pump_world *w, const char *key, unsigned times)
{
    dest_mem_script(
        w->dest, key,
        &(struct sink_script){
            .outcome = SINK_HELD, .cls = "invalid", .reason = "not so", .times = times});
}

/* The configmap number i. */
static inline const char *pt_key(int i, char out[40])
{
    snprintf(out, 40, "/configmaps/n/k%03d", i);
    return out;
}

/* ---- cmocka's fixtures ---- */

static inline int pt_setup(void **state)
{
    struct pump_world *w = pt_new();
    pt_open(w);
    *state = w;
    return 0;
}

static inline int pt_teardown(void **state)
{
    pt_free(*state);
    return 0;
}

#define PT_CM "/configmaps/n/a"

/* From source-1 to cluster-1, where PT_CM has arrived. */
static inline int pt_setup_bound(void **state)
{
    struct pump_world *w = pt_new();
    dest_mem_identity(w->dest, "cluster-1");
    w->source = SLICE("source-1");
    pt_open(w);
    pt_put(w, PT_CM, "{'v':1}");
    pt_run(w);
    pt_has(w, PT_CM, "{'v':1}");
    *state = w;
    return 0;
}

#endif

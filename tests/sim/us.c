/* Opens, steps and ends resilog's parts in the order in which controller/group.c and controller/member.c do it.
 *
 * Keeps: the two stores for the whole run, everything else for one life. A failure that the simulation itself caused
 * ends the process, because a real one would stop there too; any other failure fails the run. */
#include "tests/sim/us.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/key.h"
#include "flow/pump.h"
#include "flow/selector.h"
#include "flow/source_identity.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "sinks/sink.h"
#include "tests/fakes/ckpt_fault.h"
#include "tests/fakes/rlog_fault.h"
#include "tests/sim/property.h"
#include "tests/sim/workload.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define REOPEN_NS     NS_PER_S
#define IDENTITY_NS   NS_PER_S
#define DRAIN_STEPS   200
#define NO_ROOM_TIMES 4

/* ---- What is synchronized ---- */

static const struct json_patch_op scale_down[] = {
    {.kind = JSON_PATCH_REPLACE, .path = {"/spec/replicas", 14}, .value = {"0", 1}}};
static const struct json_patch_op take_owner[] = {
    {.kind = JSON_PATCH_REPLACE, .path = {"/spec/owner", 11}, .value = {"\"copy\"", 6}}};

static const struct {
    const char *group, *version, *resource, *labels, *ns_labels;
    const struct json_patch_op *patch;
} rows[US_ENTRIES] = {
    {"", "v1", "configmaps", "{\"matchLabels\":{\"copy\":\"yes\"}}", NULL, NULL},
    {"", "v1", "secrets", NULL, "{\"matchLabels\":{\"tier\":\"prod\"}}", NULL},
    {"apps", "v1", "deployments", NULL, NULL, scale_down},
    {"example.com", "v1", "widgets", NULL, NULL, take_owner},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", NULL, NULL, NULL},
};
static const struct ingest_scope wanted[US_ENTRIES] = {
    {.scope = {"/configmaps", 11}, .api_version = {"v1", 2}},
    {.scope = {"/secrets", 8}, .api_version = {"v1", 2}},
    {.scope = {"apps/deployments", 16}, .api_version = {"apps/v1", 7}},
    {.scope = {"example.com/widgets", 19}, .api_version = {"example.com/v1", 14}},
    {.scope = {"apiextensions.k8s.io/customresourcedefinitions", 46},
     .api_version = {"apiextensions.k8s.io/v1", 23}},
};

static struct selector *read_selector(const char *text)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct selector *s = NULL;
    struct err e = ERR_INIT;
    if (!text)
        return NULL;
    if (json_parse(slice_str(text), &d, &e) != RC_OK ||
        selector_new(d, json_root(d), &s, &e) != RC_OK)
        abort();
    return s;
}

#define RESYNC_NS (180 * NS_PER_S)

static void init_replication(struct world *w)
{
    struct us *u = &w->us;
    size_t n = w->plan.copy_crd ? US_ENTRIES : US_ENTRIES - 1;
    for (size_t i = 0; i < n; i++) {
        u->entries[i] = (struct replication_entry){
            .group = slice_str(rows[i].group),
            .version = slice_str(rows[i].version),
            .resource = slice_str(rows[i].resource),
            .selector = read_selector(rows[i].labels),
            .ns_selector = read_selector(rows[i].ns_labels),
            .patch = rows[i].patch,
            .n_patch = rows[i].patch ? 1 : 0,
            .policy = {.adopt = ADOPT_EQUAL,
                       .force_namespace = w->plan.force_namespace,
                       .by_name = true},
        };
        u->scopes[i] = wanted[i];
    }
    u->replication = (struct replication){.sync = slice_str(US_SYNC),
                                          .entries = u->entries,
                                          .n_entries = n,
                                          .prune_deselected = w->plan.prune_deselected,
                                          .resync_ns = RESYNC_NS};
}

const struct replication_entry *us_entry(const struct world *w, struct slice key)
{
    struct key parts;
    struct err e = ERR_INIT;
    if (key_parse(key, &parts, &e) != RC_OK)
        return NULL;
    for (size_t i = 0; i < w->us.replication.n_entries; i++)
        if (slice_eq(w->us.entries[i].group, parts.group) &&
            slice_eq(w->us.entries[i].resource, parts.resource))
            return &w->us.entries[i];
    return NULL;
}

/* ---- Life ---- */

static void open_readers(struct world *w)
{
    struct err e = ERR_INIT;
    rlog_close(w->us.reader);
    w->us.reader = NULL;
    if (rlog_mem_open(w->us.log_store, RLOG_READ, &w->env, &w->us.reader, &e) != RC_OK)
        abort();
    if (!w->us.ckpt_reader && ckpt_mem_open(w->us.ckpt_store, &w->us.ckpt_reader, &e) != RC_OK)
        abort();
}

void us_init(struct world *w)
{
    w->us.log_store = rlog_mem_store_new();
    w->us.ckpt_store = ckpt_mem_store_new();
    if (!w->us.log_store || !w->us.ckpt_store)
        abort();
    init_replication(w);
    open_readers(w);
}

static void close_intake(struct us_intake *i)
{
    ingest_close(i->ingest);
    producer_close(i->producer);
    rlog_close(i->log);
    *i = (struct us_intake){0};
}

static void close_member(struct world *w, int64_t again_ns)
{
    struct us *u = &w->us;
    if (u->pump)
        property_look(w); /* what it wrote last is still its own */
    pump_close(u->pump);
    sink_close(u->sink);
    ckpt_close(u->ckpt);
    u->pump = NULL;
    u->sink = NULL;
    u->ckpt = NULL;
    u->commit_armed = false;
    u->member_due_ns = again_ns;
}

static void close_all(struct world *w, int64_t again_ns)
{
    close_member(w, again_ns);
    close_intake(&w->us.intake);
    w->us.append_armed = false;
    w->us.intake_due_ns = again_ns;
}

void us_done(struct world *w)
{
    struct us *u = &w->us;
    close_all(w, 0);
    close_intake(&u->old);
    rlog_close(u->reader);
    ckpt_close(u->ckpt_reader);
    rlog_mem_store_free(u->log_store);
    ckpt_mem_store_free(u->ckpt_store);
    for (size_t i = 0; i < u->replication.n_entries; i++) {
        selector_free(u->entries[i].selector);
        selector_free(u->entries[i].ns_selector);
    }
}

void us_crash(struct world *w, int64_t again_ns)
{
    world_say(w, "crash, again at +%lld ms", (long long)((again_ns - world_now(w)) / NS_PER_MS));
    close_all(w, again_ns);
    close_intake(&w->us.old);
    rlog_mem_crash(w->us.log_store);
    open_readers(w);
}

void us_stop(struct world *w, int64_t again_ns)
{
    struct us *u = &w->us;
    struct err e = ERR_INIT;
    int64_t wake;
    world_say(w, "stop in order");
    if (u->pump) {
        pump_drain(u->pump);
        enum rc rc = RC_OK;
        for (int i = 0; i < DRAIN_STEPS && rc == RC_OK && !pump_idle(u->pump); i++)
            rc = pump_step(u->pump, &wake, &e);
        if (rc >= 0)
            rc = pump_commit(u->pump, SLICE_NULL, &e);
        world_say(w, "drained: %s", rc_name(rc));
    }
    close_all(w, again_ns);
}

/* ---- Opening ---- */

static enum rc open_intake(struct world *w, struct us_intake *i, struct err *e)
{
    struct rlog *inner;
    struct http *http;
    enum rc rc = rlog_mem_open(w->us.log_store, RLOG_WRITE, &w->env, &inner, e);
    if (rc != RC_OK)
        return rc;
    i->log = rlog_fault_new(inner);
    if (!i->log)
        abort();
    property_listen(w, i->log);
    fake_kube_connect(w->source, &http);
    rc = kube_producer_open(http, /* ca_pem= */ NULL, /* ns= */ NULL, &w->env, &i->producer, e);
    if (rc == RC_OK)
        rc = ingest_open(i->producer, i->log, &w->env, &i->ingest, e);
    if (rc == RC_OK)
        rc = ingest_want(i->ingest, w->us.scopes, w->us.replication.n_entries, e);
    return rc;
}

/* RC_AGAIN: the log does not know it yet. */
static enum rc find_identity(struct world *w, struct err *e)
{
    AUTO(source_identity_done) struct source_identity s = {.doc = NULL};
    enum rc rc = source_identity_load(w->us.intake.log, &s, e);
    if (rc == RC_OK)
        snprintf(w->us.identity, sizeof w->us.identity, "%.*s", SLICE_ARG(s.identity));
    return rc == RC_NOTFOUND ? RC_AGAIN : rc;
}

static enum rc open_sink(struct world *w, struct err *e)
{
    struct slice selected[US_ENTRIES];
    struct http *http;
    for (size_t i = 0; i < w->us.replication.n_entries; i++)
        selected[i] = w->us.scopes[i].scope;
    fake_kube_connect(w->destination, &http);
    return kube_sink_open(&(struct kube_sink_opts){.http = http,
                                                   .source = slice_str(w->us.identity),
                                                   .sync = slice_str(US_SYNC),
                                                   .selected = selected,
                                                   .n_selected = w->us.replication.n_entries},
                          &w->env, &w->us.sink, e);
}

static enum rc open_member(struct world *w, struct err *e)
{
    struct us *u = &w->us;
    struct ckpt *inner;
    enum rc rc = find_identity(w, e);
    if (rc == RC_OK)
        rc = ckpt_mem_open(u->ckpt_store, &inner, e);
    if (rc != RC_OK)
        return rc;
    u->ckpt = ckpt_fault_new(inner);
    if (!u->ckpt)
        abort();
    rc = open_sink(w, e);
    if (rc != RC_OK)
        return rc;
    struct pump_opts opts = {.log = u->intake.log,
                             .ckpt = u->ckpt,
                             .sink = u->sink,
                             .replication = &u->replication,
                             .source = slice_str(u->identity)};
    return pump_open(&opts, &w->env, &u->pump, e);
}

/* ---- Faults ---- */

void us_fail_append(struct world *w, bool done, bool no_room)
{
    struct us *u = &w->us;
    if (!u->intake.log)
        return;
    struct fault_rule rule = {.times = no_room ? 1 + (unsigned)world_below(w, NO_ROOM_TIMES) : 1,
                              .rc = no_room ? RC_LIMIT : RC_IO,
                              .retry = no_room ? ERR_RETRY : ERR_FATAL,
                              .done = done && !no_room};
    rlog_fault_set(u->intake.log, RLOG_FAULT_APPEND, &rule);
    u->append_armed = !no_room;
    u->armed_done = done;
    if (no_room)
        world_saw(w, SIGHT_APPEND_NO_ROOM);
}

void us_fail_commit(struct world *w, bool done)
{
    struct us *u = &w->us;
    if (!u->ckpt)
        return;
    struct fault_rule rule = {.times = 1, .rc = RC_IO, .retry = ERR_FATAL, .done = done};
    ckpt_fault_set(u->ckpt, CKPT_FAULT_COMMIT, &rule);
    u->commit_armed = true;
    u->commit_done = done;
}

void us_disarm(struct world *w)
{
    struct us *u = &w->us;
    const struct fault_rule no_append = {.rc = RC_OK};
    const struct fault_rule no_commit = {.rc = RC_OK};
    if (u->intake.log)
        rlog_fault_set(u->intake.log, RLOG_FAULT_APPEND, &no_append);
    if (u->ckpt)
        ckpt_fault_set(u->ckpt, CKPT_FAULT_COMMIT, &no_commit);
    u->append_armed = u->commit_armed = false;
    close_intake(&u->old);
}

void us_take_over(struct world *w)
{
    struct us *u = &w->us;
    struct err e = ERR_INIT;
    if (!u->intake.ingest || u->old.log)
        return;
    world_say(w, "another process takes the log");
    world_saw(w, SIGHT_TAKEOVER);
    close_member(w, world_now(w) + w->plan.destination_rates.delay_max_ns + REOPEN_NS);
    u->old = u->intake;
    u->intake = (struct us_intake){0};
    u->append_armed = false;
    if (open_intake(w, &u->intake, &e) != RC_OK)
        board_fail(w->board, "I9", "the log could not be taken over: %s", e.msg);
}

/* ---- Steps ---- */

static enum rc intake_failed(struct world *w, enum rc rc, const struct err *e)
{
    struct us *u = &w->us;
    world_say(w, "intake stops: %s: %s", rc_name(rc), e->msg);
    if (rc == RC_IO && u->append_armed) {
        world_saw(w, u->armed_done ? SIGHT_APPEND_UNHEARD : SIGHT_APPEND_LOST);
        us_crash(w, world_now(w) + w->plan.destination_rates.delay_max_ns + REOPEN_NS);
        return RC_OK;
    }
    board_fail(w->board, "stop", "the intake stopped without need: %s: %s", rc_name(rc), e->msg);
    close_all(w, world_now(w) + REOPEN_NS);
    return RC_OK;
}

enum rc us_step_intake(struct world *w, int64_t *ret_wake_ns)
{
    struct us *u = &w->us;
    struct err e = ERR_INIT;
    enum rc rc;
    if (u->intake.ingest) {
        rc = ingest_step(u->intake.ingest, ret_wake_ns, &e);
    } else if (u->intake_due_ns > world_now(w)) {
        *ret_wake_ns = u->intake_due_ns;
        return RC_AGAIN;
    } else {
        world_say(w, "intake opens");
        rc = open_intake(w, &u->intake, &e);
    }
    return rc < 0 ? intake_failed(w, rc, &e) : rc;
}

static enum rc member_failed(struct world *w, enum rc rc, const struct err *e)
{
    struct us *u = &w->us;
    world_say(w, "member stops: %s: %s", rc_name(rc), e->msg);
    if (rc == RC_IO && u->commit_armed)
        world_saw(w, u->commit_done ? SIGHT_COMMIT_UNHEARD : SIGHT_COMMIT_LOST);
    else
        board_fail(w->board, "stop", "the member stopped without need: %s: %s", rc_name(rc),
                   e->msg);
    close_member(w, world_now(w) + w->plan.destination_rates.delay_max_ns + REOPEN_NS);
    return RC_OK;
}

enum rc us_step_member(struct world *w, int64_t *ret_wake_ns)
{
    struct us *u = &w->us;
    struct err e = ERR_INIT;
    enum rc rc;
    *ret_wake_ns = INT64_MAX;
    if (!u->intake.ingest)
        return RC_AGAIN;
    if (u->pump) {
        rc = pump_step(u->pump, ret_wake_ns, &e);
    } else if (u->member_due_ns > world_now(w)) {
        *ret_wake_ns = u->member_due_ns;
        return RC_AGAIN;
    } else {
        rc = open_member(w, &e);
        world_say(w, "member opens: %s", rc_name(rc));
        if (rc == RC_AGAIN)
            *ret_wake_ns = u->member_due_ns = world_now(w) + IDENTITY_NS;
    }
    return rc < 0 ? member_failed(w, rc, &e) : rc;
}

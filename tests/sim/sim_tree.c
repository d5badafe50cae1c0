/* sim_tree [SHARD SHARDS]: the live path from ZooKeeper to ZooKeeper, in one thread on virtual time: two modelled ensembles, and
 * between them the real producer, ingest, pump and sink on the in-memory log and checkpoints.
 *
 * Runs RESILOG_SIM_SEEDS seeds (default 1000), or of them each SHARDS-th; SEED=x runs that one alone, RESILOG_SIM_TRACE=1 with what happens. A seed
 * decides what users do, what breaks and when resilog dies. Then faults stop, the world runs until quiet, and the
 * destination has to have the source's tree: data, ACLs and the next sequential number of every node (I1). All along
 * what is not ours in the destination stays (I6). */
#include "core/buf.h"
#include "core/clock.h"
#include "core/env.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/rng.h"
#include "flow/ingest.h"
#include "flow/pump.h"
#include "flow/pump_rows.h"
#include "flow/replication.h"
#include "flow/source_identity.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "sinks/sink.h"
#include "sinks/zk_sink.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_zk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS_DEFAULT 1000
#define SIGHTS_FROM   400 /* with fewer seeds a situation may well be missed */
#define SYNC          "sim/tree"
#define TURNS         300
#define QUIET_TURNS   400000
#define APART         5000 /* the zxids of both never meet: equal ones at one time mean one ensemble */
#define NAMES         4
#define DEPTH         3

#define FOREIGN "foreign" /* how nodes begin that somebody else makes in the destination */

/* Situations that the seeds must have met. */
enum sight {
    MET_CRASH,
    MET_LOST, /* all connections */
    MET_DOWN, /* and refused for a while */
    MET_REQUEST_LOST,
    MET_ANSWER_LOST,
    MET_EVENT_LOST,
    MET_GARBAGE,
    MET_GAP, /* in the log: */
    MET_LISTING,
    MET_INFERRED_DELETE,
    MET_OBSERVED_DELETE,
    MET_ALIGNED, /* a sequence, by pairs */
    MET_SEQUENCE_LAST,
    MET_PRE_IMAGE,
    MET_ADOPTED, /* a copy that a crash left unnoted, or somebody else's */
    SIGHTS
};
static const char *const sight_names[SIGHTS] = {
    "crash",           "connections-lost", "refused",       "request-lost", "answer-lost",
    "event-lost",      "garbage",          "gap",           "listing",      "inferred-delete",
    "observed-delete", "aligned",          "sequence-last", "pre-image",    "adopted"};

struct world {
    uint64_t *met; /* of SIGHTS */
    struct fake_clock clock;
    struct rng_seeded chance, ours;
    struct env env;
    struct fake_zk *source, *destination;
    struct rlog_mem_store *log_store;
    struct ckpt_mem_store *ckpt_store;

    struct rlog *log;
    struct producer *producer;
    struct ingest *ingest;
    struct ckpt *ckpt;
    struct sink *sink;
    struct pump *pump;
    struct source_identity identity;
    int64_t intake_due_ns, member_due_ns;

    struct replication replication;
    struct replication_entry entry;
    const char *root;
    /* The plan: ACLs are copied; somebody else works in the destination, too; nothing is deleted in the source. */
    bool acl, foreign, grows;
    size_t n_foreign, n_told;
    rlog_off logged; /* the trace has the log's events below it */
    bool trace;
    char failure[512];
};

static void say(const struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct world *w, const char *fmt, ...)
{
    va_list args;
    if (!w->trace)
        return;
    va_start(args, fmt);
    printf("%10lld ms ", (long long)(w->clock.boot_ns / NS_PER_MS));
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
}

static void fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct world *w, const char *fmt, ...)
{
    va_list args;
    if (w->failure[0])
        return;
    va_start(args, fmt);
    vsnprintf(w->failure, sizeof w->failure, fmt, args);
    va_end(args);
    say(w, "FAILED: %s", w->failure);
}

static uint64_t below(struct world *w, uint64_t n)
{
    return rng_below(&w->chance.rng, n);
}

static bool one_in(struct world *w, uint64_t n)
{
    return below(w, n) == 0;
}

/* ---- Us ---- */

static void close_member(struct world *w)
{
    pump_close(w->pump);
    sink_close(w->sink);
    ckpt_close(w->ckpt);
    source_identity_done(&w->identity);
    w->pump = NULL;
    w->sink = NULL;
    w->ckpt = NULL;
    w->member_due_ns = w->clock.boot_ns + NS_PER_S;
}

static void close_intake(struct world *w)
{
    ingest_close(w->ingest);
    producer_close(w->producer);
    rlog_close(w->log);
    w->ingest = NULL;
    w->producer = NULL;
    w->log = NULL;
    w->intake_due_ns = w->clock.boot_ns + NS_PER_S;
}

static void crash(struct world *w)
{
    say(w, "crash");
    w->met[MET_CRASH]++;
    close_member(w);
    close_intake(w);
    rlog_mem_crash(w->log_store);
}

static enum rc open_intake(struct world *w, struct err *e)
{
    struct zk *zk;
    enum rc rc = rlog_mem_open(w->log_store, RLOG_WRITE, &w->env, &w->log, e);
    if (rc != RC_OK)
        return rc;
    fake_zk_connect(w->source, "super", &zk);
    const struct zk_producer_opts opts = {.zk = zk, .name = "sim/source", .acl = w->acl};
    rc = zk_producer_open(&opts, &w->env, &w->producer, e);
    if (rc == RC_OK)
        rc = ingest_open(w->producer, w->log, &w->env, &w->ingest, e);
    const struct ingest_scope scope = {.scope = slice_str(w->root), .tree = true};
    return rc == RC_OK ? ingest_want(w->ingest, &scope, 1, e) : rc;
}

static enum rc open_member(struct world *w, struct err *e)
{
    struct zk *zk;
    enum rc rc = source_identity_load(w->log, &w->identity, e);
    if (rc == RC_NOTFOUND)
        return RC_AGAIN;
    if (rc == RC_OK)
        rc = ckpt_mem_open(w->ckpt_store, &w->ckpt, e);
    if (rc != RC_OK)
        return rc;
    fake_zk_connect(w->destination, "super", &zk);
    const struct zk_sink_opts sink = {.zk = zk,
                                      .name = "sim/destination",
                                      .root = slice_str(w->root),
                                      .create_root = true,
                                      .acl = w->acl};
    rc = zk_sink_open(&sink, &w->env, &w->sink, e);
    if (rc != RC_OK)
        return rc;
    const struct pump_opts opts = {.log = w->log,
                                   .ckpt = w->ckpt,
                                   .sink = w->sink,
                                   .replication = &w->replication,
                                   .source = w->identity.identity,
                                   .former = &w->identity,
                                   .prune_until_ns = INT64_MAX};
    return pump_open(&opts, &w->env, &w->pump, e);
}

static enum rc step_intake(struct world *w, int64_t *ret_wake_ns)
{
    struct err e = ERR_INIT;
    *ret_wake_ns = w->intake_due_ns;
    if (!w->ingest && w->clock.boot_ns < w->intake_due_ns)
        return RC_AGAIN;
    enum rc rc = w->ingest ? ingest_step(w->ingest, ret_wake_ns, &e) : open_intake(w, &e);
    if (rc >= 0)
        return rc;
    fail(w, "the intake stopped without need: %s", e.msg);
    close_member(w);
    close_intake(w);
    return RC_OK;
}

static enum rc step_member(struct world *w, int64_t *ret_wake_ns)
{
    struct err e = ERR_INIT;
    *ret_wake_ns = w->member_due_ns;
    if (!w->ingest || (!w->pump && w->clock.boot_ns < w->member_due_ns))
        return RC_AGAIN;
    enum rc rc = w->pump ? pump_step(w->pump, ret_wake_ns, &e) : open_member(w, &e);
    if (rc == RC_AGAIN && !w->pump)
        close_member(w);
    if (rc >= 0)
        return rc;
    if (e.rc != RC_CONFLICT) /* the destination is another one: its root was made anew */
        fail(w, "the member stopped without need: %s", e.msg);
    say(w, "the member stops: %s", e.msg);
    close_member(w);
    return RC_OK;
}

/* ---- Users ---- */

static void some_path(struct world *w, char out[128])
{
    size_t n = (size_t)snprintf(out, 128, "%s", w->root[1] ? w->root : "");
    for (uint64_t d = 1 + below(w, DEPTH); d > 0; d--)
        n += (size_t)snprintf(out + n, 128 - n, "/%s%llu", one_in(w, 6) ? "zookeeper" : "n",
                              (unsigned long long)below(w, NAMES));
}

static const char *const acls[] = {
    "world:anyone:cdrwa",
    "world:anyone:r",
    "digest:alice:hash:cdrwa,world:anyone:r",
    "digest:bob:hash:rw",
};

static void user_act(struct world *w)
{
    char path[128], data[32];
    int rc;
    some_path(w, path);
    snprintf(data, sizeof data, "v%llu", (unsigned long long)below(w, 1000));
    switch (below(w, 8)) {
    case 0:
    case 1:
        rc = fake_zk_put(w->source, path, one_in(w, 8) ? NULL : data);
        say(w, "user: put %s: %d", path, rc);
        break;
    case 2:
        rc = fake_zk_set(w->source, path, data);
        say(w, "user: set %s: %d", path, rc);
        break;
    case 3:
        if (w->grows)
            return;
        rc = fake_zk_delete(w->source, path);
        say(w, "user: delete %s: %d", path, rc);
        break;
    case 4:
        if (w->grows)
            return;
        rc = one_in(w, 3) ? fake_zk_delete_tree(w->source, path) : fake_zk_delete(w->source, path);
        say(w, "user: delete all of %s: %d", path, rc);
        break;
    case 5:
        rc = fake_zk_set_acl(w->source, path, acls[below(w, sizeof acls / sizeof *acls)]);
        say(w, "user: set acl %s: %d", path, rc);
        break;
    case 6:
        strncat(path, "/seq-", sizeof path - strlen(path) - 1);
        rc = fake_zk_create_sequential(w->source, path, data, NULL);
        say(w, "user: create sequential %s: %d", path, rc);
        break;
    default: /* an ephemeral node in place of a persistent one would leave a frozen copy behind */
        if (one_in(w, 4)) {
            strncat(path, "-e", sizeof path - strlen(path) - 1);
            rc = fake_zk_create_ephemeral(w->source, path, data);
        } else
            rc = fake_zk_create(w->source, path, data);
        say(w, "user: create %s: %d", path, rc);
        break;
    }
}

/* Somebody else in the destination: nodes of their own, and changes of ours. */
static void foreign_act(struct world *w)
{
    char path[128];
    some_path(w, path);
    if (one_in(w, 2)) {
        say(w, "foreign: set %s: %d", path, fake_zk_set(w->destination, path, "meddled"));
        return;
    }
    if (one_in(w, 2)) {
        say(w, "foreign: delete %s: %d", path, fake_zk_delete(w->destination, path));
        return;
    }
    if (one_in(w, 2)) {
        say(w, "foreign: create %s: %d", path, fake_zk_create(w->destination, path, "theirs"));
        return;
    }
    size_t n = strlen(path);
    snprintf(path + n, sizeof path - n, "/" FOREIGN "%zu", w->n_foreign);
    int rc = fake_zk_create(w->destination, path, "mine");
    say(w, "foreign: create %s: %d", path, rc);
    w->n_foreign += rc == ZK_OK;
}

static void trouble(struct world *w)
{
    struct fake_zk *at = one_in(w, 2) ? w->source : w->destination;
    static const struct fake_zk_rates rates = {.per_mille = {[FAKE_ZK_REQUEST_LOST] = 5,
                                                             [FAKE_ZK_ANSWER_LOST] = 5,
                                                             [FAKE_ZK_EVENT_LOST] = 5,
                                                             [FAKE_ZK_GARBAGE] = 2}};
    switch (below(w, 6)) {
    case 0:
        say(w, "trouble: faults");
        fake_zk_faults(at, below(w, 1000000), &rates);
        break;
    case 1:
        fake_zk_faults(at, 0, NULL);
        break;
    case 2:
        say(w, "trouble: connections lost");
        fake_zk_lose(at);
        w->met[MET_LOST]++;
        break;
    case 3:
        say(w, "trouble: refused for a while");
        fake_zk_refuse(at, (int64_t)below(w, 20) * NS_PER_S);
        w->met[MET_DOWN]++;
        break;
    case 4:
        fake_zk_set_delay(at, (int64_t)below(w, 200) * NS_PER_MS);
        break;
    default:
        crash(w);
        break;
    }
}

/* ---- What must hold ---- */

static void check_foreign(struct world *w)
{
    struct slice path = SLICE_NULL;
    struct znode node;
    size_t n = 0;
    while (fake_zk_next(w->destination, path, &path, &node))
        n += memmem(path.p, path.n, "/" FOREIGN, sizeof FOREIGN) != NULL;
    if (n != w->n_foreign)
        fail(w, "I6: of %zu nodes that are not ours %zu are left", w->n_foreign, n);
}

static bool is_copied(const struct world *w, struct slice path, const struct znode *node)
{
    bool reserved = !w->root[1] && znode_is_within(path, SLICE("/zookeeper"));
    return znode_is_within(path, slice_str(w->root)) && !reserved &&
           node->stat.ephemeral_owner == 0;
}

static void check_copy(struct world *w, struct slice path, const struct znode *node)
{
    struct znode copy;
    bool root = slice_eq(path, slice_str(w->root));
    if (!fake_zk_get(w->destination, path, &copy))
        fail(w, "I1: %.*s is missing in the destination", SLICE_ARG(path));
    else if (!znode_same_data(node, &copy))
        fail(w, "I1: the data of %.*s differ", SLICE_ARG(path));
    else if (w->acl && !znode_same_acl(node, &copy))
        fail(w, "I1: the ACL of %.*s differs", SLICE_ARG(path));
    /* A copy outlives its source that was deleted and made again unseen, and so does its number, which only grows. */
    else if (!root && (w->grows ? znode_sequence(&node->stat) != znode_sequence(&copy.stat)
                                : znode_sequence(&node->stat) > znode_sequence(&copy.stat)))
        fail(w, "I1: the next number of %.*s is %lld in the source, %lld in the destination",
             SLICE_ARG(path), (long long)znode_sequence(&node->stat),
             (long long)znode_sequence(&copy.stat));
}

/* What is in the destination and nowhere else. A node whose record died with the process is taken for one that was
 * there before (nothing on it says otherwise), so its removal is held where nobody saw the source's. */
static void check_rest(struct world *w, struct slice path, const struct znode *node, size_t *held)
{
    struct znode of;
    bool ours = is_copied(w, path, node) && !memmem(path.p, path.n, "/" FOREIGN, sizeof FOREIGN);
    bool copied = fake_zk_get(w->source, path, &of) && of.stat.ephemeral_owner == 0;
    if (!ours || copied || slice_eq(path, slice_str(w->root)) || w->foreign)
        return;
    if (*held == 0)
        fail(w, "I1: %.*s is in the destination alone", SLICE_ARG(path));
    else
        (*held)--;
}

static void check_end(struct world *w)
{
    struct slice path = SLICE_NULL;
    struct znode node;
    struct pump_status status = {0};
    if (w->pump)
        pump_status(w->pump, &status);
    size_t held = status.held;
    while (fake_zk_next(w->source, path, &path, &node))
        if (is_copied(w, path, &node))
            check_copy(w, path, &node);
    path = SLICE_NULL;
    while (fake_zk_next(w->destination, path, &path, &node))
        check_rest(w, path, &node, &held);
}

/* ---- What was met ---- */

static enum rc see_hold(void *arg, struct slice key, struct slice value, struct err *e)
{
    static const struct {
        const char *cls;
        enum sight sight;
    } classes[] = {{"sequence-last", MET_SEQUENCE_LAST},
                   {"pre-image", MET_PRE_IMAGE},
                   {"adopted", MET_ADOPTED}};
    struct world *w = arg;
    struct hold h;
    (void)key;
    enum rc rc = hold_decode(value, &h, e);
    for (size_t i = 0; rc == RC_OK && i < sizeof classes / sizeof *classes; i++)
        w->met[classes[i].sight] += !strcmp(h.cls, classes[i].cls);
    return rc;
}

static void see_holds(struct world *w)
{
    struct err e = ERR_INIT;
    if (w->ckpt && ckpt_scan(w->ckpt, slice_str(SYNC), CKPT_HOLDS, SLICE_NULL, see_hold, w, &e) < 0)
        fail(w, "the holds cannot be read: %s", e.msg);
}

static void see_log(struct world *w)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev = NULL;
    const struct rlog_range range = {.all_keys = true};
    struct err e = ERR_INIT;
    if (!w->log || rlog_cursor(w->log, &range, &it, &e) != RC_OK)
        return;
    while (event_iter_next(it, &ev, &e) == RC_OK && ev) {
        w->met[MET_GAP] += ev->op == EVENT_GAP;
        w->met[MET_LISTING] += ev->op == EVENT_SYNC_END;
        if (ev->op == EVENT_DELETE)
            w->met[ev->cause == CAUSE_WATCH ? MET_OBSERVED_DELETE : MET_INFERRED_DELETE]++;
    }
}

static void see_ensembles(struct world *w)
{
    static const enum sight faults[] = {[FAKE_ZK_REQUEST_LOST] = MET_REQUEST_LOST,
                                        [FAKE_ZK_ANSWER_LOST] = MET_ANSWER_LOST,
                                        [FAKE_ZK_EVENT_LOST] = MET_EVENT_LOST,
                                        [FAKE_ZK_GARBAGE] = MET_GARBAGE};
    static const enum fake_zk_fault all[] = {FAKE_ZK_REQUEST_LOST, FAKE_ZK_ANSWER_LOST,
                                             FAKE_ZK_EVENT_LOST, FAKE_ZK_GARBAGE};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        w->met[faults[all[i]]] +=
            fake_zk_struck(w->source, all[i]) + fake_zk_struck(w->destination, all[i]);
    for (size_t i = 0; i < fake_zk_writes(w->destination); i++)
        w->met[MET_ALIGNED] +=
            slice_ends(fake_zk_write_at(w->destination, i).path, SLICE("/.resilog-sequence"));
}

/* ---- A run ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What was written into the destination by sessions, with SIM trace only. */
static void say_writes(struct world *w)
{
    static const char *const names[] = {[ZK_CREATE] = "create",
                                        [ZK_DELETE] = "delete",
                                        [ZK_SET_DATA] = "set",
                                        [ZK_SET_ACL] = "acl"};
    for (; w->trace && w->n_told < fake_zk_writes(w->destination); w->n_told++) {
        struct fake_zk_write one = fake_zk_write_at(w->destination, w->n_told);
        say(w, "  we %s %.*s", names[one.op], SLICE_ARG(one.path));
    }
}

/* What was appended, with SIM trace only. */
static void say_events(struct world *w)
{
    AUTO(event_iter_freep) struct event_iter *it = NULL;
    const struct event *ev = NULL;
    const struct rlog_range range = {.from = w->logged, .all_keys = true};
    struct err e = ERR_INIT;
    if (!w->trace || !w->log || rlog_cursor(w->log, &range, &it, &e) != RC_OK)
        return;
    while (event_iter_next(it, &ev, &e) == RC_OK && ev) {
        say(w, "  log %llu %s %s %.*s %.*s", (unsigned long long)ev->offset, event_op_name(ev->op),
            event_cause_name(ev->cause), SLICE_ARG(ev->key), SLICE_ARG(ev->version));
        w->logged = ev->offset + 1;
    }
}

/* Steps both; where neither has anything to do, time goes to when one has. False: nothing will ever be. */
static bool go_on(struct world *w, int64_t not_after_ns)
{
    int64_t wake[2];
    enum rc intake = step_intake(w, &wake[0]);
    say_events(w);
    enum rc member = step_member(w, &wake[1]);
    if (intake == RC_OK || member == RC_OK)
        return true;
    say_writes(w);
    int64_t at = least(least(wake[0], wake[1]),
                       least(fake_zk_wake(w->source), fake_zk_wake(w->destination)));
    if (at > not_after_ns)
        return false;
    fake_clock_advance(&w->clock, at > w->clock.boot_ns ? at - w->clock.boot_ns : NS_PER_MS);
    return true;
}

static void turn(struct world *w)
{
    if (one_in(w, 3))
        fake_clock_advance(&w->clock, (int64_t)below(w, 3000) * NS_PER_MS);
    if (one_in(w, 2))
        user_act(w);
    if (w->foreign && one_in(w, 10))
        foreign_act(w);
    if (one_in(w, 15))
        trouble(w);
    for (uint64_t n = below(w, 30); n > 0; n--)
        (void)go_on(w, w->clock.boot_ns + (int64_t)below(w, 500) * NS_PER_MS);
    check_foreign(w);
    see_holds(w);
}

static void end_troubles(struct world *w)
{
    struct fake_zk *const both[] = {w->source, w->destination};
    for (int i = 0; i < 2; i++) {
        fake_zk_faults(both[i], 0, NULL);
        fake_zk_set_delay(both[i], 0);
        fake_zk_set_down(both[i], false);
        fake_zk_lose(both[i]); /* what was lost silently is found by a walk */
    }
}

/* Long enough for every walk, comparison and retry. */
static void settle(struct world *w)
{
    const int64_t until = w->clock.boot_ns + 1800 * NS_PER_S;
    size_t turns = 0;
    say(w, "quiet from here");
    end_troubles(w);
    while (go_on(w, until) && ++turns < QUIET_TURNS && w->clock.boot_ns < until)
        ;
    if (turns == QUIET_TURNS)
        fail(w, "it is busy without end");
}

static void begin(struct world *w, uint64_t seed)
{
    fake_clock_init(&w->clock, 1700000000 * NS_PER_S);
    rng_seeded_init(&w->chance, seed);
    rng_seeded_init(&w->ours, seed + 1);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->ours.rng};
    w->source = fake_zk_new(&w->clock.clock);
    w->destination = fake_zk_new(&w->clock.clock);
    w->log_store = rlog_mem_store_new();
    w->ckpt_store = ckpt_mem_store_new();
    if (!w->source || !w->destination || !w->log_store || !w->ckpt_store)
        abort();
    w->root = one_in(w, 3) ? "/" : "/app";
    w->acl = !one_in(w, 4);
    w->foreign = one_in(w, 3);
    w->grows = !w->foreign && one_in(w, 2);
    w->entry =
        (struct replication_entry){.root = slice_str(w->root), .policy = {.adopt = ADOPT_ALWAYS}};
    w->replication = (struct replication){.sync = slice_str(SYNC),
                                          .entries = &w->entry,
                                          .n_entries = 1,
                                          .n_recorded = 1,
                                          .resync_ns = 180 * NS_PER_S};
    for (int i = 0; i < APART; i++)
        fake_zk_set(w->destination, "/zookeeper/quota", "");
    fake_zk_put(w->source, w->root[1] ? w->root : "/n0", "root");
}

static void end(struct world *w)
{
    close_member(w);
    close_intake(w);
    fake_zk_free(w->source);
    fake_zk_free(w->destination);
    rlog_mem_store_free(w->log_store);
    ckpt_mem_store_free(w->ckpt_store);
}

/* True if all held. */
static bool run(uint64_t seed, bool trace, uint64_t *met)
{
    struct world w = {.trace = trace, .met = met};
    begin(&w, seed);
    for (int i = 0; i < TURNS && !w.failure[0]; i++)
        turn(&w);
    if (!w.failure[0])
        settle(&w);
    if (!w.failure[0]) {
        check_foreign(&w);
        check_end(&w);
    }
    see_holds(&w);
    see_log(&w);
    see_ensembles(&w);
    if (w.failure[0])
        fprintf(stderr, "FAILED: SEED=%llu: %s\n", (unsigned long long)seed, w.failure);
    end(&w);
    return !w.failure[0];
}

static uint64_t number(const char *text, uint64_t otherwise)
{
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* False: all are needed, and one is missing. */
static bool print_sights(const uint64_t *met, bool all_needed)
{
    bool complete = true;
    printf("met:");
    for (int i = 0; i < SIGHTS; i++)
        printf(" %s %llu", sight_names[i], (unsigned long long)met[i]);
    printf("\n");
    for (int i = 0; all_needed && i < SIGHTS; i++) {
        if (met[i])
            continue;
        printf("FAILED: no seed met %s: the simulation lost its reach\n", sight_names[i]);
        complete = false;
    }
    return complete;
}

int main(int argc, char **argv)
{
    const char *one = getenv("SEED"), *trace = getenv("RESILOG_SIM_TRACE");
    uint64_t met[SIGHTS] = {0}, done = 0;
    uint64_t shard = number(argc > 2 ? argv[1] : NULL, 0);
    uint64_t shards = number(argc > 2 ? argv[2] : NULL, 1);
    uint64_t seeds = number(getenv("RESILOG_SIM_SEEDS"), SEEDS_DEFAULT);
    if (shards == 0 || shard >= shards) {
        fprintf(stderr, "usage: sim_tree [SHARD SHARDS]\n");
        return 2;
    }
    if (one)
        return run(number(one, 1), trace && *trace == '1', met) ? 0 : 1;
    for (uint64_t seed = 1 + shard; seed <= seeds; seed += shards, done++)
        if (!run(seed, false, met))
            return 1;
    printf("%llu seeds held\n", (unsigned long long)done);
    return print_sights(met, done >= SIGHTS_FROM) ? 0 : 1;
}

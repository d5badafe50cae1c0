/* The run: time, turns, troubles, the end.
 *
 * A turn lets each part of resilog step a few times, in a random order; when nobody can go on, time moves to the next
 * moment at which somebody can. Users, troubles and crashes come between turns, so at any state that a step leaves.
 * Two delays keep to what is true of real ones: a process is started again only after what it had sent has arrived
 * (README.md says why), and healing begins when the last user is done. */
#include "tests/sim/world.h"

#include "core/clock.h"
#include "core/diag.h"
#include "core/json.h"
#include "flow/ingest.h"
#include "log/rlog.h"
#include "producers/producer.h"
#include "tests/sim/property.h"
#include "tests/sim/workload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define START_WALL_NS  (1700000000 * NS_PER_S)
#define TURNS_A_MOMENT 20000 /* more without time moving is a busy loop */
#define LOOK_AGAIN_NS  NS_PER_S
#define QUIET_NS       (12 * 60 * NS_PER_S) /* longer than the longest back-off of a hold */
#define QUIET_TRIES    4
#define DIAG_STAMP     21 /* "2023-11-14T22:13:34Z " */
#define DELAY_MAX_NS   (4 * NS_PER_S)

void world_say_line(const struct world *w, const char *fmt, ...)
{
    char text[BOARD_LINE];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    board_line(w->board, "%10.3f %s", (double)(world_now(w) - NS_PER_S) / (double)NS_PER_S, text);
}

static void say_diag(void *arg, const char *line, size_t n)
{
    const struct world *w = arg;
    size_t skip = n > DIAG_STAMP ? DIAG_STAMP : 0; /* the line's own time */
    world_say_line(w, "  %.*s", (int)(n - skip - 1), line + skip);
}

/* ---- The plan ---- */

/* A rate that is nothing in one run of three, else at most `most` in a thousand. */
static unsigned rate(struct world *w, unsigned most)
{
    return world_chance(w, 333) ? 0 : 1 + (unsigned)world_below(w, most);
}

static void plan_rates(struct world *w, struct fake_kube_rates *r)
{
    *r = (struct fake_kube_rates){.delay_max_ns = 1 + (int64_t)world_below(w, DELAY_MAX_NS)};
    for (int i = FAKE_KUBE_REFUSED; i < FAKE_KUBE_WATCH_DROP; i++)
        r->per_mille[i] = rate(w, 25);
    r->per_mille[FAKE_KUBE_DELAY] = rate(w, 200);
    for (int i = FAKE_KUBE_WATCH_DROP; i < FAKE_KUBE_FAULTS; i++)
        r->per_mille[i] = rate(w, 40);
}

static void make_plan(struct world *w)
{
    struct sim_plan *p = &w->plan;
    p->operations = 30 + (unsigned)world_below(w, 70);
    p->crash_every = world_chance(w, 250) ? 0 : 100 + (unsigned)world_below(w, 2000);
    p->append_faults = rate(w, 6);
    p->commit_faults = rate(w, 6);
    p->trouble_every_ns = NS_PER_S + (int64_t)world_below(w, 60 * NS_PER_S);
    p->copy_crd = world_chance(w, 500);
    p->force_namespace = world_chance(w, 500);
    p->forbidden = world_chance(w, 150);
    p->prune_deselected = world_chance(w, 400);
    plan_rates(w, &p->source_rates);
    plan_rates(w, &p->destination_rates);
    world_say(w, "plan: %u operations, crash every %u turns, append faults %u, commit faults %u",
              p->operations, p->crash_every, p->append_faults, p->commit_faults);
}

/* The uid of kube-system, by which marks name the cluster. */
static void read_uid(struct fake_kube *k, char out[US_IDENTITY])
{
    AUTO(json_freep) struct json_doc *d = NULL;
    if (json_parse(fake_kube_get(k, "/namespaces//kube-system"), &d, NULL) != RC_OK)
        abort();
    struct slice uid = json_get_text(d, json_get(json_root(d), "metadata"), "uid");
    snprintf(out, US_IDENTITY, "%.*s", SLICE_ARG(uid));
}

static void begin(struct world *w, uint64_t seed, struct board *board)
{
    *w = (struct world){.board = board};
    rng_seeded_init(&w->chance, seed);
    rng_seeded_init(&w->own, seed ^ 0x1111);
    rng_seeded_init(&w->source_rng, seed ^ 0x2222);
    rng_seeded_init(&w->destination_rng, seed ^ 0x3333);
    fake_clock_init(&w->clock, START_WALL_NS);
    w->env = (struct env){.clock = &w->clock.clock, .rng = &w->own.rng};
    if (board->trace)
        w->env.diag = diag_new(w->env.clock, DIAG_TEXT, DIAG_INFO, say_diag, w);
    make_plan(w);
    w->source = fake_kube_new(w->env.clock, &w->source_rng.rng);
    w->destination = fake_kube_new(w->env.clock, &w->destination_rng.rng);
    read_uid(w->source, w->us.identity);
    read_uid(w->destination, w->destination_uid);
    fake_kube_set_aggregated_discovery(w->source, world_chance(w, 700));
    w->property = property_new();
    us_init(w);
    workload_begin(w);
    property_destination_touched(w);
    fake_kube_faults(w->source, seed ^ 0x4444, &w->plan.source_rates);
    fake_kube_faults(w->destination, seed ^ 0x5555, &w->plan.destination_rates);
    w->trouble_ns = world_now(w) + w->plan.trouble_every_ns;
    w->user_ns = world_now(w);
}

static void see_faults(struct world *w, const struct fake_kube *k)
{
    static const enum sight sights[FAKE_KUBE_FAULTS] = {
        [FAKE_KUBE_REFUSED] = SIGHT_REFUSED,
        [FAKE_KUBE_REQUEST_LOST] = SIGHT_REQUEST_LOST,
        [FAKE_KUBE_REPLY_LOST] = SIGHT_REPLY_LOST,
        [FAKE_KUBE_THROTTLED] = SIGHT_THROTTLED,
        [FAKE_KUBE_ERROR] = SIGHT_ERROR,
        [FAKE_KUBE_ERROR_DONE] = SIGHT_ERROR_DONE,
        [FAKE_KUBE_NONSENSE] = SIGHT_NONSENSE,
        [FAKE_KUBE_GONE] = SIGHT_GONE,
        [FAKE_KUBE_DELAY] = SIGHT_DELAY,
        [FAKE_KUBE_BODY_CUT] = SIGHT_BODY_CUT,
        [FAKE_KUBE_WATCH_DROP] = SIGHT_WATCH_DROP,
        [FAKE_KUBE_WATCH_CUT] = SIGHT_WATCH_CUT,
        [FAKE_KUBE_SLOW_BOOKMARK] = SIGHT_SLOW_BOOKMARK,
    };
    const struct fake_kube_counts counts = fake_kube_counts(k);
    for (int i = FAKE_KUBE_NO_FAULT + 1; i < FAKE_KUBE_FAULTS; i++)
        w->board->sights[sights[i]] += counts.struck[i];
}

static void end(struct world *w)
{
    see_faults(w, w->source);
    see_faults(w, w->destination);
    us_done(w);
    property_free(w->property);
    fake_kube_free(w->source);
    fake_kube_free(w->destination);
    diag_free(w->env.diag);
}

/* ---- Troubles ---- */

/* When a process may be there again: what the last one sent has arrived or never will. */
static int64_t after_crash(struct world *w)
{
    return world_now(w) + w->plan.destination_rates.delay_max_ns + NS_PER_MS +
           (int64_t)world_below(w, 20 * NS_PER_S);
}

static void restart_source(struct world *w)
{
    world_saw(w, SIGHT_SOURCE_RESTART);
    world_say(w, "the source restarts");
    fake_kube_restart(w->source);
}

static void restart_destination(struct world *w)
{
    world_saw(w, SIGHT_DESTINATION_RESTART);
    world_say(w, "the destination restarts");
    fake_kube_restart(w->destination);
}

static void compact(struct world *w)
{
    world_saw(w, SIGHT_COMPACTION);
    world_say(w, "the source is compacted at %lld", (long long)fake_kube_version(w->source));
    fake_kube_compact(w->source, fake_kube_version(w->source));
}

static void take_down(struct world *w)
{
    int64_t until = world_now(w) + 1 + (int64_t)world_below(w, 90 * NS_PER_S);
    bool source = world_chance(w, 500);
    world_saw(w, SIGHT_DOWN);
    world_say(w, "the %s goes down", source ? "source" : "destination");
    fake_kube_set_down(source ? w->source : w->destination, true);
    *(source ? &w->source_up_ns : &w->destination_up_ns) = until;
}

static void deny(struct world *w)
{
    world_say(w, "the source denies, or is half away");
    if (world_chance(w, 300))
        fake_kube_set_unauthorized(w->source, true);
    else if (world_chance(w, 500))
        fake_kube_set_group_stale(w->source, "example.com", true);
    else
        fake_kube_deny(w->source, "", "secrets", NULL, world_chance(w, 500) ? "watch" : NULL);
    w->repaired_ns = world_now(w) + 1 + (int64_t)world_below(w, 60 * NS_PER_S);
}

static void crash(struct world *w)
{
    world_saw(w, SIGHT_CRASH);
    us_crash(w, after_crash(w));
}

static void stop(struct world *w)
{
    world_saw(w, SIGHT_DRAIN);
    us_stop(w, after_crash(w));
}

static void (*const troubles[])(struct world *) = {
    restart_source, restart_destination, compact, compact, take_down, deny, crash,
    stop,           us_take_over,
};

static void repair(struct world *w, int64_t now)
{
    if (w->source_up_ns && w->source_up_ns <= now) {
        fake_kube_set_down(w->source, false);
        w->source_up_ns = 0;
    }
    if (w->destination_up_ns && w->destination_up_ns <= now) {
        fake_kube_set_down(w->destination, false);
        w->destination_up_ns = 0;
    }
    if (w->repaired_ns && w->repaired_ns <= now) {
        fake_kube_allow(w->source);
        fake_kube_set_unauthorized(w->source, false);
        fake_kube_set_group_stale(w->source, "example.com", false);
        w->repaired_ns = 0;
    }
}

/* The time until the next thing that a user does: often at once, sometimes long. */
static int64_t user_pause(struct world *w)
{
    static const int64_t most[] = {NS_PER_MS,    20 * NS_PER_MS, 2 * NS_PER_S,
                                   2 * NS_PER_S, 20 * NS_PER_S,  300 * NS_PER_S};
    uint64_t kind = world_below(w, 40);
    return (int64_t)world_below(w, (uint64_t)most[kind < 6 ? kind : kind % 4]);
}

static void happen(struct world *w)
{
    int64_t now = world_now(w);
    repair(w, now);
    if (w->user_ns <= now && w->plan.operations) {
        w->plan.operations--;
        property_look(w); /* what arrived meanwhile is ours */
        workload_act(w);
        property_destination_touched(w);
        w->user_ns = now + user_pause(w);
    }
    if (w->trouble_ns <= now) {
        troubles[world_below(w, sizeof troubles / sizeof *troubles)](w);
        w->trouble_ns = now + 1 + (int64_t)world_below(w, (uint64_t)w->plan.trouble_every_ns * 2);
    }
    if (w->plan.crash_every && world_below(w, w->plan.crash_every) == 0)
        crash(w);
    if (world_chance(w, w->plan.append_faults))
        us_fail_append(w, world_chance(w, 500), world_chance(w, 300));
    if (world_chance(w, w->plan.commit_faults))
        us_fail_commit(w, world_chance(w, 500));
}

/* ---- Turns ---- */

static void earlier(int64_t *a, int64_t b)
{
    *a = b < *a ? b : *a;
}

/* The process whose log was taken steps on until it is told. */
static bool step_old(struct world *w, int64_t *wake)
{
    struct us_intake *old = &w->us.old;
    struct rlog_bounds before, after;
    struct err e = ERR_INIT;
    int64_t at = INT64_MAX;
    if (!old->ingest || rlog_bounds(w->us.reader, &before, &e) != RC_OK)
        return false;
    enum rc rc = ingest_step(old->ingest, &at, &e);
    if (rlog_bounds(w->us.reader, &after, &e) != RC_OK || after.next != before.next ||
        memcmp(after.chain, before.chain, sizeof after.chain) != 0)
        board_fail(w->board, "I9", "a writer whose epoch is stale changed the log");
    if (rc >= 0) {
        earlier(wake, at);
        return rc == RC_OK;
    }
    if (rc != RC_CONFLICT && rc != RC_IO)
        board_fail(w->board, "I9", "the stale writer was told %s: %s", rc_name(rc), e.msg);
    world_saw(w, SIGHT_FENCED);
    ingest_close(old->ingest);
    producer_close(old->producer);
    rlog_close(old->log);
    *old = (struct us_intake){0};
    return true;
}

static bool step_some(struct world *w, bool intake, int64_t *wake)
{
    int64_t at = INT64_MAX;
    bool any = false;
    for (uint64_t n = 1 + world_below(w, 3); n > 0; n--) {
        enum rc rc = intake ? us_step_intake(w, &at) : us_step_member(w, &at);
        property_look(w);
        if (rc != RC_OK) {
            earlier(wake, at);
            break;
        }
        any = true;
    }
    return any;
}

/* What a server holds ready now and nobody takes is looked at again in a while. */
static void server_wake(struct world *w, struct fake_kube *k, int64_t *wake)
{
    int64_t at = fake_kube_wake(k), now = world_now(w);
    earlier(wake, at > now ? at : now + LOOK_AGAIN_NS);
}

static void advance(struct world *w, int64_t wake)
{
    int64_t now = world_now(w);
    server_wake(w, w->source, &wake);
    server_wake(w, w->destination, &wake);
    if (!w->healing) {
        earlier(&wake, w->trouble_ns);
        if (w->plan.operations)
            earlier(&wake, w->user_ns);
    }
    int64_t ups[] = {w->source_up_ns, w->destination_up_ns, w->repaired_ns};
    for (size_t i = 0; i < sizeof ups / sizeof *ups; i++)
        if (ups[i])
            earlier(&wake, ups[i]);
    fake_clock_advance(&w->clock, wake > now ? wake - now : NS_PER_MS);
    fake_kube_run(w->source);
    fake_kube_run(w->destination);
}

/* One turn; time moves only when nobody could do anything. */
static bool turn(struct world *w, int64_t limit_ns)
{
    int64_t wake = limit_ns;
    bool intake_first = world_chance(w, 500);
    bool any = step_some(w, intake_first, &wake);
    any |= step_some(w, !intake_first, &wake);
    any |= step_old(w, &wake);
    if (!any)
        advance(w, wake);
    return any;
}

static void run_until(struct world *w, int64_t limit_ns)
{
    unsigned busy = 0;
    int64_t moment = world_now(w);
    while (!w->board->failed && world_now(w) < limit_ns && (w->healing || w->plan.operations > 0)) {
        if (!w->healing)
            happen(w);
        turn(w, limit_ns);
        busy = world_now(w) == moment ? busy + 1 : 0;
        moment = world_now(w);
        if (busy > TURNS_A_MOMENT)
            board_fail(w->board, "busy", "%u turns at one moment of time", busy);
    }
}

/* ---- The end ---- */

static void heal(struct world *w)
{
    world_say(w, "healing");
    w->healing = true;
    fake_kube_faults(w->source, 0, NULL);
    fake_kube_faults(w->destination, 0, NULL);
    repair(w, INT64_MAX);
    property_look(w);
    workload_heal(w);
    property_destination_touched(w);
    us_disarm(w);
    if (world_chance(
            w, 500)) /* what memory alone knows must not be needed; nor may it be in the way */
        us_crash(w, after_crash(w));
}

bool world_run(uint64_t seed, struct board *board)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    begin(w, seed, board);
    run_until(w, INT64_MAX);
    if (!board->failed)
        heal(w);
    for (int i = 1; i <= QUIET_TRIES && !board->failed; i++) {
        run_until(w, world_now(w) + QUIET_NS);
        property_look(w);
        if (!board->failed && property_converged(w, i == QUIET_TRIES))
            break;
        workload_heal(w); /* what was being deleted could not be made before */
        property_destination_touched(w);
    }
    end(w);
    free(w);
    return !board->failed;
}

/* The runs of a Synchronization or a SynchronizationPlan: each opens sink and pump, goes its turn and closes them. The
 * log goes on meanwhile, so what happened between two runs is history, too. */
#include "controller/member_priv.h"

#include "controller/once_board.h"
#include "controller/resource.h"
#include "controller/run_log.h"
#include "controller/runtime.h"
#include "controller/source_board.h"
#include "controller/turn.h"
#include "controller/wiring.h"
#include "core/backoff.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/digest.h"
#include "core/json.h"
#include "log/ckpt.h"
#include "sinks/sink.h"

#include <stdio.h>
#include <string.h>

#define LOOK_EVERY_NS (20 * NS_PER_MS) /* at how far a turn is */
#define RETRY_FIRST_NS                                                                             \
    (20 * NS_PER_S) /* after a run that failed, where restartPolicy says so: as a Job does */
#define RETRY_MAX_NS (360 * NS_PER_S)
#define RETRIES      6

/* What is to be run, and where it is. */
struct course {
    struct schedule_state schedule; /* of a plan */
    int64_t looked_s;               /* when that was looked at last */
    bool ran;                       /* a Synchronization: this very text has had its run */
    struct backoff retry;
    int64_t retry_ns; /* boot clock; 0: no other try is due */
};

/* One run under way. */
struct attempt {
    struct run run;
    struct turn turn;
    uint64_t listing; /* the number on the source's board */
    bool listed;
    char unread[RUN_MESSAGE_MAX]; /* what that listing could not tell of; empty: it told all */
    bool replaced;
    int64_t look_ns; /* boot clock */
};

static int64_t wall_s(const struct member *m)
{
    return clock_wall_ns(m->env.clock) / NS_PER_S;
}

/* ---- What the checkpoint remembers ---- */

static void spec_of(const struct sync *sync, char ret[RUN_SPEC_HEX + 1])
{
    hex_encode(sync->digest, RUN_SPEC_HEX / 2, ret);
}

enum rc member_read_runs(struct member *m, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(CKPT_VALUE_MAX);
    AUTO(json_freep) struct json_doc *doc = NULL;
    struct ckpt_head head;
    struct err why = ERR_INIT;
    enum rc rc = ckpt_load(m->ckpt, slice_str(m->opts.sync->full_name), &head, NULL, &text, &why);
    if (rc == RC_OK && text.n > 0)
        rc = json_parse_view(buf_slice(&text), &doc, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    struct sync_runs *runs = calloc(1, sizeof *runs);
    if (!runs)
        return err_nomem(e);
    if (doc)
        sync_runs_read(runs, doc, json_root(doc));
    free(m->runs);
    m->runs = runs;
    return RC_OK;
}

static const struct run *last_run(const struct member *m)
{
    return m->runs->log.n ? &m->runs->log.runs[m->runs->log.n - 1] : NULL;
}

/* Tells who waits for all Synchronizations. */
static enum rc tell_end(struct member *m, struct err *e)
{
    const struct run *last = last_run(m);
    bool succeeded = last && last->result == RUN_SUCCEEDED;
    return m->opts.plan ? RC_OK : once_board_set(m->opts.ended, m->opts.sync, succeeded, e);
}

/* ---- The end of a run ---- */

static size_t keep_of(const struct member *m, bool succeeded)
{
    const struct plan *p = m->opts.plan;
    return !p ? 1 : (size_t)(succeeded ? p->keep_succeeded : p->keep_failed);
}

static void say_end(const struct member *m, const struct run *run)
{
    bool good = run->result == RUN_SUCCEEDED;
    DIAG(m->env.diag, good ? DIAG_INFO : DIAG_ERROR,
         good ? "the run is over" : "the run is over, not all is done",
         DIAG_S("result", slice_str(run_result_name(run->result))),
         DIAG_S("reason", slice_str(run->message)));
}

static void record(struct member *m, struct run *run)
{
    run->ended_ns = clock_wall_ns(m->env.clock);
    run_log_add(&m->runs->log, run, keep_of(m, true), keep_of(m, false));
    spec_of(m->opts.sync, m->runs->spec);
    say_end(m, run);
}

/* Of a plan whose run did not even begin. */
static void record_unbegun(struct member *m, int64_t due_s, enum run_result result, const char *why)
{
    struct run run = {.result = result, .due_s = due_s};
    snprintf(run.message, sizeof run.message, "%s", why);
    record(m, &run);
}

static void judge(const struct member *m, struct attempt *a, enum rc rc, const struct err *why)
{
    struct source_report source;
    const struct pump_status *p = &a->turn.last;
    char *text = a->run.message;
    a->run.result = RUN_FAILED;
    if (a->replaced) {
        a->run.result = RUN_REPLACED;
        snprintf(text, RUN_MESSAGE_MAX, "the next run was due before it was over");
    } else if (rc < 0)
        snprintf(text, RUN_MESSAGE_MAX, "%.199s", why->msg);
    else if (turn_succeeded(&a->turn) && !a->unread[0])
        a->run.result = RUN_SUCCEEDED;
    else if (turn_succeeded(&a->turn))
        snprintf(text, RUN_MESSAGE_MAX, "not all of the source was read: %.160s", a->unread);
    else if (a->turn.cut_off) {
        source_board_get(m->opts.source, &source);
        snprintf(text, RUN_MESSAGE_MAX, "no answer for a minute: %.170s",
                 source.connected  ? a->turn.last.error
                 : source.error[0] ? source.error
                                   : "the source");
    } else
        snprintf(text, RUN_MESSAGE_MAX,
                 "%zu held, %zu waiting, %zu removals that wait for approval: see resilog holds ls",
                 p->held, p->waiting, p->prune_held);
}

static enum sync_phase phase_at_rest(const struct member *m)
{
    const struct run *last = last_run(m);
    if (m->opts.plan)
        return m->opts.plan->schedule.suspend ? PHASE_SUSPENDED : PHASE_SCHEDULED;
    if (!last)
        return PHASE_PENDING;
    return last->result == RUN_SUCCEEDED ? PHASE_SUCCEEDED : PHASE_FAILED;
}

/* As its restartPolicy says, and a text that was changed meanwhile counts from the start. */
static void plan_retry(struct member *m, struct course *c, const struct run *run)
{
    bool again = run->result == RUN_FAILED && m->opts.sync->restart != RESTART_NEVER &&
                 c->retry.attempts < RETRIES;
    c->retry_ns = again ? member_boot_ns(m) + backoff_next_ns(&c->retry, m->env.rng) : 0;
    if (run->result == RUN_SUCCEEDED)
        backoff_reset(&c->retry);
}

static enum rc end_attempt(struct member *m, struct course *c, struct attempt *a, enum rc rc,
                           const struct err *why, struct err *e)
{
    struct err unkept = ERR_INIT;
    if (rc == RC_END && pump_commit(m->pump, SLICE_NULL, &unkept) != RC_OK) {
        rc = unkept.rc;
        why = &unkept;
    }
    judge(m, a, rc, why);
    if (rc < 0)
        member_close(m); /* what is not committed is not committed any more */
    record(m, &a->run);
    c->ran = !m->opts.plan;
    /* What replaces it is decided about once that is over, too. */
    if (!a->replaced)
        m->runs->decided_s = c->schedule.last_s;
    else if (a->run.due_s)
        m->runs->decided_s = a->run.due_s;
    plan_retry(m, c, &a->run);
    rc = m->ckpt ? RC_OK : m->opts.wiring->open_ckpt(m->opts.wiring->arg, &m->ckpt, e);
    if (rc == RC_OK)
        rc = member_write_status(m, phase_at_rest(m), NULL, e);
    if (rc == RC_OK && !c->retry_ns)
        rc = tell_end(m, e);
    member_close(m);
    return rc;
}

/* ---- A run ---- */

/* Decides about what of the plan is due by now: true where a run is to begin. */
static bool look_at_schedule(struct member *m, struct course *c, bool running, int64_t *ret_due_s)
{
    int64_t due = 0, next, now_s = wall_s(m);
    *ret_due_s = 0;
    if (now_s == c->looked_s && running == c->schedule.running)
        return false; /* nothing becomes due within a second */
    c->looked_s = now_s;
    c->schedule.running = running;
    enum schedule_act act =
        schedule_look(&m->opts.plan->schedule, now_s, &c->schedule, &due, &next);
    m->runs->next_s = next == INT64_MAX || m->opts.plan->schedule.suspend ? 0 : next;
    if (act == SCHEDULE_MISSED)
        record_unbegun(m, due, RUN_MISSED, "it could not begin within startingDeadlineSeconds");
    if (act == SCHEDULE_SKIP)
        DIAG(m->env.diag, DIAG_INFO,
             "a run is left out, because the one before it goes on (concurrencyPolicy Forbid)");
    bool begins = act == SCHEDULE_START || act == SCHEDULE_REPLACE;
    *ret_due_s = begins ? due : 0;
    if (!running && !begins)
        m->runs->decided_s = c->schedule.last_s;
    return begins;
}

static enum turn_want step_turn(struct member *m, struct attempt *a)
{
    struct pump_status pump;
    struct sink_status sink;
    struct source_report source;
    struct turn_input in = {.now_ns = member_boot_ns(m), .pump = &pump};
    pump_status(m->pump, &pump);
    sink_status(m->sink, &sink);
    in.listed = source_board_listed(m->opts.source, a->listing, &in.listed_to);
    source_board_get(m->opts.source, &source);
    in.connected = source.connected && sink.connected;
    if (in.listed && !a->listed)
        source_board_unread(m->opts.source, m->opts.sync->replication.entries[0].root, a->unread,
                            sizeof a->unread);
    a->listed = in.listed;
    return turn_step(&a->turn, &in);
}

/* RC_END: it is over. */
static enum rc go_on(struct member *m, struct course *c, struct attempt *a, int64_t *ret_due_s,
                     struct err *e)
{
    a->look_ns = member_boot_ns(m) + LOOK_EVERY_NS;
    enum rc rc = member_step(m, a->look_ns, e);
    if (rc >= 0)
        rc = member_refresh_status(m, PHASE_LIVE, e);
    if (rc >= 0)
        rc = member_obey(m, e);
    if (rc < 0)
        return rc;
    a->replaced = m->opts.plan && look_at_schedule(m, c, /* running= */ true, ret_due_s);
    if (a->replaced)
        return RC_END;
    switch (step_turn(m, a)) {
    case TURN_LOOK:
        pump_compare_now(m->pump, UINT64_MAX);
        break;
    case TURN_COMPARE:
        pump_compare_upto(m->pump, a->turn.target);
        break;
    case TURN_DONE:
        return RC_END;
    case TURN_GO_ON:
        break;
    }
    return RC_OK;
}

/* Runs until it is over, or asked to stop: then nothing is recorded, and the next life runs it. *ret_due_s: when the one
 * that replaces it was due; 0: none does. */
static enum rc take_turn(struct member *m, struct course *c, int64_t due_s, int64_t *ret_due_s,
                         struct err *e)
{
    struct attempt a = {.run = {.due_s = due_s, .started_ns = clock_wall_ns(m->env.clock)},
                        .listing = source_board_ask(m->opts.source)};
    struct err why = ERR_INIT;
    int64_t next_due = 0;
    DIAG(m->env.diag, DIAG_INFO, "the run begins");
    if (due_s > 0)
        backoff_reset(&c->retry);
    m->give_up_ns = member_boot_ns(m) + TURN_PATIENCE_NS;
    enum rc rc = member_open(m, &why);
    turn_begin(&a.turn, member_boot_ns(m)); /* now that the source has said who it is */
    while (rc >= 0 && rc != RC_END && !worker_stopping(&m->worker))
        rc = go_on(m, c, &a, &next_due, &why);
    *ret_due_s = a.replaced ? next_due : 0;
    if (rc < 0 || rc == RC_END)
        return end_attempt(m, c, &a, rc, &why, e);
    return RC_OK;
}

/* ---- From run to run ---- */

/* The boot time at which there is something to decide again. */
static int64_t wake_at(const struct member *m, const struct course *c)
{
    int64_t at = m->status_due_ns;
    int64_t next =
        m->runs->next_s ? member_boot_ns(m) + (m->runs->next_s - wall_s(m)) * NS_PER_S : INT64_MAX;
    if (c->retry_ns && c->retry_ns < at)
        at = c->retry_ns;
    return next < at ? next : at;
}

/* Woken by orders, by the log, and by time. */
static enum rc rest(struct member *m, const struct course *c, struct err *e)
{
    enum rc rc = m->ckpt ? RC_OK : m->opts.wiring->open_ckpt(m->opts.wiring->arg, &m->ckpt, e);
    if (rc == RC_OK && (member_boot_ns(m) >= m->status_due_ns || m->said.phase != phase_at_rest(m)))
        rc = member_write_status(m, phase_at_rest(m), NULL, e);
    if (rc == RC_OK)
        rc = member_obey(m, e);
    int64_t left = rc == RC_OK ? wake_at(m, c) - member_boot_ns(m) : 0;
    if (left > 0)
        worker_rest(&m->worker, left);
    return rc;
}

/* True where a run is to begin now. */
static bool is_due(struct member *m, struct course *c, int64_t *ret_due_s)
{
    *ret_due_s = 0;
    if (c->retry_ns && member_boot_ns(m) >= c->retry_ns) {
        c->retry_ns = 0;
        return true;
    }
    return m->opts.plan ? look_at_schedule(m, c, /* running= */ false, ret_due_s) : !c->ran;
}

static enum rc begin_course(struct member *m, struct course *c, struct err *e)
{
    char spec[RUN_SPEC_HEX + 1];
    *c = (struct course){.retry = {RETRY_FIRST_NS, RETRY_MAX_NS, 0}};
    enum rc rc = m->ckpt ? RC_OK : m->opts.wiring->open_ckpt(m->opts.wiring->arg, &m->ckpt, e);
    if (rc == RC_OK)
        rc = member_read_runs(m, e);
    if (rc < 0)
        return rc;
    if (m->opts.plan && m->runs->decided_s == 0)
        m->runs->decided_s = wall_s(m);
    c->schedule.last_s = m->runs->decided_s;
    spec_of(m->opts.sync, spec);
    const struct run *last = last_run(m);
    bool tried = last && (last->result == RUN_SUCCEEDED || m->opts.sync->restart == RESTART_NEVER);
    c->ran = !m->opts.plan && tried && strcmp(spec, m->runs->spec) == 0 &&
             last->started_ns >= m->opts.not_before_ns;
    if (m->opts.plan && !m->opts.plan->schedule.suspend && last)
        plan_retry(m, c, last);
    return c->ran ? tell_end(m, e) : RC_OK;
}

enum rc member_run_turns(struct member *m, struct err *e)
{
    struct course c;
    int64_t due = 0;
    enum rc rc = begin_course(m, &c, e);
    while (rc >= 0 && !worker_stopping(&m->worker)) {
        bool again = due > 0 || is_due(m, &c, &due);
        rc = again ? take_turn(m, &c, due, &due, e) : rest(m, &c, e);
    }
    if (rc >= 0 && m->pump)
        rc = member_drain(m, e);
    else if (rc >= 0 && m->opts.plan && m->ckpt)
        rc = member_write_status(m, PHASE_STOPPED, NULL, e);
    return rc;
}

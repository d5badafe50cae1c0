/* A synchronization's thread. It owns its checkpoint store, sink and pump; the log is the group's.
 * Whatever fails is closed and opened again after a back-off, with the reason in the status
 * meanwhile. It waits in one place, inside the sink, with its eventfd as further descriptor. */
#include "controller/member_priv.h"

#include "controller/once_board.h"
#include "controller/order_board.h"
#include "controller/resource.h"
#include "controller/runtime.h"
#include "controller/source_board.h"
#include "controller/speaker.h"
#include "controller/wiring.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "flow/pump_rows.h"
#include "log/ckpt.h"
#include "log/rlog.h"
#include "sinks/sink.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_EVERY_NS    (NS_PER_S / 2) /* for news to be written to the status */
#define STATUS_MAX       (64u << 10)
#define IDENTITY_POLL_NS NS_PER_S

/* A suspended one does not care. */
void member_wake(struct member *m)
{
    if (!m->opts.sync->suspend)
        worker_wake(&m->worker);
}

static void wake_for_order(void *arg)
{
    struct member *m = arg;
    worker_wake(&m->worker);
}

/* ---- Status ---- */

/* Writes a status where there is no pump: the head stays as it is. */
static enum rc commit_status(struct ckpt *ckpt, const struct sync *sync, struct slice status,
                             struct err *e)
{
    struct slice name = slice_str(sync->full_name);
    struct ckpt_commit what = {.status = status, .head = {.generation = 0, .offset = 1}};
    struct err why = ERR_INIT;
    enum rc rc = ckpt_load(ckpt, name, &what.head, NULL, NULL, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    return ckpt_commit(ckpt, name, &what, e);
}

/* Where there is no pump: what the checkpoint and the log hold. What cannot be read stays unknown. */
static void look_at_rest(const struct member *m, struct pump_status *ret)
{
    struct slice name = slice_str(m->opts.sync->full_name);
    AUTO(rows_freep) struct rows *rows = NULL;
    struct rows_counts counts;
    struct ckpt_head head;
    struct rlog_bounds bounds;
    struct err ignored = ERR_INIT;
    bool known = ckpt_load(m->ckpt, name, &head, NULL, NULL, &ignored) == RC_OK;
    ret->offset = known ? head.offset : 1;
    if (m->opts.log && rlog_bounds(m->opts.log, &bounds, &ignored) == RC_OK)
        ret->head = bounds.next;
    ret->lag_records = ret->head > ret->offset ? ret->head - ret->offset : 0;
    if (rows_open(m->ckpt, name, &rows, &ignored) != RC_OK)
        return;
    rows_count(rows, &counts);
    ret->held = counts.held;
    ret->waiting = counts.waiting;
    ret->prune_held = counts.prune;
    ret->skipped = counts.skipped;
    ret->deselected = counts.deselected;
}

static void gather_status(struct member *m, enum sync_phase phase, const struct err *why,
                          struct sync_status *ret)
{
    *ret = (struct sync_status){.phase = phase, .now_ns = clock_wall_ns(m->env.clock)};
    source_board_get(m->opts.source, &ret->source);
    if (m->pump) {
        pump_status(m->pump, &ret->pump);
        sink_status(m->sink, &ret->sink);
    } else
        look_at_rest(m, &ret->pump);
    if (m->pump && phase == PHASE_LIVE)
        ret->phase = sync_phase_of(&ret->source, &ret->pump, ret->sink.connected);
    ret->runs = m->runs;
    if (why)
        snprintf(ret->error, sizeof ret->error, "%.399s", why->msg);
}

static enum rc put_status(struct member *m, const struct sync_status *s, struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(STATUS_MAX);
    sync_status_print(m->opts.sync, s, &text);
    enum rc rc = buf_check(&text, "status", e);
    if (rc == RC_OK)
        rc = m->pump ? pump_commit(m->pump, buf_slice(&text), e)
                     : commit_status(m->ckpt, m->opts.sync, buf_slice(&text), e);
    if (rc < 0)
        return rc;
    m->said = *s;
    m->status_due_ns = member_boot_ns(m) + STATUS_EVERY_NS;
    return RC_OK;
}

enum rc member_write_status(struct member *m, enum sync_phase phase, const struct err *why,
                            struct err *e)
{
    struct sync_status s;
    gather_status(m, phase, why, &s);
    return put_status(m, &s, e);
}

static bool is_news(const struct sync_status *a, const struct sync_status *b)
{
    return a->phase != b->phase || a->pump.offset != b->pump.offset ||
           a->pump.held != b->pump.held || a->pump.waiting != b->pump.waiting ||
           a->pump.prune_held != b->pump.prune_held || a->pump.skipped != b->pump.skipped ||
           a->pump.deselected != b->pump.deselected || strcmp(a->error, b->error) != 0 ||
           strcmp(a->pump.error, b->pump.error) != 0 ||
           strcmp(a->source.error, b->source.error) != 0;
}

enum rc member_refresh_status(struct member *m, enum sync_phase phase, struct err *e)
{
    int64_t now = member_boot_ns(m);
    struct sync_status s;
    if (now < m->look_due_ns)
        return RC_OK;
    m->look_due_ns = now + LOOK_EVERY_NS;
    gather_status(m, phase, NULL, &s);
    return is_news(&m->said, &s) || now >= m->status_due_ns ? put_status(m, &s, e) : RC_OK;
}

static void say_status_trouble(const struct member *m, const struct err *e)
{
    diag_error(m->env.diag, DIAG_WARN, "status cannot be written", e);
}

/* Of a board on which nothing is asked. */
static void nobody(void *arg)
{
    (void)arg;
}

void member_note_failure(const struct sync *sync, const struct wiring *wiring,
                         const struct env *env, const struct source_report *source,
                         const struct err *why)
{
    struct member m = {.opts = {.sync = sync, .wiring = wiring}, .env = *env};
    struct err e = ERR_INIT;
    AUTO(diag_freep) struct diag *processor = NULL;
    m.opts.source = source_board_new(nobody, NULL);
    if (!m.opts.source)
        return;
    if (speaker_bind(env->diag, SPEAKER_PROCESSOR, NULL, sync, &processor, &e) == RC_OK)
        m.env.diag = processor;
    source_board_set(m.opts.source, source);
    enum sync_phase phase = sync->suspend ? PHASE_SUSPENDED : why ? PHASE_FAILED : PHASE_PENDING;
    /* What is known of runs stands in the status that is written over. */
    if (wiring->open_ckpt(wiring->arg, &m.ckpt, &e) < 0 ||
        (sync->once && member_read_runs(&m, &e) < 0) || member_write_status(&m, phase, why, &e) < 0)
        say_status_trouble(&m, &e);
    ckpt_close(m.ckpt);
    free(m.runs);
    source_board_free(m.opts.source);
}

void member_give_up(const struct member_opts *opts)
{
    struct err e = ERR_INIT;
    if (opts->not_before_ns && !opts->plan &&
        once_board_set(opts->ended, opts->sync, false, &e) < 0)
        diag_error(opts->env->diag, DIAG_WARN, "the end of a run cannot be told", &e);
}

/* ---- Orders ---- */

enum rc member_obey(struct member *m, struct err *e)
{
    struct order order;
    struct order_answer answer = {.at_rest = !m->pump};
    bool broken = false;
    if (!order_board_take(m->opts.orders, m->opts.sync->full_name, &order))
        return RC_OK;
    const struct hold_order what = {order.act, slice_str(order.key)};
    enum rc rc =
        m->pump ? pump_order(m->pump, &what, &answer.n, &broken, &answer.e)
                : hold_order_at_rest(m->ckpt, slice_str(order.sync), &what, &answer.n, &answer.e);
    order_board_answer(m->opts.orders, &answer);
    m->status_due_ns = 0; /* what it changed is told soon */
    if (!broken)
        return RC_OK;
    *e = answer.e;
    return rc;
}

/* ---- Opening ---- */

/* The source's identity from the log: RC_AGAIN while it is not there. */
static enum rc find_identity(struct member *m, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = source_identity_load(m->opts.log, &m->source, &why);
    if (rc == RC_NOTFOUND)
        return RC_AGAIN;
    if (rc < 0)
        *e = why;
    return rc;
}

static enum rc no_identity(const struct member *m, struct err *e)
{
    struct source_report r;
    source_board_get(m->opts.source, &r);
    return err_set(e, RC_UNAVAILABLE, ERR_RETRY, "the source did not answer in time%s%.300s",
                   r.error[0] ? ": " : "", r.error);
}

static enum rc wait_for_identity(struct member *m, struct err *e)
{
    enum rc rc;
    while ((rc = find_identity(m, e)) == RC_AGAIN && !worker_stopping(&m->worker)) {
        rc = member_refresh_status(m, PHASE_PENDING, e);
        if (rc >= 0)
            rc = member_obey(m, e);
        if (rc == RC_OK && m->give_up_ns && member_boot_ns(m) >= m->give_up_ns)
            rc = no_identity(m, e);
        if (rc < 0)
            return rc;
        worker_rest(&m->worker, IDENTITY_POLL_NS);
    }
    return rc;
}

void member_close(struct member *m)
{
    pump_close(m->pump);
    sink_close(m->sink);
    ckpt_close(m->ckpt);
    source_identity_done(&m->source);
    m->pump = NULL;
    m->sink = NULL;
    m->ckpt = NULL;
}

/* The sink is told which destination the checkpoint knows. */
static enum rc open_sink(struct member *m, struct err *e)
{
    const struct wiring *w = m->opts.wiring;
    AUTO(buf_done) struct buf memory = BUF_INIT(CKPT_VALUE_MAX);
    struct binding noted;
    enum rc rc = binding_load(m->ckpt, slice_str(m->opts.sync->full_name), &memory, &noted, e);
    const struct identities who = {m->source.identity, noted.destination, m->source.former,
                                   m->source.n_former};
    return rc == RC_OK ? w->open_sink(w->arg, m->opts.sync, &who, &m->sink_env, &m->sink, e) : rc;
}

enum rc member_open(struct member *m, struct err *e)
{
    const struct wiring *w = m->opts.wiring;
    enum rc rc = m->ckpt ? RC_OK : w->open_ckpt(w->arg, &m->ckpt, e);
    if (rc == RC_OK)
        rc = wait_for_identity(m, e);
    if (rc == RC_OK)
        rc = open_sink(m, e);
    if (rc != RC_OK)
        return rc;
    struct pump_opts opts = {.log = m->opts.log,
                             .ckpt = m->ckpt,
                             .sink = m->sink,
                             .replication = &m->opts.sync->replication,
                             .source = m->source.identity,
                             .former = &m->source,
                             .prune_until_ns = m->opts.prune_until_ns,
                             .reconciler = m->reconciler};
    return pump_open(&opts, &m->env, &m->pump, e);
}

/* ---- Running ---- */

enum rc member_step(struct member *m, int64_t limit_ns, struct err *e)
{
    int64_t wake;
    enum rc rc = pump_step(m->pump, &wake, e);
    if (rc != RC_AGAIN)
        return rc;
    if (wake > limit_ns)
        wake = limit_ns;
    int64_t timeout = wake - member_boot_ns(m);
    rc = sink_wait(m->sink, m->worker.wake_fd, timeout > 0 ? timeout : 0, e);
    worker_clear(&m->worker);
    return rc;
}

static bool destination_answers(const struct member *m)
{
    struct sink_status s;
    sink_status(m->sink, &s);
    return s.connected;
}

/* What a destination that is away has in flight is decided again by the next life: nobody has to wait for it. */
enum rc member_drain(struct member *m, struct err *e)
{
    int64_t until = member_boot_ns(m) + RUNTIME_DRAIN_NS;
    enum rc rc = RC_OK;
    pump_drain(m->pump);
    while (rc >= 0 && !pump_idle(m->pump) && destination_answers(m) && member_boot_ns(m) < until)
        rc = member_step(m, until, e);
    return rc < 0 ? rc : member_write_status(m, PHASE_STOPPED, NULL, e);
}

static enum rc run(struct member *m, struct err *e)
{
    enum rc rc = member_open(m, e);
    while (rc >= 0 && !worker_stopping(&m->worker)) {
        rc = member_step(m, m->look_due_ns, e);
        if (rc >= 0)
            rc = member_refresh_status(m, PHASE_LIVE, e);
        if (rc >= 0)
            rc = member_obey(m, e);
    }
    if (rc < 0)
        return rc;
    return m->pump ? member_drain(m, e) : member_write_status(m, PHASE_STOPPED, NULL, e);
}

/* A suspended synchronization only says so. */
static enum rc run_suspended(struct member *m, struct err *e)
{
    const struct wiring *w = m->opts.wiring;
    enum rc rc = w->open_ckpt(w->arg, &m->ckpt, e);
    m->status_due_ns = 0;
    while (rc >= 0 && !worker_stopping(&m->worker)) {
        int64_t left = m->status_due_ns - member_boot_ns(m);
        if (left > 0)
            worker_rest(&m->worker, left);
        else
            rc = member_write_status(m, PHASE_SUSPENDED, NULL, e);
        if (rc >= 0)
            rc = member_obey(m, e);
    }
    return rc;
}

static enum rc member_run(void *arg, struct err *e)
{
    struct member *m = arg;
    bool once = m->opts.sync->once || m->opts.plan;
    enum rc rc = once                    ? member_run_turns(m, e)
                 : m->opts.sync->suspend ? run_suspended(m, e)
                                         : run(m, e);
    if (rc >= 0)
        member_close(m);
    return rc;
}

static void member_failed(void *arg, const struct err *why)
{
    struct member *m = arg;
    diag_error(m->env.diag, DIAG_ERROR, "synchronization stopped, it is tried again", why);
    struct err e = ERR_INIT;
    pump_close(m->pump);
    m->pump = NULL;
    if (m->ckpt && member_write_status(m, PHASE_FAILED, why, &e) < 0)
        say_status_trouble(m, &e);
    member_close(m);
    member_give_up(&m->opts);
}

/* ---- Life ---- */

static enum rc bind_speakers(struct member *m, struct err *e)
{
    struct diag *d = m->opts.env->diag;
    const struct sync *sync = m->opts.sync;
    enum rc rc = speaker_bind(d, SPEAKER_PROCESSOR, NULL, sync, &m->processor, e);
    if (rc == RC_OK)
        rc = speaker_bind(d, SPEAKER_SYNCHRONIZER, NULL, sync, &m->synchronizer, e);
    if (rc == RC_OK)
        rc = speaker_bind(d, SPEAKER_RECONCILER, NULL, sync, &m->reconciler, e);
    m->env = m->sink_env = *m->opts.env;
    m->env.diag = m->processor;
    m->sink_env.diag = m->synchronizer;
    return rc;
}

enum rc member_start(const struct member_opts *opts, struct member **ret, struct err *e)
{
    static const struct worker_job job = {member_run, member_failed};
    struct member *m = calloc(1, sizeof *m);
    if (!m)
        return err_nomem(e);
    m->opts = *opts;
    worker_init(&m->worker, &job, m, &m->env);
    enum rc rc = bind_speakers(m, e);
    if (rc == RC_OK && worker_start(&m->worker, e) < 0)
        rc = err_wrap(e, "synchronization %s", opts->sync->full_name);
    if (rc < 0) {
        member_stop(m);
        return rc;
    }
    m->watcher =
        (struct order_watcher){.sync = opts->sync->full_name, .wake = wake_for_order, .arg = m};
    order_board_watch(opts->orders, &m->watcher);
    *ret = m;
    return RC_OK;
}

void member_ask_stop(struct member *m)
{
    worker_ask_stop(&m->worker);
}

void member_stop(struct member *m)
{
    if (!m)
        return;
    order_board_unwatch(m->opts.orders, &m->watcher);
    worker_done(&m->worker);
    free(m->runs);
    diag_free(m->processor);
    diag_free(m->synchronizer);
    diag_free(m->reconciler);
    free(m);
}

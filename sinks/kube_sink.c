/* The Kubernetes sink: sends the requests of many writes at once and waits for the destination where it does not
 * answer.
 *
 * Keeps a slot an item, from submit until its result was taken; so memory is bounded by the window (I10). How many
 * requests run at once adapts: halved by a 429 or an item's first silence, one more with each success. What nobody
 * decided is sent again after a back-off of its own, behind what waits already; after a silence the destination's
 * identity is asked before anything else (kube_link.h). Slots: FREE -> READY <-> RUNNING -> FINISHED -> TAKEN ->
 * FREE; READY -> FINISHED where no request was needed; RUNNING -> ASKING -> FINISHED. Failures: NOMEM leaves every
 * item where it was. Threads: one.
 */
#include "sinks/sink.h"

#include "core/backoff.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/compress.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/event.h"
#include "io/http.h"
#include "io/kube.h"
#include "io/kube_discovery.h"
#include "io/kube_error.h"
#include "sinks/kube_link.h"
#include "sinks/kube_record.h"
#include "sinks/kube_scan.h"
#include "sinks/kube_write.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW_DEFAULT 32u
#define WINDOW_MAX     1024u
#define FIRST_NS       (200 * NS_PER_MS)
#define MOST_NS        (30 * NS_PER_S)
#define KINDS_HOLD_NS  (30 * NS_PER_S)
#define PATIENCE       8 /* tries that decide nothing, in a row, before an item is held */
#define PATIENCE_FULL                                                                              \
    3 /* the same for silences, while such items have more than half of the slots */

enum slot_state {
    SLOT_FREE,
    SLOT_READY,
    SLOT_RUNNING,
    SLOT_ASKING, /* whether its kind is served at all */
    SLOT_FINISHED,
    SLOT_TAKEN
};

struct slot {
    enum slot_state state;
    struct kube_write *write;
    http_id id;         /* of RUNNING */
    int64_t not_before; /* of READY */
    uint64_t order;     /* of READY: when submitted; of FINISHED: when finished */
    struct backoff
        backoff;  /* of the whole item: a look that succeeds does not make a write likelier to */
    bool retried; /* it waited or was held before */
    unsigned unserved; /* tries in a row that decided nothing */
};

struct kube_sink {
    struct sink sink; /* first */
    struct http *http;
    struct env env;
    struct kube_dest dest;
    struct kube_link link;
    struct kube_scans scans;
    struct kube_discovery *kinds; /* NULL: not asked yet */
    bool asking_kinds;            /* slots are ASKING */
    int64_t kinds_until; /* boot clock: so long its result counts for kinds that are there */
    struct buf names;    /* source identity and the selected scopes, one after another */
    struct slice *selected;

    struct slot *slots;
    uint32_t n_slots;
    uint32_t window; /* requests at once, now */
    uint32_t running;
    uint64_t order;      /* last given */
    int64_t pause_until; /* the destination asked us to wait */
    char trouble[128];   /* the last answer that decided nothing; empty after one that did */
};

static struct kube_sink *of(struct sink *s)
{
    return (struct kube_sink *)s;
}

/* ---- Slots ---- */

static void free_slot(struct slot *x)
{
    kube_write_free(x->write);
    *x = (struct slot){.state = SLOT_FREE};
}

static void release_taken(struct kube_sink *k)
{
    for (uint32_t i = 0; i < k->n_slots; i++)
        if (k->slots[i].state == SLOT_TAKEN)
            free_slot(&k->slots[i]);
}

/* The slot in that state with the least order; of READY ones only those that are due. */
static struct slot *first_slot(struct kube_sink *k, enum slot_state state, int64_t now)
{
    struct slot *first = NULL;
    for (uint32_t i = 0; i < k->n_slots; i++) {
        struct slot *x = &k->slots[i];
        if (x->state == state && x->not_before <= now && (!first || x->order < first->order))
            first = x;
    }
    return first;
}

static void finish(struct kube_sink *k, struct slot *x)
{
    x->state = SLOT_FINISHED;
    x->not_before = 0;
    x->order = ++k->order;
}

static enum rc sink_submit_item(struct sink *s, const struct sink_item *item, struct err *e)
{
    struct kube_sink *k = of(s);
    release_taken(k);
    struct slot *x = first_slot(k, SLOT_FREE, INT64_MAX);
    if (!x || !k->link.up || k->link.fatal)
        return RC_AGAIN;
    struct kube_write *w;
    enum rc rc = kube_write_new(&k->dest, item, &w, e);
    if (rc != RC_OK)
        return rc;
    *x = (struct slot){
        .state = SLOT_READY,
        .write = w,
        .order = ++k->order + kube_write_order(w), /* a head start, so that nobody starves */
        .backoff = {.first_ns = FIRST_NS, .max_ns = MOST_NS},
        .retried = item->tries > 0,
    };
    if (kube_write_result(w))
        finish(k, x);
    return RC_OK;
}

static enum rc sink_take_result(struct sink *s, struct sink_result *ret, struct err *e)
{
    struct kube_sink *k = of(s);
    (void)e;
    release_taken(k);
    struct slot *x = first_slot(k, SLOT_FINISHED, INT64_MAX);
    if (!x)
        return RC_AGAIN;
    *ret = *kube_write_result(x->write);
    x->state = SLOT_TAKEN;
    return RC_OK;
}

/* ---- Kinds ---- */

static bool begin_kinds(struct kube_sink *k)
{
    struct err ignored = ERR_INIT;
    if (!k->kinds)
        k->kinds = kube_discovery_new(k->http);
    k->asking_kinds = k->kinds && kube_discovery_start(k->kinds, &ignored) == RC_OK;
    return k->asking_kinds;
}

static bool is_kind_gone(const struct kube_discovery *d, const struct kube_gvr *kind)
{
    return !kube_discovery_find(d, kind->group, SLICE_NULL, kind->resource) &&
           !kube_discovery_unreachable(d, kind->group, SLICE_NULL);
}

/* One discovery serves all deletes that need it while it runs, and for a while those that have waited before, if it still
 * knows their kind. Where it cannot begin they wait. */
static void ask_kinds(struct kube_sink *k, struct slot *x)
{
    bool known = x->retried && !k->asking_kinds && clock_boot_ns(k->env.clock) < k->kinds_until &&
                 !is_kind_gone(k->kinds, kube_write_kind_in_doubt(x->write));
    if (!known && (k->asking_kinds || begin_kinds(k)))
        x->state = SLOT_ASKING;
    else
        finish(k, x);
}

/* Where discovery failed, nobody knows, and they wait. */
static void on_kinds(struct kube_sink *k)
{
    struct err ignored = ERR_INIT;
    enum rc rc = kube_discovery_state(k->kinds, &ignored);
    if (rc == RC_AGAIN)
        return;
    k->asking_kinds = false;
    k->kinds_until = rc == RC_OK ? clock_boot_ns(k->env.clock) + KINDS_HOLD_NS : 0;
    for (uint32_t i = 0; i < k->n_slots; i++) {
        struct slot *x = &k->slots[i];
        if (x->state != SLOT_ASKING)
            continue;
        if (rc == RC_OK && is_kind_gone(k->kinds, kube_write_kind_in_doubt(x->write)))
            kube_write_kind_gone(x->write);
        finish(k, x);
    }
}

/* ---- Answers ---- */

static void narrow(struct kube_sink *k)
{
    k->window = k->window > 1 ? k->window / 2 : 1;
}

static void widen(struct kube_sink *k)
{
    if (k->window < k->n_slots)
        k->window++;
}

/* No answer, or a 401: who it is must be asked before anything else is sent. Where the item met with silence before,
 * the destination has told since: so the silence is the item's, and no reason to pause or to do less for all. */
static void doubt_link(struct kube_sink *k, const struct slot *x, const struct kube_answer *a)
{
    if (a->status == 0 && x->unserved > 1) {
        kube_link_doubt(&k->link);
        return;
    }
    if (a->status == 0 && k->link.up)
        narrow(k);
    if (a->status == 0 || a->verdict.cls == KUBE_UNAUTHORIZED)
        kube_link_lost(&k->link, &a->verdict, &k->env);
}

/* Nobody decided: the item waits, and what the answer says about the destination holds for all. */
static void put_off(struct kube_sink *k, struct slot *x, const struct kube_answer *a)
{
    int64_t now = clock_boot_ns(k->env.clock);
    int64_t wait = backoff_next_ns(&x->backoff, k->env.rng);
    if (wait < a->verdict.retry_after_ns)
        wait = a->verdict.retry_after_ns;
    x->state = SLOT_READY;
    x->not_before = now + wait;
    x->order = ++k->order;
    if (a->verdict.cls == KUBE_THROTTLED) {
        narrow(k);
        if (k->pause_until < now + a->verdict.retry_after_ns)
            k->pause_until = now + a->verdict.retry_after_ns;
    }
    /* Without the server's words: they may be about a Secret. */
    snprintf(k->trouble, sizeof k->trouble, "the destination answers %.63s; it is asked again",
             a->verdict.reason);
}

static bool is_crowded(const struct kube_sink *k)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < k->n_slots; i++)
        n += k->slots[i].unserved > 0;
    return n > k->n_slots / 2;
}

/* The server serves others and yet not this very item (a webhook of its kind is broken or never answers, the store
 * takes no writes). Before the last try, and after every silence, it is asked who it is: if it does not tell, the
 * trouble is everybody's and the item waits like all. So one such kind never fills the window for good (I11). */
static bool is_hopeless(struct kube_sink *k, struct slot *x, const struct kube_answer *a)
{
    bool told = a->verdict.cls == KUBE_THROTTLED || a->verdict.cls == KUBE_UNAUTHORIZED;
    x->unserved = told ? 0 : x->unserved + 1;
    if (x->unserved == PATIENCE - 1)
        kube_link_doubt(&k->link);
    return x->unserved >= PATIENCE ||
           (a->status == 0 && x->unserved >= PATIENCE_FULL && is_crowded(k));
}

static void undecided(struct kube_sink *k, struct slot *x, const struct kube_answer *a)
{
    bool hopeless = is_hopeless(k, x, a);
    doubt_link(k, x, a);
    if (!hopeless) {
        put_off(k, x, a);
        return;
    }
    kube_write_give_up(x->write, a);
    finish(k, x);
}

static enum rc on_answer(struct kube_sink *k, struct slot *x, const struct http_event *ev,
                         struct err *e)
{
    struct kube_answer a = {.status = ev->status, .body = ev->data, .maybe_done = ev->maybe_done};
    if (ev->err.rc == RC_OK) {
        kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, &a.verdict);
    } else {
        a.status = 0; /* whatever began to arrive is no answer */
        kube_judge_failure(&ev->err, &a.verdict);
    }
    k->running--;
    x->id = 0;
    enum rc rc = kube_write_answer(x->write, &a, e);
    if (rc == RC_AGAIN) {
        undecided(k, x, &a);
        return RC_OK;
    }
    x->state = SLOT_READY;
    x->not_before = 0;
    if (rc != RC_OK)
        return rc;
    widen(k);
    k->trouble[0] = '\0';
    if (kube_write_kind_in_doubt(x->write))
        ask_kinds(k, x);
    else if (kube_write_result(x->write))
        finish(k, x);
    return RC_OK;
}

static struct slot *slot_of(struct kube_sink *k, http_id id)
{
    for (uint32_t i = 0; i < k->n_slots; i++)
        if (k->slots[i].state == SLOT_RUNNING && k->slots[i].id == id)
            return &k->slots[i];
    return NULL;
}

static enum rc on_event(struct kube_sink *k, const struct http_event *ev, struct err *e)
{
    struct kube_verdict v;
    if (k->asking_kinds && kube_discovery_offer(k->kinds, ev)) {
        on_kinds(k);
        return RC_OK;
    }
    if (ev->kind != HTTP_DONE)
        return RC_OK; /* answers come whole */
    if (kube_link_asked(&k->link, ev)) {
        enum rc rc = kube_link_answer(&k->link, k->http, ev, &k->env, e);
        k->dest.me.destination = buf_slice(&k->link.who.known);
        return rc;
    }
    struct slot *x = slot_of(k, ev->id);
    if (x)
        return on_answer(k, x, ev, e);
    if (!kube_scans_answer(&k->scans, ev, &k->env, &v))
        return RC_OK;
    bool silence = ev->err.rc != RC_OK && v.cls != KUBE_TOO_LARGE;
    if (silence || v.cls == KUBE_UNAUTHORIZED)
        kube_link_lost(&k->link, &v, &k->env);
    return RC_OK;
}

/* ---- Requests ---- */

static enum rc send(struct kube_sink *k, struct slot *x, struct err *e)
{
    struct http_request r;
    enum rc rc = kube_write_request(x->write, &r, e);
    if (rc == RC_END) {
        finish(k, x);
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    rc = http_start(k->http, &r, &x->id, e);
    if (rc != RC_OK)
        return rc;
    x->state = SLOT_RUNNING;
    k->running++;
    return RC_OK;
}

static void earlier(int64_t *wake, int64_t at)
{
    if (at < *wake)
        *wake = at;
}

/* Sends what is due. RC_AGAIN: nothing is, before *wake. */
static enum rc send_next(struct kube_sink *k, int64_t now, int64_t *wake, struct err *e)
{
    int64_t at;
    enum rc rc = kube_link_step(&k->link, k->http, &k->env, &at, e);
    earlier(wake, at);
    if (rc != RC_AGAIN || !k->link.up)
        return rc;
    if (now < k->pause_until) {
        earlier(wake, k->pause_until);
        return RC_AGAIN;
    }
    rc = kube_scans_step(&k->scans, now, &at, e);
    earlier(wake, at);
    if (rc != RC_AGAIN || k->running >= k->window)
        return rc;
    struct slot *x = first_slot(k, SLOT_READY, now);
    if (x)
        return send(k, x, e);
    for (uint32_t i = 0; i < k->n_slots; i++)
        if (k->slots[i].state == SLOT_READY)
            earlier(wake, k->slots[i].not_before);
    return RC_AGAIN;
}

static enum rc sink_step_once(struct sink *s, int64_t *ret_wake_ns, struct err *e)
{
    struct kube_sink *k = of(s);
    struct http_event ev;
    int64_t wake = INT64_MAX;
    release_taken(k);
    enum rc rc = http_take(k->http, &ev, e);
    if (rc == RC_OK)
        return on_event(k, &ev, e);
    if (rc == RC_AGAIN)
        rc = send_next(k, clock_boot_ns(k->env.clock), &wake, e);
    if (rc == RC_AGAIN)
        *ret_wake_ns = wake;
    return rc;
}

/* ---- The rest of the interface ---- */

static enum rc sink_scan_scope(struct sink *s, struct slice scope, struct slice api_version,
                               struct event_iter **ret, struct err *e)
{
    struct kube_sink *k = of(s);
    return kube_scan_open(&k->scans, scope, api_version, ret, e);
}

/* An origin bears no mark of ours, so no scan finds it; what was changed there comes back as its own event. */
static bool sink_recognises_record(struct sink *s, struct slice record, const struct event *found)
{
    struct kube_record r;
    struct err ignored = ERR_INIT;
    (void)s;
    if (kube_record_decode(record, &r, &ignored) != RC_OK)
        return false;
    if (!found)
        return r.flags & KUBE_RECORD_ORIGIN;
    return slice_eq(r.uid, found->uid) && slice_eq(r.version, found->version);
}

static void sink_get_status(struct sink *s, struct sink_status *ret)
{
    const struct kube_sink *k = of(s);
    const struct kube_link *l = &k->link;
    const char *trouble = k->trouble[0] ? k->trouble : k->scans.trouble;
    *ret = (struct sink_status){.connected = l->up && !l->fatal, .fatal = l->fatal};
    snprintf(ret->error, sizeof ret->error, "%s", ret->connected ? trouble : l->error);
    snprintf(ret->identity, sizeof ret->identity, "%.*s", SLICE_ARG(buf_slice(&l->who.known)));
}

static enum rc sink_wait_for(struct sink *s, int wake_fd, int64_t timeout_ns, struct err *e)
{
    return http_wait(of(s)->http, wake_fd, timeout_ns, e);
}

static void sink_end(struct sink *s)
{
    struct kube_sink *k = of(s);
    kube_scans_done(&k->scans);
    for (uint32_t i = 0; k->slots && i < k->n_slots; i++)
        free_slot(&k->slots[i]);
    free(k->slots);
    free(k->selected);
    kube_discovery_free(k->kinds);
    kube_link_done(&k->link);
    compressor_free(k->dest.compressor);
    buf_done(&k->names);
    http_close(k->http);
    free(k);
}

static const struct sink_ops kube_sink_ops = {
    .name = "kubernetes",
    .submit = sink_submit_item,
    .step = sink_step_once,
    .take = sink_take_result,
    .scan = sink_scan_scope,
    .recognises = sink_recognises_record,
    .status = sink_get_status,
    .wait = sink_wait_for,
    .close = sink_end,
};

/* ---- Opening ---- */

static size_t names_size(const struct kube_sink_opts *opts)
{
    size_t n = opts->source.n + 1;
    for (size_t i = 0; i < opts->n_selected; i++)
        n += opts->selected[i].n;
    return n;
}

static struct slice keep(struct kube_sink *k, struct slice s)
{
    size_t at = k->names.n;
    buf_add_slice(&k->names, s);
    return k->names.bad ? SLICE_NULL : slice_of(k->names.p + at, s.n);
}

static enum rc name_writer(struct kube_writer *me, const struct kube_sink_opts *opts, struct err *e)
{
    enum rc rc = kube_sync_id(opts->source, opts->sync, me->sync_id, e);
    for (size_t i = 0; i < opts->n_former && i < KUBE_FORMER_MAX && rc == RC_OK; i++)
        rc = kube_sync_id(opts->former[i], opts->sync, me->former[me->n_former++], e);
    return rc;
}

/* All room is taken first, so that no later addition moves what slices point at. */
static enum rc copy_names(struct kube_sink *k, const struct kube_sink_opts *opts, struct err *e)
{
    size_t n = names_size(opts);
    buf_init(&k->names, n);
    if (!buf_extend(&k->names, n))
        return err_nomem(e);
    buf_truncate(&k->names, 0);
    k->selected = calloc(opts->n_selected + 1, sizeof *k->selected);
    if (!k->selected)
        return err_nomem(e);
    k->dest.source = keep(k, opts->source);
    for (size_t i = 0; i < opts->n_selected; i++)
        k->selected[i] = keep(k, opts->selected[i]);
    k->dest.selected = k->selected;
    k->dest.n_selected = opts->n_selected;
    return name_writer(&k->dest.me, opts, e);
}

static enum rc init(struct kube_sink *k, const struct kube_sink_opts *opts, struct err *e)
{
    uint32_t window = opts->window ? opts->window : WINDOW_DEFAULT;
    if (opts->source.n == 0 || opts->sync.n == 0 || window > WINDOW_MAX)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a Kubernetes sink needs a source, a synchronization and a window of at "
                       "most %u",
                       WINDOW_MAX);
    k->n_slots = k->window = window;
    k->slots = calloc(window, sizeof *k->slots);
    k->dest.compressor = compressor_new();
    if (!k->slots || !k->dest.compressor)
        return err_nomem(e);
    k->dest.diag = k->env.diag;
    k->scans = (struct kube_scans){.dest = &k->dest, .http = k->http};
    enum rc rc = copy_names(k, opts, e);
    if (rc == RC_OK)
        rc = kube_link_init(&k->link, k->dest.source, opts->ca_pem, opts->ns, e);
    if (rc == RC_OK && opts->destination.n > 0)
        rc = kube_identity_expect(&k->link.who, opts->destination, e);
    return rc;
}

enum rc kube_sink_open(const struct kube_sink_opts *opts, const struct env *env, struct sink **ret,
                       struct err *e)
{
    struct kube_sink *k = calloc(1, sizeof *k);
    if (!k) {
        http_close(opts->http);
        return err_nomem(e);
    }
    k->sink.ops = &kube_sink_ops;
    k->http = opts->http;
    k->env = *env;
    enum rc rc = init(k, opts, e);
    if (rc == RC_OK)
        *ret = &k->sink;
    else
        sink_end(&k->sink);
    return rc;
}

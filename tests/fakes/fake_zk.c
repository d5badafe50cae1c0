/* The modelled ZooKeeper ensemble: its sessions.
 *
 * A session keeps what was asked (open) and what is to be taken (out), both in order. serve_next moves one from the
 * first to the second; a change goes to the end of out of each session that watches, and so stands before every
 * answer given later. A session that is lost turns all answers into lost ones, forgets changes, and says so last. */
#include "tests/fakes/fake_zk_priv.h"

#include <assert.h>
#include <stdlib.h>

static const char REFUSED[] = "the connection was refused";

/* ---- What is to be taken ---- */

static struct fz_told *told_new(enum zk_event_kind kind)
{
    struct fz_told *t = calloc(1, sizeof(*t));
    fz_must(t ? RC_OK : RC_NOMEM);
    t->event.kind = kind;
    return t;
}

static void told_free(struct fz_told *t)
{
    if (!t)
        return;
    fz_mem_done(&t->mem);
    free(t);
}

static void tell(struct fz_session *s, struct fz_told *t)
{
    *s->out_end = t;
    s->out_end = &t->next;
}

static struct fz_told *out_pop(struct fz_session *s)
{
    struct fz_told *t = s->out;
    s->out = t->next;
    if (!s->out)
        s->out_end = &s->out;
    t->next = NULL;
    return t;
}

static struct fz_request *open_pop(struct fz_session *s)
{
    struct fz_request *r = s->open;
    s->open = r->next;
    if (!s->open)
        s->open_end = &s->open;
    return r;
}

static void request_free(struct fz_request *r)
{
    fz_mem_done(&r->mem);
    free(r);
}

static void forget_taken(struct fz_session *s)
{
    told_free(s->taken);
    s->taken = NULL;
}

/* ---- Losing the connection ---- */

static void set_lost(struct err *e, const char *what)
{
    err_set(e, RC_UNAVAILABLE, ERR_RETRY, "127.0.0.1:2181: %s", what);
}

static void tell_lost_answer(struct fz_session *s, uint64_t tag)
{
    struct fz_told *t = told_new(ZK_ANSWER);
    t->event.tag = tag;
    set_lost(&t->event.err, "the connection was lost before the answer");
    tell(s, t);
}

static void tell_lost(struct fz_session *s, const char *why)
{
    struct fz_told *t = told_new(ZK_LOST);
    set_lost(&t->event.err, why);
    s->lost = why;
    tell(s, t);
}

static void forget_watches(struct fz_session *s)
{
    free(s->watches);
    s->watches = NULL;
    s->n_watches = s->watches_cap = 0;
    fz_mem_done(&s->watch_mem);
}

/* Gives what was told and not yet taken as of a connection that is lost. Takes t. */
static void lose_told(struct fz_session *s, struct fz_told *t)
{
    t->next = NULL;
    t->due_ns = 0;
    if (t->event.err.rc == RC_CORRUPT) {
        tell(s, t);
        return;
    }
    if (t->event.kind == ZK_ANSWER)
        tell_lost_answer(s, t->event.tag);
    told_free(t);
}

static void lose(struct fz_session *s)
{
    if (!s->connected)
        return;
    s->connected = false;
    forget_watches(s);
    struct fz_told *on_the_way = s->out;
    s->out = NULL;
    s->out_end = &s->out;
    for (struct fz_told *t = on_the_way, *next; t; t = next) {
        next = t->next;
        lose_told(s, t);
    }
    while (s->open) {
        struct fz_request *r = open_pop(s);
        tell_lost_answer(s, r->tag);
        request_free(r);
    }
    tell_lost(s, "the connection was lost");
}

static void connect_again(struct fz_session *s)
{
    struct fake_zk *w = s->w;
    if (s->connected || s->out)
        return;
    bool refused = w->down || clock_boot_ns(w->clock) < w->refuse_until_ns;
    if (refused && s->lost != REFUSED)
        tell_lost(s, REFUSED);
    if (refused)
        return;
    s->connected = true;
    s->lost = NULL;
    struct fz_told *t = told_new(ZK_CONNECTED);
    t->event.zxid = ++w->tree.zxid; /* the session is a transaction, too */
    tell(s, t);
}

/* ---- Serving ---- */

static void answer(struct fz_session *s, const struct fz_request *r, enum fake_zk_fault fault,
                   int error)
{
    struct fake_zk *w = s->w;
    struct fz_told *t = told_new(ZK_ANSWER);
    if (fault == FAKE_ZK_ERROR)
        t->result.error = error;
    else
        fz_serve(w, &s->who, r->call, &t->mem, &t->result);
    t->event.tag = r->tag;
    t->event.zxid = w->tree.zxid;
    t->event.result = &t->result;
    t->due_ns = clock_boot_ns(w->clock) + w->delay_ns;
    if (fault == FAKE_ZK_GARBAGE) {
        t->event.result = NULL;
        err_set(&t->event.err, RC_CORRUPT, ERR_RETRY, "127.0.0.1:2181: the answer cannot be read");
    }
    tell(s, t);
}

static void serve_next(struct fz_session *s)
{
    struct fake_zk *w = s->w;
    int error = ZK_OK;
    bool too_long = zk_call_size(s->open->call) > w->request_max;
    enum fake_zk_fault fault =
        too_long ? FAKE_ZK_REQUEST_LOST : fz_fault_of(w, s->open->call, &error);
    if (fault == FAKE_ZK_REQUEST_LOST) {
        lose(s);
        return;
    }
    struct fz_request *r = open_pop(s);
    w->serving = s;
    answer(s, r, fault, error);
    w->serving = NULL;
    if (fault == FAKE_ZK_ANSWER_LOST || fault == FAKE_ZK_GARBAGE || s->breaks)
        lose(s);
    s->breaks = false;
    request_free(r);
}

static bool sees(const struct fz_session *s, struct slice path, const struct fz_state *state)
{
    bool watches = false;
    for (size_t i = 0; i < s->n_watches && !watches; i++)
        watches = znode_is_within(path, s->watches[i]);
    return watches && fz_may(&s->who, state, ZNODE_READ);
}

void fz_tell(struct fake_zk *w, struct slice path, const struct fz_state *state)
{
    for (struct fz_session *s = w->sessions; s; s = s->next) {
        if (!sees(s, path, state))
            continue;
        if (fz_fault_of_event(w, path)) {
            s->breaks = s == w->serving; /* then once its request is done */
            if (!s->breaks)
                lose(s);
            continue;
        }
        struct fz_told *t = told_new(ZK_CHANGED);
        t->event.path = fz_copy(&t->mem, path);
        tell(s, t);
    }
}

/* ---- struct zk ---- */

static enum rc session_call(struct zk *z, const struct zk_call *c, uint64_t tag, struct err *e)
{
    struct fz_session *s = (struct fz_session *)z;
    size_t size = zk_call_size(c);
    forget_taken(s);
    if (size > ZK_REQUEST_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "a request of %zu bytes; at most %u are allowed",
                       size, ZK_REQUEST_MAX);
    if (!s->connected || s->n_open >= ZK_OPEN_MAX)
        return RC_AGAIN;
    struct fz_request *r = calloc(1, sizeof(*r));
    fz_must(r ? RC_OK : RC_NOMEM);
    r->tag = tag;
    r->call = fz_copy_call(&r->mem, c);
    *s->open_end = r;
    s->open_end = &r->next;
    s->n_open++;
    return RC_OK;
}

static bool is_ready(const struct fz_session *s)
{
    return s->out && s->out->due_ns <= clock_boot_ns(s->w->clock);
}

static enum rc session_take(struct zk *z, struct zk_event *ret, struct err *e)
{
    (void)e;
    struct fz_session *s = (struct fz_session *)z;
    forget_taken(s);
    connect_again(s);
    while (s->open && !is_ready(s))
        serve_next(s);
    if (!is_ready(s))
        return RC_AGAIN;
    s->taken = out_pop(s);
    s->n_open -= s->taken->event.kind == ZK_ANSWER;
    *ret = s->taken->event;
    return RC_OK;
}

static enum rc session_wait(struct zk *z, int wake_fd, int64_t timeout_ns, struct err *e)
{
    (void)wake_fd, (void)timeout_ns, (void)e;
    forget_taken((struct fz_session *)z);
    return RC_OK;
}

static void session_close(struct zk *z)
{
    struct fz_session *s = (struct fz_session *)z, **at = &s->w->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->w->tree.zxid += s->connected;
    while (s->open)
        request_free(open_pop(s));
    while (s->out)
        told_free(out_pop(s));
    forget_taken(s);
    forget_watches(s);
    fz_mem_done(&s->mem);
    free(s);
}

static const struct zk_ops SESSION_OPS = {
    .call = session_call, .take = session_take, .wait = session_wait, .close = session_close};

void fake_zk_connect(struct fake_zk *w, const char *who, struct zk **ret)
{
    struct fz_session *s = calloc(1, sizeof(*s));
    fz_must(s ? RC_OK : RC_NOMEM);
    struct slice id = slice_str(who);
    s->zk.ops = &SESSION_OPS;
    s->w = w;
    s->who.super = slice_eq(id, SLICE("super"));
    s->who.digest =
        s->who.super ? SLICE("super:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=") : fz_copy(&s->mem, id);
    s->open_end = &s->open;
    s->out_end = &s->out;
    s->next = w->sessions;
    w->sessions = s;
    *ret = &s->zk;
}

/* ---- The world ---- */

struct fake_zk *fake_zk_new(struct clock *clock)
{
    struct fake_zk *w = calloc(1, sizeof(*w));
    fz_must(w ? RC_OK : RC_NOMEM);
    w->clock = clock;
    w->request_max = ZK_REQUEST_MAX;
    w->minor = 8;
    fz_tree_init(&w->tree);
    fake_zk_save(w);
    fake_zk_faults(w, 0, NULL);
    return w;
}

void fake_zk_free(struct fake_zk *w)
{
    if (!w)
        return;
    assert(!w->sessions);
    fz_tree_done(&w->tree);
    for (size_t i = 0; i < w->n_saved; i++)
        fz_tree_done(&w->saved[i]);
    free(w->saved);
    fz_faults_done(w);
    free(w->writes);
    fz_mem_done(&w->write_mem);
    fz_mem_done(&w->done_mem);
    free(w);
}

void fake_zk_run(struct fake_zk *w)
{
    for (struct fz_session *s = w->sessions; s; s = s->next)
        while (s->open)
            serve_next(s);
}

static int64_t wake_of(const struct fz_session *s)
{
    const struct fake_zk *w = s->w;
    bool refused = w->down || clock_boot_ns(w->clock) < w->refuse_until_ns;
    if (s->open || (!s->connected && !s->out && refused && s->lost != REFUSED))
        return 0;
    if (s->out)
        return s->out->due_ns;
    if (s->connected || w->down)
        return INT64_MAX;
    return w->refuse_until_ns;
}

int64_t fake_zk_wake(struct fake_zk *w)
{
    int64_t least = INT64_MAX;
    for (const struct fz_session *s = w->sessions; s; s = s->next)
        least = wake_of(s) < least ? wake_of(s) : least;
    return least;
}

void fake_zk_lose(struct fake_zk *w)
{
    for (struct fz_session *s = w->sessions; s; s = s->next)
        lose(s);
}

void fake_zk_set_down(struct fake_zk *w, bool down)
{
    w->down = down;
    if (down)
        fake_zk_lose(w);
}

void fake_zk_refuse(struct fake_zk *w, int64_t for_ns)
{
    w->refuse_until_ns = clock_boot_ns(w->clock) + for_ns;
    fake_zk_lose(w);
}

void fake_zk_set_delay(struct fake_zk *w, int64_t ns)
{
    w->delay_ns = ns;
}

void fake_zk_set_request_max(struct fake_zk *w, size_t bytes)
{
    w->request_max = bytes;
}

void fake_zk_set_minor(struct fake_zk *w, unsigned minor)
{
    w->minor = minor;
}

size_t fake_zk_save(struct fake_zk *w)
{
    w->saved = fz_grow(w->saved, w->n_saved, &w->saved_cap, sizeof(*w->saved));
    fz_tree_copy(&w->tree, &w->saved[w->n_saved]);
    return w->n_saved++;
}

void fake_zk_restore(struct fake_zk *w, size_t saved)
{
    assert(saved < w->n_saved);
    fake_zk_lose(w);
    fz_tree_done(&w->tree);
    fz_tree_copy(&w->saved[saved], &w->tree);
}

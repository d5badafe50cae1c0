/* The modelled API server's side of io/http.h: clients, their requests on the way, answers in
 * pieces.
 *
 * A request waits until its time of arrival, takes effect once, then holds its answer until the
 * client has taken it. Which of several due requests arrives and which of several waiting events
 * comes first is drawn, as is where a stream is split. Time limits are those of
 * io/http_limits.h. A request that its client gave up before it arrived may still arrive later,
 * with nobody waiting. */
#include "tests/fakes/fake_kube_priv.h"

#include <errno.h>

enum { PIECE_SMALL = 16, PIECE_LARGE = 16384 };

struct fk_client {
    struct http http; /* first */
    struct fake_kube *k;
    bool held[2];
    int64_t held_ns[2];   /* since when */
    struct buf given;     /* the last event's data */
    struct fk_call *last; /* the call that the last event ended */
};

static struct fk_client *client_of(struct http *h)
{
    return (struct fk_client *)h;
}

static int64_t now_of(const struct fake_kube *k)
{
    return clock_boot_ns(k->clock);
}

/* ---- calls ---- */

static void call_free(struct fk_call *c)
{
    if (!c)
        return;
    fk_watch_free(c->watch);
    buf_done(&c->answer.body);
    free(c);
}

static void unlink_call(struct fake_kube *k, struct fk_call *c)
{
    *(c->prev ? &c->prev->next : &k->calls) = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

/* At the end, so that iteration is in the order of starting. */
static void link_call(struct fake_kube *k, struct fk_call *c)
{
    struct fk_call *last = k->calls;
    while (last && last->next)
        last = last->next;
    c->prev = last;
    *(last ? &last->next : &k->calls) = c;
}

static struct slice keep(char **at, struct slice s)
{
    char *p = *at;
    if (s.n)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return slice_of(p, s.n);
}

static struct fk_call *call_new(struct fk_client *owner, const struct http_request *r)
{
    struct fk_call *c =
        fk_alloc(sizeof *c + r->path.n + r->accept.n + r->content_type.n + r->body.n);
    char *at = c->text;
    c->client = owner;
    c->id = ++owner->k->last_id;
    c->request = *r;
    c->request.path = keep(&at, r->path);
    c->request.accept = keep(&at, r->accept);
    c->request.content_type = keep(&at, r->content_type);
    c->request.body = keep(&at, r->body);
    c->limits = http_limits_of(r, now_of(owner->k));
    c->arrive_ns = now_of(owner->k);
    c->reply_ns = FK_NEVER;
    c->answer = (struct fk_answer)FK_ANSWER_INIT;
    return c;
}

void fk_call_break(struct fake_kube *k, struct fk_call *c, bool maybe_done, bool after_bytes)
{
    c->ended = true;
    c->maybe_done = maybe_done;
    c->arrive_ns = FK_NEVER;
    c->reply_ns = now_of(k);
    if (!after_bytes)
        buf_reset(&c->answer.body);
    err_set(&c->end, RC_UNAVAILABLE, ERR_RETRY, "the API server: %s",
            maybe_done ? "connection reset by peer" : "connection refused");
}

/* Without a client it has effect, but no answer. */
static void arrive(struct fake_kube *k, struct fk_call *c)
{
    c->arrive_ns = FK_NEVER;
    c->reply_ns = now_of(k) + c->delay_ns;
    fk_call_serve(k, c);
    if (c->client)
        return;
    unlink_call(k, c);
    call_free(c);
}

bool fk_http_arrive(struct fake_kube *k)
{
    uint64_t due = 0;
    int64_t now = now_of(k);
    struct fk_call *c;
    for (c = k->calls; c; c = c->next)
        due += c->arrive_ns <= now;
    if (!due)
        return false;
    uint64_t pick = due > 1 ? rng_below(k->rng, due) : 0;
    for (c = k->calls; c->arrive_ns > now || pick-- > 0; c = c->next)
        ;
    arrive(k, c);
    return true;
}

void fk_break_all(struct fake_kube *k)
{
    for (struct fk_call *next, *c = k->calls; c; c = next) {
        next = c->next;
        if (!c->client) {
            unlink_call(k, c);
            call_free(c);
            continue;
        }
        bool on_its_way_back = c->ended && c->reply_ns <= now_of(k);
        if (on_its_way_back)
            continue;
        if (!c->watch)
            c->answer.status = 0;
        fk_call_break(k, c, true, c->watch != NULL);
    }
}

/* The client gives it up; where it certainly was sent, or by chance, it lives on alone and
 * arrives. */
static void abandon(struct fake_kube *k, struct fk_call *c, bool sent)
{
    bool on_its_way = c->arrive_ns != FK_NEVER && c->request.method != HTTP_GET;
    if (on_its_way && (sent || (k->faulty && rng_below(&k->fault_rng.rng, 2)))) {
        c->client = NULL;
        return;
    }
    unlink_call(k, c);
    call_free(c);
}

/* ---- events ---- */

static bool has_event(const struct fk_call *c, int64_t now_ns)
{
    return c->client && !c->client->held[c->request.lane] && c->reply_ns <= now_ns &&
           ((c->answer.status && !c->told) || (c->request.stream && c->answer.body.n) || c->ended);
}

static void give_piece(struct fk_client *h, struct fk_call *c, struct http_event *ev)
{
    struct rng *rng = h->k->rng;
    size_t n = 1 + (size_t)rng_below(rng, rng_below(rng, 4) ? PIECE_LARGE : PIECE_SMALL);
    n = n < c->answer.body.n ? n : c->answer.body.n;
    buf_add(&h->given, c->answer.body.p, n);
    buf_consume(&c->answer.body, n);
    ev->kind = HTTP_DATA;
    ev->data = buf_slice(&h->given);
}

static void give_end(struct fk_client *h, struct fk_call *c, struct http_event *ev)
{
    size_t most = c->request.body_max ? c->request.body_max : HTTP_BODY_MAX;
    ev->kind = HTTP_DONE;
    ev->err = c->end;
    ev->maybe_done = c->maybe_done;
    if (ev->err.rc == RC_OK && c->answer.body.n > most) {
        err_set(&ev->err, RC_LIMIT, ERR_FINAL, "the answer is larger than %zu bytes", most);
        ev->maybe_done = true;
    }
    if (ev->err.rc == RC_OK)
        ev->data = buf_slice(&c->answer.body);
    unlink_call(h->k, c);
    h->last = c;
}

static void give(struct fk_client *h, struct fk_call *c, struct http_event *ret)
{
    struct http_event ev = {
        .id = c->id, .status = c->answer.status, .retry_after_ns = c->answer.retry_after_ns};
    if (ev.status)
        ev.content_type = slice_str(c->answer.content_type);
    c->limits.heard_ns = now_of(h->k);
    if (c->answer.status && !c->told) {
        c->told = c->limits.answered = true;
        ev.kind = HTTP_HEADERS;
    } else if (c->request.stream && c->answer.body.n) {
        give_piece(h, c, &ev);
    } else {
        give_end(h, c, &ev);
    }
    *ret = ev;
}

/* One of the client's calls that have an event; NULL: none has. */
static struct fk_call *pick_event(struct fk_client *h)
{
    uint64_t n = 0;
    int64_t now = now_of(h->k);
    struct fk_call *c;
    for (c = h->k->calls; c; c = c->next)
        n += c->client == h && has_event(c, now);
    if (!n)
        return NULL;
    uint64_t pick = n > 1 ? rng_below(h->k->rng, n) : 0;
    for (c = h->k->calls; c->client != h || !has_event(c, now) || pick-- > 0; c = c->next)
        ;
    return c;
}

/* The call's limit is over: the client hears so, and the request itself may still arrive. */
static void strike(struct fake_kube *k, struct fk_call *c)
{
    struct http_strike s = http_limits_strike(&c->limits, now_of(k));
    struct http_request bare = {
        .method = HTTP_GET, .lane = c->request.lane, .stream = c->request.stream};
    struct fk_call *news = call_new(c->client, &bare);
    news->id = c->id;
    news->told = c->told;
    news->answer.status = c->told ? c->answer.status : 0;
    news->answer.content_type = c->answer.content_type;
    fk_call_break(k, news, true, false);
    err_set(&news->end, RC_UNAVAILABLE, ERR_RETRY, "the API server: time limit: %s %.3g s", s.what,
            (double)s.limit_ns / (double)NS_PER_S);
    news->end.sys = ETIMEDOUT;
    abandon(k, c, true);
    link_call(k, news);
}

static bool is_struck(const struct fk_client *h, const struct fk_call *c, int64_t now_ns)
{
    return c->client == h && !h->held[c->request.lane] && !has_event(c, now_ns) &&
           http_limits_due(&c->limits) <= now_ns;
}

static void strike_due(struct fk_client *h)
{
    int64_t now = now_of(h->k);
    for (struct fk_call *next, *c = h->k->calls; c; c = next) {
        next = c->next;
        if (is_struck(h, c, now))
            strike(h->k, c);
    }
}

/* ---- the interface ---- */

static enum rc kube_start(struct http *http, const struct http_request *r, http_id *ret_id,
                          struct err *e)
{
    struct fk_client *h = client_of(http);
    struct fake_kube *k = h->k;
    if (!slice_starts(r->path, SLICE("/")))
        return err_set(e, RC_INVALID, ERR_FINAL, "a request's path must begin with a slash");
    struct fk_call *c = call_new(h, r);
    c->fault = fk_fault_of_request(k, c);
    if (c->fault == FAKE_KUBE_DELAY)
        *(rng_below(&k->fault_rng.rng, 2) ? &c->arrive_ns : &c->delay_ns) += fk_fault_delay(k);
    if (c->fault == FAKE_KUBE_SILENT)
        c->arrive_ns = FK_NEVER;
    if (k->down || c->fault == FAKE_KUBE_REFUSED)
        fk_call_break(k, c, false, false);
    if (c->fault == FAKE_KUBE_REFUSED || c->fault == FAKE_KUBE_DELAY ||
        c->fault == FAKE_KUBE_SILENT)
        fk_struck(k, c->fault);
    link_call(k, c);
    *ret_id = c->id;
    return RC_OK;
}

static void kube_cancel(struct http *http, http_id id)
{
    struct fk_client *h = client_of(http);
    struct fk_call *c = h->k->calls;
    while (c && (c->client != h || c->id != id))
        c = c->next;
    if (c)
        abandon(h->k, c, false);
}

static void forget_last(struct fk_client *h)
{
    call_free(h->last);
    h->last = NULL;
    buf_reset(&h->given);
}

/* What is due happens one by one, in between the events. */
static enum rc kube_take(struct http *http, struct http_event *ret, struct err *e)
{
    struct fk_client *h = client_of(http);
    (void)e;
    forget_last(h);
    fk_tick(h->k);
    strike_due(h);
    struct fk_call *c = pick_event(h);
    while (!c || rng_below(h->k->rng, 2)) {
        if (!fk_http_arrive(h->k))
            break;
        c = pick_event(h);
    }
    if (!c)
        return RC_AGAIN;
    give(h, c, ret);
    return RC_OK;
}

static void kube_hold(struct http *http, enum http_lane lane, bool on)
{
    struct fk_client *h = client_of(http);
    int64_t now = now_of(h->k);
    if (h->held[lane] == on)
        return;
    h->held[lane] = on;
    for (struct fk_call *c = h->k->calls; c && !on; c = c->next)
        if (c->client == h && c->request.lane == lane)
            http_limits_excuse(&c->limits, h->held_ns[lane], now);
    h->held_ns[lane] = now;
}

static enum rc kube_wait(struct http *http, int wake_fd, int64_t timeout_ns, struct err *e)
{
    (void)http;
    (void)wake_fd;
    (void)timeout_ns;
    (void)e;
    return RC_OK;
}

static void kube_close(struct http *http)
{
    struct fk_client *h = client_of(http);
    forget_last(h);
    buf_done(&h->given);
    for (struct fk_call *next, *c = h->k->calls; c; c = next) {
        next = c->next;
        if (c->client == h)
            abandon(h->k, c, false);
    }
    h->k->clients--;
    free(h);
}

void fake_kube_connect(struct fake_kube *k, struct http **ret)
{
    static const struct http_ops ops = {.start = kube_start,
                                        .cancel = kube_cancel,
                                        .take = kube_take,
                                        .hold = kube_hold,
                                        .wait = kube_wait,
                                        .close = kube_close};
    struct fk_client *h = fk_alloc(sizeof *h);
    h->http.ops = &ops;
    h->k = k;
    buf_init(&h->given, FK_TEXT_MAX);
    k->clients++;
    *ret = &h->http;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t fk_http_wake(struct fake_kube *k, int64_t now_ns)
{
    int64_t due = FK_NEVER;
    for (const struct fk_call *c = k->calls; c; c = c->next) {
        due = least(due, c->arrive_ns);
        if (c->watch && !c->ended)
            due = least(due, least(c->watch->bookmark_ns, c->watch->end_ns));
        if (!c->client || c->client->held[c->request.lane])
            continue;
        due = least(due, http_limits_due(&c->limits));
        if (has_event(c, now_ns))
            due = least(due, now_ns);
        else if (c->reply_ns > now_ns)
            due = least(due, c->reply_ns);
    }
    return due;
}

/* libcurl behind struct http: lanes, groups and the queue of events. With http_curl_call.c its only
 * door.
 *
 * A lane holds groups of at most HTTP_WATCHES_PER_CONNECTION requests, each with a multi handle of
 * its own: libcurl left alone opens a connection for every request beyond a full one. Each multi
 * handle is driven through its socket interface by one http_sockets, so that waiting is one poll
 * over their descriptors, until the first of their timers at most. Callbacks turn what arrives into a
 * queue of owned events; the network runs only while that queue is empty.
 *
 * Time limits are ours: one strikes only when nothing is waiting to be read, and not while the lane
 * is held.
 *
 * One thread per client. The process must ignore SIGPIPE (libcurl's own way is not thread-safe). */
#include "io/http_curl_priv.h"

#include "core/clock.h"
#include "core/env.h"
#include "io/http_curl_shared_priv.h"

#include <errno.h>
#include <poll.h>

enum {
    RUN_ROUNDS = 64,     /* socket turns of a group in one take */
    SHARED_SILENT_S = 90 /* API servers send each watch a bookmark every minute */
};

/* ---- groups ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct http_group *g = arg;
    struct err e;
    (void)easy;
    (void)assigned;
    if (what == CURL_POLL_REMOVE) {
        http_sockets_forget(g->sockets, fd);
        return 0;
    }
    /* -1 ends the whole group: libcurl reports it at its next turn. */
    enum rc rc = http_sockets_watch(g->sockets, fd, what & CURL_POLL_IN, what & CURL_POLL_OUT,
                                    clock_boot_ns(g->lane->client->clock), &e);
    return rc == RC_OK ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_group *g = arg;
    (void)multi;
    int64_t now = clock_boot_ns(g->lane->client->clock);
    http_sockets_timer(g->sockets, timeout_ms < 0 ? INT64_MAX : now + timeout_ms * NS_PER_MS);
    return 0;
}

static void group_add(struct http_group *g, struct http_call *c)
{
    c->group = g;
    c->next = g->calls;
    if (c->next)
        c->next->prev = c;
    g->calls = c;
    g->n++;
}

static void group_remove(struct http_call *c)
{
    struct http_group *g = c->group;
    if (c->parked_ns)
        c->client->parked--;
    else
        curl_multi_remove_handle(g->multi, c->easy);
    if (c->prev)
        c->prev->next = c->next;
    else
        g->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->prev = c->next = NULL;
    g->n--;
}

static void call_finish(struct http_call *c, CURLcode code)
{
    struct http_queued *q = http_call_end(c, code);
    group_remove(c);
    http_queue_push(&c->client->queue, q);
}

static void group_free(struct http_group *g)
{
    if (!g)
        return;
    while (g->calls) {
        struct http_call *c = g->calls;
        group_remove(c);
        http_call_free(c);
    }
    curl_multi_cleanup(g->multi); /* still calls on_socket */
    http_sockets_close(g->sockets);
    free(g);
}
DEFINE_FREEP(struct http_group, group_free)

static enum rc group_new(struct http_lane_state *lane, struct http_group **ret, struct err *e)
{
    AUTO(group_freep) struct http_group *g = calloc(1, sizeof *g);
    if (!g)
        return err_nomem(e);
    g->lane = lane;
    enum rc rc = http_sockets_open(&g->sockets, e);
    if (rc != RC_OK)
        return rc;
    g->multi = curl_multi_init();
    if (!g->multi)
        return err_nomem(e);
    curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, g);
    curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, g);
    curl_multi_setopt(g->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    *ret = steal(&g);
    return RC_OK;
}

static void group_collect(struct http_group *g)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(g->multi, &left));) {
        struct http_call *c = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
        call_finish(c, code);
    }
}

static enum rc multi_failed(CURLMcode bad, struct err *e)
{
    if (bad == CURLM_OUT_OF_MEMORY)
        return err_nomem(e);
    return err_set(e, RC_IO, ERR_FATAL, "http: libcurl: %s", curl_multi_strerror(bad));
}

/* One socket or timer that is ready; RC_AGAIN if there is none. */
static enum rc group_turn(struct http_group *g, struct err *e)
{
    struct http_ready r;
    int running;
    enum rc rc = http_sockets_next(g->sockets, clock_boot_ns(g->lane->client->clock), &r, e);
    if (rc != RC_OK)
        return rc;
    g->lane->client->turns++;
    int mask = (r.in ? CURL_CSELECT_IN : 0) | (r.out ? CURL_CSELECT_OUT : 0) |
               (r.broken ? CURL_CSELECT_ERR : 0);
    CURLMcode bad =
        curl_multi_socket_action(g->multi, r.timer ? CURL_SOCKET_TIMEOUT : r.fd, mask, &running);
    if (bad != CURLM_OK)
        return multi_failed(bad, e);
    group_collect(g);
    return RC_OK;
}

/* ---- lanes ---- */

static enum rc lane_run(struct http_lane_state *lane, struct err *e)
{
    const struct http_queue *queue = &lane->client->queue;
    for (unsigned i = 0; i < lane->n_groups && !lane->held && !queue->first; i++) {
        struct http_group *g = lane->groups[lane->turn++ % lane->n_groups];
        enum rc rc = RC_OK;
        for (int round = 0; round < RUN_ROUNDS && rc == RC_OK && !queue->first; round++)
            rc = group_turn(g, e);
        if (rc < 0)
            return rc;
    }
    return RC_OK;
}

/* A group with room. Errors: NOMEM, LIMIT, IO. */
static enum rc lane_group(struct http_lane_state *lane, struct http_group **ret, struct err *e)
{
    for (unsigned i = 0; i < lane->n_groups; i++)
        if (lane->groups[i]->n < HTTP_WATCHES_PER_CONNECTION) {
            *ret = lane->groups[i];
            return RC_OK;
        }
    if (lane->n_groups == HTTP_GROUPS_MAX)
        return err_set(e, RC_LIMIT, ERR_RETRY, "http: more than %d requests at once",
                       HTTP_GROUPS_MAX * HTTP_WATCHES_PER_CONNECTION);
    enum rc rc = group_new(lane, ret, e);
    if (rc == RC_OK)
        lane->groups[lane->n_groups++] = *ret;
    return rc;
}

/* ---- time limits ---- */

/* Names the connection that a request is on (libcurl tells no socket while it runs); 0: none yet. */
static uint16_t call_port(const struct http_call *c)
{
    long port = 0;
    curl_easy_getinfo(c->easy, CURLINFO_LOCAL_PORT, &port);
    return (uint16_t)port;
}

static bool port_answered(const struct http_group *g, uint16_t port)
{
    const struct http_call *c = g->calls;
    while (c && !(c->limits.answered && call_port(c) == port))
        c = c->next;
    return c;
}

/* HTTP/2 would go on sending into a dead connection, so the struck request's own goes too if all of it
 * was silent: for that limit, or for SHARED_SILENT_S where it carries quiet watches. To ask by a PING
 * libcurl 7.88 has no way (curl_easy_upkeep does not reach a multi handle's connections); a peer that
 * acknowledges nothing is the kernel's to notice, sooner than that (http_curl_call.c). */
static void call_expire(struct http_call *c, int64_t now)
{
    struct http_strike strike = http_limits_strike(&c->limits, now);
    struct http_group *g = c->group;
    int64_t silent = strike.limit_ns;
    uint16_t port = call_port(c);
    http_call_strike(c, &strike);
    call_finish(c, CURLE_OK);
    if (!strike.silence)
        return;
    if (silent < SHARED_SILENT_S * NS_PER_S && port_answered(g, port))
        silent = SHARED_SILENT_S * NS_PER_S;
    http_sockets_drop_silent(g->sockets, port, now, silent);
}

static void group_expire(struct http_group *g, int64_t now, int64_t *next_check)
{
    for (struct http_call *c = g->calls, *next; c; c = next) {
        int64_t due = http_limits_due(&c->limits);
        next = c->next;
        if (c->parked_ns)
            continue; /* its time does not run yet */
        if (due <= now)
            call_expire(c, now);
        else if (due < *next_check)
            *next_check = due;
    }
}

/* Ends the calls whose time is over, and notes when to look again. */
static void client_expire(struct http_client *h)
{
    int64_t now = clock_boot_ns(h->clock);
    if (now < h->check_ns)
        return;
    h->check_ns = INT64_MAX;
    for (int i = 0; i < HTTP_LANES; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups && !h->lanes[i].held; k++)
            group_expire(h->lanes[i].groups[k], now, &h->check_ns);
}

/* ---- requests that wait for credentials ---- */

/* A request whose login is known goes to its multi handle. */
static enum rc call_send(struct http_call *c, struct http_login *login, struct err *e)
{
    struct http_client *h = c->client;
    enum rc rc = http_call_login(c, login, e);
    if (rc != RC_OK)
        return rc;
    CURLMcode bad = curl_multi_add_handle(c->group->multi, c->easy);
    if (bad != CURLM_OK)
        return multi_failed(bad, e);
    if (c->parked_ns) {
        http_limits_excuse(&c->limits, c->parked_ns, clock_boot_ns(h->clock));
        c->parked_ns = 0;
        h->parked--;
    }
    if (!c->group->lane->held && http_limits_due(&c->limits) < h->check_ns)
        h->check_ns = http_limits_due(&c->limits);
    return RC_OK;
}

/* Sends what waited, or ends it where there are no credentials. */
static enum rc call_unpark(struct http_call *c, struct http_login *login, const struct err *why,
                           struct err *e)
{
    if (login)
        return call_send(c, http_login_ref(login), e);
    c->own = *why;
    (void)err_wrap(&c->own, "%s", c->where);
    call_finish(c, CURLE_OK);
    return RC_OK;
}

static enum rc group_unpark(struct http_group *g, struct http_login *login, const struct err *why,
                            struct err *e)
{
    enum rc rc = RC_OK;
    for (struct http_call *c = g->calls, *next; c && rc == RC_OK; c = next) {
        next = c->next;
        rc = c->parked_ns ? call_unpark(c, login, why, e) : RC_OK;
    }
    return rc;
}

/* Goes on with what credentials wait for, and with all that wait for them. */
static enum rc client_unpark(struct http_client *h, struct err *e)
{
    struct http_login *login = NULL;
    struct err why = ERR_INIT;
    if (!h->parked && http_auth_due(h->auth) == INT64_MAX)
        return RC_OK;
    enum rc rc = http_auth_login(h->auth, &login, &why);
    if (rc == RC_AGAIN)
        return RC_OK;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    rc = RC_OK;
    for (int i = 0; i < HTTP_LANES; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups && rc == RC_OK; k++)
            rc = group_unpark(h->lanes[i].groups[k], login, &why, e);
    http_login_unref(login);
    return rc;
}

/* A new request that is in its group; one whose credentials are not there yet waits for them. Errors as call_send. */
static enum rc call_begin(struct http_call *c, struct err *e)
{
    struct http_client *h = c->client;
    struct http_login *login = NULL;
    struct err why = ERR_INIT;
    enum rc rc = http_auth_login(h->auth, &login, &why);
    if (rc == RC_OK)
        return call_send(c, login, e);
    if (rc == RC_NOMEM)
        return err_nomem(e);
    /* A failure is told as an event at the next take, like any other. */
    c->parked_ns = clock_boot_ns(h->clock);
    h->parked++;
    return RC_OK;
}

/* ---- the interface ---- */

static enum rc client_start(struct http *base, const struct http_request *r, http_id *ret_id,
                            struct err *e)
{
    struct http_client *h = (struct http_client *)base;
    struct http_lane_state *lane = &h->lanes[r->lane];
    struct http_group *g;
    AUTO(http_call_freep) struct http_call *c = NULL;
    enum rc rc = http_call_new(h, r, &c, e);
    if (rc == RC_OK)
        rc = lane_group(lane, &g, e);
    if (rc != RC_OK)
        return rc;
    c->group = g;
    rc = call_begin(c, e);
    if (rc != RC_OK)
        return rc;
    c->id = *ret_id = ++h->last_id;
    group_add(g, steal(&c));
    return RC_OK;
}

static struct http_call *group_find(const struct http_group *g, http_id id)
{
    struct http_call *c = g->calls;
    while (c && c->id != id)
        c = c->next;
    return c;
}

static struct http_call *client_find(const struct http_client *h, http_id id)
{
    struct http_call *c = NULL;
    for (int i = 0; i < HTTP_LANES && !c; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups && !c; k++)
            c = group_find(h->lanes[i].groups[k], id);
    return c;
}

static void client_cancel(struct http *base, http_id id)
{
    struct http_client *h = (struct http_client *)base;
    struct http_call *c = client_find(h, id);
    if (c) {
        group_remove(c);
        http_call_free(c);
    }
    http_queue_forget(&h->queue, id);
}

static enum rc client_take(struct http *base, struct http_event *ret, struct err *e)
{
    struct http_client *h = (struct http_client *)base;
    http_queued_free(steal(&h->lent));
    enum rc rc = client_unpark(h, e);
    for (int i = 0; i < HTTP_LANES && !h->queue.first && rc == RC_OK; i++)
        rc = lane_run(&h->lanes[h->turn++ % HTTP_LANES], e);
    if (rc != RC_OK)
        return rc;
    if (!h->queue.first)
        client_expire(h);
    h->lent = http_queue_pop(&h->queue);
    if (!h->lent)
        return RC_AGAIN;
    *ret = h->lent->ev;
    return RC_OK;
}

/* Time that a lane is held does not count: its silence is ours. */
static void group_excuse(struct http_group *g, int64_t since, int64_t now)
{
    for (struct http_call *c = g->calls; c; c = c->next)
        http_limits_excuse(&c->limits, since, now);
    http_sockets_excuse(g->sockets, now - since);
}

static void client_hold(struct http *base, enum http_lane which, bool on)
{
    struct http_client *h = (struct http_client *)base;
    struct http_lane_state *lane = &h->lanes[which];
    int64_t now = clock_boot_ns(h->clock);
    if (lane->held == on)
        return;
    lane->held = on;
    if (on) {
        lane->held_ns = now;
        return;
    }
    for (unsigned k = 0; k < lane->n_groups; k++)
        group_excuse(lane->groups[k], lane->held_ns, now);
    h->check_ns = now;
}

/* While every lane is held its caller takes nothing, so neither what was read before nor a time limit
 * is a reason to wake it. */
static bool client_held(const struct http_client *h)
{
    bool held = true;
    for (int i = 0; i < HTTP_LANES; i++)
        held = held && h->lanes[i].held;
    return held;
}

static nfds_t client_fds(const struct http_client *h, int wake_fd, struct pollfd *fds)
{
    nfds_t n = client_held(h) ? 0 : http_auth_poll(h->auth, fds);
    for (int i = 0; i < HTTP_LANES; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups && !h->lanes[i].held; k++)
            fds[n++] = (struct pollfd){.fd = http_sockets_fd(h->lanes[i].groups[k]->sockets),
                                       .events = POLLIN};
    if (wake_fd >= 0)
        fds[n++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    return n;
}

/* When the next time limit or timer is due. */
static int64_t client_due(const struct http_client *h)
{
    int64_t program = http_auth_due(h->auth);
    int64_t due = h->check_ns < program ? h->check_ns : program;
    due = client_held(h) ? INT64_MAX : due;
    for (int i = 0; i < HTTP_LANES; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups && !h->lanes[i].held; k++) {
            int64_t timer = http_sockets_due(h->lanes[i].groups[k]->sockets);
            due = timer < due ? timer : due;
        }
    return due;
}

/* True where requests wait for credentials and nothing runs that gives them: the next take says why. */
static bool client_ready(const struct http_client *h)
{
    return h->parked > 0 && http_auth_due(h->auth) == INT64_MAX;
}

static enum rc client_wait(struct http *base, int wake_fd, int64_t timeout_ns, struct err *e)
{
    struct http_client *h = (struct http_client *)base;
    struct pollfd fds[HTTP_LANES * HTTP_GROUPS_MAX + HTTP_AUTH_FDS + 1];
    int64_t ns = timeout_ns, due = client_due(h);
    if ((h->queue.first || client_ready(h)) && !client_held(h))
        return RC_OK;
    if (due != INT64_MAX) {
        int64_t left = due - clock_boot_ns(h->clock);
        ns = left < ns ? left : ns;
    }
    ns = ns < 0 ? 0 : ns;
    struct timespec limit = {ns / NS_PER_S, ns % NS_PER_S};
    if (ppoll(fds, client_fds(h, wake_fd, fds), &limit, NULL) < 0 && errno != EINTR)
        return err_sys(e, errno, "http: poll");
    return RC_OK;
}

static void client_close(struct http *base)
{
    struct http_client *h = (struct http_client *)base;
    for (int i = 0; i < HTTP_LANES; i++)
        for (unsigned k = 0; k < h->lanes[i].n_groups; k++)
            group_free(h->lanes[i].groups[k]);
    http_queued_free(h->lent);
    http_queue_done(&h->queue);
    curl_slist_free_all(h->connect_to);
    http_auth_close(h->auth); /* after the calls, which tell it of refusals */
    http_peer_done(&h->peer);
    free(h);
}

static const struct http_ops CLIENT_OPS = {client_start, client_cancel, client_take,
                                           client_hold,  client_wait,   client_close};

static enum rc client_set(struct http_client *h, const struct http_target *target,
                          const struct env *env, struct err *e)
{
    enum rc rc = http_peer_init(&h->peer, target, e);
    if (rc == RC_OK)
        rc = http_auth_open(target, env, &h->auth, e);
    for (int i = 0; i < HTTP_LANES; i++)
        h->lanes[i].client = h;
    if (rc != RC_OK || !h->peer.reach)
        return rc;
    h->connect_to = curl_slist_append(NULL, h->peer.reach);
    return h->connect_to ? RC_OK : err_nomem(e);
}

enum rc http_curl_open(const struct http_target *target, const struct env *env, struct http **ret,
                       struct err *e)
{
    enum rc rc = http_curl_global(e);
    if (rc != RC_OK)
        return rc;
    struct http_client *h = calloc(1, sizeof *h);
    if (!h)
        return err_nomem(e);
    h->base.ops = &CLIENT_OPS;
    h->clock = env->clock;
    h->check_ns = INT64_MAX;
    AUTO(http_closep) struct http *base = &h->base;
    rc = client_set(h, target, env, e);
    if (rc == RC_OK)
        *ret = steal(&base);
    return rc;
}

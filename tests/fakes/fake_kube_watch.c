/* Watches of the modelled API server.
 *
 * A watch is fed when a version is stored: its frame goes into the call's body at once, so
 * compaction never hurts an open watch. It ends at its time limit, when its kind goes, by a
 * broken connection, or by a fault at a frame. Either every frame so far was whole, or the
 * stream has ended inside the last one. */
#include "tests/fakes/fake_kube_priv.h"

#include <stdio.h>

#define BOOKMARK_NS (60 * NS_PER_S)
#define SLOW_NS     (600 * NS_PER_S)
enum { TIMEOUT_LEAST_S = 1800 };

void fk_watch_free(struct fk_watch *w)
{
    if (!w)
        return;
    free(w->version);
    free(w->prefix);
    free(w);
}

/* ---- frames ---- */

/* The connection ends: in order, as proxies do it, or not. */
static void end_stream(struct fake_kube *k, struct fk_call *c)
{
    if (rng_below(k->rng, 2))
        fk_call_break(k, c, true, true);
    else
        c->ended = true;
}

/* Puts the frame that begins at `from` of the body under the faults. */
static void strike_frame(struct fake_kube *k, struct fk_call *c, size_t from)
{
    struct buf *body = &c->answer.body;
    if (fk_fault_strikes(k, c, FAKE_KUBE_WATCH_DROP))
        buf_truncate(body, from);
    else if (fk_fault_strikes(k, c, FAKE_KUBE_WATCH_CUT)) /* its last byte is a line feed */
        buf_truncate(body, from + 1 + (size_t)rng_below(k->rng, body->n - from - 2));
    else
        return;
    end_stream(k, c);
}

static void add_frame(struct fake_kube *k, struct fk_call *c, enum fk_change change,
                      const struct fk_rev *r)
{
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
    struct fk_watch *w = c->watch;
    size_t from = c->answer.body.n;
    buf_addf(&c->answer.body, "{\"type\":\"%s\",\"object\":", types[change]);
    fk_print(w->kind, w->version, r, w->metadata_only, &c->answer.body);
    buf_add_str(&c->answer.body, "}\n");
    strike_frame(k, c, from);
}

static void add_bookmark(struct fake_kube *k, struct fk_call *c)
{
    struct fk_watch *w = c->watch;
    struct buf *out = &c->answer.body;
    size_t from = out->n;
    buf_add_str(out, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"");
    buf_add_str(out, w->metadata_only ? "PartialObjectMetadata" : w->kind->kind);
    buf_add_str(out, "\",\"apiVersion\":\"");
    if (w->metadata_only)
        buf_add_str(out, "meta.k8s.io/v1");
    else
        fk_kind_api_version(w->kind, w->version, out);
    buf_addf(out, "\",\"metadata\":{\"resourceVersion\":\"%lld\",\"creationTimestamp\":null}}}\n",
             (long long)k->version);
    strike_frame(k, c, from);
}

static bool wants(const struct fk_call *c, const struct fk_rev *r)
{
    return c->watch && !c->ended && r->version > c->watch->after &&
           slice_starts(r->of->key, slice_str(c->watch->prefix));
}

void fk_watch_tell(struct fake_kube *k, const struct fk_rev *r)
{
    for (struct fk_call *c = k->calls; c; c = c->next)
        if (wants(c, r))
            add_frame(k, c, r->change, r);
}

/* ---- beginning ---- */

static void fail_gone(struct fake_kube *k, struct fk_call *c, int64_t asked)
{
    struct fk_answer *a = &c->answer;
    bool as_status = rng_below(k->rng, 2) == 0;
    fk_fail(a, &(struct fk_problem){.code = 410, .reason = "Expired"},
            "too old resource version: %lld (%lld)", (long long)asked,
            (long long)(k->floor > asked ? k->floor : k->version));
    c->ended = true;
    if (as_status)
        return;
    AUTO(buf_done) struct buf status = BUF_INIT(FK_BODY_MAX);
    buf_add(&status, a->body.p, a->body.n - 1); /* without its line feed */
    buf_reset(&a->body);
    buf_addf(&a->body, "{\"type\":\"ERROR\",\"object\":%s}\n", status.p);
    a->status = 200;
}

/* The state as ADDED frames, for a watch that names no version. */
static void add_state(struct fake_kube *k, struct fk_call *c)
{
    struct slice prefix = slice_str(c->watch->prefix);
    struct fk_rev *r = fk_seek(k, prefix, prefix, false, INT64_MAX);
    for (; r && !c->ended; r = fk_seek(k, prefix, r->of->key, true, INT64_MAX))
        add_frame(k, c, FK_ADDED, r);
}

static void add_history(struct fake_kube *k, struct fk_call *c)
{
    for (size_t i = 0; i < k->log_n; i++)
        if (wants(c, k->log[i]))
            add_frame(k, c, k->log[i]->change, k->log[i]);
}

static struct fk_watch *new_watch(struct fake_kube *k, const struct fk_request *r)
{
    AUTO(buf_done) struct buf prefix = BUF_INIT(FK_BODY_MAX);
    int64_t timeout = 0, now = clock_boot_ns(k->clock);
    struct fk_watch *w = fk_alloc(sizeof *w);
    buf_addf(&prefix, "%s/%s/", r->kind->group, r->kind->resource);
    if (r->ns.n)
        buf_addf(&prefix, "%.*s/", SLICE_ARG(r->ns));
    if (!fk_parse_version(r->query.timeout, &timeout) || timeout == 0)
        timeout = TIMEOUT_LEAST_S + (int64_t)rng_below(k->rng, TIMEOUT_LEAST_S);
    w->kind = r->kind;
    w->version = fk_strdup(r->api_version);
    w->prefix = fk_strdup(buf_slice(&prefix));
    w->metadata_only = r->metadata_only;
    w->bookmarks = r->query.bookmarks;
    w->bookmark_ns = now + BOOKMARK_NS;
    w->end_ns = now + timeout * NS_PER_S;
    return w;
}

void fk_watch_open(struct fake_kube *k, struct fk_call *c, const struct fk_request *r, bool gone)
{
    int64_t asked = 0;
    bool given = r->query.version.n && !slice_eq(r->query.version, SLICE("0"));
    k->counts.watches++;
    if (fk_denied(k, r, "watch", &c->answer))
        c->ended = true;
    else if (given && !fk_parse_version(r->query.version, &asked)) {
        fk_fail(&c->answer, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "resourceVersion: Invalid value");
        c->ended = true;
    } else if (given && gone) {
        fk_struck(k, FAKE_KUBE_GONE);
        fail_gone(k, c, asked);
    } else if (given && asked < k->floor)
        fail_gone(k, c, asked);
    if (c->ended)
        return;
    c->answer.status = 200;
    c->watch = new_watch(k, r);
    c->watch->after = asked; /* one that is not there yet: it waits for it, and says nothing */
    if (given)
        add_history(k, c);
    else
        add_state(k, c);
}

/* ---- time and the end ---- */

void fk_watch_tick(struct fake_kube *k, struct fk_call *c, int64_t now_ns)
{
    struct fk_watch *w = c->watch;
    if (!w || c->ended)
        return;
    if (now_ns >= w->end_ns) {
        if (w->bookmarks && k->version >= w->after && rng_below(k->rng, 2))
            add_bookmark(k, c);
        c->ended = true;
        return;
    }
    if (now_ns < w->bookmark_ns)
        return;
    bool late = fk_fault_strikes(k, c, FAKE_KUBE_SLOW_BOOKMARK);
    w->bookmark_ns =
        now_ns + (late ? BOOKMARK_NS + (int64_t)rng_below(k->rng, SLOW_NS) : BOOKMARK_NS);
    if (w->bookmarks && !late && k->version >= w->after)
        add_bookmark(k, c);
}

void fk_watch_close_kind(struct fake_kube *k, const struct fk_kind *kind)
{
    for (struct fk_call *c = k->calls; c; c = c->next)
        if (c->watch && c->watch->kind == kind)
            c->ended = true;
}

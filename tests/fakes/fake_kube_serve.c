/* One request of a client at the modelled API server: what it sees of it, the fault that
 * strikes, the answer.
 *
 * A fault decides before the request takes effect whether it does; a broken or false answer
 * afterwards never undoes it. */
#include "tests/fakes/fake_kube_priv.h"

void fk_record_write(struct fake_kube *k, enum http_method method, struct slice path, int status)
{
    k->writes = fk_grow(k->writes, k->write_n, &k->write_cap, sizeof *k->writes);
    k->writes[k->write_n++] =
        (struct fk_write_record){.method = method, .status = status, .path = fk_strdup(path)};
}

static void fail_unauthorized(struct fk_answer *a)
{
    fk_fail(a, &(struct fk_problem){.code = 401, .reason = "Unauthorized"}, "Unauthorized");
}

static void fail_error(struct fk_answer *a)
{
    fk_fail(a, &(struct fk_problem){.code = 500}, "etcdserver: request timed out");
}

/* Answers that need no look at the request; false: it is to be served. */
static bool answer_at_the_door(struct fake_kube *k, const struct fk_call *c, struct fk_answer *a)
{
    if (k->unauthorized) {
        fail_unauthorized(a);
    } else if (c->fault == FAKE_KUBE_THROTTLED) {
        fk_fail_plain(a, 429, "Too many requests, please try again later.\n");
        a->retry_after_ns = NS_PER_S;
    } else if (c->fault == FAKE_KUBE_ERROR) {
        fail_error(a);
    } else if (c->fault == FAKE_KUBE_NONSENSE) {
        fk_fail_plain(a, 200, "<html><body>Please log in to continue.</body></html>\n");
        a->content_type = "text/html";
    } else {
        return false;
    }
    if (!k->unauthorized)
        fk_struck(k, c->fault);
    return true;
}

static void fail_token(struct fake_kube *k, struct fk_call *c)
{
    fk_struck(k, FAKE_KUBE_GONE);
    fk_fail(&c->answer, &(struct fk_problem){.code = 410, .reason = "Expired"},
            "The provided continue parameter is too old to display a consistent list result.");
}

static void serve_objects(struct fake_kube *k, struct fk_call *c, struct fk_request *r)
{
    bool gone = c->fault == FAKE_KUBE_GONE;
    if (r->method != HTTP_GET)
        fk_serve_write(k, r, &c->answer);
    else if (r->query.watch && !r->name.n)
        fk_watch_open(k, c, r, gone);
    else if (gone && r->query.token.n)
        fail_token(k, c);
    else
        fk_serve_read(k, r, &c->answer);
}

static void serve(struct fake_kube *k, struct fk_call *c)
{
    struct fk_request r = {.body = c->request.body};
    enum fk_route route =
        fk_route(k, c->request.method, c->request.path, c->request.accept, &r, &c->answer);
    if (route == FK_DISCOVERY && r.method == HTTP_GET) {
        k->counts.discoveries++;
        fk_serve_discovery(k, &r, &c->answer);
    } else if (route == FK_DISCOVERY) {
        fk_fail_plain(&c->answer, 405, "405 method not allowed\n");
    } else if (route == FK_OBJECTS) {
        serve_objects(k, c, &r);
    }
    fk_request_done(&r);
}

/* What becomes of the answer on its way back. */
static void spoil(struct fake_kube *k, struct fk_call *c)
{
    struct buf *body = &c->answer.body;
    if (c->fault == FAKE_KUBE_REPLY_LOST) {
        c->answer.status = 0;
        fk_call_break(k, c, true, false);
    } else if (c->fault == FAKE_KUBE_ERROR_DONE && !c->watch) {
        fail_error(&c->answer);
    } else if (c->fault == FAKE_KUBE_BODY_CUT && !c->watch && body->n) {
        buf_truncate(body, (size_t)rng_below(&k->fault_rng.rng, body->n));
        fk_call_break(k, c, true, true);
    } else {
        return;
    }
    fk_struck(k, c->fault);
}

void fk_call_serve(struct fake_kube *k, struct fk_call *c)
{
    if (c->fault == FAKE_KUBE_REQUEST_LOST) {
        fk_struck(k, c->fault);
        fk_call_break(k, c, true, false);
        return;
    }
    if (!answer_at_the_door(k, c, &c->answer))
        serve(k, c);
    fk_must(c->answer.body.bad);
    if (c->request.method != HTTP_GET)
        fk_record_write(k, c->request.method, c->request.path, c->answer.status);
    c->ended |= !c->watch;
    spoil(k, c);
}

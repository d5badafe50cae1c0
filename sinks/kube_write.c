/* The way of one item: project, then one request after another until the destination has decided.
 *
 *   put without a record:  POST, 409 -> GET      put with one: GET -> PUT, or POST where it is gone
 *   writeMode: apply:      PATCH in the place of PUT, after a PUT of managedFields alone where plain writes own members
 *   delete:                GET -> DELETE         a write whose answer was lost: GET again, then decide anew
 *
 * What has Services called (webhooks) is written once an endpoint of each is ready: GET before the write.
 *
 * A kind that is not served, which the path's 404 says, may have objects all the same (another version is served, the
 * server has just begun): a put waits, and so does a delete, unless discovery tells that the kind is gone as a whole.
 *
 * Every decision after the first request is made on what a GET showed, and every PUT and DELETE carries its uid and
 * resourceVersion: so repeating any prefix of the way, as after a crash, is harmless (I4). */
#include "sinks/kube_write_priv.h"

#include "core/compress.h"
#include "core/event.h"
#include "core/json.h"
#include "io/http.h"
#include "sinks/kube_namespace.h"
#include "sinks/kube_project.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_say.h"
#include "sinks/kube_service.h"
#include "sinks/kube_skip.h"

#include <assert.h>

#define TEXT_MAX KEY_MAX
#define URL_MAX  (4 * KEY_MAX)
#define ANSWER_MAX                                                                                 \
    (2 * KUBE_BODY_MAX) /* an object with the destination's managedFields and status */
#define ECHO_TRIES 10   /* with the pump's back-off about a minute: longer than a write may take */
#define BY_US      "fieldManager=" KUBE_MANAGER
/* Whose object it is was decided by a look, and the request names that very state of it. */
#define APPLIED_BY_US BY_US "&force=true"
#define APPLY_TYPE    SLICE("application/apply-patch+yaml")

/* ---- Beginning ---- */

static enum rc skip(struct kube_write *w, const char *cls, const char *why)
{
    kube_write_end(w, SINK_SKIPPED, cls, "not copied: %s", why);
    return RC_OK;
}

/* What the table says about the kind. */
static bool skip_kind(struct kube_write *w)
{
    if (w->rule->star == KUBE_STAR_NEVER)
        kube_write_end(w, SINK_SKIPPED, "never-copied", "never copied: this kind %s", w->rule->why);
    else if (w->rule->star == KUBE_STAR_NAME_ONLY && !w->item.policy->by_name)
        kube_write_end(w, SINK_SKIPPED, "by-name-only",
                       "'*' does not take this kind; name the resource to have it copied");
    return w->done;
}

/* Where the object comes from: its own origin mark, where another cluster is the first; else the source. */
static enum rc set_origin(struct kube_write *w, const struct kube_marks *marks, struct err *e)
{
    bool passed_on =
        marks->origin_cluster.n > 0 && !slice_eq(marks->origin_cluster, w->dest->source);
    buf_add_slice(&w->origin_cluster, passed_on ? marks->origin_cluster : w->dest->source);
    buf_add_slice(&w->origin_uid, passed_on ? marks->origin_uid : w->item.event->uid);
    w->origin_here = passed_on && slice_eq(marks->origin_cluster, w->dest->me.destination);
    enum rc rc = buf_check(&w->origin_cluster, "an origin mark", e);
    return rc == RC_OK ? buf_check(&w->origin_uid, "an origin mark", e) : rc;
}

static enum rc project(struct kube_write *w, struct json_doc *d, struct err *e)
{
    const struct kube_project_opts opts = {
        .rule = w->rule,
        .api_version = w->item.event->api_version,
        .kind = w->item.event->kind,
        .effects_allow = w->item.policy->effects_allow,
    };
    enum rc rc = kube_project(d, &opts, &w->desired, e);
    return rc == RC_OK ? kube_project_hash(d, &opts, w->desired_hash, e) : rc;
}

/* The record says that the destination has this already, and nothing was written since. */
static bool is_applied(const struct kube_write *w)
{
    return !w->doubt && w->has_old && w->old.raw_size > 0 &&
           memcmp(w->old.desired_hash, w->desired_hash, KUBE_HASH_SIZE) == 0 &&
           slice_eq(w->old.source_uid, w->item.event->uid);
}

enum echo { ECHO_NO, ECHO_YES, ECHO_UNKNOWN };

/* What the opposite synchronization wrote is all that the source has: nothing of its own was kept there by the
 * merge, which has yet to go to the destination. */
static bool is_whole(const struct kube_record *r)
{
    return memcmp(r->desired_hash, r->answer_hash, KUBE_HASH_SIZE) == 0;
}

/* Of what was first made in the destination an equal state is as good as the version of the answer (then only status or
 * ignored members differ), unless we wrote another state there since. */
static bool is_same_state(const struct kube_write *w, const struct kube_record *r)
{
    bool we_wrote = w->has_old && w->old.version.n > 0;
    return w->origin_here && !we_wrote && is_whole(r) &&
           memcmp(r->answer_hash, w->desired_hash, KUBE_HASH_SIZE) == 0;
}

/* What the opposite synchronization wrote into the source comes back as an event: written into the destination once
 * more it would undo what changed there since. Its record tells that write, if that was committed already; so what
 * does not match it waits, for as long as a write may take where a resilog was the last to write. Where the opposite
 * one is kept elsewhere (or is a longer way round) the last writer alone decides, so that a ring ends here
 * (docs/adr/0008). */
static enum echo judge_echo(const struct kube_write *w)
{
    bool by_us = slice_eq(w->item.event->manager, SLICE(KUBE_MANAGER));
    struct kube_record r;
    struct err ignored = ERR_INIT;
    if (!w->origin_here && (!by_us || !w->has_old || w->item.decided_anew || w->doubt))
        return ECHO_NO;
    if (kube_record_decode(w->item.opposite, &r, &ignored) != RC_OK)
        return by_us && w->origin_here ? ECHO_YES : ECHO_NO;
    if (slice_eq(r.version, w->item.event->version))
        return is_whole(&r) ? ECHO_YES : ECHO_NO;
    if (is_same_state(w, &r))
        return ECHO_YES;
    return w->item.tries < (by_us ? ECHO_TRIES : 1) ? ECHO_UNKNOWN : ECHO_NO;
}

static enum rc end_echo(struct kube_write *w, struct err *e)
{
    enum rc rc = kube_write_remember(w, e);
    return rc == RC_OK ? skip(w, "echo", "the change came from the destination") : rc;
}

static enum rc choose_first(struct kube_write *w, struct err *e)
{
    if (is_applied(w)) {
        kube_write_end(w, SINK_DONE, "", "%s", "");
        return RC_OK;
    }
    switch (judge_echo(w)) {
    case ECHO_YES:
        return end_echo(w, e);
    case ECHO_UNKNOWN:
        kube_write_end(w, SINK_WAITING, "opposite",
                       "the opposite synchronization may have written this; its answer is awaited");
        return RC_OK;
    case ECHO_NO:
        break;
    }
    bool is_there = w->has_old || w->origin_here || w->item.preimage.n > 0;
    w->next = is_there ? KUBE_DO_GET : KUBE_DO_POST;
    return RC_OK;
}

static enum rc begin_put(struct kube_write *w, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_marks marks;
    if (skip_kind(w))
        return RC_OK;
    enum rc rc = json_parse_view(w->item.body, &d, e);
    if (rc != RC_OK)
        return rc;
    const char *why = kube_skip_why(d, w->key.group, w->key.resource);
    if (why)
        return skip(w, "excluded", why);
    if (kube_skip_owned(d, w->rule, w->dest->selected, w->dest->n_selected))
        return skip(w, "owned", "its owner makes it in the destination too");
    kube_marks_read(d, json_root(d), &w->dest->me, w->item.event->key, &marks);
    rc = set_origin(w, &marks, e);
    if (rc == RC_OK)
        rc = project(w, d, e);
    if (rc == RC_OK)
        rc = kube_services_named(d, w->rule, &w->services, e);
    return rc == RC_OK ? choose_first(w, e) : rc;
}

static enum rc read_names(struct kube_write *w, struct err *e)
{
    struct slice version, first = slice_cut(w->item.event->api_version, '/', &version);
    enum rc rc = key_parse(w->item.event->key, &w->key, e);
    if (rc != RC_OK)
        return rc;
    if (first.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "event without apiVersion");
    w->gvr = (struct kube_gvr){w->key.group, version.n ? version : first, w->key.resource};
    w->rule = kube_rule_find(w->key.group, w->key.resource);
    return RC_OK;
}

/* A record that cannot be read counts as none: marks still say whose the object is. */
static void read_record(struct kube_write *w)
{
    struct err why = ERR_INIT;
    if (w->item.record.n == 0)
        return;
    w->has_old = kube_record_decode(w->item.record, &w->old, &why) == RC_OK;
    if (!w->has_old)
        kube_say(w, DIAG_WARN, "the applied record of an object cannot be read", KUBE_DO_GET,
                 why.msg);
}

static enum rc begin(struct kube_write *w, struct err *e)
{
    enum rc rc = read_names(w, e);
    if (rc != RC_OK)
        return rc;
    read_record(w);
    if (w->item.op == SINK_PUT)
        return begin_put(w, e);
    w->next = KUBE_DO_GET;
    return RC_OK;
}

/* What is wrong with the item itself holds its key, and nothing else. */
static enum rc poison(struct kube_write *w, enum rc rc, struct err *why, struct err *e)
{
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (rc == RC_OK)
        return RC_OK;
    bool quiet = w->rule && kube_write_secret(w);
    kube_write_end(w, SINK_HELD, rc == RC_LIMIT ? "too-large" : "invalid", "%s",
                   quiet ? "the object cannot be read" : why->msg);
    return RC_OK;
}

static void init_bufs(struct kube_write *w)
{
    buf_init(&w->desired, KUBE_RECORD_BODY_MAX);
    buf_init(&w->origin_cluster, TEXT_MAX);
    buf_init(&w->origin_uid, TEXT_MAX);
    buf_init(&w->services, KUBE_BODY_MAX);
    buf_init(&w->live_uid, KUBE_RECORD_TEXT_MAX);
    buf_init(&w->live_version, KUBE_RECORD_TEXT_MAX);
    buf_init(&w->path, URL_MAX);
    buf_init(&w->body, 2 * ANSWER_MAX);
    buf_init(&w->dependency, TEXT_MAX);
    buf_init(&w->record, KUBE_RECORD_MAX);
    buf_init(&w->preimage, KUBE_RECORD_MAX);
}

enum rc kube_write_new(const struct kube_dest *dest, const struct sink_item *item,
                       struct kube_write **ret, struct err *e)
{
    AUTO(kube_write_freep) struct kube_write *w = calloc(1, sizeof *w);
    struct err why = ERR_INIT;
    assert(item->event && (item->policy || item->op == SINK_DELETE));
    if (!w)
        return err_nomem(e);
    w->dest = dest;
    w->item = *item;
    w->doubt = item->unsure;
    w->result = (struct sink_result){.ticket = item->ticket, .cls = "", .retry_after_ns = -1};
    init_bufs(w);
    enum rc rc = poison(w, begin(w, &why), &why, e);
    if (rc == RC_OK)
        *ret = steal(&w);
    return rc;
}

void kube_write_free(struct kube_write *w)
{
    if (!w)
        return;
    buf_done(&w->desired);
    buf_done(&w->origin_cluster);
    buf_done(&w->origin_uid);
    buf_done(&w->services);
    buf_done(&w->live_uid);
    buf_done(&w->live_version);
    buf_done(&w->path);
    buf_done(&w->body);
    buf_done(&w->dependency);
    buf_done(&w->record);
    buf_done(&w->preimage);
    free(w);
}

unsigned kube_write_order(const struct kube_write *w)
{
    return w->rule ? w->rule->order : 0;
}

const struct sink_result *kube_write_result(const struct kube_write *w)
{
    return w->done ? &w->result : NULL;
}

/* ---- Requests ---- */

static enum rc build_post(struct kube_write *w, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    const struct kube_marks marks = {
        .origin_cluster = buf_slice(&w->origin_cluster),
        .origin_uid = buf_slice(&w->origin_uid),
    };
    bool changed;
    w->owned = true;
    w->adopted = false;
    enum rc rc = json_parse_view(buf_slice(&w->desired), &d, e);
    if (rc == RC_OK)
        rc = kube_marks_set(d, &w->dest->me, w->item.event->key, &marks, &changed, e);
    if (rc == RC_OK)
        json_print(json_root(d), &w->body);
    return rc;
}

static void build_delete(struct kube_write *w)
{
    buf_add_str(&w->body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{"
                          "\"uid\":");
    json_print_text(buf_slice(&w->live_uid), &w->body);
    buf_add_str(&w->body, ",\"resourceVersion\":");
    json_print_text(buf_slice(&w->live_version), &w->body);
    buf_add_str(&w->body, "},\"propagationPolicy\":\"Background\"}");
}

static enum rc build_body(struct kube_write *w, struct err *e)
{
    enum rc rc = RC_OK;
    if (w->next == KUBE_DO_PUT || w->next == KUBE_DO_TAKE_OVER || w->next == KUBE_DO_APPLY ||
        w->next == KUBE_DO_SERVICE)
        return RC_OK; /* kube_update.c has built it */
    buf_reset(&w->body);
    if (w->next == KUBE_DO_POST)
        rc = build_post(w, e);
    else if (w->next == KUBE_DO_DELETE)
        build_delete(w);
    else if (w->next == KUBE_DO_NAMESPACE)
        rc = kube_namespace_body(w->key.ns, w->item.ns_labels, &w->dest->me, &w->body, e);
    return rc == RC_OK ? buf_check(&w->body, "a request", e) : rc;
}

static const struct phase {
    enum http_method method;
    const char *query;
    bool writes; /* the object itself */
    const char *doing, *done, *failed;
} phases[] = {
    [KUBE_DO_GET] = {HTTP_GET, "", false, "reading object from cluster", "object read from cluster",
                     "error getting object from cluster"},
    [KUBE_DO_POST] = {HTTP_POST, BY_US, true, "creating object in cluster",
                      "object created in cluster", "error creating object in cluster"},
    [KUBE_DO_PUT] = {HTTP_PUT, BY_US, true, "updating object in cluster",
                     "object updated in cluster", "error updating object in cluster"},
    [KUBE_DO_TAKE_OVER] = {HTTP_PUT, BY_US, true, "updating object in cluster",
                           "object updated in cluster", "error updating object in cluster"},
    [KUBE_DO_APPLY] = {HTTP_PATCH, APPLIED_BY_US, true, "updating object in cluster",
                       "object updated in cluster", "error updating object in cluster"},
    [KUBE_DO_DELETE] = {HTTP_DELETE, "", true, "deleting object in cluster",
                        "object deleted in cluster", "error deleting object in cluster"},
    [KUBE_DO_SERVICE] = {HTTP_GET, "", false, "listing objects in cluster",
                         "listed objects in cluster", "error listing objects in cluster"},
    [KUBE_DO_NAMESPACE] = {HTTP_POST, BY_US, false, "creating namespace from cluster",
                           "namespace created in cluster", "error creating namespace in cluster"},
};

/* The key of the Service that is asked about next. */
static struct slice service_of(const struct kube_write *w)
{
    return slice_str(w->services.p + w->services_ready);
}

/* Before a write: a question about a Service goes ahead. */
static void ask_first(struct kube_write *w)
{
    bool asks = phases[w->next].writes && w->next != KUBE_DO_DELETE;
    if (!asks || w->services_ready >= w->services.n)
        return;
    w->after = w->next;
    w->next = KUBE_DO_SERVICE;
}

static void build_path(struct kube_write *w)
{
    static const struct kube_gvr namespaces = {{NULL, 0}, {"v1", 2}, {"namespaces", 10}};
    struct slice query = slice_str(phases[w->next].query);
    buf_reset(&w->path);
    if (w->next == KUBE_DO_SERVICE)
        kube_services_path(service_of(w), &w->path);
    else if (w->next == KUBE_DO_NAMESPACE)
        kube_path(&namespaces, SLICE_NULL, SLICE_NULL, query, &w->path);
    else
        kube_path(&w->gvr, w->key.ns, w->next == KUBE_DO_POST ? SLICE_NULL : w->key.name, query,
                  &w->path);
}

/* What is no failure but no success either. */
static const struct {
    enum kube_next asked;
    enum kube_class cls;
    const char *msg;
    enum kube_next about;
} benign[] = {
    {KUBE_DO_GET, KUBE_OBJECT_MISSING, "object not found in cluster", KUBE_DO_GET},
    {KUBE_DO_DELETE, KUBE_OBJECT_MISSING, "object not found in cluster", KUBE_DO_DELETE},
    {KUBE_DO_POST, KUBE_NAMESPACE_MISSING, "namespace not found in cluster", KUBE_DO_NAMESPACE},
    {KUBE_DO_NAMESPACE, KUBE_EXISTS, "namespace already exists in cluster", KUBE_DO_NAMESPACE},
};

static void say_answer(const struct kube_write *w, enum kube_next asked, enum kube_class cls)
{
    if (cls == KUBE_OK)
        kube_say(w, DIAG_DEBUG, phases[asked].done, asked, NULL);
    for (size_t i = 0; i < sizeof benign / sizeof *benign; i++)
        if (benign[i].asked == asked && benign[i].cls == cls)
            kube_say(w, DIAG_DEBUG, benign[i].msg, benign[i].about, NULL);
}

enum rc kube_write_request(struct kube_write *w, struct http_request *ret, struct err *e)
{
    assert(!w->done && w->next != KUBE_DO_NOTHING);
    ask_first(w);
    const struct phase *p = &phases[w->next];
    struct err why = ERR_INIT;
    enum rc rc = build_body(w, &why);
    build_path(w);
    if (rc == RC_OK)
        rc = buf_check(&w->path, "a request's path", &why);
    if (rc != RC_OK) {
        rc = poison(w, rc, &why, e);
        return rc == RC_OK ? RC_END : rc;
    }
    *ret = (struct http_request){
        .method = p->method,
        .lane = HTTP_LANE_CALL,
        .path = buf_slice(&w->path),
        .content_type = p->method == HTTP_PATCH ? APPLY_TYPE : SLICE_NULL,
        .body = p->method == HTTP_GET ? SLICE_NULL : buf_slice(&w->body),
        .body_max = ANSWER_MAX,
    };
    if (p->method != HTTP_GET)
        w->result.wrote = true;
    kube_say(w, DIAG_DEBUG, p->doing, w->next, NULL);
    return RC_OK;
}

/* ---- Answers ---- */

static enum rc refused(struct kube_write *w, const struct kube_answer *a)
{
    return kube_write_refused(w, a, phases[w->next].failed);
}

static enum rc on_get(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    if (a->verdict.cls == KUBE_OK)
        return kube_write_seen(w, a->body, e);
    if (a->verdict.cls == KUBE_OBJECT_MISSING || a->verdict.cls == KUBE_NAMESPACE_MISSING)
        return kube_write_missing(w);
    return refused(w, a);
}

static enum rc on_post(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    switch ((int)a->verdict.cls) {
    case KUBE_OK:
        return kube_write_applied(w, a->body, KUBE_RECORD_CREATED, e);
    case KUBE_EXISTS:
        w->next = KUBE_DO_GET;
        if (++w->conflicts > KUBE_WRITE_CONFLICTS)
            return refused(w, a);
        return RC_OK;
    case KUBE_NAMESPACE_MISSING:
        if (!w->item.policy->force_namespace || w->made_namespace)
            return refused(w, a);
        w->made_namespace = true;
        w->next = KUBE_DO_NAMESPACE;
        return RC_OK;
    default:
        return refused(w, a);
    }
}

/* Somebody wrote between our look and our write: look again, but not for ever. */
static enum rc look_again(struct kube_write *w, const struct kube_answer *a)
{
    if (++w->conflicts >= KUBE_WRITE_CONFLICTS)
        return refused(w, a);
    w->next = KUBE_DO_GET;
    return RC_OK;
}

static enum rc on_put(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    bool kept;
    enum rc rc;
    switch ((int)a->verdict.cls) {
    case KUBE_OK:
        rc = kube_write_kept(w, a->body, &kept, e);
        if (rc == RC_OK && kept)
            return kube_write_immutable(w, a);
        return rc == RC_OK ? kube_write_applied(w, a->body, w->old.flags & KUBE_RECORD_CREATED, e)
                           : rc;
    case KUBE_CONFLICT:
    case KUBE_OBJECT_MISSING:
        return look_again(w, a);
    case KUBE_IMMUTABLE:
        return kube_write_immutable(w, a);
    default:
        return refused(w, a);
    }
}

/* Now the applies own what the plain writes did; it goes on from the object as it came back. */
static enum rc on_take_over(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    if (a->verdict.cls != KUBE_OK)
        return on_put(w, a, e);
    w->taken_over = true;
    return kube_write_seen(w, a->body, e);
}

static enum rc on_delete(struct kube_write *w, const struct kube_answer *a)
{
    switch ((int)a->verdict.cls) {
    case KUBE_OK:
    case KUBE_OBJECT_MISSING:
    case KUBE_NAMESPACE_MISSING:
        if (!w->recreate)
            return kube_write_missing(w);
        w->next = KUBE_DO_POST;
        return RC_OK;
    case KUBE_CONFLICT:
        return look_again(w, a);
    default:
        return refused(w, a);
    }
}

static enum rc on_namespace(struct kube_write *w, const struct kube_answer *a)
{
    if (a->verdict.cls != KUBE_OK && a->verdict.cls != KUBE_EXISTS)
        return refused(w, a);
    w->next = KUBE_DO_POST;
    return RC_OK;
}

static enum rc on_service(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    struct slice key = service_of(w);
    bool ready;
    if (a->verdict.cls == KUBE_KIND_MISSING) {
        kube_write_end(
            w, SINK_WAITING, "service-not-ready",
            "whether %.*s, which it has called, has a ready endpoint cannot be seen: the "
            "EndpointSlices (discovery.k8s.io/v1) of the destination cannot be listed: %s",
            SLICE_ARG(key), a->verdict.message);
        w->result.dependency = key;
        return RC_OK;
    }
    if (a->verdict.cls != KUBE_OK)
        return refused(w, a);
    enum rc rc = kube_services_ready(a->body, &ready, e);
    if (rc != RC_OK)
        return rc;
    if (ready) {
        w->services_ready += key.n + 1;
        w->next = w->after;
        return RC_OK;
    }
    kube_write_end(w, SINK_WAITING, "service-not-ready",
                   "%.*s, which it has called, has no ready endpoint in the destination",
                   SLICE_ARG(key));
    w->result.dependency = key;
    return RC_OK;
}

static enum rc dispatch(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    switch (w->next) {
    case KUBE_DO_GET:
        return on_get(w, a, e);
    case KUBE_DO_POST:
        return on_post(w, a, e);
    case KUBE_DO_PUT:
    case KUBE_DO_APPLY:
        return on_put(w, a, e);
    case KUBE_DO_TAKE_OVER:
        return on_take_over(w, a, e);
    case KUBE_DO_DELETE:
        return on_delete(w, a);
    case KUBE_DO_NAMESPACE:
        return on_namespace(w, a);
    case KUBE_DO_SERVICE:
        return on_service(w, a, e);
    case KUBE_DO_NOTHING:
        break;
    }
    assert(false && "an answer without a request");
    return RC_OK;
}

/* True if nobody knows whether the write was done. */
static bool in_doubt(const struct kube_write *w, const struct kube_answer *a)
{
    bool told = a->verdict.cls == KUBE_THROTTLED || a->verdict.cls == KUBE_UNAUTHORIZED;
    return phases[w->next].writes && !told && (a->status != 0 || a->maybe_done);
}

enum rc kube_write_answer(struct kube_write *w, const struct kube_answer *a, struct err *e)
{
    struct err why = ERR_INIT;
    enum kube_next asked = w->next;
    enum rc rc = dispatch(w, a, &why);
    if (rc == RC_INVALID && a->verdict.cls == KUBE_OK)
        rc = RC_AGAIN; /* a success without its object: look */
    w->failing = phases[asked].failed;
    if (rc == RC_AGAIN && in_doubt(w, a)) {
        w->doubt = true;
        w->next = KUBE_DO_GET;
    }
    if (rc == RC_OK)
        say_answer(w, asked, a->verdict.cls);
    return rc == RC_AGAIN ? rc : poison(w, rc, &why, e);
}

void kube_write_give_up(struct kube_write *w, const struct kube_answer *a)
{
    kube_write_unserved(w, a, w->failing);
}

const struct kube_gvr *kube_write_kind_in_doubt(const struct kube_write *w)
{
    return w->done && w->item.op == SINK_DELETE && w->refused == KUBE_KIND_MISSING ? &w->gvr : NULL;
}

void kube_write_kind_gone(struct kube_write *w)
{
    w->result.dependency = SLICE_NULL;
    w->result.retry_after_ns = -1;
    (void)kube_write_missing(w); /* a delete of what is missing is done */
}

/* Metadata-only lists, read for our own marks.
 *
 * Keeps one page at a time. A list that expired between two pages begins anew: only a complete one ends the
 * iterator, because what is not in it will be taken for gone. Refusals (403) are the iterator's failure; silence
 * is asked again. */
#include "sinks/kube_scan.h"

#include "core/backoff.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/env.h"
#include "core/event.h"
#include "core/event_iter.h"
#include "core/json.h"
#include "core/key.h"
#include "io/http.h"
#include "io/kube.h"
#include "io/kube_error.h"
#include "sinks/kube_mark.h"
#include "sinks/kube_record.h"
#include "sinks/kube_write.h"

#include <stdio.h>

#define PAGE_MAX      (32u << 20)
#define PAGE_MOST     250
#define PAGE_LEAST    10
#define URL_MAX       (16u << 10)
#define ERROR_LISTING "error listing objects in cluster"
#define FIRST_NS      (500 * NS_PER_MS)
#define MOST_NS       (30 * NS_PER_S)
#define METADATA_ONLY                                                                              \
    SLICE("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json")

enum scan_state { SCAN_WANTS, SCAN_ASKING, SCAN_READING, SCAN_END, SCAN_FAILED };

struct kube_scan {
    struct event_iter iter; /* first */
    struct kube_scans *all; /* NULL: the sink has ended */
    struct kube_scan *next;
    const struct kube_dest *dest;
    struct http *http;
    enum scan_state state;
    http_id id;
    int64_t not_before;
    struct backoff backoff;
    struct err failure;

    unsigned limit;                       /* of a page; less where one was too large */
    struct buf scope, api_version, token; /* token: where the next page begins */
    struct json_doc *page;
    struct json *item; /* the next one to look at */

    struct event event;
    struct buf key, record;
};

static struct kube_gvr gvr_of(const struct kube_scan *s)
{
    struct slice resource, version;
    struct slice group = slice_cut(buf_slice(&s->scope), '/', &resource);
    struct slice first = slice_cut(buf_slice(&s->api_version), '/', &version);
    return (struct kube_gvr){group, version.n ? version : first, resource};
}

/* error: NULL: none. */
static void say(const struct kube_scan *s, enum diag_level level, const char *msg,
                const char *error)
{
    const struct kube_gvr gvr = gvr_of(s);
    const struct diag_field fields[] = {
        DIAG_T("scope", buf_slice(&s->scope)),
        DIAG_J("destinationObject.apiGroup", gvr.group),
        DIAG_J("destinationObject.apiVersion", gvr.version),
        DIAG_J("destinationObject.resource", gvr.resource),
        DIAG_S("error", slice_str(error)),
    };
    size_t n = sizeof fields / sizeof *fields;
    diag_say(s->dest->diag, level, msg, fields, error ? n : n - 1);
}

static enum rc fail(struct kube_scan *s, struct err *e)
{
    if (e)
        *e = s->failure;
    return s->failure.rc;
}

static enum rc give_up(struct kube_scan *s, enum rc rc)
{
    s->state = SCAN_FAILED;
    return rc;
}

/* ---- Reading a page ---- */

static enum rc fill_event(struct kube_scan *s, const struct kube_marks *marks,
                          const struct json *metadata, struct err *e)
{
    bool of_source = slice_eq(marks->origin_cluster, s->dest->source);
    int64_t generation = 0;
    struct kube_record r = {
        .flags = KUBE_RECORD_BASE_UNKNOWN | (marks->adopted ? KUBE_RECORD_ADOPTED : 0u),
        .uid = json_get_text(s->page, metadata, "uid"),
        .version = json_get_text(s->page, metadata, "resourceVersion"),
        .source_uid = of_source ? marks->origin_uid : SLICE_NULL,
    };
    if (json_int(json_get(metadata, "generation"), &generation) && generation > 0)
        r.generation = (uint64_t)generation;
    buf_reset(&s->record);
    enum rc rc = kube_record_encode(&r, SLICE_NULL, s->dest->compressor, &s->record, e);
    if (rc != RC_OK)
        return rc;
    s->event = (struct event){
        .op = EVENT_PUT,
        .cause = CAUSE_LIST,
        .source_kind = SOURCE_KUBERNETES,
        .key = buf_slice(&s->key),
        .uid = r.uid,
        .version = r.version,
        .api_version = buf_slice(&s->api_version),
        .body = buf_slice(&s->record),
    };
    return RC_OK;
}

/* RC_OK: the item is ours and s->event is it; RC_AGAIN: it is not. */
static enum rc read_item(struct kube_scan *s, const struct json *item, struct err *e)
{
    const struct json *metadata = json_get(item, "metadata");
    struct kube_gvr r = gvr_of(s);
    struct kube_marks marks;
    struct key key = {r.group, r.resource, json_get_text(s->page, metadata, "namespace"),
                      json_get_text(s->page, metadata, "name")};
    buf_reset(&s->key);
    key_print(&key, &s->key);
    enum rc rc = buf_check(&s->key, "an object's key", e);
    if (rc != RC_OK)
        return rc;
    kube_marks_read(s->page, item, &s->dest->me, buf_slice(&s->key), &marks);
    return marks.claim == KUBE_OURS ? fill_event(s, &marks, metadata, e) : RC_AGAIN;
}

static void drop_page(struct kube_scan *s)
{
    json_free(s->page);
    s->page = NULL;
    s->item = NULL;
}

static enum rc scan_next(struct event_iter *it, const struct event **ret, struct err *e)
{
    struct kube_scan *s = (struct kube_scan *)it;
    while (s->state == SCAN_READING && s->item) {
        struct json *item = s->item;
        enum rc rc = read_item(s, item, &s->failure);
        if (rc < 0)
            return give_up(s, fail(s, e));
        s->item = item->next;
        if (rc == RC_OK) {
            *ret = &s->event;
            return RC_OK;
        }
    }
    if (s->state == SCAN_READING) {
        drop_page(s);
        s->state = s->token.n > 0 ? SCAN_WANTS : SCAN_END;
        if (s->state == SCAN_END)
            say(s, DIAG_DEBUG, "listed objects in cluster", NULL);
    }
    if (s->state == SCAN_FAILED)
        return fail(s, e);
    return s->state == SCAN_END ? RC_END : RC_AGAIN;
}

/* ---- Asking for one ---- */

static enum rc start(struct kube_scan *s, struct err *e)
{
    AUTO(buf_done) struct buf query = BUF_INIT(URL_MAX), path = BUF_INIT(URL_MAX);
    struct kube_gvr gvr = gvr_of(s);
    buf_addf(&query, "limit=%u", s->limit);
    if (s->token.n > 0) {
        buf_add_str(&query, "&continue=");
        kube_query_escape(buf_slice(&s->token), &query);
    }
    kube_path(&gvr, SLICE_NULL, SLICE_NULL, buf_slice(&query), &path);
    enum rc rc = buf_check(&query, "a list's continue token", e);
    if (rc == RC_OK)
        rc = buf_check(&path, "a list's path", e);
    if (rc != RC_OK)
        return rc;
    const struct http_request r = {.method = HTTP_GET,
                                   .lane = HTTP_LANE_CALL,
                                   .path = buf_slice(&path),
                                   .accept = METADATA_ONLY,
                                   .body_max = PAGE_MAX};
    rc = http_start(s->http, &r, &s->id, e);
    if (rc != RC_OK)
        return rc;
    s->state = SCAN_ASKING;
    if (s->token.n == 0) /* the first page */
        say(s, DIAG_DEBUG, "listing objects in cluster", NULL);
    return RC_OK;
}

enum rc kube_scans_step(struct kube_scans *all, int64_t now, int64_t *ret_wake_ns, struct err *e)
{
    *ret_wake_ns = INT64_MAX;
    for (struct kube_scan *s = all->first; s; s = s->next) {
        if (s->state != SCAN_WANTS)
            continue;
        if (now >= s->not_before) {
            enum rc rc = start(s, &s->failure);
            if (rc == RC_OK || rc == RC_NOMEM)
                return rc == RC_OK ? RC_OK : err_nomem(e);
            s->state = SCAN_FAILED;
            return RC_OK;
        }
        if (s->not_before < *ret_wake_ns)
            *ret_wake_ns = s->not_before;
    }
    return RC_AGAIN;
}

static void ask_again(struct kube_scan *s, int64_t at_least_ns, const struct env *env)
{
    int64_t wait = backoff_next_ns(&s->backoff, env->rng);
    s->not_before = clock_boot_ns(env->clock) + (wait > at_least_ns ? wait : at_least_ns);
    s->state = SCAN_WANTS;
}

/* The page is parsed from a copy: the event's bytes end with the call. */
static enum rc open_page(struct kube_scan *s, struct slice body, struct err *e)
{
    enum rc rc = json_parse(body, &s->page, e);
    if (rc != RC_OK)
        return rc;
    const struct json *items = json_get(json_root(s->page), "items");
    const struct json *metadata = json_get(json_root(s->page), "metadata");
    if (!json_is(metadata, JSON_OBJECT) || (items && items->type == JSON_OBJECT))
        return err_set(e, RC_INVALID, ERR_RETRY, "the answer is no list");
    buf_reset(&s->token);
    buf_add_slice(&s->token, json_get_text(s->page, metadata, "continue"));
    s->item = json_is(items, JSON_ARRAY) ? items->first : NULL;
    s->state = SCAN_READING;
    backoff_reset(&s->backoff);
    return buf_check(&s->token, "a list's continue token", e);
}

/* What is no page: the end, a failure, or a page to be asked for again. */
static void no_page(struct kube_scan *s, const struct kube_verdict *v, const struct env *env)
{
    switch ((int)v->cls) {
    case KUBE_KIND_MISSING:
    case KUBE_OBJECT_MISSING:
        say(s, DIAG_DEBUG, "list objects not found in cluster", NULL);
        (void)err_set(&s->failure, RC_NOTFOUND, ERR_RETRY, "the destination does not serve %.*s",
                      SLICE_ARG(buf_slice(&s->scope)));
        s->state = SCAN_FAILED;
        return;
    case KUBE_EXPIRED:
        buf_reset(&s->token);
        break;
    case KUBE_TOO_LARGE:
        if (s->limit > PAGE_LEAST) {
            s->limit = s->limit / 2 > PAGE_LEAST ? s->limit / 2 : PAGE_LEAST;
            break;
        }
        /* fall through */
    case KUBE_FORBIDDEN:
    case KUBE_INVALID:
    case KUBE_UNACCEPTABLE:
        (void)kube_verdict_err(v, ERROR_LISTING, &s->failure);
        s->state = SCAN_FAILED;
        return;
    default:
        snprintf(s->all->trouble, sizeof s->all->trouble, "%s: %.60s: %.200s", ERROR_LISTING,
                 v->reason, v->message);
        say(s, DIAG_WARN, ERROR_LISTING, s->all->trouble + sizeof ERROR_LISTING + 1);
        break;
    }
    ask_again(s, v->retry_after_ns, env);
}

static void answer(struct kube_scan *s, const struct http_event *ev, const struct env *env,
                   struct kube_verdict *v)
{
    struct err why = ERR_INIT;
    s->id = 0;
    if (ev->err.rc == RC_OK)
        kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, v);
    else
        kube_judge_failure(&ev->err, v);
    s->all->trouble[0] = '\0';
    if (v->cls == KUBE_OK && open_page(s, ev->data, &why) == RC_OK)
        return;
    drop_page(s);
    if (v->cls == KUBE_OK) {
        bool large = why.rc == RC_LIMIT;
        *v = (struct kube_verdict){.cls = large ? KUBE_TOO_LARGE : KUBE_NONSENSE,
                                   .retry_after_ns = -1};
        snprintf(v->reason, sizeof v->reason,
                 large ? "the page is too large" : "the answer is no list");
        snprintf(v->message, sizeof v->message, "%.200s", why.msg);
    }
    no_page(s, v, env);
}

bool kube_scans_answer(struct kube_scans *all, const struct http_event *ev, const struct env *env,
                       struct kube_verdict *ret)
{
    struct kube_scan *s = all->first;
    while (s && s->id != ev->id)
        s = s->next;
    if (s)
        answer(s, ev, env, ret);
    return s;
}

/* ---- Life ---- */

static void leave(struct kube_scan *s)
{
    struct kube_scan **at = &s->all->first;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (s->id)
        http_cancel(s->http, s->id);
    s->all = NULL;
    s->http = NULL;
}

static void scan_free(struct event_iter *it)
{
    struct kube_scan *s = (struct kube_scan *)it;
    if (s->all)
        leave(s);
    drop_page(s);
    buf_done(&s->scope);
    buf_done(&s->api_version);
    buf_done(&s->token);
    buf_done(&s->key);
    buf_done(&s->record);
    free(s);
}

void kube_scans_done(struct kube_scans *all)
{
    while (all->first) {
        struct kube_scan *s = all->first;
        leave(s);
        drop_page(s);
        s->state = SCAN_FAILED;
        (void)err_set(&s->failure, RC_CANCELLED, ERR_FINAL, "the sink was closed");
    }
}

static const struct event_iter_ops scan_ops = {.next = scan_next, .free = scan_free};

enum rc kube_scan_open(struct kube_scans *all, struct slice scope, struct slice api_version,
                       struct event_iter **ret, struct err *e)
{
    struct slice resource;
    (void)slice_cut(scope, '/', &resource);
    if (resource.n == 0 || api_version.n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL,
                       "a scan needs a scope group/resource and a version");
    struct kube_scan *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    *s = (struct kube_scan){
        .iter = {.ops = &scan_ops},
        .all = all,
        .next = all->first,
        .dest = all->dest,
        .http = all->http,
        .backoff = {.first_ns = FIRST_NS, .max_ns = MOST_NS},
        .limit = PAGE_MOST,
        .scope = BUF_INIT(KEY_MAX),
        .api_version = BUF_INIT(KEY_MAX),
        .token = BUF_INIT(URL_MAX / 4),
        .key = BUF_INIT(KEY_MAX),
        .record = BUF_INIT(KUBE_RECORD_MAX),
    };
    all->first = s;
    buf_add_slice(&s->scope, scope);
    buf_add_slice(&s->api_version, api_version);
    enum rc rc = buf_check(&s->scope, "a scope", e);
    if (rc == RC_OK)
        rc = buf_check(&s->api_version, "a version", e);
    if (rc == RC_OK)
        *ret = &s->iter;
    else
        scan_free(&s->iter);
    return rc;
}

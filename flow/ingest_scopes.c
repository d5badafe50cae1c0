/* Which scopes are wanted and how far each has got, and whose they are: versions mean something only
 * within one source and one incarnation of it. One thread. */
#include "flow/ingest_priv.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/json.h"
#include "core/map.h"
#include "flow/ingest_listing.h"
#include "flow/scope.h"
#include "flow/source_identity.h"

#include <stdlib.h>

#define POSITION_EVERY_NS (60 * NS_PER_S)

static const struct ingest_scope ALWAYS[] = {
    {.scope = SLICE("/namespaces"), .api_version = SLICE("v1")},
    {.scope = SLICE("apiextensions.k8s.io/customresourcedefinitions"),
     .api_version = SLICE("apiextensions.k8s.io/v1")},
};

/* ---- Positions ---- */

void ingest_free_position(void *value)
{
    struct position *p = value;
    free(p->version);
    free(p);
}

enum rc ingest_set_position(struct ingest *g, struct position *p, struct slice version, bool now,
                            struct err *e)
{
    if (!p)
        return RC_OK; /* dropped meanwhile */
    char *copy = strndup(version.n ? version.p : "", version.n);
    if (!copy)
        return err_nomem(e);
    free(p->version);
    p->version = copy;
    p->due = p->due || now || clock_boot_ns(g->env.clock) - p->written_ns >= POSITION_EVERY_NS;
    return RC_OK;
}

/* ---- Source identity ---- */

static void forget_due(struct ingest *g)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(g->scopes, entry.key, entry.key.n > 0, &entry))
        ((struct position *)entry.value)->due = false;
}

/* Another cluster than the log's: RC_OK where it is accepted. */
static enum rc accept_other(const struct ingest *g, struct slice identity, struct err *e)
{
    if (clock_boot_ns(g->env.clock) >= g->accept_until_ns)
        return err_set(e, RC_CONFLICT, ERR_FATAL,
                       "the source is another cluster: its identity is %.*s, this log belongs to "
                       "%s; check the kubeconfig, or use another name for the new cluster; if it "
                       "has taken the place of the old one: resilog run --accept-source %s",
                       SLICE_ARG(identity), g->identity, g->name ? g->name : "NAME");
    DIAG(g->env.diag, DIAG_WARN, "another cluster is accepted as the source: all is listed anew",
         DIAG_S("identity", identity), DIAG_S("former", slice_str(g->identity)));
    return RC_OK;
}

/* The event that begins the next incarnation. */
static enum rc begin_incarnation(struct ingest *g, struct slice identity, struct err *e)
{
    AUTO(source_identity_done) struct source_identity before = {.doc = NULL};
    AUTO(buf_done) struct buf body = BUF_INIT(EVENT_TEXT_MAX);
    struct err why = ERR_INIT;
    enum rc rc = source_identity_load(g->log, &before, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    char *copy = strndup(identity.n ? identity.p : "", identity.n);
    if (!copy)
        return err_nomem(e);
    free(g->identity);
    g->identity = copy;
    g->incarnation++;
    forget_due(g); /* versions of before mean nothing in the new incarnation */
    source_identity_print(rc == RC_OK ? &before : NULL, identity, g->incarnation, &body);
    rc = buf_check(&body, "identity", e);
    struct event epoch = {.op = EVENT_EPOCH, .body = buf_slice(&body)};
    return rc < 0 ? rc : ingest_add_own(g, SOURCE_KEY, SLICE_NULL, &epoch, e);
}

enum rc ingest_pin_source(struct ingest *g, const struct event *ev, struct err *e)
{
    AUTO(json_freep) struct json_doc *doc = NULL;
    enum rc rc = json_parse_view(ev->body, &doc, e);
    if (rc < 0)
        return err_wrap(e, "identity of the source");
    struct slice identity = json_get_text(doc, json_root(doc), "identity");
    bool regressed = slice_eq(json_get_text(doc, json_root(doc), "reason"), SLICE("regression"));
    bool other = g->identity && !slice_eq(slice_str(g->identity), identity);
    if (g->identity && !other && !regressed)
        return RC_OK;
    if (other)
        rc = accept_other(g, identity, e);
    if (rc == RC_OK)
        rc = begin_incarnation(g, identity, e);
    g->replaced = rc == RC_OK && other;
    return rc;
}

enum rc ingest_load_source(struct ingest *g, struct err *e)
{
    AUTO(source_identity_done) struct source_identity s = {.doc = NULL};
    struct err why = ERR_INIT;
    enum rc rc = source_identity_load(g->log, &s, &why);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc < 0) {
        *e = why;
        return rc;
    }
    g->identity = strndup(s.identity.n ? s.identity.p : "", s.identity.n);
    g->incarnation = s.incarnation;
    return g->identity ? producer_expect(g->producer, s.identity, e) : err_nomem(e);
}

/* ---- Scopes ---- */

/* The version that the log has the scope's resource in, from its @kind event; empty if it has none.
 */
static enum rc logged_version(struct ingest *g, struct slice scope, struct rlog_found *found,
                              struct slice *ret, struct err *e)
{
    struct slice rest;
    struct slice group = slice_cut(scope, '/', &rest);
    struct slice resource = slice_cut(rest, '/', &rest);
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    buf_addf(&key, KIND_PREFIX "%.*s/%.*s", SLICE_ARG(group), SLICE_ARG(resource));
    enum rc rc = rlog_last(g->log, buf_slice(&key), 0, found, e);
    *ret = rc == RC_OK ? found->event.api_version : SLICE_NULL;
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* A listing of the scope broke off with our last life: the log may have newer states than the position
 * says, and going on from there would put older ones behind them (I4). */
static enum rc listing_unfinished(struct ingest *g, struct slice scope, bool *ret, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    AUTO(rlog_found_done) struct rlog_found sync = {0};
    buf_add_str(&key, SYNC_PREFIX);
    buf_add_slice(&key, scope);
    enum rc rc = rlog_last(g->log, buf_slice(&key), 0, &sync, e);
    if (rc < 0 && rc != RC_NOTFOUND)
        return rc;
    *ret = rc == RC_OK && sync.event.op == EVENT_SYNC_BEGIN;
    return RC_OK;
}

static bool is_of_namespace(struct slice scope)
{
    struct slice rest;
    (void)slice_cut(scope, '/', &rest);
    return memchr(rest.n ? rest.p : "", '/', rest.n) != NULL;
}

/* "group/resource" of "group/resource[/ns]". */
static struct slice whole_of(struct slice scope)
{
    struct slice rest;
    struct slice group = slice_cut(scope, '/', &rest);
    return slice_of(scope.p, group.n + 1 + slice_cut(rest, '/', &rest).n);
}

/* Offset and op of the last event of that key; 0 where there is none. */
static enum rc last_of(struct ingest *g, const char *prefix, struct slice scope,
                       rlog_off *ret_offset, enum event_op *ret_op, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    AUTO(rlog_found_done) struct rlog_found found = {0};
    struct err why = ERR_INIT;
    buf_add_str(&key, prefix);
    buf_add_slice(&key, scope);
    enum rc rc = rlog_last(g->log, buf_slice(&key), 0, &found, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    *ret_offset = rc == RC_OK ? found.event.offset : 0;
    *ret_op = rc == RC_OK ? found.event.op : EVENT_PUT;
    return RC_OK;
}

/* A resource that was followed as a whole is followed by single namespaces from now on, or the other way round. The
 * log then has newer states than the position of before says. A namespace's position is behind all that the whole one
 * wrote; the whole one's counts no longer: its listing has begun anew, as it were. */
static enum rc change_shape(struct ingest *g, struct slice scope, rlog_off position,
                            bool *ret_overtaken, struct err *e)
{
    rlog_off followed = 0, listed = 0;
    enum event_op op = EVENT_PUT;
    *ret_overtaken = false;
    if (!is_of_namespace(scope))
        return RC_OK;
    enum rc rc = last_of(g, POSITION_PREFIX, whole_of(scope), &followed, &op, e);
    if (rc == RC_OK)
        rc = last_of(g, SYNC_PREFIX, whole_of(scope), &listed, &op, e);
    if (rc < 0)
        return rc;
    *ret_overtaken = position < followed || position < listed;
    const struct event begin = {.op = EVENT_SYNC_BEGIN};
    return listed && op != EVENT_SYNC_BEGIN
               ? ingest_add_own(g, SYNC_PREFIX, whole_of(scope), &begin, e)
               : RC_OK;
}

/* True if a scope of Kubernetes may be followed from the position `at` on (offset 0: it has none). */
static enum rc may_follow(struct ingest *g, const struct ingest_scope *want, const struct event *at,
                          bool *ret, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found kind = {0};
    struct slice logged;
    bool unfinished = false, overtaken = false;
    enum rc rc = logged_version(g, want->scope, &kind, &logged, e);
    if (rc == RC_OK)
        rc = listing_unfinished(g, want->scope, &unfinished, e);
    if (rc == RC_OK)
        rc = change_shape(g, want->scope, at->offset, &overtaken, e);
    if (rc < 0)
        return rc;
    /* A position from before the resource was last announced may be one of another version of it. Which version the
     * preferred one is, the producer says later: ingest_list_anew. */
    *ret = !unfinished && !overtaken && at->offset > kind.event.offset &&
           (!logged.n || !want->api_version.n || slice_eq(logged, want->api_version));
    return RC_OK;
}

/* Finds the position from where a scope is read on; found->event.offset is 0 where it is to be listed. A tree is listed
 * in any case, and its position only says which history of the source the log has: so that of a listing that broke off,
 * or from before a larger scope had this one, does as well. */
static enum rc find_resume(struct ingest *g, const struct ingest_scope *want,
                           struct rlog_found *found, struct err *e)
{
    AUTO(buf_done) struct buf key = BUF_INIT(SCOPE_TEXT_MAX);
    struct err why = ERR_INIT;
    bool may = true;
    buf_add_str(&key, POSITION_PREFIX);
    buf_add_slice(&key, want->scope);
    enum rc rc = rlog_last(g->log, buf_slice(&key), 0, found, &why);
    if (rc < 0 && rc != RC_NOTFOUND) {
        *e = why;
        return rc;
    }
    rc = want->tree ? RC_OK : may_follow(g, want, &found->event, &may, e);
    if (!may || found->event.incarnation != g->incarnation)
        found->event.offset = 0;
    return rc;
}

static enum rc want_one(struct ingest *g, const struct ingest_scope *want, struct err *e)
{
    AUTO(rlog_found_done) struct rlog_found at = {0};
    if (map_get(g->scopes, want->scope))
        return RC_OK;
    enum rc rc = find_resume(g, want, &at, e);
    if (rc < 0)
        return rc;
    bool resume = at.event.offset > 0;
    struct position *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(e);
    p->written_ns = clock_boot_ns(g->env.clock);
    rc = map_put(g->scopes, want->scope, p, e);
    if (rc == RC_OK && resume)
        rc = ingest_set_position(g, p, at.event.version, false, e);
    if (rc == RC_OK)
        rc = producer_add(g->producer, want->scope, want->api_version,
                          resume ? at.event.version : SLICE_NULL, e);
    if (rc < 0)
        map_delete(g->scopes, want->scope);
    return rc;
}

static void forget_closing(struct ingest *g, struct slice scope)
{
    if (!g->closing || !slice_eq(listing_scope(g->closing), scope))
        return;
    g->closing = NULL;
    free(g->closing_end);
    g->closing_end = NULL;
}

static bool is_of(struct slice scope, struct slice resource)
{
    return slice_starts(scope, resource) && (scope.n == resource.n || scope.p[resource.n] == '/');
}

enum rc ingest_list_anew(struct ingest *g, struct slice resource, struct err *e)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    enum rc rc = RC_OK;
    while (rc == RC_OK && map_seek(g->scopes, entry.key, entry.key.n > 0, &entry)) {
        struct position *p = entry.value;
        if (!p->version || !is_of(entry.key, resource))
            continue;
        free(p->version);
        p->version = NULL;
        p->due = false;
        producer_drop(g->producer, entry.key);
        forget_closing(g, entry.key);
        map_delete(g->listings, entry.key);
        rc = producer_add(g->producer, entry.key, SLICE_NULL, SLICE_NULL, e);
    }
    return rc;
}

static bool is_wanted(struct slice scope, const struct ingest_scope *scopes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(scopes[i].scope, scope))
            return true;
    return false;
}

/* True if a larger scope is wanted that has it. */
static bool is_covered(struct slice scope, const struct ingest_scope *scopes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct scope outer = {scopes[i].scope, scopes[i].tree};
        if (!slice_eq(outer.text, scope) && scope_has(&outer, scope))
            return true;
    }
    return false;
}

/* Where no scope reaches beyond a namespace, the credentials need not either. */
static bool wants_always(const struct ingest *g, const struct ingest_scope *scopes, size_t n)
{
    if (g->tree)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!is_of_namespace(scopes[i].scope))
            return true;
    return n == 0;
}

static bool same_resource(struct slice a, struct slice b)
{
    return slice_eq(whole_of(a), whole_of(b));
}

static enum rc check_versions(const struct ingest_scope *scopes, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (same_resource(scopes[i].scope, scopes[j].scope) && scopes[i].api_version.n &&
                scopes[j].api_version.n && !slice_eq(scopes[i].api_version, scopes[j].api_version))
                return err_set(e, RC_INVALID, ERR_FINAL,
                               "VersionConflict: %.*s is asked for in %.*s and in %.*s; a source's "
                               "log holds each resource in one "
                               "version, use the same in all synchronizations",
                               SLICE_ARG(whole_of(scopes[i].scope)),
                               SLICE_ARG(scopes[j].api_version), SLICE_ARG(scopes[i].api_version));
    return RC_OK;
}

/* What is wanted in a version by one and without any by another is wanted in that version. */
static struct ingest_scope in_version(const struct ingest_scope *scopes, size_t n, size_t at)
{
    struct ingest_scope want = scopes[at];
    for (size_t i = 0; i < n && want.api_version.n == 0; i++)
        if (same_resource(scopes[i].scope, want.scope))
            want.api_version = scopes[i].api_version;
    return want;
}

enum rc ingest_want(struct ingest *g, const struct ingest_scope *scopes, size_t n, struct err *e)
{
    g->tree = n > 0 ? scopes[0].tree : g->tree;
    const size_t n_always = wants_always(g, scopes, n) ? sizeof ALWAYS / sizeof *ALWAYS : 0;
    enum rc rc = check_versions(scopes, n, e);
    for (size_t i = 0; rc == RC_OK && i < n_always; i++)
        if (!is_wanted(ALWAYS[i].scope, scopes, n))
            rc = want_one(g, &ALWAYS[i], e);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        const struct ingest_scope want = in_version(scopes, n, i);
        if (!is_covered(want.scope, scopes, n))
            rc = want_one(g, &want, e);
    }
    if (rc < 0)
        return rc;
    struct map_entry entry = {SLICE_NULL, NULL};
    while (map_seek(g->scopes, entry.key, entry.key.n > 0, &entry)) {
        bool wanted = is_wanted(entry.key, scopes, n) && !is_covered(entry.key, scopes, n);
        if (wanted || is_wanted(entry.key, ALWAYS, n_always))
            continue;
        AUTO(buf_done) struct buf scope = BUF_INIT(SCOPE_TEXT_MAX);
        buf_add_slice(&scope, entry.key);
        producer_drop(g->producer, buf_slice(&scope));
        forget_closing(g, buf_slice(&scope));
        map_delete(g->listings, buf_slice(&scope));
        map_delete(g->scopes, buf_slice(&scope));
        entry.key = SLICE_NULL;
    }
    return RC_OK;
}

/* Its position stays: it tells which history the log has. */
static enum rc refresh_one(struct ingest *g, struct slice scope, const struct position *p,
                           struct err *e)
{
    producer_drop(g->producer, scope);
    forget_closing(g, scope);
    map_delete(g->listings, scope);
    return producer_add(g->producer, scope, SLICE_NULL, slice_str(p->version), e);
}

enum rc ingest_refresh(struct ingest *g, struct err *e)
{
    struct map_entry entry = {SLICE_NULL, NULL};
    enum rc rc = RC_OK;
    while (rc == RC_OK && map_seek(g->scopes, entry.key, entry.key.n > 0, &entry))
        rc = refresh_one(g, entry.key, entry.value, e);
    return rc;
}

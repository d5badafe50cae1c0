/* The rights that a source and a destination need, and the questions about them. Some requests are under way together;
 * the answers come in any order. */
#include "controller/rights.h"

#include "controller/resource.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/json.h"
#include "io/http.h"
#include "io/kube_error.h"
#include "sinks/kube_rules.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE   16
#define BODY_MAX  4096
#define RIGHT_MAX (64u << 10) /* rights of one cluster */
#define REVIEWS   SLICE("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
#define WAIT_NS   (60 * NS_PER_S)

struct rights {
    struct right *all;
    size_t n, cap;
};

/* ---- What is needed ---- */

void rights_free(struct rights *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        free((char *)r->all[i].group);
        free((char *)r->all[i].resource);
        free((char *)r->all[i].ns);
    }
    free(r->all);
    free(r);
}

static bool same_text(const char *a, const char *b)
{
    return a ? b && strcmp(a, b) == 0 : !b;
}

static bool is_of(const struct right *a, const struct right *b)
{
    return same_text(a->ns, b->ns) && same_text(a->name, b->name) &&
           strcmp(a->group, b->group) == 0 && strcmp(a->resource, b->resource) == 0;
}

static enum rc grow(struct rights *r, struct err *e)
{
    if (r->n < r->cap)
        return RC_OK;
    if (r->n >= RIGHT_MAX)
        return err_set(e, RC_LIMIT, ERR_FINAL, "more than %u rights are needed on one cluster",
                       RIGHT_MAX);
    size_t cap = r->cap ? 2 * r->cap : 64;
    struct right *all = realloc(r->all, cap * sizeof *all);
    if (!all)
        return err_nomem(e);
    r->all = all;
    r->cap = cap;
    return RC_OK;
}

static bool is_known(const struct rights *r, const struct right *new)
{
    for (size_t i = 0; i < r->n; i++)
        if (is_of(&r->all[i], new) && strcmp(r->all[i].verb, new->verb) == 0)
            return true;
    return false;
}

/* What is needed: a resource, in one namespace or (NULL) everywhere. */
struct place {
    struct slice group, resource;
    const struct slice *ns;
};

/* name: NULL: all objects. */
static enum rc need(struct rights *r, const struct place *at, const char *name, const char *verb,
                    struct err *e)
{
    enum rc rc = grow(r, e);
    if (rc != RC_OK)
        return rc;
    struct right *new = &r->all[r->n];
    *new = (struct right){.group = strndup(at->group.n ? at->group.p : "", at->group.n),
                          .resource = strndup(at->resource.p, at->resource.n),
                          .ns = at->ns ? strndup(at->ns->p, at->ns->n) : NULL,
                          .name = name,
                          .verb = verb};
    bool whole = new->group &&new->resource && (new->ns || !at->ns);
    if (whole && !is_known(r, new)) {
        r->n++;
        return RC_OK;
    }
    free((char *)new->group);
    free((char *)new->resource);
    free((char *)new->ns);
    return whole ? RC_OK : err_nomem(e);
}

static enum rc need_all(struct rights *r, const struct place *at, const char *const *verbs,
                        struct err *e)
{
    enum rc rc = RC_OK;
    for (; *verbs && rc == RC_OK; verbs++)
        rc = need(r, at, NULL, *verbs, e);
    return rc;
}

static const char *const READ[] = {"list", "watch", NULL};
static const char *const WRITE[] = {"get", "list", "create", "update", "delete", NULL};

static const struct place NAMESPACES = {.group = SLICE(""), .resource = SLICE("namespaces")};
static const struct place CRDS = {.group = SLICE("apiextensions.k8s.io"),
                                  .resource = SLICE("customresourcedefinitions")};
static const struct place ENDPOINT_SLICES = {.group = SLICE("discovery.k8s.io"),
                                             .resource = SLICE("endpointslices")};

static enum rc need_read(struct rights *r, const struct replication_entry *entry, struct err *e)
{
    struct place at = {.group = entry->group, .resource = entry->resource};
    if (entry->n_namespaces == 0)
        return need_all(r, &at, READ, e);
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < entry->n_namespaces; i++) {
        at.ns = &entry->namespaces[i];
        rc = need_all(r, &at, READ, e);
    }
    return rc;
}

/* The kinds that are always recorded where anything is read beyond single namespaces. */
static enum rc need_source(struct rights *r, const struct sync *sync, struct err *e)
{
    bool beyond = false;
    enum rc rc = need(r, &NAMESPACES, "kube-system", "get", e);
    for (size_t i = 0; i < sync->replication.n_recorded; i++)
        beyond = beyond || sync->replication.entries[i].n_namespaces == 0;
    if (rc == RC_OK && beyond)
        rc = need_all(r, &NAMESPACES, READ, e);
    if (rc == RC_OK && beyond)
        rc = need_all(r, &CRDS, READ, e);
    for (size_t i = 0; rc == RC_OK && i < sync->replication.n_recorded; i++)
        rc = need_read(r, &sync->replication.entries[i], e);
    return rc;
}

static enum rc need_destination(struct rights *r, const struct sync *sync, struct err *e)
{
    enum rc rc = need(r, &NAMESPACES, "kube-system", "get", e);
    for (size_t i = 0; rc == RC_OK && i < sync->replication.n_entries; i++) {
        const struct replication_entry *entry = &sync->replication.entries[i];
        const struct place at = {.group = entry->group, .resource = entry->resource};
        rc = need_all(r, &at, WRITE, e);
        if (rc == RC_OK && entry->policy.apply)
            rc = need(r, &at, NULL, "patch", e);
        if (rc == RC_OK && kube_rule_find(entry->group, entry->resource)->service)
            rc = need(r, &ENDPOINT_SLICES, NULL, "list", e);
        if (rc == RC_OK && entry->policy.force_namespace)
            rc = need(r, &NAMESPACES, NULL, "create", e);
    }
    return rc;
}

enum rc rights_needed(const struct resources *resources, const struct cluster *cluster,
                      struct rights **ret, struct err *e)
{
    AUTO(rights_freep) struct rights *r = calloc(1, sizeof *r);
    enum rc rc = r ? RC_OK : err_nomem(e);
    const struct sync *sync;
    for (size_t i = 0; rc == RC_OK && (sync = resources_sync(resources, i)); i++) {
        if (sync->source == cluster)
            rc = need_source(r, sync, e);
        if (rc == RC_OK && sync->destination == cluster)
            rc = need_destination(r, sync, e);
    }
    if (rc == RC_OK)
        *ret = steal(&r);
    return rc;
}

size_t rights_count(const struct rights *r)
{
    return r->n;
}

const struct right *rights_at(const struct rights *r, size_t index)
{
    return index < r->n ? &r->all[index] : NULL;
}

size_t rights_missing(const struct rights *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += r->all[i].state == RIGHT_MISSING;
    return n;
}

/* ---- Asking ---- */

struct asking {
    struct rights *rights;
    struct http *http;
    http_id ids[AT_ONCE];
    size_t which[AT_ONCE]; /* the right that the request of that place is about */
    size_t next, open;
};

static void add_attribute(const char *name, const char *value, struct buf *out)
{
    buf_addf(out, "%s\"%s\":", out->p[out->n - 1] == '{' ? "" : ",", name);
    json_print_text(slice_str(value), out);
}

static enum rc start_one(struct asking *a, size_t place, struct err *e)
{
    AUTO(buf_done) struct buf body = BUF_INIT(BODY_MAX);
    const struct right *right = &a->rights->all[a->next];
    buf_add_str(&body, "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                       "\"SelfSubjectAccessReview\",\"spec\":{\"resourceAttributes\":{");
    add_attribute("verb", right->verb, &body);
    add_attribute("group", right->group, &body);
    add_attribute("resource", right->resource, &body);
    if (right->ns)
        add_attribute("namespace", right->ns, &body);
    if (right->name)
        add_attribute("name", right->name, &body);
    buf_add_str(&body, "}}}");
    enum rc rc = buf_check(&body, "a question about a right", e);
    const struct http_request r = {
        .method = HTTP_POST, .path = REVIEWS, .body = buf_slice(&body), .body_max = 64u << 10};
    if (rc == RC_OK)
        rc = http_start(a->http, &r, &a->ids[place], e);
    if (rc != RC_OK)
        return rc;
    a->which[place] = a->next++;
    a->open++;
    return RC_OK;
}

static enum rc start_some(struct asking *a, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < AT_ONCE && a->next < a->rights->n; i++)
        if (a->ids[i] == 0)
            rc = start_one(a, i, e);
    return rc;
}

/* status.allowed; without it the answer is no review. */
static enum rc read_answer(const struct http_event *ev, bool *ret, struct err *e)
{
    AUTO(json_freep) struct json_doc *d = NULL;
    struct kube_verdict v;
    struct err why = ERR_INIT;
    if (ev->err.rc != RC_OK)
        kube_judge_failure(&ev->err, &v);
    else
        kube_judge(ev->status, ev->content_type, ev->data, ev->retry_after_ns, &v);
    if (v.cls != KUBE_OK)
        return kube_verdict_err(&v, "asking for rights", e);
    enum rc rc = json_parse_view(ev->data, &d, &why);
    const struct json *allowed =
        rc == RC_OK ? json_get(json_get(json_root(d), "status"), "allowed") : NULL;
    if (rc == RC_NOMEM)
        return err_nomem(e);
    if (!json_is(allowed, JSON_TRUE) && !json_is(allowed, JSON_FALSE))
        return err_set(e, RC_CORRUPT, ERR_RETRY,
                       "asking for rights: the answer is no SelfSubjectAccessReview");
    *ret = json_is(allowed, JSON_TRUE);
    return RC_OK;
}

static enum rc take_answer(struct asking *a, const struct http_event *ev, struct err *e)
{
    bool allowed = false;
    size_t place = 0;
    while (place < AT_ONCE && a->ids[place] != ev->id)
        place++;
    if (place == AT_ONCE || ev->kind != HTTP_DONE)
        return RC_OK;
    enum rc rc = read_answer(ev, &allowed, e);
    if (rc != RC_OK)
        return rc;
    a->rights->all[a->which[place]].state = allowed ? RIGHT_GRANTED : RIGHT_MISSING;
    a->ids[place] = 0;
    a->open--;
    return RC_OK;
}

static enum rc go_on(struct asking *a, struct err *e)
{
    struct http_event ev;
    enum rc rc = start_some(a, e);
    if (rc != RC_OK)
        return rc;
    rc = http_take(a->http, &ev, e);
    if (rc == RC_AGAIN)
        return http_wait(a->http, -1, WAIT_NS, e);
    return rc == RC_OK ? take_answer(a, &ev, e) : rc;
}

enum rc rights_ask(struct rights *r, struct http *http, struct err *e)
{
    struct asking a = {.rights = r, .http = http};
    enum rc rc = RC_OK;
    while (rc >= 0 && (a.next < r->n || a.open > 0))
        rc = go_on(&a, e);
    for (size_t i = 0; i < AT_ONCE; i++)
        if (a.ids[i])
            http_cancel(http, a.ids[i]);
    return rc < 0 ? rc : RC_OK;
}

/* ---- The role ---- */

/* The rule of the resource of right i, unless one before had it. */
static void print_rule(const struct rights *r, size_t i, struct buf *out)
{
    const struct right *of = &r->all[i];
    const char *comma = "";
    for (size_t k = 0; k < i; k++)
        if (r->all[k].state == RIGHT_MISSING && is_of(&r->all[k], of))
            return;
    buf_addf(out, "- {apiGroups: [\"%s\"], resources: [%s]", of->group, of->resource);
    if (of->name)
        buf_addf(out, ", resourceNames: [%s]", of->name);
    buf_add_str(out, ", verbs: [");
    for (size_t k = i; k < r->n; k++) {
        if (r->all[k].state != RIGHT_MISSING || !is_of(&r->all[k], of))
            continue;
        buf_addf(out, "%s%s", comma, r->all[k].verb);
        comma = ", ";
    }
    buf_add_str(out, "]}\n");
}

static size_t first_missing(const struct rights *r)
{
    size_t i = 0;
    while (i < r->n && r->all[i].state != RIGHT_MISSING)
        i++;
    return i;
}

/* The role of the place of right i, unless one before had it. */
static void print_role(const struct rights *r, size_t i, const char *name, struct buf *out)
{
    const char *ns = r->all[i].ns;
    for (size_t k = 0; k < i; k++)
        if (r->all[k].state == RIGHT_MISSING && same_text(r->all[k].ns, ns))
            return;
    buf_addf(out,
             "%sapiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s%s%s}\n"
             "rules:\n",
             i == first_missing(r) ? "" : "---\n", ns ? "Role" : "ClusterRole", name,
             ns ? ", namespace: " : "", ns ? ns : "");
    for (size_t k = i; k < r->n; k++)
        if (r->all[k].state == RIGHT_MISSING && same_text(r->all[k].ns, ns))
            print_rule(r, k, out);
}

void rights_print_role(const struct rights *r, const char *name, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->all[i].state == RIGHT_MISSING)
            print_role(r, i, name, out);
}

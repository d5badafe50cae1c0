/* Requests taken apart, and the refusals of the modelled API server with the words of a real
 * one.
 *
 * A path that is not modelled is answered here: 404 in plain text as for an unknown kind, 400
 * for an unknown query parameter. */
#include "tests/fakes/fake_kube_priv.h"

#include <ctype.h>
#include <stdio.h>

enum { SEGMENTS = 8 };

/* ---- Status bodies ---- */

static void member(struct buf *out, const char *name, struct slice text)
{
    if (!text.n)
        return;
    buf_addf(out, "\"%s\":", name);
    json_print_text(text, out);
    buf_add_char(out, ',');
}

static void print_details(const struct fk_problem *p, struct buf *out)
{
    buf_add_str(out, "\"details\":{");
    member(out, "name", p->name);
    if (p->kind) {
        member(out, "group", slice_str(p->kind->group));
        member(out, "kind", slice_str(p->by_kind ? p->kind->kind : p->kind->resource));
    }
    if (p->cause) {
        buf_add_str(out, "\"causes\":[{");
        member(out, "reason", slice_str(p->cause));
        member(out, "message", slice_str(p->cause_message));
        member(out, "field", slice_str(p->cause_field));
        buf_truncate(out, out->n - 1);
        buf_add_str(out, "}],");
    }
    if (p->retry_after_s)
        buf_addf(out, "\"retryAfterSeconds\":%d,", p->retry_after_s);
    buf_truncate(out, out->n - 1);
    buf_add_str(out, "},");
}

void fk_fail(struct fk_answer *a, const struct fk_problem *p, const char *fmt, ...)
{
    AUTO(freep) char *message = NULL;
    va_list args;
    va_start(args, fmt);
    fk_must(vasprintf(&message, fmt, args) < 0 ? RC_NOMEM : RC_OK);
    va_end(args);
    a->status = p->code;
    a->content_type = "application/json";
    a->retry_after_ns = p->retry_after_s ? p->retry_after_s * NS_PER_S : -1;
    buf_reset(&a->body);
    buf_add_str(
        &a->body,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",");
    member(&a->body, "message", slice_str(message));
    member(&a->body, "reason", slice_str(p->reason));
    if (p->name.n || p->kind || p->cause || p->retry_after_s)
        print_details(p, &a->body);
    buf_addf(&a->body, "\"code\":%d}\n", p->code);
}

void fk_fail_plain(struct fk_answer *a, int code, const char *text)
{
    a->status = code;
    a->content_type = "text/plain; charset=utf-8";
    buf_reset(&a->body);
    buf_add_str(&a->body, text);
}

void fk_fail_invalid(struct fk_answer *a, const struct fk_kind *kind, struct slice name,
                     const char *field, const char *cause, const char *message)
{
    fk_fail(a,
            &(struct fk_problem){.code = 422,
                                 .reason = "Invalid",
                                 .name = name,
                                 .kind = kind,
                                 .by_kind = true,
                                 .cause = cause,
                                 .cause_message = message,
                                 .cause_field = field},
            "%s%s%s \"%.*s\" is invalid: %s: %s", kind->kind, *kind->group ? "." : "", kind->group,
            SLICE_ARG(name), field, message);
}

void fk_fail_not_found(struct fk_answer *a, const struct fk_kind *kind, struct slice name)
{
    AUTO(buf_done) struct buf what = BUF_INIT(4096);
    fk_kind_qualified(kind, &what);
    fk_fail(a, &(struct fk_problem){.code = 404, .reason = "NotFound", .name = name, .kind = kind},
            "%s \"%.*s\" not found", what.p, SLICE_ARG(name));
}

/* A namespace itself lies in its own place, as the authorizers see it. */
static struct slice place_of(const struct fk_request *r)
{
    return strcmp(r->kind->resource, "namespaces") == 0 ? r->name : r->ns;
}

static bool matches(const struct fk_denial *d, const struct fk_request *r, const char *verb)
{
    return slice_eq(slice_str(d->group), slice_str(r->kind->group)) &&
           slice_eq(slice_str(d->resource), slice_str(r->kind->resource)) &&
           (!d->ns || slice_eq(slice_str(d->ns), place_of(r))) &&
           (!d->verb || strcmp(d->verb, verb) == 0);
}

bool fk_denied(struct fake_kube *k, const struct fk_request *r, const char *verb,
               struct fk_answer *a)
{
    AUTO(buf_done) struct buf what = BUF_INIT(4096), where = BUF_INIT(4096);
    const struct fk_denial *d = k->denials;
    while (d && !matches(d, r, verb))
        d = d->next;
    if (!d || r->direct)
        return false;
    fk_kind_qualified(r->kind, &what);
    if (r->name.n)
        buf_addf(&what, " \"%.*s\"", SLICE_ARG(r->name));
    if (r->ns.n)
        buf_addf(&where, "in the namespace \"%.*s\"", SLICE_ARG(r->ns));
    else
        buf_add_str(&where, "at the cluster scope");
    fk_fail(
        a,
        &(struct fk_problem){.code = 403, .reason = "Forbidden", .name = r->name, .kind = r->kind},
        "%s is forbidden: User \"resilog\" cannot %s resource \"%s\" in API group \"%s\" %s",
        what.p, verb, r->kind->resource, r->kind->group, where.p);
    return true;
}

/* ---- paths ---- */

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

/* Decodes into *at with a NUL, moves it behind: no longer than its spelling with the separator
 * in front. */
static struct slice decode(struct slice s, char **at)
{
    char *p = *at;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool coded = s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
        p[n++] = coded ? (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2])) : s.p[i];
        if (coded)
            i += 2;
    }
    p[n] = 0;
    *at += n + 1;
    return slice_of(p, n);
}

static bool is_true(struct slice s)
{
    return slice_eq(s, SLICE("true")) || slice_eq(s, SLICE("1"));
}

static bool read_parameter(struct fk_query *q, struct slice name, struct slice value)
{
    struct {
        const char *name;
        struct slice *to;
    } const texts[] = {{"limit", &q->limit},
                       {"continue", &q->token},
                       {"resourceVersion", &q->version},
                       {"resourceVersionMatch", &q->match},
                       {"timeoutSeconds", &q->timeout},
                       {"fieldManager", &q->manager},
                       {"fieldValidation", NULL},
                       {"propagationPolicy", NULL}};
    if (slice_eq(name, SLICE("watch")))
        return q->watch = is_true(value), true;
    if (slice_eq(name, SLICE("allowWatchBookmarks")))
        return q->bookmarks = is_true(value), true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (slice_eq(name, slice_str(texts[i].name))) {
            if (texts[i].to)
                *texts[i].to = value;
            return true;
        }
    return false;
}

static bool read_query(struct slice query, char **at, struct fk_request *r, struct fk_answer *a)
{
    while (query.n) {
        struct slice value, pair = slice_cut(query, '&', &query),
                            name = slice_cut(pair, '=', &value);
        if (!pair.n)
            continue;
        value = decode(value, at);
        if (read_parameter(&r->query, name, value))
            continue;
        fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "the modelled API server does not know the query parameter \"%.*s\"",
                SLICE_ARG(name));
        return false;
    }
    return true;
}

/* The segments behind group and version: [namespaces/<ns>/]<resource>[/<name>] */
static bool read_place(struct fake_kube *k, struct fk_request *r, const struct slice *s, size_t n)
{
    bool inside = n >= 3 && slice_eq(s[0], SLICE("namespaces"));
    if (inside) {
        r->ns = s[1];
        s += 2;
        n -= 2;
    }
    if (n < 1 || n > 2)
        return false;
    r->kind = fk_kind_find(k, r->group, s[0]);
    r->name = n == 2 ? s[1] : SLICE_NULL;
    return r->kind && fk_kind_serves(r->kind, r->api_version) &&
           (inside ? r->kind->namespaced : n == 1 || !r->kind->namespaced);
}

static enum fk_route route_segments(struct fake_kube *k, struct fk_request *r,
                                    const struct slice *s, size_t n, struct fk_answer *a)
{
    bool core = n && slice_eq(s[0], SLICE("api"));
    size_t head = core ? 2 : 3; /* segments up to the version */
    if (!core && (!n || !slice_eq(s[0], SLICE("apis")))) {
        fk_fail_plain(a, 404, "404 page not found\n");
        return FK_ANSWERED;
    }
    if (n >= head) {
        r->group = core ? SLICE_NULL : s[1];
        r->api_version = s[head - 1];
    }
    if (n >= head && fk_is_stale(k, r->group, r->api_version) && !r->direct) {
        fk_fail_plain(a, 503, "service unavailable\n");
        return FK_ANSWERED;
    }
    if (n == 1 || n == head)
        return FK_DISCOVERY;
    if (n > head && read_place(k, r, s + head, n - head))
        return FK_OBJECTS;
    fk_fail_plain(a, 404, "404 page not found\n");
    return FK_ANSWERED;
}

enum fk_route fk_route(struct fake_kube *k, enum http_method method, struct slice path,
                       struct slice accept, struct fk_request *ret, struct fk_answer *a)
{
    struct slice query, segments[SEGMENTS], rest = slice_cut(path, '?', &query);
    size_t n = 0;
    ret->method = method;
    ret->text = fk_alloc(path.n + 2);
    char *at = ret->text;
    ret->path = rest;
    ret->metadata_only =
        memmem(accept.p ? accept.p : "", accept.n, "as=PartialObjectMetadata", 24) != NULL;
    ret->aggregated =
        memmem(accept.p ? accept.p : "", accept.n, "as=APIGroupDiscoveryList", 24) != NULL;
    slice_cut(rest, '/', &rest); /* what is in front of the first slash: nothing */
    while (rest.n && n < SEGMENTS)
        segments[n++] = decode(slice_cut(rest, '/', &rest), &at);
    if (!read_query(query, &at, ret, a))
        return FK_ANSWERED;
    return route_segments(k, ret, segments, rest.n ? 0 : n, a);
}

void fk_request_done(struct fk_request *r)
{
    free(r->text);
}

bool fk_parse_version(struct slice text, int64_t *ret)
{
    int64_t v = 0;
    for (size_t i = 0; i < text.n; i++)
        if (!isdigit((unsigned char)text.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, text.p[i] - '0', &v))
            return false;
    *ret = v;
    return text.n > 0;
}

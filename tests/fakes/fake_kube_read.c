/* GET and LIST of the modelled API server.
 *
 * A list shows one version of everything: the present one, or the one that its continue token
 * names. A token is the hex text of "<version>|<last key>". Items of built-in kinds carry no
 * apiVersion and kind; a list of custom resources has its metadata last. */
#include "tests/fakes/fake_kube_priv.h"

#include <stdio.h>

struct list {
    struct buf prefix, from; /* from: the last key of the page before */
    int64_t version, limit;  /* limit 0: all */
    bool after;
};

static void fail_expired(struct fk_answer *a)
{
    fk_fail(a, &(struct fk_problem){.code = 410, .reason = "Expired"},
            "The provided continue parameter is too old to display a consistent list result. You "
            "can start a new list without "
            "the continue parameter.");
}

/* ---- continue tokens ---- */

static void print_token(const struct list *l, struct slice last, struct buf *out)
{
    AUTO(buf_done) struct buf text = BUF_INIT(FK_BODY_MAX);
    buf_addf(&text, "%lld|%.*s", (long long)l->version, SLICE_ARG(last));
    for (size_t i = 0; i < text.n; i++)
        buf_addf(out, "%02x", (unsigned)(unsigned char)text.p[i]);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_token(struct slice token, struct list *l)
{
    AUTO(buf_done) struct buf text = BUF_INIT(FK_BODY_MAX);
    for (size_t i = 0; i + 1 < token.n; i += 2) {
        int high = digit(token.p[i]), low = digit(token.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_add_char(&text, (char)(high * 16 + low));
    }
    struct slice key, version = slice_cut(buf_slice(&text), '|', &key);
    if (token.n % 2 || !slice_starts(key, buf_slice(&l->prefix)) ||
        !fk_parse_version(version, &l->version))
        return false;
    buf_add_slice(&l->from, key);
    l->after = true;
    return true;
}

/* ---- which version ---- */

static bool read_continue(struct fake_kube *k, const struct fk_query *q, struct list *l,
                          struct fk_answer *a)
{
    if (q->version.n) {
        fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "specifying resource version is not allowed when using continue");
        return false;
    }
    if (!read_token(q->token, l)) {
        fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "continue key is not valid: it does not belong to this list");
        return false;
    }
    if (l->version >= k->compacted && l->version <= k->version)
        return true;
    fail_expired(a);
    return false;
}

static bool read_version(struct fake_kube *k, const struct fk_query *q, struct list *l,
                         struct fk_answer *a)
{
    int64_t asked = 0;
    l->version = k->version;
    if (q->version.n && !fk_parse_version(q->version, &asked)) {
        fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "resourceVersion: Invalid value");
        return false;
    }
    if (asked > k->version) {
        fk_fail(a,
                &(struct fk_problem){.code = 504,
                                     .reason = "Timeout",
                                     .cause = "ResourceVersionTooLarge",
                                     .cause_message = "Too large resource version",
                                     .retry_after_s = 1},
                "Timeout: Too large resource version: %lld, current: %lld", (long long)asked,
                (long long)k->version);
        return false;
    }
    if (!slice_eq(q->match, SLICE("Exact")))
        return true;
    l->version = asked;
    if (asked >= k->compacted)
        return true;
    fk_fail(a, &(struct fk_problem){.code = 410, .reason = "Expired"},
            "The resourceVersion for the provided list is too old.");
    return false;
}

static bool list_begin(struct fake_kube *k, const struct fk_request *r, struct list *l,
                       struct fk_answer *a)
{
    buf_addf(&l->prefix, "%s/%s/", r->kind->group, r->kind->resource);
    if (r->ns.n)
        buf_addf(&l->prefix, "%.*s/", SLICE_ARG(r->ns));
    if (r->query.limit.n && !fk_parse_version(r->query.limit, &l->limit)) {
        fk_fail(a, &(struct fk_problem){.code = 400, .reason = "BadRequest"},
                "limit: Invalid value");
        return false;
    }
    if (slice_eq(r->query.version, SLICE("0")))
        l->limit = 0; /* from the cache, which gives all */
    return r->query.token.n ? read_continue(k, &r->query, l, a) : read_version(k, &r->query, l, a);
}

/* ---- printing ---- */

static int64_t count_rest(struct fake_kube *k, const struct list *l, const struct fk_rev *r)
{
    int64_t n = 0;
    for (; r; r = fk_seek(k, buf_slice(&l->prefix), r->of->key, true, l->version))
        n++;
    return n;
}

/* Prints a page's items; what is needed to go on comes into more. */
static void print_items(struct fake_kube *k, const struct fk_request *rq, const struct list *l,
                        struct buf *out, struct buf *more)
{
    int64_t n = 0;
    struct slice prefix = buf_slice(&l->prefix), last = buf_slice(&l->from);
    struct fk_rev *r = fk_seek(k, prefix, last, l->after, l->version);
    buf_add_str(out, "\"items\":[");
    for (; r && (!l->limit || n < l->limit); n++) {
        if (n)
            buf_add_char(out, ',');
        if (rq->metadata_only || rq->kind->custom)
            fk_print(rq->kind, rq->api_version.p, r, rq->metadata_only, out);
        else
            buf_add(out, r->text, r->n);
        last = r->of->key;
        r = fk_seek(k, prefix, last, true, l->version);
    }
    buf_add_char(out, ']');
    if (!r)
        return;
    buf_add_str(more, ",\"continue\":\"");
    print_token(l, last, more);
    buf_addf(more, "\",\"remainingItemCount\":%lld", (long long)count_rest(k, l, r));
}

static void print_head(const struct fk_request *r, struct buf *out)
{
    if (r->metadata_only) {
        buf_add_str(out,
                    "\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\"");
        return;
    }
    if (!r->kind->custom)
        buf_addf(out, "\"kind\":\"%s\",", r->kind->list_kind);
    buf_add_str(out, "\"apiVersion\":\"");
    fk_kind_api_version(r->kind, r->api_version.p, out);
    buf_add_char(out, '"');
}

static void serve_list(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    AUTO(buf_done)
    struct buf items = BUF_INIT(FK_TEXT_MAX), more = BUF_INIT(FK_BODY_MAX),
               metadata = BUF_INIT(FK_BODY_MAX);
    struct list l = {.prefix = BUF_INIT(FK_BODY_MAX), .from = BUF_INIT(FK_BODY_MAX)};
    if (list_begin(k, r, &l, a)) {
        print_items(k, r, &l, &items, &more);
        buf_addf(&metadata, "\"metadata\":{\"resourceVersion\":\"%lld\"%s}", (long long)l.version,
                 more.n ? more.p : "");
        a->status = 200;
        buf_add_char(&a->body, '{');
        print_head(r, &a->body);
        if (r->kind->custom && !r->metadata_only)
            buf_addf(&a->body, ",%s,\"kind\":\"%s\",%s}\n", items.p, r->kind->list_kind,
                     metadata.p);
        else
            buf_addf(&a->body, ",%s,%s}\n", metadata.p, items.p);
    }
    buf_done(&l.prefix);
    buf_done(&l.from);
}

static void serve_get(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    AUTO(buf_done) struct buf key = BUF_INIT(FK_BODY_MAX);
    fk_key(r->kind, r->ns, r->name, &key);
    struct fk_rev *live = fk_live(k, buf_slice(&key));
    if (!live) {
        fk_fail_not_found(a, r->kind, r->name);
        return;
    }
    a->status = 200;
    fk_print(r->kind, r->api_version.p, live, r->metadata_only, &a->body);
    buf_add_char(&a->body, '\n');
}

void fk_serve_read(struct fake_kube *k, const struct fk_request *r, struct fk_answer *a)
{
    bool get = r->name.n > 0;
    k->counts.gets += get && !r->direct;
    k->counts.lists += !get && !r->direct;
    if (fk_denied(k, r, get ? "get" : "list", a))
        return;
    if (get)
        serve_get(k, r, a);
    else
        serve_list(k, r, a);
}

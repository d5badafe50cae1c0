/* Projection: cuts, then suspension, then apiVersion and kind.
 *
 * Keeps nothing. The kind's own cuts come first, because their conditions look at managedFields and annotations,
 * which the common cuts take away. */
#include "sinks/kube_project.h"

#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"
#include "sinks/kube_rules.h"
#include "sinks/kube_walk.h"
#include "sinks/kube_when.h"

#include <assert.h>

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct cutter {
    const struct kube_facts *facts;
    enum kube_when when;
};

static void cut_node(void *arg, struct json *node)
{
    const struct cutter *c = arg;
    if (!kube_when(c->when, c->facts, node))
        return;
    struct json *above = node->parent;
    json_remove(node);
    while (above && above->parent && above->count == 0) {
        struct json *empty = above;
        above = above->parent;
        json_remove(empty);
    }
}

static void cut_all(const struct kube_cut *cuts, const struct kube_facts *facts)
{
    for (; cuts && cuts->path; cuts++) {
        struct cutter c = {.facts = facts, .when = cuts->when};
        kube_walk(facts->d, json_root(facts->d), cuts->path, cut_node, &c);
    }
}

static void cut_always(struct json_doc *d, const struct kube_cut *cuts)
{
    struct kube_facts facts = {.d = d};
    struct cutter c = {.facts = &facts, .when = KUBE_ALWAYS};
    for (; cuts && cuts->path; cuts++)
        if (cuts->when == KUBE_ALWAYS)
            kube_walk(d, json_root(d), cuts->path, cut_node, &c);
}

void kube_project_cut(struct json_doc *d, const struct kube_rule *rule)
{
    cut_always(d, rule->cut);
    cut_always(d, kube_common_cuts);
}

static bool asks_for_applied(const struct kube_cut *cuts)
{
    for (; cuts && cuts->path; cuts++)
        if (cuts->when == KUBE_UNLESS_CHOSEN)
            return true;
    return false;
}

/* The object in the last-applied annotation; none if it is absent or no JSON. */
static enum rc parse_applied(struct json_doc *d, struct json_doc **ret, struct err *e)
{
    const struct json *annotations = json_dig(json_root(d), "metadata", "annotations", NULL);
    struct slice text = json_get_text(d, annotations, LAST_APPLIED);
    struct err why = ERR_INIT;
    if (text.n == 0)
        return RC_OK;
    enum rc rc = json_parse_view(text, ret, &why);
    if (rc != RC_NOMEM)
        return RC_OK;
    return err_nomem(e);
}

/* Sets the boolean at path, whose parent must be there: without it the object says nothing that could run. */
static enum rc suspend(struct json_doc *d, const char *path, struct err *e)
{
    char text[KUBE_SEGMENT_MAX];
    struct json *at = json_root(d), *value;
    struct slice segment = kube_walk_segment(path, text, &path);
    while (*path && at) {
        at = json_get_slice(at, segment);
        segment = kube_walk_segment(path, text, &path);
    }
    if (!json_is(at, JSON_OBJECT) || json_is(json_get_slice(at, segment), JSON_TRUE))
        return RC_OK;
    enum rc rc = json_value(d, SLICE("true"), &value, e);
    if (rc != RC_OK)
        return rc;
    return json_set(d, at, segment, value, e);
}

static void add_member(struct buf *out, const char *name, struct slice text)
{
    json_print_text(slice_str(name), out);
    buf_add_char(out, ':');
    json_print_text(text, out);
    buf_add_char(out, ',');
}

/* Prints the object with apiVersion and kind before all else where it lacks them. */
static void print(struct json_doc *d, const struct kube_project_opts *opts, struct buf *out)
{
    struct json *root = json_root(d);
    bool has_version = json_is(json_get(root, "apiVersion"), JSON_STRING);
    bool has_kind = json_is(json_get(root, "kind"), JSON_STRING);
    if (has_version && has_kind) {
        json_print(root, out);
        return;
    }
    buf_add_char(out, '{');
    if (!has_version) {
        json_cut(root, "apiVersion");
        add_member(out, "apiVersion", opts->api_version);
    }
    if (!has_kind) {
        json_cut(root, "kind");
        add_member(out, "kind", opts->kind);
    }
    size_t at = out->n;
    json_print(root, out);
    if (out->bad == RC_OK) {
        assert(out->p[at] == '{');
        memmove(out->p + at, out->p + at + 1, out->n - at - 1);
        buf_truncate(out, out->n - 1);
    }
}

enum rc kube_project(struct json_doc *d, const struct kube_project_opts *opts, struct buf *out,
                     struct err *e)
{
    const struct json *metadata = json_get(json_root(d), "metadata");
    AUTO(json_freep) struct json_doc *applied = NULL;
    if (json_get_text(d, metadata, "name").n == 0)
        return err_set(e, RC_INVALID, ERR_FINAL, "object without metadata.name");
    if (asks_for_applied(opts->rule->cut)) {
        enum rc rc = parse_applied(d, &applied, e);
        if (rc != RC_OK)
            return rc;
    }
    struct kube_facts facts = {.d = d, .applied = applied};
    cut_all(opts->rule->cut, &facts);
    cut_all(kube_common_cuts, &facts);
    if (opts->rule->suspend && !opts->effects_allow) {
        enum rc rc = suspend(d, opts->rule->suspend, e);
        if (rc != RC_OK)
            return rc;
    }
    if (!out)
        return RC_OK;
    print(d, opts, out);
    return buf_check(out, "the projected object", e);
}

/* Gives the root the member as print() shows it. */
static enum rc complete(struct json_doc *d, const char *name, struct slice text, struct err *e)
{
    struct json *root = json_root(d), *value;
    if (json_is(json_get(root, name), JSON_STRING))
        return RC_OK;
    enum rc rc = json_value_text(d, text, &value, e);
    return rc == RC_OK ? json_set(d, root, slice_str(name), value, e) : rc;
}

enum rc kube_project_hash(struct json_doc *d, const struct kube_project_opts *opts, uint8_t ret[32],
                          struct err *e)
{
    AUTO(buf_done) struct buf canonical = BUF_INIT(JSON_TEXT_MAX);
    enum rc rc = complete(d, "apiVersion", opts->api_version, e);
    if (rc == RC_OK)
        rc = complete(d, "kind", opts->kind, e);
    if (rc != RC_OK)
        return rc;
    json_print_canonical(d, json_root(d), &canonical);
    rc = buf_check(&canonical, "an object's canonical form", e);
    if (rc == RC_OK)
        sha256(buf_slice(&canonical), SLICE_NULL, ret);
    return rc;
}

/* KubernetesClusters and their credentials: from a Secret of the same namespace, under the key
 * kubeconfig.yaml, or from a file that --kubeconfig names. No text of a Secret is ever told, only
 * the names of its keys; decoded copies are overwritten. */
#include "controller/nearest.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/json.h"

#include <stdio.h>

#define SECRET_KEY "kubeconfig.yaml"

/* ---- A Secret ---- */

static void tell_keys(const struct item *cluster, const struct json *at, const struct item *secret)
{
    AUTO(buf_done) struct buf keys = BUF_INIT(1024);
    static const char *const members[] = {"data", "stringData"};
    for (size_t i = 0; i < 2; i++) {
        const struct json *map = fields_object(secret->node, members[i]);
        for (const struct json *n = map ? map->first : NULL; n; n = n->next)
            buf_addf(&keys, "%s%.*s", keys.n ? ", " : "", SHOWN(json_name(secret->origin.doc, n)));
    }
    problem_error(&cluster->origin, at,
                  "Secret %s (%s:%u:%u) has no key \"" SECRET_KEY "\"; its keys: %s",
                  secret->full_name, secret->origin.file, secret->node->line, secret->node->col,
                  keys.n ? keys.p : "none");
}

/* Appends the text of the Secret's kubeconfig, or tells why it has none. *ret_at is its place. */
static bool secret_text(const struct item *secret, const struct json *at, struct buf *out)
{
    struct json_doc *d = secret->origin.doc;
    struct err why = ERR_INIT;
    enum rc rc;
    if (at->parent == json_get(secret->node, "stringData")) {
        buf_add_slice(out, json_text(d, at));
        rc = buf_check(out, "kubeconfig", &why);
    } else
        rc = base64_decode(json_text(d, at), out, &why);
    if (rc == RC_INVALID)
        problem_error(&secret->origin, at,
                      "is not base64; plain text belongs in stringData instead of data");
    else if (rc != RC_OK)
        problem_failure(&secret->origin, at, &why);
    return rc == RC_OK;
}

/* A kubeconfig into the cluster's credentials. */
static enum rc take_kubeconfig(const struct loader *l, struct slice text, const char *name,
                               bool from_secret, struct cluster *c, struct err *e)
{
    struct kube_config_opts opts = {.file = name,
                                    .from_secret = from_secret,
                                    .allow_insecure = l->opts->allow_insecure,
                                    .allow_exec = l->opts->allow_exec};
    sha256(text, SLICE_NULL, c->digest);
    return kube_config_parse(text, &opts, &c->config, e);
}

static bool read_secret(const struct loader *l, const struct item *cluster, const struct json *at,
                        const struct item *secret, struct cluster *ret)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    struct err why = ERR_INIT;
    const struct json *n = json_get(json_get(secret->node, "stringData"), SECRET_KEY);
    if (!n)
        n = json_get(json_get(secret->node, "data"), SECRET_KEY);
    if (!n) {
        tell_keys(cluster, at, secret);
        return false;
    }
    if (!secret_text(secret, n, &text))
        return false;
    if (take_kubeconfig(l, buf_slice(&text), SECRET_KEY, /* from_secret= */ true, ret, &why) ==
        RC_OK)
        return true;
    problem_failure(&secret->origin, n, &why);
    return false;
}

/* True if the cluster can be used, or, offline, could be with a Secret that is elsewhere. */
static bool find_secret(struct loader *l, const struct item *item, struct cluster *c)
{
    const struct json *at = json_dig(item->node, "spec", "secretName", NULL);
    const struct kind *kind = loader_kind(KIND_SECRET);
    char hint[HINT_BYTES];
    const char *full =
        text_pool_join(&l->out->texts, slice_str(item->ns), '/', slice_str(c->secret_name));
    const struct item *secret = loader_find(l, kind, full);
    if (secret && secret->broken)
        return false;
    if (secret)
        return read_secret(l, item, at, secret, c);
    loader_hint(l, kind, item->ns, slice_str(c->secret_name), hint);
    if (l->opts->offline)
        problem_warn(&item->origin, at, "there is no Secret %s in the files%s", full, hint);
    else
        problem_error(&item->origin, at,
                      "there is no Secret %s in the files: add it, or name a kubeconfig by "
                      "--kubeconfig %s=FILE%s",
                      full, item->full_name, hint);
    return l->opts->offline;
}

/* ---- A file of --kubeconfig ---- */

/* The one cluster that "NAME" or "NAMESPACE/NAME" means. */
static struct item *find_named(struct loader *l, const struct origin *o, const char *name)
{
    const struct kind *kind = loader_kind(KIND_CLUSTER);
    struct item *found = NULL;
    char hint[HINT_BYTES];
    if (strchr(name, '/'))
        found = loader_find(l, kind, name);
    for (size_t i = 0; i < l->n_items; i++) {
        struct item *item = l->items[i];
        if (item->kind != kind || item == found || strcmp(item->name, name) != 0)
            continue;
        if (found && strcmp(found->full_name, item->full_name) != 0) {
            problem_error(o, NULL, "\"%s\" may be %s or %s: write the namespace, too", name,
                          found->full_name, item->full_name);
            return NULL;
        }
        found = found ? found : item;
    }
    loader_hint(l, kind, "default", slice_str(name), hint);
    if (!found)
        problem_error(o, NULL, "there is no KubernetesCluster \"%.*s\" in the files%s",
                      SHOWN(slice_str(name)), hint);
    return found;
}

static bool read_kubeconfig(const char *file, size_t order, const struct loader *l,
                            struct cluster *ret)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    struct origin o = {.problems = l->out->problems, .file = file, .order = order};
    struct err why = ERR_INIT;
    enum rc rc = input_text(file, &text, &why);
    if (rc == RC_OK)
        rc = take_kubeconfig(l, buf_slice(&text), file, /* from_secret= */ false, ret, &why);
    if (rc != RC_OK)
        problem_failure(&o, NULL, &why);
    return rc == RC_OK;
}

struct supplied {
    const struct item *cluster; /* NULL: the option was wrong */
    const char *file;
    size_t order;
};

static void parse_option(struct loader *l, const char *option, struct supplied *s)
{
    struct origin o = {.problems = l->out->problems, .file = "--kubeconfig", .order = s->order};
    struct slice file, name = slice_cut(slice_str(option), '=', &file);
    if (name.n == 0 || file.n == 0) {
        problem_error(&o, NULL, "\"%.*s\" is not of the form NAME=FILE or NAMESPACE/NAME=FILE",
                      SHOWN(slice_str(option)));
        return;
    }
    s->file = file.p;
    s->cluster = find_named(l, &o, text_pool_add(&l->out->texts, name));
}

/* ---- All of them ---- */

static const struct supplied *find_supplied(const struct supplied *all, size_t n,
                                            const struct item *cluster)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].cluster == cluster)
            return &all[i];
    return NULL;
}

static void read_options(struct loader *l, struct supplied *all)
{
    for (size_t i = 0; i < l->opts->n_kubeconfigs; i++) {
        all[i].order = l->inputs.n + i;
        parse_option(l, l->opts->kubeconfigs[i], &all[i]);
        const struct item *cluster = all[i].cluster;
        if (!cluster || !find_supplied(all, i, cluster))
            continue;
        struct origin o = {
            .problems = l->out->problems, .file = "--kubeconfig", .order = all[i].order};
        problem_error(&o, NULL, "KubernetesCluster %s is given twice", cluster->full_name);
        all[i].cluster = NULL;
    }
}

static void free_cluster(struct cluster **c)
{
    if (*c)
        kube_config_done(&(*c)->config);
    free(*c);
}

static enum rc read_cluster(struct loader *l, struct item *item, const struct supplied *from,
                            struct err *e)
{
    const struct json *at = json_dig(item->node, "spec", "secretName", NULL);
    struct slice secret = json_is(at, JSON_STRING) ? json_text(item->origin.doc, at) : SLICE_NULL;
    AUTO(free_cluster) struct cluster *c = calloc(1, sizeof *c);
    if (!c)
        return err_nomem(e);
    c->ns = item->ns;
    c->name = item->name;
    c->full_name = item->full_name;
    c->secret_name = text_pool_add(&l->out->texts, secret);
    if (secret.n > 0 && !kind_is_name(secret)) {
        problem_error(&item->origin, at,
                      "\"%.*s\" is no name of a Secret in the same namespace: allowed are %s",
                      SHOWN(secret), KIND_NAME_RULE);
        item->broken = true;
    }
    if (item->broken)
        return RC_OK;
    item->broken =
        from ? !read_kubeconfig(from->file, from->order, l, c) : !find_secret(l, item, c);
    if (!item->broken) {
        item->cluster = c;
        l->out->clusters[l->out->n_clusters++] = steal(&c);
    }
    return RC_OK;
}

enum rc clusters_read(struct loader *l, struct err *e)
{
    AUTO(freep) struct supplied *all = calloc(l->opts->n_kubeconfigs + 1, sizeof *all);
    l->out->clusters = calloc(l->n_items + 1, sizeof(struct cluster *));
    if (!all || !l->out->clusters)
        return err_nomem(e);
    read_options(l, all);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l->n_items && rc == RC_OK; i++) {
        struct item *item = l->items[i];
        if (item->kind->use == KIND_CLUSTER)
            rc = read_cluster(l, item, find_supplied(all, l->opts->n_kubeconfigs, item), e);
    }
    return rc;
}

/* KubernetesClusters and their credentials: from a Secret of the same namespace, under the key
 * kubeconfig.yaml, or from a file that --kubeconfig names. No text of a Secret is ever told, only
 * the names of its keys; decoded copies are overwritten. */
#include "controller/nearest.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "controller/resource_secret.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"

#include <stdio.h>

#define SECRET_KEY "kubeconfig.yaml"

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

/* Not an error: a renewed one is used as soon as it is there. */
static void warn_expired(const struct loader *l, const struct origin *o, const struct json *at,
                         const struct cluster *c)
{
    const char *pem = c->config.target.cert_pem;
    struct err why;
    int64_t end_ns;
    char end[TIME_TEXT_MAX];
    if (pem && l->opts->clock && certificate_end(slice_str(pem), &end_ns, &why) == RC_OK &&
        end_ns <= clock_wall_ns(l->opts->clock))
        problem_warn(o, at, "the client certificate of the kubeconfig expired at %s: renew it",
                     time_text(end_ns, end));
}

static bool read_secret(const struct loader *l, const struct item *cluster, const struct json *at,
                        const struct item *secret, struct cluster *ret)
{
    AUTO(input_wipe) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    struct err why = ERR_INIT;
    const struct json *n = secret_member(secret, SECRET_KEY);
    if (!n) {
        secret_tell_keys(cluster, at, secret, "no key \"" SECRET_KEY "\"");
        return false;
    }
    if (!secret_text(secret, n, &text))
        return false;
    enum rc rc =
        take_kubeconfig(l, buf_slice(&text), SECRET_KEY, /* from_secret= */ true, ret, &why);
    if (rc == RC_OK)
        warn_expired(l, &secret->origin, n, ret);
    else
        problem_failure(&secret->origin, n, &why);
    return rc == RC_OK;
}

/* True if the cluster can be used, or, offline, could be with a Secret that is elsewhere. */
static bool find_secret(struct loader *l, const struct item *item, struct cluster *c)
{
    const struct json *at = json_dig(item->node, "spec", "secretName", NULL);
    const struct item *secret = secret_find(l, item, c->secret_name);
    char advice[SHOWN_MAX + 64];
    snprintf(advice, sizeof advice, ", or name a kubeconfig by --kubeconfig %.*s=FILE",
             SHOWN(slice_str(item->full_name)));
    if (!secret)
        return secret_is_elsewhere(l, item, at, c->secret_name, advice);
    return !secret->broken && read_secret(l, item, at, secret, c);
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
    if (rc == RC_OK)
        warn_expired(l, &o, NULL, ret);
    else
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

struct cluster *cluster_new(const struct item *item)
{
    struct cluster *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct cluster){.ns = item->ns, .name = item->name, .full_name = item->full_name};
    return c;
}

void cluster_free(struct cluster *c)
{
    if (!c)
        return;
    kube_config_done(&c->config);
    database_free(c->zookeeper);
    free(c);
}

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

static enum rc read_cluster(struct loader *l, struct item *item, const struct supplied *from,
                            struct err *e)
{
    const struct json *at = json_dig(item->node, "spec", "secretName", NULL);
    struct slice secret = json_is(at, JSON_STRING) ? json_text(item->origin.doc, at) : SLICE_NULL;
    AUTO(cluster_freep) struct cluster *c = cluster_new(item);
    if (!c)
        return err_nomem(e);
    c->secret_name = text_pool_add(&l->out->texts, secret);
    if (!secret_check_name(item, at))
        item->broken = true;
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
    l->out->admins = calloc(l->n_items + 1, sizeof(struct admin_record *));
    if (!all || !l->out->clusters || !l->out->admins)
        return err_nomem(e);
    read_options(l, all);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l->n_items && rc == RC_OK; i++) {
        struct item *item = l->items[i];
        if (item->kind->use == KIND_CLUSTER)
            rc = read_cluster(l, item, find_supplied(all, l->opts->n_kubeconfigs, item), e);
        else if (item->kind->use == KIND_DATABASE)
            rc = database_read(l, item, e);
    }
    return rc;
}

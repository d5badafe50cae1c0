/* A synchronization as data: its two clusters, and what its plugin reads from config; the entries of
 * KIND_PLUGIN are read here. What the field tables cannot say is checked here: references, and
 * entries against each other. One thread. */
#include "controller/resolve.h"
#include "controller/resource_entry.h"
#include "controller/resource_fields.h"
#include "controller/resource_priv.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"

/* In the digests, too: the rules of the program's version decide what is copied. */
#define PROGRAM SLICE(RESILOG_VERSION)

enum { ENTRIES_MAX = 1000 };

void sync_record_free(struct sync_record *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_entries; i++)
        entry_done(&s->entries[i]);
    free(s->entries);
    for (size_t i = 0; s->excluded_filters && i < s->sync.n_excluded; i++)
        entry_done(&s->excluded_filters[i]);
    free(s->excluded_filters);
    free(s->excluded);
    free(s);
}

/* ---- Clusters ---- */

static void tell_missing(struct loader *l, const struct item *item, const struct json *at,
                         const struct kind *kind, const char *full)
{
    const struct kind *other =
        loader_kind(kind->use == KIND_CLUSTER ? KIND_DATABASE : KIND_CLUSTER);
    char hint[HINT_BYTES];
    loader_hint(l, kind, item->ns, json_text(item->origin.doc, at), hint);
    if (loader_find(l, other, full))
        problem_error(&item->origin, at, "%.*s is a %s, and this plugin copies between %ss%s",
                      SHOWN(slice_str(full)), other->name, kind->name, hint);
    else
        problem_error(&item->origin, at, "there is no %s %.*s in the files%s", kind->name,
                      SHOWN(slice_str(full)), hint);
}

/* The cluster that a member of config names: "name" in the same namespace, or "namespace/name". */
static const struct item *find_cluster(struct loader *l, const struct item *item,
                                       const struct json *config, const char *member,
                                       const struct kind *kind)
{
    const struct json *at = json_get(config, member);
    struct slice text = json_text(item->origin.doc, at), name;
    struct slice ns = slice_cut(text, '/', &name);
    bool qualified = ns.n < text.n;
    if (text.n == 0)
        return NULL; /* told by the field table */
    if (!kind_is_name(qualified ? name : text) || (qualified && !kind_is_namespace(ns))) {
        problem_error(&item->origin, at,
                      "\"%.*s\" names no %s: allowed are \"name\", in the same namespace, and "
                      "\"namespace/name\"",
                      SHOWN(text), kind->name);
        return NULL;
    }
    struct text_pool *texts = &l->out->texts;
    const char *full = qualified ? text_pool_add(texts, text)
                                 : text_pool_join(texts, slice_str(item->ns), '/', text);
    const struct item *cluster = loader_find(l, kind, full);
    if (!cluster)
        tell_missing(l, item, at, kind, full);
    else if (!cluster->broken && !cluster->cluster)
        problem_error(&item->origin, at,
                      "%s %s (%s:%u:%u) has no spec.zookeeper.client: there is nothing to connect "
                      "to",
                      kind->name, cluster->full_name, cluster->origin.file, cluster->node->line,
                      cluster->node->col);
    return cluster;
}

/* Gives the source. */
static struct cluster *read_clusters(struct loader *l, const struct item *item,
                                     const struct json *config, enum kind_use use,
                                     struct sync *sync)
{
    const struct kind *kind = loader_kind(use);
    const struct item *source = find_cluster(l, item, config, "sourceName", kind);
    const struct item *destination = find_cluster(l, item, config, "destinationName", kind);
    if (source && source == destination)
        problem_error(&item->origin, json_get(config, "destinationName"),
                      "source and destination are the same %s, %s", kind->name, source->full_name);
    sync->source = source ? source->cluster : NULL;
    sync->destination = destination ? destination->cluster : NULL;
    return source ? source->cluster : NULL;
}

/* ---- Entries ---- */

/* Tells once that a resource is named again: allowed, but easily a mistake. */
static bool tell_repeated(const struct item *item, const struct json *node,
                          const struct sync_record *s, const struct replication_entry *entry)
{
    for (size_t i = 0; i < s->n_entries; i++) {
        const struct replication_entry *other = &s->entries[i];
        if (!slice_eq(other->group, entry->group) || !slice_eq(other->resource, entry->resource))
            continue;
        problem_warn(&item->origin, node,
                     "resource \"%.*s\" of group \"%.*s\" is also in entry %zu: an object goes by "
                     "the first entry that selects it",
                     SHOWN(entry->resource), SHOWN(entry->group), i);
        return true;
    }
    return false;
}

static bool is_other_version(const struct replication_entry *a, const struct replication_entry *b)
{
    return !resolve_is_star(a) && slice_eq(a->group, b->group) &&
           slice_eq(a->resource, b->resource) && a->version.n > 0 && b->version.n > 0 &&
           !slice_eq(a->version, b->version);
}

/* A source's log holds each resource in one version (DESIGN section 4): the others of this synchronization, and
 * those of the ones that were read before. */
static void check_version(struct loader *l, const struct item *item, const struct json *node,
                          const struct sync_record *s, const struct replication_entry *entry)
{
    const struct sync_record *who = NULL;
    const struct replication_entry *other = NULL;
    for (size_t i = 0; i <= l->out->n_syncs && !other; i++) {
        who = i < l->out->n_syncs ? l->out->syncs[i] : s;
        for (size_t j = 0; who->sync.source == s->sync.source && j < who->n_entries && !other; j++)
            if (is_other_version(&who->entries[j], entry))
                other = &who->entries[j];
    }
    if (other)
        problem_error(
            &item->origin, json_get(node, "version"),
            "VersionConflict: %.*s is asked for in %.*s here and in %.*s by %s; a source's "
            "log holds each resource in one version, use the same everywhere",
            SHOWN(entry->resource), SHOWN(entry->version), SHOWN(other->version),
            who->sync.full_name);
}

static enum rc read_entries(struct loader *l, const struct item *item, const struct json *list,
                            const struct sink_policy *defaults, struct sync_record *s,
                            struct err *e)
{
    bool told = false;
    for (const struct json *n = list->first; n; n = n->next) {
        struct replication_entry *entry = &s->entries[s->n_entries];
        if (n->type != JSON_OBJECT)
            continue; /* told by the field table */
        enum rc rc = entry_read(&l->out->texts, &item->origin, n, defaults, entry, e);
        told = told || tell_repeated(item, n, s, entry);
        check_version(l, item, n, s, entry);
        s->n_entries++;
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* Behind the entries: what is recorded beside them. */
static void read_records(struct loader *l, const struct item *item, const struct json *list,
                         struct sync_record *s)
{
    for (const struct json *n = list ? list->first : NULL; n; n = n->next) {
        struct replication_entry *entry = &s->entries[s->n_entries];
        if (n->type != JSON_OBJECT)
            continue; /* told by the field table */
        record_read(&l->out->texts, &item->origin, n, entry);
        check_version(l, item, n, s, entry);
        s->n_entries++;
    }
}

static bool is_too_long(const struct item *item, const struct json *list)
{
    if (!list || list->count <= ENTRIES_MAX)
        return false;
    problem_error(&item->origin, list, "%zu entries, the most allowed is %d", list->count,
                  ENTRIES_MAX);
    return true;
}

/* ---- Exclusions ---- */

static void check_exclusion(const struct item *item, const struct json *node,
                            const struct sync_record *s, const struct kind_pattern *x)
{
    bool any_star = false;
    for (size_t i = 0; i < s->n_entries; i++) {
        const struct replication_entry *entry = &s->entries[i];
        any_star = any_star || resolve_is_star(entry);
        if (!resolve_is_star(entry) && slice_eq(entry->group, x->group) &&
            slice_eq(entry->resource, x->resource))
            problem_error(&item->origin, node,
                          "resource \"%.*s\" of group \"%.*s\" is excluded here and named by "
                          "resources[%zu]: take one of the two away",
                          SHOWN(x->resource), SHOWN(x->group), i);
    }
    if (!any_star)
        problem_warn(&item->origin, node,
                     "excludes nothing: only what an entry of resources with \"*\" takes can be "
                     "excluded");
}

static enum rc read_exclusions(struct loader *l, const struct item *item, const struct json *list,
                               struct sync_record *s, struct err *e)
{
    if (!list || is_too_long(item, list))
        return RC_OK;
    s->excluded = calloc(list->count + 1, sizeof *s->excluded);
    s->excluded_filters = calloc(list->count + 1, sizeof *s->excluded_filters);
    if (!s->excluded || !s->excluded_filters)
        return err_nomem(e);
    enum rc rc = RC_OK;
    for (const struct json *n = list->first; n && rc == RC_OK; n = n->next) {
        size_t i = s->sync.n_excluded;
        if (n->type != JSON_OBJECT)
            continue; /* told by the field table */
        s->sync.n_excluded++;
        rc = exclusion_read(&l->out->texts, &item->origin, n, &s->excluded_filters[i],
                            &s->excluded[i], e);
        check_exclusion(item, n, s, &s->excluded[i]);
    }
    s->sync.excluded = s->excluded;
    return rc;
}

#define RESYNC_DEFAULT_NS (3600 * NS_PER_S) /* reference, chapter 6.2.5 */

/* The reference has the field in two places. */
int64_t period_read(const struct item *item, const struct json *config,
                    const struct json *replication)
{
    const struct json *outer = json_get(config, "resyncPeriod");
    const struct json *inner = json_get(replication, "resyncPeriod");
    const struct json *at = json_is(inner, JSON_STRING) ? inner : outer;
    struct err ignored = ERR_INIT;
    int64_t period = RESYNC_DEFAULT_NS;
    if (json_is(inner, JSON_STRING) && json_is(outer, JSON_STRING) && !json_equal(inner, outer))
        problem_warn(&item->origin, outer,
                     "resyncPeriod is also in replication, with another value: that one is taken");
    if (!json_is(at, JSON_STRING) ||
        duration_parse(json_text(item->origin.doc, at), &period, &ignored) != RC_OK)
        return RESYNC_DEFAULT_NS; /* told by the field table */
    if (period != 0 && period < NS_PER_S)
        problem_error(&item->origin, at,
                      "\"%.*s\": at least 1s is allowed, or 0s: the destination is never compared",
                      SHOWN(json_text(item->origin.doc, at)));
    return period;
}

static enum rc read_replication(struct loader *l, const struct item *item,
                                const struct json *config, struct sync_record *s, struct err *e)
{
    const struct json *replication = fields_object(config, "replication");
    const struct json *list = fields_list(replication, "resources");
    const struct json *records = fields_list(replication, "record");
    struct sink_policy defaults = {.by_name = true};
    defaults.force_namespace = fields_true(replication, "forceNamespaceCreation");
    policy_read(&item->origin, replication, &defaults);
    if (!list || is_too_long(item, list) || is_too_long(item, records))
        return RC_OK;
    s->entries = calloc(list->count + (records ? records->count : 0) + 1, sizeof *s->entries);
    if (!s->entries)
        return err_nomem(e);
    enum rc rc = read_entries(l, item, list, &defaults, s, e);
    if (rc == RC_OK)
        rc = read_exclusions(l, item, fields_list(replication, "excludeResources"), s, e);
    size_t n_copied = s->n_entries;
    if (rc == RC_OK)
        read_records(l, item, records, s);
    s->sync.replication =
        (struct replication){.sync = slice_str(item->full_name),
                             .entries = s->entries,
                             .n_entries = n_copied,
                             .n_recorded = s->n_entries,
                             .prune_deselected = fields_true(replication, "pruneDeselected"),
                             .resync_ns = period_read(item, config, replication)};
    return rc == RC_OK ? item_digest(item, replication, PROGRAM, s->sync.replication.digest, e)
                       : rc;
}

/* Wrong ones are told by the field table. */
static void read_levels(const struct item *item, const struct json *config,
                        struct speaker_levels *ret)
{
    const struct json *components = fields_object(config, "components");
    for (int i = 0; i < SPEAKERS; i++) {
        const char *name = speaker_component((enum speaker)i);
        const struct json *one = name ? fields_object(components, name) : NULL;
        ret->has[i] = speaker_level(json_get_text(item->origin.doc, one, "logLevel"), &ret->of[i]);
    }
}

/* ---- The whole ---- */

enum rc item_digest(const struct item *item, const struct json *part, struct slice salt,
                    uint8_t ret[RESOURCE_DIGEST], struct err *e)
{
    AUTO(buf_done) struct buf text = BUF_INIT(YAML_TEXT_MAX);
    json_print_canonical(item->origin.doc, part, &text);
    enum rc rc = buf_check(&text, "a resource", e);
    if (rc == RC_OK)
        sha256(buf_slice(&text), salt, ret);
    return rc;
}

struct plugin {
    const char *name;
    enum kind_use ends; /* what it copies between */
    enum rc (*read)(struct loader *l, const struct item *item, const struct json *config,
                    struct sync_record *s, struct err *e);
};
static const struct plugin plugins[] = {
    {KIND_PLUGIN, KIND_CLUSTER, read_replication},
    {KIND_PLUGIN_TREE, KIND_DATABASE, tree_read},
    {.name = NULL},
};

static const struct plugin *find_plugin(struct slice name)
{
    const struct plugin *p = plugins;
    while (p->name && !slice_eq(slice_str(p->name), name))
        p++;
    return p->name ? p : NULL;
}

static enum sync_restart read_restart(struct slice text)
{
    return slice_eq(text, SLICE("Always"))      ? RESTART_ALWAYS
           : slice_eq(text, SLICE("OnFailure")) ? RESTART_ON_FAILURE
                                                : RESTART_NEVER;
}

enum rc sync_make(struct loader *l, const struct item *item, const struct json *spec,
                  struct sync_record **ret, struct err *e)
{
    const struct json *config = fields_object(spec, "config");
    const struct plugin *plugin = find_plugin(json_get_text(item->origin.doc, spec, "plugin"));
    size_t errors = problem_list_errors(l->out->problems);
    if (!plugin || !config)
        return RC_OK; /* told by the field table */
    AUTO(sync_record_freep) struct sync_record *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(e);
    s->sync = (struct sync){
        .ns = item->ns,
        .name = item->name,
        .full_name = item->full_name,
        .plugin = plugin->name,
        .suspend = fields_true(spec, "suspend"),
        .once = item->kind->use != KIND_SYNC,
        .restart = read_restart(json_get_text(item->origin.doc, spec, "restartPolicy"))};
    struct cluster *source = read_clusters(l, item, config, plugin->ends, &s->sync);
    read_levels(item, config, &s->sync.levels);
    enum rc rc = plugin->read(l, item, config, s, e);
    if (rc == RC_OK)
        rc = item_digest(item, spec, PROGRAM, s->sync.digest, e);
    bool clean = !item->broken && problem_list_errors(l->out->problems) == errors;
    if (rc != RC_OK || !clean || !source || !s->sync.destination)
        return rc;
    source->acl = source->acl || s->sync.tree.acl;
    *ret = steal(&s);
    return RC_OK;
}

enum rc sync_read(struct loader *l, const struct item *item, struct err *e)
{
    struct resources *r = l->out;
    struct sync_record *s = NULL;
    enum rc rc = sync_make(l, item, fields_object(item->node, "spec"), &s, e);
    if (s && s->sync.once)
        r->onces[r->n_onces++] = s;
    else if (s)
        r->syncs[r->n_syncs++] = s;
    return rc;
}

/* Entries are copied flat: selectors, patterns and patches stay the synchronization's own. */
#include "controller/resolve.h"

#include "controller/resource.h"
#include "controller/text_pool.h"
#include "core/buf.h"
#include "core/digest.h"
#include "core/map.h"
#include "sinks/kube_rules.h"

#include <stdlib.h>

#define STAR     SLICE("*")
#define TEXT_MAX (16u << 20)

struct entries {
    struct replication_entry *list;
    size_t n, cap;
};

struct resolved {
    struct sync sync;
    struct entries entries, excluded;
    struct text_pool texts;
    struct buf
        kinds; /* "group/resource " of what was not named as it stands, "!number " of what excludes of it */
    struct buf versions; /* the versions of all */
};

/* ---- Which ---- */

bool resolve_is_star(const struct replication_entry *entry)
{
    return slice_eq(entry->group, STAR) || slice_eq(entry->resource, STAR);
}

bool resolve_needed(const struct replication *r)
{
    for (size_t i = 0; i < r->n_entries; i++) {
        const struct replication_entry *entry = &r->entries[i];
        if (entry->root.n == 0 && (entry->version.n == 0 || resolve_is_star(entry)))
            return true;
    }
    return false;
}

static bool covers(struct slice pattern, struct slice text)
{
    return slice_eq(pattern, STAR) || slice_eq(pattern, text);
}

/* Without a version: any. */
static bool is_served(const char *versions, struct slice version)
{
    struct slice rest = slice_str(versions);
    if (version.n == 0 || slice_eq(rest, STAR))
        return true;
    while (rest.n > 0)
        if (slice_eq(slice_cut(rest, ' ', &rest), version))
            return true;
    return false;
}

static bool is_named(const struct replication *r, struct slice group, struct slice resource)
{
    for (size_t i = 0; i < r->n_entries; i++)
        if (slice_eq(r->entries[i].group, group) && slice_eq(r->entries[i].resource, resource))
            return true;
    return false;
}

static bool is_about(const struct kind_pattern *x, const char *versions, struct slice group,
                     struct slice resource)
{
    return covers(x->group, group) && covers(x->resource, resource) &&
           is_served(versions, x->version);
}

/* As a whole. */
static bool is_excluded(const struct sync *sync, const char *versions, struct slice group,
                        struct slice resource)
{
    for (size_t i = 0; i < sync->n_excluded; i++)
        if (!sync->excluded[i].filters && is_about(&sync->excluded[i], versions, group, resource))
            return true;
    return false;
}

/* Whether the rules and the exclusions let an entry with `*` have that kind. */
static bool takes(const struct sync *sync, const struct replication_entry *entry, struct slice kind,
                  const char *versions)
{
    struct slice resource, group = slice_cut(kind, '/', &resource);
    const struct kube_rule *rule = kube_rule_find(group, resource);
    bool by_name = !slice_eq(entry->resource, STAR);
    if (!covers(entry->group, group) || !covers(entry->resource, resource) ||
        !is_served(versions, entry->version))
        return false;
    if (rule->star == KUBE_STAR_NEVER || (rule->star == KUBE_STAR_NAME_ONLY && !by_name))
        return false;
    return !is_named(&sync->replication, group, resource) &&
           !is_excluded(sync, versions, group, resource);
}

/* ---- The entries ---- */

static enum rc add(struct entries *to, const struct replication_entry *entry, struct err *e)
{
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 64;
        struct replication_entry *grown = reallocarray(to->list, cap, sizeof *grown);
        if (!grown)
            return err_nomem(e);
        to->list = grown;
        to->cap = cap;
    }
    to->list[to->n++] = *entry;
    return RC_OK;
}

/* The exclusions that are about some objects of the kind of an entry. */
static enum rc add_excluded(struct resolved *r, const struct sync *sync,
                            const struct replication_entry *entry, const char *versions,
                            struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sync->n_excluded && rc == RC_OK; i++) {
        const struct kind_pattern *x = &sync->excluded[i];
        if (!x->filters || !is_about(x, versions, entry->group, entry->resource))
            continue;
        struct replication_entry one = *x->filters;
        one.group = entry->group;
        one.resource = entry->resource;
        buf_addf(&r->kinds, "!%zu ", i);
        rc = add(&r->excluded, &one, e);
    }
    return rc;
}

/* An entry of its own for a kind that an entry names in general. */
static enum rc add_kind(struct resolved *r, const struct sync *sync,
                        const struct replication_entry *entry, struct slice kind,
                        const char *versions, struct err *e)
{
    struct replication_entry one = *entry;
    struct slice rest, first = slice_cut(slice_str(versions), ' ', &rest);
    struct slice text = slice_str(text_pool_add(&r->texts, kind));
    one.by_star = resolve_is_star(entry);
    one.any_version = entry->version.n == 0;
    one.group = slice_cut(text, '/', &one.resource);
    if (one.any_version)
        one.version = slice_str(text_pool_add(&r->texts, first));
    buf_addf(&r->kinds, "%.*s ", SLICE_ARG(kind));
    buf_addf(&r->versions, "%.*s ", SLICE_ARG(one.version));
    if (r->texts.nomem)
        return err_nomem(e);
    enum rc rc = add(&r->entries, &one, e);
    return rc == RC_OK && one.by_star ? add_excluded(r, sync, &one, versions, e) : rc;
}

static enum rc add_taken(struct resolved *r, const struct sync *sync,
                         const struct replication_entry *entry, const struct map *kinds,
                         struct err *e)
{
    struct map_entry at = {SLICE_NULL, NULL};
    enum rc rc = RC_OK;
    while (rc == RC_OK && map_seek(kinds, at.key, at.key.n > 0, &at))
        if (takes(sync, entry, at.key, at.value))
            rc = add_kind(r, sync, entry, at.key, at.value, e);
    return rc;
}

static enum rc add_preferred(struct resolved *r, const struct sync *sync,
                             const struct replication_entry *entry, const struct map *kinds,
                             struct err *e)
{
    AUTO(buf_done) struct buf kind = BUF_INIT(TEXT_MAX);
    buf_addf(&kind, "%.*s/%.*s", SLICE_ARG(entry->group), SLICE_ARG(entry->resource));
    enum rc rc = buf_check(&kind, "kind", e);
    const char *versions = rc == RC_OK ? map_get(kinds, buf_slice(&kind)) : NULL;
    return versions ? add_kind(r, sync, entry, buf_slice(&kind), versions, e) : rc;
}

static enum rc add_all(struct resolved *r, const struct sync *sync, const struct map *kinds,
                       struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sync->replication.n_entries && rc == RC_OK; i++) {
        const struct replication_entry *entry = &sync->replication.entries[i];
        rc = resolve_is_star(entry)  ? add_taken(r, sync, entry, kinds, e)
             : entry->version.n == 0 ? add_preferred(r, sync, entry, kinds, e)
                                     : add(&r->entries, entry, e);
    }
    if (rc == RC_OK)
        rc = buf_check(&r->kinds, "the kinds of a synchronization", e);
    return rc == RC_OK ? buf_check(&r->versions, "the versions of a synchronization", e) : rc;
}

enum rc resolve(const struct sync *sync, const struct map *kinds, struct resolved **ret,
                struct err *e)
{
    AUTO(resolved_freep) struct resolved *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    buf_init(&r->kinds, TEXT_MAX);
    buf_init(&r->versions, TEXT_MAX);
    enum rc rc = add_all(r, sync, kinds, e);
    if (rc != RC_OK)
        return rc;
    const uint8_t *digest = sync->replication.digest;
    r->sync = *sync;
    r->sync.replication.entries = r->entries.list;
    r->sync.replication.n_entries = r->sync.replication.n_recorded = r->entries.n;
    r->sync.replication.excluded = r->excluded.list;
    r->sync.replication.n_excluded = r->excluded.n;
    sha256(slice_of((const char *)digest, REPLICATION_DIGEST), buf_slice(&r->kinds),
           r->sync.replication.digest);
    *ret = steal(&r);
    return RC_OK;
}

void resolved_free(struct resolved *r)
{
    if (!r)
        return;
    free(r->entries.list);
    free(r->excluded.list);
    text_pool_done(&r->texts);
    buf_done(&r->kinds);
    buf_done(&r->versions);
    free(r);
}

const struct sync *resolved_sync(const struct resolved *r)
{
    return &r->sync;
}

bool resolved_same(const struct resolved *a, const struct resolved *b)
{
    return slice_eq(buf_slice(&a->kinds), buf_slice(&b->kinds)) &&
           slice_eq(buf_slice(&a->versions), buf_slice(&b->versions));
}

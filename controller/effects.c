/* Effects of kinds by the sinks' table of rules. Pure. */
#include "controller/effects.h"

#include "controller/resolve.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "core/key.h"
#include "core/map.h"
#include "sinks/kube_rules.h"

#include <stdlib.h>

static const struct {
    unsigned bit;
    const char *word;
} WORDS[] = {
    {KUBE_EFFECT_RUNS, "runs"},   {KUBE_EFFECT_NETWORK, "network"},     {KUBE_EFFECT_DNS, "dns"},
    {KUBE_EFFECT_CLOUD, "cloud"}, {KUBE_EFFECT_ADMISSION, "admission"},
};

static unsigned effect_of(const struct replication_entry *entry)
{
    const struct kube_rule *rule = kube_rule_find(entry->group, entry->resource);
    bool quiet = entry->policy.effects_allow || rule->suspend || rule->star == KUBE_STAR_NEVER;
    return quiet ? 0 : rule->effect;
}

/* An entry before has told of the same kind. */
static bool is_told(const struct replication *r, size_t at)
{
    const struct replication_entry *entry = &r->entries[at];
    for (size_t i = 0; i < at; i++)
        if (effect_of(&r->entries[i]) && slice_eq(r->entries[i].group, entry->group) &&
            slice_eq(r->entries[i].resource, entry->resource))
            return true;
    return false;
}

static void print_kind(const struct replication_entry *entry, struct buf *out)
{
    unsigned effect = effect_of(entry);
    const char *sign = " (";
    buf_addf(out, "%.*s%s%.*s", SLICE_ARG(entry->group), entry->group.n ? "/" : "",
             SLICE_ARG(entry->resource));
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (!(effect & WORDS[i].bit))
            continue;
        buf_addf(out, "%s%s", sign, WORDS[i].word);
        sign = ", ";
    }
    buf_add_char(out, ')');
}

static void print_all(const struct replication *r, struct buf *out)
{
    const char *sign = "";
    for (size_t i = 0; i < r->n_entries; i++) {
        if (!effect_of(&r->entries[i]) || is_told(r, i))
            continue;
        buf_add_str(out, sign);
        print_kind(&r->entries[i], out);
        sign = ", ";
    }
}

/* What `*` may find in a source, as far as the table knows it by name. */
static enum rc known_kinds(struct map *kinds, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < kube_rules_count && rc == RC_OK; i++) {
        AUTO(buf_done) struct buf kind = BUF_INIT(2 * KEY_MAX);
        if (kube_rules[i].resource[0] == '*' || kube_rules[i].group[0] == '*')
            continue;
        buf_addf(&kind, "%s/%s", kube_rules[i].group, kube_rules[i].resource);
        rc = buf_check(&kind, "kind", e);
        char *versions = rc == RC_OK ? strdup("*") : NULL;
        if (rc == RC_OK)
            rc = versions ? map_put(kinds, buf_slice(&kind), versions, e) : err_nomem(e);
    }
    return rc;
}

void effects_print(const struct sync *sync, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO(map_freep) struct map *kinds = map_new(free);
    AUTO(resolved_freep) struct resolved *all = NULL;
    enum rc rc = kinds ? known_kinds(kinds, &e) : err_nomem(&e);
    if (rc == RC_OK)
        rc = resolve(sync, kinds, &all, &e);
    if (rc == RC_OK)
        print_all(&resolved_sync(all)->replication, out);
    else
        out->bad = rc;
}

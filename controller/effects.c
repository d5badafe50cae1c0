/* Effects of kinds by the sinks' table of rules. Pure. */
#include "controller/effects.h"

#include "controller/resource.h"
#include "core/buf.h"
#include "sinks/kube_rules.h"

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

void effects_print(const struct sync *sync, struct buf *out)
{
    const struct replication *r = &sync->replication;
    const char *sign = "";
    for (size_t i = 0; i < r->n_entries; i++) {
        if (!effect_of(&r->entries[i]) || is_told(r, i))
            continue;
        buf_add_str(out, sign);
        print_kind(&r->entries[i], out);
        sign = ", ";
    }
}

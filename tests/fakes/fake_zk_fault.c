/* When a fault strikes the modelled ZooKeeper ensemble: planned rules first, then chance from a generator of its own,
 * so that a seed gives the same faults whatever else asks for numbers. */
#include "tests/fakes/fake_zk_priv.h"

#include <assert.h>
#include <stdlib.h>

void fake_zk_plan(struct fake_zk *w, const struct fake_zk_rule *rule)
{
    struct fz_rule **at = &w->rules, *r = calloc(1, sizeof(*r));
    fz_must(r ? RC_OK : RC_NOMEM);
    assert(rule->fault > FAKE_ZK_NO_FAULT && rule->fault < FAKE_ZK_FAULTS);
    r->rule = *rule;
    r->path = fz_copy(&r->mem, slice_str(rule->path));
    r->rule.times = rule->times ? rule->times : 1;
    while (*at)
        at = &(*at)->next;
    *at = r;
}

void fake_zk_faults(struct fake_zk *w, uint64_t seed, const struct fake_zk_rates *rates)
{
    w->rates = rates ? *rates : (struct fake_zk_rates){0};
    assert(w->rates.per_mille[FAKE_ZK_ERROR] == 0);
    rng_seeded_init(&w->fault_rng, seed);
}

static bool matches_call(const struct fz_rule *r, const struct zk_call *c)
{
    bool op = r->rule.op == FAKE_ZK_ANY || r->rule.op == (int)c->op;
    if (op && slice_starts(c->path, r->path))
        return true;
    for (size_t i = 0; i < c->n_parts; i++)
        if ((op || r->rule.op == (int)c->parts[i].op) && slice_starts(c->parts[i].path, r->path))
            return true;
    return false;
}

/* Uses the rule up by one: true if it strikes now. */
static bool strikes(struct fz_rule **at)
{
    struct fz_rule *r = *at;
    if (r->rule.pass) {
        r->rule.pass--;
        return false;
    }
    if (--r->rule.times == 0) {
        *at = r->next;
        fz_mem_done(&r->mem);
        free(r);
    }
    return true;
}

static enum fake_zk_fault by_chance(struct fake_zk *w)
{
    uint64_t at = rng_below(&w->fault_rng.rng, 1000);
    for (int i = FAKE_ZK_NO_FAULT + 1; i < FAKE_ZK_FAULTS; i++) {
        if (i == FAKE_ZK_EVENT_LOST)
            continue;
        if (at < w->rates.per_mille[i])
            return (enum fake_zk_fault)i;
        at -= w->rates.per_mille[i];
    }
    return FAKE_ZK_NO_FAULT;
}

enum fake_zk_fault fz_fault_of(struct fake_zk *w, const struct zk_call *c, int *ret_error)
{
    enum fake_zk_fault fault = FAKE_ZK_NO_FAULT;
    for (struct fz_rule **at = &w->rules; *at && !fault;) {
        struct fz_rule *r = *at;
        enum fake_zk_fault planned = r->rule.fault;
        *ret_error = r->rule.error;
        if (planned != FAKE_ZK_EVENT_LOST && matches_call(r, c) && strikes(at))
            fault = planned;
        else
            at = &r->next;
    }
    if (!fault)
        fault = by_chance(w);
    w->struck[fault]++;
    return fault;
}

bool fz_fault_of_event(struct fake_zk *w, struct slice path)
{
    bool lost = false;
    for (struct fz_rule **at = &w->rules; *at && !lost;) {
        struct fz_rule *r = *at;
        lost = r->rule.fault == FAKE_ZK_EVENT_LOST && slice_starts(path, r->path) && strikes(at);
        if (!lost)
            at = &r->next;
    }
    if (!lost)
        lost = rng_below(&w->fault_rng.rng, 1000) < w->rates.per_mille[FAKE_ZK_EVENT_LOST];
    w->struck[FAKE_ZK_EVENT_LOST] += lost;
    return lost;
}

void fz_faults_done(struct fake_zk *w)
{
    for (struct fz_rule *r = w->rules, *next; r; r = next) {
        next = r->next;
        fz_mem_done(&r->mem);
        free(r);
    }
}

size_t fake_zk_struck(const struct fake_zk *w, enum fake_zk_fault fault)
{
    return w->struck[fault];
}

/* When a fault strikes the modelled API server: planned rules first, then chance from a
 * generator of its own, so that a seed gives the same faults whatever else asks for numbers. */
#include "tests/fakes/fake_kube_priv.h"

#define DELAY_NS (5 * NS_PER_S)

struct fk_rule {
    struct fk_rule *next;
    struct fake_kube_rule rule; /* its path lies in path */
    char path[];
};
void fake_kube_faults(struct fake_kube *k, uint64_t seed, const struct fake_kube_rates *rates)
{
    unsigned sum = 0;
    k->faulty = rates != NULL;
    k->rates = rates ? *rates : (struct fake_kube_rates){0};
    rng_seeded_init(&k->fault_rng, seed);
    for (int i = FAKE_KUBE_NO_FAULT + 1; i < FAKE_KUBE_WATCH_DROP; i++)
        sum += k->rates.per_mille[i];
    assert(sum <= 1000);
}

void fake_kube_plan(struct fake_kube *k, const struct fake_kube_rule *rule)
{
    struct slice path = slice_str(rule->path);
    struct fk_rule **at = &k->rules, *r = fk_alloc(sizeof *r + path.n + 1);
    assert(rule->fault > FAKE_KUBE_NO_FAULT && rule->fault < FAKE_KUBE_FAULTS);
    r->rule = *rule;
    if (path.n)
        memcpy(r->path, path.p, path.n);
    r->rule.path = r->path;
    r->rule.times = rule->times ? rule->times : 1;
    while (*at)
        at = &(*at)->next;
    *at = r;
}

static bool is_of_request(enum fake_kube_fault fault)
{
    return fault < FAKE_KUBE_WATCH_DROP;
}

static bool matches(const struct fk_rule *r, const struct fk_call *c)
{
    return (r->rule.method == FAKE_KUBE_ANY || r->rule.method == (int)c->request.method) &&
           slice_starts(c->request.path, slice_str(r->path));
}

/* The fault that a rule plans for this request, or (not of_request) whether one plans that very
 * fault now. */
static enum fake_kube_fault planned(struct fake_kube *k, const struct fk_call *c,
                                    enum fake_kube_fault wanted)
{
    for (struct fk_rule **at = &k->rules; *at; at = &(*at)->next) {
        struct fk_rule *r = *at;
        enum fake_kube_fault fault = r->rule.fault;
        if ((wanted ? fault != wanted : !is_of_request(fault)) || !matches(r, c))
            continue;
        if (r->rule.pass) {
            r->rule.pass--;
            continue;
        }
        if (--r->rule.times == 0) {
            *at = r->next;
            free(r);
        }
        return fault;
    }
    return FAKE_KUBE_NO_FAULT;
}

enum fake_kube_fault fk_fault_of_request(struct fake_kube *k, const struct fk_call *c)
{
    enum fake_kube_fault fault = planned(k, c, FAKE_KUBE_NO_FAULT);
    if (fault || !k->faulty)
        return fault;
    unsigned at = (unsigned)rng_below(&k->fault_rng.rng, 1000);
    for (int i = FAKE_KUBE_NO_FAULT + 1; i < FAKE_KUBE_WATCH_DROP; i++) {
        if (at < k->rates.per_mille[i])
            return (enum fake_kube_fault)i;
        at -= k->rates.per_mille[i];
    }
    return FAKE_KUBE_NO_FAULT;
}

bool fk_fault_strikes(struct fake_kube *k, const struct fk_call *c, enum fake_kube_fault fault)
{
    bool strikes =
        planned(k, c, fault) || (k->rates.per_mille[fault] &&
                                 rng_below(&k->fault_rng.rng, 1000) < k->rates.per_mille[fault]);
    if (strikes)
        fk_struck(k, fault);
    return strikes;
}

void fk_struck(struct fake_kube *k, enum fake_kube_fault fault)
{
    k->counts.struck[fault]++;
}

int64_t fk_fault_delay(struct fake_kube *k)
{
    int64_t most = k->rates.delay_max_ns ? k->rates.delay_max_ns : DELAY_NS;
    return 1 + (int64_t)rng_below(&k->fault_rng.rng, (uint64_t)most);
}

void fk_faults_done(struct fake_kube *k)
{
    while (k->rules) {
        struct fk_rule *r = k->rules;
        k->rules = r->next;
        free(r);
    }
}

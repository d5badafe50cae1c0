/* Groups the synchronizations by source and runs the groups. A running group borrows the resources that it was started
 * with, so these live until its end; those that are wanted live until others are. */
#include "controller/runtime.h"

#include "controller/effects.h"
#include "controller/group.h"
#include "controller/once_board.h"
#include "controller/order_board.h"
#include "controller/resource.h"
#include "controller/text_pool.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/diag.h"
#include "core/digest.h"
#include "core/env.h"

#include <stdlib.h>

#define EFFECTS_MAX (64u << 10)
#define NAMES_MAX   (64u << 20)

/* One source at work. */
struct slot {
    struct group *group;
    const struct cluster *source;
    uint8_t digest[SHA256_SIZE]; /* of all that it was started with */
    bool ending;                 /* it was asked to */
};

/* The synchronizations of one source, as they are wanted. */
struct crew {
    const struct cluster *source;
    struct group_member *members;
    size_t n;
    uint8_t digest[SHA256_SIZE];
};

/* Full names. */
struct approval {
    const char **names;
    size_t n;
};

struct runtime {
    const struct wiring *wiring;
    struct env env;
    struct text_pool texts;
    struct approval may_prune, accepted; /* of synchronizations; of sources */
    int64_t approved_until_ns;           /* boot clock */
    struct slot *slots;
    size_t n;
    struct resources *newest; /* what is wanted; behind it older ones that groups still borrow */
    struct order_board *orders;
    struct once_board *ended;
    bool only_once;
    int64_t not_before_ns;
};

/* ---- What a person approved, by name ---- */

static int64_t approved_until(const struct runtime *r, const struct approval *a,
                              const char *full_name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->names[i], full_name) == 0)
            return r->approved_until_ns;
    return 0;
}

static size_t count(const struct resources *r, bool (*has)(const struct resources *r, size_t i))
{
    size_t n = 0;
    while (has(r, n))
        n++;
    return n;
}

static bool has_sync(const struct resources *r, size_t i)
{
    return resources_sync(r, i);
}

static bool has_once(const struct resources *r, size_t i)
{
    return resources_once(r, i);
}

static bool has_plan(const struct resources *r, size_t i)
{
    return resources_plan(r, i);
}

/* The synchronization with that index among all: that go on, that end, of crews. NULL at the end. */
static const struct sync *any_sync(const struct resources *r, size_t i)
{
    size_t live = count(r, has_sync), once = count(r, has_once);
    if (i < live)
        return resources_sync(r, i);
    if (i < live + once)
        return resources_once(r, i - live);
    const struct plan *plan = resources_plan(r, i - live - once);
    return plan ? &plan->sync : NULL;
}

/* The full name and behind it the name of what has that index; false at the end. */
typedef bool (*name_at)(const struct resources *resources, size_t i, const char *ret[2]);

static bool sync_at(const struct resources *resources, size_t i, const char *ret[2])
{
    const struct sync *sync = any_sync(resources, i);
    if (sync) {
        ret[0] = sync->full_name;
        ret[1] = sync->name;
    }
    return sync != NULL;
}

static bool source_at(const struct resources *resources, size_t i, const char *ret[2])
{
    const struct sync *sync = any_sync(resources, i);
    if (sync) {
        ret[0] = sync->source->full_name;
        ret[1] = sync->source->name;
    }
    return sync != NULL;
}

struct option_names {
    const char *option, *what;
    name_at at;
    const char *const *list;
    size_t n;
};

/* The one thing that is meant. */
static enum rc find_named(const struct resources *resources, const struct option_names *o,
                          const char *name, const char **ret, struct err *e)
{
    const char *names[2], *found = NULL;
    for (size_t i = 0; o->at(resources, i, names); i++) {
        if (strcmp(names[0], name) != 0 && strcmp(names[1], name) != 0)
            continue;
        if (found && strcmp(found, names[0]) != 0)
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "%s %s: may be %s or %s: write the namespace, too", o->option, name,
                           found, names[0]);
        found = names[0];
    }
    if (!found)
        return err_set(e, RC_INVALID, ERR_FINAL, "%s %s: no %s has that name", o->option, name,
                       o->what);
    *ret = found;
    return RC_OK;
}

/* By full names: what is called the same in resources of later is not approved. */
static enum rc approve(struct runtime *r, const struct resources *resources,
                       const struct option_names *o, struct approval *ret, struct err *e)
{
    enum rc rc = RC_OK;
    ret->names = calloc(o->n + 1, sizeof *ret->names);
    if (!ret->names)
        return err_nomem(e);
    for (size_t i = 0; i < o->n && rc == RC_OK; i++) {
        const char *full_name;
        rc = find_named(resources, o, o->list[i], &full_name, e);
        if (rc == RC_OK)
            ret->names[ret->n++] = text_pool_add(&r->texts, slice_str(full_name));
    }
    return rc == RC_OK && r->texts.nomem ? err_nomem(e) : rc;
}

static enum rc approve_all(struct runtime *r, const struct runtime_opts *opts, struct err *e)
{
    const struct option_names prune = {"--allow-prune", "synchronization", sync_at,
                                       opts->allow_prune, opts->n_allow_prune};
    const struct option_names accept = {"--accept-source", "source of a synchronization", source_at,
                                        opts->accept_source, opts->n_accept_source};
    enum rc rc = approve(r, opts->resources, &prune, &r->may_prune, e);
    return rc == RC_OK ? approve(r, opts->resources, &accept, &r->accepted, e) : rc;
}

/* A standing warning: told at every start. */
static void warn_of_effects(const struct sync *sync, const struct env *env)
{
    AUTO(buf_done) struct buf kinds = BUF_INIT(EFFECTS_MAX);
    if (sync->suspend)
        return;
    effects_print(sync, &kinds);
    if (kinds.n > 0)
        DIAG(env->diag, DIAG_WARN,
             "the copies take effect in the destination; \"effects: allow\" says that it is wanted",
             DIAG_S("synchronization", slice_str(sync->full_name)),
             DIAG_S("kinds", buf_slice(&kinds)));
}

/* ---- Crews ---- */

static void crew_done(struct crew *p)
{
    free(p->members);
}

/* What a group would be started with. */
static enum rc digest_crew(struct crew *p, struct err *e)
{
    AUTO(buf_done) struct buf all = BUF_INIT(NAMES_MAX);
    buf_add(&all, p->source->digest, RESOURCE_DIGEST);
    for (size_t i = 0; i < p->n; i++) {
        const struct sync *sync = p->members[i].sync;
        buf_add(&all, sync->full_name, strlen(sync->full_name) + 1);
        buf_add(&all, sync->digest, RESOURCE_DIGEST);
        buf_add(&all, sync->destination->digest, RESOURCE_DIGEST);
        if (p->members[i].plan)
            buf_add(&all, p->members[i].plan->digest, RESOURCE_DIGEST);
    }
    sha256(buf_slice(&all), SLICE_NULL, p->digest);
    return buf_check(&all, "the names of synchronizations", e);
}

static void add_member(const struct runtime *r, const struct sync *sync, const struct plan *plan,
                       struct crew *c)
{
    if (sync->source == c->source)
        c->members[c->n++] = (struct group_member){
            .sync = sync,
            .plan = plan,
            .prune_until_ns = approved_until(r, &r->may_prune, sync->full_name),
            .orders = r->orders,
            .ended = r->ended,
            .not_before_ns = r->not_before_ns};
}

/* Without members where no synchronization has that source. */
static enum rc make_crew(const struct runtime *r, const struct resources *resources,
                         const struct cluster *source, struct crew *ret, struct err *e)
{
    const struct sync *sync;
    const struct plan *plan;
    *ret = (struct crew){.source = source};
    ret->members = calloc(count(resources, has_sync) + count(resources, has_once) +
                              count(resources, has_plan) + 1,
                          sizeof *ret->members);
    if (!ret->members)
        return err_nomem(e);
    for (size_t i = 0; (sync = resources_once(resources, i)); i++)
        add_member(r, sync, NULL, ret);
    for (size_t i = 0; !r->only_once && (sync = resources_sync(resources, i)); i++)
        add_member(r, sync, NULL, ret);
    for (size_t i = 0; !r->only_once && (plan = resources_plan(resources, i)); i++)
        add_member(r, &plan->sync, plan, ret);
    return digest_crew(ret, e);
}

static struct slot *find_slot(const struct runtime *r, const struct cluster *source)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->slots[i].source->full_name, source->full_name) == 0)
            return &r->slots[i];
    return NULL;
}

static bool is_running(const struct runtime *r, const struct crew *p)
{
    const struct slot *s = find_slot(r, p->source);
    return s && !s->ending && memcmp(s->digest, p->digest, sizeof p->digest) == 0;
}

/* ---- From crews to groups ---- */

static bool is_wanted(const struct runtime *r, const struct slot *s, const struct crew *crews,
                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (crews[i].n > 0 && find_slot(r, crews[i].source) == s)
            return is_running(r, &crews[i]);
    return false;
}

static void ask_others(struct runtime *r, const struct crew *crews, size_t n)
{
    for (size_t i = 0; i < r->n; i++) {
        struct slot *s = &r->slots[i];
        if (s->ending || is_wanted(r, s, crews, n))
            continue;
        group_ask_stop(s->group);
        s->ending = true;
    }
}

/* Frees those that were asked, and are over or waited for. */
static void free_ending(struct runtime *r, bool wait)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        struct slot *s = &r->slots[i];
        if (s->ending && (wait || group_ended(s->group)))
            group_free(s->group);
        else
            r->slots[kept++] = *s;
    }
    r->n = kept;
}

static enum rc start_crew(struct runtime *r, const struct crew *p, struct err *e)
{
    struct slot *slots = realloc(r->slots, (r->n + 1) * sizeof *slots);
    if (!slots)
        return err_nomem(e);
    r->slots = slots;
    struct slot s = {.source = p->source};
    memcpy(s.digest, p->digest, sizeof s.digest);
    for (size_t i = 0; i < p->n; i++)
        warn_of_effects(p->members[i].sync, &r->env);
    const struct group_opts opts = {.source = p->source,
                                    .members = p->members,
                                    .n_members = p->n,
                                    .accept_until_ns =
                                        approved_until(r, &r->accepted, p->source->full_name),
                                    .wiring = r->wiring,
                                    .env = &r->env};
    enum rc rc = group_start(&opts, &s.group, e);
    if (rc == RC_OK)
        r->slots[r->n++] = s;
    return rc;
}

static enum rc carry_out(struct runtime *r, const struct crew *crews, size_t n, struct err *e)
{
    enum rc rc = RC_OK;
    ask_others(r, crews, n);
    free_ending(r, /* wait= */ false);
    for (size_t i = 0; i < r->n; i++)
        if (r->slots[i].ending)
            return RC_AGAIN; /* it may have a synchronization that goes over to another source */
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        if (crews[i].n > 0 && !is_running(r, &crews[i]))
            rc = start_crew(r, &crews[i], e);
    return rc;
}

/* ---- Generations of resources ---- */

static bool is_used(const struct runtime *r, const struct resources *resources)
{
    const struct cluster *c;
    for (size_t i = 0; (c = resources_cluster(resources, i)); i++)
        for (size_t j = 0; j < r->n; j++)
            if (r->slots[j].source == c)
                return true;
    return false;
}

static void free_unused(struct runtime *r, struct resources **at)
{
    while (*at) {
        struct resources *one = *at;
        if (is_used(r, one)) {
            at = resources_older(one);
            continue;
        }
        *at = *resources_older(one);
        resources_free(one);
    }
}

static enum rc apply(struct runtime *r, struct err *e)
{
    const struct resources *resources = r->newest;
    size_t n = 0, made = 0;
    while (resources_cluster(resources, n))
        n++;
    struct crew *crews = calloc(n + 1, sizeof *crews);
    if (!crews)
        return err_nomem(e);
    enum rc rc = RC_OK;
    for (; made < n && rc == RC_OK; made++)
        rc = make_crew(r, resources, resources_cluster(resources, made), &crews[made], e);
    if (rc == RC_OK)
        rc = carry_out(r, crews, n, e);
    for (size_t i = 0; i < made; i++)
        crew_done(&crews[i]);
    free(crews);
    return rc;
}

enum rc runtime_apply(struct runtime *r, struct resources *resources, struct err *e)
{
    *resources_older(resources) = r->newest;
    r->newest = resources;
    return runtime_again(r, e);
}

enum rc runtime_again(struct runtime *r, struct err *e)
{
    enum rc rc = apply(r, e);
    free_unused(r, resources_older(r->newest));
    return rc;
}

/* ---- Synchronizations that end ---- */

bool runtime_ends(const struct runtime *r)
{
    bool goes_on = !r->only_once && (resources_sync(r->newest, 0) || resources_plan(r->newest, 0));
    return !goes_on && resources_once(r->newest, 0);
}

enum rc runtime_ended(struct runtime *r, bool *ret_succeeded)
{
    const struct sync *sync;
    enum rc rc = runtime_ends(r) ? RC_OK : RC_AGAIN;
    *ret_succeeded = true;
    for (size_t i = 0; rc == RC_OK && (sync = resources_once(r->newest, i)); i++) {
        bool succeeded;
        rc = once_board_get(r->ended, sync, &succeeded);
        *ret_succeeded = *ret_succeeded && succeeded;
    }
    return rc;
}

int runtime_ended_fd(const struct runtime *r)
{
    return once_board_fd(r->ended);
}

/* ---- Orders ---- */

enum rc runtime_order(struct runtime *r, const struct order *o, struct err *e)
{
    const struct sync *sync;
    for (size_t i = 0; (sync = any_sync(r->newest, i)); i++)
        if (strcmp(sync->full_name, o->sync) == 0)
            return order_board_give(r->orders, o, e);
    return err_set(e, RC_NOTFOUND, ERR_FINAL,
                   "%s is not among the synchronizations that 'resilog run' runs now", o->sync);
}

bool runtime_ordered(struct runtime *r, struct order_answer *ret)
{
    return order_board_collect(r->orders, ret);
}

bool runtime_withdraw(struct runtime *r)
{
    return order_board_withdraw(r->orders);
}

/* ---- Life ---- */

enum rc runtime_start(const struct runtime_opts *opts, const struct env *env, struct runtime **ret,
                      struct err *e)
{
    AUTO(runtime_stopp) struct runtime *r = calloc(1, sizeof *r);
    if (r) {
        r->orders = order_board_new();
        r->ended = once_board_new();
    }
    enum rc rc = r && r->orders && r->ended ? approve_all(r, opts, e) : err_nomem(e);
    if (rc < 0) {
        resources_free(opts->resources);
        return rc;
    }
    r->wiring = opts->wiring;
    r->env = *env;
    r->only_once = opts->only_once;
    r->not_before_ns = opts->only_once ? clock_wall_ns(env->clock) : 0;
    r->approved_until_ns = clock_boot_ns(env->clock) + RUNTIME_APPROVED_NS;
    rc = runtime_apply(r, opts->resources, e);
    if (rc == RC_OK)
        *ret = steal(&r);
    return rc;
}

void runtime_stop(struct runtime *r)
{
    if (!r)
        return;
    ask_others(r, NULL, 0); /* all before the first is waited for: they drain at the same time */
    free_ending(r, /* wait= */ true);
    free_unused(r, &r->newest);
    free(r->slots);
    free(r->may_prune.names);
    free(r->accepted.names);
    order_board_free(r->orders);
    once_board_free(r->ended);
    text_pool_done(&r->texts);
    free(r);
}

/* The resources: life and look-up, and the order of reading.
 *
 * Three passes, so that references may point anywhere: all files into items, the clusters with
 * their credentials, the synchronizations. Every pass tells all it finds. What is kept is copied:
 * files and trees, in which Secrets lie, are freed before resources_load returns. Only records
 * without an error are kept. A kubeconfig is overwritten when freed. One thread. */
#include "controller/resource.h"

#include "controller/resource_priv.h"
#include "core/map.h"

static void loader_done(struct loader *l)
{
    for (size_t i = 0; i < l->n_items; i++)
        free(l->items[i]);
    free(l->items);
    map_free(l->by_name);
    inputs_done(&l->inputs);
}

void resources_free(struct resources *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_clusters; i++)
        cluster_free(r->clusters[i]);
    for (size_t i = 0; i < r->n_syncs; i++)
        sync_record_free(r->syncs[i]);
    for (size_t i = 0; i < r->n_onces; i++)
        sync_record_free(r->onces[i]);
    for (size_t i = 0; i < r->n_plans; i++)
        plan_record_free(r->plans[i]);
    for (size_t i = 0; i < r->n_admins; i++)
        admin_record_free(r->admins[i]);
    free(r->clusters);
    free(r->admins);
    free(r->syncs);
    free(r->onces);
    free(r->plans);
    problem_list_free(r->problems);
    text_pool_done(&r->texts);
    free(r);
}

static enum rc read_syncs(struct loader *l, struct err *e)
{
    struct resources *r = l->out;
    enum rc rc = RC_OK;
    r->syncs = calloc(l->n_items + 1, sizeof(struct sync_record *));
    r->onces = calloc(l->n_items + 1, sizeof(struct sync_record *));
    r->plans = calloc(l->n_items + 1, sizeof(struct plan_record *));
    if (!r->syncs || !r->onces || !r->plans)
        return err_nomem(e);
    for (size_t i = 0; i < l->n_items && rc == RC_OK; i++) {
        enum kind_use use = l->items[i]->kind->use;
        if (use == KIND_SYNC || use == KIND_ONCE)
            rc = sync_read(l, l->items[i], e);
        else if (use == KIND_PLAN)
            rc = plan_read(l, l->items[i], e);
    }
    return rc;
}

static enum rc load(struct loader *l, struct err *e)
{
    struct resources *r = l->out;
    r->problems = problem_list_new();
    l->by_name = map_new(NULL);
    if (!r->problems || !l->by_name)
        return err_nomem(e);
    enum rc rc = inputs_read(l->opts, r->problems, &l->inputs, e);
    if (rc == RC_OK)
        rc = items_read(l, e);
    if (rc == RC_OK)
        rc = clusters_read(l, e);
    if (rc == RC_OK)
        rc = read_syncs(l, e);
    if (rc == RC_OK && r->texts.nomem)
        rc = err_nomem(e);
    return rc == RC_OK ? problem_list_finish(r->problems, e) : rc;
}

enum rc resources_load(const struct resources_opts *opts, struct resources **ret, struct err *e)
{
    AUTO(resources_freep) struct resources *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    AUTO(loader_done) struct loader l = {.opts = opts, .out = r};
    enum rc rc = load(&l, e);
    if (rc == RC_OK)
        *ret = steal(&r);
    return rc;
}

struct resources **resources_older(struct resources *r)
{
    return &r->older;
}

size_t resources_errors(const struct resources *r)
{
    return problem_list_errors(r->problems);
}

const struct problem *resources_problem(const struct resources *r, size_t index)
{
    return problem_list_get(r->problems, index);
}

const struct sync *resources_sync(const struct resources *r, size_t index)
{
    return index < r->n_syncs ? &r->syncs[index]->sync : NULL;
}

const struct sync *resources_once(const struct resources *r, size_t index)
{
    return index < r->n_onces ? &r->onces[index]->sync : NULL;
}

const struct plan *resources_plan(const struct resources *r, size_t index)
{
    return index < r->n_plans ? &r->plans[index]->plan : NULL;
}

const struct cluster *resources_cluster(const struct resources *r, size_t index)
{
    return index < r->n_clusters ? r->clusters[index] : NULL;
}

const struct admin_server *resources_admin(const struct resources *r, size_t index)
{
    return index < r->n_admins ? &r->admins[index]->server : NULL;
}

/* Groups the synchronizations by source and runs the groups. */
#include "controller/runtime.h"

#include "controller/effects.h"
#include "controller/group.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "core/diag.h"
#include "core/env.h"

#include <stdlib.h>

#define EFFECTS_MAX (64u << 10)

struct runtime {
    struct group **groups;
    size_t n;
};

static bool is_named(const struct sync *sync, const char *name)
{
    return strcmp(sync->full_name, name) == 0 || strcmp(sync->name, name) == 0;
}

static bool may_prune(const struct runtime_opts *opts, const struct sync *sync)
{
    for (size_t i = 0; i < opts->n_allow_prune; i++)
        if (is_named(sync, opts->allow_prune[i]))
            return true;
    return false;
}

static enum rc check_names(const struct runtime_opts *opts, struct err *e)
{
    for (size_t i = 0; i < opts->n_allow_prune; i++) {
        bool found = false;
        const struct sync *sync;
        for (size_t j = 0; (sync = resources_sync(opts->resources, j)); j++)
            found = found || is_named(sync, opts->allow_prune[i]);
        if (!found)
            return err_set(e, RC_INVALID, ERR_FINAL,
                           "--allow-prune %s: no synchronization has that name",
                           opts->allow_prune[i]);
    }
    return RC_OK;
}

static size_t count_syncs(const struct resources *r)
{
    size_t n = 0;
    while (resources_sync(r, n))
        n++;
    return n;
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

/* Starts the group of one source if it has synchronizations. */
static enum rc start_group(struct runtime *r, const struct runtime_opts *opts,
                           const struct cluster *source, const struct env *env, struct err *e)
{
    AUTO(freep)
    struct group_member *members = calloc(count_syncs(opts->resources) + 1, sizeof *members);
    if (!members)
        return err_nomem(e);
    size_t n = 0;
    const struct sync *sync;
    for (size_t i = 0; (sync = resources_sync(opts->resources, i)); i++)
        if (sync->source == source)
            members[n++] = (struct group_member){sync, may_prune(opts, sync)};
    if (n == 0)
        return RC_OK;
    enum rc rc = group_start(source, members, n, opts->wiring, env, &r->groups[r->n], e);
    if (rc == RC_OK)
        r->n++;
    return rc;
}

enum rc runtime_start(const struct runtime_opts *opts, const struct env *env, struct runtime **ret,
                      struct err *e)
{
    enum rc rc = check_names(opts, e);
    if (rc < 0)
        return rc;
    size_t n = 0;
    while (resources_cluster(opts->resources, n))
        n++;
    AUTO(runtime_stopp) struct runtime *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    r->groups = calloc(n + 1, sizeof(struct group *));
    if (!r->groups)
        return err_nomem(e);
    const struct sync *sync;
    for (size_t i = 0; (sync = resources_sync(opts->resources, i)); i++)
        warn_of_effects(sync, env);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = start_group(r, opts, resources_cluster(opts->resources, i), env, e);
    if (rc == RC_OK)
        *ret = steal(&r);
    return rc;
}

void runtime_stop(struct runtime *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        group_ask_stop(r->groups[i]);
    for (size_t i = 0; i < r->n; i++)
        group_free(r->groups[i]);
    free(r->groups);
    free(r);
}

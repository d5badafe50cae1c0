/* Each Synchronization is compared, one after the other, and the differences are told as actions. */
#include "cli/dry_run.h"

#include "cli/cli.h"
#include "cli/names.h"
#include "cli/tree_compare.h"
#include "cli/tree_plan.h"
#include "cli/wire.h"
#include "controller/resource.h"
#include "core/buf.h"
#include "core/env.h"
#include "flow/scope.h"
#include "log/ckpt.h"

#include <stdio.h>

static enum rc print(struct buf *out, struct err *e)
{
    enum rc rc = buf_check(out, "an action", e);
    if (rc == RC_OK && out->n)
        (void)fwrite(out->p, 1, out->n, stdout);
    buf_reset(out);
    return rc;
}

static enum rc plan_all(struct tree_plan *p, struct tree_compare *t, struct err *e)
{
    AUTO(buf_done) struct buf out = BUF_INIT(TREE_TEXT_MAX);
    struct zk_difference d;
    enum rc rc = RC_OK;
    while (rc != RC_END) {
        rc = tree_compare_next(t, &d, e);
        if (rc == RC_AGAIN)
            rc = tree_compare_wait(t, e);
        else if (rc == RC_OK)
            rc = tree_plan_add(p, &d, &out, e);
        else if (rc == RC_END && tree_plan_end(p, &out, e) < 0)
            rc = e->rc;
        if (rc < 0 || print(&out, e) < 0)
            return e->rc;
    }
    return RC_OK;
}

static enum rc plan_one(struct tree_plan *p, const struct env *env, struct err *e)
{
    AUTO(tree_compare_closep) struct tree_compare *t = NULL;
    const struct sync *sync = p->sync;
    printf("Synchronization %s, %s to %s:\n", sync->full_name, sync->source->full_name,
           sync->destination->full_name);
    if (!scope_is_tree(&sync->replication))
        return err_set(e, RC_UNSUPPORTED, ERR_FINAL, "a dry run is of znodes alone");
    enum rc rc = wire_compare(sync, env, &t, e);
    if (rc == RC_OK)
        rc = plan_all(p, t, e);
    if (rc == RC_OK && p->actions == 0)
        printf("nothing to do; %llu nodes are alike\n", (unsigned long long)tree_compare_equal(t));
    return rc;
}

static enum rc open_ckpt(const char *data, const struct env *env, struct ckpt **ret, struct err *e)
{
    struct err why = ERR_INIT;
    enum rc rc = data ? data_open_ckpt(data, env, ret, &why) : RC_NOTFOUND;
    if (rc == RC_OK || rc == RC_NOTFOUND)
        return RC_OK;
    *e = why;
    return rc;
}

int dry_run(const struct resources *resources, const char *data, const char *const *allow_prune,
            size_t n_allow_prune, const struct env *env)
{
    AUTO(ckpt_closep) struct ckpt *ckpt = NULL;
    struct err e = ERR_INIT;
    const struct sync *sync;
    int code = EXIT_DONE;
    if (open_ckpt(data, env, &ckpt, &e) < 0)
        return cli_fail(&e);
    for (size_t i = 0; (sync = resources_once(resources, i)) && !ferror(stdout); i++) {
        struct tree_plan plan = {.sync = sync, .ckpt = ckpt};
        struct err why = ERR_INIT;
        for (size_t k = 0; k < n_allow_prune; k++)
            plan.may_prune |= name_is(slice_str(sync->full_name), allow_prune[k]);
        if (plan_one(&plan, env, &why) == RC_OK)
            continue;
        err_wrap(&why, "%s", sync->full_name);
        int mine = cli_fail(&why);
        code = code == EXIT_DONE ? mine : code;
    }
    return cli_finish_output(code);
}
